"""The holdings of a position in a factor: the factor itself, or the assets of its portfolio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index
from riskmodel.errors import CollinearFactorsError, InvalidParameterError
from riskmodel.model.model import FactorModel
from riskmodel.panel.factors import Factor, PortfolioFactor, held_by, positions_held

# Legs whose exposures have a relative singular value below this are linearly dependent.
_DEPENDENT = 1e-10


@final
@frozen(eq=False)
class Legs:
    """The legs of a model's factors: one unit of each factor as holdings.

    Attributes
    ----------
    definitions : tuple of Factor
        K of them.
    assets : pandas.Index
        M labels: the assets of the factors that are portfolios.
    weights : array, shape (M, K)
        Weight of each asset in one unit of each factor; zero columns for factors that are held themselves.
    exposures : array, shape (K, K)
        G: exposure to each factor (row) of one unit of each leg (column).
    """

    definitions: tuple[Factor, ...]
    assets: pd.Index
    weights: Array
    exposures: Array

    @classmethod
    def of(cls, model: FactorModel) -> Self:
        """Make the legs of a model's factors.

        Raises
        ------
        UnknownAssetError
            If an asset of a portfolio factor is not in the model, for instance because it was restricted.
        """
        portfolios = {j: f for j, f in enumerate(model.definitions) if isinstance(f, PortfolioFactor)}
        exposures = np.eye(len(model.factors))
        if not portfolios:
            return cls(model.definitions, model.assets[:0], np.zeros((0, len(exposures))), exposures)
        weights = held_by(list(portfolios.values()))
        at = positions_held(weights.index, model.assets, "model")
        held = np.zeros((len(weights), len(exposures)))
        held[:, list(portfolios)] = weights.to_numpy()
        exposures[:, list(portfolios)] = model._loadings[at].T @ weights.to_numpy()
        return cls(model.definitions, weights.index, held, exposures)

    @property
    def portfolios(self) -> Index:
        """Positions of the factors that are portfolios of assets."""
        return np.array([j for j, f in enumerate(self.definitions) if isinstance(f, PortfolioFactor)], dtype=np.intp)

    def reaching(self, exposures: Array) -> Array:
        """Positions in the factors, shape (K,), with given total exposures x: G⁻¹ x.

        Where legs are linearly dependent, as those of industries that sum to zero, these are the smallest positions.

        Raises
        ------
        CollinearFactorsError
            If the exposures of the legs are linearly dependent, and cannot make these.
        """
        if not len(self.portfolios):
            return exposures
        singular = np.linalg.svd(self.exposures, compute_uv=False)
        if singular[-1] <= _DEPENDENT * singular[0]:
            smallest = np.linalg.lstsq(self.exposures, exposures, rcond=_DEPENDENT)[0]
            if np.abs(self.exposures @ smallest - exposures).max() <= _DEPENDENT * np.abs(exposures).max(initial=1.0):
                return np.asarray(smallest)
            raise CollinearFactorsError(
                f"expected factor portfolios with linearly independent exposures, got dependent ones among "
                f"{labels.listing(f.name for f in self.definitions)}; hedge with instruments.",
                factors=[f.name for f in self.definitions],
            )
        return np.asarray(np.linalg.solve(self.exposures, exposures))

    def in_assets(self, positions: Array) -> pd.Series[float]:
        """Weight by asset of positions in the factors that are portfolios."""
        return pd.Series(self.weights @ positions, self.assets, name="weight")

    def in_factors(self, positions: Array) -> Array:
        """The positions in factors that are held themselves, shape (K,) or (K, M); zero for portfolios of assets."""
        held = np.array(positions, dtype=np.float64)
        held[self.portfolios] = 0.0
        return held


def require_tradable(definitions: Sequence[Factor], positions: Array) -> None:
    """Raise for a position in a factor that is not tradable."""
    names = [f.name for f, p in zip(definitions, positions, strict=True) if p and not f.tradable]
    if names:
        raise InvalidParameterError(
            f"expected a hedge in tradable factors, got {labels.listing(names)}, which is not tradable; hedge "
            "with HedgedPortfolio.minimum_variance(strategy, instruments), or define a PortfolioFactor that mimics it.",
            factors=names,
        )
