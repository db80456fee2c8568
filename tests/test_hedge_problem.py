"""Hedges as a desk trades them, against generic optimisers and enumeration."""

from __future__ import annotations

import itertools
import math
import sys

import numpy as np
import pandas as pd
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

import riskmodel as rm

I = rm.Instrument  # noqa: E741 - as its name is long
ASSETS, FACTORS = [f"A{i}" for i in range(9)], ["Mkt-RF", "SMB"]
W = {"A0": 1.0, "A1": 0.5}
TOOLS = ASSETS[2:]


def made(seed=0):
    rng = np.random.default_rng(seed)
    model = rm.FactorModel.from_parameters(
        assets=ASSETS,
        factors=FACTORS,
        alpha=np.zeros(9),
        loadings=rng.normal([1.0, 0.3], [0.4, 0.6], (9, 2)),
        factor_covariance=[[0.0025, 0.0004], [0.0004, 0.0009]],
        factor_mean=np.zeros(2),
        idio_variance=rng.uniform(0.001, 0.006, 9),
        horizon=rm.MONTH,
    )
    links = np.zeros((9, 1))
    links[[0, 3, 5], 0] = 0.02
    return evolve(model, links=links)


def strategy(seed=0):
    return rm.Strategy(W, made(seed))


def parts(s, tools):
    """Dense Σ parts of the instruments, of their covariance with the strategy, and of the strategy."""
    model = s.model
    b, c = model.loadings.to_numpy(), model.links.to_numpy()
    factor = b @ model.factor_covariance.to_numpy() @ b.T
    own = np.diag(model.idio_variance.to_numpy() - (c * c).sum(axis=1)) + c @ c.T
    w, at = np.asarray(s.weights.reindex(ASSETS, fill_value=0.0)), [ASSETS.index(t) for t in tools]

    def variance(h, sigma):
        held = w.copy()
        held[at] += h
        return float(held @ sigma @ held)

    return lambda h: variance(h, factor), lambda h: variance(h, own)


def problem_of(s, tools, **changes):
    return rm.HedgeProblem(s, tools, **({"risk_aversion": 4.0, "horizon": rm.MONTH} | changes))


class TestWithoutTheExtra:
    @pytest.fixture(autouse=True)
    def _no_cvxpy(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "cvxpy", None)

    def test_least_variance(self):
        s = strategy()
        ours, other = rm.HedgeProblem(s, TOOLS).solve(), rm.HedgedPortfolio.minimum_variance(s, TOOLS)
        assert ours.weights.to_numpy() == pytest.approx(other.hedge_weights.to_numpy(), rel=1e-9)
        assert ours.gap == 0

    def test_with_targets_of_several_factors(self):
        s = strategy()
        limits = [rm.ExposureRange("Mkt-RF"), rm.ExposureRange("SMB", 0.2, 0.2)]
        solution = rm.HedgeProblem(s, TOOLS, limits).solve()
        assert solution.hedged.exposures.to_numpy() == pytest.approx([0.0, 0.2], abs=1e-12)
        factor, own = parts(s, TOOLS)
        x, b = s.model.loadings.loc[TOOLS].to_numpy(), s.exposures.to_numpy()
        ties = {"type": "eq", "fun": lambda h: x.T @ h + b - [0.0, 0.2]}
        found = optimize.minimize(
            lambda h: 1e3 * (factor(h) + own(h)), np.zeros(7), constraints=ties, options={"ftol": 1e-13, "maxiter": 500}
        )
        assert 1e3 * float(solution.hedged.volatility) ** 2 == pytest.approx(found.fun, rel=1e-7)

    def test_at_most_k_is_the_best_of_all_sets(self):
        s = strategy(3)
        solution = rm.HedgeProblem(s, TOOLS, at_most=3).solve()
        every = [rm.HedgedPortfolio.minimum_variance(s, list(c)).volatility for c in itertools.combinations(TOOLS, 3)]
        assert solution.hedged.volatility == pytest.approx(min(every), rel=1e-10)
        assert np.count_nonzero(solution.weights) == 3
        assert solution.gap == 0

    def test_costs_need_it(self):
        with pytest.raises(rm.MissingExtraError) as error:
            problem_of(strategy(), [I("A2", cost=0.001)]).solve()
        assert error.value.details == {"package": "cvxpy", "extra": "optimize"}


