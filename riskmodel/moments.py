"""Everything a least-squares estimator needs of a panel, as one value that merges."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, fields, frozen
from numpy.typing import NDArray
from scipy import linalg

from riskmodel.covariance import Array, read_only
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import Horizon, require_same
from riskmodel.panel import ReturnPanel

Index = NDArray[np.intp]

# Rows read at a time: a block of 128 rows and its products stay in cache.
_ROWS = 128
# Where residuals are a smaller share than this of the raw squares, differences of sums lose digits.
_CANCELS = 1e-4
# Where an asset's own dates condition its Gram matrix worse than this, its normal equations lose digits.
_ILL_CONDITIONED = 1e-4
# Singular values below this share of the largest are rounding, not variation.
_RANK_TOLERANCE = 1e-13
# Deviations this small beside the mean are the mean's own rounding.
_STILL = 1e-14
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
        centred = factors - mean
        # what is left of a constant is rounding, and not a direction
        still = np.abs(centred).max(axis=0, initial=0.0) <= _STILL * np.abs(mean)
        axes = _Axes.of(np.where(still, 0.0, centred))
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
        for what in ("assets", "factors", "funded"):
            if list(getattr(self, what)) != list(getattr(other, what)):
                raise InvalidParameterError(
                    "moments to be merged must be of the same assets and factors in the same order, but their "
                    f"{what} differ; select(...) the panels first."
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


@frozen(eq=False)
class _Sums:
    """Raw sums over the dates of each asset: r, q·r and r·r."""

    r: Array  # N
    qr: Array  # N × K
    rr: Array  # N


def _read(returns: Array, q: Array) -> Regressions:
    n = returns.shape[1]
    sums = _sums(returns, q)
    ragged = np.flatnonzero(np.isnan(sums.rr))
    if not len(ragged):
        patterns = _Patterns.complete(q, n)
    else:
        patterns = _Patterns.of(returns, ragged, q)
        part = _sums(np.nan_to_num(returns[:, ragged], copy=False, nan=0.0), q)
        sums.r[ragged], sums.qr[ragged], sums.rr[ragged] = part.r, part.qr, part.rr
    return _solve(returns, q, patterns, sums)


def _sums(returns: Array, q: Array) -> _Sums:
    t, n = returns.shape
    axes = np.hstack([np.ones((t, 1)), q])
    products = np.zeros((axes.shape[1], n))
    squares = np.zeros(n)
    for start in range(0, t, _ROWS):
        block = returns[start : start + _ROWS]
        products += axes[start : start + _ROWS].T @ block
        squares += np.einsum("tn,tn->n", block, block)
    return _Sums(products[0].copy(), products[1:].T.copy(), squares)


@frozen(eq=False)
class _Patterns:
    """The distinct patterns of missing dates; the first is that of no date missing."""

    of_asset: Index  # N
    present: NDArray[np.bool_]  # T × P
    count: Array  # P
    q_sum: Array  # P × K
    q_gram: Array  # P × K × K, not centred

    @classmethod
    def complete(cls, q: Array, n: int) -> Self:
        present = np.ones((len(q), 1), dtype=bool)
        return cls(np.zeros(n, dtype=np.intp), present, *_pattern_sums(present, q))

    @classmethod
    def of(cls, returns: Array, ragged: Index, q: Array) -> Self:
        present = ~np.isnan(returns[:, ragged])
        codes = np.packbits(present, axis=0).T
        found: dict[bytes, int] = {}
        which = np.array([found.setdefault(code.tobytes(), len(found)) for code in codes])
        first = np.unique(which, return_index=True)[1]
        distinct = np.hstack([np.ones((len(q), 1), dtype=bool), present[:, first]])
        of_asset = np.zeros(returns.shape[1], dtype=np.intp)
        of_asset[ragged] = which + 1
        return cls(of_asset, distinct, *_pattern_sums(distinct, q))


def _pattern_sums(present: NDArray[np.bool_], q: Array) -> tuple[Array, Array, Array]:
    """Count, sum of q and sum of q'q over each pattern's dates, as one matrix product."""
    t, k = q.shape
    upper = np.triu_indices(k)
    sums = np.zeros((1 + k + len(upper[0]), present.shape[1]))
    for start in range(0, t, _ROWS):
        rows = q[start : start + _ROWS]
        terms = np.hstack([np.ones((len(rows), 1)), rows, rows[:, upper[0]] * rows[:, upper[1]]])
        sums += terms.T @ present[start : start + _ROWS].astype(np.float64)
    gram = np.empty((present.shape[1], k, k))
    gram[:, upper[0], upper[1]] = sums[1 + k :].T
    gram[:, upper[1], upper[0]] = sums[1 + k :].T
    return sums[0], sums[1 : 1 + k].T, gram


def _solve(returns: Array, q: Array, patterns: _Patterns, sums: _Sums) -> Regressions:
    """Centre the sums, solve each asset, and mend those that cancelled."""
    seen = np.maximum(patterns.count, 1.0)
    q_mean = patterns.q_sum / seen[:, None]
    gram = patterns.q_gram - patterns.q_sum[:, :, None] * q_mean[:, None, :]
    at = patterns.of_asset
    n = patterns.count[at]
    r_mean = sums.r / np.maximum(n, 1.0)
    cross = sums.qr - sums.r[:, None] * q_mean[at]
    inverse, well = _inverse(gram, patterns.q_gram)
    coefficients = _apply(inverse, cross, at)
    squares = sums.rr - sums.r * r_mean
    rss = squares - np.einsum("nk,nk->n", coefficients, cross)
    fit = Regressions(at, np.rint(patterns.count).astype(np.intp), q_mean, gram, r_mean, coefficients, rss)
    suspect = (rss <= _CANCELS * sums.rr) | ~well[at]
    _mend(fit, returns, q, patterns, np.flatnonzero(suspect))
    return fit


def _inverse(gram: Array, raw: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Invert each pattern's Gram matrix; say which were conditioned well enough to."""
    scale = np.trace(raw, axis1=1, axis2=2) / max(raw.shape[1], 1)
    lowest = np.linalg.eigvalsh(gram)[:, 0] if gram.shape[1] else np.ones(len(gram))
    well = lowest > _ILL_CONDITIONED * scale if gram.shape[1] else np.ones(len(gram), dtype=bool)
    inverse = np.zeros_like(gram)
    inverse[well] = np.linalg.inv(gram[well])
    return inverse, well


