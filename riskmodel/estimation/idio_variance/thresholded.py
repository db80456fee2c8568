"""Residual correlations that pass a threshold: the POET estimator."""

from __future__ import annotations

from typing import final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen
from scipy.sparse.csgraph import connected_components

from riskmodel._core.arrays import Array
from riskmodel.errors import EstimationError, InvalidParameterError, TooLargeError
from riskmodel.estimation.idio_variance.base import IdioVarianceEstimator, read_residuals
from riskmodel.estimation.idio_variance.risk import IdioRisk
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.weighting import require_instance, require_positive
from riskmodel.model.covariance import DENSE_LIMIT

# An eigenvalue below this share of the largest is rounding.
_ROUNDING = 1e-12


@final
@frozen
class Thresholded(IdioVarianceEstimator):
    r"""Principal orthogonal complement thresholding (POET): residual covariances shrunk by a threshold, most to zero.

    A residual covariance :math:`s_{ij}` becomes :math:`\operatorname{sign}(s_{ij}) (|s_{ij}| - \tau_{ij})_+` with
    :math:`\tau_{ij} = C \omega \sqrt{\theta_{ij}}`, :math:`\theta_{ij}` the variance of the products
    :math:`\varepsilon_{it} \varepsilon_{jt}` and :math:`\omega = 1/\sqrt N + \sqrt{\ln N / T}` ([1]_, sections 2 and
    3). Here it is a correlation that is shrunk, by :math:`\tau_{ij} / \sqrt{s_{ii} s_{jj}}`, so that variances are
    those of `inner`; with `SampleVariance` and the components of returns as they are, it is the paper's estimator. Each
    pair has the dates on which both have a residual.

    The result is sparse, and low rank plus diagonal too: assets fall into groups without correlations between them, and
    a group of n with correlations R and the smallest eigenvalue λ of R has links of :math:`R - \lambda I`, of rank n -
    1 at most. So a group of two has one link. A threshold that joins all assets makes N - 1 links, and saves nothing.

    Put it outside of other wrappers.

    Parameters
    ----------
    inner : IdioVarianceEstimator
        What estimates the variances.
    constant : float
        C. The larger, the fewer links.

    References
    ----------
    .. [1] Fan, J., Liao, Y. and Mincheva, M. (2013). Large Covariance Estimation by Thresholding Principal Orthogonal
       Complements. *Journal of the Royal Statistical Society B* 75(4), 603-680.

    Examples
    --------
    >>> import riskmodel as rm
    >>> names = ["KO", "PEP", "XOM", "CVX", "JPM", "BAC"]
    >>> panel = rm.SampleData().panel(names, ["Mkt-RF"], start="2016-01-01")
    >>> estimator = rm.Assembled(
    ...     rm.TimeSeries(rm.OLS()), rm.SampleCovariance(), rm.Thresholded(rm.SampleVariance(), 0.5)
    ... )
    >>> estimator.fit(panel).links.shape[1]  # drinks, oil, banks
    3
    """

    inner: IdioVarianceEstimator = field(validator=require_instance(IdioVarianceEstimator, "rm.SampleVariance()"))
    constant: float = field(default=0.5, validator=require_positive)

    def fit(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> IdioRisk:
        """Estimate variances with `inner`, and correlations that pass the threshold.

        Raises
        ------
        EstimationError
            If the thresholded correlations are no correlation matrix: a larger constant makes them one.
        InvalidParameterError
            If `inner` links residuals itself.
        TooLargeError
            For more than 5,000 assets: the correlations are a dense matrix.
        """
        residuals = read_residuals(residuals, loadings)
        n = residuals.shape[1]
        if n > DENSE_LIMIT:
            raise TooLargeError(
                f"expected at most {DENSE_LIMIT:,} assets, whose correlations are a dense matrix, got {n:,}; omit "
                "Thresholded.",
                assets=n,
                limit=DENSE_LIMIT,
            )
        risk = self.inner.fit(residuals, loadings)
        if risk.links.shape[1]:
            raise InvalidParameterError(
                f"expected variances without links of {self.inner!r}, got {risk.links.shape[1]} links; use one of them."
            )
        correlations = _thresholded(residuals.to_numpy(), self.constant)
        links = self._links(correlations) * np.sqrt(risk.variance.to_numpy())[:, None]
        return evolve(risk, links=links)

    def _links(self, correlations: Array) -> Array:
        """C with C C' + λ I for each group of correlated assets, shape (N, J)."""
        count, group = connected_components(correlations != 0, directed=False)
        columns = [np.zeros((len(correlations), 0))]
        for members in (np.flatnonzero(group == g) for g in range(count)):
            if len(members) == 1:
                continue
            values, vectors = np.linalg.eigh(correlations[np.ix_(members, members)])
            if values[0] < -_ROUNDING * values[-1]:
                raise EstimationError(
                    f"expected thresholded correlations that are positive semidefinite, got the eigenvalue "
                    f"{values[0]:.3g}; raise the constant above {self.constant:g}.",
                    eigenvalue=float(values[0]),
                )
            above = np.maximum(values - max(values[0], 0.0), 0.0)
            kept = above > _ROUNDING * values[-1]
            part = np.zeros((len(correlations), int(kept.sum())))
            part[members] = vectors[:, kept] * np.sqrt(above[kept])
            columns.append(part)
        return np.concatenate(columns, axis=1)


def _thresholded(residuals: Array, constant: float) -> Array:
    """Correlations of residuals, shape (N, N), shrunk by the threshold; 1 on the diagonal."""
    there = ~np.isnan(residuals)
    observed = there.astype(np.float64)
    counts = observed.sum(axis=0)
    mean = np.nansum(residuals, axis=0) / counts
    x = np.where(there, residuals - mean, 0.0)
    size = np.sqrt((x * x).sum(axis=0) / counts)
    x = np.divide(x, size, out=np.zeros_like(x), where=size > 0)
    together = np.maximum(observed.T @ observed, 1.0)
    correlations = x.T @ x / together
    squares = x * x
    spread = np.sqrt(np.maximum(squares.T @ squares / together - correlations**2, 0.0))
    n = len(correlations)
    rate = 1.0 / np.sqrt(n) + np.sqrt(np.log(n) / together)
    shrunk = np.sign(correlations) * np.maximum(np.abs(correlations) - constant * rate * spread, 0.0)
    np.fill_diagonal(shrunk, 1.0)
    return np.asarray(shrunk)
