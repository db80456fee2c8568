"""A small made market in the schemas of WRDS, with every trap of CRSP in it, and what its returns truly are.

Types and columns are those of the server: the legacy tables (``dsf``, ``dsedelist``, ``stocknames``, ``msf``,
``msedelist``), the current ones (``dsf_v2``, ``stocknames_v2``, ``msf_v2``) and the factors in ``ff``.
"""

from __future__ import annotations

import csv
import io
from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd
from attrs import frozen

FIRST, FREEZE, LAST = date(2022, 1, 3), date(2024, 12, 31), date(2025, 3, 31)
DAYS = pd.bdate_range(FIRST, LAST)

_LEGACY = {
    "crsp.dsf": """cusip varchar(8), permno integer, permco integer, issuno integer, hexcd smallint, hsiccd integer,
        date date, bidlo numeric(11,5), askhi numeric(11,5), prc numeric(11,5), vol numeric, ret numeric(11,6),
        bid numeric(11,5), ask numeric(11,5), shrout numeric, cfacpr numeric, cfacshr numeric, openprc numeric(11,5),
        numtrd integer, retx numeric(11,6)""",
    "crsp.msf": """cusip varchar(8), permno integer, permco integer, issuno integer, hexcd smallint, hsiccd integer,
        date date, bidlo numeric, askhi numeric, prc numeric, vol numeric, ret numeric(11,6), bid numeric, ask numeric,
        shrout numeric, cfacpr numeric, cfacshr numeric, altprc numeric, spread numeric, altprcdt date,
        retx numeric(11,6)""",
    "crsp.dsedelist": """permno integer, dlstdt date, dlstcd integer, nwperm integer, nwcomp integer, nextdt date,
        dlamt numeric, dlretx numeric(11,6), dlprc numeric, dlpdt date, dlret numeric(11,6), permco integer,
        cusip varchar(8)""",
    "crsp.msedelist": """permno integer, dlstdt date, dlstcd integer, nwperm integer, nwcomp integer, nextdt date,
        dlamt numeric, dlretx numeric(11,6), dlprc numeric, dlpdt date, dlret numeric(11,6), permco integer,
        cusip varchar(8)""",
    "crsp.stocknames": """permno integer, permco integer, namedt date, nameenddt date, cusip varchar(8),
        ncusip varchar(8), ticker varchar(8), comnam varchar(35), hexcd smallint, exchcd smallint, siccd integer,
        shrcd smallint, shrcls varchar(4), st_date date, end_date date, namedum smallint""",
}
_KIND = """sharetype varchar(4), securitytype varchar(4), securitysubtype varchar(4), usincflg varchar(1),
    issuertype varchar(4), primaryexch varchar(1), conditionaltype varchar(2), tradingstatusflg varchar(1)"""
