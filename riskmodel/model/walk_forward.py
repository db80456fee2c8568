"""Hedge a portfolio on each date with the model known the day before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index
from riskmodel._core.weights import read_weights
from riskmodel.errors import EstimationError, InvalidParameterError, UnknownAssetError
from riskmodel.model.legs import Legs, require_tradable
from riskmodel.model.model import FactorModel
from riskmodel.panel.factors import Factor, PortfolioFactor
from riskmodel.panel.memory import ReturnPanel, returns_on


@final
@frozen(eq=False)
class Held:
    """Weights that are not zero, and their columns."""

    columns: Index
    weights: Array


def read_held(weights: Any, assets: pd.Index[Any]) -> Held:
    """Read weights by asset; at least one must not be zero."""
    read = read_weights(weights, "weights", "asset")
    columns, values = labels.positions(read.index, assets, "asset", UnknownAssetError), read.to_numpy()
    if not len(values):
        raise InvalidParameterError("expected a weight or more, got no weight; name an asset.", parameter="weights")
    if not values.any():
        raise InvalidParameterError("expected weights that are not all zero, got zero only.", parameter="weights")
    return Held(columns[values != 0], values[values != 0])


def tracking_returns(  # noqa: PLR0917 - parts of one history
    panel: ReturnPanel,
    model: Callable[[int], FactorModel],
    definitions: Sequence[tuple[Factor, ...]],
    factors: pd.Index[Any],
    exposures: Array,
    rows: Index,
    latest: Index,
) -> Array:
    """Returns of the tracking portfolio with given exposures, by row of the panel.

    Parameters
    ----------
    panel : ReturnPanel
        T dates.
    model : callable
        The model of a window.
    definitions : sequence of tuple of Factor
        Of each window, or one of all windows.
    factors : pandas.Index
        K labels.
    exposures : array, shape (D, K)
        By window.
    rows, latest : array of int
        Rows of the panel, and the latest window known before each.
    """
    if len(definitions) == 1 and not any(isinstance(f, PortfolioFactor) for f in definitions[0]):
        require_tradable(definitions[0], np.abs(np.nan_to_num(exposures)).sum(axis=0))
        returns = panel.returns_of(definitions[0])[rows]
        return np.asarray(np.einsum("tk,tk->t", exposures[latest], returns))
    total = np.full(len(rows), np.nan)
    for d in np.unique(latest):
        own = latest == d
        first, last = rows[own][0], rows[own][-1] + 1
        some = slice(int(first), int(last))
        total[own] = _one_window(panel, some, model_or_none(model, int(d)), factors, exposures[d])
    return total


def model_or_none(model: Callable[[int], FactorModel], window: int) -> FactorModel | None:
    """The model of a window; None where no asset could be estimated."""
    try:
        return model(window)
    except EstimationError:
        return None


def _one_window(
    panel: ReturnPanel, rows: slice, known: FactorModel | None, factors: pd.Index[Any], exposures: Array
) -> Any:
    """Tracking returns on some rows with the model of one window; NaN without a model."""
    if known is None:
        return np.nan
    own = exposures[factors.get_indexer(known.factors)]
    if np.isnan(own).any():
        return np.nan
    legs = Legs.of(known)
    positions = legs.reaching(own)
    require_tradable(known.definitions, positions)
    return returns_on(panel, known.definitions, rows) @ positions
