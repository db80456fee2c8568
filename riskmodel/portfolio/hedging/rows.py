"""The variance of a strategy with a hedge, as squares of rows that are linear in the hedge."""

from __future__ import annotations

from typing import Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array, floats
from riskmodel._core.linalg import root
from riskmodel.model.instruments import HeldInstruments
from riskmodel.portfolio.portfolio import Portfolio


@final
@frozen(eq=False)
class RiskRows:
    r"""Variance :math:`\|G h + g\|^2 + \|A h + a\|^2 + c` of a strategy with a hedge h, per the model's horizon.

    Attributes
    ----------
    factor : array, shape (R, M)
        G: risk of each instrument in R uncorrelated factors of variance one.
    factor_own : array, shape (R,)
        g: that of the strategy.
    idio : array, shape (Q, M)
        A: idio volatilities of the assets held, and loadings on what links residuals.
    idio_own : array, shape (Q,)
        a: those of the strategy.
    constant : float
        c: idio variance of the strategy in assets that no instrument holds.
    exposures : array, shape (K, M)
        Exposure of one dollar of each instrument to each factor.
    exposures_own : array, shape (K,)
        Those of the strategy.
    root : array, shape (R, K)
        L' with F = L L'.
    """

    factor: Array
    factor_own: Array
    idio: Array
    idio_own: Array
    constant: float
    exposures: Array
    exposures_own: Array
    root: Array

    @classmethod
    def of(cls, strategy: Portfolio, held: HeldInstruments) -> Self:
        """Make them of a strategy and its instruments."""
        model = strategy.model
        half = root(model.factor_covariance.to_numpy()).T
        w = strategy.weights
        every = held.holdings.index.union(w.index, sort=False)
        covariance = model.covariance.restrict(every)
        own, a = np.asarray(w.reindex(every, fill_value=0.0)), held.holdings.to_numpy()
        n, alone, links = len(a), np.sqrt(covariance._own_variance), covariance.links.to_numpy()
        b = floats(strategy.exposures)
        return cls(
            factor=half @ held.loadings.T,
            factor_own=half @ b,
            idio=np.vstack([alone[:n, None] * a, links[:n].T @ a]),
            idio_own=np.concatenate([alone[:n] * own[:n], links.T @ own]),
            constant=float(np.square(alone[n:] * own[n:]).sum()),
            exposures=held.loadings.T.copy(),
            exposures_own=b,
            root=half,
        )

    def factor_variance(self, h: Array) -> float:
        """The factors' part."""
        rows = self.factor @ h + self.factor_own
        return float(rows @ rows)

    def idio_variance(self, h: Array) -> float:
        """The rest."""
        rows = self.idio @ h + self.idio_own
        return float(rows @ rows) + self.constant

    def variance(self, h: Array) -> float:
        """All of it."""
        return self.factor_variance(h) + self.idio_variance(h)

    def left(self, h: Array) -> Array:
        """Exposures with the hedge, shape (K,)."""
        return np.asarray(self.exposures @ h + self.exposures_own)
