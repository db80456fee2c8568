"""Residuals that are linked: D = C C' + diag(s²)."""

import copy
import pickle

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskmodel as rm

N, K, J = 6, 2, 2
ASSETS = list("ABCDEF")


def parts(seed=0):
    rng = np.random.default_rng(seed)
    b, root, c = rng.normal(size=(N, K)), rng.normal(size=(K, K)), 0.02 * rng.normal(size=(N, J))
    return b, 1e-4 * root @ root.T, (c**2).sum(axis=1) + rng.uniform(1e-4, 4e-4, N), c


def linked(seed=0, **changes):
    b, f, d, c = parts(seed)
    return attrs.evolve(rm.FactorCovariance(ASSETS, ["F1", "F2"], b, f, d, rm.DAY, c), **changes)


def dense(seed=0):
    b, f, d, c = parts(seed)
    return b @ f @ b.T + c @ c.T + np.diag(d - (c**2).sum(axis=1))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_every_operation_is_that_of_the_dense_matrix(seed):
    cov, sigma = linked(seed), dense(seed)
    rng = np.random.default_rng(seed)
    w, v = rng.normal(size=N), rng.normal(size=N)
    near = {"rtol": 1e-9, "atol": 1e-14}
    np.testing.assert_allclose(cov.to_dense(), sigma, **near)
    np.testing.assert_allclose(cov @ w, sigma @ w, **near)
    np.testing.assert_allclose(np.column_stack([w, v]).T @ cov, np.column_stack([w, v]).T @ sigma, **near)
    np.testing.assert_allclose(cov.solve(w), np.linalg.solve(sigma, w), rtol=1e-7)
    assert cov.logdet() == pytest.approx(np.linalg.slogdet(sigma)[1], rel=1e-10)
    assert float(cov.variance(w)) == pytest.approx(w @ sigma @ w, rel=1e-10)
    assert float(cov.covariance(w, v)) == pytest.approx(w @ sigma @ v, rel=1e-8, abs=1e-14)
    assert cov.beta(w, v) == pytest.approx(w @ sigma @ v / (v @ sigma @ v), rel=1e-8, abs=1e-12)
    np.testing.assert_allclose(cov.marginal(w), sigma @ w / np.sqrt(w @ sigma @ w), **near)
    np.testing.assert_allclose(cov.diagonal(), np.diag(sigma), **near)
    g, s = cov.square_root()
    np.testing.assert_allclose(g @ g.T + np.diag(s**2), sigma, **near)
    np.testing.assert_allclose(cov.restrict(["D", "A"]).to_dense(), sigma[np.ix_([3, 0], [3, 0])], **near)
    np.testing.assert_allclose(cov.at(rm.YEAR).to_dense(), 252 * sigma, **near)


def test_the_diagonal_of_d_includes_what_links_explain():
    _, _, d, c = parts()
    cov = linked()
    np.testing.assert_allclose(cov.idio_variance, d, rtol=1e-14)
    np.testing.assert_allclose(cov.links, c)
    assert list(cov.links.index) == ASSETS
    np.testing.assert_allclose(cov.at(rm.YEAR).links, c * np.sqrt(252))
    assert cov.n_parameters == N * K + 3 + N + N * J


def test_draws_have_the_covariance():
    draws = linked().sample(200_000, np.random.default_rng(1))
    np.testing.assert_allclose(draws.cov() / np.sqrt(np.outer(*[np.diag(dense())] * 2)), _correlation(), atol=0.012)


def _correlation():
    s = dense()
    return s / np.sqrt(np.outer(np.diag(s), np.diag(s)))


def test_links_that_explain_more_than_the_idio_variance_are_refused():
    b, f, d, c = parts()
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.FactorCovariance(ASSETS, ["F1", "F2"], b, f, np.where(np.arange(N) == 2, d / 100, d), rm.DAY, c)
    assert error.value.details["name"] == "links"
    assert error.value.details["assets"] == ["C"]
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.FactorCovariance(ASSETS, ["F1", "F2"], b, f, d, rm.DAY, c[:-1])
    assert error.value.details["expected"] == (N, J)
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.FactorCovariance(ASSETS, ["F1", "F2"], b, f, d, rm.DAY, pd.DataFrame(c, ASSETS[::-1]))
    assert error.value.details["expected"] == ASSETS


