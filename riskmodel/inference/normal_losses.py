"""Value at risk and expected shortfall of normal returns, as figures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import final

from attrs import evolve, frozen

from riskmodel.horizon import Horizon
from riskmodel.inference.bounds import Scaled
from riskmodel.inference.figure import Figure
from riskmodel.inference.figures import PortfolioFigures


@final
@frozen(eq=False)
class NormalLosses:
    r"""Losses of normal returns with the model's volatility σ, as `NormalTails` has them: the mean is left out.

    The value at risk is :math:`z \sigma` with the normal quantile z of the level p, and the expected shortfall
    :math:`\varphi(z) \sigma / (1 - p)`: the mean loss where it is larger ([1]_, examples 2.11 and 2.14).

    Attributes
    ----------
    figures : PortfolioFigures
        Of the portfolio.
    horizon : Horizon
        Over which losses are counted.
    level : float
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
    level: float
    capital: float = 1.0
    prefix: str = ""

    def __iter__(self) -> Iterator[Figure]:
        from scipy import special  # noqa: PLC0415 - slow to import

        z = float(special.ndtri(self.level))
        density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        yield self.multiple("value at risk", z)
        yield self.multiple("expected shortfall", density / (1.0 - self.level))

    def multiple(self, name: str, times: float) -> Figure:
        """A multiple of the volatility over the horizon."""
        volatility = self.figures.volatility()
        size = times * self.capital * math.sqrt(self.horizon.in_units_of(self.figures.horizon))
        return evolve(
            volatility,
            name=self.prefix + name,
            estimate=volatility.estimate * size,
            bounds=Scaled(volatility.bounds, size),
            power=0.0,
            slope=volatility.slope * size,
        )
