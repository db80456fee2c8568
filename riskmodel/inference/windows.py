"""Two windows: what each date adds to the difference of a figure in one and in the other."""

from __future__ import annotations

from typing import Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import Array, Index
from riskmodel.errors import InvalidParameterError, NotEstimatedError
from riskmodel.inference.covariance.base import DateTerms
from riskmodel.model.model import FactorModel
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.portfolio import Portfolio
from riskmodel.portfolio.strategy import Strategy

# The fewest dates, weighted by what they add, that one of two windows has and the other has not.
_FEWEST = 30


@final
@frozen(eq=False)
class TwoWindows:
    """The dates of two windows, which may overlap: dates of both add the difference of what they add to each.

    Attributes
    ----------
    n : int
        Dates of both together.
    later, earlier : array of int, shape (T,), (S,)
        Where the dates of each are among these.
    """

    n: int
    later: Index
    earlier: Index

    @classmethod
    def of(cls, later: pd.DatetimeIndex, earlier: pd.DatetimeIndex) -> Self:
        """Merge the dates of two windows."""
        every = later.union(earlier)
        return cls(len(every), every.get_indexer(later), every.get_indexer(earlier))

    def less(self, first: DateTerms, second: DateTerms) -> DateTerms:
        """Return the terms of a figure in the later window less that in the earlier one."""
        amplitude = np.abs(self._on(self.later, first.amplitude) - self._on(self.earlier, second.amplitude))
        fourth = float(np.sum(amplitude**4))
        n = float(np.sum(amplitude**2)) ** 2 / fourth if fourth > 0.0 else 0.0
        if n < _FEWEST:
            raise NotEstimatedError(
                f"expected windows of which {_FEWEST} dates or more are not in both, got {n:.0f}: so few say nothing "
                "of the error of a change; pass windows that are further apart.",
                minimum=_FEWEST,
                dates=n,
            )
        by_date = self._on(self.later, first.by_date[0]) - self._on(self.earlier, second.by_date[0])
        least = float(min(np.min(first.n), np.min(second.n), n))
        return DateTerms(by_date[None], amplitude, least, first.n_parameters, self._classical(first, second))

    def _on(self, at: Index, values: Array) -> Array:
        out = np.zeros(self.n)
        out[at] = values
        return out

    def _classical(self, first: DateTerms, second: DateTerms) -> Array | None:
        """Independent windows have the sum of the variances; of overlapping ones it is not known."""
        apart = not np.intersect1d(self.later, self.earlier).size
        known = first.classical is not None and second.classical is not None
        return np.asarray(first.classical + second.classical) if apart and known else None  # type: ignore[operator]


def in_model(portfolio: Portfolio, model: FactorModel) -> Portfolio:
    """Return the same weights and legs in another model."""
    other = model.at(portfolio.horizon)
    if list(other.factors) != list(portfolio.model.factors):
        raise InvalidParameterError(
            f"expected models of the same factors, got {list(other.factors)} and {list(portfolio.model.factors)}.",
            parameter="before",
            got=list(other.factors),
        )
    return rebuilt(portfolio, other)


def rebuilt(portfolio: Portfolio, model: FactorModel) -> Portfolio:
    """Return the same weights and legs in a model of the same factors, at its horizon."""
    bare, legs = Strategy(portfolio.weights, model), portfolio.legs
    return bare if isinstance(portfolio, Strategy) else HedgedPortfolio(bare, legs[legs != 0])
