"""Arguments that once gave errors of numpy, pandas or Python: each gives one of this package, and says what to do."""

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm

DAYS = pd.bdate_range("2020-01-01", periods=60)
RNG = np.random.default_rng(0)
FACTORS = pd.DataFrame(RNG.normal(0, 0.01, (60, 2)), DAYS, ["Mkt-RF", "SMB"])
RETURNS = pd.DataFrame({"A": 1.1 * FACTORS["Mkt-RF"], "B": 0.6 * FACTORS["SMB"]}) + RNG.normal(0, 0.01, (60, 2))
DATA = rm.InMemory(RETURNS, factors=FACTORS, risk_free=0.0, horizon=rm.DAY)
PANEL = DATA.panel(["A", "B"], ["Mkt-RF", "SMB"])
MODEL = rm.OLS().fit(PANEL)
STRATEGY = rm.Strategy({"A": 1.0}, MODEL)
BUDGET = rm.RiskBudget(1e6, rm.MONTH)
LEVELS = pd.MultiIndex.from_tuples([("A", "x"), ("B", "y")])


def parameters(**changes):
    good = {
        "assets": ["A"], "factors": ["Mkt-RF"], "alpha": 0.0, "loadings": 1.0, "factor_covariance": 1e-4,
        "factor_mean": 0.0, "idio_variance": 1e-4, "horizon": rm.DAY,
    }  # fmt: skip
    return rm.FactorModel.from_parameters(**good | changes)


def in_memory(returns=RETURNS, factors=FACTORS, **more):
    return rm.InMemory(returns, factors=factors, **{"risk_free": 0.0, "horizon": rm.DAY} | more)


