"""Structural variances against statsmodels and the published formula, and a simulation with known truth."""

import pickle

import attrs
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sections import Market

import riskmodel as rm
from riskmodel.testing.estimators import EstimatorContract

OLS = rm.TimeSeries(rm.OLS())
SAMPLE = rm.SampleVariance()


def near(got, expected, rtol=1e-9, atol=1e-14):
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rtol, atol=atol)


class Simulated:
    """Idio volatilities that two characteristics explain up to a tenth; the last assets have short histories."""

    def __init__(self, seed=0, n=200, t=250, short=40, length=10):
        rng = np.random.default_rng(seed)
        self.names = [f"A{i}" for i in range(n)]
        self.x = pd.DataFrame(rng.normal(size=(n, 2)), self.names, ["size", "turnover"])
        self.truth = np.exp(-4 - 0.4 * self.x["size"] + 0.2 * self.x["turnover"] + 0.1 * rng.normal(size=n))
        noise = self.truth.to_numpy() * rng.normal(size=(t, n))
        noise[:-length, n - short :] = np.nan
        self.days = pd.bdate_range("2020-01-01", periods=t)
        self.residuals = pd.DataFrame(noise, self.days, self.names)
        self.short = self.names[n - short :]
        self.fitted = rm.FittedLoadings(
            assets=self.names, definitions=["Mkt-RF"], dates=self.days, horizon=rm.DAY, alpha=np.zeros(n),
            loadings=np.ones((n, 1)), factor_returns=rng.normal(0, 0.01, (t, 1)), residuals=noise, weights=np.ones(t),
        )  # fmt: skip

    def fit(self, **changes):
        return rm.Structural(SAMPLE, **({"regressors": self.x} | changes)).fit(self.residuals, self.fitted)


def test_short_histories_have_the_volatility_of_the_regression():
    sim = Simulated()
    risk = sim.fit()
    gamma = rm.Structural(SAMPLE).own_weights(sim.residuals)
    own = sim.residuals.std()
    full = gamma == 1
    result = sm.OLS(np.log(own[full]), sm.add_constant(sim.x[full])).fit()
    fitted = np.exp(result.predict(sm.add_constant(sim.x)))
    structural = fitted * own[full].sum() / fitted[full].sum()
    near(risk.variance[sim.short] ** 0.5, structural[sim.short])
    near(risk.variance[full], own[full] ** 2)
    assert list(risk.prior[risk.prior].index) == sim.short


def test_priors_are_nearer_to_the_truth_than_short_histories():
    sim = Simulated()
    risk, own = sim.fit().variance ** 0.5, sim.residuals.std()

    def error(volatility):
        return float((np.log(volatility[sim.short]) - np.log(sim.truth[sim.short])).std())

    assert error(risk) < 0.6 * error(own)
    assert abs(np.log(risk[sim.short] / sim.truth[sim.short]).mean()) < 0.1


def test_weights_are_the_published_formula():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, 4))
    values[:200, 0] = np.nan  # 100 residuals
    values[:, 1] = np.where(rng.random(300) < 0.05, 30 * values[:, 1], values[:, 1])  # fat tails
    values[:270, 2] = np.nan
    residuals = pd.DataFrame(values, columns=list("ABCD"))
    gamma = rm.Structural(SAMPLE, least=60, full=180).own_weights(residuals)
    robust = np.subtract(*np.nanpercentile(values[:, 1], [75, 25])) / 1.35
    equal = np.clip(values[:, 1], -10 * robust, 10 * robust).std(ddof=1)
    assert equal > 2 * robust
    near(gamma, [40 / 120, np.exp(1 - (equal - robust) / robust), 0.0, 1.0], rtol=2e-3)
    near(gamma[[0, 2, 3]], [1 / 3, 0, 1], rtol=1e-12)


def test_a_blend_is_between_its_parts():
    sim = Simulated(length=90)
    risk = sim.fit()
    own, prior = sim.residuals.std(), sim.fit(least=200, full=249).variance ** 0.5
    some = sim.short
    near(risk.variance[some] ** 0.5, 0.25 * own[some] + 0.75 * prior[some], rtol=0.02)
    assert risk.prior[some].all()
    assert not sim.fit(least=20, full=120).prior.any()


def test_groups_are_means():
    sim = Simulated(length=10)
    groups = pd.Series(np.where(sim.x["size"] > 0, "large", "small"), sim.names)
    groups.iloc[-1] = "new"
    risk = sim.fit(regressors=groups)
    full = np.setdiff1d(sim.names, sim.short)
    logs = np.log(sim.residuals[full].std())
    means = logs.groupby(groups[full]).mean()
    scale = np.exp(logs).sum() / np.exp(means[groups[full]]).sum()
    for name in ("large", "small"):
        some = [a for a in sim.short if groups[a] == name]
        near(risk.variance[some] ** 0.5, np.exp(means[name]) * scale)
    near(risk.variance.iloc[-1] ** 0.5, np.exp(means.mean()) * scale)  # a group of which nothing is known


