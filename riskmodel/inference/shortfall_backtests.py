"""Backtests of expected shortfall, from the probabilities that forecasts gave to what happened."""

from __future__ import annotations

import math
from typing import Any, final

import numpy as np
from attrs import frozen
from scipy import special

from riskmodel._core.arguments import require_count
from riskmodel._core.arrays import Array, floats
from riskmodel.errors import InvalidParameterError
from riskmodel.inference.backtests import require_level


@final
@frozen
class ShortfallBacktest:
    """A test of cumulative violations of value at risk.

    Attributes
    ----------
    statistic : float
        Standard normal, or χ² distributed, where expected shortfall is right.
    pvalue : float
        The probability of a statistic further away then.
    observations : int
        What was counted.
    """

    statistic: float
    pvalue: float
    observations: int


def shortfall_coverage(probabilities: Any, level: float) -> ShortfallBacktest:
    r"""Du's and Escanciano's unconditional test of expected shortfall ([1]_, section 3.1).

    With u the probability that the forecast gave to a return of at most what happened, and p that of a breach, a date's
    cumulative violation :math:`H = (p - u)^+ / p` has mean p/2 and variance :math:`p (1/3 - p/4)`, so the statistic is
    :math:`\sqrt{n} (\bar H - p/2) / \sqrt{p (1/3 - p/4)}`, about standard normal; the p-value is two-sided. It is
    positive where losses beyond value at risk are too many or too large.

    Parameters
    ----------
    probabilities : array, shape (n,)
        u by date.
    level : float
        p, such as 0.025.

    References
    ----------
    .. [1] Du, Z. and Escanciano, J. C. (2017). Backtesting Expected Shortfall: Accounting for Tail Risk. *Management
       Science* 63(4), 940-958.
    """
    h, p = _violations(probabilities, level)
    n = len(h)
    statistic = math.sqrt(n) * (float(h.mean()) - p / 2.0) / math.sqrt(p * (1.0 / 3.0 - p / 4.0)) if n else math.nan
    return ShortfallBacktest(statistic, 2.0 * float(special.ndtr(-abs(statistic))), n)


def shortfall_independence(probabilities: Any, level: float, lags: int = 5) -> ShortfallBacktest:
    r"""Du's and Escanciano's conditional test: whether cumulative violations are uncorrelated over time.

    :math:`n \sum_{j \le m} \hat\rho_j^2` with the autocorrelations of H about p/2 is about χ² with m degrees of freedom
    ([1]_, section 3.2).

    Parameters
    ----------
    probabilities, level
        As for `shortfall_coverage`.
    lags : int
        m.

    References
    ----------
    .. [1] Du, Z. and Escanciano, J. C. (2017). Backtesting Expected Shortfall: Accounting for Tail Risk. *Management
       Science* 63(4), 940-958.
    """
    h, p = _violations(probabilities, level)
    m, n = require_count(lags, "lags", 1), len(h)
    deviations = h - p / 2.0
    variance = float(deviations @ deviations) / n if n else 0.0
    if n <= m or variance == 0:
        return ShortfallBacktest(math.nan, math.nan, n)
    rho = np.array([deviations[j:] @ deviations[:-j] / (n - j) for j in range(1, m + 1)]) / variance
    statistic = float(n * rho @ rho)
    return ShortfallBacktest(statistic, float(special.chdtrc(m, statistic)), n)


def _violations(probabilities: Any, level: float) -> tuple[Array, float]:
    """Cumulative violations, and the probability of a breach."""
    p, u = require_level(level), floats(probabilities)
    if u.ndim != 1 or not ((u >= 0.0) & (u <= 1.0)).all():
        raise InvalidParameterError(
            "expected probabilities from 0 to 1 by date, got others.", parameter="probabilities", got=probabilities
        )
    return np.maximum(p - u, 0.0) / p, p
