"""Studies out of sample against naive loops, statsmodels, arch and simulations whose truth is known."""

from __future__ import annotations

import itertools
import math
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import attrs
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import strategies as our
from hypothesis import given
from hypothesis import strategies as st
from panels import panel_of
from scipy import stats

import riskmodel as rm
from riskmodel.evaluation.calibration import bias_band, mean_rolling_deviation
from riskmodel.evaluation.comparison import diebold_mariano, model_confidence_set
from riskmodel.evaluation.forecast import DenseForecast, StructuredForecast
from riskmodel.inference.backtests import christoffersen, independence, kupiec

SIGMA = 0.01
WEEK = rm.Horizon(5)
FEW = {
    "long": rm.RandomLong(4),
    "long-short": rm.RandomLongShort(4),
    "equal": rm.EqualWeights(),
    "minimum variance": rm.MinimumVariance(),
    "factors": rm.FactorPortfolios(),
}


def truth(n=6, k=2, seed=3):
    """B, F and D of a daily model."""
    rng = np.random.default_rng(seed)
    return rng.normal(1, 0.5, (n, k)), np.diag([SIGMA**2, 0.25 * SIGMA**2])[:k, :k], rng.uniform(1, 4, n) * SIGMA**2


def made(t=400, n=6, seed=0):
    """A panel of normal returns with that covariance."""
    b, f, d = truth(n)
    rng = np.random.default_rng(seed)
    factors = rng.multivariate_normal(np.zeros(len(f)), f, t)
    return panel_of(factors @ b.T + rng.normal(size=(t, n)) * np.sqrt(d), factors)


def true_covariance(returns):
    b, f, d = truth(returns.shape[1])
    return pd.DataFrame(b @ f @ b.T + np.diag(d), returns.columns, returns.columns)


def sample(returns):
    return returns.cov()


def halves(returns):
    """Not the covariance: a quarter of it."""
    return returns.cov().to_numpy() / 4


class Fitted:
    """A covariance as scikit-learn has it."""

    def fit(self, frame):
        self.covariance_ = np.cov(frame.to_numpy().T)
        return self


class Prior:
    """A prior as skfolio has it."""

    def fit(self, frame):
        self.return_distribution_ = type("D", (), {"covariance": np.cov(frame.to_numpy().T)})
        return self


def walk(methods=None, **settings):
    plain = {"window": rm.Horizon(100), "horizon": WEEK, "every": 20}
    return rm.WalkForward(methods or {"OLS": rm.OLS(), "sample": sample}, **(plain | settings))


# -- the walk against a loop -----------------------------------------------------------------------


def test_a_study_is_what_a_plain_loop_makes():
    panel = made()
    study = walk(portfolios={"long": rm.RandomLong(3), "minimum variance": rm.MinimumVariance()}).run(panel)
    returns = panel.excess_returns
    z, q, own, stops = [], [], [], range(100, 396, 20)
    assert list(study.dates) == [panel.dates[i - 1] for i in stops]
    assert list(study.ends) == [panel.dates[i + 4] for i in stops]
    for i in stops:
        past, future = returns.iloc[i - 100 : i], returns.iloc[i : i + 5].to_numpy()
        cov = np.cov(past.to_numpy().T)
        w = np.linalg.solve(cov, np.ones(6))
        w /= w.sum()
        r, v = future @ w, 5 * w @ cov @ w
        z.append(r.sum() / np.sqrt(v))
        q.append(r @ r / v - math.log(r @ r / v) - 1)
        own.append(r)
    got = study.summary().loc[("minimum variance", "sample")]
    assert got["bias"] == pytest.approx(np.std(z, ddof=1), rel=1e-10)
    assert got["qlike"] == pytest.approx(np.mean(q), rel=1e-10)
    assert got["volatility"] == pytest.approx(np.concatenate(own).std(ddof=1) * 252**0.5, rel=1e-10)
    assert (got["low"], got["high"]) == pytest.approx((1 - (2 / 15) ** 0.5, 1 + (2 / 15) ** 0.5))
    b = [np.std(z[i - 12 : i], ddof=1) for i in range(12, 16)]
    assert got["mrad"] == pytest.approx(np.mean(np.abs(np.array(b) - 1)), rel=1e-10)
    rows = np.concatenate(own) < stats.norm.ppf(0.05) * np.repeat(
        [np.sqrt(v / 5) for v in study.records.xs(("minimum variance", "sample"), level=[1, 2])["variance"]], 5
    )
    assert got["breaches"] == pytest.approx(rows.mean())
    weights = study.weights("minimum variance", "sample").to_numpy()
    assert got["turnover"] == pytest.approx(np.abs(np.diff(weights, axis=0)).sum(axis=1).mean() / 2)
    assert study.turnover()["sample"].mean() == pytest.approx(got["turnover"])


