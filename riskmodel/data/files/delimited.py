"""Text files of separated columns: CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel.data.files import dates
from riskmodel.data.files.choice import Choice
from riskmodel.data.files.columns import Columns
from riskmodel.data.files.numbers import MISSING_AS_WRITTEN, is_number, parse_numbers
from riskmodel.errors import DuplicateLabelsError, LayoutError
from riskmodel.panel.layout import Layout

# To the last digit, which pandas does by itself from 3.1 on, and deprecates to be asked for.
_EXACTLY: dict[str, Any] = {"float_precision": "round_trip"} if pd.__version__ < "3.1" else {}
_SEPARATORS = {";": "';'", "\t": "tabs", "|": "'|'"}
_COMMAS = "commas between columns and a decimal point (0.01, not 0,01)"
# pandas reads a column of these as ones and zeros, even where numbers are asked for
_TRUTH = re.compile(r"true|false", re.IGNORECASE)


def read_columns(path: Path, text: str, layout: Layout) -> Columns:
    """Read the columns of a CSV file.

    Raises
    ------
    LayoutError
        If it cannot be read, with the line and the column.
    DuplicateLabelsError
        If two columns have one name.
    """
    every = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    # spreadsheets write lines of commas alone where cells were cleared
    lines = [(i, line) for i, line in enumerate(every, start=1) if line.strip(', \t"')]
    if len(lines) < 2:
        raise LayoutError(
            f"expected a line of column names and at least one row in {path}, got {len(lines)} line(s); add them.",
            path=str(path),
            lines=len(lines),
        )
    names = _header(path, *lines[0])
    _require_fields(path, lines, names)
    # row numbers have no name, unless they are the column of dates
    layout = layout.given([name for name in names if name])
    chosen = Choice.of(path, names, layout, [name for name in names if not name])
    return _columns(path, lines[1:], names, chosen)


def _columns(path: Path, lines: Sequence[tuple[int, str]], names: Sequence[str], chosen: Choice) -> Columns:
    numeric = [names.index(v) for v in chosen.numbers]
    text = [names.index(name) for name in (chosen.date, chosen.asset) if name is not None]
    body, places = "\n".join(line for _, line in lines), [i for i, _ in lines]
    table = _quickly(body, text, numeric)
    read = (_as_text(path, body, [*text, *numeric]) if table is None else table).rename(columns=dict(enumerate(names)))
    if len(read) != len(places):
        raise LayoutError(
            f"expected {len(places)} rows in {path}, got {len(read)}; remove stray quotes.",
            path=str(path),
            lines=len(places),
            rows=len(read),
        )
    numbers = parse_numbers(path, read[chosen.numbers], places) if table is None else read[chosen.numbers]
    assets = None if chosen.asset is None else _stripped(read[chosen.asset])
    return Columns(path, _stripped(read[chosen.date]), assets, numbers, places)


def _quickly(body: str, text: Sequence[int], numeric: Sequence[int]) -> pd.DataFrame | None:
    """Let pandas read the numbers; None where it cannot, or would read words as ones and zeros."""
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
        raise LayoutError(
            f"expected CSV in {path}, got text that pandas cannot split: {' '.join(str(error).split())}; mend it.",
            path=str(path),
        ) from error


def _parsed(body: str, text: Sequence[int], numeric: Sequence[int]) -> pd.DataFrame:
    kinds: dict[Any, Any] = {**dict.fromkeys(text, object), **dict.fromkeys(numeric, np.float64)}
    missing: dict[Any, list[str]] = dict.fromkeys(numeric, MISSING_AS_WRITTEN)
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


def _stripped(column: pd.Series[Any]) -> pd.Series[Any]:
    """Remove spaces at both ends, once for each different text, because dates and labels repeat."""
    codes, texts = pd.factorize(column)
    return pd.Series(pd.Index([text.strip() for text in texts], dtype=object).take(codes), name=column.name)


# -- header and lines --------------------------------------------------------------------------------


def _header(path: Path, number: int, line: str) -> list[str]:
    if line.casefold().startswith(("sep=", '"sep=')):
        raise LayoutError(
            f"{path}, line {number}: expected the names of columns, got {line!r}, which only Excel reads; remove the "
            f"line, and write {_COMMAS}.",
            path=str(path),
            line=number,
            got=line,
        )
    names = [name.strip() for name in split(path, number, line)]
    if len(names) < 2:
        sign = next((said for sign, said in _SEPARATORS.items() if sign in line), None)
        got = f"columns separated by {sign}" if sign else f"only {names[0]!r}"
        raise LayoutError(
            f"{path}, line {number}: expected {_COMMAS}, got {got}; save it as CSV with commas.",
            path=str(path),
            line=number,
            got=line,
        )
    # an index column that was written without a name is well known
    nameless = [i + 1 for i, name in enumerate(names) if not name and i]
    if nameless:
        raise LayoutError(
            f"{path}, line {number}: expected a name for each column, got none for column {nameless[0]}; name it, or "
            "remove it.",
            path=str(path),
            line=number,
            position=nameless[0],
        )
    _require_names(path, number, names)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DuplicateLabelsError(
            f"{path}, line {number}: expected each column once, got {labels.listing(twice)} more than once; rename or "
            "remove one.",
            path=str(path),
            line=number,
            labels=twice,
        )
    return names


def _require_names(path: Path, number: int, names: Sequence[str]) -> None:
    """Raise for a file without a header: its first row would be lost, and its numbers would be names."""
    date = dates.parse(names[0])
    if date is not None and (date[1] == 3 or all(is_number(name) for name in names[1:])):
        raise LayoutError(
            f"{path}, line {number}: expected the names of columns, got {names[0]!r}; add a line with names above the "
            "first row.",
            path=str(path),
            line=number,
            got=names[0],
        )


def _require_fields(path: Path, lines: Sequence[tuple[int, str]], names: Sequence[str]) -> None:
    """Raise for a row that is cut off: its last returns would be missing."""
    commas = len(names) - 1
    for number, line in lines:
        if line.count(",") == commas and '"' not in line:
            continue
        count = len(split(path, number, line))
        if count != len(names):
            raise LayoutError(
                f"{path}, line {number}: expected {len(names)} columns as in the header, got {count} (the last is "
                f"{names[min(count, len(names)) - 1]!r}); restore the line if it was cut off, and write {_COMMAS}.",
                path=str(path),
                line=number,
                expected=len(names),
                got=count,
            )


def split(path: Path, number: int, line: str) -> list[str]:
    """Split one line; raise for a quote that is left open, because it would include the lines below."""
    # a line more, to see whether it is asked for
    rows = csv.reader([line, ""], skipinitialspace=True)
    try:
        fields = next(rows)
    except csv.Error as error:
        raise LayoutError(
            f"{path}, line {number}: expected separated columns, got a line that cannot be split: {error}; mend it.",
            path=str(path),
            line=number,
        ) from error
    if rows.line_num > 1:
        raise LayoutError(
            f"{path}, line {number}: expected each quote closed on its line, got one left open; close it, remove it, "
            "or write it twice inside quotes where it belongs to the text.",
            path=str(path),
            line=number,
        )
    return fields
