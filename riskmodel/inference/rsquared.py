"""Intervals of the R² of single assets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core.arrays import Array
from riskmodel.inference.covariance.base import LongRunCovariance
from riskmodel.inference.figures import PortfolioFigures
from riskmodel.inference.fitted import Fitted
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import Panel
from riskmodel.portfolio.strategy import Strategy


def rsquared_ends(
    model: FactorModel, assets: pd.Index[Any], panel: Panel, covariance: LongRunCovariance, level: float
) -> Array:
    """Return the ends of the interval of the R² of N assets of a model, shape (N, 2).

    They are those of ``factor share`` of each alone; NaN for assets without a regression of their own.
    """
    fitted, ends = Fitted(model, panel), np.full((len(assets), 2), np.nan)
    for i, asset in enumerate(assets):
        if asset in model._proxies:
            continue
        of_asset = PortfolioFigures.of(fitted, Strategy({asset: 1.0}, model), covariance)
        share = of_asset.factor_share()
        ends[i] = share.bounds.ends(of_asset.spread(share), level)[1:]
    return ends
