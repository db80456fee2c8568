"""A panel whose asset returns lie on Dask workers, which reduce them chunk by chunk (extra ``dask``)."""

from __future__ import annotations

import datetime as dt
import pickle
from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from importlib import import_module
from itertools import pairwise
from operator import add
from typing import Any, Self, TypeVar, final
from uuid import uuid4

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index, row_blocks, set_read_only
from riskmodel._core.bars import require_assets
from riskmodel._core.checks import LARGEST, ReturnChecks
from riskmodel._core.dates import read_local_dates
from riskmodel._core.frames import read_numbers
from riskmodel._core.kinds import ASSET_RETURNS
from riskmodel._core.suspects import warn_of
from riskmodel._core.zones import read_zone
from riskmodel.errors import InvalidParameterError, MissingExtraError, NonNumericError, UnknownAssetError
from riskmodel.horizon import Horizon, require_horizon
from riskmodel.panel.base import chosen
from riskmodel.panel.calendar import CalendarPanel, CalendarSeries
from riskmodel.panel.memory import ReturnPanel
from riskmodel.panel.return_type import TOTAL, ReturnType
from riskmodel.panel.unmatched import DROP, Unmatched

T = TypeVar("T")

_WHAT = "asset returns"
# Copy at most this many rows at a time, so that a worker never holds a second copy of a chunk.
_FEW_ROWS = 64
# One task merges so many readings.
_FAN_IN = 8
# Chunks of fewer dates, in all or for each factor, are put together first: over hardly more dates than factors a
# regression is conditioned by chance, and merging squares the condition.
_FEWEST_DATES, _FEWEST_DATES_PER_FACTOR = 32, 4


