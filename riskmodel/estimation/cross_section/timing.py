"""From when on an exposure is too late to explain a return."""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.horizon import Horizon, period_of

# Calendar days of a row of several trading days: a week has five of seven.
_CALENDAR_DAYS = 7 / 5


def starts_of(dates: pd.DatetimeIndex, horizon: Horizon) -> pd.DatetimeIndex:
    """Return T + 1 times: what becomes known at one or later is too late for the row, the last for all rows.

    A row of a day starts with its date, one of a week, month, quarter or year with its first day, and one of hours or
    minutes a bar before its label. A row of several trading days starts as many, converted to calendar days, before
    the day after its date.

    Parameters
    ----------
    dates : DatetimeIndex
        T labels of rows.
    horizon : Horizon
        The span of one row.
    """
    period = period_of(horizon)
    if horizon.bar is not None:
        starts, end = dates - pd.Timedelta(horizon.bar), dates[-1] + pd.Timedelta(microseconds=1)
    elif period is not None:
        spans = dates.to_period(period)
        starts, end = pd.DatetimeIndex(spans.to_timestamp(how="start")), dates[-1].normalize() + pd.Timedelta(days=1)
    else:
        days = 1 if horizon.days <= 1 else int(np.ceil(horizon.days * _CALENDAR_DAYS))
        end = dates[-1].normalize() + pd.Timedelta(days=1)
        starts = dates.normalize() - pd.Timedelta(days=days - 1)
    return pd.DatetimeIndex(starts.append(pd.DatetimeIndex([end]))).as_unit("us")
