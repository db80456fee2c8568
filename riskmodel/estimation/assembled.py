"""A risk model assembled from three parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel._core.threads import one_blas_thread
from riskmodel.errors import EstimationError, InvalidParameterError
from riskmodel.estimation.base import Estimator
from riskmodel.estimation.factor_covariance.base import FactorCovarianceEstimator
from riskmodel.estimation.idio_variance.base import IdioVarianceEstimator
from riskmodel.estimation.idio_variance.risk import IdioRisk
from riskmodel.estimation.in_memory import in_memory
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.weighting import require_instance
from riskmodel.model.lineage import Lineage
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import Panel

P = TypeVar("P")


@final
@frozen
class Assembled(Estimator):
    r"""A factor model whose B, F = Var f and D = Var ε are each estimated in a way of its own.

    :math:`\Sigma = B F B' + D`. Each part can be replaced, and wrapped by estimators that adjust it; `stages` says what
    each of these changed. Every part needs the returns by date, so the panel must fit into memory.

    Parameters
    ----------
    loadings : LoadingsEstimator
        B, and the factor returns and residuals that go with it: `TimeSeries`, `PrincipalComponents`, `Hybrid`,
        `CrossSectional`, `Vasicek`, `Blume`, `SlopeWinsorised`, `Dimson`, `FowlerRorke`, `ShortHistories`.
    factor_covariance : FactorCovarianceEstimator
        F: `SampleCovariance`, `EWMACovariance`, `PooledCovariance`, `MixtureCovariance`, `QIS`, `Shrunk`, `Stambaugh`,
        `EMCovariance`, `NeweyWest`, `EigenfactorAdjusted`, `RegimeAdjusted`.
    idio_variance : IdioVarianceEstimator
        D: `SampleVariance`, `EWMAVariance`, `PooledVariance`, `MixtureVariance`, `NeweyWestVariance`, `ShrunkVariance`,
        `RegimeAdjustedVariance`, `ShortHistoryVariance`, `Structural`, `Linked`, `Thresholded`.

    Examples
    --------
    >>> import riskmodel as rm
    >>> estimator = rm.Assembled(
    ...     loadings=rm.Vasicek(rm.TimeSeries(rm.OLS())),
    ...     factor_covariance=rm.EWMACovariance(rm.QUARTER, rm.YEAR),
    ...     idio_variance=rm.ShrunkVariance(rm.EWMAVariance(rm.QUARTER), 0.2),
    ... )
    >>> panel = rm.SampleData().panel(["KO", "XOM", "JPM"], ["Mkt-RF"])
    >>> estimator.fit(panel)
    <FactorModel 3 assets × 1 factors, per day>
    >>> sorted(set(estimator.stages(panel)["stage"]))
    ['ShrunkVariance', 'Vasicek']
    """

    loadings: LoadingsEstimator = field(validator=require_instance(LoadingsEstimator, "rm.TimeSeries(rm.OLS())"))
    factor_covariance: FactorCovarianceEstimator = field(
        validator=require_instance(FactorCovarianceEstimator, "rm.SampleCovariance()")
    )
    idio_variance: IdioVarianceEstimator = field(
        validator=require_instance(IdioVarianceEstimator, "rm.SampleVariance()")
    )

    @one_blas_thread()
    def fit(self, panel: Panel) -> FactorModel:
        """Estimate the three parts on a panel, and assemble the model.

        Raises
        ------
        EstimationError
            If the panel does not identify a part; ``details["assets"]`` names the assets that cannot be estimated.
        TooLargeError
            For a panel that is not in memory and has more than 50 million returns.
        """
        memory = in_memory(panel)
        fitted = _checked(self.loadings, memory)
        covariance = _checked_covariance(self.factor_covariance, fitted)
        risk = _checked_risk(self.idio_variance, fitted)
        # a regression on factors that are made of the assets cannot be repeated from the panel's columns
        repeatable = fitted.factors.isin(memory.factors).all()
        return FactorModel(
            assets=fitted.assets,
            factors=fitted.factors,
            alpha=fitted.alpha.to_numpy(),
            loadings=fitted.loadings.to_numpy(),
            factor_mean=fitted.factor_mean.to_numpy(),
            factor_covariance=covariance,
            idio_variance=risk.variance.to_numpy(),
            risk_free_mean=fitted.risk_free_mean,
            horizon=fitted.horizon,
            definitions=fitted.definitions,
            regression=fitted.regression if repeatable else None,
            links=risk.links.to_numpy(),
            priors=list(dict.fromkeys([*fitted.prior, *risk.assets[risk.prior.to_numpy()]])),
            lineage=Lineage.of(self, panel),
        )

    @one_blas_thread()
    def stages(self, panel: Panel) -> pd.DataFrame:
        """What each wrapper changed, in the order in which they are applied.

        The estimators inside of each wrapper are fitted by themselves, so this takes longer than `fit`.

        Parameters
        ----------
        panel : Panel
            T dates, N assets, K factors, as for `fit`.

        Returns
        -------
        DataFrame
            One row for each figure of each wrapper. Columns ``part`` (``loadings``, ``factor_covariance``,
            ``idio_variance`` or ``links``), ``stage`` (the class of the wrapper), ``label`` (an asset and a factor, a
            factor, an asset, or an asset and the number of a link), ``before`` and ``after`` (a loading, a volatility
            in decimals per row, or the correlation with a link) and ``factor``, their ratio: NaN where before is zero.
            Before is NaN for an asset that only the wrapper can estimate.
        """
        memory = in_memory(panel)
        fitted = _checked(self.loadings, memory)
        tables = [
            *_loading_stages(self.loadings, fitted),
            *(
                _table("factor_covariance", wrapper, list(fitted.factors), before, after)
                for wrapper, before, after in _steps(
                    self.factor_covariance,
                    FactorCovarianceEstimator,
                    lambda e: np.sqrt(np.diag(_checked_covariance(e, fitted))),
                )
            ),
            *(
                _table("idio_variance", wrapper, list(fitted.assets), before, after)
                for wrapper, before, after in _steps(
                    self.idio_variance,
                    IdioVarianceEstimator,
                    lambda e: _idio_volatilities(e, fitted, e is self.idio_variance),
                )
            ),
            *_link_stages(self.idio_variance, fitted),
        ]
        return pd.concat(tables or [_table("", None, [], np.array([]), np.array([]))], ignore_index=True)


def _loading_stages(estimator: LoadingsEstimator, fitted: FittedLoadings) -> list[pd.DataFrame]:
    """The changes of loadings, innermost first, from what each result was made of."""
    results = [fitted]
    while results[-1].before is not None:
        results.append(results[-1].before)
    wrappers = _chain(estimator, LoadingsEstimator)
    tables = [
        _table("loadings", wrapper, _pairs(after), _loadings(before, after), _loadings(after, after))
        for wrapper, after, before in zip(wrappers, results, results[1:], strict=False)
    ]
    return tables[::-1]


def _link_stages(estimator: IdioVarianceEstimator, fitted: FittedLoadings) -> list[pd.DataFrame]:
    """What the outermost estimator of idio risk links, where that is a wrapper."""
    risk = _checked_risk(estimator, fitted)
    links = risk.links.div(np.sqrt(risk.variance.where(risk.variance > 0, 1.0)), axis=0)
    rows, columns = np.nonzero(links.to_numpy())
    if not len(rows):
        return []
    names = [(links.index[int(r)], int(c)) for r, c in zip(rows, columns, strict=True)]
    return [_table("links", estimator, names, np.zeros(len(names)), links.to_numpy()[rows, columns])]


def _pairs(fitted: FittedLoadings) -> list[Any]:
    return [(asset, factor) for asset in fitted.assets for factor in fitted.factors]


def _loadings(fitted: FittedLoadings, like: FittedLoadings) -> Array:
    """Loadings on the factors of another, one after the other; zero on those that are not there yet.

    NaN for assets that are not there yet.
    """
    return fitted.loadings.reindex(columns=like.factors, fill_value=0.0).reindex(like.assets).to_numpy().ravel()


def _steps(estimator: P, kind: type[Any], figures: Any) -> Iterator[tuple[P, Array, Array]]:
    """Yield each wrapper with the figures of what it wraps and its own, innermost first."""
    chain = _chain(estimator, kind)[::-1]
    before = figures(chain[0]) if len(chain) > 1 else np.array([])
    for wrapper in chain[1:]:
        after = figures(wrapper)
        yield wrapper, before, after
        before = after


def _idio_volatilities(estimator: IdioVarianceEstimator, fitted: FittedLoadings, whole: bool) -> Array:
    """Idio volatilities; NaN for assets that an estimator inside of a wrapper cannot estimate."""
    try:
        return np.asarray(np.sqrt(_checked_risk(estimator, fitted).variance.to_numpy()))
    except EstimationError as error:
        named = list(error.details.get("assets", ()))
        if whole or not named:
            raise
    rest = fitted.residuals.drop(columns=named)
    return np.asarray(np.sqrt(estimator.fit(rest, fitted).variance.reindex(fitted.assets).to_numpy()))


def _chain(estimator: P, kind: type[Any]) -> list[P]:
    """An estimator, what it wraps, and so on."""
    chain = [estimator]
    while isinstance(getattr(chain[-1], "inner", None), kind):
        chain.append(chain[-1].inner)  # type: ignore[attr-defined]
    return chain


def _table(part: str, wrapper: Any, names: list[Any], before: Array, after: Array) -> pd.DataFrame:
    label = pd.Series(names, dtype=object)
    ratio = np.divide(after, before, out=np.full(len(before), np.nan), where=before != 0)
    stage = type(wrapper).__name__
    return pd.DataFrame(
        {"part": part, "stage": stage, "label": label, "before": before, "after": after, "factor": ratio}
    )


def _checked(estimator: LoadingsEstimator, panel: Any) -> FittedLoadings:
    fitted = estimator.fit(panel)
    if not isinstance(fitted, FittedLoadings):
        raise InvalidParameterError(
            f"expected FittedLoadings from {type(estimator).__name__}.fit, got {type(fitted).__name__}."
        )
    if not fitted.assets.equals(panel.assets):
        raise InvalidParameterError(
            f"expected loadings of the panel's assets, {labels.listing(panel.assets)}, from "
            f"{type(estimator).__name__}.fit, got those of {labels.listing(fitted.assets)}."
        )
    return fitted


def _checked_covariance(estimator: FactorCovarianceEstimator, fitted: FittedLoadings) -> Array:
    covariance: Any = estimator.fit(fitted.factor_returns, fitted.horizon)
    k = len(fitted.factors)
    labelled = not isinstance(covariance, pd.DataFrame) or (
        covariance.index.equals(fitted.factors) and covariance.columns.equals(fitted.factors)
    )
    matrix = np.asarray(covariance, dtype=np.float64)
    if matrix.shape != (k, k) or not labelled:
        raise InvalidParameterError(
            f"expected the covariance of the factors {labels.listing(fitted.factors)}, in order, from "
            f"{type(estimator).__name__}.fit, got one of shape {matrix.shape}.",
            expected=(k, k),
            got=matrix.shape,
        )
    return matrix


def _checked_risk(estimator: IdioVarianceEstimator, fitted: FittedLoadings) -> IdioRisk:
    risk = estimator.fit(fitted.residuals, fitted)
    if not isinstance(risk, IdioRisk) or not risk.assets.equals(fitted.assets):
        raise InvalidParameterError(
            f"expected IdioRisk of the assets {labels.listing(fitted.assets)} from {type(estimator).__name__}.fit, got "
            f"{risk!r}."
        )
    return risk
