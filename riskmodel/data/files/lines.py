"""The lines of a text file, and how one is split."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from riskmodel.errors import LayoutError

# The number of each line in the file, and its text.
Lines = Sequence[tuple[int, str]]
# In this order where several would do.
SEPARATORS = (",", ";", "\t", "|")


def read_lines(text: str) -> list[tuple[int, str]]:
    """Split text into lines that are not empty; spreadsheets write separators alone where cells were cleared."""
    every = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [(i, line) for i, line in enumerate(every, start=1) if line.strip(',;| \t"')]


def fields(line: str, separator: str) -> list[str]:
    """Split a line that may be prose; it is one field where it cannot be split."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True, delimiter=separator))]
    except csv.Error:
        return [line]


def split(path: Path, number: int, line: str, separator: str) -> list[str]:
    """Split one line; raise for a quote that is left open, because it would include the lines below."""
    # a line more, to see whether it is asked for
    rows = csv.reader([line, ""], skipinitialspace=True, delimiter=separator)
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
