"""Hedging each day with the model of the day before: what was promised, and what was earned."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from panels import clean, panel_of

import riskmodel as rm

WEIGHTS = {"A0": 0.5, "A1": 0.7, "A5": -0.3}


@pytest.fixture(scope="module")
def panel():
    return clean(seed=3, t=320, n=8, k=2)


@pytest.fixture(scope="module")
def history(panel):
    return rm.Rolling(rm.Horizon(120), every=20).fit(panel)


@pytest.fixture(scope="module")
def record(history):
    return history.hedged(WEIGHTS, cost=0.001)


@pytest.fixture(scope="module")
def statistical(panel):
    estimator = rm.Assembled(rm.PrincipalComponents(2), rm.SampleCovariance(), rm.SampleVariance())
    return rm.Rolling(rm.Horizon(120), estimator, every=40).fit(panel)


class TestAgainstObjects:
    """A `HedgedPortfolio` made by hand for each date."""

    @pytest.mark.parametrize("kind", ["history", "statistical"])
    def test_returns_weights_and_promises(self, panel, kind, request):
        history = request.getfixturevalue(kind)
        record = history.hedged(WEIGHTS)
        for date in record.returns.index[::37]:
            before = panel.dates[panel.dates < date][-1]
            strategy = rm.Strategy(WEIGHTS, history.asof(before))
            hedged = rm.HedgedPortfolio.neutral(strategy)
            earned = hedged.excess_returns(panel.select(start=date, end=date)).iloc[0]
            assert math.isclose(record.returns.loc[date, "hedged"], earned, rel_tol=1e-9, abs_tol=1e-14)
            promised = record.promised.loc[date]
            assert math.isclose(promised["unhedged"], float(strategy.volatility) ** 2, rel_tol=1e-9)
            assert math.isclose(promised["hedged"], float(hedged.volatility) ** 2, rel_tol=1e-9)
            np.testing.assert_allclose(record.exposures.loc[date, strategy.model.factors], strategy.exposures)
            held = hedged.instruments.sub(strategy.weights, fill_value=0.0)
            np.testing.assert_allclose(record.weights.loc[date].reindex(held.index, fill_value=0.0), held, atol=1e-12)

    def test_agrees_with_excess_returns(self, history, record):
        walked = history.excess_returns(WEIGHTS)
        np.testing.assert_allclose(record.returns["hedged"], walked["hedged"], atol=1e-15)
        np.testing.assert_allclose(record.returns["hedge"], -walked["tracking"], atol=1e-15)


class TestInInstruments:
    """The hedge of least variance in assets, factors and portfolios, remade by hand on some dates."""

    TOOLS = ("A2", "F1", rm.PortfolioFactor("basket", {"A3": 0.5, "A4": 0.5}))

    def test_returns_weights_and_promises(self, panel, history):
        record = history.hedged(WEIGHTS, instruments=self.TOOLS)
        for date in record.returns.index[::53]:
            before = panel.dates[panel.dates < date][-1]
            hedged = rm.HedgedPortfolio.minimum_variance(rm.Strategy(WEIGHTS, history.asof(before)), self.TOOLS)
            earned = hedged.excess_returns(panel.select(start=date, end=date)).iloc[0]
            assert math.isclose(record.returns.loc[date, "hedged"], earned, rel_tol=1e-9, abs_tol=1e-14)
            assert math.isclose(record.promised.loc[date, "hedged"], float(hedged.volatility) ** 2, rel_tol=1e-9)
            np.testing.assert_allclose(record.left.loc[date], hedged.exposures, atol=1e-12)
            held = hedged.hedge_weights
            np.testing.assert_allclose(record.weights.loc[date, held.index], held, atol=1e-12)

    def test_what_is_left_is_promised(self, history):
        record = history.hedged(WEIGHTS, instruments=["A2"], cost={"F0": 0.0, "F1": 0.0, "A2": 0.001})
        table = record.summary()
        assert math.isclose(table.loc["beta F0", "promised"], record.left["F0"].mean())
        assert math.isclose(table.loc["cost", "out_of_sample"], 0.001 * record.turnover.mean())

    @pytest.mark.parametrize("tools", ["A2", []])
    def test_refuses(self, history, tools):
        with pytest.raises(rm.InvalidParameterError):
            history.hedged(WEIGHTS, instruments=tools)
        with pytest.raises(rm.UnknownAssetError):
            history.hedged(WEIGHTS, instruments=["B"])


class TestFigures:
    def test_rolling(self, record):
        table = record.rolling(60)
        last = record.returns.iloc[-60:]
        assert len(table) == len(record.returns) - 59
        found = table.iloc[-1]
        assert math.isclose(found["effectiveness"], 1 - last["hedged"].var() / last["unhedged"].var())
        mean = record.promised.iloc[-60:].mean()
        assert math.isclose(found["promised effectiveness"], 1 - mean["hedged"] / mean["unhedged"])
        fit = sm.OLS(last["hedged"], sm.add_constant(record.factor_returns.iloc[-60:])).fit()
        assert math.isclose(found["beta F1"], fit.params["F1"], rel_tol=1e-8)
        assert math.isclose(found["total cost"], record.returns["cost"].sum())
        assert math.isclose(found["turnover"], record.turnover.iloc[-60:].mean())

    def test_rolling_needs_a_window(self, record):
        with pytest.raises(rm.TooFewObservationsError):
            record.rolling(10_000)
        with pytest.raises(rm.InvalidParameterError):
            record.rolling(2)

    def test_effectiveness(self, record):
        r = record.returns
        assert math.isclose(record.effectiveness, 1 - r["hedged"].var() / r["unhedged"].var())
        mean = record.promised.mean()
        assert math.isclose(record.promised_effectiveness, 1 - mean["hedged"] / mean["unhedged"])

    def test_betas_are_those_of_statsmodels(self, record):
        table, x = record.betas(), sm.add_constant(record.factor_returns)
        for column in ("unhedged", "hedged"):
            fit = sm.OLS(record.returns[column], x).fit(cov_type="HC1")
            np.testing.assert_allclose(table[column], fit.params[1:], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(table["std_error"], fit.bse[1:], rtol=1e-9)
        np.testing.assert_allclose(table["t"], table["hedged"] / table["std_error"])

    def test_turnover_and_costs(self, record):
        held = record.weights
        naive = held.diff().abs().sum(axis=1)
        naive.iloc[0] = held.iloc[0].abs().sum()
        np.testing.assert_allclose(record.turnover, naive)
        np.testing.assert_allclose(record.returns["cost"], 0.001 * naive)
        np.testing.assert_allclose(record.returns["net"], record.returns["hedged"] - 0.001 * naive)
        assert (
            record.turnover > 0
        ).sum() == 10  # the opening trade, and one after each model but the last, whose day is the panel's last

    def test_cost_by_instrument(self, history, record):
        costs = history.hedged(WEIGHTS, cost={"F1": 0.0, "F0": 0.002}).returns["cost"]
        held = record.weights["F0"]
        np.testing.assert_allclose(costs, 0.002 * held.diff().abs().fillna(abs(held.iloc[0])))

    def test_summary(self, record):
        table = record.summary()
        assert list(table.columns) == ["promised", "out_of_sample"]
        assert table.loc["effectiveness", "out_of_sample"] == record.effectiveness
        assert table.loc["beta F1", "out_of_sample"] == record.betas().loc["F1", "hedged"]
        assert math.isclose(table.loc["hedged volatility", "out_of_sample"], record.returns["hedged"].std())

    def test_constant_betas_keep_the_promise(self):
        steady = clean(seed=1, t=2500, n=4, k=1)
        record = rm.Rolling(rm.YEAR, every=60).fit(steady).hedged({"A0": 1.0})
        assert abs(record.effectiveness - record.promised_effectiveness) < 0.04
        assert abs(record.betas().loc["F0", "t"]) < 3

    def test_moving_betas_break_it(self):
        rng = np.random.default_rng(0)
        f = rng.normal(0, 0.01, (1000, 1))
        beta = np.where(np.arange(1000) < 500, 0.5, 2.0)[:, None]
        broken = panel_of(beta * f + rng.normal(0, 0.004, (1000, 1)), f)
        record = rm.Rolling(rm.YEAR, every=250).fit(broken).hedged({"A0": 1.0})
        assert record.effectiveness < record.promised_effectiveness - 0.1
        assert record.betas().loc["F0", "t"] > 5


class TestEdges:
    def test_no_look_ahead(self, panel, record):
        r, f, _ = panel.arrays()
        r, f = r.copy(), f.copy()
        r[250:] *= -0.5
        f[250:] *= 2.0
        other = rm.Rolling(rm.Horizon(120), every=20).fit(panel_of(r, f)).hedged(WEIGHTS, cost=0.001)
        until = panel.dates[249]
        for name in ("returns", "weights", "promised", "exposures"):
            before = getattr(record, name).loc[:until]
            np.testing.assert_allclose(getattr(other, name).loc[:until], before, rtol=1e-9, atol=1e-15)

    def test_missing_returns_are_left_out_and_counted(self, panel):
        r, f, _ = panel.arrays()
        r = r.copy()
        r[200:210, 0] = np.nan
        record = rm.Rolling(rm.Horizon(120), every=20, minimum=60).fit(panel_of(r, f)).hedged(WEIGHTS)
        assert record.n_missing == 10
        known = record.returns.dropna()
        assert math.isclose(record.effectiveness, 1 - known["hedged"].var() / known["unhedged"].var())

    @pytest.mark.parametrize("cost", [5, -0.1, math.nan, "free", {"F0": 5, "F1": 0.0}])
    def test_refused_costs(self, history, cost):
        with pytest.raises(rm.InvalidParameterError) as error:
            history.hedged(WEIGHTS, cost=cost)
        assert error.value.details["parameter"] == "cost"

    def test_cost_of_an_unknown_instrument(self, history):
        with pytest.raises(rm.UnknownAssetError):
            history.hedged(WEIGHTS, cost={"F0": 0.001})

    def test_no_date_after_the_first_model(self, panel):
        with pytest.raises(rm.TooFewObservationsError) as error:
            rm.Rolling(rm.Horizon(320)).fit(panel).hedged(WEIGHTS)
        assert error.value.details["dates"] == 0

    def test_frames_are_copies(self, record):
        before = record.effectiveness
        for name in ("returns", "weights", "exposures", "promised", "factor_returns"):
            frame = getattr(record, name)
            frame.iloc[:, :] = 0.0
        assert record.effectiveness == before
