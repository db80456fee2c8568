"""Every estimator keeps the contract: ours, and one of a user's own from the how-to page."""

import numpy as np
import pandas as pd
import pytest
from pages import run_page

import riskmodel as rm
from riskmodel.testing.estimators import EstimatorContract

PAGE = run_page("docs/how-to/write-an-estimator.md")


class _OnSample:
    """Three stocks of the sample on the market."""

    def panel(self):
        return rm.SampleData().panel(["KO", "XOM", "JPM"], ["Mkt-RF"], start="2018-01-01")


class _OnMonths:
    """Four industries on four factors, by the month."""

    def panel(self):
        data = rm.SampleData(rm.MONTH)
        return data.panel(["BusEq", "Utils", "NoDur", "Durbl"], ["Mkt-RF", "SMB", "HML", "Mom"], start="2000-01")


class TestOLS(_OnSample, EstimatorContract):
    def estimator(self):
        return rm.OLS()


class TestOLSOnMonths(_OnMonths, EstimatorContract):
    def estimator(self):
        return rm.OLS()


class TestEWMA(_OnSample, EstimatorContract):
    explains_sample_variance = False  # but the weighted one

    def estimator(self):
        return rm.EWMA(half_life=rm.QUARTER)


class TestEWMAOnMonths(_OnMonths, EstimatorContract):
    explains_sample_variance = False

    def estimator(self):
        return rm.EWMA(half_life=rm.Horizon(3 * 252))


class PlainMoments(rm.MomentEstimator):
    """Least squares without the fast windows."""

    def estimate(self, moments):
        return rm.OLS().estimate(moments)


class TestMomentEstimator(_OnMonths, EstimatorContract):
    def estimator(self):
        return PlainMoments()


class TestOwnPrincipalComponents(EstimatorContract):
    """The estimator of the how-to page, whose factors are no columns of the panel."""

    separable = False

    def estimator(self):
        return PrincipalComponents(2)

    def panel(self):
        return rm.SampleData().panel(["KO", "XOM", "JPM", "CVX", "PEP", "BAC"], [], start="2018-01-01")


# at module level, so that it can be pickled
PrincipalComponents = PAGE["PrincipalComponents"]
PrincipalComponents.__module__ = __name__


class TestTheContract:
    """The contract notices what it says that it notices."""

    @pytest.mark.parametrize(
        ("broken", "law"),
        [
            (lambda m, p: m.restrict(list(m.assets[::-1])), "test_fit_gives_a_model_of_the_panel"),
            (lambda m, p: m.at(rm.YEAR), "test_fit_gives_a_model_of_the_panel"),
            (lambda m, p: _scaled(m, 1 + np.arange(len(m.assets))), "test_assets_may_come_in_any_order"),
            (lambda m, p: _scaled(m, 1.1), "test_the_variance_is_the_samples"),
            (
                lambda m, p: _scaled(m, 1 + m.loadings.to_numpy().mean()),
                "test_a_ragged_asset_does_not_matter_to_others",
            ),
            (lambda m, p: _scaled(m, np.random.default_rng().random()), "test_fitting_twice_gives_the_same"),
        ],
    )
    def test_a_broken_estimator_is_noticed(self, broken, law):
        class Broken(rm.Estimator):
            def fit(self, panel):
                return broken(rm.OLS().fit(panel), panel)

        class Contract(_OnSample, EstimatorContract):
            def estimator(self):
                return Broken()

        with pytest.raises(AssertionError):
            getattr(Contract(), law)()

    def test_an_estimator_that_looks_ahead_is_noticed(self):
        whole = TestOLS().panel()

        class Ahead(rm.Estimator):
            def __init__(self):
                self.seen = []

            def fit(self, panel):
                self.seen.append(panel)
                return _scaled(rm.OLS().fit(panel), 1 + 0.01 * len(self.seen))

        class Contract(EstimatorContract):
            def estimator(self):
                return shared

            def panel(self):
                return whole

        shared = Ahead()
        with pytest.raises(AssertionError, match="later returns moved"):
            Contract().test_later_returns_change_no_earlier_model()

    def test_an_estimator_that_drops_assets_silently_is_noticed(self):
        class Silent(rm.Estimator):
            def fit(self, panel):
                kept = panel.excess_returns.count() > 10
                return rm.OLS().fit(panel.select(list(panel.assets[kept])))

        class Contract(_OnSample, EstimatorContract):
            def estimator(self):
                return Silent()

        with pytest.raises(AssertionError, match="expected an EstimationError"):
            Contract().test_an_asset_that_cannot_be_estimated_is_named()


def _scaled(model, by):
    return rm.FactorModel.from_parameters(
        assets=model.assets,
        factors=model.definitions,
        alpha=model.alpha,
        loadings=model.loadings,
        factor_covariance=model.factor_covariance,
        factor_mean=model.factor_mean,
        idio_variance=model.idio_variance * by,
        horizon=model.horizon,
        risk_free_mean=model.risk_free_mean,
    )


# -- fit_available ---------------------------------------------------------------------------------


