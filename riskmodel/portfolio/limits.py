"""Limits on what a position may use: volatility, gross holdings, capital. Users subclass `Limit`."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, final

import pandas as pd
from attrs import field, frozen

from riskmodel._core.listing import Abstract
from riskmodel.horizon import Horizon
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.amounts import is_horizon, is_panel, positive_count, positive_dollars, positive_share
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio
from riskmodel.quantities import Volatility


class Limit(Abstract):
    """One limit on a position. Subclass it with a `name`, an `amount` and a method `use`.

    The first two may be class attributes, fields of a dataclass, set in ``__init__``, or properties. Two limits of
    one budget may have the same name; results keep both, in the order of the budget.

    Attributes
    ----------
    name : str
        Label of the limit, in results and in `Position.binding`.
    amount : float
        The limit, positive, in its own unit: dollars, but for limits on composition.
    scales : bool
        True (the default) where twice the capital uses twice as much. False where the use does not depend on the
        capital, such as a number of names: the limit then allows any capital or none.

    Examples
    --------
    >>> import riskmodel as rm
    >>> class BorrowLimit(rm.Limit):
    ...     name, amount = "borrowed", 5e6
    ...     def use(self, portfolio):
    ...         return max(0.0, -float(portfolio.cash_weight))
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> rm.RiskBudget(1_000_000, rm.MONTH, limits=[BorrowLimit()]).size(msft).binding
    'borrowed'
    """

    scales: bool = True

    if TYPE_CHECKING:  # at run time an abstract property would prevent attributes set by __init__ or a dataclass

        @property
        def name(self) -> str:
            """Label of the limit."""

        @property
        def amount(self) -> float:
            """The limit."""

    @abstractmethod
    def use(self, portfolio: Portfolio) -> float:
        """Return how much of the limit one dollar of strategy uses, 0 or more; any capital, where it does not scale."""


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

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> budget = rm.RiskBudget(1_000_000, rm.MONTH, limits=[rm.VolatilityLimit(2_000_000, rm.YEAR)])
    >>> position = budget.size(msft)
    >>> position.binding, f"{position.capital:,.0f}"
    ('volatility per year', '6,551,479')
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

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> budget = rm.RiskBudget(1_000_000, rm.MONTH, limits=[rm.FactorVolatilityLimit(400_000, rm.MONTH)])
    >>> position = budget.size(msft)
    >>> position.binding, f"{position.capital:,.0f}"
    ('factor volatility per month', '6,756,772')
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

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> budget = rm.RiskBudget(1_000_000, rm.MONTH, limits=[rm.GrossLimit(5e6)])
    >>> position = budget.size(msft)
    >>> position.binding, f"{position.capital:,.0f}"
    ('gross', '5,000,000')
    """

    amount: float = field(validator=positive_dollars)
    name: str = field(default="gross", init=False)

    def use(self, portfolio: Portfolio) -> float:
        """Sum of the sizes of the weights of all instruments."""
        return float(require_portfolio(portfolio, "portfolio").instruments.abs().sum())


@final
@frozen
class NetLimit(Limit):
    """Limit on net holdings, dollars: long less short of `Portfolio.instruments`, without cash, of either sign.

    Parameters
    ----------
    amount : float
        Dollars.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> budget = rm.RiskBudget(1_000_000, rm.MONTH, limits=[rm.NetLimit(4e6)])
    >>> position = budget.size(msft)
    >>> position.binding, f"{position.capital:,.0f}"
    ('net', '4,000,000')
    """

    amount: float = field(validator=positive_dollars)
    name: str = field(default="net", init=False)

    def use(self, portfolio: Portfolio) -> float:
        """Size of the sum of the weights of all instruments."""
        return abs(float(require_portfolio(portfolio, "portfolio").instruments.sum()))


@final
@frozen
class NameLimit(Limit):
    """Limit on the largest holding of one instrument, dollars, long or short.

    Parameters
    ----------
    amount : float
        Dollars.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> budget = rm.RiskBudget(1_000_000, rm.MONTH, limits=[rm.NameLimit(2e6)])
    >>> position = budget.size(msft)
    >>> position.binding, f"{position.capital:,.0f}"
    ('largest name', '2,000,000')
    """

    amount: float = field(validator=positive_dollars)
    name: str = field(default="largest name", init=False)

    def use(self, portfolio: Portfolio) -> float:
        """Largest size of a weight."""
        return float(require_portfolio(portfolio, "portfolio").instruments.abs().max())


@final
@frozen
class ConcentrationLimit(Limit):
    """Limit on concentration: the Herfindahl index of the instruments' shares of gross dollars.

    The index is 1 for one name and 1/n for n of equal size; a limit of 0.05 asks for 20 effective names or more. It
    does not depend on the capital: a portfolio that exceeds it gets none.

    Parameters
    ----------
    amount : float
        Above 0, up to 1.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> budget = rm.RiskBudget(1_000_000, rm.MONTH, limits=[rm.ConcentrationLimit(0.5)])
    >>> position = budget.size(msft)
    >>> position.binding, f"{position.capital:,.0f}"
    ('concentration', '0')
    """

    amount: float = field(validator=positive_share)
    name: str = field(default="concentration", init=False)
    scales: bool = field(default=False, init=False)

    def use(self, portfolio: Portfolio) -> float:
        """Herfindahl index of the sizes of the weights; zero where nothing is held."""
        return herfindahl(require_portfolio(portfolio, "portfolio").instruments)


@final
@frozen
class NameCountLimit(Limit):
    """Limit on the number of instruments that are held. It does not depend on the capital.

    Parameters
    ----------
    amount : int
        One or more.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> budget = rm.RiskBudget(1_000_000, rm.MONTH, limits=[rm.NameCountLimit(10)])
    >>> position = budget.size(msft)
    >>> position.binding, f"{position.capital:,.0f}"
    ('volatility per month', '11,347,494')
    """

    amount: int = field(validator=positive_count)
    name: str = field(default="number of names", init=False)
    scales: bool = field(default=False, init=False)

    def use(self, portfolio: Portfolio) -> float:
        """Number of weights other than zero."""
        return float((require_portfolio(portfolio, "portfolio").instruments != 0).sum())


@final
@frozen
class CapitalLimit(Limit):
    """Limit on capital, dollars of strategy.

    Parameters
    ----------
    amount : float
        Dollars.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> budget = rm.RiskBudget(1_000_000, rm.MONTH, limits=[rm.CapitalLimit(3e6)])
    >>> position = budget.size(msft)
    >>> position.binding, f"{position.capital:,.0f}"
    ('capital', '3,000,000')
    """

    amount: float = field(validator=positive_dollars)
    name: str = field(default="capital", init=False)

    def use(self, portfolio: Portfolio) -> float:
        """One."""
        return 1.0


def herfindahl(dollars: pd.Series[float]) -> float:
    """Return the sum of squared shares of gross dollars; zero where all are zero."""
    sizes = dollars.abs().to_numpy()
    gross = float(sizes.sum())
    return float((sizes / gross) @ (sizes / gross)) if gross else 0.0
