"""`ReturnChecks` give one answer however the rows and columns of a table are cut into blocks."""

import numpy as np
import pandas as pd
import pytest
from attrs import fields
from hypothesis import given, settings
from hypothesis import strategies as st

import riskmodel as rm
from riskmodel._core.checks import _BY_COLUMN, ReturnChecks
from riskmodel._core.kinds import ASSET_RETURNS, FACTOR_RETURNS, RISK_FREE_RATE, ReadInPercent
from riskmodel._core.missing import MISSING_CODES, CodesFound

DAYS = pd.bdate_range("2000-01-03", periods=120)
NAMES = pd.Index([f"A{i}" for i in range(6)])


def returns(seed=0):
    return np.random.default_rng(seed).normal(0.0, 0.02, (len(DAYS), len(NAMES)))


def checks_of(values, kind=ASSET_RETURNS, horizon=rm.DAY):
    names = NAMES[: values.shape[1]]
    return ReturnChecks.start(kind, horizon, names, DAYS).update(values, DAYS)


def _put(values, row, column, number):
    values[row, column] = number


def _ended(values):
    values[50, 1], values[51:, 1] = -1.0, np.nan


FAULTS = {
    "sound": (lambda v: None, None),
    "ragged": (lambda v: _put(v, slice(0, 100), 3, np.nan), None),
    "ended worthless": (_ended, None),
    "infinite": (lambda v: _put(v, 70, 2, np.inf), rm.InfiniteReturnsError),
    "below -100 %": (lambda v: _put(v, 70, 2, -1.5), rm.ImpossibleReturnsError),
    "goes on after -100 %": (lambda v: _put(v, 70, 2, -1.0), rm.ImpossibleReturnsError),
    "percent": (lambda v: _put(v, slice(None), 2, 100 * v[:, 2]), rm.PercentReturnsError),
    "levels": (lambda v: _put(v, slice(None), 2, 50 + v[:, 2]), rm.ImpossibleReturnsError),
    "few wild values": (lambda v: _put(v, slice(0, 110), 2, np.nan) or _put(v, slice(110, None), 2, 0.5), None),
}


def answer(checks):
    try:
        checks.finish()
    except rm.DataError as error:
        return type(error), dict(error.details)
    return None, {}


@pytest.mark.parametrize(("spoil", "error"), FAULTS.values(), ids=FAULTS)
def test_what_is_refused(spoil, error):
    values = returns()
    spoil(values)
    kind, details = answer(checks_of(values))
    assert kind is error
    named = details.get("label", details.get("labels", ["A2"])[0])
    assert named == "A2"
    assert details.get("date", DAYS[70]) == DAYS[70]


@pytest.mark.parametrize("spoil", [spoil for spoil, _ in FAULTS.values()], ids=FAULTS)
@settings(max_examples=15)
@given(seed=st.integers(0, 2**16), n_rows=st.integers(0, 6), column=st.integers(1, 5))
def test_the_answer_does_not_depend_on_blocks(spoil, seed, n_rows, column):
    values = returns()
    spoil(values)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(DAYS))
    pieces = np.split(order, np.sort(rng.integers(0, len(DAYS), n_rows)))
    parts = []
    for columns in (slice(None, column), slice(column, None)):
        start = ReturnChecks.start(ASSET_RETURNS, rm.DAY, NAMES[columns], DAYS)
        blocks = [start.update(values[rows, columns], DAYS[rows]) for rows in pieces]
        merged = blocks[0]
        for block in blocks[1:]:
            merged = merged + block
        parts.append(merged)
    cut, whole = ReturnChecks.concat(parts), checks_of(values)
    for name in _BY_COLUMN:
        np.testing.assert_array_equal(getattr(cut, name), getattr(whole, name), err_msg=name)
    assert answer(cut) == answer(whole)


def test_the_order_of_an_array_in_memory_does_not_matter():
    values = returns()
    values[::3, 1] = np.nan
    for name in _BY_COLUMN:
        np.testing.assert_array_equal(
            getattr(checks_of(np.asfortranarray(values)), name), getattr(checks_of(values), name)
        )


