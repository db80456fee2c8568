"""Read the arguments of the command line: weights, dollars, shares, dates, names."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Collection, Sequence

import pandas as pd

from riskmodel._core.arguments import require_probability, require_share
from riskmodel.errors import InvalidParameterError, UnknownFactorError
from riskmodel.horizon import DAY, NAMED, Horizon
from riskmodel.inference.covariance.base import LongRunCovariance
from riskmodel.inference.covariance.classical import Classical
from riskmodel.inference.covariance.cosine import Cosine
from riskmodel.inference.covariance.hac import HAC
from riskmodel.inference.covariance.hc3 import HC3
from riskmodel.panel.layout import Long, Wide
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.quantities import Mean

# Named horizons, as they are typed.
HORIZONS = {name.replace(" ", "-"): horizon for name, horizon in NAMED.items()}
ERRORS: dict[str, type[LongRunCovariance]] = {"cosine": Cosine, "hac": HAC, "hc3": HC3, "classical": Classical}
_LARGEST_WEIGHT = 1e6
# Of volatility, where none is given.
BUDGET = 1e6
# Options with a number, which may be negative.
_NUMBERS = {"--budget", "--cap", "--capital", "--level", "--most", "--nav", "--risk-free", "--tail"}
_WINDOW = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
# Commas must separate thousands: as a decimal sign, as in 2,5m, they would change the amount.
_GROUPED = re.compile(r"[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
_SUFFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "b": 1e9}


def layout(text: str) -> Wide | Long:
    """Read the columns of a file: ``DATE``, ``DATE:COLUMN,...``, ``DATE,ASSET`` or ``DATE,ASSET,VALUE``.

    ``DATE`` may be ``YEAR+MONTH``.
    """
    date, colon, columns = text.partition(":")
    names = [name.strip() for name in (columns if colon else text).split(",")]
    given = [date.strip(), *names] if colon else names
    if not all(given) or (len(names) > 3 and not colon) or len(set(given)) < len(given):
        raise argparse.ArgumentTypeError(
            "expected the column of dates of a wide file, perhaps with a colon and the columns to read (date:Close), "
            f"or those of dates, labels and numbers of a long one (date,permno,ret), got {text!r}"
        )
    if colon:
        return Wide(_dates(date.strip()), names)
    return Wide(_dates(names[0])) if len(names) == 1 else Long(_dates(names[0]), *names[1:])


def _dates(text: str) -> str | tuple[str, ...]:
    """Read a column of dates, or those of year and month."""
    parts = tuple(part.strip() for part in text.split("+"))
    return parts if len(parts) in {2, 3} and all(parts) else text


def data_horizon(args: argparse.Namespace) -> Horizon:
    """Read what one row spans: a named horizon, or a bar of so many a day."""
    whole = HORIZONS[args.data_horizon] if args.data_horizon else DAY
    if args.bar is None and args.per_day is None:
        return whole
    if args.bar is None or args.per_day is None:
        raise InvalidParameterError(
            "expected --bar and --per-day together, as in --bar 1h --per-day 6.5: the time of one row, and the number "
            "of rows in a day; give both."
        )
    return Horizon.of(args.bar, per_day=args.per_day, day=whole)


def joined(argv: Sequence[str]) -> list[str]:
    """Join negative numbers to their options, because argparse reads some, such as ``-1e6``, as options."""
    joined: list[str] = []
    among_codes = False
    for item in argv:
        is_negative = re.match(r"-[0-9.]", item) is not None
        among_codes = item in {"--missing", "--factor-missing"} or (among_codes and not item.startswith("--"))
        if joined and joined[-1] in _NUMBERS and is_negative:
            joined[-1] += f"={item}"
        elif among_codes and is_negative:
            joined.append(f" {item}")  # which is no option for argparse
        else:
            joined.append(item)
    return joined


def window(args: argparse.Namespace) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Read the first and the last date, which is that of ``--end`` or of ``--as-of``."""
    if args.as_of is not None and args.end is not None:
        raise InvalidParameterError("expected --as-of or --end, got both; give one of them.")
    last = ("--end", args.end) if args.as_of is None else ("--as-of", args.as_of)
    return end_of_window("--start", args.start, "start_time"), end_of_window(*last, "end_time")


def end_of_window(option: str, text: str | None, side: str) -> pd.Timestamp | None:
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
            f"expected {option} as a date such as 2010-01-31, a month such as 2010-01 or a year, got {text!r}."
        ) from error


