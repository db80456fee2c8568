"""Short histories have a prior: the posterior by its dense formula, simulations with known truth, and who is told."""

import pickle

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panels import clean, panel_of
from sections import Market

import riskmodel as rm
from riskmodel.estimation.inverse_gamma import InverseGamma
from riskmodel.testing.estimators import EstimatorContract

OLS = rm.TimeSeries(rm.OLS())
SLOW = rm.SampleVariance()


def near(got, expected, rtol=1e-9, atol=0.0):
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rtol, atol=atol)


def listed_late(panel, days):
    """The panel in which assets have a return on their last days only."""
    returns = panel.excess_returns.to_numpy(copy=True)
    for asset, n in days.items():
        at = panel.assets.get_loc(asset)
        returns[: len(returns) - n, at] = np.nan
    return attrs.evolve(panel, excess_returns=returns)


def assembled(minimum=60, groups=None):
    return rm.Assembled(
        rm.ShortHistories(OLS, minimum, groups),
        rm.SampleCovariance(),
        rm.ShortHistoryVariance(SLOW, minimum, groups),
    )


class TestShortHistories(EstimatorContract):
    explains_sample_variance = False
    separable = False
    estimates_short_assets = True

    def estimator(self):
        return assembled()

    def panel(self):
        return rm.SampleData().panel(["KO", "XOM", "JPM", "PEP"], ["Mkt-RF"], start="2018-01-01")


# -- the posterior -------------------------------------------------------------------------------------


def by_hand(panel, short, minimum):
    """Means and covariance of the others, then the posterior by inverses of covariances."""
    others = [a for a in panel.assets if a not in short]
    fit = OLS.fit(panel.select(others))
    theta = np.column_stack([fit.alpha, fit.loadings])
    m, s = theta.mean(axis=0), np.cov(theta.T)
    v, d = fit.residuals.var().to_numpy(), fit.residuals.count().to_numpy() - theta.shape[1]
    mean = v.mean()
    spread = (v**2 * d / (d + 2)).mean() - mean**2
    a = 2 + mean**2 / spread
    b = mean * (a - 1)
    result = {}
    for asset in short:
        r = panel.excess_returns[asset].dropna()
        x = np.column_stack([np.ones(len(r)), panel.factor_returns.loc[r.index]])
        precision, variance = np.linalg.inv(s), mean
        for _ in range(200):
            theta = np.linalg.solve(precision + x.T @ x / variance, precision @ m + x.T @ r.to_numpy() / variance)
            variance = (b + ((r - x @ theta) ** 2).sum() / 2) / (a + len(r) / 2 - 1)
        result[asset] = theta, variance
    return result


def test_the_posterior_is_the_dense_formula():
    panel = listed_late(clean(n=20), {"A1": 1, "A4": 30, "A7": 0})
    short = ["A1", "A4", "A7"]
    model = assembled().fit(panel)
    for asset, (theta, variance) in by_hand(panel, short, 60).items():
        near(model.alpha[asset], theta[0], rtol=1e-7)
        near(model.loadings.loc[asset], theta[1:], rtol=1e-8)
        near(model.idio_variance[asset], variance, rtol=1e-8)
    others = [a for a in panel.assets if a not in short]
    plain = rm.OLS().fit(panel.select(others))
    near(model.loadings.loc[others], plain.loadings)
    near(model.idio_variance[others], plain.idio_variance)


def test_an_asset_without_returns_has_the_mean_of_the_others():
    panel = listed_late(clean(), {"A3": 0})
    model = assembled().fit(panel)
    others = model.loadings.drop("A3")
    near(model.loadings.loc["A3"], others.mean())
    near(model.alpha["A3"], model.alpha.drop("A3").mean())
    near(model.idio_variance["A3"], model.idio_variance.drop("A3").mean())


def test_weights_of_dates_count():
    panel = listed_late(clean(), {"A3": 40})
    half_life = rm.Horizon(10)
    got = rm.ShortHistories(rm.TimeSeries(rm.EWMA(half_life)), 60).fit(panel)
    twice = rm.ShortHistories(rm.TimeSeries(rm.OLS()), 60).fit(panel)
    assert not np.allclose(got.loadings.loc["A3"], twice.loadings.loc["A3"])
    near(got.factor_mean, rm.EWMA(half_life).fit(panel.select(["A0"])).factor_mean)


