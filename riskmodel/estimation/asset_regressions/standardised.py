"""One asset's regression in standard units."""

from __future__ import annotations

from typing import Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel.estimation.weighting import weighted_mean

# A series whose deviations are below this share of its largest value does not vary.
_STILL = 1e-12


@final
@frozen(eq=False)
class Standardised:
    """Centred returns and factors of variance 1, rows times √(w / Σw), so that X'X is a correlation matrix.

    Attributes
    ----------
    x : array, shape (n, K)
        Zero where a factor does not vary.
    y : array, shape (n,)
        Zero where the return does not vary.
    unit : array, shape (K,)
        The loading, in units of return, that is one of `y` on `x`; 1 where the factor does not vary.
    """

    x: Array
    y: Array
    unit: Array

    @classmethod
    def of(cls, returns: Array, factors: Array, weights: Array) -> Self:
        """Standardise the returns of an asset, shape (n,), and of the factors, shape (n, K), on n weighted dates."""
        root = np.sqrt(weights / weights.sum())[:, None]
        both = np.column_stack([returns, factors])
        z = root * (both - weighted_mean(both, weights))
        size = np.sqrt((z * z).sum(axis=0))
        varies = size > _STILL * np.abs(both).max(axis=0)
        z = np.divide(z, size, out=np.zeros_like(z), where=varies)
        unit = np.divide(size[0], size[1:], out=np.ones(len(size) - 1), where=varies[1:] & varies[0])
        return cls(z[:, 1:], z[:, 0], unit)

    def restored(self, coefficients: Array) -> Array:
        """Loadings in units of return from coefficients in standard units, each of shape (..., K)."""
        return np.asarray(coefficients * self.unit)
