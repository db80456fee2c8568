"""Value at risk and expected shortfall: against scipy, naive formulas, simulation, and each other."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from panels import clean, panel_of
from scipy import integrate, stats

import riskmodel as rm
from riskmodel.analysis.tails.simulation import SimulatedTail
from riskmodel.analysis.tails.sources import Sources

LEVELS = [0.5, 0.9, 0.95, 0.975, 0.99, 0.999]
METHODS = [
    rm.NormalTails(),
    rm.HistoricalSimulation(),
    rm.HistoricalSimulation(rm.OverlappingSums()),
    rm.HistoricalSimulation(rm.BootstrappedSums(2_000)),
]


@pytest.fixture(scope="module")
def panel():
    return clean(seed=4, t=400, n=5)


@pytest.fixture(scope="module")
def long(panel):
    return rm.Strategy({"A0": 0.4, "A1": 0.5, "A2": -0.2}, rm.OLS().fit(panel))


@pytest.fixture(scope="module")
def hedged(long):
    return rm.HedgedPortfolio.with_factor_share(long, 0.3)


class TestNormal:
    @pytest.mark.parametrize("level", LEVELS)
    def test_scipy(self, long, level):
        risk = rm.NormalTails().of(long, level=level, horizon=rm.MONTH)
        of = stats.norm(0, float(long.volatility.at(rm.MONTH)))
        assert math.isclose(risk.value_at_risk, of.ppf(level), rel_tol=1e-12, abs_tol=1e-15)
        beyond = integrate.quad(of.ppf, level, 1.0, epsabs=1e-12, epsrel=1e-10)[0] / (1 - level)
        assert math.isclose(risk.expected_shortfall, beyond, rel_tol=1e-6)
        assert math.isclose(risk.tail.probability(-risk.value_at_risk), 1 - level, rel_tol=1e-9)

    def test_contributions_are_derivatives(self, hedged, panel):
        """By numerical differentiation of value at risk in the weight of an asset."""
        risk = rm.NormalTails().of(hedged)
        step = 1e-6
        weights = hedged.strategy.weights
        for asset in weights.index:
            up, down = (
                rm.NormalTails().of(
                    rm.HedgedPortfolio(
                        rm.Strategy({**weights, asset: weights[asset] + s}, hedged.model), hedged.hedge_weights
                    )
                )
                for s in (step, -step)
            )
            slope = (up.value_at_risk - down.value_at_risk) / (2 * step)
            assert math.isclose(risk.by_asset.loc[asset, "value_at_risk"], weights[asset] * slope, rel_tol=1e-5)

    def test_interval_is_that_of_the_volatility(self, long, panel):
        risk = rm.NormalTails().of(long, panel, level=0.95)
        table = rm.Inference.of(long.model, panel).table(long, 0.9).loc["volatility"]
        found = risk.intervals(0.9)[0]
        q = stats.norm.ppf(0.95)
        np.testing.assert_allclose(
            [found.std_error, found.low, found.high],
            q * table[["std_error", "low", "high"]].to_numpy(float),
            rtol=1e-9,
        )

    def test_no_panel_no_interval(self, long):
        assert rm.NormalTails().of(long).table()[["std_error", "low", "high"]].isna().all(axis=None)

    def test_a_riskless_portfolio(self):
        model = rm.FactorModel.from_parameters(
            assets=["A"], factors=["F"], alpha=0.0, loadings=1.0, factor_covariance=1e-4, factor_mean=0.0,
            idio_variance=0.0, horizon=rm.DAY,
        )  # fmt: skip
        risk = rm.NormalTails().of(rm.HedgedPortfolio.neutral(rm.Strategy({"A": 1.0}, model)))
        assert risk.value_at_risk == 0.0
        assert (risk.by_factor == 0).all(axis=None)


class TestHistorical:
    @pytest.mark.parametrize("level", LEVELS)
    def test_naive(self, long, panel, level):
        """The smallest loss with enough losses at or below it; the mean of the worst, a fraction of one included."""
        losses = np.sort(-long.excess_returns(panel).to_numpy())
        n = len(losses)
        enough = [x for i, x in enumerate(losses, 1) if i / n >= level - 1e-12]
        worst = n * (1 - level)
        taken, left = 0.0, worst
        for x in losses[::-1]:
            share = min(1.0, left)
            taken, left = taken + share * x, left - share
            if left <= 1e-12:
                break
        risk = rm.HistoricalSimulation().of(long, panel, level)
        assert math.isclose(risk.value_at_risk, enough[0], rel_tol=1e-10)
        assert math.isclose(risk.expected_shortfall, taken / worst, rel_tol=1e-9)

    def test_shortfall_contributions_are_mean_losses_of_the_worst_dates(self, hedged, panel):
        risk = rm.HistoricalSimulation().of(hedged, panel, level=0.95)
        returns = hedged.excess_returns(panel)
        worst = returns.sort_values().index[:20]
        assert math.isclose(risk.expected_shortfall, -returns[worst].mean(), rel_tol=1e-9)
        of_assets = -(panel.excess_returns.loc[worst, hedged.weights.index] * hedged.weights).mean()
        of_legs = -(panel.factor_returns.loc[worst] * hedged.legs).mean()
        np.testing.assert_allclose(
            risk.by_asset["expected_shortfall"], [*of_assets, *of_legs[hedged.legs != 0]], rtol=1e-9
        )
        of_factors = -(panel.factor_returns.loc[worst] * hedged.exposures).mean()
        np.testing.assert_allclose(risk.by_factor["expected_shortfall"].iloc[:-1], of_factors, rtol=1e-9, atol=1e-15)

    def test_square_root_of_time(self, long, panel):
        day = rm.HistoricalSimulation().of(long, panel)
        month = rm.HistoricalSimulation().of(long, panel, horizon=rm.MONTH)
        assert math.isclose(month.value_at_risk, math.sqrt(21) * day.value_at_risk, rel_tol=1e-12)
        np.testing.assert_allclose(month.table(), math.sqrt(21) * day.table())

    def test_overlapping_sums(self, long, panel):
        risk = rm.HistoricalSimulation(rm.OverlappingSums()).of(long, panel, 0.9, rm.Horizon(5))
        sums = long.excess_returns(panel).rolling(5).sum().dropna()
        losses = np.sort(-sums.to_numpy())
        assert math.isclose(risk.value_at_risk, losses[math.ceil(0.9 * len(losses) - 1e-9) - 1], rel_tol=1e-10)

    def test_overlapping_sums_leave_out_gaps(self, panel):
        r, f, _ = panel.arrays()
        r = r.copy()
        r[100, 0] = np.nan
        gaps = panel_of(r, f)
        long = rm.Strategy({"A0": 1.0}, rm.OLS().fit(gaps))
        with pytest.warns(rm.MissingDatesWarning):
            risk = rm.HistoricalSimulation(rm.OverlappingSums()).of(long, gaps, 0.9, rm.Horizon(5))
        assert len(risk.tail.draws.rows) == 95 + 1 + (400 - 101) - 4
        assert math.isclose(risk.tail.draws.independent, len(risk.tail.draws.rows) / 5)

    def test_bootstrapped_sums_of_normal_returns(self):
        """Sums of five independent normal returns are normal with five times the variance."""
        rng = np.random.default_rng(0)
        panel = panel_of(rng.normal(0, 0.01, (5_000, 1)), rng.normal(0, 0.01, (5_000, 1)))
        long = rm.Strategy({"A0": 1.0}, rm.OLS().fit(panel))
        method = rm.HistoricalSimulation(rm.BootstrappedSums(20_000, seed=3))
        risk = method.of(long, panel, 0.95, rm.Horizon(5))
        expected = 0.01 * math.sqrt(5) * stats.norm.ppf(0.95)
        i = risk.intervals()[0]
        assert abs(i.estimate - expected) < 4 * i.std_error
        assert i.std_error < 0.05 * expected
        assert method.of(long, panel, 0.95, rm.Horizon(5)).value_at_risk == risk.value_at_risk

    def test_missing_dates_are_said(self, panel):
        r, f, _ = panel.arrays()
        r = r.copy()
        r[10:30, 0] = np.nan
        gaps = panel_of(r, f)
        long = rm.Strategy({"A0": 1.0}, rm.OLS().fit(gaps))
        with pytest.warns(rm.MissingDatesWarning) as caught:
            rm.HistoricalSimulation().of(long, gaps)
        assert caught[0].message.details["missing"] == 20

    def test_too_few_losses_for_an_end(self, long, panel):
        """Of 100 dates, none says how large the loss of one in a thousand may be."""
        risk = rm.HistoricalSimulation().of(long, panel.select(end=panel.dates[99]), level=0.999)
        assert risk.intervals()[0].high == math.inf
        assert math.isfinite(risk.intervals()[0].low)
        # the mean of what is beyond it is at least as large
        assert (risk.intervals()[1].low, risk.intervals()[1].high) == (risk.intervals()[0].low, math.inf)


class TestSums:
    @pytest.mark.parametrize("method", METHODS, ids=repr)
    @given(seed=st.integers(0, 2**32 - 1), level=st.floats(0.5, 0.999))
    def test_contributions_add_up(self, method, seed, level):
        rng = np.random.default_rng(seed)
        panel = clean(seed % 7, t=120, n=5)
        long = rm.Strategy(pd.Series(rng.normal(0, 1, 5), panel.assets), rm.OLS().fit(panel))
        p = rm.HedgedPortfolio(long, {"F1": 0.5, "A3": -0.2}) if seed % 2 else long
        risk = method.of(rm.Position(p, 1e6, rm.MONTH), panel, level, rm.Horizon(2))
        whole = [risk.value_at_risk, risk.expected_shortfall]
        groups = {label: str(label)[-1] in "024" for label in risk.by_asset.index}
        scale = risk.by_asset.abs().to_numpy().sum()
        for table in (risk.by_factor, risk.by_asset, risk.by_group(groups)):
            np.testing.assert_allclose(table.sum(), whole, rtol=1e-9, atol=1e-10 * scale)

    def test_dollars(self, hedged, panel):
        for method in METHODS:
            a, b = method.of(hedged, panel), method.of(rm.Position(hedged, 3e6, rm.MONTH), panel)
            np.testing.assert_allclose(b.table(), 3e6 * a.table())

    def test_tables_name_their_unit(self, hedged, panel):
        month = rm.NormalTails().of(rm.Position(hedged, 3e6, rm.MONTH), panel, horizon=rm.MONTH)
        groups = dict.fromkeys(month.by_asset.index, "all")
        for table in (month.table(), month.by_factor, month.by_asset, month.by_group(groups)):
            assert table.columns.name == month.unit == "dollars per month"
        assert rm.NormalTails().of(hedged, panel).table().columns.name == "return per day"


class TestCoverage:
    """Intervals cover the truth as often as they say, by simulation."""

    @pytest.mark.parametrize(("method", "n"), [(rm.HistoricalSimulation(), 80), (rm.NormalTails(), 25)], ids=repr)
    def test_of_independent_returns(self, method, n):
        covered = []
        for seed in range(n):
            rng = np.random.default_rng(seed)
            f = rng.normal(0, 0.01, (500, 1))
            panel = panel_of(f + rng.normal(0, 0.01, (500, 1)), f)
            model = rm.OLS().fit(panel)
            risk = method.of(rm.Strategy({"A0": 1.0}, model), panel, 0.95)
            both = risk.intervals(0.9)
            of = stats.norm(0, 0.01 * math.sqrt(2))
            truth = of.ppf(0.95), of.std() * stats.norm.pdf(stats.norm.ppf(0.95)) / 0.05
            covered.append([i.low <= x <= i.high for i, x in zip(both, truth, strict=True)])
        share = np.mean(covered, axis=0)
        assert (share > 0.9 - 4 * math.sqrt(0.09 / n)).all()

    @pytest.mark.parametrize(
        ("sums", "n", "rows", "level"),
        [
            (rm.SquareRootOfTime(), 500, 1, 0.95),
            (rm.SquareRootOfTime(), 500, 1, 0.99),
            (rm.OverlappingSums(), 600, 5, 0.9),
            (rm.OverlappingSums(), 2_500, 5, 0.99),
            (rm.BootstrappedSums(2_000), 600, 5, 0.95),
        ],
        ids=repr,
    )
    def test_of_sums(self, sums, n, rows, level):
        covered = []
        q = stats.norm.ppf(level)
        truth = np.array([q, stats.norm.pdf(q) / (1 - level)]) * math.sqrt(rows)
        for seed in range(200):
            r = np.random.default_rng(seed).normal(0, 1, (n, 1))
            sources = Sources(np.arange(n), r, r, pd.Index(["idio"]), pd.Index(["A"]))
            ends = SimulatedTail(sources, sums.draws(sources.at, rows), level).ends(0.9)
            covered.append([e.low <= x <= e.high for e, x in zip(ends, truth, strict=True)])
        share = np.mean(covered, axis=0)
        assert share[0] > 0.9 - 3 * math.sqrt(0.09 / 200)
        assert share[1] > 0.86 - 3 * math.sqrt(0.09 / 200)
        assert share.min() < 0.97


class TestRefusals:
    @pytest.mark.parametrize("level", [0.01, 99, 1.0, 0.0, -1.0])
    def test_levels(self, long, level):
        with pytest.raises(rm.InvalidParameterError) as caught:
            rm.NormalTails().of(long, level=level)
        assert caught.value.details["got"] == level

    def test_simulations_need_a_panel(self, long):
        with pytest.raises(rm.NotEstimatedError):
            rm.HistoricalSimulation().of(long)

    def test_horizons(self, long, panel):
        month = panel_of(*panel.arrays()[:2])
        with pytest.raises(rm.HorizonMismatchError):
            rm.NormalTails().of(rm.Strategy({"A0": 1.0}, long.model.at(rm.MONTH)), month)
        with pytest.raises(rm.InvalidParameterError) as caught:
            rm.HistoricalSimulation(rm.OverlappingSums()).of(long, panel, horizon=rm.Horizon(2.5))
        assert caught.value.details["parameter"] == "horizon"

    def test_no_run_long_enough(self, long, panel):
        with pytest.raises(rm.TooFewObservationsError) as caught:
            rm.HistoricalSimulation(rm.OverlappingSums()).of(long, panel, horizon=rm.Horizon(500))
        assert caught.value.details["rows"] == 500

    def test_not_a_portfolio(self, panel):
        with pytest.raises(rm.InvalidParameterError) as caught:
            rm.NormalTails().of({"A0": 1.0}, panel)
        assert caught.value.details["parameter"] == "holding"
