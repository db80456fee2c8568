"""The figures of a risk report, each a function that returns a `Figure`, which a page or a notebook shows as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel.analysis.comparison import CovarianceComparison
from riskmodel.errors import InvalidParameterError, UnknownFactorError
from riskmodel.model.decomposition import IDIO
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.portfolio import Portfolio
from riskmodel.portfolio.position import Position
from riskmodel.report.drawing.axes import DateAxis, LabelAxis, NumberAxis
from riskmodel.report.drawing.colours import BLUE, COLOURS, ORANGE, PURPLE
from riskmodel.report.drawing.figure import Figure
from riskmodel.report.drawing.marks import DASHED, Band, Bars, Cells, Line, Mark, Points
from riskmodel.report.drawing.units import Unit
from riskmodel.report.formats import short_dollars

_OF_PORTFOLIO = {"unhedged": ORANGE, "capped": PURPLE, "hedged": BLUE}
MOST_POINTS = 1_500
MOST_ASSETS = 40
MOST_SOURCES = 6
# Cells of a table of so few assets have their numbers written in them.
_MOST_WRITTEN = 12
# A bar this long has room for its share.
_ROOM = 0.06


def fitted_line(portfolio: Portfolio, panel: ReturnPanel, factor: str | None = None) -> Figure:
    r"""Draw excess returns against a factor, with the fitted line.

    With several factors it is the partial regression of one of them: what the others do not explain of the factor, and
    of the returns. Points and line then agree, which they do not in a picture of the returns as they are.

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
    Figure
        At most 1,500 points are drawn, the extreme ones always; the line is the model's.

    Raises
    ------
    UnknownAssetError, UnknownFactorError, HorizonMismatchError
        If the panel does not fit the portfolio, or `factor` is not in the model.

    Notes
    -----
    With :math:`\tilde f` the residual of the factor in a regression on the others and a constant, and e the model's
    residual, points are :math:`(\tilde f, \beta \tilde f + e)`. For least squares, :math:`\beta \tilde f + e` is the
    residual of the returns on the other factors, and the slope of the points is β (Frisch and Waugh [1]_, Lovell [2]_).
    For other estimators, each point is as far from the line as the model is from the return.

    References
    ----------
    .. [1] Frisch, R. and Waugh, F. V. (1933). Partial Time Regressions as Compared with Individual Trends.
       *Econometrica* 1(4), 387-401.
    .. [2] Lovell, M. C. (1963). Seasonal Adjustment of Economic Time Series and Multiple Regression Analysis. *Journal
       of the American Statistical Association* 58(304), 993-1010.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"], start="2010-01")
    >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> [mark.name for mark in figures.fitted_line(tech, panel).marks]
    ['month', 'fit: β = 1.09']
    """
    name, x = _factor_of(portfolio, panel, factor)
    beta = float(portfolio.exposures[name])
    others = [f for f in portfolio.model.factors if f != name]
    if others:
        return _partial(portfolio, panel, name, beta)
    centre = float(portfolio.expected_excess_return) - beta * float(portfolio.model.factor_mean[name])
    ends = np.array([x.min(), x.max()])
    return _cloud(
        f"Excess return against {name}",
        _points(x, portfolio.excess_returns(panel), str(panel.horizon), BLUE),
        Line(f"fit: β = {beta:.2f}", ends, centre + beta * ends, ORANGE, width=2.5),
        (f"{name}, per {panel.horizon}", "excess return"),
    )


def _partial(portfolio: Portfolio, panel: ReturnPanel, name: str, beta: float) -> Figure:
    """The partial regression on one of several factors."""
    residual = _residual(portfolio, panel).dropna()
    f = panel.returns_of(portfolio.model.definitions)[panel.dates.get_indexer(residual.index)]
    at = portfolio.model.factors.get_loc(name)
    design = np.column_stack([np.ones(len(f)), np.delete(f, at, axis=1)])
    own = f[:, at] - design @ np.linalg.lstsq(design, f[:, at], rcond=None)[0]
    ends = np.array([own.min(initial=0.0), own.max(initial=0.0)])
    return _cloud(
        f"Excess return against {name}, net of the other factors",
        _points(pd.Series(own, residual.index), beta * own + residual, str(panel.horizon), BLUE),
        Line(f"fit: β = {beta:.2f}", ends, beta * ends, ORANGE, width=2.5),
        (f"{name} net of the other factors, per {panel.horizon}", "excess return, net"),
    )


def residual_scatter(portfolio: Portfolio, panel: ReturnPanel, factor: str | None = None) -> Figure:
    """Draw what the model leaves of the returns against a factor: a cloud without slope.

    Parameters
    ----------
    portfolio, panel, factor
        As in `fitted_line`.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"], start="2010-01")
    >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> bool(abs(figures.residual_scatter(tech, panel).marks[0].y.mean()) < 1e-12)
    True
    """
    name, x = _factor_of(portfolio, panel, factor)
    ends = np.array([x.min(), x.max()])
    return _cloud(
        f"Residual against {name}",
        _points(x, _residual(portfolio, panel), str(panel.horizon), BLUE),
        Line("no slope", ends, np.zeros(2), ORANGE, DASHED, 2.5),
        (f"{name}, per {panel.horizon}", "residual"),
    )


def tracking_and_hedged(
    portfolio: Portfolio, hedged: Portfolio, panel: ReturnPanel, factor: str | None = None
) -> Figure:
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
    Figure

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"], start="2010-01")
    >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> figure = figures.tracking_and_hedged(tech, rm.HedgedPortfolio.neutral(tech), panel)
    >>> [mark.name for mark in figure.marks]
    ['hedged', 'tracking']
    """
    name, x = _factor_of(portfolio, panel, factor)
    return _cloud(
        f"Tracking and hedged portfolio against {name}",
        _points(x, hedged.excess_returns(panel), "hedged", BLUE),
        _points(x, _tracking(portfolio, panel), "tracking", ORANGE),
        (f"{name}, per {panel.horizon}", "excess return"),
    )


