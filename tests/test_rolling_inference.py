"""Errors and bands of every window are those of the window alone."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import riskmodel as rm
from tests import panels

WINDOW = rm.Horizon(120)
ESTIMATORS = {"OLS": rm.OLS(), "EWMA": rm.EWMA(half_life=rm.Horizon(60))}
COVARIANCES = [rm.Cosine(), rm.HC3(), rm.HAC(), rm.HAC(lags=4)]


@pytest.fixture(scope="module", params=["clean", "ragged"])
def panel(request):
    return panels.clean(n=6) if request.param == "clean" else panels.ragged().select([f"A{i}" for i in range(1, 8)])


@pytest.fixture(scope="module", params=list(ESTIMATORS))
def history(request, panel):
    return rm.Rolling(WINDOW, ESTIMATORS[request.param], minimum=30, every=45).fit(panel)


def book_of(history):
    """A long-short book of assets that most windows have."""
    known = history.idio_variance.notna().sum().sort_values(kind="stable").index[-3:]
    return dict(zip(known, (0.5, 0.7, -0.2), strict=True))


@pytest.mark.parametrize("covariance", COVARIANCES, ids=repr)
class TestEachWindow:
    def test_errors_are_those_of_the_window(self, history, covariance):
        rolling = rm.RollingInference(history, covariance)
        every = rolling.std_errors()
        for date, model in history.items():
            got = pd.DataFrame({p: every.loc[date, p].loc[model.assets] for p in ["alpha", *model.factors]})
            np.testing.assert_allclose(got, rolling.on(date).std_errors(), rtol=1e-7)
        assert (every["alpha"].notna() == history.alpha.notna()).all(axis=None)

    def test_bands_are_those_of_the_table(self, history, covariance):
        book, rolling = book_of(history), rm.RollingInference(history, covariance)
        exposures, alpha = rolling.exposures(book, level=0.9), rolling.alpha(book, level=0.9)
        seen = 0
        for date, model in history.items():
            if not set(book) <= set(model.assets):
                assert exposures.loc[date].isna().all()
                assert alpha.loc[date].isna().all()
                continue
            table = rolling.on(date).table(rm.Strategy(book, model), level=0.9)
            for factor in model.factors:
                row = table.loc[f"exposure {factor}", ["estimate", "low", "high"]].to_numpy(dtype=float)
                np.testing.assert_allclose(exposures.loc[date, factor], row, rtol=1e-7)
            row = table.loc["alpha", ["estimate", "low", "high"]].to_numpy(dtype=float)
            np.testing.assert_allclose(alpha.loc[date], row, rtol=1e-6)
            seen += 1
        assert seen >= 3


@pytest.mark.parametrize(
    ("covariance", "how"),
    [(rm.HC3(), {"cov_type": "HC3"}), (rm.HAC(lags=5), {"cov_type": "HAC", "cov_kwds": {"maxlags": 5}})],
    ids=["HC3", "HAC 5"],
)
def test_robust_errors_of_windows_are_those_of_statsmodels(covariance, how):
    panel = panels.clean(n=3)
    history = rm.Rolling(WINDOW, every=60).fit(panel)
    errors = rm.RollingInference(history, covariance).std_errors()
    for date, start in history.starts.items():
        window = panel.select(start=start, end=date)
        for asset in panel.assets:
            fitted = sm.OLS(window.excess_returns[asset], sm.add_constant(window.factor_returns)).fit(**how)
            np.testing.assert_allclose(errors.loc[date].xs(asset, level="asset"), fitted.bse, rtol=1e-9)


def test_classical_errors_are_those_of_the_history():
    history = rm.Rolling(WINDOW, every=60).fit(panels.ragged())
    rolling = rm.RollingInference(history, rm.Classical())
    pd.testing.assert_frame_equal(rolling.std_errors(), history.std_errors)
    clean = rm.Rolling(WINDOW, every=60).fit(panels.clean(n=4))
    band = rm.RollingInference(clean, rm.Classical()).exposures({"A1": 1.0})
    half = (band.xs("high", axis=1, level=1) - band.xs("low", axis=1, level=1)) / 2
    t = stats.t.ppf(0.975, 120 - 4)
    np.testing.assert_allclose(half, t * clean.std_errors.xs("A1", axis=1, level="asset").drop(columns="alpha"))


def test_no_later_return_moves_a_band():
    panel = panels.clean(n=4)
    r, f, _ = (a.copy() for a in panel.arrays())
    r[200:] *= 3.0
    f[200:] += 0.01
    before, after = (rm.RollingInference(rm.Rolling(WINDOW, every=20).fit(p)) for p in (panel, panels.panel_of(r, f)))
    dates = before.history.dates[before.history.dates < panel.dates[200]]
    for ask in (lambda x: x.exposures({"A0": 1.0}), lambda x: x.alpha({"A0": 1.0}), lambda x: x.std_errors()):
        np.testing.assert_allclose(ask(before).loc[dates], ask(after).loc[dates], rtol=1e-9)
        assert not np.allclose(ask(before).iloc[-1], ask(after).iloc[-1])


class TestRefusals:
    def test_models_without_regressions(self):
        parts = rm.Assembled(rm.PrincipalComponents(1), rm.SampleCovariance(), rm.SampleVariance())
        history = rm.Rolling(WINDOW, parts, every=100).fit(panels.clean(n=4))
        with pytest.raises(rm.NotEstimatedError):
            rm.RollingInference(history)

    def test_shrunk_loadings(self):
        parts = rm.Assembled(rm.Vasicek(rm.TimeSeries(rm.OLS())), rm.SampleCovariance(), rm.SampleVariance())
        history = rm.Rolling(WINDOW, parts, every=100).fit(panels.clean(n=4))
        with pytest.raises(rm.NotEstimatedError) as error:
            rm.RollingInference(history)
        assert error.value.details["parts"] == ["alpha", "loadings"]

    def test_books_and_levels(self):
        rolling = rm.RollingInference(rm.Rolling(WINDOW, every=100).fit(panels.clean(n=4)))
        with pytest.raises(rm.UnknownAssetError):
            rolling.exposures({"B": 1.0})
        with pytest.raises(rm.InvalidParameterError) as error:
            rolling.alpha({"A0": 1.0}, level=95)
        assert error.value.details["parameter"] == "level"
        with pytest.raises(rm.UnknownDateError):
            rolling.on("1999-01-01")
