"""Weights of estimators in a mixture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from attrs import Attribute

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_finite
from riskmodel.errors import InvalidParameterError

_ROUNDING = 1e-9


def read_list(values: Iterable[Any]) -> tuple[Any, ...]:
    """Return a sequence as a tuple (an attrs converter)."""
    return tuple(labels.require_list(values, "a mixture"))


def require_each(kind: Any, example: str) -> Any:
    """Return an attrs validator that raises unless a field has one member or more, all of a kind."""

    def check(_: Any, attribute: Attribute[Any], values: tuple[Any, ...]) -> None:
        if not values:
            raise InvalidParameterError(
                f"expected {attribute.name}, got none; pass some, such as {example}.", parameter=attribute.name
            )
        for value in values:
            require(value, kind, attribute.name, f"such as {example}")

    return check


def require_shares_of(members: str) -> Any:
    """Return an attrs validator that raises unless weights are one for each of a field, 0 or more, of sum 1."""

    def check(self: Any, attribute: Attribute[Any], weights: tuple[Any, ...]) -> None:
        values, number = [require_finite(w, attribute.name) for w in weights], len(getattr(self, members))
        if len(values) != number or min(values) < 0 or abs(float(np.sum(values)) - 1.0) > _ROUNDING:
            raise InvalidParameterError(
                f"expected {number} weights of 0 or more whose sum is 1, got {weights!r}.",
                parameter=attribute.name,
                expected=number,
                got=weights,
            )

    return check
