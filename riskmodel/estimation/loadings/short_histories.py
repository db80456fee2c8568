"""Loadings of assets with short histories, from a prior."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core.arrays import Flags, Index, by_constructor, set_read_only
from riskmodel.errors import InvalidParameterError, TooFewObservationsError
from riskmodel.estimation.groups import numbered, read_groups
from riskmodel.estimation.in_memory import in_memory
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.loadings.normal_prior import NormalPrior
from riskmodel.estimation.weighting import effective_number, require_at_least, require_instance, weighted_variance
from riskmodel.panel.base import Panel
from riskmodel.panel.memory import ReturnPanel


@final
@frozen(eq=False)
class ShortHistories(LoadingsEstimator):
    r"""Loadings of assets with few returns, or none, from those of the other assets: an empirical Bayes prior.

    Assets with `minimum` returns or more are estimated by `inner`. The mean m and the covariance S of their
    :math:`\theta = (\alpha, \beta)` are the prior of each other asset, whose own returns make the posterior: with
    X = (1, f) over its dates and the weights W of these,

    .. math:: \hat\theta = m + (\sigma^2 I + S X^\top W X)^{-1} S X^\top W (r - X m),

    which is :math:`(S^{-1} + X^\top W X / \sigma^2)^{-1} (S^{-1} m + X^\top W r / \sigma^2)` where S is regular
    ([1]_ for one beta, [2]_ for regressions). The residual variance σ² is the mean of its inverse gamma posterior given
    :math:`\hat\theta`, found in turns with it ([2]_, section 5); its prior is the distribution of the others' residual
    variances. An asset without a return has the prior mean, m.

    The assets with a prior are `FittedLoadings.prior`, and the model says so: `FactorModel.prior`. Where there are any,
    there is no `FittedLoadings.regression`. Let `ShortHistoryVariance` estimate their idio variances. Put this outside
    of other wrappers: outside of it, they would change what has a prior.

    Parameters
    ----------
    inner : LoadingsEstimator
        What estimates the other assets.
    minimum : int
        The fewest returns without a prior.
    groups : Series or mapping by asset, optional
        The group of each asset, such as its sector: the prior is that of the group, if K + 3 of its assets or more have
        no prior, and otherwise that of all. By default all assets are one group.

    References
    ----------
    .. [1] Vasicek, O. A. (1973). A Note on Using Cross-Sectional Information in Bayesian Estimation of Security Betas.
       *Journal of Finance* 28(5), 1233-1239.
    .. [2] Lindley, D. V. and Smith, A. F. M. (1972). Bayes Estimates for the Linear Model. *Journal of the Royal
       Statistical Society B* 34(1), 1-41.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "PEP", "XOM", "JPM"], ["Mkt-RF"], start="2018-01-01")
    >>> returns = panel.excess_returns.copy()
    >>> returns.loc[:"2018-11-15", "JPM"] = float("nan")  # listed two weeks before the end
    >>> short = rm.InMemory(
    ...     returns, factors=panel.factor_returns, risk_free=0.0, horizon=rm.DAY, return_type=rm.EXCESS
    ... ).panel(list(returns), ["Mkt-RF"])
    >>> fitted = rm.ShortHistories(rm.TimeSeries(rm.OLS()), minimum=60).fit(short)
    >>> fitted.prior
    ('JPM',)
    """

    inner: LoadingsEstimator = field(validator=require_instance(LoadingsEstimator, "rm.TimeSeries(rm.OLS())"))
    minimum: int = field(validator=require_at_least(1))
    _groups: pd.Series[Any] | None = field(default=None, converter=read_groups)

    __reduce__ = by_constructor

    @property
    def groups(self) -> pd.Series[Any] | None:
        """The group of each asset; None where all are one."""
        return None if self._groups is None else self._groups.copy()

    def fit(self, panel: Panel) -> FittedLoadings:
        """Estimate the long histories with `inner`, and the short ones from the prior.

        Raises
        ------
        TooFewObservationsError
            If fewer than two assets have `minimum` returns: there is no cross-section.
        UnknownAssetError
            For an asset without a group.
        InvalidParameterError
            For characteristics as loadings, as of `CrossSectional`: these need no prior.
        """
        memory = in_memory(panel)
        numbers = numbered(self._groups, memory.assets)
        short = (~np.isnan(memory.arrays()[0])).sum(axis=0) < self.minimum
        if not short.any():
            fitted = self.inner.fit(memory)
            return evolve(fitted, before=fitted)
        if (~short).sum() < 2:
            few = list(memory.assets[short])
            raise TooFewObservationsError(
                f"expected two assets or more with {self.minimum} returns, for a prior, got {(~short).sum()}; lower "
                "minimum, or add assets.",
                assets=few,
                minimum=self.minimum,
            )
        fitted = self.inner.fit(memory.select(list(memory.assets[~short])))
        if fitted.cross_section is not None:
            raise InvalidParameterError(
                "expected loadings that are estimated from returns, got characteristics, which a short history has "
                "too; omit ShortHistories, and use ShortHistoryVariance alone.",
                inner=self.inner,
            )
        return _with_priors(fitted, memory, short, numbers)


def _with_priors(fitted: FittedLoadings, memory: ReturnPanel, short: Flags, numbers: Index) -> FittedLoadings:
    """Add the short assets to what was fitted on the others."""
    x = np.column_stack([np.ones(len(memory.dates)), fitted.factor_returns])
    weights = np.asarray(fitted.weights, dtype=np.float64)
    returns = memory.arrays()[0]
    parameters = np.empty((len(short), x.shape[1]))
    parameters[~short] = np.column_stack([fitted.alpha, fitted.loadings])
    priors = _priors(fitted, numbers[~short])
    for i in np.flatnonzero(short):
        there = ~np.isnan(returns[:, i])
        prior = priors.get(int(numbers[i]), priors[_ALL])
        parameters[i] = prior.posterior_mean(returns[there, i], x[there], weights[there])
    residuals = returns - x @ parameters.T
    residuals[:, ~short] = fitted.residuals
    return evolve(
        fitted,
        assets=memory.assets,
        alpha=parameters[:, 0],
        loadings=parameters[:, 1:],
        residuals=set_read_only(residuals),
        regression=None,
        before=fitted,
        prior=[*fitted.prior, *memory.assets[short]],
    )


_ALL = -1


def _priors(fitted: FittedLoadings, numbers: Index) -> dict[int, NormalPrior]:
    """The prior of each group that has enough assets, and of all."""
    parameters = np.column_stack([fitted.alpha, fitted.loadings])
    weights = np.asarray(fitted.weights, dtype=np.float64)
    variances = weighted_variance(fitted.residuals, weights)
    observed = fitted.residuals.notna().to_numpy(dtype=np.float64)
    degrees = np.maximum(effective_number(weights, observed) - parameters.shape[1], 1.0)
    members: dict[int, Any] = {_ALL: np.arange(len(numbers))}
    members |= {int(g): np.flatnonzero(numbers == g) for g in np.unique(numbers)}
    enough = parameters.shape[1] + 2
    return {
        g: NormalPrior.of(parameters[at], variances[at], degrees[at])
        for g, at in members.items()
        if g == _ALL or len(at) >= enough
    }
