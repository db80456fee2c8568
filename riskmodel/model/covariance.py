"""The covariance matrix of a factor model: low rank plus diagonal, never an N × N array unless asked."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import Converter, evolve, field, frozen
from scipy.linalg import block_diag

from riskmodel._core import labels
from riskmodel._core.arguments import require_count
from riskmodel._core.arrays import (
    Array,
    Index,
    by_constructor,
    floats,
    is_finite,
    read_only,
    row_blocks,
    set_read_only,
)
from riskmodel._core.display import Table, page
from riskmodel._core.linalg import as_correlation, has_cholesky, root
from riskmodel._core.listing import Listed
from riskmodel._core.threads import one_blas_thread
from riskmodel.errors import (
    InvalidParameterError,
    TooLargeError,
    UnknownAssetError,
)
from riskmodel.horizon import Horizon
from riskmodel.model.parts import PART
from riskmodel.model.woodbury import BLOCK, Elimination, require_independent
from riskmodel.quantities import Variance, Volatility

DENSE_LIMIT = 5_000  # 200 MB of float64
# An idio variance below this share of the asset's factor variance is rounding, and so is zero.
NO_IDIO = 1e-12
# Numbers that an array can hold; fewer may already be more than memory.
_MOST_DRAWS = np.iinfo(np.intp).max // 8
# Below this, the reciprocal of a variance overflows.
_SMALLEST = 1e-300
# What to write in place of an N × N matrix, for the messages.
_IN_A_PROGRAM = (
    "In an optimiser, use riskmodel.interop.cvxpy.variance(cov, w), or g, s = cov.square_root(): the variance is "
    "‖g'w‖² + ‖s·w‖²."
)
# Tolerance of a factor correlation matrix for asymmetry and for negative eigenvalues.
_ROUNDING = 1e-10


def _check(self: FactorCovariance, _attribute: Any, _value: Any) -> None:
    if not isinstance(self.horizon, Horizon):
        raise InvalidParameterError(
            f"expected horizon as a Horizon such as rm.DAY, got {self.horizon!r}.", name="horizon", got=self.horizon
        )
    n, k = len(self.assets), len(self.factors)
    links = (n, self._links.shape[-1])
    expected = {"loadings": (n, k), "factor_covariance": (k, k), "idio_variance": (n,), "links": links}
    for name, shape in expected.items():
        values = getattr(self, f"_{name}")
        if values.shape != shape:
            raise InvalidParameterError(
                f"expected {name} of shape {shape} for {n} assets and {k} factors, got shape {values.shape}.",
                name=name,
                expected=shape,
                got=values.shape,
            )
        if not is_finite(values):
            raise InvalidParameterError(f"expected finite {name}, got NaN or infinity.", name=name)
    if (self._idio_variance < 0).any():
        negative = list(self.assets[self._idio_variance < 0])
        raise InvalidParameterError(
            f"expected idio_variance of 0 or more, got a negative one for {labels.listing(negative)}.",
            name="idio_variance",
            assets=negative,
        )
    excess = _squares(self._links) > self._idio_variance * (1.0 + _ROUNDING)
    if excess.any():
        raise InvalidParameterError(
            "expected links that explain at most the idio variance of each asset, got more for "
            f"{labels.listing(self.assets[excess])}; idio_variance includes what the links explain.",
            name="links",
            assets=list(self.assets[excess]),
        )
    _check_positive_semidefinite(self._factor_covariance)


def _read_links(links: Any, self: Any) -> Array:
    """Read links, by default none; the rows of a frame must be the assets, in order."""
    if links is None:
        return np.zeros((len(self.assets), 0))
    if isinstance(links, pd.DataFrame) and list(links.index) != list(self.assets):
        raise InvalidParameterError(
            f"expected links labelled by the assets, {labels.listing(self.assets)}, got {labels.listing(links.index)}; "
            "reindex them, or pass an array in that order.",
            name="links",
            expected=list(self.assets),
            got=list(links.index),
        )
    read = read_only(links)
    if read.ndim != 2:
        raise InvalidParameterError(
            f"expected links as an array of assets × links, got shape {read.shape}.", name="links", got=read.shape
        )
    return read


def _squares(links: Array) -> Array:
    """The diagonal of C C'."""
    return np.asarray(np.einsum("nj,nj->n", links, links))


