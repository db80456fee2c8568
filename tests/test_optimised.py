"""The risk of portfolios that were optimised on their own model."""

import numpy as np
import pytest

import riskmodel as rm


def model(n=4, dates=None):
    return rm.FactorModel.from_parameters(
        assets=list("ABCDEFGH")[:n], factors=["F"], alpha=np.zeros(n), loadings=np.ones((n, 1)),
        factor_covariance=1e-4, factor_mean=0.0, idio_variance=np.full(n, 1e-4), horizon=rm.DAY, funded=[False],
    )  # fmt: skip


def test_volatility_is_divided_by_one_less_choices_over_dates():
    s = rm.Strategy({"A": 1.0, "B": -1.0, "C": 0.0}, model())
    assert s.optimised_volatility(dates=10) / s.volatility == pytest.approx(1 / (1 - 2 / 10))
    hedged = rm.HedgedPortfolio.minimum_variance(rm.Strategy({"A": 1.0}, model()), ["C", "D"])
    assert hedged.optimised_volatility(dates=100) / hedged.volatility == pytest.approx(1 / 0.98)
    assert hedged.optimised_volatility(50, 100) / hedged.volatility == pytest.approx(2.0)
    assert s.optimised_volatility(2, 10).horizon == rm.DAY


def test_observations_of_a_regression_are_the_dates():
    panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils"], ["Mkt-RF", "SMB"], start="2010-01")
    hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"Utils": 1.0}, rm.OLS().fit(panel)))
    expected = 1 / (1 - 2 / len(panel.dates))
    assert hedged.optimised_volatility() / hedged.volatility == pytest.approx(expected)


def test_what_is_not_known_is_refused():
    s = rm.Strategy({"A": 1.0, "B": -1.0}, model())
    with pytest.raises(rm.NotEstimatedError):
        s.optimised_volatility()
    with pytest.raises(rm.InvalidParameterError) as error:
        s.optimised_volatility(10, 10)
    assert error.value.details == {"choices": 10, "dates": 10}
    with pytest.raises(rm.InvalidParameterError):
        s.optimised_volatility(-1, 10)


def test_hedges_by_regression_realise_what_it_says():
    # 20 hedge weights from 100 dates: in sample (1 - 0.2) of the variance, out of sample 1 + 20 / 79
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(400):
        x, y = rng.normal(size=(100, 20)), rng.normal(size=100)
        h = np.linalg.lstsq(x, y, rcond=None)[0]
        ratios.append(np.sqrt((1 + h @ h) / np.mean((y - x @ h) ** 2)))
    assert np.mean(ratios) == pytest.approx(1 / (1 - 20 / 100), rel=0.02)


def test_a_report_says_it_where_it_matters():
    months = rm.SampleData(rm.MONTH)
    for start, said in (("2010-01", True), ("1930-01", False)):
        panel = months.panel(["Utils"], ["Mkt-RF", "SMB", "HML"], start=start)
        strategy = rm.Strategy({"Utils": 1.0}, rm.OLS().fit(panel))
        report = rm.RiskReport.of(strategy, panel, rm.RiskBudget(1e6, rm.MONTH))
        assert any("3 hedge weights" in note for note in report.notes) is said
