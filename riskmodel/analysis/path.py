"""Weights through time."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Flags, Index, floats
from riskmodel._core.dates import date_labels, read_stamps
from riskmodel._core.weights import read_weights
from riskmodel.analysis.market import Market
from riskmodel.analysis.weighting import BUY_AND_HOLD, Weighting
from riskmodel.errors import DuplicateDatesError, ImpossibleReturnsError, InvalidParameterError, UnknownDateError
from riskmodel.horizon import Horizon
from riskmodel.portfolio.book import Book
from riskmodel.portfolio.portfolio import Portfolio


@final
@frozen(eq=False)
class Plan:
    """Weights by asset from some dates on.

    Attributes
    ----------
    dates : DatetimeIndex, optional
        The dates at whose end the weights are bought; None for weights from the beginning.
    assets : pandas.Index
        Labels.
    weights : array, shape (dates or 1, assets)
        Dollars per dollar of the portfolio.
    legs : array, shape (K,), or None
        Positions in factors.
    cash : float
        Weight of a cash leg.
    """

    dates: pd.DatetimeIndex | None
    assets: pd.Index[Any]
    weights: Array
    legs: Array | None = None
    cash: float = 0.0

    @classmethod
    def of_portfolio(cls, portfolio: Portfolio) -> Self:
        """What a portfolio holds from the beginning."""
        w = portfolio.weights
        return cls(None, w.index, floats(w)[None], floats(portfolio.legs), portfolio._own_cash())

    @classmethod
    def read(cls, weights: Any, horizon: Horizon) -> Self:
        """Read weights by asset, or by date and asset, or a book, which is bought at the end of its date.

        Raises
        ------
        InvalidParameterError
            For anything else, and for weights that are not finite.
        InvalidDatesError, DuplicateDatesError, DuplicateLabelsError
            For a table whose rows are not labelled by dates, or labels that occur twice.
        """
        if isinstance(weights, Book):
            held = weights.weights
            return cls.read(held if weights.date is None else held.to_frame(weights.date).T, horizon)
        if not isinstance(weights, pd.DataFrame):
            read = read_weights(weights, "weights", "asset")
            return cls(None, read.index, floats(read)[None])
        dates = date_labels(read_stamps(weights.index, "weights", horizon, None), horizon)
        if not dates.is_unique:
            twice = list(dates[dates.duplicated()].unique())
            raise DuplicateDatesError(
                f"expected weights once per row of the panel, got several for {labels.listing(twice)}; drop "
                "all but one.",
                dates=twice,
            )
        values, assets = floats(weights), labels.unique(weights.columns, "weights by asset")
        if not np.isfinite(values).all():
            raise InvalidParameterError(
                "expected finite weights by date and asset, got infinite or missing ones; write 0 for what is not "
                "held.",
                parameter="weights",
            )
        order = np.argsort(dates)
        return cls(pd.DatetimeIndex(dates[order]), assets, values[order])

    def weights_of(self, assets: pd.Index[Any]) -> Array:
        """Weights in the columns of other labels, which contain those of the plan."""
        spread = np.zeros((len(self.weights), len(assets)))
        spread[:, assets.get_indexer(self.assets)] = self.weights
        return spread

    def first_after(self, dates: pd.DatetimeIndex) -> int:
        """How many dates are before there are weights: a date's weights are bought at its end."""
        if self.dates is None:
            return 0
        known = int((dates <= self.dates[0]).sum()) if len(self.dates) else len(dates)
        if known >= len(dates):
            raise UnknownDateError(
                f"expected weights of a date before {dates[-1].date()}, the last of the window, got none; weights of a "
                "date are bought at its end, so returns of later dates are theirs.",
                dates=len(self.dates),
            )
        return known

    def rows(self, dates: pd.DatetimeIndex) -> Index:
        """The row of weights that is the latest of an earlier date, for each date."""
        if self.dates is None:
            return np.zeros(len(dates), dtype=np.intp)
        return np.asarray(np.searchsorted(self.dates, dates, side="left") - 1, dtype=np.intp)


@final
@frozen(eq=False)
class Path:
    """Weights of assets (T × N), positions in factors (T × K) and cash (T) over the return of each date."""

    weights: Array
    legs: Array
    cash: Array

    @classmethod
    def of(cls, plan: Plan, market: Market, weighting: Weighting, counted: Flags) -> Self:
        """Follow a plan over the dates of a market.

        Parameters
        ----------
        plan : Plan
            Of some of the market's assets.
        market : Market
            T dates.
        weighting : Weighting
            What happens between the dates of the plan.
        counted : array of bool, shape (T, N)
            Whether an asset's return on a date counts; weights drift with those that do.
        """
        rows, stated = plan.rows(market.dates), plan.weights_of(market.assets)
        t, k = len(market.dates), len(market.factors)
        legs = np.zeros(k) if plan.legs is None else plan.legs
        if weighting is not BUY_AND_HOLD:
            return cls(stated[rows], np.tile(legs, (t, 1)), np.full(t, plan.cash))
        path = cls(np.empty((t, len(market.assets))), np.empty((t, k)), np.empty(t))
        total = np.where(counted, market.excess_returns + market.risk_free[:, None], 0.0)
        of_legs = np.nan_to_num(market.factor_returns) + np.outer(market.risk_free, market.funded)
        w, h, c, bought = stated[rows[0]], legs, plan.cash, rows[0]
        for i, row in enumerate(rows):
            if row != bought:
                w, h, c, bought = stated[row], legs, plan.cash, row
            path.weights[i], path.legs[i], path.cash[i] = w, h, c
            w, h, c = _grown(w, h, c, (total[i], of_legs[i], market.risk_free[i]), market.funded)
        return path

    def minus(self, other: Path) -> Path:
        """These weights less others."""
        return Path(self.weights - other.weights, self.legs - other.legs, self.cash - other.cash)

    def counting(self, flags: Flags) -> Path:
        """With weights of zero where an asset does not count."""
        return Path(np.where(flags, self.weights, 0.0), self.legs, self.cash)

    def take(self, dates: Flags) -> Path:
        """On some of the dates."""
        return Path(self.weights[dates], self.legs[dates], self.cash[dates])


def _grown(
    w: Array, h: Array, c: float, returns: tuple[Array, Array, float], funded: Flags
) -> tuple[Array, Array, float]:
    """Weights after the returns of one date: of assets, of positions in factors, and of cash."""
    of_assets, of_legs, rate = returns
    growth = 1.0 + float(w @ of_assets + h @ of_legs + c * rate)
    if not growth > 0:
        raise ImpossibleReturnsError(
            f"expected a portfolio that keeps some of its value, got a return of {growth - 1:.4g} on one date; what is "
            "bought and held is then gone: use rm.REBALANCED.",
            growth=growth,
        )
    settled = float((h * of_legs)[~funded].sum())
    return w * (1.0 + of_assets) / growth, h * (1.0 + of_legs) / growth, (c * (1.0 + rate) + settled) / growth
