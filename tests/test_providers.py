"""Providers: what they take, what they give, and what a user's own subclass may get wrong."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm
from riskmodel._core.frames import constant_rate
from riskmodel.data.provider import require_horizon
from riskmodel.data.sample import _read

DAYS = pd.bdate_range("2020-01-01", periods=10)
NAMES = ["MSFT", "JPM", "WMT"]


def frame(columns, dates=DAYS, seed=0):
    return pd.DataFrame(0.01 * np.random.default_rng(seed).standard_normal((len(dates), len(columns))), dates, columns)


def memory(returns=None, factors=None, risk_free=0.0001, horizon=rm.DAY):
    returns = frame(NAMES) if returns is None else returns
    factors = frame(["Mkt-RF", "SMB"], seed=1) if factors is None else factors
    return rm.InMemory(returns, factors=factors, risk_free=risk_free, horizon=horizon)


class Own(rm.DataProvider):
    """A provider whose methods return whatever a test says."""

    horizon = rm.DAY

    def __init__(self, **returned):
        data = memory()
        self.returned = {
            "assets": data.asset_returns(NAMES), "factors": data.factor_returns(["Mkt-RF", "SMB"]),
            "rate": data.risk_free(),
        } | returned  # fmt: skip

    def asset_returns(self, assets, start=None, end=None):
        return self.returned["assets"]

    def factor_returns(self, names, start=None, end=None):
        return self.returned["factors"]

    def risk_free(self, start=None, end=None):
        return self.returned["rate"]


# -- panel ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Index, pd.Series, lambda x: dict.fromkeys(x).keys()])
def test_assets_and_factors_may_be_any_ordered_collection(kind):
    panel = memory().panel(kind(["JPM", "MSFT"]), kind(["SMB", "Mkt-RF"]))
    assert list(panel.assets) == ["JPM", "MSFT"]
    assert list(panel.factors) == ["SMB", "Mkt-RF"]


@pytest.mark.parametrize(
    ("bad", "hint"),
    [
        ("MSFT", r"'MSFT'; write \['MSFT'\]"),
        (5, r"5; write \[5\]"),
        (None, r"None; .*\[\] for none"),
        ((n for n in NAMES), r"a generator; write list\({}\)"),
        (map(str, NAMES), r"a map; write list\({}\)"),
    ],
)
@pytest.mark.parametrize("which", ["assets", "factors"])
def test_what_is_no_list_is_told_how_to_become_one(bad, hint, which):
    with pytest.raises(rm.InvalidParameterError, match=rf"{which} .*{hint.format(which)}\.") as error:
        memory().panel(**({"assets": NAMES, "factors": ["SMB"]} | {which: bad}))
    assert error.value.details == {"parameter": which, "got": bad}


def test_a_set_has_no_order_and_is_refused():
    with pytest.raises(rm.InvalidParameterError, match=r"write sorted\(assets\)"):
        memory().panel({"MSFT"}, [])


@pytest.mark.parametrize("empty", [[], (), pd.Index([]), np.array([])])
def test_no_assets_are_refused_and_no_factors_are_not(empty):
    with pytest.raises(rm.InvalidParameterError) as error:
        memory().panel(empty, ["SMB"])
    assert error.value.details == {"parameter": "assets", "got": []}
    assert memory().panel(["MSFT"], empty).factor_returns.shape == (10, 0)


def test_unknown_names_come_with_the_nearest():
    with pytest.raises(rm.UnknownAssetError, match=r"unknown asset: MSTF.*nearest to 'MSTF': MSFT") as caught:
        memory().panel(["MSTF"], ["SMB"])
    assert caught.value.details["nearest"] == {"MSTF": ["MSFT", "WMT"]}
    with pytest.raises(rm.UnknownFactorError, match="nearest to 'mkt': Mkt-RF"):
        memory().panel(["MSFT"], ["mkt"])
    with pytest.raises(LookupError, match="unknown asset: GOGL"):
        rm.SampleData().panel(["GOGL"], ["Mkt-RF"])


def test_names_asked_for_twice_are_refused():
    with pytest.raises(rm.DuplicateLabelsError, match=r"assets.*MSFT"):
        memory().panel(["MSFT", "MSFT"], ["SMB"])
    with pytest.raises(rm.DuplicateLabelsError, match=r"factors.*SMB"):
        memory().panel(["MSFT"], ["SMB", rm.PublishedFactor("SMB", funding=rm.FUNDED)])
    with pytest.raises(rm.DuplicateLabelsError, match=r"assets.*MSFT"):
        memory().asset_returns(["MSFT", "MSFT"])


def test_the_window_is_both_ends_included():
    panel = memory().panel(["MSFT"], ["SMB"], "2020-01-03", "2020-01-08")
    assert (panel.dates[0], panel.dates[-1]) == (pd.Timestamp("2020-01-03"), pd.Timestamp("2020-01-08"))
    with pytest.raises(rm.InvalidParameterError) as caught:
        memory().panel(["MSFT"], ["SMB"], "2020-01-08", "2020-01-03")
    assert caught.value.details == {"start": pd.Timestamp("2020-01-08"), "end": pd.Timestamp("2020-01-03")}
    with pytest.raises(rm.InvalidParameterError) as caught:
        memory().panel(["MSFT"], ["SMB"], end=20200108)
    assert caught.value.details == {"name": "end", "value": 20200108}


def test_a_window_outside_the_data_is_told_the_span_there_is():
    spans = r"InMemory.*, which spans 2020-01-01 to 2020-01-14, lies "
    with pytest.raises(rm.NoOverlapError, match=spans + r"from 2021-01-01; widen the window"):
        memory().panel(["MSFT"], ["SMB"], "2021")
    with pytest.raises(rm.NoOverlapError, match=spans + r"from 2018-01-01 and up to 2019-12-31; widen"):
        memory().panel(["MSFT"], ["SMB"], "2018", "2019")
    with pytest.raises(rm.NoOverlapError, match=r"SampleData.*, which spans 2000-01-03 to 2018-11-30, lies from 2019"):
        rm.SampleData().panel(["MSFT"], ["Mkt-RF"], "2019")
    late = memory(factors=frame(["SMB"], DAYS[5:]), risk_free=pd.Series(0.0, DAYS[2:]))
    with pytest.raises(rm.NoOverlapError, match="which spans 2020-01-03 to 2020-01-14, lies up to 2020-01-02"):
        late.panel(["MSFT"], ["SMB"], end=DAYS[1])
    with pytest.raises(rm.NoOverlapError, match=r"factors: 0 dates; .*check the window"):
        late.panel(["MSFT"], ["SMB"], end=DAYS[3])
    with pytest.raises(rm.NoOverlapError, match="check the window"):
        memory(risk_free=pd.Series(0.0, DAYS + pd.Timedelta(days=700))).panel(["MSFT"], ["SMB"], "2021")
    # other providers do not know theirs beforehand
    with pytest.raises(rm.NoOverlapError, match="from 2021-01-01 on"):
        Own().panel(["MSFT"], ["SMB"], "2021")


def test_the_panel_tells_what_alignment_left_out_within_the_window_only():
    data = memory(risk_free=pd.Series(0.0, DAYS.drop([DAYS[2], DAYS[8]])))
    assert data.panel(["MSFT"], ["SMB"]).dropped["date"].tolist() == [DAYS[2], DAYS[8]]
    assert data.panel(["MSFT"], ["SMB"], end=DAYS[5]).dropped["date"].tolist() == [DAYS[2]]


def test_neither_provider_nor_panel_follow_later_changes_of_what_was_passed():
    returns, factors, rate = frame(NAMES), frame(["F"], seed=1), pd.Series(0.0001, DAYS)
    before = [x.copy(deep=True) for x in (returns, factors, rate)]
    data = memory(returns, factors, rate)
    panel = data.panel(NAMES, ["F"])
    for now, then in zip((returns, factors, rate), before, strict=True):
        assert now.equals(then)
    for came in (returns, factors, rate):
        came.iloc[:] = 7.0
    for given in (data.asset_returns(NAMES), data.factor_returns(["F"]), data.risk_free()):
        assert given.to_numpy().max() < 1
        given.iloc[:] = 7.0
    assert data.asset_returns(NAMES).to_numpy().max() < 1
    assert data.risk_free().max() < 1
    for a, b in zip(panel.arrays(), data.panel(NAMES, ["F"]).arrays(), strict=True):
        np.testing.assert_array_equal(a, b)


# -- InMemory ---------------------------------------------------------------------------------------------------


def test_memory_gives_what_it_was_given_sorted_by_date():
    returns = frame(NAMES)
    data = memory(returns.iloc[::-1])
    pd.testing.assert_frame_equal(data.asset_returns(["WMT", "JPM"]), returns[["WMT", "JPM"]], check_freq=False)
    assert data.assets == NAMES
    assert data.factors == ["Mkt-RF", "SMB"]
    assert data.horizon == rm.DAY
    assert repr(data) == "<InMemory 10 dates × 3 assets, per day>"
    assert data.risk_free().name == "risk_free"
    assert len(data.risk_free("2020-01-03", "2020-01-08")) == 4


def test_memory_refuses_a_string_for_a_list():
    with pytest.raises(rm.InvalidParameterError, match=r"assets .*write \['MSFT'\]"):
        memory().asset_returns("MSFT")
    with pytest.raises(rm.InvalidParameterError, match=r"factors .*write \['SMB'\]"):
        memory().factor_returns("SMB")


def test_memory_takes_a_series_for_one_factor_and_none_for_no_factors():
    market = pd.Series(frame(["x"])["x"], name="Mkt-RF")
    assert memory(factors=market).factors == ["Mkt-RF"]
    none = rm.InMemory(frame(NAMES), factors=None, risk_free=0.0, horizon=rm.DAY)
    assert none.factors == []
    assert none.panel(["MSFT"], []).factor_returns.shape == (10, 0)
    with pytest.raises(rm.UnknownFactorError, match="there are none"):
        none.panel(["MSFT"], ["Mkt-RF"])


def test_memory_takes_labels_of_mixed_type():
    data = memory(frame(["A", 7]), frame(["F", 1], seed=1))
    panel = data.panel([7, "A"], [1, "F"])
    assert list(panel.assets) == [7, "A"]
    assert list(panel.factors) == [1, "F"]


@pytest.mark.parametrize(
    "rate", [0, 0.0001, np.float64(0.0001), np.float32(0.0001), np.int64(0), rm.Mean(0.0001, rm.DAY)]
)
def test_a_constant_rate_is_known_on_every_date(rate):
    data = memory(frame(NAMES).iloc[:8], frame(["F"]).iloc[2:], rate)
    np.testing.assert_allclose(data.risk_free(), np.full(10, float(rate)))
    assert set(data.panel(["MSFT"], ["F"]).dropped["reason"]) == {"no asset row", "no factor row"}


def test_a_yearly_rate_is_not_taken_for_a_daily_one():
    np.testing.assert_allclose(memory(risk_free=rm.Mean(0.02, rm.YEAR)).risk_free(), 0.02 / 252)
    with pytest.raises(rm.PercentReturnsError, match=r"rm\.Mean\(0\.02, rm\.YEAR\)"):
        memory(risk_free=0.02)
    with pytest.raises(rm.PercentReturnsError, match=r"rm\.YEAR\.scale_mean\(rate, to=rm\.DAY\)"):
        memory(risk_free=pd.Series(0.02, DAYS))


def test_memory_looks_at_the_whole_rate_and_not_at_the_window():
    days = pd.bdate_range("2008-01-01", periods=40)
    rate = pd.Series(np.repeat([0.017, 0.0], 20), days)
    with pytest.raises(rm.PercentReturnsError, match="divide by 100"):
        memory(frame(NAMES, days), frame(["F"], days), rate)
    assert memory(frame(NAMES, days), frame(["F"], days), rate / 100).panel(["MSFT"], ["F"], days[20]).dropped.empty


@pytest.mark.parametrize("rate", [np.nan, np.inf, True])
def test_a_rate_that_is_no_number_is_refused(rate):
    with pytest.raises(rm.InvalidParameterError, match="expected risk_free"):
        memory(risk_free=rate)


@pytest.mark.parametrize("rate", [None, "0.01", [0.0]])
def test_a_rate_that_is_no_series_is_refused(rate):
    with pytest.raises(rm.NonNumericError, match=r"give InMemory or StoredPanel a number"):
        memory(risk_free=rate)


@pytest.mark.parametrize("horizon", [None, 1, "day"])
def test_memory_needs_a_horizon(horizon):
    with pytest.raises(rm.InvalidParameterError, match=r"rm\.DAY"):
        memory(horizon=horizon)


def test_memory_refuses_bad_frames_at_once():
    returns = frame(NAMES)
    for bad, error in [
        (returns.iloc[[0, 0, 1]], rm.DuplicateDatesError),
        (returns[["MSFT", "MSFT"]], rm.DuplicateLabelsError),
        (returns.replace(returns.iloc[0, 0], np.inf), rm.InfiniteReturnsError),
        (returns.astype(str), rm.NonNumericError),
        (returns.reset_index(drop=True), rm.InvalidDatesError),
        (None, rm.NonNumericError),
    ]:
        with pytest.raises(error, match="asset returns"):
            rm.InMemory(bad, factors=None, risk_free=0.0, horizon=rm.DAY)
    monthly = frame(NAMES, pd.date_range("2000-01-31", periods=9, freq=pd.offsets.MonthEnd()))
    with pytest.raises(rm.SpacingError, match=r"horizon=rm\.MONTH"):
        rm.InMemory(monthly, factors=None, risk_free=0.0, horizon=rm.DAY)


# -- a user's own provider ----------------------------------------------------------------------------------------


def _same(panel):
    for a, b in zip(panel.arrays(), memory().panel(["JPM", "MSFT"], ["SMB"]).arrays(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_lazy_provider_may_ignore_names_order_window_and_sorting():
    _same(Own().panel(["JPM", "MSFT"], ["SMB"]))
    shuffled = {k: v.iloc[::-1] for k, v in Own().returned.items()}
    _same(Own(**shuffled).panel(["JPM", "MSFT"], ["SMB"]))
    zoned = {k: v.tz_localize("America/New_York") for k, v in Own().returned.items()}
    _same(Own(**zoned).panel(["JPM", "MSFT"], ["SMB"]))
    assert len(Own().panel(["JPM"], ["SMB"], end="2020-01-03").dates) == 3


@pytest.mark.parametrize("bad", [[0.1], None, {"MSFT": [0.1]}, np.zeros((10, 3))])
def test_methods_that_return_no_frame_are_named(bad):
    with pytest.raises(rm.NonNumericError, match=r"expected Own\.asset_returns as a table"):
        Own(assets=bad).panel(["MSFT"], ["SMB"])
    with pytest.raises(rm.NonNumericError, match=r"expected Own\.factor_returns as a table"):
        Own(factors=bad).panel(["MSFT"], ["SMB"])


@pytest.mark.parametrize("bad", [[0.1], None, 0.0, np.zeros(10)])
def test_a_rate_that_is_no_series_is_refused_from_a_provider_too(bad):
    with pytest.raises(rm.NonNumericError, match="expected the risk-free rate as a pandas Series"):
        Own(rate=bad).panel(["MSFT"], ["SMB"])


def test_columns_that_a_provider_left_out_are_unknown():
    with pytest.raises(rm.UnknownAssetError, match="unknown asset: WMT"):
        Own(assets=frame(["MSFT"])).panel(["MSFT", "WMT"], ["SMB"])
    with pytest.raises(rm.UnknownFactorError, match="unknown factor: SMB"):
        Own(factors=frame(["HML"])).panel(["MSFT"], ["SMB"])


def test_bad_numbers_from_a_provider_are_refused():
    with pytest.raises(rm.DuplicateLabelsError, match=r"columns of Own\.asset_returns"):
        Own(assets=frame(["MSFT", "MSFT"])).panel(["MSFT"], ["SMB"])
    with pytest.raises(rm.DuplicateDatesError):
        Own(assets=frame(NAMES).iloc[[0, 0, 1]]).panel(["MSFT"], ["SMB"])
    with pytest.raises(rm.PercentReturnsError):
        Own(factors=100 * frame(["SMB"])).panel(["MSFT"], ["SMB"])
    with pytest.raises(rm.InfiniteReturnsError):
        Own(factors=frame(["SMB"]) / 0.0).panel(["MSFT"], ["SMB"])


def test_a_provider_must_say_its_horizon():
    for horizon in (None, 1, "day"):
        data = Own()
        data.horizon = horizon
        with pytest.raises(rm.InvalidParameterError) as error:
            data.panel(["MSFT"], ["SMB"])
        assert error.value.details == {"provider": "Own", "got": horizon}


def test_a_provider_without_its_methods_cannot_be_made():
    class Half(rm.DataProvider):
        horizon = rm.DAY

    with pytest.raises(TypeError, match="abstract"):
        Half()


def test_the_horizon_may_be_a_field_a_property_or_set_in_init():
    @dataclasses.dataclass
    class Field(Own):
        horizon: rm.Horizon = rm.DAY

        def __post_init__(self):
            super().__init__()

    class Property(Own):
        @property
        def horizon(self):
            return rm.DAY

    class Init(Own):
        def __init__(self):
            super().__init__()
            self.horizon = rm.DAY

    for provider in (Field, Property, Init):
        assert provider().panel(["MSFT"], ["SMB"]).horizon == rm.DAY


def test_helpers_of_providers():
    with pytest.raises(rm.HorizonMismatchError, match=r"YEAR and DAY; .*\.at\(rm\.DAY\)"):
        require_horizon(memory(), rm.YEAR)
    require_horizon(memory(), rm.Horizon(1))
    assert constant_rate(0.0001, rm.DAY, DAYS).numbers.tolist() == [[0.0001]] * 10


# -- SampleData ---------------------------------------------------------------------------------------------------


def test_the_daily_sample_is_twenty_stocks_and_the_index():
    data = rm.SampleData()
    assert data.horizon == rm.DAY
    assert len(data.assets) == 21
    assert data.assets[-1] == "SPX"
    assert data.factors == ["Mkt-RF"]
    returns = data.asset_returns(data.assets)
    assert returns.shape == (4760, 21)
    assert (returns.index[0], returns.index[-1]) == (pd.Timestamp("2000-01-03"), pd.Timestamp("2018-11-30"))
    assert returns.notna().all(axis=None)


def test_the_monthly_sample_is_thirty_portfolios_and_four_factors():
    data = rm.SampleData(horizon=rm.MONTH)
    assert data.horizon == rm.MONTH
    assert len(data.assets) == 30
    assert data.factors == ["Mkt-RF", "SMB", "HML", "Mom"]
    returns = data.asset_returns(data.assets)
    assert returns.shape == (819, 30)
    assert (returns.index[0], returns.index[-1]) == (pd.Timestamp("1949-01-31"), pd.Timestamp("2017-03-31"))
    assert rm.SampleData(rm.Horizon(21)) == data


@pytest.mark.parametrize("horizon", [rm.WEEK, rm.YEAR, 1, None, "month"])
def test_the_sample_has_no_other_horizon(horizon):
    with pytest.raises(rm.InvalidParameterError) as error:
        rm.SampleData(horizon)
    assert error.value.details == {"parameter": "horizon", "got": horizon}


def test_sample_returns_are_ratios_of_the_shipped_closes():
    closes = _read("closes.csv.gz")
    assert closes.notna().all(axis=None)
    assert (closes > 0).all(axis=None)
    expected = closes.to_numpy()[1:] / closes.to_numpy()[:-1] - 1
    np.testing.assert_allclose(rm.SampleData().asset_returns(list(closes.columns)), expected, rtol=0, atol=1e-14)


def test_the_market_factor_is_the_index_less_the_rate():
    data = rm.SampleData()
    expected = data.asset_returns(["SPX"])["SPX"] - data.risk_free()
    pd.testing.assert_series_equal(data.factor_returns(["Mkt-RF"])["Mkt-RF"], expected, check_names=False)


def test_the_daily_rate_compounds_to_the_months_bill_rate():
    rate = rm.SampleData().risk_free()
    compounded = (1 + rate).groupby(rate.index.year * 100 + rate.index.month).prod() - 1
    bills = _read("bills.csv.gz")["RF"] / 100
    np.testing.assert_allclose(compounded, bills.loc[compounded.index], rtol=0, atol=1e-13)
    assert len(compounded) == 12 * 19 - 1
    assert rate.groupby(rate.index.year * 100 + rate.index.month).nunique().max() == 1


def test_the_two_samples_agree_on_bill_rates_and_nearly_on_the_market():
    monthly, daily = rm.SampleData(rm.MONTH), rm.SampleData()
    bills = _read("bills.csv.gz")["RF"].loc[200001:201703] / 100
    np.testing.assert_allclose(monthly.risk_free("2000-01"), bills, rtol=0, atol=1e-12)
    index = daily.asset_returns(["SPX"])["SPX"]
    index = ((1 + index).groupby(index.index.to_period("M")).prod() - 1).loc["2000-01":"2017-03"].to_numpy()
    market = (monthly.factor_returns(["Mkt-RF"])["Mkt-RF"] + monthly.risk_free()).loc["2000-01":].to_numpy()
    assert np.corrcoef(index, market)[0, 1] > 0.98
    # the dividends that the index is without, and small companies, which it is without too
    assert 0.015 < 12 * (market - index).mean() < 0.03


def test_provenance_figures_of_the_monthly_factors():
    yearly = 1200 * rm.SampleData(rm.MONTH).factor_returns(["Mkt-RF", "SMB", "HML", "Mom"]).mean()
    assert yearly.round(2).tolist() == [7.74, 1.91, 4.17, 8.37]


def test_monthly_portfolios_are_total_returns():
    # industries mimic the market: what they cannot mimic on average is nothing if they are total returns like
    # rf + Mkt-RF, and the bill rate if they were excess returns already
    data = rm.SampleData(rm.MONTH)
    industries = data.asset_returns(data.assets[:12]).to_numpy()
    rate = data.risk_free().to_numpy()
    market = data.factor_returns(["Mkt-RF"])["Mkt-RF"].to_numpy() + rate
    design = np.column_stack([np.ones(len(market)), industries[:, 1:] - industries[:, [0]]])
    gap = np.linalg.lstsq(design, market - industries[:, 0], rcond=None)[0][0]
    assert abs(gap) < 0.2 * rate.mean()


def test_samples_are_not_changed_by_who_reads_them():
    data = rm.SampleData()
    for given in (data.asset_returns(["MSFT"]), data.risk_free()):
        given.iloc[:] = 7.0
    assert data.asset_returns(["MSFT"]).to_numpy().max() < 1
    assert data.risk_free().max() < 1


def test_the_samples_limits_are_said():
    text = " ".join(rm.SampleData.__doc__.split())
    for limit in ("without dividends", "survivors", "three decimals", "spread evenly"):
        assert limit in text


def test_labels_that_are_no_text_are_unknown():
    """As what comes from a command line in another character set."""
    for assets in (["\udcff"], ["MSFT", "\udcff"]):
        with pytest.raises(rm.UnknownAssetError, match=r"unknown asset: \udcff"):
            rm.SampleData().asset_returns(assets)
    with pytest.raises(rm.UnknownFactorError, match="unknown factor"):
        rm.SampleData().factor_returns(["\udcff"])


def test_a_list_is_no_label(tmp_path):
    for provider in (rm.SampleData(), rm.Cached(rm.SampleData(), tmp_path, name="sample")):
        for ask in (provider.asset_returns, provider.factor_returns):
            with pytest.raises(rm.InvalidParameterError, match="MSFT"):
                ask([["MSFT"]])
        with pytest.raises(rm.InvalidParameterError, match="MSFT"):
            provider.panel([["MSFT"]], ["Mkt-RF"])
