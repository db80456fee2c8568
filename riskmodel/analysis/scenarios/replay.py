"""Historical episodes, replayed through today's exposures."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array
from riskmodel._core.labels import listing
from riskmodel.analysis.holding import Holding
from riskmodel.analysis.scenarios.base import Scenario
from riskmodel.analysis.scenarios.episode import Episode
from riskmodel.analysis.scenarios.moves import Moves
from riskmodel.errors import CoverageError
from riskmodel.horizon import Horizon, require_same
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel, returns_on


def _is_episode(_: Any, __: Any, value: Any) -> None:
    require(value, Episode, "episode", "one of rm.EPISODES, or rm.Episode(name, start, end)")


def _is_panel(_: Any, __: Any, value: Any) -> None:
    require(value, ReturnPanel, "panel", "of a panel on disk or a cluster, take select(...)")


@final
@frozen(eq=False, repr=False)
class Replay(Scenario):
    r"""An episode's factor returns, replayed through today's exposures.

    The move of a factor is its compounded return, :math:`\prod_t (1 + f_t) - 1`: today's exposures, in dollars, are
    held through the episode. What the residuals do is uncertain, with today's idio variance over as many rows.
    Beside it, `ScenarioOutcome.realised` is what the holdings themselves returned then, where the panel has them
    throughout: with the exposures that they had then, and their own events.

    Parameters
    ----------
    episode : Episode
        When.
    panel : ReturnPanel
        Returns of the model's factors on the episode's dates, at the model's horizon; its assets may be others.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> pair = rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, rm.OLS().fit(panel.select(start="2015")))
    >>> bust, *_ = rm.Episode.covered_by(panel)
    >>> outcome = rm.Replay(bust, panel).of(pair)
    >>> outcome
    <ScenarioOutcome dot-com bust 2000-02: return -0.686 with a standard deviation of 0.168, per 637 days>
    >>> outcome.by_asset.round(2)
    return per 637 days   pnl  volatility  realised
    MSFT                -0.36        0.13     -0.32
    JPM                 -0.33        0.11     -0.38
    """

    episode: Episode = field(validator=_is_episode)
    panel: ReturnPanel = field(validator=_is_panel)

    def __repr__(self) -> str:
        return f"<Replay of {self.name}: {self.episode.start.date()} to {self.episode.end.date()}>"

    @property
    def name(self) -> str:
        """The name of the episode."""
        return self.episode.name

    def moves(self, model: FactorModel) -> Moves:
        """Return the compounded factor returns.

        Raises
        ------
        CoverageError
            If the panel lacks a part of the episode, or the return of a factor in it.
        UnknownFactorError, UnknownAssetError
            If the panel lacks a factor of the model.
        HorizonMismatchError
            If the panel has another horizon.
        """
        factors, rows = self._factor_returns(model), self.episode.rows(self.panel)
        horizon = Horizon(len(rows) * model.horizon.days)
        known = Moves.known_factors(model, _compounded(factors)[-1], horizon)
        return evolve(known, asset_returns=self._asset_returns(model))

    def path(self, holding: Any) -> pd.Series[float]:
        """Return the profit since the start by date, from the factors: its lowest value is the worst of the episode.

        Parameters
        ----------
        holding : Portfolio or Position
            As for `of`.
        """
        held = Holding.of(holding)
        grown = _compounded(self._factor_returns(held.portfolio.model))
        dates = self.panel.dates[self.episode.rows(self.panel)].rename("date")
        return pd.Series(held.capital * (grown @ held.portfolio.exposures.to_numpy()), dates, name="pnl")

    def _factor_returns(self, model: FactorModel) -> Array:
        """Returns of the model's factors on the episode's rows."""
        require(model, FactorModel, "model", "for instance portfolio.model")
        require_same(model.horizon, self.panel.horizon, "a portfolio's model and the panel of an episode")
        rows = self.episode.rows(self.panel)
        returns = returns_on(self.panel, model.definitions, slice(int(rows[0]), int(rows[-1]) + 1))
        missing = model.factors[np.flatnonzero(np.isnan(returns).any(axis=0))]
        if len(missing):
            raise CoverageError(
                f"expected returns of all factors on the {len(rows)} rows of {self.name!r}, got none on some for "
                f"{listing(missing)}; use a panel that has them.",
                episode=self.name,
                factors=list(missing),
            )
        return returns

    def _asset_returns(self, model: FactorModel) -> Array:
        """Compounded excess returns of the model's assets, shape (N,); NaN for those that miss a row."""
        columns = self.panel.assets.get_indexer(model.assets)
        found = np.full(len(columns), np.nan)
        there = np.flatnonzero(columns >= 0)
        rows = self.episode.rows(self.panel)
        found[there] = _compounded(self.panel.arrays()[0][rows][:, columns[there]])[-1]
        return found


def _compounded(returns: Array) -> Array:
    """Return since the start, by row."""
    return np.asarray(np.cumprod(1.0 + returns, axis=0) - 1.0)
