"""Tables of a report as strings, for the terminal and the page alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from attrs import evolve

from riskmodel.horizon import YEAR
from riskmodel.inference.estimand import THIS_WINDOW
from riskmodel.inference.hedge_comparison import HedgeComparison
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.report.document import LONG, Place, Row, Table, Width
from riskmodel.report.formats import (
    NOTHING,
    distinct,
    dollar_interval,
    dollars,
    fixed,
    interval,
    limit,
    listed,
    pvalue,
    short_amount,
    short_interval,
)
from riskmodel.report.intervals import CAPPED, HEDGED, NEXT_MONTH_VOLATILITY, UNHEDGED
from riskmodel.report.losses import TAIL_LEVEL
from riskmodel.report.measures import (
    ASSET,
    CASH,
    HEDGE,
    HEDGE_IN_ASSETS,
    HORIZONS,
    LAST_YEAR,
    MODEL,
    REALISED,
    TRADE,
    TRADE_HORIZON,
    Measures,
)

_COMPARED = ("model", "regression", "difference")
# What is asked of the volatility, by the name of its figure.
_VOLATILITIES = {
    "volatility": MODEL,
    "realised volatility": REALISED,
    "volatility, new dates": "new dates",
    "volatility, long run": MODEL,
    NEXT_MONTH_VOLATILITY: LAST_YEAR,
}
_NO_INTERVAL = (math.nan, math.nan)
# Exposures that are shown of a hedge in lots.
_MOST_IN_LOTS = 8


def all_of(m: Measures, most: int) -> list[Table]:
    """Every table of a report, with at most so many holdings each."""
    tables = [
        *_side_by_side(hedges(m), volatility(m)),
        *([] if m.in_instruments is None else [in_instruments(m.in_instruments, m.of_instruments)]),
        *([] if m.in_lots is None else [in_lots(m, m.in_lots)]),
        volatilities(m),
        *_side_by_side(variance(m), ratios(m)),
        legs(m, most),
        pnl(m),
        trade(m),
        *([] if m.losses.tails.empty or m.held_position is None else [tails(m)]),
        *([] if m.losses.scenarios.empty or m.held_position is None else [scenarios(m)]),
        *([] if m.earned.table.empty else [earned(m, most)]),
        *([] if m.intervals.scaling.empty else [scaling(m)]),
        *([] if m.tests.empty else [correlations(m)]),
    ]
    return [*tables, *_side_by_side(exposures(m, most), alphas(m, most))]


def _side_by_side(*tables: Table) -> list[Table]:
    """Tables beside each other, or below each other where one is so long that the other would leave a gap."""
    tall = max(len(t.rows) for t in tables) > LONG
    return [evolve(t, width=Width.WIDE if tall else t.width) for t in tables]


# -- the portfolio ---------------------------------------------------------------------------------


def hedges(m: Measures) -> Table:
    """Exposures of the strategy, and the hedges that take them away."""
    first, *others = m.portfolios
    hedged = [name for name in (HEDGED, CAPPED) if name in others]
    rows = []
    for factor in m.held.factors:
        beta = m.exposures.loc[factor, first]
        cells = [interval(beta, m.intervals.of(first, f"exposure {factor}"), 2)]
        for name in hedged:
            size = m.exposures.loc[factor, name] - beta
            cells.append(interval(size, m.intervals.of(name, f"hedge {factor}"), 2))
        rows.append((str(factor), *cells))
    said = {HEDGED: "Neutral hedge", CAPPED: "Capped hedge"}
    return Table(
        "Exposures and hedges" if hedged else "Exposures",
        ("Factor", "Exposure", *(said[name] for name in hedged)),
        tuple(rows),
        note="Dollars of factor per dollar of strategy"
        + (", held beside it." if hedged else ".")
        + _on_paper(m, hedged)
        + _constancy(m),
    )


def in_instruments(compared: HedgeComparison, weights: pd.DataFrame) -> Table:
    """The hedge in the instruments under the model, beside that of a regression, with `weights` and their intervals."""
    rows = [
        (str(name), *(interval(row[by], (row[f"{by} low"], row[f"{by} high"]), 3) for by in _COMPARED))
        for name, row in weights.iterrows()
    ]
    horizon = compared.strategy.horizon
    sizes = compared.volatilities().map(lambda v: fixed(100.0 * horizon.scale_volatility(v, to=YEAR), 1))
    said = "; ".join(f"{name} {row['model']} and {row['realised']}" for name, row in sizes.iterrows())
    verdict = (
        "They differ by more than both allow, so the model lacks what the instruments share: prefer the regression's, "
        "or a model with more factors."
        if compared.differs
        else "A test of all differences together does not tell them apart."
    )
    return Table(
        "Hedges in instruments",
        ("Instrument", "Model", "Regression", "Difference"),
        tuple(rows),
        width=Width.WIDE,
        note=f"Least variance, dollars per dollar of strategy, under the model and as the returns had it. {verdict} "
        f"Volatility in % a year by the model and realised: {said}.",
    )


def in_lots(m: Measures, rounded: pd.DataFrame) -> Table:
    """What whole lots change in the hedge in the instruments."""
    percent = {"volatility": m.panel.horizon.scale_volatility(100.0, to=YEAR), "factor share": 100.0}
    said = {"volatility": "volatility, %/yr", "factor share": "factor share, %"}
    left = rounded.index[rounded.index.astype(str).str.startswith("exposure ")]
    apart = (rounded.loc[left, "whole lots"] - rounded.loc[left, "any size"]).abs().to_numpy()
    hidden = left[np.argsort(-apart, kind="stable")][_MOST_IN_LOTS:]
    shown = rounded.drop(index=["cost", *hidden])  # the cost is left out of this hedge
    rows = [
        (said.get(str(figure), str(figure)), *(fixed(percent.get(str(figure), 1.0) * v, 3) for v in row))
        for figure, row in zip(shown.index, shown.to_numpy(), strict=True)
    ]
    rows += _lots(m, rounded)
    more = (
        f" {len(hidden):,} exposures that rounding moves less are left out here; the JSON has all."
        if len(hidden)
        else ""
    )
    return Table(
        "The hedge in whole lots",
        ("Figure", "Any size", "Whole lots"),
        tuple(rows),
        note=f"The model's hedge of least variance in the instruments, of {_held_dollars(m)}: what rounding to lots "
        "leaves. Exposures and holdings are dollars per dollar of strategy; costs are left out." + more,
    )


def _lots(m: Measures, rounded: pd.DataFrame) -> list[Row]:
    """The hedge in dollars and in lots."""
    position, rows = m.held_position, []
    capital = math.nan if position is None else float(position.capital)
    for tool in m.tools:
        held = capital * rounded.loc[f"hold {tool.name}"].to_numpy(dtype=np.float64)
        rows.append((f"{tool.name}, $", *map(dollars, held)))
        if tool.lot:
            rows.append((f"{tool.name}, lots of ${dollars(tool.lot)}", *(fixed(x / tool.lot, 1) for x in held)))
    return rows


def _on_paper(m: Measures, hedged: list[str]) -> str:
    """What is said of hedges that cannot be traded as they are printed."""
    hedges = [m.portfolios[name] for name in hedged]
    legs = [leg for hedge in hedges if isinstance(hedge, HedgedPortfolio) for leg in hedge.paper_legs.index]
    names = list(dict.fromkeys(map(str, legs)))
    if not names:
        return ""
    return (
        f" {listed(names, 6)}: published on paper, thousands of stocks long and short, so no one security trades it; "
        "hedge with instruments instead (rm.MimickingPortfolio)."
    )


def _constancy(m: Measures) -> str:
    """What is said beside a hedge ratio of exposures that drift."""
    found = m.intervals.stability
    if found is None or not found.exposures.rejects():
        return "" if found is None else " A test of constant exposures does not reject (Andrews' sup-F, 5% level)."
    test = found.exposures
    return (
        f" Exposures drift: sup-F is {test.statistic:.1f}, and if they were constant it would exceed "
        f"{test.critical[1]:g} with 5% chance; the change is clearest at {test.date.date()}. The hedge is that of the "
        "average over the window; today's may be another."
    )


def volatility(m: Measures) -> Table:
    """Factor share and volatility of each portfolio."""
    rows = [
        (
            str(name),
            interval(100 * row["factor_share"], _percent(m.intervals.of(str(name), "factor share")), 1),
            *(fixed(100 * row[str(h)], 2) for h in HORIZONS),
        )
        for name, row in m.volatility.iterrows()
    ]
    return Table(
        "Unhedged and hedged" if m.is_hedged else "Volatility, unhedged",
        ("Portfolio", "Factor share %", *(f"Vol %/{h}" for h in HORIZONS)),
        tuple(rows),
        note="'hedged' sells the exposures, so that no factor moves it." if m.is_hedged else "",
    )


def volatilities(m: Measures) -> Table:
    """Volatility by the model, as it was, on new dates, in the long run and next month, with capital."""
    per_year = m.panel.horizon.scale_volatility(100.0, to=YEAR)
    rows: list[Row] = []
    for name in m.portfolios:
        head = name
        for figure, by in _VOLATILITIES.items():
            known = (name, figure) in m.intervals.figures.index
            row: Any = m.intervals.figures.loc[(name, figure)] if known else None
            estimate, ends = _volatility(m, name, figure, row)
            if not math.isfinite(estimate) and figure not in {"volatility", "realised volatility"}:
                continue
            of = _of_what(m, name, figure, row)
            cell = interval(per_year * estimate, (per_year * ends[0], per_year * ends[1]), 1)
            rows.append((head, by, cell, of, _capacity(m, name, figure)))
            head = ""
    return Table(
        "Model and realised volatility",
        ("Portfolio", "Volatility by", "%/year", "Of", "Capacity $"),
        tuple(rows),
        words=(0, 1, 3),
        width=Width.WIDE,
        note=_about_volatilities(m),
    )


def _of_what(m: Measures, name: str, figure: str, row: Any) -> str:
    """What a volatility is of: where dates are left out, how many count."""
    risk = m.realised_risk[name]
    if figure == "realised volatility" and risk is not None and risk.n_missing:
        return f"{risk.n_dates:,} dates"
    return (m.of_model if figure == "volatility" else str(THIS_WINDOW)) if row is None else str(row["of"])


def _volatility(m: Measures, name: str, figure: str, row: Any) -> tuple[float, tuple[float, float]]:
    if row is not None:
        return float(row["estimate"]), (float(row["low"]), float(row["high"]))
    by = {"volatility": MODEL, "realised volatility": REALISED}.get(figure)
    if by is None:
        return math.nan, _NO_INTERVAL
    own: Any = m.realised.loc[(name, by)]
    return float(own["volatility"]), (float(own["low"]), float(own["high"]))


def _capacity(m: Measures, name: str, figure: str) -> str:
    if figure == "volatility":
        return short_interval(m.realised.loc[(name, MODEL), "capital"], m.intervals.of(name, "capacity"), 3)
    by = {"realised volatility": REALISED, NEXT_MONTH_VOLATILITY: LAST_YEAR}.get(figure)
    return "" if by is None else short_amount(m.realised.loc[(name, by), "capital"])


def _about_volatilities(m: Measures) -> str:
    known = [risk for risk in m.realised_risk.values() if risk is not None]
    missing = max((risk.n_missing for risk in known), default=len(m.panel.dates))
    gaps = f" {missing:,} of {len(m.panel.dates):,} dates without all returns are left out." if missing else ""
    figures = m.intervals.figures.index.get_level_values("figure")
    new = " On new dates, the error of the hedge adds to what it leaves." if "volatility, new dates" in figures else ""
    lows = [m.intervals.of(name, NEXT_MONTH_VOLATILITY)[0] for name in m.portfolios]
    range_ = ", and the range that months had around that of the year before" if np.isfinite(lows).any() else ""
    month = f" Next month: the volatility of the last year{range_}." if NEXT_MONTH_VOLATILITY in figures else ""
    return f"Realised is the volatility of the returns on the panel's dates, each counted alike.{gaps}{new}{month}"


def variance(m: Measures) -> Table:
    """The unhedged variance, factor by factor and idio."""
    split = m.variance.loc[next(iter(m.portfolios))]
    rows = []
    for source, row in split.iterrows():
        low, high = m.intervals.share_of(source)
        share = interval(100 * row["share"], (100 * low, 100 * high), 1)
        rows.append((str(source), share, *(fixed(100 * row[str(h)], 2) for h in HORIZONS)))
    return Table(
        "Variance split, unhedged",
        ("Source", "Share of variance %", *(f"Vol %/{h}" for h in HORIZONS)),
        tuple(rows),
        note="Variances add up, volatilities do not; a source with a share below 0 takes variance away.",
    )


def ratios(m: Measures) -> Table:
    """Alpha, expected excess return and Sharpe ratio of each portfolio, per year."""
    mean, root = m.panel.horizon.scale_mean(100.0, to=YEAR), m.panel.horizon.scale_sharpe(1.0, to=YEAR)
    rows = []
    for name, p in m.portfolios.items():
        cells = (
            interval(scale * float(estimate), _scaled(m.intervals.of(name, figure), scale), digits)
            for figure, estimate, scale, digits in (
                ("alpha", p.alpha, mean, 1),
                ("expected excess return", p.expected_excess_return, mean, 1),
                ("sharpe", p.sharpe, root, 2),
            )
        )
        rows.append((name, *cells))
    return Table(
        "Alpha and Sharpe ratio",
        ("Portfolio", "Alpha %/yr", "Exp. excess return %/yr", "Sharpe/yr"),
        tuple(rows),
        note=f"In excess of the risk-free rate, of the long run.{_how_long(m)}",
    )


def _how_long(m: Measures) -> str:
    record = m.intervals.track_record
    if record is None:
        return ""
    if not math.isfinite(record.needed):
        return " This alpha is not above zero, so no number of returns shows that it is."
    years = record.needed / YEAR.in_units_of(m.panel.horizon)
    level = f"{100 * m.intervals.level:g}%"
    return f" It takes {years:,.1f} years of such returns until the {level} interval of this alpha is above zero."


def legs(m: Measures, most: int) -> Table:
    """Weights and dollars of holdings, hedge and cash, for each portfolio at its own capacity."""
    by_name: dict[str, Any] = {name: m.legs.loc[name] for name in m.portfolios}
    index = next(iter(by_name.values())).index
    shown, hidden = _shown_legs(m, by_name, most)
    rows = [(_leg_name(m, *index[i]), *(cell for t in by_name.values() for cell in _leg(t, i))) for i in shown]
    return Table(
        "Holdings, hedge and cash" if m.is_hedged else "Holdings and cash",
        ("Leg", *(header for name in by_name for header in (name, "$"))),
        tuple(rows),
        width=Width.WIDE,
        note=_about_legs(m) if m.capital is None else _about_held(m),
        hidden=hidden,
        place=Place.END if len(rows) > LONG else Place.MIDDLE,
    )


def _about_held(m: Measures) -> str:
    return (
        f"Weights are dollars per dollar of strategy; dollars are of the ${dollars(m.capital)} that are held, not of "
        f"what the budget allows; cash below 0 is borrowed, without the book's own capital.{_about_hedges_in_assets(m)}"
    )


def _shown_legs(m: Measures, by_name: dict[str, Any], most: int) -> tuple[list[int], int]:
    """Positions of the legs to show, and how many assets are left out.

    The largest assets of the strategy come first, then the largest of those that only its hedge holds.
    """
    kinds = next(iter(by_name.values())).index.get_level_values("kind")
    size = np.max([t["weight"].abs().to_numpy() for t in by_name.values()], axis=0)
    assets, n = np.flatnonzero(kinds == ASSET), len(m.weights)
    more = assets[n:][size[assets[n:]] > 0]
    more = more[np.argsort(-size[more], kind="stable")]
    rest = np.flatnonzero(kinds != ASSET) if m.is_hedged else np.flatnonzero(kinds == CASH)
    return [*assets[_largest(m, most)], *more[:most], *rest], max(0, n - most) + max(0, len(more) - most)


def _leg_name(m: Measures, kind: str, leg: Any) -> str:
    special = {
        HEDGE: f"{leg} (hedge)",
        HEDGE_IN_ASSETS: f"hedge in {leg}",
        CASH: distinct("cash", "leg", m.weights.index),
    }
    return special.get(kind, str(leg))


def _leg(table: pd.DataFrame, i: int) -> Row:
    weight, amount = table["weight"].iloc[i], table["dollars"].iloc[i]
    # what is a rounding error of a weight is one of the dollars too
    return fixed(weight, 3), dollars(amount if abs(weight) > NOTHING else 0.0 * amount)


def _about_legs(m: Measures) -> str:
    note = "Weights are dollars per dollar of strategy; dollars are at capacity; cash below 0 is borrowed."
    return note + _about_hedges_in_assets(m)


def _about_hedges_in_assets(m: Measures) -> str:
    factors = dict.fromkeys(leg for _, kind, leg in m.legs.index if kind == HEDGE_IN_ASSETS)
    if not factors or not m.is_hedged:
        return ""
    return (
        f" A hedge in {listed(factors, 3)} holds assets, which are among those above: trade these, and not the rows of "
        "the hedge besides."
    )


def pnl(m: Measures) -> Table:
    """Capital, risk and expected PnL of what the budget holds."""
    rows = []
    for name in m.portfolios:
        for i, h in enumerate(HORIZONS):
            row: Any = m.pnl.loc[(name, str(h))]
            head = (name, dollars(row["capital"])) if i == 0 else ("", "")
            grown = m.panel.horizon.scale_mean(1.0, to=h)
            amounts = (
                short_interval(_amount(row, column), _scaled(m.intervals.of(name, figure), grown), 2)
                for column, figure in (("expected_pnl", "expected pnl"), ("factor_adjusted_pnl", "factor-adjusted pnl"))
            )
            rows.append((*head, str(h), short_amount(row["volatility"]), *amounts))
    bound = sorted({p.binding for p in m.positions.values() if p is not None and p.binding})
    return Table(
        "Budget",
        ("Portfolio", "Capital $", "Per", "Vol. $", "Exp. PnL $", "Adj. PnL $"),
        tuple(rows),
        words=(0, 2),
        width=Width.WIDE,
        note=f"The largest positions within {limit(m.budget)}; what binds: {', '.join(bound) or 'nothing'}. "
        "Adj. PnL is factor-adjusted: the part of the expected PnL that is alpha. Both are of the long run, for these "
        "dollars.",
    )


def _amount(row: Any, column: str) -> float:
    """Dollars of a row; zero for what is rounding error beside the capital."""
    return 0.0 if abs(row[column]) <= NOTHING * row["capital"] else float(row[column])


def trade(m: Measures) -> Table:
    """PnL of one trade with the cash leg, the cash leg's own, and without it."""
    grown = TRADE * m.panel.horizon.scale_mean(1.0, to=TRADE_HORIZON)
    rows = [
        (
            str(name),
            dollars(row["cash"], TRADE),
            dollar_interval(
                row["expected_pnl"], _scaled(m.intervals.of(str(name), "expected excess return"), grown), TRADE
            ),
            dollars(row["cash_pnl"], TRADE),
            dollars(row["expected_pnl_without_cash"], TRADE),
        )
        for name, row in m.trade.iterrows()
    ]
    rate = m.panel.horizon.scale_mean(100.0 * m.held.risk_free_mean, to=TRADE_HORIZON)
    costs = " and ".join(["assets", *(["funded factors"] if m.funded else [])])
    return Table(
        f"PnL of a ${TRADE:,.0f} trade over a {TRADE_HORIZON}",
        ("Portfolio", "Cash leg $", "With cash $", "Cash alone $", "Without cash $"),
        tuple(rows),
        width=Width.WIDE,
        note=f"Expected PnL, of the long run. The cash leg pays for {costs}, borrowed where negative, at the risk-free "
        f"rate of {fixed(rate, 2)}% a {TRADE_HORIZON}; with it, PnL is in excess of that rate.",
    )


