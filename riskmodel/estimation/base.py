"""Base classes of estimators."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from numbers import Real
from typing import Any, final

import attrs
import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_count
from riskmodel._core.arrays import Array
from riskmodel._core.listing import Abstract
from riskmodel._core.threads import one_blas_thread
from riskmodel.errors import EstimationError, InvalidParameterError
from riskmodel.estimation.available import LeftOut, fit_remaining
from riskmodel.estimation.moments.value import Moments
from riskmodel.estimation.recorded import recorded
from riskmodel.estimation.windows.loop import fit_each
from riskmodel.estimation.windows.spans import Spans
from riskmodel.horizon import Horizon
from riskmodel.model.history import ModelHistory
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import Panel
from riskmodel.panel.memory import ReturnPanel

# The smallest weight: negligible, with a finite square root and reciprocal.
_LEAST_WEIGHT = 1e-200


class Estimator(Abstract):
    """An estimator of factor models. Subclass it and write `fit`.

    `fit` raises an `EstimationError` whose ``details["assets"]`` names all assets that cannot be estimated, so that
    `fit_available` and windows can leave them out. The first sentence of its message is the reason that they give, or
    ``details["reason"]`` where that is given.

    Examples
    --------
    >>> import riskmodel as rm
    >>> class ZeroAlpha(rm.Estimator):
    ...     def fit(self, panel):
    ...         model = rm.OLS().fit(panel)
    ...         return rm.FactorModel.from_parameters(
    ...             assets=model.assets, factors=model.definitions, horizon=model.horizon, alpha=0 * model.alpha,
    ...             loadings=model.loadings, factor_covariance=model.factor_covariance,
    ...             factor_mean=model.factor_mean, idio_variance=model.idio_variance,
    ...             risk_free_mean=model.risk_free_mean)
    >>> panel = rm.SampleData().panel(["KO"], ["Mkt-RF"])
    >>> float(ZeroAlpha().fit(panel).alpha["KO"])
    0.0
    """

    @abstractmethod
    def fit(self, panel: Panel) -> FactorModel:
        """Estimate the model on a panel.

        Parameters
        ----------
        panel : Panel
            T dates, N assets, K factors.

        Raises
        ------
        EstimationError
            If the panel does not identify the model; ``details["assets"]`` names the assets that cannot be estimated,
            where the others can.
        """

    def fit_available(self, panel: Panel, minimum: int | None = None) -> FactorModel:
        """Estimate the model on the assets that can be estimated; `FactorModel.missing` names the others and why.

        Parameters
        ----------
        panel : Panel
            T dates, N assets, K factors.
        minimum : int, optional
            The fewest observations per asset; by default what the estimator needs.

        Raises
        ------
        EstimationError
            If no asset can be estimated, or if the factors do not identify the model for any.
        InvalidParameterError
            If `fit` returns anything but a model of assets of the panel.
        """
        require_panel(panel)
        whole = panel.select()
        counts = pd.Series((~np.isnan(whole.arrays()[0])).sum(axis=0), whole.assets)
        model = _fit_available(counts, minimum, lambda assets: self.fit(whole.select(assets)))
        return recorded(model, self, panel)

    def fewest_observations(self, panel: Panel) -> int:
        """The fewest observations of an asset that `fit` takes, for windows; by default 0: `fit` decides.

        Assets with fewer are left out of a window, and `fit` is not asked.

        Parameters
        ----------
        panel : Panel
            T dates, N assets, K factors.
        """
        return 0

    def windows(self, panel: ReturnPanel, spans: Spans, minimum: int) -> ModelHistory:
        """Estimate the model on many windows of a panel; `Rolling` and `Expanding` call it.

        It calls `fit` for each window, on the assets with enough observations there. Least squares estimate all windows
        at once.

        Parameters
        ----------
        panel : ReturnPanel
            T dates, N assets, K factors.
        spans : Spans
            The rows of each of D windows.
        minimum : int
            The fewest observations of an asset in a window.

        Returns
        -------
        ModelHistory
            Of D dates; its `missing` lists what could not be estimated in a window.
        """
        require_spans(panel, spans)
        require_count(minimum, "minimum")
        return fit_each(self.fit, panel, spans, minimum)


class MomentEstimator(Estimator):
    """An estimator from sums over dates, such as least squares. Subclass it and write `estimate`.

    Sums can be computed over panels that are larger than memory or on a cluster, merged, and updated daily.
    Override `decay_factor` to weight old dates less.

    Examples
    --------
    >>> import riskmodel as rm
    >>> class Median(rm.MomentEstimator):
    ...     def estimate(self, moments):
    ...         model = rm.OLS().estimate(moments)
    ...         print(len(model.assets), "betas, the median is", round(model.loadings["Mkt-RF"].median(), 2))
    ...         return model
    >>> model = Median().fit(rm.SampleData().panel(["KO", "XOM", "JPM"], ["Mkt-RF"]))
    3 betas, the median is 0.84
    """

    @abstractmethod
    def estimate(self, moments: Moments) -> FactorModel:
        """Estimate the model from moments, possibly merged from several panels."""

    def decay_factor(self, horizon: Horizon) -> float:
        """The ratio of the weight of a date to that of the next date; by default 1, equal weights.

        Parameters
        ----------
        horizon : Horizon
            What one row of the panel spans.
        """
        return 1.0

    @final
    @one_blas_thread()
    def fit(self, panel: Panel) -> FactorModel:
        """Estimate the model on a panel.

        Parameters
        ----------
        panel : Panel
            T dates, N assets, K factors. Each asset is estimated on its own dates, the factors' mean and covariance on
            all dates.

        Raises
        ------
        EstimationError
            Its subclasses `ConstantFactorError`, `CollinearFactorsError`, `TooFewObservationsError`.
        """
        return recorded(checked_estimate(self, self.moments(panel)), self, panel)

    @final
    def fit_available(self, panel: Panel, minimum: int | None = None) -> FactorModel:
        """Estimate the model on the assets that can be estimated; the panel is read once. See `Estimator`."""
        moments = self.moments(panel)
        counts = pd.Series(moments.regressions.n_observations(), moments.assets)
        model = _fit_available(counts, minimum, lambda assets: checked_estimate(self, moments.reindex(assets)))
        return recorded(model, self, panel)

    @final
    @one_blas_thread()
    def moments(self, panel: Panel) -> Moments:
        """Return the moments of a panel, weighted by this estimator."""
        require_panel(panel)
        return Moments._decaying(panel, checked_decay_factor(self, panel.horizon))

    @final
    def weights(self, panel: Panel) -> Array | None:
        """Weight of each date of a panel, shape (T,); None for equal weights."""
        require_panel(panel)
        keep = checked_decay_factor(self, panel.horizon)
        if keep == 1.0:
            return None
        ages = np.arange(len(panel.dates) - 1, -1, -1)
        return np.asarray(np.maximum(keep**ages, _LEAST_WEIGHT))

    @final
    @one_blas_thread()
    def update(self, state: Moments, panel: Panel) -> Moments:
        """Return moments with new dates added; neither argument is changed.

        Parameters
        ----------
        state : Moments
            From `moments`, an earlier `update`, or `Moments.load`.
        panel : Panel
            Of the same assets and factors, all its dates after those of the state. Where assets were listed or
            delisted, pass ``state.reindex(panel.assets)``.

        Returns
        -------
        Moments
            Those of all dates, the same as if read at once; pass them to `estimate`.

        Raises
        ------
        InvalidParameterError
            If a date of the panel is not after the state's last, if assets or factors differ, or if the weights of the
            state are not known to decay as this estimator's.
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
                f"expected Moments as state, got {type(state).__name__}; make it with moments(panel) or Moments.load."
            )
        keep = checked_decay_factor(self, panel.horizon)
        _require_decay(self, state, keep)
        if not state.assets.equals(panel.assets):
            differ = state.assets.symmetric_difference(panel.assets, sort=False)
            raise InvalidParameterError(
                f"expected moments and a panel of the same assets in one order, got others ({labels.listing(differ)}); "
                "pass state.reindex(panel.assets).",
                differ="assets",
                assets=list(differ),
            )
        if panel.dates[0] <= state.end:
            raise InvalidParameterError(
                f"expected dates after {state.end.date()}, the last date of the state, got a panel that starts on "
                f"{panel.dates[0].date()}; select(start=...) the new dates."
            )
        return state._aged(len(panel.dates) * float(np.log2(keep))) + Moments._decaying(panel, keep)


