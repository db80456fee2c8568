"""Every public callable of `riskmodel.interop` answers hostile arguments with a result or an error of this package."""

import inspect
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from interop_peers import REQUIRED
from test_fuzz import (
    BY_CALLABLE,
    DAYS,
    FACTORS,
    HISTORY,
    HOSTILE,
    MODEL,
    PANEL,
    RETURNS,
    call,
    parameters,
    raw_errors,
)

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


def good_sklearn():
    ours = import_module("riskmodel.interop.sklearn").FactorModelCovariance
    OBJECTS["FactorModelCovariance"] = lambda: ours().fit(RETURNS, factors=FACTORS)
    for method in ("fit", "score", "mahalanobis"):
        yield (f"FactorModelCovariance().{method}", "X"), RETURNS
    yield ("FactorModelCovariance().fit", "factors"), FACTORS
    yield ("FactorModelCovariance().error_norm", "comp_cov"), np.eye(2)
    yield ("FactorModelCovariance().error_norm", "norm"), "spectral"
    yield ("FactorModelCovariance().error_norm", "scaling"), True
    yield ("FactorModelCovariance().error_norm", "squared"), True


def good_pypfopt():
    ours = import_module("riskmodel.interop.pypfopt").FactorEfficientFrontier
    OBJECTS["FactorEfficientFrontier"] = lambda: solved(ours(MODEL))
    for name, value in {
        "expected_returns": pd.Series([0.05, 0.04], ["A", "B"]), "weight_bounds": (0, 1), "verbose": False,
    }.items():  # fmt: skip
        yield ("FactorEfficientFrontier", name), value
    for method in ("max_quadratic_utility", "efficient_return"):
        yield (f"FactorEfficientFrontier().{method}", "market_neutral"), False
    yield ("FactorEfficientFrontier().max_quadratic_utility", "risk_aversion"), 1.0
    yield ("FactorEfficientFrontier().efficient_return", "target_return"), 0.04
    yield ("FactorEfficientFrontier().portfolio_performance", "risk_free_rate"), 0.0
    yield ("FactorEfficientFrontier().portfolio_performance", "verbose"), False


def solved(frontier):
    """With weights, and a problem that may still be set."""
    frontier.min_volatility()
    weights, again = frontier.weights, type(frontier)(MODEL)
    again.weights = weights
    return again


def good_riskfolio():
    yield ("portfolio", "panel"), PANEL


def good_cvxportfolio():
    ours = import_module("riskmodel.interop.cvxportfolio")
    zoned = DAYS.tz_localize("UTC")
    OBJECTS["FactorModelForecast"] = lambda: ours.FactorModelForecast(rm.OLS(), FACTORS)
    yield ("FactorModelForecast", "factors"), FACTORS
    yield ("FactorModelForecast", "columns"), 3
    yield ("FactorModelForecast().values_in_time", "past_returns"), RETURNS.set_axis(zoned).assign(cash=0.0)
    yield ("FactorModelForecast().values_in_time", "t"), zoned[-1]
    yield ("frames", "history"), HISTORY
    yield ("frames", "calendar"), zoned


for peer in PEERS:
    if f"good_{peer}" not in globals() or (find_spec(peer) is None and not REQUIRED):
        continue
    BY_CALLABLE.update(globals()[f"good_{peer}"]())
    FOUND |= dict(public(import_module(f"riskmodel.interop.{peer}")))
# What sklearn's own checks ask for: a constructor that only stores, so that errors are those of `fit`.
STORED = {"Prior", "GivenPrior", "LoadingMatrix", "FactorModelCovariance"}


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
