"""Base class of estimators of the factors' covariance."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel._core.listing import Abstract
from riskmodel.errors import EstimationError
from riskmodel.estimation.weighting import read_returns_by_date
from riskmodel.horizon import Horizon, require_horizon

# A variance from fewer rows than this says little about the next row.
ENOUGH = 20


class FactorCovarianceEstimator(Abstract):
    """An estimator of F = Var f: the second part of `Assembled`. Write `fit`.

    A wrapper, which adjusts the covariance of another estimator, holds that one as `inner`: then `Assembled.stages`
    says what it changed.

    Examples
    --------
    >>> import attrs, numpy as np, riskmodel as rm
    >>> @attrs.frozen
    ... class Uncorrelated(rm.FactorCovarianceEstimator):
    ...     inner: rm.FactorCovarianceEstimator
    ...     def fit(self, factor_returns, horizon):
    ...         covariance = self.inner.fit(factor_returns, horizon)
    ...         return covariance * np.eye(len(covariance))
    >>> factors = rm.SampleData(rm.MONTH).factor_returns(["SMB", "HML"])
    >>> Uncorrelated(rm.SampleCovariance()).fit(factors, rm.MONTH).round(4)
            SMB     HML
    SMB  0.0008 -0.0000
    HML -0.0000  0.0007
    """

    @abstractmethod
    def fit(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """Estimate the covariance matrix of factors.

        Parameters
        ----------
        factor_returns : DataFrame, dates × factors
            T rows in the order of time, decimals per `horizon`; none missing.
        horizon : Horizon
            The span of one row.

        Returns
        -------
        DataFrame, factors × factors
            Positive semidefinite, return² per `horizon`.

        Raises
        ------
        EstimationError
            If there are too few rows.
        """

    def variances_before(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """Variances as they were forecast for each row, from the rows before it.

        By default `fit` is called for each row. Override it where this is one pass.

        Parameters
        ----------
        factor_returns : DataFrame, dates × factors
            T rows, as in `fit`.
        horizon : Horizon
            The span of one row.

        Returns
        -------
        DataFrame, dates × factors
            Return² per `horizon`; NaN in the first 20 rows, and where the rows before are too few for `fit`.
        """
        read_factor_returns(factor_returns, horizon)
        before = np.full(factor_returns.shape, np.nan)
        for t in range(ENOUGH, len(before)):
            with suppress(EstimationError):
                before[t] = np.diag(self.fit(factor_returns.iloc[:t], horizon))
        return pd.DataFrame(before, factor_returns.index, factor_returns.columns)


def as_covariance(matrix: Array, factor_returns: pd.DataFrame) -> pd.DataFrame:
    """Label a matrix by the factors, exactly symmetric."""
    names = factor_returns.columns
    return pd.DataFrame((matrix + matrix.T) / 2, names.copy(), names.copy())


def read_factor_returns(factor_returns: Any, horizon: Any, least: int = 2) -> Array:
    """Return factor returns as an array of shape (T, K), or raise for missing ones or fewer than `least` rows."""
    require_horizon(horizon)
    values = read_returns_by_date(factor_returns, "factor_returns")
    lacking = list(factor_returns.columns[np.isnan(values).any(axis=0)])
    if lacking:
        raise EstimationError(
            f"expected factor returns on all dates, got missing ones of {labels.listing(lacking)}; select the dates on "
            "which all factors are known.",
            factors=lacking,
        )
    if len(values) < least:
        raise EstimationError(
            f"expected {least} rows of factor returns or more, got {len(values)}; widen the window.",
            rows=len(values),
            expected=least,
        )
    return values
