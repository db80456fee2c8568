"""How much of a portfolio a budget allows, and what it is expected to earn."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm

M = 1_000_000


def market_model(**changes):
    numbers = {
        "assets": ["FUND"], "factors": ["Mkt-RF"], "alpha": 0.0005855699261548292, "loadings": 1.187234068887255,
        "factor_covariance": 0.00013005387619649368, "factor_mean": 0.00035668848435262666,
        "idio_variance": 0.00025831692182161234, "horizon": rm.DAY,
    }  # fmt: skip
    return rm.FactorModel.from_parameters(**(numbers | changes))


@pytest.fixture
def fund():
    return rm.Strategy({"FUND": 1.0}, market_model())


@pytest.fixture
def hedged(fund):
    return rm.HedgedPortfolio.neutral(fund)


def close(expected):
    return pytest.approx(expected, rel=1e-12)


class TestReferenceNumbers:
    def test_variance(self, fund):
        assert fund.decompose().total_variance == close(0.000441631077115618)
        assert fund.decompose().factor_share == close(0.4150843651929287)

    def test_a_million_of_volatility_a_month(self, fund, hedged):
        budget = rm.RiskBudget(M, rm.MONTH)
        assert budget.size(fund).capital == close(10.38390100942344 * M)
        assert budget.size(hedged).capital == close(13.57731594569193 * M)

    def test_a_million_of_volatility_a_year(self, fund, hedged):
        budget = rm.RiskBudget(M, rm.YEAR)
        assert budget.size(fund).capital == close(2.997574021514525 * M)
        assert budget.size(hedged).capital == close(3.9194335080589173 * M)

    def test_a_years_expected_pnl(self, fund, hedged):
        budget = rm.RiskBudget(M, rm.YEAR)
        position = budget.size(fund)
        assert position.expected_pnl(rm.YEAR) == close(0.7622193661795735 * M)
        assert position.factor_adjusted_pnl(rm.YEAR) == close(0.4423328780023175 * M)
        neutral = budget.size(hedged)
        assert neutral.expected_pnl(rm.YEAR) == close(0.5783658022504715 * M)
        assert neutral.factor_adjusted_pnl(rm.YEAR) == close(0.5783658022504715 * M)


class TestHorizons:
    @pytest.mark.parametrize("horizon", [rm.DAY, rm.WEEK, rm.MONTH, rm.YEAR, rm.Horizon(10)])
    def test_the_budget_is_used_up_at_its_own_horizon(self, fund, horizon):
        position = rm.RiskBudget(M, horizon).size(fund)
        assert position.volatility == close(M)
        assert position.volatility.horizon == horizon

    def test_pnl_grows_with_time_and_sharpe_with_its_root(self, hedged):
        position = rm.RiskBudget(M, rm.MONTH).size(hedged)
        daily = position.capital * 0.0005855699261548292
        for horizon in (rm.DAY, rm.MONTH, rm.YEAR, rm.Horizon(17)):
            assert position.expected_pnl(horizon) == close(daily * horizon.days)
            ratio = 0.0005855699261548292 / math.sqrt(0.00025831692182161234)
            assert position.sharpe(horizon) == close(ratio * math.sqrt(horizon.days))
            assert position.expected_pnl(horizon).horizon == position.sharpe(horizon).horizon == horizon

    def test_the_models_horizon_does_not_matter(self, fund):
        yearly = rm.Strategy({"FUND": 1.0}, market_model().at(rm.YEAR))
        for budget in (
            rm.RiskBudget(M, rm.MONTH),
            rm.RiskBudget(M, rm.YEAR, limits=[rm.FactorVolatilityLimit(1e5, rm.WEEK)]),
        ):
            assert budget.size(yearly).capital == close(budget.size(fund).capital)
            assert budget.size(yearly).expected_pnl(rm.WEEK) == close(float(budget.size(fund).expected_pnl(rm.WEEK)))

    def test_sharpe_with_and_without_the_hedge(self, fund, hedged):
        position = rm.RiskBudget(M, rm.YEAR).size(hedged)
        assert position.sharpe(rm.YEAR) == hedged.sharpe.at(rm.YEAR)
        assert position.unhedged.sharpe(rm.YEAR) == fund.sharpe.at(rm.YEAR)
        assert position.unhedged.capital == position.capital
        assert position.unhedged.binding is None
        assert rm.RiskBudget(M, rm.YEAR).size(fund).unhedged.portfolio is fund


class TestDollars:
    def test_strategy_hedge_and_cash(self, hedged):
        position = rm.Position(hedged, 2 * M, rm.MONTH)
        beta = 1.187234068887255
        assert position.holdings.to_dict() == {"FUND": 2 * M}
        assert position.hedge.to_dict() == close({"Mkt-RF": -2 * M * beta})
        assert position.cash == close(-2 * M * (1 - beta))
        assert position.holdings.sum() + position.hedge.sum() + position.cash == pytest.approx(0.0, abs=1e-6)

    def test_the_cash_leg_of_a_million(self):
        rate = 1e-4
        fund = rm.Strategy({"FUND": 1.0}, market_model(risk_free_mean=rate))
        position = rm.Position(rm.HedgedPortfolio.neutral(fund), M, rm.DAY)
        alpha, beta = 0.0005855699261548292, 1.187234068887255
        assert position.cash_pnl(rm.MONTH) == close(-M * (1 - beta) * rate * 21)
        assert position.expected_pnl(rm.MONTH) == close(M * alpha * 21)
        # the stock earns the rate on its dollar, and the short index pays it on β dollars
        assert position.expected_pnl_without_cash(rm.MONTH) == close(M * 21 * (alpha + (1 - beta) * rate))

    def test_a_self_financing_hedge_raises_no_cash(self):
        model = market_model(factors=["SMB"], risk_free_mean=1e-4)
        position = rm.Position(rm.HedgedPortfolio.neutral(rm.Strategy({"FUND": 1.0}, model)), M, rm.DAY)
        assert position.cash == -M
        assert position.cash_pnl(rm.DAY) == close(-100.0)

    def test_an_unhedged_position_has_a_hedge_of_zeros(self, fund):
        assert rm.Position(fund, M, rm.DAY).hedge.to_dict() == {"Mkt-RF": 0.0}

    def test_repr(self, fund):
        text = repr(rm.RiskBudget(M, rm.MONTH).size(fund))
        assert (
            text == "<Position of 10,383,901 dollars in <Strategy of 1 assets, per day>, bound by volatility per month>"
        )

    @pytest.mark.parametrize("capital", [-1.0, np.nan, np.inf, "much", True, None])
    def test_capital_that_is_none(self, fund, capital):
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.Position(fund, capital, rm.DAY)
        assert error.value.details["parameter"] == "capital"

    def test_a_position_is_of_a_portfolio_at_a_horizon(self, fund):
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.Position({"FUND": 1.0}, M, rm.DAY)
        assert error.value.details == {"parameter": "portfolio", "got": "dict"}
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.Position(fund, M, 21)
        assert error.value.details == {"parameter": "horizon", "got": 21}


class Leverage(rm.Limit):
    """A limit of a user's own: net dollars."""

    name, amount = "net", 3e6

    def use(self, portfolio):
        return abs(float(portfolio.weights.sum() + portfolio.legs.sum()))


