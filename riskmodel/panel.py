"""Aligned excess returns: dates × assets, beside dates × factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from riskmodel import labels
from riskmodel.covariance import Array, read_only
from riskmodel.errors import (
    ImpossibleReturnsError,
    InvalidParameterError,
    NoOverlapError,
    PercentReturnsError,
    UnknownAssetError,
    UnknownFactorError,
)
from riskmodel.horizon import YEAR, Horizon
from riskmodel.table import Table

# A typical (median) move beyond this per √day is no return in decimals; in percent it is an everyday one.
_PLAINLY_PERCENT = 0.2
# Beyond this a factor is no return in percent either, but something on a scale of its own.
_NOT_PERCENT = 20.0
_ROWS_LOOKED_AT = 256


def _check(self: ReturnPanel, *_: object) -> None:
    t, n, k = len(self.dates), len(self.asset_names), len(self.factor_names)
    expected = {"assets": (t, n), "factors": (t, k), "risk_free": (t,)}
    for name, shape in expected.items():
        came = getattr(self, f"_{name}").shape
        if came != shape:
            raise InvalidParameterError(f"{name} must have shape {shape}, but {came} came.")
    if len(self.sources) != k or len(self.funded) != k:
        raise InvalidParameterError(f"sources and funded must have one entry for each of the {k} factors.")


@final
@frozen(eq=False, repr=False)
class ReturnPanel:
    """Excess returns of assets beside factor returns, on common dates.

    Made by `DataProvider.panel` or `ReturnPanel.align`; the constructor takes arrays that fit already.

    Parameters
    ----------
    dates : pandas.DatetimeIndex
        T dates, increasing. Monthly and longer spans are labelled by their last calendar day.
    asset_names, factor_names : pandas.Index
        N and K labels.
    assets : array, shape (T, N)
        Simple returns in excess of the risk-free rate, decimals per `horizon`; NaN where missing.
    factors : array, shape (T, K)
        Factor returns, decimals per `horizon`; none missing.
    risk_free : array, shape (T,)
        Risk-free rate, decimals per `horizon`; none missing.
    horizon : Horizon
        What one row spans.
    sources : tuple
        What each factor was asked for by: a `Factor`, or its name.
    funded : tuple of bool
        Whether each factor is funded: holding it costs cash, and shorting it raises cash.
    dropped : DataFrame, columns ``date`` and ``reason``
        The dates that alignment left out, and why.
    """

    dates: pd.DatetimeIndex
    asset_names: pd.Index = field(converter=lambda x: labels.unique(x, "assets"))
    factor_names: pd.Index = field(converter=lambda x: labels.unique(x, "factors"))
    _assets: Array = field(converter=read_only)
    _factors: Array = field(converter=read_only)
    _risk_free: Array = field(converter=read_only)
    horizon: Horizon
    sources: tuple[Any, ...]
    funded: tuple[bool, ...]
    _dropped: pd.DataFrame = field(validator=_check)

    @classmethod
    def align(
        cls,
        asset_returns: pd.DataFrame,
        factor_returns: pd.DataFrame,
        risk_free: pd.Series[float],
        *,
        horizon: Horizon,
        sources: Sequence[Any] | None = None,
        funded: Sequence[bool] | None = None,
    ) -> Self:
        """Align total asset returns, factor returns and the risk-free rate on their common dates.

        A date is kept where every factor and the risk-free rate are there and at least one asset is. Assets
        may be ragged: a missing return stays missing. What is left out is told by `dropped`.

        Parameters
        ----------
        asset_returns : DataFrame, dates × assets
            Total simple returns, decimals per `horizon`; NaN (or ``pd.NA``) where missing.
        factor_returns : DataFrame, dates × factors
            Decimals per `horizon`.
        risk_free : Series by date
            Decimals per `horizon`.
        horizon : Horizon
            What one row spans.
        sources, funded : sequence, optional
            As in the class; by default the column names, and whether they end in ``-RF``.

        Raises
        ------
        DataError
            One of its kinds: `DuplicateDatesError`, `DuplicateLabelsError`, `InvalidDatesError`,
            `NoOverlapError`, `NonNumericError`, `InfiniteReturnsError`, `PercentReturnsError`,
            `ImpossibleReturnsError`, `SpacingError`.
        """
        assets = Table.read(asset_returns, "asset returns", horizon)
        factors = Table.read(factor_returns, "factor returns", horizon)
        free = Table.read(risk_free, "risk-free rate", horizon)
        _require_decimals(assets, factors, free, horizon)
        kept, dropped = _common_dates(assets, factors, free)
        rate = _rows(free, kept)[:, 0]
        excess = _rows(assets, kept)
        excess -= rate[:, None]
        names = list(factors.labels)
        return cls(
            dates=kept,
            asset_names=assets.labels,
            factor_names=factors.labels,
            assets=_frozen(excess),
            factors=_rows(factors, kept),
            risk_free=rate,
            horizon=horizon,
            sources=tuple(names if sources is None else sources),
            funded=tuple(map(labels.is_excess, names) if funded is None else funded),
            dropped=dropped,
        )

    def __repr__(self) -> str:
        t, n = self._assets.shape
        span = f"{self.dates[0].date()} to {self.dates[-1].date()}" if t else "no dates"
        return (
            f"<ReturnPanel {t} dates ({span}, per {self.horizon}) × {n} assets, "
            f"{len(self.factor_names)} factors, {len(self._dropped)} dates dropped>"
        )

    @property
    def assets(self) -> pd.DataFrame:
        """Excess returns, dates × assets, decimals per `horizon`; NaN where missing."""
        return pd.DataFrame(self._assets, self.dates, self.asset_names, copy=False)

    @property
    def factors(self) -> pd.DataFrame:
        """Factor returns, dates × factors, decimals per `horizon`."""
        return pd.DataFrame(self._factors, self.dates, self.factor_names, copy=False)

    @property
    def risk_free(self) -> pd.Series[float]:
        """Risk-free rate by date, decimals per `horizon`."""
        return pd.Series(self._risk_free, self.dates, name="risk_free", copy=False)

    @property
    def dropped(self) -> pd.DataFrame:
        """The dates that alignment left out, and why: columns ``date`` and ``reason``."""
        return self._dropped.copy()

    def arrays(self) -> tuple[Array, Array, Array]:
        """The read-only arrays behind `assets`, `factors` and `risk_free`."""
        return self._assets, self._factors, self._risk_free

    def select(self, assets: Any = None, factors: Any = None, start: object = None, end: object = None) -> ReturnPanel:
        """Return the panel of some assets, some factors, or some dates (both ends included).

        Dates stay even where none of the chosen assets has a return: the factors are still known there.

        Raises
        ------
        UnknownAssetError, UnknownFactorError
            For labels that are not in the panel.
        NoOverlapError
            If no date is left.
        """
        low, high = window(start, end)
        inside = _between(self.dates, low, high)
        if not inside.any():
            raise NoOverlapError(f"no date of {self!r} lies between {start} and {end}.")
        rows = slice(int(inside.argmax()), int(inside.argmax() + inside.sum()))
        columns, a = _chosen(assets, self.asset_names, "asset", UnknownAssetError)
        names, f = _chosen(factors, self.factor_names, "factor", UnknownFactorError)
        return evolve(
            self,
            dates=self.dates[rows],
            asset_names=columns,
            factor_names=names,
            assets=self._assets[rows][:, a],
            factors=self._factors[rows][:, f],
            risk_free=self._risk_free[rows],
            sources=tuple(self.sources[j] for j in f),
            funded=tuple(self.funded[j] for j in f),
            dropped=self._dropped[_between(pd.DatetimeIndex(self._dropped["date"]), low, high)],
        )


def _between(dates: pd.DatetimeIndex, low: pd.Timestamp | None, high: pd.Timestamp | None) -> NDArray[np.bool_]:
    inside = np.ones(len(dates), dtype=bool)
    if low is not None:
        inside &= dates >= low
    if high is not None:
        inside &= dates <= high
    return inside


def window(start: object, end: object) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Read the two ends of a window of dates; None leaves an end open."""
    ends: list[pd.Timestamp | None] = []
    for name, value in (("start", start), ("end", end)):
        try:
            stamp = None if value is None else pd.Timestamp(value)  # type: ignore[arg-type]
        except (ValueError, TypeError) as error:
            raise InvalidParameterError(f"{name} must be a date such as '2000-01-31', but {value!r} came.") from error
        if stamp is pd.NaT:
            raise InvalidParameterError(f"{name} must be a date such as '2000-01-31', but {value!r} came.")
        ends.append(None if stamp is None else stamp.tz_localize(None).normalize())
    low, high = ends
    if low is not None and high is not None and low > high:
        raise InvalidParameterError(f"start must not come after end, but {low.date()} and {high.date()} came.")
    return low, high


