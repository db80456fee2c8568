"""Tables of dates × assets from the columns of a file, wide or long."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Index
from riskmodel.data.files.columns import Columns
from riskmodel.errors import DuplicateDatesError, DuplicateLabelsError, LayoutError


@final
@frozen(eq=False)
class FileTable:
    """Numbers by date and asset, and the place of each in the file.

    Attributes
    ----------
    frame : DataFrame, dates × assets
        float64; NaN where missing.
    columns : Columns
        What it was made of.
    cell : callable
        Row and column of `frame` as the row and the column name of `columns`.
    """

    frame: pd.DataFrame
    columns: Columns
    cell: Callable[[int, int], tuple[int, Any]]

    def at(self, row: int, column: int) -> str:
        """Name a number for a message."""
        return self.columns.at(*self.cell(row, column))

    def details(self, row: int, column: int) -> dict[str, Any]:
        """Name a number for `RiskModelError.details`."""
        return self.columns.details(*self.cell(row, column))


def wide(columns: Columns, times: pd.DatetimeIndex) -> FileTable:
    """Make the table of a file with one row for each date; rows of one day at several times keep their times.

    Raises
    ------
    DuplicateDatesError
        If a date has several rows.
    """
    days = times.normalize()
    dates = days if days.is_unique else times
    twice = np.flatnonzero(dates.duplicated())
    if len(twice):
        row, name = int(twice[0]), columns.dates.name
        raise DuplicateDatesError(
            f"{columns.at(row, name)}: expected each date once, got {_written(dates[row])} a second time; remove one "
            "row, or, where the file has one row for each date and asset, pass layout=rm.Long(...), on the command "
            "line --columns.",
            **columns.details(row, name),
            date=dates[row],
        )
    order = np.argsort(dates.to_numpy(), kind="stable")
    names = columns.numbers.columns.rename(None)
    assets = pd.Index([columns.named.get(name, name) for name in names]) if columns.named else names
    frame = pd.DataFrame(columns.numbers.to_numpy(dtype=np.float64)[order], dates[order], assets)
    return FileTable(frame, columns, lambda row, column: (int(order[row]), names[column]))


def long(columns: Columns, times: pd.DatetimeIndex) -> FileTable:
    """Make the table of a file with one row for each date and asset; rows of one day may be at several times.

    Raises
    ------
    LayoutError
        If a row has no label, or one that cannot be a label.
    DuplicateLabelsError
        If an asset is written in two ways.
    DuplicateDatesError
        If an asset has several rows of one date.
    """
    value = columns.numbers.columns[0]
    names = _asset_labels(columns)
    column_of, assets = pd.factorize(names)
    _require_one_spelling(columns, assets)
    days, cells = _cells(times.normalize(), column_of, len(assets))
    if not pd.Index(cells).is_unique:
        days, cells = _cells(times, column_of, len(assets))
    twice = np.flatnonzero(pd.Index(cells).duplicated())
    if len(twice):
        row = int(twice[0])
        date = days[cells[row] // len(assets)]
        raise DuplicateDatesError(
            f"{columns.at(row, value)}: expected each asset once on each date, got {names.iloc[row]} on "
            f"{_written(date)} a second time; remove one row.",
            **columns.details(row, value),
            asset=names.iloc[row],
            date=date,
        )
    numbers = np.full(len(days) * len(assets), np.nan)
    numbers[cells] = columns.numbers[value].to_numpy(dtype=np.float64)
    frame = pd.DataFrame(numbers.reshape(len(days), len(assets)), days, pd.Index(assets))
    return FileTable(
        frame,
        columns,
        lambda row, column: (int(np.flatnonzero(cells == row * len(assets) + column)[0]), value),
    )


def _cells(dates: pd.DatetimeIndex, column_of: Index, n_assets: int) -> tuple[pd.DatetimeIndex, Index]:
    """Return the different dates, increasing, and the position of each row in a table of dates × assets."""
    row_of, days = pd.factorize(dates, sort=True)
    return pd.DatetimeIndex(days), row_of * n_assets + column_of


def _written(date: pd.Timestamp) -> str:
    return str(date if date != date.normalize() else date.date())


def _asset_labels(columns: Columns) -> pd.Series[Any]:
    assert columns.assets is not None
    names = _uncoded(columns, columns.assets)
    missing = np.flatnonzero(names.isna() | (names == ""))
    if len(missing):
        row = int(missing[0])
        raise LayoutError(
            f"{columns.at(row, names.name)}: expected the label of an asset, got nothing; name it, or remove the row.",
            **columns.details(row, names.name),
        )
    return names


def _require_one_spelling(columns: Columns, assets: pd.Index[Any]) -> None:
    """Raise for 10001 and 10001.0, which are one asset that was written in two ways."""
    texts = [str(asset) for asset in assets]
    twice = sorted({*texts} & {text.removesuffix(".0") for text in texts if text.endswith(".0")})
    if twice:
        raise DuplicateLabelsError(
            f"expected each asset of {columns.path} in one spelling, got {labels.listing(twice)} with and without "
            "a decimal point; write whole numbers, or pass layout=rm.Crsp() if they are permnos.",
            path=str(columns.path),
            labels=twice,
        )


def _uncoded(columns: Columns, names: pd.Series[Any]) -> pd.Series[Any]:
    """Return labels, not the codes of categories; raise for lists."""
    if isinstance(names.dtype, pd.CategoricalDtype):
        return names.astype(names.cat.categories.dtype)
    listed = [] if names.dtype != object else [i for i, name in enumerate(names) if not isinstance(name, Hashable)]
    if listed:
        raise LayoutError(
            f"{columns.at(listed[0], names.name)}: expected the label of an asset (text, a number or a date), got "
            f"{names.iloc[listed[0]]!r}; store one label in each row.",
            **columns.details(listed[0], names.name),
            got=names.iloc[listed[0]],
        )
    return names
