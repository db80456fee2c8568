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


def short_dollars(amount: float) -> str:
    """Write dollars in three digits: ``$11.4m``."""
    # to three digits first, so that what rounds up to a unit gets it
    size = float(f"{abs(amount):.3g}")
    sign = "-" if amount < 0 else ""
    for unit, letter in ((1e12, "tn"), (1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if size >= unit:
            return f"{sign}${_three_digits(size / unit)}{letter}"
    return f"{sign}${size:.3g}"


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


def _three_digits(number: float) -> str:
    return f"{number:.{max(0, 3 - len(str(int(number))))}f}"
