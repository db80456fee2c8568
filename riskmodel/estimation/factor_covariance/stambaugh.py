"""Covariance of factors whose histories have different lengths."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index, by_constructor
from riskmodel.errors import EstimationError
from riskmodel.estimation.factor_covariance.base import FactorCovarianceEstimator, as_covariance
from riskmodel.estimation.factor_covariance.histories import known_returns, read_history, require_rows
from riskmodel.horizon import Horizon


@final
@frozen(eq=False)
class Stambaugh(FactorCovarianceEstimator):
    r"""Maximum likelihood covariance of factors of which some have shorter histories than others.

    The longest factor has its own variance; each shorter one is regressed on all longer ones over its own rows, and
    with the slopes b and the residual variance s², :math:`\operatorname{Cov}(x, longer) = b^\top V` and
    :math:`\operatorname{Var} x = s^2 + b^\top V b`, V being the covariance of the longer ones so far [1]_. So what the
    longer histories say of their volatility counts for the shorter ones. Residual sums of squares are divided by the
    rows less one: for equal lengths it is `SampleCovariance`.

    A `ReturnPanel` has the dates on which all factors are known; the longer histories are passed here. `fit` by hand
    takes factor returns with NaN.

    Parameters
    ----------
    history : DataFrame, dates × factors, optional
        Returns of all factors, and perhaps of other series, decimals per row as in the panel; NaN where missing. Rows
        after the last of those that are fitted are not used; the panel's returns take precedence. Missing rows must be
        nested: a shorter factor has no row that a longer one lacks; otherwise see `EMCovariance`.

    References
    ----------
    .. [1] Stambaugh, R. F. (1997). Analyzing Investments Whose Histories Differ in Length. *Journal of Financial
       Economics* 45(3), 285-331.

    Examples
    --------
    >>> import riskmodel as rm
    >>> history = rm.SampleData(rm.MONTH).factor_returns(["Mkt-RF", "Mom"], start="1990-01")
    >>> history.loc[:"2009-12", "Mom"] = float("nan")  # as if it began in 2010
    >>> late = history.loc["2010-01":]
    >>> longer = rm.Stambaugh(history).fit(late, rm.MONTH)
    >>> bool(abs(longer.loc["Mkt-RF", "Mkt-RF"] / history["Mkt-RF"].var() - 1) < 1e-12)
    True
    """

    _history: pd.DataFrame | None = field(default=None, converter=read_history)

    __reduce__ = by_constructor

    @property
    def history(self) -> pd.DataFrame | None:
        """The longer histories, dates × factors."""
        return None if self._history is None else self._history.copy()

    def fit(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """Return the covariance, factors × factors, return² per `horizon`.

        Raises
        ------
        EstimationError
            If missing rows are not nested, or a factor has fewer rows than there are factors, plus two.
        UnknownFactorError
            For factors without a history.
        InvalidParameterError
            If the history and the factor returns differ on their common dates.
        """
        known = known_returns(factor_returns, horizon, self._history)
        x = known.to_numpy()
        require_rows(x, known.columns, x.shape[1] + 2)
        order = _nested(x, known.columns)
        covariance = np.zeros((x.shape[1], x.shape[1]))
        for j, column in enumerate(order):
            _add(covariance, x, order[:j], column)
        k = factor_returns.shape[1]
        return as_covariance(covariance[:k, :k], factor_returns)


def _nested(x: Array, columns: pd.Index[Any]) -> Index:
    """The columns, longest first, or raise where a shorter one has a row that a longer one lacks."""
    observed = ~np.isnan(x)
    order = np.argsort(-observed.sum(axis=0), kind="stable")
    for longer, shorter in pairwise(order):
        if (observed[:, shorter] & ~observed[:, longer]).any():
            names = [columns[shorter], columns[longer]]
            raise EstimationError(
                f"expected that a shorter history has no row that a longer one lacks, got {labels.listing(names)}; use "
                "rm.EMCovariance(...).",
                factors=names,
            )
    return np.asarray(order)


def _add(covariance: Array, x: Array, longer: Index, column: int) -> None:
    """Write the variance of a column, and its covariances with longer ones, into the covariance of these."""
    rows = ~np.isnan(x[:, column])
    own = x[rows][:, [*longer, column]]
    deviations = own - own.mean(axis=0)
    slopes = np.linalg.lstsq(deviations[:, :-1], deviations[:, -1], rcond=None)[0]
    residuals = deviations[:, -1] - deviations[:, :-1] @ slopes
    among = covariance[np.ix_(longer, longer)] @ slopes
    covariance[longer, column] = covariance[column, longer] = among
    covariance[column, column] = residuals @ residuals / (rows.sum() - 1) + slopes @ among
