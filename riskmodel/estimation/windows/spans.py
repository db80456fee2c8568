"""Rows of windows in a panel."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
from attrs import field, frozen

from riskmodel._core.arrays import Counts, Flags, Index
from riskmodel.errors import InvalidParameterError


def _check(self: Spans, _attribute: Any, _value: Any) -> None:
    if self.starts.shape != self.stops.shape or not (self.starts < self.stops).all() or (self.starts < 0).any():
        raise InvalidParameterError("expected as many starts as stops, each window with a row or more, got others.")
    if (np.diff(self.stops) <= 0).any():
        raise InvalidParameterError("expected windows in increasing order of their last rows, got others.")


@final
@frozen(eq=False)
class Spans:
    """The rows of D windows, in order of their last rows.

    Attributes
    ----------
    starts, stops : array of int, shape (D,)
        The first row of each window, and the row after its last.
    length : int, optional
        Rows of a rolling window; windows at the start of the panel may have fewer.
    """

    starts: Index
    stops: Index
    length: int | None = field(default=None, validator=_check)

    @classmethod
    def rolling(cls, length: int, stops: Index) -> Self:
        """Windows of a length that end before some rows; shorter at the start of the panel."""
        return cls(np.maximum(stops - length, 0), stops, length)

    @classmethod
    def expanding(cls, stops: Index) -> Self:
        """Windows from the first row that end before some rows."""
        return cls(np.zeros_like(stops), stops)

    def __len__(self) -> int:
        return len(self.stops)

    def rows(self, window: int) -> slice:
        """The rows of one window."""
        return slice(int(self.starts[window]), int(self.stops[window]))

    @property
    def lengths(self) -> Index:
        """Number of rows in each window, shape (D,)."""
        return self.stops - self.starts

    def observations(self, present: Flags) -> Counts:
        """Number of present returns (T × N) in each window, shape (D, N)."""
        counts = np.zeros((len(present) + 1, present.shape[1]), dtype=np.int32)
        np.cumsum(present, axis=0, out=counts[1:])
        return np.asarray(counts[self.stops] - counts[self.starts])
