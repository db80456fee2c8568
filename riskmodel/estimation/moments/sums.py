"""One pass over returns: the raw sums over each asset's own dates, of which moments are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Self, final

import numpy as np
from attrs import define, frozen

from riskmodel._core.arrays import Array, Flags, Index
from riskmodel._core.linalg import upper_triangle
from riskmodel._core.threads import one_blas_thread

# Products of up to so many multiplications OpenBLAS does without packing what it reads, in tiles of so many assets.
_SMALL, _HEIGHT = 1_000_000, 12
# Numbers of a tile, so that it, its mask and its filled copy stay in cache; and the dates that it spans.
_CACHED = 96_000
_DATES, _FEW_DATES = 2_520, 256
# The bits of 1.0.
_ONE = int(np.float64(1.0).view(np.int64))
# Where the count of dates and the sum of squared weights stand among the terms.
COUNT, WEIGHT_SQUARES = -3, -4


@final
@define(eq=False)
class Sums:
    """Weighted sums over each asset's own dates; those of q alone are kept by asset only where dates are missing.

    Attributes
    ----------
    cross : array, shape (N, 1 + K or more)
        Σ w r and Σ w q r; columns beyond are padding.
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
        """Read returns (T × N, whatever slices by rows to an array) once, beside q (T × K) and w (T, or all 1).

        Arrays whose dates lie side by side in memory (``order="F"``) are read in place, others by copies of a tile.
        Where `returns` has an attribute ``rows``, no more of them are asked for at a time.
        """
        t, n = returns.shape
        calendar = _DateTerms.of(q, weights)
        m, width = calendar.axes.shape[1], _width(q.shape[1])
        self = cls(np.zeros((n, m)), np.zeros(n), np.zeros(n, dtype=bool), np.zeros((n, width)))
        spans = _spans(t, min(_tile_dates(width), getattr(returns, "rows", t)))
        # Python threads that share the tiles gain nothing: a product takes 0.1 ms, as long as waking a thread does
        with one_blas_thread():
            for rows in spans:
                self._add_dates(np.asarray(returns[rows]).T, calendar.stretch(rows))
        return self

    @classmethod
    def beside(cls, parts: Sequence[Self]) -> Self:
        """Join the sums of some assets to those of others over the same dates."""
        if len(parts) == 1:
            return parts[0]
        cross, squares, ragged = (
            np.concatenate([getattr(p, name) for p in parts]) for name in ("cross", "squares", "ragged")
        )
        # zeros that nobody writes to take no memory
        terms = np.zeros((len(squares), parts[0].terms.shape[1]))
        terms[ragged] = np.concatenate([p.terms[p.ragged] for p in parts])
        return cls(cross, squares, ragged, terms)

    def _add_dates(self, block: Array, dates: _DateRange) -> None:
        """Add some dates of all assets, tile by tile."""
        for some in _spans(len(block), _tile_assets(len(dates.axes), self.cross.shape[1])):
            self._add(_side_by_side(block[some]), some, dates)

    def _add(self, tile: Array, assets: slice, dates: _DateRange) -> None:
        """Add some dates of some assets (assets × dates)."""
        squares = dates.squares(tile)
        holed = np.isnan(squares)
        if not holed.any():
            self._add_whole(tile, squares, assets, dates)
            return
        size = _tile_assets(tile.shape[1], self.terms.shape[1])
        if holed.all():
            for part in _spans(len(tile), size):
                self._add_holed(tile[part], slice(assets.start + part.start, assets.start + part.stop), dates)
            return
        at, whole = np.arange(assets.start, assets.stop), ~holed
        self._add_whole(tile[whole], squares[whole], at[whole], dates)
        for part in _spans(int(holed.sum()), size):
            self._add_holed(tile[holed][part], at[holed][part], dates)

    def _add_whole(self, tile: Array, squares: Array, assets: Index | slice, dates: _DateRange) -> None:
        self.squares[assets] += squares
        self.cross[assets] += tile @ dates.axes
        if self.ragged[assets].any():
            self.terms[assets] += self.ragged[assets, None] * dates.total

    def _add_holed(self, tile: Array, assets: Index | slice, dates: _DateRange) -> None:
        """Add assets of which dates are missing: a missing return counts as zero, and its date not at all."""
        first = ~self.ragged[assets]
        if first.any():
            self.terms[assets] += first[:, None] * dates.before
            self.ragged[assets] = True
        present, filled = split_missing(tile)
        self.terms[assets] += present @ dates.terms
        self.cross[assets] += filled @ dates.axes
        self.squares[assets] += dates.squares(filled)


