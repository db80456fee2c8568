"""Dates on which something held has no return, and which asset is the reason for most of them."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import Array, Flags
from riskmodel.errors import MissingDatesWarning
from riskmodel.panel.memory import ReturnPanel

# Of a window, the share of dates on which all that is held has returns: with fewer, it is of a few days of a listing.
WHOLE_WINDOW = 0.9


@final
@frozen
class FewestReturns:
    """The asset of several with the fewest returns.

    Attributes
    ----------
    asset : label
        Which.
    count : int
        Of its returns.
    first, last : Timestamp or None
        Dates of the first and the last; None without a return.
    is_until_end : bool
        Whether the last is on the last date of all.
    """

    asset: Any
    count: int
    first: pd.Timestamp | None
    last: pd.Timestamp | None
    is_until_end: bool

    @classmethod
    def of(cls, returns: Array, assets: pd.Index[Any], dates: pd.DatetimeIndex) -> Self | None:
        """Find it among returns, dates × assets, NaN where there is none; None where each has all."""
        known = ~np.isnan(returns)
        counts = known.sum(axis=0)
        if not len(counts) or counts.min() == len(dates):
            return None
        column = int(np.argmin(counts))
        rows = np.flatnonzero(known[:, column])
        if not len(rows):
            return cls(assets[column], 0, None, None, False)
        first, last = int(rows[0]), int(rows[-1])
        return cls(assets[column], len(rows), dates[first], dates[last], last == len(dates) - 1)

    @classmethod
    def held(cls, weights: pd.Series[float], panel: ReturnPanel) -> Self | None:
        """Find it among the assets with a weight other than zero."""
        held = panel.select(weights.index[weights != 0], [])
        return cls.of(held.arrays()[0], held.assets, held.dates)

    def __str__(self) -> str:
        if self.first is None or self.last is None:
            return f"{self.asset} has no return"
        to = "on" if self.is_until_end else f"to {self.last.date()}"
        return f"{self.asset} has {self.count:,} returns, from {self.first.date()} {to}"


def missing_dates(known: Flags, returns: Array, assets: pd.Index[Any], dates: pd.DatetimeIndex) -> MissingDatesWarning:
    """Make the warning that a figure is of some dates only.

    Parameters
    ----------
    known : array of bool, shape (T,)
        The dates that count.
    returns : array, shape (T, N)
        Of what is held.
    assets : Index
        N labels.
    dates : DatetimeIndex
        T dates.
    """
    missing, fewest = int((~known).sum()), FewestReturns.of(returns, assets, dates)
    return MissingDatesWarning(
        f"left out {missing:,} of {len(dates):,} dates, on which something held has no return"
        + (f": {fewest}" if fewest else "")
        + "; choose dates on which all has returns, or leave the asset out, for figures of the same dates.",
        missing=missing,
        dates=len(dates),
        fewest=None if fewest is None else fewest.asset,
    )
