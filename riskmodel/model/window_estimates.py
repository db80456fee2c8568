"""Estimates of many windows, as arrays that are filled window by window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import Factory, define, evolve, field, fields, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import shown
from riskmodel._core.arrays import Array, Counts, Flags, Index
from riskmodel.errors import InvalidParameterError
from riskmodel.model.covariance import NO_IDIO, without_idio
from riskmodel.model.model import FactorModel

# fields that are not arrays by window
_NOT_BY_WINDOW = {"regressions", "reasons"}
_SHARED = {"own_columns"}

# An asset's variance on its own dates may be smaller than on all, on which its model's factor variance is judged.
_SUSPECT = 1e3 * NO_IDIO

NO_NUMBER = "the variance is not a number"


@final
@frozen(eq=False)
class WindowResult:
    """Result of fitting one window.

    Attributes
    ----------
    model : FactorModel or None
        Of the assets that could be estimated; None if no asset could.
    reasons : mapping
        Why each asset was left out.
    observations : mapping
        The effective observations of assets with too few, where known.
    fault : str or None
        Why no asset could be estimated, where the reason is not an asset.
    """

    model: FactorModel | None
    reasons: Mapping[Any, str]
    observations: Mapping[Any, float]
    fault: str | None = None


def require_model_of(assets: Sequence[Any] | pd.Index[Any], model: Any) -> FactorModel:
    """Return the model that `fit` returned, or raise for anything but a model of some of the assets."""
    if not isinstance(model, FactorModel):
        raise InvalidParameterError(
            f"expected a FactorModel from fit, got {shown(model)}; return one, or raise an EstimationError.", got=model
        )
    known = set(assets)
    extra = [a for a in model.assets if a not in known]
    if extra:
        raise InvalidParameterError(
            f"expected from fit a model of the panel's assets, {labels.listing(assets)}, got one with "
            f"{labels.listing(extra)} as well; leave these out.",
            expected=list(assets),
            extra=extra,
        )
    return model


@final
@define(eq=False)
class RegressionEstimates:
    """Regressions in D windows of N assets, NaN where nothing was estimated.

    Attributes
    ----------
    coefficients : array, shape (D, K + 1, N)
        Alpha, then the slopes.
    idio_variance, total_variance, rsquared : array, shape (D, N)
        As in `RegressionFit`.
    shared_errors : array, shape (D, K + 1)
        Standard errors per √(idio variance), of the assets that miss no date of a window.
    own_errors : array, shape (D, K + 1, M)
        Standard errors of the others, NaN where the shared ones hold.
    own_columns : array of int, shape (M,)
        The columns of those assets.
    decay_factor : array, shape (D,)
        As in `RegressionFit`.
    """

    coefficients: Array
    idio_variance: Array
    total_variance: Array
    rsquared: Array
    shared_errors: Array
    own_errors: Array
    own_columns: Index
    decay_factor: Array

    def std_errors(self, at: slice) -> Array:
        """Standard errors in some windows, shape (those, K + 1, N)."""
        errors = self.shared_errors[at, :, None] * np.sqrt(self.idio_variance[at, None, :])
        own = self.own_errors[at]
        errors[:, :, self.own_columns] = np.where(np.isnan(own), errors[:, :, self.own_columns], own)
        return errors

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Concatenate the windows of several estimates of the same assets and factors."""
        by_window = {
            f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls) if f.name not in _SHARED
        }
        changed: dict[str, Any] = by_window
        return evolve(parts[0], **changed)

    def take(self, at: Index) -> Self:
        """The estimates of some windows."""
        return evolve(self, **{f.name: getattr(self, f.name)[at] for f in fields(type(self)) if f.name not in _SHARED})

    def put(self, at: int, columns: Index, rows: Index, model: FactorModel) -> None:
        """Write the regressions of some assets, which are among `own_columns`, in a window."""
        fit = model.regression
        assert fit is not None
        self.decay_factor[at] = fit.decay_factor
        self.coefficients[at, 0, columns] = fit._alpha
        self.coefficients[np.ix_(np.array([at]), rows, columns)] = fit._loadings.T
        for name in ("idio_variance", "total_variance", "rsquared"):
            getattr(self, name)[at, columns] = getattr(fit, f"_{name}")
        place = np.searchsorted(self.own_columns, columns)
        self.own_errors[np.ix_(np.array([at]), np.append(0, rows), place)] = fit._std_errors.T


