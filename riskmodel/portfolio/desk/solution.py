"""What a hedge problem's solution holds, trades, costs and leaves."""

from __future__ import annotations

from typing import final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.listing import Listed
from riskmodel.horizon import Horizon
from riskmodel.portfolio.desk.solver import Found
from riskmodel.portfolio.desk.terms import HedgeTerms
from riskmodel.portfolio.hedged import HedgedPortfolio

# A gap below this share is the solver's tolerance.
_PROVED = 1e-4


@final
@frozen(eq=False, repr=False)
class HedgeSolution(Listed):
    """The hedge that solves a `HedgeProblem`: holdings, trades, costs, and how near to the optimum it is.

    Attributes
    ----------
    hedged : HedgedPortfolio
        Strategy and hedge.
    horizon : Horizon
        The holding period that costs are over.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> solution = rm.HedgeProblem(msft, ["JPM", "Mkt-RF"], rm.FactorShareCap(0.1)).solve()
    >>> float(solution.weights["Mkt-RF"].round(2)), bool(solution.gap < 1e-6)
    (-1.07, True)
    """

    hedged: HedgedPortfolio
    horizon: Horizon
    _names: pd.Index
    _terms: HedgeTerms
    _found: Found
    _unrounded: Found

    def __repr__(self) -> str:
        proof = "optimal" if self.gap <= _PROVED else f"within {self.gap:.2g} of the optimum"
        broken = f"; lots break {labels.listing(self.breaches.index)}" if len(self.breaches) else ""
        held = int(np.count_nonzero(self._found.hedge))
        return f"<HedgeSolution with {held} of {len(self._names)} instruments, {proof}{broken}>"

    @property
    def weights(self) -> pd.Series[float]:
        """Holdings by instrument, dollars per dollar of strategy."""
        return pd.Series(self._found.hedge.copy(), self._names, name="weight")

    @property
    def trades(self) -> pd.Series[float]:
        """What is bought and sold, dollars per dollar of strategy."""
        return pd.Series(self._found.hedge - self._terms.held, self._names, name="trade")

    @property
    def costs(self) -> pd.Series[float]:
        """``trading``, ``borrow`` and ``carry`` paid over the holding period, decimals per dollar of strategy."""
        return pd.Series(self._terms.costs(self._found.hedge), ["trading", "borrow", "carry"], name="cost")

    @property
    def gap(self) -> float:
        """By which share the objective may exceed the optimum of holdings of any size.

        It is ``(objective - bound) / |bound|``, and 0 where the problem is convex. Otherwise the bound is that of a
        relaxation, or of a search that stopped.
        """
        found = self._unrounded
        over = max(found.objective - found.bound, 0.0)
        return float(over / abs(found.bound)) if found.bound else float(over > 0)

    @property
    def breaches(self) -> pd.Series[float]:
        """Limits that whole lots break, by name: by how much, as a share of the limit."""
        return pd.Series(self._terms.excess(self._found.hedge), dtype=float, name="excess")

    def rounding(self) -> pd.DataFrame:
        """Return what whole lots change.

        Returns
        -------
        DataFrame, columns ``any size`` and ``whole lots``
            Rows ``volatility`` (per the model's horizon), ``factor share``, ``exposure <factor>``, ``cost`` (over the
            holding period) and ``hold <instrument>``.
        """
        columns = {"any size": self._figures(self._unrounded), "whole lots": self._figures(self._found)}
        return pd.DataFrame(columns)

    def _figures(self, found: Found) -> dict[str, float]:
        rows, h = self._terms.rows, found.hedge
        variance = rows.variance(h)
        left = zip(self.hedged.model.factors, rows.left(h), strict=True)
        return {
            "volatility": float(np.sqrt(variance)),
            "factor share": rows.factor_variance(h) / variance if variance > 0 else np.nan,
            **{f"exposure {name}": float(value) for name, value in left},
            "cost": float(sum(self._terms.costs(h))),
            **{f"hold {name}": float(value) for name, value in zip(self._names, h, strict=True)},
        }
