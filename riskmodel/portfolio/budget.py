"""How much of a portfolio a risk limit lets you hold."""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, final

import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core.arguments import require, shown
from riskmodel._core.labels import is_lone
from riskmodel.errors import InvalidParameterError, UnboundedPositionError
from riskmodel.horizon import Horizon, is_number, require_same
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio
from riskmodel.quantities import Mean, Quantity, SharpeRatio, Volatility


def _positive(self: Any, attribute: Any, value: Any) -> None:
    if not is_number(value) or not 0 < float(value) < math.inf:
        raise InvalidParameterError(
            f"expected {attribute.alias} as a positive, finite number of dollars, got {shown(value)}.",
            parameter=attribute.alias,
            got=value,
        )
    if isinstance(value, Quantity):
        if not hasattr(self, "horizon"):
            raise InvalidParameterError(
                f"expected {attribute.alias} as a plain number, as this limit has no horizon, got {value!r}; write "
                f"float(...).",
                parameter=attribute.alias,
                got=value,
            )
        if not isinstance(value, Volatility):
            raise InvalidParameterError(
                f"expected {attribute.alias} as a Volatility or a plain number, got {value!r}.",
                parameter=attribute.alias,
                got=value,
            )
        require_same(value.horizon, self.horizon, f"{attribute.alias} and the horizon of its limit")


def _horizon(_self: Any, _attribute: Any, value: Any) -> None:
    if not isinstance(value, Horizon):
        raise InvalidParameterError(
            f"expected horizon as a Horizon such as rm.MONTH, got {value!r}.", parameter="horizon", got=value
        )


def _panel(_self: Any, _attribute: Any, value: Any) -> None:
    require(value, ReturnPanel, "panel", "of a panel on disk or a cluster, take select(...)")


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

    _amount: float = field(validator=_positive)
    horizon: Horizon = field(validator=_horizon)

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

    _amount: float = field(validator=_positive)
    horizon: Horizon = field(validator=_horizon)
    panel: ReturnPanel = field(validator=_panel)

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

    _amount: float = field(validator=_positive)
    horizon: Horizon = field(validator=_horizon)

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

    amount: float = field(validator=_positive)
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

    amount: float = field(validator=_positive)
    name: str = field(default="capital", init=False)

    def use(self, portfolio: Portfolio) -> float:
        """One."""
        return 1.0


@final
@frozen
class Breach:
    """A limit that a position exceeds.

    Attributes
    ----------
    limit : Limit
        The limit exceeded.
    used : float
        How much of it the position uses, in the limit's own unit.
    """

    limit: Limit
    used: float

    @property
    def excess(self) -> float:
        """Used less allowed."""
        return self.used - self.limit.amount

    def __str__(self) -> str:
        return f"{self.limit.name}: {self.used:,.0f} used of {self.limit.amount:,.0f}"


