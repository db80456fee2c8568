"""Where a variance comes from."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel.covariance import Array, FactorCovariance
from riskmodel.horizon import Horizon, Variance

IDIO = "idio"


@final
@frozen(eq=False)
class RiskDecomposition:
    r"""A portfolio's variance split by factor and own, and by holding.

    Contributions are Euler's: each holding's or factor's weight times the derivative of the variance, halved, so
    they add up to the total; a negative one takes risk away ([1]_, chapter 3).

    Attributes
    ----------
    total_variance, factor_variance, idio_variance : Variance
        Return² at `horizon`; total = factor + idio.
    by_factor : Series by factor, then ``"idio"``
        Contributions to the total variance, return² at `horizon`.
    by_asset : Series by holding
        Contributions to the total variance, return² at `horizon`.
    horizon : Horizon
        What the variances refer to.

    References
    ----------
    .. [1] Litterman, R. (1996). Hot Spots and Hedges. *Journal of Portfolio Management* 23 (special issue), 52-75.
    """

    total_variance: Variance
    factor_variance: Variance
    idio_variance: Variance
    by_factor: pd.Series[float]
    by_asset: pd.Series[float]
    horizon: Horizon

    @classmethod
    def of(cls, covariance: FactorCovariance, weights: Any, legs: Any = None) -> Self:
        """Decompose the variance of weights on assets, and of legs held on the factors themselves.

        Parameters
        ----------
        covariance : FactorCovariance
            Of the assets.
        weights : Series by asset
            Assets left out weigh zero.
        legs : Series by factor, optional
            Positions in the factors, for instance a hedge.
        """
        held = covariance.restrict(weights.index)
        w = weights.to_numpy(dtype=np.float64)
        b, f = held.loadings.to_numpy(), held.factor_covariance.to_numpy()
        h = np.zeros(len(f)) if legs is None else legs.reindex(held.factors, fill_value=0.0).to_numpy()
        exposures = b.T @ w + h
        own = w * w * held.idio_variance.to_numpy()
        towards = f @ exposures
        return cls._from_parts(
            held,
            by_factor=exposures * towards,
            own=own,
            by_asset=w * (b @ towards) + own,
            by_leg=None if legs is None else pd.Series(h * towards, held.factors)[legs.index],
        )

    @classmethod
    def _from_parts(
        cls,
        held: FactorCovariance,
        by_factor: Array,
        own: Array,
        by_asset: Array,
        by_leg: pd.Series[float] | None,
    ) -> Self:
        # rounding must not make the variance of a hedged-out exposure negative
        systematic, idio = max(float(by_factor.sum()), 0.0), float(own.sum())
        holdings = pd.Series(by_asset, held.assets, name="variance")
        if by_leg is not None:
            holdings = pd.concat([holdings, by_leg.rename("variance")])
        return cls(
            total_variance=Variance(systematic + idio, held.horizon),
            factor_variance=Variance(systematic, held.horizon),
            idio_variance=Variance(idio, held.horizon),
            by_factor=pd.Series([*by_factor, idio], pd.Index([*held.factors, IDIO]), name="variance"),
            by_asset=holdings,
            horizon=held.horizon,
        )

    @property
    def factor_share(self) -> float:
        """Share of the variance that the factors explain, 0 to 1; 0 where there is no variance."""
        return self.factor_variance / self.total_variance if self.total_variance > 0 else 0.0
