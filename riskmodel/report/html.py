"""A report as one HTML page that holds all it needs: no request leaves it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any, final

from attrs import frozen

from riskmodel.errors import MissingExtraError
from riskmodel.report import figures, tables
from riskmodel.report.report import RiskReport
from riskmodel.report.tables import Table

MOST_ASSETS = 100
_MOST_SMALL = 12

# Forbids whatever is not in the page itself.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline' data:; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


@final
@frozen(eq=False)
class Picture:
    """A figure on a page.

    Parameters
    ----------
    heading : str
        Its title.
    about : str
        What it shows, in words: the caption, and the description for those who cannot see it.
    figure : plotly.graph_objects.Figure
        The picture.
    size : {"wide", "half", "small"}
        How much of the width it takes where there is room.
    """

    heading: str
    about: str
    figure: Any
    size: str = "half"


def render(report: RiskReport) -> str:
    """Write the page."""
    title = f"Risk report: {tables.holdings(report.strategy.weights)}"
    shown = tables.all_of(report, MOST_ASSETS)
    body = [
        f"<header><h1>Risk report</h1>{_facts(report)}</header>",
        '<section aria-label="Tables" class="tables">',
        *map(_table, shown),
        "</section>",
        gallery(pictures(report)),
        _notes(report.notes),
    ]
    return document(title, "\n".join(body))


def document(title: str, body: str) -> str:
    """Wrap a body in a whole page, with style, plotly and the script that draws."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<link rel="icon" href="data:,">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            f"<body>\n<main>\n{body}\n</main>",
            f"<script>{_plotly_source()}</script>",
            f"<script>{_SCRIPT}</script>",
            "</body>",
            "</html>\n",
        ]
    )


def pictures(report: RiskReport) -> list[Picture]:
    """Every picture of a report, in the order in which the tables argue."""
    residuals = list(_of_residuals(report))
    return [
        *_against_factors(report),
        _of_variance(report),
        _of_budget(report),
        *residuals,
        _of_pnl(report, "wide" if residuals else "half"),
    ]


def gallery(items: Iterable[Picture]) -> str:
    """Lay out pictures in a grid."""
    drawn = "\n".join(_picture(p, i) for i, p in enumerate(items))
    return (
        f'<section aria-label="Pictures" class="pictures">\n{drawn}\n</section>\n'
        "<noscript><p>The pictures are drawn by a script in this page, and scripts are switched off; the tables hold "
        "the figures.</p></noscript>"
    )


def _against_factors(report: RiskReport) -> Iterator[Picture]:
    strategy, panel, hedged = report.strategy, report.panel, report.portfolios["hedged"]
    first, *others = strategy.model.factors
    name, betas = _name(report), report.exposures
    yield Picture(
        f"{name} against {first}",
        f"Each point is one {panel.horizon}; the line is the model's, with a slope of "
        f"{betas.loc[first, 'unhedged']:.3f}. {_thinning(report)}",
        figures.fitted_line(strategy, panel),
    )
    yield Picture(
        f"Residual against {first}",
        "What the model leaves of the return. A slope or a curve here would be risk that it misses.",
        figures.residual_scatter(strategy, panel),
    )
    for factor in others[:_MOST_SMALL]:
        yield Picture(
            f"{name} against {factor}",
            f"Slope {betas.loc[factor, 'unhedged']:.3f}, the other factors at their means.",
            figures.fitted_line(strategy, panel, factor),
            "small",
        )
    yield Picture(
        f"Tracking and hedged portfolio against {first}",
        "The tracking portfolio holds the factors in the weights of the exposures. The hedged portfolio is what is "
        "left when it is sold.",
        figures.tracking_and_hedged(strategy, hedged, panel),
    )


def _of_variance(report: RiskReport) -> Picture:
    return Picture(
        "Where the variance comes from",
        "By factor and idio, as a share of the unhedged variance, of which the factors make "
        f"{report.factor_share('unhedged'):.1%}.",
        figures.variance_split(report.portfolios),
    )


def _of_budget(report: RiskReport) -> Picture:
    return Picture(
        "Capacity, hedged and unhedged",
        f"Dollars of strategy within {tables.limit(report)}: {_capacities(report)}.",
        figures.capacity(report.positions),
    )


