"""Reading what lies on the workers: one task for each chunk, and a tree of merges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any, Self, final
from uuid import uuid4

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel.data.memory import InMemory
from riskmodel.errors import InvalidParameterError, NoOverlapError
from riskmodel.estimation.base import MomentEstimator as Estimator
from riskmodel.estimation.moments.value import Moments
from riskmodel.panel.dask.chunk import Reading, Stretch
from riskmodel.panel.dask.loader import Loader
from riskmodel.panel.dask.source import RETURNS, as_floats, dask_module, floats
from riskmodel.panel.memory import ReturnPanel

# So many readings, each as long as its assets, are merged by one task.
_FAN_IN = 8
# Chunks of fewer dates, in all or for each factor, are put together first: over hardly more dates than factors a
# regression is conditioned by chance, and merging squares the condition.
_FEWEST_DATES, _FEWEST_DATES_PER_FACTOR = 32, 4
# From this suspicion on, columns are fetched and checked, so many numbers at a time.
_SUSPECT, _FETCHED = 0.5, 1_000_000
# An array of readings, as Dask is told of it.
_OBJECTS: dict[str, Any] = {"dtype": object, "meta": np.empty((0, 0), dtype=object)}


@final
@frozen(eq=False)
class Rows:
    """The returns of a panel as an array on the workers, and what is known of its rows and columns.

    Attributes
    ----------
    names : pandas.Index
        The assets.
    data : callable
        Gives a provider of some returns with the panel's factors and rate.
    dates : pandas.DatetimeIndex
        The date of each row.
    returns : dask.array.Array
        Total returns.
    """

    names: pd.Index[Any]
    data: Callable[[pd.DataFrame], InMemory]
    dates: pd.DatetimeIndex
    returns: Any

    @classmethod
    def of(
        cls, names: pd.Index[Any], data: Callable[[pd.DataFrame], InMemory], dates: pd.DatetimeIndex, returns: Any
    ) -> Self:
        """Put chunks of hardly any dates together."""
        k = len(data(pd.DataFrame(index=dates)).factors)
        least = max(_FEWEST_DATES, _FEWEST_DATES_PER_FACTOR * (k + 1))
        rows, columns = returns.chunks
        return cls(names, data, dates, returns.rechunk((_put_together(rows, least), _put_together(columns, 1))))

    def known(self, without: Any = ()) -> ReturnPanel:
        """The aligned dates with all that is known of them here, but for some on which no asset has a return."""
        # one asset stands for all, whose returns are elsewhere
        there = np.where(self.dates.isin(pd.DatetimeIndex(without)), np.nan, 0.0)
        data = self.data(pd.DataFrame({RETURNS: there}, self.dates))
        return data.panel(data.assets, data.factors)

    def read(self, known: ReturnPanel, estimator: Estimator) -> list[Reading]:
        """Compute what each run of assets says, in a basis of the factors that is orthonormal over all dates."""
        readings = self._readings(Stretch.cut(self.dates, self.returns.chunks[0], known, estimator))
        merged = dask_module("array").reduction(
            readings, _one, _merged, combine=_merged, axis=0, split_every=_FAN_IN, concatenate=False, **_OBJECTS
        )
        return list(dask_module("base").compute(*merged.to_delayed().ravel()))

    def _readings(self, stretches: Sequence[Stretch]) -> Any:
        """Return a Dask array with a reading in the place of each chunk."""
        (optimised,) = dask_module("base").optimize(self.returns)
        # what is in a cluster's memory already is in the first graph alone
        graph = dict(self.returns.__dask_graph__()) | dict(optimised.__dask_graph__())
        cells = list(np.ndindex(*self.returns.numblocks))
        loaders = Loader.of(graph, [(optimised.name, *cell) for cell in cells])
        name = f"riskmodel-{uuid4().hex}"
        graph |= {(f"dates-{name}", i): stretch for i, stretch in enumerate(stretches)}
        for (i, j), loader in zip(cells, loaders, strict=True):
            # a chunk that is there is read where it is if nothing that may be elsewhere is an input too
            stretch = (f"dates-{name}", i) if loader.graph else stretches[i]
            graph[name, i, j] = (_read, loader, list(loader.inputs), stretch, self.returns.chunks[1][j])
        ones = tuple((1,) * n for n in self.returns.numblocks)
        return dask_module("array").Array(graph, name, chunks=ones, **_OBJECTS)

    def require_returns(self, columns: Sequence[Reading]) -> None:
        """Fetch the columns that may be no returns, the most suspicious first, and check them as in memory."""
        suspicion = np.concatenate([c.signs.suspicion() for c in columns])
        suspects = np.argsort(-suspicion, kind="stable")[: np.count_nonzero(suspicion >= _SUSPECT)]
        few = max(1, _FETCHED // len(self.dates))
        for some in (np.sort(suspects[i : i + few]) for i in range(0, len(suspects), few)):
            names = self.names[some]
            fetched = as_floats(self.returns[:, some]).compute()
            data = self.data(pd.DataFrame(fetched, self.dates, names))
            with suppress(NoOverlapError):  # which these few may have, and which is told after they were checked
                data.panel(data.assets, data.factors)

    def beside(self, columns: Sequence[Reading]) -> Moments:
        """Put the moments of each run of assets beside each other, under their names."""
        edges = np.cumsum([0, *(len(c.signs.seen) for c in columns)])
        parts = zip((c.moments for c in columns), pairwise(edges), strict=True)
        first, *rest = (evolve(m, assets=self.names[a:b]) for m, (a, b) in parts if m is not None)
        return first.concat_assets(*rest)

    def idle(self) -> pd.DatetimeIndex:
        """The dates on which no asset has a return."""
        empty = dask_module("array").isnan(as_floats(self.returns)).all(axis=1).compute()
        return pd.DatetimeIndex(self.dates[empty])


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


def _read(loader: Loader, inputs: list[Any], stretch: Stretch, n: int) -> Reading:
    returns, shape = floats(loader.load(inputs)), (len(stretch.rank), n)
    if returns.shape != shape:
        raise InvalidParameterError(
            f"a chunk of shape {shape} was announced, but {returns.shape} came; what makes the array's chunks must "
            "give them the shape that was declared."
        )
    return stretch.read(returns)


def _one(reading: Reading, **_: Any) -> Reading:
    return reading


def _merged(readings: Any, **_: Any) -> Reading:
    return Reading.merged(dask_module("core").flatten(readings if isinstance(readings, list) else [readings]))
