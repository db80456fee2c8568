"""How sure is a hedge that a rule reads off the model: of any rule, with numeric derivatives."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, shown
from riskmodel._core.arrays import Array, Flags, Index, floats
from riskmodel.errors import InvalidParameterError, UnknownAssetError
from riskmodel.inference.asset_gradient import AssetGradient, terms_of
from riskmodel.inference.bounds import Bounds, RootOfVariance, Spread, Symmetric, Unknown
from riskmodel.inference.capped import Binding, HedgeBounds
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.estimand import LONG_RUN, THIS_WINDOW
from riskmodel.inference.fitted import Fitted
from riskmodel.inference.instruments import dollars_of
from riskmodel.inference.of_model import ModelFigures, sizes_of_errors
from riskmodel.inference.tables import frame_of
from riskmodel.inference.windows import rebuilt
from riskmodel.model.model import FactorModel
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.portfolio import Portfolio

Rule = Callable[[Portfolio], HedgedPortfolio]


@final
@frozen(eq=False, slots=False)
class RuleHedge:
    """The weights that a rule gives to instruments, and figures of the hedged portfolio, with their gradients.

    Assets that no instrument holds enter through sums with the strategy's weights alone. So the derivatives by the
    parameters of one of them, the lead, are those of all: times the ratio of weights, squared for idio variances.

    Attributes
    ----------
    hedged : HedgedPortfolio
        The strategy with its hedge, in the model at the horizon of the panel.
    names : pandas.Index
        Assets of strategy and instruments, N.
    values : array, shape (M + 2,)
        The hedge in M instruments, the mean and the variance of the hedged portfolio.
    gradients : list of AssetGradient
        Theirs.
    """

    hedged: HedgedPortfolio
    names: pd.Index[Any]
    values: Array
    gradients: list[AssetGradient]
    fitted: Fitted
    covariance: LongRunCovariance

    @classmethod
    def of(cls, fitted: Fitted, strategy: Portfolio, rule: Rule, covariance: LongRunCovariance) -> Self:
        """Apply the rule, and differentiate what it gives."""
        model = fitted.model
        hedged = _hedged(rule, rebuilt(strategy, model))
        names, holdings = dollars_of(hedged.strategy, hedged.hedge_weights.index)
        at = labels.positions(names, model.assets, "asset", UnknownAssetError)
        weights = floats(hedged.strategy.weights.reindex(names, fill_value=0.0))
        lead = _lead(weights, (holdings != 0).any(axis=1), sizes_of_errors(model)[at, 0])
        figures = _Figures(strategy, rule, hedged.hedge_weights.index)
        found = ModelFigures.of(figures, model, at[lead.single])
        return cls(hedged, names, found.estimates, [lead.spread(g) for g in found.gradients], fitted, covariance)

    def table(self, strategy: Portfolio, level: float, binding: Binding = Binding.SURELY) -> pd.DataFrame:
        """Return the hedge weights, and what the hedged portfolio is expected to return and to risk."""
        held = self.fitted.model.restrict(self.names.to_list())
        *of_hedge, of_mean, of_variance = self.gradients
        *weights, mean, variance = self.values.tolist()
        volatility = 0.0 if self.hedged.is_riskless else math.sqrt(max(variance, 0.0))
        gradients = [*of_hedge, of_mean, of_variance]
        if volatility > 0.0:
            ratio = mean / volatility
            gradients.append(of_mean.times(1.0 / volatility).plus(of_variance, -ratio / (2.0 * variance)))
        terms = terms_of(gradients, self.fitted, held, self.covariance.leverage_power)
        rows: dict[Any, Any] = {}
        for name, weight, own in zip(self.hedged.hedge_weights.index, weights, terms, strict=False):
            bounds = self._bounds(weight, binding)
            rows[f"hedge {name}"] = (weight, *self._ends(bounds, own, THIS_WINDOW, level), 0.0, THIS_WINDOW)
        m = len(weights)
        rows["expected excess return"] = (mean, *self._ends(Symmetric(mean), terms[m], LONG_RUN, level), 1.0, LONG_RUN)
        rows["volatility"] = (0.0, 0.0, 0.0, 0.0, 0.5, THIS_WINDOW)
        rows["sharpe"] = (math.nan, math.nan, math.nan, math.nan, 0.5, LONG_RUN)
        if volatility > 0.0:
            ends = self._ends(RootOfVariance(variance), terms[m + 1], THIS_WINDOW, level)
            rows["volatility"] = (volatility, *ends, 0.5, THIS_WINDOW)
            rows["sharpe"] = (ratio, *self._ends(Symmetric(ratio), terms[m + 2], LONG_RUN, level), 0.5, LONG_RUN)
        return frame_of(rows, strategy.horizon.in_units_of(self.hedged.horizon))

    def _bounds(self, weight: float, binding: Binding) -> Bounds:
        if binding is Binding.SURELY:
            return Symmetric(weight)
        bound = binding is Binding.NOT or self.values[: len(self.hedged.hedge_weights)].any()
        # one instrument cannot be on the other side of zero; of several, some may
        sign = float(np.sign(weight)) if len(self.hedged.hedge_weights) == 1 else 0.0
        return HedgeBounds(weight, binding, sign) if bound else Unknown()

    def _ends(self, bounds: Bounds, terms: DateTerms, estimand: Any, level: float) -> tuple[float, float, float]:
        return bounds.ends(Spread.of(terms, self.covariance.about(estimand)), level)


@final
@frozen(eq=False)
class _Figures:
    """The hedge, the mean and the variance as a function of the model."""

    strategy: Portfolio
    rule: Rule
    instruments: pd.Index[Any]

    def __call__(self, model: FactorModel) -> Array:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # said once, of the hedge itself
            hedged = self.rule(rebuilt(self.strategy, model))
        weights = hedged.weights
        at = model.assets.get_indexer(weights.index)
        mean = float(weights.to_numpy() @ model._alpha[at] + hedged.exposures.to_numpy() @ model._factor_mean)
        hedge = hedged.hedge_weights.reindex(self.instruments, fill_value=0.0)
        return np.array([*hedge, mean, float(hedged.volatility) ** 2])


@final
@frozen(eq=False)
class _Lead:
    """Which assets have derivatives of their own, and by what those of the last of them are multiplied for others."""

    single: Flags
    own: Index
    ratios: Array

    def spread(self, gradient: AssetGradient) -> AssetGradient:
        """Return the gradient by all assets."""
        coefficients, idio = gradient.coefficients[self.own], gradient.idio[self.own]
        return AssetGradient(
            coefficients * self.ratios[:, None],
            gradient.factor_mean,
            gradient.factor_covariance,
            idio * self.ratios**2,
        )


def _lead(weights: Array, alone: Flags, errors: Array) -> _Lead:
    single, ratios = alone.copy(), np.ones(len(weights))
    own = np.cumsum(single) - 1
    if not alone.all():
        lead = int(np.argmax(np.where(alone, -1.0, np.abs(weights) * errors)))
        single[lead] = True
        order = np.cumsum(single) - 1
        own = np.where(alone, order, order[lead])
        size = weights[lead]
        ratios = np.where(alone, 1.0, weights / size if size else 0.0)
    return _Lead(single, own, ratios)


def _hedged(rule: Any, strategy: Portfolio) -> HedgedPortfolio:
    advice = "a function of a portfolio that returns one, such as rm.HedgedPortfolio.neutral"
    if not callable(rule):
        raise InvalidParameterError(f"expected rule as {advice}, got {shown(rule)}.", parameter="rule", got=rule)
    try:
        hedged = rule(strategy)
    except TypeError as error:  # no function of one portfolio
        raise InvalidParameterError(
            f"expected rule as {advice}, got {shown(rule)}, which raises {error}.", parameter="rule", got=rule
        ) from error
    made = require(hedged, HedgedPortfolio, "the hedge of rule", advice)
    if made.strategy is not strategy:
        raise InvalidParameterError(
            "expected a rule that hedges the portfolio it is given, got one that returns a hedge of another; write "
            "lambda portfolio: rm.HedgedPortfolio.neutral(portfolio, instruments).",
            parameter="rule",
            got=made,
        )
    return made
