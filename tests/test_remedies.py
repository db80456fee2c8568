"""What an error or a report says where a user took a wrong but reasonable step."""

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm


def test_an_asset_asked_for_as_a_factor_is_named_as_an_asset_factor():
    data = rm.SampleData()
    with pytest.raises(rm.UnknownFactorError, match=r"rm\.AssetFactor\('SPX'\)") as error:
        data.panel(["WMT"], ["SPX"])
    assert error.value.details["assets"] == ["SPX"]
    assert error.value.details["missing"] == ["SPX"]
    assert len(data.panel(["WMT"], [rm.AssetFactor("SPX")]).factors) == 1


def test_it_is_named_where_there_are_no_factors_and_through_other_providers(tmp_path):
    sample = rm.SampleData().panel(["WMT", "SPX"], ["Mkt-RF"])
    frame = sample.excess_returns
    data = rm.InMemory(frame, factors=None, risk_free=0.0, horizon=rm.DAY)
    for provider in (data, rm.Joined(assets=data, factors=rm.SampleData()), rm.Cached(data, tmp_path, name="mine")):
        with pytest.raises(rm.UnknownFactorError, match=r"rm\.AssetFactor\('WMT'\)"):
            provider.panel(["WMT"], ["WMT"])
    with pytest.raises(rm.UnknownFactorError) as error:
        data.panel(["WMT"], ["HML"])
    assert "assets" not in error.value.details


@pytest.mark.parametrize("cap", [20, 1.5, -0.1, "0.2"])
def test_a_percentage_is_no_share(cap):
    panel = rm.SampleData().panel(["KO"], ["Mkt-RF"])
    strategy = rm.Strategy({"KO": 1.0}, rm.OLS().fit(panel))
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.HedgedPortfolio.with_factor_share(strategy, cap)
    assert error.value.details["got"] == cap
    with pytest.raises(rm.InvalidParameterError):
        rm.RiskReport.of(strategy, panel, rm.RiskBudget(1e6, rm.MONTH), cap=cap)


def test_a_report_on_five_dates_says_so():
    five = rm.SampleData().panel(["KO"], ["Mkt-RF"]).select(end="2000-01-07")
    assert len(five.dates) == 5
    more = rm.SampleData().panel(["KO"], ["Mkt-RF"], start="2018")
    said = {}
    for panel in (five, more):
        strategy = rm.Strategy({"KO": 1.0}, rm.OLS().fit(panel))
        report = rm.RiskReport.of(strategy, panel, rm.RiskBudget(1e6, rm.MONTH))
        said[len(panel.dates)] = [*report.warnings, *report.notes]
    few = [note for note in said.pop(5) if "estimated from 5 dates" in note]
    assert len(few) == 1
    assert "standard errors" in few[0]
    assert not [note for notes in said.values() for note in notes if "hardly known" in note]


def test_the_minimum_variance_hedge_is_that_of_the_model():
    panel = rm.SampleData().panel(["KO", "PEP", "XOM"], ["Mkt-RF"])
    model = rm.OLS().fit(panel)
    sigma = model.covariance.to_dense()
    hedge = rm.HedgedPortfolio.minimum_variance(rm.Strategy({"KO": 1.0}, model), ["PEP"]).hedge_weights["PEP"]
    assert hedge == pytest.approx(-sigma.loc["KO", "PEP"] / sigma.loc["PEP", "PEP"])
    returns = panel.excess_returns
    regression = -returns["KO"].cov(returns["PEP"]) / returns["PEP"].var()
    assert abs(hedge - regression) > 0.1