class TestCostsAndLimits:
    TOOLS = (
        I("A2", cost=0.0005, borrow=rm.Mean(0.03, rm.YEAR)),
        I("A3", least=-0.3, most=0.1),
        I("A4", cost=0.001, carry=rm.Mean(0.02, rm.YEAR), least=0.0),
        I("A5", daily_volume=2e6, participation=0.05),
        I("A6"),
    )
    NAMES = ("A2", "A3", "A4", "A5", "A6")

    @pytest.mark.parametrize("seed", range(5))
    def test_against_a_generic_optimiser(self, seed):
        s = strategy(seed)
        solution = problem_of(s, self.TOOLS, capital=1e6).solve()
        h = solution.weights.to_numpy()
        factor, own = parts(s, self.NAMES)

        def objective(split):  # long and short parts, so that costs are smooth
            buy, sell = split[:5], split[5:]
            pays = 0.0005 * (buy[0] + sell[0]) + 0.03 / 12 * sell[0] + 0.001 * (buy[2] + sell[2])
            x = buy - sell
            return 1e3 * (2.0 * (factor(x) + own(x)) + pays - 0.02 / 12 * x[2])

        ends = [(0, None), (0, 0.1), (0, None), (0, 0.1), (0, None), (0, None), (0, 0.3), (0, 0), (0, 0.1), (0, None)]
        found = optimize.minimize(objective, np.zeros(10), bounds=ends, options={"ftol": 1e-14, "maxiter": 2_000})
        ours = objective(np.concatenate([np.maximum(h, 0), np.maximum(-h, 0)]))
        assert ours == pytest.approx(found.fun, rel=1e-6)
        assert -0.3 <= h[1] <= 0.1
        assert h[2] >= 0
        assert abs(h[3]) <= 0.1 + 1e-12
        assert solution.gap < 1e-6

    def test_costs_are_added_up(self):
        solution = problem_of(strategy(), self.TOOLS, capital=1e6).solve()
        h = solution.weights
        traded = 0.0005 * abs(h["A2"]) + 0.001 * abs(h["A4"])
        assert solution.costs["trading"] == pytest.approx(traded)
        assert solution.costs["borrow"] == pytest.approx(0.03 / 12 * max(-h["A2"], 0.0))
        assert solution.costs["carry"] == pytest.approx(-0.02 / 12 * h["A4"])

    @given(st.integers(0, 10_000), st.floats(0.0, 0.01))
    def test_never_more_than_doing_nothing(self, seed, cost):
        s = strategy(seed)
        solution = problem_of(s, [I("A2", cost=cost), I("A5", cost=cost, most=0.0)]).solve()
        spent = 2.0 * float(solution.hedged.volatility) ** 2 + float(solution.costs.sum())
        assert spent <= 2.0 * float(s.volatility) ** 2 * (1 + 1e-9)

    def test_a_dear_instrument_is_not_traded(self):
        solution = problem_of(strategy(), [I("A2", cost=0.9), "A3"]).solve()
        assert solution.weights["A2"] == 0.0
        assert np.count_nonzero(solution.trades) == 1

    def test_volatility_and_exposures_are_kept(self):
        s = strategy()
        cap = rm.Volatility(0.22, rm.YEAR)
        limits = [rm.VolatilityCap(cap), rm.ExposureRange("SMB", -0.1, 0.1)]
        solution = problem_of(s, [I(t, cost=0.01) for t in TOOLS], limits=limits).solve()
        assert solution.hedged.volatility.at(rm.YEAR) == pytest.approx(0.22, rel=1e-5)
        assert abs(solution.hedged.exposures["SMB"]) <= 0.1 + 1e-6
        assert solution.breaches.empty


