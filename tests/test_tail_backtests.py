"""Student t and filtered tails, and backtests: against scipy, published regions, simulation; no look-ahead."""

import math

import numpy as np
import pandas as pd
import pytest
from panels import panel_of
from scipy import integrate, stats

import riskmodel as rm
from riskmodel.analysis.tails.filtered import rescaled
from riskmodel.inference.backtests import christoffersen, independence, kupiec
from riskmodel.inference.shortfall_backtests import shortfall_coverage, shortfall_independence


def market(seed=0, t=600, n=3, degrees=None):
    rng = np.random.default_rng(seed)
    draw = rng.standard_normal if degrees is None else lambda size: rng.standard_t(degrees, size)
    f = 0.01 * draw((t, 1))
    return panel_of(f + 0.01 * draw((t, n)), f)


@pytest.fixture(scope="module")
def panel():
    return market()


@pytest.fixture(scope="module")
def long(panel):
    return rm.Strategy({"A0": 0.6, "A1": 0.6}, rm.OLS().fit(panel))


@pytest.fixture(scope="module")
def history(panel):
    return rm.Rolling(rm.Horizon(200), every=50).fit(panel)


class TestStudent:
    @pytest.mark.parametrize("degrees", [2.5, 4.0, 30.0])
    @pytest.mark.parametrize("level", [0.6, 0.95, 0.99])
    def test_scipy(self, long, degrees, level):
        of = stats.t(degrees, scale=float(long.volatility) * math.sqrt((degrees - 2) / degrees))
        assert math.isclose(of.std(), long.volatility, rel_tol=1e-9)
        risk = rm.StudentTails(degrees).of(long, level=level)
        assert math.isclose(risk.value_at_risk, of.ppf(level), rel_tol=1e-9)
        mean = integrate.quad(lambda x: x * of.pdf(x), of.ppf(level), np.inf, epsabs=1e-14, limit=500)[0] / (1 - level)
        assert math.isclose(risk.expected_shortfall, mean, rel_tol=1e-5)

    def test_many_degrees_are_normal(self, long):
        a, b = rm.StudentTails(1e6).of(long), rm.NormalTails().of(long)
        assert math.isclose(a.expected_shortfall, b.expected_shortfall, rel_tol=1e-4)
        np.testing.assert_allclose(a.by_asset, b.by_asset, rtol=1e-4)

    def test_degrees_that_are_fitted(self):
        """Those of the truth, within their standard error; as scipy fits a t distribution to the returns."""
        rng = np.random.default_rng(0)
        panel = panel_of(0.01 * rng.standard_t(5, (4_000, 1)), rng.normal(0, 0.01, (4_000, 1)))
        long = rm.Strategy({"A0": 1.0}, rm.OLS().fit(panel))
        found = rm.StudentTails().fitted(long, panel).degrees
        free = stats.t.fit(long.excess_returns(panel), floc=0.0)[0]
        assert math.isclose(found, free, rel_tol=0.1)
        assert math.isclose(found, 5.0, rel_tol=0.2)
        fitted, given = rm.StudentTails().of(long, panel), rm.StudentTails(found).of(long, panel)
        assert math.isclose(fitted.expected_shortfall, given.expected_shortfall, rel_tol=1e-12)
        errors = [r.table().loc["expected shortfall", "std_error"] for r in (fitted, given)]
        assert errors[0] > errors[1] > 0

    @pytest.mark.parametrize("degrees", [2.0, 0.0, -3.0, math.nan])
    def test_no_variance(self, degrees):
        with pytest.raises(rm.InvalidParameterError) as caught:
            rm.StudentTails(degrees)
        assert caught.value.details["parameter"] == "degrees"

    def test_a_fit_needs_returns(self, long):
        with pytest.raises(rm.NotEstimatedError):
            rm.StudentTails().of(long)