def tails(m: Measures) -> Table:
    """Value at risk and expected shortfall, by method."""
    rows = tuple(
        (
            str(name),
            short_interval(row["value_at_risk"], (row["low"], row["high"]), 3),
            short_interval(row["expected_shortfall"], (row["shortfall_low"], row["shortfall_high"]), 3),
        )
        for name, row in m.losses.tails.iterrows()
    )
    return Table(
        f"Value at risk over a {m.panel.horizon}, unhedged",
        ("Method", f"VaR {100 * TAIL_LEVEL:g}% $", f"ES {100 * TAIL_LEVEL:g}% $"),
        rows,
        width=Width.WIDE,
        note=f"Of {_held_dollars(m)}. Expected shortfall is the mean loss beyond value at risk."
        + (
            " Historical takes past losses as they were; filtered, the first figure, scales them from the volatility "
            "of their day to that of the last."
            if "filtered" in m.losses.tails.index
            else ""
        ),
    )


def _held_dollars(m: Measures) -> str:
    capital = m.held_position.capital if m.held_position is not None else math.nan
    return f"${dollars(capital)} {'held' if m.capital is not None else 'of strategy, which the budget allows'}"


def scenarios(m: Measures) -> Table:
    """Profit and loss in episodes of the past, and with each factor down."""
    rows = tuple(
        (str(name), str(row["horizon"]), short_interval(row["pnl"], (row["low"], row["high"]), 3))
        for name, row in m.losses.scenarios.iterrows()
    )
    return Table(
        "Scenarios, unhedged",
        ("Scenario", "Over", "PnL $"),
        rows,
        words=(0, 1),
        width=Width.WIDE,
        note=f"Of {_held_dollars(m)}. Episodes that these dates have move the factors as they moved then; shocks "
        "move one factor by three standard deviations to the side that loses, and the others as expected with it. The "
        "range is of what the factors leave, at the estimated exposures; the error of these is not in it.",
    )


