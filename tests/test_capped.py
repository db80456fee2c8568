"""How sure is the hedge that keeps the factor share at a cap."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import panels
import pytest
from attrs import evolve

import riskmodel as rm
from riskmodel.inference.capped import Binding, CappedFigures, read_costs

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.coverage import panel_of

BOOK = {"A0": 0.5, "A1": 0.3, "A2": 0.2}


def made(k=3, cap=0.2, cost=None, covariance=None):
    panel = panels.clean(n=3, k=k)
    model = rm.OLS().fit(panel)
    inference = rm.Inference.of(model, panel, covariance or rm.HC3())
    book = rm.Strategy(BOOK, model)
    return book, inference, CappedFigures(inference._figures(book), cap, read_costs(cost, model.factors), 0.95)


@pytest.mark.parametrize("k", [1, 3, 6])
@pytest.mark.parametrize("costly", [False, True])
def test_the_figures_are_those_of_the_library(k, costly):
    cost = np.linspace(1.0, 3.0, k) if costly else None
    book, inference, _ = made(k, cost=cost)
    table = inference.capped(book, 0.2, cost=cost)
    hedged = rm.HedgedPortfolio.with_factor_share(book, 0.2, cost)
    for name, weight in hedged.hedge_weights.items():
        assert table.loc[f"hedge {name}", "estimate"] == pytest.approx(weight, rel=1e-9)
    assert table.loc["volatility", "estimate"] == pytest.approx(float(hedged.volatility))
    assert table.loc["expected excess return", "estimate"] == pytest.approx(float(hedged.expected_excess_return))
    assert table.loc["sharpe", "estimate"] == pytest.approx(float(hedged.sharpe))


@pytest.mark.parametrize("k", [1, 3])
def test_gradients_by_hand_and_numeric(k):
    _, inference, capped = made(k)
    wanted = {f"hedge F{j}": lambda h, j=j: h.hedge_weights[f"F{j}"] for j in range(k)}
    wanted |= {"volatility": lambda h: h.volatility, "sharpe": lambda h: h.sharpe}
    for figure in capped:
        if figure.name not in wanted:
            continue
        terms = capped.plain.linear_terms([figure])[0]
        expected = math.sqrt(float(rm.HC3().of_sums(terms)[0, 0]))
        got = inference.interval(
            lambda m, name=figure.name: wanted[name](rm.HedgedPortfolio.with_factor_share(rm.Strategy(BOOK, m), 0.2)),
            of=rm.THIS_WINDOW,
        )
        assert got.std_error == pytest.approx(expected, rel=1e-3), figure.name


def test_where_the_cap_does_not_bind():
    book, inference, _ = made(1)
    share = inference.table(book).loc["factor share"]
    free = inference.capped(book, min(0.999, share["high"] + 0.05))
    assert (free.loc["hedge F0", ["estimate", "low", "high"]] == 0.0).all()
    assert free.loc["volatility", "estimate"] == pytest.approx(float(book.volatility))
    for cap in ((share["estimate"] + share["low"]) / 2, (share["estimate"] + share["high"]) / 2):
        perhaps = inference.capped(book, cap).loc["hedge F0"]
        assert min(perhaps["low"], perhaps["high"]) <= 0.0 <= max(perhaps["low"], perhaps["high"])
        # exposure is positive, so no hedge is
        assert perhaps["high"] == 0.0
        assert perhaps["low"] < 0.0
    _, _, capped = made(1, cap=0.01)
    assert capped.binding is Binding.SURELY


def test_it_covers():
    """The hedge of the true parameters is inside as often as 95 % of the time."""
    inside = []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        f = rng.normal(3e-4, 0.01, (252, 2))
        b = np.array([[1.0, 0.4], [0.8, -0.3]])
        model = rm.OLS().fit(panel := panel_of(f @ b.T + rng.normal(0, 0.012, (252, 2)), f))
        truth = evolve(
            model, regression=None, alpha=np.zeros(2), loadings=b, factor_mean=np.full(2, 3e-4),
            factor_covariance=1e-4 * np.eye(2), idio_variance=np.full(2, 1.44e-4),
        )  # fmt: skip
        book = {"A0": 0.5, "A1": 0.5}
        true = rm.HedgedPortfolio.with_factor_share(rm.Strategy(book, truth), 0.2)
        table = rm.Inference.of(model, panel).capped(rm.Strategy(book, model), 0.2)
        wanted = pd.Series(
            {f"hedge {n}": h for n, h in true.hedge_weights.items()}
            | {"volatility": float(true.volatility), "sharpe": float(true.sharpe)}
        )
        rows = table.loc[wanted.index]
        inside.append((rows["low"] <= wanted) & (wanted <= rows["high"]))
    assert pd.DataFrame(inside).mean().between(0.95 - 3 * 0.02, 1.0).all()


def test_what_it_refuses():
    book, inference, _ = made()
    for cap in (0.0, 1.0, 20):
        with pytest.raises(rm.InvalidParameterError):
            inference.capped(book, cap)
    with pytest.raises(rm.InvalidParameterError):
        inference.capped(rm.HedgedPortfolio.neutral(book), 0.2)
    with pytest.raises(rm.InvalidParameterError):
        inference.capped(book, 0.2, cost=[1.0, -1.0, 1.0])
