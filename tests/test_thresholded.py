"""POET: thresholded residual correlations against the dense formula, and links that are low rank plus diagonal."""

import attrs
import numpy as np
import pandas as pd
import pytest
from panels import clean, panel_of, ragged

import riskmodel as rm
from riskmodel.testing.estimators import EstimatorContract

SLOW = rm.SampleVariance()


def near(got, expected, rtol=1e-9, atol=0.0):
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rtol, atol=atol)


def poet(constant=0.5, inner=SLOW):
    return rm.Assembled(rm.TimeSeries(rm.OLS()), rm.SampleCovariance(), rm.Thresholded(inner, constant))


class TestThresholded(EstimatorContract):
    separable = False

    def estimator(self):
        return poet(inner=rm.ShrunkVariance(SLOW, 0.0))

    def panel(self):
        return rm.SampleData().panel(["KO", "PEP", "XOM", "CVX"], ["Mkt-RF"], start="2018-06-15")


def twins(seed=0, t=300):
    """Pairs and a triple of assets whose residuals are correlated, among others."""
    rng = np.random.default_rng(seed)
    f = rng.normal(0, 0.01, (t, 1))
    r = f + rng.normal(0, 0.01, (t, 12))
    for group in ([0, 1], [4, 7], [2, 3, 9]):
        r[:, group] += rng.normal(0, 0.02, (t, 1))
    return panel_of(r, f)


def by_hand(residuals, constant):
    """The paper's soft threshold, pair by pair."""
    t, n = residuals.shape
    e = residuals - residuals.mean()
    rate = 1 / np.sqrt(n) + np.sqrt(np.log(n) / t)
    result = pd.DataFrame(0.0, e.columns, e.columns)
    for i in e:
        for j in e:
            s = (e[i] * e[j]).mean()
            theta = ((e[i] * e[j] - s) ** 2).mean()
            shrunk = s if i == j else np.sign(s) * max(abs(s) - constant * rate * np.sqrt(theta), 0.0)
            result.loc[i, j] = shrunk * t / (t - 1)
    return result


@pytest.mark.parametrize("constant", [0.3, 0.5, 1.0])
def test_it_is_the_papers_threshold(constant):
    panel = twins()
    model = poet(constant).fit(panel)
    plain = rm.OLS().fit(panel)
    left = model.covariance.to_dense() - plain.loadings @ plain.factor_covariance @ plain.loadings.T
    expected = by_hand(rm.TimeSeries(rm.OLS()).fit(panel).residuals, constant)
    near(left, expected, rtol=1e-8, atol=1e-15)
    near(model.idio_variance, plain.idio_variance)


def test_groups_have_one_link_less_than_assets():
    model = poet(1.0).fit(twins())
    members = [tuple(np.flatnonzero(c)) for c in model.links.to_numpy().T]
    assert sorted(members) == [(0, 1), (2, 3, 9), (2, 3, 9), (4, 7)]
    assert np.linalg.eigvalsh(model.covariance.to_dense())[0] > 0
    pair = {"A0": 1.0, "A1": -1.0}
    volatility = float(model.covariance.volatility(pair))
    assert volatility < 0.8 * float(rm.OLS().fit(twins()).covariance.volatility(pair))


def test_a_large_constant_links_nothing():
    model = poet(100.0).fit(twins())
    assert model.links.shape == (12, 0)
    near(model.covariance.to_dense(), rm.OLS().fit(twins()).covariance.to_dense())


