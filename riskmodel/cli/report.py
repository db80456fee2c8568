"""``riskmodel report``: a risk report on a portfolio."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, final

import pandas as pd
from attrs import evolve, frozen

from riskmodel._core.callers import warn
from riskmodel._core.paths import read_path
from riskmodel.cli import notices
from riskmodel.cli import options as read
from riskmodel.cli.estimators import add_estimator
from riskmodel.cli.files import InputFiles, page_path
from riskmodel.cli.groups import add_groups, groups_of
from riskmodel.cli.model import ModelOptions, left_out_of
from riskmodel.cli.output import Detail, show
from riskmodel.cli.parser import Parser, add_data, add_files, add_intervals, add_portfolio
from riskmodel.cli.wording import as_options
from riskmodel.errors import DoubtfulDatesWarning, InvalidParameterError
from riskmodel.inference.covariance.base import LongRunCovariance
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.desk.instrument import Instrument

if TYPE_CHECKING:
    from riskmodel.report.report import RiskReport

_ENDINGS = (".html", ".htm", ".json", ".xlsx", ".csv")

_DESCRIPTION = """\
Report the risk of a portfolio: its factor exposures, the factors' share of its
variance, the hedge that removes them, and the dollars of it that a risk budget
allows, hedged and unhedged. Tables go to the terminal; a page with the same
tables and charts goes to report.html. The page opens offline.
"""

_EXAMPLES = """\
examples:
  riskmodel report
      A sample portfolio, MSFT=0.5 JPM=0.3 XOM=0.2, on returns that ship with
      riskmodel: no file, no network, no account.
  riskmodel report MSFT
      One stock: its beta, its alpha, and how to hedge it.
  riskmodel report KO=1 PEP=-1 --start 2010-01-01 --cap 0.2
      A pair, long and short. --cap 0.2 adds the smallest hedge that brings the
      factors' share of the variance down to 20%.
  riskmodel report XOM --instruments CVX JPM
      Beside it the hedges in two other assets, by the model and as the returns
      saw it. riskmodel hedge compares more of them. With --lots CVX=12000 it
      also says what whole lots leave.
  riskmodel report MSFT --level 0.7 --errors hac
      Intervals that cover with 70%, from errors of Newey and West.
  riskmodel report --output today.json; riskmodel report --previous today.json
      What changed since the report of another day.
  riskmodel report BusEq Utils --sample month --factors Mkt-RF HML Mom
      Equal weights, three factors, the monthly sample.
  riskmodel report --budget 2.5m --horizon day --output desk.html
      At most 2.5 million dollars of volatility a day.
  riskmodel report --returns fund.csv --factor-returns factors.csv
      Your own returns, all assets in the file at equal weights.
  riskmodel report A=0.5 B=0.5 --returns closes.csv.gz --unit price \\
        --factor-returns factors.csv --factor-unit percent
      Adjusted prices of your assets, and factors in percent.
  riskmodel report --returns all.parquet --factor-returns factors.csv \\
        --min-observations 60
      All assets with 60 returns or more; the others are listed.
  riskmodel report 10107 --returns crsp.parquet --columns date,permno,ret \\
        --factor-returns factors.csv
      A long file with columns of its own.
  riskmodel report --positions book.csv --budget 1m
      The positions that are held, in dollars, or in shares with prices; the
      report begins with the limits that they exceed.
  riskmodel report MSFT --json | python -m json.tool
      The same figures for programs.

files:
  CSV, or Parquet where pyarrow is installed: --returns has the assets,
  --factor-returns the factors. --unit and --factor-unit give the unit of the
  numbers, which is never guessed:

      decimal   0.01 is one percent (the default)
      percent   1.0 is one percent
      price     adjusted prices, from which returns are computed

  Give one file of assets and one of factors; the two may be in different units.
  --french takes factors and the risk-free rate from the French library instead:
  Mkt-RF, SMB and HML, or those of --factors. It fetches them, or reads files of
  the library that you saved in a folder: --french ~/french.
  Wide files have dates in the first column, then one column for each asset or
  factor. Long files have one row for each date and asset: their columns are
  date, asset (or ticker, symbol, permno; factor in a file of factors) and one
  more. If yours have other names, or more columns, name them with --columns and
  --factor-columns.

      date,FUND,SPY                    date,ticker,return
      2018-11-29,0.0021,-0.0022        2018-11-29,FUND,0.0021
      2018-11-30,,0.0081               2018-11-30,SPY,0.0081

  Rows of hours or minutes: --bar 1h --per-day 6.5. In a market that is open on
  seven days a week, which has 365 days a year, --data-horizon calendar-day.

  Dates are year first: 2018-11-30, 20181130, or 2018-11 for months; for others
  say --dates %d/%m/%Y. Columns are separated by commas, semicolons or tabs.
  Empty cells are missing, and so are the codes of --missing -99 n/m. Where days
  are stamped in UTC, say --time-zone Europe/Berlin. Compressed files (gzip,
  bzip2, xz, zstd, zip), exports of CRSP and files of the French library are
  recognised. Open, high, low and close are one asset, called like the file:
  --columns Date:Close chooses a column.

  Asset returns are total returns, and prices adjusted for splits and dividends.
  If they are in excess of the risk-free rate already, say --return-type excess:
  the rate is then not subtracted again.
  The file of factors has the risk-free rate in a column named RF, in the unit
  of the other columns; --risk-free gives a constant one instead, in decimals:
  0.02/year, 0.0017/month, or a number per row.
  Factors such as Mkt-RF, which are excess returns, cost cash to hold, and the
  cash leg of a hedge includes it; --funded lists these factors. A factor given
  as a price is the return in excess of --risk-free, and costs cash.

  For a whole file, assets with too few returns to estimate are omitted and
  listed. An asset that you name must have enough.