def test_extreme_characteristics_stay_within_what_was_seen():
    sim = Simulated()
    sim.x.loc[sim.short[0], "size"] = -1e6
    risk = sim.fit()
    own = sim.residuals.drop(columns=sim.short).std()
    assert risk.variance[sim.short[0]] ** 0.5 < 1.1 * own.max()


def test_nothing_is_changed_where_histories_are_long():
    sim = Simulated(short=0)
    assert rm.Structural(SAMPLE, sim.x).own_weights(sim.residuals).min() == 1.0
    assert sim.fit().variance.equals(SAMPLE.fit(sim.residuals, sim.fitted).variance)
    assert not sim.fit().prior.any()


def test_assets_without_a_residual_have_a_prior():
    sim = Simulated()
    sim.residuals[sim.short[0]] = np.nan
    assert sim.fit().variance[sim.short[0]] > 0


def test_priors_of_the_inner_estimator_stay():
    sim = Simulated()
    inner = rm.ShortHistoryVariance(SAMPLE, minimum=240)
    sim.residuals.loc[sim.days[:30], sim.names[0]] = np.nan
    risk = rm.Structural(inner, sim.x).fit(sim.residuals, sim.fitted)
    assert set(risk.prior[risk.prior].index) == {sim.names[0], *sim.short}


def test_order_and_scale_do_not_matter():
    sim = Simulated()
    risk = sim.fit()
    order = sim.names[::-1]
    turned = rm.Structural(SAMPLE, sim.x).fit(sim.residuals[order], sim.fitted)
    near(turned.variance[sim.names], risk.variance)
    scaled = rm.Structural(SAMPLE, sim.x * [1e6, 1e-6]).fit(10 * sim.residuals, sim.fitted)
    near(scaled.variance, 100 * risk.variance)


@pytest.mark.parametrize(
    "make",
    [
        lambda: rm.Structural(OLS), lambda: rm.Structural(SAMPLE, {"A": 1.0}), lambda: rm.Structural(SAMPLE, least=-1),
        lambda: rm.Structural(SAMPLE, least=60, full=60), lambda: rm.Structural(SAMPLE, pd.DataFrame(index=["A"])),
        lambda: rm.Structural(SAMPLE, pd.Series([np.inf], ["A"])),
    ],
)  # fmt: skip
def test_wrong_parameters_are_errors(make):
    with pytest.raises(rm.InvalidParameterError):
        make()


def test_what_is_missing_is_named():
    sim = Simulated()
    with pytest.raises(rm.MissingExposuresError) as error:
        sim.fit(regressors=sim.x.drop(index=sim.short[:2]))
    assert error.value.details["assets"] == sim.short[:2]
    sim.fit(regressors=sim.x.drop(index=sim.names[:2]))  # their own histories are long
    with pytest.raises(rm.TooFewObservationsError) as error:
        sim.fit(least=249, full=251)
    assert error.value.details["got"] == 0
    with pytest.raises(rm.DuplicateLabelsError):
        rm.Structural(SAMPLE, pd.Series([1.0, 2.0], ["A", "A"]))


def test_it_can_be_pickled():
    sim = Simulated()
    again = pickle.loads(pickle.dumps(rm.Structural(SAMPLE, sim.x)))
    assert again.fit(sim.residuals, sim.fitted).variance.equals(sim.fit().variance)


class TestContract(EstimatorContract):
    explains_sample_variance = False
    separable = False
    estimates_short_assets = True

    def panel(self):
        return Market(t=100, n=30).panel

    def estimator(self):
        market = Market(t=100, n=30)
        loadings = market.estimator(styles=["value", "size"])
        return rm.Assembled(loadings, rm.SampleCovariance(), rm.Structural(SAMPLE, least=10, full=30))


def test_a_listing_of_three_days_has_a_model():
    market = Market(t=250, n=60)
    returns = market.returns.copy()
    returns[:-3, 7] = np.nan
    panel = attrs.evolve(market.panel, excess_returns=returns)
    assembled = rm.Assembled(market.estimator(), rm.SampleCovariance(), rm.Structural(SAMPLE))
    model = assembled.fit(panel)
    assert 0.5 < model.idio_variance.iloc[7] ** 0.5 / np.sqrt(np.median(model.idio_variance)) < 2
    stages = assembled.stages(market.panel)
    assert set(stages["stage"]) == {"Structural"}
    near(stages["before"], stages["after"])
