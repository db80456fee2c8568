"""How long until it is known that a Sharpe ratio is no luck."""

from __future__ import annotations

import math
from typing import Any, Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arguments import require_finite, require_probability
from riskmodel._core.arrays import Array, floats
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError


@final
@frozen
class TrackRecord(Listed):
    r"""A Sharpe ratio, and the number of returns that it takes to tell it from a lower one.

    With skewness :math:`\gamma_3` and kurtosis :math:`\gamma_4`, an estimated Sharpe ratio has about the standard error
    :math:`\sqrt{(1 - \gamma_3 S + \frac{\gamma_4 - 1}{4} S^2) / (n - 1)}` ([1]_, equations 9 and 11). Returns are taken
    as independent over time.

    Attributes
    ----------
    sharpe : float
        Mean over standard deviation, per return.
    skewness, kurtosis : float
        0 and 3 of a normal distribution.
    n : int
        Number of returns.
    benchmark : float
        The Sharpe ratio, per return, that it is held against.
    confidence : float
        The probability that is asked for.

    References
    ----------
    .. [1] Bailey, D. H. and López de Prado, M. (2012). The Sharpe Ratio Efficient Frontier. *Journal of Risk* 15(2),
       3-44.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> record = rm.Inference.of(model, panel).track_record(rm.Strategy({"MSFT": 1.0}, model))
    >>> record.n, round(record.needed), round(record.probability, 2)
    (4760, 14711, 0.83)
    """

    sharpe: float
    skewness: float
    kurtosis: float
    n: int
    benchmark: float
    confidence: float

    @classmethod
    def of(cls, returns: Any, *, confidence: float = 0.95, benchmark: float = 0.0) -> Self:
        """Compute it of excess returns.

        Parameters
        ----------
        returns : Series or array, shape (n,)
            Excess returns, such as of a hedged portfolio; NaN is left out.
        confidence : float
            Between 0 and 1.
        benchmark : float
            A Sharpe ratio per return; by default 0.

        Raises
        ------
        InvalidParameterError
            For fewer than three returns, returns that do not vary, or a confidence that is no probability.
        """
        x: Array = np.array(floats(returns))
        x = x[~np.isnan(x)]
        level = require_probability(confidence, "confidence")
        if x.ndim != 1 or len(x) < 3 or not np.isfinite(x).all() or not np.ptp(x) > 0:
            raise InvalidParameterError(
                f"expected three or more finite returns that vary, got {len(x)}.", parameter="returns", n=len(x)
            )
        d = x - x.mean()
        second = float(d @ d / len(d))
        return cls(
            sharpe=float(x.mean() / x.std(ddof=1)),
            skewness=float(np.mean(d**3) / second**1.5),
            kurtosis=float(np.mean(d**4) / second**2),
            n=len(x),
            benchmark=require_finite(benchmark, "benchmark"),
            confidence=level,
        )

    @property
    def needed(self) -> float:
        """The number of returns after which the ratio is above the benchmark with the confidence; infinite if below."""
        from scipy import special  # noqa: PLC0415 - slow to import

        gap = self.sharpe - self.benchmark
        if gap <= 0:
            return math.inf
        return 1.0 + self._variance * (float(special.ndtri(self.confidence)) / gap) ** 2

    @property
    def probability(self) -> float:
        """The probability that the true Sharpe ratio is above the benchmark, from these returns."""
        from scipy import special  # noqa: PLC0415 - slow to import

        return float(special.ndtr((self.sharpe - self.benchmark) * math.sqrt((self.n - 1.0) / self._variance)))

    @property
    def _variance(self) -> float:
        s = self.sharpe
        return 1.0 - self.skewness * s + (self.kurtosis - 1.0) / 4.0 * s * s
