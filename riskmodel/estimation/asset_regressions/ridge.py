"""Ridge regressions."""

from __future__ import annotations

from typing import final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel.estimation.asset_regressions.penalised import Penalised


@final
@frozen(kw_only=True)
class Ridge(Penalised):
    r"""Ridge regressions [1]_: loadings shrunk towards zero, those on collinear factors towards each other.

    In standard units, returns and factors of variance 1, with the factors' correlation matrix C and their correlations
    c with the return: :math:`\beta = (C + \lambda I)^{-1} c`. ``Ridge`` of scikit-learn minimises the sum of squares,
    not their mean, so its ``alpha`` is λ times the number of dates.

    Parameters
    ----------
    penalty : float or CrossValidated
        λ, dimensionless, or how each asset's is chosen. 0 is least squares.
    half_life : Horizon, optional
        Dates are weighted exponentially, with this half-life in trading days; by default equally.

    References
    ----------
    .. [1] Hoerl, A. E. and Kennard, R. W. (1970). Ridge Regression: Biased Estimation for Nonorthogonal Problems.
       *Technometrics* 12(1), 55-67.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils"], ["Mkt-RF", "HML"])
    >>> rm.TimeSeries(rm.Ridge(penalty=0.1)).fit(panel).loadings.round(2)
           Mkt-RF   HML
    BusEq    1.08 -0.55
    Utils    0.52  0.24
    """

    def path(self, x: Array, y: Array, penalties: Array) -> Array:
        """Solve for all penalties at once."""
        values, vectors = np.linalg.eigh(x.T @ x)
        turned = vectors.T @ (x.T @ y) / (np.maximum(values, 0.0) + penalties[:, None])
        return np.asarray(turned @ vectors.T)
