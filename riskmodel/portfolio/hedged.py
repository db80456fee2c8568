"""A strategy and the hedge that takes its factor risk away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen
from scipy import linalg

from riskmodel import labels
from riskmodel.covariance import Array
from riskmodel.errors import (
    InvalidParameterError,
    SingularCovarianceError,
    UnknownAssetError,
    UnknownFactorError,
)
from riskmodel.model import FactorModel
from riskmodel.portfolio.portfolio import Portfolio

_NEWTON_STEPS = 100


@final
@frozen(eq=False, repr=False)
class HedgedPortfolio(Portfolio):
    r"""A strategy with a hedge in factors, or in other instruments.

    Made by `neutral`, `with_factor_share` or `minimum_variance`. It is hedged = strategy + hedge + cash, where the
    cash leg pays for both, so that its return is an excess return. Hedging an already hedged portfolio works the same.

    Parameters
    ----------
    strategy : Portfolio
        What is hedged.
    hedge_weights : Series by factor or instrument
        Dollars per dollar of strategy. A label that is a factor of the model is a position in that factor; otherwise
        it is an asset.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> hedged = rm.HedgedPortfolio.neutral(msft)
    >>> hedged.hedge_weights.round(3).to_dict(), round(hedged.cash_weight, 3)
    ({'Mkt-RF': -1.088}, 0.088)
    >>> rm.HedgedPortfolio.with_factor_share(msft, 0.20).decompose().factor_share
    0.2...
    """

    _strategy: Portfolio
    _hedge: pd.Series[float]

    # -- three ways to hedge -----------------------------------------------------------------------

    @classmethod
    def neutral(cls, strategy: Portfolio) -> Self:
        """Hedge all of the factor exposure: strategy less its tracking portfolio ("portable alpha").

        In the sample that an OLS model was estimated on, its mean is alpha and its variance the residual variance.
        """
        return cls(strategy, (-strategy.exposures).rename("hedge_weight"))

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
        holds with equality, found by Newton's method on :math:`1 / \sqrt{x^\top F x}`, which is concave and increasing in
        :math:`\lambda`, and for one factor linear ([1]_, section 7.3, the secular equation of a trust region). A portfolio
        already within the cap is left as it is. Without any idio variance, every exposure left makes the factors'
        share 1, so any cap below 1 takes the whole hedge.

        References
        ----------
        .. [1] Conn, A. R., Gould, N. I. M. and Toint, Ph. L. (2000). *Trust-Region Methods*. SIAM.
        """
        share = _read_cap(cap)
        b = strategy.exposures
        split = strategy.decompose()
        if share >= 1.0 or split.factor_share <= share:
            return cls(strategy, pd.Series(0.0, b.index, name="hedge_weight"))
        allowed = float(split.idio_variance) * share / (1.0 - share)
        if allowed == 0.0:
            return cls.neutral(strategy)
        f = strategy.model.factor_covariance.to_numpy()
        left = _within(b.to_numpy(), f, allowed, _read_cost(cost, b.index))
        return cls(strategy, pd.Series(left - b.to_numpy(), b.index, name="hedge_weight"))

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
        tools = _read_instruments(instruments, strategy.model)
        b, d = _instrument_loadings(tools, strategy.model)
        f = strategy.model.factor_covariance.to_numpy()
        own = strategy.weights.reindex(tools, fill_value=0.0).to_numpy()
        shared = b @ f @ strategy.exposures.to_numpy() + d * own
        weights = _solve(b @ f @ b.T + np.diag(d), -shared, tools)
        return cls(strategy, pd.Series(weights, tools, name="hedge_weight"))

    # -- what it holds -----------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"<HedgedPortfolio of {self._strategy!r} with {len(self._hedge)} hedge legs>"

    @property
    def strategy(self) -> Portfolio:
        """What is hedged."""
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
        if assets.empty:
            return self._strategy.weights
        return self._strategy.weights.add(assets, fill_value=0.0).rename("weight")

    @property
    def legs(self) -> pd.Series[float]:
        """Weight by factor of the hedge, and of what the strategy holds in factors itself."""
        factors = self.model.factors
        return self._strategy.legs + self._hedge.reindex(factors, fill_value=0.0).to_numpy()

    def _held_legs(self) -> pd.Series[float]:
        return self.legs

    def _own_cash(self) -> float:
        return self.cash_weight


