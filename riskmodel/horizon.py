"""Horizons and quantities: all scaling in time is done here."""

from __future__ import annotations

import datetime as dt
import math
import operator
import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from numbers import Real
from typing import Any, Self, TypeVar, final

import numpy as np
from attrs import field, frozen

from riskmodel.errors import HorizonMismatchError, InvalidParameterError

_BAR = re.compile(r"([0-9]+(?:\.[0-9]+)?)? ?(h|hours?|min|minutes?|s|sec|seconds?)", re.IGNORECASE)
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "d": 86_400.0}
_DAYS_PER_YEAR = 252.0
# A number, or an array, Series or frame of numbers.
V = TypeVar("V", bound=Any)


def is_number(value: Any) -> bool:
    """Whether this is a real number that a float holds, not a truth value; NaN and infinity are."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        return False
    try:
        float(value)
    except (OverflowError, ValueError, TypeError):
        return False
    return True


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except ValueError:  # an integer of thousands of digits
        return f"a {type(value).__name__} too large to print"


def _positive_days(days: Any) -> float:
    """Read a number of days (an attrs converter)."""
    if not is_number(days) or not 0 < float(days) < math.inf:
        raise InvalidParameterError(
            f"expected a positive number of trading days, got {_shown(days)}; "
            "use rm.DAY, rm.WEEK, rm.MONTH, rm.QUARTER, rm.YEAR or, for instance, rm.Horizon(10).",
            days=days,
        )
    return float(days)


def _read_bar(bar: Any) -> dt.timedelta:
    """Read the clock time of one row, shorter than a day."""
    found = _BAR.fullmatch(bar.strip()) if isinstance(bar, str) else None
    if found is not None:
        seconds = float(found[1] or 1) * _SECONDS[found[2][0].lower()]
    else:
        seconds = bar.total_seconds() if isinstance(bar, dt.timedelta) else 0.0
    if not 1.0 <= seconds < _SECONDS["d"]:
        raise InvalidParameterError(
            f"expected a bar shorter than a day and of a second or more, such as '1h', '30min' or a timedelta, got "
            f"{bar!r}; for days and longer spans use rm.DAY, rm.WEEK and so on.",
            bar=bar,
        )
    return dt.timedelta(seconds=seconds)


def bar_text(bar: dt.timedelta) -> str:
    """Write a bar as `Horizon.of` reads it, such as 30min."""
    seconds = bar.total_seconds()
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def _is_bar(horizon: Horizon, _: Any, bar: Any) -> None:
    both = isinstance(bar, dt.timedelta) and isinstance(horizon.per_day, float)
    if not both and not (bar is None and horizon.per_day is None):
        raise InvalidParameterError(
            f"expected a bar and a number of them in a day, as rm.Horizon.of('1h', per_day=6.5) makes them, got "
            f"{bar!r} and {horizon.per_day!r}.",
            bar=bar,
            per_day=horizon.per_day,
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
        The printed name. Two horizons of the same length are equal whatever their names.
    bar : timedelta, optional
        Clock time of one row, where a day has several; `of` sets it.
    per_day : float, optional
        Rows in a day, where there is a `bar`.

    Raises
    ------
    InvalidParameterError
        If `days` is not a positive number.

    Notes
    -----
    ``rm.WEEK``, ``rm.MONTH``, ``rm.QUARTER`` and ``rm.YEAR`` are spans of the calendar: rows are labelled by the last
    day of theirs (weeks by their Friday), whichever of its days a source uses. A year has 52 weeks, 12 months, 252
    trading days (``rm.DAY``) or, in a market that is open on seven days a week, 365 days (``rm.CALENDAR_DAY``). Any
    other horizon is a length: rows every ten trading days under ``rm.Horizon(10)`` keep their dates, and rows every 21
    under ``rm.Horizon(21)`` do, though its length is that of a month.

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
    >>> MONTH.per_year
    12.0
    """

    days: float = field(converter=_positive_days)
    name: str = field(default="", eq=False)
    bar: dt.timedelta | None = field(default=None, eq=False, kw_only=True, validator=_is_bar)
    per_day: float | None = field(default=None, eq=False, kw_only=True)

    @classmethod
    def of(cls, bar: str | dt.timedelta, *, per_day: float, name: str = "", day: Horizon | None = None) -> Horizon:
        """Return the horizon of rows of minutes or hours, several a day.

        Parameters
        ----------
        bar : str or timedelta
            Clock time of one row, such as ``"1h"``, ``"30min"`` or ``"10s"``.
        per_day : float
            Rows in a day, positive: 6.5 of ``"1h"`` and 78 of ``"5min"`` in a session of 6.5 hours, 24 of ``"1h"`` in
            a market that never closes. If the returns include the night, count it as part of the rows.
        name : str, optional
            The printed name; by default the bar's.
        day : Horizon, optional
            ``rm.DAY`` (the default, 252 a year) or ``rm.CALENDAR_DAY`` (365 a year).

        Raises
        ------
        InvalidParameterError
            If the bar is not shorter than a day, or a day has no room for `per_day` of them.

        Examples
        --------
        >>> import riskmodel as rm
        >>> hour = rm.Horizon.of("1h", per_day=6.5)
        >>> hour.per_year, rm.DAY.in_units_of(hour)
        (1638.0, 6.5)
        >>> round(rm.Horizon.of("1h", per_day=24, day=rm.CALENDAR_DAY).per_year, 9)
        8760.0
        """
        span = _read_bar(bar)
        if not isinstance(name, str):
            raise InvalidParameterError(f"expected name as text, got {type(name).__name__}.", name=name)
        whole = DAY if day is None else day
        if not isinstance(whole, Horizon) or whole not in (DAY, CALENDAR_DAY):
            raise InvalidParameterError(f"expected day as rm.DAY or rm.CALENDAR_DAY, got {day!r}.", day=day)
        room = _SECONDS["d"] / span.total_seconds()
        if not is_number(per_day) or not 0 < float(per_day) <= room:
            raise InvalidParameterError(
                f"expected per_day as the number of rows of {bar_text(span)} in a day, at most {room:g} (6.5 of 1h in "
                f"a session of 6.5 hours), got {_shown(per_day)}.",
                per_day=per_day,
                most=room,
            )
        count = float(per_day)
        return cls(whole.days / count, name or bar_text(span), bar=span, per_day=count)

    def __repr__(self) -> str:
        if self.bar is not None:
            day = "" if self.days * (self.per_day or 1.0) > 0.99 else ", day=CALENDAR_DAY"
            return f"Horizon.of({bar_text(self.bar)!r}, per_day={self.per_day:g}{day})"
        return re.sub(r"\W", "_", self.name.upper()) if self.name else f"Horizon({self.days:g})"

    def __str__(self) -> str:
        return self.name or f"{self.days:g} days"

    @property
    def per_year(self) -> float:
        """How many there are in a year: 252 days, 52 weeks, 12 months."""
        return _DAYS_PER_YEAR / self.days

    def in_units_of(self, other: Horizon) -> float:
        """The length of this horizon divided by that of `other` (dimensionless)."""
        return self.days / require_horizon(other).days

    def scale_mean(self, value: V, *, to: Horizon) -> V:
        """Scale a mean, or a risk-free rate, from this horizon to another: μ·h."""
        return self._scaled(value, require_horizon(to).in_units_of(self))

    def scale_variance(self, value: V, *, to: Horizon) -> V:
        """Scale a variance or covariance from this horizon to another: σ²·h."""
        return self._scaled(value, require_horizon(to).in_units_of(self))

    def scale_volatility(self, value: V, *, to: Horizon) -> V:
        """Scale a volatility from this horizon to another: σ·√h."""
        return self._scaled(value, math.sqrt(require_horizon(to).in_units_of(self)))

    def scale_sharpe(self, value: V, *, to: Horizon) -> V:
        """Scale a Sharpe ratio from this horizon to another: S·√h (Lo 2002, eq. 13)."""
        return self._scaled(value, math.sqrt(require_horizon(to).in_units_of(self)))

    def _scaled(self, value: V, factor: float) -> V:
        """Multiply plain numbers; refuse a `Quantity`, which would keep its old horizon."""
        if isinstance(value, Quantity):
            raise InvalidParameterError(
                f"expected a plain number per {self!r}, got {value!r}, which has a horizon; scale it with .at(...).",
                value=value,
            )
        try:
            scaled: V = value * factor
        except (TypeError, ValueError, ArithmeticError) as error:
            raise InvalidParameterError(
                f"expected numbers to scale, got {type(value).__name__}: {error}.", value=value
            ) from error
        return scaled


