"""Days stamped by the midnights of another zone are refused; all others pass."""

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel._core.dates import require_own_midnights

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
        pd.date_range("2015-01-31 16:00", periods=60, freq="ME"),
        pd.date_range("2020-01-05 09:30", periods=400, freq="h"),
        _in_utc(DAYS[:5], "Europe/Berlin"),
    ],
)  # fmt: skip
def test_own_midnights_closing_times_and_few_rows_pass(stamps):
    require_own_midnights(stamps, "returns")
    require_own_midnights(stamps[::-1], "returns")
