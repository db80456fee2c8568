"""Weights of dates, and means and variances with them; parts of risk models share these."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from attrs import Attribute

from riskmodel._core import arguments, labels
from riskmodel._core.arguments import require, require_count, require_finite, shown
from riskmodel._core.arrays import Array
from riskmodel._core.checks import LARGEST
from riskmodel._core.frames import read_numbers
from riskmodel.errors import InvalidParameterError, TooFewObservationsError
from riskmodel.horizon import Horizon

# The smallest weight: negligible, with a finite square root and reciprocal.
_LEAST_WEIGHT = 1e-200
# Fewer effective observations than this have no variance.
_LEAST_EFFECTIVE = 1.0 + 1e-9


def require_half_life(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """Raise unless a field is a `Horizon` (an attrs validator)."""
    require(value, Horizon, attribute.name, "such as rm.QUARTER, or rm.Horizon(60) for 60 trading days")


def require_share(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """Raise unless a field is a number from 0 to 1 (an attrs validator)."""
    arguments.require_share(value, attribute.name)


def require_positive(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """Raise unless a field is a finite number above 0 (an attrs validator)."""
    if require_finite(value, attribute.name) <= 0:
        raise InvalidParameterError(
            f"expected {attribute.name} above 0, got {shown(value)}.", parameter=attribute.name, got=value
        )


def require_at_least(least: int) -> Any:
    """Return an attrs validator that raises unless a field is a whole number of at least this."""

    def check(_: Any, attribute: Attribute[Any], value: Any) -> None:
        require_count(value, attribute.name, least)

    return check


def require_instance(kind: Any, example: str) -> Any:
    """Return an attrs validator that raises unless a field is of a kind."""

    def check(_: Any, attribute: Attribute[Any], value: Any) -> None:
        require(value, kind, attribute.name, f"such as {example}")

    return check


def read_returns_by_date(frame: Any, what: str) -> Array:
    """Return a frame of dates × labels as an array of numbers, shape (T, N); NaN where missing."""
    require(frame, pd.DataFrame, what, "one row for each date")
    labels.unique(frame.columns, f"the columns of {what}")
    plain = all(dtype == np.float64 for dtype in frame.dtypes)
    values = frame.to_numpy(dtype=np.float64) if plain else read_numbers(frame, what)
    with np.errstate(invalid="ignore"):
        wild = list(frame.columns[(np.abs(values) > LARGEST).any(axis=0)])
    if wild:
        raise InvalidParameterError(
            f"expected {what} of at most {LARGEST:g} in size, got larger or infinite ones of {labels.listing(wild)}.",
            columns=wild,
        )
    return values


def overlapping_sums(frame: pd.DataFrame, lags: int) -> pd.DataFrame:
    """Sums of `lags` + 1 rows over √(`lags` + 1), dated by their last row; NaN where one of the rows is."""
    windows = np.lib.stride_tricks.sliding_window_view(frame.to_numpy(dtype=np.float64), lags + 1, axis=0)
    return pd.DataFrame(windows.sum(axis=-1) / np.sqrt(lags + 1), frame.index[lags:], frame.columns)


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
    sums = weights @ (values if observed.all() else np.where(observed, values, 0.0))
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
    x = values.to_numpy()
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
