"""Parquet files: found, opened, and what goes wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel._core.dates import date_labels, read_dates
from riskmodel._core.paths import AnyPath, read_path
from riskmodel.errors import (
    DuplicateLabelsError,
    InvalidParameterError,
    LayoutError,
    MissingExtraError,
    NonNumericError,
    RiskModelError,
    SourceError,
)
from riskmodel.horizon import Horizon

_SUFFIXES = {".parquet", ".parq", ".pq"}


@final
@frozen
class ParquetFile:
    """A Parquet file as it was when it was found."""

    path: Path
    size: int
    changed: int

    @classmethod
    def at(cls, path: Path) -> Self:
        """Look at a file."""
        try:
            state = path.stat()
        except OSError as error:
            raise unopened(path, error) from error
        return cls(path, state.st_size, state.st_mtime_ns)

    @contextmanager
    def opened(self, **options: Any) -> Iterator[Any]:
        """Open it for reading, as a `pyarrow.parquet.ParquetFile`.

        Raises
        ------
        SourceError
            If it cannot be opened, or is not the file that was found.
        LayoutError
            If it is damaged, which may show only later, while it is read.
        """
        arrow, parquet = pyarrow()
        if ParquetFile.at(self.path) != self:
            raise SourceError(
                f"{self.path} has changed since the panel was made; make it again, and let nobody write to the file.",
                path=str(self.path),
            )
        try:
            with parquet.ParquetFile(self.path, page_checksum_verification=True, **options) as file:
                yield file
        except RiskModelError:
            raise
        except (OSError, arrow.ArrowException) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise unopened(self.path, error) from error
            reason = str(error).strip().splitlines()[0]
            raise LayoutError(f"{self.path} is damaged, or no Parquet file: {reason}", path=str(self.path)) from error


def unopened(path: Path, error: OSError) -> SourceError:
    """The error of a file that the system does not open."""
    return SourceError(f"{path} cannot be opened: {error.strerror or error}.", path=str(path))


def pyarrow(what: str = "Parquet") -> tuple[Any, Any]:
    """Import pyarrow, and what reads Parquet, or say what needs it."""
    try:
        import pyarrow as arrow  # noqa: PLC0415 - heavy, and in an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError.of(what, "pyarrow", "cache") from error
    return arrow, parquet


def find(path: AnyPath | Sequence[AnyPath]) -> list[ParquetFile]:
    """Find the Parquet files of a folder and the folders in it, or take the one file, or those that are named."""
    if isinstance(path, bytes) or not isinstance(path, str | PathLike | Sequence):
        raise InvalidParameterError(f"a folder, a file, or a list of files is wanted, but {path!r} came.")
    if not isinstance(path, str | PathLike):
        paths = [read_path(p, "path") for p in path]
    elif (folder := read_path(path, "path")).is_dir():
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES and _is_data(p, folder))
    else:
        paths = [folder]
    if not paths:
        raise SourceError(f"{path} holds no Parquet file (of the suffixes {', '.join(sorted(_SUFFIXES))}).")
    twice = {p for p in paths if paths.count(p) > 1} if len(set(paths)) < len(paths) else ()
    if twice:
        raise InvalidParameterError(f"each file is named once, but {labels.listing(twice)} came more than once.")
    return [ParquetFile.at(p) for p in paths]


def counted(files: Sequence[ParquetFile]) -> str:
    """Say how many files there are."""
    return f"{len(files)} Parquet file{'' if len(files) == 1 else 's'}"


def _is_data(path: Path, folder: Path) -> bool:
    """Not what writers leave beside the data: summaries, parts that are being written."""
    return not any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)


# -- what is in a file ------------------------------------------------------------------------------


@final
@frozen(eq=False)
class Header:
    """The columns of a file: those of the index first, then the others, with the labels that pandas gave them."""

    path: Path
    index: tuple[str, ...]
    names: tuple[str, ...]
    labels: pd.Index[Any]
    schema: Any

    @classmethod
    def of(cls, path: Path, schema: Any) -> Self:
        """Read a file's schema."""
        if len(set(schema.names)) < len(schema.names):
            twice = sorted({n for n in schema.names if schema.names.count(n) > 1})
            raise DuplicateLabelsError(
                f"{path}: column(s) {labels.listing(twice)} come more than once.", path=str(path)
            )
        kept = schema.pandas_metadata or {}
        index = [n for n in kept.get("index_columns", []) if isinstance(n, str) and n in schema.names]
        names = [n for n in schema.names if n not in set(index)]
        found = _labels(schema, names, kept)
        require_one_level(path, found)
        return cls(path, tuple(index), tuple(names), found, schema)

    def first(self) -> str:
        """The column of dates, if no other is named: the index, unless it is row numbers beside dates."""
        if len(self.index) == 1 and self.index[0].startswith("__index_level_") and self.names:
            kinds = [self.schema.field(name).type for name in (self.index[0], self.names[0])]
            if [_is_numeric(kind) for kind in kinds] == [True, False]:
                return self.names[0]
        return [*self.index, *self.names][0]

    def column(self, wanted: Any, layout: object) -> str:
        """The column that a layout names."""
        if wanted in self.index:
            return str(wanted)
        found = np.flatnonzero(np.asarray(self.labels == wanted))
        if not len(found):
            raise LayoutError(
                f"{self.path} has no column {wanted!r}; it has {labels.listing([*self.index, *self.labels])}. Say "
                f"which one it is in rm.{type(layout).__name__}(...).",
                path=str(self.path),
            )
        return self.names[int(found[0])]

    def require_labels(self, name: str) -> None:
        """Raise where a column holds lists, or records, which are no labels."""
        kind = self.schema.field(name).type
        if pyarrow()[0].types.is_nested(kind):
            raise LayoutError(
                f"{self.path} must hold the labels of assets in column {name!r}, but it holds {kind}; a label is text, "
                "a number or a date.",
                path=str(self.path),
            )

    def require_numbers(self, names: Sequence[str]) -> None:
        """Raise where a column does not hold numbers."""
        types = pyarrow()[0].types
        for name in names:
            kind = self.schema.field(name).type
            if not (_is_numeric(kind) or types.is_null(kind)):
                raise NonNumericError(
                    f"{self.path} must hold numbers, but column {name!r} holds {kind}; convert it as you store it. A "
                    "file with one row for each date and asset needs layout=rm.Long(...); assets=[...] says which "
                    "columns are returns.",
                    path=str(self.path),
                    column=name,
                )


