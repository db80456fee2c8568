"""The command line: ``riskmodel report`` and ``riskmodel data``."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import re
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.paths import read_path
from riskmodel.data.files import read_percent_returns, read_prices, read_returns
from riskmodel.data.french.provider import FamaFrench
from riskmodel.data.memory import InMemory
from riskmodel.data.sample import SampleData
from riskmodel.errors import (
    DataError,
    ImpossibleReturnsError,
    InvalidParameterError,
    MissingExtraError,
    PercentReturnsError,
    RiskModelError,
    SpacingError,
    UnknownFactorError,
)
from riskmodel.estimation.least_squares.ols import OLS
from riskmodel.horizon import DAY, MONTH, NAMED, YEAR, Horizon
from riskmodel.panel.layout import Either, Layout, Long, Wide
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.strategy import Strategy

if TYPE_CHECKING:
    from riskmodel.report.report import RiskReport

_BAD_INPUT, _INTERRUPTED, _BROKEN_PIPE = 2, 130, 141
_RISK_FREE = "RF"
_LARGEST_WEIGHT = 1e6
# a volatility a year that hardly any asset but bills has
_HARDLY = 0.01
_NUMBERS = {"--budget", "--cap", "--risk-free"}
# What the numbers of a file are is said by its option, never guessed; so is which file it is.
_Read = Callable[[str, Layout], pd.DataFrame]
_OF_ASSETS: dict[str, _Read] = {
    "--returns": read_returns,
    "--percent-returns": read_percent_returns,
    "--prices": read_prices,
}
_OF_FACTORS: dict[str, _Read] = {
    "--factor-returns": read_returns,
    "--percent-factor-returns": read_percent_returns,
    "--factor-prices": read_prices,
}
_ASSET_FILES, _FACTOR_FILES = ", ".join(_OF_ASSETS), ", ".join(_OF_FACTORS)
_ABOUT_FILES = ("--data-horizon", "--risk-free", "--funded", "--columns", "--factor-columns")
_ASSETS_ARE_CALLED, _FACTORS_ARE_CALLED = ("asset", "ticker", "symbol", "permno"), ("factor",)
_WINDOW = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
# commas between thousands: in 2,5m it would be a decimal sign, and the amount ten times what was meant
_GROUPED = re.compile(r"[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
_SUFFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "b": 1e9}
_DEFAULT_WEIGHTS = {
    DAY: {"MSFT": 0.5, "JPM": 0.3, "XOM": 0.2},
    MONTH: {"BusEq": 0.5, "Money": 0.3, "Enrgy": 0.2},
}
_SAMPLE = {
    DAY: "the embedded sample: 20 US stocks and the S&P 500, daily, 2000 to 2018",
    MONTH: "the embedded sample: 30 US industry and style portfolios, monthly, 1949 to 2017",
}
_SAMPLE_CAVEATS = {
    DAY: (
        "The sample is for learning: its twenty stocks are survivors chosen in hindsight, so their alphas are no "
        "evidence of skill, and the index comes without dividends, which makes every alpha about beta times two "
        "percent a year too large.",
    ),
    MONTH: ("The sample's portfolios are for learning: they cannot be bought as they are, and cost nothing to trade.",),
}

_OVERVIEW = """\
Factor risk models on the command line.

  riskmodel report          a risk report on a sample portfolio: start here
  riskmodel report --help   what it can be asked, with examples
  riskmodel data french     what the French library has: factor sets, and portfolios to use as assets
"""

_DESCRIPTION = """\
Report the risk of a portfolio: what factors it is exposed to, how much of its
variance they make, the hedge that takes them away, and how many dollars of it a
risk budget holds, hedged and unhedged. Tables go to the terminal; a page with
the same tables and pictures goes to report.html. The page opens offline.
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
  riskmodel report BusEq Utils --sample month --factors Mkt-RF HML Mom
      Equal weights, three factors, the monthly sample.
  riskmodel report --budget 2.5m --horizon day --output desk.html
      At most 2.5 million dollars of volatility a day.
  riskmodel report --returns fund.csv --factor-returns factors.csv
      Your own returns, all assets in the file at equal weights.
  riskmodel report A=0.5 B=0.5 --prices closes.csv.gz \\
        --percent-factor-returns factors.csv
      Adjusted prices of your assets, and factors in percent.
  riskmodel report 10107 --returns crsp.parquet --columns date,permno,ret \\
        --factor-returns factors.csv
      A long file with columns of its own.
  riskmodel report MSFT --json | python -m json.tool
      The same figures for programs.