def _apply(matrices: Array, vectors: Array, at: Index) -> Array:
    """Multiply each asset's vector by its pattern's (symmetric) matrix."""
    if len(matrices) == 1:
        return np.asarray(vectors @ matrices[0])
    return np.asarray(np.einsum("nij,nj->ni", matrices[at], vectors))


def _quadratic(vectors: Array, matrices: Array, at: Index) -> Array:
    return np.asarray(np.einsum("nk,nk->n", vectors, _apply(matrices, vectors, at)))


def _mend(fit: Regressions, returns: Array, q: Array, patterns: _Patterns, assets: Index) -> None:
    """Solve some assets again from their own rows, by orthogonal factorisation, in place."""
    for p in np.unique(fit.pattern[assets]):
        chosen = assets[fit.pattern[assets] == p]
        rows = patterns.present[:, p]
        own = q[rows]
        if not len(own):
            fit.r_mean[chosen], fit.coefficients[chosen], fit.rss[chosen] = 0.0, 0.0, 0.0
            continue
        fit.q_mean[p] = own.mean(axis=0)
        own = own - fit.q_mean[p]
        fit.q_gram[p] = own.T @ own
        r = returns[np.ix_(rows, chosen)]
        mean, coefficients, residuals = _least_squares(own, r)
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
