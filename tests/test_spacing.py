"""Horizons know how many there are in a year, and rows are spaced as they say."""

import datetime as dt
import json
import pickle

import attrs
import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel.cli.main import main


def _align(dates, horizon):
    rng = np.random.default_rng(0)
    market = pd.Series(rng.normal(0, 0.01, len(dates)), dates, name="Mkt-RF")
    assets = pd.DataFrame({"A": 1.2 * market + rng.normal(0, 0.001, len(dates))})
    return rm.ReturnPanel.align(assets, market, pd.Series(0.0, dates), horizon=horizon)


# -- how many in a year ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("horizon", "count"),
    [(rm.DAY, 252), (rm.CALENDAR_DAY, 365), (rm.WEEK, 52), (rm.MONTH, 12), (rm.QUARTER, 4), (rm.YEAR, 1)],
)
def test_a_horizon_says_how_many_there_are_in_a_year(horizon, count):
    assert horizon.per_year == pytest.approx(count, rel=1e-15)
    assert horizon.scale_mean(0.001, to=rm.YEAR) == pytest.approx(0.001 * count)
    assert horizon.scale_volatility(0.01, to=rm.YEAR) == pytest.approx(0.01 * count**0.5)


def test_a_year_of_weeks_is_52_rows():
    panel = _align(pd.date_range("2020-01-03", periods=60, freq="W-FRI"), rm.WEEK)
    assert len(rm.Rolling(rm.YEAR).fit(panel)) == 60 - 52 + 1
    assert rm.OLS().fit(panel).at(rm.YEAR).factor_mean.item() == pytest.approx(52 * panel.factor_returns.mean().item())


# -- spacing, both ways ------------------------------------------------------------------------------

WRONG = {
    "two weeks as weeks": (pd.date_range("2020-01-01", periods=40, freq="14D"), rm.WEEK),
    "half years as quarters": (pd.date_range("2000-06-30", periods=40, freq="6ME"), rm.QUARTER),
    "four half years as quarters": (pd.date_range("2000-06-30", periods=4, freq="6ME"), rm.QUARTER),
    "two months as months": (pd.date_range("2000-01-31", periods=40, freq="2ME"), rm.MONTH),
    "half months as months": (pd.date_range("2000-01-01", periods=40, freq="SMS"), rm.MONTH),
    "two years as years": (pd.date_range("1950-12-31", periods=40, freq="2YE"), rm.YEAR),
    "months as quarters": (pd.date_range("2000-01-31", periods=40, freq="ME"), rm.QUARTER),
    "every other day": (pd.date_range("2020-01-01", periods=40, freq="2D"), rm.DAY),
    "every other weekday": (pd.bdate_range("2020-01-01", periods=40, freq="2B"), rm.DAY),
    "weeks as days": (pd.date_range("2020-01-03", periods=40, freq="W-FRI"), rm.DAY),
    "days as ten days": (pd.bdate_range("2020-01-01", periods=40), rm.Horizon(10)),
    "five days as ten days": (pd.date_range("2020-01-03", periods=40, freq="W-FRI"), rm.Horizon(10)),
    "months as ten days": (pd.date_range("2000-01-31", periods=40, freq="ME"), rm.Horizon(10)),
    "weekdays as days of the calendar": (pd.bdate_range("2020-01-01", periods=40), rm.CALENDAR_DAY),
    "weeks as days of the calendar": (pd.date_range("2020-01-03", periods=40, freq="W-FRI"), rm.CALENDAR_DAY),
}


@pytest.mark.parametrize(("dates", "horizon"), WRONG.values(), ids=WRONG)
def test_rows_of_another_span_are_refused(dates, horizon):
    with pytest.raises(rm.SpacingError) as error:
        _align(dates, horizon)
    assert error.value.details["horizon"] == horizon


@pytest.mark.parametrize(("dates", "horizon"), [v for k, v in WRONG.items() if k != "half months as months"])
def test_the_horizon_that_a_spacing_error_names_is_accepted(dates, horizon):
    with pytest.raises(rm.SpacingError) as error:
        _align(dates, horizon)
    if len(dates) > 5:
        assert len(_align(dates, error.value.details["nearest"]).dates) == 40


