"""Days stamped by the midnights of another zone are refused; all others pass."""

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel._core.dates import require_own_midnights
from riskmodel._core.days import days_of
from riskmodel.panel.dask import DaskPanel

DAYS = pd.bdate_range("2020-01-01", periods=400)


def _in_utc(days, zone):
    return days.tz_localize(zone).tz_convert("UTC")


@pytest.mark.parametrize(
    "zone",
    ["Europe/Berlin", "Europe/London", "Asia/Tokyo", "Asia/Kolkata", "Australia/Sydney", "Asia/Shanghai", "Asia/Dubai"],
)
@pytest.mark.parametrize("naive", [False, True])
def test_midnights_of_another_zone_are_refused_with_a_zone_that_has_them(zone, naive):
    stamps = _in_utc(DAYS, zone)
    with pytest.raises(rm.InvalidDatesError) as error:
        require_own_midnights(stamps.tz_localize(None) if naive else stamps, "returns")
    named = error.value.details["time_zone"]
    assert (stamps.tz_convert(named).tz_localize(None) == DAYS).all()


def test_berlin_closes_stored_in_utc_are_refused_and_their_remedy_gives_beta():
    market = pd.Series(np.random.default_rng(0).normal(0, 0.01, 400), DAYS, name="Mkt-RF")
    fund = pd.DataFrame({"A": (1.1 * market).to_numpy()}, _in_utc(DAYS, "Europe/Berlin"))
    with pytest.raises(rm.InvalidDatesError) as error:
        rm.InMemory(fund, factors=market, risk_free=0.0, horizon=rm.DAY)
    assert error.value.details["time_zone"] == "Europe/Berlin"
    fund.index = fund.index.tz_convert(error.value.details["time_zone"])
    data = rm.InMemory(fund, factors=market, risk_free=0.0, horizon=rm.DAY)
    assert rm.OLS().fit(data.panel(["A"], ["Mkt-RF"])).loadings.loc["A", "Mkt-RF"] == pytest.approx(1.1)


def test_days_of_utc_in_the_time_of_new_york_are_refused():
    with pytest.raises(rm.InvalidDatesError) as error:
        require_own_midnights(DAYS.tz_localize("UTC").tz_convert("America/New_York"), "returns")
    assert error.value.details["time_zone"] == "UTC"


def test_first_days_of_months_stored_in_utc_are_refused():
    months = pd.date_range("2015-01-01", periods=60, freq="MS")
    for zone in ("Europe/Berlin", "Asia/Tokyo"):
        with pytest.raises(rm.InvalidDatesError):
            require_own_midnights(_in_utc(months, zone), "returns")


@pytest.mark.parametrize(
    "stamps",
    [
        DAYS,
        DAYS.tz_localize("Europe/Berlin"),
        _in_utc(DAYS, "America/New_York"),
        _in_utc(DAYS + pd.Timedelta(hours=16), "America/New_York"),
        pd.bdate_range("2020-01-05", periods=200, freq="C", weekmask="Sun Mon Tue Wed Thu"),
        (pd.bdate_range("2020-01-05", periods=200, freq="C", weekmask="Sun Mon Tue Wed Thu") + pd.Timedelta(hours=15))
        .tz_localize("Asia/Riyadh"),
        pd.date_range("2020-01-01", periods=200),
        pd.date_range("2020-01-01 23:00", periods=200),
        pd.date_range("2020-01-05", periods=100, freq="W"),
        pd.date_range("2015-01-31", periods=60, freq="ME"),
        pd.date_range("2015-01-30 16:00", periods=60, freq="BME"),
        pd.date_range("2020-01-05 09:30", periods=400, freq="h"),
        _in_utc(DAYS[:5] + pd.Timedelta(hours=16), "America/New_York"),
        DAYS[:5] + pd.Timedelta(hours=16),
        _in_utc(DAYS[2:3] + pd.Timedelta(hours=17.5), "Europe/Berlin"),
        pd.DatetimeIndex(["2020-01-03 23:00"], tz="UTC"),  # a Friday, and no Saturday
    ],
)  # fmt: skip
def test_own_midnights_and_closing_times_pass(stamps):
    require_own_midnights(stamps, "returns")
    require_own_midnights(stamps[::-1], "returns")