class TestSeveralLimits:
    def test_the_smallest_binds_and_is_named(self, fund):
        capital = rm.CapitalLimit(5 * M)
        assert rm.RiskBudget(M, rm.MONTH, limits=[capital]).size(fund).binding == "capital"
        assert rm.RiskBudget(M, rm.YEAR, limits=[capital]).size(fund).binding == "volatility per year"
        position = rm.RiskBudget(M, rm.MONTH, limits=[capital, rm.GrossLimit(4 * M)]).size(fund)
        assert (position.binding, position.capital) == ("gross", 4 * M)

    def test_a_gross_limit_counts_the_hedge_and_not_the_cash(self, hedged):
        position = rm.RiskBudget(1e9, rm.DAY, limits=[rm.GrossLimit(M)]).size(hedged)
        assert position.capital == close(M / (1 + 1.187234068887255))

    def test_a_limit_on_factor_volatility(self, fund, hedged):
        limit = rm.FactorVolatilityLimit(1e5, rm.WEEK)
        position = rm.RiskBudget(M, rm.MONTH, limits=[limit]).size(fund)
        assert position.binding == "factor volatility per week"
        factor_volatility = 1.187234068887255 * math.sqrt(0.00013005387619649368 * rm.WEEK.days)
        assert position.capital == close(1e5 / factor_volatility)
        assert rm.RiskBudget(M, rm.MONTH, limits=[limit]).size(hedged).binding == "volatility per month"

    def test_at_other_horizons(self, fund):
        position = rm.RiskBudget(M, rm.MONTH, limits=[rm.VolatilityLimit(1e5, rm.DAY)]).size(fund)
        assert position.binding == "volatility per day"
        assert position.volatility == close(1e5 * math.sqrt(21))
        assert position.horizon == rm.MONTH

    @pytest.mark.parametrize("amounts", [(2 * M, M / 2), (M / 2, 2 * M)])
    def test_two_limits_of_one_name_both_hold(self, fund, amounts):
        budget = rm.RiskBudget(M, rm.MONTH, limits=[rm.VolatilityLimit(a, rm.MONTH) for a in amounts])
        position = budget.size(fund)
        assert position.volatility == close(M / 2)
        assert budget.utilisation(position).tolist() == close([0.5, M / 2 / amounts[0], M / 2 / amounts[1]])
        assert budget.check(position) == ()
        assert len(budget.headroom(position)) == 3

    def test_of_equal_limits_the_first_is_named(self, fund):
        budget = rm.RiskBudget(1e9, rm.MONTH, limits=[rm.CapitalLimit(M), rm.GrossLimit(M)])
        assert budget.size(fund).binding == "capital"

    def test_a_limit_of_the_users_own(self, fund, hedged):
        budget = rm.RiskBudget(M, rm.MONTH, limits=[Leverage()])
        assert budget.size(fund).binding == "net"
        assert budget.size(fund).capital == 3e6
        assert budget.utilisation(budget.size(hedged))["net"] == close(13.57731594569193 * 0.187234068887255 / 3)

    @pytest.mark.parametrize(("use", "amount"), [(np.nan, 1.0), (-1.0, 1.0), (np.inf, 1.0), (None, 1.0), ("2", 1.0)])
    def test_a_limit_of_the_users_own_that_makes_no_sense(self, fund, use, amount):
        class Odd(rm.Limit):
            name = "odd"

            def use(self, portfolio):
                return use

        Odd.amount = amount
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.RiskBudget(M, rm.MONTH, limits=[Odd()]).size(fund)
        assert error.value.details["limit"] == "odd"

    @pytest.mark.parametrize(
        ("name", "amount"), [("odd", 0.0), ("odd", -5.0), ("odd", np.nan), ("odd", "1e6"), (None, 1.0), (3, 1.0)]
    )
    def test_a_limit_of_the_users_own_without_a_name_or_an_amount(self, name, amount):
        class Odd(rm.Limit):
            def __init__(self):
                self.name, self.amount = name, amount

            def use(self, portfolio):
                return 1.0

        with pytest.raises(rm.InvalidParameterError) as error:
            rm.RiskBudget(M, rm.MONTH, limits=[Odd()])
        assert error.value.details["limit"] == "Odd"

    def test_a_limit_may_be_a_dataclass(self, fund):
        @dataclasses.dataclass
        class Names(rm.Limit):
            name: str
            amount: float

            def use(self, portfolio):
                return float(len(portfolio.weights))

        assert rm.RiskBudget(M, rm.MONTH, limits=[Names("names", 5.0)]).size(fund).binding == "names"

    def test_a_budget_is_of_its_horizon(self, fund):
        budget = rm.RiskBudget(M, rm.MONTH, limits=[rm.FactorVolatilityLimit(M, rm.YEAR)])
        position = budget.size(fund)
        with pytest.raises(rm.HorizonMismatchError, match="YEAR and MONTH"):
            assert position.volatility.at(rm.YEAR) > budget.volatility
        (breach,) = rm.RiskBudget(M / 2, rm.MONTH).check(rm.RiskBudget(M, rm.MONTH).size(fund))
        assert breach.excess == close(M / 2)
        with pytest.raises(rm.HorizonMismatchError):
            assert breach.used > rm.Volatility(M, rm.YEAR)
        with pytest.raises(rm.InvalidParameterError, match="Volatility") as error:
            rm.RiskBudget(rm.Mean(M, rm.MONTH), rm.MONTH)
        assert error.value.details["parameter"] == "volatility"

    @pytest.mark.parametrize("wrong", [{"A": 1.0}, None, 3.0])
    def test_only_portfolios_are_sized_and_only_positions_checked(self, wrong):
        budget = rm.RiskBudget(M, rm.MONTH)
        with pytest.raises(rm.InvalidParameterError) as error:
            budget.size(wrong)
        assert error.value.details == {"parameter": "portfolio", "got": type(wrong).__name__}
        with pytest.raises(rm.InvalidParameterError) as error:
            budget.check(wrong)
        assert error.value.details == {"parameter": "position", "got": type(wrong).__name__}


