"""Backtests of value at risk: whether losses beyond it are as frequent as they should be, and independent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from scipy import special, stats

from riskmodel._core.arguments import require_probability


@final
@frozen
class Backtest:
    """A likelihood-ratio test of breaches of value at risk.

    Attributes
    ----------
    statistic : float
        χ² distributed where value at risk is right.
    pvalue : float
        The probability of a larger statistic then.
    breaches, observations : int
        What was counted.
    """

    statistic: float
    pvalue: float
    breaches: int
    observations: int


def require_level(level: Any) -> float:
    """Return the probability of a breach, between 0 and 0.5, or raise."""
    return require_probability(level, "level", "the probability of a breach", most=0.5)


def kupiec(hits: Any, level: float) -> Backtest:
    r"""Kupiec's test of unconditional coverage: whether breaches have the frequency p.

    :math:`-2 \log [p^x (1-p)^{n-x}] + 2 \log [\hat p^x (1-\hat p)^{n-x}]`, :math:`\hat p = x/n`, is χ² with one
    degree of freedom [1]_.

    Parameters
    ----------
    hits : array of bool, or sequence of these
        Whether each loss was beyond value at risk.
    level : float
        p, such as 0.05.

    References
    ----------
    .. [1] Kupiec, P. H. (1995). Techniques for verifying the accuracy of risk measurement models. *Journal of
       Derivatives* 3(2), 73-84.

    Examples
    --------
    >>> import numpy as np
    >>> from riskmodel.inference.backtests import kupiec
    >>> round(kupiec(np.arange(255) < 7, 0.05).statistic, 2)
    3.24
    """
    p = require_level(level)
    flat = np.concatenate([np.empty(0, dtype=bool), *_sequences(hits)])
    n, x = len(flat), int(flat.sum())
    statistic = max(2.0 * (_log_likelihood(x, n, x / n if n else 0.0) - _log_likelihood(x, n, p)), 0.0)
    return Backtest(statistic, _chi2(statistic, 1, n), x, n)


def independence(hits: Any) -> Backtest:
    """Christoffersen's test of independence: whether a breach is as likely after a breach as after none [1]_, eq. 4.

    Parameters
    ----------
    hits : array of bool, or sequence of these
        In order of time. Of several sequences, the end of one and the start of the next are no neighbours.

    References
    ----------
    .. [1] Christoffersen, P. F. (1998). Evaluating Interval Forecasts. *International Economic Review* 39(4), 841-862.
    """
    sequences = _sequences(hits)
    counts = np.zeros((2, 2), dtype=np.intp)
    for s in sequences:
        np.add.at(counts, (s[:-1].astype(np.intp), s[1:].astype(np.intp)), 1)
    after = counts.sum(axis=1)
    n, x = int(after.sum()), int(counts[:, 1].sum())
    apart = sum(_log_likelihood(int(c[1]), int(m), c[1] / m if m else 0.0) for c, m in zip(counts, after, strict=True))
    statistic = max(2.0 * (apart - _log_likelihood(x, n, x / n if n else 0.0)), 0.0)
    return Backtest(statistic, _chi2(statistic, 1, n), sum(int(s.sum()) for s in sequences), sum(map(len, sequences)))


def christoffersen(hits: Any, level: float) -> Backtest:
    """Christoffersen's test of conditional coverage: the right frequency, and independence, χ² with two degrees.

    The sum of the statistics of `kupiec` and `independence`.

    Parameters
    ----------
    hits, level
        As for these.

    Examples
    --------
    >>> import numpy as np
    >>> from riskmodel.inference.backtests import christoffersen
    >>> christoffersen(np.arange(100) % 20 == 0, 0.05).pvalue > 0.5
    True
    """
    of_all, of_neighbours = kupiec(hits, level), independence(hits)
    statistic = of_all.statistic + of_neighbours.statistic
    n = of_all.observations
    return Backtest(statistic, _chi2(statistic, 2, n), of_all.breaches, n)


def _sequences(hits: Any) -> list[NDArray[np.bool_]]:
    if isinstance(hits, Sequence) and len(hits) and np.ndim(hits[0]) == 1:
        return [np.asarray(h, dtype=bool) for h in hits]
    return [np.asarray(hits, dtype=bool).ravel()]


def _log_likelihood(x: int, n: int, p: float) -> float:
    """Of x breaches among n, each with probability p; 0 log 0 is 0."""
    return float(special.xlogy(x, p) + special.xlog1py(n - x, -p))


def _chi2(statistic: float, degrees: int, n: int) -> float:
    return float(stats.chi2.sf(statistic, degrees)) if n else float("nan")
