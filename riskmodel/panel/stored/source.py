"""The interface of sources of returns outside memory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, final

import pandas as pd

from riskmodel._core.arrays import Array, Index
from riskmodel._core.listing import Abstract

# Size of the returns in memory at any time, in addition to a few temporary arrays of this size.
BLOCK_BYTES = 1 << 24
# Columns of the table of files.
FILE_COLUMNS = ("file", "start", "end", "rows", "assets", "appeared", "vanished")


def block_rows(width: int) -> int:
    """Rows of a block of some columns."""
    return max(1, BLOCK_BYTES // (8 * max(1, width)))


class BlockSource(Abstract):
    """Total returns, dates × assets, outside memory, that are read in blocks of consecutive rows."""

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
        """The fewest rows that can be read at a time."""

    @abstractmethod
    def blocks(self, columns: Index, rows: range) -> Iterator[tuple[int, Array]]:
        """Read some columns of consecutive rows, in order; yield the first row and the numbers of each block."""

    @property
    def name(self) -> str:
        """A description of the storage, for `repr`."""
        return type(self).__name__

    @property
    def files(self) -> pd.DataFrame:
        """By file, its contents; empty where the returns are not in files."""
        return pd.DataFrame(columns=list(FILE_COLUMNS))

    @final
    def span(self, width: int) -> int:
        """Rows of some columns to read at a time: a block, in multiples of `depth`."""
        size = max(self.depth, block_rows(width))
        return size - size % self.depth

    @final
    def groups(self, columns: Index) -> list[Index]:
        """Split columns into groups that are read together; `depth` rows of a group fit into a block."""
        width = block_rows(self.depth)
        return [columns[i : i + width] for i in range(0, len(columns), width)]
