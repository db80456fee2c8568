"""Match the rows of assets, factors and the risk-free rate by date."""

from __future__ import annotations

from typing import final

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index, set_read_only
from riskmodel._core.dates import between
from riskmodel._core.frames import ReturnFrame
from riskmodel.errors import InvalidDatesError, NoOverlapError
from riskmodel.panel.factors import weighted
from riskmodel.panel.unmatched import COMPOUND, LeftOut, Unmatched, compounded, on_its_weekday, on_most_unmatched

# Columns that are searched at a time for empty rows.
_COLUMNS_AT_A_TIME = 32


@final
@frozen(eq=False)
class Matched:
    """The rows of assets, factors and the risk-free rate on common dates, and what is not in them."""

    dates: pd.DatetimeIndex
    assets: Array
    factors: Array
    risk_free: Array
    dropped: pd.DataFrame
    left_out: LeftOut | None
    zone: str | None = None


@final
@frozen(eq=False)
class HeldAssets:
    """The assets that factors are made of.

    Attributes
    ----------
    returns : ReturnFrame
        H assets.
    weights : DataFrame, H assets × factors
        Of the factors that are made of assets: dollars of each asset per dollar.
    is_total : bool
        Whether these are total returns, from which the cost times the rate is subtracted.
    """

    returns: ReturnFrame
    weights: pd.DataFrame
    is_total: bool

    def compounded(self, assets: ReturnFrame, dates: pd.DatetimeIndex, rate: Array) -> pd.DataFrame:
        """Make the factors of compounded returns of their assets, dates × factors.

        A factor of assets is made of the asset returns of the panel. The sum of compounded returns is not the
        compounded sum.

        Parameters
        ----------
        assets : ReturnFrame
            The assets of the panel, whose rows count as rows of these too.
        dates : DatetimeIndex
            T dates, on which all factors have a value.
        rate : array, shape (T,)
            The compounded risk-free rate.
        """
        weights = self.weights.to_numpy()
        returns = compounded(_with_rows(self.returns, assets.dates), dates, on_most_unmatched)[0]
        if self.is_total:
            returns -= rate[:, None]
        return pd.DataFrame(weighted(returns, weights), dates, self.weights.columns)


def match(
    assets: ReturnFrame,
    factors: ReturnFrame,
    free: ReturnFrame,
    unmatched: Unmatched,
    held: HeldAssets | None = None,
) -> Matched:
    """Find the common dates of three tables, and drop or compound the other rows.

    A date is common where every factor, the rate and at least one asset have a value. Where rows are compounded,
    factors that are made of assets (`held`) are made of compounded returns.

    Raises
    ------
    InvalidDatesError
        If rows of hours are in the times of different zones.
    NoOverlapError
        If there is no common date.
    """
    zone = one_zone(assets, factors, free)
    kept, dropped = _common_dates(assets, factors, free)
    if unmatched is COMPOUND:
        return evolve(_compounded((assets, factors, free), kept, dropped, held), zone=zone)
    return evolve(_matched(assets, factors, free, kept, dropped), zone=zone)


def _matched(
    assets: ReturnFrame, factors: ReturnFrame, free: ReturnFrame, kept: pd.DatetimeIndex, dropped: pd.DataFrame
) -> Matched:
    """Take the rows on common dates, and leave the others out."""
    left = None
    if len(dropped) and len(kept) < len(assets.dates):
        inside = between(assets.dates, kept[0], kept[-1]) & ~assets.dates.isin(kept)
        left = LeftOut.of(assets, np.flatnonzero(inside)) if inside.any() else None
    return Matched(kept, _rows(assets, kept), _rows(factors, kept), _rows(free, kept), dropped, left)


def _compounded(
    tables: tuple[ReturnFrame, ReturnFrame, ReturnFrame],
    kept: pd.DatetimeIndex,
    dropped: pd.DataFrame,
    held: HeldAssets | None,
) -> Matched:
    """Compound the rows on other dates into the next common one."""
    assets, factors, free = tables
    returns, every, span = compounded(assets, kept, on_most_unmatched)
    known = compounded(factors, kept, on_its_weekday)[0] if len(factors.labels) else np.empty((len(kept), 0))
    rate = compounded(free, kept, on_its_weekday)[0]
    if held is not None:
        made = held.compounded(assets, kept, rate[:, 0])
        known[:, factors.labels.get_indexer(made.columns)] = made.to_numpy()
    lacking = {f"factor {name} missing in its span": np.isnan(known[:, j]) for j, name in enumerate(factors.labels)}
    lacking["risk-free rate missing in its span"] = np.isnan(rate[:, 0])
    lacking["every asset missing in its span"] = np.asarray(np.isnan(returns).all(axis=1))
    reasons = ["; ".join(reason for reason, where in lacking.items() if where[i]) for i in range(len(kept))]
    whole = np.array([not reason for reason in reasons])
    if not whole.any():
        raise NoOverlapError(_no_overlap(assets, factors, free))
    outside = dropped[(dropped["date"] < kept[0]) | (dropped["date"] > kept[-1])]
    lost = pd.DataFrame({"date": kept[~whole], "reason": [r for r in reasons if r]})
    # of each asset, the rows of spans that it lacks
    gone = ~whole[span][:, None] | np.isnan(returns)[span]
    rows = np.flatnonzero((gone & ~np.isnan(every)).any(axis=1))
    first = int(assets.dates.get_indexer(kept[:1])[0])
    left = LeftOut(assets.dates[first + rows], set_read_only(np.where(gone[rows], every[rows], np.nan)))
    return Matched(
        kept[whole],
        np.asfortranarray(returns[whole]),
        np.asfortranarray(known[whole]),
        np.asfortranarray(rate[whole]),
        pd.concat([outside, lost]).sort_values("date", ignore_index=True)
        if len(lost)
        else outside.reset_index(drop=True),
        left if len(rows) else None,
    )


