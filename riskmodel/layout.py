"""How a file of returns is laid out, and how its dates are written."""

from __future__ import annotations

from typing import Any, final

import pandas as pd
from attrs import frozen


@frozen
class _Layout:
    """How a file is laid out (abstract: `Wide`, `Long`)."""


@final
@frozen
class Wide(_Layout):
    """One row a date, one column an asset.

    Parameters
    ----------
    date : str, optional
        The column of dates; by default the first, or in Parquet the index if it holds dates.
    """

    date: str | None = None


@final
@frozen
class Long(_Layout):
    """One row for each date and asset.

    Parameters
    ----------
    date, asset : str
        The columns of dates and of asset labels.
    value : str, optional
        The column of returns or prices; by default the only other one.
    """

    date: str = "date"
    asset: str = "asset"
    value: str | None = None


def iso_dates(raw: pd.Series[Any]) -> pd.Series[Any]:
    """Read dates, year first, as they stand in a file; raise ValueError or TypeError where one is not or is missing."""
    if pd.api.types.is_integer_dtype(raw.dtype):
        raw = raw.astype(str)  # 20240131, which would otherwise be taken for nanoseconds
    dates = (
        pd.to_datetime(raw)
        if pd.api.types.is_datetime64_any_dtype(raw.dtype)
        else pd.to_datetime(raw, format="ISO8601")
    )
    if dates.isna().any():
        raise ValueError("a date is missing")
    # the local date: a return belongs to the day of its own market
    return dates.dt.tz_localize(None).dt.normalize()
