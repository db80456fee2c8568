"""How sure: errors against statsmodels, and the laws of influence functions and intervals."""

from __future__ import annotations

import math

import attrs
import numpy as np
import pandas as pd
import panels
import pytest
import statsmodels.api as sm
import strategies
from arch.covariance.kernel import Bartlett
from hypothesis import given, reject
from hypothesis import strategies as st
from scipy import integrate, stats

import riskmodel as rm
from riskmodel.inference.covariance.base import DateTerms
from riskmodel.inference.covariance.hac import automatic_lags
from riskmodel.inference.dollars import AtCapacity, OfPosition
from riskmodel.inference.normal_losses import NormalLosses

ESTIMATORS = {"equal": rm.OLS(), "decaying": rm.EWMA(half_life=rm.Horizon(60))}
PANELS = {name: panels.ORDINARY[name] for name in ("clean", "ragged", "one factor", "many factors")}


def enough(panel, minimum):
    """The panel of the assets with so many returns: leverages of nearly 1 divide by nothing."""
    counts = panel.excess_returns.notna().sum()
    return panel.select(list(counts.index[counts >= minimum]))


def calendar_fit(panel, asset, keep, **how):
    """Weighted least squares in which a missing date is a row of zeros, so that lags are rows of the panel."""
    r = panel.excess_returns[asset].to_numpy()
    there = ~np.isnan(r)
    last = np.flatnonzero(there)[-1]
    w = np.where(there, keep ** (last - np.arange(len(r), dtype=float)), 0.0)
    x = np.column_stack([np.ones(len(r)), panel.factor_returns.to_numpy()]) * np.sqrt(w)[:, None]
    return sm.OLS(np.where(there, r, 0.0) * np.sqrt(w), x).fit(**how)


@pytest.fixture(params=[(p, e) for p in PANELS for e in ESTIMATORS], ids=" ".join)
def fitted(request):
    panel, estimator = PANELS[request.param[0]](), ESTIMATORS[request.param[1]]
    panel = enough(panel, 40)
    return estimator.fit(panel), panel, estimator.decay_factor(rm.DAY)


class TestErrorsOfAllAssets:
    def test_classical_errors_are_those_of_the_regressions(self, fitted):
        model, panel, _ = fitted
        got = rm.Inference.of(model, panel, rm.Classical()).std_errors()
        pd.testing.assert_frame_equal(got, model.regression.std_errors)

    @pytest.mark.parametrize(
        ("covariance", "how"),
        [
            (rm.HC3(), {"cov_type": "HC3"}),
            (rm.HAC(lags=0), {"cov_type": "HC0"}),
            (rm.HAC(lags=1), {"cov_type": "HAC", "cov_kwds": {"maxlags": 1}}),
            (rm.HAC(lags=7), {"cov_type": "HAC", "cov_kwds": {"maxlags": 7}}),
        ],
        ids=["HC3", "HC0", "HAC 1", "HAC 7"],
    )
    def test_robust_errors_are_those_of_statsmodels(self, fitted, covariance, how):
        model, panel, keep = fitted
        got = rm.Inference.of(model, panel, covariance).std_errors()
        expected = [calendar_fit(panel, a, keep, **how).bse for a in model.assets]
        np.testing.assert_allclose(got, expected, rtol=1e-9)

    @pytest.mark.parametrize("covariance", [rm.HC3(), rm.HAC(lags=5), rm.Cosine()], ids=repr)
    def test_they_are_those_of_the_table_of_each_asset(self, fitted, covariance):
        model, panel, _ = fitted
        inference = rm.Inference.of(model, panel, covariance)
        got = inference.std_errors()
        for asset in model.assets[:3]:
            rows = inference.table(rm.Strategy({asset: 1.0}, model))["std_error"]
            table = [rows["alpha"], *(rows[f"exposure {k}"] for k in model.factors)]
            np.testing.assert_allclose(got.loc[asset], table, rtol=1e-7)

    def test_of_a_stored_panel(self, tmp_path):
        panel = panels.clean(n=5)
        panel.excess_returns.to_parquet(tmp_path / "r.parquet")
        stored = rm.StoredPanel.parquet(
            [tmp_path / "r.parquet"], factors=panel.factor_returns, risk_free=0.0, horizon=rm.DAY
        )
        model = rm.OLS().fit(stored)
        got = rm.Inference.of(model, stored, rm.HAC(lags=3))
        here = rm.Inference.of(rm.OLS().fit(panel), panel, rm.HAC(lags=3))
        np.testing.assert_allclose(got.std_errors(), here.std_errors(), rtol=1e-9)
        book = {"A1": 0.5, "A3": 0.5}
        table = got.table(rm.Strategy(book, model))
        np.testing.assert_allclose(
            table["std_error"], here.table(rm.Strategy(book, here.model))["std_error"], rtol=1e-7
        )


