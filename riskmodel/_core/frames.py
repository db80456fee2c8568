"""Read a caller's table: dates, labels and numbers, checked and copied, never changed.

pandas, Polars and Arrow come in at this one door: `ReturnFrame.read`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from numbers import Real
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import shown
from riskmodel._core.arrays import Array, Index, set_read_only
from riskmodel._core.bars import require_assets
from riskmodel._core.callers import warn
from riskmodel._core.checks import ReturnChecks, ReturnKind
from riskmodel._core.dates import between, read_dates, zone_of
from riskmodel._core.kinds import ASSET_RETURNS, RISK_FREE_RATE
from riskmodel.errors import (
    HighRateWarning,
    InvalidDatesError,
    InvalidParameterError,
    NonNumericError,
    PercentReturnsError,
)
from riskmodel.horizon import NAMED, YEAR, Horizon, is_number
from riskmodel.quantities import Mean, Quantity

# Rows and columns of a tile that is copied at a time: what is read by row and written by column stays in the cache.
_TILE = 512, 32
# A constant rate of more a year is refused as a plain number, and a typical one of more is warned of.
_HIGH_CONSTANT_RATE, _HIGH_TYPICAL_RATE = 0.1, 0.15
# From this year on, 7 % a year is high for a rate that money markets pay, and 1 % a year on monthly rows makes 12 %.
_SINCE, _HIGH_RATE_SINCE = 1993, 0.07
# Rates per day or week are finer than this; those per year are written in hundredths of a percent.
_BASIS_POINT, _DISTINCT, _A_WEEK = 1e-4, 3, 5.0
# No rate is higher a year than this, even where its horizon is said: it is in percent.
_HIGHEST_STATED_RATE = 2.0
# With fewer rates none is typical.
_ENOUGH_RATES = 20
# A column of these names holds the dates of a table where its type does not say so.
_DATE_NAMES = frozenset({"date", "dates", "day", "datetime", "timestamp", "time"})


@final
@frozen(eq=False)
class ReturnFrame:
    """Numbers by date and label, and the checks of them.

    Attributes
    ----------
    dates : DatetimeIndex
        T dates, increasing.
    labels : Index
        N labels.
    numbers : array, shape (T, N)
        float64, NaN where missing, each column contiguous, read-only.
    checks : ReturnChecks
        What was seen of the columns: ``checks.finish()`` raises for what cannot be returns.
    zone : str, optional
        The time zone of rows of hours and minutes, empty where they have none; None for days.
    is_stated : bool
        Whether this is a constant rate whose horizon the caller stated.
    """

    dates: pd.DatetimeIndex
    labels: pd.Index[Any]
    numbers: Array
    checks: ReturnChecks
    zone: str | None = None
    is_stated: bool = False

    @classmethod
    def read(cls, table: Any, kind: ReturnKind, horizon: Horizon) -> ReturnFrame:
        """Check and copy a table.

        Parameters
        ----------
        table : DataFrame or Series, or a table of Polars, Arrow or what else narwhals reads
            A table without an index has its dates in the one column of a date type, or else in one called ``date``. A
            `ReturnFrame` was checked already and is returned as it is.
        kind : ReturnKind
            What the numbers are; its name is used in errors.
        horizon : Horizon
            What one row spans.

        Raises
        ------
        DataError
            For what is no table of finite numbers by date and label; for open, high, low and close in the place of
            assets.
        """
        if isinstance(table, ReturnFrame):
            return table
        frame = as_pandas(table, kind.name)
        if kind is ASSET_RETURNS:
            require_assets(frame.columns, kind.name)
        names = labels.unique(frame.columns.copy(), f"the columns of {kind.name}")
        dates = read_dates(frame.index, kind.name, horizon)
        numbers = read_numbers(frame, kind.name)
        if not dates.is_monotonic_increasing:
            order = np.argsort(dates.to_numpy(), kind="stable")
            dates, numbers = dates[order], np.asfortranarray(numbers[order])
        read = cls._checked(dates, names, numbers, kind, horizon)
        return evolve(read, zone=zone_of(frame.index, horizon))

    @classmethod
    def read_rate(cls, rate: Any, horizon: Horizon) -> ReturnFrame:
        """Check and copy the risk-free rate, which is one column."""
        if isinstance(rate, ReturnFrame):
            return rate
        what = RISK_FREE_RATE.name
        if not is_table(rate):
            raise NonNumericError(
                f"expected {what} as a pandas Series by date, or as a table of dates and rates, got "
                f"{type(rate).__name__}; {_conversion_of(rate)}, or give InMemory or StoredPanel a number.",
                what=what,
                got=type(rate).__name__,
            )
        frame = as_pandas(rate, what)
        if frame.shape[1] != 1:
            raise InvalidParameterError(
                f"expected {what} as one column, got {frame.shape[1]}: {labels.listing(frame.columns)}; choose one.",
                columns=list(frame.columns),
            )
        return cls.read(frame, RISK_FREE_RATE, horizon)

    @classmethod
    def _checked(
        cls, dates: pd.DatetimeIndex, names: pd.Index[Any], numbers: Array, kind: ReturnKind, horizon: Horizon
    ) -> Self:
        checks = ReturnChecks.start(kind, horizon, names, dates).of_memory(numbers, dates)
        checks.require_finite()
        return cls(dates, names, set_read_only(numbers), checks)

    def take(self, columns: Index) -> ReturnFrame:
        """Return some columns, which were checked; itself where that is all of them."""
        if np.array_equal(columns, np.arange(len(self.labels))):
            return self
        numbers = set_read_only(np.asarray(self.numbers.T[columns].T))
        return evolve(self, labels=self.labels[columns], numbers=numbers, checks=self.checks.take(columns))

    def between(self, low: pd.Timestamp | None, high: pd.Timestamp | None) -> ReturnFrame:
        """Return the rows of a window, both ends included, checked by themselves; itself where that is all rows."""
        inside = between(self.dates, low, high)
        if inside.all():
            return self
        numbers = np.asfortranarray(self.numbers[inside])
        part = self._checked(self.dates[inside], self.labels, numbers, self.checks.kind, self.checks.horizon)
        return evolve(part, zone=self.zone, is_stated=self.is_stated)

    def frame(self) -> pd.DataFrame:
        """Return the numbers as a DataFrame that the caller may change."""
        return pd.DataFrame(self.numbers.copy(order="F"), self.dates, self.labels, copy=False)


def read_number(rate: Any, horizon: Horizon) -> float:
    """Read a risk-free rate that is the same on every date, in decimals per horizon.

    Parameters
    ----------
    rate : float or Mean
        A plain number is per `horizon`; a `Mean` of another horizon is converted.
    horizon : Horizon
        What one row spans.

    Raises
    ------
    InvalidParameterError
        For another quantity, or a number that is not finite.
    PercentReturnsError
        For a plain number that makes more than 10 % a year: it is yearly, or in percent.
    """
    of_another_kind = isinstance(rate, Quantity) and not isinstance(rate, Mean)
    if not is_number(rate) or not math.isfinite(rate) or of_another_kind:
        raise InvalidParameterError(
            f"expected risk_free as a Series by date, a finite number or a rate such as rm.Mean(0.02, rm.YEAR), got "
            f"{shown(rate)}.",
            got=rate,
        )
    number = float(rate.at(horizon)) if isinstance(rate, Mean) else float(rate)
    yearly = horizon.scale_mean(number, to=YEAR)
    if isinstance(rate, Mean) and abs(yearly) <= _HIGHEST_STATED_RATE:
        return number
    if isinstance(rate, Mean) or abs(number) > _HIGHEST_STATED_RATE:
        shown_rate = float(rate)
        raise PercentReturnsError(
            f"expected risk_free in decimals, got {shown_rate:g}, which is {100 * shown_rate:.4g} %; if it is "
            f"{shown_rate:g} % a year, write rm.Mean({shown_rate / 100:g}, rm.YEAR).",
            what=RISK_FREE_RATE.name,
            rate=shown_rate / 100.0,
            per_year=yearly,
            horizon=horizon,
        )
    if abs(yearly) > _HIGH_CONSTANT_RATE:
        own = f"rm.{horizon!r}" if horizon.name in NAMED or horizon.bar is not None else repr(horizon)
        raise PercentReturnsError(
            f"expected the risk-free rate in decimals per {horizon}, got {number:g}, which makes "
            f"{100 * yearly:.3g} % a year; write rm.Mean({number:g}, rm.YEAR) if it is a yearly rate, divide by 100 if "
            f"it is in percent, or write rm.Mean({number:g}, {own}) if it is meant.",
            what=RISK_FREE_RATE.name,
            rate=number,
            per_year=yearly,
            horizon=horizon,
        )
    return number


def constant_rate(rate: Any, horizon: Horizon, dates: pd.DatetimeIndex) -> ReturnFrame:
    """Return the same risk-free rate on every date, checked as `read_number` does."""
    number = np.full(len(dates), read_number(rate, horizon))
    frame = ReturnFrame.read_rate(pd.Series(number, dates, name="risk_free"), horizon)
    return evolve(frame, is_stated=isinstance(rate, Mean), zone=None)


def finish_rate(rate: ReturnFrame) -> None:
    """Raise for what is no rate; warn where a typical one is high, as a yearly rate on monthly rows would be.

    A constant rate whose horizon the caller stated is believed.
    """
    if rate.is_stated:
        return
    rate.checks.finish()
    sizes = np.abs(rate.numbers[rate.numbers != 0])
    sizes = sizes[np.isfinite(sizes)]
    if len(sizes) < _ENOUGH_RATES:
        return
    horizon = rate.checks.horizon
    typical = horizon.scale_mean(float(np.median(sizes)), to=YEAR)
    limit = _HIGH_RATE_SINCE if rate.dates[0].year >= _SINCE else _HIGH_TYPICAL_RATE
    if typical > limit or (horizon.days <= _A_WEEK and _are_basis_points(sizes)):
        warn(
            HighRateWarning(
                f"the risk-free rate typically makes {100 * typical:.3g} % a year, if it is in decimals per {horizon}; "
                f"if {float(np.median(sizes)):.3g} is a yearly rate, bring it here with rm.YEAR.scale_mean(rate, "
                f"to=rm.{horizon!r}).",
                per_year=typical,
                horizon=horizon,
            )
        )


def _are_basis_points(sizes: Array) -> bool:
    """Whether rates are in whole hundredths of a percent, several different ones."""
    points = sizes / _BASIS_POINT
    whole = np.abs(points - np.round(points)) < 1e-6 * np.maximum(1.0, points)
    return bool(whole.all() and len(np.unique(np.round(points))) >= _DISTINCT)


# -- any table as a DataFrame ------------------------------------------------------------------------


def is_table(table: Any) -> bool:
    """Whether this is a table or a column of pandas, Polars, Arrow or what else narwhals reads."""
    return isinstance(table, pd.Series | pd.DataFrame) or _by_narwhals(table) is not None


def as_pandas(table: Any, what: str) -> pd.DataFrame:
    """Return a table as a DataFrame indexed by its dates; `what` names it in errors."""
    if isinstance(table, pd.DataFrame):
        return table
    if isinstance(table, pd.Series):
        return table.to_frame(table.name if table.name is not None else what)
    columns = _by_narwhals(table)
    if columns is None:
        raise NonNumericError(
            f"expected {what} as a table indexed by date (a pandas DataFrame or Series, a Polars DataFrame, an Arrow "
            f"table), got {type(table).__name__}; {_conversion_of(table)}.",
            what=what,
            got=type(table).__name__,
        )
    if not hasattr(columns, "columns"):
        raise InvalidDatesError(
            f"expected {what} by date, got a {type(table).__module__.partition('.')[0]} {type(table).__name__}, which "
            "has no dates; give a table of two columns, dates and numbers."
        )
    date = _date_column(columns, what)
    numbers = [name for name in columns.columns if name != date]
    index = _date_index(columns[date])
    return pd.DataFrame({name: columns[name].to_numpy() for name in numbers}, index, copy=False)


def to_pandas(table: Any, what: str) -> pd.DataFrame:
    """Return a table as a DataFrame with all its columns; `what` names it in errors."""
    if isinstance(table, pd.DataFrame):
        return table
    columns = _by_narwhals(table)
    if not hasattr(columns, "columns"):
        raise InvalidParameterError(
            f"expected {what} as a table (of pandas, Polars or Arrow), got {type(table).__name__}.",
            what=what,
            got=type(table).__name__,
        )
    return pd.DataFrame({name: columns[name].to_pandas() for name in columns.columns}, copy=False)


def _conversion_of(table: Any) -> str:
    """Return what to write instead of an object that is not a table."""
    if hasattr(table, "collect"):
        return "write .collect() of it"
    if getattr(table, "ndim", 0) == 1 and getattr(getattr(table, "dtype", None), "names", None) is None:
        return "an array has no dates: write pd.Series(array, index=dates)"
    return "an array or a list has no dates: write pd.DataFrame(values, index=dates, columns=names)"


def _date_index(dates: Any) -> pd.Index[Any]:
    """A column of dates that narwhals reads as an index, in its own time zone."""
    zone = getattr(dates.dtype, "time_zone", None)
    index: pd.Index[Any] = pd.Index(dates.to_numpy())
    if zone is None or getattr(index, "tz", None) is not None:
        return index
    # numpy holds moments of UTC
    return pd.DatetimeIndex(index).tz_localize("UTC").tz_convert(zone)


def _by_narwhals(table: Any) -> Any:
    """Return a table or a column as narwhals sees it, or None where it does not."""
    if isinstance(table, Sequence | Real) or table is None:  # which need no import to tell
        return None
    import narwhals.stable.v1 as nw  # noqa: PLC0415 - programs that use pandas alone do not need it

    seen = nw.from_native(table, eager_only=True, allow_series=True, pass_through=True)
    return seen if isinstance(seen, nw.DataFrame | nw.Series) else None


def _date_column(table: Any, what: str) -> str:
    """Find the one column of a date type, or one that is called so."""
    import narwhals.stable.v1 as nw  # noqa: PLC0415

    typed = [name for name, dtype in table.schema.items() if isinstance(dtype, nw.Date | nw.Datetime)]
    named = [name for name in typed or table.columns if str(name).casefold() in _DATE_NAMES]
    found = typed if len(typed) == 1 else named
    if len(found) != 1:
        raise InvalidDatesError(
            f"expected {what} with one column of dates, got {labels.listing(found or typed) or 'none'} among the "
            f"columns {labels.listing(table.columns) or 'none'}; cast one to a date type, or call it 'date'.",
            columns=list(table.columns),
            dates=list(found or typed),
        )
    return str(found[0])


# -- numbers -----------------------------------------------------------------------------------------


def read_numbers(frame: pd.DataFrame, what: str) -> Array:
    """Copy a DataFrame's columns, of whatever numeric dtype, to float64; NaN where missing."""
    if all(isinstance(d, np.dtype) and d.kind == "f" for d in frame.dtypes):
        return _by_column(frame.to_numpy())
    out = np.empty(frame.shape, order="F")
    for j in range(frame.shape[1]):
        out[:, j] = _column(frame.iloc[:, j], what)
    return out


