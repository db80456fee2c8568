"""Value at risk and expected shortfall, walked forward and tested."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_probability
from riskmodel._core.arrays import Array
from riskmodel._core.listing import Listed
from riskmodel._core.weights import read_weights
from riskmodel.analysis.tails.base import TailMethod
from riskmodel.errors import InvalidParameterError, MissingDatesWarning, TooFewObservationsError, UnknownAssetError
from riskmodel.horizon import Horizon, require_same
from riskmodel.inference.backtests import Backtest, christoffersen, independence, kupiec
from riskmodel.inference.shortfall_backtests import ShortfallBacktest, shortfall_coverage, shortfall_independence
from riskmodel.model.history import ModelHistory
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel, rows_of
from riskmodel.portfolio.gaps import WHOLE_WINDOW
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio
from riskmodel.portfolio.strategy import Strategy

_COLUMNS = ["return", "value_at_risk", "expected_shortfall", "probability"]


@final
@frozen(eq=False, repr=False)
class TailBacktest(Listed):
    """Forecasts of value at risk and expected shortfall for each date, from what was known the day before.

    Made by `of`. The p-values say how likely as much of a deviation is where forecasts are right.

    Attributes
    ----------
    method : TailMethod
        Of the forecasts.
    level : float
        Probability with which the loss is at most value at risk.
    horizon : Horizon
        One row.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"], start="2014-01-01")
    >>> history = rm.Rolling(rm.YEAR, every=rm.MONTH).fit(panel)
    >>> test = rm.TailBacktest.of({"KO": 0.5, "XOM": 0.5}, rm.NormalTails(), history, level=0.95)
    >>> test
    <TailBacktest NormalTails, 95 % per day, 2015-01-02 to 2018-11-30: 53 breaches of 987, 49.4 expected>
    >>> test.table().round(3)
                            statistic  pvalue
    coverage                    0.278   0.598
    exact coverage             53.000   0.559
    independence               10.021   0.002
    conditional coverage       10.298   0.006
    shortfall coverage          2.275   0.023
    shortfall independence    133.490   0.000
    """

    method: TailMethod
    level: float
    horizon: Horizon
    _forecasts: pd.DataFrame

    @classmethod
    def of(
        cls,
        weights: Any,
        method: TailMethod,
        history: ModelHistory,
        level: float = 0.99,
        window: Horizon | None = None,
    ) -> Self:
        """Walk forward: each date with the latest model and the returns known the day before.

        Parameters
        ----------
        weights : mapping or Series by asset, or callable
            What is held each day; a function gets the model of the day before and returns a `Portfolio`, such as
            ``lambda model: rm.HedgedPortfolio.neutral(rm.Strategy(weights, model))``.
        method : TailMethod
            Makes the forecasts.
        history : ModelHistory
            Models by date, at the horizon of its panel.
        level : float
            Of value at risk, from 0.5 to 1.
        window : Horizon, optional
            How far back returns count for the method; by default all. Models have the window of the history.

        Raises
        ------
        TooFewObservationsError
            If there is no date with a forecast and a return.
        UnknownAssetError
            For an asset that is not in the panel.
        InvalidParameterError
            For a method or history of another kind.

        Notes
        -----
        Dates on which something held has no return are left out of simulations, and of the tests; `n_missing` counts
        the latter. A date has a forecast where all that is held has returns on nine tenths of the window before it.
        Without a window, it needs nine tenths of that of the first model, and as many dates as have one loss beyond
        the level: after a new listing, a forecast would be of a few days.
        """
        require(method, TailMethod, "method", "such as rm.NormalTails()")  # type: ignore[type-abstract]
        panel = require(history, ModelHistory, "history", "as rm.Rolling(...).fit(panel) makes").panel
        require_same(history.horizon, panel.horizon, "the models of a history and its panel")
        require_probability(level, "level")
        back = len(panel.dates) if window is None else _rows_in(window, panel)
        stops = history._stops
        least = _fewest(back, history, float(level), given=window is not None)
        walk = _Walk(_builder(weights, panel), method, panel, float(level), back, least)
        parts = [
            walk.forecasts(history, d, int(stop), int(after))
            for d, (stop, after) in enumerate(zip(stops, [*stops[1:], len(panel.dates)], strict=True))
        ]
        forecasts = pd.DataFrame(np.vstack(parts), panel.dates[int(stops[0]) :].rename("date"), _COLUMNS)
        if forecasts.isna().any(axis=1).all():
            raise TooFewObservationsError(
                f"expected a date or more with a forecast and a return, got none of {len(forecasts)}: a forecast needs "
                f"{least} dates before it on which all that is held has returns; use a history that starts earlier, "
                "and leave out assets with few returns.",
                dates=len(forecasts),
                fewest=least,
            )
        return cls(method, float(level), panel.horizon, forecasts)

    def __repr__(self) -> str:
        first, last = (d.date() for d in self._known.index[[0, -1]])
        missing = f", {self.n_missing} dates left out" if self.n_missing else ""
        return (
            f"<TailBacktest {type(self.method).__name__}, {100 * self.level:g} % per {self.horizon}, {first} to {last}"
            f": {self.breaches} breaches of {len(self._known)}, {self.expected_breaches:.1f} expected{missing}>"
        )

    @property
    def forecasts(self) -> pd.DataFrame:
        """By date: the ``return`` that followed, ``value_at_risk`` and ``expected_shortfall`` known the day before.

        ``probability`` is what the forecast gave to a return of at most that. NaN on dates without a model or a return.
        """
        return self._forecasts.copy()

    @property
    def n_missing(self) -> int:
        """How many dates have no forecast or no return."""
        return len(self._forecasts) - len(self._known)

    @property
    def hits(self) -> pd.Series[bool]:
        """Whether the loss was beyond value at risk, by date."""
        return (-self._known["return"] > self._known["value_at_risk"]).rename("hit")

    @property
    def breaches(self) -> int:
        """How many losses were beyond value at risk."""
        return int(self.hits.sum())

    @property
    def expected_breaches(self) -> float:
        """How many are to be expected."""
        return (1.0 - self.level) * len(self._known)

    @property
    def shortfall_ratio(self) -> float:
        """The mean loss beyond value at risk over the mean expected shortfall on those dates; NaN without a breach."""
        beyond = self._known[self.hits]
        return float(-beyond["return"].sum() / beyond["expected_shortfall"].sum()) if len(beyond) else float("nan")

    def table(self, lags: int = 5) -> pd.DataFrame:
        """Return the tests: ``statistic`` and ``pvalue``.

        Rows ``coverage`` (Kupiec 1995), ``exact coverage`` (two-sided binomial; the statistic is the number of
        breaches), ``independence`` and ``conditional coverage`` (Christoffersen 1998), ``shortfall coverage`` and
        ``shortfall independence`` (Du and Escanciano 2017).

        Parameters
        ----------
        lags : int
            Of the last test.
        """
        from scipy import stats  # noqa: PLC0415 - slow to import

        hits, p = self.hits.to_numpy(), 1.0 - self.level
        u = self._known["probability"].to_numpy()
        exact = stats.binomtest(self.breaches, len(hits), p)
        tests: dict[str, Backtest | ShortfallBacktest] = {
            "coverage": kupiec(hits, p),
            "independence": independence(hits),
            "conditional coverage": christoffersen(hits, p),
            "shortfall coverage": shortfall_coverage(u, p),
            "shortfall independence": shortfall_independence(u, p, lags),
        }
        rows = {name: (t.statistic, t.pvalue) for name, t in tests.items()}
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["statistic", "pvalue"])
        table.loc["exact coverage"] = [float(self.breaches), float(exact.pvalue)]
        return table.loc[["coverage", "exact coverage", *list(tests)[1:]]]

    @cached_property
    def _known(self) -> pd.DataFrame:
        return self._forecasts.dropna()


@final
@frozen(eq=False)
class _Walk:
    """What stays the same from date to date."""

    build: Callable[[FactorModel], Portfolio]
    method: TailMethod
    panel: ReturnPanel
    level: float
    back: int
    least: int  # dates with returns that a forecast needs

    def forecasts(self, history: ModelHistory, window: int, start: int, stop: int) -> Array:
        """Forecasts for the rows on which one window is the latest known, rows × 4; NaN without a model."""
        found = np.full((stop - start, len(_COLUMNS)), np.nan)
        if start == stop or np.isnan(history._estimates.idio_variance[window]).all():
            return found
        try:
            portfolio = self.build(history._model(window))
        except UnknownAssetError:  # an asset that could not be estimated in the window
            return found
        returns = portfolio.excess_returns(self.panel).to_numpy()
        before = np.append(0, np.cumsum(~np.isnan(returns)))
        for i, row in enumerate(range(start, stop)):
            known = before[row] - before[max(row - self.back, 0)]
            if known >= self.least and not np.isnan(returns[row]):
                found[i] = self._forecast(portfolio, row, float(returns[row]))
        return found

    def _forecast(self, portfolio: Portfolio, row: int, value: float) -> tuple[float, float, float, float]:
        past = rows_of(self.panel, slice(max(row - self.back, 0), row))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingDatesWarning)  # one for each date would be
            tail = self.method.of(portfolio, past, self.level).tail
        return value, tail.value_at_risk, tail.expected_shortfall, tail.probability(value)


def _builder(weights: Any, panel: ReturnPanel) -> Callable[[FactorModel], Portfolio]:
    """Return a function from a model to a portfolio."""
    if isinstance(weights, Mapping | pd.Series):
        held = read_weights(weights, "weights", "asset")
        labels.positions(held.index, panel.assets, "asset", UnknownAssetError)
        return lambda model: Strategy(held, model)
    if isinstance(weights, type) or not callable(weights):
        raise InvalidParameterError(
            "expected weights as a mapping or a Series by asset, or a function from a model to a portfolio, got "
            f"{type(weights).__name__}.",
            parameter="weights",
            got=type(weights).__name__,
        )
    return lambda model: require_portfolio(weights(model), "the result of weights")


def _fewest(back: int, history: ModelHistory, level: float, *, given: bool) -> int:
    """How many dates with returns a forecast needs."""
    if given:
        return math.floor(WHOLE_WINDOW * back)
    first = int(history._stops[0]) - int(history._starts[0])
    return max(math.floor(WHOLE_WINDOW * min(back, first)), math.ceil(1.0 / (1.0 - level) - 1e-9) if level < 1.0 else 0)


def _rows_in(window: Any, panel: ReturnPanel) -> int:
    rows = round(require(window, Horizon, "window", "such as rm.YEAR").in_units_of(panel.horizon))
    if rows < 2:
        raise InvalidParameterError(
            f"expected a window of two rows of the panel or more, got {window!r}.", parameter="window", got=window
        )
    return rows
