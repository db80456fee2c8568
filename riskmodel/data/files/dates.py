"""Dates of the rows of a file: as text, numbers, timestamps or periods."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from riskmodel._core.midnights import require_own_midnights
from riskmodel._core.zones import first_moved
from riskmodel.data.files.columns import Columns
from riskmodel.data.files.stamps import YEARS, Stamp, counted, formats
from riskmodel.errors import InvalidDatesError, LayoutError


def read_dates(columns: Columns, form: str | None, zone: ZoneInfo | None) -> pd.DatetimeIndex:
    """Read the date of each row of a file, with the time of day on the clocks of its market where there is one.

    Parameters
    ----------
    columns : Columns
        The columns of the file.
    form : str or None
        The format of dates in text; None for dates that can mean one day only.
    zone : ZoneInfo or None
        The zone on whose clocks days begin; None for the days as they are written.

    Raises
    ------
    LayoutError
        If a row has no date, or one of another kind than the first.
    InvalidDatesError
        If days seem to be stamped by midnights of another zone, and `zone` is None.
    """
    raw = columns.dates
    missing = np.flatnonzero(raw.isna())
    if len(missing):
        raise _not_a_date(columns, int(missing[0]), form)
    if isinstance(raw.dtype, pd.PeriodDtype):
        _require_years(columns, raw.dt.year)
        return pd.DatetimeIndex(raw.dt.to_timestamp(how="end").dt.normalize()).rename(None)
    if pd.api.types.is_datetime64_any_dtype(raw.dtype):
        _require_years(columns, raw.dt.year)
        return _local(columns, pd.DatetimeIndex(raw), zone)
    return _from_text(columns, raw.astype(str), form, zone)


def _local(columns: Columns, stamps: pd.DatetimeIndex, zone: ZoneInfo | None) -> pd.DatetimeIndex:
    if zone is not None:
        written, stamps = stamps, _on_clocks_of(stamps, zone)
        _require_same_days(columns, written, stamps, zone)
    else:
        _require_own_midnights(columns, stamps)
    # as they are written: a return belongs to the day of its own market
    return pd.DatetimeIndex(stamps.tz_localize(None)).rename(None)


def _on_clocks_of(stamps: pd.DatetimeIndex, zone: ZoneInfo) -> pd.DatetimeIndex:
    """Convert to a zone; times without a zone are its own, unless all are its midnights when they are read as UTC."""
    if stamps.tz is not None:
        return stamps.tz_convert(zone)
    converted = stamps.tz_localize("UTC").tz_convert(zone)
    is_midnight = bool((converted == converted.normalize()).all()) and not bool((stamps == stamps.normalize()).all())
    return converted if is_midnight else stamps


def _require_same_days(columns: Columns, written: pd.DatetimeIndex, local: pd.DatetimeIndex, zone: ZoneInfo) -> None:
    """Raise where days, which are written as midnights with an offset, would become the days before."""
    row = first_moved(written, local.tz_localize(None))
    if row is not None:
        name = columns.dates.name
        raise InvalidDatesError(
            f"{columns.at(row, name)}: expected times to bring to {zone}, got days that are written as midnights, such "
            f"as {written[row]}, which would become {local[row].date()}; leave the time zone out.",
            **columns.details(row, name),
            time_zone=str(zone),
        )


def _require_own_midnights(columns: Columns, stamps: pd.DatetimeIndex) -> None:
    try:
        require_own_midnights(stamps, str(columns.path))
    except InvalidDatesError as error:
        zone = error.details["time_zone"]
        named = f"{zone!r}, or the zone of the market" if zone else "the zone of the market, such as 'Australia/Sydney'"
        raise InvalidDatesError(
            f"expected days of the market in {columns.path}, column {str(columns.dates.name)!r}, got times "
            f"{' and '.join(error.details['times'])} on the eve of each day, as midnights of another time zone are; "
            f"pass time_zone={named}, on the command line --time-zone. If these are closing times of a market that "
            "is open from Sunday to Thursday, pass time_zone='UTC'.",
            path=str(columns.path),
            column=columns.dates.name,
            **{name: value for name, value in error.details.items() if name != "what"},
        ) from error


# -- text --------------------------------------------------------------------------------------------


def _from_text(columns: Columns, raw: pd.Series[Any], form: str | None, zone: ZoneInfo | None) -> pd.DatetimeIndex:
    codes, texts = pd.factorize(raw)
    read = [Stamp.read(text) if form is None else Stamp.formatted(text, form) for text in texts]
    first = read[codes[0]]
    for code, one in enumerate(read):
        if one is None or first is None or one.span != first.span:
            raise _not_a_date(columns, int(np.flatnonzero(codes == code)[0]), form)
    known = [one for one in read if one is not None]
    if zone is None:
        local = _index(one.local for one in known).take(codes)
        offsets = {one.offset for one in known}
        offset = offsets.pop() if len(offsets) == 1 else None
        return _local(columns, local if offset is None else local.tz_localize(dt.timezone(offset)), None)
    return _in_zone(columns, known, codes, zone)


def _in_zone(columns: Columns, known: list[Stamp], codes: Any, zone: ZoneInfo) -> pd.DatetimeIndex:
    written = _index(one.local for one in known).take(codes)
    if not any(one.time for one in known):
        return written
    if not any(one.offset is not None or one.zone for one in known):
        return _local(columns, written, zone)
    moments = [one.at(zone) for one in known]
    for code, moment in enumerate(moments):
        if moment is None:
            row = int(np.flatnonzero(codes == code)[0])
            raise LayoutError(
                f"{columns.at(row, columns.dates.name)}: expected an offset from UTC such as +01:00, got the zone "
                f"{known[code].zone!r}, which many places share; write the offset.",
                **columns.details(row, columns.dates.name),
                got=known[code].zone,
            )
    local = _index(moment for moment in moments if moment is not None).take(codes)
    _require_same_days(columns, written.tz_localize("UTC"), local, zone)
    return local


def _index(moments: Iterable[dt.datetime]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(np.array(list(moments), dtype="datetime64[s]").astype("datetime64[ns]"))


# -- errors ------------------------------------------------------------------------------------------


def _require_years(columns: Columns, years: pd.Series[int]) -> None:
    wrong = np.flatnonzero(~years.between(YEARS[0], YEARS[-1]))
    if len(wrong):
        raise _not_a_date(columns, int(wrong[0]), None)


def _not_a_date(columns: Columns, row: int, form: str | None) -> LayoutError:
    raw, name = columns.dates.iloc[row], columns.dates.name
    got = "nothing" if raw is None or raw is pd.NaT or raw is pd.NA or str(raw) in {"", "nan"} else repr(str(raw))
    texts = [text for text in columns.dates.astype(str).unique() if text] if form is None else []
    possible = formats(texts) or counted(texts)
    wanted = f"in the format {form!r}" if form else "such as 2024-01-31 or 20240131"
    return LayoutError(
        f"{columns.at(row, name)}: expected a date {wanted}, of {YEARS[0]} to {YEARS[-1]}, got {got}; "
        f"{_remedy(str(raw), form, possible)}.",
        **columns.details(row, name),
        got=raw,
        **({"formats": possible} if possible else {}),
    )


def _remedy(text: str, form: str | None, possible: list[str]) -> str:
    if form is not None:
        return "change dates= of the layout, or write all dates in that format"
    if len(possible) == 1:
        return f"pass layout=rm.Wide(dates={possible[0]!r}), or rm.Long, on the command line --dates {possible[0]}"
    if possible:
        either = " or ".join(f"dates={form!r}" for form in possible)
        return f"say which: layout=rm.Wide({either}), or rm.Long with it, on the command line --dates"
    if Stamp.read(text) is not None:
        return "write all dates in the form of the first"
    return "write the year first, or pass layout=rm.Wide(dates=...) with their format, on the command line --dates"