def test_with_components_its_minimum_variance_is_lower_in_truth():
    rng = np.random.default_rng(0)
    n, t = 60, 250
    b = rng.normal(1, 0.5, (n, 2))
    idio = np.kron(np.eye(n // 3), 0.6 * np.ones((3, 3)) + 0.4 * np.eye(3))
    true = b @ b.T + idio
    x = rng.normal(size=(t, 2)) @ b.T + rng.normal(size=(t, n)) @ np.linalg.cholesky(idio).T
    panel = panel_of(0.01 * x, 0.01 * x[:, :1]).select(factors=[])
    loadings = rm.PrincipalComponents(2, scaling=rm.Unscaled())

    def variance(idio_variance):
        model = rm.Assembled(loadings, rm.SampleCovariance(), idio_variance).fit(panel)
        w = np.linalg.solve(model.covariance.to_dense().to_numpy(), np.ones(n))
        return float(w @ true @ w / w.sum() ** 2)

    assert variance(rm.Thresholded(SLOW, 0.5)) < 0.97 * variance(SLOW)


def test_missing_residuals_count_pair_by_pair():
    panel = ragged(seed=3).select([f"A{i}" for i in range(1, 16)])
    fitted = rm.TimeSeries(rm.OLS()).fit(panel)
    links = rm.Thresholded(SLOW, 0.5).fit(fitted.residuals, fitted).links
    assert np.isfinite(links).all(axis=None)


def test_links_keep_their_correlations_where_variances_change():
    panel = twins()
    plain, inside = poet(1.0).fit(panel), rm.Thresholded(SLOW, 1.0)

    def correlations(model):
        links = model.links.to_numpy() / np.sqrt(model.idio_variance.to_numpy())[:, None]
        return links @ links.T

    for outer in (rm.ShrunkVariance(inside, 0.5), rm.RegimeAdjustedVariance(inside, rm.MONTH)):
        model = attrs.evolve(poet(), idio_variance=outer).fit(panel)
        assert not np.allclose(model.idio_variance, plain.idio_variance)
        near(correlations(model), correlations(plain), atol=1e-12)


def test_a_mixture_mixes_links():
    panel = twins()
    parts = [rm.Thresholded(SLOW, 0.5), rm.Thresholded(SLOW, 1.0), SLOW]
    weights = [0.5, 0.2, 0.3]
    mixed = attrs.evolve(poet(), idio_variance=rm.MixtureVariance(parts, weights)).fit(panel).covariance.to_dense()
    each = [attrs.evolve(poet(), idio_variance=p).fit(panel).covariance.to_dense() for p in parts]
    near(mixed, sum(w * c for w, c in zip(weights, each, strict=True)))


def test_short_histories_outside_of_links_have_none():
    panel = twins()
    returns = panel.excess_returns.to_numpy(copy=True)
    returns[:-20, 5] = np.nan
    part = rm.ShortHistoryVariance(rm.Thresholded(SLOW, 1.0), 60)
    model = attrs.evolve(poet(), idio_variance=part).fit(attrs.evolve(panel, excess_returns=returns))
    assert (model.links.loc["A5"] == 0).all()
    assert model.links.shape[1] == 4


def test_scales_and_order_do_not_matter():
    panel = twins()
    r, f, _ = panel.arrays()
    model = poet().fit(panel)
    scaled = poet().fit(attrs.evolve(panel, excess_returns=7 * r, factor_returns=7 * f))
    near(scaled.covariance.to_dense(), 49 * model.covariance.to_dense(), rtol=1e-7)
    turned = poet().fit(panel.select(list(panel.assets[::-1]))).restrict(list(panel.assets))
    near(turned.covariance.to_dense(), model.covariance.to_dense(), rtol=1e-7)


def test_what_cannot_be_thresholded_is_an_error():
    fitted = rm.TimeSeries(rm.OLS()).fit(twins())
    with pytest.raises(rm.InvalidParameterError):
        rm.Thresholded(rm.Thresholded(SLOW, 1.0), 1.0).fit(fitted.residuals, fitted)
    rng = np.random.default_rng(0)
    holes = pd.DataFrame(rng.normal(size=(60, 3)).cumsum(axis=0), fitted.dates[:60], ["A0", "A1", "A2"])
    holes.iloc[:20, 0] = holes.iloc[20:40, 1] = holes.iloc[40:, 2] = np.nan
    with pytest.raises(rm.EstimationError) as error:
        rm.Thresholded(SLOW, 1e-6).fit(holes, fitted)
    assert error.value.details["eigenvalue"] < 0


@pytest.mark.parametrize("make", [lambda: rm.Thresholded(SLOW, 0.0), lambda: rm.Thresholded(rm.SampleCovariance())])
def test_wrong_parameters_are_errors(make):
    with pytest.raises(rm.InvalidParameterError):
        make()


def test_links_of_idio_risk_are_checked():
    risk = rm.IdioRisk(["A", "B"], [4.0, 1.0], rm.DAY, links=[[1.0], [0.5]])
    near(risk.with_variance([1.0, 4.0]).links[0], [0.5, 1.0])
    for links in ([[3.0], [0.5]], [[1.0]], [1.0, 0.5], [[np.nan], [0.5]]):
        with pytest.raises(rm.InvalidParameterError):
            rm.IdioRisk(["A", "B"], [4.0, 1.0], rm.DAY, links=links)
    assert rm.OLS().fit(clean()).links.shape[1] == 0
