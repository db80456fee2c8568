"""Robust regressions, in which single days count less."""

from __future__ import annotations

from typing import final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core.arrays import Array
from riskmodel.errors import EstimationError
from riskmodel.estimation.asset_regressions.base import AssetRegression
from riskmodel.estimation.weighting import require_positive

# Residuals of least squares below this share of the returns are rounding.
_EXPLAINED = 1e-10
_MOST_ROUNDS = 500
# Loadings in units of volatility have settled when a round changes them by less.
_SETTLED = 1e-8


@final
@frozen(kw_only=True)
class Huber(AssetRegression):
    r"""Huber's M-estimates [1]_: residuals beyond a threshold count linearly, not as squares.

    By iterated weights, with the scale from the median absolute residual in each round: ``statsmodels.api.RLM``, which
    has no penalty and gives the same loadings in any unit of return. (``HuberRegressor`` of scikit-learn has a penalty
    by default, and stops at a tolerance in the units of the returns.) Where dates are weighted, the variance of a
    date's error is taken as inverse to its weight.

    Parameters
    ----------
    threshold : float
        In standard deviations; 1.345 has 95% of the efficiency of least squares under normality. Very large is least
        squares.
    half_life : Horizon, optional
        Dates are weighted exponentially, with this half-life in trading days; by default equally.

    References
    ----------
    .. [1] Huber, P. J. (1964). Robust Estimation of a Location Parameter. *Annals of Mathematical Statistics* 35(1),
       73-101.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> rm.TimeSeries(rm.Huber()).fit(panel).loadings.round(2)
         Mkt-RF
    KO     0.54
    XOM    0.82
    """

    threshold: float = field(default=1.345, validator=require_positive)

    def slopes(self, returns: Array, factors: pd.DataFrame, weights: Array) -> Array:
        """Estimate the loadings of one asset."""
        from statsmodels.robust.norms import HuberT  # noqa: PLC0415 - heavy, and used only here
        from statsmodels.robust.robust_linear_model import RLM  # noqa: PLC0415 - likewise

        values = factors.to_numpy()
        unit, size = values.std(axis=0), np.abs(returns).max()
        root = np.sqrt(weights / weights.max())
        x = np.column_stack([np.ones(len(values)), values / unit]) * root[:, None]
        y = returns / (size or 1.0) * root
        start = np.linalg.lstsq(x, y, rcond=None)[0]
        if np.abs(y - x @ start).max() <= _EXPLAINED:
            return np.asarray(start[1:] * size / unit)
        found = RLM(y, x, M=HuberT(self.threshold)).fit(maxiter=_MOST_ROUNDS, tol=_SETTLED, conv="coefs")
        if found.fit_history["iteration"] >= _MOST_ROUNDS:
            raise EstimationError(
                f"iterated weights do not converge in {_MOST_ROUNDS} rounds; raise the threshold.", rounds=_MOST_ROUNDS
            )
        return np.asarray(found.params[1:] * size / unit)
