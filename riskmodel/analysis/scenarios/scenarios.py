"""Several scenarios in one table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self, final

import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_finite, require_positive
from riskmodel._core.listing import Listed
from riskmodel.analysis.scenarios.base import Scenario
from riskmodel.analysis.scenarios.choices import STANDARD_DEVIATIONS
from riskmodel.analysis.scenarios.episode import Episode
from riskmodel.analysis.scenarios.outcome import ScenarioOutcome
from riskmodel.analysis.scenarios.replay import Replay
from riskmodel.analysis.scenarios.shocks import Shocks
from riskmodel.errors import InvalidParameterError
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.portfolio import require_portfolio
from riskmodel.portfolio.position import Position


def _read(scenarios: Any) -> tuple[Scenario, ...]:
    if isinstance(scenarios, Scenario) or labels.is_lone(scenarios):
        raise InvalidParameterError(
            f"expected scenarios as a list, got {type(scenarios).__name__}; write [scenario].",
            parameter="scenarios",
            got=type(scenarios).__name__,
        )
    read = tuple(
        require(s, Scenario, "each of scenarios", "such as rm.Shocks(...)")  # type: ignore[type-abstract]
        for s in scenarios
    )
    if not read:
        raise InvalidParameterError("expected one scenario or more, got none.", parameter="scenarios")
    labels.unique([s.name for s in read], "the names of scenarios")
    return read


@final
@frozen(repr=False)
class Scenarios(Listed):
    """Several scenarios, compared in one table.

    Parameters
    ----------
    scenarios : list of Scenario
        With names of their own.

    Raises
    ------
    InvalidParameterError
        For no scenario, or anything but scenarios.
    DuplicateLabelsError
        For two of one name.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> pair = rm.Strategy({"MSFT": 1.0, "JPM": -1.0}, rm.OLS().fit(panel))
    >>> scenarios = rm.Scenarios([rm.Shocks("crash", {"Mkt-RF": -0.1}), *rm.Scenarios.historical(panel)])
    >>> scenarios.table(pair)[["pnl", "volatility"]].round(2)
    return per scenario           pnl  volatility
    crash                        0.05        0.02
    dot-com bust 2000-02         0.25        0.55
    quant losses of August 2007 -0.01        0.04
    financial crisis 2007-09     0.26        0.41
    euro crisis 2011             0.09        0.23
    >>> scenarios.worst(pair).name
    'quant losses of August 2007'
    """

    scenarios: tuple[Scenario, ...] = field(converter=_read)

    @classmethod
    def historical(cls, panel: ReturnPanel) -> Self:
        """Replay those of ``rm.EPISODES`` that a panel has as a whole.

        Raises
        ------
        InvalidParameterError
            If it has none.
        """
        require(panel, ReturnPanel, "panel", "of a panel on disk or a cluster, take select(...)")
        return cls([Replay(episode, panel) for episode in Episode.covered_by(panel)])

    @classmethod
    def of_factors(cls, model: FactorModel, size: float = -3.0) -> Self:
        """Shock each factor by so many of its standard deviations; the others move as expected.

        Parameters
        ----------
        model : FactorModel
            Whose factors.
        size : float
            Standard deviations; by default three down.
        """
        require(model, FactorModel, "model", "for instance portfolio.model")
        by = require_finite(size, "size")
        moving = model.factors[model.factor_covariance.to_numpy().diagonal() > 0]
        return cls([Shocks(f"{name} {by:+g} sd", {name: by}, unit=STANDARD_DEVIATIONS) for name in moving])

    @classmethod
    def against(cls, holding: Any, size: float = 3.0) -> Self:
        """Shock each factor by so many of its standard deviations in the direction in which a holding loses.

        Parameters
        ----------
        holding : Portfolio or Position
            What loses.
        size : float
            Standard deviations, positive; by default three.

        Raises
        ------
        InvalidParameterError
            For a size that is not positive, or what is no holding.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF", "HML"])
        >>> tech = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
        >>> [scenario.name for scenario in rm.Scenarios.against(tech)]
        ['Mkt-RF -3 sd', 'HML +3 sd']
        """
        by = require_positive(size, "size", "a positive number of standard deviations")
        portfolio = holding.portfolio if isinstance(holding, Position) else require_portfolio(holding, "holding")
        down, up = (cls.of_factors(portfolio.model, sign * by) for sign in (-1.0, 1.0))
        pairs = zip(down, up, strict=True)
        return cls([fall if fall.of(portfolio).pnl <= 0.0 else rise for fall, rise in pairs])

    def __iter__(self) -> Iterator[Scenario]:
        return iter(self.scenarios)

    def __len__(self) -> int:
        return len(self.scenarios)

    def __repr__(self) -> str:
        return f"<Scenarios: {labels.listing(s.name for s in self.scenarios)}>"

    def of(self, holding: Any) -> dict[str, ScenarioOutcome]:
        """Return the outcome for a portfolio or position by the name of the scenario."""
        return {s.name: s.of(holding) for s in self.scenarios}

    def table(self, holding: Any) -> pd.DataFrame:
        """Return the outcomes of all scenarios.

        Returns
        -------
        DataFrame, one row a scenario
            ``pnl`` and its ``volatility``, then the part of ``pnl`` of each factor and ``idio``. The columns are named
            with the unit, as in ``"dollars per day"``, or ``"dollars per scenario"`` where each has its own horizon.
        """
        outcomes = self.of(holding)
        parts = pd.DataFrame({name: o.by_factor["pnl"] for name, o in outcomes.items()}).T
        parts.insert(0, "pnl", [o.pnl for o in outcomes.values()])
        parts.insert(1, "volatility", [float(o.volatility) for o in outcomes.values()])
        return _named(parts, outcomes)

    def by_asset(self, holding: Any) -> pd.DataFrame:
        """Return ``pnl``, holdings × scenarios, in the unit of `table`, which names the columns."""
        outcomes = self.of(holding)
        return _named(pd.DataFrame({name: o.by_asset["pnl"] for name, o in outcomes.items()}), outcomes)

    def by_group(self, holding: Any, groups: Any) -> pd.DataFrame:
        """Return ``pnl``, groups of holdings × scenarios, as `by_asset`; see `ScenarioOutcome.by_group`."""
        outcomes = self.of(holding)
        return _named(pd.DataFrame({name: o.by_group(groups)["pnl"] for name, o in outcomes.items()}), outcomes)

    def worst(self, holding: Any) -> ScenarioOutcome:
        """Return the outcome with the largest expected loss."""
        return min(self.of(holding).values(), key=lambda outcome: outcome.pnl)


def _named(table: pd.DataFrame, outcomes: dict[str, ScenarioOutcome]) -> pd.DataFrame:
    """Name the columns with the unit of the outcomes, and with the time they span if it is the same one."""
    first = next(iter(outcomes.values()))
    same = all(outcome.horizon == first.horizon for outcome in outcomes.values())
    return table.rename_axis(columns=first.unit if same else f"{first.holding.unit} per scenario")
