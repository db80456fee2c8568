"""What solves a hedge problem with some holdings fixed, and the closed form of one without costs and bounds."""

from __future__ import annotations

from abc import abstractmethod
from typing import final

import numpy as np
from attrs import frozen
from scipy import linalg

from riskmodel._core.arrays import Array, Flags
from riskmodel._core.listing import Abstract
from riskmodel.portfolio.desk.terms import HedgeTerms

_RANK = 1e-12
_REACHED = 1e-9


@final
@frozen(eq=False)
class Found:
    """A hedge, its objective, and a bound that no hedge within the limits is below; infinite where none was found."""

    hedge: Array
    objective: float
    bound: float


class HedgeSolver(Abstract):
    """A way to solve a hedge problem. One hook: `solve`."""

    @abstractmethod
    def solve(self, free: Flags, fixed: Array) -> Found | None:
        """Return the best hedge with holdings that are not free fixed; None where there is none for certain."""


@final
@frozen(eq=False)
class ClosedForm(HedgeSolver):
    """Least squares with linear equations, by the null space of the equations."""

    terms: HedgeTerms

    def solve(self, free: Flags, fixed: Array) -> Found | None:
        """Return the least variance."""
        rows, h = self.terms.rows, np.where(free, 0.0, fixed)
        risk = np.vstack([rows.factor, rows.idio])
        own = np.concatenate([rows.factor_own, rows.idio_own]) + risk @ h
        limits = list(self.terms.linear.values())
        ties = np.array([t.slope / t.size for t in limits]).reshape(len(limits), self.terms.n)
        aims = np.array([(t.low - t.own) / t.size for t in limits]) - ties @ h
        start = np.linalg.lstsq(ties[:, free], aims, rcond=_RANK)[0] if limits else np.zeros(int(free.sum()))
        if np.abs(ties[:, free] @ start - aims).max(initial=0.0) > _REACHED * max(np.abs(aims).max(initial=0.0), 1.0):
            return None
        basis = linalg.null_space(ties[:, free], rcond=_RANK) if limits else np.eye(len(start))
        along = np.linalg.lstsq(risk[:, free] @ basis, -(own + risk[:, free] @ start), rcond=_RANK)[0]
        h[free] = start + basis @ along
        value = self.terms.objective(h)
        return Found(h, value, value)