def earned(m: Measures, most: int) -> Table:
    """What the strategy would have earned lately, by source."""
    table = m.earned.table
    spans = table["span"].unique().tolist()
    last = table[table["span"] == spans[-1]].set_index("part")
    order = last.loc[[*m.held.factors], "return"].abs().sort_values(ascending=False).index[:most]
    kept = [part for part in last.index if part in order or part not in m.held.factors]
    rows = []
    for part in kept:
        cells = [fixed(last.loc[part, "exposure"], 2) if part in m.held.factors else ""]
        for span in spans:
            row: Any = table[(table["span"] == span) & (table["part"] == part)].iloc[0]
            cells.append(interval(100 * row["return"], (100 * row["low"], 100 * row["high"]), 2))
        rows.append(("risk-free" if part == "risk_free" else str(part), *cells))
    left = len(last) - len(kept)
    return Table(
        "What it earned, unhedged",
        ("Part", "Exposure", *(f"Last {span}, %" for span in spans)),
        tuple(rows),
        width=Width.WIDE,
        note="As if today's weights had been held, with the model's alphas and loadings; parts are linked, so they sum "
        "to the compounded return. "
        "Intervals are of their errors: what alpha has too much, specific has too little."
        + (f" {left} factors with smaller parts are in the JSON." if left else ""),
    )


