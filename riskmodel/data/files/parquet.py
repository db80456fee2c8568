"""Parquet files: columns as they were stored, the index of pandas among them."""

from __future__ import annotations

import io
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from attrs import evolve

from riskmodel._core import labels
from riskmodel.data.files import crsp, fields
from riskmodel.data.files.choice import Names
from riskmodel.data.files.columns import Columns
from riskmodel.data.files.delimited import joined_dates
from riskmodel.data.files.numbers import REMEDY_LONG, NumberReader, is_number
from riskmodel.data.files.options import ReadOptions
from riskmodel.errors import LayoutError, MissingExtraError
from riskmodel.panel.layout import Wide
from riskmodel.panel.stored.parquet import DAMAGED, require_one_level

# How a Parquet file begins.
_BEGINS = b"PAR1"


def is_parquet(path: Path, content: bytes) -> bool:
    """Whether a file is Parquet; raise where only its name says so."""
    begins = content.startswith(_BEGINS)
    if path.suffix.lower() in {".parquet", ".pq"} and not begins:
        raise LayoutError(
            f"expected a Parquet file, got {path}, which does not begin as one; rename it if it is CSV.", path=str(path)
        )
    return begins


def read_columns(path: Path, content: bytes, options: ReadOptions) -> Columns:
    """Read the columns of a Parquet file.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    LayoutError
        If the file is damaged, or its columns are not those of the layout.
    DuplicateLabelsError
        If two columns have one name.
    """
    table = _table(path, content)
    pairs = fields.from_levels(table.columns.tolist()) if table.columns.nlevels == 2 else {}
    if pairs:
        table.columns = pd.Index(list(pairs)) if len(pairs) == table.shape[1] else table.columns
    require_one_level(path, table.columns)
    table, index = _with_index_as_columns(table)
    names = labels.unique(table.columns, f"the columns of {path}").tolist()
    if len(names) < 2 or not len(table):
        raise LayoutError(
            f"expected dates, a column of numbers and a row in {path}, got {len(names)} column(s) and {len(table)} "
            "row(s); store a table with dates.",
            path=str(path),
            columns=names,
            rows=len(table),
        )
    layout = options.layout.given([name for name in names if name not in index or index[name] is not None])
    if isinstance(layout, Wide) and len(index) > 1:
        raise LayoutError(
            f"expected {path} indexed by dates alone, got an index with the levels {labels.listing(index)}; "
            f"{REMEDY_LONG}",
            path=str(path),
            levels=list(index),
        )
    chosen = Names(path, names, list(index), pairs or fields.from_names(names[1:])).choose(layout, options)
    columns = Columns(
        path,
        joined_dates([table[name] for name in chosen.dates]),
        None if chosen.asset is None else table[chosen.asset],
        table[chosen.numbers],
        range(1, len(table) + 1),
        "row",
        chosen.named,
        chosen.notes,
    )
    if not chosen.is_crsp:
        return _with_numbers(columns, options)
    codes = evolve(options, missing=options.missing | crsp.CODES)
    return crsp.tidied(_with_numbers(_parsed(columns, codes), codes), options.unit)


def read_table(path: Path, content: bytes) -> pd.DataFrame:
    """Read the columns of a Parquet file as they were stored, those of its index among them.

    Raises
    ------
    MissingExtraError, LayoutError, DuplicateLabelsError
        As `read_columns`.
    """
    table = _table(path, content)
    require_one_level(path, table.columns)
    table, _ = _with_index_as_columns(table)
    labels.unique(table.columns, f"the columns of {path}")
    return table


def _table(path: Path, content: bytes) -> pd.DataFrame:
    try:
        return pd.read_parquet(io.BytesIO(content), engine="pyarrow", page_checksum_verification=True)
    except ImportError as error:
        raise MissingExtraError.of(f"{path}: Parquet", "pyarrow", "cache") from error
    except DAMAGED as error:
        _require_columns_once(path, content)
        reason = (str(error).strip().splitlines() or ["no reason is given"])[0]
        raise LayoutError(
            f"expected a whole Parquet file, got {path}, which is damaged: {type(error).__name__}: {reason}; write it "
            "again.",
            path=str(path),
        ) from error


def _require_columns_once(path: Path, content: bytes) -> None:
    """Raise for two columns of one name, for which pyarrow has an error of another kind."""
    from pyarrow import parquet  # noqa: PLC0415 - optional

    try:
        names = parquet.read_schema(io.BytesIO(content)).names
    except DAMAGED:
        return
    labels.unique(names, f"the columns of {path}")


def _with_index_as_columns(table: pd.DataFrame) -> tuple[pd.DataFrame, dict[Any, Any]]:
    """Move the index to the first columns, or to the last where it is row numbers; also return its original names."""
    if isinstance(table.index, pd.RangeIndex) and table.index.name is None:
        return table, {}
    index = {f"index {i}" if name is None else name: name for i, name in enumerate(table.index.names)}
    numbers = [pd.api.types.is_numeric_dtype(dtype) for dtype in (table.index.dtype, *table.dtypes[:1])]
    whole = table.reset_index(names=list(index))
    # row numbers that filtering or sorting left; without other dates beside them they may be years
    if list(index.values()) == [None] and numbers == [True, False]:
        whole = whole[[*table.columns, *index]]
    return whole, index


def _parsed(columns: Columns, options: ReadOptions) -> Columns:
    """Read columns of text, which CRSP's returns are where they have its letters."""
    texts: list[Any] = [
        name for name, column in columns.numbers.items() if not pd.api.types.is_numeric_dtype(column.dtype)
    ]
    if not texts:
        return columns
    reader = NumberReader(columns.path, options.unit, options.missing, ",")
    numbers = columns.numbers.copy()
    numbers[texts] = reader.read(numbers[texts].astype(object).where(numbers[texts].notna(), ""), columns.places)
    return evolve(columns, numbers=numbers)


def _with_numbers(columns: Columns, options: ReadOptions) -> Columns:
    # codes first: in single precision they are other numbers than in double
    columns = evolve(columns, numbers=columns.numbers.apply(options.missing.masked))
    _require_numbers(columns)
    return evolve(columns, numbers=columns.numbers.apply(_as_float))


def _require_numbers(columns: Columns) -> None:
    for name, column in columns.numbers.items():
        if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
            continue
        wrong = next((row for row, cell in enumerate(column) if not _is_stored_number(cell)), None)
        if wrong is not None:
            cell = column.iloc[wrong]
            as_text = is_number(str(cell).strip())
            remedy = "store the column as numbers, not as text." if as_text else REMEDY_LONG
            raise LayoutError(
                f"{columns.at(wrong, name)}: expected a number, got {cell!r}; {remedy}",
                **columns.details(wrong, name),
                got=cell,
            )


def _is_stored_number(cell: object) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, Real | Decimal) and not isinstance(cell, bool))


def _as_float(column: pd.Series[Any]) -> pd.Series[float]:
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.Series(numbers, column.index)
