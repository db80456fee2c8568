"""The two forms that a limit on a hedge h has: linear, and squares."""

from __future__ import annotations

from typing import final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array


@final
@frozen(eq=False)
class Linear:
    """low ≤ e'h + own ≤ high, with a size that its excess is a share of."""

    slope: Array
    own: float
    low: float
    high: float
    size: float

    def excess(self, h: Array) -> float:
        """By how much it is broken, as a share of its size; 0 where it is kept."""
        value = float(self.slope @ h) + self.own
        return max(self.low - value, value - self.high, 0.0) / self.size


@final
@frozen(eq=False)
class Squares:
    """‖P h + p‖² ≤ ‖Q h + q‖² + c: convex where Q has no rows."""

    rows: Array
    own: Array
    against: Array
    against_own: Array
    constant: float

    @property
    def is_convex(self) -> bool:
        """Whether there is nothing to subtract."""
        return not len(self.against)

    def excess(self, h: Array) -> float:
        """By how much it is broken, as a share of what is allowed; 0 where it is kept."""
        used, allowed = self.rows @ h + self.own, self.against @ h + self.against_own
        most = float(allowed @ allowed) + self.constant
        over = float(used @ used) - most
        return 0.0 if over <= 0.0 else over / most if most > 0.0 else np.inf

    def over(self, scale: float) -> Squares:
        """The same in units of risk."""
        s = scale
        return Squares(self.rows / s, self.own / s, self.against / s, self.against_own / s, self.constant / s**2)

    def tangent(self, h: Array) -> tuple[Array, float]:
        """Slope and level of the plane that touches ‖Q h + q‖² from below at h."""
        z = self.against @ h + self.against_own
        slope = 2.0 * self.against.T @ z
        return np.asarray(slope), float(z @ z - slope @ h)
