"""Limits that a position exceeds."""

from __future__ import annotations

from typing import final

from attrs import frozen

from riskmodel._core.listing import Listed
from riskmodel.portfolio.limits import Limit

# Smaller limits are shares and counts.
_DOLLARS = 1e3


@final
@frozen
class Breach(Listed):
    """A limit that a position exceeds.

    Attributes
    ----------
    limit : Limit
        The limit exceeded.
    used : float
        How much of it the position uses, in the limit's own unit.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> budget = rm.RiskBudget(1_000_000, rm.MONTH)
    >>> [str(breach) for breach in budget.check(rm.Position(msft, 20e6, rm.MONTH))]
    ['volatility per month: 1,762,504 used of 1,000,000']
    """

    limit: Limit
    used: float

    @property
    def excess(self) -> float:
        """Used less allowed."""
        return self.used - self.limit.amount

    def __str__(self) -> str:
        form = ",.0f" if self.limit.amount >= _DOLLARS else ".3g"
        return f"{self.limit.name}: {self.used:{form}} used of {self.limit.amount:{form}}"
