"""A model with the panel that it was fitted on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, final

import numpy as np
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, floats
from riskmodel.errors import UnknownAssetError
from riskmodel.inference.agreement import require_same_model
from riskmodel.inference.date_groups import DateGroup, read_groups
from riskmodel.inference.influence import FactorInfluence, PortfolioInfluence, Weights
from riskmodel.inference.stand_ins import StandIns
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import Panel
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio


@final
@frozen(eq=False, slots=False)
class Fitted:
    """What a model's panel says of a portfolio.

    Attributes
    ----------
    model : FactorModel
        Of a regression.
    panel : Panel
        What it was fitted on. Only the assets of a portfolio are brought into memory.
    """

    model: FactorModel
    panel: Panel

    def select(self, assets: Any) -> ReturnPanel:
        """The panel of some assets, or one in memory as it is."""
        panel = self.panel
        return panel if isinstance(panel, ReturnPanel) else panel.select(assets)

    @cached_property
    def factors(self) -> Array:
        """Returns of the model's factors, shape (T, K)."""
        return self.select(self.model.assets[:1]).returns_of(self.model.definitions)

    @cached_property
    def of_factors(self) -> FactorInfluence:
        """Influence of each date on the moments of the factors."""
        fit = self.model.regression
        return FactorInfluence.of_returns(self.factors, 1.0 if fit is None else fit.decay_factor)

    def groups(self, held: FactorModel, power: float) -> Iterator[DateGroup]:
        """Yield the regressions of some assets, with residuals over (1 - leverage)^power."""
        return read_groups(held, self.select(held.assets), power, self.factors)

    def stand_ins(self, held: FactorModel) -> StandIns | None:
        """How the parameters of some assets are means of those of others; None where each has its own regression."""
        return StandIns.of(self.model, held)

    def influence(self, held: FactorModel, weights: Array, power: float) -> PortfolioInfluence:
        """What each date adds to the errors of weights on some assets."""
        stand_ins = self.stand_ins(held)
        if stand_ins is None:
            return PortfolioInfluence.of_groups(self.of_factors, self.groups(held, power), Weights.of(weights), power)
        by = Weights(stand_ins.of_alpha(weights), stand_ins.spread(weights), stand_ins.spread(weights**2))
        return PortfolioInfluence.of_groups(self.of_factors, self.groups(stand_ins.regressed, power), by, power)

    def held(self, portfolio: Portfolio) -> FactorModel:
        """The model of the assets held; `InvalidParameterError` for a portfolio of another model."""
        names = require_portfolio(portfolio, "portfolio").weights.index
        at = labels.positions(names, self.model.assets, "asset", UnknownAssetError)
        own = portfolio.model
        if own is not self.model:
            require_same_model(
                own if own.horizon == self.model.horizon else own.at(self.model.horizon), self.model, names, at
            )
        return self.model.restrict(names.to_list())

    def returns(self, portfolio: Portfolio) -> Array:
        """A portfolio's excess returns, without dates on which an asset has none."""
        weights, legs = portfolio.weights, portfolio.legs.to_numpy()
        weights = weights[weights != 0]
        panel = self.select(weights.index.to_list())
        returns = panel.select(weights.index, []).arrays()[0] @ np.asarray(weights)
        returns = returns + self.factors @ legs
        return np.asarray(returns[~np.isnan(returns)])

    def residuals(self, portfolio: Portfolio) -> tuple[Array, float]:
        """A portfolio's residuals, NaN on dates on which an asset has no return, and its alpha."""
        weights = require_portfolio(portfolio, "portfolio").weights
        weights = weights[weights != 0]
        held, w = self.model.restrict(weights.index.to_list()), floats(weights)
        alpha, stand_ins = float(held._alpha @ w), self.stand_ins(held)
        if stand_ins is not None:
            held, w = stand_ins.regressed, stand_ins.spread(w)
        return np.asarray(held.residuals(self.select(held.assets)).to_numpy() @ w), alpha
