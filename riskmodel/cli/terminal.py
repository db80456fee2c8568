"""Text and tables in the width of the terminal."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from typing import TextIO

import pandas as pd

# Where output goes to a file or another program.
DEFAULT_WIDTH = 79
# Narrower than this, tables cannot be read; lines of text longer than the other cannot either.
_LEAST, _LONGEST_LINE = 40, 100


def width(stream: TextIO | None = None) -> int:
    """Return the characters of a line: those of the terminal, or `DEFAULT_WIDTH` for output that goes elsewhere."""
    to = sys.stdout if stream is None else stream
    if to is None or not to.isatty():
        return DEFAULT_WIDTH
    # the last column stays free: some terminals break a line that reaches it
    return max(_LEAST, shutil.get_terminal_size((DEFAULT_WIDTH + 1, 24)).columns - 1)


def filled(text: str, hanging: str = "", stream: TextIO | None = None) -> str:
    """Break text into lines; those after the first begin with `hanging`."""
    return textwrap.fill(text, min(width(stream), _LONGEST_LINE), subsequent_indent=hanging, break_on_hyphens=False)


def table_text(table: pd.DataFrame, digits: int = 2, missing: str = "-") -> str:
    """Return a table, in blocks of columns where it is wider than the terminal.

    Parameters
    ----------
    table : DataFrame
        Numbers, printed with so many digits after the point, or text.
    digits : int
        After the point.
    missing : str
        What stands for NaN.
    """
    shown = table.rename_axis(None, axis=0).rename_axis(None, axis=1)
    text = str(shown.to_string(float_format=f"{{:,.{digits}f}}".format, na_rep=missing, line_width=width()))
    # pandas marks that columns follow below with a backslash, which is no figure
    return re.sub(r" +\\ *$", "", text, flags=re.MULTILINE)


def section(title: str, body: str, note: str = "") -> str:
    """Return a table or text under its title, with a note on how to read it."""
    return "\n".join([filled(title), body, *([filled(note)] if note else [])])


def largest(table: pd.DataFrame, most: int = 12) -> tuple[pd.DataFrame, str]:
    """Return the rows with the largest size in the last column, in their order, and how many others there are."""
    if len(table) <= most:
        return table, ""
    order = table.iloc[:, -1].abs().to_numpy().argsort(kind="stable")[::-1][:most]
    return table.iloc[sorted(order)], f"... and {len(table) - most:,} smaller (--json has all)."
