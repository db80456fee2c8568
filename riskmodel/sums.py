"""One pass over returns: the raw sums over each asset's own dates, of which moments are made."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Self, final

import numpy as np
from attrs import define, frozen
from numpy.typing import NDArray

from riskmodel.covariance import Array

Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

# Rows and columns read at a time: a block, its mask and its products stay in cache.
_ROWS = 128
_COLUMNS = 1_024
# Where the count of dates and the sum of squared weights stand among the terms.
COUNT, WEIGHT_SQUARES = -3, -4


@final
@define(eq=False)
class Sums:
    """Weighted sums over each asset's own dates; those of q alone are kept by asset only where dates are missing.

    Attributes
    ----------
    cross : array, shape (1 + K or more, N)
        Σ w r and Σ w q r; rows beyond are padding.
    squares : array, shape (N,)
        Σ w r².
    ragged : array of bool, shape (N,)
        Whether any date is missing.
    terms : array, shape (N, 1 + K + K(K + 1)/2 + 4)
        Of the ragged: Σ w, Σ w q, the upper triangle of Σ w q q', Σ w², how many dates, and two sums of random
        integers, which are exact and tell which dates they were. Zero for the others.
    """

    cross: Array
    squares: Array
    ragged: Flags
    terms: Array

    @classmethod
    def of(cls, returns: Any, q: Array, weights: Array | None = None) -> Self:
        """Read returns (T × N, whatever slices by rows to an array) once, beside q (T × K) and w (T, or all 1)."""
        t, n = returns.shape
        calendar = _Calendar.of(q, weights)
        m, width = calendar.axes.shape[0], calendar.terms(slice(0, 0)).shape[1]
        self = cls(np.zeros((m, n)), np.zeros(n), np.zeros(n, dtype=bool), np.zeros((n, width)))
        holed = np.zeros(n, dtype=bool)
        for start in range(0, t, _ROWS):
            rows = slice(start, min(start + _ROWS, t))
            holed = self._add(calendar.weighted(np.asarray(returns[rows]), rows), rows, calendar, holed)
        return self

    def _add(self, block: Array, rows: slice, calendar: _Calendar, before: Flags) -> Flags:
        """Add a block of rows; return in which columns dates are missing, given which those were in the last."""
        if before.all():  # and probably are again: to look first would be one reading more
            return self._add_holed(block, np.arange(len(before)), rows, calendar)
        squares = np.einsum("tn,tn->n", block, block)
        holed: Flags = np.isnan(squares)
        if holed.any():
            whole = np.flatnonzero(~holed)
            self.cross[:, whole] += calendar.axes[:, rows] @ block[:, whole]
            self.squares[whole] += squares[whole]
            self._add_holed(block, np.flatnonzero(holed), rows, calendar)
        else:
            self.cross += calendar.axes[:, rows] @ block
            self.squares += squares
        if self.ragged.any():
            self.terms[self.ragged & ~holed] += calendar.total(rows)
        return holed

    def _add_holed(self, block: Array, columns: Index, rows: slice, calendar: _Calendar) -> Flags:
        """Add columns where dates are missing: a missing return counts as zero, and its date not at all."""
        first = columns[~self.ragged[columns]]
        self.terms[first] = calendar.total(slice(0, rows.start))
        self.ragged[first] = True
        axes, terms = calendar.axes[:, rows], calendar.terms(rows)
        holed = np.zeros(len(self.squares), dtype=bool)
        for chunk in _chunks(columns):
            present, filled = _split(block[:, chunk])
            added = present.T @ terms
            holed[chunk] = added[:, COUNT] < len(block)
            self.terms[chunk] += added
            self.cross[:, chunk] += axes @ filled
            self.squares[chunk] += np.einsum("tn,tn->n", filled, filled)
        return holed


@frozen(eq=False)
class _Calendar:
    """What is summed by date."""

    q: Array  # T × K
    axes: Array  # 1 + K or more × T: √w and √w q, padded
    marks: Array  # T × 2 random integers, so small that any sum of them is exact
    weights: Array | None  # T

    @classmethod
    def of(cls, q: Array, weights: Array | None) -> Self:
        t, k = q.shape
        # the kernels of matrix products are four wide and slow on a remainder of two or three
        width = k + 1 + (-(k + 1) % 4 if (k + 1) % 4 > 1 else 0)
        axes = np.zeros((width, t))
        axes[0], axes[1 : k + 1] = 1.0, q.T
        if weights is not None:
            axes *= np.sqrt(weights)
        marks = np.random.default_rng(0).integers(2**53 // max(t, 1), size=(t, 2))
        return cls(q, axes, marks.astype(np.float64), weights)

    def weighted(self, block: Array, rows: slice) -> Array:
        """Returns times √w."""
        return block if self.weights is None else block * self.axes[0, rows, None]

    def terms(self, rows: slice) -> Array:
        """What `Sums.terms` sums, by date."""
        q = self.q[rows]
        w = np.ones(len(q)) if self.weights is None else self.weights[rows]
        i, j = upper_triangle(q.shape[1])
        wq = q * w[:, None]
        return np.column_stack([w, wq, wq[:, i] * q[:, j], w * w, np.ones(len(q)), self.marks[rows]])

    def total(self, rows: slice) -> Array:
        """The sum of the terms over all of some dates."""
        weights = None if self.weights is None else self.weights[rows]
        return np.concatenate([all_dates(self.q[rows], weights), self.marks[rows].sum(axis=0)])


def all_dates(q: Array, weights: Array | None = None) -> Array:
    """The `Sums.terms` of an asset that is there on all dates, without the random ones."""
    w = np.ones(len(q)) if weights is None else weights
    return np.concatenate([[w.sum()], w @ q, ((q.T * w) @ q)[upper_triangle(q.shape[1])], [w @ w, len(q)]])


@cache
def upper_triangle(k: int) -> tuple[Index, Index]:
    """Rows and columns of the upper triangle of a K × K matrix."""
    return np.triu_indices(k)


def _chunks(columns: Index) -> Iterator[Index | slice]:
    """Some columns, a few at a time, as a slice where they lie side by side."""
    for start in range(0, len(columns), _COLUMNS):
        chunk = columns[start : start + _COLUMNS]
        adjacent = chunk[-1] - chunk[0] == len(chunk) - 1
        yield slice(chunk[0], chunk[-1] + 1) if adjacent else chunk


def _split(block: Array) -> tuple[Array, Array]:
    """Where a block has returns, as 1 and 0, and the block with 0 for what is missing."""
    present = block == block  # noqa: PLR0124 - NaN alone differs from itself
    # copying through a scattered mask mispredicts at every hole; masking the bits does not branch
    bits = np.negative(present.view(np.int8)).astype(np.int64)
    np.bitwise_and(bits, np.ascontiguousarray(block).view(np.int64), out=bits)
    return present.astype(np.float64), bits.view(np.float64)