@frozen(eq=False)
class _DateTerms:
    """What is summed by date."""

    q: Array  # T × K
    axes: Array  # T × 1 + K or more: w and w q, padded
    marks: Array  # T × 2 random integers, so small that any sum of them is exact
    weights: Array | None  # T

    @classmethod
    def of(cls, q: Array, weights: Array | None) -> Self:
        t, k = q.shape
        # the kernels of matrix products are four wide and slow on a remainder of two or three
        width = k + 1 + (-(k + 1) % 4 if (k + 1) % 4 > 1 else 0)
        axes = np.zeros((t, width))
        axes[:, 0], axes[:, 1 : k + 1] = 1.0, q
        if weights is not None:
            axes *= weights[:, None]
        marks = np.random.default_rng(0).integers(2**53 // max(t, 1), size=(t, 2))
        return cls(q, axes, marks.astype(np.float64), weights)

    def stretch(self, rows: slice) -> _DateRange:
        """Some of the dates."""
        return _DateRange(self, rows, self.axes[rows])

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


@frozen(eq=False)
class _DateRange:
    """Some of a calendar's dates; what only holes need is made when the first is met."""

    calendar: _DateTerms
    rows: slice
    axes: Array

    def squares(self, tile: Array) -> Array:
        """Σ w r² over these dates, by row of the tile."""
        if self.calendar.weights is not None:
            return np.asarray((tile * tile) @ self.calendar.weights[self.rows])
        # a stack of inner products, the fastest of the ways to say it
        return np.asarray(np.matmul(tile[:, None, :], tile[:, :, None])[:, 0, 0])

    @cached_property
    def terms(self) -> Array:
        """The terms of each date."""
        return self.calendar.terms(self.rows)

    @cached_property
    def total(self) -> Array:
        """The sum of the terms over these dates."""
        return self.calendar.total(self.rows)

    @cached_property
    def before(self) -> Array:
        """The sum of the terms over all dates before."""
        return self.calendar.total(slice(0, self.rows.start))


def all_dates(q: Array, weights: Array | None = None) -> Array:
    """The `Sums.terms` of an asset that is there on all dates, without the random ones."""
    w = np.ones(len(q)) if weights is None else weights
    return np.concatenate([[w.sum()], w @ q, ((q.T * w) @ q)[upper_triangle(q.shape[1])], [w @ w, len(q)]])


def _width(k: int) -> int:
    """How many terms there are."""
    return 1 + k + k * (k + 1) // 2 + 4


def _tile_dates(width: int) -> int:
    """How many dates to read at a time, so that products with the terms are small where they can be."""
    return max(_FEW_DATES, min(_DATES, _SMALL // (_HEIGHT * width)))


def _tile_assets(n_dates: int, width: int) -> int:
    """How many assets to read at a time, beside so many columns."""
    fit = _CACHED // (_HEIGHT * max(n_dates, 1))
    small = _SMALL // (_HEIGHT * max(n_dates, 1) * width)
    return _HEIGHT * max(1, min(fit, small) if small else fit)


def _spans(n: int, size: int) -> Iterator[slice]:
    """Cover n rows, so many at a time."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def _side_by_side(tile: Any) -> Array:
    """The same numbers as float64, each asset's dates side by side in memory."""
    if tile.dtype == np.float64 and tile.strides[1] == tile.itemsize:
        return np.asarray(tile)
    return np.ascontiguousarray(tile, dtype=np.float64)


def split_missing(tile: Array) -> tuple[Array, Array]:
    """Where a tile has returns, as 1 and 0, and the tile with 0 for what is missing."""
    present = tile == tile  # noqa: PLR0124 - NaN alone differs from itself
    # copying through a scattered mask mispredicts at every hole; masking the bits does not branch
    mask = np.negative(present.view(np.int8)).astype(np.int64)
    filled = np.bitwise_and(mask, np.ascontiguousarray(tile).view(np.int64))
    np.bitwise_and(mask, _ONE, out=mask)
    return mask.view(np.float64), filled.view(np.float64)
