"""Excess returns outside memory that are sliced like an array."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import numpy as np
from attrs import define, field, frozen

from riskmodel._core.arrays import Array, Index
from riskmodel._core.checks import ReturnChecks, ReturnKind
from riskmodel._core.kinds import ASSET_RETURNS
from riskmodel._core.progress import Progress
from riskmodel._core.suspects import warn_of
from riskmodel.horizon import Horizon
from riskmodel.panel.stored.source import BlockSource


@final
@frozen(eq=False)
class StoredReturns:
    """Returns in excess of the risk-free rate, dates × assets, which are read when they are sliced.

    Attributes
    ----------
    source : BlockSource
        The total returns.
    rows : array of int, shape (T,)
        The row of each date in the source, increasing.
    rate : array, shape (T,)
        What is subtracted from the total returns: the risk-free rate, or zeros where they are excess returns.
    horizon : Horizon
        The span of one row.
    kind : ReturnKind, optional
        What the returns must be like; by default total returns.
    """

    source: BlockSource
    rows: Index
    rate: Array
    horizon: Horizon
    kind: ReturnKind = ASSET_RETURNS

    @property
    def shape(self) -> tuple[int, int]:
        """T and N."""
        return len(self.rows), len(self.source.assets)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: Any) -> Array:
        """Read some dates (a slice), or some dates of some assets, into memory."""
        dates, assets = key if isinstance(key, tuple) else (key, slice(None))
        t, n = self.shape
        return self.read(np.arange(n, dtype=np.intp)[assets], range(*dates.indices(t)))

    def read(self, columns: Index, dates: range) -> Array:
        """Read some columns of consecutive dates into memory."""
        out = np.empty((len(dates), len(columns)), order="F")
        for at, first, block in self.blocks(columns, dates):
            out[first - dates.start : first - dates.start + len(block), at] = block
        return out

    def blocks(self, columns: Index, dates: range) -> Iterator[tuple[slice, int, Array]]:
        """Read each return once; yield a slice of the columns, the position of the first date, and the returns."""
        progress = self._progress(columns, dates)
        start = 0
        for group in self.source.groups(columns):
            at = slice(start, start := start + len(group))
            for first, block in self._pass(group, dates, progress):
                yield at, first, block

    def readers(self) -> list[BlockReader]:
        """Split the assets into groups, and return a reader of each: one forward pass in bounded memory."""
        t, n = self.shape
        columns, dates = np.arange(n, dtype=np.intp), range(t)
        progress = self._progress(columns, dates)
        groups = self.source.groups(columns)
        return [BlockReader((t, len(g)), self.source.span(len(g)), self._pass(g, dates, progress)) for g in groups]

    def _progress(self, columns: Index, dates: range) -> Progress:
        return Progress("Reading", len(self._raw(dates)) * len(columns), "returns")

    def _raw(self, dates: range) -> range:
        return range(int(self.rows[dates.start]), int(self.rows[dates.stop - 1]) + 1) if len(dates) else range(0)

    def _pass(self, columns: Index, dates: range, progress: Progress) -> Iterator[tuple[int, Array]]:
        """Read the columns of one group, in blocks of consecutive dates."""
        raw = self._raw(dates)
        days = self.source.dates
        checks = ReturnChecks.start(self.kind, self.horizon, self.source.assets[columns], days[raw.start : raw.stop])
        try:
            for first, block in self.source.blocks(columns, raw):
                checks = checks.update(block, days[first : first + len(block)])
                # before the block is used: infinite values would spoil sums, and the other blocks may take an hour
                checks.finish_early()
                progress.add(block.size)
                i, j = np.searchsorted(self.rows, [first, first + len(block)])
                kept = block if j - i == len(block) else block[self.rows[i:j] - first]
                yield int(i), kept - self.rate[i:j, None]
            checks.finish()
            warn_of(checks.suspects(), checks.kind.name)
        finally:
            progress.clear()


@final
@define(eq=False)
class BlockReader:
    """One forward pass over returns, by slices of consecutive rows.

    Attributes
    ----------
    shape : tuple of int
        T dates and N assets.
    rows : int
        The most rows to read at a time, so that memory is bounded.
    """

    shape: tuple[int, int]
    rows: int
    _blocks: Iterator[tuple[int, Array]]
    _held: list[Array] = field(factory=list)
    _start: int = 0
    _stop: int = 0

    def __getitem__(self, rows: slice) -> Array:
        """Read the next rows."""
        if rows.start != self._start:
            raise IndexError(
                f"expected the next row, {self._start}, got {rows.start}; rows are read once and in order."
            )
        while self._stop < rows.stop:
            first, block = next(self._blocks)
            self._held.append(block)
            self._stop = first + len(block)
        if rows.stop == self.shape[0]:
            next(self._blocks, None)  # runs the final checks
        return self._take(rows.stop - rows.start)

    def _take(self, count: int) -> Array:
        held = self._held[0] if len(self._held) == 1 else np.concatenate(self._held)
        self._start += count
        self._held = [held[count:]] if len(held) > count else []
        return held[:count]
