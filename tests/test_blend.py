"""Blends of models, recent volatilities, and second-order risk."""

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskmodel as rm

SPEEDS = (None, rm.Horizon(60), rm.Horizon(20))


def returns(seed=0, t=150, n=12, gaps=False):
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.01, (t, 3)) * np.exp(np.sin(np.arange(t) / 20))[:, None]
    values = common @ rng.normal(0.5, 0.5, (3, n)) + rng.normal(0, 0.01, (t, n)) * rng.uniform(0.5, 2, n)
    if gaps:
        values[: t // 2, 0] = np.nan
    return pd.DataFrame(values, pd.bdate_range("2020-01-01", periods=t), [f"A{i}" for i in range(n)])


def panel_of(frame, factors):
    data = rm.InMemory(frame, factors=factors, risk_free=0.0, horizon=rm.DAY)
    return data.panel(list(frame.columns), [] if factors is None else list(factors.columns))


def panel(seed=0, factors=False, **options):
    frame = returns(seed, **options)
    return panel_of(frame, pd.DataFrame({"F": frame.mean(axis=1)}) if factors else None)


def components(half_life=None, number=2):
    return rm.Assembled(
        rm.PrincipalComponents(number, half_life), rm.EWMACovariance(rm.QUARTER, rm.YEAR), rm.SampleVariance()
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 4))
def test_the_covariance_of_a_blend_is_the_mean_of_covariances(seed, number):
    data, weights = panel(seed), [0.5, 0.3, 0.2]
    members = [components(h, number) for h in SPEEDS]
    blended = rm.Blend(members, weights).fit(data)
    expected = sum(w * m.fit(data).covariance.to_dense() for w, m in zip(weights, members, strict=True))
    np.testing.assert_allclose(blended.covariance.to_dense(), expected, rtol=1e-9, atol=1e-16)
    assert list(blended.factors) == list(members[0].fit(data).factors)


def test_factors_of_a_blend_are_the_portfolios_of_the_first_estimator():
    data = panel()
    members = [components(h) for h in SPEEDS]
    blended = rm.Blend(members, [0.5, 0.3, 0.2]).fit(data)
    for k, factor in enumerate(blended.definitions):
        held = factor.weights.reindex(blended.assets, fill_value=0.0)
        np.testing.assert_allclose(blended.loadings.T @ held, np.eye(2)[k], atol=1e-9)
        np.testing.assert_allclose(blended.links.T @ held, 0.0, atol=1e-12)
    neutral = rm.HedgedPortfolio.neutral(rm.Strategy({"A0": 1.0}, blended))
    np.testing.assert_allclose(neutral.exposures, 0.0, atol=1e-9)


def test_observed_factors_keep_the_mean_of_their_covariances_with_the_assets():
    data = panel(factors=True)
    one, other = rm.OLS().fit(data), rm.EWMA(rm.Horizon(30)).fit(data)
    blended = rm.Blend([rm.OLS(), rm.EWMA(rm.Horizon(30))], [0.7, 0.3]).fit(data)
    np.testing.assert_allclose(blended.factor_covariance, 0.7 * one.factor_covariance + 0.3 * other.factor_covariance)
    shared = 0.7 * one.loadings @ one.factor_covariance + 0.3 * other.loadings @ other.factor_covariance
    np.testing.assert_allclose(blended.loadings @ blended.factor_covariance, shared)
    expected = 0.7 * one.expected_returns.sum(axis=1) + 0.3 * other.expected_returns.sum(axis=1)
    np.testing.assert_allclose(blended.expected_returns.sum(axis=1), expected, atol=1e-15)
    assert blended.links.shape[1] == 1


def test_a_blend_of_one_estimator_is_that_estimator():
    data = panel(factors=True)
    blended, alone = rm.Blend([rm.OLS(), rm.OLS()], [0.4, 0.6]).fit(data), rm.OLS().fit(data)
    np.testing.assert_allclose(blended.loadings, alone.loadings)
    np.testing.assert_allclose(blended.alpha, alone.alpha)
    np.testing.assert_allclose(blended.idio_variance, alone.idio_variance)
    assert np.abs(blended.links.to_numpy()).max(initial=0.0) < 1e-9


