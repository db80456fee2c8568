"""Portfolios of assets whose returns are the components of a panel."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import Array, Flags
from riskmodel.errors import EstimationError
from riskmodel.panel.factors import PortfolioFactor

# A portfolio of which orthogonality to factors leaves less than this share is rounding.
_NOTHING_LEFT = 1e-6
# Sums of weights below this share of their size have no sign.
_NO_SIGN = 1e-6


@final
@frozen(eq=False)
class ComponentPortfolios:
    """Weights W of K portfolios, shape (N, K), their returns, shape (T, K), and the weight of each date, shape (T,)."""

    weights: Array
    returns: Array
    dates: Array

    @classmethod
    def holding(
        cls, directions: Array, scale: Array, filled: Array, held: Flags, exposures: Array, *, dates: Array
    ) -> Self:
        """Make the portfolios of the assets held, whose returns are those of the components.

        Parameters
        ----------
        directions : array, shape (N, K)
            Principal directions in scaled units, orthonormal.
        scale : array, shape (N,)
            The unit of each asset.
        filled : array, shape (T, N)
            Returns, none missing among the assets held.
        held : array of bool, shape (N,)
            The assets held. A component is the cross-sectional regression on their directions.
        exposures : array, shape (N, M)
            Loadings that the portfolios must not have.
        dates : array, shape (T,)
            Weight of each date.
        """
        v = directions[held]
        scaled = v if held.all() else v @ np.linalg.inv(v.T @ v)
        scaled = _without(scaled, exposures[held] / scale[held, None])
        scaled = scaled * _signs(scaled)
        weights = np.zeros_like(directions)
        weights[held] = scaled / scale[held, None]
        weights /= np.abs(weights).sum(axis=0)
        return cls(weights, filled[:, held] @ weights[held], dates)

    def definitions(self, assets: pd.Index[Any]) -> list[PortfolioFactor]:
        """Return the factors, named PC1, PC2 and so on."""
        return [
            PortfolioFactor(f"PC{j + 1}", pd.Series(w[w != 0], assets[w != 0])) for j, w in enumerate(self.weights.T)
        ]


def _without(scaled: Array, exposures: Array) -> Array:
    """The nearest portfolios without exposures, in scaled units."""
    if not exposures.shape[1]:
        return scaled
    left = scaled - exposures @ np.linalg.lstsq(exposures, scaled, rcond=None)[0]
    if (np.linalg.norm(left, axis=0) <= _NOTHING_LEFT * np.linalg.norm(scaled, axis=0)).any():
        raise EstimationError(
            f"expected more assets than factors, got {len(scaled)} assets for {exposures.shape[1]} observed and "
            f"{scaled.shape[1]} statistical factors; use fewer components.",
            assets_held=len(scaled),
        )
    return np.asarray(left)


def _signs(scaled: Array) -> Array:
    """+1 or -1 for each portfolio, so that it is long on balance."""
    sums, sizes = scaled.sum(axis=0), np.abs(scaled).sum(axis=0)
    decided = np.abs(sums) > _NO_SIGN * sizes
    return np.where(np.where(decided, sums, (scaled**3).sum(axis=0)) < 0, -1.0, 1.0)
