"""Time is scaled in one place, and figures of different horizons never mix."""

import copy
import functools
import inspect
import json
import math
import operator
import pickle
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import riskmodel as rm
from riskmodel.horizon import require_horizon, require_same

KINDS = [rm.Mean, rm.Variance, rm.Volatility, rm.SharpeRatio]
NAMED = {"DAY": 1, "CALENDAR_DAY": 252 / 365, "WEEK": 252 / 52, "MONTH": 21, "QUARTER": 63, "YEAR": 252}
# The power of h that each kind grows with.
POWER = {rm.Mean: 1.0, rm.Variance: 1.0, rm.Volatility: 0.5, rm.SharpeRatio: 0.5}

kinds = st.sampled_from(KINDS)
horizons = st.floats(0.01, 10_000).map(rm.Horizon)
numbers = st.floats(-1e6, 1e6, allow_subnormal=False)


# -- Horizon -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "days"), NAMED.items())
def test_named_horizons_have_their_trading_days(name, days):
    horizon = getattr(rm, name)
    assert horizon.days == days
    assert repr(horizon) == name
    assert str(horizon) == name.lower().replace("_", " ")


def test_horizons_are_equal_by_length_whatever_their_name():
    assert rm.Horizon(21) == rm.Horizon(21.0, "moon") == rm.MONTH
    assert len({rm.Horizon(21), rm.Horizon(21.0, "moon"), rm.MONTH}) == 1
    assert rm.Horizon(21) != rm.DAY
    assert rm.Horizon(21) != 21


def test_a_nameless_horizon_says_its_days():
    assert repr(rm.Horizon(10)) == "Horizon(10)"
    assert str(rm.Horizon(2.5)) == "2.5 days"


@pytest.mark.parametrize("days", [10, 10.0, np.int64(10), np.float32(10), Fraction(10)])
def test_any_real_number_of_days_makes_the_same_horizon(days):
    horizon = rm.Horizon(days)
    assert horizon == rm.Horizon(10)
    assert type(horizon.days) is float


@pytest.mark.parametrize(
    "days", [0, -1, math.nan, math.inf, -math.inf, "21", None, True, 1j, [1], rm.DAY, np.bool_(True)]
)
def test_a_horizon_needs_a_positive_number_of_days(days):
    with pytest.raises(rm.InvalidParameterError, match=r"rm\.DAY") as caught:
        rm.Horizon(days)
    assert "days" in caught.value.details


def test_horizons_cannot_be_changed_or_put_in_order():
    with pytest.raises(AttributeError):
        rm.DAY.days = 2
    with pytest.raises(TypeError):
        _ = rm.DAY < rm.MONTH
    with pytest.raises(TypeError):
        _ = rm.DAY + rm.MONTH


def test_horizons_survive_pickle_and_copy():
    for again in (pickle.loads(pickle.dumps(rm.MONTH)), copy.copy(rm.MONTH), copy.deepcopy(rm.MONTH)):
        assert again == rm.MONTH
        assert repr(again) == "MONTH"


def test_scaling_is_by_h_for_means_and_variances_and_by_root_h_for_volatilities_and_sharpe_ratios():
    assert rm.MONTH.in_units_of(rm.DAY) == 21
    assert rm.DAY.in_units_of(rm.YEAR) == 1 / 252
    assert rm.DAY.scale_mean(0.001, to=rm.YEAR) == pytest.approx(0.252)
    assert rm.DAY.scale_variance(0.0001, to=rm.MONTH) == pytest.approx(0.0021)
    assert rm.DAY.scale_volatility(0.01, to=rm.YEAR) == pytest.approx(0.01 * math.sqrt(252))
    assert rm.MONTH.scale_sharpe(0.2, to=rm.YEAR) == pytest.approx(0.2 * math.sqrt(12))
    assert rm.YEAR.scale_volatility(0.16, to=rm.DAY) == pytest.approx(0.16 / math.sqrt(252))


def test_the_course_example_a_daily_alpha_times_twelve_is_not_what_a_year_is():
    alpha = rm.Mean(0.0004, rm.DAY)
    assert alpha.at(rm.YEAR) == pytest.approx(0.0004 * 252)
    assert alpha * 12 != float(alpha.at(rm.YEAR))
    with pytest.raises(rm.HorizonMismatchError):
        _ = alpha == alpha.at(rm.YEAR)


def test_there_is_no_way_to_scale_a_beta():
    assert not [name for name in dir(rm.Horizon) if "beta" in name]


