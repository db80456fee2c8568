"""Read the files of the command line: assets, factors and the risk-free rate, in the unit that an option states."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import final

import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.checks import ReadInPercent, ReturnChecks
from riskmodel._core.paths import read_path
from riskmodel.cli.options import data_horizon, names, require_factors
from riskmodel.data.files.readers import read_percent_returns, read_prices, read_returns
from riskmodel.data.memory import InMemory
from riskmodel.errors import (
    DataError,
    DuplicateDatesError,
    ImpossibleReturnsError,
    InvalidParameterError,
    MissingExtraError,
    PercentReturnsError,
    SpacingError,
)
from riskmodel.horizon import Horizon
from riskmodel.panel.layout import Either, Layout
from riskmodel.panel.return_type import EXCESS, ReturnType

_RISK_FREE = "RF"
# What the numbers of a file are is said by its option, never guessed.
_READERS: dict[str, Callable[[str, Layout], pd.DataFrame]] = {
    "decimal": read_returns,
    "percent": read_percent_returns,
    "price": read_prices,
}
UNITS = tuple(_READERS)
_ABOUT_FILES = (
    "--unit", "--factor-unit", "--data-horizon", "--bar", "--per-day", "--return-type", "--risk-free", "--funded",
    "--columns", "--factor-columns",
)  # fmt: skip
_ASSETS_ARE_CALLED, _FACTORS_ARE_CALLED = ("asset", "ticker", "symbol", "permno"), ("factor",)


@final
@frozen
class InputFile:
    """A file that was given, and what its numbers are.

    Attributes
    ----------
    option : str
        The option that gave it.
    path : str
        Its name.
    unit : str
        One of `UNITS`.
    """

    option: str
    path: str
    unit: str

    def __str__(self) -> str:
        # a name that is no text, which systems allow, as a page and a terminal can show it
        return self.path.encode(errors="surrogateescape").decode(errors="replace")

    @property
    def unit_option(self) -> str:
        """The option that states its unit."""
        return "--unit" if self.option == "--returns" else "--factor-unit"

    def read(self, layout: Layout) -> pd.DataFrame:
        """Read it: decimals, dates × labels, all of them text, as names are on a command line."""
        try:
            frame = _READERS[self.unit](self.path, layout)
        except MissingExtraError as error:
            raise MissingExtraError(f"{error} Or give CSV.") from error
        return frame.set_axis(labels.unique([_text(c) for c in frame.columns], f"the columns of {self.path}"), axis=1)


@final
@frozen
class InputFiles:
    """The file of assets and the file of factors."""

    assets: InputFile
    factors: InputFile

    def __str__(self) -> str:
        return f"{self.assets} and {self.factors}"

    @classmethod
    def given(cls, args: argparse.Namespace) -> InputFiles | None:
        """Return the two files of the arguments, or None where there are none.

        Raises
        ------
        InvalidParameterError
            For one of the two, or for options about files without files.
        """
        if args.returns is None and args.factor_returns is None:
            stray = [option for option in _ABOUT_FILES if _value(args, option) is not None]
            if stray:
                raise InvalidParameterError(
                    f"expected {stray[0]} with files of returns, got no file; give --returns and --factor-returns, or "
                    "leave it out for the embedded sample."
                )
            return None
        for there, lacking in (("--returns", "--factor-returns"), ("--factor-returns", "--returns")):
            if _value(args, lacking) is None:
                raise InvalidParameterError(
                    f"expected a file of assets and one of factors, got {there} alone; give {lacking} too, or neither "
                    "for the sample."
                )
        return cls(
            InputFile("--returns", args.returns, args.unit or "decimal"),
            InputFile("--factor-returns", args.factor_returns, args.factor_unit or "decimal"),
        )

    def read(self, args: argparse.Namespace) -> InMemory:
        """Read both, and the risk-free rate."""
        returns = self.assets.read(args.columns or Either(_ASSETS_ARE_CALLED))
        factors = self.factors.read(args.factor_columns or Either(_FACTORS_ARE_CALLED))
        free, published = self._rate(args, factors)
        funded = None if args.funded is None else names(args.funded, list(published.columns))
        require_factors("--funded", funded or (), list(published.columns), list(returns.columns))
        if self.factors.unit == "price":
            published, funded = published - free, list(published.columns) if funded is None else funded
        horizon = data_horizon(args)
        try:
            return InMemory(
                returns,
                factors=published,
                risk_free=free,
                horizon=horizon,
                funded=funded,
                return_type=self._return_type(args),
            )
        except DataError as error:
            raise with_hint(error, f"asset returns: {self.assets}; factor returns: {self.factors}") from error

    def require_other(self, page: Path) -> None:
        """Raise where a page would be written over one of the files."""
        for file in (self.assets, self.factors):
            if _is_same(page, file.path):
                raise InvalidParameterError(
                    f"expected --output to name another file than those that are read, got {file}, which "
                    f"{file.option} reads; give another name."
                )

    def doubts(self, data: InMemory) -> tuple[str, ...]:
        """Say where decimals seem to have been given as percent; it may be right, of bills and the like."""
        frames = data.asset_returns(data.assets), data.factor_returns(data.factors)
        return tuple(
            f"Read in percent, as {file.unit_option} says, at least half of the columns of {file} typically vary by "
            f"less than 1 % a year. If its numbers are decimals, give {file.unit_option} decimal: what is a volatility "
            "here is then a hundred times as large."
            for file, frame in zip((self.assets, self.factors), frames, strict=True)
            if file.unit == "percent" and not _is_percent(frame, data.horizon)
        )

    def _return_type(self, args: argparse.Namespace) -> ReturnType:
        """What the file of assets holds, as the options say."""
        said = ReturnType(args.return_type or "total")
        if said is EXCESS and self.assets.unit == "price":
            raise InvalidParameterError(
                f"expected returns in {self.assets} with --return-type excess, got --unit price, which gives total "
                "returns; leave --return-type out."
            )
        return said

    def _rate(self, args: argparse.Namespace, factors: pd.DataFrame) -> tuple[pd.Series[float] | float, pd.DataFrame]:
        """Split the risk-free rate from the factors."""
        rates = [c for c in factors.columns if c.upper() == _RISK_FREE]
        if len(rates) > 1:
            raise InvalidParameterError(
                f"expected one risk-free rate in {self.factors}, got the columns {labels.listing(rates)}; rename or "
                "drop the others."
            )
        if rates and self.factors.unit == "price":
            raise InvalidParameterError(
                f"expected prices in {self.factors}, got the column {rates[0]}, which is a rate; take it out, and give "
                "--risk-free."
            )
        if bool(rates) == (args.risk_free is not None):
            raise InvalidParameterError(
                f"expected one risk-free rate, got the column {rates[0]} of {self.factors} and --risk-free; leave one "
                "out."
                if rates
                else f"expected a column {_RISK_FREE} with the risk-free rate in {self.factors}, got none; add one, or "
                "give --risk-free. If the asset returns are excess returns already, also say --return-type excess."
            )
        if len(rates) == len(factors.columns):
            raise InvalidParameterError(f"expected a factor beside {rates[0]} in {self.factors}, got none; add one.")
        return factors[rates[0]] if rates else args.risk_free, factors.drop(columns=rates)


def page_path(args: argparse.Namespace, files: InputFiles | None) -> Path | None:
    """Where to write the page, or None where none is wanted."""
    if args.no_html or (args.json and args.output is None):
        return None
    if args.output == "":
        raise InvalidParameterError("expected --output to name a file such as report.html, got nothing.")
    path = read_path(args.output or "report.html", "--output")
    if files is not None:
        files.require_other(path)
    return path


def with_hint(error: DataError, source: str) -> DataError:
    """Return an error with how what it asks for is said on the command line, and the files that it is about."""
    hint = ""
    if isinstance(error, SpacingError | DuplicateDatesError):
        hint = " Here it is said with --data-horizon, or with --bar and --per-day for rows of hours and minutes."
    elif isinstance(error, PercentReturnsError | ImpossibleReturnsError):
        hint = " Say what a file holds with --unit and --factor-unit: decimal, percent or price."
    return type(error)(f"{error}{hint} ({source})", **error.details)


def _is_percent(frame: pd.DataFrame, horizon: Horizon) -> bool:
    dates = pd.DatetimeIndex(frame.index)
    checks = ReturnChecks.start(ReadInPercent(), horizon, frame.columns, dates).update(frame.to_numpy(), dates)
    try:
        checks.finish()
    except PercentReturnsError:
        return False
    return True


def _value(args: argparse.Namespace, option: str) -> str | None:
    value: str | None = getattr(args, option.removeprefix("--").replace("-", "_"))
    return value


def _text(label: object) -> str:
    """A label as it is typed: permnos are whole numbers, even where a file has them as floats."""
    return str(int(label) if isinstance(label, float) and label.is_integer() else label).strip()


def _is_same(page: Path, path: str) -> bool:
    """Whether two names are of one file, by whatever links."""
    try:
        return page.is_file() and page.samefile(Path(path).expanduser())
    except (OSError, ValueError, RuntimeError):  # not there, or no path at all: who reads it says so
        return False
