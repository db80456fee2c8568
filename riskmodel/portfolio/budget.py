"""How much of a portfolio a risk limit lets you hold."""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel.errors import InvalidParameterError, UnboundedPositionError
from riskmodel.horizon import Horizon, Mean, Quantity, SharpeRatio, Volatility, require_same
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _positive(self: Any, attribute: Any, value: Any) -> None:
    if not _is_number(value) or not 0 < value < math.inf:
        raise InvalidParameterError(f"{attribute.alias} must be a positive number of dollars, but {value!r} came.")
    if isinstance(value, Quantity):
        if not isinstance(value, Volatility):
            raise InvalidParameterError(
                f"{attribute.alias} must be a Volatility or a plain number, but {value!r} came."
            )
        require_same(value.horizon, self.horizon, f"{attribute.alias} and the horizon of its limit")


def _horizon(_self: Any, _attribute: Any, value: Any) -> None:
    if not isinstance(value, Horizon):
        raise InvalidParameterError(f"horizon must be a Horizon such as rm.MONTH, but {value!r} came.")


class Limit(ABC):
    """One limit on a position. Subclass it with a `name`, an `amount`, and what a dollar of strategy uses.

    The first two may be class attributes, fields of a dataclass, set in ``__init__``, or properties. Two limits of
    one budget may have the same name; results keep both, in the order of the budget.

    Attributes
    ----------
    name : str
        How a position says that it bound.
    amount : float
        The limit, positive, in whatever it is measured in (dollars, for those that ship).
    """

    if TYPE_CHECKING:  # at run time an abstract property would stand in the way of __init__ and of dataclasses

        @property
        def name(self) -> str:
            """How a position says that it bound."""

        @property
        def amount(self) -> float:
            """The limit."""

    @abstractmethod
    def use(self, portfolio: Portfolio) -> float:
        """How much of it one dollar of strategy uses, not negative."""


@final
@frozen
class VolatilityLimit(Limit):
    """At most so many dollars of volatility over a horizon.

    Parameters
    ----------
    amount : float
        Dollars, one standard deviation of PnL over `horizon`.
    horizon : Horizon
        What `amount` refers to.
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
        return 0.0 if portfolio.is_riskless else float(portfolio.volatility.at(self.horizon))


@final
@frozen
class FactorVolatilityLimit(Limit):
    """At most so many dollars of volatility from the factors over a horizon.

    Parameters
    ----------
    amount : float
        Dollars, one standard deviation of the factors' PnL over `horizon`.
    horizon : Horizon
        What `amount` refers to.
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
        return 0.0 if portfolio.is_riskless else math.sqrt(portfolio.decompose().factor_variance.at(self.horizon))


@final
@frozen
class GrossLimit(Limit):
    """At most so many dollars long plus short, hedge legs included, cash not.

    Parameters
    ----------
    amount : float
        Dollars.
    """

    amount: float = field(validator=_positive)
    name: str = field(default="gross", init=False)

    def use(self, portfolio: Portfolio) -> float:
        """Sum of the sizes of all weights."""
        return float(portfolio.weights.abs().sum() + portfolio.legs.abs().sum())


@final
@frozen
class CapitalLimit(Limit):
    """At most so many dollars of strategy.

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
        Which one.
    used : float
        How much of it the position uses, in the limit's own measure.
    """

    limit: Limit
    used: float

    @property
    def excess(self) -> float:
        """By how much."""
        return self.used - self.limit.amount

    def __str__(self) -> str:
        return f"{self.limit.name}: {self.used:,.0f} used of {self.limit.amount:,.0f}"


