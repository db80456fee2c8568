"""Realised volatility beside the model's: where the two differ, and what is said then."""

import json
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panels import panel_of
from scipy import stats

import riskmodel as rm

BUDGET = rm.RiskBudget(1e6, rm.MONTH)


def made(common, t=750, n=10, seed=0):
    """Names of one industry: a market, what they share beyond it, and what is their own."""
    rng = np.random.default_rng(seed)
    market, industry = rng.normal(0, 0.01, (t, 1)), rng.normal(0, 0.01, (t, 1))
    return panel_of(market + common * industry + rng.normal(0, 0.012, (t, n)), market)


def equal(panel, estimator=None):
    model = (rm.OLS() if estimator is None else estimator).fit(panel)
    return rm.Strategy(pd.Series(1.0 / len(panel.assets), panel.assets), model)


@pytest.fixture(scope="module")
def industry():
    return made(1.0)


@pytest.fixture(scope="module")
def unrelated():
    return made(0.0)


class TestRealised:
    def test_is_the_sample_standard_deviation(self, industry):
        hedged = rm.HedgedPortfolio.neutral(equal(industry))
        expected = hedged.excess_returns(industry).std(ddof=1)
        realised = hedged.realised(industry)
        assert math.isclose(realised, expected, rel_tol=1e-12)
        assert isinstance(realised, rm.Volatility)
        assert realised.horizon == rm.DAY

    def test_window(self, industry):
        s, days = equal(industry), industry.dates
        expected = s.excess_returns(industry).iloc[100:201].std(ddof=1)
        assert math.isclose(s.realised(industry, days[100], days[200]), expected, rel_tol=1e-12)

    def test_missing_dates_are_said(self, industry):
        r, f, _ = industry.arrays()
        r = r.copy()
        r[10:30, 0] = np.nan
        gaps = panel_of(r, f)
        s = equal(gaps)
        with pytest.warns(rm.MissingDatesWarning) as caught:
            realised = s.realised(gaps)
        assert dict(caught[0].message.details) == {"missing": 20, "dates": 750, "fewest": gaps.assets[0]}
        assert math.isclose(realised, s.excess_returns(gaps).std(), rel_tol=1e-12)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            risk = rm.RealisedRisk.of(s, gaps)
            assert (risk.n_dates, risk.n_missing) == (730, 20)

    def test_no_date_with_all_returns(self, industry):
        r, f, _ = industry.arrays()
        s, r = equal(industry), r.copy()
        r[::2, 0] = r[1::2, 1] = np.nan
        apart = panel_of(r, f)
        for measure in (s.realised, lambda panel: rm.RealisedRisk.of(s, panel)):
            with pytest.raises(rm.EstimationError) as error:
                measure(apart)
            assert error.value.details == {"known": 0, "dates": 750}
        report = rm.RiskReport.of(s, apart, BUDGET)
        assert report.realised_risk["hedged"] is None
        assert np.isnan(report.realised.loc[("hedged", "realised"), "volatility"])
        assert report.to_text()
        assert json.dumps(report.to_dict(), allow_nan=False)

    def test_data_of_another_horizon(self, industry):
        with pytest.raises(rm.HorizonMismatchError):
            rm.Strategy({"A0": 1.0}, equal(industry).model.at(rm.MONTH)).realised(industry)


