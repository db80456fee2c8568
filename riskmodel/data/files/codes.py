"""Codes that stand for a missing number in a file, as its reader states them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Flags
from riskmodel._core.missing import MISSING_CODES
from riskmodel.errors import InvalidParameterError

# Negative numbers that stand for missing ones in many files, as they are written there.
WELL_KNOWN = frozenset({*(code for code in MISSING_CODES if code < 0), -9.0, -1.0})


@final
@frozen
class MissingCodes:
    """Codes for missing numbers, besides those that are always known (empty, ``NA``, ...).

    Attributes
    ----------
    numbers : tuple of float
        Numbers, as they stand in the file.
    texts : tuple of str
        Text, spaces trimmed; case is ignored.
    """

    numbers: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, codes: Iterable[Any]) -> Self:
        """Read the codes of a caller.

        Raises
        ------
        InvalidParameterError
            For what is not a list of numbers and text.
        """
        listed = list(labels.require_list(codes, "missing"))
        for code in listed:
            if not isinstance(code, str | Real) or isinstance(code, bool) or (code != code):  # noqa: PLR0124 - NaN
                raise InvalidParameterError(
                    f"expected missing as numbers and text, such as (-99.0, 'n/m'), got {code!r}; write the codes as "
                    "they stand in the file.",
                    missing=listed,
                    got=code,
                )
        numbers = [number for code in listed if (number := _as_number(code)) is not None]
        return cls(tuple(numbers), tuple(str(code).strip() for code in listed if _as_number(code) is None))

    def __or__(self, other: MissingCodes) -> MissingCodes:
        """Return the codes of both."""
        return MissingCodes(self.numbers + other.numbers, self.texts + other.texts)

    def has_text(self, text: str) -> bool:
        """Whether a text is a code."""
        return text.casefold() in {known.casefold() for known in self.texts}

    def has_number(self, number: float) -> bool:
        """Whether a number is a code."""
        return number in self.numbers

    def masked(self, column: pd.Series[Any]) -> pd.Series[Any]:
        """Return a column with NaN in the place of codes; one in single precision has its codes in it too."""
        found = self._among(column)
        return column.mask(found) if found.any() else column

    def _among(self, column: pd.Series[Any]) -> Flags:
        found = np.zeros(len(column), dtype=np.bool_)
        if not pd.api.types.is_numeric_dtype(column.dtype):
            return np.array([self._has(cell) for cell in column], dtype=np.bool_) if self.texts else found
        if not self.numbers:
            return found
        is_single = str(column.dtype).casefold() == "float32"
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        for code in self.numbers:
            found |= values == (float(np.float32(code)) if is_single else code)
        return found

    def _has(self, cell: Any) -> bool:
        return self.has_text(cell.strip()) if isinstance(cell, str) else isinstance(cell, Real) and cell in self.numbers


def _as_number(code: Any) -> float | None:
    try:
        number = float(code)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number