def _chosen(
    wanted: Any, known: pd.Index, what: str, error: type[UnknownAssetError | UnknownFactorError]
) -> tuple[pd.Index, NDArray[np.intp]]:
    if wanted is None:
        return known, np.arange(len(known), dtype=np.intp)
    chosen = labels.unique([wanted] if isinstance(wanted, str) else wanted, f"{what}s")
    return chosen, labels.positions(chosen, known, what, error)


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array


def _rows(table: Table, dates: pd.DatetimeIndex) -> Array:
    """Copy the rows of the given dates, all of which are there."""
    return np.ascontiguousarray(table.values[table.dates.get_indexer(dates)])


def _common_dates(assets: Table, factors: Table, free: Table) -> tuple[pd.DatetimeIndex, pd.DataFrame]:
    """Split all dates into those to keep and those left out, with the reason."""
    every = assets.dates.union(factors.dates).union(free.dates)
    reasons = np.full(len(every), "", dtype=object)
    lacking = {
        "no asset row": ~every.isin(assets.dates),
        "no factor row": ~every.isin(factors.dates),
        "no risk-free row": ~every.isin(free.dates),
        "every asset missing": every.isin(assets.dates[np.isnan(assets.values).all(axis=1)]),
        "risk-free rate missing": every.isin(free.dates[np.isnan(free.values).any(axis=1)]),
    }
    for j, name in enumerate(factors.labels):
        lacking[f"factor {name} missing"] = every.isin(factors.dates[np.isnan(factors.values[:, j])])
    for reason, where in lacking.items():
        reasons[where] = np.where(reasons[where] == "", reason, reasons[where] + f"; {reason}")
    kept = reasons == ""
    if not kept.any():
        raise NoOverlapError(_no_overlap(assets, factors, free))
    left = pd.DataFrame({"date": every[~kept], "reason": reasons[~kept].astype(str)})
    return every[kept], left