def _of_residuals(report: RiskReport) -> Iterator[Picture]:
    if report.comparison is None or report.tests.empty:
        return
    pairs = report.correlations
    left_out = max(0, len(report.comparison.sample) - figures.MOST_ASSETS)
    more = f" {left_out} assets with smaller ones are left out." if left_out else ""
    yield Picture(
        "Correlations of residuals",
        f"Zero where the factors are enough. The largest is {pairs.iloc[0]:.2f}, of "
        f"{' and '.join(map(str, pairs.index.tolist()[0]))}.{more}",
        figures.residual_correlations(report.comparison),
    )


def _of_pnl(report: RiskReport, size: str) -> Picture:
    return Picture(
        "Cumulated PnL, hedged and unhedged",
        "Each position at its own capacity, held at constant dollars, in excess of the risk-free rate, on the returns "
        "that the report is about.",
        figures.cumulated_pnl(report.positions, report.panel),
        size,
    )


def _name(report: RiskReport) -> str:
    weights = report.strategy.weights
    return str(weights.index[0]) if len(weights) == 1 else "Portfolio"


def _thinning(report: RiskReport) -> str:
    n = len(report.panel.dates)
    if n <= figures.MOST_POINTS:
        return ""
    return f"At most {figures.MOST_POINTS:,} of {n:,} points are drawn, the extreme ones among them."


def _capacities(report: RiskReport) -> str:
    amounts = {n: "no limit" if p is None else figures.short_dollars(p.capital) for n, p in report.positions.items()}
    return ", ".join(f"{name} {amount}" for name, amount in amounts.items())


def _picture(picture: Picture, number: int) -> str:
    heading, about = escape(picture.heading), escape(picture.about.strip())
    figure = picture.figure.update_layout(title=None, margin={"t": 34})
    return (
        f'<figure class="{picture.size}" aria-labelledby="picture-{number}">\n'
        f'<h2 id="picture-{number}">{heading}</h2>\n'
        f'<div class="plot" role="img" aria-label="{heading}. {about}">'
        f'<script type="application/json">{_script_json(figure)}</script></div>\n'
        f"<figcaption>{about}</figcaption>\n</figure>"
    )


def _script_json(figure: Any) -> str:
    """The figure as JSON in which nothing can end the script element that holds it."""
    text = json.dumps(json.loads(figure.to_json()), separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _facts(report: RiskReport) -> str:
    items = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in tables.facts(report))
    return f"<dl>{items}</dl>"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col"{_kind(table, j)}>{escape(c)}</th>' for j, c in enumerate(table.columns))
    rows = "\n".join(f"<tr>{_cells(table, row)}</tr>" for row in table.rows)
    more = f" {table.hidden:,} more assets are left out here; the JSON has all." if table.hidden else ""
    kind = "table wide" if table.wide else "table"
    return (
        f'<div class="{kind}"><h2>{escape(table.title)}</h2>\n<div class="scroll" tabindex="0" role="region" '
        f'aria-label="{escape(table.title)}"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n'
        f"</table></div>\n<p>{escape(table.note + more)}</p></div>"
    )


def _cells(table: Table, row: tuple[str, ...]) -> str:
    first = f'<th scope="row">{escape(row[0])}</th>'
    return first + "".join(f"<td{_kind(table, j)}>{escape(c)}</td>" for j, c in enumerate(row) if j)


def _kind(table: Table, column: int) -> str:
    return ' class="word"' if column in table.words else ""


def _notes(notes: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(n)}</li>" for n in notes)
    return f'<section class="notes"><h2>Notes</h2><ul>{items}</ul></section>'


def _plotly_source() -> str:
    try:
        from plotly.offline import get_plotlyjs  # noqa: PLC0415 - optional, and used only for pages
    except ImportError as error:
        raise MissingExtraError(
            "the page needs plotly, which is not installed; pip install 'riskmodel[report]'."
        ) from error
    # some versions ask for a style sheet of maps as they start; there is no map here
    return re.sub(r"https://unpkg\.com/maplibre-gl@[^\"']*\.css", "data:text/css,", str(get_plotlyjs()))


