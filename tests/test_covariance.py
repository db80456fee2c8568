"""The low-rank plus diagonal operator against the dense matrix, and in exact arithmetic where that is no judge."""

from __future__ import annotations

import math
import pickle
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import strategies as our
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import linalg as sparse

import riskmodel as rm


def covariance(loadings, factor_covariance, idio, horizon=rm.MONTH):
    b = np.atleast_2d(np.asarray(loadings, dtype=float))
    return rm.FactorCovariance(our.assets(len(b)), our.factors(b.shape[1]), b, factor_covariance, idio, horizon)


def some_loadings(n, k, seed=0):
    return np.random.default_rng(seed).normal(0.8, 0.6, (n, k))


def some_factors(k, rank=None, seed=1):
    root = np.random.default_rng(seed).normal(0, 0.2, (k, k if rank is None else rank))
    return root @ root.T


def some_idio(n, seed=2):
    return np.random.default_rng(seed).uniform(0.01, 0.05, n)


def with_zeros(idio, *at):
    idio[list(at)] = 0.0
    return idio


def scaled_factors():
    scales = np.array([1e-8, 1e-3, 1.0, 1e8])
    return covariance(some_loadings(7, 4) / scales, some_factors(4) * np.outer(scales, scales), some_idio(7))


def index_and_stocks():
    b = some_loadings(6, 2)
    b[3] = [1.0, 0.0]
    return covariance(b, some_factors(2), with_zeros(some_idio(6), 3))


def duplicates():
    b = some_loadings(6, 2)
    b[1] = b[0]
    b[4] = -2 * b[0]
    return covariance(b, some_factors(2), some_idio(6))


def small_idio_under_collinear_factors(*zeros):
    b = some_loadings(8, 3)
    b[:, 1] = b[:, 0] * (1 + 1e-9 * np.arange(8))
    return covariance(b, some_factors(3), with_zeros(np.geomspace(1e-11, 1e-4, 8), *zeros))


CASES = {
    "full rank": lambda: covariance(some_loadings(8, 3), some_factors(3), some_idio(8)),
    "singular F": lambda: covariance(some_loadings(8, 4), some_factors(4, rank=2), some_idio(8)),
    "zero F": lambda: covariance(some_loadings(5, 2), np.zeros((2, 2)), some_idio(5)),
    "one factor without variance": lambda: covariance(some_loadings(5, 2), np.diag([0.04, 0.0]), some_idio(5)),
    "no factors": lambda: covariance(np.zeros((5, 0)), np.zeros((0, 0)), some_idio(5)),
    "more factors than assets": lambda: covariance(some_loadings(3, 6), some_factors(6), some_idio(3)),
    "more factors than assets, no idio": lambda: covariance(some_loadings(3, 6), some_factors(6), np.zeros(3)),
    "one asset": lambda: covariance(some_loadings(1, 2), some_factors(2), some_idio(1)),
    "one asset, no idio": lambda: covariance(some_loadings(1, 1), some_factors(1), [0.0]),
    "an index equal to a factor": index_and_stocks,
    "as many without idio as the rank": lambda: covariance(
        some_loadings(7, 3), some_factors(3), with_zeros(some_idio(7), 0, 2, 6)
    ),
    "as many without idio as a singular rank": lambda: covariance(
        some_loadings(7, 4), some_factors(4, rank=2), with_zeros(some_idio(7), 1, 5)
    ),
    "one tiny idio": lambda: covariance(some_loadings(6, 2), some_factors(2), [*some_idio(5), 1e-30]),
    "two tiny idio": lambda: covariance(some_loadings(6, 2), some_factors(2), [*some_idio(4), 1e-30, 1e-30]),
    "more small idio than the rank": lambda: covariance(
        some_loadings(9, 2), some_factors(2), [*some_idio(5), 1e-10, 5e-11, 2e-11, 1e-11]
    ),
    "all idio small": lambda: covariance(some_loadings(8, 2), some_factors(2), np.full(8, 1e-12)),
    "idio of all sizes": lambda: covariance(some_loadings(8, 2), some_factors(2), 10.0 ** np.arange(-14, 2, 2)),
    "a basis of eigenvectors": small_idio_under_collinear_factors,
    "a basis of eigenvectors, and zeros": lambda: small_idio_under_collinear_factors(0, 3),
    "tiny idio without exposure": lambda: covariance(
        np.vstack([np.zeros(2), some_loadings(4, 2)]), some_factors(2), [1e-30, *some_idio(4)]
    ),
    "badly scaled factors": scaled_factors,
    "badly scaled assets": lambda: covariance(
        some_loadings(5, 2) * np.array([[1e-6], [1e-3], [1.0], [1e3], [1e6]]), some_factors(2),
        some_idio(5) * np.array([1e-12, 1e-6, 1.0, 1e6, 1e12]),
    ),
    "duplicate loadings": duplicates,
    "factors correlated to 1e-9": lambda: covariance(
        some_loadings(6, 2), [[0.04, 0.04 * (1 - 1e-9)], [0.04 * (1 - 1e-9), 0.04]], some_idio(6)
    ),
}  # fmt: skip


@pytest.fixture(params=CASES)
def cov(request):
    return CASES[request.param]()


def parts(cov):
    return cov.loadings.to_numpy(), cov.factor_covariance.to_numpy(), cov.idio_variance.to_numpy()


def dense(cov):
    b, f, d = parts(cov)
    return b @ f @ b.T + np.diag(d)


