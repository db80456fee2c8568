"""The Fama-French factors and the risk-free rate, from the ``ff`` tables of the same server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import define, field, frozen

from riskmodel._core import labels
from riskmodel._core.checks import FACTOR_RETURNS, RISK_FREE_RATE, ReturnChecks, ReturnKind
from riskmodel.data.wrds.server import Server
from riskmodel.data.wrds.tables import FACTOR_TABLES, Catalogue
from riskmodel.errors import LayoutError, UnknownFactorError
from riskmodel.horizon import MONTH, Horizon

# In the three-factor table, in the five-factor table: names as the French library prints them, and their columns.
_THREE = {"Mkt-RF": "mktrf", "SMB": "smb", "HML": "hml", "Mom": "umd"}
_FIVE = {"RMW": "rmw", "CMA": "cma", "SMB5": "smb"}
_RISK_FREE = "rf"
# What the library writes where it has no number, in percent and, where somebody divided by 100, in decimals.
_SENTINELS = "-999, -99.99, -9.99, -0.9999"
# The columns that tell whether a table is in percent.
_CHECKED: dict[str, ReturnKind] = {"mktrf": FACTOR_RETURNS, _RISK_FREE: RISK_FREE_RATE}


@final
@frozen
class Source:
    """One column of one factor table."""

    table: str
    column: str


@final
@define(eq=False)
class FactorLibrary:
    """The factor tables of one horizon.

    Parameters
    ----------
    server : Server
        Whom to ask.
    catalogue : Catalogue
        What the server has.
    horizon : Horizon
        ``DAY`` or ``MONTH``.
    """

    _server: Server
    _catalogue: Catalogue
    _horizon: Horizon
    _checked: set[str] = field(factory=set)

    def names(self) -> list[str]:
        """The factors that the server has, by name."""
        return list(self._sources())

    def factors(self, wanted: Sequence[str], low: date, high: date) -> pd.DataFrame:
        """Return factor returns, dates × names in the order asked, decimals; NaN where missing."""
        sources = self._sources()
        labels.positions(wanted, pd.Index(list(sources), dtype=object), "factor", UnknownFactorError)
        series = {name: self._series(sources[name], low, high) for name in dict.fromkeys(wanted)}
        frame = pd.concat(series, axis=1, sort=True) if series else pd.DataFrame(index=pd.DatetimeIndex([]))
        return frame.loc[:, list(wanted)]

    def risk_free(self, low: date, high: date) -> pd.Series[float]:
        """Return the risk-free rate by date, decimals; NaN where missing."""
        table = self._home_of_the_rate()
        if table is not None:
            return self._series(Source(table, _RISK_FREE), low, high).rename("risk_free")
        raise LayoutError(
            f"the server does not show you a risk-free rate per {self._horizon}: none of "
            f"{', '.join(FACTOR_TABLES[self._horizon])} with the columns date and rf. Take factors and rate from "
            "elsewhere: rm.Joined(assets=rm.WRDS(), factors=...)."
        )

    def vintages(self, names: Sequence[Any]) -> dict[str, str]:
        """Up to what day the tables of these factors, and of the risk-free rate, go."""
        sources = self._sources()
        tables = [sources[n].table for n in names if n in sources] + [self._home_of_the_rate() or ""]
        return {table: f"to {self._last(table)}" for table in dict.fromkeys(tables) if table}

    def _last(self, table: str) -> date | None:
        ((last,),) = self._server.fetch(f"SELECT max(date)::date FROM {table}", {})
        return last  # type: ignore[no-any-return]

    def _home_of_the_rate(self) -> str | None:
        tables = FACTOR_TABLES[self._horizon]
        return next((t for t in tables if self._catalogue.has({t: {"date", _RISK_FREE}})), None)

    def _sources(self) -> Mapping[str, Source]:
        three, five = FACTOR_TABLES[self._horizon]
        candidates = [(n, Source(three, c)) for n, c in _THREE.items()]
        candidates += [(n, Source(five, c)) for n, c in (_THREE | _FIVE).items()]
        found: dict[str, Source] = {}
        for name, source in candidates:
            if self._catalogue.has({source.table: {"date", source.column}}):
                found.setdefault(name, source)
        return found

    def _series(self, source: Source, low: date, high: date) -> pd.Series[float]:
        self._require_decimals(source.table)
        rows = self._server.fetch(
            f"SELECT date::date, CASE WHEN {source.column} IN ({_SENTINELS}) THEN NULL "
            f"ELSE {source.column}::float8 END FROM {source.table} "
            "WHERE date BETWEEN %(low)s AND %(high)s ORDER BY date",
            {"low": low, "high": high},
        )
        dates = pd.DatetimeIndex(np.array([d for d, _ in rows], dtype="datetime64[ns]"))
        if self._horizon == MONTH:
            # some monthly tables carry the first day of the month, some the last
            dates = dates.to_period("M").to_timestamp(how="end").normalize().as_unit("ns")
        return pd.Series(np.array([x for _, x in rows], dtype=np.float64), dates)

    def _require_decimals(self, table: str) -> None:
        """Raise where a table is in percent, judged by all of it, for in some windows all rates are zero."""
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