files:
  CSV, .csv.gz, or Parquet where pyarrow is installed. What the numbers are is
  said by the option, and never guessed:

      assets             factors
      --returns          --factor-returns          decimals: 0.01 is one percent
      --percent-returns  --percent-factor-returns  percent: 1.0 is one percent
      --prices           --factor-prices           adjusted prices

  Give one file of assets and one of factors; the two may be of different kinds.
  Wide files have dates in the first column, then one column for each asset or
  factor. Long files have one row for each date and asset: their columns are
  date, asset (or ticker, symbol, permno; factor in a file of factors) and one
  more. If yours have other names, or more columns, say so with --columns and
  --factor-columns.

      date,FUND,SPY                    date,ticker,return
      2018-11-29,0.0021,-0.0022        2018-11-29,FUND,0.0021
      2018-11-30,,0.0081               2018-11-30,SPY,0.0081

  Dates are year first: 2018-11-30, 20181130, or 2018-11 for months. Columns are
  separated by commas, decimals have a point, empty cells are missing.

  Asset returns are total returns, and prices adjusted for splits and dividends.
  The file of factors has the risk-free rate in a column named RF, in the unit
  of the other columns; --risk-free gives a constant one instead, in decimals.
  Factors such as Mkt-RF, which are excess returns, cost cash to hold, which the
  cash leg of a hedge counts; --funded says which ones do. Of --factor-prices,
  the factor is the return in excess of --risk-free, and all cost cash.

exit status: 0 if all went well, 2 for input that cannot be used, with one
message that says why.
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
        # a sign that the terminal does not have is no reason to fail
        sys.stdout.reconfigure(errors="replace")
    try:
        _run(sys.argv[1:] if argv is None else list(argv))
        if sys.stdout is not None:  # it is None where the caller closed it
            sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
        return _BROKEN_PIPE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (RiskModelError, OSError) as error:
        if sys.stderr is not None:  # print would take stdout in its place
            print(f"riskmodel: {_one_message(error)}", file=sys.stderr)
        return _BAD_INPUT
    return 0


def _run(argv: list[str]) -> None:
    if argv[:1] == ["data"]:
        _print_catalogue(argv[1:])
        return
    if argv[:1] != ["report"]:
        _overview_parser().parse_args(argv)
    options = _read_options(_report_parser().parse_intermixed_args(_joined(argv[1:])))
    report = _report(options)
    # the page first, so that a reader of the text who leaves early does not cost it
    wrote = _write_page(report, options.output)
    if options.json:
        print(json.dumps(report.to_dict(), indent=2, allow_nan=False))
    else:
        print(report.to_text())
    if wrote and (sys.stderr is not None or not options.json):
        print(wrote, file=sys.stderr if options.json else sys.stdout)


# -- arguments -------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are errors like all others."""

    def error(self, message: str) -> NoReturn:
        raise InvalidParameterError(f"{message}; {self.prog} --help explains.")


def _overview_parser() -> argparse.ArgumentParser:
    from riskmodel import __version__  # noqa: PLC0415 - the root imports what is below it first

    parser = _Parser(
        "riskmodel", description=_OVERVIEW, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"riskmodel {__version__}")
    parser.add_argument("command", choices=["report", "data"], help="what to do")
    return parser


def _print_catalogue(argv: list[str]) -> None:
    """List what a source has; nothing is fetched for it."""
    parser = _Parser("riskmodel data", description="List the data sets of a source.", allow_abbrev=False)
    parser.add_argument("source", choices=["french"], help="french: Kenneth R. French's data library")
    parser.parse_args(argv)
    for kind, sets in FamaFrench.catalogue().groupby("kind", sort=False):
        print(f"{str(kind).upper()}\n")
        for name, row in sets.iterrows():
            horizons = " ".join(h for h in ("day", "week", "month") if row[h])
            said = f"{row['title']}: {row['series']}" if row["series"] else row["title"]
            print(f"{name:<50}  {horizons}\n{textwrap.indent(textwrap.fill(said, 75, break_on_hyphens=False), '    ')}")
        print()


