"""Factor models of this package in cvxportfolio: fitted anew at each time, or from a history.

cvxportfolio decides at t on returns before t. Its returns are labelled by the start of their period, in a time zone.

Examples
--------
>>> import cvxportfolio as cvx, pandas as pd, riskmodel as rm
>>> from riskmodel.interop.cvxportfolio import FactorModelForecast
>>> panel = rm.SampleData().panel(["KO", "XOM", "MSFT"], ["Mkt-RF"], start="2016-01-01")
>>> times = panel.dates.tz_localize("UTC")
>>> returns = panel.excess_returns.set_axis(times).assign(cash=0.0)
>>> market = cvx.UserProvidedMarketData(
...     returns=returns, cash_key="cash", min_history=pd.Timedelta("100D"))
>>> forecast = FactorModelForecast(rm.EWMA(rm.QUARTER), panel.factor_returns.set_axis(times))
>>> g, d = forecast.estimate(market, market.trading_calendar()[200])
>>> g.shape, d.shape
((1, 3), (3,))
>>> risk = cvx.FactorModelCovariance(num_factors=1, Sigma=None, F_and_d_Forecaster=forecast)
"""

from __future__ import annotations

import hashlib
from typing import Any, final

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_count
from riskmodel._core.arrays import Array, floats
from riskmodel.errors import InvalidParameterError, MissingExtraError
from riskmodel.estimation.base import Estimator
from riskmodel.estimation.least_squares.ols import OLS
from riskmodel.horizon import DAY, Horizon, require_horizon
from riskmodel.interop._panels import read_rows
from riskmodel.model.history import ModelHistory

try:
    from cvxportfolio.forecast import BaseForecast
except ImportError as error:
    raise MissingExtraError.of("riskmodel.interop.cvxportfolio", "cvxportfolio", "cvxportfolio") from error

_MOST_COLUMNS = 10_000


