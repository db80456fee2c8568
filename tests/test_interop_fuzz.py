"""Every public callable of `riskmodel.interop` answers hostile arguments with a result or an error of this package."""

import inspect
from importlib import import_module
from importlib.util import find_spec

import pytest
from interop_peers import REQUIRED
from test_fuzz import BY_CALLABLE, FACTORS, HOSTILE, MODEL, RETURNS, call, parameters, raw_errors

import riskmodel as rm

PEERS = ["cvxportfolio", "cvxpy", "pypfopt", "riskfolio", "sklearn", "skfolio"]
OBJECTS, FOUND = {}, {}


def public(module):
    """Yield names and functions of what a module defines: constructors, and methods that are written there."""
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        yield name, thing
        if inspect.isclass(thing):
            for method, function in vars(thing).items():
                if inspect.isfunction(function) and not method.startswith("_"):
                    yield f"{name}().{method}", getattr(OBJECTS[name](), method)


def good_cvxpy():
    cp, ours = import_module("cvxpy"), import_module("riskmodel.interop.cvxpy")
    w = cp.Variable(2)
    OBJECTS["Risk"] = lambda: ours.Risk(MODEL, w)
    for named in ("variance", "volatility"):
        yield from {(named, "cov"): MODEL.covariance, (named, "w"): w}.items()
    yield from {("Risk", "w"): w, ("Risk", "columns"): 3}.items()


def good_skfolio():
    ours = import_module("riskmodel.interop.skfolio")
    OBJECTS.update(Prior=ours.Prior, GivenPrior=lambda: ours.GivenPrior(MODEL), LoadingMatrix=ours.LoadingMatrix)
    for named in ("Prior", "GivenPrior"):
        yield from {(f"{named}().fit", "X"): RETURNS, (f"{named}().fit", "factors"): FACTORS}.items()
    yield from {("LoadingMatrix().fit", "X"): RETURNS, ("LoadingMatrix().fit", "y"): FACTORS}.items()


for peer in PEERS:
    if f"good_{peer}" not in globals() or (find_spec(peer) is None and not REQUIRED):
        continue
    BY_CALLABLE.update(globals()[f"good_{peer}"]())
    FOUND |= dict(public(import_module(f"riskmodel.interop.{peer}")))
# What sklearn's own checks ask for: a constructor that only stores, so that errors are those of `fit`.
STORED = {"Prior", "GivenPrior", "LoadingMatrix"}


@pytest.mark.parametrize("name", FOUND)
def test_good_arguments_are_good(name):
    call(name, FOUND[name], {})


@pytest.mark.parametrize("name", FOUND)
def test_no_hostile_argument_gives_a_raw_error(name):
    cases = [{parameter: value} for parameter in parameters(FOUND[name]) for value in HOSTILE]
    assert raw_errors(name, FOUND[name], cases) == []


@pytest.mark.parametrize("name", sorted(STORED & set(FOUND)))
def test_what_a_constructor_stores_is_refused_by_fit(name):
    fit = BY_CALLABLE[f"{name}().fit", "X"], FACTORS

    def fitted(**parameter):
        arguments = {"model": MODEL} if name == "GivenPrior" else {}
        made = FOUND[name](**arguments | parameter)
        return made.fit(fit[0], fit[1]) if name == "LoadingMatrix" else made.fit(fit[0], factors=fit[1])

    for parameter in parameters(FOUND[name]):
        for value in HOSTILE.values():
            try:
                fitted(**{parameter: value})
            except rm.RiskModelError:
                continue