def bound(cov, w):
    """What rounding is measured by: the sum of the sizes of all terms of Σ w."""
    b, f, d = map(np.abs, parts(cov))
    return b @ (f @ (b.T @ np.abs(w))) + (d * np.abs(w).T).T


def some_weights(cov, *columns, seed=3):
    return np.random.default_rng(seed).standard_normal((len(cov.assets), *columns))


class TestAgainstTheDenseMatrix:
    def test_to_dense(self, cov):
        got = cov.to_dense()
        assert list(got.index) == list(got.columns) == list(cov.assets)
        assert np.array_equal(got, got.T)
        assert (np.abs(got - dense(cov)) <= 1e-12 * bound(cov, np.eye(len(got)))).all(axis=None)

    def test_times_a_vector(self, cov):
        w = some_weights(cov)
        assert (np.abs(cov @ w - dense(cov) @ w) <= 1e-12 * bound(cov, w)).all()

    def test_times_a_matrix(self, cov):
        w = some_weights(cov, 3)
        got = cov @ w
        assert got.shape == w.shape
        assert (np.abs(got - dense(cov) @ w) <= 1e-12 * bound(cov, w)).all()

    def test_from_the_left(self, cov):
        w = some_weights(cov)
        assert (np.abs(w @ cov - w @ dense(cov)) <= 1e-12 * bound(cov, w)).all()
        rows = some_weights(cov, 3).T
        assert (np.abs(rows @ cov - rows @ dense(cov)) <= 1e-12 * bound(cov, rows.T).T).all()

    def test_times_a_series_in_another_order(self, cov):
        w = pd.Series(some_weights(cov), cov.assets, name="mine")
        got = cov @ w.iloc[::-1]
        assert isinstance(got, pd.Series)
        assert list(got.index) == list(cov.assets)
        assert got.name == "mine"
        assert np.array_equal(got, cov @ w.to_numpy())

    def test_times_a_frame(self, cov):
        w = pd.DataFrame(some_weights(cov, 2), cov.assets, ["x", "y"])
        got = cov @ w
        assert list(got.columns) == ["x", "y"]
        assert np.array_equal(got, cov @ w.to_numpy())

    def test_variance_and_volatility(self, cov):
        w = some_weights(cov)
        expected = w @ dense(cov) @ w
        assert abs(cov.variance(w) - expected) <= 1e-12 * (np.abs(w) @ bound(cov, w))
        assert cov.volatility(w) == math.sqrt(cov.variance(w))
        assert cov.variance(w).horizon == cov.volatility(w).horizon == cov.horizon

    def test_covariance_and_beta(self, cov):
        w, v = some_weights(cov), some_weights(cov, seed=4)
        scale = np.abs(w) @ bound(cov, v)
        assert abs(cov.covariance(w, v) - w @ dense(cov) @ v) <= 1e-12 * scale
        assert abs(cov.covariance(v, w) - w @ dense(cov) @ v) <= 1e-12 * scale
        assert cov.beta(w, v) == pytest.approx(
            w @ dense(cov) @ v / (v @ dense(cov) @ v), abs=1e-12 * scale / cov.variance(v)
        )
        assert cov.beta(v, v) == pytest.approx(1.0, abs=1e-12)

    def test_marginal(self, cov):
        w = some_weights(cov)
        expected = dense(cov) @ w / math.sqrt(w @ dense(cov) @ w)
        assert (np.abs(cov.marginal(w) - expected) <= 1e-11 * bound(cov, w) / cov.volatility(w)).all()
        assert w @ cov.marginal(w) == pytest.approx(cov.volatility(w), rel=1e-12)

    def test_diagonal(self, cov):
        assert cov.diagonal().to_numpy() == pytest.approx(np.diag(dense(cov)), rel=1e-12)
        assert list(cov.diagonal().index) == list(cov.assets)

    def test_solve_is_backward_stable(self, cov):
        for b in (
            some_weights(cov),
            dense(cov) @ some_weights(cov),
            cov.loadings.to_numpy() @ np.ones(len(cov.factors)),
        ):
            x = cov.solve(b)
            residual = np.linalg.norm(dense(cov) @ x - b)
            assert residual <= 1e-13 * np.linalg.norm(dense(cov), 2) * np.linalg.norm(x)

    def test_solve_where_the_matrix_is_well_conditioned(self, cov):
        if np.linalg.cond(dense(cov)) < 1e5:
            b = some_weights(cov)
            assert cov.solve(b) == pytest.approx(np.linalg.solve(dense(cov), b), rel=1e-10)

    def test_solve_for_matrix_series_and_frame(self, cov):
        b = some_weights(cov, 3)
        x = cov.solve(b)
        assert x.shape == b.shape
        for j in range(3):
            alone = cov.solve(b[:, j])
            assert np.linalg.norm(x[:, j] - alone) <= 1e-10 * np.linalg.norm(alone)
        series = cov.solve(pd.Series(b[:, 0], cov.assets).iloc[::-1])
        assert np.array_equal(series, cov.solve(b[:, 0]))
        frame = cov.solve(pd.DataFrame(b, cov.assets, list("xyz")))
        assert np.array_equal(frame, x)
        assert list(frame.columns) == list("xyz")

    def test_solve_in_exact_arithmetic(self, cov):
        b = some_weights(cov)
        exact, _ = exactly(cov, b)
        # no more is lost than the conditioning of the matrix loses, and a good deal less where it is bad
        lost = min(1e-14 * np.linalg.cond(dense(cov)) + 1e-13, 1e-3)
        assert np.linalg.norm(cov.solve(b) - exact) <= lost * np.linalg.norm(exact)

    def test_logdet_in_exact_arithmetic(self, cov):
        _, logdet = exactly(cov, some_weights(cov))
        assert cov.logdet() == pytest.approx(logdet, abs=1e-6)
        if np.linalg.cond(dense(cov)) < 1e8:
            assert cov.logdet() == pytest.approx(np.linalg.slogdet(dense(cov))[1], rel=1e-10, abs=1e-10)

    def test_sample_moments(self, cov):
        n = 40_000
        draws = cov.sample(n, np.random.default_rng(5))
        assert list(draws.columns) == list(cov.assets)
        sigma, x = dense(cov), draws.to_numpy()
        variances = np.diag(sigma)
        spread = np.sqrt((np.outer(variances, variances) + sigma**2) / n)
        assert (np.abs(x.mean(axis=0)) <= 5 * np.sqrt(variances / n)).all()
        assert (np.abs(x.T @ x / n - sigma) <= 5 * spread).all()

    def test_square_root(self, cov):
        g, s = cov.square_root()
        assert list(g.index) == list(s.index) == list(cov.assets)
        assert g.shape[1] <= len(cov.factors)
        assert (np.abs(g @ g.T + np.diag(s**2) - dense(cov)) <= 1e-12 * bound(cov, np.eye(len(s)))).all(axis=None)

    def test_as_an_operator_of_scipy(self, cov):
        operator = sparse.aslinearoperator(cov)
        w, many = some_weights(cov), some_weights(cov, 3)
        assert operator.shape == cov.shape
        assert operator.dtype == np.float64
        assert np.array_equal(operator @ w, cov @ w)
        assert np.array_equal(operator.rmatvec(w), cov @ w)
        assert (np.abs(operator @ many - cov.matmat(many)) <= 1e-12 * bound(cov, many)).all()

    def test_restrict(self, cov):
        chosen = list(cov.assets[::-2])
        got = cov.restrict(chosen)
        assert list(got.assets) == chosen
        assert got.horizon == cov.horizon
        expected = cov.to_dense().loc[chosen, chosen]
        scale = bound(got, np.eye(len(chosen)))
        assert (np.abs(got.to_dense() - expected) <= 1e-12 * scale).all(axis=None)

    def test_at_another_horizon(self, cov):
        w = some_weights(cov)
        yearly = cov.at(rm.YEAR)
        assert yearly.horizon == rm.YEAR
        assert yearly.variance(w) == pytest.approx(12 * float(cov.variance(w)), rel=1e-12)
        assert yearly.at(rm.MONTH).variance(w) == pytest.approx(float(cov.variance(w)), rel=1e-12)
        assert yearly.loadings.equals(cov.loadings)

    def test_a_solved_right_hand_side_of_zeros_is_zero(self, cov):
        assert not cov.solve(np.zeros(len(cov.assets))).any()

    def test_parameters_are_counted(self, cov):
        n, k = cov.loadings.shape
        assert cov.n_parameters == n * k + k * (k + 1) / 2 + n
        assert cov.n_parameters_unrestricted == len(np.triu_indices(n)[0])
        assert cov.shape == (n, n)


