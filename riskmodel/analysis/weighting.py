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
