"""``riskmodel scenario``: what a portfolio loses where factors move."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import pandas as pd

from riskmodel.analysis.scenarios.base import Scenario
from riskmodel.analysis.scenarios.choices import DECIMALS, EXPECTED, STANDARD_DEVIATIONS, UNMOVED
from riskmodel.analysis.scenarios.episode import Episode
from riskmodel.analysis.scenarios.outcome import ScenarioOutcome
from riskmodel.analysis.scenarios.replay import Replay
from riskmodel.analysis.scenarios.scenarios import Scenarios
from riskmodel.analysis.scenarios.shocks import Shocks
from riskmodel.cli import notices
from riskmodel.cli.dollars import Dollars, add_dollars
from riskmodel.cli.estimators import add_estimator
from riskmodel.cli.files import InputFiles
from riskmodel.cli.groups import add_groups, groups_or_of_book
from riskmodel.cli.model import Fitted, ModelOptions
from riskmodel.cli.output import print_json, table_json
from riskmodel.cli.parser import Parser, add_data, add_files, add_level, add_portfolio
from riskmodel.cli.terminal import section, table_text
from riskmodel.errors import InvalidParameterError
from riskmodel.report.formats import dollar_interval, interval

# Columns before the parts of factors.
_FIRST = ("pnl", "volatility", "low", "high", "realised")

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
    add_dollars(scenario)
    add_level(scenario)
    add("--json", action="store_true", help="print the figures as JSON instead of tables")
    add_estimator(scenario)
    add_files(scenario)
    return scenario


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    with notices.shown(arguments.strict, arguments.allow or ()):
        options = ModelOptions.read(arguments, InputFiles.given(arguments))
        fitted = options.portfolio()
        size = Dollars.of(arguments, options, fitted.strategy)
        outcomes = Scenarios(list(_scenarios(arguments, options, fitted))).of(size.holding(fitted.strategy))
        groups = groups_or_of_book(arguments, options.names, options.book)
        table = _table(outcomes, arguments.level)
        by_group = None if groups is None else _by(outcomes, lambda outcome: outcome.by_group(groups))
    notices.tell_all(fitted.cautions)
    if arguments.json:
        by_asset = _by(outcomes, lambda outcome: outcome.by_asset)
        print_json(
            {
                "notes": list(fitted.cautions),
                "unit": "decimals of the portfolio" if size.capital is None else "dollars",
                "capital": size.capital,
                "level": arguments.level,
                "scenarios": table_json(table),
                "horizons": {name: str(outcome.horizon) for name, outcome in outcomes.items()},
                "by_asset": table_json(by_asset),
                "by_group": None if by_group is None else table_json(by_group),
            }
        )
        return
    horizons = [str(outcome.horizon) for outcome in outcomes.values()]
    print(_text(table, horizons, by_group, size, arguments.level))


def _table(outcomes: Mapping[str, ScenarioOutcome], level: float) -> pd.DataFrame:
    """By scenario: ``pnl``, ``volatility``, ``low`` and ``high``, ``realised``, then the parts of factors and idio."""
    rows = {}
    for name, outcome in outcomes.items():
        low, high = outcome.interval(level)
        realised = math.nan if outcome.moves.asset_returns is None else outcome.realised
        own = {"pnl": outcome.pnl, "volatility": float(outcome.volatility), "low": low, "high": high}
        rows[name] = {**own, "realised": realised, **outcome.by_factor["pnl"]}
    return pd.DataFrame(rows).T


def _by(outcomes: Mapping[str, ScenarioOutcome], part: Callable[[ScenarioOutcome], pd.DataFrame]) -> pd.DataFrame:
    return pd.DataFrame({name: part(outcome)["pnl"] for name, outcome in outcomes.items()})


def _text(table: pd.DataFrame, horizons: list[str], by_group: pd.DataFrame | None, size: Dollars, level: float) -> str:
    scale, digits = (100.0, 2) if size.capital is None else (1.0, 0)
    scaled = scale * table
    rows = zip(scaled["pnl"], zip(scaled["low"], scaled["high"], strict=True), strict=True)
    in_dollars = size.capital is not None
    cells = [dollar_interval(x, ends) if in_dollars else interval(x, ends, 2) for x, ends in rows]
    moved = {"over": horizons, "P&L": cells, "past": scaled["realised"]}
    parts = [
        section(
            f"SCENARIOS, {size.title}",
            table_text(pd.DataFrame(moved, table.index), digits),
            f"In brackets the range with {100 * level:g}%, given the exposures as they are estimated, of what shocks "
            "do not decide: other factors and idio, whose mean is 0. Past is what the holdings themselves returned in "
            "an episode, with the exposures that they had then; it is not known of shocks, and where something held "
            "has no return on a date of the episode.",
        ),
        section(f"THE PART OF EACH FACTOR, {size.title}", table_text(scaled.iloc[:, len(_FIRST) :], digits)),
    ]
    if by_group is not None:
        parts.append(section(f"BY GROUP, {size.title}", table_text(scale * by_group.T, digits)))
    return "\n\n".join(parts)


def _scenarios(arguments: argparse.Namespace, options: ModelOptions, fitted: Fitted) -> Iterator[Scenario]:
    unshocked = UNMOVED if arguments.unmoved else EXPECTED
    for items in arguments.shock or ():
        by_unit = shocks(items)
        unit = STANDARD_DEVIATIONS if by_unit[0] else DECIMALS
        yield Shocks(", ".join(items), by_unit[1], unit=unit, unshocked=unshocked)
    for start, end in arguments.episode or ():
        yield Replay(Episode(f"{start} to {end}", start, end), options.history(fitted.strategy.model))
    if arguments.shock is None and arguments.episode is None:
        yield from Scenarios.against(fitted.strategy)
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
