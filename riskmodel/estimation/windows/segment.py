"""Windows that end on consecutive rows, as the batch estimates them."""

from __future__ import annotations

from typing import Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Counts, Flags, Index
from riskmodel.estimation.windows.spans import Spans

# Where windows end further apart than this, estimating all windows between them costs more than each by itself.
_FAR_APART = 16


@final
@frozen
class Segment:
    """Windows of which each ends one row after the one before; the first begins with the panel.

    Attributes
    ----------
    length : int
        Rows of the first window.
    count : int
        How many windows, D.
    stride : int
        How many rows after the one before each begins: 1 where windows roll, 0 where they grow.
    """

    length: int
    count: int
    stride: int

    @classmethod
    def covering(cls, spans: Spans) -> tuple[Self, ...] | None:
        """Segments that have all of some windows among theirs; None where that does not pay, or there are none.

        The first two windows decide whether it pays, so that no later date changes how a window is estimated.
        """
        stops, length = spans.stops, spans.length
        if len(stops) > 1 and stops[1] - stops[0] > _FAR_APART:
            return None
        first, last = int(stops[0]), int(stops[-1])
        if length is None:
            return None if spans.starts.any() else (cls(first, last - first + 1, 0),)
        growing = (cls(first, min(length, last + 1) - first, 0),) if first < length else ()
        rolling = (cls(length, last - length + 1, 1),) if last >= length else ()
        return growing + rolling

    @property
    def stops(self) -> Index:
        """The row after the last of each window."""
        return self.length + np.arange(self.count)

    def rows(self, window: int) -> slice:
        """The rows of one window."""
        return slice(self.stride * window, self.length + window)

    def lengths(self) -> Index:
        """How many rows each window has, shape (D,)."""
        return self.length + (1 - self.stride) * np.arange(self.count)

    def observations(self, present: Flags) -> Counts:
        """How many of the rows (T × N) are there in each window, shape (D, N)."""
        counts = np.zeros((len(present) + 1, present.shape[1]), dtype=np.int32)
        np.cumsum(present, axis=0, out=counts[1:])
        last = self.length + self.count
        return np.asarray(counts[self.length : last] - counts[: self.count * self.stride or 1 : self.stride or None])
