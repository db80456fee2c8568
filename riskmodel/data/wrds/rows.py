"""Read a stream of (permno, day, return) in PostgreSQL's binary format into an array, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

from riskmodel._core.arrays import Array
from riskmodel._core.progress import Progress
from riskmodel.errors import SourceError

# One tuple: the number of fields, then each field after its length. Nothing is NULL, so every tuple has 30 bytes.
_TUPLE = np.dtype([
    ("fields", ">i2"),
    ("permno_bytes", ">i4"), ("permno", ">i4"),
    ("day_bytes", ">i4"), ("day", ">i4"),
    ("ret_bytes", ">i4"), ("ret", ">f8"),
])  # fmt: skip
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER_BYTES = len(_SIGNATURE) + 8
_END = b"\xff\xff"
_BLOCK_BYTES = 1 << 18

# Query of the streamed columns, from a selection with the columns permno, day and ret.
COPIED = (
    "SELECT permno, (day - DATE '1970-01-01')::int4, coalesce(ret, 'NaN'::float8) FROM ({rows}) AS selected"
)  # fmt: skip


@final
@define(eq=False)
class Scatter:
    """Target of a COPY: writes each return to the row of its date and the column of its security.

    Parameters
    ----------
    values : array, dates × columns
        Output; NaN where the stream has no return.
    days : array of int
        The dates of the rows, in days since 1970, increasing.
    progress : Progress
        Updated with the number of rows read.
    permnos : array of int
        Increasing.
    columns : array of int
        Column of each of `permnos`.
    """

    _values: Array
    _days: NDArray[np.int32]
    _progress: Progress
    _permnos: NDArray[np.int64]
    _columns: NDArray[np.intp]
    conflict: tuple[int, int] | None = None
    _buffer: bytearray = field(factory=bytearray)
    _header_read: bool = False
    _strange: bool = False

    @classmethod
    def of(cls, permnos: Sequence[int], values: Array, days: NDArray[np.int32], progress: Progress) -> Self:
        """Start with empty columns, one per permno; earlier values are discarded."""
        values[:] = np.nan
        order = np.argsort(permnos)
        return cls(values, days, progress, np.array(permnos, dtype=np.int64)[order], order)

    def write(self, data: bytes) -> int:
        """Read some bytes (called by the driver; must not raise during the transfer)."""
        self._buffer += data
        if len(self._buffer) >= _BLOCK_BYTES:
            self._place()
        return len(data)

    def finish(self) -> None:
        """Read the remaining bytes; raise if the stream does not match the query."""
        self._place()
        if self._strange or bytes(self._buffer) != _END:
            raise SourceError(
                "expected the rows of the query, got an answer that was cut short or changed under way, probably "
                "because the table was being updated; nothing was stored, run the request again."
            )

    def _place(self) -> None:
        if not self._header_read:
            extension = int.from_bytes(self._buffer[_HEADER_BYTES - 4 : _HEADER_BYTES], "big")
            self._strange |= not self._buffer.startswith(_SIGNATURE)
            del self._buffer[: _HEADER_BYTES + extension]
            self._header_read = True
        count = len(self._buffer) // _TUPLE.itemsize
        tuples = np.frombuffer(bytes(self._buffer[: count * _TUPLE.itemsize]), _TUPLE)
        del self._buffer[: count * _TUPLE.itemsize]
        self._progress.add(count)
        self._scatter(tuples[~np.isnan(tuples["ret"])])

    def _scatter(self, tuples: Any) -> None:
        if not len(tuples):
            return
        day, permno = tuples["day"], tuples["permno"]
        row = np.minimum(np.searchsorted(self._days, day), len(self._days) - 1)
        at = np.minimum(np.searchsorted(self._permnos, permno), len(self._permnos) - 1)
        if (self._days[row] != day).any() or (self._permnos[at] != permno).any() or (tuples["fields"] != 3).any():
            self._strange = True
            return
        column, ret = self._columns[at], tuples["ret"].astype(np.float64)
        before = self._values[row, column]
        self._values[row, column] = ret
        differs = (~np.isnan(before) & (before != ret)) | (self._values[row, column] != ret)
        if differs.any() and self.conflict is None:
            first = int(differs.argmax())
            self.conflict = int(permno[first]), int(day[first])
