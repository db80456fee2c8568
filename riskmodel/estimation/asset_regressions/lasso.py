"""Lasso regressions."""

from __future__ import annotations

from typing import final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel.errors import MissingExtraError
from riskmodel.estimation.asset_regressions.penalised import Penalised

_TOLERANCE, _MOST_ROUNDS = 1e-8, 100_000


@final
@frozen(kw_only=True)
class Lasso(Penalised):
    r"""Lasso regressions [1]_: loadings shrunk towards zero, and many exactly zero.

    In standard units, returns and factors of variance 1: :math:`\min \tfrac12 \operatorname{mean}(y - x^\top \beta)^2 +
    \lambda \sum_k |\beta_k|`. A penalty of the largest correlation of the return with a factor, or more, leaves no
    loading. By ``sklearn.linear_model.lasso_path``, so scikit-learn must be installed: the extra ``sklearn``.

    Parameters
    ----------
    penalty : float or CrossValidated
        λ, dimensionless, or how each asset's is chosen. 0 is least squares.
    half_life : Horizon, optional
        Dates are weighted exponentially, with this half-life in trading days; by default equally.

    References
    ----------
    .. [1] Tibshirani, R. (1996). Regression Shrinkage and Selection via the Lasso. *Journal of the Royal Statistical
       Society B* 58(1), 267-288.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils"], ["Mkt-RF", "SMB", "HML"])
    >>> rm.TimeSeries(rm.Lasso(penalty=0.2)).fit(panel).loadings.round(2)
           Mkt-RF  SMB   HML
    BusEq    0.94  0.0 -0.19
    Utils    0.36 -0.0  0.00
    """

    def path(self, x: Array, y: Array, penalties: Array) -> Array:
        """Solve for all penalties, from the largest down.

        Raises
        ------
        MissingExtraError
            If scikit-learn is not installed.
        """
        try:
            from sklearn.linear_model import lasso_path  # noqa: PLC0415 - optional, and used only here
        except ImportError as error:
            raise MissingExtraError.of("rm.Lasso", "scikit-learn", "sklearn") from error
        # scikit-learn takes means over rows
        rows = np.sqrt(len(y))
        _, found, _ = lasso_path(rows * x, rows * y, alphas=penalties, tol=_TOLERANCE, max_iter=_MOST_ROUNDS)
        return np.asarray(found.T)
