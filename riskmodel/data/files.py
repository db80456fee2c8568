"""Returns and prices from files: CSV and Parquet, one column an asset or one row a date and asset."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import re
import zlib
from collections.abc import Callable, Hashable, Iterable, Sequence
from decimal import Decimal
from numbers import Real
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.paths import AnyPath, read_path
from riskmodel.errors import (
    DuplicateDatesError,
    DuplicateLabelsError,
    ImpossibleReturnsError,
    InfiniteReturnsError,
    InvalidParameterError,
    LayoutError,
    MissingExtraError,
)
from riskmodel.panel.layout import Either, Layout, Long, Wide
from riskmodel.panel.stored.parquet import require_one_level, unopened

# What stands for a missing number in CSV, in any case; "." is how SAS writes it.
_MISSING = frozenset({"", ".", "na", "n/a", "#n/a", "#na", "nan", "-nan", "null", "none", "<na>"})
_AS_USUAL = ["", ".", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>"]
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?inf(?:inity)?", re.IGNORECASE)
# 2018-11-30, 20181130, 2018/11/30, 2018-11, 201811, 2018; a time of day may follow a day, and does not matter
_DATE = re.compile(
    r"""
    (?P<year>[0-9]{4})
    (?: (?P<sign>[-/]) (?P<month>[0-9]{1,2}) (?: (?P=sign) (?P<day>[0-9]{1,2}) )?
      | (?P<month2>[0-9]{2}) (?P<day2>[0-9]{2})?
    )?
    (?P<time>
      [T ] (?:[01]?[0-9]|2[0-4]) :?[0-5][0-9] (?: :?(?:[0-5][0-9]|60) (?:[.,][0-9]+)? )?   # to the minute, or finer
      (?: [ ]?[AaPp][Mm] )?
      (?: [ ]?(?:UTC|GMT)?[+-][0-9]{1,2}(?::?[0-9]{2}){0,2} | [ ]?[A-Za-z]+(?:[/_+-][A-Za-z0-9]+)* )?   # +01:00, EST
      (?: \[[A-Za-z0-9/_+-]+\] )?   # [America/New_York]
    )?
    """,
    re.VERBOSE,
)
_YEARS = range(1700, 2262)
# To the last digit, which pandas does by itself from 3.1 on, and deprecates to be asked for.
_EXACTLY: dict[str, Any] = {"float_precision": "round_trip"} if pd.__version__ < "3.1" else {}
_GZIP, _PARQUET, _ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"
_SEPARATORS = {";": "';'", "\t": "tabs", "|": "'|'"}
_COMMAS = "commas must separate columns, and decimals take a point: 0.01, not 0,01"
_SAY_LONG = (
    "A file with one row for each date and asset must be read as one: layout=rm.Long(...), or --columns on the "
    "command line."
)
_SAY_MISSING = "If it stands for a missing number, leave the cell empty, or write NA."
# what stands for a missing number in some program: #VALUE!, -, n/m, n.a., (none)
_MARK = re.compile(r"#.*|[^A-Za-z]*|[A-Za-z][./][A-Za-z]\.?|\(.*\)")
_SAY_AS_NUMBERS = "Store the column as numbers, not as text."
_SAY_PERCENT = (
    "Take the sign away, and read the file in percent: rm.read_percent_returns, or --percent-returns on the command "
    "line."
)
_SAY_DATE = "If this is the column of dates, say so: layout=rm.Wide(date=...), or --columns on the command line."
# pandas reads a column of these as ones and zeros, even where numbers are asked for
_TRUTH = re.compile(r"true|false", re.IGNORECASE)


def read_returns(path: str | PathLike[str], layout: Layout = Wide()) -> pd.DataFrame:
    r"""Read simple returns in decimals (0.01 is one percent) from a CSV or Parquet file.

    Parameters
    ----------
    path : path
        A file on this machine; CSV may be compressed with gzip. Dates are year first (``2024-01-31`` or ``20240131``;
        months ``2024-01`` or ``202401``); numbers have a point; a missing one is empty, ``.``, ``NA`` or ``NaN``. Lines
        with nothing but commas are none. Labels that come from CSV are strings, those from Parquet as they were stored.
    layout : Wide or Long
        One column an asset (the default), or one row for each date and asset.

    Returns
    -------
    DataFrame, dates × assets
        Decimals by date, increasing; NaN where missing. For `InMemory`, which is told what one row spans.

    Raises
    ------
    InvalidParameterError
        If `path` or `layout` is none.
    SourceError
        If the file cannot be opened.
    LayoutError
        If it cannot be read: the message names file, line and column (in Parquet row and column).
    DuplicateLabelsError, DuplicateDatesError
        If an asset or a date comes twice.
    InfiniteReturnsError
        If a number is infinite.
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


