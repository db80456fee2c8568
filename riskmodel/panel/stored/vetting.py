"""Returns are looked at as they are read: what no return can be is told, as it is of those in memory."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import define

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Flags, Index
from riskmodel._core.checks import ENOUGH_SIGNS, PLAINLY_PERCENT, doubtful_size, require_possible
from riskmodel._core.frames import LARGEST, ReturnFrame, require_finite
from riskmodel.errors import ImpossibleReturnsError, PercentReturnsError
from riskmodel.horizon import Horizon

_WHAT = "asset returns"
# Sizes are judged by so many rows, spread over all...
_ROWS_LOOKED_AT = 2_048
# ... and after so many it is told what holds of most assets, because the rest may take an hour.
_EARLY = 64


@final
@define(eq=False)
class Vetting:
    """What is seen of some assets' returns, block by block.

    An asset is refused by the sizes of its returns where they are at least `ENOUGH_SIGNS`; where the rows are fewer,
    assets are refused together, if it is most of them.
    """

    assets: pd.Index[Any]
    horizon: Horizon
    step: int
    seen: Index  # of each asset, values other than zero among the rows looked at
    percent: Index  # ... those too large for decimals
    level: Index  # ... those as large as prices are
    negative: Index
    lost: Flags  # the assets that ended worthless
    rows: int = 0
    looked_at: int = 0

    @classmethod
    def of(cls, assets: pd.Index[Any], horizon: Horizon, rows: int) -> Self:
        """Start before the first of so many rows."""
        seen, percent, level, negative = np.zeros((4, len(assets)), dtype=np.int64)
        lost = np.zeros(len(assets), dtype=bool)
        return cls(assets, horizon, max(1, rows // _ROWS_LOOKED_AT), seen, percent, level, negative, lost)

    def see(self, dates: pd.DatetimeIndex, block: Array) -> None:
        """Look at the next rows.

        Raises
        ------
        InfiniteReturnsError, ImpossibleReturnsError
            For a value that is no return.
        PercentReturnsError
            Where most assets are plainly no returns in decimals.
        """
        lowest = np.fmin.reduce(block, axis=None)
        if max(-lowest, np.fmax.reduce(block, axis=None)) > LARGEST:
            require_finite(block, dates, self.assets, _WHAT)
        before = self.looked_at
        self._count(block[-self.rows % self.step :: self.step])
        self.rows += len(block)
        self._require_alive(dates, block)
        if lowest <= -1.0:
            self._require_possible(dates, block)
        if before < _EARLY <= self.looked_at:
            self._refuse_most(*self._implausible())

    def judge(self) -> None:
        """Look back, after the last row.

        Raises
        ------
        PercentReturnsError, ImpossibleReturnsError
            For an asset whose returns are plainly percent, prices or gross returns.
        """
        level, percent = self._implausible()
        if self.looked_at < ENOUGH_SIGNS:
            self._refuse_most(level, percent)
        else:
            enough = self.seen >= ENOUGH_SIGNS
            self._refuse(level & enough, percent & enough)

    def _require_alive(self, dates: pd.DatetimeIndex, block: Array) -> None:
        again = np.flatnonzero(self.lost)
        after = ~np.isnan(block[:, again])
        if after.any():
            row, i = np.argwhere(after)[0]
            name = self.assets[again[i]]
            raise ImpossibleReturnsError(
                f"a simple return cannot be -100 % but for the last of a security that ended worthless; {name} lost "
                f"all of its value before {dates[row].date()} and has a return on that date.",
                label=name,
                date=dates[row],
            )

    def _require_possible(self, dates: pd.DatetimeIndex, block: Array) -> None:
        try:
            require_possible(ReturnFrame(dates, self.assets, block))
        except ImpossibleReturnsError:
            self.judge()  # says more where the returns are percent
            raise
        self.lost |= (block == -1.0).any(axis=0)

    def _count(self, rows: Array) -> None:
        sizes, root = np.abs(rows), float(np.sqrt(self.horizon.days))
        self.seen += (sizes > 0).sum(axis=0)
        self.percent += (sizes > PLAINLY_PERCENT * root).sum(axis=0)
        self.level += (sizes >= doubtful_size(self.horizon)).sum(axis=0)
        self.negative += (rows < 0).sum(axis=0)
        self.looked_at += len(rows)

    def _implausible(self) -> tuple[Flags, Flags]:
        """Which assets are, by the median, as large as prices and never negative, and which others as percent."""
        level = (2 * self.level > self.seen) & (self.negative == 0) & (self.seen >= ENOUGH_SIGNS)
        return level, (2 * self.percent > self.seen) & ~level

    def _refuse_most(self, level: Flags, percent: Flags) -> None:
        if 2 * int((level | percent).sum()) > int((self.seen > 0).sum()):
            self._refuse(level, percent)

    def _refuse(self, level: Flags, percent: Flags) -> None:
        if level.any():
            why = "is never negative and typically as large as prices, index levels or gross returns"
            raise self._error(ImpossibleReturnsError, level, f"{why}; store simple returns")
        if percent.any():
            size = f"{PLAINLY_PERCENT * np.sqrt(self.horizon.days):.2g} per {self.horizon}"
            why = f"is more often than not beyond {size}, which is percent or prices"
            raise self._error(PercentReturnsError, percent, f"{why}; store simple returns, divided by 100")

    def _error(
        self, kind: type[ImpossibleReturnsError | PercentReturnsError], which: Flags, why: str
    ) -> ImpossibleReturnsError | PercentReturnsError:
        names = self.assets[which]
        return kind(
            f"{_WHAT} must be simple returns in decimals (0.01 is one percent), but {labels.listing(names)} {why}.",
            labels=list(names),
        )