def test_the_docstring_says_what_root_h_assumes():
    text = inspect.getdoc(rm.Horizon)
    assert "uncorrelated" in text
    assert "Lo, A. W. (2002)" in text


@pytest.mark.parametrize("method", ["scale_mean", "scale_variance", "scale_volatility", "scale_sharpe"])
@given(value=numbers, one=horizons, other=horizons)
def test_scaling_there_and_back_is_the_identity(method, value, one, other):
    there = getattr(one, method)(value, to=other)
    assert getattr(other, method)(there, to=one) == pytest.approx(value, rel=1e-12)


@given(value=numbers, a=horizons, b=horizons, c=horizons)
def test_scaling_in_two_steps_is_scaling_in_one(value, a, b, c):
    two = b.scale_volatility(a.scale_volatility(value, to=b), to=c)
    assert two == pytest.approx(a.scale_volatility(value, to=c), rel=1e-12)


@given(value=st.floats(0, 1e6), a=horizons, b=horizons)
def test_a_variance_scales_as_the_square_of_its_volatility(value, a, b):
    assert a.scale_volatility(value, to=b) ** 2 == pytest.approx(
        a.scale_variance(value**2, to=b), rel=1e-12, abs=1e-300
    )


def test_arrays_series_and_frames_scale_as_numbers_do_and_are_not_changed():
    for values in (np.array([0.1, 0.2]), pd.Series([0.1, 0.2], ["a", "b"]), pd.DataFrame({"a": [0.1, 0.2]})):
        before = copy.deepcopy(values)
        scaled = rm.DAY.scale_mean(values, to=rm.MONTH)
        assert type(scaled) is type(values)
        np.testing.assert_allclose(scaled, np.asarray(before) * 21)
        np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("method", ["scale_mean", "scale_variance", "scale_volatility", "scale_sharpe"])
def test_a_quantity_is_not_scaled_under_its_old_horizon(method):
    with pytest.raises(rm.InvalidParameterError, match=r"\.at\(\.\.\.\)"):
        getattr(rm.DAY, method)(rm.Mean(0.1, rm.DAY), to=rm.YEAR)


@pytest.mark.parametrize("wrong", [252, "year", None, 1.0])
def test_scaling_to_a_number_is_refused(wrong):
    for call in (
        lambda: rm.DAY.scale_mean(1.0, to=wrong),
        lambda: rm.DAY.in_units_of(wrong),
        lambda: rm.Mean(0.1, wrong),
        lambda: rm.Volatility(0.1, rm.DAY).at(wrong),
    ):
        with pytest.raises(rm.InvalidParameterError, match=r"rm\.DAY") as caught:
            call()
        assert caught.value.details == {"horizon": wrong}


def test_require_helpers_return_what_they_accept():
    assert require_horizon(rm.DAY) is rm.DAY
    assert require_same(rm.MONTH, rm.Horizon(21), "both") == rm.MONTH
    with pytest.raises(rm.HorizonMismatchError, match=r"budgets.*DAY and YEAR") as caught:
        require_same(rm.DAY, rm.YEAR, "budgets")
    assert caught.value.details == {"left": rm.DAY, "right": rm.YEAR}


# -- Quantity: what it is ------------------------------------------------------------------------------------


@given(kind=kinds, value=numbers, one=horizons, other=horizons)
def test_quantities_scale_with_their_own_power_of_h(kind, value, one, other):
    moved = kind(value, one).at(other)
    assert type(moved) is kind
    assert moved.horizon == other
    assert float(moved) == pytest.approx(value * (other.days / one.days) ** POWER[kind], rel=1e-12)
    assert float(moved.at(one)) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_quantity_is_a_float_where_a_float_is_wanted(kind):
    q = kind(0.25, rm.DAY)
    assert isinstance(q, float)
    assert type(float(q)) is float
    assert f"{q}" == str(q) == "0.25"
    assert f"{q:.1%}" == "25.0%"
    assert repr(q) == f"{kind.__name__}(0.25, DAY)"
    assert json.loads(json.dumps({"q": q})) == {"q": 0.25}
    assert math.sqrt(q) == np.sqrt(q) == 0.5
    assert hash(q) == hash(0.25)
    assert bool(q)
    assert not kind(0.0, rm.DAY)


