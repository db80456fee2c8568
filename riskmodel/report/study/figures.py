"""The figures of a study, each a function that returns a `Figure`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core.arguments import shown
from riskmodel.errors import InvalidParameterError
from riskmodel.evaluation.calibration import WINDOW, bias_band
from riskmodel.evaluation.losses import QLIKE, Loss
from riskmodel.evaluation.study import Study
from riskmodel.report.drawing.axes import DateAxis, LabelAxis, NumberAxis
from riskmodel.report.drawing.colours import BLUE, COLOURS, GREY
from riskmodel.report.drawing.figure import Figure
from riskmodel.report.drawing.marks import DASHED, DOTTED, SOLID, Band, Dots, Line
from riskmodel.report.drawing.units import Unit

_PALETTE = (BLUE, *COLOURS)
_DASHES = (SOLID, DASHED, DOTTED, "8 3 2 3")


def bias_through_time(study: Study, family: str, window: int = WINDOW) -> Figure:
    """Draw the bias statistic over so many dates up to each date, a line for each method.

    Parameters
    ----------
    study : Study
        What was found.
    family : str
        The portfolios.
    window : int
        Dates in a statistic.

    Returns
    -------
    Figure
        With the band that holds 95 % of the statistics of one portfolio under right forecasts.
    """
    table = study.rolling_bias(window)
    lines = [_line(study, method, table[family, method]) for method in study.methods if (family, method) in table]
    _require(lines, family)
    low, high = bias_band(window)
    dates = table.index[[0, -1]]
    band = Band(dates, np.full(2, low), np.full(2, high))
    axis = NumberAxis(f"bias over {window} dates", marked=1.0)
    return Figure(f"Bias through time, {family}", (band, *lines), DateAxis(), axis)


def loss_differences(study: Study, family: str, loss: Loss = QLIKE, against: str | None = None) -> Figure:
    """Draw by how much each method's mean loss is above that of one other, with 95 % intervals.

    Parameters
    ----------
    study, family
        As in `bias_through_time`.
    loss : Loss
        What is compared.
    against : str, optional
        A method; by default the best on these portfolios.

    Returns
    -------
    Figure
        An interval that leaves out zero says that the difference is more than chance.
    """
    table = study.comparisons(loss, against)
    there = family in table.index.get_level_values("family")
    part = table.xs(family, level="family") if there else table.iloc[:0]
    _require(len(part), family)
    clear = (part["low"] > 0) | (part["high"] < 0)
    names = tuple(map(str, part.index))
    difference, low, high = (part[column].to_numpy(dtype=np.float64) for column in ("difference", "low", "high"))
    dots = Dots("", names, difference, tuple(BLUE if c else GREY for c in clear), low, high)
    title = f"Loss above that of {part['against'].iloc[0]}, {family}"
    return Figure(title, (dots,), NumberAxis("difference of mean loss", marked=0.0), LabelAxis(names))


def breaches(study: Study, level: float = 0.05) -> Figure:
    """Draw the share of rows with a loss beyond the normal value at risk, for each family and method.

    Parameters
    ----------
    study : Study
        What was found.
    level : float
        The probability of a breach, drawn as a line.

    Returns
    -------
    Figure
    """
    grouped = study.breaches(level).groupby(level=["family", "method"], sort=False)
    shares = grouped["breaches"].sum() / grouped["rows"].sum()
    families = [f for f in study.families if f in shares.index.get_level_values("family")]
    dots = tuple(_shares(study, family, shares.xs(family, level="family"), i) for i, family in enumerate(families))
    title, axis = f"Losses beyond the {level:.0%} value at risk", NumberAxis("share of rows", Unit.PERCENT, level)
    return Figure(title, dots, axis, LabelAxis(tuple(study.methods)))


def _shares(study: Study, family: str, shares: pd.Series[float], i: int) -> Dots:
    known = tuple(m for m in study.methods if m in shares.index)
    colours = (_PALETTE[i % len(_PALETTE)],) * len(known)
    return Dots(family, known, shares[list(known)].to_numpy(dtype=np.float64), colours)


def _line(study: Study, method: str, values: pd.Series[float]) -> Line:
    i = study.methods.index(method)
    known = values.dropna()
    dash = _DASHES[i // len(_PALETTE) % len(_DASHES)]
    return Line(method, pd.DatetimeIndex(known.index), known.to_numpy(), _PALETTE[i % len(_PALETTE)], dash)


def _require(there: Any, family: str) -> None:
    if not there:
        raise InvalidParameterError(
            f"expected a family with something to draw, got {shown(family)}; Study.summary() lists the families.",
            parameter="family",
            got=family,
        )
