"""The interface of all estimators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from numbers import Real
from typing import final

import attrs
import numpy as np

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.moments.value import Moments
from riskmodel.horizon import Horizon
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import Panel

# A weight this small has been forgotten, yet its square root and its reciprocal are numbers.
_NOTHING = 1e-200


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
    def fit(self, panel: Panel) -> FactorModel:
        """Estimate the model on a panel.

        Parameters
        ----------
        panel : ReturnPanel or StoredPanel
            T dates, N assets, K factors. Each asset is estimated on its own dates; the factors' mean and
            covariance on all.

        Raises
        ------
        EstimationError
            One of its kinds: `ConstantFactorError`, `CollinearFactorsError`, `TooFewObservationsError`.
        """
        return attrs.evolve(checked_estimate(self, self.moments(panel)), panel=panel)

    @final
    def moments(self, panel: Panel) -> Moments:
        """Return what `estimate` needs of a panel, with the weights that this estimator gives its dates."""
        require_panel(panel)
        return Moments.of(panel, self.weights(panel)).keeping(kept(self, panel.horizon))

    @final
    def weights(self, panel: Panel) -> Array | None:
        """How much each of a panel's dates counts, shape (T,); None where all count alike."""
        keep = kept(self, panel.horizon)
        if keep == 1.0:
            return None
        ages = np.arange(len(panel.dates) - 1, -1, -1)
        return np.asarray(np.maximum(keep**ages, _NOTHING))

    @final
    def update(self, state: Moments, panel: Panel) -> Moments:
        """Add new dates to the moments of old ones; neither is changed.

        Parameters
        ----------
        state : Moments
            From `moments`, an earlier `update`, or `Moments.load`.
        panel : ReturnPanel or StoredPanel
            Of the same assets and factors, all its dates after those of the state.

        Returns
        -------
        Moments
            Those of all dates, as if they had been read at once; `estimate` makes a model of them.

        Raises
        ------
        InvalidParameterError
            If a date of the panel is not after the state's last, or assets or factors differ.
        HorizonMismatchError
            If the horizons differ.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
        >>> old, new = panel.select(end="2017-12-31"), panel.select(start="2018-01-01")
        >>> ewma = rm.EWMA(half_life=rm.YEAR)
        >>> state = ewma.update(ewma.moments(old), new)
        >>> bool((abs(ewma.estimate(state).loadings - ewma.fit(panel).loadings) < 1e-12).all(axis=None))
        True
        """
        require_panel(panel)
        if not isinstance(state, Moments):
            raise InvalidParameterError(
                "a state is Moments, from an estimator's moments(panel) or Moments.load, but "
                f"{type(state).__name__} came."
            )
        keep = kept(self, panel.horizon)
        if state.retention not in {None, keep}:
            raise InvalidParameterError(
                f"in the state a date keeps {state.retention:.6g} of its weight from row to row, but this "
                f"{type(self).__name__} lets it keep {keep:.6g}; update it with an estimator like that which made it."
            )
        if panel.dates[0] <= state.end:
            raise InvalidParameterError(
                f"new dates must come after {state.end.date()}, the last that the state holds, but the panel starts on "
                f"{panel.dates[0].date()}; select(start=...) the new ones."
            )
        return state.decay(max(keep ** len(panel.dates), _NOTHING)) + Moments.of(panel, self.weights(panel))

    def retention(self, horizon: Horizon) -> float:
        """The share of its weight that a date keeps with each date that follows: 1, nothing is forgotten.

        Parameters
        ----------
        horizon : Horizon
            What one row of the panel spans.
        """
        return 1.0

    @abstractmethod
    def estimate(self, moments: Moments) -> FactorModel:
        """Estimate the model from moments, which may have been merged from several panels."""


def kept(estimator: Estimator, horizon: Horizon) -> float:
    """The retention of an estimator, or an error where it is none."""
    keep = estimator.retention(horizon)
    if not isinstance(keep, Real) or not 0.0 < keep <= 1.0:
        raise InvalidParameterError(
            f"{type(estimator).__name__}.retention must be a number above 0 and at most 1, but {keep!r} came."
        )
    return float(keep)


def require_panel(panel: object) -> None:
    """Raise for what is no panel."""
    if not isinstance(panel, Panel):
        # a panel of another kind knows how it is fitted
        hint = (
            "ask its own fit(estimator)"
            if hasattr(panel, "fit")
            else "make one with a provider's panel(assets, factors), for instance that of rm.InMemory"
        )
        raise InvalidParameterError(f"an estimator fits a ReturnPanel, but {type(panel).__name__} came; {hint}.")
    if not len(panel.dates):
        raise InvalidParameterError(f"a panel without dates says nothing, but {panel!r} came; widen the window.")


def checked_estimate(estimator: Estimator, moments: Moments) -> FactorModel:
    """What an estimator makes of moments, which must be a model of their assets and factors."""
    model = estimator.estimate(moments)
    kind = f"{type(estimator).__name__}.estimate must return a FactorModel"
    if not isinstance(model, FactorModel):
        raise InvalidParameterError(f"{kind}, but {type(model).__name__} came.")
    for what in ("assets", "factors"):
        came, expected = getattr(model, what), getattr(moments, what)
        if came is not expected and not came.equals(expected):
            raise InvalidParameterError(
                f"{kind} of the moments' {what}, {labels.listing(expected)}, but one of {labels.listing(came)} came."
            )
    return model
