"""How sure are changes between windows, and correlations of residuals."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import panels
import pytest

import riskmodel as rm

BOOK = {"A0": 0.5, "A1": 0.5, "A2": -0.4}


def inferred(panel, covariance=None, estimator=None):
    model = (estimator or rm.OLS()).fit(panel)
    return rm.Inference.of(model, panel, covariance)


@pytest.fixture(scope="module")
def panel():
    return panels.clean(t=400, n=4, k=2)


def window(panel, first, last):
    return panel.select(start=panel.dates[first], end=panel.dates[last - 1])


class TestChange:
    def test_windows_apart_are_independent(self, panel):
        before, after = (inferred(window(panel, *rows), rm.HC3()) for rows in ((0, 180), (220, 400)))
        book, was = rm.Strategy(BOOK, after.model), rm.Strategy(BOOK, before.model)
        change = after.change(before, book, tail=0.95)
        now, then = after.table(book, tail=0.95), before.table(was, tail=0.95)
        np.testing.assert_allclose(change["estimate"], now["estimate"] - then["estimate"])
        for name in ("alpha", "expected excess return", "exposure F0", "hedge F1", "sharpe"):
            expected = math.hypot(now.loc[name, "std_error"], then.loc[name, "std_error"])
            assert change.loc[name, "std_error"] == pytest.approx(expected)

    def test_dates_of_both_add_the_difference(self, panel):
        before, after = (inferred(window(panel, *rows), rm.HC3()) for rows in ((0, 250), (100, 400)))
        book, was = rm.Strategy(BOOK, after.model), rm.Strategy(BOOK, before.model)
        own, other = after._figures(book), before._figures(was)
        terms = np.zeros(400)
        terms[100:400] += own.influence.coefficients[1]
        terms[:250] -= other.influence.coefficients[1]
        change = after.change(before, book)
        assert change.loc["exposure F0", "std_error"] == pytest.approx(math.sqrt(terms @ terms))

    def test_at_another_horizon_and_with_a_hedge(self, panel):
        before, after = (inferred(window(panel, *rows)) for rows in ((0, 180), (220, 400)))
        day, year = (rm.Strategy(BOOK, after.model.at(h)) for h in (rm.DAY, rm.YEAR))
        hedged = [rm.HedgedPortfolio(s, {"F0": -0.5}) for s in (day, year)]
        first, second = (after.change(before, h)["high"] for h in hedged)
        assert second["alpha"] == pytest.approx(252 * first["alpha"])
        assert second["volatility"] == pytest.approx(math.sqrt(252) * first["volatility"])
        plain = after.change(before, day)
        # a hedge that is given changes neither
        assert first["exposure F0"] == pytest.approx(plain.loc["exposure F0", "high"])

    @pytest.mark.parametrize("rows", [((0, 150), (150, 300)), ((0, 200), (100, 300))], ids=["apart", "overlapping"])
    def test_the_errors_are_those_of_repeated_samples(self, rows):
        found = []
        for seed in range(150):
            whole = panels.clean(seed=0, t=300, n=1, k=1)
            r, f, _ = whole.arrays()
            rng = np.random.default_rng(seed)
            f = rng.normal(3e-4, 0.01, f.shape)
            r = 1.2 * f + rng.normal(0, 0.01, r.shape)
            whole = panels.panel_of(r, f)
            before, after = (inferred(window(whole, *some)) for some in rows)
            change = after.change(before, rm.Strategy({"A0": 1.0}, after.model))
            found.append(change.loc[["alpha", "exposure F0", "volatility"], ["estimate", "std_error", "low", "high"]])
        every = np.array([f.to_numpy() for f in found])
        estimates, errors, low, high = np.moveaxis(every, 2, 0)
        # of 150 draws a standard deviation is known to 6 %
        np.testing.assert_allclose(estimates.std(axis=0), np.sqrt((errors**2).mean(axis=0)), rtol=0.2)
        # nothing changes, so intervals contain zero
        inside = ((low < 0) & (high > 0)).mean(axis=0)
        assert (inside > 0.95 - 3.5 * 0.018).all()

    def test_what_it_refuses(self, panel):
        after = inferred(window(panel, 20, 400))
        book = rm.Strategy(BOOK, after.model)
        for before in (after, inferred(window(panel, 10, 390))):
            with pytest.raises(rm.NotEstimatedError) as error:
                after.change(before, book)
            assert error.value.details["dates"] < error.value.details["minimum"]
        with pytest.raises(rm.InvalidParameterError) as other:
            after.change(inferred(panel.select(factors=["F0"])), book)
        assert other.value.details["parameter"] == "before"
        with pytest.raises(rm.UnknownAssetError):
            after.change(inferred(panel.select(assets=["A0", "A1"])), book)
        with pytest.raises(rm.InvalidParameterError):
            after.change(after.model, book)
        with pytest.raises(rm.InvalidParameterError):
            after.change(after, book, level=95)


class TestResidualCorrelations:
    @pytest.mark.parametrize("estimator", [rm.OLS(), rm.EWMA(half_life=rm.Horizon(60))], ids=["equal", "decaying"])
    @pytest.mark.parametrize("make", [panels.clean, panels.ragged], ids=["clean", "ragged"])
    def test_estimates_are_those_of_the_comparison(self, make, estimator):
        panel = make()
        counts = panel.excess_returns.notna().sum()
        panel = panel.select(list(counts.index[counts >= 100])[:6])
        inference = inferred(panel, estimator=estimator)
        table = inference.residual_correlations()
        expected = rm.CovarianceComparison.of(inference.model, panel).residual_correlation
        assert list(table.index) == list(itertools.combinations(panel.assets, 2))
        for (first, second), row in table.iterrows():
            assert row["estimate"] == pytest.approx(expected.loc[first, second], abs=1e-9)
            assert row["low"] < row["estimate"] < row["high"]

    def test_errors_are_those_of_the_delta_method(self, panel):
        inference = inferred(panel, rm.HC3())
        e = inference.model.residuals(panel).to_numpy()
        x, y = ((e[:, j] - e[:, j].mean()) / e[:, j].std() for j in (0, 2))
        rho = (x * y).mean()
        psi = x * y - rho * (x * x + y * y) / 2
        got = inference.residual_correlations(["A0", "A2"]).loc[("A0", "A2")]
        expected = math.sqrt((psi @ psi) / 400 / (400 - 2 - 3))
        assert got["std_error"] == pytest.approx(expected, rel=1e-9)
        classical = inferred(panel, rm.Classical()).residual_correlations(["A0", "A2"]).loc[("A0", "A2")]
        assert classical["std_error"] == pytest.approx((1 - rho**2) / math.sqrt(400 - 2 - 3))

    def test_it_covers_where_residuals_are_volatile_together(self):
        inside = []
        for seed in range(200):
            rng = np.random.default_rng(seed)
            f, scale = rng.normal(0, 0.01, (252, 1)), np.exp(rng.normal(0, 0.6, (252, 1)))
            common = rng.standard_normal((252, 1))
            e = (math.sqrt(0.3) * common + math.sqrt(0.7) * rng.standard_normal((252, 2))) * scale * 0.01
            panel = panels.panel_of(f + e, f)
            model = rm.OLS().fit(panel)
            rows = [rm.Inference.of(model, panel, c).residual_correlations().iloc[0] for c in (None, rm.Classical())]
            inside.append([row["low"] <= 0.3 <= row["high"] for row in rows])
        robust, classical = np.mean(inside, axis=0)
        assert robust == pytest.approx(0.95, abs=3 * 0.0154)
        assert classical < 0.9

    def test_residuals_that_are_multiples_of_each_other(self):
        r, f, _ = panels.clean(n=2, k=1).arrays()
        panel = panels.panel_of(np.column_stack([r[:, 0], f[:, 0] - 2.0 * r[:, 0]]), f)
        row = inferred(panel).residual_correlations().iloc[0]
        assert row[["estimate", "low", "high"]].tolist() == pytest.approx([-1.0, -1.0, -1.0])

    def test_assets_without_common_dates(self):
        r, f, _ = panels.clean(n=2).arrays()
        r = np.array(r)
        r[:150, 0] = r[150:, 1] = np.nan
        assert inferred(panels.panel_of(r, f)).residual_correlations().iloc[0].drop("of").isna().all()

    def test_what_it_refuses(self, panel):
        many = inferred(panels.clean(t=60, n=202, k=1))
        with pytest.raises(rm.TooLargeError) as error:
            many.residual_correlations()
        assert error.value.details["pairs"] == 202 * 201 // 2
        inference = inferred(panel)
        with pytest.raises(rm.UnknownAssetError):
            inference.residual_correlations(["A0", "B"])
        with pytest.raises(rm.InvalidParameterError):
            inference.residual_correlations(level=95)
        assert isinstance(inference.residual_correlations(["A0"]), pd.DataFrame)
