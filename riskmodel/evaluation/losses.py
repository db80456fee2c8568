"""Losses of variance forecasts that rank them rightly although the variance itself is not observed."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

import numpy as np
from attrs import field, frozen
from scipy import special

from riskmodel._core.arguments import require_finite
from riskmodel._core.listing import Abstract


class Loss(Abstract):
    """A loss of a variance forecast. Subclass it and write `values`.

    Examples
    --------
    >>> import riskmodel as rm
    >>> class Absolute(rm.Loss):
    ...     def values(self, realised, forecast):
    ...         return abs(realised - forecast)
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur", "Money"], ["Mkt-RF"], start="2000-01")
    >>> families = {"equal": rm.EqualWeights()}
    >>> walk = rm.WalkForward({"OLS": rm.OLS()}, window=rm.Horizon(5 * 252), horizon=rm.QUARTER, portfolios=families)
    >>> study = walk.run(panel)
    >>> study.losses(Absolute()).mean().round(5)
    family  method
    equal   OLS       0.00417
    dtype: float64
    """

    @abstractmethod
    def values(self, realised: Any, forecast: Any) -> Any:
        """The loss of each forecast; arrays, Series or frames of one shape.

        Parameters
        ----------
        realised : array
            What was realised, such as the sum of squared returns, return².
        forecast : array
            Forecast variance over the same span, above 0, return².
        """


def _finite(_: Any, attribute: Any, value: Any) -> None:
    require_finite(value, attribute.name)


@final
@frozen
class RobustLoss(Loss):
    r"""Patton's family of losses: they rank forecasts as the true variance would, whatever unbiased proxy is used.

    With the proxy :math:`\hat\sigma^2` and the forecast :math:`h`,

    .. math:: L = \frac{\hat\sigma^{2b+4} - h^{b+2}}{(b+1)(b+2)} - \frac{h^{b+1}}{b+1} (\hat\sigma^2 - h),

    with the limits :math:`h - \hat\sigma^2 + \hat\sigma^2 \log(\hat\sigma^2 / h)` for b = -1 and
    :math:`\hat\sigma^2 / h - \log(\hat\sigma^2 / h) - 1` for b = -2, which is QLIKE [1]_, eq. 24.

    Parameters
    ----------
    b : float
        The shape: 0 is half of the squared error, -2 is QLIKE, which alone depends on the ratio of the two only.

    References
    ----------
    .. [1] Patton, A. J. (2011). Volatility forecast comparison using imperfect volatility proxies. *Journal of
       Econometrics* 160(1), 246-256.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.RobustLoss(0).values(4.0, 1.0), float(rm.QLIKE.values(1.0, 1.0))
    (4.5, 0.0)
    """

    b: float = field(validator=_finite)

    def values(self, realised: Any, forecast: Any) -> Any:
        """The loss of each forecast; infinite for b ≤ -2 where nothing moved."""
        b, s, h = float(self.b), realised, forecast
        with np.errstate(divide="ignore", invalid="ignore"):
            if b == -2.0:
                return s / h - np.log(s / h) - 1.0
            if b == -1.0:
                return h - s + special.xlogy(s, s / h)
            return (s ** (b + 2) - h ** (b + 2)) / ((b + 1) * (b + 2)) - h ** (b + 1) / (b + 1) * (s - h)


QLIKE = RobustLoss(-2.0)
