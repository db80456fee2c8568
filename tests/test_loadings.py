"""Loadings against statsmodels and the formulas of the papers, and simulations with known betas."""

import pickle

import attrs
import numpy as np
import pandas as pd
import pytest
from panels import clean, panel_of, ragged, reference

import riskmodel as rm

OLS = rm.TimeSeries(rm.OLS())


def near(got, expected, rtol=1e-9, atol=0.0):
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rtol, atol=atol)


# -- time series ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("panel", [clean(), ragged()], ids=["clean", "ragged"])
def test_time_series_are_the_regressions_of_statsmodels(panel):
    fitted = OLS.fit(panel)
    for asset, expected in reference(panel).items():
        near(fitted.alpha[asset], expected.params[0], atol=1e-12)
        near(fitted.loadings.loc[asset], expected.params[1:], atol=1e-9)
        near(fitted.residuals[asset].dropna(), expected.resid, atol=1e-12)
    assert fitted.residuals.isna().equals(panel.excess_returns.isna())
    assert fitted.before is None


def test_weighted_regressions_have_weighted_means_of_zero():
    panel = ragged()
    fitted = rm.TimeSeries(rm.EWMA(rm.QUARTER)).fit(panel)
    observed = fitted.residuals.notna()
    means = fitted.residuals.mul(fitted.weights, axis=0).sum() / observed.mul(fitted.weights, axis=0).sum()
    assert means.abs().max() < 1e-15
    model = rm.EWMA(rm.QUARTER).fit(panel)
    near(fitted.factor_mean, model.factor_mean)
    near(fitted.loadings, model.loadings)


def test_the_parts_explain_the_returns():
    panel = ragged()
    fitted = rm.Vasicek(OLS).fit(panel)
    explained = fitted.factor_returns @ fitted.loadings.T + fitted.alpha + fitted.residuals
    near(explained, panel.excess_returns, atol=1e-14)


# -- Vasicek -------------------------------------------------------------------------------------------


def test_vasicek_is_the_papers_formula():
    panel = ragged()
    plain = {a: (r.params[1:], r.bse[1:]) for a, r in reference(panel).items()}
    betas = pd.DataFrame({a: b for a, (b, _) in plain.items()}).T
    errors = pd.DataFrame({a: e for a, (_, e) in plain.items()}).T
    prior = 1 / betas.var()
    expected = (betas / errors**2 + betas.mean() * prior) / (1 / errors**2 + prior)
    fitted = rm.Vasicek(OLS).fit(panel)
    near(fitted.loadings, expected)
    near(fitted.before.loadings, betas)
    observed_mean = fitted.residuals.mean()
    assert observed_mean.abs().max() < 1e-15  # alphas follow


def test_shrunk_betas_are_nearer_to_the_truth():
    rng = np.random.default_rng(0)
    truth = rng.normal(1.0, 0.3, 400)
    market = rng.normal(0, 0.01, (60, 1))
    returns = market * truth + rng.normal(0, 0.02, (60, 400))
    fitted = rm.Vasicek(OLS).fit(panel_of(returns, market))

    def error(b):
        return float(((b.iloc[:, 0] - truth) ** 2).mean())

    assert error(fitted.loadings) < 0.8 * error(fitted.before.loadings)


def test_vasicek_leaves_betas_of_many_rows():
    fitted = rm.Vasicek(OLS).fit(clean(t=5000))
    assert np.abs(fitted.loadings - fitted.before.loadings).max(axis=None) < 0.01


def test_exact_betas_stay():
    rng = np.random.default_rng(0)
    market = rng.normal(0, 0.01, (100, 1))
    returns = market * np.array([0.5, 1.0, 1.5])
    returns[:, 2] += rng.normal(0, 0.05, 100)
    fitted = rm.Vasicek(OLS).fit(panel_of(returns, market))
    near(fitted.loadings.iloc[:2, 0], [0.5, 1.0])
    assert fitted.loadings.iloc[2, 0] != fitted.before.loadings.iloc[2, 0]


