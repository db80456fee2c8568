"""Dates of the rows of a file: the year first, as text, numbers, timestamps or periods."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.data.files.columns import Columns
from riskmodel.errors import LayoutError

# 2018-11-30, 20181130, 2018/11/30, 2018-11, 201811, 2018; a time of day may follow a day, and does not matter
_DATE = re.compile(
    r"""
    (?P<year>[0-9]{4})
    (?: (?P<sign>[-/]) (?P<month>[0-9]{1,2}) (?: (?P=sign) (?P<day>[0-9]{1,2}) )?
      | (?P<month2>[0-9]{2}) (?P<day2>[0-9]{2})?
    )?
    (?P<time>
      [T ] (?:[01]?[0-9]|2[0-4]) :?[0-5][0-9] (?: :?(?:[0-5][0-9]|60) (?:[.,][0-9]+)? )?   # to the minute, or finer
      (?: [ ]?[AaPp][Mm] )?
      (?: [ ]?(?:UTC|GMT)?[+-][0-9]{1,2}(?::?[0-9]{2}){0,2} | [ ]?[A-Za-z]+(?:[/_+-][A-Za-z0-9]+)* )?   # +01:00, EST
      (?: \[[A-Za-z0-9/_+-]+\] )?   # [America/New_York]
    )?
    """,
    re.VERBOSE,
)
_YEARS = range(1700, 2262)


def read_dates(columns: Columns) -> pd.DatetimeIndex:
    """Read the date of each row of a file.

    Raises
    ------
    LayoutError
        If a row has no date, or one of another form than the first.
    """
    raw = columns.dates
    missing = np.flatnonzero(raw.isna())
    if len(missing):
        raise _not_a_date(columns, int(missing[0]))
    if isinstance(raw.dtype, pd.PeriodDtype):
        _require_years(columns, raw.dt.year)
        return pd.DatetimeIndex(raw.dt.to_timestamp(how="end").dt.normalize()).rename(None)
    if pd.api.types.is_datetime64_any_dtype(raw.dtype):
        _require_years(columns, raw.dt.year)
        # the local date: a return belongs to the day of its own market
        return pd.DatetimeIndex(raw.dt.tz_localize(None).dt.normalize()).rename(None)
    return _from_text(columns, raw.astype(str))


def _from_text(columns: Columns, raw: pd.Series[Any]) -> pd.DatetimeIndex:
    codes, texts = pd.factorize(raw)
    read = [parse(text) for text in texts]
    first = read[codes[0]]
    for code, one in enumerate(read):
        if one is None or first is None or one[1] != first[1]:
            raise _not_a_date(columns, int(np.flatnonzero(codes == code)[0]))
    days = np.array([one[0] for one in read if one is not None], dtype="datetime64[D]")
    return pd.DatetimeIndex(days.astype("datetime64[ns]")[codes])


def parse(text: str) -> tuple[dt.date, int] | None:
    """Read a date, and its number of parts: a month or a year is dated by its first day; None for other text."""
    found = _DATE.fullmatch(text.strip())
    if found is None or int(found["year"]) not in _YEARS:
        return None
    month, day = found["month"] or found["month2"], found["day"] or found["day2"]
    if found["time"] and not day:
        return None
    try:
        return dt.date(int(found["year"]), int(month or 1), int(day or 1)), 1 + bool(month) + bool(day)
    except ValueError:
        return None


def _require_years(columns: Columns, years: pd.Series[int]) -> None:
    wrong = np.flatnonzero(~years.between(_YEARS[0], _YEARS[-1]))
    if len(wrong):
        raise _not_a_date(columns, int(wrong[0]))


def _not_a_date(columns: Columns, row: int) -> LayoutError:
    raw, name = columns.dates.iloc[row], columns.dates.name
    got = "nothing" if raw is None or raw is pd.NaT or raw is pd.NA or str(raw) in {"", "nan"} else repr(str(raw))
    remedy = "write all dates in the form of the first" if parse(str(raw)) else "write the year first"
    return LayoutError(
        f"{columns.at(row, name)}: expected a date such as 2024-01-31 or 20240131, of {_YEARS[0]} to {_YEARS[-1]}, got "
        f"{got}; {remedy}.",
        **columns.details(row, name),
        got=raw,
    )
