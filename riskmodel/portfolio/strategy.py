"""Strategies: weights on assets, with a factor model of them."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.weights import read_weights
from riskmodel.errors import InvalidParameterError, UnknownAssetError
from riskmodel.model.history import ModelHistory
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.portfolio import Portfolio
from riskmodel.quantities import Volatility


@final
@frozen(init=False, eq=False, repr=False)
class Strategy(Portfolio):
    """Weights on assets, with a factor model of them. Weights may be negative and have any sum.

    Parameters
    ----------
    weights : mapping or Series by asset
        Dollars per dollar of strategy. Other assets have weight zero.
    model : FactorModel
        A model of all of the assets.
    panel : ReturnPanel, optional
        Returns to show the realised volatility of, beside the model's, where the strategy is printed.

    Raises
    ------
    UnknownAssetError
        For an asset that is not in the model, with the nearest names.
    InvalidParameterError
        For weights that are not finite, or no weights.
    DuplicateLabelsError
        For an asset given more than once.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> pair = rm.Strategy({"MSFT": 1.0, "JPM": -1.0}, rm.OLS().fit(panel))
    >>> float(pair.exposures["Mkt-RF"].round(3)), round(pair.decompose().factor_share, 3)
    (-0.457, 0.059)
    """

    _weights: pd.Series[float]
    _model: FactorModel
    _realised: Volatility | None

    def __init__(self, weights: Any, model: FactorModel, panel: ReturnPanel | None = None) -> None:
        if not isinstance(model, FactorModel):
            advice = "fit one, as in rm.OLS().fit(panel)"
            if isinstance(model, ModelHistory):
                advice = "for a strategy through time, write rm.StrategyHistory(weights, history)"
            raise InvalidParameterError(
                f"expected model as a FactorModel, got {type(model).__name__}; {advice}.",
                parameter="model",
                got=type(model).__name__,
            )
        read = read_weights(weights, "weights", "asset")
        labels.positions(read.index, model.assets, "asset", UnknownAssetError)
        if read.empty:
            raise InvalidParameterError(
                "expected weights of at least one asset, got none.", parameter="weights", got=[]
            )
        self.__attrs_init__(weights=read, model=model, realised=None)
        if panel is not None:
            object.__setattr__(self, "_realised", self.realised(panel))

    @classmethod
    def from_positions(cls, dollars: Any, model: FactorModel) -> Self:
        """Return the strategy of positions in dollars: weights are dollars per gross dollar.

        A `Book` also knows groups, a NAV, and what stands in for positions that the model does not cover.

        Parameters
        ----------
        dollars : mapping or Series by asset
            Negative for short positions. One at least is not zero.
        model : FactorModel
            A model of all of the assets.

        Raises
        ------
        UnknownAssetError, InvalidParameterError, DuplicateLabelsError
            As the class.

        Examples
        --------
        >>> import riskmodel as rm
        >>> model = rm.OLS().fit(rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"]))
        >>> rm.Strategy.from_positions({"MSFT": 3e6, "JPM": -1e6}, model).weights.to_dict()
        {'MSFT': 0.75, 'JPM': -0.25}
        """
        read = read_weights(dollars, "dollars", "asset")
        if not read.any():
            raise InvalidParameterError(
                f"expected a position other than zero, got {len(read)} of zero dollars.", parameter="dollars", got=[]
            )
        return cls(read / read.abs().sum(), model)

    def __repr__(self) -> str:
        return f"<Strategy of {len(self._weights)} assets, per {self.horizon}{self._beside(self._realised)}>"

    @property
    def model(self) -> FactorModel:
        """The factor model of the assets."""
        return self._model

    @property
    def weights(self) -> pd.Series[float]:
        """Weight by asset, dollars per dollar of strategy."""
        return self._weights.copy()

    @property
    def legs(self) -> pd.Series[float]:
        """Zero for every factor: a strategy holds assets only."""
        return pd.Series(0.0, self._model.factors, name="leg")

    def _choices(self) -> int:
        return int(np.count_nonzero(self._weights))

    def _held_legs(self) -> None:
        return None

    def _own_cash(self) -> float:
        return 0.0
