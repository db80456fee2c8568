"""Structured variances in cvxpy give the weights and the risk of quad_form on the dense matrix."""

import numpy as np
import pandas as pd
import pytest
from interop_peers import market, peer

import riskmodel as rm

cp = peer("cvxpy")

from riskmodel.interop.cvxpy import Risk, variance, volatility  # noqa: E402

PANEL = market(assets=30)
MODEL = rm.OLS().fit(PANEL)
SOLVER = {"solver": "CLARABEL", "tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}


def linked():
    c = np.zeros((5, 1))
    c[:2] = 0.02
    rng = np.random.default_rng(3)
    return rm.FactorCovariance(
        list("ABCDE"), ["M", "N"], rng.normal(1, 0.4, (5, 2)), np.full((2, 2), 1e-4), np.full(5, 5e-4), rm.DAY, c
    )


def riskless():
    """Assets of which one has no idio variance."""
    return rm.FactorCovariance(list("ABC"), ["M"], [[1.0], [0.8], [1.3]], [[1e-4]], [0.0, 1e-4, 2e-4], rm.DAY)


def without_factors():
    return rm.FactorCovariance(list("AB"), [], np.zeros((2, 0)), np.zeros((0, 0)), [1e-4, 4e-4], rm.DAY)


COVARIANCES = {"fitted": MODEL.covariance, "linked": linked(), "riskless": riskless(), "no factors": without_factors()}


def least(risk, w, *constraints):
    problem = cp.Problem(cp.Minimize(risk), [cp.sum(w) == 1, *constraints])
    problem.solve(**SOLVER)
    return w.value


@pytest.mark.parametrize("name", COVARIANCES)
def test_the_weights_are_those_of_the_dense_form(name):
    cov = COVARIANCES[name]
    w = cp.Variable(len(cov.assets), nonneg=True)
    ours = least(1e4 * variance(cov, w), w)
    theirs = least(1e4 * cp.quad_form(w, cp.psd_wrap(cov.to_dense().to_numpy())), w)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("name", COVARIANCES)
def test_the_values_are_those_of_the_covariance(name):
    cov = COVARIANCES[name]
    w = cp.Variable(len(cov.assets), value=np.random.default_rng(0).normal(size=len(cov.assets)))
    assert variance(cov, w).value == pytest.approx(float(cov.variance(w.value)), rel=1e-12)
    assert volatility(cov, w).value == pytest.approx(float(cov.volatility(w.value)), rel=1e-12)


def test_active_risk_of_an_affine_expression():
    benchmark = np.full(30, 1 / 30)
    w = cp.Variable(30, nonneg=True)
    problem = cp.Problem(
        cp.Maximize(w @ np.linspace(0, 0.01, 30)),
        [cp.sum(w) == 1, volatility(MODEL.covariance, w - benchmark) <= 0.002],
    )
    problem.solve(**SOLVER)
    assert float(MODEL.covariance.volatility(w.value - benchmark)) == pytest.approx(0.002, rel=1e-6)


class TestRisk:
    def test_a_loop_compiles_once_and_gives_the_weights_of_each_model(self):
        history = rm.Rolling(rm.QUARTER, every=40).fit(PANEL)
        models = [model for _, model in history.items()]
        w = cp.Variable(30, nonneg=True)
        risk = Risk(models[0], w)
        problem = cp.Problem(cp.Minimize(1e4 * risk.variance), [cp.sum(w) == 1])
        assert problem.is_dpp()
        programs = set()
        for model in models:
            risk.update(model)
            problem.solve(**SOLVER)
            programs.add(id(problem._cache.param_prog))
            fresh = cp.Variable(30, nonneg=True)
            np.testing.assert_allclose(w.value, least(1e4 * variance(model.covariance, fresh), fresh), atol=1e-6)
        assert len(programs) == 1
        assert len(models) > 3

    def test_models_of_lower_rank_and_more_assets(self):
        cov = MODEL.covariance
        w = cp.Variable(10, value=np.arange(10.0))
        risk = Risk(cov.restrict(list(cov.assets[:10])), w)
        singular = rm.FactorCovariance(
            cov.assets[::-1], cov.factors, cov.loadings.to_numpy()[::-1], np.full((3, 3), 1e-4),
            cov.idio_variance[::-1], rm.DAY,
        )  # fmt: skip
        risk.update(singular)
        expected = singular.volatility(pd.Series(w.value, cov.assets[:10]))
        assert risk.volatility.value == pytest.approx(float(expected), rel=1e-12)

    def test_more_columns_than_were_kept(self):
        w = cp.Variable(5)
        plain = linked()
        plain = rm.FactorCovariance(
            plain.assets, plain.factors, plain.loadings, plain.factor_covariance, plain.idio_variance, rm.DAY
        )
        more = rm.FactorCovariance(
            plain.assets, plain.factors, plain.loadings, np.eye(2) * 1e-4, plain.idio_variance, rm.DAY, linked().links
        )
        with pytest.raises(rm.InvalidParameterError) as error:
            Risk(plain, w).update(more)
        assert error.value.details == {"columns": 2, "got": 3}
        Risk(plain, w, columns=3).update(more)

    def test_what_cannot_be_updated(self):
        w = cp.Variable(30)
        risk = Risk(MODEL, w)
        with pytest.raises(rm.HorizonMismatchError):
            risk.update(MODEL.at(rm.YEAR))
        with pytest.raises(rm.UnknownAssetError) as error:
            risk.update(MODEL.restrict(list(MODEL.assets[1:])))
        assert error.value.details["missing"] == [MODEL.assets[0]]


@pytest.mark.parametrize("w", [None, np.ones(30), cp.Variable(29), cp.Variable((30, 1)), cp.square(cp.Variable(30))])
@pytest.mark.parametrize("measure", [variance, volatility, Risk])
def test_weights_that_are_refused(measure, w):
    with pytest.raises(rm.InvalidParameterError) as error:
        measure(MODEL.covariance, w)
    assert error.value.details["parameter"] == "w"
    assert error.value.details["expected"] == (30,)
