"""What happens to a chunk of returns where it lies: it is looked at, aligned, and reduced to moments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Self, final

import numpy as np
import pandas as pd
from attrs import evolve, fields, frozen

from riskmodel._core.arrays import Array, Counts, Flags, Index
from riskmodel._core.checks import LARGEST, doubtful_size, rows_looked_at
from riskmodel.estimation.base import MomentEstimator as Estimator
from riskmodel.estimation.moments.regressions import Regressions
from riskmodel.estimation.moments.value import Moments
from riskmodel.panel.memory import ReturnPanel

# Rows or columns that are copied at a time.
_FEW = 64
# Before the first date: what is wrong whenever it is.
_NEVER_RIGHT = -1


@final
@frozen(eq=False)
class Stretch:
    """What is known of the dates of some rows before their returns are read.

    Attributes
    ----------
    rank : array of int, shape (T,)
        Where each row stands among all rows, in order of their dates.
    end : int
        How many rows there are in all.
    looked_at : array of bool, shape (T,)
        Rows that tell typical sizes.
    large : float
        From where on a size is typical of no returns.
    rows, at : array of int
        The rows that the panel keeps, in order of their dates, and where those stand among the panel's dates.
    panel : ReturnPanel
        Of the dates kept and no asset; its factors are orthonormal over all dates.
    weights : array, optional
        Of the dates kept.
    """

    rank: Index
    end: int
    looked_at: Flags
    large: float
    rows: Index
    at: Index
    panel: ReturnPanel
    weights: Array | None

    @classmethod
    def cut(
        cls, dates: pd.DatetimeIndex, sizes: Sequence[int], known: ReturnPanel, estimator: Estimator
    ) -> Sequence[Self]:
        """Cut all dates, in the order of the rows, into stretches."""
        rank = np.empty(len(dates), dtype=np.intp)
        rank[np.argsort(dates.to_numpy())] = np.arange(len(dates))
        looked_at = np.zeros(len(dates), dtype=bool)
        looked_at[rows_looked_at(len(dates))] = True
        kept = known.dates.get_indexer(dates)
        q, weights = _orthonormal(known, estimator), estimator.weights(known)
        stretches = []
        for a, b in pairwise(np.cumsum([0, *sizes])):
            own = kept[a:b]
            rows = np.argsort(own)[np.count_nonzero(own < 0) :]
            at = own[rows]
            stretches.append(
                cls(
                    rank=rank[a:b],
                    end=len(dates),
                    looked_at=looked_at[rank[a:b]],
                    large=doubtful_size(known.horizon),
                    rows=rows,
                    at=at,
                    panel=_without_assets(known, at, q),
                    weights=None if weights is None else weights[at],
                )
            )
        return stretches

    def __sizeof__(self) -> int:
        """By which Dask weighs what to send where."""
        return _bytes(self.rank, self.looked_at, self.rows, self.at, *self.panel.arrays())

    def read(self, returns: Array) -> Reading:
        """Reduce the rows of some assets, which are only read."""
        signs = Signs.of(returns, self)
        if not len(self.rows):
            return Reading(None, signs, self.at)
        excess = self._excess(returns)
        excess[:, signs.lost == _NEVER_RIGHT] = np.nan  # which will be refused, and should not warn before
        excess.flags.writeable = False
        names = pd.RangeIndex(excess.shape[1])
        moments = Moments.of(evolve(self.panel, assets=names, excess_returns=excess), self.weights)
        return Reading(moments, signs, self.at[_all_missing(excess)])

    def _excess(self, returns: Array) -> Array:
        """The rows kept, less the risk-free rate, each asset's side by side as a panel keeps them."""
        _, _, free = self.panel.arrays()
        excess = np.empty((len(self.rows), returns.shape[1]), order="F")
        for some in _few(np.arange(len(self.rows))):
            excess[some] = returns[self.rows[some]] - free[some, None]
        return excess


def _orthonormal(known: ReturnPanel, estimator: Estimator) -> Array:
    """The factors in the basis of the moments over all dates, in which stretches are conditioned well."""
    whole, (_, factors, _) = estimator.moments(known), known.arrays()
    return np.asarray(np.linalg.solve(whole.basis.T, (factors - whole.origin).T).T)


def _without_assets(known: ReturnPanel, at: Index, factors: Array) -> ReturnPanel:
    return evolve(
        known,
        dates=known.dates[at],
        assets=pd.RangeIndex(0),
        excess_returns=np.empty((len(at), 0)),
        factor_returns=factors[at],
        risk_free=known.arrays()[2][at],
        dropped=None,
    )