class TestShareCaps:
    @pytest.mark.parametrize("seed", range(4))
    def test_safe_and_near_to_the_bound(self, seed):
        s, tools = strategy(seed), ["A3", "A4", "A6"]
        cap = 0.5 * rm.HedgeProblem(s, tools).solve().hedged.decompose().factor_share
        solution = rm.HedgeProblem(s, tools, rm.FactorShareCap(cap)).solve()
        assert solution.hedged.decompose().factor_share <= cap + 1e-6
        assert solution.gap < 1e-3
        factor, own = parts(s, tools)
        within = {"type": "ineq", "fun": lambda h: 1e3 * (cap * own(h) - (1 - cap) * factor(h))}
        best = math.inf
        for start in np.random.default_rng(seed).normal(0, 0.5, (8, 3)):
            found = optimize.minimize(
                lambda h: 1e3 * (factor(h) + own(h)), start, constraints=within, options={"ftol": 1e-12}
            )
            best = min(best, found.fun) if found.success else best
        assert 1e3 * float(solution.hedged.volatility) ** 2 <= best * (1 + 1e-4)

    def test_groups_single_factors_and_volatility_together(self):
        s = strategy(1)
        limits = [
            rm.FactorShareCap(0.2),
            rm.FactorShareCap(0.01, ["SMB"]),
            rm.FactorShareCap(0.15, ["Mkt-RF"]),
            rm.VolatilityCap(rm.Volatility(0.5, rm.YEAR)),
        ]
        solution = rm.HedgeProblem(s, TOOLS, limits).solve()
        variance = float(solution.hedged.volatility) ** 2
        x, f = solution.hedged.exposures, s.model.factor_covariance
        assert solution.hedged.decompose().factor_share <= 0.2 + 1e-6
        assert x["SMB"] ** 2 * f.loc["SMB", "SMB"] <= 0.01 * variance * (1 + 1e-5)
        assert x["Mkt-RF"] ** 2 * f.loc["Mkt-RF", "Mkt-RF"] <= 0.15 * variance * (1 + 1e-5)
        assert solution.gap < 0.02

    def test_costs_with_a_cap_and_few_instruments(self):
        s, tools = strategy(2), ["A2", "A3", "A4", "A5"]
        wanted = {"limits": rm.FactorShareCap(0.25)}
        solution = problem_of(s, [I(t, cost=0.002) for t in tools], at_most=2, **wanted).solve()
        assert np.count_nonzero(solution.weights) <= 2
        each = []
        for two in itertools.combinations(tools, 2):
            one = problem_of(s, [I(t, cost=0.002) for t in two], **wanted)
            try:
                found = one.solve()
            except rm.InfeasibleHedgeError:
                continue
            each.append(2.0 * float(found.hedged.volatility) ** 2 + found.costs.sum())
        ours = 2.0 * float(solution.hedged.volatility) ** 2 + solution.costs.sum()
        assert ours == pytest.approx(min(each), rel=1e-5)


