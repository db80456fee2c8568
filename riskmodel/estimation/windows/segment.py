"""Windows that end on consecutive rows, for batch estimation."""

from __future__ import annotations

from typing import Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Counts, Flags, Index
from riskmodel.estimation.windows.spans import Spans

# Where window ends are further apart than this, fitting each window is cheaper than the batch.
_FAR_APART = 16


@final
@frozen
class Segment:
    """Windows, each of which ends one row after the one before; the first starts at row 0.

    Attributes
    ----------
    length : int
        Rows of the first window.
    count : int
        Number of windows, D.
    stride : int
        Rows between the starts of consecutive windows: 1 for rolling windows, 0 for expanding ones.
    """

    length: int
    count: int
    stride: int

    @classmethod
    def covering(cls, spans: Spans) -> tuple[Self, ...] | None:
        """Return segments that contain all windows; None where a batch would be slower or there are no windows.

        The first two windows decide that, so that no later date changes how a window is estimated.
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
        """Number of rows in each window, shape (D,)."""
        return self.length + (1 - self.stride) * np.arange(self.count)

    def observations(self, present: Flags) -> Counts:
        """Number of present returns (T × N) in each window, shape (D, N)."""
        counts = np.zeros((len(present) + 1, present.shape[1]), dtype=np.int32)
        np.cumsum(present, axis=0, out=counts[1:])
        last = self.length + self.count
        return np.asarray(counts[self.length : last] - counts[: self.count * self.stride or 1 : self.stride or None])
