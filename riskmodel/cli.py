"""The command line: ``riskmodel report`` and ``riskmodel data``."""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import math
import os
import re
import sys
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pandas as pd
from attrs import frozen

from riskmodel.data.fama_french import FamaFrench
from riskmodel.data.memory import InMemory
from riskmodel.data.sample import SampleData
from riskmodel.errors import (
    DataError,
    DuplicateDatesError,
    InvalidParameterError,
    MissingExtraError,
    RiskModelError,
    SpacingError,
    UnknownFactorError,
)
from riskmodel.estimators.ols import OLS
from riskmodel.horizon import DAY, MONTH, NAMED
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.strategy import Strategy

if TYPE_CHECKING:
    from riskmodel.report.analysis import RiskReport

_BAD_INPUT, _INTERRUPTED, _BROKEN_PIPE = 2, 130, 141
_RISK_FREE = "RF"
_LARGEST_WEIGHT = 1e6
_NUMBERS = {"--budget", "--cap", "--risk-free"}
# 2018-11-30, 20181130, 2018-11, 201811, and a time of day that does not matter
_DATE = re.compile(r"^([0-9]{4})-?([0-9]{2})(?:-?([0-9]{2})(?:[T ].*)?)?$")
# pandas does so by itself from 3.1 on, and deprecates the option
_TO_THE_LAST_DIGIT = {"float_precision": "round_trip"} if pd.__version__ < "3.1" else {}
_SEPARATORS = {";": "';'", "\t": "tabs", "|": "'|'"}
_COMMAS = "commas must separate columns, and decimals take a point: 0.01, not 0,01"
_WIDE = "the table must be wide: dates in the first column, then one column per asset or factor"
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
  riskmodel report MSFT --json | python -m json.tool
      The same figures for programs.

files:
  CSV, .csv.gz, or Parquet where pyarrow is installed. The first column holds
  dates such as 2018-11-30, every other column the simple returns of one asset
  or factor in decimals: 0.01 is one percent. Empty cells are missing. Asset
  returns are total returns; the factor file has the risk-free rate in a column
  named RF. Factors such as Mkt-RF, which are excess returns, cost cash to hold,
  which the cash leg of a hedge counts; --funded says which ones do.

      date,FUND,SPY                    date,Mkt-RF,SMB,RF
      2018-11-29,0.0021,-0.0022        2018-11-29,-0.0023,0.0010,0.0001
      2018-11-30,,0.0081               2018-11-30,0.0070,-0.0030,0.0001

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
    try:
        _run(sys.argv[1:] if argv is None else list(argv))
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
        return _BROKEN_PIPE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (RiskModelError, OSError) as error:
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
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if options.json:
        print(json.dumps(report.to_dict(), indent=2, allow_nan=False))
    else:
        print(report.to_text())
    if wrote:
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


def _yes(published: bool) -> str:
    return "yes" if published else "-"


def _print_catalogue(argv: list[str]) -> None:
    """List what a source has; nothing is fetched for it."""
    parser = _Parser("riskmodel data", description="List the data sets of a source.", allow_abbrev=False)
    parser.add_argument("source", choices=["french"], help="french: Kenneth R. French's data library")
    parser.parse_args(argv)
    table = FamaFrench.catalogue()
    published = {"day": _yes, "week": _yes, "month": _yes}
    print(table.to_string(formatters=published))


def _report_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        "riskmodel report",
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
    add("--returns", metavar="FILE", help="asset returns, CSV or Parquet, instead of the sample")
    add("--factor-returns", metavar="FILE", help="factor returns and the risk-free rate RF, to go with --returns")
    add("--risk-free", metavar="RATE", type=_number, help="a constant risk-free rate per row, instead of the column RF")
    add("--funded", nargs="*", metavar="FACTOR", help="factors that cost cash to hold (default: by their names)")
    add("--data-horizon", choices=list(NAMED), help="what one row of the files spans (default: day)")
    add("--sample", choices=["day", "month"], help="which sample to use (default: day)")
    add("--output", metavar="FILE", help="where to write the page (default: report.html; with --json, nowhere)")
    add("--no-html", action="store_true", help="write no page")
    add("--json", action="store_true", help="print the figures as JSON instead of tables")
    return parser


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
    data = _files(args) if args.returns else SampleData(NAMED[args.sample or "day"])
    sample = isinstance(data, SampleData)
    factors = _names(args.factors)
    _require_factors("--factors", factors, data.factors, data.assets)
    return _Options(
        weights=_weights(args.assets),
        data=data,
        factors=factors or data.factors,
        source=_SAMPLE[data.horizon] if sample else f"{args.returns} and {args.factor_returns}",
        caveats=_SAMPLE_CAVEATS[data.horizon] if sample else (),
        start=_end_of_window("--start", args.start, "start_time"),
        end=_end_of_window("--end", args.end, "end_time"),
        budget=RiskBudget(args.budget, NAMED[args.horizon]),
        cap=args.cap,
        output=_output(args),
        json=args.json,
    )


