"""OLS against statsmodels, against the naive formula, and in its in-sample identities."""

import numpy as np
import pytest
from linearmodels.asset_pricing import TradedFactorModel
from panels import HARD, ORDINARY, clean, nearly_collinear, panel_of, ragged, reference

import riskmodel as rm

CASES = [pytest.param(make, 1e-11, id=name) for name, make in ORDINARY.items()]
CASES += [pytest.param(make, 1e-9, id=name) for name, make in HARD.items()]


@pytest.mark.parametrize(("make", "tolerance"), CASES)
class TestAgainstStatsmodels:
    def test_estimates(self, make, tolerance):
        panel = make()
        model = rm.OLS().fit(panel)
        ours = np.column_stack([model.alpha, model.loadings])
        for i, fit in enumerate(reference(panel).values()):
            assert (np.abs(ours[i] - fit.params) <= tolerance * (np.abs(fit.params) + fit.bse)).all()

    def test_standard_errors(self, make, tolerance):
        panel = make()
        model = rm.OLS().fit(panel)
        theirs = [fit.bse for fit in reference(panel).values()]
        np.testing.assert_allclose(model.regression.std_errors, theirs, rtol=tolerance)

    def test_residual_variances(self, make, tolerance):
        panel = make()
        model = rm.OLS().fit(panel)
        fits = reference(panel).values()
        np.testing.assert_allclose(model.regression.unbiased_idio_variance, [f.mse_resid for f in fits], rtol=tolerance)
        np.testing.assert_allclose(model.idio_variance, [f.ssr / (f.nobs - 1) for f in fits], rtol=tolerance)

    def test_rsquared_and_counts(self, make, tolerance):
        panel = make()
        model = rm.OLS().fit(panel)
        fits = reference(panel).values()
        np.testing.assert_allclose(1 - model.regression.rsquared, [1 - f.rsquared for f in fits], rtol=1e-6, atol=1e-14)
        assert model.regression.n_observations.tolist() == [f.nobs for f in fits]

    def test_tvalues(self, make, tolerance):
        panel = make()
        model = rm.OLS().fit(panel)
        theirs = np.array([fit.tvalues for fit in reference(panel).values()])
        assert (np.abs(model.regression.tvalues - theirs) <= 2 * tolerance * (np.abs(theirs) + 1)).all().all()

    def test_residuals_are_orthogonal_to_the_factors(self, make, tolerance):
        panel = make()
        model = rm.OLS().fit(panel)
        for asset, column in model.residuals(panel).items():
            e = column.dropna()
            x = panel.factor_returns.loc[e.index]
            # rounding is relative to what was subtracted, which nearly collinear factors make large
            size = np.linalg.norm(
                panel.excess_returns[asset].dropna().abs() + x.abs() @ model.loadings.loc[asset].abs()
            )
            x = x - x.mean()
            assert abs(e.sum()) <= 1e-12 * size * np.sqrt(len(e))
            assert (np.abs(x.T @ e) <= 1e-12 * np.linalg.norm(x, axis=0) * size).all()


def test_agrees_with_linearmodels_on_real_portfolios():
    data = rm.SampleData(rm.MONTH)
    panel = data.panel(data.assets, data.factors)
    model = rm.OLS().fit(panel)
    theirs = TradedFactorModel(panel.excess_returns, panel.factor_returns).fit()
    np.testing.assert_allclose(model.loadings, theirs.betas, rtol=1e-10)
    np.testing.assert_allclose(model.alpha, theirs.alphas, rtol=1e-9, atol=1e-14)


def test_total_variance_is_factor_plus_idio_exactly():
    panel = clean()
    model = rm.OLS().fit(panel)
    sample = panel.excess_returns.var(ddof=1)
    np.testing.assert_allclose(model.covariance.diagonal(), sample, rtol=1e-12)
    np.testing.assert_allclose(model.regression.total_variance, sample, rtol=1e-12)
    np.testing.assert_allclose(model.factor_covariance, panel.factor_returns.cov(), rtol=1e-12)
    np.testing.assert_allclose(model.factor_mean, panel.factor_returns.mean(), rtol=1e-12)


def test_factor_moments_use_all_dates_and_assets_their_own():
    panel = ragged()
    model = rm.OLS().fit(panel)
    np.testing.assert_allclose(model.factor_covariance, panel.factor_returns.cov(), rtol=1e-12)
    np.testing.assert_allclose(model.regression.total_variance, panel.excess_returns.var(ddof=1), rtol=1e-12)


def test_no_factors_leaves_means_and_variances():
    full = clean()
    panel = full.select(factors=[])
    model = rm.OLS().fit(panel)
    np.testing.assert_allclose(model.alpha, panel.excess_returns.mean(), rtol=1e-11)
    np.testing.assert_allclose(model.idio_variance, panel.excess_returns.var(), rtol=1e-12)
    np.testing.assert_allclose(model.regression.std_errors["alpha"], panel.excess_returns.sem(), rtol=1e-11)
    assert model.loadings.shape == (12, 0)


