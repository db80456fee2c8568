"""The distribution of returns in a scenario: what moves by how much, and what stays uncertain."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
from attrs import evolve, frozen

from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, floats
from riskmodel._core.linalg import as_correlation
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import Horizon
from riskmodel.model.model import FactorModel

# Eigenvalues of the shocks' correlation below this are rounding.
_DEPENDENT = 1e-12
# Shocks this far, relative to their size, from what the model can make are contradictory.
_CONTRADICTORY = 1e-6


@final
@frozen(eq=False)
class Moves(Listed):
    r"""Factor returns f and residuals ε in a scenario: their mean, and their covariance about it.

    The covariance is that of uncertain returns before the scenario, less what the shocks explain:
    :math:`L L^\top - U_f U_f^\top` of f, :math:`D - U_\varepsilon U_\varepsilon^\top` of ε, and
    :math:`-U_f U_\varepsilon^\top` between them. A `Scenario` returns it.

    Attributes
    ----------
    factors : array, shape (K,)
        Mean f, decimals over the horizon.
    specific : array, shape (N,)
        Mean ε.
    root : array, shape (K, R)
        L; R = 0 where the factor returns are known.
    own_variance : array, shape (N,)
        The diagonal of D, without links.
    links : array, shape (N, J)
        Of correlated residuals.
    explained_factors, explained_specific : array, shape (K, S) and (N, S)
        U for S shocks.
    horizon : Horizon
        The span of the returns.
    distance : float
        Mahalanobis distance of the shocks; NaN where the scenario has no shocks.
    asset_returns : array, shape (N,), optional
        What the assets themselves returned, NaN where it is not known; None without such returns.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> moves = rm.Shocks("market", {"Mkt-RF": -0.1}).moves(model)
    >>> moves.factors.round(6).tolist(), moves.specific.round(6).tolist(), str(moves.horizon)
    ([-0.1], [0.0, 0.0], 'day')
    """

    factors: Array
    specific: Array
    root: Array
    own_variance: Array
    links: Array
    explained_factors: Array
    explained_specific: Array
    horizon: Horizon
    distance: float = np.nan
    asset_returns: Array | None = None

    @classmethod
    def none(cls, model: FactorModel, horizon: Horizon) -> Self:
        """Nothing moves, and everything is as uncertain as the model says over a horizon."""
        of = require(model, FactorModel, "model", "for instance portfolio.model").covariance.at(horizon)
        n, k = len(of.assets), len(of.factors)
        return cls(
            factors=np.zeros(k),
            specific=np.zeros(n),
            root=of._factor_root,
            own_variance=of._own_variance,
            links=of._links,
            explained_factors=np.zeros((k, 0)),
            explained_specific=np.zeros((n, 0)),
            horizon=horizon,
        )

    @classmethod
    def known_factors(cls, model: FactorModel, factors: Array, horizon: Horizon) -> Self:
        """The factor returns are known, and the residuals as uncertain as the model says."""
        nothing = cls.none(model, horizon)
        known = floats(factors)
        if known.shape != nothing.factors.shape or not np.isfinite(known).all():
            raise InvalidParameterError(
                f"expected finite returns of the model's {len(nothing.factors)} factors, got shape {known.shape}.",
                parameter="factors",
                got=known.shape,
            )
        return evolve(nothing, factors=known, root=np.zeros((len(known), 0)))

    def given(self, at: Any, loadings: Array, assets: Any, shocks: Array) -> Self:
        r"""Condition on the returns of S factors and assets, in closed form.

        With y the observed returns, :math:`E[x \mid y = s] = E x + C_{xy} C_{yy}^{-1} (s - E y)`, where x are the
        factor returns and the residuals.

        Parameters
        ----------
        at : array of int
            Positions of the factors observed.
        loadings : array, shape (A, K)
            Of the assets observed.
        assets : array of int, shape (A,)
            Their positions.
        shocks : array, shape (S,)
            Returns of the factors, then of the assets.
        """
        a = np.vstack([np.eye(len(self.factors))[at], loadings])
        specific = self._specific_of(assets)  # Cov(ε, y) of the assets observed
        scores = a @ self.root
        m = len(at)
        total = scores @ scores.T
        total[m:, m:] += specific[assets]
        surprise = shocks - a @ self.factors
        whitening, length = _whitening(total, surprise)
        towards = whitening @ (whitening.T @ surprise)
        cross_factors = self.root @ scores.T
        return evolve(
            self,
            factors=self.factors + cross_factors @ towards,
            specific=self.specific + specific @ towards[m:],
            explained_factors=cross_factors @ whitening,
            explained_specific=specific @ whitening[m:],
            distance=length,
        )

    def _specific_of(self, assets: Any) -> Array:
        """Covariances of the residuals of all assets with those of some, shape (N, A)."""
        found = self.links @ self.links[assets].T
        found[assets, np.arange(len(assets))] += self.own_variance[assets]
        return np.asarray(found)


def _whitening(covariance: Array, surprise: Array) -> tuple[Array, float]:
    """Return W with W W' = C⁻¹, and the length of W's for a surprise s.

    Raises
    ------
    InvalidParameterError
        For a surprise that the covariance, which may be singular, cannot make.
    """
    correlation, scales = as_correlation(covariance)
    values, vectors = np.linalg.eigh(correlation)
    kept = values > _DEPENDENT * values.max(initial=0.0)
    scaled = surprise / scales
    inside = vectors[:, kept].T @ scaled
    outside = scaled - vectors[:, kept] @ inside
    if np.abs(outside).max(initial=0.0) > _CONTRADICTORY * np.abs(scaled).max(initial=0.0):
        raise InvalidParameterError(
            "expected shocks that the model can make together, got contradictory ones, as the covariance of what is "
            "shocked is singular; leave out those that follow from the others.",
            parameter="shocks",
            got=surprise.tolist(),
        )
    whitening = vectors[:, kept] / np.sqrt(values[kept]) / scales[:, None]
    return whitening, float(np.linalg.norm(inside / np.sqrt(values[kept])))