@final
@frozen(eq=False, repr=False)
class DaskPanel(CalendarPanel):
    """Asset returns on Dask workers, beside factor returns and the risk-free rate in memory, on common dates.

    What takes moments takes it as it does a `ReturnPanel`: an estimator's ``fit``, ``fit_available``, ``moments`` and
    ``update``, and `Moments.of`. Each chunk is validated, aligned and reduced where it lies. Results of different dates
    are merged in a tree on the workers, those of different assets are put together here. The model is that of the same
    returns in memory, to rounding. Other estimators compute `select` first, which must fit into memory.

    What a `ReturnPanel` would refuse when it is made (percent, prices, infinite values, losses of more than everything)
    is refused once all chunks have been read, with the same errors. As in a `StoredPanel`, a date on which *no* asset
    has a return is kept: to know of it, all would have to be read first.

    Whatever runs Dask runs this: threads, processes, or the cluster of the ``distributed.Client`` made last, whose
    scheduler and workers need riskmodel installed. Dask replaces workers that are lost.

    Make it with `from_array` or `from_frame`.

    Examples
    --------
    >>> import dask.array as da, numpy as np, pandas as pd, riskmodel as rm
    >>> from riskmodel.panel.dask import DaskPanel
    >>> days, rng = pd.bdate_range("2014-01-01", periods=1_000), np.random.default_rng(0)
    >>> market = pd.Series(rng.normal(3e-4, 0.01, 1_000), days, name="Mkt-RF")
    >>> noise = da.from_array(rng.normal(0.0, 0.01, (1_000, 3)), chunks=(250, 2))
    >>> returns = noise + market.to_numpy()[:, None] * np.array([0.5, 1.0, 1.5])
    >>> panel = DaskPanel.from_array(
    ...     returns, dates=days, assets=["A", "B", "C"], factors=market, risk_free=0.0, horizon=rm.DAY)
    >>> panel
    <DaskPanel 1000 dates (2014-01-01 to 2017-10-31, per day) × 3 assets, 1 factors, 0 dates dropped, in 4 × 2 chunks>
    >>> rm.OLS().fit(panel).loadings.round(1)
       Mkt-RF
    A     0.5
    B     1.0
    C     1.5
    """

    _returns: Any  # dask.array.Array of total returns
    _days: pd.DatetimeIndex  # of its rows
    _assets: pd.Index[Any]

    @classmethod
    def from_array(
        cls,
        returns: Any,
        *,
        dates: Any,
        assets: Any,
        factors: pd.DataFrame | pd.Series[float] | None,
        risk_free: pd.Series[float] | float,
        horizon: Horizon,
        funded: Sequence[Any] | None = None,
        return_type: ReturnType = TOTAL,
        unmatched: Unmatched = DROP,
        time_zone: str | dt.tzinfo | None = None,
    ) -> Self:
        """Take a Dask array, chunked by date, by asset, or both. Nothing is computed.

        Parameters
        ----------
        returns : dask.array.Array, shape (T, N)
            Simple returns, decimals per `horizon`; NaN where missing.
        dates : DatetimeIndex, or another index that `InMemory` takes, length T
            The date of each row, in any order.
        assets : sequence of labels, length N
            The label of each column.
        factors, risk_free, horizon, funded, return_type, unmatched, time_zone
            As in `StoredPanel`: of pandas, not of Dask.

        Raises
        ------
        MissingExtraError
            If Dask is not installed.
        InvalidParameterError
            If `returns` is no Dask array, or its shape does not fit the labels.
        NonNumericError
            If it does not hold numbers.
        UnknownFactorError
            For a name in `funded` that is not among the factors.
        DataError
            As `ReturnPanel.align`, for dates, factors and the risk-free rate.
        """
        index, names = pd.Index(labels.require_list(dates, "dates")), labels.asset_labels(assets)
        require_assets(names, _WHAT)
        _require_array(returns, (len(index), len(names)))
        beside = CalendarSeries(factors, risk_free, horizon, funded, return_type, unmatched)
        days = _read_days(index, horizon, time_zone)
        return cls._of(
            returns,
            days,
            names,
            beside.align(days),
        )

    @classmethod
    def from_frame(
        cls,
        returns: Any,
        *,
        factors: pd.DataFrame | pd.Series[float] | None,
        risk_free: pd.Series[float] | float,
        horizon: Horizon,
        funded: Sequence[Any] | None = None,
        return_type: ReturnType = TOTAL,
        unmatched: Unmatched = DROP,
        time_zone: str | dt.tzinfo | None = None,
    ) -> Self:
        """Take a Dask DataFrame, dates × assets, whose partitions are stretches of time. Its index is computed.

        Of Parquet that reads one column; of other sources it may read all of them, so that ``persist`` pays where the
        frame fits the cluster, and an array, whose dates are given, where it does not.

        Parameters
        ----------
        returns : dask.dataframe.DataFrame, dates × assets
            Simple returns, decimals per `horizon`; NaN or ``pd.NA`` where missing. Rows in any order.
        factors, risk_free, horizon, funded, return_type, unmatched, time_zone
            As in `StoredPanel`: of pandas, not of Dask.

        Raises
        ------
        MissingExtraError
            If Dask is not installed.
        InvalidParameterError
            If `returns` is no Dask DataFrame, or has no columns.
        UnknownFactorError
            For a name in `funded` that is not among the factors.
        DataError
            As `ReturnPanel.align`, for dates, labels, factors and the risk-free rate.
        """
        _require_frame(returns)
        names = labels.asset_labels(returns.columns)
        require_assets(names, _WHAT)
        parts = _import("base").compute(*returns.index.to_delayed())
        numbers = returns.map_partitions(_float_frame, meta=pd.DataFrame(columns=names, dtype=np.float64))
        array = numbers.to_dask_array(lengths=[len(part) for part in parts])
        beside = CalendarSeries(factors, risk_free, horizon, funded, return_type, unmatched)
        days = _read_days(parts[0].append(list(parts[1:])), horizon, time_zone)
        return cls._of(array, days, names, beside.align(days))

    @classmethod
    def _of(cls, returns: Any, days: pd.DatetimeIndex, assets: pd.Index[Any], calendar: ReturnPanel) -> Self:
        least = max(_FEWEST_DATES, _FEWEST_DATES_PER_FACTOR * (len(calendar.factors) + 1))
        rows, columns = returns.chunks
        return cls(calendar, returns.rechunk((_put_together(rows, least), _put_together(columns, 1))), days, assets)

    def __repr__(self) -> str:
        rows, columns = self._returns.numblocks
        return self._describe(f"in {rows:,} × {columns:,} chunks")

    @property
    def assets(self) -> pd.Index[Any]:
        """N labels."""
        return self._assets

    def arrays(self) -> tuple[Array, Array, Array]:
        """Compute the arrays of `select`: all returns, here."""
        return self.select().arrays()

    def select(self, assets: Any = None, factors: Any = None, start: object = None, end: object = None) -> ReturnPanel:
        """Compute the panel of some assets, some factors, or some dates, as `ReturnPanel.select` does, into memory.

        Raises
        ------
        UnknownAssetError, UnknownFactorError
            For labels that are not in the panel.
        NoOverlapError
            If no date is left.
        DataError
            As the class says.
        """
        calendar = self._calendar.select(factors=factors, start=start, end=end)
        names, columns = chosen(assets, self.assets, "asset", UnknownAssetError)
        part = self._returns[self._days.get_indexer(calendar.dates)][:, columns]
        returns = part.map_blocks(_floats, dtype=np.float64, meta=np.empty((0, 0))).compute()
        _finish(_checks(names, calendar.dates, self.horizon).update(returns, calendar.dates))
        return _with_returns(calendar, names, returns, np.arange(len(returns), dtype=np.intp))

    def reduce(
        self,
        read: Callable[..., T],
        merge_dates: Callable[[T, T], T],
        concat_assets: Callable[[Sequence[T]], T],
        *by_date: Array,
    ) -> T:
        """Let the workers read each chunk where it lies and merge what they read; see `Panel.reduce`.

        Raises
        ------
        DataError
            As the class says.
        """
        merge = partial(_merge, merge_dates)
        # an array of objects, of which Dask knows no more than where they stand
        objects: dict[str, Any] = {"dtype": object, "meta": np.empty((0, 0), dtype=object)}
        merged = _import("array").reduction(
            self._readings(read, by_date, objects),
            _same,
            merge,
            combine=merge,
            axis=0,
            split_every=_FAN_IN,
            concatenate=False,
            **objects,
        )
        readings: Sequence[_ChunkSummary] = _import("base").compute(*merged.to_delayed().ravel())
        checks = _checks(self.assets, self._days, self.horizon) + ReturnChecks.concat([r.checks for r in readings])
        _finish(checks)
        return concat_assets([r.value for r in readings])

    def _readings(self, read: Callable[..., Any], by_date: Sequence[Array], objects: dict[str, Any]) -> Any:
        """A Dask array with a `_ChunkSummary` in the place of each chunk.

        A task has the chunk as its only input: so Dask fuses it with what makes the chunk, which is no result then and
        cannot travel.
        """
        name = f"riskmodel-{uuid4().hex}"
        edges = np.cumsum([0, *self._returns.chunks[1]])
        tasks = {
            (name, i, j): (_Chunk(stretch, self.assets[a:b], read), (self._returns.name, i, j))
            for i, stretch in enumerate(self._stretches(by_date))
            for j, (a, b) in enumerate(pairwise(edges))
        }
        graph = _import("highlevelgraph").HighLevelGraph.from_collections(name, tasks, [self._returns])
        ones = tuple((1,) * n for n in self._returns.numblocks)
        return _import("array").Array(graph, name, chunks=ones, **objects)

    def _stretches(self, by_date: Sequence[Array]) -> Iterator[_ChunkRow]:
        """What is known of the dates of each row of chunks."""
        # each chunk is told the few dates that tell typical sizes; sampled again, they are all kept
        sample = pd.DatetimeIndex(_checks(pd.RangeIndex(0), self._days, self.horizon).sample.astype("datetime64[us]"))
        place = self.dates.get_indexer(self._days)
        for a, b in pairwise(np.cumsum([0, *self._returns.chunks[0]])):
            own = place[a:b]
            kept = np.argsort(own)[np.count_nonzero(own < 0) :]
            yield _ChunkRow(
                days=self._days[a:b],
                sample=sample,
                kept=kept,
                calendar=_calendar_at(self._calendar, own[kept]),
                by_date=tuple(values[own[kept]] for values in by_date),
            )


