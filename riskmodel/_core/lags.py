"""Rows of assets that are a row early or late, told by the factors that they move with."""

from __future__ import annotations

import numpy as np

from riskmodel._core.arrays import Array
from riskmodel._core.callers import warn
from riskmodel.errors import DoubtfulDatesWarning
from riskmodel.horizon import Horizon, period_of

# Fewer rows do not tell.
_ENOUGH = 30
# Assets that are looked at, spread over all.
_FEW_ASSETS = 32
# A correlation a row off is suspect from so many standard errors on, and so many times that of the same rows: prices
# that are stale for a part of a month move with the row before, but not twice as much.
_ERRORS, _TIMES = 5.0, 2.0


def warn_of_lag(assets: Array, factors: Array, horizon: Horizon) -> None:
    """Warn where assets move with factors of the next row or the last, and hardly with those of their own.

    Only spans of the calendar are looked at, whose labels sources choose: weeks by the Sunday that begins them or that
    ends them, months by their first day or the last. Days of one market do move with the next day of another.

    Parameters
    ----------
    assets : array, shape (T, N)
        NaN where missing.
    factors : array, shape (T, K)
    horizon : Horizon
        What one row spans.
    """
    period = period_of(horizon)
    if period is None or len(assets) < _ENOUGH or not factors.shape[1]:
        return
    some = _scaled(assets[:, :: max(1, assets.shape[1] // _FEW_ASSETS)])
    by = _scaled(factors)
    same, early, late = (_typical(some, by, shift) for shift in (0, 1, -1))
    most = max(early, late)
    if most < max(_TIMES * same, _ERRORS / np.sqrt(len(assets))):
        return
    word, of, sign = ("early", "next", "+") if early > late else ("late", "last", "-")
    weeks = " (weeks that are labelled by the Sunday that begins them are)" if period == "W" and early > late else ""
    shift = f"table.index = table.index {sign} pd.DateOffset({horizon}s=1)"
    warn(
        DoubtfulDatesWarning(
            f"asset returns move with the factors of the {of} {horizon} (correlation {most:.2f}) more than with those "
            f"of their own ({same:.2f}): their dates seem to be a {horizon} {word}{weeks}; if so, write {shift}.",
            what="asset returns",
            shift=1 if early > late else -1,
            correlation=most,
            correlation_of_same_rows=same,
        )
    )


def _scaled(values: Array) -> Array:
    """Deviations from the mean by column, of unit length; 0 where missing or constant."""
    gaps = np.isnan(values)
    mean = np.where(gaps, 0.0, values).sum(axis=0) / np.maximum((~gaps).sum(axis=0), 1)
    known = np.where(gaps, 0.0, values - mean)
    length = np.sqrt(np.einsum("ij,ij->j", known, known))
    return np.asarray(np.divide(known, length, out=np.zeros_like(known), where=length > 0))


def _typical(assets: Array, factors: Array, shift: int) -> float:
    """The median over assets of the largest correlation with a factor `shift` rows later."""
    rows = len(assets)
    mine = assets[max(0, -shift) : rows - max(0, shift)]
    theirs = factors[max(0, shift) : rows - max(0, -shift)]
    return float(np.median(np.abs(mine.T @ theirs).max(axis=1)))
