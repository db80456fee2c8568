"""Checks of returns: percent, levels, codes, losses of more than everything."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel._core.frames import ReturnFrame
from riskmodel.errors import (
    ImpossibleReturnsError,
    PercentReturnsError,
)
from riskmodel.horizon import YEAR, Horizon

# A typical (median) move beyond this per √day is no return in decimals; in percent it is an everyday one.
PLAINLY_PERCENT = 0.2
# Beyond this a factor is no return in percent either, but something on a scale of its own.
_NOT_PERCENT = 20.0
_ROWS_LOOKED_AT = 256
# Prices and gross returns, which are never negative, are told from returns by a typical size from here on...
PLAINLY_LEVEL = 0.5
# ... among so many values, of which some returns would have been negative.
ENOUGH_SIGNS = 20
# A risk-free rate beyond these is no decimal: typically, and at its highest, where years near zero hide the unit.
_TYPICAL_RATE, _HIGH_RATE, _HIGH = 0.3, 1.0, 0.99


def rows_looked_at(n: int) -> slice:
    """Which of n rows, in order of their dates, tell a column's typical size."""
    return slice(None, None, max(1, n // _ROWS_LOOKED_AT))


def doubtful_size(horizon: Horizon) -> float:
    """The least typical size at which a column of asset returns may be refused as no returns in decimals."""
    return min(PLAINLY_LEVEL, PLAINLY_PERCENT * float(np.sqrt(horizon.days)))


def _typical(table: ReturnFrame) -> Array:
    """The median size of the non-zero entries of each column, over rows spread through the table."""
    sizes = np.abs(table.numbers[rows_looked_at(len(table.numbers))])
    sizes[sizes == 0] = np.nan
    seen = np.isfinite(sizes).any(axis=0)
    medians = np.zeros(sizes.shape[1])
    medians[seen] = np.nanmedian(sizes[:, seen], axis=0)
    return medians


def require_decimals(assets: ReturnFrame, factors: ReturnFrame, free: ReturnFrame, horizon: Horizon) -> None:
    root = float(np.sqrt(horizon.days))
    for table, what, ceiling in (
        (assets, "asset returns", np.inf),
        (factors, "factor returns", _NOT_PERCENT),
    ):
        sizes = _typical(table)
        _require_no_levels(table, what, sizes, root)
        typical = sizes / root
        percent = (typical > PLAINLY_PERCENT) & (typical <= ceiling)
        if percent.any():
            raise _in_percent(what, table, percent, float(sizes[percent].max()), horizon)
    require_plausible_rate(free, horizon)
    require_possible(assets)


def _require_no_levels(table: ReturnFrame, what: str, typical: Array, root: float) -> None:
    """Raise for columns that are plainly no returns and never negative: something one takes changes of."""
    positive = (table.numbers > 0).sum(axis=0)
    level = (typical >= min(PLAINLY_LEVEL, PLAINLY_PERCENT * root)) & (positive >= ENOUGH_SIGNS)
    level &= ~(table.numbers < 0).any(axis=0)
    if level.any():
        names = table.labels[level]
        raise ImpossibleReturnsError(
            f"{what} must be simple returns, but {labels.listing(names)} is never negative and typically "
            f"{float(typical[level].max()):.4g}, which looks like prices or index levels (pass .pct_change()) or "
            "gross returns (subtract 1).",
            labels=list(names),
        )


def require_plausible_rate(free: ReturnFrame, horizon: Horizon) -> None:
    """Raise where a risk-free rate is in percent or stated for a longer span than the horizon."""
    sizes = np.abs(free.numbers[np.isfinite(free.numbers)])
    if not sizes.size:
        return
    high = float(np.quantile(sizes, _HIGH, method="higher"))
    for rate, ceiling, which in ((float(_typical(free)[0]), _TYPICAL_RATE, "typical"), (high, _HIGH_RATE, "high")):
        yearly = horizon.scale_mean(rate, to=YEAR)
        if yearly > ceiling:
            raise PercentReturnsError(
                f"the risk-free rate must be in decimals per {horizon}, but a {which} value is {rate:.3g}, which "
                f"makes {100 * yearly:.0f} % a year: it is in percent (divide by 100) or stated for a longer span "
                f"(rm.YEAR.scale_mean(rate, to=rm.{horizon!r}) brings a yearly one here).",
                labels=list(free.labels),
            )


def _in_percent(
    what: str, table: ReturnFrame, percent: NDArray[np.bool_], typical: float, horizon: Horizon
) -> PercentReturnsError:
    names = table.labels[percent]
    # of a few rows, prices and percent of good days look alike
    negative = (table.numbers[:, percent] < 0).any()
    advice = (
        "is plainly percent; divide by 100"
        if negative
        else "with none negative is prices (pass .pct_change()), gross returns (subtract 1) or percent (divide by 100)"
    )
    return PercentReturnsError(
        f"{what} must be in decimals (0.01 is one percent), but a typical value of {labels.listing(names)} is "
        f"{typical:.3g} per {horizon}, which {advice}.",
        labels=list(names),
    )


def require_possible(assets: ReturnFrame) -> None:
    """Raise for returns below -100 %, and for -100 % where another return of the asset follows."""
    lost = assets.numbers <= -1.0
    if lost.any():
        lost &= ~_ended_worthless(assets.numbers, lost)
    if lost.any():
        row, column = np.argwhere(lost)[0]
        raise ImpossibleReturnsError(
            f"a simple return cannot be below -100 %, nor -100 % but for the last of a security that ended worthless; "
            f"{int(lost.sum())} are, first {assets.labels[column]} on {assets.dates[row].date()} "
            f"({assets.numbers[row, column]:.4g}); are these percent, log returns or prices?",
            label=assets.labels[column],
            date=assets.dates[row],
        )


def _ended_worthless(returns: Array, lost: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a return of exactly -100 % is a security's last, as that of a bankrupt company is."""
    rows, columns = np.nonzero(lost)
    last = [returns[r, c] == -1.0 and np.isnan(returns[r + 1 :, c]).all() for r, c in zip(rows, columns, strict=True)]
    ended = np.zeros_like(lost)
    ended[rows, columns] = last
    return ended
