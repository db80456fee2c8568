"""Read a book, or the history of one, from a file of positions."""

from __future__ import annotations

from typing import Any

import pandas as pd

from riskmodel._core.arguments import require
from riskmodel._core.paths import AnyPath
from riskmodel.data.files.position_columns import PositionColumns
from riskmodel.data.files.positions import Measure, read_position_table
from riskmodel.errors import InvalidParameterError
from riskmodel.portfolio.book import Book, require_not_percent

_BY_NAME = PositionColumns()


def read_positions(
    path: AnyPath,
    columns: PositionColumns = _BY_NAME,
    *,
    prices: Any = None,
    nav: float | None = None,
    date: Any = None,
) -> Book:
    r"""Read the positions that are held from a CSV or Parquet file, one row for each asset.

    A column says how much is held: dollars, quantities (shares, with a column of prices), or weights of a NAV. Columns
    are found by their names, see `PositionColumns`: ``asset, dollars`` or ``ticker, shares, price, sector``. Where a
    file has quantities, prices and dollars, the dollars are read, and must be quantity times price to one percent.

    Parameters
    ----------
    path : path
        A file on this machine; text with separated columns, or Parquet; also compressed. Amounts may have a currency
        sign and thousands, where these cannot be decimals. Labels in text files are strings.
    columns : PositionColumns, optional
        The names of the columns.
    prices : mapping or Series by asset, optional
        Dollars for one share, where the file has quantities and no prices.
    nav : float, optional
        Net asset value, dollars; needed where the file has weights.
    date : date-like, optional
        Of a file with a column of dates, the latest positions on or before it. A file of one date needs none.

    Returns
    -------
    Book
        With groups and date, where the file has them.

    Raises
    ------
    LayoutError
        If the file cannot be read; for a missing or infinite number, text, an empty label or a row of totals, with
        file, line and column; for quantities without prices, or several currencies.
    DuplicateLabelsError
        For an asset in several rows.
    InvalidParameterError
        For weights in percent, or without a NAV.
    UnknownDateError
        For several dates where none is asked for, or a date before the first.
    SourceError, MissingExtraError
        As `read_returns`.

    Warns
    -----
    ChosenColumnWarning
        If columns were not read and `columns` names none.

    Examples
    --------
    >>> import pathlib, tempfile, riskmodel as rm
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "positions.csv"
    >>> _ = path.write_text("ticker,shares,price,sector\nMSFT,1000,110.5,tech\nXOM,-500,80,energy\n")
    >>> book = rm.read_positions(path)
    >>> book
    <Book of 2 names: long 110,500, short 40,000 dollars>
    >>> book.by_group()["net"].to_dict()
    {'tech': 110500.0, 'energy': -40000.0}
    """
    table = read_position_table(path, _checked(columns), prices)
    sizes, groups, day = table.at(date)
    if table.measure is Measure.DOLLARS:
        return Book(sizes, groups=groups, date=day, nav=nav)
    if nav is None:
        raise InvalidParameterError(
            f"expected nav=... with the weights of {table.path}, which are of a net asset value, got none; pass it in "
            "dollars.",
            parameter="nav",
            path=str(table.path),
        )
    return Book.of_weights(sizes, nav, groups=groups, date=day)


def read_position_history(path: AnyPath, columns: PositionColumns = _BY_NAME, *, prices: Any = None) -> pd.DataFrame:
    r"""Read positions of several dates from a file, one row for each date and asset.

    Parameters, errors and warnings: those of `read_positions`.

    Returns
    -------
    DataFrame, dates × assets
        Dollars, or weights where the file has weights; zero where a date has no row of an asset.

    Examples
    --------
    >>> import pathlib, tempfile, riskmodel as rm
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "positions.csv"
    >>> _ = path.write_text("date,asset,dollars\n2018-01-31,MSFT,100\n2018-02-28,MSFT,50\n2018-02-28,XOM,60\n")
    >>> rm.read_position_history(path)
    asset        MSFT   XOM
    date
    2018-01-31  100.0   0.0
    2018-02-28   50.0  60.0
    """
    table = read_position_table(path, _checked(columns), prices)
    frame = table.wide()
    if table.measure is Measure.WEIGHTS:
        frame.apply(require_not_percent, axis=1)
    return frame


def _checked(columns: Any) -> PositionColumns:
    return require(columns, PositionColumns, "columns", "as in rm.PositionColumns(asset='ticker', dollars='value')")
