"""What is held: a portfolio with its dollars, and its holdings as exposures and weights."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index
from riskmodel.errors import InvalidParameterError, UnknownAssetError
from riskmodel.horizon import Horizon
from riskmodel.portfolio.portfolio import Portfolio
from riskmodel.portfolio.position import Position


@final
@frozen(eq=False)
class Holding:
    """A portfolio and what one unit of it is worth: dollars for a position, 1 for returns.

    Attributes
    ----------
    portfolio : Portfolio
        What is held.
    capital : float
        Dollars of strategy, or 1.
    unit : str
        ``"dollars"`` or ``"return"``.
    """

    portfolio: Portfolio
    capital: float
    unit: str

    def unit_per(self, horizon: Horizon) -> str:
        """Return the unit of figures over a horizon, such as ``"dollars per day"``."""
        return f"{self.unit} per {horizon}"

    @classmethod
    def of(cls, value: Any) -> Self:
        """Read a portfolio or a position, or raise."""
        if isinstance(value, Position):
            return cls(value.portfolio, float(value.capital), "dollars")
        if isinstance(value, Portfolio):
            return cls(value, 1.0, "return")
        raise InvalidParameterError(
            f"expected a Strategy, a HedgedPortfolio or a Position, got {type(value).__name__}.",
            parameter="holding",
            got=type(value).__name__,
        )


@final
@frozen(eq=False)
class Holdings:
    """The M holdings of a portfolio: assets, then legs; a leg with the label of an asset is that asset.

    Attributes
    ----------
    names : Index
        M labels.
    exposures : array, shape (M, K)
        Of each holding, with its weight.
    weights : array, shape (M,)
        Of the holding's asset; zero for a factor that is held itself.
    legs : array, shape (M, K)
        Positions in the factors themselves.
    at : array of int, shape (M,)
        The position of the holding's asset in the model; 0 for a factor that is held itself, whose weight is zero.
    """

    names: pd.Index[Any]
    exposures: Array
    weights: Array
    legs: Array
    at: Index

    @classmethod
    def of(cls, portfolio: Portfolio) -> Self:
        """Read the holdings of a portfolio."""
        weights, legs = portfolio.weights, portfolio.legs
        model, held = portfolio.model, legs[legs != 0]
        extra = held.index.difference(weights.index, sort=False)
        names = weights.index.append(extra) if len(extra) else weights.index
        m = len(names)
        own, at = np.zeros(m), np.zeros(m, dtype=np.intp)
        own[: len(weights)] = weights
        at[: len(weights)] = labels.positions(weights.index, model.assets, "asset", UnknownAssetError)
        positions = np.zeros((m, len(model.factors)))
        positions[names.get_indexer(held.index), model.factors.get_indexer(held.index)] = held
        return cls(names, own[:, None] * model._loadings[at] + positions, own, positions, at)