def test_posteriors_are_nearer_to_the_truth_than_own_estimates_and_than_priors():
    rng = np.random.default_rng(0)
    n, short = 400, 200
    beta = rng.normal(1.0, 0.4, n)
    sigma = np.sqrt(1 / rng.gamma(4.0, 1 / (3 * 0.02**2), n))
    market = rng.normal(0, 0.01, (500, 1))
    whole = panel_of(market * beta + rng.normal(0, 1, (500, n)) * sigma, market)
    panel = listed_late(whole, dict.fromkeys(whole.assets[:short], 30))
    model = assembled().fit(panel)
    own = rm.OLS().fit(panel.select(list(whole.assets[:short])))

    def error(b):
        return float(((np.asarray(b)[:short] - beta[:short]) ** 2).mean())

    def log_error(v):
        return float(((np.log(np.asarray(v)[:short]) - 2 * np.log(sigma[:short])) ** 2).mean())

    got = error(model.loadings.iloc[:, 0])
    assert got < 0.6 * error(own.loadings.iloc[:, 0])
    assert got < 0.9 * error(np.full(n, beta[short:].mean()))
    assert log_error(model.idio_variance) < 0.95 * log_error(own.idio_variance)
    assert log_error(model.idio_variance) < 0.5 * log_error(np.full(n, (sigma[short:] ** 2).mean()))
    assert abs(model.idio_variance.iloc[:short].mean() / (sigma[:short] ** 2).mean() - 1) < 0.1


def test_the_distribution_of_variances_is_found_beneath_their_noise():
    rng = np.random.default_rng(1)
    true = 3.0 / rng.gamma(6.0, 1.0, 20_000)
    degrees = np.full(20_000, 20.0)
    sample = true * rng.chisquare(20, 20_000) / 20
    found = InverseGamma.of(sample, degrees)
    assert found.shape == pytest.approx(6.0, rel=0.1)
    assert found.mean == pytest.approx(3.0 / 5.0, rel=0.02)
    alike = InverseGamma.of(np.full(5, 2.0), np.full(5, 50.0))
    near(alike.posterior_mean(np.array([0.0, 1e9]), np.array([0.0, 10.0])), [2.0, 2.0])


# -- groups --------------------------------------------------------------------------------------------


def test_priors_are_those_of_groups_of_enough_assets():
    panel = listed_late(clean(n=16, k=1), {"A0": 0, "A1": 0, "A2": 0})
    groups = pd.Series(["x", "y", "z"] + ["x"] * 6 + ["y"] * 5 + ["z"] * 2, panel.assets)
    model = assembled(groups=groups).fit(panel)
    long = model.loadings.iloc[3:, 0]
    near(model.loadings.loc["A0"].iloc[0], long[groups[3:] == "x"].mean())
    near(model.loadings.loc["A1"].iloc[0], long[groups[3:] == "y"].mean())
    near(model.loadings.loc["A2"].iloc[0], long.mean())  # two of z are too few
    near(model.idio_variance["A1"], model.idio_variance.iloc[3:][groups[3:] == "y"].mean())
    near(model.idio_variance["A2"], model.idio_variance.iloc[3:].mean())


def test_assets_without_a_group_are_named():
    panel = listed_late(clean(), {"A3": 0})
    groups = {a: "x" for a in panel.assets if a != "A3"}
    for part in (rm.ShortHistories(OLS, 60, groups), rm.ShortHistories(OLS, 1, groups)):
        with pytest.raises(rm.UnknownAssetError) as error:
            part.fit(panel)
        assert error.value.details["missing"] == ["A3"]
    with pytest.raises(rm.UnknownAssetError):
        attrs.evolve(assembled(), idio_variance=rm.ShortHistoryVariance(SLOW, 60, groups)).fit(panel)


# -- who is told ---------------------------------------------------------------------------------------