def test_long_tables_are_sampled_by_date():
    days = pd.date_range("1900-01-01", periods=10_000)
    values = 100 * np.random.default_rng(0).normal(0, 0.02, (10_000, 1))
    checks = ReturnChecks.start(ASSET_RETURNS, rm.DAY, pd.Index(["A"]), days)
    whole = checks.update(values, days)
    assert 2_000 < whole.present[0] < 4_100
    halves = checks.update(values[:3_333], days[:3_333]) + checks.update(values[3_333:], days[3_333:])
    assert (whole.larger == halves.larger).all()
    with pytest.raises(rm.PercentReturnsError):
        whole.finish()


def test_most_columns_in_percent_are_told_early():
    values = 100 * returns()
    start = ReturnChecks.start(ASSET_RETURNS, rm.DAY, NAMES, DAYS)
    start.update(values[:20].clip(-0.9), DAYS[:20]).finish_early()
    with pytest.raises(rm.PercentReturnsError):
        start.update(values[:70].clip(-0.9), DAYS[:70]).finish_early()
    one = returns()
    one[:, 2] = 100 + one[:, 2]
    start.update(one, DAYS).finish_early()


def test_the_early_answer_about_a_loss_says_that_it_is_percent():
    with pytest.raises(rm.PercentReturnsError):
        checks_of(100 * returns()).finish_early()


def test_factors_may_be_on_a_scale_of_their_own_and_below_minus_one():
    checks_of(1e4 * returns(), FACTOR_RETURNS).finish()
    with pytest.raises(rm.PercentReturnsError) as caught:
        checks_of(100 * returns(), FACTOR_RETURNS).finish()
    assert caught.value.details["labels"] == list(NAMES)


@pytest.mark.parametrize(("rate", "error"), [(0.0001, None), (0.0009, None), (0.003, rm.PercentReturnsError)])
def test_rates(rate, error):
    assert answer(checks_of(np.full((len(DAYS), 1), rate), RISK_FREE_RATE))[0] is error


def test_decimals_that_were_read_in_percent():
    checks_of(returns(), ReadInPercent()).finish()
    with pytest.raises(rm.PercentReturnsError):
        checks_of(returns() / 100, ReadInPercent()).finish()


def test_some_columns():
    values = returns()
    values[:, 2] *= 100
    checks = checks_of(values)
    checks.take(np.array([0, 5, 1])).finish()
    with pytest.raises(rm.PercentReturnsError) as caught:
        checks.take(np.array([5, 2])).finish()
    assert caught.value.details["labels"] == [checks.labels[2]]


def test_columns_that_were_counted_where_they_are_stored():
    percent = 100 * returns()[:, :1]
    sizes = np.abs(percent)
    counts = [len(percent), len(percent), percent.min(), percent.max()]
    counts += [int((sizes > rung).sum()) for rung in FACTOR_RETURNS.rungs(rm.DAY)]
    with pytest.raises(rm.PercentReturnsError) as caught:
        ReturnChecks.counted(FACTOR_RETURNS, rm.DAY, "ff.mktrf", counts).finish()
    assert caught.value.details == {"what": "factor returns", "labels": ["ff.mktrf"]}


# -- codes for missing -------------------------------------------------------------------------------

YEAR_OF_DAYS = pd.bdate_range("2020-01-01", periods=250)
# In decimals: as files write them, and as they are after reading percent.
EVERY_CODE = [*MISSING_CODES, -0.9999, -0.99, -9.99, -99.9999]


def normal(scale=0.01, name="A", seed=0):
    return pd.Series(np.random.default_rng(seed).normal(0, scale, 250), YEAR_OF_DAYS, name=name)


def panel_of(asset=None, factor=None, rate=None, definitions=None):
    asset = normal(seed=1) if asset is None else asset
    factor = normal(name="F") if factor is None else factor
    rate = pd.Series(1e-4, YEAR_OF_DAYS) if rate is None else rate
    return rm.ReturnPanel.align(asset, factor, rate, horizon=rm.DAY, definitions=definitions)


def coded(series, code, rows=slice(0, 3)):
    series = series.copy()
    series.iloc[rows] = code
    return series


def code_details(**tables):
    with pytest.raises(rm.MissingCodeError) as caught:
        panel_of(**tables)
    return caught.value.details


def test_codes_for_missing_in_a_factor_do_not_make_a_beta_of_zero():
    liquidity = normal(name="LIQ")
    asset = (1.2 * liquidity).rename("A")
    spoilt = coded(liquidity, -99.0)
    assert code_details(asset=asset, factor=spoilt) == {
        "what": "factor returns", "label": "LIQ", "date": YEAR_OF_DAYS[0], "code": -99.0, "count": 3,
    }  # fmt: skip
    right = panel_of(asset=asset, factor=spoilt.replace(-99.0, np.nan), rate=pd.Series(0.0, YEAR_OF_DAYS))
    assert rm.OLS().fit(right).loadings.loc["A", "LIQ"] == pytest.approx(1.2)