def _read_cap(cap: float) -> float:
    if isinstance(cap, bool) or not isinstance(cap, int | float | np.number) or not cap >= 0:
        raise InvalidParameterError(f"cap must be a share of the variance, 0 or more (0.2 is 20 %), but {cap!r} came.")
    return float(cap)


def _read_cost(cost: Any, factors: pd.Index) -> Array:
    if cost is None:
        return np.ones(len(factors))
    if isinstance(cost, dict | pd.Series):
        series = pd.Series(cost, dtype=np.float64)
        labels.positions(series.index, factors, "factor", UnknownFactorError)
        values = series.iloc[labels.positions(factors, series.index, "factor in cost", UnknownFactorError)]
        cost = values.to_numpy()
    array = np.asarray(cost, dtype=np.float64)
    if array.shape != (len(factors),) or not (array > 0).all() or not np.isfinite(array).all():
        raise InvalidParameterError(f"cost must be {len(factors)} positive numbers, one per factor, but {cost!r} came.")
    return array


def _within(b: Array, f: Array, allowed: float, cost: Array) -> Array:
    """The exposures nearest to b, in units of cost, whose factor variance is what is allowed."""
    values, vectors = linalg.eigh(f / np.outer(cost, cost))
    scale = values[-1]
    values = np.clip(values / scale, 0.0, None)
    y, target = vectors.T @ (cost * b), allowed / scale
    multiplier = 0.0
    for _ in range(_NEWTON_STEPS):
        shrink = 1.0 / (1.0 + multiplier * values)
        squares = values * (y * shrink) ** 2
        length = squares.sum()
        step = length * (math.sqrt(length / target) - 1.0) / (values * shrink * squares).sum()
        multiplier += step
        if step <= 1e-15 * multiplier:
            break
    left = vectors @ (y / (1.0 + multiplier * values)) / cost
    # the last digits: exactly at the cap, from within
    return np.asarray(left * min(1.0, math.sqrt(allowed / float(left @ f @ left))))


def _read_instruments(instruments: Sequence[Any], model: FactorModel) -> pd.Index:
    if isinstance(instruments, str):
        raise InvalidParameterError(f"instruments must be a list, but {instruments!r} came; write [{instruments!r}].")
    tools = labels.unique(instruments, "instruments")
    if tools.empty:
        raise InvalidParameterError("a hedge needs at least one instrument, but none came.")
    missing = [t for t in tools if t not in model.factors and t not in model.assets]
    if missing:
        known = [*model.factors, *model.assets]
        raise labels.unknown(missing, known, "instrument (factor or asset)", UnknownAssetError)
    return tools


def _instrument_loadings(tools: pd.Index, model: FactorModel) -> tuple[Array, Array]:
    """Loadings and idio variances of instruments: a factor is its own and has no idio variance."""
    k = len(model.factors)
    b, d = np.zeros((len(tools), k)), np.zeros(len(tools))
    is_factor = tools.isin(model.factors)
    b[is_factor, model.factors.get_indexer(tools[is_factor])] = 1.0
    assets = model.restrict(tools[~is_factor])
    b[~is_factor], d[~is_factor] = assets.loadings.to_numpy(), assets.idio_variance.to_numpy()
    return b, d


def _solve(matrix: Array, right: Array, tools: pd.Index) -> Array:
    scales = np.sqrt(np.diag(matrix))
    safe = np.where(scales > 0, scales, 1.0)
    values = linalg.eigvalsh(matrix / np.outer(safe, safe))
    if values[0] <= 1e-12:
        raise SingularCovarianceError(
            f"the instruments {labels.listing(tools)} cannot be told apart: one of them is riskless or a "
            "combination of the others; leave it out.",
            instruments=list(tools),
        )
    return np.asarray(linalg.solve(matrix / np.outer(safe, safe), right / safe, assume_a="pos") / safe)
