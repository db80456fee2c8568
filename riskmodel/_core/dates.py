"""Dates: read from an index or an argument, unique, without time zones, spaced as the horizon requires."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel._core import labels
from riskmodel._core.midnights import require_own_midnights
from riskmodel.errors import (
    DuplicateDatesError,
    InvalidDatesError,
    InvalidParameterError,
    SpacingError,
)
from riskmodel.horizon import MONTH, NAMED, QUARTER, YEAR, Horizon

# Calendar spans whose returns sources label by the first day, the last day or the last trading day.
_CALENDAR = {MONTH: "M", QUARTER: "Q", YEAR: "Y"}
_CALENDAR_DAYS_PER_TRADING_DAY = 365.25 / YEAR.days
# With fewer gaps than this the median is unreliable (holidays), so only gross mistakes are errors.
_ENOUGH_GAPS = 5
_TOLERANCE, _TOLERANCE_OF_FEW = 2.5, 10.0
# Dates of different resolution do not compare equal, so all have the resolution of parsed strings.
_RESOLUTION = pd.DatetimeIndex(["2000-01-01"]).unit


def read_dates(index: pd.Index[Any], what: str, horizon: Horizon) -> pd.DatetimeIndex:
    """Read unique dates without time zones from an index, and check their spacing against the horizon.

    Monthly, quarterly and yearly rows are labelled by the last calendar day of their span, because
    sources differ in whether they use the first day, the last day, or the last trading day.
    """
    stamps = _timestamps(index, what)
    require_own_midnights(stamps, what)
    dates = _without_zone(stamps).normalize()
    _require_spacing(dates, what, horizon)
    dates = _labelled(dates, horizon)
    if not dates.is_unique:
        twice = sorted(dates[dates.duplicated()].unique())
        raise DuplicateDatesError(
            f"expected one row per {horizon} in {what}, got more than one for "
            f"{labels.listing(d.date() for d in twice)}; aggregate or drop the extra rows.",
            dates=twice,
        )
    return dates


def date_labels(index: pd.Index[Any], what: str, horizon: Horizon) -> pd.DatetimeIndex:
    """Label dates as `read_dates` does; several dates may be in the same span."""
    return _labelled(_without_zone(_timestamps(index, what)).normalize(), horizon)


def _labelled(dates: pd.DatetimeIndex, horizon: Horizon) -> pd.DatetimeIndex:
    if horizon in _CALENDAR:
        dates = dates.to_period(_CALENDAR[horizon]).to_timestamp(how="end").normalize()
    # without name and frequency, which only some tables have
    return pd.DatetimeIndex(dates.as_unit(_RESOLUTION).to_numpy())


def _timestamps(index: pd.Index[Any], what: str) -> pd.DatetimeIndex:
    if index.nlevels > 1:
        raise InvalidDatesError(
            f"expected {what} indexed by dates alone, got an index with the {index.nlevels} levels "
            f"{labels.listing(index.names)}; unstack it to dates × assets.",
            what=what,
            levels=list(index.names),
        )
    missing = int(np.count_nonzero(index.isna()))
    if missing:
        raise InvalidDatesError(
            f"expected a date in each row of {what}, got {missing} row(s) without a date; drop or date them.",
            what=what,
            missing=missing,
        )
    if index.inferred_type == "period":
        return pd.PeriodIndex(index).to_timestamp(how="end")
    if isinstance(index, pd.DatetimeIndex):
        return index
    if len(index) and index.inferred_type not in {"date", "datetime", "datetime64", "string"}:
        raise InvalidDatesError(
            f"expected {what} indexed by dates, got an index of {index.inferred_type} values such as "
            f"{labels.listing(map(repr, index[:2]))}; set a DatetimeIndex or a PeriodIndex.",
            what=what,
        )
    try:
        # only ISO 8601: 02/01 is ambiguous
        form = "ISO8601" if index.inferred_type == "string" else None
        return pd.DatetimeIndex(pd.to_datetime(index, format=form))
    except (ValueError, TypeError) as error:
        raise InvalidDatesError(
            f"expected {what} indexed by dates such as '2000-01-31', got text that is not all dates, such as "
            f"{labels.listing(map(repr, index[:2]))}; convert it with pandas.to_datetime and its format.",
            what=what,
        ) from error


def _without_zone(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Keep the local calendar date: a return belongs to the day of its own market."""
    return dates.tz_localize(None) if dates.tz is not None else dates


def _require_spacing(dates: pd.DatetimeIndex, what: str, horizon: Horizon) -> None:
    days = np.sort(dates.to_numpy().astype("datetime64[D]").astype(np.int64))
    gaps = np.diff(days)
    # intraday and duplicate rows are refused later, as duplicate dates
    gaps = gaps[gaps > 0]
    if not len(gaps):
        return
    gap = float(np.median(gaps))
    tolerance = _TOLERANCE if len(dates) > _ENOUGH_GAPS else _TOLERANCE_OF_FEW
    expected = horizon.days * _CALENDAR_DAYS_PER_TRADING_DAY
    if not 1 / tolerance < gap / expected < tolerance:
        near = min(NAMED.values(), key=lambda h: abs(np.log(gap / h.days / _CALENDAR_DAYS_PER_TRADING_DAY)))
        raise SpacingError(
            f"expected {what} with one row per {horizon}, got dates typically {gap:g} calendar days apart, which "
            f"looks like one row per {near}; pass horizon=rm.{near!r} or resample.",
            what=what,
            median_gap=gap,
            horizon=horizon,
            nearest=near,
        )


def between(dates: pd.DatetimeIndex, low: pd.Timestamp | None, high: pd.Timestamp | None) -> NDArray[np.bool_]:
    inside = np.ones(len(dates), dtype=bool)
    if low is not None:
        inside &= dates >= low
    if high is not None:
        inside &= dates <= high
    return inside


def window(
    start: object, end: object, names: tuple[str, str] = ("start", "end")
) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Read the two ends of a window of dates; None leaves an end open, and time zones are dropped.

    A `pandas.Period`, or a string such as ``"2018"`` or ``"2018-11"``, means all of its days. Errors use `names`.
    """
    low, high = _edge(start, names[0], "start_time"), _edge(end, names[1], "end_time")
    if low is not None and high is not None and low > high:
        raise InvalidParameterError(
            f"expected {names[0]} not later than {names[1]}, got {low.date()} and {high.date()}; swap them.",
            start=low,
            end=high,
        )
    return low, high


def _edge(value: object, name: str, side: str) -> pd.Timestamp | None:
    period = _period(value, name)
    try:
        moment: pd.Timestamp | None = None if period is None else getattr(period, side).normalize()
    except ValueError as error:
        raise InvalidParameterError(
            f"expected {name} in the years 1678 to 2261, got {value!r}.", name=name, value=value
        ) from error
    return moment


def _period(value: object, name: str) -> pd.Period | None:
    if value is None or isinstance(value, pd.Period):
        return value
    period: object = None
    try:
        # the year first: 02/01 is ambiguous
        if isinstance(value, str) and value[:4].isdecimal():
            period = pd.Period(value)
        elif isinstance(value, dt.date | np.datetime64):
            period = pd.Period(pd.Timestamp(value).tz_localize(None), freq="D")
    except ValueError:
        pass
    if not isinstance(period, pd.Period):
        raise InvalidParameterError(
            f"expected {name} as a date such as '2000-01-31', got {value!r}; write the year first.",
            name=name,
            value=value,
        )
    return period
