"""What a strategy and a hedged portfolio have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, final

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arrays import floats
from riskmodel.data.provider import DataProvider, require_horizon
from riskmodel.errors import InvalidParameterError, UnknownAssetError
from riskmodel.horizon import Horizon, Mean, SharpeRatio, Volatility, require_same
from riskmodel.model.decomposition import RiskDecomposition
from riskmodel.model.model import FactorModel
from riskmodel.panel.factors import Factor
from riskmodel.panel.memory import ReturnPanel

# A volatility this small beside that of the holdings alone is what rounding leaves of a perfect hedge.
_RISKLESS = 1e-10


class Portfolio(ABC):
    """Weights on assets, and legs on factors, seen through a model (abstract: `Strategy`, `HedgedPortfolio`).

    Weights are dollars per dollar of strategy. Figures are per the model's `horizon`. Each is computed at its first
    read and kept; Series are returned as copies.
    """

    @property
    @abstractmethod
    def model(self) -> FactorModel:
        """What the weights are seen through."""

    @property
    @abstractmethod
    def weights(self) -> pd.Series[float]:
        """Weight by asset; assets left out weigh zero."""

    @property
    @abstractmethod
    def legs(self) -> pd.Series[float]:
        """Weight by factor of what is held in the factors themselves."""

    @property
    @final
    def horizon(self) -> Horizon:
        """What the figures refer to: the model's."""
        return self.model.horizon

    @property
    @final
    def exposures(self) -> pd.Series[float]:
        """Exposure by factor, B'w + legs (dimensionless)."""
        return self._exposures.copy()

    @cached_property
    @final
    def alpha(self) -> Mean:
        """Expected return that the factors do not explain, w'α, decimals per horizon."""
        return Mean(_dot(self.weights, self._held.alpha), self.horizon)

    @cached_property
    @final
    def expected_excess_return(self) -> Mean:
        """Expected return with every leg's cash borrowed or lent at the risk-free rate: α + β·E f."""
        return Mean(float(self.alpha) + _dot(self._exposures, self.model.factor_mean), self.horizon)

    @final
    def expected_return_by(self) -> pd.Series[float]:
        """E r by source: ``risk_free``, ``alpha``, then each factor's β E f; the sum is `expected_return`.

        The risk-free part is what the holdings themselves earn of it, rf times the cash they cost. A hedged
        portfolio holds its cash leg too, so it earns none.
        """
        parts = [
            self.model.risk_free_mean * (float(self.weights.sum()) + self._funded_legs() + self._own_cash()),
            float(self.alpha),
            *(self._exposures * self.model.factor_mean),
        ]
        return pd.Series(parts, pd.Index(["risk_free", "alpha", *self.model.factors]), name="expected_return")

    @final
    def expected_return(self) -> Mean:
        """E r = rf + α + β·E f of what is held, decimals per horizon (rf times the cash that the holdings cost)."""
        return Mean(float(self.expected_return_by().sum()), self.horizon)

    @cached_property
    @final
    def volatility(self) -> Volatility:
        """Standard deviation of the return, decimals per horizon."""
        return Volatility(np.sqrt(float(self.decompose().total_variance)), self.horizon)

    @cached_property
    @final
    def sharpe(self) -> SharpeRatio:
        """Expected excess return per unit of volatility; NaN where there is none but rounding."""
        ratio = math.nan if self.is_riskless else float(self.expected_excess_return) / float(self.volatility)
        return SharpeRatio(ratio, self.horizon)

    @cached_property
    @final
    def is_riskless(self) -> bool:
        """Whether the volatility is rounding error beside the volatilities of its holdings."""
        held, f = self._held.covariance, self.model.factor_covariance.to_numpy()
        alone = np.abs(self.weights.to_numpy()) @ np.sqrt(held.diagonal().to_numpy())
        alone += np.abs(self.legs.to_numpy()) @ np.sqrt(np.diag(f))
        return float(self.volatility) <= _RISKLESS * float(alone)

    @final
    def decompose(self) -> RiskDecomposition:
        """Split the variance by factor and own, and by holding."""
        return self._decomposition

    @property
    @final
    def tracking(self) -> pd.Series[float]:
        """The portfolio of factors that mimics this one: weights equal to the exposures; minus it is the hedge."""
        return self.exposures.rename("tracking")

    @cached_property
    @final
    def cash_weight(self) -> float:
        """Cash that pays for the holdings: minus what assets and funded legs cost, per dollar of strategy.

        One long dollar of stock against -β of a funded factor leaves -(1 - β), borrowed at the risk-free rate.
        Self-financing factors raise no cash.
        """
        return -(float(self.weights.sum()) + self._funded_legs())

    @final
    def excess_returns(self, data: DataProvider | ReturnPanel, start: Any = None, end: Any = None) -> pd.Series[float]:
        """Excess return by date: every leg's cash is borrowed or lent at the risk-free rate.

        Parameters
        ----------
        data : DataProvider or ReturnPanel
            At the model's horizon, with the assets held and the model's factors.
        start, end : date-like, optional
            The window, both ends included.

        Returns
        -------
        Series by date
            Decimals per horizon; NaN on dates where one of the assets held has no return.

        Raises
        ------
        HorizonMismatchError
            If the data are of another horizon.
        UnknownAssetError, UnknownFactorError
            If they lack what is held.
        """
        # what weighs nothing is not held, and may be missing
        weights, legs = self.weights[self.weights != 0], self.legs.to_numpy()
        factors = [f for f, leg in zip(self.model.definitions, legs, strict=True) if leg]
        panel = self._panel(data, factors, start, end)
        values = panel.select(weights.index, []).arrays()[0] @ weights.to_numpy()
        values = values + panel.returns_of(factors) @ legs[legs != 0]
        return pd.Series(values, panel.dates, name="excess_return")

    def _panel(self, data: DataProvider | ReturnPanel, factors: Sequence[Factor], start: Any, end: Any) -> ReturnPanel:
        if isinstance(data, ReturnPanel):
            require_same(self.horizon, data.horizon, "a portfolio's model and the panel")
            return data.select(start=start, end=end)
        if not isinstance(data, DataProvider):
            raise InvalidParameterError(f"data must be a DataProvider or a ReturnPanel, not {type(data).__name__}.")
        require_horizon(data, self.horizon)
        return data.panel(list(self.weights.index), factors, start, end)

    @cached_property
    def _held(self) -> FactorModel:
        """The model of the assets held."""
        return self.model.restrict(self.weights.index.to_list())

    @cached_property
    def _exposures(self) -> pd.Series[float]:
        return (self._held.loadings.T @ self.weights + self.legs).rename("exposure")

    @cached_property
    def _decomposition(self) -> RiskDecomposition:
        return RiskDecomposition.of(self.model.covariance, self.weights, self._held_legs())

    @abstractmethod
    def _held_legs(self) -> pd.Series[float] | None:
        """The legs as holdings of their own, or None where a portfolio has none."""

    @abstractmethod
    def _own_cash(self) -> float:
        """The cash weight that is itself one of the holdings."""

    def _funded_legs(self) -> float:
        return float(self.legs.to_numpy() @ np.array(self.model.funded, dtype=np.float64))


