"""`help` of a class shows what one calls, and that of a simple class fits a screen."""

import pickle
import pydoc
from abc import ABC, abstractmethod
from enum import Enum

import pytest
from attrs import frozen
from test_examples import public_classes

import riskmodel as rm
from riskmodel._listing import Listing

SCREEN = 60
ON_A_SCREEN = (
    "BaiNg CapitalLimit Factor GrossLimit Linking Limit LoadingsEstimator NameLimit NetLimit SampleCovariance "
    "SampleVariance TimeSeries Vasicek VolatilityLimit"
)


def lines(value):
    return pydoc.plain(pydoc.render_doc(value)).splitlines()


def test_classes_list_no_machinery():
    classes = {name: value for name, value in public_classes().items() if not issubclass(value, Enum)}
    assert [name for name, value in classes.items() if not isinstance(value, Listing)] == []
    for name, value in classes.items():
        assert not {"__attrs_attrs__", "__attrs_post_init__", "__getstate__", "__match_args__"} & set(dir(value)), name
        assert not [line for line in lines(value) if "created by attrs" in line or "frozen_setattrs" in line], name


def test_numbers_list_their_own_arithmetic_and_not_that_of_float():
    listed = set(dir(rm.Mean))
    assert {"at", "horizon", "__add__", "__mul__"} <= listed
    assert not {"__trunc__", "__ceil__", "__getformat__", "__getnewargs__"} & listed
    assert "__trunc__" in dir(rm.Mean(0.01, rm.DAY))


def test_values_of_listed_numbers_return_from_pickle():
    for value in (rm.MONTH, rm.Mean(0.01, rm.DAY), rm.Volatility(0.2, rm.YEAR)):
        again = pickle.loads(pickle.dumps(value))
        assert (type(again), repr(again)) == (type(value), repr(value))


def test_a_quantity_of_the_users_own_may_be_abstract():
    class Priced(ABC):
        @abstractmethod
        def price(self):
            pass

    class Cost(rm.Quantity, Priced):
        def price(self):
            return 2.0 * float(self)

    assert Cost(0.01, rm.DAY).price() == 0.02
    assert isinstance(Cost(0.01, rm.DAY), Priced)


def test_what_one_calls_is_listed():
    assert {"at", "loadings", "residuals", "from_parameters"} <= set(dir(rm.FactorModel))
    assert "__matmul__" in dir(rm.FactorCovariance)


@pytest.mark.parametrize("name", ON_A_SCREEN.split())
def test_help_of_a_simple_class_fits_a_screen(name):
    assert len(lines(getattr(rm, name))) <= SCREEN


def test_a_class_of_the_users_own_is_listed_alike():
    @frozen
    class Borrowed(rm.Limit):
        amount: float
        name = "borrowed"

        def use(self, portfolio):
            return 0.0

    assert "use" in dir(Borrowed)
    assert "__attrs_attrs__" not in dir(Borrowed)
    assert "__attrs_attrs__" in dir(Borrowed(1.0))
