"""Factors of a user's own: each is computed as it says, on all dates, whatever the panel's columns are called."""

import pickle

import attrs
import numpy as np
import pandas as pd
import pytest

import riskmodel as rm

SAMPLE = rm.SampleData()


class Orthogonal(rm.Factor):
    """What the market leaves of a column, which it is named after."""

    funded = False

    def __init__(self, name, beta):
        self.name, self.beta = name, beta

    def returns(self, data, start, end):
        both = data.factor_returns(["Mkt-RF", self.name], start, end)
        return both[self.name] - self.beta * both["Mkt-RF"]


class Orthogonalised(rm.Estimator):
    """Least squares on the market, and on what the market leaves of the second factor."""

    def fit(self, panel):
        whole = panel.select()
        returns = whole.factor_returns.copy()
        beta = returns.iloc[:, 1].cov(returns.iloc[:, 0]) / returns.iloc[:, 0].var()
        returns.iloc[:, 1] -= beta * returns.iloc[:, 0]
        own = Orthogonal(whole.factors[1], beta)
        changed = {"factor_returns": returns.to_numpy(), "definitions": [whole.definitions[0], own]}
        return rm.OLS().fit(attrs.evolve(whole, **changed))


class Surprise(rm.Factor):
    """The market less its mean of 20 days."""

    name, funded = "surprise", False

    def returns(self, data, start, end):
        market = data.factor_returns(["Mkt-RF"], start, end)["Mkt-RF"]
        return market - market.rolling(20, min_periods=1).mean()


class OnSurprise(rm.Estimator):
    def __init__(self, factor=None):
        self.factor = factor

    def fit(self, panel):
        whole, own = panel.select(), self.factor or Surprise()
        changed = {"factors": ["surprise"], "factor_returns": whole.returns_of([own]), "definitions": [own]}
        return rm.OLS().fit(attrs.evolve(whole, **changed))


def four_stocks():
    return SAMPLE.panel(["KO", "JPM", "XOM", "AAPL"], ["Mkt-RF", rm.AssetFactor("CVX")], start="2016-01-01")


# -- whose returns ---------------------------------------------------------------------------------


def test_an_own_factor_with_the_name_of_a_column_is_not_the_column():
    panel = four_stocks()
    model = Orthogonalised().fit(panel)
    ratio = model.residuals(panel).var() / model.idio_variance
    np.testing.assert_allclose(ratio, 1.0, rtol=1e-10)


def test_a_factor_that_the_panel_defines_is_its_column():
    class Random(rm.Factor):
        name, funded = "noise", False

        def returns(self, data, start, end):
            dates = data.risk_free(start, end).index
            return pd.Series(np.random.default_rng().normal(0, 0.01, len(dates)), dates)

    panel = SAMPLE.panel(["KO"], [Random()], start="2018-01-01")
    for same in (panel.definitions[0], Random()):
        assert (panel.returns_of([same]) == panel.arrays()[1]).all()
    own = Orthogonal("CVX", 0.5)
    for again in (Orthogonal("CVX", 0.5), pickle.loads(pickle.dumps(own))):
        labelled = attrs.evolve(four_stocks(), definitions=["Mkt-RF", own])
        assert (labelled.returns_of([again])[:, 0] == labelled.arrays()[1][:, 1]).all()
    assert (labelled.returns_of([Orthogonal("CVX", 0.6)])[:, 0] != labelled.arrays()[1][:, 1]).any()


def test_portfolio_factors_are_equal_where_they_hold_the_same():
    one = rm.PortfolioFactor("tech", {"AAPL": 0.5, "MSFT": 0.5, "KO": 0.0})
    assert one == rm.PortfolioFactor("tech", pd.Series({"MSFT": 0.5, "AAPL": 0.5}))
    assert hash(one) == hash(rm.PortfolioFactor("tech", {"MSFT": 0.5, "AAPL": 0.5}))
    assert one != rm.PortfolioFactor("tech", {"AAPL": 0.5, "MSFT": 0.4})
    assert one != rm.PortfolioFactor("technology", one.weights)


# -- factors with memory ---------------------------------------------------------------------------


def test_excess_returns_of_a_window_are_those_of_all_dates_there():
    panel = four_stocks()
    hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"KO": 1.0}, OnSurprise().fit(panel)))
    every = hedged.excess_returns(panel)
    for window in ({"start": "2018-11-05"}, {"start": "2017", "end": "2017"}, {"end": "2016-03-01"}):
        expected = every.loc[window.get("start") : window.get("end")]
        pd.testing.assert_series_equal(hedged.excess_returns(panel, **window), expected)
    with pytest.raises(rm.NoOverlapError):
        hedged.excess_returns(panel, start="2030")