MONTHS = pd.date_range("2015-01-01", periods=60, freq="MS")


@pytest.mark.parametrize(
    ("stamps", "zone"),
    [
        (_in_utc(DAYS[:5], "Europe/Berlin"), "Europe/Berlin"),
        (_in_utc(DAYS[:1], "Europe/Berlin"), "Europe/Berlin"),
        (_in_utc(DAYS[:1], "Europe/Berlin").tz_localize(None), "Europe/Berlin"),
        (_in_utc(DAYS[:1], "Asia/Tokyo"), "Asia/Tokyo"),
        (_in_utc(MONTHS, "Asia/Tokyo").tz_localize(None), "Asia/Tokyo"),
        (_in_utc(MONTHS[:3], "Asia/Tokyo").tz_localize(None), "Asia/Tokyo"),
        (_in_utc(MONTHS[:3], "Europe/Berlin"), "Europe/Berlin"),
    ],
)
def test_what_may_be_midnights_of_another_zone_is_warned_of(stamps, zone):
    with pytest.warns(rm.DoubtfulDatesWarning) as caught:
        require_own_midnights(stamps, "returns")
    assert caught[0].message.details["time_zone"] == zone
    assert caught[0].filename == __file__
    require_own_midnights(stamps.tz_localize(None).tz_localize("UTC").tz_convert(zone), "returns")
    require_own_midnights(stamps.normalize(), "returns")


# -- returns outside memory ------------------------------------------------------------------------------------------

MARKET = pd.Series(np.random.default_rng(1).normal(0, 0.01, 400), DAYS, name="Mkt-RF")
FUNDS = pd.DataFrame({"A": 0.93 * MARKET, "B": 1.2 * MARKET})
BERLIN = _in_utc(DAYS, "Europe/Berlin").rename("date")


def _beside(time_zone):
    return {"factors": MARKET, "risk_free": 0.0, "horizon": rm.DAY, "time_zone": time_zone}


def _wide(table, folder, time_zone):
    table.to_parquet(folder / "wide.parquet")
    return rm.StoredPanel.parquet(folder / "wide.parquet", **_beside(time_zone))


def _melted(table):
    return table.rename_axis("date").reset_index().melt("date", var_name="asset", value_name="ret")


def _long(table, folder, time_zone):
    _melted(table).to_parquet(folder / "long.parquet")
    return rm.StoredPanel.parquet(folder / "long.parquet", layout=rm.Long(), **_beside(time_zone))


def _long_in_two_files(table, folder, time_zone):
    _melted(table).iloc[:333].to_parquet(folder / "1.parquet", row_group_size=50)
    _melted(table).iloc[333:].to_parquet(folder / "2.parquet", row_group_size=50)
    return rm.StoredPanel.parquet(folder, layout=rm.Long(), **_beside(time_zone))


def _array(table, folder, time_zone):
    return rm.StoredPanel.array(table.to_numpy(), dates=table.index, assets=list("AB"), **_beside(time_zone))


def _dask_array(table, folder, time_zone):
    array = pytest.importorskip("dask.array").from_array(table.to_numpy(), chunks=(100, 1))
    return DaskPanel.from_array(array, dates=table.index, assets=list("AB"), **_beside(time_zone))


def _dask_frame(table, folder, time_zone):
    frame = pytest.importorskip("dask.dataframe").from_pandas(table, npartitions=4)
    return DaskPanel.from_frame(frame, **_beside(time_zone))


OUTSIDE = [_wide, _long, _long_in_two_files, _array, _dask_array, _dask_frame]