def test_all_methods_see_the_same_and_ours_without_a_matrix(monkeypatch):
    monkeypatch.setattr(rm.FactorCovariance, "to_dense", None)
    methods = {"OLS": rm.OLS(), "model": lambda r: rm.OLS().fit(panel.select(start=r.index[0], end=r.index[-1]))}
    panel = made()
    study = walk(methods).run(panel)
    table = study.records
    for family in study.families:
        ours, same = (table.xs((family, m), level=["family", "method"]) for m in methods)
        pd.testing.assert_frame_equal(ours, same)
    of_factors = table.xs((study.dates[0], "factors", "OLS"), level=["date", "family", "method"])
    assert list(of_factors.index) == ["F0", "F1"]


def test_the_forecasts_of_a_model_are_those_of_its_matrix():
    cov = rm.OLS().fit(made()).covariance
    one, other = StructuredForecast(cov), DenseForecast(cov.assets, cov.to_dense().to_numpy())
    w = np.random.default_rng(0).normal(size=(6, 4))
    np.testing.assert_allclose(one.variances(w), other.variances(w), rtol=1e-12)
    np.testing.assert_allclose(one.solve(w), other.solve(w), rtol=1e-9)


def test_covariances_that_are_not_ours_give_the_same_in_every_form():
    def turned(returns):
        return returns[returns.columns[::-1]].cov()

    study = walk({"frame": sample, "turned": turned, "fit": Fitted(), "prior": Prior()}).run(made())
    bias = study.summary()["bias"].xs("long", level="family")
    assert bias.to_numpy() == pytest.approx(np.full(4, bias["frame"]), rel=1e-10)


class InOrder:
    """A model with links, its assets in another order, at another horizon."""

    def __init__(self, step, horizon):
        self.step, self.horizon = step, horizon

    def __call__(self, frame):
        b, f, d = truth(frame.shape[1])
        links = np.sqrt(0.5 * d)[:, None] * (np.arange(len(d)) < 2)[:, None]
        factors = [f"F{k}" for k in range(len(f))]
        covariance = rm.FactorCovariance(frame.columns, factors, b, f, d, rm.DAY, links)
        return covariance.restrict(frame.columns[:: self.step]).at(self.horizon)


def test_order_horizon_and_links_of_a_structured_covariance_are_read():
    panel = made()
    study = walk({"plain": InOrder(1, rm.DAY), "turned": InOrder(-1, rm.DAY), "yearly": InOrder(1, rm.YEAR)}).run(panel)
    variance = study.records["variance"].unstack("method")  # noqa: PD010
    np.testing.assert_allclose(variance["turned"], variance["plain"], rtol=1e-9)
    np.testing.assert_allclose(variance["yearly"], variance["plain"], rtol=1e-9)


def test_an_estimator_of_scikit_learn_is_that_of_scikit_learn():
    from sklearn.covariance import LedoitWolf

    def same(returns):
        return LedoitWolf().fit(returns.to_numpy()).covariance_

    study = walk({"object": LedoitWolf(), "function": same}, portfolios=FEW).run(made())
    one, other = (study.records.xs(m, level="method") for m in ("object", "function"))
    pd.testing.assert_frame_equal(one, other)


def test_what_the_caller_passes_is_left_alone():
    method, panel = Fitted(), made()
    before = panel.arrays()[0].copy()

    def greedy(returns):
        returns[:] = 0.5 * returns
        return returns.cov()

    walk({"fit": method, "greedy": greedy, "OLS": rm.OLS()}).run(panel)
    assert not hasattr(method, "covariance_")
    np.testing.assert_array_equal(panel.arrays()[0], before)


# -- no look-ahead ---------------------------------------------------------------------------------


