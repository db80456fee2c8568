"""Σ = G G' + diag(s)² for any covariance, and the messages that name it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.linalg import aslinearoperator

import riskmodel as rm

ROUNDING = 1e-12


@st.composite
def covariances(draw):
    """Hostile ones: singular F, links, zero idio variances, factors of very different size, restricted to some."""
    n, k, j = draw(st.integers(1, 9)), draw(st.integers(0, 4)), draw(st.integers(0, 2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rank = draw(st.integers(0, k))
    root = rng.normal(size=(k, rank)) * 10.0 ** draw(st.integers(-6, 3))
    links = rng.normal(size=(n, j)) * (rng.random((n, j)) < 0.5)
    own = rng.uniform(0.1, 1.0, n) * (rng.random(n) < draw(st.sampled_from([0.0, 0.5, 1.0])))
    scale = 10.0 ** draw(st.integers(-8, 2))
    cov = rm.FactorCovariance(
        [f"A{i}" for i in range(n)],
        [f"F{i}" for i in range(k)],
        rng.normal(size=(n, k)),
        root @ root.T,
        scale * (own + (links**2).sum(axis=1)),
        rm.DAY,
        np.sqrt(scale) * links,
    )
    return cov.restrict(list(rng.permutation(cov.assets)[: draw(st.integers(1, n))]))


def dense(cov):
    """By the definition, B F B' + C C' + what remains of the diagonal."""
    b, f, c = (part.to_numpy() for part in (cov.loadings, cov.factor_covariance, cov.links))
    d = cov.idio_variance.to_numpy()
    return b @ f @ b.T + c @ c.T + np.diag(d - (c**2).sum(axis=1))


@given(covariances())
def test_the_square_root_is_one(cov):
    g, s = cov.square_root()
    expected = dense(cov)
    # relative to the terms of each sum, as F may cancel in it
    b = np.abs(cov.loadings.to_numpy())
    terms = b @ np.abs(cov.factor_covariance.to_numpy()) @ b.T + np.diag(cov.idio_variance) + np.abs(expected)
    got = g.to_numpy() @ g.to_numpy().T + np.diag(s.to_numpy() ** 2)
    assert (np.abs(got - expected) <= ROUNDING * terms).all()
    assert g.shape[1] <= len(cov.factors) + cov.links.shape[1]
    assert list(g.index) == list(s.index) == list(cov.assets)


@given(covariances())
def test_as_an_operator_it_is_its_own_adjoint(cov):
    operator, n = aslinearoperator(cov), len(cov.assets)
    eye = np.eye(n)
    scale = np.abs(dense(cov)).max() + np.finfo(float).tiny
    np.testing.assert_allclose(operator @ eye, dense(cov), atol=1e-11 * scale, rtol=1e-10)
    np.testing.assert_allclose(operator.H @ eye, operator @ eye, atol=1e-12 * scale)
    np.testing.assert_array_equal(operator.matvec(eye[:, :1]), operator @ eye[:, :1])


COV = rm.FactorCovariance(["A", "B"], ["Mkt"], [[1.0], [0.5]], [[0.04]], [0.01, 0.02], rm.YEAR)


def test_what_a_program_of_cvxpy_is_told():
    cp = pytest.importorskip("cvxpy")
    w = cp.Variable(2)
    for attempt in (
        lambda: COV @ w,
        lambda: w @ COV,
        lambda: cp.quad_form(w, COV),
        lambda: cp.Constant(COV),
        lambda: COV.variance(w),
        lambda: COV.solve(w),
    ):
        with pytest.raises(rm.InvalidParameterError, match="square_root") as error:
            attempt()
        assert error.value.details["expected"] in {"numbers", "operation"}
