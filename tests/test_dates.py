"""Dates of any table: offsets of summer and winter, zones of Polars, arrays without dates."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

import riskmodel as rm

DAYS = pd.bdate_range("2020-01-01", periods=300)
MARKET = pd.Series(np.random.default_rng(0).normal(0, 0.01, 300), DAYS, name="Mkt-RF")
ASSETS = pd.DataFrame({"A": 1.2 * MARKET})


def _beta(assets, factors=MARKET, rate=0.0):
    data = rm.InMemory(assets, factors=factors, risk_free=rate, horizon=rm.DAY)
    panel = data.panel(["A"], ["Mkt-RF"])
    assert list(panel.dates) == list(DAYS)
    return float(rm.OLS().fit(panel).loadings.loc["A", "Mkt-RF"])


def _offset(i):
    return dt.timezone(dt.timedelta(hours=-5 if i % 100 < 50 else -4))


OFFSETS = [dt.datetime(d.year, d.month, d.day, tzinfo=_offset(i)) for i, d in enumerate(DAYS)]
MIXED = {
    "moments": pd.Index(OFFSETS, dtype=object),
    "text": pd.Index([str(m) for m in OFFSETS]),
    "ISO text": pd.Index([m.isoformat() for m in OFFSETS]),
    "closing times": pd.Index([m + dt.timedelta(hours=16) for m in OFFSETS], dtype=object),
    "late evenings": pd.Index([m + dt.timedelta(hours=22) for m in OFFSETS], dtype=object),
}


@pytest.mark.parametrize("index", MIXED.values(), ids=MIXED)
def test_rows_with_offsets_of_summer_and_winter_are_local_days(index):
    assert _beta(ASSETS.set_axis(index)) == pytest.approx(1.2)


def _polars(**zone):
    frame = pl.DataFrame({"date": [d.date() for d in DAYS], "A": ASSETS["A"].to_list()})
    return frame.with_columns(pl.col("date").cast(pl.Datetime).dt.replace_time_zone(zone["zone"])) if zone else frame


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "Asia/Tokyo", "America/New_York", "UTC"])
def test_days_of_polars_are_those_of_their_own_zone(zone):
    assert _beta(_polars(zone=zone)) == pytest.approx(1.2)


def test_dates_text_rates_and_nulls_of_polars():
    assert _beta(_polars()) == pytest.approx(1.2)
    assert _beta(_polars().with_columns(pl.col("date").cast(pl.String))) == pytest.approx(1.2)
    rate = pl.DataFrame({"date": [d.date() for d in DAYS], "rf": [0.0] * 300})
    assert _beta(_polars(), rate=rate) == pytest.approx(1.2)


NO_TABLES = {
    "numpy": (ASSETS.to_numpy(), rm.NonNumericError, "pd.DataFrame"),
    "one column of numpy": (ASSETS["A"].to_numpy(), rm.NonNumericError, "pd.Series"),
    "records of numpy": (ASSETS.to_records(), rm.NonNumericError, "pd.DataFrame"),
    "lists": ([[0.01]], rm.NonNumericError, "pd.DataFrame"),
    "lazy": (_polars().lazy(), rm.NonNumericError, "collect"),
    "column of Polars": (_polars()["A"], rm.InvalidDatesError, "two columns"),
}


@pytest.mark.parametrize(("table", "error", "remedy"), NO_TABLES.values(), ids=NO_TABLES)
@pytest.mark.parametrize("which", ["assets", "factors", "rate"])
def test_what_has_no_dates_is_refused_with_what_to_write(table, error, remedy, which):
    with pytest.raises(error, match=remedy):
        _beta(**({"assets": ASSETS} | {which: table}))
