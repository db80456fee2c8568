"""A report as one HTML page that holds all it needs: no request leaves it."""

from __future__ import annotations

from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any

from riskmodel.errors import MissingExtraError
from riskmodel.report.document import Document, Place, Table

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_ASSETS = 100

# Forbids whatever is not in the page itself.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)


def render(document: Document) -> str:
    """Write the page: tables, pictures, style and scripts in one file.

    Raises
    ------
    MissingExtraError
        If Jinja2 is not installed.
    """
    template = _environment().from_string(_source("page.html.j2"))
    return template.render(
        document=document,
        # the drawing escapes its own labels
        pictures=[(picture, _unescaped(picture.figure.markup())) for picture in document.pictures],
        policy=_POLICY,
        style=_unescaped(_source("page.css")),
        places=Place,
        pointing=_unescaped(_source("figures.js")),
        sorting=_unescaped(_source("tables.js")),
        hedging=_unescaped(_source("hedge.js") + _source("hedge_form.js")),
    )


def fragment(document: Document) -> str:
    """Write the warnings, the first figures and the first tables, for a notebook: no script, no style sheet."""
    parts = [f"<p><strong>Warning.</strong> {escape(warning)}</p>" for warning in document.warnings]
    rows = "".join(
        f"<tr>{_cell('th', t.label)}{_cell('td', t.value)}{_cell('td', t.note)}</tr>" for t in document.tiles
    )
    parts.append(f"<table><caption>{escape(document.heading)}: {escape(document.subject)}</caption>{rows}</table>")
    parts += [_plain_table(table) for table in document.tables_at(Place.FIRST)]
    return "".join(parts)


def _plain_table(table: Table) -> str:
    """A table of which words are left and numbers right, whatever the notebook does with cells."""
    sides = ["left" if j in table.words else "right" for j in range(len(table.columns))]
    head = "".join(_cell("th", *cell) for cell in zip(table.columns, sides, strict=True))
    rows = ("".join(_cell("td", *cell) for cell in zip(row, sides, strict=True)) for row in table.rows)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><caption>{escape(table.title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(tag: str, text: str, side: str = "left") -> str:
    return f'<{tag} style="text-align: {side}">{escape(text)}</{tag}>'


def _environment() -> Environment:
    """What escapes every value of a template, labels of users included."""
    try:
        import jinja2  # noqa: PLC0415 - optional, and used only for pages
    except ImportError as error:
        raise MissingExtraError.of("the page", "jinja2", "report") from error
    return jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _unescaped(text: str) -> Any:
    """Markup made by this package, never text of a user."""
    from markupsafe import Markup  # noqa: PLC0415 - comes with Jinja2

    return Markup(text)


def _source(name: str) -> str:
    return resources.files("riskmodel.report").joinpath("templates", name).read_text(encoding="utf-8")
