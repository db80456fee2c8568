"""Tables and arrays of returns, as pipelines of scikit-learn pass them on, as a panel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, Flags, floats
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.base import Estimator
from riskmodel.estimation.least_squares.ols import OLS
from riskmodel.horizon import MONTH, QUARTER, WEEK, YEAR, Horizon, require_horizon
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel
from riskmodel.panel.return_type import EXCESS

# Rows of arrays have no dates: these are as far apart as the horizon says.
_FREQUENCIES = {WEEK: "W-FRI", MONTH: "ME", QUARTER: "QE", YEAR: "YE"}
_FIRST = "2000-01-03"


@frozen(eq=False)
class Rows:
    """A panel, and where its dates are among the rows that it was made of."""

    panel: ReturnPanel
    labels: Any  # of all rows, as they were passed
    asset_names: Any  # of all columns
    returns: Array  # of all rows and columns, as they were passed
    kept: Flags  # the rows that are in the panel

    def fit(self, estimator: Estimator | None, horizon: Horizon) -> FactorModel:
        """Estimate the assets that can be estimated, at a horizon."""
        chosen = OLS() if estimator is None else require(estimator, Estimator, "estimator", "write rm.OLS()")  # type: ignore[type-abstract]
        return chosen.fit_available(self.panel).at(horizon)

    def on_all_rows(self, values: Array) -> Array:
        """Rows of the panel among all rows, the others NaN."""
        full = np.full((len(self.kept), values.shape[1]), np.nan)
        full[self.kept] = values
        return full


def read_rows(returns: Any, factors: Any, horizon: Horizon) -> Rows:
    """Read returns, and factors if there are any; both are taken as they are, no rate is subtracted.

    Parameters
    ----------
    returns : DataFrame or array, dates × assets
        Decimals per `horizon`. Dates may have a time zone; each row keeps the day that is written.
    factors : DataFrame, Series, array or None, dates × factors
        Of the same rows.
    horizon : Horizon
        The span of one row.
    """
    require_horizon(horizon)
    table = _table(returns, "X", "x")
    given = pd.DataFrame(index=table.index) if factors is None else _table(factors, "factors", "f")
    dated = [t for t in (table, given) if isinstance(t.index, pd.DatetimeIndex)]
    labels = dated[0].index if dated else table.index
    _require_same_rows(table, given)
    # days as they are written: a time zone is not theirs to change, and the labels stay as they were passed
    days = _days(labels) if dated else _made_up(len(table), horizon)
    _require_increasing(days)
    panel = ReturnPanel.align(
        table.set_axis(days), given.set_axis(days), pd.Series(0.0, days), horizon=horizon, return_type=EXCESS
    )
    return Rows(panel, labels, table.columns, floats(table), _kept(panel, len(days)))


def _table(values: Any, what: str, letter: str) -> pd.DataFrame:
    """Read a frame, or an array whose columns are named as scikit-learn names them."""
    if isinstance(values, pd.DataFrame):
        return values
    if isinstance(values, pd.Series):
        return values.to_frame()
    array = floats(values)
    if array.ndim == 1 and letter == "f":
        array = array[:, None]
    if array.ndim != 2:
        raise InvalidParameterError(
            f"expected {what} as a table of dates × columns, got shape {array.shape}.", parameter=what, got=array.shape
        )
    return pd.DataFrame(array, columns=[f"{letter}{i}" for i in range(array.shape[1])])


def _require_same_rows(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    both = isinstance(returns.index, pd.DatetimeIndex) and isinstance(factors.index, pd.DatetimeIndex)
    if len(returns) != len(factors) or (both and not _days(returns.index).equals(_days(factors.index))):
        raise InvalidParameterError(
            f"expected factors with the rows of X, got {len(factors)} rows for {len(returns)}, or other dates; write "
            "factors = factors.reindex(X.index).",
            parameter="factors",
            expected=len(returns),
            got=len(factors),
        )


def _days(index: Any) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(index).tz_localize(None)


def _require_increasing(days: pd.DatetimeIndex) -> None:
    if not days.is_monotonic_increasing:
        raise InvalidParameterError(
            "expected X with increasing dates, got others; write X.sort_index(), and the same for the factors.",
            parameter="X",
        )


def _made_up(n: int, horizon: Horizon) -> pd.DatetimeIndex:
    if horizon in _FREQUENCIES:
        return pd.date_range(_FIRST, periods=n, freq=_FREQUENCIES[horizon])
    if horizon.bar is not None and horizon.per_day is not None:
        day, row = np.divmod(np.arange(n), max(round(horizon.per_day), 1))
        return pd.DatetimeIndex(pd.bdate_range(_FIRST, periods=n)[day] + row * pd.Timedelta(horizon.bar))
    if horizon.per_year > 252:
        return pd.date_range(_FIRST, periods=n)
    return pd.bdate_range(_FIRST, periods=n, freq=f"{max(round(horizon.days), 1)}B")


def _kept(panel: ReturnPanel, n: int) -> Flags:
    """Which rows are in the panel: with those dropped, its dates are all rows in order."""
    every = panel.dates.union(pd.DatetimeIndex(panel.dropped["date"]))
    if len(every) != n:
        raise InvalidParameterError(
            f"expected one row for each period, got {n} rows for {len(every)} periods; pass the horizon of the rows.",
            parameter="X",
            expected=len(every),
            got=n,
        )
    return np.asarray(every.isin(panel.dates))
