"""Books with names that others stand in for: what stays known of them, and what is said to be unknown."""

import math

import numpy as np
import pandas as pd
import pytest
from attrs import evolve
from panels import panel_of

import riskmodel as rm
from riskmodel.inference.contributions import ContributionFigures

PEERS = rm.PeerProxies({"NEW": ["A0", "A1", "A3"], "OTHER": ["A4"]})
BOOK = rm.Book({"A0": 6.0, "A2": -3.0, "NEW": 4.0, "OTHER": -1.0}, nav=10.0)
BUDGET = rm.RiskBudget(1e6, rm.MONTH)
OF = {str(of): of for of in (rm.LONG_RUN, rm.THIS_WINDOW)}
NAMED = {
    "alpha": lambda p: float(p.alpha),
    "expected excess return": lambda p: float(p.expected_excess_return),
    "exposure F0": lambda p: float(p.exposures.iloc[0]),
    "exposure F1": lambda p: float(p.exposures.iloc[1]),
    "sharpe": lambda p: float(p.sharpe),
}


def market(seed=0, t=500, n=5, missing=0):
    """Five names on two factors, with a residual that the first two share."""
    rng = np.random.default_rng(seed)
    f = rng.normal(0.0003, 0.01, (t, 2))
    b = np.column_stack([np.linspace(0.5, 1.5, n), np.linspace(-0.4, 0.6, n)])
    e = rng.normal(0.0, 0.01, (t, n))
    e[:, 1] += 0.5 * e[:, 0]
    r = f @ b.T + e
    r[:missing, 1] = np.nan
    return panel_of(r, f)


def covered(panel, estimator=None):
    model = (rm.OLS() if estimator is None else estimator).fit(panel)
    found = BOOK.cover(model, PEERS)
    return model, found, found.panel(panel)


def on(model):
    """The same book in another model of what has returns."""
    return BOOK.cover(model, PEERS).strategy


@pytest.mark.parametrize("missing", [0, 120])
@pytest.mark.parametrize("covariance", [rm.HAC(lags=3), rm.Cosine()], ids=["hac", "cosine"])
@pytest.mark.parametrize("estimator", [rm.OLS(), rm.EWMA(rm.YEAR)], ids=["ols", "ewma"])
class TestErrors:
    """Against numeric gradients of the book as a function of the regressions of what has returns."""

    def test_figures(self, missing, covariance, estimator):
        panel = market(missing=missing)
        model, cover, own = covered(panel, estimator)
        table = rm.Inference.of(cover.strategy.model, own, covariance).table(cover.strategy)
        base = rm.Inference.of(model, panel, covariance)
        for name, figure in NAMED.items():
            oracle = base.interval(lambda m, f=figure: f(on(m)), of=OF[table.loc[name, "of"]])
            assert table.loc[name, "estimate"] == pytest.approx(oracle.estimate, rel=1e-10)
            assert table.loc[name, "std_error"] == pytest.approx(oracle.std_error, rel=1e-5)

    def test_hedges(self, missing, covariance, estimator):
        panel = market(missing=missing)
        model, cover, own = covered(panel, estimator)
        ours, base = rm.Inference.of(cover.strategy.model, own, covariance), rm.Inference.of(model, panel, covariance)
        tools = ["A3", "A4"]
        made = {
            rm.HedgedPortfolio.neutral: ours.neutral(cover.strategy, tools),
            rm.HedgedPortfolio.minimum_variance: ours.minimum_variance(cover.strategy, tools),
        }
        for hedge, table in made.items():
            for tool in tools:
                oracle = base.interval(lambda m, h=hedge, t=tool: float(h(on(m), tools).hedge_weights[t]))
                row = table.loc[f"hedge {tool}"]
                assert row["estimate"] == pytest.approx(oracle.estimate, rel=1e-9)
                assert row["std_error"] == pytest.approx(oracle.std_error, rel=1e-4)

    def test_what_dates_add_to_contributions(self, missing, covariance, estimator):
        panel = market(missing=missing)
        model, cover, own = covered(panel, estimator)
        inference = rm.Inference.of(cover.strategy.model, own, covariance)
        shares = {s.key: s for s in ContributionFigures.of(inference._fitted, cover.strategy, covariance)}
        every = sum(share.by_date for key, share in shares.items() if key[0] == "asset")
        np.testing.assert_allclose(every, 0.0, atol=1e-9)
        assert sum(s.estimate for key, s in shares.items() if key[0] == "asset") == pytest.approx(1.0)
        # of one name, the terms of a figure that is its share
        own_share = rm.Inference.of(model, panel, rm.HC3()).interval(
            lambda m: (p := on(m)).decompose().by_asset["NEW"] / float(p.volatility) ** 2
        )
        free = ContributionFigures.of(inference._fitted, cover.strategy, rm.HC3())
        new = next(s for s in free if s.key == ("asset", "NEW"))
        assert math.sqrt(float(new.by_date @ new.by_date)) == pytest.approx(own_share.std_error, rel=1e-4)

    def test_a_figure_of_ones_own(self, missing, covariance, estimator):
        panel = market(missing=missing)
        model, cover, own = covered(panel, estimator)
        weights = cover.strategy.weights
        ours = rm.Inference.of(cover.strategy.model, own, covariance)
        mine = ours.interval(lambda m: float(rm.Strategy(weights, m).volatility))
        oracle = rm.Inference.of(model, panel, covariance).interval(lambda m: float(on(m).volatility))
        assert (mine.estimate, mine.std_error) == pytest.approx((oracle.estimate, oracle.std_error), rel=1e-5)


