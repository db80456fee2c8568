"""Volatilities moved towards what they were of late."""

from __future__ import annotations

from typing import final

import numpy as np
from attrs import evolve, field, frozen

from riskmodel._core.arrays import Array
from riskmodel.estimation.base import Estimator
from riskmodel.estimation.in_memory import in_memory
from riskmodel.estimation.level import mean_squares, smoothed
from riskmodel.estimation.loadings.scaling import OwnVolatility
from riskmodel.estimation.weighting import decay, require_half_life, require_instance, require_share, weighted_mean
from riskmodel.horizon import Horizon
from riskmodel.model.lineage import Lineage
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import Panel

# A day of an asset beyond this many volatilities of the date counts as this many.
_LARGEST = 8.0
# An asset's volatility is changed by this factor at most.
_MOST = 2.0


@final
@frozen
class RecentVolatility(Estimator):
    r"""Each asset's volatility moved towards its recent one, relative to the cross-section.

    :math:`\Sigma' = U \Sigma U` with the diagonal :math:`u_i^2 = (v_i / \bar v)^q`, where :math:`v_i` is the
    exponentially weighted mean square of the asset's returns over its volatility and the level of the date's
    cross-section, and :math:`\bar v` the geometric mean over assets: correlations stay, and so does the level of all
    assets together. Volatilities change faster than correlations, so they deserve a shorter memory ([1]_, section 2.3).
    u is between 1/2 and 2.

    Parameters
    ----------
    inner : Estimator
        What is changed.
    half_life : Horizon
        In trading days.
    intensity : float
        q, from 0 (`inner`) to 1.
    smoothing : Horizon
        Half-life of the level of past dates, in trading days.

    References
    ----------
    .. [1] Johansson, K., Ogut, M. G., Pelger, M., Schmelzer, T. and Boyd, S. (2023). A Simple Method for Predicting
       Covariance Matrices of Financial Returns. *Foundations and Trends in Econometrics* 12(4), 324-407.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "PEP", "XOM"], ["Mkt-RF"])
    >>> before, after = rm.OLS().fit(panel), rm.RecentVolatility(rm.OLS(), rm.Horizon(30), 0.5).fit(panel)
    >>> u = (after.covariance.diagonal() / before.covariance.diagonal()) ** 0.5
    >>> u.round(2)
    KO     0.94
    PEP    1.07
    XOM    0.99
    Name: variance, dtype: float64
    """

    inner: Estimator = field(validator=require_instance(Estimator, "rm.OLS()"))
    half_life: Horizon = field(default=Horizon(30), validator=require_half_life)
    intensity: float = field(default=0.3, validator=require_share)
    smoothing: Horizon = field(default=Horizon(21), validator=require_half_life)

    def fit(self, panel: Panel) -> FactorModel:
        """Fit `inner`, and change its volatilities."""
        memory = in_memory(panel)
        model = self.inner.fit(memory)
        u = self._changes(memory.select(model.assets, []).arrays()[0], memory.horizon)
        loadings = model._loadings * u[:, None]
        return evolve(
            model,
            # expected returns stay
            alpha=model._alpha + (model._loadings - loadings) @ model._factor_mean,
            loadings=loadings,
            idio_variance=model._idio_variance * u**2,
            links=model._links * u[:, None],
            regression=None,
            lineage=Lineage.of(self, panel),
        )

    def fewest_observations(self, panel: Panel) -> int:
        """As `inner` needs."""
        return self.inner.fewest_observations(panel)

    def _changes(self, returns: Array, horizon: Horizon) -> Array:
        """U by asset, shape (N,), from returns of shape (T, N)."""
        equal = np.ones(len(returns))
        scaled = (returns - weighted_mean(returns, equal)) / OwnVolatility().scales(returns, equal)
        level = np.sqrt(smoothed(mean_squares(scaled), self.smoothing, horizon))[:, None]
        squares = np.clip(scaled / level, -_LARGEST, _LARGEST) ** 2
        recent = weighted_mean(squares, decay(len(returns), self.half_life, horizon))
        logs = np.full(len(recent), np.nan)
        logs[recent > 0] = np.log(recent[recent > 0])
        # an asset that does not move, or has no return, keeps what it has
        moved = np.nan_to_num(logs - np.nanmean(logs)) if (recent > 0).any() else np.zeros(len(recent))
        return np.asarray(np.clip(np.exp(self.intensity * moved / 2.0), 1.0 / _MOST, _MOST))