@given(our.SEEDS, st.integers(130, 195), st.booleans())
def test_returns_after_a_date_change_no_forecast_of_it(seed, cut, ragged):
    rng = np.random.default_rng(seed)
    panel = made(t=200, seed=seed)
    returns = panel.excess_returns.to_numpy(copy=True)
    if ragged:
        returns[: rng.integers(1, 60), 1] = np.nan
        returns[rng.random(returns.shape) < 0.01] = np.nan
    changed = returns.copy()
    changed[cut:] = np.where(np.isnan(returns[cut:]), np.nan, rng.normal(0, 0.1, returns[cut:].shape))
    study = walk(
        {"OLS": rm.EWMA(rm.QUARTER), "sample": sample},
        every=25,
        assets=rm.KnownAssets(0.5, rm.RandomDraw(4)),
        portfolios=FEW,
    )
    before, after = (study.run(attrs.evolve(panel, excess_returns=r)) for r in (returns, changed))
    known = before.dates <= panel.dates[cut - 1]
    assert known.sum() >= 2
    one, other = (
        s.records["variance"][s.records.index.get_level_values("date").isin(s.dates[known])] for s in (before, after)
    )
    assert one.index.equals(other.index)
    np.testing.assert_array_equal(one.to_numpy(), other.to_numpy())
    for method in before.methods:
        one, other = (s.weights("minimum variance", method)[known[: len(s.dates)]] for s in (before, after))
        np.testing.assert_array_equal(one.to_numpy(), other.to_numpy())


# -- a known truth ---------------------------------------------------------------------------------


def test_a_true_covariance_is_told_from_one_that_is_too_small():
    methods = {"true": true_covariance, "sample": sample, "small": halves}
    study = walk(methods, every=None, portfolios=FEW).run(made(t=1_500, seed=5))
    table = study.summary()
    right, small = (table.xs(m, level="method") for m in ("true", "small"))
    assert right["bias"].between(right["low"], right["high"]).all()
    assert small["bias"].to_numpy() == pytest.approx(2.0, abs=0.2)
    n = 5 * len(study.dates)
    assert right["breaches"].to_numpy() == pytest.approx(0.05, abs=2.5 * (0.05 * 0.95 / n) ** 0.5)
    assert small["breaches"].min() > 0.15
    assert (right[["kupiec", "christoffersen"]] > 0.05).all(axis=None)
    assert (small[["kupiec", "christoffersen"]] < 1e-6).all(axis=None)
    assert study.distances()["true"].mean() == pytest.approx(1.0, abs=0.03)
    assert study.distances()["small"].mean() == pytest.approx(4.2, abs=0.3)
    compared = study.comparisons()
    assert (compared["against"] == "true").all()
    assert (compared["low"].xs("small", level="method") > 0).all()
    assert (study.comparisons(against="small")["high"].dropna() < 0).all()
    wild = study.by_regime()["bias"].xs(("long", "true"), level=["family", "method"])
    assert wild["calm"] < wild["wild"]
    assert right["mrad"].to_numpy() == pytest.approx(0.165, abs=0.05)


def test_factors_of_a_model_have_the_size_that_it_forecasts():
    study = walk({"OLS": rm.OLS()}, every=None, portfolios=FEW).run(made(t=1_500, seed=2))
    row = study.summary().loc[("factors", "OLS")]
    assert row["low"] < row["bias"] < row["high"]
    each = study.bias().loc["factors", "OLS"]
    assert list(each.index) == ["F0", "F1"]
    assert each["bias"].mean() == pytest.approx(row["bias"])
    assert each["bias"].to_numpy() == pytest.approx(study.scores("factors", "OLS").std().to_numpy())


# -- losses and tests ------------------------------------------------------------------------------


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.sampled_from([-3.0, -2.0, -1.0, -0.5, 0.0, 1.0]))
def test_robust_losses_are_zero_only_where_the_forecast_is_right(s, h, b):
    loss = rm.RobustLoss(b)
    size = max(s, h) ** (b + 2) + min(s, h) ** (b + 2)
    assert loss.values(s, s) == pytest.approx(0.0, abs=1e-9 * size)
    assert loss.values(s, h) >= -1e-9 * size
    near = rm.RobustLoss(b + 1e-6).values(s, h)
    assert loss.values(s, h) == pytest.approx(near, rel=1e-3, abs=1e-4 * size)


