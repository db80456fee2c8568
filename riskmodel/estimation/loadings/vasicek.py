"""Loadings shrunk towards the cross-section."""

from __future__ import annotations

from typing import final

import numpy as np
from attrs import field, frozen

from riskmodel._core.arrays import Array
from riskmodel.errors import EstimationError, NotEstimatedError
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.weighting import require_instance
from riskmodel.panel.base import Panel


@final
@frozen
class Vasicek(LoadingsEstimator):
    r"""Loadings shrunk towards their cross-sectional mean, the more so the larger their standard errors.

    For each factor, with the mean :math:`\bar\beta` and the variance :math:`s^2` (ddof 1) of the loadings over assets,
    and the standard error :math:`se_i` of each,

    .. math:: \beta_i' = \frac{\beta_i / se_i^2 + \bar\beta / s^2}{1 / se_i^2 + 1 / s^2}.

    This is the mean of the posterior under a normal prior [1]_, factor by factor. A loading that is known exactly
    (:math:`se_i = 0`) stays. Where all assets have the same loading (:math:`s^2 = 0`), so do all results.

    Parameters
    ----------
    inner : LoadingsEstimator
        One with standard errors, such as ``rm.TimeSeries(rm.OLS())``.

    References
    ----------
    .. [1] Vasicek, O. A. (1973). A Note on Using Cross-Sectional Information in Bayesian Estimation of Security Betas.
       *Journal of Finance* 28(5), 1233-1239.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM", "JPM"], ["Mkt-RF"], start="2018-10-01")
    >>> fitted = rm.Vasicek(rm.TimeSeries(rm.OLS())).fit(panel)
    >>> bool(fitted.loadings.std().iloc[0] < fitted.before.loadings.std().iloc[0])
    True
    """

    inner: LoadingsEstimator = field(validator=require_instance(LoadingsEstimator, "rm.TimeSeries(rm.OLS())"))

    def fit(self, panel: Panel) -> FittedLoadings:
        """Estimate loadings with `inner`, and shrink them.

        Raises
        ------
        NotEstimatedError
            If `inner` gives no standard errors.
        EstimationError
            For a single asset, which has no cross-section.
        """
        fitted = self.inner.fit(panel)
        if fitted.regression is None:
            raise NotEstimatedError(
                f"expected standard errors of the loadings of {self.inner!r}, got none; wrap a regression, such as "
                "rm.TimeSeries(rm.OLS())."
            )
        if len(fitted.assets) < 2:
            raise EstimationError(
                f"expected two assets or more for a cross-section, got {len(fitted.assets)}; omit Vasicek."
            )
        errors = fitted.regression.std_errors[list(fitted.factors)].to_numpy()
        return fitted.with_loadings(_shrink(fitted.loadings.to_numpy(), errors))


def _shrink(loadings: Array, errors: Array) -> Array:
    mean, spread = loadings.mean(axis=0), loadings.var(axis=0, ddof=1)
    total = spread + errors**2
    keep = np.divide(spread, total, out=np.ones_like(total), where=errors > 0)
    return np.asarray(mean + keep * (loadings - mean))
