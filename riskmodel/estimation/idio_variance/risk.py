"""Idiosyncratic risk: the variance of each asset's residual."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import Converter, evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, by_constructor, read_only
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError, UnknownAssetError
from riskmodel.horizon import Horizon, require_horizon

_ROUNDING = 1e-10


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
    labels.positions(list(self._priors), self.assets, "asset with a prior", UnknownAssetError)
    _check_links(self)


def _check_links(self: IdioRisk) -> None:
    links, n = self._links, len(self.assets)
    if links.ndim != 2 or len(links) != n or not np.isfinite(links).all():
        raise InvalidParameterError(
            f"expected finite links of shape ({n}, J), got shape {links.shape}.", name="links", got=links.shape
        )
    wrong = list(self.assets[(links**2).sum(axis=1) > self._variance * (1.0 + _ROUNDING)])
    if wrong:
        raise InvalidParameterError(
            f"expected links that explain at most the variance, got more for {labels.listing(wrong)}; it includes "
            "what they explain.",
            name="links",
            assets=wrong,
        )


def _read_links(links: Any, self: Any) -> Array:
    # without columns nothing is linked, whatever the assets
    absent = links is None or getattr(links, "shape", ())[1:] == (0,)
    return np.zeros((len(self.assets), 0)) if absent else read_only(links)


@final
@frozen(eq=False, repr=False)
class IdioRisk(Listed):
    """The variance of each asset's residual, and what links residuals; an `IdioVarianceEstimator` returns it.

    D = diag σ², or C C' + a diagonal where residuals are linked, with σ² on its diagonal.

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
        C, return per `horizon`, as in `FactorCovariance`: what it explains is part of `variance`. By default none.

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
    _links: Array = field(default=None, converter=Converter(_read_links, takes_self=True), validator=_check)  # type: ignore[misc]

    __reduce__ = by_constructor

    def __repr__(self) -> str:
        return f"<IdioRisk {len(self.assets)} assets, per {self.horizon}>"

    @property
    def variance(self) -> pd.Series[float]:
        """Variance by asset, return² per horizon."""
        return pd.Series(self._variance, self.assets.copy(), name="idio_variance", copy=False)

    @property
    def links(self) -> pd.DataFrame:
        """C, assets × 0 … J - 1, return per horizon; J = 0 without links."""
        return pd.DataFrame(self._links, self.assets.copy(), copy=False)

    def with_variance(self, variance: Any) -> Self:
        """Return the same with other variances, shape (N,), return² per horizon; links keep their correlations."""
        changed = evolve(self, variance=variance, links=None)._variance
        ratio = np.divide(changed, self._variance, out=np.zeros_like(changed), where=self._variance > 0)
        return evolve(self, variance=changed, links=self._links * np.sqrt(ratio)[:, None])

    @property
    def prior(self) -> pd.Series[bool]:
        """By asset, whether its variance is a prior."""
        return pd.Series(self.assets.isin(list(self._priors)), self.assets.copy(), name="prior")
