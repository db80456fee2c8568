"""How weights go on between the dates that state them, and what becomes of returns that are missing."""

from __future__ import annotations

from enum import Enum
from typing import final

from riskmodel._core.arguments import require


@final
class Weighting(Enum):
    """How weights go on: ``rm.REBALANCED``, the same on each date, or ``rm.BUY_AND_HOLD``, drifting with returns.

    What is bought and held grows with its own total return, the portfolio with that of all, and weights are shares of
    the portfolio. A position in a factor that costs no cash grows with the factor's return, and its profit is cash.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> for weighting in (rm.REBALANCED, rm.BUY_AND_HOLD):
    ...     attribution = rm.ReturnAttribution.of(held, panel, start="2018", weighting=weighting)
    ...     print(weighting, attribution.weights.iloc[-1].round(3).to_dict())
    Weighting.REBALANCED {'MSFT': 0.6, 'JPM': 0.4}
    Weighting.BUY_AND_HOLD {'MSFT': 0.651, 'JPM': 0.349}
    """

    REBALANCED = "rebalanced"
    BUY_AND_HOLD = "buy and hold"

    def __repr__(self) -> str:
        return self.name


REBALANCED, BUY_AND_HOLD = Weighting.REBALANCED, Weighting.BUY_AND_HOLD


@final
class Unknown(Enum):
    """What to leave out where something held has no return: ``rm.WHOLE_DATES`` or ``rm.NAMES_ALONE``.

    With whole dates, the return is that of all that is held, over fewer dates. With names alone, it is that of the
    names that have a return on a date, at their weights: the others count as if they were not held on it. What is
    bought and held drifts on each date with the returns that are known, also on a date that is left out.

    Examples
    --------
    >>> import riskmodel as rm
    >>> returns = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"], start="2018-11")
    >>> model = rm.OLS().fit(rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"]))
    >>> excess = returns.excess_returns.copy()
    >>> excess.iloc[:5, 1] = float("nan")
    >>> panel = rm.ReturnPanel.align(
    ...     excess, returns.factor_returns, returns.risk_free, horizon=rm.DAY, return_type=rm.EXCESS,
    ... )
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> import warnings
    >>> for unknown in (rm.WHOLE_DATES, rm.NAMES_ALONE):
    ...     with warnings.catch_warnings():
    ...         warnings.simplefilter("ignore")
    ...         print(unknown, len(rm.ReturnAttribution.of(held, panel, unknown=unknown).dates), "dates")
    Unknown.WHOLE_DATES 16 dates
    Unknown.NAMES_ALONE 21 dates
    """

    WHOLE_DATES = "whole dates"
    NAMES_ALONE = "names alone"

    def __repr__(self) -> str:
        return self.name


WHOLE_DATES, NAMES_ALONE = Unknown.WHOLE_DATES, Unknown.NAMES_ALONE


def require_weighting(value: object) -> Weighting:
    """Return a `Weighting`, or raise."""
    return require(value, Weighting, "weighting", "rm.REBALANCED or rm.BUY_AND_HOLD")


def require_unknown(value: object) -> Unknown:
    """Return an `Unknown`, or raise."""
    return require(value, Unknown, "unknown", "rm.WHOLE_DATES or rm.NAMES_ALONE")