def test_names_that_are_the_same_are_singular_only_together():
    c = np.array([[0.02], [0.02], [0.0]])
    cov = rm.FactorCovariance(["A", "A.B", "C"], ["F"], [[1.0], [1.0], [0.5]], [[1e-4]], [4e-4, 4e-4, 1e-4], rm.DAY, c)
    with pytest.raises(rm.SingularCovarianceError) as error:
        cov.solve([1.0, 0.0, 0.0])
    assert len(error.value.details["assets"]) == 1
    assert error.value.details["assets"][0] in ("A", "A.B")
    assert float(cov.variance([1.0, -1.0, 0.0])) == pytest.approx(0.0, abs=1e-20)
    cov.restrict(["A", "C"]).solve([1.0, 0.0])


def model(seed=0):
    b, f, d, c = parts(seed)
    return rm.FactorModel(
        ASSETS,
        ["F1", "F2"],
        np.zeros(N),
        b,
        np.zeros(K),
        f,
        d,
        0.0,
        rm.DAY,
        [rm.PublishedFactor("F1", funding=rm.SELF_FINANCING), rm.PublishedFactor("F2", funding=rm.SELF_FINANCING)],
        links=c,
    )


def test_a_model_carries_its_links():
    m = model()
    np.testing.assert_allclose(m.links, parts()[3])
    np.testing.assert_allclose(m.restrict(["E", "B"]).links, parts()[3][[4, 1]])
    np.testing.assert_allclose(m.at(rm.YEAR).covariance.to_dense(), 252 * dense())
    for again in (copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        np.testing.assert_array_equal(again.links, m.links)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_portfolios_know_that_residuals_are_linked(seed):
    m, sigma = model(seed), dense(seed)
    _, _, d, c = parts(seed)
    w = pd.Series(np.random.default_rng(seed).normal(size=N), ASSETS)
    s = rm.Strategy(w, m)
    split = s.decompose()
    specific = c @ c.T + np.diag(d - (c**2).sum(axis=1))
    assert float(s.volatility) == pytest.approx(np.sqrt(w @ sigma @ w), rel=1e-9)
    assert float(split.idio_variance) == pytest.approx(w @ specific @ w, rel=1e-9)
    np.testing.assert_allclose(split.by_asset, w * (sigma @ w), rtol=1e-8, atol=1e-14)
    assert float(split.by_factor.sum()) == pytest.approx(float(split.total_variance), rel=1e-9)
    hedged = rm.HedgedPortfolio.minimum_variance(rm.Strategy({"A": 1.0}, m), ["B", "C"])
    expected = -np.linalg.solve(sigma[np.ix_([1, 2], [1, 2])], sigma[[1, 2], 0])
    np.testing.assert_allclose(hedged.hedge_weights[["B", "C"]], expected, rtol=1e-7)


@attrs.frozen
class WithLinks(rm.Estimator):
    """Least squares, with a common link of a tenth of the smallest idio variance."""

    def fit(self, panel):
        fitted = rm.OLS().fit(panel)
        c = np.full((len(fitted.assets), 1), np.sqrt(fitted.idio_variance.min() / 10))
        return attrs.evolve(fitted, links=c)


def test_a_history_keeps_links_of_its_dates():
    panel = rm.SampleData().panel(["KO", "XOM", "JPM"], ["Mkt-RF"], start="2018-01-01")
    history = rm.Rolling(rm.Horizon(60), WithLinks(), every=20).fit(panel)
    assert len(history) > 5
    for date, on in history.items():
        rows = panel.dates[panel.dates <= date][-60:]
        alone = WithLinks().fit(panel.select(start=rows[0], end=rows[-1]))
        np.testing.assert_allclose(on.links, alone.links, rtol=1e-10)
        np.testing.assert_allclose(on.covariance.to_dense(), alone.covariance.to_dense(), rtol=1e-9)
