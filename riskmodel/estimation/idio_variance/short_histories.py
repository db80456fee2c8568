"""Variances of the residuals of assets with short histories, from a prior."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core.arrays import Array, Flags, by_constructor
from riskmodel.errors import TooFewObservationsError
from riskmodel.estimation.groups import numbered, read_groups
from riskmodel.estimation.idio_variance.base import IdioVarianceEstimator, read_residuals
from riskmodel.estimation.idio_variance.risk import IdioRisk
from riskmodel.estimation.inverse_gamma import InverseGamma
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.weighting import require_at_least, require_instance

# A group of fewer assets than this has no prior of its own.
_ENOUGH_ASSETS = 5


@final
@frozen(eq=False)
class ShortHistoryVariance(IdioVarianceEstimator):
    r"""Idio variances of assets with few residuals, or none, from those of the other assets.

    Assets with `minimum` residuals or more, whose loadings are no prior, are estimated by `inner`. Their variances are
    the prior of each other asset: inverse gamma(a, b), fitted by moments, from which the noise of sample variances is
    taken out. With the sum S of an asset's own d squared residuals,

    .. math:: \hat\sigma^2 = (b + S/2) / (a + d/2 - 1),

    the mean of the posterior ([1]_, section 2.6); without a residual, the mean variance of the others. Where loadings
    are the asset's own regression, d is the number of its residuals less K + 1; less 1 where loadings are
    characteristics. These assets are `IdioRisk.prior`, and the model says so: `FactorModel.prior`.

    Parameters
    ----------
    inner : IdioVarianceEstimator
        What estimates the other assets.
    minimum : int
        The fewest residuals without a prior.
    groups : Series or mapping by asset, optional
        The group of each asset, such as its sector: the prior is that of the group, if five of its assets or more have
        no prior, and otherwise that of all. By default all assets are one group.

    References
    ----------
    .. [1] Gelman, A., Carlin, J. B., Stern, H. S., Dunson, D. B., Vehtari, A. and Rubin, D. B. (2013). *Bayesian Data
       Analysis*, 3rd edition. Chapman and Hall.

    Examples
    --------
    >>> import riskmodel as rm
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(rm.SampleData().panel(["KO", "PEP", "XOM"], ["Mkt-RF"]))
    >>> residuals = fitted.residuals
    >>> residuals["XOM"] = float("nan")
    >>> risk = rm.ShortHistoryVariance(rm.SampleVariance(), minimum=60).fit(residuals, fitted)
    >>> bool(abs(risk.variance["XOM"] / risk.variance[["KO", "PEP"]].mean() - 1) < 1e-12)
    True
    >>> risk.prior["XOM"]
    np.True_
    """

    inner: IdioVarianceEstimator = field(validator=require_instance(IdioVarianceEstimator, "rm.SampleVariance()"))
    minimum: int = field(validator=require_at_least(1))
    _groups: pd.Series[Any] | None = field(default=None, converter=read_groups)

    __reduce__ = by_constructor

    @property
    def groups(self) -> pd.Series[Any] | None:
        """The group of each asset; None where all are one."""
        return None if self._groups is None else self._groups.copy()

    def fit(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> IdioRisk:
        """Estimate the long histories with `inner`, and the short ones from the prior.

        Raises
        ------
        TooFewObservationsError
            If fewer than two assets have `minimum` residuals: there is no cross-section.
        UnknownAssetError
            For an asset without a group.
        """
        residuals = read_residuals(residuals, loadings)
        assets = residuals.columns
        numbers = numbered(self._groups, assets)
        counts = residuals.notna().to_numpy().sum(axis=0)
        given = assets.isin(list(loadings.prior))
        short = given | (counts < self.minimum)
        if not short.any():
            return self.inner.fit(residuals, loadings)
        if (~short).sum() < 2:
            raise TooFewObservationsError(
                f"expected two assets or more with {self.minimum} residuals, for a prior, got {(~short).sum()}; lower "
                "minimum, or add assets.",
                assets=list(assets[short]),
                minimum=self.minimum,
            )
        risk = self.inner.fit(residuals.loc[:, ~short], loadings)
        # known loadings are no regression of the asset's own; its mean is
        parameters = 1 if loadings.cross_section is not None else len(loadings.factors) + 1
        fitted = np.where(given, counts, np.maximum(counts - parameters, 0)).astype(np.float64)
        variance = np.empty(len(assets))
        variance[~short] = risk.variance
        squares = np.nansum(residuals.to_numpy() ** 2, axis=0)
        for group in np.unique(numbers[short]):
            own = numbers == group
            prior = _prior(variance, fitted, ~short, own)
            variance[short & own] = prior.posterior_mean(squares[short & own], fitted[short & own])
        links = np.zeros((len(assets), risk.links.shape[1]))
        links[~short] = risk.links
        priors = [*risk.assets[risk.prior.to_numpy()], *assets[short]]
        return evolve(risk, assets=assets, variance=variance, priors=priors, links=links)


def _prior(variance: Array, degrees: Array, known: Flags, own: Flags) -> InverseGamma:
    """The prior of a group, or of all where too few of the group are known."""
    group = known & own
    among = group if group.sum() >= _ENOUGH_ASSETS else known
    return InverseGamma.of(variance[among], np.maximum(degrees[among], 1.0))
