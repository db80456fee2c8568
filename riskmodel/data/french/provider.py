"""Kenneth R. French's data library: factors, the bill rate, and portfolios as assets."""

from __future__ import annotations

import math
import re
import warnings
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, final
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.checks import FactorReturns
from riskmodel._core.dates import window
from riskmodel._core.frames import ReturnFrame
from riskmodel.data.french import catalogue
from riskmodel.data.provider import DataProvider, require_list
from riskmodel.errors import (
    InvalidParameterError,
    LayoutError,
    MissingExtraError,
    MixedSetsWarning,
    SourceError,
    UnknownAssetError,
    UnknownFactorError,
)
from riskmodel.horizon import DAY, MONTH, WEEK, Horizon, as_named

_LIBRARY = "https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp/"

# How a row is dated tells what it spans: 20240731 a day or a week, 202407 a month, 2024 a year.
_DIGITS = {DAY: 8, WEEK: 8, MONTH: 6}
_ROW = re.compile(r"\s*(\d{8}|\d{6}|\d{4})\s*(,|$)")
# What is left of a row that was broken in two.
_NUMBERS = re.compile(r"[-+0-9., \t]*[0-9][-+0-9., \t]*")
_LINE_END = re.compile(r"\r+\n|\r|\n")
_VINTAGE = re.compile(r"using (?:the )?(\d{6}) (\w+) database")
_RETRIED = {408, 429}
# Asked for all, the reader would give the last five years.
_ALL = ("1900-01-01", "2200-01-01")


@frozen
class _Weighted:
    name: str

    caption: ClassVar[re.Pattern[str]]


@final
@frozen
class ValueWeighted(_Weighted):
    """A set of the library's portfolios, each stock weighted by its market value.

    Parameters
    ----------
    name : str
        As in `FamaFrench.catalogue`, for instance ``"49_Industry_Portfolios"``.
    """

    caption = re.compile(r"value[- ]weight(ed)? returns", re.IGNORECASE)


@final
@frozen
class EqualWeighted(_Weighted):
    """A set of the library's portfolios, each stock weighted the same.

    Parameters
    ----------
    name : str
        As in `FamaFrench.catalogue`, for instance ``"49_Industry_Portfolios"``.
    """

    caption = re.compile(r"equal[- ]weight(ed)? returns", re.IGNORECASE)


def _read_portfolios(portfolios: Any) -> Any:
    return ValueWeighted(portfolios) if isinstance(portfolios, str) else portfolios


def _read_sets(sets: Any) -> Any:
    return None if sets is None else tuple(require_list(sets, "sets"))


def _horizon_is_published(_: Any, __: Any, horizon: Any) -> None:
    if horizon not in _DIGITS:
        raise InvalidParameterError(f"the French library has rm.DAY, rm.WEEK and rm.MONTH, but {horizon!r} came.")


def _portfolios_are_published(self: Any, _: Any, portfolios: Any) -> None:
    if portfolios is None:
        return
    if not isinstance(portfolios, _Weighted):
        raise InvalidParameterError(
            "portfolios must be rm.ValueWeighted(name), rm.EqualWeighted(name), or a name for the former, but "
            f"{portfolios!r} came."
        )
    catalogue.published(portfolios.name, self.horizon, factors=False)


def _sets_are_published(self: Any, _: Any, sets: Any) -> None:
    if sets is not None and not sets:
        raise InvalidParameterError("sets must name at least one set of factors, but none came; leave it out for all.")
    for name in sets or ():
        catalogue.published(name, self.horizon, factors=True)


def _url_is_a_folder(_: Any, __: Any, url: Any) -> None:
    if isinstance(url, str) and "@" in url:
        # not shown: it is part of what this provider says of itself, which caches write down
        raise InvalidParameterError(
            "url must not hold a user or a password, but something came before an @; put them into ~/.netrc, which is "
            "read for the server's name."
        )
    if not isinstance(url, str) or not url.startswith(("http://", "https://")) or not url.endswith("/"):
        raise InvalidParameterError(f"url must start with https:// and end with /, but {url!r} came.")


def _is_a_count(_: Any, __: Any, retries: Any) -> None:
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise InvalidParameterError(f"retries must be a whole number, 0 or more, but {retries!r} came.")


