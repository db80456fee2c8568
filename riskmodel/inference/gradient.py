"""Gradients of figures in a portfolio's parameters."""

from __future__ import annotations

from typing import Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array


@final
@frozen(eq=False)
class Gradient:
    """The derivatives of a figure.

    Attributes
    ----------
    alpha, idio : float
        By the portfolio's alpha, and by its idio variance.
    exposures, factor_mean : array, shape (K,)
        By its exposures, and by the mean of the factors.
    factor_covariance : array, shape (K, K)
        By the covariance of the factors, symmetric.
    residual : float
        By the variance of the portfolio's own residuals, in which those of its assets may be correlated.
    """

    alpha: float
    exposures: Array
    factor_mean: Array
    factor_covariance: Array
    idio: float
    residual: float = 0.0

    @classmethod
    def zero(cls, k: int) -> Self:
        """The gradient of a constant."""
        return cls(0.0, np.zeros(k), np.zeros(k), np.zeros((k, k)), 0.0)

    def plus(self, other: Gradient, times: float = 1.0) -> Gradient:
        """Add a multiple of another."""
        return Gradient(
            self.alpha + times * other.alpha,
            self.exposures + times * other.exposures,
            self.factor_mean + times * other.factor_mean,
            self.factor_covariance + times * other.factor_covariance,
            self.idio + times * other.idio,
            self.residual + times * other.residual,
        )

    def times(self, factor: float) -> Gradient:
        """Multiply by a number."""
        return Gradient.zero(len(self.exposures)).plus(self, factor)