@pytest.mark.parametrize("name", ["Mkt-RF", "SMB", "a"])
@pytest.mark.parametrize("code", EVERY_CODE)
def test_every_code_is_refused_in_factors(code, name):
    assert code_details(factor=coded(normal(name=name), code))["code"] == pytest.approx(code)


@pytest.mark.parametrize("code", EVERY_CODE)
def test_every_code_is_refused_in_assets_and_rates(code):
    assert code_details(asset=coded(normal(), code))["code"] == pytest.approx(code)
    rate = code_details(rate=coded(pd.Series(1e-4, YEAR_OF_DAYS), code, 7))
    assert (rate["count"], rate["date"]) == (1, YEAR_OF_DAYS[7])


@pytest.mark.parametrize("code", [-99.99, -0.9999, -999.0])
def test_single_precision_hides_no_code(code):
    assert code_details(asset=coded(normal(), code).astype(np.float32))["count"] == 3
    assert code_details(factor=coded(normal(), code).astype(np.float32))["count"] == 3


def test_codes_in_most_rows_are_not_said_to_be_percent():
    assert code_details(factor=coded(normal(name="F"), -0.9999, slice(0, 180)))["count"] == 180
    assert code_details(asset=coded(normal(), -99.99, slice(0, 180)))["count"] == 180
    assert code_details(rate=coded(pd.Series(1e-4, YEAR_OF_DAYS), -0.9999, slice(0, 180)))["count"] == 180


def test_a_security_that_ended_almost_worthless_is_no_code():
    ended = normal()
    ended.iloc[100], ended.iloc[101:] = -0.9999, np.nan
    assert panel_of(asset=ended).excess_returns.iloc[100, 0] == pytest.approx(-1.0)
    ended.iloc[150] = 0.01
    assert code_details(asset=ended)["code"] == -0.9999


def test_an_honest_number_of_a_wild_series_is_no_code():
    index = coded(normal(20.0, "sentiment"), -44.0, 9)
    declared = [rm.PublishedFactor("sentiment", tradable=False)]
    assert panel_of(factor=index, definitions=declared).factor_returns.iloc[9, 0] == -44.0
    assert code_details(factor=coded(index, -999.0, 12))["code"] == -999.0
    wild = coded(normal(0.1), 9.99, 9)
    assert panel_of(asset=wild).excess_returns.iloc[9, 0] == pytest.approx(9.9899)
    fell = coded(normal(0.04), -0.44, 9)
    assert panel_of(asset=fell).excess_returns.iloc[9, 0] == pytest.approx(-0.4401)


def test_ordinary_numbers_of_another_unit_are_no_codes():
    """In percent some are -1, -0.44 and -7.77, in millionths -77 and -999, and the unit is what is wrong."""
    rounded = (100.0 * normal(0.006)).round(2)
    rounded.iloc[[3, 4, 5, 6, 7, 8]] = [-1.0, -0.44, -0.44, -0.44, -7.77, -8.2]
    millionths = (1e6 * normal(0.02)).round()
    millionths.iloc[[3, 4, 5]] = [-77.0, -999.0, 99.0]
    for wrong in (rounded, millionths):
        with pytest.raises(rm.PercentReturnsError):
            panel_of(asset=wrong)
    rounded.iloc[9] = -99.99
    assert code_details(asset=rounded)["code"] == -99.99


@pytest.mark.parametrize("code", [999.0, 9999.0, 99.99])
def test_one_large_positive_code_is_enough(code):
    assert code_details(asset=coded(normal(), code, 9))["count"] == 1


def test_a_split_that_was_not_applied_is_named_on_a_day_that_moved_too():
    moved = coded(normal(0.01), 0.25 * 1.017 - 1.0, 100)
    with pytest.warns(rm.SuspectReturnWarning) as caught:
        panel_of(asset=moved)
    assert "split of 4:1" in caught[0].message.details["reasons"][0]