def _is_a_time(_: Any, __: Any, timeout: Any) -> None:
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < math.inf:
        raise InvalidParameterError(f"timeout must be a positive number of seconds, but {timeout!r} came.")


@final
@frozen
class FamaFrench(DataProvider):
    """Kenneth R. French's data library, through pandas-datareader (extra ``french``).

    Parameters
    ----------
    horizon : Horizon
        ``rm.DAY`` (the default), ``rm.WEEK`` (three factors and a few portfolios only) or ``rm.MONTH``.
    portfolios : ValueWeighted, EqualWeighted or str, optional
        Which portfolios are the assets; a bare name means value-weighted. By default there are no assets: join
        the factors to those of another provider with `Joined`.
    sets : sequence of str, optional
        The sets that factors are taken from, as in `catalogue`. Where several have a factor of the same name, it
        is that of the first. By default the US ones: three factors, five factors, momentum, short- and long-term
        reversal, in this order. See the notes on SMB.
    url : str, optional
        The folder that the files are in, for a mirror of the library.
    retries : int, optional
        How often a request that failed is tried again.
    timeout : float, optional
        Seconds to wait for the server.

    Raises
    ------
    InvalidParameterError
        For a horizon or a set that is not published, with the nearest names.
    MissingExtraError
        When data are asked for and pandas-datareader is not installed.
    SourceError
        When the server cannot be reached, refuses, or sends a broken file.
    LayoutError
        When a file is not laid out as expected.

    Notes
    -----
    **SMB is published twice.** That of the three-factor set (from 1926) averages over portfolios by size and
    book-to-market; that of the five-factor set (from 1963) also over those by profitability and investment. ``"SMB"``
    is the former unless `sets` says otherwise; asked together with RMW or CMA, of whose model it is not part, it comes
    with a `MixedSetsWarning`. For the five-factor model say
    ``FamaFrench(sets=["F-F_Research_Data_5_Factors_2x3"])``, and add ``"F-F_Momentum_Factor"`` for the sixth.
    From where the second begins, the two sets agree on Mkt-RF, HML and RF.

    Files are in percent; what comes is in decimals. The codes -99.99 and -999 are missing returns. From the beginning
    unless `start` says otherwise. The annual tables of monthly files, and those that are no returns (numbers of
    firms, average sizes), are left aside.

    History is revised with each update of the underlying database, whose month is the vintage: see `provenance`.
    Since 2025-07 the daily RF has two decimals of a percent, a third less than before: rounding alone is up to
    0.005 % a day.

    Each file is fetched once in the life of the provider; `Cached` keeps it for longer.

    Examples
    --------
    >>> import riskmodel as rm
    >>> data = rm.FamaFrench(portfolios="49_Industry_Portfolios")
    >>> data.factors
    ['Mkt-RF', 'SMB', 'HML', 'RMW', 'CMA', 'Mom', 'ST_Rev', 'LT_Rev']
    >>> data.panel(["Agric", "Food"], ["Mkt-RF"])  # doctest: +SKIP
    >>> rm.FamaFrench(rm.WEEK, portfolios="49_Industry_Portfolio")
    Traceback (most recent call last):
    riskmodel.errors.InvalidParameterError: unknown set of portfolios of the French library per week: ...
    """

    horizon: Horizon = field(default=DAY, converter=as_named, validator=_horizon_is_published)
    portfolios: ValueWeighted | EqualWeighted | None = field(
        default=None, kw_only=True, converter=_read_portfolios, validator=_portfolios_are_published
    )
    sets: tuple[str, ...] | None = field(
        default=None, kw_only=True, converter=_read_sets, validator=_sets_are_published
    )
    url: str = field(default=_LIBRARY, kw_only=True, validator=_url_is_a_folder)
    retries: int = field(default=3, kw_only=True, validator=_is_a_count)
    timeout: float = field(default=30.0, kw_only=True, validator=_is_a_time)
    # what was fetched already: a memory of answers, not part of the value
    _fetched: dict[str, _Published] = field(factory=dict, init=False, repr=False, eq=False)

    @classmethod
    def catalogue(cls) -> pd.DataFrame:
        """List the data sets: ``kind``, ``title``, ``series``, and whether they come by day, week and month.

        Sets without dividends are left out, because their returns are not total returns, and breakpoints, because
        they are no returns.
        """
        return catalogue.table()

    @property
    def source(self) -> str:
        """What tells this provider's returns from any other's."""
        chosen = ",".join(self.sets or ("default",))
        weighted = f"{type(self.portfolios).__name__}({self.portfolios.name})" if self.portfolios else "none"
        return f"FamaFrench per {self.horizon}, sets {chosen}, portfolios {weighted}, from {self.url}"

    @property
    def factors(self) -> list[str]:
        """The labels of all factors."""
        return [name for name in self._homes() if name != catalogue.RISK_FREE]

    @property
    def assets(self) -> list[str]:
        """The labels of all portfolios; they are fetched to find out."""
        return [] if self.portfolios is None else [str(c) for c in self._portfolio_table().frame.columns]

    def asset_returns(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Total simple returns of the portfolios, dates × assets; unknown ones raise `UnknownAssetError`."""
        wanted = labels.unique(require_list(assets, "assets"), "assets")
        if self.portfolios is None:
            raise UnknownAssetError(
                "FamaFrench was given no portfolios, so it has no assets; give portfolios='49_Industry_Portfolios' or "
                "another set of FamaFrench.catalogue(), or rm.Joined(assets=..., factors=rm.FamaFrench()).",
                missing=list(wanted),
            )
        frame = self._portfolio_table().frame
        columns = labels.positions(wanted, frame.columns, "portfolio", UnknownAssetError)
        return _between(frame.iloc[:, columns], start, end)

    def factor_returns(self, names: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Factor returns, dates × names, of all sets side by side; unknown ones raise `UnknownFactorError`."""
        wanted = list(labels.unique(require_list(names, "factors"), "factors"))
        labels.positions(wanted, pd.Index(self.factors), "factor", UnknownFactorError)
        if self.sets is None and "SMB" in wanted and {"RMW", "CMA"} & set(wanted):
            warnings.warn(
                "SMB is that of the three-factor set, and RMW and CMA belong to the five-factor set, whose own SMB "
                "differs; say rm.FamaFrench(sets=['F-F_Research_Data_5_Factors_2x3', ...]) for the latter, or list "
                "the sets in the order you mean.",
                MixedSetsWarning,
                stacklevel=2,
            )
        homes = self._homes()
        columns = [self._factor_table(homes[name]).frame[name] for name in wanted]
        frame = pd.concat(columns, axis=1, sort=True) if columns else pd.DataFrame(index=pd.DatetimeIndex([]))
        return _between(frame, start, end)

    def risk_free(self, start: Any = None, end: Any = None) -> pd.Series[float]:
        """One-month bill rate by date, of the first set that has it."""
        rate = self._factor_table(self._home_of_the_rate()).frame[[catalogue.RISK_FREE]]
        return _between(rate, start, end)[catalogue.RISK_FREE].rename("risk_free")

    def provenance(self, assets: Sequence[Any] = (), factors: Sequence[Any] = ()) -> dict[str, str]:
        """By file, the vintage of the database it was made from, such as ``"202407 CRSP"``.

        Of the files behind these assets, these factors, and the risk-free rate.
        """
        homes = self._homes()
        sets = dict.fromkeys([homes[name] for name in factors if name in homes])
        if catalogue.RISK_FREE in homes:
            sets[homes[catalogue.RISK_FREE]] = None
        used = [self._factor_table(name) for name in sets]
        if len(assets) and self.portfolios is not None:
            used.append(self._portfolio_table())
        return {table.file: table.vintage for table in used}

    def _homes(self) -> dict[str, str]:
        """Each factor, and RF, with the set it is taken from."""
        sets = catalogue.US_FACTORS if self.sets is None else self.sets
        there = [catalogue.SETS[name] for name in sets if self.horizon in catalogue.SETS[name].files]
        homes: dict[str, str] = {}
        for data_set in there:
            for series in data_set.series:
                homes.setdefault(series, data_set.name)
        return homes

    def _home_of_the_rate(self) -> str:
        homes = self._homes()
        if catalogue.RISK_FREE not in homes:
            raise UnknownFactorError(
                f"no risk-free rate is published with {labels.listing(self.sets or ())}; add a set that has one, such "
                "as 'F-F_Research_Data_Factors', at the end of sets."
            )
        return homes[catalogue.RISK_FREE]

    def _factor_table(self, name: str) -> _Published:
        data_set = catalogue.SETS[name]
        return self._table(data_set.files[self.horizon], None, data_set.series)

    def _portfolio_table(self) -> _Published:
        assert self.portfolios is not None
        file = catalogue.SETS[self.portfolios.name].files[self.horizon]
        return self._table(file, self.portfolios.caption, ())

    def _table(self, file: str, caption: re.Pattern[str] | None, series: Sequence[str]) -> _Published:
        if file not in self._fetched:
            self._fetched[file] = _fetch(self, file, caption, series)
        return self._fetched[file]


def _between(frame: pd.DataFrame, start: Any, end: Any) -> pd.DataFrame:
    low, high = window(start, end)
    return frame.loc[low:high].copy()


# -- fetching ----------------------------------------------------------------------------------------


@frozen(eq=False)
class _Published:
    """One table of the library: decimals by date, and the vintage of its file."""

    file: str
    frame: pd.DataFrame
    vintage: str


def _fetch(source: FamaFrench, file: str, caption: re.Pattern[str] | None, series: Sequence[str]) -> _Published:
    reader = _reader_class()(file, start=_ALL[0], end=_ALL[1], retry_count=source.retries, timeout=source.timeout)
    reader.folder = source.url
    reader.choose = lambda text: _choose(_blocks(text, file), _DIGITS[source.horizon], caption, series, file)
    try:
        tables = reader.read()
    except (BadZipFile, zlib.error, EOFError, RuntimeError) as error:  # the last: encrypted, or packed in a new way
        raise SourceError(
            f"what came from {reader.url} is no whole zip file that can be unpacked ({error}); try again, and look at "
            "the address in a browser if it stays so.",
            url=reader.url,
        ) from error
    except OSError as error:
        raise SourceError(_refusal(reader, error), url=reader.url, status=reader.status) from error
    except LayoutError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _changed(file, f"pandas-datareader could not read it ({type(error).__name__}: {error})") from error
    frame = _decimals(tables.get(0), reader.chosen, file)
    frame.index = _timestamps(frame.index)
    return _Published(file, ReturnFrame.read(frame, FactorReturns(file), source.horizon).frame(), _vintage(reader.text))


def _refusal(reader: Any, error: OSError) -> str:
    if reader.status is not None:
        hint = " The library may have renamed the file." if reader.status == 404 else ""
        return f"{reader.url} could not be fetched: the server answered {reader.status}.{hint}"
    reason = str(error).strip().splitlines()[-1]
    return f"{reader.url} could not be fetched: {reason} Is there a network?"


@cache
def _reader_class() -> Any:
    """pandas-datareader's reader, pointed at any folder, and shown one table that is laid out as it expects."""
    try:
        from pandas_datareader.famafrench import FamaFrenchReader  # noqa: PLC0415 - optional
    except ImportError as error:
        raise MissingExtraError.of("FamaFrench", "pandas-datareader", "french") from error

    class Reader(FamaFrenchReader):  # type: ignore[misc]
        folder = _LIBRARY
        status: int | None = None
        text = ""
        choose: Any
        chosen: Any

        @property
        def url(self) -> str:
            return f"{self.folder}{self.symbols}_CSV.zip"

        def _output_error(self, out: Any) -> bool:
            # called with each answer that is not 200; true to give up: what is not there will not be there soon
            self.status = out.status_code
            return 400 <= out.status_code < 500 and out.status_code not in _RETRIED

        def _read_zipfile(self, url: str) -> str:
            self.text = super()._read_zipfile(url)
            self.chosen = self.choose(self.text)
            return str(self.chosen.as_the_reader_expects())

    return Reader


def _vintage(text: str) -> str:
    found = _VINTAGE.search(" ".join(text.split()))
    return f"{found[1]} {found[2]}" if found else "not stated"


# -- the layout of a file ----------------------------------------------------------------------------


@frozen
class _Block:
    """One table of a file: a caption, column names, and rows dated with the same number of digits."""

    caption: str
    columns: tuple[str, ...]
    digits: int
    rows: list[str] = field(factory=list)

    def as_the_reader_expects(self) -> str:
        """The reader splits tables at empty lines, and takes for prose what has fewer than 800 characters."""
        return "\r\n".join([(self.caption or "table").ljust(800), "," + ",".join(self.columns), *self.rows])


def _blocks(text: str, file: str) -> list[_Block]:
    """Find the tables of a file.

    Between files, and within some, these vary: line ends (CRLF, LF, lone CR, CR CR LF), empty lines between a caption
    and its table, commas that fill up empty lines and prose, spaces around column names, and whether the annual rows
    that follow monthly ones have a header of their own.
    """
    found: list[_Block] = []
    caption, columns, digits, below = "", None, 0, False
    for number, raw in enumerate(_LINE_END.split(text), start=1):
        line = raw.strip(" \t\ufeff").rstrip(", \t")
        row = _ROW.match(line)
        if row is None and columns is not None and _NUMBERS.fullmatch(line):
            raise _changed(
                file, f"line {number} holds numbers without a date, {line!r}, as if a row were broken in two"
            )
        below, above = row is not None, below
        if row is not None:
            if columns is None:
                raise _changed(file, f"line {number} holds numbers, but no column names stand above it")
            if digits != len(row[1]):
                digits = len(row[1])
                found.append(_Block(caption, columns, digits))
            found[-1].rows.append(line)
        elif line.startswith(","):
            before, columns, digits = columns, _column_names(line, file, number), 0
            if above and columns != before:
                raise _changed(file, f"line {number} has new column names, {line!r}, directly below a row")
        elif line:
            caption, columns = line, None
    return found


def _column_names(line: str, file: str, number: int) -> tuple[str, ...]:
    names = [name.strip() for name in line.split(",")[1:]]
    if "" in names or len(set(names)) < len(names):
        raise _changed(file, f"line {number} must hold one name for each column, but {line!r} came")
    return tuple(names)


def _choose(
    blocks: Sequence[_Block], digits: int, caption: re.Pattern[str] | None, series: Sequence[str], file: str
) -> _Block:
    """Choose the one table that spans what it should, and has the caption, or the columns."""
    spanning = [b for b in blocks if b.digits == digits]
    if caption is None:
        fitting = [b for b in spanning if set(series) <= set(b.columns)]
        wanted = f"the columns {', '.join(series)}"
    else:
        fitting = [b for b in spanning if caption.search(b.caption)]
        wanted = f"a caption such as {caption.pattern!r}"
    if len(fitting) != 1:
        there = "; ".join(f"{b.caption[:60]!r} with {labels.listing(b.columns)}" for b in spanning) or "none"
        raise _changed(file, f"one table of {digits}-digit dates must have {wanted}, but {len(fitting)} have: {there}")
    _require_cells(fitting[0], file)
    return fitting[0]


def _require_cells(block: _Block, file: str) -> None:
    """A row that is cut off must not pass for one whose last returns are missing: those have a code."""
    for row in block.rows:
        date, *cells = row.split(",")
        if len(cells) != len(block.columns) or not all(cell.strip() for cell in cells):
            there = sum(bool(cell.strip()) for cell in cells)
            raise _changed(
                file, f"{date.strip()} must have {len(block.columns)} numbers, but {there} came: {row[:60]!r}"
            )


def _decimals(table: Any, block: _Block, file: str) -> pd.DataFrame:
    """Check what the reader made of the table; percent to decimals, codes to missing."""
    if not isinstance(table, pd.DataFrame) or table.shape != (len(block.rows), len(block.columns)):
        came = table.shape if isinstance(table, pd.DataFrame) else "nothing"
        raise _changed(file, f"{len(block.rows)} rows × {len(block.columns)} columns are there, but {came} was read")
    for name, column in table.items():
        if not pd.api.types.is_numeric_dtype(column.dtype):
            wrong = column[pd.to_numeric(column, errors="coerce").isna()]
            raise _changed(file, f"column {str(name).strip()} holds {wrong.iloc[0]!r} at {wrong.index[0]}")
    percent = table.to_numpy(dtype=np.float64)
    missing = np.isclose(percent, -99.99, rtol=0.0, atol=1e-6) | (percent == -999.0)
    return pd.DataFrame(np.where(missing, np.nan, percent) / 100.0, table.index, list(block.columns))


def _timestamps(index: pd.Index[Any]) -> pd.DatetimeIndex:
    """Days as they are, months by their last day, from either kind of index."""
    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp(how="end").normalize()
    return pd.DatetimeIndex(index)


def _changed(file: str, what: str) -> LayoutError:
    return LayoutError(
        f"{file} of the French library is not laid out as expected: {what}. If the library changed its files, this "
        "version of riskmodel cannot read them.",
        file=file,
    )
