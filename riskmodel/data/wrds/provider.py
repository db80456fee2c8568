"""`WRDS`: CRSP returns, the Fama-French factors and the risk-free rate from one server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from numbers import Integral
from typing import Any, Self, final

import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.dates import window
from riskmodel.data.provider import DataProvider, require_list
from riskmodel.data.wrds.library import Library
from riskmodel.data.wrds.names import EARLIEST, LATEST
from riskmodel.data.wrds.server import Address, Held, Server
from riskmodel.data.wrds.tables import LEGACY, Format
from riskmodel.errors import CoverageError, InvalidParameterError
from riskmodel.horizon import DAY, MONTH, Horizon, as_named
from riskmodel.panel.funding import FUNDED, SELF_FINANCING, Funding

# permnos have four bytes on the server
_TOO_MANY = 2**31


def _is_available(_: object, __: object, horizon: Horizon) -> None:
    if horizon not in (DAY, MONTH):
        raise InvalidParameterError(
            f"expected the horizon of CRSP as rm.DAY or rm.MONTH, got {horizon!r}.", parameter="horizon", got=horizon
        )


@final
@frozen(eq=False, repr=False, init=False)
class WRDS(DataProvider):
    """Provider of CRSP and the Fama-French factors from WRDS, or any PostgreSQL server with the same tables.

    The first request opens the connection, with the ``wrds`` client (``pip install '.[wrds]'``). It never prompts;
    libpq finds the password in ``~/.pgpass``, ``PGPASSWORD`` or a service file.

    Parameters
    ----------
    horizon : Horizon
        ``rm.DAY`` (the default) or ``rm.MONTH``.
    connection : wrds.Connection, optional
        An open connection; it is not closed here.
    host, port, database, user : optional
        Address of the server; by default ``PGHOST``, ``PGPORT``, ``PGDATABASE`` and ``PGUSER``, then the
        addresses of WRDS itself.
    as_of : date-like, optional
        Resolve tickers on this day instead of over the window of each request.

    Raises
    ------
    MissingExtraError
        Without the ``wrds`` client.
    InvalidParameterError
        For another horizon, a closed connection, or a connection and an address at once.

    Notes
    -----
    Threads may share a provider; their queries run one at a time. A copy, or a pickle in another process, opens its
    own connection; a provider with `connection` cannot be copied or pickled.

    **Assets** are tickers (text) or permnos (whole numbers). A ticker means the security that had it on some day of
    the window, with that security's whole history in the window under all its names: FB and META are the same. If
    two securities had the ticker, `AmbiguousAssetError` lists them. ``"BRK.B"`` is class B of ticker BRK.

    **Returns** are total returns including the delisting return, also of delisted securities. They are read from the
    current format (``dsf_v2``, ``msf_v2``) if the server has it. The legacy format (``dsf`` and ``dsedelist``,
    compounded), frozen on 2024-12-31, is read if the server has no other, or with `WRDS.legacy`. A return of −1 is a
    total loss. Monthly rows are labelled by the month's last calendar day.

    **Factors**: ``"Mkt-RF"``, ``"SMB"``, ``"HML"`` and ``"Mom"`` of the three-factor table (from 1926), ``"RMW"``
    and ``"CMA"`` of the five-factor one (from 1963). The five-factor model has another small-minus-big
    factor, averaged over more sorts: ``"SMB5"``.

    Examples
    --------
    >>> import riskmodel as rm
    >>> data = rm.WRDS()                                                      # doctest: +SKIP
    >>> data.panel(["MSFT", "META", 14593], ["Mkt-RF"], start="2015-01-01")   # doctest: +SKIP
    <ReturnPanel 2516 dates (2015-01-02 to 2024-12-31, per day) × 3 assets, 1 factors, 0 dates dropped>
    """

    _horizon: Horizon = field(validator=_is_available)
    as_of: date | None
    _library: Library

    def __init__(
        self,
        horizon: Horizon = DAY,
        *,
        connection: Any = None,
        host: str | None = None,
        port: int | None = None,
        database: str | None = None,
        user: str | None = None,
        as_of: Any = None,
    ) -> None:
        server = _server(connection, host, port, database, user)
        self._start(horizon, as_of, server, None)

    @classmethod
    def legacy(
        cls,
        horizon: Horizon = DAY,
        *,
        connection: Any = None,
        host: str | None = None,
        port: int | None = None,
        database: str | None = None,
        user: str | None = None,
        as_of: Any = None,
    ) -> Self:
        """Read CRSP's legacy format (``dsf``, ``msf``), frozen on 2024-12-31, even if the server has the current one.

        Parameters and errors are those of the class; a window past the freeze raises `CoverageError`.
        """
        self = cls.__new__(cls)
        self._start(horizon, as_of, _server(connection, host, port, database, user), LEGACY)
        return self

    def _start(self, horizon: Horizon, as_of: Any, server: Server, wanted: Format | None) -> None:
        day, _ = window(as_of, None)
        self.__attrs_init__(
            horizon=as_named(horizon),
            as_of=None if day is None else day.date(),
            library=Library(server, wanted, as_named(horizon)),
        )

    def __repr__(self) -> str:
        name = "WRDS" if self._library.wanted is None else "WRDS.legacy"
        as_of = f", tickers as of {self.as_of}" if self.as_of else ""
        return f"<{name} per {self.horizon}, {self._library.server}{as_of}>"

    @property
    def horizon(self) -> Horizon:
        """Span of one row."""
        return self._horizon

    @property
    def source(self) -> str:
        """Identifier of the source: server and database, and the format if one was given."""
        name = "CRSP" if self._library.wanted is None else f"CRSP {self._library.wanted.name}"
        as_of = f", tickers as of {self.as_of}" if self.as_of else ""
        return f"{name} at {self._library.server.place}{as_of}"

    @property
    def factors(self) -> list[str]:
        """The names of the factors on the server."""
        return self._library.factors.names()

    @property
    def format(self) -> str:
        """The CRSP format in use: ``"current"`` or ``"legacy"``."""
        return self._library.format.name

    def asset_returns(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Return total simple returns, dates × assets in the order given, decimals; NaN where missing.

        Dates are those with a row of at least one asset.

        Raises
        ------
        UnknownAssetError, AmbiguousAssetError
            For a ticker that none, or more than one, security had in the window.
        CoverageError
            For a window past the freeze of the legacy format.
        DataError
            If the table has two different returns of one security and date.
        SourceError, CredentialsError
            If the server is unreachable, refuses the login, or the connection is lost repeatedly. Nothing is stored.
        """
        wanted = list(labels.unique(require_list(assets, "assets"), "assets"))
        low, high = _days(start, end)
        self._require_covered(low, high)
        permnos = self.permnos(wanted, start, end)
        dates, values = self._library.read(permnos, *_rows_of(low, high, self.horizon))
        return pd.DataFrame(values, dates, pd.Index(wanted, dtype=object), copy=False)

    def factor_returns(self, names: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Return factor returns, dates × names, decimals; unknown ones raise `UnknownFactorError`.

        Raises
        ------
        PercentReturnsError
            If the server's table is in percent.
        """
        wanted = list(labels.unique(require_list(names, "factors"), "factors"))
        return self._library.factors.factors(wanted, *_rows_of(*_days(start, end), self.horizon))

    def funding(self, name: Any) -> Funding | None:
        """Return whether holding a factor costs cash: the market's excess return does, the spreads do not."""
        return FUNDED if labels.is_excess(name) else SELF_FINANCING

    def risk_free(self, start: Any = None, end: Any = None) -> pd.Series[float]:
        """Return the risk-free rate by date, decimals."""
        return self._library.factors.risk_free(*_rows_of(*_days(start, end), self.horizon))

    def permnos(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> list[int]:
        """Return the permno of each ticker in the window, or on `as_of`; permnos are returned as they are.

        Raises
        ------
        UnknownAssetError, AmbiguousAssetError
            For a ticker that none, or more than one, security had.
        """
        low, high = (self.as_of, self.as_of) if self.as_of else _days(start, end)
        return self._library.directory.permnos(require_list(assets, "assets"), low, high)

    def identities(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> list[Any]:
        """Return the permno of each ticker, as `permnos` does; permnos need no query."""
        assets = require_list(assets, "assets")
        tickers = [a for a in assets if isinstance(a, str)]
        means = dict(zip(tickers, self.permnos(tickers, start, end), strict=True)) if tickers else {}
        return [means[a] if isinstance(a, str) else a for a in assets]

    def names(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Return all names of securities: one row per name, with its first and last day.

        The window is used to resolve the tickers. Columns are ``permno``, ``ticker``, ``company``, ``share_class``,
        ``start`` and ``end``.
        """
        rows = self._library.directory.history(self.permnos(assets, start, end))
        columns = ["permno", "ticker", "company", "share_class", "start", "end"]
        return pd.DataFrame([[getattr(n, c) for c in columns] for n in rows], columns=columns)

    def universe(self, date: Any, largest: int | None = None) -> list[int]:
        """Return the permnos of the ordinary US common shares that were listed on a date, largest first.

        Share codes 10 and 11 in the legacy format, and their equivalent in the current one, on NYSE, AMEX and Nasdaq,
        as of the last trading day (or month) at or before `date`. No later data are used.

        Parameters
        ----------
        date : date-like
            Day of the universe.
        largest : int, optional
            Maximum number, by market capitalisation; securities without one that day are last.

        Raises
        ------
        CoverageError
            If CRSP has no trading day shortly before `date`.
        InvalidParameterError
            If `largest` is not a positive whole number.

        Examples
        --------
        >>> data.panel(data.universe("2015-01-02", largest=500), ["Mkt-RF"], start="2015-01-02")   # doctest: +SKIP
        """
        if largest is not None and not _is_count(largest):
            raise InvalidParameterError(
                f"expected largest as a positive whole number below {_TOO_MANY:,}, got {largest!r}.",
                parameter="largest",
                got=largest,
            )
        day = _day(date)
        self._require_covered(day, day)
        library, names, returns = self._library, self._library.format.names, self._library.returns
        rows = library.server.fetch(
            f"SELECT r.permno::int4, max({returns.cap})::float8 AS cap FROM {returns.table} r "
            f"JOIN {names.table} n ON n.permno = r.permno AND {names.first_day()} <= r.{returns.date} "
            f"AND r.{returns.date} <= {names.last_day(library.catalogue)} "
            f"WHERE r.{returns.date} = %(day)s AND {names.is_common()} "
            "GROUP BY r.permno ORDER BY cap DESC NULLS LAST, r.permno LIMIT %(largest)s",
            {
                "day": self._last_day(day),
                "largest": None if largest is None else int(largest),
                **{c: list(v) for c, v in names.common.items()},
            },
        )
        return [permno for permno, _ in rows]

    def provenance(self, assets: Sequence[Any] = (), factors: Sequence[Any] = ()) -> dict[str, str]:
        """Return the last day of the tables that were read, which identifies their release.

        For assets, of the table of returns. For factors, and without names, of the tables of factors and the
        risk-free rate.
        """
        library = self._library
        found = {"CRSP": library.vintage()} if len(assets) else {}
        return found | (library.factors.vintages(factors) if len(factors) or not len(assets) else {})

    def close(self) -> None:
        """Close the connection if it was opened here; the next request opens a new one."""
        self._library.server.close()

    def _last_day(self, day: date) -> date:
        library = self._library
        floor = day - timedelta(days=library.format.look_back(self.horizon))
        ((last,),) = library.server.fetch(library.returns.last_date(), {"floor": floor, "day": day})
        if last is None:
            raise CoverageError(
                f"expected rows of {library.returns.table} from {floor} to {day}, got none; give a date that CRSP "
                "covers.",
                date=day,
                first=floor,
            )
        return last  # type: ignore[no-any-return]

    def _require_covered(self, low: date, high: date) -> None:
        chosen = self._library.format
        asked = high if high < LATEST else low
        if chosen.last is not None and asked > chosen.last:
            tables = ", ".join(r.table for r in chosen.returns.values())
            raise CoverageError(
                f"expected a window up to {chosen.last}, when CRSP's legacy tables ({tables}) were frozen, got one up "
                f"to {asked}; give an earlier end, or use rm.WRDS() on a server with the current format (crsp.dsf_v2, "
                "crsp.stocknames_v2).",
                last=chosen.last,
                asked=asked,
            )


def _server(connection: Any, host: str | None, port: int | None, database: str | None, user: str | None) -> Server:
    if connection is None:
        return Server(Address.read(host, port, database, user))
    given = [n for n, x in (("host", host), ("port", port), ("database", database), ("user", user)) if x is not None]
    if given:
        raise InvalidParameterError(
            f"expected connection or an address, got both: connection and {', '.join(given)}; give one of them.",
            parameter="connection",
            got=given,
        )
    origin = Held(connection)
    origin.open()
    return Server(origin)


def _is_count(number: Any) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool) and 1 <= int(number) < _TOO_MANY


def _day(moment: Any) -> date:
    """Read a day, or the first day of a month or a year."""
    try:
        low, _ = window(moment, None)
    except InvalidParameterError:
        low = None
    if low is None:
        raise InvalidParameterError(
            f"expected date as a day such as '2015-01-02', got {moment!r}.", parameter="date", got=moment
        )
    return low.date()


def _days(start: Any, end: Any) -> tuple[date, date]:
    low, high = window(start, end)
    return EARLIEST if low is None else low.date(), LATEST if high is None else high.date()


def _rows_of(low: date, high: date, horizon: Horizon) -> tuple[date, date]:
    """Return the first and last date of rows with a label in the window."""
    if horizon == DAY:
        return low, high
    # the last month whose last day is not after `high`
    return low.replace(day=1), (high + timedelta(days=1)).replace(day=1) - timedelta(days=1)
