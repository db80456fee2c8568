"""Bias of risk forecasts: whether what happened had the size that was forecast."""

from __future__ import annotations

import numpy as np
import pandas as pd

# A year of months.
WINDOW = 12


def bias_statistic(scores: pd.DataFrame) -> pd.Series[float]:
    r"""The bias statistic of each portfolio, the standard deviation of its scores :math:`z = r / \sigma`.

    1 where forecasts have the right size on average, more where risk is underestimated [1]_.

    Parameters
    ----------
    scores : DataFrame, dates × portfolios
        Returns over forecast volatility; NaN where there is no forecast.

    Returns
    -------
    Series
        By portfolio, with ddof 1; NaN for fewer than two scores.

    References
    ----------
    .. [1] Menchero, J., Wang, J. and Orr, D. J. (2011). Eigen-adjusted covariance matrices. Working paper, section 2;
       Connor, G., Goldberg, L. and Korajczyk, R. (2010). *Portfolio Risk Analysis*. Princeton.
    """
    found: pd.Series[float] = scores.std(ddof=1)
    return found


def bias_band(n: int) -> tuple[float, float]:
    r"""The range :math:`1 \pm \sqrt{2/n}` with 95 % of the bias statistics of n normal scores, for a right forecast.

    The standard deviation of n normal scores has a standard error of :math:`1/\sqrt{2n}`.
    """
    half = float(np.sqrt(2.0 / n)) if n > 0 else np.nan
    return 1.0 - half, 1.0 + half


def rolling_bias(scores: pd.DataFrame, window: int = WINDOW) -> pd.DataFrame:
    """The bias statistic of each portfolio over so many dates up to each date, dates × portfolios; NaN before."""
    found: pd.DataFrame = scores.rolling(window).std(ddof=1)
    return found


def mean_rolling_deviation(scores: pd.DataFrame, window: int = WINDOW) -> float:
    r"""MRAD: the mean over dates and portfolios of :math:`|b - 1|`, with b the bias statistic of each window.

    Errors of different sign at different times do not cancel in it, as they do in the bias statistic of all dates. For
    right forecasts of normal returns and 12 dates it is .17.
    """
    values = np.abs(rolling_bias(scores, window).to_numpy() - 1.0)
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
