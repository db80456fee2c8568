"""The range of next month's volatility, from how months turned out against the volatility before them."""

from __future__ import annotations

import math

import numpy as np

from riskmodel._core.arrays import Array
from riskmodel.errors import NotEstimatedError
from riskmodel.horizon import MONTH, YEAR, Horizon
from riskmodel.inference.estimand import NEXT_MONTH
from riskmodel.inference.interval import Interval

# The fewest rows of a month whose volatility says something, and the fewest months.
_ROWS, _MONTHS = 5, 19


def next_month(returns: Array, horizon: Horizon, level: float) -> Interval:
    """Return the range of the volatility that next month will realise.

    In each month of the past, the realised volatility is taken over that of the year before it; quantiles of these
    ratios times the volatility of the last year are the range. With n months the ends are the order statistics that a
    further one lies between with the level, if months are exchangeable.

    Parameters
    ----------
    returns : array, shape (T,)
        Of the portfolio by date, without NaN.
    horizon : Horizon
        Of a row.
    level : float
        Between 0 and 1.
    """
    ratios = np.sort(_ratios(returns, horizon))
    n = len(ratios)
    if n < max(_MONTHS, math.ceil(2.0 / (1.0 - level)) - 1):
        raise NotEstimatedError(
            f"expected {max(_MONTHS, math.ceil(2.0 / (1.0 - level)) - 1)} months of {_ROWS} or more rows after a first "
            f"year, for a level of {level:g}, got {n}; fit a longer panel of shorter rows, or lower the level.",
            months=n,
            level=level,
        )
    rank = math.floor((n + 1) * (1.0 - level) / 2.0 + 1e-9)
    low, high = ratios[rank - 1], ratios[n - rank]
    error = float(np.std(ratios, ddof=1))
    volatility = float(returns[-round(YEAR.in_units_of(horizon)) :].std(ddof=1))
    return Interval(volatility, volatility * error, volatility * low, volatility * high, level, NEXT_MONTH)


def _ratios(returns: Array, horizon: Horizon) -> Array:
    """Realised volatility of each month over that of the year before it, the last month last."""
    rows, before = (round(h.in_units_of(horizon)) for h in (MONTH, YEAR))
    if rows < _ROWS:
        return np.empty(0)
    ends = np.arange(len(returns), before + rows - 1, -rows)[::-1]
    months = np.array([returns[end - rows : end].std(ddof=1) for end in ends])
    years = np.array([returns[end - rows - before : end - rows].std(ddof=1) for end in ends])
    moving = years > 0
    return np.asarray(months[moving] / years[moving])
