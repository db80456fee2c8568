"""Figures in dollars: of what a budget allows, and of a position."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import final

from attrs import frozen

from riskmodel.inference.bounds import Reciprocal, Unknown
from riskmodel.inference.estimand import LONG_RUN, THIS_WINDOW
from riskmodel.inference.figure import Figure
from riskmodel.inference.figures import PortfolioFigures
from riskmodel.inference.gradient import Gradient
from riskmodel.inference.normal_losses import NormalLosses
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.portfolio import Portfolio
from riskmodel.portfolio.position import Position


@final
@frozen(eq=False)
class AtCapacity:
    """The capital that a budget allows, of a portfolio and of its neutral hedge, and the PnL to expect of it.

    Attributes
    ----------
    figures : PortfolioFigures
        Of the portfolio.
    budget : RiskBudget
        With the horizon of the PnL.
    """

    figures: PortfolioFigures
    budget: RiskBudget

    def __iter__(self) -> Iterator[Figure]:
        own = self.figures
        alpha, most = own.unit(alpha=1.0), self._most(own.portfolio)
        yield self._capital("capacity", own.volatility(), most)
        yield self._pnl("expected pnl at capacity", (own.mean, own.of_mean), (own.variance, own.of_variance), most)
        yield self._pnl("factor-adjusted pnl at capacity", (own.alpha, alpha), (own.variance, own.of_variance), most)
        if own.has_hedge:
            # a hedge takes time to make, so only where a limit asks for it
            most = self._most(HedgedPortfolio.neutral(own.portfolio)) if self.budget.limits else most
            yield self._capital("hedged capacity", own.hedged_volatility(), most)
            yield self._pnl("hedged pnl at capacity", (own.alpha, alpha), (own.idio, own.unit(idio=1.0)), most)

    def _most(self, portfolio: Portfolio) -> float:
        """Return the capital that the further limits allow, infinite without any."""
        uses = [limit.use(portfolio) / float(limit.amount) for limit in self.budget.limits]
        return 1.0 / max(uses) if any(use > 0 for use in uses) else math.inf

    @property
    def _rows(self) -> float:
        return self.budget.horizon.in_units_of(self.figures.horizon)

    @property
    def _amount(self) -> float:
        """The volatility limit per row."""
        return float(self.budget.volatility) / math.sqrt(self._rows)

    def _capital(self, name: str, volatility: Figure, most: float) -> Figure:
        bounds = Reciprocal(volatility.bounds, self._amount, volatility.estimate, most)
        capital = _capital(self._amount, volatility.estimate, most)
        slope = -volatility.slope * capital / volatility.estimate if capital < most else 0.0
        return Figure(name, capital, volatility.gradient, bounds, THIS_WINDOW, slope=slope)

    def _pnl(self, name: str, mean: tuple[float, Gradient], variance: tuple[float, Gradient], most: float) -> Figure:
        """Capital times a mean: where the volatility limits it, the limit times a Sharpe ratio."""
        volatility = 0.0 if self.figures.is_riskless else math.sqrt(variance[0])
        capital = _capital(self._amount, volatility, most)
        if not math.isfinite(capital):
            return Figure(name, math.nan, mean[1].times(0.0), Unknown(), LONG_RUN)
        gradient = mean[1].times(capital * self._rows)
        if capital < most:
            gradient = gradient.plus(variance[1], -mean[0] * capital * self._rows / (2.0 * variance[0]))
        return self.figures.linear(name, capital * self._rows * mean[0], gradient, 0.0)


@final
@frozen(eq=False)
class OfPosition:
    """The PnL of the dollars of a position, which are a given number.

    Attributes
    ----------
    figures : PortfolioFigures
        Of its portfolio.
    position : Position
        With the horizon of the PnL.
    tail : float
        Level of value at risk and expected shortfall.
    """

    figures: PortfolioFigures
    position: Position
    tail: float

    def __iter__(self) -> Iterator[Figure]:
        own, capital = self.figures, float(self.position.capital)
        losses = NormalLosses(own, self.position.horizon, self.tail, capital, "dollar ")
        yield losses.multiple("volatility", 1.0)
        size = capital * self.position.horizon.in_units_of(own.horizon)
        yield own.linear("expected pnl", own.mean * size, own.of_mean.times(size), 0.0)
        yield own.linear("factor-adjusted pnl", own.alpha * size, own.unit(alpha=size), 0.0)
        yield from losses


def _capital(amount: float, volatility: float, most: float) -> float:
    return min(amount / volatility, most) if volatility > 0.0 else most
