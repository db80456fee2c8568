"""Scenarios of higher volatilities and correlations."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from attrs import evolve, field, frozen

from riskmodel._core.arguments import require, require_finite, require_share, shown
from riskmodel._core.arrays import Array
from riskmodel.analysis.scenarios.base import Scenario
from riskmodel.analysis.scenarios.moves import Moves
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import Horizon, require_horizon
from riskmodel.model.model import FactorModel


def _read_scale(value: Any, attribute: Any) -> float:
    scale = require_finite(value, attribute.alias)
    if not 0 < scale <= 1e6:
        raise InvalidParameterError(
            f"expected {attribute.alias} as a positive number to multiply volatilities by, got {shown(value)}.",
            parameter=attribute.alias,
            got=value,
        )
    return scale


def _is_scale(_: Any, attribute: Any, value: Any) -> None:
    _read_scale(value, attribute)


@final
@frozen
class CovarianceStress(Scenario):
    r"""Higher volatilities, and factor correlations nearer to one; no returns.

    Factor correlations become :math:`(1 - c) R + c\, \mathbf{1}\mathbf{1}^\top`, a correlation matrix again, and factor
    volatilities are multiplied by `factors`. A portfolio expects no profit or loss; what changes is its standard
    deviation.

    Parameters
    ----------
    name : str
        As tables print it.
    factors : float
        Multiple of each factor's volatility, positive; 2 doubles it.
    specific : float
        Multiple of each residual's volatility, positive.
    correlation : float
        c, from 0 (as they are, the default) to 1 (all factors move as one).
    horizon : Horizon, optional
        Of the standard deviations; by default the model's.

    Raises
    ------
    InvalidParameterError
        For multiples that are not positive, or a correlation that is no share.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["Enrgy", "Utils"], ["Mkt-RF", "SMB", "HML"], start="1990-01")
    >>> energy = rm.Strategy({"Enrgy": 1.0}, rm.OLS().fit(panel))
    >>> stress = rm.CovarianceStress("as in 2008", factors=2.5, specific=2.0, correlation=0.3)
    >>> round(energy.volatility, 4), round(stress.of(energy).volatility, 4)
    (Volatility(0.0537, MONTH), Volatility(0.1245, MONTH))
    """

    name: str = field()
    factors: float = field(default=1.0, validator=_is_scale, kw_only=True)
    specific: float = field(default=1.0, validator=_is_scale, kw_only=True)
    correlation: float = field(default=0.0, kw_only=True)
    horizon: Horizon | None = field(default=None, kw_only=True)

    @name.validator
    def _check_name(self, _: Any, value: Any) -> None:
        require(value, str, "name", "as tables print it")

    @correlation.validator
    def _check_correlation(self, _: Any, value: Any) -> None:
        require_share(value, "correlation")

    @horizon.validator
    def _check_horizon(self, _: Any, value: Any) -> None:
        if value is not None:
            require_horizon(value)

    def factor_covariance(self, model: FactorModel) -> Array:
        """Return the stressed factor covariance, shape (K, K), return² at the model's horizon."""
        require(model, FactorModel, "model", "for instance portfolio.model")
        root = self._root(model.covariance._factor_root)
        return np.asarray(root @ root.T)

    def moves(self, model: FactorModel) -> Moves:
        """Return no moves, with the stressed uncertainty."""
        require(model, FactorModel, "model", "for instance portfolio.model")
        before = Moves.none(model, model.horizon if self.horizon is None else self.horizon)
        return evolve(
            before,
            root=self._root(before.root),
            own_variance=before.own_variance * self.specific**2,
            links=before.links * self.specific,
        )

    def _root(self, root: Array) -> Array:
        """L L' = F stressed: beside the old root, one common source of risk."""
        volatilities = np.sqrt(np.square(root).sum(axis=1))
        return self.factors * np.column_stack(
            [np.sqrt(1.0 - self.correlation) * root, np.sqrt(self.correlation) * volatilities]
        )
