"""The figures of a study, each a function that returns a plotly figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core.arguments import shown
from riskmodel.errors import InvalidParameterError
from riskmodel.evaluation.calibration import WINDOW, bias_band
from riskmodel.evaluation.losses import QLIKE, Loss
from riskmodel.evaluation.study import Study
from riskmodel.report.canvas import BLUE, COLOURS, canvas, plotly, safe

_PALETTE = (BLUE, *COLOURS)
_DASHES = ("solid", "dash", "dot", "dashdot")
_BAND = "rgba(127,127,127,0.16)"


def bias_through_time(study: Study, family: str, window: int = WINDOW) -> Any:
    """Draw the bias statistic over so many dates up to each date, a line for each method.

    Parameters
    ----------
    study : Study
        What was found.
    family : str
        The portfolios.
    window : int
        Dates in a statistic.

    Returns
    -------
    plotly.graph_objects.Figure
        With the band that holds 95 % of the statistics of one portfolio under right forecasts.
    """
    lines = study.rolling_bias(window)
    traces = [
        _line(study, method, lines[family, method]) for method in study.methods if (family, method) in lines.columns
    ]
    _require(traces, family)
    low, high = bias_band(window)
    figure = canvas(traces, f"Bias through time, {family}", y=f"bias over {window} dates", hovermode="x unified")
    values = lines[family].to_numpy()
    ends = [min(low, np.nanmin(values)) - 0.05, max(high, np.nanmax(values)) + 0.05]
    figure.update_layout(yaxis={"range": ends})
    figure.add_hrect(y0=low, y1=high, fillcolor=_BAND, line_width=0, layer="below")
    return figure.add_hline(y=1.0, line={"color": "rgba(127,127,127,0.8)", "width": 1, "dash": "dot"})


def loss_differences(study: Study, family: str, loss: Loss = QLIKE, against: str | None = None) -> Any:
    """Draw by how much each method's mean loss is above that of one other, with 95 % intervals.

    Parameters
    ----------
    study, family
        As in `bias_through_time`.
    loss : Loss
        What is compared.
    against : str, optional
        A method; by default the best on these portfolios.

    Returns
    -------
    plotly.graph_objects.Figure
        An interval that leaves out zero says that the difference is more than chance.
    """
    table = study.comparisons(loss, against)
    there = family in table.index.get_level_values("family")
    part = table.xs(family, level="family").iloc[::-1] if there else table.iloc[:0]
    _require(len(part), family)
    clear = (part["low"] > 0) | (part["high"] < 0)
    points = plotly().Scatter(
        x=part["difference"].to_numpy(),
        y=[safe(m) for m in part.index],
        mode="markers",
        marker={"size": 9, "color": [BLUE if c else "rgba(127,127,127,0.85)" for c in clear]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (part["high"] - part["difference"]).to_numpy(),
            "arrayminus": (part["difference"] - part["low"]).to_numpy(),
            "color": "rgba(127,127,127,0.7)",
            "thickness": 1.6,
            "width": 4,
        },
        customdata=part[["low", "high", "pvalue"]].to_numpy(),
        hovertemplate="%{y}: %{x:.4f} (%{customdata[0]:.4f} to %{customdata[1]:.4f}, p %{customdata[2]:.3f})"
        "<extra></extra>",
        showlegend=False,
    )
    figure = canvas([points], f"Loss above that of {part['against'].iloc[0]}, {family}", x="difference of mean loss")
    figure.update_layout(yaxis={"type": "category", "ticksuffix": "  "})
    return figure.add_vline(x=0.0, line={"color": "rgba(127,127,127,0.8)", "width": 1, "dash": "dot"})


def breaches(study: Study, level: float = 0.05) -> Any:
    """Draw the share of rows with a loss beyond the normal value at risk, for each family and method.

    Parameters
    ----------
    study : Study
        What was found.
    level : float
        The probability of a breach, drawn as a line.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    grouped = study.breaches(level).groupby(level=["family", "method"], sort=False)
    shares = grouped["breaches"].sum() / grouped["rows"].sum()
    families = [f for f in study.families if f in shares.index.get_level_values("family")]
    traces = [_shares(study, family, shares.xs(family, level="family"), i) for i, family in enumerate(families)]
    figure = canvas(traces, f"Losses beyond the {level:.0%} value at risk", x="share of rows", percent="x")
    figure.update_layout(yaxis={"type": "category", "ticksuffix": "  ", "autorange": "reversed"})
    return figure.add_vline(x=level, line={"color": "rgba(127,127,127,0.8)", "width": 1, "dash": "dot"})


def _shares(study: Study, family: str, shares: pd.Series[float], i: int) -> Any:
    known = [m for m in study.methods if m in shares.index]
    return plotly().Scatter(
        x=shares[known].to_numpy(),
        y=[safe(m) for m in known],
        mode="markers",
        name=safe(family),
        marker={"size": 9, "color": _PALETTE[i % len(_PALETTE)], "symbol": i % 5},
        hovertemplate="%{y}, %{fullData.name}: %{x:.1%}<extra></extra>",
    )


def _line(study: Study, method: str, values: pd.Series[float]) -> Any:
    i = study.methods.index(method)
    known = values.dropna()
    return plotly().Scatter(
        x=[str(d.date()) for d in known.index],
        y=np.round(known.to_numpy(), 4),
        mode="lines",
        name=safe(method),
        line={"color": _PALETTE[i % len(_PALETTE)], "width": 1.8, "dash": _DASHES[i // len(_PALETTE) % len(_DASHES)]},
        hovertemplate="%{y:.2f}",
    )


def _require(there: Any, family: str) -> None:
    if not there:
        raise InvalidParameterError(
            f"expected a family with something to draw, got {shown(family)}; Study.summary() lists the families.",
            parameter="family",
            got=family,
        )
