"""Forecasts and frames of a history in cvxportfolio's own backtests: no look-ahead, its time zone, its cache."""

import numpy as np
import pandas as pd
import pytest
from interop_peers import market, peer, tables

import riskmodel as rm

cvx = peer("cvxportfolio")

from riskmodel.interop.cvxportfolio import FactorModelForecast, frames  # noqa: E402

X, F = tables(dates=300, assets=5)
TIMES = X.index.tz_localize("America/New_York") + pd.Timedelta(hours=9.5)
HISTORY = pd.Timedelta("150D")


def data(returns=X):
    table = returns.set_axis(TIMES).assign(cash=1e-4)
    return cvx.UserProvidedMarketData(returns=table, cash_key="cash", min_history=HISTORY)


def expected(returns, factors, estimator=None):
    panel = rm.InMemory(returns - 1e-4, factors=factors, risk_free=0.0, horizon=rm.DAY, return_type=rm.EXCESS).panel(
        list(returns), list(factors)
    )
    return (estimator or rm.OLS()).fit(panel).covariance


@pytest.mark.parametrize("factors", [F, F.set_axis(TIMES)], ids=["days", "times"])
def test_a_forecast_is_the_model_of_the_rows_before(factors):
    market_data = data()
    t = market_data.trading_calendar()[20]
    g, d = FactorModelForecast(rm.EWMA(rm.MONTH), factors).estimate(market_data, t)
    before = t > TIMES
    model = expected(X[before], F[before], rm.EWMA(rm.MONTH))
    np.testing.assert_allclose(g.T @ g + np.diag(d), model.to_dense(), atol=1e-17)
    assert g.shape == (3, 5)


def test_later_returns_change_no_forecast():
    t = data().trading_calendar()[20]
    changed = X.copy()
    changed.loc[t <= TIMES] *= -1.0
    ours, other = (FactorModelForecast(rm.OLS(), F).estimate(data(x), t) for x in (X, changed))
    np.testing.assert_array_equal(ours[0], other[0])
    np.testing.assert_array_equal(ours[1], other[1])


def test_its_cache_tells_estimators_and_factors_apart():
    same, again = FactorModelForecast(rm.OLS(), F), FactorModelForecast(rm.OLS(), F.copy())
    others = [
        FactorModelForecast(rm.OLS(), F + 1e-9),
        FactorModelForecast(rm.OLS(), F.iloc[:-1]),
        FactorModelForecast(rm.OLS(), F.rename(columns={"HML": "UMD"})),
        FactorModelForecast(rm.OLS(), F.set_axis(TIMES)),
        FactorModelForecast(rm.EWMA(rm.MONTH), F),
        FactorModelForecast(rm.OLS(), F, columns=4),
    ]
    assert str(same) == str(again)
    assert len({str(f) for f in [same, *others]}) == len(others) + 1
    market_data, cache = data(), {}
    t = market_data.trading_calendar()[20]
    past = X.set_axis(TIMES).assign(cash=1e-4)[t > TIMES]
    found = []
    for forecast in (same, others[0], others[4]):
        forecast.initialize_estimator_recursive(universe=past.columns, trading_calendar=TIMES)
        found.append(forecast.values_in_time_recursive(t=t, past_returns=past, cache=cache)[1])
    assert len(cache) == 3
    assert not np.array_equal(found[0], found[2])


def backtest(risk, n=5):
    policy = cvx.SinglePeriodOptimization(
        cvx.ReturnsForecast(r_hat=pd.Series(np.linspace(0, 1e-3, 5), X.columns)) - 5.0 * risk,
        [cvx.LongOnly(), cvx.LeverageLimit(1.0)],
        include_cash_return=False,
        solver="CLARABEL",
    )
    market_data = data()
    simulator = cvx.MarketSimulator(market_data=market_data)
    calendar = market_data.trading_calendar()
    return simulator.run_backtest(policy, start_time=calendar[10], end_time=calendar[10 + n]).w


def structured(**forecast):
    f = FactorModelForecast(rm.OLS(), F, **forecast)
    return cvx.FactorModelCovariance(num_factors=f.columns, Sigma=None, F_and_d_Forecaster=f)


def test_a_backtest_has_the_weights_of_the_dense_form():
    calendar = data().trading_calendar()
    dense = pd.concat({t: expected(X[t > TIMES], F[t > TIMES]).to_dense() for t in calendar[8:18]})
    theirs = backtest(cvx.FullCovariance(dense))
    np.testing.assert_allclose(backtest(structured()), theirs, atol=1e-5)
    np.testing.assert_allclose(backtest(structured(columns=5)), theirs, atol=1e-5)


