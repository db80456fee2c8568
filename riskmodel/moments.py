"""Everything a least-squares estimator needs of a panel, as one value that merges."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, final
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from attrs import evolve, field, fields, frozen
from numpy.typing import NDArray
from scipy import linalg
from scipy.linalg import lapack

from riskmodel import labels
from riskmodel.covariance import Array, by_constructor, floats, read_only
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import Horizon, require_same
from riskmodel.panel import Panel
from riskmodel.path import AnyPath, read_path
from riskmodel.sums import COUNT, WEIGHT_SQUARES, Flags, Index, Sums, all_dates, upper_triangle

if TYPE_CHECKING:
    from riskmodel.stored.returns import StoredReturns

# Where residuals are a smaller share than this of the raw squares, differences of sums lose digits.
CANCELS = 1e-4
# Where an asset's own dates condition its Gram matrix worse than this, its normal equations lose digits.
ILL_CONDITIONED = 1e-4
# Singular values below this share of the largest are rounding, not variation.
_RANK_TOLERANCE = 1e-13
# Deviations this small beside the mean are the mean's own rounding.
STILL = 1e-14
# Up to here, and down to its reciprocal, squares of weights and sums of them are numbers with all their digits.
_LARGEST_WEIGHT = 1e100
# Matrices of more rows than this are factorised one by one, smaller ones all at once.
_WIDE = 16
# What the same dates say agrees to this, however it was added up.
_SAME = 1e-9
# How many returns are solved again at a time.
_MENDED = 1 << 20
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
    weight, weight_squares : array, shape (P,)
        Σ w and Σ w² over the pattern's dates; both are the count where nothing is forgotten.
    q_mean : array, shape (P, K)
        Weighted mean of q over the pattern's dates.
    q_gram : array, shape (P, K, K)
        G, the weighted and centred Gram matrix of q over the pattern's dates.
    r_mean : array, shape (N,)
        Weighted mean excess return over the asset's dates.
    coefficients : array, shape (N, K)
        γ; the least-norm one where G lacks rank.
    rss : array, shape (N,)
        Weighted residual sum of squares.
    """

    pattern: Index
    count: Index
    weight: Array
    weight_squares: Array
    q_mean: Array
    q_gram: Array
    r_mean: Array
    coefficients: Array
    rss: Array

    def each(self, values: NDArray[Any]) -> NDArray[Any]:
        """What is known by pattern, by asset: shape (P,) to (N,)."""
        return values[self.pattern] if len(values) > 1 else np.broadcast_to(values, self.pattern.shape)

    def n_observations(self) -> Index:
        """Observations of each asset, shape (N,)."""
        return self.each(self.count)

    def dot(self, vectors: Array) -> Array:
        """The product of each asset's coefficients with its pattern's vector (P × K), shape (N,)."""
        return _dot(self.coefficients, vectors, self.pattern)

    def outer(self, numbers: Array, vectors: Array) -> Array:
        """The product of each asset's number (N) with its pattern's vector (P × J), shape (N, J)."""
        return _outer(numbers, vectors, self.pattern)

    def n_effective(self) -> Array:
        """As many equally weighted observations as would have means as precise [Kish], (Σ w)²/Σ w², shape (P,)."""
        return np.asarray(effective(self.weight, self.weight_squares))

    def without_rounding(self) -> Self:
        """The same, where returns that are all alike, but for the rounding of their mean, have no variance at all."""
        total = self.fitted_squares() + self.rss
        still = (total > 0) & (total <= self.each(self.weight) * (STILL * self.r_mean) ** 2)
        if not still.any():
            return self
        coefficients = np.where(still[:, None], 0.0, self.coefficients)
        return evolve(self, coefficients=coefficients, rss=np.where(still, 0.0, self.rss))

    def fitted_squares(self) -> Array:
        """Return the explained sum of squares of each asset, γ'Gγ, shape (N,)."""
        return np.maximum(_quadratic(self.coefficients, self.q_gram, self.pattern), 0.0)

    def inverse_root(self) -> Array:
        """W, lower triangular, with W'W = G⁻¹ for each pattern, shape (K, K, P); infinite where there is none."""
        root, definite = _inverse_root(self.q_gram)
        return np.where(definite, root, np.inf)


def effective(weight: Any, weight_squares: Any) -> Any:
    """(Σ w)²/Σ w², exactly the count where all weights are 1; 0 where there are none."""
    return weight * np.divide(weight, weight_squares, out=np.zeros_like(weight), where=np.asarray(weight_squares) > 0)


