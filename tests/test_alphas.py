"""Is it alpha? Joint tests against linearmodels and formulas, many p values, the track record."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import panels
import pytest
from arch.bootstrap import StepM
from linearmodels.asset_pricing import TradedFactorModel
from scipy import stats
from statsmodels.stats.multitest import multipletests

import riskmodel as rm
from riskmodel.inference.alphas import false_discovery_rates, step_down_pvalues


def alphas_of(panel, covariance, estimator=None):
    model = (estimator or rm.OLS()).fit(panel)
    return rm.Inference.of(model, panel, covariance).alphas()


@pytest.mark.parametrize("make", [panels.clean, lambda: panels.clean(k=1), lambda: panels.clean(k=9)])
class TestAgainstLinearmodels:
    @pytest.mark.parametrize("lags", [0, 1, 6])
    def test_j_and_its_alphas(self, make, lags):
        panel = make()
        theirs = TradedFactorModel(panel.excess_returns, panel.factor_returns).fit(
            cov_type="kernel", kernel="bartlett", bandwidth=lags, debiased=False
        )
        ours = alphas_of(panel, rm.HAC(lags=lags))
        assert ours.j().statistic == pytest.approx(theirs.j_statistic.stat, rel=1e-9)
        assert ours.j().pvalue == pytest.approx(theirs.j_statistic.pval, rel=1e-9)
        np.testing.assert_allclose(ours.table()["alpha"], theirs.alphas, rtol=1e-8)
        np.testing.assert_allclose(ours.table()["std_error"], theirs.std_errors["alpha"], rtol=1e-9)

    def test_risk_premia(self, make):
        panel = make()
        theirs = TradedFactorModel(panel.excess_returns, panel.factor_returns).fit(cov_type="robust", debiased=False)
        model = rm.OLS().fit(panel)
        np.testing.assert_allclose(model.factor_mean, theirs.risk_premia, rtol=1e-9)
        white = rm.Inference.of(model, panel, rm.HAC(lags=0))
        errors = [white.interval(lambda m, f=f: m.factor_mean[f], assets=["A0"]).std_error for f in model.factors]
        np.testing.assert_allclose(errors, theirs.risk_premia_se, rtol=1e-6)


class TestGRS:
    def test_is_the_formula(self):
        panel = panels.clean()
        r, f, _ = panel.arrays()
        (t, n), k = r.shape, f.shape[1]
        x = np.column_stack([np.ones(t), f])
        b = np.linalg.lstsq(x, r, rcond=None)[0]
        e = r - x @ b
        mean, omega = f.mean(axis=0), np.cov(f, rowvar=False, ddof=0)
        statistic = (
            (t - n - k) / n * (b[0] @ np.linalg.inv(e.T @ e / t) @ b[0]) / (1 + mean @ np.linalg.inv(omega) @ mean)
        )
        got = alphas_of(panel, rm.Cosine()).grs()
        assert got.statistic == pytest.approx(statistic, rel=1e-9)
        assert got.pvalue == pytest.approx(stats.f.sf(statistic, n, t - n - k))
        # which is Hotelling's of the classical covariance
        joint = alphas_of(panel, rm.Classical()).joint()
        assert joint.statistic == pytest.approx(statistic, rel=1e-9)
        assert joint.degrees == pytest.approx((n, t - n - k))
        assert got.degrees == (n, t - n - k)

    def test_needs_common_dates_and_equal_weights(self):
        for alphas in (
            alphas_of(panels.scattered(k=2), rm.HC3()),
            alphas_of(panels.clean(), rm.HC3(), rm.EWMA(half_life=rm.Horizon(60))),
            alphas_of(panels.clean(t=20, n=18, k=2), rm.HC3()),
        ):
            with pytest.raises(rm.NotEstimatedError):
                alphas.grs()


class TestJoint:
    @pytest.mark.parametrize("covariance", [rm.HC3(), rm.Cosine()], ids=repr)
    def test_size(self, covariance):
        """Rejections of what is true, at 5 %, with heavy tails and ragged assets; 150 draws are 1.8 % exact."""
        rejected = 0
        for seed in range(150):
            rng = np.random.default_rng(seed)
            f = rng.standard_t(5, (126, 2)) * 0.01
            r = f @ rng.normal(1, 0.3, (6, 2)).T + rng.standard_t(5, (126, 6)) * 0.01
            r[:40, 0] = np.nan
            alphas = alphas_of(panels_of(r, f), covariance)
            rejected += alphas.joint().pvalue < 0.05
        assert 0.005 < rejected / 150 < 0.10

    def test_power(self):
        panel = panels.clean(n=6)
        r, f, _ = panel.arrays()
        moved = panels.panel_of(r + 0.003, f)
        assert alphas_of(moved, rm.Cosine()).joint().pvalue < 1e-3

    def test_of_one_asset_it_is_the_t_test(self):
        panel = panels.clean(n=3)
        model = rm.OLS().fit(panel)
        inference = rm.Inference.of(model, panel)
        one = inference.alphas(["A1"])
        assert one.joint().pvalue == pytest.approx(one.table()["pvalue"].iloc[0])
        assert one.table()["std_error"].iloc[0] == pytest.approx(inference.std_errors().loc["A1", "alpha"])

    def test_of_too_many_assets(self):
        alphas = alphas_of(panels.clean(t=40, n=45, k=1), rm.HC3())
        with pytest.raises(rm.NotEstimatedError) as error:
            alphas.joint()
        assert error.value.details["n_assets"] == 45


def panels_of(returns, factors):
    names = [f"F{j}" for j in range(factors.shape[1])]
    return rm.ReturnPanel(
        dates=pd.bdate_range("2000-01-01", periods=len(returns)), assets=[f"A{j}" for j in range(returns.shape[1])],
        factors=names, excess_returns=returns, factor_returns=factors, risk_free=np.zeros(len(returns)),
        horizon=rm.DAY, definitions=names, dropped=pd.DataFrame({"date": [], "reason": []}),
    )  # fmt: skip


class TestManyAlphas:
    def test_false_discovery_rates_are_those_of_statsmodels(self):
        rng = np.random.default_rng(0)
        for p in (rng.random(50), rng.random(50) ** 4, np.array([0.03]), np.array([0.5, 0.5, 0.01])):
            np.testing.assert_allclose(false_discovery_rates(p), multipletests(p, method="fdr_bh")[1])

    def test_missing_ones_do_not_count(self):
        got = false_discovery_rates([0.01, np.nan, 0.04])
        np.testing.assert_allclose(got, [0.02, np.nan, 0.04])

    def test_refuses_what_is_no_probability(self):
        with pytest.raises(rm.InvalidParameterError):
            false_discovery_rates([0.1, 1.2])

    def test_the_table(self):
        panel = panels.clean()
        table = alphas_of(panel, rm.HC3()).table()
        model = rm.OLS().fit(panel)
        errors = rm.Inference.of(model, panel, rm.HC3()).std_errors()["alpha"]
        np.testing.assert_allclose(table["std_error"], errors)
        np.testing.assert_allclose(table["pvalue"], 2 * stats.t.sf(np.abs(model.alpha / errors), 300 - 4))
        assert (table["false_discovery_rate"] >= table["pvalue"] - 1e-15).all()


class TestFamilyWise:
    def test_step_down_is_that_of_the_definition(self):
        rng = np.random.default_rng(0)
        own, null = np.abs(rng.normal(0, 2, 7)), np.abs(rng.normal(0, 1, (7, 199)))
        expected, left, floor = np.empty(7), list(range(7)), 0.0
        while left:
            first = max(left, key=lambda j: own[j])
            exceeded = sum(max(null[j, b] for j in left) >= own[first] for b in range(199))
            floor = max(floor, (1 + exceeded) / 200)
            expected[first] = floor
            left.remove(first)
        np.testing.assert_allclose(step_down_pvalues(own, null), expected)

    def test_finds_the_alphas_that_arch_finds(self):
        panel = panels.clean(t=400, n=8, k=1)
        r, f, _ = (a.copy() for a in panel.arrays())
        r[:, :3] += 0.006
        panel = panels.panel_of(r, f)
        model = rm.OLS().fit(panel)
        got = rm.Inference.of(model, panel).alphas().family_wise_pvalues(rm.StationaryBootstrap(500, seed=1, block=5))
        # losses of which the smaller is better: less what a hedge earned, over its volatility
        hedged = model.residuals(panel) + model.alpha
        step = StepM(np.zeros(400), -(hedged / hedged.std()).to_numpy(), block_size=5, reps=500, seed=1)
        step.compute()
        assert list(np.flatnonzero(got < 0.05)) == list(step.superior_models) == [0, 1, 2]
        assert (got >= got.iloc[:3].max() - 1e-12)[3:].all()

    def test_the_level_is_held_where_nothing_is_there(self):
        """One false alarm or more, at 10 %, of ten correlated assets; 100 draws are 3 % exact."""
        alarms = 0
        for seed in range(100):
            rng = np.random.default_rng(seed)
            f, common = rng.standard_t(5, (150, 1)) * 0.01, rng.standard_t(5, (150, 1)) * 0.01
            r = f + 0.7 * common + rng.standard_t(5, (150, 10)) * 0.01
            alphas = alphas_of(panels_of(r, f), rm.HC3())
            alarms += alphas.family_wise_pvalues(rm.StationaryBootstrap(199, seed=seed, block=2)).min() < 0.10
        assert 2 <= alarms <= 20

    def test_of_ragged_assets(self):
        alphas = alphas_of(panels.scattered(k=2), rm.HC3())
        got = alphas.family_wise_pvalues(rm.StationaryBootstrap(200, block=3))
        assert (got >= alphas.table()["pvalue"].min() * 0.2).all()
        assert got.between(1 / 201, 1).all()
        order = np.argsort(-np.abs(alphas.table()["tvalue"]))
        assert got.iloc[order].is_monotonic_increasing

    def test_refuses_another_covariance(self):
        with pytest.raises(rm.InvalidParameterError):
            alphas_of(panels.clean(n=3), rm.HC3()).family_wise_pvalues(rm.HAC())


class TestTrackRecord:
    @pytest.mark.parametrize(
        ("per_year", "skewness", "kurtosis", "years"),
        [(252, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
    )
    def test_the_years_of_the_paper(self, per_year, skewness, kurtosis, years):
        """To tell a Sharpe ratio of 2 from one of 1 a year, with 95 % confidence."""
        root = math.sqrt(per_year)
        record = rm.TrackRecord(2 / root, skewness, kurtosis, 100, 1 / root, 0.95)
        assert record.needed / per_year == pytest.approx(years, abs=0.01)

    def test_at_the_needed_number_the_probability_is_the_confidence(self):
        x = np.random.default_rng(0).normal(0.05, 1.0, 500)
        record = rm.TrackRecord.of(x, confidence=0.9)
        n = record.needed
        again = rm.TrackRecord(record.sharpe, record.skewness, record.kurtosis, n, 0.0, 0.9)
        assert again.probability == pytest.approx(0.9)
        assert record.skewness == pytest.approx(stats.skew(x))
        assert record.kurtosis == pytest.approx(stats.kurtosis(x, fisher=False))

    def test_a_ratio_below_the_benchmark_is_never_known(self):
        x = np.random.default_rng(0).normal(-0.1, 1.0, 200)
        record = rm.TrackRecord.of(x)
        assert record.needed == math.inf
        assert record.probability < 0.5

    def test_of_a_portfolio_it_is_of_the_hedged_returns(self):
        """Of assets with other dates, what the common dates lack of the model's alpha is added."""
        for panel in (panels.clean(k=2), panels.scattered(k=2)):
            self.is_of_the_hedged_returns(panel.select(["A0", "A1"]))

    def is_of_the_hedged_returns(self, panel):
        model = rm.OLS().fit(panel)
        book = rm.Strategy({"A0": 0.5, "A1": -1.0}, model)
        hedged = rm.HedgedPortfolio.neutral(book).excess_returns(panel)
        got = rm.Inference.of(model, panel).track_record(book)
        gap = float(book.alpha) - hedged.mean()
        assert hedged.isna().any() == (abs(gap) > 1e-12)
        expected = rm.TrackRecord.of(hedged + gap)
        assert got.n == expected.n
        assert got.sharpe == pytest.approx(expected.sharpe)

    @pytest.mark.parametrize("returns", [[0.1, 0.1, 0.1], [0.1, 0.2], [0.1, math.inf, 0.2]])
    def test_refuses_returns_that_say_nothing(self, returns):
        with pytest.raises(rm.InvalidParameterError):
            rm.TrackRecord.of(returns)

    def test_refuses_a_confidence_that_is_no_probability(self):
        with pytest.raises(rm.InvalidParameterError):
            rm.TrackRecord.of([0.1, 0.2, 0.3], confidence=95)
