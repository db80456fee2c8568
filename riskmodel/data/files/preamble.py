"""Prose above the names of the columns, and the codes for missing numbers that it declares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Self, final

from attrs import field, frozen

from riskmodel.data.files.codes import MissingCodes
from riskmodel.data.files.lines import SEPARATORS, Lines, fields
from riskmodel.data.files.numbers import is_number
from riskmodel.data.files.stamps import is_date
from riskmodel.errors import RowsLeftOutWarning

# Lines of prose that are looked through.
_MOST_LINES = 60
# "Missing data are indicated by -99.99 or -999."
_DECLARED = re.compile(
    r"\bmissing\b[^.;\n]{0,60}?\b(?:indicated|coded|denoted|represented|marked|given|shown)\s+(?:by|as|with)\s+"
    r"(?P<codes>[^\n;]{1,80})",
    re.IGNORECASE,
)
# The address of whom the file is from, alone on its line.
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s,;]+", re.IGNORECASE)
_CODE = re.compile(r"(?<![\w.])-?[0-9]+(?:\.[0-9]+)?(?![\w%])")


@final
@frozen
class Preamble:
    """Prose above the names of the columns.

    Attributes
    ----------
    count : int
        Its lines.
    codes : MissingCodes
        Codes for missing numbers that it declares.
    notes : tuple of warnings
        What the caller must know.
    """

    count: int
    codes: MissingCodes = field(factory=MissingCodes)
    notes: tuple[RowsLeftOutWarning, ...] = ()

    @classmethod
    def of(cls, path: Path, lines: Lines) -> Self:
        """Find the prose of a file: lines of another width than the names, which stand above the first dated row."""
        count = _header_at(lines)
        if not count:
            return cls(0)
        prose = lines[:count]
        codes = declared("\n".join(line for _, line in prose))
        said = f" It declares the codes {', '.join(f'{c:g}' for c in codes.numbers)}." if codes.numbers else ""
        note = f"{path}, to line {prose[-1][0]}: {count} line(s) of prose are left out, {prose[0][1][:60]!r}.{said}"
        return cls(count, codes, (RowsLeftOutWarning(note),))


def declared(prose: str) -> MissingCodes:
    """Return the codes for missing numbers that prose declares."""
    found = [code for match in _DECLARED.finditer(prose) for code in _CODE.findall(match["codes"])]
    return MissingCodes(tuple(float(code) for code in dict.fromkeys(found)))


def _header_at(lines: Lines) -> int:
    """Return the position of the names; 0 where no prose is above them."""
    if len(lines) > 2 and _ADDRESS.fullmatch(lines[0][1].strip().strip('"')):
        return 1
    for i, (_, line) in enumerate(lines[: min(_MOST_LINES, len(lines) - 1)]):
        for separator in SEPARATORS:
            names, row = fields(line, separator), fields(lines[i + 1][1], separator)
            if _is_header(names, row):
                above = [len(fields(other, separator)) for _, other in lines[:i]]
                return 0 if len(names) in above else i
    return 0


def _is_header(names: Sequence[str], row: Sequence[str]) -> bool:
    named = [name for name in names[1:] if name.strip()]
    return (
        1 < len(names) == len(row)
        and is_date(row[0])
        and not is_date(names[0])
        and bool(named)
        and not any(is_number(name.strip()) for name in named)
    )
