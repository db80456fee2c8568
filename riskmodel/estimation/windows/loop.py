"""Any estimator in every window of a panel, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import numpy as np
from attrs import define, frozen

from riskmodel._core.arrays import Array, Flags, Index
from riskmodel.errors import CollinearFactorsError, EstimationError, TooFewObservationsError
from riskmodel.estimation.base import Estimator, checked_estimate, kept
from riskmodel.estimation.moments.regressions import effective
from riskmodel.estimation.moments.value import Moments
from riskmodel.model.history import Figures, Spans, rows_of
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel

# An expanding window is added to what it held so many dates ago.
_AHEAD = 64

FEW = "too few observations"
UNVARIED = "the factors do not vary independently over its own dates"


@final
@frozen(eq=False)
class Outcome:
    """What became of the assets of a window: a model of some, reasons for the others, or what is wrong with all."""

    model: FactorModel | None
    reasons: dict[Any, str]
    fault: str | None = None

    def note(self, figures: Figures, at: int, panel: ReturnPanel) -> None:
        """Write it down."""
        if self.model is not None:
            figures.put(at, panel.asset_names.get_indexer(self.model.assets), self.model)
        for reason in set(self.reasons.values()):
            named = [self.reasons.get(asset) == reason for asset in panel.asset_names]
            figures.leave_out(at, np.flatnonzero(named), reason)
        if self.fault is not None:
            figures.fail(at, self.fault)


def fit_some(window: ReturnPanel, fit: Callable[[ReturnPanel], FactorModel]) -> Outcome:
    """Fit the assets of a window, without those that the estimator says it cannot estimate."""
    reasons: dict[Any, str] = {}
    while True:
        try:
            return Outcome(fit(window), reasons)
        except EstimationError as error:
            named = set(error.details.get("counts", ())) | set(error.details.get("assets", ()))
            left = [asset for asset in window.asset_names if asset not in named]
            if len(left) == len(window.asset_names):
                return Outcome(None, reasons, str(error))
            reasons |= dict.fromkeys((a for a in window.asset_names if a in named), _why(error))
        if not left:
            return Outcome(None, reasons)
        window = window.select(left)


def _why(error: EstimationError) -> str:
    """The reason by asset; an error's own words name several, and change from window to window."""
    if isinstance(error, TooFewObservationsError):
        return FEW
    return UNVARIED if isinstance(error, CollinearFactorsError) else type(error).__name__


def fit_each(estimator: Estimator, panel: ReturnPanel, spans: Spans, minimum: int) -> Figures:
    """Estimate every window by the estimator's own `moments` and `estimate`."""
    present = ~np.isnan(panel.arrays()[0])
    counts = spans.observations(present)
    n, k = present.shape[1], len(panel.factor_names)
    figures = Figures.blank(spans.count, n, k, np.arange(n), np.empty(counts.shape))
    growing, keep = _Growing(estimator, panel), kept(estimator, panel.horizon)
    for at in range(spans.count):
        rows = spans.rows(at)
        figures.n_observations[at] = worth_of(keep, present[rows], counts[at])
        columns = np.flatnonzero(counts[at] >= minimum)
        if len(columns) < n:
            figures.leave_out(at, np.flatnonzero(counts[at] < minimum), FEW)
        if not len(columns):
            continue
        window = rows_of(panel, rows, columns if len(columns) < n else None)
        fit_some(window, estimator.fit if spans.stride else growing.fit).note(figures, at, panel)
    return figures


def worth_of(keep: float, present: Flags, counts: Index) -> Array:
    """The observations that the dates of a window are worth, by asset."""
    if keep == 1.0:
        return counts.astype(np.float64)
    weights = keep ** np.arange(len(present) - 1, -1, -1.0)
    return np.asarray(effective(weights @ present, weights**2 @ present))


@final
@define(eq=False)
class _Growing:
    """The moments of a window that only grows: those of a while ago, to which what is new is added."""

    estimator: Estimator
    panel: ReturnPanel
    state: Moments | None = None

    def fit(self, window: ReturnPanel) -> FactorModel:
        """Fit the window, which begins with the panel."""
        state = self.state
        if state is None or list(state.assets) != list(window.asset_names):
            self.state = state = self.estimator.moments(window)
        ahead = len(window.dates) - state.n_dates
        if ahead:
            state = self.estimator.update(state, rows_of(window, slice(state.n_dates, None)))
        if ahead >= _AHEAD:
            self.state = state
        return checked_estimate(self.estimator, state)