def test_one_short_asset_does_not_refuse_the_universe():
    returns = pd.DataFrame(
        np.random.default_rng(0).normal(0, 0.01, (300, 573)), pd.bdate_range("2020-01-01", periods=300)
    )
    returns.iloc[:-2, 100] = np.nan
    returns.iloc[:-40, 200] = np.nan
    market = returns.mean(axis=1).rename("Mkt-RF")
    panel = rm.InMemory(returns, factors=market, risk_free=0.0, horizon=rm.DAY).panel(list(returns), ["Mkt-RF"])
    with pytest.raises(rm.TooFewObservationsError) as error:
        rm.OLS().fit(panel)
    assert error.value.details["assets"] == [100]
    model = rm.OLS().fit_available(panel)
    assert model.missing.to_numpy().tolist() == [[100, 2, "too few observations"]]
    assert len(model.assets) == 572
    strict = rm.OLS().fit_available(panel, minimum=60)
    assert strict.missing["asset"].tolist() == [100, 200]
    assert strict.missing["observations"].tolist() == [2, 40]
    pd.testing.assert_series_equal(strict.alpha, model.alpha.drop(200))
    assert "1 assets left out" in repr(model)


def test_no_asset_that_can_be_estimated_is_an_error():
    panel = TestOLS().panel().select(end="2018-02-01")
    with pytest.raises(rm.EstimationError) as error:
        rm.OLS().fit_available(panel, minimum=100)
    assert error.value.details["assets"] == ["KO", "XOM", "JPM"]
    for wrong in (0, 1.5, True, "60"):
        with pytest.raises(rm.InvalidParameterError):
            rm.OLS().fit_available(panel, minimum=wrong)


def test_a_fault_of_the_factors_is_an_error_of_fit_available():
    panel = TestOLS().panel()
    with pytest.raises(rm.ConstantFactorError):
        rm.OLS().fit_available(rm.ReturnPanel.align(
            panel.excess_returns, panel.factor_returns * 0 + 0.001, panel.risk_free * 0, horizon=rm.DAY
        ))  # fmt: skip


# -- factors that are portfolios, and factors that nobody can hold ---------------------------------


def test_a_hedge_in_portfolio_factors_holds_their_assets():
    panel = TestOwnPrincipalComponents().panel()
    model = PrincipalComponents(2).fit(panel)
    pair = rm.Strategy({"KO": 1.0, "PEP": -1.0}, model)
    hedged = rm.HedgedPortfolio.neutral(pair)
    weights = pd.concat([f.weights.rename(f.name) for f in model.definitions], axis=1)
    expected = pd.Series({"KO": 1.0, "PEP": -1.0}).reindex(weights.index, fill_value=0.0) - weights @ pair.exposures
    pd.testing.assert_series_equal(hedged.weights.reindex(weights.index), expected, check_names=False)
    assert (hedged.legs == 0).all()
    assert hedged.exposures.abs().max() < 1e-12
    # the dense formula, own risk of the hedge included
    sigma = model.covariance.to_dense()
    assert float(hedged.volatility) ** 2 == pytest.approx(expected @ sigma @ expected, rel=1e-12)
    pd.testing.assert_series_equal(
        hedged.excess_returns(panel), panel.excess_returns @ expected, check_names=False, rtol=1e-10, atol=1e-15
    )
    capped = rm.HedgedPortfolio.with_factor_share(rm.Strategy({"KO": 1.0}, model), 0.2)
    assert capped.decompose().factor_share == pytest.approx(0.2, abs=1e-10)


def test_minimum_variance_in_instruments_that_share_assets():
    panel = TestOwnPrincipalComponents().panel()
    model = PrincipalComponents(2).fit(panel)
    strategy = rm.Strategy({"KO": 1.0, "JPM": 0.5}, model)
    hedged = rm.HedgedPortfolio.minimum_variance(strategy, ["PC1", "PEP", "PC2"])
    units = [f.weights for f in model.definitions]
    a = pd.DataFrame({"PC1": units[0], "PEP": {"PEP": 1.0}, "PC2": units[1]}).reindex(model.assets).fillna(0.0)
    sigma, s = model.covariance.to_dense(), pd.Series({"KO": 1.0, "JPM": 0.5}).reindex(model.assets, fill_value=0.0)
    expected = -np.linalg.solve(a.T @ sigma @ a, a.T @ sigma @ s)
    np.testing.assert_allclose(hedged.hedge_weights, expected, rtol=1e-9)


def test_a_factor_that_nobody_can_hold_is_no_hedge():
    panel = TestOLS().panel()
    cpi = rm.PublishedFactor("Mkt-RF", tradable=False)
    model = rm.OLS().fit(rm.SampleData().panel(["KO", "XOM"], [cpi], start="2018-01-01"))
    strategy = rm.Strategy({"KO": 1.0}, model)
    for hedge in (
        lambda: rm.HedgedPortfolio.neutral(strategy),
        lambda: rm.HedgedPortfolio.with_factor_share(strategy, 0.1),
        lambda: rm.HedgedPortfolio.minimum_variance(strategy, ["Mkt-RF"]),
        lambda: rm.HedgedPortfolio(strategy, {"Mkt-RF": -1.0}),
    ):
        with pytest.raises(rm.InvalidParameterError) as error:
            hedge()
        assert error.value.details["factors"] == ["Mkt-RF"]
    assert rm.HedgedPortfolio.minimum_variance(strategy, ["XOM"]).volatility < strategy.volatility
    assert model.residuals(panel.select(["KO", "XOM"])).shape == (len(panel.dates), 2)


def test_a_restricted_model_lacks_the_assets_of_its_factors():
    model = PrincipalComponents(2).fit(TestOwnPrincipalComponents().panel()).restrict(["KO", "PEP"])
    with pytest.raises(rm.UnknownAssetError) as error:
        rm.HedgedPortfolio.neutral(rm.Strategy({"KO": 1.0}, model))
    assert set(error.value.details["missing"]) == {"XOM", "JPM", "CVX", "BAC"}
