"""The model's hedge beside the regression's; and portfolios that mimic a factor."""

from __future__ import annotations

import numpy as np
import pytest
from panels import panel_of
from scipy import optimize

import riskmodel as rm


def made(common, seed=0, t=500, n=5):
    """A market, what names of one industry share beyond it, and what is their own."""
    rng = np.random.default_rng(seed)
    market, industry = rng.normal(0, 0.01, (t, 1)), rng.normal(0, 0.01, (t, 1))
    loadings = np.linspace(0.6, 1.4, n)
    return panel_of(market * loadings + common * industry + rng.normal(0, 0.01, (t, n)), market)


def compared(panel, tools=("A3", "A4"), **kwargs):
    model = rm.OLS().fit(panel)
    s = rm.Strategy({"A0": 0.5, "A1": 0.3, "A2": 0.2}, model)
    return s, rm.HedgeComparison.of(s, list(tools), panel, **kwargs)


class TestErrors:
    @pytest.mark.parametrize("tools", [["A3"], ["A3", "A4"], ["A4", "F0"]])
    def test_of_the_model_are_those_of_a_numeric_gradient(self, tools):
        panel = made(0.5)
        s, comparison = compared(panel, tools)
        inference, table = rm.Inference.of(s.model, panel), comparison.table()
        for tool in tools:
            interval = inference.interval(
                lambda m, tool=tool: float(
                    rm.HedgedPortfolio.minimum_variance(rm.Strategy(s.weights, m), tools).hedge_weights[tool]
                ),
                of=rm.THIS_WINDOW,
            )
            assert table.loc[tool, "model"] == pytest.approx(interval.estimate)
            assert table.loc[tool, "model std_error"] == pytest.approx(interval.std_error, rel=3e-3, abs=1e-9)
            assert table.loc[tool, "model low"] == pytest.approx(interval.low, rel=3e-3, abs=1e-9)

    def test_of_the_regression_are_the_inference_of_a_model_in_the_instrument(self):
        panel = made(0.5)
        _, comparison = compared(panel, ["A3"])
        fund = rm.AssetFactor("A3")
        book = panel.excess_returns[["A0", "A1", "A2"]] @ [0.5, 0.3, 0.2]
        data = rm.InMemory(
            panel.excess_returns.assign(book=book), factors=panel.factor_returns, risk_free=0.0, horizon=rm.DAY
        )
        other = data.panel(["book"], [fund])
        errors = rm.Inference.of(rm.OLS().fit(other), other).std_errors()
        row = comparison.table().loc["A3"]
        assert row["regression"] == pytest.approx(-rm.OLS().fit(other).loadings.iloc[0, 0])
        assert row["regression std_error"] == pytest.approx(errors.loc["book", "A3"], rel=0.05)

    def test_intervals_of_the_difference_cover_where_the_model_is_right(self):
        covered = []
        for seed in range(30):
            row = compared(made(0.0, seed, t=250), ["A3"])[1].table().iloc[0]
            covered.append(row["difference low"] <= 0.0 <= row["difference high"])
        assert 0.85 <= np.mean(covered) <= 1.0

    def test_a_model_that_is_no_least_squares_has_none(self):
        panel = made(0.5)
        s = rm.Strategy({"A0": 1.0}, rm.EWMA(rm.QUARTER).fit(panel))
        table = rm.HedgeComparison.of(s, ["A3"], panel).table()
        assert np.isnan(table.loc["A3", "model std_error"])
        assert table.loc["A3", "difference std_error"] == pytest.approx(table.loc["A3", "regression std_error"])


class TestVerdict:
    def test_a_shared_industry_is_seen_by_the_returns_only(self):
        panel = made(1.5)
        s, comparison = compared(panel)
        assert comparison.differs
        table, risk = comparison.table(), comparison.volatilities()
        assert (table["difference low"] > 0).all()
        assert risk.loc["model", "realised"] > 1.1 * risk.loc["regression", "realised"]
        assert risk.loc["regression", "realised"] == pytest.approx(comparison.regression.realised(panel))
        assert risk.loc["model", "model"] == pytest.approx(comparison.model.volatility)
        assert risk.loc["unhedged", "model"] == pytest.approx(s.volatility)
        assert "they differ" in repr(comparison)

    def test_a_model_that_is_right_does_not_differ(self):
        assert not compared(made(0.0))[1].differs

    def test_more_factors_make_them_agree(self):
        panel = made(1.5)
        parts = rm.Hybrid(rm.TimeSeries(rm.OLS()), rm.PrincipalComponents(1))
        model = rm.Assembled(parts, rm.SampleCovariance(), rm.SampleVariance()).fit(panel)
        assert not rm.HedgeComparison.of(rm.Strategy({"A0": 0.5, "A1": 0.5}, model), ["A3", "A4"], panel).differs

    def test_level_is_a_probability(self):
        with pytest.raises(rm.InvalidParameterError):
            compared(made(0.0), level=95)