_KIND_NAMES = [part.split()[0] for part in _KIND.replace("(4)", "").replace("(1)", "").replace("(2)", "").split(",")]
_CURRENT = {
    "crsp.dsf_v2": f"""permno integer, hdrcusip varchar(8), permco integer, siccd integer, nasdissuno integer,
        yyyymmdd integer, {_KIND}, dlycaldt date, dlydelflg varchar(1), dlyprc numeric, dlyprcflg varchar(2),
        dlycap numeric, dlycapflg varchar(2), dlyprevprc numeric, dlyprevprcflg varchar(2), dlyprevdt date,
        dlyprevcap numeric, dlyprevcapflg varchar(2), dlyret numeric(10,6), dlyretx numeric(10,6),
        dlyreti numeric(10,6), dlyretmissflg varchar(2), dlyretdurflg varchar(2), dlyorddivamt numeric,
        dlynonorddivamt numeric, dlyfacprc numeric, dlydistretflg varchar(2), dlyvol numeric, dlyclose numeric,
        dlylow numeric, dlyhigh numeric, dlybid numeric, dlyask numeric, dlyopen numeric, dlynumtrd integer,
        dlymmcnt smallint, dlyprcvol numeric, shrout integer, cusip varchar(8), ticker varchar(8),
        exchangetier varchar(4), issuernm varchar(50)""",
    "crsp.msf_v2": f"""permno integer, permco integer, yyyymm integer, mthcaldt date, {_KIND}, mthdelflg varchar(1),
        mthprc numeric, mthprcflg varchar(2), mthcap numeric, mthret numeric(10,6), mthretx numeric(10,6),
        mthretflg varchar(2), mthvol numeric, shrout integer, ticker varchar(8)""",
    "crsp.stocknames_v2": f"""permno integer, permco integer, namedt date, nameenddt date, securitybegdt date,
        securityenddt date, hdrcusip varchar(8), hdrcusip9 varchar(9), cusip varchar(8), cusip9 varchar(9),
        ticker varchar(8), issuernm varchar(50), shareclass varchar(4), {_KIND}, siccd integer""",
}
_FACTORS = {
    "ff.factors_daily": """date date, mktrf numeric(8,6), smb numeric(8,6), hml numeric(8,6), rf numeric(7,5),
        umd numeric(8,6)""",
    "ff.fivefactors_daily": """date date, mktrf numeric(8,6), smb numeric(8,6), hml numeric(8,6), rmw numeric(8,6),
        cma numeric(8,6), rf numeric(7,5), umd numeric(8,6)""",
    "ff.factors_monthly": """date date, mktrf numeric(8,6), smb numeric(8,6), hml numeric(8,6), rf numeric(7,5),
        year double precision, month double precision, umd numeric(8,6), dateff date""",
    "ff.fivefactors_monthly": """date date, mktrf numeric(8,6), smb numeric(8,6), hml numeric(8,6), rmw numeric(8,6),
        cma numeric(8,6), rf numeric(7,5), umd numeric(8,6)""",
}
SCHEMAS = {**_LEGACY, **_CURRENT, **_FACTORS}

_COMMON = ("NS", "EQTY", "COM", "Y", "CORP", "N", "RW", "A")


@frozen
class Security:
    """One security: its life, its names, its end."""

    permno: int
    permco: int
    names: tuple[tuple[str, str, str, str, str], ...]  # ticker, company, share class, first and last day
    price: float
    shares: int  # thousands
    kind: tuple[str, ...] = _COMMON
    shrcd: int = 11
    exchcd: int = 1
    delisted: str | None = None
    delisting_return: float | None = None
    no_return: tuple[str, ...] = ()  # days with a row and no return
    no_row: tuple[str, ...] = ()

    @property
    def days(self) -> pd.DatetimeIndex:
        """The days on which it has a row."""
        days = DAYS[(self.names[0][3] <= DAYS) & (self.names[-1][4] >= DAYS)]
        return days[~days.isin(pd.DatetimeIndex(self.no_row))]


def _one(ticker: str, company: str, start: object = FIRST, end: object = LAST, share: str = "") -> tuple:
    return ((ticker, company, share, str(start), str(end)),)


