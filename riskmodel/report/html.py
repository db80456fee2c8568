"""A report as one HTML page that holds all it needs: no request leaves it."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

from riskmodel.errors import MissingExtraError
from riskmodel.report.document import Document, Picture, Place

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
