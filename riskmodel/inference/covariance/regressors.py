"""Regressors that many assets share, and their products with themselves at a lag."""

from __future__ import annotations

from typing import final

import numpy as np
from attrs import Factory, frozen

from riskmodel._core.arrays import Array
from riskmodel._core.linalg import symmetric, upper_triangle

# Lags whose products are kept, of 28 numbers a date for six factors; those of further ones are made again.
_KEPT = 24


@final
@frozen(eq=False)
class Regressors:
    """M regressors on T dates.

    Attributes
    ----------
    z : array, shape (M, T)
        The regressors.
    """

    z: Array
    _products: dict[int, Array] = Factory(dict)

    def scores(self, errors: Array) -> Array:
        """Regressor times error, by asset: errors of shape (J, T) make (J, M, T)."""
        return errors[:, None, :] * self.z

    def squares(self, by_date: Array, lag: int = 0) -> Array:
        r"""Return :math:`\sum_t x_t (z_t z_{t+l}^\top + z_{t+l} z_t^\top)`, half of it at lag 0, shape (J, M, M).

        Parameters
        ----------
        by_date : array, shape (J, T - l)
            x.
        lag : int
            l, in dates.
        """
        return symmetric(by_date @ self._lagged(lag), len(self.z))

    def quadratic_forms(self, matrices: Array) -> Array:
        """Quadratic forms z'Az by date, for each of J symmetric matrices, shape (J, T)."""
        i, j = upper_triangle(len(self.z))
        twice = np.where(i == j, 1.0, 2.0)
        return np.asarray((matrices[:, i, j] * twice) @ self._lagged(0).T)

    def _lagged(self, lag: int) -> Array:
        """The upper triangles of the products of dates with those a lag later, (T - l) × M(M + 1)/2."""
        if lag in self._products:
            return self._products[lag]
        i, j = upper_triangle(len(self.z))
        early, late = self.z[:, : self.z.shape[1] - lag], self.z[:, lag:]
        products = early[i] * late[j]
        if lag:
            products += early[j] * late[i]
        made = np.ascontiguousarray(products.T)
        if lag < _KEPT:
            self._products[lag] = made
        return made
