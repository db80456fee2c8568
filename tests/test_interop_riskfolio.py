"""Riskfolio-Lib recomputes the same moments from B, and finds the weights of a plain convex problem."""

import warnings

import numpy as np
import pandas as pd
import pytest
from interop_peers import market, peer

import riskmodel as rm

riskfolio = peer("riskfolio")
cp = peer("cvxpy")

from riskmodel.interop.riskfolio import loadings, moments, portfolio  # noqa: E402

PANEL = market()
MODEL = rm.OLS().fit(PANEL)


def test_its_own_factor_statistics_of_our_loadings_are_our_moments():
    port = riskfolio.Portfolio(returns=PANEL.excess_returns)
    port.factors = PANEL.factor_returns
    port.B = loadings(MODEL)
    port.factors_stats(B=port.B, const=True)
    mu, cov = moments(MODEL)
    np.testing.assert_allclose(port.mu_fm, mu, atol=1e-15)
    np.testing.assert_allclose(port.cov_fm, cov, atol=1e-15)
    assert list(port.B.columns) == ["const", *MODEL.factors]
    own = portfolio(MODEL, PANEL)
    np.testing.assert_allclose(own.returns_fm, port.returns_fm, atol=1e-15)
    np.testing.assert_allclose(own.mu_f, port.mu_f, atol=1e-16)
    np.testing.assert_allclose(own.cov_f, port.cov_f, atol=1e-16)


@pytest.mark.parametrize("kind", ["Classic", "FM"])
def test_the_weights_are_those_of_the_variance(kind):
    model = rm.EWMA(rm.QUARTER).fit(PANEL)
    port = portfolio(model, PANEL)
    port.solvers = ["CLARABEL"]
    port.sol_params = {"CLARABEL": {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}}
    weights = port.optimization(model=kind, rm="MV", obj="MinRisk", hist=kind == "Classic")["weights"]
    w = cp.Variable(12, nonneg=True)
    dense = model.covariance.to_dense().to_numpy()
    cp.Problem(cp.Minimize(1e4 * cp.quad_form(w, dense)), [cp.sum(w) == 1]).solve(solver="CLARABEL")
    np.testing.assert_allclose(weights, w.value, atol=1e-5)
    assert list(weights.index) == list(model.assets)


def test_total_returns_and_the_constant_have_the_risk_free_rate():
    excess, factors = PANEL.excess_returns, PANEL.factor_returns
    rate = pd.Series(1e-4, excess.index)
    data = rm.InMemory(excess + 1e-4, factors=factors, risk_free=rate, horizon=rm.DAY)
    panel = data.panel(list(excess), list(factors))
    port = portfolio(rm.OLS().fit(panel), panel)
    np.testing.assert_allclose(port.returns, excess + 1e-4, atol=1e-15)
    np.testing.assert_allclose(port.returns_fm.mean(), port.mu.iloc[0], atol=1e-12)
    np.testing.assert_allclose(port.mu.iloc[0], port.returns.mean(), atol=1e-12)


def test_what_is_refused():
    ragged = PANEL.excess_returns.copy()
    ragged.iloc[:5, 2] = np.nan
    data = rm.InMemory(ragged, factors=PANEL.factor_returns, risk_free=0.0, horizon=rm.DAY, return_type=rm.EXCESS)
    panel = data.panel(list(ragged), list(PANEL.factors))
    with pytest.raises(rm.InvalidParameterError) as error:
        portfolio(rm.OLS().fit(panel), panel)
    assert error.value.details["assets"] == ["A02"]
    with pytest.raises(rm.HorizonMismatchError):
        portfolio(MODEL.at(rm.YEAR), PANEL)
    with pytest.raises(rm.UnknownAssetError):
        portfolio(MODEL, PANEL.select(["A00"]))
    with pytest.raises(rm.TooLargeError):
        moments(MODEL, limit=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rm.RiskModelWarning)
        named = rm.FactorModel.from_parameters(
            assets=["A"], factors=["const"], alpha=0.0, loadings=1.0, factor_covariance=1e-4, factor_mean=0.0,
            idio_variance=1e-4, horizon=rm.DAY,
        )  # fmt: skip
    with pytest.raises(rm.InvalidParameterError) as error:
        loadings(named)
    assert error.value.details["factors"] == ["const"]