def read_percent_returns(path: str | PathLike[str], layout: Layout = Wide()) -> pd.DataFrame:
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


def read_prices(path: str | PathLike[str], layout: Layout = Wide()) -> pd.DataFrame:
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
    if len(prices) < 2:
        raise LayoutError(
            f"{path} must have prices on two dates at least, to make a return of, but one came.", path=str(path)
        )
    wrong = prices <= 0.0
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ImpossibleReturnsError(
            f"{read.where(int(row), int(column))}: a price must be positive, but {prices[row, column]:g} came"
            f"{'' if wrong.sum() == 1 else f', and {int(wrong.sum()) - 1} more'}. Some sources mark a midpoint of bid "
            "and ask by a minus, and a missing price by zero: take the absolute value, or leave it empty."
        )
    with np.errstate(over="ignore"):
        returns = prices[1:] / prices[:-1] - 1.0
    infinite = np.isinf(returns)
    if infinite.any():
        row, column = (int(i) for i in np.argwhere(infinite)[0])
        raise InfiniteReturnsError(
            f"{read.where(row + 1, column)}: the price {prices[row + 1, column]:g} came after "
            f"{prices[row, column]:g}, and the return from one to the other is no finite number.",
            path=str(path),
        )
    return pd.DataFrame(returns, read.frame.index[1:], read.frame.columns)


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


def _read(path: AnyPath, layout: Layout) -> _Read:
    if not isinstance(layout, Wide | Long | Either):
        raise InvalidParameterError(f"layout must be rm.Wide() or rm.Long(...), but {layout!r} came.")
    path = read_path(path, "path")
    content = _content(path)
    if path.suffix.lower() in {".parquet", ".pq"} and not content.startswith(_PARQUET):
        raise LayoutError(f"{path} is no Parquet file, whatever its name: it does not begin as one.", path=str(path))
    columns = _parquet(path, content, layout) if content.startswith(_PARQUET) else _csv(path, content, layout)
    _require_finite(columns)
    dates = _dates(columns)
    return _wide(columns, dates) if columns.assets is None else _long(columns, dates)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        unpacked = gzip.decompress(content) if content.startswith(_GZIP) else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LayoutError(f"{path} is no whole gzip file: {error}.", path=str(path)) from error
    except OSError as error:
        raise unopened(path, error) from error
    if unpacked.startswith(_GZIP):
        raise LayoutError(f"{path} is compressed with gzip twice; unpack it once.", path=str(path))
    return unpacked


def _require_finite(columns: _Columns) -> None:
    infinite = np.isinf(columns.numbers.to_numpy(dtype=np.float64))
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise InfiniteReturnsError(
            f"{columns.at(int(row), columns.numbers.columns[column])}: a number is infinite"
            f"{'' if infinite.sum() == 1 else f', and {int(infinite.sum()) - 1} more'}; a return over a price of zero "
            "looks like this. A missing one is left empty.",
            path=str(columns.path),
        )


def _dates(columns: _Columns) -> pd.DatetimeIndex:
    raw = columns.dates
    gone = np.flatnonzero(raw.isna())
    if len(gone):
        raise _no_date(columns, int(gone[0]))
    if isinstance(raw.dtype, pd.PeriodDtype):
        _require_years(columns, raw.dt.year)
        return pd.DatetimeIndex(raw.dt.to_timestamp(how="end").dt.normalize()).rename(None)
    if pd.api.types.is_datetime64_any_dtype(raw.dtype):
        _require_years(columns, raw.dt.year)
        # the local date: a return belongs to the day of its own market
        return pd.DatetimeIndex(raw.dt.tz_localize(None).dt.normalize()).rename(None)
    codes, texts = pd.factorize(raw.astype(str))
    read = [_date(text) for text in texts]
    first = read[codes[0]]
    for code, one in enumerate(read):
        if one is None or first is None or one[1] != first[1]:
            raise _no_date(columns, int(np.flatnonzero(codes == code)[0]))
    days = np.array([one[0] for one in read if one is not None], dtype="datetime64[D]")
    return pd.DatetimeIndex(days.astype("datetime64[ns]")[codes])


