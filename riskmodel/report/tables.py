"""The tables of a report as strings, for the terminal and the page alike."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, final

import pandas as pd
from attrs import evolve, frozen

from riskmodel.horizon import YEAR
from riskmodel.report.report import HORIZONS, TRADE, TRADE_HORIZON, RiskReport, distinct

Row = tuple[str, ...]
_NONE = "-"
_TALL = 30
# beside the capital, a smaller amount is rounding
_NOTHING = 1e-9


@final
@frozen
class Table:
    """A table of strings.

    Parameters
    ----------
    title : str
        What it shows.
    columns : tuple of str
        Headers, with units.
    rows : tuple of tuple of str
        Cells.
    words : tuple of int
        Which columns hold words, not numbers.
    wide : bool
        Whether it needs the whole width of a page.
    note : str
        How to read it.
    hidden : int
        How many rows were left out.
    """

    title: str
    columns: Row
    rows: tuple[Row, ...]
    words: tuple[int, ...] = (0,)
    wide: bool = False
    note: str = ""
    hidden: int = 0


def all_of(report: RiskReport, most: int) -> list[Table]:
    """Every table of a report, with at most so many holdings each."""
    tables = [
        *_beside(exposures(report, most), alphas(report, most)),
        *_beside(variance(report), volatility(report)),
        legs(report, most),
        pnl(report),
        trade(report),
    ]
    return tables if report.tests.empty else [*tables, correlations(report)]


def _beside(*tables: Table) -> list[Table]:
    """Tables beside each other, or below each other where one is so long that the other would leave a gap."""
    tall = max(len(t.rows) for t in tables) > _TALL
    return [evolve(t, wide=t.wide or tall) for t in tables]


def facts(report: RiskReport) -> list[tuple[str, str]]:
    """What the report is on, line by line."""
    panel, dropped = report.panel, report.dropped
    left_out = "; ".join(f"{n:,} ({reason})" for reason, n in dropped.items()) or "none"
    # history is revised: which release of each source the returns are from
    vintages = [("Vintage", f"{source}: {vintage}") for source, vintage in panel.provenance.items()]
    return [
        ("Portfolio", holdings(report.strategy.weights)),
        ("Factors", _listed(map(str, report.strategy.model.factors), 8)),
        ("Funded factors", _listed(map(str, report.funded), 8) or "none"),
        ("Data", report.source or _NONE),
        *vintages,
        (
            "Span",
            f"{panel.dates[0].date()} to {panel.dates[-1].date()}, {len(panel.dates):,} dates, per {panel.horizon}",
        ),
        ("Dates left out", left_out),
        ("Budget", limit(report)),
    ]


def limit(report: RiskReport) -> str:
    """Write the volatility that the budget allows."""
    return f"${_dollars(float(report.budget.volatility))} of volatility per {report.budget.horizon}"


def holdings(weights: pd.Series[float], most: int = 6) -> str:
    """Write weights in a line: ``MSFT 0.5, JPM 0.5``."""
    return _listed([f"{asset} {weight:.4g}" for asset, weight in weights.items()], most)


def exposures(report: RiskReport, most: int) -> Table:
    """Betas with standard errors: a row per asset and factor, then the portfolio's."""
    n_factors = len(report.exposures)
    weights = [*report.assets["weight"].map(lambda w: _fixed(w, 3)), ""]
    rows = []
    for i in _shown(report, most):
        own = report.estimates.iloc[i * (n_factors + 1) + 1 : (i + 1) * (n_factors + 1)]
        for j, ((asset, factor), beta) in enumerate(zip(own.index, own.to_numpy(), strict=True)):
            head = (str(asset), weights[i]) if j == 0 else ("", "")
            rows.append((*head, str(factor), _fixed(beta[0], 3), _fixed(beta[1], 3), _fixed(beta[2], 1)))
    return Table(
        "Exposures",
        ("Asset", "Weight", "Factor", "Beta", "Std err", "t"),
        tuple(rows),
        words=(0, 2),
        note="Beta is dollars of factor per dollar of asset; t is beta over its standard error.",
        hidden=_hidden(report, most),
    )


