"""Fit any estimator on each window of a panel, one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from riskmodel.errors import EstimationError
from riskmodel.estimation.available import TOO_FEW, LeftOut, fit_remaining
from riskmodel.estimation.windows.spans import Spans
from riskmodel.model.history import ModelHistory
from riskmodel.model.model import FactorModel
from riskmodel.model.window_estimates import WindowResult
from riskmodel.panel.memory import ReturnPanel, rows_of

Fit = Callable[[ReturnPanel], FactorModel]


def fit_each(fit: Fit, panel: ReturnPanel, spans: Spans, minimum: int) -> ModelHistory:
    """Fit each window separately."""
    counts = spans.observations(~np.isnan(panel.arrays()[0]))
    results = [
        fit_window(fit, rows_of(panel, spans.rows(d)), panel.assets[counts[d] < minimum]) for d in range(len(spans))
    ]
    return ModelHistory.of(panel, spans.starts, spans.stops, results, counts)


def fit_window(fit: Fit, window: ReturnPanel, short: object = ()) -> WindowResult:
    """Fit the assets of a window, without `short` and those that the estimator's errors name."""
    left_out = LeftOut(dict.fromkeys(short, TOO_FEW))  # type: ignore[call-overload]
    remaining = [a for a in window.assets if a not in left_out.reasons]
    try:
        model = fit_remaining(
            remaining,
            lambda assets: fit(window if len(assets) == len(window.assets) else window.select(assets)),
            left_out,
        )
    except EstimationError as error:
        return WindowResult(None, left_out.reasons, left_out.observations, str(error))
    return WindowResult(model, left_out.reasons, left_out.observations)
