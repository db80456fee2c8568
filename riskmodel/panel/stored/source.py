"""The interface of what holds returns outside memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, final

import pandas as pd

from riskmodel._core.arrays import Array, Index

# What is held of the returns at any time; a few temporary arrays of this size come on top.
BLOCK_BYTES = 1 << 24
# What is told of each file.
FILE_COLUMNS = ("file", "start", "end", "rows", "assets", "appeared", "vanished")


def block_rows(width: int) -> int:
    """How many rows of so many columns fill a block."""
    return max(1, BLOCK_BYTES // (8 * max(1, width)))


class Source(ABC):
    """Total returns, dates × assets, that lie outside memory and are read in blocks of consecutive rows."""

    @property
    @abstractmethod
    def dates(self) -> pd.DatetimeIndex:
        """The dates of the T rows, increasing."""

    @property
    @abstractmethod
    def assets(self) -> pd.Index[Any]:
        """The N labels of the columns."""

    @property
    @abstractmethod
    def depth(self) -> int:
        """How many rows are read at a time at least, however few are wanted."""

    @abstractmethod
    def blocks(self, columns: Index, rows: range) -> Iterator[tuple[int, Array]]:
        """Read some columns of consecutive rows, in order: for each block its first row, and its numbers."""

    @property
    def name(self) -> str:
        """What holds the returns, in a few words."""
        return type(self).__name__

    @property
    def files(self) -> pd.DataFrame:
        """By file, what is in it; empty where the returns are in no files."""
        return pd.DataFrame(columns=list(FILE_COLUMNS))

    @final
    def span(self, width: int) -> int:
        """How many rows of so many columns to read at a time: what fills a block, in whole depths."""
        size = max(self.depth, block_rows(width))
        return size - size % self.depth

    @final
    def groups(self, columns: Index) -> list[Index]:
        """Split columns into those that are read together, so few that `depth` rows of them fill a block at most."""
        width = block_rows(self.depth)
        return [columns[i : i + width] for i in range(0, len(columns), width)]
