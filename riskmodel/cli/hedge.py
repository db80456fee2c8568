"""``riskmodel hedge``: ways to hedge a portfolio, side by side."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pandas as pd

from riskmodel._core import labels
from riskmodel.cli import notices
from riskmodel.cli import options as read
from riskmodel.cli.estimators import add_estimator
from riskmodel.cli.files import InputFiles
from riskmodel.cli.model import Fitted, ModelOptions
from riskmodel.cli.output import print_json, table_json
from riskmodel.cli.parser import Parser, add_data, add_files, add_portfolio
from riskmodel.errors import InvalidParameterError, UnboundedPositionError
from riskmodel.horizon import YEAR
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.limits import RealisedVolatilityLimit
from riskmodel.portfolio.portfolio import Portfolio

_DESCRIPTION = """\
Hedge a portfolio, in its factors or in instruments, and print the hedges side
by side: dollars of each leg per dollar of portfolio, volatility by the model
and as it was realised, the factors' share, and the dollars that a budget allows
by each of the two volatilities.
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
  regression        slopes of the portfolio's returns; with --instruments

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
    add("--budget", metavar="DOLLARS", type=read.dollars, default=1e6, help="volatility allowed (default: 1m)")
    add("--horizon", choices=list(read.HORIZONS), default="month", help="what the budget refers to (default: month)")
    add("--json", action="store_true", help="print the figures as JSON instead of tables")
    add_estimator(hedge)
    add_files(hedge)
    return hedge


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    budget = RiskBudget(arguments.budget, read.HORIZONS[arguments.horizon])
    with notices.shown(arguments.strict, arguments.allow or ()):
        options = ModelOptions.read(arguments, InputFiles.given(arguments))
        instruments = read.names(arguments.instruments, options.data.assets) or None
        if arguments.instruments is not None and instruments is None:
            raise InvalidParameterError("expected --instruments with at least one asset, got none; leave it out.")
        fitted = options.portfolio(also=instruments or ())
        hedges = dict(_hedges(fitted, instruments, arguments.cap))
        figures = risks(hedges, fitted, budget)
    book = None if options.positions is None else options.positions.book
    legs = pd.DataFrame(
        {name: hedge.hedge_weights for name, hedge in hedges.items() if isinstance(hedge, HedgedPortfolio)}
    )
    notices.tell_all((*fitted.cautions, *_on_paper(hedges)))
    if arguments.json:
        print_json(
            {
                "budget": arguments.budget,
                "horizon": arguments.horizon,
                "volatility_per": "year",
                "portfolio_dollars": None if book is None else book.capital,
                "hedges": table_json(figures),
                "legs": table_json(legs),
            }
        )
        return
    shown = pd.DataFrame(
        {
            "model, %/year": (100.0 * figures["volatility"]).map("{:.1f}".format),
            "realised, %/year": (100.0 * figures["realised"]).map("{:.1f}".format),
            "factor share, %": (100.0 * figures["factor_share"]).map("{:.1f}".format),
            "capacity by model, $": figures["capacity"].map("{:,.0f}".format),
            "by realised, $": figures["realised_capacity"].map("{:,.0f}".format),
        }
    )
    print(f"HEDGES, capacity within {budget.volatility:,.0f} dollars of volatility per {budget.horizon}")
    print(shown.to_string())
    print("\nLEGS, dollars per dollar of portfolio")
    print(legs.fillna(0.0).to_string(float_format="{:.3f}".format))
    if book is not None:
        print(f"\nLEGS, dollars for the portfolio of {book.capital:,.0f}")
        print((book.capital * legs.fillna(0.0)).to_string(float_format="{:,.0f}".format))


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


def _hedges(fitted: Fitted, instruments: list[str] | None, cap: float | None) -> Iterator[tuple[str, Portfolio]]:
    strategy = fitted.strategy
    yield "unhedged", strategy
    yield "neutral", HedgedPortfolio.neutral(strategy, instruments)
    if cap is not None:
        yield "capped", HedgedPortfolio.with_factor_share(strategy, cap, instruments=instruments)
    if instruments is not None:
        yield "minimum variance", HedgedPortfolio.minimum_variance(strategy, instruments, panel=fitted.panel)
        yield "regression", HedgedPortfolio.regression(strategy, instruments, fitted.panel)


def risks(portfolios: dict[str, Portfolio], fitted: Fitted, budget: RiskBudget) -> pd.DataFrame:
    """Return the risk of each portfolio: rows by name.

    Columns are ``volatility`` by the model and ``realised``, in decimals a year, ``factor_share`` of the variance, and
    ``capacity`` and ``realised_capacity``, the dollars within the budget by each, infinite where nothing limits it.
    """
    by_realised = RealisedVolatilityLimit(float(budget.volatility), budget.horizon, fitted.panel)
    both = RiskBudget(float(budget.volatility), budget.horizon, limits=[by_realised])
    return pd.DataFrame(
        {
            name: {
                "volatility": float(portfolio.volatility.at(YEAR)),
                "realised": float(portfolio.realised(fitted.panel).at(YEAR)),
                "factor_share": portfolio.decompose().factor_share,
                "capacity": _capacity(budget, portfolio),
                "realised_capacity": float(both.capacities(portfolio).iloc[1]),
            }
            for name, portfolio in portfolios.items()
        }
    ).T


def _capacity(budget: RiskBudget, portfolio: Portfolio) -> float:
    try:
        return float(budget.size(portfolio).capital)
    except UnboundedPositionError:
        return float("inf")
