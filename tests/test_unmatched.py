"""Rows on dates that factors lack: dropped and told of, or compounded into the next common row."""

import json

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel.cli.main import main

ALL_DAYS = pd.date_range("2018-01-01", periods=730)
WEEKDAYS = ALL_DAYS[ALL_DAYS.day_of_week < 5]
_rng = np.random.default_rng(3)
COIN = pd.DataFrame({"COIN": _rng.normal(0.0008, 0.02, 730)}, ALL_DAYS)
MARKET = pd.Series(_rng.normal(0.0004, 0.01, len(WEEKDAYS)), WEEKDAYS, name="Mkt-RF")
RATE = pd.Series(0.0001, WEEKDAYS, name="RF")
INSIDE = COIN["COIN"][: WEEKDAYS[-1]]


def _growth(returns):
    return float((1.0 + returns).prod())


def _total(panel):
    return panel.excess_returns.add(panel.risk_free, axis=0)


def _align(assets=COIN, factors=MARKET, rate=RATE, **more):
    return rm.ReturnPanel.align(assets, factors, rate, horizon=rm.DAY, **more)


def test_growth_on_dropped_weekends_is_told():
    with pytest.warns(rm.LeftOutWarning, match="COIN"):
        panel = _align()
    weekends = INSIDE[INSIDE.index.day_of_week >= 5]
    assert panel.left_out["COIN"] == pytest.approx(_growth(weekends))
    assert panel.left_out["COIN"] * _growth(_total(panel)["COIN"]) == pytest.approx(_growth(INSIDE))
    assert panel.unmatched is rm.DROP


def test_compounding_keeps_all_growth():
    panel = _align(unmatched=rm.COMPOUND)
    assert list(panel.dates) == list(WEEKDAYS)
    assert _growth(_total(panel)["COIN"]) == pytest.approx(_growth(INSIDE))
    assert panel.left_out["COIN"] == 1.0
    assert panel.unmatched is rm.COMPOUND
    monday = pd.Timestamp("2018-01-08")
    weekend = COIN["COIN"].loc["2018-01-06":"2018-01-08"]
    assert panel.excess_returns.loc[monday, "COIN"] == pytest.approx(_growth(weekend) - 1 - 0.0001)
    tuesday = pd.Timestamp("2018-01-09")
    assert panel.excess_returns.loc[tuesday, "COIN"] == COIN.loc[tuesday, "COIN"] - 0.0001
    assert panel.dropped["date"].tolist() == list(COIN.loc[WEEKDAYS[-1] :].index[1:])


def test_factors_and_rate_are_compounded_over_days_on_which_the_assets_are_closed():
    fund = pd.DataFrame({"A": 0.01}, WEEKDAYS.delete([10, 11]))
    panel = _align(fund, unmatched=rm.COMPOUND)
    span = MARKET.iloc[10:13]
    assert panel.factor_returns.loc[WEEKDAYS[12], "Mkt-RF"] == pytest.approx(_growth(span) - 1)
    assert panel.risk_free[WEEKDAYS[12]] == pytest.approx(1.0001**3 - 1)
    assert _growth(panel.factor_returns["Mkt-RF"]) == pytest.approx(_growth(MARKET))


def test_a_missing_return_makes_that_of_its_span_missing():
    coin = COIN.assign(OTHER=0.001)
    coin.loc["2018-01-06", "COIN"] = np.nan
    panel = _align(coin, unmatched=rm.COMPOUND)
    assert np.isnan(panel.excess_returns.loc["2018-01-08", "COIN"])
    assert panel.excess_returns["COIN"].isna().sum() == 1
    lost = COIN["COIN"].loc["2018-01-07":"2018-01-08"]
    assert panel.left_out["COIN"] == pytest.approx(_growth(lost))


def test_a_stock_beside_a_coin_is_closed_at_weekends():
    stock = pd.Series(_rng.normal(0, 0.01, len(WEEKDAYS)), WEEKDAYS)
    both = COIN.assign(STOCK=stock)
    panel = _align(both, unmatched=rm.COMPOUND)
    np.testing.assert_allclose(_total(panel)["STOCK"], stock)
    assert _growth(_total(panel)["COIN"]) == pytest.approx(_growth(INSIDE))


def test_a_date_whose_span_lacks_a_factor_is_dropped_with_the_reason():
    market = MARKET.copy()
    market.iloc[7] = np.nan  # a Wednesday
    panel = _align(COIN, market, unmatched=rm.COMPOUND)
    gone = panel.dropped[panel.dropped["date"] <= WEEKDAYS[-1]]
    assert gone["date"].tolist() == [WEEKDAYS[8]]
    assert gone["reason"].tolist() == ["factor Mkt-RF missing in its span"]
    lost = COIN["COIN"].loc[WEEKDAYS[7] : WEEKDAYS[8]]
    assert panel.left_out["COIN"] == pytest.approx(_growth(lost))


