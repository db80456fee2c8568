"""Weights of assets in cross-sectional regressions."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import Attribute, field, frozen

from riskmodel._core.arguments import require_finite, shown
from riskmodel._core.arrays import Array
from riskmodel._core.listing import Abstract
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.weighting import require_at_least, require_half_life, require_instance
from riskmodel.horizon import QUARTER, Horizon


class RegressionWeights(Abstract):
    """Weights of assets in the regression of each date. Subclass it and write `weights`.

    Attributes
    ----------
    needs_caps : bool
        Whether it needs market capitalisations.
    first : RegressionWeights, optional
        The weights of a first pass, whose residuals this needs; by default there is none.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> class CubeRootCap(rm.RegressionWeights):
    ...     needs_caps = True
    ...     def weights(self, caps, residuals, horizon):
    ...         return np.cbrt(caps)
    >>> CubeRootCap().weights(np.array([[8.0, 27.0]]), None, rm.DAY).tolist()
    [[2.0, 3.0]]
    """

    needs_caps: bool = False
    first: RegressionWeights | None = None

    @abstractmethod
    def weights(self, caps: Array, residuals: pd.DataFrame | None, horizon: Horizon) -> Array:
        """Return weights above 0, shape (T + 1, N): before each of T dates, and after the last.

        Parameters
        ----------
        caps : array, shape (T + 1, N)
            Market capitalisations before each date, and after the last; NaN where missing.
        residuals : DataFrame, T dates × N assets, optional
            Those of the first pass; NaN where missing. A row of weights must not depend on its own row of residuals,
            nor on later ones.
        horizon : Horizon
            The span of one row.
        """


@final
@frozen
class SquareRootCap(RegressionWeights):
    r"""Weights :math:`\sqrt{\mathrm{cap}}`, because idio variances fall about as the square root of size ([1]_, p. 62).

    References
    ----------
    .. [1] Grinold, R. C. and Kahn, R. N. (2000). *Active Portfolio Management*, 2nd edition. McGraw-Hill.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> rm.SquareRootCap().weights(np.array([[4.0, 9.0]]), None, rm.DAY).tolist()
    [[2.0, 3.0]]
    """

    needs_caps = True

    def weights(self, caps: Array, residuals: pd.DataFrame | None, horizon: Horizon) -> Array:
        """Return the square roots."""
        return np.sqrt(caps)


@final
@frozen
class UnitWeights(RegressionWeights):
    """The same weight for each asset: ordinary least squares.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> rm.UnitWeights().weights(np.array([[4.0, 9.0]]), None, rm.DAY).tolist()
    [[1.0, 1.0]]
    """

    def weights(self, caps: Array, residuals: pd.DataFrame | None, horizon: Horizon) -> Array:
        """Return ones."""
        return np.ones_like(caps)


def _is_ratio(_: Any, attribute: Attribute[Any], value: Any) -> None:
    if require_finite(value, attribute.name) < 1:
        raise InvalidParameterError(
            f"expected {attribute.name} of 1 or more, got {shown(value)}.", parameter=attribute.name, got=value
        )


@final
@frozen
class InverseVariance(RegressionWeights):
    r"""Weights :math:`1 / \sigma_i^2`, from the residuals of a first pass before each date.

    Feasible generalised least squares: the variance of an asset is the exponentially weighted mean of its squared
    residuals so far. It is at least the cross-section's median divided by `largest`, so that no asset dominates; an
    asset with fewer than `minimum` residuals has the median weight. On dates on which no asset has enough, the weights
    are those of the first pass.

    Parameters
    ----------
    first : RegressionWeights, optional
        The weights of the first pass, by default `SquareRootCap`.
    half_life : Horizon, optional
        In trading days.
    minimum : int, optional
        The fewest residuals.
    largest : float, optional
        The largest weight, in median weights.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> sector = {"KO": "staples", "PEP": "staples", "XOM": "energy", "CVX": "energy", "JPM": "banks", "BAC": "banks"}
    >>> panel = rm.SampleData().panel(list(sector), [], start="2018-01-01")
    >>> known = rm.Characteristics.static(pd.Series(sector, name="sector"))
    >>> weights = rm.InverseVariance(first=rm.UnitWeights())
    >>> fitted = rm.CrossSectional(known, groups=["sector"], weighting=weights).fit(panel)
    >>> fitted.factor_returns.std().round(4).to_dict()
    {'Market': 0.0093, 'banks': 0.008, 'energy': 0.0074, 'staples': 0.0083}
    """

    first: RegressionWeights = field(
        factory=SquareRootCap, validator=require_instance(RegressionWeights, "rm.SquareRootCap()")
    )
    half_life: Horizon = field(default=QUARTER, validator=require_half_life)
    minimum: int = field(default=20, validator=require_at_least(2))
    largest: float = field(default=20.0, validator=_is_ratio)

    @property
    def needs_caps(self) -> bool:  # type: ignore[override]
        """Whether the first pass does."""
        return self.first.needs_caps

    def weights(self, caps: Array, residuals: pd.DataFrame | None, horizon: Horizon) -> Array:
        """Return the inverse variances, in median weights."""
        initial = self.first.weights(caps, None, horizon)
        assert residuals is not None
        rows = self.half_life.in_units_of(horizon)
        squares = residuals**2
        so_far = squares.ewm(halflife=rows, min_periods=self.minimum).mean().to_numpy()
        variance = np.vstack([np.full((1, caps.shape[1]), np.nan), so_far])
        some = ~np.isnan(variance).all(axis=1)
        known = variance[some]
        relative = known / np.nanmedian(known, axis=1, keepdims=True)
        initial = np.array(initial)
        initial[some] = 1.0 / np.maximum(np.where(np.isnan(relative), 1.0, relative), 1.0 / self.largest)
        return initial
