"""Read a caller's frame: dates, labels and numbers, checked and copied, never changed."""

from __future__ import annotations

import math
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel._core.dates import read_dates
from riskmodel.errors import (
    InfiniteReturnsError,
    InvalidParameterError,
    NonNumericError,
)
from riskmodel.horizon import Horizon, Quantity, require_same

# Sums of squares of numbers up to here are numbers.
LARGEST = 1e150


@frozen(eq=False)
class ReturnFrame:
    """Numbers by date and label: float64, sorted by date, NaN where missing; each label's side by side in memory."""

    dates: pd.DatetimeIndex
    labels: pd.Index[Any]
    numbers: Array

    @classmethod
    def read(cls, frame: Any, what: str, horizon: Horizon) -> ReturnFrame:
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
    def read_rate(cls, rate: Any, horizon: Horizon) -> ReturnFrame:
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
