"""The cross-sectional bias statistic, by which variances are brought to the level of late."""

from __future__ import annotations

import numpy as np

from riskmodel._core.arrays import Array
from riskmodel.errors import EstimationError
from riskmodel.estimation.weighting import decay
from riskmodel.horizon import Horizon


def variance_multiplier(returns: Array, forecasts: Array, half_life: Horizon, horizon: Horizon) -> float:
    """λ², the weighted mean over dates of the mean of returns² over variances, each forecast before its date.

    Parameters
    ----------
    returns, forecasts : array, shape (T, K)
        Returns, and variances; NaN where unknown.
    half_life, horizon : Horizon
        Of the weights; the span of one row.

    Raises
    ------
    EstimationError
        If no date has a forecast.
    """
    known = np.isfinite(returns) & (forecasts > 0)
    squares = np.where(known, returns, 0.0)
    squares *= squares
    np.divide(squares, forecasts, out=squares, where=known)
    counts = known.sum(axis=1)
    dates = counts > 0
    if not dates.any():
        raise EstimationError(
            f"expected rows with forecasts of variances from 20 rows before or more, got {len(returns)} rows; widen "
            "the window, or omit the adjustment.",
            rows=len(returns),
        )
    weights = decay(len(returns), half_life, horizon)[dates]
    return float(weights @ (squares.sum(axis=1)[dates] / counts[dates]) / weights.sum())
