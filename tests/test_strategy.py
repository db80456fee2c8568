"""Strategies: weights seen through a model."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import riskmodel as rm

ASSETS = ["AAPL", "JPM", "XOM"]
WEIGHTS = {"AAPL": 0.5, "JPM": -0.3, "XOM": 1.2}


@pytest.fixture(scope="module")
def panel():
    return rm.SampleData().panel(ASSETS, ["Mkt-RF"])


@pytest.fixture(scope="module")
def model(panel):
    return rm.OLS().fit(panel)


@pytest.fixture(scope="module")
def strategy(model):
    return rm.Strategy(WEIGHTS, model)


def two_factors(**changes):
    numbers = {
        "assets": ["A", "B", "C"], "factors": ["Mkt-RF", "SMB"], "alpha": [0.001, 0.002, -0.001],
        "loadings": [[1.0, 0.2], [0.8, -0.5], [1.3, 0.0]], "factor_covariance": [[0.0016, 0.0002], [0.0002, 0.0009]],
        "factor_mean": [0.006, 0.002], "idio_variance": [0.002, 0.003, 0.001], "horizon": rm.MONTH,
        "risk_free_mean": 0.0005,
    }  # fmt: skip
    return rm.FactorModel.from_parameters(**(numbers | changes))


def test_in_sample_it_is_the_regression_of_its_returns(strategy, panel):
    returns = strategy.excess_returns(panel)
    naive = sum(w * panel.excess_returns[a] for a, w in WEIGHTS.items())
    assert returns.to_numpy() == pytest.approx(naive.to_numpy(), rel=1e-13, abs=1e-17)
    fit = sm.OLS(naive, sm.add_constant(panel.factor_returns)).fit()
    assert strategy.exposures["Mkt-RF"] == pytest.approx(fit.params["Mkt-RF"], rel=1e-12)
    assert strategy.alpha == pytest.approx(fit.params["const"], rel=1e-10)
    assert strategy.expected_excess_return == pytest.approx(naive.mean(), rel=1e-12)
    # idio variances only: a model says that residuals are uncorrelated, so a portfolio of several is not in-sample
    alone = rm.Strategy({"XOM": 2.0}, strategy.model)
    assert alone.volatility == pytest.approx(2 * panel.excess_returns["XOM"].std(), rel=1e-12)
    assert alone.decompose().factor_share == pytest.approx(strategy.model.regression.rsquared["XOM"], rel=1e-12)


def test_its_figures_are_those_of_the_matrices():
    model = two_factors()
    s = rm.Strategy({"C": 2.0, "A": -1.0}, model)
    w = np.array([-1.0, 0.0, 2.0])
    b, f, d = model.loadings.to_numpy(), model.factor_covariance.to_numpy(), model.idio_variance.to_numpy()
    x = b.T @ w
    assert s.exposures.to_numpy() == pytest.approx(x, rel=1e-14)
    assert s.tracking.to_numpy() == pytest.approx(x, rel=1e-14)
    assert s.alpha == pytest.approx(-0.003, rel=1e-14)
    assert s.expected_excess_return == pytest.approx(-0.003 + x @ [0.006, 0.002], rel=1e-14)
    assert s.volatility == pytest.approx(math.sqrt(x @ f @ x + d @ w**2), rel=1e-14)
    assert s.sharpe == pytest.approx(float(s.expected_excess_return) / float(s.volatility), rel=1e-14)
    assert s.cash_weight == -1.0
    assert not s.legs.any()
    for figure in (s.alpha, s.expected_excess_return, s.volatility, s.sharpe, s.expected_return()):
        assert figure.horizon == rm.MONTH


def test_expected_return_by_source():
    s = rm.Strategy({"A": 1.0}, two_factors())
    by = s.expected_return_by()
    assert by.to_dict() == pytest.approx({"risk_free": 0.0005, "alpha": 0.001, "Mkt-RF": 0.006, "SMB": 0.0004})
    assert s.expected_return() == pytest.approx(by.sum(), rel=1e-15)
    pair = rm.Strategy({"A": 1.0, "B": -1.0}, two_factors())
    assert pair.expected_return_by()["risk_free"] == 0.0


def test_a_series_of_weights_is_copied(model):
    weights = pd.Series(WEIGHTS)
    s = rm.Strategy(weights, model)
    weights["AAPL"] = 99.0
    copy = s.weights
    copy["JPM"] = 99.0
    assert s.weights.to_dict() == WEIGHTS


def test_what_weighs_nothing_may_be_missing():
    days = pd.bdate_range("2020-01-01", periods=4)
    returns = pd.DataFrame({"A": [0.01, 0.02, -0.01, 0.0], "B": [0.0, np.nan, 0.01, 0.02]}, days)
    market = pd.Series([0.0, 0.01, -0.01, 0.005], days, name="Mkt-RF")
    data = rm.InMemory(returns, factors=market, risk_free=0.0, horizon=rm.DAY)
    model = rm.FactorModel.from_parameters(
        assets=["A", "B"], factors=["Mkt-RF"], alpha=[0, 0], loadings=[[1.0], [1.0]], factor_covariance=1e-4,
        factor_mean=0.0, idio_variance=[1e-4, 1e-4], horizon=rm.DAY,
    )  # fmt: skip
    assert rm.Strategy({"A": 1.0, "B": 0.0}, model).excess_returns(data).tolist() == returns["A"].tolist()
    held = rm.Strategy({"A": 1.0, "B": 1.0}, model).excess_returns(data)
    assert held.isna().tolist() == [False, True, False, False]


def test_returns_of_a_provider_over_a_window(strategy, panel):
    got = strategy.excess_returns(rm.SampleData(), "2010-01-01", "2010-12-31")
    expected = strategy.excess_returns(panel).loc["2010"]
    assert got.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-15)
    assert got.index.equals(expected.index)
    assert strategy.excess_returns(panel, "2010-01-01", "2010-12-31").equals(expected)


def test_returns_of_another_horizon_are_refused(strategy):
    with pytest.raises(rm.HorizonMismatchError, match="DAY"):
        strategy.excess_returns(rm.SampleData(rm.MONTH))
    with pytest.raises(rm.HorizonMismatchError, match="DAY"):
        strategy.excess_returns(rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"]))


def test_returns_of_data_without_what_is_held(strategy):
    with pytest.raises(rm.UnknownAssetError, match="AAPL"):
        strategy.excess_returns(rm.SampleData().panel(["JPM", "XOM"], ["Mkt-RF"]))


REFUSED = {
    "an unknown asset": ({"APL": 1.0}, rm.UnknownAssetError, r"unknown asset: APL.*nearest to 'APL': AAPL"),
    "no asset": ({}, rm.InvalidParameterError, "at least one asset"),
    "NaN": ({"AAPL": np.nan, "JPM": 1.0}, rm.InvalidParameterError, "finite.*AAPL"),
    "infinity": ({"AAPL": np.inf}, rm.InvalidParameterError, "finite.*AAPL"),
    "an asset twice": (pd.Series([1.0, 1.0], ["AAPL", "AAPL"]), rm.DuplicateLabelsError, "AAPL"),
    "a list": ([1.0, 2.0, 3.0], rm.InvalidParameterError, r"weights.*Series.*list"),
    "text": ({"AAPL": "one"}, rm.InvalidParameterError, "real numbers"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_weights_that_are_none_are_refused(case, model):
    weights, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        rm.Strategy(weights, model)


def test_a_strategy_takes_a_model():
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.Strategy({"AAPL": 1.0}, "AAPL")
    assert error.value.details == {"parameter": "model", "got": "str"}


def test_without_volatility_there_is_no_sharpe_ratio():
    s = rm.Strategy({"A": 0.0}, two_factors())
    assert s.volatility == 0.0
    assert math.isnan(s.sharpe)
    assert s.decompose().factor_share == 0.0


def nearly_cancelling(apart):
    """Long one asset and short another whose loadings are that far apart, without idio variance."""
    model = rm.FactorModel.from_parameters(
        assets=["A", "B"], factors=["Mkt-RF"], alpha=[0.0, 0.0], loadings=[[2.0], [2.0 * (1 + apart)]],
        factor_covariance=[[0.0016]], factor_mean=[0.006], idio_variance=[0.0, 0.0], horizon=rm.MONTH,
    )  # fmt: skip
    return rm.Strategy({"A": 10.0, "B": -10.0}, model), rm.Strategy({"B": 1.0}, model)


# a volatility relative to those of the holdings, which weigh 10 each
@pytest.mark.parametrize(("share", "riskless"), [(2e-10, False), (1.2e-10, False), (0.8e-10, True), (0.0, True)])
def test_a_volatility_is_rounding_relative_to_those_of_the_holdings(share, riskless):
    s, alone = nearly_cancelling(2 * share)
    assert s.is_riskless is riskless
    assert math.isnan(s.sharpe) is riskless
    assert s.volatility == pytest.approx(10 * 2 * 0.04 * 2 * share, rel=1e-5)
    if not riskless:
        assert s.sharpe == pytest.approx(-0.006 / 0.04, rel=1e-4)
    assert not alone.is_riskless
    # legs are holdings
    hedged = rm.HedgedPortfolio(alone, {"Mkt-RF": -2.0})
    assert hedged.is_riskless is riskless


def test_without_factors():
    model = two_factors(factors=[], loadings=np.zeros((3, 0)), factor_covariance=np.zeros((0, 0)), factor_mean=[])
    s = rm.Strategy({"A": 1.0}, model)
    assert s.exposures.empty
    assert s.volatility == pytest.approx(math.sqrt(0.002))
    assert s.expected_excess_return == pytest.approx(0.001)


def test_at_another_horizon():
    model = two_factors()
    month, year = rm.Strategy({"A": 1.0}, model), rm.Strategy({"A": 1.0}, model.at(rm.YEAR))
    assert month.volatility.at(rm.YEAR) == pytest.approx(float(year.volatility), rel=1e-14)
    assert month.alpha.at(rm.YEAR) == pytest.approx(float(year.alpha), rel=1e-14)
    assert month.sharpe.at(rm.YEAR) == pytest.approx(float(year.sharpe), rel=1e-14)
    assert month.exposures.equals(year.exposures)


def test_repr_says_what_it_is(strategy):
    assert repr(strategy) == "<Strategy of 3 assets, per day>"


def test_a_figure_is_computed_once_and_given_as_a_copy(monkeypatch):
    panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils"], ["Mkt-RF"])
    hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"BusEq": 0.5, "Utils": 0.5}, rm.OLS().fit(panel)))
    first = (hedged.exposures, hedged.weights, hedged.legs, hedged.decompose().by_factor)
    alpha, volatility, share = hedged.alpha, hedged.volatility, hedged.decompose().factor_share
    monkeypatch.setattr(rm.FactorModel, "restrict", None)
    monkeypatch.setattr(rm.RiskDecomposition, "of", None)
    for figure in first:
        figure[:] = 17.0
    assert (hedged.alpha, hedged.volatility, hedged.decompose().factor_share) == (alpha, volatility, share)
    again = (hedged.exposures, hedged.weights, hedged.legs, hedged.decompose().by_factor)
    assert not any((figure == 17.0).any() for figure in again)
    with pytest.raises(AttributeError):
        hedged.alpha = 0.0
    monkeypatch.undo()
    assert pickle.loads(pickle.dumps(hedged)).volatility == volatility
