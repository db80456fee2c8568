"""Variances of residuals from characteristics, for assets whose own history says little."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import Attribute, evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Flags, by_constructor
from riskmodel._core.frames import read_numbers
from riskmodel.errors import InvalidParameterError, MissingExposuresError, TooFewObservationsError
from riskmodel.estimation.idio_variance.base import IdioVarianceEstimator, read_residuals
from riskmodel.estimation.idio_variance.risk import IdioRisk
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.weighting import require_at_least, require_instance

# The interquartile range of a normal variable, in standard deviations.
_QUARTILES = 1.3489795003921634
# Residuals beyond this many robust standard deviations are set to it where tails are judged.
_FARTHEST = 10.0
# Singular values of the regressors below this share of the largest are zero.
_RANK = 1e-10


def _read_regressors(regressors: Any) -> pd.DataFrame | None:
    """Return regressors as numbers by asset; groups become one column each (an attrs converter)."""
    if regressors is None:
        return None
    if not isinstance(regressors, pd.Series | pd.DataFrame):
        raise InvalidParameterError(
            f"expected regressors as a DataFrame or Series by asset, got {type(regressors).__name__}.",
            parameter="regressors",
        )
    frame = regressors.to_frame() if isinstance(regressors, pd.Series) else regressors
    assets = labels.unique(frame.index, "the assets of regressors")
    parts = [_read_column(frame.iloc[:, [j]]) for j in range(frame.shape[1])]
    if not parts:
        raise InvalidParameterError(
            "expected a regressor, got none; omit regressors for loadings.", parameter="regressors"
        )
    return pd.concat(parts, axis=1).set_axis(assets, axis=0)


def _read_column(column: pd.DataFrame) -> pd.DataFrame:
    """One regressor: numbers, or a column of 0 and 1 for each group."""
    dtype = column.dtypes.iloc[0]
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
        numbers = read_numbers(column, "regressors")
        if np.isinf(numbers).any():
            raise InvalidParameterError("expected finite regressors, got infinite ones.", parameter="regressors")
        return pd.DataFrame(numbers, column.index, column.columns)
    groups = column.iloc[:, 0]
    flags = pd.get_dummies(groups.astype(object)).astype(np.float64)
    flags[groups.isna()] = np.nan
    return flags


def _is_longer(structural: Structural, attribute: Attribute[Any], value: Any) -> None:
    require_at_least(1)(structural, attribute, value)
    if value <= structural.least:
        raise InvalidParameterError(
            f"expected full above least, {structural.least}, got {value}.", parameter=attribute.name, got=value
        )


@final
@frozen(eq=False)
class Structural(IdioVarianceEstimator):
    r"""Idio volatilities blended with what characteristics say, the more so the less an asset's own history says.

    Over the assets with :math:`\gamma = 1`, own volatilities are regressed on characteristics x:
    :math:`\ln \sigma_n = a + b^\top x_n + e_n`. The structural volatility of each asset is
    :math:`\sigma_n^{str} = E_0 \exp(a + b^\top x_n)`, where :math:`E_0` makes its mean that of own volatilities over
    these assets, and the blend is

    .. math:: \sigma_n' = \gamma_n \sigma_n + (1 - \gamma_n) \sigma_n^{str}, \qquad
        \gamma_n = \min\!\Big(1, \max\!\Big(0, \frac{h_n - h_0}{h_1 - h_0}\Big)\Big) \min(1, e^{1 - Z_n}),

    with h the number of residuals and :math:`Z = |\sigma^{eq} - \tilde\sigma| / \tilde\sigma` the fatness of tails:
    :math:`\tilde\sigma` is the interquartile range over 1.35, and :math:`\sigma^{eq}` the standard deviation of
    residuals winsorised at ten of these ([1]_, section 5.2; there, regressions are weighted by the square root of
    capitalisation, here assets weigh alike). A structural volatility is kept between the smallest and the largest own
    one of the regression.

    Assets whose own estimate has less than half of the weight are `IdioRisk.prior`. Where all :math:`\gamma = 1`, the
    result is that of `inner`.

    Parameters
    ----------
    inner : IdioVarianceEstimator
        What estimates own variances, of the assets with :math:`\gamma > 0`.
    regressors : DataFrame or Series by asset, optional
        x: columns of numbers, such as standardised styles, and of groups. It may have more assets than the panel. By
        default the loadings, which are characteristics in a `CrossSectional` model. A group without an asset of
        :math:`\gamma = 1` has the mean of the others.
    least, full : int, optional
        :math:`h_0` and :math:`h_1`: up to `least` residuals, the own estimate has no weight; from `full` on, all.

    References
    ----------
    .. [1] Menchero, J., Orr, D. J. and Wang, J. (2011). *The Barra US Equity Model (USE4): Methodology Notes*. MSCI.

    Examples
    --------
    >>> import pandas as pd, riskmodel as rm
    >>> names = ["KO", "PEP", "PG", "XOM", "CVX", "JPM", "BAC"]
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(rm.SampleData().panel(names, ["Mkt-RF"]))
    >>> residuals = fitted.residuals.copy()
    >>> residuals.loc[:"2018-11-30", "PEP"] = float("nan")  # a listing of a month
    >>> sector = pd.Series(["food", "food", "food", "oil", "oil", "bank", "bank"], names)
    >>> risk = rm.Structural(rm.SampleVariance(), sector).fit(residuals, fitted)
    >>> (risk.variance ** 0.5 * 252 ** 0.5).round(3)[["KO", "PEP", "PG"]].tolist()
    [0.18, 0.184, 0.186]
    >>> list(risk.prior[risk.prior].index)
    ['PEP']
    """

    inner: IdioVarianceEstimator = field(validator=require_instance(IdioVarianceEstimator, "rm.SampleVariance()"))
    _regressors: pd.DataFrame | None = field(default=None, converter=_read_regressors)
    least: int = field(default=60, validator=require_at_least(0), kw_only=True)
    full: int = field(default=180, validator=_is_longer, kw_only=True)

    __reduce__ = by_constructor

    @property
    def regressors(self) -> pd.DataFrame | None:
        """Numbers by asset, groups as columns of 0 and 1; None where these are the loadings."""
        return None if self._regressors is None else self._regressors.copy()

    def fit(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> IdioRisk:
        r"""Estimate own variances with `inner`, and blend them with structural ones.

        Raises
        ------
        TooFewObservationsError
            If no more assets than independent regressors have :math:`\gamma = 1`; ``details["assets"]`` names the
            others.
        MissingExposuresError
            For an asset of :math:`\gamma < 1` whose regressors are missing.
        """
        residuals = read_residuals(residuals, loadings)
        assets, gamma = residuals.columns, self.own_weights(residuals)
        if (gamma == 1.0).all():
            return self.inner.fit(residuals, loadings)
        x = self._values(assets, loadings)
        lacking = np.asarray((gamma < 1.0) & np.isnan(x).any(axis=1))
        if lacking.any():
            raise MissingExposuresError(
                f"expected regressors of {labels.listing(assets[lacking])}, whose own history says little, got none; "
                "add them, or leave these assets out.",
                assets=list(assets[lacking]),
            )
        own = np.full(len(assets), np.nan)
        some = gamma > 0.0
        risk = self.inner.fit(residuals.loc[:, some], loadings) if some.any() else None
        if risk is not None:
            own[some] = np.sqrt(risk.variance.to_numpy())
        structural = _structural(x, own, self._members(assets, gamma, own, x))
        blend = np.where(gamma == 1.0, own, gamma * np.nan_to_num(own) + (1.0 - gamma) * structural)
        priors = [*(risk.assets[risk.prior.to_numpy()] if risk is not None else ()), *assets[gamma < 0.5]]
        before = IdioRisk(assets, blend**2, loadings.horizon) if risk is None else risk
        links = before.links.reindex(assets, fill_value=0.0)
        known = before.variance.reindex(assets, fill_value=0.0)
        grown = evolve(before, assets=assets, variance=known, priors=list(dict.fromkeys(priors)), links=links)
        return grown.with_variance(blend**2)

    def own_weights(self, residuals: pd.DataFrame) -> Array:
        """γ of each asset, shape (N,).

        Parameters
        ----------
        residuals : DataFrame, dates × assets
            NaN where missing.
        """
        lengths = residuals.notna().to_numpy().sum(axis=0)
        ends = residuals.quantile([0.25, 0.75]).to_numpy()
        robust = (ends[1] - ends[0]) / _QUARTILES
        reach = _FARTHEST * robust
        equal = residuals.clip(-reach, reach, axis=1).std().to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            tails = np.where(equal == robust, 0.0, np.abs(equal - robust) / robust)
        history = np.clip((lengths - self.least) / (self.full - self.least), 0.0, 1.0)
        return np.asarray(np.where(history > 0, history * np.minimum(1.0, np.exp(1.0 - np.nan_to_num(tails))), 0.0))

    def _values(self, assets: pd.Index[Any], loadings: FittedLoadings) -> Array:
        frame = loadings.loadings if self._regressors is None else self._regressors
        return np.asarray(frame.reindex(assets).to_numpy(dtype=np.float64))

    def _members(self, assets: pd.Index[Any], gamma: Array, own: Array, x: Array) -> Flags:
        """The assets of the regression: an own volatility with full weight, above zero, and all regressors."""
        members = np.asarray((gamma == 1.0) & (own > 0) & ~np.isnan(x).any(axis=1))
        centred = x[members] - x[members].mean(axis=0) if members.any() else x[members]
        needed = int(np.linalg.matrix_rank(centred)) + 2 if members.any() else 2
        if members.sum() < needed:
            short = list(assets[gamma < 1.0])
            raise TooFewObservationsError(
                f"expected {needed} assets or more with {self.full} residuals, for a regression of their volatilities "
                f"on {x.shape[1]} characteristics, got {members.sum()}; use fewer regressors, lower full, or leave out "
                f"{labels.listing(short)}.",
                assets=short,
                needed=needed,
                got=int(members.sum()),
            )
        return members


def _structural(x: Array, own: Array, members: Flags) -> Array:
    """Structural volatilities of all assets, shape (N,)."""
    logs = np.log(own[members])
    centred = x - x[members].mean(axis=0)
    lengths = np.sqrt((centred[members] ** 2).sum(axis=0))
    scaled = centred / np.where(lengths > 0, lengths, 1.0)
    # the smallest coefficients where regressors are dependent, as those of all groups are
    slopes = np.linalg.lstsq(scaled[members], logs - logs.mean(), rcond=_RANK)[0]
    fitted = np.exp(np.clip(logs.mean() + scaled @ slopes, logs.min(), logs.max()))
    return np.asarray(fitted * own[members].sum() / fitted[members].sum())
