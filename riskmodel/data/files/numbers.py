"""Numbers in the cells of a text file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from riskmodel.data.files import dates
from riskmodel.errors import LayoutError

# Text for a missing number, in any case; "." is how SAS writes it.
_MISSING = frozenset({"", ".", "na", "n/a", "#n/a", "#na", "nan", "-nan", "null", "none", "<na>"})
# The same for pandas, which distinguishes case.
MISSING_AS_WRITTEN = ["", ".", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>"]
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?inf(?:inity)?", re.IGNORECASE)
# marks of programs for what is missing: #VALUE!, -, n/m, n.a., (none)
_MARK = re.compile(r"#.*|[^A-Za-z]*|[A-Za-z][./][A-Za-z]\.?|\(.*\)")
REMEDY_LONG = (
    "where the file has one row for each date and asset, pass layout=rm.Long(...), on the command line --columns."
)


def is_number(text: str) -> bool:
    """Whether a text is a number with a decimal point."""
    return _NUMBER.fullmatch(text) is not None


def parse_numbers(path: Path, cells: pd.DataFrame, places: Sequence[int]) -> pd.DataFrame:
    """Read text cells one by one.

    Raises
    ------
    LayoutError
        If a cell is not a number, with its line and column.
    """
    texts = cells.to_numpy(dtype=object)
    numbers = np.full(texts.shape, np.nan)
    for row, column in np.ndindex(*texts.shape):
        text = str(texts[row, column]).strip()
        if is_number(text):
            numbers[row, column] = float(text)
        elif text.casefold() not in _MISSING:
            name = cells.columns[column]
            raise LayoutError(
                f"{path}, line {places[row]}, column {name!r}: expected a number such as -0.0123, got {text!r}; "
                f"{_remedy(text, texts[:, column])}",
                path=str(path),
                line=places[row],
                column=name,
                got=text,
            )
    return pd.DataFrame(numbers, cells.index, cells.columns)


def _remedy(text: str, column: Iterable[object]) -> str:
    """What to do about a cell that is not a number, given the other cells of its column."""
    if dates.parse(text):
        return "if this is the column of dates, pass layout=rm.Wide(date=...), on the command line --columns."
    if text.endswith("%"):
        return "remove the sign, and pass the file to rm.read_percent_returns, on the command line --unit percent."
    if any(letter.isdigit() for letter in text) and not text.startswith("#"):
        return "write decimals with a point, and leave missing cells empty."
    among_numbers = any(is_number(str(cell).strip()) for cell in column)
    if among_numbers or _MARK.fullmatch(text):
        return "leave the cell empty, or write NA, where a number is missing."
    return REMEDY_LONG
