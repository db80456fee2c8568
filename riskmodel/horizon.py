"""Horizons: all scaling in time is done here."""

from __future__ import annotations

import datetime as dt
import math
import re
from numbers import Real
from typing import Any, TypeVar, final

import numpy as np
from attrs import field, frozen

from riskmodel._listing import Listing
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


def printed(value: Any) -> str:
    """Return how a value prints, where it does."""
    try:
        return repr(value)
    except ValueError:  # an integer of thousands of digits
        return f"a {type(value).__name__} too large to print"


def _positive_days(days: Any) -> float:
    """Read a number of days (an attrs converter)."""
    if not is_number(days) or not 0 < float(days) < math.inf:
        raise InvalidParameterError(
            f"expected a positive number of trading days, got {printed(days)}; "
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
class Horizon(metaclass=Listing):
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
                f"a session of 6.5 hours), got {printed(per_day)}.",
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
        """Multiply plain numbers; refuse what has a horizon of its own, as quantities have."""
        if isinstance(getattr(value, "horizon", None), Horizon):
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
