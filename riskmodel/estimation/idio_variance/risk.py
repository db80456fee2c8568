"""Idiosyncratic risk: the variance of each asset's residual."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import Converter, field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, by_constructor, read_only
from riskmodel.errors import InvalidParameterError, UnknownAssetError
from riskmodel.horizon import Horizon, require_horizon

# Squares of correlations sum to one within this.
_ROUNDING = 1e-9


def _read_links(links: Any, self: Any) -> Array:
    return np.zeros((len(self.assets), 0)) if links is None else read_only(links)


_LINKS = Converter(_read_links, takes_self=True)


def _shares(links: Array) -> Array:
    """The share of each asset's idio variance that links explain; NaN is no share."""
    return np.asarray((links**2).sum(axis=1))


def _check(self: IdioRisk, _attribute: Any, _value: Any) -> None:
    require_horizon(self.horizon)
    n = len(self.assets)
    if self._variance.shape != (n,):
        raise InvalidParameterError(
            f"expected variance of shape {(n,)}, got shape {self._variance.shape}.",
            name="variance",
            expected=(n,),
            got=self._variance.shape,
        )
    wrong = list(self.assets[~(np.isfinite(self._variance) & (self._variance >= 0))])
    if wrong:
        raise InvalidParameterError(
            f"expected finite variances of 0 or more, got others for {labels.listing(wrong)}.",
            name="variance",
            assets=wrong,
        )
    if self._links.ndim != 2 or len(self._links) != n or not (_shares(self._links) <= 1.0 + _ROUNDING).all():
        raise InvalidParameterError(
            f"expected links of shape ({n}, J), whose squares sum to at most 1 for each asset, got others, of shape "
            f"{self._links.shape}.",
            name="links",
            got=self._links.shape,
        )
    labels.positions(list(self._priors), self.assets, "asset with a prior", UnknownAssetError)


@final
@frozen(eq=False, repr=False)
class IdioRisk:
    """The variance of each asset's residual, and how residuals are linked; an `IdioVarianceEstimator` returns it.

    Parameters
    ----------
    assets : sequence of labels
        N of them.
    variance : array, shape (N,)
        Return² per `horizon`, 0 or more.
    horizon : Horizon
        Of the variances.
    priors : sequence of labels, optional
        The assets whose variance is a prior, because their history is too short.
    links : array, shape (N, J), optional
        Correlations of the residuals with J unobserved, uncorrelated factors; squares sum to at most 1 for each asset.
        By default residuals are uncorrelated.

    Examples
    --------
    >>> import riskmodel as rm
    >>> risk = rm.IdioRisk(["KO", "XOM"], [0.0001, 0.0002], rm.DAY, priors=["XOM"])
    >>> risk.prior
    KO     False
    XOM     True
    Name: prior, dtype: bool
    """

    assets: pd.Index[Any] = field(converter=labels.asset_labels)
    _variance: Array = field(converter=read_only)
    horizon: Horizon
    _priors: tuple[Any, ...] = field(default=(), converter=labels.of_priors)
    # mypy cannot read a Converter that sees the other fields
    _links: Array = field(default=None, converter=_LINKS, validator=_check)  # type: ignore[misc]

    __reduce__ = by_constructor

    def __repr__(self) -> str:
        return f"<IdioRisk {len(self.assets)} assets, per {self.horizon}>"

    @property
    def variance(self) -> pd.Series[float]:
        """Variance by asset, return² per horizon."""
        return pd.Series(self._variance, self.assets.copy(), name="idio_variance", copy=False)

    @property
    def links(self) -> pd.DataFrame:
        """Correlations of the residuals with unobserved factors, assets × 0 … J - 1."""
        return pd.DataFrame(self._links, self.assets.copy(), copy=False)

    @property
    def prior(self) -> pd.Series[bool]:
        """By asset, whether its variance is a prior."""
        return pd.Series(self.assets.isin(list(self._priors)), self.assets.copy(), name="prior")
