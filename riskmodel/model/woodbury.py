"""Solve low-rank plus diagonal systems in K × K memory."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from attrs import evolve, frozen
from scipy import linalg

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index, row_blocks
from riskmodel._core.linalg import solve_cholesky, solve_transposed
from riskmodel.errors import SingularCovarianceError

# Rows of a block: it fits the processor's cache with up to a hundred factors.
BLOCK = 2_048
# Above this amplification of rounding error, use a basis in which the factors are nearly orthogonal.
_BENIGN = 1e6
# Unit vectors nearer than this to the span of others are linearly dependent on them.
_DEPENDENT = 1e-12


@frozen(eq=False)
class Scores:
    """V = D^-½ B T for a basis T of the factors; only products with it are formed, in blocks."""

    loadings: Array  # B
    basis: Array  # T
    weight: Array  # the diagonal of D^-½, 0 for an asset without idio variance

    @classmethod
    def of(cls, loadings: Array, root: Array, idio: Array) -> Self:
        """Make V, with zero rows for the assets without idio variance."""
        return cls(loadings, root, np.divide(1.0, np.sqrt(idio), out=np.zeros_like(idio), where=idio > 0))

    def times(self, g: Array) -> Array:
        """V g, for the columns of g."""
        product = self.loadings @ (self.basis @ g)
        product *= self.weight[:, None]
        return np.asarray(product)

    def transposed_times(self, x: Array) -> Array:
        """V'x, for the columns of x."""
        return np.asarray(self.basis.T @ (self.loadings.T @ (x * self.weight[:, None])))

    def subtract(self, x: Array, g: Array) -> Array:
        """Subtract V g from x in place, and return V'x of the result, in one pass over the loadings."""
        exposures, total = self.basis @ g, np.zeros((self.loadings.shape[1], x.shape[1]))
        for rows in row_blocks(len(x), BLOCK):
            loadings, weight, left = self.loadings[rows], self.weight[rows, None], x[rows]
            left -= (loadings @ exposures) * weight
            total += loadings.T @ (left * weight)
        return np.asarray(self.basis.T @ total)

    def weighted(self) -> Array:
        """B' D⁻¹ B."""
        total = np.zeros((self.loadings.shape[1],) * 2)
        for rows in row_blocks(len(self.weight), BLOCK):
            scaled = self.loadings[rows] * self.weight[rows, None]
            total += scaled.T @ scaled
        return total

    def gram(self) -> Array:
        """V'V from V: three times the work of T' (B' D⁻¹ B) T, and exact where that cancels."""
        total = np.zeros((self.basis.shape[1],) * 2)
        for rows in row_blocks(len(self.weight), BLOCK):
            v = self.loadings[rows] @ self.basis
            v *= self.weight[rows, None]
            total += v.T @ v
        return total


@frozen(eq=False)
class _Factor:
    """R with R'R = J + V'V, where J = (L⁻¹T)'(L⁻¹T) is the identity in the basis T."""

    scores: Scores  # V
    prior: Array  # the diagonal of J
    triangle: Array  # R
    corrections: int  # steps of refinement

    @classmethod
    def of(cls, scores: Scores) -> Self:
        """Factorise in the basis L if that is accurate, otherwise in a basis where V'V is nearly diagonal."""
        ones, weighted = np.ones(scores.basis.shape[1]), scores.weighted()
        r = _cholesky(np.diag(ones) + scores.basis.T @ weighted @ scores.basis)
        # rounding is relative to the terms before they cancel, hence the root of F squared term by term
        size = np.sqrt(ones + np.diag(weighted) @ scores.basis**2)
        if r is not None and (solve_transposed(r, np.diag(size)) ** 2).sum() <= _BENIGN:
            return cls(scores, ones, r, 1)
        return cls._orthogonal(scores)

    @classmethod
    def _orthogonal(cls, scores: Scores) -> Self:
        """Factorise in the basis of eigenvectors, where the matrix is near the identity and rounding is harmless."""
        values, vectors = np.linalg.eigh(scores.gram())
        values = 1.0 + np.maximum(values, 0.0)
        turned = evolve(scores, basis=scores.basis @ (vectors / np.sqrt(values)))
        r = np.linalg.cholesky(np.diag(1.0 / values) + turned.gram()).T
        return cls(turned, 1.0 / values, np.asarray(r), 2)

    def logdet(self) -> float:
        """Log det (I + V'V) in the basis L."""
        return _logdet(self.triangle) - float(np.log(self.prior).sum())


