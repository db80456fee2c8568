"""Standard errors of all alphas and loadings at once."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel._core.linalg import inverse_roots
from riskmodel._core.threads import one_blas_thread
from riskmodel.estimation.moments.sums import split_missing
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.covariance.classical import Classical
from riskmodel.inference.covariance.regressors import Regressors
from riskmodel.inference.date_groups import require_same_fit
from riskmodel.inference.estimand import LONG_RUN, THIS_WINDOW
from riskmodel.model.model import FactorModel
from riskmodel.model.robust_errors import RobustErrors
from riskmodel.panel.base import Panel
from riskmodel.panel.memory import ReturnPanel

# Returns of a tile, so that it stays in cache, and returns that are read from elsewhere at a time.
_CACHED = 160_000
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
    factors = panel.select(model.assets[:1]).returns_of(model.definitions)
    coefficients = np.column_stack([model._alpha, model._loadings])
    work = _Tiles.of(factors, fit.decay_factor, covariance)
    out = np.empty((n, len(model.factors) + 1))
    size = max(1, _CACHED // t)
    for block in _spans(n, n if isinstance(panel, ReturnPanel) else max(size, _RETURNS // t)):
        returns = panel.select(model.assets[block], []).arrays()[0]
        for some in _spans(block.stop - block.start, size):
            columns = slice(block.start + some.start, block.start + some.stop)
            out[columns], moved = work.errors(returns[:, some].T, coefficients[columns])
            require_same_fit(model, columns, moved)
    return out


@one_blas_thread()
def window_errors(
    returns: Array, factors: Array, coefficients: Array, decay_factor: float, covariance: LongRunCovariance
) -> Array:
    """Return standard errors of the regressions of one window, shape (N, K + 1), from returns, T × N."""
    work = _Tiles.of(factors, decay_factor, covariance)
    tiles = [
        work.errors(returns[:, some].T, coefficients[some])[0]
        for some in _spans(len(coefficients), _CACHED // len(returns) or 1)
    ]
    return np.concatenate(tiles)


def _spans(n: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def summary_errors(model: FactorModel, panel: ReturnPanel, covariance: LongRunCovariance) -> RobustErrors:
    """Return the errors of a model's only asset, for its printed summary."""
    fit: Any = model.regression
    work = _Tiles.of(panel.returns_of(model.definitions), fit.decay_factor, covariance)
    returns = panel.select(model.assets, []).arrays()[0].T
    return RobustErrors(repr(covariance), *work.one(returns, np.column_stack([model._alpha, model._loadings])))


@final
@frozen(eq=False)
class _Tiles:
    """What all tiles of assets have in common: regressors z that are orthonormal over all dates."""

    covariance: LongRunCovariance
    decay_factor: float
    factors: Array  # T × K
    regressors: Regressors
    back: Array  # coefficients on (1, f) = back @ those on z

    @classmethod
    def of(cls, factors: Array, decay_factor: float, covariance: LongRunCovariance) -> Self:
        x = np.column_stack([np.ones(len(factors)), factors])
        scale = np.sqrt(len(x)) / np.linalg.norm(x, axis=0)
        q, r = np.linalg.qr(x * scale)
        z = q * np.sqrt(len(x))
        back = scale[:, None] * np.linalg.inv(r) * np.sqrt(len(x))
        return cls(covariance, decay_factor, factors, Regressors(np.ascontiguousarray(z.T)), back)

    def errors(self, returns: Array, coefficients: Array) -> tuple[Array, Array]:
        """Standard errors of some assets from their returns, J × T, and by how much a refit would move each."""
        e, terms, towards, moved = self._scores(returns, coefficients)
        long, window = self._estimators()
        out = _roots(towards, window.of_regressions(e, self.regressors, terms))
        if long is not window:
            out[:, :1] = _roots(towards[:, :1], long.of_regressions(e, self.regressors, terms))
        return out, moved

    def one(self, returns: Array, coefficients: Array) -> tuple[Array, Array]:
        """The covariance of the coefficients of one asset, and the degrees of freedom of each, from 1 × T returns."""
        e, terms, towards, _ = self._scores(returns, coefficients)
        found, degrees = [], []
        for estimator in self._estimators():
            found.append(
                (towards @ estimator.of_regressions(e, self.regressors, terms) @ towards.transpose(0, 2, 1))[0]
            )
            degrees.append(float(np.max(estimator.degrees_of_freedom(terms))))
        (long, window), ratio = found, np.ones(len(towards[0]))
        # alpha has its own variance, and its correlations with the loadings stay
        ratio[0] = np.sqrt(long[0, 0] / window[0, 0]) if window[0, 0] > 0 else 1.0
        return window * np.outer(ratio, ratio), np.array([degrees[0], *[degrees[1]] * (len(ratio) - 1)])

    def _estimators(self) -> tuple[LongRunCovariance, LongRunCovariance]:
        """Those of alpha and of the loadings."""
        return self.covariance.about(LONG_RUN), self.covariance.about(THIS_WINDOW)

    def _scores(self, returns: Array, coefficients: Array) -> tuple[Array, DateTerms, Array, Array]:
        """Weighted residuals, what else is known of them, what turns sums of scores into coefficients, and `moved`."""
        present, e = split_missing(returns - coefficients[:, :1] - coefficients[:, 1:] @ self.factors.T)
        w = self._weights(present)
        root, _ = inverse_roots(np.moveaxis(self.regressors.squares(w), 0, -1))
        turned = np.ascontiguousarray(np.moveaxis(root, -1, 0))
        towards = self.back @ (turned.transpose(0, 2, 1) @ turned)
        if w is not present:
            e *= w
        moved = np.abs(np.einsum("jkl,jl->jk", towards, e @ self.regressors.z.T))
        if self.covariance.leverage_power:
            e /= self._free(w, turned) ** self.covariance.leverage_power
        terms = DateTerms(
            by_date=np.empty((len(e), 0, e.shape[1])),
            amplitude=w[0] if (w == w[0]).all() else w,
            n=w.sum(axis=1) ** 2 / np.einsum("jt,jt->j", w, w),
            n_parameters=len(self.back),
        )
        return e, terms, towards, moved

    def _weights(self, present: Array) -> Array:
        """Weights of dates, J × T, 1 on the last date of each asset, zero where it has no return."""
        if self.decay_factor == 1.0:
            return present
        t = present.shape[1]
        last = t - 1 - np.argmax(present[:, ::-1], axis=1)
        ages = np.maximum(last[:, None] - np.arange(t), 0)
        return np.asarray(np.maximum(self.decay_factor**ages, 1e-200) * present)

    def _free(self, w: Array, turned: Array) -> Array:
        """One less the leverage, J × T."""
        inverse = turned.transpose(0, 2, 1) @ turned
        return np.asarray(np.maximum(1.0 - w * self.regressors.quadratic_forms(inverse), np.finfo(float).eps))


def _roots(towards: Array, covariance: Array) -> Array:
    """Square roots of the diagonal of A C A', shape (J, rows of A)."""
    return np.asarray(np.sqrt(np.maximum(np.einsum("jkl,jkl->jk", towards @ covariance, towards), 0.0)))