SECURITIES = (
    Security(10107, 8048, _one("MSFT", "MICROSOFT CORP"), 335.0, 7_500_000, exchcd=3,
             kind=(*_COMMON[:4], "ACOR", "Q", "RW", "A")),
    Security(13407, 54084, (("FB", "META PLATFORMS INC", "A", str(FIRST), "2022-06-08"),
                            ("META", "META PLATFORMS INC", "A", "2022-06-09", str(LAST))), 338.0, 2_300_000, exchcd=3),
    # a ticker of two companies, the first of which went under
    Security(20001, 20001, _one("SUN", "SUN MICRO INC", end="2022-09-30"), 20.0, 30_000,
             delisted="2022-09-30", delisting_return=-0.3),
    Security(20002, 20002, _one("SUN", "SUNOCO NEW CORP", "2023-02-01"), 45.0, 90_000),
    # delisted without a return, with one on a day without a return, with one days after the last trade, with a code
    Security(20003, 20003, _one("NORT", "NORTHERN CO", end="2023-05-31"), 12.0, 10_000, delisted="2023-05-31"),
    Security(20004, 20004, _one("NULD", "NULL DAY INC", end="2023-06-30"), 7.0, 11_000,
             delisted="2023-06-30", delisting_return=-0.55, no_return=("2023-06-30",)),
    Security(20005, 20005, _one("LATE", "LATE CORP", end="2023-03-15"), 3.0, 12_000,
             delisted="2023-03-22", delisting_return=-1.0),
    Security(20006, 20006, _one("CODE", "CODE INC", end="2023-08-31"), 9.0, 13_000,
             delisted="2023-08-31", delisting_return=-55.0),
    Security(20013, 20013, _one("SLOW", "SLOW END CO", end="2023-10-27"), 6.0, 14_000,
             delisted="2023-11-03", delisting_return=-0.8),
    # holes: days with a row and no return, days without a row
    Security(20007, 20007, _one("MISS", "MISSING LTD"), 30.0, 50_000,
             no_return=("2022-03-01", "2022-03-02", "2022-03-03", "2022-03-04")),
    Security(20008, 20008, _one("HOLE", "HOLE INC"), 60.0, 40_000,
             no_row=tuple(str(d.date()) for d in pd.bdate_range("2022-07-05", "2022-07-15"))),
    # two share classes of one company
    Security(17778, 540, _one("BRK", "BERKSHIRE HATHAWAY", share="A"), 45_000.0, 6_000),
    Security(83443, 540, _one("BRK", "BERKSHIRE HATHAWAY", share="B"), 300.0, 1_300_000),
    # after the freeze of the legacy format
    Security(30001, 30001, _one("NEWC", "NEW COMPANY INC", "2025-01-15"), 25.0, 20_000),
    # not ordinary US common shares
    Security(20010, 20010, _one("ADRX", "FOREIGN PLC"), 40.0, 9_000_000, shrcd=31,
             kind=("AD", "EQTY", "COM", "N", "CORP", "N", "RW", "A")),
    Security(20011, 20011, _one("ETFX", "INDEX FUND"), 400.0, 9_000_000, shrcd=73,
             kind=("NS", "FUND", "ETF", "Y", "ETFS", "N", "RW", "A")),
    Security(20012, 20012, _one("OTCX", "OFF EXCHANGE CO"), 2.0, 9_000_000, exchcd=0,
             kind=(*_COMMON[:5], "X", "RW", "A")),
)  # fmt: skip


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.round(values, 6)


