"""Windows: an estimator on every stretch of a panel, as of each date."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from attrs import field, frozen

from riskmodel.errors import EstimationError, InvalidParameterError, TooFewObservationsError
from riskmodel.estimation.base import Estimator
from riskmodel.estimation.least_squares.ols import OLS, LeastSquares
from riskmodel.estimation.windows.batch import fit_windows
from riskmodel.estimation.windows.loop import fit_each
from riskmodel.horizon import Horizon
from riskmodel.model.history import ModelHistory, Spans
from riskmodel.panel.base import Panel
from riskmodel.panel.memory import ReturnPanel

_NO_NUMBER = "the variance is no number"


def _horizon(_: Any, __: Any, window: Any) -> None:
    if not isinstance(window, Horizon):
        raise InvalidParameterError(
            f"a window must be a Horizon such as rm.YEAR or rm.Horizon(500), but {window!r} came."
        )


def _estimator(_: Any, __: Any, estimator: Any) -> None:
    if not isinstance(estimator, Estimator):
        raise InvalidParameterError(f"the estimator must be one such as rm.OLS(), but {estimator!r} came.")


def _whole(_: Any, __: Any, minimum: Any) -> None:
    if minimum is not None and (isinstance(minimum, bool) or not isinstance(minimum, int | np.integer)):
        raise InvalidParameterError(f"minimum must be a whole number of observations, but {minimum!r} came.")


@final
@frozen
class Rolling:
    """An estimator on a window that rolls: for each date, on so many dates up to and including it.

    Parameters
    ----------
    window : Horizon
        How long, in trading days, whatever the panel's own horizon: ``rm.YEAR`` is 252 rows of a daily panel and 12 of
        a monthly one.
    estimator : Estimator
        Any; `EWMA` forgets within the window.
    minimum : int, optional
        Observations that an asset must have in a window to be estimated there; by default K + 2, the fewest that leave
        a residual variance. Estimates from so few are noise: ask for more where assets come and go.

    Notes
    -----
    `OLS`, `EWMA` and other kinds of `LeastSquares` are estimated in all windows at once. A sum over a window is put
    together from sums over its parts, never by subtracting what has left it; standard errors and variances agree with
    a fit of each window to some ten digits, nearly collinear factors and nearly perfect fits included. Any other
    estimator is asked window by window.

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
    2017-02-28   1.11   0.35
    2017-03-31   1.11   0.35
    """

    window: Horizon = field(validator=_horizon)
    estimator: Estimator = field(factory=OLS, validator=_estimator)
    minimum: int | None = field(default=None, validator=_whole)

    def fit(self, panel: ReturnPanel) -> ModelHistory:
        """Estimate a model for each date of the panel on which a whole window ends.

        Parameters
        ----------
        panel : ReturnPanel
            T dates, N assets, K factors.

        Returns
        -------
        ModelHistory
            Of T + 1 - (rows in a window) dates. What could not be estimated in a window is said by its `missing`.

        Raises
        ------
        InvalidParameterError
            If the window is not a whole number of the panel's rows, or `minimum` fits neither K nor the window.
        TooFewObservationsError
            If the panel is shorter than one window, or the window than K + 2 dates.
        EstimationError
            If nothing can be estimated in any window.
        """
        rows = _rows(self.window, _panel(panel))
        least = _least(self.minimum, panel)
        if rows < least:
            raise TooFewObservationsError(
                f"a window of {rows} dates never has the {least} observations that an asset needs; widen it."
            )
        if rows > len(panel.dates):
            raise TooFewObservationsError(
                f"a window of {rows} dates does not fit into {panel!r}; use a shorter one, or more dates."
            )
        return _fit(self.estimator, panel, Spans(rows, len(panel.dates) - rows + 1, 1), least)


@final
@frozen
class Expanding:
    """An estimator on a window that grows: for each date, on all dates up to and including it.

    Parameters
    ----------
    estimator : Estimator
        Any.
    minimum : int, optional
        Observations that an asset must have to be estimated, as in `Rolling`; dates begin when one has.

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

    def fit(self, panel: ReturnPanel) -> ModelHistory:
        """Estimate a model for each date of the panel by which an asset has enough observations.

        Parameters
        ----------
        panel : ReturnPanel
            T dates, N assets, K factors.

        Returns
        -------
        ModelHistory
            What could not be estimated is said by its `missing`.

        Raises
        ------
        InvalidParameterError
            If `minimum` is below K + 2.
        TooFewObservationsError
            If no asset ever has enough observations.
        EstimationError
            If nothing can be estimated on any date.
        """
        least = _least(self.minimum, _panel(panel))
        seen = np.cumsum(~np.isnan(panel.arrays()[0]), axis=0).max(axis=1, initial=0)
        first = int(np.searchsorted(seen, least))
        if first == len(seen):
            raise TooFewObservationsError(f"no asset of {panel!r} has {least} observations; use more dates.")
        return _fit(self.estimator, panel, Spans(first + 1, len(seen) - first, 0), least)


def _panel(panel: Any) -> ReturnPanel:
    if not isinstance(panel, ReturnPanel):
        hint = "; take its select(...), which is in memory" if isinstance(panel, Panel) else ""
        raise InvalidParameterError(f"windows are those of a ReturnPanel, but {type(panel).__name__} came{hint}.")
    if not len(panel.asset_names):
        raise InvalidParameterError(f"windows are those of some assets, but {panel!r} came; select some.")
    return panel


def _rows(window: Horizon, panel: ReturnPanel) -> int:
    """How many rows of the panel the window is."""
    rows = window.in_units_of(panel.horizon)
    if abs(rows - round(rows)) > 1e-9 * rows:
        raise InvalidParameterError(
            f"a window must be a whole number of the panel's rows, but {window!r} is {rows:.6g} rows of one "
            f"{panel.horizon}; rm.Horizon({max(round(rows), 1)} * {panel.horizon.days:g}) is {max(round(rows), 1)}.",
            rows=rows,
        )
    return round(rows)


def _least(minimum: int | None, panel: ReturnPanel) -> int:
    """The fewest observations that will do."""
    parameters = len(panel.factor_names) + 1
    if minimum is not None and minimum < parameters + 1:
        raise InvalidParameterError(
            f"minimum must be at least {parameters + 1}, one more than the {parameters} parameters (alpha and the "
            f"loadings), but {minimum} came."
        )
    return parameters + 1 if minimum is None else int(minimum)


def _fit(estimator: Estimator, panel: ReturnPanel, spans: Spans, minimum: int) -> ModelHistory:
    if isinstance(estimator, LeastSquares):
        figures = fit_windows(estimator, panel, spans, minimum)
    else:
        figures = fit_each(estimator, panel, spans, minimum)
    gone = np.isnan(figures.idio_variance)
    unsaid = gone & (figures.codes == 0) & (figures.faults == 0)[:, None]
    if unsaid.any():
        at, columns = np.nonzero(unsaid)
        figures.leave_out(at, columns, _NO_NUMBER)
    history = ModelHistory(panel, spans, figures)
    if gone.all():
        reasons = "; ".join(history.missing["reason"].unique())
        raise EstimationError(f"nothing could be estimated in any of {spans.count} windows of {panel!r}: {reasons}")
    return history