def test_a_backtest_on_the_frames_of_a_history():
    panel = rm.InMemory(X - 1e-4, factors=F, risk_free=0.0, horizon=rm.DAY, return_type=rm.EXCESS).panel(
        list(X), list(F)
    )
    history = rm.Expanding(rm.OLS(), minimum=60).fit(panel)
    tables_ = frames(history, data().trading_calendar())
    np.testing.assert_allclose(backtest(cvx.FactorModelCovariance(**tables_)), backtest(structured()), atol=1e-5)


class TestFrames:
    PANEL = market(dates=120, assets=4)
    HISTORY = rm.Rolling(rm.MONTH, every=10).fit(PANEL)
    CALENDAR = PANEL.dates.tz_localize("UTC") + pd.Timedelta(hours=14.5)

    def test_each_time_has_the_latest_model_of_an_earlier_day(self):
        found = frames(self.HISTORY, self.CALENDAR)
        assert found["d"].index.tz is self.CALENDAR.tz
        for t in found["d"].index:
            model = self.HISTORY.asof(t.tz_localize(None).normalize() - pd.Timedelta(days=1))
            np.testing.assert_array_equal(found["d"].loc[t], model.idio_variance)
            np.testing.assert_array_equal(found["F"].loc[t], model.loadings.T)
            np.testing.assert_array_equal(found["Sigma_F"].loc[t], model.factor_covariance)
        first = self.HISTORY.dates[0]
        assert found["d"].index[0] == self.CALENDAR[self.PANEL.dates > first][0]
        assert found["F"].index.get_level_values(0).tz is self.CALENDAR.tz

    def test_the_days_are_those_of_the_calendars_own_clocks(self):
        tokyo = frames(self.HISTORY, self.PANEL.dates.tz_localize("Asia/Tokyo"))
        assert len(tokyo["d"]) == len(frames(self.HISTORY, self.CALENDAR)["d"])

    def test_what_is_refused(self):
        for calendar in (list(self.CALENDAR), self.CALENDAR[::-1], self.CALENDAR[:5], self.CALENDAR[:0]):
            with pytest.raises(rm.InvalidParameterError) as error:
                frames(self.HISTORY, calendar)
            assert error.value.details["parameter"] == "calendar"
        linked = X.assign(A01=X["A00"] + np.random.default_rng(0).normal(0, 1e-3, len(X)))
        panel = rm.InMemory(linked, factors=F, risk_free=0.0, horizon=rm.DAY).panel(list(X), list(F))
        parts = rm.Assembled(rm.TimeSeries(rm.OLS()), rm.SampleCovariance(), rm.Linked(rm.SampleVariance(), 0.7))
        with pytest.raises(rm.InvalidParameterError) as error:
            frames(rm.Rolling(rm.QUARTER, parts, every=100).fit(panel), self.CALENDAR)
        assert error.value.details["linked"]


def test_fewer_assets_than_factors_and_more_factors_than_columns():
    two = data(X[["A00", "A01"]])
    t = two.trading_calendar()[20]
    g, d = FactorModelForecast(rm.OLS(), F).estimate(two, t)
    assert g.shape == (2, 2)
    before = t > TIMES
    np.testing.assert_allclose(
        g.T @ g + np.diag(d), expected(X.loc[before, ["A00", "A01"]], F[before]).to_dense(), atol=1e-17
    )
    with pytest.raises(rm.InvalidParameterError) as error:
        FactorModelForecast(rm.OLS(), F, columns=2).estimate(data(), t)
    assert error.value.details["got"] == 3


def test_what_a_forecast_refuses():
    t = data().trading_calendar()[20]
    short = X.copy()
    short.iloc[:-200, 2] = np.nan
    past = short.set_axis(TIMES).assign(cash=1e-4).iloc[:102]
    with pytest.raises(rm.InvalidParameterError) as error:
        FactorModelForecast(rm.OLS(), F).values_in_time(t=TIMES[102], past_returns=past)
    assert error.value.details["assets"] == ["A02"]
    with pytest.raises(rm.InvalidParameterError) as error:
        FactorModelForecast(rm.OLS(), F.drop(F.index[7])).estimate(data(), t)
    assert error.value.details["missing"] == [TIMES[7].tz_convert("UTC")]
    with pytest.raises(rm.InvalidParameterError) as error:
        FactorModelForecast(rm.OLS(), None)
    assert error.value.details["parameter"] == "columns"
    components = rm.Assembled(rm.PrincipalComponents(2), rm.SampleCovariance(), rm.SampleVariance())
    g, _ = FactorModelForecast(components, columns=2).estimate(data(), t)
    assert g.shape == (2, 5)
