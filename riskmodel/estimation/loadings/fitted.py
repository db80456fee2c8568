"""Estimated loadings, with the factor returns and residuals that go with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen, validators

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_finite
from riskmodel._core.arrays import Array, Index, by_constructor, floats, read_only, set_read_only
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError, UnknownAssetError
from riskmodel.estimation.cross_section.fit import CrossSectionFit
from riskmodel.estimation.weighting import require_instance, weighted_mean
from riskmodel.horizon import Horizon, require_horizon
from riskmodel.model.covariance import NO_IDIO
from riskmodel.model.regression import RegressionFit
from riskmodel.panel.factors import Factor, read_definitions


def _check(self: FittedLoadings, _attribute: Any, _value: Any) -> None:
    require_horizon(self.horizon)
    t, n, k = len(self.dates), len(self.assets), len(self.definitions)
    shapes = {
        "alpha": (n,), "loadings": (n, k), "factor_returns": (t, k), "residuals": (t, n), "weights": (t,)
    }  # fmt: skip
    for name, shape in shapes.items():
        values = getattr(self, f"_{name}")
        if values.shape != shape:
            raise InvalidParameterError(
                f"expected {name} of shape {shape} for {t} dates, {n} assets and {k} factors, got shape "
                f"{values.shape}.",
                name=name,
                expected=shape,
                got=values.shape,
            )
        if name != "residuals" and not np.isfinite(values).all():
            raise InvalidParameterError(f"expected finite {name}, got NaN or infinity.", name=name)
    if not (self._weights > 0).all():
        raise InvalidParameterError("expected weights above 0, got others.", name="weights")
    if self.before is not None:
        require(self.before, FittedLoadings, "before")
    if self.cross_section is not None:
        require(self.cross_section, CrossSectionFit, "cross_section")
    labels.positions(list(self.prior), self.assets, "asset in prior", UnknownAssetError)


def _labels(prior: Any) -> tuple[Any, ...]:
    return tuple(labels.unique(prior, "prior"))


def _finite(_: FittedLoadings, attribute: Any, value: Any) -> None:
    require_finite(value, attribute.alias)


@final
@frozen(eq=False, repr=False)
class FittedLoadings(Listed):
    r"""Loadings B, factor returns f and residuals of :math:`r_t = \alpha + B f_t + \varepsilon_t`.

    A `LoadingsEstimator` returns it. Labels come out as pandas, in the order of the constructor's arrays.

    Parameters
    ----------
    assets : sequence of labels
        N of them.
    definitions : sequence of Factor or str
        The definition of each of K factors; a bare name is a `PublishedFactor`.
    dates : pandas.DatetimeIndex
        T dates.
    horizon : Horizon
        The span of one row, and of all figures.
    alpha : array, shape (N,)
        Intercepts, decimals per `horizon`.
    loadings : array, shape (N, K)
        B, dimensionless.
    factor_returns : array, shape (T, K)
        f, decimals per `horizon`; none missing.
    residuals : array, shape (T, N)
        ε, decimals per `horizon`; NaN where the return is missing.
    weights : array, shape (T,)
        The weight of each date in the estimation.
    risk_free_mean : float
        Mean risk-free rate, decimals per `horizon`.
    regression : RegressionFit, optional
        Standard errors and more, where a regression made the loadings; its coefficients are not shrunk.
    before : FittedLoadings, optional
        What a wrapper changed; None for an estimator that is no wrapper. It lacks the assets that only the wrapper can
        estimate.
    prior : sequence of labels, optional
        The assets whose loadings are a prior, because their history is too short.
    cross_section : CrossSectionFit, optional
        Standard errors and more of the factor returns, where these are of cross-sectional regressions. Loadings are
        then those at the end; the residuals of each date are of its own.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(panel)
    >>> fitted.loadings.round(2)
          Mkt-RF
    MSFT    1.07
    JPM     1.53
    """

    assets: pd.Index[Any] = field(converter=labels.asset_labels)
    definitions: tuple[Factor, ...] = field(converter=read_definitions)
    dates: pd.DatetimeIndex = field(validator=require_instance(pd.DatetimeIndex, "pd.bdate_range(...)"))
    horizon: Horizon
    _alpha: Array = field(converter=read_only)
    _loadings: Array = field(converter=read_only)
    _factor_returns: Array = field(converter=read_only)
    _residuals: Array = field(converter=read_only)
    _weights: Array = field(converter=read_only)
    risk_free_mean: float = field(default=0.0, validator=_finite)
    regression: RegressionFit | None = field(
        default=None, validator=validators.optional(require_instance(RegressionFit, "that of rm.OLS()"))
    )
    before: FittedLoadings | None = None
    prior: tuple[Any, ...] = field(default=(), converter=_labels)
    cross_section: CrossSectionFit | None = field(default=None, validator=_check)

    __reduce__ = by_constructor

    def __repr__(self) -> str:
        t, n = self._residuals.shape
        return f"<FittedLoadings {t} dates × {n} assets, {len(self.definitions)} factors, per {self.horizon}>"

    @property
    def factors(self) -> pd.Index[Any]:
        """K labels."""
        return labels.factor_labels([f.name for f in self.definitions])

    @property
    def alpha(self) -> pd.Series[float]:
        """Intercept by asset, decimals per horizon."""
        return pd.Series(self._alpha, self.assets.copy(), name="alpha", copy=False)

    @property
    def loadings(self) -> pd.DataFrame:
        """B, assets × factors, dimensionless."""
        return pd.DataFrame(self._loadings, self.assets.copy(), self.factors, copy=False)

    @property
    def factor_returns(self) -> pd.DataFrame:
        """Factor returns, dates × factors, decimals per horizon."""
        return pd.DataFrame(self._factor_returns, self.dates.copy(), self.factors, copy=False)

    @property
    def factor_mean(self) -> pd.Series[float]:
        """Weighted mean of each factor's returns, decimals per horizon."""
        mean = weighted_mean(self._factor_returns, self._weights)
        return pd.Series(mean, self.factors, name="factor_mean", copy=False)

    @property
    def residuals(self) -> pd.DataFrame:
        """Residuals, dates × assets, decimals per horizon; NaN where the return is missing."""
        return pd.DataFrame(self._residuals, self.dates.copy(), self.assets.copy(), copy=False)

    @property
    def weights(self) -> pd.Series[float]:
        """Weight of each date in the estimation."""
        return pd.Series(self._weights, self.dates.copy(), name="weight", copy=False)

    def with_loadings(self, loadings: Any, prior: Sequence[Any] = ()) -> Self:
        """Return the same with other loadings, whose `before` is this; the regression stays.

        Alphas change with them, so that each asset's weighted mean residual is zero, and so do residuals.

        Parameters
        ----------
        loadings : DataFrame assets × factors, or array of shape (N, K)
            The new loadings.
        prior : sequence of labels, optional
            Assets whose loadings are now a prior.

        Raises
        ------
        InvalidParameterError
            For loadings of other assets or factors, or of another shape.
        """
        if isinstance(loadings, pd.DataFrame) and not (
            loadings.index.equals(self.assets) and loadings.columns.equals(self.factors)
        ):
            raise InvalidParameterError(
                f"expected loadings of the assets {labels.listing(self.assets)} on the factors "
                f"{labels.listing(self.factors)}, in order, got {labels.listing(loadings.index)} on "
                f"{labels.listing(loadings.columns)}; reindex them.",
                name="loadings",
            )
        changed = floats(loadings)
        if changed.shape != self._loadings.shape:
            raise InvalidParameterError(
                f"expected loadings of shape {self._loadings.shape}, got shape {changed.shape}.",
                name="loadings",
                expected=self._loadings.shape,
                got=changed.shape,
            )
        residuals = self._residuals + self._factor_returns @ (self._loadings - changed).T
        # an asset without returns, which has a prior, has no mean residual
        shift = np.nan_to_num(weighted_mean(residuals, self._weights))
        residuals -= shift
        still = np.flatnonzero(~np.nan_to_num(self._residuals).any(axis=0))
        clear_rounding(residuals, self._alpha[still] + self._factor_returns @ self._loadings[still].T, still)
        changed_priors = _labels(prior)
        return evolve(
            self,
            alpha=self._alpha + shift,
            loadings=changed,
            residuals=set_read_only(residuals),
            before=self,
            prior=(*self.prior, *(a for a in changed_priors if a not in self.prior)),
        )


def clear_rounding(residuals: Array, returns: Array, assets: Index) -> None:
    """Make residuals zero, in place, of those of some assets (their returns, T × M) whose residuals are rounding.

    The logarithm of an idio variance of rounding would weigh in means over assets.
    """
    for i, of_asset in zip(assets, returns.T, strict=True):
        known = ~np.isnan(residuals[:, i])
        size = np.abs(of_asset[known]).max(initial=0.0)
        if (residuals[known, i] ** 2 <= NO_IDIO * size**2).all():
            residuals[known, i] = 0.0
