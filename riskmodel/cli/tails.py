"""``riskmodel tails``: value at risk and expected shortfall."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

import pandas as pd

from riskmodel._core.progress import Progress
from riskmodel.analysis.tails.backtest import TailBacktest
from riskmodel.analysis.tails.base import TailMethod
from riskmodel.analysis.tails.filtered import FilteredHistoricalSimulation
from riskmodel.analysis.tails.historical import HistoricalSimulation
from riskmodel.analysis.tails.normal import NormalTails
from riskmodel.analysis.tails.risk import TailRisk
from riskmodel.analysis.tails.simulation import Simulation
from riskmodel.analysis.tails.student import StudentTails
from riskmodel.cli import notices
from riskmodel.cli import options as read
from riskmodel.cli.dollars import Dollars, add_dollars
from riskmodel.cli.estimators import add_estimator
from riskmodel.cli.files import InputFiles
from riskmodel.cli.groups import add_groups, groups_or_of_book
from riskmodel.cli.model import Fitted, ModelOptions
from riskmodel.cli.output import print_json, table_json
from riskmodel.cli.parser import Parser, add_data, add_files, add_level, add_portfolio
from riskmodel.cli.terminal import largest, section, table_text
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.rolling import Rolling
from riskmodel.horizon import MONTH, Horizon
from riskmodel.panel.memory import ReturnPanel
from riskmodel.report.formats import dollar_interval, interval

_METHODS: dict[str, type[TailMethod]] = {
    "filtered": FilteredHistoricalSimulation,
    "historical": HistoricalSimulation,
    "student": StudentTails,
    "normal": NormalTails,
}
_FIGURES = {"value_at_risk": "value at risk", "expected_shortfall": "expected shortfall"}

_DESCRIPTION = """\
Print value at risk and expected shortfall of a portfolio, by several methods,
with intervals, and where they come from: by factor, by name and by group.
"""

_EXAMPLES = """\
examples:
  riskmodel tails MSFT=0.5 JPM=0.5
      99% over a day, by four methods.
  riskmodel tails --positions book.csv --tail 0.975 --over week
      Of what is held, in dollars, over a week.
  riskmodel tails MSFT=0.5 JPM=0.5 --methods historical normal --backtest year
      With tests of forecasts that were made the day before, from a year each.

methods:
  filtered     the returns of the dates of the data, through what is held today,
               scaled from the volatility of their day to today's
  historical   the same, as they were
  student      Student's t with the model's volatility, degrees of freedom fitted
  normal       normal with the model's volatility

