"""Portfolios of assets in place of a factor that nothing trades."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, floats
from riskmodel._core.listing import Listed
from riskmodel.errors import CollinearFactorsError, InvalidParameterError, UnknownAssetError, UnknownFactorError
from riskmodel.model.model import FactorModel
from riskmodel.panel.factors import PortfolioFactor
from riskmodel.portfolio.strategy import Strategy

# Exposures with a relative singular value below this are linearly dependent.
_DEPENDENT = 1e-10


@final
@frozen(eq=False, repr=False)
class MimickingPortfolio(Listed):
    r"""A portfolio of assets that stands for a factor which no one security is: SMB, a principal component, inflation.

    Made by `maximum_correlation` or `unit_exposure`. As an instrument of a hedge, pass `as_factor()`.

    Attributes
    ----------
    factor : label
        The factor that is mimicked.
    model : FactorModel
        The model of factor and assets.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Hlth", "Enrgy", "Utils"], ["Mkt-RF", "SMB"])
    >>> model = rm.OLS().fit(panel)
    >>> smb = rm.MimickingPortfolio.unit_exposure(model, "SMB")
    >>> smb.exposures.round(9).abs().to_dict()
    {'Mkt-RF': 0.0, 'SMB': 1.0}
    >>> hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"BusEq": 1.0}, model), ["Mkt-RF", smb.as_factor()])
    >>> bool(hedged.exposures.abs().max() < 1e-12), hedged.paper_legs.empty
    (True, True)
    """

    factor: Any
    model: FactorModel
    _weights: pd.Series[float]

    @classmethod
    def maximum_correlation(cls, model: FactorModel, factor: Any, assets: Sequence[Any] | None = None) -> Self:
        r"""Return the portfolio whose return is the best linear estimate of the factor's.

        No portfolio of these assets has a higher correlation with the factor under the model. It has exposures to other
        factors too.

        Parameters
        ----------
        model : FactorModel
            Of factor and assets.
        factor : label
            One of its factors.
        assets : sequence of labels, optional
            What it may hold; by default all.

        Raises
        ------
        UnknownFactorError, UnknownAssetError
            For a factor or assets that the model does not have.
        InvalidParameterError
            For a factor without variance, or no assets.
        SingularCovarianceError
            For assets of which one is riskless or a combination of the others.

        Notes
        -----
        :math:`w = \Sigma^{-1} B F e_k` [1]_.

        References
        ----------
        .. [1] Breeden, D. T., Gibbons, M. R. and Litzenberger, R. H. (1989). Empirical Tests of the
           Consumption-Oriented CAPM. *Journal of Finance* 44(2), 231-262.
        """
        held, k = _restricted(model, factor, assets)
        f = floats(held.factor_covariance)
        if not f[k, k] > 0:
            raise InvalidParameterError(
                f"expected a factor with variance, got {factor}, which has none under the model; no portfolio is "
                "correlated with it.",
                parameter="factor",
                got=factor,
            )
        return cls(factor, model, pd.Series(held.covariance.solve(floats(held.loadings) @ f[:, k]), held.assets))

    @classmethod
    def unit_exposure(cls, model: FactorModel, factor: Any, assets: Sequence[Any] | None = None) -> Self:
        r"""Return the portfolio of least variance with exposure one to the factor and zero to all others.

        Parameters
        ----------
        model, factor, assets
            As of `maximum_correlation`.

        Raises
        ------
        CollinearFactorsError
            For assets whose loadings are collinear, or fewer assets than factors.
        UnknownFactorError, UnknownAssetError, InvalidParameterError, SingularCovarianceError
            As `maximum_correlation`.

        Notes
        -----
        :math:`w = \Sigma^{-1} B (B^\top \Sigma^{-1} B)^{-1} e_k` [1]_.

        References
        ----------
        .. [1] Huberman, G., Kandel, S. and Stambaugh, R. F. (1987). Mimicking Portfolios and Exact Arbitrage Pricing.
           *Journal of Finance* 42(1), 1-9.
        """
        held, k = _restricted(model, factor, assets)
        b = floats(held.loadings)
        _require_independent(b, held.factors)
        alone = floats(held.covariance.solve(b))
        weights = alone @ np.linalg.solve(b.T @ alone, np.eye(b.shape[1])[:, k])
        return cls(factor, model, pd.Series(weights, held.assets))

    def __repr__(self) -> str:
        size = f"{len(self._weights)} assets, correlation {self.correlation:.2f}"
        return f"<MimickingPortfolio of {self.factor} with {size}>"

    @property
    def weights(self) -> pd.Series[float]:
        """Weight by asset, dollars."""
        return self._weights.rename("weight").copy()

    @property
    def strategy(self) -> Strategy:
        """It as a strategy, with its risk."""
        return Strategy(self._weights, self.model)

    @property
    def exposures(self) -> pd.Series[float]:
        """Exposure to each factor."""
        return self.strategy.exposures

    @property
    def correlation(self) -> float:
        """Correlation with the factor under the model; NaN where one of them has no variance."""
        f, k = floats(self.model.factor_covariance), self.model.factors.get_loc(self.factor)
        shared = float(f[k] @ floats(self.exposures))
        size = float(np.sqrt(f[k, k])) * float(self.strategy.volatility)
        return shared / size if size > 0 else float("nan")

    def as_factor(self, name: Any = None) -> PortfolioFactor:
        """Return it as an instrument of hedges, and as a factor of other models.

        Parameters
        ----------
        name : label, optional
            By default ``<factor> mimicked``.
        """
        return PortfolioFactor(f"{self.factor} mimicked" if name is None else name, self._weights)


def _restricted(model: Any, factor: Any, assets: Any) -> tuple[FactorModel, int]:
    """Return the model of the assets, and the position of the factor."""
    require(model, FactorModel, "model", "rm.OLS().fit(panel)")
    k = int(labels.positions([labels.require_label(factor, "factor")], model.factors, "factor", UnknownFactorError)[0])
    if assets is None:
        return model, k
    chosen = labels.unique(assets, "assets")
    labels.positions(chosen, model.assets, "asset", UnknownAssetError)
    if chosen.empty:
        raise InvalidParameterError("expected at least one asset, got none.", parameter="assets", got=[])
    return model.restrict(chosen.to_list()), k


def _require_independent(b: Array, factors: pd.Index) -> None:
    singular = np.linalg.svd(b, compute_uv=False)
    if len(b) < b.shape[1] or singular[-1] <= _DEPENDENT * singular[0]:
        raise CollinearFactorsError(
            f"expected assets with linearly independent loadings on {labels.listing(factors)}, got dependent ones of "
            f"{len(b)} assets; add assets, or use maximum_correlation.",
            factors=list(factors),
        )
