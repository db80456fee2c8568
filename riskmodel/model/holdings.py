"""What a portfolio holds, as arrays: assets, then positions in factors."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array
from riskmodel._core.weights import read_weights
from riskmodel.errors import UnknownFactorError
from riskmodel.model.covariance import FactorCovariance


@final
@frozen(eq=False)
class Holdings:
    """N assets and M positions in factors ("legs"), with what one unit of each adds to the risk.

    Rows are the assets, then the legs. Variances are return² at the covariance's horizon.

    Attributes
    ----------
    covariance : FactorCovariance
        Of the N assets, with K factors.
    weights : array, shape (N,)
        Of the assets.
    legs : Series by factor
        M positions.
    columns : array, shape (M,)
        The factor of each leg, as a number.
    """

    covariance: FactorCovariance
    weights: Array
    legs: pd.Series[float]
    columns: Any

    @classmethod
    def of(cls, covariance: FactorCovariance, weights: Any, legs: Any = None) -> Self:
        """Read weights by asset and positions by factor.

        Raises
        ------
        UnknownAssetError, UnknownFactorError
            For labels that the covariance does not have.
        InvalidParameterError
            For weights that are not finite numbers, or not labelled.
        """
        require(covariance, FactorCovariance, "covariance", "for instance model.covariance")
        read = read_weights(weights, "weights", "asset")
        positions = read_weights({} if legs is None else legs, "legs", "factor")
        columns = labels.positions(positions.index, covariance.factors, "factor", UnknownFactorError)
        return cls(covariance.restrict(read.index), np.asarray(read), positions, columns)

    @property
    def names(self) -> pd.Index[Any]:
        """Labels of the rows; a factor may have the label of an asset."""
        return self.covariance.assets.append(self.legs.index) if len(self.legs) else self.covariance.assets

    @property
    def sizes(self) -> Array:
        """Weights, then positions, shape (N + M,)."""
        return np.concatenate([self.weights, self.legs.to_numpy()])

    def by_row(self, assets: Array, factors: Array) -> Array:
        """Put what is known of assets above what is known of factors, as the legs hold them."""
        return np.concatenate([assets, factors[self.columns]])

    @property
    def units(self) -> Array:
        """Exposure of one unit of each row to each factor, shape (N + M, K)."""
        k = len(self.covariance.factors)
        return self.by_row(self.covariance._loadings, np.eye(k))

    @cached_property
    def exposures(self) -> Array:
        """B'w + legs, shape (K,)."""
        held = self.covariance._loadings.T @ self.weights
        np.add.at(held, self.columns, self.legs.to_numpy())
        return np.asarray(held)

    @cached_property
    def towards(self) -> Array:
        """Covariance of the portfolio with each factor, F x, shape (K,)."""
        return np.asarray(self.covariance._factor_root @ self._scores)

    @cached_property
    def _scores(self) -> Array:
        # with the root of F, as rounding may make x'Fx negative where F is singular
        return np.asarray(self.covariance._factor_root.T @ self.exposures)

    @cached_property
    def specific(self) -> Array:
        """Covariance of the portfolio's idio return with that of each asset, D w, shape (N,)."""
        return self.covariance._specific(self.weights)

    @cached_property
    def systematic_variance(self) -> float:
        """The factors' variance, x'Fx."""
        return float(self._scores @ self._scores)

    @cached_property
    def specific_variance(self) -> float:
        """The idio variance, w'Dw."""
        return float(self.weights @ self.specific)

    @property
    def variance(self) -> float:
        """The variance."""
        return self.systematic_variance + self.specific_variance

    @cached_property
    def covariances(self) -> Array:
        """Covariance of the portfolio with one unit of each row, shape (N + M,)."""
        return self.by_row(self.covariance._loadings @ self.towards + self.specific, self.towards)

    @cached_property
    def volatilities(self) -> Array:
        """Volatility of one unit of each row, shape (N + M,)."""
        held = self.covariance
        squares = self.by_row(held._systematic + held._idio_variance, np.diag(held._factor_covariance))
        return np.sqrt(squares)

    def covariance_with(self, other: Holdings) -> float:
        """Covariance with other holdings in the same model, return²."""
        mine, theirs = self.covariance, other.covariance
        at = theirs.assets.get_indexer(mine.assets)
        shared = np.where(at >= 0, np.append(other.weights, 0.0)[at], 0.0)
        linked = (mine._links.T @ self.weights) @ (theirs._links.T @ other.weights)
        return float(self._scores @ other._scores + (self.weights * mine._own_variance) @ shared + linked)
