"""Pictures of a report with their captions, in the order in which the tables argue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from riskmodel.horizon import WEEK
from riskmodel.report import figures
from riskmodel.report.document import Picture, Width
from riskmodel.report.formats import limit, short_dollars
from riskmodel.report.intervals import UNHEDGED
from riskmodel.report.measures import Measures

_MOST_SMALL = 12
_MOST_BARS = 40


def all_of(m: Measures) -> list[Picture]:
    """Every picture of a report."""
    pictures = [
        _of_exposures(m),
        *_through_time(m),
        *_against_factors(m),
        *_of_hedge(m),
        _of_variance(m),
        _of_budget(m),
        *_of_residuals(m),
    ]
    # the last has a row of its own where the others fill theirs
    n_halves = sum(p.width is Width.HALF for p in pictures)
    return [*pictures, _of_pnl(m, Width.HALF if n_halves % 2 else Width.WIDE)]


def _of_exposures(m: Measures) -> Picture:
    rows = {
        factor: [beta, *m.intervals.of(UNHEDGED, f"exposure {factor}")] for factor, beta in m.strategy.exposures.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "low", "high"])
    known = "" if m.intervals.reason else f", with {100 * m.intervals.level:g}% intervals, of this window"
    return Picture(
        "Exposures", f"Dollars of factor per dollar of strategy{known}.", figures.exposure_bars(table.iloc[:_MOST_BARS])
    )


def _against_factors(m: Measures) -> Iterator[Picture]:
    strategy, panel = m.strategy, m.panel
    first, *others = m.held.factors
    name, betas = _name(m), m.exposures.iloc[:, 0]
    net = ", net of the other factors (partial regression)" if others else ""
    yield Picture(
        f"{name} against {first}",
        f"Each point is one {panel.horizon}{net}; the line is the model's, with a slope of {betas[first]:.3f}."
        f"{_thinning(m)}",
        figures.fitted_line(strategy, panel),
    )
    yield Picture(
        f"Residual against {first}",
        "What the model leaves of the return. A slope or a curve here would be risk that it misses.",
        figures.residual_scatter(strategy, panel),
    )
    drawn = others[:_MOST_SMALL]
    for i, factor in enumerate(drawn):
        # three in a row; one that is left over pairs with the picture that follows
        left_over = i == len(drawn) - 1 and i % 3 == 0
        yield Picture(
            f"{name} against {factor}",
            f"Slope {betas[factor]:.3f}, of what the other factors leave of both.",
            figures.fitted_line(strategy, panel, factor),
            Width.HALF if left_over else Width.SMALL,
        )


def _of_hedge(m: Measures) -> Iterator[Picture]:
    if m.is_hedged:
        yield Picture(
            f"Tracking and hedged portfolio against {m.held.factors[0]}",
            "The tracking portfolio holds the factors in the weights of the exposures. The hedged portfolio is what is "
            "left when it is sold.",
            figures.tracking_and_hedged(m.strategy, m.portfolios["hedged"], m.panel),
        )


def _through_time(m: Measures) -> Iterator[Picture]:
    table = m.intervals.exposures
    if table.empty:
        return
    size = m.variance.loc[UNHEDGED]["variance"].drop(["idio", "total"]).abs()
    order = [f for f in size.sort_values(ascending=False).index if f in table.columns.unique(0)]
    window = "a year" if m.panel.horizon.days <= WEEK.days else "three years"
    yield Picture(
        "Exposures through time",
        f"Of the portfolio in rolling windows of {window}, with {100 * m.intervals.level:g}% bands. Where "
        "they move by more, a hedge that was right has gone stale.",
        figures.exposures_through_time(table[order]),
    )
    said = {
        "volatility": (
            "Volatility through time",
            "Volatility a year of the portfolio at today's weights",
            "volatility a year",
        ),
        "factor share": (
            "Factor share through time",
            "Share of the portfolio's variance that the factors explain",
            "share of variance",
        ),
    }
    for column, (heading, about, axis) in said.items():
        yield Picture(
            heading,
            f"{about}, in regressions over rolling windows of {window}.",
            figures.risk_through_time(m.intervals.trends[[column]].rename(columns={column: axis})),
        )
    yield from _walk_forward(m)


def _walk_forward(m: Measures) -> Iterator[Picture]:
    record = m.intervals.walk_forward
    if record is None:
        return
    through = record.rolling(m.intervals.window_dates)
    names = {"effectiveness": "out of sample", "promised effectiveness": "promised"}
    betas = record.betas()["hedged"]
    largest: Any = betas.abs().idxmax()
    yield Picture(
        "The hedge, walked forward",
        f"Share of the variance that yesterday's neutral hedge took away, over windows of {m.intervals.window_dates} "
        f"dates, beside what the models had promised: {record.effectiveness:.1%} and "
        f"{record.promised_effectiveness:.1%} over all {len(record.returns) - record.n_missing:,} dates. The largest "
        f"exposure that it left was {betas[largest]:.2f}, to {largest}; costs are left out.",
        figures.risk_through_time(through[list(names)].rename(columns=names)),
    )


def _of_variance(m: Measures) -> Picture:
    share = m.volatility["factor_share"].iloc[0]
    return Picture(
        "Where the variance comes from",
        f"By factor and idio, as a share of the unhedged variance, of which the factors make {share:.1%}.",
        figures.variance_split(m.portfolios),
    )


def _of_budget(m: Measures) -> Picture:
    amounts = {n: "no limit" if p is None else short_dollars(p.capital) for n, p in m.positions.items()}
    said = ", ".join(f"{name} {amount}" for name, amount in amounts.items())
    return Picture(
        f"Capacity, {_compared(m)}",
        f"Dollars of strategy within {limit(m.budget)}: {said}.",
        figures.capacity(m.positions),
    )


def _of_residuals(m: Measures) -> Iterator[Picture]:
    if m.comparison is None or m.tests.empty:
        return
    (first, second), largest = m.correlations.index.tolist()[0], m.correlations.iloc[0]
    left_out = max(0, len(m.comparison.residual_correlation) - figures.MOST_ASSETS)
    more = f" {left_out} assets with smaller ones are left out." if left_out else ""
    yield Picture(
        "Correlations of residuals",
        f"Zero where the factors are enough. The largest is {largest:.2f}, of {first} and {second}.{more} "
        "Columns are in the order of the rows.",
        figures.residual_correlations(m.comparison),
    )


def _of_pnl(m: Measures, width: Width) -> Picture:
    return Picture(
        f"Cumulated PnL, {_compared(m)}",
        "Each position at its own capacity, held at constant dollars, in excess of the risk-free rate, on the returns "
        "that the report is about.",
        figures.cumulated_pnl(m.positions, m.panel),
        width,
    )


def _name(m: Measures) -> str:
    return str(m.weights.index[0]) if len(m.weights) == 1 else "Portfolio"


def _compared(m: Measures) -> str:
    return "hedged and unhedged" if m.is_hedged else "unhedged"


def _thinning(m: Measures) -> str:
    n = len(m.panel.dates) - m.n_missing
    if n <= figures.MOST_POINTS:
        return ""
    return f" At most {figures.MOST_POINTS:,} of {n:,} points are drawn, the extreme ones among them."
