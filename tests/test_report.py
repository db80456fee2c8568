"""The risk report: its figures against the library and against plain numpy, its pictures, its page."""

import builtins
import io
import json
import math
import re
import subprocess
import sys
from html.parser import HTMLParser

import attrs
import numpy as np
import pandas as pd
import pytest
from scipy import special

import riskmodel as rm
from riskmodel.estimation.base import MomentEstimator
from riskmodel.estimation.least_squares.ols import LeastSquares
from riskmodel.report import figures, formats, html, summary, text
from riskmodel.report.document import Document, Place, Table, Width
from riskmodel.report.previous import Previous
from riskmodel.report.report import RiskReport

BUDGET = rm.RiskBudget(1e6, rm.MONTH)
WEIGHTS = {"MSFT": 0.5, "JPM": 0.3, "XOM": 0.2}
WITHOUT_FACTORS = rm.FactorModel.from_parameters(
    assets=["MSFT"], factors=[], alpha=0.0, loadings=np.empty((1, 0)), factor_covariance=np.empty((0, 0)),
    factor_mean=np.empty(0), idio_variance=1e-4, horizon=rm.DAY,
)  # fmt: skip
DRAWN = '<svg class="chart"'
NASTY = "</script><script>alert(1)</script>&\"'<b>"


def make(
    weights=None, factors=("Mkt-RF",), *, cap=None, budget=BUDGET, data=None, assets=None, errors=None, level=0.95,
    **window,
):  # fmt: skip
    data = data or rm.SampleData()
    weights = weights or WEIGHTS
    panel = data.panel(assets or list(weights), list(factors), **window)
    strategy = rm.Strategy(weights, rm.OLS().fit(panel))
    return RiskReport.of(strategy, panel, budget, cap=cap, source="a test", errors=errors, level=level)