def _checked(weights: Array, t: int) -> Array:
    w = floats(weights)
    if w.shape != (t,) or not (np.isfinite(w) & (w > 0)).all():
        raise InvalidParameterError(f"weights must be {t} positive numbers, one for each date.")
    if not 1 / _LARGEST_WEIGHT <= w.max() <= _LARGEST_WEIGHT:
        raise InvalidParameterError(
            f"the largest weight must be between {1 / _LARGEST_WEIGHT:g} and {_LARGEST_WEIGHT:g}, but {w.max():g} "
            "came; divide all by it, which changes no estimate."
        )
    return w


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
    start, end : pandas.Timestamp
        The first and the last of them.
    weight, weight_squares : float
        Σ w and Σ w² over all dates; both are T where nothing is forgotten.
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
    retention : float, optional
        The share of its weight that a date keeps with each date that follows, where an estimator made these moments.

    References
    ----------
    .. [1] Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for Computing the Sample Variance:
       Analysis and Recommendations. *The American Statistician* 37(3), 242-247 (the pairwise update).
    .. [2] Demmel, J., Grigori, L., Hoemmen, M. and Langou, J. (2012). Communication-optimal Parallel and
       Sequential QR and LU Factorizations. *SIAM J. Sci. Comput.* 34(1), A206-A239 (merging triangular factors).
    .. [3] Kish, L. (1965). *Survey Sampling*. Wiley, section 11.7 (effective observations).
    .. [4] Plackett, R. L. (1950). Some Theorems in Least Squares. *Biometrika* 37(1/2), 149-157 (one date more).
    """

    assets: pd.Index[Any]
    factors: pd.Index[Any]
    horizon: Horizon
    sources: tuple[Any, ...]
    funded: tuple[bool, ...]
    n_dates: int
    start: pd.Timestamp
    end: pd.Timestamp
    weight: float
    weight_squares: float
    risk_free_mean: float
    factor_mean: Array = field(converter=read_only)
    factor_root: Array = field(converter=read_only)
    origin: Array = field(converter=read_only)
    basis: Array = field(converter=read_only)
    regressions: Regressions = field(converter=_frozen)
    retention: float | None = None

    __reduce__ = by_constructor

    @classmethod
    def of(cls, panel: Panel, weights: Array | None = None) -> Self:
        """Read a panel once, in blocks of rows.

        Parameters
        ----------
        panel : ReturnPanel or StoredPanel
            T dates. Of a stored one no more than a few blocks are held at any time.
        weights : array, shape (T,), optional
            How much each date counts, positive; by default 1.

        Notes
        -----
        Assets that share a pattern of missing dates share a Gram matrix. The few for which sums would cancel
        (almost perfectly explained, or hardly any dates) are read again and solved by orthogonal factorisation.
        """
        if not isinstance(panel, Panel):
            raise InvalidParameterError(f"moments are those of a ReturnPanel, but {type(panel).__name__} came.")
        returns, factors, free = panel.arrays()
        weights = None if weights is None else _checked(weights, len(factors))
        w = np.ones(len(factors)) if weights is None else weights
        share = w / w.sum()
        mean = share @ factors
        root_weights = np.sqrt(w)[:, None]
        centred = factors - mean
        # what is left of a constant is rounding, and not a direction
        still = np.abs(centred).max(axis=0, initial=0.0) <= STILL * np.abs(mean)
        axes = _Axes.of(np.where(still, 0.0, centred) * root_weights)
        return cls(
            assets=panel.asset_names,
            factors=panel.factor_names,
            horizon=panel.horizon,
            sources=panel.sources,
            funded=panel.funded,
            n_dates=len(factors),
            start=panel.dates[0],
            end=panel.dates[-1],
            weight=float(w.sum()),
            weight_squares=float(w @ w),
            risk_free_mean=float(share @ free),
            factor_mean=mean,
            factor_root=axes.root,
            origin=mean,
            basis=axes.basis,
            regressions=_read(returns, axes.q if weights is None else _unweighted(axes, centred, w), weights),
        )

    def keeping(self, retention: float) -> Self:
        """The same moments, which say how fast they forget."""
        return evolve(self, retention=retention)

    @property
    def n_effective(self) -> float:
        """(Σ w)²/Σ w² over all dates."""
        return float(effective(self.weight, self.weight_squares))

    def __repr__(self) -> str:
        return (
            f"<Moments of {self.n_dates} dates × {len(self.assets)} assets, {len(self.factors)} factors, "
            f"per {self.horizon}>"
        )

    # -- keeping ----------------------------------------------------------------------------------

    def save(self, path: AnyPath) -> None:
        """Write to a file of numpy's ``npz`` format, from which `load` reads the same bits; it replaces what is there.

        Raises
        ------
        InvalidParameterError
            If labels are anything but text and numbers, or if `path` is no path.
        OSError
            If the file cannot be written; what was there is left as it was.
        """
        path = read_path(path, "path")
        kept = {"version": _VERSION, "days": self.horizon.days, "name": self.horizon.name}
        kept |= {n: getattr(self, n) for n in ("n_dates", "weight", "weight_squares", "risk_free_mean", "retention")}
        kept |= {"start": self.start.isoformat(), "end": self.end.isoformat(), "funded": list(map(bool, self.funded))}
        kept |= {n: _plain(getattr(self, n), n) for n in ("assets", "factors")}
        arrays = {n: getattr(self, n) for n in _ARRAYS}
        arrays |= {f.name: getattr(self.regressions, f.name) for f in fields(Regressions)}
        part = Path(f"{path}.part")
        try:
            with part.open("wb") as file:
                np.savez(file, head=np.array(json.dumps(kept)), **arrays)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: AnyPath, factors: Sequence[Any] | None = None) -> Self:
        """Read what `save` wrote.

        Parameters
        ----------
        path : path
            The file.
        factors : sequence of Factor or str, optional
            Where factors are more than published names (a `Spread`, a class of your own), the factors themselves,
            which a file does not hold.

        Raises
        ------
        InvalidParameterError
            If the file is damaged, of another version or no such file, or if `factors` have other names.
        FileNotFoundError
            If there is none.
        """
        head, arrays = _read_file(read_path(path, "path"))
        names = pd.Index(head["factors"])
        sources = tuple(names if factors is None else labels.several(factors, "factors"))
        if [getattr(f, "name", f) for f in sources] != list(names):
            raise InvalidParameterError(f"{path} holds moments of the factors {list(names)}, but {sources} came.")
        return cls(
            assets=pd.Index(head["assets"]),
            factors=names,
            horizon=Horizon(head["days"], head["name"]),
            sources=sources,
            funded=tuple(head["funded"]),
            start=pd.Timestamp(head["start"]),
            end=pd.Timestamp(head["end"]),
            **{n: head[n] for n in ("n_dates", "weight", "weight_squares", "risk_free_mean", "retention")},
            **{n: arrays[n] for n in _ARRAYS},
            regressions=Regressions(**{f.name: arrays[f.name] for f in fields(Regressions)}),
        )

    # -- merging -----------------------------------------------------------------------------------

    def decay(self, keep: float) -> Self:
        """Let every date count `keep` times as much as it does, 0 < keep ≤ 1; means and loadings stay.

        Raises
        ------
        InvalidParameterError
            If `keep` is not such a number.
        """
        if not isinstance(keep, Real) or not 0.0 < keep <= 1.0:
            raise InvalidParameterError(f"what is kept must be above 0 and at most 1, but {keep!r} came.")
        r = self.regressions
        return evolve(
            self,
            weight=self.weight * keep,
            weight_squares=self.weight_squares * keep**2,
            factor_root=self.factor_root * np.sqrt(keep),
            regressions=evolve(
                r,
                weight=r.weight * keep,
                weight_squares=r.weight_squares * keep**2,
                q_gram=r.q_gram * keep,
                rss=r.rss * keep,
            ),
        )

    def __add__(self, other: Moments) -> Moments:
        """Merge two stretches of time over the same assets and factors, exactly.

        Whether a date is in both is not known: it would count twice. `Estimator.update` asks for later ones. Of
        moments that forget, the older ones must have been let `decay` over the dates of the newer ones, as
        `Estimator.update` does.

        Raises
        ------
        HorizonMismatchError
            If the two are of different horizons.
        InvalidParameterError
            If they are not of the same assets and factors in the same order, or forget at different rates.
        """
        if not isinstance(other, Moments):
            return NotImplemented
        require_same(self.horizon, other.horizon, "moments to be merged")
        for what in ("assets", "factors", "funded"):
            if not _same(getattr(self, what), getattr(other, what)):
                raise InvalidParameterError(
                    "moments to be merged must be of the same assets and factors in the same order, but their "
                    f"{what} differ; select(...) the panels first."
                )
        if len({self.retention, other.retention} - {None}) > 1:
            raise InvalidParameterError(
                "moments to be merged must forget alike, but from row to row a date keeps "
                f"{self.retention:.6g} of its weight in one and {other.retention:.6g} in the other."
            )
        return _merge(self, other)

    def beside(self, *others: Moments) -> Moments:
        """Put moments of other assets over the same dates beside these.

        Parameters
        ----------
        *others : Moments
            Of the same dates, weights, factors and horizon; no asset twice. Whether the dates are the same is told by
            how many, the first, the last, and what the weights and the factors over them sum to.

        Raises
        ------
        HorizonMismatchError
            If horizons differ.
        DuplicateLabelsError
            If an asset comes twice.
        InvalidParameterError
            If factors, dates or weights differ.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["KO", "XOM", "JPM"], ["Mkt-RF"])
        >>> some, rest = (rm.Moments.of(panel.select(assets)) for assets in (["KO"], ["XOM", "JPM"]))
        >>> some.beside(rest)
        <Moments of 4760 dates × 3 assets, 1 factors, per day>
        """
        for other in others:
            _require_same_dates(self, other)
        return evolve(
            self,
            assets=labels.unique(self.assets.append([m.assets for m in others]), "assets put beside each other"),
            regressions=_beside([self.regressions, *(_in_terms_of(self, m) for m in others)]),
        )


def _same(a: Any, b: Any) -> bool:
    return a is b or (a.equals(b) if isinstance(a, pd.Index) else a == b)


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
        if not centred.any():
            return cls(np.zeros((t, k)), np.zeros((k, k)), np.eye(k))
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


def _unweighted(axes: _Axes, centred: Array, weights: Array) -> Array:
    """Q without its weights; one step of refinement restores the digits of rows that counted little."""
    if len(weights) == 1:  # which has no slopes to speak of
        return axes.q
    q = axes.q / np.sqrt(weights)[:, None]
    return q + _divide(centred - q @ axes.basis, axes.basis)


def are_still(m: Moments, share: float) -> Flags:
    """Which factors vary by no more than a share of their mean, shape (K,)."""
    spread = np.sqrt((m.factor_root * m.factor_root).sum(axis=0))
    return np.asarray(spread <= share * np.sqrt(m.weight) * np.abs(m.factor_mean))


def smallest_singular_value(root: Array) -> float:
    """Smallest singular value of the columns scaled to unit length (0 for a column of zeros)."""
    lengths = np.sqrt((root * root).sum(axis=0))
    if not root.size or (lengths == 0).any():
        return 0.0 if root.size else 1.0
    return float(np.linalg.svd(root / lengths, compute_uv=False)[-1])


# -- reading a panel -------------------------------------------------------------------------------


def _one_date(returns: Array, k: int, weight: float) -> Regressions:
    """Return what one date says: means, and nothing about slopes."""
    missing = np.isnan(returns)
    patterns = 1 + int(missing.any())
    there = np.array([1, 0])[:patterns]
    return Regressions(
        pattern=missing.astype(np.intp),
        count=there,
        weight=there * weight,
        weight_squares=there * weight**2,
        q_mean=np.zeros((patterns, k)),
        q_gram=np.zeros((patterns, k, k)),
        r_mean=np.where(missing, 0.0, returns),
        coefficients=np.zeros((len(returns), k)),
        rss=np.zeros(len(returns)),
    )


def _read(returns: Array | StoredReturns, q: Array, weights: Array | None) -> Regressions:
    """Centre the sums over each asset's dates, solve each regression, and mend those that cancelled."""
    if len(returns) == 1:
        return _one_date(returns[:1][0], q.shape[1], 1.0 if weights is None else float(weights[0]))
    readings = [returns] if isinstance(returns, np.ndarray) else returns.readings()
    sums = Sums.beside([Sums.of(reading, q, weights) for reading in readings])
    pattern, terms = _patterns(sums, all_dates(q, weights))
    k = q.shape[1]
    weight, q_sum = terms[:, 0], terms[:, 1 : k + 1]
    divisor = np.where(weight > 0, weight, 1.0)
    q_mean = q_sum / divisor[:, None]
    raw = _symmetric(terms[:, k + 1 :], k)
    gram = raw - q_sum[:, :, None] * q_mean[:, None, :]
    r_sum, qr = sums.cross[:, 0], sums.cross[:, 1 : k + 1]
    r_mean = r_sum / divisor[pattern]
    cross = qr - r_sum[:, None] * q_mean[pattern]
    inverse, well = _inverse(gram, raw)
    coefficients = _apply(inverse, cross, pattern)
    rss = sums.squares - r_sum * r_mean - np.einsum("nk,nk->n", coefficients, cross)
    fit = Regressions(
        pattern=pattern,
        count=np.rint(terms[:, COUNT]).astype(np.intp),
        weight=weight,
        weight_squares=terms[:, WEIGHT_SQUARES],
        q_mean=q_mean,
        q_gram=gram,
        r_mean=r_mean,
        coefficients=coefficients,
        rss=rss,
    )
    suspect = (rss <= CANCELS * sums.squares) | ~well[pattern]
    _mend(fit, returns, q, weights, np.flatnonzero(suspect))
    return fit


