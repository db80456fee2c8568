"""``riskmodel attribute``: where realised returns come from."""

from __future__ import annotations

import argparse
import math
from functools import cached_property
from typing import Any, Self, final

import pandas as pd
from attrs import frozen

from riskmodel.analysis.attribution import ReturnAttribution
from riskmodel.analysis.weighting import BUY_AND_HOLD, REBALANCED
from riskmodel.cli import notices
from riskmodel.cli import options as read
from riskmodel.cli.dollars import Dollars, add_dollars
from riskmodel.cli.estimators import add_estimator
from riskmodel.cli.files import InputFiles
from riskmodel.cli.groups import add_groups, groups_or_of_book
from riskmodel.cli.model import ModelOptions
from riskmodel.cli.output import print_json, table_json
from riskmodel.cli.parser import Parser, add_data, add_files, add_intervals, add_portfolio
from riskmodel.cli.terminal import section, table_text
from riskmodel.cli.wording import as_options
from riskmodel.errors import InvalidParameterError, NotEstimatedError
from riskmodel.estimation.rolling import Rolling
from riskmodel.horizon import Horizon
from riskmodel.inference.inference import Inference
from riskmodel.inference.rolling import RollingInference
from riskmodel.portfolio.strategy import Strategy
from riskmodel.report.formats import dollars, fixed, interval

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
    add_dollars(attribute)
    add_intervals(attribute)
    add("--json", action="store_true", help="print the figures as JSON instead of tables")
    add_estimator(attribute)
    add_files(attribute)
    return attribute


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    with notices.shown(arguments.strict, arguments.allow or ()):
        options = ModelOptions.read(arguments, InputFiles.given(arguments))
        found = _attribution(arguments, options)
        attribution = found.attribution
        groups = None if found.groups is None else attribution.by_group
        parts, dates = found.parts(arguments.level), attribution.dates
    if arguments.json:
        print_json(
            {
                "notes": list(found.notes),
                "unit": "decimals of the portfolio over the window",
                "first": str(dates[0].date()),
                "last": str(dates[-1].date()),
                "n_dates": len(dates),
                "horizon": str(attribution.horizon),
                "linking": repr(attribution.linking),
                "level": arguments.level,
                "not_estimated": found.reason,
                "capital": None if found.earned is not None else found.dollars.capital,
                "dollars": None if found.earned is None else found.earned.to_dict(),
                "parts": table_json(parts),
                "by_asset": table_json(attribution.by_asset),
                "by_group": None if groups is None else table_json(groups),
            }
        )
        return
    print(_text(found, parts, groups, arguments))


@final
@frozen(eq=False)
class _Dated:
    """Positions in dollars of several dates, by date what weights are per dollar of, and whether they drift."""

    capitals: pd.Series[float]
    drifts: bool

    @classmethod
    def of(cls, arguments: argparse.Namespace, options: ModelOptions) -> Self | None:
        """Read them; None where the options say other dollars, or where positions have one date."""
        asked = arguments.capital is not None or arguments.budget is not None
        capitals = None if asked or options.positions is None else options.positions.capitals
        return None if capitals is None else cls(capitals, arguments.buy_and_hold)

    def earned(self, attribution: ReturnAttribution) -> pd.Series[float]:
        """Dollars by part, and their total; what is held on a date earns the returns after it, until the next."""
        by_date, at = attribution.by_date, self.capitals.index.searchsorted(attribution.dates, side="left") - 1
        size = self.capitals.to_numpy()[at]
        if self.drifts:
            grown = (1.0 + attribution.returns).groupby(at).transform(lambda x: x.cumprod().shift(fill_value=1.0))
            size = size * grown.to_numpy()
        parts: pd.Series[float] = by_date.mul(size, axis=0).sum()
        parts["total"] = parts.sum()
        return parts


@final
@frozen(eq=False, slots=False)
class _Found:
    """An attribution, what its errors are known from, and the dollars of it."""

    attribution: ReturnAttribution
    inference: Inference | RollingInference | None
    reason: str
    dollars: Dollars
    notes: tuple[str, ...]
    groups: pd.Series[Any] | None
    dated: _Dated | None

    @cached_property
    def earned(self) -> pd.Series[float] | None:
        """Dollars by part, of positions in dollars of several dates."""
        return None if self.dated is None else self.dated.earned(self.attribution)

    def parts(self, level: float) -> pd.DataFrame:
        """Exposure, return and share of each part, with ``std_error``, ``low`` and ``high`` where these are known."""
        table = self.attribution.to_frame()
        ends = ["std_error", "low", "high"]
        if self.inference is None:
            return table.assign(**dict.fromkeys(ends, math.nan))
        return table.join(self.attribution.std_errors(self.inference, level)[ends])


