"""Regressions on factors of earlier and later rows, for prices that are stale."""

from __future__ import annotations

import numpy as np
from attrs import evolve

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel.errors import EstimationError, InvalidParameterError
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.panel.memory import ReturnPanel, rows_of


def lagged_slopes(inner: LoadingsEstimator, panel: ReturnPanel, lags: int, leads: int) -> Array:
    """Slopes on the factors of each row from `lags` before to `leads` after, shape (lags + 1 + leads, N, K).

    Raises
    ------
    EstimationError
        If the panel has too few rows.
    InvalidParameterError
        If `inner` does not estimate loadings on the panel's factors.
    """
    t, k = len(panel.dates), len(panel.factors)
    if t <= lags + leads:
        raise EstimationError(
            f"expected more than {lags + leads} rows for {lags} lags and {leads} leads, got {t}; widen the window.",
            rows=t,
        )
    if not (lags or leads):
        return np.asarray(inner.fit(panel).loadings.to_numpy())[None]
    shifts = range(-lags, leads + 1)
    names = [_name(f, s) for s in shifts for f in panel.factors]
    factors = panel.arrays()[1]
    rows = rows_of(panel, slice(lags, t - leads))
    shifted = np.concatenate([factors[lags + s : t - leads + s] for s in shifts], axis=1)
    fitted = inner.fit(evolve(rows, factors=names, factor_returns=shifted, definitions=names))
    if list(fitted.factors) != names:
        raise InvalidParameterError(
            f"expected loadings on the panel's factors, each with lags, from {inner!r}, got those on "
            f"{labels.listing(fitted.factors)}; wrap a time-series regression."
        )
    return np.moveaxis(fitted.loadings.to_numpy().reshape(-1, len(shifts), k), 1, 0)


def _name(factor: object, shift: int) -> str:
    if not shift:
        return str(factor)
    return f"{factor}, {'lag' if shift < 0 else 'lead'} {abs(shift)}"
