"""Linear algebra that several modules share."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import linalg
from scipy.linalg import lapack

from riskmodel._core.arrays import Array, Flags, Index


def has_cholesky(matrix: Array) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def as_correlation(matrix: Array) -> tuple[Array, Array]:
    """Return the correlation matrix of a covariance, and the volatilities (1 where the variance is zero)."""
    scales = np.sqrt(np.where(np.diag(matrix) > 0, np.diag(matrix), 1.0))
    return matrix / scales / scales[:, None], scales


def root(matrix: Array) -> Array:
    """L with F = L L', shape (K, rank of F)."""
    correlation, scales = as_correlation(matrix)
    values, vectors = np.linalg.eigh(correlation)
    keep = values > 1e-15 * values.max(initial=0.0)
    return np.asarray(scales[:, None] * vectors[:, keep] * np.sqrt(values[keep]))


# older releases of scipy do not accept an empty matrix
def solve_cholesky(r: Array, b: Array) -> Array:
    """(R'R)⁻¹ b."""
    return np.asarray(linalg.cho_solve((r, False), b, check_finite=False)) if b.size else b


def solve_transposed(r: Array, b: Array) -> Array:
    """R'⁻¹ b."""
    return np.asarray(linalg.solve_triangular(r, b, trans=1, check_finite=False)) if b.size else b


# Where residual squares are a smaller share than this of the raw squares, differences of sums lose digits.
CANCELS = 1e-4
# Where an asset's own dates condition its Gram matrix worse than this, its normal equations lose digits.
ILL_CONDITIONED = 1e-4
# Singular values below this share of the largest are rounding, not variation.
RANK_TOLERANCE = 1e-13
# Deviations below this share of the mean are its rounding error.
STILL = 1e-14
# A residual sum of squares below this share of the total is rounding error, about (45 eps)².
ROUNDING = 1e-28
# Matrices of more rows than this are factorised one by one, smaller ones all at once.
_WIDE = 16


def smallest_singular_value(root: Array) -> float:
    """Smallest singular value of the columns scaled to unit length (0 for a column of zeros)."""
    lengths = np.sqrt((root * root).sum(axis=0))
    if not root.size or (lengths == 0).any():
        return 0.0 if root.size else 1.0
    return float(np.linalg.svd(root / lengths, compute_uv=False)[-1])


def symmetric(upper: Array, k: int) -> Array:
    """Matrices from their upper triangles."""
    at = np.empty((k, k), dtype=np.intp)
    i, j = upper_triangle(k)
    at[i, j] = at[j, i] = np.arange(len(i))
    return np.asarray(upper[:, at])


def invert_grams(gram: Array, raw: Array) -> tuple[Array, Flags]:
    """Return the inverse of each pattern's Gram matrix, and which are well conditioned."""
    k = gram.shape[1]
    if not k:
        return gram, np.ones(len(gram), dtype=bool)
    root, definite = inverse_roots(np.moveaxis(gram, 0, -1))
    well = definite & conditioned_within(ILL_CONDITIONED, root, np.trace(raw, axis1=1, axis2=2) / k)
    root = root * well
    if k > _WIDE:
        rows = np.ascontiguousarray(np.moveaxis(root, -1, 0))
        return rows.transpose(0, 2, 1) @ rows, well
    return np.einsum("kip,kjp->pij", root, root), well


def inverse_roots(gram: Array) -> tuple[Array, Flags]:
    """Return inverse Cholesky factors W, W'W = G⁻¹, of K × K × P matrices, and which are positive definite."""
    if gram.shape[2] == 1 or len(gram) > _WIDE:
        roots, each = zip(*map(_one_inverse_root, np.moveaxis(gram, -1, 0)), strict=True)
        return np.stack(roots, axis=-1), np.array(each)
    return inverse_roots_together(np.ascontiguousarray(gram))


def inverse_roots_together(gram: Array) -> tuple[Array, Flags]:
    """`inverse_roots` without LAPACK: no matrix's figures depend on its neighbours, or on how many there are.

    Every operation is one of numpy's on P numbers side by side.
    """
    lower, root = np.zeros_like(gram), np.zeros_like(gram)
    definite = np.ones(gram.shape[2], dtype=bool)
    for j in range(len(gram)):
        column = gram[j:, j].copy()
        for k in range(j):
            column -= lower[j:, k] * lower[j, k]
        positive = column[0] > np.finfo(float).eps * gram[j, j]
        definite &= positive
        diagonal = np.sqrt(np.where(positive, column[0], 1.0))
        lower[j:, j] = column / diagonal
        root[j, j] = 1.0 / diagonal
        for k in range(j):
            root[j, : k + 1] -= lower[j, k] * root[k, : k + 1]
        root[j, :j] *= root[j, j]
    return root, definite


def conditioned_within(limit: float, root: Array, scale: Array) -> Flags:
    """Whether matrices of a mean diagonal `scale` are conditioned better than 1 / limit; from `inverse_roots`."""
    # in units of the diagonal, as the squares of what is inverse to tiny weights overflow
    unit, size = np.sqrt(np.maximum(limit * scale, 0.0)), np.zeros(root.shape[2])
    for i, j in zip(*np.tril_indices(len(root)), strict=True):
        entry = root[i, j] * unit
        size += entry * entry
    # the trace of the inverse bounds its largest eigenvalue from above
    return np.asarray(size < 1.0)


def _one_inverse_root(gram: Array) -> tuple[Array, bool]:
    """`inverse_roots` of one matrix."""
    if not len(gram):
        return gram, True
    lower, failed = lapack.dpotrf(gram, lower=1)
    definite = not failed and bool((np.diag(lower) ** 2 > np.finfo(float).eps * np.diag(gram)).all())
    root = lapack.dtrtri(lower, lower=1)[0] if definite else np.zeros_like(gram)
    return root, definite


def apply_matrices(matrices: Array, vectors: Array, at: Index) -> Array:
    """Multiply each asset's vector by its pattern's (symmetric) matrix."""
    if len(matrices) == 1:
        return transform_rows(vectors, matrices[0])
    return np.asarray(np.einsum("nij,nj->ni", matrices[at], vectors))


def transform_rows(vectors: Array, matrix: Array) -> Array:
    """M v for each row v, in column-major order, which is faster with few columns."""
    return np.asarray((matrix @ vectors.T).T)


def row_dots(vectors: Array, others: Array, at: Index) -> Array:
    """The product of each asset's vector with its pattern's."""
    if len(others) == 1:
        return np.asarray(vectors @ others[0])
    return np.asarray(np.einsum("nk,nk->n", vectors, others[at]))


def row_outers(numbers: Array, vectors: Array, at: Index) -> Array:
    """Each asset's number times its pattern's vector."""
    if len(vectors) == 1:
        return np.asarray(np.multiply.outer(vectors[0], numbers).T)
    return np.asarray(numbers[:, None] * vectors[at])


def quadratic_forms(vectors: Array, matrices: Array, at: Index) -> Array:
    return np.asarray(np.einsum("nk,nk->n", vectors, apply_matrices(matrices, vectors, at)))


def solve_right(left: Array, basis: Array) -> Array:
    """Left · A⁻¹."""
    return np.asarray(np.linalg.solve(basis.T, left.T).T)


@cache
def upper_triangle(k: int) -> tuple[Index, Index]:
    """Rows and columns of the upper triangle of a K × K matrix."""
    return np.triu_indices(k)
