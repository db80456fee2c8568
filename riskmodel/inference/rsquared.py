"""Intervals of the R² of single assets."""

from __future__ import annotations

import numpy as np

from riskmodel._core.arrays import Array
from riskmodel.inference.covariance.base import LongRunCovariance
from riskmodel.inference.figures import PortfolioFigures
from riskmodel.inference.fitted import Fitted
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import Panel
from riskmodel.portfolio.strategy import Strategy


def rsquared_ends(model: FactorModel, panel: Panel, covariance: LongRunCovariance, level: float) -> Array:
    """Return the ends of the interval of each asset's R², shape (N, 2): those of ``factor share`` of it alone."""
    fitted, ends = Fitted(model, panel), np.empty((len(model.assets), 2))
    for i, asset in enumerate(model.assets):
        of_asset = PortfolioFigures.of(fitted, Strategy({asset: 1.0}, model), covariance)
        share = of_asset.factor_share()
        ends[i] = share.bounds.ends(of_asset.spread(share), level)[1:]
    return ends
