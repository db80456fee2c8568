"""Rolling and expanding windows: an estimator on many windows of a panel."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen
from numpy.typing import NDArray

from riskmodel._core.arrays import Index
from riskmodel.errors import InvalidParameterError, TooFewObservationsError
from riskmodel.estimation.base import Estimator
from riskmodel.estimation.least_squares.ols import OLS
from riskmodel.estimation.windows.spans import Spans
from riskmodel.horizon import CALENDAR_DAY, DAY, Horizon, is_named, period_of
from riskmodel.model.history import ModelHistory
from riskmodel.panel.base import Panel
from riskmodel.panel.memory import ReturnPanel


def _horizon(_: Any, __: Any, window: Any) -> None:
    if not isinstance(window, Horizon):
        raise InvalidParameterError(
            f"expected a window such as rm.YEAR or rm.Horizon(500), got {window!r}; write rm.Horizon(days)."
        )


def _estimator(_: Any, __: Any, estimator: Any) -> None:
    if not isinstance(estimator, Estimator):
        raise InvalidParameterError(f"expected an estimator such as rm.OLS(), got {estimator!r}.")


def _whole(_: Any, __: Any, minimum: Any) -> None:
    if minimum is not None and (isinstance(minimum, bool) or not isinstance(minimum, int | np.integer)):
        raise InvalidParameterError(f"expected minimum as a whole number of observations, got {minimum!r}.")


def _step(_: Any, __: Any, every: Any) -> None:
    whole = isinstance(every, int | np.integer) and not isinstance(every, bool) and every > 0
    if not (every is None or whole or isinstance(every, Horizon)):
        raise InvalidParameterError(
            f"expected every as a number of rows, or a period such as rm.MONTH, got {every!r}; None is all dates."
        )


@final
@frozen
class Rolling:
    """Fit an estimator on rolling windows: for each date, on a number of dates up to and including it.

    Parameters
    ----------
    window : Horizon
        The length in trading days, whatever the panel's horizon: ``rm.YEAR`` is 252 rows of a daily panel and 12 of
        a monthly one.
    estimator : Estimator
        Any estimator; `EWMA` weights dates within the window.
    minimum : int, optional
        The fewest observations of an asset in a window. By default K + 2, the fewest for a residual variance, and all
        windows are whole. Where it is given, the first windows may be shorter: models start at the row where an asset
        has this many observations.
    every : int or Horizon, optional
        How often a window ends: a number of rows, or each calendar week, month, quarter or year (``rm.MONTH``), or each
        day of a panel of hours (``rm.DAY``). Any other horizon is a number of rows. A period is complete where the
        panel has a row in a later period, or the period's last weekday. By default every row.

    Notes
    -----
    The estimator's `windows` does the work. `OLS`, `EWMA` and other kinds of `LeastSquares` estimate all windows at
    once: a sum over a window is added up from sums over its parts, without subtraction; standard errors and variances
    agree with a fit of each window to about ten digits, also with nearly collinear factors and nearly perfect fits. Any
    other estimator is fitted window by window.

    References
    ----------
    .. [1] Fama, E. F. and MacBeth, J. D. (1973). Risk, Return, and Equilibrium: Empirical Tests. *Journal of Political
       Economy* 81(3), 607-636 (betas over moving windows).

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils"], ["Mkt-RF"], start="2010-01")
    >>> history = rm.Rolling(rm.Horizon(3 * 252)).fit(panel)
    >>> history.loadings["Mkt-RF"].tail(2).round(2)
    asset       BusEq  Utils
    date
    2017-02-28   1.11   0.35
    2017-03-31   1.11   0.35
    """

    window: Horizon = field(validator=_horizon)
    estimator: Estimator = field(factory=OLS, validator=_estimator)
    minimum: int | None = field(default=None, validator=_whole)
    every: int | Horizon | None = field(default=None, validator=_step)

    def fit(self, panel: ReturnPanel) -> ModelHistory:
        """Estimate a model for each date of the panel on which a window ends.

        Parameters
        ----------
        panel : ReturnPanel
            T dates, N assets, K factors.

        Returns
        -------
        ModelHistory
            Of T + 1 - (rows in a window) dates by default; its `missing` lists what could not be estimated.

        Raises
        ------
        InvalidParameterError
            If the window is not a whole number of the panel's rows, or `minimum` is below K + 2.
        TooFewObservationsError
            If the panel is shorter than one window, or the window than `minimum` or K + 2 dates.
        EstimationError
            If no asset can be estimated in any window.
        """
        rows = _rows(self.window, _panel(panel))
        least = _least(self.minimum, panel)
        if rows < least:
            raise TooFewObservationsError(
                f"expected a window of {least} dates or more, the fewest per asset, got {rows}; widen it."
            )
        if self.minimum is None and rows > len(panel.dates):
            raise TooFewObservationsError(
                f"expected a panel of {rows} dates or more, one window, got {panel!r}; use a shorter window, more "
                "dates, or minimum=... to allow shorter windows."
            )
        first = rows if self.minimum is None else min(rows, _first(panel, least))
        return self.estimator.windows(panel, Spans.rolling(rows, _stops(panel, first, self.every)), least)


@final
@frozen
class Expanding:
    """Fit an estimator on expanding windows: for each date, on all dates up to and including it.

    Parameters
    ----------
    estimator : Estimator
        Any estimator.
    minimum : int, optional
        The fewest observations of an asset, as in `Rolling`; dates start when an asset has them.
    every : int or Horizon, optional
        How often a window ends, as in `Rolling`.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils"], ["Mkt-RF"], start="2010-01")
    >>> history = rm.Expanding(minimum=24).fit(panel)
    >>> history.dates[0].date(), len(history)
    (datetime.date(2011, 12, 31), 64)
    """

    estimator: Estimator = field(factory=OLS, validator=_estimator)
    minimum: int | None = field(default=None, validator=_whole)
    every: int | Horizon | None = field(default=None, validator=_step)

    def fit(self, panel: ReturnPanel) -> ModelHistory:
        """Estimate a model for each date of the panel from when an asset has enough observations.

        Parameters
        ----------
        panel : ReturnPanel
            T dates, N assets, K factors.

        Returns
        -------
        ModelHistory
            Its `missing` lists what could not be estimated.

        Raises
        ------
        InvalidParameterError
            If `minimum` is below K + 2.
        TooFewObservationsError
            If no asset ever has enough observations.
        EstimationError
            If no asset can be estimated on any date.
        """
        least = _least(self.minimum, _panel(panel))
        spans = Spans.expanding(_stops(panel, _first(panel, least), self.every))
        return self.estimator.windows(panel, spans, least)


def _panel(panel: Any) -> ReturnPanel:
    if not isinstance(panel, ReturnPanel):
        hint = "; take its select(...), which is in memory" if isinstance(panel, Panel) else ""
        raise InvalidParameterError(f"expected a ReturnPanel, got {type(panel).__name__}{hint}.")
    if not len(panel.assets):
        raise InvalidParameterError(f"expected a panel with assets, got {panel!r}; select some.")
    return panel


def _rows(window: Horizon, panel: ReturnPanel) -> int:
    """The length of the window in rows of the panel."""
    rows = window.in_units_of(panel.horizon)
    if abs(rows - round(rows)) > 1e-9 * rows:
        raise InvalidParameterError(
            f"expected a whole number of the panel's rows, got {window!r}, which is {rows:.6g} rows of one "
            f"{panel.horizon}; rm.Horizon({max(round(rows), 1)} * {panel.horizon.days!r}) is {max(round(rows), 1)}.",
            rows=rows,
        )
    return round(rows)


def _least(minimum: int | None, panel: ReturnPanel) -> int:
    """The fewest observations of an asset."""
    parameters = len(panel.factors) + 1
    if minimum is not None and minimum < parameters + 1:
        raise InvalidParameterError(
            f"expected minimum of at least {parameters + 1}, one more than the {parameters} parameters (alpha and the "
            f"loadings), got {minimum}."
        )
    return parameters + 1 if minimum is None else int(minimum)


def _first(panel: ReturnPanel, least: int) -> int:
    """The number of rows until an asset has enough observations."""
    seen = np.cumsum(~np.isnan(panel.arrays()[0]), axis=0).max(axis=1, initial=0)
    first = int(np.searchsorted(seen, least))
    if first == len(seen):
        raise TooFewObservationsError(
            f"expected an asset with {least} observations, got none in {panel!r}; use more dates."
        )
    return first + 1


def _stops(panel: ReturnPanel, first: int, every: int | Horizon | None) -> Index:
    """The row after the last of each window; the first window has `first` rows."""
    rows = np.arange(first, len(panel.dates) + 1, dtype=np.intp)
    if every is None:
        return rows
    if not isinstance(every, Horizon):
        return rows[:: int(every)]
    period = "D" if is_named(every, DAY, CALENDAR_DAY) else period_of(every)
    if period is None:
        return rows[:: _rows(every, panel)]
    stops = rows[_ends_period(panel.dates, period)[first - 1 :]]
    if not len(stops):
        raise TooFewObservationsError(
            f"expected a {every} that ends after row {first} of {panel!r}, got none; use more dates."
        )
    return stops


def _ends_period(dates: pd.DatetimeIndex, freq: str) -> NDArray[np.bool_]:
    """Whether each date is the last of its period; for the last date, whether the next weekday is in another."""
    following = pd.DatetimeIndex(np.busday_offset(dates[-1:].to_numpy().astype("datetime64[D]"), 1, roll="backward"))
    periods = pd.DatetimeIndex(dates.append(following)).to_period(freq)
    return np.asarray(periods[1:] != periods[:-1])
