"""Aligned excess returns: dates × assets, beside dates × factors."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from riskmodel import labels
from riskmodel.covariance import Array, by_constructor, floats, is_unchanging, read_only
from riskmodel.errors import (
    ImpossibleReturnsError,
    InvalidParameterError,
    NoOverlapError,
    PercentReturnsError,
    UnknownAssetError,
    UnknownFactorError,
)
from riskmodel.horizon import YEAR, Horizon, require_horizon
from riskmodel.table import LARGEST, Table

# A typical (median) move beyond this per √day is no return in decimals; in percent it is an everyday one.
PLAINLY_PERCENT = 0.2
# Beyond this a factor is no return in percent either, but something on a scale of its own.
_NOT_PERCENT = 20.0
_ROWS_LOOKED_AT = 256
# Prices and gross returns, which are never negative, are told from returns by a typical size from here on...
PLAINLY_LEVEL = 0.5
# ... among so many values, of which some returns would have been negative.
ENOUGH_SIGNS = 20
# A risk-free rate beyond these is no decimal: typically, and at its highest, where years near zero hide the unit.
_TYPICAL_RATE, _HIGH_RATE, _HIGH = 0.3, 1.0, 0.99


def _check(self: ReturnPanel, _attribute: Any, _value: Any) -> None:
    t, n, k = len(self.dates), len(self.asset_names), len(self.factor_names)
    if not isinstance(self.dates, pd.DatetimeIndex) or self.dates.hasnans or not _increasing(self.dates):
        raise InvalidParameterError("dates must be an increasing DatetimeIndex; ReturnPanel.align sorts and checks.")
    expected = {"assets": (t, n), "factors": (t, k), "risk_free": (t,)}
    for name, shape in expected.items():
        came = getattr(self, f"_{name}").shape
        if came != shape:
            raise InvalidParameterError(f"{name} must have shape {shape}, but {came} came.")
    for name in ("factors", "risk_free"):
        if not (np.abs(getattr(self, f"_{name}")) <= LARGEST).all():
            raise InvalidParameterError(
                f"{name} must be finite on every date of a panel, and at most {LARGEST:g} in size; ReturnPanel.align "
                "leaves incomplete dates out."
            )
    if len(self.sources) != k or len(self.funded) != k:
        raise InvalidParameterError(f"sources and funded must have one entry for each of the {k} factors.")


def _by_asset(values: Any) -> Array:
    """Return returns that nobody can write to, each asset's dates side by side in memory, as sums over dates want them.

    A copy, unless it is such an array already.
    """
    if isinstance(values, np.ndarray) and values.ndim == 2 and _is_by_asset(values) and is_unchanging(values):
        return values
    return _frozen(np.array(floats(values), order="F"))


def _is_by_asset(values: NDArray[Any]) -> bool:
    return len(values) <= 1 or values.strides[0] == values.itemsize


class Panel(ABC):
    """What estimators read: excess returns in memory (`ReturnPanel`) or elsewhere (`StoredPanel`)."""

    __slots__ = ()

    @property
    @abstractmethod
    def dates(self) -> pd.DatetimeIndex:
        """T dates, increasing."""

    @property
    @abstractmethod
    def asset_names(self) -> pd.Index[Any]:
        """N labels."""

    @property
    @abstractmethod
    def factor_names(self) -> pd.Index[Any]:
        """K labels."""

    @property
    @abstractmethod
    def horizon(self) -> Horizon:
        """What one row spans."""

    @property
    @abstractmethod
    def sources(self) -> tuple[Any, ...]:
        """What each factor was asked for by."""

    @property
    @abstractmethod
    def funded(self) -> tuple[bool, ...]:
        """Whether holding each factor costs cash."""

    @abstractmethod
    def arrays(self) -> tuple[Any, Array, Array]:
        """Return excess returns (T × N, whose columns can be sliced), factors (T × K) and the risk-free rate (T,)."""

    @abstractmethod
    def select(self, assets: Any = None, factors: Any = None, start: object = None, end: object = None) -> ReturnPanel:
        """Return a panel in memory of some assets, factors and dates; None is all."""


@final
@frozen(eq=False, repr=False)
class ReturnPanel(Panel):
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
    provenance : dict of str, optional
        By source, the vintage of what it gave, such as ``{"F-F_Research_Data_Factors_daily": "202407 CRSP"}``.
    """

    dates: pd.DatetimeIndex
    asset_names: pd.Index[Any] = field(converter=labels.asset_labels)
    factor_names: pd.Index[Any] = field(converter=labels.factor_labels)
    _assets: Array = field(converter=_by_asset)
    _factors: Array = field(converter=read_only)
    _risk_free: Array = field(converter=read_only)
    horizon: Horizon
    sources: tuple[Any, ...]
    funded: tuple[bool, ...]
    _dropped: Any = field(validator=_check)
    _provenance: Any = field(factory=dict)

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
        provenance: Mapping[str, str] | None = None,
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
            As in the class; by default the column names, and whether they say that they are excess returns, as
            ``Mkt-RF`` does (`PublishedFactor` has the list).
        provenance : mapping of str, optional
            As in the class; by default empty.

        Raises
        ------
        DataError
            One of its kinds: `DuplicateDatesError`, `DuplicateLabelsError`, `InvalidDatesError`,
            `NoOverlapError`, `NonNumericError`, `InfiniteReturnsError`, `PercentReturnsError`,
            `ImpossibleReturnsError`, `SpacingError`.
        """
        require_horizon(horizon)
        assets = Table.read(asset_returns, "asset returns", horizon)
        if not len(assets.labels):
            raise InvalidParameterError("a panel needs at least one asset, but asset returns without columns came.")
        factors = Table.read(factor_returns, "factor returns", horizon)
        free = Table.read_rate(risk_free, horizon)
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
            provenance=dict(provenance or {}),
        )

    def __repr__(self) -> str:
        t, n = self._assets.shape
        span = f"{self.dates[0].date()} to {self.dates[-1].date()}" if t else "no dates"
        return (
            f"<ReturnPanel {t} dates ({span}, per {self.horizon}) × {n} assets, "
            f"{len(self.factor_names)} factors, {len(self._dropped)} dates dropped>"
        )

    __reduce__ = by_constructor

    @property
    def assets(self) -> pd.DataFrame:
        """Excess returns, dates × assets, decimals per `horizon`; NaN where missing."""
        return pd.DataFrame(self._assets, self.dates.copy(), self.asset_names.copy(), copy=False)

    @property
    def factors(self) -> pd.DataFrame:
        """Factor returns, dates × factors, decimals per `horizon`."""
        return pd.DataFrame(self._factors, self.dates.copy(), self.factor_names.copy(), copy=False)

    @property
    def risk_free(self) -> pd.Series[float]:
        """Risk-free rate by date, decimals per `horizon`."""
        return pd.Series(self._risk_free, self.dates.copy(), name="risk_free", copy=False)

    @property
    def dropped(self) -> pd.DataFrame:
        """The dates that alignment left out, and why: columns ``date`` and ``reason``."""
        left: pd.DataFrame = self._dropped.copy()
        return left

    @property
    def provenance(self) -> dict[str, str]:
        """By source, the vintage of what it gave; empty where nothing is known."""
        return dict(self._provenance)

    def arrays(self) -> tuple[Array, Array, Array]:
        """The read-only arrays behind `assets`, `factors` and `risk_free`."""
        return self._assets, self._factors, self._risk_free

    def select(self, assets: Any = None, factors: Any = None, start: object = None, end: object = None) -> ReturnPanel:
        """Return the panel of some assets, some factors, or some dates (both ends included).

        Dates stay even where none of the chosen assets has a return: the factors are still known there.

        Parameters
        ----------
        assets, factors : label or sequence of labels, optional
            In the order wanted; by default all.
        start, end : date-like, optional
            The window, both ends included. ``"2018"`` and ``"2018-11"`` mean the whole year and month, at
            either end. Monthly and longer spans count by their last calendar day.

        Raises
        ------
        UnknownAssetError, UnknownFactorError
            For labels that are not in the panel.
        NoOverlapError
            If no date is left.
        """
        inside = within(self, start, end)
        dropped = _between(pd.DatetimeIndex(self._dropped["date"]), *window(start, end))
        columns, a = chosen(assets, self.asset_names, "asset", UnknownAssetError)
        names, f = chosen(factors, self.factor_names, "factor", UnknownFactorError)
        return evolve(
            self,
            dates=self.dates[inside],
            asset_names=columns,
            factor_names=names,
            assets=_part(self._assets, inside, a),
            factors=_part(self._factors, inside, f),
            risk_free=self._risk_free[inside],
            sources=tuple(self.sources[j] for j in f),
            funded=tuple(self.funded[j] for j in f),
            dropped=self._dropped[dropped].reset_index(drop=True),
        )


def within(panel: Panel, start: object, end: object) -> NDArray[np.bool_]:
    """Which dates of a panel lie in a window, or an error where none does."""
    inside = _between(panel.dates, *window(start, end))
    if not inside.any():
        raise NoOverlapError(f"no date of {panel!r} lies between {start} and {end}; widen the window.")
    return inside


def _between(dates: pd.DatetimeIndex, low: pd.Timestamp | None, high: pd.Timestamp | None) -> NDArray[np.bool_]:
    inside = np.ones(len(dates), dtype=bool)
    if low is not None:
        inside &= dates >= low
    if high is not None:
        inside &= dates <= high
    return inside


def window(
    start: object, end: object, names: tuple[str, str] = ("start", "end")
) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """Read the two ends of a window of dates, local where they have a time zone; None leaves an end open.

    A `pandas.Period`, or a string such as ``"2018"`` or ``"2018-11"``, stands for all of its days. Errors call the ends
    by their names.
    """
    low, high = _edge(start, names[0], "start_time"), _edge(end, names[1], "end_time")
    if low is not None and high is not None and low > high:
        raise InvalidParameterError(f"start must not come after end, but {low.date()} and {high.date()} came.")
    return low, high


def _edge(value: object, name: str, side: str) -> pd.Timestamp | None:
    period = _period(value, name)
    try:
        moment: pd.Timestamp | None = None if period is None else getattr(period, side).normalize()
    except ValueError as error:
        raise InvalidParameterError(f"{name} must lie in the years 1678 to 2261, but {value!r} came.") from error
    return moment


def _period(value: object, name: str) -> pd.Period | None:
    if value is None or isinstance(value, pd.Period):
        return value
    period: object = None
    try:
        # the year first: whether 02/01 is in January or February is not ours to guess
        if isinstance(value, str) and value[:4].isdecimal():
            period = pd.Period(value)
        elif isinstance(value, dt.date | np.datetime64):
            period = pd.Period(pd.Timestamp(value).tz_localize(None), freq="D")
    except ValueError:
        pass
    if not isinstance(period, pd.Period):
        raise InvalidParameterError(f"{name} must be a date such as '2000-01-31', but {value!r} came.")
    return period


def _increasing(dates: pd.DatetimeIndex) -> bool:
    return dates.is_monotonic_increasing and dates.is_unique


def chosen(
    wanted: Any, known: pd.Index[Any], what: str, error: type[UnknownAssetError | UnknownFactorError]
) -> tuple[pd.Index[Any], NDArray[np.intp]]:
    """Read a choice of labels (None is all): the labels, and where they stand."""
    if wanted is None:
        return known, np.arange(len(known), dtype=np.intp)
    # a tuple is one label where the panel has it
    lone = labels.is_lone(wanted) or (
        isinstance(wanted, tuple) and any(isinstance(k, tuple) and k == wanted for k in known)
    )
    names = labels.unique([wanted] if lone else wanted, f"{what}s")
    return names, labels.positions(names, known, what, error)


def _part(array: Array, rows: NDArray[np.bool_], columns: NDArray[np.intp]) -> Array:
    """Rows and columns of a read-only array: itself, not a copy, where that is all of it."""
    every = np.array_equal(columns, np.arange(array.shape[1]))
    if rows.all() and every:
        return array
    at = np.flatnonzero(rows)  # dates that follow one another
    some = array[at[0] : at[-1] + 1]
    return _frozen(np.array(some if every else some[:, columns], order="F" if _is_by_asset(array) else "C"))


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array


def _rows(table: Table, dates: pd.DatetimeIndex) -> Array:
    """Return the rows of the given dates, all of which are there: the table's own array where that is all of it.

    A table without columns needs no rows.
    """
    if not len(table.labels):
        return np.empty((len(dates), 0))
    if len(dates) == len(table.dates):
        return table.numbers
    chosen = np.empty((len(dates), len(table.labels)), order="F")
    np.take(table.numbers.T, table.dates.get_indexer(dates), axis=1, out=chosen.T, mode="clip")
    return chosen


def _common_dates(assets: Table, factors: Table, free: Table) -> tuple[pd.DatetimeIndex, pd.DataFrame]:
    """Split all dates into those to keep and those left out, with the reason."""
    every = assets.dates.union(factors.dates).union(free.dates)
    reasons = np.full(len(every), "", dtype=object)
    lacking = {
        "no asset row": ~every.isin(assets.dates),
        # nothing is missing of no factors
        "no factor row": ~every.isin(factors.dates) & bool(len(factors.labels)),
        "no risk-free row": ~every.isin(free.dates),
        "every asset missing": every.isin(_where(assets, np.asarray(np.isnan(assets.numbers).all(axis=1)))),
        "risk-free rate missing": every.isin(_where(free, np.isnan(free.numbers[:, 0]))),
    }
    for j, name in enumerate(factors.labels):
        lacking[f"factor {name} missing"] = every.isin(_where(factors, np.isnan(factors.numbers[:, j])))
    for reason, where in lacking.items():
        reasons[where] = np.where(reasons[where] == "", reason, reasons[where] + f"; {reason}")
    kept = reasons == ""
    if not kept.any():
        raise NoOverlapError(_no_overlap(assets, factors, free))
    left = pd.DataFrame({"date": every[~kept], "reason": reasons[~kept].astype(str)})
    return every[kept], left


def _where(table: Table, rows: NDArray[np.bool_]) -> pd.DatetimeIndex:
    return table.dates[np.flatnonzero(rows)]


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


def rows_looked_at(n: int) -> slice:
    """Which of n rows, in order of their dates, tell a column's typical size."""
    return slice(None, None, max(1, n // _ROWS_LOOKED_AT))


def doubtful_size(horizon: Horizon) -> float:
    """The least typical size at which a column of asset returns may be refused as no returns in decimals."""
    return min(PLAINLY_LEVEL, PLAINLY_PERCENT * float(np.sqrt(horizon.days)))


def _typical(table: Table) -> Array:
    """The median size of the non-zero entries of each column, over rows spread through the table."""
    sizes = np.abs(table.numbers[rows_looked_at(len(table.numbers))])
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
        sizes = _typical(table)
        _require_no_levels(table, what, sizes, root)
        typical = sizes / root
        percent = (typical > PLAINLY_PERCENT) & (typical <= ceiling)
        if percent.any():
            raise _in_percent(what, table, percent, float(sizes[percent].max()), horizon)
    require_plausible_rate(free, horizon)
    require_possible(assets)


def _require_no_levels(table: Table, what: str, typical: Array, root: float) -> None:
    """Raise for columns that are plainly no returns and never negative: something one takes changes of."""
    positive = (table.numbers > 0).sum(axis=0)
    level = (typical >= min(PLAINLY_LEVEL, PLAINLY_PERCENT * root)) & (positive >= ENOUGH_SIGNS)
    level &= ~(table.numbers < 0).any(axis=0)
    if level.any():
        names = table.labels[level]
        raise ImpossibleReturnsError(
            f"{what} must be simple returns, but {labels.listing(names)} is never negative and typically "
            f"{float(typical[level].max()):.4g}, which looks like prices or index levels (pass .pct_change()) or "
            "gross returns (subtract 1).",
            labels=list(names),
        )


def require_plausible_rate(free: Table, horizon: Horizon) -> None:
    """Raise where a risk-free rate is in percent or stated for a longer span than the horizon."""
    sizes = np.abs(free.numbers[np.isfinite(free.numbers)])
    if not sizes.size:
        return
    high = float(np.quantile(sizes, _HIGH, method="higher"))
    for rate, ceiling, which in ((float(_typical(free)[0]), _TYPICAL_RATE, "typical"), (high, _HIGH_RATE, "high")):
        yearly = horizon.scale_mean(rate, to=YEAR)
        if yearly > ceiling:
            raise PercentReturnsError(
                f"the risk-free rate must be in decimals per {horizon}, but a {which} value is {rate:.3g}, which "
                f"makes {100 * yearly:.0f} % a year: it is in percent (divide by 100) or stated for a longer span "
                f"(rm.YEAR.scale_mean(rate, to=rm.{horizon!r}) brings a yearly one here).",
                labels=list(free.labels),
            )


def _in_percent(
    what: str, table: Table, percent: NDArray[np.bool_], typical: float, horizon: Horizon
) -> PercentReturnsError:
    names = table.labels[percent]
    # of a few rows, prices and percent of good days look alike
    negative = (table.numbers[:, percent] < 0).any()
    advice = (
        "is plainly percent; divide by 100"
        if negative
        else "with none negative is prices (pass .pct_change()), gross returns (subtract 1) or percent (divide by 100)"
    )
    return PercentReturnsError(
        f"{what} must be in decimals (0.01 is one percent), but a typical value of {labels.listing(names)} is "
        f"{typical:.3g} per {horizon}, which {advice}.",
        labels=list(names),
    )


def require_possible(assets: Table) -> None:
    """Raise for returns below -100 %, and for -100 % where another return of the asset follows."""
    lost = assets.numbers <= -1.0
    if lost.any():
        lost &= ~_ended_worthless(assets.numbers, lost)
    if lost.any():
        row, column = np.argwhere(lost)[0]
        raise ImpossibleReturnsError(
            f"a simple return cannot be below -100 %, nor -100 % but for the last of a security that ended worthless; "
            f"{int(lost.sum())} are, first {assets.labels[column]} on {assets.dates[row].date()} "
            f"({assets.numbers[row, column]:.4g}); are these percent, log returns or prices?",
            label=assets.labels[column],
            date=assets.dates[row],
        )


def _ended_worthless(returns: Array, lost: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a return of exactly -100 % is a security's last, as that of a bankrupt company is."""
    rows, columns = np.nonzero(lost)
    last = [returns[r, c] == -1.0 and np.isnan(returns[r + 1 :, c]).all() for r, c in zip(rows, columns, strict=True)]
    ended = np.zeros_like(lost)
    ended[rows, columns] = last
    return ended
