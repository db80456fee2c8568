"""Panels with assets that have the returns of baskets of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from attrs import evolve

from riskmodel._core import labels
from riskmodel._core.arrays import Array, floats
from riskmodel.errors import InvalidParameterError, UnknownAssetError
from riskmodel.panel.memory import ReturnPanel


def with_baskets(panel: ReturnPanel, baskets: Mapping[Any, pd.Series[float]]) -> ReturnPanel:
    """Add assets to a panel, each with the return of a basket, rebalanced to its weights on every date.

    Where an asset of the basket has no return, the others have its weight in proportion to theirs, so that one young
    peer does not cost the history of all.

    Parameters
    ----------
    panel : ReturnPanel
        Of N assets, those of the baskets among them.
    baskets : mapping
        For each new asset, the weights of its basket by asset.

    Returns
    -------
    ReturnPanel
        Of the N assets, then the new ones, whose return is missing where none of the basket has one.

    Raises
    ------
    UnknownAssetError
        For an asset of a basket that the panel does not have.
    InvalidParameterError
        For a new asset that the panel has.
    """
    known = [asset for asset in baskets if asset in panel.assets]
    if known:
        raise InvalidParameterError(
            f"expected baskets for assets that the panel does not have, got {labels.listing(known)}, which has returns "
            "of its own there; leave it out of the baskets.",
            assets=known,
        )
    if not baskets:
        return panel
    returns = panel.arrays()[0]
    columns = []
    for asset, basket in baskets.items():
        at = labels.positions(basket.index, panel.assets, f"asset of the basket of {asset}", UnknownAssetError)
        columns.append(_mean(returns[:, at], floats(basket)))
    assets = panel.assets.append(pd.Index(list(baskets)))
    return evolve(panel, assets=assets, excess_returns=np.column_stack([returns, *columns]))


def _mean(returns: Array, weights: Array) -> Array:
    """The weighted mean by row of what is known, T × n; NaN where nothing is, or where weights cancel."""
    known = ~np.isnan(returns) & (weights != 0)
    total = known @ weights
    sums = np.where(known, returns, 0.0) @ weights
    whole = float(weights.sum())
    # of long and short peers, what is left may have another sign
    enough = known.any(axis=1) & (total * whole > 0.0)
    return np.asarray(np.divide(sums * whole, total, where=enough, out=np.full(len(returns), np.nan)))