@pytest.mark.parametrize("door", OUTSIDE)
@pytest.mark.parametrize("naive", [False, True])
def test_berlin_days_in_utc_are_refused_outside_memory_and_the_remedy_gives_beta(door, naive, tmp_path):
    pytest.importorskip("pyarrow")
    table = FUNDS.set_axis(BERLIN.tz_localize(None) if naive else BERLIN)
    with pytest.raises(rm.InvalidDatesError, match="pass time_zone='Europe/Berlin'") as error:
        door(table, tmp_path, None)
    panel = door(table, tmp_path, error.value.details["time_zone"])
    assert list(panel.dates) == list(DAYS)
    assert panel.dropped.empty
    assert rm.OLS().fit(panel).loadings["Mkt-RF"].tolist() == pytest.approx([0.93, 1.2])


@pytest.mark.parametrize("door", OUTSIDE)
def test_days_of_the_market_are_the_same_with_their_zone(door, tmp_path):
    pytest.importorskip("pyarrow")
    for stamps in (DAYS, DAYS + pd.Timedelta(hours=17, minutes=30), DAYS.tz_localize("Europe/Berlin")):
        panel = door(FUNDS.set_axis(stamps), tmp_path, "Europe/Berlin")
        assert list(panel.dates) == list(DAYS)


@pytest.mark.parametrize("door", OUTSIDE)
def test_days_written_as_midnights_of_utc_are_not_brought_to_a_zone_to_the_west(door, tmp_path):
    pytest.importorskip("pyarrow")
    with pytest.raises(rm.InvalidDatesError) as error:
        door(FUNDS.set_axis(DAYS.tz_localize("UTC")), tmp_path, "America/New_York")
    assert error.value.details["time_zone"] == "America/New_York"


@pytest.mark.parametrize("door", OUTSIDE)
def test_hours_outside_memory_are_brought_to_the_zone_of_the_factors(door, tmp_path):
    pytest.importorskip("pyarrow")
    clock = [pd.Timedelta(hours=hour, minutes=30) for hour in (10, 11, 12, 13)]
    hours = pd.DatetimeIndex([day + time for day in DAYS[:100] for time in clock])
    market = MARKET.set_axis(hours)
    beside = _beside("America/New_York") | {"factors": market, "horizon": rm.Horizon.of("1h", per_day=4)}
    table = FUNDS.set_axis(hours.tz_localize("America/New_York").tz_convert("UTC"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "_beside", lambda zone: beside | {"time_zone": zone})
        with pytest.raises(rm.InvalidDatesError):
            door(table, tmp_path, None)
        panel = door(table, tmp_path, "America/New_York")
    assert list(panel.dates) == list(hours)
    assert rm.OLS().fit(panel).loadings["Mkt-RF"].tolist() == pytest.approx([0.93, 1.2])


def test_a_zone_that_is_none_is_refused(tmp_path):
    with pytest.raises(rm.InvalidParameterError) as error:
        _array(FUNDS, tmp_path, "Europe/Berln")
    assert error.value.details["time_zone"] == "Europe/Berln"


@pytest.mark.parametrize("layout", [rm.Wide(), rm.Long()])
def test_readers_of_files_refuse_berlin_days_in_utc(layout, tmp_path):
    table = FUNDS.set_axis(BERLIN) if isinstance(layout, rm.Wide) else _melted(FUNDS.set_axis(BERLIN))
    table.to_csv(tmp_path / "f.csv", index=isinstance(layout, rm.Wide))
    with pytest.raises(rm.InvalidDatesError):
        rm.read_returns(tmp_path / "f.csv", layout)
    with pytest.raises(rm.InvalidDatesError):
        rm.read_prices(tmp_path / "f.csv", layout)
    read = rm.read_returns(tmp_path / "f.csv", layout, time_zone="Europe/Berlin")
    assert list(read.index) == list(DAYS)


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_days_are_those_of_pandas(unit, zone):
    stamps = pd.date_range("1950-03-05 01:30", periods=500, freq="37h", tz=zone, name="when").as_unit(unit)
    pd.testing.assert_index_equal(days_of(stamps), stamps.normalize())
    assert days_of(stamps[:0]).empty
