"""Why risk changed: exact sums, Shapley values by permutations, and a naive variance."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEEDS

import riskmodel as rm

PARTS = ["weights", "entered", "left", "legs", "loadings", "factor volatilities", "factor correlations", "idio"]


def model(rng, names, factors, links=2):
    k, n = len(factors), len(names)
    root = rng.normal(size=(k, k)) * 0.1
    idio = rng.uniform(0.01, 0.05, n)
    shares = rng.dirichlet(np.ones(3), n)[:, :links]
    return rm.FactorModel(
        names, factors, np.zeros(n), rng.normal(1, 0.5, (n, k)), np.zeros(k), root @ root.T, idio, 0.0, rm.YEAR,
        factors, links=np.sqrt(shares * idio[:, None]),
    )  # fmt: skip


def portfolio(rng, m, names):
    strategy = rm.Strategy(pd.Series(rng.normal(size=len(names)), names), m)
    return rm.HedgedPortfolio(strategy, {m.factors[0]: rng.normal()}) if rng.random() < 0.5 else strategy


@st.composite
def pairs(draw):
    """Two portfolios whose models and names differ, also in names that only one of the models has."""
    rng = np.random.default_rng(draw(SEEDS))
    factors = [f"F{i}" for i in range(draw(st.integers(1, 3)))]
    others = factors if draw(st.booleans()) else [*factors[1:], "X"]
    first, second = model(rng, list("ABCDE"), factors), model(rng, list("CDEFG"), others)
    if draw(st.booleans()):
        second = first
    held = [rng.choice(list(m.assets), 3, replace=False) for m in (first, second)]
    return portfolio(rng, first, held[0]), portfolio(rng, second, held[1])


@given(pairs(), st.sampled_from([rm.Shapley(), "order"]))
def test_parts_sum_to_the_change(pair, splitting):
    before, after = pair
    made = rm.RiskChange.of(before, after)
    if splitting == "order":
        order = list(made.parts.index[::-1])
        made = rm.RiskChange.of(before, after, rm.InOrder(order))
    sums = made.parts.sum()
    assert sums["volatility"] == pytest.approx(float(after.volatility) - float(before.volatility), abs=1e-10)
    assert sums["variance"] == pytest.approx(float(after.volatility) ** 2 - float(before.volatility) ** 2, abs=1e-10)
    assert made.change == pytest.approx(sums["volatility"], abs=1e-10)
    frame = made.to_frame()
    np.testing.assert_allclose(frame["volatility"].iloc[[0, -1]], [before.volatility, after.volatility], atol=1e-10)


def naive(before, after, done):
    """The variance where some parts are as after, from dense matrices."""
    p = [after if part in done else before for part in PARTS]
    by_part = dict(zip(PARTS, p, strict=True))
    names = list(dict.fromkeys([*before.weights.index, *after.weights.index]))
    stay = [n for n in names if n in before.weights and n in after.weights]
    w = pd.Series(0.0, names)
    w[stay] = by_part["weights"].weights[stay]
    for name in set(names) - set(stay):
        if name in after.weights and "entered" in done:
            w[name] = after.weights[name]
        if name in before.weights and "left" not in done:
            w[name] = before.weights[name]

    def rows(which, table):
        own, other = (x.model for x in ((after, before) if which is after else (before, after)))
        return [table(own if n in own.assets else other, n) for n in names]

    b = np.array(rows(by_part["loadings"], lambda m, n: m.loadings.loc[n]))
    x = b.T @ w + by_part["legs"].legs.to_numpy()
    f = by_part["factor volatilities"].model.factor_covariance.to_numpy()
    g = by_part["factor correlations"].model.factor_covariance.to_numpy()
    s, r = np.sqrt(np.diag(f)), g / np.sqrt(np.outer(np.diag(g), np.diag(g)))
    m = by_part["idio"].model
    d = np.diag(rows(by_part["idio"], lambda m, n: m.idio_variance[n]))
    c = np.array([m.links.loc[n] if n in m.assets else np.zeros(2) for n in names])
    outside = [n not in m.assets for n in names]
    other = (before if by_part["idio"] is after else after).model
    c2 = np.array([other.links.loc[n] if o else np.zeros(2) for n, o in zip(names, outside, strict=True)])
    d = d - np.diag(np.square(c).sum(axis=1) + np.square(c2).sum(axis=1)) + c @ c.T + c2 @ c2.T
    return float(x @ (np.outer(s, s) * r) @ x + w @ d @ w)


def two():
    rng = np.random.default_rng(3)
    first, second = model(rng, list("ABCDE"), ["M", "S"]), model(rng, list("CDEFG"), ["M", "S"])
    before = rm.HedgedPortfolio(rm.Strategy({"A": 0.5, "C": 0.3, "D": 0.4}, first), {"M": -0.4})
    return before, rm.HedgedPortfolio(rm.Strategy({"C": 0.6, "D": 0.2, "F": 0.7}, second), {"S": 0.2})


def test_an_order_changes_one_part_after_the_other():
    before, after = two()
    order = ["idio", "left", "legs", "factor correlations", "weights", "entered", "factor volatilities", "loadings"]
    got = rm.RiskChange.of(before, after, rm.InOrder(order)).parts
    steps = [naive(before, after, order[:i]) for i in range(9)]
    np.testing.assert_allclose(got.loc[order, "variance"], np.diff(steps))
    np.testing.assert_allclose(got.loc[order, "volatility"], np.diff(np.sqrt(steps)))


def test_shapley_by_permutations():
    rng = np.random.default_rng(0)
    values, names = rng.normal(size=32), list("abcde")
    shares = np.zeros(5)
    for order in itertools.permutations(range(5)):
        done = 0
        for j in order:
            shares[j] += values[done | 1 << j] - values[done]
            done |= 1 << j
    np.testing.assert_allclose(rm.Shapley().split(values, names), shares / math.factorial(5))


def test_shapley_is_the_mean_over_orders_of_the_naive_variance():
    before, after = two()
    # each order is worth eight evaluations: the parts that matter here, in all orders, with the others last
    rng = np.random.default_rng(0)
    got = rm.RiskChange.of(before, after).parts["variance"]
    values = np.array([naive(before, after, [p for j, p in enumerate(PARTS) if m >> j & 1]) for m in range(256)])
    np.testing.assert_allclose(rm.Shapley().split(values, PARTS), got)
    orders = [rm.InOrder(rng.permutation(PARTS).tolist()) for _ in range(5)]
    for order in orders:
        expected = rm.RiskChange.of(before, after, order).parts["variance"]
        np.testing.assert_allclose(order.split(values, PARTS), expected)


def test_what_does_not_change_has_no_part():
    rng = np.random.default_rng(1)
    m = model(rng, list("ABC"), ["M", "S"])
    before, after = rm.Strategy({"A": 1.0, "B": 1.0}, m), rm.Strategy({"A": 1.5, "B": 0.5}, m)
    parts = rm.RiskChange.of(before, after).parts
    assert (parts.drop("weights") == 0).all().all()
    assert parts.loc["weights", "volatility"] == pytest.approx(float(after.volatility) - float(before.volatility))
    # names: what enters and leaves, by weight
    change = rm.RiskChange.of(before, rm.Strategy({"A": 1.0, "C": 0.3, "B": 0.0}, m))
    assert change.names.to_dict("index") == {
        "B": {"before": 1.0, "after": 0.0, "part": "left"},
        "C": {"before": 0.0, "after": 0.3, "part": "entered"},
    }
    assert change.parts.loc["weights", "volatility"] == 0.0


def test_doubled_factor_volatilities():
    rng = np.random.default_rng(2)
    first = model(rng, list("AB"), ["M", "S"])
    scaled = rm.FactorModel.from_parameters(
        assets=first.assets, factors=first.factors, alpha=[0, 0], loadings=first.loadings,
        factor_covariance=4 * first.factor_covariance, factor_mean=[0, 0], idio_variance=first.idio_variance,
        horizon=rm.YEAR,
    )  # fmt: skip
    plain = rm.FactorModel.from_parameters(
        assets=first.assets, factors=first.factors, alpha=[0, 0], loadings=first.loadings,
        factor_covariance=first.factor_covariance, factor_mean=[0, 0], idio_variance=first.idio_variance,
        horizon=rm.YEAR,
    )  # fmt: skip
    before, after = (rm.Strategy({"A": 1.0, "B": 0.5}, m) for m in (plain, scaled))
    parts = rm.RiskChange.of(before, after).parts["variance"]
    assert parts["factor volatilities"] == pytest.approx(3 * before.decompose().factor_variance)
    assert parts.drop("factor volatilities").abs().max() < 1e-12


def test_models_with_other_factors_change_them_together():
    rng = np.random.default_rng(4)
    before = rm.Strategy({"A": 1.0, "B": 0.5}, model(rng, list("AB"), ["M", "S"]))
    after = rm.Strategy({"A": 1.0, "C": 0.5}, model(rng, list("AC"), ["M", "V", "Q"]))
    change = rm.RiskChange.of(before, after)
    assert list(change.parts.index) == ["weights", "entered", "left", "legs", "factors", "idio"]
    assert change.parts["volatility"].sum() == pytest.approx(float(change.change), abs=1e-12)


def test_two_dates_of_a_history():
    panel = rm.SampleData().panel(["MSFT", "JPM", "KO"], ["Mkt-RF", rm.Spread("XOM", "PG")], start="2006-01-01")
    history = rm.Rolling(rm.YEAR, every=rm.YEAR).fit(panel)
    before, after = (rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, history.asof(d)) for d in ("2007-12-31", "2008-12-31"))
    change = rm.RiskChange.of(before, after)
    assert (change.parts.loc[["weights", "entered", "left", "legs"]] == 0).all().all()
    assert change.parts.loc["factor volatilities", "volatility"] > 0
    assert change.names.empty
    assert "0 names entered" in repr(change)


def test_bad_arguments_are_refused():
    before, after = two()
    with pytest.raises(rm.InvalidParameterError) as caught:
        rm.RiskChange.of(before, after, rm.InOrder(["weights", "idio"]))
    assert caught.value.details["expected"] == PARTS
    with pytest.raises(rm.DuplicateLabelsError):
        rm.InOrder(["weights", "weights"])
    with pytest.raises(rm.InvalidParameterError):
        rm.RiskChange.of(before, after, "shapley")
    with pytest.raises(rm.HorizonMismatchError):
        rm.RiskChange.of(before, rm.Strategy({"C": 1.0}, after.model.at(rm.MONTH)))
