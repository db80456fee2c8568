"""How much of a portfolio a risk budget lets you hold, and how much of it a position uses."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, final

import pandas as pd
from attrs import field, frozen

from riskmodel._core.labels import is_lone
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError, UnboundedPositionError
from riskmodel.horizon import Horizon, is_number
from riskmodel.portfolio.amounts import is_horizon, positive_dollars
from riskmodel.portfolio.breach import Breach
from riskmodel.portfolio.limits import Limit, VolatilityLimit
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio
from riskmodel.portfolio.position import Position
from riskmodel.quantities import Quantity, Volatility

# A use this much above the amount is rounding.
ROUNDING = 1e-12


def _read_limits(limits: Any) -> tuple[Any, ...]:
    return tuple(limits) if not is_lone(limits) else (limits,)


@final
@frozen
class RiskBudget(Listed):
    """A volatility limit at a horizon, and any other limits.

    Parameters
    ----------
    volatility : float
        Dollars, one standard deviation of PnL over `horizon`, positive.
    horizon : Horizon
        Horizon of `volatility`.
    limits : sequence of Limit
        Further limits, each at its own horizon: `VolatilityLimit`, `RealisedVolatilityLimit`,
        `FactorVolatilityLimit`, `GrossLimit`, `NetLimit`, `NameLimit`, `ConcentrationLimit`, `NameCountLimit`,
        `CapitalLimit`, or a subclass of `Limit`.

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

    _volatility: float = field(validator=positive_dollars)
    horizon: Horizon = field(validator=is_horizon)
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
        return self._by_limit([_used(limit, position) for limit in self.all_limits], "used")

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
            Breach(limit, _measured(limit, float(u))) for limit, u in pairs if u > float(limit.amount) * (1 + ROUNDING)
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


def _used(limit: Limit, position: Position) -> float:
    """Return what a position uses of a limit, in its own unit; nothing where nothing is held."""
    return _use(limit, position.portfolio) * (position.capital if limit.scales else float(position.capital > 0))


def _most(limit: Limit, portfolio: Portfolio) -> float:
    """Return the dollars of strategy at which a limit binds; none or any where it does not scale."""
    use = _use(limit, portfolio)
    if not limit.scales:
        return math.inf if use <= float(limit.amount) * (1 + ROUNDING) else 0.0
    # treat a use so small that the quotient overflows as zero
    return float(limit.amount) / use if use > float(limit.amount) / sys.float_info.max else math.inf
