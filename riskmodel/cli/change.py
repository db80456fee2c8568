"""``riskmodel change``: why risk changed between two dates."""

from __future__ import annotations

import argparse
from typing import Any

import pandas as pd
from attrs import evolve

from riskmodel.analysis.change import RiskChange
from riskmodel.cli import notices
from riskmodel.cli import options as read
from riskmodel.cli.estimators import add_estimator
from riskmodel.cli.files import InputFiles
from riskmodel.cli.model import Fitted, ModelOptions
from riskmodel.cli.output import print_json, table_json
from riskmodel.cli.parser import Parser, add_data, add_files, add_portfolio
from riskmodel.cli.terminal import largest, section, table_text
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import YEAR
from riskmodel.report.formats import fixed

_DESCRIPTION = """\
Print why the volatility of a portfolio changed between two dates: what is held,
the exposures of the assets, volatilities and correlations of the factors, and
own risk. Parts sum to the change (Shapley values). The model of each date is of
the window before it.
"""

_EXAMPLES = """\
examples:
  riskmodel change MSFT=0.5 JPM=0.5 --since 2017
      The same weights: the end of 2017, and the end of the data.
  riskmodel change MSFT=0.5 JPM=0.5 --since 2007 --as-of 2008 --window quarter
      Two dates, with models of the quarter before each.
  riskmodel change --positions history.csv --since 2018-06
      Positions of several dates: those of each of the two.

Files are read as riskmodel report reads them: riskmodel report --help explains.
"""

# Parts that a change need not have, and what they are.
_WHERE_ANY = {
    "entered": "names that are held on the later date alone",
    "left": "names that are held on the earlier date alone",
    "legs": "positions in factors themselves",
}


def parser() -> Parser:
    """Return the parser of the command."""
    change = Parser.of("change", "[ASSET[=WEIGHT] ...] --since DATE [options]", _DESCRIPTION, _EXAMPLES)
    add_portfolio(change)
    add_data(change)
    add = change.add_argument
    add("--since", metavar="DATE", help="the earlier date: 2017-12-29, or the end of 2017-12 or 2017")
    add("--json", action="store_true", help="print the figures as JSON instead of tables")
    add_estimator(change)
    add_files(change)
    return change


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    if arguments.since is None:
        raise InvalidParameterError("expected --since with the earlier date, got none; give --since 2017-12-29.")
    if arguments.window is None and arguments.estimator != "recommended":
        arguments.window = YEAR
        notices.tell("riskmodel: note: each model is of the year before its date; give --window for another span.")
    since = read.end_of_window("--since", arguments.since, "end_time")
    with notices.shown(arguments.strict, arguments.allow or ()):
        options = ModelOptions.read(arguments, InputFiles.given(arguments))
        after = options.portfolio()
        earlier = evolve(options, end=since, as_of=since)
        if options.positions is not None:
            held = options.positions.at(since)
            earlier = evolve(earlier, positions=held, weights=held.weights)
        before = earlier.portfolio()
        change = RiskChange.of(before.strategy, after.strategy)
        _require_order(before, after, arguments.since)
        parts, names = change.to_frame(), change.names
    dates = [str(fitted.panel.dates[-1].date()) for fitted in (before, after)]
    notes = list(dict.fromkeys((*before.cautions, *after.cautions)))
    notices.tell_all(notes)
    if arguments.json:
        print_json(
            {
                "notes": notes,
                "unit": "decimals",
                "horizon": str(change.horizon),
                "before": dates[0],
                "after": dates[1],
                "parts": table_json(parts),
                "names": {
                    str(name): {"before": row["before"], "after": row["after"]} for name, row in names.iterrows()
                },
            }
        )
        return
    print(_text(change, dates))


def _require_order(before: Fitted, after: Fitted, since: str) -> None:
    first, last = before.panel.dates[-1], after.panel.dates[-1]
    if not first < last:
        raise InvalidParameterError(
            f"expected --since before the last date, {last:%Y-%m-%d}, got {since}, until which the last date is "
            f"{first:%Y-%m-%d}; give an earlier one, or --as-of for the later one.",
            option="--since",
        )


def _said_of(parts: pd.Index[Any]) -> str:
    """What parts are that do not explain themselves."""
    return "".join(f" {part.capitalize()}: {said}." for part, said in _WHERE_ANY.items() if part in parts)


def _text(change: RiskChange, dates: list[str]) -> str:
    per_year = change.horizon.scale_volatility(100.0, to=YEAR)
    table = change.to_frame()["volatility"]
    table = table[(table != 0) | ~table.index.isin(_WHERE_ANY)]
    rows = pd.DataFrame({"volatility, %/year": [fixed(per_year * x, 2) for x in table]}, table.index)
    rows = rows.rename({"before": f"on {dates[0]}", "after": f"on {dates[1]}"})
    parts = [
        section(
            f"VOLATILITY, {dates[0]} to {dates[1]}",
            table_text(rows),
            f"Between the two dates, what each part changed; these sum to the difference.{_said_of(table.index)}",
        )
    ]
    if len(change.names):
        shown, rest = largest(change.names[["before", "after"]])
        parts.append(section("NAMES THAT ENTERED OR LEFT, weights", table_text(shown, 3), rest))
    return "\n\n".join(parts)
