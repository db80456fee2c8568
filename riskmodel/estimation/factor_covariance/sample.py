"""The sample covariance of factors."""

from __future__ import annotations

from typing import final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel.estimation.factor_covariance.base import (
    ENOUGH,
    FactorCovarianceEstimator,
    as_covariance,
    read_factor_returns,
)
from riskmodel.horizon import Horizon


@final
@frozen
class SampleCovariance(FactorCovarianceEstimator):
    """The sample covariance with ddof 1, all rows weighted equally.

    Examples
    --------
    >>> import riskmodel as rm
    >>> factors = rm.SampleData(rm.MONTH).factor_returns(["SMB", "HML"])
    >>> bool(abs(rm.SampleCovariance().fit(factors, rm.MONTH) - factors.cov()).max(axis=None) < 1e-15)
    True
    """

    def fit(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """Return the sample covariance, factors × factors, return² per `horizon`."""
        values = read_factor_returns(factor_returns, horizon)
        deviations = values - values.mean(axis=0)
        return as_covariance(deviations.T @ deviations / (len(values) - 1), factor_returns)

    def variances_before(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """The sample variances of the rows before each."""
        read_factor_returns(factor_returns, horizon)
        before: pd.DataFrame = factor_returns.astype(np.float64).expanding(min_periods=ENOUGH).var().shift(1)
        return before
