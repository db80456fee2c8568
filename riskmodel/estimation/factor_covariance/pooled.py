"""Factor covariance whose volatilities move together."""

from __future__ import annotations

from typing import final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core.arrays import Array
from riskmodel._core.linalg import as_correlation
from riskmodel.estimation.factor_covariance.base import (
    FactorCovarianceEstimator,
    as_covariance,
    read_factor_returns,
)
from riskmodel.estimation.level import PooledVolatility, market_of
from riskmodel.estimation.weighting import decay, require_half_life, require_instance
from riskmodel.horizon import YEAR, Horizon


@final
@frozen
class PooledCovariance(FactorCovarianceEstimator):
    r"""The market has a level of volatility of its own, and the other factors share one.

    The factor that moves most is taken for the market: its variance is the mixture ``pooled.levels`` of its squares.
    The variances of the others are those of `PooledVolatility`. Correlations are those of returns over their date's
    level. Means are taken to be zero, as a mean over a few days is unknown.

    Parameters
    ----------
    pooled : PooledVolatility
        How volatilities move.
    correlation_half_life : Horizon
        Of correlations, in trading days.

    Examples
    --------
    >>> import riskmodel as rm
    >>> factors = rm.SampleData(rm.MONTH).factor_returns(["Mkt-RF", "SMB", "HML"])
    >>> levels = rm.HalfLives([rm.MONTH, rm.YEAR, None], [0.4, 0.4, 0.2])
    >>> pooled = rm.PooledVolatility(rm.Horizon(5 * 252), levels, smoothing=rm.YEAR)
    >>> estimator = rm.PooledCovariance(pooled, rm.Horizon(5 * 252))
    >>> covariance = estimator.fit(factors, rm.MONTH)
    >>> market = factors["Mkt-RF"] ** 2
    >>> bool(abs(covariance.iloc[0, 0] / (levels.dates(len(market), rm.MONTH) @ market) - 1) < 1e-12)
    True
    """

    pooled: PooledVolatility = field(
        factory=PooledVolatility, validator=require_instance(PooledVolatility, "rm.PooledVolatility()")
    )
    correlation_half_life: Horizon = field(default=YEAR, validator=require_half_life)

    def fit(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """Return the covariance, factors × factors, return² per `horizon`."""
        values = read_factor_returns(factor_returns, horizon)
        if not values.shape[1]:
            return as_covariance(np.zeros((0, 0)), factor_returns)
        first = market_of(values)
        market, others = values[:, first], np.delete(values, first, axis=1)
        variances = np.insert(
            self.pooled.variances(others, market, horizon),
            first,
            self.pooled.levels.dates(len(values), horizon) @ market**2,
        )
        level = self.pooled.level(others if others.size else values, horizon)
        weights = decay(len(values), self.correlation_half_life, horizon)
        volatilities = np.sqrt(variances)
        correlation = _correlation(values / np.sqrt(level)[:, None], weights)
        return as_covariance(correlation * volatilities * volatilities[:, None], factor_returns)


def _correlation(values: Array, weights: Array) -> Array:
    """Weighted correlations about zero; those of a factor that does not vary are zero."""
    return as_correlation((values * weights[:, None]).T @ values)[0]
