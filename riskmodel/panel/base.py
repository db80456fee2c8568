"""The interface of panels, the input of estimators."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel._core.dates import between, times
from riskmodel._core.listing import Abstract
from riskmodel.errors import (
    InvalidParameterError,
    NoOverlapError,
    UnknownAssetError,
    UnknownFactorError,
)
from riskmodel.horizon import Horizon
from riskmodel.panel.factors import Factor
from riskmodel.panel.return_type import TOTAL, ReturnType

if TYPE_CHECKING:
    from riskmodel.panel.memory import ReturnPanel

T = TypeVar("T")


class Panel(Abstract):
    """What estimators read: excess returns in memory (`ReturnPanel`) or elsewhere (`StoredPanel`, `DaskPanel`).

    Examples
    --------
    >>> import riskmodel as rm
    >>> isinstance(rm.SampleData().panel(["MSFT"], ["Mkt-RF"]), rm.Panel)
    True
    """

    __slots__ = ()

    @property
    @abstractmethod
    def dates(self) -> pd.DatetimeIndex:
        """T dates, increasing."""

    @property
    @abstractmethod
    def assets(self) -> pd.Index[Any]:
        """N labels."""

    @property
    @abstractmethod
    def factors(self) -> pd.Index[Any]:
        """K labels."""

    @property
    @abstractmethod
    def horizon(self) -> Horizon:
        """The span of one row."""

    @property
    def return_type(self) -> ReturnType:
        """What the asset returns were that the panel was made of; its own are in excess of the risk-free rate."""
        return TOTAL

    @property
    @abstractmethod
    def definitions(self) -> tuple[Factor, ...]:
        """The definition of each factor, in the order of `factors`."""

    @property
    @final
    def funded(self) -> tuple[bool, ...]:
        """Whether holding each factor costs cash."""
        return tuple(bool(f.funded) for f in self.definitions)

    @property
    def _zone_of_rows(self) -> str | None:
        """The time zone of rows of hours and minutes, empty where they have none; None for days."""
        return None if self.horizon.bar is None else ""

    @final
    def _edges(self, start: object, end: object) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
        """Read the two ends of a window on the clocks of the rows."""
        return times(start, end, zone=self._zone_of_rows)

    @abstractmethod
    def arrays(self) -> tuple[Any, Array, Array]:
        """Return excess returns (T × N, whose columns can be sliced), factors (T × K) and the risk-free rate (T,)."""

    @abstractmethod
    def select(self, assets: Any = None, factors: Any = None, start: object = None, end: object = None) -> ReturnPanel:
        """Return a panel in memory of some assets, factors and dates; None means all."""

    def reduce(
        self,
        read: Callable[..., T],
        merge_dates: Callable[[T, T], T],
        concat_assets: Callable[[Sequence[T]], T],
        *by_date: Array,
    ) -> T:
        """Read the panel in pieces, wherever these lie, and put together what was read of them.

        By default the panel is one piece, of which `read` alone is called.

        Parameters
        ----------
        read : callable
            ``read(piece, *by_date)`` for each piece, which is a panel of some dates and assets with the factors and the
            rate on those dates. Where pieces lie on other machines, it is pickled.
        merge_dates : callable
            Merges what was read of two pieces of the same assets over different dates, in any order; pickled too.
        concat_assets : callable
            Puts together what was read of pieces of different assets over the same dates, in the order of the assets.
        *by_date : array, shape (T, ...)
            What is known of each date, such as its weight; a piece gets the part of its own dates.
        """
        if not callable(read):
            raise InvalidParameterError(f"expected read as a function of a piece, got {read!r}.", parameter="read")
        return read(self, *by_date)


def within(panel: Panel, start: object, end: object) -> NDArray[np.bool_]:
    """Return which dates of a panel are in a window, or raise where none is."""
    inside = between(panel.dates, *panel._edges(start, end))
    if not inside.any():
        raise NoOverlapError(
            f"expected a date {_window_in_words(start, end)}, got none among the {len(panel.dates):,} dates of the "
            f"panel, {_span(panel.dates)}; widen the window.",
            start=start,
            end=end,
        )
    return inside


def _span(dates: pd.DatetimeIndex) -> str:
    return f"{dates[0].date()} to {dates[-1].date()}" if len(dates) else "which has none"


def _window_in_words(start: object, end: object) -> str:
    """Say what a window is, of which an end may be open."""
    first, last = (str(edge).removesuffix(" 00:00:00") for edge in (start, end))
    if start is not None and end is not None:
        return f"between {first} and {last}"
    return f"from {first} on" if end is None else f"until {last}"


def chosen(
    choice: Any, known: pd.Index[Any], what: str, error: type[UnknownAssetError | UnknownFactorError]
) -> tuple[pd.Index[Any], NDArray[np.intp]]:
    """Return a selection of labels (None means all) and their positions."""
    if choice is None:
        return known, np.arange(len(known), dtype=np.intp)
    # a tuple is a single label where the panel has it
    lone = labels.is_lone(choice) or (
        isinstance(choice, tuple) and any(isinstance(k, tuple) and k == choice for k in known)
    )
    names = labels.unique([choice] if lone else choice, f"{what}s")
    return names, labels.positions(names, known, what, error)
