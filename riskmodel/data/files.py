"""Returns and prices from files: CSV and Parquet, one column an asset or one row a date and asset."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from numbers import Real
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel import labels
from riskmodel.errors import (
    DuplicateDatesError,
    DuplicateLabelsError,
    ImpossibleReturnsError,
    InvalidParameterError,
    LayoutError,
    MissingExtraError,
    SourceError,
)
from riskmodel.layout import Long, Wide

AnyPath = str | PathLike[str]

# What stands for a missing number in CSV; "." is how SAS writes it.
_MISSING = ["", ".", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>"]
# To the last digit, which pandas 3 does by itself, and takes amiss to be asked for.
_EXACTLY: dict[str, Any] = {"float_precision": "round_trip"} if pd.__version__.startswith("2.") else {}
_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"


def read_returns(path: str | PathLike[str], layout: Wide | Long = Wide()) -> pd.DataFrame:
    r"""Read simple returns in decimals (0.01 is one percent) from a CSV or Parquet file.

    Parameters
    ----------
    path : path
        A file on this machine; CSV may be compressed with gzip. Dates are year first (``2024-01-31`` or ``20240131``);
        numbers have a point; a missing one is empty, ``.``, ``NA`` or ``NaN``. Labels that come from CSV are strings,
        those from Parquet as they were stored.
    layout : Wide or Long
        One column an asset (the default), or one row for each date and asset.

    Returns
    -------
    DataFrame, dates × assets
        Decimals by date, increasing; NaN where missing. For `InMemory`, which is told what one row spans.

    Raises
    ------
    SourceError
        If the file cannot be opened.
    LayoutError
        If it cannot be read: the message names file, line and column.
    DuplicateLabelsError, DuplicateDatesError
        If an asset or a date comes twice.
    MissingExtraError
        If it is Parquet and pyarrow is not installed.

    Examples
    --------
    >>> import pathlib, tempfile, riskmodel as rm
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "returns.csv"
    >>> _ = path.write_text("date,MSFT,JPM\n2024-01-02,0.01,-0.02\n2024-01-03,,0.005\n")
    >>> rm.read_returns(path)
                MSFT    JPM
    2024-01-02  0.01 -0.020
    2024-01-03   NaN  0.005
    """
    return _read(path, layout).frame


def read_percent_returns(path: str | PathLike[str], layout: Wide | Long = Wide()) -> pd.DataFrame:
    r"""Read simple returns in percent (1.0 is one percent) and give them in decimals.

    Parameters, result and errors are those of `read_returns`.

    Examples
    --------
    >>> import pathlib, tempfile, riskmodel as rm
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "percent.csv"
    >>> _ = path.write_text("day,MSFT\n20240102,1.5\n")
    >>> rm.read_percent_returns(path)
                 MSFT
    2024-01-02  0.015
    """
    return _read(path, layout).frame / 100.0


def read_prices(path: str | PathLike[str], layout: Wide | Long = Wide()) -> pd.DataFrame:
    r"""Read prices and give the simple return from each row to the next, in decimals.

    Prices must be adjusted for splits and dividends: these are then total returns, and otherwise not. Nothing is
    filled: where a price is missing, the return of its date and that of the next are, so no return spans more than
    one step. The first date has no return and is left out.

    A date on which *no* asset has a row is no hole that could be seen: the return over it spans two steps.

    Parameters, result and errors are those of `read_returns`, and besides:

    Raises
    ------
    ImpossibleReturnsError
        If a price is not positive; the message names file, line and column.

    Examples
    --------
    >>> import pathlib, tempfile, riskmodel as rm
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "prices.csv"
    >>> _ = path.write_text("date,asset,close\n2024-01-02,A,100\n2024-01-03,A,110\n2024-01-04,A,99\n")
    >>> rm.read_prices(path, rm.Long())
                  A
    2024-01-03  0.1
    2024-01-04 -0.1
    """
    read = _read(path, layout)
    prices = read.frame.to_numpy()
    wrong = prices <= 0.0
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ImpossibleReturnsError(
            f"{read.where(int(row), int(column))}: a price must be positive, but {prices[row, column]:g} came"
            f"{'' if wrong.sum() == 1 else f', and {int(wrong.sum()) - 1} more'}. Some sources mark a midpoint of bid "
            "and ask by a minus, and a missing price by zero: take the absolute value, or leave it empty."
        )
    return pd.DataFrame(prices[1:] / prices[:-1] - 1.0, read.frame.index[1:], read.frame.columns)


# -- what both formats become ------------------------------------------------------------------------


@frozen(eq=False)
class _Read:
    """Numbers by date and asset, and where each stood in the file."""

    frame: pd.DataFrame
    where: Callable[[int, int], str]


@frozen(eq=False)
class _Columns:
    """The columns of a file: dates, labels (long files) and numbers, with the place of each row."""

    path: Path
    dates: pd.Series[Any]
    assets: pd.Series[Any] | None
    numbers: pd.DataFrame
    places: Sequence[int]
    unit: str = field(default="line")

    def at(self, row: int, column: object) -> str:
        return f"{self.path}, {self.unit} {self.places[row]}, column {str(column)!r}"


def _read(path: AnyPath, layout: Wide | Long) -> _Read:
    if not isinstance(layout, Wide | Long):
        raise InvalidParameterError(f"layout must be rm.Wide() or rm.Long(...), but {layout!r} came.")
    path = Path(path).expanduser()
    content = _content(path)
    columns = _parquet(path, content, layout) if content.startswith(_PARQUET) else _csv(path, content, layout)
    dates = _dates(columns)
    return _wide(columns, dates) if columns.assets is None else _long(columns, dates)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(_GZIP) else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LayoutError(f"{path} is no whole gzip file: {error}.", path=str(path)) from error
    except OSError as error:
        raise SourceError(f"{path} cannot be opened: {error.strerror or error}.", path=str(path)) from error


def _dates(columns: _Columns) -> pd.DatetimeIndex:
    raw = columns.dates
    if isinstance(raw.dtype, pd.PeriodDtype):
        return pd.DatetimeIndex(raw.dt.to_timestamp(how="end").dt.normalize()).rename(None)
    try:
        return pd.DatetimeIndex(_iso(raw)).rename(None)
    except (ValueError, TypeError):
        row = next(i for i in range(len(raw)) if not _is_date(raw.iloc[i]))
        came = "nothing" if pd.isna(raw.iloc[row]) or raw.iloc[row] == "" else repr(raw.iloc[row])
        raise LayoutError(
            f"{columns.at(row, raw.name)}: {came} came where a date such as 2024-01-31 or 20240131 was expected, "
            "year first.",
            path=str(columns.path),
        ) from None


def _iso(raw: pd.Series[Any]) -> pd.Series[Any]:
    if pd.api.types.is_integer_dtype(raw.dtype):
        raw = raw.astype(str)  # 20240131, which would otherwise be taken for nanoseconds
    dates = (
        pd.to_datetime(raw)
        if pd.api.types.is_datetime64_any_dtype(raw.dtype)
        else pd.to_datetime(raw, format="ISO8601")
    )
    if dates.isna().any():
        raise ValueError("a date is missing")
    # the local date: a return belongs to the day of its own market
    return dates.dt.tz_localize(None).dt.normalize()


def _is_date(cell: object) -> bool:
    try:
        _iso(pd.Series([cell]))
    except (ValueError, TypeError):
        return False
    return True


def _wide(columns: _Columns, dates: pd.DatetimeIndex) -> _Read:
    twice = np.flatnonzero(dates.duplicated())
    if len(twice):
        raise DuplicateDatesError(
            f"{columns.at(int(twice[0]), columns.dates.name)}: {dates[twice[0]].date()} comes a second time. If the "
            "file has one row for each date and asset, say layout=rm.Long(...).",
            path=str(columns.path),
        )
    order = np.argsort(dates.to_numpy(), kind="stable")
    names = columns.numbers.columns.rename(None)
    frame = pd.DataFrame(columns.numbers.to_numpy(dtype=np.float64)[order], dates[order], names)
    return _Read(frame, lambda row, column: columns.at(int(order[row]), frame.columns[column]))


def _long(columns: _Columns, dates: pd.DatetimeIndex) -> _Read:
    assert columns.assets is not None
    value = columns.numbers.columns[0]
    names = columns.assets
    nameless = np.flatnonzero(names.isna() | (names == ""))
    if len(nameless):
        raise LayoutError(f"{columns.at(int(nameless[0]), names.name)}: no asset is named.", path=str(columns.path))
    row_of, days = pd.factorize(dates, sort=True)
    column_of, assets = pd.factorize(names)
    n_assets = len(assets)
    cell = row_of * n_assets + column_of
    twice = np.flatnonzero(pd.Series(cell).duplicated())
    if len(twice):
        i = int(twice[0])
        raise DuplicateDatesError(
            f"{columns.at(i, value)}: {names.iloc[i]} on {dates[i].date()} comes a second time.", path=str(columns.path)
        )
    numbers = np.full(len(days) * n_assets, np.nan)
    numbers[cell] = columns.numbers[value].to_numpy(dtype=np.float64)
    frame = pd.DataFrame(numbers.reshape(len(days), n_assets), pd.DatetimeIndex(days), pd.Index(assets))

    def where(row: int, column: int) -> str:
        return columns.at(int(np.flatnonzero(cell == row * n_assets + column)[0]), value)

    return _Read(frame, where)


# -- CSV ---------------------------------------------------------------------------------------------


def _csv(path: Path, content: bytes, layout: Wide | Long) -> _Columns:
    every = _decode(path, content).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines = [(i, line) for i, line in enumerate(every, start=1) if line and not line.isspace()]
    if len(lines) < 2:
        raise LayoutError(
            f"{path} must have a line of column names and at least one row, but {len(lines)} line(s) came.",
            path=str(path),
        )
    names = _header(path, *lines[0])
    _require_fields(path, lines, names)
    date, asset, values = _choose(path, names, layout)
    numeric = [names.index(v) for v in values]
    text = [names.index(date)] + ([] if asset is None else [names.index(asset)])
    body = "\n".join(line for _, line in lines[1:])
    kinds: dict[Any, Any] = {**dict.fromkeys(text, object), **dict.fromkeys(numeric, np.float64)}
    missing: dict[Any, list[str]] = dict.fromkeys(numeric, _MISSING)
    try:
        table = pd.read_csv(
            io.StringIO(body),
            header=None,
            usecols=[*text, *numeric],
            dtype=kinds,
            na_values=missing,
            keep_default_na=False,
            skipinitialspace=True,
            **_EXACTLY,
        )
    except ValueError as error:
        raise _wrong_cell(path, lines, names, numeric, error) from None
    read = table.rename(columns=dict(enumerate(names)))
    return _Columns(
        path,
        _stripped(read[date]),
        None if asset is None else _stripped(read[asset]),
        read[values],
        [i for i, _ in lines[1:]],
    )


def _stripped(column: pd.Series[Any]) -> pd.Series[Any]:
    """Take spaces off both ends; each text once, because dates and labels come again and again."""
    codes, texts = pd.factorize(column)
    return pd.Series(pd.Index([text.strip() for text in texts], dtype=object).take(codes), name=column.name)


def _decode(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise LayoutError(
            f"{path}, line {line}, byte {column}: this is no text in UTF-8; is it CSV or Parquet?", path=str(path)
        ) from None


def _header(path: Path, number: int, line: str) -> list[str]:
    names = [name.strip() for name in next(csv.reader([line], skipinitialspace=True))]
    if len(names) < 2:
        raise LayoutError(
            f"{path}, line {number}: columns must be separated by commas, but only {names[0]!r} came.", path=str(path)
        )
    # an index column that was written without a name is well known
    nameless = [i + 1 for i, name in enumerate(names) if not name and i]
    if nameless:
        raise LayoutError(f"{path}, line {number}: column {nameless[0]} has no name.", path=str(path))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DuplicateLabelsError(
            f"{path}, line {number}: column(s) {labels.listing(twice)} come more than once.", path=str(path)
        )
    return names


def _require_fields(path: Path, lines: Sequence[tuple[int, str]], names: Sequence[str]) -> None:
    """A row that is cut off must not pass for one whose last returns are missing."""
    commas = len(names) - 1
    for number, line in lines:
        if line.count(",") == commas and '"' not in line:
            continue
        came = len(next(csv.reader([line], skipinitialspace=True)))
        if came != len(names):
            raise LayoutError(
                f"{path}, line {number}: {came} column(s) came where the header has {len(names)}"
                f" (the last is {names[min(came, len(names)) - 1]!r}); was the line cut off, or does a number have a "
                "comma?",
                path=str(path),
                line=number,
            )


def _choose(path: Path, names: Sequence[Any], layout: Wide | Long) -> tuple[Any, Any, list[Any]]:
    """The columns of dates, of labels (None in wide files), and of numbers."""
    asset = None
    if isinstance(layout, Wide):
        date = names[0] if layout.date is None else layout.date
        wanted = [date]
    else:
        date, asset = layout.date, layout.asset
        wanted = [date, asset] + ([] if layout.value is None else [layout.value])
    missing = [w for w in wanted if w not in names]
    if missing:
        raise LayoutError(
            f"{path} has no column {missing[0]!r}; it has {labels.listing(names)}. Say which one it is in "
            f"rm.{type(layout).__name__}(...).",
            path=str(path),
        )
    if len(set(wanted)) < len(wanted):
        raise InvalidParameterError(f"date, asset and value must be different columns, but {layout!r} came.")
    values = wanted[2:] or [n for n in names if n not in wanted]
    if isinstance(layout, Long) and len(values) != 1:
        raise LayoutError(
            f"{path} must have one column of numbers beside {date!r} and {asset!r}, but it has "
            f"{labels.listing(values) or 'none'}; say which with rm.Long(value=...).",
            path=str(path),
        )
    return date, asset, values


def _wrong_cell(
    path: Path, lines: Sequence[tuple[int, str]], names: Sequence[str], numeric: Sequence[int], error: ValueError
) -> LayoutError:
    """Find what pandas could not read as a number; it says neither line nor column."""
    for number, line in lines[1:]:
        cells = [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True))]
        for i in numeric:
            if cells[i] not in _MISSING and not _is_number(cells[i]):
                return LayoutError(
                    f"{path}, line {number}, column {names[i]!r}: {cells[i]!r} came where a number such as -0.0123 was "
                    "expected. A missing one is left empty; a file with one row for each date and asset needs "
                    "layout=rm.Long(...).",
                    path=str(path),
                    line=number,
                    column=names[i],
                )
    return LayoutError(f"{path} cannot be read: {error}.", path=str(path))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


# -- Parquet -----------------------------------------------------------------------------------------


def _parquet(path: Path, content: bytes, layout: Wide | Long) -> _Columns:
    try:
        table = pd.read_parquet(io.BytesIO(content), engine="pyarrow")
    except ImportError as error:
        raise MissingExtraError(
            f"{path}: Parquet needs pyarrow, which is not installed; pip install 'riskmodel[cache]'."
        ) from error
    except (ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise LayoutError(f"{path} is no whole Parquet file: {reason}", path=str(path)) from error
    table = _with_dates_as_a_column(table)
    names = labels.unique(table.columns, f"the columns of {path}").tolist()
    if len(names) < 2 or not len(table):
        raise LayoutError(
            f"{path} must have dates, at least one column of numbers and one row, but {len(names)} column(s) and "
            f"{len(table)} row(s) came.",
            path=str(path),
        )
    date, asset, values = _choose(path, names, layout)
    columns = _Columns(
        path, table[date], None if asset is None else table[asset], table[values], range(1, len(table) + 1), "row"
    )
    return _with_numbers(columns)


def _with_dates_as_a_column(table: pd.DataFrame) -> pd.DataFrame:
    if isinstance(table.index, pd.RangeIndex) and table.index.name is None:
        return table
    names = [name if name is not None else f"index {i}" for i, name in enumerate(table.index.names)]
    return table.reset_index(names=names)


def _with_numbers(columns: _Columns) -> _Columns:
    for name, column in columns.numbers.items():
        if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
            continue
        for row, cell in enumerate(column):
            if not _is_stored_number(cell):
                raise LayoutError(
                    f"{columns.at(row, name)}: {cell!r} came where a number was expected; a file with one row for each "
                    "date and asset needs layout=rm.Long(...).",
                    path=str(columns.path),
                )
    return evolve(columns, numbers=columns.numbers.apply(_as_float))


def _is_stored_number(cell: object) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, Real | Decimal) and not isinstance(cell, bool))


def _as_float(column: pd.Series[Any]) -> pd.Series[float]:
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.Series(numbers, column.index)
