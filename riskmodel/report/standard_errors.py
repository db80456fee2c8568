"""Standard errors of a portfolio's alpha and exposures in closed form: no regression is run."""

from __future__ import annotations

from typing import Self, final

import numpy as np
from attrs import frozen
from scipy import linalg

from riskmodel._core.arrays import Array
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel

# How near the errors of a regression on the panel must be to the model's own, relative to these.
_SAME_FIT = 1e-6
# Residuals this small beside the returns are rounding error.
_ROUNDING = 1e-9


def of_portfolio(model: FactorModel, weights: Array, panel: ReturnPanel) -> Array | None:
    r"""Return the standard errors of regressing a portfolio's own return, shape (K + 1,), or None.

    :math:`\widehat{Var}(b_p) = s_p^2 (X^\top W X)^{-1}`, where :math:`s_p^2` is the unbiased residual variance of the
    portfolio and W holds the weights of the dates, 1 each in least squares. It holds where all assets have the same
    dates, as the residuals of the portfolio are then the weighted sum of theirs.

    Parameters
    ----------
    model : FactorModel
        Of the assets held.
    weights : array, shape (N,)
        In the order of the model.
    panel : ReturnPanel
        With the assets and what the factors are made of.

    Returns
    -------
    array or None
        Of alpha and the exposures. None where the model has no regression, where assets have different dates, or
        where the model was estimated on something other than this panel.
    """
    fit = model.regression
    if fit is None:
        return None
    if len(weights) == 1:
        return np.asarray(abs(weights[0]) * fit._std_errors[0])
    residuals = model.residuals(panel).to_numpy()
    present = ~np.isnan(residuals)
    rows = present.all(axis=1)
    design = _Design.of(panel.returns_of(model.definitions)[rows], fit.decay_factor ** _ages(rows))
    if design is None or not np.array_equal(rows, present.any(axis=1)):
        return None
    errors = design.std_errors(residuals[rows])
    rounding = _ROUNDING * np.sqrt(fit._total_variance)[:, None] * design.unit_errors
    if not (np.abs(errors - fit._std_errors) <= _SAME_FIT * fit._std_errors + rounding).all():
        return None
    return np.asarray(design.std_errors(residuals[rows] @ weights[:, None])[0])


def _ages(rows: Array) -> Array:
    """How many dates each of the chosen dates was before the last of them, whose weight is one."""
    chosen = np.flatnonzero(rows)
    return np.asarray(chosen.max(initial=0) - chosen, dtype=np.float64)


@final
@frozen(eq=False)
class _Design:
    """Weighted regressions on an intercept and the factors."""

    date_weights: Array  # (T,)
    unit_errors: Array  # (K + 1,): standard errors where the residual variance is 1
    n_free: float  # effective number of dates less that of parameters

    @classmethod
    def of(cls, factors: Array, date_weights: Array) -> Self | None:
        """Read the factors, T × K; None where they do not identify the coefficients."""
        x = np.column_stack([np.ones(len(factors)), factors])
        n = date_weights.sum() ** 2 / (date_weights @ date_weights) if len(x) else 0.0
        if n <= x.shape[1] or len(x) <= x.shape[1]:
            return None
        r = np.linalg.qr(np.sqrt(date_weights)[:, None] * x, mode="r")
        if (np.abs(np.diag(r)) <= np.finfo(float).eps * np.linalg.norm(r, axis=0)).any():
            return None
        inverse = linalg.solve_triangular(r, np.eye(len(r)))
        return cls(date_weights, np.linalg.norm(inverse, axis=1), float(n) - x.shape[1])

    def std_errors(self, residuals: Array) -> Array:
        """Standard errors from residuals, T × M, shape (M, K + 1)."""
        variance = self.date_weights @ residuals**2 / self.n_free
        return np.asarray(np.outer(np.sqrt(variance), self.unit_errors))
