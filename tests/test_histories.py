"""Factors of different lengths and with missing returns: dense formulas, likelihoods and simulated truth."""

import pickle

import numpy as np
import pandas as pd
import pytest
from panels import panel_of
from scipy import optimize, stats

import riskmodel as rm
from riskmodel.estimation.factor_covariance.em import GaussianEM
from riskmodel.testing.estimators import EstimatorContract


def near(got, expected, rtol=1e-8, atol=0.0):
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rtol, atol=atol)


def factors(seed=0, t=200, k=3):
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(t, k)) @ (np.eye(k) + 0.5 * rng.normal(size=(k, k)))
    sizes = np.array([0.01, 0.004, 0.02, 0.03])[:k]
    return pd.DataFrame(1e-3 + mixed * sizes, pd.bdate_range("2015-01-01", periods=t), [f"F{j}" for j in range(k)])


def monotone(**kwargs):
    f = factors(**kwargs)
    f.iloc[:50, 1] = np.nan
    f.iloc[:120, 2] = np.nan
    return f


def scattered(seed=0, share=0.25, **kwargs):
    f = factors(seed, **kwargs)
    return f.mask(np.random.default_rng(seed).random(f.shape) < share)


BOTH = {"Stambaugh": rm.Stambaugh, "EM": rm.EMCovariance}
each = pytest.mark.parametrize("kind", BOTH.values(), ids=list(BOTH))


class TestStambaugh(EstimatorContract):
    explains_sample_variance = False

    def panel(self):
        return rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur"], ["Mkt-RF", "SMB"], start="2008-01")

    def estimator(self):
        history = rm.SampleData(rm.MONTH).factor_returns(["SMB", "Mkt-RF"], start="1990-01")
        history.loc[:"1999-12", "SMB"] = np.nan
        return rm.Assembled(rm.TimeSeries(rm.OLS()), rm.Stambaugh(history), rm.SampleVariance())

    def test_later_returns_change_no_earlier_model(self):
        panel, estimator = self.panel(), self.estimator()
        early = panel.select(end="2014-12")
        history = estimator.factor_covariance.history
        history.loc["2015-01":] *= -2.0
        changed = rm.Stambaugh(history).fit(early.factor_returns, rm.MONTH)
        assert changed.equals(estimator.factor_covariance.fit(early.factor_returns, rm.MONTH))


# -- Stambaugh -----------------------------------------------------------------------------------------


def likelihood(f, mean, covariance):
    """The log likelihood of what is there, row by row."""
    total = 0.0
    for row in f.to_numpy():
        seen = np.flatnonzero(~np.isnan(row))
        total += stats.multivariate_normal.logpdf(row[seen], mean[seen], covariance[np.ix_(seen, seen)])
    return total


def maximum_likelihood(f):
    """Regressions of each column on longer ones, with sums of squares over the rows."""
    mean, covariance = np.array([f.iloc[:, 0].mean()]), np.array([[f.iloc[:, 0].var(ddof=0)]])
    for j in range(1, f.shape[1]):
        own = f.iloc[:, : j + 1].dropna().to_numpy()
        x = np.column_stack([np.ones(len(own)), own[:, :j]])
        coefficients, rss, *_ = np.linalg.lstsq(x, own[:, j], rcond=None)
        among = covariance @ coefficients[1:]
        corner = rss[0] / len(own) + coefficients[1:] @ among
        mean = np.append(mean, coefficients[0] + mean @ coefficients[1:])
        covariance = np.block([[covariance, among[:, None]], [among[None], corner]])
    return mean, covariance


def test_two_histories_have_the_papers_closed_form():
    f = monotone(k=3)[["F0", "F2"]]
    late = f.dropna()
    beta = late.cov().iloc[0, 1] / late["F0"].var()
    gain = f["F0"].var() - late["F0"].var()
    expected = [[f["F0"].var(), beta * f["F0"].var()], [beta * f["F0"].var(), late["F2"].var() + beta**2 * gain]]
    near(rm.Stambaugh().fit(f, rm.DAY), expected)


