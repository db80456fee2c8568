"""A report as text for a terminal."""

from __future__ import annotations

import textwrap

from riskmodel.report import tables
from riskmodel.report.report import RiskReport
from riskmodel.report.tables import Table

MOST_ASSETS = 12
_WIDTH = 79
_LABEL = 18


def render(report: RiskReport) -> str:
    """Write the whole report, ending in a line break."""
    parts = [_facts(report), *(_table(t) for t in tables.all_of(report, MOST_ASSETS)), _notes(report)]
    return "\n\n".join(parts) + "\n"


def _facts(report: RiskReport) -> str:
    lines = ["RISK REPORT"]
    for name, value in tables.facts(report):
        indent = " " * (_LABEL - 1)
        lines.append(textwrap.fill(_clean(f"{name:<{_LABEL - 1}}{value}"), _WIDTH, subsequent_indent=indent))
    return "\n".join(lines)


def _table(table: Table) -> str:
    cells = [table.columns, *table.rows]
    text = [[_short(c) if j in table.words else c for j, c in enumerate(row)] for row in cells]
    widths = [max(len(row[j]) for row in text) for j in range(len(table.columns))]
    lines = [_line(row, widths, table) for row in text]
    rule = "-" * len(lines[0])
    more = [f"... and {table.hidden:,} more (--json has all)"] if table.hidden else []
    return "\n".join([table.title.upper(), lines[0], rule, *lines[1:], *more, *textwrap.wrap(table.note, _WIDTH)])


def _line(row: list[str], widths: list[int], table: Table) -> str:
    padded = [c.ljust(w) if j in table.words else c.rjust(w) for j, (c, w) in enumerate(zip(row, widths, strict=True))]
    return "  ".join(padded)


def _notes(report: RiskReport) -> str:
    lines = [textwrap.fill(_clean(n), _WIDTH, initial_indent="* ", subsequent_indent="  ") for n in report.notes]
    return "\n".join(["NOTES", *lines])


def _short(label: str) -> str:
    clean = _clean(label)
    return clean if len(clean) <= _LABEL else clean[: _LABEL - 2] + ".."


def _clean(text: str) -> str:
    """A label must not steer the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