def _cholesky(matrix: Array) -> Array | None:
    """The upper triangular factor; None if the matrix is not positive definite."""
    try:
        return np.asarray(np.linalg.cholesky(matrix).T)
    except np.linalg.LinAlgError:
        return None


def _logdet(triangle: Array) -> float:
    """Log det R'R."""
    return float(2.0 * np.log(np.abs(np.diag(triangle))).sum())


@frozen(eq=False)
class Elimination:
    """Factorisation of Σ = U U' + D, U = B L, with K × K numbers in addition to the loadings.

    Σ x = b is solved for h = U'x, from which x = D⁻¹ (b - U h) follows. With V = D^-½ U over the assets with idio
    variance (P) and the assets without (Z):

        (I + V'V) h - U_Z' x_Z = V'D_P^-½ b_P        U_Z h = b_Z

    Of these, I + V'V = R'R and S = U_Z (I + V'V)⁻¹ U_Z' = C'C are factorised, the latter by a QR decomposition
    without forming S. In another basis T of the factors, h = L⁻¹T g, and the equations are the same for g.

    Rounding makes h differ from U'x, by much where factor variances are far larger than idio variances. Iterative
    refinement restores the digits: the difference is a right-hand side of the same equations.
    """

    factor: _Factor
    zero: Index  # Z
    zero_scores: Array  # U_Z
    schur: Array  # C

    @classmethod
    def of(cls, loadings: Array, root: Array, idio: Array) -> Self:
        """Factorise Σ."""
        factor = _Factor.of(Scores.of(loadings, root, idio))
        zero = np.flatnonzero(idio == 0)
        scores = loadings[zero] @ factor.scores.basis
        schur = np.linalg.qr(solve_transposed(factor.triangle, scores.T), mode="r")
        return cls(factor, zero, scores, np.asarray(schur))

    def solve(self, b: Array) -> Array:
        """Σ⁻¹ b, for the columns of b."""
        v, weight = self.factor.scores, self.factor.scores.weight[:, None]
        x, r = b * weight, b[self.zero]
        g, fixed = more, further = self._reduced(v.transposed_times(x), r)
        for _ in range(self.factor.corrections):
            short = v.subtract(x, more) + self.zero_scores.T @ fixed - self.factor.prior[:, None] * g
            more, further = self._reduced(short, r - self.zero_scores @ g)
            g, fixed = g + more, fixed + further
        x -= v.times(more)
        x *= weight
        x[self.zero] = fixed
        return x

    def _reduced(self, p: Array, r: Array) -> tuple[Array, Array]:
        """The g and x_Z with (J + V'V) g - U_Z' x_Z = p and U_Z g = r."""
        triangle, scores = self.factor.triangle, self.zero_scores
        fixed = solve_cholesky(self.schur, r - scores @ solve_cholesky(triangle, p))
        return solve_cholesky(triangle, p + scores.T @ fixed), fixed

    def logdet(self) -> float:
        """Log det Σ = log det D_P + log det(I + V'V) + log det S."""
        weight = self.factor.scores.weight
        return self.factor.logdet() + _logdet(self.schur) - 2.0 * float(np.log(weight[weight > 0]).sum())


def require_independent(scores: Array, assets: pd.Index[Any]) -> None:
    """Raise where the loadings of assets without idio variance are linearly dependent: only then is Σ singular."""
    if not len(assets):
        return
    superfluous = assets
    if scores.size:
        lengths = np.linalg.norm(scores, axis=1, keepdims=True)
        directions = scores / np.where(lengths > 0, lengths, 1.0)
        r, order = linalg.qr(directions.T, mode="r", pivoting=True)
        superfluous = assets[np.sort(order[int((np.abs(np.diag(r)) > _DEPENDENT).sum()) :])]
    if len(superfluous):
        raise SingularCovarianceError(
            "expected an invertible covariance matrix, got a singular one: without idio variance, the factor parts of "
            f"{labels.listing(superfluous)} are linear combinations of those of other assets; leave it out, or give it "
            "idio variance.",
            assets=list(superfluous),
        )