class TestWhatIsPerfectlyExplained:
    @pytest.fixture(params=range(8))
    def explained(self, request):
        """An asset that its factor explains, but for rounding."""
        days = pd.bdate_range("2020-01-01", periods=200)
        f = pd.Series(np.random.default_rng(request.param).normal(0, 0.01, 200), days, name="X")
        data = rm.InMemory(pd.DataFrame({"E": 1.1 * f}), factors=f, risk_free=0.0, horizon=rm.DAY)
        return rm.Strategy({"E": 1.0}, rm.OLS().fit(data.panel(["E"], ["X"])))

    def test_any_cap_takes_the_whole_hedge(self, explained):
        hedged = rm.HedgedPortfolio.with_factor_share(explained, 0.2)
        assert hedged.exposures["X"] == 0.0
        assert hedged.is_riskless

    def test_no_budget_sizes_what_has_no_risk(self, explained):
        hedged = rm.HedgedPortfolio.neutral(explained)
        assert np.isnan(hedged.sharpe)
        for budget in (M, rm.RiskBudget(M, rm.MONTH).volatility):
            with pytest.raises(rm.UnboundedPositionError) as error:
                rm.RiskBudget(budget, rm.MONTH, limits=[rm.FactorVolatilityLimit(M, rm.DAY)]).size(hedged)
            assert error.value.details["limits"] == ["volatility per month", "factor volatility per day"]

    def test_it_is_no_instrument_beside_its_factor(self, explained):
        with pytest.raises(rm.SingularCovarianceError) as error:
            rm.HedgedPortfolio.minimum_variance(explained, ["E", "X"])
        assert set(error.value.details["instruments"]) <= {"E", "X"}

    def test_unhedged_it_has_its_risk(self, explained):
        assert not explained.is_riskless


