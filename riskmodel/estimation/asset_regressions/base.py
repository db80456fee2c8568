"""Base class of regressions that are fitted asset by asset."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen, validators

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel._core.threads import one_blas_thread
from riskmodel.errors import EstimationError, InvalidParameterError
from riskmodel.estimation.base import Estimator, require_panel
from riskmodel.estimation.in_memory import in_memory
from riskmodel.estimation.least_squares.ewma import EWMA
from riskmodel.estimation.least_squares.ols import OLS
from riskmodel.estimation.weighting import decay, effective_number, require_half_life, weighted_mean, weighted_variance
from riskmodel.horizon import Horizon
from riskmodel.model.lineage import Lineage
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import Panel
from riskmodel.panel.memory import ReturnPanel


@frozen(kw_only=True)
class AssetRegression(Estimator):
    """A regression of each asset on the factors, on its own dates, that is not least squares. Write `slopes`.

    Alphas are such that each asset's weighted mean residual is zero; idio variances are the residuals', and F the
    factors', with ddof 1. It has no `FactorModel.regression`: standard errors are those of least squares. Use it alone,
    or in `TimeSeries`.

    Parameters
    ----------
    half_life : Horizon, optional
        Dates are weighted exponentially, with this half-life in trading days; by default equally.

    Examples
    --------
    >>> import attrs, numpy as np, riskmodel as rm
    >>> @attrs.frozen(kw_only=True)
    ... class Medians(rm.AssetRegression):
    ...     def slopes(self, returns, factors, weights):
    ...         return np.median(returns[:, None] / factors.to_numpy(), axis=0)
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> rm.TimeSeries(Medians()).fit(panel).loadings.round(2)
         Mkt-RF
    KO     0.54
    XOM    0.83
    """

    half_life: Horizon | None = field(default=None, validator=validators.optional(require_half_life))

    @abstractmethod
    def slopes(self, returns: Array, factors: pd.DataFrame, weights: Array) -> Array:
        """Estimate the loadings of one asset; there is an intercept besides.

        Parameters
        ----------
        returns : array, shape (n,)
            Excess returns of an asset on its own dates, decimals.
        factors : DataFrame, dates × factors, shape (n, K)
            Decimals.
        weights : array, shape (n,)
            Weight of each date.

        Returns
        -------
        array, shape (K,)
            Dimensionless.

        Raises
        ------
        EstimationError
            If they cannot be estimated; `fit` adds the name of the asset.
        """

    def require_identified(self, panel: ReturnPanel) -> None:
        """Raise an `EstimationError` where the panel does not identify the loadings; by default, as least squares."""
        (OLS() if self.half_life is None else EWMA(self.half_life)).fit(panel)

    @final
    def weights(self, panel: Panel) -> Array:
        """Weight of each date of a panel, shape (T,)."""
        require_panel(panel)
        return decay(len(panel.dates), self.half_life, panel.horizon)

    @final
    @one_blas_thread()
    def fit(self, panel: Panel) -> FactorModel:
        """Estimate the model on a panel.

        Raises
        ------
        EstimationError
            If the panel does not identify the model; ``details["assets"]`` names the assets that cannot be estimated,
            where the others can.
        TooLargeError
            For a panel that is not in memory and has more than 50 million returns.
        """
        memory = in_memory(panel)
        if not len(memory.factors):
            raise EstimationError("expected a panel with factors, got one without; name some, or use rm.OLS().")
        self.require_identified(memory)
        weights = self.weights(memory)
        returns, factors, risk_free = memory.arrays()
        loadings = self._loadings(memory, weights)
        residuals = returns - factors @ loadings.T
        alpha = weighted_mean(residuals, weights)
        n = float(effective_number(weights, np.ones((len(weights), 1)))[0])
        mean = weighted_mean(factors, weights)
        return FactorModel(
            assets=memory.assets,
            factors=memory.factors,
            alpha=alpha,
            loadings=loadings,
            factor_mean=mean,
            factor_covariance=((factors - mean).T * weights) @ (factors - mean) / weights.sum() * n / (n - 1.0),
            idio_variance=weighted_variance(pd.DataFrame(residuals, columns=memory.assets), weights),
            risk_free_mean=float(weighted_mean(risk_free[:, None], weights)[0]),
            horizon=memory.horizon,
            definitions=memory.definitions,
            lineage=Lineage.of(self, panel),
        )

    def _loadings(self, memory: ReturnPanel, weights: Array) -> Array:
        """Estimate all assets, shape (N, K), or raise for those that cannot be."""
        returns, factors = memory.arrays()[0], memory.factor_returns
        loadings = np.empty((len(memory.assets), len(memory.factors)))
        failed: dict[Any, str] = {}
        for i, asset in enumerate(memory.assets):
            there = ~np.isnan(returns[:, i])
            try:
                loadings[i] = self._checked(self.slopes(returns[there, i], factors.loc[there], weights[there]))
            except EstimationError as error:
                failed[asset] = str(error)
        if failed:
            raise EstimationError(
                f"expected loadings, got none of {labels.listing(failed)}: {next(iter(failed.values()))}",
                assets=list(failed),
            )
        return loadings

    def _checked(self, slopes: Any) -> Array:
        values = np.asarray(slopes, dtype=np.float64)
        if not np.isfinite(values).all():
            raise InvalidParameterError(f"expected finite numbers from {type(self).__name__}.slopes, got {values}.")
        return values
