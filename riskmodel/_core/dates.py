"""Dates: read from an index or an argument, unique, without time zones, spaced as the horizon requires."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel._core import labels
from riskmodel._core.days import days_of
from riskmodel._core.midnights import require_own_midnights
from riskmodel._core.spacing import require_spacing, typical_bar
from riskmodel._core.zones import to_zone
from riskmodel.errors import (
    DuplicateDatesError,
    InvalidDatesError,
    InvalidParameterError,
)
from riskmodel.horizon import Horizon, bar_text, period_of

_FRIDAY = 4
_YEARS = 1678, 2261
# The offset from UTC at the end of a time.
_OFFSET = re.compile(r"([0-9]:[0-9]{2}[0-9:.]*) ?(Z|[-+][0-9]{2}:?(?:[0-9]{2})?)$")
# Periods shorter than a day, as pandas calls them.
_WITHIN_DAYS = {"h", "min", "s", "ms", "us", "ns"}
# Numbers that may be dates, from the least to the greatest, and how to convert them.
_DATES_AS_NUMBERS = (
    (1700_01_01, 2261_12_31, "table.index.astype(str), format='%Y%m%d'"),
    (1700_01, 2261_12, "table.index.astype(str), format='%Y%m'"),
    (1700, 2261, "table.index.astype(str), format='%Y'"),
    (10_000, 100_000, "table.index, unit='D', origin='1899-12-30'"),
    (1e8, 1e10, "table.index, unit='s'"),
    (1e11, 1e13, "table.index, unit='ms'"),
    (1e14, 1e16, "table.index, unit='us'"),
    (1e17, 1e19, "table.index, unit='ns'"),
)
# Dates of different resolution do not compare equal, so all have the resolution of parsed strings.
_RESOLUTION = pd.DatetimeIndex(["2000-01-01"]).unit


def read_dates(index: pd.Index[Any], what: str, horizon: Horizon) -> pd.DatetimeIndex:
    """Read unique dates without time zones from an index, and check their spacing against the horizon.

    Monthly, quarterly and yearly rows are labelled by the last calendar day of their span, because sources differ in
    whether they use the first day, the last day, or the last trading day. Weekly rows are labelled by the Friday of
    their week, which is Monday to Sunday. Rows of hours and minutes keep their local times; all others are days.
    """
    return dates_of(_timestamps(index, what), what, horizon)


def dates_of(stamps: pd.DatetimeIndex, what: str, horizon: Horizon) -> pd.DatetimeIndex:
    """Check and label full times of rows, as `read_dates` does."""
    if horizon.bar is None:
        require_own_midnights(stamps, what)
    times = _without_zone(stamps)
    require_spacing(times, what, horizon)
    dates = date_labels(times, horizon)
    if not dates.is_unique:
        _raise_duplicates(dates, times, what, horizon)
    return dates


def zone_of(index: pd.Index[Any], horizon: Horizon) -> str | None:
    """The time zone of rows of hours and minutes, which must be that of all tables; empty for days."""
    if horizon.bar is None:
        return None
    stamps = index if isinstance(index, pd.DatetimeIndex) else _timestamps(index, "rows")
    return str(stamps.tz) if stamps.tz is not None else ""


def read_local_dates(
    index: pd.Index[Any], what: str, horizon: Horizon, zone: ZoneInfo | None = None
) -> pd.DatetimeIndex:
    """Read dates as `read_dates` does, where no other table can be compared: see `read_stamps`."""
    stamps = read_stamps(index, what, horizon, zone)
    require_local_days(stamps, what, horizon)
    return dates_of(stamps, what, horizon)


def read_stamps(index: pd.Index[Any], what: str, horizon: Horizon, zone: ZoneInfo | None) -> pd.DatetimeIndex:
    """Read the full times of rows whose clocks are those of factors and rate; they may repeat.

    Parameters
    ----------
    index : Index
        Dates, in any order.
    what : str
        Names the rows in errors.
    horizon : Horizon
        What one row spans.
    zone : ZoneInfo, optional
        The zone to bring times to, see `to_zone`; of days, only the days are kept then.

    Raises
    ------
    InvalidDatesError
        For what is no date, and for rows of hours in a zone where `zone` is None.
    """
    stamps = _timestamps(index, what, zone)
    if zone is not None:
        local = stamps if horizon.bar is not None and stamps.tz is None else to_zone(stamps, zone, what)
        return local if horizon.bar is not None else local.normalize()
    if horizon.bar is not None and stamps.tz is not None:
        raise InvalidDatesError(
            f"expected the times of {what} without a time zone, as those of factors and rate, got those of "
            f"{stamps.tz}; pass time_zone=..., the zone of factors and rate.",
            what=what,
        )
    return stamps


def require_local_days(stamps: pd.DatetimeIndex, what: str, horizon: Horizon) -> None:
    """Raise where days are stamped by midnights of another zone, and were not brought to one."""
    if horizon.bar is None:
        require_own_midnights(stamps, what, "pass time_zone={zone!r}, or the zone of the market")


def date_labels(stamps: pd.DatetimeIndex, horizon: Horizon) -> pd.DatetimeIndex:
    """Label times as `read_dates` does; several may be in the same span."""
    times = _without_zone(stamps)
    dates = times if horizon.bar is not None else days_of(times)
    period = period_of(horizon)
    if period == "W":
        dates = dates + pd.to_timedelta(_FRIDAY - dates.day_of_week, unit="D")
    elif period is not None:
        dates = dates.to_period(period).to_timestamp(how="end").normalize()
    # without name and frequency, which only some tables have
    return pd.DatetimeIndex(dates.as_unit(_RESOLUTION).to_numpy())


def _raise_duplicates(dates: pd.DatetimeIndex, times: pd.DatetimeIndex, what: str, horizon: Horizon) -> NoReturn:
    twice = sorted(dates[dates.duplicated()].unique())
    named = labels.listing(d.date() if horizon.bar is None else d for d in twice)
    remedy = "aggregate or drop the extra rows"
    if horizon.bar is not None:
        remedy += ", or, where clocks were set back, convert the index with .tz_convert('UTC')"
    seconds = np.unique(times.to_numpy().astype("datetime64[s]").astype(np.int64))
    if horizon.bar is None and len(seconds) > len(times.normalize().unique()):
        gap, count = typical_bar(seconds)
        bar = bar_text(dt.timedelta(seconds=gap))
        remedy = (
            f"for rows of hours or minutes pass horizon=rm.Horizon.of({bar!r}, per_day={count:g}), with the number of "
            "rows in a day, or compound them to days: (1 + r).groupby(r.index.normalize()).prod() - 1"
        )
    raise DuplicateDatesError(
        f"expected one row per {horizon} in {what}, got more than one for {named}; {remedy}.", dates=twice
    )


def _timestamps(index: pd.Index[Any], what: str, zone: ZoneInfo | None = None) -> pd.DatetimeIndex:
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
        periods = pd.PeriodIndex(index)
        return periods.to_timestamp(how="start" if periods.freqstr in _WITHIN_DAYS else "end")
    if isinstance(index, pd.DatetimeIndex):
        return _in_known_years(index, what)
    if len(index) and index.inferred_type not in {"date", "datetime", "datetime64", "string"}:
        raise InvalidDatesError(
            f"expected {what} indexed by dates, got an index of {index.inferred_type} values such as "
            f"{labels.listing(map(repr, index[:2]))}; {_conversion_of(index)}.",
            what=what,
        )
    local = _without_offsets(index)
    # moments of different offsets, such as those of summer and winter, where they are to be brought to one zone
    in_utc = zone is not None and local is not index
    index = index if in_utc else local
    try:
        # only ISO 8601: 02/01 is ambiguous
        form = "ISO8601" if index.inferred_type == "string" else None
        return pd.DatetimeIndex(pd.to_datetime(index, format=form, utc=in_utc))
    except (ValueError, TypeError) as error:
        raise InvalidDatesError(
            f"expected {what} indexed by dates such as '2000-01-31', got text that is not all dates, such as "
            f"{labels.listing(map(repr, index[:2]))}; convert it with pandas.to_datetime and its format.",
            what=what,
        ) from error


def _in_known_years(stamps: pd.DatetimeIndex, what: str) -> pd.DatetimeIndex:
    """Return dates, or raise for years that nanoseconds do not hold, as mistaken ones are."""
    years = stamps.year
    wrong = np.flatnonzero((years < _YEARS[0]) | (years > _YEARS[1]))
    if len(wrong):
        raise InvalidDatesError(
            f"expected {what} on dates of {_YEARS[0]} to {_YEARS[1]}, got {len(wrong)} other(s), first of the year "
            f"{years[wrong[0]]}; correct them.",
            what=what,
            year=int(years[wrong[0]]),
        )
    return stamps


def _conversion_of(index: pd.Index[Any]) -> str:
    """Say how numbers that are dates become dates."""
    default = "set a DatetimeIndex or a PeriodIndex"
    if index.inferred_type not in {"integer", "floating"}:
        return default
    low, high = index.min(), index.max()
    found = [way for least, most, way in _DATES_AS_NUMBERS if least <= low <= high <= most]
    return f"if they are dates, write table.index = pd.to_datetime({found[0]})" if found else default


def _without_offsets(index: pd.Index[Any]) -> pd.Index[Any]:
    """Keep the local times of rows with different offsets from UTC, such as those of summer and winter."""
    if index.inferred_type == "string":
        offsets = {found[2] if (found := _OFFSET.search(str(text))) else "" for text in index}
        return pd.Index([_OFFSET.sub(r"\1", str(text)) for text in index]) if len(offsets) > 1 else index
    moments = [m for m in index if isinstance(m, dt.datetime)]
    if len(moments) < len(index) or len({m.utcoffset() for m in moments}) < 2:
        return index
    return pd.Index([m.replace(tzinfo=None) for m in moments])


def _without_zone(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Keep the local calendar date: a return belongs to the day of its own market."""
    return dates.tz_localize(None) if dates.tz is not None else dates


