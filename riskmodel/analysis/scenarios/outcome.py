"""What a scenario does to a portfolio: profit and loss by factor, asset and group."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arguments import require_probability
from riskmodel._core.arrays import Array
from riskmodel._core.listing import Listed
from riskmodel.analysis.grouping import Grouping
from riskmodel.analysis.holding import Holding, Holdings
from riskmodel.analysis.scenarios.moves import Moves
from riskmodel.errors import NotEstimatedError, UnknownAssetError
from riskmodel.horizon import Horizon
from riskmodel.model.decomposition import IDIO
from riskmodel.quantities import Volatility

# A variance below this share of what it is the difference of is rounding.
_ROUNDING = 1e-12


@final
@frozen(eq=False, repr=False)
class ScenarioOutcome(Listed):
    """Profit and loss of a portfolio in a scenario, with its standard deviation.

    Made by `Scenario.of`. Figures are returns of a portfolio, and dollars of a position, over the scenario's horizon.
    The columns of `by_asset` and `by_group` are named with the unit, as in ``"dollars per day"``. The
    expected return of quiet times, alpha and the mean of the factors, is left out.

    Attributes
    ----------
    name : str
        Of the scenario.
    holding : Holding
        What is held.
    moves : Moves
        What happens to factors and residuals.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> pair = rm.Strategy({"MSFT": 1.0, "JPM": -1.0}, rm.OLS().fit(panel))
    >>> outcome = rm.Shocks("crash", {"Mkt-RF": -0.10}).of(pair)
    >>> outcome
    <ScenarioOutcome crash: return 0.0457 with a standard deviation of 0.0219, per day>
    >>> outcome.by_asset.round(3)
    return per day    pnl  volatility
    MSFT           -0.107       0.014
    JPM             0.153       0.017
    """

    name: str
    holding: Holding
    moves: Moves

    def __repr__(self) -> str:
        return (
            f"<ScenarioOutcome {self.name}: {self.holding.unit} {_short(self.pnl)} with a standard deviation of "
            f"{_short(self.volatility)}, per {self.horizon}>"
        )

    @property
    def horizon(self) -> Horizon:
        """The span of the scenario."""
        return self.moves.horizon

    @property
    def unit(self) -> str:
        """Of profit, such as ``"dollars per day"``."""
        return self.holding.unit_per(self.horizon)

    @cached_property
    def pnl(self) -> float:
        """Expected profit (negative: loss) in the scenario."""
        return float(self._means.sum())

    @cached_property
    def volatility(self) -> Volatility:
        """Standard deviation of the profit about `pnl`: what the shocks leave uncertain."""
        return Volatility(self.holding.capital * float(self._scores.total().volatilities()[0]), self.horizon)

    @property
    def distance(self) -> float:
        """Mahalanobis distance of the shocks, in standard deviations; NaN for a scenario without shocks.

        Its square has a χ² distribution, with as many degrees of freedom as shocks, where returns are normal.
        """
        return self.moves.distance

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the ends of profit with a probability in the scenario, where what is left uncertain is normal."""
        from scipy import special  # noqa: PLC0415 - slow to import

        half = float(special.ndtri(0.5 + require_probability(level, "level") / 2.0)) * float(self.volatility)
        return self.pnl - half, self.pnl + half

    @cached_property
    def _by_factor(self) -> pd.DataFrame:
        x, m, s = self.holding.portfolio.exposures, self.moves, self._scores
        own = np.square(m.root).sum(axis=1) - np.square(m.explained_factors).sum(axis=1)
        of_factors = np.abs(np.asarray(x)) * np.sqrt(_clipped(own, np.square(m.root).sum(axis=1)))
        idio = float(s.specific().total().volatilities()[0])
        held = self._holdings
        table = {
            "move": [*m.factors, np.nan],
            "exposure": [*x, np.nan],
            "pnl": self.holding.capital * np.array([*(x * m.factors), float(held.weights @ m.specific[held.at])]),
            "volatility": self.holding.capital * np.array([*of_factors, idio]),
        }
        return pd.DataFrame(table, pd.Index([*x.index, IDIO]))

    @property
    def by_factor(self) -> pd.DataFrame:
        """By factor, then ``"idio"``: ``move`` of the factor, ``exposure``, ``pnl`` and its ``volatility``.

        The sum of ``pnl`` is that of the portfolio; volatilities do not add up, as the parts are correlated.
        """
        return self._by_factor.copy()

    @property
    def by_asset(self) -> pd.DataFrame:
        """By holding, assets and then legs: ``pnl`` and its ``volatility``.

        Where the scenario knows what the holdings themselves returned, as a `Replay` does, also ``realised``: the
        profit with those returns, NaN where an asset has none.
        """
        table = self._table(self._means, self._scores, self._holdings.names)
        if self.moves.asset_returns is not None:
            table["realised"] = self._realised
        return table

    def by_group(self, groups: Any) -> pd.DataFrame:
        """Return ``pnl`` and its ``volatility`` by group of holdings.

        Parameters
        ----------
        groups : mapping or Series
            The group of each holding: of the assets, and of the factors that are held themselves.

        Raises
        ------
        UnknownAssetError
            For holdings without a group.
        """
        grouping = Grouping.of(groups, self._holdings.names, "holding", UnknownAssetError)
        return self._table(grouping.sums(self._means), self._scores.sums(grouping), grouping.names)

    @property
    def realised(self) -> float:
        """The profit of today's holdings with the returns that they themselves had; NaN where one is not known.

        Raises
        ------
        NotEstimatedError
            For a scenario that knows no returns of assets.
        """
        return float(self._realised.sum())

    # -- parts -------------------------------------------------------------------------------------

    @cached_property
    def _holdings(self) -> Holdings:
        return Holdings.of(self.holding.portfolio)

    @cached_property
    def _means(self) -> Array:
        """Expected profit of each holding, shape (M,)."""
        held, m = self._holdings, self.moves
        return np.asarray(self.holding.capital * (held.exposures @ m.factors + held.weights * m.specific[held.at]))

    @cached_property
    def _realised(self) -> Array:
        held, m = self._holdings, self.moves
        if m.asset_returns is None:
            raise NotEstimatedError(
                f"expected a scenario that knows what assets returned, got {self.name}; replay an episode."
            )
        known = np.where(held.weights != 0, held.weights * m.asset_returns[held.at], 0.0)
        return np.asarray(self.holding.capital * (held.legs @ m.factors + known))

    @cached_property
    def _scores(self) -> _Scores:
        held, m = self._holdings, self.moves
        w = held.weights[:, None]
        return _Scores(
            factors=held.exposures @ m.root,
            links=w * m.links[held.at],
            own=held.weights**2 * m.own_variance[held.at],
            explained_factors=held.exposures @ m.explained_factors,
            explained_specific=w * m.explained_specific[held.at],
        )

    def _table(self, means: Array, scores: _Scores, names: pd.Index[Any]) -> pd.DataFrame:
        table = pd.DataFrame({"pnl": means, "volatility": self.holding.capital * scores.volatilities()}, names)
        return table.rename_axis(columns=self.unit)


