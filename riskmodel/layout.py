"""How a file of returns is laid out."""

from __future__ import annotations

from typing import final

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