def alphas(report: RiskReport, most: int) -> Table:
    """Alpha with standard errors, the fit, and the own volatility, per year."""
    per_year = report.panel.horizon.scale_mean(100.0, to=YEAR)
    idio = report.panel.horizon.scale_volatility(100.0, to=YEAR)
    own_variance = float(report.strategy.decompose().idio_variance)
    fits = [
        *zip(report.assets["rsquared"], report.assets["idio_volatility"], strict=True),
        (report.factor_share("unhedged"), math.sqrt(own_variance)),
    ]
    alpha = report.estimates.iloc[:: len(report.exposures) + 1]
    counts = [*report.assets["n_observations"].map(lambda n: f"{n:,}"), ""]
    rows = []
    for i in _shown(report, most):
        estimate, error, t = alpha.iloc[i]
        r2, own = fits[i]
        cells = (_fixed(estimate * per_year, 2), _fixed(error * per_year, 2), _fixed(t, 1))
        rows.append((str(alpha.index[i][0]), *cells, _fixed(100 * r2, 1), _fixed(own * idio, 1), counts[i]))
    return Table(
        "Alpha and fit",
        ("Asset", "Alpha %/yr", "Std err", "t", "R2 %", "Idio vol %/yr", "Dates"),
        tuple(rows),
        note="Alpha is the mean return that the factors do not explain; idio vol is what they leave.",
        hidden=_hidden(report, most),
    )


def variance(report: RiskReport) -> Table:
    """The unhedged variance, factor by factor and idio."""
    split = report.variance.loc["unhedged"]
    rows = [
        (str(source), _fixed(100 * row["share"], 1), *(_fixed(100 * row[str(h)], 2) for h in HORIZONS))
        for source, row in split.iterrows()
    ]
    return Table(
        "Variance split, unhedged",
        ("Source", "Share of variance %", *(f"Vol %/{h}" for h in HORIZONS)),
        tuple(rows),
        note="Variances add up, volatilities do not; a source with a share below 0 takes variance away.",
    )


def volatility(report: RiskReport) -> Table:
    """Factor share and volatility of each portfolio."""
    rows = []
    for name, p in report.portfolios.items():
        sizes = (_fixed(100 * float(p.volatility.at(h)), 2) for h in HORIZONS)
        rows.append((name, _fixed(100 * report.factor_share(name), 1), *sizes))
    return Table(
        "Unhedged and hedged",
        ("Portfolio", "Factor share %", *(f"Vol %/{h}" for h in HORIZONS)),
        tuple(rows),
        note="'hedged' sells the exposures, so that no factor moves it.",
    )


def legs(report: RiskReport, most: int) -> Table:
    """Weights and dollars of holdings, hedge and cash, for each portfolio at its own capacity."""
    names = list(report.portfolios)
    cash = distinct("cash", "leg", report.strategy.weights.index)
    by_name = [report.legs.loc[name] for name in names]
    n = len(report.assets)
    shown = [*range(min(n, most)), *range(n, len(by_name[0]))]
    rows = []
    for i in shown:
        kind, leg = by_name[0].index[i]
        cells = [c for t in by_name for c in _leg(t, i)]
        rows.append(({"hedge": f"{leg} (hedge)", "cash": cash}.get(kind, str(leg)), *cells))
    return Table(
        "Holdings, hedge and cash",
        ("Leg", *(header for name in names for header in (name, "$"))),
        tuple(rows),
        wide=True,
        note="Weights are dollars per dollar of strategy; dollars are at the capacity below; cash below 0 is borrowed.",
        hidden=_hidden(report, most),
    )


def _leg(table: Any, i: int) -> Row:
    weight, dollars = table["weight"].iloc[i], table["dollars"].iloc[i]
    # what is a rounding error of a weight is one of the dollars too
    return _fixed(weight, 3), _dollars(dollars if abs(weight) > _NOTHING else 0.0 * dollars)


