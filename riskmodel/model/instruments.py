"""What a hedge may hold: factors, assets, and portfolios of assets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen
from scipy import linalg

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel._core.linalg import root
from riskmodel.errors import (
    InvalidParameterError,
    SingularCovarianceError,
    UnknownAssetError,
)
from riskmodel.model.covariance import FactorCovariance
from riskmodel.model.legs import Legs
from riskmodel.model.model import FactorModel
from riskmodel.panel.factors import AssetFactor, FactorOfAssets, held_by, positions_held, weighted
from riskmodel.panel.memory import ReturnPanel, returns_on

INSTRUMENT = "factor or asset"
# Treat a column as dependent if its distance from the span of the others is below this.
_DEPENDENT = 1e-12


@final
@frozen(eq=False)
class HeldInstruments:
    """M instruments, as loadings on the factors and holdings with idio risk.

    Attributes
    ----------
    labels : pandas.Index
        M names.
    model : FactorModel
        The model behind them.
    loadings : array, shape (M, K)
        Exposure of one dollar of each to each factor.
    holdings : DataFrame, assets × M
        Weight of each asset in each instrument.
    legs : array, shape (K, M)
        Positions in factors that are held themselves.
    portfolios : dict
        By label, those that are portfolios of assets and no factors of the model.
    """

    labels: pd.Index[Any]
    model: FactorModel
    loadings: Array
    holdings: pd.DataFrame
    legs: Array
    portfolios: dict[Any, FactorOfAssets]

    @classmethod
    def read(cls, instruments: Sequence[Any], model: FactorModel) -> Self:
        """Read instruments: labels of factors or assets, and portfolios of assets.

        Raises
        ------
        InvalidParameterError
            For none, a single label in place of a list, or a portfolio with the name of a factor or asset.
        DuplicateLabelsError, UnknownAssetError
            For a label that occurs twice, or is neither a factor nor an asset.
        """
        every = [i.asset if isinstance(i, AssetFactor) else i for i in listed(instruments)]
        portfolios = {i.name: i for i in every if isinstance(i, FactorOfAssets)}
        tools = _names(every)
        named = [label for label in tools if label not in portfolios]
        known = known_labels(model)
        labels.positions(named, known, INSTRUMENT, UnknownAssetError)
        # a portfolio that the model has as a factor is that factor
        own = dict(zip(model.factors, model.definitions, strict=True))
        portfolios = {name: p for name, p in portfolios.items() if name not in own or own[name] != p}
        ambiguous = [name for name in portfolios if name in known]
        if ambiguous:
            raise InvalidParameterError(
                f"expected portfolios with names of their own, got {labels.listing(ambiguous)}, also a factor or an "
                "asset of the model; rename the portfolio.",
                parameter="instruments",
                labels=ambiguous,
            )
        return cls._of(tools, model, portfolios)

    @classmethod
    def of(cls, tools: pd.Index[Any], model: FactorModel) -> Self:
        """Make them of known labels."""
        return cls._of(tools, model, {})

    @classmethod
    def _of(cls, tools: pd.Index[Any], model: FactorModel, portfolios: dict[Any, FactorOfAssets]) -> Self:
        legs = Legs.of(model)
        by_factor = np.zeros((len(model.factors), len(tools)))  # an instrument that is a factor holds its leg
        columns = np.flatnonzero(tools.isin(model.factors))
        by_factor[model.factors.get_indexer(tools[columns]), columns] = 1.0
        held = pd.DataFrame(legs.weights @ by_factor, legs.assets)
        assets = [int(i) for i in np.flatnonzero(~tools.isin(model.factors)) if tools[int(i)] not in portfolios]
        held = held.reindex(legs.assets.union(tools[assets], sort=False), fill_value=0.0)
        for column in assets:
            held.loc[tools[column], column] += 1.0
        if portfolios:
            inside = held_by(list(portfolios.values()))
            positions_held(inside.index, model.assets, "model")
            held = held.reindex(held.index.union(inside.index, sort=False), fill_value=0.0)
            rows, columns = held.index.get_indexer(inside.index), tools.get_indexer(inside.columns)
            added = np.zeros(held.shape)
            added[np.ix_(rows, columns)] = inside.to_numpy()
            held = held + added
        own = model.restrict(held.index.to_list())
        in_factors = legs.in_factors(by_factor)
        loadings = held.to_numpy().T @ own.loadings.to_numpy() + in_factors.T
        return cls(tools, model, loadings, held, in_factors, portfolios)

    def hedge(self, weights: Array) -> pd.Series[float]:
        """Label the weights of a hedge; portfolios become their assets.

        Raises
        ------
        InvalidParameterError
            For a portfolio that holds an asset with the label of a factor.
        """
        by_label = pd.Series(weights, self.labels)
        if not self.portfolios:
            return by_label
        inside = held_by(list(self.portfolios.values()))
        both = list(inside.index[inside.index.isin(self.model.factors)])
        if both:
            raise InvalidParameterError(
                f"expected portfolios of assets without the labels of factors, got {labels.listing(both)}, which means "
                "the factor; rename the asset or the factor.",
                parameter="instruments",
                labels=both,
            )
        bought = inside @ by_label[list(self.portfolios)]
        return add_weights(by_label.drop(list(self.portfolios)), bought)

    def returns(self, panel: ReturnPanel, rows: slice = slice(None)) -> Array:
        """Excess returns on some rows of a panel, rows × M; NaN where one is missing."""
        own = panel.select(self.holdings.index, []).arrays()[0][rows]
        values = weighted(own, self.holdings.to_numpy())
        used = np.flatnonzero(self.legs.any(axis=1))
        definitions = [self.model.definitions[int(j)] for j in used]
        return np.asarray(values + weighted(returns_on(panel, definitions, rows), self.legs[used]))

    def own_covariance_with(self, weights: pd.Series[float]) -> Array:
        """Return the idio covariance of each instrument with weights on assets, shape (M,)."""
        every = self.holdings.index.union(weights.index, sort=False)
        held = np.asarray(weights.reindex(every, fill_value=0.0))
        shared = self.model.covariance.restrict(every)._specific(held)
        return np.asarray(self.holdings.reindex(every, fill_value=0.0).to_numpy().T @ shared)

    def least_variance(self, exposures: Array, weights: pd.Series[float]) -> Array:
        """Return the hedge of least variance, -Σ_II⁻¹ Σ_Is, shape (M,), of exposures and of weights on assets."""
        shared = self.loadings @ np.asarray(self.model.factor_covariance, dtype=np.float64) @ exposures
        return self.solve(-(shared + self.own_covariance_with(weights)))

    @property
    def _covariance(self) -> FactorCovariance:
        """The covariance of the assets held."""
        return self.model.covariance.restrict(self.holdings.index)

    def solve(self, b: Array) -> Array:
        """Return Σ_II⁻¹ b. For instruments without a common asset, Σ_II is low rank plus diagonal.

        Raises
        ------
        SingularCovarianceError
            If an instrument is riskless, or a combination of the others.
        """
        try:
            return self._solve(b)
        except SingularCovarianceError as error:
            same = error.details["assets"]
            raise SingularCovarianceError(
                f"expected linearly independent instruments with risk, got {labels.listing(self.labels)}, of which "
                f"each of {labels.listing(same)} is riskless or a combination of the others; leave it out.",
                instruments=same,
            ) from error

    def _solve(self, b: Array) -> Array:
        f, model = self.model.factor_covariance.to_numpy(), self.model
        a, covariance = self.holdings.to_numpy(), self._covariance
        own = a.T @ covariance._specific(a)
        if not (own - np.diag(np.diag(own))).any():
            return np.asarray(
                FactorCovariance(self.labels, model.factors, self.loadings, f, np.diag(own), model.horizon).solve(b)
            )
        # instruments with common or linked assets have correlated idio risk: use a dense matrix, as they are few
        links, alone = covariance.links.to_numpy(), np.sqrt(covariance._own_variance)
        half = np.vstack([root(f).T @ self.loadings.T, links.T @ a, alone[:, None] * a])
        return solve_gram(half, b, self.labels)


def known_labels(model: FactorModel) -> pd.Index[Any]:
    """Return the labels that a hedge may hold: factors, then assets without a factor's label."""
    return model.factors.append(model.assets.difference(model.factors, sort=False))