class TestFiltered:
    def test_naive(self):
        x = np.random.default_rng(0).normal(0, 0.01, (50, 2))
        x[7, 1] = np.nan
        decay = 0.9
        found = rescaled(x, decay)
        for j in range(2):
            variance = np.nanmean(x[:, j] ** 2)
            before = []
            for value in x[:, j]:
                before.append(variance)
                if not np.isnan(value):
                    variance = decay * variance + (1 - decay) * value**2
            np.testing.assert_allclose(found[:, j], x[:, j] * np.sqrt(variance / np.array(before)), rtol=1e-12)

    def test_missing_and_whole_columns_agree(self):
        x = np.random.default_rng(0).normal(0, 0.01, (50, 2))
        with_gap = np.column_stack([x, x[:, 0]])
        with_gap[5, 2] = np.nan
        np.testing.assert_allclose(rescaled(with_gap, 0.9)[:, :2], rescaled(x, 0.9), rtol=1e-12)

    def test_a_calm_past_counts_as_much_as_a_wild_one(self):
        """Where volatility trebles, losses of the past are trebled."""
        rng = np.random.default_rng(2)
        scale = np.repeat([0.01, 0.03], 500)[:, None]
        f = scale * rng.standard_normal((1_000, 1))
        panel = panel_of(f + scale * rng.standard_normal((1_000, 1)), f)
        long = rm.Strategy({"A0": 1.0}, rm.OLS().fit(panel))
        truth = 0.03 * math.sqrt(2) * stats.norm.ppf(0.95)
        errors = [
            abs(method.of(long, panel, 0.95).value_at_risk / truth - 1)
            for method in (rm.FilteredHistoricalSimulation(rm.QUARTER), rm.HistoricalSimulation())
        ]
        assert errors[0] < 0.15 < errors[1]

    def test_contributions_add_up(self, long, panel):
        hedged = rm.HedgedPortfolio.with_factor_share(long, 0.2)
        method = rm.FilteredHistoricalSimulation(sums=rm.BootstrappedSums(1_000))
        risk = method.of(rm.Position(hedged, 1e6, rm.MONTH), panel, 0.95, rm.Horizon(5))
        for table in (risk.by_factor, risk.by_asset):
            np.testing.assert_allclose(table.sum(), [risk.value_at_risk, risk.expected_shortfall], rtol=1e-9)


class TestGaps:
    @pytest.mark.parametrize("kind", [rm.HistoricalSimulation, rm.FilteredHistoricalSimulation])
    def test_a_recent_listing(self, kind):
        """With drawn residuals all dates count, and the tail is near that of the whole history."""
        full = market(seed=5, t=1_500)
        r, f, _ = full.arrays()
        r = r.copy()
        r[:1_200, 0] = np.nan
        panel = panel_of(r, f)
        model = rm.OLS().fit(panel)
        long = rm.Strategy({"A0": 0.5, "A1": 0.5}, model)
        risk = kind(gaps=rm.DRAW_RESIDUALS).of(long, panel, 0.95)
        assert len(risk.tail.sources.at) == 1_500
        whole = kind().of(rm.Strategy({"A0": 0.5, "A1": 0.5}, model), full, 0.95)
        assert math.isclose(risk.expected_shortfall, whole.expected_shortfall, rel_tol=0.15)
        np.testing.assert_allclose(risk.by_asset.sum(), [risk.value_at_risk, risk.expected_shortfall], rtol=1e-9)
        known = slice(1_200, 1_500)
        factor_part = panel.factor_returns.to_numpy() * float(long.exposures.iloc[0])
        if kind is rm.HistoricalSimulation:
            np.testing.assert_allclose(risk.tail.sources.returns[known], long.excess_returns(panel)[known], rtol=1e-9)
            np.testing.assert_allclose(risk.tail.sources.factors[:, 0], factor_part[:, 0], rtol=1e-9)
            drawn = risk.tail.sources.assets[:1_200, 0] - 0.5 * model.loadings.loc["A0"].iloc[0] * f[:1_200, 0]
            assert math.isclose(drawn.std(), 0.5 * math.sqrt(model.idio_variance["A0"]), rel_tol=0.1)

    def test_they_are_left_out_unless_asked(self):
        r, f, _ = market(seed=5).arrays()
        r = r.copy()
        r[:200, 0] = np.nan
        panel = panel_of(r, f)
        with pytest.warns(rm.MissingDatesWarning) as caught:
            rm.FilteredHistoricalSimulation().of(rm.Strategy({"A0": 1.0}, rm.OLS().fit(panel)), panel)
        assert caught[0].message.details["missing"] == 200


