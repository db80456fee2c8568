"""Everything a least-squares estimator needs of a panel, as one value that merges."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, fields, frozen
from scipy import linalg

from riskmodel.covariance import Array, read_only
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import Horizon, require_same
from riskmodel.panel import ReturnPanel
from riskmodel.sums import Flags, Index, Sums, all_dates, upper_triangle

# Where residuals are a smaller share than this of the raw squares, differences of sums lose digits.
_CANCELS = 1e-4
# Where an asset's own dates condition its Gram matrix worse than this, its normal equations lose digits.
_ILL_CONDITIONED = 1e-4
# Singular values below this share of the largest are rounding, not variation.
_RANK_TOLERANCE = 1e-13
# A basis is kept on merging while it conditions all factors at least this well.
_GOOD_BASIS = 0.1


@final
@frozen(eq=False)
class Regressions:
    r"""One regression on q for each asset, over its own dates: the part of `Moments` that is as long as the assets.

    Attributes
    ----------
    pattern : array of int, shape (N,)
        Which pattern of missing dates each asset has.
    count : array of int, shape (P,)
        Observations in each pattern.
    q_mean : array, shape (P, K)
        Mean of q over the pattern's dates.
    q_gram : array, shape (P, K, K)
        G, the centred Gram matrix of q over the pattern's dates.
    r_mean : array, shape (N,)
        Mean excess return over the asset's dates.
    coefficients : array, shape (N, K)
        γ; the least-norm one where G lacks rank.
    rss : array, shape (N,)
        Residual sum of squares.
    """

    pattern: Index
    count: Index
    q_mean: Array
    q_gram: Array
    r_mean: Array
    coefficients: Array
    rss: Array

    def n_observations(self) -> Index:
        """Observations of each asset, shape (N,)."""
        return self.count[self.pattern]

    def fitted_squares(self) -> Array:
        """Return the explained sum of squares of each asset, γ'Gγ, shape (N,)."""
        return np.maximum(_quadratic(self.coefficients, self.q_gram, self.pattern), 0.0)

    def inverse_root(self) -> Array:
        """W, lower triangular, with W'W = G⁻¹ for each pattern, shape (K, K, P); infinite where there is none."""
        root, definite = _inverse_root(self.q_gram)
        return np.where(definite, root, np.inf)


def _frozen(regressions: Regressions) -> Regressions:
    """Make the arrays read-only; they were made here, so nobody else holds them."""
    for array in (getattr(regressions, f.name) for f in fields(Regressions)):
        array.flags.writeable = False
    return regressions