class TestAnExistingPosition:
    def test_used_utilisation_headroom_and_breaches(self, fund):
        budget = rm.RiskBudget(M, rm.MONTH, limits=[rm.CapitalLimit(20 * M), rm.GrossLimit(8 * M)])
        position = rm.Position(fund, 12 * M, rm.MONTH)
        volatility = 12 / 10.38390100942344 * M
        assert budget.used(position).to_dict() == close(
            {"volatility per month": volatility, "capital": 12 * M, "gross": 12 * M}
        )
        assert budget.utilisation(position).to_dict() == close(
            {"volatility per month": volatility / M, "capital": 0.6, "gross": 1.5}
        )
        assert budget.headroom(position).to_dict() == close(
            {"volatility per month": M - volatility, "capital": 8 * M, "gross": -4 * M}
        )
        first, second = budget.check(position)
        assert (first.limit.name, second.limit.name) == ("volatility per month", "gross")
        assert second.excess == 4 * M
        assert str(second) == "gross: 12,000,000 used of 8,000,000"

    def test_what_a_budget_sized_does_not_breach_it(self, fund, hedged):
        for amount in (1.0, 1234.5678, M, 3.3e11):
            budget = rm.RiskBudget(amount, rm.QUARTER, limits=[rm.GrossLimit(7 * amount)])
            for portfolio in (fund, hedged):
                assert budget.check(budget.size(portfolio)) == ()

    def test_nothing_held_uses_nothing(self, fund):
        budget = rm.RiskBudget(M, rm.MONTH)
        assert budget.utilisation(rm.Position(fund, 0.0, rm.MONTH)).tolist() == [0.0]


class TestWithoutRisk:
    @pytest.fixture
    def riskless(self):
        return rm.HedgedPortfolio.neutral(rm.Strategy({"FUND": 1.0}, market_model(idio_variance=0.0)))

    def test_any_amount_is_within_the_budget(self, riskless):
        with pytest.raises(rm.UnboundedPositionError, match=r"volatility per month.*CapitalLimit"):
            rm.RiskBudget(M, rm.MONTH).size(riskless)

    def test_another_limit_sizes_it(self, riskless):
        position = rm.RiskBudget(M, rm.MONTH, limits=[rm.CapitalLimit(5 * M)]).size(riskless)
        assert (position.capital, position.binding) == (5 * M, "capital")
        assert math.isnan(position.sharpe(rm.YEAR))
        assert position.volatility == 0.0

    def test_hardly_any_risk_is_none(self):
        tiny = rm.Strategy({"FUND": 5e-320}, market_model())
        with pytest.raises(rm.UnboundedPositionError):
            rm.RiskBudget(M, rm.MONTH).size(tiny)


