"""Exponentially weighted covariance of factors."""

from __future__ import annotations

from typing import final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core.arrays import Array
from riskmodel._core.linalg import as_correlation
from riskmodel.errors import EstimationError
from riskmodel.estimation.factor_covariance.base import (
    ENOUGH,
    FactorCovarianceEstimator,
    as_covariance,
    read_factor_returns,
)
from riskmodel.estimation.weighting import decay, effective_number, require_half_life
from riskmodel.horizon import Horizon


@final
@frozen
class EWMACovariance(FactorCovarianceEstimator):
    r"""Exponentially weighted volatilities and correlations, each with a half-life of its own.

    :math:`F_{jk} = \sigma_j \sigma_k \rho_{jk}`. Volatilities change faster than correlations, and K(K-1)/2
    correlations need more dates to be known, so their half-life is usually longer [1]_. Both are about weighted means,
    and variances have the factor n/(n-1) of `EWMA`, so that equal half-lives give the covariance of `EWMA`. A half-life
    longer than the sample is allowed: weights are then nearly equal.

    Parameters
    ----------
    volatility_half_life, correlation_half_life : Horizon
        In trading days, whatever the horizon of the rows: ``rm.MONTH``, ``rm.Horizon(60)``.

    References
    ----------
    .. [1] Menchero, J., Orr, D. J. and Wang, J. (2011). *The Barra US Equity Model (USE4): Methodology Notes*. MSCI.

    Examples
    --------
    >>> import riskmodel as rm
    >>> factors = rm.SampleData(rm.MONTH).factor_returns(["Mkt-RF", "SMB"])
    >>> covariance = rm.EWMACovariance(rm.YEAR, rm.Horizon(4 * 252)).fit(factors, rm.MONTH)
    >>> expected = factors["SMB"].ewm(halflife=12).var().iloc[-1]
    >>> bool(abs(covariance.loc["SMB", "SMB"] / expected - 1) < 1e-12)
    True
    """

    volatility_half_life: Horizon = field(validator=require_half_life)
    correlation_half_life: Horizon = field(validator=require_half_life)

    def fit(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """Return the covariance, factors × factors, return² per `horizon`."""
        values = read_factor_returns(factor_returns, horizon)
        variances = np.diag(_weighted_covariance(values, self.volatility_half_life, horizon))
        correlation, _ = as_correlation(_weighted_covariance(values, self.correlation_half_life, horizon))
        volatilities = np.sqrt(variances)
        return as_covariance(correlation * volatilities * volatilities[:, None], factor_returns)

    def variances_before(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """The weighted variances of the rows before each."""
        read_factor_returns(factor_returns, horizon)
        rows = self.volatility_half_life.in_units_of(horizon)
        before: pd.DataFrame = factor_returns.astype(np.float64).ewm(halflife=rows, min_periods=ENOUGH).var().shift(1)
        return before


def _weighted_covariance(values: Array, half_life: Horizon, horizon: Horizon) -> Array:
    weights = decay(len(values), half_life, horizon)
    n = float(effective_number(weights, np.ones((len(values), 1)))[0])
    if n <= 1.0 + 1e-9:
        raise EstimationError(
            f"expected a half-life of more rows, got {half_life!r}, which leaves one row of weight; lengthen it.",
            half_life=half_life,
        )
    deviations = values - weights @ values / weights.sum()
    return np.asarray((deviations * weights[:, None]).T @ deviations / weights.sum() * (n / (n - 1.0)))
