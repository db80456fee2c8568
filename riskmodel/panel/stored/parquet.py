"""Parquet files: how they are found, opened and checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, Self, final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel._core.dates import read_local_dates, read_stamps
from riskmodel._core.paths import AnyPath, read_path
from riskmodel.errors import (
    DuplicateLabelsError,
    InvalidDatesError,
    InvalidParameterError,
    LayoutError,
    MissingExtraError,
    NonNumericError,
    RiskModelError,
    SourceError,
)
from riskmodel.horizon import Horizon

# Errors of pyarrow and pandas for damaged files and damaged metadata.
DAMAGED = (
    ValueError, OSError, LookupError, TypeError, AttributeError, RuntimeError, MemoryError, ArithmeticError,
    AssertionError,
)  # fmt: skip
_YEARS = range(1700, 2262)
_SUFFIXES = {".parquet", ".parq", ".pq"}


@final
@frozen
class ParquetFile:
    """A Parquet file, with the size and time of change when it was found."""

    path: Path
    size: int
    changed: int

    @classmethod
    def at(cls, path: Path) -> Self:
        """Record the state of a file."""
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
            If it cannot be opened, or has changed since it was found.
        LayoutError
            If it is damaged; some damage is found only while it is read.
        """
        arrow, parquet = pyarrow()
        if ParquetFile.at(self.path) != self:
            raise SourceError(
                f"expected {self.path} unchanged since the panel was made, got a changed file; make the panel again.",
                path=str(self.path),
            )
        try:
            with parquet.ParquetFile(self.path, page_checksum_verification=True, **options) as file:
                yield file
        except RiskModelError:
            raise
        except (OSError, UnicodeDecodeError, arrow.ArrowException) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise unopened(self.path, error) from error
            reason = str(error).strip().splitlines()[0]
            raise LayoutError(
                f"expected a Parquet file, got {self.path}, which is damaged or something else: {reason}",
                path=str(self.path),
            ) from error


def unopened(path: Path, error: OSError) -> SourceError:
    """Make the error of a file that cannot be opened."""
    return SourceError(f"{path} cannot be opened: {error.strerror or error}.", path=str(path))


def pyarrow(what: str = "Parquet") -> tuple[Any, Any]:
    """Import pyarrow and pyarrow.parquet, or raise an error that says what needs them."""
    try:
        import pyarrow as arrow  # noqa: PLC0415 - heavy, and in an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError.of(what, "pyarrow", "cache") from error
    return arrow, parquet


def find(path: AnyPath | Sequence[AnyPath]) -> list[ParquetFile]:
    """Find the Parquet files of a folder and its subfolders; or use the given file or files."""
    if isinstance(path, bytes) or not isinstance(path, str | PathLike | Sequence):
        raise InvalidParameterError(f"expected a folder, a file, or a list of files, got {path!r}.", path=path)
    if not isinstance(path, str | PathLike):
        paths = [read_path(p, "path") for p in path]
    elif (folder := read_path(path, "path")).is_dir():
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES and _is_data(p, folder))
    else:
        paths = [folder]
    if not paths:
        raise SourceError(
            f"expected Parquet files ({', '.join(sorted(_SUFFIXES))}) in {path}, got no such file.", path=str(path)
        )
    twice = {p for p in paths if paths.count(p) > 1} if len(set(paths)) < len(paths) else ()
    if twice:
        raise InvalidParameterError(
            f"expected each file once, got {labels.listing(twice)} more than once.", paths=sorted(map(str, twice))
        )
    return [ParquetFile.at(p) for p in paths]


def counted(files: Sequence[ParquetFile]) -> str:
    """Describe a number of files, for `repr`."""
    return f"{len(files)} Parquet file{'' if len(files) == 1 else 's'}"


def _is_data(path: Path, folder: Path) -> bool:
    """Whether a file is data, not a summary or an unfinished part that writers leave."""
    return not any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)


# -- contents of a file ------------------------------------------------------------------------------


