"""A strategy with a hedge of its factor risk."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen
from scipy import linalg

from riskmodel._core import labels
from riskmodel._core.arguments import require_share
from riskmodel._core.arrays import Array, floats
from riskmodel._core.linalg import root
from riskmodel._core.weights import read_weights
from riskmodel.errors import (
    InvalidParameterError,
    SingularCovarianceError,
    UnknownAssetError,
    UnknownFactorError,
)
from riskmodel.model.covariance import FactorCovariance
from riskmodel.model.legs import Legs, require_tradable
from riskmodel.model.model import FactorModel
from riskmodel.panel.factors import PortfolioFactor
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio

# Treat a variance this small relative to the factors' as rounding error.
_ROUNDING = 1e-24

# Beyond this ratio of costs, their squares have no digits beside each other.
_COSTS_APART = 1e8
_NEWTON_STEPS = 100
# Tolerance on the factor share where idio risk depends on the hedge.
_SHARE_TOLERANCE = 1e-12
# Treat a column as dependent if its distance from the span of the others is below this.
_DEPENDENT = 1e-12
_INSTRUMENT = "factor or asset"


@final
@frozen(eq=False, repr=False, init=False)
class HedgedPortfolio(Portfolio):
    r"""A strategy with a hedge in factors, or in other instruments.

    Made by `neutral`, `with_factor_share` or `minimum_variance`, or with a hedge of your own. The portfolio is
    strategy + hedge + cash. The cash leg pays for both, so the return is an excess return. A hedge in a
    `PortfolioFactor` holds the factor's assets, with their idio risk. Hedging a hedged portfolio adds to its hedge;
    `strategy` is then the innermost one.

    Parameters
    ----------
    strategy : Portfolio
        What is hedged.
    hedge_weights : mapping or Series by factor or instrument
        Dollars per dollar of strategy. A label that is a factor of the model is a position in that factor, even where
        an asset has the same label; otherwise it is an asset.

    Raises
    ------
    UnknownAssetError
        For a hedge in a label that is neither a factor nor an asset of the model.
    InvalidParameterError
        For hedge weights that are not finite numbers, or a hedge in a factor that is not tradable.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> hedged = rm.HedgedPortfolio.neutral(msft)
    >>> hedged.hedge_weights.round(3).to_dict(), round(hedged.cash_weight, 3)
    ({'Mkt-RF': -1.074}, 0.074)
    >>> round(rm.HedgedPortfolio.with_factor_share(msft, 0.20).decompose().factor_share, 12)
    0.2
    """

    _strategy: Portfolio
    _hedge: pd.Series[float]

    def __init__(self, strategy: Portfolio, hedge_weights: Any) -> None:
        model = require_portfolio(strategy, "strategy").model
        hedge = read_weights(hedge_weights, "hedge_weights", _INSTRUMENT)
        labels.positions(hedge.index, _instruments(model), _INSTRUMENT, UnknownAssetError)
        require_tradable(model.definitions, np.asarray(hedge.reindex(model.factors, fill_value=0.0)))
        if isinstance(strategy, HedgedPortfolio):
            # add to the existing hedge, so that one object holds all legs
            hedge = _add(strategy.hedge_weights, hedge)
            strategy = strategy.strategy
        self.__attrs_init__(strategy=strategy, hedge=hedge.rename("hedge_weight"))

    # -- three ways to hedge -----------------------------------------------------------------------

    @classmethod
    def neutral(cls, strategy: Portfolio) -> Self:
        """Hedge all of the factor exposure: strategy less its tracking portfolio ("portable alpha").

        In the sample that an OLS model was estimated on, its mean is alpha and its variance the residual variance.

        Raises
        ------
        InvalidParameterError
            If a factor that the strategy is exposed to is not tradable.
        CollinearFactorsError
            If the exposures of factors that are portfolios of assets are collinear.
        """
        b = require_portfolio(strategy, "strategy").exposures
        return cls(strategy, pd.Series(Legs.of(strategy.model).reaching(-np.asarray(b)), b.index))

    @classmethod
    def with_factor_share(cls, strategy: Portfolio, cap: float, cost: Any = None) -> Self:
        r"""Return the smallest hedge that brings the factors' share of the variance to at most `cap`.

        Parameters
        ----------
        strategy : Portfolio
            What is hedged.
        cap : float
            Largest share, from 0 to 1: 0.2 is 20 %. 0 is `neutral`; 1 hedges nothing.
        cost : Series by factor, mapping, or array of shape (K,), optional
            Cost to trade a unit of each factor, positive; 1 each by default. The hedge minimises
            :math:`\sum_k (c_k h_k)^2`.

        Raises
        ------
        InvalidParameterError
            If `cap` is no share from 0 to 1, or a cost is not positive.

        Notes
        -----
        With exposures b, idio variance v and :math:`M = v\,cap / (1 - cap)`, it solves
        :math:`\min_h \|C h\|_2` subject to :math:`(b + h)^\top F (b + h) \le M`. The exposures left are
        :math:`x(\lambda) = (C^2 + \lambda F)^{-1} C^2 b` for the one :math:`\lambda \ge 0` at which the constraint
        holds with equality, found by Newton's method on :math:`1 / \sqrt{x^\top F x}`, which is concave and increasing
        in :math:`\lambda`, and for one factor linear ([1]_, section 7.3, the secular equation of a trust region). A
        portfolio within the cap gets no hedge. Without idio variance, any exposure makes the factors' share 1, so any
        cap below 1 takes the full hedge.

        Where factors are portfolios of assets, the hedge has idio risk, so v depends on h: the problem is solved
        again with the idio risk of the last hedge until the share is at the cap. The hedge is then the smallest for
        its own idio risk, not the smallest of all hedges.

        References
        ----------
        .. [1] Conn, A. R., Gould, N. I. M. and Toint, Ph. L. (2000). *Trust-Region Methods*. SIAM.
        """
        share = require_share(cap, "cap", "a share of the variance")
        b = require_portfolio(strategy, "strategy").exposures
        costs = _read_cost(cost, b.index)
        split = strategy.decompose()
        if share >= 1.0 or split.factor_share <= share:
            return cls(strategy, 0.0 * b)
        allowed = float(split.idio_variance) * share / (1.0 - share)
        if allowed <= _ROUNDING * float(split.factor_variance):
            return cls.neutral(strategy)
        return cls(strategy, _capped(strategy, share, allowed, costs))

    @classmethod
    def minimum_variance(cls, strategy: Portfolio, instruments: Sequence[Any]) -> Self:
        r"""Return the hedge in some instruments that leaves the least variance under the model, B F B' + D.

        The model says all of it, loadings, factor covariance and idio variances. It is no regression of the strategy's
        returns on those of the instruments: where residuals of two assets are correlated in the sample, the model takes
        them as uncorrelated, and a regression would not.

        Parameters
        ----------
        strategy : Portfolio
            What is hedged.
        instruments : sequence of labels
            Factors or assets of the model. Assets add their own idio variance, so they do not hedge fully.

        Raises
        ------
        UnknownAssetError
            For a label that is neither.
        SingularCovarianceError
            If one instrument is a combination of the others.
        InvalidParameterError
            If there are none.

        Notes
        -----
        :math:`h = -\Sigma_{II}^{-1} \Sigma_{Is}` with :math:`\Sigma = B F B^\top + D` of the model, for assets and
        factors alike: the minimum-variance hedge of Ederington [1]_ with the model's covariances in place of the
        sample's.

        References
        ----------
        .. [1] Ederington, L. H. (1979). The Hedging Performance of the New Futures Markets. *Journal of Finance*
           34(1), 157-170.
        """
        tools = _read_instruments(instruments, require_portfolio(strategy, "strategy").model)
        model = strategy.model
        held = _Instruments.of(tools, model)
        shared = held.loadings @ model.factor_covariance.to_numpy() @ strategy.exposures.to_numpy()
        shared = shared + held.own_covariance_with(strategy.weights)
        try:
            weights = held.solve(-shared)
        except SingularCovarianceError as error:
            same = error.details["assets"]
            raise SingularCovarianceError(
                f"expected linearly independent instruments with risk, got {labels.listing(tools)}, of which each of "
                f"{labels.listing(same)} is riskless or a combination of the others; leave it out.",
                instruments=same,
            ) from error
        return cls(strategy, pd.Series(weights, tools))

    # -- what it holds -----------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"<HedgedPortfolio of {self._strategy!r} with {len(self._hedge)} hedge legs>"

    @property
    def strategy(self) -> Portfolio:
        """The strategy without any hedge."""
        return self._strategy

    @property
    def hedge_weights(self) -> pd.Series[float]:
        """Hedge by factor or instrument, dollars per dollar of strategy."""
        return self._hedge.copy()

    @property
    def model(self) -> FactorModel:
        """The factor model of the assets."""
        return self._strategy.model

    @property
    def weights(self) -> pd.Series[float]:
        """Weight by asset of strategy and hedge, with the assets of factors that are portfolios."""
        return self._weights.copy()

    @property
    def legs(self) -> pd.Series[float]:
        """Weight by factor of positions in factors themselves, of hedge and strategy."""
        return self._legs.copy()

    @cached_property
    def _legs(self) -> pd.Series[float]:
        in_assets = [isinstance(f, PortfolioFactor) for f in self.model.definitions]
        return self._strategy.legs + np.where(in_assets, 0.0, self._by_factor())

    @cached_property
    def _weights(self) -> pd.Series[float]:
        assets = self._hedge[~self._hedge.index.isin(self.model.factors)]
        held = _add(self._strategy.weights, assets)
        legs = Legs.of(self.model) if self._holds_portfolios() else None
        return (held if legs is None else _add(held, legs.in_assets(self._by_factor()))).rename("weight")

    def _by_factor(self) -> Array:
        """The hedge in factors, shape (K,)."""
        return np.asarray(self._hedge.reindex(self.model.factors, fill_value=0.0), dtype=np.float64)

    def _holds_portfolios(self) -> bool:
        definitions = self.model.definitions
        return any(isinstance(f, PortfolioFactor) and h for f, h in zip(definitions, self._by_factor(), strict=True))

    def _choices(self) -> int:
        return int(np.count_nonzero(self._hedge))

    def _held_legs(self) -> pd.Series[float]:
        return self.legs

    def _own_cash(self) -> float:
        return self.cash_weight


def _add(first: pd.Series[float], second: pd.Series[float]) -> pd.Series[float]:
    """Add weights by label: labels of the first, then further ones of the second."""
    more = second.index.difference(first.index, sort=False)
    index = first.index.append(more) if len(more) else first.index
    return first.reindex(index, fill_value=0.0) + second.reindex(index, fill_value=0.0)


def _read_cost(cost: Any, factors: pd.Index) -> Array:
    if cost is None:
        return np.ones(len(factors))
    if isinstance(cost, Mapping | pd.Series):
        given = labels.unique(cost.index if isinstance(cost, pd.Series) else list(cost), "the labels of cost")
        labels.positions(given, factors, "factor", UnknownFactorError)
        labels.positions(factors, given, "factor in cost", UnknownFactorError)
        cost = [cost[name] for name in factors]
    array = floats(cost)
    if array.shape != (len(factors),) or not (array > 0).all() or not np.isfinite(array).all():
        raise InvalidParameterError(
            f"expected cost as {len(factors)} positive, finite numbers, one per factor, got {cost!r}.",
            parameter="cost",
            got=cost,
        )
    if len(array) and array.min() < array.max() / _COSTS_APART:
        raise InvalidParameterError(
            f"expected costs within a factor of {_COSTS_APART:g} of each other, got {array.min():g} and "
            f"{array.max():g}; hedge without the factor that is too dear.",
            parameter="cost",
            got=cost,
        )
    # only their ratios matter, and squares of the largest and the least must be numbers
    return np.asarray(array / array.max(initial=0.0))


def _within(b: Array, f: Array, allowed: float, cost: Array) -> Array:
    """Return the exposures nearest to b, in units of cost, whose factor variance is `allowed`."""
    # singular values of a root of F keep twice the digits of the eigenvalues of F
    half = root(f).T
    _, s, turn = np.linalg.svd(half / cost, full_matrices=False)
    values, along = (s / s[0]) ** 2, turn @ (cost * b)
    multiplier = _multiplier(values, along, allowed / s[0] ** 2)
    shrink = multiplier * values / (1.0 + multiplier * values)
    left = b - turn.T @ (shrink * along) / cost
    # rescale, so that the last digits are right
    scores = half @ left
    return np.asarray(left * math.sqrt(allowed / float(scores @ scores)))


def _multiplier(values: Array, along: Array, target: float) -> float:
    """Return the λ at which Σ v (a / (1 + λ v))² is the target, which is below its value at λ = 0."""
    multiplier = 0.0
    for _ in range(_NEWTON_STEPS):
        squares = values * (along / (1.0 + multiplier * values)) ** 2
        length = float(squares.sum())
        slope = float((values / (1.0 + multiplier * values) * squares).sum())
        # the function is concave, so steps approach the root from below
        step = length * (math.sqrt(length / target) - 1.0) / slope
        multiplier += step
        if step <= 1e-15 * multiplier:
            return multiplier
    raise InvalidParameterError(
        "expected exposures and a factor covariance for which Newton's method converges, got too large or too small "
        "ones; rescale the factors."
    )


def _read_instruments(instruments: Sequence[Any], model: FactorModel) -> pd.Index:
    if isinstance(instruments, str):
        raise InvalidParameterError(
            f"expected instruments as a list, got {instruments!r}; write [{instruments!r}].",
            parameter="instruments",
            got=instruments,
        )
    tools = labels.unique(instruments, "instruments")
    if tools.empty:
        raise InvalidParameterError(
            "expected at least one instrument, got none; name a factor or an asset.", parameter="instruments", got=[]
        )
    labels.positions(tools, _instruments(model), _INSTRUMENT, UnknownAssetError)
    return tools


def _instruments(model: FactorModel) -> pd.Index[Any]:
    """Return the labels that a hedge may hold: factors, then assets without a factor's label."""
    return model.factors.append(model.assets.difference(model.factors, sort=False))


