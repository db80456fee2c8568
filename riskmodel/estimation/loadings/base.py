"""Base class of estimators of loadings."""

from __future__ import annotations

from abc import abstractmethod

from riskmodel._core.listing import Abstract
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.panel.base import Panel


class LoadingsEstimator(Abstract):
    """An estimator of loadings, factor returns and residuals: the first part of `Assembled`. Write `fit`.

    A wrapper, which changes the loadings of another estimator, holds that one as `inner`, and returns
    ``inner.fit(panel).with_loadings(...)``: then `Assembled.stages` says what it changed.

    Examples
    --------
    >>> import attrs, riskmodel as rm
    >>> @attrs.frozen
    ... class Halved(rm.LoadingsEstimator):
    ...     inner: rm.LoadingsEstimator
    ...     def fit(self, panel):
    ...         fitted = self.inner.fit(panel)
    ...         return fitted.with_loadings(fitted.loadings / 2)
    >>> panel = rm.SampleData().panel(["KO"], ["Mkt-RF"])
    >>> fitted = Halved(rm.TimeSeries(rm.OLS())).fit(panel)
    >>> bool((fitted.loadings == fitted.before.loadings / 2).all(axis=None))
    True
    """

    @abstractmethod
    def fit(self, panel: Panel) -> FittedLoadings:
        """Estimate loadings on a panel.

        Parameters
        ----------
        panel : Panel
            T dates, N assets, and the factors that the estimator needs.

        Returns
        -------
        FittedLoadings
            Of the panel's assets and dates, in their order.

        Raises
        ------
        EstimationError
            If the panel does not identify the loadings; ``details["assets"]`` names the assets that cannot be
            estimated, where the others can.
        """
