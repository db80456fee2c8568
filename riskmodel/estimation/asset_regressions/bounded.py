"""Regressions whose loadings have bounds, such as a sign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen
from scipy.optimize import lsq_linear

from riskmodel._core import labels
from riskmodel._core.arguments import shown
from riskmodel._core.arrays import Array, by_constructor
from riskmodel.errors import EstimationError, InvalidParameterError, UnknownFactorError
from riskmodel.estimation.asset_regressions.base import AssetRegression
from riskmodel.estimation.asset_regressions.standardised import Standardised
from riskmodel.horizon import is_number


def _read(bounds: Any) -> float | pd.Series[float]:
    """A number for all factors, or a Series by factor."""
    if isinstance(bounds, Mapping):
        bounds = pd.Series(list(bounds.values()), list(bounds))
    several = isinstance(bounds, pd.Series)
    values = bounds.to_numpy() if several else np.asarray(bounds if is_number(bounds) else None)
    if values.dtype.kind not in "fiu" or (not several and values.ndim) or np.isnan(values).any():
        raise InvalidParameterError(
            f"expected bounds as a number, or numbers by factor, got {shown(bounds)}; pass 0.0, or {{'Mkt-RF': 0.0}}.",
            got=bounds,
        )
    if not several:
        return float(values)
    labels.unique(bounds.index, "the factors of bounds")
    return pd.Series(values.astype(np.float64), bounds.index)


@final
@frozen(kw_only=True, eq=False)
class Bounded(AssetRegression):
    r"""Least squares with bounds on loadings, such as a sign known beforehand.

    :math:`\min \sum_t w_t (r_t - \alpha - \beta^\top f_t)^2` subject to :math:`l \le \beta \le u`, solved by an active
    set method [1]_ (``scipy.optimize.lsq_linear``). Without binding bounds it is least squares; with bounds of 0 below,
    non-negative least squares.

    Parameters
    ----------
    lower, upper : float, or Series or mapping by factor
        Bounds of all loadings, or of those on the factors named; by default none. The lower one is below the upper one.
    half_life : Horizon, optional
        Dates are weighted exponentially, with this half-life in trading days; by default equally.

    References
    ----------
    .. [1] Stark, P. B. and Parker, R. L. (1995). Bounded-Variable Least-Squares: An Algorithm and Applications.
       *Computational Statistics* 10, 129-141.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils"], ["Mkt-RF", "HML"])
    >>> rm.TimeSeries(rm.Bounded(lower={"HML": 0.0})).fit(panel).loadings.round(2)
           Mkt-RF   HML
    BusEq    1.25  0.00
    Utils    0.58  0.28
    """

    _lower: float | pd.Series[float] = field(default=-np.inf, converter=_read)
    _upper: float | pd.Series[float] = field(default=np.inf, converter=_read)

    __reduce__ = by_constructor

    def slopes(self, returns: Array, factors: pd.DataFrame, weights: Array) -> Array:
        """Estimate the loadings of one asset.

        Raises
        ------
        UnknownFactorError
            For a bound on a factor that is not in the panel.
        InvalidParameterError
            For a lower bound that is not below the upper one.
        """
        lower, upper = _by_factor(self._lower, factors, -np.inf), _by_factor(self._upper, factors, np.inf)
        crossed = list(factors.columns[~(lower < upper)])
        if crossed:
            raise InvalidParameterError(
                f"expected lower bounds below upper ones, got others for {labels.listing(crossed)}.", factors=crossed
            )
        s = Standardised.of(returns, factors.to_numpy(), weights)
        found = lsq_linear(s.x, s.y, (lower / s.unit, upper / s.unit), method="bvls")
        if not found.success:
            raise EstimationError(f"bounded least squares does not converge: {found.message}")
        # rounding may lead out of bounds
        return np.clip(s.restored(found.x), lower, upper)


def _by_factor(bounds: float | pd.Series[float], factors: pd.DataFrame, without: float) -> Array:
    """The bound of each factor, shape (K,)."""
    values = np.full(factors.shape[1], without)
    if not isinstance(bounds, pd.Series):
        values[:] = bounds
        return values
    at = labels.positions(list(bounds.index), factors.columns, "factor with a bound", UnknownFactorError)
    values[at] = bounds.to_numpy()
    return values
