"""Value at risk and expected shortfall of a portfolio, as figures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import final

from attrs import frozen

from riskmodel.horizon import Horizon
from riskmodel.inference.bounds import Skewed
from riskmodel.inference.estimand import THIS_WINDOW
from riskmodel.inference.figure import Figure
from riskmodel.inference.figures import PortfolioFigures


@final
@frozen(eq=False)
class TailRisk:
    r"""Losses of a portfolio whose returns are normal: of mean m and volatility σ over a horizon.

    The value at risk is :math:`z \sigma - m` with the normal quantile z of the confidence c, and the expected shortfall
    :math:`\varphi(z) \sigma / (1 - c) - m`: the mean loss where it is larger ([1]_, examples 2.11 and 2.14). Losses are
    of excess returns; those of a fat-tailed portfolio are larger.

    Attributes
    ----------
    figures : PortfolioFigures
        Of the portfolio.
    horizon : Horizon
        Over which losses are counted.
    confidence : float
        Probability of a loss below the value at risk, between 0 and 1.
    capital : float
        Dollars held; 1 for returns.
    prefix : str
        Of the names.

    References
    ----------
    .. [1] McNeil, A. J., Frey, R. and Embrechts, P. (2015). *Quantitative Risk Management*, 2nd edition. Princeton.
    """

    figures: PortfolioFigures
    horizon: Horizon
    confidence: float
    capital: float = 1.0
    prefix: str = ""

    def __iter__(self) -> Iterator[Figure]:
        from scipy import special  # noqa: PLC0415 - slow to import

        z = float(special.ndtri(self.confidence))
        density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        yield self._loss("value at risk", z)
        yield self._loss("expected shortfall", density / (1.0 - self.confidence))

    def _loss(self, name: str, multiple: float) -> Figure:
        """A multiple of the volatility less the mean."""
        own = self.figures
        rows = self.horizon.in_units_of(own.horizon)
        times = multiple * math.sqrt(rows)
        gradient, volatility, unbiased = own.of_mean.times(-rows), 0.0, 0.0
        if own.variance > 0.0:
            volatility, unbiased = math.sqrt(own.variance), math.sqrt(own.unbiased_variance)
            gradient = gradient.plus(own.of_variance, times / (2.0 * volatility))
        loss, centre = ((times * s - rows * own.mean) * self.capital for s in (volatility, unbiased))
        bounds = Skewed(centre)
        return Figure(self.prefix + name, loss, gradient.times(self.capital), bounds, THIS_WINDOW)
