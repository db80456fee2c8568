"""Covariance of factors brought to the level of volatility of late."""

from __future__ import annotations

from typing import final

import pandas as pd
from attrs import field, frozen

from riskmodel.estimation.factor_covariance.base import (
    FactorCovarianceEstimator,
    read_factor_returns,
)
from riskmodel.estimation.regime import variance_multiplier
from riskmodel.estimation.weighting import require_half_life, require_instance
from riskmodel.horizon import Horizon


@final
@frozen
class RegimeAdjusted(FactorCovarianceEstimator):
    r"""The covariance times how far forecasts were wrong of late, for all factors together.

    On each date, :math:`B_t^2 = \frac1K \sum_k (f_{kt} / \sigma_{kt})^2` is the cross-sectional bias statistic, where
    :math:`\sigma_{kt}` is what `inner` forecast from the rows before t. The result is :math:`\lambda^2 F` with
    :math:`\lambda^2 = \sum_t w_t B_t^2`, weights of half-life `half_life` ([1]_, section 5). K factors say sooner than
    each alone that volatility has changed. The first 20 rows only start the forecasts.

    Parameters
    ----------
    inner : FactorCovarianceEstimator
        What is adjusted.
    half_life : Horizon
        In trading days.

    References
    ----------
    .. [1] Menchero, J., Orr, D. J. and Wang, J. (2011). *The Barra US Equity Model (USE4): Methodology Notes*. MSCI.

    Examples
    --------
    >>> import riskmodel as rm
    >>> factors = rm.SampleData(rm.MONTH).factor_returns(["Mkt-RF", "SMB", "HML"])
    >>> inner = rm.SampleCovariance()
    >>> adjusted = rm.RegimeAdjusted(inner, rm.YEAR).fit(factors, rm.MONTH)
    >>> bool((adjusted / inner.fit(factors, rm.MONTH)).stack().std() < 1e-12)  # one number for all
    True
    """

    inner: FactorCovarianceEstimator = field(
        validator=require_instance(FactorCovarianceEstimator, "rm.SampleCovariance()")
    )
    half_life: Horizon = field(validator=require_half_life)

    def fit(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """Return the adjusted covariance, factors × factors, return² per `horizon`.

        Raises
        ------
        EstimationError
            For 20 rows or fewer.
        """
        values = read_factor_returns(factor_returns, horizon)
        before = self.inner.variances_before(factor_returns, horizon).to_numpy()
        return self.inner.fit(factor_returns, horizon) * variance_multiplier(values, before, self.half_life, horizon)
