"""Budgets as a tree: a fund of desks has the risk of the summed book, and every node its limits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskmodel as rm

N = 6
NAMES = [f"A{i}" for i in range(N)]


def a_model():
    rng = np.random.default_rng(3)
    root = rng.normal(0, 0.04, (2, 2))
    return rm.FactorModel.from_parameters(
        assets=NAMES, factors=["Mkt-RF", "SMB"], alpha=np.zeros(N), loadings=rng.normal(1, 0.4, (N, 2)),
        factor_covariance=root @ root.T, factor_mean=[0.0, 0.0], idio_variance=rng.uniform(0.001, 0.01, N),
        horizon=rm.MONTH,
    )  # fmt: skip


MODEL = a_model()
SIGMA = MODEL.covariance.to_dense().to_numpy()
rows = st.lists(st.integers(-9, 9), min_size=N, max_size=N).filter(any)


def desk(name, dollars, budget=None, horizon=rm.MONTH):
    book = rm.Book(dict(zip(NAMES, map(float, dollars), strict=True)))
    return rm.BudgetNode(name, budget, position=book.position(MODEL, horizon))


def fund_of(books, budget=None, budgets=None, horizon=rm.MONTH):
    budgets = budgets or [None] * len(books)
    desks = [desk(f"desk {i}", b, own, horizon) for i, (b, own) in enumerate(zip(books, budgets, strict=True))]
    return rm.BudgetNode("fund", budget, children=desks)


class TestRisk:
    @given(st.lists(rows, min_size=1, max_size=4))
    def test_a_fund_has_the_volatility_of_the_summed_book(self, books):
        fund, total = fund_of(books), np.sum(books, axis=0).astype(float)
        assert float(fund.volatility) == pytest.approx(np.sqrt(max(total @ SIGMA @ total, 0.0)), abs=1e-12)
        held = fund.position.dollars.reindex(NAMES, fill_value=0.0)
        assert held.to_numpy() == pytest.approx(total, abs=1e-12)
        assert fund.position.cash == pytest.approx(-total.sum(), abs=1e-12)

    @given(st.lists(rows, min_size=2, max_size=4))
    def test_contributions_add_up_to_the_volatility(self, books):
        fund, w = fund_of(books, horizon=rm.YEAR), np.array(books, dtype=float)
        dense = w @ SIGMA @ w.T * 12.0
        alone, sigma = np.sqrt(np.diag(dense)), np.sqrt(max(dense.sum(), 0.0))
        table = fund.contributions()
        assert table["volatility"].to_numpy() == pytest.approx(alone, rel=1e-9)
        assert fund.correlations().to_numpy() == pytest.approx(dense / np.outer(alone, alone), rel=1e-9, abs=1e-12)
        if sigma > 1e-6 * alone.sum():
            assert table["contribution"].sum() == pytest.approx(float(fund.volatility), rel=1e-6)
            assert table["contribution"].to_numpy() == pytest.approx(dense.sum(axis=1) / sigma, rel=1e-6, abs=1e-9)
            assert table["share"].sum() == pytest.approx(1.0)
            assert (table["volatility"] * table["correlation"]).to_numpy() == pytest.approx(
                table["contribution"].to_numpy(), rel=1e-9, abs=1e-12
            )

    def test_hedges_of_desks_are_in_the_fund(self):
        bare = desk("bare", [1, 2, 0, 0, 0, 3])
        hedged = rm.HedgedPortfolio(rm.Strategy({"A0": 1.0, "A1": 0.5}, MODEL), {"Mkt-RF": -1.2, "A3": 0.25})
        other = rm.BudgetNode("hedged", position=rm.Position(hedged, 4.0, rm.MONTH))
        fund = rm.BudgetNode("fund", children=[bare, other])
        w = np.array([1.0, 2.0, 0.0, 0.0, 0.0, 3.0]) + 4.0 * np.array([1.0, 0.5, 0.0, 0.25, 0.0, 0.0])
        f, b = MODEL.factor_covariance.to_numpy(), MODEL.loadings.to_numpy()
        x = b.T @ w - np.array([4.8, 0.0])
        assert float(fund.volatility) ** 2 == pytest.approx(x @ f @ x + w**2 @ MODEL.idio_variance.to_numpy())
        assert fund.contributions()["contribution"].sum() == pytest.approx(float(fund.volatility))
        assert fund.position.cash == pytest.approx(bare.position.cash + other.position.cash)
        assert fund.position.dollars["Mkt-RF"] == pytest.approx(-4.8)

    def test_a_flat_desk(self):
        flat = rm.BudgetNode("flat", position=rm.Position(rm.Strategy({"A0": 1.0}, MODEL), 0.0, rm.MONTH))
        fund = rm.BudgetNode("fund", rm.RiskBudget(1.0, rm.MONTH), children=[flat, desk("one", [1, 0, 0, 0, 0, 0])])
        assert float(fund.volatility) == pytest.approx(np.sqrt(SIGMA[0, 0]))
        assert fund.contributions().loc["flat", "volatility"] == 0.0
        only = rm.BudgetNode("fund", rm.RiskBudget(1.0, rm.MONTH), children=[flat])
        assert float(only.volatility) == 0.0
        with pytest.raises(rm.UnboundedPositionError):
            _ = only.scale


class TestLimits:
    @settings(max_examples=15)
    @given(st.lists(rows, min_size=2, max_size=3), st.floats(0.1, 50.0))
    def test_at_the_scale_every_limit_is_kept_and_one_binds(self, books, amount):
        budgets = [rm.RiskBudget(amount, rm.MONTH, limits=[rm.GrossLimit(20.0)]) for _ in books]
        fund = fund_of(books, rm.RiskBudget(1.5 * amount, rm.MONTH, limits=[rm.NetLimit(10.0)]), budgets)
        largest = fund.scaled(fund.scale)
        table = largest.table()
        assert table["utilisation"].max() == pytest.approx(1.0)
        assert largest.breaches() == {}
        tight = table[(table["node"] == fund.binding[0]) & (table["limit"] == fund.binding[1])]
        assert tight["utilisation"].tolist() == pytest.approx([1.0])
        assert (fund.scale >= 1.0 - 1e-12) == (not fund.breaches())
        assert largest.scale == pytest.approx(1.0)

    def test_by_hand(self):
        fund = fund_of(
            [[4, 0, 0, 0, 0, 0], [-3, 1, 0, 0, 0, 0]],
            rm.RiskBudget(1e6, rm.MONTH, limits=[rm.GrossLimit(4.0), rm.NetLimit(1.0)]),
            [None, rm.RiskBudget(1e6, rm.MONTH, limits=[rm.GrossLimit(2.0), rm.CapitalLimit(8.0)])],
        )
        table = fund.table().set_index(["node", "limit"])
        # the fund nets A0: 4 - 3
        assert table.loc[("fund", "gross"), ["used", "allowed", "headroom", "utilisation"]].tolist() == [2, 4, 2, 0.5]
        assert table.loc[("fund", "net"), ["used", "utilisation", "breached"]].tolist() == [2.0, 2.0, True]
        assert table.loc[("desk 1", "gross"), "utilisation"] == 2.0
        assert table.loc[("desk 1", "capital"), "utilisation"] == 0.5
        assert table.index[table["binds"]].tolist() == [("fund", "net"), ("desk 1", "gross")]
        assert {name: [b.limit.name for b in broken] for name, broken in fund.breaches().items()} == {
            "fund": ["net"], "desk 1": ["gross"]
        }  # fmt: skip
        assert fund.scale == pytest.approx(0.5)

    def test_a_composition_that_exceeds_its_limit_allows_nothing(self):
        limits = [rm.NameCountLimit(1)]
        fund = fund_of([[1, 1, 0, 0, 0, 0]], rm.RiskBudget(1e6, rm.MONTH, limits=limits))
        assert (fund.scale, fund.binding) == (0.0, ("fund", "number of names"))

    def test_trees_of_trees(self):
        books = [[1, 2, 0, 0, 0, 0], [0, 0, 3, -1, 0, 0], [0, 0, 0, 0, 2, 2]]
        desks = [desk(f"desk {i}", b, rm.RiskBudget(1.0, rm.MONTH)) for i, b in enumerate(books)]
        equity = rm.BudgetNode("equity", rm.RiskBudget(2.0, rm.MONTH), children=desks[:2])
        fund = rm.BudgetNode("fund", rm.RiskBudget(3.0, rm.MONTH), children=[equity, desks[2]])
        assert [node.name for node in fund.walk()] == ["fund", "equity", "desk 0", "desk 1", "desk 2"]
        assert [node.name for node in fund.desks] == ["desk 0", "desk 1", "desk 2"]
        w = np.sum(books, axis=0).astype(float)
        assert float(fund.volatility) == pytest.approx(np.sqrt(w @ SIGMA @ w))
        assert fund.contributions()["contribution"].sum() == pytest.approx(float(fund.volatility))
        assert fund.scaled(2.0).table()["used"].tolist() == pytest.approx((2.0 * fund.table()["used"]).tolist())
        lines = str(fund).splitlines()
        assert len(lines) == 6
        assert [line.split(" volatility")[0].rstrip() for line in lines[1:]] == [
            "fund", "  equity", "    desk 0", "    desk 1", "  desk 2"
        ]  # fmt: skip

    def test_without_budgets_the_table_is_empty(self):
        assert len(fund_of([[1, 0, 0, 0, 0, 0]]).table()) == 0


ONE = desk("one", [1, 0, 0, 0, 0, 0])
FOREIGN = rm.BudgetNode("two", position=rm.Book({"A0": 1.0}).position(a_model(), rm.MONTH))


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: rm.BudgetNode("fund"), rm.InvalidParameterError),
        (lambda: rm.BudgetNode("fund", position=ONE.position, children=[ONE]), rm.InvalidParameterError),
        (lambda: rm.BudgetNode("one", children=[ONE]), rm.DuplicateLabelsError),
        (lambda: rm.BudgetNode("fund", children=[ONE, FOREIGN]), rm.InvalidParameterError),
        (lambda: rm.BudgetNode("fund", 1e6, children=[ONE]), rm.InvalidParameterError),
        (lambda: rm.BudgetNode("fund", children=[ONE.position]), rm.InvalidParameterError),
        (lambda: rm.BudgetNode("", position=ONE.position), rm.InvalidParameterError),
        (ONE.contributions, rm.InvalidParameterError),
        (lambda: ONE.scaled(0.0), rm.InvalidParameterError),
        (lambda: ONE.scale, rm.UnboundedPositionError),
    ],
)
def test_bad_trees(make, error):
    with pytest.raises(error):
        make()


def test_frames_are_the_callers_own():
    fund = fund_of([[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]], rm.RiskBudget(1.0, rm.MONTH))
    table = fund.contributions()
    table.loc[:, :] = 0.0
    assert fund.contributions()["share"].sum() == pytest.approx(1.0)
    pd.testing.assert_frame_equal(fund.table(), fund.table())
