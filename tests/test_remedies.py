"""What an error or a report says where a user took a wrong but reasonable step."""

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
        said[len(panel.dates)] = rm.RiskReport.of(strategy, panel, rm.RiskBudget(1e6, rm.MONTH)).notes
    few = [note for note in said.pop(5) if "5 dates" in note]
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
