"""How sure is the hedge in some instruments that leaves the least variance under the model."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel.inference.asset_gradient import AssetGradient, terms_of
from riskmodel.inference.bounds import Spread, Symmetric
from riskmodel.inference.covariance.base import LongRunCovariance
from riskmodel.inference.estimand import LONG_RUN, THIS_WINDOW, Estimand
from riskmodel.inference.figures import PortfolioFigures
from riskmodel.inference.fitted import Fitted
from riskmodel.inference.tables import frame_of
from riskmodel.model.model import FactorModel
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.portfolio import Portfolio


@final
@frozen(eq=False, slots=False)
class InstrumentHedge:
    r"""The weights of `HedgedPortfolio.minimum_variance`, with their gradients in the model's parameters.

    With the holdings of a dollar of each instrument in assets, A (N × M), and its exposures, L (M × K), the hedge h
    solves :math:`G = L F y + A^\top D q = 0` for the exposures y and the holdings q of the hedged portfolio. Its
    derivatives are :math:`dh = -(L F L^\top + A^\top D A)^{-1} dG` with

    .. math:: dG = A^\top dB\, F y + L\, dF\, y + L F\, dB^\top q + A^\top dD\, q.

    Attributes
    ----------
    hedged : HedgedPortfolio
        The strategy with its hedge, in the model at the horizon of the panel.
    figures : PortfolioFigures
        Of the hedged portfolio with its hedge given.
    held : FactorModel
        Of the assets of strategy and instruments, N.
    weights : array, shape (N,)
        q.
    holdings : array, shape (N, M)
        A.
    legs : array, shape (M, K)
        Positions of each instrument in the factors themselves.
    """

    hedged: HedgedPortfolio
    figures: PortfolioFigures
    held: FactorModel
    weights: Array
    holdings: Array
    legs: Array
    fitted: Fitted
    covariance: LongRunCovariance

    @classmethod
    def of(cls, fitted: Fitted, strategy: Portfolio, instruments: Any, covariance: LongRunCovariance) -> Self:
        """Hedge a strategy, and read off what a dollar of each instrument holds."""
        hedged = HedgedPortfolio.minimum_variance(strategy, instruments)
        figures = PortfolioFigures.of(fitted, hedged, covariance)
        instruments = hedged.hedge_weights.index
        names, holdings = dollars_of(strategy, instruments)
        return cls(
            hedged=hedged,
            figures=figures,
            held=fitted.model.restrict(names.to_list()),
            weights=np.asarray(hedged.weights.reindex(names, fill_value=0.0)),
            holdings=holdings,
            legs=np.array([HedgedPortfolio(strategy, {name: 1.0}).legs - strategy.legs for name in instruments]),
            fitted=fitted,
            covariance=covariance,
        )

    def table(self, level: float) -> pd.DataFrame:
        """Return the hedge weights, and what the hedged portfolio is expected to return and to risk."""
        figures = list(self._figures())
        terms = terms_of([f[2] for f in figures], self.fitted, self.held, self.covariance.leverage_power)
        volatility = self.figures.volatility()
        rows = {}
        for (name, value, _, estimand, power), own in zip(figures, terms, strict=True):
            spread = Spread.of(own, self.covariance.about(estimand))
            rows[name] = (value, *Symmetric(value).ends(spread, level), power, estimand)
        if self.hedged.is_riskless:
            rows["sharpe"] = (math.nan, math.nan, math.nan, math.nan, 0.5, LONG_RUN)
        spread = self.figures.spread(volatility)
        # the variance is least, so moving the hedge does not move it
        rows["volatility"] = (volatility.estimate, *volatility.bounds.ends(spread, level), 0.5, THIS_WINDOW)
        return frame_of(rows, self.hedged.horizon.in_units_of(self.figures.horizon))

    def _figures(self) -> Iterator[tuple[str, float, AssetGradient, Estimand, float]]:
        weights = self.hedged.hedge_weights
        for m, (name, weight) in enumerate(weights.items()):
            yield f"hedge {name}", float(weight), self._of_hedge(np.eye(len(weights))[m]), THIS_WINDOW, 0.0
        own = self.figures
        # what a dollar of each instrument is expected to return
        means = self.holdings.T @ self.held._alpha + self._loadings @ own.factor_mean
        mean = AssetGradient.of_portfolio(own.of_mean, self.weights).plus(self._of_hedge(means))
        yield "expected excess return", own.mean, mean, LONG_RUN, 1.0
        if self.hedged.is_riskless:
            return
        variance = AssetGradient.of_portfolio(own.of_variance, self.weights)
        volatility = math.sqrt(own.variance)
        ratio = own.mean / volatility
        gradient = mean.times(1.0 / volatility).plus(variance, -ratio / (2.0 * own.variance))
        yield "sharpe", ratio, gradient, LONG_RUN, 0.5

    def _of_hedge(self, times: Array) -> AssetGradient:
        """The gradient of a combination of the hedge weights."""
        f, y, k = self.figures.factor_covariance, self.figures.exposures, len(self.figures.exposures)
        s = np.linalg.solve(self._variance, times)
        in_assets, in_factors = self.holdings @ s, self._loadings.T @ s
        slopes = -np.outer(in_assets, f @ y) - np.outer(self.weights, f @ in_factors)
        return AssetGradient(
            coefficients=np.column_stack([np.zeros(len(slopes)), slopes]),
            factor_mean=np.zeros(k),
            factor_covariance=-0.5 * (np.outer(in_factors, y) + np.outer(y, in_factors)),
            idio=-in_assets * self.weights,
        )

    @cached_property
    def _loadings(self) -> Array:
        """L."""
        return np.asarray(self.holdings.T @ self.held._loadings + self.legs)

    @cached_property
    def _variance(self) -> Array:
        """Of the instruments, M × M."""
        own = self.holdings.T @ (self.held._idio_variance[:, None] * self.holdings)
        return np.asarray(self._loadings @ self.figures.factor_covariance @ self._loadings.T + own)


def dollars_of(strategy: Portfolio, instruments: pd.Index[Any]) -> tuple[pd.Index[Any], Array]:
    """Return the assets of a strategy and of instruments, N, and what a dollar of each instrument holds, N × M."""
    alone = [HedgedPortfolio(strategy, {name: 1.0}).weights for name in instruments]
    names = strategy.weights.index
    for one in alone:
        names = names.append(one.index.difference(names, sort=False))
    own = strategy.weights.reindex(names, fill_value=0.0)
    columns = [one.reindex(names, fill_value=0.0) - own for one in alone]
    return names, np.column_stack(columns) if columns else np.zeros((len(names), 0))