def test_blends_that_cannot_be_made_are_refused():
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.Blend([rm.OLS(), rm.EWMA(rm.MONTH)], [0.5, 0.6])
    assert error.value.details["parameter"] == "weights"
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.Blend([rm.OLS(), rm.EWMA(rm.MONTH)], [1.0])
    assert error.value.details["expected"] == 2
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.Blend([rm.OLS(), "OLS"], [0.5, 0.5])
    assert error.value.details["parameter"] == "estimators"
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.Blend([rm.OLS(), components()], [0.5, 0.5]).fit(panel(factors=True))
    assert error.value.details["factor"] == "F"


def test_recent_volatility_moves_an_asset_that_became_wild():
    frame = returns(t=300)
    frame.iloc[-20:, 3] *= 4.0
    data = panel_of(frame, None)
    before, after = components().fit(data), rm.RecentVolatility(components(), rm.Horizon(20), 0.5).fit(data)
    u = np.sqrt(after.covariance.diagonal() / before.covariance.diagonal())
    assert u.idxmax() == "A3"
    assert 1.2 < u["A3"] <= 2.0
    scaled = before.covariance.to_dense() * np.outer(u, u)
    np.testing.assert_allclose(after.covariance.to_dense(), scaled, rtol=1e-9)
    np.testing.assert_allclose(after.expected_returns.sum(axis=1), before.expected_returns.sum(axis=1), atol=1e-15)


def test_recent_volatility_of_intensity_zero_changes_nothing():
    data = panel(gaps=True)
    before, after = components().fit(data), rm.RecentVolatility(components(), intensity=0.0).fit(data)
    np.testing.assert_array_equal(after.covariance.to_dense(), before.covariance.to_dense())


def test_recent_volatility_keeps_an_asset_that_does_not_move():
    frame = returns()
    frame["A5"] = 0.0
    data = panel_of(frame, pd.DataFrame({"F": frame.mean(axis=1)}))
    after = rm.RecentVolatility(rm.OLS(), intensity=1.0).fit(data)
    assert float(after.covariance.diagonal()["A5"]) == 0.0
    assert np.isfinite(after.covariance.to_dense()).all(axis=None)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 5.0))
def test_second_order_risk_raises_the_minimum_variance_alone(seed, multiple):
    data = panel(seed)
    n, t = len(data.assets), len(data.dates)
    before = components().fit(data).covariance
    after = rm.SecondOrderAdjusted(components(), multiple=multiple).fit(data).covariance
    g, again = before.solve(np.ones(n)), after.solve(np.ones(n))
    np.testing.assert_allclose(again / again.sum(), g / g.sum(), rtol=1e-7, atol=1e-10)
    g /= g.sum()
    assert float(after.variance(g)) == pytest.approx(float(before.variance(g)) * (1 + multiple * n / t), rel=1e-9)
    neutral = np.random.default_rng(seed).normal(size=n)
    neutral -= neutral.mean()
    assert float(after.variance(neutral)) == pytest.approx(float(before.variance(neutral)), rel=1e-9)


@pytest.mark.parametrize("estimator", [rm.SecondOrderAdjusted(rm.OLS()), rm.recommended()])
@pytest.mark.parametrize("still", [0.0, 0.001])
def test_an_asset_without_risk_is_named_and_left_out(estimator, still):
    frame = returns(t=200)
    factors = pd.DataFrame({"F": frame.mean(axis=1)})
    frame["A5"] = still
    data = panel_of(frame, factors)
    with pytest.raises(rm.EstimationError) as error:
        estimator.fit(data)
    assert error.value.details["assets"] == ["A5"]
    model = estimator.fit_available(data)
    assert model.missing["asset"].tolist() == ["A5"]
    rest = estimator.fit(data.select([a for a in frame if a != "A5"])).covariance.to_dense()
    pd.testing.assert_frame_equal(model.covariance.to_dense(), rest)
    history = rm.Rolling(rm.Horizon(150), estimator, every=50).fit(data)
    assert set(history.missing["asset"]) == {"A5"}