@frozen(slots=False)
class Market:
    """The made market: what goes into the tables, and the truth about it."""

    seed: int = 20_240_101
    securities: tuple[Security, ...] = SECURITIES

    @cached_property
    def factors(self) -> pd.DataFrame:
        """Daily factors and risk-free rate, decimals."""
        rng = np.random.default_rng(self.seed)
        names = ["mktrf", "smb", "hml", "umd", "rmw", "cma", "smb5"]
        frame = pd.DataFrame(_rounded(rng.normal(0.0003, 0.009, (len(DAYS), len(names)))), DAYS, names)
        return frame.assign(rf=0.0001)

    @cached_property
    def traded(self) -> dict[int, pd.Series]:
        """Returns while traded, by security: what is in the files before any delisting; NaN on the first day."""
        out = {}
        for s in self.securities:
            rng = np.random.default_rng(self.seed + s.permno)
            own = pd.Series(rng.normal(0.0, 0.015, len(DAYS)), DAYS)
            returns = pd.Series(_rounded(1.1 * self.factors["mktrf"] + own), DAYS).reindex(s.days)
            returns.iloc[0] = np.nan
            returns[list(pd.DatetimeIndex(s.no_return))] = np.nan
            out[s.permno] = returns
        return out

    def truth(self, permno: int) -> pd.Series:
        """Total daily returns with the delisting in them: what a holder earned."""
        s = self.security(permno)
        returns = self.traded[permno].copy()
        extra = s.delisting_return
        if s.delisted and extra is not None and extra >= -1.0:
            day = pd.Timestamp(s.delisted)
            before = returns.get(day, np.nan)
            returns.loc[day] = extra if np.isnan(before) else (1 + before) * (1 + extra) - 1
        return returns.sort_index()

    def monthly(self, permno: int) -> pd.Series:
        """Monthly returns while traded, by month end; NaN in the first month."""
        months = _by_month(self.traded[permno])
        months.iloc[0] = np.nan
        return months.round(6)

    def monthly_truth(self, permno: int) -> pd.Series:
        """Total monthly returns with the delisting in them, by month end."""
        s, months = self.security(permno), self.monthly(permno).copy()
        extra = s.delisting_return
        if s.delisted and extra is not None and extra >= -1.0:
            (month,) = _month_ends(pd.PeriodIndex([s.delisted], freq="M"))
            before = months.get(month, np.nan)
            months.loc[month] = extra if np.isnan(before) else (1 + before) * (1 + extra) - 1
        return months.sort_index()

    def security(self, permno: int) -> Security:
        """Find one."""
        return next(s for s in self.securities if s.permno == permno)

    def rows(self, table: str) -> Iterable[Mapping[str, object]]:
        """What goes into a table."""
        return getattr(self, f"_{table.replace('.', '_')}")()

    def _crsp_dsf(self):
        codes = iter([-99.0, -66.0, -77.0, None])
        for s in self.securities:
            price = s.price
            for n, (day, ret) in enumerate(self.traded[s.permno].items()):
                if day.date() > FREEZE:
                    break
                price *= 1 if np.isnan(ret) else 1 + ret
                is_code = np.isnan(ret) and n > 0 and s.permno == 20007
                yield {
                    "permno": s.permno, "permco": s.permco, "hexcd": s.exchcd, "date": day.date(),
                    "prc": -price if n % 7 == 3 else price, "shrout": s.shares, "vol": 1000,
                    "ret": next(codes) if is_code else ret, "retx": ret, "cfacpr": 1, "cfacshr": 1,
                }  # fmt: skip

    def _delistings(self):
        for s in self.securities:
            # every security has a row; 100 is "still active"
            yield {
                "permno": s.permno, "permco": s.permco, "dlstdt": s.delisted or FREEZE,
                "dlstcd": 574 if s.delisted else 100, "dlret": s.delisting_return,
            }  # fmt: skip

    _crsp_dsedelist = _crsp_msedelist = _delistings

    def _crsp_msf(self):
        for s in self.securities:
            for month, ret in self.monthly(s.permno).items():
                if month.date() <= FREEZE:
                    yield {
                        "permno": s.permno, "permco": s.permco, "prc": s.price, "shrout": s.shares, "ret": ret,
                        "date": DAYS[month >= DAYS][-1].date(),
                    }  # fmt: skip

    def _crsp_stocknames(self):
        for s in self.securities:
            for ticker, company, share, start, end in s.names:
                if start <= str(FREEZE):
                    yield {
                        "permno": s.permno, "permco": s.permco, "namedt": start, "nameenddt": min(end, str(FREEZE)),
                        "ticker": ticker, "comnam": company, "shrcls": share or None, "exchcd": s.exchcd,
                        "shrcd": s.shrcd, "st_date": s.names[0][3], "end_date": min(s.names[-1][4], str(FREEZE)),
                    }  # fmt: skip

    def _kind(self, s: Security) -> dict[str, str]:
        return dict(zip(_KIND_NAMES, s.kind, strict=True))

    def _crsp_dsf_v2(self):
        for s in self.securities:
            returns, price, kind = self.truth(s.permno), s.price, self._kind(s)
            for n, (day, ret) in enumerate(returns.items()):
                is_end = day == pd.Timestamp(s.delisted) if s.delisted else False
                price *= 1 if np.isnan(ret) else 1 + ret
                flag = "NA" if not np.isnan(ret) else "NS" if n == 0 else "MP"
                # one missing return is written as a zero beside its flag
                value = 0.0 if flag == "MP" and str(day.date()) == "2022-03-02" else ret
                yield {
                    "permno": s.permno, "permco": s.permco, "yyyymmdd": int(day.strftime("%Y%m%d")), **kind,
                    "dlycaldt": day.date(), "dlydelflg": "Y" if is_end else "N", "dlyprc": price, "dlyprcflg": "TR",
                    "dlycap": None if is_end else price * s.shares, "dlyret": value, "dlyretmissflg": flag,
                    "shrout": s.shares, "ticker": s.names[-1][0], "issuernm": s.names[-1][1],
                }  # fmt: skip

    def _crsp_msf_v2(self):
        for s in self.securities:
            for month, ret in self.monthly_truth(s.permno).items():
                yield {
                    "permno": s.permno, "permco": s.permco, "mthcaldt": DAYS[month >= DAYS][-1].date(),
                    **self._kind(s), "mthprc": s.price, "mthcap": s.price * s.shares, "mthret": ret,
                    "shrout": s.shares, "ticker": s.names[-1][0],
                }  # fmt: skip

    def _crsp_stocknames_v2(self):
        for s in self.securities:
            for ticker, company, share, start, end in s.names:
                last = max(end, s.delisted or end)
                yield {
                    "permno": s.permno, "permco": s.permco, "namedt": start, "nameenddt": last, "ticker": ticker,
                    "issuernm": company, "shareclass": share or None, **self._kind(s),
                    "securitybegdt": s.names[0][3], "securityenddt": s.delisted or s.names[-1][4],
                }  # fmt: skip

    def _ff_factors_daily(self):
        return _records(self.factors[["mktrf", "smb", "hml", "rf", "umd"]])

    def _ff_fivefactors_daily(self):
        return _records(self.factors.drop(columns="smb").rename(columns={"smb5": "smb"}))

    @cached_property
    def monthly_factors(self) -> pd.DataFrame:
        """Monthly factors and risk-free rate, decimals, by month end."""
        return _by_month(self.factors).round(5)

    def _ff_factors_monthly(self):
        for row in _records(self.monthly_factors[["mktrf", "smb", "hml", "rf", "umd"]]):
            # dated by the first of the month, as the server does
            end = row["date"]
            yield row | {"date": end.replace(day=1), "year": end.year, "month": end.month, "dateff": end}

    def _ff_fivefactors_monthly(self):
        return _records(self.monthly_factors.drop(columns="smb").rename(columns={"smb5": "smb"}))