def between(dates: pd.DatetimeIndex, low: pd.Timestamp | None, high: pd.Timestamp | None) -> NDArray[np.bool_]:
    """Return which dates are in a window; an end that is a day, or any end for rows of days, means its whole day."""
    inside = np.ones(len(dates), dtype=bool)
    days = days_of(dates)
    by_day = bool((days == dates).all())
    if low is not None:
        inside &= dates >= (low.normalize() if by_day else low)
    if high is not None:
        inside &= (days if by_day or high == high.normalize() else dates) <= (high.normalize() if by_day else high)
    return inside


def window(
    start: object, end: object, names: tuple[str, str] = ("start", "end")
) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Read the two ends of a window of days; None leaves an end open, and time zones and times of day are dropped.

    A `pandas.Period`, or a string such as ``"2018"`` or ``"2018-11"``, means all of its days. Errors use `names`.
    """
    low, high = times(start, end, names)
    return (None if low is None else low.normalize()), (None if high is None else high.normalize())


def times(
    start: object, end: object, names: tuple[str, str] = ("start", "end"), *, zone: str | None = None
) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Read the two ends of a window, for `between`, as `window` does, but with times of day where they are given.

    `zone` is that of rows of hours and minutes, as of `zone_of`: an end in another zone is brought to it, and refused
    where they have none. Of an end for rows of days, None, the zone is dropped.
    """
    low, high = _edge(start, names[0], "start_time", zone), _edge(end, names[1], "end_time", zone)
    if low is not None and high is not None and low > high:
        raise InvalidParameterError(
            f"expected {names[0]} not later than {names[1]}, got {low.date()} and {high.date()}; swap them.",
            start=low,
            end=high,
        )
    return low, high