def _report_parser() -> argparse.ArgumentParser:
    parser = _Parser(
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
    add("--factors", nargs="+", metavar="FACTOR", help="what to explain returns with (default: all there are)")
    add("--start", metavar="DATE", help="first date: 2010-01-04, 2010-01 or 2010 (default: all)")
    add("--end", metavar="DATE", help="last date, included")
    add("--budget", metavar="DOLLARS", type=_dollars, default=1e6, help="volatility allowed, 1e6, 2.5m (default: 1m)")
    add("--horizon", choices=list(NAMED), default="month", help="what the budget refers to (default: month)")
    add("--cap", metavar="SHARE", type=_share, help="add a hedge that leaves this factor share, such as 0.2")
    add("--sample", choices=["day", "month"], help="which sample to use (default: day)")
    add("--output", metavar="FILE", help="where to write the page (default: report.html; with --json, nowhere)")
    add("--no-html", action="store_true", help="write no page")
    add("--json", action="store_true", help="print the figures as JSON instead of tables")
    _add_files(parser)
    return parser


def _add_files(parser: argparse.ArgumentParser) -> None:
    """Add the options about files: one of assets, one of factors, each in one unit."""
    files = parser.add_argument_group("files of your own, instead of the sample; see files, below")
    assets, factors = files.add_mutually_exclusive_group(), files.add_mutually_exclusive_group()
    assets.add_argument("--returns", metavar="FILE", help="asset returns in decimals")
    assets.add_argument("--percent-returns", metavar="FILE", help="or asset returns in percent")
    assets.add_argument("--prices", metavar="FILE", help="or adjusted prices of assets")
    factors.add_argument("--factor-returns", metavar="FILE", help="factor returns and the risk-free rate RF, decimals")
    factors.add_argument("--percent-factor-returns", metavar="FILE", help="or factor returns and RF in percent")
    factors.add_argument("--factor-prices", metavar="FILE", help="or prices of what factors are, such as an index")
    add = files.add_argument
    add("--risk-free", metavar="RATE", type=_number, help="a constant risk-free rate per row, instead of the column RF")
    add("--funded", nargs="*", metavar="FACTOR", help="factors that cost cash to hold (default: by their names)")
    add("--data-horizon", choices=list(NAMED), help="what one row of the files spans (default: day)")
    add(
        "--columns",
        metavar="DATE[,ASSET[,VALUE]]",
        type=_layout,
        help="names of a wide file's dates, or of a long one's parts",
    )
    add("--factor-columns", metavar="DATE[,FACTOR[,VALUE]]", type=_layout, help="the same in the file of factors")


def _layout(text: str) -> Layout:
    """Read ``DATE`` of a wide file, or ``DATE,ASSET`` or ``DATE,ASSET,VALUE`` of a long one."""
    names = [name.strip() for name in text.split(",")]
    if not all(names) or len(names) > 3 or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(
            "the column of dates of a wide file is needed, or those of dates, labels and numbers of a long one, as in "
            f"date,permno,ret, but {text!r} came"
        )
    return Wide(*names) if len(names) == 1 else Long(*names)


def _joined(argv: Sequence[str]) -> list[str]:
    """Tie a negative number to its option: argparse takes some, such as ``-1e6``, for options of their own."""
    joined: list[str] = []
    for item in argv:
        if joined and joined[-1] in _NUMBERS and re.match(r"-[0-9.]", item):
            joined[-1] += f"={item}"
        else:
            joined.append(item)
    return joined


@frozen
class _Options:
    """What was asked for, checked."""

    weights: dict[str, float | None]
    data: SampleData | InMemory
    factors: list[str]
    source: str
    caveats: tuple[str, ...]
    start: pd.Timestamp | None
    end: pd.Timestamp | None
    budget: RiskBudget
    cap: float | None
    output: Path | None
    json: bool


def _read_options(args: argparse.Namespace) -> _Options:
    _require_fitting(args)
    mine, theirs, output = _file(args, _OF_ASSETS), _file(args, _OF_FACTORS), _output(args)
    data = SampleData(NAMED[args.sample or "day"]) if mine is None or theirs is None else _files(args, mine, theirs)
    sample = isinstance(data, SampleData)
    factors = _names(args.factors, data.factors)
    if args.factors is not None and not factors:
        raise InvalidParameterError("--factors must name at least one factor, but none came; leave it out for all.")
    _require_factors("--factors", factors, data.factors, data.assets)
    return _Options(
        weights=_weights(args.assets),
        data=data,
        factors=factors or data.factors,
        source=_SAMPLE[data.horizon] if sample else f"{mine} and {theirs}",
        caveats=_SAMPLE_CAVEATS[data.horizon] if sample else _doubts(data, mine, theirs),
        start=_end_of_window("--start", args.start, "start_time"),
        end=_end_of_window("--end", args.end, "end_time"),
        budget=RiskBudget(args.budget, NAMED[args.horizon]),
        cap=args.cap,
        output=output,
        json=args.json,
    )


def _require_fitting(args: argparse.Namespace) -> None:
    """Raise for options that do not go together."""
    mine, theirs = _file(args, _OF_ASSETS), _file(args, _OF_FACTORS)
    for given, other, lacking in (
        (mine, theirs, f"factors: one of {_FACTOR_FILES}"),
        (theirs, mine, f"assets: one of {_ASSET_FILES}"),
    ):
        if given is not None and other is None:
            raise InvalidParameterError(
                f"{given.option} came without a file of {lacking}; give both files, or neither for the sample."
            )
    if mine is not None and args.sample:
        raise InvalidParameterError(f"--sample and {mine.option} came together; give one of them.")
    stray = [option for option in _ABOUT_FILES if _value(args, option) is not None]
    if stray and mine is None:
        raise InvalidParameterError(
            f"{stray[0]} is about files of returns, but none came; give --returns and --factor-returns, or choose the "
            "embedded sample with --sample day or --sample month."
        )
    if args.no_html and args.output is not None:
        raise InvalidParameterError("--output and --no-html came together; give one of them.")


def _output(args: argparse.Namespace) -> Path | None:
    if args.no_html or (args.json and args.output is None):
        return None
    if args.output == "":
        raise InvalidParameterError("--output must name a file such as report.html, but nothing came.")
    path = read_path(args.output or "report.html", "--output")
    for given in (_file(args, _OF_ASSETS), _file(args, _OF_FACTORS)):
        if given is not None and _is_same(path, given.path):
            raise InvalidParameterError(
                f"the page would be written over {given}, which {given.option} reads; give another name as --output."
            )
    return path


def _is_same(page: Path, path: str) -> bool:
    """Whether two names are of one file, by whatever links."""
    try:
        return page.is_file() and page.samefile(Path(path).expanduser())
    except (OSError, ValueError, RuntimeError):  # not there, or no path at all: who reads it says so
        return False


def _end_of_window(option: str, text: str | None, side: str) -> pd.Timestamp | None:
    """Read a day, or the first or last day of a month or a year."""
    if text is None:
        return None
    try:
        if not _WINDOW.fullmatch(text):
            raise ValueError(text)
        moment: pd.Timestamp = getattr(pd.Period(text), side)
        return moment.normalize()
    except ValueError as error:
        raise InvalidParameterError(
            f"{option} must be a date such as 2010-01-31, a month such as 2010-01 or a year, but {text!r} came."
        ) from error


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"a number is needed, such as 0.2, but {text!r} came") from error
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"a finite number is needed, but {text!r} came")
    return value


