"""Tables as a workbook, one sheet a table."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from riskmodel._core.atomic import write_atomically
from riskmodel.errors import MissingExtraError

# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LONGEST_NAME = 31


def content(tables: Mapping[str, pd.DataFrame]) -> bytes:
    """Return the workbook as bytes.

    Raises
    ------
    MissingExtraError
        If openpyxl is not installed.
    """
    try:
        import openpyxl  # noqa: F401, PLC0415 - optional, and used only for workbooks
    except ImportError as error:
        raise MissingExtraError.of("a workbook", "openpyxl", "report") from error
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="openpyxl") as writer:
        for name, table in tables.items():
            table.map(_plain).to_excel(writer, sheet_name=name[:_LONGEST_NAME], index=False)
    return buffer.getvalue()


def write(tables: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write the workbook; the file that was there stays where this one cannot be written whole."""
    write_atomically(path, content(tables))


def _plain(value: object) -> object:
    """A label is text, never a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
