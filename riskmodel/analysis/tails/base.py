"""The base class of methods for value at risk and expected shortfall."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

from riskmodel._core.arguments import require, require_probability
from riskmodel._core.listing import Abstract
from riskmodel.analysis.holding import Holding
from riskmodel.analysis.tails.risk import TailRisk
from riskmodel.analysis.tails.tail import Tail
from riskmodel.errors import InvalidParameterError, NotEstimatedError
from riskmodel.horizon import Horizon, require_horizon, require_same
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio

_LEAST_LEVEL = 0.5


class TailMethod(Abstract):
    """A method for value at risk and expected shortfall (abstract). One hook: `tail`.

    `EllipticalTails` (`NormalTails`, `StudentTails`) scale the model's volatility; `Simulation`
    (`HistoricalSimulation`, `FilteredHistoricalSimulation`) takes returns of a panel. Subclass one of these two.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> methods: list[rm.TailMethod] = [rm.NormalTails(), rm.StudentTails(), rm.HistoricalSimulation()]
    >>> [round(float(method.of(held, panel, 0.99).value_at_risk), 3) for method in methods]
    [0.043, 0.049, 0.049]
    """

    @abstractmethod
    def tail(self, portfolio: Portfolio, panel: ReturnPanel | None, level: float, horizon: Horizon) -> Tail:
        """Return the tail of a portfolio's return.

        Parameters
        ----------
        portfolio : Portfolio
            What is held.
        panel : ReturnPanel, optional
            Returns until today.
        level : float
            Probability with which value at risk is not exceeded.
        horizon : Horizon
            Of the return.
        """

    @final
    def of(
        self, holding: Any, panel: ReturnPanel | None = None, level: float = 0.99, horizon: Horizon | None = None
    ) -> TailRisk:
        """Return value at risk and expected shortfall of a portfolio or a position.

        Parameters
        ----------
        holding : Portfolio or Position
            Of a portfolio, figures are returns; of a position, dollars.
        panel : ReturnPanel, optional
            Returns until today, at the model's horizon. Simulations need it; `EllipticalTails` need it for intervals.
        level : float
            Probability with which the loss is at most value at risk, from 0.5 to 1; 0.99 by default.
        horizon : Horizon, optional
            Of the loss; by default the model's.

        Raises
        ------
        InvalidParameterError
            For a level that is not between 0.5 and 1.
        NotEstimatedError
            If the method needs a panel, and none is given.
        HorizonMismatchError, UnknownAssetError, UnknownFactorError
            If the panel lacks what is held, or has another horizon.
        """
        held = Holding.of(holding)
        span = held.portfolio.horizon if horizon is None else horizon
        require_arguments(held.portfolio, panel, level, span)
        return TailRisk(self, held, self.tail(held.portfolio, panel, float(level), span), float(level), span)


def require_arguments(portfolio: Any, panel: Any, level: Any, horizon: Any) -> None:
    """Raise unless these are the arguments of a tail."""
    held = require_portfolio(portfolio, "portfolio")
    if require_probability(level, "level") < _LEAST_LEVEL:
        raise InvalidParameterError(
            f"expected level as the probability that the loss is at most value at risk, 0.5 or more, got {level}; "
            f"for a probability of {level} of a larger loss, pass {1.0 - level:g}.",
            parameter="level",
            got=level,
        )
    if panel is not None:
        require_same(held.horizon, require_in_memory(panel).horizon, "a portfolio's model and the panel")
    require_horizon(horizon)


def require_in_memory(panel: Any) -> ReturnPanel:
    """Return a panel in memory, or raise."""
    return require(panel, ReturnPanel, "panel", "of a panel on disk or a cluster, take select(...)")


def require_returns(panel: ReturnPanel | None, method: object) -> ReturnPanel:
    """Return the panel, or raise where there is none."""
    if panel is None:
        raise NotEstimatedError(
            f"expected a panel of returns for {type(method).__name__}, got none; pass panel=..., for instance the one "
            "that the model was estimated on."
        )
    return require_in_memory(panel)