def _text(found: _Found, parts: pd.DataFrame, groups: pd.DataFrame | None, arguments: argparse.Namespace) -> str:
    level = arguments.level
    own, dates, capital = found.attribution, found.attribution.dates, found.dollars.capital
    ends = zip(parts["return"], parts["low"], parts["high"], strict=True)
    columns = {
        "exposure": [fixed(x, 2) for x in parts["exposure"]],
        "return, %": [interval(100 * x, (100 * low, 100 * high), 2) for x, low, high in ends],
        "share, %": [fixed(100 * x, 1) for x in parts["share"]],
    }
    if found.earned is not None:
        columns["dollars"] = [dollars(x) for x in found.earned]
    elif capital is not None:
        columns["dollars"] = [dollars(capital * x) for x in parts["return"]]
    known = (
        f"Intervals ({100 * level:g}%) are of alphas and loadings, which are estimated. All parts sum to a known "
        "return, so what alpha has too much, specific has too little: both upper ends at once are not possible."
    )
    said = f"No intervals: {as_options(found.reason)}" if found.reason else known
    size = "" if capital is None else f" Dollars are of the {capital:,.0f} {found.dollars.said}, at the start."
    if found.earned is not None:
        size = " Dollars are of each date's positions, added up; percentages are linked, so they compound."
    title = f"RETURN, {dates[0].date()} to {dates[-1].date()}, {len(dates):,} dates, linked by {own.linking!r}"
    way = (
        " What is bought drifts with its returns."
        if arguments.buy_and_hold
        else " Weights are the same on each date; with --buy-and-hold they drift."
    )
    tables = [section(title, table_text(pd.DataFrame(columns, parts.index)), said + size + way)]
    if groups is not None:
        tables.append(section("BY GROUP, % of the portfolio", table_text(100.0 * groups)))
    return "\n\n".join(tables)


def _attribution(arguments: argparse.Namespace, options: ModelOptions) -> _Found:
    first = read.end_of_window("--from", arguments.first, "start_time")
    last = read.end_of_window("--to", arguments.last, "end_time")
    weighting = BUY_AND_HOLD if arguments.buy_and_hold else REBALANCED
    held = _held(options)
    groups = _groups(arguments, options, held)
    assets = [str(asset) for asset in held]
    if arguments.rolling is not None:
        return _of_history(arguments, options, first, last)
    fitted = options.portfolio(also=assets)
    notices.tell_all(fitted.cautions)
    model, panel = fitted.strategy.model, fitted.panel
    of_strategy = isinstance(held, dict)
    made = (
        ReturnAttribution.of(fitted.strategy, panel, first, last, weighting=weighting, groups=groups)
        if of_strategy
        else ReturnAttribution.of_weights(held, model, panel, first, last, weighting=weighting, groups=groups)
    )
    size = Dollars.of(arguments, options, fitted.strategy)
    dated = _Dated.of(arguments, options)
    try:
        known = Inference.of(model, panel, arguments.errors)
    except NotEstimatedError as error:
        return _Found(made, None, str(error), size, fitted.cautions, groups, dated)
    return _Found(made, known, "", size, fitted.cautions, groups, dated)


def _of_history(
    arguments: argparse.Namespace, options: ModelOptions, first: pd.Timestamp | None, last: pd.Timestamp | None
) -> _Found:
    """Attribute with the loadings of the window before each date."""
    if arguments.window is not None:
        raise InvalidParameterError("expected --rolling or --window, got both; --rolling is the window of each date.")
    held, weighting = _held(options), BUY_AND_HOLD if arguments.buy_and_hold else REBALANCED
    panel = options.panel([str(asset) for asset in held])
    span = Horizon(read.rows(arguments.rolling, panel.horizon, "--rolling") * panel.horizon.days)
    history = Rolling(span, options.estimator).fit(panel)
    notes = (*options.caveats, *(() if options.positions is None else options.positions.basis))
    notices.tell_all(notes)
    groups = _groups(arguments, options, held)
    made = ReturnAttribution.of_weights(held, history, None, first, last, weighting=weighting, groups=groups)
    size = Dollars.of(arguments, options, Strategy(options.held(), history.asof(made.dates[-1])))
    try:
        inference = (
            RollingInference(history) if arguments.errors is None else RollingInference(history, arguments.errors)
        )
    except NotEstimatedError as error:
        return _Found(made, None, str(error), size, notes, groups, _Dated.of(arguments, options))
    return _Found(made, inference, "", size, notes, groups, _Dated.of(arguments, options))


def _groups(
    arguments: argparse.Namespace, options: ModelOptions, held: dict[str, float] | pd.DataFrame
) -> pd.Series[Any] | None:
    """Of the file, or of the book; the last book does not have the groups of all that was held before."""
    return groups_or_of_book(arguments, options.names, options.book if isinstance(held, dict) else None)


def _held(options: ModelOptions) -> dict[str, float] | pd.DataFrame:
    """The same weights on each date, or, of a file of positions of several dates, those of each date."""
    history = None if options.positions is None else options.positions.history
    return options.held() if history is None else history
