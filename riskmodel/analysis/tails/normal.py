"""Tails of normal returns."""

from __future__ import annotations

import math
from typing import final

from attrs import frozen

from riskmodel.analysis.tails.elliptical import EllipticalTails
from riskmodel.analysis.tails.shape import Shape
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.portfolio import Portfolio


@final
@frozen
class NormalTails(EllipticalTails):
    r"""Normal returns with the model's volatility.

    Expected shortfall is :math:`\sigma \varphi(q) / (1 - p)` at level p. Returns of one day have fatter tails: use it
    beside `HistoricalSimulation`.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> long = rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, rm.OLS().fit(panel))
    >>> risk = rm.NormalTails().of(long, panel, level=0.975)
    >>> risk.table().round(4)
    return per day      estimate  std_error     low    high
    value at risk         0.0374     0.0008  0.0361  0.0391
    expected shortfall    0.0447     0.0009  0.0430  0.0467
    >>> risk.by_factor.round(4)
    return per day  value_at_risk  expected_shortfall
    Mkt-RF                 0.0252              0.0300
    idio                   0.0123              0.0146
    """

    def shape(self, portfolio: Portfolio, panel: ReturnPanel | None) -> Shape:
        """Return the standard normal distribution."""
        from scipy import stats  # noqa: PLC0415 - slow to import

        return Shape(stats.norm(), _mean_beyond)


def _mean_beyond(q: float) -> float:
    """φ(q) / Φ(-q)."""
    return math.exp(-q * q / 2.0) / math.sqrt(2.0 * math.pi) / (0.5 * math.erfc(q / math.sqrt(2.0)))