def test_an_asset_that_repeats_another_has_little_risk_against_it():
    frame = returns(t=200)
    frame["A7"] = frame["A2"]
    covariance = rm.recommended().fit(panel_of(frame, None)).covariance
    assert 0 < float(covariance.volatility({"A2": 1.0, "A7": -1.0})) < 0.2 * float(covariance.volatility({"A2": 1.0}))


def test_second_order_risk_leaves_a_book_that_is_hedged_with_an_index():
    frame = returns()
    data = rm.InMemory(
        frame, factors=pd.DataFrame({"Mkt-RF": frame.mean(axis=1)}), risk_free=0.0, horizon=rm.DAY
    ).panel(list(frame), ["Mkt-RF"])
    before, after = rm.OLS().fit(data), rm.SecondOrderAdjusted(rm.OLS()).fit(data)
    equal = dict.fromkeys(frame, 1 / 12)  # its beta to their mean is 1
    hedged = [rm.HedgedPortfolio.neutral(rm.Strategy(equal, m)).volatility for m in (before, after)]
    assert float(hedged[1]) == pytest.approx(float(hedged[0]), rel=1e-9)
    g = before.covariance.solve(np.ones(12))
    raised = float(after.covariance.variance(g / g.sum()) / before.covariance.variance(g / g.sum()))
    assert 1.0 < raised <= 1 + 2 * 12 / 150 + 1e-9


def test_second_order_risk_counts_effective_dates():
    data = panel()
    speeds = rm.HalfLives([None, rm.Horizon(30)], [0.5, 0.5])
    w = 0.5 ** (np.arange(150) / 30)
    inverse = 0.5 / 150 + 0.5 * (w @ w) / w.sum() ** 2
    assert speeds.inverse_number(150, rm.DAY) == pytest.approx(inverse, rel=1e-12)
    before = components().fit(data).covariance.solve(np.ones(12)).sum()
    after = rm.SecondOrderAdjusted(components(), speeds).fit(data).covariance.solve(np.ones(12)).sum()
    assert before / after == pytest.approx(1 + 2 * 12 * inverse, rel=1e-9)


def test_the_realised_risk_of_minimum_variance_is_what_second_order_risk_says():
    # sample covariance of 40 assets from 160 dates: the realised variance is 1 / (1 - N/T)² times the estimate
    rng = np.random.default_rng(5)
    truth = np.diag(np.linspace(0.5, 2.0, 40)) * 1e-4
    ratios = []
    for _ in range(200):
        s = np.cov(rng.multivariate_normal(np.zeros(40), truth, 160).T)
        g = np.linalg.solve(s, np.ones(40))
        ratios.append((g @ truth @ g) / (g @ s @ g))
    assert np.mean(ratios) == pytest.approx(1 / (1 - 40 / 160) ** 2, rel=0.05)
    assert np.mean(ratios) > 1 + 2 * 40 / 160  # the first order is a lower bound


@pytest.mark.parametrize("wrap", [rm.RecentVolatility, rm.SecondOrderAdjusted, lambda e: rm.Blend([e, e], [0.5, 0.5])])
def test_wrappers_of_models_have_no_look_ahead_and_roll(wrap):
    data, estimator = panel(t=120), wrap(components())
    history = rm.Rolling(rm.Horizon(80), estimator, every=20).fit(data)
    changed = returns(t=120)
    changed.iloc[-15:] += 0.05
    again = rm.Rolling(rm.Horizon(80), estimator, every=20).fit(panel_of(changed, None))
    for date in history.dates[history.dates < changed.index[-15]]:
        np.testing.assert_array_equal(history.on(date).covariance.to_dense(), again.on(date).covariance.to_dense())


def test_priors_of_the_members_are_those_of_a_blend():
    data = panel(factors=True)

    @attrs.frozen
    class Prior(rm.Estimator):
        def fit(self, p):
            return attrs.evolve(rm.OLS().fit(p), priors=["A3"])

    assert list(rm.Blend([rm.OLS(), Prior()], [0.5, 0.5]).fit(data).prior[lambda s: s].index) == ["A3"]
