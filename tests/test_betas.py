"""Betas for stale prices and for days of news: the papers' formulas, and simulations with known betas."""

import attrs
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from panels import clean, panel_of, ragged

import riskmodel as rm
from riskmodel.testing.estimators import EstimatorContract

OLS = rm.TimeSeries(rm.OLS())
ALL = {
    "Dimson": rm.Dimson(OLS, 2, 1),
    "Fowler and Rorke": rm.FowlerRorke(OLS, 2),
    "winsorised": rm.SlopeWinsorised(OLS, factor="F1"),
}
each = pytest.mark.parametrize("estimator", ALL.values(), ids=list(ALL))


def near(got, expected, rtol=1e-9, atol=0.0):
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rtol, atol=atol)


class _OnSample:
    explains_sample_variance = False

    def panel(self):
        return rm.SampleData().panel(["KO", "XOM", "JPM"], ["Mkt-RF"], start="2018-06-15")

    def estimator(self):
        return rm.Assembled(self.loadings, rm.SampleCovariance(), rm.SampleVariance())


class TestDimson(_OnSample, EstimatorContract):
    loadings = rm.Dimson(OLS)


class TestFowlerRorke(_OnSample, EstimatorContract):
    loadings = rm.FowlerRorke(rm.TimeSeries(rm.EWMA(rm.QUARTER)))


class TestSlopeWinsorised(_OnSample, EstimatorContract):
    separable = False
    loadings = rm.Vasicek(rm.SlopeWinsorised(rm.TimeSeries(rm.EWMA(rm.QUARTER))))


# -- stale prices --------------------------------------------------------------------------------------


def lagged(panel, lags, leads):
    """Statsmodels' slopes on shifted factors, by asset, shape (shifts, K)."""
    f = panel.factor_returns
    x = pd.concat([f.shift(-s) for s in range(-lags, leads + 1)], axis=1)
    slopes = {}
    for asset, r in panel.excess_returns.items():
        there = r.notna() & x.notna().all(axis=1)
        fit = sm.OLS(r[there].to_numpy(), sm.add_constant(x[there].to_numpy())).fit()
        slopes[asset] = fit.params[1:].reshape(-1, f.shape[1])
    return slopes


@pytest.mark.parametrize("panel", [clean(), ragged(seed=3)], ids=["clean", "ragged"])
@pytest.mark.parametrize(("lags", "leads"), [(1, 1), (2, 0), (0, 1)])
def test_dimson_is_the_sum_of_slopes_of_statsmodels(panel, lags, leads):
    panel = panel.select(list(panel.assets[1:]))  # the first has a dozen dates
    fitted = rm.Dimson(OLS, lags, leads).fit(panel)
    for asset, slopes in lagged(panel, lags, leads).items():
        near(fitted.loadings.loc[asset], slopes.sum(axis=0), rtol=1e-7, atol=1e-9)
    near(fitted.before.loadings, rm.OLS().fit(panel).loadings)
    assert fitted.regression is None
    assert fitted.residuals.mean().abs().max() < 1e-15


@pytest.mark.parametrize("lags", [1, 2])
def test_fowler_and_rorke_is_the_papers_formula(lags):
    panel = clean(k=1)
    m = panel.factor_returns.iloc[:, 0].to_numpy()
    d = m - m.mean()
    rho = [1.0, *((d[h:] @ d[:-h]) / (d @ d) for h in range(1, lags + 1))]
    if lags == 1:
        outer = (1 + rho[1]) / (1 + 2 * rho[1])
        weights = [outer, 1, outer]
    else:
        whole = 1 + 2 * rho[1] + 2 * rho[2]
        one, two = (1 + 2 * rho[1] + rho[2]) / whole, (1 + rho[1] + rho[2]) / whole
        weights = [two, one, 1, one, two]
    fitted = rm.FowlerRorke(OLS, lags).fit(panel)
    for asset, slopes in lagged(panel, lags, lags).items():
        near(fitted.loadings.loc[asset], [slopes[:, 0] @ weights], rtol=1e-7)


def stale(rng, factors, beta, share):
    """Returns of assets that trade on a share of days, and then have the returns since."""
    t, n = len(factors), len(beta)
    true = factors @ beta.T + rng.normal(0, 0.01, (t, n))
    returns, owed = np.zeros((t, n)), np.zeros(n)
    for day in range(t):
        owed += true[day]
        trades = rng.random(n) < share
        returns[day, trades] = owed[trades]
        owed[trades] = 0.0
    return returns


def test_stale_prices_have_their_betas_back():
    rng = np.random.default_rng(0)
    beta = rng.normal(1.0, 0.3, (40, 2))
    shocks = rng.normal(0, 0.01, (6001, 2))
    factors = shocks[1:] + 0.3 * shocks[:-1]
    panel = panel_of(stale(rng, factors, beta, 0.75), factors)

    def bias(estimator):
        return float((estimator.fit(panel).loadings.to_numpy() / beta).mean() - 1)

    assert bias(OLS) < -0.1
    assert abs(bias(rm.FowlerRorke(OLS, 3))) < 0.03
    assert abs(bias(rm.FowlerRorke(OLS, 3))) < abs(bias(rm.Dimson(OLS, 0, 0)))
    iid = panel_of(stale(rng, shocks, beta, 0.75), shocks)
    assert abs(float((rm.Dimson(OLS, 3, 0).fit(iid).loadings.to_numpy() / beta).mean() - 1)) < 0.03


