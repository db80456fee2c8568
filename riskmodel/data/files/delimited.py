"""Text files of separated columns: CSV."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from attrs import evolve

from riskmodel._core.progress import Progress
from riskmodel.data.files import crsp
from riskmodel.data.files.choice import Choice, Names
from riskmodel.data.files.codes import MissingCodes
from riskmodel.data.files.columns import Columns
from riskmodel.data.files.footer import without_events, without_footer
from riskmodel.data.files.grids import COLUMNS, Grid
from riskmodel.data.files.header import Header
from riskmodel.data.files.lines import Lines, read_lines, split
from riskmodel.data.files.numbers import MISSING_AS_WRITTEN, NumberReader
from riskmodel.data.files.options import ReadOptions
from riskmodel.data.files.unit import Unit
from riskmodel.errors import LayoutError
from riskmodel.panel.layout import Either, Layout, Long, Wide

# To the last digit, which pandas does by itself from 3.1 on, and deprecates to be asked for.
_EXACTLY: dict[str, Any] = {"float_precision": "round_trip"} if pd.__version__ < "3.1" else {}
# pandas reads a column of these as ones and zeros, even where numbers are asked for
_TRUTH = re.compile(r"true|false", re.IGNORECASE)


def read_columns(path: Path, text: str, options: ReadOptions) -> Columns:
    """Read the columns of a text file.

    Raises
    ------
    LayoutError
        If it cannot be read, with the line and the column.
    DuplicateLabelsError
        If two columns have one name.
    """
    # once through the lines, once through the numbers
    progress = Progress(f"Reading {path.name}", 2 * len(text), "characters")
    progress.add(0)
    try:
        return _read_columns(path, text, options, progress)
    finally:
        progress.clear()


def _read_columns(path: Path, text: str, options: ReadOptions, progress: Progress) -> Columns:
    lines = read_lines(text)
    if not lines:
        raise LayoutError(
            f"expected a line of column names and at least one row in {path}, got an empty file; fetch it again.",
            path=str(path),
            lines=0,
        )
    layout = options.layout
    grid = Grid.of(path, lines) if _is_open(layout) else None
    if grid is not None:
        lines, layout = list(grid.lines), Long(*COLUMNS, dates=getattr(layout, "dates", None))
    header = Header.read(path, lines)
    # row numbers have no name, unless they are the column of dates
    layout = layout.given([name for name in header.names if name])
    index = [name for name in header.names if not name or name in header.empty]
    chosen = Names(path, header.names, index, header.fields).choose(layout, options)
    rows, events = without_events(path, lines[header.count :], header)
    rows, footer = without_footer(path, rows, header)
    notes = header.notes + (grid.notes if grid is not None else ()) + chosen.notes + events + footer
    chosen = evolve(chosen, notes=notes)
    _require_fields(path, rows, header)
    progress.add(len(text))
    columns = _columns(path, rows, header, chosen, options, progress=progress)
    return crsp.tidied(columns, options.unit) if chosen.is_crsp else columns


def _is_open(layout: Layout) -> bool:
    """Whether a layout leaves it to the file which columns are read."""
    return isinstance(layout, Either) or (isinstance(layout, Wide) and layout.date is None and layout.columns is None)


def _columns(
    path: Path, lines: Lines, header: Header, chosen: Choice, options: ReadOptions, *, progress: Progress
) -> Columns:
    at = {name: header.names.index(name) for name in chosen.columns}
    text, numeric = [at[n] for n in chosen.columns if n not in chosen.numbers], [at[n] for n in chosen.numbers]
    body, places = "\n".join(line for _, line in lines), [i for i, _ in lines]
    missing = options.missing | header.codes | (crsp.CODES if chosen.is_crsp else MissingCodes())
    # a lone point may stand between thousands, which pandas does not know
    doubtful = options.unit is Unit.PRICE and header.separator != ","
    split_by = header.separator
    table = None if doubtful else _quickly(_Watched(body, progress), text, numeric, split_by, missing.texts)
    read = _as_text(path, _Watched(body, progress), [*text, *numeric], split_by) if table is None else table
    read = read.rename(columns=dict(enumerate(header.names)))
    if len(read) != len(places):
        raise LayoutError(
            f"expected {len(places)} rows in {path}, got {len(read)}; remove stray quotes.",
            path=str(path),
            lines=len(places),
            rows=len(read),
        )
    if table is None:
        numbers = NumberReader(path, options.unit, missing, split_by).read(read[chosen.numbers], places)
    else:
        numbers = read[chosen.numbers].apply(missing.masked)
    assets = None if chosen.asset is None else _stripped(read[chosen.asset])
    dates = joined_dates([_stripped(read[name]) for name in chosen.dates])
    return Columns(path, dates, assets, numbers, places, named=chosen.named, notes=chosen.notes)


def joined_dates(parts: Sequence[pd.Series[Any]]) -> pd.Series[Any]:
    """Return one column of dates: the only one, or year, month and perhaps day joined."""
    if len(parts) == 1:
        return parts[0]
    texts = [part.astype(str).str.strip().str.replace(r"\.0+$", "", regex=True) for part in parts]
    dates = texts[0]
    for text in texts[1:]:
        dates = dates + "-" + text.str.zfill(2)
    return dates.rename(", ".join(str(part.name) for part in parts))


class _Watched(io.StringIO):
    """Text that tells how far it was read."""

    def __init__(self, text: str, progress: Progress) -> None:
        super().__init__(text)
        self._progress = progress

    def read(self, size: int | None = -1, /) -> str:
        """Read so many characters."""
        part = super().read(size)
        self._progress.add(len(part))
        return part


def _quickly(
    body: _Watched, text: Sequence[int], numeric: Sequence[int], separator: str, missing: Sequence[str]
) -> pd.DataFrame | None:
    """Let pandas read the numbers; None where it cannot, or would read words as ones and zeros."""
    if _TRUTH.search(body.getvalue()):
        return None
    try:
        return _parsed(body, text, numeric, separator, missing)
    except ValueError:
        return None


def _as_text(path: Path, body: _Watched, columns: Sequence[int], separator: str) -> pd.DataFrame:
    try:
        return _parsed(body, columns, [], separator, [])
    except ValueError as error:
        raise LayoutError(
            f"expected CSV in {path}, got text that pandas cannot split: {' '.join(str(error).split())}; mend it.",
            path=str(path),
        ) from error


def _parsed(
    body: _Watched, text: Sequence[int], numeric: Sequence[int], separator: str, missing: Sequence[str]
) -> pd.DataFrame:
    kinds: dict[Any, Any] = {**dict.fromkeys(text, object), **dict.fromkeys(numeric, np.float64)}
    words: dict[Any, list[str]] = {column: [*MISSING_AS_WRITTEN, *missing] for column in numeric}
    table: pd.DataFrame = pd.read_csv(
        body,
        sep=separator,
        header=None,
        usecols=[*text, *numeric],
        dtype=kinds,
        na_values=words,
        keep_default_na=False,
        skipinitialspace=True,
        **_EXACTLY,
    )
    return table


def _stripped(column: pd.Series[Any]) -> pd.Series[Any]:
    """Remove spaces at both ends, once for each different text, because dates and labels repeat."""
    codes, texts = pd.factorize(column)
    return pd.Series(pd.Index([text.strip() for text in texts], dtype=object).take(codes), name=column.name)


def _require_fields(path: Path, lines: Lines, header: Header) -> None:
    """Raise for a row that is cut off: its last returns would be missing."""
    separators = len(header.names) - 1
    for number, line in lines:
        if line.count(header.separator) == separators and '"' not in line:
            continue
        count = len(split(path, number, line, header.separator))
        if count != len(header.names):
            comma = ", and write decimals with a point, or numbers with a comma in quotes"
            raise LayoutError(
                f"{path}, line {number}: expected {len(header.names)} columns as in the header, got {count} (the last "
                f"is {header.names[min(count, len(header.names)) - 1]!r}); restore the line if it was cut off, remove "
                f"it if it is prose{comma if header.separator == ',' else ''}.",
                path=str(path),
                line=number,
                expected=len(header.names),
                got=count,
            )