@final
@frozen(eq=False, repr=False)
class Moments:
    r"""Sufficient statistics of a panel for least squares: counts, means and centred cross-products.

    Held as what a regression makes of them, because that form adds up without cancellation. The factors are
    expressed in a basis, :math:`q = (f - o) A^{-1}`, in which they are orthonormal over the panel's dates. For each
    asset, over its own dates, there are the mean return, the coefficients :math:`\gamma` on q, and the residual
    sum of squares; for each pattern of missing dates, which assets may share, the count, the mean and the centred
    Gram matrix G of q. Centred cross-products follow: :math:`f\!\cdot\!r = G\gamma` and
    :math:`r\!\cdot\!r = rss + \gamma^\top G \gamma`.

    Make it with `Moments.of`; merge stretches of time with ``a + b``.

    Attributes
    ----------
    assets, factors : pandas.Index
        N and K labels.
    horizon : Horizon
        What one observation spans.
    sources, funded : tuple
        As in `ReturnPanel`.
    n_dates : int
        Dates seen, T.
    risk_free_mean : float
        Mean risk-free rate over all dates.
    factor_mean : array, shape (K,)
        Mean of f over all dates.
    factor_root : array, shape (K, K)
        S with S'S = the centred cross-products of f over all dates.
    origin : array, shape (K,)
        o, in units of f.
    basis : array, shape (K, K)
        A, invertible.
    regressions : Regressions
        What there is by asset.

    References
    ----------
    .. [1] Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for Computing the Sample Variance:
       Analysis and Recommendations. *The American Statistician* 37(3), 242-247 (the pairwise update).
    .. [2] Demmel, J., Grigori, L., Hoemmen, M. and Langou, J. (2012). Communication-optimal Parallel and
       Sequential QR and LU Factorizations. *SIAM J. Sci. Comput.* 34(1), A206-A239 (merging triangular factors).
    """

    assets: pd.Index[Any]
    factors: pd.Index[Any]
    horizon: Horizon
    sources: tuple[Any, ...]
    funded: tuple[bool, ...]
    n_dates: int
    risk_free_mean: float
    factor_mean: Array = field(converter=read_only)
    factor_root: Array = field(converter=read_only)
    origin: Array = field(converter=read_only)
    basis: Array = field(converter=read_only)
    regressions: Regressions = field(converter=_frozen)

    @classmethod
    def of(cls, panel: ReturnPanel) -> Self:
        """Read a panel once, in blocks of rows.

        Assets that share a pattern of missing dates share a Gram matrix. The few for which sums would cancel
        (almost perfectly explained, or hardly any dates) are read again and solved by orthogonal factorisation.
        """
        returns, factors, free = panel.arrays()
        mean = factors.mean(axis=0)
        axes = _Axes.of(factors - mean)
        return cls(
            assets=panel.asset_names,
            factors=panel.factor_names,
            horizon=panel.horizon,
            sources=panel.sources,
            funded=panel.funded,
            n_dates=len(returns),
            risk_free_mean=float(free.mean()),
            factor_mean=mean,
            factor_root=axes.root,
            origin=mean,
            basis=axes.basis,
            regressions=_read(returns, axes.q),
        )

    def __repr__(self) -> str:
        return (
            f"<Moments of {self.n_dates} dates × {len(self.assets)} assets, {len(self.factors)} factors, "
            f"per {self.horizon}>"
        )

    # -- merging -----------------------------------------------------------------------------------

    def __add__(self, other: Moments) -> Moments:
        """Merge two stretches of time over the same assets and factors, exactly.

        Raises
        ------
        HorizonMismatchError
            If the two are of different horizons.
        InvalidParameterError
            If they are not of the same assets and factors in the same order.
        """
        if not isinstance(other, Moments):
            return NotImplemented
        require_same(self.horizon, other.horizon, "moments to be merged")
        if not (self.assets.equals(other.assets) and self.factors.equals(other.factors)):
            raise InvalidParameterError(
                "moments to be merged must be of the same assets and factors in the same order, but "
                f"{self!r} and {other!r} are not; select(...) the panels first."
            )
        return _merge(self, other)


# -- the factors' basis ----------------------------------------------------------------------------


@frozen(eq=False)
class _Axes:
    """Centred factors X = Q S in a basis A, with Q'Q = I in as many directions as they span and zero in the rest."""

    q: Array  # T × K
    root: Array  # S
    basis: Array  # A: S, completed to be invertible

    @classmethod
    def of(cls, centred: Array) -> Self:
        t, k = centred.shape
        lengths = np.sqrt((centred * centred).sum(axis=0))
        lengths[lengths == 0] = 1.0
        # pivoting leaves what lacks rank to the last rows, where it can be told from the rest
        q, r, order = linalg.qr(np.vstack([centred / lengths, np.zeros((k, k))]), mode="economic", pivoting=True)
        spanned = np.abs(np.diag(r)) > _RANK_TOLERANCE
        q, r = q[:t] * spanned, r * spanned[:, None]
        root, basis = np.empty((k, k)), np.empty((k, k))
        root[:, order] = r
        basis[:, order] = r + np.diag(~spanned)
        return cls(q, root * lengths, basis * lengths)