class TestDifference:
    @given(seed=st.integers(0, 1000), n=st.integers(2, 6))
    def test_of_least_squares_is_the_residual_covariance(self, seed, n):
        panel = made(0.5, t=60, n=n, seed=seed)
        weights = np.random.default_rng(seed).normal(0, 1, n)
        s = rm.Strategy(pd.Series(weights, panel.assets), rm.OLS().fit(panel))
        hedged = rm.HedgedPortfolio.neutral(s)
        parts = rm.RealisedRisk.of(hedged, panel).variance
        cov = np.cov(s.model.residuals(panel).to_numpy().T)
        between = weights @ (cov - np.diag(np.diag(cov))) @ weights
        size = parts["model"] + abs(between)
        assert abs(parts["residual covariance"] - between) <= 1e-10 * size
        assert abs(parts["other"]) <= 1e-10 * size
        assert math.isclose(parts.sum(), float(hedged.realised(panel)) ** 2, rel_tol=1e-10)

    def test_pairs_by_the_naive_formula(self, industry):
        weights = pd.Series(np.linspace(-0.5, 1.0, 10), industry.assets)
        s = rm.Strategy(weights, rm.OLS().fit(industry))
        risk = rm.RealisedRisk.of(s, industry)
        e = s.model.residuals(industry)
        cov, cor = e.cov(), e.corr()
        table = risk.pairs(5)
        every = [2 * weights[a] * weights[b] * cov.loc[a, b] for i, a in enumerate(cov) for b in list(cov)[i + 1 :]]
        np.testing.assert_allclose(table["share"] * float(s.realised(industry)) ** 2, sorted(every)[::-1][:5])
        np.testing.assert_allclose(table["correlation"], [cor.loc[a, b] for a, b in table.index])

    def test_links_of_the_model_are_not_missing(self):
        rng = np.random.default_rng(1)
        market, pair = rng.normal(0, 0.01, (500, 1)), rng.normal(0, 0.015, (500, 1))
        own = rng.normal(0, 0.01, (500, 4))
        own[:, :2] = pair + 0.1 * own[:, :2]
        panel = panel_of(market + own, market)
        parts = rm.TimeSeries(rm.OLS()), rm.SampleCovariance()
        models = [rm.Assembled(*parts, d).fit(panel) for d in (rm.SampleVariance(), rm.Linked(rm.SampleVariance()))]
        plain, linked = (rm.Strategy({"A0": 0.5, "A1": 0.5}, model) for model in models)
        left = [abs(rm.RealisedRisk.of(s, panel).variance["residual covariance"]) for s in (plain, linked)]
        assert left[1] < 0.05 * left[0]
        assert rm.RealisedRisk.of(plain, panel).differs
        assert not rm.RealisedRisk.of(linked, panel).differs

    def test_of_other_dates_is_not_of_residuals(self, unrelated):
        r, f, _ = unrelated.arrays()
        wild = panel_of(3 * r, 3 * f)
        risk = rm.RealisedRisk.of(equal(unrelated), wild)
        assert risk.differs
        assert not risk.is_of_residuals
        assert abs(risk.variance["other"]) > 10 * abs(risk.variance["residual covariance"])

    def test_errors_common_to_both_cancel(self):
        rng = np.random.default_rng(0)
        wild = np.where(rng.random(500) < 0.02, 12.0, 1.0)[:, None]
        market = 0.01 * wild * rng.normal(0, 1, (500, 1))
        shared = rng.normal(0, 0.008, (500, 1))
        panel = panel_of(market + shared + rng.normal(0, 0.01, (500, 10)), market)
        risk = rm.RealisedRisk.of(equal(panel), panel)
        assert risk.realised.low < risk.model.high
        assert risk.differs == (abs(risk.variance["residual covariance"]) > 0.21 * risk.variance["model"])

    def test_perfect_hedge(self):
        rng = np.random.default_rng(0)
        market = rng.normal(0, 0.01, (100, 1))
        panel = panel_of(market @ np.array([[1.0, 0.5]]), market)
        risk = rm.RealisedRisk.of(rm.HedgedPortfolio.neutral(equal(panel)), panel)
        assert not risk.differs
        assert math.isnan(risk.ratio)

    def test_level_is_a_probability(self, industry):
        for level in (95, 0.0, 1.0, "0.95"):
            with pytest.raises(rm.InvalidParameterError) as error:
                rm.RealisedRisk.of(equal(industry), industry, level)
            assert error.value.details["parameter"] == "level"


class TestIntervals:
    def test_realised_is_chi_squared_for_normal_returns(self):
        panel = made(1.0, t=4000)
        interval = rm.RealisedRisk.of(equal(panel), panel).realised
        ends = interval.estimate * np.sqrt(3999 / stats.chi2.ppf([0.975, 0.025], 3999))
        np.testing.assert_allclose([interval.low, interval.high], ends, rtol=0.01)

    def test_model_is_of_inference(self, industry):
        s = equal(industry)
        row = rm.Inference.of(s.model, industry).table(s, 0.9).loc["volatility"]
        interval = rm.RealisedRisk.of(s, industry, 0.9).model
        assert (interval.low, interval.high) == (row["low"], row["high"])
        assert math.isclose(interval.estimate, s.volatility)

    def test_model_without_regressions_is_as_wide_as_realised(self, industry):
        s = equal(industry, rm.Assembled(rm.PrincipalComponents(1), rm.SampleCovariance(), rm.SampleVariance()))
        risk = rm.RealisedRisk.of(s, industry)
        assert math.isclose(risk.model.high / risk.model.estimate, risk.realised.high / risk.realised.estimate)

    def test_false_alarms_are_rare(self):
        alarms = 0
        for seed in range(40):
            panel = made(0.0, t=250, seed=seed)
            alarms += rm.RealisedRisk.of(rm.HedgedPortfolio.neutral(equal(panel)), panel).differs
        assert alarms <= 2


