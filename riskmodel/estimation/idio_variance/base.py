"""Base class of estimators of idio risk."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core.arguments import require
from riskmodel._core.listing import Abstract
from riskmodel.errors import EstimationError
from riskmodel.estimation.idio_variance.risk import IdioRisk
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.weighting import read_returns_by_date

# A variance from fewer residuals than this says little about the next one.
ENOUGH = 20


class IdioVarianceEstimator(Abstract):
    """An estimator of the variances of residuals: the third part of `Assembled`. Write `fit`.

    A wrapper, which adjusts the variances of another estimator, holds that one as `inner`: then `Assembled.stages` says
    what it changed.

    Examples
    --------
    >>> import attrs, riskmodel as rm
    >>> @attrs.frozen
    ... class AtLeast(rm.IdioVarianceEstimator):
    ...     inner: rm.IdioVarianceEstimator
    ...     floor: rm.Volatility
    ...     def fit(self, residuals, loadings):
    ...         risk = self.inner.fit(residuals, loadings)
    ...         floor = float(self.floor.at(risk.horizon)) ** 2
    ...         return attrs.evolve(risk, variance=risk.variance.clip(lower=floor))
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(rm.SampleData().panel(["KO"], ["Mkt-RF"]))
    >>> risk = AtLeast(rm.SampleVariance(), rm.Volatility(0.3, rm.YEAR)).fit(fitted.residuals, fitted)
    >>> round(float(risk.variance["KO"] * 252) ** 0.5, 6)
    0.3
    """

    @abstractmethod
    def fit(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> IdioRisk:
        """Estimate the variance of each asset's residual.

        Parameters
        ----------
        residuals : DataFrame, dates × assets
            T rows in the order of time, decimals per ``loadings.horizon``; NaN where missing.
        loadings : FittedLoadings
            What left them.

        Raises
        ------
        EstimationError
            For assets without enough residuals, named by ``details["assets"]``.
        """

    def variances_before(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> pd.DataFrame:
        """Variances as they were forecast for each row, from the residuals before it.

        By default `fit` is called for each row, on the assets with 20 residuals or more. Override it where this is one
        pass.

        Parameters
        ----------
        residuals : DataFrame, dates × assets
            T rows, as in `fit`.
        loadings : FittedLoadings
            What left them.

        Returns
        -------
        DataFrame, dates × assets
            Return² per ``loadings.horizon``; NaN for an asset with fewer than 20 residuals before, and where these are
            too few for `fit`.
        """
        residuals = read_residuals(residuals, loadings)
        known = residuals.notna().to_numpy().cumsum(axis=0)
        before = np.full(residuals.shape, np.nan)
        for t in range(ENOUGH, len(before)):
            enough = known[t - 1] >= ENOUGH
            with suppress(EstimationError):
                before[t, enough] = self.fit(residuals.iloc[:t].loc[:, enough], loadings).variance.to_numpy()
        return pd.DataFrame(before, residuals.index, residuals.columns)


def read_residuals(residuals: Any, loadings: Any) -> pd.DataFrame:
    """Return residuals as a frame of float64, dates × assets, or raise for anything else."""
    require(loadings, FittedLoadings, "loadings", "that a LoadingsEstimator returns")
    values = read_returns_by_date(residuals, "residuals")
    return pd.DataFrame(values, residuals.index, residuals.columns, copy=False)
