"""Rolling and expanding windows: an estimator on many windows of a panel."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from attrs import field, frozen

from riskmodel._core.arguments import require_count
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError, TooFewObservationsError
from riskmodel.estimation.base import Estimator
from riskmodel.estimation.least_squares.ols import OLS
from riskmodel.estimation.recorded import recorded
from riskmodel.estimation.windows.ends import require_in_memory, require_step, require_window, rows_in, window_ends
from riskmodel.estimation.windows.spans import Spans
from riskmodel.horizon import Horizon
from riskmodel.model.history import ModelHistory
from riskmodel.panel.memory import ReturnPanel


def _estimator(_: Any, __: Any, estimator: Any) -> None:
    if not isinstance(estimator, Estimator):
        raise InvalidParameterError(f"expected an estimator such as rm.OLS(), got {estimator!r}.")


def _whole(_: Any, __: Any, minimum: Any) -> None:
    if minimum is not None and (isinstance(minimum, bool) or not isinstance(minimum, int | np.integer)):
        raise InvalidParameterError(f"expected minimum as a whole number of observations, got {minimum!r}.")


@final
@frozen
class Rolling(Listed):
    """Fit an estimator on rolling windows: for each date, on a number of dates up to and including it.

    Parameters
    ----------
    window : Horizon
        The length in trading days, whatever the panel's horizon: ``rm.YEAR`` is 252 rows of a daily panel and 12 of
        a monthly one.
    estimator : Estimator
        Any estimator; `EWMA` weights dates within the window.
    minimum : int, optional
        The fewest observations of an asset in a window. By default those of the estimator's `fewest_observations`
        (K + 2 for least squares, any number for an estimator that does not say), and all windows are whole. Where it is
        given, the first windows may be shorter: models start at the row where an asset has this many observations.
    every : int or Horizon, optional
        How often a window ends: a number of rows, or each calendar week, month, quarter or year (``rm.MONTH``), or each
        day of a panel of hours (``rm.DAY``). Any other horizon is a number of rows. A period is complete where the
        panel has a row in a later period, or the period's last weekday: its last day where the panel has rows at
        weekends or its horizon is of calendar days; of hours, with the latest time of day in the panel. So a window
        that ends a period does not change when later rows are added. By default every row.

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

    window: Horizon = field(validator=require_window)
    estimator: Estimator = field(factory=OLS, validator=_estimator)
    minimum: int | None = field(default=None, validator=_whole)
    every: int | Horizon | None = field(default=None, validator=require_step)

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
            If the window is not a whole number of the panel's rows, or `minimum` is below the estimator's
            `fewest_observations`.
        TooFewObservationsError
            If the panel is shorter than one window, or the window than `minimum` or K + 2 dates.
        EstimationError
            If no asset can be estimated in any window.
        """
        rows = rows_in(self.window, require_in_memory(panel))
        least = _least(self.minimum, self.estimator, panel)
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
        spans = Spans.rolling(rows, window_ends(panel, first, self.every))
        history = self.estimator.windows(panel, spans, _by_asset(self.minimum, self.estimator, panel))
        return recorded(history, self.estimator, panel)


@final
@frozen
class Expanding(Listed):
    """Fit an estimator on expanding windows: for each date, on all dates up to and including it.

    Parameters
    ----------
    estimator : Estimator
        Any estimator.
    minimum : int, optional
        The fewest observations of an asset, as in `Rolling`; dates start when an asset has them, or K + 2 of them.
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
    every: int | Horizon | None = field(default=None, validator=require_step)

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
            If `minimum` is below the estimator's `fewest_observations`.
        TooFewObservationsError
            If no asset ever has enough observations.
        EstimationError
            If no asset can be estimated on any date.
        """
        least = _least(self.minimum, self.estimator, require_in_memory(panel))
        spans = Spans.expanding(window_ends(panel, _first(panel, least), self.every))
        history = self.estimator.windows(panel, spans, _by_asset(self.minimum, self.estimator, panel))
        return recorded(history, self.estimator, panel)


def _least(minimum: int | None, estimator: Estimator, panel: ReturnPanel) -> int:
    """The fewest dates of a window: those that its assets need, by default one more than the parameters."""
    if minimum is None:
        return len(panel.factors) + 2
    fewest = max(_fewest(estimator, panel), 1)
    if minimum < fewest:
        raise InvalidParameterError(
            f"expected minimum of at least {fewest}, the fewest observations for {type(estimator).__name__}, got "
            f"{minimum}.",
            parameter="minimum",
            least=fewest,
            got=minimum,
        )
    return int(minimum)


def _by_asset(minimum: int | None, estimator: Estimator, panel: ReturnPanel) -> int:
    """The fewest observations of an asset that the estimator is asked to estimate."""
    return _fewest(estimator, panel) if minimum is None else int(minimum)


def _fewest(estimator: Estimator, panel: ReturnPanel) -> int:
    return require_count(estimator.fewest_observations(panel), f"{type(estimator).__name__}.fewest_observations")


def _first(panel: ReturnPanel, least: int) -> int:
    """The number of rows until an asset has enough observations."""
    seen = np.cumsum(~np.isnan(panel.arrays()[0]), axis=0).max(axis=1, initial=0)
    first = int(np.searchsorted(seen, least))
    if first == len(seen):
        raise TooFewObservationsError(
            f"expected an asset with {least} observations, got none in {panel!r}; use more dates."
        )
    return first + 1