@final
@frozen(eq=False)
class Header:
    """The columns of a file: the index, then the others with their labels in pandas."""

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
                f"expected each column of {path} once, got {labels.listing(twice)} more than once.", path=str(path)
            )
        try:
            kept = schema.pandas_metadata or {}
            index = [n for n in kept.get("index_columns", []) if isinstance(n, str) and n in schema.names]
            names = [n for n in schema.names if n not in set(index)]
            found = _labels(schema, names, kept)
        except DAMAGED as error:
            raise LayoutError(
                f"expected a whole Parquet file, got {path}, whose metadata for pandas are damaged: "
                f"{type(error).__name__}: {error}; write it again.",
                path=str(path),
            ) from error
        require_one_level(path, found)
        return cls(path, tuple(index), tuple(names), found, schema)

    def first(self) -> str:
        """The default column of dates: the index, unless it is row numbers and the first column is not numeric."""
        if len(self.index) == 1 and self.index[0].startswith("__index_level_") and self.names:
            kinds = [self.schema.field(name).type for name in (self.index[0], self.names[0])]
            if [_is_numeric(kind) for kind in kinds] == [True, False]:
                return self.names[0]
        return [*self.index, *self.names][0]

    def column(self, label: Any, layout: object) -> str:
        """Return the column that a layout names, or raise where there is none."""
        if label in self.index:
            return str(label)
        found = np.flatnonzero(np.asarray(self.labels == label))
        if not len(found):
            raise LayoutError(
                f"expected a column {label!r} in {self.path}, got {labels.listing([*self.index, *self.labels])}; name "
                f"the column in rm.{type(layout).__name__}(...).",
                path=str(self.path),
                column=label,
            )
        return self.names[int(found[0])]

    def require_labels(self, name: str) -> None:
        """Raise where a column holds lists or records, which cannot be labels."""
        kind = self.schema.field(name).type
        if pyarrow()[0].types.is_nested(kind):
            raise LayoutError(
                f"expected labels of assets (text, numbers or dates) in column {name!r} of {self.path}, got {kind}.",
                path=str(self.path),
                column=name,
            )

    def require_numbers(self, names: Sequence[str]) -> None:
        """Raise where a column does not hold numbers."""
        types = pyarrow()[0].types
        for name in names:
            kind = self.schema.field(name).type
            if not (_is_numeric(kind) or types.is_null(kind)):
                raise NonNumericError(
                    f"expected numbers in column {name!r} of {self.path}, got {kind}; convert it when you store it. "
                    "For one row for each date and asset, pass layout=rm.Long(...); to select columns of returns, pass "
                    "assets=[...].",
                    path=str(self.path),
                    column=name,
                )


def require_one_level(path: Path, names: pd.Index[Any]) -> None:
    """Raise where the columns are a MultiIndex."""
    if names.nlevels > 1:
        raise LayoutError(
            f"expected one name for each column of {path}, got names of {names.nlevels} levels, such as "
            f"{names[0]!r}; join them, or keep one level.",
            path=str(path),
            levels=names.nlevels,
        )


def _is_numeric(kind: Any) -> bool:
    types = pyarrow()[0].types
    return bool(types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind))


def _labels(schema: Any, names: list[str], kept: dict[str, Any]) -> pd.Index[Any]:
    kinds = [c.get("pandas_type") for c in kept.get("column_indexes", [])]
    if kinds in ([], ["unicode"], ["empty"]):
        return pd.Index(names)
    # labels that were numbers are stored as text, with metadata of their type
    restored: pd.Index[Any] = schema.empty_table().to_pandas().columns
    return restored if len(restored) == len(names) else pd.Index(names)


def dates_in(path: Path, column: Any, horizon: Horizon, zone: ZoneInfo | None) -> pd.DatetimeIndex:
    """Read the unique dates of a file's rows."""
    return read_local_dates(_index(path, column), str(path), horizon, zone)


def stamps_in(path: Path, column: Any, horizon: Horizon, zone: ZoneInfo | None) -> pd.DatetimeIndex:
    """Read full times that may repeat."""
    return read_stamps(_index(path, column), str(path), horizon, zone)


def _index(path: Path, column: Any) -> pd.Index[Any]:
    try:
        index: pd.Index[Any] = pd.Index(column.to_pandas(date_as_object=False))
    except DAMAGED as error:  # of the year 20000
        raise _unreadable_dates(path, str(error)) from error
    if isinstance(index, pd.DatetimeIndex):
        wrong = [day.year for day in (index.min(), index.max()) if not pd.isna(day) and day.year not in _YEARS]
        if wrong:
            raise _unreadable_dates(path, f"the year {wrong[0]}")
    if isinstance(index, pd.CategoricalIndex):
        index = index.astype(index.categories.dtype)
    # 20240131 is read as a date from text only
    return index.astype(str) if pd.api.types.is_integer_dtype(index.dtype) else index


def _unreadable_dates(path: Path, what: str) -> InvalidDatesError:
    return InvalidDatesError(
        f"expected dates of {_YEARS[0]} to {_YEARS[-1]} in {path}, got {what}; mend the dates.", path=str(path)
    )


def floats(column: Any) -> Array:
    """Return the numbers of a column, NaN where missing."""
    if not pyarrow()[0].types.is_float64(column.type):
        column = column.cast("float64", safe=False)
    return np.asarray(column.to_numpy(zero_copy_only=False))