@pytest.mark.parametrize("kind", KINDS)
def test_quantities_survive_pickle_and_copy(kind):
    q = kind(0.25, rm.MONTH)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(q, protocol))
        assert (type(again), again, again.horizon) == (kind, q, rm.MONTH)
    for again in (copy.copy(q), copy.deepcopy(q)):
        assert (type(again), again, again.horizon) == (kind, q, rm.MONTH)


def test_quantities_cannot_be_changed():
    q = rm.Mean(0.25, rm.DAY)
    with pytest.raises(AttributeError, match="immutable"):
        q.horizon = rm.YEAR
    with pytest.raises(AttributeError, match="immutable"):
        del q.horizon
    with pytest.raises(AttributeError):
        q.note = "x"
    assert q.horizon == rm.DAY


def test_the_abstract_quantity_cannot_be_made():
    with pytest.raises(TypeError, match="abstract"):
        rm.Quantity(1.0, rm.DAY)


def test_a_quantity_cannot_be_relabelled_with_another_horizon():
    daily = rm.Volatility(0.01, rm.DAY)
    with pytest.raises(rm.HorizonMismatchError, match="DAY and YEAR"):
        rm.Volatility(daily, rm.YEAR)
    assert rm.Volatility(daily, rm.DAY) == daily


# -- Quantity: arithmetic ------------------------------------------------------------------------------------

MIXING = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, divmod,
    operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne,
]  # fmt: skip


@pytest.mark.parametrize("op", MIXING)
@given(left=kinds, right=kinds, a=numbers, b=numbers.filter(bool))
def test_no_operator_mixes_two_horizons(op, left, right, a, b):
    with pytest.raises(rm.HorizonMismatchError, match="DAY and YEAR"):
        op(left(a, rm.DAY), right(b, rm.YEAR))


@pytest.mark.parametrize("function", [sum, max, min, sorted])
def test_no_builtin_mixes_two_horizons(function):
    with pytest.raises(rm.HorizonMismatchError):
        function([rm.Mean(0.1, rm.DAY), rm.Mean(0.2, rm.MONTH)])
    with pytest.raises(rm.HorizonMismatchError):
        _ = rm.Mean(0.1, rm.DAY) in [rm.Mean(0.1, rm.YEAR)]


@pytest.mark.parametrize("kind", KINDS)
def test_sums_differences_and_extremes_keep_kind_and_horizon(kind):
    a, b = kind(0.25, rm.DAY), kind(0.5, rm.DAY)
    for result, value in [
        (a + b, 0.75), (b - a, 0.25), (sum([a, b]), 0.75), (max(a, b), 0.5), (min(a, b), 0.25),
        (sorted([b, a])[0], 0.25), (-a, -0.25), (+a, 0.25), (abs(-a), 0.25), (round(kind(0.2567, rm.DAY), 2), 0.26),
    ]:  # fmt: skip
        assert (type(result), float(result), result.horizon) == (kind, value, rm.DAY)


def test_two_kinds_make_a_plain_number():
    mean, volatility = rm.Mean(0.5, rm.DAY), rm.Volatility(0.25, rm.DAY)
    for result, value in [(mean + volatility, 0.75), (mean - volatility, 0.25), (mean / volatility, 2.0)]:
        assert (type(result), result) == (float, value)
    assert type(volatility * volatility) is float
    assert type(volatility / volatility) is float


PLAIN = [2, 2.0, True, np.float64(2), np.float32(2), np.int64(2), np.int8(2), Fraction(2)]