def _edge(value: object, name: str, side: str, zone: str | None) -> pd.Timestamp | None:
    period = _period(value, name, zone)
    if period is None:
        return None
    try:
        moment: pd.Timestamp = getattr(period, side)
    except ValueError as error:
        raise InvalidParameterError(
            f"expected {name} in the years 1678 to 2261, got {value!r}.", name=name, value=value
        ) from error
    return moment if period.freqstr in _WITHIN_DAYS else moment.normalize()


def _period(value: object, name: str, zone: str | None) -> pd.Period | None:
    if value is None or isinstance(value, pd.Period):
        return value
    period: object = None
    try:
        if isinstance(value, str) and _OFFSET.search(value):
            value = pd.Timestamp(value)
        # the year first: 02/01 is ambiguous
        if isinstance(value, str) and value[:4].isdecimal():
            period = pd.Period(value)
        elif isinstance(value, dt.date | np.datetime64):
            moment = _on_clock(pd.Timestamp(value), name, zone)
            period = pd.Period(moment, freq="D" if pd.isna(moment) or moment == moment.normalize() else "us")
    except ValueError:
        pass
    if not isinstance(period, pd.Period):
        raise InvalidParameterError(
            f"expected {name} as a date such as '2000-01-31', got {value!r}; write the year first.",
            name=name,
            value=value,
        )
    return period


def _on_clock(moment: pd.Timestamp, name: str, zone: str | None) -> pd.Timestamp:
    """Bring an end of a window to the clocks of rows of hours; of one for rows of days, drop the zone."""
    if moment.tz is None or zone is None:
        return moment.tz_localize(None)
    if not zone:
        raise InvalidParameterError(
            f"expected {name} without a time zone, as the times of the rows, got {moment}; write the local time, or "
            "give the dates of all tables with their time zone.",
            name=name,
            value=moment,
        )
    try:
        return moment.tz_convert(zone).tz_localize(None)
    except (LookupError, ValueError, TypeError, OSError) as error:
        raise InvalidParameterError(
            f"expected {name} as a local time, as the zone of the rows, {zone}, has no IANA name, got {moment}.",
            name=name,
            value=moment,
        ) from error
