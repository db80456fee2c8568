"""The one place where anything is scaled in time."""

from __future__ import annotations

import math
import operator
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Self, TypeVar, final

from attrs import field, frozen

from riskmodel.errors import HorizonMismatchError, InvalidParameterError

V = TypeVar("V", bound=Any)


def _positive_days(_: Horizon, __: object, days: object) -> None:
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 < days < math.inf:
        raise InvalidParameterError(
            f"a horizon is a positive number of trading days, but {days!r} came; "
            "use rm.DAY, rm.WEEK, rm.MONTH, rm.QUARTER, rm.YEAR or, say, rm.Horizon(10).",
            days=days,
        )


@final
@frozen(repr=False)
class Horizon:
    r"""The time span that a return, a variance or a budget refers to.

    Parameters
    ----------
    days : float
        Length in trading days, positive. A year has 252.
    name : str, optional
        How to print it. Two horizons of the same length are equal whatever their names.

    Raises
    ------
    InvalidParameterError
        If `days` is not a positive number.

    Notes
    -----
    Over a span :math:`h` times as long, a mean and a variance grow by :math:`h`, a volatility and a
    Sharpe ratio by :math:`\sqrt h`, and a beta not at all. The :math:`\sqrt h` assumes that returns are
    serially uncorrelated; where they are not, the scaled Sharpe ratio is wrong, for hedge funds by as much
    as 65 % a year [1]_. Means are of simple returns and add up: compounding is left out.

    References
    ----------
    .. [1] Lo, A. W. (2002). The Statistics of Sharpe Ratios. *Financial Analysts Journal* 58(4), 36-52.

    Examples
    --------
    >>> from riskmodel import DAY, MONTH, YEAR, Horizon
    >>> MONTH.in_units_of(DAY)
    21.0
    >>> DAY.scale_volatility(0.01, to=YEAR)
    0.158745078663875...
    >>> Horizon(21) == MONTH
    True
    """

    days: float = field(validator=_positive_days)
    name: str = field(default="", eq=False)

    def __repr__(self) -> str:
        return self.name.upper() if self.name else f"Horizon({self.days:g})"

    def __str__(self) -> str:
        return self.name or f"{self.days:g} days"

    def in_units_of(self, other: Horizon) -> float:
        """How many times `other` this horizon lasts (dimensionless)."""
        return self.days / other.days

    def scale_mean(self, value: V, *, to: Horizon) -> V:
        """Scale a mean, or a risk-free rate, from this horizon to another: μ·h."""
        return value * to.in_units_of(self)

    def scale_variance(self, value: V, *, to: Horizon) -> V:
        """Scale a variance or covariance from this horizon to another: σ²·h."""
        return value * to.in_units_of(self)

    def scale_volatility(self, value: V, *, to: Horizon) -> V:
        """Scale a volatility from this horizon to another: σ·√h."""
        return value * math.sqrt(to.in_units_of(self))

    def scale_sharpe(self, value: V, *, to: Horizon) -> V:
        """Scale a Sharpe ratio from this horizon to another: S·√h (Lo 2002, eq. 13)."""
        return value * math.sqrt(to.in_units_of(self))


DAY = Horizon(1, "day")
WEEK = Horizon(5, "week")
MONTH = Horizon(21, "month")
QUARTER = Horizon(63, "quarter")
YEAR = Horizon(252, "year")

NAMED = {h.name: h for h in (DAY, WEEK, MONTH, QUARTER, YEAR)}


def require_same(left: Horizon, right: Horizon, what: str) -> Horizon:
    """Return the common horizon, or raise `HorizonMismatchError` naming what was combined."""
    if left != right:
        raise HorizonMismatchError(
            f"{what} need one horizon, but {left!r} and {right!r} came; bring one to the other with .at(...).",
            left=left,
            right=right,
        )
    return left


