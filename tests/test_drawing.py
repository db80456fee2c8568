"""Figures as SVG: axes and ticks, what marks draw, and colours that can be read."""

import re
from importlib import resources
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.report.drawing import colours
from riskmodel.report.drawing.axes import SIDE, DateAxis, LabelAxis, NumberAxis, days
from riskmodel.report.drawing.figure import Figure
from riskmodel.report.drawing.marks import Band, Bars, Cells, Dots, Line, Points
from riskmodel.report.drawing.units import Unit

DATES = pd.bdate_range("2020-01-01", periods=50)
NASTY = "</text><script>alert(1)</script>&\"'"


def elements(figure):
    """The elements of a figure's drawing; fails where it is no XML."""
    markup = figure.markup()
    root = ElementTree.fromstring(markup[markup.index('<svg class="chart"') :])
    return [e for e in root.iter() if isinstance(e.tag, str)]


def classes(figure, name):
    return [e for e in elements(figure) if e.get("class") == name]


def numbers(path):
    return np.array(re.findall(r"(-?\d+) (-?\d+)", path.get("d")), dtype=float)


# -- axes ------------------------------------------------------------------------------------------


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(5, 8))
def test_ticks_are_round_inside_and_neither_few_nor_many(low, size, most):
    scale = NumberAxis().scale(low, low + size, most)
    values = np.array([v for v, _ in scale.ticks])
    assert scale.low <= low < low + size <= scale.high or size < 1e-9 * abs(low)
    if size > 1e-6 * abs(low):
        assert 2 <= len(values) <= most + 1
        np.testing.assert_allclose(values, np.rint(values / scale.step) * scale.step, rtol=1e-9, atol=1e-9 * scale.step)
        mantissa = scale.step / 10.0 ** np.floor(np.log10(scale.step) + 1e-9)
        assert np.isclose([1, 2, 2.5, 5], mantissa).any()
        assert (scale.low <= values).all()
        assert (values <= scale.high).all()
        assert len({text for _, text in scale.ticks}) == len(values)


@given(st.dates(pd.Timestamp("1930-01-01").date(), pd.Timestamp("2030-01-01").date()), st.integers(1, 36_000))
def test_date_ticks_are_inside_and_at_starts(first, length):
    low = float(days([first])[0])
    scale = DateAxis().scale(low, low + length, 6)
    values = np.array([v for v, _ in scale.ticks])
    assert len(values) <= 7
    assert ((low <= values) & (values <= low + length)).all()
    for value, text in scale.ticks:
        assert str(pd.Timestamp(value, unit="D").date()).startswith(text)
    if length > 400:
        assert len(values) >= 2


def test_one_value_has_an_axis_around_it():
    for axis in (NumberAxis(), DateAxis()):
        scale = axis.scale(5.0, 5.0, 5)
        assert scale.low < 5.0 < scale.high


@pytest.mark.parametrize(
    ("unit", "value", "step", "said"),
    [(Unit.PERCENT, 0.05, 0.05, "5%"), (Unit.PERCENT, -0.025, 0.025, "-2.5%"), (Unit.PLAIN, 1200.0, 200.0, "1,200"),
     (Unit.PLAIN, -1e-18, 0.5, "0.0"), (Unit.DOLLARS, 25e6, 5e6, "$25m"), (Unit.DOLLARS, -2.5e6, 1.0, "-$2.5m"),
     (Unit.DOLLARS, 0.0, 1.0, "$0"), (Unit.DOLLARS, 100.0, 1.0, "$100")],
)  # fmt: skip
def test_units(unit, value, step, said):
    assert unit.write(value, step) == said


# -- marks -----------------------------------------------------------------------------------------


def test_points_stand_where_their_numbers_are():
    x, y = np.linspace(-1.0, 1.0, 50), np.linspace(0.0, 2.0, 50) ** 2
    figure = Figure("t", (Points("day", x, y, DATES),), NumberAxis("x"), NumberAxis("y"))
    (path,) = classes(figure, "points")
    at = numbers(path)
    chart = classes(figure, "chart")[0]
    for side, values, places in (("x", x, at[:, 0]), ("y", y, SIDE - at[:, 1])):
        low, high, kind = chart.get(f"data-{side}").split(" ")
        np.testing.assert_allclose(places, SIDE * (values - float(low)) / (float(high) - float(low)), atol=0.51)
        assert kind == "plain"
    assert np.cumsum([int(d) for d in path.get("data-days").split()]).tolist() == days(DATES).tolist()


def test_a_long_line_keeps_its_ends_and_extremes():
    rng = np.random.default_rng(0)
    y = rng.standard_normal(9_000).cumsum()
    dates = pd.bdate_range("1990-01-01", periods=len(y))
    (path,) = classes(Figure("t", (Line("a", dates, y),), DateAxis(), NumberAxis()), "line")
    at = numbers(path)
    assert len(at) <= 1_600
    scale = NumberAxis().scale(y.min(), y.max(), 6)
    drawn = set(at[:, 1])
    for value in (y[0], y[-1], y.min(), y.max()):
        assert SIDE - scale.along(value) in drawn


