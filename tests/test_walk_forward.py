"""A history of models: when windows end, and hedging each day with the model of the day before."""

import numpy as np
import pandas as pd
import pytest
from panels import clean, panel_of, ragged
from test_estimators import PrincipalComponents

import riskmodel as rm


@pytest.fixture(scope="module")
def panel():
    return rm.SampleData().panel(["KO", "XOM", "MSFT"], ["Mkt-RF"], start="2016-01-01")


def by_objects(history, weights, dates):
    """The same through a strategy and a hedge for each day."""
    earned = []
    for date in dates:
        before = history.panel.dates[history.panel.dates < date][-1]
        hedged = rm.HedgedPortfolio.neutral(rm.Strategy(weights, history.asof(before)))
        earned.append(hedged.excess_returns(history.panel.select(start=date, end=date)).iloc[0])
    return np.array(earned)


@pytest.mark.parametrize(
    "window",
    [
        rm.Rolling(rm.YEAR),
        rm.Rolling(rm.YEAR, every=rm.MONTH),
        rm.Rolling(rm.YEAR, rm.EWMA(half_life=rm.MONTH), every=5),
        rm.Expanding(minimum=300),
        rm.Rolling(rm.YEAR, minimum=60),
        rm.Rolling(rm.YEAR, PrincipalComponents(2), every=rm.QUARTER),
    ],
    ids=["daily", "monthly", "EWMA", "expanding", "short", "components"],
)
def test_walking_forward_is_hedging_by_objects(panel, window):
    history = window.fit(panel)
    weights = {"KO": 1.0, "MSFT": -0.5}
    walked = history.excess_returns(weights)
    assert walked.index[0] == panel.dates[panel.dates > history.dates[0]][0]
    assert walked.index[-1] == panel.dates[-1]
    some = walked.index[::29]
    np.testing.assert_allclose(walked.loc[some, "hedged"], by_objects(history, weights, some), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(walked["unhedged"], walked["tracking"] + walked["hedged"], atol=1e-16)
    naive = panel.excess_returns["KO"] - 0.5 * panel.excess_returns["MSFT"]
    np.testing.assert_allclose(walked["unhedged"], naive.loc[walked.index], atol=1e-16)


def test_exposures_are_those_of_each_model(panel):
    history = rm.Rolling(rm.YEAR, every=21).fit(panel)
    exposures = history.exposures(pd.Series({"KO": 2.0, "XOM": -1.0}))
    for date, model in history.items():
        expected = rm.Strategy({"KO": 2.0, "XOM": -1.0}, model).exposures
        np.testing.assert_allclose(exposures.loc[date], expected, rtol=1e-13)


def test_no_look_ahead_of_the_walk(panel):
    cut = panel.dates[300]
    changed = panel.excess_returns.copy()
    changed.loc[cut:] *= -2.0
    other = panel_of(changed.to_numpy(), panel.factor_returns.to_numpy())
    one, two = (rm.Rolling(rm.YEAR).fit(p).exposures({"A0": 1.0}) for p in (other, panel_of(*panel.arrays()[:2])))
    before = one.index < other.dates[300]
    assert one[before].equals(two[before])
    assert not one[~before].equals(two[~before])


def test_what_is_missing_is_nan_not_zero():
    data = ragged()
    history = rm.Rolling(rm.Horizon(60)).fit(data)
    holed = data.excess_returns.iloc[100:].isna().sum().idxmax()
    walked = history.excess_returns({holed: 1.0})
    missing = data.excess_returns[holed].loc[walked.index].isna()
    assert missing.any()
    assert walked.loc[missing, ["unhedged", "hedged"]].isna().all(axis=None)


def test_weights_are_checked(panel):
    history = rm.Rolling(rm.YEAR).fit(panel)
    for weights in (None, "KO", [1.0], {"KO": np.nan}, {"KO": 0.0}, {}):
        with pytest.raises(rm.InvalidParameterError):
            history.excess_returns(weights)
    with pytest.raises(rm.UnknownAssetError):
        history.exposures({"K": 1.0})


def test_a_factor_that_nobody_can_hold_is_no_hedge():
    market = rm.PublishedFactor("Mkt-RF", tradable=False)
    panel = rm.SampleData().panel(["KO"], [market], start="2017-01-01")
    history = rm.Rolling(rm.YEAR).fit(panel)
    with pytest.raises(rm.InvalidParameterError) as error:
        history.excess_returns({"KO": 1.0})
    assert error.value.details["factors"] == ["Mkt-RF"]
    assert history.exposures({"KO": 1.0}).notna().all(axis=None)


# -- when windows end ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("every", "freq"), [(rm.WEEK, "W"), (rm.MONTH, "M"), (rm.QUARTER, "Q"), (rm.YEAR, "Y")], ids=str
)
def test_windows_end_with_each_period(panel, every, freq):
    history = rm.Rolling(rm.Horizon(100), every=every).fit(panel)
    own = panel.dates[99:]
    last = own[np.append(own.to_period(freq)[1:] != own.to_period(freq)[:-1], False)]
    assert set(last) <= set(history.dates)
    # the panel ends on Friday, 30 November 2018, the last weekday of its week and month, but not of its quarter
    ended = {"W": True, "M": True, "Q": False, "Y": False}[freq]
    assert history.dates[len(last) :].tolist() == ([panel.dates[-1]] if ended else [])
    daily = rm.Rolling(rm.Horizon(100)).fit(panel)
    np.testing.assert_allclose(history.alpha, daily.alpha.loc[history.dates], rtol=1e-8, atol=1e-16)


