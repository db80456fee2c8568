"""How volatilities and Sharpe ratios grow with the horizon where returns are autocorrelated."""

from __future__ import annotations

import math
from typing import Any, Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array, floats
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import Horizon, require_horizon
from riskmodel.quantities import SharpeRatio, Volatility


@final
@frozen
class TimeScaling(Listed):
    r"""Variance over q returns against q times that of one, and what that does to √q.

    With autocorrelations :math:`\rho_k`, the variance ratio is
    :math:`VR(q) = 1 + 2 \sum_{k < q} (1 - k/q) \rho_k` [1]_; the volatility grows by :math:`\sqrt{q \, VR(q)}`, and
    the Sharpe ratio by Lo's :math:`\eta(q) = q / \sqrt{q + 2 \sum_{k < q} (q - k) \rho_k} = \sqrt{q / VR(q)}` ([2]_,
    equation 20). Without autocorrelation both grow by √q, as horizons scale by default.

    Attributes
    ----------
    q : int
        Returns in the long horizon.
    variance_ratio : float
        VR(q); above 1 where returns trend, as stale prices make them.
    std_error : float
        Of the ratio if returns are uncorrelated, robust to changing variance ([1]_, equation 19).
    horizon, to : Horizon
        Of a return, and of q of them.

    References
    ----------
    .. [1] Lo, A. W. and MacKinlay, A. C. (1988). Stock Market Prices Do Not Follow Random Walks: Evidence from a
       Simple Specification Test. *Review of Financial Studies* 1(1), 41-66.
    .. [2] Lo, A. W. (2002). The Statistics of Sharpe Ratios. *Financial Analysts Journal* 58(4), 36-52.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO"], ["Mkt-RF"])
    >>> scaling = rm.TimeScaling.of(panel.excess_returns["KO"], rm.DAY, to=rm.MONTH)
    >>> round(scaling.variance_ratio, 2), round(scaling.pvalue, 2)
    (0.73, 0.04)
    """

    q: int
    variance_ratio: float
    std_error: float
    horizon: Horizon
    to: Horizon

    @classmethod
    def of(cls, returns: Any, horizon: Horizon, *, to: Horizon) -> Self:
        """Estimate it from excess returns in the order of dates.

        Parameters
        ----------
        returns : Series or array, shape (T,)
            NaN is left out, and its neighbours count as neighbours.
        horizon : Horizon
            Of a return.
        to : Horizon
            A whole number q of these, 2 or more, and at most a third of the returns.

        Raises
        ------
        InvalidParameterError
            For horizons that do not fit, or returns that do not vary.
        """
        x: Array = floats(returns)
        if x.ndim != 1:
            raise InvalidParameterError(
                f"expected returns of shape (T,), got shape {x.shape}.", parameter="returns", got=x.shape
            )
        x = x[~np.isnan(x)]
        ratio = require_horizon(to).in_units_of(require_horizon(horizon))
        q = round(ratio)
        if abs(ratio - q) > 1e-6 or q < 2 or 3 * q > len(x):
            raise InvalidParameterError(
                f"expected to as two or more times {horizon}, at most a third of {len(x)} returns, got {to}, which is "
                f"{ratio:g} times; choose a shorter horizon, or pass more returns.",
                parameter="to",
                got=to,
                q=ratio,
            )
        if not np.isfinite(x).all() or not np.ptp(x) > 0:
            raise InvalidParameterError("expected finite returns that vary, got others.", parameter="returns")
        ratio, error = _variance_ratio(x - x.mean(), q)
        return cls(q, ratio, error, horizon, to)

    @property
    def pvalue(self) -> float:
        """Probability of a ratio as far from 1 if returns are uncorrelated, two-sided."""
        return math.erfc(abs(self.variance_ratio - 1.0) / self.std_error / math.sqrt(2.0))

    @property
    def eta(self) -> float:
        """By how much the Sharpe ratio grows, √(q/VR)."""
        return math.sqrt(self.q / self.variance_ratio)

    @property
    def off(self) -> float:
        """By how much √q misses the volatility, relative: 0.1 where the volatility is 10 % higher than √q says."""
        return math.sqrt(self.variance_ratio) - 1.0

    def volatility(self, volatility: Volatility) -> Volatility:
        """Scale a volatility to the long horizon, with the autocorrelations."""
        return Volatility(float(volatility.at(self.to)) * math.sqrt(self.variance_ratio), self.to)

    def sharpe(self, sharpe: SharpeRatio) -> SharpeRatio:
        """Scale a Sharpe ratio to the long horizon, with the autocorrelations."""
        return SharpeRatio(float(sharpe.at(self.to)) / math.sqrt(self.variance_ratio), self.to)


def _variance_ratio(x: Array, q: int) -> tuple[float, float]:
    """Return the ratio of demeaned returns, and its robust standard error without autocorrelation."""
    squares = x * x
    total = float(squares.sum())
    weights = 2.0 * (1.0 - np.arange(1, q) / q)
    rho = np.array([x[k:] @ x[:-k] for k in range(1, q)]) / total
    delta = np.array([squares[k:] @ squares[:-k] for k in range(1, q)]) / total**2
    return 1.0 + float(weights @ rho), math.sqrt(float(weights**2 @ delta))