def _patterns(sums: Sums, complete: Array) -> tuple[Index, Array]:
    """Each asset's pattern, and the terms of each pattern; the first is that of no date missing."""
    pattern = np.zeros(len(sums.squares), dtype=np.intp)
    if not sums.ragged.any():
        return pattern, np.append(complete, [0.0, 0.0])[None]
    ragged = np.flatnonzero(sums.ragged)
    marks = np.ascontiguousarray(sums.terms[ragged, -2:]).view(np.complex128)[:, 0]
    _, first, which = np.unique(marks, return_index=True, return_inverse=True)
    pattern[ragged] = which.reshape(-1) + 1
    return pattern, np.vstack([np.append(complete, [0.0, 0.0]), sums.terms[ragged[first]]])


def _symmetric(upper: Array, k: int) -> Array:
    """Matrices from their upper triangles."""
    at = np.empty((k, k), dtype=np.intp)
    i, j = upper_triangle(k)
    at[i, j] = at[j, i] = np.arange(len(i))
    return np.asarray(upper[:, at])


def _inverse(gram: Array, raw: Array) -> tuple[Array, Flags]:
    """Invert each pattern's Gram matrix; say which were conditioned well enough to."""
    k = gram.shape[1]
    if not k:
        return gram, np.ones(len(gram), dtype=bool)
    root, definite = _inverse_root(gram)
    scale = np.trace(raw, axis1=1, axis2=2) / k
    # the trace of the inverse bounds its largest eigenvalue from above
    well = definite & (ILL_CONDITIONED * scale * np.einsum("ijp,ijp->p", root, root) < 1.0)
    root = root * well
    if k > _WIDE:
        rows = np.ascontiguousarray(np.moveaxis(root, -1, 0))
        return rows.transpose(0, 2, 1) @ rows, well
    return np.einsum("kip,kjp->pij", root, root), well


