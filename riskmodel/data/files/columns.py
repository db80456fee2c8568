"""The columns that were read from a file, with the place of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel.errors import InfiniteReturnsError, RiskModelWarning


@final
@frozen(eq=False)
class Columns:
    """The columns of a file.

    Attributes
    ----------
    path : Path
        The file.
    dates : Series
        The column of dates as it was stored.
    assets : Series or None
        The column of labels; None in wide files.
    numbers : DataFrame
        float64; one column for each asset in wide files, one column in long ones.
    places : sequence of int
        For each row, its number in the file.
    unit : str
        What `places` counts: ``line`` in text, ``row`` in Parquet.
    named : mapping
        The asset of a column of numbers, where it is not the column's name.
    notes : tuple of warnings
        What the caller must know of what was read.
    """

    path: Path
    dates: pd.Series[Any]
    assets: pd.Series[Any] | None
    numbers: pd.DataFrame
    places: Sequence[int]
    unit: str = field(default="line")
    named: Mapping[Any, Any] = field(factory=dict)
    notes: tuple[RiskModelWarning, ...] = ()

    def at(self, row: int, column: object) -> str:
        """Name a cell for a message."""
        return f"{self.path}, {self.unit} {self.places[row]}, column {str(column)!r}"

    def details(self, row: int, column: object) -> dict[str, Any]:
        """Name a cell for `RiskModelError.details`."""
        return {"path": str(self.path), self.unit: self.places[row], "column": column}

    def require_finite(self) -> None:
        """Raise where a number is infinite."""
        infinite = np.isinf(self.numbers.to_numpy(dtype=np.float64))
        if infinite.any():
            row, column = (int(i) for i in np.argwhere(infinite)[0])
            name = self.numbers.columns[column]
            raise InfiniteReturnsError(
                f"{self.at(row, name)}: expected a finite number, got an infinite one{more(infinite)}; a return over a "
                "price of zero looks like this, leave the cell empty where it is missing.",
                **self.details(row, name),
                count=int(infinite.sum()),
            )


def more(wrong: Any) -> str:
    """Say how many cells of a mask there are besides the first."""
    count = int(wrong.sum()) - 1
    return f" and {count} more" if count else ""