@frozen(eq=False)
class _Instruments:
    """M instruments, as loadings on the factors and holdings with idio risk."""

    labels: pd.Index[Any]
    model: FactorModel
    loadings: Array  # M × K
    holdings: pd.DataFrame  # assets × M: weight of each asset in each instrument

    @classmethod
    def of(cls, tools: pd.Index[Any], model: FactorModel) -> Self:
        legs, k = Legs.of(model), len(model.factors)
        by_factor = np.zeros((k, len(tools)))  # an instrument that is a factor holds its leg
        columns = np.flatnonzero(tools.isin(model.factors))
        by_factor[model.factors.get_indexer(tools[columns]), columns] = 1.0
        held = pd.DataFrame(legs.weights @ by_factor, legs.assets)
        assets = np.flatnonzero(~tools.isin(model.factors))
        held = held.reindex(legs.assets.union(tools[assets], sort=False), fill_value=0.0)
        for column in assets:
            held.loc[tools[int(column)], column] += 1.0
        own = model.restrict(held.index.to_list())
        loadings = held.to_numpy().T @ own.loadings.to_numpy() + legs.in_factors(by_factor).T
        return cls(tools, model, loadings, held)

    def own_covariance_with(self, weights: pd.Series[float]) -> Array:
        """Return the idio covariance of each instrument with weights on assets, shape (M,)."""
        every = self.holdings.index.union(weights.index, sort=False)
        held = np.asarray(weights.reindex(every, fill_value=0.0))
        shared = self.model.covariance.restrict(every)._specific(held)
        return np.asarray(self.holdings.reindex(every, fill_value=0.0).to_numpy().T @ shared)

    @property
    def _covariance(self) -> FactorCovariance:
        """The covariance of the assets held."""
        return self.model.covariance.restrict(self.holdings.index)

    def solve(self, b: Array) -> Array:
        """Return Σ_II⁻¹ b. For instruments without a common asset, Σ_II is low rank plus diagonal."""
        f, model = self.model.factor_covariance.to_numpy(), self.model
        a, covariance = self.holdings.to_numpy(), self._covariance
        own = a.T @ covariance._specific(a)
        if not (own - np.diag(np.diag(own))).any():
            return np.asarray(
                FactorCovariance(self.labels, model.factors, self.loadings, f, np.diag(own), model.horizon).solve(b)
            )
        # instruments with common or linked assets have correlated idio risk: use a dense matrix, as they are few
        links, alone = covariance.links.to_numpy(), np.sqrt(covariance._own_variance)
        half = np.vstack([root(f).T @ self.loadings.T, links.T @ a, alone[:, None] * a])
        return _solve_gram(half, b, self.labels)