def test_walking_forward_is_the_same_with_new_factor_objects():
    panel = four_stocks()
    new, one = (rm.Rolling(rm.YEAR, e, every=21).fit(panel) for e in (OnSurprise(), OnSurprise(Surprise())))
    walked = new.excess_returns({"KO": 1.0})
    pd.testing.assert_frame_equal(walked, one.excess_returns({"KO": 1.0}))
    date = walked.index[30]
    known = new.asof(panel.dates[panel.dates < date][-1])
    market = panel.factor_returns["Mkt-RF"]
    surprise = (market - market.rolling(20, min_periods=1).mean())[date]
    assert walked.loc[date, "tracking"] == pytest.approx(known.loadings.loc["KO", "surprise"] * surprise)


def test_walking_forward_with_other_factors_each_time_sees_all_dates():
    class Slower(Surprise):
        def __init__(self, days):
            self.days = days

        def returns(self, data, start, end):
            market = data.factor_returns(["Mkt-RF"], start, end)["Mkt-RF"]
            return market.rolling(self.days, min_periods=1).mean()

    class Growing(rm.Estimator):
        def fit(self, panel):
            return OnSurprise(Slower(panel.dates[-1].month + 5)).fit(panel)

    panel = four_stocks()
    history = rm.Rolling(rm.YEAR, Growing(), every=rm.MONTH).fit(panel)
    walked = history.excess_returns({"KO": 1.0})
    date = pd.Timestamp("2018-03-01")
    mean = panel.factor_returns["Mkt-RF"].rolling(7).mean()[date]
    beta = history.asof("2018-02").loadings.loc["KO", "surprise"]
    assert walked.loc[date, "tracking"] == pytest.approx(beta * mean)


class WinnersMinusLosers(rm.Factor):
    name, funded = "WML", False

    def returns(self, data, start, end):
        r = data.asset_returns(data.assets, start, end)
        rank = r.rolling(20).sum().shift(1).rank(axis=1, pct=True)
        return r.where(rank > 0.7).mean(axis=1) - r.where(rank < 0.3).mean(axis=1)


def test_a_ranking_of_the_assets_of_a_smaller_panel_is_refused():
    """Of two assets, none is in the lowest third."""
    model = rm.OLS().fit(SAMPLE.panel(["KO", "PEP"], ["Mkt-RF", WinnersMinusLosers()], start="2017-01-01"))
    smaller = SAMPLE.panel(["KO", "PEP"], ["Mkt-RF"], start="2017-01-01")
    portfolio = rm.HedgedPortfolio.neutral(rm.Strategy({"KO": 1.0}, model))
    for need in (lambda: model.residuals(smaller), lambda: portfolio.excess_returns(smaller)):
        with pytest.raises(rm.NoOverlapError) as error:
            need()
        assert error.value.details == {"factor": "WML", "assets": ["KO", "PEP"]}


def test_a_ranking_is_missing_before_it_has_enough_rows():
    returns = SAMPLE.panel(SAMPLE.assets, ["Mkt-RF"], start="2017-01-01").returns_of([WinnersMinusLosers()])[:, 0]
    assert np.isnan(returns[:20]).all()
    assert np.isfinite(returns[20:]).all()


# -- portfolio factors of assets that are not in the panel -----------------------------------------

TECH = rm.PortfolioFactor("tech", {"AAPL": 0.5, "MSFT": 0.5})


def test_residuals_on_a_portfolio_of_assets_outside_the_panel():
    panel = SAMPLE.panel(["AMD", "KO"], [TECH], start="2016-01-01")
    model = rm.OLS().fit(panel)
    np.testing.assert_allclose(model.residuals(panel).var(), model.idio_variance, rtol=1e-10)
    again = pickle.loads(pickle.dumps(model))
    pd.testing.assert_frame_equal(again.residuals(panel), model.residuals(panel))


def test_a_hedge_in_assets_outside_the_panel_says_to_add_them():
    panel = SAMPLE.panel(["AMD"], [TECH], start="2016-01-01")
    strategy = rm.Strategy({"AMD": 1.0}, rm.OLS().fit(panel))
    history = rm.Rolling(rm.YEAR, every=rm.MONTH).fit(panel)
    for need in (
        lambda: rm.HedgedPortfolio.neutral(strategy),
        lambda: history.excess_returns({"AMD": 1.0}),
        lambda: rm.RiskReport.of(strategy, panel, rm.RiskBudget(1e6, rm.MONTH)),
        lambda: panel.returns_of([rm.PortfolioFactor("other", TECH.weights)]),
    ):
        with pytest.raises(rm.UnknownAssetError) as error:
            need()
        assert error.value.details["missing"] == ["AAPL", "MSFT"]