def smallest_singular_value(root: Array) -> float:
    """Smallest singular value of the columns scaled to unit length (0 for a column of zeros)."""
    lengths = np.sqrt((root * root).sum(axis=0))
    if not root.size or (lengths == 0).any():
        return 0.0 if root.size else 1.0
    return float(np.linalg.svd(root / lengths, compute_uv=False)[-1])


# -- reading a panel -------------------------------------------------------------------------------


def _read(returns: Array, q: Array) -> Regressions:
    """Centre the sums over each asset's dates, solve each regression, and mend those that cancelled."""
    sums = Sums.of(returns, q)
    pattern, terms = _patterns(sums, q)
    k = q.shape[1]
    count, q_sum = terms[:, 0], terms[:, 1 : k + 1]
    q_mean = q_sum / np.maximum(count, 1.0)[:, None]
    raw = _symmetric(terms[:, k + 1 :], k)
    gram = raw - q_sum[:, :, None] * q_mean[:, None, :]
    r_sum, qr = sums.cross[0], sums.cross[1 : k + 1].T
    r_mean = r_sum / np.maximum(count, 1.0)[pattern]
    cross = qr - r_sum[:, None] * q_mean[pattern]
    inverse, well = _inverse(gram, raw)
    coefficients = _apply(inverse, cross, pattern)
    rss = sums.squares - r_sum * r_mean - np.einsum("nk,nk->n", coefficients, cross)
    fit = Regressions(pattern, np.rint(count).astype(np.intp), q_mean, gram, r_mean, coefficients, rss)
    suspect = (rss <= _CANCELS * sums.squares) | ~well[pattern]
    _mend(fit, returns, q, np.flatnonzero(suspect))
    return fit


def _patterns(sums: Sums, q: Array) -> tuple[Index, Array]:
    """Each asset's pattern, and the terms of each pattern; the first is that of no date missing."""
    complete = all_dates(q)
    pattern = np.zeros(len(sums.squares), dtype=np.intp)
    if not sums.ragged.any():
        return pattern, complete[None]
    ragged = np.flatnonzero(sums.ragged)
    marks = np.ascontiguousarray(sums.terms[ragged, -2:]).view(np.complex128)[:, 0]
    _, first, which = np.unique(marks, return_index=True, return_inverse=True)
    pattern[ragged] = which.reshape(-1) + 1
    return pattern, np.vstack([complete, sums.terms[ragged[first], :-2]])


def _symmetric(upper: Array, k: int) -> Array:
    """Matrices from their upper triangles."""
    at = np.empty((k, k), dtype=np.intp)
    i, j = upper_triangle(k)
    at[i, j] = at[j, i] = np.arange(len(i))
    return upper[:, at]


def _inverse(gram: Array, raw: Array) -> tuple[Array, Flags]:
    """Invert each pattern's Gram matrix; say which were conditioned well enough to."""
    k = gram.shape[1]
    if not k:
        return gram, np.ones(len(gram), dtype=bool)
    root, definite = _inverse_root(gram)
    scale = np.trace(raw, axis1=1, axis2=2) / k
    # the trace of the inverse bounds its largest eigenvalue from above
    well = definite & (_ILL_CONDITIONED * scale * np.einsum("ijp,ijp->p", root, root) < 1.0)
    root = root * well
    return np.einsum("kip,kjp->pij", root, root), well


def _inverse_root(gram: Array) -> tuple[Array, Flags]:
    """Invert the Cholesky factor of each matrix, all at once; W with W'W = G⁻¹, shape (K, K, P), and where it is."""
    k = gram.shape[1]
    g = np.ascontiguousarray(np.moveaxis(gram, 0, -1))
    lower, root = np.zeros_like(g), np.zeros_like(g)
    definite = np.ones(len(gram), dtype=bool)
    for j in range(k):
        column = g[j:, j] - np.einsum("ikp,kp->ip", lower[j:, :j], lower[j, :j])
        positive = column[0] > np.finfo(float).eps * g[j, j]
        definite &= positive
        lower[j:, j] = column / np.sqrt(np.where(positive, column[0], 1.0))
        diagonal = np.where(positive, lower[j, j], 1.0)
        root[j, j] = 1.0 / diagonal
        root[j, :j] = np.einsum("kp,kip->ip", lower[j, :j], root[:j, :j]) / -diagonal
    return root, definite


