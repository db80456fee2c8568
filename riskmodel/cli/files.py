"""Read the files of the command line: assets, factors and the risk-free rate, in the unit that an option states."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import final

import pandas as pd
from attrs import evolve, frozen

from riskmodel._core import labels
from riskmodel._core.frames import read_number
from riskmodel._core.paths import read_path
from riskmodel.cli.french import FrenchFactors
from riskmodel.cli.options import data_horizon, names, require_factors
from riskmodel.data.files.readers import read_percent_returns, read_prices, read_returns
from riskmodel.data.french.provider import FamaFrench
from riskmodel.data.joined import Joined
from riskmodel.data.memory import InMemory
from riskmodel.errors import (
    DataError,
    DuplicateDatesError,
    ImpossibleReturnsError,
    InvalidParameterError,
    MissingCodeError,
    MissingExtraError,
    PercentReturnsError,
    SpacingError,
)
from riskmodel.horizon import Horizon
from riskmodel.panel.layout import Either, French, Layout, Long, Wide
from riskmodel.panel.return_type import EXCESS, ReturnType

_RISK_FREE = "RF"
# What the numbers of a file are is said by its option, never guessed.
_READERS: dict[str, Callable[..., pd.DataFrame]] = {
    "decimal": read_returns,
    "percent": read_percent_returns,
    "price": read_prices,
}
UNITS = tuple(_READERS)
_ABOUT_FILES = (
    "--unit", "--factor-unit", "--data-horizon", "--bar", "--per-day", "--return-type", "--unmatched", "--risk-free",
    "--funded", "--columns", "--factor-columns", "--dates", "--factor-dates", "--table", "--factor-table", "--missing",
    "--factor-missing",
    "--time-zone",
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
    layout : Layout
        Which columns hold what.
    missing : tuple of str
        Codes for missing numbers.
    zone : str or None
        The time zone in which days begin.
    """

    option: str
    path: str
    unit: str
    layout: Layout
    missing: tuple[str, ...] = ()
    zone: str | None = None

    def __str__(self) -> str:
        # a name that is no text, which systems allow, as a page and a terminal can show it
        return self.path.encode(errors="surrogateescape").decode(errors="replace")

    def read(self) -> pd.DataFrame:
        """Read it: decimals, dates × labels, all of them text, as names are on a command line."""
        try:
            frame = _READERS[self.unit](self.path, self.layout, missing=self.missing, time_zone=self.zone)
        except MissingExtraError as error:
            raise MissingExtraError(f"{error} Or give CSV.") from error
        return frame.set_axis(labels.unique([_text(c) for c in frame.columns], f"the columns of {self.path}"), axis=1)


@final
@frozen
class InputFiles:
    """The file of assets, and the file of factors or the French library in its place."""

    assets: InputFile
    factors: InputFile | FrenchFactors

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
            stray = [option for option in (*_ABOUT_FILES, "--french") if _value(args, option) is not None]
            if stray:
                raise InvalidParameterError(
                    f"expected {stray[0]} with files of returns, got no file; give --returns and --factor-returns, or "
                    "leave it out for the embedded sample."
                )
            return None
        library = FrenchFactors.given(args)
        pairs = (("--returns", "--factor-returns"), ("--factor-returns", "--returns"))
        for there, lacking in pairs if library is None else ():
            if _value(args, lacking) is None:
                raise InvalidParameterError(
                    f"expected a file of assets and one of factors, got {there} alone; give {lacking} too (or --french "
                    "for factors of the French library), or neither for the sample."
                )
        return cls(
            assets_of(args),
            library
            or InputFile(
                "--factor-returns",
                args.factor_returns,
                args.factor_unit or "decimal",
                _layout(args, args.factor_columns, args.factor_dates, args.factor_table, _FACTORS_ARE_CALLED),
                tuple(names(args.factor_missing, ())),
                args.time_zone,
            ),
        )

    def read(self, args: argparse.Namespace) -> InMemory | Joined:
        """Read both, and the risk-free rate."""
        horizon = data_horizon(args)
        if isinstance(self.factors, FrenchFactors):
            return self._joined(self.factors.provider(horizon), horizon, _return_type(args, self.assets))
        returns, factors = self.assets.read(), self.factors.read()
        free, published = self._rate(args, factors)
        funded = None if args.funded is None else names(args.funded, list(published.columns))
        require_factors("--funded", funded or (), list(published.columns), list(returns.columns))
        try:
            if self.factors.unit == "price":
                rate = read_number(free, horizon) if isinstance(free, float) else free
                published, funded = published - rate, list(published.columns) if funded is None else funded
            return InMemory(
                returns,
                factors=published,
                risk_free=free,
                horizon=horizon,
                funded=funded,
                return_type=_return_type(args, self.assets),
            )
        except DataError as error:
            raise with_hint(error, f"asset returns: {self.assets}; factor returns: {self.factors}") from error

    def _joined(self, library: FamaFrench, horizon: Horizon, return_type: ReturnType) -> Joined:
        """Return the assets of the file beside factors and rate of the French library."""
        returns = self.assets.read()
        try:
            # its rate is not used: excess returns and factors are net of the library's
            mine = InMemory(returns, factors=None, risk_free=0.0, horizon=horizon, return_type=return_type)
        except DataError as error:
            raise with_hint(error, f"asset returns: {self.assets}") from error
        return Joined(assets=mine, factors=library)

    @property
    def files(self) -> list[InputFile]:
        """The files that are read, without those of the French library."""
        return [file for file in (self.assets, self.factors) if isinstance(file, InputFile)]

    def _rate(self, args: argparse.Namespace, factors: pd.DataFrame) -> tuple[pd.Series[float] | float, pd.DataFrame]:
        """Split the risk-free rate from the factors of a file."""
        assert isinstance(self.factors, InputFile)
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


