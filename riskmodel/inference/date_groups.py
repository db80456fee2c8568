"""Regressions over the same dates: residuals, leverage, and the influence of each date."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen
from scipy import linalg

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Flags, Index
from riskmodel.errors import NotEstimatedError, UnknownAssetError
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel

# Two computations of the same regression agree to this share of the standard errors.
_SAME_FIT = 1e-4
_ROUNDING = 1e-9
# So many returns are worked on at a time, 32 MB.
_TILE = 4_000_000


@final
@frozen(eq=False)
class DateGroup:
    """Some assets with returns on the same dates; all arrays are zero on other dates.

    Attributes
    ----------
    columns : array of int, shape (n,)
        Positions of the assets in the model.
    lever : array, shape (T, K + 1)
        w x'(X'WX)⁻¹: times the residual, what a date adds to the error of alpha and the loadings.
    inverse : array, shape (K + 1, K + 1)
        (X'WX)⁻¹.
    share : array, shape (T,)
        w/Σw.
    n : float
        The effective number of dates.
    residuals : array, shape (T, n)
        e/(1 - h)^p with the leverage h.
    squares : array, shape (T, n)
        e² over its expectation where the variance is 1.
    expected : array, shape (T,)
        That expectation; 1 on other dates.
    plain : array, shape (T, n)
        e itself.
    moved : array, shape (n, K + 1)
        By how much a refit on these returns would move alpha and the loadings, in size: rounding.
    """

    columns: Index
    lever: Array
    inverse: Array
    share: Array
    n: float
    residuals: Array
    squares: Array
    expected: Array
    plain: Array
    moved: Array


@final
@frozen(eq=False)
class _Design:
    """The dates of a group, and the regression on them."""

    rows: Index
    lever: Array
    inverse: Array
    share: Array
    leverage: Array
    expected: Array

    @classmethod
    def of(cls, factors: Array, rows: Index, keep: float) -> Self:
        """Compute it from factors, T × K, on some rows."""
        x = np.column_stack([np.ones(len(rows)), factors[rows]])
        # from the last of its dates, so that weights of what ended long ago are numbers
        w = np.maximum(keep ** (rows[-1] - rows).astype(np.float64), 1e-200)
        r = linalg.qr(np.sqrt(w)[:, None] * x, mode="r", check_finite=False)[0][: x.shape[1]]
        root = linalg.solve_triangular(r, np.eye(len(r)), check_finite=False)
        z = x @ root
        leverage = w * np.einsum("tk,tk->t", z, z)
        crossed = np.einsum("tk,kl,tl->t", z, (z * (w * w)[:, None]).T @ z, z, optimize=True)
        return cls(
            rows=rows,
            lever=w[:, None] * (z @ root.T),
            inverse=root @ root.T,
            share=w / w.sum(),
            leverage=leverage,
            expected=np.maximum(1.0 - 2.0 * leverage + crossed, np.finfo(float).eps),
        )

    def group(self, columns: Index, residuals: Array, power: float) -> DateGroup:
        """Put the residuals of some assets, rows × n, on all T dates."""
        t = len(residuals)
        e, expected = residuals[self.rows], np.ones(t)
        expected[self.rows] = self.expected
        free = np.maximum(1.0 - self.leverage, np.finfo(float).eps)[:, None] ** power
        return DateGroup(
            columns=columns,
            lever=_spread(self.lever, self.rows, t),
            inverse=self.inverse,
            share=_spread(self.share, self.rows, t),
            n=float(1.0 / (self.share @ self.share)),
            residuals=_spread(e / free, self.rows, t),
            squares=_spread(e * e / self.expected[:, None], self.rows, t),
            expected=expected,
            plain=_spread(e, self.rows, t),
            moved=np.abs(self.lever.T @ e).T,
        )


def _spread(values: Array, rows: Index, t: int) -> Array:
    if len(rows) == t:
        return values
    out = np.zeros((t, *values.shape[1:]))
    out[rows] = values
    return out


def read_groups(
    model: FactorModel, panel: ReturnPanel, power: float, factors: Array | None = None
) -> Iterator[DateGroup]:
    """Yield the regressions of a model's assets, those with returns on the same dates together.

    Parameters
    ----------
    model : FactorModel
        With a regression.
    panel : ReturnPanel
        The panel that it was fitted on, or one with the same dates and fewer assets.
    power : float
        p: residuals are divided by (1 - h)^p.
    factors : array, optional, shape (T, K)
        Factor returns, where they are known.

    Raises
    ------
    NotEstimatedError
        If the panel is not the one that the model was fitted on.
    """
    fit = model.regression
    assert fit is not None
    returns = panel.arrays()[0][:, labels.positions(model.assets, panel.assets, "asset", UnknownAssetError)]
    few = (~np.isnan(returns)).sum(axis=0) <= len(model.factors)
    if few.any():
        raise other_panel(model.assets[few])
    if factors is None:
        factors = panel.returns_of(model.definitions)
    coefficients = np.column_stack([model._alpha, model._loadings])
    for group in groups_of(returns, factors, coefficients, fit.decay_factor, power):
        require_same_fit(model, group.columns, group.moved)
        yield group


def groups_of(
    returns: Array, factors: Array, coefficients: Array, decay_factor: float, power: float
) -> Iterator[DateGroup]:
    """Yield the regressions of assets, those with returns on the same dates together.

    Parameters
    ----------
    returns : array, shape (T, N)
        Each asset with more than K.
    factors : array, shape (T, K)
        Factor returns.
    coefficients : array, shape (N, K + 1)
        Alpha and loadings, fitted to these returns.
    decay_factor : float
        As in `RegressionFit`.
    power : float
        p: residuals are divided by (1 - h)^p.
    """
    for rows, columns in _same_dates(~np.isnan(returns)):
        design = _Design.of(factors, rows, decay_factor)
        size = max(1, _TILE // len(returns))
        for start in range(0, len(columns), size):
            some = columns[start : start + size]
            e = returns[:, some] - coefficients[some, 0] - factors @ coefficients[some, 1:].T
            yield design.group(some, e, power)


def _same_dates(observed: Flags) -> Iterator[tuple[Index, Index]]:
    """Yield the rows, and the columns that are observed on just these."""
    bits = np.ascontiguousarray(np.packbits(observed, axis=0).T)
    keys = bits.view([("", bits.dtype, bits.shape[1])]).reshape(-1)
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(which.reshape(-1), kind="stable")
    ends = np.cumsum(np.bincount(which.reshape(-1)))[:-1]
    for at, columns in zip(first, np.split(order, ends), strict=True):
        yield np.flatnonzero(observed[:, at]), columns


def require_same_fit(model: FactorModel, columns: Index | slice, moved: Array) -> None:
    """Raise where a refit on the panel would move coefficients.

    Parameters
    ----------
    model : FactorModel
        With a regression.
    columns : positions
        Of n assets.
    moved : array, shape (n, K + 1)
        By how much alpha and loadings would move, in size.
    """
    fit: Any = model.regression
    own = np.abs(np.column_stack([model._alpha[columns], model._loadings[columns]]))
    # what a rounding error of the returns moves
    scales = np.append(1.0, 1.0 / np.sqrt(np.maximum(np.diag(model._factor_covariance), np.finfo(float).tiny)))
    rounding = own + np.sqrt(fit._total_variance[columns])[:, None] * scales
    wrong = ~(moved <= _SAME_FIT * fit._std_errors[columns] + _ROUNDING * rounding).all(axis=1)
    if wrong.any():
        raise other_panel(model.assets[columns][wrong])


def other_panel(names: pd.Index[Any]) -> NotEstimatedError:
    """Return the error of a panel on which the model was not fitted."""
    return NotEstimatedError(
        f"expected the panel that the model was fitted on, got one where the regressions of {labels.listing(names)} "
        "have other coefficients; pass the panel that was passed to fit.",
        assets=list(names),
    )
