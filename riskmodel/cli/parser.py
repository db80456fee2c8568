"""What the parsers of all commands share: errors as exceptions, and the options for files."""

from __future__ import annotations

import argparse
from typing import NoReturn, Self

from riskmodel.cli import notices
from riskmodel.cli import options as read
from riskmodel.cli.files import UNITS
from riskmodel.cli.proxies import add_proxies
from riskmodel.errors import InvalidParameterError
from riskmodel.panel.return_type import ReturnType
from riskmodel.panel.unmatched import Unmatched


class Parser(argparse.ArgumentParser):
    """A parser that raises `InvalidParameterError`."""

    @classmethod
    def of(cls, command: str, usage: str, description: str, examples: str) -> Self:
        """Make that of a command, whose words keep their lines."""
        made = cls(
            f"riskmodel {command}",
            usage=f"riskmodel {command} {usage}",
            description=description,
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        made.add_argument("--config", metavar="FILE", help="a TOML file of options, by their long names without dashes")
        return made

    def error(self, message: str) -> NoReturn:
        """Raise with the message, instead of leaving the program."""
        raise InvalidParameterError(f"{message.rstrip('.')}; {self.prog} --help explains.")


def add_portfolio(parser: argparse.ArgumentParser) -> None:
    """Add the assets and their weights."""
    parser.add_argument(
        "assets",
        nargs="*",
        metavar="ASSET[=WEIGHT]",
        help="dollars per dollar of strategy; without weights, equal ones",
    )
    parser.add_argument(
        "--positions",
        metavar="FILE",
        help="what is held, instead of assets: columns asset, and dollars, weight, or quantity and price",
    )
    parser.add_argument("--nav", metavar="DOLLARS", type=read.dollars, help="net asset value of --positions")
    add_proxies(parser)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add what chooses among the data: factors, dates, the sample, and what to do with warnings."""
    add = parser.add_argument
    add("--factors", nargs="+", metavar="FACTOR", help="factors of the model (default: all)")
    add("--start", metavar="DATE", help="first date: 2010-01-04, 2010-01 or 2010 (default: all)")
    add("--end", metavar="DATE", help="last date, included")
    add("--as-of", metavar="DATE", help="as --end, and it is said where the last returns are much older")
    add("--sample", choices=["day", "month"], help="which sample to use (default: day)")
    add("--strict", action="store_true", help="refuse data that give warnings, such as returns that look like errors")
    add("--allow", nargs="+", metavar="WARNING", type=notices.kind, help="warnings that --strict lets pass, by name")


def add_level(parser: argparse.ArgumentParser) -> None:
    """Add the probability of intervals."""
    parser.add_argument(
        "--level",
        metavar="PROBABILITY",
        type=read.probability,
        default=0.95,
        help="of the intervals of all figures (default: 0.95)",
    )


def add_intervals(parser: argparse.ArgumentParser) -> None:
    """Add how intervals are made."""
    add_level(parser)
    parser.add_argument(
        "--errors",
        metavar="|".join(read.ERRORS),
        type=read.errors,
        help="how the errors behind intervals are estimated: cosines robust to changing variance and autocorrelation "
        "(default: cosine), Newey and West's, robust to changing variance alone, or textbook ones",
    )


def add_files(parser: argparse.ArgumentParser) -> None:
    """Add the options for files: one of assets, one of factors, each with its unit."""
    files = parser.add_argument_group("files of your own, instead of the sample; see files, below")
    add = files.add_argument
    add("--returns", metavar="FILE", help="returns or prices of assets")
    add("--unit", choices=UNITS, help="unit of the numbers in --returns (default: decimal)")
    add("--factor-returns", metavar="FILE", help="factors and the risk-free rate RF")
    add("--factor-unit", choices=UNITS, help="unit of the numbers in --factor-returns (default: decimal)")
    add(
        "--french",
        nargs="?",
        const="",
        metavar="FOLDER",
        help="factors and rate of the French library, fetched or from saved files, instead of --factor-returns",
    )
    add(
        "--risk-free",
        metavar="RATE",
        type=read.rate,
        help="a constant risk-free rate instead of the column RF: 0.02/year, or a number per row",
    )
    add("--funded", nargs="*", metavar="FACTOR", help="factors that cost cash to hold (default: by their names)")
    add("--data-horizon", choices=list(read.HORIZONS), help="what one row of the files spans (default: day)")
    add(
        "--return-type",
        choices=[str(t) for t in ReturnType],
        help="whether --returns are total or in excess of the risk-free rate already (default: total)",
    )
    add(
        "--unmatched",
        choices=[str(u) for u in Unmatched],
        help="rows on dates that factors lack: drop them (default), or compound them into the next common row",
    )
    add("--bar", metavar="TIME", help="time of one row within days, such as 1h or 5min; needs --per-day")
    add("--per-day", metavar="N", type=read.number, help="rows in a day: 6.5 of 1h in a session of 6.5 hours")
    add(
        "--columns",
        metavar="COLUMNS",
        type=read.layout,
        help="DATE or DATE:COLUMN,... of a wide file, DATE,ASSET[,VALUE] of a long one; YEAR+MONTH for DATE",
    )
    add("--factor-columns", metavar="COLUMNS", type=read.layout, help="the same in the file of factors")
    add("--dates", metavar="FORMAT", help="format of dates that are not year first, such as %%d/%%m/%%Y")
    add("--factor-dates", metavar="FORMAT", help="the same in the file of factors")
    add("--table", metavar="CAPTION", help="part of the caption of a table in a file of the French library")
    add("--factor-table", metavar="CAPTION", help="the same in the file of factors")
    add("--missing", nargs="+", metavar="CODE", help="codes for missing numbers in --returns: -99 n/m")
    add("--factor-missing", nargs="+", metavar="CODE", help="the same in the file of factors")
    add("--time-zone", metavar="ZONE", help="zone in which days begin, where times are of UTC: Europe/Berlin")
