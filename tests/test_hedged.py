"""Hedges: neutral, to a share of the variance, and of minimum variance; and their cash."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import strategies as our
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import optimize

import riskmodel as rm

Hedged = rm.HedgedPortfolio


def market_model(**changes):
    numbers = {
        "assets": ["FUND"], "factors": ["Mkt-RF"], "alpha": 0.0005855699261548292, "loadings": 1.187234068887255,
        "factor_covariance": 0.00013005387619649368, "factor_mean": 0.00035668848435262666,
        "idio_variance": 0.00025831692182161234, "horizon": rm.DAY,
    }  # fmt: skip
    return rm.FactorModel.from_parameters(**(numbers | changes))


def random_model(n=6, k=3, seed=0, **changes):
    rng = np.random.default_rng(seed)
    root = rng.normal(0, 0.2, (k, k))
    numbers = {
        "assets": our.assets(n), "factors": our.factors(k), "alpha": rng.normal(0, 0.01, n),
        "loadings": rng.normal(0.8, 0.6, (n, k)), "factor_covariance": root @ root.T,
        "factor_mean": rng.normal(0, 0.02, k), "idio_variance": rng.uniform(0.01, 0.05, n), "horizon": rm.MONTH,
    }  # fmt: skip
    return rm.FactorModel.from_parameters(**(numbers | changes))


class TestNeutralInSample:
    """The identities that make it "portable alpha", on real returns."""

    @pytest.fixture(params=["one factor", "four factors"])
    def sample(self, request):
        if request.param == "one factor":
            return rm.SampleData().panel(["MSFT"], ["Mkt-RF"]), "MSFT"
        return rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF", "SMB", "HML", "Mom"]), "BusEq"

    @pytest.fixture
    def panel(self, sample):
        return sample[0]

    @pytest.fixture
    def hedged(self, sample):
        panel, asset = sample
        return Hedged.neutral(rm.Strategy({asset: 1.0}, rm.OLS().fit(panel)))

    def test_the_hedge_is_minus_the_tracking_portfolio(self, hedged):
        assert hedged.hedge_weights.equals((-hedged.strategy.tracking).rename("hedge_weight"))
        assert (hedged.exposures == 0).all()
        assert (hedged.tracking == 0).all()

    def test_mean_is_alpha_and_variance_the_residual_one(self, hedged, panel):
        returns = hedged.excess_returns(panel)
        model = hedged.model
        assert abs(returns.mean() - model.alpha.iloc[0]) < 1e-12
        assert returns.var() == pytest.approx(model.idio_variance.iloc[0], rel=1e-12)
        assert hedged.expected_excess_return == hedged.alpha == model.alpha.iloc[0]
        assert hedged.volatility == pytest.approx(returns.std(), rel=1e-12)

    def test_regressing_it_on_the_factors_gives_the_same(self, hedged, panel):
        returns = hedged.excess_returns(panel)
        fit = sm.OLS(returns, sm.add_constant(panel.factor_returns)).fit()
        assert fit.params[list(panel.factor_returns)].abs().max() < 1e-12
        assert abs(fit.params["const"] - hedged.alpha) < 1e-12
        assert np.var(fit.resid, ddof=1) == pytest.approx(hedged.decompose().idio_variance, rel=1e-12)

    def test_its_returns_are_strategy_less_tracking(self, hedged, panel):
        tracking = panel.factor_returns @ hedged.strategy.tracking
        naive = hedged.strategy.excess_returns(panel) - tracking
        assert hedged.excess_returns(panel).to_numpy() == pytest.approx(naive.to_numpy(), abs=1e-15)


class TestCash:
    def test_a_stock_against_a_funded_factor(self):
        hedged = Hedged.neutral(rm.Strategy({"FUND": 1.0}, market_model()))
        assert hedged.cash_weight == pytest.approx(-(1 - 1.187234068887255), rel=1e-15)

    def test_self_financing_factors_raise_no_cash(self):
        model = random_model(1, 2, factors=["Mkt-RF", "SMB"])
        hedged = Hedged.neutral(rm.Strategy({"A0": 1.0}, model))
        assert model.funded == (True, False)
        assert hedged.cash_weight == pytest.approx(-(1 + hedged.hedge_weights["Mkt-RF"]), rel=1e-15)

    @pytest.mark.parametrize("asset", ["Hlth", "SMALL LoBM", "S1B1"])
    def test_a_million_in_a_ledger(self, asset):
        data = rm.SampleData(rm.MONTH)
        asset = asset if asset in data.assets else data.assets[0]
        panel = data.panel([asset], ["Mkt-RF", "SMB", "HML"], start="1990-01-01")
        hedged = Hedged.neutral(rm.Strategy({asset: 1.0}, rm.OLS().fit(panel)))
        stock = data.asset_returns([asset])[asset].to_numpy()[-len(panel.dates) :]
        market, size, value = panel.factor_returns.to_numpy().T
        rate = panel.risk_free.to_numpy()
        h = hedged.hedge_weights * 1e6
        # buy the stock, sell the index at its total return; long-shorts cost nothing, and cash earns the rate
        without_cash = 1e6 * stock + h["Mkt-RF"] * (market + rate) + h["SMB"] * size + h["HML"] * value
        cash = -(1e6 + h["Mkt-RF"])
        with_cash = without_cash + cash * rate
        position = rm.Position(hedged, 1e6, rm.MONTH)
        assert position.cash == pytest.approx(cash, rel=1e-12)
        assert (hedged.excess_returns(panel) * 1e6).to_numpy() == pytest.approx(with_cash, abs=1e-7)
        assert position.expected_pnl(rm.MONTH) == pytest.approx(with_cash.mean(), abs=1e-6)
        assert position.expected_pnl_without_cash(rm.MONTH) == pytest.approx(without_cash.mean(), abs=1e-6)
        assert position.cash_pnl(rm.MONTH) == pytest.approx((cash * rate).mean(), abs=1e-6)
        assert position.volatility == pytest.approx(np.std(with_cash, ddof=1), rel=1e-10)

    def test_what_it_is_expected_to_return_is_what_it_earns_beyond_the_rate(self):
        model = market_model(risk_free_mean=1e-4)
        hedged = Hedged.neutral(rm.Strategy({"FUND": 1.0}, model))
        assert hedged.expected_return_by()["risk_free"] == pytest.approx(0.0, abs=1e-20)
        assert hedged.expected_return() == pytest.approx(hedged.expected_excess_return, rel=1e-14)


class TestFactorShare:
    def test_reference_number(self):
        s = rm.Strategy({"FUND": 1.0}, market_model())
        hedged = Hedged.with_factor_share(s, 0.2)
        assert hedged.hedge_weights["Mkt-RF"] == pytest.approx(-0.4825656917557356, rel=1e-13)
        assert hedged.decompose().factor_share == pytest.approx(0.2, rel=1e-13)

    @pytest.mark.parametrize("beta", [-3.0, -0.5, 0.4, 1.2, 1e6])
    @pytest.mark.parametrize("cap", [1e-6, 0.1, 0.5, 0.9])
    def test_one_factor_by_the_formula(self, beta, cap):
        model = market_model(loadings=beta)
        s = rm.Strategy({"FUND": 1.0}, model)
        c = math.sqrt(cap * 0.00025831692182161234 / ((1 - cap) * 0.00013005387619649368))
        left = Hedged.with_factor_share(s, cap).exposures.iloc[0]
        assert left == pytest.approx(math.copysign(min(abs(beta), c), beta), rel=1e-13, abs=1e-15 * abs(beta))

    def test_below_the_cap_it_does_nothing(self):
        s = rm.Strategy({"FUND": 1.0}, market_model())
        for cap in (0.416, 1.0):
            hedged = Hedged.with_factor_share(s, cap)
            assert hedged.hedge_weights.tolist() == [0.0]
            assert hedged.exposures.equals(s.exposures)

    def test_a_cap_of_zero_is_neutral(self):
        s = rm.Strategy({"A0": 1.0, "A3": -2.0}, random_model())
        assert Hedged.with_factor_share(s, 0).hedge_weights.equals(Hedged.neutral(s).hedge_weights)

    def test_without_idio_variance_any_cap_below_one_is_neutral(self):
        s = rm.Strategy({"A0": 1.0}, random_model(idio_variance=np.zeros(6)))
        hedged = Hedged.with_factor_share(s, 0.5)
        assert (hedged.exposures == 0).all()
        assert hedged.volatility == 0.0
        assert "idio variance" in Hedged.with_factor_share.__doc__

    def test_without_any_exposure_there_is_nothing_to_hedge(self):
        s = rm.Strategy({"A0": 1.0}, random_model(loadings=np.zeros((6, 3))))
        assert not Hedged.with_factor_share(s, 0.2).hedge_weights.any()

    def test_what_carries_no_risk_is_not_hedged(self):
        model = random_model(1, 2, loadings=[[1.0, 5.0]], factor_covariance=np.diag([1.0, 0.0]))
        hedge = Hedged.with_factor_share(rm.Strategy({"A0": 1.0}, model), 0.01).hedge_weights
        assert hedge["F0"] < -0.5
        assert hedge["F1"] == pytest.approx(0.0, abs=1e-14)

    def test_a_dearer_factor_is_hedged_less(self):
        model = random_model(1, 2, loadings=[[1.0, 1.0]], factor_covariance=np.eye(2))
        s = rm.Strategy({"A0": 1.0}, model)
        even, dear = Hedged.with_factor_share(s, 0.1), Hedged.with_factor_share(s, 0.1, cost={"F1": 10.0, "F0": 1.0})
        assert abs(dear.hedge_weights["F1"]) < abs(even.hedge_weights["F1"]) < abs(dear.hedge_weights["F0"])
        for cost in (pd.Series({"F1": 10.0, "F0": 1.0}), [1.0, 10.0], np.array([1.0, 10.0])):
            assert Hedged.with_factor_share(s, 0.1, cost=cost).hedge_weights.equals(dear.hedge_weights)

    def test_the_unit_of_cost_does_not_matter(self):
        s = rm.Strategy({"A0": 1.0, "A2": 0.5}, random_model())
        one = Hedged.with_factor_share(s, 0.1, cost=[1.0, 2.0, 3.0]).hedge_weights
        other = Hedged.with_factor_share(s, 0.1, cost=[1e6, 2e6, 3e6]).hedge_weights
        assert one.to_numpy() == pytest.approx(other.to_numpy(), rel=1e-11)

    def test_against_a_general_optimiser(self):
        model = random_model(seed=4)
        s = rm.Strategy({"A0": 1.0, "A1": 1.0}, model)
        f, b, idio = model.factor_covariance.to_numpy(), s.exposures.to_numpy(), float(s.decompose().idio_variance)
        cost = np.array([1.0, 0.3, 2.0])
        allowed = idio * 0.15 / 0.85
        found = optimize.minimize(
            lambda h: ((cost * h) ** 2).sum(), -b, jac=lambda h: 2 * cost**2 * h, method="SLSQP",
            constraints={"type": "ineq", "fun": lambda h: 1 - (b + h) @ f @ (b + h) / allowed},
            options={"ftol": 1e-14, "maxiter": 500},
        )  # fmt: skip
        hedge = Hedged.with_factor_share(s, 0.15, cost=cost).hedge_weights.to_numpy()
        assert hedge == pytest.approx(found.x, abs=1e-6)
        assert ((cost * hedge) ** 2).sum() <= found.fun * (1 + 1e-9)

    @pytest.mark.parametrize("cap", [-0.1, 1.01, 20, 20.0, np.inf, np.nan, "0.2", None, True, rm.Variance(0.2, rm.DAY)])
    def test_a_cap_that_is_no_share(self, cap):
        with pytest.raises(rm.InvalidParameterError, match="cap") as error:
            Hedged.with_factor_share(rm.Strategy({"FUND": 1.0}, market_model()), cap)
        assert error.value.details["parameter"] == "cap"

    @pytest.mark.parametrize("cost", [[0.0], [-1.0], [np.nan], [1.0, 1.0], 2.0, [[1.0]], {"Mkt-RF": np.inf}, ["dear"]])
    def test_a_cost_that_is_none(self, cost):
        for cap in (0.2, 0.9):  # even where no hedge is needed
            with pytest.raises(rm.InvalidParameterError):
                Hedged.with_factor_share(rm.Strategy({"FUND": 1.0}, market_model()), cap, cost=cost)

    def test_a_cost_for_an_unknown_factor_or_none_for_a_known_one(self):
        s = rm.Strategy({"A0": 1.0}, random_model())
        with pytest.raises(rm.UnknownFactorError, match=r"G0.*nearest"):
            Hedged.with_factor_share(s, 0.2, cost={"F0": 1.0, "F1": 1.0, "F2": 1.0, "G0": 1.0})
        with pytest.raises(rm.UnknownFactorError, match="F2"):
            Hedged.with_factor_share(s, 0.2, cost={"F0": 1.0, "F1": 1.0})
        with pytest.raises(rm.DuplicateLabelsError, match="F0"):
            Hedged.with_factor_share(s, 0.2, cost=pd.Series([1.0, 1.0], ["F0", "F0"]))


@st.composite
def share_problems(draw):
    k = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(our.SEEDS))
    f = draw(our.factor_covariances(k, low=-4, high=1))
    spread = draw(st.sampled_from([0, 2, 4]))
    model = random_model(
        1, k, loadings=rng.normal(0, 1, (1, k)) * 10 ** rng.uniform(-spread, spread, k), factor_covariance=f,
        idio_variance=[10.0 ** draw(st.integers(-10, 2))],
    )  # fmt: skip
    cost = draw(st.sampled_from([None, 10 ** rng.uniform(-2, 2, k)]))
    return rm.Strategy({"A0": 1.0}, model), draw(st.floats(1e-4, 0.999)), cost


@given(share_problems(), our.SEEDS)
def test_the_share_hedge_meets_its_cap_and_no_smaller_hedge_does(problem, seed):
    s, cap, cost = problem
    hedged = Hedged.with_factor_share(s, cap, cost)
    before, after = s.decompose(), hedged.decompose()
    f = s.model.factor_covariance.to_numpy()
    b, h, x = s.exposures.to_numpy(), hedged.hedge_weights.to_numpy(), hedged.exposures.to_numpy()
    if before.factor_share <= cap:
        assert not h.any()
        return
    if not before.idio_variance:  # none, or so little that it is rounding: any exposure left is all of the risk
        assert after.factor_share == 0 or np.allclose(x, 0.0, atol=1e-12 * np.abs(b).max())
        return
    # what rounding b + h does to the variance that is left
    towards = f @ x
    rounding = (
        4e-16 * (np.abs(b) @ np.abs(towards) + len(b) * np.abs(x) @ np.abs(f) @ np.abs(x)) / after.factor_variance
    )
    assert after.factor_share == pytest.approx(cap, rel=1e-12 + 2 * rounding)
    # the smallest hedge is normal to the ellipsoid: C² h is along -F x
    c = np.ones(len(b)) if cost is None else cost
    push, normal = c * h, -towards / c
    assume(rounding < 1e-9)
    assume(2e-16 * np.linalg.norm(np.abs(f) @ np.abs(b) / c) < 1e-8 * np.linalg.norm(normal))
    cosine = push @ normal / (np.linalg.norm(push) * np.linalg.norm(normal))
    assert cosine == pytest.approx(1.0, abs=1e-9)
    # and any other hedge that is smaller leaves more
    rng = np.random.default_rng(seed)
    for size in (0.5, 0.9, 0.999):
        direction = rng.normal(size=len(b)) + (push / np.linalg.norm(push)) * 3
        other = size * np.linalg.norm(push) * direction / np.linalg.norm(direction) / c
        assert (b + other) @ f @ (b + other) > after.factor_variance * (1 - 1e-9)


@given(share_problems())
def test_one_factor_never_changes_sign(problem):
    s, cap, cost = problem
    if len(s.exposures) == 1:
        before, after = s.exposures.iloc[0], Hedged.with_factor_share(s, cap, cost).exposures.iloc[0]
        assert before * after >= 0
        assert abs(after) <= abs(before)


@pytest.mark.parametrize("idio", [1e-2, 1e-3])
def test_a_singular_F_and_large_exposures_that_carry_no_risk(idio):
    # x'Fx of what is left would come out negative, if it were computed so
    root = np.array([6.117, 1.029])
    model = random_model(
        1, 2, loadings=[[-238.57, 12258.76]], factor_covariance=np.outer(root, root), idio_variance=[idio]
    )
    hedged = Hedged.with_factor_share(rm.Strategy({"A0": 1.0}, model), 0.03)
    assert hedged.decompose().factor_share == pytest.approx(0.03, rel=1e-4)
    left = hedged.exposures.to_numpy()
    assert abs(root @ left) == pytest.approx(math.sqrt(idio * 0.03 / 0.97), rel=1e-4)


class TestMinimumVariance:
    def test_all_factors_make_it_neutral(self):
        s = rm.Strategy({"A0": 1.0, "A3": -0.5}, random_model())
        hedged = Hedged.minimum_variance(s, ["F2", "F0", "F1"])
        assert list(hedged.hedge_weights.index) == ["F2", "F0", "F1"]
        expected = Hedged.neutral(s).hedge_weights
        assert hedged.hedge_weights[expected.index].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-9)

    @pytest.mark.parametrize("tools", [["F1"], ["A4"], ["A4", "A5"], ["A5", "F0"], ["F2", "A1", "A4", "F0"], ["A0"]])
    def test_against_the_dense_regression_and_an_optimiser(self, tools):
        model = random_model(seed=2)
        s = rm.Strategy({"A0": 1.0, "A1": -0.4}, model)
        hedged = Hedged.minimum_variance(s, tools)
        # assets and factors side by side
        b = np.vstack([model.loadings.to_numpy(), np.eye(3)])
        d = np.concatenate([model.idio_variance, np.zeros(3)])
        names = [*model.assets, *model.factors]
        sigma = pd.DataFrame(b @ model.factor_covariance.to_numpy() @ b.T + np.diag(d), names, names)
        w = pd.Series(0.0, names)
        w[["A0", "A1"]] = 1.0, -0.4
        expected = -np.linalg.solve(sigma.loc[tools, tools], sigma.loc[tools] @ w)
        assert hedged.hedge_weights.to_numpy() == pytest.approx(expected, rel=1e-9)

        def variance(h):
            held = w.copy()
            held[tools] += h
            return float(held @ sigma @ held)

        found = optimize.minimize(variance, np.zeros(len(tools)), method="BFGS", options={"gtol": 1e-10})
        assert hedged.decompose().total_variance == pytest.approx(found.fun, rel=1e-8)
        assert hedged.decompose().total_variance == pytest.approx(variance(expected), rel=1e-10)

    def test_hedging_an_asset_with_itself_sells_it(self):
        hedged = Hedged.minimum_variance(rm.Strategy({"A0": 2.0}, random_model()), ["A0"])
        assert hedged.hedge_weights["A0"] == pytest.approx(-2.0)
        assert hedged.volatility == pytest.approx(0.0, abs=1e-12)

    def test_many_instruments(self):
        model = random_model(3000, 5)
        s = rm.Strategy({"A0": 1.0}, model)
        hedged = Hedged.minimum_variance(s, our.assets(3000)[1:])
        assert hedged.decompose().factor_variance < 1e-2 * s.decompose().factor_variance
        assert (model.covariance @ hedged.weights).drop("A0").abs().max() < 1e-12

    def test_instruments_that_cannot_be_told_apart(self):
        model = random_model(loadings=np.eye(6, 3), idio_variance=[0.0, 0.1, 0.1, 0.1, 0.1, 0.1])
        with pytest.raises(rm.SingularCovarianceError, match=r"A0|F0") as error:
            Hedged.minimum_variance(rm.Strategy({"A3": 1.0}, model), ["A0", "F0", "A1"])
        assert error.value.details["instruments"] in (["A0"], ["F0"])

    def test_a_riskless_instrument(self):
        model = random_model(factor_covariance=np.diag([0.04, 0.0, 0.01]))
        with pytest.raises(rm.SingularCovarianceError, match="F1 is riskless") as error:
            Hedged.minimum_variance(rm.Strategy({"A3": 1.0}, model), ["F1", "F0"])
        assert error.value.details["instruments"] == ["F1"]

    def test_instruments_that_are_none(self):
        s = rm.Strategy({"A0": 1.0}, random_model())
        with pytest.raises(rm.InvalidParameterError, match=r"list, got 'F0'; write \['F0'\]"):
            Hedged.minimum_variance(s, "F0")
        with pytest.raises(rm.InvalidParameterError) as error:
            Hedged.minimum_variance(s, [])
        assert error.value.details == {"parameter": "instruments", "got": []}
        with pytest.raises(rm.UnknownAssetError, match=r"unknown factor or asset: G1.*nearest to 'G1'"):
            Hedged.minimum_variance(s, ["F0", "G1"])
        with pytest.raises(rm.DuplicateLabelsError, match="F0"):
            Hedged.minimum_variance(s, ["F0", "F0"])


class TestHedgeOfYourOwn:
    def test_by_factor_and_by_asset(self):
        model = random_model()
        hedged = Hedged(rm.Strategy({"A3": 1.0}, model), {"F1": -0.5, "A0": 0.25})
        assert hedged.hedge_weights.to_dict() == {"F1": -0.5, "A0": 0.25}
        assert hedged.weights.to_dict() == {"A3": 1.0, "A0": 0.25}
        assert hedged.legs.to_dict() == {"F0": 0.0, "F1": -0.5, "F2": 0.0}
        expected = model.loadings.loc["A3"] + 0.25 * model.loadings.loc["A0"] - [0.0, 0.5, 0.0]
        assert hedged.exposures.to_numpy() == pytest.approx(expected.to_numpy())
        assert hedged.alpha == pytest.approx(model.alpha["A3"] + 0.25 * model.alpha["A0"])
        assert hedged.decompose().by_asset.sum() == pytest.approx(hedged.decompose().total_variance)

    def test_weights_keep_the_order_of_the_strategy_then_of_the_hedge(self):
        hedged = Hedged(rm.Strategy({"A5": 1.0, "A2": 1.0}, random_model()), {"A4": 1.0, "A2": -0.5, "A0": 1.0})
        assert hedged.weights.to_dict() == {"A5": 1.0, "A2": 0.5, "A4": 1.0, "A0": 1.0}
        assert list(hedged.weights.index) == ["A5", "A2", "A4", "A0"]

    def test_labels_of_several_kinds(self):
        model = random_model(2, 1, assets=[10107, "FUND"])
        hedged = Hedged.minimum_variance(rm.Strategy({"FUND": 1.0}, model), [10107])
        assert list(hedged.weights.index) == ["FUND", 10107]
        model, named = (
            random_model(3, 1, assets=["KO", 10107, "FUND"]),
            random_model(3, 1, assets=["KO", "PEP", "FUND"]),
        )
        hedged = Hedged.minimum_variance(rm.Strategy({"FUND": 1.0}, model), [10107, "KO"])
        expected = Hedged.minimum_variance(rm.Strategy({"FUND": 1.0}, named), ["PEP", "KO"]).hedge_weights
        assert list(hedged.hedge_weights.index) == [10107, "KO"]
        np.testing.assert_array_equal(hedged.hedge_weights, expected)

    @pytest.mark.parametrize("scale", [1e-16, 1e-4, 1.0, 1e16])
    def test_instruments_with_a_common_asset_are_judged_in_units_of_their_own(self, scale):
        factors = [rm.PortfolioFactor("P", {"A0": 0.5, "A1": 0.5}), rm.PublishedFactor("F")]
        f, idio = scale * np.array([[0.04, 0.01], [0.01, 0.09]]), scale * np.array([0.01, 0.02, 0.03, 0.04])
        model = random_model(4, 2, factors=factors, factor_covariance=f, idio_variance=idio)
        s = rm.Strategy({"A3": 1.0, "A1": -0.5}, model)
        held = np.array([[0.5, 0.5, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])  # P, and A0
        sigma = model.covariance.to_dense().to_numpy()
        expected = -np.linalg.solve(held @ sigma @ held.T, held @ sigma @ [0.0, -0.5, 0.0, 1.0])
        assert Hedged.minimum_variance(s, ["P", "A0"]).hedge_weights.to_numpy() == pytest.approx(expected, rel=1e-9)
        with pytest.raises(rm.SingularCovarianceError) as error:
            Hedged.minimum_variance(s, ["P", "A0", "A1"])
        assert len(error.value.details["instruments"]) == 1
        assert set(error.value.details["instruments"]) < {"P", "A0", "A1"}

    def test_a_series_is_copied(self):
        hedge = pd.Series({"F0": -1.0})
        hedged = Hedged(rm.Strategy({"A0": 1.0}, random_model()), hedge)
        hedge["F0"] = 5.0
        mine = hedged.hedge_weights
        mine["F0"] = 7.0
        assert hedged.hedge_weights.to_dict() == {"F0": -1.0}

    @pytest.mark.parametrize(
        ("hedge", "error", "message"),
        [
            ({"Mkt": -1.0}, rm.UnknownAssetError, "unknown factor or asset: Mkt"),
            ({"F0": np.nan}, rm.InvalidParameterError, "hedge_weights.* F0"),
            ([-1.0], rm.InvalidParameterError, "hedge_weights.*factor or asset.*list"),
            (pd.Series([1.0, 1.0], ["F0", "F0"]), rm.DuplicateLabelsError, "F0"),
        ],
    )
    def test_what_is_no_hedge_is_refused(self, hedge, error, message):
        with pytest.raises(error, match=message):
            Hedged(rm.Strategy({"A0": 1.0}, random_model()), hedge)

    def test_only_a_portfolio_is_hedged(self):
        with pytest.raises(rm.InvalidParameterError) as error:
            Hedged({"A0": 1.0}, {"F0": -1.0})
        assert error.value.details == {"parameter": "strategy", "got": "dict"}

    def test_an_asset_called_like_a_factor(self):
        data = rm.SampleData()
        panel = data.panel(["MSFT", "SPX"], [rm.AssetFactor("SPX")])
        s = rm.Strategy({"MSFT": 1.0, "SPX": 0.5}, rm.OLS().fit(panel))
        hedged = Hedged.minimum_variance(s, ["SPX"])
        # the label means the factor, whose leg stands beside the asset that is held
        assert hedged.weights.to_dict() == {"MSFT": 1.0, "SPX": 0.5}
        assert hedged.legs["SPX"] == pytest.approx(-s.exposures["SPX"])
        split = hedged.decompose()
        assert list(split.by_asset.index) == ["MSFT", "SPX"]
        assert split.by_asset.sum() == pytest.approx(split.total_variance, rel=1e-12)
        returns = hedged.excess_returns(panel)
        assert returns.var() == pytest.approx(hedged.model.idio_variance["MSFT"], rel=1e-10)
        assert hedged.excess_returns(data).to_numpy() == pytest.approx(returns.to_numpy(), abs=1e-15)
        # what the hedge leaves of it can be sold as well as bought
        assert hedged.cash_weight == pytest.approx(-(1.5 + hedged.legs["SPX"]))


class TestHedgedTwice:
    @pytest.fixture
    def once(self):
        return Hedged.minimum_variance(
            rm.Strategy({"A0": 1.0, "A3": -0.5}, random_model(funded=[False] * 3)), ["F0", "A1"]
        )

    def test_it_holds_both_hedges(self, once):
        twice = Hedged.neutral(once)
        assert twice.strategy is once.strategy
        assert twice.weights.equals(once.weights)
        assert twice.hedge_weights["A1"] == once.hedge_weights["A1"]
        more = twice.hedge_weights["F0"] - once.hedge_weights["F0"]
        assert more == pytest.approx(-once.exposures["F0"])
        assert twice.legs["F0"] == twice.hedge_weights["F0"]
        assert twice.exposures.abs().max() < 1e-15
        assert twice.cash_weight == pytest.approx(-(twice.weights.sum()))
        assert twice.decompose().by_asset.sum() == pytest.approx(twice.decompose().total_variance)

    def test_neutral_twice_adds_nothing(self, once):
        neutral = Hedged.neutral(once)
        more = Hedged.neutral(neutral).hedge_weights - neutral.hedge_weights
        assert more.abs().max() < 1e-15

    def test_the_dollars_of_all_legs_add_up(self, once):
        position = rm.RiskBudget(1e6, rm.MONTH).size(Hedged.neutral(once))
        held, hedge = position.holdings, position.hedge
        assert held.to_dict() == pytest.approx({"A0": position.capital, "A3": -0.5 * position.capital})
        costs = dict(zip(once.model.factors, once.model.funded, strict=True))
        funded = sum(dollars for name, dollars in hedge.items() if costs.get(name, True))
        assert held.sum() + funded + position.cash == pytest.approx(0.0, abs=1e-6)
        assert position.unhedged.portfolio.weights.to_dict() == {"A0": 1.0, "A3": -0.5}

    def test_a_smaller_share_of_a_share(self):
        s = rm.Strategy({"A0": 1.0}, random_model())
        first = Hedged.with_factor_share(s, 0.3)
        again = Hedged.with_factor_share(first, 0.3)
        assert again.hedge_weights.to_numpy() == pytest.approx(first.hedge_weights.to_numpy(), abs=1e-12)
        less = Hedged.with_factor_share(first, 0.1)
        assert less.decompose().factor_share == pytest.approx(0.1, rel=1e-12)

    def test_returns_and_repr(self):
        panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
        first = Hedged.minimum_variance(rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel)), ["JPM"])
        twice = Hedged.neutral(first)
        naive = (
            panel.excess_returns @ first.weights[panel.excess_returns.columns]
            + panel.factor_returns["Mkt-RF"] * twice.legs["Mkt-RF"]
        )
        assert twice.excess_returns(panel).to_numpy() == pytest.approx(naive.to_numpy(), abs=1e-16)
        assert repr(twice) == "<HedgedPortfolio of <Strategy of 1 assets, per day> with 2 hedge legs>"


def test_without_factors_there_is_nothing_to_hedge():
    model = random_model(2, 0, loadings=np.zeros((2, 0)), factor_covariance=np.zeros((0, 0)))
    s = rm.Strategy({"A0": 1.0}, model)
    for hedged in (Hedged.neutral(s), Hedged.with_factor_share(s, 0.0), Hedged.with_factor_share(s, 0.5)):
        assert hedged.hedge_weights.empty
        assert hedged.volatility == s.volatility


def test_selling_what_is_held_leaves_no_risk():
    panel = rm.SampleData().panel(["XOM"], ["Mkt-RF"])
    xom = rm.Strategy({"XOM": 1.0}, rm.OLS().fit(panel))
    # as a regression on itself leaves it
    hedged = rm.HedgedPortfolio(xom, {"XOM": -1.0 + 2.0**-52})
    assert float(hedged.volatility) > 0
    assert hedged.is_riskless
    assert not rm.HedgedPortfolio(xom, {"XOM": -0.999}).is_riskless
