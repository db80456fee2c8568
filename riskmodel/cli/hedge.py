"""``riskmodel hedge``: ways to hedge a portfolio, side by side."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator

import pandas as pd

from riskmodel._core import labels
from riskmodel.cli import notices
from riskmodel.cli import options as read
from riskmodel.cli.estimators import add_estimator
from riskmodel.cli.files import InputFiles
from riskmodel.cli.hedge_risks import LEVEL_ENDS, HedgeRisks
from riskmodel.cli.model import Fitted, ModelOptions
from riskmodel.cli.output import print_json, table_json
from riskmodel.cli.parser import Parser, add_data, add_files, add_intervals, add_portfolio
from riskmodel.cli.terminal import section, table_text
from riskmodel.cli.wording import as_options
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.portfolio import Portfolio
from riskmodel.report.formats import NONE, dollar_interval, interval

_DESCRIPTION = """\
Hedge a portfolio, in its factors or in instruments, and print the hedges side
by side: volatility by the model and as it was realised, the factors' share, the
dollars that a budget allows by each of the two volatilities, and the dollars of
each leg per dollar of portfolio, all with intervals where these are known.
"""

_EXAMPLES = """\
examples:
  riskmodel hedge MSFT
      The neutral hedge, in the market.
  riskmodel hedge MSFT=0.5 AAPL=0.5 --cap 0.2
      Beside it the smallest hedge that leaves a factor share of 20%.
  riskmodel hedge XOM --instruments CVX JPM
      In other assets: exposures to zero, least variance by the model, and least
      variance as the returns saw it, which differ where residuals correlate.

hedges:
  neutral           exposures to zero (least squares where instruments are few)
  capped            the smallest hedge with at most the share of --cap
  minimum variance  least variance under the model; with --instruments
  regression        slopes of the portfolio's returns; with --instruments. It was
                    chosen on the dates on which its volatility was realised, so
                    on new dates more is to be expected; the output says how much