def _cloud(title: str, first: Mark, second: Mark, axes: tuple[str, str]) -> Figure:
    across, up = (NumberAxis(axis, Unit.PERCENT) for axis in axes)
    return Figure(title, (first, second), across, up)


def variance_split(portfolios: Mapping[str, Portfolio]) -> Figure:
    """Draw the variance of some portfolios by factor and idio, as shares of the first one's total.

    Parameters
    ----------
    portfolios : mapping of name to Portfolio
        For instance ``{"unhedged": strategy, "hedged": hedged}``, through the same factors.

    Returns
    -------
    Figure
        Stacked bars; a source that takes variance away extends to the left of zero. Of more than six factors, the five
        largest are drawn, and the sum of the others.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF", "HML"], start="2010-01")
    >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> figure = figures.variance_split({"unhedged": tech, "hedged": rm.HedgedPortfolio.neutral(tech)})
    >>> [mark.name for mark in figure.marks]
    ['Mkt-RF', 'HML', 'idio']
    """
    _require_some(portfolios, "portfolios")
    splits = {name: p.decompose() for name, p in portfolios.items()}
    first = next(iter(splits.values()))
    shares = pd.DataFrame({name: s.by_factor for name, s in splits.items()}) / (float(first.total_variance) or 1.0)
    shares = _largest(shares)
    factors = [source for source in shares.index if source != IDIO]
    colours = {f: COLOURS[i % len(COLOURS)] for i, f in enumerate(factors)} | {IDIO: BLUE}
    title = f"share of the variance of {next(iter(portfolios))}"
    return _bars("Where the variance comes from", _stacked(shares, colours), NumberAxis(title, Unit.PERCENT, 0.0))


def _largest(shares: pd.DataFrame) -> pd.DataFrame:
    """The sources with the largest shares, and the sum of the other factors."""
    factors = shares.index[shares.index != IDIO]
    if len(factors) <= MOST_SOURCES:
        return shares
    size = shares.loc[factors].abs().max(axis=1).to_numpy()
    kept = factors[np.sort(np.argsort(-size, kind="stable")[: MOST_SOURCES - 1])]
    rest = factors.difference(kept)
    others = shares.loc[rest].sum().to_frame(f"{len(rest)} others").T
    return pd.concat([shares.loc[kept], others, shares.loc[[IDIO]]])


