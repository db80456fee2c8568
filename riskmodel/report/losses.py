"""What may be lost: value at risk, expected shortfall, and scenarios."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from functools import cached_property
from typing import Any, final

import pandas as pd
from attrs import frozen

from riskmodel.analysis.scenarios.scenarios import Scenarios
from riskmodel.analysis.tails.base import TailMethod
from riskmodel.analysis.tails.filtered import FilteredHistoricalSimulation
from riskmodel.analysis.tails.historical import HistoricalSimulation
from riskmodel.analysis.tails.normal import NormalTails
from riskmodel.errors import (
    DataError,
    EstimationError,
    InvalidParameterError,
    MissingDatesWarning,
    NotEstimatedError,
    UnknownAssetError,
)
from riskmodel.horizon import WEEK
from riskmodel.inference.interval import Interval
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.portfolio import Portfolio
from riskmodel.portfolio.position import Position

TAIL_LEVEL = 0.99
# What a panel or a model may lack for one of these figures.
_LACKING = (InvalidParameterError, EstimationError, NotEstimatedError, UnknownAssetError, DataError)
# The first is the headline. Volatility of longer rows is not known from those just before.
_OF_SHORT_ROWS: dict[str, TailMethod] = {"filtered": FilteredHistoricalSimulation()}
_METHODS: dict[str, TailMethod] = {"historical": HistoricalSimulation(), "normal": NormalTails()}


@final
@frozen(eq=False)
class Losses:
    """Tails and scenarios of a position in dollars, or of a portfolio in returns; `lacking` says what is not known."""

    holding: Position | Portfolio
    panel: ReturnPanel
    level: float  # of intervals

    @property
    def _portfolio(self) -> Portfolio:
        return self.holding.portfolio if isinstance(self.holding, Position) else self.holding

    @property
    def _methods(self) -> dict[str, TailMethod]:
        return _OF_SHORT_ROWS | _METHODS if self.panel.horizon.days <= WEEK.days else _METHODS

    @cached_property
    def _by_method(self) -> dict[str, tuple[Interval, Interval] | str]:
        """Value at risk and expected shortfall by method, or why they are not known."""
        found: dict[str, tuple[Interval, Interval] | str] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingDatesWarning)  # `lacking` says it
            for name, method in self._methods.items():
                try:
                    found[name] = method.of(self.holding, self.panel, TAIL_LEVEL).intervals(self.level)
                except _LACKING as error:
                    found[name] = str(error)
        return found

    @property
    def lacking(self) -> Iterator[str]:
        """What tails are not known and why, and what those that are known leave out."""
        for name, found in self._by_method.items():
            if isinstance(found, str):
                yield f"No {name} value at risk: {found}"
        known = self._portfolio.excess_returns(self.panel).notna()
        if not known.all() and "historical" in self.tails.index:
            yield (
                f"Value at risk of past returns is of the {known.sum():,} of {len(known):,} dates on which all that is "
                "held has a return."
            )

    @cached_property
    def tails(self) -> pd.DataFrame:
        """By method: value at risk and expected shortfall over one row of the panel, with ends of intervals."""
        rows = {}
        for name, found in self._by_method.items():
            if not isinstance(found, str):
                at_risk, shortfall = found
                rows[name] = {
                    "value_at_risk": at_risk.estimate,
                    "low": at_risk.low,
                    "high": at_risk.high,
                    "expected_shortfall": shortfall.estimate,
                    "shortfall_low": shortfall.low,
                    "shortfall_high": shortfall.high,
                }
        columns = ["value_at_risk", "low", "high", "expected_shortfall", "shortfall_low", "shortfall_high"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("method")

    @cached_property
    def scenarios(self) -> pd.DataFrame:
        """By scenario: ``pnl``, its ``volatility``, the ends of its range, and the ``horizon`` that it spans.

        Episodes of the past that the panel has as a whole, and each factor three standard deviations to the side that
        loses.
        """
        rows = {}
        for outcome in self._outcomes():
            low, high = outcome.interval(self.level)
            rows[outcome.name] = [outcome.pnl, float(outcome.volatility), low, high, str(outcome.horizon)]
        columns = ["pnl", "volatility", "low", "high", "horizon"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("scenario")

    def _outcomes(self) -> Iterator[Any]:
        with contextlib.suppress(*_LACKING):
            yield from Scenarios.historical(self.panel).of(self.holding).values()
        with contextlib.suppress(*_LACKING):
            yield from Scenarios.against(self._portfolio).of(self.holding).values()
