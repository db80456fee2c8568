"""Alignment: what is kept, what is left out and told, what is refused, and that nothing is changed."""

import contextlib
import copy
import datetime as dt
import pickle
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies_data import ragged

import riskmodel as rm

DAYS = pd.bdate_range("2020-01-01", periods=10)


def frame(columns, dates=DAYS, scale=0.01, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(scale * rng.standard_normal((len(dates), len(columns))), dates, list(columns))


def align(assets=None, factors=None, free=None, horizon=rm.DAY, **more):
    assets = frame("AB") if assets is None else assets
    dates = getattr(assets, "index", DAYS)
    factors = frame(["Mkt-RF", "SMB"], dates, seed=1) if factors is None else factors
    free = pd.Series(0.0001, dates) if free is None else free
    return rm.ReturnPanel.align(assets, factors, free, horizon=horizon, **more)


# -- what a panel is ------------------------------------------------------------------------------------------


def test_a_panel_holds_excess_returns_beside_factors_and_the_rate():
    assets, factors = frame("AB"), frame(["Mkt-RF", "SMB"], seed=1)
    panel = align(assets, factors)
    pd.testing.assert_frame_equal(panel.excess_returns, assets - 0.0001, check_freq=False)
    pd.testing.assert_frame_equal(panel.factor_returns, factors, check_freq=False)
    assert (panel.risk_free == 0.0001).all()
    assert panel.horizon == rm.DAY
    assert panel.definitions == (rm.PublishedFactor("Mkt-RF"), rm.PublishedFactor("SMB"))
    assert panel.funded == (True, False)
    assert panel.dropped.empty
    assert list(panel.dropped.columns) == ["date", "reason"]
    assert repr(panel) == (
        "<ReturnPanel 10 dates (2020-01-01 to 2020-01-14, per day) × 2 assets, 2 factors, 0 dates dropped>"
    )


def test_a_panel_may_have_no_factors():
    panel = align(factors=pd.DataFrame(index=DAYS))
    assert panel.factor_returns.shape == (10, 0)
    without_rows = align(factors=pd.DataFrame(index=DAYS[:0]), free=pd.Series(0.0, DAYS[:9]))
    assert len(without_rows.dates) == 9
    assert without_rows.dropped["reason"].tolist() == ["no risk-free row"]


def test_a_panel_survives_pickle_and_copy():
    panel = align()
    for again in (pickle.loads(pickle.dumps(panel)), copy.deepcopy(panel), copy.copy(panel)):
        pd.testing.assert_frame_equal(again.excess_returns, panel.excess_returns)
        pd.testing.assert_frame_equal(again.dropped, panel.dropped)
        assert (again.horizon, again.definitions, again.funded) == (panel.horizon, panel.definitions, panel.funded)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_arrays_of_a_panel_stay_read_only_through_pickle_and_copy(protocol):
    panel = align()
    for again in (pickle.loads(pickle.dumps(panel, protocol)), copy.deepcopy(panel), copy.copy(panel)):
        for array, before in zip(again.arrays(), panel.arrays(), strict=True):
            assert not array.flags.writeable
            np.testing.assert_array_equal(array, before)


def test_neither_what_came_nor_the_panel_can_be_changed_through_the_other():
    days = DAYS.copy()
    assets, factors, free = frame("AB", days), frame(["F"], days, seed=1), pd.Series(0.0001, days)
    assets.iloc[3, 0] = np.nan
    came = [x.copy(deep=True) for x in (assets, factors, free)]
    panel = align(assets.iloc[::-1], factors, free)
    for now, before in zip((assets, factors, free), came, strict=True):
        assert now.equals(before)
        assert now.index.equals(before.index)
    kept = panel.excess_returns.copy(deep=True)
    assets.iloc[:] = 9.0
    factors.iloc[:] = 9.0
    free.iloc[:] = 9.0
    assets.columns.name = assets.index.name = "mine"
    pd.testing.assert_frame_equal(panel.excess_returns, kept)
    assert panel.factor_returns.abs().to_numpy().max() < 1
    assert panel.risk_free.max() < 1


@pytest.mark.parametrize("name", ["excess_returns", "factor_returns", "risk_free"])
def test_the_frames_of_a_panel_cannot_be_used_to_change_it(name):
    panel = align()
    before = getattr(panel, name).copy(deep=True)
    with contextlib.suppress(ValueError):  # some copy first, some say that it is read-only
        view = getattr(panel, name)
        view.iloc[0] = 9.0
    changed = getattr(panel, name)
    changed.index.name = "mine"
    with contextlib.suppress(ValueError):
        changed *= 2
    assert getattr(panel, name).equals(before)
    assert getattr(panel, name).index.name is None


def test_the_arrays_of_a_panel_are_read_only():
    panel = align()
    for chosen in (panel, panel.select("A"), panel.select(end="2020-01-05"), panel.select()):
        for array in chosen.arrays():
            assert array.dtype == np.float64
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1.0
        # each asset's dates side by side, which is how they are summed
        assert chosen.arrays()[0].flags.f_contiguous


def test_the_record_of_what_was_dropped_cannot_be_changed():
    panel = align(free=pd.Series(0.0, DAYS[1:]))
    record = panel.dropped
    record["reason"] = "mine"
    assert panel.dropped["reason"].tolist() == ["no risk-free row"]


def _constructor(**changes):
    arguments = {
        "dates": DAYS, "assets": ["A"], "factors": ["F"], "excess_returns": np.zeros((10, 1)),
        "factor_returns": np.zeros((10, 1)), "risk_free": np.zeros(10), "horizon": rm.DAY,
        "definitions": ["F"], "dropped": pd.DataFrame({"date": [], "reason": []}),
    }  # fmt: skip
    return rm.ReturnPanel(**(arguments | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"excess_returns": np.zeros((10, 2))}, r"excess_returns.*\(10, 1\)"),
        ({"factor_returns": np.zeros((9, 1))}, r"factor_returns.*\(10, 1\)"),
        ({"risk_free": np.zeros((10, 1))}, r"risk_free.*\(10,\)"),
        ({"definitions": ()}, "one definition for each of the 1 factors"),
        ({"definitions": ["G"]}, "one definition for each of the 1 factors"),
        ({"dates": DAYS[::-1]}, "increasing DatetimeIndex"),
        ({"dates": DAYS[[0, 0, 1, 2, 3, 4, 5, 6, 7, 8]]}, "increasing DatetimeIndex"),
        ({"dates": np.arange(10)}, "increasing DatetimeIndex"),
        ({"factor_returns": np.full((10, 1), np.nan)}, "factor_returns finite"),
        ({"risk_free": np.full(10, np.nan)}, "risk_free finite"),
    ],
)
def test_the_constructor_refuses_parts_that_do_not_fit(changes, message):
    assert _constructor().excess_returns.shape == (10, 1)
    with pytest.raises(rm.InvalidParameterError, match=message):
        _constructor(**changes)


