"""Tables of a report as strings, for the terminal and the page alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from attrs import evolve

from riskmodel.horizon import YEAR
from riskmodel.report.document import Row, Table, Width
from riskmodel.report.formats import NONE, NOTHING, distinct, dollars, fixed, limit, listed, pvalue
from riskmodel.report.measures import (
    ASSET,
    CASH,
    HEDGE,
    HEDGE_IN_ASSETS,
    HORIZONS,
    MODEL,
    REALISED,
    TRADE,
    TRADE_HORIZON,
    Measures,
)

_TALL = 30
_ESTIMATES = {"estimate": ("Beta", 3), "std_error": ("Std err", 3), "t": ("t", 1)}


def all_of(m: Measures, most: int) -> list[Table]:
    """Every table of a report, with at most so many holdings each."""
    tables = [
        *_side_by_side(exposures(m, most), alphas(m, most)),
        *_side_by_side(variance(m), volatility(m)),
        realised(m),
        legs(m, most),
        pnl(m),
        trade(m),
    ]
    return tables if m.tests.empty else [*tables, correlations(m)]


def _side_by_side(*tables: Table) -> list[Table]:
    """Tables beside each other, or below each other where one is so long that the other would leave a gap."""
    tall = max(len(t.rows) for t in tables) > _TALL
    return [evolve(t, width=Width.WIDE if tall else t.width) for t in tables]


def exposures(m: Measures, most: int) -> Table:
    """Betas, with standard errors where they are known: a row per asset and factor, then the portfolio's."""
    known = {str(column): _ESTIMATES[str(column)] for column in m.estimates}
    n_rows = 1 + len(m.held.factors)
    weights = [*m.weights.map(lambda w: fixed(w, 3)), ""]
    rows: list[Row] = []
    for i in _shown(m, most):
        betas = m.estimates.iloc[i * n_rows + 1 : (i + 1) * n_rows]
        for j, ((asset, factor), beta) in enumerate(zip(betas.index, betas.to_numpy(), strict=True)):
            head = (str(asset), weights[i]) if j == 0 else ("", "")
            cells = (fixed(b, digits) for b, (_, digits) in zip(beta, known.values(), strict=True))
            rows.append((*head, str(factor), *cells))
    errors = "; t is beta over its standard error" if "t" in known else ""
    return Table(
        "Exposures",
        ("Asset", "Weight", "Factor", *(header for header, _ in known.values())),
        tuple(rows),
        words=(0, 2),
        note=f"Beta is dollars of factor per dollar of asset{errors}.",
        hidden=_hidden(m, most),
    )


def alphas(m: Measures, most: int) -> Table:
    """Alpha per year, with its standard error and the fit where they are known, and the own volatility per year."""
    cells = {**_alpha_cells(m), **_fit_cells(m)}
    known = {header: column for header, column in cells.items() if column}
    names = [*m.held.assets, m.total]
    return Table(
        "Alpha and fit",
        ("Asset", *known),
        tuple((str(names[i]), *(column[i] for column in known.values())) for i in _shown(m, most)),
        note="Alpha is the mean return that the factors do not explain; idio vol is what they leave.",
        hidden=_hidden(m, most),
    )


def _alpha_cells(m: Measures) -> dict[str, list[str]]:
    alpha = m.estimates.iloc[:: 1 + len(m.held.factors)]
    per_year = m.panel.horizon.scale_mean(100.0, to=YEAR)
    return {
        "Alpha %/yr": [fixed(a * per_year, 2) for a in alpha["estimate"]],
        "Std err": [fixed(e * per_year, 2) for e in alpha.get("std_error", [])],
        "t": [fixed(t, 1) for t in alpha.get("t", [])],
    }


