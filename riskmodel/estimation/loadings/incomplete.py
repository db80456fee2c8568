"""Principal components of a panel with missing returns, by least squares over what is there."""

from __future__ import annotations

from typing import Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel.errors import EstimationError
from riskmodel.estimation.loadings.eigen import principal_directions

# Fitted values have converged when a round changes them by less than this share of their size.
_TOLERANCE = 1e-7
_ROUNDS = 2_000


@final
@frozen(eq=False)
class IncompleteComponents:
    r"""Minimise :math:`\sum_{it} w_t (z_{it} - a_i - b_i' f_t)^2` over the returns that are there.

    This is where the EM algorithm ends that fills missing values with fitted ones ([1]_, appendix A). Loadings given
    factors and factors given loadings are each least squares, which converges in fewer rounds.

    Attributes
    ----------
    directions : array, shape (N, K)
        Orthonormal, the principal directions of the fitted values.
    fitted : array, shape (T, N)
        a + b f, on all dates.

    References
    ----------
    .. [1] Stock, J. H. and Watson, M. W. (2002). Macroeconomic Forecasting Using Diffusion Indexes. *Journal of
       Business & Economic Statistics* 20(2), 147-162.
    """

    directions: Array
    fitted: Array

    @classmethod
    def of(cls, z: Array, weights: Array, k: int) -> Self:
        """Find K components of a panel, shape (T, N), with NaN where a return is missing.

        Raises
        ------
        EstimationError
            If the fitted values do not converge.
        """
        observed = ~np.isnan(z)
        x, mask = np.where(observed, z, 0.0), observed.astype(np.float64)
        root = np.sqrt(weights)[:, None]
        _, v = principal_directions(root * x, k)
        factors, fitted = x @ v, np.zeros_like(x)
        for _ in range(_ROUNDS):
            intercepts, loadings = _regress_assets(x, mask, weights, _orthonormal(factors, weights))
            factors = _regress_dates(x - mask * intercepts, mask, loadings)
            last, fitted = fitted, intercepts + factors @ loadings.T
            change = fitted - last
            if np.vdot(change, change) <= _TOLERANCE**2 * np.vdot(fitted, fitted):
                return cls(_directions(root * factors, loadings), fitted)
        raise EstimationError(
            f"expected components that converge within {_ROUNDS:,} rounds, got ones that do not on a panel of which "
            f"{1 - mask.mean():.0%} is missing; use fewer components, or leave assets of short history out.",
            rounds=_ROUNDS,
        )


def _orthonormal(factors: Array, weights: Array) -> Array:
    """Factors with weighted mean zero and the weighted covariance I, for well conditioned regressions."""
    centred = factors - weights @ factors / weights.sum()
    q, _ = np.linalg.qr(np.sqrt(weights)[:, None] * centred)
    return np.asarray(q * np.sqrt(weights.sum() / weights)[:, None])


def _regress_assets(x: Array, mask: Array, weights: Array, factors: Array) -> tuple[Array, Array]:
    """Intercept and loadings of each asset, over its own dates."""
    design = np.column_stack([np.ones(len(x)), factors])
    gram = _grams(mask.T * weights, design)
    sides = (x.T * weights) @ design
    solved = np.asarray(np.linalg.solve(gram, sides[:, :, None])[:, :, 0], dtype=np.float64)
    return solved[:, 0], solved[:, 1:]


def _regress_dates(x: Array, mask: Array, loadings: Array) -> Array:
    """Factors of each date, over the assets that have a return there."""
    return np.asarray(np.linalg.solve(_grams(mask, loadings), (x @ loadings)[:, :, None])[:, :, 0])


def _grams(mask: Array, design: Array) -> Array:
    """Σ m d d' for each row of weights, shape (rows, K, K), by one product of matrices."""
    k = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), k * k)
    return np.asarray((mask @ products).reshape(len(mask), k, k))


def _directions(factors: Array, loadings: Array) -> Array:
    """The right singular vectors of F B', shape (N, K)."""
    q, r = np.linalg.qr(loadings)
    _, _, turned = np.linalg.svd(np.linalg.qr(factors, mode="r") @ r.T)
    return np.asarray(q @ turned.T)
