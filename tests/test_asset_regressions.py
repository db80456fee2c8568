"""Robust, penalised and bounded regressions against statsmodels, scikit-learn, scipy and simulated truth."""

import builtins
import pickle
from itertools import pairwise

import attrs
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from panels import clean, panel_of, ragged
from scipy.optimize import nnls

import riskmodel as rm
from riskmodel.testing.estimators import EstimatorContract

ALL = {
    "Huber": rm.Huber(),
    "Huber weighted": rm.Huber(half_life=rm.QUARTER),
    "Ridge": rm.Ridge(penalty=0.1),
    "Ridge chosen": rm.Ridge(penalty=rm.CrossValidated(3), half_life=rm.QUARTER),
    "Lasso": rm.Lasso(penalty=0.05),
    "Lasso chosen": rm.Lasso(penalty=rm.CrossValidated(3, [0.3, 0.1, 0.01])),
    "Bounded": rm.Bounded(lower=0.5, upper={"F1": 1.0}),
}
each = pytest.mark.parametrize("estimator", ALL.values(), ids=list(ALL))


def near(got, expected, rtol=1e-7, atol=0.0):
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rtol, atol=atol)


class _OnSample:
    explains_sample_variance = False

    def panel(self):
        return rm.SampleData().panel(["KO", "XOM", "JPM"], ["Mkt-RF"], start="2018-07-02")


class TestHuber(_OnSample, EstimatorContract):
    def estimator(self):
        return rm.Huber(half_life=rm.QUARTER)


class TestBounded(_OnSample, EstimatorContract):
    def estimator(self):
        return rm.Assembled(rm.TimeSeries(rm.Bounded(upper=0.9)), rm.SampleCovariance(), rm.SampleVariance())


class TestRidge(_OnSample, EstimatorContract):
    def estimator(self):
        return rm.Assembled(rm.TimeSeries(rm.Ridge()), rm.SampleCovariance(), rm.SampleVariance())


class TestLasso(_OnSample, EstimatorContract):
    def estimator(self):
        return rm.Assembled(rm.TimeSeries(rm.Lasso(penalty=0.1)), rm.SampleCovariance(), rm.SampleVariance())


# -- all -----------------------------------------------------------------------------------------------


def least_squares():
    return {
        "Huber": rm.Huber(threshold=1e6),
        "Ridge": rm.Ridge(penalty=0.0),
        "Lasso": rm.Lasso(penalty=0.0),
        "Bounded": rm.Bounded(),
    }


@pytest.mark.parametrize("name", list(least_squares()))
@pytest.mark.parametrize("half_life", [None, rm.QUARTER], ids=["equal", "weighted"])
def test_without_effect_they_are_least_squares(name, half_life):
    panel = ragged()
    estimator = attrs.evolve(least_squares()[name], half_life=half_life)
    got = estimator.fit(panel)
    expected = (rm.OLS() if half_life is None else rm.EWMA(half_life)).fit(panel)
    for figure in ("alpha", "loadings", "factor_mean", "factor_covariance", "idio_variance"):
        near(getattr(got, figure), getattr(expected, figure), rtol=1e-6, atol=1e-12)
    fitted, plain = rm.TimeSeries(estimator).fit(panel), rm.TimeSeries(rm.OLS()).fit(panel)
    near(fitted.loadings, got.loadings)
    near(fitted.weights, plain.weights if half_life is None else rm.EWMA(half_life).weights(panel))


@each
def test_mean_residuals_are_zero_and_there_is_no_regression(estimator):
    panel = ragged()
    fitted = rm.TimeSeries(estimator).fit(panel)
    observed = fitted.residuals.notna().mul(fitted.weights, axis=0)
    means = (fitted.residuals.mul(fitted.weights, axis=0)).sum() / observed.sum()
    assert means.abs().max() < 1e-15
    assert fitted.regression is None
    near(estimator.fit(panel).loadings, fitted.loadings)


@each
@pytest.mark.parametrize("scale", [1e-4, 30.0])
def test_loadings_do_not_depend_on_the_unit_of_returns(estimator, scale):
    panel = clean()
    r, f, _ = panel.arrays()
    expected = estimator.fit(panel)
    got = estimator.fit(attrs.evolve(panel, excess_returns=scale * r, factor_returns=scale * f))
    near(got.loadings, expected.loadings, rtol=1e-5, atol=1e-8)


@each
def test_assets_are_estimated_one_by_one(estimator):
    panel = ragged()
    near(estimator.fit(panel.select(["A5", "A2"])).loadings, estimator.fit(panel).loadings.loc[["A5", "A2"]])


