"""Loadings on principal components of the returns."""

from __future__ import annotations

from typing import Any, final

import attrs
import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require_count
from riskmodel._core.arrays import Array, Flags
from riskmodel.errors import EstimationError, TooFewObservationsError
from riskmodel.estimation.in_memory import in_memory
from riskmodel.estimation.least_squares.ewma import EWMA
from riskmodel.estimation.least_squares.ols import OLS, LeastSquares
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.estimation.loadings.eigen import principal_directions
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.loadings.incomplete import IncompleteComponents
from riskmodel.estimation.loadings.number import FactorNumber
from riskmodel.estimation.loadings.portfolios import ComponentPortfolios
from riskmodel.estimation.loadings.regression import regress
from riskmodel.estimation.loadings.scaling import OwnVolatility, Scaling
from riskmodel.estimation.weighting import (
    decay,
    effective_number,
    require_at_least,
    require_half_life,
    require_instance,
    weighted_mean,
)
from riskmodel.horizon import Horizon
from riskmodel.panel.base import Panel

# The assets without gaps hold the components if they are at least this share of all.
_ENOUGH_HELD = 0.5
_NO_VARIANCE = 1e-12


def _is_number(_: PrincipalComponents, __: Any, number: Any) -> None:
    if not isinstance(number, FactorNumber):
        require_count(number, "number", 1)