@pytest.mark.parametrize(("b", "expected"), [(-2.0, np.inf), (-1.5, 2 * 2**0.5), (-1.0, 2.0), (0.0, 2.0)])
def test_losses_where_nothing_moved_are_their_limits(b, expected):
    assert rm.RobustLoss(b).values(0.0, 2.0) == pytest.approx(expected)
    near = rm.RobustLoss(b).values(1e-12, 2.0)
    assert near == pytest.approx(expected, rel=1e-5) if np.isfinite(expected) else near > 20


def test_losses_of_known_shapes():
    s, h = np.array([1.0, 2.0]), np.array([2.0, 0.5])
    np.testing.assert_allclose(rm.RobustLoss(0).values(s, h), (s - h) ** 2 / 2)
    np.testing.assert_allclose(rm.QLIKE.values(s, h), s / h - np.log(s / h) - 1)


def binomial_ratio(x, n, p):
    return 2 * (stats.binom.logpmf(x, n, x / n) - stats.binom.logpmf(x, n, p))


@given(st.lists(st.booleans(), min_size=4, max_size=60), st.floats(0.01, 0.3))
def test_coverage_against_likelihoods_written_out(hits, p):
    hits = np.array(hits)
    n, x = len(hits), int(hits.sum())
    got = kupiec(hits, p)
    assert got.statistic == pytest.approx(binomial_ratio(x, n, p), abs=1e-9)
    assert got.pvalue == pytest.approx(stats.chi2.sf(got.statistic, 1))
    together = 0.0
    pairs = list(itertools.pairwise(hits))
    for state in (False, True):
        after = [b for a, b in pairs if a == state]
        if after:
            together += stats.binom.logpmf(sum(after), len(after), np.mean(after)) - stats.binom.logpmf(
                sum(after), len(after), np.mean(hits[1:])
            )
    assert independence(hits).statistic == pytest.approx(2 * together, abs=1e-9)
    both = christoffersen(hits, p)
    assert both.statistic == pytest.approx(got.statistic + 2 * together, abs=1e-9)
    assert (both.breaches, both.observations) == (x, n)


def test_kupiecs_regions_are_the_published_ones():
    """Kupiec (1995), table 3: numbers of failures that do not reject at 5 %."""
    for level, n, low, high in ((0.05, 255, 6, 21), (0.05, 510, 16, 36), (0.01, 1000, 4, 17), (0.025, 510, 6, 21)):
        accepted = [x for x in range(60) if kupiec(np.arange(n) < x, level).pvalue > 0.05]
        assert (accepted[0] - 1, accepted[-1] + 1) == (low, high)


def test_breaches_in_a_row_are_not_independent():
    hits = np.tile([True, True, True, True, True] + [False] * 95, 10)
    assert kupiec(hits, 0.05).pvalue > 0.9
    assert christoffersen(hits, 0.05).pvalue < 1e-10
    apart = [np.array([False, True]), np.array([True, False])]
    assert independence(apart).statistic == pytest.approx(2 * 2 * math.log(2))
    with pytest.raises(rm.InvalidParameterError) as caught:
        kupiec(hits, 0.95)
    assert caught.value.details["parameter"] == "level"


@pytest.mark.parametrize("overlap", [0, 3, 8])
def test_diebold_mariano_is_a_hac_regression_with_the_small_sample_correction(overlap):
    d = np.random.default_rng(1).normal(0.1, 1, 90)
    d = d + np.roll(d, 1)
    n, h, lags = len(d), overlap + 1, max(overlap, 3)
    fit = sm.OLS(d, np.ones(n)).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    correction = ((n + 1 - 2 * h + h * (h - 1) / n) / n) ** 0.5
    got = diebold_mariano(d, overlap)
    assert got.statistic == pytest.approx(fit.tvalues[0] * correction, rel=1e-10)
    assert got.pvalue == pytest.approx(2 * stats.t.sf(abs(got.statistic), n - 1), rel=1e-10)
    e = d - d.mean()
    gamma = [(e[j:] * e[: n - j]).sum() / n for j in range(lags + 1)]
    variance = gamma[0] + 2 * sum((1 - j / (lags + 1)) * g for j, g in enumerate(gamma) if j)
    assert got.std_error == pytest.approx((variance / n) ** 0.5 / correction, rel=1e-10)
    assert (got.low + got.high) / 2 == pytest.approx(got.difference)


def test_forecasts_that_are_the_same_are_equally_good():
    got = diebold_mariano(np.zeros(20))
    assert (got.difference, got.std_error, got.pvalue) == (0.0, 0.0, 1.0)
    with pytest.raises(rm.TooFewObservationsError) as caught:
        diebold_mariano([0.1, np.nan] * 5)
    assert caught.value.details["got"] == 5