def _fit_cells(m: Measures) -> dict[str, list[str]]:
    per_year = m.panel.horizon.scale_volatility(100.0, to=YEAR)
    own = float(np.sqrt(m.strategy.decompose().idio_variance))
    cells = {"R2 %": [], "Idio vol %/yr": [fixed(v * per_year, 1) for v in [*m.assets["idio_volatility"], own]]}
    if "rsquared" not in m.assets:
        return cells
    share = m.volatility["factor_share"].iloc[0]
    return cells | {
        "R2 %": [fixed(100 * r, 1) for r in [*m.assets["rsquared"], share]],
        "Dates": [*(fixed(n, 0 if float(n).is_integer() else 1) for n in m.assets["n_observations"]), ""],
    }


def variance(m: Measures) -> Table:
    """The unhedged variance, factor by factor and idio."""
    split = m.variance.loc[next(iter(m.portfolios))]
    rows = [
        (str(source), fixed(100 * row["share"], 1), *(fixed(100 * row[str(h)], 2) for h in HORIZONS))
        for source, row in split.iterrows()
    ]
    return Table(
        "Variance split, unhedged",
        ("Source", "Share of variance %", *(f"Vol %/{h}" for h in HORIZONS)),
        tuple(rows),
        note="Variances add up, volatilities do not; a source with a share below 0 takes variance away.",
    )


def volatility(m: Measures) -> Table:
    """Factor share and volatility of each portfolio."""
    realised = m.realised["volatility"].xs(REALISED, level="by")
    rows = [
        (
            str(name),
            fixed(100 * row["factor_share"], 1),
            *(fixed(100 * row[str(h)], 2) for h in HORIZONS),
            _percent_a_year(m, known),
        )
        for (name, row), known in zip(m.volatility.iterrows(), realised, strict=True)
    ]
    return Table(
        "Unhedged and hedged" if m.is_hedged else "Volatility, unhedged",
        ("Portfolio", "Factor share %", *(f"Vol %/{h}" for h in HORIZONS), "Realised %/year"),
        tuple(rows),
        note="'hedged' sells the exposures, so that no factor moves it." if m.is_hedged else "",
    )


def realised(m: Measures) -> Table:
    """Volatility by the model and as the returns had it, and the capital that each allows."""
    rows = []
    for name, by in m.realised.index:
        row: Any = m.realised.loc[(name, by)]
        low, estimate, high = (_percent_a_year(m, row[c]) for c in ("low", "volatility", "high"))
        interval = NONE if low == NONE else f"{low} to {high}"
        rows.append((name if by == MODEL else "", by, estimate, interval, dollars(row["capital"])))
    known = [risk for risk in m.realised_risk.values() if risk is not None]
    missing = max((risk.n_missing for risk in known), default=len(m.panel.dates))
    gaps = f" {missing:,} of {len(m.panel.dates):,} dates without all returns are left out." if missing else ""
    return Table(
        "Model and realised volatility",
        ("Portfolio", "Volatility by", "%/year", "95% interval", "Capacity $"),
        tuple(rows),
        words=(0, 1),
        width=Width.WIDE,
        note=f"Realised is the volatility of the returns on the panel's dates, each counted alike.{gaps}",
    )


def _percent_a_year(m: Measures, volatility: float) -> str:
    return fixed(m.strategy.horizon.scale_volatility(100.0 * volatility, to=YEAR), 2)


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
        note=_about_legs(m),
        hidden=hidden,
    )


def _shown_legs(m: Measures, by_name: dict[str, Any], most: int) -> tuple[list[int], int]:
    """Positions of the legs to show, and how many assets are left out.

    The assets of the strategy come first, then the largest of those that only its hedge holds.
    """
    kinds = next(iter(by_name.values())).index.get_level_values("kind")
    size = np.max([t["weight"].abs().to_numpy() for t in by_name.values()], axis=0)
    assets, n = np.flatnonzero(kinds == ASSET), len(m.weights)
    more = assets[n:][size[assets[n:]] > 0]
    more = more[np.argsort(-size[more], kind="stable")]
    rest = np.flatnonzero(kinds != ASSET) if m.is_hedged else np.flatnonzero(kinds == CASH)
    return [*assets[:n][:most], *more[:most], *rest], max(0, n - most) + max(0, len(more) - most)


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
    note = "Weights are dollars per dollar of strategy; dollars are at the capacity below; cash below 0 is borrowed."
    factors = dict.fromkeys(leg for _, kind, leg in m.legs.index if kind == HEDGE_IN_ASSETS)
    if not factors or not m.is_hedged:
        return note
    return f"{note} A hedge in {listed(factors, 3)} holds assets, which are among those above."