Losses are positive. Beyond one row, losses grow with the square root of time.
Files are read as riskmodel report reads them: riskmodel report --help explains.
"""


def parser() -> Parser:
    """Return the parser of the command."""
    tails = Parser.of("tails", "[ASSET[=WEIGHT] ...] [options]", _DESCRIPTION, _EXAMPLES)
    add_portfolio(tails)
    add_data(tails)
    add = tails.add_argument
    add(
        "--tail",
        metavar="PROBABILITY",
        type=read.probability,
        default=0.99,
        help="with which the loss is at most value at risk (default: 0.99)",
    )
    add("--over", choices=list(read.HORIZONS), help="span of the loss (default: a row of the data)")
    add("--methods", nargs="+", metavar="METHOD", choices=list(_METHODS), help="see methods, below (default: all)")
    add(
        "--backtest",
        metavar="SPAN",
        type=read.span,
        help="test forecasts of each date from a window before it: 252, or month, quarter, year",
    )
    add_groups(tails)
    add_dollars(tails)
    add_level(tails)
    add("--json", action="store_true", help="print the figures as JSON instead of tables")
    add_estimator(tails)
    add_files(tails)
    return tails


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    with notices.shown(arguments.strict, arguments.allow or ()):
        options = ModelOptions.read(arguments, InputFiles.given(arguments))
        fitted, groups = options.portfolio(), groups_or_of_book(arguments, options.names, options.book)
        size = Dollars.of(arguments, options, fitted.strategy)
        horizon = fitted.panel.horizon if arguments.over is None else read.HORIZONS[arguments.over]
        methods = {name: _METHODS[name]() for name in arguments.methods or _METHODS}
        risks = {
            name: method.of(size.holding(fitted.strategy), fitted.panel, arguments.tail, horizon)
            for name, method in methods.items()
        }
        table = _table(risks, arguments.level)
        first = next(iter(risks.values()))
        by_group = None if groups is None else first.by_group(groups)
        tests = None if arguments.backtest is None else _backtests(arguments, options, fitted, methods)
        worst = _of_the_worst_alone(methods, fitted.panel, arguments.tail)
    notices.tell_all(fitted.cautions)
    if arguments.json:
        print_json(
            {
                "notes": list(fitted.cautions),
                "unit": "decimals of the portfolio" if size.capital is None else "dollars",
                "capital": size.capital,
                "tail": arguments.tail,
                "horizon": str(horizon),
                "level": arguments.level,
                "tails": table_json(table),
                "worst_loss_alone": worst,
                "by_factor": {name: table_json(risk.by_factor) for name, risk in risks.items()},
                "by_asset": {name: table_json(risk.by_asset) for name, risk in risks.items()},
                "by_group": None if by_group is None else table_json(by_group),
                "backtests": None if tests is None else table_json(tests),
            }
        )
        return
    splits = {"FACTOR": first.by_factor, "NAME": first.by_asset, "GROUP": by_group}
    parts = [
        _losses(table, size, (horizon, fitted.panel.horizon), arguments, worst),
        *_splits(splits, str(table.index[0]), size),
        *_tests(tests),
    ]
    print("\n\n".join(parts))


def _table(risks: Mapping[str, TailRisk], level: float) -> pd.DataFrame:
    """By method: ``value_at_risk`` and ``expected_shortfall``, each with the ends of its interval."""
    rows = {}
    for method, risk in risks.items():
        found = dict(zip(_FIGURES, risk.intervals(level), strict=True))
        rows[method] = {
            column: value
            for name, i in found.items()
            for column, value in ((name, i.estimate), (f"{name}_low", i.low), (f"{name}_high", i.high))
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _backtests(
    arguments: argparse.Namespace, options: ModelOptions, fitted: Fitted, methods: Mapping[str, TailMethod]
) -> pd.DataFrame:
    """By method: breaches, those expected, and p values of the tests."""
    panel, weights = fitted.panel, fitted.strategy.weights
    days = read.rows(arguments.backtest, panel.horizon, "--backtest") * panel.horizon.days
    if days > 0.5 * len(panel.dates) * panel.horizon.days:
        raise InvalidParameterError(
            f"expected a --backtest of at most half of the {len(panel.dates):,} rows, got "
            f"{round(days / panel.horizon.days):,}; give a shorter one, or more dates.",
            option="--backtest",
        )
    window = Horizon(days)
    history = Rolling(window, options.estimator, every=max(MONTH, panel.horizon, key=lambda h: h.days)).fit(panel)
    rows, progress = {}, Progress("backtests", len(methods), "methods")
    progress.add(0)
    for name, method in methods.items():
        test = TailBacktest.of(weights, method, history, arguments.tail, window)
        progress.add(1)
        rows[name] = {
            "dates": len(test.hits),
            "breaches": test.breaches,
            "expected": test.expected_breaches,
            **test.table()["pvalue"],
        }
    progress.clear()
    return pd.DataFrame.from_dict(rows, orient="index")


def _of_the_worst_alone(methods: Mapping[str, TailMethod], panel: ReturnPanel, tail: float) -> list[str]:
    """The methods whose figures are the largest loss of the dates, which are too few for one beyond value at risk."""
    few = len(panel.dates) * (1.0 - tail) < 1.0
    return [name for name, method in methods.items() if few and isinstance(method, Simulation)]


def _losses(
    table: pd.DataFrame, size: Dollars, spans: tuple[Horizon, Horizon], arguments: argparse.Namespace, worst: list[str]
) -> str:
    scaled = (100.0 if size.capital is None else 1.0) * table
    columns = {said: _cells(scaled, name, size) for name, said in _FIGURES.items()}
    horizon, row = spans
    scaled_by = "" if horizon == row else f" They are those of a {row}, times the root of {horizon.in_units_of(row):g}."
    few = f" Dates are too few for {', '.join(worst)}: both are the largest loss seen." if worst else ""
    return section(
        f"LOSSES over a {horizon}, {100 * arguments.tail:g}%, {size.title}",
        table_text(pd.DataFrame(columns, table.index)),
        f"Value at risk is exceeded with {100 - 100 * arguments.tail:.3g}%; expected shortfall is the mean loss where "
        f"it is. In brackets {100 * arguments.level:g}% intervals.{few}{scaled_by}",
    )


def _splits(splits: Mapping[str, pd.DataFrame | None], method: str, size: Dollars) -> Iterator[str]:
    scale, digits = (100.0, 2) if size.capital is None else (1.0, 0)
    for kind, split in splits.items():
        if split is not None:
            shown, rest = largest(scale * split.rename(columns=_FIGURES))
            yield section(f"BY {kind}, {method}, {size.title}", table_text(shown, digits), rest)


def _tests(tests: pd.DataFrame | None) -> Iterator[str]:
    if tests is not None:
        counts = tests.iloc[:, :2].map("{:,.0f}".format).join(tests["expected"].map("{:,.1f}".format))
        yield section(
            "BACKTESTS, counts and p values",
            table_text(counts.join(tests.iloc[:, 3:].map("{:.3f}".format)).T),
            "Forecasts of each date from what was known the day before. A small p says that forecasts are not right: "
            "coverage of Kupiec (1995), independence of Christoffersen (1998), shortfall of Du and Escanciano (2017).",
        )


def _cells(scaled: pd.DataFrame, name: str, size: Dollars) -> list[str]:
    ends = zip(scaled[f"{name}_low"], scaled[f"{name}_high"], strict=True)
    rows = zip(scaled[name], ends, strict=True)
    return [interval(x, end, 2) if size.capital is None else dollar_interval(x, end) for x, end in rows]