def test_the_constructor_copies_arrays_that_could_be_written_to():
    array = np.zeros((10, 1))
    panel = _constructor(excess_returns=array)
    array[0, 0] = 9.0
    assert panel.excess_returns.iloc[0, 0] == 0.0


# -- alignment: what is kept and what is left out -----------------------------------------------------------------


def test_factor_and_risk_free_dates_are_intersected_and_the_rest_is_told():
    assets, factors, free = frame("AB"), frame(["Mkt-RF", "SMB"], seed=1), pd.Series(0.0001, DAYS)
    assets.iloc[0] = np.nan
    factors.iloc[1, 1] = np.nan
    factors.iloc[2] = np.nan
    free.iloc[3] = np.nan
    panel = align(assets.drop(DAYS[4]), factors.drop(DAYS[5]), free.drop(DAYS[[5, 6]]))
    assert list(panel.dates) == list(DAYS[7:])
    assert panel.dropped.set_index("date")["reason"].to_dict() == {
        DAYS[0]: "every asset missing",
        DAYS[1]: "factor SMB missing",
        DAYS[2]: "factor Mkt-RF missing; factor SMB missing",
        DAYS[3]: "risk-free rate missing",
        DAYS[4]: "no asset row",
        DAYS[5]: "no factor row; no risk-free row",
        DAYS[6]: "no risk-free row",
    }


def test_assets_may_be_listed_late_delisted_early_and_have_holes():
    assets = frame("ABC")
    assets.iloc[:4, 0] = np.nan
    assets.iloc[7:, 1] = np.nan
    assets.iloc[5, 2] = np.nan
    panel = align(assets)
    assert len(panel.dates) == 10
    pd.testing.assert_frame_equal(panel.excess_returns.isna(), assets.isna(), check_freq=False)


@pytest.mark.filterwarnings("ignore::riskmodel.LeftOutWarning")
@given(ragged("ABC"), ragged("FG"), ragged(["rf"], high=0.0004))
def test_every_date_is_either_kept_or_dropped_with_a_reason_and_kept_numbers_are_the_callers(assets, factors, free):
    every = assets.index.union(factors.index).union(free.index)
    complete = assets.dropna(how="all").index.intersection(factors.dropna().index).intersection(free.dropna().index)
    if not len(complete):
        with pytest.raises(rm.NoOverlapError):
            align(assets, factors, free["rf"])
        return
    panel = align(assets, factors, free["rf"])
    assert list(panel.dates) == sorted(complete)
    assert sorted([*panel.dates, *panel.dropped["date"]]) == sorted(every)
    assert (panel.dropped["reason"] != "").all()
    np.testing.assert_array_equal(panel.factor_returns, factors.loc[panel.dates])
    np.testing.assert_array_equal(panel.risk_free, free["rf"].loc[panel.dates])
    np.testing.assert_array_equal(
        panel.excess_returns, assets.loc[panel.dates].sub(free["rf"].loc[panel.dates], axis=0)
    )


