"""Characteristics of assets by date, from long and wide tables and Parquet files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, shown
from riskmodel._core.arrays import by_constructor
from riskmodel._core.dates import times
from riskmodel._core.listing import Listed
from riskmodel._core.paths import read_path
from riskmodel.errors import DuplicateLabelsError, InvalidParameterError, MissingExtraError, SourceError
from riskmodel.horizon import CALENDAR_DAY, QUARTER, Horizon, require_horizon
from riskmodel.panel.characteristics.series import Characteristic
from riskmodel.panel.characteristics.tables import from_long, from_static, from_wide

_ONE_DAY = pd.Timedelta(days=1)


def _by_name(series: Any) -> dict[Any, Characteristic]:
    if not isinstance(series, Iterable) or isinstance(series, np.ndarray):
        raise InvalidParameterError(
            f"expected series as a list of Characteristic, got {type(series).__name__}; make characteristics with "
            "rm.Characteristics.long, wide, parquet or static.",
            parameter="series",
            got=series,
        )
    return {require(s, Characteristic, "series").name: s for s in series}


@final
@frozen(eq=False, repr=False)
class Characteristics(Listed):
    """What is known of assets besides their returns: sizes, valuation ratios, industries, countries.

    Each characteristic has dates of its own, those on which its values **became known**, so that monthly figures stand
    beside daily ones. A value is in force until the next one, up to an age that the user of the characteristics
    states. Missing values stay missing. Numbers that are float32 stay so, to save memory.

    Make it with `long`, `wide`, `parquet` or `static`, and put several together with `join`.

    Examples
    --------
    >>> import pandas as pd, riskmodel as rm
    >>> sizes = pd.DataFrame({
    ...     "date": ["2024-01-31", "2024-01-31", "2024-02-29"], "asset": ["KO", "XOM", "KO"],
    ...     "cap": [2.5e11, 4.1e11, 2.6e11]})
    >>> sectors = pd.Series({"KO": "staples", "XOM": "energy"}, name="sector")
    >>> known = rm.Characteristics.long(sizes).join(rm.Characteristics.static(sectors))
    >>> known
    <Characteristics of 2 assets: cap (2 dates, 2024-01-31 to 2024-02-29), sector (2 groups)>
    >>> known.asof("2024-03-01")
                  cap   sector
    KO   2.600000e+11  staples
    XOM  4.100000e+11   energy
    """

    assets: pd.Index[Any] = field(converter=labels.asset_labels)
    _series: dict[Any, Characteristic] = field(converter=_by_name)

    def __reduce__(self) -> Any:
        return by_constructor(self)[0], (type(self), {"assets": self.assets, "series": list(self._series.values())})

    def __repr__(self) -> str:
        return f"<Characteristics of {len(self.assets)} assets: {', '.join(map(_described, self._series.values()))}>"

    # -- made of tables ----------------------------------------------------------------------------

    @classmethod
    def long(cls, table: Any, *, date: Any = "date", asset: Any = "asset") -> Self:
        """Read a table with one row for each date and asset, and one column for each characteristic.

        Parameters
        ----------
        table : DataFrame, or a table of Polars or Arrow
            Columns of numbers or flags, and of groups (text or categories).
        date, asset : label
            The columns of the dates on which the values became known, and of asset labels.

        Raises
        ------
        DuplicateLabelsError
            For an asset that has two rows on one date.
        InvalidParameterError
            If a column is missing, or holds infinite numbers.
        InvalidDatesError
            For a column that does not hold dates.
        """
        assets, series = from_long(table, date, asset)
        return cls(assets, series)

    @classmethod
    def wide(cls, tables: Mapping[Any, Any]) -> Self:
        """Read one table of dates × assets for each characteristic; their dates and assets may differ.

        Parameters
        ----------
        tables : mapping from name to DataFrame
            Numbers, flags or groups; NaN where missing.

        Raises
        ------
        DuplicateDatesError, DuplicateLabelsError
            For a date or an asset that occurs twice.
        """
        assets, series = from_wide(tables)
        return cls(assets, series)

    @classmethod
    def static(cls, table: Any) -> Self:
        """Read characteristics that do not change: one row for each asset, such as its sector.

        They are known on all dates, and never too old. To use today's sectors in the past is a look-ahead of its own;
        where sectors changed, give them by date.

        Parameters
        ----------
        table : DataFrame or Series by asset
            One column for each characteristic.
        """
        assets, series = from_static(table)
        return cls(assets, series)

    @classmethod
    def parquet(
        cls,
        path: str | PathLike[str] | Iterable[str | PathLike[str]],
        *,
        date: Any = "date",
        asset: Any = "asset",
        columns: Iterable[Any] | None = None,
    ) -> Self:
        """Read Parquet files of the layout of `long`.

        Parameters
        ----------
        path : path, or several
            One file or more with the same columns.
        date, asset : label
            As in `long`.
        columns : sequence of labels, optional
            The characteristics to read; by default all other columns.

        Raises
        ------
        SourceError
            If a file cannot be opened.
        MissingExtraError
            If pyarrow is not installed.
        """
        named = {"date": date, "asset": asset}
        wanted = None
        if columns is not None:
            wanted = [
                *(labels.require_label(label, what) for what, label in named.items()),
                *labels.unique(columns, "columns"),
            ]
        frames = [_read_parquet(one, wanted) for one in _paths(path)]
        return cls.long(pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0], date=date, asset=asset)

    def join(self, *others: Characteristics) -> Self:
        """Return the characteristics of this and of others, of all their assets.

        Raises
        ------
        DuplicateLabelsError
            For a name that occurs twice.
        """
        for other in others:
            require(other, Characteristics, "others")
        parts: list[Characteristics] = [self, *others]
        names = [name for p in parts for name in p._series]
        twice = list(dict.fromkeys(n for n in names if names.count(n) > 1))
        if twice:
            raise DuplicateLabelsError(
                f"expected characteristics without duplicates, got {labels.listing(twice)} more than once; rename "
                "them.",
                labels=twice,
            )
        assets = parts[0].assets
        for part in parts[1:]:
            assets = assets.append(part.assets[~part.assets.isin(assets)])
        return type(self)(assets, [s.take(p.assets.get_indexer(assets)) for p in parts for s in p._series.values()])

    # -- what they are -----------------------------------------------------------------------------

    @property
    def names(self) -> pd.Index[Any]:
        """The labels of the characteristics."""
        names: pd.Index[Any] = pd.Index(list(self._series))
        return names

    def frame(self, name: Any) -> pd.DataFrame:
        """One characteristic as it was given, dates × assets; of one that does not change, a single row.

        Raises
        ------
        InvalidParameterError
            For an unknown name.
        """
        one = self.series(name)
        values: Any = one.numbers.copy() if one.levels is None else _labelled(one.numbers, one.levels)
        return pd.DataFrame(values, None if one.dates is None else one.dates.copy(), self.assets.copy(), copy=False)

    def series(self, name: Any) -> Characteristic:
        """One characteristic as arrays."""
        if name not in self._series:
            raise labels.unknown([name], self.names, "characteristic", InvalidParameterError)
        return self._series[name]

    def asof(self, date: Any, oldest: Horizon = QUARTER) -> pd.DataFrame:
        """The values known at the end of a date, assets × characteristics; NaN where missing.

        Parameters
        ----------
        date : date-like
            The last date whose values count.
        oldest : Horizon
            Older values are missing.
        """
        end = times(None, date, zone=None)[1]
        assert end is not None
        moment = pd.DatetimeIndex([end.normalize() + _ONE_DAY])
        known = {name: self._known(one, moment, oldest) for name, one in self._series.items()}
        return pd.DataFrame(known, self.assets.copy())

    def _known(self, one: Characteristic, moment: pd.DatetimeIndex, oldest: Horizon) -> Any:
        values = one.before(moment, age(oldest), np.arange(len(self.assets)))[0]
        return values if one.levels is None else _labelled(values, one.levels)


def age(oldest: Horizon) -> pd.Timedelta:
    """A horizon as an age in calendar days."""
    return pd.Timedelta(days=require_horizon(oldest).in_units_of(CALENDAR_DAY)).round("s")


def _labelled(codes: Any, levels: pd.Index[Any]) -> Any:
    missing = np.isnan(codes)
    named = np.asarray(levels, dtype=object)[np.where(missing, 0, codes).astype(np.intp)]
    named[missing] = np.nan
    return named


def _described(one: Characteristic) -> str:
    of = "" if one.levels is None else f"{len(one.levels)} groups"
    if one.dates is None:
        return f"{one.name} ({of or 'static'})"
    span = f"{len(one.dates)} dates, {one.dates[0].date()} to {one.dates[-1].date()}" if len(one.dates) else "no dates"
    return f"{one.name} ({', '.join(filter(None, (of, span)))})"


def _paths(path: Any) -> list[Path]:
    """Return one path or several."""
    if isinstance(path, bytes | np.ndarray) or not isinstance(path, str | PathLike | Iterable):
        raise InvalidParameterError(
            f"expected path as a path or a list of these, got {shown(path)}.", parameter="path", got=path
        )
    paths = [read_path(p, "path") for p in ([path] if isinstance(path, str | PathLike) else path)]
    if not paths:
        raise InvalidParameterError(
            "expected path as a path or a list of these, got an empty list.", parameter="path", got=path
        )
    return paths


def _read_parquet(path: Path, columns: list[Any] | None) -> pd.DataFrame:
    try:
        from pyarrow import ArrowInvalid  # noqa: PLC0415 - heavy, and in an extra
        from pyarrow.parquet import read_schema  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError.of(f"{path}: Parquet", "pyarrow", "cache") from error
    try:
        if columns is not None:
            known = pd.Index(read_schema(path).names)
            labels.positions(pd.Index(columns), known, "column of characteristics", InvalidParameterError)
        return pd.read_parquet(path, engine="pyarrow", columns=columns)
    except (OSError, ArrowInvalid) as error:
        raise SourceError(f"expected a Parquet file at {path}, got an error: {error}.", path=str(path)) from error