def assets_of(args: argparse.Namespace) -> InputFile:
    """The file of assets, as its options state it."""
    return InputFile(
        "--returns",
        args.returns,
        args.unit or "decimal",
        _layout(args, args.columns, args.dates, args.table, _ASSETS_ARE_CALLED),
        tuple(names(args.missing, ())),
        args.time_zone,
    )


def assets_alone(args: argparse.Namespace) -> InMemory:
    """Read the file of assets without factors; the rate is that of ``--risk-free``, or zero."""
    file, horizon = assets_of(args), data_horizon(args)
    try:
        return InMemory(
            file.read(),
            factors=None,
            risk_free=0.0 if args.risk_free is None else args.risk_free,
            horizon=horizon,
            return_type=_return_type(args, file),
        )
    except DataError as error:
        raise with_hint(error, f"asset returns: {file}") from error


def _return_type(args: argparse.Namespace, file: InputFile) -> ReturnType:
    """What the file of assets holds, as the options say."""
    said = ReturnType(args.return_type or "total")
    if said is EXCESS and file.unit == "price":
        raise InvalidParameterError(
            f"expected returns in {file} with --return-type excess, got --unit price, which gives total returns; leave "
            "--return-type out."
        )
    return said


def _layout(
    args: argparse.Namespace, columns: Wide | Long | None, dates: str | None, table: str | None, called: tuple[str, ...]
) -> Layout:
    """Return the layout of a file that its options state, or one that is detected."""
    horizon = data_horizon(args)
    if table is not None:
        if columns is not None or dates is not None:
            raise InvalidParameterError(
                "expected a table of a file of the French library, or columns and dates of another, got both; give one "
                "of them.",
                table=table,
            )
        return French(horizon, table)
    if columns is None:
        return Either(called, horizon, dates=dates)
    return columns if dates is None else evolve(columns, dates=dates)


# What --output names to write to standard output.
STDOUT = Path("-")
_PAGES = (".html", ".htm", ".json")


def page_path(
    args: argparse.Namespace, files: InputFiles | None, name: str = "report.html", endings: Sequence[str] = _PAGES
) -> Path | None:
    """Where to write the page, `STDOUT`, or None where none is wanted.

    Raises
    ------
    InvalidParameterError
        For a file that is read, or a name with another ending than those.
    """
    if args.no_html or (args.json and args.output is None):
        return None
    if args.output == "":
        raise InvalidParameterError("expected --output to name a file such as report.html, got nothing.")
    path = read_path(args.output or name, "--output")
    if path == STDOUT:
        return path
    _require_other_file(path, [] if args.returns is None else [assets_of(args)] if files is None else files.files)
    if path.suffix.lower() not in endings:
        raise InvalidParameterError(
            f"expected --output with the ending {', '.join(endings)}, or - for standard output, got {args.output!r}; "
            "the ending says what is written.",
            parameter="--output",
            got=args.output,
        )
    return path


def require_other_file(path: Path, files: InputFiles | None) -> None:
    """Raise for an output that is one of the files that are read."""
    _require_other_file(path, [] if files is None else files.files)


def _require_other_file(path: Path, read: Sequence[InputFile]) -> None:
    for file in read:
        if _is_same(path, file.path):
            raise InvalidParameterError(
                f"expected --output to name another file than those that are read, got {file}, which {file.option} "
                "reads; give another name."
            )


def with_hint(error: DataError, source: str) -> DataError:
    """Return an error with how what it asks for is said on the command line, and the files that it is about."""
    hint = ""
    if isinstance(error, SpacingError | DuplicateDatesError):
        hint = " Here it is said with --data-horizon, or with --bar and --per-day for rows of hours and minutes."
    elif "rate" in error.details:
        hint = f" Here a yearly rate is said with --risk-free {error.details['rate']:g}/year."
    elif isinstance(error, MissingCodeError):
        hint = " Here codes are named with --missing, and --factor-missing for factors, as they stand in the file."
    elif isinstance(error, PercentReturnsError | ImpossibleReturnsError):
        hint = " Say what a file holds with --unit and --factor-unit: decimal, percent or price."
    return type(error)(f"{error}{hint} ({source})", **error.details)


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
