"""Betas adjusted by their regression towards one."""

from __future__ import annotations

from typing import Any, final

from attrs import Attribute, field, frozen

from riskmodel._core.arguments import require_finite
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.loadings.market import market_position, require_factor_label
from riskmodel.estimation.weighting import require_instance
from riskmodel.panel.base import Panel


def _is_number(_: Blume, attribute: Attribute[Any], value: Any) -> None:
    require_finite(value, attribute.name)


@final
@frozen
class Blume(LoadingsEstimator):
    r"""Betas on the market adjusted as :math:`\beta' = a + b \beta`, because betas regress towards one.

    The default is what Blume found for portfolios of July 1954 to June 1961 in the seven years before [1]_; data
    vendors round it to 1/3 and 2/3. [2]_ shows that it is more than an effect of errors of measurement.

    Parameters
    ----------
    inner : LoadingsEstimator
        One with the market among its factors.
    slope : float
        b, dimensionless.
    intercept : float
        a, dimensionless.
    factor : label, optional
        The market; may be omitted where it is the only factor. Other loadings stay.

    References
    ----------
    .. [1] Blume, M. E. (1971). On the Assessment of Risk. *Journal of Finance* 26(1), 1-10.
    .. [2] Blume, M. E. (1975). Betas and Their Regression Tendencies. *Journal of Finance* 30(3), 785-795.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> fitted = rm.Blume(rm.TimeSeries(rm.OLS()), slope=2 / 3, intercept=1 / 3).fit(panel)
    >>> fitted.loadings.round(2)
         Mkt-RF
    KO     0.68
    XOM    0.89
    """

    inner: LoadingsEstimator = field(validator=require_instance(LoadingsEstimator, "rm.TimeSeries(rm.OLS())"))
    slope: float = field(default=0.677, validator=_is_number)
    intercept: float = field(default=0.343, validator=_is_number)
    factor: Any = field(default=None, validator=require_factor_label)

    def fit(self, panel: Panel) -> FittedLoadings:
        """Estimate loadings with `inner`, and adjust those on the market.

        Raises
        ------
        InvalidParameterError
            If there are several factors and `factor` is omitted.
        UnknownFactorError
            If `factor` is not among the factors.
        """
        fitted = self.inner.fit(panel)
        at = market_position(self.factor, fitted.factors)
        adjusted = fitted.loadings.to_numpy(copy=True)
        adjusted[:, at] = self.intercept + self.slope * adjusted[:, at]
        return fitted.with_loadings(adjusted)