DAY = Horizon(1, "day")
CALENDAR_DAY = Horizon(_DAYS_PER_YEAR / 365, "calendar day")
WEEK = Horizon(_DAYS_PER_YEAR / 52, "week")
MONTH = Horizon(21, "month")
QUARTER = Horizon(63, "quarter")
YEAR = Horizon(_DAYS_PER_YEAR, "year")

NAMED = {h.name: h for h in (DAY, CALENDAR_DAY, WEEK, MONTH, QUARTER, YEAR)}
# Spans of the calendar, as pandas abbreviates their periods.
_PERIODS = {"week": "W", "month": "M", "quarter": "Q", "year": "Y"}


def is_named(horizon: Horizon, *names: Horizon) -> bool:
    """Whether a horizon is one of these named ones itself, not one of the same length."""
    return any(horizon == known and horizon.name == known.name and horizon.bar is None for known in names)


def period_of(horizon: Horizon) -> str | None:
    """The calendar span of a named horizon, as pandas abbreviates it; None where it is a length alone."""
    return _PERIODS.get(horizon.name) if is_named(horizon, WEEK, MONTH, QUARTER, YEAR) else None


def as_named(horizon: Any) -> Any:
    """Return the named horizon of the same length; anything else as it is (an attrs converter)."""
    same = [h for h in NAMED.values() if isinstance(horizon, Horizon) and h == horizon and horizon.bar is None]
    return same[0] if same else horizon