CASES = {
    "GrossLimit of a Volatility": lambda: rm.GrossLimit(rm.Volatility(1e6, rm.MONTH)),
    "CapitalLimit of a Volatility": lambda: rm.CapitalLimit(rm.Volatility(1e6, rm.MONTH)),
    "a report of a number": lambda: rm.RiskReport.of(1.0, PANEL, BUDGET),
    "a report of a mapping": lambda: rm.RiskReport.of({"A": 1.0}, PANEL, BUDGET),
    "a report with a budget in dollars": lambda: rm.RiskReport.of(STRATEGY, PANEL, 1e6),
    "a report without a panel": lambda: rm.RiskReport.of(STRATEGY, RETURNS, BUDGET),
    "a cap as text": lambda: rm.RiskReport.of(STRATEGY, PANEL, BUDGET, cap="0.2"),
    "a cap that is a quantity": lambda: rm.RiskReport.of(STRATEGY, PANEL, BUDGET, cap=rm.Variance(0.2, rm.DAY)),
    "caveats as text": lambda: rm.RiskReport.of(STRATEGY, PANEL, BUDGET, caveats="few dates"),
    "a portfolio of another name": lambda: rm.RiskReport.of(STRATEGY, PANEL, BUDGET).factor_share("capped"),
    "a comparison the other way round": lambda: rm.CovarianceComparison.of(PANEL, MODEL),
    "to_dense without a limit": lambda: MODEL.covariance.to_dense(limit=None),
    "the largest as text": lambda: rm.CovarianceComparison.of(MODEL, PANEL).largest("3"),
    "the largest of a fraction": lambda: rm.CovarianceComparison.of(MODEL, PANEL).largest(1.5),
    "the largest of less than none": lambda: rm.CovarianceComparison.of(MODEL, PANEL).largest(-1),
    "ragged lists in a product": lambda: MODEL.covariance @ [[1.0], [1.0, 2.0]],
    "ragged lists as parameters": lambda: parameters(loadings=[[1.0], [1.0, 2.0]]),
    "a weight that is an array": lambda: rm.Strategy({"A": np.array([1.0])}, MODEL),
    "weights that are arrays": lambda: rm.Strategy({"A": np.array([1.0]), "B": np.array([1.0, 2.0])}, MODEL),
    "a hedge that is an array": lambda: rm.HedgedPortfolio(STRATEGY, {"SMB": np.array([1.0])}),
    "a tiny cost": lambda: rm.HedgedPortfolio.with_factor_share(STRATEGY, 0.1, cost=[1e-300, 1.0]),
    "a huge cost": lambda: rm.HedgedPortfolio.with_factor_share(STRATEGY, 0.1, cost=[1e300, 1.0]),
    "a weight of 400 digits": lambda: rm.Strategy({"A": 10**400}, MODEL),
    "a horizon of 400 digits": lambda: rm.Horizon(10**400),
    "a horizon of 5,000 digits": lambda: rm.Horizon(10**5_000),
    "a budget of 400 digits": lambda: rm.RiskBudget(10**400, rm.MONTH),
    "a volatility of 400 digits": lambda: rm.Volatility(10**400, rm.DAY),
    "a rate of 400 digits": lambda: in_memory(risk_free=10**400),
    "returns of 400 digits": lambda: in_memory(pd.DataFrame({"A": [10**400] * 60}, DAYS)),
    "draws of 400 digits": lambda: MODEL.covariance.sample(10**400, np.random.default_rng(0)),
    "an asset called NaN": lambda: in_memory(RETURNS.set_axis(["A", np.nan], axis=1)),
    "a factor called None": lambda: in_memory(factors=FACTORS.set_axis(["F", None], axis=1)),
    "a weight of NaN": lambda: rm.Strategy({np.nan: 1.0}, MODEL),
    "an asset of two levels": lambda: rm.HedgedPortfolio.minimum_variance(STRATEGY, [("A", "x")]),
    "assets of two levels": lambda: in_memory(RETURNS.set_axis(LEVELS, axis=1)),
    "a model of two levels": lambda: parameters(assets=LEVELS),
    "None for whether a factor is funded": lambda: parameters(funded=[None]),
    "text for whether a factor is funded": lambda: parameters(funded=["no"]),
    "factors as text": lambda: parameters(factors="F"),
    "factors of a panel as text": lambda: DATA.panel(["A"], "SMB"),
    "funded factors as text": lambda: in_memory(funded="SMB"),
    "a quantity of text": lambda: rm.Mean("0.1", rm.DAY),
    "a scaled list": lambda: rm.DAY.scale_mean([0.1], to=rm.YEAR),
    "a factor without a name": lambda: rm.PublishedFactor(None),
    "a factor with several names": lambda: rm.AssetFactor(["A", "B"]),
    "a decay factor at no horizon": lambda: rm.EWMA(rm.MONTH).decay_factor(None),
    "windows of a model": lambda: rm.OLS().windows(MODEL, None, 3),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_error_of_ours(case):
    with pytest.raises(rm.RiskModelError) as caught:
        case()
    assert len(str(caught.value)) < 1_000


def test_only_ratios_of_costs_matter():
    plain = rm.HedgedPortfolio.with_factor_share(STRATEGY, 0.1, cost=[1.0, 3.0]).hedge_weights
    for unit in (1e-300, 1e-9, 1e300):
        scaled = rm.HedgedPortfolio.with_factor_share(STRATEGY, 0.1, cost=[unit, 3.0 * unit]).hedge_weights
        np.testing.assert_allclose(scaled, plain, rtol=1e-12)


def test_nullable_labels_are_plain_ones(tmp_path):
    numbered = RETURNS.set_axis(pd.Index([10107, 14593], dtype="Int64"), axis=1)
    data = in_memory(numbered)
    old = data.panel(numbered.columns, ["Mkt-RF"], end=DAYS[39])
    rm.Moments.of(old).save(tmp_path / "state.npz")
    later = data.panel(numbered.columns, ["Mkt-RF"], start=DAYS[40])
    state = rm.OLS().update(rm.Moments.load(tmp_path / "state.npz"), later)
    whole = data.panel([10107, 14593], ["Mkt-RF"])
    np.testing.assert_allclose(rm.OLS().estimate(state).loadings, rm.OLS().fit(whole).loadings)
    assert whole.assets.dtype == np.int64
    text = in_memory(RETURNS.set_axis(pd.CategoricalIndex(["A", "B"]), axis=1))
    assert text.panel(["B"], ["SMB"]).assets.tolist() == ["B"]