Files are read as riskmodel report reads them: riskmodel report --help explains.
"""


def parser() -> Parser:
    """Return the parser of the command."""
    hedge = Parser.of("hedge", "[ASSET[=WEIGHT] ...] [options]", _DESCRIPTION, _EXAMPLES)
    add_portfolio(hedge)
    add_data(hedge)
    add = hedge.add_argument
    add("--instruments", nargs="+", metavar="ASSET", help="what the hedge holds (default: the factors)")
    add("--cap", metavar="SHARE", type=read.share, help="add a hedge that leaves this factor share, such as 0.2")
    add("--budget", metavar="DOLLARS", type=read.dollars, default=read.BUDGET, help="volatility allowed (default: 1m)")
    add("--horizon", choices=list(read.HORIZONS), default="month", help="what the budget refers to (default: month)")
    add_intervals(hedge)
    add("--json", action="store_true", help="print the figures as JSON instead of tables")
    add_estimator(hedge)
    add_files(hedge)
    return hedge


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    budget = RiskBudget(arguments.budget, read.HORIZONS[arguments.horizon])
    with notices.shown(arguments.strict, arguments.allow or ()):
        options = ModelOptions.read(arguments, InputFiles.given(arguments))
        instruments = read.instruments(arguments.instruments, options.data.assets) or None
        options.require_returns(instruments or ())
        fitted = options.portfolio(also=instruments or ())
        hedges = dict(_hedges(fitted, instruments, arguments.cap))
        risks = HedgeRisks(hedges, fitted.panel, budget, arguments.level, arguments.errors, arguments.cap, instruments)
        figures, legs, ends = risks.figures, risks.legs, risks.leg_ends
    book = None if options.positions is None else options.positions.book
    notes = (*fitted.cautions, *_on_paper(hedges), *_of_what_is_held(risks, instruments), *_of_more_risk(risks))
    notices.tell_all(notes)
    if arguments.json:
        print_json(
            {
                "notes": list(notes),
                "budget": arguments.budget,
                "horizon": arguments.horizon,
                "level": arguments.level,
                "volatility_per": "year",
                "portfolio_dollars": None if book is None else book.capital,
                "hedges": table_json(figures),
                "legs": table_json(legs),
                "leg_intervals": {name: table_json(table) for name, table in ends.items()},
                "in_sample": {"regression": risks.on_new_dates} if "regression" in hedges else {},
                "not_estimated": as_options(risks.reason),
            }
        )
        return
    print(_text(risks, budget, None if book is None else book.capital))


def _text(risks: HedgeRisks, budget: RiskBudget, capital: float | None) -> str:
    figures, legs, level = risks.figures, risks.legs.fillna(0.0), f"{100 * risks.level:g}%"
    within = f"{budget.volatility:,.0f} of volatility per {budget.horizon}"
    volatilities = {
        "by the model": _cells(figures, "volatility", 100.0),
        "realised": _cells(figures, "realised", 100.0),
        "factor share, %": _cells(figures, "factor_share", 100.0),
    }
    capacities = {
        "by the model": _cells(figures, "capacity", None),
        "by what was realised": _cells(figures, "realised_capacity", None),
    }
    parts = [
        section(
            f"VOLATILITY, % A YEAR, with {level} intervals",
            table_text(pd.DataFrame(volatilities, figures.index)),
            _about(risks),
        ),
        section(f"CAPACITY, dollars within {within}", table_text(pd.DataFrame(capacities, figures.index))),
        section("LEGS, dollars per dollar of portfolio", table_text(_leg_cells(risks, legs)), _about_legs(risks)),
    ]
    if capital is not None:
        parts.append(section(f"LEGS, dollars for the portfolio of {capital:,.0f}", table_text(capital * legs, 0)))
    return "\n\n".join(parts)


def _cells(figures: pd.DataFrame, name: str, scale: float | None) -> list[str]:
    """Estimates with their intervals; dollars where there is no scale."""
    rows = figures[[name, *(f"{name}_{end}" for end in LEVEL_ENDS)]].itertuples(index=False)
    if scale is None:
        return [dollar_interval(x, (low, high)) if math.isfinite(x) else NONE for x, low, high in rows]
    return [interval(scale * x, (scale * low, scale * high), 1) for x, low, high in rows]


def _leg_cells(risks: HedgeRisks, legs: pd.DataFrame) -> pd.DataFrame:
    cells = {}
    for name, column in legs.items():
        own = risks.leg_ends.get(str(name), pd.DataFrame(columns=[*LEVEL_ENDS])).reindex(legs.index)
        rows = zip(column, own["low"].astype(float), own["high"].astype(float), strict=True)
        cells[name] = [interval(x, (low, high), 3) for x, low, high in rows]
    return pd.DataFrame(cells, legs.index)


def _about(risks: HedgeRisks) -> str:
    said = ["Intervals are of the averages over these dates." if not risks.reason else ""]
    if risks.reason:
        said = [f"Of exposures and shares no interval is known: {as_options(risks.reason)}"]
    if risks.on_new_dates is not None:
        said.append(
            "The regression's realised volatility is in sample: its legs were chosen on these dates; on new dates "
            f"expect about {100.0 * risks.on_new_dates:.1f}%."
        )
    return " ".join(part for part in said if part)


def _about_legs(risks: HedgeRisks) -> str:
    unknown = [name for name in risks.legs if str(name) not in risks.leg_ends]
    if not unknown or risks.reason:
        return ""
    return f"No intervals of the legs of {labels.listing(unknown)}: these are not estimated in instruments."


def _on_paper(hedges: dict[str, Portfolio]) -> list[str]:
    """Which factors that are sold or bought no one security is."""
    legs = [hedge.paper_legs.index for hedge in hedges.values() if isinstance(hedge, HedgedPortfolio)]
    names = list(dict.fromkeys(name for index in legs for name in index))
    if not names:
        return []
    return [
        f"The hedge in {labels.listing(names)} cannot be traded as it is: long-short portfolios are published on "
        "paper, and no one security is that; hedge with --instruments, or with --factors that are traded."
    ]


def _of_what_is_held(risks: HedgeRisks, instruments: list[str] | None) -> Iterator[str]:
    """Which hedges leave nothing, and which instruments are held themselves."""
    held = [name for name in instruments or () if risks.held.get(name, 0.0)]
    gone = [name for name in risks.hedges if name != "unhedged" and risks.is_riskless(name)]
    if gone:
        why = (
            f"{labels.listing(held)} is what is held, so to sell it is to sell the portfolio, and no hedge"
            if held
            else "the instruments explain all of it"
        )
        yield (
            f"No risk but rounding error is left in {labels.listing(gone)}: {why}. No budget limits it, so there is no "
            "capacity."
        )
    elif held:
        yield (
            f"{labels.listing(held)} is held, and among --instruments: that part of a hedge is a smaller holding, and "
            "its trade is the difference."
        )


def _of_more_risk(risks: HedgeRisks) -> Iterator[str]:
    """Which hedges have more risk than none, because instruments bring their own."""
    volatility = risks.figures["volatility"]
    more = [name for name in volatility.index if volatility[name] > volatility["unhedged"]]
    if more:
        said = ", ".join(f"{name} {100 * volatility[name]:.1f}" for name in more)
        yield (
            f"More risk than without a hedge, {100 * volatility['unhedged']:.1f}% a year: {said}. The instruments have "
            "own risk, and little of the exposures; add some that are more like the factors, such as funds, or take "
            "the minimum variance."
        )


def _hedges(fitted: Fitted, instruments: list[str] | None, cap: float | None) -> Iterator[tuple[str, Portfolio]]:
    strategy = fitted.strategy
    yield "unhedged", strategy
    yield "neutral", HedgedPortfolio.neutral(strategy, instruments)
    if cap is not None:
        yield "capped", HedgedPortfolio.with_factor_share(strategy, cap, instruments=instruments)
    if instruments is not None:
        yield "minimum variance", HedgedPortfolio.minimum_variance(strategy, instruments, panel=fitted.panel)
        yield "regression", HedgedPortfolio.regression(strategy, instruments, fitted.panel)
