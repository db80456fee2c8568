"""A strategy and the hedge that takes its factor risk away."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, floats
from riskmodel._core.linalg import root
from riskmodel.errors import (
    InvalidParameterError,
    SingularCovarianceError,
    UnknownAssetError,
    UnknownFactorError,
)
from riskmodel.model.covariance import FactorCovariance
from riskmodel.model.model import FactorModel
from riskmodel.portfolio.portfolio import Portfolio, read_weights, require_portfolio

# A variance this small beside the factors' is that of rounding errors.
_ROUNDING = 1e-24

_NEWTON_STEPS = 100
_INSTRUMENT = "factor or asset"


@final
@frozen(eq=False, repr=False, init=False)
class HedgedPortfolio(Portfolio):
    r"""A strategy with a hedge in factors, or in other instruments.

    Made by `neutral`, `with_factor_share` or `minimum_variance`, or with a hedge of your own. It is hedged =
    strategy + hedge + cash, where the cash leg pays for both, so that its return is an excess return. Hedging
    what is hedged already adds to its hedge: the strategy is then the innermost, and the hedge all of its legs.

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
        For a hedge in something that is neither a factor nor an asset of the model.
    InvalidParameterError
        For hedge weights that are not finite numbers.

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
        known = _instruments(require_portfolio(strategy, "strategy").model)
        hedge = read_weights(hedge_weights, "hedge_weights", known, _INSTRUMENT)
        if isinstance(strategy, HedgedPortfolio):
            # a hedge of what is hedged already adds to its hedge, so that the legs are told in one place
            hedge = _add(strategy.hedge_weights, hedge)
            strategy = strategy.strategy
        self.__attrs_init__(strategy=strategy, hedge=hedge.rename("hedge_weight"))

    # -- three ways to hedge -----------------------------------------------------------------------

    @classmethod
    def neutral(cls, strategy: Portfolio) -> Self:
        """Hedge all of the factor exposure: strategy less its tracking portfolio ("portable alpha").

        In the sample that an OLS model was estimated on, its mean is alpha and its variance the residual variance.
        """
        return cls(strategy, -require_portfolio(strategy, "strategy").exposures)

    @classmethod
    def with_factor_share(cls, strategy: Portfolio, cap: float, cost: Any = None) -> Self:
        r"""The smallest hedge that brings the factors' share of the variance to at most `cap`.

        Parameters
        ----------
        strategy : Portfolio
            What is hedged.
        cap : float
            Largest share, not negative. 0 is `neutral`; 1 or more asks for nothing.
        cost : Series by factor, mapping, or array of shape (K,), optional
            What a unit of each factor costs to trade, positive; 1 each by default. Small is meant in
            :math:`\sum_k (c_k h_k)^2`.

        Raises
        ------
        InvalidParameterError
            If `cap` is negative or not a number, or a cost is not positive.

        Notes
        -----
        With exposures b, idio variance v and :math:`M = v\,cap / (1 - cap)`, it solves
        :math:`\min_h \|C h\|_2` subject to :math:`(b + h)^\top F (b + h) \le M`. The exposures left are
        :math:`x(\lambda) = (C^2 + \lambda F)^{-1} C^2 b` for the one :math:`\lambda \ge 0` at which the constraint
        holds with equality, found by Newton's method on :math:`1 / \sqrt{x^\top F x}`, which is concave and increasing
        in :math:`\lambda`, and for one factor linear ([1]_, section 7.3, the secular equation of a trust region). A
        portfolio already within the cap is left as it is. Without any idio variance, every exposure left makes the
        factors' share 1, so any cap below 1 takes the whole hedge.

        References
        ----------
        .. [1] Conn, A. R., Gould, N. I. M. and Toint, Ph. L. (2000). *Trust-Region Methods*. SIAM.
        """
        share = _read_cap(cap)
        b = require_portfolio(strategy, "strategy").exposures
        costs = _read_cost(cost, b.index)
        split = strategy.decompose()
        if share >= 1.0 or split.factor_share <= share:
            return cls(strategy, 0.0 * b)
        allowed = float(split.idio_variance) * share / (1.0 - share)
        if allowed <= _ROUNDING * float(split.factor_variance):
            return cls.neutral(strategy)
        f = strategy.model.factor_covariance.to_numpy()
        left = _within(np.asarray(b), f, allowed, costs)
        return cls(strategy, pd.Series(left, b.index) - b)

    @classmethod
    def minimum_variance(cls, strategy: Portfolio, instruments: Sequence[Any]) -> Self:
        r"""The hedge in some instruments that leaves the least variance.

        Parameters
        ----------
        strategy : Portfolio
            What is hedged.
        instruments : sequence of labels
            Factors or assets of the model. Assets bring their own idio variance, and so hedge less than fully.

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
        :math:`h = -\Sigma_{II}^{-1} \Sigma_{Is}`, the regression of the strategy on the instruments
        (Ederington, L. H. (1979). The Hedging Performance of the New Futures Markets. *Journal of Finance* 34(1)).
        """
        tools = _read_instruments(instruments, require_portfolio(strategy, "strategy").model)
        model = strategy.model
        b, d = _instrument_loadings(tools, model)
        f = model.factor_covariance.to_numpy()
        own = strategy.weights.reindex(tools, fill_value=0.0).to_numpy()
        shared = b @ f @ strategy.exposures.to_numpy() + d * own
        try:
            weights = FactorCovariance(tools, model.factors, b, f, d, model.horizon).solve(-shared)
        except SingularCovarianceError as error:
            same = error.details["assets"]
            raise SingularCovarianceError(
                f"the instruments {labels.listing(tools)} cannot be told apart: each of {labels.listing(same)} is "
                "riskless or a combination of the others; leave it out.",
                instruments=same,
            ) from error
        return cls(strategy, pd.Series(weights, tools))

    # -- what it holds -----------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"<HedgedPortfolio of {self._strategy!r} with {len(self._hedge)} hedge legs>"

    @property
    def strategy(self) -> Portfolio:
        """What is hedged, without any hedge."""
        return self._strategy

    @property
    def hedge_weights(self) -> pd.Series[float]:
        """Hedge by factor or instrument, dollars per dollar of strategy."""
        return self._hedge.copy()

    @property
    def model(self) -> FactorModel:
        """What the weights are seen through."""
        return self._strategy.model

    @property
    def weights(self) -> pd.Series[float]:
        """Weight by asset, the strategy's and those of the hedge that are assets."""
        assets = self._hedge[~self._hedge.index.isin(self.model.factors)]
        return _add(self._strategy.weights, assets).rename("weight")

    @property
    def legs(self) -> pd.Series[float]:
        """Weight by factor of the hedge, and of what the strategy holds in factors itself."""
        factors = self.model.factors
        return self._strategy.legs + self._hedge.reindex(factors, fill_value=0.0).to_numpy()

    def _held_legs(self) -> pd.Series[float]:
        return self.legs

    def _own_cash(self) -> float:
        return self.cash_weight