def test_classical_errors_are_those_of_peers():
    panel = market()
    _, cover, own = covered(panel)
    table = rm.Inference.of(cover.strategy.model, own, rm.Classical()).table(cover.strategy)
    # exposures are those of a portfolio of what has returns
    w = BOOK.cover(rm.OLS().fit(panel), PEERS).strategy.weights
    same = pd.Series({"A0": w["A0"] + w["NEW"] / 3, "A1": w["NEW"] / 3, "A2": w["A2"], "A3": w["NEW"] / 3,
                      "A4": w["OTHER"]})  # fmt: skip
    model = rm.OLS().fit(panel)
    plain = rm.Inference.of(model, panel, rm.Classical()).table(rm.Strategy(same, model))
    rows = ["exposure F0", "exposure F1"]
    columns = ["estimate", "std_error", "low", "high"]
    np.testing.assert_allclose(table.loc[rows, columns].astype(float), plain.loc[rows, columns].astype(float))


def test_intervals_cover_the_means_of_peers():
    rng = np.random.default_rng(1)
    b = np.array([0.5, 0.75, 1.0, 1.25, 1.5])
    w = BOOK.cover(rm.OLS().fit(market()), PEERS).strategy.weights
    true = w["A0"] * b[0] + w["A2"] * b[2] + w["NEW"] * b[[0, 1, 3]].mean() + w["OTHER"] * b[4]
    hits = []
    for _ in range(200):
        f = rng.standard_t(5, (252, 1)) * 0.01
        panel = panel_of(f * b + rng.standard_t(5, (252, 5)) * 0.01, f)
        _, cover, own = covered(panel)
        row = rm.Inference.of(cover.strategy.model, own).table(cover.strategy).loc["exposure F0"]
        hits.append(row["low"] <= true <= row["high"])
    # 200 draws: three standard errors below 95 %
    assert np.mean(hits) >= 0.90


