"""Arguments of public functions: kinds of objects, numbers, counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, TypeVar

import numpy as np

from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import is_number
from riskmodel.quantities import Quantity

T = TypeVar("T")


def require(value: Any, kind: type[T], parameter: str, advice: str = "") -> T:
    """Return an object of a kind, or raise; `advice` says how to make one."""
    if not isinstance(value, kind):
        got = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        raise InvalidParameterError(
            f"expected {parameter} as a {kind.__name__}, got {got}{f'; {advice}' if advice else ''}.",
            parameter=parameter,
            got=value,
        )
    return value


def require_count(value: Any, parameter: str, least: int = 0) -> int:
    """Return a whole number of at least `least`, or raise."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral) or int(value) < least:
        raise InvalidParameterError(
            f"expected {parameter} as a whole number of {least} or more, got {shown(value)}.",
            parameter=parameter,
            got=value,
        )
    return int(value)


def require_finite(value: Any, parameter: str) -> float:
    """Return a finite number, or raise."""
    if not is_number(value) or not math.isfinite(value):
        raise InvalidParameterError(
            f"expected {parameter} as a finite number, got {shown(value)}.", parameter=parameter, got=value
        )
    return float(value)


def require_positive(value: Any, parameter: str, what: str = "a positive, finite number") -> float:
    """Return a positive, finite number without a horizon, or raise; `what` says of what kind."""
    if not is_number(value) or isinstance(value, Quantity) or not 0 < float(value) < math.inf:
        raise InvalidParameterError(
            f"expected {parameter} as {what}, got {shown(value)}.", parameter=parameter, got=value
        )
    return float(value)


def require_share(value: Any, parameter: str, what: str = "a share") -> float:
    """Return a number from 0 to 1, or raise, also for a percentage; `what` says of what it is a share."""
    return _of_one(value, parameter, f"{what} from 0 to 1 (0.2 is 20 %)", lambda share: 0.0 <= share <= 1.0)


def require_probability(value: Any, parameter: str, what: str = "a probability", most: float = 1.0) -> float:
    """Return a number above 0 and below `most`, or raise, also for a percentage."""
    return _of_one(value, parameter, f"{what} above 0 and below {most:g}", lambda share: 0.0 < share < most)


def _of_one(value: Any, parameter: str, expected: str, is_within: Callable[[float], bool]) -> float:
    """Return a part of one; a number with a horizon is none."""
    known = is_number(value) and not isinstance(value, Quantity)
    if known and is_within(float(value)):
        return float(value)
    in_percent = known and 1.0 < float(value) <= 100.0 and is_within(float(value) / 100.0)
    hint = f"; if it is a percentage, write {float(value) / 100.0:g}" if in_percent else ""
    raise InvalidParameterError(
        f"expected {parameter} as {expected}, got {shown(value)}{hint}.", parameter=parameter, got=value
    )


def require_method(value: Any, names: Sequence[str], parameter: str, advice: str) -> None:
    """Raise for an object that lacks some methods, or for a class in place of an object."""
    if isinstance(value, type) or not all(callable(getattr(value, name, None)) for name in names):
        raise InvalidParameterError(
            f"expected {parameter} with the methods {', '.join(names)}, got {type(value).__name__}; {advice}.",
            parameter=parameter,
            got=value,
        )


def shown(value: Any, most: int = 80) -> str:
    """Return how a value prints, cut where it is long; integers of thousands of digits do not print."""
    try:
        text = repr(value)
    except Exception as error:
        return f"a {type(value).__name__} whose repr raises {type(error).__name__}"
    return text if len(text) <= most else f"{text[:most]}…"
