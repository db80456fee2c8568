"""A strategy: weights on assets, seen through a model."""

from __future__ import annotations

from typing import Any, final

import pandas as pd
from attrs import frozen

from riskmodel.errors import InvalidParameterError
from riskmodel.model.model import FactorModel
from riskmodel.portfolio.portfolio import Portfolio, read_weights


@final
@frozen(init=False, eq=False, repr=False)
class Strategy(Portfolio):
    """Weights on assets, seen through a model. Long and short, adding up to anything.

    Parameters
    ----------
    weights : mapping or Series by asset
        Dollars per dollar of strategy. Assets left out weigh zero.
    model : FactorModel
        Which has all of the assets.

    Raises
    ------
    UnknownAssetError
        For an asset that is not in the model, with the nearest names.
    InvalidParameterError
        For weights that are not finite, or none.
    DuplicateLabelsError
        For an asset that comes twice.

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

    def __init__(self, weights: Any, model: FactorModel) -> None:
        if not isinstance(model, FactorModel):
            raise InvalidParameterError(f"model must be a FactorModel, but {type(model).__name__} came.")
        read = read_weights(weights, "weights", model.assets, "asset")
        if read.empty:
            raise InvalidParameterError("a portfolio needs at least one asset, but none came.")
        self.__attrs_init__(weights=read, model=model)

    def __repr__(self) -> str:
        return f"<Strategy of {len(self._weights)} assets, per {self.horizon}>"

    @property
    def model(self) -> FactorModel:
        """What the weights are seen through."""
        return self._model

    @property
    def weights(self) -> pd.Series[float]:
        """Weight by asset, dollars per dollar of strategy."""
        return self._weights.copy()

    @property
    def legs(self) -> pd.Series[float]:
        """Zero for every factor: a strategy holds assets only."""
        return pd.Series(0.0, self._model.factors, name="leg")

    def _held_legs(self) -> None:
        return None

    def _own_cash(self) -> float:
        return 0.0
