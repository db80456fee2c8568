"""The Fama-French factors and the risk-free rate, from the ``ff`` tables of the same server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import define, field, frozen

from riskmodel._core import labels
from riskmodel._core.checks import ReturnChecks, ReturnKind
from riskmodel._core.kinds import FACTOR_RETURNS, RISK_FREE_RATE
from riskmodel._core.missing import FRENCH_CODES
from riskmodel.data.wrds.server import Server
from riskmodel.data.wrds.tables import FACTOR_TABLES, Catalogue
from riskmodel.errors import LayoutError, UnknownFactorError
from riskmodel.horizon import MONTH, Horizon

# In the three-factor table, in the five-factor table: names as the French library prints them, and their columns.
_THREE = {"Mkt-RF": "mktrf", "SMB": "smb", "HML": "hml", "Mom": "umd"}
_FIVE = {"RMW": "rmw", "CMA": "cma", "SMB5": "smb"}
_RISK_FREE = "rf"
# Codes of the library for a missing number, in percent and (if the table was divided by 100) in decimals, as SQL.
_SENTINELS = ", ".join(f"{code / unit:g}" for unit in (1, 100) for code in FRENCH_CODES)
# The columns that tell whether a table is in percent.
_CHECKED: dict[str, ReturnKind] = {"mktrf": FACTOR_RETURNS, _RISK_FREE: RISK_FREE_RATE}


@final
@frozen
class FactorTable:
    """One column of one factor table."""

    name: str
    column: str


@final
@define(eq=False)
class FactorLibrary:
    """The factor tables of one horizon.

    Parameters
    ----------
    server : Server
        Server to query.
    catalogue : Catalogue
        Tables of the server.
    horizon : Horizon
        ``DAY`` or ``MONTH``.
    """

    _server: Server
    _catalogue: Catalogue
    _horizon: Horizon
    _checked: set[str] = field(factory=set)

    def names(self) -> list[str]:
        """Return the names of the factors on the server."""
        return list(self._tables())

    def factors(self, wanted: Sequence[str], low: date, high: date) -> pd.DataFrame:
        """Return factor returns, dates × names in the order given, decimals; NaN where missing."""
        known = self._tables()
        labels.positions(wanted, pd.Index(list(known), dtype=object), "factor", UnknownFactorError)
        series = {name: self._series(known[name], low, high) for name in dict.fromkeys(wanted)}
        frame = pd.concat(series, axis=1, sort=True) if series else pd.DataFrame(index=pd.DatetimeIndex([]))
        return frame.loc[:, list(wanted)]

    def risk_free(self, low: date, high: date) -> pd.Series[float]:
        """Return the risk-free rate by date, decimals; NaN where missing."""
        table = self._home_of_the_rate()
        if table is not None:
            return self._series(FactorTable(table, _RISK_FREE), low, high).rename("risk_free")
        raise LayoutError(
            f"expected a risk-free rate per {self._horizon} in the columns date and rf of "
            f"{' or '.join(FACTOR_TABLES[self._horizon])}, got none from this server; take factors and rate "
            "from another provider: rm.Joined(assets=rm.WRDS(), factors=...).",
            tables=list(FACTOR_TABLES[self._horizon]),
        )

    def vintages(self, names: Sequence[Any]) -> dict[str, str]:
        """Return the last day of the tables of these factors and of the risk-free rate."""
        known = self._tables()
        tables = [known[n].name for n in names if n in known] + [self._home_of_the_rate() or ""]
        return {table: f"to {self._last(table)}" for table in dict.fromkeys(tables) if table}

    def _last(self, table: str) -> date | None:
        ((last,),) = self._server.fetch(f"SELECT max(date)::date FROM {table}", {})
        return last  # type: ignore[no-any-return]

    def _home_of_the_rate(self) -> str | None:
        tables = FACTOR_TABLES[self._horizon]
        return next((t for t in tables if self._catalogue.has({t: {"date", _RISK_FREE}})), None)

    def _tables(self) -> Mapping[str, FactorTable]:
        three, five = FACTOR_TABLES[self._horizon]
        candidates = [(n, FactorTable(three, c)) for n, c in _THREE.items()]
        candidates += [(n, FactorTable(five, c)) for n, c in (_THREE | _FIVE).items()]
        found: dict[str, FactorTable] = {}
        for name, table in candidates:
            if self._catalogue.has({table.name: {"date", table.column}}):
                found.setdefault(name, table)
        return found

    def _series(self, table: FactorTable, low: date, high: date) -> pd.Series[float]:
        self._require_decimals(table.name)
        rows = self._server.fetch(
            f"SELECT date::date, CASE WHEN {table.column} IN ({_SENTINELS}) THEN NULL "
            f"ELSE {table.column}::float8 END FROM {table.name} "
            "WHERE date BETWEEN %(low)s AND %(high)s ORDER BY date",
            {"low": low, "high": high},
        )
        dates = pd.DatetimeIndex(np.array([d for d, _ in rows], dtype="datetime64[ns]"))
        if self._horizon == MONTH:
            # some monthly tables have the first day of the month, some the last
            dates = dates.to_period("M").to_timestamp(how="end").normalize().as_unit("ns")
        return pd.Series(np.array([x for _, x in rows], dtype=np.float64), dates)

    def _require_decimals(self, table: str) -> None:
        """Raise if a table is in percent. Uses the whole table, as all rates are zero in some windows."""
        if table in self._checked:
            return
        for column, kind in _CHECKED.items():
            if self._catalogue.has({table: {column}}):
                counts = self._counts(table, column)
                ReturnChecks.counted(kind, self._horizon, f"{table}.{column}", counts).finish()
        self._checked.add(table)

    def _counts(self, table: str, column: str) -> Sequence[float]:
        """Let the server count what tells returns from percent, as `ReturnChecks.counted` takes it."""
        larger = ", ".join(f"count(*) FILTER (WHERE abs(x) > {rung!r})" for rung in self._rungs(column))
        (counts,) = self._server.fetch(
            "SELECT count(x), count(*) FILTER (WHERE x <> 0), coalesce(min(x), 0), coalesce(max(x), 0), "
            f"{larger} FROM (SELECT {column}::float8 AS x FROM {table} WHERE {column} NOT IN ({_SENTINELS})) AS known",
            {},
        )
        return counts

    def _rungs(self, column: str) -> tuple[float, ...]:
        return tuple(float(rung) for rung in _CHECKED[column].rungs(self._horizon))
