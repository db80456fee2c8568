"""What is known of the tail of a portfolio's return."""

from __future__ import annotations

from typing import Protocol

import pandas as pd
from attrs import frozen


@frozen
class Ends:
    """A standard error, and the ends of an interval.

    Attributes
    ----------
    std_error, low, high : float
        NaN where they are not known; infinite ends where there are too few observations to say.
    """

    std_error: float
    low: float
    high: float


class Tail(Protocol):
    """The tail of a portfolio's return at a level and a horizon, per dollar of strategy; losses are positive."""

    @property
    def value_at_risk(self) -> float:
        """The loss that is exceeded with probability 1 - level."""

    @property
    def expected_shortfall(self) -> float:
        """The mean of the losses in the worst 1 - level."""

    @property
    def by_factor(self) -> pd.DataFrame:
        """Euler contributions by factor and idio, columns ``value_at_risk`` and ``expected_shortfall``."""

    @property
    def by_asset(self) -> pd.DataFrame:
        """Euler contributions by holding, the same columns."""

    def ends(self, confidence: float) -> tuple[Ends, Ends]:
        """Return standard errors and intervals of the two figures."""

    def probability(self, value: float) -> float:
        """Return the probability of a return of at most a value."""