@final
@frozen(eq=False)
class _Scores:
    """Exposures of M holdings to uncorrelated sources of risk, and what the shocks explain of them."""

    factors: Array
    links: Array
    own: Array
    explained_factors: Array
    explained_specific: Array

    def volatilities(self) -> Array:
        """Standard deviation of each holding, shape (M,)."""
        explained = np.square(self.explained_factors + self.explained_specific).sum(axis=1)
        whole = np.square(self.factors).sum(axis=1) + np.square(self.links).sum(axis=1) + self.own
        return np.asarray(np.sqrt(_clipped(whole - explained, whole)))

    def sums(self, grouping: Grouping) -> Self:
        """Those of groups of holdings."""
        s = grouping.sums
        parts = (self.factors, self.links, self.own, self.explained_factors, self.explained_specific)
        return type(self)(*map(s, parts))

    def total(self) -> Self:
        """Those of all holdings together."""
        return self.sums(Grouping.of_labels([""] * len(self.own)))

    def specific(self) -> Self:
        """Those of the residuals alone."""
        nothing = np.zeros_like(self.factors), np.zeros_like(self.explained_factors)
        return type(self)(nothing[0], self.links, self.own, nothing[1], self.explained_specific)


def _clipped(variances: Array, whole: Array) -> Array:
    """Return variances without rounding error."""
    return np.where(variances > _ROUNDING * whole, variances, 0.0)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
