"""Sample variances of residuals."""

from __future__ import annotations

from typing import final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel.estimation.idio_variance.base import ENOUGH, IdioVarianceEstimator, read_residuals
from riskmodel.estimation.idio_variance.risk import IdioRisk
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.weighting import weighted_variance


@final
@frozen
class SampleVariance(IdioVarianceEstimator):
    """Sample variances with ddof 1, each asset over its own dates.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(panel)
    >>> risk = rm.SampleVariance().fit(fitted.residuals, fitted)
    >>> bool((abs(risk.variance / rm.OLS().fit(panel).idio_variance - 1) < 1e-12).all())
    True
    """

    def fit(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> IdioRisk:
        """Return the sample variances, return² per row."""
        residuals = read_residuals(residuals, loadings)
        variance = weighted_variance(residuals, np.ones(len(residuals)))
        return IdioRisk(residuals.columns, variance, loadings.horizon)

    def variances_before(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> pd.DataFrame:
        """The sample variances of the residuals before each row."""
        before: pd.DataFrame = read_residuals(residuals, loadings).expanding(min_periods=ENOUGH).var().shift(1)
        return before