def exactly(cov, b):
    """Σ⁻¹ b and log det Σ by elimination in fractions."""
    load, f, d = ([[Fraction(float(x)) for x in row] for row in np.atleast_2d(p)] for p in parts(cov))
    n, k = cov.loadings.shape
    half = [[sum((load[i][a] * f[a][c] for a in range(k)), Fraction(0)) for c in range(k)] for i in range(n)]
    rows = [
        [sum((half[i][a] * load[j][a] for a in range(k)), d[0][i] * (i == j)) for j in range(n)]
        + [Fraction(float(b[i]))]
        for i in range(n)
    ]
    determinant = Fraction(1)
    for i in range(n):
        determinant *= rows[i][i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for j in range(n):
            if j != i and rows[j][i]:
                rows[j] = [x - rows[j][i] * y for x, y in zip(rows[j], rows[i], strict=True)]
    logdet = math.log(determinant.numerator) - math.log(determinant.denominator)
    return np.array([float(row[-1]) for row in rows]), logdet


def factor_variances(b, f):
    return np.einsum("nk,nk->n", b @ f, b)


@pytest.mark.parametrize("small", [1e-9, 1e-10, 1e-11, 2e-12])
@pytest.mark.parametrize("thin", [1, 2, 3, 5])
def test_more_small_idio_than_the_factors_tell_apart_cost_no_digits(small, thin):
    b, f, right = some_loadings(7, 2), some_factors(2), np.arange(1.0, 8.0)
    cov = covariance(b, f, np.where(np.arange(7) < thin, small * factor_variances(b, f), some_idio(7)))
    assert cov.idio_variance.gt(0).all()
    exact, _ = exactly(cov, right)
    np.testing.assert_allclose(cov.solve(right), exact, rtol=1e-8 if small > 1e-11 else 1e-5)


class TestIdioVariancesThatAreNone:
    """Below 1e-12 of the asset's factor variance, an idio variance is zero, wherever it is read."""

    @pytest.mark.parametrize("share", [0.99e-12, 1e-13, 1e-20, 1e-150])
    def test_are_zero(self, share):
        b, f = some_loadings(7, 2), some_factors(2)
        idio = np.where(np.arange(7) == 3, share, 1.01e-12) * factor_variances(b, f)
        cov = covariance(b, f, idio)
        assert list(cov.idio_variance == 0) == [i == 3 for i in range(7)]
        assert np.array_equal(np.delete(cov.idio_variance, 3), np.delete(idio, 3))
        assert cov.diagonal().to_numpy() == pytest.approx(factor_variances(b, f) + idio, rel=1e-12)

    def test_are_judged_by_the_variance_of_the_assets_own_exposures(self):
        hedged = covariance([[1.0, -1.0], [1.0, 1.0]], np.ones((2, 2)), [1e-14, 1e-14])
        assert list(hedged.idio_variance == 0) == [False, True]

    def test_do_not_depend_on_the_scale_of_factors_or_returns(self):
        b, f, d = some_loadings(6, 2), some_factors(2), np.geomspace(1e-17, 1e-7, 6)
        scales = np.array([1e-8, 1e8])
        zero = covariance(b, f, d).idio_variance == 0
        assert 0 < zero.sum() < 6
        assert zero.equals(covariance(b / scales, f * np.outer(scales, scales), d).idio_variance == 0)
        assert zero.equals(covariance(b, f * 1e-20, d * 1e-20).idio_variance == 0)

    def test_without_factor_variance_are_only_those_without_a_reciprocal(self):
        cov = covariance(np.zeros((4, 2)), some_factors(2), [1e-310, 5e-324, 1e-299, 1e-30])
        assert list(cov.idio_variance == 0) == [True, True, False, False]

    def test_stay_zero_in_parts_at_other_horizons_and_when_pickled(self):
        cov = covariance(some_loadings(4, 2), some_factors(2), [1e-30, *some_idio(3)])
        for other in (cov, cov.restrict(["A2", "A0"]), cov.at(rm.YEAR), pickle.loads(pickle.dumps(cov))):
            assert other.idio_variance["A0"] == 0
            assert not other.idio_variance.to_numpy().flags.writeable

    def test_the_model_and_its_covariance_say_the_same(self):
        b, f = some_loadings(3, 2), some_factors(2)
        model = rm.FactorModel.from_parameters(
            assets=our.assets(3), factors=our.factors(2), alpha=np.zeros(3), loadings=b, factor_covariance=f,
            factor_mean=np.zeros(2), idio_variance=[1e-20, 0.1, 0.2], horizon=rm.DAY,
        )  # fmt: skip
        for one in (model, model.at(rm.YEAR), model.restrict(["A1", "A0"]), pickle.loads(pickle.dumps(model))):
            assert one.idio_variance["A0"] == one.covariance.idio_variance["A0"] == 0
            assert one._idio_variance is one.covariance._idio_variance

    @pytest.mark.parametrize("n", [3, 5])
    def test_more_of_them_than_the_factors_tell_apart_are_singular(self, n):
        cov = covariance(some_loadings(7, 2), some_factors(2), np.where(np.arange(7) < n, 1e-18, some_idio(7)))
        with pytest.raises(rm.SingularCovarianceError) as error:
            cov.solve(np.ones(7))
        assert len(error.value.details["assets"]) == n - 2
        assert set(error.value.details["assets"]) < set(our.assets(n))


# in units of each asset's factor variance
IDIO = {
    "alike": lambda rng, n: rng.uniform(1e-4, 9e-4, n),
    "of all sizes": lambda rng, n: 10.0 ** rng.uniform(-11.9, 2, n),
    "small": lambda _, n: np.full(n, 2e-12),
    "of which a tenth is small": lambda rng, n: np.where(rng.random(n) < 0.1, 2e-12, 1e-4),
    "of which a few are zero": lambda rng, n: np.where(np.arange(n) < 3, 0.0, rng.uniform(1e-4, 9e-4, n)),
}


@pytest.mark.parametrize("loadings", ["independent", "nearly collinear"])
@pytest.mark.parametrize("idio", IDIO)
def test_many_assets_are_solved_to_the_last_digits(idio, loadings):
    n, k, rng = 1_500, 5, np.random.default_rng(0)
    b = rng.normal(size=(n, k))
    if loadings == "nearly collinear":
        b[:, 1] = b[:, 0] * (1 + 1e-9 * rng.normal(size=n))
    cov = covariance(b, some_factors(k), IDIO[idio](rng, n) * factor_variances(b, some_factors(k)))
    for right in (rng.normal(size=n), b @ np.ones(k)):
        x = cov.solve(right)
        # the product in eighteen digits, beside the size of what it adds up
        wide, f, d = b.astype(np.longdouble), cov.factor_covariance.to_numpy(), cov.idio_variance.to_numpy()
        short = wide @ (f @ (wide.T @ x)) + d * x - right
        norm = np.linalg.norm(b, 2) ** 2 * np.linalg.norm(f, 2) + d.max()
        assert np.linalg.norm(short.astype(float)) <= 1e-14 * norm * np.linalg.norm(x)


class TestSingularCovariance:
    def singled_out(self, loadings, factors, idio):
        cov = covariance(loadings, factors, idio)
        with pytest.raises(rm.SingularCovarianceError) as solving:
            cov.solve(np.ones(len(idio)))
        with pytest.raises(rm.SingularCovarianceError) as determining:
            cov.logdet()
        assert solving.value.details == determining.value.details
        for name in solving.value.details["assets"]:
            assert name in str(solving.value)
        assert "leave it out" in str(solving.value)
        return solving.value.details["assets"]

    def test_without_factors_every_asset_without_idio_is_named(self):
        assert self.singled_out(np.zeros((3, 0)), np.zeros((0, 0)), [0.0, 1.0, 0.0]) == ["A0", "A2"]

    def test_an_asset_that_never_moves_is_named(self):
        assert self.singled_out([[1.0], [0.0], [2.0]], [[0.04]], [0.1, 0.0, 0.1]) == ["A1"]

    def test_two_that_move_in_proportion(self):
        named = self.singled_out([[1.0, 0.5], [2.0, 1.0], [0.3, 0.1]], np.eye(2), [0.0, 0.0, 0.1])
        assert named in (["A0"], ["A1"])

    def test_beside_two_that_move_in_proportion_an_independent_one_is_innocent(self):
        b = [[1.0, 0.0], [2.0, 0.0], [0.0, 1e-6]]
        assert self.singled_out(b, np.eye(2), np.zeros(3)) in (["A0"], ["A1"])

    def test_three_that_move_in_proportion_leave_two_to_be_named(self):
        b = [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [1.0, 1.0]]
        named = self.singled_out(b, np.eye(2), [0.0, 0.0, 0.0, 0.1])
        assert len(named) == 2
        assert set(named) < {"A0", "A1", "A2"}

    def test_more_without_idio_than_the_rank(self):
        assert len(self.singled_out(some_loadings(6, 2), some_factors(2), with_zeros(some_idio(6), 0, 1, 4, 5))) == 2

    def test_factors_that_are_one_tell_only_one_asset(self):
        named = self.singled_out([[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [0.0, 0.0])
        assert len(named) == 1

    def test_leaving_out_what_is_named_cures_it(self):
        b, f, d = some_loadings(8, 3), some_factors(3, rank=2), with_zeros(some_idio(8), 0, 1, 2, 3, 4)
        cov = covariance(b, f, d)
        named = self.singled_out(b, f, d)
        cured = cov.restrict([a for a in cov.assets if a not in named])
        assert np.isfinite(cured.logdet())

    def test_products_still_work(self):
        cov = covariance([[1.0], [1.0]], [[0.04]], [0.0, 0.0])
        assert cov.variance([1.0, -1.0]) == 0.0
        assert cov.volatility([1.0, 1.0]) == pytest.approx(0.4)

    def test_precision_elsewhere_does_not_look_like_singularity(self):
        # the third asset pins the first factor down to 1e-11 and must not make the other two seem alike
        cov = covariance([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0]], np.eye(2), [0.0, 0.0, 2e-12])
        b = np.array([1.0, 2.0, 3.0])
        assert cov.solve(b) == pytest.approx(exactly(cov, b)[0], rel=1e-10)

    @pytest.mark.parametrize("apart", [2e-12, -2e-12])
    @pytest.mark.parametrize("size", [1.0, 1e-5])
    def test_loadings_apart_by_more_than_rounding_are_solved(self, apart, size):
        cov = covariance(np.array([[1.0, 0.0], [size, size * apart], [0.3, 0.4]]), np.eye(2), [0.0, 0.0, 0.1])
        right = np.array([1.0, 2.0, 3.0])
        solved, logdet = exactly(cov, right)
        assert cov.solve(right) == pytest.approx(solved, rel=1e-3)
        assert cov.logdet() == pytest.approx(logdet, rel=1e-4)

    @pytest.mark.parametrize("apart", [5e-13, -5e-13, 0.0])
    def test_loadings_apart_by_rounding_are_not(self, apart):
        named = self.singled_out([[1.0, 0.0], [1.0, apart], [0.3, 0.4]], np.eye(2), [0.0, 0.0, 0.1])
        assert named in (["A0"], ["A1"])

    def test_is_an_arithmetic_error(self):
        assert issubclass(rm.SingularCovarianceError, ArithmeticError)


LARGE = 100_000


@pytest.fixture(scope="module")
def large():
    rng = np.random.default_rng(6)
    b, d = rng.normal(1, 0.5, (LARGE, 5)), rng.uniform(0.1, 1, LARGE)
    return rm.FactorCovariance(range(LARGE), our.factors(5), b, some_factors(5), d, rm.DAY)


class TestSize:
    def test_every_operation_at_a_hundred_thousand_assets(self, large):
        # a dense matrix would take 80 GB
        w = np.random.default_rng(7).standard_normal(LARGE)
        assert large.variance(w) > 0
        assert large.marginal(w).shape == (LARGE,)
        assert large.diagonal().shape == (LARGE,)
        assert np.isfinite(large.logdet())
        assert large.sample(2, np.random.default_rng(0)).shape == (2, LARGE)
        assert large.at(rm.YEAR).restrict(range(10)).shape == (10, 10)
        assert large @ large.solve(w) == pytest.approx(w, abs=1e-8)
        assert large.solve(large @ w) == pytest.approx(w, abs=1e-8)

    def test_to_dense_refuses_and_says_what_it_would_take(self, large):
        with pytest.raises(rm.TooLargeError, match=r"take 80\.0 GB.*to_dense\(limit=100000\)") as error:
            large.to_dense()
        assert error.value.details == {"n_assets": LARGE, "limit": 5000}
        assert isinstance(error.value, MemoryError)

    def test_to_dense_does_as_told(self, large):
        small = large.restrict(range(20))
        with pytest.raises(rm.TooLargeError):
            small.to_dense(limit=19)
        assert small.to_dense(limit=20).shape == (20, 20)


class TestIterativeMethodsOfScipy:
    def test_conjugate_gradients_agree_with_solving(self, large):
        b = np.random.default_rng(8).standard_normal(LARGE)
        x, failed = sparse.cg(large, b, rtol=1e-10)
        assert not failed
        np.testing.assert_allclose(x, large.solve(b), atol=1e-7 * np.abs(x).max())

    def test_eigenvalues_agree_with_those_of_the_dense_matrix(self, large):
        small = large.restrict(range(200))
        values = sparse.eigsh(small, k=3, return_eigenvectors=False)
        np.testing.assert_allclose(np.sort(values), np.linalg.eigvalsh(small.to_dense())[-3:], rtol=1e-10)
        assert sparse.eigsh(large, k=1, return_eigenvectors=False)[0] > values.max()


class TestWhatTheCallerKeeps:
    def test_the_callers_arrays_are_neither_changed_nor_held(self):
        b, f, d = some_loadings(4, 2), some_factors(2), some_idio(4)
        copies = b.copy(), f.copy(), d.copy()
        cov = covariance(b, f, d)
        w = some_weights(cov)
        before = cov @ w
        cov.solve(w)
        assert all(np.array_equal(x, y) for x, y in zip((b, f, d), copies, strict=True))
        b[:], f[:], d[:] = 0.0, 0.0, 0.0
        assert np.array_equal(cov @ w, before)

    def test_naming_the_labels_of_a_result_cannot_name_those_of_the_covariance(self):
        cov = covariance(some_loadings(4, 2), some_factors(2), some_idio(4))
        ones = pd.Series(1.0, cov.assets.copy())
        frames = cov.sample(2, np.random.default_rng(0)).T, cov.diagonal(), cov.solve(ones), cov @ ones, cov.to_dense()
        for frame in frames:
            frame.index.name = "mine"
        assert cov.assets.name is None

    @pytest.mark.parametrize("part", ["loadings", "factor_covariance", "idio_variance", "diagonal", "to_dense"])
    def test_writing_to_a_result_cannot_change_the_covariance(self, part):
        cov = CASES["full rank"]()
        result = getattr(cov, part)() if callable(getattr(cov, part)) else getattr(cov, part)
        before = cov.to_dense()
        try:
            result.iloc[0] = 99.0
        except ValueError as error:
            assert "read-only" in str(error)  # noqa: PT017 - refusing is as good as copying
        assert cov.to_dense().equals(before)
        assert (
            not (getattr(cov, part)() if callable(getattr(cov, part)) else getattr(cov, part)).eq(99.0).any(axis=None)
        )

    def test_the_arrays_of_a_part_are_read_only(self):
        cov = CASES["full rank"]()
        for values in (cov.loadings.to_numpy(), cov.factor_covariance.to_numpy(), cov.idio_variance.to_numpy()):
            assert not values.flags.writeable

    def test_a_solution_may_be_written_to(self):
        cov = CASES["full rank"]()
        x = cov.solve(np.ones(8))
        again = x.copy()
        x[:] = 0.0
        assert np.array_equal(cov.solve(np.ones(8)), again)

    def test_the_right_hand_side_is_not_written_to(self):
        cov = CASES["as many without idio as the rank"]()
        b = some_weights(cov)
        b.flags.writeable = False
        cov.solve(b)


class TestLabels:
    def test_assets_left_out_weigh_zero(self):
        cov = CASES["full rank"]()
        w = np.zeros(8)
        w[[6, 1]] = 2.0, -1.0
        for given_as in (pd.Series({"A6": 2.0, "A1": -1.0}), {"A6": 2.0, "A1": -1.0}):
            assert cov.variance(given_as) == cov.variance(w)
            assert np.array_equal(cov @ given_as, cov @ w)

    def test_unknown_assets_are_told_with_the_nearest(self):
        cov = CASES["full rank"]()
        with pytest.raises(rm.UnknownAssetError, match=r"B6.*nearest to 'B6': A6") as error:
            cov.variance({"A1": 1.0, "B6": 2.0})
        assert error.value.details["missing"] == ["B6"]
        with pytest.raises(rm.UnknownAssetError, match="ZZZ"):
            cov.restrict(["ZZZ"])

    def test_an_asset_twice(self):
        cov = CASES["full rank"]()
        with pytest.raises(rm.DuplicateLabelsError, match="A1"):
            cov.variance(pd.Series([1.0, 2.0], ["A1", "A1"]))
        with pytest.raises(rm.DuplicateLabelsError, match="A1"):
            cov.restrict(["A1", "A1"])
        with pytest.raises(rm.DuplicateLabelsError, match=r"assets.*A"):
            rm.FactorCovariance(["A", "A"], ["F"], np.ones((2, 1)), [[1.0]], [1.0, 1.0], rm.DAY)

    def test_labels_that_are_not_text(self):
        cov = rm.FactorCovariance([10107, 14593], [0], [[1.0], [2.0]], [[0.04]], [0.01, 0.02], rm.DAY)
        assert cov.variance({14593: 1.0}) == pytest.approx(0.18)

    def test_labelled_parts_in_another_order_are_refused(self):
        b = pd.DataFrame([[1.0], [2.0]], ["B", "A"], ["F"])
        with pytest.raises(rm.InvalidParameterError, match="loadings") as caught:
            rm.FactorCovariance(["A", "B"], ["F"], b, [[1.0]], [1.0, 1.0], rm.DAY)
        assert caught.value.details == {"name": "loadings", "expected": ["A", "B"], "got": ["B", "A"]}
        with pytest.raises(rm.InvalidParameterError, match="idio_variance"):
            rm.FactorCovariance(["A", "B"], ["F"], b.loc[["A", "B"]], [[1.0]], pd.Series([1.0, 1.0]), rm.DAY)
        cov = rm.FactorCovariance(["A", "B"], ["F"], b.loc[["A", "B"]], [[1.0]], [1.0, 1.0], rm.DAY)
        assert cov.loadings.loc["B", "F"] == 1.0

    def test_repr_says_what_it_is(self):
        assert repr(CASES["full rank"]()) == "<FactorCovariance 8 assets, 3 factors, per month>"


def build(**changes):
    good = {
        "assets": ["A", "B"], "factors": ["F", "G"], "loadings": [[1.0, 0.0], [0.5, 2.0]],
        "factor_covariance": [[0.04, 0.01], [0.01, 0.02]], "idio_variance": [0.1, 0.2], "horizon": rm.DAY,
    }  # fmt: skip
    return rm.FactorCovariance(**(good | changes))


REFUSED = {
    "loadings of another shape": ({"loadings": [[1.0], [1.0]]}, r"loadings.*\(2, 2\).*\(2, 1\)"),
    "transposed loadings": ({"assets": ["A"], "idio_variance": [1.0], "loadings": [[1.0], [2.0]]}, r"shape \(1, 2\)"),
    "F of another shape": ({"factor_covariance": [[1.0]]}, r"factor_covariance.*\(2, 2\)"),
    "idio as a matrix": ({"idio_variance": np.eye(2)}, r"idio_variance.*\(2,\)"),
    "NaN in the loadings": ({"loadings": [[1.0, np.nan], [1.0, 1.0]]}, "finite loadings"),
    "infinite F": ({"factor_covariance": [[np.inf, 0.0], [0.0, 1.0]]}, "finite factor_covariance"),
    "NaN idio": ({"idio_variance": [0.1, np.nan]}, "finite idio_variance"),
    "negative idio": ({"idio_variance": [0.1, -1e-12]}, "idio_variance.* B\\."),
    "F not symmetric": ({"factor_covariance": [[1.0, 0.5], [0.4, 1.0]]}, "symmetric"),
    "small F not symmetric": ({"factor_covariance": [[1e12, 0.0], [1e-3, 1e-9]]}, "symmetric"),
    "F with a negative variance": ({"factor_covariance": np.diag([1.0, -1e-9])}, "diagonal"),
    "F not positive semidefinite": ({"factor_covariance": [[1.0, 2.0], [2.0, 1.0]]}, r"semidefinite.*eigenvalue -1"),
    "covariance without variance": ({"factor_covariance": [[1.0, 0.1], [0.1, 0.0]]}, "positive semidefinite"),
    "text": ({"idio_variance": ["0.1", "0.2"]}, "real numbers"),
    "complex numbers": ({"idio_variance": [0.1 + 0j, 0.2]}, "complex128"),
    "dates": ({"idio_variance": np.array(["2020", "2021"], "M8[D]")}, "real numbers"),
    "pandas missing values": ({"idio_variance": pd.array([0.1, pd.NA], "Float64")}, "finite|real numbers"),
    "rows of unequal length": ({"loadings": np.array([[1.0], [1.0, 2.0]], dtype=object)}, "real numbers"),
    "a horizon by name": ({"horizon": "day"}, "horizon.*'day'"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_parts_that_do_not_make_a_covariance_are_refused(case):
    changes, message = REFUSED[case]
    with pytest.raises(rm.InvalidParameterError, match=message):
        build(**changes)


@pytest.mark.parametrize("scales", [(1.0, 1.0), (1e-4, 1e4), (1e-9, 1e-7)])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_least_eigenvalue_and_asymmetry_of_a_correlation_may_be_rounding(scales, sign):
    def factors(upper, lower):
        return np.array([[1.0, upper], [lower, 1.0]]) * np.outer(scales, scales)

    for eigenvalue, refused in ((-2e-10, True), (-5e-11, False)):
        changes = {"factor_covariance": factors(*[sign * (1 - eigenvalue)] * 2)}
        if not refused:
            assert build(**changes).factor_covariance.to_numpy() == pytest.approx(
                changes["factor_covariance"], rel=1e-9
            )
            continue
        with pytest.raises(rm.InvalidParameterError) as error:
            build(**changes)
        assert error.value.details == {"name": "factor_covariance", "eigenvalue": pytest.approx(eigenvalue, rel=1e-5)}
    for gap, refused in ((2e-10, True), (5e-11, False)):
        changes = {"factor_covariance": factors(sign * 0.5, sign * 0.5 + gap)}
        if not refused:
            assert build(**changes).variance([1.0, 0.0]) > 0
            continue
        with pytest.raises(rm.InvalidParameterError, match="symmetric") as error:
            build(**changes)
        assert error.value.details == {"name": "factor_covariance"}


def test_parts_may_be_integers_and_lists():
    assert build(loadings=[[1, 0], [0, 1]]).variance([1, 0]) == pytest.approx(0.14)


ARGUMENTS = {
    "too short": ([1.0], r"2 assets.*\(1,\)"),
    "three dimensions": (np.ones((2, 1, 1)), r"\(2, 1, 1\)"),
    "a number": (1.0, r"\(\)"),
    "NaN": ([1.0, np.nan], "finite"),
    "labelled NaN": (pd.Series({"A": np.nan}), "finite"),
    "text": (["1", "2"], "real numbers"),
    "labelled text": (pd.Series({"A": "1"}), "real numbers"),
    "mapped text": ({"A": "1"}, "real numbers"),
    "complex": ([1j, 2.0], "real numbers"),
    "missing": (pd.Series([1.0, pd.NA], ["A", "B"], dtype="Float64"), "finite|real numbers"),
    "nothing": (None, r"real numbers|\(\)"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
@pytest.mark.parametrize("operation", ["__matmul__", "variance", "volatility", "marginal", "solve"])
def test_arguments_that_are_no_weights_are_refused(operation, case):
    argument, message = ARGUMENTS[case]
    with pytest.raises(rm.InvalidParameterError, match=message):
        getattr(build(), operation)(argument)


@pytest.mark.parametrize("operation", ["variance", "volatility", "marginal"])
def test_a_matrix_in_place_of_a_vector_is_refused(operation):
    with pytest.raises(rm.InvalidParameterError) as caught:
        getattr(build(), operation)(np.ones((2, 3)))
    assert caught.value.details == {"got": (2, 3)}


def test_a_matrix_in_a_covariance_or_a_beta():
    with pytest.raises(rm.InvalidParameterError, match="one vector"):
        build().covariance([1.0, 1.0], np.eye(2))
    with pytest.raises(rm.InvalidParameterError, match="one vector"):
        build().beta(np.eye(2), [1.0, 1.0])


def test_no_volatility_no_derivative_and_no_beta():
    with pytest.raises(rm.InvalidParameterError, match="volatility"):
        build().marginal([0.0, 0.0])
    with pytest.raises(rm.InvalidParameterError, match="benchmark"):
        build().beta([1.0, 0.0], [0.0, 0.0])


def test_rounding_does_not_make_a_variance_negative():
    # exposures cancel to rounding under an F that is singular to rounding
    cov = covariance([[1.0, -1.0], [1e-9, 1.0]], np.array([[1.0, 1.0], [1.0, 1.0]]), [0.0, 0.0])
    for w in ([1.0, 1e-9], [-1.0, 3e-10]):
        assert cov.variance(w) >= 0
    # and where F is singular, a variance is as good as the exposure that has it
    f = np.outer([6.117, 1.029], [6.117, 1.029])
    exposed = np.array([-2057.93, 12234.0])
    true = (Fraction(6.117) * Fraction(-2057.93) + Fraction(1.029) * Fraction(12234.0)) ** 2
    assert covariance([exposed], f, [0.0]).variance([1.0]) == pytest.approx(float(true), rel=1e-6)


def test_it_does_not_turn_into_an_array_by_itself():
    with pytest.raises(rm.InvalidParameterError, match=r"cov @ w.*to_dense"):
        np.asarray(build())
    with pytest.raises(rm.InvalidParameterError, match=r"cov @ w"):
        pd.Series([1.0, 1.0], ["A", "B"]) @ build()


def test_a_sample_is_reproducible_and_needs_a_generator():
    one, two = (build().sample(5, np.random.default_rng(0)) for _ in range(2))
    assert one.equals(two)
    with pytest.raises(rm.InvalidParameterError, match="rng"):
        build().sample(5, 0)


def test_no_assets_at_all():
    empty = build().restrict([])
    assert empty.variance([]) == 0.0
    assert empty.solve([]).shape == (0,)
    assert empty.logdet() == 0.0
    assert empty.to_dense().shape == (0, 0)


@given(our.covariances(), st.data())
def test_any_covariance_agrees_with_the_dense_one(cov, data):
    w = data.draw(our.vectors(len(cov.assets)))
    assert (np.abs(cov @ w - dense(cov) @ w) <= 1e-12 * bound(cov, w)).all()
    assert (np.abs(cov.to_dense() - dense(cov)) <= 1e-12 * bound(cov, np.eye(len(w)))).all(axis=None)
    x = cov.solve(w)
    residual = np.linalg.norm(dense(cov) @ x - w)
    assert residual <= 1e-10 * (np.linalg.norm(dense(cov), 2) * np.linalg.norm(x) + np.linalg.norm(w))


@given(our.covariances(max_assets=5, max_factors=3, zeros=True), st.data())
def test_a_solution_is_exact_or_the_error_is_right(cov, data):
    w = data.draw(our.vectors(len(cov.assets)))
    b, _, d = parts(cov)
    try:
        x = cov.solve(w)
    except rm.SingularCovarianceError as error:
        named = error.details["assets"]
        assert named
        assert (cov.idio_variance[named] == 0).all()
        cured = cov.restrict([a for a in cov.assets if a not in named])
        assert np.isfinite(cured.logdet())
        assert len(named) >= (d == 0).sum() - min(b.shape)
    else:
        residual = np.linalg.norm(dense(cov) @ x - w)
        assert residual <= 1e-10 * (np.linalg.norm(dense(cov), 2) * np.linalg.norm(x) + np.linalg.norm(w))
