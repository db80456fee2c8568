"""Filtered historical simulation."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from attrs import evolve, field, frozen
from scipy import signal

from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array
from riskmodel.analysis.tails.gaps import LEAVE_OUT_DATES, Gaps, is_gaps
from riskmodel.analysis.tails.historical import is_sums
from riskmodel.analysis.tails.row_sums import RowSums, SquareRootOfTime
from riskmodel.analysis.tails.simulation import Simulation
from riskmodel.analysis.tails.sources import Parts, Sources
from riskmodel.horizon import MONTH, Horizon
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.portfolio import Portfolio


def _is_half_life(_: Any, __: Any, value: Any) -> None:
    require(value, Horizon, "half_life", "such as rm.MONTH")


@final
@frozen
class FilteredHistoricalSimulation(Simulation):
    r"""Historical simulation through the factors, with each date's returns rescaled to today's volatility.

    A factor's return on date t becomes :math:`f_t \sigma_T / \sigma_t`, and so does each asset's residual, where
    :math:`\sigma_t^2 = \lambda \sigma_{t-1}^2 + (1 - \lambda) f_{t-1}^2` is known the day before ([1]_, with an
    exponentially weighted variance for their GARCH); the first is the mean square. Returns of one date stay
    together, so their dependence does too. Over more rows, volatility stays as it is today.

    Parameters
    ----------
    half_life : Horizon
        In which the weight of a squared return halves; by default a month.
    sums : RowSums
        How rows make a longer horizon; by default ``rm.SquareRootOfTime()``.
    gaps : Gaps
        ``rm.LEAVE_OUT_DATES`` (the default) or ``rm.DRAW_RESIDUALS``, where something held misses dates.

    Warns
    -----
    MissingDatesWarning
        Where something held misses dates, which are left out.

    References
    ----------
    .. [1] Barone-Adesi, G., Giannopoulos, K. and Vosper, L. (1999). VaR without correlations for portfolios of
       derivative securities. *Journal of Futures Markets* 19(5), 583-602.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"], end="2008-10-31")
    >>> long = rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, rm.OLS().fit(panel))
    >>> for method in (rm.HistoricalSimulation(), rm.FilteredHistoricalSimulation()):
    ...     print(round(method.of(long, panel).value_at_risk, 3))
    0.05
    0.142
    """

    half_life: Horizon = field(default=MONTH, validator=_is_half_life)
    sums: RowSums = field(factory=SquareRootOfTime, validator=is_sums)
    gaps: Gaps = field(default=LEAVE_OUT_DATES, validator=is_gaps, kw_only=True)

    def sources(self, portfolio: Portfolio, panel: ReturnPanel) -> Sources:
        """Return the rescaled returns."""
        parts = Parts.of(portfolio, panel, self.gaps)
        decay = 0.5 ** (1.0 / self.half_life.in_units_of(panel.horizon))
        factors, residuals = rescaled(parts.factors, decay), rescaled(parts.residuals - parts.alpha, decay)
        return Sources._of(evolve(parts, factors=factors, residuals=residuals))


def rescaled(returns: Array, decay: float) -> Array:
    """Return returns, T × M, times today's volatility over that of their date; NaN stays."""
    squares = returns**2
    known = ~np.isnan(squares)
    first = np.sum(squares, axis=0, where=known) / np.maximum(known.sum(axis=0), 1)
    after = _smoothed(squares, first, decay)
    before = np.vstack([first, after[:-1]])
    ratio = np.divide(after[-1], before, out=np.ones_like(before), where=before > 0)
    return np.asarray(returns * np.sqrt(ratio))


def _smoothed(squares: Array, first: Array, decay: float) -> Array:
    """The exponentially weighted variance after each row; a missing square leaves it as it is."""
    if not np.isnan(squares).any():
        found: Array = signal.lfilter([1.0 - decay], [1.0, -decay], squares, axis=0, zi=decay * first[None])[0]
        return found
    after, last = np.empty_like(squares), first
    for t, row in enumerate(squares):
        last = np.where(np.isnan(row), last, decay * last + (1.0 - decay) * row)
        after[t] = last
    return after
