"""Read simple returns from files, or prices and their returns."""

from __future__ import annotations

from os import PathLike

import numpy as np
import pandas as pd

from riskmodel._core.paths import AnyPath, read_path
from riskmodel.data.files import delimited, parquet, tables
from riskmodel.data.files.columns import more
from riskmodel.data.files.content import as_text, read_content
from riskmodel.data.files.dates import read_dates
from riskmodel.data.files.tables import FileTable
from riskmodel.errors import (
    ImpossibleReturnsError,
    InfiniteReturnsError,
    InvalidParameterError,
    LayoutError,
)
from riskmodel.panel.layout import Either, Layout, Long, Wide

_PARQUET = b"PAR1"


def read_returns(path: str | PathLike[str], layout: Layout = Wide()) -> pd.DataFrame:
    r"""Read simple returns in decimals (0.01 is one percent) from a CSV or Parquet file.

    Parameters
    ----------
    path : path
        A file on this machine; CSV may be compressed with gzip. Dates are year first (``2024-01-31`` or ``20240131``;
        months ``2024-01`` or ``202401``); numbers have a point; a missing one is empty, ``.``, ``NA`` or ``NaN``. Lines
        with nothing but commas are none. Labels that come from CSV are strings, those from Parquet as they were stored.
    layout : Wide or Long
        One column an asset (the default), or one row for each date and asset.

    Returns
    -------
    DataFrame, dates × assets
        Decimals by date, increasing; NaN where missing. For `InMemory`, which is told what one row spans.

    Raises
    ------
    InvalidParameterError
        If `path` or `layout` is none.
    SourceError
        If the file cannot be opened.
    LayoutError
        If it cannot be read: the message names file, line and column (in Parquet row and column).
    DuplicateLabelsError, DuplicateDatesError
        If an asset or a date comes twice.
    InfiniteReturnsError
        If a number is infinite.
    MissingExtraError
        If it is Parquet and pyarrow is not installed.

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
    return _read(path, layout).frame


def read_percent_returns(path: str | PathLike[str], layout: Layout = Wide()) -> pd.DataFrame:
    r"""Read simple returns in percent (1.0 is one percent) and give them in decimals.

    Parameters, result and errors are those of `read_returns`.

    Examples
    --------
    >>> import pathlib, tempfile, riskmodel as rm
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "percent.csv"
    >>> _ = path.write_text("day,MSFT\n20240102,1.5\n")
    >>> rm.read_percent_returns(path)
                 MSFT
    2024-01-02  0.015
    """
    return _read(path, layout).frame / 100.0


def read_prices(path: str | PathLike[str], layout: Layout = Wide()) -> pd.DataFrame:
    r"""Read prices and give the simple return from each row to the next, in decimals.

    Prices must be adjusted for splits and dividends: these are then total returns, and otherwise not. Nothing is
    filled: where a price is missing, the return of its date and that of the next are, so no return spans more than
    one step. The first date has no return and is left out.

    A date on which *no* asset has a row is no hole that could be seen: the return over it spans two steps.

    Parameters, result and errors are those of `read_returns`, and besides:

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
    read = _read(path, layout)
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
        raise ImpossibleReturnsError(
            f"{read.at(row, column)}: expected a positive price, got {prices[row, column]:g}{more(wrong)}; some "
            "sources mark a midpoint of bid and ask by a minus, and a missing price by zero: take the absolute "
            "value, or leave the cell empty.",
            **read.details(row, column),
            got=float(prices[row, column]),
            count=int(wrong.sum()),
        )


def _read(path: AnyPath, layout: Layout) -> FileTable:
    if not isinstance(layout, Wide | Long | Either):
        raise InvalidParameterError(f"expected layout as rm.Wide() or rm.Long(...), got {layout!r}.", layout=layout)
    path = read_path(path, "path")
    content = read_content(path)
    is_parquet = content.startswith(_PARQUET)
    if path.suffix.lower() in {".parquet", ".pq"} and not is_parquet:
        raise LayoutError(
            f"expected a Parquet file, got {path}, which does not begin as one; rename it if it is CSV.", path=str(path)
        )
    if is_parquet:
        columns = parquet.read_columns(path, content, layout)
    else:
        columns = delimited.read_columns(path, as_text(path, content), layout)
    columns.require_finite()
    dates = read_dates(columns)
    return tables.wide(columns, dates) if columns.assets is None else tables.long(columns, dates)