def _require_fitting(args: argparse.Namespace) -> None:
    """Raise for options that do not go together."""
    if bool(args.returns) != bool(args.factor_returns):
        given, lacking = ("--returns", "--factor-returns") if args.returns else ("--factor-returns", "--returns")
        raise InvalidParameterError(f"{given} came without {lacking}; give both files, or neither for the sample.")
    if args.returns and args.sample:
        raise InvalidParameterError("--sample and --returns came together; give one of them.")
    of_files = {"--data-horizon": args.data_horizon, "--risk-free": args.risk_free, "--funded": args.funded}
    stray = [option for option, value in of_files.items() if value is not None]
    if stray and not args.returns:
        raise InvalidParameterError(
            f"{stray[0]} is about files of returns, but none came; give --returns and --factor-returns, or choose the "
            "embedded sample with --sample day or --sample month."
        )
    if args.no_html and args.output:
        raise InvalidParameterError("--output and --no-html came together; give one of them.")


def _output(args: argparse.Namespace) -> Path | None:
    if args.no_html or (args.json and not args.output):
        return None
    return Path(args.output or "report.html")


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


def _names(items: Sequence[str] | None) -> list[str]:
    return [name for item in items or () for name in item.split(",") if name]


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


def _files(args: argparse.Namespace) -> InMemory:
    horizon = NAMED[args.data_horizon or "day"]
    returns, factors = _read_file(args.returns), _read_file(args.factor_returns)
    rates = [c for c in factors.columns if c.upper() == _RISK_FREE]
    if bool(rates) == (args.risk_free is not None):
        raise InvalidParameterError(
            f"{args.factor_returns} has the column {rates[0]}, and --risk-free came too; leave one out."
            if rates
            else f"{args.factor_returns} has no column {_RISK_FREE} for the risk-free rate; add one, or give "
            "--risk-free 0 if the asset returns are excess returns already."
        )
    if len(rates) == len(factors.columns):
        raise InvalidParameterError(f"{args.factor_returns} has no factor beside {rates[0]}; add one.")
    free, published = factors[rates[0]] if rates else args.risk_free, factors.drop(columns=rates)
    funded = None if args.funded is None else _names(args.funded)
    _require_factors("--funded", funded or (), list(published.columns), list(returns.columns))
    try:
        return InMemory(returns, factors=published, risk_free=free, horizon=horizon, funded=funded)
    except DataError as error:
        raise _of_files(error, args.returns, args.factor_returns) from error


def _of_files(error: DataError, returns: str, factors: str) -> DataError:
    """The same error, with the names of the files it is about."""
    hint = " Here it is said with --data-horizon." if isinstance(error, SpacingError) else ""
    return type(error)(f"{error}{hint} (asset returns: {returns}; factor returns: {factors})")


def _read_file(path: str) -> pd.DataFrame:
    # read here, because pandas would fetch what looks like an address
    content = Path(path).read_bytes()
    table = _parquet(path, content) if Path(path).suffix.lower() in {".parquet", ".pq"} else _csv(path, content)
    table.columns = [str(c).strip() for c in table.columns]
    return table


def _parquet(path: str, content: bytes) -> pd.DataFrame:
    try:
        table = pd.read_parquet(io.BytesIO(content))
    except ImportError as error:
        raise MissingExtraError(f"{path}: reading Parquet needs pyarrow; pip install pyarrow, or give CSV.") from error
    except ValueError as error:
        raise DataError(f"{path} cannot be read as Parquet: {_first_line(error)}") from error
    dated = isinstance(table.index, pd.DatetimeIndex | pd.PeriodIndex)
    _require_columns(path, len(table), table.shape[1] - (not dated))
    return table if dated else table.set_index(table.columns[0])


