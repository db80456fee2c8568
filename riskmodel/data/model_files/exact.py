"""Numbers as text in other units, from which the same bits return.

Decimal digits are moved, not multiplied: 0.1 is ``10`` in percent and returns as 0.1. A square root has so many digits
that its square rounds to the number.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException

# Enough for the square of a root of 19 digits to be nearer to the number than to any other.
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_EVEN, Emin=-5_000, Emax=5_000)
_ROOT = Context(prec=19, rounding=ROUND_HALF_EVEN, Emin=-5_000, Emax=5_000)


def written(value: float, power: int = 0) -> str:
    """Return a number times 10 to a power as text."""
    return str(Decimal(repr(float(value))).scaleb(power, _CONTEXT)) if power else repr(float(value))


def written_root(variance: float, power: int) -> str:
    """Return the square root of a variance times 10 to a power, as text."""
    root = _ROOT.plus(_CONTEXT.sqrt(Decimal(float(variance))))
    return str(root.scaleb(power, _CONTEXT))


def _finite(value: Decimal) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise OverflowError("not finite")
    return number


def read(text: str, power: int = 0) -> float:
    """Return the number of `written`; raise `ValueError` for anything but a number."""
    try:
        return _finite(Decimal(text).scaleb(-power, _CONTEXT))
    except (DecimalException, OverflowError) as error:
        raise ValueError(f"not a number: {text!r}") from error


def read_square(text: str, power: int) -> float:
    """Return the variance of `written_root`; raise `ValueError` for anything but a number."""
    try:
        root = Decimal(text).scaleb(-power, _CONTEXT)
        return _finite(_CONTEXT.multiply(root, root))
    except (DecimalException, OverflowError) as error:
        raise ValueError(f"not a number: {text!r}") from error
