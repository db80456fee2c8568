"""Where returns lie: Dask arrays and DataFrames, read as chunks of float64."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel._core.frames import read_numbers
from riskmodel.errors import InvalidParameterError, MissingExtraError, NonNumericError

RETURNS = "asset returns"


class Source(ABC):
    """Returns on workers."""

    @abstractmethod
    def laid_out(self) -> tuple[pd.Index[Any], Any]:
        """The index of the rows, and a Dask array."""


@final
@frozen(eq=False)
class ArraySource(Source):
    """A Dask array, and the index of its rows."""

    array: Any
    index: pd.Index[Any]

    def __str__(self) -> str:
        rows, columns = self.array.numblocks
        return f"{len(self.index):,} rows in {rows:,} × {columns:,} chunks"

    def laid_out(self) -> tuple[pd.Index[Any], Any]:
        """What was given."""
        return self.index, self.array


@final
@frozen(eq=False)
class FrameSource(Source):
    """A Dask DataFrame, whose index lies with its rows."""

    frame: Any

    def __str__(self) -> str:
        return f"in {self.frame.npartitions:,} partitions"

    def laid_out(self) -> tuple[pd.Index[Any], Any]:
        """The index, which is computed, and the partitions as chunks."""
        parts = dask_module("base").compute(*self.frame.index.to_delayed())
        meta = pd.DataFrame(columns=self.frame.columns, dtype=np.float64)
        numbers = self.frame.map_partitions(_float_frame, meta=meta)
        return parts[0].append(list(parts[1:])), numbers.to_dask_array(lengths=[len(p) for p in parts])


def as_floats(returns: Any) -> Any:
    """Return an array of plain chunks of float64."""
    return returns.map_blocks(floats, dtype=np.float64, meta=np.empty((0, 0)))


def floats(block: Any) -> Array:
    """Return a chunk as a plain array of float64: itself where it is one."""
    if type(block) is np.ndarray and block.dtype == np.float64:
        return block
    return read_numbers(pd.DataFrame(block, copy=False), RETURNS)  # which knows masks, and what is no number


def _float_frame(part: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(read_numbers(part, RETURNS), part.index, part.columns, copy=False)


def require_array(returns: Any, shape: tuple[int, int]) -> None:
    """Raise for what is no Dask array of numbers of that shape."""
    if not isinstance(returns, dask_module("array").Array):
        raise InvalidParameterError(
            f"returns must be a dask.array.Array, but {type(returns).__name__} came; for an array in memory, see "
            "InMemory."
        )
    if returns.shape != shape:
        raise InvalidParameterError(
            f"returns must have shape {shape}, a row a date and a column an asset, but {returns.shape} came"
            + ("; compute_chunk_sizes() finds out what is nan." if np.isnan(returns.shape).any() else ".")
        )
    _require_assets(shape[1])
    if returns.dtype.kind not in "fiuO":
        raise NonNumericError(f"{RETURNS} must hold numbers, but an array of {returns.dtype} came; convert it first.")


def require_frame(returns: Any) -> None:
    """Raise for what is no Dask DataFrame with columns."""
    if not isinstance(returns, dask_module("dataframe").DataFrame):
        raise InvalidParameterError(
            f"returns must be a dask.dataframe.DataFrame, but {type(returns).__name__} came; for a frame in memory, "
            "see InMemory."
        )
    _require_assets(len(returns.columns))


def _require_assets(n: int) -> None:
    if not n:
        raise InvalidParameterError("a panel needs at least one asset, but asset returns without columns came.")


def dask_module(part: str) -> Any:
    """Import a part of Dask, or raise `MissingExtraError`."""
    try:
        return import_module(f"dask.{part}")
    except ImportError as error:
        raise MissingExtraError(
            "returns on a cluster need Dask, which is not installed; pip install 'riskmodel[dask]'."
        ) from error
