"""A report as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from riskmodel.report.document import Document, Row, Table

MOST_ASSETS = 12
_WIDTH = 79
_LABEL = 18


def render(document: Document) -> str:
    """Write the facts, tables and notes, ending in a line break."""
    parts = [
        *_warnings(document),
        _facts(document),
        *_tiles(document),
        *_terms(document),
        *map(_table, document.tables),
        _notes(document),
    ]
    return "\n\n".join(parts) + "\n"


def _warnings(document: Document) -> Iterator[str]:
    for warning in document.warnings:
        yield textwrap.fill(_clean(f"WARNING: {warning}"), _WIDTH, subsequent_indent="  ")


def _facts(document: Document) -> str:
    indent = " " * (_LABEL - 1)
    lines = [
        textwrap.fill(_clean(f"{name:<{_LABEL - 1}}{value}"), _WIDTH, subsequent_indent=indent)
        for name, value in document.facts
    ]
    return "\n".join([document.heading.upper(), *lines])


def _tiles(document: Document) -> Iterator[str]:
    """The first figures: values below each other, with their notes."""
    if document.tiles:
        wide = max(len(tile.label) for tile in document.tiles)
        lines = [
            textwrap.fill(
                _clean(f"{tile.label:<{wide}}  {tile.value}{f'; {tile.note}' if tile.note else ''}"),
                _WIDTH,
                subsequent_indent=" " * (wide + 2),
            )
            for tile in document.tiles
        ]
        yield "\n".join(["IN SHORT", *lines])


def _terms(document: Document) -> Iterator[str]:
    lines = [
        textwrap.fill(_clean(f"{term}: {meaning}"), _WIDTH, initial_indent="* ", subsequent_indent="  ")
        for term, meaning in document.terms
    ]
    if lines:
        yield "\n".join(["WHAT AN INTERVAL IS OF", *lines])


def _table(table: Table) -> str:
    most = _longest_label(table)
    text = [tuple(_short(c, most) if j in table.words else c for j, c in enumerate(row)) for row in table.rows]
    widths = [max(map(len, column)) for column in zip(table.columns, *text, strict=True)]
    header, *lines = (_line(row, widths, table.words) for row in [table.columns, *text])
    more = [f"... and {table.hidden:,} more (--json has all)"] if table.hidden else []
    return "\n".join(
        [table.title.upper(), header, "-" * len(header), *lines, *more, *textwrap.wrap(table.note, _WIDTH)]
    )


def _line(row: Row, widths: list[int], words: tuple[int, ...]) -> str:
    padded = [c.ljust(w) if j in words else c.rjust(w) for j, (c, w) in enumerate(zip(row, widths, strict=True))]
    return "  ".join(padded)


def _notes(document: Document) -> str:
    lines = [textwrap.fill(_clean(n), _WIDTH, initial_indent="* ", subsequent_indent="  ") for n in document.notes]
    return "\n".join(["NOTES", *lines])


def _longest_label(table: Table) -> int:
    """How long labels may be: longer than usual where the other columns leave room."""
    columns = list(zip(table.columns, *table.rows, strict=True))
    used = sum(2 + max(map(len, c)) if j not in table.words else 2 for j, c in enumerate(columns)) - 2
    # of labels shorter than usual, what they leave is the others'
    widest = sorted(max(map(len, columns[j])) for j in table.words)
    left = _WIDTH - used - sum(widest[:-1])
    return max(_LABEL, left) if widest and all(w <= _LABEL for w in widest[:-1]) else _LABEL


def _short(label: str, most: int) -> str:
    clean = _clean(label)
    return clean if len(clean) <= most else clean[: most - 2] + ".."


def _clean(text: str) -> str:
    """A label must not control the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
