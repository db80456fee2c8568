"""Covariance of factors by an estimator of scikit-learn."""

from __future__ import annotations

import copy
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core.arguments import require_method
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.factor_covariance.base import (
    FactorCovarianceEstimator,
    as_covariance,
    read_factor_returns,
)
from riskmodel.horizon import Horizon


def _can_fit(_: Shrunk, __: Any, estimator: Any) -> None:
    require_method(estimator, ["fit"], "estimator", "pass a covariance of scikit-learn, such as LedoitWolf()")


@final
@frozen(eq=False)
class Shrunk(FactorCovarianceEstimator):
    """The covariance of any object with scikit-learn's interface: ``fit(X)``, then ``covariance_`` [1]_.

    The object fits a copy of itself. Its figures are taken as they are: most of scikit-learn's divide by T, not T - 1,
    and many depend on the scale of the returns, such as the penalty of ``GraphicalLasso``.

    Parameters
    ----------
    estimator : object
        Such as ``sklearn.covariance.LedoitWolf()`` or ``OAS()``; scikit-learn is installed and imported by you.

    References
    ----------
    .. [1] Pedregosa, F. et al. (2011). Scikit-learn: Machine Learning in Python. *Journal of Machine Learning Research*
       12, 2825-2830.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from sklearn.covariance import LedoitWolf
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> parts = rm.TimeSeries(rm.OLS()), rm.Shrunk(LedoitWolf()), rm.SampleVariance()
    >>> rm.Assembled(*parts).fit(panel)
    <FactorModel 2 assets × 1 factors, per day>
    """

    estimator: Any = field(validator=_can_fit)

    def fit(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """Return the object's covariance, factors × factors, return² per `horizon`."""
        values = read_factor_returns(factor_returns, horizon)
        if not values.shape[1]:
            return as_covariance(np.zeros((0, 0)), factor_returns)
        fitted = copy.deepcopy(self.estimator).fit(values)
        matrix = np.asarray(getattr(fitted, "covariance_", None), dtype=np.float64)
        k = values.shape[1]
        if matrix.shape != (k, k):
            raise InvalidParameterError(
                f"expected covariance_ of shape {(k, k)} from {self.estimator!r}, got shape {matrix.shape}.",
                expected=(k, k),
                got=matrix.shape,
            )
        return as_covariance(matrix, factor_returns)