class TestFewRows:
    """The window of a nightly job may lie in a crisis."""

    def test_one_day_on_which_a_stock_halved_is_no_percent(self):
        panel = rm.SampleData().panel(["AAPL"], ["Mkt-RF"], start="2000-09-29", end="2000-09-29")
        assert panel.excess_returns.iloc[0, 0] < -0.5

    def test_days_of_2008_are_no_percent(self):
        data = rm.SampleData()
        for day in pd.bdate_range("2008-10-06", "2008-10-31"):
            panel = data.panel(data.assets, ["Mkt-RF"], start=day, end=day)
            assert len(panel.dates) == 1

    def test_a_few_days_in_percent_are_refused(self):
        days = pd.bdate_range("2024-01-01", periods=6)
        percent = pd.DataFrame({"A": [1.2, -0.8, 0.9, -1.1, 0.7, 1.5]}, days)
        market = pd.Series([0.01, -0.008, 0.009, -0.011, 0.007, 0.015], days, name="MKT")
        with pytest.raises(rm.PercentReturnsError):
            rm.InMemory(percent, factors=market, risk_free=0.0, horizon=rm.DAY).panel(["A"], ["MKT"])


class TestRates:
    @pytest.mark.parametrize("rate", [5.25, rm.Mean(5.25, rm.YEAR)])
    def test_a_rate_in_percent_is_refused_with_the_rate_that_it_means(self, rate):
        days = pd.bdate_range("2024-01-01", periods=30)
        returns = pd.DataFrame({"A": np.random.default_rng(0).normal(0, 0.01, 30)}, days)
        with pytest.raises(rm.PercentReturnsError) as caught:
            rm.InMemory(returns, factors=None, risk_free=rate, horizon=rm.DAY)
        assert caught.value.details["rate"] == pytest.approx(0.0525)

    @pytest.mark.parametrize("wrong", [-1.0, 0.5, -0.5])
    def test_one_impossible_rate_is_refused(self, wrong):
        days = pd.bdate_range("2024-01-01", periods=250)
        rate = pd.Series(1e-4, days)
        rate.iloc[7] = wrong
        returns = pd.DataFrame({"A": np.random.default_rng(0).normal(0, 0.01, 250)}, days)
        with pytest.raises(rm.DataError):
            rm.InMemory(returns, factors=None, risk_free=rate, horizon=rm.DAY)


def test_a_code_in_the_last_row_is_no_security_that_ended():
    days = pd.bdate_range("2024-01-01", periods=250)
    market = pd.Series(np.random.default_rng(0).normal(0, 0.01, 250), days, name="MKT")
    returns = pd.DataFrame(dict.fromkeys("ABC", 1.2 * market))
    returns.iloc[-1] = -0.9999
    with pytest.raises(rm.MissingCodeError):
        rm.InMemory(returns, factors=market, risk_free=0.0, horizon=rm.DAY).panel(list("ABC"), ["MKT"])


BARS = [
    "PX_LAST,PX_VOLUME", "Price,Volume", "Last,Volume", "Open,High,Low,Settle,Volume,Open Interest",
    "price,market_cap,total_volume", "Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen",
    "Eröffnung,Hoch,Tief,Schluss,Volumen", "Open,Close", "Bid,Ask,Mid", "o,h,l,c,v", "Close_AAPL,High_AAPL,Low_AAPL",
    "AAPL Adj Close,AAPL Close,AAPL Volume",
]  # fmt: skip


class TestColumnsOfOneAsset:
    def read(self, columns):
        days = pd.bdate_range("2024-01-01", periods=40)
        frame = pd.DataFrame(np.random.default_rng(0).normal(0, 0.01, (40, len(columns))), days, columns)
        return rm.InMemory(frame, factors=None, risk_free=0.0, horizon=rm.DAY)

    @pytest.mark.parametrize("columns", BARS)
    def test_they_are_no_assets(self, columns):
        with pytest.raises(rm.LayoutError):
            self.read(columns.split(","))

    def test_levels_of_fields_and_tickers_are_no_assets(self):
        with pytest.raises(rm.LayoutError, match="Adj Close"):
            self.read(pd.MultiIndex.from_product([["Adj Close", "Close", "Volume"], ["AAPL", "MSFT"]]))

    @pytest.mark.parametrize("tickers", ["LOW,OPEN,HIGH", "C,V,L,O,H", "LOW,OPEN,AAPL,MSFT", "BID,KO", "BRK_A,BRK_B"])
    def test_tickers_that_look_like_them_are(self, tickers):
        assert self.read(tickers.split(",")).assets == tickers.split(",")


