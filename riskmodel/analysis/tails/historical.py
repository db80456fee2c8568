"""Historical simulation."""

from __future__ import annotations

from typing import Any, final

from attrs import field, frozen

from riskmodel._core.arguments import require
from riskmodel.analysis.tails.gaps import LEAVE_OUT_DATES, Gaps, is_gaps
from riskmodel.analysis.tails.row_sums import RowSums, SquareRootOfTime
from riskmodel.analysis.tails.simulation import Simulation
from riskmodel.analysis.tails.sources import Parts, Sources
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.portfolio import Portfolio


def is_sums(_: Any, __: Any, value: Any) -> None:
    """Raise unless this is a `RowSums` (an attrs validator)."""
    require(value, RowSums, "sums", "such as rm.OverlappingSums()")  # type: ignore[type-abstract]


@final
@frozen
class HistoricalSimulation(Simulation):
    """The returns that today's holdings had on the dates of a panel, each date as likely as any other.

    Parameters
    ----------
    sums : RowSums
        How rows make a longer horizon; by default ``rm.SquareRootOfTime()``.
    gaps : Gaps
        ``rm.LEAVE_OUT_DATES`` (the default) or ``rm.DRAW_RESIDUALS``, where something held misses dates.

    Warns
    -----
    MissingDatesWarning
        Where something held misses dates, which are left out.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> long = rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, rm.OLS().fit(panel))
    >>> rm.HistoricalSimulation().of(long, panel).table().round(4)
    return per day      estimate  std_error     low    high
    value at risk         0.0482     0.0022  0.0457  0.0535
    expected shortfall    0.0705     0.0046  0.0612  0.0798
    >>> rm.HistoricalSimulation(rm.OverlappingSums()).of(long, panel, horizon=rm.MONTH).table().round(3)
    return per month    estimate  std_error    low  high
    value at risk          0.205      0.034  0.157   inf
    expected shortfall     0.252      0.019  0.157   inf
    """

    sums: RowSums = field(factory=SquareRootOfTime, validator=is_sums)
    gaps: Gaps = field(default=LEAVE_OUT_DATES, validator=is_gaps, kw_only=True)

    def sources(self, portfolio: Portfolio, panel: ReturnPanel) -> Sources:
        """Return the returns as they were."""
        return Sources._of(Parts.of(portfolio, panel, self.gaps))
