"""The stored history of one series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import pandas as pd
from attrs import evolve, field, frozen

# The last possible day of a window; stands for an open end, so that ends can be compared.
END = pd.Timestamp("2261-12-31")
# Missing rows at the end may be late for this long; after that the series has ended.
_LATE = pd.Timedelta(days=60)
_FACTS = ("fetched", "checked", "asked", "provenance")


@frozen(eq=False)
class Entry:
    """The whole history of one series, all of one vintage.

    `fetched` is the time of the oldest fetch, `checked` of the last request for later rows, up to `asked`.
    """

    fetched: pd.Timestamp = field(converter=pd.Timestamp)
    checked: pd.Timestamp = field(converter=pd.Timestamp)
    asked: pd.Timestamp = field(converter=pd.Timestamp)
    provenance: Mapping[str, str]
    series: pd.Series[float]

    @classmethod
    def of(cls, facts: Mapping[str, Any], series: pd.Series[float]) -> Self:
        """Make an entry from a record."""
        return cls(**{name: facts[name] for name in _FACTS}, series=series)

    @property
    def record(self) -> tuple[dict[str, Any], pd.Series[float]]:
        """The entry as facts and series."""
        return {name: getattr(self, name) for name in _FACTS}, self.series

    @property
    def last(self) -> pd.Timestamp:
        """The day after which rows may be late."""
        if not len(self.series):
            return pd.Timestamp.min
        end: pd.Timestamp = self.series.index[-1]
        valid: pd.Timestamp = self.series.index[self.series.notna()].max()  # NaT if all are missing
        return valid if end - valid <= _LATE else end

    def lacks(self, end: pd.Timestamp, now: pd.Timestamp) -> bool:
        """Return whether later rows must be requested; the same end is requested once a day."""
        was_asked = self.checked.date() == now.date() and (end == self.asked or end <= self.asked < END)
        return end > self.last and not was_asked

    def extended(self, rows: pd.Series[float], end: pd.Timestamp, now: pd.Timestamp) -> Self:
        """Add the rows after the last one, up to `end`."""
        series = pd.concat([self.series[: self.last], rows])
        return evolve(self, series=series, checked=now, asked=end)
