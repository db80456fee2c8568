"""Factor returns of different lengths, and longer histories of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel.errors import EstimationError, InvalidParameterError, UnknownFactorError
from riskmodel.estimation.weighting import read_returns_by_date
from riskmodel.horizon import require_horizon

# Two sources of a factor agree if their typical difference is below this share of its volatility.
_AGREE = 0.05


def read_history(history: Any) -> pd.DataFrame | None:
    """Return a history as a frame of float64, None for none (an attrs converter)."""
    if history is None:
        return None
    values = read_returns_by_date(history, "history")
    index = history.index
    if not isinstance(index, pd.DatetimeIndex) or not index.is_monotonic_increasing or not index.is_unique:
        raise InvalidParameterError("expected a history of increasing dates, got others; sort its index of dates.")
    return pd.DataFrame(values, index.copy(), history.columns.copy())


def known_returns(factor_returns: Any, horizon: Any, history: pd.DataFrame | None) -> pd.DataFrame:
    """Factor returns with their history until the last row, NaN where missing; the factors are the first columns.

    Raises
    ------
    UnknownFactorError
        For factors without a history.
    InvalidParameterError
        If the history and the factor returns differ on their common dates.
    """
    require_horizon(horizon)
    values = read_returns_by_date(factor_returns, "factor_returns")
    names = factor_returns.columns
    own = pd.DataFrame(values, factor_returns.index, names)
    if history is None:
        return own.dropna(how="all")
    if not isinstance(own.index, pd.DatetimeIndex):
        raise InvalidParameterError("expected factor_returns by date, as the history is, got other rows.")
    labels.positions(list(names), history.columns, "factor, without a history", UnknownFactorError)
    past = history.loc[: own.index[-1]]
    _require_same(own, past)
    rows = past.index.union(own.index)
    others = [c for c in history.columns if c not in names]
    whole = past.reindex(rows)[[*names, *others]]
    whole[list(names)] = own.reindex(rows).fillna(whole[list(names)])
    return whole.dropna(how="all")


def _require_same(own: pd.DataFrame, past: pd.DataFrame) -> None:
    """Raise where two sources of a factor differ on their common dates, as returns differ from sums of them."""
    common = own.index.intersection(past.index)
    mine, theirs = own.loc[common], past.loc[common, own.columns]
    gaps, sizes = (mine - theirs).abs().median(), mine.std()
    differ = [f for f in own.columns if gaps[f] > _AGREE * sizes[f]]
    if differ:
        raise InvalidParameterError(
            f"expected a history that is what the factor returns are, on their common dates, got another for "
            f"{labels.listing(differ)}; pass returns of the same unit and horizon, and wrap no NeweyWest or "
            "EigenfactorAdjusted around it, which pass sums and simulations.",
            factors=differ,
        )


def require_rows(values: Array, columns: pd.Index[Any], least: int) -> None:
    """Raise for pairs of columns that have fewer than `least` rows in common."""
    observed = (~np.isnan(values)).astype(np.float64)
    together = observed.T @ observed
    few = list(columns[np.flatnonzero((together < least).any(axis=1))])
    if few:
        raise EstimationError(
            f"expected {least} rows or more in common of each two factors, got {int(together.min())} of some of "
            f"{labels.listing(few)}; use fewer factors, or longer histories.",
            factors=few,
            rows=int(together.min()),
        )
