"""Numbers in the cells of a text file: decimals, thousands, percent signs, codes for missing ones."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import Index
from riskmodel.data.files.codes import MissingCodes
from riskmodel.data.files.stamps import Stamp
from riskmodel.data.files.unit import Unit
from riskmodel.errors import LayoutError

# Text for a missing number, in any case; "." is how SAS writes it.
_MISSING = frozenset({"", ".", "na", "n/a", "#n/a", "#na", "nan", "-nan", "null", "none", "<na>"})
# The same for pandas, which distinguishes case.
MISSING_AS_WRITTEN = ["", ".", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>"]
REMEDY_LONG = (
    "where the file has one row for each date and asset, pass layout=rm.Long(...), on the command line --columns."
)
# What the commas and points of a number say. Three digits behind one sign may be thousands, unless a zero or more than
# three digits stand before it.
_SHAPES = {
    "whole": r"[0-9]+(?:e[-+]?[0-9]+)?|inf(?:inity)?",
    "point_or_thousands": r"[1-9][0-9]{0,2}\.[0-9]{3}",
    "comma_or_thousands": r"[1-9][0-9]{0,2},[0-9]{3}",
    "point": r"(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?",
    "comma": r"(?:[0-9]+,[0-9]*|,[0-9]+)(?:e[-+]?[0-9]+)?",
    "point_and_thousands": r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?",
    "comma_and_thousands": r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]*)?",
}
_ANY_SHAPE = re.compile(
    rf"[-+]?(?:{'|'.join(f'(?P<{name}>{form})' for name, form in _SHAPES.items())})", re.IGNORECASE | re.ASCII
)
_POINT, _COMMA = {"point", "point_and_thousands"}, {"comma", "comma_and_thousands"}
# Signs between thousands that cannot be decimal signs: spaces of several widths, and apostrophes.
_GAP = "[ \u00a0\u2009\u202f'\u2019]"
_GAPPED = re.compile(rf"[-+]?[0-9]{{1,3}}(?:{_GAP}[0-9]{{3}})+(?:[.,][0-9]*)?", re.A)
_LOSS = re.compile(r"\(\s*([$€£¥]?\s?[0-9.,][^()+-]*?)\s*\)(%?)")
_CURRENCY = re.compile(r"^([-+]?)[$€£¥] ?")
_MINUS = str.maketrans("\u2212", "-")
# marks of programs for what is missing: #VALUE!, -, n/m, n.a., (none)
_MARK = re.compile(r"#.*|[^A-Za-z]*|[A-Za-z][./][A-Za-z]\.?|\(.*\)")


def _shape(text: str) -> str:
    """Return the name of the shape of a number; empty for other text."""
    found = _ANY_SHAPE.fullmatch(text)
    return str(found.lastgroup) if found else ""


def is_number(text: str) -> bool:
    """Whether a text is a number with a decimal point."""
    return _shape(text) in {"whole", "point", "point_or_thousands"}


@final
@frozen(eq=False)
class NumberReader:
    """Reads the text cells of one file.

    Parameters
    ----------
    path : Path
        The file, for errors.
    unit : Unit
        What the numbers are: percent may have a sign, prices a currency and thousands.
    missing : MissingCodes
        Codes for missing numbers.
    separator : str
        What separates the columns: a comma shows that a lone point is a decimal sign.
    """

    path: Path
    unit: Unit
    missing: MissingCodes
    separator: str

    def read(self, cells: pd.DataFrame, places: Sequence[int]) -> pd.DataFrame:
        """Read all cells.

        Raises
        ------
        LayoutError
            If a cell is not a number, or may be two numbers; with its line and column.
        """
        columns = {name: _Texts.of(name, cells[name], self._bare, places) for name in cells.columns}
        signs = self._signs(columns.values())
        numbers = {}
        for name, column in columns.items():
            read = [self._number(text, shape, signs) for text, shape in zip(column.bare, column.shapes, strict=True)]
            if None in read:
                raise self._not_a_number(column, read.index(None), signs)
            numbers[name] = np.array(read, dtype=np.float64)[column.codes]
        return pd.DataFrame(numbers, cells.index, columns=cells.columns)

    def _bare(self, text: str) -> str:
        """Remove what may stand around a number of this unit."""
        text = text.strip().translate(_MINUS)
        # accountants write losses in parentheses
        if (loss := _LOSS.fullmatch(text)) is not None:
            text = f"-{loss[1]}{loss[2]}"
        if self.unit is Unit.PERCENT and text.endswith("%"):
            return text[:-1].rstrip()
        if self.unit is Unit.PRICE:
            text = _CURRENCY.sub(r"\1", text)
            if _GAPPED.fullmatch(text):
                return re.sub(_GAP, "", text)
        return text

    def _is_missing(self, text: str) -> bool:
        return text.casefold() in _MISSING or self.missing.has_text(text)

    def _signs(self, columns: Iterable[_Texts]) -> _Signs:
        """Find out what commas and points mean in this file."""
        seen: dict[str, tuple[_Texts, int]] = {}
        for column in columns:
            for i, shape in enumerate(column.shapes):
                seen.setdefault(shape, (column, i))
        points, commas = _POINT & set(seen), _COMMA & set(seen)
        if points and commas:
            raise self._doubtful(*seen[min(commas)], "has a decimal comma, while other cells have a decimal point")
        doubtful = {"point_or_thousands", "comma_or_thousands"} & set(seen)
        lone_points = self.separator == "," or self.unit is not Unit.PRICE
        if not points and not commas and ("comma_or_thousands" in seen or (doubtful and not lone_points)):
            raise self._doubtful(*seen[min(doubtful)], "may have thousands or decimals, and no other cell tells")
        decimal = "," if commas else "."
        groups = f"{'comma' if commas else 'point'}_and_thousands" in seen
        return _Signs(decimal, self.unit is Unit.PRICE, self.unit is Unit.PRICE and groups)

    def _number(self, text: str, shape: str, signs: _Signs) -> float | None:
        if not shape:
            return np.nan if self._is_missing(text) else None
        number = signs.number(text, shape)
        return np.nan if number is not None and self.missing.has_number(number) else number

    # -- errors ----------------------------------------------------------------------------------------

    def _doubtful(self, column: _Texts, i: int, why: str) -> LayoutError:
        return LayoutError(
            f"{column.at(self.path, i)}: expected numbers with one decimal sign, got {column.known[i]!r}, which {why}; "
            "write all decimals with a point, and thousands without a sign.",
            **column.details(self.path, i),
        )

    def _not_a_number(self, column: _Texts, i: int, signs: _Signs) -> LayoutError:
        example = "a price such as 102.5" if self.unit is Unit.PRICE else "a number such as -0.0123"
        return LayoutError(
            f"{column.at(self.path, i)}: expected {example}, got {column.known[i]!r}; "
            f"{self._remedy(column.known[i], column, signs)}",
            **column.details(self.path, i),
        )

    def _remedy(self, text: str, column: _Texts, signs: _Signs) -> str:
        """What to do about a cell that is not a number, given the other cells of its column."""
        if Stamp.read(text):
            return "if this is the column of dates, pass layout=rm.Wide(date=...), on the command line --columns."
        if text.rstrip(")").endswith("%"):
            percent = Unit.PERCENT
            return f"read a file in percent with {percent.reader}, on the command line {percent.option}."
        if any(letter.isdigit() for letter in text) and not text.startswith("#"):
            return (
                f"write decimals with the sign {signs.decimal!r} of the other cells, and leave missing cells empty; "
                "columns are chosen by layout=rm.Wide(columns=[...]), on the command line --columns DATE:COLUMN."
            )
        if _MARK.fullmatch(text) or any(column.shapes):
            return (
                f"where it stands for a missing number, pass missing=({text!r},), on the command line --missing "
                f"{shlex.quote(text)}, or leave the cell empty."
            )
        return f"{REMEDY_LONG[:-1]}; a column of text is left out by layout=rm.Wide(columns=[...])."


@final
@frozen
class _Signs:
    """The decimal sign of a file, and whether thousands are separated by the other one."""

    decimal: str
    certain_groups: bool
    doubtful_groups: bool

    def number(self, text: str, shape: str) -> float | None:
        """Return the number, or None for text that is not a number in this file."""
        own, wrong, other = ("comma", "point", ".") if self.decimal == "," else ("point", "comma", ",")
        if shape in {"whole", own, f"{own}_or_thousands"}:
            return float(text.replace(self.decimal, "."))
        if (shape == f"{own}_and_thousands" and self.certain_groups) or (
            shape == f"{wrong}_or_thousands" and self.doubtful_groups
        ):
            return float(text.replace(other, "").replace(self.decimal, "."))
        return None


@final
@frozen(eq=False)
class _Texts:
    """The different texts of a column, as they are and bare, and where they are."""

    name: Any
    codes: Index
    known: list[str]
    bare: list[str]
    shapes: list[str]
    places: Sequence[int]

    @classmethod
    def of(cls, name: Any, column: pd.Series[Any], bare: Any, places: Sequence[int]) -> _Texts:
        codes, known = pd.factorize(column)
        texts = [str(text).strip() for text in known]
        stripped = [bare(text) for text in texts]
        return cls(name, codes, texts, stripped, [_shape(text) for text in stripped], places)

    def _line(self, i: int) -> int:
        return self.places[int(np.flatnonzero(self.codes == i)[0])]

    def at(self, path: Path, i: int) -> str:
        return f"{path}, line {self._line(i)}, column {self.name!r}"

    def details(self, path: Path, i: int) -> Mapping[str, Any]:
        return {"path": str(path), "line": self._line(i), "column": self.name, "got": self.known[i]}
