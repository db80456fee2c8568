"""Why risk changed: the difference of two volatilities, split over what changed."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, Flags
from riskmodel._core.display import Table
from riskmodel._core.linalg import as_correlation
from riskmodel._core.listing import Listed
from riskmodel.analysis.splitting import Shapley, Splitting
from riskmodel.horizon import Horizon, require_same
from riskmodel.model.covariance import FactorCovariance
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio
from riskmodel.quantities import Volatility

_HOLDINGS = ["weights", "entered", "left", "legs"]
_SAME_FACTORS = ["loadings", "factor volatilities", "factor correlations"]
_IDIO, _FACTORS = "idio", "factors"


@final
@frozen(eq=False, repr=False)
class RiskChange(Listed):
    r"""Why the volatility of a portfolio changed between two dates, portfolios or models.

    The volatility is a function of what is held, of the loadings, of the factors' covariance and of the idio variances.
    Its change is split over these by Shapley values, or in a stated order; either way the parts sum to the change.

    ========================  =========================================================
    ``weights``               of assets held before and after
    ``entered``               assets held only after
    ``left``                  assets held only before
    ``legs``                  positions in factors
    ``loadings``              exposures of one unit of each asset
    ``factor volatilities``   with the correlations
    ``factor correlations``   as they were
    ``idio``                  idio variances, and what the model links between assets
    ========================  =========================================================

    Where the two models have different factors, loadings and factor covariance have no meaning apart, and are one
    part, ``factors``. An asset that only one of the models has gets that model's parameters in both, so that its own
    change is one of holdings alone; with other factors it has no exposure to those of the model that does not have it.
    Factors that are estimated anew, such as principal components, may change places or signs: loadings and factor
    covariance then have large parts that cancel.

    Made by `of`. Figures are per the models' horizon.

    Attributes
    ----------
    before, after : Portfolio
        The two portfolios.
    splitting : Splitting
        `Shapley` or `InOrder`.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM", "KO"], ["Mkt-RF"])
    >>> history = rm.Rolling(rm.YEAR, every=rm.YEAR).fit(panel)
    >>> before = rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, history.asof("2007-12-31"))
    >>> after = rm.Strategy({"MSFT": 0.4, "KO": 0.6}, history.asof("2008-12-31"))
    >>> rm.RiskChange.of(before, after)
    RiskChange: volatility from 0.0137 to 0.0226 per day; 1 names entered, 1 left
                        volatility   variance
    before                  0.0137   0.000188
    weights                -0.0020  -0.000087
    entered                 0.0067   0.000282
    left                   -0.0146  -0.000734
    legs                    0.0000   0.000000
    loadings                0.0008   0.000041
    factor volatilities     0.0125   0.000584
    factor correlations     0.0000   0.000000
    idio                    0.0056   0.000236
    after                   0.0226   0.000511
    """

    before: Portfolio
    after: Portfolio
    splitting: Splitting
    _states: tuple[_State, _State]

    @classmethod
    def of(cls, before: Portfolio, after: Portfolio, splitting: Splitting | None = None) -> Self:
        """Compare two portfolios, each with its own model.

        Parameters
        ----------
        before, after : Portfolio
            Possibly in one model, or with the same weights in the models of two dates.
        splitting : Splitting, optional
            By default `Shapley`.

        Raises
        ------
        HorizonMismatchError
            If the models are of different horizons.
        InvalidParameterError
            For arguments of other kinds, or an order that is not that of the parts.
        """
        first, second = require_portfolio(before, "before"), require_portfolio(after, "after")
        require_same(first.horizon, second.horizon, "the portfolios before and after")
        way = require(Shapley() if splitting is None else splitting, Splitting, "splitting", "such as rm.Shapley()")  # type: ignore[type-abstract]
        made = cls(first, second, way, _states(first, second))
        made.parts  # noqa: B018 - raises for an order that is not that of the parts
        return made

    @property
    def horizon(self) -> Horizon:
        """The horizon of all figures."""
        return self.before.horizon

    @property
    def change(self) -> Volatility:
        """Volatility after less volatility before: the sum of the parts."""
        return Volatility(float(self.after.volatility) - float(self.before.volatility), self.horizon)

    @property
    def parts(self) -> pd.DataFrame:
        """By part: ``volatility`` and ``variance``, which sum to the changes of both; each is split for itself."""
        variances = self._variances
        shares = {
            "volatility": self.splitting.split(np.sqrt(variances), self._names),
            "variance": self.splitting.split(variances, self._names),
        }
        return pd.DataFrame(shares, pd.Index(self._names, name="part"))

    @property
    def names(self) -> pd.DataFrame:
        """The assets that entered or left: ``before`` and ``after``, their weights, and ``part``."""
        a, b = self._states
        moved = np.flatnonzero((a.weights != 0) != (b.weights != 0))
        part = np.where(a.weights[moved] == 0, "entered", "left")
        table = {"before": a.weights[moved], "after": b.weights[moved], "part": part}
        return pd.DataFrame(table, a.covariance.assets[moved])

    def to_frame(self) -> pd.DataFrame:
        """Return the steps from ``before``, over the parts, to ``after``: columns ``volatility`` and ``variance``."""
        variances = self._variances[[0, -1]]
        ends = pd.DataFrame({"volatility": np.sqrt(variances), "variance": variances}, ["before", "after"])
        return pd.concat([ends.iloc[:1], self.parts, ends.iloc[1:]])

    @property
    def _table(self) -> Table:
        names = self.names["part"]
        title = (
            f"RiskChange: volatility from {float(self.before.volatility):.3g} to {float(self.after.volatility):.3g} "
            f"per {self.horizon}; {(names == 'entered').sum()} names entered, {(names == 'left').sum()} left"
        )
        return Table(title, self.to_frame(), last=1)

    def __repr__(self) -> str:
        return self._table.text()

    def _repr_html_(self) -> str:
        return self._table.html()

    # -- parts -------------------------------------------------------------------------------------

    @property
    def _has_same_factors(self) -> bool:
        a, b = self._states
        return bool(a.covariance.factors.equals(b.covariance.factors))

    @property
    def _names(self) -> list[str]:
        return [*_HOLDINGS, *(_SAME_FACTORS if self._has_same_factors else [_FACTORS]), _IDIO]

    @cached_property
    def _variances(self) -> Array:
        """The variance where some parts are as after: bit j of a row's number says so of part j."""
        n = len(self._names)
        masks = np.arange(1 << n)
        bits = (masks[:, None] >> np.arange(n)) % 2
        chosen = dict(zip(self._names, bits.T, strict=True))
        return np.array([self._variance({name: int(b[m]) for name, b in chosen.items()}) for m in masks])

    def _variance(self, part: dict[str, int]) -> float:
        loadings = part.get("loadings", part.get(_FACTORS, 0))
        holdings, legs = self._holdings(part), self._states[part["legs"]].legs
        own = self._states[loadings]
        exposures = holdings @ own.exposures + np.asarray(legs.reindex(own.covariance.factors, fill_value=0.0))
        volatilities = self._states[part.get("factor volatilities", loadings)].factor_volatilities
        correlation = self._states[part.get("factor correlations", loadings)].factor_correlation
        scaled = exposures * volatilities
        return max(float(scaled @ correlation @ scaled), 0.0) + self._states[part[_IDIO]].idio(holdings)

    @staticmethod
    def _holdings(part: dict[str, int]) -> Array:
        """Which groups of weights are held: of names that stay, before or after; of those that entered, or left."""
        return np.array([1 - part["weights"], part["weights"], part["entered"], 1 - part["left"]], dtype=np.float64)


