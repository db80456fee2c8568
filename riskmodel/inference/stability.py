"""Tests that exposures stay what they are over the window."""

from __future__ import annotations

from typing import Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel._core.listing import Listed
from riskmodel.errors import NotEstimatedError
from riskmodel.inference.influence import PortfolioInfluence

# The share of the dates at either end where no break is looked for.
TRIMMED = 0.15
LEVELS = (0.10, 0.05, 0.01)
# Andrews (2003), table 1, for a trimming of 15 % and 1 to 10 parameters.
_SUP_WALD = (
    (7.12, 8.68, 12.16), (10.00, 11.72, 15.56), (12.28, 14.13, 18.07), (14.34, 16.36, 20.47), (16.30, 18.32, 22.66),
    (18.11, 20.24, 24.74), (19.87, 22.06, 26.72), (21.55, 23.82, 28.55), (23.20, 25.54, 30.42), (24.80, 27.13, 32.31),
)  # fmt: skip
# Of the largest distance of a Brownian bridge from zero (Kolmogorov).
_CUSUM = (1.224, 1.358, 1.628)


@final
@frozen
class BreakTest(Listed):
    """A test that something stays constant over the window.

    Attributes
    ----------
    statistic : float
        Value of the test statistic.
    critical : tuple of float
        What it exceeds with 10, 5 and 1 % probability if nothing changes.
    date : Timestamp
        Where the data are furthest from constant.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> msft = rm.Strategy({"MSFT": 1.0}, model)
    >>> test = rm.Inference.of(model, panel).stability(msft).exposures
    >>> round(test.statistic, 1), test.critical
    (50.0, (7.12, 8.68, 12.16))
    """

    statistic: float
    critical: tuple[float, ...]
    date: pd.Timestamp

    def rejects(self, level: float = 0.05) -> bool:
        """Whether constancy is rejected at a level of 0.10, 0.05 or 0.01."""
        return self.statistic > dict(zip(LEVELS, self.critical, strict=True))[level]


@final
@frozen(eq=False)
class Stability(Listed):
    r"""Tests that a portfolio's exposures, and its alpha, are constant over the window; `Inference.stability` makes it.

    Attributes
    ----------
    exposures : BreakTest
        Andrews' sup-F in its Lagrange multiplier form, for a break of all exposures at an unknown date in the middle
        70 % of the window: the largest of :math:`S_s^\top V^{-1} S_s / (K \pi (1 - \pi))`, where
        :math:`S_s` is the sum of the influence functions up to a date and V their covariance, robust to changing
        variance [1]_; critical values of [2]_, table 1. Divided by the number of exposures K, at most 10.
    residuals : BreakTest
        CUSUM of residuals over their standard deviation and √T, for a change of alpha [3]_.

    References
    ----------
    .. [1] Andrews, D. W. K. (1993). Tests for Parameter Instability and Structural Change with Unknown Change Point.
       *Econometrica* 61(4), 821-856.
    .. [2] Andrews, D. W. K. (2003). Tests for Parameter Instability and Structural Change with Unknown Change Point: A
       Corrigendum. *Econometrica* 71(1), 395-397.
    .. [3] Ploberger, W. and Krämer, W. (1992). The CUSUM Test with OLS Residuals. *Econometrica* 60(2), 271-285.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> rm.Inference.of(model, panel).stability(rm.Strategy({"MSFT": 1.0}, model)).exposures.rejects()
    True
    """

    exposures: BreakTest
    residuals: BreakTest

    @classmethod
    def _of(cls, influence: PortfolioInfluence, residuals: Array, dates: pd.DatetimeIndex) -> Self:
        """Compute it.

        Parameters
        ----------
        influence : PortfolioInfluence
            Of equally weighted dates.
        residuals : array, shape (T,)
            Of the portfolio; NaN on dates on which an asset has no return.
        dates : DatetimeIndex
            T dates.

        Raises
        ------
        NotEstimatedError
            For no factors, more than ten, too few dates, or a portfolio without residuals.
        """
        slopes = influence.coefficients[1:]
        k = len(slopes)
        there = np.flatnonzero(~np.isnan(residuals))
        if not 1 <= k <= len(_SUP_WALD) or len(there) < 10 * (k + 1):
            raise NotEstimatedError(
                f"expected one to {len(_SUP_WALD)} factors, and {10 * (k + 1)} dates or more on which all assets have "
                f"a return, got {k} factors and {len(there)} dates.",
                n_factors=k,
                dates=len(there),
            )
        if not np.ptp(residuals[there]) > 0:
            raise NotEstimatedError(
                "expected a portfolio whose residuals vary, got one without any: it holds nothing, or what the factors "
                "explain.",
                n_factors=k,
                dates=len(there),
            )
        return cls(_of_exposures(slopes, dates), _of_residuals(residuals[there], dates[there]))


def _of_exposures(slopes: Array, dates: pd.DatetimeIndex) -> BreakTest:
    used = np.flatnonzero((slopes != 0).any(axis=0))
    x = slopes[:, used]
    # leverage leaves a small sum, and the bridge has to end at zero
    x = x - x.mean(axis=1, keepdims=True)
    k, t = x.shape
    paths = np.linalg.solve(np.linalg.cholesky(x @ x.T), np.cumsum(x, axis=1))
    share = np.arange(1, t + 1) / t
    inside = np.flatnonzero((share >= TRIMMED) & (share <= 1.0 - TRIMMED))
    values = (paths[:, inside] ** 2).sum(axis=0) / (k * share[inside] * (1.0 - share[inside]))
    at = int(np.argmax(values))
    return BreakTest(float(values[at]), tuple(c / k for c in _SUP_WALD[k - 1]), dates[used[inside[at]]])


def _of_residuals(e: Array, dates: pd.DatetimeIndex) -> BreakTest:
    e = e - e.mean()
    path = np.abs(np.cumsum(e)) / np.sqrt(float(e @ e))
    at = int(np.argmax(path))
    return BreakTest(float(path[at]), _CUSUM, dates[at])
