"""Reading a caller's frame: dates, labels and numbers, checked and copied, never changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from attrs import frozen
from numpy.typing import NDArray

from riskmodel import labels
from riskmodel.errors import (
    DuplicateDatesError,
    InfiniteReturnsError,
    InvalidDatesError,
    NonNumericError,
    SpacingError,
)
from riskmodel.horizon import MONTH, NAMED, QUARTER, YEAR, Horizon

Array = NDArray[np.float64]

# Calendar spans whose returns sources label by the first day, the last day or the last trading day.
_CALENDAR = {MONTH: "M", QUARTER: "Q", YEAR: "Y"}
_CALENDAR_DAYS_PER_TRADING_DAY = 365.25 / YEAR.days
_ENOUGH_GAPS = 5


@frozen(eq=False)
class Table:
    """Numbers by date and label: float64, sorted by date, NaN where missing."""

    dates: pd.DatetimeIndex
    labels: pd.Index
    values: Array

    @classmethod
    def read(cls, frame: Any, what: str, horizon: Horizon) -> Table:
        """Check and copy a frame or Series; `what` names it in errors."""
        if isinstance(frame, pd.Series):
            frame = frame.to_frame(frame.name if frame.name is not None else what)
        if not isinstance(frame, pd.DataFrame):
            raise NonNumericError(
                f"{what} must be a pandas DataFrame (or Series) indexed by date, but {type(frame).__name__} came."
            )
        names = labels.unique(frame.columns, f"the columns of {what}")
        dates = read_dates(frame.index, what, horizon)
        values = _numbers(frame, what)
        if not dates.is_monotonic_increasing:
            order = np.argsort(dates.to_numpy(), kind="stable")
            dates, values = dates[order], values[order]
        _require_finite(values, dates, names, what)
        return cls(dates, names, values)


def read_dates(index: pd.Index, what: str, horizon: Horizon) -> pd.DatetimeIndex:
    """Turn an index into unique, time-zone-free dates, spaced as the horizon says.

    Monthly, quarterly and yearly rows are labelled by the last calendar day of their span, because
    sources differ in whether they use the first day, the last day, or the last trading day.
    """
    dates = _without_zone(_timestamps(index, what)).normalize()
    _require_spacing(dates, what, horizon)
    if horizon in _CALENDAR:
        dates = dates.to_period(_CALENDAR[horizon]).to_timestamp(how="end").normalize()
    if not dates.is_unique:
        twice = sorted(dates[dates.duplicated()].unique())
        raise DuplicateDatesError(
            f"{what} must have one row per {horizon}, but {labels.listing(d.date() for d in twice)} "
            "came more than once; aggregate or drop the extra rows.",
            dates=twice,
        )
    return dates


def _timestamps(index: pd.Index, what: str) -> pd.DatetimeIndex:
    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp(how="end")
    if not isinstance(index, pd.DatetimeIndex):
        if index.inferred_type not in {"date", "datetime", "datetime64", "string"}:
            raise InvalidDatesError(
                f"{what} must be indexed by dates, but the index holds {index.inferred_type} values such as "
                f"{list(index[:2])}; set a DatetimeIndex or a PeriodIndex."
            )
        try:
            index = pd.DatetimeIndex(pd.to_datetime(index))
        except (ValueError, TypeError) as error:
            raise InvalidDatesError(
                f"{what} must be indexed by dates, but {list(index[:2])} cannot be read as dates: {error}"
            ) from error
    if index.hasnans:
        raise InvalidDatesError(f"{what} has {int(index.isna().sum())} row(s) without a date; drop or date them.")
    return index


def _without_zone(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Keep the local calendar date: a return belongs to the day of its own market."""
    return dates.tz_localize(None) if dates.tz is not None else dates


def _require_spacing(dates: pd.DatetimeIndex, what: str, horizon: Horizon) -> None:
    if len(dates) <= _ENOUGH_GAPS:
        return
    days = np.sort(dates.to_numpy().astype("datetime64[D]").astype(np.int64))
    gaps = np.diff(days)
    # intraday and doubled rows are another error, told by what is not unique
    gap = float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else 0.0
    expected = horizon.days * _CALENDAR_DAYS_PER_TRADING_DAY
    if gap and not 0.4 < gap / expected < 2.5:
        near = min(NAMED.values(), key=lambda h: abs(np.log(gap / h.days / _CALENDAR_DAYS_PER_TRADING_DAY)))
        raise SpacingError(
            f"{what} is stated per {horizon}, but its dates are typically {gap:g} calendar days apart, which "
            f"looks like one row per {near}; state horizon=rm.{near!r} or resample.",
            median_gap=gap,
            horizon=horizon,
        )


def _numbers(frame: pd.DataFrame, what: str) -> Array:
    if all(isinstance(d, np.dtype) and d.kind == "f" for d in frame.dtypes):
        return np.array(frame.to_numpy(dtype=np.float64), order="C")
    out = np.empty(frame.shape)
    for j in range(frame.shape[1]):
        out[:, j] = _column(frame.iloc[:, j], what)
    return out


def _column(column: pd.Series[Any], what: str) -> Array:
    kind = column.infer_objects().dtype
    numeric = pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)
    empty = bool(column.isna().all())
    decimals = kind == object and pd.api.types.infer_dtype(column, skipna=True) in {
        "decimal", "floating", "integer", "mixed-integer-float",
    }  # fmt: skip
    if not (numeric or empty or decimals) or pd.api.types.is_complex_dtype(kind):
        raise NonNumericError(
            f"{what} must hold numbers, but column {column.name!r} holds "
            f"{pd.api.types.infer_dtype(column, skipna=True)} values of dtype {column.dtype}; convert it first.",
            column=column.name,
        )
    if empty:
        return np.full(len(column), np.nan)
    return column.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)


def _require_finite(values: Array, dates: pd.DatetimeIndex, names: pd.Index, what: str) -> None:
    infinite = np.isinf(values)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise InfiniteReturnsError(
            f"{what} must be finite or missing (NaN), but {int(infinite.sum())} value(s) are infinite, first "
            f"{names[column]} on {dates[row].date()}; a return over a price of zero looks like this.",
            label=names[column],
            date=dates[row],
        )