def test_opening_times_of_another_market_name_no_zone_that_does_not_fit():
    sydney = (pd.bdate_range("2020-01-01", periods=300) + pd.Timedelta(hours=10)).tz_localize("Australia/Sydney")
    returns = pd.DataFrame({"A": np.random.default_rng(0).normal(0, 0.01, 300)}, sydney.tz_convert("UTC"))
    with pytest.raises(rm.InvalidDatesError) as caught:
        rm.InMemory(returns, factors=None, risk_free=0.0, horizon=rm.DAY)
    assert caught.value.details["time_zone"] is None


def test_closing_times_of_a_market_that_is_open_on_sundays_can_be_read(tmp_path):
    days = pd.bdate_range("2024-01-07", periods=60, freq="C", weekmask="Sun Mon Tue Wed Thu")
    frame = pd.DataFrame({"date": (days + pd.Timedelta(hours=15)).astype(str), "A": 0.01})
    frame.to_csv(tmp_path / "riyadh.csv", index=False)
    with pytest.raises(rm.InvalidDatesError):
        rm.read_returns(tmp_path / "riyadh.csv")
    assert rm.read_returns(tmp_path / "riyadh.csv", time_zone="UTC").index.tolist() == days.tolist()


def test_months_of_a_coin_that_are_rounded_to_hundredths_are_no_codes():
    months = pd.date_range("2010-01-31", periods=120, freq="ME")
    market = pd.Series(np.random.default_rng(0).normal(0, 0.05, 120), months, name="MKT")
    coin = pd.DataFrame({"COIN": np.random.default_rng(1).normal(0.02, 0.4, 120).clip(-0.9).round(2)}, months)
    coin.iloc[[3, 20, 40, 77]] = -0.44
    panel = rm.InMemory(coin, factors=market, risk_free=0.0, horizon=rm.MONTH).panel(["COIN"], ["MKT"])
    assert (panel.excess_returns["COIN"] == -0.44).sum() >= 4


@pytest.mark.parametrize("off", [0.9, 0.7, 1.25])
def test_a_price_that_is_wrong_for_a_day_is_seen_in_a_quiet_series(off):
    days = pd.bdate_range("2020-01-01", periods=300)
    value = pd.Series(100 * np.cumprod(1 + np.random.default_rng(0).normal(1e-4, 0.002, 300)), days)
    value.iloc[100] *= off
    market = pd.Series(np.random.default_rng(1).normal(0, 0.01, 299), days[1:], name="MKT")
    fund = value.pct_change().iloc[1:].to_frame("FUND")
    with pytest.warns(rm.SuspectReturnWarning) as caught:
        rm.InMemory(fund, factors=market, risk_free=0.0, horizon=rm.DAY).panel(["FUND"], ["MKT"])
    assert set(caught[0].message.details["dates"]) == {days[100], days[101]}


def test_evenings_of_new_york_in_utc_are_a_day_late():
    evening = (pd.bdate_range("2020-01-01", periods=300) + pd.Timedelta(hours=20)).tz_localize("America/New_York")
    returns = pd.DataFrame({"A": np.random.default_rng(0).normal(0, 0.01, 300)}, evening.tz_convert("UTC"))
    with pytest.raises(rm.InvalidDatesError, match="a day late"):
        rm.InMemory(returns, factors=None, risk_free=0.0, horizon=rm.DAY)
    local = returns.tz_convert("America/New_York")
    data = rm.InMemory(local, factors=None, risk_free=0.0, horizon=rm.DAY)
    assert data.asset_returns(["A"]).index.tolist() == pd.bdate_range("2020-01-01", periods=300).tolist()