@pytest.mark.parametrize("amount", [0, -1.0, np.nan, np.inf, "1e6", None, True])
@pytest.mark.parametrize(
    "limit",
    [
        lambda a: rm.RiskBudget(a, rm.MONTH),
        lambda a: rm.VolatilityLimit(a, rm.MONTH),
        lambda a: rm.FactorVolatilityLimit(a, rm.MONTH),
        rm.GrossLimit,
        rm.CapitalLimit,
    ],
)
def test_a_limit_is_a_positive_number(limit, amount):
    with pytest.raises(rm.InvalidParameterError, match="dollars") as error:
        limit(amount)
    assert error.value.details["parameter"] in ("volatility", "amount")


@pytest.mark.parametrize("number", [1, 1.0, np.float32(1.0), np.int64(1)])
def test_any_positive_number_will_do(number, fund):
    assert rm.RiskBudget(number, rm.MONTH).size(fund).capital == close(10.38390100942344)


def test_a_limit_at_another_horizon_than_its_amount(fund):
    daily = rm.Position(fund, M, rm.DAY).volatility
    with pytest.raises(rm.HorizonMismatchError, match="DAY and MONTH"):
        rm.RiskBudget(daily, rm.MONTH)
    sized = rm.RiskBudget(daily, rm.DAY).size(fund)
    assert sized.capital == close(M)
    assert type(sized.capital) is float


def test_a_budget_takes_a_horizon_and_limits(fund):
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.RiskBudget(M, "month")
    assert error.value.details == {"parameter": "horizon", "got": "month"}
    for limits in ([5e6], 5e6, [rm.RiskBudget(M, rm.MONTH)]):
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.RiskBudget(M, rm.MONTH, limits=limits)
        assert error.value.details["parameter"] == "limits"
    assert rm.RiskBudget(M, rm.MONTH, limits=rm.CapitalLimit(1.0)).size(fund).capital == 1.0


class TestWhatIsTraded:
    @pytest.fixture
    def ls(self):
        spread = rm.PortfolioFactor("LS", {"KO": 1.0, "JPM": -1.0})
        panel = rm.SampleData().panel(["KO", "JPM"], [spread], start="2016")
        return rm.OLS().fit(panel)

    def test_dollars_of_a_hedge_in_a_portfolio_factor_are_those_of_its_assets(self, ls):
        position = rm.RiskBudget(1e6, rm.MONTH).size(rm.HedgedPortfolio.neutral(rm.Strategy({"KO": 1.0}, ls)))
        unit = position.hedge["LS"]
        assert position.dollars.to_dict() == pytest.approx({"KO": position.capital + unit, "JPM": -unit}, rel=1e-12)
        assert position.dollars.sum() + position.cash == pytest.approx(0.0, abs=1e-6)

    @pytest.mark.parametrize(
        "factor", [rm.AssetFactor("KO"), rm.PortfolioFactor("P", {"KO": 1.0})], ids=["asset", "portfolio"]
    )
    def test_a_hedge_in_what_is_held_is_netted(self, factor):
        model = rm.OLS().fit(rm.SampleData().panel(["KO", "JPM"], [factor], start="2016"))
        hedged = rm.HedgedPortfolio(rm.Strategy({"KO": 1.0, "JPM": 1.0}, model), {factor.name: -1.0})
        assert hedged.instruments.to_dict() == pytest.approx({"KO": 0.0, "JPM": 1.0})
        assert rm.GrossLimit(1e6).use(hedged) == pytest.approx(1.0)

    def test_gross_adds_assets_and_factors(self):
        model = rm.OLS().fit(rm.SampleData().panel(["KO", "JPM"], ["Mkt-RF"], start="2016"))
        hedged = rm.HedgedPortfolio(rm.Strategy({"KO": 1.0, "JPM": -0.5}, model), {"Mkt-RF": -0.25})
        assert rm.GrossLimit(1e6).use(hedged) == pytest.approx(1.75)


