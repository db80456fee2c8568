"""Where the windows of a panel end, in its rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel._core.arrays import Index
from riskmodel.errors import InvalidParameterError, TooFewObservationsError
from riskmodel.horizon import CALENDAR_DAY, DAY, Horizon, is_named, period_of
from riskmodel.panel.base import Panel
from riskmodel.panel.memory import ReturnPanel

_SATURDAY = 5


def require_window(_: Any, __: Any, window: Any) -> None:
    """Raise unless a window is a `Horizon` (an attrs validator)."""
    if not isinstance(window, Horizon):
        raise InvalidParameterError(
            f"expected a window such as rm.YEAR or rm.Horizon(500), got {window!r}; write rm.Horizon(days)."
        )


def require_step(_: Any, __: Any, every: Any) -> None:
    """Raise unless this is a number of rows, a `Horizon` or None (an attrs validator)."""
    whole = isinstance(every, int | np.integer) and not isinstance(every, bool) and every > 0
    if not (every is None or whole or isinstance(every, Horizon)):
        raise InvalidParameterError(
            f"expected every as a number of rows, or a period such as rm.MONTH, got {every!r}; None is all dates."
        )


def require_in_memory(panel: Any) -> ReturnPanel:
    """Return a panel in memory that has rows and assets, or raise."""
    if not isinstance(panel, ReturnPanel):
        hint = "; take its select(...), which is in memory" if isinstance(panel, Panel) else ""
        raise InvalidParameterError(f"expected a ReturnPanel, got {type(panel).__name__}{hint}.")
    if not len(panel.assets):
        raise InvalidParameterError(f"expected a panel with assets, got {panel!r}; select some.")
    return panel


def rows_in(window: Horizon, panel: ReturnPanel) -> int:
    """The length of the window in rows of the panel."""
    rows = window.in_units_of(panel.horizon)
    if abs(rows - round(rows)) > 1e-9 * rows:
        raise InvalidParameterError(
            f"expected a whole number of the panel's rows, got {window!r}, which is {rows:.6g} rows of one "
            f"{panel.horizon}; rm.Horizon({max(round(rows), 1)} * {panel.horizon.days!r}) is {max(round(rows), 1)}.",
            rows=rows,
        )
    return round(rows)


def window_ends(panel: ReturnPanel, first: int, every: int | Horizon | None) -> Index:
    """The row after the last of each window; the first window has `first` rows."""
    rows = np.arange(first, len(panel.dates) + 1, dtype=np.intp)
    if every is None:
        return rows
    if not isinstance(every, Horizon):
        return rows[:: int(every)]
    period = "D" if is_named(every, DAY, CALENDAR_DAY) else period_of(every)
    if period is None:
        return rows[:: rows_in(every, panel)]
    stops = rows[_ends_period(panel, period)[first - 1 :]]
    if not len(stops):
        raise TooFewObservationsError(
            f"expected a {every} that ends after row {first} of {panel!r}, got none; use more dates."
        )
    return stops


def _ends_period(panel: ReturnPanel, freq: str) -> NDArray[np.bool_]:
    """Whether each date is the last of its period; of the last date, whether a next row can only be in another."""
    periods = pd.DatetimeIndex(panel.dates.append(_earliest_next(panel))).to_period(freq)
    return np.asarray(periods[1:] != periods[:-1])


def _earliest_next(panel: ReturnPanel) -> pd.DatetimeIndex:
    """The earliest time that a row after the last of a panel can have, by the panel's own calendar."""
    last, horizon = panel.dates[-1:], panel.horizon
    if horizon.bar is not None and _time_of_day(last)[0] < _time_of_day(panel.dates).max():
        return last  # the day is not over
    if period_of(horizon) == "W":
        return last + pd.Timedelta(weeks=1)
    if _trades_at_weekends(panel):
        return last.normalize() + pd.Timedelta(days=1)
    return pd.DatetimeIndex(np.busday_offset(last.to_numpy().astype("datetime64[D]"), 1, roll="backward"))


def _trades_at_weekends(panel: ReturnPanel) -> bool:
    """Whether the market is open at weekends: by its horizon, or by rows of the panel's last year."""
    horizon = panel.horizon
    if horizon.days * (horizon.per_day or 1.0) == CALENDAR_DAY.days:
        return True
    recent = panel.dates[panel.dates > panel.dates[-1] - pd.Timedelta(days=366)]
    return bool((recent.day_of_week >= _SATURDAY).any()) and period_of(horizon) is None


def _time_of_day(dates: pd.DatetimeIndex) -> pd.TimedeltaIndex:
    return pd.TimedeltaIndex(dates - dates.normalize())