class TestNotKnown:
    def test_the_proxies_themselves(self):
        _, cover, own = covered(market())
        inference = rm.Inference.of(cover.strategy.model, own)
        errors = inference.std_errors()
        assert errors.loc[["NEW", "OTHER"]].isna().all(axis=None)
        plain = rm.Inference.of(rm.OLS().fit(market()), market()).std_errors()
        pd.testing.assert_frame_equal(errors.loc[plain.index], plain)
        assert "NEW" not in inference.alphas().assets
        assert not any("NEW" in pair for pair in inference.residual_correlations().index)
        for refused in (
            lambda: inference.alphas(["A0", "NEW"]),
            lambda: inference.residual_correlations(["A0", "NEW"]),
            lambda: inference.summary("NEW"),
            lambda: cover.strategy.model.summary("NEW", own),
        ):
            with pytest.raises(rm.NotEstimatedError, match="stand"):
                refused()

    def test_without_its_peers(self):
        _, cover, own = covered(market())
        alone = cover.strategy.model.restrict(["A0", "NEW"])
        assert list(cover.strategy.model.proxies) == ["NEW", "OTHER"]
        # which names they are is not forgotten, so that nothing takes their figures for those of regressions
        assert list(alone.proxies) == ["NEW"]
        assert bool(alone.prior["NEW"])
        with pytest.raises(rm.NotEstimatedError) as caught:
            rm.Inference.of(alone, own)
        assert caught.value.details["peers"] == ["A1", "A3"]
        report = rm.RiskReport.of(rm.Strategy({"A0": 0.5, "NEW": 0.5}, alone), own, BUDGET)
        assert math.isnan(report.assets.loc["NEW", "n_observations"])
        assert not any("NEW" in pair for pair in rm.RealisedRisk.of(report.strategy, own).pairs().index)

    def test_peers_have_figures_of_their_own(self):
        _, cover, _ = covered(market())
        with pytest.raises(rm.InvalidParameterError) as caught:
            rm.Book({"A0": 1.0, "NEWEST": 1.0}).cover(cover.strategy.model, rm.PeerProxies({"NEWEST": ["NEW"]}))
        assert caught.value.details == {"asset": "NEWEST", "peers": ["NEW"]}

    def test_it_is_saved(self, tmp_path):
        _, cover, own = covered(market())
        cover.strategy.model.save(tmp_path / "book.model")
        again = rm.FactorModel.load(tmp_path / "book.model")
        assert {a: p.to_dict() for a, p in again.proxies.items()} == {
            a: p.to_dict() for a, p in cover.strategy.model.proxies.items()
        }
        tables = [rm.Inference.of(m, own).table(rm.Strategy(cover.strategy.weights, m))
                  for m in (again, cover.strategy.model)]  # fmt: skip
        pd.testing.assert_frame_equal(*tables)


class TestReport:
    def test_what_is_known_stays(self):
        _, cover, own = covered(market())
        out = rm.RiskReport.of(cover.strategy, own, BUDGET)
        inference = rm.Inference.of(cover.strategy.model, own)
        table = inference.table(cover.strategy, budget=BUDGET)
        figures = out.figures.loc["unhedged"]
        for name in ("exposure F0", "factor share", "volatility", "capacity"):
            assert figures.loc[name, "low"] == pytest.approx(table.loc[name, "low"], rel=1e-9)
        estimates = out.estimates
        assert math.isnan(estimates.loc[("NEW", "alpha"), "estimate"])
        assert math.isnan(estimates.loc[("NEW", "F0"), "std_error"])
        assert estimates.loc[("A0", "F0"), "std_error"] == pytest.approx(inference.std_errors().loc["A0", "F0"])
        assert math.isnan(out.assets.loc["NEW", "n_observations"])
        assert not any("few returns" in note for note in out.notes)
        assert any("Others stand in for NEW, OTHER" in note for note in out.notes)

    def test_residual_correlations_leave_them_out(self):
        _, cover, own = covered(market())
        out = rm.RiskReport.of(cover.strategy, own, BUDGET)
        assert out.correlations.index.tolist() == [("A0", "A2")]
        pairs = rm.RealisedRisk.of(cover.strategy, own).pairs()
        assert not any("NEW" in pair for pair in pairs.index)

    def test_a_difference_that_the_stand_ins_make(self):
        """A proxied name is the twin of its only peer, and is held against it."""
        panel = market(seed=3)
        model = rm.OLS().fit(panel)
        found = rm.Book({"A4": 5.0, "OTHER": -5.0}, nav=10.0).cover(model, PEERS)
        risk = rm.RealisedRisk.of(found.strategy, found.panel(panel))
        assert risk.differs
        assert not risk.is_of_residuals
        out = rm.RiskReport.of(found.strategy, found.panel(panel), BUDGET)
        assert any("others stand in" in warning for warning in out.warnings)


