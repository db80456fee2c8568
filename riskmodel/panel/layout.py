"""Layouts of files of returns."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, final

from attrs import field, frozen

from riskmodel.errors import InvalidParameterError


def _is_a_name(layout: Layout, part: Any, value: Any) -> None:
    if not isinstance(value, Hashable) or (value is None and part.default is not None):
        raise InvalidParameterError(
            f"expected {part.name} of rm.{type(layout).__name__} as the name of one column, got {value!r}.",
            name=part.name,
            got=value,
        )


@frozen
class Layout:
    """The layout of a file (abstract: `Wide`, `Long`, `Either`)."""

    def given(self, names: Sequence[Any]) -> Layout:
        """Return the layout of a file with these columns."""
        return self


@final
@frozen
class Wide(Layout):
    """One row for each date, one column for each asset.

    Parameters
    ----------
    date : str, optional
        The column of dates; by default the first, or in Parquet the index if it holds dates. Another index (row
        numbers, without a name in CSV) is ignored.
    """

    date: str | None = field(default=None, validator=_is_a_name)


@final
@frozen
class Long(Layout):
    """One row for each date and asset.

    Parameters
    ----------
    date, asset : str
        The columns of dates and of asset labels.
    value : str, optional
        The column of returns or prices; by default the only other one that is not an index.
    """

    date: str = field(default="date", validator=_is_a_name)
    asset: str = field(default="asset", validator=_is_a_name)
    value: str | None = field(default=None, validator=_is_a_name)


@final
@frozen
class Either(Layout):
    """Long where the columns are ``date``, one of these label names, and one more; otherwise wide.

    Case is ignored. For the command line, which detects the layout.

    Parameters
    ----------
    labels : tuple of str
        The possible names of the column of labels.
    """

    labels: tuple[str, ...]

    def given(self, names: Sequence[Any]) -> Layout:
        """Return the layout of a file with these columns."""
        called = {str(name).casefold(): name for name in names}
        found = [called[label] for label in self.labels if label in called]
        return Long(called["date"], found[0]) if len(names) == 3 and "date" in called and len(found) == 1 else Wide()
