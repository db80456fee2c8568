"""The figures of a portfolio, each with its gradient and the way its interval is made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Self, final

import numpy as np
from attrs import define, evolve

from riskmodel._core.arrays import Array
from riskmodel.horizon import Horizon
from riskmodel.inference.bounds import RootOfVariance, Share, Spread, Symmetric, Unknown, is_near_zero
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.estimand import LONG_RUN, THIS_WINDOW, Estimand
from riskmodel.inference.figure import Figure
from riskmodel.inference.fitted import Fitted
from riskmodel.inference.gradient import Gradient
from riskmodel.inference.influence import PortfolioInfluence
from riskmodel.panel.factors import PortfolioFactor
from riskmodel.portfolio.portfolio import Portfolio
from riskmodel.portfolio.strategy import Strategy
from riskmodel.quantities import Volatility


@final
@define(eq=False, slots=False)
class PortfolioFigures:
    """Figures of a portfolio whose weights, and legs of a hedge, are given."""

    portfolio: Portfolio
    influence: PortfolioInfluence
    covariance: LongRunCovariance
    alpha: float
    exposures: Array
    factor_mean: Array
    factor_covariance: Array
    idio: float
    horizon: Horizon  # of a row

    @classmethod
    def of(cls, fitted: Fitted, portfolio: Portfolio, covariance: LongRunCovariance) -> Self:
        """Read a portfolio's parameters off its model, and their influence functions off the panel."""
        held = fitted.held(portfolio)
        w, legs = np.asarray(portfolio.weights), portfolio.legs.to_numpy()
        return cls(
            portfolio=portfolio,
            influence=fitted.influence(held, w, covariance.leverage_power),
            covariance=covariance,
            alpha=float(held._alpha @ w),
            exposures=held._loadings.T @ w + legs,
            factor_mean=held._factor_mean,
            factor_covariance=held._factor_covariance,
            idio=float(held._idio_variance @ (w * w)),
            horizon=fitted.model.horizon,
        )

    def __iter__(self) -> Iterator[Figure]:
        yield Figure("alpha", self.alpha, self.unit(alpha=1.0), Symmetric(self.alpha), LONG_RUN, 1.0)
        yield self.linear("expected excess return", self.mean, self.of_mean, 1.0)
        yield from self._by_factor("exposure", 1.0)
        if self.has_hedge:
            yield from self._by_factor("hedge", -1.0)
        yield self.factor_share()
        yield self.r_squared()
        yield self.volatility()
        yield self.sharpe()
        if self.has_hedge:
            yield self.hedged_volatility()
            yield self._volatility_on_new_dates()
            yield self._alpha_ratio("hedged sharpe")
        yield self._alpha_ratio("information ratio")

    @cached_property
    def has_hedge(self) -> bool:
        """Whether this is a strategy whose neutral hedge has no risk of its own."""
        definitions = self.portfolio.model.definitions
        plain = all(f.tradable and not isinstance(f, PortfolioFactor) for f in definitions)
        return isinstance(self.portfolio, Strategy) and plain

    # -- figures -----------------------------------------------------------------------------------

    def factor_share(self) -> Figure:
        """The share of the variance from the factors, if residuals of assets are uncorrelated."""
        return self._share("factor share", self.idio, self.influence.idio_variance, self.unit(idio=1.0))

    def r_squared(self) -> Figure:
        """The share of the variance from the factors, with the residuals of assets as correlated as they were."""
        residual = self.influence.residual
        return self._share("r squared", residual.variance, residual.unbiased, self.unit(residual=1.0))

    def _share(self, name: str, v: float, unbiased: float, of_v: Gradient) -> Figure:
        """The explained variance over that and v, on the logit scale; `unbiased` is v without degrees of freedom."""
        a, zero, k = self._explained, Gradient.zero(len(self.exposures)), len(self.exposures)
        if math.isnan(v) or self.is_riskless:
            return Figure(name, math.nan, zero, Unknown(), THIS_WINDOW)
        share = a / (a + v) if a + v > 0 else 0.0
        if not v > 0.0 or not k:
            return Figure(name, share, zero, Symmetric(share), THIS_WINDOW)
        noise = float(np.sum(self.factor_covariance * self._coefficient_covariance)) / (k * v)
        if not a > 0.0:
            bounds = Share(share, 0.0, 0.0, k, noise, Spread(0.0, 0.0, 1.0, 1.0))
            return Figure(name, share, zero, bounds, THIS_WINDOW)
        of_log = of_v.times(1.0 / v)
        given = self._of_explained_given_loadings.times(1.0 / a).plus(of_log, -1.0)
        gradient = self._of_explained.times(1.0 / a).plus(of_log, -1.0)
        centre = math.log((self._unbiased_explained if self._unbiased_explained > 0 else a) / unbiased)
        spread = self._spread(given, THIS_WINDOW) if self._is_near_zero else Spread(0.0, 0.0, 1.0, 1.0)
        bounds = Share(share, centre, self._wald, k, noise, spread)
        return Figure(name, share, gradient, bounds, THIS_WINDOW, slope=share * (1.0 - share))

    def volatility(self) -> Figure:
        """The root of the variance; zero where there is none but rounding error."""
        if self.is_riskless:
            return Figure("volatility", 0.0, Gradient.zero(len(self.exposures)), Symmetric(0.0), THIS_WINDOW, 0.5)
        bounds = RootOfVariance(self.unbiased_variance)
        return _volatility("volatility", self.variance, self.of_variance, bounds)

    def sharpe(self) -> Figure:
        """The expected excess return over the volatility."""
        return self.ratio("sharpe", self.mean, self.of_mean, self.variance, self.of_variance)

    def hedged_volatility(self) -> Figure:
        """The root of the idio variance: of the neutral portfolio."""
        bounds = RootOfVariance(self.influence.idio_variance)
        return _volatility("hedged volatility", self.idio, self.unit(idio=1.0), bounds)

    def _volatility_on_new_dates(self) -> Figure:
        """What the neutral hedge leaves on dates that it was not estimated on: tr(F Var(b)) more variance."""
        variance = self.influence.idio_variance + float(np.sum(self.factor_covariance * self._coefficient_covariance))
        bounds = RootOfVariance(variance)
        return _volatility("hedged volatility, new dates", variance, self.unit(idio=1.0), bounds)

    def _by_factor(self, what: str, sign: float) -> Iterator[Figure]:
        for j, name in enumerate(self.portfolio.model.factors):
            slope = np.zeros(len(self.exposures))
            slope[j] = sign
            value = sign * float(self.exposures[j])
            yield Figure(f"{what} {name}", value, self.unit(exposures=slope), Symmetric(value), THIS_WINDOW)

    def linear(self, name: str, value: float, gradient: Gradient, power: float) -> Figure:
        """A figure of the long run, with a symmetric interval."""
        return Figure(name, value, gradient, Symmetric(value), LONG_RUN, power)

    def _alpha_ratio(self, name: str) -> Figure:
        return self.ratio(name, self.alpha, self.unit(alpha=1.0), self.idio, self.unit(idio=1.0))

    def ratio(self, name: str, mean: float, of_mean: Gradient, variance: float, of_variance: Gradient) -> Figure:
        """A mean over the root of a variance; NaN where that is rounding error."""
        if not variance > 0 or self.is_riskless:
            return Figure(name, math.nan, Gradient.zero(len(self.exposures)), Unknown(), LONG_RUN)
        volatility = math.sqrt(variance)
        ratio = mean / volatility
        gradient = of_mean.times(1.0 / volatility).plus(of_variance, -ratio / (2.0 * variance))
        return self.linear(name, ratio, gradient, 0.5)

    # -- what they are made of ---------------------------------------------------------------------

    @cached_property
    def mean(self) -> float:
        """The expected excess return, per row."""
        return float(self.alpha + self.exposures @ self.factor_mean)

    @cached_property
    def _explained(self) -> float:
        return float(self.exposures @ self.factor_covariance @ self.exposures)

    @cached_property
    def variance(self) -> float:
        """The variance, per row."""
        return self._explained + self.idio

    @cached_property
    def is_riskless(self) -> bool:
        """Whether the variance is rounding error."""
        size = Volatility(math.sqrt(max(self.variance, 0.0)), self.horizon)
        return self.portfolio.is_rounding(size.at(self.portfolio.horizon))

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
    def unbiased_variance(self) -> float:
        """The variance without degrees of freedom, and without what the noise of the exposures adds."""
        return max(self._unbiased_explained, 0.0) + self.influence.idio_variance

    @cached_property
    def _wald(self) -> float:
        x = self.exposures
        return float(x @ np.linalg.lstsq(self._coefficient_covariance, x, rcond=None)[0])

    @cached_property
    def _is_near_zero(self) -> bool:
        return is_near_zero(self._wald, len(self.exposures))

    @cached_property
    def of_mean(self) -> Gradient:
        """Its gradient."""
        return self.unit(alpha=1.0, exposures=self.factor_mean, factor_mean=self.exposures)

    @cached_property
    def _of_explained(self) -> Gradient:
        moved = self.unit(exposures=2.0 * self.factor_covariance @ self.exposures)
        return moved.plus(self._of_explained_given_loadings)

    @cached_property
    def _of_explained_given_loadings(self) -> Gradient:
        return self.unit(factor_covariance=np.outer(self.exposures, self.exposures))

    @cached_property
    def of_variance(self) -> Gradient:
        """The gradient of the variance."""
        return self._of_explained.plus(self.unit(idio=1.0))

    def unit(self, **parts: Any) -> Gradient:
        """A gradient that is zero but for some parts."""
        return evolve(Gradient.zero(len(self.exposures)), **parts)

    def _spread(self, gradient: Gradient, estimand: Estimand) -> Spread:
        return Spread.of(self._terms(gradient), self.covariance.about(estimand))

    def _terms(self, gradient: Gradient) -> DateTerms:
        return self.influence.terms_of([gradient], self.factor_covariance)[0]

    def spreads(self, figures: list[Figure]) -> list[Spread]:
        """The spreads of what the bounds of some figures take."""
        terms = self.influence.terms_of([f.gradient for f in figures], self.factor_covariance)
        return [Spread.of(t, self.covariance.about(f.estimand)) for t, f in zip(terms, figures, strict=True)]

    def spread(self, figure: Figure) -> Spread:
        """The spread of what a figure's bounds take."""
        return self.spreads([figure])[0]

    def linear_terms(self, figures: list[Figure]) -> list[DateTerms]:
        """What each date adds to the errors of some figures as they are printed."""
        return self.influence.terms_of([f.gradient.times(f.slope) for f in figures], self.factor_covariance)


def _volatility(name: str, variance: float, gradient: Gradient, bounds: RootOfVariance) -> Figure:
    value = math.sqrt(variance)
    return Figure(name, value, gradient, bounds, THIS_WINDOW, 0.5, 0.5 / value if value > 0 else 0.0)
