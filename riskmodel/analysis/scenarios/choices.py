"""Choices of scenarios: the unit of shocks, and what becomes of factors without one."""

from __future__ import annotations

from enum import Enum
from typing import final


@final
class ShockUnit(Enum):
    """What shocks are measured in: ``rm.DECIMALS`` (-0.2 is -20 %) or ``rm.STANDARD_DEVIATIONS``.

    The standard deviations are the model's, over the scenario's horizon.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> drop = rm.Shocks("three standard deviations", {"Mkt-RF": -3.0}, unit=rm.STANDARD_DEVIATIONS)
    >>> volatility = float(model.factor_covariance.loc["Mkt-RF", "Mkt-RF"]) ** 0.5
    >>> round(drop.of(held).pnl, 4), round(-3.0 * held.exposures["Mkt-RF"] * volatility, 4).item()
    (-0.0454, -0.0454)
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

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF", "SMB"])
    >>> held = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(panel))
    >>> for rest in (rm.EXPECTED, rm.UNMOVED):
    ...     outcome = rm.Shocks("market", {"Mkt-RF": -0.1}, unshocked=rest).of(held)
    ...     print(rest, outcome.by_factor["pnl"].round(3).to_dict())
    expected {'Mkt-RF': -0.121, 'SMB': -0.004, 'idio': 0.0}
    unmoved {'Mkt-RF': -0.121, 'SMB': 0.0, 'idio': 0.0}
    """

    EXPECTED = "expected"
    UNMOVED = "unmoved"

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.value


DECIMALS, STANDARD_DEVIATIONS = ShockUnit.DECIMALS, ShockUnit.STANDARD_DEVIATIONS
EXPECTED, UNMOVED = Unshocked.EXPECTED, Unshocked.UNMOVED