def require_horizon(horizon: object) -> Horizon:
    """Return a `Horizon`, or raise for anything else."""
    if not isinstance(horizon, Horizon):
        raise InvalidParameterError(
            f"expected a horizon such as rm.DAY or rm.Horizon(10), got {horizon!r}.", horizon=horizon
        )
    return horizon


def require_same(left: Horizon, right: Horizon, what: str) -> Horizon:
    """Return the common horizon, or raise `HorizonMismatchError` naming what was combined."""
    if left != right:
        raise HorizonMismatchError(
            f"expected {what} at one horizon, got {left!r} and {right!r}; convert one with .at(...).",
            left=left,
            right=right,
        )
    return left


_NUMPY_2 = int(np.__version__.partition(".")[0]) >= 2

_OPERATORS: dict[Any, Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.true_divide: operator.truediv,
    np.power: operator.pow,
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
}


class Quantity(float):
    """A number with the horizon it refers to (abstract: `Mean`, `Variance`, `Volatility`, `SharpeRatio`).

    It can be used wherever a float can. Adding, subtracting, dividing or comparing two quantities of different horizons
    raises `HorizonMismatchError`. Sums and differences of one kind, negation and absolute values keep kind and horizon.
    All other arithmetic makes a plain number, because its horizon is the caller's to say: ``daily * 252 ** 0.5`` is a
    plain number, and ``daily.at(rm.YEAR)`` is a yearly volatility. So do numpy's functions (which need one horizon from
    numpy 2 on). Comparisons with plain numbers compare the numbers. Arrays, Series and frames hold plain numbers; the
    object that returned them has the horizon.

    Parameters
    ----------
    value : float
        The number, at `horizon`.
    horizon : Horizon
        The horizon of the number.

    Raises
    ------
    HorizonMismatchError
        If `value` is a quantity of another horizon.
    InvalidParameterError
        If `horizon` is no `Horizon`.

    Examples
    --------
    >>> from riskmodel import DAY, MONTH, YEAR, Volatility
    >>> daily = Volatility(0.01, DAY)
    >>> daily.at(YEAR)
    Volatility(0.158745078663875..., YEAR)
    >>> daily * 2
    0.02
    >>> daily < Volatility(0.2, YEAR)
    Traceback (most recent call last):
    riskmodel.errors.HorizonMismatchError: expected two quantities at one horizon, got DAY and YEAR; ...
    """

    __slots__ = ("horizon",)
    horizon: Horizon

    def __new__(cls, value: float, horizon: Horizon) -> Self:
        """Make a number with a horizon."""
        if cls is Quantity:
            raise TypeError("Quantity is abstract; make a Mean, Variance, Volatility or SharpeRatio.")
        require_horizon(horizon)
        if isinstance(value, Quantity):
            require_same(value.horizon, horizon, "a quantity and its value")
        if not is_number(value):
            raise InvalidParameterError(f"expected a real number, got {_shown(value)}.", value=value)
        self = super().__new__(cls, value)
        object.__setattr__(self, "horizon", horizon)
        return self

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; {name!r} cannot be deleted")

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
        """Apply an operator that needs one horizon."""
        if not isinstance(other, Real):
            return NotImplemented
        if isinstance(other, Quantity):
            require_same(self.horizon, other.horizon, "two quantities")
        return op(float(self), float(other))

    def _sum(self, other: object, op: Callable[[float, float], float]) -> Any:
        """Apply an operator that keeps the kind of two of one kind, and of one and zero."""
        result = self._with(other, op)
        # sum() starts with 0
        is_zero = isinstance(other, Real) and not isinstance(other, Quantity) and other == 0
        keeps = isinstance(result, float) and (type(other) is type(self) or is_zero)
        return type(self)(result, self.horizon) if keeps else result

    def __add__(self, other: object) -> Any:
        return self._sum(other, operator.add)

    __radd__ = __add__

    def __sub__(self, other: object) -> Any:
        return self._sum(other, operator.sub)

    def __rsub__(self, other: object) -> Any:
        return self._sum(other, lambda a, b: b - a)

    def __mul__(self, other: object) -> Any:
        return self._with(other, operator.mul)

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> Any:
        return self._with(other, operator.truediv)

    def __rtruediv__(self, other: object) -> Any:
        return self._with(other, lambda a, b: b / a)

    def __floordiv__(self, other: object) -> Any:
        return self._with(other, operator.floordiv)

    def __mod__(self, other: object) -> Any:
        return self._with(other, operator.mod)

    def __divmod__(self, other: object) -> Any:
        return self // other, self % other

    if _NUMPY_2:

        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
            """Apply a numpy function: an operator as Python's, any other to plain numbers of one horizon."""
            known = [x for x in inputs if isinstance(x, Quantity)]
            for other in known[1:]:
                require_same(known[0].horizon, other.horizon, "two quantities")
            if ufunc in _OPERATORS and method == "__call__" and not kwargs and all(isinstance(x, Real) for x in inputs):
                # np.float64(12) * daily is handled here, and is what 12 * daily is
                return _OPERATORS[ufunc](*(x if isinstance(x, Quantity) else float(x) for x in inputs))
            return getattr(ufunc, method)(*(float(x) if isinstance(x, Quantity) else x for x in inputs), **kwargs)

    else:
        # numpy 1 chooses the operand that multiplies by priority, and would use a plain number with the method above
        __array_priority__ = -1.0

    def __round__(self, digits: int | None = None) -> Any:  # type: ignore[override]
        return round(float(self)) if digits is None else type(self)(round(float(self), digits), self.horizon)

    def __pos__(self) -> Self:
        return self

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


def quantities_in(values: Any) -> Iterator[Quantity]:
    """Yield the quantities in a number, a mapping, nested lists, or an array, Series or frame of objects."""
    if isinstance(values, Quantity):
        yield values
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from quantities_in(value)
    elif isinstance(values, list | tuple):
        for value in values:
            yield from quantities_in(value)
    elif "object" in {str(kind) for kind in np.ravel(getattr(values, "dtypes", getattr(values, "dtype", "")))}:
        for value in np.asarray(values, dtype=object).flat:
            yield from quantities_in(value)


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

    def __pow__(self, power: object, modulus: None = None) -> Any:
        """Square to a variance of the same horizon; other powers are plain numbers."""
        if isinstance(power, Quantity) or not isinstance(power, Real):
            return NotImplemented
        result = float(self) ** float(power)
        return Variance(result, self.horizon) if power == 2 else result

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