def _require_years(columns: _Columns, years: pd.Series[int]) -> None:
    wrong = np.flatnonzero(~years.between(_YEARS[0], _YEARS[-1]))
    if len(wrong):
        raise _no_date(columns, int(wrong[0]))


def _date(text: str) -> tuple[dt.date, int] | None:
    """Read a date, and of how many parts it is: a month or a year is dated by its first day."""
    found = _DATE.fullmatch(text.strip())
    if found is None or int(found["year"]) not in _YEARS:
        return None
    month, day = found["month"] or found["month2"], found["day"] or found["day2"]
    if found["time"] and not day:
        return None
    try:
        return dt.date(int(found["year"]), int(month or 1), int(day or 1)), 1 + bool(month) + bool(day)
    except ValueError:
        return None


def _no_date(columns: _Columns, row: int) -> LayoutError:
    raw = columns.dates.iloc[row]
    came = "nothing" if raw is None or raw is pd.NaT or raw is pd.NA or str(raw) in {"", "nan"} else repr(str(raw))
    also = ", in the form of those above it" if _date(str(raw)) else ""
    return LayoutError(
        f"{columns.at(row, columns.dates.name)}: {came} came where a date such as 2024-01-31 or 20240131 was expected, "
        f"year first, of {_YEARS[0]} to {_YEARS[-1]}{also}.",
        path=str(columns.path),
    )


def _wide(columns: _Columns, dates: pd.DatetimeIndex) -> _Read:
    twice = np.flatnonzero(dates.duplicated())
    if len(twice):
        raise DuplicateDatesError(
            f"{columns.at(int(twice[0]), columns.dates.name)}: {dates[twice[0]].date()} comes a second time. "
            f"{_SAY_LONG}",
            path=str(columns.path),
        )
    order = np.argsort(dates.to_numpy(), kind="stable")
    names = columns.numbers.columns.rename(None)
    frame = pd.DataFrame(columns.numbers.to_numpy(dtype=np.float64)[order], dates[order], names)
    return _Read(frame, lambda row, column: columns.at(int(order[row]), frame.columns[column]))


def _long(columns: _Columns, dates: pd.DatetimeIndex) -> _Read:
    assert columns.assets is not None
    value = columns.numbers.columns[0]
    names = _flat(columns, columns.assets)
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


def _flat(columns: _Columns, names: pd.Series[Any]) -> pd.Series[Any]:
    """Labels as they are, not as codes of categories; a list is none."""
    if isinstance(names.dtype, pd.CategoricalDtype):
        return names.astype(names.cat.categories.dtype)
    listed = [] if names.dtype != object else [i for i, name in enumerate(names) if not isinstance(name, Hashable)]
    if listed:
        raise LayoutError(
            f"{columns.at(listed[0], names.name)}: {names.iloc[listed[0]]!r} came where the label of an asset was "
            "expected; a label is text, a number or a date.",
            path=str(columns.path),
        )
    return names


# -- CSV ---------------------------------------------------------------------------------------------


