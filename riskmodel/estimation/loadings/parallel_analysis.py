"""The number of components that exceed those of noise."""

from __future__ import annotations

from functools import lru_cache
from typing import final

import numpy as np
from attrs import evolve, field, frozen

from riskmodel._core.arrays import Array, set_read_only
from riskmodel.estimation.loadings.eigen import principal_directions
from riskmodel.estimation.loadings.number import FactorNumber, read_spectrum
from riskmodel.estimation.weighting import require_at_least, require_share


@final
@frozen
class ParallelAnalysis(FactorNumber):
    r"""Horn's parallel analysis: components whose eigenvalues exceed those of returns without correlation [1]_.

    Normal returns of the same shape and variance, independent between assets, are simulated; a component counts if its
    eigenvalue, and those of all before it, exceed the `quantile` of the same eigenvalue in the simulations. [2]_ shows
    when this is consistent, for the like of it that permutes returns: it finds factors that move many assets, and may
    miss weak ones behind very strong ones. All assets are taken to have one variance, so scale components by
    `OwnVolatility`.

    Parameters
    ----------
    most : int
        The largest number it may choose.
    simulations : int
        How many. Each costs about as much as the components themselves; the last few shapes are remembered.
    quantile : float
        From 0 to 1.
    seed : int
        Of the simulations: the same seed gives the same number.

    References
    ----------
    .. [1] Horn, J. L. (1965). A Rationale and Test for the Number of Factors in Factor Analysis. *Psychometrika* 30(2),
       179-185.
    .. [2] Dobriban, E. (2020). Permutation Methods for Factor Analysis and PCA. *Annals of Statistics* 48(5),
       2824-2847.

    Examples
    --------
    >>> import numpy as np, riskmodel as rm
    >>> rm.ParallelAnalysis(most=3).choose(np.array([900.0, 400.0, 39.0, 38.0]), 2_000.0, 250, 100)
    2
    """

    simulations: int = field(default=20, validator=require_at_least(1))
    quantile: float = field(default=0.95, validator=require_share)
    seed: int = field(default=0, validator=require_at_least(0))

    def choose(self, eigenvalues: Array, total: float, dates: float, assets: int) -> int:
        """Choose the number of leading eigenvalues that exceed those of noise."""
        values = read_spectrum(eigenvalues, total, dates, assets)[: self.most]
        rows = max(round(dates), 2)
        noise = _noise(evolve(self, most=max(len(values), 1)), rows, int(assets))
        known = min(len(values), len(noise))
        beyond = values[:known] > total * noise[:known]
        return int(np.cumprod(beyond).sum())


@lru_cache(maxsize=8)
def _noise(analysis: ParallelAnalysis, dates: int, assets: int) -> Array:
    """Quantiles of the largest eigenvalues of noise, as shares of their sum, shape (`most`,) or less."""
    rng = np.random.default_rng(analysis.seed)
    found = []
    for _ in range(analysis.simulations):
        x = rng.standard_normal((dates, assets))
        x -= x.mean(axis=0)
        x /= np.sqrt((x * x).sum(axis=0) * assets)
        found.append(principal_directions(x, min(analysis.most, dates - 1, assets))[0])
    return set_read_only(np.quantile(found, analysis.quantile, axis=0))