def test_a_factor_is_perfectly_explained_by_itself():
    data = rm.SampleData()
    model = rm.OLS().fit(data.panel(["SPX", "KO"], ["Mkt-RF"]))
    assert model.loadings.loc["SPX", "Mkt-RF"] == pytest.approx(1.0, rel=1e-13)
    assert model.idio_variance["SPX"] < 1e-28
    assert abs(model.alpha["SPX"]) < 1e-16


def test_an_asset_that_never_moves_has_no_rsquared():
    full = clean(n=2)
    r, f, _ = full.arrays()
    model = rm.OLS().fit(panel_of(np.column_stack([r[:, 0], np.zeros(len(r))]), f))
    assert np.isnan(model.regression.rsquared["A1"])
    assert model.idio_variance["A1"] == 0
    assert (model.loadings.loc["A1"] == 0).all()


def test_the_same_at_one_asset_as_at_many():
    panel = ragged()
    many = rm.OLS().fit(panel)
    for asset in ("A0", "A5", "A15"):
        one = rm.OLS().fit(panel.select([asset]))
        np.testing.assert_allclose(one.loadings.loc[asset], many.loadings.loc[asset], rtol=1e-10)
        np.testing.assert_allclose(
            one.regression.std_errors.loc[asset], many.regression.std_errors.loc[asset], rtol=1e-10
        )


class TestErrors:
    def test_constant_factor_is_named(self):
        r, f, _ = clean(k=2).arrays()
        f = f.copy()
        f[:, 1] = 0.003
        with pytest.raises(rm.ConstantFactorError, match="F1"):
            rm.OLS().fit(panel_of(r, f))

    def test_constant_factor_of_zeros_is_named(self):
        r, f, _ = clean(k=2).arrays()
        with pytest.raises(rm.ConstantFactorError, match="F0"):
            rm.OLS().fit(panel_of(r, f * [0.0, 1.0]))

    def test_collinear_factors_are_named_and_the_innocent_are_not(self):
        r, f, _ = clean(k=4).arrays()
        f = f.copy()
        f[:, 3] = 2 * f[:, 0] - f[:, 1]
        with pytest.raises(rm.CollinearFactorsError) as caught:
            rm.OLS().fit(panel_of(r, f))
        assert caught.value.details["factors"] == ["F0", "F1", "F3"]

    def test_collinear_factors_of_different_scale_are_named(self):
        r, f, _ = clean(k=3).arrays()
        f = np.column_stack([f, 1e-3 * f[:, 2]])
        with pytest.raises(rm.CollinearFactorsError) as caught:
            rm.OLS().fit(panel_of(r, f))
        assert caught.value.details["factors"] == ["F2", "F3"]

    def test_nearly_collinear_factors_pass(self):
        rm.OLS().fit(nearly_collinear(condition=1e7))

    def test_too_few_observations_name_the_assets(self):
        r, f, _ = clean(k=3).arrays()
        r = r.copy()
        r[4:, 2] = np.nan
        with pytest.raises(rm.TooFewObservationsError, match="4 for A2") as caught:
            rm.OLS().fit(panel_of(r, f))
        assert caught.value.details["counts"] == {"A2": 4}

    def test_one_more_observation_than_that_suffices(self):
        r, f, _ = clean(k=3).arrays()
        r = r.copy()
        r[5:, 2] = np.nan
        panel = panel_of(r, f)
        model = rm.OLS().fit(panel)
        fit = reference(panel)["A2"]
        np.testing.assert_allclose(model.regression.std_errors.loc["A2"], fit.bse, rtol=1e-9)

    @pytest.mark.parametrize("k", range(7))
    def test_weights_do_not_make_as_many_own_dates_as_parameters_enough(self, k):
        # the effective number of equally weighted dates may exceed their count by rounding
        r, f, _ = clean(t=60, n=3, k=max(k, 1)).arrays()
        for weight in (0.064321608, 0.083417085, 0.15979899497487438, 0.23618090452261303, 0.4032663316582914, 1.0):
            for own, enough in ((k + 1, False), (k + 2, True)):
                some = r.copy()
                some[own:, 1] = np.nan
                panel = panel_of(some, f).select(factors=[f"F{i}" for i in range(k)])
                moments = rm.Moments.of(panel, np.full(60, weight))
                if enough:
                    assert rm.OLS().estimate(moments).regression.n_observations["A1"] == pytest.approx(own, rel=1e-12)
                    continue
                with pytest.raises(rm.TooFewObservationsError) as caught:
                    rm.OLS().estimate(moments)
                assert caught.value.details["counts"] == {"A1": own}
                assert caught.value.details["minimum"] == k + 2

    def test_effective_dates_are_judged_as_well_as_their_count(self):
        r, f, _ = clean(t=60, n=3, k=1).arrays()
        r = r.copy()
        r[5:, 1] = np.nan
        weights = np.ones(60)
        for light, enough in ((1e-2, False), (0.4, True)):
            weights[1:5] = light
            moments = rm.Moments.of(panel_of(r, f), weights)
            if enough:
                assert rm.OLS().estimate(moments).regression.n_observations["A1"] > 2
                continue
            with pytest.raises(rm.TooFewObservationsError) as caught:
                rm.OLS().estimate(moments)
            assert list(caught.value.details["assets"]) == ["A1"]

    @pytest.mark.parametrize("size", [1e-2, 1e-5, 1e-8])
    def test_factors_that_hardly_move_over_an_assets_dates_are_judged_by_that(self, size):
        def panel(second):
            r, f, _ = clean(k=2, n=4).arrays()
            r, f = r.copy(), f.copy()
            noise = np.random.default_rng(5).normal(0, 0.01, 40)
            f[:40, 1] = second(f[:40])
            f[:40] *= size
            r[:40, 0] = f[:40] @ [1.2, -0.7] + size * noise
            r[40:, 0] = np.nan
            return panel_of(r, f)

        independent = panel(lambda f: f[:, 1])
        model, fit = rm.OLS().fit(independent), reference(independent)["A0"]
        assert (np.abs(model.loadings.loc["A0"] - fit.params[1:]) <= 1e-6 * fit.bse[1:]).all()
        np.testing.assert_allclose(model.regression.std_errors.loc["A0"], fit.bse, rtol=1e-6)
        # correlated to 1e-14 there, and independent elsewhere
        with pytest.raises(rm.CollinearFactorsError) as caught:
            rm.OLS().fit(panel(lambda f: f[:, 0] + 1e-7 * f[:, 1]))
        assert caught.value.details["assets"] == ["A0"]

    def test_an_asset_over_whose_dates_a_factor_is_constant_is_named(self):
        r, f, _ = clean(k=2).arrays()
        r, f = r.copy(), f.copy()
        f[:30, 1] = 0.0
        r[30:, 4] = np.nan
        with pytest.raises(rm.CollinearFactorsError, match="A4") as caught:
            rm.OLS().fit(panel_of(r, f))
        assert caught.value.details["assets"] == ["A4"]

    def test_each_is_a_value_error_of_the_tree(self):
        for error in (rm.ConstantFactorError, rm.CollinearFactorsError, rm.TooFewObservationsError):
            assert issubclass(error, rm.RiskModelError)
            assert issubclass(error, ValueError)


