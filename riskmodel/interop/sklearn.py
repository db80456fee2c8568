"""A factor model as a covariance estimator of scikit-learn.

Examples
--------
>>> import riskmodel as rm
>>> from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
>>> from riskmodel.interop.sklearn import FactorModelCovariance
>>> panel = rm.SampleData().panel(["KO", "XOM", "MSFT"], ["Mkt-RF"])
>>> returns, factors = panel.excess_returns, panel.factor_returns
>>> lives = {"estimator__half_life": [rm.MONTH, rm.YEAR]}
>>> search = GridSearchCV(FactorModelCovariance(rm.EWMA(rm.YEAR)), lives, cv=TimeSeriesSplit(3))
>>> search.fit(returns, factors=factors).best_params_
{'estimator__half_life': YEAR}
"""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, floats
from riskmodel.errors import InvalidParameterError, MissingExtraError, NotEstimatedError
from riskmodel.estimation.base import Estimator
from riskmodel.horizon import DAY, Horizon
from riskmodel.interop._panels import read_rows
from riskmodel.interop._parameters import NestedParameters

try:
    from sklearn.base import BaseEstimator
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise MissingExtraError.of("riskmodel.interop.sklearn", "scikit-learn", "sklearn") from error


@final
class FactorModelCovariance(NestedParameters, BaseEstimator):
    """Covariance of a factor model, with the methods of ``sklearn.covariance``.

    ``fit`` passes over N × K numbers, and so do `score` and `mahalanobis`; only `covariance_`, `get_precision` and
    `error_norm` make N × N ones.

    Parameters
    ----------
    estimator : Estimator, optional
        By default ``rm.OLS()``. Its fields are parameters: ``estimator__half_life``.
    horizon : Horizon, optional
        The span of one row of X; by default ``rm.DAY``.

    Attributes
    ----------
    model_ : FactorModel
        α, B, F and D.
    location_ : array, shape (N,)
        Means, α + B E f, decimals per row.
    covariance_ : array, shape (N, N)
        Made at the first request.

    Raises
    ------
    InvalidParameterError
        In ``fit``, for X and factors of different rows, and for assets that cannot be estimated.
    DataError, EstimationError
        In ``fit``: see `ReturnPanel.align`; X are returns in decimals, and checked as such.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> fitted = FactorModelCovariance().fit(panel.excess_returns, factors=panel.factor_returns)
    >>> fitted.mahalanobis(panel.excess_returns.iloc[:2]).round(2).shape
    (2,)
    """

    __metadata_request__fit = {"factors": True}  # noqa: RUF012 - as scikit-learn reads it

    def __init__(self, estimator: Estimator | None = None, horizon: Horizon | None = None) -> None:
        self.estimator = estimator
        self.horizon = horizon

    def fit(self, X: Any, y: None = None, *, factors: Any = None) -> Self:
        """Estimate the model.

        Parameters
        ----------
        X : DataFrame or array, dates × assets
            Returns, decimals; NaN where missing.
        y : None
            Not used.
        factors : DataFrame or array, dates × factors, optional
            Of the same rows; without them, an estimator that makes its factors of the assets, or a diagonal matrix.
        """
        values = _validated(self, X, reset=True, finite="allow-nan", least=2)
        horizon = DAY if self.horizon is None else self.horizon
        rows = read_rows(X if isinstance(X, pd.DataFrame) else values, factors, horizon)
        model = rows.fit(self.estimator, horizon)
        if len(model.missing):
            first = model.missing.iloc[0]
            raise InvalidParameterError(
                f"expected assets that can all be estimated, got {labels.listing(model.missing['asset'])}: "
                f"{first['reason']}; leave them out, as a covariance of scikit-learn has one row for each column of X.",
                assets=list(model.missing["asset"]),
            )
        self.model_ = model
        self.location_ = model.expected_returns.sum(axis=1).to_numpy()
        self.__dict__.pop("_dense", None)
        return self

    @property
    def covariance_(self) -> Array:
        """Σ, N × N, return² per row; made at the first request."""
        if "model_" not in vars(self):
            raise AttributeError("expected a fitted estimator, got one without covariance_; call fit first.")
        if "_dense" not in vars(self):
            cov = self.model_.covariance
            self._dense = cov.to_dense(limit=len(cov.assets)).to_numpy()
        return self._dense

    def get_precision(self) -> Array:
        """Σ⁻¹, N × N.

        Raises
        ------
        NotEstimatedError
            Before ``fit``.
        SingularCovarianceError
            If Σ has no inverse.
        """
        cov = self._fitted().covariance
        return floats(cov.solve(np.eye(len(cov.assets))))

    def mahalanobis(self, X: Any) -> Array:
        """Squared Mahalanobis distance of each row from `location_`, in O(N·K) a row.

        Parameters
        ----------
        X : DataFrame or array, dates × assets
            Returns, decimals; none missing.

        Raises
        ------
        NotEstimatedError
            Before ``fit``.
        SingularCovarianceError
            If Σ has no inverse.
        """
        model = self._fitted()
        away = _validated(self, X, reset=False, finite=True, least=1) - self.location_
        return np.asarray(np.einsum("tn,nt->t", away, floats(model.covariance.solve(away.T))))

    def score(self, X: Any, y: None = None) -> float:
        """Mean log-likelihood of the rows of X under a normal distribution, in nats a row.

        Parameters
        ----------
        X : DataFrame or array, dates × assets
            Returns, decimals; none missing.
        y : None
            Not used.

        Raises
        ------
        NotEstimatedError
            Before ``fit``.
        SingularCovarianceError
            If Σ has no inverse.
        """
        cov = self._fitted().covariance
        distances = self.mahalanobis(X)
        return float(-0.5 * (distances.mean() + cov.logdet() + len(cov.assets) * np.log(2.0 * np.pi)))

    def error_norm(self, comp_cov: Any, norm: str = "frobenius", scaling: bool = True, squared: bool = True) -> float:
        """Distance from another covariance matrix, as of scikit-learn's estimators.

        Parameters
        ----------
        comp_cov : array, shape (N, N)
            The other one.
        norm : {"frobenius", "spectral"}
            Of the difference.
        scaling : bool
            Whether to divide the squared norm by N.
        squared : bool
            Whether to return the squared norm.

        Raises
        ------
        NotEstimatedError
            Before ``fit``.
        InvalidParameterError
            For a matrix of another shape, and for another norm.
        """
        self._fitted()
        other = floats(comp_cov)
        if other.shape != self.covariance_.shape or not np.isfinite(other).all():
            raise InvalidParameterError(
                f"expected finite comp_cov of shape {self.covariance_.shape}, got shape {other.shape}, or NaN.",
                parameter="comp_cov",
                expected=self.covariance_.shape,
                got=other.shape,
            )
        orders = {"frobenius": "fro", "spectral": 2}
        if not isinstance(norm, str) or norm not in orders:
            raise InvalidParameterError(
                f"expected norm as one of {', '.join(orders)}, got another.", parameter="norm", got=norm
            )
        with np.errstate(over="ignore"):
            size = float(np.linalg.norm(other - self.covariance_, orders[norm])) ** 2  # type: ignore[call-overload]
        size /= len(other) if require(scaling, bool, "scaling") else 1
        return size if require(squared, bool, "squared") else float(np.sqrt(size))

    def _fitted(self) -> Any:
        try:
            check_is_fitted(self, "model_")
        except NotFittedError as error:
            raise _UnfittedError("expected a fitted estimator, got one that is not; call fit first.") from error
        return self.model_

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn's checks may pass on."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class _UnfittedError(NotEstimatedError, NotFittedError):
    """Both this package's error and the one that scikit-learn asks for."""


class _KindError(InvalidParameterError, TypeError):
    """Both this package's error and the one that scikit-learn asks for."""


def _validated(estimator: Any, X: Any, *, reset: bool, finite: Any, least: int) -> Array:
    """Read X as scikit-learn does; it keeps the names and the number of features."""
    try:
        checked = validate_data(
            estimator, X, reset=reset, dtype=np.float64, ensure_all_finite=finite, ensure_min_samples=least
        )
    except TypeError as error:
        raise _KindError(str(error), parameter="X") from error
    except (ValueError, OverflowError, AttributeError) as error:
        raise InvalidParameterError(str(error), parameter="X") from error
    return np.asarray(checked)
