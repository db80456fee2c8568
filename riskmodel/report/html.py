"""A report as one HTML page that holds all it needs: no request leaves it."""

from __future__ import annotations

import json
import re
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any

from riskmodel.errors import MissingExtraError
from riskmodel.report.document import Document, Picture, Place, Table

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_ASSETS = 100

# Forbids whatever is not in the page itself.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline' data:; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
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
        pictures=[(picture, _specification(picture)) for picture in document.pictures],
        policy=_POLICY,
        style=_unescaped(_source("page.css")),
        places=Place,
        script=_unescaped(_source("page.js")),
        sorting=_unescaped(_source("tables.js")),
        plotly=_unescaped(_plotly_source()) if document.pictures else "",
    )


def fragment(document: Document) -> str:
    """Write the warnings, the first figures and the first tables, for a notebook: no script, no style sheet."""
    parts = [f"<p><strong>Warning.</strong> {escape(warning)}</p>" for warning in document.warnings]
    rows = "".join(
        f"<tr><th>{escape(t.label)}</th><td>{escape(t.value)}</td><td>{escape(t.note)}</td></tr>"
        for t in document.tiles
    )
    parts.append(f"<table><caption>{escape(document.heading)}: {escape(document.subject)}</caption>{rows}</table>")
    parts += [_plain_table(table) for table in document.tables_at(Place.FIRST)]
    return "".join(parts)


def _plain_table(table: Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f"<table><caption>{escape(table.title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _environment() -> Environment:
    """What escapes every value of a template, labels of users included."""
    try:
        import jinja2  # noqa: PLC0415 - optional, and used only for pages
    except ImportError as error:
        raise MissingExtraError.of("the page", "jinja2", "report") from error
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment


def _unescaped(text: str) -> Any:
    """Text of this package or of plotly, never of a user."""
    from markupsafe import Markup  # noqa: PLC0415 - comes with Jinja2

    return Markup(text)


def _source(name: str) -> str:
    return resources.files("riskmodel.report").joinpath("templates", name).read_text(encoding="utf-8")


def _specification(picture: Picture) -> dict[str, Any]:
    """What plotly draws, as plain values; the page has the heading, so the figure goes without."""
    figure: dict[str, Any] = json.loads(picture.figure.to_json())
    figure["layout"].pop("title", None)
    figure["layout"].setdefault("margin", {})["t"] = 34
    return figure


def _plotly_source() -> str:
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - optional; who has a picture has plotly

    # some versions request a style sheet of maps as they start; there is no map here
    return re.sub(r"https://unpkg\.com/maplibre-gl@[^\"']*\.css", "data:text/css,", str(get_plotlyjs()))
