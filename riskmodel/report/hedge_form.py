"""The hedge on a page: what it needs to hedge the strategy by itself, in any of some instruments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array, floats
from riskmodel.horizon import DAY, MONTH, QUARTER, WEEK, YEAR, Horizon
from riskmodel.model.instruments import HeldInstruments
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.hedging.rows import RiskRows
from riskmodel.portfolio.portfolio import Portfolio

_CAP = 0.2
_HORIZONS = (DAY, WEEK, MONTH, QUARTER, YEAR)


@final
@frozen(eq=False)
class HedgeForm:
    r"""The strategy and its instruments as few numbers: the parts of B F B' + D that a hedge of them has.

    The variance with a hedge h is :math:`\|G h + g\|^2 + \|A h + a\|^2 + c`, as `RiskRows` has it. Rows of A beyond the
    number of instruments are turned away (QR), which changes no length.

    Attributes
    ----------
    strategy : Portfolio
        What is hedged.
    held : HeldInstruments
        M instruments.
    budget : RiskBudget
        Its volatility and horizon are what the page starts with; it has no say about other limits.
    cap : float or None
        Factor share that the page starts with; a neutral hedge without one.
    """

    strategy: Portfolio
    held: HeldInstruments
    budget: RiskBudget
    cap: float | None

    @classmethod
    def of(cls, strategy: Portfolio, instruments: Sequence[Any], budget: RiskBudget, cap: float | None) -> Self | None:
        """Make it of the factors that can be held and of some instruments; None where there are none."""
        factors = [f.name for f in strategy.model.definitions if f.tradable]
        every = [*factors, *(i for i in instruments if getattr(i, "name", i) not in factors)]
        return cls(strategy, HeldInstruments.read(every, strategy.model), budget, cap) if every else None

    @property
    def names(self) -> list[str]:
        """The instruments."""
        return [str(label) for label in self.held.labels]

    @property
    def kind(self) -> str:
        """The hedge that the page starts with."""
        return "neutral" if self.cap is None else "capped"

    @property
    def percent(self) -> str:
        """The cap that the page starts with, in percent."""
        return f"{100.0 * (_CAP if self.cap is None else self.cap):.12g}"

    @property
    def dollars(self) -> str:
        """The volatility of the budget."""
        return f"{float(self.budget.volatility):.17g}"

    @property
    def ticked(self) -> range:
        """Positions of the instruments that the page starts with: the factors."""
        return range(sum(f.tradable for f in self.strategy.model.definitions) or len(self.names))

    @property
    def horizons(self) -> tuple[Horizon, ...]:
        """The horizons to choose from; the budget's is among them."""
        return tuple(sorted(dict.fromkeys((*_HORIZONS, self.budget.horizon)), key=lambda h: h.days))

    @property
    def chosen_horizon(self) -> int:
        """Position of the budget's horizon."""
        return self.horizons.index(self.budget.horizon)

    @property
    def other_limits(self) -> tuple[str, ...]:
        """Limits that the report's positions keep, and the page's do not."""
        return tuple(limit.name for limit in self.budget.limits)

    def data(self) -> dict[str, Any]:
        """All numbers as plain lists, for a script."""
        rows, strategy = RiskRows.of(self.strategy, self.held), self.strategy
        idio, own = _turned(rows.idio, rows.idio_own)
        model, a = strategy.model, self.held.holdings.to_numpy()
        alpha = a.T @ floats(model.restrict(self.held.holdings.index.to_list()).alpha)
        means = floats(model.factor_mean)
        cost = a.sum(axis=0) + np.asarray(model.funded, dtype=np.float64) @ self.held.legs
        weights, legs = strategy.weights, np.abs(floats(strategy.legs))
        single = np.sqrt(floats(model.restrict(weights.index.to_list()).covariance.diagonal()))
        own_size = np.abs(floats(weights)) @ single + legs @ np.sqrt(np.diag(floats(model.factor_covariance)))
        return {
            "names": self.names,
            "factor": rows.factor.tolist(),
            "factor_own": rows.factor_own.tolist(),
            "idio": idio.tolist(),
            "idio_own": own.tolist(),
            "constant": rows.constant,
            "exposures": rows.exposures.tolist(),
            "exposures_own": rows.exposures_own.tolist(),
            "alpha": alpha.tolist(),
            "alpha_own": float(strategy.alpha),
            "mean": (alpha + self.held.loadings @ means).tolist(),
            "mean_own": float(strategy.expected_excess_return),
            "cost": cost.tolist(),
            "cost_own": float(-strategy.cash_weight),
            "size": np.sqrt(np.square(np.vstack([rows.factor, rows.idio])).sum(axis=0)).tolist(),
            "size_own": float(own_size),
            "horizons": [{"name": str(h), "units": h.in_units_of(strategy.horizon)} for h in self.horizons],
        }


def _turned(rows: Array, own: Array) -> tuple[Array, Array]:
    """Rows and a column beside them, turned so that there are no more rows than columns."""
    both = np.column_stack([rows, own])
    if len(both) > both.shape[1]:
        both = np.asarray(np.linalg.qr(both, mode="r"))
    return both[:, :-1], both[:, -1]
