"""What figures draw: points, lines, bands, bars, dots with intervals, and cells.

Marks are drawn in a square that is stretched to the figure, with strokes of constant width; a point is a stroke of no
length with a round cap. Text is no mark of the square, so that it is never stretched.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from html import escape
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel.report.drawing.axes import SIDE, Axis, Scale, days
from riskmodel.report.drawing.colours import BLUE, GREY, ORANGE
from riskmodel.report.drawing.svg import element, percent

SOLID, DASHED, DOTTED = "", "6 4", "2 3"
# A line of more dates is drawn by the first, least, largest and last of each of these parts.
_MOST_PARTS = 400
# Share of its row that a bar takes: less where rows are few, and so high.
_BAR = {1: 0.3, 2: 0.45}
_USUAL_BAR = 0.68
_STRENGTH = 0.6  # of the colour of the strongest cell, so that text on it is legible


class Mark(ABC):
    """Something drawn; `name` is its label in the legend, empty for none."""

    name: str = ""
    colour: str = BLUE
    dash: str = SOLID

    @abstractmethod
    def extent(self, x: Axis, y: Axis) -> tuple[Array, Array]:
        """The numbers along each axis that must be within its ends."""

    @abstractmethod
    def draw(self, x: Scale, y: Scale) -> str:
        """SVG within the square."""

    def text(self, x: Scale, y: Scale) -> str:
        """SVG text over the square, placed in percent."""
        return ""


@final
@frozen(eq=False)
class Points(Mark):
    """A cloud of points, each with its date."""

    name: str
    x: Any
    y: Any
    dates: pd.DatetimeIndex
    colour: str = BLUE

    def extent(self, x: Axis, y: Axis) -> tuple[Array, Array]:  # noqa: D102
        return x.numbers(self.x), y.numbers(self.y)

    def draw(self, x: Scale, y: Scale) -> str:  # noqa: D102
        dots = "".join(f"M{a:.0f} {b:.0f}h0" for a, b in _square(x, y, self.x, self.y))
        apart = " ".join(f"{d:.0f}" for d in np.diff(np.floor(days(self.dates)), prepend=0.0))
        return element("path", class_="points", data_name=self.name, data_days=apart, stroke=self.colour, d=dots)


@final
@frozen(eq=False)
class Line(Mark):
    """A line through points, in their order; dates or numbers along x."""

    name: str
    x: Any
    y: Any
    colour: str = BLUE
    dash: str = SOLID
    width: float = 2.0

    def extent(self, x: Axis, y: Axis) -> tuple[Array, Array]:  # noqa: D102
        return x.numbers(self.x), y.numbers(self.y)

    def draw(self, x: Scale, y: Scale) -> str:  # noqa: D102
        points = _square(x, y, _plain(self.x), self.y)
        path = _path(points[_kept(points[:, 1])])
        return element(
            "path",
            class_="line",
            data_name=self.name,
            stroke=self.colour,
            stroke_width=f"{self.width:g}",
            stroke_dasharray=self.dash,
            d=path,
        )


@final
@frozen(eq=False)
class Band(Mark):
    """The area between two lines."""

    x: Any
    low: Any
    high: Any
    colour: str = GREY

    def extent(self, x: Axis, y: Axis) -> tuple[Array, Array]:  # noqa: D102
        return x.numbers(self.x), y.numbers(np.concatenate([self.low, self.high]))

    def draw(self, x: Scale, y: Scale) -> str:  # noqa: D102
        at = _plain(self.x)
        up, down = _square(x, y, at, self.high), _square(x, y, at, self.low)[::-1]
        path = _path(np.vstack([up, down]))
        return element("path", fill=self.colour, fill_opacity=0.18, stroke="none", d=f"{path}Z")


@final
@frozen(eq=False)
class Bars(Mark):
    """Horizontal bars, one a label, stacked on those before; with intervals where their ends are known.

    Parameters
    ----------
    name : str
        In the legend.
    labels : tuple of str
        Rows.
    sizes : array
        From `base`.
    base : array or 0
        Where each bar starts.
    colours : tuple of str
        By bar.
    inside, beside : tuple of str
        Text in the middle of each bar, and at its end.
    low, high : array, optional
        Ends of intervals.
    """

    name: str
    labels: tuple[str, ...]
    sizes: Any
    colours: tuple[str, ...]
    base: Any = 0.0
    inside: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    low: Array | None = None
    high: Array | None = None

    @property
    def colour(self) -> str:  # type: ignore[override]
        """Of the first bar."""
        return self.colours[0]

    def extent(self, x: Axis, y: Axis) -> tuple[Array, Array]:  # noqa: D102
        ends = [e for e in (self.low, self.high) if e is not None]
        return x.numbers(np.concatenate([self._starts, self.base + self.sizes, [0.0], *ends])), y.numbers(self.labels)

    def draw(self, x: Scale, y: Scale) -> str:  # noqa: D102
        parts = [
            element(
                "path",
                _title(label, self.name, size),
                fill=colour,
                stroke="none",
                d=f"M{a:.0f} {top:.0f}H{b:.0f}V{bottom:.0f}H{a:.0f}Z",
            )
            for label, size, colour, a, b, top, bottom in self._boxes(x, y)
        ]
        return "".join(parts) + self._intervals(x, y)

    def text(self, x: Scale, y: Scale) -> str:
        """What is written in the bars and beside them."""
        rows = y.share(np.arange(len(self.labels)))
        middles, ends = x.share(self.base + self.sizes / 2), x.share(self.base + self.sizes)
        inside = (
            element("text", escape(said), class_="in", x=percent(at), y=percent(row), dy="0.35em")
            for at, row, said in zip(middles, rows, self.inside, strict=False)
            if said
        )
        beside = (
            element(
                "text", escape(said), x=percent(at), y=percent(row), dx=6 if size >= 0 else -6, dy="0.35em",
                text_anchor="start" if size >= 0 else "end",
            )
            for at, row, size, said in zip(ends, rows, self.sizes, self.beside, strict=False)
            if said
        )  # fmt: skip
        return "".join([*inside, *beside])

    @property
    def _starts(self) -> Array:
        return np.broadcast_to(np.asarray(self.base, dtype=np.float64), len(self.sizes))

    def _boxes(self, x: Scale, y: Scale) -> Any:
        row = SIDE / len(self.labels)
        thick = row * _BAR.get(len(self.labels), _USUAL_BAR)
        tops = SIDE * y.share(np.arange(len(self.labels))) - thick / 2
        starts, ends = x.along(self._starts), x.along(self.base + self.sizes)
        rows = zip(self.labels, self.sizes, self.colours, starts, ends, tops, tops + thick, strict=True)
        return [row for row in rows if np.isfinite(row[4])]

    def _intervals(self, x: Scale, y: Scale) -> str:
        if self.low is None or self.high is None:
            return ""
        return _ranges(x, y, self.low, self.high, np.arange(len(self.labels)))


@final
@frozen(eq=False)
class Dots(Mark):
    """A dot for each label, with its interval where the ends are given."""

    name: str
    labels: tuple[str, ...]
    x: Any
    colours: tuple[str, ...]
    low: Array | None = None
    high: Array | None = None

    @property
    def colour(self) -> str:  # type: ignore[override]
        """Of the first dot."""
        return self.colours[0]

    def extent(self, x: Axis, y: Axis) -> tuple[Array, Array]:  # noqa: D102
        ends = [e for e in (self.low, self.high) if e is not None]
        return x.numbers(np.concatenate([self.x, *ends])), y.numbers(self.labels)

    def draw(self, x: Scale, y: Scale) -> str:  # noqa: D102
        order = {label: at for at, label in y.ticks}
        rows = np.array([order[label] for label in self.labels])
        known = self.low is not None and self.high is not None
        ranges = _ranges(x, y, self.low, self.high, rows) if known else ""
        at = zip(self.labels, self.x, self.colours, x.along(self.x), SIDE * y.share(rows), strict=True)
        return ranges + "".join(
            element("path", _title(label, self.name, value), class_="dot", stroke=colour, d=f"M{a:.0f} {b:.0f}h0")
            for label, value, colour, a, b in at
        )


@final
@frozen(eq=False)
class Cells(Mark):
    """A square table of numbers around zero, as colours; NaN is left out."""

    labels: tuple[str, ...]
    numbers: Any
    top: float
    written: bool = False

    def extent(self, x: Axis, y: Axis) -> tuple[Array, Array]:  # noqa: D102
        return x.numbers(self.labels), y.numbers(self.labels)

    def draw(self, x: Scale, y: Scale) -> str:  # noqa: D102
        side = SIDE / len(self.labels)
        gap = 0.04 * side
        inner = f"{side - 2 * gap:.0f}"
        return "".join(
            element(
                "path",
                element("title", escape(f"{self.labels[j]}, {self.labels[i]}: {v:.2f}")),
                fill=BLUE if v < 0 else ORANGE,
                fill_opacity=f"{_STRENGTH * min(abs(v) / self.top, 1.0) + 0.04:.2f}",
                stroke="none",
                d=f"M{j * side + gap:.0f} {i * side + gap:.0f}h{inner}v{inner}h-{inner}Z",
            )
            for i, j, v in self._known()
        )

    def text(self, x: Scale, y: Scale) -> str:
        """The numbers, where they are written."""
        if not self.written:
            return ""
        columns, rows = (s.share(np.arange(len(self.labels))) for s in (x, y))
        return "".join(
            element("text", f"{v:.2f}", class_="cell", x=percent(columns[j]), y=percent(rows[i]), dy="0.35em")
            for i, j, v in self._known()
        )

    def _known(self) -> Iterator[tuple[int, int, float]]:
        for (i, j), value in np.ndenumerate(self.numbers):
            if np.isfinite(value):
                yield i, j, float(value)


def _square(x: Scale, y: Scale, at: Any, values: Any) -> Array:
    """Points in the square, n × 2; its y grows downwards."""
    return np.column_stack([x.along(at), SIDE - y.along(values)])


def _plain(values: Any) -> Any:
    return days(values) if isinstance(values, pd.DatetimeIndex) else values


def _kept(values: Array) -> Any:
    """Rows that a line is drawn through: all, or those that keep each part's first, least, largest and last."""
    if len(values) <= 4 * _MOST_PARTS:
        return np.arange(len(values))
    parts = np.array_split(np.arange(len(values)), _MOST_PARTS)
    chosen = [{p[0], p[np.argmin(values[p])], p[np.argmax(values[p])], p[-1]} for p in parts]
    return np.array(sorted(set().union(*chosen)))


def _path(points: Array) -> str:
    known = points[np.isfinite(points).all(axis=1)]
    return "M" + "L".join(f"{a:.0f} {b:.0f}" for a, b in known) if len(known) else ""


def _ranges(x: Scale, y: Scale, low: Any, high: Any, rows: Any) -> str:
    """Intervals as lines."""
    ends = zip(x.along(low), x.along(high), SIDE * y.share(rows), strict=True)
    path = "".join(f"M{a:.0f} {at:.0f}H{b:.0f}" for a, b, at in ends if np.isfinite(a) and np.isfinite(b))
    return element("path", class_="range", d=path) if path else ""


def _title(label: str, name: str, value: float) -> str:
    said = f"{label}, {name}" if name else label
    return element("title", escape(f"{said}: {value:.4g}"))
