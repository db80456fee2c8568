"""Observed factors, and statistical ones of what they leave."""

from __future__ import annotations

from typing import final

import attrs
import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core.arrays import set_read_only
from riskmodel.estimation.in_memory import in_memory
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.estimation.loadings.components import PrincipalComponents
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.weighting import require_instance, weighted_mean
from riskmodel.panel.base import Panel


@final
@frozen
class Hybrid(LoadingsEstimator):
    r"""Observed factors, then principal components of their residuals: :math:`r = \alpha + B f + C g + \varepsilon`.

    The components g are portfolios of assets without exposure to f, so f and g are uncorrelated over the estimation
    where B is from least squares without missing returns, and B is what `observed` estimates. They find what the
    observed factors miss, such as industries [1]_. Where the criterion of `statistical` chooses none, the result is
    that of `observed`.

    Parameters
    ----------
    observed : LoadingsEstimator
        Such as ``rm.TimeSeries(rm.OLS())``.
    statistical : PrincipalComponents
        Of the residuals.

    References
    ----------
    .. [1] Connor, G. and Korajczyk, R. A. (2010). Factor Models in Portfolio and Asset Pricing Theory. In *Handbook of
       Portfolio Construction*, 401-418. Springer.

    Examples
    --------
    >>> import riskmodel as rm
    >>> names = ["KO", "PEP", "PG", "XOM", "CVX", "JPM", "BAC"]
    >>> panel = rm.SampleData().panel(names, ["Mkt-RF"], start="2016-01-01")
    >>> fitted = rm.Hybrid(rm.TimeSeries(rm.OLS()), rm.PrincipalComponents(2)).fit(panel)
    >>> list(fitted.factors)
    ['Mkt-RF', 'PC1', 'PC2']
    """

    observed: LoadingsEstimator = field(validator=require_instance(LoadingsEstimator, "rm.TimeSeries(rm.OLS())"))
    statistical: PrincipalComponents = field(
        validator=require_instance(PrincipalComponents, "rm.PrincipalComponents(5)")
    )

    @property
    def inner(self) -> LoadingsEstimator:
        """What gives the observed factors: `Assembled.stages` reads it."""
        return self.observed

    def fit(self, panel: Panel) -> FittedLoadings:
        """Fit the observed factors, then components of the residuals.

        Raises
        ------
        EstimationError
            As of the two parts; if there are not more assets than factors.
        """
        memory = in_memory(panel)
        first = self.observed.fit(memory)
        alpha, exposures = first.alpha.to_numpy(), first.loadings.to_numpy()
        # alphas stay in, so that these are the returns of portfolios without exposure to the observed factors
        left = np.asarray(first.residuals.to_numpy() + alpha, dtype=np.float64)
        found = self.statistical._portfolios(left, first.assets, first.horizon, exposures)
        if not found.weights.shape[1]:
            return first
        definitions = found.definitions(first.assets)
        rest = attrs.evolve(
            memory,
            excess_returns=left,
            factors=pd.Index([f.name for f in definitions]),
            factor_returns=found.returns,
            definitions=definitions,
        )
        second = self.statistical._regress(rest, found)
        residuals = np.asarray(second.residuals.to_numpy(), dtype=np.float64)
        shift = weighted_mean(residuals, np.asarray(first.weights, dtype=np.float64))
        return FittedLoadings(
            assets=first.assets,
            definitions=[*first.definitions, *definitions],
            dates=first.dates,
            horizon=first.horizon,
            alpha=second.alpha.to_numpy() + shift,
            loadings=np.column_stack([exposures, second.loadings.to_numpy()]),
            factor_returns=np.column_stack([first.factor_returns.to_numpy(), found.returns]),
            residuals=set_read_only(residuals - shift),
            weights=first.weights.to_numpy(),
            risk_free_mean=first.risk_free_mean,
            before=first,
            prior=first.prior,
        )
