"""Tails of elliptical returns: multiples of the model's volatility."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import final

import numpy as np
import pandas as pd
from attrs import frozen
from scipy import special

from riskmodel.analysis.realised import RealisedRisk
from riskmodel.analysis.tails.base import TailMethod, require_arguments
from riskmodel.analysis.tails.shape import Shape
from riskmodel.analysis.tails.tail import Ends
from riskmodel.horizon import Horizon
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.portfolio import Portfolio


class EllipticalTails(TailMethod):
    r"""Returns with an elliptical distribution, such as normal ones (abstract). One hook: `shape`.

    Value at risk is :math:`q \sigma` and expected shortfall :math:`e \sigma`, where σ is the model's volatility, scaled
    to the horizon by its square root. The mean return is left out: it is small against losses, and badly known.
    Contributions are those of the volatility times q or e, in closed form.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from scipy import stats
    >>> class Laplace(rm.EllipticalTails):
    ...     def shape(self, portfolio, panel):
    ...         law = stats.laplace(scale=0.5**0.5)
    ...         return rm.Shape(law, lambda q: q + 0.5**0.5)
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> risk = Laplace().of(held, panel, 0.99)
    >>> [round(float(loss / held.volatility), 2) for loss in (risk.value_at_risk, risk.expected_shortfall)]
    [2.77, 3.47]
    """

    @abstractmethod
    def shape(self, portfolio: Portfolio, panel: ReturnPanel | None) -> Shape:
        """Return the distribution of the return over its volatility.

        Parameters
        ----------
        portfolio : Portfolio
            What is held.
        panel : ReturnPanel, optional
            Returns until today.
        """

    @final
    def tail(self, portfolio: Portfolio, panel: ReturnPanel | None, level: float, horizon: Horizon) -> EllipticalTail:
        """Return the tail as multiples of the volatility."""
        require_arguments(portfolio, panel, level, horizon)
        return EllipticalTail(portfolio, panel, level, horizon, self.shape(portfolio, panel))


@final
@frozen(eq=False)
class EllipticalTail:
    """The tail of an elliptical return."""

    portfolio: Portfolio
    panel: ReturnPanel | None
    level: float
    horizon: Horizon
    shape: Shape

    @property
    def value_at_risk(self) -> float:
        """The quantile times the volatility."""
        return self.shape.quantile(self.level) * self._volatility

    @property
    def expected_shortfall(self) -> float:
        """The mean beyond the quantile, times the volatility."""
        return self.shape.shortfall(self.level) * self._volatility

    @property
    def by_factor(self) -> pd.DataFrame:
        """Contributions by factor and idio."""
        return self._contributions(self.portfolio.decompose().by_factor)

    @property
    def by_asset(self) -> pd.DataFrame:
        """Contributions by holding."""
        return self._contributions(self.portfolio.decompose().by_asset)

    def ends(self, confidence: float) -> tuple[Ends, Ends]:
        """Scale the interval of the volatility, and widen it for the error of the shape; NaN without a panel."""
        multiples = self.shape.quantile(self.level), self.shape.shortfall(self.level)
        if self.panel is None:
            return Ends(np.nan, np.nan, np.nan), Ends(np.nan, np.nan, np.nan)
        own = RealisedRisk.of(self.portfolio, self.panel, confidence).model
        scale = self._volatility / own.estimate if own.estimate > 0 else 0.0
        z = float(special.ndtri(0.5 + confidence / 2.0))
        first, second = (
            _widened(Ends(*(m * scale * x for x in (own.std_error, own.low, own.high))), m * v, v * error, z)
            for m, error, v in zip(multiples, self.shape.errors(self.level), (self._volatility,) * 2, strict=True)
        )
        return first, second

    def probability(self, value: float) -> float:
        """The distribution function at a return."""
        if self._volatility == 0:
            return float(value >= 0)
        return float(self.shape.distribution.cdf(value / self._volatility))

    @cached_property
    def _volatility(self) -> float:
        return float(self.portfolio.volatility.at(self.horizon))

    def _contributions(self, variances: pd.Series[float]) -> pd.DataFrame:
        total = float(self.portfolio.decompose().total_variance)
        shares = variances / total if total > 0 else 0.0 * variances
        return pd.DataFrame(
            {"value_at_risk": shares * self.value_at_risk, "expected_shortfall": shares * self.expected_shortfall}
        )


def _widened(ends: Ends, estimate: float, error: float, z: float) -> Ends:
    """Add an independent error, of the shape."""
    low, high = estimate - ends.low, ends.high - estimate
    return Ends(
        float(np.hypot(ends.std_error, error)),
        float(estimate - np.hypot(low, z * error)),
        float(estimate + np.hypot(high, z * error)),
    )