def _common_dates(
    assets: ReturnFrame, factors: ReturnFrame, free: ReturnFrame
) -> tuple[pd.DatetimeIndex, pd.DataFrame]:
    """Split all dates into complete ones and dropped ones, with reasons."""
    every = assets.dates.union(factors.dates).union(free.dates)
    reasons = np.full(len(every), "", dtype=object)
    lacking = {
        "no asset row": _not_in(assets.dates, every),
        # without factors, no row of them is missing
        "no factor row": every[:0] if not len(factors.labels) else _not_in(factors.dates, every),
        "no risk-free row": _not_in(free.dates, every),
        "every asset missing": assets.dates[_empty_rows(assets.numbers)],
        "risk-free rate missing": free.dates[np.isnan(free.numbers[:, 0])],
    }
    for j, name in enumerate(factors.labels):
        lacking[f"factor {name} missing"] = factors.dates[np.isnan(factors.numbers[:, j])]
    for reason, dates in lacking.items():
        if not len(dates):
            continue
        where = every.get_indexer(dates)
        reasons[where] = np.where(reasons[where] == "", reason, reasons[where] + f"; {reason}")
    kept = reasons == ""
    if not kept.any():
        raise NoOverlapError(_no_overlap(assets, factors, free))
    left = pd.DataFrame({"date": every[~kept], "reason": reasons[~kept].astype(str)})
    return every[kept], left


def _not_in(dates: pd.DatetimeIndex, every: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the dates of all that are not among some of them."""
    return every[:0] if len(every) == len(dates) else every.difference(dates)


def _empty_rows(numbers: Array) -> Index:
    """Return the rows without a number; most rows are ruled out by a few columns, and the others are not read."""
    rows = np.arange(len(numbers))
    for start in range(0, numbers.shape[1], _COLUMNS_AT_A_TIME):
        if not len(rows):
            break
        rows = rows[np.isnan(numbers[rows, start : start + _COLUMNS_AT_A_TIME]).all(axis=1)]
    return rows


def _no_overlap(*tables: ReturnFrame) -> str:
    names = ("assets", "factors", "risk-free rate")
    spans = [
        f"{name}: {len(t.dates)} dates" + (f" from {t.dates[0].date()} to {t.dates[-1].date()}" if len(t.dates) else "")
        for name, t in zip(names, tables, strict=True)
    ]
    return (
        "expected a complete date in common of assets, factors and risk-free rate, got none ("
        + "; ".join(spans)
        + "); check the window and how the rows are dated."
    )


def _rows(table: ReturnFrame, dates: pd.DatetimeIndex) -> Array:
    """Return the rows of dates that the table has; the table's own array where that is all of it.

    A table without columns may have any dates.
    """
    if not len(table.labels):
        return np.empty((len(dates), 0))
    if len(dates) == len(table.dates):
        return table.numbers
    chosen = np.empty((len(dates), len(table.labels)), order="F")
    np.take(table.numbers.T, table.dates.get_indexer(dates), axis=1, out=chosen.T, mode="clip")
    return chosen


def _with_rows(table: ReturnFrame, dates: pd.DatetimeIndex) -> ReturnFrame:
    """Add rows of missing values on dates that a table lacks."""
    every = table.dates.union(dates)
    if len(every) == len(table.dates):
        return table
    numbers = np.full((len(every), len(table.labels)), np.nan, order="F")
    numbers[every.get_indexer(table.dates)] = table.numbers
    return evolve(table, dates=every, numbers=set_read_only(numbers))


def one_zone(*tables: ReturnFrame) -> str | None:
    """Return the zone of rows of hours, or raise for different ones, where equal times are different moments."""
    zones = {table.zone for table in tables if table.zone is not None and len(table.labels)}
    if len(zones) > 1:
        named = [zone or "none" for zone in sorted(zones)]
        raise InvalidDatesError(
            f"expected assets, factors and the risk-free rate in one time zone, got {labels.listing(named)}; bring "
            "them to one with .tz_localize(...) and .tz_convert(...) of each index.",
            zones=named,
        )
    return zones.pop() if zones else None
