"""Days of times."""

from __future__ import annotations

import pandas as pd


def days_of(stamps: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the midnights at which days begin, as `normalize` does, without the search for a frequency that it makes.

    That search costs as much as a look at all returns of hundreds of assets.
    """
    if stamps.tz is not None:
        return stamps.normalize()
    moments = stamps.to_numpy()
    return pd.DatetimeIndex(moments.astype("datetime64[D]").astype(moments.dtype), name=stamps.name)
