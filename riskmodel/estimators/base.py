"""The interface of all estimators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import attrs

from riskmodel.errors import InvalidParameterError
from riskmodel.model import FactorModel
from riskmodel.moments import Moments
from riskmodel.panel import ReturnPanel


class Estimator(ABC):
    """From a panel to a `FactorModel`. Subclass it and say what to make of the moments.

    Examples
    --------
    >>> import riskmodel as rm
    >>> class ZeroAlpha(rm.Estimator):
    ...     def estimate(self, moments):
    ...         model = rm.OLS().estimate(moments)
    ...         return rm.FactorModel.from_parameters(
    ...             assets=model.assets, factors=model.factors, horizon=model.horizon, alpha=0 * model.alpha,
    ...             loadings=model.loadings, factor_covariance=model.factor_covariance,
    ...             factor_mean=model.factor_mean, idio_variance=model.idio_variance)
    >>> panel = rm.SampleData().panel(["KO"], ["Mkt-RF"])
    >>> float(ZeroAlpha().fit(panel).alpha["KO"])
    0.0
    """

    @final
    def fit(self, panel: ReturnPanel) -> FactorModel:
        """Estimate the model on a panel.

        Parameters
        ----------
        panel : ReturnPanel
            T dates, N assets, K factors. Each asset is estimated on its own dates; the factors' mean and
            covariance on all.

        Raises
        ------
        EstimationError
            One of its kinds: `ConstantFactorError`, `CollinearFactorsError`, `TooFewObservationsError`.
        """
        if not isinstance(panel, ReturnPanel):
            raise InvalidParameterError(
                f"an estimator fits a ReturnPanel, but {type(panel).__name__} came; make one with a provider's "
                "panel(assets, factors), for instance that of rm.InMemory."
            )
        model = self.estimate(Moments.of(panel))
        if not isinstance(model, FactorModel):
            raise InvalidParameterError(
                f"{type(self).__name__}.estimate must return a FactorModel, but {type(model).__name__} came."
            )
        return attrs.evolve(model, panel=panel)

    @abstractmethod
    def estimate(self, moments: Moments) -> FactorModel:
        """Estimate the model from moments, which may have been merged from several panels."""