def _by_month(returns):
    """Compound daily returns to months, labelled by their last calendar day; a missing one earns nothing."""
    months = (1 + returns).groupby(returns.index.to_period("M")).prod() - 1
    return months.set_axis(_month_ends(months.index))


def _month_ends(months: pd.PeriodIndex) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([date(m.year, m.month, monthrange(m.year, m.month)[1]) for m in months]).as_unit("ns")


def _records(frame: pd.DataFrame) -> list[dict[str, object]]:
    rows = zip(frame.index, frame.to_dict("records"), strict=True)
    return [{"date": day.date(), **row} for day, row in rows]


def load(connection, market: Market, tables: Iterable[str] = tuple(SCHEMAS)) -> None:
    """Make tables in an empty database and fill them."""
    with connection.cursor() as cursor:
        for schema in ("crsp", "ff"):
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for table in tables:
            cursor.execute(f"CREATE TABLE {table} ({SCHEMAS[table]})")
            columns = [part.strip().split()[0] for part in _split(SCHEMAS[table])]
            text = io.StringIO()
            writer = csv.DictWriter(text, columns)
            for row in market.rows(table):
                writer.writerow({k: None if v is None or v != v else v for k, v in row.items()})  # noqa: PLR0124
            text.seek(0)
            cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT csv)", text)


def _split(columns: str) -> list[str]:
    """Split the columns of a table at the commas that are not within brackets."""
    parts, depth = [""], 0
    for letter in columns:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