@pytest.fixture(scope="module")
def model():
    panel = rm.SampleData(rm.MONTH).panel(
        ["BusEq", "Hlth", "Enrgy", "Utils", "Money", "NoDur"], ["Mkt-RF", "SMB", "HML"], start="1990-01-01"
    )
    return rm.OLS().fit(panel)


class TestMimicking:
    def test_unit_exposure_against_an_optimiser(self, model):
        ours = rm.MimickingPortfolio.unit_exposure(model, "SMB")
        assert ours.exposures.to_numpy() == pytest.approx([0.0, 1.0, 0.0], abs=1e-12)
        b, sigma = model.loadings.to_numpy(), model.covariance.to_dense().to_numpy()
        ties = {"type": "eq", "fun": lambda w: b.T @ w - [0.0, 1.0, 0.0]}
        start = np.linalg.lstsq(b.T, [0.0, 1.0, 0.0], rcond=None)[0]
        found = optimize.minimize(
            lambda w: 1e3 * float(w @ sigma @ w), start, constraints=ties, options={"ftol": 1e-14, "maxiter": 500}
        )
        assert 1e3 * float(ours.strategy.volatility) ** 2 == pytest.approx(found.fun, rel=1e-6)

    def test_no_portfolio_is_more_correlated(self, model):
        ours = rm.MimickingPortfolio.maximum_correlation(model, "HML")
        b, f = model.loadings.to_numpy(), model.factor_covariance.to_numpy()
        shared, sigma = b @ f[:, 2], model.covariance.to_dense().to_numpy()
        assert ours.correlation == pytest.approx(np.sqrt(shared @ np.linalg.solve(sigma, shared) / f[2, 2]))
        assert ours.weights.to_numpy() == pytest.approx(np.linalg.solve(sigma, shared))
        assert ours.correlation >= rm.MimickingPortfolio.unit_exposure(model, "HML").correlation
        for w in np.random.default_rng(0).normal(size=(50, 6)):
            assert abs(w @ shared) / np.sqrt((w @ sigma @ w) * f[2, 2]) <= ours.correlation

    def test_a_factor_that_is_not_tradable_is_hedged_by_it(self):
        factors = ["Mkt-RF", rm.PublishedFactor("SMB", rm.SELF_FINANCING, tradable=False)]
        panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Hlth", "Enrgy", "Utils"], factors)
        fitted = rm.OLS().fit(panel)
        s = rm.Strategy({"BusEq": 1.0}, fitted)
        with pytest.raises(rm.InvalidParameterError):
            rm.HedgedPortfolio.neutral(s)
        mimic = rm.MimickingPortfolio.unit_exposure(fitted, "SMB", ["Hlth", "Enrgy", "Utils"])
        hedged = rm.HedgedPortfolio.neutral(s, ["Mkt-RF", mimic.as_factor()])
        assert hedged.exposures.abs().max() < 1e-12
        assert set(hedged.hedge_weights.index) == {"Mkt-RF", "Hlth", "Enrgy", "Utils"}
        assert hedged.paper_legs.empty

    def test_what_it_refuses(self, model):
        with pytest.raises(rm.CollinearFactorsError):
            rm.MimickingPortfolio.unit_exposure(model, "SMB", ["BusEq", "Hlth"])
        with pytest.raises(rm.UnknownFactorError):
            rm.MimickingPortfolio.unit_exposure(model, "UMD")
        with pytest.raises(rm.InvalidParameterError):
            rm.MimickingPortfolio.maximum_correlation(model, "SMB", [])
        with pytest.raises(rm.UnknownAssetError):
            rm.MimickingPortfolio.maximum_correlation(model, "SMB", ["XOM"])