def _inverse_root(gram: Array) -> tuple[Array, Flags]:
    """Invert the Cholesky factor of each matrix, all at once; W with W'W = G⁻¹, shape (K, K, P), and where it is."""
    k = gram.shape[1]
    if len(gram) == 1 or k > _WIDE:
        roots, each = zip(*map(_one_inverse_root, gram), strict=True)
        return np.stack(roots, axis=-1), np.array(each)
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


def _one_inverse_root(gram: Array) -> tuple[Array, bool]:
    """The same for one matrix."""
    if not len(gram):
        return gram, True
    lower, failed = lapack.dpotrf(gram, lower=1)
    definite = not failed and bool((np.diag(lower) ** 2 > np.finfo(float).eps * np.diag(gram)).all())
    root = lapack.dtrtri(lower, lower=1)[0] if definite else np.zeros_like(gram)
    return root, definite


def _apply(matrices: Array, vectors: Array, at: Index) -> Array:
    """Multiply each asset's vector by its pattern's (symmetric) matrix."""
    if len(matrices) == 1:
        return _times(vectors, matrices[0])
    return np.asarray(np.einsum("nij,nj->ni", matrices[at], vectors))


def _times(vectors: Array, matrix: Array) -> Array:
    """M v for each row v of many, held column by column: with few columns, what follows is quicker so."""
    return np.asarray((matrix @ vectors.T).T)


