"""The long-run volatility, which is known badly."""

import sys
from pathlib import Path

import numpy as np
import panels
import pytest

import riskmodel as rm

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import coverage


def found(design, repetitions=80, t=1_260):
    inside, widths = [], []
    for i in range(repetitions):
        rng = np.random.default_rng([i, 5])
        returns, factors, truth = design(rng, t)
        panel = coverage.panel_of(returns, factors)
        model = rm.OLS().fit(panel)
        got = rm.Inference.of(model, panel).long_run_volatility(rm.Strategy({"A0": 1.0}, model))
        a = truth.loadings[0] @ truth.covariance @ truth.loadings[0]
        inside.append(got.low <= np.sqrt(a + truth.idio[0]) <= got.high)
        widths.append(got.high / got.low)
    return np.mean(inside), np.median(widths)


def of_population(rng, t):
    """The design with clusters, with the parameters that long windows come to."""
    alpha, loadings, mean, f, v = coverage.parameters(np.random.default_rng(rng.integers(2**31)), 1, 1)
    h, z = coverage.garch_path(rng, t, 0.08, 0.90)
    factors = mean + np.sqrt(h * f[0, 0])[:, None] * z[:, None]
    returns = alpha + factors @ loadings.T + np.sqrt(0.3 + 0.7 * h)[:, None] * coverage.normal(rng, (t, 1)) * np.sqrt(v)
    return returns, factors, coverage.Truth(alpha, loadings, mean, f, v)


def test_it_covers_the_unconditional_volatility_of_clusters():
    share, width = found(of_population)
    assert share > 0.88
    assert width > 1.2


def test_the_interval_of_this_window_does_not():
    inside = []
    for i in range(80):
        returns, factors, truth = of_population(np.random.default_rng([i, 5]), 1_260)
        panel = coverage.panel_of(returns, factors)
        model = rm.OLS().fit(panel)
        row = rm.Inference.of(model, panel).table(rm.Strategy({"A0": 1.0}, model)).loc["volatility"]
        true = np.sqrt(truth.loadings[0] @ truth.covariance @ truth.loadings[0] + truth.idio[0])
        inside.append(row["low"] <= true <= row["high"])
    assert np.mean(inside) < 0.85


def test_it_covers_without_clusters():
    share, _ = found(coverage.of_shocks(1, 1, coverage.normal, coverage.normal), 60)
    assert share > 0.9


def test_horizons_and_short_windows():
    panel = panels.clean(n=2, t=1_300)
    model = rm.OLS().fit(panel)
    inference = rm.Inference.of(model, panel)
    day, year = (inference.long_run_volatility(rm.Strategy({"A0": 1.0}, m)) for m in (model, model.at(rm.YEAR)))
    assert day.of is rm.LONG_RUN
    assert year.high == pytest.approx(day.high * np.sqrt(252))
    short = panels.clean(n=1)
    model = rm.OLS().fit(short)
    with pytest.raises(rm.NotEstimatedError) as error:
        rm.Inference.of(model, short).long_run_volatility(rm.Strategy({"A0": 1.0}, model))
    assert error.value.details["dates"] == 300