def test_the_confidence_set_is_that_of_arch():
    from arch.bootstrap import MCS

    rng = np.random.default_rng(0)
    losses = pd.DataFrame(rng.normal([1.0, 1.0, 2.0], 1.0, (200, 3)), columns=["a", "b", "bad"])
    expected = MCS(losses, 0.1, reps=300, block_size=6, method="R", seed=1)
    expected.compute()
    got = model_confidence_set(losses, 0.1, 6, 300, 1)
    assert got.to_dict() == pytest.approx(expected.pvalues["Pvalue"].to_dict())
    assert got["bad"] < 0.1 < max(got["a"], got["b"])
    assert model_confidence_set(losses[["a"]], 0.1, 6, 300, 1).to_dict() == {"a": 1.0}
    study = walk({"true": true_covariance, "small": halves}, every=None, portfolios=FEW).run(made(t=800, seed=5))
    table = study.confidence_set(repetitions=200)
    assert (table.loc["true"].dropna() == 1.0).all()
    assert (table.loc["small"].dropna() < 0.05).all()


def test_bands_and_rolling_deviations():
    assert bias_band(200) == pytest.approx((0.9, 1.1))
    right = pd.DataFrame(np.random.default_rng(0).normal(size=(600, 8)))
    assert mean_rolling_deviation(right) == pytest.approx(0.17, abs=0.01)
    swings = right * np.where(np.arange(600) % 100 < 50, 0.5, 1.3)[:, None]
    assert mean_rolling_deviation(swings) > 0.3
    assert np.isnan(mean_rolling_deviation(right.head(5)))


def test_overlapping_periods_count_each_row_of_returns_once():
    panel = made(t=300)
    dense, plain = (walk({"OLS": rm.OLS()}, horizon=rm.MONTH, every=n).run(panel) for n in (7, 21))
    assert (dense.overlap, plain.overlap) == (2, 0)
    rows = dense.breaches()["rows"]
    assert set(rows) == {7 * (len(dense.dates) - 1) + 21}
    assert set(plain.breaches()["rows"]) == {21 * len(plain.dates)}
    sparse = walk({"OLS": rm.OLS()}, horizon=WEEK, every=20).run(panel)
    assert len(sparse._sequences(np.zeros((2, 5), bool), [0, 1])) == 2
    assert len(plain._sequences(np.zeros((2, 21), bool), [0, 1])) == 1


# -- assets and portfolios -------------------------------------------------------------------------


def test_assets_that_cannot_be_used_are_told():
    panel = made(t=160)
    returns = panel.excess_returns.to_numpy(copy=True)
    returns[:60, 0], returns[:, 1], returns[103, 2], returns[50, 3] = np.nan, 0.001, np.nan, np.nan
    ragged = attrs.evolve(panel, excess_returns=returns)
    seen = []

    def watched(frame):
        seen.append(frame)
        return frame.cov()

    study = walk({"OLS": rm.OLS(), "watched": watched}, every=40).run(ragged)
    first = study.left_out.groupby("date").get_group(study.dates[0]).set_index("asset")["reason"]
    assert first.to_dict() == {
        "A0": "too few known returns in the window",
        "A1": "returns that do not vary in the window",
        "A2": "unknown returns after the window",
    }
    assert study.universe["used"].tolist() == [3, 4]
    assert study.universe["filled"].tolist() == [1, 2]
    assert list(seen[0].columns) == ["A3", "A4", "A5"]
    assert seen[0]["A3"].iloc[50] == 0.0


def test_draws():
    panel, few = made(t=300, n=12), {"OLS": rm.OLS()}
    steady = walk(few, assets=rm.KnownAssets(draw=rm.SteadyDraw(5))).run(panel)
    anew = walk(few, assets=rm.KnownAssets(draw=rm.RandomDraw(5))).run(panel)
    held = {name: (s.weights("equal", "OLS") > 0) for name, s in {"steady": steady, "anew": anew}.items()}
    assert (held["steady"].sum(axis=1) == 5).all()
    assert len(held["steady"].drop_duplicates()) == 1
    assert (held["anew"].sum(axis=1) == 5).all()
    assert len(held["anew"].drop_duplicates()) > 5
    assert steady.summary().loc[("equal", "OLS"), "turnover"] == 0.0
    assert steady.left_out.empty
    assert (steady.universe["not drawn"] == 7).all()
    # one that is gone is replaced by one, the others stay
    index = pd.Index([f"A{i}" for i in range(12)])
    chosen = set(index[rm.SteadyDraw(5).choose(index, panel.dates[0])])
    fewer = index.drop(sorted(chosen)[:1])
    assert len(chosen & set(fewer[rm.SteadyDraw(5).choose(fewer, panel.dates[0])])) == 4


