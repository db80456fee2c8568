"""Loadings from time-series regressions."""

from __future__ import annotations

from typing import final

from attrs import field, frozen

from riskmodel.estimation.base import Estimator
from riskmodel.estimation.in_memory import in_memory
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.loadings.regression import regress
from riskmodel.estimation.weighting import require_instance
from riskmodel.panel.base import Panel


@final
@frozen
class TimeSeries(LoadingsEstimator):
    r"""Loadings of time-series regressions :math:`r_i = \alpha_i + \beta_i^\top f + \varepsilon_i`.

    With `SampleCovariance` and `SampleVariance`, the assembled model of ``TimeSeries(rm.OLS())`` is that of
    ``rm.OLS()``. The same holds for ``rm.EWMA(h)`` with `EWMACovariance` and `EWMAVariance` of half-life h.

    Parameters
    ----------
    estimator : Estimator
        Least squares: ``rm.OLS()``, ``rm.EWMA(half_life)``. Regressions that are not: ``rm.Huber()``, ``rm.Lasso()``,
        ``rm.Ridge()``, ``rm.Bounded(lower=0.0)``. Or an estimator of yours.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(panel)
    >>> bool(abs(fitted.residuals.mean()).max() < 1e-15)
    True
    """

    estimator: Estimator = field(validator=require_instance(Estimator, "rm.OLS()"))

    def fit(self, panel: Panel) -> FittedLoadings:
        """Regress each asset on the panel's factors, over the asset's own dates."""
        return regress(self.estimator, in_memory(panel))
