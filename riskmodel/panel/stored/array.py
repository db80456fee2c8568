"""Returns in an array on disk: memory maps, HDF5, Zarr, and others that are sliced like numpy arrays."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any, Literal, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index
from riskmodel._core.dates import read_local_dates
from riskmodel.errors import InvalidDatesError, InvalidParameterError, NonNumericError, SourceError
from riskmodel.horizon import Horizon
from riskmodel.panel.stored.source import BlockSource

_WHAT = "the array of returns"
# Modes of memory maps that share the pages of the file.
_SHARED = {"r", "r+"}
# The fewest rows at a time for fast products.
_FEWEST_ROWS = 256


@final
@frozen(eq=False)
class ArraySource(BlockSource):
    """An array of returns, dates × assets."""

    array: Any
    dates: pd.DatetimeIndex
    assets: pd.Index[Any]

    @classmethod
    def read(cls, array: Any, dates: Any, assets: Any, horizon: Horizon) -> ArraySource:
        """Check shape, dtype and labels, without reading the numbers."""
        _require_numbers(array)
        t, n = array.shape
        days = read_local_dates(_read_index(dates), "dates", horizon)
        _require_increasing(days)
        names = pd.RangeIndex(n) if assets is None else labels.unique(assets, "assets")
        for what, got, expected in (("dates", len(days), t), ("assets", len(names), n)):
            if got != expected:
                raise InvalidParameterError(
                    f"expected {expected} {what} for {_WHAT}, of shape {(t, n)}, got {got}.",
                    what=what,
                    expected=expected,
                    got=got,
                )
        return cls(array, days, names)

    def __reduce__(self) -> Any:
        """Pickle a memory map by its file, as it may be larger than memory."""
        array = self.array
        # not for part of a map, whose offset numpy does not keep, nor for a map that is written to in memory alone
        if isinstance(array, np.memmap) and isinstance(array.base, mmap.mmap) and array.mode in _SHARED:
            order = "C" if array.flags.c_contiguous else "F"
            array = _Map(str(array.filename), array.dtype, array.offset, array.shape, order)
        return _restored, (type(self), array, self.dates, self.assets)

    @property
    def depth(self) -> int:
        """The rows of a column in column-major order, or of a chunk where there are chunks."""
        chunk = self._chunk_rows()
        return min(len(self.dates), -(-_FEWEST_ROWS // chunk) * chunk)

    @property
    def name(self) -> str:
        """A description of the storage."""
        return f"an array ({type(self.array).__name__})"

    def blocks(self, columns: Index, rows: range) -> Iterator[tuple[int, Array]]:
        """Read some columns of consecutive rows."""
        whole = isinstance(self.array, np.ndarray) or len(columns) == len(self.assets)
        # whole chunks, so that no chunk is read twice
        size = self.span(len(columns) if whole else len(self.assets))
        for start in range(rows.start - rows.start % size, rows.stop, size):
            part = slice(max(start, rows.start), min(start + size, rows.stop))
            yield part.start, self._slab(part, columns)
            _release_pages(self.array)

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
            raise SourceError(
                f"expected shape {expected} from {_WHAT} for rows {rows.start} to {rows.stop}, got {block.shape}.",
                expected=expected,
                got=block.shape,
            )
        return block


@final
@frozen
class _Map:
    """The file, offset and shape of a memory map."""

    filename: str
    dtype: Any
    offset: int
    shape: tuple[int, ...]
    order: Literal["C", "F"]

    def opened(self) -> Any:
        """Open the memory map."""
        try:
            return np.memmap(self.filename, self.dtype, "r", self.offset, self.shape, self.order)
        except (OSError, ValueError) as error:
            raise SourceError(
                f"{_WHAT} is a memory map of {self.filename}, which cannot be opened: {error}.", path=self.filename
            ) from error


def _restored(kind: type[ArraySource], array: Any, dates: pd.DatetimeIndex, assets: pd.Index[Any]) -> ArraySource:
    return kind(array.opened() if isinstance(array, _Map) else array, dates, assets)


def _require_numbers(array: Any) -> None:
    if isinstance(array, pd.DataFrame) or len(getattr(array, "shape", ())) != 2 or not hasattr(array, "__getitem__"):
        is_frame = isinstance(array, pd.DataFrame)
        got = f"shape {array.shape}" if hasattr(array, "shape") and not is_frame else type(array).__name__
        hint = "pass a DataFrame to rm.InMemory" if is_frame else "pass np.load(..., mmap_mode='r')"
        raise InvalidParameterError(
            f"expected {_WHAT} as dates × assets, sliced like a numpy array (a memory map, an HDF5 dataset, a Zarr "
            f"array), got {got}; {hint}.",
            got=got,
        )
    dtype = getattr(array, "dtype", None)
    if not isinstance(dtype, np.dtype) or dtype.kind not in "fiu":
        raise NonNumericError(
            f"expected real numbers in {_WHAT}, got dtype {dtype}; convert them when you store them.", dtype=dtype
        )
    if not array.shape[1]:
        raise InvalidParameterError("expected at least one asset, got an array without columns.")


def _read_index(dates: Any) -> pd.Index[Any]:
    listed = labels.require_list(dates, "dates")
    try:
        index: pd.Index[Any] = pd.Index(listed)
    except (TypeError, ValueError) as error:
        raise InvalidDatesError(f"expected dates as a list of dates, got {type(dates).__name__}: {error}.") from error
    return index


def _require_increasing(dates: pd.DatetimeIndex) -> None:
    steps = np.flatnonzero(np.diff(dates.to_numpy()).astype(np.int64) < 0)
    if len(steps):
        row = int(steps[0]) + 1
        raise InvalidDatesError(
            f"expected the rows of {_WHAT} in order of date, got {dates[row].date()} in row {row}, after "
            f"{dates[row - 1].date()}; sort them when you store them (if the newest is first, pass array[::-1] and "
            "dates[::-1]).",
            row=row,
        )


def _release_pages(array: Any) -> None:
    """Release the pages of a memory map from this process's memory; the system may still cache them."""
    if not isinstance(array, np.memmap) or array.mode not in _SHARED:
        return  # pages of a copy-on-write map may hold the only copy of changes
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
