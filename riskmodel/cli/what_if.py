"""``riskmodel what-if``: what trades would do to risk."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

import pandas as pd

from riskmodel._core import labels
from riskmodel.analysis.what_if import WhatIf
from riskmodel.cli import notices
from riskmodel.cli import options as read
from riskmodel.cli.dollars import Dollars, add_dollars
from riskmodel.cli.estimators import add_estimator
from riskmodel.cli.files import InputFiles
from riskmodel.cli.model import ModelOptions
from riskmodel.cli.output import print_json, table_json
from riskmodel.cli.parser import Parser, add_data, add_files, add_portfolio
from riskmodel.cli.terminal import section, table_text
from riskmodel.data.files.position_columns import PositionColumns
from riskmodel.data.files.positions import Measure, read_position_table
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import YEAR
from riskmodel.portfolio.hedging.paper import on_paper
from riskmodel.report.formats import dollars, fixed

# How rows of the table of figures are scaled and said; others stay as they are.
_VOLATILITIES = ("volatility", "factor volatility", "idio volatility")

_DESCRIPTION = """\
Print the risk of a portfolio before and after a list of trades, what each trade
would do alone, and the single trades that would cut risk most. Trades are paid
from cash; their costs are not counted.
"""

_EXAMPLES = """\
examples:
  riskmodel what-if MSFT=0.5 JPM=0.5 --trade MSFT=-0.1 KO=0.1
      Sell a tenth of the portfolio in MSFT, and buy KO.
  riskmodel what-if --positions book.csv --trades list.csv
      Trades of a file, in dollars, shares with prices, or weights.
  riskmodel what-if --positions book.csv --best 5 --most 0.02
      The five single trades of at most 2% that cut the volatility most.
  riskmodel what-if MSFT JPM --best 3 --candidates KO PEP XOM
      Among other assets too.