def _share(text: str) -> float:
    value = _number(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"a share is at most 1, and 0.2 is 20 %, but {text!r} came")
    return value


def _dollars(text: str) -> float:
    """Read dollars: ``1e6``, ``1_000_000``, ``$1,000,000``, ``2.5m``."""
    found = re.fullmatch(r"\$?([-+0-9.,_]+(?:e[-+]?[0-9]+)?)([a-z]*)", text.strip().lower())
    try:
        if found is None:
            raise ValueError(text)
        if "," in found[1] and not _GROUPED.fullmatch(found[1]):
            raise argparse.ArgumentTypeError(
                f"commas stand between thousands, as in 2,500,000, and decimals take a point, as in 2.5m, but {text!r} "
                "came"
            )
        amount = float(found[1].replace(",", "")) * _SUFFIXES[found[2]]
    except (ValueError, KeyError) as error:
        raise argparse.ArgumentTypeError(
            f"dollars are written 1e6, 1_000_000, 500k, 2.5m or 1bn, but {text!r} came"
        ) from error
    if amount <= 0:
        raise argparse.ArgumentTypeError(f"a budget is a positive number of dollars, but {text!r} came")
    return amount


def _weights(items: Sequence[str]) -> dict[str, float | None]:
    """Read ``ASSET`` and ``ASSET=WEIGHT``; None is a weight that was not given."""
    weights: dict[str, float | None] = {}
    for item in items:
        asset, equals, weight = item.rpartition("=")
        name = asset if equals else item
        if not name:
            raise InvalidParameterError(f"an asset is written NAME or NAME=WEIGHT, but {item!r} came.")
        if name in weights:
            raise InvalidParameterError(f"{name} came more than once; give each asset one weight.")
        weights[name] = _weight(name, weight) if equals else None
    given = [w is not None for w in weights.values()]
    if any(given) and not all(given):
        bare = [name for name, w in weights.items() if w is None]
        raise InvalidParameterError(
            f"some assets have a weight, but {', '.join(bare)} came without; give all of them one, or none for equal "
            "weights."
        )
    return weights


