"""The covariance matrix of a factor model: low rank plus diagonal, never an N × N array unless asked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from riskmodel import labels
from riskmodel.errors import (
    InvalidParameterError,
    SingularCovarianceError,
    TooLargeError,
    UnknownAssetError,
)
from riskmodel.horizon import Horizon, Variance, Volatility

Array = NDArray[np.float64]

DENSE_LIMIT = 5_000  # 200 MB of float64

# Below this share of its factor variance, an idio variance is too small to divide by.
_SMALL_IDIO = 1e-10


def read_only(values: ArrayLike) -> Array:
    """Return a float64 array that nobody can write to: a copy, unless it is such an array already."""
    if isinstance(values, np.ndarray) and _is_frozen(values):
        return values
    array = np.array(values, dtype=np.float64, order="C")
    array.flags.writeable = False
    return array


def _is_frozen(values: NDArray[Any]) -> bool:
    flags = values.flags
    return values.dtype == np.float64 and values.base is None and flags.c_contiguous and not flags.writeable


def _check_shapes(self: FactorCovariance, *_: object) -> None:
    n, k = len(self.assets), len(self.factors)
    expected = {"loadings": (n, k), "factor_covariance": (k, k), "idio_variance": (n,)}
    for name, shape in expected.items():
        came = getattr(self, f"_{name}")
        if came.shape != shape:
            raise InvalidParameterError(
                f"{name} must have shape {shape} for {n} assets and {k} factors, but {came.shape} came."
            )
        if not np.isfinite(came).all():
            raise InvalidParameterError(f"{name} must be finite, but it holds NaN or infinity.")
    if (self._idio_variance < 0).any():
        negative = list(self.assets[self._idio_variance < 0])
        raise InvalidParameterError(
            f"idio_variance must not be negative, but it is for {labels.listing(negative)}.", assets=negative
        )
    _check_positive_semidefinite(self._factor_covariance)


def _check_positive_semidefinite(matrix: Array) -> None:
    scale = np.abs(matrix).max(initial=0.0)
    if scale and np.abs(matrix - matrix.T).max() > 1e-10 * scale:
        raise InvalidParameterError("factor_covariance must be symmetric, but it is not.")
    variances = np.diag(matrix)
    if (variances < 0).any():
        raise InvalidParameterError("factor_covariance has a negative variance on its diagonal.")
    # judged as a correlation matrix, so that factors of very different scale are treated alike
    scales = np.sqrt(np.where(variances > 0, variances, 1.0))
    lowest = linalg.eigvalsh(matrix / np.outer(scales, scales)).min(initial=0.0)
    if lowest < -1e-8:
        raise InvalidParameterError(
            "factor_covariance must be positive semidefinite, but as a correlation matrix it has the "
            f"eigenvalue {lowest:.3g}; was it put together from pieces?"
        )


@final
@frozen(eq=False, repr=False)
class FactorCovariance:
    r"""The N × N covariance :math:`\Sigma = B F B^\top + D` of asset returns, held as its parts.

    Parameters
    ----------
    assets, factors : pandas.Index
        Labels, N and K of them.
    loadings : array, shape (N, K)
        B, dimensionless.
    factor_covariance : array, shape (K, K)
        F, symmetric positive semidefinite (it may be singular), return² at `horizon`.
    idio_variance : array, shape (N,)
        The diagonal of D, not negative (zeros are allowed), return² at `horizon`.
    horizon : Horizon
        What the variances refer to.

    Raises
    ------
    InvalidParameterError
        For shapes that do not fit, NaN, infinities, a negative idio variance, or F not positive semidefinite.

    Notes
    -----
    Every operation costs O(N·K) time and memory per vector. Weights and right-hand sides may be an array of
    length N (or N × M), or a Series (or frame) labelled by asset, in which assets that are left out weigh zero;
    what comes back is of the same kind. Solving uses the Woodbury identity [1]_ on :math:`F = L L^\top`, so a
    singular F costs nothing; assets with little or no idio variance are eliminated as a block (a Schur
    complement), so they do not spoil the rest.

    References
    ----------
    .. [1] Hager, W. W. (1989). Updating the Inverse of a Matrix. *SIAM Review* 31(2), 221-239.

    Examples
    --------
    >>> import numpy as np, pandas as pd, riskmodel as rm
    >>> cov = rm.FactorCovariance(["A", "B"], ["Mkt"], [[1.0], [0.5]], [[0.04]], [0.01, 0.02], rm.YEAR)
    >>> cov.to_dense()
          A     B
    A  0.05  0.02
    B  0.02  0.03
    >>> cov.volatility(pd.Series({"B": 1.0}))
    Volatility(0.1732050807568877..., YEAR)
    """

    assets: pd.Index = field(converter=lambda x: labels.unique(x, "assets"))
    factors: pd.Index = field(converter=lambda x: labels.unique(x, "factors"))
    _loadings: Array = field(converter=read_only)
    _factor_covariance: Array = field(converter=read_only)
    _idio_variance: Array = field(converter=read_only)
    horizon: Horizon = field(validator=_check_shapes)

    # numpy must leave `array @ cov` to __rmatmul__
    __array_ufunc__ = None

    def __repr__(self) -> str:
        return f"<FactorCovariance {len(self.assets)} assets, {len(self.factors)} factors, per {self.horizon}>"

    # -- its parts ---------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        """(N, N)."""
        return len(self.assets), len(self.assets)

    @property
    def loadings(self) -> pd.DataFrame:
        """B, assets × factors."""
        return pd.DataFrame(self._loadings, self.assets, self.factors, copy=False)

    @property
    def factor_covariance(self) -> pd.DataFrame:
        """F, factors × factors, return² at the horizon."""
        return pd.DataFrame(self._factor_covariance, self.factors, self.factors, copy=False)

    @property
    def idio_variance(self) -> pd.Series[float]:
        """The diagonal of D by asset, return² at the horizon."""
        return pd.Series(self._idio_variance, self.assets, name="idio_variance", copy=False)

    @property
    def n_parameters(self) -> int:
        """Free parameters: N·K loadings, K(K+1)/2 factor covariances, N idio variances."""
        n, k = self._loadings.shape
        return n * k + k * (k + 1) // 2 + n

    @property
    def n_parameters_unrestricted(self) -> int:
        """Free parameters of a covariance matrix without structure: N(N+1)/2."""
        n = len(self.assets)
        return n * (n + 1) // 2

    @cached_property
    def _root(self) -> Array:
        """L with F = L L', shape (K, rank of F)."""
        scales = np.sqrt(np.diag(self._factor_covariance))
        safe = np.where(scales > 0, scales, 1.0)
        values, vectors = linalg.eigh(self._factor_covariance / np.outer(safe, safe))
        keep = values > 1e-15 * values.max(initial=0.0)
        return np.asarray(safe[:, None] * vectors[:, keep] * np.sqrt(values[keep]))

    @cached_property
    def _systematic(self) -> Array:
        """The factor variance of each asset, the diagonal of B F B', shape (N,)."""
        variances = np.empty(len(self.assets))
        for rows in _row_blocks(len(variances)):
            scores = self._loadings[rows] @ self._root
            variances[rows] = np.einsum("nk,nk->n", scores, scores)
        return variances

    # -- products ----------------------------------------------------------------------------------

    def __matmul__(self, other: Any) -> Any:
        """Σ w, for a vector or a matrix of vectors."""
        values, wrap = self._read(other)
        return wrap(self._multiply(values))

    def __rmatmul__(self, other: Any) -> Any:
        """W' Σ, equal to Σ w because Σ is symmetric."""
        values = np.asarray(other, dtype=np.float64)
        return self._multiply(self._rows(values.T)).T

    def _multiply(self, w: Array) -> Array:
        systematic = self._loadings @ (self._factor_covariance @ (self._loadings.T @ w))
        return np.asarray(systematic + (self._idio_variance * w.T).T)

    def marginal(self, w: Any) -> Any:
        """Marginal contribution of each asset to the volatility of `w`: (Σ w) / σ(w), per unit of weight."""
        values, wrap = self._read(w)
        volatility = np.sqrt(self._quadratic(values))
        if volatility == 0:
            raise InvalidParameterError("the volatility of these weights is zero, so it has no derivative there.")
        return wrap(self._multiply(values) / volatility)

    def variance(self, w: Any) -> Variance:
        """w' Σ w, return² at the horizon."""
        return Variance(self._quadratic(self._read(w)[0]), self.horizon)

    def volatility(self, w: Any) -> Volatility:
        """√(w' Σ w), return at the horizon."""
        return Volatility(np.sqrt(self._quadratic(self._read(w)[0])), self.horizon)

    def covariance(self, w: Any, v: Any) -> Variance:
        """w' Σ v, return² at the horizon."""
        left, right = self._read(w)[0], self._read(v)[0]
        _require_vectors(left, right)
        return Variance(float(left @ self._multiply(right)), self.horizon)

    def beta(self, w: Any, benchmark: Any) -> float:
        """Beta of `w` on the portfolio `benchmark`: w' Σ b / b' Σ b (dimensionless)."""
        variance = self.variance(benchmark)
        if variance == 0:
            raise InvalidParameterError("the benchmark has no variance, so nothing has a beta to it.")
        return float(self.covariance(w, benchmark)) / float(variance)

    def _quadratic(self, w: Array) -> float:
        _require_vectors(w)
        exposures = self._loadings.T @ w
        # a sum of two non-negative terms: rounding must not make the first negative
        systematic = max(float(exposures @ self._factor_covariance @ exposures), 0.0)
        return systematic + float(self._idio_variance @ (w * w))

    def diagonal(self) -> pd.Series[float]:
        """The variance of each asset, return² at the horizon."""
        return pd.Series(self._systematic + self._idio_variance, self.assets, name="variance", copy=False)

    # -- inverse -----------------------------------------------------------------------------------

    @cached_property
    def _elimination(self) -> _Elimination:
        return _Elimination.of(self._loadings, self._root, self._idio_variance, self._thin, self.assets)

    @cached_property
    def _thin(self) -> NDArray[np.intp]:
        """Positions of the assets with too little idio variance to divide by."""
        rank = self._root.shape[1]
        thin = np.flatnonzero(self._idio_variance <= _SMALL_IDIO * self._systematic)
        if len(thin) > rank:
            # the Schur complement would be large: keep to those that cannot be divided by at all
            thin = np.flatnonzero(self._idio_variance <= np.finfo(float).eps * self._systematic)
        return thin

    def solve(self, b: Any) -> Any:
        """Σ⁻¹ b, for a vector or a matrix of vectors; factorised once and kept.

        Raises
        ------
        SingularCovarianceError
            If Σ cannot be inverted; the message and ``details["assets"]`` name the assets that make it so.
        """
        values, wrap = self._read(b)
        return wrap(self._elimination.solve(values))

    def logdet(self) -> float:
        """Log of the determinant of Σ; raises `SingularCovarianceError` where Σ is singular."""
        return self._elimination.logdet()

    # -- draws -------------------------------------------------------------------------------------

    def sample(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        """Draw `n` independent zero-mean normal returns with this covariance.

        Parameters
        ----------
        n : int
            How many draws.
        rng : numpy.random.Generator
            Where the randomness comes from, for instance ``numpy.random.default_rng(0)``.

        Returns
        -------
        DataFrame, shape (n, N)
            Returns at the horizon, decimals.
        """
        draws = rng.standard_normal((n, len(self.assets)))
        draws *= np.sqrt(self._idio_variance)
        draws += (rng.standard_normal((n, self._root.shape[1])) @ self._root.T) @ self._loadings.T
        return pd.DataFrame(draws, columns=self.assets, copy=False)

    # -- other forms -------------------------------------------------------------------------------

    def to_dense(self, limit: int = DENSE_LIMIT) -> pd.DataFrame:
        """The N × N matrix itself, assets × assets.

        Parameters
        ----------
        limit : int
            The largest N for which to do it: N² numbers of 8 bytes are needed.

        Raises
        ------
        TooLargeError
            If there are more than `limit` assets.
        """
        n = len(self.assets)
        if n > limit:
            raise TooLargeError(
                f"a dense {n} × {n} matrix takes {8e-9 * n * n:,.1f} GB and the limit is {limit} assets; use "
                f"cov @ w, cov.solve(b) or cov.restrict(assets), or say to_dense(limit={n}).",
                n_assets=n,
                limit=limit,
            )
        dense = self._loadings @ self._factor_covariance @ self._loadings.T
        dense = (dense + dense.T) / 2
        dense[np.diag_indices(n)] += self._idio_variance
        return pd.DataFrame(dense, self.assets, self.assets, copy=False)

    def at(self, horizon: Horizon) -> Self:
        """The same covariance at another horizon: Σ·h."""
        return evolve(
            self,
            factor_covariance=self.horizon.scale_variance(self._factor_covariance, to=horizon),
            idio_variance=self.horizon.scale_variance(self._idio_variance, to=horizon),
            horizon=horizon,
        )

    def restrict(self, assets: Any) -> Self:
        """The covariance of some of the assets, in the order given; unknown ones raise `UnknownAssetError`."""
        wanted = labels.unique(assets, "assets")
        at = labels.positions(wanted, self.assets, "asset", UnknownAssetError)
        return evolve(self, assets=wanted, loadings=self._loadings[at], idio_variance=self._idio_variance[at])

    # -- reading arguments -------------------------------------------------------------------------

    def _read(self, values: Any) -> tuple[Array, Any]:
        """Return an array by asset, and how to label a result of the same shape."""
        if isinstance(values, pd.Series | pd.DataFrame):
            labelled = self._rows(self._by_asset(values))
            if isinstance(values, pd.Series):
                return labelled, lambda a: pd.Series(a, self.assets, name=values.name, copy=False)
            return labelled, lambda a: pd.DataFrame(a, self.assets, values.columns, copy=False)
        if isinstance(values, dict):
            return self._read(pd.Series(values, dtype=np.float64))
        return self._rows(np.asarray(values, dtype=np.float64)), lambda a: a

    def _by_asset(self, values: pd.Series[Any] | pd.DataFrame) -> Array:
        index = labels.unique(values.index, "assets")
        at = labels.positions(index, self.assets, "asset", UnknownAssetError)
        full = np.zeros((len(self.assets), *values.shape[1:]))
        full[at] = values.to_numpy(dtype=np.float64)
        return full

    def _rows(self, values: Array) -> Array:
        if values.ndim not in (1, 2) or len(values) != len(self.assets):
            raise InvalidParameterError(
                f"an array must have one row for each of the {len(self.assets)} assets, but its shape is "
                f"{values.shape}; a Series labelled by asset may leave some out."
            )
        if not np.isfinite(values).all():
            raise InvalidParameterError("weights and right-hand sides must be finite, but NaN or infinity came.")
        return values


def _require_vectors(*values: Array) -> None:
    for v in values:
        if v.ndim != 1:
            raise InvalidParameterError(f"one vector of weights is wanted, but an array of shape {v.shape} came.")


@frozen(eq=False)
class _Elimination:
    """Σ = U U' + D with U = B L, factorised once; only B itself is as long as the assets are many.

    The assets with ample idio variance (P) are eliminated by Woodbury; the few without (Z) by the Schur
    complement S = U_Z C⁻¹ U_Z' + D_Z, where C = I + U_P' D_P⁻¹ U_P. With y = U'x the equations are
    D_P x_P + U_P y = b_P and D_Z x_Z + U_Z y = b_Z.
    """

    loadings: Array  # B
    root: Array  # L
    precision: Array  # 1 / D on P, 0 on Z
    thin: NDArray[np.intp]  # Z
    thin_scores: Array  # U_Z
    capacitance: Array  # Cholesky of C, lower
    schur: Array  # Cholesky of S, lower

    @classmethod
    def of(cls, loadings: Array, root: Array, idio: Array, thin: NDArray[np.intp], assets: pd.Index) -> Self:
        precision = np.divide(1.0, idio, where=idio > 0, out=np.zeros_like(idio))
        precision[thin] = 0.0
        gram = np.zeros((loadings.shape[1],) * 2)
        for rows in _row_blocks(len(loadings)):
            gram += (loadings[rows].T * precision[rows]) @ loadings[rows]
        capacitance = linalg.cholesky(np.eye(root.shape[1]) + root.T @ gram @ root, lower=True)
        scores = loadings[thin] @ root
        _require_independent(scores, assets[thin])
        inner = linalg.solve_triangular(capacitance, scores.T, lower=True)
        schur = _cholesky(inner.T @ inner + np.diag(idio[thin]), assets[thin])
        return cls(loadings, root, precision, thin, scores, capacitance, schur)

    def solve(self, b: Array) -> Array:
        """Σ⁻¹ b."""
        weighted = (b.T * self.precision).T
        y = self.root.T @ (self.loadings.T @ weighted)
        rest = b[self.thin] - self.thin_scores @ linalg.cho_solve((self.capacitance, True), y)
        x_thin = linalg.cho_solve((self.schur, True), rest)
        y = linalg.cho_solve((self.capacitance, True), y + self.thin_scores.T @ x_thin)
        x = weighted - ((self.loadings @ (self.root @ y)).T * self.precision).T
        x[self.thin] = x_thin
        return np.asarray(x)

    def logdet(self) -> float:
        """Log det Σ = log det D_P + log det C + log det S."""
        ample = self.precision[self.precision > 0]
        diagonals = np.concatenate([np.diag(self.capacitance), np.diag(self.schur)])
        return float(2.0 * np.log(diagonals).sum() - np.log(ample).sum())


def _row_blocks(n: int, size: int = 8_192) -> Iterator[slice]:
    """Slices that cover n rows, so that temporaries stay small."""
    return (slice(start, start + size) for start in range(0, n, size))


def _require_independent(scores: Array, assets: pd.Index) -> None:
    """Raise where more assets lack idio variance than there are factors to tell them apart."""
    n, rank = scores.shape
    if n > rank:
        order = linalg.qr(scores.T, mode="r", pivoting=True)[1]
        raise _singular(assets[np.sort(order[rank:])])


def _cholesky(matrix: Array, assets: pd.Index) -> Array:
    """Cholesky, after one with pivoting that can say which assets make the matrix singular."""
    scales = np.sqrt(np.diag(matrix))
    safe = np.where(scales > 0, scales, 1.0)
    correlation = matrix / np.outer(safe, safe)
    _, pivots, rank, _ = linalg.lapack.dpstrf(correlation, tol=1e-13 * max(len(matrix), 1), lower=1)
    if rank < len(matrix):
        raise _singular(assets[np.sort(pivots[rank:] - 1)])
    return np.asarray(linalg.cholesky(matrix, lower=True))


def _singular(assets: pd.Index) -> SingularCovarianceError:
    return SingularCovarianceError(
        "the covariance matrix is singular: beside the other assets, the factors leave no variance of its own to "
        f"{labels.listing(assets)}, without idio variance; leave it out, or give it some.",
        assets=list(assets),
    )
