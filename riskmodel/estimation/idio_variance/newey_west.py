"""Variances of residuals that are correlated over time."""

from __future__ import annotations

from typing import final

import pandas as pd
from attrs import field, frozen

from riskmodel.errors import EstimationError
from riskmodel.estimation.idio_variance.base import IdioVarianceEstimator, read_residuals
from riskmodel.estimation.idio_variance.risk import IdioRisk
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.weighting import overlapping_sums, require_at_least, require_instance


@final
@frozen
class NeweyWestVariance(IdioVarianceEstimator):
    r"""The long-run variances of serially correlated residuals, per row.

    As `NeweyWest`: :math:`\gamma_0 + 2 \sum_{l=1}^L (1 - l/(L+1)) \gamma_l` [1]_, computed as the variance of the
    overlapping sums of L + 1 rows over L + 1, so that `inner` may weight rows as it likes. A sum with a missing
    residual is missing. Stale prices and the bounce between bid and ask make it less than the variance of a row, news
    that spreads slowly more. L = 0 is `inner`.

    Parameters
    ----------
    inner : IdioVarianceEstimator
        What estimates the variances of the sums.
    lags : int
        L, in rows.

    References
    ----------
    .. [1] Newey, W. K. and West, K. D. (1987). A Simple, Positive Semi-definite, Heteroskedasticity and
       Autocorrelation Consistent Covariance Matrix. *Econometrica* 55(3), 703-708.

    Examples
    --------
    >>> import riskmodel as rm
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"]))
    >>> row = rm.SampleVariance().fit(fitted.residuals, fitted).variance
    >>> long_run = rm.NeweyWestVariance(rm.SampleVariance(), lags=20).fit(fitted.residuals, fitted).variance
    >>> bool((long_run < row).all())  # residuals reverse
    True
    """

    inner: IdioVarianceEstimator = field(validator=require_instance(IdioVarianceEstimator, "rm.SampleVariance()"))
    lags: int = field(validator=require_at_least(0))

    def fit(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> IdioRisk:
        """Return the long-run variances, return² per row."""
        return self.inner.fit(self._sums(residuals, loadings), loadings)

    def variances_before(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> pd.DataFrame:
        """The long-run variances of the residuals before each row."""
        before = self.inner.variances_before(self._sums(residuals, loadings), loadings)
        return before.reindex(residuals.index)

    def _sums(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> pd.DataFrame:
        """Overlapping sums of L + 1 rows over √(L + 1), dated by their last row."""
        residuals = read_residuals(residuals, loadings)
        if len(residuals) < self.lags + 2:
            raise EstimationError(
                f"expected {self.lags + 2} rows of residuals or more for {self.lags} lags, got {len(residuals)}; widen "
                "the window.",
                rows=len(residuals),
                expected=self.lags + 2,
            )
        return overlapping_sums(residuals, self.lags)