def _apply(matrices: Array, vectors: Array, at: Index) -> Array:
    """Multiply each asset's vector by its pattern's (symmetric) matrix."""
    if len(matrices) == 1:
        return np.asarray(vectors @ matrices[0])
    return np.asarray(np.einsum("nij,nj->ni", matrices[at], vectors))


def _quadratic(vectors: Array, matrices: Array, at: Index) -> Array:
    return np.asarray(np.einsum("nk,nk->n", vectors, _apply(matrices, vectors, at)))


def _mend(fit: Regressions, returns: Array, q: Array, assets: Index) -> None:
    """Solve some assets again from their own rows, by orthogonal factorisation, in place."""
    order = assets[np.argsort(fit.pattern[assets], kind="stable")]
    for chosen in np.split(order, np.flatnonzero(np.diff(fit.pattern[order])) + 1) if len(order) else []:
        p = fit.pattern[chosen[0]]
        columns = returns[:, chosen]
        rows = ~np.isnan(columns[:, 0])
        own = q[rows]
        if not len(own):
            fit.r_mean[chosen], fit.coefficients[chosen], fit.rss[chosen] = 0.0, 0.0, 0.0
            continue
        fit.q_mean[p] = own.mean(axis=0)
        own = own - fit.q_mean[p]
        fit.q_gram[p] = own.T @ own
        mean, coefficients, residuals = _least_squares(own, columns[rows])
        fit.r_mean[chosen] = mean
        fit.coefficients[chosen] = coefficients.T
        fit.rss[chosen] = np.einsum("tn,tn->n", residuals, residuals)


def _least_squares(q: Array, r: Array) -> tuple[Array, Array, Array]:
    """Mean, coefficients and residuals of r on centred q; the least-norm ones where q lacks rank."""
    mean = r.mean(axis=0)
    u, s, vt = np.linalg.svd(q, full_matrices=False)
    keep = s > _RANK_TOLERANCE * s.max(initial=0.0)
    u, inverse = u[:, keep], vt[keep].T / s[keep]
    residuals = r - mean
    scores = np.zeros((u.shape[1], r.shape[1]))
    for _ in range(2):  # the second time removes what rounding left of the first
        more = u.T @ residuals
        scores += more
        residuals = residuals - u @ more
        residuals = residuals - residuals.mean(axis=0)
    return mean, inverse @ scores, residuals


# -- merging two readings --------------------------------------------------------------------------


def _merge(a: Moments, b: Moments) -> Moments:
    n = a.n_dates + b.n_dates
    share = b.n_dates / n
    between = np.sqrt(a.n_dates * share) * (b.factor_mean - a.factor_mean)
    stacked = np.vstack([a.factor_root, b.factor_root, between])
    basis = _common_basis(a.basis, b.basis, stacked)
    return evolve(
        a,
        n_dates=n,
        risk_free_mean=a.risk_free_mean + share * (b.risk_free_mean - a.risk_free_mean),
        factor_mean=a.factor_mean + share * (b.factor_mean - a.factor_mean),
        factor_root=_Axes.of(stacked).root,
        basis=basis,
        regressions=_merge_regressions(_rebased(a, basis, a.origin), _rebased(b, basis, a.origin)),
    )