def scaling(m: Measures) -> Table:
    """Volatility and Sharpe ratio at longer horizons, by √h and with autocorrelation."""
    rows: list[Row] = []
    names = m.intervals.scaling.index.tolist()
    for (name, over), (_, row) in zip(names, m.intervals.scaling.iterrows(), strict=True):
        head = str(name) if str(name) not in [r[0] for r in rows] else ""
        rows.append(
            (
                head,
                str(over),
                fixed(row["variance_ratio"], 2),
                pvalue(row["pvalue"]),
                *(fixed(100 * row[c], 1) for c in ("volatility", "scaled_volatility")),
                *(fixed(row[c], 2) for c in ("sharpe", "scaled_sharpe")),
            )
        )
    return Table(
        "Does the square root of time hold?",
        ("Portfolio", "Over a", "Ratio", "p", "Vol % sqrt(h)", "Vol %", "Sharpe sqrt(h)", "Sharpe"),
        tuple(rows),
        words=(0, 1),
        width=Width.WIDE,
        note="Volatility and Sharpe ratio scaled by sqrt(h), and beside it with the autocorrelation of returns. The "
        "variance ratio is 1 where there is none; p tests that (Lo and MacKinlay, 1988).",
    )


def correlations(m: Measures) -> Table:
    """The largest residual correlations, and the tests that there are none."""
    pairs = m.correlations
    ends, unknown = m.intervals.of_pairs(pairs.index), (math.nan, math.nan)
    rows = [
        (str(a), str(b), interval(rho, ends.get((a, b), unknown), 2))
        for (a, b), rho in zip(pairs.index.tolist(), pairs, strict=True)
    ]
    cd, lm = m.tests.to_numpy()
    return Table(
        "Largest residual correlations",
        ("Asset", "with", "Correlation"),
        tuple(rows),
        words=(0, 1),
        note=f"Tests that there are none: Pesaran CD {cd[0]:.2f} (p {pvalue(cd[1])}), Breusch-Pagan LM "
        f"{lm[0]:,.1f} (p {pvalue(lm[1])}). A small p says that the factors are not enough.",
    )


