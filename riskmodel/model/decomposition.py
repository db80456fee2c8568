"""Decomposition of a portfolio's variance."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array
from riskmodel._core.linalg import root
from riskmodel._core.weights import read_weights
from riskmodel.errors import UnknownFactorError
from riskmodel.horizon import Horizon
from riskmodel.model.covariance import FactorCovariance
from riskmodel.quantities import Variance

IDIO = "idio"


@final
@frozen(eq=False)
class RiskDecomposition:
    r"""A portfolio's variance by factor (and idio), and by holding.

    Contributions are Euler's: half of the weight of each holding or factor times the derivative of the variance. They
    sum to the total; a negative one reduces risk ([1]_, chapter 3).

    Attributes
    ----------
    total_variance, factor_variance, idio_variance : Variance
        Return² at `horizon`; total = factor + idio.
    by_factor : Series by factor, then ``"idio"``
        Contributions to the total variance, return² at `horizon`.
    by_asset : Series by holding
        Contributions to the total variance, return² at `horizon`.
    horizon : Horizon
        The horizon of the variances.

    References
    ----------
    .. [1] Litterman, R. (1996). Hot Spots and Hedges. *Journal of Portfolio Management* 23 (special issue), 52-75.
    """

    total_variance: Variance
    factor_variance: Variance
    idio_variance: Variance
    _by_factor: pd.Series[float]
    _by_asset: pd.Series[float]
    horizon: Horizon

    @classmethod
    def of(cls, covariance: FactorCovariance, weights: Any, legs: Any = None) -> Self:
        """Decompose the variance of weights in assets and of positions in factors.

        Parameters
        ----------
        covariance : FactorCovariance
            Of the assets.
        weights : Series or mapping by asset
            Omitted assets have weight zero.
        legs : Series or mapping by factor, optional
            Positions in the factors, for instance a hedge; in `by_asset` they follow the assets.

        Raises
        ------
        UnknownAssetError, UnknownFactorError
            For labels that the covariance does not have.
        InvalidParameterError
            For weights that are not finite numbers, or not labelled.
        """
        require(covariance, FactorCovariance, "covariance", "for instance model.covariance")
        read = read_weights(weights, "weights", "asset")
        w, held = read.to_numpy(), covariance.restrict(read.index)
        b, f = held.loadings.to_numpy(), held.factor_covariance.to_numpy()
        positions = read_weights({} if legs is None else legs, "legs", "factor")
        h = np.zeros(len(f))
        h[labels.positions(positions.index, held.factors, "factor", UnknownFactorError)] = positions
        exposures = b.T @ w + h
        # with the root of F, as rounding may make x'Fx negative where F is singular
        half = root(f)
        scores = half.T @ exposures
        own = w * held._specific(np.asarray(w))
        towards = half @ scores
        return cls._from_parts(
            held,
            systematic=float(scores @ scores),
            by_factor=exposures * towards,
            own=own,
            by_asset=w * (b @ towards) + own,
            by_leg=pd.Series(h * towards, held.factors, dtype=np.float64).reindex(positions.index),
        )

    @classmethod
    def _from_parts(
        cls,
        held: FactorCovariance,
        *,
        systematic: float,
        by_factor: Array,
        own: Array,
        by_asset: Array,
        by_leg: pd.Series[float],
    ) -> Self:
        idio = float(own.sum())
        holdings = pd.Series(by_asset, held.assets, name="variance")
        if len(by_leg):
            # a factor with the label of a held asset is the same instrument
            holdings = pd.concat([holdings, by_leg.rename("variance")]).groupby(level=0, sort=False).sum()
        return cls(
            total_variance=Variance(systematic + idio, held.horizon),
            factor_variance=Variance(systematic, held.horizon),
            idio_variance=Variance(idio, held.horizon),
            by_factor=pd.Series([*by_factor, idio], pd.Index([*held.factors, IDIO]), name="variance"),
            by_asset=holdings,
            horizon=held.horizon,
        )

    @property
    def by_factor(self) -> pd.Series[float]:
        """Contributions to the total variance by factor, then ``"idio"``, return² at the horizon."""
        return self._by_factor.copy()

    @property
    def by_asset(self) -> pd.Series[float]:
        """Contributions to the total variance by asset, then by leg, return² at the horizon."""
        return self._by_asset.copy()

    @property
    def factor_share(self) -> float:
        """Share of the variance that the factors explain, 0 to 1; 0 for a variance of zero."""
        return self.factor_variance / self.total_variance if self.total_variance > 0 else 0.0
