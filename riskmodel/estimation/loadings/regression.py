"""Fitted loadings of a regression."""

from __future__ import annotations

import numpy as np

from riskmodel._core.arrays import Array, set_read_only
from riskmodel.estimation.asset_regressions.base import AssetRegression
from riskmodel.estimation.base import Estimator, MomentEstimator
from riskmodel.estimation.least_squares.ols import OLS
from riskmodel.estimation.loadings.fitted import FittedLoadings, clear_rounding
from riskmodel.estimation.moments.value import Moments
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel


def regress(estimator: Estimator, panel: ReturnPanel, factor_returns: Array | None = None) -> FittedLoadings:
    """Fit an estimator to a panel; the factors' returns, shape (T, K), are by default those of the panel."""
    weights = estimator.weights(panel) if isinstance(estimator, MomentEstimator | AssetRegression) else None
    return _fitted(estimator.fit(panel), panel, weights, factor_returns)


def regress_weighted(panel: ReturnPanel, weights: Array, factor_returns: Array) -> FittedLoadings:
    """Weighted least squares with a weight for each date, shape (T,), on factor returns, shape (T, K)."""
    return _fitted(OLS().estimate(Moments.of(panel, weights)), panel, weights, factor_returns)


def _fitted(
    model: FactorModel, panel: ReturnPanel, weights: Array | None, factor_returns: Array | None
) -> FittedLoadings:
    factors = panel.returns_of(model.definitions) if factor_returns is None else factor_returns
    alpha, loadings = model.alpha.to_numpy(), model.loadings.to_numpy()
    returns = panel.select(model.assets).arrays()[0]
    residuals = factors @ loadings.T
    np.subtract(returns, residuals, out=residuals)
    residuals -= alpha
    still = np.flatnonzero(model.idio_variance.to_numpy() == 0.0)
    clear_rounding(residuals, returns[:, still], still)
    return FittedLoadings(
        assets=model.assets,
        definitions=model.definitions,
        dates=panel.dates,
        horizon=panel.horizon,
        alpha=alpha,
        loadings=loadings,
        factor_returns=factors,
        residuals=set_read_only(residuals),
        weights=np.ones(len(panel.dates)) if weights is None else weights,
        risk_free_mean=model.risk_free_mean,
        regression=model.regression,
    )