def _all_missing(excess: Array) -> Index:
    """Rows without a return; a few columns tell of nearly all rows that they are not, without a copy of the rest."""
    rows = np.arange(len(excess))
    for columns in _few(np.arange(excess.shape[1])):
        rows = rows[np.isnan(excess[np.ix_(rows, columns)]).all(axis=1)]
        if not len(rows):
            break
    return rows


def _few(lines: Index) -> Iterator[Index]:
    """Some rows or columns, so few at a time that a copy of them is small beside a chunk."""
    for start in range(0, len(lines), _FEW):
        yield lines[start : start + _FEW]


def _bytes(*arrays: Array | Index | Flags | Counts) -> int:
    return sum(a.nbytes for a in arrays)


@final
@frozen(eq=False)
class Signs:
    """By asset, what tells returns from percent, prices and mistakes, however the dates are cut; it adds up.

    Attributes
    ----------
    seen, large : array of int, shape (N,)
        Among the rows looked at, the returns other than zero, and those of a size that is typical of no returns.
    lost : array of int, shape (N,)
        The rank of the first date on which all is lost, after which there can be no returns; past the end where
        there is none, and before the first where a number is impossible whatever follows.
    last : array of int, shape (N,)
        The rank of the last date with a return; -1 where there is none.
    """

    seen: Counts
    large: Counts
    lost: Counts
    last: Counts

    @classmethod
    def of(cls, returns: Array, stretch: Stretch) -> Self:
        """Look at a chunk."""
        sizes = np.abs(returns[stretch.looked_at])
        return cls(
            *(
                x.astype(np.int32)  # of which there are many, and which travel
                for x in (
                    np.count_nonzero(sizes > 0.0, axis=0),
                    np.count_nonzero(sizes >= stretch.large, axis=0),
                    _lost(returns, stretch),
                    _last(returns, stretch.rank),
                )
            )
        )

    def __add__(self, other: Signs) -> Signs:
        """Those of both, of the same assets over different dates."""
        return Signs(
            self.seen + other.seen,
            self.large + other.large,
            np.minimum(self.lost, other.lost),
            np.maximum(self.last, other.last),
        )

    def suspicion(self) -> Array:
        """How surely each asset's numbers are no returns: from 1/2 on they may be, and above 1 they are not."""
        share = self.large / np.maximum(self.seen, 1)
        return np.where(self.lost < self.last, 2.0, share)


def _lost(returns: Array, stretch: Stretch) -> Index:
    first = np.full(returns.shape[1], stretch.end)
    odd = np.flatnonzero(((returns <= -1.0) | (returns > LARGEST)).any(axis=0))
    some = returns[:, odd]
    first[odd] = np.where(some <= -1.0, stretch.rank[:, None], stretch.end).min(axis=0, initial=stretch.end)
    first[odd[((some < -1.0) | (some > LARGEST)).any(axis=0)]] = _NEVER_RIGHT
    return first


def _last(returns: Array, rank: Index) -> Index:
    order = np.argsort(rank)[::-1]
    last = np.where(np.isnan(returns[order[0]]), -1, rank[order[0]])
    for rest in _few(np.flatnonzero(last < 0)):
        there = ~np.isnan(returns[np.ix_(order, rest)])
        last[rest] = np.where(there.any(axis=0), rank[order[there.argmax(axis=0)]], -1)
    return last


@final
@frozen(eq=False)
class Reading:
    """What a chunk says.

    Attributes
    ----------
    moments : Moments or None
        None where the panel keeps none of its dates.
    signs : Signs
        What tells whether these are returns.
    idle : array of int
        Where the dates on which none of its assets has a return stand among the panel's.
    """

    moments: Moments | None
    signs: Signs
    idle: Index

    def __sizeof__(self) -> int:
        """By which Dask weighs what to send where."""
        own = _bytes(self.idle, *(getattr(self.signs, f.name) for f in fields(Signs)))
        if self.moments is None:
            return own
        return own + _bytes(*(getattr(self.moments.regressions, f.name) for f in fields(Regressions)))

    @classmethod
    def merged(cls, readings: Iterable[Self]) -> Self:
        """Those of the same assets over different dates."""
        parts = list(readings)
        moments = [p.moments for p in parts if p.moments is not None]
        return cls(
            reduce(add, moments) if moments else None,
            reduce(add, (p.signs for p in parts)),
            np.concatenate([p.idle for p in parts]),
        )