def require_portfolio(value: Any, what: str) -> Portfolio:
    """Return what is a portfolio, or raise; `what` names it."""
    if not isinstance(value, Portfolio):
        raise InvalidParameterError(f"{what} must be a Strategy or a HedgedPortfolio, but {type(value).__name__} came.")
    return value


def _dot(a: pd.Series[float], b: pd.Series[float]) -> float:
    """Sum of products of what is in the same order."""
    return float(a.to_numpy() @ b.to_numpy())


def read_weights(weights: Any, what: str, known: pd.Index[Any], kind: str) -> pd.Series[float]:
    """Copy weights by label, and check them; `what` and `kind` name them and their labels in errors."""
    if not isinstance(weights, Mapping | pd.Series):
        raise InvalidParameterError(
            f"{what} must be a mapping or a Series by {kind}, such as {{'MSFT': 1.0}}, but "
            f"{type(weights).__name__} came."
        )
    index = labels.unique(weights.index if isinstance(weights, pd.Series) else list(weights), f"{what} by {kind}")
    labels.positions(index, known, kind, UnknownAssetError)
    values = np.array(floats([weights[label] for label in index] if isinstance(weights, Mapping) else weights))
    bad = index[~np.isfinite(values)]
    if len(bad):
        raise InvalidParameterError(f"{what} must be finite, but those of {labels.listing(bad)} are not.")
    return pd.Series(values, index, name="weight")
