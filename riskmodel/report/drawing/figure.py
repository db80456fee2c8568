"""A figure: marks between two axes, as SVG that is as wide as its place."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import final

import numpy as np
from attrs import frozen

from riskmodel.report.drawing.axes import SIDE, Axis, LabelAxis, Scale
from riskmodel.report.drawing.marks import DOTTED, Mark
from riskmodel.report.drawing.svg import element, percent

# Pixels of a letter of an axis, and of the room that its labels may have.
_LETTER, _MOST_LETTERS = 6.6, 22
_ROW, _SMALL_ROW = 24, 13
_MANY = 16
_MOST_TICKS = 6
_LOWEST = 300
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_STYLE = f"display:block;width:100%;box-sizing:border-box;overflow:visible;font:12px {_FONT};fill:currentColor"
# A notebook has no style sheet of the page.
_ALONE = (
    "<style>.rm-figure .grid,.rm-figure .zero,.rm-figure .marked,.rm-figure .range{stroke:currentColor;fill:none}"
    ".rm-figure .grid{stroke-opacity:.16}.rm-figure .square path{vector-effect:non-scaling-stroke}"
    ".rm-figure .points{stroke-width:4.5;stroke-opacity:.45;stroke-linecap:round}.rm-figure .line{fill:none}"
    ".rm-figure .dot{stroke-width:9;stroke-linecap:round}.rm-figure .in{fill:#fff;text-anchor:middle}"
    ".rm-figure .tiny{font-size:10px}.rm-figure .cell{text-anchor:middle;font-size:11px}</style>"
)


@final
@frozen(eq=False)
class Figure:
    """Marks between two axes, with a title and a legend.

    Text keeps its size and strokes their width whatever the width of the place; text, grid and axes have the colour of
    the text around the figure, so that it follows a page from light to dark and to print.

    Attributes
    ----------
    title : str
        What it shows.
    marks : tuple of Mark
        In the order in which they are drawn.
    x, y : Axis
        Along the bottom, and on the left.
    """

    title: str
    marks: tuple[Mark, ...]
    x: Axis
    y: Axis

    @property
    def height(self) -> int:
        """Pixels that it needs: more where its rows are many."""
        if not isinstance(self.y, LabelAxis):
            return _LOWEST
        n = len(self.y.labels)
        return max(_LOWEST if n > 4 else 200, 90 + n * (_ROW if n <= _MANY else _SMALL_ROW))

    @property
    def is_tall(self) -> bool:
        """Whether its rows need more height than figures usually have."""
        return self.height > _LOWEST

    def markup(self) -> str:
        """The legend and the SVG, as HTML; all text is escaped."""
        x, y = self._scale(self.x, 0), self._scale(self.y, 1)
        return f"{self._legend()}{self._svg(x, y)}"

    def _repr_html_(self) -> str:
        title = f"<p><strong>{escape(self.title)}</strong></p>"
        return f'{_ALONE}{title}<div class="rm-figure">{self.markup()}</div>'

    # -- parts -------------------------------------------------------------------------------------

    def _scale(self, axis: Axis, side: int) -> Scale:
        parts = [mark.extent(self.x, self.y)[side] for mark in self.marks]
        values = np.concatenate([*parts, np.empty(0)])
        values = values[np.isfinite(values)]
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
        return axis.scale(low, high, _MOST_TICKS)

    def _legend(self) -> str:
        named = [mark for mark in self.marks if mark.name]
        if len(named) < 2:
            return ""
        keys = " ".join(f"<span>{_key(mark)}{escape(mark.name)}</span>" for mark in named)
        return f'<p class="legend">{keys}</p>'

    def _svg(self, x: Scale, y: Scale) -> str:
        square = element(
            "svg",
            "".join(mark.draw(x, y) for mark in self.marks),
            class_="square",
            viewBox=f"0 0 {SIDE} {SIDE}",
            preserveAspectRatio="none",
            width="100%",
            height="100%",
            overflow="visible",
        )
        return element(
            "svg",
            self._grid(x, y),
            square,
            *(mark.text(x, y) for mark in self.marks),
            self._labels(x, y),
            class_="chart",
            xmlns="http://www.w3.org/2000/svg",
            data_x=f"{x.low!r} {x.high!r} {self.x.kind}",
            data_y=f"{y.low!r} {y.high!r} {self.y.kind}",
            style=f"{_STYLE};{self._space(x, y)}",
            height=self.height,
        )

    def _space(self, x: Scale, y: Scale) -> str:
        """The room for labels around the square."""
        left = _letters(y) * _LETTER + 12
        bottom = _letters(x) * 5.2 + 16 if self._turned else 24 + 18 * bool(self.x.title)
        return f"padding:{22 if self.y.title else 8}px 14px {bottom:.0f}px {left:.0f}px"

    @property
    def _turned(self) -> bool:
        return isinstance(self.x, LabelAxis)

    def _grid(self, x: Scale, y: Scale) -> str:
        """Lines at the ticks of numbers and dates, and at what is marked."""
        lines = []
        if not isinstance(self.x, LabelAxis):
            lines += [_upright(x.share(v), class_=_kind(v, self.x)) for v, _ in x.ticks]
        if not isinstance(self.y, LabelAxis):
            lines += [_level(1 - y.share(v), class_=_kind(v, self.y)) for v, _ in y.ticks]
        if self.x.marked is not None:
            lines.append(_upright(x.share(self.x.marked), class_="marked", stroke_dasharray=DOTTED))
        if self.y.marked is not None:
            lines.append(_level(1 - y.share(self.y.marked), class_="marked", stroke_dasharray=DOTTED))
        return "".join(lines)

    def _labels(self, x: Scale, y: Scale) -> str:
        rows = isinstance(self.y, LabelAxis)
        beside = [
            element(
                "text", _short(text), x=0, y=percent(y.share(v) if rows else 1 - y.share(v)), dx=-8, dy="0.35em",
                text_anchor="end", class_=_size(y),
            )
            for v, text in y.ticks
        ]  # fmt: skip
        below = [self._below(x, value, text) for value, text in x.ticks]
        return "".join([*beside, *below, *self._titles(y)])

    def _titles(self, y: Scale) -> Iterator[str]:
        if self.x.title:
            yield element("text", escape(self.x.title), class_="axis", x="100%", y="100%", dy=36, text_anchor="end")
        if self.y.title:
            left = f"{-_letters(y) * _LETTER:.0f}"
            yield element("text", escape(self.y.title), class_="axis", x=0, y=0, dx=left, dy=-10)

    def _below(self, x: Scale, value: float, text: str) -> str:
        at = percent(x.share(value))
        if not self._turned:
            return element("text", escape(text), x=at, y="100%", dy=18, text_anchor="middle")
        # a nested drawing has its origin there, so that the label can be turned about it
        turned = element(
            "text", _short(text), x=-4, dy="0.9em", text_anchor="end", transform="rotate(-50)", class_=_size(x)
        )
        return element("svg", turned, x=at, y="100%", width=1, height=1, overflow="visible")


def _upright(share: float, **attributes: str) -> str:
    return element("line", x1=percent(share), x2=percent(share), y1="0", y2="100%", **attributes)


def _level(share: float, **attributes: str) -> str:
    return element("line", y1=percent(share), y2=percent(share), x1="0", x2="100%", **attributes)


def _kind(value: float, axis: Axis) -> str:
    return "zero" if value == 0 and axis.kind != "date" else "grid"


def _size(scale: Scale) -> str:
    """Smaller where there are many labels."""
    return "tiny" if len(scale.ticks) > _MANY else ""


def _letters(scale: Scale) -> int:
    return min(max((len(text) for _, text in scale.ticks), default=1), _MOST_LETTERS)


def _short(text: str) -> str:
    """A label that fits; the whole one where a pointer rests on it."""
    if len(text) <= _MOST_LETTERS:
        return escape(text)
    return f"{escape(text[: _MOST_LETTERS - 1])}…{element('title', escape(text))}"


def _key(mark: Mark) -> str:
    line = element("path", d="M0 4H18", stroke=mark.colour, stroke_width=4, stroke_dasharray=mark.dash)
    return element("svg", line, width=22, height=8, aria_hidden="true")