def test_the_model_says_what_has_a_prior():
    panel = listed_late(clean(), {"A3": 30, "A5": 0})
    model = assembled().fit(panel)
    assert list(model.assets[model.prior]) == ["A3", "A5"]
    assert list(model.at(rm.YEAR).restrict(["A5", "A1"]).prior) == [True, False]
    assert pickle.loads(pickle.dumps(model)).prior.equals(model.prior)
    assert "2 assets with a prior" in repr(model)
    assert model.regression is None
    assert not rm.OLS().fit(clean()).prior.any()
    report = rm.RiskReport.of(rm.Strategy({"A3": 1.0, "A1": -1.0}, model), panel, rm.RiskBudget(1e6, rm.MONTH))
    assert "prior" in report.to_text()
    with pytest.raises(rm.UnknownAssetError):
        attrs.evolve(model, priors=["B"])


def test_the_history_says_what_has_a_prior_on_each_date():
    panel = listed_late(clean(), {"A3": 100})
    history = rm.Rolling(rm.Horizon(126), assembled(), every=21).fit(panel)
    counts = history.n_observations["A3"]
    assert history.prior["A3"].equals((counts < 60).rename("A3"))
    assert history.prior["A3"].nunique() == 2
    assert not history.prior.drop(columns="A3").any(axis=None)
    for date, model in history.items():
        assert model.prior.equals(history.prior.loc[date].rename("prior").rename_axis(None))
    assert not rm.Rolling(rm.Horizon(126)).fit(clean()).prior.any(axis=None)


def test_stages_say_what_had_no_estimate_before():
    panel = listed_late(clean(k=1), {"A3": 1})
    stages = assembled().stages(panel).set_index("label")
    assert list(stages["stage"].unique()) == ["ShortHistories", "ShortHistoryVariance"]
    for label in (("A3", "F0"), "A3"):
        row = stages.loc[[label]].iloc[0]
        assert np.isnan(row["before"])
        assert np.isfinite(row["after"])
    near(stages["factor"].drop([("A3", "F0"), "A3"]), 1.0)


# -- properties ----------------------------------------------------------------------------------------


def test_without_short_histories_it_is_the_inner_estimator():
    panel = clean()
    got, expected = assembled().fit(panel), rm.OLS().fit(panel)
    assert got.loadings.equals(rm.TimeSeries(rm.OLS()).fit(panel).loadings)
    near(got.idio_variance, expected.idio_variance)
    assert got.regression is not None
    assert not got.prior.any()
    assert set(assembled().stages(panel)["stage"]) == {"ShortHistories"} | {"ShortHistoryVariance"}


def test_results_scale_and_assets_may_come_in_any_order():
    panel = listed_late(clean(), {"A3": 30, "A5": 0})
    model = assembled().fit(panel)
    turned = assembled().fit(panel.select(list(panel.assets[::-1]))).restrict(list(panel.assets))
    near(turned.loadings, model.loadings)
    near(turned.idio_variance, model.idio_variance)
    r, f, _ = panel.arrays()
    scaled = assembled().fit(attrs.evolve(panel, excess_returns=7 * r, factor_returns=7 * f))
    near(scaled.loadings, model.loadings, rtol=1e-7)
    near(scaled.idio_variance, 49 * model.idio_variance, rtol=1e-7)


def test_assets_that_factors_explain_fully_give_loadings_that_explain():
    rng = np.random.default_rng(0)
    f = rng.normal(0, 0.01, (100, 2))
    panel = listed_late(panel_of(f @ rng.normal(1, 0.3, (6, 2)).T, f), {"A2": 20, "A4": 1})
    fitted = rm.ShortHistories(OLS, 60).fit(panel)
    assert np.nanmax(np.abs(fitted.residuals)) < 1e-12


def test_components_of_long_histories_explain_short_ones():
    panel = listed_late(clean(n=20), {"A3": 25, "A5": 0})
    estimator = rm.Assembled(
        rm.ShortHistories(rm.PrincipalComponents(2), 60), rm.SampleCovariance(), rm.ShortHistoryVariance(SLOW, 60)
    )
    model = estimator.fit(panel)
    assert not {"A3", "A5"} & set(model.definitions[0].weights.index)
    near(model.loadings.loc["A5"], model.loadings.drop(index=["A3", "A5"]).mean())
    neutral = rm.HedgedPortfolio.neutral(rm.Strategy({"A5": 1.0}, model))
    near(neutral.exposures, 0.0, atol=1e-12)