# -- single assets ---------------------------------------------------------------------------------


def exposures(m: Measures, most: int) -> Table:
    """Betas, with intervals where they are known: a row per asset and factor, then the portfolio's."""
    known = "std_error" in m.estimates
    n_rows = 1 + len(m.held.factors)
    weights = [*m.weights.map(lambda w: fixed(w, 3)), ""]
    rows: list[Row] = []
    for i in _shown(m, most):
        betas = m.estimates.iloc[i * n_rows + 1 : (i + 1) * n_rows]
        for (asset, factor), (_, beta) in zip(betas.index.tolist(), betas.iterrows(), strict=True):
            head = (str(asset), weights[i], str(factor), interval(beta["estimate"], _ends(beta), 2))
            rows.append((*head, fixed(beta["t"], 1)) if known else head)
    return Table(
        "Betas of assets",
        ("Asset", "Weight", "Factor", "Beta", *(["t"] if known else [])),
        tuple(rows),
        words=(0, 2),
        note="Beta is dollars of factor per dollar of asset"
        + ("; t is beta over its standard error." if known else "."),
        place=Place.END,
        hidden=_hidden(m, most),
    )


def alphas(m: Measures, most: int) -> Table:
    """Alpha per year with its interval, the fit where it is known, and the own volatility per year."""
    cells = {**_alpha_cells(m), **_fit_cells(m)}
    known = {header: column for header, column in cells.items() if column}
    names = [*m.held.assets, m.total]
    return Table(
        "Alphas of assets",
        ("Asset", *known),
        tuple((str(names[i]), *(column[i] for column in known.values())) for i in _shown(m, most)),
        note="Alpha is the mean return that the factors do not explain, of the long run; idio vol is what they leave."
        + _about_alphas(m),
        place=Place.END,
        hidden=_hidden(m, most),
    )


