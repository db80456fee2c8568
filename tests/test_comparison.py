"""Is one factor enough? The residual correlations and the tests of dependence."""

from __future__ import annotations

import math

import attrs
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.datasets import grunfeld

import riskmodel as rm

Comparison = rm.CovarianceComparison


def panel_of(returns, factors):
    t, k = factors.shape
    return rm.ReturnPanel(
        dates=pd.bdate_range("2010-01-01", periods=t), assets=list(returns.columns),
        factors=[f"F{j}" for j in range(k)],
        excess_returns=returns.to_numpy(), factor_returns=factors, risk_free=np.zeros(t),
        horizon=rm.DAY, definitions=[f"F{j}" for j in range(k)],
        dropped=pd.DataFrame({"date": pd.DatetimeIndex([]), "reason": []}),
    )  # fmt: skip


def of_residuals(residuals):
    """The comparison whose residuals are these: a model that explains nothing."""
    n = residuals.shape[1]
    model = rm.FactorModel.from_parameters(
        assets=list(residuals.columns), factors=[], alpha=np.zeros(n), loadings=np.zeros((n, 0)), factor_mean=[],
        factor_covariance=np.zeros((0, 0)), idio_variance=np.ones(n), horizon=rm.DAY,
    )  # fmt: skip
    return Comparison.of(model, panel_of(residuals, np.zeros((len(residuals), 0))))


def ragged_panel(seed=0, t=60, n=7):
    rng = np.random.default_rng(seed)
    f = rng.normal(0, 0.01, (t, 1))
    common = rng.normal(0, 0.01, t)
    r = f * rng.normal(1, 0.3, n) + np.outer(common, rng.normal(0, 0.5, n)) + rng.normal(0, 0.01, (t, n)) + 0.003
    r[rng.random((t, n)) < 0.25] = np.nan
    r[:40, 0] = np.nan
    r[30:, 1] = np.nan
    return panel_of(pd.DataFrame(r, columns=list("ABCDEFG")[:n]), f)


def naive(residuals):
    """ρ, T, CD and LM by a double loop over pairs."""
    values, n = residuals.to_numpy(), residuals.shape[1]
    rho, dates = np.full((n, n), np.nan), np.zeros((n, n), int)
    cd = lm = pairs = 0
    for i in range(n):
        for j in range(n):
            both = ~np.isnan(values[:, i]) & ~np.isnan(values[:, j])
            dates[i, j] = both.sum()
            if both.sum() < 3:
                continue
            rho[i, j] = np.corrcoef(values[both, i], values[both, j])[0, 1]
            if i < j:
                pairs += 1
                cd += math.sqrt(both.sum()) * rho[i, j]
                lm += both.sum() * rho[i, j] ** 2
    return rho, dates, cd / math.sqrt(pairs), lm, pairs


class TestAgainstTheNaiveLoop:
    @pytest.fixture
    def panel(self):
        return ragged_panel()

    @pytest.fixture
    def model(self, panel):
        return rm.OLS().fit(panel)

    def test_correlations_and_dates_of_ragged_residuals(self, panel, model):
        got, (rho, dates, *_) = Comparison.of(model, panel), naive(model.residuals(panel))
        assert dates[0, 1] == 0
        assert got.residual_correlation.to_numpy() == pytest.approx(rho, abs=1e-13, nan_ok=True)
        assert (got.common_dates.to_numpy() == dates).all()
        assert list(got.residual_correlation.index) == list(model.assets)

    def test_statistics(self, panel, model):
        got, (*_, cd, lm, pairs) = Comparison.of(model, panel), naive(model.residuals(panel))
        assert pairs == 20
        assert got.pesaran_cd().statistic == pytest.approx(cd, rel=1e-12)
        assert got.pesaran_cd().pvalue == pytest.approx(2 * stats.norm.sf(abs(cd)), rel=1e-12)
        assert got.breusch_pagan().statistic == pytest.approx(lm, rel=1e-12)
        assert got.breusch_pagan().pvalue == pytest.approx(stats.chi2.sf(lm, pairs), rel=1e-12)

    def test_sample_covariance_is_that_of_pandas(self, panel, model):
        expected = panel.excess_returns.cov()
        assert Comparison.of(model, panel).sample.to_numpy() == pytest.approx(
            expected.to_numpy(), rel=1e-11, nan_ok=True
        )

    def test_largest_by_name(self, panel, model):
        got = Comparison.of(model, panel)
        rho = got.residual_correlation
        pairs = {(a, b): rho.loc[a, b] for i, a in enumerate(rho) for b in list(rho)[i + 1 :] if rho.notna().loc[a, b]}
        expected = sorted(pairs.items(), key=lambda p: -abs(p[1]))
        assert got.largest(4).to_dict() == dict(expected[:4])
        assert len(got.largest(1000)) == len(pairs) == 20

    def test_parameters_and_relative_error(self, panel, model):
        got = Comparison.of(model, panel)
        assert (got.n_parameters, got.n_parameters_unrestricted) == (15, 28)
        apart = (model.covariance.to_dense() - panel.excess_returns.cov()).fillna(0.0)
        assert got.relative_error == pytest.approx(
            math.sqrt((apart**2).sum().sum() / (panel.excess_returns.cov() ** 2).sum().sum()), rel=1e-9
        )
        assert repr(got).startswith("<CovarianceComparison of 7 assets: 15 parameters against 28, ")