@final
@frozen(eq=False)
class _ChunkRow:
    """What is known of the dates of one row of chunks.

    Attributes
    ----------
    days : pandas.DatetimeIndex
        Date of each row.
    sample : pandas.DatetimeIndex
        Dates whose returns tell typical sizes, of the whole panel.
    kept : array of int
        Rows that are on the panel's dates, in order of date.
    calendar : ReturnPanel
        Of the dates kept, without assets.
    by_date : tuple of array
        Of the dates kept.
    """

    days: pd.DatetimeIndex
    sample: pd.DatetimeIndex
    kept: Index
    calendar: ReturnPanel
    by_date: tuple[Array, ...]


@final
@frozen(eq=False)
class _Chunk:
    """What a worker does with one chunk: validate, align, read."""

    stretch: _ChunkRow
    assets: pd.Index[Any]
    read: Callable[..., Any]

    def __call__(self, chunk: Any) -> _ChunkSummary:
        s = self.stretch
        returns, expected = _floats(chunk, self.assets), (len(s.days), len(self.assets))
        if returns.shape != expected:
            raise InvalidParameterError(
                f"expected a chunk of shape {expected}, as the Dask array declares, got one of shape {returns.shape}; "
                "let what makes the chunks return the shape declared.",
                expected=expected,
                got=returns.shape,
            )
        checks = _checks(pd.RangeIndex(len(self.assets)), s.sample, s.calendar.horizon).update(returns, s.days)
        found = _for_travel(checks)
        if not len(s.kept):
            return _ChunkSummary(found, None)
        usable = np.maximum(-checks.low, checks.high) <= LARGEST
        if not usable.all():  # which will be refused, and must not overflow before
            returns = np.where(usable, returns, np.nan)
        return _ChunkSummary(found, self.read(_with_returns(s.calendar, self.assets, returns, s.kept), *s.by_date))