_STYLE = """
:root { --text: #1d2129; --soft: #5b626d; --line: #d9dde3; --back: #ffffff; --card: #f7f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8eb; --soft: #a3abb6; --line: #343a43; --back: #14171c; --card: #1b1f26; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 75rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 1rem; letter-spacing: -0.01em; }
h2 { font-size: 1.05rem; line-height: 1.3; margin: 0 0 0.5rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1.25rem; margin: 0 0 2rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.tables, .pictures { display: flex; flex-wrap: wrap; gap: 1.25rem; }
.tables { margin-bottom: 1.25rem; }
.table, figure { flex: 1 1 calc(50% - 1.25rem); min-width: 0; margin: 0; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px;
  padding: 1rem 1.1rem; }
.wide { flex-basis: 100%; } figure.small { flex-basis: calc(33% - 1.25rem); }
.plot { height: 22rem; } figure.small .plot { height: 15rem; }
figcaption, .table p { color: var(--soft); font-size: 0.88rem; margin: 0.5rem 0 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.28rem 0 0.28rem 0.9rem; text-align: right; white-space: nowrap; font-weight: 400; }
th[scope="row"], .word { text-align: left; } tr > :first-child { padding-left: 0; }
thead th { color: var(--soft); font-size: 0.82rem; vertical-align: bottom; white-space: normal;
  border-bottom: 1px solid var(--line); }
tbody tr + tr > * { border-top: 1px solid color-mix(in srgb, var(--line) 55%, transparent); }
.notes { margin-top: 2rem; color: var(--soft); font-size: 0.92rem; } .notes h2 { color: var(--text); }
.notes ul { margin: 0; padding-left: 1.2rem; } .notes li { margin: 0.3rem 0; max-width: 52rem; }
@media (max-width: 60rem) { .table, figure, figure.small { flex-basis: 100%; } }
@media (max-width: 40rem) {
  main { padding: 1.25rem 0.75rem 3rem; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.5rem; }
  .table, figure { padding: 0.8rem; } .plot { height: 19rem; }
  table { font-size: 0.8rem; } th, td { padding-left: 0.5rem; } thead th { font-size: 0.75rem; }
  th[scope="row"] { position: sticky; left: 0; background: var(--card); }
}
@media print {
  :root { --text: #000; --soft: #444; --line: #bbb; --back: #fff; --card: #fff; }
  body { font-size: 12px; } main { max-width: none; padding: 0; }
  .table, figure { break-inside: avoid; }
}
"""

_SCRIPT = """
(function () {
  "use strict";
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  var print = window.matchMedia("print");
  var touch = window.matchMedia("(pointer: coarse)").matches;
  var plots = Array.prototype.slice.call(document.querySelectorAll(".plot"));
  function colours(plot) {
    var isDark = dark.matches && !print.matches;
    var text = isDark ? "#c4cad3" : "#414853";
    var grid = isDark ? "rgba(255,255,255,0.10)" : "rgba(0,0,0,0.09)";
    var zero = isDark ? "rgba(255,255,255,0.32)" : "rgba(0,0,0,0.30)";
    var change = { "font.color": text, "hoverlabel.bgcolor": isDark ? "#252b34" : "#ffffff",
      "hoverlabel.font.color": text };
    Object.keys(plot.layout).filter(function (key) { return /^[xy]axis[0-9]*$/.test(key); }).forEach(function (axis) {
      change[axis + ".gridcolor"] = grid;
      change[axis + ".zerolinecolor"] = zero;
    });
    return change;
  }
  function paint() { plots.forEach(function (plot) { window.Plotly.relayout(plot, colours(plot)); }); }
  plots.forEach(function (plot) {
    var figure = JSON.parse(plot.querySelector("script").textContent);
    plot.textContent = "";
    if (touch) { figure.layout.dragmode = false; }
    window.Plotly.newPlot(plot, figure.data, figure.layout, { responsive: true, displaylogo: false,
      displayModeBar: false })
      .then(function () { return window.Plotly.relayout(plot, colours(plot)); });
  });
  [dark, print].forEach(function (query) { query.addEventListener("change", paint); });
})();
"""
