"""Kinds of series: asset returns, factor returns, a risk-free rate, and the sizes that the numbers of each may have."""

from __future__ import annotations

from typing import NoReturn, final

import numpy as np
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Flags
from riskmodel._core.checks import BEFORE, NEVER, ReturnChecks, ReturnKind
from riskmodel._core.missing import SAME
from riskmodel.errors import DataError, ImpossibleReturnsError, PercentReturnsError
from riskmodel.horizon import YEAR, Horizon

# A typical size beyond these per √day is percent, not decimals. In percent, assets typically move by 1 to 2, and the
# quietest factors, over sixty of their quietest days, by 0.065; in decimals, the wildest coins by 0.08.
_PERCENT, _PERCENT_FACTOR = 0.1, 0.06
# Of a few values, these: of one column, and of most of several. A stock may halve on a day, and most move by 0.1, as a
# market may.
_ONE_OF_FEW, _MOST_OF_FEW, _FACTOR_OF_FEW = 0.6, 0.3, 0.2
# Factors beyond this per √day are not in percent either, but on a scale of their own, such as an index of sentiment.
_OWN_SCALE = 10.0
# A loss of everything, but for the risk-free rate.
_NEARLY = 0.05
# Prices and gross returns are at least this large and never negative.
_LEVEL = 0.5
# In percent, half of the returns of an asset or factor are larger than this per √day: 1 % a year in decimals is 0.0004.
_TINY = 0.0004
# A risk-free rate beyond these a year is no decimal: typically, and in one of a hundred rows.
_TYPICAL_RATE, _HIGH_RATE, _ROWS_HIGH = 0.6, 1.5, 0.01
# Nor is it on a single date beyond this a year.
_IMPOSSIBLE_RATE = 10.0
# A number that equals a code is one where it is so many times the typical size, or more.
_FAR = 20.0
# Typical sizes that are counted for that: a twentieth of the codes 44 and 99, and of their multiples by ten.
_SIZES = tuple(size * 10.0**power for power in range(6) for size in (0.022, 0.0495))
_ROUNDING = 1e-9
# A security that ended almost worthless loses this much with its last return.
_WORTHLESS = 0.9998
# A code of this size is one even where it is not repeated: no price becomes a hundred times itself to the last digit.
_BEYOND = 99.0
# Codes that would be returns of an asset are codes where they are repeated so often.
_OFTEN, _TWICE = 3, 2


@final
@frozen
class AssetReturns(ReturnKind):
    """Total returns of assets: simple returns in decimals, never below -100 %, and nothing after it."""

    name: str = "asset returns"
    # excess returns are of positions that are financed anew in each row, and may lose everything and go on
    are_financed: bool = False

    def rungs(self, horizon: Horizon) -> tuple[float, ...]:
        """Sizes of levels, of percent, and of percent where there are few values: most columns, and one."""
        root = float(np.sqrt(horizon.days))
        return _doubtful(horizon, _PERCENT), _PERCENT * root, _MOST_OF_FEW * root, _ONE_OF_FEW * root

    def require(self, checks: ReturnChecks) -> None:
        """Raise for codes, levels, percent and losses of more than everything, in this order."""
        level, percent, most, one = checks.typically_above()
        level &= checks.never_negative()
        percent = checks.with_few(percent, most, one)
        like_options = loses_all(checks) if self.are_financed else (checks.lost < NEVER) & (checks.impossible == NEVER)
        percent = np.where(like_options, one, percent)
        checks.require_no_codes(_codes_of_assets(checks, level | percent))
        _refuse_levels(checks, level, _PERCENT)
        _refuse_percent(checks, percent, _PERCENT)
        if not self.are_financed:
            checks.require_possible()


@final
@frozen(eq=False)
class FactorReturns(ReturnKind):
    """Returns of factors in decimals, or a series on a scale of its own.

    Parameters
    ----------
    name : str
        What errors call them.
    funded, tradable : array of bool, shape (K,), optional
        Of each column, whether it is an excess return, and whether a portfolio can hold it, where that is known.
    """

    name: str = "factor returns"
    funded: Flags | None = None
    tradable: Flags | None = None

    def rungs(self, horizon: Horizon) -> tuple[float, ...]:
        """Sizes of levels, of percent, of percent where there are few values, of what is on a scale of its own.

        Behind them, the sizes that codes are far from.
        """
        root = float(np.sqrt(horizon.days))
        percent = _doubtful(horizon, _PERCENT_FACTOR), _PERCENT_FACTOR * root, _FACTOR_OF_FEW * root
        return *percent, _OWN_SCALE * root, *_SIZES

    def require(self, checks: ReturnChecks) -> None:
        """Raise for codes, levels and percent, and for funded factors that lose more than everything."""
        level, percent, of_few, own_scale, *sizes = checks.typically_above()
        percent = checks.with_few(percent, of_few, of_few)
        returns = np.ones(len(checks.labels), dtype=bool) if self.tradable is None else self.tradable
        checks.require_no_codes(_codes_of_factors(checks, np.array(sizes)))
        _refuse_levels(checks, level & checks.never_negative() & returns, _PERCENT_FACTOR)
        # an excess return, or a spread of the literature, has no scale of its own
        known = np.array([labels.is_return(name) for name in checks.labels], dtype=bool)
        own_scale &= ~known if self.funded is None else ~(known | self.funded)
        _refuse_percent(checks, percent & ~own_scale & returns, _PERCENT_FACTOR)
        if self.funded is not None:
            _refuse_losses(checks, self.funded & returns)