class TestBaskets:
    def test_a_peer_without_weight_needs_no_return(self):
        panel = market(missing=400)
        model = rm.OLS().fit(panel)
        found = rm.Book({"A0": 1.0, "NEW": 1.0}).cover(model, rm.PeerProxies({"NEW": {"A1": 0.0, "A2": 1.0}}))
        own = found.panel(panel).excess_returns["NEW"]
        pd.testing.assert_series_equal(own, panel.excess_returns["A2"], check_names=False)
        assert found.strategy.model.proxies["NEW"].index.tolist() == ["A2"]


def test_a_hedge_in_instruments_has_its_interval_in_the_report():
    _, cover, own = covered(market())
    out = rm.RiskReport.of(cover.strategy, own, BUDGET, instruments=["A3", "A4"])
    table = rm.Inference.of(cover.strategy.model, own).minimum_variance(cover.strategy, ["A3", "A4"])
    for row in out.to_dict()["hedges_in_instruments"]:
        assert row["model low"] == pytest.approx(table.loc[f"hedge {row['instrument']}", "low"])
    assert "[" in next(t for t in out.document(9).tables if t.title == "Hedges in instruments").rows[0][1]


@pytest.mark.parametrize("proxies", [None, "A0", {"A1": "A0"}, {"A1": {"A0": math.nan}}, {"NONE": {"A1": 1.0}}])
def test_what_is_no_proxy_is_refused(proxies):
    model = rm.OLS().fit(market())
    with pytest.raises((rm.InvalidParameterError, rm.UnknownAssetError)):
        evolve(model, proxies=proxies)


def test_the_track_record_is_of_the_alpha_of_the_table():
    _, cover, own = covered(market())
    inference = rm.Inference.of(cover.strategy.model, own)
    record = inference.track_record(cover.strategy)
    alpha, residuals = (
        inference.table(cover.strategy).loc["alpha", "estimate"],
        inference._fitted.residuals(cover.strategy)[0],
    )
    assert residuals.mean() == pytest.approx(0.0, abs=1e-12)
    assert record.sharpe == pytest.approx(alpha / residuals.std(ddof=1))


def test_proxies_are_means_of_their_peers():
    _, cover, own = covered(market())
    model = cover.strategy.model
    other = evolve(model, regression=None, proxies={**model.proxies, "NEW": pd.Series({"A0": 1.0})})
    other = evolve(other, regression=model.regression)
    with pytest.raises(rm.NotEstimatedError) as caught:
        rm.Inference.of(other, own)
    assert caught.value.details["parts"] == ["proxies"]