_TRADED = pd.bdate_range("2000-01-03", periods=2_000).drop(pd.bdate_range("2001-09-11", "2001-09-14"))
RIGHT = {
    "weekdays": (_TRADED, rm.DAY),
    "six days a week": (
        pd.bdate_range("1930-01-01", periods=300, freq="C", weekmask="Mon Tue Wed Thu Fri Sat"),
        rm.DAY,
    ),
    "Sunday to Thursday": (pd.bdate_range("2020-01-05", periods=300, freq="C", weekmask="Sun Mon Tue Wed Thu"), rm.DAY),
    "three rows over a long holiday": (pd.DatetimeIndex(["2019-09-30", "2019-10-08", "2019-10-09"]), rm.DAY),
    "two rows": (pd.DatetimeIndex(["2019-12-31", "2020-01-02"]), rm.DAY),
    "ragged weekdays": (_TRADED[np.random.default_rng(0).random(len(_TRADED)) < 0.7], rm.DAY),
    "seven days a week": (pd.date_range("2020-01-01", periods=300), rm.CALENDAR_DAY),
    "ragged seven days": (pd.date_range("2020-01-01", periods=300)[np.arange(300) % 4 != 1], rm.CALENDAR_DAY),
    "weeks": (pd.date_range("2020-01-01", periods=40, freq="W-WED"), rm.WEEK),
    "months with some lacking": (pd.date_range("2000-01-31", periods=40, freq="ME").delete([3, 9, 10]), rm.MONTH),
    "two quarters": (pd.date_range("2000-03-31", periods=2, freq="QE"), rm.QUARTER),
    "ten trading days": (_TRADED[::10], rm.Horizon(10)),
    "two trading days": (_TRADED[::2], rm.Horizon(2)),
    "a year of trading days": (_TRADED[::252], rm.Horizon(252)),
}


@pytest.mark.parametrize(("dates", "horizon"), RIGHT.values(), ids=RIGHT)
def test_rows_of_the_horizon_pass(dates, horizon):
    assert len(_align(dates, horizon).dates) == len(dates)


def test_rows_on_seven_days_a_week_under_day_warn_and_name_the_remedy():
    days = pd.date_range("2020-01-01", periods=60)
    with pytest.warns(rm.SevenDayWeekWarning, match=r"rm\.CALENDAR_DAY"):
        _align(days, rm.DAY)
    coins = pd.DataFrame({"A": np.full(60, 0.01)}, days)
    weekdays = days[days.day_of_week < 5]
    coins = coins * 0.0
    market = pd.Series(np.linspace(-0.01, 0.01, len(weekdays)), weekdays, name="F")
    assert len(rm.ReturnPanel.align(coins, market, pd.Series(0.0, days), horizon=rm.DAY).dates) == len(weekdays)


# -- a length is not a calendar ----------------------------------------------------------------------


def test_rows_every_21_trading_days_stay_what_they_are():
    dates = pd.bdate_range("2000-01-03", periods=21 * 60)[::21]
    panel = _align(dates, rm.Horizon(21))
    assert list(panel.dates) == list(dates)
    assert panel.horizon == rm.MONTH
    assert rm.OLS().fit(panel).horizon == rm.MONTH
    with pytest.raises(rm.DataError):
        _align(dates, rm.MONTH)


def test_the_calendar_survives_pickle_and_evolve_and_state(tmp_path):
    months = pd.date_range("2000-01-05", periods=30, freq="28D")
    for again in (pickle.loads(pickle.dumps(rm.MONTH)), attrs.evolve(rm.MONTH)):
        with pytest.raises(rm.DuplicateDatesError):
            _align(months, again)
    panel = _align(pd.bdate_range("2000-01-03", periods=1_000)[::21], rm.Horizon(21))
    rm.Moments.of(panel).save(tmp_path / "state.npz")
    assert str(rm.Moments.load(tmp_path / "state.npz").horizon) == "21 days"


