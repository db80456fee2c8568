"""How far apart rows are, held against the horizon."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.errors import SevenDayWeekWarning, SpacingError
from riskmodel.horizon import CALENDAR_DAY, DAY, NAMED, Horizon, is_named, period_of

# Gaps may be so much longer or shorter than the horizon: holidays and irregular labels, but no other span.
_TOLERANCE = 1.6
# Holidays and missing rows spoil the median of a few gaps, and so only gross mistakes are errors there.
_ENOUGH_GAPS, _SOME_GAPS, _FEW_GAPS = 10, 3, 4
_TOLERANCE_OF_SOME, _TOLERANCE_OF_FEW = 3.6, 10.0
_CALENDAR_DAYS_PER_TRADING_DAY = 365.0 / 252.0
# Two weeks show on which weekdays a market is open; one in ten rows is less than one weekday of seven.
_TWO_WEEKS, _A_WEEKDAY = 14, 0.1
_SATURDAY, _SUNDAY = 5, 6
# Over longer gaps, holidays count.
_A_MONTH = 28
_FULL_DAY = 86_400


def require_spacing(stamps: pd.DatetimeIndex, what: str, horizon: Horizon) -> None:
    """Raise `SpacingError` where the rows are spaced unlike the horizon, too far or too close.

    Parameters
    ----------
    stamps : DatetimeIndex
        Full local times without a zone, in any order.
    what : str
        Names the rows in the error.
    horizon : Horizon
        What one row is said to span.
    """
    if horizon.bar is not None:
        _require_bars(stamps, what, horizon)
        return
    days = stamps.to_numpy().astype("datetime64[D]")
    if not (days[1:] > days[:-1]).all():
        days = np.unique(days)
    if len(days) < 2:
        return
    apart, expected = np.diff(days).astype(np.int64), horizon.days * _CALENDAR_DAYS_PER_TRADING_DAY
    is_calendar = period_of(horizon) is not None
    too_far = not _fits(_in_horizons(days, horizon), is_calendar)
    too_close = float(np.median(apart)) < expected / _tolerance(len(apart), is_calendar)
    if too_far or (too_close and horizon.days > 1):
        _raise_apart(days, what, horizon)
    if is_named(horizon, CALENDAR_DAY) and len(days) >= _TWO_WEEKS and not _is_every_weekday(pd.DatetimeIndex(days)):
        raise SpacingError(
            f"expected {what} on seven days a week, as rm.CALENDAR_DAY has 365 a year, got none on some weekdays; pass "
            "horizon=rm.DAY.",
            what=what,
            median_gap=float(np.median(apart)),
            horizon=horizon,
            nearest=DAY,
        )


def warn_of_seven_days(dates: pd.DatetimeIndex, horizon: Horizon) -> None:
    """Warn where rows on seven days a week are said to be trading days, of which a year has 252."""
    trading = math.isclose(horizon.days * (horizon.per_day or 1.0), DAY.days)
    if not trading or len(dates) < _TWO_WEEKS:
        return
    share = np.bincount(dates.day_of_week, minlength=7) / len(dates)
    if min(share[_SATURDAY], share[_SUNDAY]) < _A_WEEKDAY or not share.all():
        return
    remedy = "rm.CALENDAR_DAY" if horizon.bar is None else "rm.Horizon.of(..., day=rm.CALENDAR_DAY)"
    warnings.warn(
        f"got rows on seven days a week, and {horizon!r} counts 252 days a year: yearly means are too low by 31 %, and "
        f"volatilities by 17 %; pass horizon={remedy}, which counts 365.",
        SevenDayWeekWarning,
        stacklevel=4,
    )


def _in_horizons(days: NDArray[np.datetime64], horizon: Horizon) -> NDArray[np.float64]:
    """Gaps between distinct days, in units of the horizon: calendar spans, days of the week, or weekdays."""
    period = period_of(horizon)
    if period is not None:
        return np.diff(np.unique(pd.DatetimeIndex(days).to_period(period).asi8)).astype(float)
    if is_named(horizon, CALENDAR_DAY):
        return np.diff(days).astype(float)
    return np.asarray(np.busday_count(days[:-1], days[1:]) / horizon.days, dtype=float)


def _fits(gaps: NDArray[np.float64], is_calendar: bool) -> bool:
    """Whether gaps are not longer than the horizon."""
    if not len(gaps):
        return True
    typical = gaps.min() if is_calendar and len(gaps) < _ENOUGH_GAPS else np.median(gaps)
    return bool(typical < _tolerance(len(gaps), is_calendar))


def _tolerance(count: int, is_calendar: bool) -> float:
    """How much longer or shorter than the horizon so many gaps may be: spans of the calendar know no holidays."""
    if count >= (_SOME_GAPS if is_calendar else _ENOUGH_GAPS):
        return _TOLERANCE
    return _TOLERANCE_OF_SOME if count > _FEW_GAPS and not is_calendar else _TOLERANCE_OF_FEW


def _raise_apart(days: NDArray[np.datetime64], what: str, horizon: Horizon) -> None:
    gap = float(np.median(np.diff(days).astype(np.int64)))
    near, exact = _nearest(days, gap)
    known = f"which looks like one row per {near}; pass horizon=rm.{near!r}" if exact else f"pass horizon=rm.{near!r}"
    raise SpacingError(
        f"expected {what} with one row per {horizon}, got dates typically {gap:g} calendar days apart, {known} or "
        "resample.",
        what=what,
        median_gap=gap,
        horizon=horizon,
        nearest=near,
    )


def _nearest(days: NDArray[np.datetime64], gap: float) -> tuple[Horizon, bool]:
    """The named horizon of rows so far apart, or the number of trading days where no name fits."""
    if gap <= 1 and len(days) >= _TWO_WEEKS and _is_every_weekday(pd.DatetimeIndex(days)):
        return CALENDAR_DAY, True
    names = [h for h in NAMED.values() if h != CALENDAR_DAY]
    off = [abs(float(np.log(gap / (h.days * _CALENDAR_DAYS_PER_TRADING_DAY)))) for h in names]
    best = int(np.argmin(off))
    # one calendar day is no 1.45 of them
    if gap <= 1 or off[best] < np.log(1.25):
        return (DAY if gap <= 1 else names[best]), True
    trading = gap * 5 / 7 if gap < _A_MONTH else gap / _CALENDAR_DAYS_PER_TRADING_DAY
    return Horizon(max(2, round(trading))), False


def _is_every_weekday(days: pd.DatetimeIndex) -> bool:
    return len(np.unique(days.day_of_week)) == 7


# -- several rows a day ------------------------------------------------------------------------------


def _require_bars(stamps: pd.DatetimeIndex, what: str, horizon: Horizon) -> None:
    """Raise where rows within days are spaced unlike the bar, or are many more or fewer a day than stated."""
    seconds = np.unique(stamps.to_numpy().astype("datetime64[s]").astype(np.int64))
    if len(seconds) < 2:
        return
    assert horizon.bar is not None
    assert horizon.per_day is not None
    gap, count = typical_bar(seconds)
    expected = horizon.bar.total_seconds()
    # of a bar longer than half of a session, days have one or two
    several = horizon.per_day >= 2
    if np.isnan(gap) and not several:
        return
    if np.isnan(gap) or not 1 / _TOLERANCE < gap / expected < _TOLERANCE:
        got = "one row a day" if np.isnan(gap) else f"rows typically {gap:g} seconds apart within days"
        raise SpacingError(
            f"expected {what} with one row per {horizon}, got {got}; pass the horizon of the rows, or resample.",
            what=what,
            median_gap=gap,
            horizon=horizon,
            nearest=DAY if np.isnan(gap) else None,
        )
    whole = seconds[-1] - seconds[0] >= 3 * _FULL_DAY
    if several and whole and not 1 / _TOLERANCE < count / horizon.per_day < _TOLERANCE:
        raise SpacingError(
            f"expected {what} with {horizon.per_day:g} rows a day, got typically {count:g}; pass per_day={count:g}, "
            "the number of rows in a day.",
            what=what,
            per_day=count,
            horizon=horizon,
        )


def typical_bar(seconds: NDArray[Any]) -> tuple[float, float]:
    """The median gap in seconds within days (NaN where no day has two rows), and the median number of rows a day.

    Parameters
    ----------
    seconds : array of int
        Distinct times, increasing.
    """
    day = seconds // _FULL_DAY
    within = np.diff(seconds)[np.diff(day) == 0]
    return (float(np.median(within)) if len(within) else float("nan")), float(
        np.median(np.bincount(day - day[0])[np.unique(day - day[0])])
    )
