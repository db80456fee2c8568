"""Limits on what a position may use: volatility, gross holdings, capital. Users subclass `Limit`."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, final

from attrs import field, frozen

from riskmodel.horizon import Horizon
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.amounts import is_horizon, is_panel, positive_dollars
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio
from riskmodel.quantities import Volatility


class Limit(ABC):
    """One limit on a position. Subclass it with a `name`, an `amount` and a method `use`.

    The first two may be class attributes, fields of a dataclass, set in ``__init__``, or properties. Two limits of
    one budget may have the same name; results keep both, in the order of the budget.

    Attributes
    ----------
    name : str
        Label of the limit, in results and in `Position.binding`.
    amount : float
        The limit, positive, in its own unit (dollars for the limits of this package).
    """

    if TYPE_CHECKING:  # at run time an abstract property would prevent attributes set by __init__ or a dataclass

        @property
        def name(self) -> str:
            """Label of the limit."""

        @property
        def amount(self) -> float:
            """The limit."""

    @abstractmethod
    def use(self, portfolio: Portfolio) -> float:
        """Return how much of the limit one dollar of strategy uses, 0 or more."""


@final
@frozen
class VolatilityLimit(Limit):
    """Limit on volatility over a horizon, dollars.

    Parameters
    ----------
    amount : float
        Dollars, one standard deviation of PnL over `horizon`.
    horizon : Horizon
        Horizon of `amount`.
    """

    _amount: float = field(validator=positive_dollars)
    horizon: Horizon = field(validator=is_horizon)

    @property
    def amount(self) -> Volatility:
        """The limit, dollars over `horizon`."""
        return Volatility(self._amount, self.horizon)

    @property
    def name(self) -> str:
        """``volatility per <horizon>``."""
        return f"volatility per {self.horizon}"

    def use(self, portfolio: Portfolio) -> float:
        """Volatility of the return over `horizon`."""
        held = require_portfolio(portfolio, "portfolio")
        return 0.0 if held.is_riskless else float(held.volatility.at(self.horizon))


@final
@frozen
class RealisedVolatilityLimit(Limit):
    """Limit on the volatility that the returns of a panel had, dollars.

    A model that takes residuals as uncorrelated may say too low a volatility. In a `RiskBudget`, whose first limit is
    on the model's volatility, this one makes the larger of the two set the size.

    Parameters
    ----------
    amount : float
        Dollars, one standard deviation of PnL over `horizon`.
    horizon : Horizon
        Horizon of `amount`.
    panel : ReturnPanel
        At the horizon of the models, with what is held. Dates without all returns are left out with a
        `MissingDatesWarning`, as by `Portfolio.realised`.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["XOM", "CVX", "RRC"], ["Mkt-RF"])
    >>> oil = rm.Strategy({"XOM": 0.4, "CVX": 0.4, "RRC": 0.2}, rm.OLS().fit(panel))
    >>> hedged = rm.HedgedPortfolio.neutral(oil)
    >>> limit = rm.RealisedVolatilityLimit(1e6, rm.MONTH, panel)
    >>> budget = rm.RiskBudget(1e6, rm.MONTH, limits=[limit])
    >>> budget.capacities(hedged).round(-5)
    volatility per month             25300000.0
    realised volatility per month    18600000.0
    Name: capital, dtype: float64
    >>> budget.size(hedged).binding
    'realised volatility per month'
    """

    _amount: float = field(validator=positive_dollars)
    horizon: Horizon = field(validator=is_horizon)
    panel: ReturnPanel = field(validator=is_panel)

    @property
    def amount(self) -> Volatility:
        """The limit, dollars over `horizon`."""
        return Volatility(self._amount, self.horizon)

    @property
    def name(self) -> str:
        """``realised volatility per <horizon>``."""
        return f"realised volatility per {self.horizon}"

    def use(self, portfolio: Portfolio) -> float:
        """Volatility over `horizon` of the returns on the panel's dates; zero for rounding error of a perfect hedge."""
        held = require_portfolio(portfolio, "portfolio")
        realised = held.realised(self.panel)
        return 0.0 if held.is_rounding(realised) else float(realised.at(self.horizon))


@final
@frozen
class FactorVolatilityLimit(Limit):
    """Limit on volatility from the factors over a horizon, dollars.

    Parameters
    ----------
    amount : float
        Dollars, one standard deviation of the factors' PnL over `horizon`.
    horizon : Horizon
        Horizon of `amount`.
    """

    _amount: float = field(validator=positive_dollars)
    horizon: Horizon = field(validator=is_horizon)

    @property
    def amount(self) -> Volatility:
        """The limit, dollars over `horizon`."""
        return Volatility(self._amount, self.horizon)

    @property
    def name(self) -> str:
        """``factor volatility per <horizon>``."""
        return f"factor volatility per {self.horizon}"

    def use(self, portfolio: Portfolio) -> float:
        """Volatility over `horizon` of the part of the return that the factors explain."""
        held = require_portfolio(portfolio, "portfolio")
        return 0.0 if held.is_riskless else math.sqrt(held.decompose().factor_variance.at(self.horizon))


@final
@frozen
class GrossLimit(Limit):
    """Limit on gross holdings, dollars: long plus short of `Portfolio.instruments`, without cash.

    A hedge in an asset that is held, or in a factor that is that asset, is netted with it.

    Parameters
    ----------
    amount : float
        Dollars.
    """

    amount: float = field(validator=positive_dollars)
    name: str = field(default="gross", init=False)

    def use(self, portfolio: Portfolio) -> float:
        """Sum of the sizes of the weights of all instruments."""
        return float(require_portfolio(portfolio, "portfolio").instruments.abs().sum())


@final
@frozen
class CapitalLimit(Limit):
    """Limit on capital, dollars of strategy.

    Parameters
    ----------
    amount : float
        Dollars.
    """

    amount: float = field(validator=positive_dollars)
    name: str = field(default="capital", init=False)

    def use(self, portfolio: Portfolio) -> float:
        """One."""
        return 1.0
