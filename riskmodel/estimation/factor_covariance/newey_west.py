"""Covariance of factors that are correlated over time."""

from __future__ import annotations

from typing import final

import pandas as pd
from attrs import field, frozen

from riskmodel.estimation.factor_covariance.base import (
    FactorCovarianceEstimator,
    read_factor_returns,
)
from riskmodel.estimation.weighting import overlapping_sums, require_at_least, require_instance
from riskmodel.horizon import Horizon


@final
@frozen
class NeweyWest(FactorCovarianceEstimator):
    r"""The long-run covariance of serially correlated factors, per row.

    :math:`\Gamma_0 + \sum_{l=1}^L w_l (\Gamma_l + \Gamma_l')` with Bartlett weights :math:`w_l = 1 - l/(L+1)` [1]_.
    Over many rows, variances grow by this and not by the variance of a row: factors of stale prices have more of it. It
    is computed as what it is, the covariance of the overlapping sums of L + 1 rows over L + 1, so that `inner` may
    weight rows as it likes and the result is positive semidefinite. With `SampleCovariance` it differs from the formula
    in the first and the last L rows only. L = 0 is `inner`.

    Parameters
    ----------
    inner : FactorCovarianceEstimator
        What estimates the covariance of the sums.
    lags : int
        L, in rows.

    References
    ----------
    .. [1] Newey, W. K. and West, K. D. (1987). A Simple, Positive Semi-definite, Heteroskedasticity and
       Autocorrelation Consistent Covariance Matrix. *Econometrica* 55(3), 703-708.

    Examples
    --------
    >>> import riskmodel as rm
    >>> factors = rm.SampleData().factor_returns(["Mkt-RF"])
    >>> daily = rm.SampleCovariance().fit(factors, rm.DAY)
    >>> monthly = rm.NeweyWest(rm.SampleCovariance(), lags=20).fit(factors, rm.DAY)
    >>> bool((monthly < daily).all(axis=None))  # daily returns reverse
    True
    """

    inner: FactorCovarianceEstimator = field(
        validator=require_instance(FactorCovarianceEstimator, "rm.SampleCovariance()")
    )
    lags: int = field(validator=require_at_least(0))

    def fit(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """Return the long-run covariance, factors × factors, return² per `horizon`."""
        return self.inner.fit(self._sums(factor_returns, horizon), horizon)

    def variances_before(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """The long-run variances of the rows before each."""
        before = self.inner.variances_before(self._sums(factor_returns, horizon), horizon)
        return before.reindex(factor_returns.index)

    def _sums(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """Overlapping sums of L + 1 rows over √(L + 1), dated by their last row."""
        values = read_factor_returns(factor_returns, horizon, self.lags + 2)
        return overlapping_sums(pd.DataFrame(values, factor_returns.index, factor_returns.columns), self.lags)
