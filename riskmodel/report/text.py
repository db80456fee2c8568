"""A report as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from attrs import evolve

from riskmodel.report.document import Document, Row, Table

MOST_ASSETS = 12
_WIDTH = 79
_LABEL = 18
# Longer lines of words cannot be read; tables are as wide as they need.
_LONGEST_LINE = 100
# What a short report leaves out, by how the title begins: what explains, tests or repeats other tables.
_DETAILS = (
    "Variance split",
    "PnL of a $",
    "Does the square root",
    "Largest residual correlations",
    "Betas of assets",
    "Alphas of assets",
)


def render(document: Document, width: int = _WIDTH) -> str:
    """Write the facts, tables and notes in lines of at most so many characters, ending in a line break."""
    words = min(width, _LONGEST_LINE)
    parts = [
        *_warnings(document, words),
        _facts(document, words),
        *_tiles(document, words),
        *_terms(document, words),
        *(_table(table, width) for table in document.tables),
        _notes(document, words),
    ]
    return "\n\n".join(parts) + "\n"


def brief(document: Document, hint: str) -> Document:
    """Leave out the tables that explain, test or repeat others; a note names them, and ends in a hint."""
    left_out = [table for table in document.tables if table.title.startswith(_DETAILS)]
    if not left_out:
        return document
    note = f"Left out here: {'; '.join(table.title for table in left_out)}. {hint}"
    kept = tuple(table for table in document.tables if table not in left_out)
    return evolve(document, tables=kept, notes=(*document.notes, note))


def _warnings(document: Document, width: int) -> Iterator[str]:
    for warning in document.warnings:
        yield textwrap.fill(_clean(f"WARNING: {warning}"), width, subsequent_indent="  ")


def _facts(document: Document, width: int) -> str:
    indent = " " * (_LABEL - 1)
    lines = [
        textwrap.fill(_clean(f"{name:<{_LABEL - 1}}{value}"), width, subsequent_indent=indent)
        for name, value in document.facts
    ]
    return "\n".join([document.heading.upper(), *lines])


def _tiles(document: Document, width: int) -> Iterator[str]:
    """The first figures: values below each other, with their notes."""
    if document.tiles:
        wide = max(len(tile.label) for tile in document.tiles)
        lines = [
            textwrap.fill(
                _clean(f"{tile.label:<{wide}}  {tile.value}{f'; {tile.note}' if tile.note else ''}"),
                width,
                subsequent_indent=" " * (wide + 2),
            )
            for tile in document.tiles
        ]
        yield "\n".join(["IN SHORT", *lines])


def _terms(document: Document, width: int) -> Iterator[str]:
    lines = [
        textwrap.fill(_clean(f"{term}: {meaning}"), width, initial_indent="* ", subsequent_indent="  ")
        for term, meaning in document.terms
    ]
    if lines:
        yield "\n".join(["WHAT AN INTERVAL IS OF", *lines])


def _table(table: Table, width: int) -> str:
    most = _longest_label(table, width)
    text = [tuple(_short(c, most) if j in table.words else c for j, c in enumerate(row)) for row in table.rows]
    widths = [max(map(len, column)) for column in zip(table.columns, *text, strict=True)]
    header, *lines = (_line(row, widths, table.words) for row in [table.columns, *text])
    more = [f"... and {table.hidden:,} smaller (--json has all)"] if table.hidden else []
    return "\n".join(
        [
            table.title.upper(),
            header,
            "-" * len(header),
            *lines,
            *more,
            *textwrap.wrap(table.note, min(width, _LONGEST_LINE)),
        ]
    )


def _line(row: Row, widths: list[int], words: tuple[int, ...]) -> str:
    padded = [c.ljust(w) if j in words else c.rjust(w) for j, (c, w) in enumerate(zip(row, widths, strict=True))]
    return "  ".join(padded)


def _notes(document: Document, width: int) -> str:
    lines = [textwrap.fill(_clean(n), width, initial_indent="* ", subsequent_indent="  ") for n in document.notes]
    return "\n".join(["NOTES", *lines])


def _longest_label(table: Table, width: int) -> int:
    """How long labels may be: longer than usual where the other columns leave room."""
    columns = list(zip(table.columns, *table.rows, strict=True))
    used = sum(2 + max(map(len, c)) if j not in table.words else 2 for j, c in enumerate(columns)) - 2
    # of labels shorter than usual, what they leave is the others'
    widest = sorted(max(map(len, columns[j])) for j in table.words)
    left = width - used - sum(widest[:-1])
    return max(_LABEL, left) if widest and all(w <= _LABEL for w in widest[:-1]) else _LABEL


def _short(label: str, most: int) -> str:
    clean = _clean(label)
    return clean if len(clean) <= most else clean[: most - 2] + ".."


def _clean(text: str) -> str:
    """A label must not control the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
