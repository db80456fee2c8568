"""The header of a text file: its separator and the names of its columns, in one to three lines."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, final

from attrs import field, frozen

from riskmodel._core import labels
from riskmodel.data.files import fields
from riskmodel.data.files.codes import MissingCodes
from riskmodel.data.files.lines import SEPARATORS, Lines, split
from riskmodel.data.files.lines import fields as split_prose
from riskmodel.data.files.numbers import is_number
from riskmodel.data.files.preamble import Preamble
from riskmodel.data.files.stamps import Stamp
from riskmodel.errors import DuplicateLabelsError, LayoutError, RiskModelWarning

_COLUMNS = "columns separated by commas, semicolons, tabs or '|'"
# The line that tells Excel how columns are separated.
_DECLARED = re.compile(r'"?sep=(.)"?[,;\t|]*', re.IGNORECASE)
# Rows by which the separator is found.
_FIRST_ROWS = 20


@final
@frozen
class Header:
    """The header of a text file.

    Attributes
    ----------
    separator : str
        What separates the columns.
    names : list of str
        The names of the columns; only the first may be empty.
    count : int
        Lines before the first row.
    fields : mapping
        For columns with a name of two parts, the field (``Close``) and the ticker; else empty.
    empty : tuple of str
        Names that were made for columns without a name and without a cell, as spreadsheets leave them.
    codes : MissingCodes
        Codes for missing numbers that prose above the names declares.
    notes : tuple of warnings
        What the caller must know.
    """

    separator: str
    names: list[str]
    count: int
    fields: Mapping[str, tuple[str, str]] = field(factory=dict)
    codes: MissingCodes = field(factory=MissingCodes)
    empty: tuple[str, ...] = ()
    notes: tuple[RiskModelWarning, ...] = ()

    @classmethod
    def read(cls, path: Path, lines: Lines) -> Self:
        """Read the header of the lines of a file.

        Raises
        ------
        LayoutError
            If there are no names, or not two columns.
        DuplicateLabelsError
            If two columns have one name.
        """
        declared = _DECLARED.fullmatch(lines[0][1].strip(" "))
        skipped = 1 if declared else 0
        preamble = Preamble.of(path, lines[skipped:])
        above = skipped + preamble.count
        rest = lines[above:]
        if len(rest) < 2:
            raise LayoutError(
                f"expected a line of column names and at least one row in {path}, got {len(rest)} line(s); add them.",
                path=str(path),
                lines=len(rest),
            )
        separator = declared[1] if declared else _separator(path, rest)
        rows = [split(path, number, line, separator) for number, line in rest[:4]]
        two_lined = fields.from_rows(rows)
        if two_lined is not None:
            names, pairs, count = two_lined
            _require_unique(path, rest[0][0], names)
            return cls(separator, names, above + count, pairs, preamble.codes, notes=preamble.notes)
        names, empty = _one_line(path, rest, separator)
        pairs = fields.from_names([name for name in names[1:] if name not in empty])
        return cls(separator, names, above + 1, pairs, preamble.codes, empty, preamble.notes)


def _separator(path: Path, lines: Lines) -> str:
    """Find the separator that splits the header, and the rows below in as many columns."""
    number, header = lines[0]
    widths = {sign: len(split(path, number, header, sign)) for sign in SEPARATORS}
    possible = [sign for sign in SEPARATORS if widths[sign] > 1]
    if not possible:
        raise LayoutError(
            f"{path}, line {number}: expected {_COLUMNS}, got only {header.strip()!r}; save it as CSV.",
            path=str(path),
            line=number,
            got=header,
        )

    def agreeing(sign: str) -> tuple[int, int]:
        same = sum(line.count(sign) >= widths[sign] - 1 for _, line in lines[1:_FIRST_ROWS])
        return same, widths[sign]

    return max(possible, key=agreeing)


def _one_line(path: Path, lines: Lines, separator: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the names of the columns, and those that were made for empty ones."""
    number, line = lines[0]
    names = [name.strip() for name in split(path, number, line, separator)]
    empty = _empty(names, lines[1:], separator)
    names = [empty.get(i, name) for i, name in enumerate(names)]
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
    _require_unique(path, number, names)
    return names, tuple(empty.values())


def _empty(names: Sequence[str], lines: Lines, separator: str) -> dict[int, str]:
    """Return a name for each column, but the first, that has neither a name nor a cell."""
    empty = {i for i, name in enumerate(names) if not name and i}
    for _, line in lines if empty else ():
        empty -= {i for i, cell in enumerate(split_prose(line, separator)) if cell}
    return {i: f"(empty {i + 1})" for i in sorted(empty)}


def _require_names(path: Path, number: int, names: Sequence[str]) -> None:
    """Raise for a file without a header: its first row would be lost, and its numbers would be names."""
    date = Stamp.read(names[0])
    are_numbers = all(is_number(name) for name in names[1:])
    if (date is not None and date.span == "day") or (are_numbers and (date is not None or is_number(names[0]))):
        raise LayoutError(
            f"{path}, line {number}: expected the names of columns, got {names[0]!r}; add a line with names above the "
            "first row.",
            path=str(path),
            line=number,
            got=names[0],
        )


def _require_unique(path: Path, number: int, names: Sequence[Any]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DuplicateLabelsError(
            f"{path}, line {number}: expected each column once, got {labels.listing(twice)} more than once; rename or "
            "remove one.",
            path=str(path),
            line=number,
            labels=twice,
        )