def test_families_hold_what_they_say():
    forecast = StructuredForecast(rm.OLS().fit(made()).covariance)
    date = pd.Timestamp("2012-03-05")
    long = rm.RandomLong(40).weights(date, forecast)
    assert long.sum().to_numpy() == pytest.approx(np.ones(40))
    assert (long >= 0).all(axis=None)
    ls = rm.RandomLongShort(40).weights(date, forecast)
    assert ls.sum().to_numpy() == pytest.approx(np.zeros(40), abs=1e-15)
    assert ls.abs().sum().to_numpy() == pytest.approx(np.ones(40))
    assert not ls.equals(rm.RandomLongShort(40).weights(pd.Timestamp("2012-03-06"), forecast))
    assert not ls.equals(rm.RandomLongShort(40, seed=1).weights(date, forecast))
    pd.testing.assert_frame_equal(ls, rm.RandomLongShort(40).weights(date, forecast))
    sectors = pd.Series({"A0": "x", "A1": "y", "A2": "x", "A3": "x", "A4": "y", "B": "y"})
    groups = rm.GroupPortfolios(sectors, least=2).weights(date, forecast)
    assert groups["x"].to_list() == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3, 0, 0])
    assert groups["y"].to_list() == pytest.approx([0, 0.5, 0, 0, 0.5, 0])
    assert list(rm.GroupPortfolios(sectors, least=3).weights(date, forecast)) == ["x"]
    cov = forecast.covariance.to_dense().to_numpy()
    w = rm.MinimumVariance().weights(date, forecast).to_numpy()[:, 0]
    assert cov @ w == pytest.approx(np.full(6, w @ cov @ w), rel=1e-10)
    mimic = rm.FactorPortfolios().weights(date, forecast)
    np.testing.assert_allclose(forecast.covariance.loadings.T @ mimic, np.eye(2), atol=1e-12)
    assert rm.FactorPortfolios().weights(date, DenseForecast(forecast.assets, cov)).shape == (6, 0)


def test_own_weights_are_the_latest_known():
    forecast, date = StructuredForecast(rm.OLS().fit(made()).covariance), pd.Timestamp("2012-03-05")
    table = pd.DataFrame(
        {"A1": [1.0, 0.5, 9.0], "A3": [np.nan, 0.5, 9.0]}, pd.DatetimeIndex(["2012-01-02", date, "2013-01-01"])
    )
    assert rm.OwnWeights(table).weights(date, forecast)["0"].to_list() == [0, 0.5, 0, 0.5, 0, 0]
    day_before = rm.OwnWeights(table).weights(date - pd.Timedelta(days=1), forecast)
    assert day_before["0"].to_list() == [0, 1, 0, 0, 0, 0]
    assert rm.OwnWeights({"A2": -2.0}).weights(date, forecast)["0"].to_list() == [0, 0, -2, 0, 0, 0]
    with pytest.raises(rm.EstimationError):
        rm.OwnWeights(table).weights(pd.Timestamp("2011-01-01"), forecast)
    partly = {"A0": 0.9, "GONE": 0.1}
    assert rm.OwnWeights(partly, covered=0.9).weights(date, forecast)["0"].iloc[0] == 0.9
    study = walk({"OLS": rm.OLS()}, portfolios={"mine": rm.OwnWeights(partly), "equal": rm.EqualWeights()}).run(made())
    assert set(study.failures["part"]) == {"mine"}
    assert list(study.summary().index) == [("equal", "OLS")]


# -- methods that fail -----------------------------------------------------------------------------


def fails_later(frame):
    if frame.index[-1] > pd.Timestamp("2010-10-01"):
        raise np.linalg.LinAlgError("no")
    return frame.cov()


