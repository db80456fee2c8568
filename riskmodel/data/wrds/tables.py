"""Names of the tables and columns of the two CRSP formats; queries contain no other names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, final

from attrs import field, frozen

from riskmodel._core.missing import CRSP_CODES
from riskmodel.data.wrds.server import Server
from riskmodel.errors import LayoutError
from riskmodel.horizon import DAY, MONTH, Horizon

# Numbers that stand for "missing" in CRSP's return columns, as SQL.
_RETURN_CODES = ", ".join(f"{code:g}" for code in CRSP_CODES)
# Flags of dlyretmissflg for a missing return; "NA" means not missing.
_MISSING_FLAGS = "'NS', 'NT', 'RA', 'GP', 'MP', 'MV'"
# Calendar days to search back for the last trading day.
_LOOK_BACK = {DAY: 10, MONTH: 62}


def _day(column: str, horizon: Horizon) -> str:
    """Return SQL for the label of a row: the day, or the last calendar day of the month."""
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
        """Return the required columns, by table."""
        own = {self.table: {"permno", self.date, self.ret, *self.also}}
        return own if self.delistings is None else own | {self.delistings[0]: {"permno", *self.delistings[1:]}}

    def rows(self, catalogue: Catalogue, horizon: Horizon) -> str:
        """Return SQL for (permno, day, total return) of ``%(permnos)s`` from ``%(low)s`` to ``%(high)s``.

        A delisting return is compounded with the return of the same day; on a day without a return it is the
        return.
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
        """Return SQL for the last date of the table at or before ``%(day)s``."""
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
    """A table of names and kinds of securities, with first and last days."""

    table: str
    company: str
    share_class: str
    common: Mapping[str, tuple[Any, ...]]

    def needs(self) -> dict[str, set[str]]:
        """Return the required columns, by table."""
        return {self.table: {"permno", "namedt", "ticker", self.company, self.share_class, *self.common}}

    def end(self, catalogue: Catalogue) -> str:
        """Return the column of the last day of a name, which has two spellings in CRSP."""
        return "nameenddt" if catalogue.has({self.table: {"nameenddt"}}) else "nameendt"

    def first_day(self) -> str:
        """Return SQL for the first day of a name; NULL becomes 1900-01-01."""
        return "coalesce(namedt::date, DATE '1900-01-01')"

    def last_day(self, catalogue: Catalogue) -> str:
        """Return SQL for the last day of a name; NULL (still in use) becomes 2200-01-01."""
        return f"coalesce({self.end(catalogue)}::date, DATE '2200-01-01')"

    def is_common(self) -> str:
        """Return an SQL condition for ordinary US common shares, with parameters by column name."""
        return " AND ".join(f"n.{column} = ANY(%({column})s)" for column in self.common)


@final
@frozen
class Format:
    """One of CRSP's two formats.

    Parameters
    ----------
    name : str
        Name of the format.
    names : Names
        Table of names.
    returns : mapping of Horizon to Returns
        Tables of returns.
    last : date or None
        Last day of a frozen format.
    """

    name: str
    names: Names
    returns: Mapping[Horizon, Returns] = field()
    last: date | None = None

    def needs(self, horizon: Horizon) -> dict[str, set[str]]:
        """Return the required columns, by table."""
        return self.names.needs() | self.returns[horizon].needs()

    def look_back(self, horizon: Horizon) -> int:
        """Return the number of calendar days to search back for the last trading day."""
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
    """Tables and columns of the server that this user can see, among those in use."""

    _columns: Mapping[str, frozenset[str]]

    @classmethod
    def ask(cls, server: Server) -> Catalogue:
        """Query the server's ``information_schema``."""
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
        """Return whether all of these columns exist."""
        return not self._lacking(needed)

    def format(self, wanted: Format | None, horizon: Horizon) -> Format:
        """Return the given format, else the current one, else the legacy one; raise if none is available."""
        candidates = (CURRENT, LEGACY) if wanted is None else (wanted,)
        for candidate in candidates:
            if self.has(candidate.needs(horizon)):
                return candidate
        lacking = "; or ".join(", ".join(self._lacking(c.needs(horizon))) for c in candidates)
        raise LayoutError(
            f"expected CRSP per {horizon} in the {' or the '.join(c.name for c in candidates)} format, got a server "
            f"that lacks {lacking}; ask your WRDS representative whether your institution subscribes to these tables.",
            tables=sorted(self._columns),
        )

    def _lacking(self, needed: Mapping[str, set[str]]) -> list[str]:
        absent = [t for t in needed if t not in self._columns]
        short = [f"{t}.{c}" for t, cs in needed.items() if t in self._columns for c in sorted(cs - self._columns[t])]
        return absent + short
