"""Value at risk and expected shortfall of a portfolio, with intervals and contributions."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel._core.arguments import require_probability
from riskmodel._core.listing import Listed
from riskmodel.analysis.grouping import Grouping
from riskmodel.analysis.holding import Holding
from riskmodel.analysis.tails.tail import Ends, Tail
from riskmodel.errors import UnknownAssetError
from riskmodel.horizon import Horizon
from riskmodel.inference.estimand import THIS_WINDOW
from riskmodel.inference.interval import Interval


@final
@frozen(eq=False, repr=False)
class TailRisk(Listed):
    """Value at risk and expected shortfall of a portfolio or position. Losses are positive numbers.

    Made by `TailMethod.of`. Figures are returns of a portfolio, and dollars of a position, over `horizon`. The columns
    of each table are named with the unit, as in ``"dollars per day"``.

    Attributes
    ----------
    method : TailMethod
        How the tail is known.
    holding : Holding
        What is held.
    tail : Tail
        Per dollar of strategy.
    level : float
        Probability with which the loss is at most value at risk.
    horizon : Horizon
        Of the loss.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> long = rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, rm.OLS().fit(panel))
    >>> risk = rm.HistoricalSimulation().of(rm.Position(long, 1e6, rm.DAY), panel)
    >>> risk  # doctest: +ELLIPSIS
    <TailRisk HistoricalSimulation, 99 %, dollars per day: value at risk 48,172 [45,734, 53,496], ...>
    >>> risk.by_factor.round(-3)
    dollars per day  value_at_risk  expected_shortfall
    Mkt-RF                 38000.0             52000.0
    idio                   10000.0             18000.0
    """

    method: Any
    holding: Holding
    tail: Tail
    level: float
    horizon: Horizon

    def __repr__(self) -> str:
        at_risk, shortfall = self.intervals()
        return (
            f"<TailRisk {type(self.method).__name__}, {100 * self.level:g} %, {self.unit}: "
            f"value at risk {_short(at_risk)}, expected shortfall {_short(shortfall)}>"
        )

    @property
    def unit(self) -> str:
        """Of losses, such as ``"dollars per day"``."""
        return self.holding.unit_per(self.horizon)

    @property
    def value_at_risk(self) -> float:
        """The loss that is exceeded with a probability of 1 - level."""
        return self.holding.capital * self.tail.value_at_risk

    @property
    def expected_shortfall(self) -> float:
        """The mean loss in the worst 1 - level of cases."""
        return self.holding.capital * self.tail.expected_shortfall

    def intervals(self, confidence: float = 0.95) -> tuple[Interval, Interval]:
        """Return value at risk and expected shortfall with their standard errors and intervals.

        Errors and ends are NaN where no panel was given. An end is infinite where there are too few observations in
        the tail to say. As expected shortfall is at least value at risk, so are its ends.

        Parameters
        ----------
        confidence : float
            Probability with which each interval covers.
        """
        sure = require_probability(confidence, "confidence")
        first, second = self.tail.ends(sure)
        at_risk = self._interval(self.value_at_risk, first, sure)
        shortfall = self._interval(self.expected_shortfall, second, sure)
        low, high = np.maximum([shortfall.low, shortfall.high], [at_risk.low, at_risk.high]).tolist()
        return at_risk, evolve(shortfall, low=low, high=high)

    def table(self, confidence: float = 0.95) -> pd.DataFrame:
        """Return both figures: ``estimate``, ``std_error``, ``low`` and ``high``; see `intervals`.

        Parameters
        ----------
        confidence : float
            Probability with which each interval covers.
        """
        rows = [[i.estimate, i.std_error, i.low, i.high] for i in self.intervals(confidence)]
        names = ["value at risk", "expected shortfall"]
        return self._named(pd.DataFrame(rows, names, ["estimate", "std_error", "low", "high"]))

    @property
    def by_factor(self) -> pd.DataFrame:
        """Contributions by factor, then ``"idio"``, to ``value_at_risk`` and ``expected_shortfall``; they add up.

        Euler's: the weight times the derivative, the expected loss of each part where the portfolio loses so much
        ([1]_, section 3).

        References
        ----------
        .. [1] Tasche, D. (2000). Risk contributions and performance measurement. Working paper, TU München.
        """
        return self._named(self.holding.capital * self.tail.by_factor)

    @property
    def by_asset(self) -> pd.DataFrame:
        """Contributions by holding, assets and then legs, to ``value_at_risk`` and ``expected_shortfall``."""
        return self._named(self.holding.capital * self.tail.by_asset)

    def by_group(self, groups: Any) -> pd.DataFrame:
        """Return contributions by group of holdings.

        Parameters
        ----------
        groups : mapping or Series
            The group of each holding: of the assets, and of the factors that are held themselves.

        Raises
        ------
        UnknownAssetError
            For holdings without a group.
        """
        table = self.by_asset
        grouping = Grouping.of(groups, table.index, "holding", UnknownAssetError)
        return pd.DataFrame(grouping.sums(table.to_numpy()), grouping.names, table.columns)

    def _named(self, table: pd.DataFrame) -> pd.DataFrame:
        return table.rename_axis(columns=self.unit)

    def _interval(self, estimate: float, ends: Ends, confidence: float) -> Interval:
        by = self.holding.capital
        return Interval(estimate, by * ends.std_error, by * ends.low, by * ends.high, confidence, THIS_WINDOW)


def _short(interval: Interval) -> str:
    """Print an estimate with its interval; dollars with separators."""
    if abs(interval.estimate) < 1_000:
        return str(interval)
    return f"{interval.estimate:,.0f} [{interval.low:,.0f}, {interval.high:,.0f}]"