class TestComposition:
    @pytest.fixture
    def book(self):
        model = rm.FactorModel.from_parameters(
            assets=["A", "B", "C"], factors=["Mkt-RF"], alpha=[0.0] * 3, loadings=[[1.0]] * 3, factor_covariance=1e-4,
            factor_mean=0.0, idio_variance=[1e-4] * 3, horizon=rm.DAY,
        )  # fmt: skip
        return rm.Strategy({"A": 3.0, "B": -1.0, "C": 0.0}, model)

    @pytest.mark.parametrize(
        ("limit", "use"),
        [
            (rm.NetLimit(1e6), 2.0),
            (rm.NameLimit(1e6), 3.0),
            (rm.ConcentrationLimit(0.5), 0.75**2 + 0.25**2),
            (rm.NameCountLimit(1), 2.0),
        ],
    )
    def test_use(self, book, limit, use):
        assert limit.use(book) == close(use)
        negated = rm.Strategy(-book.weights, book.model)
        assert limit.use(negated) == close(use)

    def test_a_hedge_is_netted_with_what_is_held(self, book):
        hedged = rm.HedgedPortfolio(book, {"A": -3.0, "Mkt-RF": -1.5})
        assert rm.NameLimit(1.0).use(hedged) == close(1.5)
        assert rm.NetLimit(1.0).use(hedged) == close(2.5)
        assert rm.NameCountLimit(9).use(hedged) == 2.0

    @pytest.mark.parametrize("limit", [rm.ConcentrationLimit(0.6), rm.NameCountLimit(1)])
    def test_a_composition_that_exceeds_a_limit_gets_no_capital(self, book, limit):
        budget = rm.RiskBudget(1e6, rm.DAY, limits=[limit])
        position = budget.size(book)
        assert (position.capital, position.binding) == (0.0, limit.name)
        assert budget.utilisation(position).tolist() == [0.0, 0.0]
        held = rm.Position(book, 7.0, rm.DAY)
        assert budget.used(held).iloc[1] == close(limit.use(book))
        assert [breach.limit for breach in budget.check(held)] == [limit]

    def test_a_composition_within_its_limits_is_sized_by_the_others(self, book):
        limits = [rm.ConcentrationLimit(0.625), rm.NameCountLimit(2)]
        budget = rm.RiskBudget(1e6, rm.DAY, limits=limits)
        assert budget.size(book).capital == rm.RiskBudget(1e6, rm.DAY).size(book).capital
        assert budget.capacities(book).iloc[1:].tolist() == [math.inf, math.inf]
        assert budget.check(rm.Position(book, 7.0, rm.DAY)) == ()

    @pytest.mark.parametrize(
        "make",
        [
            lambda: rm.ConcentrationLimit(0.0),
            lambda: rm.ConcentrationLimit(20),
            lambda: rm.NameCountLimit(0),
            lambda: rm.NameCountLimit(2.5),
            lambda: rm.NetLimit(-1.0),
            lambda: rm.NameLimit(math.inf),
        ],
    )
    def test_bad_amounts(self, make):
        with pytest.raises(rm.InvalidParameterError):
            make()


class TestGroupLimits:
    def held(self):
        data = rm.SampleData().panel(["MSFT", "AAPL", "XOM"], ["Mkt-RF"], start="2017-01-01")
        return rm.Strategy({"MSFT": 0.5, "AAPL": -0.3, "XOM": 0.4}, rm.OLS().fit(data))

    def test_the_largest_group_uses_most(self):
        held, groups = self.held(), pd.Series({"MSFT": "tech", "AAPL": "tech", "XOM": "oil", "KO": "food"})
        assert rm.GroupGrossLimit(1e6, groups).use(held) == pytest.approx(0.8)
        assert rm.GroupNetLimit(1e6, groups).use(held) == pytest.approx(0.4)
        budget = rm.RiskBudget(1e9, rm.MONTH, limits=[rm.GroupGrossLimit(4e6, groups), rm.GroupNetLimit(3e6, groups)])
        position = budget.size(held)
        assert (position.capital, position.binding) == (pytest.approx(5e6), "gross of one group")

    def test_factors_count_where_they_have_a_group(self):
        hedged = rm.HedgedPortfolio.neutral(self.held())
        groups = {"MSFT": "tech", "AAPL": "tech", "XOM": "oil"}
        assert rm.GroupGrossLimit(1e6, groups).use(hedged) == pytest.approx(0.8)
        size = abs(hedged.hedge_weights["Mkt-RF"])
        assert rm.GroupNetLimit(1e6, {**groups, "Mkt-RF": "oil"}).use(hedged) == pytest.approx(
            max(abs(0.4 - size), 0.2)
        )

    def test_what_is_held_has_a_group(self):
        with pytest.raises(rm.UnknownAssetError) as error:
            rm.GroupNetLimit(1e6, {"MSFT": "tech", "AAPL": "tech"}).use(self.held())
        assert error.value.details["missing"] == ["XOM"]
        for groups in ({}, None, {"A": None}):
            with pytest.raises(rm.InvalidParameterError):
                rm.GroupGrossLimit(1e6, groups)
