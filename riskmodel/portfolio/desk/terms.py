"""A hedge problem in numbers: risk, costs and limits of M instruments."""

from __future__ import annotations

from typing import Self, final

import numpy as np
from attrs import evolve, frozen

from riskmodel._core.arrays import Array
from riskmodel.portfolio.desk.forms import Linear, Squares
from riskmodel.portfolio.hedging.rows import RiskRows

# A limit is kept where it is broken by less than this share.
KEPT = 1e-6


@final
@frozen(eq=False)
class HedgeTerms:
    r"""Minimise :math:`\kappa\,\mathrm{variance}(h) + c'|h - h_0| + b'\max(-h, 0) - y'h` within limits.

    Attributes
    ----------
    rows : RiskRows
        The variance.
    weight : float
        κ: price of variance.
    held : array, shape (M,)
        What is held before.
    trade, borrow, carry : array, shape (M,)
        c, b and y: decimals per dollar, over the holding period.
    boxes : dict by name
        Lower and upper ends of holdings, two arrays of shape (M,).
    linear, squares : dict by name
        Other limits.
    """

    rows: RiskRows
    weight: float
    held: Array
    trade: Array
    borrow: Array
    carry: Array
    boxes: dict[str, tuple[Array, Array]]
    linear: dict[str, Linear]
    squares: dict[str, Squares]

    @property
    def n(self) -> int:
        """M."""
        return len(self.held)

    @property
    def names(self) -> list[str]:
        """Of all limits."""
        return [*self.boxes, *self.linear, *self.squares]

    @property
    def has_costs(self) -> bool:
        """Whether anything but risk is counted."""
        return bool(self.trade.any() or self.borrow.any() or self.carry.any())

    @property
    def is_closed(self) -> bool:
        """Whether linear algebra alone solves it: no costs, and no limits but exact targets."""
        return not (self.has_costs or self.boxes or self.squares) and all(
            limit.low == limit.high for limit in self.linear.values()
        )

    def ends(self) -> tuple[Array, Array]:
        """Lower and upper ends that keep all boxes."""
        low, high = np.full(self.n, -np.inf), np.full(self.n, np.inf)
        for below, above in self.boxes.values():
            low, high = np.maximum(low, below), np.minimum(high, above)
        return low, high

    def costs(self, h: Array) -> tuple[float, float, float]:
        """Trading, borrowing, and carry paid, decimals per dollar of strategy over the holding period."""
        short = np.maximum(-h, 0.0)
        return float(self.trade @ np.abs(h - self.held)), float(self.borrow @ short), -float(self.carry @ h)

    def objective(self, h: Array) -> float:
        """What is minimised."""
        return self.weight * self.rows.variance(h) + sum(self.costs(h))

    def excess(self, h: Array) -> dict[str, float]:
        """By name, by how much limits are broken, as shares."""
        broken = {
            name: float(np.maximum(low - h, h - high).max(initial=0.0)) for name, (low, high) in self.boxes.items()
        }
        broken |= {name: limit.excess(h) for name, limit in self.linear.items()}
        broken |= {name: limit.excess(h) for name, limit in self.squares.items()}
        return {name: value for name, value in broken.items() if value > KEPT}

    def only(self, names: list[str]) -> Self:
        """The same with some of the limits."""
        return evolve(
            self,
            boxes={k: v for k, v in self.boxes.items() if k in names},
            linear={k: v for k, v in self.linear.items() if k in names},
            squares={k: v for k, v in self.squares.items() if k in names},
        )
