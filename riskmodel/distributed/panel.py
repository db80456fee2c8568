"""A panel whose returns lie on a cluster: workers reduce them to moments, and only those travel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from functools import reduce
from importlib import import_module
from itertools import pairwise
from typing import Any, Self, final
from uuid import uuid4

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel import labels
from riskmodel.covariance import Array
from riskmodel.data.memory import InMemory
from riskmodel.distributed.chunk import Reading, Stretch
from riskmodel.errors import InvalidParameterError, MissingExtraError, NonNumericError, NoOverlapError
from riskmodel.estimators.base import Estimator
from riskmodel.horizon import Horizon
from riskmodel.model import FactorModel
from riskmodel.moments import Moments
from riskmodel.panel import ReturnPanel
from riskmodel.table import read_dates, read_numbers

_RETURNS = "asset returns"
# So many readings, each as long as its assets, are merged by one task.
_FAN_IN = 8
# Chunks of fewer dates, in all or for each factor, are put together first: over hardly more dates than factors a
# regression is conditioned by chance, and merging squares the condition.
_FEWEST_DATES, _FEWEST_DATES_PER_FACTOR = 32, 4
# From this suspicion on, columns are fetched and checked, so many numbers at a time.
_SUSPECT, _FETCHED = 0.5, 1_000_000


@final
@frozen(eq=False, repr=False)
class DaskPanel:
    """Returns on Dask workers, beside factors and a risk-free rate in memory, which are small.

    Made by `from_array` or `from_frame`, which ask what `InMemory` asks. Nothing is computed until `moments`, `fit` or
    `dropped` is. Then each chunk is checked, aligned and reduced to `Moments` where it lies; those of one stretch
    of time after another are merged in a tree, on the workers; those of different assets are put beside each other here.
    The model is that of the same returns in memory, to rounding. What is refused in memory is refused here, with
    the same errors: a few columns that look wrong are fetched, to say what is wrong with them.

    Whatever runs Dask runs this: threads, processes, or the cluster of the ``distributed.Client`` made last, whose
    workers need riskmodel installed. A worker that is lost is Dask's to replace.

    Attributes
    ----------
    asset_names : pandas.Index
        N labels.
    horizon : Horizon
        What one row spans.

    Examples
    --------
    >>> import dask.array as da, numpy as np, pandas as pd, riskmodel as rm
    >>> from riskmodel.distributed import DaskPanel
    >>> days, rng = pd.bdate_range("2014-01-01", periods=1_000), np.random.default_rng(0)
    >>> market = pd.Series(rng.normal(3e-4, 0.01, 1_000), days, name="Mkt-RF")
    >>> noise = da.from_array(rng.normal(0.0, 0.01, (1_000, 3)), chunks=(250, 2))
    >>> returns = noise + market.to_numpy()[:, None] * np.array([0.5, 1.0, 1.5])
    >>> panel = DaskPanel.from_array(
    ...     returns, dates=days, assets=["A", "B", "C"], factors=market, risk_free=0.0, horizon=rm.DAY)
    >>> panel
    <DaskPanel 3 assets, 1,000 rows in 4 × 2 chunks, per day>
    >>> panel.fit(rm.OLS()).loadings.round(1)
       Mkt-RF
    A     0.5
    B     1.0
    C     1.5
    """

    _returns: _Source
    asset_names: pd.Index[Any] = field(converter=labels.asset_labels)
    _factors: Any
    _risk_free: Any
    horizon: Horizon
    _funded: Any

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
    ) -> Self:
        """Take a Dask array, chunked by date, by asset, or both.

        Parameters
        ----------
        returns : dask.array.Array, shape (T, N)
            Total simple returns, decimals per `horizon`; NaN where missing.
        dates : DatetimeIndex, or another index that `InMemory` takes, length T
            The date of each row, in any order.
        assets : sequence of labels, length N
            The label of each column.
        factors, risk_free, horizon, funded
            As in `InMemory`: of pandas, not of Dask.

        Raises
        ------
        MissingExtraError
            If Dask is not installed.
        InvalidParameterError
            If something else came than a Dask array, or one whose shape does not fit the labels.
        NonNumericError
            If it holds no numbers.
        UnknownFactorError, DataError
            As `InMemory`, for what cannot be used among dates, factors and rates.
        """
        index, names = pd.Index(dates), labels.asset_labels(assets)
        _require_array(returns, (len(index), len(names)))
        panel = cls(_Array(returns, index), names, _copy(factors), _copy(risk_free), horizon, funded)
        panel._data(pd.DataFrame(index=index))  # which raises here what would else be raised later
        return panel

    @classmethod
    def from_frame(
        cls,
        returns: Any,
        *,
        factors: pd.DataFrame | pd.Series[float] | None,
        risk_free: pd.Series[float] | float,
        horizon: Horizon,
        funded: Sequence[Any] | None = None,
    ) -> Self:
        """Take a Dask DataFrame, dates × assets, whose partitions are stretches of time.

        Its index is computed first and by itself. Of Parquet that reads one column; of other sources it may read all of
        them, so that ``persist`` pays where the frame fits the cluster, and an array, whose dates are given, where
        it does not.

        Parameters
        ----------
        returns : dask.dataframe.DataFrame, dates × assets
            Total simple returns, decimals per `horizon`; NaN or ``pd.NA`` where missing. Rows in any order.
        factors, risk_free, horizon, funded
            As in `InMemory`: of pandas, not of Dask.

        Raises
        ------
        MissingExtraError
            If Dask is not installed.
        InvalidParameterError
            If something else came than a Dask DataFrame, or one without columns.
        UnknownFactorError, DataError
            As `InMemory`, for what cannot be used among factors and rates.
        """
        _require_frame(returns)
        panel = cls(_Frame(returns), returns.columns, _copy(factors), _copy(risk_free), horizon, funded)
        panel._data(pd.DataFrame(index=pd.DatetimeIndex([])))
        return panel

    def __repr__(self) -> str:
        return f"<DaskPanel {len(self.asset_names)} assets, {self._returns}, per {self.horizon}>"

    def fit(self, estimator: Estimator) -> FactorModel:
        """Estimate a model: what ``estimator.fit`` makes of the same returns in memory.

        Parameters
        ----------
        estimator : Estimator
            For instance ``rm.OLS()`` or ``rm.EWMA(half_life=rm.QUARTER)``.

        Raises
        ------
        DataError, EstimationError
            One of their kinds, as `ReturnPanel.align` and `Estimator.fit` do for the same returns in memory.
        """
        return estimator.estimate(self.moments(estimator))

    def moments(self, estimator: Estimator) -> Moments:
        """Compute what ``estimator.estimate`` needs, with the weights that the estimator gives the dates.

        All chunks are read once. Only where there are dates on which no asset has a return, which are left out, and
        leaving them out changes the weights of others, are they read once more.

        Parameters
        ----------
        estimator : Estimator
            For instance ``rm.OLS()`` or ``rm.EWMA(half_life=rm.QUARTER)``.

        Raises
        ------
        DataError
            One of its kinds, as `ReturnPanel.align` does for the same returns in memory.
        """
        if not isinstance(estimator, Estimator):
            raise InvalidParameterError(f"moments are for an Estimator such as rm.OLS(), but {estimator!r} came.")
        rows = self._rows()
        supposed = kept = rows.known()
        columns = rows.read(supposed, estimator)
        rows.require_returns(columns)
        idle = reduce(np.intersect1d, (c.idle for c in columns))
        if len(idle):
            kept = rows.known(without=supposed.dates[idle])
            if estimator.weights(kept) is not None:
                supposed = kept
                columns = rows.read(supposed, estimator)
        return _in_factors(rows.beside(columns), estimator.moments(supposed), estimator.moments(kept))

    @property
    def dropped(self) -> pd.DataFrame:
        """The dates that alignment leaves out, and why, as in `ReturnPanel`; reads all returns."""
        rows = self._rows()
        return rows.known(without=rows.idle()).dropped

    def _data(self, returns: pd.DataFrame) -> InMemory:
        """The factors and the rate, beside some returns."""
        return InMemory(
            returns, factors=self._factors, risk_free=self._risk_free, horizon=self.horizon, funded=self._funded
        )

    def _rows(self) -> _Rows:
        index, returns = self._returns.laid_out()
        return _Rows(self, read_dates(index, _RETURNS, self.horizon), returns)


def _copy(values: Any) -> Any:
    return values.copy() if isinstance(values, pd.DataFrame | pd.Series) else values


def _in_factors(m: Moments, basis: Moments, dates: Moments) -> Moments:
    """Say in terms of the factors what is said in terms of a basis of theirs; what the dates say is known."""
    return evolve(
        dates,
        assets=m.assets,
        origin=basis.origin + m.origin @ basis.basis,
        basis=m.basis @ basis.basis,
        regressions=m.regressions,
    )


# -- where returns lie ------------------------------------------------------------------------------


class _Source(ABC):
    """Returns on workers."""

    @abstractmethod
    def laid_out(self) -> tuple[pd.Index[Any], Any]:
        """The index of the rows, and a Dask array of float64."""


@final
@frozen(eq=False)
class _Array(_Source):
    array: Any
    index: pd.Index[Any]

    def __str__(self) -> str:
        rows, columns = self.array.numblocks
        return f"{len(self.index):,} rows in {rows:,} × {columns:,} chunks"

    def laid_out(self) -> tuple[pd.Index[Any], Any]:
        return self.index, self.array.map_blocks(_floats, dtype=np.float64, meta=np.empty((0, 0)))


@final
@frozen(eq=False)
class _Frame(_Source):
    frame: Any

    def __str__(self) -> str:
        return f"in {self.frame.npartitions:,} partitions"

    def laid_out(self) -> tuple[pd.Index[Any], Any]:
        parts = _dask("base").compute(*self.frame.index.to_delayed())
        meta = pd.DataFrame(columns=self.frame.columns, dtype=np.float64)
        numbers = self.frame.map_partitions(_float_frame, meta=meta)
        return parts[0].append(list(parts[1:])), numbers.to_dask_array(lengths=[len(p) for p in parts])


def _floats(block: Any) -> Array:
    if type(block) is np.ndarray and block.dtype == np.float64:
        return block
    return read_numbers(pd.DataFrame(block, copy=False), _RETURNS)  # which knows masks, and what is no number


def _float_frame(part: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(read_numbers(part, _RETURNS), part.index, part.columns, copy=False)


def _require_array(returns: Any, shape: tuple[int, int]) -> None:
    if not isinstance(returns, _dask("array").Array):
        raise InvalidParameterError(
            f"returns must be a dask.array.Array, but {type(returns).__name__} came; for an array in memory, see InMemory."
        )
    if returns.shape != shape:
        raise InvalidParameterError(
            f"returns must have shape {shape}, a row for each date and a column for each asset, but {returns.shape} came"
            + ("; compute_chunk_sizes() finds out what is nan." if np.isnan(returns.shape).any() else ".")
        )
    _require_assets(shape[1])
    if returns.dtype.kind not in "fiuO":
        raise NonNumericError(f"{_RETURNS} must hold numbers, but an array of {returns.dtype} came; convert it first.")


def _require_frame(returns: Any) -> None:
    if not isinstance(returns, _dask("dataframe").DataFrame):
        raise InvalidParameterError(
            f"returns must be a dask.dataframe.DataFrame, but {type(returns).__name__} came; for a frame in memory, see "
            "InMemory."
        )
    _require_assets(len(returns.columns))


def _require_assets(n: int) -> None:
    if not n:
        raise InvalidParameterError("a panel needs at least one asset, but asset returns without columns came.")


def _dask(part: str) -> Any:
    try:
        return import_module(f"dask.{part}")
    except ImportError as error:
        raise MissingExtraError(
            "returns on a cluster need Dask, which is not installed; pip install 'riskmodel[dask]'."
        ) from error


# -- reading them -----------------------------------------------------------------------------------


@final
@frozen(eq=False)
class _Rows:
    """The returns of a panel as an array on the workers, and the dates of its rows."""

    panel: DaskPanel
    dates: pd.DatetimeIndex
    returns: Any

    def known(self, without: Any = ()) -> ReturnPanel:
        """The aligned dates with all that is known of them here, but for some on which no asset has a return."""
        # one asset stands for all, whose returns are elsewhere
        there = np.where(self.dates.isin(pd.DatetimeIndex(without)), np.nan, 0.0)
        data = self.panel._data(pd.DataFrame({_RETURNS: there}, self.dates))
        return data.panel(data.assets, data.factors)

    def read(self, known: ReturnPanel, estimator: Estimator) -> list[Reading]:
        """Compute what each run of assets says, in the basis of `_orthonormal` factors."""
        da = _dask("array")
        least = max(_FEWEST_DATES, _FEWEST_DATES_PER_FACTOR * (len(known.factor_names) + 1))
        dates, assets = (_put_together(n, at_least) for n, at_least in zip(self.returns.chunks, (least, 1), strict=True))
        cells = {"dtype": object, "meta": np.empty((0, 0), dtype=object)}
        name = f"stretch-{uuid4().hex}"
        stretches = Stretch.cut(self.dates, dates, known, estimator)
        graph = {(name, i, 0): stretch for i, stretch in enumerate(stretches)}
        readings = da.map_blocks(
            _read,
            self.returns.rechunk((dates, assets)),
            da.Array(graph, name, chunks=((1,) * len(dates), (1,)), **cells),
            chunks=((1,) * len(dates), (1,) * len(assets)),
            **cells,
        )
        merged = da.reduction(
            readings, _one, _merged, combine=_merged, axis=0, split_every=_FAN_IN, concatenate=False, **cells
        )
        return list(_dask("base").compute(*merged.to_delayed().ravel()))

    def require_returns(self, columns: Sequence[Reading]) -> None:
        """Fetch the columns that may be no returns, the most suspicious first, and check them as in memory."""
        suspicion = np.concatenate([c.signs.suspicion() for c in columns])
        suspects = np.argsort(-suspicion, kind="stable")[: np.count_nonzero(suspicion >= _SUSPECT)]
        few = max(1, _FETCHED // len(self.dates))
        for some in (suspects[i : i + few] for i in range(0, len(suspects), few)):
            names = self.panel.asset_names[some]
            data = self.panel._data(pd.DataFrame(self.returns[:, some].compute(), self.dates, names))
            with suppress(NoOverlapError):  # which these few may have, and which is told after they were checked
                data.panel(data.assets, data.factors)

    def beside(self, columns: Sequence[Reading]) -> Moments:
        """Put the moments of each run of assets beside each other, under their names."""
        edges = np.cumsum([0, *(len(c.signs.seen) for c in columns)])
        names = self.panel.asset_names
        first, *rest = (evolve(c.moments, assets=names[a:b]) for c, (a, b) in zip(columns, pairwise(edges), strict=True))
        return first.beside(*rest)

    def idle(self) -> pd.DatetimeIndex:
        """The dates on which no asset has a return."""
        empty = _dask("array").isnan(self.returns).all(axis=1).compute()
        return self.dates[empty]


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


def _read(returns: Array, stretch: Stretch) -> Reading:
    return stretch.read(returns)


def _one(reading: Reading, **_: Any) -> Reading:
    return reading


def _merged(readings: Any, **_: Any) -> Reading:
    return Reading.merged(_dask("core").flatten(readings if isinstance(readings, list) else [readings]))