class TestPublished:
    # Kupiec (1995), table 5: breaches x at which the test does not reject at 5 %, given n and p: low < x < high
    @pytest.mark.parametrize(
        ("n", "p", "low", "high"),
        [
            (255, 0.05, 6, 21), (255, 0.10, 16, 36), (510, 0.01, 1, 11), (510, 0.05, 16, 36),
            (1_000, 0.01, 4, 17), (1_000, 0.05, 37, 65), (1_000, 0.10, 81, 120),
        ],
    )  # fmt: skip
    def test_regions_of_kupiec(self, n, p, low, high):
        inside = [x for x in range(n // 4) if kupiec(np.arange(n) < x, p).pvalue > 0.05]
        assert (inside[0], inside[-1]) == (low + 1, high - 1)


class TestSizes:
    """Where forecasts are right, tests reject as often as they say."""

    def test_kupiec_by_enumeration(self):
        n, p = 1_000, 0.05
        x = np.arange(n + 1)
        rejected = np.array([kupiec(np.arange(n) < k, p).pvalue < 0.05 for k in x[:200]] + [True] * (n + 1 - 200))
        assert abs(stats.binom.pmf(x, n, p) @ rejected - 0.05) < 0.01

    def test_by_simulation(self):
        rng = np.random.default_rng(0)
        n, p, level = 1_000, 0.05, 0.05
        rejected = []
        for _ in range(400):
            u = rng.random(n)
            tests = (
                independence(u < p), christoffersen(u < p, p), shortfall_coverage(u, p), shortfall_independence(u, p),
            )  # fmt: skip
            rejected.append([t.pvalue < level for t in tests])
        share = np.mean(rejected, axis=0)
        assert (share < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 400)).all()
        assert (share > 0.01).all()

    def test_power(self):
        rng = np.random.default_rng(0)
        wild = stats.norm.cdf(1.5 * rng.standard_normal(1_000))
        assert shortfall_coverage(wild, 0.05).pvalue < 1e-6
        assert shortfall_coverage(wild, 0.05).statistic > 0
        scale = np.repeat([0.5, 2.0, 0.5, 2.0], 250)
        clustered = stats.norm.cdf(scale * rng.standard_normal(1_000))
        assert shortfall_independence(clustered, 0.05).pvalue < 0.01

    def test_formula_of_du_and_escanciano(self):
        u, p = np.array([0.01, 0.5, 0.04, 0.9]), 0.05
        h = (0.8 + 0.2) / 4
        expected = 2.0 * (h - 0.025) / math.sqrt(p * (1 / 3 - p / 4))
        assert math.isclose(shortfall_coverage(u, p).statistic, expected, rel_tol=1e-12)


class TestWalk:
    @pytest.mark.parametrize(
        "method",
        [rm.NormalTails(), rm.StudentTails(), rm.HistoricalSimulation(), rm.FilteredHistoricalSimulation()],
        ids=repr,
    )
    def test_no_look_ahead(self, panel, method):
        """Other returns after a date change no forecast up to the one for the next date."""
        r, f, _ = panel.select(end=panel.dates[299]).arrays()
        other = r.copy()
        other[260:] *= -3.0
        factors = f.copy()
        factors[260:] *= 2.0
        tests = [
            rm.TailBacktest.of(
                {"A0": 1.0}, method, rm.Rolling(rm.Horizon(200), every=20).fit(panel_of(a, b)), level=0.9
            ).forecasts
            for a, b in ((r, f), (other, factors))
        ]
        columns = ["value_at_risk", "expected_shortfall"]
        first, second = (t[columns].to_numpy() for t in tests)
        known = 260 - 200 + 1
        np.testing.assert_allclose(first[:known], second[:known], rtol=1e-9)
        assert not np.allclose(first[known:], second[known:])

    def test_forecasts_of_a_date(self, panel, history):
        test = rm.TailBacktest.of({"A0": 0.5, "A2": 0.5}, rm.HistoricalSimulation(), history, 0.95, rm.Horizon(100))
        date = panel.dates[333]
        model = history.asof(panel.dates[332])
        strategy = rm.Strategy({"A0": 0.5, "A2": 0.5}, model)
        risk = rm.HistoricalSimulation().of(strategy, panel.select(start=panel.dates[233], end=panel.dates[332]), 0.95)
        row = test.forecasts.loc[date]
        assert math.isclose(row["value_at_risk"], risk.value_at_risk, rel_tol=1e-10)
        assert math.isclose(row["expected_shortfall"], risk.expected_shortfall, rel_tol=1e-10)
        assert math.isclose(row["return"], strategy.excess_returns(panel)[date], rel_tol=1e-10)
        assert test.forecasts.index[0] == panel.dates[200]
        assert len(test.forecasts) == 400

    def test_right_forecasts_pass(self, history):
        test = rm.TailBacktest.of({"A0": 0.5, "A1": 0.5}, rm.NormalTails(), history, 0.95)
        table = test.table()
        assert test.breaches == int(test.hits.sum())
        assert math.isclose(test.expected_breaches, 20.0)
        assert math.isclose(table.loc["coverage", "statistic"], kupiec(test.hits.to_numpy(), 0.05).statistic)
        assert table.loc["exact coverage", "statistic"] == test.breaches
        assert (table["pvalue"] > 0.001).all()
        assert 0.8 < test.shortfall_ratio < 1.3

    def test_a_portfolio_of_each_model(self, history):
        weights = {"A0": 1.0}
        hedged = rm.TailBacktest.of(
            lambda model: rm.HedgedPortfolio.neutral(rm.Strategy(weights, model)), rm.NormalTails(), history, 0.95
        )
        bare = rm.TailBacktest.of(weights, rm.NormalTails(), history, 0.95)
        assert hedged.forecasts["value_at_risk"].mean() < 0.8 * bare.forecasts["value_at_risk"].mean()

    def test_dates_without_a_return_are_counted(self, panel):
        r, f, _ = panel.arrays()
        r = r.copy()
        r[[300, 310], 0] = np.nan
        gaps = panel_of(r, f)
        test = rm.TailBacktest.of(
            {"A0": 1.0}, rm.HistoricalSimulation(), rm.Rolling(rm.Horizon(200), every=50).fit(gaps), 0.95
        )
        assert test.n_missing == 2
        assert len(test.hits) == 398

    def test_no_forecast_from_the_first_days_of_a_listing(self, panel):
        r, f, _ = panel.arrays()
        r = r.copy()
        r[:300, 0] = np.nan
        young = panel_of(r, f)
        history = rm.Rolling(rm.Horizon(200), every=20).fit(young)
        window = rm.Horizon(200)
        for span, first in ((window, 480), (None, 480)):
            test = rm.TailBacktest.of({"A0": 0.5, "A1": 0.5}, rm.HistoricalSimulation(), history, 0.95, span)
            # nine tenths of 200 dates after the listing
            assert test.hits.index[0] == young.dates[first]
            assert len(test.hits) == len(young.dates) - first

    def test_models_of_ever_longer_windows_need_a_loss_beyond_the_level(self, panel):
        r, f, _ = panel.arrays()
        r = r.copy()
        r[:300, 0] = np.nan
        young = panel_of(r, f)
        history = rm.Expanding(every=20).fit(young)
        test = rm.TailBacktest.of({"A0": 1.0}, rm.HistoricalSimulation(), history, 0.98)
        assert test.hits.index[0] == young.dates[350]

    def test_what_a_forecast_needs_is_said(self, panel):
        r, f, _ = panel.arrays()
        r = r.copy()
        r[np.arange(len(r)) % 5 == 0, 0] = np.nan
        history = rm.Rolling(rm.Horizon(200), every=20).fit(panel_of(r, f))
        with pytest.raises(rm.TooFewObservationsError) as caught:
            rm.TailBacktest.of({"A0": 1.0}, rm.HistoricalSimulation(), history, 0.95, rm.Horizon(200))
        assert caught.value.details["fewest"] == 180

    def test_refusals(self, history):
        with pytest.raises(rm.UnknownAssetError):
            rm.TailBacktest.of({"B9": 1.0}, rm.NormalTails(), history)
        with pytest.raises(rm.InvalidParameterError) as caught:
            rm.TailBacktest.of([1.0], rm.NormalTails(), history)
        assert caught.value.details["parameter"] == "weights"
        with pytest.raises(rm.InvalidParameterError) as caught:
            rm.TailBacktest.of({"A0": 1.0}, "normal", history)
        assert caught.value.details["parameter"] == "method"


def test_sample_of_the_crisis():
    """Normal tails fail in 2008, as they should; filtered ones are nearer."""
    panel = rm.SampleData().panel(["JPM", "XOM"], ["Mkt-RF"], start="2007-06-01", end="2008-12-31")
    history = rm.Rolling(rm.YEAR, every=rm.MONTH).fit(panel)
    weights = pd.Series({"JPM": 0.5, "XOM": 0.5})
    normal, filtered = (
        rm.TailBacktest.of(weights, method, history) for method in (rm.NormalTails(), rm.FilteredHistoricalSimulation())
    )
    assert normal.table().loc["coverage", "pvalue"] < 0.01
    assert filtered.breaches < normal.breaches