def _csv(path: Path, content: bytes, layout: Layout) -> _Columns:
    every = _decode(path, content).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    # spreadsheets write lines of commas alone where cells were cleared
    lines = [(i, line) for i, line in enumerate(every, start=1) if line.strip(', \t"')]
    if len(lines) < 2:
        raise LayoutError(
            f"{path} must have a line of column names and at least one row, but {len(lines)} line(s) came.",
            path=str(path),
        )
    names = _header(path, *lines[0])
    _require_fields(path, lines, names)
    # row numbers come without a name, where that is not the column of dates
    layout = layout.given([name for name in names if name])
    date, asset, values = _choose(path, names, layout, [name for name in names if not name])
    numeric = [names.index(v) for v in values]
    text = [names.index(date)] + ([] if asset is None else [names.index(asset)])
    body, places = "\n".join(line for _, line in lines[1:]), [i for i, _ in lines[1:]]
    table = _quickly(body, text, numeric)
    read = (_as_text(path, body, [*text, *numeric]) if table is None else table).rename(columns=dict(enumerate(names)))
    if len(read) != len(places):
        raise LayoutError(
            f"{path}: {len(places)} lines are there, but {len(read)} rows were read; look for stray quotes.",
            path=str(path),
        )
    if table is None:
        read[values] = _numbers(path, read[values], places)
    return _Columns(
        path, _stripped(read[date]), None if asset is None else _stripped(read[asset]), read[values], places
    )


def _quickly(body: str, text: Sequence[int], numeric: Sequence[int]) -> pd.DataFrame | None:
    """Let pandas read the numbers; None where it cannot, or would take words for ones and zeros."""
    if _TRUTH.search(body):
        return None
    try:
        return _parsed(body, text, numeric)
    except ValueError:
        return None


def _as_text(path: Path, body: str, columns: Sequence[int]) -> pd.DataFrame:
    try:
        return _parsed(body, columns, [])
    except ValueError as error:
        raise LayoutError(f"{path} cannot be read as CSV: {' '.join(str(error).split())}.", path=str(path)) from error


def _parsed(body: str, text: Sequence[int], numeric: Sequence[int]) -> pd.DataFrame:
    kinds: dict[Any, Any] = {**dict.fromkeys(text, object), **dict.fromkeys(numeric, np.float64)}
    missing: dict[Any, list[str]] = dict.fromkeys(numeric, _AS_USUAL)
    table: pd.DataFrame = pd.read_csv(
        io.StringIO(body),
        header=None,
        usecols=[*text, *numeric],
        dtype=kinds,
        na_values=missing,
        keep_default_na=False,
        skipinitialspace=True,
        **_EXACTLY,
    )
    return table


def _numbers(path: Path, cells: pd.DataFrame, places: Sequence[int]) -> pd.DataFrame:
    """Read numbers one by one, where pandas could not; it says neither line nor column of what is none."""
    texts = cells.to_numpy(dtype=object)
    numbers = np.full(texts.shape, np.nan)
    for row, column in np.ndindex(*texts.shape):
        text = str(texts[row, column]).strip()
        if _NUMBER.fullmatch(text):
            numbers[row, column] = float(text)
        elif text.casefold() not in _MISSING:
            name = cells.columns[column]
            raise LayoutError(
                f"{path}, line {places[row]}, column {name!r}: {text!r} came where a number such as -0.0123 was "
                f"expected; decimals take a point, and a missing one is left empty."
                f"{_advice(text, texts[:, column])}",
                path=str(path),
                line=places[row],
                column=name,
            )
    return pd.DataFrame(numbers, cells.index, cells.columns)


def _advice(text: str, column: Iterable[object]) -> str:
    """What to do about a cell that is no number, in a column that has some, or none."""
    if _date(text):
        return f" {_SAY_DATE}"
    if text.endswith("%"):
        return f" {_SAY_PERCENT}"
    if any(letter.isdigit() for letter in text) and not text.startswith("#"):
        return ""
    among_numbers = any(_NUMBER.fullmatch(str(cell).strip()) for cell in column)
    return f" {_SAY_MISSING}" if among_numbers or _MARK.fullmatch(text) else f" {_SAY_LONG}"


def _stripped(column: pd.Series[Any]) -> pd.Series[Any]:
    """Take spaces off both ends; each text once, because dates and labels come again and again."""
    codes, texts = pd.factorize(column)
    return pd.Series(pd.Index([text.strip() for text in texts], dtype=object).take(codes), name=column.name)


