"""Ranges of realised over forecast volatility."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import clean

import riskmodel as rm

DAYS = pd.bdate_range("2000-01-31", periods=2_000, freq="BME")


def ratios(values, **options):
    return rm.VolatilityRatios.of(pd.Series(values, DAYS[: len(values)]), **options)


def log_normal(n, seed=0, sigma=0.3):
    return np.exp(np.random.default_rng(seed).normal(0.0, sigma, n))


def naive(values, level, step_share=0.5):
    """The range before each date and now: quantile tracking, written out."""
    half, first = (1 - level) / 2, max(19, math.ceil(2 / (1 - level) - 1e-9) - 1)
    start = np.sort(values[:first])

    def ends(p):
        return start[math.floor((first + 1) * p + 1e-9) - 1], start[math.ceil((first + 1) * (1 - p) - 1e-9) - 1]

    one = ends((1 - 0.6827) / 2)
    step = step_share * 0.5 * np.log(one[1] / one[0])
    low, high = np.log(ends(half))
    found = []
    for x in np.log(values[first:]):
        found.append((np.exp(low), np.exp(high)))
        was = low, high
        low = was[0] + step * (half - (x < was[0]))
        high = was[1] - step * (half - (x > was[1]))
    return found, (np.exp(low), np.exp(high))


@pytest.mark.parametrize("level", [0.7, 0.9, 0.95])
def test_tracks_quantiles(level):
    values = log_normal(150)
    got = ratios(values)
    found, now = naive(values, level)
    table = got.ranges(level)
    np.testing.assert_allclose(table[["low", "high"]], found)
    np.testing.assert_allclose(got.range(level), now)
    later = values[-len(table) :]
    np.testing.assert_array_equal(table["inside"], (table["low"] <= later) & (later <= table["high"]))


def test_starts_at_order_statistics_that_cover():
    inside = []
    for seed in range(400):
        values = log_normal(40, seed)
        low, high = ratios(values[:39]).range(0.95)
        assert (low, high) == (pytest.approx(values[:39].min()), pytest.approx(values[:39].max()))
        inside.append(low <= values[39] <= high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.033)


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from([0.7, 0.95]), st.floats(0.3, 3.0), st.floats(-1.0, 1.0))
def test_covers_after_the_distribution_changed(seed, level, wider, shift):
    values = log_normal(600, seed)
    values[200:] = np.exp(shift) * values[200:] ** wider
    table = ratios(values).ranges(level)
    assert table["inside"].iloc[-350:].mean() == pytest.approx(level, abs=0.05)


def test_a_date_is_one_observation():
    rng = np.random.default_rng(3)
    values = log_normal(60, 4)
    index = pd.MultiIndex.from_product([DAYS[:60], ["a", "b", "c"]], names=["date", "portfolio"])
    together = pd.Series(np.repeat(values, 3), index)
    for level in (0.7, 0.95):
        assert rm.VolatilityRatios.of(together).range(level) == pytest.approx(ratios(values).range(level))
    apart = rm.VolatilityRatios.of(pd.Series(np.exp(rng.normal(0, 0.3, 180)), index))
    assert set(np.round(3 * apart.ranges(0.7)["inside"], 9)) <= {0.0, 1.0, 2.0, 3.0}


def test_order_of_rows_does_not_matter():
    series = pd.Series(log_normal(80), DAYS[:80])
    mixed = series.sample(frac=1, random_state=0)
    assert rm.VolatilityRatios.of(mixed).range() == rm.VolatilityRatios.of(series).range()


@pytest.mark.parametrize("overlap", [1, 3])
def test_outcomes_that_are_not_over_are_not_used(overlap):
    values = log_normal(120)
    table = ratios(values, overlap=overlap).ranges(0.7)
    for changed in (60, 90):
        other = values.copy()
        other[changed:] *= 3.0
        again = ratios(other, overlap=overlap).ranges(0.7)
        # the range of a date may depend on outcomes of dates `overlap` + 1 before it, and not on later ones
        same = table.index <= DAYS[changed + overlap]
        pd.testing.assert_frame_equal(table.loc[same, ["low", "high"]], again.loc[same, ["low", "high"]])
        assert (table["low"] != again["low"]).loc[DAYS[changed + overlap + 1] :].any()


def test_forecast_of_a_portfolio():
    panel = clean(n=3, t=300)
    model = rm.OLS().fit(panel)
    book = rm.Strategy({"A0": 1.0, "A1": -1.0}, model)
    held = ratios(log_normal(50))
    low, high = held.range(0.7)
    got = held.forecast(book, 0.7)
    sigma = float(book.volatility)
    assert (got.estimate, got.low, got.high) == pytest.approx((sigma, sigma * low, sigma * high))
    assert (got.of, got.level) == (rm.NEXT_MONTH, 0.7)
    yearly = held.forecast(rm.Strategy(book.weights, model.at(rm.YEAR)), 0.7)
    assert yearly.high == pytest.approx(got.high * math.sqrt(252))
    quarter = ratios(log_normal(50), horizon=rm.QUARTER).forecast(book)
    assert str(quarter.of) == f"next {rm.QUARTER}"


def test_refuses_too_few_dates():
    with pytest.raises(rm.NotEstimatedError) as error:
        ratios(log_normal(30)).range(0.95)
    assert error.value.details == {"dates": 30, "minimum": 39, "level": 0.95}


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_refuses_what_is_no_ratio(bad):
    with pytest.raises(rm.InvalidParameterError) as error:
        ratios([1.0, bad, 1.2])
    assert error.value.details["parameter"] == "ratios"


@pytest.fixture(scope="module")
def record():
    history = rm.Rolling(rm.Horizon(120), every=20).fit(clean(seed=3, t=320, n=4, k=2))
    return history.hedged({"A0": 0.5, "A1": 0.7})


class TestOfHedges:
    def test_are_root_mean_squares_over_what_was_promised(self, record):
        table = record.ratios(rm.Horizon(30))
        n = len(record.returns)
        assert len(table) == n // 30
        last = slice(n - 30, n)
        for column in ("unhedged", "hedged"):
            realised = np.sqrt((record.returns[column].iloc[last] ** 2).mean())
            promised = np.sqrt(record.promised[column].iloc[last].mean())
            assert table[column].iloc[-1] == pytest.approx(realised / promised)
        assert table.index[-1] == record.returns.index[-1]
        assert table.index[-2] == record.returns.index[-31]

    @pytest.mark.parametrize("window", [rm.DAY, rm.Horizon(1.5)])
    def test_windows_are_whole_rows(self, record, window):
        with pytest.raises(rm.InvalidParameterError) as error:
            record.ratios(window)
        assert error.value.details["parameter"] == "window"

    def test_a_record_shorter_than_a_window(self, record):
        with pytest.raises(rm.TooFewObservationsError) as error:
            record.ratios(rm.YEAR)
        assert error.value.details == {"rows": 252, "dates": len(record.returns)}


@pytest.fixture(scope="module")
def model():
    provider = rm.SampleData()
    return rm.recommended().fit(provider.panel(["KO", "PEP", "XOM", "JPM"], [], start="2016-12-01"))


class TestMeasured:
    def test_kinds_of_portfolios(self, model):
        of_long = rm.recommended_ratios(rm.Strategy({"KO": 0.5, "PEP": 0.5}, model))
        spread = rm.recommended_ratios(rm.Strategy({"KO": 0.5, "PEP": -0.5}, model))
        for level in (0.7, 0.95):
            low, high = of_long.range(level)
            inner, outer = spread.range(level)
            assert low < inner < 1 < outer
            assert high / low > 1.1 * outer / inner
        assert of_long.range(0.7) == (0.643, 1.258)

    @pytest.mark.parametrize("horizon", [rm.WEEK, rm.MONTH, rm.QUARTER])
    def test_ranges_widen_with_the_level(self, model, horizon):
        measured = rm.recommended_ratios(rm.Strategy({"KO": 1.0}, model), horizon)
        ranges = [measured.range(level) for level in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)]
        assert sorted(ranges, key=lambda r: -r[0]) == ranges == sorted(ranges, key=lambda r: r[1])
        with pytest.raises(rm.NotEstimatedError):
            measured.range(0.999)

    def test_own_ratios_move_the_measured_range(self, model):
        measured = rm.recommended_ratios(rm.Strategy({"KO": 1.0}, model))
        few = ratios(log_normal(5, sigma=0.01) * 3.0)
        low, high = few.after(measured).range(0.7)
        assert low > measured.range(0.7)[0]
        assert high > measured.range(0.7)[1]
        assert len(few.after(measured).ranges(0.7)) == 5
        ours = ratios(log_normal(60))
        assert few.after(ours).ranges(0.7).iloc[0, :2].tolist() != list(few.after(measured).ranges(0.7).iloc[0, :2])
        with pytest.raises(rm.HorizonMismatchError):
            ratios(log_normal(5), horizon=rm.QUARTER).after(measured)

    def test_refuses_other_models_and_horizons(self, model):
        regression = rm.OLS().fit(clean(n=2, t=100))
        with pytest.raises(rm.NotEstimatedError):
            rm.recommended_ratios(rm.Strategy({"A0": 1.0}, regression))
        with pytest.raises(rm.InvalidParameterError) as error:
            rm.recommended_ratios(rm.Strategy({"KO": 1.0}, model), rm.YEAR)
        assert error.value.details["parameter"] == "horizon"