def _about_alphas(m: Measures) -> str:
    """How alphas are tested where many are looked at."""
    if "false_discovery_rate" not in m.assets or len(m.weights) < 2:
        return ""
    tests = m.intervals.alpha_tests["pvalue"]
    names = {"joint": "robust F", "grs": "Gibbons, Ross and Shanken"}
    said = ", ".join(f"{names[str(test)]} p {pvalue(p)}" for test, p in tests.items())
    joint = f" That all are zero: {said}." if said else ""
    return f" FDR is the share of false discoveries if this alpha, and all that are surer, are called real.{joint}"


def _alpha_cells(m: Measures) -> dict[str, list[str]]:
    alpha = m.estimates.iloc[:: 1 + len(m.held.factors)]
    per_year = m.panel.horizon.scale_mean(100.0, to=YEAR)
    cells = {
        "Alpha %/yr": [
            interval(row["estimate"] * per_year, _scaled(_ends(row), per_year), 1) for _, row in alpha.iterrows()
        ],
    }
    if "false_discovery_rate" not in m.assets or len(m.weights) < 2:
        return cells
    return cells | {"FDR": [*(fixed(rate, 2) for rate in m.assets["false_discovery_rate"]), ""]}


def _fit_cells(m: Measures) -> dict[str, list[str]]:
    per_year = m.panel.horizon.scale_volatility(100.0, to=YEAR)
    own = float(np.sqrt(m.strategy.decompose().idio_variance))
    cells = {"R2 %": [], "Idio vol %/yr": [fixed(v * per_year, 1) for v in [*m.assets["idio_volatility"], own]]}
    if "rsquared" not in m.assets:
        return cells
    ends = m.assets.reindex(columns=["rsquared_low", "rsquared_high"]).to_numpy(dtype=np.float64)
    every = [*zip(m.assets["rsquared"], ends, strict=True)]
    every.append((m.volatility["factor_share"].iloc[0], np.array(m.intervals.of(UNHEDGED, "factor share"))))
    return cells | {
        "R2 %": [interval(100 * r, (100 * low, 100 * high), 1) for r, (low, high) in every],
        "Dates": [*(fixed(n, 0 if float(n).is_integer() else 1) for n in m.assets["n_observations"]), ""],
    }


def _ends(row: Any) -> tuple[float, float]:
    return float(row.get("low", math.nan)), float(row.get("high", math.nan))


def _scaled(ends: tuple[float, float], scale: float) -> tuple[float, float]:
    return scale * ends[0], scale * ends[1]


def _percent(ends: tuple[float, float]) -> tuple[float, float]:
    return _scaled(ends, 100.0)


def _shown(m: Measures, most: int) -> list[int]:
    """Positions of the assets to show and of the portfolio, which a lone unit holding already is."""
    n = len(m.weights)
    lone = n == 1 and float(m.weights.iloc[0]) == 1.0
    return [*_largest(m, most), *([] if lone else [n])]


def _largest(m: Measures, most: int) -> list[int]:
    """Positions of the holdings with the largest weights, long or short, in the order of the holdings."""
    order = np.argsort(-m.weights.abs().to_numpy(), kind="stable")[:most]
    return [int(i) for i in np.sort(order)]


def _hidden(m: Measures, most: int) -> int:
    return max(0, len(m.weights) - most)