def test_no_funded_factor_and_no_rate_is_below_minus_one():
    with pytest.raises(rm.ImpossibleReturnsError) as caught:
        panel_of(factor=coded(normal(name="Mkt-RF"), -1.3, 9))
    assert caught.value.details == {"what": "factor returns", "label": "Mkt-RF", "date": YEAR_OF_DAYS[9]}
    with pytest.raises(rm.ImpossibleReturnsError) as caught:
        panel_of(
            factor=coded(normal(name="FUND"), -1.3, 9), definitions=[rm.PublishedFactor("FUND", funding=rm.FUNDED)]
        )
    assert caught.value.details["label"] == "FUND"
    with pytest.warns(rm.SuspectReturnWarning):  # no code, and no loss of what it costs
        assert len(panel_of(factor=coded(normal(name="SMB"), -1.3, 9)).dates) == 250
    with pytest.raises(rm.ImpossibleReturnsError) as caught:
        panel_of(rate=coded(pd.Series(1e-4, YEAR_OF_DAYS), -1.3, 9))
    assert caught.value.details["date"] == YEAR_OF_DAYS[9]


def test_factors_made_of_assets_are_made_of_no_codes():
    returns = pd.concat([coded(normal(name="SPY"), -99.0), normal(name="IEF"), normal(name="A", seed=2)], axis=1)
    data = rm.InMemory(returns, factors=None, risk_free=0.0, horizon=rm.DAY)
    for factor in (rm.AssetFactor("SPY"), rm.Spread("SPY", "IEF"), rm.PortfolioFactor("P", {"SPY": 1.0, "IEF": 1.0})):
        with pytest.raises(rm.MissingCodeError) as caught:
            data.panel(["A"], [factor])
        assert caught.value.details["label"] == "SPY"


@settings(max_examples=15)
@given(seed=st.integers(0, 2**16), code=st.sampled_from(EVERY_CODE), count=st.integers(1, 40))
def test_codes_are_counted_alike_however_the_table_is_cut(seed, code, count):
    rng = np.random.default_rng(seed)
    values = returns()
    values[rng.integers(0, len(DAYS), count), rng.integers(0, len(NAMES), count)] = code
    rows = np.array_split(rng.permutation(len(DAYS)), 3)
    cut = []
    for columns in (slice(None, 2), slice(2, None)):
        start = ReturnChecks.start(FACTOR_RETURNS, rm.DAY, NAMES[columns], DAYS)
        cut.append(sum((start.update(values[r, columns], DAYS[r]) for r in rows), start))
    whole, parts = checks_of(values, FACTOR_RETURNS), ReturnChecks.concat(cut)
    for f in fields(CodesFound):
        np.testing.assert_array_equal(getattr(parts.codes, f.name), getattr(whole.codes, f.name))
    assert answer(parts) == answer(whole)
    some = np.array([4, 1, 0])
    taken, alone = whole.take(some), ReturnChecks.start(FACTOR_RETURNS, rm.DAY, NAMES[some], DAYS)
    assert answer(taken) == answer(alone.update(values[:, some], DAYS))


# -- percent -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("horizon", "sigma"),
    [(rm.MONTH, 1.3), (rm.MONTH, 0.6), (rm.DAY, 0.45), (rm.DAY, 0.2)],
    ids=["CMA", "CMA in calm months", "RMW by day", "calm days"],
)
def test_few_percent_columns_are_told(horizon, sigma):
    days = DAYS if horizon == rm.DAY else pd.date_range("2000-01-31", periods=120, freq="ME")
    percent = pd.DataFrame(np.random.default_rng(0).normal(0, sigma, (120, 2)), days, ["RMW", "CMA"])
    asset = pd.Series(np.random.default_rng(1).normal(0, 0.01, 120), days, name="A")
    for columns in (["RMW", "CMA"], ["CMA"]):
        with pytest.raises(rm.PercentReturnsError) as caught:
            rm.ReturnPanel.align(asset, percent[columns], pd.Series(0.0, days), horizon=horizon)
        assert caught.value.details["labels"] == columns
    macro = [rm.PublishedFactor(n, tradable=False) for n in percent]
    panel = rm.ReturnPanel.align(asset, percent, pd.Series(0.0, days), horizon=horizon, definitions=macro)
    assert panel.factor_returns.iloc[3, 1] == percent.iloc[3, 1]


def test_wild_decimals_are_no_percent():
    coin = normal(0.115)  # typically 8 % a day
    assert len(panel_of(asset=coin.clip(-0.9)).dates) == 250
    assert len(panel_of(factor=normal(0.075)).dates) == 250  # typically 5 % a day


