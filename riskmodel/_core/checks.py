"""Check returns while they stream: percent, levels, codes for "missing", infinite values, impossible losses.

Memory, stored files, Dask, WRDS, the provider contract and the command line use `ReturnChecks`, each on blocks of its
own shape. What numbers must be like is said by a `ReturnKind`; `riskmodel._core.kinds` holds these.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import reduce
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen
from numpy.typing import NDArray

from riskmodel._core.arrays import Array, Flags, Index, row_blocks
from riskmodel._core.missing import MISSING_CODES, CodesFound
from riskmodel._core.suspects import Suspect, beyond_reason, split_ratio
from riskmodel.errors import (
    DataError,
    ImpossibleReturnsError,
    InfiniteReturnsError,
    MissingCodeError,
)
from riskmodel.horizon import Horizon

# The squares of numbers up to this size can be summed.
LARGEST = 1e150
# Among so many returns some are negative, and a typical size is known.
_ENOUGH = 20
# So many columns with few values are judged together.
_SEVERAL = 5
# Typical sizes are judged by about so many rows, spread over all.
_SAMPLED_ROWS = 2_048
# After so many rows, what is wrong with most columns is plain.
_EARLY_ROWS = 64
# Returns beyond these are suspect where half of the returns, on about so many dates, are below `_QUIET` per √day.
_LARGE_LOSS, _LARGE_GAIN, _QUIET, _QUIET_ROWS = -0.65, 1.5, 0.02, 256
# A loss of so much is what remains of a security that ended worthless.
_ALL = -0.9998
# Growth of nothing is told as this.
_LEAST_GROWTH = 1e-9
# Numbers that stay in the cache while they are counted.
_IN_CACHE = 100_000
NEVER, BEFORE = np.iinfo(np.int64).max, np.iinfo(np.int64).min

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
            infinite=np.full(n, NEVER),
            impossible=np.full(n, NEVER),
            lost=np.full(n, NEVER),
            last=np.full(n, BEFORE),
            low_at=np.full(n, NEVER),
            high_at=np.full(n, NEVER),
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
        quiet, moved = self._count_quiet(block, _stamps(dates))
        return evolve(self._with(block, dates), quiet=self.quiet + quiet, moved=self.moved + moved)

    def of_memory(self, block: Array, dates: pd.DatetimeIndex) -> Self:
        """Return the checks of a table in memory, whose suspect returns are found by reading it again.

        As `update`, but `quiet` and `moved` are counted only where there are codes to judge by them.
        """
        if not block.size:
            return self
        read = self._with(block, dates)
        return self.update(block, dates) if len(read.codes.column) else read

    def _with(self, block: Array, dates: pd.DatetimeIndex) -> Self:
        stamps = _stamps(dates)
        low, high, missing = _extremes(block)
        infinite, impossible, lost = _first_faults(block, stamps, low, high)
        inside = _sampled_rows(stamps, self.sample)
        rows = block if inside.all() else block[inside]
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
            quiet=np.zeros_like(self.quiet),
            moved=np.zeros_like(self.moved),
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
        rungs = self.kind.rungs(self.horizon)
        # per day, levels and percent are alike
        distinct, at = np.unique([0.0, *rungs], return_inverse=True)
        counts = _count_larger(rows, distinct, np.maximum(-low, high))
        return len(rows) - gaps, counts[at[0]], counts[at[1:]]

    def _count_quiet(self, block: Array, stamps: Stamps) -> tuple[Index, Index]:
        """Count, on few dates, the values other than zero, and those that are large for a typical one."""
        few = self.sample[:: max(1, len(self.sample) // _QUIET_ROWS)]
        rows = block[_sampled_rows(stamps, few)]
        size = _QUIET * float(np.sqrt(self.horizon.days))
        seen, moved = _count_larger(rows, np.array([0.0, size]))
        return seen, moved

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
        if ((self.infinite < NEVER) | (self.impossible < NEVER) | (self.lost < self.last)).any():
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
        which = self.infinite < NEVER
        if which.any():
            label, date = self.first(self.infinite)
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
        when = np.minimum(self.impossible, np.where(self.lost < self.last, self.lost, NEVER))
        if (when < NEVER).any():
            label, date = self.first(when)
            low = self.low[self.labels.get_loc(label)]
            got = "less" if (self.impossible <= when).any() and low < -1.0 else "a return after a loss of everything"
            raise ImpossibleReturnsError(
                f"expected simple {self.kind.name} of -100 % or more, and of -100 % only as the last return of a "
                f"security that ended worthless, got {got}, first of {label} on {date.date()} (its lowest is "
                f"{low:.4g}), in {int((when < NEVER).sum())} column(s). If it ended, leave the rows after it missing, "
                "zeros too; convert percent, log returns or prices to simple returns. If each row is a return on new "
                "capital, as of options that are bought again each month, or of futures, give excess returns with "
                "return_type=rm.EXCESS: these may lose everything and go on.",
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
        few = self.quiet < _ENOUGH
        looked_at = few | (2 * self.moved <= self.quiet)
        # securities that end lose much with their last return
        end = int(self.last.max(initial=BEFORE))
        has_ended = (self.last < end) | (self.low <= _ALL)
        falls = looked_at & (self.low_at < NEVER) & ~((self.low_at == self.last) & has_ended)
        rises = looked_at & (self.high_at < NEVER)
        found = [
            self._suspect(int(j), float(values[j]), int(dates[j]), bool(few[j]))
            for values, dates, which in ((self.low, self.low_at, falls), (self.high, self.high_at, rises))
            for j in np.flatnonzero(which)
        ]
        return [suspect for suspect in found if suspect is not None]

    def _suspect(self, column: int, value: float, stamp: int, is_of_few: bool) -> Suspect | None:
        growth = float(np.log(max(1.0 + value, _LEAST_GROWTH)))
        sigma = _QUIET * float(np.sqrt(self.horizon.days))
        usual = f"it typically moves by less than {sigma:.2g}"
        reason = beyond_reason(growth) if is_of_few else split_ratio(growth, sigma) or usual
        if reason is None:
            return None
        return Suspect(self.labels[column], pd.Timestamp(stamp, unit="us"), value, reason, abs(growth))

    def first(self, when: Stamps) -> tuple[Any, pd.Timestamp]:
        """Return the column and the date of the earliest of some dates, one a column."""
        column = int(when.argmin())
        return self.labels[column], pd.Timestamp(int(when[column]), unit="us")


_BY_COLUMN = (
    *("present", "nonzero", "larger", "low", "high", "infinite", "impossible", "lost", "last"),
    *("low_at", "high_at", "quiet", "moved"),
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


def _count_larger(rows: Array, sizes: Array, biggest: Array | None = None) -> Index:
    """Count the values of each column that are larger than some sizes, shape (sizes, N).

    Parameters
    ----------
    rows : array, shape (T, N)
        NaN where missing.
    sizes : array, shape (S,)
        None is negative.
    biggest : array, shape (N,), optional
        The largest size of each column, or more.
    """
    counts = np.zeros((len(sizes), rows.shape[1]), dtype=np.intp)
    if not rows.size:
        return counts
    # short integers add up faster
    short: type[Any] = np.uint16 if len(rows) <= np.iinfo(np.uint16).max else np.intp
    for columns in row_blocks(rows.shape[1], max(1, _IN_CACHE // len(rows))):
        some = np.abs(rows[:, columns])
        for size, found in zip(sizes, counts, strict=True):
            if biggest is None or (biggest[columns] > size).any():
                found[columns] = np.add.reduce(some > size, axis=0, dtype=short)
    return counts


def _first_faults(block: Array, stamps: Stamps, low: Array, high: Array) -> tuple[Stamps, Stamps, Stamps]:
    """Of each column, the first date of an infinite value, of one below -1, and of one that is -1."""
    infinite, impossible, lost = (np.full(block.shape[1], NEVER) for _ in range(3))
    # few columns have any
    odd = np.flatnonzero((low <= -1.0) | (high > LARGEST))
    values = block[:, odd]
    for first, where in (
        (infinite, np.abs(values) > LARGEST),
        (impossible, values < -1.0),
        (lost, values == -1.0),
    ):
        first[odd] = np.where(where, stamps[:, None], NEVER).min(axis=0)
    return infinite, impossible, lost


def _dates_of(block: Array, stamps: Stamps, extreme: Array, large: Flags) -> Stamps:
    """Of each column whose extreme is large, its first date."""
    dates = np.full(block.shape[1], NEVER)
    at = np.flatnonzero(large)
    if len(at):
        dates[at] = np.where(block[:, at] == extreme[at], stamps[:, None], NEVER).min(axis=0)
    return dates


def _of_extreme(one: Array, one_at: Stamps, other: Array, other_at: Stamps) -> Stamps:
    """Of each column, the date of the greater number, the first where they are equal."""
    first = np.where(one > other, one_at, other_at)
    return np.asarray(np.where(one == other, np.minimum(one_at, other_at), first))


def _last(block: Array, stamps: Stamps) -> Stamps:
    """Of each column, the last date with a value."""
    latest = int(stamps.argmax())
    last = np.where(np.isnan(block[latest]), BEFORE, stamps[latest])
    rest = np.flatnonzero(last == BEFORE)
    if len(rest):
        last[rest] = np.where(np.isnan(block[:, rest]), BEFORE, stamps[:, None]).max(axis=0)
    return last
