"""Variances of residuals shrunk towards those of like assets."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core.arrays import Array, by_constructor
from riskmodel._core.listing import Abstract
from riskmodel.estimation.groups import numbered, read_groups
from riskmodel.estimation.idio_variance.base import IdioVarianceEstimator
from riskmodel.estimation.idio_variance.risk import IdioRisk
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.weighting import require_instance, require_share, weighted_mean


class ShrinkageUnit(Abstract):
    """What variances are shrunk in units of (abstract: `ReturnSquared`, `TotalVariance`).

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> class FactorVariance(rm.ShrinkageUnit):
    ...     def variances(self, residuals, loadings):
    ...         return np.square(loadings.loadings.loc[residuals.columns].to_numpy()).sum(axis=1)
    >>> panel = rm.SampleData().panel(["KO", "AMD"], ["Mkt-RF"])
    >>> idio = rm.ShrunkVariance(rm.SampleVariance(), 0.5, unit=FactorVariance())
    >>> model = rm.Assembled(rm.TimeSeries(rm.OLS()), rm.SampleCovariance(), idio).fit(panel)
    >>> (model.idio_variance ** 0.5).round(4).to_dict()
    {'KO': 0.0114, 'AMD': 0.0354}
    """

    @abstractmethod
    def variances(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> Array:
        """Return the unit of each asset, shape (N,), above 0."""


@final
@frozen
class ReturnSquared(ShrinkageUnit):
    """Variances are shrunk as they are.

    Examples
    --------
    >>> import riskmodel as rm
    >>> parts = rm.TimeSeries(rm.OLS()), rm.SampleCovariance()
    >>> panel = rm.SampleData().panel(["KO", "AMD"], ["Mkt-RF"])
    >>> idio = rm.ShrunkVariance(rm.SampleVariance(), 0.5, unit=rm.ReturnSquared())
    >>> (rm.Assembled(*parts, idio).fit(panel).idio_variance ** 0.5).round(4).to_dict()
    {'KO': 0.0151, 'AMD': 0.0268}
    """

    def variances(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> Array:
        """Return ones."""
        return np.ones(residuals.shape[1])


@final
@frozen
class TotalVariance(ShrinkageUnit):
    """Shares of total variance are shrunk: β' Var(f) β plus the mean square of the residuals, over the window.

    Examples
    --------
    >>> import riskmodel as rm
    >>> parts = rm.TimeSeries(rm.OLS()), rm.SampleCovariance()
    >>> panel = rm.SampleData().panel(["KO", "AMD"], ["Mkt-RF"])
    >>> idio = rm.ShrunkVariance(rm.SampleVariance(), 0.5, unit=rm.TotalVariance())
    >>> (rm.Assembled(*parts, idio).fit(panel).idio_variance ** 0.5).round(4).to_dict()
    {'KO': 0.0114, 'AMD': 0.0356}
    """

    def variances(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> Array:
        """Return the total variance of each asset over the window; 1 for one that does not vary."""
        f = loadings.factor_returns.loc[residuals.index].to_numpy()
        b = loadings.loadings.loc[residuals.columns].to_numpy()
        f = f - f.mean(axis=0)
        systematic = np.einsum("nk,nk->n", b @ (f.T @ f / max(len(f), 1)), b)
        total = systematic + np.nan_to_num(weighted_mean(residuals.to_numpy() ** 2, np.ones(len(residuals))))
        return np.where(total > 0, total, 1.0)


@final
@frozen(eq=False)
class ShrunkVariance(IdioVarianceEstimator):
    r"""Variances shrunk in logs towards the geometric mean of the cross-section, or of the asset's group.

    :math:`\ln \sigma_i'^2 = (1 - q) \ln \sigma_i^2 + q \, \overline{\ln \sigma^2}`: estimated variances are noisy, so
    the smallest are too small, and an optimiser finds them. A commercial model shrinks to the mean of the size group
    ([1]_, section 6); in logs, no asset of a large variance dominates the mean. An asset alone in its group stays; a
    variance of exactly zero stays, and is no part of the mean. With ``unit=rm.TotalVariance()`` it is the share of the
    asset's total variance that is shrunk, so that volatile assets stay volatile.

    Parameters
    ----------
    inner : IdioVarianceEstimator
        What is shrunk.
    intensity : float
        q, from 0 (`inner`) to 1 (all of a group alike).
    groups : Series or mapping by asset, optional
        The group of each asset, such as its sector; by default all assets are one. It may have more assets than the
        panel.
    unit : ShrinkageUnit, optional
        What the variances are shrunk in units of: ``rm.ReturnSquared()`` (the default) or ``rm.TotalVariance()``.

    References
    ----------
    .. [1] Menchero, J., Orr, D. J. and Wang, J. (2011). *The Barra US Equity Model (USE4): Methodology Notes*. MSCI.

    Examples
    --------
    >>> import riskmodel as rm
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(rm.SampleData().panel(["KO", "PEP", "XOM"], ["Mkt-RF"]))
    >>> drinks = {"KO": "drinks", "PEP": "drinks", "XOM": "oil"}
    >>> shrunk = rm.ShrunkVariance(rm.SampleVariance(), 1.0, drinks).fit(fitted.residuals, fitted).variance
    >>> bool(abs(shrunk["KO"] / shrunk["PEP"] - 1) < 1e-12)
    True
    """

    inner: IdioVarianceEstimator = field(validator=require_instance(IdioVarianceEstimator, "rm.SampleVariance()"))
    intensity: float = field(validator=require_share)
    _groups: pd.Series[Any] | None = field(default=None, converter=read_groups)
    unit: ShrinkageUnit = field(factory=ReturnSquared, validator=require_instance(ShrinkageUnit, "rm.TotalVariance()"))

    __reduce__ = by_constructor

    @property
    def groups(self) -> pd.Series[Any] | None:
        """The group of each asset; None where all are one."""
        return None if self._groups is None else self._groups.copy()

    def fit(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> IdioRisk:
        """Estimate variances with `inner`, and shrink them.

        Raises
        ------
        UnknownAssetError
            For an asset without a group.
        """
        risk = self.inner.fit(residuals, loadings)
        variance = risk.variance.to_numpy()
        unit = self.unit.variances(residuals, loadings)
        positive = variance > 0
        logs = pd.Series(np.log(variance[positive] / unit[positive]))
        means = logs.groupby(numbered(self._groups, risk.assets)[positive]).transform("mean")
        shrunk = variance.copy()
        shrunk[positive] = np.exp((1 - self.intensity) * logs + self.intensity * means) * unit[positive]
        return risk.with_variance(shrunk)
