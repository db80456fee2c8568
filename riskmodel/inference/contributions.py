"""How sure are the contributions of factors, and of holdings, to a portfolio's risk."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel._core.arrays import Array, Index
from riskmodel.inference.bounds import Bounds, Complement, PartOfVariance, Product, Skewed, Spread, Unknown
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.date_groups import DateGroup
from riskmodel.inference.estimand import THIS_WINDOW
from riskmodel.inference.figures import PortfolioFigures
from riskmodel.inference.fitted import Fitted
from riskmodel.inference.gradient import Gradient
from riskmodel.inference.tables import frame_of
from riskmodel.model.decomposition import IDIO
from riskmodel.model.model import FactorModel
from riskmodel.portfolio.portfolio import Portfolio


@final
@frozen
class _Share:
    """The share of the variance of a factor or of a holding.

    Attributes
    ----------
    key : tuple
        ``"factor"`` or ``"asset"``, and the label.
    estimate : float
        The share.
    by_date : array, shape (T,)
        What each date adds to the error of what `bounds` takes.
    bounds : Bounds
        How the interval is made.
    """

    key: tuple[str, Any]
    estimate: float
    by_date: Array
    bounds: Bounds


@final
@frozen(eq=False, slots=False)
class ContributionFigures:
    r"""Shares of the variance, which are those of the volatility too, with what each date adds to their errors.

    The contribution of a factor is :math:`x_k (F x)_k`, of an asset :math:`w_i (b_i^\top F x + w_i d_i)`, and of a leg
    :math:`h_k (F x)_k`, as `RiskDecomposition` has them.

    Attributes
    ----------
    figures : PortfolioFigures
        Of the portfolio.
    held : FactorModel
        Of the assets held.
    fitted : Fitted
        With the panel.
    covariance : LongRunCovariance
        As in `Inference`.
    """

    figures: PortfolioFigures
    held: FactorModel
    fitted: Fitted
    covariance: LongRunCovariance

    @classmethod
    def of(cls, fitted: Fitted, portfolio: Portfolio, covariance: LongRunCovariance) -> Self:
        """Read a portfolio's parameters."""
        return cls(PortfolioFigures.of(fitted, portfolio, covariance), fitted.held(portfolio), fitted, covariance)

    def __iter__(self) -> Iterator[_Share]:
        yield from self._by_factor()
        yield self._idio()
        yield from self._by_holding()

    def table(self, level: float) -> pd.DataFrame:
        """Return the shares with intervals, by factor and by holding."""
        own, influence, rows = self.covariance.about(THIS_WINDOW), self.figures.influence, {}
        for share in self:
            terms = DateTerms(share.by_date[None], influence.factors.share, influence.n, len(self._x) + 1)
            ends = share.bounds.ends(Spread.of(terms, own), level)
            rows[share.key] = (share.estimate, *ends, 0.0, THIS_WINDOW)
        return frame_of({key: rows[key] for key in self._keys()}, 1.0, ("by", "name"))

    def _keys(self) -> list[tuple[str, Any]]:
        """Of the table, in order: assets are yielded with those that have the same dates."""
        model = self.figures.portfolio.model
        return [("factor", name) for name in (*model.factors, IDIO)] + [("asset", name) for name in self._holdings]

    @cached_property
    def _holdings(self) -> pd.Index[Any]:
        return self.figures.portfolio.decompose().by_asset.index

    # -- figures -----------------------------------------------------------------------------------

    def _by_factor(self) -> Iterator[_Share]:
        x, f, own = self._x, self._f, self.figures
        if len(x) == 1:
            yield self._explained(own.portfolio.model.factors[0])
            return
        slopes = own.influence.coefficients[1:]
        for k, name in enumerate(own.portfolio.model.factors):
            unit = np.eye(len(x))[k]
            gradient = own.unit(
                exposures=x[k] * f[k] + self._towards[k] * unit,
                factor_covariance=0.5 * x[k] * (np.outer(unit, x) + np.outer(x, unit)),
            )
            contribution = float(x[k] * self._towards[k])
            share = self._of(("factor", name), contribution, self._along(gradient))
            if not own.is_riskless:
                both = np.array([slopes[k], f[k] @ slopes])
                factors = np.array([x[k], self._towards[k]])
                near = Product(share.estimate, factors, both @ both.T, 1.0 / own.variance)
                share = evolve(share, bounds=self._logit(share.estimate, near, float(slopes[k] @ both[1])))
            yield share

    def _explained(self, name: Any) -> _Share:
        """The factor share, which is that of a factor that is alone."""
        share = self.figures.factor_share()
        return _Share(("factor", name), share.estimate, self._along(share.gradient), share.bounds)

    def _idio(self) -> _Share:
        """What the factors do not explain: one less the factor share, with its interval."""
        share = self._explained(IDIO)
        if self.figures.is_riskless:
            return share
        return evolve(share, estimate=1.0 - share.estimate, bounds=Complement(share.bounds))

    def _by_holding(self) -> Iterator[_Share]:
        """By asset, then by leg; a leg with the label of an asset is added to it."""
        legs = dict(self._by_leg())
        for asset, contribution, by_date in self._by_asset():
            value, of_leg = legs.pop(asset, (0.0, 0.0))
            yield self._of(("asset", asset), contribution + value, by_date + of_leg)
        for name, (value, of_leg) in legs.items():
            yield self._of(("asset", name), value, np.asarray(of_leg))

    def _by_asset(self) -> Iterator[tuple[Any, float, Array]]:
        held, w = self.held, np.asarray(self.figures.portfolio.weights)
        own = w * (held._loadings @ self._towards) + w**2 * held._idio_variance
        for at, terms in self._own_terms(w):
            yield from zip(held.assets[at], own[at], (terms + self._common_terms(at, w[at])).T, strict=True)

    def _own_terms(self, w: Array) -> Iterator[tuple[Index, Array]]:
        """Positions of some assets, and what each date adds by their own parameters, T × n."""
        stand_ins, power = self.fitted.stand_ins(self.held), self.covariance.leverage_power
        if stand_ins is None:
            for group in self.fitted.groups(self.held, power):
                yield group.columns, self._of_group(group, w[group.columns], w[group.columns] ** 2)
            return
        every = np.arange(len(w))
        terms = np.zeros((len(self.figures.influence.factors.share), len(w)))
        for group in self.fitted.groups(stand_ins.regressed, power):
            means = stand_ins.means(np.eye(len(stand_ins.regressed.assets))[:, group.columns])
            loadings, idio = (self._of_group(group, *x) for x in ((np.ones(means.shape[1]), 0.0), (0.0, 1.0)))
            terms += loadings @ means.T * w + idio @ means.T * w**2
        yield every, terms

    def _of_group(self, group: DateGroup, by_loadings: Any, by_idio: Any) -> Array:
        terms = (group.lever[:, 1:] @ self._towards)[:, None] * group.residuals * by_loadings
        terms += group.share[:, None] * (group.squares - group.share @ group.squares) * by_idio
        return np.asarray(terms)

    def _common_terms(self, at: Index, size: Array) -> Array:
        """What each date adds by the portfolio's exposures and the covariance of the factors, T × n."""
        b, influence = self.held._loadings[at], self.figures.influence
        factors = influence.factors
        terms = (influence.coefficients[1:].T @ self._f) @ (b * size[:, None]).T
        forms = (factors.deviations @ self._x)[:, None] * (factors.deviations @ b.T)
        terms += factors.share[:, None] * (forms - factors.share @ forms) * size
        return np.asarray(terms)

    def _by_leg(self) -> Iterator[tuple[Any, tuple[float, Array]]]:
        legs, f, own = self.figures.portfolio.legs, self._f, self.figures
        for k, (name, leg) in enumerate(legs.items()):
            if name not in self._holdings:
                continue
            unit = np.eye(len(self._x))[k]
            gradient = own.unit(
                exposures=leg * f[k],
                factor_covariance=0.5 * leg * (np.outer(unit, self._x) + np.outer(self._x, unit)),
            )
            yield name, (float(leg * self._towards[k]), self._along(gradient))

    def _of(self, key: tuple[str, Any], contribution: float, by_date: Array) -> _Share:
        """A share of a contribution to the variance."""
        variance = self.figures.variance
        if self.figures.is_riskless:
            return _Share(key, math.nan, np.zeros(len(by_date)), Unknown())
        share = contribution / variance
        bounds = self._logit(share, Skewed(share), 0.0)
        return _Share(key, share, (by_date - share * self._of_variance) / variance, bounds)

    def _logit(self, share: float, near: Bounds, noise: float) -> Bounds:
        """On the logit scale, where a share of the variance allows it; `noise` is what errors of loadings add to it."""
        own = self.figures
        part, rest = share * own.variance - noise, own.unbiased_variance - (share * own.variance - noise)
        if not (0.0 < share < 1.0 and part > 0.0 and rest > 0.0):
            return near
        return PartOfVariance(share, math.log(part / rest), near)

    # -- parts -------------------------------------------------------------------------------------

    @property
    def _x(self) -> Array:
        return self.figures.exposures

    @property
    def _f(self) -> Array:
        return self.figures.factor_covariance

    @cached_property
    def _towards(self) -> Array:
        return np.asarray(self._f @ self._x)

    @cached_property
    def _of_variance(self) -> Array:
        return self._along(self.figures.of_variance)

    def _along(self, gradient: Gradient) -> Array:
        return np.asarray(self.figures.influence.along([gradient])[0])
