"""Dates on which something held has no return."""

from __future__ import annotations

from enum import Enum
from typing import Any, final

import numpy as np

from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array


@final
class Gaps(Enum):
    """What a simulation does on dates on which something held has no return.

    ``rm.LEAVE_OUT_DATES``: they are left out, with a `MissingDatesWarning`; one recent listing then costs most of the
    history. ``rm.DRAW_RESIDUALS``: the asset has the return that its exposures and the factors of the date make, and a
    normal residual drawn with the model's alpha and idio variance, always the same for the same panel.

    Examples
    --------
    >>> import riskmodel as rm
    >>> sample = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"], start="2016")
    >>> returns = sample.excess_returns.copy()
    >>> returns.iloc[:500, 1] = float("nan")
    >>> panel = rm.ReturnPanel.align(
    ...     returns, sample.factor_returns, sample.risk_free, horizon=rm.DAY, return_type=rm.EXCESS,
    ... )
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, rm.OLS().fit(panel))
    >>> simulation = rm.HistoricalSimulation(gaps=rm.DRAW_RESIDUALS)
    >>> round(float(simulation.of(held, panel, 0.99).value_at_risk), 3)
    0.034
    """

    LEAVE_OUT_DATES = "leave out dates"
    DRAW_RESIDUALS = "draw residuals"

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.value


LEAVE_OUT_DATES, DRAW_RESIDUALS = Gaps.LEAVE_OUT_DATES, Gaps.DRAW_RESIDUALS


def is_gaps(_: Any, __: Any, value: Any) -> None:
    """Raise unless this is one of `Gaps` (an attrs validator)."""
    require(value, Gaps, "gaps", "rm.LEAVE_OUT_DATES or rm.DRAW_RESIDUALS")


def drawn(residuals: Array, alpha: Array, idio_variance: Array) -> Array:
    """Return residuals, T × M, with normal draws where they are missing."""
    draws = alpha + np.random.default_rng(0).standard_normal(residuals.shape) * np.sqrt(idio_variance)
    return np.where(np.isnan(residuals), draws, residuals)
