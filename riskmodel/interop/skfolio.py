"""Factor models of this package as priors of skfolio.

`Prior` estimates a model in ``fit``; `GivenPrior` passes on one that exists; `LoadingMatrix` gives the loadings alone
to skfolio's own ``TimeSeriesFactorModel``. Their ``return_distribution_`` has a ``factor_model``, so convex optimisers
use the factor form, and attribution and diagnostics of skfolio work.

Examples
--------
>>> import pandas as pd, riskmodel as rm
>>> from skfolio.optimization import MeanRisk
>>> from riskmodel.interop.skfolio import Prior
>>> data = rm.SampleData()
>>> panel = data.panel(["KO", "XOM", "MSFT"], ["Mkt-RF"])
>>> returns, factors = panel.excess_returns, panel.factor_returns
>>> optimiser = MeanRisk(prior_estimator=Prior(rm.EWMA(half_life=rm.YEAR))).fit(returns, factors=factors)
>>> pd.Series(optimiser.weights_, returns.columns).round(2)
KO      0.70
XOM     0.29
MSFT    0.01
dtype: float64
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, Index
from riskmodel.errors import InvalidParameterError, MissingExtraError, UnknownAssetError
from riskmodel.estimation.base import Estimator
from riskmodel.horizon import DAY, Horizon
from riskmodel.interop._panels import Rows, read_rows
from riskmodel.interop._parameters import NestedParameters
from riskmodel.model.model import FactorModel

try:
    from skfolio.prior import BaseLoadingMatrix, BasePrior, ReturnDistribution
    from skfolio.prior import FactorModel as SkfolioModel
except ImportError as error:
    raise MissingExtraError.of("riskmodel.interop.skfolio", "skfolio", "skfolio") from error


@final
class Prior(NestedParameters, BasePrior):
    """A prior that estimates a factor model with an estimator of this package.

    Returns and factors are taken as they are: no risk-free rate is subtracted. Assets may be ragged. One that cannot be
    estimated is NaN in the distribution, so optimisers give it no weight; `missing_` has the reasons.

    Parameters
    ----------
    estimator : Estimator, optional
        By default ``rm.OLS()``. Its fields are parameters for ``GridSearchCV``: ``estimator__half_life``.
    horizon : Horizon
        The span of one row of X, and of the distribution.

    Attributes
    ----------
    return_distribution_ : skfolio.prior.ReturnDistribution
        ``mu`` is α + B E f, ``covariance`` B F B' + D, N × N, because skfolio wants it; ``returns`` are X, of which a
        missing return of an estimated asset is α + B f of its date (see `filled_`).
    model_ : FactorModel
        The model, of the assets that could be estimated.
    missing_ : DataFrame
        The assets that could not, and why.
    filled_ : Series of int
        By asset, how many returns of the scenarios are α + B f (or, where f is not known, the mean). Variances do not
        read them; measures of scenarios do, and are too low by what the residuals add.

    Notes
    -----
    ``fit(X, factors=…)``; skfolio passes ``factors`` on without further settings. `X` may be an array, whose rows count
    as consecutive. Dates may have a time zone: the ``observations`` of the factor model are the labels of X.
    Where residuals are linked, ``idio_covariance`` is the N × N matrix of D, otherwise its diagonal.

    Raises
    ------
    InvalidParameterError
        In ``fit``, for X and factors of different rows.
    DataError, EstimationError
        In ``fit``: see `ReturnPanel.align` and `Estimator.fit_available`.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> prior = Prior(rm.OLS()).fit(panel.excess_returns, factors=panel.factor_returns)
    >>> prior.return_distribution_.factor_model.loading_matrix.round(2)
    array([[0.52],
           [0.84]])
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"factors": True}

    def __init__(self, estimator: Estimator | None = None, horizon: Horizon = DAY) -> None:
        self.estimator = estimator
        self.horizon = horizon

    def fit(self, X: Any, y: None = None, *, factors: Any = None, **fit_params: Any) -> Self:
        """Estimate the model.

        Parameters
        ----------
        X : DataFrame or array, dates × assets
            Returns, decimals; NaN where missing.
        y : None
            Not used.
        factors : DataFrame or array, dates × factors, optional
            Of the same rows; none for an estimator that makes its factors of the assets, such as
            ``rm.PrincipalComponents``.
        **fit_params : Any
            Not used.
        """
        rows = read_rows(X, factors, self.horizon)
        self.model_ = rows.fit(self.estimator, self.horizon)
        _learn(self, rows, self.model_)
        return self


