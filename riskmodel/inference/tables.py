"""Tables of figures: an estimate, its standard error, and an interval a row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core.arrays import Array
from riskmodel.inference.bounds import Spread, Symmetric
from riskmodel.inference.figures import Figure, PortfolioFigures
from riskmodel.inference.joint import Joint

_COLUMNS = ("estimate", "std_error", "low", "high", "of")


def as_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Make the table of rows."""
    return pd.DataFrame(rows).set_index("figure")[list(_COLUMNS)]


def table_of(figures: PortfolioFigures, some: Iterable[Figure], level: float) -> pd.DataFrame:
    """Return the table of some figures of a portfolio, each of which covers with a level."""
    return as_frame([figures.row(f, f.estimate, *f.bounds.ends(figures.spread(f), level)) for f in some])


def joint_level(figures: PortfolioFigures, some: list[Figure], level: float, joint: Joint) -> float:
    """Return the level of single intervals at which all figures are covered at once."""
    along = figures.influence.along
    return joint.marginal_level(level, lambda: _correlation([along(f.gradient) for f in some]))


def differences(ours: PortfolioFigures, theirs: PortfolioFigures, level: float) -> pd.DataFrame:
    """Return the table of the differences of figures that two portfolios of one model have."""
    others = {f.name: f for f in theirs}
    rows = []
    for figure in ours:
        if figure.name not in others:
            continue
        other = others[figure.name]
        terms = ours.linear_terms(figure).minus(theirs.linear_terms(other))
        spread = Spread.of(terms, ours.covariance.about(figure.estimand))
        estimate = figure.estimate - other.estimate
        rows.append(ours.row(figure, estimate, *Symmetric(estimate).ends(spread, level)))
    return as_frame(rows)


def _correlation(terms: list[Array]) -> Array:
    x = np.array(terms)
    length = np.sqrt(np.einsum("mt,mt->m", x, x))
    moving = length > 0
    x = x[moving] / length[moving, None]
    return np.asarray(x @ x.T)
