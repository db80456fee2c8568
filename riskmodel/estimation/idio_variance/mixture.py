"""Mixtures of idio variances, such as those of several half-lives."""

from __future__ import annotations

from typing import final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel.estimation.idio_variance.base import IdioVarianceEstimator
from riskmodel.estimation.idio_variance.risk import IdioRisk
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.mixture import read_list, require_each, require_shares_of


@final
@frozen
class MixtureVariance(IdioVarianceEstimator):
    r"""The weighted mean of several idio variances, :math:`\sigma_i^2 = \sum_m q_m \sigma_{im}^2`.

    As `MixtureCovariance`. A variance is a prior where it is one in any of them.

    Parameters
    ----------
    estimators : sequence of IdioVarianceEstimator
        M of them.
    weights : sequence of float
        q, 0 or more, of sum 1.

    Examples
    --------
    >>> import riskmodel as rm
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"]))
    >>> fast, slow = rm.EWMAVariance(rm.MONTH), rm.SampleVariance()
    >>> mixed = rm.MixtureVariance([fast, slow], [0.5, 0.5]).fit(fitted.residuals, fitted).variance
    >>> both = [e.fit(fitted.residuals, fitted).variance for e in (fast, slow)]
    >>> bool((mixed == (both[0] + both[1]) / 2).all())
    True
    """

    estimators: tuple[IdioVarianceEstimator, ...] = field(
        converter=read_list, validator=require_each(IdioVarianceEstimator, "rm.SampleVariance()")
    )
    weights: tuple[float, ...] = field(converter=read_list, validator=require_shares_of("estimators"))

    def fit(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> IdioRisk:
        """Return the mixture, return² per row."""
        risks = [e.fit(residuals, loadings) for e in self.estimators]
        variance = sum(w * r.variance.to_numpy() for w, r in zip(self.weights, risks, strict=True))
        priors = pd.concat([r.prior for r in risks], axis=1).any(axis=1)
        links = [np.sqrt(w) * r.links.to_numpy() for w, r in zip(self.weights, risks, strict=True)]
        return evolve(
            risks[0], variance=variance, priors=list(priors.index[priors]), links=np.concatenate(links, axis=1)
        )

    def variances_before(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> pd.DataFrame:
        """The mixture of the variances that each estimator forecast for each row."""
        before = [
            w * e.variances_before(residuals, loadings) for w, e in zip(self.weights, self.estimators, strict=True)
        ]
        total = before[0]
        for frame in before[1:]:
            total = total + frame
        return total
