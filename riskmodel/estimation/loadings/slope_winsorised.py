"""Betas of returns that are winsorised at multiples of the market's return."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from attrs import Attribute, evolve, field, frozen

from riskmodel._core.arguments import require_finite
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.in_memory import in_memory
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.loadings.market import market_position, require_factor_label
from riskmodel.estimation.weighting import require_instance
from riskmodel.panel.base import Panel


def _is_number(_: Any, attribute: Attribute[Any], value: Any) -> None:
    require_finite(value, attribute.name)


def _is_above(self: SlopeWinsorised, attribute: Attribute[Any], value: Any) -> None:
    if require_finite(value, attribute.name) <= self.lower:
        raise InvalidParameterError(
            f"expected upper above lower, got {value!r} and {self.lower!r}.", parameter=attribute.name, got=value
        )


@final
@frozen
class SlopeWinsorised(LoadingsEstimator):
    r"""Loadings of returns that are winsorised where the implied beta of a day would be out of bounds.

    On each date the excess return is held between `lower` and `upper` times the market's, :math:`r^w_t` between
    :math:`-2 m_t` and :math:`4 m_t`, and `inner` is fitted to these returns [1]_. The bounds depend on the market
    alone, so betas are little biased, and single days of news about the company count little. The paper's best
    forecasts have exponential weights besides, which decay by 2 / 256 a day:
    ``inner=rm.TimeSeries(rm.EWMA(rm.Horizon(89)))``. Residuals are those of the returns as they were, and standard
    errors those of `inner` on them.

    The paper has the market alone. With other factors, these are in the regression on the winsorised returns.

    Parameters
    ----------
    inner : LoadingsEstimator
        What is fitted to the winsorised returns.
    lower, upper : float
        The least and the largest beta of a day.
    factor : label, optional
        The market, a factor of the panel; may be omitted where it is the only factor.

    References
    ----------
    .. [1] Welch, I. (2022). Simply Better Market Betas. *Critical Finance Review* 11(1), 37-64.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> rm.SlopeWinsorised(rm.TimeSeries(rm.OLS())).fit(panel).loadings.round(2)
         Mkt-RF
    KO     0.53
    XOM    0.84
    """

    inner: LoadingsEstimator = field(validator=require_instance(LoadingsEstimator, "rm.TimeSeries(rm.OLS())"))
    lower: float = field(default=-2.0, validator=_is_number)
    upper: float = field(default=4.0, validator=_is_above)
    factor: Any = field(default=None, validator=require_factor_label)

    def fit(self, panel: Panel) -> FittedLoadings:
        """Estimate loadings with `inner`, on the returns and on the winsorised ones.

        Raises
        ------
        InvalidParameterError
            If there are several factors and `factor` is omitted.
        UnknownFactorError
            If `factor` is not among the panel's factors.
        """
        memory = in_memory(panel)
        returns, factors, _ = memory.arrays()
        market = factors[:, market_position(self.factor, memory.factors), None]
        ends = np.sort(np.concatenate([self.lower * market, self.upper * market], axis=1), axis=1)
        winsorised = evolve(memory, excess_returns=np.clip(returns, ends[:, :1], ends[:, 1:]))
        return self.inner.fit(memory).with_loadings(self.inner.fit(winsorised).loadings)
