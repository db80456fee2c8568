"""What all figures of a page share: colours, the canvas, axes.

Plotly is imported when the first figure is drawn. Backgrounds are transparent and colours are legible on light and on
dark; on a page, a script sets the colours of text and grid.
"""

from __future__ import annotations

from html import escape
from typing import Any

from riskmodel.errors import MissingExtraError

BLUE, ORANGE, TEAL, PURPLE = "#3b82c4", "#dd6b20", "#17907a", "#9467bd"
BANDS = ("rgba(59,130,196,0.18)", "rgba(221,107,32,0.18)", "rgba(23,144,122,0.18)", "rgba(148,103,189,0.18)")
COLOURS = (ORANGE, TEAL, PURPLE, "#b7860b", "#d4508b", "#6b7fd7")
_TEXT, _GRID, _CLEAR = "#7a808a", "rgba(127,127,127,0.22)", "rgba(0,0,0,0)"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_PERCENT = ".2~%"


def plotly() -> Any:
    """Import plotly, or raise `MissingExtraError`."""
    try:
        import plotly.graph_objects as go  # noqa: PLC0415 - optional, and used only for pictures
    except ImportError as error:
        raise MissingExtraError.of("the page", "plotly", "report") from error
    return go


def canvas(traces: list[Any], title: str, x: str = "", y: str = "", percent: str = "", **layout: Any) -> Any:
    """Put traces on the common canvas; `percent` says which axes hold decimals."""
    figure = plotly().Figure(traces)
    figure.update_layout(
        template="none",
        title={"text": safe(title), "font": {"size": 16}},
        font={"family": _FONT, "size": 13, "color": _TEXT},
        paper_bgcolor=_CLEAR,
        plot_bgcolor=_CLEAR,
        margin={"l": 60, "r": 20, "t": 56, "b": 48},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom", "itemsizing": "constant"},
        xaxis=axis(x, "x" in percent),
        yaxis=axis(y, "y" in percent),
    )
    return figure.update_layout(**layout)


def axis(title: str, percent: bool) -> dict[str, Any]:
    """Make an axis; `percent` says that it holds decimals."""
    return {
        "title": {"text": safe(title), "standoff": 8, "font": {"size": 13}},
        "automargin": True,
        "gridcolor": _GRID,
        "zerolinecolor": "rgba(127,127,127,0.5)",
        "tickformat": _PERCENT if percent else None,
    }


def safe(label: object) -> str:
    """A label as plotly should print it: plotly reads some HTML in text, which a label is not."""
    return escape(str(label), quote=False)
