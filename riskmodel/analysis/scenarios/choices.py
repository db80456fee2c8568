"""Choices of scenarios: the unit of shocks, and what becomes of factors without one."""

from __future__ import annotations

from enum import Enum
from typing import final


@final
class ShockUnit(Enum):
    """What shocks are measured in: ``rm.DECIMALS`` (-0.2 is -20 %) or ``rm.STANDARD_DEVIATIONS``.

    The standard deviations are the model's, over the scenario's horizon.
    """

    DECIMALS = "decimals"
    STANDARD_DEVIATIONS = "standard deviations"

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.value


@final
class Unshocked(Enum):
    """What becomes of factors without a shock.

    ``rm.EXPECTED``: they move as they are expected to, given the shocks and the model's covariance ([1]_, equation 3).
    ``rm.UNMOVED``: they stay where they are.

    References
    ----------
    .. [1] Kupiec, P. H. (1998). Stress Testing in a Value at Risk Framework. *Journal of Derivatives* 6(1), 7-24.
    """

    EXPECTED = "expected"
    UNMOVED = "unmoved"

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.value


DECIMALS, STANDARD_DEVIATIONS = ShockUnit.DECIMALS, ShockUnit.STANDARD_DEVIATIONS
EXPECTED, UNMOVED = Unshocked.EXPECTED, Unshocked.UNMOVED