def add_weights(first: pd.Series[float], second: pd.Series[float]) -> pd.Series[float]:
    """Add weights by label: labels of the first, then further ones of the second."""
    more = second.index.difference(first.index, sort=False)
    index = first.index.append(more) if len(more) else first.index
    return first.reindex(index, fill_value=0.0) + second.reindex(index, fill_value=0.0)


def solve_gram(half: Array, b: Array, names: pd.Index[Any]) -> Array:
    """Return (H'H)⁻¹ b; raise where some columns of H are combinations of the others."""
    _, r, order = linalg.qr(half, mode="economic", pivoting=True)
    lengths = np.abs(np.diag(r)) / np.linalg.norm(half, axis=0).max(initial=0.0)
    dependent = names[np.sort(order[lengths <= _DEPENDENT])]
    if len(dependent) or len(r) < len(names):
        raise SingularCovarianceError(
            f"expected independent instruments, got dependent ones: {labels.listing(dependent)}.",
            assets=list(dependent),
        )
    weights = np.empty(len(names))
    weights[order] = linalg.solve_triangular(r, linalg.solve_triangular(r, b[order], trans=1))
    return weights


def _names(instruments: list[Any]) -> pd.Index[Any]:
    return labels.unique([i.name if isinstance(i, FactorOfAssets) else i for i in instruments], "instruments")


def listed(instruments: Any) -> list[Any]:
    """Return instruments as a list; raise for none, a single one, or labels that are none or occur twice."""
    if isinstance(instruments, str | FactorOfAssets):
        raise InvalidParameterError(
            f"expected instruments as a list, got {instruments!r}; write [{instruments!r}].",
            parameter="instruments",
            got=instruments,
        )
    every = list(labels.require_list(instruments, "instruments"))
    _names(every)
    if not every:
        raise InvalidParameterError(
            "expected at least one instrument, got none; name a factor or an asset.", parameter="instruments", got=[]
        )
    return every
