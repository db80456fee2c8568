"""Numbers and labels as strings."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from riskmodel.portfolio.budget import RiskBudget

NONE = "-"
# Beside the capital, a smaller amount is rounding error.
NOTHING = 1e-9


def fixed(number: Any, digits: int) -> str:
    """Write a number with so many digits after the point; a dash where there is none."""
    if not math.isfinite(number):
        return NONE
    text = f"{number:,.{digits}f}"
    # no minus sign on what rounds to zero
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def dollars(amount: Any, capital: float = 0.0) -> str:
    """Write whole dollars, or three digits of an amount below a thousand."""
    if not math.isfinite(amount) or abs(amount) >= 999.5:
        return fixed(amount, 0)
    return f"{amount:.3g}" if abs(amount) > NOTHING * capital else "0"


def interval(estimate: Any, ends: tuple[float, float], digits: int) -> str:
    """Write an estimate with its interval: ``1.07 [1.03, 1.12]``; alone where the interval is not known."""
    return _with_ends(fixed(estimate, digits), [fixed(end, digits) for end in ends])


def dollar_interval(estimate: Any, ends: tuple[float, float], capital: float = 0.0) -> str:
    """Write dollars with an interval in three digits: ``48,213 [-12.4k, 109k]``."""
    return _with_ends(dollars(estimate, capital), [_end(end, 3) for end in ends])


def short_interval(estimate: Any, ends: tuple[float, float], digits: int) -> str:
    """Write dollars in three digits, and the ends of their interval in `digits`: ``48.2k [-12k, 110k]``."""
    return _with_ends(short_amount(estimate), [_end(end, digits) for end in ends])


def _end(amount: float, digits: int) -> str:
    return "no limit" if amount == math.inf else short_amount(amount, digits)


def _with_ends(estimate: str, ends: list[str]) -> str:
    return estimate if NONE in (estimate, *ends) else f"{estimate} [{ends[0]}, {ends[1]}]"


def short_amount(amount: Any, digits: int = 3) -> str:
    """Write an amount in some digits: ``11.4m``; a dash where there is none."""
    return short_dollars(amount, digits).replace("$", "") if math.isfinite(amount) else NONE


def short_dollars(amount: float, digits: int = 3) -> str:
    """Write dollars in some digits, 3 by default: ``$11.4m``."""
    # to these digits first, so that what rounds up to a unit gets it
    size = float(f"{abs(amount):.{digits}g}")
    sign = "-" if amount < 0 and size else ""
    for unit, letter in ((1e12, "tn"), (1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if size >= unit:
            return f"{sign}${_in_digits(size / unit, digits)}{letter}"
    return f"{sign}${size:.0f}" if size >= 10.0**digits else f"{sign}${size:.{digits}g}"


def pvalue(p: float) -> str:
    """Write a p value in three digits."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def listed(items: Iterable[object], most: int) -> str:
    """Write items in a line, with how many more there are than `most`."""
    every = list(map(str, items))
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def holdings(weights: pd.Series[float], most: int = 6) -> str:
    """Write weights in a line: ``MSFT 0.5, JPM 0.5``."""
    return listed([f"{asset} {weight:.4g}" for asset, weight in weights.items()], most)


def limit(budget: RiskBudget) -> str:
    """Write the volatility that a budget allows."""
    return f"${dollars(float(budget.volatility))} of volatility per {budget.horizon}"


def distinct(label: str, what: str, others: Iterable[Any]) -> str:
    """Return the label, with a word added where one of the others reads the same."""
    taken = {str(other).strip().casefold() for other in others}
    while label.casefold() in taken:
        label += f" ({what})"
    return label


def _in_digits(number: float, digits: int) -> str:
    return f"{number:.{max(0, digits - len(str(int(number))))}f}"
