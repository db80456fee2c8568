"""One characteristic of many assets, and what was known of it before given times."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen
from numpy.typing import NDArray

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index
from riskmodel.errors import InvalidParameterError

# The resolution of all times of characteristics.
_TICK = pd.Timedelta(microseconds=1)


@final
@frozen(eq=False)
class Characteristic:
    """One characteristic by the dates on which it became known, and by asset.

    Attributes
    ----------
    name : label
        Its name.
    dates : DatetimeIndex, optional
        D dates, increasing; None for one that does not change, whose values have one row.
    numbers : array of float32 or float64, shape (D, N)
        Numbers, or positions in `levels`; NaN where missing.
    levels : Index, optional
        The groups of a categorical characteristic; None for numbers.
    """

    name: Any
    dates: pd.DatetimeIndex | None
    numbers: NDArray[Any]
    levels: pd.Index[Any] | None = None

    def take(self, columns: Index) -> Self:
        """Return the characteristic of other assets; those at a negative position are missing."""
        if np.array_equal(columns, np.arange(self.numbers.shape[1])):
            return self
        return evolve(self, numbers=_columns(self.numbers, columns))

    def as_groups(self) -> Self:
        """Return numbers as groups, one for each distinct number; itself where these are groups."""
        if self.levels is not None:
            return self
        codes, found = pd.factorize(self.numbers.ravel(), sort=True)
        positions = np.where(codes < 0, np.nan, codes).astype(np.float32).reshape(self.numbers.shape)
        return evolve(self, numbers=positions, levels=pd.Index([f"{self.name} {level:g}" for level in found]))

    def before(self, times: pd.DatetimeIndex, oldest: pd.Timedelta, columns: Index) -> Array:
        """Return the last value of each asset that was known before each time.

        Parameters
        ----------
        times : DatetimeIndex
            T times in microseconds, increasing. What became known at a time itself is not known before it.
        oldest : Timedelta
            Values that became known longer before a time are missing.
        columns : array, shape (M,)
            Positions of assets; negative for unknown ones.

        Returns
        -------
        array, shape (T, M)
            NaN where missing; perhaps read-only.
        """
        if self.dates is None:
            still = np.asarray(_columns(self.numbers, columns), dtype=np.float64)
            return np.broadcast_to(still, (len(times), len(columns))).copy()
        ticks, moments = self.dates.asi8, times.asi8
        at = np.searchsorted(ticks, moments, side="left") - 1
        first = np.searchsorted(ticks, moments - oldest // _TICK, side="left")
        known = at >= first
        if not known.any():
            return np.full((len(times), len(columns)), np.nan)
        low = int(first[known].min())
        window = _columns(self.numbers[low : int(at.max()) + 1], columns)
        at, first = np.maximum(at - low, 0), np.maximum(first - low, 0)
        steady = bool((np.diff(at) == 1).all())
        found = np.asarray(window[at[0] : at[-1] + 1] if steady else window[at], dtype=np.float64)
        # values are finite or missing
        if known.all() and not np.isnan(found.sum()):
            return found
        return _last_known(window, at, first, known)


def _last_known(window: NDArray[Any], at: Index, first: Index, known: NDArray[np.bool_]) -> Array:
    """The last value of each column of a window from row `first` to row `at`, NaN where there is none."""
    rows = np.arange(len(window), dtype=np.int32)[:, None]
    last = np.maximum.accumulate(np.where(np.isnan(window), np.int32(-1), rows), axis=0)[at]
    found = np.take_along_axis(window, np.maximum(last, 0), axis=0).astype(np.float64)
    found[(last < first[:, None]) | ~known[:, None]] = np.nan
    return found


def _columns(values: NDArray[Any], columns: Index) -> NDArray[Any]:
    """Columns at positions, NaN at negative ones; the array itself where that is all of them in order."""
    if len(columns) == values.shape[1] and (columns == np.arange(len(columns))).all():
        return values
    taken = values[:, columns]
    taken[:, columns < 0] = np.nan
    return taken


def read_values(columns: dict[Any, pd.Series[Any]], what: str) -> tuple[NDArray[Any], pd.Index[Any] | None]:
    """Read columns of one kind, numbers or groups, as an array of shape (rows, columns), and the groups' labels.

    Raises
    ------
    InvalidParameterError
        For infinite numbers, and for columns of numbers beside columns of text.
    """
    numeric = [_is_numeric(c, what) for c in columns.values()]
    if all(numeric):
        return _numbers(columns, what), None
    if any(n and not c.isna().all() for n, c in zip(numeric, columns.values(), strict=True)):
        raise InvalidParameterError(
            f"expected {what} as numbers, or as groups such as text, got both; convert one.", what=what
        )
    whole = pd.concat([c.astype(object) for c in columns.values()], ignore_index=True)
    codes, levels = pd.factorize(whole, sort=True)
    positions = np.where(codes < 0, np.nan, codes).astype(np.float32)
    return np.ascontiguousarray(positions.reshape(len(columns), -1).T), labels.unique(pd.Index(levels), what)


def _is_numeric(column: pd.Series[Any], what: str) -> bool:
    """Whether a column holds numbers or flags, rather than groups."""
    if pd.api.types.is_numeric_dtype(column.dtype) or column.isna().all():
        return True
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in {"mixed", "mixed-integer"}:
        raise InvalidParameterError(
            f"expected {what} as numbers, or as groups such as text, got both in column {column.name!r}; convert it.",
            what=what,
            column=column.name,
        )
    return kind in {"integer", "floating", "mixed-integer-float", "decimal", "boolean"}


def _numbers(columns: dict[Any, pd.Series[Any]], what: str) -> NDArray[Any]:
    """Numbers as float32 where all are, otherwise as float64; flags are 1 and 0."""
    narrow = all(c.dtype == np.float32 for c in columns.values())
    values = np.empty((len(next(iter(columns.values()))), len(columns)), dtype=np.float32 if narrow else np.float64)
    for j, column in enumerate(columns.values()):
        values[:, j] = column.to_numpy(dtype=values.dtype, na_value=np.nan)
    infinite = np.asarray(np.isinf(values).any(axis=0))
    if infinite.any():
        named = [name for name, bad in zip(columns, infinite, strict=True) if bad]
        raise InvalidParameterError(
            f"expected finite {what}, got infinite ones in {labels.listing(named)}; make them missing (NaN), or "
            "correct them.",
            what=what,
            columns=named,
        )
    return values