def count(text: str) -> int:
    """Read a number of rows."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0 such as 60, got {text!r}")
    return int(text)


def span(text: str) -> int | Horizon:
    """Read a number of rows, or a named horizon."""
    if text in HORIZONS:
        return HORIZONS[text]
    try:
        return count(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"expected a number of rows such as 252, or one of {', '.join(HORIZONS)}, got {text!r}"
        ) from None


def rows(of: int | Horizon, row: Horizon, option: str) -> int:
    """Return a span in rows.

    Raises
    ------
    InvalidParameterError
        If it is shorter than a row.
    """
    number = of if isinstance(of, int) else round(of.in_units_of(row))
    if number < 1:
        raise InvalidParameterError(
            f"expected {option} of a row or more, got a {of} of rows of a {row}; give a number of rows.", option=option
        )
    return number


def number(text: str) -> float:
    """Read a finite number."""
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a number such as 0.2, got {text!r}") from error
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a finite number, got {text!r}")
    return value


def rate(text: str) -> float | Mean:
    """Read a rate per row, or with its horizon: ``0.0001``, ``0.02/year``."""
    amount, slash, span = text.partition("/")
    if not slash:
        return number(text)
    if span.strip() not in HORIZONS:
        raise argparse.ArgumentTypeError(f"expected a rate such as 0.0001 or 0.02/year, got {text!r}")
    return Mean(number(amount), HORIZONS[span.strip()])


def share(text: str) -> float:
    """Read a share of the variance."""
    try:
        return require_share(number(text), "SHARE")
    except InvalidParameterError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def probability(text: str) -> float:
    """Read the probability of an interval."""
    try:
        return require_probability(number(text), "LEVEL")
    except InvalidParameterError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def errors(text: str) -> LongRunCovariance:
    """Read how errors are estimated, by name."""
    if text not in ERRORS:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(ERRORS)}, got {text!r}")
    return ERRORS[text]()


def dollars(text: str) -> float:
    """Read dollars: ``1e6``, ``1_000_000``, ``$1,000,000``, ``2.5m``."""
    found = re.fullmatch(r"\$?([-+0-9.,_]+(?:e[-+]?[0-9]+)?)([a-z]*)", text.strip().lower())
    try:
        if found is None:
            raise ValueError(text)
        if "," in found[1] and not _GROUPED.fullmatch(found[1]):
            raise argparse.ArgumentTypeError(
                f"expected commas between thousands, as in 2,500,000, and a decimal point, as in 2.5m, got {text!r}"
            )
        amount = float(found[1].replace(",", "")) * _SUFFIXES[found[2]]
    except (ValueError, KeyError) as error:
        raise argparse.ArgumentTypeError(
            f"expected dollars such as 1e6, 1_000_000, 500k, 2.5m or 1bn, got {text!r}"
        ) from error
    if amount <= 0:
        raise argparse.ArgumentTypeError(f"expected more than 0 dollars, got {text!r}")
    return amount


def weights(items: Sequence[str], known: Collection[str] = ()) -> dict[str, float | None]:
    """Read ``ASSET`` and ``ASSET=WEIGHT``; a missing weight is None.

    A known asset may have an equals sign in its name, as the futures ``CL=F`` do.
    """
    weights: dict[str, float | None] = {}
    for item in items:
        asset, equals, weight = (item, "", "") if item in known else item.rpartition("=")
        name = asset if equals else item
        if not name:
            raise InvalidParameterError(f"expected an asset as NAME or NAME=WEIGHT, got {item!r}.")
        if name in weights:
            raise InvalidParameterError(f"expected each asset once, got {name} more than once; give it one weight.")
        weights[name] = _weight(name, weight) if equals else None
    given = [w is not None for w in weights.values()]
    if any(given) and not all(given):
        bare = [name for name, w in weights.items() if w is None]
        raise InvalidParameterError(
            f"expected a weight for each asset or for none, got {', '.join(bare)} without; give all of them "
            "one, or none for equal weights."
        )
    return weights


def _weight(asset: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError as error:
        raise InvalidParameterError(
            f"expected the weight of {asset} as a number such as 0.5 or -0.5, got {text!r}."
        ) from error
    # outside these bounds, squares of weights may overflow
    if weight != 0 and not 1 / _LARGEST_WEIGHT <= abs(weight) <= _LARGEST_WEIGHT and not math.isnan(weight):
        raise InvalidParameterError(
            f"expected the weight of {asset} in dollars per dollar of strategy, 0, or between 1e-6 and 1e6 in "
            f"size, got {text!r}."
        )
    return weight


def names(items: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """Split names at spaces and commas; a known name may contain a comma."""
    return [name for item in items or () for name in ([item] if item in known else item.split(",")) if name]


def instruments(items: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """Return the names of ``--instruments``, none where it was not given.

    Raises
    ------
    InvalidParameterError
        If it was given without a name.
    """
    found = names(items, known)
    if items is not None and not found:
        raise InvalidParameterError("expected --instruments with at least one asset, got none; leave it out.")
    return found


def of_default_budget(budget: RiskBudget) -> str:
    """Say that nobody gave the budget."""
    return (
        f"No --budget was given: limits and capacities are of {float(budget.volatility):,.0f} dollars of volatility "
        f"per {budget.horizon}, which is a default and no limit of yours."
    )


def lots(items: Sequence[str] | None, instruments: Sequence[str]) -> dict[str, float]:
    """Return the dollars of one lot by instrument, of ``--lots NAME=DOLLARS``.

    Raises
    ------
    InvalidParameterError
        For another form, or a name that is not among the instruments.
    """
    found: dict[str, float] = {}
    for item in items or ():
        name, _, amount = item.rpartition("=")
        if name not in instruments or name in found:
            raise InvalidParameterError(
                "expected --lots with each of --instruments at most once, as NAME=DOLLARS, got "
                f"{item!r}; the instruments are {', '.join(instruments) or 'not given'}.",
                got=item,
            )
        try:
            found[name] = dollars(amount)
        except argparse.ArgumentTypeError as error:
            raise InvalidParameterError(f"{error}, in --lots {item}.", got=item) from error
    return found


def require_factors(option: str, names: Sequence[str], factors: Sequence[str], assets: Sequence[str]) -> None:
    """Raise for assets that an option consumed; the provider raises for unknown names."""
    held = {*assets} - {*factors}
    stray = [name for name in names if name in held or (name not in factors and name.partition("=")[0] in held)]
    if stray:
        raise UnknownFactorError(
            f"unknown factor: {stray[0]}, which is an asset; write assets before {option}, or -- in between.",
            missing=stray,
        )
