"""Decomposition of a portfolio's variance."""

from __future__ import annotations

import math
from typing import Any, Self, final

import pandas as pd
from attrs import frozen

from riskmodel._core.display import Table
from riskmodel._core.listing import Listed
from riskmodel.horizon import Horizon
from riskmodel.model.covariance import FactorCovariance
from riskmodel.model.holdings import Holdings
from riskmodel.quantities import Variance

IDIO = "idio"
TOTAL = "total"


@final
@frozen(eq=False, repr=False)
class RiskDecomposition(Listed):
    r"""A portfolio's variance by factor (and idio), and by holding.

    Contributions are Euler's: half of the weight of each holding or factor times the derivative of the variance. They
    sum to the total; a negative one reduces risk ([1]_, chapter 3).

    Attributes
    ----------
    total_variance, factor_variance, idio_variance : Variance
        Return² at `horizon`; total = factor + idio.
    by_factor : Series by factor, then ``"idio"``
        Contributions to the total variance, return² at `horizon`.
    by_asset : Series by holding
        Contributions to the total variance, return² at `horizon`.
    horizon : Horizon
        The horizon of the variances.

    References
    ----------
    .. [1] Litterman, R. (1996). Hot Spots and Hedges. *Journal of Portfolio Management* 23 (special issue), 52-75.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF", rm.Spread("XOM", "KO")])
    >>> rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, rm.OLS().fit(panel)).decompose()
    RiskDecomposition: volatility 0.0191 per day, 67.3% of the variance from factors, 2 holdings
             variance contribution  share
    Mkt-RF   0.000248       0.0130   0.68
    XOM-KO  -0.000002      -0.0001  -0.01
    idio     0.000119       0.0062   0.33
    total    0.000365       0.0191   1.00
    """

    total_variance: Variance
    factor_variance: Variance
    idio_variance: Variance
    _by_factor: pd.Series[float]
    _by_asset: pd.Series[float]
    horizon: Horizon

    @classmethod
    def of(cls, covariance: FactorCovariance, weights: Any, legs: Any = None) -> Self:
        """Decompose the variance of weights in assets and of positions in factors.

        Parameters
        ----------
        covariance : FactorCovariance
            Of the assets.
        weights : Series or mapping by asset
            Omitted assets have weight zero.
        legs : Series or mapping by factor, optional
            Positions in the factors, for instance a hedge; in `by_asset` they follow the assets.

        Raises
        ------
        UnknownAssetError, UnknownFactorError
            For labels that the covariance does not have.
        InvalidParameterError
            For weights that are not finite numbers, or not labelled.
        """
        held = Holdings.of(covariance, weights, legs)
        factors, horizon = held.covariance.factors, held.covariance.horizon
        holdings = pd.Series(held.sizes * held.covariances, held.names, name="variance")
        if len(held.legs):
            # a factor with the label of a held asset is the same instrument
            holdings = holdings.groupby(level=0, sort=False).sum()
        by_factor = [*(held.exposures * held.towards), held.specific_variance]
        return cls(
            total_variance=Variance(held.variance, horizon),
            factor_variance=Variance(held.systematic_variance, horizon),
            idio_variance=Variance(held.specific_variance, horizon),
            by_factor=pd.Series(by_factor, pd.Index([*factors, IDIO]), name="variance"),
            by_asset=holdings,
            horizon=horizon,
        )

    @property
    def by_factor(self) -> pd.Series[float]:
        """Contributions to the total variance by factor, then ``"idio"``, return² at the horizon."""
        return self._by_factor.copy()

    @property
    def by_asset(self) -> pd.Series[float]:
        """Contributions to the total variance by asset, then by leg, return² at the horizon."""
        return self._by_asset.copy()

    @property
    def factor_share(self) -> float:
        """Share of the variance that the factors explain, 0 to 1; 0 for a variance of zero."""
        return self.factor_variance / self.total_variance if self.total_variance > 0 else 0.0

    def to_frame(self) -> pd.DataFrame:
        """Return the split by factor, then ``idio`` and ``total``.

        Columns ``variance`` (return²), ``contribution`` (to the volatility: its share of the variance times the
        volatility) and ``share`` (of the variance; zero for a variance of zero).
        """
        variance = pd.concat([self._by_factor, pd.Series({TOTAL: float(self.total_variance)})])
        total = float(self.total_variance)
        share = variance / total if total > 0 else 0.0 * variance
        return pd.DataFrame({"variance": variance, "contribution": share * math.sqrt(total), "share": share})

    @property
    def _table(self) -> Table:
        volatility = math.sqrt(self.total_variance)
        title = (
            f"RiskDecomposition: volatility {volatility:.3g} per {self.horizon}, {self.factor_share:.1%} of the "
            f"variance from factors, {len(self._by_asset)} holdings"
        )
        return Table(title, self.to_frame(), last=2)

    def __repr__(self) -> str:
        return self._table.text()

    def _repr_html_(self) -> str:
        return self._table.html()