@final
@frozen(eq=False)
class _State:
    """Holdings and parameters of one date, of all names held on either."""

    weights: Array  # N
    legs: pd.Series[float]
    covariance: FactorCovariance
    groups: Array  # N × 4: weights that stay, before and after; that entered; that left

    @cached_property
    def exposures(self) -> Array:
        """Of each group of weights, 4 × K."""
        return np.asarray(self.groups.T @ self.covariance._loadings)

    @cached_property
    def factor_volatilities(self) -> Array:
        return np.sqrt(np.diag(self.covariance._factor_covariance))

    @cached_property
    def factor_correlation(self) -> Array:
        correlation = as_correlation(self.covariance._factor_covariance)[0]
        np.fill_diagonal(correlation, 1.0)
        return correlation

    @cached_property
    def _own(self) -> Array:
        return np.asarray((self.groups * self.covariance._own_variance[:, None]).T @ self.groups)

    @cached_property
    def _linked(self) -> Array:
        return np.asarray(self.groups.T @ self.covariance._links)

    def idio(self, holdings: Array) -> float:
        """The idio variance of some of the groups."""
        linked = holdings @ self._linked
        return max(float(holdings @ self._own @ holdings), 0.0) + float(linked @ linked)


def _states(before: Portfolio, after: Portfolio) -> tuple[_State, _State]:
    held = [p.weights[p.weights != 0] for p in (before, after)]
    names = held[0].index.append(held[1].index.difference(held[0].index, sort=False))
    w0, w1 = (np.asarray(w.reindex(names, fill_value=0.0)) for w in held)
    stays = (w0 != 0) & (w1 != 0)
    groups = np.column_stack([w0 * stays, w1 * stays, w1 * ~stays, w0 * ~stays])
    first, second = (p.model.covariance for p in (before, after))
    covariances = _of_names(first, second, names), _of_names(second, first, names)
    return (
        _State(w0, before.legs, covariances[0], groups),
        _State(w1, after.legs, covariances[1], groups),
    )


def _of_names(covariance: FactorCovariance, other: FactorCovariance, names: pd.Index[Any]) -> FactorCovariance:
    """A covariance of some names, with the other's parameters of those that it does not have."""
    known: Flags = covariance.assets.get_indexer(names) >= 0
    if known.all():
        return covariance.restrict(names)
    own, borrowed = covariance.restrict(names[known]), other.restrict(names[~known])
    # factors of the other that this one does not have play no part here
    at = borrowed.factors.get_indexer(covariance.factors)
    loadings = np.where(at >= 0, borrowed._loadings[:, at], 0.0) if len(borrowed.factors) else 0.0
    j = own._links.shape[1]
    links = np.zeros((len(names), j + borrowed._links.shape[1]))
    links[known, :j], links[~known, j:] = own._links, borrowed._links
    b, idio = np.zeros((len(names), len(covariance.factors))), np.empty(len(names))
    b[known], b[~known] = own._loadings, loadings
    idio[known], idio[~known] = own._idio_variance, borrowed._idio_variance
    return FactorCovariance(
        names, covariance.factors, b, covariance._factor_covariance, idio, covariance.horizon, links
    )
