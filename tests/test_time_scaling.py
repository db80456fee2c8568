"""Horizons under autocorrelation, and exposures that move: against arch, statsmodels and known truth."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import panels
import pytest
from arch.unitroot import VarianceRatio
from statsmodels.stats.diagnostic import breaks_cusumolsresid

import riskmodel as rm
from riskmodel.inference import stability


def autoregressive(phi, t, seed=0):
    x = np.random.default_rng(seed).standard_normal(t)
    for s in range(1, t):
        x[s] += phi * x[s - 1]
    return x * 0.01


class TestTimeScaling:
    @pytest.mark.parametrize("phi", [-0.2, 0.0, 0.3])
    def test_is_nearly_that_of_arch(self, phi):
        x = autoregressive(phi, 4_000)
        theirs = VarianceRatio(x.cumsum(), lags=5, debiased=False)
        ours = rm.TimeScaling.of(x, rm.DAY, to=rm.Horizon(5))
        assert ours.variance_ratio == pytest.approx(theirs.vr, abs=0.01)
        z = (ours.variance_ratio - 1) / ours.std_error
        assert z == pytest.approx(theirs.stat, abs=0.3)

    def test_eta_is_that_of_the_paper(self):
        x = autoregressive(0.2, 500)
        q, d = 12, x - x.mean()
        rho = [d[k:] @ d[:-k] / (d @ d) for k in range(1, q)]
        eta = q / math.sqrt(q + 2 * sum((q - k) * rho[k - 1] for k in range(1, q)))
        got = rm.TimeScaling.of(pd.Series(x), rm.MONTH, to=rm.YEAR)
        assert got.eta == pytest.approx(eta)
        assert float(got.sharpe(rm.SharpeRatio(0.1, rm.MONTH))) == pytest.approx(0.1 * eta)
        assert float(got.volatility(rm.Volatility(0.02, rm.MONTH))) == pytest.approx(0.02 * 12 / eta)
        assert got.volatility(rm.Volatility(0.02, rm.MONTH)).horizon == rm.YEAR

    def test_the_ratio_of_a_known_process(self):
        phi, q = 0.3, 21
        truth = 1 + 2 * sum((1 - k / q) * phi**k for k in range(1, q))
        got = rm.TimeScaling.of(autoregressive(phi, 50_000), rm.DAY, to=rm.MONTH)
        assert got.variance_ratio == pytest.approx(truth, rel=0.05)
        assert got.off == pytest.approx(math.sqrt(truth) - 1, abs=0.03)
        assert got.pvalue < 1e-6

    def test_size(self):
        p = [rm.TimeScaling.of(autoregressive(0.0, 500, s), rm.DAY, to=rm.Horizon(5)).pvalue for s in range(400)]
        assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.035)

    def test_of_a_portfolio(self):
        panel = panels.clean(n=3)
        model = rm.OLS().fit(panel)
        book = rm.Strategy({"A0": 1.0, "A1": -1.0}, model)
        got = rm.Inference.of(model, panel).time_scaling(book, rm.Horizon(10))
        assert got == rm.TimeScaling.of(book.excess_returns(panel), rm.DAY, to=rm.Horizon(10))

    @pytest.mark.parametrize("to", [rm.DAY, rm.Horizon(2.5), rm.YEAR])
    def test_refuses_horizons_that_do_not_fit(self, to):
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.TimeScaling.of(autoregressive(0.1, 300), rm.DAY, to=to)
        assert error.value.details["parameter"] == "to"

    def test_refuses_returns_that_do_not_vary(self):
        with pytest.raises(rm.InvalidParameterError):
            rm.TimeScaling.of(np.full(100, 0.01), rm.DAY, to=rm.Horizon(5))


def stability_of(returns, factors, estimator=None):
    panel = panels.panel_of(returns, factors)
    model = (estimator or rm.OLS()).fit(panel)
    book = rm.Strategy(dict.fromkeys(panel.assets, 1.0), model)
    return rm.Inference.of(model, panel).stability(book), panel, model


class TestStability:
    def test_finds_a_break_of_beta_and_its_date(self):
        rng = np.random.default_rng(0)
        f = rng.normal(0, 0.01, (600, 2))
        beta = np.where(np.arange(600)[:, None] < 400, [1.0, 0.5], [1.6, 0.5])
        got, panel, _ = stability_of((f * beta).sum(axis=1, keepdims=True) + rng.normal(0, 0.01, (600, 1)), f)
        assert got.exposures.rejects(0.01)
        assert abs(panel.dates.get_loc(got.exposures.date) - 400) < 25

    def test_finds_a_break_of_alpha(self):
        rng = np.random.default_rng(0)
        f = rng.normal(0, 0.01, (600, 1))
        r = f + rng.normal(0, 0.01, (600, 1))
        r[300:] += 0.004
        got, *_ = stability_of(r, f)
        assert got.residuals.rejects(0.01)

    def test_the_cusum_is_that_of_statsmodels(self):
        got, panel, model = stability_of(*panels.clean(n=1).arrays()[:2])
        e = model.residuals(panel).to_numpy()[:, 0]
        statistic, _, critical = breaks_cusumolsresid(e)
        assert got.residuals.statistic == pytest.approx(statistic)
        np.testing.assert_allclose(got.residuals.critical, sorted(c for _, c in critical), atol=0.01)

    @pytest.mark.parametrize("k", [1, 2, 3, 6, 10])
    def test_critical_values_are_quantiles_of_the_limit(self, k):
        """The largest of a squared bridge over its variance, of 4,000 paths of 1,000 steps."""
        rng, largest = np.random.default_rng(k), []
        share = np.arange(1, 1_001) / 1_000
        inside = (share >= stability.TRIMMED) & (share <= 1 - stability.TRIMMED)
        for _ in range(8):
            walk = np.cumsum(rng.standard_normal((500, k, 1_000)), axis=2) / math.sqrt(1_000)
            bridge = (walk - share * walk[:, :, -1:])[:, :, inside]
            largest.append(((bridge**2).sum(axis=1) / (share * (1 - share))[inside]).max(axis=1) / k)
        exceeded = [np.mean(np.concatenate(largest) > c) for c in np.array(stability._SUP_WALD[k - 1]) / k]
        # the discrete path exceeds a little less often
        np.testing.assert_allclose(exceeded, stability.LEVELS, atol=0.018)

    def test_size_with_heavy_tails(self):
        rejected = 0
        for seed in range(100):
            rng = np.random.default_rng(seed)
            f = rng.standard_t(5, (300, 1)) * 0.01
            r = f + rng.standard_t(5, (300, 1)) * 0.01
            got, *_ = stability_of(r, f)
            rejected += got.exposures.rejects(0.10)
        assert 0.01 < rejected / 100 < 0.19

    def test_of_ragged_assets(self):
        panel = panels.scattered(k=2).select(["A0", "A1", "A2"])
        got, *_ = stability_of(*panel.arrays()[:2])
        assert 0.0 < got.exposures.statistic < got.exposures.critical[2]

    def test_refuses_weights_that_decay(self):
        with pytest.raises(rm.NotEstimatedError):
            stability_of(*panels.clean(n=1).arrays()[:2], estimator=rm.EWMA(half_life=rm.Horizon(60)))

    def test_refuses_a_portfolio_of_nothing(self):
        panel = panels.clean(n=2)
        model = rm.OLS().fit(panel)
        with pytest.raises(rm.NotEstimatedError):
            rm.Inference.of(model, panel).stability(rm.Strategy({"A0": 0.0}, model))

    def test_refuses_too_many_factors(self):
        with pytest.raises(rm.NotEstimatedError) as error:
            stability_of(*panels.clean(n=1, k=11).arrays()[:2])
        assert error.value.details["n_factors"] == 11
