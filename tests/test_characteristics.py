"""Characteristics: read from long and wide tables and Parquet files, and what was known before a time."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import riskmodel as rm

LONG = pd.DataFrame({
    "date": ["2024-01-31", "2024-01-31", "2024-02-29", "2024-02-29", "2024-03-28"],
    "asset": ["KO", "XOM", "XOM", "KO", "KO"],
    "value": [0.4, 0.8, np.nan, 0.5, 0.6],
    "sector": ["staples", "energy", None, "staples", "drinks"],
    "member": [True, False, True, True, True],
})  # fmt: skip


def test_long_tables_are_pivoted():
    known = rm.Characteristics.long(LONG)
    assert list(known.names) == ["value", "sector", "member"]
    assert list(known.assets) == ["KO", "XOM"]
    expected = LONG.assign(date=pd.to_datetime(LONG["date"])).pivot_table(index="date", columns="asset", values="value")
    np.testing.assert_array_equal(known.frame("value"), expected)
    assert list(known.frame("value").index) == list(expected.index)
    sectors = known.frame("sector")
    assert sectors.iloc[0].tolist() == ["staples", "energy"]
    assert pd.isna(sectors.iloc[1, 1])
    assert known.frame("member").iloc[0].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("convert", [pl.from_pandas, lambda f: pl.from_pandas(f).to_arrow()], ids=["polars", "arrow"])
def test_tables_of_polars_and_arrow_are_read(convert):
    expected, got = rm.Characteristics.long(LONG), rm.Characteristics.long(convert(LONG))
    for name in expected.names:
        pd.testing.assert_frame_equal(got.frame(name), expected.frame(name), check_column_type=False)


def test_wide_tables_may_have_other_dates_and_assets():
    days = pd.DatetimeIndex(["2024-01-03", "2024-01-02"])
    first = pd.DataFrame([[1.0, 2.0], [3.0, np.nan]], days, ["KO", "XOM"])
    second = pd.DataFrame([["a", "b", None]], [pd.Timestamp("2023-12-29")], ["PG", "XOM", "KO"])
    known = rm.Characteristics.wide({"cap": first, "sector": second})
    assert list(known.assets) == ["KO", "XOM", "PG"]
    np.testing.assert_array_equal(known.frame("cap"), [[3, np.nan, np.nan], [1, 2, np.nan]])
    assert known.frame("cap").index.is_monotonic_increasing
    assert known.frame("sector").iloc[0, 1:].tolist() == ["b", "a"]


def test_parquet_files_are_long_tables(tmp_path):
    LONG[:2].to_parquet(tmp_path / "january.parquet")
    LONG[2:].to_parquet(tmp_path / "later.parquet")
    known = rm.Characteristics.parquet(sorted(tmp_path.iterdir()))
    for name in known.names:
        pd.testing.assert_frame_equal(known.frame(name), rm.Characteristics.long(LONG).frame(name))
    some = rm.Characteristics.parquet(tmp_path / "january.parquet", columns=["value"])
    assert list(some.names) == ["value"]
    with pytest.raises(rm.SourceError):
        rm.Characteristics.parquet(tmp_path / "none.parquet")


def test_static_ones_do_not_age():
    known = rm.Characteristics.static(pd.Series({"KO": "staples", "XOM": "energy"}, name="sector"))
    assert known.asof("1990-01-01")["sector"].tolist() == ["staples", "energy"]
    assert known.frame("sector").shape == (1, 2)
    both = known.join(rm.Characteristics.long(LONG[["date", "asset", "value"]]))
    assert list(both.names) == ["sector", "value"]


def test_the_last_known_value_counts_up_to_an_age():
    known = rm.Characteristics.long(LONG)
    assert known.asof("2024-01-30").isna().all(axis=None)
    assert known.asof("2024-01-31")["value"].tolist() == [0.4, 0.8]
    assert known.asof("2024-03-01")["value"].tolist() == [0.5, 0.8]  # that of January is still the last
    assert known.asof("2024-02-29", rm.MONTH)["value"].isna().tolist() == [False, False]
    assert known.asof("2024-03-01", rm.MONTH)["value"].isna().tolist() == [False, True]
    assert known.asof("2024-04-01")["sector"].tolist() == ["drinks", "energy"]
    with pytest.raises(rm.InvalidParameterError):
        known.asof("2024-03-01", 30)


@given(seed=st.integers(0, 100), age=st.integers(1, 40), gaps=st.sampled_from([0.0, 0.3, 0.9]))
def test_values_before_times_are_those_of_a_loop(seed, age, gaps):
    rng = np.random.default_rng(seed)
    days = pd.DatetimeIndex(np.sort(rng.choice(pd.date_range("2024-01-01", periods=60), 20, replace=False)))
    values = np.where(rng.random((20, 5)) < gaps, np.nan, rng.normal(size=(20, 5)))
    known = rm.Characteristics.wide({"x": pd.DataFrame(values, days, list("ABCDE"))})
    times = pd.date_range("2023-12-25", periods=90)
    columns = np.array([4, -1, 0])
    got = known.series("x").before(times, pd.Timedelta(days=age), columns)
    for t, time in enumerate(times):
        inside = (days < time) & (days >= time - pd.Timedelta(days=age))
        for j, column in enumerate(columns):
            own = values[inside, column] if column >= 0 else np.array([])
            own = own[~np.isnan(own)]
            np.testing.assert_equal(got[t, j], own[-1] if len(own) else np.nan)


def test_narrow_numbers_stay_narrow():
    days = pd.bdate_range("2024-01-01", periods=3)
    narrow = pd.DataFrame(np.ones((3, 2), dtype=np.float32), days, ["A", "B"])
    known = rm.Characteristics.wide({"x": narrow, "y": narrow.astype(float)})
    assert known.frame("x").dtypes.tolist() == [np.float32] * 2
    assert known.series("x").before(days[1:], pd.Timedelta(days=9), np.arange(2)).dtype == np.float64


def test_numbers_can_be_groups():
    codes = rm.Characteristics.static(pd.DataFrame({"gics": [10, 20, 10]}, list("ABC")))
    groups = codes.series("gics").as_groups()
    assert list(groups.levels) == ["gics 10", "gics 20"]
    assert groups.numbers.tolist() == [[0, 1, 0]]


def test_what_the_caller_passed_stays_and_what_is_held_cannot_be_written_to():
    frame = pd.DataFrame(np.ones((2, 2)), pd.bdate_range("2024-01-01", periods=2), ["A", "B"])
    known = rm.Characteristics.wide({"x": frame})
    frame.iloc[0, 0] = 7.0
    assert known.frame("x").iloc[0, 0] == 1.0
    given = known.frame("x")
    given.iloc[0, 0] = 5.0
    assert known.frame("x").iloc[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        known.series("x").numbers[0, 0] = 2.0
    again = pickle.loads(pickle.dumps(known))
    assert again.frame("x").equals(known.frame("x"))
    assert repr(again) == "<Characteristics of 2 assets: x (2 dates, 2024-01-01 to 2024-01-02)>"


def wide(frame):
    return lambda: rm.Characteristics.wide({"x": frame})


DAYS = pd.bdate_range("2024-01-01", periods=2)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: rm.Characteristics.long(pd.concat([LONG, LONG[:1]])), rm.DuplicateLabelsError),
        (lambda: rm.Characteristics.long(LONG.drop(columns="date")), rm.InvalidParameterError),
        (lambda: rm.Characteristics.long(LONG[["date", "asset"]]), rm.InvalidParameterError),
        (lambda: rm.Characteristics.long(LONG[:0]), rm.InvalidParameterError),
        (lambda: rm.Characteristics.long([1, 2]), rm.InvalidParameterError),
        (lambda: rm.Characteristics.long(LONG.assign(date="someday")), rm.InvalidDatesError),
        (lambda: rm.Characteristics.long(LONG.assign(date=None)), rm.InvalidDatesError),
        (lambda: rm.Characteristics.long(LONG.assign(asset=None)), rm.InvalidParameterError),
        (lambda: rm.Characteristics.long(LONG.assign(value=np.inf)), rm.InvalidParameterError),
        (lambda: rm.Characteristics.long(LONG.assign(value=[1, "a", 2, 3, 4])), rm.InvalidParameterError),
        (lambda: rm.Characteristics.wide({}), rm.InvalidParameterError),
        (lambda: rm.Characteristics.wide(LONG), rm.InvalidParameterError),
        (wide(pd.Series([1.0])), rm.InvalidParameterError),
        (wide(pd.DataFrame(np.ones((2, 2)), [DAYS[0]] * 2, ["A", "B"])), rm.DuplicateDatesError),
        (wide(pd.DataFrame(np.ones((2, 2)), DAYS, ["A", "A"])), rm.DuplicateLabelsError),
        (wide(pd.DataFrame({"A": [1.0, 2.0], "B": ["a", "b"]}, DAYS)), rm.InvalidParameterError),
        (wide(pd.DataFrame(np.ones((2, 1)), [1, 2], ["A"])), rm.InvalidDatesError),
        (lambda: rm.Characteristics.static({"A": 1.0}), rm.InvalidParameterError),
        (lambda: rm.Characteristics.static(pd.Series([1.0, 2.0], ["A", "A"])), rm.DuplicateLabelsError),
        (lambda: rm.Characteristics.long(LONG).join(rm.Characteristics.long(LONG)), rm.DuplicateLabelsError),
        (lambda: rm.Characteristics.long(LONG).join(LONG), rm.InvalidParameterError),
        (lambda: rm.Characteristics.long(LONG).frame("values"), rm.InvalidParameterError),
    ],
)
def test_wrong_tables_are_errors(make, error):
    with pytest.raises(error):
        make()


def test_duplicates_are_named():
    with pytest.raises(rm.DuplicateLabelsError) as error:
        rm.Characteristics.long(pd.concat([LONG, LONG[:2]]))
    assert error.value.details["labels"] == ["KO", "XOM"]
    assert error.value.details["count"] == 2
