"""Volatilities that rise and fall together, and components found on calm and wild dates alike."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskmodel as rm

LEVELS = rm.HalfLives([rm.Horizon(4), rm.Horizon(32), None], [0.5, 0.3, 0.2])


def made(seed=0, t=200, n=9, k=3):
    """Returns whose volatility has two regimes, with the factors that drive them."""
    rng = np.random.default_rng(seed)
    wild = np.where(np.arange(t) // 50 % 2, 3.0, 1.0)[:, None]
    f = pd.DataFrame(0.01 * wild * rng.normal(size=(t, k)), pd.bdate_range("2020-01-01", periods=t), list("XYZ")[:k])
    f.iloc[:, 0] *= 2.0  # the market
    own = 0.01 * wild * rng.normal(size=(t, n)) * rng.uniform(0.5, 2.0, n)
    r = pd.DataFrame(f.to_numpy() @ rng.normal(0.7, 0.4, (k, n)) + own, f.index, [f"A{i}" for i in range(n)])
    return r, f


def fitted(seed=0, gap=False):
    r, f = made(seed)
    if gap:
        r.iloc[:60, 2] = np.nan
    data = rm.InMemory(r, factors=f, risk_free=0.0, horizon=rm.DAY)
    return rm.TimeSeries(rm.OLS()).fit(data.panel(list(r), list(f)))


def naive_variances(x, market, half_life, follow, smoothing):
    """The definition in the docstring of PooledVolatility, by loops."""
    t, n = x.shape
    s2 = [np.nanmean(x[:, i] ** 2) for i in range(n)]
    pool = [np.nanmean([x[u, i] ** 2 / s2[i] for i in range(n)]) for u in range(t)]
    level = []
    for u in range(t):
        w = np.array([0.5 ** ((u - v) / smoothing) for v in range(u + 1)])
        level.append(w @ pool[: u + 1] / w.sum())
    w = np.array([0.5 ** ((t - 1 - u) / half_life) for u in range(t)])
    mixture = np.zeros(t)
    for h, share in zip((4, 32, None), LEVELS.weights, strict=True):
        part = np.ones(t) if h is None else np.array([0.5 ** ((t - 1 - u) / h) for u in range(t)])
        mixture += share * part / part.sum()
    now = (1 - follow) * mixture @ pool + follow * (mixture @ market**2) / np.mean(market**2)
    reference = w @ (np.array(pool) / level) / w.sum()
    result = []
    for i in range(n):
        known = ~np.isnan(x[:, i])
        own = w[known] @ (x[known, i] ** 2 / np.array(level)[known]) / w[known].sum()
        result.append(own / reference * now)
    return np.array(result)


def test_an_asset_that_does_not_vary_has_no_variance_but_for_rounding():
    r, f = made()
    r["A3"] = 0.001
    data = rm.InMemory(r, factors=f, risk_free=0.0, horizon=rm.DAY)
    loadings = rm.TimeSeries(rm.OLS()).fit(data.panel(list(r), list(f)))
    assert rm.PooledVariance().fit(loadings.residuals, loadings).variance["A3"] == 0.0


@pytest.mark.parametrize("gap", [False, True])
def test_pooled_variances_are_their_definition(gap):
    loadings = fitted(gap=gap)
    pooled = rm.PooledVolatility(rm.Horizon(40), LEVELS, 0.3, rm.Horizon(10))
    risk = rm.PooledVariance(pooled).fit(loadings.residuals, loadings)
    x, market = loadings.residuals.to_numpy(), loadings.factor_returns["X"].to_numpy()
    np.testing.assert_allclose(risk.variance, naive_variances(x, market, 40, 0.3, 10), rtol=1e-10)


def test_pooled_factor_covariance_is_its_definition():
    _, f = made()
    pooled = rm.PooledVolatility(rm.Horizon(40), LEVELS, 0.3, rm.Horizon(10))
    covariance = rm.PooledCovariance(pooled, rm.Horizon(100)).fit(f, rm.DAY)
    x = f.to_numpy()
    others = naive_variances(x[:, 1:], x[:, 0], 40, 0.3, 10)
    np.testing.assert_allclose(np.diag(covariance)[1:], others, rtol=1e-10)
    assert covariance.iloc[0, 0] == pytest.approx(LEVELS.dates(len(x), rm.DAY) @ x[:, 0] ** 2, rel=1e-12)
    scaled = x / np.sqrt(pooled.level(x[:, 1:], rm.DAY))[:, None]
    second = (scaled * 0.5 ** (np.arange(len(x))[::-1] / 100)[:, None]).T @ scaled
    d = np.sqrt(np.diag(second))
    np.testing.assert_allclose(covariance / np.sqrt(np.outer(*[np.diag(covariance)] * 2)), second / np.outer(d, d))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 500), st.floats(1e-6, 1e6))
def test_pooled_figures_scale_and_do_not_depend_on_the_order(seed, unit):
    _, f = made(seed)
    one = rm.PooledCovariance().fit(f, rm.DAY)
    np.testing.assert_allclose(rm.PooledCovariance().fit(f * unit, rm.DAY), one * unit**2, rtol=1e-9)
    turned = rm.PooledCovariance().fit(f[["X", "Z", "Y"]], rm.DAY)
    np.testing.assert_allclose(turned.loc[f.columns, f.columns], one, rtol=1e-9, atol=1e-18)


def test_pooling_finds_the_level_of_late():
    # the last 50 dates are wild: nine times the variance of the calm
    loadings = fitted()
    truth = np.var(loadings.residuals.iloc[-50:].to_numpy(), axis=0)
    pooled = rm.PooledVariance().fit(loadings.residuals, loadings).variance
    sample = rm.SampleVariance().fit(loadings.residuals, loadings).variance
    assert np.abs(np.log(pooled / truth)).mean() < 0.5 * np.abs(np.log(sample / truth)).mean()


@pytest.mark.parametrize("k", [0, 1])
def test_few_factors_are_pooled_too(k):
    _, f = made()
    covariance = rm.PooledCovariance().fit(f.iloc[:, :k], rm.DAY)
    assert covariance.shape == (k, k)
    assert (np.diag(covariance) > 0).all()


def test_factors_and_residuals_that_do_not_move_have_no_variance():
    _, f = made()
    f["Y"] = 0.0
    covariance = rm.PooledCovariance().fit(f, rm.DAY)
    assert covariance.loc["Y"].abs().max() == 0.0
    assert covariance.loc["X", "X"] > 0
    market_only = rm.PooledCovariance().fit(f * [1.0, 0.0, 0.0], rm.DAY)
    np.testing.assert_array_equal(market_only.iloc[1:, 1:], np.zeros((2, 2)))


def test_assets_without_residuals_are_named():
    loadings = fitted()
    residuals = loadings.residuals
    residuals["A4"] = np.nan
    with pytest.raises(rm.TooFewObservationsError) as error:
        rm.PooledVariance().fit(residuals, loadings)
    assert error.value.details["assets"] == ["A4"]


def test_mixtures_are_checked():
    for half_lives, weights, parameter in [
        ([rm.DAY], [0.5], "weights"), ([rm.DAY, None], [1.0], "weights"), ([4], [1.0], "half_lives"),
        ([], [], "half_lives"), ([rm.DAY, None], [1.5, -0.5], "weights"), ([None], ["1"], "weights"),
    ]:  # fmt: skip
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.HalfLives(half_lives, weights)
        assert error.value.details["parameter"] == parameter
    assert rm.HalfLives([None], [1.0]).dates(4, rm.DAY).tolist() == [0.25] * 4


@pytest.mark.parametrize("largest", [None, 1.5])
def test_components_of_dates_weighted_by_their_level_are_weighted_least_squares(largest):
    r, _ = made()
    data = rm.InMemory(r, factors=None, risk_free=0.0, horizon=rm.DAY).panel(list(r), [])
    found = rm.PrincipalComponents(2, level_half_life=rm.Horizon(21), largest=largest).fit(data)
    # weights: the inverse of the smoothed mean square of returns over their volatility
    z = (r - r.mean()) / r.std(ddof=0)
    pool = (z**2).mean(axis=1)
    w = 1.0 / pool.ewm(halflife=21).mean().to_numpy()
    np.testing.assert_allclose(found.weights / found.weights.sum(), w / w.sum(), rtol=1e-9)
    scale = np.sqrt(w @ (r - w @ r / w.sum()) ** 2 / w.sum())
    scaled = ((r - w @ r / w.sum()) / scale).to_numpy()
    if largest is not None:
        level = pd.Series((scaled**2).mean(axis=1)).ewm(halflife=21).mean().to_numpy()
        scaled = np.clip(scaled, -largest * np.sqrt(level)[:, None], largest * np.sqrt(level)[:, None])
    values, vectors = np.linalg.eigh((scaled * w[:, None]).T @ scaled)
    expected = vectors[:, ::-1][:, :2] / scale.to_numpy()[:, None]
    for k, factor in enumerate(found.definitions):
        held = factor.weights.reindex(r.columns, fill_value=0.0)
        assert abs(np.corrcoef(held, expected[:, k])[0, 1]) == pytest.approx(1.0, abs=1e-9)
    assert (np.diff(values) > 0).all()
    f = np.column_stack([np.ones(len(r)), found.factor_returns])
    beta = np.linalg.solve((f * w[:, None]).T @ f, (f * w[:, None]).T @ r.to_numpy())
    np.testing.assert_allclose(found.loadings, beta[1:].T, rtol=1e-8)
    np.testing.assert_allclose(found.alpha, beta[0], atol=1e-12)


def test_the_largest_scaled_return_is_positive():
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.PrincipalComponents(1, largest=0.0)
    assert error.value.details["parameter"] == "largest"


@pytest.mark.parametrize(("assets", "number"), [(1, 1), (2, 1), (7, 2), (12, 4), (30, 10), (5000, 10)])
def test_few_assets_have_few_components(assets, number):
    assert rm.AtMost(10).known(assets) == number


@pytest.mark.parametrize("gap", [False, True])
def test_components_of_a_number_by_assets_are_those_of_that_number(gap):
    r, _ = made()
    if gap:
        r.iloc[:50, 1] = np.nan
    data = rm.InMemory(r, factors=None, risk_free=0.0, horizon=rm.DAY).panel(list(r), [])
    one, other = rm.PrincipalComponents(rm.AtMost(10)).fit(data), rm.PrincipalComponents(3).fit(data)
    np.testing.assert_array_equal(one.loadings, other.loadings)


def test_the_share_of_total_variance_is_shrunk():
    loadings = fitted()
    sample = rm.SampleVariance().fit(loadings.residuals, loadings).variance
    shrunk = rm.ShrunkVariance(rm.SampleVariance(), 0.3, unit=rm.TotalVariance()).fit(loadings.residuals, loadings)
    f = loadings.factor_returns.to_numpy()
    b = loadings.loadings.to_numpy()
    total = np.diag(b @ np.cov(f.T, ddof=0) @ b.T) + (loadings.residuals**2).mean()
    logs = np.log(sample / total)
    np.testing.assert_allclose(np.log(shrunk.variance / total), 0.7 * logs + 0.3 * logs.mean(), rtol=1e-9)


def test_recommended_gives_a_model_of_a_ragged_panel_and_says_what_leans_on_a_prior():
    r, _ = made(t=300, n=20)
    r.iloc[:270, 4] = np.nan
    data = rm.InMemory(r, factors=None, risk_free=0.0, horizon=rm.DAY).panel(list(r), [])
    model = rm.recommended().fit(data)
    assert list(model.prior[model.prior].index) == ["A4"]
    assert len(model.factors) == 6
    assert np.linalg.eigvalsh(model.covariance.to_dense()).min() > 0
    strategy = rm.Strategy({"A0": 1.0}, model)
    neutral = rm.HedgedPortfolio.neutral(strategy)
    assert float(neutral.decompose().factor_variance) == pytest.approx(0.0, abs=1e-15)


def test_recommended_takes_observed_factors():
    r, f = made(t=300, n=20)
    data = rm.InMemory(r, factors=f, risk_free=0.0, horizon=rm.DAY).panel(list(r), list(f))
    model = rm.recommended(observed=rm.TimeSeries(rm.OLS())).fit(data)
    assert list(model.factors[:3]) == ["X", "Y", "Z"]
    assert len(model.factors) == 9


def test_recommended_refuses_rows_that_were_not_measured():
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.recommended(rm.MONTH)
    assert error.value.details["parameter"] == "horizon"
