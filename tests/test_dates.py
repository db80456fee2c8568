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


# -- windows of hours ------------------------------------------------------------------------------------------------

NEW_YORK = "America/New_York"
CLOCK = [pd.Timedelta(hours=hour, minutes=30) for hour in range(9, 16)]
HOURS = pd.DatetimeIndex([day + time for day in DAYS[:60] for time in CLOCK])
HOUR = rm.Horizon.of("1h", per_day=7)
NOON = pd.Timestamp("2020-02-04 11:30", tz=NEW_YORK)
INSTANTS = [NOON, NOON.tz_convert("UTC"), NOON.tz_convert("Asia/Tokyo"), NOON.tz_convert("UTC").to_pydatetime()]
INSTANTS += ["2020-02-04 11:30-05:00", "2020-02-04T16:30Z"]


def _hours(zone):
    rows = pd.DataFrame({"A": np.random.default_rng(2).normal(0, 0.003, len(HOURS))}, HOURS.tz_localize(zone))
    return rm.InMemory(rows, factors=rows.rename(columns={"A": "F"}), risk_free=0.0, horizon=HOUR)


@pytest.mark.parametrize("instant", INSTANTS)
def test_an_instant_selects_the_same_rows_in_any_zone(instant):
    data = _hours(NEW_YORK)
    panel = data.panel(["A"], ["F"])
    from_noon, to_noon = HOURS[HOURS >= "2020-02-04 11:30"], HOURS[HOURS <= "2020-02-04 11:30"]
    assert panel.select(start=instant).dates.equals(from_noon)
    assert panel.select(end=instant).dates.equals(to_noon)
    assert panel.select([], end=instant).select(start=instant).dates.tolist() == [NOON.tz_localize(None)]
    assert data.panel(["A"], ["F"], start=instant).dates.equals(from_noon)
    assert data.asset_returns(["A"], start=instant).index.equals(from_noon)
    assert rm.Joined(assets=data, factors=data).panel(["A"], ["F"], end=instant).dates.equals(to_noon)


@pytest.mark.parametrize("instant", INSTANTS)
def test_an_instant_in_a_zone_is_refused_where_the_rows_have_none(instant):
    data = _hours(None)
    panel = data.panel(["A"], ["F"])
    for select in (lambda: panel.select(start=instant), lambda: data.panel(["A"], ["F"], end=instant)):
        with pytest.raises(rm.InvalidParameterError) as error:
            select()
        assert error.value.details["name"] in {"start", "end"}
    local = panel.select(start="2020-02-04 11:30")
    assert local.dates[0] == NOON.tz_localize(None)


def test_rows_of_days_take_the_day_of_an_end_with_a_zone():
    panel = rm.InMemory(ASSETS, factors=MARKET, risk_free=0.0, horizon=rm.DAY).panel(["A"], ["Mkt-RF"])
    assert panel.select(start=NOON).dates[0] == pd.Timestamp("2020-02-04")


def test_hours_as_text_with_offsets_have_a_zone():
    local = HOURS.tz_localize(NEW_YORK)
    rows = pd.DataFrame({"A": 0.001}, local.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ"))
    factors = pd.DataFrame({"F": 0.001}, local)
    with pytest.raises(rm.InvalidDatesError) as error:
        rm.InMemory(rows, factors=factors, risk_free=0.0, horizon=HOUR).panel(["A"], ["F"])
    assert error.value.details["zones"] == ["America/New_York", "UTC"]
