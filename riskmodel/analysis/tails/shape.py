"""Distributions of variance one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from attrs import frozen

from riskmodel._core.listing import Listed


@final
@frozen(eq=False)
class Shape(Listed):
    """A symmetric distribution with mean zero and variance one.

    Attributes
    ----------
    distribution : frozen distribution of scipy.stats
        Has ``ppf`` and ``cdf``.
    mean_beyond : callable
        ``mean_beyond(q)`` is the mean of values above q.
    std_errors : callable, optional
        ``std_errors(level)`` are the standard errors of the quantile and of the mean beyond it, where the shape is
        estimated.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from scipy import stats
    >>> shape = rm.Shape(stats.norm(), lambda q: stats.norm.pdf(q) / stats.norm.sf(q))
    >>> round(float(shape.distribution.ppf(0.99)), 3), round(float(shape.mean_beyond(2.326)), 3)
    (2.326, 2.665)
    """

    distribution: Any
    mean_beyond: Callable[[float], float]
    std_errors: Callable[[float], tuple[float, float]] | None = None

    def quantile(self, level: float) -> float:
        """The value that is exceeded with probability 1 - level."""
        return float(self.distribution.ppf(level))

    def shortfall(self, level: float) -> float:
        """The mean beyond the quantile."""
        return self.mean_beyond(self.quantile(level))

    def errors(self, level: float) -> tuple[float, float]:
        """Standard errors of quantile and shortfall; zero for a shape that is given."""
        return (0.0, 0.0) if self.std_errors is None else self.std_errors(level)