def test_every_is_a_calendar_month_only_where_it_is_named():
    panel = _align(pd.bdate_range("2020-01-01", periods=200), rm.DAY)
    by_month = rm.Rolling(rm.Horizon(60), every=rm.MONTH).fit(panel).dates
    by_rows = rm.Rolling(rm.Horizon(60), every=rm.Horizon(21)).fit(panel).dates
    assert (by_month[:-1] + pd.offsets.BDay(1)).day.max() <= 3
    assert set(np.diff(panel.dates.get_indexer(by_rows))) == {21}


# -- several rows a day ------------------------------------------------------------------------------

HOURS = pd.DatetimeIndex(
    [day + pd.Timedelta(minutes=570 + 60 * i) for day in pd.bdate_range("2024-01-01", periods=60) for i in range(7)]
)
HOUR = rm.Horizon.of("1h", per_day=6.5)


def test_hours_scale_to_days_and_years():
    assert HOUR.per_year == pytest.approx(252 * 6.5)
    assert rm.DAY.in_units_of(HOUR) == pytest.approx(6.5)
    assert rm.Horizon.of("5min", per_day=78).per_year == pytest.approx(252 * 78)
    assert rm.Horizon.of("1h", per_day=24, day=rm.CALENDAR_DAY).per_year == pytest.approx(365 * 24)
    assert rm.Horizon.of(dt.timedelta(hours=1), per_day=6.5) == HOUR
    assert str(rm.Horizon.of("1h", per_day=6.5, name="hour")) == "hour"
    assert pickle.loads(pickle.dumps(HOUR)).bar == dt.timedelta(hours=1)


@pytest.mark.parametrize("bar", ["1d", "day", "", "0h", "25h", "1", 60, None, dt.timedelta(days=1), "-1h", "1 week"])
def test_a_bar_is_shorter_than_a_day(bar):
    with pytest.raises(rm.InvalidParameterError):
        rm.Horizon.of(bar, per_day=1)


@pytest.mark.parametrize("per_day", [0, -1, 25, float("nan"), "6.5", None, True])
def test_rows_of_a_day_have_room_in_it(per_day):
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.Horizon.of("1h", per_day=per_day)
    assert error.value.details["most"] == 24


def test_rows_of_hours_keep_their_times_and_estimate_as_others():
    panel = _align(HOURS, HOUR)
    assert list(panel.dates) == list(HOURS)
    model = rm.OLS().fit(panel)
    assert model.loadings.loc["A", "Mkt-RF"] == pytest.approx(1.2, abs=0.05)
    assert model.at(rm.DAY).factor_mean.item() == pytest.approx(6.5 * panel.factor_returns.mean().item())


def test_a_window_of_hours_has_whole_days_or_times():
    panel = _align(HOURS, HOUR)
    assert len(panel.select(start="2024-01-02", end="2024-01-03").dates) == 14
    assert len(panel.select(start="2024-01-02 11:30", end="2024-01-02 13:30").dates) == 3
    assert len(panel.select(start=HOURS[3], end=HOURS[5]).dates) == 3
    history = rm.Rolling(rm.Horizon(20)).fit(panel)
    assert len(history) == len(HOURS) - 130 + 1
    assert history.on(history.dates[4]).horizon == HOUR
    assert len(rm.Rolling(rm.Horizon(20), every=rm.DAY).fit(panel)) == len(HOURS) // 7 - 18


def test_hours_through_providers():
    rng = np.random.default_rng(0)
    market = pd.Series(rng.normal(0, 0.01, len(HOURS)), HOURS, name="Mkt-RF")
    mine = rm.InMemory(pd.DataFrame({"A": 1.2 * market}), factors=None, risk_free=0.0, horizon=HOUR)
    theirs = rm.InMemory(pd.DataFrame({"B": market}), factors=market, risk_free=0.0, horizon=HOUR)
    panel = rm.Joined(assets=mine, factors=theirs).panel(["A"], ["Mkt-RF"], "2024-01-02", "2024-01-05")
    assert len(panel.dates) == 28
    assert rm.EWMA(half_life=rm.DAY).fit(panel).loadings.loc["A", "Mkt-RF"] == pytest.approx(1.2)
    assert len(theirs.panel(["B"], ["Mkt-RF", rm.AssetFactor("B")][:1], end="2024-01-02 10:30").dates) == 9