def test_fitting_changes_nothing_that_was_passed():
    panel = ragged()
    before = [a.copy() for a in panel.arrays()]
    rm.OLS().fit(panel)
    for was, now in zip(before, panel.arrays(), strict=True):
        np.testing.assert_array_equal(was, now)


def test_summary_is_statsmodels_own():
    panel = ragged()
    model = rm.OLS().fit(panel)
    text = str(model.summary("A4", panel))
    fit = reference(panel)["A4"]
    for name in ("alpha", "F0", "F1", "F2", "R-squared", "F-statistic", "Durbin-Watson", "Jarque-Bera", "Cond. No."):
        assert name in text
    row = next(line for line in text.splitlines() if line.startswith("F1"))
    assert float(row.split()[1]) == pytest.approx(fit.params[2], abs=5e-5)
    assert float(row.split()[1]) == pytest.approx(model.loadings.loc["A4", "F1"], abs=5e-5)
    assert float(row.split()[2]) == pytest.approx(model.regression.std_errors.loc["A4", "F1"], abs=5e-4)


@pytest.mark.parametrize("estimator", [rm.OLS(), rm.EWMA(half_life=rm.MONTH)], ids=["OLS", "EWMA"])
@pytest.mark.parametrize("k", [0, 1, 3])
def test_alpha_is_first_in_a_summary_however_many_factors(estimator, k):
    panel = ragged().select(factors=[f"F{i}" for i in range(k)])
    model = estimator.fit(panel)
    table = model.summary("A4", panel).tables[1].data
    assert [row[0].strip() for row in table[1:]] == ["alpha", *(f"F{i}" for i in range(k))]
    estimates = [model.alpha["A4"], *model.loadings.loc["A4"]]
    errors = model.regression.std_errors.loc["A4"]
    np.testing.assert_allclose([float(row[1]) for row in table[1:]], estimates, atol=6e-5)
    np.testing.assert_allclose([float(row[2]) for row in table[1:]], errors, atol=6e-4)
    assert [float(row[3]) for row in table[1:]] == pytest.approx(list(estimates / errors), abs=6e-4, rel=6e-4)
