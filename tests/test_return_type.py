"""Excess returns beside a risk-free rate are not reduced again, wherever they enter."""

import json

import attrs
import dask.array as da
import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel.cli.main import main
from riskmodel.panel.dask import DaskPanel
from riskmodel.testing import ProviderContract

DAYS = pd.bdate_range("2018-01-01", periods=756)
_rng = np.random.default_rng(0)
RATE = pd.Series(0.0001, DAYS, name="RF")
MARKET = pd.Series(_rng.normal(0.0004, 0.01, 756), DAYS, name="Mkt-RF")
# with a yearly alpha of 27.1 %
EXCESS = pd.DataFrame({"A": 1.1 * MARKET + 0.271 / 252, "B": 0.9 * MARKET + 0.01 / 252})
TOTAL = EXCESS.add(RATE, axis=0)
MORE = {"factors": MARKET, "risk_free": RATE, "horizon": rm.DAY}


def _excess_data():
    return rm.InMemory(EXCESS, **MORE, return_type=rm.EXCESS)


def _alpha(panel):
    return float(rm.OLS().fit(panel).at(rm.YEAR).alpha["A"])


def test_the_alpha_of_excess_returns_beside_a_rate_is_right():
    data = _excess_data()
    panel = data.panel(["A"], ["Mkt-RF"])
    assert panel.return_type is data.return_type is rm.EXCESS
    assert _alpha(panel) == pytest.approx(0.271)
    total = rm.InMemory(TOTAL, **MORE).panel(["A"], ["Mkt-RF"])
    assert total.return_type is rm.TOTAL
    assert _alpha(total) == pytest.approx(0.271)
    pd.testing.assert_series_equal(panel.risk_free, total.risk_free)
    model, same = rm.OLS().fit(panel), rm.OLS().fit(total)
    np.testing.assert_allclose(model.expected_returns, same.expected_returns)


def test_excess_returns_beside_a_rate_read_as_total_are_reduced_twice():
    assert _alpha(rm.InMemory(EXCESS, **MORE).panel(["A"], ["Mkt-RF"])) == pytest.approx(0.271 - 0.0252)


def test_joined_passes_on_what_its_assets_are():
    other = rm.InMemory(TOTAL, **MORE)
    assert rm.Joined(assets=other, factors=_excess_data()).return_type is rm.TOTAL
    joined = rm.Joined(assets=rm.InMemory(EXCESS, factors=None, risk_free=0.0, horizon=rm.DAY, return_type=rm.EXCESS),
                       factors=other)  # fmt: skip
    assert joined.return_type is rm.EXCESS
    panel = joined.panel(["A"], ["Mkt-RF"])
    assert _alpha(panel) == pytest.approx(0.271)
    assert panel.risk_free.iloc[0] == 0.0001


@pytest.mark.parametrize("factor", [rm.AssetFactor("B"), rm.Spread("B", "A"), rm.PortfolioFactor("P", {"B": 1.0})])
def test_factors_of_excess_returns_are_not_reduced_again(factor):
    got, expected = (
        data.panel(["A"], [factor]).factor_returns for data in (_excess_data(), rm.InMemory(TOTAL, **MORE))
    )
    pd.testing.assert_frame_equal(got, expected, check_freq=False, atol=1e-15)


def test_a_factor_of_the_assets_of_a_panel_is_their_excess_return():
    panel = _excess_data().panel(["A", "B"], ["Mkt-RF"])
    got = panel.returns_of([rm.AssetFactor("B"), rm.PortfolioFactor("P", {"B": 2.0})])
    np.testing.assert_allclose(got, np.column_stack([EXCESS["B"], 2 * EXCESS["B"]]), atol=1e-15)


def test_stored_and_dask_panels_and_what_is_selected_of_them(tmp_path):
    EXCESS.to_parquet(tmp_path / "excess.parquet")
    given = MORE | {"return_type": rm.EXCESS}
    chunks = da.from_array(EXCESS.to_numpy(), chunks=(100, 1))
    panels = [
        rm.StoredPanel.parquet(tmp_path / "excess.parquet", **given),
        rm.StoredPanel.array(EXCESS.to_numpy(), dates=DAYS, assets=["A", "B"], **given),
        DaskPanel.from_array(chunks, dates=DAYS, assets=["A", "B"], **given),
    ]
    for panel in panels:
        assert panel.return_type is rm.EXCESS
        assert _alpha(panel) == pytest.approx(0.271)
        part = panel.select(["A"], start="2019")
        assert part.return_type is rm.EXCESS
        np.testing.assert_allclose(part.excess_returns, EXCESS.loc["2019":, ["A"]])


