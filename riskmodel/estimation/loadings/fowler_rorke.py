"""Betas for stale prices where factors are serially correlated."""

from __future__ import annotations

from typing import final

import numpy as np
from attrs import evolve, field, frozen

from riskmodel._core.arrays import Array
from riskmodel.errors import EstimationError
from riskmodel.estimation.in_memory import in_memory
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.loadings.lagged import lagged_slopes
from riskmodel.estimation.weighting import require_at_least, require_instance
from riskmodel.panel.base import Panel

# A sum of autocovariances whose smallest eigenvalue is below this share of the variance is no variance.
_SINGULAR = 1e-8


@final
@frozen
class FowlerRorke(LoadingsEstimator):
    r"""Aggregated coefficients, weighted as the serial correlation of factors demands.

    The regression is that of `Dimson`, with L lags and L leads. With one factor of autocorrelations :math:`\rho_j`,
    taken as zero beyond L, :math:`\beta = \sum_s w_s b_s` where :math:`w_0 = 1` and for one lag :math:`w_{\pm 1} = (1 +
    \rho_1) / (1 + 2 \rho_1)` [1]_. In general :math:`w_s` is the covariance of :math:`f_{t+s}` with :math:`S_t =
    \sum_{|j| \le L} f_{t+j}` over that of :math:`f_t` with it, which makes the estimate that with S as an instrument
    [2]_; for several factors these are matrices, :math:`\beta^\top = \sum_s b_s^\top A_s A_0^{-1}`. Without serial
    correlation it is `Dimson`, and with L = 0 it is `inner`. There is no `FittedLoadings.regression`.

    Parameters
    ----------
    inner : LoadingsEstimator
        A regression on the panel's factors, such as ``rm.TimeSeries(rm.OLS())``.
    lags : int
        L, in rows; there are as many leads.

    References
    ----------
    .. [1] Fowler, D. J. and Rorke, C. H. (1983). Risk Measurement When Shares Are Subject to Infrequent Trading:
       Comment. *Journal of Financial Economics* 12(2), 279-283.
    .. [2] Scholes, M. and Williams, J. (1977). Estimating Betas from Nonsynchronous Data. *Journal of Financial
       Economics* 5(3), 309-327.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> rm.FowlerRorke(rm.TimeSeries(rm.OLS()), lags=1).fit(panel).loadings.round(2)
         Mkt-RF
    KO     0.46
    XOM    0.71
    """

    inner: LoadingsEstimator = field(validator=require_instance(LoadingsEstimator, "rm.TimeSeries(rm.OLS())"))
    lags: int = field(default=1, validator=require_at_least(0))

    def fit(self, panel: Panel) -> FittedLoadings:
        """Estimate the slopes with `inner`, and their weighted sum.

        Raises
        ------
        EstimationError
            If there are too few rows, or if the factors' serial correlations leave their sums no variance.
        InvalidParameterError
            If `inner` does not estimate loadings on the panel's factors.
        """
        memory = in_memory(panel)
        fitted = self.inner.fit(memory)
        if not self.lags or not len(fitted.factors):
            return evolve(fitted, before=fitted)
        slopes = lagged_slopes(self.inner, memory, self.lags, self.lags)
        weights = _weights(memory.arrays()[1], self.lags)
        return evolve(fitted.with_loadings(np.einsum("snk,skl->nl", slopes, weights)), regression=None)


def _weights(factors: Array, lags: int) -> Array:
    """The weight of the slopes of each row from `lags` before to as many after, shape (2 lags + 1, K, K)."""
    t = len(factors)
    deviations = factors - factors.mean(axis=0)
    later = [deviations[: t - h].T @ deviations[h:] / t for h in range(lags + 1)]
    # the covariance of a row with the row h later, zero beyond L
    covariance = {h: later[h] if h >= 0 else later[-h].T for h in range(-lags, lags + 1)}
    window = range(-lags, lags + 1)
    sums = np.array([sum(covariance[j - s] for j in window if abs(j - s) <= lags) for s in window])
    unit = np.sqrt(np.diag(later[0]))
    smallest = np.linalg.eigvalsh(sums[lags] / unit / unit[:, None])[0]
    if smallest <= _SINGULAR:
        raise EstimationError(
            f"expected factors whose sums over {2 * lags + 1} rows vary, got serial correlations that leave no "
            "variance; use fewer lags, or Dimson.",
            eigenvalue=float(smallest),
        )
    return np.asarray(sums @ np.linalg.inv(sums[lags]))
