"""Quantities: numbers that know the horizon they refer to, and scale by its rules."""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from numbers import Real
from typing import Any, Self, final

import numpy as np

from riskmodel._listing import AbstractListing
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import Horizon, is_number, printed, require_horizon, require_same

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


class Quantity(float, metaclass=AbstractListing):
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
            raise InvalidParameterError(f"expected a real number, got {printed(value)}.", value=value)
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
    """A mean return, or an expected PnL: grows with h.

    Examples
    --------
    >>> import riskmodel as rm
    >>> f"{rm.Mean(0.0003, rm.DAY).at(rm.YEAR):.4f}"
    '0.0756'
    """

    __slots__ = ()

    def at(self, horizon: Horizon) -> Self:
        """The same mean at another horizon: μ·h."""
        return type(self)(self.horizon.scale_mean(float(self), to=horizon), horizon)


@final
class Variance(Quantity):
    """A variance or covariance: grows with h.

    Examples
    --------
    >>> import riskmodel as rm
    >>> f"{rm.Variance(0.0004, rm.DAY).at(rm.YEAR):.4f}"
    '0.1008'
    """

    __slots__ = ()

    def at(self, horizon: Horizon) -> Self:
        """The same variance at another horizon: σ²·h."""
        return type(self)(self.horizon.scale_variance(float(self), to=horizon), horizon)


@final
class Volatility(Quantity):
    """A volatility, of returns or of dollars: grows with √h.

    Examples
    --------
    >>> import riskmodel as rm
    >>> volatility = rm.Volatility(0.02, rm.DAY)
    >>> f"{volatility.at(rm.YEAR):.1%}"
    '31.7%'
    """

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
    """A mean excess return per unit of volatility: grows with √h.

    Examples
    --------
    >>> import riskmodel as rm
    >>> f"{rm.SharpeRatio(0.05, rm.DAY).at(rm.YEAR):.2f}"
    '0.79'
    """

    __slots__ = ()

    def at(self, horizon: Horizon) -> Self:
        """The same Sharpe ratio at another horizon: S·√h (assumes no serial correlation, Lo 2002)."""
        return type(self)(self.horizon.scale_sharpe(float(self), to=horizon), horizon)
