"""The figures of a risk report, each a function that returns a plotly figure.

Plotly is imported when the first figure is drawn. Backgrounds are transparent and colours are legible on light and on
dark; on a page, a script sets the colours of text and grid.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel.analysis.comparison import CovarianceComparison
from riskmodel.errors import InvalidParameterError, UnknownFactorError
from riskmodel.model.decomposition import IDIO
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.portfolio import Portfolio
from riskmodel.portfolio.position import Position
from riskmodel.report.canvas import BANDS, BLUE, COLOURS, ORANGE, PURPLE, canvas, plotly, safe
from riskmodel.report.formats import short_dollars

_OF_PORTFOLIO = {"unhedged": ORANGE, "capped": PURPLE, "hedged": BLUE}
MOST_POINTS = 1_500
MOST_ASSETS = 40


def fitted_line(portfolio: Portfolio, panel: ReturnPanel, factor: str | None = None) -> Any:
    """Draw excess returns against a factor, with the fitted line.

    With several factors the line holds the others at their means, so that it still passes through the means.

    Parameters
    ----------
    portfolio : Portfolio
        Say ``rm.Strategy({"MSFT": 1.0}, model)`` for one asset.
    panel : ReturnPanel
        At the model's horizon, with the assets held and the model's factors.
    factor : str, optional
        By default the model's first.

    Returns
    -------
    plotly.graph_objects.Figure
        At most 1,500 points are drawn, the extreme ones always; the line is the model's.

    Raises
    ------
    MissingExtraError
        If plotly is not installed.
    UnknownAssetError, UnknownFactorError, HorizonMismatchError
        If the panel does not fit the portfolio, or `factor` is not in the model.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"], start="2010-01")
    >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> [trace.name for trace in figures.fitted_line(tech, panel).data]
    ['month', 'fit: β = 1.09']
    """
    name, x = _factor_of(portfolio, panel, factor)
    returns = portfolio.excess_returns(panel)
    beta = float(portfolio.exposures[name])
    model = portfolio.model
    centre = float(portfolio.expected_excess_return) - beta * float(model.factor_mean[name])
    ends = np.array([x.min(), x.max()])
    traces = [
        _points(x, returns, str(panel.horizon), BLUE),
        _line(ends, centre + beta * ends, f"fit: β = {beta:.2f}", ORANGE),
    ]
    return canvas(
        traces, f"Excess return against {name}", x=f"{name}, per {panel.horizon}", y="excess return", percent="xy"
    )


def residual_scatter(portfolio: Portfolio, panel: ReturnPanel, factor: str | None = None) -> Any:
    """Draw what the model leaves of the returns against a factor: a cloud without slope.

    Parameters
    ----------
    portfolio, panel, factor
        As in `fitted_line`.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"], start="2010-01")
    >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> bool(abs(figures.residual_scatter(tech, panel).data[0].y.mean()) < 1e-12)
    True
    """
    name, x = _factor_of(portfolio, panel, factor)
    residual = portfolio.excess_returns(panel) - _tracking(portfolio, panel) - float(portfolio.alpha)
    ends = np.array([x.min(), x.max()])
    traces = [
        _points(x, residual, str(panel.horizon), BLUE),
        _line(ends, np.zeros(2), "no slope", ORANGE, dash="dash"),
    ]
    return canvas(traces, f"Residual against {name}", x=f"{name}, per {panel.horizon}", y="residual", percent="xy")


def tracking_and_hedged(portfolio: Portfolio, hedged: Portfolio, panel: ReturnPanel, factor: str | None = None) -> Any:
    """Draw the tracking portfolio and the hedged one against a factor.

    The tracking portfolio holds the factors in the weights of the exposures; the hedged one is what is left.

    Parameters
    ----------
    portfolio : Portfolio
        The strategy.
    hedged : Portfolio
        The same, hedged.
    panel, factor
        As in `fitted_line`.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"], start="2010-01")
    >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> figure = figures.tracking_and_hedged(tech, rm.HedgedPortfolio.neutral(tech), panel)
    >>> [trace.name for trace in figure.data]
    ['hedged', 'tracking']
    """
    name, x = _factor_of(portfolio, panel, factor)
    traces = [
        _points(x, hedged.excess_returns(panel), "hedged", BLUE),
        _points(x, _tracking(portfolio, panel), "tracking", ORANGE),
    ]
    title = f"Tracking and hedged portfolio against {name}"
    return canvas(traces, title, x=f"{name}, per {panel.horizon}", y="excess return", percent="xy")


def variance_split(portfolios: Mapping[str, Portfolio]) -> Any:
    """Draw the variance of some portfolios by factor and idio, as shares of the first one's total.

    Parameters
    ----------
    portfolios : mapping of name to Portfolio
        For instance ``{"unhedged": strategy, "hedged": hedged}``, through the same factors.

    Returns
    -------
    plotly.graph_objects.Figure
        Stacked bars; a source that takes variance away extends to the left of zero.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF", "HML"], start="2010-01")
    >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> figure = figures.variance_split({"unhedged": tech, "hedged": rm.HedgedPortfolio.neutral(tech)})
    >>> [trace.name for trace in figure.data]
    ['Mkt-RF', 'HML', 'idio']
    """
    _require_some(portfolios, "portfolios")
    splits = {name: p.decompose() for name, p in portfolios.items()}
    first = next(iter(splits.values()))
    shares = pd.DataFrame({name: s.by_factor for name, s in splits.items()}) / (float(first.total_variance) or 1.0)
    go = plotly()
    factors = [source for source in shares.index if source != IDIO]
    colours = {f: COLOURS[i % len(COLOURS)] for i, f in enumerate(factors)} | {IDIO: BLUE}
    traces = [
        go.Bar(
            name=safe(source),
            y=[safe(n) for n in shares.columns],
            x=shares.loc[source].to_numpy(),
            orientation="h",
            marker={"color": colour},
            text=[f"{v:.0%}" if abs(v) >= 0.06 else "" for v in shares.loc[source]],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"color": "white"},
            hovertemplate="%{y}, %{fullData.name}: %{x:.1%}<extra></extra>",
        )
        for source, colour in colours.items()
    ]
    return canvas(
        traces,
        "Where the variance comes from",
        x=f"share of the variance of {next(iter(portfolios))}",
        percent="x",
        barmode="relative",
        uniformtext={"minsize": 9, "mode": "hide"},
        yaxis={"autorange": "reversed", "type": "category", "ticksuffix": "  "},
    )


def capacity(positions: Mapping[str, Position | None]) -> Any:
    """Draw how many dollars of strategy a budget holds, hedged and not.

    Parameters
    ----------
    positions : mapping of name to Position or None
        None stands for a portfolio without risk, of which any amount is within the budget: it has no bar.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"], start="2010-01")
    >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> figure = figures.capacity({"unhedged": rm.RiskBudget(1e6, rm.MONTH).size(tech)})
    >>> figure.data[0].text
    ('$22.3m',)
    """
    _require_some(positions, "positions")
    names = list(positions)
    capital = [None if p is None else p.capital for p in positions.values()]
    bars = plotly().Bar(
        x=[safe(n) for n in names],
        y=capital,
        marker={"color": [_colour(n, i) for i, n in enumerate(names)]},
        text=["" if c is None else short_dollars(c) for c in capital],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{x}: $%{y:" + _dollar_format(capital) + "}<extra></extra>",
        showlegend=False,
    )
    figure = canvas([bars], "Capacity", y="dollars of strategy", bargap=0.45)
    figure.update_layout(yaxis={"rangemode": "tozero"}, xaxis={"type": "category"})
    for name, dollars in zip(names, capital, strict=True):
        if dollars is None:
            figure.add_annotation(x=safe(name), y=0, text="no risk left:<br>no limit", showarrow=False, yshift=22)
    return figure


def cumulated_pnl(positions: Mapping[str, Position | None], panel: ReturnPanel) -> Any:
    """Draw the cumulated PnL of some positions, hedged and not, held at constant dollars.

    Parameters
    ----------
    positions : mapping of name to Position or None
        None is left out.
    panel : ReturnPanel
        As in `fitted_line`.

    Returns
    -------
    plotly.graph_objects.Figure
        Sums of dollars, each date's excess return times the capital; dates on which one of the assets held has no
        return are left out.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"], start="2010-01")
    >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> position = rm.Position(tech, 1e6, rm.MONTH)
    >>> pnl = figures.cumulated_pnl({"unhedged": position}, panel).data[0].y
    >>> bool(abs(pnl[-1] - 1e6 * tech.excess_returns(panel).sum()) < 0.01)
    True
    """
    traces = [_pnl_line(name, p, panel, i) for i, (name, p) in enumerate(positions.items()) if p is not None]
    figure = canvas(traces, "Cumulated PnL at constant dollars", y="dollars")
    return figure.update_layout(hovermode="x unified")


def residual_correlations(comparison: CovarianceComparison, most: int = MOST_ASSETS) -> Any:
    """Draw the correlations of residuals, which are zero where the factors are enough.

    Parameters
    ----------
    comparison : CovarianceComparison
        Of a model and a panel.
    most : int
        With more assets than this, those with the largest correlations are drawn.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils"], ["Mkt-RF"], start="2010-01")
    >>> figure = figures.residual_correlations(rm.CovarianceComparison.of(rm.OLS().fit(panel), panel))
    >>> figure.data[0].z.round(2).tolist()
    [[nan, -0.23], [-0.23, nan]]
    """
    table = comparison.residual_correlation
    values = np.array(table.to_numpy(), dtype=np.float64)
    np.fill_diagonal(values, np.nan)
    sizes = np.where(np.isnan(values), 0.0, np.abs(values))
    chosen = np.sort(np.argsort(-sizes.max(axis=1, initial=0.0), kind="stable")[:most])
    names = [safe(a) for a in table.index[chosen]]
    top = max(float(sizes.max(initial=0.0)), 0.05)
    heat = plotly().Heatmap(
        z=values[np.ix_(chosen, chosen)],
        x=names,
        y=names,
        zmin=-top,
        zmax=top,
        colorscale=[[0.0, BLUE], [0.5, "rgba(127,127,127,0.10)"], [1.0, ORANGE]],
        xgap=1,
        ygap=1,
        hoverongaps=False,
        hovertemplate="%{x}, %{y}: %{z:.2f}<extra></extra>",
        colorbar={"thickness": 12, "outlinewidth": 0, "tickformat": ".2~f"},
        texttemplate="%{z:.2f}" if len(chosen) <= 12 else None,
    )
    figure = canvas([heat], "Correlations of residuals")
    axis = {"type": "category", "showgrid": False, "zeroline": False}
    return figure.update_layout(xaxis=axis, yaxis={**axis, "autorange": "reversed"})


def exposure_bars(table: pd.DataFrame) -> Any:
    """Draw exposures as bars, each with its interval.

    Parameters
    ----------
    table : DataFrame, factors × (``estimate``, ``low``, ``high``)
        Ends are NaN where they are not known.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> import pandas as pd
    >>> from riskmodel.report import figures
    >>> table = pd.DataFrame({"estimate": [1.0], "low": [0.9], "high": [1.2]}, ["Mkt-RF"])
    >>> figures.exposure_bars(table).data[0].error_x.array.round(1).tolist()
    [0.2]
    """
    _require_some(table.index, "exposures")
    estimate = table["estimate"].to_numpy(dtype=np.float64)
    up, down = table["high"].to_numpy() - estimate, estimate - table["low"].to_numpy()
    known = bool(np.isfinite(up).any())
    bars = plotly().Bar(
        y=[safe(name) for name in table.index],
        x=estimate,
        orientation="h",
        marker={"color": BLUE},
        error_x={"type": "data", "symmetric": False, "array": up, "arrayminus": down, "color": ORANGE}
        if known
        else None,
        hovertemplate="%{y}: %{x:.2f}<extra></extra>",
    )
    axis = {"autorange": "reversed", "type": "category", "ticksuffix": "  "}
    return canvas([bars], "Exposures", x="exposure").update_layout(yaxis=axis, showlegend=False)


def exposures_through_time(table: pd.DataFrame) -> Any:
    """Draw exposures over rolling windows, each as a line in the band of its interval.

    Parameters
    ----------
    table : DataFrame, dates × (factor; ``estimate``, ``low``, ``high``)
        Such as `RiskReport.exposures_through_time`. The first four factors are drawn.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"], start="2000-01")
    >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> report = rm.RiskReport.of(tech, panel, rm.RiskBudget(1e6, rm.MONTH))
    >>> [trace.name for trace in figures.exposures_through_time(report.exposures_through_time).data]
    [None, 'Mkt-RF']
    """
    _require_some(table.columns, "exposures")
    traces = []
    for factor, line, band in zip(table.columns.unique(0), (BLUE, *COLOURS), BANDS, strict=False):
        own: Any = table[factor]
        traces += _band(factor, own.dropna(), line, band)
    return canvas(traces, "Exposures through time", y="exposure").update_layout(hovermode="x unified")


def _band(name: object, table: pd.DataFrame, line: str, fill: str) -> list[Any]:
    go, dates = plotly(), [str(d.date()) for d in table.index]
    ends = np.concatenate([table["low"], table["high"][::-1]])
    edge = go.Scatter(
        x=[*dates, *dates[::-1]], y=ends, mode="lines", line={"width": 0}, fill="toself", fillcolor=fill,
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    middle = go.Scatter(
        x=dates,
        y=table["estimate"].to_numpy(),
        mode="lines",
        name=safe(name),
        line={"color": line, "width": 2},
        customdata=table[["low", "high"]].to_numpy(),
        hovertemplate="%{y:.2f} [%{customdata[0]:.2f}, %{customdata[1]:.2f}]",
        showlegend=True,
    )
    return [edge, middle]


def _points(x: pd.Series[float], y: pd.Series[float], name: str, colour: str) -> Any:
    both = pd.DataFrame({"x": x, "y": y}).dropna()
    drawn = both.iloc[_thinned(both.to_numpy())]
    return plotly().Scatter(
        x=drawn["x"].to_numpy(),
        y=drawn["y"].to_numpy(),
        text=[str(d.date()) for d in drawn.index],
        mode="markers",
        name=safe(name),
        marker={"color": colour, "size": 5, "opacity": 0.45},
        hovertemplate="%{text}: %{x:.2%}, %{y:.2%}<extra></extra>",
    )


def _thinned(points: Any) -> Any:
    """Positions of the points to draw: the extreme ones, and others evenly through time."""
    if len(points) <= MOST_POINTS:
        return np.arange(len(points))
    spread = points.std(axis=0)
    distance = np.abs((points - points.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).max(axis=1)
    n_far = MOST_POINTS // 5
    far = np.argsort(-distance, kind="stable")[:n_far]
    rest = np.setdiff1d(np.arange(len(points)), far)
    even = rest[np.linspace(0, len(rest) - 1, MOST_POINTS - n_far).astype(np.intp)]
    return np.sort(np.concatenate([far, even]))


def _line(x: Any, y: Any, name: str, colour: str, dash: str = "solid") -> Any:
    return plotly().Scatter(
        x=x, y=y, mode="lines", name=safe(name), line={"color": colour, "width": 2.5, "dash": dash}, hoverinfo="skip"
    )


def _pnl_line(name: str, position: Position, panel: ReturnPanel, order: int) -> Any:
    dollars = (position.portfolio.excess_returns(panel).dropna() * position.capital).cumsum()
    return plotly().Scatter(
        x=[str(d.date()) for d in dollars.index],
        y=dollars.to_numpy().round(_decimals(position.capital)),
        mode="lines",
        name=safe(name),
        line={"color": _colour(name, order), "width": 1.8},
        hovertemplate="$%{y:" + _dollar_format([position.capital]) + "}",
    )


def _dollar_format(amounts: Iterable[float | None]) -> str:
    """Whole dollars, or three digits where amounts are small."""
    return ",.0f" if max((a or 0.0 for a in amounts), default=0.0) >= 1e5 else ",.3~r"


def _decimals(capital: float) -> int:
    """Cents, or more digits of small amounts."""
    return max(2, 8 - math.floor(math.log10(capital))) if capital > 0 else 2


def _tracking(portfolio: Portfolio, panel: ReturnPanel) -> pd.Series[float]:
    """Return of the portfolio of factors that mimics this one, by date."""
    values = panel.returns_of(portfolio.model.definitions) @ portfolio.tracking.to_numpy()
    return pd.Series(values, panel.dates)


def _factor_of(portfolio: Portfolio, panel: ReturnPanel, factor: str | None) -> tuple[str, pd.Series[float]]:
    """Name of the factor to draw, and its returns."""
    known = portfolio.model.factors
    if not len(known):
        raise InvalidParameterError("expected a model with factors to draw against, got one without.")
    name = known[0] if factor is None else factor
    at = int(labels.positions([name], known, "factor", UnknownFactorError)[0])
    return name, pd.Series(panel.returns_of([portfolio.model.definitions[at]])[:, 0], panel.dates)


def _require_some(items: Iterable[object], what: str) -> None:
    if not list(items):
        raise InvalidParameterError(f"expected at least one of the {what} to draw, got none.")


def _colour(name: object, order: int) -> str:
    return _OF_PORTFOLIO.get(str(name), COLOURS[order % len(COLOURS)])
