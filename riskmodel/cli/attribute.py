"""``riskmodel attribute``: where realised returns come from."""

from __future__ import annotations

import argparse

import pandas as pd

from riskmodel.analysis.attribution import ReturnAttribution
from riskmodel.analysis.weighting import BUY_AND_HOLD, REBALANCED
from riskmodel.cli import notices
from riskmodel.cli import options as read
from riskmodel.cli.estimators import add_estimator
from riskmodel.cli.files import InputFiles
from riskmodel.cli.groups import add_groups, groups_of
from riskmodel.cli.model import ModelOptions
from riskmodel.cli.output import print_json, table_json
from riskmodel.cli.parser import Parser, add_data, add_files, add_portfolio
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.rolling import Rolling
from riskmodel.horizon import Horizon

_DESCRIPTION = """\
Split what a portfolio earned over a window: cash, each factor, alpha, and what
is specific to its assets. Parts are linked over time, so that they sum to the
compounded return.
"""

_EXAMPLES = """\
examples:
  riskmodel attribute MSFT=0.5 JPM=0.5 --from 2018
      With loadings of all dates.
  riskmodel attribute MSFT=0.5 JPM=0.5 --from 2018 --rolling year
      With loadings known the day before, of the year before.
  riskmodel attribute --positions history.csv --rolling year
      Of positions of several dates, each is held after its date, until the next.
  riskmodel attribute --returns fund.csv --french --groups desks.csv
      Also by group: a CSV file of assets and their groups.

Files are read as riskmodel report reads them: riskmodel report --help explains.
"""


def parser() -> Parser:
    """Return the parser of the command."""
    attribute = Parser.of("attribute", "[ASSET[=WEIGHT] ...] [options]", _DESCRIPTION, _EXAMPLES)
    add_portfolio(attribute)
    add_data(attribute)
    add = attribute.add_argument
    add("--from", dest="first", metavar="DATE", help="first date that is attributed: 2018-01-02, 2018-01 or 2018")
    add("--to", dest="last", metavar="DATE", help="last date that is attributed, included")
    add(
        "--rolling",
        metavar="SPAN",
        type=read.span,
        help="loadings of the rows before each date: 252, or month, quarter, year (default: one model of all dates)",
    )
    add("--buy-and-hold", action="store_true", help="weights drift with returns (default: the same on each date)")
    add_groups(attribute)
    add("--json", action="store_true", help="print the figures as JSON instead of tables")
    add_estimator(attribute)
    add_files(attribute)
    return attribute


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    with notices.shown(arguments.strict, arguments.allow or ()):
        options = ModelOptions.read(arguments, InputFiles.given(arguments))
        attribution = _attribution(arguments, options)
        groups = None if arguments.groups is None else attribution.by_group
    if arguments.json:
        print_json({"parts": table_json(attribution.to_frame()), "by_asset": table_json(attribution.by_asset),
                    "by_group": None if groups is None else table_json(groups)})  # fmt: skip
        return
    print(attribution)
    if groups is not None:
        print(f"\nBY GROUP, % of the portfolio\n{_percent(groups)}")


def _attribution(arguments: argparse.Namespace, options: ModelOptions) -> ReturnAttribution:
    first = read.end_of_window("--from", arguments.first, "start_time")
    last = read.end_of_window("--to", arguments.last, "end_time")
    weighting = BUY_AND_HOLD if arguments.buy_and_hold else REBALANCED
    groups = groups_of(arguments)
    held = _held(options)
    assets = [str(asset) for asset in held]
    if arguments.rolling is None:
        fitted = options.portfolio(also=assets)
        notices.tell_all(fitted.cautions)
        model, panel = fitted.strategy.model, fitted.panel
        if isinstance(held, dict):
            return ReturnAttribution.of(fitted.strategy, panel, first, last, weighting=weighting, groups=groups)
        return ReturnAttribution.of_weights(held, model, panel, first, last, weighting=weighting, groups=groups)
    if arguments.window is not None:
        raise InvalidParameterError("expected --rolling or --window, got both; --rolling is the window of each date.")
    panel = options.panel(assets)
    span = Horizon(read.rows(arguments.rolling, panel.horizon, "--rolling") * panel.horizon.days)
    history = Rolling(span, options.estimator).fit(panel)
    notices.tell_all(options.caveats)
    return ReturnAttribution.of_weights(held, history, None, first, last, weighting=weighting, groups=groups)


def _held(options: ModelOptions) -> dict[str, float] | pd.DataFrame:
    """The same weights on each date, or, of a file of positions of several dates, those of each date."""
    history = None if options.positions is None else options.positions.history
    return options.held() if history is None else history


def _percent(table: pd.DataFrame) -> str:
    return (100.0 * table).to_string(float_format="{:.2f}".format)