class TestOfBooks:
    def test_a_book_of_proxies_alone(self):
        panel = market()
        found = rm.Book({"NEW": 1.0}).cover(rm.OLS().fit(panel), PEERS)
        own = found.panel(panel)
        parts = rm.ReturnAttribution.of(found.strategy, own).std_errors(rm.Inference.of(found.strategy.model, own))
        assert parts.loc["alpha", ["std_error", "low", "high"]].tolist() == [0.0, 0.0, 0.0]
        assert parts.loc["F0", "std_error"] > 0
        out = rm.RiskReport.of(found.strategy, own, BUDGET)
        assert any("100% of gross has no returns" in warning for warning in out.warnings)
        assert "of 100% of gross, others stand in" in out.document(9).tiles[0].note
        (row,) = out.to_dict()["proxies"]
        assert (row["asset"], row["share_of_gross"]) == ("NEW", 1.0)
        assert row["peers"] == pytest.approx({"A0": 1 / 3, "A1": 1 / 3, "A3": 1 / 3})

    def test_short_peers_have_errors_too(self):
        """Weights of a rule of one's own may be negative, and errors of peers then cancel in their mean."""

        class Spread(rm.Uncovered):
            def baskets(self, positions, groups, covered):
                return {asset: pd.Series({"A0": 1.8, "A1": -0.8}) for asset in positions.index}

        panel = market(t=800, missing=700)
        found = rm.Book({"A3": 5.0, "NEW": 4.0}).cover(rm.OLS().fit(panel), Spread())
        inference = rm.Inference.of(found.strategy.model, found.panel(panel), rm.HAC(lags=0))
        alone = inference.table(rm.Strategy({"NEW": 1.0}, found.strategy.model)).loc["exposure F0"]
        mine = inference.interval(lambda m: float(m.loadings.loc["NEW", "F0"]))
        assert (mine.estimate, mine.std_error) == pytest.approx((alone["estimate"], alone["std_error"]))

    def test_a_second_book_is_covered_by_what_has_returns(self):
        model = covered(market())[1].strategy.model
        groups = {"A0": "g", "NEW": "g", "X": "g"}
        found = rm.Book({"A0": 1.0, "X": 1.0}).cover(model, rm.GroupProxies(groups))
        assert found.strategy.model.proxies["X"].index.tolist() == ["A0"]

    def test_no_trade_in_a_proxy_is_proposed(self):
        _, cover, _ = covered(market())
        what_if = rm.WhatIf(cover.strategy, {})
        for table in (what_if.best_trades(20), what_if.best_trades_for_share(20, 1.0)):
            assert len(table)
            assert not {"NEW", "OTHER"} & {*table.index}


class TestWhyTheyDiffer:
    def test_weights_of_dates_are_not_blamed_on_one_that_is_missing(self):
        rng = np.random.default_rng(1)
        f = rng.normal(0.0003, 0.01, (1500, 1))
        r = f @ np.array([[1.0, 0.9, 1.1]]) + rng.normal(0, 0.012, (1500, 3))
        size = np.where(np.arange(1500) < 1250, 1.0, 2.0)[:, None]
        r, f = r * size, f * size
        r[5, 1] = np.nan
        panel = panel_of(r, f)
        held = rm.Strategy({"A0": 0.4, "A1": 0.3, "A2": 0.3}, rm.EWMA(rm.Horizon(60)).fit(panel))
        assert not rm.RealisedRisk.of(held, panel).is_of_dates
        said = " ".join(rm.RiskReport.of(held, panel, BUDGET).warnings)
        assert "different dates" not in said
        assert "counts recent ones more" in said

    def test_stand_ins_are_not_blamed_on_dates(self):
        panel = market(seed=3, t=1500, missing=1)
        found = rm.Book({"A4": 5.0, "OTHER": 5.0, "A1": 0.1}).cover(rm.OLS().fit(panel), PEERS)
        risk = rm.RealisedRisk.of(rm.HedgedPortfolio.neutral(found.strategy), found.panel(panel))
        assert risk.differs
        assert risk.is_of_proxies
        assert not risk.is_of_dates
        assert risk.variance.sum() == pytest.approx(risk.realised.estimate**2)
        assert float(risk.model_on_these_dates) == pytest.approx(risk.model.estimate, rel=0.01)


class TestBasketsOfSome:
    def test_others_have_the_weight_of_one_without_a_return(self):
        panel = market(missing=100)
        found = rm.Book({"NEW": 1.0}).cover(
            rm.OLS().fit(panel), rm.PeerProxies({"NEW": {"A0": 0.5, "A1": 0.25, "A2": 0.25}})
        )
        own, r = found.panel(panel).excess_returns["NEW"], panel.excess_returns
        np.testing.assert_allclose(own[:100], (0.5 * r["A0"] + 0.25 * r["A2"])[:100] / 0.75)
        np.testing.assert_allclose(own[100:], (0.5 * r["A0"] + 0.25 * r["A1"] + 0.25 * r["A2"])[100:])
