"""Layouts of files of returns and prices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, final

from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import Horizon

# A date is written and read again to check a format; each part of it is unlike the others.
_EXAMPLE = dt.datetime(2019, 10, 28, 13, 45, 56, tzinfo=dt.UTC)
_PARTS = ("year", "month", "day")
# Dates that are counted: from when, and by what.
COUNTED_DATES = {
    "unix-s": (dt.datetime(1970, 1, 1), dt.timedelta(seconds=1)),
    "unix-ms": (dt.datetime(1970, 1, 1), dt.timedelta(milliseconds=1)),
    "unix-us": (dt.datetime(1970, 1, 1), dt.timedelta(microseconds=1)),
    "excel": (dt.datetime(1899, 12, 30), dt.timedelta(days=1)),
}
_CRSP_DATES = ("date", "caldt", "dlycaldt", "mthcaldt")
# In this order: a total return before one without dividends.
_CRSP_RETURNS = ("ret", "dlyret", "mthret", "retx", "dlyretx", "mthretx")


def _is_a_name(layout: Layout, part: Any, value: Any) -> None:
    if not isinstance(value, Hashable) or (value is None and part.default is not None):
        raise InvalidParameterError(
            f"expected {part.name} of rm.{type(layout).__name__} as the name of one column, got {value!r}.",
            name=part.name,
            got=value,
        )


def _is_a_date(layout: Layout, part: Any, value: Any) -> None:
    _is_a_name(layout, part, value)
    if isinstance(value, tuple) and not 2 <= len(value) <= len(_PARTS):
        raise InvalidParameterError(
            f"expected date of rm.{type(layout).__name__} as one column, or as those of year, month and day, got "
            f'{value!r}; write ("year", "month").',
            name=part.name,
            got=value,
        )


def _read_columns(columns: Any) -> Any:
    if columns is None:
        return None
    return tuple(labels.unique(labels.require_list(columns, "columns of rm.Wide"), "columns of rm.Wide"))


def _is_a_format(layout: Layout, part: Any, value: Any) -> None:
    if value is None or (isinstance(value, str) and value in COUNTED_DATES):
        return
    try:
        read = dt.datetime.strptime(_EXAMPLE.strftime(value), value)
        is_good = read.year == _EXAMPLE.year
    except (TypeError, ValueError):
        is_good = False
    if not is_good:
        raise InvalidParameterError(
            f"expected dates of rm.{type(layout).__name__} as a format with a year, got {value!r}; write for instance "
            "'%d/%m/%Y' for 31/01/2024, '%m/%d/%y' for 01/31/24, or one of "
            f"{', '.join(map(repr, COUNTED_DATES))} for dates that are counted.",
            name=part.name,
            got=value,
        )


def _date_format() -> Any:
    return field(default=None, kw_only=True, validator=_is_a_format)


@frozen
class Layout(Listed):
    """The layout of a file (abstract: `Wide`, `Long`, `Crsp`, `French`, `Either`)."""

    def given(self, names: Sequence[Any]) -> Layout:
        """Return the layout of a file with these columns."""
        return self


@final
@frozen
class Wide(Layout):
    r"""One row for each date, one column for each asset.

    Parameters
    ----------
    date : str, or tuple of str, optional
        The column of dates; by default the first, or in Parquet the index if it holds dates. Another index (row
        numbers, without a name in CSV) is ignored. Several columns hold year, month, and perhaps day: ``("year",
        "month")``, which are found by these names too.
    columns : sequence of str, optional
        The columns of numbers to read; by default all others. In tables with two lines of names (fields such as
        ``Close``, and tickers), fields or tickers.
    dates : str, optional
        The format of dates that are not year first, such as ``"%d/%m/%Y"``, as `datetime.datetime.strptime` reads it;
        or what counts them: ``"unix-s"``, ``"unix-ms"``, ``"unix-us"`` (since 1970, UTC) or ``"excel"`` (days).

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "returns.csv"
    >>> _ = path.write_text("Day,MSFT,NOTE\n31/01/2024,0.01,a\n29/02/2024,0.02,b\n")
    >>> rm.read_returns(path, rm.Wide("Day", columns=["MSFT"], dates="%d/%m/%Y"))
                MSFT
    2024-01-31  0.01
    2024-02-29  0.02
    """

    date: Any = field(default=None, validator=_is_a_date)
    columns: tuple[Any, ...] | None = field(default=None, converter=_read_columns)
    dates: str | None = _date_format()


@final
@frozen
class Long(Layout):
    r"""One row for each date and asset.

    Parameters
    ----------
    date : str, or tuple of str
        The column of dates, or those of year, month, and perhaps day.
    asset : str
        The column of asset labels.
    value : str, optional
        The column of returns or prices; by default the only other one that is not an index.
    dates : str, optional
        The format of dates that are not year first, such as ``"%d/%m/%Y"``.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "returns.csv"
    >>> _ = path.write_text("day,isin,r\n2024-01-02,X,0.01\n2024-01-02,Y,-0.02\n2024-01-03,X,0.03\n")
    >>> rm.read_returns(path, rm.Long(date="day", asset="isin", value="r"))
                   X     Y
    2024-01-02  0.01 -0.02
    2024-01-03  0.03   NaN
    """

    date: Any = field(default="date", validator=_is_a_date)
    asset: str = field(default="asset", validator=_is_a_name)
    value: str | None = field(default=None, validator=_is_a_name)
    dates: str | None = _date_format()


@final
@frozen
class Crsp(Layout):
    r"""An export of CRSP's stock files, from WRDS: one row for each date and permno, named as CRSP names them.

    Letters in a column of returns (``B``, ``C``, ...) and -44, -55, -66, -77, -88 and -99 are CRSP's codes for missing
    ones. ``DLRET`` beside ``RET`` is compounded with it, as are both on the last date; ``DLYRET`` and ``MTHRET`` of the
    current format contain it. Rows that repeat, one for each distribution, are read once; they must be equal. A permno
    is a whole number, however it is written. As prices, ``PRC / CFACPR`` is read, with the sign that marks a midpoint
    of bid and ask taken away; it is adjusted for splits, not for dividends.

    Parameters
    ----------
    value : str, optional
        The column of returns; by default ``RET``, ``DLYRET`` or ``MTHRET``, else the same without dividends
        (``RETX``). Case is ignored.
    dates : str, optional
        The format of dates that are not year first, such as ``"%m/%d/%Y"``.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "crsp.csv"
    >>> _ = path.write_text("PERMNO,date,RET\n10107,2024-01-31,0.0573\n10107,2024-02-29,0.0423\n")
    >>> rm.read_returns(path, rm.Crsp())
                 10107
    2024-01-31  0.0573
    2024-02-29  0.0423
    """

    value: str | None = field(default=None, validator=_is_a_name)
    dates: str | None = _date_format()

    def columns(self, names: Iterable[Any]) -> tuple[Any, Any, Any] | None:
        """Return the columns of dates, permnos and returns of a file, or None where it is not CRSP's.

        The column of returns is None where there is none.
        """
        called = {str(name).casefold(): name for name in reversed(list(names))}
        date = next((called[name] for name in _CRSP_DATES if name in called), None)
        if date is None or "permno" not in called:
            return None
        wanted = _CRSP_RETURNS if self.value is None else (str(self.value).casefold(),)
        return date, called["permno"], next((called[name] for name in wanted if name in called), None)

    @classmethod
    def is_return(cls, name: Any) -> bool:
        """Whether this is the name of one of CRSP's columns of returns."""
        return str(name).casefold() in _CRSP_RETURNS