def _stacked(shares: pd.DataFrame, colours: Mapping[Any, str]) -> tuple[Bars, ...]:
    """Bars that follow each other, those below zero to the left."""
    ends = {True: np.zeros(shares.shape[1]), False: np.zeros(shares.shape[1])}
    names, marks = tuple(map(str, shares.columns)), []
    for source, colour in colours.items():
        sizes = shares.loc[source].to_numpy(dtype=np.float64)
        base = np.where(sizes >= 0, ends[True], ends[False])
        said = tuple(f"{v:.0%}" if abs(v) >= _ROOM else "" for v in sizes)
        marks.append(Bars(str(source), names, sizes, (colour,) * len(names), base, said))
        ends = {up: ends[up] + np.where((sizes >= 0) == up, sizes, 0.0) for up in ends}
    return tuple(marks)


def capacity(positions: Mapping[str, Position | None]) -> Figure:
    """Draw how many dollars of strategy a budget holds, hedged and not.

    Parameters
    ----------
    positions : mapping of name to Position or None
        None stands for a portfolio without risk, of which any amount is within the budget: it has no bar.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"], start="2010-01")
    >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> figure = figures.capacity({"unhedged": rm.RiskBudget(1e6, rm.MONTH).size(tech)})
    >>> figure.marks[0].beside
    ('$22.3m',)
    """
    _require_some(positions, "positions")
    capital = [None if p is None else float(p.capital) for p in positions.values()]
    bars = Bars(
        "",
        tuple(map(str, positions)),
        np.array([0.0 if c is None else c for c in capital]),
        tuple(_colour(name, i) for i, name in enumerate(positions)),
        beside=tuple("no risk left: no limit" if c is None else short_dollars(c) for c in capital),
    )
    # room for what is written at the end of the longest
    return _bars("Capacity", (bars,), NumberAxis("dollars of strategy", Unit.DOLLARS, 0.0, room=0.16))


def exposure_bars(table: pd.DataFrame) -> Figure:
    """Draw exposures as bars, each with its interval.

    Parameters
    ----------
    table : DataFrame, factors × (``estimate``, ``low``, ``high``)
        Ends are NaN where they are not known.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import pandas as pd
    >>> from riskmodel.report import figures
    >>> table = pd.DataFrame({"estimate": [1.0], "low": [0.9], "high": [1.2]}, ["Mkt-RF"])
    >>> figures.exposure_bars(table).marks[0].high.tolist()
    [1.2]
    """
    _require_some(table.index, "exposures")
    low, high = (table[end].to_numpy(dtype=np.float64) for end in ("low", "high"))
    known = bool(np.isfinite(high).any())
    bars = Bars(
        "",
        tuple(map(str, table.index)),
        table["estimate"].to_numpy(dtype=np.float64),
        (BLUE,) * len(table),
        low=low if known else None,
        high=high if known else None,
    )
    return _bars("Exposures", (bars,), NumberAxis("exposure", marked=0.0))


def _bars(title: str, bars: tuple[Bars, ...], axis: NumberAxis) -> Figure:
    return Figure(title, bars, axis, LabelAxis(bars[0].labels))


def cumulated_pnl(positions: Mapping[str, Position | None], panel: ReturnPanel) -> Figure:
    """Draw the cumulated PnL of some positions, hedged and not, held at constant dollars.

    Parameters
    ----------
    positions : mapping of name to Position or None
        None is left out.
    panel : ReturnPanel
        As in `fitted_line`.

    Returns
    -------
    Figure
        Sums of dollars, each date's excess return times the capital; dates on which one of the assets held has no
        return are left out.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"], start="2010-01")
    >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> position = rm.Position(tech, 1e6, rm.MONTH)
    >>> pnl = figures.cumulated_pnl({"unhedged": position}, panel).marks[0].y
    >>> bool(abs(pnl[-1] - 1e6 * tech.excess_returns(panel).sum()) < 0.01)
    True
    """
    lines = tuple(_pnl_line(name, p, panel, i) for i, (name, p) in enumerate(positions.items()) if p is not None)
    return _through_time("Cumulated PnL at constant dollars", lines, NumberAxis("dollars", Unit.DOLLARS))


