"""The variance of a factor model in cvxpy, as a sum of N + K squares.

``quad_form(w, cov.to_dense())`` has N² numbers and is factorised by the solver in O(N³). With G and s of
`FactorCovariance.square_root`, the same variance is ‖G'w‖² + ‖s·w‖², of N·K numbers.

Tolerances of solvers are absolute, and a variance per day is hardly larger than them: minimise one per year,
``cov.at(rm.YEAR)``.

Examples
--------
>>> import cvxpy as cp, riskmodel as rm
>>> from riskmodel.interop.cvxpy import variance
>>> model = rm.OLS().fit(rm.SampleData().panel(["KO", "XOM", "MSFT"], ["Mkt-RF"]))
>>> w = cp.Variable(3, nonneg=True)
>>> problem = cp.Problem(cp.Minimize(variance(model.covariance.at(rm.YEAR), w)), [cp.sum(w) == 1])
>>> _ = problem.solve(solver="CLARABEL")
>>> w.value.round(2)
array([0.57, 0.33, 0.1 ])
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_count
from riskmodel._core.arrays import Array, floats
from riskmodel.errors import InvalidParameterError, MissingExtraError, TooLargeError
from riskmodel.horizon import require_same
from riskmodel.model.covariance import FactorCovariance
from riskmodel.model.model import FactorModel

try:
    import cvxpy
except ImportError as error:
    raise MissingExtraError.of("riskmodel.interop.cvxpy", "cvxpy", "cvxpy") from error

cp: Any = cvxpy  # its functions are not declared to type checkers

_MOST_COLUMNS = 10_000


def variance(cov: FactorCovariance, w: Any) -> Any:
    """The variance w' Σ w of weights that a problem chooses.

    Parameters
    ----------
    cov : FactorCovariance
        Of N assets.
    w : cvxpy.Expression, shape (N,)
        Affine, such as a ``Variable`` or a ``Variable`` less a benchmark, in the order of ``cov.assets``.

    Returns
    -------
    cvxpy.Expression
        Convex, return² at the horizon of `cov`.

    Raises
    ------
    InvalidParameterError
        For weights that are not affine, or not one for each asset.

    Examples
    --------
    >>> import cvxpy as cp, riskmodel as rm
    >>> cov = rm.FactorCovariance(["A", "B"], ["Mkt"], [[1.0], [0.5]], [[0.04]], [0.01, 0.02], rm.YEAR)
    >>> w = cp.Variable(2, value=[0.5, 0.5])
    >>> float(variance(cov, w).value.round(6)), float(round(cov.variance([0.5, 0.5]), 6))
    (0.03, 0.03)
    """
    g, s = _square_root(cov)
    return _variance(g, s, _weights(w, cov))


def volatility(cov: FactorCovariance, w: Any) -> Any:
    """The volatility √(w' Σ w) of weights that a problem chooses, return at the horizon of `cov`; see `variance`.

    Parameters
    ----------
    cov : FactorCovariance
        Of N assets.
    w : cvxpy.Expression, shape (N,)
        Affine, in the order of ``cov.assets``.

    Returns
    -------
    cvxpy.Expression
        Convex, return at the horizon of `cov`.

    Raises
    ------
    InvalidParameterError
        For weights that are not affine, or not one for each asset.

    Examples
    --------
    >>> import cvxpy as cp, riskmodel as rm
    >>> cov = rm.FactorCovariance(["A", "B"], ["Mkt"], [[1.0], [0.5]], [[0.04]], [0.01, 0.02], rm.YEAR)
    >>> w = cp.Variable(2)
    >>> problem = cp.Problem(cp.Maximize(w @ [0.05, 0.04]), [volatility(cov, w) <= 0.1])
    >>> _ = problem.solve(solver="CLARABEL")
    >>> round(float(cov.volatility(w.value)), 6)
    0.1
    """
    g, s = _square_root(cov)
    return _volatility(g, s, _weights(w, cov))


@final
@frozen(eq=False, repr=False, init=False)
class Risk:
    """The risk of a portfolio under a model that changes, in a problem that is compiled once.

    G and s of `FactorCovariance.square_root` are Parameters, and the problem is DPP [1]_: after `update`, ``solve()``
    skips the compilation. For loops over the models of a `ModelHistory`.

    Parameters
    ----------
    model : FactorModel or FactorCovariance
        The first one; it decides the assets and the horizon.
    w : cvxpy.Expression, shape (N,)
        Affine, in the order of the model's assets.
    columns : int, optional
        The most columns that G may have in later models: the rank of F, and the number of links. By default the number
        of factors and links of the first.

    Raises
    ------
    InvalidParameterError
        For weights that are not affine or not one for each asset, and for a model that needs more columns.
    TooLargeError
        For more than 10,000 columns.

    References
    ----------
    .. [1] Agrawal, A. et al. (2019). Differentiable Convex Optimization Layers. *NeurIPS 32*, section 4.1.

    Examples
    --------
    >>> import cvxpy as cp, riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM", "MSFT"], ["Mkt-RF"], start="2016-01-01")
    >>> history = rm.Rolling(rm.YEAR, every=rm.QUARTER).fit(panel)
    >>> w = cp.Variable(3, nonneg=True)
    >>> risk = Risk(history.on(history.dates[0]).at(rm.YEAR), w)
    >>> problem = cp.Problem(cp.Minimize(risk.variance), [cp.sum(w) == 1])
    >>> for date, model in history.items():
    ...     risk.update(model.at(rm.YEAR))
    ...     _ = problem.solve(solver="CLARABEL")
    >>> problem.is_dpp()
    True
    """

    first: FactorCovariance
    _g: Any = field()
    _s: Any = field()
    variance: Any = field()
    volatility: Any = field()

    def __init__(self, model: FactorModel | FactorCovariance, w: Any, columns: int | None = None) -> None:
        cov = _covariance(model)
        n, own = len(cov.assets), len(cov.factors) + cov.links.shape[1]
        width = own if columns is None else require_count(columns, "columns")
        if width > _MOST_COLUMNS:
            raise TooLargeError(
                f"expected at most {_MOST_COLUMNS:,} columns, got more; pass the most factors of a model.",
                columns=width,
                limit=_MOST_COLUMNS,
            )
        w = _weights(w, cov)
        # cvxpy has no Parameter without columns
        g, s = cp.Parameter((n, max(width, 1)), name="G"), cp.Parameter(n, nonneg=True, name="s")
        self.__attrs_init__(first=cov, g=g, s=s, variance=_variance(g, s, w), volatility=_volatility(g, s, w))
        self.update(cov)

    def __repr__(self) -> str:
        return f"<Risk of {len(self.first.assets)} assets, {self._g.shape[1]} columns, per {self.first.horizon}>"

    def update(self, model: FactorModel | FactorCovariance) -> None:
        """Set the Parameters to another model's.

        Parameters
        ----------
        model : FactorModel or FactorCovariance
            At the horizon of the first one, with its assets in any order, and perhaps others.

        Raises
        ------
        UnknownAssetError
            If an asset is not in the model. Leave it out of the problem, or give it a model by a prior.
        HorizonMismatchError
            If the model is of another horizon.
        InvalidParameterError
            If the model needs more columns than there are.
        """
        cov = _covariance(model)
        require_same(self.first.horizon, cov.horizon, "the models of a Risk")
        g, s = _square_root(cov.restrict(self.first.assets))
        width = self._g.shape[1]
        if g.shape[1] > width:
            raise InvalidParameterError(
                f"expected a model of at most {width} factors and links, got {g.shape[1]}; make Risk with "
                f"columns={g.shape[1]}.",
                columns=width,
                got=g.shape[1],
            )
        # columns of zeros add nothing, and the shape of a Parameter is fixed
        self._g.value = np.pad(g, ((0, 0), (0, width - g.shape[1])))
        self._s.value = s


def _covariance(model: Any) -> FactorCovariance:
    if isinstance(model, FactorCovariance):
        return model
    return require(model, FactorModel, "model", "an Estimator's fit returns one").covariance


def _square_root(cov: Any) -> tuple[Array, Array]:
    g, s = require(cov, FactorCovariance, "cov", "it is model.covariance").square_root()
    return floats(g), floats(s)


def _weights(w: Any, cov: FactorCovariance) -> Any:
    n = len(cov.assets)
    if not isinstance(w, cp.Expression) or w.shape != (n,) or not w.is_affine():
        got = f"shape {w.shape}, curvature {w.curvature}" if isinstance(w, cp.Expression) else type(w).__name__
        raise InvalidParameterError(
            f"expected w as an affine cvxpy expression of shape ({n},), one weight for each of "
            f"{labels.listing(cov.assets)}, got {got}; write w = cp.Variable({n}).",
            parameter="w",
            expected=(n,),
            got=w,
        )
    return w


def _variance(g: Any, s: Any, w: Any) -> Any:
    if not g.shape[1]:  # cvxpy has no products with an empty matrix
        return cp.sum_squares(cp.multiply(s, w))
    return cp.sum_squares(g.T @ w) + cp.sum_squares(cp.multiply(s, w))


def _volatility(g: Any, s: Any, w: Any) -> Any:
    specific = cp.multiply(s, w)
    return cp.norm(cp.hstack([g.T @ w, specific]) if g.shape[1] else specific)
