"""Codes for "missing" that files write in the place of numbers, once, and where they stand in a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self, final

import numpy as np
from attrs import evolve, fields, frozen
from numpy.typing import NDArray

from riskmodel._core.arrays import Array, Flags, Index

# Of CRSP's return columns, in decimals.
CRSP_CODES = (-44.0, -55.0, -66.0, -77.0, -88.0, -99.0)
# Of the files of the French library, in percent.
FRENCH_CODES = (-99.99, -999.0)
# Of other sources, in whatever unit: runs of nines, eights and sevens, the least whole numbers, fill values.
_NINES = (-99.9, -99.999, -999.9, -999.99, -999.999, -9999.0, -9999.9, -9999.99, -99999.0, -999999.0, -9999999.0)
_OTHERS = (
    -777.0,
    -888.0,
    -7777.0,
    -8888.0,
    -77777.0,
    -88888.0,
    -32767.0,
    -32768.0,
    -2147483648.0,
    -9223372036854775808.0,
)
_POSITIVE = (99.99, 999.0, 999.9, 999.99, 999.999, 9999.0, 9999.9, 9999.99, 99999.0, 999999.0, 9999999.0, 2147483647.0)
_FILLS = (1e20, 1e30, 1e36, 9.969209968386869e36, 3.4028234663852886e38)
# Every code as it is written; a number that was read in percent is a hundredth of one.
MISSING_CODES = (*CRSP_CODES, *FRENCH_CODES, *_NINES, *_OTHERS, *_POSITIVE, *_FILLS, *(-x for x in _FILLS))
# Returns above 0 are too often the hundredth of a small code.
_LEAST_HUNDREDTH = 9.0
_HUNDREDTHS = [float(f"{code / 100:.12g}") for code in MISSING_CODES]
# Every number that may be a code, increasing.
CODES: Array = np.unique([*MISSING_CODES, *(x for x in _HUNDREDTHS if not 0 < x < _LEAST_HUNDREDTH)])
CODES.flags.writeable = False
# Numbers that were stored in single precision agree with their code to this share.
SAME = 1e-6
# Numbers between these are no codes.
_HIGHEST_NEGATIVE, _LEAST_POSITIVE = CODES[CODES < 0].max() * (1 - SAME), CODES[CODES > 0].min() * (1 - SAME)
# Columns that are searched at a time, to bound memory.
_COLUMNS_AT_A_TIME = 64
_LIMITS = np.iinfo(np.int64)

Stamps = NDArray[np.int64]


@final
@frozen(eq=False)
class CodesFound:
    """Where numbers of a table equal codes, by column and code; it adds up over blocks of rows and of columns.

    Attributes
    ----------
    column : array of int, shape (M,)
        Columns of the table.
    code : array of int, shape (M,)
        Positions in `CODES`.
    count, sampled : array of int, shape (M,)
        How often the code occurs, and on how many of the sampled dates.
    first, last : array of int, shape (M,)
        The first date and the last.
    """

    column: Index
    code: Index
    count: Index
    sampled: Index
    first: Stamps
    last: Stamps

    @classmethod
    def none(cls) -> Self:
        """Return no codes."""
        return cls(*(np.zeros(0, dtype=np.int64) for _ in fields(cls)))

    @classmethod
    def search(cls, block: Array, stamps: Stamps, is_sampled: Flags, low: Array, high: Array) -> Self:
        """Find the codes of a block, rows × columns; only columns whose extremes may be codes are read."""
        doubtful = np.flatnonzero((low <= _HIGHEST_NEGATIVE) | (high >= _LEAST_POSITIVE))
        parts = [cls._search(block, some, stamps, is_sampled) for some in _chunks(doubtful)]
        return cls._joined(parts) if parts else cls.none()

    @classmethod
    def _search(cls, block: Array, columns: Index, stamps: Stamps, is_sampled: Flags) -> Self:
        values = block[:, columns]
        rows, at = np.nonzero((values <= _HIGHEST_NEGATIVE) | (values >= _LEAST_POSITIVE))
        code, matches = _nearest(values[rows, at])
        rows, at, code = rows[matches], at[matches], code[matches]
        ones = np.ones(len(rows), dtype=np.int64)
        when = stamps[rows]
        return cls(columns[at], code, ones, is_sampled[rows].astype(np.int64), when, when)._grouped()

    def __add__(self, other: Self) -> Self:
        """Return the codes of the same columns over the rows of both."""
        if not len(other.column):
            return self
        return self._joined([self, other])._grouped()

    @classmethod
    def concat(cls, parts: Sequence[Self], widths: Sequence[int]) -> Self:
        """Return the codes of other columns over the same rows, side by side."""
        starts = np.cumsum([0, *widths[:-1]])
        return cls._joined([evolve(p, column=p.column + start) for p, start in zip(parts, starts, strict=True)])

    def take(self, columns: Index) -> Self:
        """Return the codes of some columns, which get the positions that they have there."""
        if not len(self.column):
            return self
        place = np.full(1 + max(self.column.max(), columns.max(initial=0)), -1)
        place[columns] = np.arange(len(columns))
        moved = evolve(self, column=place[self.column])
        return moved._at(moved.column >= 0)

    @property
    def numbers(self) -> Array:
        """The codes themselves, shape (M,)."""
        return np.asarray(CODES[self.code])

    def larger(self, rung: float, n: int) -> Index:
        """Count, for each of n columns, the codes on sampled dates that are larger than a size."""
        counts = np.where(np.abs(self.numbers) > rung, self.sampled, 0)
        return np.bincount(self.column, weights=counts, minlength=n).astype(np.intp)

    def _at(self, which: Flags) -> Self:
        return type(self)(*(getattr(self, f.name)[which] for f in fields(type(self))))

    @classmethod
    def _joined(cls, parts: Sequence[Self]) -> Self:
        if not parts:
            return cls.none()
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    def _grouped(self) -> Self:
        """Return one row for each column and code."""
        keys, at = np.unique(self.column * len(CODES) + self.code, return_inverse=True)
        column, code = np.divmod(keys, len(CODES))
        count, sampled = np.zeros((2, len(keys)), dtype=np.int64)
        first, last = np.full(len(keys), _LIMITS.max), np.full(len(keys), _LIMITS.min)
        np.add.at(count, at, self.count)
        np.add.at(sampled, at, self.sampled)
        np.minimum.at(first, at, self.first)
        np.maximum.at(last, at, self.last)
        return type(self)(column, code, count, sampled, first, last)


def _chunks(columns: Index) -> Iterator[Index]:
    return (columns[i : i + _COLUMNS_AT_A_TIME] for i in range(0, len(columns), _COLUMNS_AT_A_TIME))


def _nearest(values: Array) -> tuple[Index, Flags]:
    """Return the position of the nearest code of each number, and whether they are equal up to rounding."""
    right = np.searchsorted(CODES, values).clip(1, len(CODES) - 1)
    nearest = right - (values - CODES[right - 1] < CODES[right] - values)
    return nearest, np.abs(values - CODES[nearest]) <= SAME * np.abs(CODES[nearest])
