"""The printed regression with robust errors is that of statsmodels with the same covariance."""

import numpy as np
import pandas as pd
import panels
import pytest
import statsmodels.api as sm
from scipy import stats

import riskmodel as rm


def rows_of(summary):
    head, *rows = summary.tables[1].data
    return pd.DataFrame([[float(x) for x in row[1:]] for row in rows], [row[0] for row in rows], head[1:])


@pytest.mark.parametrize(
    ("covariance", "how"),
    [
        (rm.HC3(), {"cov_type": "HC3"}),
        (rm.HAC(lags=0), {"cov_type": "HC0"}),
        (rm.HAC(lags=6), {"cov_type": "HAC", "maxlags": 6, "use_correction": False}),
    ],
    ids=["HC3", "HC0", "HAC 6"],
)
def test_summary_is_that_of_statsmodels(covariance, how):
    panel = panels.clean(n=3)
    inference = rm.Inference.of(rm.OLS().fit(panel), panel, covariance)
    design = sm.add_constant(panel.factor_returns).rename(columns={"const": "alpha"})
    theirs = sm.OLS(panel.excess_returns["A1"], design).fit().get_robustcov_results(use_t=True, **how)
    got = inference.summary("A1")
    pd.testing.assert_frame_equal(rows_of(got), rows_of(theirs.summary()))
    text = str(got)
    assert repr(covariance) in text
    top = {row[i].strip(): row[i + 1].strip() for row in got.tables[0].data for i in (0, 2)}
    assert float(top["F-statistic:"]) == pytest.approx(float(theirs.fvalue), rel=1e-3)


@pytest.mark.parametrize("estimator", [rm.OLS(), rm.EWMA(half_life=rm.Horizon(90))], ids=["OLS", "EWMA"])
@pytest.mark.parametrize("covariance", [rm.Cosine(), rm.HC3(), rm.HAC(lags=3)], ids=repr)
def test_errors_are_those_of_the_inference(estimator, covariance):
    panel = panels.ragged().select(["A1", "A2"])
    model = estimator.fit(panel)
    inference = rm.Inference.of(model, panel, covariance)
    got, errors = rows_of(inference.summary("A2")), inference.std_errors().loc["A2"].to_numpy()
    np.testing.assert_allclose(got["std err"], errors, atol=6e-4)
    estimates = np.array([model.alpha["A2"], *model.loadings.loc["A2"]])
    np.testing.assert_allclose(got["t"], estimates / errors, rtol=1e-3, atol=6e-4)
    table = inference.table(rm.Strategy({"A2": 1.0}, model))
    ends = [table.loc[name, ["low", "high"]].to_list() for name in ("alpha", "exposure F0", "exposure F2")]
    np.testing.assert_allclose(got.loc[["alpha", "F0", "F2"], ["[0.025", "0.975]"]], ends, atol=6e-4)
    assert repr(covariance) in str(inference.summary("A2"))


def test_automatic_lags_are_those_of_all_assets_errors():
    panel = panels.ragged().select(["A1", "A2"])
    inference = rm.Inference.of(rm.OLS().fit(panel), panel, rm.HAC())
    np.testing.assert_allclose(rows_of(inference.summary("A2"))["std err"], inference.std_errors().loc["A2"], atol=6e-4)


def test_alpha_has_the_degrees_of_the_cosines():
    panel = panels.clean(n=1)
    model = rm.OLS().fit(panel)
    got = rows_of(rm.Inference.of(model, panel, rm.Cosine(number=5)).summary("A0"))
    table = rm.Inference.of(model, panel, rm.Cosine(number=5)).alphas().table().iloc[0]
    assert got.loc["alpha", "P>|t|"] == pytest.approx(2 * stats.t.sf(abs(table["tvalue"]), 5), abs=6e-4)


def test_classical_errors_are_those_of_the_model():
    panel = panels.ragged()
    model = rm.OLS().fit(panel)
    got = rm.Inference.of(model, panel, rm.Classical()).summary("A4")
    assert str(got.tables[1]) == str(model.summary("A4", panel).tables[1])


def test_refusals():
    panel = panels.clean(n=2)
    inference = rm.Inference.of(rm.OLS().fit(panel), panel)
    with pytest.raises(rm.UnknownAssetError):
        inference.summary("B")