def _require_decay(estimator: MomentEstimator, state: Moments, keep: float) -> None:
    """Raise unless the weights of the state decay as the estimator's; without a decay factor, they are as given."""
    if state.decay_factor == keep or (state.decay_factor is None and keep == 1.0):
        return
    has = "no decay factor" if state.decay_factor is None else f"decay factor {state.decay_factor:.6g}"
    raise InvalidParameterError(
        f"expected moments of decay factor {keep:.6g}, that of this {type(estimator).__name__}, got moments of {has}; "
        "make them with its moments(panel), or where their weights decay so, pass state.with_decay_factor(...).",
        expected=keep,
        got=state.decay_factor,
    )


def checked_decay_factor(estimator: MomentEstimator, horizon: Horizon) -> float:
    """Return the decay factor of an estimator, or raise where it is not in (0, 1]."""
    keep = estimator.decay_factor(horizon)
    if not isinstance(keep, Real) or not 0.0 < keep <= 1.0:
        raise InvalidParameterError(
            f"expected {type(estimator).__name__}.decay_factor above 0 and at most 1, got {keep!r}."
        )
    return float(keep)


def require_panel(panel: object) -> None:
    """Raise for anything that is not a panel with dates."""
    if not isinstance(panel, Panel):
        raise InvalidParameterError(
            f"expected a panel, got {type(panel).__name__}; make one with a provider's panel(assets, factors), for "
            "instance that of rm.InMemory."
        )
    if not len(panel.dates):
        raise InvalidParameterError(f"expected a panel with dates, got {panel!r}; widen the window.")