def test_bars_reach_their_sizes_with_intervals_and_text():
    bars = Bars("s", ("a", "b"), np.array([2.0, -1.0]), ("#000000", "#111111"), inside=("2", ""), beside=("", "x"),
                low=np.array([1.5, np.nan]), high=np.array([2.5, np.nan]))  # fmt: skip
    figure = Figure("t", (bars,), NumberAxis(marked=0.0), LabelAxis(("a", "b")))
    low, high, _ = classes(figure, "chart")[0].get("data-x").split(" ")

    def along(value):
        return round(SIDE * (value - float(low)) / (float(high) - float(low)))

    boxes = [e for e in elements(figure) if e.get("fill") in {"#000000", "#111111"}]
    assert [re.search(r"H(\d+)V", b.get("d"))[1] for b in boxes] == [str(along(2.0)), str(along(-1.0))]
    (span,) = classes(figure, "range")
    assert re.fullmatch(rf"M{along(1.5)} \d+H{along(2.5)}", span.get("d"))
    assert [e.text for e in classes(figure, "in")] == ["2"]
    assert [e.get("text-anchor") for e in elements(figure) if e.text == "x"] == ["end"]


def test_cells_dots_and_bands_draw_what_is_known():
    cells = Cells(("a", "b"), np.array([[np.nan, -0.5], [0.25, np.nan]]), 0.5, written=True)
    figure = Figure("t", (cells,), LabelAxis(("a", "b")), LabelAxis(("a", "b")))
    assert [e.text for e in classes(figure, "cell")] == ["-0.50", "0.25"]
    assert [e.text for e in elements(figure) if e.tag.endswith("title")] == ["b, a: -0.50", "a, b: 0.25"]
    dots = Dots("f", ("b",), np.array([1.0]), ("#123456",), np.array([0.5]), np.array([1.5]))
    figure = Figure("t", (dots,), NumberAxis(), LabelAxis(("a", "b", "c")))
    assert numbers(classes(figure, "dot")[0])[0, 1] == SIDE / 2
    band = Band(DATES[[0, -1]], np.zeros(2), np.ones(2))
    figure = Figure("t", (band, Line("l", DATES, np.zeros(50))), DateAxis(), NumberAxis())
    assert any((e.get("d") or "").endswith("Z") for e in elements(figure))


def test_labels_are_escaped_and_cut():
    long = "a name that is longer than any label may be"
    bars = Bars(NASTY, (NASTY, long), np.ones(2), ("#000000",) * 2, inside=(NASTY, ""), beside=("", NASTY))
    other = Bars("other", (NASTY, long), np.ones(2), ("#000000",) * 2)
    figure = Figure(NASTY, (bars, other), NumberAxis(NASTY), LabelAxis((NASTY, long)))
    assert "<script" not in figure.markup()
    assert "<script" not in figure._repr_html_()
    texts = ["".join(e.itertext()) for e in elements(figure) if e.tag.endswith("text")]
    assert f"{long[:21]}…{long}" in texts


def test_many_rows_are_higher():
    few, many = (
        Figure("t", (Bars("", names, np.ones(len(names)), ("#000000",) * len(names)),), NumberAxis(), LabelAxis(names))
        for names in (("a", "b"), tuple(map(str, range(40))))
    )
    assert many.height > 2 * few.height
    assert many.is_tall
    assert not few.is_tall


# -- colours ---------------------------------------------------------------------------------------

CSS = resources.files("riskmodel.report").joinpath("templates", "page.css").read_text(encoding="utf-8")


def luminance(colour):
    """Relative luminance (WCAG 2.1)."""
    digits = colour.lstrip("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    channels = np.array([int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4) @ [
        0.2126,
        0.7152,
        0.0722,
    ]


def contrast(a, b):
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


def theme(part):
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", part))


LIGHT, DARK, PRINT = (
    theme(re.search(rf"{start}\s*:root \{{(.*?)\}}", CSS, re.DOTALL)[1])
    for start in ("^", r"prefers-color-scheme: dark\) \{", r"@media print \{")
)


@pytest.mark.parametrize("variables", [LIGHT, DARK, LIGHT | PRINT], ids=["light", "dark", "print"])
def test_text_has_a_contrast_of_four_and_a_half(variables):
    for text in ("text", "soft"):
        for back in ("back", "card"):
            assert contrast(variables[text], variables[back]) >= 4.5
    assert contrast(variables["text"], variables["alert"]) >= 4.5
    for line in ("alert-line", "field"):
        for back in ("back", "card"):
            assert contrast(variables[line], variables[back]) >= 3.0


@pytest.mark.parametrize("colour", [colours.BLUE, *colours.COLOURS, colours.GREY])
def test_marks_can_be_told_from_the_page_and_text_on_them_read(colour):
    assert contrast(colour, "#ffffff") >= 4.5
    for variables in (LIGHT, DARK):
        assert contrast(colour, variables["card"]) >= 3.0


@pytest.mark.parametrize("variables", [LIGHT, DARK], ids=["light", "dark"])
def test_numbers_in_cells_can_be_read(variables):
    from riskmodel.report.drawing.marks import _STRENGTH

    def mixed(colour):
        channels = zip(*(bytes.fromhex(c[1:]) for c in (colour, variables["card"])), strict=True)
        strength = _STRENGTH + 0.04
        return "#" + "".join(f"{round(strength * a + (1 - strength) * b):02x}" for a, b in channels)

    for colour in (colours.BLUE, colours.ORANGE):
        assert contrast(variables["text"], mixed(colour)) >= 4.5
