"""Variances of residuals brought to the level of late."""

from __future__ import annotations

from typing import final

import pandas as pd
from attrs import field, frozen

from riskmodel.estimation.idio_variance.base import IdioVarianceEstimator, read_residuals
from riskmodel.estimation.idio_variance.risk import IdioRisk
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.regime import variance_multiplier
from riskmodel.estimation.weighting import require_half_life, require_instance
from riskmodel.horizon import Horizon


@final
@frozen
class RegimeAdjustedVariance(IdioVarianceEstimator):
    r"""Variances times how far forecasts were wrong of late, for all assets together.

    As `RegimeAdjusted`, with residuals in place of factor returns: :math:`\lambda^2 = \sum_t w_t B_t^2` with the
    cross-sectional bias statistic :math:`B_t^2 = \frac1N \sum_i (\varepsilon_{it} / \sigma_{it})^2` over the assets
    that have a residual and a forecast ([1]_, section 6, which weights by market capitalisation; here assets weigh
    alike).

    Put `ShrunkVariance` outside of it: shrinkage does not change λ much, and then is done once, not for each row.

    Parameters
    ----------
    inner : IdioVarianceEstimator
        What is adjusted.
    half_life : Horizon
        In trading days.

    References
    ----------
    .. [1] Menchero, J., Orr, D. J. and Wang, J. (2011). *The Barra US Equity Model (USE4): Methodology Notes*. MSCI.

    Examples
    --------
    >>> import riskmodel as rm
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(rm.SampleData().panel(["KO", "PEP", "XOM"], ["Mkt-RF"]))
    >>> inner = rm.SampleVariance()
    >>> adjusted = rm.RegimeAdjustedVariance(inner, rm.Horizon(42)).fit(fitted.residuals, fitted).variance
    >>> bool((adjusted / inner.fit(fitted.residuals, fitted).variance).std() < 1e-12)  # one number for all
    True
    """

    inner: IdioVarianceEstimator = field(validator=require_instance(IdioVarianceEstimator, "rm.SampleVariance()"))
    half_life: Horizon = field(validator=require_half_life)

    def fit(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> IdioRisk:
        """Estimate variances with `inner`, and adjust them.

        Raises
        ------
        EstimationError
            If no asset has more than 20 residuals.
        """
        residuals = read_residuals(residuals, loadings)
        risk = self.inner.fit(residuals, loadings)
        before = self.inner.variances_before(residuals, loadings).to_numpy()
        values = residuals.to_numpy()
        multiplier = variance_multiplier(values, before, self.half_life, loadings.horizon)
        return risk.with_variance(risk.variance * multiplier)
