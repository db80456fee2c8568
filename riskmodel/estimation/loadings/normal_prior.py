"""The distribution of alphas and loadings over assets, as a prior of those with short histories."""

from __future__ import annotations

from typing import Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel.estimation.inverse_gamma import InverseGamma

# θ and σ² have settled when a turn changes σ² by less than this share.
_SETTLED = 1e-10
_MOST_TURNS = 100


@final
@frozen(eq=False)
class NormalPrior:
    r"""Parameters :math:`\theta = (\alpha, \beta)` of normal distribution over assets.

    Given :math:`r_t = x_t^\top \theta + \varepsilon_t` with :math:`\varepsilon_t \sim N(0, \sigma^2 / w_t)` and
    :math:`\theta \sim N(m, S)`, the mean of the posterior is :math:`m + (\sigma^2 I + S X^\top W X)^{-1} S X^\top W
    (r - X m)`; in this form S may be singular.

    Attributes
    ----------
    mean : array, shape (K + 1,)
        m: alpha, then the loadings.
    covariance : array, shape (K + 1, K + 1)
        S.
    variance : InverseGamma
        Of the residuals.
    """

    mean: Array
    covariance: Array
    variance: InverseGamma

    @classmethod
    def of(cls, parameters: Array, variances: Array, degrees: Array) -> Self:
        """Fit it to the parameters, shape (N, K + 1), and residual variances, shape (N,), of 2 assets or more."""
        covariance = np.atleast_2d(np.cov(parameters, rowvar=False))
        return cls(parameters.mean(axis=0), covariance, InverseGamma.of(variances, degrees))

    def posterior_mean(self, returns: Array, design: Array, weights: Array) -> Array:
        """The mean of the posterior, shape (K + 1,).

        σ² is the posterior mean given θ; the two are found in turns.

        Parameters
        ----------
        returns : array, shape (n,)
            None missing; n may be 0.
        design : array, shape (n, K + 1)
            Ones, and factor returns.
        weights : array, shape (n,)
            Of the dates.
        """
        surprise = returns - design @ self.mean
        # in units of the prior, so that alphas and loadings are of one size
        unit = np.sqrt(np.diag(self.covariance))
        inverse = np.divide(1.0, unit, out=np.zeros_like(unit), where=unit > 0)
        x = design * unit
        weighed = (self.covariance * inverse * inverse[:, None]) @ (x.T * weights)
        gram, right = weighed @ x, weighed @ surprise
        variance = self.variance.mean
        for _ in range(_MOST_TURNS):
            # without residual risk and with few returns, the nearest to the prior mean that explains them
            change = np.linalg.lstsq(variance * np.eye(len(unit)) + gram, right, rcond=None)[0]
            last, squares = variance, weights @ (surprise - x @ change) ** 2
            variance = float(self.variance.posterior_mean(squares, weights.sum()))
            if abs(variance - last) <= _SETTLED * last:
                break
        return np.asarray(self.mean + unit * change)
