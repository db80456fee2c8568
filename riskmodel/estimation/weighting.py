"""Weights of dates, and means and variances with them; parts of risk models share these."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from attrs import Attribute

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel.errors import InvalidParameterError, TooFewObservationsError
from riskmodel.horizon import Horizon

# The smallest weight: negligible, with a finite square root and reciprocal.
_LEAST_WEIGHT = 1e-200
# Fewer effective observations than this have no variance.
_LEAST_EFFECTIVE = 1.0 + 1e-9


def require_half_life(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """Raise unless a field is a `Horizon` (an attrs validator)."""
    if not isinstance(value, Horizon):
        raise InvalidParameterError(
            f"expected {attribute.name} as a Horizon such as rm.QUARTER, got {value!r}; write rm.Horizon(60) for 60 "
            "trading days.",
            parameter=attribute.name,
            got=value,
        )


def require_share(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """Raise unless a field is a number from 0 to 1 (an attrs validator)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise InvalidParameterError(
            f"expected {attribute.name} as a share from 0 to 1, got {value!r}.", parameter=attribute.name, got=value
        )


def require_count(least: int) -> Any:
    """Return an attrs validator that raises unless a field is a whole number of at least this."""

    def check(_: Any, attribute: Attribute[Any], value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InvalidParameterError(
                f"expected {attribute.name} as a whole number, {least} or more, got {value!r}.",
                parameter=attribute.name,
                got=value,
            )

    return check


def require_instance(kind: Any, example: str) -> Any:
    """Return an attrs validator that raises unless a field is of a kind."""

    def check(_: Any, attribute: Attribute[Any], value: Any) -> None:
        if not isinstance(value, kind):
            raise InvalidParameterError(
                f"expected {attribute.name} as {kind.__name__} such as {example}, got {value!r}.",
                parameter=attribute.name,
                got=value,
            )

    return check


def decay(t: int, half_life: Horizon | None, horizon: Horizon) -> Array:
    """Weights of T dates, shape (T,): 1 for the last, half of that a half-life earlier; all 1 without a half-life."""
    if half_life is None:
        return np.ones(t)
    ages = np.arange(t - 1, -1, -1.0)
    return np.asarray(np.maximum(0.5 ** (ages / half_life.in_units_of(horizon)), _LEAST_WEIGHT))


def effective_number(weights: Array, observed: Array) -> Array:
    """(Σw)²/Σw² over the observed dates of each column, shape (N,); 0 for a column without any."""
    total, squares = weights @ observed, weights**2 @ observed
    return np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)


def weighted_mean(values: Array, weights: Array) -> Array:
    """Mean of each column over its own rows, shape (N,); NaN for a column without any."""
    observed = ~np.isnan(values)
    total = weights @ observed
    sums = weights @ np.where(observed, values, 0.0)
    return np.asarray(np.divide(sums, total, out=np.full(len(total), np.nan), where=total > 0))


def weighted_variance(values: pd.DataFrame, weights: Array) -> Array:
    r"""Variance of each column about its mean, over its own rows, shape (N,).

    :math:`\frac{n}{n-1} \frac1W \sum w_t (x_t - \bar x)^2` with :math:`W = \sum w_t` and
    :math:`n = W^2 / \sum w_t^2`; ddof 1 for equal weights.

    Raises
    ------
    TooFewObservationsError
        For columns whose effective number of observations is 1 or less.
    """
    x = values.to_numpy(dtype=np.float64)
    observed = ~np.isnan(x)
    n = effective_number(weights, observed.astype(np.float64))
    short = list(values.columns[n <= _LEAST_EFFECTIVE])
    if short:
        raise TooFewObservationsError(
            f"expected two observations or more, got fewer of {labels.listing(short)}; leave these assets out or widen "
            "the window.",
            assets=short,
        )
    deviations = np.where(observed, x - weighted_mean(x, weights), 0.0)
    return np.asarray(weights @ deviations**2 / (weights @ observed) * n / (n - 1.0))