class TestHAC:
    def test_automatic_lags_are_those_of_arch(self):
        # of 100 dates, where rounding up and down, as arch and the paper do, is the same
        rng = np.random.default_rng(0)
        for phi in (0.0, 0.3, 0.8, -0.5):
            x = np.zeros(100)
            for t in range(1, 100):
                x[t] = phi * x[t - 1] + rng.standard_normal()
            x -= x.mean()
            assert automatic_lags(x[None])[0] == int(Bartlett(x, center=False).opt_bandwidth)

    def test_the_long_run_variance_is_that_of_arch(self):
        x = np.random.default_rng(1).standard_normal(400).cumsum() * 0.1 + np.random.default_rng(2).standard_normal(400)
        x -= x.mean()
        terms = DateTerms(x[None] / 400, np.ones(400), 400, 2)
        expected = Bartlett(x, bandwidth=6, center=False).cov.long_run[0, 0] / 400
        assert float(rm.HAC(lags=6).of_sums(terms)[0, 0]) == pytest.approx(expected, rel=1e-9)

    def test_more_lags_than_dates(self):
        x = np.random.default_rng(0).standard_normal((2, 9))
        terms = DateTerms(x, np.ones(9), 9, 2)
        weights = 1 - np.abs(np.subtract.outer(np.arange(9), np.arange(9))) / 9
        np.testing.assert_allclose(rm.HAC(lags=100).of_sums(terms), x @ weights @ x.T)

    @pytest.mark.parametrize("lags", [-1, 1.5, True, "4"])
    def test_refuses_lags_that_are_no_number_of_dates(self, lags):
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.HAC(lags=lags)
        assert error.value.details["parameter"] == "lags"


class TestCosine:
    def test_is_the_naive_sum(self):
        t, b = 252, 16
        x = np.random.default_rng(0).standard_normal(t)
        x -= x.mean()
        j = np.arange(1, b + 1)[:, None]
        waves = math.sqrt(2 / t) * np.cos(np.pi * j * (np.arange(1, t + 1) - 0.5) / t)
        naive = np.mean((waves @ x) ** 2) / t
        terms = DateTerms(x[None] / t, np.ones(t), t, 2)
        assert rm.Cosine().of_sums(terms)[0, 0] == pytest.approx(naive)
        assert rm.Cosine().degrees_of_freedom(terms) == b

    @pytest.mark.parametrize(("n", "b"), [(126, 10), (252, 16), (504, 25), (1260, 47), (5000, 119), (5, 4)])
    def test_number_of_cosines(self, n, b):
        assert rm.Cosine().degrees_of_freedom(DateTerms(np.zeros((1, 1)), np.ones(1), n, 2)) == b

    def test_a_level_does_not_matter_with_decaying_weights(self):
        """What the weighted mean takes from every date is not mistaken for variance."""
        t = 400
        w = 0.99 ** np.arange(t - 1, -1, -1)
        x = np.random.default_rng(0).standard_normal(t)
        n = w.sum() ** 2 / (w @ w)
        one, other = (
            float(rm.Cosine().of_sums(DateTerms((w * (x + level))[None], w, n, 2))[0, 0]) for level in (0.0, 5.0)
        )
        assert one == pytest.approx(other)

    def test_missing_dates_are_left_out(self):
        x = np.random.default_rng(0).standard_normal(100)
        apart, there = np.zeros(150), np.sort(np.random.default_rng(1).choice(150, 100, replace=False))
        apart[there] = x
        amplitude = np.zeros(150)
        amplitude[there] = 0.3
        one = rm.Cosine().of_sums(DateTerms(x[None], np.ones(100), 100, 2))
        other = rm.Cosine().of_sums(DateTerms(apart[None], amplitude, 100, 2))
        np.testing.assert_allclose(one, other)

    def test_unbiased_with_decaying_weights(self):
        """The mean of the estimate is the variance of the weighted sum, which is known."""
        rng, t = np.random.default_rng(0), 500
        w = 0.99 ** np.arange(t - 1, -1, -1)
        share = w / w.sum()
        x = rng.standard_normal((4_000, t))
        x -= (x @ share)[:, None]
        n = 1 / (share @ share)
        got = rm.Cosine().of_sums(DateTerms((x * share)[:, None, :], share, n, 2))
        assert np.mean(got) * n == pytest.approx(1.0, abs=0.03)


