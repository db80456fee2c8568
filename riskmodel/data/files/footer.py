"""Lines of a file that are no rows: prose and totals below the last, and dividends among prices."""

from __future__ import annotations

import re
from pathlib import Path

from riskmodel.data.files.header import Header
from riskmodel.data.files.lines import Lines, fields
from riskmodel.data.files.numbers import is_number
from riskmodel.data.files.stamps import is_date
from riskmodel.errors import RowsLeftOutWarning

Notes = tuple[RowsLeftOutWarning, ...]
# What the first cell of a line of totals says.
_TOTALS = frozenset(
    {"total", "totals", "sum", "average", "avg", "mean", "median", "std", "stdev", "count", "min", "max", "ytd"}
)
# "0.24 Dividend", "4:1 Stock Splits": a cell of a line among prices
_EVENT = re.compile(r"[0-9.,:/]+ *(?:dividends?|stock splits?|capital gains?)", re.IGNORECASE)


def without_footer(path: Path, rows: Lines, header: Header) -> tuple[Lines, Notes]:
    """Leave out prose and totals below the last row, with a note of it."""
    count = len(rows)
    while count and _is_footer(rows[count - 1][1], header):
        count -= 1
    if count == len(rows):
        return rows, ()
    number, first = rows[count]
    prose = f"{path}, from line {number}: {len(rows) - count} line(s) of prose are left out, {first[:60]!r}."
    return rows[:count], (RowsLeftOutWarning(prose),)


def _is_footer(line: str, header: Header) -> bool:
    """Whether a line is not a row, nor what is left of one that was cut off."""
    cells = fields(line, header.separator)
    if cells[0].strip(" :").casefold() in _TOTALS and len(cells) > 1:
        return True
    is_alone = not any(cells[1:])
    return (is_alone or len(cells) != len(header.names)) and not any(is_number(c) or is_date(c) for c in cells)


def without_events(path: Path, rows: Lines, header: Header) -> tuple[Lines, Notes]:
    """Leave out lines of dividends and splits, which stand among prices of the same dates, with a note of it."""
    events = [(i, line) for i, line in rows if _is_event(line, header)]
    if not events:
        return rows, ()
    numbers = {i for i, _ in events}
    number, first = events[0]
    note = f"{path}, line {number}: {len(events)} line(s) of dividends or splits are left out, {first[:60]!r}."
    return [row for row in rows if row[0] not in numbers], (RowsLeftOutWarning(note),)


def _is_event(line: str, header: Header) -> bool:
    if "ividend" not in line and "plit" not in line and "apital" not in line:
        return False
    cells = [cell for cell in fields(line, header.separator)[1:] if cell]
    return len(cells) == 1 and _EVENT.fullmatch(cells[0]) is not None
