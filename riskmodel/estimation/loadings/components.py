"""Loadings on principal components of the returns."""

from __future__ import annotations

from typing import Any, final

import attrs
import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require_count
from riskmodel._core.arrays import Array, Flags
from riskmodel.errors import EstimationError, TooFewObservationsError
from riskmodel.estimation.in_memory import in_memory
from riskmodel.estimation.least_squares.ewma import EWMA
from riskmodel.estimation.least_squares.ols import OLS
from riskmodel.estimation.level import mean_squares, smoothed
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.estimation.loadings.eigen import principal_directions
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.loadings.incomplete import IncompleteComponents
from riskmodel.estimation.loadings.number import FactorNumber
from riskmodel.estimation.loadings.portfolios import ComponentPortfolios
from riskmodel.estimation.loadings.regression import regress, regress_weighted
from riskmodel.estimation.loadings.scaling import OwnVolatility, Scaling
from riskmodel.estimation.weighting import (
    decay,
    effective_number,
    require_at_least,
    require_half_life,
    require_instance,
    require_positive,
    weighted_mean,
)
from riskmodel.horizon import Horizon
from riskmodel.panel.base import Panel
from riskmodel.panel.memory import ReturnPanel

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
    level_half_life : Horizon, optional
        With it, dates are also weighted by the inverse of the mean square of all scaled returns, smoothed with this
        half-life: generalised least squares, in which calm and wild dates count alike.
    largest : float, optional
        Scaled returns beyond this, in units of the volatility of their date, are cut to it where components are sought:
        one bad day of one asset is then no component. Loadings are regressions on the returns as they are.

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
    level_half_life: Horizon | None = field(default=None, validator=attrs.validators.optional(require_half_life))
    largest: float | None = field(default=None, validator=attrs.validators.optional(require_positive))

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
        return self._regress(with_components, found)

    def _regress(self, panel: ReturnPanel, found: ComponentPortfolios) -> FittedLoadings:
        """Regress a panel's returns on the components, with the weights that these were found with."""
        if self.level_half_life is not None:
            return regress_weighted(panel, found.dates, found.returns)
        return regress(OLS() if self.half_life is None else EWMA(self.half_life), panel, found.returns)

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
        known = self.number.known(len(assets)) if isinstance(self.number, FactorNumber) else None
        if known is not None:
            return evolve(self, number=known)._portfolios(returns, assets, horizon, exposures)
        weights = self._dates(returns, horizon)
        mean, scale = weighted_mean(returns, weights), self.scaling.scales(returns, weights)
        z = self._cut((returns - mean) / scale, horizon)
        unit = scale if scale.ndim == 1 else scale.mean(axis=0)
        if observed.all():
            directions = self._directions(np.sqrt(weights)[:, None] * z, weights)
            every = np.ones(len(assets), dtype=bool)
            return ComponentPortfolios.holding(directions, unit, returns, every, exposures, dates=weights)
        directions, fitted = self._incomplete(z, weights)
        whole = np.asarray(observed.all(axis=0))
        enough = whole.sum() >= max(_ENOUGH_HELD * len(assets), 2 * directions.shape[1] + exposures.shape[1])
        held = whole if enough else np.ones(len(assets), dtype=bool)
        filled = np.where(observed, returns, mean + scale * fitted)
        return ComponentPortfolios.holding(directions, unit, filled, held, exposures, dates=weights)

    def _dates(self, returns: Array, horizon: Horizon) -> Array:
        """The weight of each date, shape (T,)."""
        weights = decay(len(returns), self.half_life, horizon)
        if self.level_half_life is None:
            return weights
        unit = self.scaling.scales(returns, weights)
        scaled = (returns - weighted_mean(returns, weights)) / unit
        return weights / smoothed(mean_squares(scaled), self.level_half_life, horizon)

    def _cut(self, z: Array, horizon: Horizon) -> Array:
        """Scaled returns, of which the largest are cut."""
        if self.largest is None:
            return z
        most = np.full((len(z), 1), self.largest)
        if self.level_half_life is not None:
            most *= np.sqrt(smoothed(mean_squares(z), self.level_half_life, horizon))[:, None]
        return np.asarray(np.clip(z, -most, most))

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
