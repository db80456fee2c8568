"""Standard errors of all alphas and loadings at once."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel._core.linalg import symmetric, upper_triangle
from riskmodel._core.threads import one_blas_thread
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.covariance.classical import Classical
from riskmodel.inference.date_groups import require_same_fit
from riskmodel.inference.estimand import LONG_RUN, THIS_WINDOW
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import Panel
from riskmodel.panel.memory import ReturnPanel

# Scores that are held at a time, so that they stay in cache, and returns that are read from elsewhere at a time.
_SCORES = 100_000
_RETURNS = 8_000_000


@one_blas_thread()
def std_errors(model: FactorModel, panel: Panel, covariance: LongRunCovariance) -> Array:
    """Return standard errors of alpha and loadings of every asset, shape (N, K + 1).

    Assets are read in tiles; each has its own dates. Where the estimator says different things about the long run and
    about a window, alphas have the first and loadings the second.
    """
    fit: Any = model.regression
    if isinstance(covariance, Classical):
        return np.array(fit._std_errors)
    n, t = len(model.assets), len(panel.dates)
    work = _Tiles.of(model, panel, covariance)
    out = np.empty((n, len(model.factors) + 1))
    size = max(1, _SCORES // (t * out.shape[1]))
    for block in _spans(n, n if isinstance(panel, ReturnPanel) else max(size, _RETURNS // t)):
        returns = panel.select(model.assets[block], []).arrays()[0]
        for some in _spans(block.stop - block.start, size):
            columns = slice(block.start + some.start, block.start + some.stop)
            out[columns] = work.errors(returns[:, some].T, columns)
    return out


def _spans(n: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


@final
@frozen(eq=False)
class _Tiles:
    """What all tiles of assets have in common: regressors z that are orthonormal over all dates."""

    model: FactorModel
    covariance: LongRunCovariance
    factors: Array  # T × K
    z: Array  # (K + 1) × T
    back: Array  # coefficients on (1, f) = back @ those on z
    products: Array  # T × (K + 1)(K + 2)/2: of z with itself

    @classmethod
    def of(cls, model: FactorModel, panel: Panel, covariance: LongRunCovariance) -> Self:
        factors = panel.select(model.assets[:1]).returns_of(model.definitions)
        x = np.column_stack([np.ones(len(factors)), factors])
        scale = np.sqrt(len(x)) / np.linalg.norm(x, axis=0)
        q, r = np.linalg.qr(x * scale)
        z = q * np.sqrt(len(x))
        i, j = upper_triangle(x.shape[1])
        back = scale[:, None] * np.linalg.inv(r) * np.sqrt(len(x))
        return cls(model, covariance, factors, np.ascontiguousarray(z.T), back, z[:, i] * z[:, j])

    def errors(self, returns: Array, columns: slice) -> Array:
        """Standard errors of some assets from their returns, J × T."""
        e = returns - self.model._alpha[columns, None] - self.model._loadings[columns] @ self.factors.T
        there = e == e  # noqa: PLR0124 - NaN alone differs from itself
        e[~there] = 0.0
        w = self._weights(there)
        gram = symmetric(w @ self.products, len(self.z))
        inverse: Array = np.asarray(np.linalg.inv(gram))
        towards = self.back @ inverse
        by_date = w * e
        require_same_fit(self.model, columns, np.abs(np.einsum("jkl,jl->jk", towards, by_date @ self.z.T)))
        if self.covariance.leverage_power:
            by_date /= self._free(w, inverse) ** self.covariance.leverage_power
        terms = DateTerms(
            by_date=by_date[:, None, :] * self.z,
            amplitude=w[0] if (w == w[0]).all() else w,
            n=w.sum(axis=1) ** 2 / np.einsum("jt,jt->j", w, w),
            n_parameters=len(self.z),
        )
        return self._of_coefficients(terms, towards)

    def _of_coefficients(self, terms: DateTerms, towards: Array) -> Array:
        long, window = (self.covariance.about(estimand) for estimand in (LONG_RUN, THIS_WINDOW))
        out = _roots(towards, window.of_sums(terms))
        if long is not window:
            out[:, :1] = _roots(towards[:, :1], long.of_sums(terms))
        return out

    def _weights(self, there: Array) -> Array:
        """Weights of dates, J × T, 1 on the last date of each asset, zero where it has no return."""
        fit: Any = self.model.regression
        if fit.decay_factor == 1.0:
            return there.astype(np.float64)
        t = there.shape[1]
        last = t - 1 - np.argmax(there[:, ::-1], axis=1)
        ages = np.maximum(last[:, None] - np.arange(t), 0)
        return np.asarray(np.maximum(fit.decay_factor**ages, 1e-200) * there)

    def _free(self, w: Array, inverse: Array) -> Array:
        """One less the leverage, J × T."""
        i, j = upper_triangle(len(self.z))
        twice = np.where(i == j, 1.0, 2.0)
        leverage = w * ((inverse[:, i, j] * twice) @ self.products.T)
        return np.maximum(1.0 - leverage, np.finfo(float).eps)


def _roots(towards: Array, covariance: Array) -> Array:
    """Square roots of the diagonal of A C A', shape (J, rows of A)."""
    return np.asarray(np.sqrt(np.maximum(np.einsum("jkl,jkl->jk", towards @ covariance, towards), 0.0)))
