"""Returns in Parquet files with one column for each asset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Self, final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index
from riskmodel.errors import DuplicateDatesError, InvalidDatesError, LayoutError, UnknownAssetError
from riskmodel.horizon import Horizon
from riskmodel.panel.layout import Wide
from riskmodel.panel.stored.parquet import Header, ParquetFile, counted, dates_in, floats
from riskmodel.panel.stored.source import FILE_COLUMNS, BlockSource


@final
@frozen(eq=False)
class _Part:
    """One file, with its dates and labels."""

    file: ParquetFile
    dates: pd.DatetimeIndex
    labels: pd.Index[Any]
    deepest: int  # the rows of its largest row group


@final
@frozen(eq=False)
class WideSource(BlockSource):
    """Wide Parquet files of consecutive periods."""

    files_by_date: tuple[ParquetFile, ...]
    starts: Index  # the first row of each, and the total number
    layout: Wide
    dates: pd.DatetimeIndex
    assets: pd.Index[Any]
    depth: int

    @classmethod
    def read(
        cls,
        files: Sequence[ParquetFile],
        layout: Wide,
        assets: pd.Index[Any] | None,
        horizon: Horizon,
        zone: ZoneInfo | None,
    ) -> Self:
        """Read the dates and labels of all files."""
        known: dict[tuple[Any, ...], pd.Index[Any]] = {}
        parts = [_part(f, layout, assets, (horizon, zone), known) for f in files]
        parts.sort(key=lambda part: part.dates[0])
        _require_apart(parts)
        return cls(
            files_by_date=tuple(part.file for part in parts),
            starts=np.cumsum([0, *(len(part.dates) for part in parts)]),
            layout=layout,
            dates=pd.DatetimeIndex(parts[0].dates.append([part.dates for part in parts[1:]])),
            assets=_all_labels(parts, assets),
            depth=max(part.deepest for part in parts),
        )

    @property
    def name(self) -> str:
        """A description of the storage."""
        return counted(self.files_by_date)

    @property
    def files(self) -> pd.DataFrame:
        """By file: its dates, its size, and the assets that differ from those of the file before."""
        rows: list[tuple[Any, ...]] = []
        before: pd.Index[Any] | None = None
        for file, (start, stop) in zip(self.files_by_date, pairwise(self.starts), strict=True):
            with file.opened() as opened:
                _, _, found = _columns(Header.of(file.path, opened.schema_arrow), self.layout)
            own = found[found.isin(self.assets)]
            before = own if before is None else before
            changes = own.difference(before).tolist(), before.difference(own).tolist()
            rows.append((str(file.path), self.dates[start], self.dates[stop - 1], stop - start, len(own), *changes))
            before = own
        return pd.DataFrame(rows, columns=list(FILE_COLUMNS))

    def blocks(self, columns: Index, rows: range) -> Iterator[tuple[int, Array]]:
        """Read some columns of consecutive rows, a row group at a time."""
        first, last = np.searchsorted(self.starts, [rows.start, rows.stop - 1], side="right") - 1
        for i in range(first, last + 1):
            with self.files_by_date[i].opened() as opened:
                yield from self._read(opened, int(self.starts[i]), columns, rows, self.files_by_date[i])

    def _read(
        self, opened: Any, start: int, columns: Index, rows: range, file: ParquetFile
    ) -> Iterator[tuple[int, Array]]:
        _, names, found = _columns(Header.of(file.path, opened.schema_arrow), self.layout)
        at = found.get_indexer(self.assets[columns])
        present = [names[i] for i in at if i >= 0]
        for group in range(opened.metadata.num_row_groups):
            count = opened.metadata.row_group(group).num_rows
            low, high = max(rows.start, start), min(rows.stop, start + count)
            if low < high:
                table = opened.read_row_group(group, columns=present) if present else None
                yield low, _block(table, [names[i] if i >= 0 else None for i in at], slice(low - start, high - start))
            start += count


def _block(table: Any, names: Sequence[str | None], rows: slice) -> Array:
    """Return some columns in column-major order; a column that is not in the table is NaN."""
    by_column = np.full((len(names), rows.stop - rows.start), np.nan)
    for j, name in enumerate(names):
        if name is not None:
            by_column[j] = floats(table.column(name))[rows]
    return by_column.T


def _columns(header: Header, layout: Wide) -> tuple[str, list[str], pd.Index[Any]]:
    """Return the column of dates, and the columns and labels of the assets."""
    if layout.date is None:
        date = header.first() if header.schema.names else ""
    else:
        date = header.column(layout.date, layout)
    if len(header.schema.names) < 2 or len(header.index) > 1:
        raise LayoutError(
            f"expected one column of dates and at least one of returns in {header.path}, got "
            f"{labels.listing(header.schema.names) or 'none'}; for one row for each date and asset, pass "
            "layout=rm.Long(...).",
            path=str(header.path),
        )
    keep = [i for i, n in enumerate(header.names) if n != date]
    return date, [header.names[i] for i in keep], header.labels[keep]


def _part(
    file: ParquetFile,
    layout: Wide,
    assets: pd.Index[Any] | None,
    clock: tuple[Horizon, ZoneInfo | None],
    known: dict[tuple[Any, ...], pd.Index[Any]],
) -> _Part:
    with file.opened() as opened:
        header = Header.of(file.path, opened.schema_arrow)
        date, names, found = _columns(header, layout)
        # files share equal labels, to save memory
        found = known.setdefault(tuple(found), found)
        meta = opened.metadata
        if not meta.num_rows:
            raise LayoutError(f"expected rows in {file.path}, got none; remove it.", path=str(file.path))
        dates = dates_in(file.path, opened.read(columns=[date]).column(date), *clock)
        if len(dates) != meta.num_rows:
            raise LayoutError(
                f"expected {meta.num_rows} rows in {file.path}, as it says, got {len(dates)} dates; write it again.",
                path=str(file.path),
            )
        chosen = range(len(names)) if assets is None else [i for i in found.get_indexer(assets) if i >= 0]
        header.require_numbers([names[i] for i in chosen])
        deepest = max(meta.row_group(i).num_rows for i in range(meta.num_row_groups))
    back = np.flatnonzero(np.diff(dates.to_numpy()).astype(np.int64) < 0)
    if len(back):
        row = int(back[0]) + 1
        raise InvalidDatesError(
            f"expected the rows of {file.path} in order of date, got {dates[row].date()} in row {row + 1}, after "
            f"{dates[row - 1].date()}; sort them when you store them.",
            path=str(file.path),
            row=row,
        )
    return _Part(file, dates, found, deepest)


def _require_apart(parts: Sequence[_Part]) -> None:
    """Raise where two files overlap in time; `parts` are ordered by their first dates."""
    for one, other in pairwise(parts):
        if other.dates[0] <= one.dates[-1]:
            raise DuplicateDatesError(
                f"expected files of consecutive periods, got {one.file.path} from {one.dates[0].date()} to "
                f"{one.dates[-1].date()} and {other.file.path} from {other.dates[0].date()} to "
                f"{other.dates[-1].date()}; leave one of them out, or pass a list of files.",
                paths=[str(one.file.path), str(other.file.path)],
            )


def _all_labels(parts: Sequence[_Part], chosen: pd.Index[Any] | None) -> pd.Index[Any]:
    """Return the assets of all files, in order of first occurrence, or the chosen ones, or raise for unknown ones."""
    different = list({id(part.labels): part.labels for part in parts}.values())
    every = different[0]
    for more in different[1:]:
        every = every.append(more.difference(every, sort=False))
    if chosen is None:
        return every
    return every[labels.positions(chosen, every, "asset", UnknownAssetError)]