def residual_correlations(comparison: CovarianceComparison, most: int = MOST_ASSETS) -> Figure:
    """Draw the correlations of residuals, which are zero where the factors are enough.

    Parameters
    ----------
    comparison : CovarianceComparison
        Of a model and a panel.
    most : int
        With more assets than this, those with the largest correlations are drawn.

    Returns
    -------
    Figure
        Blue below zero, orange above it.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils"], ["Mkt-RF"], start="2010-01")
    >>> figure = figures.residual_correlations(rm.CovarianceComparison.of(rm.OLS().fit(panel), panel))
    >>> figure.marks[0].numbers.round(2).tolist()
    [[nan, -0.23], [-0.23, nan]]
    """
    table = comparison.residual_correlation
    values = np.array(table.to_numpy(), dtype=np.float64)
    np.fill_diagonal(values, np.nan)
    sizes = np.where(np.isnan(values), 0.0, np.abs(values))
    chosen = np.sort(np.argsort(-sizes.max(axis=1, initial=0.0), kind="stable")[:most])
    names = tuple(str(a) for a in table.index[chosen])
    top = max(float(sizes.max(initial=0.0)), 0.05)
    cells = Cells(names, values[np.ix_(chosen, chosen)], top, len(chosen) <= _MOST_WRITTEN)
    return Figure("Correlations of residuals", (cells,), LabelAxis(names), LabelAxis(names))


def exposures_through_time(table: pd.DataFrame) -> Figure:
    """Draw exposures over rolling windows, each as a line in the band of its interval.

    Parameters
    ----------
    table : DataFrame, dates × (factor; ``estimate``, ``low``, ``high``)
        Such as `RiskReport.exposures_through_time`. The first four factors are drawn.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report import figures
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"], start="2000-01")
    >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> report = rm.RiskReport.of(tech, panel, rm.RiskBudget(1e6, rm.MONTH))
    >>> [mark.name for mark in figures.exposures_through_time(report.exposures_through_time).marks]
    ['', 'Mkt-RF']
    """
    _require_some(table.columns, "exposures")
    marks: list[Mark] = []
    for factor, colour in zip(table.columns.unique(0), (BLUE, *COLOURS[:3]), strict=False):
        own: Any = table[factor].dropna()
        low, middle, high = (own[column].to_numpy(dtype=np.float64) for column in ("low", "estimate", "high"))
        marks += [Band(own.index, low, high, colour), Line(str(factor), own.index, middle, colour)]
    return _through_time("Exposures through time", tuple(marks), NumberAxis("exposure"))


def risk_through_time(table: pd.DataFrame) -> Figure:
    """Draw volatilities or shares over dates, a line for each column.

    Parameters
    ----------
    table : DataFrame, dates × names
        Decimals. The first is drawn solid, and each further one in a colour of its own. One alone names the axis.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import pandas as pd
    >>> from riskmodel.report import figures
    >>> table = pd.DataFrame({"total": [0.2, 0.3]}, pd.to_datetime(["2020-01-31", "2020-02-29"]))
    >>> figures.risk_through_time(table).marks[0].y.tolist()
    [0.2, 0.3]
    """
    _require_some(table.columns, "columns")
    colours = (BLUE, *COLOURS)
    lines = tuple(
        Line(str(name), own.index, own.to_numpy(dtype=np.float64), colours[i % len(colours)])
        for i, (name, own) in enumerate((name, table[name].dropna()) for name in table)
    )
    axis = NumberAxis(lines[0].name if len(lines) == 1 else "", Unit.PERCENT)
    return _through_time("Risk through time", lines, axis)


def _through_time(title: str, marks: tuple[Mark, ...], axis: NumberAxis) -> Figure:
    return Figure(title, marks, DateAxis(), axis)


def _points(x: pd.Series[float], y: pd.Series[float], name: str, colour: str) -> Points:
    both = pd.DataFrame({"x": x, "y": y}).dropna()
    drawn = both.iloc[_thinned(both.to_numpy())]
    return Points(name, drawn["x"].to_numpy(), drawn["y"].to_numpy(), pd.DatetimeIndex(drawn.index), colour)


def _thinned(points: Array) -> Any:
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


def _pnl_line(name: str, position: Position, panel: ReturnPanel, order: int) -> Line:
    dollars = (position.portfolio.excess_returns(panel).dropna() * position.capital).cumsum()
    return Line(str(name), pd.DatetimeIndex(dollars.index), dollars.to_numpy(), _colour(name, order), width=1.6)


def _residual(portfolio: Portfolio, panel: ReturnPanel) -> pd.Series[float]:
    """What the model leaves of the returns, by date."""
    return portfolio.excess_returns(panel) - _tracking(portfolio, panel) - float(portfolio.alpha)


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
