"""Variances of residuals that rise and fall together."""

from __future__ import annotations

from typing import final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel.errors import TooFewObservationsError
from riskmodel.estimation.idio_variance.base import IdioVarianceEstimator, read_residuals
from riskmodel.estimation.idio_variance.risk import IdioRisk
from riskmodel.estimation.level import PooledVolatility, market_of
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.weighting import require_instance


@final
@frozen
class PooledVariance(IdioVarianceEstimator):
    """Each asset's slow share of the cross-section, times the cross-section's level now.

    See `PooledVolatility`. The factor that moves most is taken for the market, whose level that of the residuals
    follows in part; loadings without factors have none, and the residuals' own level is used alone.

    Parameters
    ----------
    pooled : PooledVolatility
        How volatilities move.

    Examples
    --------
    >>> import riskmodel as rm
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(rm.SampleData().panel(["KO", "PEP", "XOM"], ["Mkt-RF"]))
    >>> calm = rm.PooledVariance(rm.PooledVolatility(follow=0.0)).fit(fitted.residuals, fitted).variance
    >>> ratio = rm.PooledVariance(rm.PooledVolatility(follow=1.0)).fit(fitted.residuals, fitted).variance / calm
    >>> bool(ratio.std() < 1e-12)  # a level moves all alike
    True
    """

    pooled: PooledVolatility = field(
        factory=PooledVolatility, validator=require_instance(PooledVolatility, "rm.PooledVolatility()")
    )

    def fit(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> IdioRisk:
        """Return the variances, return² per row.

        Raises
        ------
        TooFewObservationsError
            For assets without residuals.
        """
        residuals = read_residuals(residuals, loadings)
        values = residuals.to_numpy()
        missing = list(residuals.columns[np.asarray(np.isnan(values).all(axis=0))])
        if missing:
            raise TooFewObservationsError(
                f"expected residuals of each asset, got none of {labels.listing(missing)}; leave these assets out, or "
                "give them a prior.",
                assets=missing,
            )
        factors = loadings.factor_returns.loc[residuals.index].to_numpy()
        market = factors[:, market_of(factors)] if factors.shape[1] else np.zeros(len(factors))
        variance = self.pooled.variances(values, market, loadings.horizon)
        return IdioRisk(residuals.columns, variance, loadings.horizon)