@final
class GivenPrior(BasePrior):
    """A prior of a model that exists: a vendor's, or one of a history.

    ``fit`` restricts the model to the columns of X, and estimates nothing: with cross-validation, give it a model that
    is older than the test folds.

    Parameters
    ----------
    model : FactorModel
        Its expected returns include its risk-free rate.
    horizon : Horizon
        The span of one row of X, to which the model is scaled.

    Attributes
    ----------
    return_distribution_ : skfolio.prior.ReturnDistribution
        As of `Prior`. Without ``factors``, the factor model has no factor returns and residuals.
    model_ : FactorModel
        The model of the columns of X, at `horizon`.
    missing_ : DataFrame
        The columns of X that the model says it left out, and why. They get no weight.
    filled_ : Series of int
        As of `Prior`.

    Raises
    ------
    UnknownAssetError
        In ``fit``, for a column of X that the model neither has nor left out.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> prior = GivenPrior(model).fit(panel.excess_returns[["JPM", "KO"]])
    >>> bool(prior.return_distribution_.covariance[0, 0] == model.covariance.diagonal()["JPM"])
    True
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"factors": True}

    def __init__(self, model: FactorModel, horizon: Horizon = DAY) -> None:
        self.model = model
        self.horizon = horizon

    def fit(self, X: Any, y: None = None, *, factors: Any = None, **fit_params: Any) -> Self:
        """Restrict the model to the columns of X.

        Parameters
        ----------
        X : DataFrame, dates × assets
            Returns, decimals; NaN where missing.
        y : None
            Not used.
        factors : DataFrame, dates × factors, optional
            Those of the model, of the same rows.
        **fit_params : Any
            Not used.
        """
        given = require(self.model, FactorModel, "model", "an Estimator's fit returns one")
        if not isinstance(X, pd.DataFrame):
            raise InvalidParameterError(
                f"expected X as a DataFrame, whose columns are assets of the model, got {type(X).__name__}.",
                parameter="X",
                got=X,
            )
        rows = read_rows(X, factors, self.horizon)
        held = [a for a in rows.asset_names if a in given.assets or a not in set(given.missing["asset"])]
        self.model_ = given.restrict(held).at(self.horizon)
        _learn(self, rows, self.model_, has_factors=factors is not None)
        return self


@final
class LoadingMatrix(NestedParameters, BaseLoadingMatrix):
    """Loadings and intercepts of an estimator of this package, for skfolio's ``TimeSeriesFactorModel``.

    All assets are estimated at once, and NaN are refused, as skfolio does there; for ragged assets use `Prior`.

    Parameters
    ----------
    estimator : Estimator, optional
        By default ``rm.OLS()``.
    horizon : Horizon
        The span of one row of X.

    Attributes
    ----------
    loading_matrix_ : array, shape (N, K)
        B, dimensionless.
    intercepts_ : array, shape (N,)
        α, decimals per row.

    Raises
    ------
    EstimationError
        In ``fit``, if an asset cannot be estimated.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from skfolio.prior import TimeSeriesFactorModel
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> prior = TimeSeriesFactorModel(loading_matrix_estimator=LoadingMatrix(rm.OLS()))
    >>> prior = prior.fit(panel.excess_returns, factors=panel.factor_returns)
    >>> prior.loading_matrix_estimator_.loading_matrix_.round(2)
    array([[0.52],
           [0.84]])
    """

    def __init__(self, estimator: Estimator | None = None, horizon: Horizon = DAY) -> None:
        self.estimator = estimator
        self.horizon = horizon

    def fit(self, X: Any, y: Any, **fit_params: Any) -> Self:
        """Estimate the loadings.

        Parameters
        ----------
        X : DataFrame or array, dates × assets
            Returns, decimals.
        y : DataFrame or array, dates × factors
            Factor returns of the same rows.
        **fit_params : Any
            Not used.
        """
        rows = read_rows(X, y, self.horizon)
        model = rows.fit(self.estimator, self.horizon)
        if len(model.missing):
            first = model.missing.iloc[0]
            raise InvalidParameterError(
                f"expected assets that can all be estimated, got {labels.listing(model.missing['asset'])}: "
                f"{first['reason']}; use riskmodel.interop.skfolio.Prior, which leaves them out.",
                assets=list(model.missing["asset"]),
            )
        self.loading_matrix_ = model.loadings.to_numpy()
        self.intercepts_ = model.alpha.to_numpy()
        return self


@frozen(eq=False)
class _Full:
    """Arrays of some assets as arrays of all, NaN elsewhere."""

    n: int
    at: Index

    def vector(self, values: Any) -> Array:
        full = np.full(self.n, np.nan)
        full[self.at] = values
        return full

    def rows(self, values: Array) -> Array:
        full = np.full((self.n, values.shape[1]), np.nan)
        full[self.at] = values
        return full

    def columns(self, values: Array) -> Array:
        return self.rows(values.T).T

    def matrix(self, values: Any) -> Array:
        if len(self.at) == self.n and (self.at == np.arange(self.n)).all():  # without a second N × N array
            return np.asarray(values)
        full = np.full((self.n, self.n), np.nan)
        full[np.ix_(self.at, self.at)] = values
        return full


def _learn(prior: Any, rows: Rows, model: FactorModel, has_factors: bool = True) -> None:
    """Set what `fit` learns."""
    names = pd.Index(rows.asset_names)
    full = _Full(len(names), labels.positions(model.assets, names, "asset", UnknownAssetError))
    mean, factor_returns, residuals = model.expected_returns.sum(axis=1).to_numpy(), None, None
    explained = np.tile(mean, (len(rows.kept), 1))
    if has_factors:
        own = rows.panel.returns_of(model.definitions)
        explained[rows.kept] = model.alpha.to_numpy() + own @ model.loadings.to_numpy().T
        factor_returns = rows.on_all_rows(own)
        residuals = full.columns(rows.on_all_rows(model.residuals(rows.panel).to_numpy()))
    scenarios = rows.returns.copy()
    holes = np.isnan(scenarios) & ~np.isnan(full.columns(explained))
    scenarios[holes] = full.columns(explained)[holes]
    scenarios[:, np.isnan(full.vector(mean))] = np.nan
    prior.n_features_in_ = len(names)
    if all(isinstance(n, str) for n in names):
        prior.feature_names_in_ = np.asarray(names, dtype=object)
    prior.missing_ = model.missing
    prior.filled_ = pd.Series(holes.sum(axis=0), names, name="filled")
    prior.return_distribution_ = ReturnDistribution(
        mu=full.vector(mean),
        covariance=full.matrix(model.covariance.to_dense(limit=len(model.assets)).to_numpy()),
        returns=scenarios,
        factor_model=_factor_model(model, rows, full, factor_returns, residuals),
    )


def _factor_model(
    model: FactorModel, rows: Rows, full: _Full, factor_returns: Array | None, residuals: Array | None
) -> Any:
    b, linked = model.loadings.to_numpy(), model.links.shape[1] > 0
    idio = np.diag(model.idio_variance) + _off_diagonal(model.links.to_numpy()) if linked else model.idio_variance
    return SkfolioModel(
        observations=np.asarray(rows.labels),
        asset_names=np.asarray(rows.asset_names, dtype=object),
        factor_names=np.asarray(model.factors, dtype=object),
        factor_families=None,
        loading_matrix=full.rows(b),
        # constant ones, as a view: attribution of what was realised asks for them by date
        exposures=np.broadcast_to(full.rows(b), (len(rows.kept), len(full.rows(b)), b.shape[1])),
        factor_covariance=model.factor_covariance.to_numpy(),
        factor_mu=model.factor_mean.to_numpy(),
        factor_returns=factor_returns,
        idio_covariance=full.matrix(idio) if linked else full.vector(model.idio_variance.to_numpy()),
        idio_mu=None,
        idio_returns=residuals,
        idio_variances=None,
    )


def _off_diagonal(links: Array) -> Array:
    products = links @ links.T
    np.fill_diagonal(products, 0.0)
    return products
