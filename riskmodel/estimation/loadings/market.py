"""Which factor is the market, for adjustments of betas on it."""

from __future__ import annotations

from typing import Any

import pandas as pd
from attrs import Attribute

from riskmodel._core import labels
from riskmodel.errors import InvalidParameterError, UnknownFactorError


def require_factor_label(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """Raise unless a field is a label or None (an attrs validator)."""
    if value is not None:
        labels.require_label(value, attribute.name)


def market_position(factor: Any, factors: pd.Index[Any]) -> int:
    """The position of the market: the factor named, or the only one.

    Raises
    ------
    InvalidParameterError
        If there are several factors and none is named.
    UnknownFactorError
        If the factor named is not among them.
    """
    if factor is None and len(factors) != 1:
        raise InvalidParameterError(
            f"expected a single factor, got {labels.listing(factors)}; say which is the market, with factor=.",
            factors=list(factors),
        )
    name = factors[0] if factor is None else factor
    return int(labels.positions([name], factors, "factor", UnknownFactorError)[0])
