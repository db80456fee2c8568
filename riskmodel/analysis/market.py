"""What assets and factors returned on some dates, and the loadings that were known before each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Flags, Index
from riskmodel.errors import TooFewObservationsError, UnknownAssetError
from riskmodel.model.history import ModelHistory
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import within
from riskmodel.panel.memory import ReturnPanel, returns_on


@final
@frozen(eq=False)
class Loadings:
    """Alphas (N) per row of the panel and loadings (N × K), for some consecutive dates; NaN where not estimated.

    `window` is the number of the model in its history, 0 for one alone.
    """

    rows: slice
    window: int
    alpha: Array
    loadings: Array


@final
@frozen(eq=False)
class Market:
    """Returns of N assets and K factors on T dates, with the loadings of each date.

    Attributes
    ----------
    dates : DatetimeIndex
        T dates.
    assets, factors : pandas.Index
        N and K labels.
    excess_returns : array, shape (T, N)
        NaN where missing.
    risk_free : array, shape (T,)
        Rate.
    factor_returns : array, shape (T, K)
        NaN where missing, and where the date's model does not have the factor.
    funded : array of bool, shape (K,)
        Whether a position in the factor costs cash.
    loadings : tuple of Loadings
        In order, for all dates.
    source : FactorModel or ModelHistory
        The one model of all dates, or their models.
    """

    dates: pd.DatetimeIndex
    assets: pd.Index[Any]
    factors: pd.Index[Any]
    excess_returns: Array
    risk_free: Array
    factor_returns: Array
    funded: Flags
    loadings: tuple[Loadings, ...]
    source: FactorModel | ModelHistory

    @classmethod
    def of_model(cls, model: FactorModel, panel: ReturnPanel, assets: pd.Index[Any], rows: slice) -> Self:
        """With one model on all rows, which is at the panel's horizon."""
        held = model.restrict(assets.to_list())
        every = slice(0, len(panel.dates[rows]))
        return cls(
            panel.dates[rows],
            assets,
            model.factors,
            panel.select(assets, []).arrays()[0][rows],
            panel.arrays()[2][rows],
            returns_on(panel, model.definitions, rows),
            np.array(model.funded, dtype=bool),
            (Loadings(every, 0, held._alpha, held._loadings),),
            model,
        )

    @classmethod
    def of_history(cls, history: ModelHistory, assets: pd.Index[Any], start: Any, end: Any) -> Self:
        """With the latest model of an earlier date, on each date of a window after the first model."""
        panel, e = history.panel, history._estimates
        inside = np.flatnonzero(within(panel, start, end))
        rows = np.arange(max(inside[0], history._stops[0]), inside[-1] + 1)
        if not len(rows):
            raise TooFewObservationsError(
                f"expected dates after the first model, of {history.dates[0].date()}, got none; widen the window.",
                dates=0,
            )
        columns = labels.positions(assets, panel.assets, "asset", UnknownAssetError)
        latest = np.searchsorted(history._stops, rows, side="right") - 1
        factors = np.full((len(rows), len(history.factors)), np.nan)
        spans = []
        for d, first, last in _runs(latest):
            own = history._definitions_of(d)
            at = history.factors.get_indexer(pd.Index([f.name for f in own]))
            some = slice(int(rows[first]), int(rows[last - 1]) + 1)
            factors[first:last, at] = returns_on(panel, own, some)
            alpha = history.horizon.scale_mean(e.parameters[d, 0, columns], to=panel.horizon)
            spans.append(Loadings(slice(first, last), d, np.asarray(alpha), e.parameters[d, 1:, columns]))
        return cls(
            panel.dates[rows],
            assets,
            history.factors,
            panel.arrays()[0][rows][:, columns],
            panel.arrays()[2][rows],
            factors,
            _funded(history),
            tuple(spans),
            history,
        )

    @property
    def has_return(self) -> Flags:
        """T × N."""
        return ~np.isnan(self.excess_returns)

    @property
    def is_estimated(self) -> Flags:
        """Whether the date's model has the asset, T × N."""
        known = np.empty(self.excess_returns.shape, dtype=bool)
        for span in self.loadings:
            known[span.rows] = ~np.isnan(span.alpha)
        return known

    @property
    def has_factors(self) -> Flags:
        """Whether all factors of the date's model have a return, shape (T,)."""
        missing = np.isnan(self.factor_returns)
        for span in self.loadings:
            missing[span.rows] &= ~np.isnan(span.loadings).all(axis=0)
        return np.asarray(~missing.any(axis=1))

    def take(self, dates: Flags) -> Self:
        """The market of some of its dates."""
        before = np.concatenate([[0], np.cumsum(dates)])
        spans = [
            Loadings(slice(int(before[s.rows.start]), int(before[s.rows.stop])), s.window, s.alpha, s.loadings)
            for s in self.loadings
        ]
        return type(self)(
            self.dates[dates],
            self.assets,
            self.factors,
            self.excess_returns[dates],
            self.risk_free[dates],
            self.factor_returns[dates],
            self.funded,
            tuple(span for span in spans if span.rows.stop > span.rows.start),
            self.source,
        )

    def known(self) -> Self:
        """The same with zeros for what is not known, and so is not held."""
        spans = [Loadings(s.rows, s.window, np.nan_to_num(s.alpha), np.nan_to_num(s.loadings)) for s in self.loadings]
        return type(self)(
            self.dates,
            self.assets,
            self.factors,
            np.nan_to_num(self.excess_returns),
            self.risk_free,
            np.nan_to_num(self.factor_returns),
            self.funded,
            tuple(spans),
            self.source,
        )


def _runs(latest: Index) -> Iterator[tuple[int, int, int]]:
    """Yield each model, and the first and the row after the last of its rows."""
    edges = np.flatnonzero(np.diff(latest, prepend=latest[0] - 1, append=latest[-1] + 1))
    for first, last in pairwise(edges):
        yield int(latest[first]), int(first), int(last)


def _funded(history: ModelHistory) -> Flags:
    known = {f.name: bool(f.funded) for own in history._definitions for f in own}
    return np.array([known[name] for name in history.factors], dtype=bool)