@given(st.data())
def test_hostile_panels_give_finite_models_and_name_their_priors(data):
    seed = data.draw(st.integers(0, 1000))
    n, k, t = data.draw(st.integers(3, 9)), data.draw(st.integers(1, 3)), 80
    rng = np.random.default_rng(seed)
    scale = data.draw(st.sampled_from([1e-6, 1e-2, 0.1]))
    f = rng.normal(0, scale, (t, k))
    r = f @ rng.normal(1, data.draw(st.sampled_from([0.0, 0.4])), (n, k)).T
    r += rng.normal(0, scale, (t, n)) * data.draw(st.sampled_from([0.0, 1e-6, 1.0]))
    r[:, 0] *= data.draw(st.sampled_from([0.0, 1.0]))  # a price that stands still
    lengths = data.draw(st.lists(st.integers(0, t), min_size=n - 2, max_size=n - 2))
    panel = attrs.evolve(clean(t=t, n=n, k=k), excess_returns=r, factor_returns=f)
    panel = listed_late(panel, dict(zip(panel.assets[2:], lengths, strict=True)))
    model = assembled(minimum=40).fit(panel)
    for figure in (model.alpha, model.loadings, model.idio_variance):
        assert np.isfinite(figure).all(axis=None)
    assert list(model.prior[2:]) == [length < 40 for length in lengths]
    assert (model.idio_variance >= 0).all()


# -- wrong input ---------------------------------------------------------------------------------------


def test_without_long_histories_the_short_ones_are_named():
    panel = listed_late(clean(n=3), {"A0": 5, "A1": 5})
    with pytest.raises(rm.TooFewObservationsError) as error:
        rm.ShortHistories(OLS, 60).fit(panel)
    assert error.value.details["assets"] == ["A0", "A1"]
    fitted = OLS.fit(clean(n=3))
    with pytest.raises(rm.TooFewObservationsError) as error:
        rm.ShortHistoryVariance(SLOW, 60).fit(panel.excess_returns, fitted)
    assert error.value.details["assets"] == ["A0", "A1"]
    assert list(assembled().fit_available(panel).assets) == ["A2"]


def test_characteristics_need_no_prior_but_their_residual_variances_do():
    market = Market()
    panel = listed_late(market.panel, {"A003": 5})
    with pytest.raises(rm.InvalidParameterError):
        rm.ShortHistories(market.estimator(), 40).fit(panel)
    estimator = rm.Assembled(market.estimator(), rm.SampleCovariance(), rm.ShortHistoryVariance(SLOW, 40))
    model, fitted = estimator.fit(panel), market.estimator().fit(panel)
    assert list(model.assets[model.prior]) == ["A003"]
    assert model.loadings.equals(fitted.loadings)
    v = fitted.residuals.drop(columns="A003").var().to_numpy()
    d = len(panel.dates) - 1
    a = 2 + v.mean() ** 2 / ((v**2 * d / (d + 2)).mean() - v.mean() ** 2)
    own = fitted.residuals["A003"].dropna()
    expected = (v.mean() * (a - 1) + (own**2).sum() / 2) / (a + (len(own) - 1) / 2 - 1)
    near(model.idio_variance["A003"], expected)


@pytest.mark.parametrize(
    "make",
    [
        lambda: rm.ShortHistories(rm.OLS(), 60),
        lambda: rm.ShortHistories(OLS, 0),
        lambda: rm.ShortHistories(OLS, 60, ["a"]),
        lambda: rm.ShortHistoryVariance(OLS, 60),
        lambda: rm.ShortHistoryVariance(SLOW, 2.5),
        lambda: rm.ShortHistoryVariance(SLOW, 60, "sector"),
    ],
)
def test_wrong_parameters_are_errors(make):
    with pytest.raises(rm.InvalidParameterError):
        make()


def test_groups_are_kept_apart_and_pickled():
    groups = pd.Series("x", clean().assets)
    for part in (rm.ShortHistories(OLS, 60, groups), rm.ShortHistoryVariance(SLOW, 60, groups)):
        groups.iloc[0] = "x"
        assert pickle.loads(pickle.dumps(part)).groups.equals(part.groups)