@final
class FactorModelForecast(BaseForecast):
    """A model fitted at each time of a backtest, on the returns before it.

    For ``cvx.FactorModelCovariance(num_factors=columns, Sigma=None, F_and_d_Forecaster=…)``: ``Sigma=None`` is needed,
    as it is not looked at otherwise. Asset returns are taken in excess of the market data's cash.

    Parameters
    ----------
    estimator : Estimator, optional
        By default ``rm.OLS()``.
    factors : DataFrame, dates × factors, optional
        Returns over the same periods as the market data's, with the same labels, or labelled by their days without a
        time zone. None for an estimator that makes its factors of the assets.
    columns : int, optional
        ``num_factors`` of the covariance: the most columns of G. By default the number of factors.
    horizon : Horizon
        The span of one row of the market data.

    Attributes
    ----------
    fingerprint : str
        Of the factor returns. cvxportfolio keeps forecasts under what an object prints, and so other factors are not
        served from its cache.

    Raises
    ------
    InvalidParameterError
        In a backtest, where factors lack a date of the market data, where an asset of the universe cannot be estimated
        (see ``min_history`` of the market data), and where the model has more columns.

    Examples
    --------
    >>> import riskmodel as rm
    >>> factors = rm.SampleData().panel(["KO"], ["Mkt-RF"]).factor_returns
    >>> FactorModelForecast(rm.OLS(), factors)
    FactorModelForecast(estimator=OLS(), columns=1, horizon=DAY, fingerprint='...')
    """

    _CACHED = True

    def __init__(
        self,
        estimator: Estimator | None = None,
        factors: pd.DataFrame | None = None,
        columns: int | None = None,
        horizon: Horizon = DAY,
    ) -> None:
        chosen: Any = OLS() if estimator is None else estimator
        self.estimator = require(chosen, Estimator, "estimator", "write rm.OLS()")  # type: ignore[type-abstract]
        self._factors: Any = None if factors is None else _dated(factors)
        if columns is None and self._factors is None:
            raise InvalidParameterError(
                "expected columns where there are no factors, got None; pass the number of factors that the estimator "
                "makes.",
                parameter="columns",
            )
        own = 0 if self._factors is None else self._factors.shape[1]
        self.columns = own if columns is None else require_count(columns, "columns", 1)
        if self.columns > _MOST_COLUMNS:
            raise InvalidParameterError(
                f"expected at most {_MOST_COLUMNS:,} columns, got more.", parameter="columns", limit=_MOST_COLUMNS
            )
        self.horizon = require_horizon(horizon)
        self.fingerprint = _fingerprint(self._factors)

    def values_in_time(self, t: pd.Timestamp, past_returns: pd.DataFrame, **kwargs: Any) -> tuple[Array, Array]:
        """G' and d of the assets at a time, with Σ = G G' + diag d; cvxportfolio calls it.

        Parameters
        ----------
        t : Timestamp
            The time of the decision.
        past_returns : DataFrame
            Returns before t, dates × assets; the last column is cash.
        **kwargs : Any
            Not used.

        Returns
        -------
        G' : array, shape (min(columns, N), N)
            Return per row of the market data.
        d : array, shape (N,)
            Return² per row.
        """
        past = _past(past_returns)
        rows = read_rows(past, None if self._factors is None else self._on(past.index), self.horizon)
        model = rows.fit(self.estimator, self.horizon)
        if len(model.missing):
            first = model.missing.iloc[0]
            raise InvalidParameterError(
                f"expected assets that can be estimated at {t}, got {labels.listing(model.missing['asset'])}: "
                f"{first['reason']}; give the market data a longer min_history.",
                assets=list(model.missing["asset"]),
            )
        g, s = map(floats, model.covariance.square_root())
        return _shaped(g.T, self.columns), s**2

    def _on(self, times: Any) -> pd.DataFrame:
        """The factors' rows of times of the market data."""
        known = self._factors
        wanted = times if known.index.tz is not None or times.tz is None else times.tz_localize(None).normalize()
        if known.index.tz is not None and times.tz is None:
            known = known.tz_localize(None)
        at = known.index.get_indexer(wanted)
        if (at < 0).any():
            missing = list(times[at < 0])
            raise InvalidParameterError(
                f"expected factors on every date of the market data, got none on {labels.listing(missing)}; pass more "
                "of them, or market data that starts later.",
                parameter="factors",
                missing=missing,
            )
        rows: pd.DataFrame = known.iloc[at].set_axis(times)
        return rows


def frames(history: ModelHistory, calendar: pd.DatetimeIndex) -> dict[str, pd.DataFrame]:
    """The models of a history as cvxportfolio reads them: ``cvx.FactorModelCovariance(**frames(history, calendar))``.

    At each time of the calendar stands the latest model of an **earlier** day, because a model of a date knows that
    date's returns, and cvxportfolio decides before they are earned.

    Parameters
    ----------
    history : ModelHistory
        At the horizon of the market data's rows.
    calendar : DatetimeIndex
        ``market_data.trading_calendar()``, or the part that a backtest uses. Its time zone is kept; its days are those
        on its own clocks.

    Returns
    -------
    dict
        ``F``, (time, factor) × asset, dimensionless; ``d``, time × asset, return²; ``Sigma_F``, (time, factor) ×
        factor, return². Without times before the second day of the history. An asset is NaN where it could not be
        estimated, which cvxportfolio refuses if it is in the universe.

    Raises
    ------
    InvalidParameterError
        For a calendar that is no increasing DatetimeIndex, one that ends before the history's second day, and for
        models that link residuals or do not share their factors, which cvxportfolio has no room for.

    Examples
    --------
    >>> import pandas as pd, riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"], start="2016-01-01")
    >>> history = rm.Rolling(rm.YEAR, every=rm.MONTH).fit(panel)
    >>> tables = frames(history, panel.dates.tz_localize("UTC"))
    >>> str(tables["d"].index.tz), str(tables["d"].index[0].date()), str(history.dates[0].date())
    ('UTC', '2017-01-03', '2016-12-30')
    """
    require(history, ModelHistory, "history", "rm.Rolling().fit(panel) makes one")
    times = _increasing(calendar)
    _require_expressible(history)
    # the day, as the clocks of the calendar write it; rows of hours keep their time
    days = times.tz_localize(None)
    days = days.normalize() if history.horizon.bar is None else days
    latest = np.searchsorted(history.dates, days, side="left") - 1
    known = latest >= 0
    if not known.any():
        raise InvalidParameterError(
            f"expected a calendar that goes on after the first model, of {history.dates[0].date()}, got one that ends "
            "before; pass market_data.trading_calendar().",
            parameter="calendar",
            first=history.dates[0],
        )
    at, times, k = latest[known], times[known], len(history.factors)
    pairs = pd.MultiIndex.from_product([times, history.factors])
    exposures = history.loadings.to_numpy().reshape(len(history), k, -1)[at].reshape(len(at) * k, -1)
    moves = history.factor_covariance.to_numpy().reshape(len(history), k, k)[at].reshape(len(at) * k, k)
    return {
        "F": pd.DataFrame(exposures, pairs, history.assets.copy()),
        "d": pd.DataFrame(history.idio_variance.to_numpy()[at], times, history.assets.copy()),
        "Sigma_F": pd.DataFrame(moves, pairs, history.factors.copy()),
    }


