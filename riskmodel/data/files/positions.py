"""Files of positions: CSV or Parquet, one row for each asset, and date where there are several."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.callers import warn
from riskmodel._core.dates import between, window
from riskmodel._core.paths import AnyPath
from riskmodel._core.weights import read_weights
from riskmodel.data.files import parquet
from riskmodel.data.files.codes import MissingCodes
from riskmodel.data.files.columns import Columns
from riskmodel.data.files.content import as_text, read_content
from riskmodel.data.files.dates import read_dates
from riskmodel.data.files.header import Header
from riskmodel.data.files.lines import Lines, read_lines, split
from riskmodel.data.files.numbers import NumberReader
from riskmodel.data.files.position_columns import PositionColumns
from riskmodel.data.files.source import read_source
from riskmodel.data.files.unit import Unit
from riskmodel.errors import ChosenColumnWarning, DuplicateLabelsError, LayoutError, UnknownDateError

_NUMBERS = ("dollars", "weight", "quantity", "price")
_TOTALS = frozenset({"total", "totals", "grand total", "sum", "net", "gross"})
_CURRENCIES = frozenset({"currency", "ccy", "cur"})
# Dollars and quantity times price of one row may differ by so much: prices of two times of a day.
_SAME = 0.01


@final
class Measure(Enum):
    """What the numbers of positions are."""

    DOLLARS = "dollars"
    WEIGHTS = "weights"


@final
@frozen(eq=False)
class PositionTable:
    """The positions of a file, as they stand there.

    Attributes
    ----------
    path : Path
        The file.
    measure : Measure
        What `sizes` are; quantities are in dollars already.
    assets : list of labels
        Of each row.
    sizes : array
        Of each row.
    groups : list or None
        Of each row.
    dates : DatetimeIndex or None
        Of each row.
    """

    path: Path
    measure: Measure
    assets: list[Any]
    sizes: Any
    groups: list[Any] | None = field(default=None)
    dates: pd.DatetimeIndex | None = field(default=None)

    def at(self, date: Any) -> tuple[pd.Series[float], pd.Series[Any] | None, pd.Timestamp | None]:
        """Return sizes and groups by asset of the latest date of the file on or before a date, and that date.

        Raises
        ------
        UnknownDateError
            If there are several dates and none is asked for, or all are later.
        """
        rows = np.arange(len(self.assets))
        latest = None
        if self.dates is not None:
            latest = self._latest(date)
            rows = np.flatnonzero(self.dates == latest)
        index = pd.Index([self.assets[row] for row in rows])
        groups = None if self.groups is None else pd.Series([self.groups[row] for row in rows], index, name="group")
        return pd.Series(self.sizes[rows], index), groups, latest

    def _latest(self, date: Any) -> pd.Timestamp:
        assert self.dates is not None
        days = self.dates.unique().sort_values()
        if date is None:
            if len(days) > 1:
                raise UnknownDateError(
                    f"expected positions of one date in {self.path}, got {len(days)} from {days[0].date()} to "
                    f"{days[-1].date()}; pass date=..., or read all with rm.read_position_history.",
                    dates=list(days),
                )
            return days[0]
        known = days[between(days, None, window(date, date, ("date", "date"))[1])]
        if not len(known):
            raise UnknownDateError(
                f"expected a date from {days[0].date()} on, the first in {self.path}, got {date}.", date=date
            )
        return known[-1]

    def wide(self) -> pd.DataFrame:
        """Return sizes, dates × assets, zero where a date has no row of an asset.

        Raises
        ------
        LayoutError
            If the file has no dates.
        """
        if self.dates is None:
            raise LayoutError(
                f"expected a column of dates in {self.path}, got none; name it with rm.PositionColumns(date=...).",
                path=str(self.path),
            )
        assets = pd.Index(list(dict.fromkeys(self.assets)), name="asset")
        days = self.dates.unique().sort_values()
        table = np.zeros((len(days), len(assets)))
        table[days.get_indexer(self.dates), assets.get_indexer(pd.Index(self.assets))] = self.sizes
        return pd.DataFrame(table, days.rename("date"), assets)


def read_position_table(path: AnyPath, columns: PositionColumns, prices: Any = None) -> PositionTable:
    """Read the positions of a file.

    Parameters
    ----------
    path : path
        CSV or Parquet, also compressed.
    columns : PositionColumns
        Which columns to read.
    prices : mapping or Series by asset, optional
        Dollars for one share, where the file has quantities and no prices.

    Raises
    ------
    SourceError, LayoutError, MissingExtraError
        If the file cannot be read; for what is missing or is no number, with file, line and column.
    DuplicateLabelsError
        If an asset has several rows on one date.

    Warns
    -----
    ChosenColumnWarning
        If columns were not read and none was named by the caller.
    """
    file = read_source(path)
    content = read_content(file)
    rows = _stored(file, content, columns) if parquet.is_parquet(file, content) else _text(file, content, columns)
    dates = None if "date" not in rows.roles else read_dates(rows.dated, None, None).normalize()
    rows.require_assets(dates)
    measure = Measure.WEIGHTS if "weight" in rows.roles else Measure.DOLLARS
    return PositionTable(file, measure, rows.assets, rows.sizes(prices), rows.groups, dates)


@final
@frozen(eq=False)
class _Rows:
    """The cells of a file of positions."""

    path: Path
    roles: dict[str, Any]
    table: pd.DataFrame
    numbers: pd.DataFrame
    places: Any
    unit: str

    def where(self, row: int, role: str) -> str:
        return f"{self.path}, {self.unit} {self.places[row]}, column {str(self.roles[role])!r}"

    def details(self, row: int, role: str) -> dict[str, Any]:
        return {"path": str(self.path), self.unit: self.places[row], "column": self.roles[role]}

    @property
    def dated(self) -> Columns:
        """The column of dates, for its reader."""
        dates = self.table[self.roles["date"]]
        return Columns(self.path, dates, None, self.numbers, self.places, self.unit)

    @property
    def assets(self) -> list[Any]:
        return self._cells("asset")

    @property
    def groups(self) -> list[Any] | None:
        return self._cells("group") if "group" in self.roles else None

    def _cells(self, role: str) -> list[Any]:
        """Return the labels of a column; raise for an empty one."""
        cells = [cell.strip() if isinstance(cell, str) else cell for cell in self.table[self.roles[role]]]
        for row, cell in enumerate(cells):
            if cell == "" or pd.isna(cell):
                raise LayoutError(
                    f"{self.where(row, role)}: expected the {role} of each position, got an empty cell; fill it, or "
                    "remove the row.",
                    **self.details(row, role),
                )
        return cells

    def require_assets(self, dates: pd.DatetimeIndex | None) -> None:
        """Raise for a row of totals, and for assets that occur twice on one date."""
        assets = self.assets
        totals = [row for row, asset in enumerate(assets) if str(asset).casefold() in _TOTALS]
        if totals:
            raise LayoutError(
                f"{self.where(totals[0], 'asset')}: expected an asset in each row, got {assets[totals[0]]!r}, which "
                "looks like a total; remove the row.",
                **self.details(totals[0], "asset"),
                got=assets[totals[0]],
            )
        days = [None] * len(assets) if dates is None else list(dates)
        repeated = pd.MultiIndex.from_arrays([days, assets]).duplicated()
        if repeated.any():
            twice = list(dict.fromkeys(assets[row] for row in np.flatnonzero(repeated)))
            row = int(np.flatnonzero(repeated)[0])
            raise DuplicateLabelsError(
                f"{self.where(row, 'asset')}: expected each asset once{'' if dates is None else ' on each date'}, got "
                f"{labels.listing(twice)} more than once; add up the rows of one asset, such as lots or desks.",
                **self.details(row, "asset"),
                labels=twice,
            )

    def sizes(self, prices: Any) -> Any:
        """Return dollars or weights; raise for missing and infinite ones."""
        for role in self.numbers.columns:
            values = self.numbers[role].to_numpy()
            wrong = np.flatnonzero(~np.isfinite(values))
            if len(wrong):
                row, more = int(wrong[0]), f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
                raise LayoutError(
                    f"{self.where(row, role)}: expected a finite number, got {values[row]:g}{more}; fill the cell, or "
                    "remove the row of a position that is closed.",
                    **self.details(row, role),
                    count=len(wrong),
                )
        if "quantity" not in self.roles:
            return self.numbers["weight" if "weight" in self.roles else "dollars"].to_numpy()
        valued = self.numbers["quantity"].to_numpy() * self._prices(prices)
        if "dollars" not in self.roles:
            return valued
        dollars = self.numbers["dollars"].to_numpy()
        apart = np.flatnonzero(np.abs(valued - dollars) > _SAME * np.abs(dollars))
        if len(apart):
            row = int(apart[0])
            raise LayoutError(
                f"{self.where(row, 'dollars')}: expected quantity times price, {valued[row]:,.2f}, got "
                f"{dollars[row]:,.2f}, as with a multiplier, another currency, or thousands; name the right column, as "
                "in rm.PositionColumns(dollars=...).",
                **self.details(row, "dollars"),
                dollars=float(dollars[row]),
                valued=float(valued[row]),
            )
        return dollars

    def _prices(self, prices: Any) -> Any:
        if "price" not in self.roles:
            if prices is None:
                raise LayoutError(
                    f"expected prices beside the quantities of {self.path}, got none; add a column price, or pass "
                    "prices=... by asset.",
                    path=str(self.path),
                    columns=[str(name) for name in self.table.columns],
                )
            known = read_weights(prices, "prices", "asset")
            found = known.reindex(pd.Index(self.assets)).to_numpy()
        else:
            found = self.numbers["price"].to_numpy()
        wrong = np.flatnonzero(~(found > 0))
        if len(wrong):
            row = int(wrong[0])
            raise LayoutError(
                f"{self.where(row, 'price' if 'price' in self.roles else 'quantity')}: expected a positive price of "
                f"{self.assets[row]}, got {found[row]:g}; for a short position, negate its quantity.",
                **self.details(row, "price" if "price" in self.roles else "quantity"),
                asset=self.assets[row],
            )
        return found


def _text(path: Path, content: bytes, columns: PositionColumns) -> _Rows:
    """Read a text file of separated columns."""
    lines = read_lines(as_text(path, content))
    if not lines:
        raise LayoutError(f"expected positions in {path}, got an empty file.", path=str(path), lines=0)
    header = Header.read(path, lines)
    names = [name for name in header.names if name and name not in header.empty]
    roles = columns.among(path, names)
    body = lines[header.count :]
    cells = _cells(path, body, header)[names]
    _say_what_is_not_read(path, columns, roles, cells)
    places = [number for number, _ in body]
    chosen = [role for role in _NUMBERS if role in roles]
    try:
        reader = NumberReader(path, Unit.PRICE, MissingCodes(), header.separator)
        numbers = reader.read(cells[[roles[role] for role in chosen]], places).set_axis(chosen, axis=1)
    except LayoutError as error:
        raise _not_a_number(path, error, roles) from None
    return _Rows(path, roles, cells, numbers, places, "line")


def _cells(path: Path, lines: Lines, header: Header) -> pd.DataFrame:
    """Split the lines below a header; raise for one with more or fewer cells."""
    rows = []
    for number, line in lines:
        rows.append([cell.strip() for cell in split(path, number, line, header.separator)])
        if len(rows[-1]) != len(header.names):
            raise LayoutError(
                f"{path}, line {number}: expected {len(header.names)} columns as in the header, got {len(rows[-1])}; "
                "write amounts that have commas in quotes, and remove lines that are prose.",
                path=str(path),
                line=number,
                expected=len(header.names),
                got=len(rows[-1]),
            )
    return pd.DataFrame(rows, columns=pd.Index(header.names), dtype=object)


def _not_a_number(path: Path, error: LayoutError, roles: dict[str, Any]) -> LayoutError:
    """Say what a cell of positions must be; the reader of numbers says what returns and prices must."""
    line, column, got = (error.details.get(name) for name in ("line", "column", "got"))
    role = next((role for role, name in roles.items() if name == column), "dollars")
    percent = "; write five percent as 0.05" if str(got).rstrip(") ").endswith("%") else ""
    return LayoutError(
        f"{path}, line {line}, column {column!r}: expected {role} as a number such as 12500.5, with a point before "
        f"decimals and no text, got {got!r}{percent}; write thousands without a sign where they may be decimals.",
        **error.details,
    )


def _stored(path: Path, content: bytes, columns: PositionColumns) -> _Rows:
    """Read a Parquet file."""
    table = parquet.read_table(path, content)
    roles = columns.among(path, list(table.columns))
    _say_what_is_not_read(path, columns, roles, table)
    places, numbers = range(1, len(table) + 1), {}
    for role in (role for role in _NUMBERS if role in roles):
        column = table[roles[role]]
        if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
            raise LayoutError(
                f"{path}, column {str(roles[role])!r}: expected {role} stored as numbers, got {column.dtype}.",
                path=str(path),
                column=roles[role],
                got=str(column.dtype),
            )
        numbers[role] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if not len(table):
        raise LayoutError(f"expected positions in {path}, got no row.", path=str(path), rows=0)
    return _Rows(path, roles, table.reset_index(drop=True), pd.DataFrame(numbers), places, "row")


def _say_what_is_not_read(path: Path, columns: PositionColumns, roles: dict[str, Any], table: pd.DataFrame) -> None:
    """Raise for several currencies; warn of columns that are not read."""
    rest = [name for name in table.columns if name not in roles.values()]
    for name in rest:
        if str(name).strip().casefold() in _CURRENCIES and len(found := table[name].dropna().unique()) > 1:
            raise LayoutError(
                f"{path}, column {str(name)!r}: expected positions in one currency, got {labels.listing(found)}; "
                "convert them.",
                path=str(path),
                column=name,
                currencies=list(found),
            )
    if rest and not columns.is_stated:
        read = ", ".join(str(name) for name in roles.values())
        warn(
            ChosenColumnWarning(
                f"of {path} the columns {read} were read, and {labels.listing(rest)} were not; name those to read with "
                "rm.PositionColumns(...).",
                path=str(path),
                columns=list(roles.values()),
                left=rest,
            )
        )