def _weight(asset: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError as error:
        raise InvalidParameterError(
            f"the weight of {asset} must be a number such as 0.5 or -0.5, but {text!r} came."
        ) from error
    # beyond, squares of weights are no longer numbers, and nobody means it
    if weight != 0 and not 1 / _LARGEST_WEIGHT <= abs(weight) <= _LARGEST_WEIGHT and not math.isnan(weight):
        raise InvalidParameterError(
            f"the weight of {asset} is dollars per dollar of strategy, such as 0.5, and must be 0, or between 1e-6 and "
            f"1e6 in size, but {text!r} came."
        )
    return weight


def _names(items: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """Names with spaces or commas between them, unless it is a name that has the comma."""
    return [name for item in items or () for name in ([item] if item in known else item.split(",")) if name]


def _require_factors(option: str, names: Sequence[str], factors: Sequence[str], assets: Sequence[str]) -> None:
    """Raise for assets that an option took for its own; what is known nowhere, the provider tells."""
    held = {*assets} - {*factors}
    stray = [name for name in names if name in held or (name not in factors and name.partition("=")[0] in held)]
    if stray:
        raise UnknownFactorError(
            f"unknown factor: {stray[0]}, which is an asset; write assets before {option}, or -- in between.",
            missing=stray,
        )


# -- files -----------------------------------------------------------------------------------------


@frozen
class _File:
    """A file that was given, and the option that says what its numbers are."""

    option: str
    path: str

    def __str__(self) -> str:
        # a name that is no text, which systems allow, as a page and a terminal can show it
        return self.path.encode(errors="surrogateescape").decode(errors="replace")

    def read(self, layout: Layout) -> pd.DataFrame:
        """Read it: decimals, dates × labels, all of them text, as names are on a command line."""
        try:
            frame = (_OF_ASSETS | _OF_FACTORS)[self.option](self.path, layout)
        except MissingExtraError as error:
            raise MissingExtraError(f"{error} Or give CSV.") from error
        return frame.set_axis(labels.unique([_text(c) for c in frame.columns], f"the columns of {self.path}"), axis=1)


def _value(args: argparse.Namespace, option: str) -> str | None:
    value: str | None = getattr(args, option.removeprefix("--").replace("-", "_"))
    return value


def _file(args: argparse.Namespace, options: Mapping[str, object]) -> _File | None:
    """Return the one that came of some options."""
    return next((_File(o, path) for o in options if (path := _value(args, o)) is not None), None)


def _text(label: object) -> str:
    """A label as it is typed: permnos are whole numbers, even where a file has them as floats."""
    return str(int(label) if isinstance(label, float) and label.is_integer() else label).strip()


def _files(args: argparse.Namespace, mine: _File, theirs: _File) -> InMemory:
    returns = mine.read(args.columns or Either(_ASSETS_ARE_CALLED))
    factors = theirs.read(args.factor_columns or Either(_FACTORS_ARE_CALLED))
    free, published = _rate(args, theirs, factors)
    funded = None if args.funded is None else _names(args.funded, list(published.columns))
    _require_factors("--funded", funded or (), list(published.columns), list(returns.columns))
    if theirs.option == "--factor-prices":
        published, funded = published - free, list(published.columns) if funded is None else funded
    horizon = NAMED[args.data_horizon or "day"]
    try:
        return InMemory(returns, factors=published, risk_free=free, horizon=horizon, funded=funded)
    except DataError as error:
        raise type(error)(f"{error}{_hint(error)} (asset returns: {mine}; factor returns: {theirs})") from error


def _rate(
    args: argparse.Namespace, file: _File, factors: pd.DataFrame
) -> tuple[pd.Series[float] | float, pd.DataFrame]:
    """Split the risk-free rate from the factors."""
    rates = [c for c in factors.columns if c.upper() == _RISK_FREE]
    if len(rates) > 1:
        raise InvalidParameterError(
            f"{file} has the columns {labels.listing(rates)}, but there is one risk-free rate; rename or drop the "
            "others."
        )
    if rates and file.option == "--factor-prices":
        raise InvalidParameterError(
            f"{file} has the column {rates[0]}, but a rate is no price; take it out, and give --risk-free."
        )
    if bool(rates) == (args.risk_free is not None):
        raise InvalidParameterError(
            f"{file} has the column {rates[0]}, and --risk-free came too; leave one out."
            if rates
            else f"{file} has no column {_RISK_FREE} for the risk-free rate; add one, or give "
            "--risk-free 0 if the asset returns are excess returns already."
        )
    if len(rates) == len(factors.columns):
        raise InvalidParameterError(f"{file} has no factor beside {rates[0]}; add one.")
    return factors[rates[0]] if rates else args.risk_free, factors.drop(columns=rates)


def _doubts(data: SampleData | InMemory, mine: _File | None, theirs: _File | None) -> tuple[str, ...]:
    """Say where decimals seem to have been given as percent; it may be right, of bills and the like."""
    returns, factors = data.asset_returns(data.assets), data.factor_returns(data.factors)
    return tuple(
        f"Read in percent, as {file.option} says, half of the columns of {file} vary by less than "
        f"{100 * _HARDLY:g} % a year. If its numbers are decimals, give it with "
        f"{file.option.replace('percent-', '')}: what is a volatility here is then a hundred times as large."
        for file, frame in ((mine, returns), (theirs, factors))
        if file is not None and "percent" in file.option and _volatility(frame, data.horizon) < _HARDLY
    )


def _volatility(frame: pd.DataFrame, horizon: Horizon) -> float:
    """The median over columns, a year; NaN where nothing can be said."""
    return float(frame.std().median()) * math.sqrt(YEAR.in_units_of(horizon))


def _hint(error: DataError) -> str:
    """How what an error asks for is said on the command line."""
    if isinstance(error, SpacingError):
        return " Here it is said with --data-horizon."
    if isinstance(error, PercentReturnsError | ImpossibleReturnsError):
        return " Files in percent are given with --percent-returns and --percent-factor-returns, prices with --prices."
    return ""


# -- the report ------------------------------------------------------------------------------------


def _report(options: _Options) -> RiskReport:
    from riskmodel.report.report import RiskReport  # noqa: PLC0415 - not needed to explain the command

    weights = _complete(options)
    try:
        panel = options.data.panel(list(weights), options.factors, options.start, options.end)
    except DataError as error:
        if isinstance(options.data, SampleData):
            raise
        raise type(error)(f"{options.source}: {error}{_hint(error)}") from error
    return RiskReport.of(
        Strategy(weights, OLS().fit(panel)),
        panel,
        options.budget,
        cap=options.cap,
        source=options.source,
        caveats=options.caveats,
    )


def _complete(options: _Options) -> dict[str, float]:
    """Give weights to assets that came without: equal ones that add up to 1."""
    if not options.weights and isinstance(options.data, SampleData):
        return _DEFAULT_WEIGHTS[options.data.horizon]
    weights = options.weights or dict.fromkeys(options.data.assets)
    return {asset: 1.0 / len(weights) if w is None else w for asset, w in weights.items()}


def _write_page(report: RiskReport, path: Path | None) -> str:
    """Write the page and say so; nothing where none was asked for."""
    if path is None:
        return ""
    try:
        page = report.to_html()
    except MissingExtraError as error:
        raise MissingExtraError(f"{error} Or give --no-html for the tables alone.") from error
    path.write_text(page, encoding="utf-8")
    return f"wrote {path}"


# -- the end ---------------------------------------------------------------------------------------


def _one_message(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


def _silence_stdout() -> None:
    """Python flushes stdout once more when it ends; let that go nowhere."""
    with contextlib.suppress(OSError, ValueError):  # a stdout that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