class TestReport:
    def test_warns_first_of_correlated_residuals(self, industry):
        report = rm.RiskReport.of(equal(industry), industry, BUDGET, cap=0.2)
        (warning,) = report.warnings
        first = report.realised_risk["hedged"].pairs(1).index[0]
        assert " with ".join(first) in warning
        assert "rm.recommended()" in warning
        text, page, data = report.to_text(), report.to_html(), report.to_dict()
        assert text.startswith("WARNING: ")
        assert page.index(warning[:60]) < page.index("<dl>")
        assert data["warnings"] == [warning]
        assert repr(report).startswith("<RiskReport: hedged has ")

    def test_does_not_warn_of_independent_residuals(self, unrelated):
        report = rm.RiskReport.of(equal(unrelated), unrelated, BUDGET, cap=0.2)
        assert report.warnings == ()
        assert report.to_text().startswith("RISK REPORT")
        assert 'class="warnings"' not in report.to_html()

    def test_more_factors_take_the_warning_away(self, industry):
        two = rm.PrincipalComponents(2)
        s = equal(industry, rm.Assembled(two, rm.SampleCovariance(), rm.SampleVariance()))
        assert rm.RealisedRisk.of(equal(industry), industry).differs
        assert not rm.RealisedRisk.of(s, industry).differs

    def test_overstated_risk(self):
        rng = np.random.default_rng(0)
        market, shared = rng.normal(0, 0.01, (500, 1)), rng.normal(0, 0.01, (500, 1))
        panel = panel_of(market + shared + rng.normal(0, 0.005, (500, 2)), market)
        pair = rm.Strategy({"A0": 1.0, "A1": -1.0}, rm.OLS().fit(panel))
        (warning,) = rm.RiskReport.of(pair, panel, BUDGET).warnings
        risk = rm.RealisedRisk.of(pair, panel)
        taken = -100 * risk.variance["residual covariance"] / risk.variance["model"]
        assert warning.startswith("The model overstates risk")
        assert f"take away {taken:.0f}%" in warning
        assert risk.ratio < 1.0

    def test_few_dates_are_said_first(self):
        panel = made(0.0, t=5, n=2)
        report = rm.RiskReport.of(equal(panel), panel, BUDGET)
        assert "from 5 dates" in report.warnings[0]
        assert report.to_text().startswith("WARNING: All figures are estimated from 5 dates")

    def test_frame_and_capacities(self, industry):
        report = rm.RiskReport.of(equal(industry), industry, BUDGET, cap=0.2)
        for name, p in report.portfolios.items():
            model, realised = report.realised.loc[(name, "model")], report.realised.loc[(name, "realised")]
            assert math.isclose(model["volatility"], p.volatility)
            assert math.isclose(realised["volatility"], p.realised(industry))
            assert model["capital"] == report.positions[name].capital
            assert math.isclose(realised["capital"], 1e6 / float(p.realised(industry).at(rm.MONTH)))
        assert [(r["portfolio"], r["by"]) for r in report.to_dict()["realised"]] == list(report.realised.index)

    def test_other_limits_bind_both_capacities(self, industry):
        capped = rm.RiskBudget(1e6, rm.MONTH, limits=[rm.CapitalLimit(1e6)])
        report = rm.RiskReport.of(equal(industry), industry, capped)
        assert (report.realised["capital"] == 1e6).all()


