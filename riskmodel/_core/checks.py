"""Check returns while they stream: percent, levels, codes for "missing", infinite values, impossible losses.

Memory, stored files, Dask, WRDS, the provider contract and the command line use `ReturnChecks`, each on blocks of its
own shape. What numbers must be like is said by a `ReturnKind`: asset returns, factor returns, or a risk-free rate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import reduce
from typing import Any, NoReturn, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen
from numpy.typing import NDArray

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Flags, Index
from riskmodel._core.missing import MISSING_CODES, CodesFound
from riskmodel._core.suspects import Suspect, split_ratio
from riskmodel.errors import (
    DataError,
    ImpossibleReturnsError,
    InfiniteReturnsError,
    MissingCodeError,
    PercentReturnsError,
)
from riskmodel.horizon import YEAR, Horizon

# The squares of numbers up to this size can be summed.
LARGEST = 1e150
# A typical size beyond these per √day is percent, not decimals. In percent, assets typically move by 1 to 2, and the
# quietest factors, over sixty of their quietest days, by 0.065; in decimals, the wildest coins by 0.08.
_PERCENT, _PERCENT_FACTOR = 0.1, 0.06
# Of a few values, these: of one column, and of most of several. A stock may halve on a day, and most move by 0.1, as a
# market may.
_ONE_OF_FEW, _MOST_OF_FEW, _SEVERAL, _FACTOR_OF_FEW = 0.6, 0.3, 5, 0.2
# Factors beyond this per √day are not in percent either, but on a scale of their own, such as an index of sentiment.
_OWN_SCALE = 10.0
# Prices and gross returns are at least this large and never negative.
_LEVEL = 0.5
# Among so many returns some are negative, and a typical size is known.
_ENOUGH = 20
# In percent, half of the returns of an asset or factor are larger than this per √day: 1 % a year in decimals is 0.0004.
_TINY = 0.0004
# A risk-free rate beyond these a year is no decimal: typically, and in one of a hundred rows.
_TYPICAL_RATE, _HIGH_RATE, _ROWS_HIGH = 0.6, 1.5, 0.01
# Nor is it on a single date beyond this a year.
_IMPOSSIBLE_RATE = 10.0
# Typical sizes are judged by about so many rows, spread over all.
_SAMPLED_ROWS = 2_048
# After so many rows, what is wrong with most columns is plain.
_EARLY_ROWS = 64
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
# Returns beyond these are suspect where half of the returns, on about so many dates, are below `_QUIET` per √day.
_LARGE_LOSS, _LARGE_GAIN, _QUIET, _QUIET_ROWS = -0.65, 1.5, 0.02, 256
_NEVER, _BEFORE = np.iinfo(np.int64).max, np.iinfo(np.int64).min

Stamps = NDArray[np.int64]


class ReturnKind(ABC):
    """What the numbers of a table are, and what they must be like.

    A subclass says which sizes to count (`rungs`) and raises for columns that cannot be what it is (`require`).
    """

    name: str

    @abstractmethod
    def rungs(self, horizon: Horizon) -> tuple[float, ...]:
        """Sizes, increasing: of each column, the checks count the values that are larger."""

    @abstractmethod
    def require(self, checks: ReturnChecks) -> None:
        """Raise a `DataError` for columns whose sizes are not those of this kind."""


@final
@frozen(eq=False)
class ReturnChecks:
    """What is known of the columns of a table of returns; it adds up over blocks of rows and of columns.

    Whatever the blocks, `finish` gives the same answer. A block holds whole rows of some columns: add those of the
    same columns with `update` or ``+``, in any order of dates, and put columns side by side with `concat`.

    Attributes
    ----------
    kind : ReturnKind
        What the numbers are.
    horizon : Horizon
        What one row spans.
    labels : Index
        N columns.
    sample : array of int
        The dates, as integers, whose rows tell typical sizes.
    present, nonzero : array of int, shape (N,)
        Values, and values other than zero, on the sampled dates.
    larger : array of int, shape (rungs, N)
        Values on the sampled dates that are larger than each of the kind's rungs.
    low, high : array, shape (N,)
        The least and the greatest value, over all dates; infinite where there is none.
    infinite, impossible, lost : array of int, shape (N,)
        The first date with an infinite value, one below -100 %, and one of exactly -100 %.
    last : array of int, shape (N,)
        The last date with a value.
    low_at, high_at : array of int, shape (N,)
        The dates of the least and the greatest value, where these are large.
    quiet, moved : array of int, shape (N,)
        On a few hundred of the sampled dates, the values other than zero, and those that are large for a typical one.
    codes : CodesFound
        Where values equal well-known codes for "missing".
    """

    kind: ReturnKind
    horizon: Horizon
    labels: pd.Index[Any]
    sample: Stamps
    present: Index
    nonzero: Index
    larger: Index
    low: Array
    high: Array
    infinite: Stamps
    impossible: Stamps
    lost: Stamps
    last: Stamps
    low_at: Stamps
    high_at: Stamps
    quiet: Index
    moved: Index
    codes: CodesFound

    # -- adding up -------------------------------------------------------------------------------------

    @classmethod
    def start(cls, kind: ReturnKind, horizon: Horizon, names: pd.Index[Any], dates: pd.DatetimeIndex) -> Self:
        """Return the checks of no rows yet.

        Parameters
        ----------
        kind : ReturnKind
            What the numbers are.
        horizon : Horizon
            What one row spans.
        names : Index
            N columns.
        dates : DatetimeIndex
            All dates that will come, in any order: a few thousand of them are sampled for typical sizes.
        """
        n, rungs = len(names), len(kind.rungs(horizon))
        return cls(
            kind=kind,
            horizon=horizon,
            labels=names,
            sample=_sampled(dates),
            present=np.zeros(n, dtype=np.intp),
            nonzero=np.zeros(n, dtype=np.intp),
            larger=np.zeros((rungs, n), dtype=np.intp),
            low=np.full(n, np.inf),
            high=np.full(n, -np.inf),
            infinite=np.full(n, _NEVER),
            impossible=np.full(n, _NEVER),
            lost=np.full(n, _NEVER),
            last=np.full(n, _BEFORE),
            low_at=np.full(n, _NEVER),
            high_at=np.full(n, _NEVER),
            quiet=np.zeros(n, dtype=np.intp),
            moved=np.zeros(n, dtype=np.intp),
            codes=CodesFound.none(),
        )

    @classmethod
    def counted(cls, kind: ReturnKind, horizon: Horizon, label: Any, counts: Sequence[float]) -> Self:
        """Return the checks of one column that was counted where it is stored, such as by a database.

        Parameters
        ----------
        kind, horizon
            As in the class.
        label : label
            The column.
        counts : sequence of numbers
            Its values, its values other than zero, the least, the greatest, and those larger than each rung of the
            kind. Codes for missing are left out. Infinite values and losses of everything are not looked for.
        """
        present, nonzero, low, high, *larger = counts
        return evolve(
            cls.start(kind, horizon, pd.Index([label]), pd.DatetimeIndex([])),
            present=np.array([present], dtype=np.intp),
            nonzero=np.array([nonzero], dtype=np.intp),
            larger=np.array(larger, dtype=np.intp)[:, None],
            low=np.array([low]),
            high=np.array([high]),
        )

    def update(self, block: Array, dates: pd.DatetimeIndex) -> Self:
        """Return the checks with more rows of the same columns.

        Parameters
        ----------
        block : array, shape (rows, N)
            NaN where missing. It is only read.
        dates : DatetimeIndex
            Of the rows, in any order.
        """
        if not block.size:
            return self
        stamps = _stamps(dates)
        low, high, missing = _extremes(block)
        infinite, impossible, lost = _first_faults(block, stamps, low, high)
        inside = _sampled_rows(stamps, self.sample)
        rows = block if inside.all() else block[inside]
        quiet, moved = self._count_quiet(block, stamps)
        present, nonzero, larger = self._count(rows, missing, low, high)
        return self + evolve(
            self,
            present=present,
            nonzero=nonzero,
            larger=larger,
            low=low,
            high=high,
            infinite=infinite,
            impossible=impossible,
            lost=lost,
            last=_last(block, stamps),
            low_at=_dates_of(block, stamps, low, low < _LARGE_LOSS),
            high_at=_dates_of(block, stamps, high, high > _LARGE_GAIN),
            quiet=quiet,
            moved=moved,
            codes=CodesFound.search(block, stamps, inside, low, high),
        )

    def __add__(self, other: Self) -> Self:
        """Return the checks of the same columns over the rows of both."""
        return evolve(
            self,
            present=self.present + other.present,
            nonzero=self.nonzero + other.nonzero,
            larger=self.larger + other.larger,
            low=np.minimum(self.low, other.low),
            high=np.maximum(self.high, other.high),
            infinite=np.minimum(self.infinite, other.infinite),
            impossible=np.minimum(self.impossible, other.impossible),
            lost=np.minimum(self.lost, other.lost),
            last=np.maximum(self.last, other.last),
            low_at=_of_extreme(-self.low, self.low_at, -other.low, other.low_at),
            high_at=_of_extreme(self.high, self.high_at, other.high, other.high_at),
            quiet=self.quiet + other.quiet,
            moved=self.moved + other.moved,
            codes=self.codes + other.codes,
        )

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Return the checks of other columns over the same rows, side by side."""
        names = reduce(lambda one, other: one.append(other), (p.labels for p in parts))
        arrays: dict[str, Any] = {f: np.concatenate([getattr(p, f) for p in parts], axis=-1) for f in _BY_COLUMN}
        codes = CodesFound.concat([p.codes for p in parts], [len(p.labels) for p in parts])
        return evolve(parts[0], labels=names, codes=codes, **arrays)

    def take(self, columns: Index) -> Self:
        """Return the checks of some columns."""
        arrays: dict[str, Any] = {f: getattr(self, f)[..., columns] for f in _BY_COLUMN}
        return evolve(self, labels=self.labels[columns], codes=self.codes.take(columns), **arrays)

    def _count(self, rows: Array, missing: Flags, low: Array, high: Array) -> tuple[Index, Index, Index]:
        """Count the values, those other than zero, and those above each rung."""
        gaps = np.zeros(rows.shape[1], dtype=np.intp)
        gaps[missing] = np.count_nonzero(np.isnan(rows[:, missing]), axis=0)
        nonzero = np.count_nonzero(rows, axis=0) - gaps
        larger = np.zeros_like(self.larger)
        biggest = np.maximum(-low, high)
        rungs = self.kind.rungs(self.horizon)
        for i, (rung, counts) in enumerate(zip(rungs, larger, strict=True)):
            if i and rung == rungs[i - 1]:  # per day, levels and percent are alike
                counts[:] = larger[i - 1]
                continue
            at = np.flatnonzero(biggest > rung)
            some = rows if len(at) == len(counts) else rows[:, at]
            counts[at] = np.count_nonzero((some > rung) | (some < -rung), axis=0)
        return len(rows) - gaps, nonzero, larger

    def _count_quiet(self, block: Array, stamps: Stamps) -> tuple[Index, Index]:
        """Count, on few dates, the values other than zero, and those that are large for a typical one."""
        few = self.sample[:: max(1, len(self.sample) // _QUIET_ROWS)]
        rows = block[_sampled_rows(stamps, few)]
        size = _QUIET * float(np.sqrt(self.horizon.days))
        seen = np.count_nonzero(rows > 0, axis=0) + np.count_nonzero(rows < 0, axis=0)
        return seen, np.count_nonzero((rows > size) | (rows < -size), axis=0)

    # -- answers ---------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Raise for what cannot be returns, after the last row.

        Raises
        ------
        InfiniteReturnsError
            For infinite values, and values whose squares are.
        PercentReturnsError, ImpossibleReturnsError
            For columns that are plainly percent, prices or gross returns; for losses of more than everything.
        """
        self.require_finite()
        self.kind.require(self)

    def finish_early(self) -> None:
        """Raise, before the last row, for what no later row can make right, and where most columns are wrong."""
        if ((self.infinite < _NEVER) | (self.impossible < _NEVER) | (self.lost < self.last)).any():
            self.finish()
        if self.present.max(initial=0) < _EARLY_ROWS:
            return
        try:
            self.kind.require(self)
        except DataError as error:
            if 2 * len(error.details.get("labels", ())) > len(self.labels):
                raise

    def require_finite(self) -> None:
        """Raise for infinite values, and those whose squares are."""
        which = self.infinite < _NEVER
        if which.any():
            label, date = self._first(self.infinite)
            raise InfiniteReturnsError(
                f"expected {self.kind.name} to be finite or missing (NaN), got an infinite value, or one larger than "
                f"{LARGEST:g}, first of {label} on {date.date()}, in {int(which.sum())} column(s); a return over a "
                "price of zero looks like this: leave it missing.",
                what=self.kind.name,
                label=label,
                date=date,
            )

    def require_possible(self) -> None:
        """Raise for returns below -100 %, and for -100 % where another return of the column follows."""
        when = np.minimum(self.impossible, np.where(self.lost < self.last, self.lost, _NEVER))
        if (when < _NEVER).any():
            label, date = self._first(when)
            low = self.low[self.labels.get_loc(label)]
            raise ImpossibleReturnsError(
                f"expected simple {self.kind.name} of -100 % or more, and of -100 % only as the last return of a "
                f"security that ended worthless, got less, or a later return, first of {label} on {date.date()} (its "
                f"lowest is {low:.4g}), in {int((when < _NEVER).sum())} column(s); leave the rows after a loss of "
                "everything missing, or convert percent, log returns or prices to simple returns.",
                what=self.kind.name,
                label=label,
                date=date,
            )

    def typically_above(self) -> Flags:
        """Which columns have a median size, zeros and codes left out, above each of the kind's rungs; shape (rungs, N).

        Only columns with values enough to say: twenty, or where there are fewer rows, values on half of them.
        """
        enough = min(_ENOUGH, -(-len(self.sample) // 2))
        larger, nonzero = self.without_codes()
        return (2 * larger > nonzero) & (nonzero >= enough)

    def without_codes(self) -> tuple[Index, Index]:
        """Return `larger` and `nonzero` of values that equal no code."""
        if not len(self.codes.column):
            return self.larger, self.nonzero
        n, rungs = len(self.labels), self.kind.rungs(self.horizon)
        larger = self.larger - np.array([self.codes.larger(rung, n) for rung in rungs]).reshape(self.larger.shape)
        return larger, self.nonzero - self.codes.larger(0.0, n)

    def require_no_codes(self, which: Flags) -> None:
        """Raise for codes for "missing", shape (M,): those of `codes` that cannot be anything else."""
        if not which.any():
            return
        found = np.flatnonzero(which)
        i = found[self.codes.first[found].argmin()]
        value, count = float(self.codes.numbers[i]), int(self.codes.count[i])
        label, date = self.labels[self.codes.column[i]], pd.Timestamp(int(self.codes.first[i]), unit="us")
        columns = len(np.unique(self.codes.column[found]))
        written = value if value in MISSING_CODES else float(f"{100 * value:.6g}")
        origin = f"{value:.10g}" if value == written else f"{value:.10g} ({written:.10g} read in percent)"
        raise MissingCodeError(
            f"expected {self.kind.name} in decimals, and NaN where missing, got {origin}, a code for a missing number, "
            f"{count} time(s) in {label}, first on {date.date()}, and codes in {columns} column(s); read the file with "
            f"missing=({written:.10g},), or replace the code by NaN: table.replace({value:.10g}, float('nan')).",
            what=self.kind.name,
            label=label,
            date=date,
            code=value,
            count=count,
        )

    def with_few(self, percent: Flags, most: Flags, one: Flags) -> Flags:
        """Which columns are in percent, where of some the values are so few that days of a crisis are typical of them.

        These are judged by larger sizes: by one where most of several such columns are beyond it, or by a larger one.
        """
        few = self.without_codes()[1] < _ENOUGH
        together = few.sum() >= _SEVERAL and 2 * (most & few).sum() > few.sum()
        return np.where(few, most if together else one, percent)

    def never_negative(self) -> Flags:
        """Which columns have no negative value, among so many that returns would have one."""
        return (self.low >= 0) & (self.nonzero >= _ENOUGH)

    def suspects(self) -> list[Suspect]:
        """The extremes of quiet columns that look like mistakes: coarser than `suspects` of returns in memory."""
        calm = (2 * self.moved <= self.quiet) & (self.quiet >= _ENOUGH)
        # securities that end lose much with their last return
        falls = calm & (self.low_at < np.minimum(self.last, _NEVER))
        rises = calm & (self.high_at < _NEVER)
        return [
            self._suspect(int(j), float(values[j]), int(dates[j]))
            for values, dates, which in ((self.low, self.low_at, falls), (self.high, self.high_at, rises))
            for j in np.flatnonzero(which)
        ]

    def _suspect(self, column: int, value: float, stamp: int) -> Suspect:
        growth = float(np.log(max(1.0 + value, _ROUNDING)))
        sigma = _QUIET * float(np.sqrt(self.horizon.days))
        reason = split_ratio(growth, sigma) or f"it typically moves by less than {sigma:.2g}"
        return Suspect(self.labels[column], pd.Timestamp(stamp, unit="us"), value, reason, abs(growth))

    def _first(self, when: Stamps) -> tuple[Any, pd.Timestamp]:
        column = int(when.argmin())
        return self.labels[column], pd.Timestamp(int(when[column]), unit="us")


_BY_COLUMN = (
    *("present", "nonzero", "larger", "low", "high", "infinite", "impossible", "lost", "last"),
    *("low_at", "high_at", "quiet", "moved"),
)


# -- what the numbers are ----------------------------------------------------------------------------


@final
@frozen
class AssetReturns(ReturnKind):
    """Total or excess returns of assets: simple returns in decimals, never below -100 %."""

    name: str = "asset returns"

    def rungs(self, horizon: Horizon) -> tuple[float, ...]:
        """Sizes of levels, of percent, and of percent where there are few values: most columns, and one."""
        root = float(np.sqrt(horizon.days))
        return _doubtful(horizon, _PERCENT), _PERCENT * root, _MOST_OF_FEW * root, _ONE_OF_FEW * root

    def require(self, checks: ReturnChecks) -> None:
        """Raise for codes, levels, percent and losses of more than everything, in this order."""
        level, percent, most, one = checks.typically_above()
        level &= checks.never_negative()
        percent = checks.with_few(percent, most, one)
        checks.require_no_codes(_codes_of_assets(checks, level | percent))
        _refuse_levels(checks, level, _PERCENT)
        _refuse_percent(checks, percent, _PERCENT)
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


ASSET_RETURNS, FACTOR_RETURNS, RISK_FREE_RATE = AssetReturns(), FactorReturns(), RiskFreeRate()


def _codes_of_assets(checks: ReturnChecks, other_unit: Flags) -> Flags:
    """Which codes no return of an asset is; in percent, or of prices, many numbers equal small codes by chance."""
    codes = checks.codes
    value = codes.numbers
    impossible = value <= -1.0
    # on the last date of all, many columns may have a code at once
    end = max(int(checks.last.max(initial=_BEFORE)), int(checks.sample.max(initial=_BEFORE)))
    ended = (codes.count == 1) & (codes.first == checks.last[codes.column]) & (codes.first < end)
    nearly_all = (value > -1.0) & (value <= -_WORTHLESS) & ~ended
    # -0.44 is a month of a coin, and no day of a share
    calm = (2 * checks.moved <= checks.quiet)[codes.column]
    often = (value >= _BEYOND) | np.where(value > 0, codes.count >= _TWICE, calm & (codes.count >= _OFTEN))
    large = np.abs(value) > _FAR
    return np.asarray((impossible | nearly_all | often) & (large & (value < 0) | ~other_unit[codes.column]))


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
        signed = (checks.low[which] < 0).any()
        advice = "divide by 100" if signed else "divide percent by 100, pass .pct_change() of prices, or subtract 1"
        if isinstance(checks.kind, FactorReturns):
            advice += ", or declare a series on a scale of its own: rm.PublishedFactor(name, tradable=False)"
        size = percent * np.sqrt(checks.horizon.days)
        _refuse(checks, which, PercentReturnsError, f"typically beyond {size:.2g} per {checks.horizon}; {advice}")


def _refuse_losses(checks: ReturnChecks, which: Flags) -> None:
    """Raise for values below -1 in some columns."""
    lost = which & (checks.impossible < _NEVER)
    if lost.any():
        label, date = checks._first(np.where(lost, checks.impossible, _NEVER))
        low = checks.low[checks.labels.get_loc(label)]
        advice = "correct it, or leave it missing (NaN)"
        if isinstance(checks.kind, FactorReturns):
            advice += "; where it is no excess return, declare it so: rm.PublishedFactor(name, funded=False)"
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


# -- one block ---------------------------------------------------------------------------------------


def _stamps(dates: pd.DatetimeIndex) -> Stamps:
    """Dates as integers, microseconds, whatever their resolution."""
    return np.asarray(dates.to_numpy().astype("datetime64[us]").astype(np.int64))


def _sampled(dates: pd.DatetimeIndex) -> Stamps:
    stamps = np.sort(_stamps(dates))
    return stamps[:: max(1, len(stamps) // _SAMPLED_ROWS)]


def _sampled_rows(stamps: Stamps, sample: Stamps) -> Flags:
    at = np.searchsorted(sample, stamps)
    return np.asarray(sample[np.minimum(at, len(sample) - 1)] == stamps)


def _extremes(block: Array) -> tuple[Array, Array, Flags]:
    """The least and the greatest of each column, infinite where there is none, and which columns have gaps."""
    low, high = np.minimum.reduce(block, axis=0), np.maximum.reduce(block, axis=0)
    missing = np.isnan(low)
    if missing.any():
        low, high = np.fmin.reduce(block, axis=0), np.fmax.reduce(block, axis=0)
        low, high = np.where(np.isnan(low), np.inf, low), np.where(np.isnan(high), -np.inf, high)
    return low, high, missing


def _first_faults(block: Array, stamps: Stamps, low: Array, high: Array) -> tuple[Stamps, Stamps, Stamps]:
    """Of each column, the first date of an infinite value, of one below -1, and of one that is -1."""
    infinite, impossible, lost = (np.full(block.shape[1], _NEVER) for _ in range(3))
    # few columns have any
    odd = np.flatnonzero((low <= -1.0) | (high > LARGEST))
    values = block[:, odd]
    for first, where in (
        (infinite, np.abs(values) > LARGEST),
        (impossible, values < -1.0),
        (lost, values == -1.0),
    ):
        first[odd] = np.where(where, stamps[:, None], _NEVER).min(axis=0)
    return infinite, impossible, lost


def _dates_of(block: Array, stamps: Stamps, extreme: Array, large: Flags) -> Stamps:
    """Of each column whose extreme is large, its first date."""
    dates = np.full(block.shape[1], _NEVER)
    at = np.flatnonzero(large)
    if len(at):
        dates[at] = np.where(block[:, at] == extreme[at], stamps[:, None], _NEVER).min(axis=0)
    return dates


def _of_extreme(one: Array, one_at: Stamps, other: Array, other_at: Stamps) -> Stamps:
    """Of each column, the date of the greater number, the first where they are equal."""
    first = np.where(one > other, one_at, other_at)
    return np.asarray(np.where(one == other, np.minimum(one_at, other_at), first))


def _last(block: Array, stamps: Stamps) -> Stamps:
    """Of each column, the last date with a value."""
    latest = int(stamps.argmax())
    last = np.where(np.isnan(block[latest]), _BEFORE, stamps[latest])
    rest = np.flatnonzero(last == _BEFORE)
    if len(rest):
        last[rest] = np.where(np.isnan(block[:, rest]), _BEFORE, stamps[:, None]).max(axis=0)
    return last