def test_cached_keeps_total_and_excess_apart(tmp_path):
    for returns, kind in ((TOTAL, rm.TOTAL), (EXCESS, rm.EXCESS)):
        data = rm.Cached(rm.InMemory(returns, **MORE, return_type=kind), tmp_path, name="mine")
        panel = data.panel(["A"], ["Mkt-RF"])
        assert panel.return_type is data.return_type is kind
        assert _alpha(panel) == pytest.approx(0.271)


@pytest.mark.parametrize("wrong", ["excess", None, True, 1])
def test_what_returns_are_is_no_string(wrong):
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.InMemory(EXCESS, **MORE, return_type=wrong)
    assert error.value.details["got"] is wrong
    with pytest.raises(rm.InvalidParameterError):
        rm.ReturnPanel.align(EXCESS, MARKET, RATE, horizon=rm.DAY, return_type=wrong)


def test_a_provider_says_it_as_a_class_attribute():
    @attrs.frozen
    class Mine(rm.DataProvider):
        horizon = rm.DAY
        return_type = rm.EXCESS

        def asset_returns(self, assets, start=None, end=None):
            return EXCESS[list(assets)]

        def factor_returns(self, names, start=None, end=None):
            return MARKET.to_frame()[list(names)]

        def risk_free(self, start=None, end=None):
            return RATE

    assert _alpha(Mine().panel(["A"], ["Mkt-RF"])) == pytest.approx(0.271)


class TestExcessProvider(ProviderContract):
    assets = ("A", "B")
    factors = ("Mkt-RF",)

    def provider(self):
        return _excess_data()


def test_the_command_line_says_it_too(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    EXCESS.to_csv("excess.csv")
    pd.concat([MARKET, RATE], axis=1).to_csv("factors.csv")
    files = ["--returns", "excess.csv", "--factor-returns", "factors.csv", "--json"]
    assert main(["report", "A", *files, "--return-type", "excess"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["return_type"] == "excess"
    alpha = next(row["estimate"] for row in report["estimates"] if row["asset"] == "A" and row["parameter"] == "alpha")
    assert alpha * 252 == pytest.approx(0.271)
    assert main(["report", "A", *files, "--return-type", "excess", "--unit", "price"]) == 2


def test_excess_returns_may_lose_everything_and_go_on(tmp_path):
    months = pd.date_range("2015-01-31", periods=60, freq="ME")
    rng = np.random.default_rng(0)
    market = pd.Series(rng.normal(0.005, 0.04, 60), months, name="Mkt-RF")
    puts = pd.DataFrame({"PUTS": np.where(market < -0.02, 2.0 - 10.0 * market, -1.0)}, months)
    rate = pd.Series(0.001, months)
    with pytest.raises(rm.ImpossibleReturnsError) as caught:
        rm.ReturnPanel.align(puts, market, rate, horizon=rm.MONTH)
    assert caught.value.details["date"] == puts.index[puts["PUTS"] == -1.0][0]
    excess = puts - 0.001
    x = np.column_stack([np.ones(60), market])
    expected = np.linalg.lstsq(x, excess["PUTS"], rcond=None)[0][1]
    with pytest.warns(rm.DoubtfulUnitWarning):  # or a quiet fund in percent
        panel = rm.ReturnPanel.align(excess, market, rate, horizon=rm.MONTH, return_type=rm.EXCESS)
    stored = rm.StoredPanel.array(
        excess.to_numpy(), dates=months, assets=["PUTS"], factors=market, risk_free=rate, horizon=rm.MONTH,
        return_type=rm.EXCESS,
    )  # fmt: skip
    for one in (panel, stored):
        assert rm.OLS().fit(one).loadings.loc["PUTS", "Mkt-RF"] == pytest.approx(expected)
    excess.iloc[7] = -99.0
    with pytest.raises(rm.MissingCodeError):
        rm.ReturnPanel.align(excess, market, rate, horizon=rm.MONTH, return_type=rm.EXCESS)
