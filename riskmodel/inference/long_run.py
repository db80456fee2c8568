"""The long-run volatility, which a window knows badly: volatility comes in clusters that are longer than it shows."""

from __future__ import annotations

import math

import numpy as np

from riskmodel._core.arrays import Array
from riskmodel.errors import NotEstimatedError
from riskmodel.inference.bounds import quantile
from riskmodel.inference.covariance.base import DateTerms
from riskmodel.inference.covariance.cosine import Cosine
from riskmodel.inference.estimand import LONG_RUN
from riskmodel.inference.figure import Figure
from riskmodel.inference.interval import Interval

# The fewest dates, five years of days, and the persistence a day, and lags, of the clusters that are allowed for.
FEWEST = 1_260
_PERSISTENCE, _LAGS = 0.99, 150
_COSINES = 4


def long_run_volatility(figure: Figure, terms: DateTerms, level: float) -> Interval:
    """Return the interval of a volatility as the number that ever longer windows would come to.

    The variance of the estimate is the largest of three: of uncorrelated dates, of four cosines, and of clusters that
    die out by 1 % a day beside noise, fitted to the autocovariances up to 150 days. The interval is of the logarithm,
    with four degrees of freedom.

    Parameters
    ----------
    figure : Figure
        A volatility.
    terms : DateTerms
        What each date adds to it.
    level : float
        Between 0 and 1.
    """
    x = terms.by_date[0]
    if len(x) < FEWEST:
        raise NotEstimatedError(
            f"expected {FEWEST:,} dates or more, as the long-run volatility takes several clusters of volatility to "
            f"know, got {len(x):,}; ask for this window, or pass a longer panel.",
            minimum=FEWEST,
            dates=len(x),
        )
    few = float(Cosine(_COSINES).of_sums(terms)[0, 0])
    error = math.sqrt(max(float(x @ x), few, _of_clusters(x)))
    value = figure.estimate
    if not value > 0:
        return Interval(value, 0.0, value, value, level, LONG_RUN)
    grown = math.exp(quantile(level, _COSINES) * error / value)
    return Interval(value, error, value / grown, value * grown, level, LONG_RUN)


def _of_clusters(x: Array) -> float:
    """Variance of the sum of x if it is noise and an autoregression, whose size is fitted to autocovariances."""
    x = x - x.mean()
    t = len(x)
    own = float(x @ x) / t
    found = np.array([x[k:] @ x[:-k] for k in range(1, _LAGS + 1)]) / t
    # of a unit autoregression: its sum's variance over t², which taking off the mean takes from every autocovariance
    ages = np.arange(1, t)
    unit = (1.0 + 2.0 * float((1.0 - ages / t) @ _PERSISTENCE**ages)) / t
    shape = _PERSISTENCE ** np.arange(1, _LAGS + 1) - unit
    size = float(np.clip(found @ shape / (shape @ shape), 0.0, own / (1.0 - unit)))
    noise = max(own - size * (1.0 - unit), 0.0)
    return t * (noise + size * unit * t)