def test_a_method_without_a_forecast_is_recorded():
    with pytest.warns(rm.FailedForecastWarning) as told:
        study = walk({"OLS": rm.OLS(), "fails": fails_later}).run(made())
    n = int((study.dates > "2010-10-01").sum())
    first, last = (w.message.details for w in told)
    assert first == {"method": "fails", "error": "LinAlgError: no"}
    assert last == {"dates": {"fails": n}}
    assert len(study.failures) == n
    assert study.failures["reason"].iloc[0] == "LinAlgError: no"
    assert study.summary().loc[("long", "fails"), "dates"] == len(study.dates) - n
    assert study.by_method()["failures"].to_dict() == {"OLS": 0, "fails": n}
    paired = study.comparisons(against="OLS") if len(study.dates) - n >= 8 else None
    assert paired is None or (paired["dates"] == len(study.dates) - n).all()


class Fails:
    """The sample covariance, but not on the first dates."""

    def __init__(self, until):
        self.until = pd.Timestamp(until)

    def __call__(self, frame):
        if frame.index[-1] < self.until:
            raise ValueError("no")
        return frame.cov()


@pytest.mark.filterwarnings("ignore::riskmodel.FailedForecastWarning")
def test_one_method_with_few_dates_leaves_the_comparisons_of_others():
    panel, plain = made(t=300), {"OLS": rm.OLS(), "sample": sample}
    dates = walk(plain).run(panel).dates
    assert 8 <= len(dates) < 14
    few = walk(plain | {"few": Fails(dates[len(dates) - 7])}).run(panel)
    assert set(few.comparisons(against="OLS").index.get_level_values("method")) == {"sample"}
    assert "comparisons" in few.frames()
    with pytest.raises(rm.TooFewObservationsError):
        few.comparisons(against="few")
    alone = walk({"OLS": rm.OLS(), "few": Fails(dates[len(dates) - 7])}).run(panel)
    assert "comparisons" not in alone.frames()


def test_a_method_without_any_forecast_and_a_mistake_end_the_study():
    wrong = walk({"OLS": rm.OLS(), "small": lambda r: np.eye(2)})
    with pytest.warns(rm.FailedForecastWarning), pytest.raises(rm.EstimationError) as caught:
        wrong.run(made())
    assert caught.value.details["method"] == "small"
    with pytest.raises(KeyError) as mistake:
        walk({"wrong": lambda r: r["Z"]}).run(made())
    assert "'wrong'" in mistake.value.__notes__[0]


def test_a_singular_covariance_has_no_minimum_variance_portfolio():
    study = walk({"ones": lambda r: np.full((6, 6), 1e-4)}).run(made())
    assert set(study.failures["part"]) == {"minimum variance", "Mahalanobis distance", "long-short"}
    assert "minimum variance" not in study.summary().index.get_level_values("family")
    assert study.distances().isna().all(axis=None)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"methods": {}}, "estimators"),
        ({"methods": {"x": 3}}, "estimators"),
        ({"methods": {"x": rm.OLS}}, "estimators"),
        ({"portfolios": {"long": rm.RandomLong}}, "portfolios"),
        ({"portfolios": {}}, "portfolios"),
        ({"window": 504}, "window"),
        ({"assets": 0.9}, "assets"),
    ],
)
def test_wrong_settings_are_refused(change, error):
    methods = change.pop("methods", {"OLS": rm.OLS()})
    with pytest.raises(rm.InvalidParameterError) as caught:
        rm.WalkForward(methods, **change)
    assert caught.value.details["parameter"] == error


def test_a_panel_that_is_too_short_is_refused():
    with pytest.raises(rm.TooFewObservationsError) as caught:
        walk().run(made(t=104))
    assert caught.value.details == {"rows": 105, "got": 104}
    assert len(walk().run(made(t=105)).dates) == 1
    gone = attrs.evolve(made(t=110), excess_returns=np.full((110, 6), np.nan))
    with pytest.raises(rm.EstimationError):
        walk().run(gone)
    with pytest.raises(rm.InvalidParameterError):
        walk().run(made(), executor=print)


# -- folders and processes -------------------------------------------------------------------------


class Counted:
    def __init__(self, stop=10**6):
        self.calls, self.stop = 0, stop

    def __call__(self, frame):
        self.calls += 1
        if self.calls > self.stop:
            raise KeyboardInterrupt
        return frame.cov()

    def __repr__(self):
        return "Counted()"