def test_vasicek_needs_a_cross_section():
    with pytest.raises(rm.EstimationError):
        rm.Vasicek(OLS).fit(clean(n=1))


@attrs.frozen
class WithoutErrors(rm.LoadingsEstimator):
    def fit(self, panel):
        return attrs.evolve(OLS.fit(panel), regression=None)


def test_vasicek_needs_standard_errors():
    with pytest.raises(rm.NotEstimatedError):
        rm.Vasicek(WithoutErrors()).fit(clean())


# -- Blume ---------------------------------------------------------------------------------------------


def test_blume_is_a_line():
    panel = clean(k=1)
    fitted = rm.Blume(OLS, slope=0.6, intercept=0.5).fit(panel)
    near(fitted.loadings, 0.5 + 0.6 * fitted.before.loadings)
    near(
        fitted.alpha, panel.excess_returns.mean() - fitted.loadings.iloc[:, 0] * panel.factor_returns.iloc[:, 0].mean()
    )


def test_blume_adjusts_the_market_alone():
    panel = clean(k=3)
    fitted = rm.Blume(OLS, factor="F1").fit(panel)
    near(fitted.loadings["F1"], 0.343 + 0.677 * fitted.before.loadings["F1"])
    assert fitted.loadings[["F0", "F2"]].equals(fitted.before.loadings[["F0", "F2"]])
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.Blume(OLS).fit(panel)
    assert error.value.details["factors"] == ["F0", "F1", "F2"]
    with pytest.raises(rm.UnknownFactorError):
        rm.Blume(OLS, factor="Mkt").fit(panel)


def test_wrappers_without_effect_are_their_inner():
    fitted = rm.Blume(OLS, slope=1.0, intercept=0.0).fit(clean(k=1))
    assert fitted.loadings.equals(fitted.before.loadings)
    near(fitted.residuals, fitted.before.residuals, atol=1e-17)


def test_wrappers_nest():
    fitted = rm.Blume(rm.Vasicek(OLS)).fit(clean(k=1))
    assert fitted.before.before.before is None
    near(fitted.loadings, 0.343 + 0.677 * fitted.before.loadings)


# -- the value -----------------------------------------------------------------------------------------


def test_fitted_loadings_can_be_pickled_and_not_written_to():
    fitted = rm.Vasicek(OLS).fit(clean())
    again = pickle.loads(pickle.dumps(fitted))
    assert again.loadings.equals(fitted.loadings)
    assert again.before.residuals.equals(fitted.before.residuals)
    for values in (again.alpha, fitted.alpha):
        with pytest.raises(ValueError, match="read-only"):
            values.to_numpy()[0] = 1.0


def test_priors_are_remembered():
    fitted = OLS.fit(clean())
    changed = fitted.with_loadings(0 * fitted.loadings, prior=["A1"]).with_loadings(fitted.loadings, prior=["A2", "A1"])
    assert changed.prior == ("A1", "A2")
    with pytest.raises(rm.UnknownAssetError):
        fitted.with_loadings(fitted.loadings, prior=["B"])


def test_other_loadings_must_have_the_same_labels_and_shape():
    fitted = OLS.fit(clean())
    with pytest.raises(rm.InvalidParameterError):
        fitted.with_loadings(fitted.loadings.iloc[::-1])
    with pytest.raises(rm.InvalidParameterError) as error:
        fitted.with_loadings(np.ones((2, 2)))
    assert error.value.details["expected"] == (12, 3)
    with pytest.raises(rm.InvalidParameterError):
        fitted.with_loadings(fitted.loadings * np.nan)


@pytest.mark.parametrize(
    "make",
    [
        lambda: rm.TimeSeries("OLS"),
        lambda: rm.Vasicek(rm.OLS()),
        lambda: rm.Blume(rm.OLS()),
        lambda: rm.Blume(OLS, slope=np.inf),
        lambda: rm.Blume(OLS, intercept="1/3"),
    ],
)
def test_wrong_parameters_are_errors(make):
    with pytest.raises(rm.InvalidParameterError):
        make()
