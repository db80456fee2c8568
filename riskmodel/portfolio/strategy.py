"""Strategies: weights on assets, with a factor model of them."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.weights import read_weights
from riskmodel.errors import InvalidParameterError, UnknownAssetError
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
            raise InvalidParameterError(
                f"expected model as a FactorModel, got {type(model).__name__}; fit one, as in rm.OLS().fit(panel).",
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
