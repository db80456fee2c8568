"""The regressors of one date: dense columns, and groups whose coefficients sum to zero by capitalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from riskmodel._core.arrays import Array, Flags, Index

# A pivot of the scaled Gram matrix below this is rounding: the columns are collinear.
_COLLINEAR = 1e-11
# A column takes part in a collinear combination if its weight there is at least this.
_TAKES_PART = 0.05


@final
@frozen(eq=False)
class Solution:
    """What a regression gives.

    Attributes
    ----------
    coefficients : array, shape (K,)
        Zero for groups without a coefficient of their own.
    inverse : array, shape (K, K)
        R (R'X'VXR)⁻¹ R': σ² times it is the covariance of the coefficients.
    """

    coefficients: Array
    inverse: Array


@final
@frozen(eq=False)
class Design:
    r"""Exposures X of n assets: D dense columns, then the indicators of each family of groups; K columns in all.

    Coefficients are :math:`f = R g` with free g, where R, of shape (K, M), holds the constraints [1]_: in each family,
    :math:`\sum_g W_g f_g = 0` with W the capitalisation of the group, and :math:`f_g = 0` for a group with fewer
    members than `smallest`.

    References
    ----------
    .. [1] Heston, S. L. and Rouwenhorst, K. G. (1994). Does Industrial Structure Explain the Benefits of International
       Diversification? *Journal of Financial Economics* 36(1), 3-27.
    """

    dense: Array
    codes: NDArray[np.intp]
    indicators: sparse.csr_matrix
    basis: Array
    sizes: tuple[int, ...]
    thin: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(
        cls,
        dense: Array,
        codes: NDArray[np.intp],
        sizes: Sequence[int],
        *,
        caps: Array,
        smallest: Sequence[int],
        like: Design | None = None,
    ) -> Self:
        """Make the design of a date.

        Parameters
        ----------
        dense : array, shape (n, D)
            The market and the styles.
        codes : array of int, shape (F, n)
            The group of each asset in each family, from 0.
        sizes : sequence of int
            The number of groups of each family.
        caps : array, shape (n,)
            Market capitalisation.
        smallest : sequence of int
            The fewest members of a group with a coefficient of its own, for each family.
        like : Design, optional
            One with the same groups, whose indicators are used again.
        """
        indicators = indicators_of(codes, sizes) if like is None else like.indicators
        basis, thin = _basis(dense.shape[1], indicators, sizes, caps, smallest)
        return cls(dense, codes, indicators, basis, tuple(sizes), thin)

    @property
    def is_estimated(self) -> Flags:
        """Which coefficients are not zero by a constraint, shape (K,)."""
        return np.asarray((self.basis != 0).any(axis=1))

    def fitted(self, dense: Array, codes: NDArray[np.intp], coefficients: Array) -> Array:
        """X f of any assets, shape (n,); a negative group adds nothing."""
        d = self.dense.shape[1]
        fitted = dense @ coefficients[:d]
        start = d
        for size, code in zip(self.sizes, codes, strict=True):
            fitted += np.append(coefficients[start : start + size], 0.0)[code]
            start += size
        return np.asarray(fitted)

    def products(self, values: Array) -> Array:
        """X' y, shape (K,) or (K, J)."""
        return np.concatenate([self.dense.T @ values, self.indicators @ values])

    def gram(self, weights: Array) -> Array:
        """X' V X, shape (K, K)."""
        d, k = self.dense.shape[1], len(self.basis)
        weighted = np.multiply(self.dense, weights[:, None], order="C")
        gram = np.empty((k, k))
        gram[:d, :d] = self.dense.T @ weighted
        gram[d:, :d] = self.indicators @ weighted
        gram[:d, d:] = gram[d:, :d].T
        if len(self.sizes) == 1:
            gram[d:, d:] = np.diag(self.indicators @ weights)
        elif self.sizes:
            gram[d:, d:] = (self.indicators.multiply(weights) @ self.indicators.T).toarray()
        return gram

    def factor(self, weights: Array) -> Factorised | None:
        """Factorise the normal equations; None where the columns are collinear."""
        reduced = self.basis.T @ self.gram(weights) @ self.basis
        scales = np.sqrt(np.diag(reduced))
        if not (scales > 0).all():
            return None
        root, failed = lapack.dpotrf(reduced / np.outer(scales, scales), lower=1)
        if failed or (len(root) and np.diag(root).min() ** 2 < _COLLINEAR):
            return None
        return Factorised(self, weights, root, scales)

    def solve(self, weights: Array, values: Array) -> Solution | None:
        """Weighted least squares of y, shape (n,), on the columns; None where these are collinear."""
        factorised = self.factor(weights)
        return None if factorised is None else factorised.solve(values)

    def dependent(self, weights: Array) -> Index:
        """The columns, from 0 to K - 1, that take part in a linear dependence."""
        reduced = self.basis.T @ self.gram(weights) @ self.basis
        scales = np.sqrt(np.diag(reduced))
        still = scales <= 0
        if still.any():
            return np.flatnonzero((self.basis[:, still] != 0).any(axis=1))
        values, vectors = np.linalg.eigh(reduced / np.outer(scales, scales))
        null = vectors[:, : max(int((values < _COLLINEAR * len(values)).sum()), 1)] / scales[:, None]
        lengths = self.basis @ null
        sizes = np.abs(lengths * np.sqrt(np.diag(self.gram(weights)))[:, None]).max(axis=1)
        return np.flatnonzero(sizes > _TAKES_PART * sizes.max())


