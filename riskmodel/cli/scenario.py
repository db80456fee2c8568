"""``riskmodel scenario``: what a portfolio loses where factors move."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence

import pandas as pd

from riskmodel.analysis.scenarios.base import Scenario
from riskmodel.analysis.scenarios.choices import DECIMALS, EXPECTED, STANDARD_DEVIATIONS, UNMOVED
from riskmodel.analysis.scenarios.episode import Episode
from riskmodel.analysis.scenarios.replay import Replay
from riskmodel.analysis.scenarios.scenarios import Scenarios
from riskmodel.analysis.scenarios.shocks import Shocks
from riskmodel.cli import notices
from riskmodel.cli.estimators import add_estimator
from riskmodel.cli.files import InputFiles
from riskmodel.cli.groups import add_groups, groups_of
from riskmodel.cli.model import Fitted, ModelOptions
from riskmodel.cli.output import print_json, table_json
from riskmodel.cli.parser import Parser, add_data, add_files, add_portfolio
from riskmodel.errors import InvalidParameterError
from riskmodel.portfolio.strategy import Strategy

_DESCRIPTION = """\
Print what a portfolio earns or loses in scenarios, with the standard deviation of
that: shocks to factors of your choice, with the others moved as they usually are;
each factor three standard deviations down; and historical episodes, replayed
through today's exposures.
"""

_EXAMPLES = """\
examples:
  riskmodel scenario MSFT=0.5 JPM=0.5
      Three standard deviations down, and the episodes that the data have.
  riskmodel scenario MSFT=0.5 JPM=0.5 --shock Mkt-RF=-0.1
      The market falls by 10%.
  riskmodel scenario BusEq --sample month --shock Mkt-RF=-0.2 HML=0.05 --shock SMB=-2sd
      Two scenarios: of two factors at once, and of two standard deviations.
  riskmodel scenario KO --episode 2011-04-29 2011-10-03 --groups sectors.csv
      An episode of your own, also by group.

Shocks are excess returns in decimals, -0.1 for minus ten percent, or standard
deviations of a row of the data, -2sd. With --unmoved the other factors stay.
Files are read as riskmodel report reads them: riskmodel report --help explains.
"""


def parser() -> Parser:
    """Return the parser of the command."""
    scenario = Parser.of("scenario", "[ASSET[=WEIGHT] ...] [options]", _DESCRIPTION, _EXAMPLES)
    add_portfolio(scenario)
    add_data(scenario)
    add = scenario.add_argument
    add("--shock", nargs="+", action="append", metavar="FACTOR=MOVE", help="a scenario; may be given several times")
    add("--unmoved", action="store_true", help="factors that are not shocked stay (default: they move as expected)")
    add(
        "--episode", nargs=2, action="append", metavar=("START", "END"), help="replay the returns after START up to END"
    )
    add_groups(scenario)
    add("--json", action="store_true", help="print the figures as JSON instead of tables")
    add_estimator(scenario)
    add_files(scenario)
    return scenario


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    with notices.shown(arguments.strict, arguments.allow or ()):
        options = ModelOptions.read(arguments, InputFiles.given(arguments))
        fitted = options.portfolio()
        scenarios = Scenarios(list(_scenarios(arguments, options, fitted)))
        groups = groups_of(arguments)
        by_group = None if groups is None else scenarios.by_group(fitted.strategy, groups)
        table = scenarios.table(fitted.strategy)
        table.insert(2, "realised", [_realised(scenario, fitted.strategy) for scenario in scenarios])
    notices.tell_all(fitted.cautions)
    if arguments.json:
        print_json({"scenarios": table_json(table), "by_asset": table_json(scenarios.by_asset(fitted.strategy)),
                    "by_group": None if by_group is None else table_json(by_group)})  # fmt: skip
        return
    print(f"SCENARIOS, % of the portfolio, and the part of each factor\n{_percent(table)}")
    print(
        "± is one standard deviation of what shocks do not decide, other factors and idio, whose mean is 0. Past "
        "is what the holdings themselves returned in an episode, with the exposures that they had then."
    )
    if by_group is not None:
        print(f"\nBY GROUP, % of the portfolio\n{_percent(by_group.T)}")


def _realised(scenario: Scenario, strategy: Strategy) -> float:
    """What the holdings returned in an episode; of shocks there is nothing to know."""
    return scenario.of(strategy).realised if isinstance(scenario, Replay) else math.nan


def _scenarios(arguments: argparse.Namespace, options: ModelOptions, fitted: Fitted) -> Iterator[Scenario]:
    unshocked = UNMOVED if arguments.unmoved else EXPECTED
    for items in arguments.shock or ():
        by_unit = shocks(items)
        unit = STANDARD_DEVIATIONS if by_unit[0] else DECIMALS
        yield Shocks(", ".join(items), by_unit[1], unit=unit, unshocked=unshocked)
    for start, end in arguments.episode or ():
        yield Replay(Episode(f"{start} to {end}", start, end), options.history(fitted.strategy.model))
    if arguments.shock is None and arguments.episode is None:
        yield from Scenarios.of_factors(fitted.strategy.model)
        history = options.history(fitted.strategy.model)
        yield from (Replay(episode, history) for episode in Episode.covered_by(history))


def shocks(items: Sequence[str]) -> tuple[bool, dict[str, float]]:
    """Read ``FACTOR=-0.1`` or ``FACTOR=-2sd``; return whether they are standard deviations, and the shocks.

    Raises
    ------
    InvalidParameterError
        For another form, a factor that occurs twice, or both units at once.
    """
    found: dict[str, float] = {}
    units = set()
    for item in items:
        name, _, text = item.rpartition("=")
        if name in found:
            raise InvalidParameterError(f"expected each factor once in a --shock, got {name} more than once.", got=item)
        found[name] = _move(name, text, item)
        units.add(text.endswith("sd"))
    if len(units) > 1:
        raise InvalidParameterError(
            f"expected the shocks of one scenario in one unit, got {' '.join(items)}; give all of them in decimals, or "
            "all in standard deviations.",
            got=[*items],
        )
    return units.pop(), found


def _move(name: str, text: str, item: str) -> float:
    try:
        if not name:
            raise ValueError(item)
        return float(text.removesuffix("sd"))
    except ValueError as error:
        raise InvalidParameterError(
            "expected a shock in decimals, as FACTOR=-0.1 for minus ten percent, or in standard deviations, as "
            f"FACTOR=-2sd, got {item!r}.",
            got=item,
        ) from error


def _percent(table: pd.DataFrame) -> str:
    return (
        (100.0 * table)
        .rename(columns={"pnl": "P&L", "volatility": "±", "realised": "past"})
        .to_string(float_format="{:.2f}".format, na_rep="-")
    )
