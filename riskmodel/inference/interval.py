"""An estimate with its interval."""

from __future__ import annotations

from typing import final

from attrs import frozen

from riskmodel._core.listing import Listed
from riskmodel.inference.estimand import Estimand


@final
@frozen
class Interval(Listed):
    """An estimate, its standard error, and an interval that covers the truth with a probability.

    Attributes
    ----------
    estimate : float
        The library's figure.
    std_error : float
        Its standard error.
    low, high : float
        The ends. They are not symmetric about the estimate where its distribution is not, as that of a volatility.
    level : float
        The probability with which such intervals cover, 0 to 1.
    of : Estimand
        What is covered.

    Examples
    --------
    >>> import riskmodel as rm
    >>> str(rm.Interval(1.07, 0.02, 1.03, 1.12, 0.95, rm.THIS_WINDOW))
    '1.07 [1.03, 1.12]'
    """

    estimate: float
    std_error: float
    low: float
    high: float
    level: float
    of: Estimand

    def __str__(self) -> str:
        return f"{self.estimate:.3g} [{self.low:.3g}, {self.high:.3g}]"