def require_one_level(path: Path, names: pd.Index[Any]) -> None:
    """Raise where columns have names of several levels."""
    if names.nlevels > 1:
        raise LayoutError(
            f"{path} must have one name for each column, but names of {names.nlevels} levels came, such as "
            f"{names[0]!r}; join them, or keep one level.",
            path=str(path),
        )


def _is_numeric(kind: Any) -> bool:
    types = pyarrow()[0].types
    return bool(types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind))


def _labels(schema: Any, names: list[str], kept: dict[str, Any]) -> pd.Index[Any]:
    kinds = [c.get("pandas_type") for c in kept.get("column_indexes", [])]
    if kinds in ([], ["unicode"], ["empty"]):
        return pd.Index(names)
    # labels that were numbers are kept as text, beside a note of what they were
    restored: pd.Index[Any] = schema.empty_table().to_pandas().columns
    return restored if len(restored) == len(names) else pd.Index(names)


def dates_in(path: Path, column: Any, horizon: Horizon) -> pd.DatetimeIndex:
    """Read a file's dates, which are those of its rows, once each."""
    return read_dates(_index(column), str(path), horizon)


def labels_of_dates(path: Path, column: Any, horizon: Horizon) -> pd.DatetimeIndex:
    """Read dates that may repeat."""
    return date_labels(_index(column), str(path), horizon)


def _index(column: Any) -> pd.Index[Any]:
    index: pd.Index[Any] = pd.Index(column.to_pandas())
    if isinstance(index, pd.CategoricalIndex):
        index = index.astype(index.categories.dtype)
    # 20240131, which would otherwise be no date
    return index.astype(str) if pd.api.types.is_integer_dtype(index.dtype) else index


def floats(column: Any) -> Array:
    """The numbers of a column, NaN where there is none."""
    if not pyarrow()[0].types.is_float64(column.type):
        column = column.cast("float64", safe=False)
    return np.asarray(column.to_numpy(zero_copy_only=False))
