"""Several models of the same assets as one, whose covariance is their mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel._core.linalg import root
from riskmodel._core.threads import one_blas_thread
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.base import Estimator
from riskmodel.estimation.mixture import read_list, require_each, require_shares_of
from riskmodel.estimation.recorded import recorded
from riskmodel.horizon import require_same
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import Panel
from riskmodel.panel.factors import Factor, FactorOfAssets, is_same, positions_held

# Directions of the stacked factors below this share of the largest are rounding.
_ROUNDING = 1e-10


@final
@frozen
class Blend(Estimator):
    r"""The weighted mean of the covariances of several estimators, as one factor model.

    Slow estimates are precise and late, fast ones are up to date and noisy; a mean of both has less error than either
    ([1]_, section 4, for combinations of covariance estimates). The factors are those of the first estimator, and

    .. math:: B F B^\top + C C^\top + \mathrm{diag}(s^2) = \sum_m w_m \Sigma_m

    exactly: F and B F are the weighted means of the factors' variances and of the assets' covariances with them, and
    what the estimators disagree on beside these is in the `links` C. Expected returns are weighted means too.

    Parameters
    ----------
    estimators : sequence of Estimator
        M of them, for the same assets. Each factor of the first must be a portfolio of the assets, such as a principal
        component, or be a factor of all.
    weights : sequence of float
        Of each, 0 or more; they sum to 1.

    References
    ----------
    .. [1] Johansson, K., Ogut, M. G., Pelger, M., Schmelzer, T. and Boyd, S. (2023). A Simple Method for Predicting
       Covariance Matrices of Financial Returns. *Foundations and Trends in Econometrics* 12(4), 324-407.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "PEP", "XOM"], ["Mkt-RF"])
    >>> slow, fast = rm.OLS(), rm.EWMA(rm.QUARTER)
    >>> blend = rm.Blend([slow, fast], [0.6, 0.4]).fit(panel).covariance.to_dense()
    >>> mean = 0.6 * slow.fit(panel).covariance.to_dense() + 0.4 * fast.fit(panel).covariance.to_dense()
    >>> bool(abs(blend / mean - 1).max(axis=None) < 1e-12)
    True
    """

    estimators: tuple[Estimator, ...] = field(converter=read_list, validator=require_each(Estimator, "rm.OLS()"))
    weights: tuple[float, ...] = field(converter=read_list, validator=require_shares_of("estimators"))

    def fit(self, panel: Panel) -> FactorModel:
        """Fit each estimator, and blend the models.

        Raises
        ------
        InvalidParameterError
            If the models differ in their assets or horizons, or lack a factor of the first.
        """
        return recorded(_blended([e.fit(panel) for e in self.estimators], self.weights), self, panel)

    def fewest_observations(self, panel: Panel) -> int:
        """The most that one of the estimators needs."""
        return max(e.fewest_observations(panel) for e in self.estimators)


@one_blas_thread()
def _blended(models: Sequence[FactorModel], weights: Sequence[float]) -> FactorModel:
    first = models[0]
    for other in models[1:]:
        require_same(first.horizon, other.horizon, "the models of a Blend")
        if not other.assets.equals(first.assets):
            raise InvalidParameterError(
                f"expected models of the same assets, {labels.listing(first.assets)}, got one of "
                f"{labels.listing(other.assets)}.",
                expected=list(first.assets),
                got=list(other.assets),
            )
    # returns are G u plus residuals, for uncorrelated u of variance one, and the factors of the first are J'u
    halves = [np.sqrt(w) * root(m.factor_covariance.to_numpy()) for m, w in zip(models, weights, strict=True)]
    g = np.hstack([m._loadings @ half for m, half in zip(models, halves, strict=True)])
    j = np.vstack([half.T @ _exposures(first, m) for m, half in zip(models, halves, strict=True)])
    directions, lengths, turned = np.linalg.svd(j)
    rank = int((lengths > _ROUNDING * lengths.max(initial=0.0)).sum())
    loadings = (g @ directions[:, :rank]) / lengths[:rank] @ turned[:rank]
    rest = [g @ directions[:, rank:], *(np.sqrt(w) * m._links for m, w in zip(models, weights, strict=True))]
    links = np.hstack(rest)
    links = links[:, np.abs(links).max(axis=0, initial=0.0) > 0]
    own = sum(w * m.covariance._own_variance for m, w in zip(models, weights, strict=True))
    expected = sum(w * (m._alpha + m._loadings @ m._factor_mean) for m, w in zip(models, weights, strict=True))
    return FactorModel(
        assets=first.assets,
        factors=first.factors,
        alpha=expected - loadings @ first._factor_mean,
        loadings=loadings,
        factor_mean=first._factor_mean,
        factor_covariance=j.T @ j,
        idio_variance=own + (links**2).sum(axis=1),
        risk_free_mean=sum(w * m.risk_free_mean for m, w in zip(models, weights, strict=True)),
        horizon=first.horizon,
        definitions=first.definitions,
        links=links,
        priors=[a for a in first.assets if any(a in m._priors for m in models)],
    )


def _exposures(first: FactorModel, model: FactorModel) -> Array:
    """Exposures of the first model's factors (columns) to those of another (rows)."""
    columns = [_exposure(f, model) for f in first.definitions]
    return np.array(columns).reshape(len(columns), len(model.factors)).T


def _exposure(factor: Factor, model: FactorModel) -> Array:
    for k, known in enumerate(model.definitions):
        if factor.name == known.name and is_same(factor, known):
            return np.asarray(np.eye(len(model.factors))[k])
    if isinstance(factor, FactorOfAssets):
        held = factor.held
        at = positions_held(held.index, model.assets, "model")
        return np.asarray(model._loadings[at].T @ held.to_numpy())
    raise InvalidParameterError(
        f"expected the factor {factor.name!r} of the first estimator in all of them, got "
        f"{labels.listing(model.factors)}; blend estimators of the same observed factors.",
        factor=factor.name,
        factors=list(model.factors),
    )
