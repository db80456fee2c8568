"""Base class of regressions with a penalty on loadings."""

from __future__ import annotations

from abc import abstractmethod
from itertools import pairwise
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import Attribute, field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require_finite
from riskmodel._core.arrays import Array
from riskmodel.errors import ConstantFactorError, InvalidParameterError, TooFewObservationsError
from riskmodel.estimation.asset_regressions.base import AssetRegression
from riskmodel.estimation.asset_regressions.penalty import CrossValidated
from riskmodel.estimation.asset_regressions.standardised import Standardised
from riskmodel.estimation.available import TOO_FEW
from riskmodel.panel.memory import ReturnPanel

_CONSTANT = 1e-12
# The fewest dates of a block of cross-validation, and of a regression without it.
_LEAST_BLOCK, _LEAST = 3, 3


def _is_penalty(_: Any, attribute: Attribute[Any], value: Any) -> None:
    if not isinstance(value, CrossValidated) and require_finite(value, attribute.name) < 0:
        raise InvalidParameterError(
            f"expected {attribute.name} of 0 or more, got {value!r}.", parameter=attribute.name, got=value
        )


@frozen(kw_only=True)
class Penalised(AssetRegression):
    """Least squares plus a penalty on loadings, in standard units: returns and factors of variance 1.

    So a penalty is dimensionless, and the same for returns in decimals or per month. More factors than dates are
    allowed, and collinear ones. A factor that does not vary over an asset's own dates has the loading 0. Subclass it
    and write `path`.

    Parameters
    ----------
    penalty : float or CrossValidated
        Its strength for all assets, 0 or more, or how each asset's is chosen. 0 is least squares.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import attrs, numpy as np
    >>> @attrs.frozen(kw_only=True)
    ... class Ridge(rm.Penalised):
    ...     def path(self, x, y, penalties):
    ...         gram, k = x.T @ x, x.shape[1]
    ...         return np.array([np.linalg.solve(gram + p * np.eye(k), x.T @ y) for p in penalties])
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils"], ["Mkt-RF", "HML"])
    >>> rm.TimeSeries(Ridge(penalty=1.0)).fit(panel).loadings.round(2)
           Mkt-RF   HML
    BusEq    0.60 -0.38
    Utils    0.28  0.09
    """

    penalty: float | CrossValidated = field(factory=CrossValidated, validator=_is_penalty)

    @abstractmethod
    def path(self, x: Array, y: Array, penalties: Array) -> Array:
        """Minimise the penalised sum of squares for several penalties.

        Parameters
        ----------
        x : array, shape (n, K)
            X'X is the factors' correlation matrix.
        y : array, shape (n,)
            Of length 1.
        penalties : array, shape (P,)
            Positive, decreasing.

        Returns
        -------
        array, shape (P, K)
        """

    @final
    def require_identified(self, panel: ReturnPanel) -> None:
        """Raise for assets with fewer than 3 returns, or 3 for each block, and for factors that do not vary."""
        returns, factors, _ = panel.arrays()
        blocks = self.penalty.folds + 1 if isinstance(self.penalty, CrossValidated) else 0
        least = max(_LEAST, _LEAST_BLOCK * blocks)
        counts = (~np.isnan(returns)).sum(axis=0)
        short = counts < least
        if short.any():
            names = panel.assets[short]
            raise TooFewObservationsError(
                f"expected {least} returns or more of each asset, got fewer of {labels.listing(names)}; leave these "
                "assets out, widen the window, or use fewer folds.",
                minimum=least,
                assets=list(names),
                counts=dict(zip(names, counts[short].tolist(), strict=True)),
                reason=TOO_FEW,
            )
        still = np.ptp(factors, axis=0) <= _CONSTANT * np.abs(factors).max(axis=0)
        if still.any():
            names = panel.factors[still]
            raise ConstantFactorError(
                f"expected factors that vary, got {labels.listing(names)}, constant over the panel's dates; leave it "
                "out.",
                factors=list(names),
            )

    @final
    def slopes(self, returns: Array, factors: pd.DataFrame, weights: Array) -> Array:
        """Estimate the loadings of one asset."""
        values = factors.to_numpy()
        penalty = self._chosen(self.penalty, returns, values, weights)
        s = Standardised.of(returns, values, weights)
        if penalty == 0:
            return s.restored(np.asarray(np.linalg.lstsq(s.x, s.y, rcond=None)[0]))
        return s.restored(self.path(s.x, s.y, np.array([penalty]))[0])

    def _chosen(self, penalty: float | CrossValidated, returns: Array, factors: Array, weights: Array) -> float:
        if not isinstance(penalty, CrossValidated):
            return penalty
        candidates = np.array(penalty.penalties)
        cuts = np.linspace(0, len(returns), penalty.folds + 2).round().astype(np.intp)
        errors = np.zeros(len(candidates))
        for start, stop in pairwise(cuts[1:]):
            r, f, w = returns[:start], factors[:start], weights[:start]
            s = Standardised.of(r, f, w)
            slopes = s.restored(self.path(s.x, s.y, candidates))
            alphas = (w @ r - slopes @ (w @ f)) / w.sum()
            misses = returns[start:stop] - alphas[:, None] - slopes @ factors[start:stop].T
            errors += misses**2 @ weights[start:stop]
        # the first of equals is the largest penalty
        return float(candidates[np.argmin(errors)])
