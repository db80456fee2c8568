"""Whole lots: the holdings of a hedge as multiples of a lot."""

from __future__ import annotations

import numpy as np

from riskmodel._core.arrays import Array
from riskmodel.portfolio.desk.terms import KEPT, HedgeTerms

_MOST_SWEEPS = 200


def in_lots(terms: HedgeTerms, hedge: Array, lots: Array) -> Array:
    """Round holdings to whole lots, then move them a lot at a time while that breaks limits less, or costs less.

    Parameters
    ----------
    terms : HedgeTerms
        The problem.
    hedge : array, shape (M,)
        Within its limits.
    lots : array, shape (M,)
        Size of a lot in dollars per dollar of strategy; 0 for instruments of any size.
    """
    whole = lots > 0
    low, high = terms.ends()
    h = hedge.copy()
    h[whole] = np.round(h[whole] / lots[whole]) * lots[whole]
    best = _score(terms, h)
    for _ in range(_MOST_SWEEPS):
        moved = False
        for i in np.flatnonzero(whole & (hedge != 0)):
            for step in (lots[i], -lots[i]):
                tried = h.copy()
                tried[i] = np.round((h[i] + step) / lots[i]) * lots[i]
                score = _score(terms, tried) if low[i] - KEPT <= tried[i] <= high[i] + KEPT else (np.inf, np.inf)
                if score < best:
                    h, best, moved = tried, score, True
        if not moved:
            return h
    return h


def _score(terms: HedgeTerms, h: Array) -> tuple[float, float]:
    return sum(terms.excess(h).values()), terms.objective(h)