def test_common_rows_are_the_same_either_way():
    fund = pd.DataFrame({"A": np.linspace(-0.01, 0.01, len(WEEKDAYS))}, WEEKDAYS)
    one, other = _align(fund), _align(fund, unmatched=rm.COMPOUND)
    for a, b in zip(one.arrays(), other.arrays(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.left_out.tolist() == other.left_out.tolist() == [1.0]


@pytest.mark.parametrize("return_type", [rm.TOTAL, rm.EXCESS])
def test_providers_windows_and_selections(return_type):
    mine = rm.InMemory(COIN, factors=None, risk_free=0.0, horizon=rm.CALENDAR_DAY, return_type=return_type)
    theirs = rm.InMemory(MARKET.to_frame("X"), factors=MARKET, risk_free=RATE, horizon=rm.DAY)
    with pytest.raises(rm.HorizonMismatchError):
        rm.Joined(assets=mine, factors=theirs)
    mine = rm.InMemory(COIN, factors=None, risk_free=0.0, horizon=rm.DAY, return_type=return_type)
    data = rm.Joined(assets=mine, factors=theirs)
    panel = data.panel(["COIN"], ["Mkt-RF"], "2018-03", "2018-09", unmatched=rm.COMPOUND)
    inside = COIN["COIN"].loc["2018-03-01":"2018-09-28"]
    rate = panel.risk_free if return_type is rm.TOTAL else 0.0
    assert _growth(panel.excess_returns["COIN"] + rate) == pytest.approx(_growth(inside))
    with pytest.warns(rm.LeftOutWarning):
        dropped = data.panel(["COIN"], ["Mkt-RF"], "2018-03", "2018-09")
    assert dropped.left_out["COIN"] == pytest.approx(_growth(inside[inside.index.day_of_week >= 5]))
    june = COIN["COIN"].loc["2018-06-01":"2018-06-29"]
    part = dropped.select(start="2018-06", end="2018-06")
    assert part.left_out["COIN"] == pytest.approx(_growth(june[june.index.day_of_week >= 5]))
    assert dropped.select([], start="2018-06").left_out.empty


def test_the_excess_return_of_a_coin_as_a_factor_keeps_its_weekends():
    data = rm.InMemory(COIN.assign(A=0.01), factors=MARKET, risk_free=RATE, horizon=rm.DAY)
    panel = data.panel(["COIN"], ["Mkt-RF", rm.AssetFactor("COIN")], unmatched=rm.COMPOUND)
    np.testing.assert_array_equal(panel.factor_returns["COIN"], panel.excess_returns["COIN"])


@pytest.mark.parametrize("unmatched", [rm.DROP, rm.COMPOUND])
@pytest.mark.parametrize("return_type", [rm.TOTAL, rm.EXCESS])
@pytest.mark.filterwarnings("ignore::riskmodel.LeftOutWarning")
def test_factors_of_assets_are_made_of_the_compounded_returns_of_the_assets(unmatched, return_type):
    rng = np.random.default_rng(4)
    coins = pd.DataFrame(rng.normal(0.001, 0.04, (730, 3)), ALL_DAYS, list("ABC"))
    coins.iloc[40, 1] = np.nan
    data = rm.InMemory(coins, factors=MARKET, risk_free=RATE, horizon=rm.DAY, return_type=return_type)
    made = [rm.AssetFactor("A"), rm.Spread("A", "B"), rm.PortfolioFactor("P", {"A": 2.0, "B": -1.0})]
    panel = data.panel(["C"], ["Mkt-RF", *made], unmatched=unmatched)
    assets = data.panel(list("ABC"), ["Mkt-RF"], unmatched=unmatched).excess_returns.loc[panel.dates]
    expected = pd.DataFrame({"A": assets["A"], "A-B": assets["A"] - assets["B"], "P": 2.0 * assets["A"] - assets["B"]})
    np.testing.assert_allclose(panel.factor_returns[["A", "A-B", "P"]], expected, atol=1e-15)
    both = data.panel(list("AB"), made, unmatched=unmatched)
    np.testing.assert_allclose(both.returns_of(made), both.factor_returns, atol=1e-15)


def test_returns_outside_memory_are_counted_and_not_compounded():
    more = {"dates": ALL_DAYS, "assets": ["COIN"], "factors": MARKET, "risk_free": RATE, "horizon": rm.DAY}
    with pytest.warns(rm.LeftOutWarning):
        stored = rm.StoredPanel.array(COIN.to_numpy(), **more)
    assert np.isnan(stored.select().left_out["COIN"])
    with pytest.raises(rm.InvalidParameterError, match=r"rm\.InMemory") as error:
        rm.StoredPanel.array(COIN.to_numpy(), **more, unmatched=rm.COMPOUND)
    assert error.value.details["unmatched"] is rm.COMPOUND


@pytest.mark.parametrize("wrong", ["compound", None, True])
def test_what_becomes_of_rows_is_no_string(wrong):
    with pytest.raises(rm.InvalidParameterError):
        _align(unmatched=wrong)


def test_the_report_and_the_command_line_say_it(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    COIN.to_csv("coin.csv")
    pd.concat([MARKET, RATE], axis=1).to_csv("factors.csv")
    files = ["--returns", "coin.csv", "--factor-returns", "factors.csv"]
    assert main(["report", *files, "--unmatched", "compound", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["unmatched"] == "compound"
    assert report["left_out"] == {}
    assert main(["report", *files, "--no-html"]) == 0
    said = capsys.readouterr()
    assert "Growth left out" in said.out
    assert "COIN" in said.err