@final
@frozen(eq=False, repr=False)
class Position:
    """A portfolio and the dollars held of it.

    Parameters
    ----------
    portfolio : Portfolio
        A `Strategy` or a `HedgedPortfolio`.
    capital : float
        Dollars of strategy.
    horizon : Horizon
        Horizon of `volatility`; the budget's if a budget sized the position.
    binding : str, optional
        Name of the limit that set the size, if one did.

    Raises
    ------
    InvalidParameterError
        If `capital` is negative or not finite. A short position is a strategy of negative weights.
    """

    portfolio: Portfolio = field()
    capital: float = field()
    horizon: Horizon = field(validator=_horizon)
    binding: str | None = None

    @portfolio.validator
    def _check_portfolio(self, _attribute: Any, value: Any) -> None:
        require_portfolio(value, "portfolio")

    @capital.validator
    def _check_capital(self, _attribute: Any, value: Any) -> None:
        if not is_number(value) or not 0 <= value < math.inf:
            raise InvalidParameterError(
                f"expected capital as a finite number of dollars, 0 or more, got {value!r}; for a short position, "
                "negate the weights of the strategy.",
                parameter="capital",
                got=value,
            )

    def __repr__(self) -> str:
        bound = f", bound by {self.binding}" if self.binding else ""
        return f"<Position of {self.capital:,.0f} dollars in {self.portfolio!r}{bound}>"

    @property
    def holdings(self) -> pd.Series[float]:
        """Dollars of the strategy by asset, without its hedge."""
        return (_bare(self.portfolio).weights * self.capital).rename("dollars")

    @property
    def hedge(self) -> pd.Series[float]:
        """Dollars of hedge by factor or instrument; zero for each factor without a hedge.

        A dollar of a `PortfolioFactor` is its weights in dollars of assets, whatever they cost: `dollars` has these.
        """
        p = self.portfolio
        weights = p.hedge_weights if isinstance(p, HedgedPortfolio) else p.legs
        return (weights * self.capital).rename("dollars")

    @property
    def dollars(self) -> pd.Series[float]:
        """Dollars of all that is held, with the hedge, by `Portfolio.instruments`."""
        return (self.portfolio.instruments * self.capital).rename("dollars")

    @property
    def cash(self) -> float:
        """Dollars of the cash leg, which pays for holdings and hedge; negative if borrowed."""
        return self.portfolio.cash_weight * self.capital

    @property
    def volatility(self) -> Volatility:
        """Standard deviation of the PnL over the position's horizon, dollars."""
        return Volatility(float(self.portfolio.volatility.at(self.horizon)) * self.capital, self.horizon)

    @property
    def unhedged(self) -> Position:
        """The same dollars of the strategy, without its hedge."""
        return evolve(self, portfolio=_bare(self.portfolio), binding=None)

    def expected_pnl(self, horizon: Horizon) -> Mean:
        """Expected PnL over a horizon with the cash leg at the risk-free rate: (α + β·E f), dollars."""
        return Mean(float(self.portfolio.expected_excess_return.at(horizon)) * self.capital, horizon)

    def factor_adjusted_pnl(self, horizon: Horizon) -> Mean:
        """The part of the expected PnL that is alpha, dollars."""
        return Mean(float(self.portfolio.alpha.at(horizon)) * self.capital, horizon)

    def cash_pnl(self, horizon: Horizon) -> Mean:
        """Expected PnL of the cash leg over a horizon, dollars; negative if it costs."""
        return Mean(self.portfolio.model.risk_free_mean * self.cash, self.portfolio.horizon).at(horizon)

    def expected_pnl_without_cash(self, horizon: Horizon) -> Mean:
        """Expected PnL of holdings and hedge legs, without the cash leg, dollars."""
        return self.expected_pnl(horizon) - self.cash_pnl(horizon)  # type: ignore[no-any-return]

    def sharpe(self, horizon: Horizon) -> SharpeRatio:
        """Expected PnL per dollar of volatility over a horizon; NaN without volatility."""
        return self.portfolio.sharpe.at(horizon)


def _bare(portfolio: Portfolio) -> Portfolio:
    return portfolio.strategy if isinstance(portfolio, HedgedPortfolio) else portfolio


def _read_limits(limits: Any) -> tuple[Any, ...]:
    return tuple(limits) if not is_lone(limits) else (limits,)


