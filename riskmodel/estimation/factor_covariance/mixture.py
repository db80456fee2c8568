"""Mixtures of covariances, such as those of several half-lives."""

from __future__ import annotations

from typing import final

import pandas as pd
from attrs import field, frozen

from riskmodel.estimation.factor_covariance.base import FactorCovarianceEstimator
from riskmodel.estimation.mixture import read_list, require_each, require_shares_of
from riskmodel.horizon import Horizon


@final
@frozen
class MixtureCovariance(FactorCovarianceEstimator):
    r"""The weighted mean of several covariances, :math:`F = \sum_m q_m F_m`.

    Mixtures of a fast and a slow half-life adapt soon and do not forget: the HAR model is one of volatilities over a
    day, a week and a month [1]_. The covariance of the assets, B F B' + D, is the same mixture where D is.

    Parameters
    ----------
    estimators : sequence of FactorCovarianceEstimator
        M of them.
    weights : sequence of float
        q, 0 or more, of sum 1.

    References
    ----------
    .. [1] Corsi, F. (2009). A Simple Approximate Long-Memory Model of Realized Volatility. *Journal of Financial
       Econometrics* 7(2), 174-196.

    Examples
    --------
    >>> import riskmodel as rm
    >>> fast, slow = rm.EWMACovariance(rm.MONTH, rm.YEAR), rm.SampleCovariance()
    >>> factors = rm.SampleData().factor_returns(["Mkt-RF"])
    >>> mixed = rm.MixtureCovariance([fast, slow], [0.75, 0.25]).fit(factors, rm.DAY)
    >>> expected = 0.75 * fast.fit(factors, rm.DAY) + 0.25 * slow.fit(factors, rm.DAY)
    >>> bool((mixed == expected).all(axis=None))
    True
    """

    estimators: tuple[FactorCovarianceEstimator, ...] = field(
        converter=read_list, validator=require_each(FactorCovarianceEstimator, "rm.SampleCovariance()")
    )
    weights: tuple[float, ...] = field(converter=read_list, validator=require_shares_of("estimators"))

    def fit(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """Return the mixture, factors × factors, return² per `horizon`."""
        return self._mean([e.fit(factor_returns, horizon) for e in self.estimators])

    def variances_before(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """The mixture of the variances that each estimator forecast for each row."""
        return self._mean([e.variances_before(factor_returns, horizon) for e in self.estimators])

    def _mean(self, frames: list[pd.DataFrame]) -> pd.DataFrame:
        mixed = self.weights[0] * frames[0]
        for weight, frame in zip(self.weights[1:], frames[1:], strict=True):
            mixed = mixed + weight * frame
        return mixed
