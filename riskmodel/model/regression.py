"""Results of regressions: standard errors, R², observations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import shown
from riskmodel._core.arrays import Array, Index, by_constructor
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError, NotEstimatedError, UnknownAssetError
from riskmodel.horizon import Horizon
from riskmodel.model.parts import PART, require_shapes
from riskmodel.model.robust_errors import RobustErrors
from riskmodel.model.weighted_summary import weighted_summary
from riskmodel.panel.base import Panel
from riskmodel.panel.memory import ReturnPanel

# Two computations of the same regression agree to this share of the standard errors.
_SAME_FIT = 1e-4


def _check(self: RegressionFit, _attribute: Any, _value: Any) -> None:
    n, k = len(self.assets), len(self.factors)
    by_asset = dict.fromkeys(("alpha", "idio_variance", "total_variance", "rsquared", "n_observations"), (n,))
    require_shapes(self, by_asset | {"loadings": (n, k), "std_errors": (n, k + 1)})


@final
@frozen(eq=False, repr=False)
class RegressionFit(Listed):
    r"""Time-series regressions of assets on factors, one for each asset.

    The coefficients are those of the regression, even where the model's are shrunk.

    Parameters
    ----------
    assets, factors : pandas.Index
        N and K labels.
    alpha : array, shape (N,)
        Intercepts, decimals per `horizon`.
    loadings : array, shape (N, K)
        Slopes, dimensionless.
    idio_variance : array, shape (N,)
        Residual variance with ddof 1, return² per `horizon`.
    total_variance : array, shape (N,)
        Variance of each asset over its own dates with ddof 1, return² per `horizon`.
    rsquared : array, shape (N,)
        Share of the variance over the asset's own dates that the factors explain; NaN without variance.
    std_errors : array, shape (N, K + 1)
        Of alpha (decimals per `horizon`) and the loadings.
    n_observations : array, shape (N,)
        Dates of each asset; the effective number where weighted.
    horizon : Horizon
        The horizon of all figures.
    decay_factor : float
        Ratio of the weight of a date to that of the next date; 1 for equal weights.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> fit = rm.OLS().fit(panel).regression
    >>> fit.rsquared.round(3).to_dict(), fit.std_errors["Mkt-RF"].round(3).to_dict()
    ({'MSFT': 0.451, 'JPM': 0.552}, {'MSFT': 0.017, 'JPM': 0.02})
    """

    assets: pd.Index[Any] = field(converter=labels.asset_labels)
    factors: pd.Index[Any] = field(converter=labels.factor_labels)
    # mypy cannot read a Converter that sees the other fields
    _alpha: Array = field(converter=PART)  # type: ignore[misc]
    _loadings: Array = field(converter=PART)  # type: ignore[misc]
    _idio_variance: Array = field(converter=PART)  # type: ignore[misc]
    _total_variance: Array = field(converter=PART)  # type: ignore[misc]
    _rsquared: Array = field(converter=PART)  # type: ignore[misc]
    _std_errors: Array = field(converter=PART)  # type: ignore[misc]
    _n_observations: Array = field(converter=PART)  # type: ignore[misc]
    horizon: Horizon
    decay_factor: float = field(default=1.0, validator=_check)

    __reduce__ = by_constructor

    def __repr__(self) -> str:
        return f"<RegressionFit {len(self.assets)} assets on {len(self.factors)} factors, per {self.horizon}>"

    @property
    def std_errors(self) -> pd.DataFrame:
        """Standard errors, assets × (``alpha``, factors); alpha's in decimals per horizon."""
        return self._by_parameter(self._std_errors)

    @property
    def tvalues(self) -> pd.DataFrame:
        """Estimate over standard error, assets × (``alpha``, factors), dimensionless."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._by_parameter(np.column_stack([self._alpha, self._loadings]) / self._std_errors)

    @property
    def rsquared(self) -> pd.Series[float]:
        """Share of the variance over the asset's own dates that the factors explain; NaN without variance."""
        return self._by_asset(self._rsquared, "rsquared")

    @property
    def total_variance(self) -> pd.Series[float]:
        """Variance by asset over its own dates with ddof 1, return² per horizon."""
        return self._by_asset(self._total_variance, "total_variance")

    @property
    def unbiased_idio_variance(self) -> pd.Series[float]:
        """Residual variance by asset, RSS / (T - K - 1), as standard errors use it, return² per horizon."""
        scale = unbiased_scale(self._n_observations, len(self.factors))
        return self._by_asset(self._idio_variance * scale, "unbiased_idio_variance")

    @property
    def n_observations(self) -> pd.Series[Any]:
        """Dates on which each asset was estimated; the effective number where weighted."""
        n = self._n_observations
        whole = n.astype(np.int64)
        return pd.Series(whole if (whole == n).all() else n, self.assets.copy(), name="n_observations")

    def at(self, horizon: Horizon) -> Self:
        """The same regressions at another horizon: means and variances by h, loadings and t values not at all."""
        to_mean, to_variance = self.horizon.scale_mean, self.horizon.scale_variance
        errors = self._std_errors.copy()
        errors[:, 0] = to_mean(errors[:, 0], to=horizon)
        return evolve(
            self,
            alpha=to_mean(self._alpha, to=horizon),
            idio_variance=to_variance(self._idio_variance, to=horizon),
            total_variance=to_variance(self._total_variance, to=horizon),
            std_errors=errors,
            horizon=horizon,
        )

    def take(self, at: Index) -> Self:
        """The regressions of the assets at some positions.

        Raises
        ------
        InvalidParameterError
            For positions that are no whole numbers, or out of range.
        """
        at = _positions(at, len(self.assets))
        parts = ("alpha", "loadings", "idio_variance", "total_variance", "rsquared", "std_errors", "n_observations")
        return evolve(self, assets=self.assets[at], **{name: getattr(self, f"_{name}")[at] for name in parts})

    def summary(self, asset: Any, panel: ReturnPanel) -> Any:
        """Return the regression of one asset as statsmodels prints it: see `FactorModel.summary`."""
        return self._summary(asset, panel, lambda chosen: chosen.select(factors=self.factors).arrays()[1])

    def _summary(
        self,
        asset: Any,
        panel: ReturnPanel,
        factors: Callable[[ReturnPanel], Array],
        robust: RobustErrors | None = None,
    ) -> Any:
        """Summarise a regression on what `factors` returns for a panel, T × K, with classical errors or others."""
        import statsmodels.api as sm  # noqa: PLC0415 - heavy, and used only here

        row = int(labels.positions([asset], self.assets, "asset", UnknownAssetError)[0])
        if not isinstance(panel, ReturnPanel):
            hint = "; take its select(...)" if isinstance(panel, Panel) else ""
            raise InvalidParameterError(f"expected a ReturnPanel, got {type(panel).__name__}{hint}.")
        every = panel.select([asset], []).excess_returns[asset]
        rows = np.flatnonzero(every.notna())
        # from the asset's own last date: from the panel's, the weights of one that ended long ago are no numbers
        weights = self.decay_factor ** (rows.max(initial=0) - rows).astype(np.float64)
        returns = every.dropna().rename(str(asset))
        design = pd.DataFrame(factors(panel)[rows], returns.index, self.factors)
        design.insert(0, "alpha", 1.0)
        model = sm.WLS(returns, design, weights=weights)
        # weights are relevance, not precision, so the degrees of freedom are those of the effective number of dates
        model.df_resid = float(self._n_observations[row]) - design.shape[1]
        fitted = model.fit()
        self._require_same_fit(row, fitted, panel)
        if robust is not None:
            fitted = robust.applied_to(fitted)
        of_what = f"{asset}, excess returns per {panel.horizon}"
        if self.decay_factor == 1.0:
            return fitted.summary(title=f"Least squares: {of_what}")
        title = f"Weighted least squares ({self.decay_factor:.6g} a date): {of_what}"
        notes = [] if robust is None else [robust.note]
        return weighted_summary(fitted, weights, float(self._n_observations[row]), title, notes)

    def _require_same_fit(self, row: int, fitted: Any, panel: ReturnPanel) -> None:
        """Raise unless the panel is the one that was fitted."""
        own = self.at(panel.horizon)
        mine, errors = np.append(own._alpha[row], own._loadings[row]), own._std_errors[row]
        tolerance = _SAME_FIT * errors + 1e-9 * np.abs(mine)
        if not (np.abs(fitted.params.to_numpy() - mine) <= tolerance).all():
            raise NotEstimatedError(
                f"expected the panel that the model was fitted on, got {panel!r}, where the regression of "
                f"{self.assets[row]} has other coefficients; pass the panel that was passed to fit.",
                asset=self.assets[row],
            )

    def _by_asset(self, values: Array, name: str) -> pd.Series[float]:
        return pd.Series(values, self.assets.copy(), name=name, copy=False)

    def _by_parameter(self, values: Array) -> pd.DataFrame:
        return pd.DataFrame(values, self.assets.copy(), pd.Index(["alpha", *self.factors]), copy=False)


def unbiased_scale(n: Array, k: int | Array) -> Array:
    """(n - 1)/(n - K - 1), from a variance with ddof 1 to an unbiased one; NaN without degrees of freedom."""
    dof = n - k - 1
    return np.asarray(np.divide(n - 1, dof, where=dof > 0, out=np.full(n.shape, np.nan)))


def _positions(at: Any, n: int) -> Index:
    """Return positions among n, or flags of n, as positions; raise for others."""
    try:
        given = np.asarray(at)
        if given.dtype.kind not in "iub" and given.size:
            raise TypeError(f"they are of dtype {given.dtype}")
        taken = np.arange(n, dtype=np.intp)[given if given.size else np.empty(0, dtype=np.intp)]
        if taken.ndim != 1:
            raise ValueError(f"they have {taken.ndim} dimensions")
    except (IndexError, ValueError, TypeError, OverflowError) as error:
        raise InvalidParameterError(
            f"expected at as whole numbers below {n}, positions of assets, got {shown(at)}: {error}.",
            parameter="at",
            got=at,
        ) from error
    return np.asarray(taken)
