"""Axes of a figure: where values stand on it, and its ticks."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel.report.drawing.units import Unit

Tick = tuple[float, str]

# Side of the square in which marks are drawn, so that whole numbers are fine enough.
SIDE = 10_000
_MARGIN = 0.04
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)
_DAYS_A_MONTH = 30.44


@final
@frozen(eq=False)
class Scale:
    """An axis with its ends.

    Attributes
    ----------
    low, high : float
        The ends.
    ticks : tuple of (float, str)
        Values with their labels.
    step : float
        Distance of ticks.
    """

    low: float
    high: float
    ticks: tuple[Tick, ...]
    step: float = 1.0

    def share(self, values: Any) -> Any:
        """Where values stand between the ends, 0 to 1."""
        return np.asarray((np.asarray(values, dtype=np.float64) - self.low) / (self.high - self.low))

    def along(self, values: Any) -> Array:
        """Whole numbers up to `SIDE` from the low end."""
        return np.asarray(np.rint(SIDE * self.share(values)))


class Axis(ABC):
    """What stands along one side of a figure; its ends are those of what is drawn."""

    title: str = ""
    marked: float | None = None

    @property
    def kind(self) -> str:
        """What a script reads its numbers as; empty for labels."""
        return ""

    @abstractmethod
    def numbers(self, values: Any) -> Array:
        """Values as numbers of this axis."""

    @abstractmethod
    def scale(self, low: float, high: float, most: int) -> Scale:
        """The ends around values from low to high, and about so many ticks."""


@final
@frozen(eq=False)
class NumberAxis(Axis):
    """Numbers.

    Parameters
    ----------
    title : str
        What they are.
    unit : Unit
        How ticks are written.
    marked : float, optional
        A number that a dotted line marks, and that is always within the ends.
    room : float
        Share of the width that stays free at the high end.
    """

    title: str = ""
    unit: Unit = Unit.PLAIN
    marked: float | None = None
    room: float = _MARGIN

    @property
    def kind(self) -> str:
        """What a script reads its numbers as."""
        return self.unit.value

    def numbers(self, values: Any) -> Array:
        """The same, as floats."""
        return np.asarray(values, dtype=np.float64)

    def scale(self, low: float, high: float, most: int) -> Scale:
        """Ends a little beyond the values, and round ticks between them."""
        if self.marked is not None:
            low, high = min(low, self.marked), max(high, self.marked)
        if not high > low:
            low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
        size = high - low
        step = _round_step(size / (most - 1))
        # what is marked stays an end, so that bars stand on it
        low = low - _MARGIN * size * (low != self.marked)
        high = high + self.room * size * (high != self.marked)
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        values = [step * i for i in range(first, last + 1)]
        return Scale(low, high, tuple((v, self.unit.write(v, step)) for v in values), step)


@final
@frozen(eq=False)
class DateAxis(Axis):
    """Dates, as days since 1970."""

    title: str = ""

    @property
    def kind(self) -> str:
        """What a script reads its numbers as."""
        return "date"

    def numbers(self, values: Any) -> Array:
        """Days since 1970."""
        return days(values)

    def scale(self, low: float, high: float, most: int) -> Scale:
        """Ends at the first and the last date; ticks at starts of months, or of days where there are few."""
        if not high > low:
            low, high = low - 1.0, high + 1.0
        n_days = high - low
        if n_days < 2 * _DAYS_A_MONTH:
            step = max(1, math.ceil(n_days / (most - 1)))
            starts = np.arange(math.ceil(low), high + 1e-9, step)
            return Scale(low, high, tuple((float(d), str(_date(d))) for d in starts))
        wanted = n_days / _DAYS_A_MONTH / (most - 1)
        months = next((m for m in _MONTH_STEPS if m >= wanted), _MONTH_STEPS[-1])
        return Scale(low, high, tuple(_months(low, high, months)))


@final
@frozen(eq=False)
class LabelAxis(Axis):
    """Labels, one a row from the top, or one a column from the left.

    Parameters
    ----------
    labels : tuple of str
        In order.
    """

    labels: tuple[str, ...]

    def numbers(self, values: Any) -> Array:
        """Positions of labels."""
        at = {label: float(i) for i, label in enumerate(self.labels)}
        return np.array([at[v] for v in values])

    def scale(self, low: float, high: float, most: int) -> Scale:
        """One unit for each label."""
        return Scale(-0.5, max(len(self.labels), 1) - 0.5, tuple((float(i), t) for i, t in enumerate(self.labels)))


def days(dates: Any) -> Array:
    """Days since 1970, with fractions."""
    stamps = pd.DatetimeIndex(dates).to_numpy().astype("datetime64[s]")
    return np.asarray(stamps.astype(np.int64) / 86_400.0)


def _round_step(least: float) -> float:
    size = 10.0 ** math.floor(math.log10(least))
    return float(next(s for s in _STEPS if s * size >= least * (1 - 1e-9)) * size)


def _months(low: float, high: float, step: int) -> Iterable[Tick]:
    first = pd.Timestamp(_date(math.ceil(low)))
    at = first.year * 12 + first.month - 1
    at = -(-at // step) * step
    while True:
        start = pd.Timestamp(year=at // 12, month=at % 12 + 1, day=1)
        day = float(days([start])[0])
        if day > high:
            return
        if day >= low:
            yield day, f"{start:%Y}" if step % 12 == 0 else f"{start:%Y-%m}"
        at += step


def _date(day: float) -> Any:
    return np.datetime64(int(day), "D").item()
