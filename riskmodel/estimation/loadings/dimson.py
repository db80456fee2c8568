"""Betas for stale prices: sums of slopes on lagged, same-day and leading factors."""

from __future__ import annotations

from typing import final

from attrs import evolve, field, frozen

from riskmodel.estimation.in_memory import in_memory
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.loadings.lagged import lagged_slopes
from riskmodel.estimation.weighting import require_at_least, require_instance
from riskmodel.panel.base import Panel


@final
@frozen
class Dimson(LoadingsEstimator):
    r"""Aggregated coefficients: loadings of assets whose prices are stale, or ahead of the factors'.

    One regression on the factors of the rows from `lags` before to `leads` after, :math:`r_t = \alpha + \sum_s b_s^\top
    f_{t+s} + \varepsilon_t`; the loadings are :math:`\beta = \sum_s b_s` [1]_. They are consistent where factors have
    no serial correlation; `FowlerRorke` corrects for that. Rows at the ends of the window, whose lags or leads are
    outside of it, are left out of this regression. Residuals are those on the same row's factors, and there is no
    `FittedLoadings.regression`: the sum's standard error is not that of one slope. Without lags and leads it is
    `inner`.

    Parameters
    ----------
    inner : LoadingsEstimator
        A regression on the panel's factors, such as ``rm.TimeSeries(rm.OLS())``.
    lags, leads : int
        In rows.

    References
    ----------
    .. [1] Dimson, E. (1979). Risk Measurement When Shares Are Subject to Infrequent Trading. *Journal of Financial
       Economics* 7(2), 197-226.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> rm.Dimson(rm.TimeSeries(rm.OLS()), lags=1, leads=1).fit(panel).loadings.round(2)
         Mkt-RF
    KO     0.46
    XOM    0.72
    """

    inner: LoadingsEstimator = field(validator=require_instance(LoadingsEstimator, "rm.TimeSeries(rm.OLS())"))
    lags: int = field(default=1, validator=require_at_least(0))
    leads: int = field(default=1, validator=require_at_least(0))

    def fit(self, panel: Panel) -> FittedLoadings:
        """Estimate the slopes with `inner`, and add them up.

        Raises
        ------
        EstimationError
            If there are too few rows.
        InvalidParameterError
            If `inner` does not estimate loadings on the panel's factors.
        """
        memory = in_memory(panel)
        fitted = self.inner.fit(memory)
        if not (self.lags or self.leads) or not len(fitted.factors):
            return evolve(fitted, before=fitted)
        slopes = lagged_slopes(self.inner, memory, self.lags, self.leads)
        return evolve(fitted.with_loadings(slopes.sum(axis=0)), regression=None)
