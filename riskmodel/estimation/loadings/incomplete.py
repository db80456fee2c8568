"""Principal components of a panel with missing returns, by least squares over what is there."""

from __future__ import annotations

from typing import Self, final

import numpy as np
from attrs import evolve, frozen

from riskmodel._core.arrays import Array, Flags, Index
from riskmodel.errors import EstimationError
from riskmodel.estimation.loadings.eigen import principal_directions

# Fitted values have converged when a round changes them by less than this share of their size.
_TOLERANCE = 1e-6
# Each of four rounds.
_CYCLES = 500


@final
@frozen(eq=False)
class IncompleteComponents:
    r"""Principal components of the returns that are there: the EM algorithm [1]_, with a small penalty.

    Minimises :math:`\sum_{it} w_t (z_{it} - a_i - b_i' f_t)^2 + \lambda (\sum_t w_t |f_t|^2 + \sum_i |b_i|^2)` over the
    returns that are there. Without the penalty there need be no minimum: a component of noise grows without bound on
    the dates on which many returns are missing. With it, the minimum is the mode under normal priors of f and b, where
    :math:`\lambda = \sigma^2 / s` for a residual variance σ² and a mean squared loading s² on factors of variance 1;
    both are estimated as the algorithm goes. On a complete panel the directions are those of principal components, and
    fitted values are shrunk by λ in each singular value [2]_.

    Factors given loadings and loadings given factors are each least squares; squared extrapolation speeds this up [3]_.

    Attributes
    ----------
    directions : array, shape (N, K)
        Orthonormal, the principal directions of the fitted values.
    fitted : array, shape (T, N)
        a + b f, on all dates.
    penalty : float
        λ.

    References
    ----------
    .. [1] Stock, J. H. and Watson, M. W. (2002). Macroeconomic Forecasting Using Diffusion Indexes. *Journal of
       Business & Economic Statistics* 20(2), 147-162.
    .. [2] Hastie, T., Mazumder, R., Lee, J. D. and Zadeh, R. (2015). Matrix Completion and Low-Rank SVD via Fast
       Alternating Least Squares. *Journal of Machine Learning Research* 16, 3367-3402.
    .. [3] Varadhan, R. and Roland, C. (2008). Simple and Globally Convergent Methods for Accelerating the Convergence
       of Any EM Algorithm. *Scandinavian Journal of Statistics* 35(2), 335-353.
    """

    directions: Array
    fitted: Array
    penalty: float

    @classmethod
    def of(cls, z: Array, weights: Array, k: int) -> Self:
        """Find K components of a panel, shape (T, N), with NaN where a return is missing.

        Raises
        ------
        EstimationError
            If the fitted values do not converge.
        """
        problem = _LeastSquares.of(z, weights)
        root = np.sqrt(weights)[:, None]
        values, v = principal_directions(root * problem.x, k)
        loadings = np.column_stack([np.zeros(len(v)), v * np.sqrt(np.sqrt(values))])
        penalty = 0.0
        for _ in range(_CYCLES):
            penalty, last = problem.penalty(loadings, penalty), penalty
            one, _ = problem.step(loadings, penalty)
            two, factors = problem.step(one, penalty)
            settled = abs(penalty - last) <= _TOLERANCE * penalty
            if settled and problem.distance((two, factors), problem.step(two, penalty)) <= _TOLERANCE:
                return cls(_directions(root * factors, two[:, 1:]), _fitted(two, factors), penalty)
            far, beyond = problem.step(_extrapolate(loadings, one, two), penalty)
            better = problem.loss(far, beyond, penalty) < problem.loss(two, factors, penalty)
            loadings = far if better else two
        raise EstimationError(
            f"expected components that converge within {4 * _CYCLES:,} rounds, got ones that do not on a panel of "
            f"which {np.isnan(z).mean():.0%} is missing; use fewer, or leave out assets of short history.",
            rounds=4 * _CYCLES,
        )