def test_factors_whose_sums_do_not_vary_have_no_correction():
    rng = np.random.default_rng(0)
    turning = 0.01 * (-1.0) ** np.arange(300)[:, None] + rng.normal(0, 0.001, (300, 1))
    panel = panel_of(turning + rng.normal(0, 0.01, (300, 2)), turning)
    with pytest.raises(rm.EstimationError) as error:
        rm.FowlerRorke(OLS, 1).fit(panel)
    assert error.value.details["eigenvalue"] <= 1e-8


# -- slope-winsorised ----------------------------------------------------------------------------------


def test_winsorised_betas_are_regressions_on_held_returns():
    panel = ragged()
    fitted = rm.SlopeWinsorised(OLS, factor="F1").fit(panel)
    m = panel.factor_returns["F1"]
    low, high = np.minimum(-2 * m, 4 * m), np.maximum(-2 * m, 4 * m)
    for asset, r in panel.excess_returns.items():
        held = r.clip(low, high).dropna()
        x = sm.add_constant(panel.factor_returns.loc[held.index].to_numpy())
        near(fitted.loadings.loc[asset], sm.OLS(held.to_numpy(), x).fit().params[1:], rtol=1e-7, atol=1e-9)
    near(
        fitted.alpha + (fitted.factor_returns @ fitted.loadings.T) + fitted.residuals, panel.excess_returns, atol=1e-14
    )


def test_winsorised_betas_are_nearer_to_the_truth_with_days_of_news():
    rng = np.random.default_rng(0)
    beta = rng.normal(1.0, 0.4, 80)
    market = rng.normal(0, 0.01, (250, 1))
    panel = panel_of(market * beta + rng.standard_t(3.0, (250, 80)) * 0.012, market)

    def error(estimator):
        return float(((estimator.fit(panel).loadings.iloc[:, 0] - beta) ** 2).mean())

    assert error(rm.SlopeWinsorised(OLS)) < 0.85 * error(OLS)


# -- all -----------------------------------------------------------------------------------------------


def test_without_effect_they_are_their_inner():
    panel = ragged()
    expected = OLS.fit(panel)
    for estimator in (rm.Dimson(OLS, 0, 0), rm.FowlerRorke(OLS, 0), rm.SlopeWinsorised(OLS, -1e9, 1e9, "F0")):
        fitted = estimator.fit(panel)
        assert fitted.loadings.equals(expected.loadings)
        assert fitted.before.loadings.equals(expected.loadings)
        near(fitted.residuals, expected.residuals, atol=1e-15)


@each
@pytest.mark.parametrize("scale", [1e-4, 30.0])
def test_loadings_do_not_depend_on_the_unit_of_returns(estimator, scale):
    panel = clean()
    r, f, _ = panel.arrays()
    scaled = attrs.evolve(panel, excess_returns=scale * r, factor_returns=scale * f)
    near(estimator.fit(scaled).loadings, estimator.fit(panel).loadings, rtol=1e-7)


@each
def test_assets_are_estimated_one_by_one(estimator):
    panel = ragged(seed=3).select([f"A{i}" for i in range(1, 16)])
    near(estimator.fit(panel.select(["A5", "A2"])).loadings, estimator.fit(panel).loadings.loc[["A5", "A2"]])


@each
def test_stages_say_what_it_changed(estimator):
    panel = clean()
    stages = rm.Assembled(estimator, rm.SampleCovariance(), rm.SampleVariance()).stages(panel)
    assert set(stages["stage"]) == {type(estimator).__name__}
    near(stages["before"], OLS.fit(panel).loadings.to_numpy().ravel())
    near(stages["after"], estimator.fit(panel).loadings.to_numpy().ravel())


def test_sums_of_slopes_have_no_standard_errors():
    with pytest.raises(rm.NotEstimatedError):
        rm.Vasicek(rm.Dimson(OLS)).fit(clean())
    assert rm.Vasicek(rm.SlopeWinsorised(OLS, factor="F0")).fit(clean()).before.before is not None


def test_too_few_rows_and_statistical_factors_are_errors():
    with pytest.raises(rm.EstimationError):
        rm.Dimson(OLS, 100, 0).fit(clean(t=100, k=1))
    with pytest.raises(rm.InvalidParameterError):
        rm.Dimson(rm.PrincipalComponents(1)).fit(clean())


@pytest.mark.parametrize(
    "make",
    [
        lambda: rm.Dimson(rm.OLS()),
        lambda: rm.Dimson(OLS, -1),
        lambda: rm.FowlerRorke(OLS, 1.5),
        lambda: rm.SlopeWinsorised(rm.OLS()),
        lambda: rm.SlopeWinsorised(OLS, 2.0, 1.0),
        lambda: rm.SlopeWinsorised(OLS, "-2"),
        lambda: rm.SlopeWinsorised(OLS).fit(clean(k=3)),
    ],
)
def test_wrong_parameters_are_errors(make):
    with pytest.raises(rm.InvalidParameterError):
        make()
    with pytest.raises(rm.UnknownFactorError):
        rm.SlopeWinsorised(OLS, factor="Mkt").fit(clean())


@pytest.mark.parametrize("wrapper", [rm.Dimson, rm.FowlerRorke])
def test_without_factors_there_is_nothing_to_lag(wrapper):
    assert wrapper(OLS).fit(clean().select(factors=[])).loadings.shape == OLS.fit(clean()).loadings.iloc[:, :0].shape