def test_hours_in_files_and_arrays(tmp_path):
    panel = _align(HOURS, HOUR)
    frame, more = panel.excess_returns, {"factors": panel.factor_returns, "risk_free": 0.0, "horizon": HOUR}
    frame.to_parquet(tmp_path / "hours.parquet")
    for stored in (
        rm.StoredPanel.parquet(tmp_path / "hours.parquet", **more),
        rm.StoredPanel.array(frame.to_numpy(), dates=HOURS, assets=["A"], **more),
    ):
        assert list(stored.dates) == list(HOURS)
        loadings = rm.OLS().fit(stored).loadings
        pd.testing.assert_frame_equal(loadings, rm.OLS().fit(panel).loadings)
        assert sum(len(block.dates) for block in stored.blocks()) == len(HOURS)
        assert len(stored.select(start="2024-01-02", end="2024-01-03").dates) == 14


def test_a_state_of_hours_is_saved_and_updated(tmp_path):
    panel = _align(HOURS, HOUR)
    whole = rm.OLS().moments(panel)
    rm.OLS().moments(panel.select(end="2024-02-01")).save(tmp_path / "hours.npz")
    state = rm.Moments.load(tmp_path / "hours.npz")
    assert state.horizon.bar == HOUR.bar
    assert state.horizon.per_day == 6.5
    updated = rm.OLS().update(state, panel.select(start="2024-02-02"))
    np.testing.assert_allclose(rm.OLS().estimate(updated).loadings, rm.OLS().estimate(whole).loadings)


def test_hours_are_refused_as_days_with_a_remedy_that_works():
    with pytest.raises(rm.DuplicateDatesError, match=r"rm\.Horizon\.of\('1h', per_day=7\)"):
        _align(HOURS, rm.DAY)
    assert len(_align(HOURS, rm.Horizon.of("1h", per_day=7)).dates) == len(HOURS)


def test_rows_of_a_day_are_counted_and_equal_times_are_duplicates():
    with pytest.raises(rm.SpacingError) as error:
        _align(HOURS, rm.Horizon.of("30min", per_day=13))
    assert error.value.details["median_gap"] == 3600
    with pytest.raises(rm.SpacingError) as error:
        _align(HOURS, rm.Horizon.of("1h", per_day=24))
    assert error.value.details["per_day"] == 7
    with pytest.raises(rm.SpacingError):
        _align(pd.bdate_range("2024-01-01", periods=50), HOUR)
    with pytest.raises(rm.DuplicateDatesError) as duplicate:
        _align(HOURS.insert(3, HOURS[3]), HOUR)
    assert duplicate.value.details["dates"] == [HOURS[3]]


def test_hours_of_a_time_zone_keep_it_through_factors_of_assets():
    zoned = HOURS.tz_localize("America/New_York")
    market = pd.Series(np.linspace(-0.01, 0.01, len(HOURS)), zoned, name="F")
    data = rm.InMemory(
        pd.DataFrame({"A": market, "B": -market}), factors=market, risk_free=0.0, horizon=HOUR, return_type=rm.EXCESS
    )
    for factors in (
        ["F"],
        [rm.AssetFactor("B")],
        ["F", rm.AssetFactor("B")],
        [rm.AssetFactor("B"), rm.Spread("A", "B")],
    ):
        assert list(data.panel(["A"], factors).dates) == list(HOURS)