class TestPublishedNumbers:
    """Of R's plm on Grunfeld's ten firms: pcdtest(value ~ 1) and pcdtest(inv ~ value + capital)."""

    @pytest.fixture
    def firms(self):
        data = grunfeld.load_pandas().data
        return data[data["firm"] != "American Steel"]

    def test_of_a_regression_on_a_constant(self, firms):
        values = pd.DataFrame({name: firm["value"].to_numpy() for name, firm in firms.groupby("firm")})
        test = of_residuals(values).pesaran_cd()
        assert round(test.statistic, 3) == 13.843
        assert test.pvalue < 2.2e-16

    def test_of_a_regression_for_each_firm(self, firms):
        residuals = {}
        for name, firm in firms.groupby("firm"):
            design = np.column_stack([np.ones(len(firm)), firm["value"], firm["capital"]])
            residuals[name] = (
                firm["invest"].to_numpy() - design @ np.linalg.lstsq(design, firm["invest"], rcond=None)[0]
            )
        test = of_residuals(pd.DataFrame(residuals)).pesaran_cd()
        assert round(test.statistic, 4) == 5.3401
        assert test.pvalue == pytest.approx(9.292e-08, abs=5e-12)


class TestSizeAndPower:
    def rejections(self, loading, runs=200, t=250, n=10):
        rng = np.random.default_rng(0)
        found = np.zeros(2)
        for _ in range(runs):
            e = rng.normal(size=(t, n)) + loading * rng.normal(size=(t, 1))
            got = of_residuals(pd.DataFrame(e, columns=[f"A{i}" for i in range(n)]))
            found += [got.pesaran_cd().pvalue < 0.05, got.breusch_pagan().pvalue < 0.05]
        return found / runs

    def test_independent_residuals_are_rejected_as_often_as_the_level_says(self):
        cd, lm = self.rejections(0.0)
        assert 0.02 < cd < 0.09
        assert 0.02 < lm < 0.09

    def test_a_missing_factor_is_found(self):
        assert (self.rejections(0.3, runs=50) > 0.95).all()


def test_one_factor_is_not_enough_for_two_oil_companies():
    data = rm.SampleData()
    panel = data.panel(["XOM", "CVX", "KO", "PEP"], ["Mkt-RF"])
    got = Comparison.of(rm.OLS().fit(panel), panel)
    assert got.largest(1).index[0] == ("XOM", "CVX")
    assert got.pesaran_cd().pvalue < 0.01
    assert got.breusch_pagan().pvalue < 1e-10


def test_an_asset_that_is_the_factor_has_no_residual_to_correlate():
    panel = rm.SampleData().panel(["MSFT", "SPX", "KO"], ["Mkt-RF"])
    got = Comparison.of(rm.OLS().fit(panel), panel)
    assert got.residual_correlation["SPX"].isna().all()
    assert list(got.largest().index) == [("MSFT", "KO")]
    assert np.isfinite(got.breusch_pagan().statistic)


def test_a_mean_far_from_zero_costs_no_digits():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(100, 3))
    near = of_residuals(pd.DataFrame(noise, columns=list("ABC")))
    far = of_residuals(pd.DataFrame(1e6 + noise, columns=list("ABC")))
    assert far.residual_correlation.to_numpy() == pytest.approx(near.residual_correlation.to_numpy(), abs=1e-8)


def test_pairs_that_never_meet_leave_nothing_to_test():
    gap = pd.DataFrame({"A": [0.01, 0.02, -0.01, np.nan, np.nan, np.nan], "B": [np.nan] * 3 + [0.01, 0.0, 0.02]})
    got = of_residuals(gap)
    assert got.common_dates.loc["A", "B"] == 0
    assert got.largest().empty
    for test in (got.pesaran_cd, got.breusch_pagan):
        with pytest.raises(rm.InvalidParameterError, match="three common dates"):
            test()


