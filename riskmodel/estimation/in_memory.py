"""Bring a panel into memory for estimators that need it whole."""

from __future__ import annotations

from riskmodel.errors import TooLargeError
from riskmodel.estimation.base import require_panel
from riskmodel.panel.base import Panel
from riskmodel.panel.memory import ReturnPanel

# The most returns that are brought into memory unasked, 400 MB.
_MOST_RETURNS = 50_000_000


def in_memory(panel: Panel) -> ReturnPanel:
    """Return a panel in memory.

    Raises
    ------
    TooLargeError
        For a panel that lies elsewhere and has more than 50 million returns.
    """
    require_panel(panel)
    if isinstance(panel, ReturnPanel):
        return panel
    t, n = len(panel.dates), len(panel.assets)
    if t * n > _MOST_RETURNS:
        raise TooLargeError(
            f"expected a panel in memory, because residuals by date are needed, got {t:,} dates × {n:,} assets "
            f"elsewhere, more than {_MOST_RETURNS:,} returns; pass panel.select(assets), or estimate with rm.OLS() or "
            "rm.EWMA(...), which read a panel in pieces.",
            dates=t,
            assets=n,
            limit=_MOST_RETURNS,
        )
    return panel.select()
