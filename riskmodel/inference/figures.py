"""The figures of a portfolio, each with its gradient and the way its interval is made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Self, final

import numpy as np
from attrs import define, evolve, frozen

from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array
from riskmodel.horizon import Horizon
from riskmodel.inference.bounds import Bounds, Reciprocal, RootOfVariance, Share, Spread, Symmetric
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.estimand import LONG_RUN, THIS_WINDOW, Estimand
from riskmodel.inference.fitted import Fitted
from riskmodel.inference.gradient import Gradient
from riskmodel.inference.influence import PortfolioInfluence
from riskmodel.panel.factors import PortfolioFactor
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.portfolio import Portfolio
from riskmodel.portfolio.strategy import Strategy


@final
@frozen(eq=False)
class Figure:
    """One row of a table of figures, per row of the panel.

    Attributes
    ----------
    name : str
        As the table prints it.
    estimate : float
        The library's figure.
    gradient : Gradient
        Of what `bounds` takes: the figure, its variance, or its logit.
    bounds : Bounds
        How the interval is made.
    estimand : Estimand
        What it covers.
    power : float
        The figure grows with this power of the horizon.
    slope : float
        The derivative of the figure by what the gradient is of.
    """

    name: str
    estimate: float
    gradient: Gradient
    bounds: Bounds
    estimand: Estimand
    power: float = 0.0
    slope: float = 1.0


@final
@define(eq=False, slots=False)
class PortfolioFigures:
    """Figures of a portfolio whose weights, and legs of a hedge, are given."""

    portfolio: Portfolio
    influence: PortfolioInfluence
    covariance: LongRunCovariance
    budget: RiskBudget | None
    alpha: float
    exposures: Array
    factor_mean: Array
    factor_covariance: Array
    idio: float
    horizon: Horizon  # of a row

    @classmethod
    def of(
        cls, fitted: Fitted, portfolio: Portfolio, covariance: LongRunCovariance, budget: RiskBudget | None = None
    ) -> Self:
        """Read a portfolio's parameters off its model, and their influence functions off the panel."""
        held = fitted.held(portfolio)
        w, legs = np.asarray(portfolio.weights), portfolio.legs.to_numpy()
        return cls(
            portfolio=portfolio,
            influence=PortfolioInfluence.of(held, fitted.select(held.assets), w, covariance.leverage_power),
            covariance=covariance,
            budget=budget
            if budget is None
            else require(budget, RiskBudget, "budget", "such as rm.RiskBudget(1e6, rm.MONTH)"),
            alpha=float(held._alpha @ w),
            exposures=held._loadings.T @ w + legs,
            factor_mean=held._factor_mean,
            factor_covariance=held._factor_covariance,
            idio=float(held._idio_variance @ (w * w)),
            horizon=fitted.model.horizon,
        )

    def __iter__(self) -> Iterator[Figure]:
        yield Figure("alpha", self.alpha, self._unit(alpha=1.0), Symmetric(self.alpha), LONG_RUN, 1.0)
        yield self.linear("expected return", self._mean, self._of_mean, 1.0)
        yield from self._by_factor("exposure", 1.0)
        if self.has_hedge:
            yield from self._by_factor("hedge", -1.0)
        yield self.factor_share()
        yield self.volatility()
        yield self.ratio("sharpe", self._mean, self._of_mean, self.variance, self.of_variance)
        if self.has_hedge:
            yield self.hedged_volatility()
            yield self._volatility_on_new_dates()
            yield self._alpha_ratio("hedged sharpe")
        yield self._alpha_ratio("information ratio")
        if self.budget is not None:
            yield from self._capacities(self.budget)

    @cached_property
    def has_hedge(self) -> bool:
        """Whether this is a strategy whose neutral hedge has no risk of its own."""
        definitions = self.portfolio.model.definitions
        plain = all(f.tradable and not isinstance(f, PortfolioFactor) for f in definitions)
        return isinstance(self.portfolio, Strategy) and plain

    # -- figures -----------------------------------------------------------------------------------

    def factor_share(self) -> Figure:
        """The share of the variance from the factors, on the logit scale."""
        a, v = self._explained, self.idio
        share = a / (a + v) if a + v > 0 else 0.0
        plain, k = Gradient.zero(len(self.exposures)), len(self.exposures)
        if not v > 0.0 or not k:
            return Figure("factor share", share, plain, Symmetric(share), THIS_WINDOW)
        noise = float(np.sum(self.factor_covariance * self._coefficient_covariance)) / (k * v)
        if not a > 0.0:
            bounds = Share(share, 0.0, 0.0, k, noise, Spread(0.0, 0.0, 1.0, 1.0))
            return Figure("factor share", share, plain, bounds, THIS_WINDOW)
        of_idio = self._unit(idio=1.0 / v)
        given = plain.plus(self._of_explained_given_loadings, 1.0 / a).plus(of_idio, -1.0)
        gradient = plain.plus(self._of_explained, 1.0 / a).plus(of_idio, -1.0)
        unbiased = self._unbiased_explained
        centre = math.log((unbiased if unbiased > 0 else a) / self.influence.idio_variance)
        bounds = Share(share, centre, self._wald, k, noise, self._spread(given, THIS_WINDOW))
        return Figure("factor share", share, gradient, bounds, THIS_WINDOW, slope=share * (1.0 - share))

    def volatility(self) -> Figure:
        """The root of the variance."""
        bounds = RootOfVariance(max(self._unbiased_explained, 0.0) + self.influence.idio_variance)
        return _volatility("volatility", self.variance, self.of_variance, bounds)

    def hedged_volatility(self) -> Figure:
        """The root of the idio variance: of the neutral portfolio."""
        bounds = RootOfVariance(self.influence.idio_variance)
        return _volatility("hedged volatility", self.idio, self._unit(idio=1.0), bounds)

    def _volatility_on_new_dates(self) -> Figure:
        """What the neutral hedge leaves on dates that it was not estimated on: tr(F Var(b)) more variance."""
        variance = self.influence.idio_variance + float(np.sum(self.factor_covariance * self._coefficient_covariance))
        bounds = RootOfVariance(variance)
        return _volatility("hedged volatility, new dates", variance, self._unit(idio=1.0), bounds)

    def _by_factor(self, what: str, sign: float) -> Iterator[Figure]:
        for j, name in enumerate(self.portfolio.model.factors):
            slope = np.zeros(len(self.exposures))
            slope[j] = sign
            value = sign * float(self.exposures[j])
            yield Figure(f"{what} {name}", value, self._unit(exposures=slope), Symmetric(value), THIS_WINDOW)

    def linear(self, name: str, value: float, gradient: Gradient, power: float) -> Figure:
        """A figure of the long run, with a symmetric interval."""
        return Figure(name, value, gradient, Symmetric(value), LONG_RUN, power)

    def _alpha_ratio(self, name: str) -> Figure:
        return self.ratio(name, self.alpha, self._unit(alpha=1.0), self.idio, self._unit(idio=1.0))

    def ratio(self, name: str, mean: float, of_mean: Gradient, variance: float, of_variance: Gradient) -> Figure:
        """A mean over the root of a variance."""
        if not variance > 0:
            return self.linear(name, math.nan, Gradient.zero(len(self.exposures)), 0.5)
        volatility = math.sqrt(variance)
        ratio = mean / volatility
        gradient = of_mean.times(1.0 / volatility).plus(of_variance, -ratio / (2.0 * variance))
        return self.linear(name, ratio, gradient, 0.5)

    def _capacities(self, budget: RiskBudget) -> Iterator[Figure]:
        """Capital that the volatility limit allows, at most what the other limits do."""
        amount = float(budget.volatility)
        chosen = [("capacity", self.volatility())]
        if self.has_hedge:
            chosen.append(("hedged capacity", self.hedged_volatility()))
        for name, figure in chosen:
            most = _most_of_others(budget, self.portfolio)
            own = figure.estimate * math.sqrt(budget.horizon.in_units_of(self.horizon))
            scale = amount / math.sqrt(budget.horizon.in_units_of(self.horizon))
            capital = min(amount / own, most) if own > 0 else most
            bounds = Reciprocal(figure.bounds, scale, figure.estimate, most)
            yield Figure(name, capital, figure.gradient, bounds, THIS_WINDOW)

    # -- what they are made of ---------------------------------------------------------------------

    @cached_property
    def _mean(self) -> float:
        return float(self.alpha + self.exposures @ self.factor_mean)

    @cached_property
    def _explained(self) -> float:
        return float(self.exposures @ self.factor_covariance @ self.exposures)

    @cached_property
    def variance(self) -> float:
        """The variance, per row."""
        return self._explained + self.idio

    @cached_property
    def _coefficient_covariance(self) -> Array:
        """The covariance of the exposures, robust to changing variance."""
        slopes = self.influence.coefficients[1:]
        return np.asarray(slopes @ slopes.T)

    @cached_property
    def _unbiased_explained(self) -> float:
        """X'Fx less the noise of x, as adjusted R² takes it off."""
        return self._explained - float(np.sum(self.factor_covariance * self._coefficient_covariance))

    @cached_property
    def _wald(self) -> float:
        x = self.exposures
        return float(x @ np.linalg.lstsq(self._coefficient_covariance, x, rcond=None)[0])

    @cached_property
    def _of_mean(self) -> Gradient:
        return self._unit(alpha=1.0, exposures=self.factor_mean, factor_mean=self.exposures)

    @cached_property
    def _of_explained(self) -> Gradient:
        moved = self._unit(exposures=2.0 * self.factor_covariance @ self.exposures)
        return moved.plus(self._of_explained_given_loadings)

    @cached_property
    def _of_explained_given_loadings(self) -> Gradient:
        return self._unit(factor_covariance=np.outer(self.exposures, self.exposures))

    @cached_property
    def of_variance(self) -> Gradient:
        """The gradient of the variance."""
        return self._of_explained.plus(self._unit(idio=1.0))

    def _unit(self, **parts: Any) -> Gradient:
        return evolve(Gradient.zero(len(self.exposures)), **parts)

    def _spread(self, gradient: Gradient, estimand: Estimand) -> Spread:
        return Spread.of(self._terms(gradient), self.covariance.about(estimand))

    def _terms(self, gradient: Gradient) -> DateTerms:
        return self.influence.terms(gradient, self.factor_covariance)

    def spread(self, figure: Figure) -> Spread:
        """The spread of what a figure's bounds take."""
        return self._spread(figure.gradient, figure.estimand)

    def linear_terms(self, figure: Figure) -> DateTerms:
        """What each date adds to the error of a figure as it is printed."""
        return self._terms(figure.gradient.times(figure.slope))

    def row(self, figure: Figure, estimate: float, error: float, low: float, high: float) -> dict[str, Any]:
        """The row of the table, at the portfolio's horizon, of numbers per row of the panel."""
        scale = float(self.portfolio.horizon.in_units_of(self.horizon) ** figure.power)
        numbers = {"estimate": estimate, "std_error": error, "low": low, "high": high}
        return {"figure": figure.name, **{k: v * scale for k, v in numbers.items()}, "of": str(figure.estimand)}


def _volatility(name: str, variance: float, gradient: Gradient, bounds: RootOfVariance) -> Figure:
    value = math.sqrt(variance)
    return Figure(name, value, gradient, bounds, THIS_WINDOW, 0.5, 0.5 / value if value > 0 else 0.0)


def _most_of_others(budget: RiskBudget, portfolio: Portfolio) -> float:
    """Return the capital that the further limits allow, infinite without any."""
    if not budget.limits:
        return math.inf
    first, *others = budget.limits
    uses = [limit.use(portfolio) / float(limit.amount) for limit in (first, *others)]
    return 1.0 / max(uses) if max(uses) > 0 else math.inf