def synthetic(n=3, t=120, k=1, names=None, seed=0):
    """Returns of assets on k factors, one row a day."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2020-01-01", periods=t)
    f = pd.DataFrame(0.01 * rng.standard_normal((t, k)), days, [f"F{j}" for j in range(k)])
    names = names or [f"A{i}" for i in range(n)]
    returns = f.to_numpy() @ rng.uniform(0.5, 1.5, (k, n)) + 0.01 * rng.standard_normal((t, n))
    return pd.DataFrame(returns, days, names), f


def in_memory(returns, factors):
    return rm.InMemory(returns, factors=factors, risk_free=0.0, horizon=rm.DAY)


@pytest.fixture(scope="module")
def report():
    return make(cap=0.2)


@pytest.fixture(scope="module")
def three_factors():
    weights = {"BusEq": 1.0, "Utils": -0.5}
    return make(weights, ["Mkt-RF", "SMB", "HML"], data=rm.SampleData(rm.MONTH))


def table(report, title, most=12):
    """A table of the report by its title."""
    return next(t for t in report.document(most).tables if t.title.startswith(title))


def facts(report):
    return dict(report.document(12).facts)


def naive_ols(y, x):
    """Coefficients and standard errors by the book."""
    design = np.column_stack([np.ones(len(x)), x])
    coefficients, *_ = np.linalg.lstsq(design, y, rcond=None)
    residual = y - design @ coefficients
    s2 = residual @ residual / (len(y) - design.shape[1])
    return coefficients, np.sqrt(s2 * np.diag(np.linalg.inv(design.T @ design)))


# -- figures ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def classical():
    weights = {"BusEq": 1.0, "Utils": -0.5}
    return make(weights, ["Mkt-RF", "SMB", "HML"], data=rm.SampleData(rm.MONTH), errors=rm.Classical())


@pytest.fixture(scope="module")
def inference(report):
    return rm.Inference.of(report.strategy.model, report.panel)


@pytest.fixture(scope="module")
def own(report, inference):
    return inference.table(report.strategy, budget=BUDGET)


class TestEstimates:
    def test_assets_are_plain_regressions(self, classical):
        panel = classical.panel
        for asset in panel.excess_returns:
            coefficients, errors = naive_ols(panel.excess_returns[asset].to_numpy(), panel.factor_returns.to_numpy())
            own = classical.estimates.loc[asset]
            assert own.index.tolist() == ["alpha", "Mkt-RF", "SMB", "HML"]
            np.testing.assert_allclose(own["estimate"], coefficients, rtol=1e-9)
            np.testing.assert_allclose(own["std_error"], errors, rtol=1e-9)
            np.testing.assert_allclose(own["t"], coefficients / errors, rtol=1e-9)
            width = special.stdtrit(len(panel.dates) - 4, 0.975) * errors
            np.testing.assert_allclose(own["low"], coefficients - width, rtol=1e-8)
            np.testing.assert_allclose(own["high"], coefficients + width, rtol=1e-8)

    def test_portfolio_is_the_regression_of_its_own_return(self, classical):
        panel = classical.panel
        returns = panel.excess_returns["BusEq"] - 0.5 * panel.excess_returns["Utils"]
        coefficients, errors = naive_ols(returns.to_numpy(), panel.factor_returns.to_numpy())
        own = classical.estimates.loc["portfolio"]
        np.testing.assert_allclose(own["estimate"], coefficients, rtol=1e-9)
        np.testing.assert_allclose(own["std_error"], errors, rtol=1e-9)

    def test_single_short_holding(self):
        short = make({"KO": -2.0})
        asset, own = short.estimates.loc["KO"], short.estimates.loc["portfolio"]
        np.testing.assert_allclose(own["estimate"], -2 * asset["estimate"])
        np.testing.assert_allclose(own["std_error"], 2 * asset["std_error"])
        np.testing.assert_allclose(own["low"], -2 * asset["high"])

    @pytest.mark.parametrize("errors", [rm.Cosine(), rm.HC3(), rm.HAC(3)])
    def test_assets_are_those_of_inference_with_dates_of_their_own(self, errors):
        returns, factors = synthetic(k=2)
        returns.iloc[:20, 0] = np.nan
        out = make({"A0": 0.5, "A1": 0.5}, list(factors), data=in_memory(returns, factors), errors=errors, level=0.8)
        inference = rm.Inference.of(out.strategy.model, out.panel, errors)
        rows, columns = ["alpha", "exposure F0", "exposure F1"], ["std_error", "low", "high"]
        for name, weights in {"A0": {"A0": 1.0}, "A1": {"A1": 1.0}, "portfolio": {"A0": 0.5, "A1": 0.5}}.items():
            expected = inference.table(rm.Strategy(weights, out.strategy.model), 0.8).loc[rows, columns]
            np.testing.assert_allclose(out.estimates.loc[name, columns], expected.astype(float), rtol=1e-8)
        assert any("On 20 of 120 dates" in n for n in out.notes)

    def test_classical_errors_of_a_ragged_portfolio_are_not_known_and_it_says_why(self):
        returns, factors = synthetic()
        returns.iloc[:20, 0] = np.nan
        ragged = make({"A0": 0.5, "A1": 0.5}, ["F0"], data=in_memory(returns, factors), errors=rm.Classical())
        assert ragged.estimates.columns.tolist() == ["estimate"]
        assert sum("same dates" in n for n in ragged.notes) == 1

    def test_a_model_of_another_window_gives_no_errors(self):
        returns, factors = synthetic(2)
        panel = in_memory(returns, factors).panel(["A0", "A1"], ["F0"])
        half = rm.OLS().fit(panel.select(end="2020-03-31"))
        other = RiskReport.of(rm.Strategy({"A0": 1.0, "A1": 1.0}, half), panel, BUDGET)
        assert other.estimates.columns.tolist() == ["estimate"]
        assert "std_error" not in other.exposures
        assert other.to_dict()["not_estimated"].startswith("expected")
        assert set(other.figures.loc["unhedged"].index) == {"realised volatility"}

    def test_a_panel_too_short_for_a_regression(self):
        returns, factors = synthetic(2)
        data = in_memory(returns, factors)
        model = rm.OLS().fit(data.panel(["A0", "A1"], ["F0"]))
        short = data.panel(["A0", "A1"], ["F0"], end="2020-01-02")
        out = RiskReport.of(rm.Strategy({"A0": 1.0, "A1": 1.0}, model), short, BUDGET)
        assert out.estimates.columns.tolist() == ["estimate"]

    def test_a_weighted_model_has_those_of_its_weights(self):
        panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
        estimator = rm.EWMA(rm.QUARTER)
        strategy = rm.Strategy({"MSFT": 0.5, "JPM": -0.2}, estimator.fit(panel))
        own = RiskReport.of(strategy, panel, BUDGET, errors=rm.Classical())
        returns = own.strategy.excess_returns(panel)
        alone = attrs.evolve(panel, assets=["P"], excess_returns=returns.to_numpy()[:, None])
        expected = estimator.fit(alone).regression.std_errors.loc["P"]
        np.testing.assert_allclose(own.estimates.loc["portfolio", "std_error"], expected, rtol=1e-9)
        assert own.stability is None

    def test_an_explained_holding_does_not_hide_them(self):
        out = make({"SPX": 1.0, "MSFT": 1.0}, start="2010", errors=rm.Classical())
        _, errors = naive_ols(out.strategy.excess_returns(out.panel).to_numpy(), out.panel.factor_returns.to_numpy())
        np.testing.assert_allclose(out.estimates.loc["portfolio", "std_error"], errors, rtol=1e-9)


def printed(report, title, row, column):
    """A cell of a table, by the first words of its row and the header of its column."""
    shown = table(report, title)
    at = shown.columns.index(column)
    return next(r[at] for r in shown.rows if r[: len(row)] == row)


class TestIntervals:
    """Every interval that the report prints is that of `rm.Inference`."""

    def test_the_strategy_has_its_table(self, report, own):
        figures = report.figures.loc["unhedged"]
        for name in (
            "alpha",
            "expected excess return",
            "exposure Mkt-RF",
            "factor share",
            "volatility",
            "sharpe",
            "capacity",
        ):
            assert figures.loc[name, own.columns].to_dict() == own.loc[name].to_dict()
        assert not [name for name in figures.index if name.startswith("hedge")]

    def test_the_neutral_hedge_is_estimated(self, report, own):
        figures = report.figures.loc["hedged"]
        for name, there in {
            "hedge Mkt-RF": "hedge Mkt-RF", "volatility": "hedged volatility", "sharpe": "hedged sharpe",
            "volatility, new dates": "hedged volatility, new dates", "capacity": "hedged capacity",
            "alpha": "alpha", "expected excess return": "alpha",
        }.items():  # fmt: skip
            assert figures.loc[name, own.columns].to_dict() == own.loc[there].to_dict()

    def test_the_capped_hedge_is_estimated(self, report, inference):
        capped, figures = inference.capped(report.strategy, 0.2), report.figures.loc["capped"]
        for name in capped.index:
            assert figures.loc[name, capped.columns].to_dict() == capped.loc[name].to_dict()
        volatility = figures.loc["volatility"]
        assert math.isclose(figures.loc["capacity", "low"], 1e6 / math.sqrt(21) / volatility["high"])
        assert figures.loc["capacity", "estimate"] == report.positions["capped"].capital

    def test_pnl_is_that_of_the_mean_for_the_dollars_held(self, report):
        for name, position in report.positions.items():
            figures = report.figures.loc[name]
            for pnl, mean in {"expected pnl": "expected excess return", "factor-adjusted pnl": "alpha"}.items():
                for column in ("estimate", "low", "high"):
                    assert math.isclose(figures.loc[pnl, column], position.capital * figures.loc[mean, column])

    def test_next_month_and_long_run(self, report, inference):
        for name, portfolio in report.portfolios.items():
            month, figures = inference.next_month(portfolio), report.figures.loc[name]
            row = figures.loc["volatility, next month"]
            np.testing.assert_allclose([row["low"], row["high"]], [month.low, month.high], rtol=1e-9)
            assert row["of"] == "next month"
            assert figures.loc["volatility, long run", "high"] == inference.long_run_volatility(portfolio).high

    def test_cells_read_as_an_estimate_with_its_interval(self, report, own):
        low, high = own.loc["exposure Mkt-RF", ["low", "high"]]
        beta = own.loc["exposure Mkt-RF", "estimate"]
        assert printed(report, "Exposures", ("Mkt-RF",), "Exposure") == f"{beta:.2f} [{low:.2f}, {high:.2f}]"
        hedge = f"-{beta:.2f} [-{high:.2f}, -{low:.2f}]"
        assert printed(report, "Exposures", ("Mkt-RF",), "Neutral hedge") == hedge
        share = own.loc["factor share"]
        cell = f"{100 * share['estimate']:.1f} [{100 * share['low']:.1f}, {100 * share['high']:.1f}]"
        assert printed(report, "Unhedged", ("unhedged",), "Factor share %") == cell
        e, lower, upper = (math.sqrt(252) * float(x) for x in own.loc["hedged sharpe", ["estimate", "low", "high"]])
        assert printed(report, "Alpha and", ("hedged",), "Sharpe/yr") == f"{e:.2f} [{lower:.2f}, {upper:.2f}]"
        capital = report.positions["hedged"].capital
        ends = own.loc["hedged capacity"]
        cell = f"{capital / 1e6:.1f}m [{ends['low'] / 1e6:.1f}m, {ends['high'] / 1e6:.1f}m]"
        assert printed(report, "Model and", ("hedged",), "Capacity $") == cell

    def test_each_word_is_defined_once_on_page_and_text(self, report, source):
        terms = dict(report.document(12).terms)
        assert list(terms) == ["this window", "long run", "next month"]
        for meaning in terms.values():
            assert " ".join(report.to_text().split()).count(meaning) == 1
            assert source.count(meaning) == 1
        assert {row[3] for row in table(report, "Model and").rows} == set(terms)

    def test_json_has_all(self, report):
        rows = report.to_dict()["figures"]
        assert len(rows) == len(report.figures)
        assert set(rows[0]) == {"portfolio", "figure", "estimate", "std_error", "low", "high", "level", "of"}
        assert {r["level"] for r in rows} == {0.95}

    def test_level_and_errors(self):
        wide, narrow = (make({"MSFT": 1.0}, start="2010", level=level) for level in (0.99, 0.5))
        other = make({"MSFT": 1.0}, start="2010", level=0.99, errors=rm.HAC(3))
        of = ("unhedged", "alpha")
        assert wide.figures.loc[of, "low"] < narrow.figures.loc[of, "low"]
        assert wide.figures.loc[of, "std_error"] != other.figures.loc[of, "std_error"]
        assert facts(other)["Intervals"] == "99%, errors by rm.HAC"
        assert wide.realised_risk["unhedged"].level == 0.99

    @pytest.mark.parametrize("bad", [{"level": 95}, {"level": 1.0}, {"errors": "hac"}, {"errors": rm.HAC}])
    def test_bad_level_or_errors(self, report, bad):
        with pytest.raises(rm.InvalidParameterError) as caught:
            RiskReport.of(report.strategy, report.panel, BUDGET, **bad)
        assert caught.value.details["parameter"] == next(iter(bad))

    def test_limits_beside_volatility_end_the_capacity(self):
        budget = rm.RiskBudget(1e6, rm.MONTH, limits=[rm.CapitalLimit(21e6)])
        capped = make(budget=budget, cap=0.2).figures.loc["capped"]
        assert capped.loc["capacity", "high"] == 21e6
        assert capped.loc["capacity", "low"] < 21e6

    def test_no_hedge_is_capped_at_nothing_or_all(self):
        for cap in (0.0, 1.0):
            out = make(cap=cap, start="2015")
            assert out.figures.loc[("capped", "volatility"), "low"] > 0

    def test_alphas_are_tested_together(self, report, inference):
        alphas = inference.alphas()
        tests = {t["test"]: t["pvalue"] for t in report.to_dict()["alpha_tests"]}
        assert tests == {"joint": alphas.joint().pvalue, "grs": alphas.grs().pvalue}
        t = report.estimates.xs("alpha", level="parameter")["t"].iloc[:3]
        p = 2 * special.stdtr(report.strategy.model.regression.n_observations.iloc[0] ** (2 / 3) * 0.41 // 1, -t.abs())
        expected = sorted(p)[2]  # the largest bounds those below
        np.testing.assert_allclose(report.assets["false_discovery_rate"].max(), expected, rtol=1e-9)
        assert report.to_dict()["alpha_known_after"] == inference.track_record(report.strategy, 0.975).needed


class TestWarnings:
    def turbulent(self, ratio, estimator=None):
        """A report on six years, of which the last has so many times the volatility."""
        returns, factors = synthetic(t=1512)
        scale = np.where(np.arange(1512) < 1260, 1.0, ratio)
        data = in_memory(returns.mul(scale, axis=0), factors.mul(scale, axis=0))
        panel = data.panel(["A0", "A1"], ["F0"])
        model = (estimator or rm.OLS()).fit(panel)
        return RiskReport.of(rm.Strategy({"A0": 1.0, "A1": 1.0}, model), panel, BUDGET)

    def test_a_last_year_unlike_the_window_is_said(self):
        said = [w for w in self.turbulent(3.0).warnings if w.startswith("The last year's volatility")]
        assert len(said) == 1
        assert "unhedged had" in said[0]
        assert "hedged had" in said[0]
        out = self.turbulent(3.0)
        year = rm.Volatility(out.panel.excess_returns.sum(axis=1).iloc[-252:].std(), rm.DAY).at(rm.MONTH)
        row = out.realised.loc[("unhedged", "last year")]
        assert row["capital"] == pytest.approx(1e6 / float(year), rel=0.01)
        assert f"the budget allows {formats.short_dollars(row['capital'])}" in said[0]
        cells = {row[1]: row[4] for row in table(out, "Model and realised volatility").rows[:5]}
        assert cells["last year"] == formats.short_dollars(row["capital"]).removeprefix("$")

    def test_a_young_name_does_not_hide_the_last_year(self):
        returns, factors = synthetic(t=1512)
        scale = np.where(np.arange(1512) < 1260, 1.0, 3.0)
        returns, factors = returns.mul(scale, axis=0), factors.mul(scale, axis=0)
        returns.iloc[:1200, 1] = np.nan
        panel = in_memory(returns, factors).panel(["A0", "A1"], ["F0"])
        out = RiskReport.of(rm.Strategy({"A0": 1.0, "A1": 0.3}, rm.OLS().fit(panel)), panel, BUDGET)
        row = out.realised.loc[("unhedged", "last year")]
        held = out.strategy.excess_returns(panel).iloc[-252:]
        assert row["volatility"] == pytest.approx(math.sqrt((held**2).mean()))
        assert math.isnan(row["low"])
        assert any(w.startswith("The last year's volatility") and "next month" not in w for w in out.warnings)
        tile = next(t for t in out.document(9).tiles if t.label.startswith("Last year"))
        assert "dates are too few" in tile.note
        assert "the range that months had" not in table(out, "Model and realised volatility").note
        volatility = next(t for t in out.document(9).tiles if t.label.startswith("Volatility"))
        assert "on 312 of 1,512 dates" in volatility.note

    @pytest.mark.parametrize("estimator", [None, rm.EWMA(half_life=rm.QUARTER)])
    def test_a_last_year_like_the_others_is_not(self, estimator):
        ratio = 1.0 if estimator is None else 3.0  # recent dates are what the second is of
        assert not [w for w in self.turbulent(ratio, estimator).warnings if w.startswith("The last year's volatility")]

    def test_a_model_of_recent_dates_is_not_called_wrong(self):
        said = [w for w in self.turbulent(3.0, rm.EWMA(half_life=rm.QUARTER)).warnings if "realised" in w]
        assert len(said) == 1
        assert not said[0].startswith(("The model understates", "The model overstates"))


GROUPS = {"MSFT": "tech", "JPM": "banks", "XOM": "oil"}


@pytest.fixture(scope="module")
def desk(report):
    earlier = make({"MSFT": 0.6, "JPM": 0.4}).to_dict()
    return RiskReport.of(
        report.strategy, report.panel, BUDGET, groups=GROUPS, capital=2e7, previous=json.loads(json.dumps(earlier))
    )


class TestFirstScreen:
    def test_contributors_are_the_largest(self, desk):
        shown = table(desk, "Biggest contributors")
        split = rm.Contributions.of(desk.strategy, GROUPS)
        assert shown.place is Place.FIRST
        names = [row[1] for row in shown.rows]
        order = split.by_asset["contribution"].abs().sort_values(ascending=False).index.tolist()
        assert names == [*order, "Mkt-RF", "idio", *[GROUPS[a] for a in order]]
        assert [row[0] for row in shown.rows if row[0]] == ["name", "factor", "group"]
        assert shown.rows[0][3] == f"{100 * split.by_asset['share'].max():.1f}"

    def test_at_most_five_of_each(self):
        returns, factors = synthetic(9, k=7)
        out = make(dict.fromkeys(returns, 1 / 9), list(factors), data=in_memory(returns, factors))
        assert len(table(out, "Biggest contributors").rows) == 10

    def test_json_has_all_contributions(self, desk):
        found = desk.to_dict()["contributions"]
        for name in ("by_asset", "by_factor", "by_group"):
            expected = getattr(desk.contributions, name)["contribution"]
            np.testing.assert_allclose([r["contribution"] for r in found[name]], expected)
            assert math.isclose(sum(expected), float(desk.strategy.volatility))

    def test_limits_are_of_what_is_held(self, desk, report):
        position = rm.Position(desk.strategy, 2e7, rm.MONTH)
        used = desk.limits.loc["volatility per month"]
        assert used["used"] == float(position.volatility)
        assert used["utilisation"] == float(position.volatility) / 1e6
        assert "exceeds 1 of 1 limits" in desk.warnings[0]
        assert math.isclose(report.limits["utilisation"].max(), 1.0)
        assert not [w for w in report.warnings if "exceeds" in w]

    def test_held_tile(self, desk):
        tiles = {t.label: t for t in desk.document(12).tiles}
        assert tiles["Held"].value == "$20.0m in 3 names"
        short = make({"KO": 1.0, "PEP": -0.5}, start="2015")
        note = next(t for t in short.document(12).tiles if t.label == "Held").note
        assert note == "long 100%, short 50%, net 50%; largest KO 100.0%"

    def test_tails_and_scenarios_are_the_librarys(self, desk):
        position = rm.Position(desk.strategy, 2e7, rm.MONTH)
        tail = rm.HistoricalSimulation().of(position, desk.panel, 0.99)
        filtered = rm.FilteredHistoricalSimulation().of(position, desk.panel, 0.99)
        # days follow each other's volatility, so the first figure is scaled to that of late
        assert desk.tails.index.tolist() == ["filtered", "historical", "normal"]
        assert desk.tails.loc["filtered", "value_at_risk"] == filtered.value_at_risk
        tile = next(t for t in desk.document(12).tiles if t.label.startswith("Value at risk"))
        assert tile.note.startswith("past losses at the volatility of late")
        assert desk.tails.loc["historical", "value_at_risk"] == tail.value_at_risk
        assert desk.tails.loc["historical", "expected_shortfall"] == tail.expected_shortfall
        table = rm.Scenarios.historical(desk.panel).table(position)
        for name in table.index:
            np.testing.assert_allclose(
                desk.scenarios.loc[name, ["pnl", "volatility"]].astype(float), table.loc[name, ["pnl", "volatility"]]
            )
        tile = next(t for t in desk.document(12).tiles if t.label.startswith("Worst"))
        assert (
            tile.note
            == f"{desk.scenarios['pnl'].idxmin()}, of those since 2000; range of what the factors do not decide"
        )

    def test_riskless_has_no_dollars_at_risk(self):
        _, factors = synthetic(1)
        data = in_memory(factors.rename(columns={"F0": "A"}), factors)
        panel = data.panel(["A"], ["F0"])
        hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"A": 1.0}, rm.OLS().fit(panel)))
        out = RiskReport.of(hedged, panel, BUDGET)
        assert out.limits.empty
        assert not [t for t in out.document(12).tiles if t.label.startswith(("Value", "Worst"))]
        json.dumps(out.to_dict(), allow_nan=False)

    def test_changes(self, desk):
        before = make({"MSFT": 0.6, "JPM": 0.4})
        row = desk.changes.loc["volatility, %/yr"]
        assert math.isclose(row["then"], 100 * before.volatility.loc["unhedged", "year"])
        assert math.isclose(row["now"], 100 * desk.volatility.loc["unhedged", "year"])
        assert math.isclose(row["change"], row["now"] - row["then"])
        share = desk.changes.loc["factor share, %"]
        assert math.isclose(share["then"], 100 * before.factor_share("unhedged"))
        realised = desk.changes.loc["realised volatility, %/yr", "then"]
        assert math.isclose(
            realised, 100 * math.sqrt(252) * before.realised.loc[("unhedged", "realised"), "volatility"]
        )
        note = table(desk, "Since the report of 2018-11-30").note
        assert "sum to 40.0%" in note
        assert "New: XOM." in note
        assert desk.to_dict()["changes"][0]["then"] == row["then"]

    def test_dollars_are_of_what_is_held_everywhere(self, report):
        held = RiskReport.of(report.strategy, report.panel, BUDGET, capital=2e7)
        legs = held.legs
        np.testing.assert_allclose(legs["dollars"], 2e7 * legs["weight"])
        told = {(r["portfolio"], r["leg"]): r["dollars"] for r in held.to_dict()["legs"]}
        assert told["unhedged", "MSFT"] == pytest.approx(2e7 * WEIGHTS["MSFT"])
        assert told["hedged", "MSFT"] == pytest.approx(2e7 * WEIGHTS["MSFT"])

    def test_capacities_of_other_budgets_are_not_compared(self, report):
        other = RiskReport.of(report.strategy, report.panel, rm.RiskBudget(2e6, rm.MONTH), previous=report.to_dict())
        assert "capacity, $m" not in other.changes.index
        assert "has another budget" in table(other, "Since the report of 2018-11-30").note
        same = RiskReport.of(report.strategy, report.panel, BUDGET, previous=report.to_dict())
        assert "capacity, $m" in same.changes.index

    def test_the_name_with_the_fewest_returns_is_said(self):
        full = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"], start="2016")
        returns = full.excess_returns.copy()
        returns.iloc[:200, 1] = np.nan
        panel = rm.ReturnPanel.align(
            returns, full.factor_returns, full.risk_free, horizon=rm.DAY, return_type=rm.EXCESS
        )
        out = RiskReport.of(rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, rm.OLS().fit(panel)), panel, BUDGET)
        first = returns.index[200].date()
        assert any(f"JPM has {len(full.dates) - 200} returns, from {first} on" in note for note in out.notes)

    def test_nothing_changes_since_the_same(self, report):
        again = RiskReport.of(report.strategy, report.panel, BUDGET, previous=report.to_dict())
        # a figure is computed anew, with other roundings on several threads
        assert "of the same last date as this one" in table(again, "Since the report of 2018-11-30").note
        assert (again.changes["change"].abs() <= 1e-12 * again.changes["now"].abs().clip(lower=1.0)).all()
        assert report.changes.empty

    @pytest.mark.parametrize(
        "bad", [{}, [], "report.json", 3, {"schema": "riskmodel.report", "schema_version": 99}],
    )  # fmt: skip
    def test_no_report(self, report, bad):
        with pytest.raises(rm.InvalidParameterError) as caught:
            RiskReport.of(report.strategy, report.panel, BUDGET, previous=bad)
        assert caught.value.details["parameter"] == "previous"

    @pytest.mark.parametrize("lost", ["variance", "assets", "end", "positions", "exposures", "realised"])
    def test_half_a_report(self, report, lost):
        half = {k: v for k, v in report.to_dict().items() if k != lost}
        with pytest.raises(rm.InvalidParameterError) as caught:
            RiskReport.of(report.strategy, report.panel, BUDGET, previous=half)
        assert caught.value.details["parameter"] == "previous"

    def test_bad_groups_and_capital(self, report):
        with pytest.raises(rm.RiskModelError):
            RiskReport.of(report.strategy, report.panel, BUDGET, groups=3)
        with pytest.raises(rm.InvalidParameterError):
            RiskReport.of(report.strategy, report.panel, BUDGET, capital=-1.0)

    def test_exposure_bars_have_intervals(self, report):
        (bar,) = figures.exposure_bars(pd.DataFrame({"estimate": [1.0], "low": [0.9], "high": [1.3]}, ["F"])).marks
        assert (bar.low[0], bar.sizes[0], bar.high[0]) == (0.9, 1.0, 1.3)
        unknown = figures.exposure_bars(pd.DataFrame({"estimate": [1.0], "low": [np.nan], "high": [np.nan]}, ["F"]))
        assert unknown.marks[0].high is None


class TestOtherForms:
    def test_csv_has_every_number(self, report):
        long = pd.read_csv(io.StringIO(report.to_csv()))
        assert long.columns.tolist() == ["table", "row", "column", "value"]
        assert set(long["table"]) == set(report.tables())
        pnl = long[(long["table"] == "pnl") & (long["column"] == "capital")]["value"].astype(float)
        np.testing.assert_allclose(pnl, report.pnl["capital"])

    def test_workbook_has_one_sheet_a_table(self, report, tmp_path):
        report.to_excel(tmp_path / "report.xlsx")
        sheets = pd.read_excel(tmp_path / "report.xlsx", sheet_name=None)
        assert list(sheets) == [name[:31] for name in report.tables()]
        np.testing.assert_allclose(sheets["pnl"]["capital"], report.pnl["capital"])

    def test_a_label_is_no_formula(self, tmp_path):
        returns, factors = synthetic(2, names=["=1+1", "B"])
        out = make({"=1+1": 0.5, "B": 0.5}, ["F0"], data=in_memory(returns, factors))
        out.to_excel(tmp_path / "report.xlsx")
        sheet = pd.read_excel(tmp_path / "report.xlsx", sheet_name="assets")
        assert sheet["asset"].tolist() == ["'=1+1", "B"]

    def test_notebook(self, report):
        fragment = report._repr_html_()
        read(fragment)
        own = (
            100
            * np.sqrt(252)
            * report.figures.loc[("unhedged", "volatility"), ["estimate", "low", "high"]].astype(float)
        )
        assert "{:.1f} [{:.1f}, {:.1f}]".format(*own) in fragment
        returns, factors = synthetic(2, names=[NASTY, "B"])
        nasty = make({NASTY: 0.5, "B": 0.5}, ["F0"], data=in_memory(returns, factors))._repr_html_()
        assert "script" not in [tag for tag, _ in read(nasty).elements]


class TestTime:
    def test_scaling_is_time_scaling(self, report, source):
        found = rm.TimeScaling.of(report.strategy.excess_returns(report.panel), rm.DAY, to=rm.MONTH)
        row = report.scaling.loc[("unhedged", "month")]
        assert row["variance_ratio"] == found.variance_ratio
        assert row["pvalue"] == found.pvalue
        assert row["scaled_volatility"] == float(found.volatility(report.strategy.volatility))
        assert row["scaled_sharpe"] == float(found.sharpe(report.strategy.sharpe))
        assert "Does the square root of time hold?" in source

    @pytest.mark.parametrize(("share", "warned"), [(0.0, False), (0.4, True)])
    def test_a_root_that_does_not_hold_is_warned_of(self, share, warned):
        rng = np.random.default_rng(5)
        days = pd.bdate_range("2012-01-02", periods=1_500)
        f = pd.DataFrame(0.01 * rng.standard_normal((1_500, 1)), days, ["F0"])
        smooth = 0.01 * rng.standard_normal(1_500)
        for t in range(1, 1_500):
            smooth[t] += share * smooth[t - 1]
        out = make({"A": 1.0}, ["F0"], data=in_memory(pd.DataFrame({"A": smooth}, days), f))
        row = out.scaling.loc[("unhedged", "month")]
        assert (abs(row["scaled_volatility"] / row["volatility"] - 1) > 0.1 and row["pvalue"] < 0.05) == warned
        said = [w for w in out.warnings if "square root of time" in w]
        assert len(said) == warned
        assert all(f"{100 * row['scaled_volatility']:.1f}%" in w for w in said)

    @pytest.mark.parametrize("drift", [0.0, 1.0])
    def test_a_drifting_beta_is_said_beside_the_hedge(self, drift):
        rng = np.random.default_rng(3)
        days = pd.bdate_range("2018-01-01", periods=600)
        f = pd.DataFrame(0.01 * rng.standard_normal((600, 1)), days, ["F0"])
        beta = 1.0 + drift * (np.arange(600) >= 300)
        returns = pd.DataFrame({"A": beta * f["F0"] + 0.005 * rng.standard_normal(600)}, days)
        out = make({"A": 1.0}, ["F0"], data=in_memory(returns, f))
        assert out.stability.exposures.rejects() == bool(drift)
        note = table(out, "Exposures and hedges").note
        assert ("Exposures drift" in note) == bool(drift)
        assert (str(out.stability.exposures.date.date()) in note) == bool(drift)
        assert out.to_dict()["stability"]["exposures"]["statistic"] == out.stability.exposures.statistic

    def test_betas_through_time_are_rolling_regressions(self):
        report = make(start="2012", errors=rm.Classical())
        bands, panel = report.exposures_through_time, report.panel
        returns, f = report.strategy.excess_returns(panel), panel.factor_returns["Mkt-RF"]
        for date in bands.index[[0, 7, -1]]:
            rows = slice(panel.dates.get_loc(date) - 251, panel.dates.get_loc(date) + 1)
            (_, beta), (_, error) = naive_ols(returns.iloc[rows].to_numpy(), f.iloc[rows].to_numpy()[:, None])
            own = bands.loc[date, "Mkt-RF"]
            assert math.isclose(own["estimate"], beta, rel_tol=1e-8)
            width = special.stdtrit(250, 0.975) * error
            np.testing.assert_allclose([own["low"], own["high"]], [beta - width, beta + width], rtol=1e-7)
        edge, line = figures.exposures_through_time(bands).marks
        assert list(line.y) == bands[("Mkt-RF", "estimate")].tolist()
        assert max(edge.high) == bands[("Mkt-RF", "high")].max()

    def test_trends_are_regressions_over_the_same_windows(self):
        report = make(start="2012")
        trends, panel = report.trends, report.panel
        returns, f = report.strategy.excess_returns(panel), panel.factor_returns["Mkt-RF"]
        assert trends.index.equals(report.exposures_through_time.index)
        date = trends.index[5]
        rows = slice(panel.dates.get_loc(date) - 251, panel.dates.get_loc(date) + 1)
        y, x = returns.iloc[rows].to_numpy(), f.iloc[rows].to_numpy()
        (alpha, beta), _ = naive_ols(y, x[:, None])
        factor, idio = beta**2 * x.var(ddof=1), ((y - alpha - beta * x) ** 2).sum() / 251
        assert math.isclose(trends.loc[date, "volatility"], math.sqrt(252 * (factor + idio)), rel_tol=1e-9)
        assert math.isclose(trends.loc[date, "factor share"], factor / (factor + idio), rel_tol=1e-9)
        assert len(report.to_dict()["trends"]) == len(trends)

    def test_the_hedge_is_walked_forward(self):
        report = make(start="2012")
        record, panel = report.walk_forward, report.panel
        returns, f = report.strategy.excess_returns(panel), panel.factor_returns["Mkt-RF"]
        windows = report.exposures_through_time[("Mkt-RF", "estimate")]
        known = windows.reindex(panel.dates).ffill().shift(1)  # of the day before
        hedged = (returns - known * f).dropna()
        np.testing.assert_allclose(record.returns["hedged"].dropna(), hedged, atol=1e-12)
        expected = 1 - hedged.var() / returns[hedged.index].var()
        assert math.isclose(record.effectiveness, expected, rel_tol=1e-9)
        summary = {row["figure"]: row for row in report.to_dict()["walk_forward"]}
        assert math.isclose(summary["effectiveness"]["out_of_sample"], expected, rel_tol=1e-9)

    def test_what_was_earned_is_the_librarys(self, report):
        table = report.attribution
        assert table["span"].unique().tolist() == ["month", "year"]
        panel = report.panel
        held = rm.Strategy(WEIGHTS, rm.OLS().fit(panel.select(list(WEIGHTS))))
        expected = rm.ReturnAttribution.of(held, panel, start=panel.dates[-252])
        errors = expected.std_errors(rm.Inference.of(held.model, panel.select(list(WEIGHTS))))
        year = table[table["span"] == "year"].set_index("part")
        np.testing.assert_allclose(year["return"], expected.to_frame()["return"], rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(year.loc[errors.index, "low"].astype(float), errors["low"], rtol=1e-6)
        assert set(year["dates"]) == {252}
        assert math.isclose(year["return"].iloc[:-1].sum(), year.loc["total", "return"], rel_tol=1e-12)
        assert [row["part"] for row in report.to_dict()["attribution"]] == table["part"].tolist()
        short = make({"MSFT": 1.0}, start="2018-10-01")
        assert short.attribution["span"].unique().tolist() == ["month"]
        few = make({"MSFT": 1.0}, start="2018-11-20").attribution
        assert few["span"].unique().tolist() == [f"{few['dates'].iloc[0]} dates"]

    def test_what_is_skipped_is_said(self):
        out = make({"MSFT": 1.0}, start="2017-06-01")
        assert out.walk_forward is None
        assert out.trends.empty
        assert any("fewer than two windows of 252" in note for note in out.notes)

    def test_windows_that_cannot_be_estimated_are_said(self):
        # the second factor is the first but for the last dates, after the last window of a year
        days = pd.bdate_range("2015-01-01", periods=700)
        rng = np.random.default_rng(3)
        factors = pd.DataFrame(0.01 * rng.standard_normal((700, 2)), days, ["F", "G"])
        factors.iloc[:-5, 1] = factors.iloc[:-5, 0]
        assets = pd.DataFrame({"A": factors["F"] + 0.01 * rng.standard_normal(700)}, days)
        panel = rm.ReturnPanel.align(assets, factors, pd.Series(0.0, days), horizon=rm.DAY, return_type=rm.EXCESS)
        out = RiskReport.of(rm.Strategy({"A": 1.0}, rm.OLS().fit(panel)), panel, BUDGET)
        assert out.trends.empty
        assert any("factors depend on each other" in note for note in out.to_dict()["notes"])
        assert "factors depend on each other there" in out.to_html()

    def test_estimates_outside_their_intervals_are_said(self):
        days, rng = pd.bdate_range("2015-01-01", periods=260), np.random.default_rng(5)
        factors = pd.DataFrame(0.01 * rng.standard_normal((260, 20)), days, [f"F{i}" for i in range(20)])
        noise = 0.01 * rng.standard_normal((260, 40))
        assets = pd.DataFrame(factors[["F0"]].to_numpy() + noise, days, [f"A{i}" for i in range(40)])
        panel = rm.ReturnPanel.align(assets, factors, pd.Series(0.0, days), horizon=rm.DAY, return_type=rm.EXCESS)
        out = RiskReport.of(rm.Strategy(dict.fromkeys(assets, 1 / 40), rm.OLS().fit(panel)), panel, BUDGET)
        said = [note for note in out.notes if note.startswith("Outside their own intervals: ")]
        hedged = out.figures.loc[("hedged", "volatility")]
        assert hedged["estimate"] < hedged["low"]
        assert "volatility (hedged)" in said[0]

    def test_whole_lots_are_shown_beside_any_size(self):
        panel = rm.SampleData().panel(["XOM", "CVX", "KO"], ["Mkt-RF"], start="2014")
        xom = rm.Strategy({"XOM": 1.0}, rm.OLS().fit(panel))
        tools = [rm.Instrument("CVX", cost=0.001, lot=30_000.0), rm.Instrument("KO")]
        out = RiskReport.of(xom, panel, BUDGET, capital=1e5, instruments=tools)
        free = rm.HedgedPortfolio.minimum_variance(xom, ["CVX", "KO"])
        assert out.hedge_in_lots["any size"]["hold CVX"] == pytest.approx(free.weights["CVX"])
        assert out.hedge_in_lots["any size"]["volatility"] == pytest.approx(float(free.volatility))
        held = out.hedge_in_lots["whole lots"]["hold CVX"] * 1e5
        assert held / 30_000 == pytest.approx(round(held / 30_000))
        assert held != 0
        assert out.hedge_in_lots["whole lots"]["volatility"] > out.hedge_in_lots["any size"]["volatility"]
        assert out.to_dict()["hedge_in_lots"][0]["figure"] == "volatility"
        assert "THE HEDGE IN WHOLE LOTS" in out.to_text()

    def test_without_lots_there_is_nothing_of_them(self):
        panel = rm.SampleData().panel(["XOM", "CVX"], ["Mkt-RF"], start="2014")
        xom = rm.Strategy({"XOM": 1.0}, rm.OLS().fit(panel))
        out = RiskReport.of(xom, panel, BUDGET, instruments=[rm.Instrument("CVX", cost=0.001)])
        assert out.hedge_in_lots.empty
        assert out.instruments == ("CVX",)
        assert "WHOLE LOTS" not in out.to_text()

    def test_rsquared_has_the_interval_of_the_asset_alone(self):
        panel = rm.SampleData().panel(["XOM", "KO"], ["Mkt-RF"], start="2014")
        model = rm.OLS().fit(panel)
        out = RiskReport.of(rm.Strategy({"XOM": 0.5, "KO": 0.5}, model), panel, BUDGET, level=0.9)
        inference = rm.Inference.of(model, panel)
        for asset, row in out.assets.iterrows():
            alone = inference.table(rm.Strategy({asset: 1.0}, model), 0.9).loc["factor share"]
            assert row["rsquared"] == pytest.approx(alone["estimate"])
            assert row["rsquared_low"] == pytest.approx(alone["low"])
            assert row["rsquared_high"] == pytest.approx(alone["high"])
        assert "rsquared_high" in out.to_dict()["assets"][0]
        assert set(out.tables()["assets"]) >= {"rsquared_low", "rsquared_high"}

    def test_changes_of_exposures_are_few_and_the_largest(self):
        changes = pd.DataFrame(
            {"then": 0.0, "now": 0.0, "change": [9.0, *np.linspace(-0.5, 0.1, 20), 1.0]},
            ["volatility, %/yr", *(f"exposure F{i}" for i in range(20)), "capacity, $m"],
        )
        table = summary.changes(Previous("2020-01-31", changes, "Held as before."))
        assert [row[0] for row in table.rows] == [*changes.index[:9], "capacity, $m"]
        assert table.note.startswith("Held as before. 12 exposures that changed less")

    def test_hedges_in_instruments_are_compared(self):
        panel = rm.SampleData().panel(["XOM", "CVX", "KO"], ["Mkt-RF"], start="2014")
        xom = rm.Strategy({"XOM": 1.0}, rm.OLS().fit(panel))
        report = RiskReport.of(xom, panel, BUDGET, instruments=["CVX", "KO"])
        expected = rm.HedgeComparison.of(xom, ["CVX", "KO"], panel)
        pd.testing.assert_frame_equal(report.hedges_in_instruments.table(), expected.table())
        rows = report.to_dict()["hedges_in_instruments"]
        assert [row["regression"] for row in rows] == expected.table()["regression"].tolist()
        assert table(report, "Hedges in instruments").rows[0][0] == "CVX"
        assert make().hedges_in_instruments is None

    @pytest.mark.parametrize("bad", ["CVX", ["CVX", "CVX"], ["NONE"], [3], 7])
    def test_bad_instruments(self, report, bad):
        with pytest.raises(rm.RiskModelError):
            RiskReport.of(report.strategy, report.panel, BUDGET, instruments=bad)

    def test_no_picture_of_less_than_two_windows(self):
        out = make({"MSFT": 1.0}, start="2017-06-01")
        assert out.exposures_through_time.empty
        assert "Exposures through time" not in [p.heading for p in out.pictures()]


class TestTables:
    def test_exposures(self, report):
        e = report.exposures
        assert e.columns.tolist() == ["unhedged", "std_error", "t", "capped", "hedged"]
        assert e.loc["Mkt-RF", "unhedged"] == report.strategy.exposures["Mkt-RF"]
        assert e.loc["Mkt-RF", "hedged"] == 0.0
        assert 0 < e.loc["Mkt-RF", "capped"] < e.loc["Mkt-RF", "unhedged"]
        assert e.loc["Mkt-RF", "std_error"] == report.estimates.loc[("portfolio", "Mkt-RF"), "std_error"]

    def test_assets(self, report):
        model = report.strategy.model
        pd.testing.assert_series_equal(report.assets["rsquared"], model.regression.rsquared)
        np.testing.assert_allclose(report.assets["idio_volatility"] ** 2, model.idio_variance)
        assert report.assets["weight"].to_dict() == WEIGHTS
        assert report.assets["n_observations"].tolist() == [4760] * 3

    def test_variance_adds_up_and_is_the_sample_variance(self, report):
        returns = report.strategy.excess_returns(report.panel)
        split = report.variance.loc["unhedged"]
        assert split.index.tolist() == ["Mkt-RF", "idio", "total"]
        assert math.isclose(split["variance"].iloc[:-1].sum(), split.loc["total", "variance"], rel_tol=1e-12)
        assert math.isclose(split["share"].iloc[:-1].sum(), 1.0, rel_tol=1e-12)
        model = report.strategy.model
        beta = report.strategy.exposures["Mkt-RF"]
        assert math.isclose(split.loc["Mkt-RF", "variance"], beta**2 * report.panel.factor_returns["Mkt-RF"].var())
        # between the assets the model has no residual covariance, so the sample's is near, not equal
        assert math.isclose(split.loc["total", "variance"], returns.var(), rel_tol=0.1)
        np.testing.assert_allclose(split["year"], np.sqrt(252 * split["variance"]))
        np.testing.assert_allclose(split["month"], np.sqrt(21 * split["variance"]))
        assert model.horizon == rm.DAY

    def test_cap_holds(self, report):
        assert math.isclose(report.factor_share("capped"), 0.2, rel_tol=1e-9)
        assert report.factor_share("hedged") == 0.0
        assert report.variance.loc[("capped", "Mkt-RF"), "share"] <= 0.2 * (1 + 1e-12)

    def test_negative_contribution_has_no_volatility(self):
        spread = make({"BusEq": 1.0, "Utils": 1.0, "Money": 1.0}, ["Mkt-RF", "SMB"], data=rm.SampleData(rm.MONTH))
        split = spread.variance.loc["unhedged"]
        assert split.loc["SMB", "variance"] < 0
        assert math.isnan(split.loc["SMB", "year"])

    def test_legs_finance_themselves(self, report):
        for name in report.portfolios:
            held = report.legs.loc[name]
            assert math.isclose(held["weight"].sum(), 0.0, abs_tol=1e-12)
            assert math.isclose(held["dollars"].sum(), 0.0, abs_tol=1e-6)
        neutral = report.legs.loc["hedged"]
        position = BUDGET.size(report.portfolios["hedged"])
        assert math.isclose(neutral.loc[("hedge", "Mkt-RF"), "dollars"], position.hedge["Mkt-RF"])
        assert math.isclose(neutral.loc[("asset", "MSFT"), "dollars"], position.holdings["MSFT"])
        assert math.isclose(neutral.loc[("cash", "cash"), "dollars"], position.cash)

    @pytest.mark.parametrize("name", ["unhedged", "capped", "hedged"])
    def test_pnl_is_the_position(self, report, name):
        position = BUDGET.size(report.portfolios[name])
        for horizon in (rm.DAY, rm.MONTH, rm.YEAR):
            row = report.pnl.loc[(name, str(horizon))]
            assert row["capital"] == position.capital
            assert math.isclose(row["volatility"], 1e6 * math.sqrt(horizon.days / 21))
            assert row["expected_pnl"] == float(position.expected_pnl(horizon))
            assert row["factor_adjusted_pnl"] == float(position.factor_adjusted_pnl(horizon))
            assert math.isclose(row["sharpe"], row["expected_pnl"] / row["volatility"])

    @pytest.mark.parametrize("name", ["unhedged", "capped", "hedged"])
    def test_trade_with_and_without_its_cash_leg(self, report, name):
        row, model = report.trade.loc[name], report.strategy.model
        position = rm.Position(report.portfolios[name], 1e6, rm.YEAR)
        hedge = float(report.portfolios[name].legs["Mkt-RF"])
        assert math.isclose(row["cash"], -1e6 * (1 + hedge))
        assert math.isclose(row["cash_pnl"], 252 * model.risk_free_mean * row["cash"])
        assert row["expected_pnl"] == float(position.expected_pnl(rm.YEAR))
        assert row["expected_pnl_without_cash"] == float(position.expected_pnl_without_cash(rm.YEAR))
        assert math.isclose(row["expected_pnl_without_cash"] + row["cash_pnl"], row["expected_pnl"])

    def test_funded_factors_make_the_cash_leg(self):
        returns, factors = synthetic(2, k=2)
        data = rm.InMemory(returns, factors=factors, risk_free=1e-4, horizon=rm.DAY, funded=["F1"])
        out = make({"A0": 1.0}, ["F0", "F1"], data=data)
        assert out.funded == ("F1",)
        assert facts(out)["Funded factors"] == "F1 (told by the provider)"
        assert math.isclose(out.trade.loc["hedged", "cash"], -1e6 * (1 - out.exposures.loc["F1", "unhedged"]))
        assert "pays for assets and funded factors, borrowed" in table(out, "PnL of").note
        none = make({"A0": 1.0}, ["F0"], data=data)
        assert facts(none)["Funded factors"] == "none"
        assert "pays for assets, borrowed" in table(none, "PnL of").note

    def test_hedged_expected_pnl_is_alpha(self, report):
        hedged = report.pnl.loc["hedged"]
        np.testing.assert_allclose(hedged["expected_pnl"], hedged["factor_adjusted_pnl"])

    def test_residual_correlations(self, report):
        residuals = report.strategy.model.residuals(report.panel)
        expected = residuals.corr().loc["JPM", "XOM"]
        assert math.isclose(report.correlations[("JPM", "XOM")], expected)
        assert report.tests.index.tolist() == ["pesaran_cd", "breusch_pagan"]
        assert report.tests.loc["pesaran_cd", "statistic"] == report.comparison.pesaran_cd().statistic
        assert report.tests.loc["breusch_pagan", "pvalue"] == report.comparison.breusch_pagan().pvalue

    def test_only_the_holdings_count(self):
        wide = make({"MSFT": 1.0, "JPM": 1.0}, assets=["MSFT", "JPM", "KO"])
        assert wide.comparison.residual_correlation.index.tolist() == ["MSFT", "JPM"]
        assert wide.assets.index.tolist() == ["MSFT", "JPM"]

    def test_repr(self, report):
        assert "on <Strategy of 3 assets" in repr(report)


class TestComputedOnce:
    @pytest.fixture
    def counts(self, monkeypatch):
        counts = dict.fromkeys(["restrict", "decompose", "fit"], 0)

        def count(cls, name, key):
            real = cls.__dict__[name]
            call = real.__func__ if isinstance(real, classmethod) else real

            def counted(*args, **kwargs):
                counts[key] += 1
                return call(*args, **kwargs)

            monkeypatch.setattr(cls, name, classmethod(counted) if isinstance(real, classmethod) else counted)

        count(rm.FactorModel, "restrict", "restrict")
        count(rm.RiskDecomposition, "of", "decompose")
        count(MomentEstimator, "fit", "fit")
        count(LeastSquares, "estimate", "fit")
        return counts

    @pytest.mark.parametrize("forms", [["to_text"], ["to_dict"], ["to_html"], ["to_text", "to_dict", "to_html"]])
    def test_one_decomposition_a_portfolio_and_no_fit(self, report, counts, forms):
        fresh = rm.Strategy(WEIGHTS, report.strategy.model)
        again = RiskReport.of(fresh, report.panel, BUDGET, cap=0.2)
        for form in forms:
            getattr(again, form)()
        assert len(again.portfolios) == 3
        # the page and the JSON have rolling regressions, of which text has none
        rolling = {"to_html", "to_dict"} & set(forms)
        assert counts["decompose"] == 3 or rolling
        assert counts["fit"] == 0 or rolling

    def test_frames_are_copies(self, report):
        before = report.to_text()
        for name in (
            "estimates", "assets", "exposures", "variance", "volatility", "legs", "pnl", "trade", "tests", "figures",
            "scaling", "exposures_through_time",
        ):  # fmt: skip
            frame = getattr(report, name)
            frame.loc[:, frame.columns] = 17 if name != "figures" else frame.to_numpy()[::-1]
        pairs = report.correlations
        pairs[:] = 17
        assert report.to_text() == before


def flat_model(data, factors, n_assets=6, **numbers):
    """A model of given numbers: loadings from least squares, no regression kept."""
    panel = data.panel([f"A{i}" for i in range(n_assets)], factors)
    m = rm.OLS().fit(panel)
    given = {
        "assets": m.assets, "factors": list(m.definitions), "alpha": m.alpha, "loadings": m.loadings,
        "factor_covariance": m.factor_covariance, "factor_mean": m.factor_mean, "idio_variance": m.idio_variance,
        "horizon": m.horizon,
    }  # fmt: skip
    return rm.FactorModel.from_parameters(**(given | numbers)), panel


def principal_components(k=2, n=6):
    """Factors that are portfolios of assets: B = V and weights V / (V'V), which V'V = 1 leaves as they are."""
    returns, factors = synthetic(n, k=3, seed=3)
    panel = in_memory(returns, factors).panel(list(returns), [])
    centred = returns - returns.mean()
    _, _, vt = np.linalg.svd(centred, full_matrices=False)
    v = pd.DataFrame(vt[:k].T, returns.columns, [f"PC{j + 1}" for j in range(k)])
    f = returns @ v
    residual = centred - (centred @ v) @ v.T
    model = rm.FactorModel.from_parameters(
        assets=list(returns), factors=[rm.PortfolioFactor(name, v[name]) for name in v],
        alpha=returns.mean() - v @ f.mean(), loadings=v, factor_covariance=f.cov(), factor_mean=f.mean(),
        idio_variance=residual.var(), horizon=rm.DAY,
    )  # fmt: skip
    return model, panel, v


@pytest.fixture(scope="module")
def components():
    model, panel, _ = principal_components()
    return RiskReport.of(rm.Strategy({"A0": 0.5, "A1": 0.5}, model), panel, BUDGET, cap=0.2)


class TestAnyEstimator:
    """Models without a regression, of factors that are no columns of the panel, or that nobody can hold."""

    def test_what_only_a_regression_knows_is_left_out(self, components):
        assert components.estimates.columns.tolist() == ["estimate"]
        assert components.assets.columns.tolist() == ["weight", "idio_volatility"]
        assert components.exposures.columns.tolist() == ["unhedged", "capped", "hedged"]
        assert table(components, "Betas").columns == ("Asset", "Weight", "Factor", "Beta")
        assert table(components, "Alphas").columns == ("Asset", "Alpha %/yr", "Idio vol %/yr")
        assert "[" not in printed(components, "Exposures", ("PC1",), "Exposure")
        assert sum("not known" in n and "rm.OLS()" in n for n in components.notes) == 1
        assert components.figures["of"].tolist() == ["this window"] * 3

    def test_the_dict_has_none_for_it(self, components):
        out = json.loads(json.dumps(components.to_dict(), allow_nan=False))
        assert {(a["rsquared"], a["n_observations"]) for a in out["assets"]} == {(None, None)}
        assert {(e["std_error"], e["t"]) for e in out["estimates"] + out["exposures"]} == {(None, None)}
        assert list(out["exposures"][0]) == ["factor", "unhedged", "std_error", "t", "capped", "hedged"]

    def test_the_page_has_every_picture(self, components):
        page = components.to_html()
        assert page.count(DRAWN) == 9
        for heading in ("Portfolio against PC1", "Portfolio against PC2", "Residual against PC1"):
            assert heading in page

    def test_pictures_show_the_returns_of_the_portfolios(self, components):
        _, panel, v = principal_components()
        points = figures.fitted_line(components.strategy, panel, "PC2").marks[0]
        # principal components are uncorrelated, so what PC1 leaves of PC2 is PC2 about its mean
        second = panel.excess_returns @ v["PC2"]
        np.testing.assert_allclose(points.x, second - second.mean(), atol=1e-12)
        residual = figures.residual_scatter(components.strategy, panel).marks[0].y
        expected = components.strategy.model.residuals(panel)[["A0", "A1"]] @ [0.5, 0.5]
        np.testing.assert_allclose(residual, expected, atol=1e-15)
        hedged, tracking = figures.tracking_and_hedged(
            components.strategy, components.portfolios["hedged"], panel
        ).marks
        np.testing.assert_allclose(hedged.y + tracking.y, components.strategy.excess_returns(panel), atol=1e-15)

    def test_legs_show_the_hedge_by_factor_and_what_it_holds(self, components):
        _, _, v = principal_components()
        hedged, legs = components.portfolios["hedged"], components.legs.loc["hedged", "weight"]
        np.testing.assert_allclose(legs["hedge in assets"], hedged.hedge_weights)
        np.testing.assert_allclose(legs["hedge in assets"], -components.exposures["unhedged"])
        held = pd.Series({"A0": 0.5, "A1": 0.5}).reindex(v.index, fill_value=0.0) + v @ hedged.hedge_weights
        pd.testing.assert_series_equal(legs["asset"].sort_index(), held, check_names=False)
        assert math.isclose(legs["asset"].sum() + legs[("cash", "cash")], 0.0, abs_tol=1e-12)
        shown = table(components, "Holdings")
        names = [row[0] for row in shown.rows]
        assert names[:2] == ["A0", "A1"]
        assert sorted(names[2:6]) == ["A2", "A3", "A4", "A5"]
        assert names[6:] == ["cash", "hedge in PC1", "hedge in PC2"]
        assert shown.rows[6][5] == f"{legs[('cash', 'cash')]:.3f}"
        assert "A hedge in PC1, PC2 holds assets" in shown.note

    def test_of_what_a_hedge_holds_the_largest_are_shown(self, components):
        shown = table(components, "Holdings", most=2)
        legs = components.legs.loc["hedged", "weight"]["asset"].drop(["A0", "A1"]).abs()
        assert [row[0] for row in shown.rows[:4]] == ["A0", "A1", *legs.nlargest(2).index]
        assert shown.hidden == 2

    def test_columns_and_portfolios_together(self):
        returns, factors = synthetic(6, k=1)
        basket = rm.PortfolioFactor("basket", {"A4": 0.5, "A5": 0.5})
        model, panel = flat_model(in_memory(returns, factors), ["F0", basket])
        out = RiskReport.of(rm.Strategy({"A0": 1.0, "A1": 1.0}, model), panel.select(factors=["F0"]), BUDGET)
        kinds = out.legs.loc["hedged"].index.get_level_values("kind")
        assert kinds.value_counts().to_dict() == {"asset": 4, "hedge": 1, "hedge in assets": 1, "cash": 1}
        assert out.to_html().count(DRAWN) == 9
        assert np.allclose(out.exposures["hedged"], 0.0, atol=1e-12)

    def test_what_nobody_can_hold_is_not_hedged(self):
        returns, factors = synthetic(6, k=2)
        macro = [rm.PublishedFactor("F0"), rm.PublishedFactor("F1", tradable=False)]
        model, panel = flat_model(in_memory(returns, factors), macro)
        strategy = rm.Strategy({"A0": 1.0, "A1": 1.0}, model)
        out = RiskReport.of(strategy, panel, BUDGET, cap=0.2)
        assert list(out.portfolios) == ["unhedged"]
        assert any("F1" in n and "not tradable" in n for n in out.notes)
        assert not any("'capped'" in n for n in out.notes)
        text, page = out.to_text(), out.to_html()
        assert "HOLDINGS AND CASH" in text
        assert "(hedge)" not in text
        assert page.count(DRAWN) == 8
        assert "Capacity, unhedged" in page
        assert list(out.to_dict()["exposures"][0]) == ["factor", "unhedged", "std_error", "t"]
        # the same factor without exposure to it leaves nothing to refuse
        flat = model.loadings.assign(F1=0.0)
        free, _ = flat_model(in_memory(returns, factors), macro, loadings=flat)
        assert list(RiskReport.of(rm.Strategy({"A0": 1.0}, free), panel, BUDGET).portfolios) == ["unhedged", "hedged"]


class TestEdges:
    def test_riskless_when_hedged(self):
        index = make({"SPX": 1.0}, cap=0.2)
        assert index.positions["unhedged"] is not None
        assert index.positions["hedged"] is None
        assert index.pnl.loc["hedged"].isna().all(axis=None)
        assert index.legs.loc["hedged", "dollars"].isna().all()
        assert math.isnan(index.factor_share("hedged"))
        assert any("No risk is left in capped and hedged" in n for n in index.notes)
        assert index.to_dict()["positions"]["hedged"] is None
        assert "no limit" in index.to_html()
        assert "NaN" not in json.dumps(index.to_dict(), allow_nan=False)

    def test_riskless_with_another_limit_is_sized(self):
        budget = rm.RiskBudget(1e6, rm.MONTH, limits=[rm.CapitalLimit(5e6)])
        index = make({"SPX": 1.0}, budget=budget)
        assert index.positions["hedged"].capital == 5e6
        assert index.positions["hedged"].binding == "capital"
        assert index.pnl.loc["hedged", "sharpe"].isna().all()

    def test_no_limit_at_all_binds(self):
        class Nothing(rm.Limit):
            name, amount = "nothing", 1.0

            def use(self, portfolio):
                return 0.0

        panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF"])
        m = rm.OLS().fit(panel)
        flat = rm.FactorModel.from_parameters(
            assets=["MSFT"], factors=["Mkt-RF"], alpha=0.0, loadings=1.0, factor_covariance=m.factor_covariance,
            factor_mean=0.0, idio_variance=0.0, horizon=rm.DAY,
        )  # fmt: skip
        budget = rm.RiskBudget(1e6, rm.MONTH, limits=[Nothing()])
        out = RiskReport.of(rm.Strategy({"MSFT": 1.0}, flat), panel, budget)
        assert out.positions["hedged"] is None

    def test_single_asset_has_no_correlations(self):
        alone = make({"MSFT": 1.0})
        assert alone.comparison is None
        assert alone.correlations.empty
        assert alone.tests.empty
        assert any("Residual correlations are left out" in n for n in alone.notes)
        assert alone.to_dict()["residual_correlations"] == []

    def test_fully_explained_asset_is_left_out_of_them(self):
        with_index = make({"SPX": 1.0, "MSFT": 1.0, "JPM": 1.0})
        assert with_index.comparison.residual_correlation.index.tolist() == ["MSFT", "JPM"]

    def test_assets_that_never_meet(self):
        returns, factors = synthetic(2)
        returns.iloc[:60, 0] = np.nan
        returns.iloc[60:, 1] = np.nan
        apart = make({"A0": 1.0, "A1": 1.0}, ["F0"], data=in_memory(returns, factors))
        assert apart.tests.empty
        assert any("three dates in common" in n for n in apart.notes)
        assert "Correlations of residuals" not in apart.to_html()
        json.dumps(apart.to_dict(), allow_nan=False)

    def test_dropped_dates_are_told(self):
        returns, factors = synthetic()
        factors.iloc[[3, 7], 0] = np.nan
        out = make({"A0": 1.0}, ["F0"], data=in_memory(returns, factors))
        assert out.to_dict()["dropped"] == {"factor F0 missing": 2}
        assert "2 (factor F0 missing)" in out.to_text()

    @pytest.mark.parametrize("weights", [{"MSFT": 0.0}, {"MSFT": 0.0, "JPM": 0.0}])
    def test_nothing_held(self, weights):
        with pytest.raises(rm.InvalidParameterError, match="not zero"):
            make(weights)

    def test_no_factor(self, report):
        with pytest.raises(rm.InvalidParameterError, match="at least one factor"):
            RiskReport.of(rm.Strategy({"MSFT": 1.0}, WITHOUT_FACTORS), report.panel, BUDGET)

    def test_bad_cap(self):
        with pytest.raises(rm.InvalidParameterError, match="cap"):
            make(cap=-0.1)

    @pytest.mark.parametrize("name", ["portfolio", "Portfolio", " portfolio "])
    def test_an_asset_named_like_the_total(self, name):
        returns, factors = synthetic(2, names=[name, "cash"])
        out = make({name: 0.5, "cash": 0.5}, ["F0"], data=in_memory(returns, factors))
        assert out.total == "portfolio (total)"
        assert out.estimates.loc["portfolio (total)", "estimate"].tolist() == [
            float(out.strategy.alpha), *out.strategy.exposures
        ]  # fmt: skip
        kinds = [(e["kind"], e["asset"]) for e in out.to_dict()["estimates"]]
        assert kinds[::2] == [("asset", name), ("asset", "cash"), ("portfolio", "portfolio (total)")]
        assert "\nportfolio (total) " in out.to_text()
        assert [row[0] for row in table(out, "Holdings").rows] == [name, "cash", "F0 (hedge)", "cash (leg)"]
        assert "portfolio (total)" in out.to_html()

    def test_the_total_is_the_portfolio(self, report):
        assert report.total == "portfolio"
        kinds = [e["kind"] for e in report.to_dict()["estimates"]]
        assert kinds == ["asset"] * 6 + ["portfolio"] * 2

    def test_panel_of_another_horizon(self, report):
        panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF"])
        with pytest.raises(rm.HorizonMismatchError):
            RiskReport.of(report.strategy, panel, BUDGET)

    def test_panel_without_what_is_held(self, report):
        with pytest.raises(rm.UnknownAssetError):
            RiskReport.of(report.strategy, report.panel.select(["MSFT"]), BUDGET)


class TestDict:
    def test_is_json_and_complete(self, report):
        out = json.loads(json.dumps(report.to_dict(), allow_nan=False))
        assert set(out) == {
            "source", "start", "end", "horizon", "return_type", "unmatched", "left_out", "n_dates", "dropped",
            "factors", "funded", "budget", "cap", "assets", "estimates", "exposures", "variance", "legs", "positions",
            "pnl", "trade", "residual_correlations", "tests", "notes", "realised", "warnings", "figures", "level",
            "errors", "covered", "not_estimated", "scaling", "stability", "alpha_tests", "alpha_known_after",
            "schema", "schema_version", "version", "provenance", "capital", "limits", "contributions", "tails",
            "scenarios", "attribution", "changes", "trends", "walk_forward", "hedges_in_instruments", "hedge_in_lots",
            "lineage", "proxies",
        }  # fmt: skip
        assert (out["start"], out["end"], out["n_dates"]) == ("2000-01-03", "2018-11-30", 4760)
        assert out["budget"] == {"volatility": 1e6, "horizon": "month"}
        assert out["cap"] == 0.2
        assert out["funded"] == ["Mkt-RF"]
        assert (out["trade"]["capital"], out["trade"]["horizon"]) == (1e6, "year")
        assert [r["portfolio"] for r in out["trade"]["pnl"]] == ["unhedged", "capped", "hedged"]
        assert [r["cash_pnl"] for r in out["trade"]["pnl"]] == report.trade["cash_pnl"].tolist()
        assert out["positions"]["hedged"]["capital"] == report.positions["hedged"].capital
        assert out["positions"]["hedged"]["binding"] == "volatility per month"
        assert [a["asset"] for a in out["assets"]] == list(WEIGHTS)
        assert len(out["estimates"]) == 8
        assert len(out["pnl"]) == 9

    def test_numbers_are_the_tables(self, report):
        out = report.to_dict()
        for key, frame in {"variance": report.variance, "legs": report.legs, "pnl": report.pnl}.items():
            flat = frame.reset_index()
            assert [list(r) for r in out[key]] == [flat.columns.tolist()] * len(flat)
            assert [list(r.values()) for r in out[key]] == flat.to_numpy().tolist()


# -- the terminal ----------------------------------------------------------------------------------


class TestText:
    @pytest.mark.parametrize("cap", [None, 0.2])
    def test_fits_80_columns(self, cap):
        lines = make(cap=cap).to_text().splitlines()
        assert max(map(len, lines)) <= 80

    def test_says_what_the_library_says(self, report):
        out = report.to_text()
        model, position = report.strategy.model, report.positions["hedged"]
        beta, row = model.loadings.loc["JPM", "Mkt-RF"], report.estimates.loc[("JPM", "Mkt-RF")]
        assert re.search(
            rf"JPM +0\.300 +Mkt-RF +{beta:.2f} \[{row['low']:.2f}, {row['high']:.2f}\] +{row['t']:.1f}\n", out
        )
        assert re.search(rf"hedged +{position.capital:,.0f} +day ", out)
        pnl = float(position.expected_pnl(rm.YEAR))
        assert re.search(rf"year +3\.46m +{pnl / 1e6:.2f}m \[", out)
        assert re.search(rf"Mkt-RF +{100 * report.factor_share('unhedged'):.1f} ", out)
        alpha = 252 * 100 * report.estimates.loc[("MSFT", "alpha"), ["estimate", "low", "high"]]
        assert re.search("MSFT +{:.1f} \\[{:.1f}, {:.1f}\\]".format(*alpha), out)

    def test_lone_asset_is_not_said_twice(self):
        assert "portfolio  " not in make({"MSFT": 1.0}).to_text()
        assert "portfolio  " in make({"MSFT": 2.0}).to_text()

    def test_many_assets_are_cut(self):
        returns, factors = synthetic(40)
        many = make(dict.fromkeys(returns, 1 / 40), ["F0"], data=in_memory(returns, factors))
        out = many.to_text()
        assert "... and 28 smaller (--json has all)" in out
        assert "A11 " in out
        assert "A12 " not in out.split("LARGEST")[0]
        assert "and 34 more" in " ".join(out.split())
        assert len(many.to_dict()["assets"]) == 40

    def test_labels_do_not_steer_the_terminal(self):
        returns, factors = synthetic(2, names=["\x1b[31mRED", "A" * 60])
        out = make(dict.fromkeys(returns, 0.5), ["F0"], data=in_memory(returns, factors)).to_text()
        assert "\x1b" not in out
        assert "?[31mRED" in out
        assert "A" * 16 + ".. " in out

    @pytest.mark.parametrize(
        ("cap", "said"), [(0.005, "at most 0.5%."), (0.2, "at most 20%."), (1 / 3, "at most 33.3%.")]
    )
    def test_cap_is_said_in_full(self, cap, said):
        assert any(n.endswith(said) for n in make(cap=cap, start="2018-01-01").notes)

    def test_small_budgets_keep_their_digits(self):
        out = make({"MSFT": 1.0}, budget=rm.RiskBudget(0.01, rm.MONTH))
        text = out.to_text()
        capital = out.positions["unhedged"].capital
        assert "$0.01 of volatility per month" in text
        assert "$0 " not in text
        assert re.search(rf"unhedged +{capital:.3g}  day", text)
        capacity = next(p for p in out.pictures() if p.heading.startswith("Capacity"))
        assert "within $0.01 of volatility per month" in capacity.about
        lines = figures.cumulated_pnl(out.positions, out.panel).marks
        total = capital * float(out.strategy.excess_returns(out.panel).sum())
        assert math.isclose(lines[0].y[-1], total, rel_tol=1e-6)

    @pytest.mark.parametrize(
        ("amount", "capital", "said"),
        [(0.0, 0.0, "0"), (0.01, 0.1, "0.01"), (12.345, 100.0, "12.3"), (999.4, 1e3, "999"), (999.6, 1e3, "1,000"),
         (-123_456.7, 1e6, "-123,457"), (1e-9, 1e6, "0"), (-0.5, 1e3, "-0.5"), (math.nan, math.nan, "-")],
    )  # fmt: skip
    def test_dollars(self, amount, capital, said):
        assert formats.dollars(amount, capital) == said

    def test_rounding_of_a_weight_is_no_dollars(self):
        out = make({"KO": 0.1 + 0.2, "PEP": -0.3}, budget=rm.RiskBudget(1e9, rm.MONTH))
        cash = table(out, "Holdings").rows[-1]
        assert cash[:3] == ("cash", "0.000", "0")

    def test_trade_is_told(self, report):
        out = report.to_text()
        row = report.trade.loc["hedged"]
        cash, pnl, *others = (
            f"{row[c]:,.0f}" for c in ("cash", "expected_pnl", "cash_pnl", "expected_pnl_without_cash")
        )
        told = rf"{cash} +{pnl} \[[-0-9.k]+, [0-9.k]+\] +" + " +".join(others)
        assert "PNL OF A $1,000,000 TRADE OVER A YEAR" in out
        assert re.search(rf"\nhedged +{told}\n", out)

    def test_no_minus_zero(self):
        assert formats.fixed(-0.0001, 2) == "0.00"
        assert formats.fixed(-1234.5, 1) == "-1,234.5"
        assert formats.fixed(math.inf, 1) == "-"

    @pytest.mark.parametrize(("p", "said"), [(0.0, "< 0.001"), (0.0456, "0.046")])
    def test_pvalues(self, p, said):
        assert formats.pvalue(p) == said

    def test_width_constant(self):
        assert text._WIDTH < 80


# -- pictures --------------------------------------------------------------------------------------


class TestFigures:
    def test_the_line_of_one_factor_passes_through_the_means(self, report):
        strategy, panel = report.strategy, report.panel
        points, line = figures.fitted_line(strategy, panel).marks
        slope = (line.y[1] - line.y[0]) / (line.x[1] - line.x[0])
        assert math.isclose(slope, strategy.exposures["Mkt-RF"])
        at_mean = line.y[0] + slope * (panel.factor_returns["Mkt-RF"].mean() - line.x[0])
        assert math.isclose(at_mean, strategy.excess_returns(panel).mean(), rel_tol=1e-9)
        assert set(points.x) <= set(panel.factor_returns["Mkt-RF"])

    @pytest.mark.parametrize("factor", ["Mkt-RF", "SMB", "HML"])
    def test_of_several_factors_each_has_its_partial_regression(self, three_factors, factor):
        strategy, panel = three_factors.strategy, three_factors.panel
        points, line = figures.fitted_line(strategy, panel, factor).marks
        others = np.column_stack([np.ones(len(panel.dates)), panel.factor_returns.drop(columns=factor)])

        def net(values):
            return values - others @ np.linalg.lstsq(others, values, rcond=None)[0]

        np.testing.assert_allclose(points.x, net(panel.factor_returns[factor].to_numpy()), atol=1e-15)
        np.testing.assert_allclose(points.y, net(strategy.excess_returns(panel).to_numpy()), atol=1e-14)
        slope, _ = naive_ols(points.y, points.x[:, None])[0][::-1]
        assert math.isclose(slope, strategy.exposures[factor], rel_tol=1e-9)
        np.testing.assert_allclose(line.y, strategy.exposures[factor] * line.x, rtol=1e-12)

    def test_another_estimator_has_points_as_far_from_its_line_as_the_model(self, three_factors):
        panel = three_factors.panel
        strategy = rm.Strategy({"BusEq": 1.0}, rm.EWMA(rm.Horizon(60 * 21)).fit(panel))
        points, _ = figures.fitted_line(strategy, panel, "SMB").marks
        residual = strategy.model.residuals(panel)["BusEq"]
        np.testing.assert_allclose(points.y - strategy.exposures["SMB"] * points.x, residual, atol=1e-14)

    def test_residual_is_the_model_residual(self, report):
        alone = make({"MSFT": 1.0}, start="2017-01-01")
        points, zero = figures.residual_scatter(alone.strategy, alone.panel).marks
        np.testing.assert_allclose(points.y, alone.strategy.model.residuals(alone.panel)["MSFT"], atol=1e-15)
        assert zero.y.tolist() == [0.0, 0.0]

    def test_tracking_and_hedged_add_up(self, three_factors):
        strategy, panel = three_factors.strategy, three_factors.panel
        hedged, tracking = figures.tracking_and_hedged(strategy, three_factors.portfolios["hedged"], panel).marks
        np.testing.assert_allclose(hedged.y + tracking.y, strategy.excess_returns(panel), atol=1e-15)
        np.testing.assert_allclose(tracking.y, panel.factor_returns @ strategy.exposures)

    def test_variance_split_shares(self, report):
        bars = {b.name: list(b.sizes) for b in figures.variance_split(report.portfolios).marks}
        total = float(report.strategy.decompose().total_variance)
        idio = float(report.strategy.decompose().idio_variance) / total
        np.testing.assert_allclose(bars["idio"], [idio] * 3)
        np.testing.assert_allclose(bars["Mkt-RF"], [1 - idio, idio / 4, 0.0], atol=1e-12)

    def test_of_many_factors_the_largest_are_drawn(self):
        returns, factors = synthetic(4, k=9)
        out = make(dict.fromkeys(returns, 0.25), list(factors), data=in_memory(returns, factors))
        bars = {b.name: b.sizes[0] for b in figures.variance_split(out.portfolios).marks}
        shares = out.variance.loc["unhedged", "share"]
        largest = shares[list(factors)].abs().nlargest(5).index
        assert set(bars) == {*largest, "4 others", "idio"}
        assert math.isclose(sum(bars.values()), 1.0)
        assert math.isclose(bars[largest[0]], shares[largest[0]])

    def test_capacity(self, report):
        (bars,) = figures.capacity({**report.positions, "riskless": None}).marks
        assert list(bars.sizes) == [*(p.capital for p in report.positions.values()), 0.0]
        assert bars.labels[-1] == "riskless"
        assert bars.beside[-1] == "no risk left: no limit"

    def test_cumulated_pnl(self, report):
        lines = {t.name: t for t in figures.cumulated_pnl({**report.positions, "none": None}, report.panel).marks}
        assert list(lines) == ["unhedged", "capped", "hedged"]
        position = report.positions["hedged"]
        last = position.capital * position.portfolio.excess_returns(report.panel).sum()
        assert math.isclose(lines["hedged"].y[-1], last, abs_tol=0.01)
        assert lines["hedged"].x[-1] == pd.Timestamp("2018-11-30")

    def test_residual_correlations_keep_the_largest(self):
        returns, factors = synthetic(8)
        returns["A7"] = returns["A6"] + 0.001 * returns["A5"]
        panel = in_memory(returns, factors).panel(list(returns), ["F0"])
        comparison = rm.CovarianceComparison.of(rm.OLS().fit(panel), panel)
        heat = figures.residual_correlations(comparison, most=2).marks[0]
        assert heat.labels == ("A6", "A7")
        assert math.isclose(heat.numbers[0, 1], comparison.residual_correlation.loc["A6", "A7"])
        assert np.isnan(heat.numbers[0, 0])

    def test_points_are_thinned_but_keep_the_extremes(self, report):
        points = figures.fitted_line(report.strategy, report.panel).marks[0]
        assert len(points.x) == figures.MOST_POINTS
        returns, factor = report.strategy.excess_returns(report.panel), report.panel.factor_returns["Mkt-RF"]
        assert {returns.min(), returns.max()} <= set(points.y)
        assert {factor.min(), factor.max()} <= set(points.x)
        assert points.dates.is_monotonic_increasing

    def test_missing_returns_are_left_out(self):
        returns, factors = synthetic(2)
        returns.iloc[:20, 0] = np.nan
        out = make({"A0": 1.0, "A1": 1.0}, ["F0"], data=in_memory(returns, factors))
        assert len(figures.fitted_line(out.strategy, out.panel).marks[0].x) == 100
        assert len(figures.cumulated_pnl(out.positions, out.panel).marks[0].x) == 100

    def test_labels_are_escaped(self):
        returns, factors = synthetic(2, names=["<a href='https://x'>y</a>", "B"])
        factors.columns = ["<i>F</i>"]
        out = make(dict.fromkeys(returns, 0.5), list(factors), data=in_memory(returns, factors))
        for figure in (
            figures.variance_split(out.portfolios),
            figures.residual_correlations(out.comparison),
            figures.fitted_line(out.strategy, out.panel),
        ):
            for shown in (figure.markup(), figure._repr_html_()):
                read(shown)
                assert "<i>" not in shown
                assert "<a " not in shown
                assert "&lt;" in shown

    def test_unknown_factor(self, report):
        with pytest.raises(rm.UnknownFactorError, match="nearest"):
            figures.fitted_line(report.strategy, report.panel, "Mkt-RG")

    def test_model_without_factors(self, report):
        with pytest.raises(rm.InvalidParameterError, match="factors"):
            figures.fitted_line(rm.Strategy({"MSFT": 1.0}, WITHOUT_FACTORS), report.panel)

    @pytest.mark.parametrize("draw", [figures.variance_split, figures.capacity])
    def test_nothing_to_draw(self, draw):
        with pytest.raises(rm.InvalidParameterError, match="at least one"):
            draw({})

    @pytest.mark.parametrize(
        ("amount", "said"),
        [(0, "$0"), (999, "$999"), (1_234, "$1.23k"), (11_378_690, "$11.4m"), (-250e6, "-$250m"), (2e9, "$2.00bn"),
         (3e13, "$30.0tn"), (0.0123, "$0.0123"), (999_999, "$1.00m")],
    )  # fmt: skip
    def test_short_dollars(self, amount, said):
        assert formats.short_dollars(amount) == said


class TestWithoutExtras:
    @pytest.fixture
    def without(self, monkeypatch):
        real = builtins.__import__

        def refuse(package):
            def imported(name, *args, **kwargs):
                if name.split(".")[0] == package:
                    raise ImportError(name)
                return real(name, *args, **kwargs)

            monkeypatch.setattr(builtins, "__import__", imported)

        return refuse

    def test_the_page_needs_jinja(self, report, without):
        without("jinja2")
        with pytest.raises(rm.MissingExtraError, match=r"install .*\[report\]") as caught:
            report.to_html()
        assert caught.value.details["package"] == "jinja2"

    def test_tables_and_figures_need_nothing(self, report, without):
        without("jinja2")
        assert report.to_text()
        assert report.to_dict()
        assert all(picture.figure.markup() for picture in report.pictures())


def test_jinja_is_imported_only_for_pages():
    code = (
        "import sys, riskmodel, riskmodel.cli.main, riskmodel.report.report, riskmodel.report.figures, "
        "riskmodel.report.html; sys.exit(any(m.split('.')[0] == 'jinja2' for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- the page --------------------------------------------------------------------------------------


class _Reader(HTMLParser):
    """What a browser would see: elements, attributes, and text by element."""

    VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.texts = [], [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))


def read(source):
    reader = _Reader()
    reader.feed(source)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def source(report):
    return report.to_html()


class TestPage:
    def test_elements_match_and_it_says_what_it_is(self, source):
        elements = read(source).elements
        assert source.startswith("<!DOCTYPE html>")
        assert ("html", {"lang": "en"}) in elements
        assert sum(tag == "h1" for tag, _ in elements) == 1
        assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in elements

    def test_no_request_leaves_it(self, source):
        for _, attributes in read(source).elements:
            for name in ("src", "href", "srcset", "action", "data", "poster"):
                assert attributes.get(name, "data:,") == "data:,"
        style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)[1]
        assert "url(" not in style
        assert "@import" not in style
        policy = next(a for tag, a in read(source).elements if a.get("http-equiv") == "Content-Security-Policy")
        assert policy["content"].startswith("default-src 'none'; ")
        assert "connect-src" not in policy["content"]

    def test_it_is_small(self, source):
        assert len(source.encode()) < 1_500_000

    def test_every_picture_is_there(self, report, source):
        reader = read(source)
        headings = [t for tag, t in reader.texts if tag == "h2"]
        for heading in (
            "Portfolio against Mkt-RF",
            "Residual against Mkt-RF",
            "Tracking and hedged portfolio against Mkt-RF",
            "Exposures through time",
            "Volatility through time",
            "Factor share through time",
            "The hedge, walked forward",
            "Where the variance comes from",
            "Capacity, hedged and unhedged",
            "Cumulated PnL, hedged and unhedged",
            "Correlations of residuals",
        ):
            assert heading in headings
        plots = [a for tag, a in reader.elements if tag == "div" and a.get("role") == "img"]
        assert len(plots) == 12
        assert all(len(a["aria-label"]) > 30 for a in plots)

    def test_pictures_are_the_figures(self, report, source):
        for picture in report.pictures():
            assert picture.figure.markup() in source

    def test_tables_have_scopes_and_all_cells(self, report, source):
        reader = read(source)
        assert all(a.get("scope") in {"col", "row"} for tag, a in reader.elements if tag == "th")
        cells = {t for tag, t in reader.texts if tag in {"td", "th"}}
        for shown in report.document(100).tables:
            for row in shown.rows:
                assert {c for c in row if c} <= cells

    def test_light_and_dark_and_print(self, source):
        assert "prefers-color-scheme: dark" in source
        assert "@media print" in source
        assert 'content="light dark"' in source

    def test_facts_and_notes(self, report, source):
        texts = {t for _, t in read(source).texts}
        assert "2000-01-03 to 2018-11-30, 4,760 dates, per day" in texts
        assert set(report.notes) <= texts
        assert any("sqrt(h)" in n for n in report.notes)

    def test_single_asset_is_named(self):
        assert "MSFT against Mkt-RF" in make({"MSFT": 1.0}, start="2018-01-01").to_html()

    def test_a_figure_for_each_further_factor(self, three_factors):
        headings = [p.heading for p in three_factors.pictures()]
        assert "Portfolio against SMB" in headings
        assert "Portfolio against HML" in headings
        assert [p.width for p in three_factors.pictures()].count(Width.SMALL) == 2

    def test_no_picture_of_a_factor_is_alone_in_its_row(self, components):
        widths = [p.width for p in components.pictures()]
        assert Width.SMALL not in widths
        assert widths == [Width.HALF] * 8 + [Width.WIDE]

    def test_few_points_are_all_drawn(self, three_factors):
        assert "points are drawn" not in three_factors.pictures()[0].about
        assert "819" in three_factors.to_text()

    @pytest.mark.parametrize(("n", "wide"), [(29, False), (30, True), (200, True)])
    def test_long_tables_are_stacked(self, n, wide):
        returns, factors = synthetic(n)
        out = make(dict.fromkeys(returns, 1 / n), ["F0"], data=in_memory(returns, factors))
        *others, first, second = out.document(100).tables
        assert (first.title, second.title) == ("Betas of assets", "Alphas of assets")
        assert {first.place, second.place} == {Place.END}
        assert {first.width, second.width} == {Width.WIDE if wide else Width.HALF}
        assert others[0].width is Width.HALF

    def test_the_trade_is_on_it(self, source):
        assert "PnL of a $1,000,000 trade over a year" in source
        assert "<dt>Funded factors</dt><dd>Mkt-RF (told by the provider)</dd>" in source

    def test_many_assets_are_cut(self):
        returns, factors = synthetic(120)
        out = make(dict.fromkeys(returns, 1 / 120), ["F0"], data=in_memory(returns, factors)).to_html()
        assert "20 more assets are left out here" in out
        assert "80 assets with smaller ones are left out" in out

    @pytest.mark.parametrize("name", [NASTY, "<!--", "]]>", "a & b", "\u2028"])
    def test_labels_cannot_break_out(self, name):
        returns, factors = synthetic(2, names=[name, "B"])
        factors.columns = [f"F{name}"]
        data = in_memory(returns, factors)
        panel = data.panel(list(returns), list(factors))
        strategy = rm.Strategy({name: 0.5, "B": 0.5}, rm.OLS().fit(panel))
        out = RiskReport.of(strategy, panel, BUDGET, source=f"file {name}", caveats=(name,)).to_html()
        reader = read(out)
        scripts = [a for tag, a in reader.elements if tag == "script"]
        assert scripts == [{"type": "application/json", "id": "hedge-data"}, {}, {}, {}]
        assert "alert(1)</script>" not in out
        assert any(tag == "dd" and t == f"file {name}" for tag, t in reader.texts)
        # labels of the pictures read as they are, up to their length
        labels = [t for tag, t in reader.texts if tag == "text"]
        assert any(name.startswith(t.removesuffix("…")) for t in labels if t)


def test_every_text_of_a_document_is_escaped():
    shown = Table(NASTY, (NASTY, NASTY), ((NASTY, NASTY),), note=NASTY)
    page = html.render(Document(NASTY, NASTY, ((NASTY, NASTY),), (shown,), notes=(NASTY,)))
    reader = read(page)
    # the one script is the page's own, for its tables
    assert [tag for tag, _ in reader.elements].count("script") == 1
    assert "b" not in [tag for tag, _ in reader.elements]
    texts = [(tag, t) for tag, t in reader.texts if NASTY in t]
    assert sorted({tag for tag, _ in texts}) == ["dd", "dt", "h1", "h2", "li", "p", "td", "th", "title"]


def test_the_release_of_each_source_is_told():
    data = rm.SampleData()
    panel = attrs.evolve(data.panel(["MSFT"], ["Mkt-RF"]), provenance={"Factors_daily": "CRSP 202407"})
    strategy = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    report = rm.RiskReport.of(strategy, panel, rm.RiskBudget(1e6, rm.MONTH))
    assert "Factors_daily: CRSP 202407" in report.to_text()
    assert "Factors_daily: CRSP 202407" in report.to_html()


def test_hedges_that_no_security_trades_are_said():
    monthly = rm.SampleData(rm.MONTH).panel(["BusEq", "Enrgy"], ["Mkt-RF", "SMB"])
    held = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(monthly))
    budget = rm.RiskBudget(1e6, rm.MONTH)
    assert "SMB: published on paper" in " ".join(rm.RiskReport.of(held, monthly, budget).to_text().split())
    market = rm.Strategy({"BusEq": 1.0}, rm.OLS().fit(monthly.select(factors=["Mkt-RF"])))
    assert "published on paper" not in " ".join(rm.RiskReport.of(market, monthly, budget).to_text().split())


DATES90 = pd.bdate_range("2020-01-01", periods=90)


def test_dates_that_tails_leave_out_are_said():
    ragged = rm.InMemory(
        pd.DataFrame({"A": [0.01, -0.02, 0.015] * 30, "B": [np.nan] * 40 + [0.01, -0.01] * 25}, DATES90),
        factors=pd.DataFrame({"F": np.linspace(-0.01, 0.02, 90)}, DATES90),
        risk_free=0.0,
        horizon=rm.DAY,
    ).panel(["A", "B"], ["F"])
    model = rm.OLS().fit(ragged)
    budget = rm.RiskBudget(1e6, rm.MONTH)
    report = rm.RiskReport.of(rm.Strategy({"A": 0.5, "B": 0.5}, model), ragged, budget)
    assert any("is of the 50 of 90 dates" in note for note in report.notes)
    whole = rm.RiskReport.of(rm.Strategy({"A": 1.0}, model), ragged, budget)
    assert not any("value at risk" in note for note in whole.notes)


def test_shares_and_residual_correlations_have_intervals():
    panel = rm.SampleData().panel(["MSFT", "JPM", "XOM"], ["Mkt-RF"], start="2014")
    model = rm.OLS().fit(panel)
    held = rm.Strategy({"MSFT": 0.5, "JPM": 0.3, "XOM": 0.2}, model)
    report = rm.RiskReport.of(held, panel, rm.RiskBudget(1e6, rm.MONTH))
    inference = rm.Inference.of(model, panel)
    shares = {(row["by"], row["name"]): row for row in report.to_dict()["contributions"]["shares"]}
    expected = inference.contributions(held)
    for key, row in expected.iterrows():
        assert shares[key]["low"] == pytest.approx(row["low"], rel=1e-9)
        assert shares[key]["high"] == pytest.approx(row["high"], rel=1e-9)
    text = report.to_text()
    low, high = 100 * expected.loc[("factor", "Mkt-RF"), ["low", "high"]].astype(float)
    assert f"[{low:.1f}, {high:.1f}]" in text[text.index("VARIANCE SPLIT") :]
    pair = inference.residual_correlations(["MSFT", "JPM"]).iloc[0]
    assert f"{pair['estimate']:.2f} [{pair['low']:.2f}, {pair['high']:.2f}]" in text
    plain = rm.RiskReport.of(held, panel, rm.RiskBudget(1e6, rm.MONTH), errors=rm.Classical())
    assert plain.to_dict()["contributions"]["shares"] == []
