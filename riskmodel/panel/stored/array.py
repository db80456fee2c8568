"""Returns in an array on disk: numpy's memory maps, HDF5, Zarr, and what else slices as they do."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any, Literal, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index
from riskmodel._core.dates import read_dates
from riskmodel.errors import InvalidDatesError, InvalidParameterError, NonNumericError, SourceError
from riskmodel.horizon import Horizon
from riskmodel.panel.stored.source import Source

_WHAT = "the array of returns"
# How maps are opened whose pages are those of the file.
_SHARED = {"r", "r+"}
# Fewer rows at a time make products slow.
_FEWEST_ROWS = 256


@final
@frozen(eq=False)
class ArraySource(Source):
    """An array of returns, dates × assets."""

    array: Any
    dates: pd.DatetimeIndex
    assets: pd.Index[Any]

    @classmethod
    def read(cls, array: Any, dates: Any, assets: Any, horizon: Horizon) -> ArraySource:
        """Check what can be told without reading the numbers."""
        _require_numbers(array)
        t, n = array.shape
        days = read_dates(pd.Index(labels.require_list(dates, "dates")), "dates", horizon)
        _require_increasing(days)
        names = pd.RangeIndex(n) if assets is None else labels.unique(assets, "assets")
        for what, came, expected in (("dates", len(days), t), ("assets", len(names), n)):
            if came != expected:
                raise InvalidParameterError(
                    f"{_WHAT} has shape {(t, n)}, so {expected} {what} are needed, but {came} came.",
                    expected=expected,
                    came=came,
                )
        return cls(array, days, names)

    def __reduce__(self) -> Any:
        """A memory map is pickled as where it lies: it may be larger than memory, and whoever reads it has the file."""
        array = self.array
        # not of a part of a map, whose offset numpy does not keep, nor of one that is written to in memory alone
        if isinstance(array, np.memmap) and isinstance(array.base, mmap.mmap) and array.mode in _SHARED:
            order = "C" if array.flags.c_contiguous else "F"
            array = _Map(str(array.filename), array.dtype, array.offset, array.shape, order)
        return _restored, (type(self), array, self.dates, self.assets)

    @property
    def depth(self) -> int:
        """A column's worth where columns lie together, a chunk's where there are chunks."""
        chunk = self._chunk_rows()
        return min(len(self.dates), -(-_FEWEST_ROWS // chunk) * chunk)

    @property
    def name(self) -> str:
        """What holds the returns."""
        return f"an array ({type(self.array).__name__})"

    def blocks(self, columns: Index, rows: range) -> Iterator[tuple[int, Array]]:
        """Read some columns of consecutive rows."""
        whole = isinstance(self.array, np.ndarray) or len(columns) == len(self.assets)
        # whole chunks, so that none is read twice
        size = self.span(len(columns) if whole else len(self.assets))
        for start in range(rows.start - rows.start % size, rows.stop, size):
            part = slice(max(start, rows.start), min(start + size, rows.stop))
            yield part.start, self._slab(part, columns)
            _let_go(self.array)

    def _chunk_rows(self) -> int:
        chunks = getattr(self.array, "chunks", None)
        if isinstance(chunks, tuple) and isinstance(chunks[0], int):
            return chunks[0]
        flags = getattr(self.array, "flags", None)
        by_column = flags is not None and flags.f_contiguous and not flags.c_contiguous
        return len(self.dates) if by_column else 1

    def _slab(self, rows: slice, columns: Index) -> Array:
        try:
            if len(columns) == len(self.assets) and (np.diff(columns) == 1).all():
                raw = self.array[rows]
            elif columns[-1] - columns[0] == len(columns) - 1 and (np.diff(columns) == 1).all():
                raw = self.array[rows, columns[0] : columns[-1] + 1]
            else:
                raw = self.array[rows][:, columns]
        except OSError as error:
            raise SourceError(f"{_WHAT} cannot be read at rows {rows.start} to {rows.stop}: {error}.") from error
        if isinstance(raw, np.ma.MaskedArray):
            raw = np.ma.filled(raw.astype(np.float64), np.nan)
        block = np.asarray(raw, dtype=np.float64)
        expected = (rows.stop - rows.start, len(columns))
        if block.shape != expected:
            raise SourceError(f"{_WHAT} gave shape {block.shape} for rows {rows.start} to {rows.stop}, not {expected}.")
        return block


@final
@frozen
class _Map:
    """Where a memory map lies."""

    filename: str
    dtype: Any
    offset: int
    shape: tuple[int, ...]
    order: Literal["C", "F"]

    def opened(self) -> Any:
        """Open it again."""
        try:
            return np.memmap(self.filename, self.dtype, "r", self.offset, self.shape, self.order)
        except (OSError, ValueError) as error:
            raise SourceError(
                f"{_WHAT} was a memory map of {self.filename}, which cannot be opened: {error}.", path=self.filename
            ) from error


def _restored(kind: type[ArraySource], array: Any, dates: pd.DatetimeIndex, assets: pd.Index[Any]) -> ArraySource:
    return kind(array.opened() if isinstance(array, _Map) else array, dates, assets)


def _require_numbers(array: Any) -> None:
    if isinstance(array, pd.DataFrame) or len(getattr(array, "shape", ())) != 2 or not hasattr(array, "__getitem__"):
        came = f"one of shape {array.shape}" if hasattr(array, "shape") else type(array).__name__
        hint = "; give a DataFrame to rm.InMemory" if isinstance(array, pd.DataFrame) else ""
        raise InvalidParameterError(
            f"{_WHAT} must be dates × assets and slice as numpy's do (np.load(..., mmap_mode='r'), an HDF5 dataset, a "
            f"Zarr array), but {type(array).__name__ if isinstance(array, pd.DataFrame) else came} came{hint}."
        )
    dtype = getattr(array, "dtype", None)
    if not isinstance(dtype, np.dtype) or dtype.kind not in "fiu":
        raise NonNumericError(f"{_WHAT} must hold real numbers, but it holds {dtype}; convert it as you store it.")
    if not array.shape[1]:
        raise InvalidParameterError("a panel needs at least one asset, but an array without columns came.")


def _require_increasing(dates: pd.DatetimeIndex) -> None:
    steps = np.flatnonzero(np.diff(dates.to_numpy()).astype(np.int64) < 0)
    if len(steps):
        row = int(steps[0]) + 1
        raise InvalidDatesError(
            f"the rows of {_WHAT} must be in order of date, but row {row} is of {dates[row].date()}, after "
            f"{dates[row - 1].date()}; sort them as you store them (where the newest is first, give array[::-1] and "
            "dates[::-1]).",
            row=row,
        )


def _let_go(array: Any) -> None:
    """Drop the pages of a memory map that were read from this process's memory; the system may still keep them."""
    if not isinstance(array, np.memmap) or array.mode not in _SHARED:
        return  # the pages of a copy on write are the only copy of what was written
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