@pytest.mark.filterwarnings("ignore::riskmodel.SuspectReturnWarning")
@given(ragged("AB"), ragged(["F"]), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(assets, factors, random):
    assume(len(assets.dropna(how="all").index.intersection(factors.dropna().index)))
    free = pd.Series(0.0, assets.index)
    shuffled = assets.iloc[random.sample(range(len(assets)), len(assets))]
    one, other = align(assets, factors, free), align(shuffled, factors.iloc[::-1], free.iloc[::-1])
    for a, b in zip(one.arrays(), other.arrays(), strict=True):
        np.testing.assert_array_equal(a, b)
    pd.testing.assert_frame_equal(one.dropped, other.dropped)


@pytest.mark.filterwarnings("ignore::riskmodel.SuspectReturnWarning")
@given(ragged("AB"), ragged(["F"]), st.integers(3, 11))
def test_rows_after_a_date_change_no_bit_of_the_panel_that_ends_there(assets, factors, cut):
    day = sorted(assets.index.union(factors.index))[: cut + 1][-1]
    free = pd.Series(0.0001, assets.index)
    known = [x.loc[x.index <= day] for x in (assets, factors, free)]
    assume(len(known[0].dropna(how="all").index.intersection(known[1].dropna().index)))
    then, later = align(*known), align(assets, factors, free).select(end=day)
    assert list(then.dates) == list(later.dates)
    for a, b in zip(then.arrays(), later.arrays(), strict=True):
        assert a.tobytes() == b.tobytes()
    pd.testing.assert_frame_equal(then.dropped, later.dropped)


# -- dates ------------------------------------------------------------------------------------------------------

SAME_DAYS = {
    "naive": DAYS,
    "New York": DAYS.tz_localize("America/New_York"),
    "Tokyo, at the close": (DAYS + pd.Timedelta(hours=15)).tz_localize("Asia/Tokyo"),
    "seconds": DAYS.as_unit("s"),
    "nanoseconds": DAYS.as_unit("ns"),
    "stamped at the close": DAYS + pd.Timedelta(hours=16),
    "daily periods": DAYS.to_period("D"),
    "objects of periods": pd.Index(list(DAYS.to_period("D")), dtype=object),
    "date objects": pd.Index(list(DAYS.date), dtype=object),
    "stamps as objects": pd.Index(list(DAYS), dtype=object),
    "ISO strings": pd.Index(DAYS.strftime("%Y-%m-%d")),
    "compact strings": pd.Index(DAYS.strftime("%Y%m%d")),
    "arrow strings": pd.Index(DAYS.strftime("%Y-%m-%d"), dtype="string[pyarrow]"),
    "arrow stamps": pd.Index(DAYS, dtype=pd.ArrowDtype(pa.timestamp("us"))),
    "arrow dates": pd.Index(pd.array(DAYS.date, dtype=pd.ArrowDtype(pa.date32()))),
}


@pytest.mark.parametrize("dates", SAME_DAYS.values(), ids=SAME_DAYS)
def test_dates_align_however_they_are_written(dates):
    panel = align(frame("AB").set_axis(dates), frame(["F"]), pd.Series(0.0, DAYS))
    pd.testing.assert_index_equal(panel.dates, pd.DatetimeIndex(list(DAYS)), exact="equiv")
    assert panel.dropped.empty


def _months(dates):
    return frame("AB", pd.DatetimeIndex(dates))


MONTH_END = pd.date_range("2018-01-31", periods=9, freq=pd.offsets.MonthEnd())
SAME_MONTHS = {
    "first day": MONTH_END - pd.offsets.MonthBegin(),
    "last day": MONTH_END,
    "first business day": MONTH_END - pd.offsets.BMonthBegin(),
    "last trading day, Good Friday eve": MONTH_END.where(MONTH_END != "2018-03-31", pd.Timestamp("2018-03-29")),
    "periods": MONTH_END.to_period("M"),
    "zone": MONTH_END.tz_localize("Europe/London"),
}


@pytest.mark.parametrize("left", SAME_MONTHS.values(), ids=SAME_MONTHS)
@pytest.mark.parametrize("right", SAME_MONTHS.values(), ids=SAME_MONTHS)
def test_monthly_rows_align_whichever_day_of_the_month_labels_them(left, right):
    panel = align(frame("AB").iloc[:9].set_axis(left), frame(["F"]).iloc[:9].set_axis(right),
                  pd.Series(0.0, MONTH_END), rm.MONTH)  # fmt: skip
    assert list(panel.dates) == list(MONTH_END)
    assert panel.dropped.empty


@pytest.mark.parametrize(("horizon", "freq"), [(rm.QUARTER, "Q"), (rm.YEAR, "Y")])
def test_quarters_and_years_align_from_first_and_last_days(horizon, freq):
    periods = pd.period_range("2000-01-01", periods=8, freq=freq)
    rows = frame("AB").iloc[:8]
    panel = align(rows.set_axis(periods), rows.set_axis(periods.to_timestamp(how="start")),
                  pd.Series(0.0, periods.to_timestamp(how="end")), horizon)  # fmt: skip
    assert list(panel.dates) == list(periods.to_timestamp(how="end").normalize())


FRIDAYS = pd.date_range("2020-01-03", periods=9, freq="W-FRI")
SAME_WEEKS = {
    "Friday": FRIDAYS,
    "Monday": FRIDAYS - pd.Timedelta(days=4),
    "Wednesday": FRIDAYS - pd.Timedelta(days=2),
    "Saturday": FRIDAYS + pd.Timedelta(days=1),
    "Sunday": FRIDAYS + pd.Timedelta(days=2),
    "Thursday where Friday is a holiday": FRIDAYS.where(FRIDAYS != "2020-01-31", pd.Timestamp("2020-01-30")),
    "weeks to Friday": FRIDAYS.to_period("W-FRI"),
    "weeks to Sunday": FRIDAYS.to_period("W-SUN"),
}


@pytest.mark.parametrize("left", SAME_WEEKS.values(), ids=SAME_WEEKS)
@pytest.mark.parametrize("right", SAME_WEEKS.values(), ids=SAME_WEEKS)
def test_weekly_rows_align_on_fridays_whichever_day_of_the_week_labels_them(left, right):
    weeks = frame("AB").iloc[:9]
    panel = align(weeks.set_axis(left), weeks.set_axis(right), pd.Series(0.0, FRIDAYS), rm.WEEK)
    assert list(panel.dates) == list(FRIDAYS)


NO_DATES = {
    "integers": pd.RangeIndex(10),
    "integers like dates": pd.Index(range(20200101, 20200111)),
    "numbers": pd.Index(np.arange(10.0)),
    "words": pd.Index(list("abcdefghij")),
    "day before month": pd.Index(DAYS.strftime("%d/%m/%Y")),
    "time spans": pd.to_timedelta(np.arange(10), unit="D"),
    "categories": pd.CategoricalIndex(DAYS),
    "two levels": pd.MultiIndex.from_product([DAYS, ["x"]]),
    "mixed": pd.Index([*DAYS[:9], "2020-01-14"], dtype=object),
    "no such day": pd.Index(["2020-02-30"] * 10),
}


@pytest.mark.parametrize("index", NO_DATES.values(), ids=NO_DATES)
@pytest.mark.parametrize("which", ["assets", "factors", "free"])
def test_an_index_without_dates_is_refused(index, which):
    rows = frame("AB").set_axis(index)
    with pytest.raises(rm.InvalidDatesError) as caught:
        align(frame("AB"), **{which: rows["A"] if which == "free" else rows}) if which != "assets" else align(
            rows, frame(["F"]), pd.Series(0.0, DAYS)
        )
    names = {"assets": "asset returns", "factors": "factor returns", "free": "the risk-free rate"}
    assert caught.value.details["what"] == names[which]


@pytest.mark.parametrize("kind", ["datetime64[ns]", "period[D]", "object"])
def test_rows_without_a_date_are_refused(kind):
    dates = pd.Index(pd.Series([*DAYS[:9], pd.NaT]).astype(kind), dtype=kind)
    with pytest.raises(rm.InvalidDatesError, match="without a date") as caught:
        align(frame("AB").set_axis(dates), frame(["F"]), pd.Series(0.0, DAYS))
    assert caught.value.details == {"what": "asset returns", "missing": 1}


def test_duplicate_dates_are_refused_and_named():
    twice = frame("AB").iloc[[0, 1, 1, 2, 3, 3]]
    with pytest.raises(rm.DuplicateDatesError, match="2020-01-02, 2020-01-06") as caught:
        align(twice)
    assert caught.value.details["dates"] == list(DAYS[[1, 3]])
    with pytest.raises(rm.DuplicateDatesError, match="factor returns"):
        align(factors=twice)
    with pytest.raises(rm.DuplicateDatesError, match="risk-free rate"):
        align(free=twice["A"])


def test_two_rows_in_one_day_or_month_are_duplicates():
    hours = pd.DatetimeIndex([d + pd.Timedelta(hours=h) for d in DAYS[:4] for h in (10, 16)])
    with pytest.raises(rm.DuplicateDatesError, match="one row per day"):
        align(frame("A", hours))
    with pytest.raises(rm.DuplicateDatesError, match=r"month.*2018-02-28"):
        align(_months(["2018-01-31", "2018-02-01", "2018-02-28", "2018-03-31"]), horizon=rm.MONTH)


SPACED = {
    rm.DAY: pd.bdate_range("2020-01-01", periods=40),
    rm.WEEK: pd.date_range("2020-01-03", periods=40, freq="W-FRI"),
    rm.MONTH: pd.date_range("2000-01-31", periods=40, freq=pd.offsets.MonthEnd()),
    rm.QUARTER: pd.date_range("2000-03-31", periods=40, freq=pd.offsets.QuarterEnd()),
    rm.YEAR: pd.date_range("1970-12-31", periods=40, freq=pd.offsets.YearEnd()),
}


@pytest.mark.parametrize("stated", SPACED)
@pytest.mark.parametrize("real", SPACED)
def test_dates_spaced_unlike_the_horizon_are_refused_and_the_likely_one_is_named(stated, real):
    rows = frame("A", SPACED[real])
    if stated == real:
        assert len(align(rows, horizon=stated).dates) == 40
        return
    with pytest.raises(rm.SpacingError, match=rf"rm\.{real!r}") as caught:
        align(rows, horizon=stated)
    assert isinstance(caught.value, rm.HorizonMismatchError | ValueError)
    assert isinstance(caught.value, rm.DataError)
    assert caught.value.details["horizon"] == stated


@pytest.mark.parametrize("rows", [2, 3, 5])
def test_gross_mistakes_of_spacing_are_told_of_few_rows_too(rows):
    with pytest.raises(rm.SpacingError, match="one row per month"):
        align(frame("A", SPACED[rm.MONTH][:rows]))
    with pytest.raises(rm.SpacingError, match="one row per month"):
        align(frame("A", SPACED[rm.MONTH][:rows].to_period("M")))
    with pytest.raises(rm.SpacingError, match="one row per day"):
        align(frame("A", SPACED[rm.DAY][:rows]), horizon=rm.MONTH)


def test_holidays_weekends_and_long_closures_are_no_mistake():
    closed = pd.bdate_range("2001-09-03", periods=30).drop(pd.bdate_range("2001-09-11", "2001-09-14"))
    assert len(align(frame("A", closed)).dates) == 26
    assert len(align(frame("A", pd.date_range("2020-01-01", periods=30)), horizon=rm.CALENDAR_DAY).dates) == 30
    assert len(align(frame("A", DAYS[[0, 3, 7]])).dates) == 3
    assert len(align(frame("A", DAYS[:1])).dates) == 1


def test_the_spacing_of_factors_and_rate_is_held_against_the_horizon_too():
    daily, monthly = SPACED[rm.DAY], SPACED[rm.MONTH]
    with pytest.raises(rm.SpacingError, match="factor returns"):
        align(frame("A", daily), frame(["F"], monthly), pd.Series(0.0, daily))
    with pytest.raises(rm.SpacingError, match="risk-free rate"):
        align(frame("A", daily), frame(["F"], daily), pd.Series(0.0, monthly))


# -- numbers ------------------------------------------------------------------------------------------------------

NUMBERS = {
    "Float64": lambda s: s.astype("Float64"),
    "Float32": lambda s: s.astype("Float32"),
    "float32": lambda s: s.astype("float32"),
    "double[pyarrow]": lambda s: s.astype("double[pyarrow]"),
    "decimal128": lambda s: pd.Series([None if pd.isna(x) else Decimal(repr(x)) for x in s], s.index,
                                      dtype=pd.ArrowDtype(pa.decimal128(10, 6))),
    "object with None": lambda s: pd.Series([None if pd.isna(x) else x for x in s], s.index, dtype=object),
    "object with pd.NA": lambda s: pd.Series([pd.NA if pd.isna(x) else x for x in s], s.index, dtype=object),
    "Decimal": lambda s: pd.Series([None if pd.isna(x) else Decimal(repr(x)) for x in s], s.index, dtype=object),
    "sparse": lambda s: s.astype("Sparse[float]"),
}  # fmt: skip


@pytest.mark.parametrize("convert", NUMBERS.values(), ids=NUMBERS)
def test_columns_are_read_whatever_holds_their_numbers(convert):
    plain = frame("AB").round(6)
    plain.iloc[2:4, 0] = np.nan
    free = pd.Series(0.0, DAYS)
    came = plain.assign(A=convert(plain["A"]))
    before = came.copy(deep=True)
    panel = align(came, came[["B"]].assign(F=convert(plain["B"])), convert(free))
    np.testing.assert_allclose(panel.excess_returns, plain, rtol=1e-6)
    np.testing.assert_allclose(panel.factor_returns["F"], plain["B"], rtol=1e-6)
    pd.testing.assert_frame_equal(came, before)


@pytest.mark.parametrize("dtype", ["int64", "Int32", "int64[pyarrow]", "uint8"])
def test_whole_numbers_are_numbers(dtype):
    with pytest.warns(rm.DoubtfulUnitWarning) as caught:
        panel = align(factors=pd.DataFrame({"F": [0, 100] * 5}, DAYS, dtype=dtype))
    assert caught[0].message.details["labels"] == ["F"]
    assert panel.factor_returns["F"].tolist() == [0.0, 100.0] * 5


NOT_NUMBERS = {
    "string": ["0.01"] * 10,
    "boolean": [True, False] * 5,
    "complex": [0.01j] * 10,
    "datetime64": DAYS,
    "timedelta64": pd.to_timedelta(np.arange(10), unit="D"),
    "categorical": pd.Categorical(np.arange(10.0)),
    "mixed": pd.Series([0.01, "0.02"] * 5, dtype=object).array,
    "boolean ": pd.array([True, None] * 5, dtype="boolean"),
    "boolean  ": pd.array([True, None] * 5, dtype="bool[pyarrow]"),
    "string ": pd.array(["0.01", None] * 5, dtype="string[pyarrow]"),
    "period": DAYS.to_period("D"),
}


@pytest.mark.parametrize(("kind", "column"), NOT_NUMBERS.items(), ids=[k.strip() for k in NOT_NUMBERS])
def test_columns_without_numbers_are_refused_by_name(kind, column):
    bad = frame("A").assign(Bad=column)
    for what, tables in {
        "asset returns": {"assets": bad},
        "factor returns": {"factors": bad},
        "the risk-free rate": {"free": bad["Bad"]},
    }.items():
        with pytest.raises(rm.NonNumericError, match=f"got {kind.strip()} values") as caught:
            align(**tables)
        assert caught.value.details == {"what": what, "column": "Bad"}


@pytest.mark.parametrize("bad", [None, [0.1], {"A": [0.1]}, np.zeros((10, 2)), "returns"])
def test_what_is_no_frame_is_refused(bad):
    with pytest.raises(rm.NonNumericError, match="expected asset returns as a table"):
        rm.ReturnPanel.align(bad, frame(["F"]), pd.Series(0.0, DAYS), horizon=rm.DAY)
    with pytest.raises(rm.NonNumericError, match="expected the risk-free rate as a pandas Series"):
        rm.ReturnPanel.align(frame("A"), frame(["F"]), bad, horizon=rm.DAY)


def test_the_rate_is_one_column():
    with pytest.raises(rm.InvalidParameterError, match="one column") as caught:
        align(free=frame("AB"))
    assert caught.value.details["columns"] == ["A", "B"]
    assert (align(free=pd.DataFrame({"RF": 0.0001}, DAYS)).risk_free == 0.0001).all()


@pytest.mark.parametrize("horizon", [None, 252, "day"])
def test_the_horizon_must_be_one(horizon):
    with pytest.raises(rm.InvalidParameterError, match=r"rm\.DAY"):
        align(horizon=horizon)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinities_are_refused_and_placed(value):
    bad = frame("AB")
    bad.iloc[4, 1] = value
    for what, tables in {
        "asset returns": {"assets": bad},
        "factor returns": {"factors": bad},
        "the risk-free rate": {"free": bad["B"].astype("Float64")},
    }.items():
        with pytest.raises(rm.InfiniteReturnsError) as caught:
            align(**tables)
        assert caught.value.details == {"what": what, "label": "B", "date": DAYS[4]}


def test_duplicate_labels_are_refused():
    with pytest.raises(rm.DuplicateLabelsError, match="columns of asset returns") as caught:
        align(frame("ABA"))
    assert caught.value.details["labels"] == ["A"]
    with pytest.raises(rm.DuplicateLabelsError, match="columns of factor returns"):
        align(factors=frame("FF"))


@pytest.mark.parametrize(
    ("labels", "advice"),
    [
        ([20200101 + i for i in range(5)], "%Y%m%d"),
        ([202001 + i for i in range(5)], "%Y%m"),
        ([43831 + i for i in range(5)], "1899-12-30"),
        ([1577836800 + 86400 * i for i in range(5)], "unit='s'"),
        ([1577836800000 + 86400000 * i for i in range(5)], "unit='ms'"),
        ([0, 1, 2, 3, 4], "DatetimeIndex"),
    ],
)
def test_numbers_in_the_place_of_dates_are_refused_with_their_conversion(labels, advice):
    table = pd.DataFrame({"A": 0.01}, labels)
    with pytest.raises(rm.InvalidDatesError) as caught:
        align(table)
    assert advice in str(caught.value)
    if advice != "DatetimeIndex":
        written = str(caught.value).split("write table.index = ")[1].removesuffix(".")
        converted = eval(written, {"pd": pd, "table": table})
        assert converted[0] == pd.Timestamp("2020-01-01")


@pytest.mark.parametrize("year", [20000, 1500])
def test_years_that_are_mistakes_are_refused(year):
    dates = pd.DatetimeIndex(np.array([f"{year}-01-{d:02d}" for d in range(1, 11)], dtype="datetime64[s]"))
    with pytest.raises(rm.InvalidDatesError) as caught:
        align(frame("A").set_axis(dates))
    assert caught.value.details == {"what": "asset returns", "year": year}


@pytest.mark.parametrize("value", [-1.0, -1.0001, -1.5])
def test_losing_everything_and_going_on_is_refused_and_placed(value):
    bad = frame("AB")
    bad.iloc[4, 1] = value
    with pytest.raises(rm.ImpossibleReturnsError) as caught:
        align(bad)
    assert caught.value.details == {"what": "asset returns", "label": "B", "date": DAYS[4]}
    bad.iloc[4, 1] = -0.999
    with pytest.warns(rm.SuspectReturnWarning):
        panel = align(bad)
    assert panel.excess_returns.iloc[4, 1] == pytest.approx(-0.9991)


def test_a_security_may_end_worthless():
    ended = frame("AB")
    ended.iloc[4, 1] = -1.0
    ended.iloc[5:, 1] = np.nan
    assert align(ended).excess_returns.iloc[4, 1] == pytest.approx(-1.0001)
    ended.iloc[4, 1] = -1.5
    with pytest.raises(rm.ImpossibleReturnsError) as caught:
        align(ended)
    assert caught.value.details["label"] == "B"


@pytest.mark.parametrize(("horizon", "typical"), [(rm.DAY, 0.01), (rm.WEEK, 0.022), (rm.MONTH, 0.05), (rm.YEAR, 0.16)])
def test_percent_is_told_from_decimals_at_every_horizon(horizon, typical):
    dates = SPACED[horizon]
    assets, factors, free = frame("AB", dates, typical), frame("FG", dates, typical, 1), pd.Series(0.0001, dates)
    assets = assets.clip(lower=-0.9)
    align(assets, factors, free, horizon)
    with pytest.raises(rm.PercentReturnsError, match="divide by 100") as caught:
        align(100 * assets, factors, free, horizon)
    assert caught.value.details == {"what": "asset returns", "labels": ["A", "B"]}
    with pytest.raises(rm.PercentReturnsError) as caught:
        align(assets.assign(B=100 * assets["B"]), factors, free, horizon)
    assert caught.value.details["labels"] == ["B"]
    with pytest.raises(rm.PercentReturnsError) as caught:
        align(assets, 100 * factors, free, horizon)
    assert caught.value.details == {"what": "factor returns", "labels": ["F", "G"]}


@pytest.mark.parametrize(
    ("times", "said"),
    [(100, "divide by 100"), (1e4, "divide by 10,000 where they are in basis points"), (1e6, "divide by 1,000,000")],
)
def test_the_unit_is_told_by_the_largest_loss(times, said):
    dates = SPACED[rm.DAY]
    assets = frame("A", dates, 0.01).clip(lower=-0.9)
    assets.iloc[3, 0] = -0.02  # two percent, which no percentage table has below -100
    with pytest.raises(rm.PercentReturnsError, match=said):
        align(times * assets, frame("F", dates), pd.Series(0.0001, dates), rm.DAY)


@pytest.mark.parametrize(("horizon", "rate"), [(rm.DAY, 0.02), (rm.MONTH, 0.4), (rm.YEAR, 5.0), (rm.DAY, 0.05)])
def test_a_rate_in_percent_or_per_year_is_refused(horizon, rate):
    dates = SPACED[horizon]
    with pytest.raises(rm.PercentReturnsError, match=r"divide by 100 .*rm\.YEAR\.scale_mean"):
        align(frame("A", dates), free=pd.Series(rate, dates), horizon=horizon)


@pytest.mark.parametrize("horizon", SPACED)
def test_prices_levels_and_gross_returns_are_told_from_percent(horizon):
    rows = frame("AB", SPACED[horizon]).clip(lower=-0.9)
    gross = 1 + rows
    for level in (gross, 100 * gross.cumprod(), 4000 * gross.cumprod(), 1e6 * gross.cumprod()):
        for bad in ({"assets": rows.assign(B=level["B"])}, {"factors": rows.assign(B=level["B"])}):
            with pytest.raises(rm.ImpossibleReturnsError, match=r"\.pct_change\(\).*subtract 1") as caught:
                align(**({"assets": rows, "factors": rows} | bad), horizon=horizon)
            assert caught.value.details["labels"] == ["B"]


def test_a_few_prices_of_assets_are_called_prices_or_percent():
    prices = 100 + frame("AB")
    with pytest.raises(rm.PercentReturnsError, match=r"percent by 100.*\.pct_change\(\)"):
        align(prices)


def test_small_positive_returns_are_no_levels():
    bill = pd.DataFrame({"A": 0.0002, "B": 0.0001}, SPACED[rm.DAY])
    assert len(align(bill, bill).dates) == 40


def test_factors_on_a_scale_of_their_own_are_accepted_beside_tiny_returns():
    scale = [rm.PublishedFactor("F", tradable=False)]
    panel = align(1e-4 * frame("AB"), 1e4 * frame(["F"], seed=1), definitions=scale)
    with pytest.warns(rm.DoubtfulUnitWarning):
        align(1e-4 * frame("AB"), 1e4 * frame(["F"], seed=1))
    assert panel.factor_returns["F"].abs().max() > 100


def french_rate():
    """A daily rate in percent as it is published: 0.017 for some months, then years of 0.000 and 0.001."""
    days = pd.bdate_range("2008-01-02", "2015-12-31")
    return pd.Series(np.where(days < "2008-06-01", 0.017, np.arange(len(days)) % 4 == 0) * 1.0, days).replace(1.0, 1e-3)


def test_a_rate_in_percent_is_told_by_its_higher_values():
    rate = french_rate()
    with pytest.raises(rm.PercentReturnsError) as caught:
        align(frame("A", rate.index), free=rate)
    assert caught.value.details["largest"] == 0.017
    assert align(frame("A", rate.index), free=rate / 100).risk_free.max() == pytest.approx(0.00017)


@pytest.mark.parametrize(("horizon", "rate"), [(rm.DAY, 0.0026), (rm.MONTH, 0.06), (rm.YEAR, 0.65)])
def test_a_typical_rate_of_two_thirds_a_year_is_refused_and_of_a_half_is_not(horizon, rate):
    dates = SPACED[horizon]
    with pytest.raises(rm.PercentReturnsError):
        align(frame("A", dates), free=pd.Series(rate, dates), horizon=horizon)
    with pytest.warns(rm.HighRateWarning):
        assert len(align(frame("A", dates), free=pd.Series(0.75 * rate, dates), horizon=horizon).dates) == 40


def test_a_crash_is_not_percent():
    crash = frame("AB")
    crash.iloc[5] = [-0.9, 3.0]
    with pytest.warns(rm.SuspectReturnWarning):
        panel = align(crash)
    assert panel.excess_returns.iloc[5, 1] == pytest.approx(2.9999)


def test_frames_without_rows_or_assets_are_refused():
    with pytest.raises(rm.InvalidParameterError, match="one column or more"):
        align(frame(""), frame(["F"]), pd.Series(0.0, DAYS))
    empty = frame("AB").iloc[:0]
    with pytest.raises(rm.NoOverlapError, match="assets: 0 dates; factors: 10 dates from 2020-01-01"):
        align(empty, frame(["F"]), pd.Series(0.0, DAYS))
    with pytest.raises(rm.NoOverlapError, match="assets: 0 dates"):
        align(pd.DataFrame(columns=["A"]), frame(["F"]), pd.Series(0.0, DAYS))


def test_no_overlap_says_what_each_spans():
    with pytest.raises(rm.NoOverlapError, match=r"2020-01-01 to 2020-01-14; factors: 10 dates from 2021-01-01"):
        align(factors=frame(["F"], pd.bdate_range("2021-01-01", periods=10)))
    with pytest.raises(rm.NoOverlapError):
        align(frame("AB") * np.nan)


def test_labels_may_be_of_mixed_type():
    panel = align(frame(["A", 1, pd.Timestamp("2020-01-01")]), frame(["F", 7]))
    assert panel.select([1], [7]).excess_returns.columns.tolist() == [1]


# -- select -------------------------------------------------------------------------------------------------------


def test_select_chooses_assets_factors_and_dates_in_the_order_asked():
    panel = align(frame("ABC"), frame(["F", "G-RF"], seed=1), definitions=["F", "G-RF"])
    part = panel.select(["C", "A"], ["G-RF"], "2020-01-03", "2020-01-07")
    assert part.excess_returns.equals(panel.excess_returns.loc["2020-01-03":"2020-01-07", ["C", "A"]])
    assert part.factor_returns.equals(panel.factor_returns.loc["2020-01-03":"2020-01-07", ["G-RF"]])
    assert part.risk_free.equals(panel.risk_free.loc["2020-01-03":"2020-01-07"])
    assert (part.definitions, part.funded, part.horizon) == ((rm.PublishedFactor("G-RF"),), (True,), rm.DAY)
    assert panel.select("B").excess_returns.columns.tolist() == ["B"]
    assert panel.select(factors=[]).factor_returns.shape == (10, 0)


@pytest.mark.parametrize(
    "label",
    ["B", 10107, np.int64(10107), 1.5, dt.date(2020, 1, 1), pd.Timestamp("2020-01-01"), b"B"],
    ids=repr,
)
def test_select_takes_a_lone_label_of_any_kind(label):
    panel = align(frame(["A", label]), frame(["F", label]))
    for part in (panel.select(label, label), panel.select([label], [label])):
        assert list(part.assets) == list(part.factors) == [label]
    assert list(panel.select((label, "A")).assets) == [label, "A"]


def test_labels_of_several_levels_are_refused():
    with pytest.raises(rm.InvalidParameterError, match="labels of several levels") as caught:
        align(frame([("A", 1), ("A", 2)]))
    assert caught.value.details["labels"] == [("A", 1), ("A", 2)]


def test_an_unknown_label_that_prints_like_a_known_one_is_written_out():
    panel = align(frame([10107, 10108]))
    with pytest.raises(rm.UnknownAssetError, match=r"unknown asset: '10107'\. nearest to '10107': 10107"):
        panel.select("10107")
    with pytest.raises(rm.UnknownAssetError, match=r"unknown asset: 10107\. nearest to 10107: '10107'"):
        align(frame(["10107", "B"])).select(10107)
    with pytest.raises(rm.UnknownAssetError, match=r"unknown asset: 5\. "):
        panel.select(5)


@pytest.mark.parametrize("lone", ["MSFT", b"MSFT", 10107, None, dt.date(2020, 1, 1)])
def test_a_single_label_in_place_of_a_list_is_refused(lone):
    with pytest.raises(rm.InvalidParameterError, match=r"write \[") as caught:
        _constructor(assets=lone)
    assert f"[{lone!r}]" in str(caught.value)


def test_select_keeps_dates_where_the_chosen_assets_are_missing():
    assets = frame("AB")
    assets.iloc[:4, 0] = np.nan
    assert len(align(assets).select("A").dates) == 10


def test_select_tells_what_was_dropped_within_its_window():
    panel = align(free=pd.Series(0.0, DAYS.drop(DAYS[[1, 8]])))
    assert panel.select(start=DAYS[5]).dropped["date"].tolist() == [DAYS[8]]
    assert panel.select(start=DAYS[5]).dropped.index.tolist() == [0]
    assert len(panel.select().dropped) == 2


@given(st.integers(0, 9), st.integers(0, 9))
def test_selecting_twice_is_selecting_the_overlap(a, b):
    panel = align()
    low, high = sorted([DAYS[a], DAYS[b]])
    once = panel.select(start=low, end=high)
    twice = panel.select(end=high).select(start=low)
    for x, y in zip(once.arrays(), twice.arrays(), strict=True):
        np.testing.assert_array_equal(x, y)


def test_select_raises_for_what_is_not_there():
    panel = align()
    with pytest.raises(rm.UnknownAssetError, match="unknown asset: Z"):
        panel.select(["A", "Z"])
    with pytest.raises(rm.UnknownFactorError, match="nearest to 'SMV': SMB"):
        panel.select(factors=["SMV"])
    with pytest.raises(rm.DuplicateLabelsError):
        panel.select(["A", "A"])
    with pytest.raises(rm.NoOverlapError, match="from 2021 on"):
        panel.select(start="2021")


ENDS = ["2020-01-07", "20200107", "2020-01-07 15:00", dt.date(2020, 1, 7), dt.datetime(2020, 1, 7, 9),
        np.datetime64("2020-01-07"), pd.Timestamp("2020-01-07"), pd.Timestamp("2020-01-07 23:00", tz="Asia/Tokyo"),
        pd.Timestamp("2020-01-07", tz="America/New_York"), pd.Period("2020-01-07", "D")]  # fmt: skip


@pytest.mark.parametrize("end", ENDS, ids=repr)
def test_the_ends_of_a_window_are_read_however_they_are_written(end):
    panel = align()
    assert panel.select(end=end).dates[-1] == pd.Timestamp("2020-01-07")
    assert panel.select(start=end).dates[0] == pd.Timestamp("2020-01-07")


def test_a_month_or_a_year_stands_for_all_of_its_days_at_either_end():
    panel = align(frame("A", SPACED[rm.MONTH]), horizon=rm.MONTH)
    assert panel.select(start="2001-02", end="2001-04").dates.strftime("%Y-%m-%d").tolist() == [
        "2001-02-28", "2001-03-31", "2001-04-30",
    ]  # fmt: skip
    assert len(panel.select(start="2001", end="2001").dates) == 12
    assert panel.select(end=pd.Period("2001Q1")).dates[-1] == pd.Timestamp("2001-03-31")
    assert panel.select(end="2001-03-30").dates[-1] == pd.Timestamp("2001-02-28")


@pytest.mark.parametrize(
    "bad", ["soon", "now", "31/01/2020", "2020-13-01", "", 2020, 20200107, 1.5, True, pd.NaT, "NaT", [1], DAYS]
)
@pytest.mark.parametrize("which", ["start", "end"])
def test_a_window_needs_dates_as_its_ends(bad, which):
    with pytest.raises(rm.InvalidParameterError) as caught:
        align().select(**{which: bad})
    assert caught.value.details["name"] == which
    assert caught.value.details["value"] is bad


def test_a_window_does_not_end_before_it_starts():
    with pytest.raises(rm.InvalidParameterError, match="2020-01-03 and 2020-01-02"):
        align().select(start="2020-01-03", end="2020-01-02")


@pytest.mark.parametrize("moment", ["0001-01-01", "9999-12", pd.Period("1500-01"), np.datetime64("3000-01-01")])
def test_a_window_out_of_reach_is_empty_or_whole_or_an_error_of_the_package(moment):
    whole = rm.SampleData().panel(["MSFT"], ["Mkt-RF"])
    for ends in ((moment, None), (None, moment)):
        try:
            panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF"], *ends)
        except (rm.NoOverlapError, rm.InvalidParameterError):
            continue
        assert panel.dates.equals(whole.dates)


# -- tables of other packages -------------------------------------------------------------------------------------


def as_polars(table):
    return pl.DataFrame({"date": list(table.index.to_pydatetime()), **{c: table[c].to_numpy() for c in table}})


def as_arrow(table):
    return pa.table({"when": pa.array(table.index.to_pydatetime()), **{c: pa.array(table[c]) for c in table}})


@pytest.mark.parametrize("convert", [as_polars, as_arrow], ids=["polars", "arrow"])
def test_tables_of_polars_and_arrow_give_the_same_panel(convert):
    assets, factors, rate = frame("AB"), frame(["F"], seed=1), pd.DataFrame({"rf": 0.0001}, DAYS)
    assets.iloc[3, 1] = np.nan
    shuffled = [table.iloc[::-1] for table in (assets, factors, rate)]
    data = rm.InMemory(
        convert(shuffled[0]), factors=convert(shuffled[1]), risk_free=convert(shuffled[2]), horizon=rm.DAY
    )
    plain = align(assets, factors, rate)
    panel = data.panel(["A", "B"], ["F"])
    pd.testing.assert_frame_equal(panel.excess_returns, plain.excess_returns)
    pd.testing.assert_frame_equal(panel.factor_returns, plain.factor_returns)
    pd.testing.assert_series_equal(panel.risk_free, plain.risk_free)
    direct = align(convert(assets), convert(factors), convert(rate))
    pd.testing.assert_frame_equal(direct.excess_returns, plain.excess_returns)


def test_numbers_and_gaps_of_polars():
    days = pl.Series("Date", list(DAYS.to_pydatetime())).cast(pl.Date)
    values = [None, 0.01, -0.01, 0.02, 0.0, 0.01, -0.03, 0.01, 0.0, 0.01]
    table = pl.DataFrame({
        "Date": days,
        "null": values,
        "float32": pl.Series(values, dtype=pl.Float32),
        "decimal": pl.Series(values).cast(pl.Decimal(10, 4)),
        "whole": [0, None, *[0] * 8],
    })  # fmt: skip
    panel = align(table, frame(["F"]), pd.Series(0.0, DAYS))
    expected = pd.DataFrame({key: [np.nan, *values[1:]] for key in ["null", "float32", "decimal"]}, DAYS)
    np.testing.assert_allclose(panel.excess_returns[["null", "float32", "decimal"]], expected, rtol=1e-6)
    with pytest.raises(rm.NonNumericError) as caught:
        align(table.with_columns(text=pl.lit("x")))
    assert caught.value.details["column"] == "text"


def test_the_column_of_dates_is_the_one_of_its_type_or_name():
    table = as_polars(frame("AB"))
    text = table.with_columns(pl.col("date").dt.strftime("%Y-%m-%d"))
    assert align(text).dates.equals(align(table).dates)
    two = table.with_columns(listed=pl.col("date"))
    for bad, dates in ((two.rename({"date": "from"}), ["from", "listed"]), (table.drop("date"), [])):
        with pytest.raises(rm.InvalidDatesError) as caught:
            align(bad)
        assert caught.value.details == {"columns": bad.columns, "dates": dates}
    with pytest.raises(rm.InvalidDatesError, match="no dates"):
        align(free=table["A"])
    with pytest.raises(rm.NonNumericError):  # one column of dates is called so; the other is no number
        align(two)


def test_pandas_alone_needs_no_other_package_of_frames():
    code = "import sys, riskmodel as rm; rm.SampleData().panel(['MSFT'], ['Mkt-RF']); print('narwhals' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
