"""Quadratic-inverse shrinkage of a covariance."""

from __future__ import annotations

from typing import final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel.estimation.factor_covariance.base import FactorCovarianceEstimator, as_covariance, read_factor_returns
from riskmodel.horizon import Horizon

# An eigenvalue below this share of the largest is zero.
_NONE = 1e-14


@final
@frozen
class QIS(FactorCovarianceEstimator):
    r"""Quadratic-inverse shrinkage: sample eigenvectors, eigenvalues shrunk non-linearly [1]_.

    For n = T - 1 rows after the mean, c = K / n and sample eigenvalues :math:`\lambda_j`, inverse eigenvalues are
    smoothed by :math:`\theta_i = \frac1K \sum_j \lambda_j^{-1} \frac{\lambda_j^{-1} - \lambda_i^{-1}} {(\lambda_j^{-1}
    - \lambda_i^{-1})^2 + h^2 \lambda_j^{-2}}` and its conjugate, with :math:`h = K^{-0.35} \min(c^2, c^{-2})^{0.35}`,
    and the shrunk ones are :math:`\left[ (1-c)^2 \lambda_i^{-1} + 2c(1-c) \lambda_i^{-1} \theta_i + c^2 \lambda_i^{-1}
    A_i^2 \right]^{-1}`, where A² is the squared amplitude of the two ([1]_, section 4); more factors than rows have a
    formula of their own there. The trace is kept. For few factors and many rows it is nearly the sample covariance; it
    is for tens of factors or more.

    References
    ----------
    .. [1] Ledoit, O. and Wolf, M. (2022). Quadratic Shrinkage for Large Covariance Matrices. *Bernoulli* 28(3),
       1519-1547.

    Examples
    --------
    >>> import numpy as np, pandas as pd, riskmodel as rm
    >>> rng = np.random.default_rng(0)
    >>> noise = pd.DataFrame(rng.normal(size=(250, 60)), pd.bdate_range("2018-01-01", periods=250))
    >>> shrunk, sample = (np.linalg.eigvalsh(e.fit(noise, rm.DAY)) for e in (rm.QIS(), rm.SampleCovariance()))
    >>> bool(shrunk[-1] / shrunk[0] < 2), bool(sample[-1] / sample[0] > 5)
    (True, True)
    """

    def fit(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """Return the shrunk covariance, factors × factors, return² per `horizon`."""
        x = read_factor_returns(factor_returns, horizon)
        n, k = len(x) - 1, x.shape[1]
        x = x - x.mean(axis=0)
        values, vectors = np.linalg.eigh(x.T @ x / n)
        known = values[max(k - n, 0) :]
        if not known[-1:].sum() > 0 or known[0] <= _NONE * known[-1]:
            return as_covariance(x.T @ x / n, factor_returns)
        shrunk = _shrunk(known, k, n)
        return as_covariance((vectors * (shrunk * (values.sum() / shrunk.sum()))) @ vectors.T, factor_returns)


def _shrunk(values: Array, k: int, n: int) -> Array:
    """Shrunk eigenvalues, shape (K,), from those that are not zero, shape (min(K, n),), before the trace is kept."""
    c = k / n
    width = min(c**2, 1 / c**2) ** 0.35 / k**0.35
    inverse = 1.0 / values
    # of column j from row i
    apart = inverse[None, :] - inverse[:, None]
    size = apart**2 + (width * inverse[None, :]) ** 2
    smooth = (inverse[None, :] * apart / size).mean(axis=1)
    conjugate = (inverse[None, :] * width * inverse[None, :] / size).mean(axis=1)
    amplitude = smooth**2 + conjugate**2
    if k <= n:
        return np.asarray(
            1 / ((1 - c) ** 2 * inverse + 2 * c * (1 - c) * inverse * smooth + c**2 * inverse * amplitude)
        )
    null = np.full(k - n, 1 / ((c - 1) * inverse.mean()))
    return np.concatenate([null, 1 / (inverse * amplitude)])
