"""An orthonormal basis of the factors."""

from __future__ import annotations

from typing import Self

import numpy as np
from attrs import frozen
from scipy import linalg

from riskmodel._core.arrays import Array
from riskmodel._core.linalg import RANK_TOLERANCE, solve_right

# Rows of a weight below this share of the largest have no digits in Q.
_LIGHT = 1e-16


@frozen(eq=False)
class FactorAxes:
    """Centred factors X = Q S in a basis A, with Q'Q = I in as many directions as they span and zero in the rest."""

    q: Array  # T × K
    root: Array  # S
    basis: Array  # A: S, completed to be invertible

    @classmethod
    def of(cls, centred: Array) -> Self:
        """Factorise centred factors, T × K, times the roots of their weights."""
        t, k = centred.shape
        if not centred.any():
            return cls(np.zeros((t, k)), np.zeros((k, k)), np.eye(k))
        lengths = np.sqrt((centred * centred).sum(axis=0))
        lengths[lengths == 0] = 1.0
        # with pivoting, the rows beyond the rank are last
        q, r, order = linalg.qr(np.vstack([centred / lengths, np.zeros((k, k))]), mode="economic", pivoting=True)
        spanned = np.abs(np.diag(r)) > RANK_TOLERANCE
        q, r = q[:t] * spanned, r * spanned[:, None]
        root, basis = np.empty((k, k)), np.empty((k, k))
        root[:, order] = r
        basis[:, order] = r + np.diag(~spanned)
        return cls(q, root * lengths, basis * lengths)


def unweighted(axes: FactorAxes, centred: Array, weights: Array) -> Array:
    """Divide Q by the roots of the weights; one step of refinement restores the digits of rows of small weight."""
    q = axes.q / np.sqrt(weights)[:, None]
    light = weights < _LIGHT * weights.max()
    if light.any():
        # Q has few digits or none where weights are small
        q[light] = solve_right(centred[light], axes.basis)
    return q + solve_right(centred - q @ axes.basis, axes.basis)