def test_the_bootstrap_checks_the_others():
    panel = panels.clean(n=3)
    model = rm.OLS().fit(panel)
    book = rm.Strategy({"A0": 1.0, "A1": -0.5}, model)
    white = rm.Inference.of(model, panel, rm.HC3()).table(book)["std_error"]
    drawn = rm.Inference.of(model, panel, rm.StationaryBootstrap(400, seed=1, block=1.0)).table(book)["std_error"]
    np.testing.assert_allclose(drawn, white, rtol=0.15)


# -- influence functions against refits under reweighted dates -------------------------------------


def reweighted(panel, weights, portfolio):
    """Figures of a portfolio by weighted least squares, with weights of dates of one's own."""
    f = panel.factor_returns.to_numpy()
    share = weights / weights.sum()
    mu = share @ f
    cov = (f - mu).T @ ((f - mu) * share[:, None])
    alpha, b, v, e = 0.0, np.zeros(f.shape[1]), 0.0, np.zeros(len(f))
    for asset, w in portfolio.items():
        r = panel.excess_returns[asset].to_numpy()
        there = ~np.isnan(r)
        fit = sm.WLS(r[there], sm.add_constant(f[there]), weights=weights[there]).fit()
        alpha, b = alpha + w * fit.params[0], b + w * fit.params[1:]
        v += w**2 * np.average(fit.resid**2, weights=weights[there])
        e += w * (r - fit.params[0] - f @ fit.params[1:])
    a = b @ cov @ b
    mean = alpha + b @ mu
    known = ~np.isnan(e)
    own = np.average(e[known] ** 2, weights=weights[known])
    return {
        "alpha": alpha, "expected excess return": mean, **{f"exposure F{j}": x for j, x in enumerate(b)},
        "factor share": a / (a + v), "volatility": math.sqrt(a + v), "hedged volatility": math.sqrt(v),
        "sharpe": mean / math.sqrt(a + v), "hedged sharpe": alpha / math.sqrt(v), "r squared": a / (a + own),
        "value at risk": stats.norm.isf(0.05) * math.sqrt(a + v),
    }  # fmt: skip


