"""Whether asset returns are total or in excess of the risk-free rate already."""

from __future__ import annotations

from enum import Enum
from typing import Any, final

from riskmodel._core.kinds import ASSET_RETURNS, EXCESS_RETURNS, AssetReturns
from riskmodel.errors import InvalidParameterError


@final
class ReturnType(Enum):
    """What the returns of assets are: ``rm.TOTAL``, or ``rm.EXCESS`` of the risk-free rate already.

    From total returns a panel subtracts the rate; excess returns it takes as they are. Either way it keeps the rate,
    which total expected returns need. Excess returns are of positions that are financed anew in each row, such as
    options bought each month: they may be -100 % or less, and go on. Factor returns are never changed: those of a
    funded factor are excess returns.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.SampleData().panel(["MSFT"], ["Mkt-RF"]).return_type
    TOTAL
    """

    TOTAL = "total"
    EXCESS = "excess"

    def __repr__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.value


TOTAL, EXCESS = ReturnType.TOTAL, ReturnType.EXCESS


def kind_of(return_type: ReturnType) -> AssetReturns:
    """Return what the numbers of assets with such returns must be like."""
    return EXCESS_RETURNS if return_type is EXCESS else ASSET_RETURNS


def require_return_type(value: Any, whose: str = "return_type") -> ReturnType:
    """Return a `ReturnType`, or raise for anything else."""
    if not isinstance(value, ReturnType):
        raise InvalidParameterError(f"expected {whose} as rm.TOTAL or rm.EXCESS, got {value!r}.", got=value)
    return value
