"""Checks of the amounts, horizons and panels of limits and budgets (validators of attrs)."""

from __future__ import annotations

import math
from typing import Any

from riskmodel._core.arguments import require, require_count, require_share, shown
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import Horizon, is_number, require_same
from riskmodel.panel.memory import ReturnPanel
from riskmodel.quantities import Quantity, Volatility


def positive_dollars(self: Any, attribute: Any, value: Any) -> None:
    """Raise unless this is a positive number of dollars, or a volatility at the horizon of its limit."""
    if not is_number(value) or not 0 < float(value) < math.inf:
        raise InvalidParameterError(
            f"expected {attribute.alias} as a positive, finite number of dollars, got {shown(value)}.",
            parameter=attribute.alias,
            got=value,
        )
    if isinstance(value, Quantity):
        if not hasattr(self, "horizon"):
            raise InvalidParameterError(
                f"expected {attribute.alias} as a plain number, as this limit has no horizon, got {value!r}; write "
                f"float(...).",
                parameter=attribute.alias,
                got=value,
            )
        if not isinstance(value, Volatility):
            raise InvalidParameterError(
                f"expected {attribute.alias} as a Volatility or a plain number, got {value!r}.",
                parameter=attribute.alias,
                got=value,
            )
        require_same(value.horizon, self.horizon, f"{attribute.alias} and the horizon of its limit")


def is_horizon(_self: Any, _attribute: Any, value: Any) -> None:
    """Raise unless this is a horizon."""
    if not isinstance(value, Horizon):
        raise InvalidParameterError(
            f"expected horizon as a Horizon such as rm.MONTH, got {value!r}.", parameter="horizon", got=value
        )


def is_panel(_self: Any, _attribute: Any, value: Any) -> None:
    """Raise unless this is a panel in memory."""
    require(value, ReturnPanel, "panel", "of a panel on disk or a cluster, take select(...)")


def positive_share(_self: Any, attribute: Any, value: Any) -> None:
    """Raise unless this is a share above 0, up to 1."""
    if not require_share(value, attribute.alias):
        raise InvalidParameterError(
            f"expected {attribute.alias} as a share above 0, got {shown(value)}.", parameter=attribute.alias, got=value
        )


def positive_count(_self: Any, attribute: Any, value: Any) -> None:
    """Raise unless this is a whole number of one or more."""
    require_count(value, attribute.alias, least=1)
