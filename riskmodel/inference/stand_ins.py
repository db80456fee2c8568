"""Assets whose parameters are means of those of others."""

from __future__ import annotations

from functools import cached_property
from typing import Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import Array, Flags, Index
from riskmodel.model.model import FactorModel


@final
@frozen(eq=False, slots=False)
class StandIns:
    """How the parameters of held assets follow from regressions: their own, or means of those of peers.

    The means are taken as they are: how unlike its peers an asset is, is not known. Nothing is known of its alpha,
    which is zero without an error.

    Attributes
    ----------
    held : FactorModel
        Of N assets.
    regressed : FactorModel
        Of the M assets with regressions: those held, and peers.
    at : array of int
        Positions among those held that others stand in for.
    weights : array, shape (len(at), M)
        Of their peers.
    """

    held: FactorModel
    regressed: FactorModel
    at: Index
    weights: Array

    @classmethod
    def of(cls, model: FactorModel, held: FactorModel) -> Self | None:
        """Look the held assets up in the whole model; None where each has its own regression."""
        if not model._proxies:
            return None
        proxied = [asset for asset in held.assets if asset in model._proxies]
        if not proxied:
            return None
        every = model._with_peers(held.assets.to_list())
        regressed = every.restrict([asset for asset in every.assets if asset not in model._proxies])
        weights = np.zeros((len(proxied), len(regressed.assets)))
        for row, asset in enumerate(proxied):
            peers = model._proxies[asset]
            weights[row, regressed.assets.get_indexer(peers.index)] = peers
        return cls(held, regressed, held.assets.get_indexer(pd.Index(proxied)), weights)

    @cached_property
    def is_own(self) -> Flags:
        """Whether each held asset has its own regression, shape (N,)."""
        own = np.ones(len(self.held.assets), dtype=bool)
        own[self.at] = False
        return own

    @cached_property
    def _columns(self) -> Index:
        """Positions of the held assets with their own regression among those regressed."""
        return np.asarray(self.regressed.assets.get_indexer(self.held.assets[self.is_own]))

    def spread(self, values: Array) -> Array:
        """Pass what is given by held asset on to those regressed: shape (N, ...) to (M, ...)."""
        out = np.tensordot(self.weights.T, values[self.at], axes=1)
        np.add.at(out, self._columns, values[self.is_own])
        return np.asarray(out)

    def of_alpha(self, values: Array) -> Array:
        """The same of what multiplies alphas, of which those of proxies are no estimates."""
        out = np.zeros((len(self.regressed.assets), *values.shape[1:]))
        np.add.at(out, self._columns, values[self.is_own])
        return out

    def means(self, values: Array) -> Array:
        """Means of what is given by asset regressed, for those held: shape (M, ...) to (N, ...)."""
        out = np.empty((len(self.held.assets), *values.shape[1:]))
        out[self.is_own] = values[self._columns]
        out[self.at] = np.tensordot(self.weights, values, axes=1)
        return out
