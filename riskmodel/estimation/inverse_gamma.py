"""The distribution of variances over assets, as a prior of those that are little known."""

from __future__ import annotations

from typing import Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array

# Variances that differ by less than this share of their mean are alike.
_ALIKE = 1e-12


@final
@frozen
class InverseGamma:
    r"""Variances of inverse gamma distribution over assets, whose posterior is inverse gamma too.

    With :math:`\sigma^2 \sim IG(a, b)` and d squares of normal deviations of sum S, the posterior is
    :math:`IG(a + d/2, b + S/2)` ([1]_, section 2.6), of mean :math:`(b + S/2) / (a + d/2 - 1)`.

    Parameters
    ----------
    shape : float
        a, above 2; infinite where all assets have one variance.
    mean : float
        b / (a - 1), the mean of the distribution.

    References
    ----------
    .. [1] Gelman, A., Carlin, J. B., Stern, H. S., Dunson, D. B., Vehtari, A. and Rubin, D. B. (2013). *Bayesian Data
       Analysis*, 3rd edition. Chapman and Hall.
    """

    shape: float
    mean: float

    @classmethod
    def of(cls, variances: Array, degrees: Array) -> Self:
        """Fit it to sample variances by moments.

        A sample variance s² of d degrees of freedom has E s⁴ = σ⁴ (1 + 2/d) under normality, so its noise is not taken
        for differences between assets.

        Parameters
        ----------
        variances : array, shape (N,)
            Return².
        degrees : array, shape (N,)
            Degrees of freedom of each, positive.
        """
        mean = float(variances.mean())
        spread = float((variances**2 * degrees / (degrees + 2.0)).mean()) - mean**2
        return cls(2.0 + mean**2 / spread if spread > _ALIKE * mean**2 else np.inf, mean)

    def posterior_mean(self, squares: Array | float, degrees: Array | float) -> Array:
        """The mean of the posterior, given sums of squares of some degrees of freedom."""
        if np.isinf(self.shape):
            return np.full(np.shape(squares), self.mean)
        own = self.shape - 1.0
        return np.asarray((own * self.mean + np.divide(squares, 2.0)) / (own + np.divide(degrees, 2.0)))