def _is_a_horizon(_: Any, __: Any, value: Any) -> None:
    if value is not None and not isinstance(value, Horizon):
        raise InvalidParameterError(
            f"expected horizon of rm.French as a Horizon, got {value!r}; write rm.MONTH.", name="horizon", got=value
        )


def _is_a_caption(_: Any, __: Any, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise InvalidParameterError(
            f"expected caption of rm.French as text, got {value!r}; write part of the line above the table.",
            name="caption",
            got=value,
        )


@final
@frozen
class French(Layout):
    r"""A file of the French library as it is published: prose, then tables with a caption each, in percent.

    Parameters
    ----------
    horizon : Horizon, optional
        What a row of the table spans: ``rm.DAY`` or ``rm.WEEK`` (dates of eight digits), ``rm.MONTH`` (six) or
        ``rm.YEAR`` (four). By default the only table is read.
    caption : str, optional
        A part of the line above the table, such as ``"Average Value Weighted Returns"``. Case is ignored.
    columns : sequence of str, optional
        The columns to read; by default all.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "factors.csv"
    >>> _ = path.write_text("By CRSP 202407.\n\n,Mkt-RF,RF\n202401, 0.70, 0.47\n202402, 5.06, 0.42\n\n")
    >>> rm.read_percent_returns(path, rm.French(rm.MONTH))
                Mkt-RF      RF
    2024-01-31  0.0070  0.0047
    2024-02-29  0.0506  0.0042
    """

    horizon: Horizon | None = field(default=None, validator=_is_a_horizon)
    caption: str | None = field(default=None, validator=_is_a_caption)
    columns: tuple[Any, ...] | None = field(default=None, converter=_read_columns)


@final
@frozen
class Either(Layout):
    """Long where the columns are ``date``, one of these label names, and one more; CRSP's by its names; or wide.

    Case is ignored. For the command line, which detects the layout.

    Parameters
    ----------
    labels : tuple of str
        The possible names of the column of labels.
    horizon : Horizon, optional
        What a row spans, which chooses the table in a file of the French library.
    dates : str, optional
        The format of dates that are not year first.
    """

    labels: tuple[str, ...]
    horizon: Horizon | None = None
    dates: str | None = _date_format()

    def given(self, names: Sequence[Any]) -> Layout:
        """Return the layout of a file with these columns."""
        called = {str(name).casefold(): name for name in names}
        found = [called[label] for label in self.labels if label in called]
        crsp = Crsp(dates=self.dates)
        columns = crsp.columns(names)
        if columns is not None and columns[2] is not None:
            return crsp
        if len(names) == 3 and "date" in called and len(found) == 1:
            return Long(called["date"], found[0], dates=self.dates)
        return Wide(dates=self.dates)


def year_and_month(names: Sequence[Any]) -> tuple[Any, ...]:
    """Return the leading columns that are called year, month and perhaps day; empty where there are not two."""
    spelled = (("year", "yyyy", "yr"), ("month", "mm", "mon"), ("day", "dd"))
    found = [name for name, known in zip(names, spelled, strict=False) if str(name).strip().casefold() in known]
    leading = tuple(names[: len(found)])
    return leading if len(found) > 1 and tuple(found) == leading else ()