def test_spreads_in_basis_points_have_no_scale_of_their_own():
    with pytest.raises(rm.PercentReturnsError) as caught:
        panel_of(factor=normal(50.0, "SMB"))
    assert caught.value.details["labels"] == ["SMB"]
    with pytest.warns(rm.DoubtfulUnitWarning) as caught:
        panel_of(factor=normal(50.0, "MYFACTOR"))
    assert caught[0].message.details["labels"] == ["MYFACTOR"]


MONTHS = pd.date_range("2000-01-31", periods=120, freq="ME")
BILLS = pd.Series(np.linspace(0.0045, 0.0008, 120), MONTHS)


@pytest.mark.parametrize(
    ("percent", "horizon"),
    [
        (100 * BILLS, rm.MONTH),
        (pd.Series(np.random.default_rng(0).normal(0.2, 0.2, 120), MONTHS), rm.MONTH),
        (pd.Series(np.random.default_rng(0).normal(0.012, 0.05, 2_500), pd.bdate_range("2000", periods=2_500)), rm.DAY),
    ],
    ids=["bills", "short bonds by month", "short bonds by day"],
)
def test_quiet_assets_in_percent_are_warned_of_beside_decimals(percent, horizon):
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"QUIET": percent, "STOCK": rng.normal(0.01, 0.05, len(percent))})
    market, rate = pd.Series(rng.normal(0.005, 0.04, len(percent)), table.index, name="F"), pd.Series(0.0, table.index)
    with pytest.warns(rm.DoubtfulUnitWarning) as caught:
        rm.ReturnPanel.align(table, market, rate, horizon=horizon)
    assert caught[0].message.details["labels"] == ["QUIET"]
    table["QUIET"] /= 100.0
    rm.ReturnPanel.align(table, market, rate, horizon=horizon)


def test_bills_of_years_near_zero_are_held_against_the_rate():
    rng = np.random.default_rng(0)
    rate = pd.Series(np.linspace(0.00001, 0.0001, 120), MONTHS)
    table = pd.DataFrame({"BILLS": 100 * rate + rng.normal(0, 1e-4, 120), "STOCK": rng.normal(0.01, 0.05, 120)})
    market = pd.Series(rng.normal(0.005, 0.04, 120), MONTHS, name="F")
    with pytest.warns(rm.DoubtfulUnitWarning) as caught:
        rm.ReturnPanel.align(table, market, rate, horizon=rm.MONTH)
    assert caught[0].message.details["labels"] == ["BILLS"]
    rm.ReturnPanel.align(table.assign(BILLS=table["BILLS"] / 100.0), market, rate, horizon=rm.MONTH)


def test_a_coin_that_grew_a_hundred_thousand_times_is_no_percent():
    rng = np.random.default_rng(3)
    days = pd.date_range("2010-07-18", periods=3_650)
    coin = np.exp(rng.standard_t(4, 3_650) * 0.028 + np.log(1e5) / 3_650) - 1.0
    asset, market = pd.Series(coin, days, name="BTC"), pd.Series(rng.normal(0, 0.01, 3_650), days, name="F")
    rm.ReturnPanel.align(asset, market, pd.Series(0.0, days), horizon=rm.CALENDAR_DAY)


# -- returns that look like mistakes -----------------------------------------------------------------


def warning_of(make):
    with pytest.warns(rm.SuspectReturnWarning) as caught:
        make()
    assert len(caught) == 1
    details = caught[0].message.details
    return list(zip(details["labels"], details["dates"], details["returns"], strict=True)), details["reasons"]


def spoilt_price(factor, rows):
    """Return the returns of a price that is wrong by a factor in some rows."""
    price = (1 + normal()).cumprod()
    price.iloc[rows] *= factor
    return price.pct_change().dropna()


@pytest.mark.parametrize("rows", [slice(100, 101), slice(100, 103)], ids=["one day", "three days"])
@pytest.mark.parametrize("factor", [100.0, 0.01, 1.6])
def test_one_bad_print_is_named(factor, rows):
    bad = spoilt_price(factor, rows)
    found, reasons = warning_of(lambda: panel_of(asset=bad))
    both = [YEAR_OF_DAYS[100], YEAR_OF_DAYS[rows.stop]]
    assert sorted(found) == [("A", day, bad[day]) for day in both]
    assert reasons == ["the price comes back"] * 2