@final
@frozen
class PrincipalComponents(LoadingsEstimator):
    r"""Loadings on the principal components of the assets' own excess returns; the panel needs no factors.

    Each component is a portfolio of the assets, a `PortfolioFactor` whose absolute weights sum to 1, long on balance;
    so a hedge in it is a position in the assets. Loadings are those of the time-series regressions on the components,
    over each asset's own dates.

    For more assets than dates these are the asymptotic principal components of [1]_, from the T × T matrix of cross
    products. Missing returns are no zeros: they are filled with fitted values until these converge, the EM algorithm of
    [2]_, with a small penalty that keeps weak components bounded. Components are then held in the assets without gaps
    if these are half of all or more, and otherwise in all; in the latter case a component has no return, on other
    panels, where an asset has none.

    Parameters
    ----------
    number : int or FactorNumber
        K, or how it is chosen: ``rm.BaiNg()``, ``rm.GrowthRatio()``, ``rm.EigenvalueRatio()``, ``rm.Onatski()``,
        ``rm.ParallelAnalysis()``.
    half_life : Horizon, optional
        Dates are weighted exponentially, with this half-life in trading days; by default equally.
    scaling : Scaling, optional
        By default `OwnVolatility`: components of the correlation matrix. `Unscaled` gives those of the covariance
        matrix.
    minimum : int, optional
        The fewest returns of an asset, at least K + 2.

    References
    ----------
    .. [1] Connor, G. and Korajczyk, R. A. (1986). Performance Measurement with the Arbitrage Pricing Theory: A New
       Framework for Analysis. *Journal of Financial Economics* 15(3), 373-394.
    .. [2] Stock, J. H. and Watson, M. W. (2002). Macroeconomic Forecasting Using Diffusion Indexes. *Journal of
       Business & Economic Statistics* 20(2), 147-162.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "PEP", "XOM", "CVX"], [], start="2016-01-01")
    >>> fitted = rm.PrincipalComponents(2).fit(panel)
    >>> fitted.definitions[0].weights.round(2)
    KO     0.32
    PEP    0.27
    XOM    0.23
    CVX    0.18
    Name: weight, dtype: float64
    """

    number: int | FactorNumber = field(validator=_is_number)
    half_life: Horizon | None = field(default=None, validator=attrs.validators.optional(require_half_life))
    scaling: Scaling = field(factory=OwnVolatility, validator=require_instance(Scaling, "rm.OwnVolatility()"))
    minimum: int = field(default=20, validator=require_at_least(3))

    def fit(self, panel: Panel) -> FittedLoadings:
        """Find the components of the panel's returns, and regress each asset on them.

        Raises
        ------
        TooFewObservationsError
            For assets with fewer than `minimum` returns.
        EstimationError
            If there are fewer components than `number`, or the criterion chooses none; if a date has fewer returns than
            there are components.
        """
        memory = in_memory(panel)
        returns = memory.arrays()[0]
        found = self._portfolios(returns, memory.assets, memory.horizon, np.zeros((len(memory.assets), 0)))
        if not found.weights.shape[1]:
            raise EstimationError(
                f"expected components, got none by {self.number!r}; pass a number of them.", number=self.number
            )
        definitions = found.definitions(memory.assets)
        with_components = attrs.evolve(
            memory,
            factors=pd.Index([f.name for f in definitions]),
            factor_returns=found.returns,
            definitions=definitions,
        )
        return regress(self.regression, with_components, found.returns)

    @property
    def regression(self) -> LeastSquares:
        """The least squares that estimate loadings on the components."""
        return OLS() if self.half_life is None else EWMA(self.half_life)

    def _portfolios(
        self, returns: Array, assets: pd.Index[Any], horizon: Horizon, exposures: Array
    ) -> ComponentPortfolios:
        """Return the portfolios that are the components of returns.

        Parameters
        ----------
        returns : array, shape (T, N)
            Decimals per `horizon`; NaN where missing.
        assets : Index
            N labels.
        horizon : Horizon
            The span of one row.
        exposures : array, shape (N, M)
            Loadings that the portfolios must not have.
        """
        observed = ~np.isnan(returns)
        self._require_observations(observed, assets)
        weights = decay(len(returns), self.half_life, horizon)
        mean, scale = weighted_mean(returns, weights), self.scaling.scales(returns, weights)
        z = (returns - mean) / scale
        unit = scale if scale.ndim == 1 else scale.mean(axis=0)
        if observed.all():
            directions = self._directions(np.sqrt(weights)[:, None] * z, weights)
            return ComponentPortfolios.holding(directions, unit, returns, np.ones(len(assets), dtype=bool), exposures)
        directions, fitted = self._incomplete(z, weights)
        whole = np.asarray(observed.all(axis=0))
        enough = whole.sum() >= max(_ENOUGH_HELD * len(assets), 2 * directions.shape[1] + exposures.shape[1])
        held = whole if enough else np.ones(len(assets), dtype=bool)
        filled = np.where(observed, returns, mean + scale * fitted)
        return ComponentPortfolios.holding(directions, unit, filled, held, exposures)

    def _require_observations(self, observed: Flags, assets: pd.Index[Any]) -> None:
        least = self.minimum if isinstance(self.number, FactorNumber) else max(self.minimum, int(self.number) + 2)
        counts = observed.sum(axis=0)
        short = counts < least
        if short.any():
            raise TooFewObservationsError(
                f"expected {least} returns or more of each asset, got fewer of {labels.listing(assets[short])}; leave "
                "these assets out, lower minimum, or widen the window.",
                assets=list(assets[short]),
                counts=dict(zip(assets[short], counts[short].tolist(), strict=True)),
                minimum=least,
            )

    def _directions(self, x: Array, weights: Array) -> Array:
        """Principal directions of a complete panel, as many as wanted, shape (N, K)."""
        t, n = x.shape
        rank = min(t - 1, n)
        if not isinstance(self.number, FactorNumber):
            k = int(self.number)
            values, vectors = principal_directions(x, min(k, rank))
            if k > rank or not values[-1] > _NO_VARIANCE * values[0]:
                raise EstimationError(
                    f"expected returns with {k} components, got {t} dates × {n} assets with "
                    f"{int((values > _NO_VARIANCE * values.max(initial=0.0)).sum())}; use fewer.",
                    number=k,
                )
            return vectors
        values, vectors = principal_directions(x, min(self.number.needed, rank))
        dates = float(effective_number(weights, np.ones((t, 1)))[0])
        return vectors[:, : self.number.choose(values, float(np.vdot(x, x)), dates, n)]

    def _incomplete(self, z: Array, weights: Array) -> tuple[Array, Array]:
        """Principal directions of a panel with gaps, shape (N, K), and its fitted values, shape (T, N)."""
        if not isinstance(self.number, FactorNumber):
            found = self._components(z, weights, int(self.number))
            return found.directions, found.fitted
        root = np.sqrt(weights)[:, None]
        # upwards: a panel filled by too many components would seem to have as many
        for k in range(1, self.number.most + 1):
            found = self._components(z, weights, k)
            filled = np.where(np.isnan(z), found.fitted, z)
            chosen = self._directions(root * (filled - weights @ filled / weights.sum()), weights).shape[1]
            if chosen <= k:
                break
        return found.directions[:, :chosen], found.fitted

    def _components(self, z: Array, weights: Array, k: int) -> IncompleteComponents:
        if not np.nansum(z**2) > 0:
            raise EstimationError("expected returns that vary, got none that do; choose other assets.", number=k)
        counts = (~np.isnan(z)).sum(axis=1)
        if k > min(z.shape[0] - 2, z.shape[1]) or (counts < k).any():
            raise EstimationError(
                f"expected {k} returns or more on each date for {k} components, got {counts.min()} on some; use fewer "
                "components, or leave these dates out.",
                number=k,
                rows=np.flatnonzero(counts < k).tolist(),
            )
        return IncompleteComponents.of(z, weights, k)