@final
@frozen(eq=False, repr=False)
class Position:
    """So many dollars of a portfolio.

    Parameters
    ----------
    portfolio : Portfolio
        A `Strategy` or a `HedgedPortfolio`.
    capital : float
        Dollars of strategy.
    horizon : Horizon
        At which `volatility` is given, the budget's where one sized it.
    binding : str, optional
        The limit that set the size, where one did.

    Raises
    ------
    InvalidParameterError
        If `capital` is negative or not finite: a short position is a strategy of negative weights.
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
        if not _is_number(value) or not 0 <= value < math.inf:
            raise InvalidParameterError(
                f"capital must be dollars of strategy, not negative, but {value!r} came; a short position is a "
                "strategy of negative weights."
            )

    def __repr__(self) -> str:
        bound = f", bound by {self.binding}" if self.binding else ""
        return f"<Position of {self.capital:,.0f} dollars in {self.portfolio!r}{bound}>"

    @property
    def holdings(self) -> pd.Series[float]:
        """Dollars of the strategy by asset, its hedge left out."""
        return (_bare(self.portfolio).weights * self.capital).rename("dollars")

    @property
    def hedge(self) -> pd.Series[float]:
        """Dollars of hedge by factor or instrument; zero by factor where there is none."""
        p = self.portfolio
        weights = p.hedge_weights if isinstance(p, HedgedPortfolio) else p.legs
        return (weights * self.capital).rename("dollars")

    @property
    def cash(self) -> float:
        """Dollars of the cash leg, which pays for holdings and hedge; negative is borrowed."""
        return self.portfolio.cash_weight * self.capital

    @property
    def volatility(self) -> Volatility:
        """Standard deviation of the PnL over the position's horizon, dollars."""
        return self.portfolio.volatility.at(self.horizon) * self.capital  # type: ignore[no-any-return]

    @property
    def unhedged(self) -> Position:
        """As many dollars of the strategy alone, without its hedge."""
        return evolve(self, portfolio=_bare(self.portfolio), binding=None)

    def expected_pnl(self, horizon: Horizon) -> Mean:
        """Expected PnL over a horizon with the cash leg at the risk-free rate: (α + β·E f), dollars."""
        return self.portfolio.expected_excess_return.at(horizon) * self.capital  # type: ignore[no-any-return]

    def factor_adjusted_pnl(self, horizon: Horizon) -> Mean:
        """The part of the expected PnL that is alpha, dollars."""
        return self.portfolio.alpha.at(horizon) * self.capital  # type: ignore[no-any-return]

    def cash_pnl(self, horizon: Horizon) -> Mean:
        """What the cash leg is expected to earn over a horizon (negative: to cost), dollars."""
        return Mean(self.portfolio.model.risk_free_mean * self.cash, self.portfolio.horizon).at(horizon)

    def expected_pnl_without_cash(self, horizon: Horizon) -> Mean:
        """Expected PnL of holdings and hedge legs alone, the cash leg left out, dollars."""
        return self.expected_pnl(horizon) - self.cash_pnl(horizon)  # type: ignore[no-any-return]

    def sharpe(self, horizon: Horizon) -> SharpeRatio:
        """Expected PnL per dollar of volatility over a horizon; NaN without volatility."""
        return self.portfolio.sharpe.at(horizon)


def _bare(portfolio: Portfolio) -> Portfolio:
    return portfolio.strategy if isinstance(portfolio, HedgedPortfolio) else portfolio


def _read_limits(limits: Any) -> tuple[Any, ...]:
    return tuple(limits) if isinstance(limits, Iterable) else (limits,)