@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
@pytest.mark.parametrize("make", [panels.clean, panels.ragged], ids=["clean", "ragged"])
def test_influence_functions_are_derivatives_by_the_weights_of_dates(estimator, make):
    panel = enough(make(), 100)
    model = estimator.fit(panel)
    book = dict(zip(model.assets[:5], (0.5, -0.3, 0.4, 0.2, 0.1), strict=True))
    # without leverage, a term is the exact derivative
    figures = rm.Inference.of(model, panel, rm.HAC(lags=0))._figures(rm.Strategy(book, model))
    t = len(panel.dates)
    base = estimator.decay_factor(rm.DAY) ** np.arange(t - 1, -1, -1.0)
    for date in (20, t // 2, t - 1):
        step = 1e-6
        up, down = base.copy(), base.copy()
        up[date] *= 1 + step
        down[date] *= 1 - step
        high, low = reweighted(panel, up, book), reweighted(panel, down, book)
        for figure in [*figures, *NormalLosses(figures, rm.DAY, 0.95)]:
            if figure.name not in high:
                continue
            terms = figures.linear_terms([figure])[0].by_date[0]
            got, size = float(terms[date]), math.sqrt(float(terms @ terms))
            expected = (high[figure.name] - low[figure.name]) / (2 * step)
            # variances divide squares by their expectation: a few parameters in a hundred dates
            assert got == pytest.approx(expected, rel=0.1, abs=2e-2 * size), figure.name


FIGURES = {
    "alpha": lambda s: s.alpha,
    "expected excess return": lambda s: s.expected_excess_return,
    "exposure F1": lambda s: s.exposures["F1"],
    "volatility": lambda s: s.volatility,
    "sharpe": lambda s: s.sharpe,
    "factor share": lambda s: s.decompose().factor_share,
    "hedged volatility": lambda s: rm.HedgedPortfolio.neutral(s).volatility,
    "hedged sharpe": lambda s: rm.HedgedPortfolio.neutral(s).sharpe,
    "hedge F2": lambda s: rm.HedgedPortfolio.neutral(s).hedge_weights["F2"],
    "value at risk": lambda s: value_at_risk(s, rm.DAY, 0.99),
    "expected shortfall": lambda s: expected_shortfall(s, rm.DAY, 0.99),
    "capacity": lambda s: BUDGET.size(s).capital,
    "expected pnl at capacity": lambda s: BUDGET.size(s).expected_pnl(rm.MONTH),
    "factor-adjusted pnl at capacity": lambda s: BUDGET.size(s).factor_adjusted_pnl(rm.MONTH),
    "hedged pnl at capacity": lambda s: BUDGET.size(rm.HedgedPortfolio.neutral(s)).expected_pnl(rm.MONTH),
}
BUDGET = rm.RiskBudget(1e6, rm.MONTH)
HELD = 2e7
DOLLARS = {
    "dollar volatility": lambda s: rm.Position(s, HELD, rm.MONTH).volatility,
    "expected pnl": lambda s: rm.Position(s, HELD, rm.MONTH).expected_pnl(rm.MONTH),
    "factor-adjusted pnl": lambda s: rm.Position(s, HELD, rm.MONTH).factor_adjusted_pnl(rm.MONTH),
    "dollar value at risk": lambda s: HELD * value_at_risk(s, rm.MONTH, 0.99),
    "dollar expected shortfall": lambda s: HELD * expected_shortfall(s, rm.MONTH, 0.99),
}


def value_at_risk(portfolio, horizon, confidence):
    """The quantile of the loss, as scipy says."""
    return -stats.norm.ppf(1.0 - confidence, scale=float(portfolio.volatility.at(horizon)))


def expected_shortfall(portfolio, horizon, confidence):
    """The mean of losses beyond the value at risk, by numeric integration."""
    volatility = float(portfolio.volatility.at(horizon))
    least = value_at_risk(portfolio, horizon, confidence)
    x = np.linspace(least, 12 * volatility, 20_001)
    return float(integrate.trapezoid(x * stats.norm.pdf(x, scale=volatility), x)) / (1.0 - confidence)


class TestGradients:
    """The gradients of ours, written by hand, against numeric ones of the same figures."""

    @pytest.mark.parametrize(
        ("name", "covariance"), [*((name, rm.Cosine()) for name in FIGURES), ("sharpe", rm.HAC(lags=4))], ids=str
    )
    def test_by_hand_and_numeric(self, name, covariance):
        self.compare(FIGURES[name], name, covariance, lambda figures: [
            *figures, *NormalLosses(figures, rm.DAY, 0.99), *AtCapacity(figures, BUDGET)
        ])  # fmt: skip

    @pytest.mark.parametrize("name", DOLLARS)
    def test_of_a_position(self, name):
        self.compare(DOLLARS[name], name, rm.Cosine(), lambda figures: OfPosition(
            figures, rm.Position(figures.portfolio, HELD, rm.MONTH), 0.99
        ))  # fmt: skip

    @staticmethod
    def compare(figure, name, covariance, some):
        panel = enough(panels.ragged(), 100).select(["A1", "A2", "A5"])
        model = rm.OLS().fit(panel)
        book = {"A1": 0.6, "A2": -0.4, "A5": 0.5}
        inference = rm.Inference.of(model, panel, covariance)
        figures = inference._figures(rm.Strategy(book, model))
        (by_hand,) = [f for f in some(figures) if f.name == name]
        got = inference.interval(lambda m: figure(rm.Strategy(book, m)), of=by_hand.estimand)
        expected = covariance.about(by_hand.estimand).of_sums(figures.linear_terms([by_hand])[0])[0, 0]
        assert got.std_error == pytest.approx(math.sqrt(expected), rel=1e-4)
        assert got.estimate == pytest.approx(by_hand.estimate)

    def test_the_estimand_is_what_the_figure_depends_on(self, small):
        _, inference = small
        assert inference.interval(lambda m: m.alpha["A0"]).of is rm.LONG_RUN
        assert inference.interval(lambda m: m.factor_mean["F0"] ** 2, assets=["A0"]).of is rm.LONG_RUN
        assert inference.interval(lambda m: m.loadings.loc["A0", "F0"]).of is rm.THIS_WINDOW
        assert inference.interval(lambda m: m.idio_variance["A0"]).of is rm.THIS_WINDOW


# -- tables ----------------------------------------------------------------------------------------


@pytest.fixture
def small():
    panel = panels.clean(n=4)
    model = rm.OLS().fit(panel)
    return rm.Strategy({"A0": 0.5, "A1": 0.5, "A2": -0.4}, model), rm.Inference.of(model, panel)


class TestTable:
    def test_says_the_figures_of_the_library(self, small):
        book, inference = small
        budget = rm.RiskBudget(1e6, rm.MONTH)
        table = inference.table(book, budget=budget)
        neutral = rm.HedgedPortfolio.neutral(book)
        expected = {
            "alpha": book.alpha,
            "expected excess return": book.expected_excess_return,
            "exposure F1": book.exposures["F1"],
            "hedge F1": neutral.hedge_weights["F1"],
            "factor share": book.decompose().factor_share,
            "volatility": book.volatility,
            "sharpe": book.sharpe,
            "hedged volatility": neutral.volatility,
            "hedged sharpe": neutral.sharpe,
            "capacity": budget.size(book).capital,
            "hedged capacity": budget.size(neutral).capital,
            "value at risk": value_at_risk(book, rm.DAY, 0.99),
            "expected shortfall": expected_shortfall(book, rm.DAY, 0.99),
            "expected pnl at capacity": budget.size(book).expected_pnl(rm.MONTH),
            "factor-adjusted pnl at capacity": budget.size(book).factor_adjusted_pnl(rm.MONTH),
            "hedged pnl at capacity": budget.size(neutral).expected_pnl(rm.MONTH),
        }
        for name, value in expected.items():
            assert table.loc[name, "estimate"] == pytest.approx(float(value)), name
        assert (table["low"] < table["estimate"]).all()
        assert (table["estimate"] < table["high"]).all()
        assert set(table["of"]) == {"long run", "this window"}

    def test_r_squared_is_that_of_the_regression_of_the_portfolio(self, small):
        book, inference = small
        panel = inference.panel
        own = panel.excess_returns[book.weights.index] @ book.weights
        fit = sm.OLS(own, sm.add_constant(panel.factor_returns)).fit()
        assert inference.table(book).loc["r squared", "estimate"] == pytest.approx(fit.rsquared, rel=1e-9)
        single = inference.table(rm.Strategy({"A3": 1.0}, book.model))
        for name in ("r squared", "factor share"):
            assert single.loc[name, "estimate"] == pytest.approx(book.model.regression.rsquared["A3"])
        np.testing.assert_allclose(
            single.loc["r squared", ["low", "high"]].astype(float),
            single.loc["factor share", ["low", "high"]].astype(float),
        )

    def test_r_squared_without_common_dates(self):
        r, f, _ = panels.clean(n=2).arrays()
        r = np.array(r)
        r[: len(r) // 2, 0] = r[len(r) // 2 :, 1] = np.nan
        panel = panels.panel_of(r, f)
        model = rm.OLS().fit(panel)
        table = rm.Inference.of(model, panel).table(rm.Strategy({"A0": 0.5, "A1": 0.5}, model))
        assert table.loc["r squared"].drop("of").isna().all()
        assert np.isfinite(table.drop("r squared").drop(columns="of").to_numpy()).all()

    def test_of_a_position(self, small):
        book, inference = small
        monthly = rm.Position(book, 3e6, rm.MONTH)
        table, plain = inference.table(monthly, tail=0.95), inference.table(book, tail=0.95)
        pd.testing.assert_frame_equal(table.loc[plain.index], plain)
        assert table.loc["dollar volatility", "high"] == pytest.approx(
            3e6 * math.sqrt(21) * plain.loc["volatility", "high"]
        )
        assert table.loc["expected pnl", "low"] == pytest.approx(3e6 * 21 * plain.loc["expected excess return", "low"])
        assert table.loc["dollar value at risk", "estimate"] == pytest.approx(3e6 * value_at_risk(book, rm.MONTH, 0.95))
        with pytest.raises(rm.InvalidParameterError) as error:
            inference.table(monthly, budget=rm.RiskBudget(1e6, rm.MONTH))
        assert error.value.details["parameter"] == "budget"

    def test_other_limits_of_the_hedged_portfolio_are_its_own(self, small):
        book, inference = small
        budget = rm.RiskBudget(1e9, rm.MONTH, limits=[rm.GrossLimit(1e6)])
        table = inference.table(book, budget=budget)
        hedged = budget.size(rm.HedgedPortfolio.neutral(book))
        assert table.loc["hedged capacity", "estimate"] == pytest.approx(hedged.capital)
        assert table.loc["hedged pnl at capacity", "estimate"] == pytest.approx(hedged.expected_pnl(rm.MONTH))
        # dollars are given there, so only the alpha moves it
        assert table.loc["hedged pnl at capacity", "std_error"] == pytest.approx(
            hedged.capital * 21 * table.loc["alpha", "std_error"]
        )

    @pytest.mark.parametrize("tail", [0.0, 1.0, 99, math.nan, "0.95"])
    def test_refuses_a_tail_that_is_no_probability(self, small, tail):
        book, inference = small
        with pytest.raises(rm.InvalidParameterError) as error:
            inference.table(book, tail=tail)
        assert error.value.details["parameter"] == "tail"

    def test_a_hedge_that_is_held_is_a_given_number(self, small):
        book, inference = small
        capped = rm.HedgedPortfolio.with_factor_share(book, 0.2)
        table, plain = inference.table(capped), inference.table(book)
        assert table.loc["factor share", "estimate"] == pytest.approx(0.2)
        assert table.loc["volatility", "estimate"] == pytest.approx(float(capped.volatility))
        np.testing.assert_allclose(table.loc["exposure F0", "std_error"], plain.loc["exposure F0", "std_error"])
        neutral = inference.table(rm.HedgedPortfolio.neutral(book))
        assert neutral.loc["factor share", "estimate"] == pytest.approx(0.0, abs=1e-12)
        assert 0.0 < neutral.loc["factor share", "high"] < 0.05
        assert neutral.loc["volatility", "estimate"] == pytest.approx(plain.loc["hedged volatility", "estimate"])

    def test_at_another_horizon(self, small):
        book, inference = small
        yearly = rm.Strategy(book.weights, book.model.at(rm.YEAR))
        day, year = inference.table(book), inference.table(yearly)
        growth = year["high"] / day["high"]
        assert growth["alpha"] == pytest.approx(252)
        assert growth["volatility"] == pytest.approx(math.sqrt(252))
        assert growth["sharpe"] == pytest.approx(math.sqrt(252))
        assert growth["factor share"] == pytest.approx(1)
        assert year.loc["volatility", "estimate"] == pytest.approx(float(yearly.volatility))

    def test_other_limits_cap_the_capacity(self, small):
        book, inference = small
        free = inference.table(book, budget=rm.RiskBudget(1e6, rm.MONTH)).loc["capacity"]
        most = float(free["estimate"])
        bound = rm.RiskBudget(1e6, rm.MONTH, limits=[rm.CapitalLimit(most)])
        row = inference.table(book, budget=bound).loc["capacity"]
        assert row["high"] == pytest.approx(most)
        assert row["low"] == pytest.approx(free["low"])

    def test_the_difference_of_two_portfolios(self, small):
        book, inference = small
        other = rm.Strategy({"A0": 0.5, "A1": 0.5}, book.model)
        table = inference.difference(book, other)
        ours, theirs = inference.table(book), inference.table(other)
        np.testing.assert_allclose(table["estimate"], ours["estimate"] - theirs["estimate"])
        # the difference of exposures is the exposure of the difference
        alone = inference.table(rm.Strategy({"A2": -0.4}, book.model))
        for name in ("alpha", "expected excess return", "exposure F0"):
            np.testing.assert_allclose(table.loc[name, ["low", "high"]], alone.loc[name, ["low", "high"]])
        same = inference.difference(book, book)
        np.testing.assert_allclose(same["std_error"], 0.0, atol=1e-15)

    def test_a_higher_level_is_wider(self, small):
        book, inference = small
        narrow, wide = inference.table(book, 0.5), inference.table(book, 0.99)
        assert (wide["low"] < narrow["low"]).all()
        assert (wide["high"] > narrow["high"]).all()

    def test_joint_intervals(self, small):
        book, inference = small
        alone, all_at_once, sharp = (
            inference.table(book, joint=joint) for joint in (rm.Pointwise(), rm.Bonferroni(), rm.SupT())
        )
        width = [t["high"] - t["low"] for t in (alone, sharp, all_at_once)]
        assert (width[0] < width[1]).all()
        assert (width[1] < width[2]).all()

    @pytest.mark.parametrize("level", [0.0, 1.0, 95, -0.1, math.nan, "0.95"])
    def test_refuses_a_level_that_is_no_probability(self, small, level):
        book, inference = small
        with pytest.raises(rm.InvalidParameterError) as error:
            inference.table(book, level)
        assert error.value.details["parameter"] == "level"

    def test_a_riskless_asset(self):
        r, f, _ = panels.clean(n=2).arrays()
        panel = panels.panel_of(np.column_stack([r, f @ np.ones(3)]), f)
        model = rm.OLS().fit(panel)
        table = rm.Inference.of(model, panel).table(rm.Strategy({"A2": 1.0}, model))
        assert table.loc["factor share", "estimate"] == 1.0
        assert table.loc["hedged volatility", "high"] < 1e-15
        assert math.isnan(table.loc["hedged sharpe", "estimate"])


def test_the_volatility_on_new_dates_is_that_of_new_dates():
    """With six factors and half a year the hedge's own error is a twentieth of the variance."""
    ratios = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        b, f = rng.normal(1, 0.5, 6), rng.normal(0, 0.01, (1_126, 6))
        r = f @ b + rng.normal(0, 0.015, 1_126)
        panel = panels.panel_of(r[:126, None], f[:126])
        model = rm.OLS().fit(panel)
        table = rm.Inference.of(model, panel).table(rm.Strategy({"A0": 1.0}, model))
        left = r[126:] - f[126:] @ model.loadings.to_numpy()[0]
        ratios.append(
            [
                left.var() / table.loc[name, "estimate"] ** 2
                for name in ("hedged volatility", "hedged volatility, new dates")
            ]
        )
    inside, new = np.mean(ratios, axis=0)
    assert new == pytest.approx(1.0, abs=0.03)
    assert inside > 1.08


@given(strategies.return_frames(max_dates=60), st.sampled_from([0.01, -3.0, 250.0]), st.booleans())
def test_laws_of_scale_and_order(frames, scale, decays):
    """A multiple of a portfolio has the same ratios, and the order of the assets does not matter."""
    r, f, rate = frames
    panel = rm.InMemory(r, factors=f, risk_free=rate, horizon=rm.DAY).panel(list(r.columns), list(f.columns))
    estimator = rm.EWMA(half_life=rm.Horizon(40)) if decays else rm.OLS()
    try:
        model = estimator.fit(panel)
    except rm.EstimationError:
        reject()
    w = pd.Series(np.linspace(1.0, 2.0, len(r.columns)), r.columns)
    inference = rm.Inference.of(model, panel)
    table, other = inference.table(rm.Strategy(w, model)), inference.table(rm.Strategy(scale * w[::-1], model))
    for name in ("factor share", "sharpe", "hedged sharpe"):
        ends = sorted(other.loc[name, ["low", "high"]] * (np.sign(scale) if "sharpe" in name else 1.0))
        np.testing.assert_allclose(ends, list(table.loc[name, ["low", "high"]]), rtol=1e-6, atol=1e-9)
    for name in ("volatility", "hedged volatility"):
        np.testing.assert_allclose(other.loc[name, "high"], abs(scale) * table.loc[name, "high"], rtol=1e-6)
    np.testing.assert_allclose(
        other.loc["exposure F0", "std_error"], abs(scale) * table.loc["exposure F0", "std_error"], rtol=1e-6
    )
    assert np.isfinite(table[["estimate", "low", "high"]].to_numpy(dtype=float)).all()


def test_sup_t_covers_as_often_as_it_says():
    """The quantile of the largest of M errors, of which the exact one is known where they are independent."""
    for m in (1, 5, 20):
        got = rm.SupT().marginal_level(0.95, lambda m=m: np.eye(m))
        assert stats.norm.ppf((1 + got) / 2) == pytest.approx(stats.norm.ppf((1 + 0.95 ** (1 / m)) / 2), abs=0.04)
    same = rm.SupT().marginal_level(0.95, lambda: np.ones((20, 20)))
    assert stats.norm.ppf((1 + same) / 2) == pytest.approx(1.96, abs=0.04)


def assembled(**parts):
    plain = {"loadings": rm.TimeSeries(rm.OLS()), "factor_covariance": rm.SampleCovariance()}
    return rm.Assembled(**(plain | {"idio_variance": rm.SampleVariance()} | parts))


class TestWhatItRefuses:
    def test_a_model_without_a_regression(self):
        model = rm.FactorModel.from_parameters(
            assets=["A"], factors=["F0"], alpha=0.0, loadings=1.0, factor_covariance=1e-4, factor_mean=0.0,
            idio_variance=1e-4, horizon=rm.DAY,
        )  # fmt: skip
        with pytest.raises(rm.NotEstimatedError):
            rm.Inference.of(model, panels.clean(n=1, k=1))

    @pytest.mark.parametrize(
        ("estimator", "parts"),
        [
            (assembled(loadings=rm.Vasicek(rm.TimeSeries(rm.OLS()))), {"loadings"}),
            (assembled(factor_covariance=rm.EWMACovariance(rm.Horizon(60), rm.Horizon(60))), {"factor_covariance"}),
            (assembled(idio_variance=rm.EWMAVariance(rm.Horizon(60))), {"idio_variance"}),
        ],
        ids=["shrunk loadings", "another factor covariance", "another idio variance"],
    )
    def test_parameters_that_are_not_those_of_the_regression(self, estimator, parts):
        panel = panels.clean()
        with pytest.raises(rm.NotEstimatedError) as error:
            rm.Inference.of(estimator.fit(panel), panel)
        assert parts <= set(error.value.details["parts"])

    def test_another_panel(self):
        model, other = rm.OLS().fit(panels.clean(seed=0)), panels.clean(seed=1)
        with pytest.raises(rm.NotEstimatedError):
            rm.Inference.of(model, other)
        # the same factors, other assets
        panel = panels.clean(seed=0)
        r, f, _ = panel.arrays()
        other = panels.panel_of(r + 1e-3 * np.random.default_rng(0).standard_normal(r.shape), f)
        inference = rm.Inference.of(model, other)
        with pytest.raises(rm.NotEstimatedError) as error:
            inference.table(rm.Strategy({"A3": 1.0}, model))
        assert "A3" in error.value.details["assets"]
        for covariance in (rm.HC3(), rm.HAC()):
            with pytest.raises(rm.NotEstimatedError):
                rm.Inference.of(model, other, covariance).std_errors()

    def test_a_portfolio_of_another_model(self, small):
        _, inference = small
        other = rm.OLS().fit(panels.clean(seed=5, n=4))
        with pytest.raises(rm.InvalidParameterError) as error:
            inference.table(rm.Strategy({"A0": 1.0}, other))
        assert error.value.details["parameter"] == "portfolio"

    def test_another_horizon(self, small):
        book, inference = small
        with pytest.raises(rm.HorizonMismatchError):
            rm.Inference.of(book.model.at(rm.YEAR), inference.panel)

    def test_classical_errors_of_ragged_portfolios(self):
        panel = enough(panels.ragged(), 100)
        model = rm.OLS().fit(panel)
        inference = rm.Inference.of(model, panel, rm.Classical())
        with pytest.raises(rm.NotEstimatedError):
            inference.table(rm.Strategy({"A1": 0.5, "A2": 0.5}, model))
        assert inference.table(rm.Strategy({"A2": 0.5}, model)).loc["exposure F0", "std_error"] == pytest.approx(
            0.5 * model.regression.std_errors.loc["A2", "F0"]
        )

    def test_figures_that_are_none(self, small):
        _, inference = small
        for figure in (1.0, lambda m: math.nan, lambda m: "a"):
            with pytest.raises(rm.InvalidParameterError):
                inference.interval(figure)
        with pytest.raises(rm.InvalidParameterError):
            inference.interval(lambda m: 1.0, of=rm.NEXT_MONTH)

    def test_figures_of_too_many_assets(self):
        panel = panels.clean(t=60, n=2_500, k=3)
        model = rm.OLS().fit(panel)
        inference = rm.Inference.of(model, panel)
        with pytest.raises(rm.TooLargeError) as error:
            inference.interval(lambda m: m.alpha["A0"])
        assert error.value.details["limit"] < error.value.details["evaluations"]
        got = inference.interval(lambda m: m.alpha["A0"], assets=["A0"])
        assert got.std_error == pytest.approx(inference.std_errors().loc["A0", "alpha"], rel=1e-6)


def test_values_do_not_change(small):
    _, inference = small
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        inference.covariance = rm.HC3()
