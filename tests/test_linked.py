"""Residuals of like names, linked."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskmodel as rm

N = 12


def fitted(seed=0, twins=((1, 2, 0.95), (5, 6, 0.7)), t=400, gaps=False):
    """Loadings on a market whose residuals are independent, but for twins with a given correlation."""
    rng = np.random.default_rng(seed)
    e = rng.normal(size=(t, N))
    for i, j, rho in twins:
        e[:, j] = rho * e[:, i] + np.sqrt(1 - rho**2) * e[:, j]
    market = rng.normal(0, 0.01, t)
    r = 0.01 * e * rng.uniform(0.5, 2.0, N) + market[:, None] * rng.uniform(0.5, 1.5, N)
    if gaps:
        r[: t // 2, 1] = np.nan
        r[rng.random(t) < 0.3, 6] = np.nan
    dates = pd.bdate_range("2015-01-01", periods=t)
    data = rm.InMemory(
        pd.DataFrame(r, dates, [f"A{i}" for i in range(N)]),
        factors=pd.DataFrame({"Mkt-RF": market}, dates), risk_free=0.0, horizon=rm.DAY,
    )  # fmt: skip
    panel = data.panel(list(data.assets), ["Mkt-RF"])
    return panel, rm.TimeSeries(rm.OLS()).fit(panel)


def shares(risk):
    """Correlations with the links, shape (N, J)."""
    return risk.links.to_numpy() / np.sqrt(risk.variance.to_numpy())[:, None]


def groups(risk):
    links = risk.links
    return [list(links.index[links[c] != 0]) for c in links]


@pytest.mark.parametrize("gaps", [False, True])
def test_twins_are_linked_with_their_correlation(gaps):
    _, loadings = fitted(gaps=gaps)
    risk = rm.Linked(rm.SampleVariance(), 0.5).fit(loadings.residuals, loadings)
    assert groups(risk) == [["A1", "A2"], ["A5", "A6"]]
    c = shares(risk)
    correlation = loadings.residuals.corr().to_numpy()
    assert (c @ c.T)[1, 2] == pytest.approx(correlation[1, 2], abs=0.01)
    assert (c @ c.T)[5, 6] == pytest.approx(correlation[5, 6], abs=0.01)
    sample = rm.SampleVariance().fit(loadings.residuals, loadings)
    np.testing.assert_array_equal(risk.variance, sample.variance)


def test_the_optimiser_finds_no_false_arbitrage():
    panel, _ = fitted()
    parts = rm.TimeSeries(rm.OLS()), rm.SampleCovariance()
    alone = rm.Assembled(*parts, rm.SampleVariance()).fit(panel)
    linked = rm.Assembled(*parts, rm.Linked(rm.SampleVariance())).fit(panel)
    twins = ["A1", "A2"]
    realised = panel.excess_returns[twins].cov().to_numpy()
    # a portfolio that is long one twin and short the other, hedged against the market
    w = np.linalg.solve(linked.covariance.restrict(twins).to_dense(), [1.0, 0.0])
    right, wrong = (m.covariance.restrict(twins).to_dense().to_numpy() for m in (linked, alone))
    assert w @ right @ w == pytest.approx(w @ realised @ w, rel=0.05)
    assert w @ wrong @ w > 3 * (w @ realised @ w)
    np.testing.assert_allclose(linked.idio_variance, alone.idio_variance)


def test_a_group_of_three_has_one_factor_and_a_chain_has_two_groups():
    rng = np.random.default_rng(3)
    _, loadings = fitted(twins=(), t=2000)
    e = loadings.residuals.copy()
    shared = rng.normal(size=2000)
    for name, share in zip(("A0", "A4", "A9"), (0.9, 0.8, 0.85), strict=True):
        e[name] = e[name].std() * (share * shared + np.sqrt(1 - share**2) * rng.normal(size=2000))
    risk = rm.Linked(rm.SampleVariance()).fit(e, loadings)
    assert groups(risk) == [["A0", "A4", "A9"]]
    np.testing.assert_allclose(np.abs(shares(risk)[[0, 4, 9], 0]), [0.9, 0.8, 0.85], atol=0.03)
    # A0 - A4 - A9 with 0.7, 0.7 and 0.49: not all pairs reach the threshold
    e["A4"] = e["A4"].std() * shared
    for name in ("A0", "A9"):
        e[name] = e[name].std() * (0.7 * shared + np.sqrt(1 - 0.49) * rng.normal(size=2000))
    assert sorted(len(g) for g in groups(rm.Linked(rm.SampleVariance(), 0.6).fit(e, loadings))) == [2]


def test_inverse_names_are_linked_with_opposite_signs():
    _, loadings = fitted(twins=((3, 4, -0.9),))
    risk = rm.Linked(rm.SampleVariance()).fit(loadings.residuals, loadings)
    assert groups(risk) == [["A3", "A4"]]
    assert shares(risk)[[3, 4], 0].prod() == pytest.approx(-0.9, abs=0.03)


def test_names_that_were_the_same_may_part_or_are_singular_together():
    panel, _ = fitted(twins=((1, 2, 1.0),))
    frame = panel.excess_returns
    frame["A2"] = frame["A1"]
    data = rm.InMemory(frame, factors=panel.factor_returns, risk_free=0.0, horizon=rm.DAY)
    same = data.panel(list(frame), ["Mkt-RF"])
    parts = rm.TimeSeries(rm.OLS()), rm.SampleCovariance()
    parted = rm.Assembled(*parts, rm.Linked(rm.SampleVariance())).fit(same).covariance
    difference = float(parted.variance({"A1": 1.0, "A2": -1.0}))
    assert difference == pytest.approx(2 * 0.01 * parted.idio_variance["A1"], rel=1e-6)
    parted.solve(np.ones(N))
    covariance = rm.Assembled(*parts, rm.Linked(rm.SampleVariance(), most=1.0)).fit(same).covariance
    assert float(covariance.volatility({"A1": 1.0, "A2": -1.0})) < 1e-8
    with pytest.raises(rm.SingularCovarianceError) as error:
        covariance.solve(np.ones(N))
    assert set(error.value.details["assets"]) <= {"A1", "A2"}
    covariance.restrict([a for a in frame if a != "A2"]).solve(np.ones(N - 1))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_correlations_that_rounding_takes_beyond_one_are_one(sign):
    loadings = fitted(twins=(), t=150)[1]
    for seed in range(20):
        residuals = loadings.residuals + np.random.default_rng(seed).normal(0, 0.01, (150, N))
        # three of them, so that they are a cluster
        residuals["A1"], residuals["A2"] = residuals["A0"] * 1.1, sign * residuals["A0"] / 3
        risk = rm.Linked(rm.SampleVariance(), most=1.0).fit(residuals, loadings)
        assert groups(risk) == [["A0", "A1", "A2"]]
        np.testing.assert_allclose(np.abs(shares(risk)[:3, 0]), 1.0, rtol=1e-7)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_independent_names_are_not_linked(seed):
    _, loadings = fitted(seed, twins=(), t=40)
    assert groups(rm.Linked(rm.SampleVariance(), 0.3).fit(loadings.residuals, loadings)) in ([], [[]])


def test_one_day_links_no_two_names():
    _, loadings = fitted(twins=())
    e = loadings.residuals.copy()
    e.loc[e.index[100], ["A3", "A8"]] = [0.8, 0.9]
    assert e.corr().loc["A3", "A8"] > 0.5
    assert rm.Linked(rm.SampleVariance()).fit(e, loadings).links.shape[1] == 0


def test_few_common_dates_link_no_two_names():
    _, loadings = fitted()
    e = loadings.residuals.copy()
    e.loc[e.index[19:], "A2"] = np.nan
    assert groups(rm.Linked(rm.SampleVariance()).fit(e, loadings)) == [["A5", "A6"]]


def test_links_do_not_depend_on_the_order_and_survive_wrappers():
    _, loadings = fitted()
    one = rm.Linked(rm.SampleVariance()).fit(loadings.residuals, loadings)
    turned = rm.Linked(rm.SampleVariance()).fit(loadings.residuals[list(loadings.assets[::-1])], loadings)
    c, d = one.links.to_numpy(), turned.links.loc[one.assets].to_numpy()
    np.testing.assert_allclose(c @ c.T, d @ d.T, atol=1e-12)
    for wrap in (lambda e: rm.ShrunkVariance(e, 0.5), lambda e: rm.MixtureVariance([e, e], [0.3, 0.7])):
        wrapped = shares(wrap(rm.Linked(rm.SampleVariance())).fit(loadings.residuals, loadings))
        np.testing.assert_allclose(wrapped @ wrapped.T, shares(one) @ shares(one).T, atol=1e-12)
    again = shares(rm.Linked(rm.Linked(rm.SampleVariance())).fit(loadings.residuals, loadings))
    assert (again**2).sum(axis=1).max() <= 1.0


def test_stages_say_what_was_linked():
    panel, _ = fitted()
    estimator = rm.Assembled(rm.TimeSeries(rm.OLS()), rm.SampleCovariance(), rm.Linked(rm.SampleVariance()))
    stages = estimator.stages(panel)
    linked = stages[stages["part"] == "links"]
    assert list(linked["label"]) == [("A1", 0), ("A2", 0), ("A5", 1), ("A6", 1)]
    assert (linked["stage"] == "Linked").all()
    assert (linked["after"] > 0.8).all()


def test_blocks_of_correlations_are_those_of_the_whole(monkeypatch):
    _, loadings = fitted(gaps=True)
    whole = rm.Linked(rm.SampleVariance()).fit(loadings.residuals, loadings)
    monkeypatch.setattr("riskmodel.estimation.idio_variance.linked._BLOCK", 3)
    parts = rm.Linked(rm.SampleVariance()).fit(loadings.residuals, loadings)
    np.testing.assert_array_equal(parts.links, whole.links)