def test_an_asset_of_weight_zero_need_not_be_there():
    factor = rm.PortfolioFactor("p", {"KO": 1.0, "NOTHELD": 0.0})
    model = rm.FactorModel.from_parameters(
        assets=["KO", "PEP"], factors=[factor], alpha=[0.0, 0.0], loadings=[[1.0], [0.5]], factor_covariance=1e-4,
        factor_mean=0.0, idio_variance=[0.0, 1e-5], horizon=rm.DAY,
    )  # fmt: skip
    weights = rm.HedgedPortfolio.neutral(rm.Strategy({"PEP": 1.0}, model)).weights
    assert weights.to_dict() == {"PEP": 1.0, "KO": -0.5}


# -- the summary -----------------------------------------------------------------------------------


def test_the_summary_of_a_model_whose_factor_is_no_column():
    panel = four_stocks()
    for estimator in (OnSurprise(), Orthogonalised()):
        model = estimator.fit(panel)
        table = model.summary("KO", panel).tables[1].data
        assert [row[0].strip() for row in table[1:]] == ["alpha", *model.factors]
        printed = [float(row[1]) for row in table[2:]]
        np.testing.assert_allclose(printed, model.loadings.loc["KO"], atol=6e-5)


# -- factors that are none -------------------------------------------------------------------------


class Nameless(rm.Factor):
    def returns(self, data, start, end):
        return data.risk_free(start, end)


class OfName(Nameless):
    name = "x"


class OfText(OfName):
    funded = "no"


class OfNobody(OfName):
    funded, tradable = False, None


def a_model_of(factor):
    return rm.FactorModel.from_parameters(
        assets=["A"], factors=[factor], alpha=0, loadings=1, factor_covariance=1, factor_mean=0, idio_variance=1,
        horizon=rm.DAY,
    )  # fmt: skip


@pytest.mark.parametrize("where", [a_model_of, lambda f: SAMPLE.panel(["KO"], [f], start="2018-06-01")])
def test_a_factor_that_is_none_is_refused(where):
    for factor, details in (
        (OfName, {"parameter": "factors", "got": OfName}),
        (Nameless(), {"factor": "Nameless", "missing": ["name", "funded"]}),
        (OfName(), {"factor": "OfName", "missing": ["funded"]}),
        (OfText(), {"parameter": "funded", "factor": "OfText", "got": "no"}),
        (OfNobody(), {"parameter": "tradable", "factor": "OfNobody", "got": None}),
    ):
        with pytest.raises(rm.InvalidParameterError) as error:
            where(factor)
        assert dict(error.value.details) == details


@pytest.mark.parametrize(("given", "parameter"), [({"funding": True}, "funding"), ({"tradable": None}, "tradable")])
def test_a_published_factor_says_yes_or_no(given, parameter):
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.PublishedFactor("x", **given)
    assert dict(error.value.details) == {"parameter": parameter, "got": given[parameter]}


def test_a_factor_that_returns_a_frame():
    class Frame(OfName):
        funded = False

        def returns(self, data, start, end):
            return data.factor_returns(["Mkt-RF"], start, end)

    panel = SAMPLE.panel(["KO"], ["Mkt-RF"], start="2018-06-01")
    with pytest.raises(rm.NonNumericError) as error:
        a_model_of(Frame()).residuals(attrs.evolve(panel, assets=["A"]))
    assert dict(error.value.details) == {"factor": "x", "got": "DataFrame"}


def test_the_risk_free_mean_is_a_number():
    model = rm.OLS().fit(SAMPLE.panel(["KO"], ["Mkt-RF"], start="2018-06-01"))
    rates = SAMPLE.risk_free("2018-06-01")
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.FactorModel.from_parameters(
            assets=model.assets, factors=model.definitions, alpha=model.alpha, loadings=model.loadings,
            factor_covariance=model.factor_covariance, factor_mean=model.factor_mean,
            idio_variance=model.idio_variance, horizon=model.horizon, risk_free_mean=rates,
        )  # fmt: skip
    assert error.value.details["parameter"] == "risk_free_mean"


def test_dates_of_an_own_monthly_factor_are_read_as_a_providers():
    months = pd.date_range("2000-01-01", "2016-12-31", freq="BME")
    series = pd.Series(np.random.default_rng(0).normal(0, 0.003, len(months)), months)

    class Inflation(rm.Factor):
        name, funded, tradable = "CPI", False, False

        def returns(self, data, start, end):
            return series

    data = rm.SampleData(rm.MONTH)
    model = rm.OLS().fit(data.panel(["BusEq"], ["Mkt-RF", Inflation()]))
    panel = data.panel(["BusEq"], ["Mkt-RF"], start="2000-01", end="2016-12")
    assert model.residuals(panel)["BusEq"].notna().sum() == len(months)
