"""Returns that look like mistakes: a price that was wrong for a day, a split that was not applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel._core.callers import warn
from riskmodel.errors import SuspectReturnWarning

# On the day of a split a price moves by no more than this besides.
_SPLIT_DAY = 0.03
# Log returns beyond this are looked at, -30 % and +42 %; of few columns, where it costs little, smaller ones too.
_JUMP, _JUMP_OF_FEW, _FEW = 0.35, 0.04, 64
# Robust standard deviations from which a jump is suspect: alone, of a split's ratio, and where the price comes back.
_ALONE, _SPLIT, _BACK = 25.0, 15.0, 15.0
# A jump that is suspect alone is this large.
_LARGE = 0.4
# A price that comes back does so within so many returns, to so many standard deviations.
_SOON, _NEAR = 5, 3.0
# The standard deviation is the larger of that of all returns and that of so many on either side: crises last.
_AROUND = 30
# Fewer returns tell no standard deviation.
_ENOUGH = 20
# The largest of at least so many other returns stands for the standard deviation then, and a jump that is suspect is so
# many times as large: alone, and of a split's ratio or where the price comes back.
_SOME, _ALONE_OF_FEW, _OF_FEW = 3, 15.0, 8.0
# Log returns beyond this are suspect wherever no standard deviation is known: 30 times a price, or a thirtieth of it.
BEYOND_REASON = 3.4
# Securities that end worthless have such a last return.
_WORTHLESS = -0.9998
# Standard deviation of normal numbers over the median of their absolute deviations from the median.
_NORMAL = 1.4826
_RATIOS = np.array([2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100, 1000], dtype=np.float64)
_LEAST_GROWTH = 1e-5
# Suspects that a message lists.
_LISTED = 5


@final
@frozen
class Suspect:
    """One return that looks like a mistake, and why; `size` orders them."""

    label: Any
    date: pd.Timestamp
    value: float
    reason: str
    size: float


def suspects(numbers: Array, dates: pd.DatetimeIndex, names: pd.Index[Any], low: Array, high: Array) -> list[Suspect]:
    """Find suspect returns, dates × assets; only assets whose extremes, `low` and `high`, are large are looked at."""
    jump = _JUMP_OF_FEW if len(names) <= _FEW else _JUMP
    large = np.flatnonzero((low < np.expm1(-jump)) | ((high > np.expm1(jump)) & np.isfinite(high)))
    return [suspect for j in large for suspect in _in_column(numbers[:, j], dates, names[int(j)], jump)]


def _in_column(values: Array, dates: pd.DatetimeIndex, label: Any, jump: float) -> Iterator[Suspect]:
    rows = np.flatnonzero(~np.isnan(values))
    growth = np.log(np.maximum(1.0 + values[rows], _LEAST_GROWTH))
    all_sigma = _sigma(growth)
    last = len(rows) - 1
    for i in np.flatnonzero(np.abs(growth) > max(jump, _BACK * all_sigma if jump < _JUMP else jump)):
        has_ended = rows[last] < len(values) - 1 or values[rows[last]] <= _WORTHLESS
        # securities that end lose much with their last return
        if i == last and growth[i] < 0 and has_ended:
            continue
        around = np.concatenate([growth[max(0, i - _AROUND) : i], growth[i + 1 : i + 1 + _AROUND]])
        sigma = max(all_sigma, _sigma(around))
        reason = _reason(growth, int(i), sigma) if 0 < sigma < np.inf else _reason_of_few(growth, int(i))
        if reason is not None:
            size = float(np.abs(growth[i]) / (sigma or _LEAST_GROWTH))
            yield Suspect(label, dates[rows[i]], float(values[rows[i]]), reason, size)


def _sigma(growth: Array) -> float:
    """Robust standard deviation; returns of zero, of days without a trade, are left out."""
    moved = growth[growth != 0]
    if len(moved) < _ENOUGH:
        return 0.0
    return float(_NORMAL * np.median(np.abs(moved - np.median(moved))))


def _reason(growth: Array, i: int, sigma: float) -> str | None:
    size = abs(growth[i]) / sigma
    # forwards from the wrong price, and backwards from the right one
    neighbours = growth[i + 1 : i + 1 + _SOON], growth[max(0, i - _SOON) : i][::-1]
    if size > _BACK and any(_comes_back(float(growth[i]), near, sigma) for near in neighbours):
        return "the price comes back"
    ratio = split_ratio(float(growth[i]), min(_NEAR * sigma, _SPLIT_DAY))
    if size > _SPLIT and ratio is not None:
        return ratio
    far = size > _ALONE and abs(np.expm1(growth[i])) > _LARGE
    return f"{size:.0f} robust standard deviations" if far else None


def _comes_back(jump: float, near: Array, sigma: float) -> bool:
    undone = (np.abs(jump + np.cumsum(near)) < _NEAR * sigma) & (np.abs(near) > _BACK * sigma)
    return bool(undone.any())


def _reason_of_few(growth: Array, i: int) -> str | None:
    """Judge a jump by the largest of few other returns, or by itself where there are none."""
    size = float(abs(growth[i]))
    for j in range(max(0, i - _SOON), min(len(growth), i + _SOON + 1)):
        scale = _largest_without(growth, [i, j])
        there_and_back = growth[min(i, j) : max(i, j) + 1].sum()
        if j != i and min(size, abs(growth[j])) > _OF_FEW * scale > 0 and abs(there_and_back) < _NEAR * scale:
            return "the price comes back"
    scale = _largest_without(growth, [i])
    ratio = split_ratio(float(growth[i]), min(_NEAR * scale, _SPLIT_DAY))
    if ratio is not None and size > _OF_FEW * scale > 0:
        return ratio
    if size > _ALONE_OF_FEW * scale > 0 and abs(np.expm1(growth[i])) > _LARGE:
        return f"{size / scale:.0f} times the largest other return"
    return beyond_reason(float(growth[i]))


def _largest_without(growth: Array, left_out: list[int]) -> float:
    """Return the largest size of the other returns; 0 where they are fewer than some, zeros left out."""
    others = np.abs(np.delete(growth, left_out))
    others = others[others > 0]
    return float(others.max()) if len(others) >= _SOME else 0.0


def beyond_reason(growth: float) -> str | None:
    """Say of a log return that no price moves so much within a row."""
    return f"a price {np.exp(growth):.3g} times the one before" if abs(growth) > BEYOND_REASON else None


def split_ratio(growth: float, tolerance: float) -> str | None:
    """Say which split a log return looks like, if any."""
    away = np.abs(abs(growth) - np.log(_RATIOS))
    k = int(away.argmin())
    if away[k] > tolerance:
        return None
    ratio = f"{_RATIOS[k]:g}:1" if growth < 0 else f"1:{_RATIOS[k]:g}"
    return f"looks like a split of {ratio}, or a unit of {_RATIOS[k]:g}, that was not applied"


def warn_of(found: Sequence[Suspect], what: str) -> None:
    """Warn of suspect returns: the worst few, and the number of the others."""
    if not found:
        return
    worst = sorted(found, key=lambda s: -s.size)
    listed = "; ".join(f"{s.label} on {s.date.date()}: {s.value:+.4g} ({s.reason})" for s in worst[:_LISTED])
    more = f"; and {len(worst) - _LISTED} more" if len(worst) > _LISTED else ""
    warn(
        SuspectReturnWarning(
            f"{what}: {len(worst)} look like errors of the data: {listed}{more}; correct what is wrong, or "
            "set it to NaN, and keep what is right; details of the warning list all.",
            what=what,
            labels=[s.label for s in worst],
            dates=[s.date for s in worst],
            returns=[s.value for s in worst],
            reasons=[s.reason for s in worst],
        )
    )
