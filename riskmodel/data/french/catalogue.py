"""What the French data library publishes, and under which file names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import DAY, MONTH, WEEK, Horizon

RISK_FREE = "RF"

_THREE = ("Mkt-RF", "SMB", "HML", RISK_FREE)
_FIVE = ("Mkt-RF", "SMB", "HML", "RMW", "CMA", RISK_FREE)


@frozen
class DataSet:
    """One data set of the library.

    `files` maps each horizon it is published at to a file name, without ``_CSV.zip``; `series` are the columns of a
    set of factors, and empty for a set of portfolios.
    """

    name: str
    title: str
    files: Mapping[Horizon, str] = field(hash=False)
    series: tuple[str, ...] = ()


def _set(name: str, title: str, *, day: str = "", week: str = "", series: Sequence[str] = ()) -> DataSet:
    files = {DAY: day, WEEK: week, MONTH: name}
    return DataSet(name, title, {h: f for h, f in files.items() if f}, tuple(series))


def _us_factors() -> Iterator[DataSet]:
    three, five = "F-F_Research_Data_Factors", "F-F_Research_Data_5_Factors_2x3"
    yield _set(three, "Three factors and the bill rate", day=f"{three}_daily", week=f"{three}_weekly", series=_THREE)
    yield _set(five, "Five factors and the bill rate", day=f"{five}_daily", series=_FIVE)
    for stem, column, title in (
        ("F-F_Momentum_Factor", "Mom", "Momentum factor"),
        ("F-F_ST_Reversal_Factor", "ST_Rev", "Short-term reversal factor"),
        ("F-F_LT_Reversal_Factor", "LT_Rev", "Long-term reversal factor"),
    ):
        yield _set(stem, title, day=f"{stem}_daily", series=[column])


_REGIONS = {
    "Developed": "developed markets",
    "Developed_ex_US": "developed markets without the US",
    "Europe": "Europe",
    "Japan": "Japan",
    "Asia_Pacific_ex_Japan": "Asia and the Pacific without Japan",
    "North_America": "North America",
}


def _regional_factors() -> Iterator[DataSet]:
    for region, where in _REGIONS.items():
        mom = "MOM" if region == "Asia_Pacific_ex_Japan" else "Mom"
        for stem, title, series in (
            (f"{region}_3_Factors", "Three factors and the US bill rate", _THREE),
            (f"{region}_5_Factors", "Five factors and the US bill rate", _FIVE),
            (f"{region}_{mom}_Factor", "Momentum factor", ("WML",)),
        ):
            yield _set(stem, f"{title}, {where}", day=f"{stem}_Daily", series=series)
    yield _set("Emerging_5_Factors", "Five factors and the US bill rate, emerging markets", series=_FIVE)
    yield _set("Emerging_MOM_Factor", "Momentum factor, emerging markets", series=["WML"])


_SORTS = {"OP": "profitability", "INV": "investment"}
_PRIOR = {"12_2": "momentum", "1_0": "short-term reversal", "60_13": "long-term reversal"}


def _us_portfolios() -> Iterator[DataSet]:
    for n in (5, 10, 12, 17, 30, 38, 48, 49):
        name = f"{n}_Industry_Portfolios"
        yield _set(name, f"{n} industries", day=f"{name}_daily")
    for column, what in {"ME": "size", "BE-ME": "book-to-market", **_SORTS}.items():
        name = f"Portfolios_Formed_on_{column}"
        yield _set(name, f"Terciles, quintiles and deciles by {what}", day=f"{name}_Daily")
    yield _set(
        "6_Portfolios_2x3",
        "2 × 3 by size and book-to-market",
        day="6_Portfolios_2x3_daily",
        week="6_Portfolios_2x3_weekly",
    )
    for name, grid in {"25_Portfolios_5x5": "5 × 5", "100_Portfolios_10x10": "10 × 10"}.items():
        yield _set(name, f"{grid} by size and book-to-market", day=f"{name}_Daily")
    for column, what in _SORTS.items():
        for n, grid in {6: "2x3", 25: "5x5", 100: "10x10"}.items():
            name = f"{n}_Portfolios_ME_{column}_{grid}"
            yield _set(name, f"{grid.replace('x', ' × ')} by size and {what}", day=f"{name}_daily")
    for columns, what in {
        "BEME_OP": "book-to-market and profitability",
        "BEME_INV": "book-to-market and investment",
        "OP_INV": "profitability and investment",
    }.items():
        name = f"25_Portfolios_{columns}_5x5"
        yield _set(name, f"5 × 5 by {what}", day=f"{name}_daily")
    for columns, what in {
        "ME_BEME_OP": "size, book-to-market and profitability",
        "ME_BEME_INV": "size, book-to-market and investment",
        "ME_OP_INV": "size, profitability and investment",
    }.items():
        yield _set(f"32_Portfolios_{columns}_2x4x4", f"2 × 4 × 4 by {what}")
    for column, what in _PRIOR.items():
        for name, grid in {
            f"6_Portfolios_ME_Prior_{column}": "2 × 3",
            f"25_Portfolios_ME_Prior_{column}": "5 × 5",
        }.items():
            yield _set(name, f"{grid} by size and {what}", day=f"{name}_Daily")
        name = f"10_Portfolios_Prior_{column}"
        yield _set(name, f"Deciles by {what}", day=f"{name}_Daily")
    for column, what in {"E-P": "earnings/price", "CF-P": "cash flow/price", "D-P": "dividend yield"}.items():
        yield _set(f"Portfolios_Formed_on_{column}", f"Terciles, quintiles and deciles by {what}")
        yield _set(f"6_Portfolios_ME_{column.replace('-', '')}_2x3", f"2 × 3 by size and {what}")
    for column, what in {
        "AC": "accruals",
        "BETA": "market beta",
        "NI": "net share issues",
        "VAR": "variance",
        "RESVAR": "residual variance",
    }.items():
        yield _set(f"Portfolios_Formed_on_{column}", f"Quintiles or deciles by {what}")
        yield _set(f"25_Portfolios_ME_{column}_5x5", f"5 × 5 by size and {what}")


def _regional_portfolios() -> Iterator[DataSet]:
    for region, where in _REGIONS.items():
        for n, grid in {6: "2 × 3", 25: "5 × 5"}.items():
            stem = f"{region}_{n}_Portfolios_ME"
            yield _set(f"{stem}_BE-ME", f"{grid} by size and book-to-market, {where}", day=f"{stem}_BE-ME_daily")
            for column, what in _SORTS.items():
                yield _set(f"{stem}_{column}", f"{grid} by size and {what}, {where}", day=f"{stem}_{column}_Daily")
            yield _set(f"{stem}_Prior_12_2", f"{grid} by size and momentum, {where}", day=f"{stem}_Prior_250_20_daily")


SETS = {
    s.name: s for part in (_us_factors(), _us_portfolios(), _regional_factors(), _regional_portfolios()) for s in part
}
US_FACTORS = tuple(s.name for s in _us_factors())


def published(name: object, horizon: Horizon, *, factors: bool) -> DataSet:
    """Find a set of factors, or of portfolios, that is published at a horizon."""
    kind = "factors" if factors else "portfolios"
    there = {n: s for n, s in SETS.items() if bool(s.series) == factors and horizon in s.files}
    if not isinstance(name, str) or name not in there:
        at = f" per {horizon}"
        raise labels.unknown([name], there, f"set of {kind} of the French library{at}", InvalidParameterError)
    return there[name]


def table() -> pd.DataFrame:
    """The catalogue as a table: one row per data set."""
    rows = [
        {
            "name": s.name,
            "kind": "factors" if s.series else "portfolios",
            "title": s.title,
            "series": ", ".join(s.series),
            **{str(h): h in s.files for h in (DAY, WEEK, MONTH)},
        }
        for s in SETS.values()
    ]
    return pd.DataFrame(rows).set_index("name")
