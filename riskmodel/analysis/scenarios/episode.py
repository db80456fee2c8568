"""Episodes of market history, with their dates and sources."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core.arguments import require
from riskmodel._core.arrays import Index
from riskmodel._core.dates import times
from riskmodel._core.listing import Listed
from riskmodel.errors import CoverageError, InvalidParameterError
from riskmodel.panel.base import Panel

_INDEX = "closing high and low of the S&P 500 index, as S&P Dow Jones Indices lists them"


def _read_date(value: Any) -> pd.Timestamp:
    first, last = times(value, value, ("a date", "a date"), zone=None)
    if first is None or last is None or last.normalize() != first.normalize():
        raise InvalidParameterError(
            f"expected an episode's start and end as days, such as '2007-10-09', got {value!r}.", got=value
        )
    return first.normalize()


@final
@frozen
class Episode(Listed):
    """A span of market history, from one close to another.

    Parameters
    ----------
    name : str
        As tables print it.
    start, end : date-like
        Days. The rows of a panel that are dated after `start`, up to and including `end`, are the episode: returns
        from the close of the start to that of the end. Of monthly rows these are the months that end in it.
    source : str
        Where the dates are from.

    Raises
    ------
    InvalidParameterError
        For a start that is not before the end.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.Episode("taper tantrum", "2013-05-21", "2013-06-24", "Bernanke's testimony of 22 May 2013")
    <Episode taper tantrum: 2013-05-21 to 2013-06-24>
    """

    name: str = field()
    start: pd.Timestamp = field(converter=_read_date)
    end: pd.Timestamp = field(converter=_read_date)
    source: str = field(default="")

    @name.validator
    @source.validator
    def _check_text(self, attribute: Any, value: Any) -> None:
        require(value, str, attribute.alias, "as tables print it")

    def __attrs_post_init__(self) -> None:
        if not self.start < self.end:
            raise InvalidParameterError(
                f"expected an episode that starts before it ends, got {self.start.date()} to {self.end.date()}.",
                start=self.start,
                end=self.end,
            )

    def __repr__(self) -> str:
        return f"<Episode {self.name}: {self.start.date()} to {self.end.date()}>"

    def covers(self, panel: Panel) -> bool:
        """Return whether a panel has the whole episode: rows up to its start, in it, and from its end on."""
        dates = require(panel, Panel, "panel").dates.normalize()  # type: ignore[type-abstract]
        inside = (dates > self.start) & (dates <= self.end)
        return bool(len(dates) and _starts_by(panel, self.start) and dates[-1] >= self.end and inside.any())

    def rows(self, panel: Panel) -> Index:
        """Return the positions of the episode's rows in a panel.

        Raises
        ------
        CoverageError
            If the panel lacks a part of the episode.
        """
        if not self.covers(panel):
            dates = panel.dates
            span = f"{dates[0].date()} to {dates[-1].date()}" if len(dates) else "no dates"
            raise CoverageError(
                f"expected a panel with rows from {self.start.date()} to {self.end.date()} for {self.name!r}, got "
                f"{span}; fetch the panel with an earlier start, or choose another episode.",
                episode=self.name,
                start=self.start,
                end=self.end,
            )
        days = panel.dates.normalize()  # of hours, all of the last day
        return np.flatnonzero((days > self.start) & (days <= self.end))

    @staticmethod
    def covered_by(panel: Panel) -> tuple[Episode, ...]:
        """Return those of ``rm.EPISODES`` that a panel has as a whole."""
        require(panel, Panel, "panel")  # type: ignore[type-abstract]
        return tuple(e for e in EPISODES if e.covers(panel))


def _starts_by(panel: Panel, start: pd.Timestamp) -> bool:
    """Whether the row before the first one after a date is in the panel, or would have ended by then."""
    first = panel.dates[0]
    # a row's label is its end: the first row of a panel of longer spans begins before it
    slack = pd.Timedelta(days=max(4.0, panel.horizon.days * 7 / 5))
    return bool(first <= start + slack)


# From a closing high to a low, unless said otherwise.
EPISODES: tuple[Episode, ...] = (
    Episode("bear market of 1973-74", "1973-01-11", "1974-10-03", _INDEX),
    Episode("crash of 1987", "1987-08-25", "1987-12-04", _INDEX),
    Episode("Russia and LTCM 1998", "1998-07-17", "1998-08-31", _INDEX),
    Episode("dot-com bust 2000-02", "2000-03-24", "2002-10-09", _INDEX),
    Episode(
        "quant losses of August 2007",
        "2007-08-03",
        "2007-08-09",
        "Khandani, A. E. and Lo, A. W. (2011). What Happened to the Quants in August 2007? Journal of Financial "
        "Markets 14(1), 1-46",
    ),
    Episode("financial crisis 2007-09", "2007-10-09", "2009-03-09", _INDEX),
    Episode("euro crisis 2011", "2011-04-29", "2011-10-03", _INDEX),
    Episode("pandemic 2020", "2020-02-19", "2020-03-23", _INDEX),
    Episode("inflation 2022", "2022-01-03", "2022-10-12", _INDEX),
)