def test_stambaugh_is_maximum_likelihood_but_for_the_degrees_of_freedom():
    f = monotone()
    mean, covariance = maximum_likelihood(f)
    best = likelihood(f, mean, covariance)
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = covariance * (1 + 0.02 * rng.normal(size=3)) * (1 + 0.02 * rng.normal(size=3))[:, None]
        assert likelihood(f, mean, (other + other.T) / 2) < best
    ratio = rm.Stambaugh().fit(f, rm.DAY).to_numpy() / covariance
    assert (ratio >= 1.0).all()
    assert (ratio < 81 / 79).all()


def test_factors_may_be_in_any_order():
    f = monotone()
    expected = rm.Stambaugh().fit(f, rm.DAY)
    near(rm.Stambaugh().fit(f[["F2", "F0", "F1"]], rm.DAY).loc[f.columns, f.columns], expected)


def test_the_longer_history_counts_for_the_shorter_factor():
    own, longer = [], []
    for seed in range(200):
        x = np.random.default_rng(seed).multivariate_normal([0, 0], [[1.0, 0.9], [0.9, 1.0]], 600)
        f = pd.DataFrame(0.01 * x, pd.bdate_range("2015-01-01", periods=600), ["A", "B"])
        f.iloc[:540, 1] = np.nan
        own.append(f["B"].var())
        longer.append(rm.Stambaugh().fit(f, rm.DAY).loc["B", "B"])
    assert np.std(longer) < 0.7 * np.std(own)
    assert np.mean(longer) == pytest.approx(1e-4, rel=0.02)


def test_histories_that_are_not_nested_are_an_error():
    f = monotone()
    f.iloc[150, 0] = np.nan
    with pytest.raises(rm.EstimationError) as error:
        rm.Stambaugh().fit(f, rm.DAY)
    assert set(error.value.details["factors"]) <= set(f.columns)
    assert rm.EMCovariance().fit(f, rm.DAY).notna().all(axis=None)


# -- EM ------------------------------------------------------------------------------------------------


def test_em_finds_the_closed_form_of_nested_histories():
    f = monotone()
    _, covariance = maximum_likelihood(f)
    near(rm.EMCovariance().fit(f, rm.DAY), covariance * len(f) / (len(f) - 1), rtol=1e-6)


def test_em_finds_the_maximum_of_the_likelihood():
    f = scattered(t=60, k=2)
    scale = f.std()
    z = (f / scale).dropna(how="all")

    def loss(p):
        root = np.array([[p[2], 0.0], [p[3], p[4]]])
        return -likelihood(z, p[:2], root @ root.T)

    found = optimize.minimize(loss, [0, 0, 1, 0, 1], method="BFGS").x
    root = np.array([[found[2], 0.0], [found[3], found[4]]])
    expected = root @ root.T * np.outer(scale, scale) * len(z) / (len(z) - 1)
    near(rm.EMCovariance().fit(f, rm.DAY), expected, rtol=1e-4)


def test_no_round_of_em_lowers_the_likelihood():
    f = scattered(share=0.4) * 100
    rows = f.dropna(how="all")
    em, mean, covariance = GaussianEM.of(rows.to_numpy()), np.zeros(3), np.eye(3)
    last = likelihood(rows, mean, covariance)
    for _ in range(30):
        mean, covariance = em.step(mean, covariance)
        now = likelihood(rows, mean, covariance)
        assert now >= last - 1e-9 * abs(last)
        last = now


def test_em_is_nearer_to_the_truth_than_rows_without_gaps():
    errors, dropped = [], []
    for seed in range(40):
        x = np.random.default_rng(seed).multivariate_normal([0, 0, 0], 0.5 + 0.5 * np.eye(3), 250)
        f = pd.DataFrame(x, pd.bdate_range("2015-01-01", periods=250))
        f = f.mask(np.random.default_rng(seed).random(f.shape) < 0.3)
        true = 0.5 + 0.5 * np.eye(3)
        errors.append(((rm.EMCovariance().fit(f, rm.DAY) - true) ** 2).to_numpy().sum())
        dropped.append(((f.dropna().cov() - true) ** 2).to_numpy().sum())
    assert np.mean(errors) < 0.6 * np.mean(dropped)


# -- both ----------------------------------------------------------------------------------------------


@each
def test_without_missing_returns_it_is_the_sample_covariance(kind):
    f = factors()
    near(kind().fit(f, rm.DAY), f.cov())


