"""Panels whose asset returns lie outside memory, beside a calendar of dates, factors and rates in it."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, final

import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.dates import between
from riskmodel._core.frames import ReturnFrame, constant_rate
from riskmodel._core.kinds import FACTOR_RETURNS
from riskmodel.errors import InvalidParameterError, UnknownFactorError
from riskmodel.horizon import Horizon, require_horizon
from riskmodel.panel.base import Panel
from riskmodel.panel.factors import Factor, PublishedFactor
from riskmodel.panel.funding import FUNDED, SELF_FINANCING
from riskmodel.panel.memory import ReturnPanel
from riskmodel.panel.return_type import ReturnType, require_return_type
from riskmodel.panel.unmatched import COMPOUND, LeftOut, Unmatched, require_unmatched, warn_of_rows


@frozen(eq=False, repr=False)
class CalendarPanel(Panel):
    """Asset returns outside memory, beside factor returns and rates in it (abstract: `StoredPanel`, `DaskPanel`)."""

    _calendar: ReturnPanel  # of the aligned dates; its one asset stands for all

    @property
    def dates(self) -> pd.DatetimeIndex:
        """T dates, increasing."""
        return self._calendar.dates

    @property
    def factors(self) -> pd.Index[Any]:
        """K labels."""
        return self._calendar.factors

    @property
    def factor_returns(self) -> pd.DataFrame:
        """Factor returns, dates × factors, decimals per `horizon`."""
        return self._calendar.factor_returns

    @property
    def risk_free(self) -> pd.Series[float]:
        """Risk-free rate by date, decimals per `horizon`."""
        return self._calendar.risk_free

    @property
    def horizon(self) -> Horizon:
        """What one row spans."""
        return self._calendar.horizon

    @property
    def _zone_of_rows(self) -> str | None:
        return self._calendar._zone_of_rows

    @property
    def return_type(self) -> ReturnType:
        """What the asset returns are, outside memory: total, or in excess of the risk-free rate."""
        return self._calendar.return_type

    @property
    def definitions(self) -> tuple[Factor, ...]:
        """What each factor is, in the order of `factors`."""
        return self._calendar.definitions

    @property
    def dropped(self) -> pd.DataFrame:
        """The dates that alignment left out, and why: columns ``date`` and ``reason``."""
        return self._calendar.dropped

    def _describe(self, where: str) -> str:
        aligned = repr(self._calendar).removeprefix("<ReturnPanel ").removesuffix(">")
        return f"<{type(self).__name__} {aligned.replace('1 assets', f'{len(self.assets)} assets')}, {where}>"


@final
@frozen(eq=False)
class CalendarSeries:
    """What lies in memory beside asset returns that do not, as the caller gave it; see `StoredPanel`."""

    factors: Any
    risk_free: Any
    horizon: Horizon = field(converter=require_horizon)
    funded: Sequence[Any] | None
    return_type: ReturnType = field(converter=require_return_type)
    unmatched: Unmatched = field(converter=require_unmatched)

    def align(self, days: pd.DatetimeIndex) -> ReturnPanel:
        """Align the dates of asset returns with factors and rate: a panel of one asset, which stands for all."""
        if self.unmatched is COMPOUND:
            raise InvalidParameterError(
                "expected unmatched=rm.DROP for returns outside memory, which are not compounded while they are read, "
                "got rm.COMPOUND; read them into memory, as rm.InMemory(rm.read_returns(path), ...) does.",
                unmatched=self.unmatched,
            )
        rate = self.risk_free
        if isinstance(rate, Real):
            rate = constant_rate(rate, self.horizon, days)
        published: Any = pd.DataFrame(index=days) if self.factors is None else self.factors
        published = ReturnFrame.read(published, FACTOR_RETURNS, self.horizon)
        calendar = ReturnPanel.align(
            pd.DataFrame(0.0, days, ["all"]),
            published,
            rate,
            horizon=self.horizon,
            definitions=_definitions(published.labels, self.funded),
            return_type=self.return_type,
        )
        return _with_unknown_growth(calendar, days)


def _definitions(factors: pd.Index[Any], funded: Sequence[Any] | None) -> list[Factor]:
    if funded is None:
        return [PublishedFactor(f) for f in factors]
    costly = labels.unique(funded, "funded")
    labels.positions(costly, factors, "factor", UnknownFactorError)
    return [PublishedFactor(f, FUNDED if f in costly else SELF_FINANCING) for f in factors]


def _with_unknown_growth(calendar: ReturnPanel, days: pd.DatetimeIndex) -> ReturnPanel:
    """Note the rows inside the panel that are left out, whose returns are not known; warn where they are many."""
    lost = days[between(days, calendar.dates[0], calendar.dates[-1]) & ~days.isin(calendar.dates)].sort_values()
    warn_of_rows(len(lost), len(calendar.dates))
    return evolve(calendar, left_out=LeftOut(lost, None) if len(lost) else None)
