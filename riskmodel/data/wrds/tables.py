"""The tables that are read, by name: the two CRSP formats. No other name ever reaches a query."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, final

from attrs import field, frozen

from riskmodel.data.wrds.server import Server
from riskmodel.errors import LayoutError
from riskmodel.horizon import DAY, MONTH, Horizon

# Numbers that stand for "missing" in CRSP's return columns, and in the French library's (there in percent).
_RETURN_CODES = "-44, -55, -66, -77, -88, -99"
# Flags of dlyretmissflg under which a number is none; "NA" means that nothing is missing.
_MISSING_FLAGS = "'NS', 'NT', 'RA', 'GP', 'MP', 'MV'"
# How far back the last trading day may lie, in calendar days.
_LOOK_BACK = {DAY: 10, MONTH: 62}


def _day(column: str, horizon: Horizon) -> str:
    """SQL for the label of a row: the day, or the last calendar day of the month."""
    if horizon == DAY:
        return f"{column}::date"
    return f"(date_trunc('month', {column}) + interval '1 month - 1 day')::date"


@final
@frozen
class Returns:
    """A table of returns by security and date."""

    table: str
    date: str
    ret: str
    cap: str
    missing_flag: str | None = None
    delistings: tuple[str, str, str] | None = None
    also: tuple[str, ...] = ()

    def needs(self) -> dict[str, set[str]]:
        """The columns that must be there, by table."""
        own = {self.table: {"permno", self.date, self.ret, *self.also}}
        return own if self.delistings is None else own | {self.delistings[0]: {"permno", *self.delistings[1:]}}

    def rows(self, catalogue: Catalogue, horizon: Horizon) -> str:
        """SQL for (permno, day, total return) of ``%(permnos)s`` from ``%(low)s`` to ``%(high)s``, delisting included.

        A delisting return that comes beside the return of the same day is compounded in; on a day without a
        return it is the return.
        """
        flag = self.missing_flag if catalogue.has({self.table: {str(self.missing_flag)}}) else None
        returns = _selected(self.table, self.date, _cleaned(self.ret, flag), horizon)
        if self.delistings is None:
            return returns
        table, day, ret = self.delistings
        delisted = f"{_selected(table, day, _cleaned(ret, None), horizon)} AND {_cleaned(ret, None)} IS NOT NULL"
        return (
            "SELECT permno, day, CASE WHEN r.ret IS NULL THEN d.ret WHEN d.ret IS NULL THEN r.ret "
            f"ELSE (1 + r.ret) * (1 + d.ret) - 1 END AS ret FROM ({returns}) r FULL JOIN ({delisted}) d "
            "USING (permno, day)"
        )

    def last_date(self) -> str:
        """SQL for the last date of the table at or before ``%(day)s``."""
        return f"SELECT max({self.date}) FROM {self.table} WHERE {self.date} BETWEEN %(floor)s AND %(day)s"


def _selected(table: str, date: str, ret: str, horizon: Horizon) -> str:
    return (
        f"SELECT permno::int4 AS permno, {_day(date, horizon)} AS day, {ret} AS ret FROM {table} "
        f"WHERE permno = ANY(%(permnos)s) AND {date} BETWEEN %(low)s AND %(high)s"
    )


def _cleaned(ret: str, flag: str | None) -> str:
    flagged = f" OR upper(trim({flag})) IN ({_MISSING_FLAGS})" if flag else ""
    return f"CASE WHEN {ret} IN ({_RETURN_CODES}){flagged} THEN NULL ELSE {ret}::float8 END"


@final
@frozen
class Names:
    """A table of what securities were called, and of what kind they were, from when to when."""

    table: str
    company: str
    share_class: str
    common: Mapping[str, tuple[Any, ...]]

    def needs(self) -> dict[str, set[str]]:
        """The columns that must be there, by table."""
        return {self.table: {"permno", "namedt", "ticker", self.company, self.share_class, *self.common}}

    def end(self, catalogue: Catalogue) -> str:
        """The column of the last day of a name: CRSP spells it in two ways."""
        return "nameenddt" if catalogue.has({self.table: {"nameenddt"}}) else "nameendt"

    def first_day(self) -> str:
        """SQL for the first day of a name; one that is open has been since ever."""
        return "coalesce(namedt::date, DATE '1900-01-01')"

    def last_day(self, catalogue: Catalogue) -> str:
        """SQL for the last day of a name; one that is open is still used."""
        return f"coalesce({self.end(catalogue)}::date, DATE '2200-01-01')"

    def is_common(self) -> str:
        """SQL that holds for the name of an ordinary US common share; the values are bound by column name."""
        return " AND ".join(f"n.{column} = ANY(%({column})s)" for column in self.common)


@final
@frozen
class Format:
    """One of CRSP's two formats.

    Parameters
    ----------
    name : str
        What users call it.
    names : Names
        Where securities' names are.
    returns : mapping of Horizon to Returns
        Where returns are.
    last : date or None
        The day the format was frozen on.
    """

    name: str
    names: Names
    returns: Mapping[Horizon, Returns] = field()
    last: date | None = None

    def needs(self, horizon: Horizon) -> dict[str, set[str]]:
        """The columns that must be there, by table."""
        return self.names.needs() | self.returns[horizon].needs()

    def look_back(self, horizon: Horizon) -> int:
        """How many calendar days before a date its last trading day is looked for."""
        return _LOOK_BACK[horizon]


CURRENT = Format(
    name="current",
    names=Names(
        table="crsp.stocknames_v2",
        company="issuernm",
        share_class="shareclass",
        common={
            "sharetype": ("NS",),
            "securitytype": ("EQTY",),
            "securitysubtype": ("COM",),
            "usincflg": ("Y",),
            "issuertype": ("ACOR", "CORP"),
            "primaryexch": ("N", "A", "Q"),
            "conditionaltype": ("RW", "NW"),
            "tradingstatusflg": ("A",),
        },
    ),
    returns={
        DAY: Returns("crsp.dsf_v2", "dlycaldt", "dlyret", "dlycap", "dlyretmissflg", also=("dlycap",)),
        MONTH: Returns("crsp.msf_v2", "mthcaldt", "mthret", "mthcap", also=("mthcap",)),
    },
)

LEGACY = Format(
    name="legacy",
    names=Names(
        table="crsp.stocknames",
        company="comnam",
        share_class="shrcls",
        common={"shrcd": (10, 11), "exchcd": (1, 2, 3)},
    ),
    returns={
        DAY: Returns(
            "crsp.dsf", "date", "ret", "abs(prc) * shrout",
            delistings=("crsp.dsedelist", "dlstdt", "dlret"), also=("prc", "shrout"),
        ),
        MONTH: Returns(
            "crsp.msf", "date", "ret", "abs(prc) * shrout",
            delistings=("crsp.msedelist", "dlstdt", "dlret"), also=("prc", "shrout"),
        ),
    },
    last=date(2024, 12, 31),
)  # fmt: skip

FACTOR_TABLES = {
    DAY: ("ff.factors_daily", "ff.fivefactors_daily"),
    MONTH: ("ff.factors_monthly", "ff.fivefactors_monthly"),
}


def _every_table() -> list[str]:
    read = [t for f in (CURRENT, LEGACY) for h in f.returns for t in f.needs(h)]
    return sorted({*read, *(t for pair in FACTOR_TABLES.values() for t in pair)})


@final
@frozen
class Catalogue:
    """Which of the tables that are read the server has and lets this user see, with their columns."""

    _columns: Mapping[str, frozenset[str]]

    @classmethod
    def ask(cls, server: Server) -> Catalogue:
        """Ask the server's ``information_schema``."""
        rows = server.fetch(
            "SELECT table_schema || '.' || table_name, column_name FROM information_schema.columns "
            "WHERE table_schema || '.' || table_name = ANY(%(tables)s)",
            {"tables": _every_table()},
        )
        found: dict[str, set[str]] = {}
        for table, column in rows:
            found.setdefault(str(table), set()).add(str(column))
        return cls({t: frozenset(c) for t, c in found.items()})

    def has(self, needed: Mapping[str, set[str]]) -> bool:
        """Whether all of these columns are there."""
        return not self._lacking(needed)

    def format(self, wanted: Format | None, horizon: Horizon) -> Format:
        """The format that was asked for, else the current one, else the legacy one where only that is there."""
        candidates = (CURRENT, LEGACY) if wanted is None else (wanted,)
        for candidate in candidates:
            if self.has(candidate.needs(horizon)):
                return candidate
        lacking = "; or ".join(", ".join(self._lacking(c.needs(horizon))) for c in candidates)
        raise LayoutError(
            f"the server does not show you CRSP per {horizon} in the {' or the '.join(c.name for c in candidates)} "
            f"format: it lacks {lacking}. Tables that your institution does not subscribe to look like this; ask your "
            "WRDS representative.",
            tables=sorted(self._columns),
        )

    def _lacking(self, needed: Mapping[str, set[str]]) -> list[str]:
        absent = [t for t in needed if t not in self._columns]
        short = [f"{t}.{c}" for t, cs in needed.items() if t in self._columns for c in sorted(cs - self._columns[t])]
        return absent + short
