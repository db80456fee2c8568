"""Hedges in instruments: exposures to a target, factor-share caps, minimum variance, and regression."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from panels import panel_of
from scipy import optimize

import riskmodel as rm

Hedged = rm.HedgedPortfolio
ASSETS = [f"A{i}" for i in range(8)]
FACTORS = ["Mkt-RF", "SMB", "HML"]


def made(seed=0, links=None, **changes):
    rng = np.random.default_rng(seed)
    half = rng.normal(0, 0.2, (3, 3))
    numbers = {
        "assets": ASSETS, "factors": FACTORS, "alpha": np.zeros(8), "loadings": rng.normal(0.5, 0.6, (8, 3)),
        "factor_covariance": half @ half.T, "factor_mean": np.zeros(3), "idio_variance": rng.uniform(0.01, 0.05, 8),
        "horizon": rm.MONTH,
    }  # fmt: skip
    model = rm.FactorModel.from_parameters(**(numbers | changes))
    return model if links is None else evolve(model, links=links)


def linked(seed=0):
    """A model in which residuals of three assets are linked."""
    links = np.zeros((8, 2))
    links[[0, 4], 0], links[[1, 4, 5], 1] = 0.08, [0.05, -0.04, 0.06]
    return made(seed, links)


def dense(model):
    """The covariance of assets and factors side by side, multiplied out."""
    b = np.vstack([model.loadings.to_numpy(), np.eye(len(model.factors))])
    own = np.zeros((len(b), len(b)))
    c = model.links.to_numpy()
    n = len(model.assets)
    own[:n, :n] = np.diag(model.idio_variance.to_numpy() - (c * c).sum(axis=1)) + c @ c.T
    names = [*model.assets, *model.factors]
    f = b @ model.factor_covariance.to_numpy() @ b.T
    return pd.DataFrame(f, names, names), pd.DataFrame(own, names, names)


STRATEGY = {"A0": 1.0, "A1": -0.4, "A2": 0.3}


class TestTargets:
    def test_as_many_instruments_as_factors(self):
        s = rm.Strategy(STRATEGY, made())
        hedged = Hedged.neutral(s, ["A3", "A4", "Mkt-RF"])
        assert hedged.exposures.abs().max() < 1e-14
        x = np.vstack([made().loadings.loc[["A3", "A4"]], [1.0, 0.0, 0.0]])
        assert hedged.hedge_weights.to_numpy() == pytest.approx(np.linalg.solve(x.T, -s.exposures.to_numpy()))

    def test_more_instruments_make_the_smallest_trade(self):
        s, tools = rm.Strategy(STRATEGY, made()), ASSETS[2:]
        hedged = Hedged.neutral(s, tools)
        assert hedged.exposures.abs().max() < 1e-14
        x = made().loadings.loc[tools].to_numpy()
        ties = {"type": "eq", "fun": lambda h: x.T @ h + s.exposures.to_numpy()}
        found = optimize.minimize(lambda h: h @ h, np.zeros(6), constraints=ties, options={"ftol": 1e-14})
        assert float(hedged.hedge_weights @ hedged.hedge_weights) == pytest.approx(found.fun, rel=1e-7)

    def test_fewer_instruments_leave_the_least_factor_risk_and_say_so(self):
        model = made(3)
        s = rm.Strategy(STRATEGY, model)
        with pytest.warns(rm.ExposureLeftWarning) as caught:
            hedged = Hedged.neutral(s, ["A5", "A6"])
        details = caught[0].message.details
        assert details["left"] == pytest.approx(hedged.exposures.to_dict())
        assert details["factor_variance"] == pytest.approx(hedged.decompose().factor_variance)
        x, f = model.loadings.loc[["A5", "A6"]].to_numpy(), model.factor_covariance.to_numpy()

        def risk(h):
            left = s.exposures.to_numpy() + x.T @ h
            return 1e3 * float(left @ f @ left)

        found = optimize.minimize(risk, np.zeros(2), options={"gtol": 1e-12})
        assert 1e3 * hedged.decompose().factor_variance == pytest.approx(found.fun, rel=1e-8)

    @pytest.mark.parametrize("instruments", [None, ["A3", "A4", "A5", "SMB"]])
    def test_keep_one_exposure_on_purpose(self, instruments):
        hedged = Hedged.neutral(rm.Strategy(STRATEGY, made()), instruments, target={"SMB": 0.25})
        assert hedged.exposures.to_numpy() == pytest.approx([0.0, 0.25, 0.0], abs=1e-14)

    def test_a_factor_without_risk_is_still_brought_to_zero(self):
        model = made(factor_covariance=np.diag([0.04, 0.0, 0.01]))
        hedged = Hedged.neutral(rm.Strategy(STRATEGY, model), FACTORS)
        assert hedged.exposures.abs().max() < 1e-15

    def test_refuses_unknown_targets_and_instruments(self):
        s = rm.Strategy(STRATEGY, made())
        with pytest.raises(rm.UnknownFactorError) as error:
            Hedged.neutral(s, target={"UMD": 0.1})
        assert error.value.details["missing"] == ["UMD"]
        with pytest.raises(rm.UnknownAssetError):
            Hedged.neutral(s, ["B"])
        with pytest.raises(rm.InvalidParameterError):
            Hedged.neutral(s, rm.PortfolioFactor("basket", {"A1": 1.0}))

    @given(st.integers(0, 10_000), st.integers(3, 8))
    def test_exposures_are_zero_with_enough_instruments(self, seed, m):
        s = rm.Strategy(STRATEGY, made(seed))
        x = made(seed).loadings.to_numpy()[:m]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            hedged = Hedged.neutral(s, ASSETS[:m])
        scale = np.abs(x).max() * np.abs(hedged.hedge_weights).sum() + s.exposures.abs().max()
        assert hedged.exposures.abs().max() <= 1e-10 * scale


class TestPortfoliosAsInstruments:
    BASKET = rm.PortfolioFactor("basket", {"A3": 0.5, "A4": 0.5})

    def test_the_hedge_holds_the_assets(self):
        hedged = Hedged.minimum_variance(rm.Strategy(STRATEGY, made()), [self.BASKET, "A4", "SMB"])
        assert hedged.hedge_weights.index.tolist() == ["A4", "SMB", "A3"]
        total, own = dense(made())
        sigma = total + own
        a = pd.DataFrame(0.0, sigma.index, ["basket", "A4", "SMB"])
        a.loc[["A3", "A4"], "basket"], a.loc["A4", "A4"], a.loc["SMB", "SMB"] = 0.5, 1.0, 1.0
        w = pd.Series(STRATEGY).reindex(sigma.index, fill_value=0.0)
        h = a @ -np.linalg.solve(a.T @ sigma @ a, a.T @ sigma @ w)
        assert hedged.hedge_weights.to_numpy() == pytest.approx(h[hedged.hedge_weights.index].to_numpy(), rel=1e-9)

    def test_a_name_of_an_asset_is_refused(self):
        with pytest.raises(rm.InvalidParameterError) as error:
            Hedged.neutral(rm.Strategy(STRATEGY, made()), [rm.PortfolioFactor("A3", {"A4": 1.0})])
        assert error.value.details["labels"] == ["A3"]

    def test_an_asset_that_the_model_lacks(self):
        with pytest.raises(rm.UnknownAssetError):
            Hedged.neutral(rm.Strategy(STRATEGY, made()), [rm.PortfolioFactor("x", {"B": 1.0})])


class TestMinimumVariance:
    @pytest.mark.parametrize("model", [made(1), linked(1)])
    @pytest.mark.parametrize("tools", [["A4"], ["A4", "A5", "A6"], ["A5", "HML", "A0"], ASSETS[3:]])
    def test_links_are_counted(self, model, tools):
        shared, own = dense(model)
        sigma, s = shared + own, rm.Strategy(STRATEGY, model)
        w = pd.Series(STRATEGY).reindex(sigma.index, fill_value=0.0)
        expected = -np.linalg.solve(sigma.loc[tools, tools], sigma.loc[tools] @ w)
        hedged = Hedged.minimum_variance(s, tools)
        assert hedged.hedge_weights.to_numpy() == pytest.approx(expected, rel=1e-9)
        w[tools] += expected
        assert hedged.volatility == pytest.approx(np.sqrt(w @ sigma @ w), rel=1e-9)

    def test_statistical_factors_are_counted(self):
        panel = rm.SampleData().panel(["XOM", "CVX", "KO", "PEP", "JPM", "BAC"], ["Mkt-RF"], start="2015-01-01")
        parts = rm.Hybrid(rm.TimeSeries(rm.OLS()), rm.PrincipalComponents(2))
        model = rm.Assembled(parts, rm.SampleCovariance(), rm.SampleVariance()).fit(panel)
        b, f = model.loadings.to_numpy(), model.factor_covariance.to_numpy()
        sigma = b @ f @ b.T + np.diag(model.idio_variance)
        hedged = Hedged.minimum_variance(rm.Strategy({"XOM": 1.0}, model), ["CVX", "KO", "JPM"])
        at = [1, 2, 4]
        expected = -np.linalg.solve(sigma[np.ix_(at, at)], sigma[at, 0])
        assert hedged.hedge_weights.to_numpy() == pytest.approx(expected, rel=1e-9)

    @given(st.integers(0, 10_000), st.sets(st.sampled_from(ASSETS + FACTORS), min_size=1, max_size=6))
    def test_never_more_variance_than_unhedged(self, seed, tools):
        s = rm.Strategy(STRATEGY, linked(seed))
        assert Hedged.minimum_variance(s, sorted(tools)).volatility <= s.volatility * (1 + 1e-12)


class TestShareWithInstruments:
    def share(self, model, tools, w, h):
        factor, own = dense(model)
        held = w.copy()
        held[tools] += h
        f = float(held @ factor @ held)
        return f / (f + float(held @ own @ held))

    @pytest.mark.parametrize("seed", range(12))
    @pytest.mark.parametrize("tool", ["A0", "A4", "A5"])
    def test_one_instrument_by_the_quadratic_equation(self, seed, tool):
        model, cap = linked(seed), 0.3
        factor, own = dense(model)
        w = pd.Series(STRATEGY).reindex(factor.index, fill_value=0.0)
        q = (1 - cap) * factor - cap * own
        roots = np.roots([q.loc[tool, tool], 2 * float(q.loc[tool] @ w), float(w @ q @ w)])
        real = roots[np.isreal(roots)].real
        s = rm.Strategy(STRATEGY, model)
        if s.decompose().factor_share <= cap:
            assert Hedged.with_factor_share(s, cap, instruments=[tool]).hedge_weights[tool] == 0
        elif len(real):
            hedged = Hedged.with_factor_share(s, cap, instruments=[tool])
            expected = real[np.argmin(np.abs(real))]
            assert hedged.hedge_weights[tool] == pytest.approx(expected, rel=1e-9)
            assert hedged.decompose().factor_share == pytest.approx(cap, rel=1e-10)
        else:
            with pytest.raises(rm.InvalidParameterError) as error:
                Hedged.with_factor_share(s, cap, instruments=[tool])
            assert error.value.details["cap"] == cap
            assert error.value.details["least"] > cap

    @pytest.mark.parametrize("seed", range(6))
    def test_many_against_an_optimiser_from_many_starts(self, seed):
        model, tools, cap = linked(seed), ["A3", "A4", "A6"], 0.15
        cost = np.array([1.0, 2.0, 0.5])
        factor, own = dense(model)
        w = pd.Series(STRATEGY).reindex(factor.index, fill_value=0.0)
        a = np.eye(len(factor))[:, [3, 4, 6]]
        q = ((1 - cap) * factor - cap * own).to_numpy()
        p, b, r = a.T @ q @ a, a.T @ q @ w.to_numpy(), float(w @ q @ w)
        s = rm.Strategy(STRATEGY, model)
        hedged = Hedged.with_factor_share(s, cap, cost, instruments=tools)
        ours = hedged.hedge_weights.to_numpy()
        assert self.share(model, tools, w, ours) == pytest.approx(cap, abs=1e-11)
        within = {"type": "ineq", "fun": lambda h: -(h @ p @ h + 2 * b @ h + r) * 100}
        rng, best = np.random.default_rng(seed), np.inf
        for start in rng.normal(0, 1, (12, 3)):
            found = optimize.minimize(
                lambda h: np.square(cost * h).sum(), start, constraints=within, options={"ftol": 1e-12}
            )
            if found.success and self.share(model, tools, w, found.x) <= cap + 1e-6:
                best = min(best, found.fun)
        assert np.square(cost * ours).sum() <= best * (1 + 1e-5)
        assert np.square(cost * ours).sum() == pytest.approx(best, rel=1e-3)

    def test_factors_as_instruments_are_the_closed_form(self):
        s = rm.Strategy(STRATEGY, made())
        closed = Hedged.with_factor_share(s, 0.2, [1.0, 2.0, 3.0])
        ours = Hedged.with_factor_share(s, 0.2, dict(zip(FACTORS, [1.0, 2.0, 3.0], strict=True)), instruments=FACTORS)
        assert ours.hedge_weights.to_numpy() == pytest.approx(closed.hedge_weights.to_numpy(), rel=1e-9)

    def test_the_hard_case_goes_along_the_curvature(self):
        # A1 has no exposure, so it lowers the share only by adding idio risk
        model = made(
            loadings=np.eye(8, 3), factor_covariance=np.diag([0.04, 0.04, 0.04]), idio_variance=np.full(8, 0.01)
        )
        s = rm.Strategy({"A0": 1.0}, model)
        hedged = Hedged.with_factor_share(s, 0.5, instruments=["A5"])
        assert hedged.decompose().factor_share == pytest.approx(0.5)
        assert abs(hedged.hedge_weights["A5"]) == pytest.approx(np.sqrt(3.0))

    @given(st.integers(0, 10_000), st.floats(0.05, 0.9), st.integers(3, 5))
    def test_the_cap_is_kept(self, seed, cap, m):
        s = rm.Strategy(STRATEGY, linked(seed))
        hedged = Hedged.with_factor_share(s, cap, instruments=ASSETS[3 : 3 + m])
        assert hedged.decompose().factor_share <= cap + 1e-9

    def test_a_cap_of_zero_is_neutral(self):
        s = rm.Strategy(STRATEGY, made())
        ours = Hedged.with_factor_share(s, 0.0, instruments=ASSETS[3:6])
        assert ours.exposures.abs().max() < 1e-13
        np.testing.assert_allclose(ours.hedge_weights, Hedged.neutral(s, ASSETS[3:6]).hedge_weights, rtol=1e-12)

    def test_a_cap_of_zero_that_instruments_cannot_reach_is_refused_as_others_are(self):
        s = rm.Strategy(STRATEGY, made())
        for cap in (0.0, 1e-9):
            with pytest.raises(rm.InvalidParameterError) as error:
                Hedged.with_factor_share(s, cap, instruments=ASSETS[3:4])
            assert error.value.details["cap"] == cap
            assert error.value.details["least"] > 0


@pytest.fixture(scope="module")
def oil():
    panel = rm.SampleData().panel(["XOM", "CVX", "RRC"], ["Mkt-RF"], start="2014-01-01")
    return panel, rm.Strategy({"XOM": 0.5, "RRC": 0.5}, rm.OLS().fit(panel))


class TestRegression:
    def test_slopes_are_those_of_statsmodels(self, oil):
        panel, s = oil
        hedged = Hedged.regression(s, ["CVX", "Mkt-RF"], panel)
        x = sm.add_constant(panel.excess_returns[["CVX"]].join(panel.factor_returns))
        fit = sm.OLS(s.excess_returns(panel), x).fit()
        assert hedged.hedge_weights.to_numpy() == pytest.approx(-fit.params[["CVX", "Mkt-RF"]].to_numpy(), rel=1e-10)
        assert hedged.realised(panel) == pytest.approx(np.std(fit.resid, ddof=1), rel=1e-10)

    def test_no_hedge_realises_less(self, oil):
        panel, s = oil
        least = Hedged.regression(s, ["CVX"], panel).realised(panel)
        assert least <= Hedged.minimum_variance(s, ["CVX"]).realised(panel)
        assert least <= s.realised(panel)

    def test_a_portfolio_as_instrument(self, oil):
        panel, s = oil
        basket = rm.PortfolioFactor("basket", {"CVX": 2.0})
        ours = Hedged.regression(s, [basket], panel).hedge_weights
        assert ours["CVX"] == pytest.approx(Hedged.regression(s, ["CVX"], panel).hedge_weights["CVX"])

    def test_missing_dates_are_said(self, oil):
        panel, s = oil
        returns = panel.excess_returns.copy(deep=True)
        returns.iloc[3:7] = returns.iloc[3:7].assign(CVX=np.nan)
        gaps = rm.ReturnPanel.align(
            returns, panel.factor_returns, panel.risk_free, horizon=rm.DAY, return_type=rm.EXCESS
        )
        with pytest.warns(rm.MissingDatesWarning) as caught:
            Hedged.regression(s, ["CVX"], gaps)
        assert caught[0].message.details == {"missing": 4, "dates": len(returns), "fewest": "CVX"}

    def test_refuses_too_few_dates_and_copies(self, oil):
        panel, s = oil
        few = panel.select(end=panel.dates[1])
        with pytest.raises(rm.TooFewObservationsError) as error:
            Hedged.regression(s, ["CVX"], few)
        assert error.value.details == {"dates": 2, "parameters": 2}
        copy = rm.PortfolioFactor("copy", {"CVX": 1.0})
        with pytest.raises(rm.SingularCovarianceError) as singular:
            Hedged.regression(s, ["CVX", copy], panel)
        assert singular.value.details["instruments"] in (["CVX"], ["copy"])

    def test_a_hedge_that_the_returns_contradict_is_said(self, oil):
        panel, s = oil[0], rm.Strategy({"XOM": 1.0}, oil[1].model)
        with pytest.warns(rm.HedgesDifferWarning) as caught:
            hedged = Hedged.minimum_variance(s, ["CVX"], panel=panel)
        details = caught[0].message.details
        assert details["model"] == pytest.approx(hedged.hedge_weights.tolist())
        assert details["regression"] == pytest.approx(Hedged.regression(s, ["CVX"], panel).hedge_weights.tolist())
        assert details["volatility"]["model"] == pytest.approx(hedged.realised(panel))
        assert f"realised {hedged.realised(panel):.3g}" in repr(hedged)

    def test_unrelated_residuals_are_not_said(self):
        rng = np.random.default_rng(4)
        market = rng.normal(0, 0.01, (750, 1))
        panel = panel_of(market + rng.normal(0, 0.01, (750, 3)), market)
        a, *others = panel.assets
        s = rm.Strategy({a: 1.0}, rm.OLS().fit(panel))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Hedged.minimum_variance(s, others, panel=panel)


def test_legs_on_paper_are_named():
    s = rm.Strategy(STRATEGY, made())
    hedged = Hedged.neutral(s)
    assert hedged.paper_legs.index.tolist() == ["SMB", "HML"]
    assert "SMB, HML" in repr(hedged)
    assert Hedged.neutral(s, ASSETS[3:6]).paper_legs.empty


def test_realised_volatility_is_printed_where_returns_were_given(oil):
    panel, s = oil
    shown = rm.Strategy(s.weights, s.model, panel=panel)
    text = f"volatility per day: model {s.volatility:.3g}, realised {s.realised(panel):.3g}"
    assert text in repr(shown)
    assert text in repr(rm.RiskBudget(1e6, rm.MONTH).size(shown))
    assert "realised" not in repr(s)
    hedged = rm.HedgedPortfolio(s, {"Mkt-RF": -1.0}, panel=panel)
    assert f"realised {hedged.realised(panel):.3g}" in repr(hedged)
    with pytest.raises(rm.InvalidParameterError):
        rm.Strategy(s.weights, s.model, panel="panel")
