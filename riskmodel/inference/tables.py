"""Tables of figures: an estimate, its standard error, and an interval a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core.arrays import Array
from riskmodel.inference.bounds import Spread, Symmetric
from riskmodel.inference.covariance.base import DateTerms
from riskmodel.inference.figure import Figure
from riskmodel.inference.figures import PortfolioFigures
from riskmodel.inference.joint import Joint


def table_of(
    figures: PortfolioFigures, some: Iterable[Figure], level: float, joint: Joint | None = None
) -> pd.DataFrame:
    """Return the table of some figures of a portfolio, each, or with `joint` all, of which cover with a level."""
    every = list(some)
    single = level
    if joint is not None:
        along = figures.influence.along
        single = joint.marginal_level(level, lambda: _correlation(along([f.gradient for f in every])))
    ends = [f.bounds.ends(spread, single) for f, spread in zip(every, figures.spreads(every), strict=True)]
    rows = {f.name: (f.estimate, *e, f.power, f.estimand) for f, e in zip(every, ends, strict=True)}
    return frame_of(rows, _ratio(figures))


def differences(
    ours: PortfolioFigures,
    theirs: PortfolioFigures,
    some: Iterable[Figure],
    others: Iterable[Figure],
    level: float,
    *,
    less: Callable[[DateTerms, DateTerms], DateTerms] = DateTerms.minus,
) -> pd.DataFrame:
    """Return the table of the differences of figures that two portfolios have; `less` subtracts what dates add."""
    named = {f.name: f for f in others}
    both = [(f, named[f.name]) for f in some if f.name in named]
    terms = zip(ours.linear_terms([f for f, _ in both]), theirs.linear_terms([f for _, f in both]), strict=True)
    estimates = [first.estimate - second.estimate for first, second in both]
    ends = [
        (math.nan, math.nan, math.nan)
        if math.isnan(value)
        else Symmetric(value).ends(Spread.of(less(first, second), ours.covariance.about(figure.estimand)), level)
        for value, (figure, _), (first, second) in zip(estimates, both, terms, strict=True)
    ]
    rows = {f.name: (value, *e, f.power, f.estimand) for (f, _), value, e in zip(both, estimates, ends, strict=True)}
    return frame_of(rows, _ratio(ours))


def _ratio(figures: PortfolioFigures) -> float:
    return figures.portfolio.horizon.in_units_of(figures.horizon)


def frame_of(rows: Mapping[Any, Sequence[Any]], ratio: float, names: Sequence[str] = ("figure",)) -> pd.DataFrame:
    """Make a table of numbers per row of the panel, at a horizon of `ratio` rows.

    Each row has an estimate, its standard error, the ends, the power of the horizon it grows with, and its estimand.
    """
    index = (
        pd.MultiIndex.from_tuples(list(rows), names=list(names))
        if len(names) > 1
        else pd.Index(list(rows), name=names[0])
    )
    numbers = np.reshape([row[:4] for row in rows.values()], (len(rows), 4)).astype(np.float64)
    scale = np.array([ratio ** row[4] for row in rows.values()])
    frame = pd.DataFrame(numbers * scale[:, None], index, ["estimate", "std_error", "low", "high"])
    frame["of"] = [str(row[5]) for row in rows.values()]
    return frame


def _correlation(x: Array) -> Array:
    length = np.sqrt(np.einsum("mt,mt->m", x, x))
    moving = length > 0
    x = x[moving] / length[moving, None]
    return np.asarray(x @ x.T)