def test_a_study_goes_on_where_it_stopped(tmp_path):
    panel, folder = made(), tmp_path / "study"
    whole = walk({"OLS": rm.OLS(), "counted": Counted()}).run(panel)
    with pytest.raises(KeyboardInterrupt):
        walk({"OLS": rm.OLS(), "counted": Counted(stop=6)}).run(panel, folder=folder)
    assert len(list(folder.iterdir())) == 6
    rest = Counted()
    study = walk({"OLS": rm.OLS(), "counted": rest}).run(panel, folder=folder)
    assert rest.calls == len(study.dates) - 6
    pd.testing.assert_frame_equal(study.records, whole.records)
    pd.testing.assert_frame_equal(study.weights("equal", "OLS"), whole.weights("equal", "OLS"))
    pd.testing.assert_frame_equal(study.distances(), whole.distances())


def test_a_folder_of_another_study_is_refused(tmp_path):
    panel = made()
    base = walk({"OLS": rm.OLS()})
    base.run(panel, folder=tmp_path)
    returns = panel.excess_returns.to_numpy(copy=True)
    returns[0, 0] += 1e-6
    weights = {"mine": rm.OwnWeights({"A0": 1.0})}
    for other, of in (
        (base, attrs.evolve(panel, excess_returns=returns)),
        (walk({"OLS": rm.EWMA(rm.YEAR)}), panel),
        (walk({"OLS": rm.OLS()}, window=rm.Horizon(120)), panel),
        (walk({"OLS": rm.OLS()}, portfolios=weights), panel),
        (walk({"OLS": rm.OLS()}, assets=rm.KnownAssets(0.9)), panel),
    ):
        with pytest.raises(rm.InvalidParameterError) as caught:
            other.run(of, folder=tmp_path)
        assert caught.value.details["folder"] == str(tmp_path)
    assert len(base.run(panel, folder=tmp_path).dates) == 15


def test_settings_that_are_tables_are_told_apart_by_all_of_their_numbers():
    from riskmodel.evaluation.store import identity_of

    panel, rng = made(), np.random.default_rng(0)
    long = pd.Series(rng.normal(size=500), [f"A{i}" for i in range(500)])
    other = long.copy()
    other.iloc[250] += 1e-9
    assert len({identity_of(panel, (rm.OwnWeights(w),)) for w in (long, other, long.copy())}) == 2
    one, two = (lambda r: r.cov()), (lambda r: 2 * r.cov())
    assert len({identity_of(panel, walk({"f": f})._settings) for f in (one, two)}) == 2


def test_a_damaged_file_is_computed_again(tmp_path):
    panel, study = made(), walk({"OLS": rm.OLS()})
    whole = study.run(panel, folder=tmp_path)
    files = sorted(tmp_path.iterdir())
    files[0].write_bytes(b"no")
    files[1].write_bytes(files[1].read_bytes()[:700])
    with pytest.warns(rm.DamagedEntryWarning) as told:
        again = study.run(panel, folder=tmp_path)
    assert [w.message.details["path"] for w in told] == [str(f) for f in files[:2]]
    pd.testing.assert_frame_equal(again.records, whole.records)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study.run(panel, folder=tmp_path)


def test_dates_may_be_computed_elsewhere():
    panel, study = made(), walk({"OLS": rm.OLS(), "sample": sample})
    here = study.run(panel)
    with ThreadPoolExecutor(2) as pool:
        pd.testing.assert_frame_equal(study.run(panel, executor=pool).records, here.records)


def test_dates_may_be_computed_in_processes():
    from concurrent.futures import ProcessPoolExecutor

    panel, study = made(), rm.WalkForward({"OLS": rm.OLS(), "EWMA": rm.EWMA(rm.YEAR)}, window=rm.Horizon(100))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        got = study.run(panel, executor=pool)
    pd.testing.assert_frame_equal(got.records, study.run(panel).records)


def test_many_names_need_no_matrix_of_all_pairs():
    n, t = 3_000, 80
    rng = np.random.default_rng(0)
    f = rng.normal(0, 0.01, (t, 3))
    panel = panel_of(f @ rng.normal(1, 0.5, (3, n)) + rng.normal(0, 0.02, (t, n)), f)
    study = rm.WalkForward({"OLS": rm.OLS()}, window=rm.Horizon(60), horizon=WEEK, every=10)
    tracemalloc.start()
    got = study.run(panel)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * n * n / 3
    assert got.by_method().loc["OLS", "distance"] == pytest.approx(1.0, abs=0.2)