@final
@frozen(eq=False)
class Factorised:
    """The Cholesky factor of the normal equations of a design, in scaled columns."""

    design: Design
    weights: Array
    root: Array
    scales: Array

    def solve(self, values: Array) -> Solution:
        """Weighted least squares of y, shape (n,), refined once by the regression of its own residuals."""
        first = self._apply(self.weights * values)
        left = values - self.design.fitted(self.design.dense, self.design.codes, first)
        coefficients = first + self._apply(self.weights * left)
        return Solution(coefficients, self.inverse)

    @property
    def inverse(self) -> Array:
        """R (R'X'VXR)⁻¹ R', shape (K, K)."""
        basis = self.design.basis / self.scales
        half = lapack.dtrtrs(self.root, np.asfortranarray(basis.T), lower=1)[0] if basis.size else basis.T
        return np.asarray(half.T @ half)

    def portfolios(self) -> Array:
        """Weights of the assets whose return is each coefficient, shape (n, K), refined once."""
        design = self.design
        columns = design.dense @ design.basis[: design.dense.shape[1]]
        columns += np.asarray(design.indicators.T @ design.basis[design.dense.shape[1] :])
        weighted = self.weights[:, None] * columns
        first = self._reduced(weighted.T).T
        gap = np.eye(columns.shape[1]) - columns.T @ first
        return np.asarray((first + self._reduced(weighted.T).T @ gap) @ design.basis.T)

    def _apply(self, weighted: Array) -> Array:
        return np.asarray(self.design.basis @ self._reduced(self.design.basis.T @ self.design.products(weighted)))

    def _reduced(self, right: Array) -> Array:
        """(R'X'VXR)⁻¹ times M rows."""
        scaled = (right.T / self.scales).T
        solved = lapack.dpotrs(self.root, np.asfortranarray(scaled), lower=1)[0] if scaled.size else scaled
        return np.asarray((solved.T / self.scales).T)


def indicators_of(codes: NDArray[np.intp], sizes: Sequence[int]) -> sparse.csr_matrix:
    """The indicators of groups, shape (G, n), the families one after the other."""
    families, n = codes.shape
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
    rows = (codes + starts[:-1, None]).ravel()
    columns = np.tile(np.arange(n), families)
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(int(starts[-1]), n))


def _basis(
    d: int, indicators: sparse.csr_matrix, sizes: Sequence[int], caps: Array, smallest: Sequence[int]
) -> tuple[Array, tuple[tuple[int, int, int], ...]]:
    """R, shape (K, M), and the thin groups: family, group, members."""
    counts, totals = np.diff(indicators.indptr), indicators @ caps
    k, start, column, thin = d + len(counts), d, d, []
    basis = np.zeros((k, k))
    basis[range(d), range(d)] = 1.0
    for family, size in enumerate(sizes):
        members, share = counts[start - d : start - d + size], totals[start - d : start - d + size]
        enough = members >= smallest[family]
        thin += [(family, int(g), int(members[g])) for g in np.flatnonzero(~enough)]
        free = np.flatnonzero(enough)
        if len(free) > 1:
            last = free[np.argmax(share[free])]  # the largest, so that no ratio exceeds one
            others = free[free != last]
            own = np.arange(column, column + len(others))
            basis[start + others, own] = 1.0
            basis[start + last, own] = -share[others] / share[last]
            column += len(others)
        start += size
    return basis[:, :column], tuple(thin)
