"""Units of an axis."""

from __future__ import annotations

import math
import re
from enum import Enum

from riskmodel.report.formats import short_dollars


class Unit(Enum):
    """What the numbers of an axis are."""

    PLAIN = "plain"
    PERCENT = "percent"
    DOLLARS = "dollars"

    def write(self, value: float, step: float) -> str:
        """Write a value of an axis whose ticks are a step apart."""
        if self is Unit.DOLLARS:
            # $25m, not $25.0m
            return re.sub(r"\.?0+(?=[a-z]*$)", "", text) if "." in (text := short_dollars(value)) else text
        scaled, apart = (100.0 * value, 100.0 * step) if self is Unit.PERCENT else (value, step)
        digits = max(0, min(12, _digits(apart)))
        text = f"{scaled:,.{digits}f}"
        text = text.removeprefix("-") if not float(text.replace(",", "")) else text
        return f"{text}%" if self is Unit.PERCENT else text


def _digits(step: float) -> int:
    """Digits after the point that tell ticks apart; a step of 2.5 needs one more than 2."""
    exponent = math.floor(math.log10(step))
    leading = step / 10.0**exponent
    return -exponent + (1 if abs(leading - round(leading)) > 1e-6 else 0)