def test_a_period_that_is_not_over_has_no_window(panel):
    history = rm.Expanding(minimum=50, every=rm.MONTH).fit(panel.select(end="2018-11-28"))
    assert history.dates[-1] == pd.Timestamp("2018-10-31")


@pytest.mark.parametrize("every", [1, 3, 21, rm.Horizon(10)])
def test_every_so_many_rows(panel, every):
    rows = every if isinstance(every, int) else 10
    history, daily = (rm.Rolling(rm.Horizon(100), every=e).fit(panel) for e in (every, None))
    assert history.dates.equals(daily.dates[::rows])
    np.testing.assert_allclose(history.idio_variance, daily.idio_variance.loc[history.dates], rtol=1e-9)
    np.testing.assert_allclose(history.std_errors, daily.std_errors.loc[history.dates], rtol=1e-9)


@pytest.mark.parametrize("estimator", [rm.OLS(), PrincipalComponents(2)], ids=["OLS", "own"])
def test_a_window_that_is_not_full_yet_is_allowed_by_minimum(estimator):
    panel = clean(t=104)
    assert len(rm.Rolling(rm.YEAR, estimator, minimum=60).fit(panel)) == 45
    history = rm.Rolling(rm.Horizon(80), estimator, minimum=60).fit(panel)
    assert history.dates.equals(panel.dates[59:].rename("date"))
    assert (history.starts == panel.dates[0]).sum() == 21
    alone = estimator.fit(panel.select(start=history.starts.iloc[30], end=history.dates[30]))
    np.testing.assert_allclose(history.on(history.dates[30]).loadings, alone.loadings, rtol=1e-9)


def test_what_every_may_be(panel):
    for wrong in (0, -1, 1.5, True, "M"):
        with pytest.raises(rm.InvalidParameterError):
            rm.Rolling(rm.YEAR, every=wrong)
    with pytest.raises(rm.InvalidParameterError):
        rm.Rolling(rm.YEAR, every=rm.Horizon(1.5)).fit(panel)
    with pytest.raises(rm.TooFewObservationsError):
        rm.Rolling(rm.Horizon(60), every=rm.YEAR).fit(panel.select(start="2017-01-05", end="2017-11-30"))


# -- models of any factors -------------------------------------------------------------------------


class Growing(rm.Estimator):
    """More components as time goes by."""

    def fit(self, panel):
        return PrincipalComponents(1 + len(panel.dates) // 366).fit(panel)


def test_a_history_of_models_whose_factors_differ(panel):
    history = rm.Expanding(Growing(), minimum=100, every=rm.MONTH).fit(panel)
    assert list(history.factors) == ["PC1", "PC2", "PC3"]
    first, last = history.on(history.dates[0]), history.on(history.dates[-1])
    assert len(first.factors) == 1
    assert len(last.factors) > 1
    assert history.loadings["PC2"].iloc[0].isna().all()
    assert history.loadings["PC2"].iloc[-1].notna().all()
    again = Growing().fit(panel.select(end=history.dates[-1]))
    pd.testing.assert_frame_equal(last.loadings, again.loadings)
    walked = history.excess_returns({"KO": 1.0})
    some = walked.index[::61]
    np.testing.assert_allclose(walked.loc[some, "hedged"], by_objects(history, {"KO": 1.0}, some), atol=1e-13)
    with pytest.raises(rm.NotEstimatedError):
        _ = history.rsquared
