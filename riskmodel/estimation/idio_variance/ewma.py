"""Exponentially weighted variances of residuals."""

from __future__ import annotations

from typing import final

import pandas as pd
from attrs import field, frozen

from riskmodel.estimation.idio_variance.base import ENOUGH, IdioVarianceEstimator, read_residuals
from riskmodel.estimation.idio_variance.risk import IdioRisk
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.weighting import decay, require_half_life, weighted_variance
from riskmodel.horizon import Horizon


@final
@frozen
class EWMAVariance(IdioVarianceEstimator):
    r"""Exponentially weighted variances [1]_, each asset over its own dates.

    About the weighted mean, with the factor n/(n-1) of `EWMA`. A date keeps its weight whether an asset has a return
    there or not. A half-life longer than the sample is allowed: weights are then nearly equal.

    Parameters
    ----------
    half_life : Horizon
        In trading days, whatever the horizon of the rows.

    References
    ----------
    .. [1] J.P. Morgan/Reuters (1996). *RiskMetrics - Technical Document*, 4th edition, section 5.2.

    Examples
    --------
    >>> import riskmodel as rm
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(rm.SampleData().panel(["KO"], ["Mkt-RF"]))
    >>> risk = rm.EWMAVariance(rm.QUARTER).fit(fitted.residuals, fitted)
    >>> expected = fitted.residuals["KO"].ewm(halflife=63).var().iloc[-1]
    >>> bool(abs(risk.variance["KO"] / expected - 1) < 1e-12)
    True
    """

    half_life: Horizon = field(validator=require_half_life)

    def fit(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> IdioRisk:
        """Return the weighted variances, return² per row."""
        residuals = read_residuals(residuals, loadings)
        weights = decay(len(residuals), self.half_life, loadings.horizon)
        return IdioRisk(residuals.columns, weighted_variance(residuals, weights), loadings.horizon)

    def variances_before(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> pd.DataFrame:
        """The weighted variances of the residuals before each row."""
        residuals = read_residuals(residuals, loadings)
        rows = self.half_life.in_units_of(loadings.horizon)
        before: pd.DataFrame = residuals.ewm(halflife=rows, min_periods=ENOUGH).var().shift(1)
        return before