@final
@frozen(eq=False)
class _ChunkSummary:
    """What was read of a chunk, or of several over different dates; `value` is None where no date is kept."""

    checks: ReturnChecks
    value: Any

    def __sizeof__(self) -> int:
        """By which Dask decides what to send where: as much as would travel."""
        arrays: list[pickle.PickleBuffer] = []
        rest = pickle.dumps(self, protocol=5, buffer_callback=arrays.append)
        return len(rest) + sum(a.raw().nbytes for a in arrays)


def _same(reading: _ChunkSummary, **_: Any) -> _ChunkSummary:
    return reading


def _merge(merge_dates: Callable[[Any, Any], Any], readings: Any, **_: Any) -> _ChunkSummary:
    """Merge readings of the same assets, in the nested lists that Dask makes of them."""
    parts = list(_import("core").flatten(readings if isinstance(readings, list) else [readings]))
    values = [p.value for p in parts if p.value is not None]
    checks = reduce(add, (p.checks for p in parts))
    return _ChunkSummary(checks, reduce(merge_dates, values) if values else None)


def _with_returns(calendar: ReturnPanel, assets: pd.Index[Any], returns: Array, rows: Index) -> ReturnPanel:
    """A panel of a calendar and some rows of total returns."""
    rate = calendar.arrays()[2][:, None]
    if calendar.return_type is not TOTAL:
        rate = np.zeros_like(rate)
    excess = np.empty((len(rows), len(assets)), order="F")
    for few in row_blocks(len(rows), _FEW_ROWS):
        np.subtract(returns[rows[few]], rate[few], out=excess[few])
    return evolve(calendar, assets=assets, excess_returns=set_read_only(excess))