@final
@frozen(eq=False)
class _Patterns:
    """The P different rows of a mask, shape (P, M), and which is each row's: assets of one listing date share one."""

    mask: Array
    at: Index

    @classmethod
    def of(cls, observed: Flags) -> Self:
        _, first, at = np.unique(np.packbits(observed, axis=1), axis=0, return_index=True, return_inverse=True)
        return cls(observed[first].astype(np.float64), at.ravel())

    def solve(self, design: Array, ridge: Array, sides: Array) -> Array:
        """(Σ m d d' + R)⁻¹ y for each row y of sides, shape (rows, K)."""
        k = design.shape[1]
        products = (design[:, :, None] * design[:, None, :]).reshape(len(design), k * k)
        inverses = np.linalg.inv((self.mask @ products).reshape(len(self.mask), k, k) + ridge)
        return np.asarray(np.einsum("rij,rj->ri", inverses[self.at], sides))


@final
@frozen(eq=False)
class _LeastSquares:
    """Penalised least squares of returns x, zero where the mask is 0, on factors; L = (intercept, loadings)."""

    x: Array
    mask: Array
    weights: Array
    dates: _Patterns
    assets: _Patterns

    @classmethod
    def of(cls, z: Array, weights: Array) -> Self:
        observed = ~np.isnan(z)
        by_date, by_asset = _Patterns.of(observed), _Patterns.of(observed.T)
        by_asset = evolve(by_asset, mask=by_asset.mask * weights)
        return cls(np.where(observed, z, 0.0), observed.astype(np.float64), weights, by_date, by_asset)

    def penalty(self, loadings: Array, last: float) -> float:
        """σ²/s at some loadings, whose factors are those of the last penalty."""
        factors = self.factors(loadings, last)
        total = float(self.weights @ self.mask.sum(axis=1))
        variance = self.weights @ factors**2 / self.weights.sum()
        spread = float(np.sqrt((loadings[:, 1:] ** 2 * variance).mean()))
        return self.squares(loadings, factors) / total / spread

    def factors(self, loadings: Array, penalty: float) -> Array:
        """Factors of each date given L, over the assets that have a return there."""
        intercept, b = loadings[:, 0], loadings[:, 1:]
        ridge = penalty * np.eye(b.shape[1])
        return self.dates.solve(b, ridge, self.x @ b - self.mask @ (intercept[:, None] * b))

    def step(self, loadings: Array, penalty: float) -> tuple[Array, Array]:
        """Factors of each date given L, shape (T, K), and L of each asset given these, shape (N, K + 1)."""
        factors = self.factors(loadings, penalty)
        design = np.column_stack([np.ones(len(factors)), factors])
        ridge = penalty * np.eye(design.shape[1])
        ridge[0, 0] = 0.0
        return self.assets.solve(design, ridge, self.x.T @ (self.weights[:, None] * design)), factors

    def squares(self, loadings: Array, factors: Array) -> float:
        """Weighted sum of squared residuals."""
        residuals = self.x - self.mask * _fitted(loadings, factors)
        return float(self.weights @ np.einsum("ti,ti->t", residuals, residuals))

    def loss(self, loadings: Array, factors: Array, penalty: float) -> float:
        size = float(self.weights @ (factors**2).sum(axis=1) + (loadings[:, 1:] ** 2).sum())
        return self.squares(loadings, factors) + penalty * size

    def distance(self, one: tuple[Array, Array], other: tuple[Array, Array]) -> float:
        """The size of the difference of two sets of fitted values, relative to the first."""
        fitted = _fitted(*one)
        return float(np.linalg.norm(_fitted(*other) - fitted) / np.linalg.norm(fitted))


def _fitted(loadings: Array, factors: Array) -> Array:
    return np.asarray(factors @ loadings[:, 1:].T + loadings[:, 0])


def _extrapolate(start: Array, one: Array, two: Array) -> Array:
    """Where two steps lead to, if those after them shrink alike: the third scheme of Varadhan and Roland (2008)."""
    step = one - start
    curvature = (two - one) - step
    length = -max(1.0, float(np.linalg.norm(step) / max(np.linalg.norm(curvature), np.finfo(float).tiny)))
    return np.asarray(start - 2 * length * step + length**2 * curvature)


def _directions(factors: Array, loadings: Array) -> Array:
    """The right singular vectors of F B', shape (N, K)."""
    q, r = np.linalg.qr(loadings)
    _, _, turned = np.linalg.svd(np.linalg.qr(factors, mode="r") @ r.T)
    return np.asarray(q @ turned.T)