@final
@frozen
class RiskBudget:
    """A volatility limit at a horizon, and any other limits beside it.

    Parameters
    ----------
    volatility : float
        Dollars, one standard deviation of PnL over `horizon`, positive.
    horizon : Horizon
        What `volatility` refers to.
    limits : sequence of Limit
        Others that hold at once, at horizons of their own: `VolatilityLimit`, `FactorVolatilityLimit`,
        `GrossLimit`, `CapitalLimit`, or a subclass of `Limit`.

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
            raise InvalidParameterError(f"limits must be Limit objects such as rm.GrossLimit(1e7), not {strange[0]!r}.")
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
        """Return the largest position that every limit allows; it says which one bound.

        Raises
        ------
        UnboundedPositionError
            If the portfolio uses none of any limit, as a riskless one does.
        """
        if not isinstance(portfolio, Portfolio):
            raise InvalidParameterError(
                f"a budget sizes a Strategy or a HedgedPortfolio, but {type(portfolio).__name__} came."
            )
        # of limits that allow equally little, the first one binds
        capital, binding = min(((_most(limit, portfolio), limit) for limit in self.all_limits), key=itemgetter(0))
        if not math.isfinite(capital):
            raise UnboundedPositionError(
                f"{portfolio!r} uses none of {', '.join(limit.name for limit in self.all_limits)}, so any amount is "
                "within the budget; a portfolio without risk of its own needs a CapitalLimit or a GrossLimit."
            )
        return Position(portfolio, capital, self.horizon, binding.name)

    def used(self, position: Position) -> pd.Series[float]:
        """How much of each limit a position uses, in the limit's own measure."""
        if not isinstance(position, Position):
            raise InvalidParameterError(
                f"a Position is wanted, but {type(position).__name__} came; make one with budget.size(portfolio) or "
                "rm.Position(portfolio, capital, horizon)."
            )
        return self._by_limit([_use(limit, position.portfolio) * position.capital for limit in self.all_limits], "used")

    def utilisation(self, position: Position) -> pd.Series[float]:
        """Used over allowed, by limit; above 1 is a breach."""
        amounts = [float(limit.amount) for limit in self.all_limits]
        return (self.used(position) / amounts).rename("utilisation")

    def headroom(self, position: Position) -> pd.Series[float]:
        """Allowed less used, by limit, in the limit's own measure; negative in a breach."""
        return self._by_limit([float(limit.amount) for limit in self.all_limits], "headroom") - self.used(position)

    def check(self, position: Position) -> tuple[Breach, ...]:
        """Return the limits that a position exceeds, by more than rounding; none if it is within the budget."""
        used = self.used(position).to_numpy()
        pairs = zip(self.all_limits, used, strict=True)
        return tuple(
            Breach(limit, _measured(limit, float(u))) for limit, u in pairs if u > float(limit.amount) * (1 + 1e-12)
        )

    def _by_limit(self, values: Sequence[float], name: str) -> pd.Series[float]:
        return pd.Series(values, pd.Index([limit.name for limit in self.all_limits]), name=name)


def _require_named_amount(limit: Limit) -> None:
    """Check what a user may have written."""
    amount: Any = getattr(limit, "amount", None)
    positive = _is_number(amount) and 0 < float(amount) < math.inf
    if not isinstance(getattr(limit, "name", None), str) or not positive:
        raise InvalidParameterError(
            f"a limit needs a name, which is a text, and an amount, which is a positive number; "
            f"{type(limit).__name__} has {getattr(limit, 'name', None)!r} and {amount!r}."
        )


def _measured(limit: Limit, value: float) -> float:
    """A number in the measure of a limit's amount."""
    amount = limit.amount
    return type(amount)(value, amount.horizon) if isinstance(amount, Quantity) else float(value)


def _use(limit: Limit, portfolio: Portfolio) -> float:
    """What a dollar of strategy uses of a limit, which a user may have written."""
    use, amount = limit.use(portfolio), float(limit.amount)
    if not _is_number(use):
        raise InvalidParameterError(f"{type(limit).__name__}.use must return a number, but {use!r} came.")
    use = float(use)
    if not 0 <= use < math.inf or not 0 < amount < math.inf:
        raise InvalidParameterError(
            f"a limit needs a positive amount, and a dollar of strategy must use a finite part of it, not negative; "
            f"{limit.name!r} has the amount {amount} and a use of {use}."
        )
    return use


def _most(limit: Limit, portfolio: Portfolio) -> float:
    """Dollars of strategy at which a limit binds."""
    use = _use(limit, portfolio)
    # a use so small that the quotient overflows is none
    return float(limit.amount) / use if use > float(limit.amount) / sys.float_info.max else math.inf