@each
def test_estimators_are_frozen_and_pickled(estimator):
    panel = clean(n=3)
    near(pickle.loads(pickle.dumps(estimator)).fit(panel).loadings, estimator.fit(panel).loadings, rtol=0)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        estimator.half_life = rm.YEAR


@each
def test_short_assets_constant_factors_and_panels_without_factors_are_named(estimator):
    panel = clean()
    r, f, _ = (a.copy() for a in panel.arrays())
    r[:-2, [1, 4]] = np.nan
    with pytest.raises(rm.TooFewObservationsError) as error:
        estimator.fit(attrs.evolve(panel, excess_returns=r))
    assert error.value.details["assets"] == ["A1", "A4"]
    f[:, 1] = 0.001
    with pytest.raises(rm.ConstantFactorError) as error:
        estimator.fit(attrs.evolve(panel, factor_returns=f))
    assert error.value.details["factors"] == ["F1"]
    with pytest.raises(rm.EstimationError):
        estimator.fit(panel.select(factors=[]))


# -- Huber ---------------------------------------------------------------------------------------------


def test_huber_is_that_of_statsmodels():
    panel = ragged()
    got = rm.Huber().fit(panel)
    for asset in panel.assets:
        r = panel.excess_returns[asset].dropna()
        x = sm.add_constant(panel.factor_returns.loc[r.index].to_numpy())
        expected = sm.RLM(r.to_numpy(), x, M=sm.robust.norms.HuberT()).fit(maxiter=500, tol=1e-10)
        near(got.loadings.loc[asset], expected.params[1:], rtol=1e-4, atol=1e-6)


def test_huber_is_nearer_to_the_truth_with_days_of_news():
    rng = np.random.default_rng(0)
    beta = rng.normal(1.0, 0.3, 60)
    market = rng.normal(0, 0.01, (250, 1))
    returns = market * beta + rng.standard_t(3.0, (250, 60)) * 0.007
    panel = panel_of(returns, market)

    def error(estimator):
        return float(((estimator.fit(panel).loadings.iloc[:, 0] - beta) ** 2).mean())

    assert error(rm.Huber()) < 0.7 * error(rm.OLS())


def test_huber_finds_loadings_that_explain_all():
    rng = np.random.default_rng(0)
    f = rng.normal(0, 0.01, (100, 2))
    b = rng.normal(1, 0.3, (3, 2))
    near(rm.Huber().fit(panel_of(f @ b.T, f)).loadings, b, rtol=1e-9)


# -- penalties -----------------------------------------------------------------------------------------


def standard(panel, asset):
    r = panel.excess_returns[asset].dropna()
    f = panel.factor_returns.loc[r.index]
    return ((f - f.mean()) / f.std(ddof=0)).to_numpy(), ((r - r.mean()) / r.std(ddof=0)).to_numpy(), r, f


@pytest.mark.parametrize("kind", ["Ridge", "Lasso"])
def test_penalised_regressions_are_those_of_scikit_learn_in_standard_units(kind):
    linear = pytest.importorskip("sklearn.linear_model")
    panel = ragged()
    estimator = getattr(rm, kind)(penalty=0.08)
    got = estimator.fit(panel).loadings
    for asset in panel.assets:
        x, y, r, f = standard(panel, asset)
        alpha = 0.08 * len(y) if kind == "Ridge" else 0.08
        expected = getattr(linear, kind)(alpha=alpha, tol=1e-12).fit(x, y).coef_ * r.std(ddof=0) / f.std(ddof=0)
        near(got.loc[asset], expected, rtol=1e-5, atol=1e-7)


def test_large_penalties_leave_no_loading():
    panel = clean()
    assert (rm.Lasso(penalty=1.0).fit(panel).loadings == 0).all(axis=None)
    assert rm.Ridge(penalty=1e8).fit(panel).loadings.abs().max(axis=None) < 1e-6


@pytest.mark.parametrize("kind", [rm.Ridge, rm.Lasso])
def test_cross_validation_takes_the_penalty_of_the_least_errors_on_later_dates(kind):
    panel = clean(t=97, n=4, k=3)
    penalties = [0.5, 0.1, 0.02, 0.001]
    chosen = kind(penalty=rm.CrossValidated(4, penalties)).fit(panel).loadings
    cuts = np.linspace(0, 97, 6).round().astype(int)
    for asset in panel.assets:
        errors = []
        for penalty in penalties:
            total = 0.0
            for start, stop in pairwise(cuts[1:]):
                model = kind(penalty=penalty).fit(panel.select(asset, end=panel.dates[start - 1]))
                late = panel.select(asset, start=panel.dates[start], end=panel.dates[stop - 1])
                total += float((model.residuals(late) ** 2).sum().iloc[0])
            errors.append(total)
        best = kind(penalty=penalties[int(np.argmin(errors))]).fit(panel.select(asset)).loadings
        near(chosen.loc[asset], best.iloc[0], rtol=1e-5, atol=1e-9)


