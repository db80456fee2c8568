"""A constant risk-free rate says its horizon, and a yearly one on monthly rows is no monthly one."""

import json

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel.cli.main import main

MONTHS = pd.date_range("2010-01-31", periods=120, freq="ME")
MARKET = pd.Series(np.random.default_rng(0).normal(0.005, 0.04, 120), MONTHS, name="Mkt-RF")
ASSETS = pd.DataFrame({"A": 1.2 * MARKET + 0.01})


def _panel(rate, horizon=rm.MONTH):
    return rm.InMemory(ASSETS, factors=MARKET, risk_free=rate, horizon=horizon).panel(["A"], ["Mkt-RF"])


def test_a_yearly_rate_on_monthly_rows_is_converted():
    assert _panel(rm.Mean(0.02, rm.YEAR)).risk_free.iloc[0] == pytest.approx(0.02 / 12)
    stored = rm.StoredPanel.array(
        ASSETS.to_numpy(), dates=MONTHS, factors=MARKET, risk_free=rm.Mean(0.02, rm.YEAR), horizon=rm.MONTH
    )
    assert stored.risk_free.iloc[0] == pytest.approx(0.02 / 12)


@pytest.mark.parametrize(("rate", "horizon"), [(0.02, rm.MONTH), (-0.02, rm.MONTH), (0.0005, rm.DAY), (0.2, rm.YEAR)])
def test_a_number_of_more_than_ten_percent_a_year_is_refused_with_how_to_say_it(rate, horizon):
    index = {rm.DAY: pd.bdate_range("2010-01-01", periods=120), rm.MONTH: MONTHS}.get(
        horizon, pd.date_range("1900-12-31", periods=120, freq="YE")
    )
    with pytest.raises(rm.PercentReturnsError, match=r"rm\.Mean\(.*, rm\.YEAR\)") as error:
        rm.InMemory(ASSETS.set_axis(index), factors=MARKET.set_axis(index), risk_free=rate, horizon=horizon)
    assert error.value.details["per_year"] == pytest.approx(rate * horizon.per_year)


def test_a_stated_monthly_rate_is_believed():
    assert _panel(rm.Mean(0.02, rm.MONTH)).risk_free.iloc[0] == 0.02
    assert _panel(rm.Mean(0.05, rm.MONTH)).risk_free.iloc[0] == 0.05


def test_small_numbers_and_negative_rates_pass():
    for rate in (0.0, 0.0017, -0.0005, np.float32(0.001)):
        assert _panel(rate).risk_free.iloc[0] == pytest.approx(float(rate))


@pytest.mark.parametrize("rate", [rm.Volatility(0.02, rm.YEAR), rm.Variance(0.0, rm.MONTH), float("nan"), True])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(rm.InvalidParameterError):
        _panel(rate)


def test_a_series_that_is_typically_high_warns():
    with pytest.warns(rm.HighRateWarning):
        _panel(pd.Series(0.02, MONTHS))
    before = MONTHS - pd.DateOffset(years=40)
    early = rm.ReturnPanel.align(
        ASSETS.set_axis(before), MARKET.set_axis(before), pd.Series(0.01, before), horizon=rm.MONTH
    )
    assert early.risk_free.iloc[0] == 0.01
    with pytest.raises(rm.PercentReturnsError):
        _panel(pd.Series(0.06, MONTHS))


@pytest.mark.parametrize("rate", [0.01, 0.006], ids=["1 %", "0.6 %"])
def test_a_low_yearly_series_on_monthly_rows_warns(rate):
    with pytest.warns(rm.HighRateWarning) as caught:
        _panel(pd.Series(rate, MONTHS))
    assert caught[0].message.details["per_year"] == pytest.approx(12 * rate)
    _panel(pd.Series(rm.YEAR.scale_mean(rate, to=rm.MONTH), MONTHS))


def test_a_yearly_series_in_basis_points_on_daily_rows_warns():
    days = pd.bdate_range("2012-01-02", periods=250)
    rng = np.random.default_rng(0)
    yearly = pd.Series(rng.integers(1, 4, 250) / 1e4, days)  # 0.01 % to 0.03 % a year
    asset, market = (pd.Series(rng.normal(0, 0.01, 250), days, name=n) for n in ("A", "Mkt-RF"))
    with pytest.warns(rm.HighRateWarning) as caught:
        rm.ReturnPanel.align(asset, market, yearly, horizon=rm.DAY)
    assert caught[0].message.details["horizon"] == rm.DAY
    rm.ReturnPanel.align(asset, market, rm.YEAR.scale_mean(yearly, to=rm.DAY), horizon=rm.DAY)
    rm.ReturnPanel.align(asset, market, pd.Series(1e-4, days), horizon=rm.DAY)  # 2.5 % a year, always


def test_the_command_line_takes_a_rate_with_its_horizon(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ASSETS.to_csv("assets.csv")
    MARKET.to_csv("factors.csv")
    files = ["--returns", "assets.csv", "--factor-returns", "factors.csv", "--data-horizon", "month", "--json"]
    assert main(["report", "A", *files, "--risk-free", "0.02/year"]) == 0
    estimates = json.loads(capsys.readouterr().out)["estimates"]
    assert estimates[0]["estimate"] == pytest.approx(0.01 - 0.02 / 12)
    assert main(["report", "A", *files, "--risk-free", "0.02"]) == 2
    assert "0.02/year" in capsys.readouterr().err
    assert main(["report", "A", *files, "--risk-free", "0.02/moon"]) == 2
