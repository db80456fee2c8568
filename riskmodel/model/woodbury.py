"""Solve low rank plus diagonal systems in K × K memory."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from attrs import evolve, frozen
from scipy import linalg

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index, row_blocks
from riskmodel._core.linalg import solve_cholesky, solve_transposed
from riskmodel.errors import (
    SingularCovarianceError,
)

# Below this share of its factor variance, an idio variance is too small to divide by.
SMALL_IDIO = 1e-10
# By so much, Cholesky may magnify rounding; beyond it, QR is worth its price.
_BENIGN = 1e6
# Unit vectors whose distance from the span of others is below this lie in it.
_DEPENDENT = 1e-12


@frozen(eq=False)
class Scores:
    """V = D^-½ B L, of which only products are formed, and in blocks; an asset of weight zero is left out."""

    loadings: Array  # B
    root: Array  # L
    weight: Array  # the diagonal of D^-½

    @classmethod
    def of(cls, loadings: Array, root: Array, idio: Array) -> Self:
        """Leave out the assets without idio variance."""
        some = idio > 0
        return cls(loadings, root, np.divide(1.0, np.sqrt(idio), out=np.zeros_like(idio), where=some))

    def without(self, assets: Index) -> Self:
        """Leave out these assets too."""
        if not self.weight[assets].any():
            return self
        weight = self.weight.copy()
        weight[assets] = 0.0
        return evolve(self, weight=weight)

    def times(self, h: Array) -> Array:
        """V h, for the columns of h."""
        product = self.loadings @ (self.root @ h)
        product *= self.weight[:, None]
        return np.asarray(product)

    def transposed_times(self, x: Array) -> Array:
        """V'x, for the columns of x."""
        return np.asarray(self.root.T @ (self.loadings.T @ (x * self.weight[:, None])))

    def subtract(self, x: Array, h: Array) -> Array:
        """Take V h from x, in place, and return V'x of what is left: the loadings are read once for both."""
        exposures, total = self.root @ h, np.zeros((self.loadings.shape[1], x.shape[1]))
        for rows in row_blocks(len(x), 1_024):
            loadings, weight, left = self.loadings[rows], self.weight[rows, None], x[rows]
            left -= (loadings @ exposures) * weight
            total += loadings.T @ (left * weight)
        return np.asarray(self.root.T @ total)

    @cached_property
    def weighted(self) -> Array:
        """B' D⁻¹ B."""
        k = self.loadings.shape[1]
        total = np.zeros((k, k))
        # an asset that turns out to be thin may overflow here
        with np.errstate(over="ignore", invalid="ignore"):
            for rows in row_blocks(len(self.weight), 1_024):
                scaled = self.loadings[rows] * self.weight[rows, None]
                total += scaled.T @ scaled
        return total

    @cached_property
    def gram(self) -> Array:
        """V'V."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(self.root.T @ self.weighted @ self.root)

    @property
    def ratio(self) -> float:
        """The factor variance over the idio variance, summed over assets: no asset's own ratio is larger."""
        return float(np.nan_to_num(np.trace(self.gram), nan=np.inf))

    @cached_property
    def cholesky(self) -> Array | None:
        """R, upper triangular, with R'R = I + V'V; none where it would be too inexact."""
        try:
            r: Array = np.asarray(np.linalg.cholesky(np.eye(len(self.gram)) + self.gram).T)
        except np.linalg.LinAlgError:
            return None
        return r if self._magnified(r) <= _BENIGN else None

    def _magnified(self, r: Array) -> float:
        """How much larger the rounding of I + V'V is in its own norm: the trace of its inverse times what is rounded.

        What is rounded is of the size of its terms before they cancel, hence the root of F squared term by term.
        """
        rounded = np.sqrt(1.0 + np.diag(self.weighted) @ self.root**2)
        return float((solve_transposed(r, np.diag(rounded)) ** 2).sum())

    def qr(self) -> Array:
        """The same R from V itself, with twice the digits and four times the work."""
        k = self.root.shape[1]
        r = np.eye(k)
        for rows in row_blocks(len(self.weight), max(256, 4 * k)):
            v = (self.loadings[rows] @ self.root) * self.weight[rows, None]
            r = np.asarray(np.linalg.qr(np.vstack([r, v]), mode="r"))
        return r