def _dot(vectors: Array, others: Array, at: Index) -> Array:
    """The product of each asset's vector with its pattern's."""
    if len(others) == 1:
        return np.asarray(vectors @ others[0])
    return np.asarray(np.einsum("nk,nk->n", vectors, others[at]))


def _outer(numbers: Array, vectors: Array, at: Index) -> Array:
    """Each asset's number times its pattern's vector."""
    if len(vectors) == 1:
        return np.asarray(np.multiply.outer(vectors[0], numbers).T)
    return np.asarray(numbers[:, None] * vectors[at])


def _quadratic(vectors: Array, matrices: Array, at: Index) -> Array:
    return np.asarray(np.einsum("nk,nk->n", vectors, _apply(matrices, vectors, at)))


def _mend(fit: Regressions, returns: Array | StoredReturns, q: Array, weights: Array | None, assets: Index) -> None:
    """Solve some assets again from their own rows, in place, a few at a time lest copies of all of them be held."""
    order = assets[np.argsort(fit.pattern[assets], kind="stable")]
    size = max(1, _MENDED // len(returns))
    for start in range(0, len(order), size):
        some = order[start : start + size]
        _solve_again(fit, some, returns[:, some], q, weights)


def _solve_again(fit: Regressions, assets: Index, returns: Array, q: Array, weights: Array | None) -> None:
    """Solve assets, sorted by pattern, by orthogonal factorisation."""
    own = fit.pattern[assets]
    for at in np.split(np.arange(len(assets)), np.flatnonzero(np.diff(own)) + 1):
        chosen, columns, p = assets[at], returns[:, at], own[at[0]]
        rows = ~np.isnan(columns[:, 0])
        if not rows.any():
            fit.r_mean[chosen], fit.coefficients[chosen], fit.rss[chosen] = 0.0, 0.0, 0.0
            continue
        root = np.ones(rows.sum()) if weights is None else np.sqrt(weights[rows])
        one = root / np.linalg.norm(root)
        fit.q_mean[p], x = _centred(q[rows] * root[:, None], one, root)
        fit.q_gram[p] = x.T @ x
        fit.r_mean[chosen], r = _centred(columns[rows] * root[:, None], one, root)
        coefficients, residuals = _least_squares(x, r, one)
        fit.coefficients[chosen] = coefficients.T
        fit.rss[chosen] = np.einsum("tn,tn->n", residuals, residuals)


def _centred(x: Array, one: Array, root: Array) -> tuple[Array, Array]:
    """The weighted means of columns times √w, and what is left of the columns."""
    mean = (one @ x) / np.linalg.norm(root)
    return mean, x - root[:, None] * mean


def _least_squares(q: Array, r: Array, one: Array) -> tuple[Array, Array]:
    """Coefficients and residuals of r on q, both centred; the least-norm ones where q lacks rank."""
    u, s, vt = np.linalg.svd(q, full_matrices=False)
    keep = s > _RANK_TOLERANCE * s.max(initial=0.0)
    u, inverse = u[:, keep], vt[keep].T / s[keep]
    residuals = r
    scores = np.zeros((u.shape[1], r.shape[1]))
    for _ in range(2):  # the second time removes what rounding left of the first
        more = u.T @ residuals
        scores += more
        residuals = residuals - u @ more
        residuals = residuals - np.outer(one, one @ residuals)
    return inverse @ scores, residuals


# -- merging two readings --------------------------------------------------------------------------


def _merge(a: Moments, b: Moments) -> Moments:
    weight = a.weight + b.weight
    share = b.weight / weight
    between = np.sqrt(a.weight * share) * (b.factor_mean - a.factor_mean)
    stacked = np.vstack([a.factor_root, b.factor_root, between])
    basis = _common_basis(a.basis, b.basis, stacked)
    return evolve(
        a,
        n_dates=a.n_dates + b.n_dates,
        start=min(a.start, b.start),
        end=max(a.end, b.end),
        weight=weight,
        weight_squares=a.weight_squares + b.weight_squares,
        risk_free_mean=a.risk_free_mean + share * (b.risk_free_mean - a.risk_free_mean),
        factor_mean=a.factor_mean + share * (b.factor_mean - a.factor_mean),
        factor_root=np.linalg.qr(stacked, mode="r")[: len(basis)],
        basis=basis,
        retention=a.retention if b.retention is None else b.retention,
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
    if basis is m.basis and origin is m.origin:
        return r
    shift = _divide((m.origin - origin)[None], basis)[0]
    if basis is m.basis:
        return evolve(r, q_mean=r.q_mean + shift)
    turn = _divide(m.basis, basis)
    if r.count.max() <= 1:  # which says nothing about slopes
        return evolve(r, q_mean=r.q_mean @ turn + shift)
    return evolve(
        r,
        q_mean=r.q_mean @ turn + shift,
        q_gram=turn.T @ r.q_gram @ turn,
        coefficients=_times(r.coefficients, np.asarray(np.linalg.inv(turn))),
    )


@frozen(eq=False)
class _Gap:
    """How far apart the means of two stretches are, and what that weighs."""

    pattern: Index  # N: each asset's pattern in the two together
    weight: Array  # P: w_a w_b / (w_a + w_b)
    q: Array  # P × K
    r: Array  # N

    def surprise(self, coefficients: Array) -> Array:
        """The part of the gap in mean returns that the coefficients leave unexplained."""
        return np.asarray(self.r - _dot(coefficients, self.q, self.pattern))


def _merge_regressions(a: Regressions, b: Regressions) -> Regressions:
    """Merge two regressions; every term added to the residual squares is a square [pairwise update]."""
    pattern, pa, pb = _pairs(a, b)
    na, nb = a.weight[pa], b.weight[pb]
    total = np.where(na + nb > 0, na + nb, 1.0)
    gap = _Gap(pattern, na * nb / total, b.q_mean[pb] - a.q_mean[pa], b.r_mean - a.r_mean)
    gram = a.q_gram[pa] + b.q_gram[pb] + (gap.weight[:, None] * gap.q)[:, :, None] * gap.q[:, None, :]
    inverse, well = _inverse(a.q_gram, a.q_gram) if b.count.max() <= 1 else (gram, np.zeros(1, dtype=bool))
    if well.all():
        coefficients, rss = _with_one_date(a, gap, inverse[pa])
    else:
        coefficients, rss = _solve_together(a, b, gap, gram)
    return Regressions(
        pattern=pattern,
        count=a.count[pa] + b.count[pb],
        weight=na + nb,
        weight_squares=a.weight_squares[pa] + b.weight_squares[pb],
        q_mean=a.q_mean[pa] + (nb / total)[:, None] * gap.q,
        q_gram=gram,
        r_mean=a.r_mean + (nb / total)[pattern] * gap.r,
        coefficients=coefficients,
        rss=rss,
    )


def _pairs(a: Regressions, b: Regressions) -> tuple[Index, Index, Index]:
    """Each asset's pattern in the two together, and which patterns those were in each."""
    if len(b.count) == 1:
        return a.pattern, np.arange(len(a.count)), np.zeros(len(a.count), dtype=np.intp)
    pairs, pattern = np.unique(a.pattern * len(b.count) + b.pattern, return_inverse=True)
    return pattern.reshape(-1), *np.divmod(pairs, len(b.count))


def _with_one_date(a: Regressions, gap: _Gap, inverse: Array) -> tuple[Array, Array]:
    """Coefficients and residual squares with one date more: a step of recursive least squares [4]_."""
    turned = np.einsum("pij,pj->pi", inverse, gap.q)
    kept = gap.weight / (1.0 + gap.weight * np.einsum("pi,pi->p", turned, gap.q))
    gain = kept[:, None] * turned
    surprise = gap.surprise(a.coefficients)
    lost = (kept[0] if len(kept) == 1 else kept[gap.pattern]) * surprise * surprise
    return a.coefficients + _outer(surprise, gain, gap.pattern), a.rss + lost


def _solve_together(a: Regressions, b: Regressions, gap: _Gap, gram: Array) -> tuple[Array, Array]:
    """Coefficients and residual squares of two stretches together."""
    weight = gap.weight[gap.pattern]
    step = (weight * gap.r)[:, None] * gap.q[gap.pattern]
    cross = _apply(a.q_gram, a.coefficients, a.pattern) + _apply(b.q_gram, b.coefficients, b.pattern) + step
    coefficients = _solve_psd(gram, cross, gap.pattern)
    lost = _lost_squares(a, coefficients) + _lost_squares(b, coefficients)
    return coefficients, a.rss + b.rss + lost + weight * gap.surprise(coefficients) ** 2


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


# -- putting assets beside each other --------------------------------------------------------------


def _require_same_dates(a: Moments, b: Any) -> None:
    if not isinstance(b, Moments):
        raise InvalidParameterError(f"moments are put beside Moments, but {type(b).__name__} came; see Moments.of.")
    require_same(a.horizon, b.horizon, "moments to be put beside each other")
    for what in ("factors", "funded"):
        if list(getattr(a, what)) != list(getattr(b, what)):
            raise InvalidParameterError(
                f"moments to be put beside each other must be of the same factors in the same order, but their {what} "
                "differ; select(...) the panels first."
            )
    spans = [f"{m.n_dates} from {m.start.date()} to {m.end.date()}" for m in (a, b)]
    if spans[0] != spans[1]:
        raise InvalidParameterError(
            f"moments to be put beside each other must be of the same dates, but {spans[0]} and {spans[1]} came; "
            "those of other dates are merged with +."
        )
    if not _weighted_alike(a, b):
        raise InvalidParameterError(
            "moments to be put beside each other must be of the same dates with the same weights, but their weights, "
            "factor returns or risk-free rates differ; make both by one estimator over the same dates."
        )


def _weighted_alike(a: Moments, b: Moments) -> bool:
    """Whether all that the dates say, whatever the assets, is the same but for rounding."""
    gram, other = a.factor_root.T @ a.factor_root, b.factor_root.T @ b.factor_root
    size = np.sqrt(np.diag(gram))
    scale = np.abs(a.factor_mean) + size / np.sqrt(a.weight)
    mine, theirs = ([m.weight, m.weight_squares, m.risk_free_mean] for m in (a, b))
    return bool(
        np.allclose(mine, theirs, rtol=_SAME, atol=0.0)
        and (np.abs(b.factor_mean - a.factor_mean) <= _SAME * scale).all()
        and (np.abs(other - gram) <= _SAME * np.outer(size, size)).all()
    )


def _in_terms_of(a: Moments, b: Moments) -> Regressions:
    """The regressions of b in the basis of a."""
    if np.array_equal(a.basis, b.basis) and np.array_equal(a.origin, b.origin):
        return b.regressions
    return _rebased(b, a.basis, a.origin)


def _beside(parts: list[Regressions]) -> Regressions:
    """All assets of several regressions; a pattern that several of them have is kept once."""
    first = np.cumsum([0, *(len(p.count) for p in parts)])
    n = first[-1]
    joined = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Regressions)}
    pattern = np.concatenate([p.pattern + at for p, at in zip(parts, first, strict=False)])
    by_pattern = ("count", "weight", "weight_squares", "q_mean", "q_gram")
    rows = np.column_stack([joined[name].reshape(n, joined[name].size // n) for name in by_pattern])
    _, kept, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    joined |= {name: joined[name][kept] for name in by_pattern}
    return Regressions(**joined | {"pattern": which.reshape(-1)[pattern]})


# -- files -----------------------------------------------------------------------------------------

_VERSION = 2
_HEAD = {"version", "days", "name", "start", "end", "funded", "assets", "factors"} | {
    "n_dates", "weight", "weight_squares", "risk_free_mean", "retention"
}  # fmt: skip
_ARRAYS = ("factor_mean", "factor_root", "origin", "basis")


def _plain(labels: pd.Index[Any], what: str) -> list[Any]:
    """Labels as JSON can hold them."""
    values = [v.item() if isinstance(v, np.generic) else v for v in labels.tolist()]
    if not all(isinstance(v, str | int | float) for v in values):
        raise InvalidParameterError(f"only {what} labelled by text or numbers can be saved; rename them.")
    return values


def _read_file(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = json.loads(str(arrays["head"]))
        version, whole = head["version"], head["version"] != _VERSION or _is_whole(head, arrays)
    except FileNotFoundError:
        raise
    except _DAMAGE as error:
        raise InvalidParameterError(f"{path} is damaged, or no file that Moments.save wrote; save it again.") from error
    if not whole:
        raise InvalidParameterError(f"{path} lacks a part of what Moments.save wrote, or has it in another shape.")
    if version != _VERSION:
        raise InvalidParameterError(
            f"{path} is of version {version} and this riskmodel reads version {_VERSION}; read the panel again "
            "or use the riskmodel that wrote it.",
            version=version,
        )
    return head, arrays


_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, NotImplementedError, BadZipFile, zlib.error)


def _is_whole(head: dict[str, Any], arrays: dict[str, Any]) -> bool:
    """Whether everything is there, in shapes that fit."""
    n, k, p = len(head["assets"]), len(head["factors"]), len(arrays["count"])
    by_pattern = dict.fromkeys(("count", "weight", "weight_squares"), (p,))
    by_asset = dict.fromkeys(("pattern", "r_mean", "rss"), (n,))
    shapes = by_pattern | by_asset | {"q_mean": (p, k), "q_gram": (p, k, k), "coefficients": (n, k)}
    shapes |= {"factor_mean": (k,), "origin": (k,), "factor_root": (k, k), "basis": (k, k)}
    fits = all(arrays[name].shape == shape for name, shape in shapes.items())
    known = n == 0 or (arrays["pattern"].min() >= 0 and arrays["pattern"].max() < p)
    return fits and bool(known) and head.keys() >= _HEAD and len(head["funded"]) == k