def _decode(path: Path, content: bytes) -> str:
    if content.startswith(_ZIP):
        raise LayoutError(
            f"{path} is a zip archive or an Excel workbook; unpack it, or save it as CSV.", path=str(path)
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_text(path, content, error.start) from None
    if "\0" in text:
        raise _no_text(path, content, content.index(b"\0"))
    return text


def _no_text(path: Path, content: bytes, at: int) -> LayoutError:
    before = content[:at]
    line, byte = before.count(b"\n") + 1, at - (before.rfind(b"\n") + 1) + 1
    return LayoutError(
        f"{path}, line {line}, byte {byte}: this is no text in UTF-8; save it as UTF-8, if it is text, and not as "
        "UTF-16 or in another character set.",
        path=str(path),
    )


def _header(path: Path, number: int, line: str) -> list[str]:
    if line.casefold().startswith(("sep=", '"sep=')):
        raise LayoutError(
            f"{path}, line {number}: {line!r} is for Excel alone; take this line out. {_COMMAS.capitalize()}.",
            path=str(path),
        )
    names = [name.strip() for name in _fields(path, number, line)]
    if len(names) < 2:
        sign = next((said for sign, said in _SEPARATORS.items() if sign in line), None)
        came = f"they are separated by {sign}" if sign else f"only {names[0]!r} came"
        raise LayoutError(f"{path}, line {number}: {_COMMAS}, but {came}.", path=str(path))
    # an index column that was written without a name is well known
    nameless = [i + 1 for i, name in enumerate(names) if not name and i]
    if nameless:
        raise LayoutError(
            f"{path}, line {number}: column {nameless[0]} has no name; name it, or take it out.", path=str(path)
        )
    _require_names(path, number, names)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DuplicateLabelsError(
            f"{path}, line {number}: column(s) {labels.listing(twice)} came more than once; rename or drop one.",
            path=str(path),
        )
    return names


def _require_names(path: Path, number: int, names: Sequence[str]) -> None:
    """A file without a header would lose its first row, and have numbers for names."""
    date = _date(names[0])
    if date is not None and (date[1] == 3 or all(_NUMBER.fullmatch(name) for name in names[1:])):
        raise LayoutError(
            f"{path}, line {number}: {names[0]!r} came where the name of a column was expected; put a line with the "
            "names of the columns above the first row.",
            path=str(path),
        )


def _require_fields(path: Path, lines: Sequence[tuple[int, str]], names: Sequence[str]) -> None:
    """A row that is cut off must not pass for one whose last returns are missing."""
    commas = len(names) - 1
    for number, line in lines:
        if line.count(",") == commas and '"' not in line:
            continue
        came = len(_fields(path, number, line))
        if came != len(names):
            raise LayoutError(
                f"{path}, line {number}: {came} column(s) came where the header has {len(names)}"
                f" (the last is {names[min(came, len(names)) - 1]!r}); was the line cut off, or does a number have a "
                f"comma? Mind that {_COMMAS}.",
                path=str(path),
                line=number,
            )


def _fields(path: Path, number: int, line: str) -> list[str]:
    """Split one line; a quote that is left open would take the lines below it for its own, and their rows with them."""
    # a line more, to see whether it is asked for
    rows = csv.reader([line, ""], skipinitialspace=True)
    try:
        fields = next(rows)
    except csv.Error as error:
        raise LayoutError(
            f"{path}, line {number}: this is no line of columns: {error}.", path=str(path), line=number
        ) from error
    if rows.line_num > 1:
        raise LayoutError(
            f"{path}, line {number}: a quote is opened and not closed on its line; close it, take it out, or, where "
            "it belongs to the text, write two of them inside quotes. A cell must not go over several lines.",
            path=str(path),
            line=number,
        )
    return fields


def _choose(path: Path, names: Sequence[Any], layout: Layout, index: Sequence[Any]) -> tuple[Any, Any, list[Any]]:
    """The columns of dates, of labels (None in wide files), and of numbers, which an index has only if it is named."""
    asset = None
    if isinstance(layout, Wide):
        date = names[0] if layout.date is None else layout.date
        wanted = [date]
    else:
        assert isinstance(layout, Long)
        date, asset = layout.date, layout.asset
        wanted = [date, asset] + ([] if layout.value is None else [layout.value])
    missing = [w for w in wanted if w not in names]
    if missing:
        raise LayoutError(
            f"{path} has no column {missing[0]!r}; it has {labels.listing(names)}. Say which one it is: "
            f"layout=rm.{type(layout).__name__}(...), or --columns on the command line.",
            path=str(path),
        )
    if len(set(wanted)) < len(wanted):
        raise InvalidParameterError(f"date, asset and value must be different columns, but {layout!r} came.")
    values = wanted[2:] or [n for n in names if n not in wanted and n not in index]
    if isinstance(layout, Long) and len(values) != 1:
        raise LayoutError(
            f"{path} must have one column of numbers beside {date!r} and {asset!r}, but it has "
            f"{labels.listing(values) or 'none'}; say which: "
            "layout=rm.Long(value=...), or a third name in --columns on the command line.",
            path=str(path),
        )
    return date, asset, values


# -- Parquet -----------------------------------------------------------------------------------------

# What reading a file that is not whole, or whose notes for pandas are not, can raise.
_DAMAGED = (ValueError, OSError, LookupError, TypeError, AttributeError, RuntimeError, MemoryError)


def _parquet(path: Path, content: bytes, layout: Layout) -> _Columns:
    try:
        table = pd.read_parquet(io.BytesIO(content), engine="pyarrow")
    except ImportError as error:
        raise MissingExtraError.of(f"{path}: Parquet", "pyarrow", "cache") from error
    except _DAMAGED as error:
        _require_columns_once(path, content)
        reason = (str(error).strip().splitlines() or ["no reason is given"])[0]
        raise LayoutError(
            f"{path} is no whole Parquet file: {type(error).__name__}: {reason}", path=str(path)
        ) from error
    require_one_level(path, table.columns)
    table, index = _with_index_as_columns(table)
    names = labels.unique(table.columns, f"the columns of {path}").tolist()
    if len(names) < 2 or not len(table):
        raise LayoutError(
            f"{path} must have dates, at least one column of numbers and one row, but {len(names)} column(s) and "
            f"{len(table)} row(s) came.",
            path=str(path),
        )
    layout = layout.given([name for name in names if name not in index or index[name] is not None])
    if isinstance(layout, Wide) and len(index) > 1:
        raise LayoutError(
            f"{path} must be indexed by dates alone, but its index has the levels {labels.listing(index)}. {_SAY_LONG}",
            path=str(path),
        )
    date, asset, values = _choose(path, names, layout, list(index))
    columns = _Columns(
        path, table[date], None if asset is None else table[asset], table[values], range(1, len(table) + 1), "row"
    )
    return _with_numbers(columns)


def _require_columns_once(path: Path, content: bytes) -> None:
    """A file may hold two columns of one name, which its reader refuses for reasons of its own."""
    from pyarrow import parquet  # noqa: PLC0415 - optional

    try:
        names = parquet.read_schema(io.BytesIO(content)).names
    except _DAMAGED:
        return
    labels.unique(names, f"the columns of {path}")


def _with_index_as_columns(table: pd.DataFrame) -> tuple[pd.DataFrame, dict[Any, Any]]:
    """The index as columns in front, or behind where it is row numbers; and the name that each of these had."""
    if isinstance(table.index, pd.RangeIndex) and table.index.name is None:
        return table, {}
    index = {f"index {i}" if name is None else name: name for i, name in enumerate(table.index.names)}
    numbers = [pd.api.types.is_numeric_dtype(dtype) for dtype in (table.index.dtype, *table.dtypes[:1])]
    whole = table.reset_index(names=list(index))
    # row numbers that filtering or sorting left; without other dates beside them they may be years
    if list(index.values()) == [None] and numbers == [True, False]:
        whole = whole[[*table.columns, *index]]
    return whole, index


def _with_numbers(columns: _Columns) -> _Columns:
    for name, column in columns.numbers.items():
        if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
            continue
        for row, cell in enumerate(column):
            if not _is_stored_number(cell):
                advice = _SAY_AS_NUMBERS if _NUMBER.fullmatch(str(cell).strip()) else _SAY_LONG
                raise LayoutError(
                    f"{columns.at(row, name)}: {cell!r} came where a number was expected. {advice}",
                    path=str(columns.path),
                )
    return evolve(columns, numbers=columns.numbers.apply(_as_float))


def _is_stored_number(cell: object) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, Real | Decimal) and not isinstance(cell, bool))


def _as_float(column: pd.Series[Any]) -> pd.Series[float]:
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.Series(numbers, column.index)