@pytest.mark.parametrize(("factor", "ratio"), [(0.25, "4:1"), (0.5, "2:1"), (10.0, "1:10"), (0.05, "20:1")])
def test_a_split_that_was_not_applied_is_named(factor, ratio):
    bad = spoilt_price(factor, slice(100, None))
    found, reasons = warning_of(lambda: panel_of(asset=bad))
    assert found == [("A", YEAR_OF_DAYS[100], bad[YEAR_OF_DAYS[100]])]
    assert f"split of {ratio}," in reasons[0]


@pytest.mark.parametrize("count", [250, 12, 3])
@pytest.mark.parametrize("factor", [100.0, 0.01])
def test_a_bad_print_in_the_last_row_is_named(factor, count):
    last = YEAR_OF_DAYS[count - 1]
    bad = spoilt_price(factor, slice(count - 1, count)).loc[:last]
    found, _ = warning_of(lambda: panel_of(asset=bad))
    assert found == [("A", bad.index[-1], bad.iloc[-1])]


@pytest.mark.parametrize("factor", [100.0, 0.01, 1.6])
def test_a_bad_print_among_few_rows_is_named(factor):
    bad = spoilt_price(factor, slice(6, 7)).iloc[:10]
    found, reasons = warning_of(lambda: panel_of(asset=bad))
    assert sorted(found) == [("A", day, bad[day]) for day in YEAR_OF_DAYS[6:8]]
    assert reasons == ["the price comes back"] * 2


@pytest.mark.parametrize("rows", [1, 2, 5, 10, 19])
def test_few_rows_of_a_market_give_no_warning(rows):
    rng = np.random.default_rng(rows)
    values = np.clip(0.02 * rng.standard_t(4, (rows, 300)), -0.6, 0.6)
    table = pd.DataFrame(values, YEAR_OF_DAYS[:rows])
    rm.ReturnPanel.align(table, normal(name="F").iloc[:rows], pd.Series(0.0, table.index), horizon=rm.DAY)


def test_stored_rows_that_are_few_or_last_name_their_extremes():
    for count in (250, 3):
        bad = normal().iloc[:count].to_numpy()[:, None].copy()
        bad[-1] = -0.99
        panel = rm.StoredPanel.array(
            bad, dates=YEAR_OF_DAYS[:count], factors=normal(name="F"), risk_free=0.0, horizon=rm.DAY
        )
        found, _ = warning_of(panel.select)
        assert [(date, value) for _, date, value in found] == [(YEAR_OF_DAYS[count - 1], -0.99)]


def test_a_factor_with_a_bad_print_is_named():
    found, _ = warning_of(lambda: panel_of(factor=coded(normal(name="SMB"), -1.3, 9)))
    assert found == [("SMB", YEAR_OF_DAYS[9], -1.3)]


def test_markets_give_no_warning():
    rng = np.random.default_rng(0)
    days = pd.bdate_range("2000-01-03", periods=2_500)
    sigma = np.where((np.arange(2_500) // 250) == 4, 0.05, 0.012)[:, None]  # one year of crisis
    values = np.clip(rng.standard_t(5, (2_500, 30)) * sigma, -0.9, 3.0)
    values[700, 0] = -0.38  # earnings
    values[1_200, 1], values[1_201:, 1] = -0.8, np.nan  # bankrupt
    market = pd.Series(rng.normal(0, 0.01, 2_500), days, name="Mkt-RF")
    market.iloc[900] = -0.2  # October 1987
    rm.ReturnPanel.align(pd.DataFrame(values, days), market, pd.Series(0.0, days), horizon=rm.DAY)


def test_stored_returns_name_their_extremes():
    bad = spoilt_price(100.0, slice(100, 101))
    both = pd.concat([normal(name="B"), bad], axis=1).dropna()
    panel = rm.StoredPanel.array(
        both.to_numpy(), dates=both.index, assets=["B", "A"], factors=normal(name="F"), risk_free=0.0, horizon=rm.DAY
    )
    found, _ = warning_of(panel.select)
    assert sorted((a, d) for a, d, _ in found) == [("A", YEAR_OF_DAYS[100]), ("A", YEAR_OF_DAYS[101])]
    split = spoilt_price(0.25, slice(100, None))
    panel = rm.StoredPanel.array(
        split.to_numpy()[:, None], dates=split.index, factors=normal(name="F"), risk_free=0.0, horizon=rm.DAY
    )
    _, reasons = warning_of(lambda: rm.OLS().fit(panel))
    assert "split of 4:1" in reasons[0]
