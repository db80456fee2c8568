"""Files of the French library that were saved: prose, then tables with captions, in percent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.data.files.columns import Columns
from riskmodel.data.files.options import ReadOptions
from riskmodel.data.files.unit import Unit
from riskmodel.data.french.text import Table, tables
from riskmodel.errors import LayoutError
from riskmodel.horizon import DAY, MONTH, WEEK, YEAR, Horizon
from riskmodel.panel.layout import Either, French, Layout, Wide

# Digits of the dates of a row, by what it spans.
_DIGITS: dict[Horizon, int] = {DAY: 8, WEEK: 8, MONTH: 6, YEAR: 4}
_SPANS = {8: "rm.DAY", 6: "rm.MONTH", 4: "rm.YEAR"}
# Prose of the library, and a header without a name for the dates above a row.
_PROSE = re.compile(r"created\s+(?:by|using)\b.{0,200}?\bdatabase", re.IGNORECASE | re.DOTALL)
_TABLE = re.compile(r"^[ \t]*,[^\n]*[A-Za-z][^\n]*\n\s*(?:[0-9]{8}|[0-9]{6}|[0-9]{4})[ \t]*,", re.MULTILINE)
# Bytes by which a file is known.
HEAD_BYTES = 20_000
# Tables of other things than returns.
_NO_RETURNS = re.compile(r"number of firms|firm size|market cap|average of|sum of|BE ?/ ?ME", re.IGNORECASE)


def is_french(head: str, layout: Layout) -> bool:
    """Whether a text that begins so is a file of the French library, and its layout does not say otherwise."""
    if isinstance(layout, French):
        return True
    if not isinstance(layout, Wide | Either) or (isinstance(layout, Wide) and layout.date is not None):
        return False
    head = head.replace("\r\n", "\n").replace("\r", "\n")
    above = head.lstrip("\ufeff \t\n").partition("\n")[0]
    table = _TABLE.search(head)
    if table is None or above.startswith(","):
        return False
    # a table of the usual kind has as many commas in its first line as in this one
    return bool(_PROSE.search(head)) or above.count(",") != table[0].partition("\n")[0].count(",")


def read_columns(path: Path, text: str, options: ReadOptions) -> Columns:
    """Read one table of a file of the French library.

    Raises
    ------
    LayoutError
        If the file is not one, has several tables and the layout does not choose one, or is not read in percent.
    """
    found = [table for table in tables(text, str(path)) if _has_returns(table)]
    if options.unit is not Unit.PERCENT:
        raise LayoutError(
            f"expected {path} read in percent, as the files of the French library are, got {options.unit.reader}; use "
            f"{Unit.PERCENT.reader}, on the command line {Unit.PERCENT.option}.",
            path=str(path),
        )
    table = _chosen(path, found, options.layout)
    frame = _columns_of(path, table, options.layout).apply(options.missing.masked)
    return Columns(
        path,
        pd.Series(frame.index, name="date"),
        None,
        frame.reset_index(drop=True),
        range(1, len(frame) + 1),
        "row",
    )


def _has_returns(table: Table) -> bool:
    return "return" in table.caption.casefold() or not _NO_RETURNS.search(table.caption)


def _chosen(path: Path, found: Sequence[Table], layout: Layout) -> Table:
    horizon = getattr(layout, "horizon", None)
    caption = layout.caption if isinstance(layout, French) else None
    fitting = [
        table
        for table in found
        if (horizon is None or _DIGITS.get(horizon) == table.digits)
        and (caption is None or caption.casefold() in table.caption.casefold())
    ]
    if len(fitting) != 1:
        listed = "; ".join(f"{_SPANS[t.digits]}, {t.caption or 'without a caption'!r}" for t in fitting or found)
        raise LayoutError(
            f"expected one table of returns in {path}, got {len(fitting)}"
            f"{'' if fitting else ' for this choice'}: {listed or 'none'}; choose by "
            "layout=rm.French(horizon=rm.MONTH, caption=...), on the command line --data-horizon and --table.",
            path=str(path),
            tables=[(t.digits, t.caption) for t in fitting or found],
        )
    return fitting[0]


def _columns_of(path: Path, table: Table, layout: Layout) -> pd.DataFrame:
    frame = table.frame()
    wanted: tuple[Any, ...] | None = getattr(layout, "columns", None)
    missing = [name for name in wanted or () if name not in frame.columns]
    if missing:
        raise LayoutError(
            f"expected a column {missing[0]!r} in {path}, got {', '.join(table.columns)}; name these.",
            path=str(path),
            column=missing[0],
            columns=list(table.columns),
        )
    return frame if wanted is None else frame[list(wanted)]