def _csv(path: str, content: bytes) -> pd.DataFrame:
    """Read a CSV file; an error tells file, line and column."""
    try:
        plain = gzip.decompress(content) if path.lower().endswith(".gz") else content
        _require_text(path, plain)
        with warnings.catch_warnings():
            # rows longer than the header would lose their last cells
            warnings.simplefilter("error", pd.errors.ParserWarning)
            header = _parsed(plain, header=None, nrows=1, dtype=str, keep_default_na=False).iloc[0]
            _require_commas(path, str(header.iloc[0]))
            table = _parsed(plain, dtype={0: str}, index_col=False, skip_blank_lines=False, **_TO_THE_LAST_DIGIT)
    except DataError:
        raise
    except (ValueError, EOFError, OSError, zlib.error, pd.errors.ParserWarning) as error:
        uneven = isinstance(error, pd.errors.ParserError | pd.errors.ParserWarning)
        hint = f" Mind that {_COMMAS}." if uneven else ""
        raise DataError(f"{path} cannot be read as CSV: {_first_line(error)}{hint}") from error
    _require_columns(path, len(table), len(header) - 1)
    _require_names(path, header)
    table.index = pd.RangeIndex(2, len(table) + 2, name="line")
    table = table[table.notna().any(axis=1)]
    dates = _dates(path, table.iloc[:, 0])
    _require_one_row_each(path, dates, table.index)
    values = {c: _numbers(path, table[c]) for c in table.columns[1:]}
    return pd.DataFrame(values, index=table.index).set_axis(dates)


def _parsed(content: bytes, **options: Any) -> pd.DataFrame:
    table: pd.DataFrame = pd.read_csv(io.BytesIO(content), encoding="utf-8-sig", **options)
    return table


def _require_text(path: str, content: bytes) -> None:
    """Raise for UTF-16, with or without its mark, and for what is no text."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error.reason}); save it as UTF-8.") from error
    if b"\0" in content:
        raise DataError(f"{path} is not UTF-8 text (it holds zero bytes, as UTF-16 does); save it as UTF-8.")


def _require_commas(path: str, first: str) -> None:
    other = next((sign for sign in _SEPARATORS if sign in first), None)
    if other:
        raise DataError(f"{path} has its columns separated by {_SEPARATORS[other]}, but {_COMMAS}; save it so.")


def _require_one_row_each(path: str, dates: pd.DatetimeIndex, lines: pd.Index[Any]) -> None:
    twice = dates.duplicated()
    if twice.any():
        raise DuplicateDatesError(
            f"{path}, line {lines[twice][0]}: the date {dates[twice][0].date()} came more than once; {_WIDE}."
        )


def _require_columns(path: str, n_rows: int, n_columns: int) -> None:
    if n_rows < 1 or n_columns < 1:
        raise DataError(
            f"{path} must have a column of dates, at least one column of returns, comma-separated, and at least one "
            f"row, but {max(n_columns, 0)} column(s) of returns and {n_rows} row(s) came."
        )


def _require_names(path: str, header: pd.Series[str]) -> None:
    names = header.iloc[1:].str.strip()
    if (names == "").any():
        column = names.index[names == ""][0] + 1
        raise DataError(f"{path}, line 1: column {column} has no name; name it, or take it out: {_WIDE}.")
    if names.duplicated().any():
        raise DataError(
            f"{path}, line 1: column {names[names.duplicated()].iloc[0]!r} came more than once; rename or drop one."
        )


def _dates(path: str, column: pd.Series[Any]) -> pd.DatetimeIndex:
    """Read dates; only forms that mean one date to everybody will do."""
    days = [_DATE.sub(r"\1-\2-\3", str(text).strip()) for text in column]
    dates = pd.to_datetime(pd.Series(days, column.index), format="%Y-%m-%d", errors="coerce")
    months = pd.to_datetime(pd.Series(days, column.index), format="%Y-%m-", errors="coerce")
    dates = dates.fillna(months)
    if dates.isna().any():
        line = dates.index[dates.isna()][0]
        raise DataError(
            f"{path}, line {line}, column 1: a date such as 2018-11-30 is needed, but {_shown(column[line])} came; "
            f"{_WIDE}."
        )
    return pd.DatetimeIndex(dates)


def _numbers(path: str, column: pd.Series[Any]) -> pd.Series[float]:
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    bad = column.index[numbers.isna() & column.notna()]
    if len(bad) or column.dtype == bool:
        line = bad[0] if len(bad) else column.index[0]
        raise DataError(
            f"{path}, line {line}, column {str(column.name)!r}: a number is needed, but {_shown(column[line])} came; "
            f"returns are decimals with a point, such as 0.01, and missing ones are empty; {_WIDE}."
        )
    return numbers


def _shown(value: Any) -> str:
    return "an empty cell" if pd.isna(value) else repr(str(value))


# -- the report ------------------------------------------------------------------------------------


def _report(options: _Options) -> RiskReport:
    from riskmodel.report.analysis import RiskReport  # noqa: PLC0415 - not needed to explain the command

    weights = _complete(options)
    try:
        panel = options.data.panel(list(weights), options.factors, options.start, options.end)
    except DataError as error:
        if isinstance(options.data, SampleData):
            raise
        raise type(error)(f"{options.source}: {error}") from error
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


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _silence_stdout() -> None:
    """Python flushes stdout once more when it ends; let that go nowhere."""
    with contextlib.suppress(OSError, ValueError):  # a stdout that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