class Quantity(float):
    """A number that knows the horizon it refers to (abstract: `Mean`, `Variance`, `Volatility`, `SharpeRatio`).

    It is a float wherever a float is wanted. Adding, subtracting, dividing or comparing two quantities of
    different horizons raises `HorizonMismatchError`, and multiplying by a plain number keeps the
    horizon, so an annual figure cannot be made from a daily one by ``* 12``: say ``.at(rm.YEAR)``.

    Parameters
    ----------
    value : float
        The number, at `horizon`.
    horizon : Horizon
        What it refers to.

    Examples
    --------
    >>> from riskmodel import DAY, MONTH, YEAR, Volatility
    >>> daily = Volatility(0.01, DAY)
    >>> daily.at(YEAR)
    Volatility(0.158745078663875..., YEAR)
    >>> daily * 12 < Volatility(0.2, YEAR)
    Traceback (most recent call last):
    riskmodel.errors.HorizonMismatchError: two quantities need one horizon, but DAY and YEAR came; ...
    """

    __slots__ = ("horizon",)
    horizon: Horizon

    def __new__(cls, value: float, horizon: Horizon) -> Self:
        """Make the number and note its horizon."""
        self = super().__new__(cls, value)
        object.__setattr__(self, "horizon", horizon)
        return self

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; {name!r} cannot be set")

    def __reduce__(self) -> tuple[type[Self], tuple[float, Horizon]]:
        return type(self), (float(self), self.horizon)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({float(self)!r}, {self.horizon!r})"

    def __str__(self) -> str:
        return float.__repr__(self)

    @abstractmethod
    def at(self, horizon: Horizon) -> Self:
        """The same quantity at another horizon."""

    def _with(self, other: object, op: Callable[[float, float], float]) -> Any:
        """Apply an operator that needs one horizon; keep the kind where both sides have it."""
        if not isinstance(other, int | float):
            return NotImplemented
        if isinstance(other, Quantity):
            require_same(self.horizon, other.horizon, "two quantities")
        return op(float(self), float(other))

    def _sum(self, other: object, op: Callable[[float, float], float]) -> Any:
        result = self._with(other, op)
        return type(self)(result, self.horizon) if type(other) is type(self) else result

    def _scaled(self, other: object, op: Callable[[float, float], float]) -> Any:
        result = self._with(other, op)
        keeps = isinstance(other, int | float) and not isinstance(other, Quantity)
        return type(self)(result, self.horizon) if keeps else result

    def __add__(self, other: object) -> Any:
        return self._sum(other, operator.add)

    def __radd__(self, other: object) -> Any:
        # sum() starts from 0, which belongs to every horizon
        return self if isinstance(other, int) and other == 0 else self._with(other, operator.add)

    def __sub__(self, other: object) -> Any:
        return self._sum(other, operator.sub)

    def __mul__(self, other: object) -> Any:
        return self._scaled(other, operator.mul)

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> Any:
        return self._scaled(other, operator.truediv)

    def __neg__(self) -> Self:
        return type(self)(-float(self), self.horizon)

    def __abs__(self) -> Self:
        return type(self)(abs(float(self)), self.horizon)

    def __lt__(self, other: object) -> Any:
        return self._with(other, operator.lt)

    def __le__(self, other: object) -> Any:
        return self._with(other, operator.le)

    def __gt__(self, other: object) -> Any:
        return self._with(other, operator.gt)

    def __ge__(self, other: object) -> Any:
        return self._with(other, operator.ge)

    def __eq__(self, other: object) -> Any:
        return self._with(other, operator.eq)

    def __ne__(self, other: object) -> Any:
        return self._with(other, operator.ne)

    __hash__ = float.__hash__


@final
class Mean(Quantity):
    """A mean return, or an expected PnL: grows with h."""

    __slots__ = ()

    def at(self, horizon: Horizon) -> Self:
        """The same mean at another horizon: μ·h."""
        return type(self)(self.horizon.scale_mean(float(self), to=horizon), horizon)


@final
class Variance(Quantity):
    """A variance or covariance: grows with h."""

    __slots__ = ()

    def at(self, horizon: Horizon) -> Self:
        """The same variance at another horizon: σ²·h."""
        return type(self)(self.horizon.scale_variance(float(self), to=horizon), horizon)


@final
class Volatility(Quantity):
    """A volatility, of returns or of dollars: grows with √h."""

    __slots__ = ()

    def at(self, horizon: Horizon) -> Self:
        """The same volatility at another horizon: σ·√h."""
        return type(self)(self.horizon.scale_volatility(float(self), to=horizon), horizon)


@final
class SharpeRatio(Quantity):
    """A mean excess return per unit of volatility: grows with √h."""

    __slots__ = ()

    def at(self, horizon: Horizon) -> Self:
        """The same Sharpe ratio at another horizon: S·√h (assumes no serial correlation, Lo 2002)."""
        return type(self)(self.horizon.scale_sharpe(float(self), to=horizon), horizon)
