"""Reading a caller's frame: dates, labels and numbers, checked and copied, never changed."""

from __future__ import annotations

import math
from decimal import Decimal
from numbers import Real
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
    InvalidParameterError,
    NonNumericError,
    SpacingError,
)
from riskmodel.horizon import MONTH, NAMED, QUARTER, YEAR, Horizon, Quantity, require_same

Array = NDArray[np.float64]

# Calendar spans whose returns sources label by the first day, the last day or the last trading day.
_CALENDAR = {MONTH: "M", QUARTER: "Q", YEAR: "Y"}
_CALENDAR_DAYS_PER_TRADING_DAY = 365.25 / YEAR.days
# Sums of squares of numbers up to here are numbers.
LARGEST = 1e150
# Below this many gaps a median says little (holidays, a few quiet weeks), so only gross mistakes are told.
_ENOUGH_GAPS = 5
_TOLERANCE, _TOLERANCE_OF_FEW = 2.5, 10.0
# Tables of different resolution would not compare equal, so all have what this pandas reads from a string.
_RESOLUTION = pd.DatetimeIndex(["2000-01-01"]).unit


@frozen(eq=False)
class Table:
    """Numbers by date and label: float64, sorted by date, NaN where missing; each label's side by side in memory."""

    dates: pd.DatetimeIndex
    labels: pd.Index[Any]
    numbers: Array

    @classmethod
    def read(cls, frame: Any, what: str, horizon: Horizon) -> Table:
        """Check and copy a frame or Series; `what` names it in errors."""
        if isinstance(frame, pd.Series):
            frame = frame.to_frame(frame.name if frame.name is not None else what)
        if not isinstance(frame, pd.DataFrame):
            raise NonNumericError(
                f"{what} must be a pandas DataFrame (or Series) indexed by date, but {type(frame).__name__} came."
            )
        names = labels.unique(frame.columns.copy(), f"the columns of {what}")
        dates = read_dates(frame.index, what, horizon)
        numbers = read_numbers(frame, what)
        if not dates.is_monotonic_increasing:
            order = np.argsort(dates.to_numpy(), kind="stable")
            dates, numbers = dates[order], np.asfortranarray(numbers[order])
        require_finite(numbers, dates, names, what)
        return cls(dates, names, numbers)

    @classmethod
    def read_rate(cls, rate: Any, horizon: Horizon) -> Table:
        """Check and copy the risk-free rate, which is one column."""
        what = "the risk-free rate"
        if not isinstance(rate, pd.Series | pd.DataFrame):
            raise NonNumericError(
                f"{what} must be a pandas Series by date, but {type(rate).__name__} came; give 0.0 to InMemory or "
                "StoredPanel, where the returns are excess returns already."
            )
        if isinstance(rate, pd.DataFrame) and rate.shape[1] != 1:
            raise InvalidParameterError(
                f"{what} must be one column, but {rate.shape[1]} came: {labels.listing(rate.columns)}; choose one."
            )
        return cls.read(rate, what, horizon)

    def frame(self) -> pd.DataFrame:
        """The numbers as a frame of their own."""
        return pd.DataFrame(self.numbers.copy(), self.dates, self.labels, copy=False)


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


def read_number(rate: Real, horizon: Horizon) -> float:
    """Check a risk-free rate that is the same on every date."""
    if isinstance(rate, Quantity):
        require_same(rate.horizon, horizon, "the risk-free rate and the returns")
    if isinstance(rate, bool) or not math.isfinite(rate):
        raise InvalidParameterError(f"risk_free must be a Series by date or a finite number, but {rate!r} came.")
    return float(rate)


def constant_rate(rate: float, index: pd.Index[Any]) -> pd.Series[float]:
    """Return the same risk-free rate on every date."""
    return pd.Series(np.full(len(index), float(rate)), index, name="risk_free")


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


def read_numbers(frame: pd.DataFrame, what: str) -> Array:
    """Copy a frame's columns, of whatever numeric dtype, to float64; NaN where missing."""
    if all(isinstance(d, np.dtype) and d.kind == "f" for d in frame.dtypes):
        return np.array(frame.to_numpy(dtype=np.float64), order="F")
    out = np.empty(frame.shape, order="F")
    for j in range(frame.shape[1]):
        out[:, j] = _column(frame.iloc[:, j], what)
    return out


def _column(column: pd.Series[Any], what: str) -> Array:
    if column.isna().all():
        return np.full(len(column), np.nan)
    if not _is_numeric(column):
        raise NonNumericError(
            f"{what} must hold numbers, but column {column.name!r} holds "
            f"{pd.api.types.infer_dtype(column, skipna=True)} values of dtype {column.dtype}; convert it first.",
            column=column.name,
        )
    if pd.api.types.is_object_dtype(column.dtype):
        # decimals among them, and None and pd.NA, which float() does not know
        return np.array([np.nan if gone else float(x) for x, gone in zip(column, column.isna(), strict=True)])
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def _is_numeric(column: pd.Series[Any]) -> bool:
    if pd.api.types.is_object_dtype(column.dtype):
        return all(isinstance(x, Real | Decimal) and not isinstance(x, bool) for x in column.dropna())
    numeric = pd.api.types.is_numeric_dtype(column.dtype)
    return numeric and not (pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_complex_dtype(column.dtype))


def require_finite(numbers: Array, dates: pd.DatetimeIndex, names: pd.Index[Any], what: str) -> None:
    """Raise for infinite numbers, and those whose squares are, naming the first."""
    infinite = np.abs(numbers) > LARGEST
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise InfiniteReturnsError(
            f"{what} must be finite or missing (NaN), but {int(infinite.sum())} value(s) are infinite or "
            f"larger than {LARGEST:g}, first {names[column]} on {dates[row].date()}; a return over a price of zero "
            "looks like this.",
            label=names[column],
            date=dates[row],
        )