class TestInfeasible:
    def test_the_conflict_is_minimal(self):
        tools = [I("A2", least=0.0), I("A3", least=0.0), I("A4", most=5.0)]
        limits = [rm.ExposureRange("Mkt-RF"), rm.VolatilityCap(rm.Volatility(0.9, rm.YEAR))]
        s = rm.Strategy(W, evolve(made(), loadings=np.abs(made().loadings.to_numpy())))
        with pytest.raises(rm.InfeasibleHedgeError) as error:
            rm.HedgeProblem(s, tools[:2], limits).solve()
        assert set(error.value.details["conflict"]) == {"position in A2", "position in A3", "exposure to Mkt-RF"}
        assert error.value.details["is_certain"]
        rm.HedgeProblem(s, tools, limits).solve()

    def test_too_few_instruments_for_the_targets(self):
        with pytest.raises(rm.InfeasibleHedgeError) as error:
            rm.HedgeProblem(strategy(), ["A2"], [rm.ExposureRange("Mkt-RF"), rm.ExposureRange("SMB")]).solve()
        assert len(error.value.details["conflict"]) == 2

    def test_too_few_may_be_held(self):
        limits = [rm.ExposureRange("Mkt-RF"), rm.ExposureRange("SMB")]
        with pytest.raises(rm.InfeasibleHedgeError) as error:
            rm.HedgeProblem(strategy(), TOOLS, limits, at_most=1).solve()
        assert error.value.details["conflict"] == ["exposure to Mkt-RF", "exposure to SMB", "at most 1 instruments"]
        assert error.value.details["is_certain"]
        assert np.count_nonzero(rm.HedgeProblem(strategy(), TOOLS, limits, at_most=2).solve().weights) == 2

    def test_a_search_that_stops_says_how_far_the_best_may_be(self, monkeypatch):
        monkeypatch.setattr("riskmodel.portfolio.desk.subsets.MOST_PROBLEMS", 2)
        solution = rm.HedgeProblem(strategy(3), TOOLS, at_most=3).solve()
        assert solution.gap > 0
        assert np.count_nonzero(solution.weights) == 3

    def test_a_volatility_out_of_reach(self):
        with pytest.raises(rm.InfeasibleHedgeError) as error:
            rm.HedgeProblem(strategy(), TOOLS, rm.VolatilityCap(rm.Volatility(0.01, rm.YEAR))).solve()
        assert error.value.details["conflict"] == ["volatility per year"]


class TestLots:
    def test_whole_lots_and_what_they_change(self):
        s = strategy()
        solution = problem_of(s, [I("A2", lot=50_000.0), I("A3", lot=20_000.0, most=0.0), "A4"], capital=1e6).solve()
        h = solution.weights
        assert h["A2"] / 0.05 == pytest.approx(round(h["A2"] / 0.05))
        assert h["A3"] / 0.02 == pytest.approx(round(h["A3"] / 0.02))
        table = solution.rounding()
        assert table.loc["volatility", "whole lots"] == pytest.approx(float(solution.hedged.volatility))
        assert table.loc["volatility", "whole lots"] >= table.loc["volatility", "any size"]
        assert table.loc["exposure SMB", "whole lots"] == pytest.approx(solution.hedged.exposures["SMB"])

    def test_no_neighbour_is_better(self):
        s = strategy(4)
        solution = rm.HedgeProblem(s, [I(t, lot=30_000.0) for t in TOOLS], capital=2e5).solve()
        factor, own = parts(s, TOOLS)
        h = solution.weights.to_numpy()
        least = factor(h) + own(h)
        for i, step in itertools.product(range(7), (0.15, -0.15)):
            assert factor(h + step * np.eye(7)[i]) + own(h + step * np.eye(7)[i]) >= least

    def test_a_limit_that_lots_break_is_said(self):
        limits = [rm.ExposureRange("Mkt-RF"), rm.ExposureRange("SMB")]
        solution = rm.HedgeProblem(
            strategy(), [I("A2", lot=70_000.0), I("A3", lot=70_000.0), "A4"], limits, capital=1e5
        ).solve()
        assert "exposure to Mkt-RF" in solution.breaches.index
        assert "break" in repr(solution)