@final
@define(eq=False)
class WindowEstimates:
    """Estimates in D windows of N assets on K factors, NaN where there is none.

    Attributes
    ----------
    parameters : array, shape (D, K + 1, N)
        Alpha, then the loadings.
    idio_variance, n_observations : array, shape (D, N)
        As in `FactorModel` and `RegressionFit`; `n_observations` is known in every window, and a broadcast column where
        no returns are missing.
    factor_mean, factor_covariance, risk_free_mean : array, shape (D, K), (D, K, K), (D,)
        As in `FactorModel`.
    codes : array of int, shape (D, N)
        1 + the position in `reasons` of why an asset was not estimated; 0 where it was.
    faults : array of int, shape (D,)
        The same for whole windows.
    priors : array of bool, shape (D, N)
        Whether an asset's figures lean on a prior.
    regressions : RegressionEstimates or None
        None for models without regressions.
    reasons : list of str
        The texts of the codes.
    links : array of object, shape (D,)
        The links of each window's model, shape (N, J), with zeros for assets left out; None without links.
    """

    parameters: Array
    idio_variance: Array
    n_observations: Array
    factor_mean: Array
    factor_covariance: Array
    risk_free_mean: Array
    codes: Counts
    faults: Counts
    priors: Flags
    regressions: RegressionEstimates | None = None
    reasons: list[str] = field(factory=list)
    links: Any = field(default=Factory(lambda self: np.full(len(self.faults), None), takes_self=True))

    @classmethod
    def blank(cls, d: int, n: int, k: int, n_observations: Array) -> Self:
        """Make estimates that are all NaN."""
        return cls(
            parameters=np.full((d, k + 1, n), np.nan),
            idio_variance=np.full((d, n), np.nan),
            n_observations=n_observations,
            factor_mean=np.full((d, k), np.nan),
            factor_covariance=np.full((d, k, k), np.nan),
            risk_free_mean=np.full(d, np.nan),
            codes=np.zeros((d, n), dtype=np.int32),
            faults=np.zeros(d, dtype=np.int32),
            priors=np.zeros((d, n), dtype=bool),
        )

    @classmethod
    def of_results(
        cls, results: Sequence[WindowResult], assets: pd.Index[Any], factors: pd.Index[Any], counts: Counts
    ) -> Self:
        """Collect the models of windows, whose assets and factors are among those given."""
        d, n, k = len(results), len(assets), len(factors)
        self = cls.blank(d, n, k, counts.astype(np.float64))
        models = [r.model for r in results if r.model is not None]
        if models and all(m.regression is not None for m in models):
            self.regressions = _blank_regressions(d, n, k)
        for at, result in enumerate(results):
            self.note(at, assets, factors, result)
        return self

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Concatenate the windows of several estimates of the same assets and factors."""
        if len(parts) == 1:
            return parts[0]
        reasons = list(dict.fromkeys(r for p in parts for r in p.reasons))
        recoded = [p.recoded(reasons) for p in parts]
        regressions = [p.regressions for p in parts if p.regressions is not None]
        merged = RegressionEstimates.concat(regressions) if len(regressions) == len(parts) else None
        return cls(
            **{
                f.name: np.concatenate([getattr(p, f.name) for p in recoded])
                for f in fields(cls)
                if f.name not in _NOT_BY_WINDOW
            },
            regressions=merged,
            reasons=reasons,
        )

    def take(self, at: Index) -> Self:
        """The estimates of some windows."""
        if len(at) == len(self.faults):
            return self
        r = self.regressions
        by_window = {f.name: getattr(self, f.name)[at] for f in fields(type(self)) if f.name not in _NOT_BY_WINDOW}
        return evolve(self, **by_window, regressions=None if r is None else r.take(at))

    def recoded(self, reasons: list[str]) -> Self:
        """Translate the codes to another list of reasons, which contains all of these."""
        codes = np.array([0, *(reasons.index(r) + 1 for r in self.reasons)], dtype=np.int32)
        return evolve(self, codes=codes[self.codes], faults=codes[self.faults], reasons=reasons)

    def note(self, at: int, assets: pd.Index[Any], factors: pd.Index[Any], result: WindowResult) -> None:
        """Write the result of one window."""
        if result.model is not None:
            model = require_model_of(assets, result.model)
            self._put(at, assets.get_indexer(model.assets), factors.get_indexer(model.factors), model)
        for reason in dict.fromkeys(result.reasons.values()):
            named = [result.reasons.get(asset) == reason for asset in assets]
            self.leave_out(at, np.flatnonzero(named), reason)
        for asset, n in result.observations.items():
            self.n_observations[at, assets.get_loc(asset)] = n
        if result.fault is not None:
            self.fail(at, result.fault)

    def code(self, reason: str) -> int:
        """Return the code of a reason; a new reason is added."""
        if reason not in self.reasons:
            self.reasons.append(reason)
        return self.reasons.index(reason) + 1

    def leave_out(self, at: Any, columns: Any, reason: str) -> None:
        """Mark some assets of a window as not estimated, with the reason."""
        self.codes[at, columns] = self.code(reason)
        for array in self._by_asset():
            array[at, columns] = np.nan
        for parameters in self._by_parameter():
            parameters[at, :, columns] = np.nan

    def fail(self, at: int, reason: str) -> None:
        """Mark a window as not estimated, with the reason."""
        self.faults[at] = self.code(reason)
        for array in (*self._by_asset(), *self._by_parameter()):
            array[at] = np.nan

    def explain(self) -> None:
        """Add a reason for every missing estimate that has none yet."""
        unexplained = np.isnan(self.idio_variance) & (self.codes == 0) & (self.faults == 0)[:, None]
        if unexplained.any():
            at, columns = np.nonzero(unexplained)
            self.leave_out(at, columns, NO_NUMBER)

    def drop_rounding(self) -> None:
        """Set negligible idio variances to zero, as the model of their date does."""
        # those of other estimates come from models, which have done so
        if self.regressions is None:
            return
        with np.errstate(invalid="ignore"):
            suspects = (self.idio_variance > 0) & (self.idio_variance < _SUSPECT * self.regressions.total_variance)
        dates = np.flatnonzero(suspects.any(axis=1))
        if len(dates):
            # the regressions, which may hold the same array, keep what they measured
            self.idio_variance = self.idio_variance.copy()
        for d in dates:
            columns, rows = np.flatnonzero(suspects[d]), np.flatnonzero(~np.isnan(self.factor_mean[d]))
            loadings = self.parameters[d][np.ix_(rows + 1, columns)].T
            f = self.factor_covariance[d][np.ix_(rows, rows)]
            none = without_idio(loadings, f, self.idio_variance[d, columns])
            self.idio_variance[d, columns[none]] = 0.0

    def spread(self) -> None:
        """Broadcast a column of observations that all assets share to one column for each."""
        self.n_observations = np.broadcast_to(self.n_observations, self.idio_variance.shape)

    def set_read_only(self) -> None:
        """Make the arrays read-only."""
        for part in (self, self.regressions):
            if part is None:
                continue
            for array in (getattr(part, f.name) for f in fields(type(part))):
                if isinstance(array, np.ndarray):
                    array.flags.writeable = False

    def _put(self, at: int, columns: Index, rows: Index, model: FactorModel) -> None:
        self.parameters[at, 0, columns] = model._alpha
        self.parameters[np.ix_(np.array([at]), rows + 1, columns)] = model._loadings.T
        self.idio_variance[at, columns] = model._idio_variance
        self.factor_mean[at, rows] = model._factor_mean
        self.factor_covariance[np.ix_(np.array([at]), rows, rows)] = model._factor_covariance
        self.risk_free_mean[at] = model.risk_free_mean
        links = model._links
        if links.shape[1]:
            self.links[at] = np.zeros((self.idio_variance.shape[1], links.shape[1]))
            self.links[at][columns] = links
        self.priors[at, columns] = model.prior.to_numpy()
        if model.regression is not None:
            self.n_observations[at, columns] = model.regression._n_observations
            if self.regressions is not None:
                self.regressions.put(at, columns, rows + 1, model)

    def _by_asset(self) -> list[Array]:
        r = self.regressions
        return [self.idio_variance, *([] if r is None else [r.idio_variance, r.total_variance, r.rsquared])]

    def _by_parameter(self) -> list[Array]:
        return [self.parameters, *([] if self.regressions is None else [self.regressions.coefficients])]


def _blank_regressions(d: int, n: int, k: int) -> RegressionEstimates:
    return RegressionEstimates(
        coefficients=np.full((d, k + 1, n), np.nan),
        idio_variance=np.full((d, n), np.nan),
        total_variance=np.full((d, n), np.nan),
        rsquared=np.full((d, n), np.nan),
        shared_errors=np.full((d, k + 1), np.nan),
        own_errors=np.full((d, k + 1, n), np.nan),
        own_columns=np.arange(n),
        decay_factor=np.ones(d),
    )
