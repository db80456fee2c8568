"""Numbers that pass as returns in decimals and are probably in another unit: told by how they grow and move."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Flags, Index
from riskmodel._core.callers import warn
from riskmodel._core.checks import ReturnChecks
from riskmodel._core.kinds import ReadInPercent
from riskmodel.errors import DoubtfulUnitWarning, PercentReturnsError
from riskmodel.horizon import YEAR, Horizon

# What has such log growth and such a ratio of mean to volatility a year, and such a t value of its mean, is in percent:
# the wildest coins have grown three times a year over ten years, at a ratio of two.
_GROWTH, _RATIO, _SURE = 1.6, 3.0, 5.0
# The same of some rows, by which the columns to look at are chosen.
_LAX = (0.8, 1.5, 1.0)
_STRETCH, _STRETCHES = 40, 5
# Fewer returns do not tell.
_ENOUGH = 20
# What moves with the rate and is so many times as large is in percent.
_WITH_RATE, _HUNDRED = 0.8, (30.0, 300.0)
# Of bills, the squared mean is such a share of the mean square.
_STEADY = 0.3
_DISTINCT = 5
_ROUNDING = 1e-6
_DAYS_PER_TRADING_DAY = 365.0 / 252.0
# Counts, sums and sums of squares.
_Sums = tuple[Index, Array, Array]


def are_percent(numbers: Array, horizon: Horizon, rate: Array | None = None) -> Flags:
    """Return which columns grow as no asset does in decimals, or move as a hundred times the rate does.

    In percent, a bill earns 0.2 in a month, and a fund of short bonds moves by 0.05 in a day: both are possible sizes
    of decimals, and then grow many times a year, with hardly a loss.

    Parameters
    ----------
    numbers : array, shape (T, N)
        NaN where missing.
    horizon : Horizon
        What one row spans.
    rate : array, shape (T,), optional
        The risk-free rate.

    Returns
    -------
    array of bool, shape (N,)
    """
    # stretches of rows are read faster than single ones
    starts = np.linspace(0, max(0, len(numbers) - _STRETCH), _STRETCHES, dtype=int)
    some = _sums(np.vstack([numbers[i : i + _STRETCH] for i in np.unique(starts)]))
    doubtful = np.flatnonzero(_grows(some, horizon, _LAX) | _is_steady(some))
    found = np.zeros(numbers.shape[1], dtype=np.bool_)
    found[doubtful] = _grows(_sums(numbers[:, doubtful]), horizon, (_GROWTH, _RATIO, _SURE))
    for j in np.flatnonzero(found):
        # what has few different values was made up
        found[j] = len(np.unique(np.round(numbers[:, j], 9))) > _DISTINCT
    if rate is not None and np.ptp(rate) > 0:
        found[doubtful] |= np.array([_is_multiple(numbers[:, j], rate) for j in doubtful], dtype=np.bool_)
    return found


def _is_steady(sums: _Sums) -> Flags:
    """Which columns hardly vary around their means, as bills do."""
    count, total, square = sums
    return np.asarray((count > 0) & (total**2 > _STEADY * count * square))


def _grows(sums: _Sums, horizon: Horizon, least: tuple[float, float, float]) -> Flags:
    """Which columns have at least this log growth and ratio of mean to volatility a year, and this t value."""
    growth, ratio, t = least
    count, total, square = sums
    n = np.maximum(count, 1)
    mean = total / n
    variance = np.maximum(square / n - mean**2, 0.0)
    sigma = np.sqrt(variance)
    grows = horizon.scale_mean(mean - variance / 2.0, to=YEAR) > growth
    steady = mean * np.sqrt(horizon.per_year) > ratio * sigma
    # what is the same in each row was made up
    varies = sigma > _ROUNDING * np.abs(mean)
    return np.asarray((count >= _ENOUGH) & varies & grows & steady & (mean * np.sqrt(n) > t * sigma))


def _sums(numbers: Array) -> _Sums:
    """Counts, sums and sums of squares of the columns, without what is missing."""
    gaps = np.isnan(numbers)
    known = np.where(gaps, 0.0, numbers)
    return len(numbers) - gaps.sum(axis=0), known.sum(axis=0), np.einsum("ij,ij->j", known, known)


def _is_multiple(column: Array, rate: Array) -> bool:
    """Whether a column is about a hundred times the rate, date by date."""
    known = ~np.isnan(column)
    mine, free = column[known], rate[known]
    if len(mine) < _ENOUGH or np.ptp(free) == 0 or np.ptp(mine) == 0:
        return False
    ratio = mine.mean() / free.mean() if free.mean() else 0.0
    return bool(np.corrcoef(mine, free)[0, 1] > _WITH_RATE and _HUNDRED[0] < ratio < _HUNDRED[1])


def warn_of_percent(names: pd.Index[Any], numbers: Array, what: str) -> None:
    """Warn of columns that are probably in percent, with both readings."""
    if not len(names):
        return
    size = float(np.nanmedian(np.abs(numbers)))
    warn(
        DoubtfulUnitWarning(
            f"{what} of {labels.listing(names)} typically are {size:.2g} per row, nearly all gains: as decimals, "
            f"{100 * size:.3g} %, more than any asset earns; as percent, {size:.2g} %. If they are in percent, divide "
            "them by 100 (of a file, rm.read_percent_returns).",
            what=what,
            labels=list(names),
        )
    )


def warn_of_options(names: pd.Index[Any], what: str) -> None:
    """Warn of excess returns that typically are large, and lose everything at worst."""
    if not len(names):
        return
    warn(
        DoubtfulUnitWarning(
            f"{what} of {labels.listing(names)} are about -1 at worst, and typically large: as decimals, they lose "
            "everything and go on, as options bought again each time do; in percent, they are of a quiet fund, to be "
            "divided by 100.",
            what=what,
            labels=list(names),
        )
    )


def warn_of_own_scale(names: pd.Index[Any], what: str) -> None:
    """Warn of factors that are on a scale of their own, and were not declared to be."""
    if not len(names):
        return
    warn(
        DoubtfulUnitWarning(
            f"{what} of {labels.listing(names)} are typically beyond 1000 % a day as decimals: they are in basis "
            "points, or on a scale of their own. Divide basis points by 10,000; declare another series with "
            "rm.PublishedFactor(name, tradable=False).",
            what=what,
            labels=list(names),
        )
    )


def warn_of_decimals(table: pd.DataFrame, path: str) -> None:
    """Warn where numbers that were read in percent, and are given in decimals, hardly move: they were decimals."""
    dates = pd.DatetimeIndex(table.index)
    if len(dates) < _ENOUGH:
        return
    gap = float(np.median(np.diff(dates.to_numpy()) / np.timedelta64(1, "D")))
    horizon = Horizon(max(gap / _DAYS_PER_TRADING_DAY, 1.0 / 24.0))
    checks = ReturnChecks.start(ReadInPercent(), horizon, table.columns, dates).update(table.to_numpy(), dates)
    try:
        checks.finish()
    except PercentReturnsError as error:
        warn(
            DoubtfulUnitWarning(
                f"{path} is read in percent, and {labels.listing(error.details['labels'])} typically vary by less than "
                "1 % a year then; if its numbers are decimals, a volatility is a hundred times as large: read it with "
                "rm.read_returns.",
                path=path,
                labels=error.details["labels"],
            )
        )