def _increasing(calendar: Any) -> pd.DatetimeIndex:
    if (
        not isinstance(calendar, pd.DatetimeIndex)
        or not len(calendar)
        or calendar.hasnans
        or not (calendar.is_monotonic_increasing and calendar.is_unique)
    ):
        raise InvalidParameterError(
            "expected calendar as an increasing DatetimeIndex, got another; pass market_data.trading_calendar().",
            parameter="calendar",
            got=calendar,
        )
    return calendar


def _require_expressible(history: ModelHistory) -> None:
    linked = any(links is not None and links.size for links in history._estimates.links)
    if linked or history.factor_mean.isna().any(axis=None):
        what = "that link residuals" if linked else "whose factors differ from date to date"
        raise InvalidParameterError(
            f"expected models of the same factors with a diagonal D, got some {what}; use FactorModelForecast.",
            linked=linked,
        )


def _dated(factors: Any) -> pd.DataFrame:
    if (
        not isinstance(factors, pd.DataFrame)
        or not isinstance(factors.index, pd.DatetimeIndex)
        or not len(factors.columns)
    ):
        raise InvalidParameterError(
            "expected factors as a DataFrame of dates × factors, got another; index it by date.",
            parameter="factors",
            got=factors,
        )
    if factors.index.hasnans or not factors.index.is_unique:
        raise InvalidParameterError(
            "expected factors with one row for each date, got missing or repeated dates.", parameter="factors"
        )
    table = factors.sort_index()
    return pd.DataFrame(floats(table), table.index, table.columns)


def _past(returns: Any) -> pd.DataFrame:
    """Returns in excess of cash, which is the last column."""
    if not isinstance(returns, pd.DataFrame) or not isinstance(returns.index, pd.DatetimeIndex) or returns.shape[1] < 2:
        raise InvalidParameterError(
            "expected past_returns as cvxportfolio passes them, dates × assets and cash, got another.",
            parameter="past_returns",
            got=returns,
        )
    values = floats(returns)
    return pd.DataFrame(values[:, :-1] - values[:, -1:], returns.index, returns.columns[:-1])


def _shaped(g: Array, columns: int) -> Array:
    """G' with as many rows as cvxportfolio keeps for it, where its products are the same."""
    rows = min(columns, g.shape[1])
    if len(g) > rows and g.shape[1] <= columns:
        g = floats(np.linalg.qr(g, mode="r"))  # fewer assets than factors
    if len(g) > rows:
        raise InvalidParameterError(
            f"expected a model of at most {columns} factors and links, got {len(g)}; pass columns={len(g)}, and as "
            "num_factors.",
            parameter="columns",
            columns=columns,
            got=len(g),
        )
    return np.pad(g, ((0, rows - len(g)), (0, 0)))


def _fingerprint(factors: Any) -> str:
    if factors is None:
        return "none"
    parts = [factors.to_numpy().tobytes(), repr(list(factors.columns)).encode(), repr(factors.index.tz).encode()]
    digest = hashlib.sha256(factors.index.asi8.tobytes())
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:16]