@one_blas_thread()
def _check_positive_semidefinite(matrix: Array) -> None:
    if (np.diag(matrix) < 0).any():
        raise InvalidParameterError(
            "expected factor_covariance with variances on its diagonal, got a negative one.", name="factor_covariance"
        )
    # tested as a correlation matrix, so that the scales of the factors do not matter
    correlation, _ = as_correlation(matrix)
    if np.abs(correlation - correlation.T).max(initial=0.0) > _ROUNDING:
        raise InvalidParameterError(
            "expected a symmetric factor_covariance, got one that differs from its transpose.", name="factor_covariance"
        )
    if has_cholesky(correlation + _ROUNDING * np.eye(len(correlation))):
        return
    lowest = np.linalg.eigvalsh(correlation).min()
    if lowest < -_ROUNDING:
        raise InvalidParameterError(
            "expected a positive semidefinite factor_covariance, got one whose correlation matrix has the eigenvalue "
            f"{lowest:.3g}; estimate all entries from the same dates.",
            name="factor_covariance",
            eigenvalue=float(lowest),
        )


@final
@frozen(eq=False, repr=False)
class FactorCovariance(Listed):
    r"""The N × N covariance :math:`\Sigma = B F B^\top + D` of asset returns, stored as its parts.

    D is diagonal, or :math:`D = C C^\top + \mathrm{diag}(s^2)` where the residuals of some assets are linked, such as
    those of two share classes of one company.

    Parameters
    ----------
    assets, factors : pandas.Index
        Labels, N and K of them.
    loadings : array, shape (N, K)
        B, dimensionless.
    factor_covariance : array, shape (K, K)
        F, symmetric positive semidefinite (it may be singular), return² at `horizon`.
    idio_variance : array, shape (N,)
        The diagonal of D, not negative, return² at `horizon`. An idio variance below 1e-12 of the asset's factor
        variance (or below 1e-300) is rounding, and becomes exactly zero here.
    horizon : Horizon
        The horizon of the variances.
    links : array, shape (N, J), optional
        C: loadings of the residuals on J unobserved, uncorrelated factors of variance one, return at `horizon`. What
        they explain is part of `idio_variance`; by default nothing is linked.

    Raises
    ------
    InvalidParameterError
        For shapes that do not fit, NaN, infinities, a negative idio variance, F not positive semidefinite, or links
        that explain more of an asset than its idio variance.

    Notes
    -----
    Every operation costs O(N·(K + J)) time and memory per vector. Weights and right-hand sides may be an array of
    length N (or N × M), or a Series (or frame) labelled by asset, in which assets that are left out weigh zero;
    what comes back is of the same kind. Solving uses the Woodbury identity [1]_ on :math:`F = L L^\top`, so a
    singular F costs nothing, and needs K × K numbers beside the loadings. The solution is corrected from the loadings
    themselves (the corrected seminormal equations [2]_), so idio variances far below the factors' cost no digits;
    assets without idio variance are eliminated as a block (a Schur complement).

    It is also an operator as `scipy.sparse.linalg` knows them (``shape``, ``dtype``, ``matvec``, ``rmatvec``,
    ``matmat``): ``eigsh(cov)`` and ``cg(cov, b)`` work on it.

    References
    ----------
    .. [1] Hager, W. W. (1989). Updating the Inverse of a Matrix. *SIAM Review* 31(2), 221-239.
    .. [2] Björck, Å. (1987). Stability Analysis of the Method of Seminormal Equations for Linear Least Squares
       Problems. *Linear Algebra and its Applications* 88/89, 31-48.

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

    assets: pd.Index[Any] = field(converter=labels.asset_labels)
    factors: pd.Index[Any] = field(converter=labels.factor_labels)
    # mypy cannot read a Converter that sees the other fields
    _loadings: Array = field(converter=PART)  # type: ignore[misc]
    _factor_covariance: Array = field(converter=PART)  # type: ignore[misc]
    _idio_variance: Array = field(converter=PART)  # type: ignore[misc]
    horizon: Horizon
    _links: Array = field(default=None, converter=Converter(_read_links, takes_self=True), validator=_check)  # type: ignore[misc]
    # the diagonal of D less that of C C'
    _own_variance: Array = field(init=False)

    __reduce__ = by_constructor

    def __attrs_post_init__(self) -> None:
        # decided here alone, so that the covariance and its model have the same zeros
        own = np.maximum(self._idio_variance - _squares(self._links), 0.0)
        own[without_idio(self._wide_loadings, self._wide_covariance, own)] = 0.0
        object.__setattr__(self, "_own_variance", set_read_only(own))
        # as it was given, so that the same model again has the same bits
        diagonal = np.where(own > 0, self._idio_variance, _squares(self._links))
        object.__setattr__(self, "_idio_variance", set_read_only(diagonal))

    # numpy must leave `array @ cov` to __rmatmul__
    __array_ufunc__ = None

    def __array__(self, dtype: object = None, copy: object = None) -> Any:
        raise InvalidParameterError(
            "expected an operation of FactorCovariance, got a conversion to an array; write cov @ w, with cov on the "
            f"left of a Series or frame. {_IN_A_PROGRAM} cov.to_dense() makes the N × N array.",
            expected="operation",
            got="conversion",
        )

    def __repr__(self) -> str:
        return f"<FactorCovariance {len(self.assets)} assets, {len(self.factors)} factors, per {self.horizon}>"

    def _repr_html_(self) -> str:
        parts = {
            "systematic volatility": np.sqrt(self._systematic),
            "idio volatility": np.sqrt(self._idio_variance),
            "volatility": np.sqrt(self.diagonal().to_numpy()),
        }
        factors = pd.DataFrame({"volatility": np.sqrt(np.diag(self._factor_covariance))}, self.factors)
        return page(
            self,
            Table("Assets", pd.DataFrame(parts, self.assets), where="diagonal()"),
            Table("Factors", factors, where="factor_covariance"),
        )

    # -- as a linear operator of scipy -------------------------------------------------------------

    @property
    def dtype(self) -> np.dtype[np.float64]:
        """float64."""
        return self._loadings.dtype

    def matvec(self, w: Any) -> Any:
        """Σ w for one vector, as ``cov @ w``."""
        return self @ w

    def rmatvec(self, w: Any) -> Any:
        """Σ' w, equal to Σ w because Σ is symmetric."""
        return self @ w

    def matmat(self, w: Any) -> Any:
        """Σ W for a matrix of vectors, as ``cov @ W``."""
        return self @ w

    # -- its parts ---------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        """(N, N)."""
        return len(self.assets), len(self.assets)

    @property
    def loadings(self) -> pd.DataFrame:
        """B, assets × factors."""
        return pd.DataFrame(self._loadings, self.assets.copy(), self.factors.copy(), copy=False)

    @property
    def factor_covariance(self) -> pd.DataFrame:
        """F, factors × factors, return² at the horizon."""
        return pd.DataFrame(self._factor_covariance, self.factors.copy(), self.factors.copy(), copy=False)

    @property
    def idio_variance(self) -> pd.Series[float]:
        """The diagonal of D by asset, return² at the horizon."""
        return pd.Series(self._idio_variance, self.assets.copy(), name="idio_variance", copy=False)

    @property
    def links(self) -> pd.DataFrame:
        """C, assets × 0 … J - 1, return at the horizon: the residuals of linked assets have the covariance C C'."""
        return pd.DataFrame(self._links, self.assets.copy(), copy=False)

    @property
    def n_parameters(self) -> int:
        """Free parameters: N·K loadings, K(K+1)/2 factor covariances, N idio variances, and links that are not zero."""
        n, k = len(self.assets), len(self.factors)
        return n * k + k * (k + 1) // 2 + n + int(np.count_nonzero(self._links))

    @property
    def n_parameters_unrestricted(self) -> int:
        """Free parameters of a covariance matrix without structure: N(N+1)/2."""
        n = len(self.assets)
        return n * (n + 1) // 2

    def square_root(self) -> tuple[pd.DataFrame, pd.Series[float]]:
        """G and s with Σ = G G' + diag(s)², so that the variance of w is ‖G'w‖² + ‖s·w‖².

        This is the form that optimisers want: a sum of K' + N squares, without an N × N matrix.

        Returns
        -------
        G : DataFrame, assets × 0 … K' - 1
            Exposures to K' uncorrelated factors of variance one, return at the horizon; K' is the rank of F, and J
            more where residuals are linked.
        s : Series by asset
            Idio volatilities, without what links explain, return at the horizon.

        Examples
        --------
        >>> import numpy as np, riskmodel as rm
        >>> cov = rm.FactorCovariance(["A", "B"], ["Mkt"], [[1.0], [0.5]], [[0.04]], [0.01, 0.04], rm.YEAR)
        >>> g, s = cov.square_root()
        >>> g @ g.T + np.diag(s**2)
              A     B
        A  0.05  0.02
        B  0.02  0.05
        """
        g = self._wide_loadings @ self._root
        s = pd.Series(np.sqrt(self._own_variance), self.assets.copy(), name="idio_volatility", copy=False)
        return pd.DataFrame(g, self.assets.copy(), copy=False), s

    # with its links, Σ is a model of K + J factors: (B C) (F ⊕ I) (B C)' + diag(s²)

    @cached_property
    def _wide_loadings(self) -> Array:
        """B and C side by side, shape (N, K + J)."""
        return np.hstack([self._loadings, self._links]) if self._links.shape[1] else self._loadings

    @cached_property
    def _wide_covariance(self) -> Array:
        """F, and the identity of the links, shape (K + J, K + J)."""
        j = self._links.shape[1]
        return block_diag(self._factor_covariance, np.eye(j)) if j else self._factor_covariance

    @cached_property
    def _factor_root(self) -> Array:
        """L with F = L L', shape (K, rank of F)."""
        with one_blas_thread():
            return root(self._factor_covariance)

    @cached_property
    def _root(self) -> Array:
        """The same with the links."""
        j = self._links.shape[1]
        return block_diag(self._factor_root, np.eye(j)) if j else self._factor_root

    @cached_property
    def _systematic(self) -> Array:
        """The factor variance of each asset, the diagonal of B F B', shape (N,)."""
        return _squared_rows(self._loadings, self._factor_root)

    # -- products ----------------------------------------------------------------------------------

    def __matmul__(self, other: Any) -> Any:
        """Σ w, for a vector or a matrix of vectors."""
        values, wrap = self._read(other)
        return wrap(self._multiply(values))

    def __rmatmul__(self, other: Any) -> Any:
        """W' Σ, equal to Σ w because Σ is symmetric."""
        return self._multiply(self._rows(floats(other).T)).T

    def _multiply(self, w: Array) -> Array:
        return self._returned(w, self._exposures(w))

    def _exposures(self, w: Array) -> Array:
        """B'w, and C'w below it."""
        return np.asarray(self._wide_loadings.T @ w)

    def _returned(self, w: Array, exposures: Array) -> Array:
        """The product Σ w where the exposures are known."""
        systematic = self._wide_loadings @ (self._wide_covariance @ exposures)
        return np.asarray(systematic + (self._own_variance * w.T).T)

    def _specific(self, w: Array) -> Array:
        """The product D w."""
        return np.asarray((self._own_variance * w.T).T + self._links @ (self._links.T @ w))

    def marginal(self, w: Any) -> Any:
        """Marginal contribution of each asset to the volatility of `w`: (Σ w) / σ(w), per unit of weight."""
        values, wrap = self._read(w)
        _require_vectors(values)
        exposures = self._exposures(values)
        volatility = np.sqrt(self._squared(values, exposures))
        if volatility == 0:
            raise InvalidParameterError(
                "expected weights with a volatility above zero, got weights whose volatility is zero."
            )
        return wrap(self._returned(values, exposures) / volatility)

    def variance(self, w: Any) -> Variance:
        """The variance w' Σ w, return² at the horizon."""
        return Variance(self._quadratic(self._read(w)[0]), self.horizon)

    def volatility(self, w: Any) -> Volatility:
        """The volatility √(w' Σ w), return at the horizon."""
        return Volatility(np.sqrt(self._quadratic(self._read(w)[0])), self.horizon)

    def covariance(self, w: Any, v: Any) -> Variance:
        """The covariance w' Σ v, return² at the horizon."""
        return Variance(self._covariance_and_variance(w, v)[0], self.horizon)

    def beta(self, w: Any, benchmark: Any) -> float:
        """Beta of `w` on the portfolio `benchmark`: w' Σ b / b' Σ b (dimensionless)."""
        covariance, variance = self._covariance_and_variance(w, benchmark)
        if variance == 0:
            raise InvalidParameterError(
                "expected a benchmark with a variance above zero, got one whose variance is zero."
            )
        return covariance / variance

    def _covariance_and_variance(self, w: Any, v: Any) -> tuple[float, float]:
        """Both w' Σ v and v' Σ v, in one pass over the loadings."""
        left, right = self._read(w)[0], self._read(v)[0]
        _require_vectors(left, right)
        one, other = self._exposures(np.column_stack([left, right])).T
        systematic = one @ self._wide_covariance @ other
        return float(systematic + left @ (self._own_variance * right)), self._squared(right, other)

    def _quadratic(self, w: Array) -> float:
        _require_vectors(w)
        return self._squared(w, self._exposures(w))

    def _squared(self, w: Array, exposures: Array) -> float:
        """The variance w' Σ w where the exposures are known."""
        # with the root of F, rounding cannot make a variance negative, and loses half as many digits
        scores = self._root.T @ exposures
        return float(scores @ scores) + float(self._own_variance @ (w * w))

    def diagonal(self) -> pd.Series[float]:
        """The variance of each asset, return² at the horizon."""
        return pd.Series(self._systematic + self._idio_variance, self.assets.copy(), name="variance", copy=False)

    # -- inverse -----------------------------------------------------------------------------------

    @cached_property
    @one_blas_thread()
    def _elimination(self) -> Elimination:
        zero = np.flatnonzero(self._own_variance == 0)
        require_independent(self._wide_loadings[zero] @ self._root, self.assets[zero])
        return Elimination.of(self._wide_loadings, self._root, self._own_variance)

    def solve(self, b: Any) -> Any:
        """Σ⁻¹ b, for a vector or a matrix of vectors; the factorisation is cached.

        Raises
        ------
        SingularCovarianceError
            If Σ cannot be inverted; the message and ``details["assets"]`` name the assets that make it singular.
        """
        values, wrap = self._read(b)
        with one_blas_thread():
            x = self._elimination.solve(values if values.ndim == 2 else values[:, None])
        return wrap(x.reshape(values.shape))

    def logdet(self) -> float:
        """Log of the determinant of Σ; raises `SingularCovarianceError` where Σ is singular."""
        return self._elimination.logdet()

    # -- draws -------------------------------------------------------------------------------------

    def sample(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        """Draw `n` independent zero-mean normal returns with this covariance.

        Parameters
        ----------
        n : int
            Number of draws.
        rng : numpy.random.Generator
            The source of randomness, for instance ``numpy.random.default_rng(0)``.

        Returns
        -------
        DataFrame, shape (n, N)
            Returns at the horizon, decimals.
        """
        n = require_count(n, "n")
        if n * max(len(self.assets), 1) > _MOST_DRAWS:
            raise TooLargeError(
                f"expected at most {_MOST_DRAWS // max(len(self.assets), 1):,} draws of {len(self.assets)} assets, got "
                "more; draw in parts.",
                limit=_MOST_DRAWS,
            )
        if not isinstance(rng, np.random.Generator):
            raise InvalidParameterError(
                f"expected rng as a numpy Generator, got {rng!r}; pass numpy.random.default_rng(0).",
                name="rng",
                got=rng,
            )
        draws = rng.standard_normal((n, len(self.assets)))
        draws *= np.sqrt(self._own_variance)
        factors = rng.standard_normal((n, self._root.shape[1])) @ self._root.T
        for rows in row_blocks(len(self.assets)):
            draws[:, rows] += factors @ self._wide_loadings[rows].T
        return pd.DataFrame(draws, columns=self.assets.copy(), copy=False)

    # -- other forms -------------------------------------------------------------------------------

    def to_dense(self, limit: int = DENSE_LIMIT) -> pd.DataFrame:
        """The N × N matrix itself, assets × assets.

        Parameters
        ----------
        limit : int
            The largest N allowed: N² numbers of 8 bytes are needed.

        Raises
        ------
        TooLargeError
            If there are more than `limit` assets.
        """
        n, limit = len(self.assets), require_count(limit, "limit")
        if n > limit:
            raise TooLargeError(
                f"expected at most {limit} assets for a dense matrix, got {n}, which take {8e-9 * n * n:,.1f} GB; use "
                f"cov @ w, cov.solve(b) or cov.restrict(assets), or to_dense(limit={n}).",
                n_assets=n,
                limit=limit,
            )
        dense = self._wide_loadings @ self._wide_covariance @ self._wide_loadings.T
        dense = (dense + dense.T) / 2
        dense[np.diag_indices(n)] += self._own_variance
        return pd.DataFrame(dense, self.assets.copy(), self.assets.copy(), copy=False)

    def at(self, horizon: Horizon) -> Self:
        """The same covariance at another horizon: Σ·h."""
        return evolve(
            self,
            factor_covariance=self.horizon.scale_variance(self._factor_covariance, to=horizon),
            idio_variance=self.horizon.scale_variance(self._idio_variance, to=horizon),
            horizon=horizon,
            links=self._links * np.sqrt(self.horizon.scale_variance(1.0, to=horizon)),
        )

    def restrict(self, assets: Any) -> Self:
        """The covariance of some of the assets, in the order given; unknown ones raise `UnknownAssetError`."""
        chosen = labels.unique(assets, "assets")
        at = labels.positions(chosen, self.assets, "asset", UnknownAssetError)
        loadings = set_read_only(self._loadings.take(at, axis=0))
        links = set_read_only(self._links.take(at, axis=0))
        return evolve(self, assets=chosen, loadings=loadings, idio_variance=self._idio_variance[at], links=links)

    # -- reading arguments -------------------------------------------------------------------------

    def _read(self, values: Any) -> tuple[Array, Any]:
        """Return an array by asset, and a function that labels a result of the same shape."""
        if callable(getattr(values, "is_dcp", None)) and not isinstance(values, type):  # cvxpy need not be imported
            raise InvalidParameterError(
                f"expected numbers, got the expression of an optimiser, a {type(values).__name__}. {_IN_A_PROGRAM}",
                expected="numbers",
                got=values,
            )
        if isinstance(values, pd.Series | pd.DataFrame):
            labelled = self._rows(self._by_asset(values))
            if isinstance(values, pd.Series):
                return labelled, lambda a: pd.Series(a, self.assets.copy(), name=values.name, copy=False)
            return labelled, lambda a: pd.DataFrame(a, self.assets.copy(), values.columns, copy=False)
        if isinstance(values, dict):
            return self._read(pd.Series(values, dtype=object))
        return self._rows(floats(values)), lambda a: a

    def _by_asset(self, values: pd.Series[Any] | pd.DataFrame) -> Array:
        index = labels.unique(values.index, "assets")
        at = labels.positions(index, self.assets, "asset", UnknownAssetError)
        full = np.zeros((len(self.assets), *values.shape[1:]))
        full[at] = floats(values)
        return full

    def _rows(self, values: Array) -> Array:
        if values.ndim not in (1, 2) or len(values) != len(self.assets):
            raise InvalidParameterError(
                f"expected an array with one row for each of the {len(self.assets)} assets, got shape {values.shape}; "
                "pass a Series labelled by asset to leave some out.",
                expected=len(self.assets),
                got=values.shape,
            )
        if not is_finite(values):
            raise InvalidParameterError("expected finite weights and right-hand sides, got NaN or infinity.")
        return np.ascontiguousarray(values) if values.ndim == 1 else values


def without_idio(loadings: Array, factor_covariance: Array, idio: Array) -> Index:
    """Positions of the assets whose idio variance is negligible against their factor variance."""
    with np.errstate(over="ignore", invalid="ignore"):
        # K times the sum of (loading × deviation)² bounds all factor variances, in one pass over the loadings
        squares = np.einsum("nk,nk->k", loadings, loadings)
        bound = len(squares) * float(squares @ np.diag(factor_covariance))
        suspects = np.flatnonzero((idio > 0) & ~(idio >= max(NO_IDIO * bound, _SMALLEST)))
        if not len(suspects):
            return suspects
        least = np.maximum(NO_IDIO * _squared_rows(loadings[suspects], root(factor_covariance)), _SMALLEST)
    return np.asarray(suspects[idio[suspects] < least])


@one_blas_thread()
def _squared_rows(loadings: Array, root: Array) -> Array:
    """The diagonal of B L L' B'."""
    squares = np.empty(len(loadings))
    for rows in row_blocks(len(loadings), BLOCK):
        scores = loadings[rows] @ root
        squares[rows] = np.einsum("nk,nk->n", scores, scores)
    return squares


def _require_vectors(*values: Array) -> None:
    for v in values:
        if v.ndim != 1:
            raise InvalidParameterError(
                f"expected one vector of weights, got an array of shape {v.shape}; pass one column at a time.",
                got=v.shape,
            )
