"""Covariance of factors corrected for what optimisers find in its errors."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import Attribute, field, frozen

from riskmodel._core.arguments import require_finite
from riskmodel._core.arrays import Array
from riskmodel.errors import EstimationError, InvalidParameterError
from riskmodel.estimation.factor_covariance.base import (
    FactorCovarianceEstimator,
    as_covariance,
    read_factor_returns,
)
from riskmodel.estimation.weighting import require_at_least, require_instance
from riskmodel.horizon import Horizon

# Eigenvalues below this share of the largest are rounding.
_NO_VARIANCE = 1e-13


def _is_scale(_: EigenfactorAdjusted, attribute: Attribute[Any], value: Any) -> None:
    if require_finite(value, attribute.name) < 0:
        raise InvalidParameterError(
            f"expected {attribute.name} as a number of 0 or more, got {value!r}.", parameter=attribute.name, got=value
        )


@final
@frozen
class EigenfactorAdjusted(FactorCovarianceEstimator):
    r"""The variances of eigenfactors corrected by simulation: the smallest are estimated too low, the largest too high.

    With the covariance :math:`F_0 = U D_0 U'` of `inner`, M samples of T normal returns are drawn whose true covariance
    is :math:`F_0`. `inner` estimates each, :math:`F_m = U_m D_m U_m'`. Eigenfactor k has the bias

    .. math:: v(k) = \sqrt{\frac1M \sum_m \frac{(U_m' F_0 U_m)_{kk}}{(D_m)_{kk}}},

    and the result is :math:`U \, \mathrm{diag}(\gamma(k)^2 D_0(k)) \, U'` with
    :math:`\gamma(k) = a [v(k) - 1] + 1` ([1]_, section 2). The same samples are drawn at every fit.

    Put it outside of `RegimeAdjusted`, whose scale it leaves as it is: then the simulation is run once, not for each
    row.

    Parameters
    ----------
    inner : FactorCovarianceEstimator
        What is corrected.
    simulations : int
        M. The standard error of v(k) is about ``0.3 / sqrt(M)`` of itself.
    seed : int
        Of the random numbers.
    scale : float
        a: 1 for normal returns; the paper uses 1.4, because returns are not normal.

    References
    ----------
    .. [1] Menchero, J., Wang, J. and Orr, D. J. (2011). Eigen-Adjusted Covariance Matrices. *MSCI Research Insight*;
       Improving Risk Forecasts for Optimized Portfolios. *Financial Analysts Journal* 68(3), 40-50 (2012).

    Examples
    --------
    >>> import numpy as np, riskmodel as rm
    >>> factors = rm.SampleData(rm.MONTH).factor_returns(["Mkt-RF", "SMB", "HML", "Mom"], start="2015-01")
    >>> inner = rm.SampleCovariance()
    >>> adjusted = rm.EigenfactorAdjusted(inner, simulations=50).fit(factors, rm.MONTH)
    >>> bool(np.linalg.eigvalsh(adjusted)[0] > np.linalg.eigvalsh(inner.fit(factors, rm.MONTH))[0])
    True
    """

    inner: FactorCovarianceEstimator = field(
        validator=require_instance(FactorCovarianceEstimator, "rm.SampleCovariance()")
    )
    simulations: int = field(default=200, validator=require_at_least(1))
    seed: int = field(default=0, validator=require_at_least(0))
    scale: float = field(default=1.4, validator=_is_scale)

    def fit(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """Return the corrected covariance, factors × factors, return² per `horizon`.

        Raises
        ------
        EstimationError
            If the covariance of `inner` is singular, as with fewer rows than factors.
        """
        read_factor_returns(factor_returns, horizon)
        covariance = self.inner.fit(factor_returns, horizon)
        if covariance.empty:
            return covariance
        values, vectors = _eigen(covariance.to_numpy())
        gamma = self.scale * (self._bias(values, vectors, factor_returns, horizon) - 1.0) + 1.0
        return as_covariance(vectors * (gamma**2 * values) @ vectors.T, factor_returns)

    def _bias(self, values: Array, vectors: Array, factor_returns: pd.DataFrame, horizon: Horizon) -> Array:
        """v(k), in the order of the eigenvalues."""
        draws = np.random.default_rng(self.seed)
        true, root = vectors * values @ vectors.T, vectors * np.sqrt(values)
        ratios = np.zeros(len(values))
        for _ in range(self.simulations):
            sample = draws.standard_normal(factor_returns.shape) @ root.T
            frame = pd.DataFrame(sample, factor_returns.index, factor_returns.columns)
            estimated, turned = _eigen(self.inner.fit(frame, horizon).to_numpy())
            ratios += np.einsum("ik,ij,jk->k", turned, true, turned) / estimated
        return np.asarray(np.sqrt(ratios / self.simulations))


def _eigen(matrix: Array) -> tuple[Array, Array]:
    """Eigenvalues, increasing, and eigenvectors, whose signs do not matter."""
    values, vectors = np.linalg.eigh(matrix)
    if not values[0] > _NO_VARIANCE * values[-1]:
        raise EstimationError(
            f"expected a covariance of full rank, got the smallest eigenvalue {values[0]:.3g} beside {values[-1]:.3g}; "
            "use more rows than factors, or fewer factors.",
            eigenvalues=values,
        )
    return values, vectors
