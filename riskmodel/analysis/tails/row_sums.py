"""From returns of single rows to returns over a horizon."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, final

import numpy as np
from attrs import field, frozen

from riskmodel._core.arguments import require_count, require_finite, shown
from riskmodel._core.arrays import Array, Index
from riskmodel._core.listing import Abstract
from riskmodel.errors import InvalidParameterError, TooFewObservationsError, TooLargeError

# Rows drawn at once: 800 MB of positions.
_MOST_ROWS = 100_000_000


@final
@frozen(eq=False)
class Draws:
    """Returns over a horizon, as sums of the returns of rows.

    Attributes
    ----------
    rows : array of int, shape (D, h)
        The rows that each draw sums.
    scale : float
        What the sums are multiplied by.
    independent : float
        How many of the D draws are independent, where they are not drawn at random.
    are_random : bool
        Whether rows are drawn at random.
    """

    rows: Index
    scale: float
    independent: float
    are_random: bool = False

    def sums(self, values: Array) -> Array:
        """The sum of each draw of a number by row, shape (D,)."""
        return np.asarray(self.scale * values[self.rows].sum(axis=1))

    def by_row(self, weights: Array, n: int) -> Array:
        """The weight of each of n rows, where each draw has a weight."""
        each = np.repeat(weights, self.rows.shape[1])
        return np.asarray(self.scale * np.bincount(self.rows.ravel(), each, minlength=n))


class RowSums(Abstract):
    """How returns of single rows make those of a horizon (abstract). One hook: `draws`.

    `SquareRootOfTime`, `OverlappingSums`, `BootstrappedSums`. Simple returns are summed, not compounded.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> ways: list[rm.RowSums] = [rm.SquareRootOfTime(), rm.OverlappingSums(), rm.BootstrappedSums(2_000)]
    >>> [round(float(rm.HistoricalSimulation(sums=w).of(held, panel, 0.95, rm.MONTH).value_at_risk), 3) for w in ways]
    [0.124, 0.113, 0.129]
    """

    @abstractmethod
    def draws(self, at: Index, rows: float) -> Draws:
        """Return the rows to sum.

        Parameters
        ----------
        at : array of int, shape (T,)
            The rows of the panel on which the return is known; neighbours follow each other in time.
        rows : float
            Rows in the horizon.
        """


@final
@frozen
class SquareRootOfTime(RowSums):
    """Losses of one row, times the square root of the rows in the horizon.

    Right for normal, independent returns with a mean of zero; too large for independent ones with fat tails.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> simulation = rm.HistoricalSimulation(sums=rm.SquareRootOfTime())
    >>> day, month = (simulation.of(held, panel, 0.99, horizon) for horizon in (rm.DAY, rm.MONTH))
    >>> round(float(month.value_at_risk) / float(day.value_at_risk), 4), round(21**0.5, 4)
    (4.5826, 4.5826)
    """

    def draws(self, at: Index, rows: float) -> Draws:
        """Each row by itself."""
        _require_rows(at, rows)
        return Draws(np.arange(len(at))[:, None], math.sqrt(rows), float(len(at)))


@final
@frozen
class OverlappingSums(RowSums):
    """Sums over each h rows that follow each other: they overlap, so T/h of them are independent.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> simulation = rm.HistoricalSimulation(sums=rm.OverlappingSums())
    >>> round(float(simulation.of(held, panel, 0.99, rm.MONTH).value_at_risk), 3)
    0.205
    """

    def draws(self, at: Index, rows: float) -> Draws:
        """Each h rows without a gap."""
        _require_rows(at, rows)
        h = _whole(rows)
        first = np.arange(max(len(at) - h + 1, 0))
        first = first[at[first + h - 1] - at[first] == h - 1]
        if not len(first):
            raise TooFewObservationsError(
                f"expected {h} rows or more that follow each other, got {len(at)} with gaps; use a longer panel, or "
                "rm.SquareRootOfTime().",
                rows=h,
                known=len(at),
            )
        return Draws(first[:, None] + np.arange(h), 1.0, max(len(first) / h, 1.0))


def _at_least(least: int) -> Any:
    return lambda _, attribute, value: require_count(value, attribute.alias, least)


@final
@frozen
class BootstrappedSums(RowSums):
    """Sums of h rows drawn at random, as if they were independent.

    Parameters
    ----------
    number : int
        How many sums.
    seed : int
        Of the draws: the same seed gives the same figures.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> simulation = rm.HistoricalSimulation(sums=rm.BootstrappedSums(2_000, seed=1))
    >>> round(float(simulation.of(held, panel, 0.99, rm.MONTH).value_at_risk), 3)
    0.17
    """

    number: int = field(default=10_000, validator=_at_least(100))
    seed: int = field(default=0, validator=_at_least(0))

    def draws(self, at: Index, rows: float) -> Draws:
        """As many times h rows."""
        _require_rows(at, rows)
        h = _whole(rows)
        if self.number * h > _MOST_ROWS:
            raise TooLargeError(
                f"expected at most {_MOST_ROWS // h:,} draws of {h} rows, got {self.number:,}; draw fewer.",
                number=self.number,
            )
        drawn = np.random.default_rng(self.seed).integers(len(at), size=(self.number, h))
        return Draws(drawn, 1.0, float(len(at)), are_random=True)


def _require_rows(at: Any, rows: Any) -> None:
    if not isinstance(at, np.ndarray) or at.dtype.kind not in "iu" or at.ndim != 1 or not len(at):
        raise InvalidParameterError(
            f"expected at as an array of rows of a panel, got {shown(at)}.", parameter="at", got=at
        )
    if require_finite(rows, "rows") <= 0:
        raise InvalidParameterError(f"expected a horizon of more than no rows, got {rows}.", parameter="rows", got=rows)


def _whole(rows: float) -> int:
    h = round(rows)
    if h < 1 or abs(rows - h) > 1e-6 * rows:
        raise InvalidParameterError(
            f"expected a horizon of whole rows of the panel, got {rows:g} of them; use rm.SquareRootOfTime(), or a "
            "horizon that is a multiple of the panel's.",
            parameter="horizon",
            rows=rows,
        )
    return h
