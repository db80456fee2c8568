"""Fixtures of the WRDS tests: one PostgreSQL for the session, filled with the made market."""

from __future__ import annotations

import contextlib
import secrets

import pytest
import servers
from crsp_market import Market, load
from postgres import postgres


class Replica:
    """A server with the made market in several databases, and a user who may only read."""

    reader = "student"

    def __init__(self, server, market: Market) -> None:
        self.server = server
        self.market = market
        self.password = secrets.token_hex(12)
        self.execute("postgres", f"CREATE ROLE {self.reader} LOGIN PASSWORD '{self.password}'")
        self.execute("postgres", "CREATE DATABASE wrds")
        with contextlib.closing(server.connect("wrds")) as connection:
            load(connection, market)
        self.execute(
            "wrds",
            f"GRANT USAGE ON SCHEMA crsp, ff TO {self.reader}; "
            f"GRANT SELECT ON ALL TABLES IN SCHEMA crsp, ff TO {self.reader}",
        )

    def variant(self, name: str, change: str) -> str:
        """Make a copy of the database and change it; return its name."""
        self.execute("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'wrds'")
        self.execute("postgres", f"CREATE DATABASE {name} TEMPLATE wrds")
        self.execute(name, change)
        return name

    def execute(self, database: str, sql: str):
        """Run something as the superuser; return the rows of the last query."""
        with contextlib.closing(self.server.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def environment(self, database: str = "wrds") -> dict[str, str]:
        """The reader's environment."""
        return self.server.environment(self.reader, self.password, database)


@pytest.fixture(scope="session")
def market() -> Market:
    return Market()


@pytest.fixture(scope="session")
def replica(market):
    with postgres() as server:
        servers.used["WRDS"] = f"the real wrds client on {server}"
        yield Replica(server, market)


@pytest.fixture
def account(replica, monkeypatch):
    """The environment of somebody with an account on the replica."""
    for name, value in replica.environment().items():
        monkeypatch.setenv(name, value)
    return replica