def _add(first: pd.Series[float], second: pd.Series[float]) -> pd.Series[float]:
    """Add weights by label, in the order of the first and then of what the second has besides."""
    more = second.index.difference(first.index, sort=False)
    index = first.index.append(more) if len(more) else first.index
    return first.reindex(index, fill_value=0.0) + second.reindex(index, fill_value=0.0)


def _read_cap(cap: float) -> float:
    if isinstance(cap, bool) or not isinstance(cap, int | float | np.number) or not cap >= 0:
        raise InvalidParameterError(f"cap must be a share of the variance, 0 or more (0.2 is 20 %), but {cap!r} came.")
    return float(cap)


def _read_cost(cost: Any, factors: pd.Index) -> Array:
    if cost is None:
        return np.ones(len(factors))
    if isinstance(cost, Mapping | pd.Series):
        came = labels.unique(cost.index if isinstance(cost, pd.Series) else list(cost), "the labels of cost")
        labels.positions(came, factors, "factor", UnknownFactorError)
        labels.positions(factors, came, "factor in cost", UnknownFactorError)
        cost = [cost[name] for name in factors]
    array = floats(cost)
    if array.shape != (len(factors),) or not (array > 0).all() or not np.isfinite(array).all():
        raise InvalidParameterError(f"cost must be {len(factors)} positive numbers, one per factor, but {cost!r} came.")
    return array


def _within(b: Array, f: Array, allowed: float, cost: Array) -> Array:
    """The exposures nearest to b, in units of cost, whose factor variance is what is allowed."""
    # the singular values of a root of F keep twice the digits that the eigenvalues of F would
    half = root(f).T
    _, s, turn = np.linalg.svd(half / cost, full_matrices=False)
    values, along = (s / s[0]) ** 2, turn @ (cost * b)
    multiplier = _multiplier(values, along, allowed / s[0] ** 2)
    shrink = multiplier * values / (1.0 + multiplier * values)
    left = b - turn.T @ (shrink * along) / cost
    # the last digits
    scores = half @ left
    return np.asarray(left * math.sqrt(allowed / float(scores @ scores)))


def _multiplier(values: Array, along: Array, target: float) -> float:
    """The λ at which Σ v (a / (1 + λ v))² is the target, which is less than at λ = 0."""
    multiplier = 0.0
    for _ in range(_NEWTON_STEPS):
        squares = values * (along / (1.0 + multiplier * values)) ** 2
        length = float(squares.sum())
        slope = float((values / (1.0 + multiplier * values) * squares).sum())
        # from below, and never beyond the root, as the function is concave
        step = length * (math.sqrt(length / target) - 1.0) / slope
        multiplier += step
        if step <= 1e-15 * multiplier:
            return multiplier
    raise InvalidParameterError("no hedge was found: exposures and factor covariance are too large or too small.")


def _read_instruments(instruments: Sequence[Any], model: FactorModel) -> pd.Index:
    if isinstance(instruments, str):
        raise InvalidParameterError(f"instruments must be a list, but {instruments!r} came; write [{instruments!r}].")
    tools = labels.unique(instruments, "instruments")
    if tools.empty:
        raise InvalidParameterError("a hedge needs at least one instrument, but none came.")
    labels.positions(tools, _instruments(model), _INSTRUMENT, UnknownAssetError)
    return tools


def _instruments(model: FactorModel) -> pd.Index[Any]:
    """All that a hedge may hold: the factors, and the assets that are not called like one."""
    return model.factors.append(model.assets.difference(model.factors, sort=False))


def _instrument_loadings(tools: pd.Index, model: FactorModel) -> tuple[Array, Array]:
    """Loadings and idio variances of instruments: a factor is its own and has no idio variance."""
    k = len(model.factors)
    b, d = np.zeros((len(tools), k)), np.zeros(len(tools))
    is_factor = tools.isin(model.factors)
    b[is_factor, model.factors.get_indexer(tools[is_factor])] = 1.0
    assets = model.restrict(tools[~is_factor].to_list())
    b[~is_factor], d[~is_factor] = assets.loadings.to_numpy(), assets.idio_variance.to_numpy()
    return b, d