@pytest.mark.parametrize("plain", PLAIN, ids=lambda x: type(x).__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_arithmetic_with_a_plain_number_makes_a_plain_number(kind, plain):
    q, x = kind(8.0, rm.DAY), float(plain)
    for result, value in [
        (q * plain, 8 * x), (plain * q, 8 * x), (q / plain, 8 / x),
        (q + plain, 8 + x), (plain + q, 8 + x), (q - plain, 8 - x), (plain - q, x - 8),
    ]:  # fmt: skip
        assert (type(result), result) == (float, value)
    for result in (q + 0, 0.0 + q, q - np.float64(0)):
        assert (type(result), float(result), result.horizon) == (kind, 8.0, rm.DAY)
    assert plain / q == x / 8
    assert q // plain == 8 // x
    assert q % plain == 8 % x
    assert divmod(q, plain) == divmod(8.0, x)


@pytest.mark.parametrize("factor", [12, 12.0, np.float64(12), np.int64(12)])
def test_a_monthly_volatility_times_the_root_of_twelve_is_not_labelled_monthly(factor):
    monthly = rm.Volatility(0.04, rm.MONTH)
    for scaled in (monthly * factor**0.5, factor**0.5 * monthly):
        assert not isinstance(scaled, rm.Quantity)
        assert scaled == pytest.approx(monthly.at(rm.YEAR).real)
    with pytest.raises(rm.HorizonMismatchError):
        _ = monthly < monthly.at(rm.YEAR)


@pytest.mark.parametrize("plain", [2.0, 2, np.float64(2), np.float32(2), np.int64(2)])
def test_comparisons_with_plain_numbers_compare_the_numbers(plain):
    q = rm.Variance(2.0, rm.DAY)
    assert q == plain
    assert plain == q
    assert operator.ne(q, plain) is False
    assert q <= plain <= q
    assert not q < plain
    assert not plain > q
    assert q < plain + 1
    assert plain + 1 > q


@pytest.mark.parametrize("other", [None, "a", object(), [1]])
def test_a_quantity_is_unequal_to_what_is_no_number_and_does_not_add_to_it(other):
    q = rm.Mean(1.0, rm.DAY)
    assert q != other
    assert operator.eq(q, other) is False
    for op in (operator.add, operator.sub, operator.truediv, operator.lt, operator.mod):
        with pytest.raises(TypeError):
            op(q, other)
    with pytest.raises(TypeError):
        _ = q * 1j < 1


def test_division_by_zero_raises_as_for_floats():
    with pytest.raises(ZeroDivisionError):
        _ = rm.Mean(1.0, rm.DAY) / 0


@given(kind=kinds, values=st.lists(numbers, min_size=1, max_size=8))
def test_sum_of_quantities_is_the_sum_of_their_numbers(kind, values):
    total = sum(kind(v, rm.WEEK) for v in values)
    # one by one: from Python 3.12 on, sum() of plain floats carries more digits
    assert (type(total), float(total), total.horizon) == (kind, functools.reduce(operator.add, values, 0), rm.WEEK)


@given(value=st.floats(allow_nan=False), other=st.floats(allow_nan=False))
def test_equality_is_that_of_the_numbers_and_agrees_with_hash(value, other):
    a, b = rm.Mean(value, rm.DAY), rm.Mean(other, rm.DAY)
    assert (a == b) == (value == other)
    assert a != b or hash(a) == hash(b)


def test_nan_is_unequal_to_itself_as_for_floats():
    q = rm.Mean(math.nan, rm.DAY)
    assert q != rm.Mean(math.nan, rm.DAY)
    assert math.isnan(q.at(rm.YEAR))


def test_arrays_and_series_hold_the_numbers():
    quantities = [rm.Mean(0.1, rm.DAY), rm.Mean(0.2, rm.DAY)]
    series = pd.Series(quantities)
    assert series.dtype == np.float64
    assert series.sum() == pytest.approx(0.3)
    assert np.array(quantities).dtype == np.float64
    np.testing.assert_allclose(np.array([1.0, 2.0]) * quantities[0], [0.1, 0.2])
    np.testing.assert_allclose(quantities[0] * np.array([1.0, 2.0]), [0.1, 0.2])
    pd.testing.assert_series_equal(pd.Series([1.0]) * quantities[0], pd.Series([0.1]))


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="numpy 1 shows its functions plain numbers")
def test_functions_of_numpy_need_one_horizon():
    daily, yearly = rm.Volatility(0.01, rm.DAY), rm.Volatility(0.2, rm.YEAR)
    for function in (np.add, np.maximum, np.hypot, np.subtract, np.less):
        with pytest.raises(rm.HorizonMismatchError):
            function(daily, yearly)
    assert np.hypot(daily, rm.Volatility(0.02, rm.DAY)) == pytest.approx(math.hypot(0.01, 0.02))
    assert repr(np.multiply(2.0, daily)) == "0.02"
    assert np.exp(daily) == math.exp(0.01)
    np.testing.assert_array_equal(np.array([1.0, 2.0]) * daily, [0.01, 0.02])


def test_squared_volatilities_are_variances_of_their_horizon():
    daily, yearly = rm.Volatility(0.5, rm.DAY), rm.Volatility(0.2, rm.YEAR)
    assert repr(daily**2) == "Variance(0.25, DAY)"
    assert repr(daily**3) == "0.125"
    with pytest.raises(rm.HorizonMismatchError):
        daily**2 + yearly**2
    with pytest.raises(TypeError):
        daily**yearly
