"""`ReturnChecks` give one answer however the rows and columns of a table are cut into blocks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import riskmodel as rm
from riskmodel._core.checks import (
    _BY_COLUMN,
    ASSET_RETURNS,
    FACTOR_RETURNS,
    RISK_FREE_RATE,
    ReadInPercent,
    ReturnChecks,
)

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


@pytest.mark.parametrize(("rate", "error"), [(0.0001, None), (0.0009, None), (0.0013, rm.PercentReturnsError)])
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
        checks.take(np.array([5, 2])).with_labels(pd.Index(["x", "y"])).finish()
    assert caught.value.details["labels"] == ["y"]


def test_columns_that_were_counted_where_they_are_stored():
    percent = 100 * returns()[:, :1]
    sizes = np.abs(percent)
    counts = [len(percent), len(percent), percent.min(), percent.max()]
    counts += [int((sizes > rung).sum()) for rung in FACTOR_RETURNS.rungs(rm.DAY)]
    with pytest.raises(rm.PercentReturnsError) as caught:
        ReturnChecks.counted(FACTOR_RETURNS, rm.DAY, "ff.mktrf", counts).finish()
    assert caught.value.details == {"what": "factor returns", "labels": ["ff.mktrf"]}
