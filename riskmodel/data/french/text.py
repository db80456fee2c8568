"""The text of a file of the French library: its tables, and the vintage of its data."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel._core.missing import FRENCH_CODES
from riskmodel.errors import LayoutError

# How a row is dated tells what it spans: 20240731 a day or a week, 202407 a month, 2024 a year.
_ROW = re.compile(r"\s*(\d{8}|\d{6}|\d{4})\s*(,|$)")
_FORMATS = {8: "%Y%m%d", 6: "%Y%m", 4: "%Y"}
_SPANS = {8: "D", 6: "M", 4: "Y"}
# What is left of a row that was broken in two.
_NUMBERS = re.compile(r"[-+0-9., \t]*[0-9][-+0-9., \t]*")
_LINE_END = re.compile(r"\r+\n|\r|\n")
_VINTAGE = re.compile(r"using (?:the )?(\d{6}) (\w+) database")


@frozen(eq=False)
class Table:
    """One table of a file.

    Attributes
    ----------
    file : str
        The name of the file, for errors.
    caption : str
        The line of prose above the table; empty where there is none.
    columns : tuple of str
        N names, spaces trimmed.
    digits : int
        Digits of each date: 8 for days and weeks, 6 for months, 4 for years.
    rows : list of str
        T lines, a date and N numbers each.
    """

    file: str
    caption: str
    columns: tuple[str, ...]
    digits: int
    rows: list[str] = field(factory=list, repr=False)

    def frame(self) -> pd.DataFrame:
        """Return the numbers as they are written (returns in percent), NaN for the library's codes.

        Returns
        -------
        DataFrame, T dates × N columns
            Months and years are dated by their last day.

        Raises
        ------
        LayoutError
            For a row without N numbers, text among the numbers, and dates that do not exist.
        """
        self._require_cells()
        numbers = self._numbers()
        missing = np.isclose(numbers[..., None], FRENCH_CODES, rtol=0.0, atol=1e-6).any(axis=-1)
        return pd.DataFrame(np.where(missing, np.nan, numbers), self._dates(), list(self.columns))

    def _require_cells(self) -> None:
        """A row that is cut off must not pass for one whose last returns are missing: those have a code."""
        n = len(self.columns)
        for row in self.rows:
            date, *cells = row.split(",")
            if len(cells) != n or not all(cell.strip() for cell in cells):
                there = sum(bool(cell.strip()) for cell in cells)
                raise changed(self.file, f"expected {n} numbers at {date.strip()}, got {there}: {row[:60]!r}")

    def _numbers(self) -> Array:
        try:
            read = pd.read_csv(
                io.StringIO("\n".join(self.rows)),
                header=None,
                usecols=range(1, len(self.columns) + 1),
                dtype=np.float64,
                na_filter=False,
                skipinitialspace=True,
            ).to_numpy()
        except ValueError:
            read = np.empty((0, 0))
        if read.shape != (len(self.rows), len(self.columns)) or not np.isfinite(read).all():
            raise self._no_number()
        return np.asarray(read)

    def _no_number(self) -> LayoutError:
        """Find the first cell that is not a finite number; pandas does not say where it stands."""
        for row in self.rows:
            date, *cells = row.split(",")
            for name, cell in zip(self.columns, cells, strict=True):
                if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", cell.strip(), re.IGNORECASE):
                    return changed(self.file, f"expected numbers in column {name}, got {cell.strip()!r} at {date}")
        return changed(self.file, "expected finite numbers, got others")

    def _dates(self) -> pd.DatetimeIndex:
        texts = [row.partition(",")[0].strip() for row in self.rows]
        try:
            dates = pd.to_datetime(pd.Index(texts), format=_FORMATS[self.digits])
        except ValueError as error:
            raise changed(self.file, f"expected dates, got text that is no date ({error})") from error
        return pd.DatetimeIndex(dates.to_period(_SPANS[self.digits]).to_timestamp(how="end").normalize())


def tables(text: str, file: str) -> list[Table]:
    """Find the tables of a file.

    Between files, and within some, these vary: line ends (CRLF, LF, lone CR, CR CR LF), empty lines between a caption
    and its table, commas that fill up empty lines and prose, spaces around column names, and whether the annual rows
    that follow monthly ones have a header of their own.

    Raises
    ------
    LayoutError
        For numbers without a date or without column names, and column names inside a table.
    """
    found: list[Table] = []
    caption, columns, digits, below = "", None, 0, False
    for number, raw in enumerate(_LINE_END.split(text), start=1):
        line = raw.strip(" \t\ufeff").rstrip(", \t")
        row = _ROW.match(line)
        if row is None and columns is not None and _NUMBERS.fullmatch(line):
            raise changed(file, f"line {number} holds numbers without a date, {line!r}, as if a row were broken in two")
        below, above = row is not None, below
        if row is not None:
            if columns is None:
                raise changed(file, f"line {number} holds numbers, but no column names stand above it")
            if digits != len(row[1]):
                digits = len(row[1])
                found.append(Table(file, caption, columns, digits))
            found[-1].rows.append(line)
        elif line.startswith(","):
            before, columns, digits = columns, _column_names(line, file, number), 0
            if above and columns != before:
                raise changed(file, f"line {number} has new column names, {line!r}, directly below a row")
        elif line:
            caption, columns = line, None
    return found


def _column_names(line: str, file: str, number: int) -> tuple[str, ...]:
    names = [name.strip() for name in line.split(",")[1:]]
    if "" in names or len(set(names)) < len(names):
        raise changed(file, f"expected one name for each column in line {number}, got {line!r}")
    return tuple(names)


def the_table(
    found: Sequence[Table],
    file: str,
    digits: int,
    *,
    caption: re.Pattern[str] | None = None,
    columns: Sequence[str] = (),
) -> Table:
    """Choose the one table that spans what it should, and has the caption, or the columns.

    Raises
    ------
    LayoutError
        If none, or more than one, fits; with all tables of the span.
    """
    spanning = [t for t in found if t.digits == digits]
    if caption is None:
        fitting = [t for t in spanning if set(columns) <= set(t.columns)]
        wanted = f"the columns {', '.join(columns)}"
    else:
        fitting = [t for t in spanning if caption.search(t.caption)]
        wanted = f"a caption such as {caption.pattern!r}"
    if len(fitting) != 1:
        there = "; ".join(f"{t.caption[:60]!r} with {labels.listing(t.columns)}" for t in spanning) or "none"
        raise changed(
            file, f"expected one table of {digits}-digit dates with {wanted}, got {len(fitting)} among: {there}"
        )
    return fitting[0]


def vintage(text: str) -> str:
    """Return the database that a file was made from, such as ``"202407 CRSP"``, or ``"not stated"``."""
    found = _VINTAGE.search(" ".join(text.split()))
    return f"{found[1]} {found[2]}" if found else "not stated"


def changed(file: str, what: str, **details: Any) -> LayoutError:
    """Return the error for a file whose layout is not that of the library."""
    return LayoutError(
        f"{file} of the French library is not laid out as expected: {what}. If the library changed its files, this "
        "version of riskmodel cannot read them.",
        file=file,
        **details,
    )