def test_it_takes_two_assets_and_not_too_many():
    panel = ragged_panel()
    model = rm.OLS().fit(panel)
    with pytest.raises(rm.InvalidParameterError, match="two assets"):
        Comparison.of(model.restrict(["A"]), panel)
    with pytest.raises(rm.TooLargeError, match="limit=7") as caught:
        Comparison.of(model, panel, limit=6)
    assert caught.value.details == {"n_assets": 7, "limit": 6}


def test_a_panel_of_another_horizon_is_refused():
    panel = ragged_panel()
    with pytest.raises(rm.HorizonMismatchError):
        Comparison.of(rm.OLS().fit(panel).at(rm.YEAR), panel)


def test_some_assets_of_a_larger_panel():
    panel = ragged_panel()
    model = rm.OLS().fit(panel)
    whole, part = Comparison.of(model, panel), Comparison.of(model.restrict(["E", "C"]), panel)
    assert part.residual_correlation.loc["E", "C"] == pytest.approx(whole.residual_correlation.loc["C", "E"], rel=1e-12)


# -- a model that weights dates --------------------------------------------------------------------


def changing(seed=0, t=1_000):
    """Two assets with a common residual until three in ten dates before the end, and none since."""
    rng = np.random.default_rng(seed)
    days, f = pd.bdate_range("2015-01-01", periods=t), rng.normal(0, 0.01, t)
    common = rng.normal(0, 0.01, t) * (np.arange(t) < 0.7 * t)
    returns = pd.DataFrame({a: f + common + rng.normal(0, 0.005, t) for a in "AB"}, days)
    market = pd.Series(f, days, name="Mkt-RF")
    return rm.InMemory(returns, factors=market, risk_free=0.0, horizon=rm.DAY).panel(["A", "B"], ["Mkt-RF"])


def weighted_by_hand(columns, weights):
    """Covariance with n/(n - 1), correlation and n of two columns on their common dates."""
    both = ~np.isnan(columns).any(axis=1)
    x, w = columns[both], weights[both] / weights[both].sum()
    centred = x - w @ x
    n = 1.0 / (w @ w)
    cross = (centred * w[:, None]).T @ centred
    return cross * n / (n - 1), cross[0, 1] / np.sqrt(cross[0, 0] * cross[1, 1]), n


def test_a_comparison_of_a_weighted_model_uses_its_weights():
    panel = changing()
    model = rm.EWMA(rm.MONTH).fit(panel)
    weights = 0.5 ** (np.arange(999, -1, -1) / 21)
    got = Comparison.of(model, panel)
    sample, _, _ = weighted_by_hand(panel.excess_returns.to_numpy(), weights)
    _, rho, n = weighted_by_hand(model.residuals(panel).to_numpy(), weights)
    assert got.residual_correlation.loc["A", "B"] == pytest.approx(rho, rel=1e-9)
    assert abs(rho) < 0.1 < Comparison.of(rm.OLS().fit(panel), panel).residual_correlation.loc["A", "B"]
    assert got.common_dates.loc["A", "B"] == pytest.approx(n)
    np.testing.assert_allclose(got.sample, sample, rtol=1e-10)
    # the model's diagonal is that of the sample, with the weights of both
    np.testing.assert_allclose(np.diag(got.model), np.diag(got.sample), rtol=1e-10)
    assert got.pesaran_cd().statistic == pytest.approx(np.sqrt(n) * rho, rel=1e-9)
    assert got.breusch_pagan().statistic == pytest.approx(n * rho**2, rel=1e-9)


def test_a_comparison_of_a_weighted_model_of_a_ragged_panel():
    whole = changing()
    returns = whole.excess_returns.to_numpy(copy=True)
    returns[-40:, 0], returns[100:130, 1], returns[-400:-380, 1] = np.nan, np.nan, np.nan
    panel = attrs.evolve(whole, excess_returns=returns)
    model = rm.EWMA(rm.QUARTER).fit(panel)
    weights = 0.5 ** (np.arange(999, -1, -1) / 63)
    got = Comparison.of(model, panel)
    sample, _, n = weighted_by_hand(returns, weights)
    _, rho, _ = weighted_by_hand(model.residuals(panel).to_numpy(), weights)
    assert got.sample.loc["A", "B"] == pytest.approx(sample[0, 1], rel=1e-9)
    assert got.residual_correlation.loc["A", "B"] == pytest.approx(rho, rel=1e-9)
    assert got.common_dates.loc["B", "A"] == pytest.approx(n)
