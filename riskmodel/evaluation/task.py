"""The work of one date of a study; it is pickled where a study runs in several processes."""

from __future__ import annotations

import time
from typing import final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import Array, Index
from riskmodel.errors import InvalidParameterError, RiskModelError
from riskmodel.evaluation.forecast import Forecast
from riskmodel.evaluation.methods import Method
from riskmodel.evaluation.outcome import DateOutcome, FamilyOutcome, MethodOutcome
from riskmodel.evaluation.portfolios import PortfolioFamily
from riskmodel.panel.memory import ReturnPanel

# What a method may raise where a window has no forecast; other errors are mistakes, and end the study.
_NO_FORECAST = (RiskModelError, ValueError, ArithmeticError, np.linalg.LinAlgError, RuntimeError)
FORECAST, DISTANCE = "forecast", "Mahalanobis distance"


@final
@frozen(eq=False)
class Task:
    """One date of a study.

    Attributes
    ----------
    stop : int
        The row after the last of the window, in the whole panel.
    reasons : array, shape (N,)
        What became of each asset of the whole panel.
    window : ReturnPanel
        Of the n assets that are used.
    future : array, shape (h, n)
        Their returns after the window.
    methods : tuple of (str, Method)
        What is compared.
    portfolios : tuple of (str, PortfolioFamily)
        On what.
    """

    stop: int
    reasons: Index
    window: ReturnPanel
    future: Array
    methods: tuple[tuple[str, Method], ...]
    portfolios: tuple[tuple[str, PortfolioFamily], ...]


def evaluate(task: Task) -> DateOutcome:
    """Forecast with each method, and hold it against what happened."""
    return DateOutcome(
        stop=task.stop,
        reasons=task.reasons,
        filled=int(np.isnan(task.window.arrays()[0]).sum()),
        market=task.future.mean(axis=1),
        methods={name: _evaluate(task, name, method) for name, method in task.methods},
    )


def _evaluate(task: Task, name: str, method: Method) -> MethodOutcome:
    start = time.perf_counter()
    try:
        forecast = method.forecast(task.window)
    except _NO_FORECAST as error:
        return MethodOutcome(time.perf_counter() - start, failures={FORECAST: _said(error)})
    except Exception as error:
        error.add_note(f"in the method {name!r} of a study, on the window to {task.window.dates[-1]}")
        raise
    seconds = time.perf_counter() - start
    families: dict[str, FamilyOutcome] = {}
    failures: dict[str, str] = {}
    for family, portfolios in task.portfolios:
        try:
            families[family] = _held(portfolios, task, forecast)
        except _NO_FORECAST as error:
            failures[family] = _said(error)
    try:
        distances = _distances(forecast, task.future)
    except _NO_FORECAST as error:
        distances, failures[DISTANCE] = np.empty(0), _said(error)
    return MethodOutcome(seconds, families, distances, failures)


def _held(portfolios: PortfolioFamily, task: Task, forecast: Forecast) -> FamilyOutcome:
    """The forecast variance of portfolios, and what they returned."""
    h = len(task.future)
    weights = _checked(portfolios.weights(task.window.dates[-1], forecast), forecast, portfolios)
    w = weights.to_numpy(dtype=np.float64)
    variance = h * forecast.variances(w)
    if not (np.isfinite(variance) & (variance > 0)).all():
        raise InvalidParameterError(f"expected variances above 0, got {variance.min():.3g}")
    lone = w[:, 0].copy() if w.shape[1] == 1 else None
    return FamilyOutcome(tuple(map(str, weights.columns)), variance, task.future @ w, lone)


def _checked(weights: pd.DataFrame, forecast: Forecast, portfolios: PortfolioFamily) -> pd.DataFrame:
    """Weights that are a frame of the assets with unique labels, or raise."""
    fits = isinstance(weights, pd.DataFrame) and weights.index.equals(forecast.assets)
    if not fits or not weights.columns.is_unique or not np.isfinite(weights.to_numpy(dtype=np.float64)).all():
        raise TypeError(
            f"expected finite weights from {type(portfolios).__name__}.weights as a frame of the forecast's assets × "
            "portfolios with unique names, got others"
        )
    return weights


def _distances(forecast: Forecast, future: Array) -> Array:
    """R' Σ⁻¹ r / N of each row of returns."""
    solved = forecast.solve(np.ascontiguousarray(future.T))
    return np.asarray((future.T * solved).sum(axis=0) / future.shape[1])


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
