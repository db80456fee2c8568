"""Hedges estimated with the model, by numeric derivatives: against those by hand, and by each parameter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm

ENDS = ["estimate", "std_error", "low", "high"]
NAMES = list("ABCDEF")
FACTORS = ["Mkt-RF", "SMB"]
TRUE = np.array([[1.0, 0.3], [0.8, -0.2], [1.2, 0.5], [0.9, 0.0], [1.1, 0.6], [0.7, -0.4]])


def market(seed, dates=300, ragged=False):
    rng, days = np.random.default_rng(seed), pd.bdate_range("2015-01-01", periods=dates)
    f = pd.DataFrame(rng.normal(0.0004, 0.01, (dates, 2)), days, FACTORS)
    r = pd.DataFrame(f.to_numpy() @ TRUE.T + rng.normal(0, 0.012, (dates, 6)), days, NAMES)
    if ragged:
        r.iloc[:80, 1] = np.nan
        r.iloc[200:230, 4] = np.nan
    return rm.ReturnPanel.align(r, f, pd.Series(0.0, days), horizon=rm.DAY, return_type=rm.EXCESS)


def inferred(panel):
    model = rm.OLS().fit(panel)
    return model, rm.Inference.of(model, panel)


@pytest.mark.parametrize("ragged", [False, True])
def test_least_variance_has_the_errors_by_hand(ragged):
    model, inference = inferred(market(1, ragged=ragged))
    held = rm.Strategy({"A": 0.6, "B": -0.3, "C": 0.4}, model)
    expected = inference.minimum_variance(held, ["C", "E", "F"])
    got = inference.hedge(held, lambda p: rm.HedgedPortfolio.minimum_variance(p, ["C", "E", "F"]))
    rows = [row for row in expected.index if row != "volatility"]
    np.testing.assert_allclose(got.loc[rows, ENDS], expected.loc[rows, ENDS], rtol=1e-4, atol=1e-9)
    # by hand it is about the variance without the degrees of freedom of the regressions
    assert got.loc["volatility", "std_error"] == pytest.approx(expected.loc["volatility", "std_error"], rel=0.02)
    assert got["of"].equals(expected["of"].reindex(got.index))


@pytest.mark.parametrize("ragged", [False, True])
def test_the_neutral_hedge_in_factors_has_the_errors_of_exposures(ragged):
    model, inference = inferred(market(2, ragged=ragged))
    held = rm.Strategy({"A": 0.6, "B": -0.3, "C": 0.4}, model)
    rows = [f"hedge {name}" for name in FACTORS]
    expected = inference.table(held).loc[rows, ENDS]
    got = inference.hedge(held, rm.HedgedPortfolio.neutral).loc[rows, ENDS]
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_the_capped_hedge_in_factors_has_the_errors_by_hand():
    model, inference = inferred(market(3))
    held = rm.Strategy({"A": 0.6, "B": 0.3, "C": 0.4}, model)
    expected = inference.capped(held, 0.2)
    got = inference.hedge(held, lambda p: rm.HedgedPortfolio.with_factor_share(p, 0.2))
    rows = [f"hedge {name}" for name in FACTORS]
    np.testing.assert_allclose(got.loc[rows, ["estimate"]], expected.loc[rows, ["estimate"]], rtol=1e-9)
    widened = expected.loc[rows, "std_error"] / got.loc[rows, "std_error"]
    # by hand it is widened for skewness, by √2 at most
    assert ((widened > 1.0 - 1e-6) & (widened < 1.42)).all()


@pytest.mark.filterwarnings("ignore::riskmodel.ExposureLeftWarning")
@pytest.mark.parametrize("tools", [["D"], ["A", "E"], ["Mkt-RF", "D", "E"]])
def test_all_assets_have_the_derivatives_of_one(tools):
    """Against a gradient by each parameter of each asset."""
    model, inference = inferred(market(4, ragged=True))
    w = {"A": 0.6, "B": -0.3, "C": 0.4}
    got = inference.neutral(rm.Strategy(w, model), tools)
    for name in tools:
        alone = inference.interval(
            lambda m, name=name: float(rm.HedgedPortfolio.neutral(rm.Strategy(w, m), tools).hedge_weights[name]),
            of=rm.THIS_WINDOW,
        )
        np.testing.assert_allclose(
            got.loc[f"hedge {name}", ENDS].astype(float),
            [alone.estimate, alone.std_error, alone.low, alone.high],
            rtol=1e-6,
            atol=1e-9,
        )


def test_a_capped_hedge_in_instruments():
    model, inference = inferred(market(5))
    held = rm.Strategy({"A": 0.6, "B": 0.3, "C": 0.4}, model)
    got = inference.capped(held, 0.5, instruments=["D", "E"])
    hedged = rm.HedgedPortfolio.with_factor_share(held, 0.5, instruments=["D", "E"])
    np.testing.assert_allclose(got.loc[["hedge D", "hedge E"], "estimate"], hedged.hedge_weights)
    assert got.loc["volatility", "estimate"] == pytest.approx(float(hedged.volatility))
    assert (got.loc[["hedge D", "hedge E"], "std_error"] > 0).all()
    # a cap that surely does not bind leaves no hedge, and no doubt of it
    free = inference.capped(held, 0.99, instruments=["D", "E"])
    assert (free.loc[["hedge D", "hedge E"], ENDS] == 0).all(axis=None)
    # one at the share itself may bind
    share = held.decompose().factor_share
    perhaps = inference.capped(held, share + 1e-3, instruments=["D", "E"])
    assert (perhaps.loc[["hedge D", "hedge E"], "estimate"] == 0).all()
    assert perhaps.loc[["hedge D", "hedge E"], ["low", "high"]].isna().all(axis=None)
    bound = inference.capped(held, share - 1e-3, instruments=["D", "E"])
    assert (bound.loc[["hedge D", "hedge E"], "low"] <= 0).all()
    assert (bound.loc[["hedge D", "hedge E"], "high"] >= 0).all()


def test_a_capped_hedge_in_one_instrument_is_on_one_side_of_zero():
    model, inference = inferred(market(5))
    held = rm.Strategy({"A": 0.6, "B": 0.3, "C": 0.4}, model)
    share = held.decompose().factor_share
    bound = inference.capped(held, share - 1e-3, instruments=["D"]).loc["hedge D"]
    assert bound["low"] < bound["estimate"] < 0.0
    assert bound["high"] == 0.0


@pytest.mark.parametrize(
    "of",
    [
        lambda inference, held: inference.minimum_variance(held, ["A", "B"]),
        lambda inference, held: inference.hedge(held, lambda p: rm.HedgedPortfolio.minimum_variance(p, ["A", "B"])),
        lambda inference, held: inference.table(rm.HedgedPortfolio.minimum_variance(held, ["A", "B"])),
    ],
)
def test_a_hedge_that_leaves_rounding_has_no_risk_and_no_ratio(of):
    model, inference = inferred(market(5))
    table = of(inference, rm.Strategy({"A": 1.0, "B": 0.5}, model))
    assert (table.loc["volatility", ENDS].astype(float) == 0.0).all()
    assert table.loc["sharpe", ENDS].isna().all()


def test_classical_errors_of_hedges_are_not_known():
    model, inference = inferred(market(5))
    classical = rm.Inference.of(model, inference.panel, rm.Classical())
    with pytest.raises(rm.NotEstimatedError, match="a hedge in instruments"):
        classical.neutral(rm.Strategy({"A": 1.0}, model), ["B", "C"])


def test_bad_rules_are_refused():
    model, inference = inferred(market(7))
    held = rm.Strategy({"A": 1.0}, model)
    other = rm.HedgedPortfolio.neutral(rm.Strategy({"B": 1.0}, model))
    for rule in (None, "neutral", lambda p: p, lambda p: 3.0, lambda p: other):
        with pytest.raises(rm.InvalidParameterError) as caught:
            inference.hedge(held, rule)
        assert caught.value.details["parameter"] in {"rule", "the hedge of rule"}
    with pytest.raises(rm.UnknownAssetError):
        inference.neutral(held, ["nobody"])
    with pytest.raises(rm.InvalidParameterError):
        inference.hedge(held, rm.HedgedPortfolio.neutral, level=95)
    foreign = rm.Strategy({"A": 1.0}, rm.OLS().fit(market(8)))
    with pytest.raises(rm.InvalidParameterError):
        inference.neutral(foreign, ["B"])
