"""Read simple returns from files, or prices and their returns."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from riskmodel._core.units import warn_of_decimals
from riskmodel._core.zones import read_zone
from riskmodel.data.files import delimited, french, parquet, tables
from riskmodel.data.files.codes import WELL_KNOWN, MissingCodes
from riskmodel.data.files.columns import Columns, more
from riskmodel.data.files.content import as_text, read_content
from riskmodel.data.files.dates import read_dates
from riskmodel.data.files.options import ReadOptions
from riskmodel.data.files.source import read_source
from riskmodel.data.files.tables import FileTable
from riskmodel.data.files.unit import Unit
from riskmodel.errors import (
    ImpossibleReturnsError,
    InfiniteReturnsError,
    InvalidParameterError,
    LayoutError,
)
from riskmodel.panel.layout import Crsp, Either, French, Layout, Long, Wide

# A warning names the line that called a reader.
_STACK = 3
_Path = str | PathLike[str]
_Zone = str | dt.tzinfo | None


def read_returns(
    path: _Path, layout: Layout = Wide(), *, missing: Iterable[float | str] = (), time_zone: _Zone = None
) -> pd.DataFrame:
    r"""Read simple returns in decimals (0.01 is one percent) from a text file of columns or a Parquet file.

    Parameters
    ----------
    path : path
        A file on this machine (``file://`` too). It may be compressed: gzip, bzip2, xz, zstd, or zip with one file.
        Text is UTF-8, or UTF-16 with its byte order mark. Columns are separated by commas, semicolons, tabs or ``|``.
        Decimals have a point, or all of them a comma. Dates are year first (``2024-01-31``, ``20240131``; months
        ``2024-01``, quarters ``2024Q1``, weeks ``2024-W05``) or have the name of the month (``31JAN2024``); for others
        see `layout`. Several rows of one day keep their times of day; otherwise these do not matter. A missing number
        is empty, ``.``, ``NA`` or ``NaN``. Labels in text files are strings, those in Parquet as they were stored.
    layout : Wide, Long, Crsp or French
        One column an asset (the default); one row for each date and asset; an export of CRSP; a file of the French
        library, which is also known by its prose.
    missing : sequence of numbers and text, optional
        Codes for missing numbers, as they stand in the file, such as ``(-99.0, "n/m")``.
    time_zone : str, optional
        The IANA name of the zone in which days begin, such as ``"Europe/Berlin"``. Times with an offset are converted
        to it; times without one are its own, unless they are its midnights when they are read as UTC. By default, the
        days are read as they are written.

    Returns
    -------
    DataFrame, dates × assets
        Decimals by date, increasing; NaN where missing. For `InMemory`, which is told what one row spans.

    Raises
    ------
    InvalidParameterError
        If an argument is not of the described kind, or `path` is an address of another machine.
    SourceError
        If the file cannot be opened, or unpacks to more than 8 GiB.
    LayoutError
        If it cannot be read, or can be read in two ways, with file, line and column (in Parquet row and column); if its
        columns are open, high, low and close of one asset.
    DuplicateLabelsError, DuplicateDatesError
        If an asset or a date occurs more than once.
    InvalidDatesError
        If days are stamped by midnights of another time zone.
    InfiniteReturnsError
        If a number is infinite.
    MissingExtraError
        If it is Parquet and pyarrow is not installed.

    Warns
    -----
    ChosenColumnWarning
        If one of several columns was read, or a delisting return was compounded.
    RowsLeftOutWarning
        If repeated rows of CRSP, or prose below them, were left out.

    Examples
    --------
    >>> import pathlib, tempfile, riskmodel as rm
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "returns.csv"
    >>> _ = path.write_text("date,MSFT,JPM\n2024-01-02,0.01,-0.02\n2024-01-03,,0.005\n")
    >>> rm.read_returns(path)
                MSFT    JPM
    2024-01-02  0.01 -0.020
    2024-01-03   NaN  0.005
    """
    return _read(path, layout, Unit.DECIMAL, missing, time_zone).frame


def read_percent_returns(
    path: _Path, layout: Layout = Wide(), *, missing: Iterable[float | str] = (), time_zone: _Zone = None
) -> pd.DataFrame:
    r"""Read simple returns in percent (1.0 is one percent, with or without a sign) and give them in decimals.

    Parameters, result, errors and warnings are those of `read_returns`, and besides:

    Warns
    -----
    DoubtfulUnitWarning
        If half of the columns typically vary by less than 1 % a year, as decimals that are read as percent do.

    Examples
    --------
    >>> import pathlib, tempfile, riskmodel as rm
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "percent.csv"
    >>> _ = path.write_text("day,MSFT\n20240102,1.5\n20240103,-99.99\n")
    >>> rm.read_percent_returns(path, missing=[-99.99])
                 MSFT
    2024-01-02  0.015
    2024-01-03    NaN
    """
    table = _read(path, layout, Unit.PERCENT, missing, time_zone).frame / 100.0
    warn_of_decimals(table, str(path))
    return table


def read_prices(
    path: _Path, layout: Layout = Wide(), *, missing: Iterable[float | str] = (), time_zone: _Zone = None
) -> pd.DataFrame:
    r"""Read prices and give the simple return from each row to the next, in decimals.

    Prices must be adjusted for splits and dividends: these are then total returns, and otherwise not. Nothing is
    filled: where a price is missing, the return of its date and that of the next are, so no return spans more than
    one step. The first date has no return and is left out. They may have a currency sign and thousands.

    A file of open, high, low and close is one asset, named like the file: its adjusted close is read, or else its
    close. With a column of tickers, or a line of them in the header, it is several assets.

    A date on which *no* asset has a row is no hole that could be seen: the return over it spans two steps.

    Parameters, result, errors and warnings are those of `read_returns`, and besides:

    Raises
    ------
    ImpossibleReturnsError
        If a price is not positive; the message names file, line and column.

    Examples
    --------
    >>> import pathlib, tempfile, riskmodel as rm
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "prices.csv"
    >>> _ = path.write_text("date,asset,close\n2024-01-02,A,100\n2024-01-03,A,110\n2024-01-04,A,99\n")
    >>> rm.read_prices(path, rm.Long())
                  A
    2024-01-03  0.1
    2024-01-04 -0.1
    """
    read = _read(path, layout, Unit.PRICE, missing, time_zone)
    _require_prices(read)
    prices = read.frame.to_numpy()
    with np.errstate(over="ignore"):
        returns = prices[1:] / prices[:-1] - 1.0
    infinite = np.isinf(returns)
    if infinite.any():
        row, column = (int(i) for i in np.argwhere(infinite)[0])
        raise InfiniteReturnsError(
            f"{read.at(row + 1, column)}: expected a finite return, got the price {prices[row + 1, column]:g} after "
            f"{prices[row, column]:g}; mend the prices.",
            **read.details(row + 1, column),
        )
    return pd.DataFrame(returns, read.frame.index[1:], read.frame.columns)


def _require_prices(read: FileTable) -> None:
    prices = read.frame.to_numpy()
    if len(prices) < 2:
        raise LayoutError(
            f"expected prices on two dates at least in {read.columns.path}, got one; add a date.",
            path=str(read.columns.path),
        )
    wrong = prices <= 0.0
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        price = float(prices[row, column])
        raise ImpossibleReturnsError(
            f"{read.at(row, column)}: expected a positive price, got {price:g}{more(wrong)}; {_remedy(price)}",
            **read.details(row, column),
            got=price,
            count=int(wrong.sum()),
        )


def _remedy(price: float) -> str:
    code = f"pass missing=({price:g},), on the command line --missing {price:g}"
    if price == 0.0:
        return f"where zero stands for a missing price, {code}."
    if price in WELL_KNOWN:
        return f"this is a code for a missing price in many files: {code}."
    return (
        "there is no simple return from or to it. CRSP marks midpoints of bid and ask by a minus: read its files with "
        "layout=rm.Crsp(). Prices of futures, and spreads, can be negative: compute their returns on the capital that "
        "is held. Codes for missing prices are named in missing=(...), on the command line --missing."
    )


def _read(path: _Path, layout: Layout, unit: Unit, missing: Iterable[float | str], time_zone: _Zone) -> FileTable:
    if not isinstance(layout, Wide | Long | Crsp | French | Either):
        raise InvalidParameterError(
            f"expected layout as rm.Wide(), rm.Long(...), rm.Crsp() or rm.French(...), got {layout!r}.", layout=layout
        )
    options = ReadOptions(unit, layout, MissingCodes.of(missing), read_zone(time_zone))
    columns = _columns(read_source(path), options)
    columns.require_finite()
    try:
        times = read_dates(columns, getattr(layout, "dates", None), options.zone)
        table = tables.wide(columns, times) if columns.assets is None else tables.long(columns, times)
    except UnicodeDecodeError as error:  # stored text, which is decoded when it is used
        raise LayoutError(
            f"expected text in UTF-8 in {columns.path}, got {error.object!r}; write the file again.",
            path=str(columns.path),
        ) from error
    for note in columns.notes:
        warnings.warn(note, stacklevel=_STACK)
    return table


def _columns(path: Path, options: ReadOptions) -> Columns:
    content = read_content(path)
    if parquet.is_parquet(path, content):
        return parquet.read_columns(path, content, options)
    # prose of the library may hold quotes of another character set
    if french.is_french(content[: french.HEAD_BYTES].decode("utf-8", "replace"), options.layout):
        return french.read_columns(path, content.decode("utf-8", "replace"), options)
    return delimited.read_columns(path, as_text(path, content), options)
