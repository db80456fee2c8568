"""The largest principal directions of a matrix, tall or wide."""

from __future__ import annotations

import numpy as np
from scipy import linalg
from scipy.sparse.linalg import LinearOperator, eigsh

from riskmodel._core.arrays import Array

# Up to this many rows or columns, the smaller Gram matrix is formed and factorised; beyond it, iteration is faster.
_DENSE = 1_500
_TOLERANCE = 1e-12


def principal_directions(x: Array, k: int) -> tuple[Array, Array]:
    """The k largest eigenvalues of X'X, decreasing, and their eigenvectors, shape (N, k).

    Nothing of size max(T, N)² is formed: for N > T the eigenvectors are those of X X', turned by X', and where both are
    large, Lanczos iteration needs O(T·N) a step. A direction without variance is a column of zeros.

    Parameters
    ----------
    x : array, shape (T, N)
        None missing.
    k : int
        At most min(T, N).
    """
    wide = x.shape[1] > x.shape[0]
    tall = x.T if wide else x
    values, vectors = _largest(tall, k)
    if wide:
        scale = np.sqrt(np.where(values > 0, values, np.inf))
        vectors = tall @ vectors / scale
    return values, np.asarray(vectors)


def _largest(tall: Array, k: int) -> tuple[Array, Array]:
    """The k largest eigenvalues of Y'Y and their eigenvectors, for Y with fewer columns than rows."""
    m = tall.shape[1]
    if m <= _DENSE or 4 * k > m:
        values, vectors = linalg.eigh(tall.T @ tall, subset_by_index=[m - k, m - 1])
    else:
        gram = LinearOperator((m, m), matvec=lambda v: tall.T @ (tall @ v), dtype=np.float64)
        start = np.random.default_rng(0).standard_normal(m)
        values, vectors = eigsh(gram, k=k, v0=start, tol=_TOLERANCE)  # type: ignore[call-overload]
    order = np.argsort(values)[::-1]
    # rounding is not variance
    kept = np.where(values[order] > np.finfo(float).eps * m * values.max(initial=0.0), values[order], 0.0)
    return kept, vectors[:, order]