@final
@frozen
class RiskFreeRate(ReturnKind):
    """A risk-free rate in decimals per horizon."""

    name: str = "the risk-free rate"

    def rungs(self, horizon: Horizon) -> tuple[float, ...]:
        """What a typical rate and a high rate a year are per horizon."""
        return YEAR.scale_mean(_TYPICAL_RATE, to=horizon), YEAR.scale_mean(_HIGH_RATE, to=horizon)

    def require(self, checks: ReturnChecks) -> None:
        """Raise for codes, and where a rate is in percent, stated for a longer span than the horizon, or a loss."""
        checks.require_no_codes(checks.codes.numbers < 0)
        _refuse_high_rates(checks)
        checks.require_no_codes(checks.codes.numbers > 0)
        _refuse_losses(checks, np.ones(len(checks.labels), dtype=bool))
        _refuse_high_rates(checks, YEAR.scale_mean(_IMPOSSIBLE_RATE, to=checks.horizon))


@final
@frozen
class ReadInPercent(ReturnKind):
    """Returns that were divided by 100 because somebody said that they were in percent."""

    name: str = "returns"

    def rungs(self, horizon: Horizon) -> tuple[float, ...]:
        """What half of the returns of nearly everything are larger than."""
        return (_TINY * float(np.sqrt(horizon.days)),)

    def require(self, checks: ReturnChecks) -> None:
        """Raise where at least half of the columns hardly move: they were decimals."""
        seen = checks.nonzero > 0
        tiny = seen & ~(2 * checks.larger[0] > checks.nonzero)
        if 2 * tiny.sum() > seen.sum():
            raise PercentReturnsError(
                f"expected {self.name} in percent, got {labels.listing(checks.labels[tiny])}, which typically move by "
                "less than 1 % a year; give decimals as such.",
                labels=list(checks.labels[tiny]),
            )


# Returns of assets in excess of the risk-free rate.
EXCESS_RETURNS = AssetReturns(are_financed=True)
ASSET_RETURNS, FACTOR_RETURNS, RISK_FREE_RATE = AssetReturns(), FactorReturns(), RiskFreeRate()


def loses_all(checks: ReturnChecks) -> Flags:
    """Which columns lose at most everything, about, and gain more, as options do."""
    return np.asarray((np.abs(checks.low + 1.0) <= _NEARLY) & (checks.high > 1.0))


def _codes_of_assets(checks: ReturnChecks, other_unit: Flags) -> Flags:
    """Which codes no return of an asset is; in percent, or of prices, many numbers equal small codes by chance."""
    codes = checks.codes
    value = codes.numbers
    impossible = value <= -1.0
    # on the last date of all, many columns may have a code at once
    end = max(int(checks.last.max(initial=BEFORE)), int(checks.sample.max(initial=BEFORE)))
    ended = (codes.count == 1) & (codes.first == checks.last[codes.column]) & (codes.first < end)
    nearly_all = (value > -1.0) & (value <= -_WORTHLESS) & ~ended
    # -0.44 is a month of a coin, and no day of a share
    calm = (2 * checks.moved <= checks.quiet)[codes.column]
    often = (value >= _BEYOND) | np.where(value > 0, codes.count >= _TWICE, calm & (codes.count >= _OFTEN))
    large = (np.abs(value) > _FAR) & _is_lowest(checks)
    return np.asarray((impossible | nearly_all | often) & (large & (value < 0) | ~other_unit[codes.column]))


def _is_lowest(checks: ReturnChecks) -> Flags:
    """Which codes are of a column without lower numbers than its codes: where there are, the code is one of these."""
    codes = checks.codes
    lowest = np.full(len(checks.labels), np.inf)
    np.minimum.at(lowest, codes.column, codes.numbers)
    code = lowest[codes.column]
    return np.asarray(checks.low[codes.column] >= code - SAME * np.abs(code))


