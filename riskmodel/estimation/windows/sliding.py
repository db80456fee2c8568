"""Sums over many overlapping windows, by addition alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self, final

import numpy as np
from attrs import evolve, frozen

from riskmodel._core.arrays import Array
from riskmodel.estimation.windows.segment import Segment

# Windows in a group. Their common rows are summed once; each adds fewer rows than this at either edge.
_GROUP = 8


@final
@frozen
class WindowGroups:
    r"""Consecutive windows in groups, whose sums share work.

    The common rows of the windows in a group are a suffix of the very first window and a prefix of the rows after it.
    Sums over both are extended by addition (the two stacks of [1]_, [2]_), so a sum over any window has at most three
    parts. Rounding errors do not accumulate, as they do where returns that leave a window are subtracted. Rows at the
    edges, which only some windows of a group have, are added by one matrix product.

    Attributes
    ----------
    length : int
        Rows of the first window.
    stride : int
        As in `Segment`.
    step : int
        Windows in a group.
    groups : int
        Number of groups.
    keep : float
        Ratio of the weight of a row to that of the next row.

    References
    ----------
    .. [1] van Herk, M. (1992). A fast algorithm for local minimum and maximum filters on rectangular and octagonal
       kernels. *Pattern Recognition Letters* 13(7), 517-521.
    .. [2] Gil, J. and Werman, M. (1993). Computing 2-D min, median, and max filters. *IEEE PAMI* 15(5), 504-507.
    """

    length: int
    stride: int
    step: int
    groups: int
    keep: float

    @classmethod
    def at(cls, spans: Segment, window: int, keep: float) -> Self:
        """Return groups from a window on: together about as many windows as that one has rows."""
        rows = spans.rows(window)
        length = rows.stop - rows.start
        step = min(_GROUP, length)
        return cls(length, spans.stride, step, length // step, keep)

    @property
    def squared(self) -> Self:
        """The same windows with squared weights."""
        return evolve(self, keep=self.keep**2)

    @property
    def windows(self) -> int:
        """Windows in all groups."""
        return self.groups * self.step

    @property
    def rows(self) -> int:
        """Rows in all windows."""
        return self.length + self.windows - 1

    def sums(self, x: Array, y: Array) -> Iterator[Array]:
        """Σ w x y over each window, group by group, shape (P, step, n).

        Parameters
        ----------
        x : array, shape (rows, P)
            The factors of the products.
        y : array, shape (rows, n)
            The columns. Rows of later windows do not change any bit of a sum.
        """
        scale = self.keep ** np.arange(self.step)[:, None]
        edges, shape = self._edges(), (x.shape[1], self.step, y.shape[1])
        for g, shared in enumerate(self._shared(x, y)):
            old, new = self._old(g), self._new(g)
            left = np.vstack([x[old], x[new]]).T[:, None, :] * edges
            right = np.vstack([y[old], y[new]])
            total = (left.reshape(shape[0] * shape[1], len(right)) @ right).reshape(shape)
            total += scale * shared[:, None, :]
            yield total

    def _old(self, g: int) -> slice:
        """The rows before the start of some windows of a group."""
        return slice(g * self.step, (g + 1) * self.step - 1) if self.stride else slice(0, 0)

    def _new(self, g: int) -> slice:
        """The rows after the end of some windows of a group."""
        first = self.length + g * self.step
        return slice(first, first + self.step - 1)

    def _edges(self) -> Array:
        """Weights of the edge rows in each window of a group, shape (step, rows at the edges)."""
        window, row = np.arange(self.step)[:, None], np.arange(self.step - 1)
        new = np.where(row < window, self.keep ** np.maximum(window - 1.0 - row, 0.0), 0.0)
        if not self.stride:
            return new
        old = np.where(row >= window, self.keep ** (self.length - 1.0 + window - row), 0.0)
        return np.hstack([old, new])

    def _shared(self, x: Array, y: Array) -> Iterator[Array]:
        """Sums over the common rows of each group, weighted as of the end of its first window, shape (P, n)."""
        later, end = np.zeros((x.shape[1], y.shape[1])), self.length - 1
        for g, first in enumerate(self._suffixes(x, y)):
            if g:
                end += self.step
                later = self.keep**self.step * later + self._sum(x, y, slice(end - self.step + 1, end + 1), end)
            yield self.keep ** (g * self.step) * first + later

    def _suffixes(self, x: Array, y: Array) -> list[Array]:
        """Sums over the common rows of each group in the first window, weighted as of its end."""
        end, step = self.length - 1, self.step
        if not self.stride:
            return [self._sum(x, y, slice(0, self.length), end)] * self.groups
        suffixes = [self._sum(x, y, slice(self.windows - 1, self.length), end)]
        for g in range(self.groups - 2, -1, -1):
            begin = (g + 1) * step - 1
            suffixes.append(suffixes[-1] + self._sum(x, y, slice(begin, begin + step), end))
        return suffixes[::-1]

    def _sum(self, x: Array, y: Array, rows: slice, end: int) -> Array:
        """Σ w x y over some rows, weighted as of row `end`."""
        if self.keep == 1.0:
            return np.asarray(x[rows].T @ y[rows])
        ages = end - np.arange(rows.start, rows.stop, dtype=np.float64)
        return np.asarray((x[rows] * (self.keep**ages)[:, None]).T @ y[rows])
