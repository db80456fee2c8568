"""Dates: read from an index or an argument, unique, free of time zones, spaced as the horizon says."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel._core import labels
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
# Below this many gaps a median says little (holidays, a few quiet weeks), so only gross mistakes are told.
_ENOUGH_GAPS = 5
_TOLERANCE, _TOLERANCE_OF_FEW = 2.5, 10.0
# Tables of different resolution would not compare equal, so all have what this pandas reads from a string.
_RESOLUTION = pd.DatetimeIndex(["2000-01-01"]).unit


def read_dates(index: pd.Index[Any], what: str, horizon: Horizon) -> pd.DatetimeIndex:
    """Turn an index into unique, time-zone-free dates, spaced as the horizon says.

    Monthly, quarterly and yearly rows are labelled by the last calendar day of their span, because
    sources differ in whether they use the first day, the last day, or the last trading day.
    """
    dates = _without_zone(_timestamps(index, what)).normalize()
    _require_spacing(dates, what, horizon)
    dates = _labelled(dates, horizon)
    if not dates.is_unique:
        twice = sorted(dates[dates.duplicated()].unique())
        raise DuplicateDatesError(
            f"{what} must have one row per {horizon}, but {labels.listing(d.date() for d in twice)} "
            "came more than once; aggregate or drop the extra rows.",
            dates=twice,
        )
    return dates


def date_labels(index: pd.Index[Any], what: str, horizon: Horizon) -> pd.DatetimeIndex:
    """Turn dates, of which several may mean the same span, into what `read_dates` would label them by."""
    return _labelled(_without_zone(_timestamps(index, what)).normalize(), horizon)


def _labelled(dates: pd.DatetimeIndex, horizon: Horizon) -> pd.DatetimeIndex:
    if horizon in _CALENDAR:
        dates = dates.to_period(_CALENDAR[horizon]).to_timestamp(how="end").normalize()
    # without the name and the frequency that only some of the tables would have
    return pd.DatetimeIndex(dates.as_unit(_RESOLUTION).to_numpy())


def _timestamps(index: pd.Index[Any], what: str) -> pd.DatetimeIndex:
    if index.nlevels > 1:
        raise InvalidDatesError(
            f"{what} must be indexed by dates alone, but the index has the {index.nlevels} levels "
            f"{labels.listing(index.names)}; unstack it to dates × assets."
        )
    missing = int(np.count_nonzero(index.isna()))
    if missing:
        raise InvalidDatesError(f"{what} has {missing} row(s) without a date; drop or date them.")
    if index.inferred_type == "period":
        return pd.PeriodIndex(index).to_timestamp(how="end")
    if isinstance(index, pd.DatetimeIndex):
        return index
    if len(index) and index.inferred_type not in {"date", "datetime", "datetime64", "string"}:
        raise InvalidDatesError(
            f"{what} must be indexed by dates, but the index holds {index.inferred_type} values such as "
            f"{labels.listing(map(repr, index[:2]))}; set a DatetimeIndex or a PeriodIndex."
        )
    try:
        # only ISO 8601: whether 02/01 is in January or February is not ours to guess
        form = "ISO8601" if index.inferred_type == "string" else None
        return pd.DatetimeIndex(pd.to_datetime(index, format=form))
    except (ValueError, TypeError) as error:
        raise InvalidDatesError(
            f"{what} must be indexed by dates such as '2000-01-31', but {labels.listing(map(repr, index[:2]))} "
            "cannot all be read as such; convert them with pandas.to_datetime and the format that they have."
        ) from error


def _without_zone(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Keep the local calendar date: a return belongs to the day of its own market."""
    return dates.tz_localize(None) if dates.tz is not None else dates


def _require_spacing(dates: pd.DatetimeIndex, what: str, horizon: Horizon) -> None:
    days = np.sort(dates.to_numpy().astype("datetime64[D]").astype(np.int64))
    gaps = np.diff(days)
    # intraday and doubled rows are another error, told by what is not unique
    gaps = gaps[gaps > 0]
    if not len(gaps):
        return
    gap = float(np.median(gaps))
    tolerance = _TOLERANCE if len(dates) > _ENOUGH_GAPS else _TOLERANCE_OF_FEW
    expected = horizon.days * _CALENDAR_DAYS_PER_TRADING_DAY
    if not 1 / tolerance < gap / expected < tolerance:
        near = min(NAMED.values(), key=lambda h: abs(np.log(gap / h.days / _CALENDAR_DAYS_PER_TRADING_DAY)))
        raise SpacingError(
            f"{what} is stated per {horizon}, but its dates are typically {gap:g} calendar days apart, which "
            f"looks like one row per {near}; state horizon=rm.{near!r} or resample.",
            median_gap=gap,
            horizon=horizon,
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
    """Read the two ends of a window of dates, local where they have a time zone; None leaves an end open.

    A `pandas.Period`, or a string such as ``"2018"`` or ``"2018-11"``, stands for all of its days. Errors call the ends
    by their names.
    """
    low, high = _edge(start, names[0], "start_time"), _edge(end, names[1], "end_time")
    if low is not None and high is not None and low > high:
        raise InvalidParameterError(f"start must not come after end, but {low.date()} and {high.date()} came.")
    return low, high


def _edge(value: object, name: str, side: str) -> pd.Timestamp | None:
    period = _period(value, name)
    try:
        moment: pd.Timestamp | None = None if period is None else getattr(period, side).normalize()
    except ValueError as error:
        raise InvalidParameterError(f"{name} must lie in the years 1678 to 2261, but {value!r} came.") from error
    return moment


def _period(value: object, name: str) -> pd.Period | None:
    if value is None or isinstance(value, pd.Period):
        return value
    period: object = None
    try:
        # the year first: whether 02/01 is in January or February is not ours to guess
        if isinstance(value, str) and value[:4].isdecimal():
            period = pd.Period(value)
        elif isinstance(value, dt.date | np.datetime64):
            period = pd.Period(pd.Timestamp(value).tz_localize(None), freq="D")
    except ValueError:
        pass
    if not isinstance(period, pd.Period):
        raise InvalidParameterError(f"{name} must be a date such as '2000-01-31', but {value!r} came.")
    return period
