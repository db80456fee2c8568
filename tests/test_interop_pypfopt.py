"""The structured frontier has the weights and the performance of PyPortfolioOpt's dense one."""

import numpy as np
import pandas as pd
import pytest
from interop_peers import market, peer

import riskmodel as rm

peer("pypfopt")

from pypfopt import EfficientFrontier, objective_functions  # noqa: E402

from riskmodel.interop.pypfopt import FactorEfficientFrontier, annual_inputs  # noqa: E402

MODEL = rm.OLS().fit(market())
TIGHT = {"solver": "CLARABEL", "solver_options": {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}}


def both(bounds=(0, 1)):
    mu, sigma = annual_inputs(MODEL)
    return FactorEfficientFrontier(MODEL, weight_bounds=bounds, **TIGHT), EfficientFrontier(mu, sigma, bounds, **TIGHT)


def same(ours, theirs):
    assert list(ours) == list(theirs)
    np.testing.assert_allclose(list(ours.values()), list(theirs.values()), atol=1e-6)


def test_inputs_are_annual_whatever_the_model():
    for model in (MODEL, MODEL.at(rm.MONTH)):
        mu, sigma = annual_inputs(model)
        np.testing.assert_allclose(mu, 252 * MODEL.expected_returns.sum(axis=1), rtol=1e-12)
        np.testing.assert_allclose(sigma, 252 * MODEL.covariance.to_dense(), rtol=1e-12)
    with pytest.raises(rm.TooLargeError) as error:
        annual_inputs(MODEL, limit=5)
    assert error.value.details["limit"] == 5


@pytest.mark.parametrize(
    "solve",
    [
        lambda f: f.min_volatility(),
        lambda f: f.max_quadratic_utility(3.0),
        lambda f: f.efficient_return(0.02),
        lambda f: f.max_quadratic_utility(3.0, market_neutral=True),
    ],
    ids=["min_volatility", "utility", "return", "neutral"],
)
def test_the_weights_and_the_performance_are_those_of_the_dense_form(solve):
    for bounds in ((-0.3, 0.3),) if "neutral" in str(solve.__code__.co_consts) else ((0, 1), (-0.3, 0.5)):
        ours, theirs = both(bounds)
        for frontier in (ours, theirs):
            frontier.add_objective(objective_functions.L2_reg, gamma=0.01)
            frontier.add_constraint(lambda w: w[0] + w[1] <= 0.3)
        same(solve(ours), solve(theirs))
        expected = theirs.portfolio_performance(risk_free_rate=0.01)
        assert ours.portfolio_performance(risk_free_rate=0.01) == pytest.approx(expected, abs=1e-6)


def test_a_second_solution_of_the_same_problem():
    ours, theirs = both()
    for frontier in (ours, theirs):
        frontier.max_quadratic_utility(1.0)
    same(ours.max_quadratic_utility(10.0), theirs.max_quadratic_utility(10.0))
    with pytest.raises(rm.InvalidParameterError) as error:
        ours.max_quadratic_utility(10.0, market_neutral=True)
    assert error.value.details == {"parameter": "market_neutral", "expected": False, "got": True}


def test_own_views(capsys):
    views = pd.Series(np.linspace(0.02, 0.1, 12), MODEL.assets)[::-1]
    ours = FactorEfficientFrontier(MODEL, views, **TIGHT)
    theirs = EfficientFrontier(views.reindex(MODEL.assets), annual_inputs(MODEL)[1], **TIGHT)
    same(ours.efficient_return(0.07), theirs.efficient_return(0.07))
    ours.portfolio_performance(verbose=True)
    assert "7.0%" in capsys.readouterr().out
    for wrong in (views[1:], views.rename({"A00": "XYZ"}), views * np.nan, [0.1] * 12):
        with pytest.raises(rm.InvalidParameterError) as error:
            FactorEfficientFrontier(MODEL, wrong)
        assert error.value.details["parameter"] == "expected_returns"


def test_what_needs_the_dense_matrix_or_has_no_solution():
    for refused in ("max_sharpe", "efficient_risk"):
        with pytest.raises(rm.InvalidParameterError) as error:
            getattr(both()[0], refused)(*([0.2] if refused == "efficient_risk" else []))
        assert error.value.details["expected"] == "factor form"
    with pytest.raises(rm.SolverError):
        both()[0].efficient_return(9.0)
    with pytest.raises(rm.InvalidParameterError):
        both()[0].portfolio_performance()
    with pytest.raises(rm.InvalidParameterError) as error:
        FactorEfficientFrontier(MODEL, weight_bounds=[(0, 1)])
    assert error.value.details["parameter"] == "weight_bounds"


def test_without_factors():
    bare = rm.FactorModel.from_parameters(
        assets=["A", "B"], factors=[], alpha=[0.0, 0.0], loadings=np.zeros((2, 0)), factor_covariance=np.zeros((0, 0)),
        factor_mean=[], idio_variance=[1e-4, 3e-4], horizon=rm.DAY,
    )  # fmt: skip
    weights = FactorEfficientFrontier(bare, **TIGHT).min_volatility()
    assert list(weights.values()) == pytest.approx([0.75, 0.25], abs=1e-6)
