"""Gradients of figures in the parameters of single assets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, final

import numpy as np
from attrs import evolve, frozen

from riskmodel._core.arrays import Array
from riskmodel.inference.covariance.base import DateTerms
from riskmodel.inference.fitted import Fitted
from riskmodel.inference.gradient import Gradient
from riskmodel.model.model import FactorModel


@final
@frozen(eq=False)
class AssetGradient:
    """The derivatives of a figure by the parameters of N assets and of the factors.

    Attributes
    ----------
    coefficients : array, shape (N, K + 1)
        By each asset's alpha and loadings.
    factor_mean : array, shape (K,)
        By the mean of the factors.
    factor_covariance : array, shape (K, K)
        By their covariance, symmetric.
    idio : array, shape (N,)
        By each asset's idio variance.
    """

    coefficients: Array
    factor_mean: Array
    factor_covariance: Array
    idio: Array

    @classmethod
    def of_portfolio(cls, gradient: Gradient, weights: Array) -> Self:
        """A gradient by the parameters of a portfolio, with weights on the assets, shape (N,)."""
        slopes = np.append(gradient.alpha, gradient.exposures)
        return cls(
            np.outer(weights, slopes), gradient.factor_mean, gradient.factor_covariance, gradient.idio * weights**2
        )

    def plus(self, other: AssetGradient, times: float = 1.0) -> AssetGradient:
        """Add a multiple of another."""
        return AssetGradient(
            self.coefficients + times * other.coefficients,
            self.factor_mean + times * other.factor_mean,
            self.factor_covariance + times * other.factor_covariance,
            self.idio + times * other.idio,
        )

    def times(self, factor: float) -> AssetGradient:
        """Multiply by a number."""
        return self.plus(self, factor - 1.0)


def terms_of(gradients: Sequence[AssetGradient], fitted: Fitted, held: FactorModel, power: float) -> list[DateTerms]:
    """Return what each date adds to the errors of figures of some assets, with residuals over (1 - h)^power."""
    factors, f = fitted.of_factors, held._factor_covariance
    held, gradients = _by_regressions(gradients, fitted, held)
    by_date = np.array([factors.of_mean(g.factor_mean) + factors.of_covariance(g.factor_covariance) for g in gradients])
    sizes = np.array([float(g.factor_mean @ f @ g.factor_mean) * factors.share**2 for g in gradients])
    n = factors.n
    for group in fitted.groups(held, power):
        means = group.share @ group.squares
        n = min(n, group.n)
        for m, g in enumerate(gradients):
            slopes, of_idio = g.coefficients[group.columns], g.idio[group.columns]
            by_date[m] += ((group.lever @ slopes.T) * group.residuals).sum(axis=1)
            by_date[m] += group.share * (group.squares @ of_idio - means @ of_idio)
            sizes[m] += group.share**2 * float(slopes[:, 0] ** 2 @ means)
    amplitudes = [np.sqrt(size) if np.any(size) else factors.share for size in sizes]
    return [DateTerms(x[None], amplitude, n, len(f) + 1) for x, amplitude in zip(by_date, amplitudes, strict=True)]


def _by_regressions(
    gradients: Sequence[AssetGradient], fitted: Fitted, held: FactorModel
) -> tuple[FactorModel, Sequence[AssetGradient]]:
    """Return derivatives by the parameters of regressions, of which those of some assets are means."""
    stand_ins = fitted.stand_ins(held)
    if stand_ins is None:
        return held, gradients
    moved = []
    for g in gradients:
        coefficients = stand_ins.spread(g.coefficients)
        coefficients[:, 0] = stand_ins.of_alpha(g.coefficients[:, 0])
        moved.append(evolve(g, coefficients=coefficients, idio=stand_ins.spread(g.idio)))
    return stand_ins.regressed, moved
