"""Figures of the smallest hedge that keeps the factors' share of the variance at a cap."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cached_property
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import define, evolve, frozen
from scipy import optimize

from riskmodel._core.arrays import Array
from riskmodel.inference.bounds import Bounds, RootOfVariance, Spread, quantile
from riskmodel.inference.estimand import THIS_WINDOW
from riskmodel.inference.figure import Figure
from riskmodel.inference.figures import PortfolioFigures
from riskmodel.inference.gradient import Gradient

# How near the multiplier is brought to the pole at which exposures are infinite.
_POLE = 1e-9


class Binding(Enum):
    """Whether the cap binds, as far as the interval of the share tells."""

    SURELY = "surely"
    PERHAPS = "perhaps"
    NOT = "not"


@final
@frozen
class HedgeBounds(Bounds):
    """An interval of a capped hedge: with zero in it where the cap may not bind, and only zero where it does not.

    Attributes
    ----------
    centre : float
        The hedge, continued to where the cap does not bind.
    binding : Binding
        Whether it does.
    sign : float
        The sign of the hedge where there is one factor; 0 otherwise.
    """

    centre: float
    binding: Binding
    sign: float

    def ends(self, spread: Spread, level: float) -> tuple[float, float, float]:
        """Return the error and the ends."""
        if self.binding is Binding.NOT:
            return 0.0, 0.0, 0.0
        width = quantile(level, spread.few) * spread.widened
        low, high = self.centre - width, self.centre + width
        if self.binding is Binding.PERHAPS:
            low, high = min(low, 0.0), max(high, 0.0)
            low, high = (low if self.sign <= 0 else 0.0), (high if self.sign >= 0 else 0.0)
        return spread.widened, low, high


@final
@define(eq=False, slots=False)
class CappedFigures:
    r"""Figures of a strategy with the hedge of `HedgedPortfolio.with_factor_share`.

    The exposures left, x, solve :math:`(C^2 + \lambda F) x = C^2 b` with :math:`x^\top F x = k v`,
    :math:`k = c / (1 - c)`. Their derivatives are those of the two equations; for :math:`\lambda < 0` these continue to
    where the cap does not bind.

    Attributes
    ----------
    plain : PortfolioFigures
        Of the strategy.
    cap : float
        c, above 0 and below 1.
    cost : array, shape (K,)
        The diagonal of C.
    level : float
        Of the interval of the share that tells whether the cap binds.
    """

    plain: PortfolioFigures
    cap: float
    cost: Array
    level: float

    def __iter__(self) -> Iterator[Figure]:
        b, x = self.plain.exposures, self._left
        for j, name in enumerate(self.plain.portfolio.model.factors):
            own = np.zeros(len(b))
            own[j] = 1.0
            continued = float(self._continued[j] - b[j])
            gradient = self._of_left(j).plus(evolve(Gradient.zero(len(b)), exposures=own), -1.0)
            sign = -float(np.sign(b[0])) if len(b) == 1 else 0.0
            bounds = HedgeBounds(continued, self.binding, sign)
            yield Figure(f"hedge {name}", float(x[j] - b[j]), gradient, bounds, THIS_WINDOW)
        yield self.plain.linear("expected excess return", self._mean, self._of_mean, 1.0)
        yield self._volatility()
        yield self.plain.ratio("sharpe", self._mean, self._of_mean, self._variance, self._of_variance)

    def _volatility(self) -> Figure:
        if not self._binds:
            return self.plain.volatility()
        hedged, size = self.plain.hedged_volatility(), 1.0 / (1.0 - self.cap)
        bounds = RootOfVariance(self.plain.influence.idio_variance * size)
        return Figure(
            "volatility", hedged.estimate * math.sqrt(size), self._of_variance, bounds, THIS_WINDOW, 0.5,
            slope=hedged.slope / math.sqrt(size),
        )  # fmt: skip

    @cached_property
    def binding(self) -> Binding:
        """Whether the cap binds."""
        return binding_of(self.plain, self.cap, self.level)

    @cached_property
    def _binds(self) -> bool:
        return self._multiplier > 0.0

    @cached_property
    def _allowed(self) -> float:
        return self.plain.idio * self.cap / (1.0 - self.cap)

    @cached_property
    def _multiplier(self) -> float:
        """The λ at which the factor variance of what is left is the one allowed."""
        values, vectors = np.linalg.eigh(self.plain.factor_covariance / np.outer(self.cost, self.cost))
        along = vectors.T @ (self.cost * self.plain.exposures)

        def excess(multiplier: float) -> float:
            return float(np.sum(values * (along / (1.0 + multiplier * values)) ** 2)) - self._allowed

        low, high = -(1.0 - _POLE) / float(values.max()), 1.0 / float(values.max())
        while excess(high) > 0.0:
            high *= 4.0
        return float(optimize.brentq(excess, low, high, xtol=1e-14 * high, rtol=1e-14)) if excess(low) > 0 else low

    @cached_property
    def _inverse(self) -> Array:
        """H⁻¹ = (C² + λF)⁻¹."""
        h = np.diag(self.cost**2) + self._multiplier * self.plain.factor_covariance
        return np.asarray(np.linalg.inv(h))

    @cached_property
    def _continued(self) -> Array:
        return np.asarray(self._inverse @ (self.cost**2 * self.plain.exposures))

    @cached_property
    def _left(self) -> Array:
        """The exposures left: all of them where the cap does not bind."""
        return self._continued if self._binds else self.plain.exposures

    def _of_left(self, j: int) -> Gradient:
        """The gradient of an exposure that is left, continued."""
        f, x, c2 = self.plain.factor_covariance, self._continued, self.cost**2
        q, row = self._inverse @ f @ x, self._inverse[j]
        part = q[j] / float(2.0 * x @ f @ q)
        towards = np.outer(row - 2.0 * part * q, x)
        return Gradient(
            alpha=0.0,
            exposures=c2 * (row - 2.0 * part * q),
            factor_mean=np.zeros(len(x)),
            factor_covariance=-self._multiplier * 0.5 * (towards + towards.T) - part * np.outer(x, x),
            idio=part * self.cap / (1.0 - self.cap),
        )

    @cached_property
    def _mean(self) -> float:
        return float(self.plain.alpha + self._left @ self.plain.factor_mean)

    @cached_property
    def _of_mean(self) -> Gradient:
        k = len(self._left)
        gradient = evolve(Gradient.zero(k), alpha=1.0, factor_mean=self._left)
        for j, mean in enumerate(self.plain.factor_mean):
            own = np.zeros(k)
            own[j] = 1.0
            of_left = self._of_left(j) if self._binds else evolve(Gradient.zero(k), exposures=own)
            gradient = gradient.plus(of_left, float(mean))
        return gradient

    @cached_property
    def _variance(self) -> float:
        return self.plain.idio / (1.0 - self.cap) if self._binds else self.plain.variance

    @cached_property
    def _of_variance(self) -> Gradient:
        if not self._binds:
            return self.plain.of_variance
        return evolve(Gradient.zero(len(self._left)), idio=1.0 / (1.0 - self.cap))


def binding_of(plain: PortfolioFigures, cap: float, level: float) -> Binding:
    """Return whether a cap of the factor share binds on a portfolio, as far as the interval of its share tells."""
    share = plain.factor_share()
    _, low, high = share.bounds.ends(plain.spread(share), level)
    return Binding.SURELY if low > cap else Binding.NOT if high < cap else Binding.PERHAPS


def read_costs(cost: Any, factors: pd.Index[Any]) -> Array:
    """Return costs that `HedgedPortfolio.with_factor_share` accepted as an array whose largest is 1."""
    if cost is None:
        return np.ones(len(factors))
    values = [cost[name] for name in factors] if isinstance(cost, Mapping | pd.Series) else cost
    array = np.asarray(values, dtype=np.float64)
    return np.asarray(array / array.max())