A trade is dollars per dollar of portfolio, as weights are. A name that is a
factor is a position in that factor.
Files are read as riskmodel report reads them: riskmodel report --help explains.
"""

# A trade of more than so many times the portfolio is one in dollars.
_LARGEST = 100.0
_AT_ANY_SIZE = "Of any size: --most bounds it. One measure alone is cut; look at the other beside it before you trade."


def parser() -> Parser:
    """Return the parser of the command."""
    what_if = Parser.of("what-if", "[ASSET[=WEIGHT] ...] [options]", _DESCRIPTION, _EXAMPLES)
    add_portfolio(what_if)
    add_data(what_if)
    add = what_if.add_argument
    add("--trade", nargs="+", metavar="ASSET=WEIGHT", help="bought, or sold where negative")
    add("--trades", metavar="FILE", help="trades of a file: columns asset, and dollars, weight, or quantity and price")
    add("--best", metavar="N", type=read.count, help="how many of the best single trades (default: 5)")
    add("--most", metavar="WEIGHT", type=read.number, help="the largest of these trades, such as 0.02")
    add("--candidates", nargs="+", metavar="ASSET", help="other assets that may be traded")
    add_dollars(what_if)
    add("--json", action="store_true", help="print the figures as JSON instead of tables")
    add_estimator(what_if)
    add_files(what_if)
    return what_if


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    with notices.shown(arguments.strict, arguments.allow or ()):
        options = ModelOptions.read(arguments, InputFiles.given(arguments))
        trades, are_dollars = _trades(arguments, options)
        candidates = read.names(arguments.candidates, options.data.assets)
        fitted = options.portfolio(also=[*(n for n in trades.index if n not in options.factors), *candidates])
        size = Dollars.of(arguments, options, fitted.strategy)
        held = options.positions is not None and options.positions.book is not None
        if arguments.budget is not None and (are_dollars or held):
            raise InvalidParameterError(
                "expected --capital, or --positions in dollars, got --budget, whose dollars are those that a "
                "volatility allows and not those that are held and traded; leave it out."
            )
        if are_dollars and size.capital is None:
            raise InvalidParameterError(
                f"expected the dollars of the portfolio beside trades in dollars of {arguments.trades}, got none; give "
                "--capital, or --positions in dollars."
            )
        made = (
            WhatIf(fitted.strategy, trades)
            if size.capital is None
            else WhatIf.of_dollars(fitted.strategy, trades if are_dollars else trades * size.capital, size.capital)
        )
        n = arguments.best or 5
        best = made.best_trades(n, arguments.most)
        best_for_share = made.best_trades_for_share(n, arguments.most)
    notices.tell_all(fitted.cautions)
    if arguments.json:
        print_json(
            {
                "notes": list(fitted.cautions),
                "unit": "decimals of the portfolio",
                "horizon": str(made.horizon),
                "capital": size.capital,
                "figures": table_json(made.table),
                "exposures": table_json(made.exposures),
                "by_trade": table_json(made.by_trade),
                "best_for_volatility": table_json(best),
                "best_for_factor_share": table_json(best_for_share),
            }
        )
        return
    print(_text(made, best, best_for_share, size, arguments.most))


def _trades(arguments: argparse.Namespace, options: ModelOptions) -> tuple[pd.Series[float], bool]:
    """Read the trades, and whether they are dollars."""
    if arguments.trade is not None and arguments.trades is not None:
        raise InvalidParameterError("expected --trade or --trades, got both; give one of them.")
    if arguments.trades is not None:
        table = read_position_table(arguments.trades, PositionColumns())
        sizes = table.at(None)[0].rename(str)
        return sizes[sizes != 0], table.measure is Measure.DOLLARS
    typed = read.weights(arguments.trade or (), [*options.data.assets, *options.factors])
    bare = [name for name, weight in typed.items() if weight is None]
    large = [f"{name}={weight:g}" for name, weight in typed.items() if weight is not None and abs(weight) > _LARGEST]
    if large:
        raise InvalidParameterError(
            f"expected --trade in dollars per dollar of the portfolio, such as AAPL=-0.1, got {large[0]}; dollars are "
            "for the file of --trades."
        )
    if bare:
        raise InvalidParameterError(f"expected --trade as ASSET=WEIGHT, got {bare[0]}; write {bare[0]}=-0.1 to sell.")
    return pd.Series(typed, dtype=float), False


def _text(made: WhatIf, best: pd.DataFrame, best_for_share: pd.DataFrame, size: Dollars, most: float | None) -> str:
    parts = []
    if len(made.trades):
        figures = pd.DataFrame(dict(_lines(made)), ["before", "after", "change"]).T
        parts = [
            section(f"BEFORE AND AFTER {len(made.trades)} TRADES, volatilities in % a year", table_text(figures)),
            section("EACH TRADE ALONE", _single(made, made.by_trade, size)),
        ]
    for what, table in (("VOLATILITY", best), ("FACTOR SHARE", best_for_share)):
        after = " AFTER THESE" if len(made.trades) else ""
        body = _single(made, table, size) if len(table) else "No single trade cuts it."
        paper = table.index.intersection(on_paper(made.before.model))
        notes = [_AT_ANY_SIZE] if most is None else []
        if len(paper):
            notes.append(f"{labels.listing(paper)} cannot be traded: published on paper, no security is that.")
        note = " ".join(notes)
        parts.append(section(f"SINGLE TRADES THAT CUT THE {what} MOST{after}", body, note))
    return "\n\n".join(parts)


def _lines(made: WhatIf) -> Iterable[tuple[str, list[str]]]:
    per_year = made.horizon.scale_volatility(100.0, to=YEAR)
    for name, row in made.table.iterrows():
        if name in _VOLATILITIES:
            yield f"{name}, %/year", [fixed(per_year * x, 2) for x in row]
        elif name == "factor share":
            yield f"{name}, %", [fixed(100 * x, 1) for x in row]
        elif name == "alpha":
            yield "alpha, %/year", [fixed(made.horizon.scale_mean(100.0 * x, to=YEAR), 2) for x in row]
        else:
            yield f"{name}, of the portfolio", [fixed(x, 3) for x in row]
    for name, row in made.exposures.iterrows():
        yield f"exposure {name}", [fixed(x, 3) for x in row]


def _single(made: WhatIf, table: pd.DataFrame, size: Dollars) -> str:
    per_year = made.horizon.scale_volatility(100.0, to=YEAR)
    columns = {"trade": [fixed(x, 3) for x in table["trade"]]}
    if size.capital is not None:
        columns["dollars"] = [dollars(size.capital * x) for x in table["trade"]]
    columns |= {
        "vol, %/year": [fixed(per_year * x, 2) for x in table["volatility"]],
        "change": [fixed(per_year * x, 2) for x in table["volatility_change"]],
        "factor share, %": [fixed(100 * x, 1) for x in table["factor_share"]],
        "change ": [fixed(100 * x, 1) for x in table["factor_share_change"]],
    }
    return table_text(pd.DataFrame(columns, table.index))
