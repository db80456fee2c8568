"""The first screen of a report: what is held, its risk and where that comes from, limits, and what changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.horizon import YEAR
from riskmodel.report.document import Place, Row, Table, Tile, Width
from riskmodel.report.formats import dollars, fixed, interval, limit, short_dollars, short_interval
from riskmodel.report.intervals import HEDGED, NEXT_MONTH_VOLATILITY, UNHEDGED
from riskmodel.report.measures import LAST_YEAR, MODEL, REALISED, Measures
from riskmodel.report.previous import Previous

_BIGGEST = 5
_OF_METHOD = {
    "filtered": "past losses at the volatility of late",
    "historical": "past losses, each date alike",
    "normal": "of normal returns",
}
# Exposures of which a change is shown: others would push all else off the first screen.
_MOST_CHANGES = 8


def tiles(m: Measures) -> tuple[Tile, ...]:
    """The figures that a reader looks for first."""
    return (_held(m), _volatility(m), *_next_month(m), _share(m), _capacity(m), _sharpe(m), *_at_risk(m), *_worst(m))


def tables(m: Measures, previous: Previous | None) -> list[Table]:
    """Contributors, limits, and what changed since the last report."""
    found = [contributors(m), limits(m)]
    return found if previous is None else [*found, changes(previous)]


# -- tiles -----------------------------------------------------------------------------------------


def _held(m: Measures) -> Tile:
    w = m.weights
    of = [f"{side} {fixed(100 * size, 0)}%" for side, size in _sides(w)]
    largest: Any = w.abs().idxmax()
    gross = float(w.abs().sum())
    amount = "" if m.capital is None else f"{short_dollars(gross * m.capital)} in "
    # of a book with a NAV, weights are of that
    per = "" if m.capital is None or abs(gross - 1.0) < 1e-9 else f" of {short_dollars(m.capital)}"
    names = int((w != 0).sum())
    return Tile(
        "Held",
        f"{amount}{names:,} {'name' if names == 1 else 'names'}",
        f"{', '.join(of)}{per}; largest {largest} {100 * w[largest]:.1f}%"
        + (f"; of {100 * m.proxied_share:.0f}% of gross, others stand in" if m.proxied else ""),
    )


def _sides(w: pd.Series[float]) -> tuple[tuple[str, float], ...]:
    long, short = float(w[w > 0].sum()), -float(w[w < 0].sum())
    return ("long", long), ("short", short), ("net", long - short)


def _volatility(m: Measures) -> Tile:
    own, was = (_percent_a_year(m, m.realised.loc[(UNHEDGED, by)]) for by in (MODEL, REALISED))
    dates = f" on {len(m.panel.dates) - m.n_missing:,} of {len(m.panel.dates):,} dates" if m.n_missing else ""
    return Tile("Volatility a year, %", own, f"by the model, {m.of_model}; realised {was}{dates}")


def _percent_a_year(m: Measures, row: Any) -> str:
    scale = m.panel.horizon.scale_volatility(100.0, to=YEAR)
    return interval(scale * row["volatility"], (scale * row["low"], scale * row["high"]), 1)


def _next_month(m: Measures) -> Iterator[Tile]:
    ends = m.intervals.of(UNHEDGED, NEXT_MONTH_VOLATILITY)
    if (UNHEDGED, LAST_YEAR) in m.realised.index and not np.isfinite(ends[0]):
        last = _percent_a_year(m, m.realised.loc[(UNHEDGED, LAST_YEAR)])
        yield Tile("Last year's volatility, %", last, "for a range of the next month, dates are too few")
    if np.isfinite(ends[0]):
        low, high = (m.panel.horizon.scale_volatility(100.0 * end, to=YEAR) for end in ends)
        yield Tile(
            "Next month's volatility, % a year", f"{low:.1f} to {high:.1f}", f"{100 * m.intervals.level:g}% of months"
        )


def _share(m: Measures) -> Tile:
    low, high = m.intervals.of(UNHEDGED, "factor share")
    share = float(m.volatility["factor_share"].iloc[0])
    return Tile("Factor share, %", interval(100 * share, (100 * low, 100 * high), 1), "of the variance, this window")


def _capacity(m: Measures) -> Tile:
    amounts = {name: m.realised.loc[(name, MODEL), "capital"] for name in m.portfolios}
    cell = short_interval(amounts[UNHEDGED], m.intervals.of(UNHEDGED, "capacity"), 3)
    hedged = f"; hedged {short_interval(amounts[HEDGED], m.intervals.of(HEDGED, 'capacity'), 3)}" if m.is_hedged else ""
    return Tile("Capacity, $", cell, f"within {limit(m.budget)}{hedged}")


def _sharpe(m: Measures) -> Tile:
    scale = m.panel.horizon.scale_sharpe(1.0, to=YEAR)
    low, high = m.intervals.of(UNHEDGED, "sharpe")
    own = interval(scale * float(m.strategy.sharpe), (scale * low, scale * high), 2)
    return Tile("Sharpe ratio a year", own, "of the long run; costs left out")


def _at_risk(m: Measures) -> Iterator[Tile]:
    table, per = m.losses.tails, m.panel.horizon
    if len(table) and m.held_position is not None:
        row: Any = table.iloc[0]
        shortfall = short_interval(row["expected_shortfall"], (row["shortfall_low"], row["shortfall_high"]), 3)
        yield Tile(
            f"Value at risk 99%, $ a {per}",
            short_interval(row["value_at_risk"], (row["low"], row["high"]), 3),
            f"{_OF_METHOD[str(table.index[0])]}; expected shortfall {shortfall}",
        )


def _worst(m: Measures) -> Iterator[Tile]:
    table = m.losses.scenarios
    if len(table) and m.held_position is not None:
        name: Any = table["pnl"].idxmin()
        row: Any = table.loc[name]
        yield Tile(
            "Worst scenario, $",
            short_interval(row["pnl"], (row["low"], row["high"]), 3),
            f"{name}, of those since {m.panel.dates[0]:%Y}; range of what the factors do not decide",
        )


# -- tables ----------------------------------------------------------------------------------------


def contributors(m: Measures) -> Table:
    """The holdings, factors and groups that make most of the volatility."""
    split = m.contributions
    parts = {"name": split.by_asset, "factor": split.by_factor}
    if m.groups is not None:
        parts["group"] = split.by_group
    scale = m.panel.horizon.scale_volatility(100.0, to=YEAR)
    rows: list[Row] = []
    for by, table in parts.items():
        order = np.argsort(-table["contribution"].abs().to_numpy(), kind="stable")[:_BIGGEST]
        for i, (name, row) in enumerate(table.iloc[order].iterrows()):
            cells = (fixed(scale * row["contribution"], 2), fixed(100 * row["share"], 1))
            rows.append((by if i == 0 else "", str(name), *cells))
    return Table(
        "Biggest contributors to volatility",
        ("By", "What", "Vol. %/yr", "Share %"),
        tuple(rows),
        words=(0, 1),
        note="By names, by factors and by groups, contributions each sum to the volatility; one below 0 reduces it.",
        place=Place.FIRST,
    )


def limits(m: Measures) -> Table:
    """What is used of each limit."""
    used: pd.DataFrame = m.limits
    rows = tuple(
        (str(name), dollars(row["allowed"]), dollars(row["used"]), fixed(100 * row["utilisation"], 1))
        for name, row in used.iterrows()
    )
    at = "the largest position that they allow" if m.capital is None else f"the ${dollars(m.capital)} that are held"
    return Table(
        "Limits",
        ("Limit", "Allowed $", "Used $", "Used %"),
        rows,
        note=f"At {at}, unhedged." if rows else "No limit is used: there is no risk but rounding error.",
        place=Place.FIRST,
    )


def changes(previous: Previous) -> Table:
    """What changed since the last report."""
    table, left_out = _largest_changes(previous.changes)
    more = f" {left_out:,} exposures that changed less are left out here; the JSON has all." if left_out else ""
    rows = tuple(
        (str(figure), *(fixed(value, 2) for value in row))
        for figure, row in zip(table.index, table.to_numpy(), strict=True)
    )
    return Table(
        f"Since the report of {previous.end}",
        ("Figure", "Then", "Now", "Change"),
        rows,
        width=Width.HALF,
        note=f"{previous.holdings}{more}",
        place=Place.FIRST,
    )


def _largest_changes(table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The changes without all but the largest of exposures, and how many these are."""
    of_exposures = table.index.astype(str).str.startswith("exposure ")
    size = np.where(of_exposures, table["change"].abs().to_numpy(), np.inf)
    order = np.argsort(-size, kind="stable")[: int((~of_exposures).sum()) + _MOST_CHANGES]
    return table.iloc[np.sort(order)], len(table) - len(order)