_COUNTS = ("present", "nonzero", "larger", "quiet", "moved")


def _for_travel(checks: ReturnChecks) -> ReturnChecks:
    """Checks without the sampled dates, which the panel knows, and with narrow counts."""
    counts: dict[str, Any] = {n: getattr(checks, n).astype(np.int32) for n in _COUNTS}
    return evolve(checks, sample=checks.sample[:0], **counts)


def _checks(assets: pd.Index[Any], dates: pd.DatetimeIndex, horizon: Horizon) -> ReturnChecks:
    return ReturnChecks.start(ASSET_RETURNS, horizon, assets, dates)


def _finish(checks: ReturnChecks) -> None:
    checks.finish()
    warn_of(checks.suspects(), checks.kind.name)


def _read_days(index: pd.Index[Any], horizon: Horizon, zone: str | dt.tzinfo | None) -> pd.DatetimeIndex:
    require_horizon(horizon)
    return read_local_dates(index, _WHAT, horizon, read_zone(zone))


def _calendar_at(calendar: ReturnPanel, at: Index) -> ReturnPanel:
    _, factors, rate = calendar.arrays()
    return evolve(
        calendar,
        dates=calendar.dates[at],
        assets=pd.RangeIndex(0),
        excess_returns=np.empty((len(at), 0)),
        factor_returns=factors[at],
        risk_free=rate[at],
        dropped=calendar.dropped[:0],
        left_out=None,
    )


def _put_together(sizes: Sequence[int], least: int) -> tuple[int, ...]:
    """Sizes of runs of neighbouring chunks, none below `least` unless all together are."""
    runs = [0]
    for size in sizes:
        if runs[-1] >= least:
            runs.append(0)
        runs[-1] += size
    if len(runs) > 1 and runs[-1] < least:
        runs[-2:] = [sum(runs[-2:])]
    return tuple(runs)


def _floats(block: Any, assets: pd.Index[Any] | None = None) -> Array:
    """A chunk as a plain array of float64: itself where it is one."""
    if type(block) is np.ndarray and block.dtype == np.float64:
        return block
    return read_numbers(pd.DataFrame(block, columns=assets, copy=False), _WHAT)  # knows masks, and what is no number


def _float_frame(part: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(read_numbers(part, _WHAT), part.index, part.columns, copy=False)


def _require_array(returns: Any, shape: tuple[int, int]) -> None:
    """Raise for what is no Dask array of numbers of that shape."""
    if not isinstance(returns, _import("array").Array):
        raise InvalidParameterError(
            f"expected a dask.array.Array, got {type(returns).__name__}; for returns in memory, use rm.InMemory."
        )
    if returns.shape != shape:
        hint = (
            "compute_chunk_sizes() first"
            if np.isnan(returns.shape).any()
            else "give one date a row, one label an asset"
        )
        raise InvalidParameterError(
            f"expected returns of shape {shape}, as there are dates and assets, got {returns.shape}; {hint}.",
            expected=shape,
            got=returns.shape,
        )
    _require_assets(shape[1])
    if returns.dtype.kind not in "fiuO":
        raise NonNumericError(f"expected {_WHAT} as real numbers, got an array of dtype {returns.dtype}; convert it.")


def _require_frame(returns: Any) -> None:
    """Raise for what is no Dask DataFrame with columns."""
    if not isinstance(returns, _import("dataframe").DataFrame):
        raise InvalidParameterError(
            f"expected a dask.dataframe.DataFrame, got {type(returns).__name__}; for returns in memory, use "
            "rm.InMemory."
        )
    _require_assets(len(returns.columns))


def _require_assets(n: int) -> None:
    if not n:
        raise InvalidParameterError(f"expected at least one asset, got {_WHAT} without columns.")


def _import(part: str) -> Any:
    """Import a part of Dask, or raise `MissingExtraError`."""
    try:
        return import_module(f"dask.{part}")
    except ImportError as error:
        raise MissingExtraError.of("DaskPanel", "dask", "dask") from error