def test_more_factors_than_dates_and_collinear_ones_are_allowed():
    panel = clean(t=30, n=4, k=40)
    assert np.isfinite(rm.Ridge().fit(panel).loadings).all(axis=None)
    r, f, _ = (a.copy() for a in clean().arrays())
    f[:, 2] = f[:, 0]
    model = rm.Ridge(penalty=0.01).fit(panel_of(r, f))
    near(model.loadings["F2"], model.loadings["F0"])
    with pytest.raises(rm.CollinearFactorsError):
        rm.Huber().fit(panel_of(r, f))


def test_a_factor_that_does_not_vary_over_an_assets_dates_has_no_loading():
    r, f, _ = (a.copy() for a in clean().arrays())
    r[:200, 1] = np.nan
    f[200:, 1] = 0.001
    assert rm.Ridge(penalty=0.01).fit(panel_of(r, f)).loadings.loc["A1", "F1"] == 0


def test_without_scikit_learn_lasso_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def absent(name, *args, **kwargs):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(rm.MissingExtraError) as error:
        rm.Lasso(penalty=0.1).fit(clean(n=2))
    assert error.value.details["extra"] == "sklearn"


# -- bounds --------------------------------------------------------------------------------------------


def test_bounds_of_zero_are_non_negative_least_squares():
    panel = ragged()
    r, f, _ = panel.arrays()
    panel = panel_of(r - 1.2 * f[:, :1], f)
    got = rm.Bounded(lower=0.0).fit(panel).loadings
    assert (got.min() == 0).any()
    for asset in panel.assets:
        _, _, r, f = standard(panel, asset)
        expected, _ = nnls((f - f.mean()).to_numpy(), (r - r.mean()).to_numpy())
        near(got.loc[asset], expected, rtol=1e-6, atol=1e-9)


def test_bounds_by_factor_bind_those_alone():
    panel = clean()
    got = rm.Bounded(lower=pd.Series({"F1": 1.4}), upper={"F2": 0.4, "F1": 1.5}).fit(panel).loadings
    assert got["F1"].between(1.4, 1.5).all()
    assert (got["F2"] <= 0.4).all()
    assert got["F0"].std() > 0.1


def test_wrong_bounds_are_errors():
    panel = clean()
    with pytest.raises(rm.UnknownFactorError):
        rm.Bounded(lower={"Mkt": 0.0}).fit(panel)
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.Bounded(lower=1.0, upper={"F1": 0.5}).fit(panel)
    assert error.value.details["factors"] == ["F1"]


# -- a regression of one's own -------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Odd(rm.AssetRegression):
    answer: object = 1.0

    def slopes(self, returns, factors, weights):
        if self.answer is None and abs(returns[0]) > 0.02:
            raise rm.EstimationError("returns start with news.")
        return np.full(factors.shape[1], self.answer if self.answer is not None else 1.0)


def test_assets_that_fail_are_named_together():
    panel = clean()
    failing = list(panel.assets[panel.excess_returns.iloc[0].abs() > 0.02])
    assert 0 < len(failing) < 12
    with pytest.raises(rm.EstimationError) as error:
        Odd(answer=None).fit(panel)
    assert error.value.details["assets"] == failing
    assert list(Odd(answer=None).fit_available(panel).missing["asset"]) == failing


def test_slopes_must_be_numbers():
    with pytest.raises(rm.InvalidParameterError):
        Odd(answer=np.nan).fit(clean())


@pytest.mark.parametrize(
    "make",
    [
        lambda: rm.Huber(threshold=0.0),
        lambda: rm.Huber(threshold="1.345"),
        lambda: rm.Huber(half_life=63),
        lambda: rm.Ridge(penalty=-0.1),
        lambda: rm.Lasso(penalty="cv"),
        lambda: rm.Lasso(penalty=np.nan),
        lambda: rm.CrossValidated(folds=0),
        lambda: rm.CrossValidated(penalties=[]),
        lambda: rm.CrossValidated(penalties=[0.1, 0.0]),
        lambda: rm.CrossValidated(penalties=0.1),
        lambda: rm.Bounded(lower="0"),
        lambda: rm.Bounded(lower=np.nan),
        lambda: rm.Bounded(upper=[1.0, 2.0]),
    ],
)
def test_wrong_parameters_are_errors(make):
    with pytest.raises(rm.InvalidParameterError):
        make()
