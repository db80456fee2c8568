"""Returns in Parquet files with one row for each date and asset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import define, field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Flags, Index
from riskmodel._core.dates import read_dates
from riskmodel._core.progress import Progress
from riskmodel.errors import DuplicateDatesError, InvalidParameterError, LayoutError, UnknownAssetError
from riskmodel.horizon import Horizon
from riskmodel.panel.layout import Long
from riskmodel.panel.stored.parquet import Header, ParquetFile, counted, floats, labels_of_dates
from riskmodel.panel.stored.source import FILE_COLUMNS, Source, block_rows

# Rows of a file that are decoded at a time.
_BATCH_ROWS = 1 << 16


@final
@frozen(eq=False)
class _Columns:
    """What the columns of a file are called there."""

    date: str
    asset: str
    value: str

    @classmethod
    def of(cls, header: Header, layout: Long) -> Self:
        """Find the columns of a layout, which are indices or not."""
        date, asset = (header.column(c, layout) for c in (layout.date, layout.asset))
        if layout.value is not None:
            values = [header.column(layout.value, layout)]
        else:
            values = [n for n in header.names if n not in {date, asset}]
        if len({date, asset, *values}) < 2 + len(values):
            raise InvalidParameterError(f"date, asset and value must be different columns, but {layout!r} came.")
        if len(values) != 1:
            raise LayoutError(
                f"{header.path} must have one column of returns beside {layout.date!r} and {layout.asset!r}, but it "
                f"has {labels.listing(values) or 'none'}; say which with rm.Long(value=...).",
                path=str(header.path),
            )
        header.require_labels(asset)
        header.require_numbers(values)
        return cls(date, asset, values[0])


@final
@frozen(eq=False)
class _Batches:
    """What is known of all batches of rows, in the order in which they are read; an array has an entry for each."""

    file: Index  # which file it is in
    group: Index  # which row group of the file
    stop: Index  # how many rows of the group there are up to its end
    first: Index  # its first and last date, by number
    last: Index
    low: Index  # its lowest and highest asset, by number; -1 where none is wanted
    high: Index

    def complete(self) -> Index:
        """After each batch, how many dates nothing more will come of."""
        return np.append(self._earliest()[1:], np.iinfo(np.intp).max)

    def depth(self) -> int:
        """How many dates are held at most until the first of them is complete."""
        return int((np.maximum.accumulate(self.last) - self._earliest()).max()) + 1

    def useful(self, columns: Index, rows: range) -> Flags:
        """Which may hold some of the assets on some of the dates."""
        wanted = np.zeros(max(self.high.max(), columns.max(initial=0)) + 2, dtype=np.intp)
        wanted[columns + 1] = 1
        up_to = np.cumsum(wanted)
        some = (self.low >= 0) & (up_to[self.high + 1] > up_to[self.low])
        return some & (self.last >= rows.start) & (self.first < rows.stop)

    def _earliest(self) -> Index:
        """The first date of each batch and all that follow."""
        return np.minimum.accumulate(self.first[::-1])[::-1]


@final
@frozen(eq=False)
class LongSource(Source):
    """Long Parquet files in any order: sorted by date or by asset they are read once, otherwise a few times."""

    parquet: tuple[ParquetFile, ...]
    layout: Long
    horizon: Horizon
    dates: pd.DatetimeIndex
    assets: pd.Index[Any]
    depth: int
    batches: _Batches

    @classmethod
    def read(cls, files: Sequence[ParquetFile], layout: Long, wanted: pd.Index[Any] | None, horizon: Horizon) -> Self:
        """Read the dates and labels of all rows."""
        numbers = {} if wanted is None else {a: i for i, a in enumerate(wanted)}
        look = _Look(layout, horizon, numbers, None if wanted is None else len(numbers))
        look.through(files)
        dates = read_dates(pd.DatetimeIndex(sorted(look.dates)), "the files", horizon)
        every = pd.Index(list(look.numbers))
        if wanted is not None:
            labels.positions(wanted, every[look.found(every)], "asset", UnknownAssetError)
        batches = look.batches(dates)
        return cls(tuple(files), layout, horizon, dates, every[: look.count()], batches.depth(), batches)

    @property
    def name(self) -> str:
        """What holds the returns."""
        return counted(self.parquet)

    @property
    def files(self) -> pd.DataFrame:
        """By file: its dates and its size; who appeared is not known, because files may hold some assets each."""
        b = self.batches
        rows: list[tuple[Any, ...]] = []
        for i in dict.fromkeys(b.file):
            own = b.file == i
            with self.parquet[i].opened() as opened:
                count = opened.metadata.num_rows
            days = self.dates[b.first[own].min()], self.dates[b.last[own].max()]
            rows.append((str(self.parquet[i].path), *days, count, None, [], []))
        return pd.DataFrame(rows, columns=list(FILE_COLUMNS))

    def blocks(self, columns: Index, rows: range) -> Iterator[tuple[int, Array]]:
        """Read some columns of consecutive rows, as dates become complete."""
        window = _Window.of(len(self.assets), columns, rows)
        for complete, (dates, assets, values) in self._cells(columns, rows):
            yield from window.until(complete)
            twice = window.add(dates, assets, values)
            if twice is not None:
                raise self._more_than_one(*twice)
        yield from window.until(rows.stop)

    def _cells(self, columns: Index, rows: range) -> Iterator[tuple[int, tuple[Index, Index, Array]]]:
        """Numbers of dates and of assets (-1 where unknown) with returns, after how many dates are complete."""
        b, complete = self.batches, self.batches.complete()
        useful = b.useful(columns, rows)
        for i in dict.fromkeys(b.file[useful]):
            with self.parquet[i].opened() as opened:
                names = _Columns.of(Header.of(self.parquet[i].path, opened.schema_arrow), self.layout)
                for group in dict.fromkeys(b.group[useful & (b.file == i)]):
                    own = np.flatnonzero((b.file == i) & (b.group == group))
                    ready, read = int(complete[own[0] - 1]) if own[0] else 0, 0
                    for table in _batches(opened, int(group), [names.date, names.asset, names.value]):
                        yield ready, self._numbers(table, names, self.parquet[i])
                        read += table.num_rows
                        # which need not come in the same pieces as when they were looked through
                        past = int(np.searchsorted(b.stop[own], read, side="right"))
                        ready = int(complete[own[past - 1]]) if past else ready

    def _numbers(self, table: Any, names: _Columns, file: ParquetFile) -> tuple[Index, Index, Array]:
        days, day = _distinct(table.column(names.date))
        own, asset = _distinct(table.column(names.asset))
        dates = self.dates.get_indexer(labels_of_dates(file.path, days, self.horizon))
        assets = self.assets.get_indexer(pd.Index(own.to_pandas()))
        return dates[day], assets[asset], floats(table.column(names.value))

    def _more_than_one(self, date: int, asset: int) -> DuplicateDatesError:
        return DuplicateDatesError(
            f"{self.assets[asset]} has more than one row on {self.dates[date].date()}; drop the extra ones.",
            asset=self.assets[asset],
            date=self.dates[date],
        )


# -- the dates that are not complete yet ------------------------------------------------------------


@final
@define(eq=False)
class _Window:
    """Returns of some assets on consecutive dates, of which more may come."""

    places: Index  # of each asset, its column, -1 where it has none
    rows: range
    start: int
    held: Array
    taken: Flags  # which of those came

    @classmethod
    def of(cls, n: int, columns: Index, rows: range) -> Self:
        places = np.full(n + 1, -1, dtype=np.intp)  # the last for assets that are not known
        places[columns] = np.arange(len(columns))
        return cls(places, rows, rows.start, np.empty((0, len(columns))), np.empty((0, len(columns)), dtype=bool))

    def add(self, dates: Index, assets: Index, values: Array) -> tuple[int, int] | None:
        """Put returns in their places; return a date and an asset for which there are two."""
        inside = (self.places[assets] >= 0) & (dates >= self.rows.start) & (dates < self.rows.stop)
        day, column = dates[inside] - self.start, self.places[assets[inside]]
        if not len(day):
            return None
        self._grow(int(day.max()) + 1)
        twice = self.taken[day, column]
        before = np.count_nonzero(self.taken)
        self.held[day, column] = values[inside]
        self.taken[day, column] = True
        if np.count_nonzero(self.taken) == before + len(day):
            return None
        first = int((twice | pd.MultiIndex.from_arrays([day, column]).duplicated()).argmax())
        return int(dates[inside][first]), int(assets[inside][first])

    def until(self, stop: int) -> Iterator[tuple[int, Array]]:
        """Give away the dates before `stop`, a block at a time."""
        stop = min(stop, self.rows.stop)
        size = block_rows(self.held.shape[1])
        while self.start < stop:
            count = min(stop - self.start, size)
            self._grow(count)
            first, block = self.start, self.held[:count]
            self.start, self.held, self.taken = first + count, self.held[count:], self.taken[count:]
            yield first, block

    def _grow(self, count: int) -> None:
        more = count - len(self.held)
        if more > 0:
            width = self.held.shape[1]
            self.held = np.concatenate([self.held, np.full((more, width), np.nan)])
            self.taken = np.concatenate([self.taken, np.zeros((more, width), dtype=bool)])


# -- a look through all rows ------------------------------------------------------------------------


@final
@define(eq=False)
class _Look:
    """What a look through the dates and labels of all files finds."""

    layout: Long
    horizon: Horizon
    numbers: dict[Any, int]  # of the assets: the wanted first, then as they come
    wanted: int | None  # how many are; None is all
    dates: set[pd.Timestamp] = field(factory=set)
    rows: list[tuple[int, int, int, pd.Timestamp, pd.Timestamp, int, int]] = field(factory=list)
    came: set[int] = field(factory=set)

    def count(self) -> int:
        """How many assets are wanted."""
        return len(self.numbers) if self.wanted is None else self.wanted

    def found(self, every: pd.Index[Any]) -> Flags:
        """Which assets there are."""
        return np.isin(np.arange(len(every)), list(self.came))

    def through(self, files: Sequence[ParquetFile]) -> None:
        """Look through all files."""
        progress = Progress("Looking through", len(files), "files")
        try:
            for i, file in enumerate(files):
                with file.opened() as opened:
                    names = _Columns.of(Header.of(file.path, opened.schema_arrow), self.layout)
                    for group in range(opened.metadata.num_row_groups):
                        self._group(opened, names, (i, group), file)
                progress.add(1)
        finally:
            progress.clear()
        if not self.rows:
            raise LayoutError(f"{files[0].path} has no rows; remove it.", path=str(files[0].path))

    def batches(self, dates: pd.DatetimeIndex) -> _Batches:
        """By number, in the order in which to read: files by their first dates, and each as it is."""
        file, group, stop, first, last, low, high = map(list, zip(*self.rows, strict=True))
        starts = pd.Series(first).groupby(file).min()
        order = np.argsort(starts[file].to_numpy(), kind="stable")
        days = [dates.get_indexer(pd.DatetimeIndex(ends)) for ends in (first, last)]
        return _Batches(*(np.asarray(x, dtype=np.intp)[order] for x in (file, group, stop, *days, low, high)))

    def _group(self, opened: Any, names: _Columns, where: tuple[int, int], file: ParquetFile) -> None:
        stop = 0
        for table in _batches(opened, where[1], [names.date, names.asset]):
            stop += table.num_rows
            days = labels_of_dates(file.path, _distinct(table.column(names.date))[0], self.horizon)
            self.dates.update(days)
            self.rows.append((*where, stop, days.min(), days.max(), *self._reach(table.column(names.asset), file)))

    def _reach(self, column: Any, file: ParquetFile) -> tuple[int, int]:
        """The lowest and the highest number of the wanted assets among some."""
        own = pd.Index(_distinct(column)[0].to_pandas())
        if own.isna().any() or (own == "").any():
            raise LayoutError(f"{file.path}: a row names no asset; drop it.", path=str(file.path))
        found = [self.numbers.setdefault(a, len(self.numbers)) for a in own]
        self.came.update(found)
        wanted = [i for i in found if i < self.count()]
        return (min(wanted), max(wanted)) if wanted else (-1, -1)


def _batches(opened: Any, group: int, columns: list[str]) -> Iterator[Any]:
    return (b for b in opened.iter_batches(_BATCH_ROWS, row_groups=[group], columns=columns) if b.num_rows)


def _distinct(column: Any) -> tuple[Any, Index]:
    """The distinct values of a column, and which of them each row has."""
    # a dictionary that comes with a column may hold what no row has, and not hold what is missing
    plain = column.dictionary_decode() if hasattr(column, "dictionary") else column
    coded = plain.dictionary_encode(null_encoding="encode")
    return coded.dictionary, np.asarray(coded.indices.to_numpy(zero_copy_only=False), dtype=np.intp)
