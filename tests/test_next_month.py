"""The range of next month's volatility."""

import numpy as np
import panels
import pytest

import riskmodel as rm
from riskmodel.inference.next_month import next_month


def garch(t, seed):
    rng = np.random.default_rng(seed)
    h, x = 1.0, np.zeros(t)
    for s in range(t):
        x[s] = np.sqrt(h) * rng.standard_normal()
        h = 0.02 + 0.08 * x[s] ** 2 + 0.90 * h
    return 0.01 * x


@pytest.mark.parametrize("level", [0.7, 0.95])
def test_months_to_come_are_in_the_range_as_often_as_it_says(level):
    inside = []
    for seed in range(200):
        x = garch(1_800, seed)
        past, month = x[:-21], x[-21:]
        found = next_month(past, rm.DAY, level)
        inside.append(found.low <= np.sqrt((month**2).mean()) <= found.high)
    assert np.mean(inside) == pytest.approx(level, abs=3 * np.sqrt(level * (1 - level) / 200))


def test_of_a_portfolio():
    panel = panels.clean(n=3, t=1_300)
    model = rm.OLS().fit(panel)
    book = rm.Strategy({"A0": 1.0, "A1": -1.0}, model)
    inference = rm.Inference.of(model, panel)
    got = inference.next_month(book)
    assert got.of is rm.NEXT_MONTH
    assert got.estimate == pytest.approx(float(np.sqrt((book.excess_returns(panel)[-252:] ** 2).mean())))
    window = inference.table(book).loc["volatility"]
    assert got.low < window["low"]
    assert got.high > window["high"]
    yearly = inference.next_month(rm.Strategy(book.weights, model.at(rm.YEAR)))
    assert yearly.high == pytest.approx(got.high * np.sqrt(252))
    hedged = inference.next_month(rm.HedgedPortfolio.neutral(book))
    assert hedged.high < got.high


@pytest.mark.parametrize(("t", "level", "horizon"), [(600, 0.95, rm.DAY), (2_000, 0.999, rm.DAY), (900, 0.9, rm.WEEK)])
def test_refuses_too_few_months(t, level, horizon):
    x = np.random.default_rng(0).standard_normal(t) * 0.01
    with pytest.raises(rm.NotEstimatedError) as error:
        next_month(x, horizon, level)
    assert error.value.details["level"] == level