def _codes_of_factors(checks: ReturnChecks, typically_above: Flags) -> Flags:
    """Which codes are far from what is typical of a factor; positive ones, and small ones, are repeated as well."""
    codes = checks.codes
    size = np.abs(codes.numbers)
    at = np.searchsorted(_SIZES, size / _FAR * (1 + _ROUNDING), side="right") - 1
    far = ~typically_above[at.clip(min=0), codes.column]
    alone = ((codes.numbers < 0) & (size >= _WORTHLESS)) | (codes.numbers >= _BEYOND)
    return np.asarray(far & (alone | (codes.count >= _TWICE)))


def _doubtful(horizon: Horizon, percent: float) -> float:
    """The least typical size of prices and gross returns, which may be no larger than percent."""
    return min(_LEVEL, percent * float(np.sqrt(horizon.days)))


def _refuse_levels(checks: ReturnChecks, level: Flags, percent: float) -> None:
    if level.any():
        _refuse(
            checks,
            level,
            ImpossibleReturnsError,
            f"never negative and typically beyond {_doubtful(checks.horizon, percent):.2g}, as prices, index levels "
            "and gross returns are; pass .pct_change() of prices, or subtract 1 from gross returns",
        )


def _refuse_percent(checks: ReturnChecks, which: Flags, percent: float) -> None:
    if which.any():
        # of a few rows, prices and percent of good days look alike
        lowest = float(checks.low[which].min())
        advice = (
            _division(lowest) if lowest < 0 else "divide percent by 100, pass .pct_change() of prices, or subtract 1"
        )
        if isinstance(checks.kind, FactorReturns):
            advice += ", or declare a series on a scale of its own: rm.PublishedFactor(name, tradable=False)"
        size = percent * np.sqrt(checks.horizon.days)
        _refuse(checks, which, PercentReturnsError, f"typically beyond {size:.2g} per {checks.horizon}; {advice}")


def _division(lowest: float) -> str:
    """Say what to divide by: a loss is at most 100 %, which is 10,000 basis points."""
    if lowest >= -100.0:
        return "divide by 100, or by 10,000 where they are in basis points"
    if lowest >= -10_000.0:
        return "divide by 10,000 where they are in basis points, or by 1,000,000 in millionths"
    return "divide by 1,000,000, as millionths, or by what else their unit is"


def _refuse_losses(checks: ReturnChecks, which: Flags) -> None:
    """Raise for values below -1 in some columns."""
    lost = which & (checks.impossible < NEVER)
    if lost.any():
        label, date = checks.first(np.where(lost, checks.impossible, NEVER))
        low = checks.low[checks.labels.get_loc(label)]
        advice = "correct it, or leave it missing (NaN)"
        if isinstance(checks.kind, FactorReturns):
            advice += "; where it is no excess return, declare it so: rm.PublishedFactor(name, rm.SELF_FINANCING)"
        raise ImpossibleReturnsError(
            f"expected {checks.kind.name} of -100 % or more, got less, first in {label} on {date.date()} (its lowest "
            f"is {low:.4g}), in {int(lost.sum())} column(s); {advice}.",
            what=checks.kind.name,
            label=label,
            date=date,
        )


def _refuse_high_rates(checks: ReturnChecks, bound: float = np.inf) -> None:
    """Raise where rates are typically high, often very high, or once beyond a bound."""
    (typical, high), nonzero = checks.without_codes()
    # years near zero hide the unit from a median, and not from the highest of a hundred
    rows = np.ceil(_ROWS_HIGH * checks.present).clip(min=1)
    wrong = (2 * typical > nonzero) | (high >= rows) | (np.maximum(-checks.low, checks.high) > bound)
    if not wrong.any():
        return
    horizon, kind = checks.horizon, checks.kind
    largest = float(np.maximum(-checks.low, checks.high)[wrong].max())
    raise PercentReturnsError(
        f"expected {kind.name} in decimals per {horizon}, got values up to {largest:.3g}, which make "
        f"{100 * horizon.scale_mean(largest, to=YEAR):.0f} % a year; divide by 100 if it is in percent, and "
        f"bring a rate for a longer span here with rm.YEAR.scale_mean(rate, to=rm.{horizon!r}).",
        what=kind.name,
        labels=list(checks.labels[wrong]),
        largest=largest,
    )


def _refuse(checks: ReturnChecks, which: Flags, kind: type[DataError], why: str) -> NoReturn:
    names = checks.labels[which]
    raise kind(
        f"expected {checks.kind.name} to be simple returns in decimals (0.01 is one percent), got "
        f"{labels.listing(names)}, {why}.",
        what=checks.kind.name,
        labels=list(names),
    )
