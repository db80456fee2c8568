"""Returns in Parquet files with one row for each date and asset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self, final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from attrs import define, field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Flags, Index
from riskmodel._core.dates import date_labels, dates_of, require_local_days
from riskmodel._core.progress import Progress
from riskmodel.errors import DuplicateDatesError, InvalidParameterError, LayoutError, UnknownAssetError
from riskmodel.horizon import Horizon
from riskmodel.panel.layout import Long
from riskmodel.panel.stored.parquet import Header, ParquetFile, counted, floats, stamps_in
from riskmodel.panel.stored.source import FILE_COLUMNS, BlockSource, block_rows

# Rows of a file decoded at a time.
_BATCH_ROWS = 1 << 16


@final
@frozen(eq=False)
class _Columns:
    """The names of the columns in a file."""

    date: str
    asset: str
    value: str

    @classmethod
    def of(cls, header: Header, layout: Long) -> Self:
        """Find the columns of a layout, in the index or not."""
        date, asset = (header.column(c, layout) for c in (layout.date, layout.asset))
        if layout.value is not None:
            values = [header.column(layout.value, layout)]
        else:
            values = [n for n in header.names if n not in {date, asset}]
        if len({date, asset, *values}) < 2 + len(values):
            raise InvalidParameterError(
                f"expected different columns for date, asset and value, got {layout!r}.", layout=layout
            )
        if len(values) != 1:
            raise LayoutError(
                f"expected one column of returns next to {layout.date!r} and {layout.asset!r} in {header.path}, got "
                f"{labels.listing(values) or 'none'}; name it in rm.Long(value=...).",
                path=str(header.path),
                columns=values,
            )
        header.require_labels(asset)
        header.require_numbers(values)
        return cls(date, asset, values[0])


@final
@frozen(eq=False)
class _Batches:
    """The positions of all batches of rows, in reading order; one entry of each array per batch."""

    file: Index  # its file
    group: Index  # its row group in the file
    stop: Index  # rows of the group up to its end
    first: Index  # its first and last date, by number
    last: Index
    low: Index  # its lowest and highest asset, by number; -1 where none is selected
    high: Index

    def complete(self) -> Index:
        """Number of dates that are complete after each batch."""
        return np.append(self._earliest()[1:], np.iinfo(np.intp).max)

    def depth(self) -> int:
        """The most dates in memory until the first of them is complete."""
        return int((np.maximum.accumulate(self.last) - self._earliest()).max()) + 1

    def useful(self, columns: Index, rows: range) -> Flags:
        """Which batches may hold some of the assets on some of the dates."""
        chosen = np.zeros(max(self.high.max(), columns.max(initial=0)) + 2, dtype=np.intp)
        chosen[columns + 1] = 1
        up_to = np.cumsum(chosen)
        some = (self.low >= 0) & (up_to[self.high + 1] > up_to[self.low])
        return some & (self.last >= rows.start) & (self.first < rows.stop)

    def _earliest(self) -> Index:
        """The first date of each batch and all later ones."""
        return np.minimum.accumulate(self.first[::-1])[::-1]


@final
@frozen(eq=False)
class LongSource(BlockSource):
    """Long Parquet files: sorted by date or asset they are read once, otherwise a few times."""

    parquet: tuple[ParquetFile, ...]
    layout: Long
    horizon: Horizon
    zone: ZoneInfo | None
    dates: pd.DatetimeIndex
    assets: pd.Index[Any]
    depth: int
    batches: _Batches

    @classmethod
    def read(
        cls,
        files: Sequence[ParquetFile],
        layout: Long,
        chosen: pd.Index[Any] | None,
        horizon: Horizon,
        zone: ZoneInfo | None,
    ) -> Self:
        """Read the dates and labels of all rows."""
        numbers = {} if chosen is None else {a: i for i, a in enumerate(chosen)}
        scan = _Scan(layout, horizon, zone, numbers, None if chosen is None else len(numbers))
        scan.read(files)
        scan.require_local_days()
        dates = dates_of(pd.DatetimeIndex(sorted(scan.dates)), "the files", horizon)
        every = pd.Index(list(scan.numbers))
        if chosen is not None:
            labels.positions(chosen, every[scan.is_found(every)], "asset", UnknownAssetError)
        batches = scan.batches(dates)
        return cls(tuple(files), layout, horizon, zone, dates, every[: scan.count()], batches.depth(), batches)

    @property
    def name(self) -> str:
        """A description of the storage."""
        return counted(self.parquet)

    @property
    def files(self) -> pd.DataFrame:
        """By file: its dates and its size; new and vanished assets are unknown, as each file may hold some assets."""
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
        """Yield the number of complete dates, then positions of dates and assets (-1 where unknown) with returns."""
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
                        # batches may differ from those of the scan
                        past = int(np.searchsorted(b.stop[own], read, side="right"))
                        ready = int(complete[own[past - 1]]) if past else ready

    def _numbers(self, table: Any, names: _Columns, file: ParquetFile) -> tuple[Index, Index, Array]:
        days, day = _distinct(table.column(names.date))
        own, asset = _distinct(table.column(names.asset))
        stamps = stamps_in(file.path, days, self.horizon, self.zone)
        dates = self.dates.get_indexer(date_labels(stamps, self.horizon))
        assets = self.assets.get_indexer(pd.Index(own.to_pandas()))
        return dates[day], assets[asset], floats(table.column(names.value))

    def _more_than_one(self, date: int, asset: int) -> DuplicateDatesError:
        return DuplicateDatesError(
            f"expected one row for {self.assets[asset]} on {self.dates[date].date()}, got more; drop the extra ones.",
            asset=self.assets[asset],
            date=self.dates[date],
        )


# -- incomplete dates ------------------------------------------------------------------------------


@final
@define(eq=False)
class _Window:
    """A buffer of returns of some assets on consecutive dates that are not complete yet."""

    places: Index  # the column of each asset, -1 for none
    rows: range
    start: int
    held: Array
    taken: Flags  # which have been read

    @classmethod
    def of(cls, n: int, columns: Index, rows: range) -> Self:
        places = np.full(n + 1, -1, dtype=np.intp)  # the last is for unknown assets
        places[columns] = np.arange(len(columns))
        return cls(places, rows, rows.start, np.empty((0, len(columns))), np.empty((0, len(columns)), dtype=bool))

    def add(self, dates: Index, assets: Index, values: Array) -> tuple[int, int] | None:
        """Store returns; return a date and an asset that occur twice, or None."""
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
        """Yield and remove the dates before `stop`, a block at a time."""
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


# -- scan of all rows -------------------------------------------------------------------------------


@final
@define(eq=False)
class _Scan:
    """A scan of the dates and labels of all files."""

    layout: Long
    horizon: Horizon
    zone: ZoneInfo | None
    numbers: dict[Any, int]  # of the assets: the chosen ones first, then in order of occurrence
    chosen: int | None  # how many assets are chosen; None means all
    dates: set[pd.Timestamp] = field(factory=set)
    stamps: dict[str, set[pd.Timestamp]] = field(factory=dict)  # full times, by their zone
    rows: list[tuple[int, int, int, pd.Timestamp, pd.Timestamp, int, int]] = field(factory=list)
    found: set[int] = field(factory=set)

    def count(self) -> int:
        """Number of chosen assets."""
        return len(self.numbers) if self.chosen is None else self.chosen

    def is_found(self, every: pd.Index[Any]) -> Flags:
        """Which assets are in the files."""
        return np.isin(np.arange(len(every)), list(self.found))

    def read(self, files: Sequence[ParquetFile]) -> None:
        """Scan all files."""
        progress = Progress("Scanning", len(files), "files")
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
            raise LayoutError(f"expected rows in {files[0].path}, got none; remove it.", path=str(files[0].path))

    def require_local_days(self) -> None:
        """Raise where days are stamped by midnights of another zone."""
        for stamps in self.stamps.values():
            require_local_days(pd.DatetimeIndex(sorted(stamps)), "the files", self.horizon)

    def batches(self, dates: pd.DatetimeIndex) -> _Batches:
        """Return the batches in reading order: files by their first dates, rows in the order of each file."""
        file, group, stop, first, last, low, high = map(list, zip(*self.rows, strict=True))
        starts = pd.Series(first).groupby(file).min()
        order = np.argsort(starts[file].to_numpy(), kind="stable")
        days = [dates.get_indexer(pd.DatetimeIndex(ends)) for ends in (first, last)]
        return _Batches(*(np.asarray(x, dtype=np.intp)[order] for x in (file, group, stop, *days, low, high)))

    def _group(self, opened: Any, names: _Columns, where: tuple[int, int], file: ParquetFile) -> None:
        stop = 0
        for table in _batches(opened, where[1], [names.date, names.asset]):
            stop += table.num_rows
            stamps = stamps_in(file.path, _distinct(table.column(names.date))[0], self.horizon, self.zone)
            days = date_labels(stamps, self.horizon)
            self.dates.update(days)
            if self.horizon.bar is None:
                self.stamps.setdefault(str(stamps.tz), set()).update(stamps)
            self.rows.append((*where, stop, days.min(), days.max(), *self._reach(table.column(names.asset), file)))

    def _reach(self, column: Any, file: ParquetFile) -> tuple[int, int]:
        """Return the lowest and the highest number of the chosen assets in a column."""
        own = pd.Index(_distinct(column)[0].to_pandas())
        if own.isna().any() or (own == "").any():
            raise LayoutError(
                f"expected an asset in each row of {file.path}, got a missing label; drop the row.", path=str(file.path)
            )
        found = [self.numbers.setdefault(a, len(self.numbers)) for a in own]
        self.found.update(found)
        chosen = [i for i in found if i < self.count()]
        return (min(chosen), max(chosen)) if chosen else (-1, -1)


def _batches(opened: Any, group: int, columns: list[str]) -> Iterator[Any]:
    return (b for b in opened.iter_batches(_BATCH_ROWS, row_groups=[group], columns=columns) if b.num_rows)


def _distinct(column: Any) -> tuple[Any, Index]:
    """Return the distinct values of a column, and the position of each row's value."""
    # a stored dictionary may have unused values, and lack the missing value
    plain = column.dictionary_decode() if hasattr(column, "dictionary") else column
    coded = plain.dictionary_encode(null_encoding="encode")
    return coded.dictionary, np.asarray(coded.indices.to_numpy(zero_copy_only=False), dtype=np.intp)
