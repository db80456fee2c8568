"""Loadings from time-series regressions."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from attrs import field, frozen

from riskmodel._core.arrays import set_read_only
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.base import Estimator, MomentEstimator
from riskmodel.estimation.in_memory import in_memory
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.panel.base import Panel


def _is_estimator(_: TimeSeries, __: Any, estimator: Any) -> None:
    if not isinstance(estimator, Estimator):
        raise InvalidParameterError(
            f"expected an Estimator such as rm.OLS(), got {estimator!r}.", parameter="estimator", got=estimator
        )


@final
@frozen
class TimeSeries(LoadingsEstimator):
    r"""Loadings of time-series regressions :math:`r_i = \alpha_i + \beta_i^\top f + \varepsilon_i`.

    With `SampleCovariance` and `SampleVariance`, the assembled model of ``TimeSeries(rm.OLS())`` is that of
    ``rm.OLS()``. The same holds for ``rm.EWMA(h)`` with `EWMACovariance` and `EWMAVariance` of half-life h.

    Parameters
    ----------
    estimator : Estimator
        Least squares: ``rm.OLS()``, ``rm.EWMA(half_life)``, or an estimator of yours.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(panel)
    >>> bool(abs(fitted.residuals.mean()).max() < 1e-15)
    True
    """

    estimator: Estimator = field(validator=_is_estimator)

    def fit(self, panel: Panel) -> FittedLoadings:
        """Regress each asset on the panel's factors, over the asset's own dates."""
        memory = in_memory(panel)
        model = self.estimator.fit(memory)
        weights = self.estimator.weights(memory) if isinstance(self.estimator, MomentEstimator) else None
        factors = memory.returns_of(model.definitions)
        alpha, loadings = model.alpha.to_numpy(), model.loadings.to_numpy()
        residuals = np.asarray(memory.select(model.assets).arrays()[0] - factors @ loadings.T - alpha, order="C")
        return FittedLoadings(
            assets=model.assets,
            definitions=model.definitions,
            dates=memory.dates,
            horizon=memory.horizon,
            alpha=alpha,
            loadings=loadings,
            factor_returns=factors,
            residuals=set_read_only(residuals),
            weights=np.ones(len(memory.dates)) if weights is None else weights,
            risk_free_mean=model.risk_free_mean,
            regression=model.regression,
        )
