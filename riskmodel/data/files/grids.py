"""Grids that are no tables of dates × assets: blocks of dates and prices side by side, a row of months a year."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import final

from attrs import frozen

from riskmodel.data.files.fields import is_field
from riskmodel.data.files.lines import SEPARATORS, Lines, fields
from riskmodel.data.files.paths import stem
from riskmodel.errors import ChosenColumnWarning

# Lines among which the names stand.
_FIRST_LINES = 8
_DATES = frozenset({"date", "dates"})
# What stands above the dates, and is no asset.
_CORNERS = frozenset({"", "ticker", "tickers", "security", "securities", "symbol", "name", "start date", "end date"})
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEARS = frozenset({"", "year", "years", "yr"})
COLUMNS = ("date", "asset", "value")


@final
@frozen
class Grid:
    """The cells of a grid as lines of a long table of `COLUMNS`, each with the number of its line in the file."""

    lines: Lines
    notes: tuple[ChosenColumnWarning, ...] = ()

    @classmethod
    def of(cls, path: Path, lines: Lines) -> Grid | None:
        """Read a grid; None for a file of another kind."""
        for separator in SEPARATORS:
            rows = [(number, fields(line, separator)) for number, line in lines[:_FIRST_LINES]]
            for i, (_, names) in enumerate(rows):
                groups, has_months = _groups(names), _are_months(names)
                if not has_months and len(groups) < 2:
                    continue
                body = [(number, fields(line, separator)) for number, line in lines[i + 1 :]]
                if has_months and _are_years(body):
                    return cls._of_years(path, names, body, separator)
                if not has_months:
                    return cls._of_blocks([row for _, row in rows[:i]], groups, names, body, separator)
        return None

    @classmethod
    def _of_years(cls, path: Path, names: Sequence[str], body: Sequence[tuple[int, list[str]]], separator: str) -> Grid:
        """Read one row for each year, one column for each month."""
        months = {at: _month(name) for at, name in enumerate(names) if _month(name)}
        cells = [
            (number, [f"{row[0]}-{month:02d}", stem(path), row[at]])
            for number, row in body
            for at, month in months.items()
            if at < len(row) and row[at]
        ]
        others = [name for at, name in enumerate(names) if at and at not in months and name]
        left_out = f"; {', '.join(others)} is left out" if others else ""
        note = f"{path} has a row for each year and a column for each month, which are read as months{left_out}."
        return cls(_lines(cells, separator), (ChosenColumnWarning(note),))

    @classmethod
    def _of_blocks(
        cls,
        above: Sequence[list[str]],
        groups: Sequence[tuple[int, int]],
        names: Sequence[str],
        body: Sequence[tuple[int, list[str]]],
        separator: str,
    ) -> Grid:
        """Read blocks side by side, each with dates of its own."""
        assets = [_asset(above, names, *group) for group in groups]
        cells = [
            (number, [row[at], asset, row[value]])
            for number, row in body
            for (at, value), asset in zip(groups, assets, strict=True)
            if value < len(row) and (row[at] or row[value])
        ]
        return cls(_lines(cells, separator))


def _groups(names: Sequence[str]) -> list[tuple[int, int]]:
    """Return the positions of the dates and of the numbers of blocks with one column of each; empty for others."""
    starts = [at for at, name in enumerate(names) if name.casefold() in _DATES]
    if not starts or starts[0] != 0:
        return []
    found = []
    for start, end in zip(starts, [*starts[1:], len(names)], strict=True):
        named = [at for at in range(start + 1, end) if names[at]]
        if len(named) != 1:
            return []
        found.append((start, named[0]))
    return found


def _asset(above: Sequence[list[str]], names: Sequence[str], date: int, value: int) -> str:
    """Return the name of the numbers of a block; where it is a field such as PX_LAST, the nearest label above it."""
    if not is_field(names[value]):
        return names[value]
    for row in reversed(above):
        for at in (value, date):
            if at < len(row) and row[at].casefold() not in _CORNERS:
                return row[at]
    return names[value]


def _are_months(names: Sequence[str]) -> bool:
    months = [_month(name) for name in names[1:] if _month(name)]
    return names[0].casefold() in _YEARS and months == list(range(1, 13))


def _are_years(body: Sequence[tuple[int, list[str]]]) -> bool:
    return bool(body) and all(row[0].isdecimal() and len(row[0]) == 4 for _, row in body)


def _month(name: str) -> int:
    """Return the number of a month's name; 0 for another."""
    text = name.strip(". ").casefold()
    return _MONTHS.index(text[:3]) + 1 if text[:3] in _MONTHS and text.isalpha() else 0


def _lines(cells: Sequence[tuple[int, list[str]]], separator: str) -> list[tuple[int, str]]:
    return [(0, separator.join(COLUMNS)), *((number, _line(row, separator)) for number, row in cells)]


def _line(cells: Sequence[str], separator: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="").writerow(cells)
    return text.getvalue()
