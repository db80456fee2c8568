"""How a file of returns is laid out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from attrs import frozen


@frozen
class Layout:
    """How a file is laid out (abstract: `Wide`, `Long`, `Either`)."""

    def given(self, names: Sequence[Any]) -> Layout:
        """Return the layout of a file with these columns."""
        return self


@final
@frozen
class Wide(Layout):
    """One row a date, one column an asset.

    Parameters
    ----------
    date : str, optional
        The column of dates; by default the first, or in Parquet the index if it holds dates.
    """

    date: str | None = None


@final
@frozen
class Long(Layout):
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


@final
@frozen
class Either(Layout):
    """Long where the columns are just ``date``, a label by one of these names, and one more; else wide.

    Case does not matter. For the command line, which takes both without being told.

    Parameters
    ----------
    labels : tuple of str
        What the column of labels may be called.
    """

    labels: tuple[str, ...]

    def given(self, names: Sequence[Any]) -> Layout:
        """Return the layout of a file with these columns."""
        called = {str(name).casefold(): name for name in names}
        found = [called[label] for label in self.labels if label in called]
        return Long(called["date"], found[0]) if len(names) == 3 and "date" in called and len(found) == 1 else Wide()
