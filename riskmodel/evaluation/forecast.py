"""A covariance forecast: what a study asks of it, whatever form it has."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen
from scipy import linalg

from riskmodel._core.arrays import Array, floats
from riskmodel._core.listing import Abstract
from riskmodel.errors import InvalidParameterError, SingularCovarianceError
from riskmodel.horizon import Horizon
from riskmodel.model.covariance import FactorCovariance
from riskmodel.model.model import FactorModel

# Tolerance of a dense covariance for asymmetry, relative to its largest variance.
_ASYMMETRY = 1e-8


class Forecast(Abstract):
    """The covariance of N asset returns over one row, as a method forecast it on a date."""

    @property
    @abstractmethod
    def assets(self) -> pd.Index[Any]:
        """N labels."""

    @abstractmethod
    def variances(self, weights: Array) -> Array:
        """The variance w' Σ w of each of M portfolios, shape (M,), from weights N × M."""

    @abstractmethod
    def solve(self, values: Array) -> Array:
        """Σ⁻¹ V for N × M values.

        Raises
        ------
        SingularCovarianceError
            If Σ cannot be inverted.
        """

    @property
    def structure(self) -> FactorCovariance | None:
        """The forecast as low rank plus diagonal; None where it is not of this form."""
        return None


@final
@frozen(eq=False)
class StructuredForecast(Forecast):
    """A forecast of a factor model; every operation is O(N·K)."""

    covariance: FactorCovariance

    @property
    def assets(self) -> pd.Index[Any]:
        """N labels."""
        return self.covariance.assets

    @cached_property
    def _root(self) -> tuple[Array, Array]:
        g, s = self.covariance.square_root()
        return floats(g), floats(s)

    def variances(self, weights: Array) -> Array:
        """The variances as sums of squares: ‖G'w‖² + ‖s·w‖²."""
        g, s = self._root
        return np.asarray(((g.T @ weights) ** 2).sum(axis=0) + s**2 @ weights**2)

    def solve(self, values: Array) -> Array:
        """Σ⁻¹ V by the Woodbury identity."""
        return np.asarray(self.covariance.solve(values))

    @property
    def structure(self) -> FactorCovariance | None:
        """The covariance itself."""
        return self.covariance


def _symmetric(_: Any, __: Any, matrix: Array) -> None:
    if not np.isfinite(matrix).all():
        raise InvalidParameterError("expected a finite covariance matrix, got NaN or infinity.")
    size = np.abs(np.diag(matrix)).max(initial=0.0)
    if np.abs(matrix - matrix.T).max(initial=0.0) > _ASYMMETRY * size:
        raise InvalidParameterError("expected a symmetric covariance matrix, got one that differs from its transpose.")


@final
@frozen(eq=False)
class DenseForecast(Forecast):
    """A forecast as an N × N matrix, of a method that has no structure."""

    assets: pd.Index[Any]
    matrix: Array = field(validator=_symmetric)

    def variances(self, weights: Array) -> Array:
        """The variances, O(N²·M)."""
        return np.asarray(np.einsum("im,im->m", weights, self.matrix @ weights))

    @cached_property
    def _cholesky(self) -> Any:
        try:
            return linalg.cho_factor(self.matrix)
        except linalg.LinAlgError as error:
            raise SingularCovarianceError(
                "expected a positive definite covariance, got a singular or indefinite one."
            ) from error

    def solve(self, values: Array) -> Array:
        """Σ⁻¹ V by Cholesky."""
        return np.asarray(linalg.cho_solve(self._cholesky, values))


def read_forecast(result: Any, assets: pd.Index[Any], horizon: Horizon, source: str) -> Forecast:
    """Read what a method returned: a model, a factor covariance, a frame or an array, the latter two per row.

    Raises
    ------
    InvalidParameterError
        For anything but a covariance of these assets.
    """
    if isinstance(result, FactorModel):
        result = result.covariance
    if isinstance(result, FactorCovariance):
        return _structured(result, assets, horizon, source)
    if isinstance(result, pd.DataFrame):
        if not (result.index.equals(result.columns) and set(result.index) == set(assets)):
            raise _other_assets(source, assets, result.index)
        result = result.loc[assets, assets]
    matrix = np.array(result, dtype=np.float64)
    if matrix.shape != (len(assets), len(assets)):
        raise InvalidParameterError(
            f"expected a covariance of shape {(len(assets),) * 2} from {source}, got shape {matrix.shape}.",
            expected=(len(assets),) * 2,
            got=matrix.shape,
        )
    return DenseForecast(assets, matrix)


def _structured(covariance: FactorCovariance, assets: pd.Index[Any], horizon: Horizon, source: str) -> Forecast:
    if set(covariance.assets) != set(assets):
        raise _other_assets(source, assets, covariance.assets)
    if not covariance.assets.equals(assets):
        covariance = covariance.restrict(assets)
    return StructuredForecast(covariance if covariance.horizon == horizon else covariance.at(horizon))


def _other_assets(source: str, assets: pd.Index[Any], got: pd.Index[Any]) -> InvalidParameterError:
    lacking = [a for a in assets if a not in set(got)]
    return InvalidParameterError(
        f"expected a covariance of the {len(assets)} assets of the window from {source}, got one of {len(got)} that "
        f"lacks {len(lacking)} of them.",
        missing=lacking,
    )