@each
def test_constant_and_equal_factors_are_those_of_the_sample(kind):
    f = factors().assign(C=0.001, D=lambda x: x["F0"])
    near(kind().fit(f, rm.DAY), f.cov(), rtol=1e-6, atol=1e-16)
    f.loc[f.index[:50], "D"] = np.nan
    got = kind().fit(f, rm.DAY)
    near(got["D"], got["F0"], rtol=1e-5, atol=1e-14)


@each
def test_a_factor_has_one_history(kind):
    f = monotone()
    with pytest.raises(rm.DuplicateLabelsError):
        kind(f.set_axis(["F0", "F1", "F1"], axis=1))


@each
@pytest.mark.parametrize("scale", [1e-4, 1e3])
def test_covariances_scale(kind, scale):
    f = monotone()
    near(kind().fit(scale * f, rm.DAY), scale**2 * kind().fit(f, rm.DAY), rtol=1e-6)


@each
def test_history_and_panel_are_one_frame_of_returns(kind):
    f = monotone()
    late, history = f.iloc[120:], f.iloc[:180]  # they overlap
    near(kind(history).fit(late, rm.DAY), kind().fit(f, rm.DAY))
    near(kind(f).fit(late.iloc[:60], rm.DAY), kind().fit(f.iloc[:180], rm.DAY))  # later rows are not used
    panel = panel_of(np.random.default_rng(0).normal(0, 0.01, (80, 4)), late.to_numpy(), late.index[0])
    model = rm.Assembled(rm.TimeSeries(rm.OLS()), kind(history), rm.SampleVariance()).fit(panel)
    near(model.factor_covariance, kind().fit(f, rm.DAY))


@each
def test_other_series_of_the_history_help(kind):
    f = monotone()
    whole = kind().fit(f, rm.DAY)
    got = kind(f).fit(f[["F2"]].iloc[120:], rm.DAY)
    near(got, whole.loc[["F2"], ["F2"]])
    assert abs(got.iloc[0, 0] / f["F2"].var() - 1) > 1e-3


@each
def test_histories_must_be_what_the_factors_are(kind):
    f = monotone()
    late = f.iloc[120:]
    with pytest.raises(rm.InvalidParameterError) as error:
        kind(100 * f).fit(late, rm.DAY)
    assert error.value.details["factors"] == list(f.columns)
    with pytest.raises(rm.InvalidParameterError):
        rm.NeweyWest(kind(f), 3).fit(late, rm.DAY)
    with pytest.raises(rm.InvalidParameterError):
        rm.EigenfactorAdjusted(kind(f), simulations=1).fit(late, rm.DAY)
    with pytest.raises(rm.UnknownFactorError):
        kind(f[["F0", "F1"]]).fit(late, rm.DAY)
    with pytest.raises(rm.InvalidParameterError):
        kind(f.iloc[::-1])
    with pytest.raises(rm.InvalidParameterError):
        kind(f.reset_index(drop=True))
    with pytest.raises(rm.InvalidParameterError):
        kind("history.csv")
    with pytest.raises(rm.InvalidParameterError):
        kind(f).fit(late.reset_index(drop=True), rm.DAY)


@each
def test_factors_with_few_rows_in_common_are_named(kind):
    f = monotone()
    f.iloc[:-4, 2] = np.nan
    with pytest.raises(rm.EstimationError) as error:
        kind().fit(f, rm.DAY)
    assert "F2" in error.value.details["factors"]
    assert error.value.details["rows"] == 4


@each
def test_estimators_keep_a_history_of_their_own(kind):
    f = monotone()
    estimator = kind(f)
    f.iloc[0, 0] = 9.0
    assert estimator.history.iloc[0, 0] < 1.0
    assert pickle.loads(pickle.dumps(estimator)).history.equals(estimator.history)
    assert kind().history is None


def test_regimes_need_factor_returns_without_gaps_but_may_have_a_history():
    f = monotone()
    with pytest.raises(rm.EstimationError):
        rm.RegimeAdjusted(rm.Stambaugh(), rm.MONTH).fit(f, rm.DAY)
    adjusted = rm.RegimeAdjusted(rm.Stambaugh(f), rm.MONTH).fit(f.iloc[120:], rm.DAY)
    ratio = adjusted / rm.Stambaugh().fit(f, rm.DAY)
    near(ratio, ratio.iloc[0, 0])