class TestLimit:
    def test_the_larger_of_two_volatilities_sizes(self, industry, unrelated):
        for panel in (industry, unrelated):
            hedged = rm.HedgedPortfolio.neutral(equal(panel))
            both = rm.RiskBudget(1e6, rm.MONTH, limits=[rm.RealisedVolatilityLimit(1e6, rm.MONTH, panel)])
            larger = max(hedged.volatility, hedged.realised(panel)).at(rm.MONTH)
            position = both.size(hedged)
            assert math.isclose(position.capital, 1e6 / float(larger))
            assert position.capital == both.capacities(hedged).min()
            assert both.capacities(hedged).idxmin() == position.binding

    def test_perfect_hedge_uses_none_of_it(self):
        market = np.random.default_rng(0).normal(0, 0.01, (100, 1))
        panel = panel_of(market @ np.array([[1.0, 0.5]]), market)
        hedged = rm.HedgedPortfolio.neutral(equal(panel))
        limit = rm.RealisedVolatilityLimit(1e6, rm.MONTH, panel)
        assert limit.use(hedged) == 0.0
        assert rm.RiskBudget(1e6, rm.MONTH, limits=[limit]).capacities(hedged).tolist() == [math.inf, math.inf]

    def test_needs_a_panel(self):
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.RealisedVolatilityLimit(1e6, rm.MONTH, "panel.csv")
        assert error.value.details["parameter"] == "panel"


class TestShares:
    """A percentage in place of a share or a probability."""

    @pytest.mark.parametrize("cap", [20, 20.0, 1.01, -0.1, math.nan, "0.2", None, True, rm.Volatility(0.2, rm.DAY)])
    def test_caps(self, industry, cap):
        calls = [lambda: rm.HedgedPortfolio.with_factor_share(equal(industry), cap)]
        if cap is not None:
            calls.append(lambda: rm.RiskReport.of(equal(industry), industry, BUDGET, cap=cap))
        for call in calls:
            with pytest.raises(rm.InvalidParameterError) as error:
                call()
            assert error.value.details["parameter"] == "cap"

    @pytest.mark.parametrize("level", [95, 1.0, 0, -0.1, math.nan, "0.95", rm.Mean(0.95, rm.DAY)])
    def test_levels(self, industry, level):
        s = equal(industry)
        inference = rm.Inference.of(s.model, industry)
        for call in (
            lambda: inference.table(s, level),
            lambda: inference.difference(s, s, level),
            lambda: inference.interval(lambda m: m.risk_free_mean, level),
            lambda: rm.RealisedRisk.of(s, industry, level),
        ):
            with pytest.raises(rm.InvalidParameterError) as error:
                call()
            assert error.value.details["parameter"] == "level"

    def test_shares_of_settings(self):
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.KnownAssets(98)
        assert error.value.details == {"parameter": "share", "got": 98}
        assert "0.98" in str(error.value)


class TestOtherDates:
    """A young name shortens what was realised: on the same dates, model and returns agree."""

    @pytest.fixture
    def young(self):
        rng = np.random.default_rng(4)
        # calm, then turbulent: the young name has the turbulent half alone
        size = np.repeat([0.5, 2.0], 500)[:, None]
        f = 0.01 * size * rng.standard_normal((1000, 1))
        r = f @ np.array([[0.8, 1.0, 1.2]]) + 0.005 * size * rng.standard_normal((1000, 3))
        r[:500, 2] = np.nan
        return panel_of(r, f)

    def test_the_model_on_the_same_dates(self, young):
        risk = rm.RealisedRisk.of(equal(young), young)
        later = young.select(start=young.dates[500])
        refitted = equal(later).volatility
        assert risk.n_missing == 500
        assert float(risk.model_on_these_dates) == pytest.approx(float(refitted), rel=0.02)
        assert float(risk.model.estimate) < 0.8 * float(refitted)
        fewest = risk.fewest
        assert (fewest.asset, fewest.count, fewest.first) == (young.assets[2], 500, young.dates[500])
        assert fewest.is_until_end

    def test_is_what_the_warning_says(self, young):
        out = rm.RiskReport.of(equal(young), young, BUDGET)
        said = next(warning for warning in out.warnings if "different dates" in warning)
        name, first = young.assets[2], young.dates[500].date()
        assert f"{name} has 500 returns, from {first} on" in said
        assert "On the same dates the model has" in said
        assert "understates" not in said

    def test_an_asset_that_ended(self, young):
        r = young.excess_returns.copy(deep=True)
        r.iloc[:, 2] = r.iloc[:, 1]
        r.iloc[900:, 2] = np.nan
        panel = panel_of(r.to_numpy(), young.factor_returns.to_numpy())
        fewest = rm.RealisedRisk.of(equal(panel), panel).fewest
        assert str(fewest).endswith(f"to {panel.dates[899].date()}")

    def test_none_where_each_has_all(self, industry):
        assert rm.RealisedRisk.of(equal(industry), industry).fewest is None