def pnl(m: Measures) -> Table:
    """Capital, risk and expected PnL of what the budget holds."""
    rows = []
    for name in m.portfolios:
        for i, h in enumerate(HORIZONS):
            row: Any = m.pnl.loc[(name, str(h))]
            head = (name, dollars(row["capital"])) if i == 0 else ("", "")
            amounts = (dollars(row[c], row["capital"]) for c in ("volatility", "expected_pnl", "factor_adjusted_pnl"))
            rows.append((*head, str(h), *amounts, fixed(row["sharpe"], 3)))
    bound = sorted({p.binding for p in m.positions.values() if p is not None and p.binding})
    return Table(
        "Budget",
        ("Portfolio", "Capital $", "Per", "Volatility $", "Exp. PnL $", "Adj. PnL $", "Sharpe"),
        tuple(rows),
        words=(0, 2),
        width=Width.WIDE,
        note=f"The largest positions within {limit(m.budget)}; what binds: {', '.join(bound) or 'nothing'}. "
        "Adj. PnL is factor-adjusted: the part of the expected PnL that is alpha.",
    )


def trade(m: Measures) -> Table:
    """PnL of one trade with the cash leg, the cash leg's own, and without it."""
    columns = ("cash", "expected_pnl", "cash_pnl", "expected_pnl_without_cash")
    rows = [(str(name), *(dollars(row[c], TRADE) for c in columns)) for name, row in m.trade.iterrows()]
    rate = m.panel.horizon.scale_mean(100.0 * m.held.risk_free_mean, to=TRADE_HORIZON)
    costs = " and ".join(["assets", *(["funded factors"] if m.funded else [])])
    return Table(
        f"PnL of a ${TRADE:,.0f} trade over a {TRADE_HORIZON}",
        ("Portfolio", "Cash leg $", "With cash $", "Cash alone $", "Without cash $"),
        tuple(rows),
        width=Width.WIDE,
        note=f"Expected PnL. The cash leg pays for {costs}, borrowed where negative, at the risk-free rate of "
        f"{fixed(rate, 2)}% a {TRADE_HORIZON}; with it, PnL is in excess of that rate.",
    )


def correlations(m: Measures) -> Table:
    """The largest residual correlations, and the tests that there are none."""
    pairs = m.correlations
    rows = [(str(a), str(b), fixed(rho, 2)) for (a, b), rho in zip(pairs.index.tolist(), pairs, strict=True)]
    cd, lm = m.tests.to_numpy()
    return Table(
        "Largest residual correlations",
        ("Asset", "with", "Correlation"),
        tuple(rows),
        words=(0, 1),
        note=f"Tests that there are none: Pesaran CD {cd[0]:.2f} (p {pvalue(cd[1])}), Breusch-Pagan LM "
        f"{lm[0]:,.1f} (p {pvalue(lm[1])}). A small p says that the factors are not enough.",
    )


def _shown(m: Measures, most: int) -> list[int]:
    """Positions of the assets to show and of the portfolio, which a lone unit holding already is."""
    n = len(m.weights)
    lone = n == 1 and float(m.weights.iloc[0]) == 1.0
    return [*range(min(n, most)), *([] if lone else [n])]


def _hidden(m: Measures, most: int) -> int:
    return max(0, len(m.weights) - most)