def _by_column(values: Array) -> Array:
    """Copy to float64, each column contiguous."""
    if values.flags.f_contiguous:
        return np.array(values, dtype=np.float64, order="F")
    out = np.empty(values.shape, order="F")
    rows, columns = _TILE
    for i in range(0, len(values), rows):
        for j in range(0, values.shape[1], columns):
            out[i : i + rows, j : j + columns] = values[i : i + rows, j : j + columns]
    return out


def _column(column: pd.Series[Any], what: str) -> Array:
    if column.isna().all():
        return np.full(len(column), np.nan)
    if not _is_numeric(column):
        raise NonNumericError(
            f"expected {what} to hold numbers, got {pd.api.types.infer_dtype(column, skipna=True)} values of dtype "
            f"{column.dtype} in column {column.name!r}; convert or drop it.",
            what=what,
            column=column.name,
        )
    if pd.api.types.is_object_dtype(column.dtype):
        # decimals among them, and None and pd.NA, which float() does not know
        try:
            return np.array([np.nan if gone else float(x) for x, gone in zip(column, column.isna(), strict=True)])
        except (OverflowError, ValueError) as error:
            raise NonNumericError(
                f"expected {what} to hold numbers, got another value in column {column.name!r}: {error}.",
                what=what,
                column=column.name,
            ) from error
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def _is_numeric(column: pd.Series[Any]) -> bool:
    if pd.api.types.is_object_dtype(column.dtype):
        return all(isinstance(x, Real | Decimal) and not isinstance(x, bool) for x in column.dropna())
    numeric = pd.api.types.is_numeric_dtype(column.dtype)
    return numeric and not (pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_complex_dtype(column.dtype))
