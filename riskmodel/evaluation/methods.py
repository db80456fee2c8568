"""What is compared in a study: estimators of this library, and covariances that are not ours."""

from __future__ import annotations

import copy
import functools
import hashlib
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from types import CodeType, MappingProxyType
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arguments import shown
from riskmodel._core.listing import Abstract
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.base import Estimator
from riskmodel.evaluation.forecast import Forecast, read_forecast
from riskmodel.panel.memory import ReturnPanel

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Method(Abstract):
    """A way to forecast a covariance from a window of returns."""

    @abstractmethod
    def forecast(self, window: ReturnPanel) -> Forecast:
        """The covariance over one row, from the returns of the window alone."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Text that tells it from others, in every process alike."""


@final
@frozen
class OwnMethod(Method):
    """An `Estimator`; it sees the window as it is, missing returns included."""

    estimator: Estimator

    def forecast(self, window: ReturnPanel) -> Forecast:
        """The covariance of its model at the window's horizon."""
        model = self.estimator.fit(window)
        return read_forecast(model, window.assets, window.horizon, type(self.estimator).__name__)

    @property
    def identity(self) -> str:
        """How the estimator prints."""
        return _without_addresses(repr(self.estimator))


@final
@frozen
class CallableMethod(Method):
    """A function of a frame of returns, dates × assets; missing returns are zero in it."""

    function: Callable[[pd.DataFrame], Any]

    def forecast(self, window: ReturnPanel) -> Forecast:
        """What the function returns for the window."""
        return read_forecast(self.function(filled(window)), window.assets, window.horizon, _named(self.function))

    @property
    def identity(self) -> str:
        """Its name and a digest of its code; not what it calls, nor the values that it holds."""
        return _named(self.function) + _digest(self.function)


@final
@frozen
class FittedMethod(Method):
    """An estimator as scikit-learn and skfolio have them, with `fit`; missing returns are zero in what it sees."""

    estimator: Any

    def forecast(self, window: ReturnPanel) -> Forecast:
        """The ``covariance_`` of a copy that is fitted, or that of its ``return_distribution_``."""
        frame = filled(window)
        fitted = copy.deepcopy(self.estimator).fit(frame.set_axis(frame.columns.map(str), axis=1))
        prior = getattr(fitted, "return_distribution_", None)
        covariance = getattr(fitted, "covariance_", None) if prior is None else prior.covariance
        name = type(self.estimator).__name__
        if covariance is None:
            raise TypeError(f"expected covariance_ or return_distribution_ after {name}.fit, got neither")
        return read_forecast(np.asarray(covariance), window.assets, window.horizon, name)

    @property
    def identity(self) -> str:
        """How the estimator prints."""
        return _without_addresses(repr(self.estimator))


def filled(window: ReturnPanel) -> pd.DataFrame:
    """Excess returns of a window, with zero where they are missing; a copy."""
    return window.excess_returns.fillna(0.0).copy()


def read_methods(methods: Any) -> Mapping[str, Method]:
    """Read the methods of a study by name (an attrs converter)."""
    if not isinstance(methods, Mapping) or not methods or not all(isinstance(name, str) for name in methods):
        raise InvalidParameterError(
            "expected estimators as a mapping of names to estimators, with one or more, such as "
            f"{{'OLS': rm.OLS()}}, got {shown(methods)}.",
            parameter="estimators",
            got=methods,
        )
    return MappingProxyType({name: _read(name, method) for name, method in methods.items()})


def _read(name: str, method: Any) -> Method:
    if isinstance(method, Method):
        return method
    if isinstance(method, Estimator):
        return OwnMethod(method)
    if not isinstance(method, type):
        if callable(getattr(method, "fit", None)):
            return FittedMethod(method)
        if callable(method):
            return CallableMethod(method)
    raise InvalidParameterError(
        f"expected {name} as an estimator, a function of a frame of returns, or an object with fit and covariance_, "
        f"got {shown(method)}.",
        parameter="estimators",
        got=method,
    )


def _named(function: Any) -> str:
    name = getattr(function, "__qualname__", type(function).__name__)
    return f"{getattr(function, '__module__', '')}.{name}"


def _digest(function: Any) -> str:
    if isinstance(function, functools.partial):
        return f"({_named(function.func)}{_digest(function.func)}, {function.args!r}, {function.keywords!r})"
    code = getattr(function, "__code__", None)
    if code is None:
        return _without_addresses(repr(function))
    return hashlib.sha256(_code(code).encode()).hexdigest()[:16]


def _code(code: CodeType) -> str:
    constants = [_code(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return f"{code.co_code.hex()}{constants}{code.co_names}"


def _without_addresses(text: str) -> str:
    return _ADDRESS.sub("", text)