@final
@frozen
class RiskBudget:
    """A volatility limit at a horizon, and any other limits.

    Parameters
    ----------
    volatility : float
        Dollars, one standard deviation of PnL over `horizon`, positive.
    horizon : Horizon
        Horizon of `volatility`.
    limits : sequence of Limit
        Further limits, each at its own horizon: `VolatilityLimit`, `RealisedVolatilityLimit`,
        `FactorVolatilityLimit`, `GrossLimit`, `CapitalLimit`, or a subclass of `Limit`.

    Raises
    ------
    InvalidParameterError
        For a limit that is not positive.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> budget = rm.RiskBudget(1_000_000, rm.MONTH, limits=[rm.CapitalLimit(20e6)])
    >>> position = budget.size(msft)
    >>> f"{position.capital:,.0f}", position.binding
    ('11,347,494', 'volatility per month')
    >>> budget.utilisation(position)
    volatility per month    1.000000
    capital                 0.567375
    Name: utilisation, dtype: float64
    """

    _volatility: float = field(validator=_positive)
    horizon: Horizon = field(validator=_horizon)
    limits: tuple[Limit, ...] = field(default=(), converter=_read_limits, kw_only=True)

    @limits.validator
    def _check_limits(self, _attribute: Any, limits: Any) -> None:
        strange = [limit for limit in limits if not isinstance(limit, Limit)]
        if strange:
            raise InvalidParameterError(
                f"expected limits as Limit objects such as rm.GrossLimit(1e7), got {strange[0]!r}.",
                parameter="limits",
                got=strange[0],
            )
        for limit in limits:
            _require_named_amount(limit)

    @property
    def volatility(self) -> Volatility:
        """The volatility limit, dollars over `horizon`."""
        return Volatility(self._volatility, self.horizon)

    @property
    def all_limits(self) -> tuple[Limit, ...]:
        """The volatility limit, then the others."""
        return (VolatilityLimit(self._volatility, self.horizon), *self.limits)

    def size(self, portfolio: Portfolio) -> Position:
        """Return the largest position that every limit allows, with the name of the binding limit.

        Raises
        ------
        UnboundedPositionError
            If the portfolio uses no part of any limit, as a riskless one does.
        """
        require_portfolio(portfolio, "portfolio")
        # of limits that allow the same capital, the first binds
        capital, binding = min(((_most(limit, portfolio), limit) for limit in self.all_limits), key=itemgetter(0))
        if not math.isfinite(capital):
            names = [limit.name for limit in self.all_limits]
            raise UnboundedPositionError(
                f"expected a portfolio that uses a limit, got {portfolio!r}, which uses no part of "
                f"{', '.join(names)}; add a CapitalLimit or a GrossLimit.",
                limits=names,
            )
        return Position(portfolio, capital, self.horizon, binding.name)

    def capacities(self, portfolio: Portfolio) -> pd.Series[float]:
        """Return the dollars of strategy at which each limit binds; infinite where none of it is used."""
        require_portfolio(portfolio, "portfolio")
        return self._by_limit([_most(limit, portfolio) for limit in self.all_limits], "capital")

    def used(self, position: Position) -> pd.Series[float]:
        """Return how much of each limit a position uses, in the limit's own unit."""
        if not isinstance(position, Position):
            raise InvalidParameterError(
                f"expected a Position, got {type(position).__name__}; make one with budget.size(portfolio) or "
                "rm.Position(portfolio, capital, horizon).",
                parameter="position",
                got=type(position).__name__,
            )
        return self._by_limit([_use(limit, position.portfolio) * position.capital for limit in self.all_limits], "used")

    def utilisation(self, position: Position) -> pd.Series[float]:
        """Return used over allowed, by limit; above 1 is a breach."""
        amounts = [float(limit.amount) for limit in self.all_limits]
        return (self.used(position) / amounts).rename("utilisation")

    def headroom(self, position: Position) -> pd.Series[float]:
        """Return allowed less used, by limit, in the limit's own unit; negative in a breach."""
        return self._by_limit([float(limit.amount) for limit in self.all_limits], "headroom") - self.used(position)

    def check(self, position: Position) -> tuple[Breach, ...]:
        """Return the limits that a position exceeds by more than rounding; empty if it is within the budget."""
        used = self.used(position).to_numpy()
        pairs = zip(self.all_limits, used, strict=True)
        return tuple(
            Breach(limit, _measured(limit, float(u))) for limit, u in pairs if u > float(limit.amount) * (1 + 1e-12)
        )

    def _by_limit(self, values: Sequence[float], name: str) -> pd.Series[float]:
        return pd.Series(values, pd.Index([limit.name for limit in self.all_limits]), name=name)


def _require_named_amount(limit: Limit) -> None:
    """Check the name and the amount of a limit, which a user may have defined."""
    amount: Any = getattr(limit, "amount", None)
    positive = is_number(amount) and 0 < float(amount) < math.inf
    if not isinstance(getattr(limit, "name", None), str) or not positive:
        raise InvalidParameterError(
            f"expected a limit whose name is text and whose amount is a positive number, got {type(limit).__name__} "
            f"with name {getattr(limit, 'name', None)!r} and amount {amount!r}.",
            limit=type(limit).__name__,
            name=getattr(limit, "name", None),
            amount=amount,
        )


def _measured(limit: Limit, value: float) -> float:
    """Return a number with the unit of a limit's amount."""
    amount = limit.amount
    return type(amount)(value, amount.horizon) if isinstance(amount, Quantity) else float(value)


def _use(limit: Limit, portfolio: Portfolio) -> float:
    """Return what a dollar of strategy uses of a limit, and check it: a user may have defined the limit."""
    use, amount = limit.use(portfolio), float(limit.amount)
    if not is_number(use):
        raise InvalidParameterError(
            f"expected {type(limit).__name__}.use to return a number, got {use!r}.", limit=limit.name, use=use
        )
    use = float(use)
    if not 0 <= use < math.inf or not 0 < amount < math.inf:
        raise InvalidParameterError(
            f"expected a limit with a positive amount, of which a dollar of strategy uses a finite part, 0 or more; "
            f"got {limit.name!r} with amount {amount} and use {use}.",
            limit=limit.name,
            amount=amount,
            use=use,
        )
    return use


def _most(limit: Limit, portfolio: Portfolio) -> float:
    """Return the dollars of strategy at which a limit binds."""
    use = _use(limit, portfolio)
    # treat a use so small that the quotient overflows as zero
    return float(limit.amount) / use if use > float(limit.amount) / sys.float_info.max else math.inf