def test_hours_of_two_time_zones_are_not_mixed():
    market = pd.Series(np.linspace(-0.01, 0.01, len(HOURS)), HOURS, name="F")
    rate = pd.Series(0.0, HOURS)
    with pytest.raises(rm.InvalidDatesError) as error:
        rm.ReturnPanel.align(
            market.to_frame("A").tz_localize("America/New_York").tz_convert("UTC"), market, rate, horizon=HOUR
        )
    assert error.value.details["zones"] == ["none", "UTC"]


def test_hours_on_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    market = pd.Series(np.random.default_rng(0).normal(0, 0.004, len(HOURS)), HOURS, name="Mkt-RF")
    pd.DataFrame({"A": 1.2 * market + 1e-6}).to_csv("assets.csv", index_label="date")
    market.to_csv("factors.csv", index_label="date")
    files = ["--returns", "assets.csv", "--factor-returns", "factors.csv", "--risk-free", "0", "--json"]
    assert main(["report", "A", *files, "--bar", "1h", "--per-day", "6.5", "--start", "2024-01-02"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["horizon"], report["n_dates"]) == ("1h", len(HOURS) - 7)
    beta = report["estimates"][1]["estimate"]
    assert beta == pytest.approx(1.2)
    assert main(["report", "A", *files]) == 2
    assert "--bar" in capsys.readouterr().err
    assert main(["report", "A", *files, "--bar", "1h"]) == 2


# -- rows that are one early or late -----------------------------------------------------------------


def _weekly(label):
    """Weekly returns of a fund with beta 1.1, and of its market by Fridays."""
    fridays = pd.date_range("2018-01-05", periods=150, freq="W-FRI")
    rng = np.random.default_rng(0)
    market = pd.Series(rng.normal(0, 0.02, 150), fridays, name="Mkt-RF")
    fund = pd.DataFrame({"A": 1.1 * market + rng.normal(0, 0.01, 150), "B": 0.5 * market + rng.normal(0, 0.01, 150)})
    return fund.set_axis(fridays + pd.Timedelta(days=label)), market


def _betas(fund, market, horizon=rm.WEEK):
    return rm.OLS().fit(rm.ReturnPanel.align(fund, market, market * 0.0, horizon=horizon)).loadings["Mkt-RF"]


def test_weeks_by_the_sunday_that_begins_them_are_warned_of_with_the_remedy():
    fund, market = _weekly(-5)
    with pytest.warns(rm.DoubtfulDatesWarning) as caught:
        wrong = _betas(fund, market)
    assert abs(wrong["A"]) < 0.2
    assert caught[0].message.details["shift"] == 1
    remedy = str(caught[0].message).split("write table.index = ")[1].removesuffix(".")
    assert remedy == "table.index + pd.DateOffset(weeks=1)"
    mended = fund.set_axis(fund.index + pd.DateOffset(weeks=1))
    assert _betas(mended, market).tolist() == _betas(*_weekly(0)).tolist()


@pytest.mark.parametrize("label", [2, 0, -1, -4])  # the Sunday that ends the week, and its other days
def test_weeks_by_their_other_days_pass(label):
    assert _betas(*_weekly(label)).tolist() == _betas(*_weekly(0)).tolist()


def test_months_that_are_one_late_are_warned_of_and_stale_ones_are_not():
    months = pd.date_range("2005-01-31", periods=120, freq="ME")
    rng = np.random.default_rng(0)
    market = pd.Series(rng.normal(0, 0.04, 120), months, name="Mkt-RF")
    late = pd.DataFrame({"A": market.shift(1) + rng.normal(0, 0.01, 120)}).iloc[1:]
    with pytest.warns(rm.DoubtfulDatesWarning) as caught:
        _betas(late, market, rm.MONTH)
    assert caught[0].message.details["shift"] == -1
    stale = 0.5 * market + 0.5 * market.shift(1) + rng.normal(0, 0.01, 120)
    assert _betas(pd.DataFrame({"A": stale}).iloc[1:], market, rm.MONTH)["A"] == pytest.approx(0.5, abs=0.1)
    alone = pd.DataFrame({"A": rng.normal(0, 0.01, 120)}, months)
    assert abs(_betas(alone, market, rm.MONTH)["A"]) < 0.1