def _no_overlap(*tables: Table) -> str:
    names = ("assets", "factors", "risk-free rate")
    spans = [
        f"{name}: {len(t.dates)} dates" + (f" from {t.dates[0].date()} to {t.dates[-1].date()}" if len(t.dates) else "")
        for name, t in zip(names, tables, strict=True)
    ]
    return (
        "assets, factors and risk-free rate have no complete date in common ("
        + "; ".join(spans)
        + "); check the window and how the rows are dated."
    )


def _typical(table: Table) -> Array:
    """The median size of the non-zero entries of each column, over rows spread through the table."""
    step = max(1, len(table.values) // _ROWS_LOOKED_AT)
    sizes = np.abs(table.values[::step])
    sizes[sizes == 0] = np.nan
    seen = np.isfinite(sizes).any(axis=0)
    medians = np.zeros(sizes.shape[1])
    medians[seen] = np.nanmedian(sizes[:, seen], axis=0)
    return medians


def _require_decimals(assets: Table, factors: Table, free: Table, horizon: Horizon) -> None:
    root = float(np.sqrt(horizon.days))
    for table, what, ceiling in (
        (assets, "asset returns", np.inf),
        (factors, "factor returns", _NOT_PERCENT),
    ):
        typical = _typical(table) / root
        percent = (typical > _PLAINLY_PERCENT) & (typical <= ceiling)
        if percent.any():
            raise _in_percent(what, table.labels[percent], float(typical[percent].max() * root), horizon)
    yearly = horizon.scale_mean(_typical(free), to=YEAR)
    if (yearly > 1.0).any():
        raise _in_percent("the risk-free rate", free.labels, float(_typical(free).max()), horizon)
    _require_possible(assets)


def _in_percent(what: str, names: pd.Index, typical: float, horizon: Horizon) -> PercentReturnsError:
    return PercentReturnsError(
        f"{what} must be in decimals (0.01 is one percent), but a typical value of {labels.listing(names)} is "
        f"{typical:.3g} per {horizon}, which is plainly percent; divide by 100.",
        labels=list(names),
    )


def _require_possible(assets: Table) -> None:
    lost = assets.values <= -1.0
    if lost.any():
        row, column = np.argwhere(lost)[0]
        raise ImpossibleReturnsError(
            f"a simple return cannot be -100 % or less, but {int(lost.sum())} are, first "
            f"{assets.labels[column]} on {assets.dates[row].date()} ({assets.values[row, column]:.4g}); are these "
            "percent, log returns or prices? A security that became worthless ends with its last price.",
            label=assets.labels[column],
            date=assets.dates[row],
        )