def require_spans(panel: Any, spans: Any) -> None:
    """Raise for anything but a panel in memory and windows of it."""
    require(panel, ReturnPanel, "panel", "of a panel on disk or a cluster, take select(...)")
    require(spans, Spans, "spans", "rm.Rolling and rm.Expanding make them")


def checked_estimate(estimator: MomentEstimator, moments: Moments) -> FactorModel:
    """Estimate a model, or raise where its assets or factors are not those of the moments."""
    model = estimator.estimate(moments)
    kind = f"{type(estimator).__name__}.estimate"
    if not isinstance(model, FactorModel):
        raise InvalidParameterError(f"expected a FactorModel from {kind}, got {type(model).__name__}.")
    for what in ("assets", "factors"):
        got, expected = getattr(model, what), getattr(moments, what)
        if got is not expected and not got.equals(expected):
            raise InvalidParameterError(
                f"expected a model of the moments' {what}, {labels.listing(expected)}, from {kind}, got one of "
                f"{labels.listing(got)}."
            )
    return model


def _fit_available(counts: pd.Series[Any], minimum: int | None, fit: Callable[[list[Any]], FactorModel]) -> FactorModel:
    """Fit the assets that can be estimated, and record the others; `counts` are observations by asset."""
    left_out = LeftOut.short(counts, minimum)
    model = fit_remaining([a for a in counts.index if a not in left_out.reasons], fit, left_out)
    if model is None:
        raise EstimationError(
            f"expected assets that can be estimated, got none of {len(counts)}: "
            f"{'; '.join(sorted(set(left_out.reasons.values())))}.",
            assets=list(counts.index),
        )
    return attrs.evolve(model, missing=left_out.table(counts))