warnings:
  Each is printed with its name, as in "warning (suspect-return): ...", and is
  among the notes of the report. --strict refuses data that give one. Those that
  you have looked at pass with --strict --allow suspect-return chosen-column.

exit status: 0 for success, 2 for invalid input, with one message that gives
the reason.
"""


def parser() -> Parser:
    """Return the parser of the command."""
    report = Parser.of("report", "[ASSET[=WEIGHT] ...] [options]", _DESCRIPTION, _EXAMPLES)
    add_portfolio(report)
    add_data(report)
    add = report.add_argument
    add(
        "--budget",
        metavar="DOLLARS",
        type=read.dollars,
        help="volatility allowed, 1e6, 2.5m (default: 1m)",
    )
    add("--horizon", choices=list(read.HORIZONS), default="month", help="what the budget refers to (default: month)")
    add("--cap", metavar="SHARE", type=read.share, help="add a hedge that leaves this factor share, such as 0.2")
    add(
        "--instruments",
        nargs="+",
        metavar="ASSET",
        help="assets that may hedge it: compares the model's hedge in them with a regression's, and the hedge on the "
        "page may hold them",
    )
    add(
        "--lots",
        nargs="+",
        metavar="ASSET=DOLLARS",
        help="the size of a lot, or of a contract, of some of --instruments: shows what whole lots leave",
    )
    add_intervals(report)
    add("--capital", metavar="DOLLARS", type=read.dollars, help="dollars that are held, to show what limits they use")
    add_groups(report)
    add("--previous", metavar="FILE", help="an earlier report, written as JSON, to show what changed since")
    add(
        "--output",
        metavar="FILE",
        help="where to write the page (default: report.html; with --json, nowhere): .html, .json, .xlsx or .csv, or - "
        "for the page on standard output",
    )
    add("--no-html", action="store_true", help="write no page")
    add("--full", action="store_true", help="print all tables, also those that explain and test others, and each beta")
    add("--json", action="store_true", help="print the figures as JSON instead of tables")
    add_estimator(report)
    add_files(report)
    return report


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    with notices.shown(arguments.strict, arguments.allow or ()) as said:
        options = ReportOptions.read(arguments)
        report, left_out = risk_report(options, said)
        if left_out:
            notices.tell(left_out)
        # within, as some figures are computed, and warn, when they are shown
        show(report, options.output, options.json, Detail.FULL if arguments.full else Detail.BRIEF)


@final
@frozen
class ReportOptions:
    """The checked options of a report."""

    model: ModelOptions
    budget: RiskBudget
    cap: float | None
    instruments: list[Instrument]
    level: float
    errors: LongRunCovariance | None
    capital: float | None
    groups: pd.Series[str] | None
    previous: dict[str, Any] | None
    output: Path | None
    json: bool
    budget_is_default: bool

    @classmethod
    def read(cls, args: argparse.Namespace) -> Self:
        """Check the arguments and read the files."""
        files = InputFiles.given(args)
        if args.no_html and args.output is not None:
            raise InvalidParameterError("expected --output or --no-html, got both; give one of them.")
        output = page_path(args, files, endings=_ENDINGS)
        model = ModelOptions.read(args, files)
        tools = read.instruments(args.instruments, model.data.assets)
        model.require_returns(tools)
        sizes = read.lots(args.lots, tools)
        return cls(
            model=model,
            budget=RiskBudget(args.budget or read.BUDGET, read.HORIZONS[args.horizon]),
            cap=args.cap,
            instruments=[Instrument(tool, lot=sizes.get(tool)) for tool in tools],
            level=args.level,
            errors=args.errors,
            capital=args.capital,
            groups=groups_of(args, model.names),
            previous=None if args.previous is None else _earlier(args.previous),
            output=output,
            json=args.json,
            budget_is_default=args.budget is None,
        )


def _earlier(name: str) -> dict[str, Any]:
    """Read an earlier report."""
    path = read_path(name, "--previous")
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:  # no JSON, or no text
        raise InvalidParameterError(
            f"expected --previous as a report that was written as JSON, got {path}, which is none ({error}); write one "
            "with --output report.json.",
            parameter="--previous",
        ) from error
    if not isinstance(content, dict):
        raise InvalidParameterError(
            f"expected --previous as a report that was written as JSON, got {path}, which holds another value.",
            parameter="--previous",
        )
    return content


def risk_report(options: ReportOptions, said: Sequence[str] = ()) -> tuple[RiskReport, str]:
    """Fit the model and make the report; also return a message about omitted assets.

    What was said of the data while they were read and aligned, in warnings, is among the report's notes.
    """
    from riskmodel.report.report import RiskReport  # noqa: PLC0415 - not needed to explain the command

    fitted = options.model.portfolio(also=[str(tool.label) for tool in options.instruments])
    for gap in options.model.gap(fitted.panel):
        warn(DoubtfulDatesWarning(gap))
    positions = options.model.positions
    book = None if positions is None else positions.book
    held = () if positions is None else positions.notes(fitted.strategy, options.budget)
    if options.budget_is_default:
        held = (*held, read.of_default_budget(options.budget))
    report = RiskReport.of(
        fitted.strategy,
        fitted.panel,
        options.budget,
        cap=options.cap,
        level=options.level,
        errors=options.errors,
        groups=book.groups if options.groups is None and book is not None else options.groups,
        capital=book.capital if options.capital is None and book is not None else options.capital,
        previous=options.previous,
        instruments=options.instruments,
        source=options.model.source,
        caveats=tuple(dict.fromkeys((*held, *fitted.notes, *said))),
    )
    return evolve(report, said=as_options), left_out_of(fitted.strategy.model)