@frozen(eq=False)
class Elimination:
    """Σ = U U' + D with U = B L, factorised once, in K × K numbers beside the loadings.

    Σ x = b is solved for h = U'x, from which x = D⁻¹ (b - U h) follows. Of the assets with ample idio variance (P)
    remains the matrix I + V'V = R'R with V = D_P^-½ U_P; the few thin ones (Z) add the Schur complement
    S = U_Z (I + V'V)⁻¹ U_Z' + D_Z, whose Cholesky factor a QR decomposition gives without forming S:

        (I + V'V) h - U_Z' x_Z = V'D_P^-½ b_P        U_Z h + D_Z x_Z = b_Z

    Rounding leaves h short of U'x, by much where the factors' variance is large beside the idio variance. What it is
    short of is a right-hand side of the same equations: solving them once more gives the digits back.
    """

    scores: Scores  # V
    triangle: Array  # R
    thin: Index  # Z
    thin_scores: Array  # U_Z
    thin_idio: Array  # the diagonal of D_Z
    schur: Array  # C with S = C'C, upper triangular
    corrections: int

    @classmethod
    def of(cls, scores: Scores, thin: Index, idio: Array) -> Self:
        """Factorise; the thin ones, of which `idio` is the variance, are left out of the scores."""
        r = scores.qr() if scores.cholesky is None else scores.cholesky
        thin_scores = scores.loadings[thin] @ scores.root
        damped = solve_transposed(r, thin_scores.T)
        schur = np.linalg.qr(np.vstack([damped, np.diag(np.sqrt(idio))]), mode="r")
        # one is enough for what is benign
        corrections = 2 if scores.cholesky is None or len(thin) or scores.ratio > 1 / SMALL_IDIO else 1
        return cls(scores, r, thin, thin_scores, idio, np.asarray(schur), corrections)

    def solve(self, b: Array) -> Array:
        """Σ⁻¹ b, for the columns of b."""
        v, weight = self.scores, self.scores.weight[:, None]
        x, r = b * weight, b[self.thin]
        h, thin = more, thinner = self._reduced(v.transposed_times(x), r)
        for _ in range(self.corrections):
            short = v.subtract(x, more) + self.thin_scores.T @ thin - h
            more, thinner = self._reduced(short, r - self.thin_scores @ h - self.thin_idio[:, None] * thin)
            h, thin = h + more, thin + thinner
        x -= v.times(more)
        x *= weight
        x[self.thin] = thin
        return x

    def _reduced(self, p: Array, r: Array) -> tuple[Array, Array]:
        """The h and x_Z with (I + V'V) h - U_Z' x_Z = p and U_Z h + D_Z x_Z = r."""
        thin = solve_cholesky(self.schur, r - self.thin_scores @ solve_cholesky(self.triangle, p))
        return solve_cholesky(self.triangle, p + self.thin_scores.T @ thin), thin

    def logdet(self) -> float:
        """Log det Σ = log det D_P + log det(I + V'V) + log det S."""
        diagonal = np.abs(np.concatenate([np.diag(self.triangle), np.diag(self.schur)]))
        weight = self.scores.weight
        return float(2.0 * (np.log(diagonal).sum() - np.log(weight[weight > 0]).sum()))


def require_independent(scores: Array, assets: pd.Index[Any]) -> None:
    """Raise where the factors cannot tell assets without idio variance apart: only then is Σ singular."""
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
            "the covariance matrix is singular: beside the other assets, the factors leave no variance of its own to "
            f"{labels.listing(superfluous)}, without idio variance; leave it out, or give it some.",
            assets=list(superfluous),
        )
