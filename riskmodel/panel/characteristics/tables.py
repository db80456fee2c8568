"""Tables of characteristics: by date and asset, one table for each characteristic, or by asset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.dates import read_stamps
from riskmodel._core.frames import to_pandas
from riskmodel.errors import DuplicateDatesError, DuplicateLabelsError, InvalidParameterError
from riskmodel.horizon import DAY
from riskmodel.panel.characteristics.series import Characteristic, read_values

_Read = tuple["pd.Index[Any]", list[Characteristic]]


def from_long(table: Any, date: Any, asset: Any) -> _Read:
    """Read one row for each date and asset."""
    frame = to_pandas(table, "characteristics")
    for column in (date, asset):
        labels.positions([column], frame.columns, "column of characteristics", InvalidParameterError)
    names = [
        name for name in labels.unique(frame.columns, "the columns of characteristics") if name not in (date, asset)
    ]
    if not names or not len(frame):
        raise InvalidParameterError(
            f"expected characteristics with a row, and with a column beside {date!r} and {asset!r}, got {frame.shape}; "
            "give one.",
            shape=frame.shape,
        )
    rows, dates = pd.factorize(stamps(pd.Index(frame[date]), "characteristics"), sort=True)
    columns, found = pd.factorize(frame[asset])
    if (columns < 0).any():
        raise InvalidParameterError(
            f"expected an asset in each row of characteristics, got {int((columns < 0).sum())} without one.",
            rows=np.flatnonzero(columns < 0).tolist(),
        )
    assets = labels.asset_labels(pd.Index(found))
    _require_single(rows, columns, pd.DatetimeIndex(dates), assets)
    series = []
    for name in names:
        values, levels = read_values({name: frame[name]}, f"characteristic {name!r}")
        out = np.full((len(dates), len(assets)), np.nan, dtype=values.dtype)
        out[rows, columns] = values[:, 0]
        series.append(Characteristic(name, pd.DatetimeIndex(dates), _frozen(out), levels))
    return assets, series


def from_wide(tables: Any) -> _Read:
    """Read a table of dates × assets for each characteristic."""
    if not isinstance(tables, Mapping) or not tables:
        raise InvalidParameterError(
            'expected a mapping from the name of each characteristic to its table, such as {"cap": frame}, got '
            f"{type(tables).__name__}.",
            parameter="tables",
        )
    read = {name: _wide(table, name) for name, table in tables.items()}
    assets = labels.asset_labels(pd.Index(list(dict.fromkeys(a for names, _ in read.values() for a in names))))
    return assets, [one.take(names.get_indexer(assets)) for names, one in read.values()]


def _wide(table: Any, name: Any) -> tuple[pd.Index[Any], Characteristic]:
    what = f"characteristic {name!r}"
    if not isinstance(table, pd.DataFrame) or not table.size:
        raise InvalidParameterError(
            f"expected {what} as a DataFrame of dates × assets with a value, got {type(table).__name__}.", what=what
        )
    assets = labels.asset_labels(table.columns)
    dates = stamps(table.index, what)
    twice = dates[dates.duplicated()].unique()
    if len(twice):
        raise DuplicateDatesError(
            f"expected one row for each date of {what}, got more than one for {labels.listing(twice)}; drop the extra "
            "ones.",
            dates=list(twice),
        )
    values, levels = read_values({a: table.iloc[:, j] for j, a in enumerate(assets)}, what)
    order = np.argsort(dates.to_numpy(), kind="stable")
    return assets, Characteristic(name, dates[order], _frozen(values[order]), levels)


def from_static(table: Any) -> _Read:
    """Read one row for each asset."""
    frame = table.to_frame(table.name if table.name is not None else "value") if isinstance(table, pd.Series) else table
    if not isinstance(frame, pd.DataFrame) or not frame.size:
        raise InvalidParameterError(
            f"expected characteristics as a DataFrame or Series by asset, got {type(table).__name__}.",
            parameter="table",
        )
    assets = labels.asset_labels(frame.index)
    series = []
    for name in labels.unique(frame.columns, "the columns of characteristics"):
        values, levels = read_values({name: frame[name]}, f"characteristic {name!r}")
        series.append(Characteristic(name, None, _frozen(np.ascontiguousarray(values.T)), levels))
    return assets, series


def stamps(index: pd.Index[Any], what: str) -> pd.DatetimeIndex:
    """Read times on the clocks of their own zone, of one resolution."""
    read = read_stamps(index, what, DAY, None)
    local = read.tz_localize(None) if read.tz is not None else read
    return pd.DatetimeIndex(local.as_unit("us").to_numpy())


def _require_single(rows: Any, columns: Any, dates: pd.DatetimeIndex, assets: pd.Index[Any]) -> None:
    pairs = pd.Series(rows.astype(np.int64) * len(assets) + columns)
    twice = pairs[pairs.duplicated()].unique()
    if len(twice):
        named = [(assets[int(p) % len(assets)], dates[int(p) // len(assets)].date().isoformat()) for p in twice[:6]]
        raise DuplicateLabelsError(
            f"expected one row for each date and asset in characteristics, got more than one for {len(twice)} of them, "
            f"such as {labels.listing(named)}; drop the extra ones.",
            labels=sorted({assets[int(p) % len(assets)] for p in twice}, key=str),
            count=len(twice),
        )


def _frozen(values: Any) -> Any:
    values = np.ascontiguousarray(values)
    values.flags.writeable = False
    return values
