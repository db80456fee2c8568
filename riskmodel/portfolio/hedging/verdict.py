"""Whether a hedge by the model is the one that the returns saw."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import linalg

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel._core.callers import warn
from riskmodel.errors import HedgesDifferWarning
from riskmodel.horizon import Horizon
from riskmodel.portfolio.hedging.regression import ReturnRegression

# A hedge that realises less than this ratio of the least volatility is as good.
MATERIAL = 1.1
_LEVEL = 0.95
# Beyond this leverage, HC3 divides by rounding.
_MOST_LEVERAGE = 1.0 - 1e-6


def warn_if_apart(regression: ReturnRegression, hedge: Array, names: pd.Index, horizon: Horizon) -> None:
    """Warn where a hedge is outside of the regression's 95 % region, and realises more risk by a tenth."""
    own, least = volatility_with(regression, hedge), volatility_with(regression, -regression.slopes)
    if own <= MATERIAL * least or not _is_outside(regression, hedge):
        return
    pairs = zip(names, hedge, -regression.slopes, strict=True)
    seen = labels.listing((f"{name} {ours:.3g} (returns: {theirs:.3g})" for name, ours, theirs in pairs), most=3)
    warn(
        HedgesDifferWarning(
            f"the model's hedge is not the one that the returns saw: {seen}; it realised a volatility of "
            f"{100 * own:.3g}% per {horizon}, where {100 * least:.3g}% was possible. The model takes residuals as "
            "uncorrelated: add factors or linked specific risk, or use HedgedPortfolio.regression.",
            instruments=list(names),
            model=hedge.tolist(),
            regression=(-regression.slopes).tolist(),
            volatility={"model": own, "regression": least},
        )
    )


def volatility_with(regression: ReturnRegression, hedge: Array) -> float:
    """Realised volatility of the strategy with a hedge, on the dates of the regression."""
    return float(np.std(regression.returns + regression.instruments @ hedge, ddof=1))


def _is_outside(regression: ReturnRegression, hedge: Array) -> bool:
    from scipy import special  # noqa: PLC0415 - slow to import

    leverage = np.minimum(regression.leverage, _MOST_LEVERAGE)
    terms = regression.influence * (regression.residuals / (1.0 - leverage))
    distance = hedge + regression.slopes
    # a chi-squared region, by the singular values of the terms
    _, s, turn = linalg.svd(terms.T, full_matrices=False)
    along = turn @ distance
    if not (s > 0).all():
        return bool(np.abs(distance).max(initial=0.0) > 0)
    return bool(np.square(along / s).sum() > special.chdtri(len(hedge), 1.0 - _LEVEL))
