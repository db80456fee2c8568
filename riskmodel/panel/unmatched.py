"""Rows of one table on dates that another lacks: dropped, or compounded into the next common row."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from enum import Enum
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen
from numpy.typing import NDArray

from riskmodel._core.arrays import Array, Flags, Index, set_read_only
from riskmodel._core.frames import ReturnFrame
from riskmodel.errors import InvalidParameterError, LeftOutWarning

# Left-out growth is told of where it is more than 1 %, of an asset that lost one row in twenty, and ten or more.
_MATERIAL, _SHARE, _FEWEST_ROWS = 0.01, 0.05, 10


@final
class Unmatched(Enum):
    """What becomes of rows on dates that assets, factors and the risk-free rate do not all have.

    ``rm.DROP`` leaves them out; `ReturnPanel.left_out` says how much each asset grew in them. ``rm.COMPOUND`` compounds
    returns, of assets, factors and rate alike, into the next common row, as a weekend of a market that never closes
    goes into Monday: the return over all rows after the last common date up to the next.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2024-01-05", "2024-01-06", "2024-01-08"])
    >>> coin = pd.DataFrame({"BTC": [0.01, 0.02, 0.03]}, days)
    >>> market = pd.DataFrame({"Mkt-RF": [0.01, 0.0]}, days[[0, 2]])
    >>> free = pd.Series(0.0, days)
    >>> for unmatched in (rm.DROP, rm.COMPOUND):
    ...     panel = rm.ReturnPanel.align(coin, market, free, horizon=rm.DAY, unmatched=unmatched)
    ...     print(unmatched, panel.excess_returns["BTC"].round(4).tolist())
    drop [0.01, 0.03]
    compound [0.01, 0.0506]
    """

    DROP = "drop"
    COMPOUND = "compound"

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.value


Closed = Callable[[Array, Flags, pd.DatetimeIndex], Flags]

DROP, COMPOUND = Unmatched.DROP, Unmatched.COMPOUND


def require_unmatched(value: Any) -> Unmatched:
    """Return an `Unmatched`, or raise for anything else."""
    if not isinstance(value, Unmatched):
        raise InvalidParameterError(f"expected unmatched as rm.DROP or rm.COMPOUND, got {value!r}.", got=value)
    return value


@final
@frozen(eq=False)
class LeftOut:
    """Returns of assets on dates inside a panel that are not in it.

    Attributes
    ----------
    dates : DatetimeIndex
        M dates, increasing.
    returns : array, shape (M, N), optional
        NaN where nothing was left out; None where it is not known, as the returns lie outside memory.
    """

    dates: pd.DatetimeIndex
    returns: Array | None

    @classmethod
    def none(cls, n: int) -> Self:
        """Nothing, of `n` assets."""
        return cls(pd.DatetimeIndex([]), np.empty((0, n)))

    @classmethod
    def of(cls, table: ReturnFrame, rows: Index) -> Self:
        """Some rows of a table."""
        return cls(table.dates[rows], set_read_only(np.asarray(table.numbers[rows])))

    def select(self, inside: Flags, columns: Index | None) -> Self:
        """Those of some dates and assets; None means all of these."""
        if self.returns is None or not len(self.dates):
            n = 0 if self.returns is None else self.returns.shape[1] if columns is None else len(columns)
            return evolve(self, dates=self.dates[inside], returns=None if self.returns is None else np.empty((0, n)))
        part = self.returns[inside] if columns is None else self.returns[inside][:, columns]
        return evolve(self, dates=self.dates[inside], returns=set_read_only(part))

    def growth(self, n: int) -> Array:
        """Growth of each of `n` assets in what was left out: 1 where nothing was, NaN where that is not known."""
        if self.returns is None:
            return np.full(n, np.nan if len(self.dates) else 1.0)
        return np.asarray(np.exp(self._logs().sum(axis=0)))

    def counts(self) -> Index:
        """How many returns of each asset were left out."""
        assert self.returns is not None
        return np.asarray(np.count_nonzero(~np.isnan(self.returns), axis=0), dtype=np.intp)

    def _logs(self) -> Array:
        assert self.returns is not None
        with np.errstate(divide="ignore"):
            return np.asarray(np.log1p(np.where(np.isnan(self.returns), 0.0, self.returns)))


def warn_of_left_out(left: LeftOut, kept: Array, assets: pd.Index[Any]) -> None:
    """Warn where alignment left out much of an asset's growth.

    Parameters
    ----------
    left : LeftOut
        What was left out.
    kept : array, shape (T, N)
        The returns that were not; only counted.
    assets : Index
        N labels.
    """
    rows = len(left.dates)
    if left.returns is None or rows < _FEWEST_ROWS or rows <= _SHARE * (rows + len(kept)):
        return
    counts = left.counts()
    share = counts / np.maximum(counts + np.count_nonzero(~np.isnan(kept), axis=0), 1)
    growth = left.growth(len(assets))
    with np.errstate(divide="ignore"):
        size = np.where(share > _SHARE, np.abs(np.log(growth)), 0.0)
    worst = int(np.argmax(size)) if len(size) else 0
    if not len(size) or not size[worst] > _MATERIAL:
        return
    warnings.warn(
        f"{assets[worst]} grew {growth[worst]:.4g} x in {counts[worst]:,} rows on dates that factors or the risk-free "
        f"rate lack, which are left out (of {int((size > _MATERIAL).sum()):,} asset(s) more than 1 %; left_out lists "
        "them); pass unmatched=rm.COMPOUND to compound them into the next common row.",
        LeftOutWarning,
        stacklevel=4,
    )


def warn_of_rows(lost: int, kept: int) -> None:
    """Warn where many rows of returns outside memory are left out, whose growth is not known."""
    if lost < _FEWEST_ROWS or lost <= _SHARE * (lost + kept):
        return
    warnings.warn(
        f"{lost:,} rows of the assets are on dates that factors or the risk-free rate lack, and are left out, beside "
        f"{kept:,} that are not; how much the assets grew in them is not known. In memory, unmatched=rm.COMPOUND "
        "compounds them into the next common row.",
        LeftOutWarning,
        stacklevel=5,
    )


def compounded(table: ReturnFrame, dates: pd.DatetimeIndex, closed: Closed) -> tuple[Array, Array, NDArray[np.intp]]:
    """Compound returns over the rows after each date up to the next, of a table that has all these dates.

    Rows before the first date and after the last are left out. A return that is missing makes that of its span missing,
    unless the column is closed on its date.

    Parameters
    ----------
    table : ReturnFrame
        N columns.
    dates : DatetimeIndex
        T dates, increasing.
    closed : callable
        `on_most_unmatched` or `on_its_weekday`.

    Returns
    -------
    tuple
        Compounded returns, shape (T, N); the rows of the table from the first date to the last, shape (R, N); and the
        position in `dates` of the end of the span of each.
    """
    first, stop = table.dates.get_indexer(dates[[0, -1]])
    numbers = table.numbers[first : stop + 1]
    span = np.asarray(dates.searchsorted(table.dates[first : stop + 1]), dtype=np.intp)
    own = dates[span] == table.dates[first : stop + 1]
    out = np.array(numbers[own], order="F")
    if own.all():
        return out, numbers, span
    absent = closed(numbers, own, table.dates[first : stop + 1])
    filled = np.where(~own[:, None] & np.isnan(numbers) & absent, 0.0, numbers)
    starts = np.searchsorted(span, np.arange(len(dates)))
    several = np.diff(np.append(starts, len(span))) > 1
    out[several] = (np.multiply.reduceat(1.0 + filled, starts, axis=0) - 1.0)[several]
    return out, numbers, span


def on_most_unmatched(numbers: Array, own: Flags, _: pd.DatetimeIndex) -> Flags:
    """Which columns have no value on most unmatched dates between their first and their last value, shape (N,)."""
    known = ~np.isnan(numbers)
    alive = np.maximum.accumulate(known, axis=0) & np.maximum.accumulate(known[::-1], axis=0)[::-1]
    unmatched = np.count_nonzero(alive[~own], axis=0)
    return np.asarray(2 * np.count_nonzero(known[~own], axis=0) < unmatched)


def on_its_weekday(numbers: Array, _: Flags, dates: pd.DatetimeIndex) -> Flags:
    """Where a column never has a value on that day of the week, as factors at weekends, shape (R, N).

    Any other value that a factor or a rate lacks is missing, and not a day on which its market is closed.
    """
    known, weekday = ~np.isnan(numbers), dates.day_of_week.to_numpy()
    seen = np.array([known[weekday == day].any(axis=0) for day in range(7)])
    return np.asarray(~seen[weekday])
