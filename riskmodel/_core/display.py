"""Tables as text and as HTML, for the `repr` of results."""

from __future__ import annotations

import html
import math
from typing import final

import numpy as np
import pandas as pd
from attrs import frozen

# Significant digits of the largest number of a column, and the most decimals that any has.
_DIGITS, _DECIMALS = 3, 6


@final
@frozen(eq=False)
class Table:
    """A title and a frame of numbers, with its largest rows where there are many.

    Attributes
    ----------
    title : str
        One line.
    frame : DataFrame
        Numbers by row label and column.
    last : int
        So many rows at the end are sums, which are always shown.
    most : int
        So many other rows are shown: those with the largest size in the last column, in the frame's order.
    where : str
        What has the rows that are left out.
    most_columns : int, optional
        So many columns are shown, the first ones; by default all.
    """

    title: str
    frame: pd.DataFrame
    last: int = 0
    most: int = 12
    where: str = "to_frame()"
    most_columns: int | None = None

    def text(self) -> str:
        """The table as lines of text."""
        return "\n".join(part for part in (self.title, self._shown.to_string(), self._rest) if part)

    def html(self) -> str:
        """The table as HTML, every label escaped."""
        said = "; ".join(part for part in (self._rest, self._more_columns) if part)
        note = f"<p>{html.escape(said)}</p>" if said else ""
        return f"<p>{html.escape(self.title)}</p>{self._shown.to_html()}{note}"

    @property
    def _others(self) -> int:
        return len(self.frame) - self.last

    @property
    def _rest(self) -> str:
        left = self._others - self.most
        return f"… and {left} smaller rows; {self.where} has all" if left > 0 else ""

    @property
    def _more_columns(self) -> str:
        left = 0 if self.most_columns is None else self.frame.shape[1] - self.most_columns
        return f"… and {left} more columns" if left > 0 else ""

    @property
    def _shown(self) -> pd.DataFrame:
        kept = np.arange(len(self.frame))
        if self._rest:
            sizes = np.abs(np.nan_to_num(self.frame.iloc[: self._others, -1].to_numpy(dtype=np.float64)))
            largest = np.sort(np.argsort(-sizes, kind="stable")[: self.most])
            kept = np.concatenate([largest, kept[self._others :]])
        shown = self.frame.iloc[kept, : self.most_columns]
        texts = np.array([rounded(column) for column in shown.to_numpy(dtype=np.float64).T], dtype=object)
        return pd.DataFrame(texts.reshape(shown.shape[::-1]).T, shown.index, shown.columns)


def page(value: object, *tables: Table) -> str:
    """Return what `repr` says of a value, and tables of it that have rows, as HTML for a notebook."""
    said = repr(value).removeprefix("<").removesuffix(">")
    return f"<p>{html.escape(said)}</p>" + "".join(table.html() for table in tables if table.frame.size)


def rounded(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[str]:
    """Numbers as text with the same decimals, so that the largest has three significant digits."""
    known = np.abs(values[np.isfinite(values)])
    largest = float(known.max(initial=0.0))
    size = math.floor(math.log10(largest)) if largest > 0 else 0
    decimals = min(max(_DIGITS - 1 - size, 0), _DECIMALS) if size > -_DECIMALS else None
    return [_one(value, decimals) for value in values.tolist()]


def _one(value: float, decimals: int | None) -> str:
    if not math.isfinite(value):
        return "" if math.isnan(value) else str(value)
    text = f"{value:.{_DIGITS}g}" if decimals is None else f"{value:,.{decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text