class TestRebalance:
    def test_the_optimum_is_not_traded(self):
        problem = problem_of(strategy(), [I("A2", cost=0.001), I("A3", cost=0.001), I("A4", cost=0.0001)])
        again = problem.rebalance(problem.solve().hedged)
        assert (again.trades == 0).all()
        assert again.costs["trading"] == 0

    def test_only_what_pays_is_traded(self):
        s = strategy()
        problem = problem_of(s, [I("A2", cost=0.004), I("A3", cost=0.0)])
        far, near = ({"A2": -0.9 + shift, "A3": -0.1} for shift in (0.0, 0.5))
        held = rm.HedgedPortfolio(s, far)
        solution = problem.rebalance(held)
        assert solution.hedged.hedge_weights[["A2", "A3"]].to_numpy() == pytest.approx(solution.weights.to_numpy())
        for hedge in (far, near):
            before = rm.HedgedPortfolio(s, hedge)
            after = problem.rebalance(before)
            own = 2.0 * float(after.hedged.volatility) ** 2 + after.costs["trading"]
            assert own <= 2.0 * float(before.volatility) ** 2 + 1e-12

    def test_band(self):
        s = strategy()
        held = rm.HedgedPortfolio(s, {"A2": -0.3, "A3": -0.2, "SMB": 0.05})
        free = rm.HedgeProblem(s, ["A2", "A3", "A4"]).rebalance(held)
        band = float(np.sort(free.trades.abs())[1])
        solution = rm.HedgeProblem(s, ["A2", "A3", "A4"]).rebalance(held, band=band * 0.999)
        moved = solution.trades[solution.trades != 0]
        assert 0 < len(moved) < 3
        assert moved.abs().min() >= band * 0.999
        assert solution.hedged.hedge_weights["SMB"] == 0.05

    def test_refuses_a_hedge_of_another_strategy(self):
        s = strategy()
        other = rm.HedgedPortfolio.neutral(rm.Strategy({"A0": 1.0}, s.model))
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.HedgeProblem(s, ["A2"]).rebalance(other)
        assert error.value.details["parameter"] == "existing"


class TestRefused:
    @pytest.mark.parametrize("changes", [
        {"cost": -0.1}, {"cost": 2.0}, {"borrow": 0.03}, {"borrow": rm.Mean(-0.01, rm.YEAR)},
        {"lot": 0.0}, {"daily_volume": math.inf}, {"participation": 0.0},
        {"least": 1.0, "most": 0.0}, {"carry": rm.Mean(math.inf, rm.YEAR)},
    ])  # fmt: skip
    def test_instruments(self, changes):
        with pytest.raises(rm.InvalidParameterError):
            I("A2", **changes)

    @pytest.mark.parametrize(("instrument", "missing"), [
        (I("A2", cost=0.1), "risk_aversion"), (I("A2", lot=1.0), "capital"), (I("A2", daily_volume=1.0), "capital"),
    ])  # fmt: skip
    def test_what_costs_and_lots_need(self, instrument, missing):
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.HedgeProblem(strategy(), [instrument])
        assert error.value.details == {"parameter": missing, "instruments": ["A2"]}

    def test_unknown_labels_are_said_at_once(self):
        with pytest.raises(rm.UnknownAssetError):
            rm.HedgeProblem(strategy(), ["B"])
        with pytest.raises(rm.UnknownFactorError):
            rm.HedgeProblem(strategy(), ["A2"], [rm.ExposureRange("HML")])
        with pytest.raises(rm.UnknownFactorError):
            rm.HedgeProblem(strategy(), ["A2"], rm.FactorShareCap(0.1, ["HML"]))
        with pytest.raises(rm.DuplicateLabelsError):
            rm.HedgeProblem(strategy(), ["A2"], [rm.ExposureRange("SMB"), rm.ExposureRange("SMB", 0.1, 0.2)])


def test_a_portfolio_is_an_instrument():
    s = strategy()
    basket = rm.PortfolioFactor("basket", {"A2": 0.5, "A3": 0.5})
    solution = problem_of(s, [I(basket, most=0.0), "A4"]).solve()
    held = solution.hedged.hedge_weights
    assert held[["A2", "A3"]].to_numpy() == pytest.approx([0.5 * solution.weights["basket"]] * 2)
    assert isinstance(solution.weights, pd.Series)
