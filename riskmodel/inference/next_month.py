"""The range of next month's volatility, from how months turned out against the volatility before them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel._core.arrays import Array
from riskmodel.errors import NotEstimatedError
from riskmodel.horizon import MONTH, YEAR, Horizon
from riskmodel.inference.interval import Interval
from riskmodel.inference.volatility_ratios import VolatilityRatios

# The fewest rows whose volatility says something.
FEWEST_ROWS = 5


def next_month(returns: Array, horizon: Horizon, level: float) -> Interval:
    """Return the range of the volatility that next month will realise.

    In each month of the past, the realised volatility is taken over that of the year before it; `VolatilityRatios`
    makes a range of these, and it is multiplied by the volatility of the last year. Volatilities are roots of mean
    squares.

    Parameters
    ----------
    returns : array, shape (T,)
        Of the portfolio by date, without NaN.
    horizon : Horizon
        Of a row.
    level : float
        Between 0 and 1.
    """
    ratios = _ratios(returns, horizon)
    if not len(ratios):
        raise NotEstimatedError(
            f"expected months of {FEWEST_ROWS} or more rows after a first year, got none in {len(returns)} rows of one "
            f"{horizon}; fit a longer panel, or one of shorter rows.",
            months=0,
            level=level,
        )
    # months are in their order, and their dates have no part in it
    in_order = pd.Series(ratios, pd.to_datetime(np.arange(len(ratios)), unit="D"))
    return VolatilityRatios.of(in_order, MONTH)._around(last_year(returns, horizon), level)


def last_year(returns: Array, horizon: Horizon) -> float:
    """Return the volatility of the last year of returns, shape (T,); NaN for fewer, and of rows longer than a week."""
    rows = round(YEAR.in_units_of(horizon))
    if len(returns) < rows or round(MONTH.in_units_of(horizon)) < FEWEST_ROWS:
        return np.nan
    return _volatility(returns[-rows:])


def _ratios(returns: Array, horizon: Horizon) -> Array:
    """Realised volatility of each month over that of the year before it, the last month last."""
    rows, before = (round(h.in_units_of(horizon)) for h in (MONTH, YEAR))
    if rows < FEWEST_ROWS:
        return np.empty(0)
    ends = np.arange(len(returns), before + rows - 1, -rows)[::-1]
    months = np.array([_volatility(returns[end - rows : end]) for end in ends])
    years = np.array([_volatility(returns[end - rows - before : end - rows]) for end in ends])
    moving = (years > 0) & (months > 0)
    return np.asarray(months[moving] / years[moving])


def _volatility(returns: Array) -> float:
    return float(np.sqrt(np.mean(returns**2)))
