"""The command line: ``riskmodel report``, ``riskmodel study`` and ``riskmodel data``."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodel.cli import notices
from riskmodel.cli import options as read
from riskmodel.cli.commands import ReportOptions, print_catalogue, risk_report, write_page
from riskmodel.cli.notices import tell
from riskmodel.cli.parser import Parser, add_files
from riskmodel.errors import RiskModelError, RiskModelWarning

if TYPE_CHECKING:
    from riskmodel.report.report import RiskReport
    from riskmodel.report.study.report import StudyReport

_BAD_INPUT, _INTERRUPTED, _BROKEN_PIPE = 2, 130, 141

_OVERVIEW = """\
Factor risk models on the command line.

  riskmodel report          a risk report on a sample portfolio: start here
  riskmodel report --help   its options, with examples
  riskmodel study           compare risk models out of sample, on the sample or on returns of your own
  riskmodel data french     data sets of the French library: factor sets, and portfolios to use as assets
"""

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
  riskmodel report MSFT --level 0.7 --errors hac
      Intervals that cover with 70%, from errors of Newey and West.
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; by default those of the process.

    Returns
    -------
    int
        The exit status: 0, 2 for bad input, 130 if interrupted, 141 if the reader of the output went away.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # replace characters that the terminal cannot print
        sys.stdout.reconfigure(errors="replace")
    try:
        with _stdout():
            _run(sys.argv[1:] if argv is None else list(argv))
    except BrokenPipeError:
        _silence_stdout()
        return _BROKEN_PIPE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (RiskModelError, RiskModelWarning, OSError) as error:
        tell(f"riskmodel: {_one_message(error)}")
        return _BAD_INPUT
    return 0


def _run(argv: list[str]) -> None:
    if argv[:1] == ["data"]:
        _data_parser().parse_args(argv[1:])
        print_catalogue()
        return
    if argv[:1] == ["study"]:
        _study(argv[1:])
        return
    if argv[:1] != ["report"]:
        _overview_parser().parse_args(argv)
    arguments = _report_parser().parse_intermixed_args(read.joined(argv[1:]))
    with notices.shown(arguments.strict, arguments.allow or ()) as said:
        options = ReportOptions.read(arguments)
        report, left_out = risk_report(options, said)
    if left_out:
        tell(left_out)
    _show(report, options.output, options.json)


def _study(argv: list[str]) -> None:
    from riskmodel.cli.study import StudyOptions, study_parser, study_report  # noqa: PLC0415 - other commands need none

    arguments = study_parser().parse_args(read.joined(argv))
    with notices.shown(arguments.strict, arguments.allow or ()) as said:
        options = StudyOptions.read(arguments)
        report = study_report(options, said)
    _show(report, options.output, options.json)


def _show(report: RiskReport | StudyReport, output: Path | None, as_json: bool) -> None:
    """Write the page, and print the tables or the JSON."""
    # write the page first: a closed stdout pipe must not prevent it
    wrote = write_page(report, output)
    if as_json:
        print(json.dumps(report.to_dict(), indent=2, allow_nan=False))
        if wrote:
            tell(wrote)
    else:
        print(report.to_text())
        if wrote:
            print(wrote)


# -- arguments -------------------------------------------------------------------------------------


def _overview_parser() -> argparse.ArgumentParser:
    from riskmodel import __version__  # noqa: PLC0415 - the root imports what is below it first

    parser = Parser(
        "riskmodel", description=_OVERVIEW, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"riskmodel {__version__}")
    parser.add_argument("command", choices=["report", "study", "data"], help="what to do")
    return parser


def _data_parser() -> argparse.ArgumentParser:
    parser = Parser("riskmodel data", description="List the data sets of a source.", allow_abbrev=False)
    parser.add_argument("source", choices=["french"], help="french: Kenneth R. French's data library")
    return parser


def _report_parser() -> argparse.ArgumentParser:
    parser = Parser(
        "riskmodel report",
        usage="riskmodel report [ASSET[=WEIGHT] ...] [options]",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "assets",
        nargs="*",
        metavar="ASSET[=WEIGHT]",
        help="dollars per dollar of strategy; without weights, equal ones",
    )
    add("--factors", nargs="+", metavar="FACTOR", help="factors of the model (default: all)")
    add("--start", metavar="DATE", help="first date: 2010-01-04, 2010-01 or 2010 (default: all)")
    add("--end", metavar="DATE", help="last date, included")
    add(
        "--budget",
        metavar="DOLLARS",
        type=read.dollars,
        default=1e6,
        help="volatility allowed, 1e6, 2.5m (default: 1m)",
    )
    add("--horizon", choices=list(read.HORIZONS), default="month", help="what the budget refers to (default: month)")
    add("--cap", metavar="SHARE", type=read.share, help="add a hedge that leaves this factor share, such as 0.2")
    add(
        "--level",
        metavar="PROBABILITY",
        type=read.probability,
        default=0.95,
        help="of the intervals of all figures (default: 0.95)",
    )
    add(
        "--errors",
        metavar="|".join(read.ERRORS),
        type=read.errors,
        help="how the errors behind intervals are estimated: cosines robust to changing variance and autocorrelation "
        "(default: cosine), Newey and West's, robust to changing variance alone, or textbook ones",
    )
    add("--min-observations", metavar="N", type=read.count, help="leave out assets with fewer returns than N")
    add("--sample", choices=["day", "month"], help="which sample to use (default: day)")
    add("--strict", action="store_true", help="refuse data that give warnings, such as returns that look like errors")
    add("--allow", nargs="+", metavar="WARNING", type=notices.kind, help="warnings that --strict lets pass, by name")
    add("--output", metavar="FILE", help="where to write the page (default: report.html; with --json, nowhere)")
    add("--no-html", action="store_true", help="write no page")
    add("--json", action="store_true", help="print the figures as JSON instead of tables")
    add_files(parser)
    return parser


# -- the end ---------------------------------------------------------------------------------------


def _one_message(error: Exception) -> str:
    if isinstance(error, RiskModelWarning):
        return notices.refusal(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


@contextlib.contextmanager
def _stdout() -> Iterator[None]:
    """Flush what is printed; name the place where that fails, such as on a full disk."""
    try:
        yield
        if sys.stdout is not None:  # None if the caller closed it
            sys.stdout.flush()
    except OSError as error:
        # of a stream, and of no file that was opened
        if isinstance(error, RiskModelError | BrokenPipeError) or error.filename is not None or error.errno is None:
            raise
        _silence_stdout()
        raise OSError(error.errno, error.strerror, "standard output") from error


def _silence_stdout() -> None:
    """Redirect stdout to the null device, because Python flushes it again at exit."""
    with contextlib.suppress(OSError, ValueError):  # stdout is not a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