def _solve_gram(half: Array, b: Array, names: pd.Index[Any]) -> Array:
    """Return (H'H)⁻¹ b; raise where some columns of H are combinations of the others."""
    _, r, order = linalg.qr(half, mode="economic", pivoting=True)
    lengths = np.abs(np.diag(r)) / np.linalg.norm(half, axis=0).max(initial=0.0)
    dependent = names[np.sort(order[lengths <= _DEPENDENT])]
    if len(dependent) or len(r) < len(names):
        raise SingularCovarianceError(
            f"expected independent instruments, got dependent ones: {labels.listing(dependent)}.",
            assets=list(dependent),
        )
    weights = np.empty(len(names))
    weights[order] = linalg.solve_triangular(r, linalg.solve_triangular(r, b[order], trans=1))
    return weights


def _capped(strategy: Portfolio, share: float, allowed: float, costs: Array) -> pd.Series[float]:
    """Return the hedge that brings the factor share to the cap; see `HedgedPortfolio.with_factor_share`."""
    model, b = strategy.model, strategy.exposures
    f, legs = model.factor_covariance.to_numpy(), Legs.of(model)
    for _ in range(_NEWTON_STEPS):
        left = _within(np.asarray(b), f, allowed, costs)
        hedge = pd.Series(legs.reaching(np.asarray(left - b.to_numpy())), b.index)
        if not len(legs.portfolios):
            return hedge
        split = HedgedPortfolio(strategy, hedge).decompose()
        if abs(split.factor_share - share) <= _SHARE_TOLERANCE:
            return hedge
        allowed = float(split.idio_variance) * share / (1.0 - share)
    raise InvalidParameterError(
        f"expected a hedge in the factors' portfolios that brings the factor share to {share:g}, found none; use "
        "neutral, or hedge with minimum_variance(strategy, instruments)."
    )