def _common_basis(a: Array, b: Array, stacked: Array) -> Array:
    """Keep a basis in which all factors together are still well conditioned, else make one."""
    for basis in (a, b):
        values = np.linalg.svd(_divide(stacked, basis), compute_uv=False)
        if values.min(initial=np.inf) > _GOOD_BASIS * values.max(initial=0.0):
            return basis
    return _Axes.of(stacked).basis


def _divide(left: Array, basis: Array) -> Array:
    """Left · A⁻¹."""
    return np.asarray(np.linalg.solve(basis.T, left.T).T)


def _rebased(m: Moments, basis: Array, origin: Array) -> Regressions:
    """Express moments in another basis: q' = q T + s with T = A A'⁻¹."""
    r = m.regressions
    shift = _divide((m.origin - origin)[None], basis)[0]
    if basis is m.basis:
        return evolve(r, q_mean=r.q_mean + shift)
    turn = _divide(m.basis, basis)
    return evolve(
        r,
        q_mean=r.q_mean @ turn + shift,
        q_gram=turn.T @ r.q_gram @ turn,
        coefficients=np.asarray(np.linalg.solve(turn, r.coefficients.T).T),
    )


def _merge_regressions(a: Regressions, b: Regressions) -> Regressions:
    """Merge two regressions; every term added to the residual squares is a square [pairwise update]."""
    pairs, pattern = np.unique(a.pattern * len(b.count) + b.pattern, return_inverse=True)
    pa, pb = np.divmod(pairs, len(b.count))
    na, nb = a.count[pa].astype(float), b.count[pb].astype(float)
    total = np.maximum(na + nb, 1.0)
    gap = b.q_mean[pb] - a.q_mean[pa]
    weight = na * nb / total
    gram = a.q_gram[pa] + b.q_gram[pb] + (weight[:, None] * gap)[:, :, None] * gap[:, None, :]
    share = (nb / total)[pattern]
    jump = b.r_mean - a.r_mean
    step = (weight[pattern] * jump)[:, None] * gap[pattern]
    cross = _apply(a.q_gram, a.coefficients, a.pattern) + _apply(b.q_gram, b.coefficients, b.pattern) + step
    coefficients = _solve_psd(gram, cross, pattern)
    rest = jump - np.einsum("nk,nk->n", coefficients, gap[pattern])
    rss = (
        a.rss + b.rss + _lost_squares(a, coefficients) + _lost_squares(b, coefficients) + weight[pattern] * rest * rest
    )
    return Regressions(
        pattern=pattern.reshape(-1),
        count=a.count[pa] + b.count[pb],
        q_mean=a.q_mean[pa] + (nb / total)[:, None] * gap,
        q_gram=gram,
        r_mean=a.r_mean + share * jump,
        coefficients=coefficients,
        rss=rss,
    )


def _lost_squares(own: Regressions, coefficients: Array) -> Array:
    """Squares that an asset's residuals gain by other coefficients than its own."""
    gap = own.coefficients - coefficients
    _, well = _inverse(own.q_gram, own.q_gram)
    poor = ~well[own.pattern]
    if poor.any():
        # the part of the gap that G cannot see is arbitrary and may be large: rounding must not make it count
        inverse = np.zeros_like(own.q_gram)
        inverse[~well] = np.linalg.pinv(own.q_gram[~well], rcond=_RANK_TOLERANCE, hermitian=True)
        seen = _apply(inverse, _apply(own.q_gram, gap, own.pattern), own.pattern)
        gap[poor] = seen[poor]
    return np.maximum(_quadratic(gap, own.q_gram, own.pattern), 0.0)


def _solve_psd(gram: Array, cross: Array, at: Index) -> Array:
    """Solve G γ = c for each asset; the least-norm γ where G lacks rank."""
    if not gram.shape[1]:
        return cross
    inverse, well = _inverse(gram, gram)
    if not well.all():
        inverse[~well] = np.linalg.pinv(gram[~well], rcond=_RANK_TOLERANCE, hermitian=True)
    return _apply(inverse, cross, at)
