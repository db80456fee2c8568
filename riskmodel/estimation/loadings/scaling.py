"""The units in which components of returns are found."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

import numpy as np
from attrs import frozen

from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array
from riskmodel._core.listing import Abstract
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.weighting import weighted_mean

# A volatility below this share of an asset's largest return is rounding.
_STILL = 1e-12


def require_returns(returns: Any, weights: Any) -> None:
    """Raise unless these are arrays of shapes (T, N) and (T,)."""
    require(returns, np.ndarray, "returns", "of shape (T, N)")
    require(weights, np.ndarray, "weights", "of shape (T,)")
    if (
        returns.ndim != 2
        or weights.shape != returns.shape[:1]
        or {returns.dtype, weights.dtype} != {np.dtype(np.float64)}
    ):
        raise InvalidParameterError(
            f"expected returns of shape (T, N) and weights of shape (T,), got {returns.shape} and {weights.shape}.",
            parameter="returns",
        )


class Scaling(Abstract):
    """By what returns are divided before their components are found. Subclass it and write `scales`.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> class Range(rm.Scaling):
    ...     def scales(self, returns, weights):
    ...         return np.nanmax(returns, axis=0) - np.nanmin(returns, axis=0)
    >>> panel = rm.SampleData().panel(["KO", "PEP", "AMD"], [])
    >>> parts = rm.PrincipalComponents(1, scaling=Range()), rm.SampleCovariance(), rm.SampleVariance()
    >>> rm.Assembled(*parts).fit(panel).loadings["PC1"].round(2).to_dict()
    {'KO': 1.05, 'PEP': 0.88, 'AMD': 1.31}
    """

    @abstractmethod
    def scales(self, returns: Array, weights: Array) -> Array:
        """Return positive scales, in decimals like the returns.

        Parameters
        ----------
        returns : array, shape (T, N)
            Excess returns; NaN where missing.
        weights : array, shape (T,)
            Weight of each date.

        Returns
        -------
        array, shape (N,) or (T, N)
            By asset, or by date and asset.
        """


@final
@frozen
class OwnVolatility(Scaling):
    """Each asset by its volatility: components of the correlation matrix, in which no volatile asset dominates.

    An asset that does not vary stays as it is.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "PEP", "AMD"], [])
    >>> parts = rm.PrincipalComponents(1, scaling=rm.OwnVolatility()), rm.SampleCovariance(), rm.SampleVariance()
    >>> rm.Assembled(*parts).fit(panel).loadings.round(2)
          PC1
    KO   0.99
    PEP  0.94
    AMD  1.49
    """

    def scales(self, returns: Array, weights: Array) -> Array:
        """Return the weighted volatility of each asset over its own dates, shape (N,)."""
        require_returns(returns, weights)
        deviations = returns - weighted_mean(returns, weights)
        volatilities = np.sqrt(weighted_mean(deviations**2, weights))
        sizes = np.fmax.reduce(np.abs(returns), axis=0)
        return np.asarray(np.where(volatilities > _STILL * sizes, volatilities, 1.0))


@final
@frozen
class Unscaled(Scaling):
    """Returns as they are: components of the covariance matrix.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "PEP", "AMD"], [])
    >>> parts = rm.PrincipalComponents(1, scaling=rm.Unscaled()), rm.SampleCovariance(), rm.SampleVariance()
    >>> rm.Assembled(*parts).fit(panel).loadings.round(2)
          PC1
    KO   0.06
    PEP  0.06
    AMD  1.10
    """

    def scales(self, returns: Array, weights: Array) -> Array:
        """Return ones, shape (N,)."""
        require_returns(returns, weights)
        return np.ones(returns.shape[1])