def pnl(report: RiskReport) -> Table:
    """Capital, risk and expected PnL of what the budget holds."""
    rows = []
    for name in report.portfolios:
        for i, h in enumerate(HORIZONS):
            row: Any = report.pnl.loc[(name, str(h))]
            head = (name, _dollars(row["capital"])) if i == 0 else ("", "")
            amounts = (_dollars(row[c], row["capital"]) for c in ("volatility", "expected_pnl", "factor_adjusted_pnl"))
            rows.append((*head, str(h), *amounts, _fixed(row["sharpe"], 3)))
    return Table(
        "Budget",
        ("Portfolio", "Capital $", "Per", "Volatility $", "Exp. PnL $", "Adj. PnL $", "Sharpe"),
        tuple(rows),
        words=(0, 2),
        wide=True,
        note=_binding(report),
    )


def trade(report: RiskReport) -> Table:
    """PnL of one trade with the cash leg, the cash leg's own, and without it."""
    columns = ("cash", "expected_pnl", "cash_pnl", "expected_pnl_without_cash")
    rows = [(str(name), *(_dollars(row[c], TRADE) for c in columns)) for name, row in report.trade.iterrows()]
    rate = report.panel.horizon.scale_mean(100.0 * report.strategy.model.risk_free_mean, to=TRADE_HORIZON)
    costs = " and ".join(["assets", *(["funded factors"] if report.funded else [])])
    return Table(
        f"PnL of a ${TRADE:,.0f} trade over a {TRADE_HORIZON}",
        ("Portfolio", "Cash leg $", "With cash $", "Cash alone $", "Without cash $"),
        tuple(rows),
        wide=True,
        note=f"Expected PnL. The cash leg pays for {costs}, borrowed where negative, at the risk-free rate of "
        f"{_fixed(rate, 2)}% a {TRADE_HORIZON}; with it, PnL is in excess of that rate.",
    )


def correlations(report: RiskReport) -> Table:
    """The largest residual correlations, and the tests that there are none."""
    pairs = report.correlations
    rows = [(str(a), str(b), _fixed(rho, 2)) for (a, b), rho in zip(pairs.index.tolist(), pairs, strict=True)]
    cd, lm = report.tests.to_numpy()
    return Table(
        "Largest residual correlations",
        ("Asset", "with", "Correlation"),
        tuple(rows),
        words=(0, 1),
        note=f"Tests that there are none: Pesaran CD {cd[0]:.2f} (p {_pvalue(cd[1])}), Breusch-Pagan LM "
        f"{lm[0]:,.1f} (p {_pvalue(lm[1])}). A small p says that the factors are not enough.",
    )


def _binding(report: RiskReport) -> str:
    bound = {p.binding for p in report.positions.values() if p is not None and p.binding}
    return (
        f"The largest positions within {limit(report)}; what binds: {', '.join(sorted(bound)) or 'nothing'}. "
        "Adj. PnL is factor-adjusted: the part of the expected PnL that is alpha."
    )


def _shown(report: RiskReport, most: int) -> list[int]:
    """Positions of the assets to show and of the portfolio, which a lone unit holding already is."""
    n = len(report.assets)
    lone = n == 1 and float(report.assets["weight"].iloc[0]) == 1.0
    return [*range(min(n, most)), *([] if lone else [n])]


def _hidden(report: RiskReport, most: int) -> int:
    return max(0, len(report.assets) - most)


def _listed(items: Iterable[str], most: int) -> str:
    every = list(items)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def _fixed(number: Any, digits: int) -> str:
    if not math.isfinite(number):
        return _NONE
    text = f"{number:,.{digits}f}"
    # no minus sign on what rounds to zero
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def _dollars(amount: Any, capital: float = 0.0) -> str:
    """Write dollars: whole ones, or three digits of what is below a thousand."""
    if not math.isfinite(amount) or abs(amount) >= 999.5:
        return _fixed(amount, 0)
    return f"{amount:.3g}" if abs(amount) > _NOTHING * capital else "0"


def _pvalue(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
