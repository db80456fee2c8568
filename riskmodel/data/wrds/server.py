"""Connection to a WRDS server: opened when first needed, reopened when lost."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from numbers import Integral
from types import TracebackType
from typing import Any, Self, TypeVar, final
from weakref import finalize

from attrs import field, frozen

from riskmodel.errors import CredentialsError, InvalidParameterError, MissingExtraError, SourceError

T = TypeVar("T")

# Connection settings of libpq: detect a dead connection within a minute, leave time to approve a login.
_LINE = {
    "connect_timeout": 120,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
_REFUSED = ("password", "authentication", "role ", "pg_hba")
_OF_ADDRESSES = {"host": ("://", "@", "="), "database": ("://", "@", "="), "user": (":", "=")}
_ALONE = {"host": "the name of a server", "database": "the name of a database", "user": "the name of a user"}
_PORTS = 1 << 16
_PAUSES = (1.0, 4.0, 15.0)


def _has_no_password(_: object, part: Any, value: Any) -> None:
    """Raise for a value that libpq would read as a whole address, because it may contain a password.

    The value would be printed and stored in caches. The error does not show it either.
    """
    if value is None and part.name == "user":
        return
    if not isinstance(value, str):
        raise InvalidParameterError(
            f"expected {part.name} as text, got {type(value).__name__}.",
            parameter=part.name,
            got=type(value).__name__,
        )
    if "\0" in value:
        raise InvalidParameterError(
            f"expected {part.name} as {_ALONE[part.name]}, got text with a zero byte.", parameter=part.name
        )
    if any(sign in value for sign in _OF_ADDRESSES[part.name]) or (part.name != "user" and len(value.split()) > 1):
        raise InvalidParameterError(
            f"expected {part.name} as {_ALONE[part.name]} alone, got what looks like an address or several settings "
            "(not shown here); give host, port, database and user separately, and put the password into ~/.pgpass or "
            "PGPASSWORD.",
            parameter=part.name,
        )


def _port(number: object) -> int:
    """Read a port. The error does not show an invalid one, because it may contain a password."""
    if isinstance(number, str | Integral) and not isinstance(number, bool):
        with suppress(ValueError):
            if 0 < int(number) < _PORTS:
                return int(number)
    raise InvalidParameterError(
        f"expected port as a whole number such as 9737, below {_PORTS}, got something else of type "
        f"{type(number).__name__} (not shown here, because it may be several settings).",
        parameter="port",
        got=type(number).__name__,
    )


@final
@frozen
class Address:
    """Address of a server and name of a user, without a password.

    Parameters
    ----------
    host : str
        Name, number, or the folder of a Unix socket.
    port : int
        TCP port, or the number in the socket's name.
    database : str
        Its name on that server.
    user : str or None
        None means libpq's default: the name of the operating system's user.
    """

    host: str = field(validator=_has_no_password)
    port: int
    database: str = field(validator=_has_no_password)
    user: str | None = field(validator=_has_no_password)

    @classmethod
    def read(cls, host: str | None, port: int | None, database: str | None, user: str | None) -> Self:
        """Take missing parts from PGHOST, PGPORT, PGDATABASE and PGUSER, then from the client's defaults."""
        client = require_client()
        return cls(
            host=host or os.environ.get("PGHOST") or client.sql.WRDS_POSTGRES_HOST,
            port=_port(os.environ.get("PGPORT", client.sql.WRDS_POSTGRES_PORT) if port is None else port),
            database=database or os.environ.get("PGDATABASE") or client.sql.WRDS_POSTGRES_DB,
            user=user or os.environ.get("PGUSER"),
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def place(self) -> str:
        """Identifier of the database, the same for all users."""
        return f"{self.host}:{self.port}/{self.database}"

    def open(self) -> Any:
        """Open a `wrds.Connection` without prompts, prints or a stored password.

        The client's ``connect`` tries another host when the first does not answer, and then prompts for a password on
        the terminal. So the engine is made here, and libpq finds the password.
        """
        client, engines = require_client(), importlib.import_module("sqlalchemy")
        options = {
            **client.sql.WRDS_CONNECT_ARGS,
            **_LINE,
            "sslmode": os.environ.get("PGSSLMODE", "require"),
            "host": self.host,
            "port": self.port,
            "dbname": self.database,
        }
        if self.user:
            options["user"] = self.user
        connection = client.Connection(
            autoconnect=False, wrds_hostname=self.host, wrds_port=self.port, wrds_dbname=self.database
        )
        connection.engine = engines.create_engine(
            "postgresql+psycopg2://", isolation_level="AUTOCOMMIT", connect_args=options
        )
        try:
            connection.connection = connection.engine.connect()
        except engines.exc.OperationalError as error:
            raise self._failure(_reason(error)) from None
        return connection

    def close(self, connection: Any) -> None:
        """Close what was opened."""
        connection.close()

    def _failure(self, reason: str) -> SourceError:
        if any(word in reason.lower() for word in _REFUSED):
            return CredentialsError(
                f"{self} refused {f'user {self.user!r}' if self.user else 'the login'}: {reason}. Put one line "
                f"{self.host}:{self.port}:{self.database}:<user>:<password> into ~/.pgpass (chmod 600; on Windows "
                "%APPDATA%\\postgresql\\pgpass.conf), or set PGPASSWORD; give the user name as user= or PGUSER. "
                "Register for an account at wrds-www.wharton.upenn.edu.",
                reason=reason,
                host=self.host,
            )
        return SourceError(
            f"cannot connect to {self}: {reason}. Check host= and port= (or PGHOST and PGPORT) and the network; a "
            "server without TLS needs PGSSLMODE=disable.",
            reason=reason,
            host=self.host,
        )


@final
@frozen
class Held:
    """A connection that the caller opened and will close.

    Parameters
    ----------
    connection : wrds.Connection
        Open.
    """

    _connection: Any = field(repr=False)

    def __str__(self) -> str:
        return "the connection that was given"

    @property
    def place(self) -> str:
        """Identifier of the database, in the form of `Address.place`."""
        said = self.open().connection.connection.get_dsn_parameters()
        return f"{said.get('host', 'this machine')}:{said.get('port')}/{said.get('dbname')}"

    def open(self) -> Any:
        """Return the connection; raise if it is not open."""
        engine, line = (getattr(self._connection, name, None) for name in ("engine", "connection"))
        if engine is None or line is None or getattr(line, "closed", True):
            raise InvalidParameterError(
                f"expected connection as an open wrds.Connection, got {'a closed ' if line is not None else ''}"
                f"{type(self._connection).__name__}; open it, or omit it to let rm.WRDS() connect.",
                parameter="connection",
                got=type(self._connection).__name__,
                closed=line is not None,
            )
        return self._connection

    def close(self, connection: Any) -> None:
        """Do nothing: the caller closes the connection."""


def require_client() -> Any:
    """Import the ``wrds`` package; raise with an install hint if it is missing."""
    if importlib.util.find_spec("wrds") is None:
        raise MissingExtraError.of("WRDS", "wrds", "wrds")
    return importlib.import_module("wrds")


@final
class Server:
    """What is asked of a server, again where the connection is lost.

    Parameters
    ----------
    origin : Address or Held
        What opens the connection, on the first question.
    pauses : tuple of float
        Seconds to wait before each further attempt once a connection is lost.
    """

    def __init__(self, origin: Address | Held, pauses: tuple[float, ...] = _PAUSES) -> None:
        self._origin = origin
        self._pauses = pauses
        self._start()

    def _start(self) -> None:
        self._client: Any = None
        self._release: finalize[..., Any] | None = None
        self._place: str | None = None
        # a connection runs one query at a time
        self._lock = threading.RLock()

    def __getstate__(self) -> tuple[Address, tuple[float, ...]]:
        """Return the address alone: a copy, or another process, opens its own connection."""
        if isinstance(self._origin, Held):
            raise InvalidParameterError(
                "expected a WRDS with an address, got one with connection=, which cannot be copied or sent to another "
                "process; make it with host=, port=, database= and user= instead.",
                parameter="connection",
            )
        return self._origin, self._pauses

    def __setstate__(self, state: tuple[Address, tuple[float, ...]]) -> None:
        self._origin, self._pauses = state
        self._start()

    def __str__(self) -> str:
        return str(self._origin)

    @property
    def place(self) -> str:
        """Identifier of the database; memoised, because a closed connection does not have it."""
        if self._place is None:
            self._place = self._origin.place
        return self._place

    def fetch(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Return all rows of a small result; the driver binds the parameters."""

        def ask(cursor: Any) -> list[tuple[Any, ...]]:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

        return self._attempt(ask)

    def copy(self, sql: str, parameters: Mapping[str, Any], sink: Callable[[], Any]) -> Any:
        """Stream a large result in PostgreSQL's binary format into a new ``sink()`` per attempt; return the sink."""

        def ask(cursor: Any) -> Any:
            target = sink()
            query = cursor.mogrify(sql, parameters).decode()
            cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", target)
            return target

        return self._attempt(ask)

    def close(self) -> None:
        """Close the connection if it was opened here; the next query opens another."""
        with self._lock:
            if self._release is not None:
                self._release()
            self._client = self._release = None

    def _attempt(self, ask: Callable[[Any], T]) -> T:
        """Run a query when no other thread does."""
        with self._lock:
            return self._attempts(ask)

    def _attempts(self, ask: Callable[[Any], T]) -> T:
        """Run a query; after a lost connection, try again after each pause."""
        reasons: list[str] = []
        for pause in (0.0, *self._pauses):
            time.sleep(pause)
            if self._client is not None and getattr(self._client.connection, "closed", True):
                self.close()  # somebody else closed it
            if self._client is None:
                self._client = self._origin.open()
                # WRDS limits connections per user: close this one when its provider is deleted
                self._release = finalize(self, self._origin.close, self._client)
            try:
                return self._ask(ask)
            except _LostError as lost:
                reasons.append(str(lost))
        raise SourceError(
            f"the connection to {self} was lost, and {len(self._pauses)} further attempts over "
            f"{sum(self._pauses):g} seconds failed: {'; then '.join(dict.fromkeys(reasons))}. Nothing was stored; run "
            "the request again when the server is reachable.",
            reasons=reasons,
        )

    def _ask(self, ask: Callable[[Any], T]) -> T:
        failures = self._client.engine.dialect.dbapi.Error, importlib.import_module("sqlalchemy").exc.DBAPIError
        line = self._client.connection
        connection = None
        said: list[BaseException] = []
        try:
            connection = line.connection
            with connection.cursor() as cursor, _listening(failures, said):
                return ask(cursor)
        except failures as error:
            reason = _reason(said[0] if said else error)
            if connection is not None and not connection.closed:
                raise SourceError(f"{self} refused the query: {reason}.", reason=reason) from error
            _discard(line)
            raise _LostError(reason) from error
        except BaseException:
            # interrupted during a result, whose remainder would be read as the next result
            _discard(line)
            raise


@contextmanager
def _listening(kinds: tuple[type[BaseException], ...], said: list[BaseException]) -> Iterator[None]:
    """Collect errors that the driver prints: for a cut COPY it raises twice, and prints the first, the true reason.

    The driver prints through ``sys.excepthook``; other exceptions go to the previous hook.
    """
    usual = sys.excepthook

    def listen(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        first = error.__cause__ if isinstance(error, SystemError) else error
        if isinstance(first, kinds):
            said.append(first)
        else:
            usual(kind, error, trace)

    sys.excepthook = listen
    try:
        yield
    finally:
        sys.excepthook = usual


def _discard(line: Any) -> None:
    """Invalidate a connection, so that the next query opens a new one."""
    line.invalidate()
    line.rollback()


class _LostError(Exception):
    """The connection was lost; the message says why."""


def _reason(error: Any) -> str:
    """Return the first line of the driver's message."""
    said = str(getattr(error, "orig", error)).strip()
    return said.splitlines()[0].rstrip(".") if said else type(error).__name__
