"""Fama and MacBeth's regressions: a cross-section of returns on loadings for each date, and the mean of its slopes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, Flags, read_only
from riskmodel._core.listing import Listed
from riskmodel.errors import NotEstimatedError
from riskmodel.horizon import Horizon, require_same
from riskmodel.inference.agreement import require_regression, require_same_factors
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.covariance.hac import HAC
from riskmodel.inference.estimand import LONG_RUN
from riskmodel.inference.influence import FactorInfluence
from riskmodel.inference.risk_premia import ZERO_BETA, premium_table
from riskmodel.model.history import ModelHistory
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel

# A cross-section whose loadings are conditioned worse than this has no slopes.
_CONDITION = 1e10


@final
@frozen(eq=False, repr=False)
class FamaMacBeth(Listed):
    r"""Premia as means of slopes :math:`\lambda_t` of cross-sections of returns on loadings [1]_.

    The regression of each date has an intercept, the zero-beta rate. Errors are those of the mean of a series;
    `shanken` adds the error of the loadings. For premia without an intercept, and errors that count those of the
    loadings whatever the residuals are like, see `RiskPremia`.

    Attributes
    ----------
    by_date : DataFrame, dates × (``zero-beta rate``, factors)
        Slopes, decimals per row; NaN on dates with too few assets, or whose loadings are linearly dependent.
    covariance : array, shape (K + 1, K + 1)
        Of their means, return² per row.
    degrees : float
        Degrees of freedom of the covariance.
    horizon : Horizon
        Of a row.

    References
    ----------
    .. [1] Fama, E. F. and MacBeth, J. D. (1973). Risk, Return, and Equilibrium: Empirical Tests. *Journal of Political
       Economy* 81(3), 607-636.

    Examples
    --------
    >>> import riskmodel as rm
    >>> names = ["BusEq", "Chems", "Durbl", "Enrgy", "Hlth", "Manuf", "Money", "NoDur", "Shops", "Telcm", "Utils"]
    >>> panel = rm.SampleData(rm.MONTH).panel(names, ["Mkt-RF"], start="1980-01")
    >>> passes = rm.FamaMacBeth.of(rm.OLS().fit(panel), panel)
    >>> passes.shanken()[["premium", "std_error"]].round(4)
                    premium  std_error
    zero-beta rate   0.0075     0.0024
    Mkt-RF          -0.0002     0.0034
    """

    by_date: pd.DataFrame
    _premia: Array = field(converter=read_only)
    covariance: Array = field(converter=read_only)
    degrees: float
    horizon: Horizon
    _shanken: Array | None

    @classmethod
    def of(cls, model: FactorModel, panel: ReturnPanel, covariance: LongRunCovariance | None = None) -> Self:
        """Estimate premia with the loadings of a model, the same on every date.

        Dates are weighted as the model weights them.

        Parameters
        ----------
        model : FactorModel
            Of `OLS` or `EWMA`.
        panel : ReturnPanel
            The one that it was fitted on.
        covariance : LongRunCovariance, optional
            Of the mean of the slopes; by default `HAC`, Newey and West's. `Classical` makes the errors of the paper.

        Raises
        ------
        NotEstimatedError
            For a model without a regression or of other factors, or if no date, or one only, has enough assets.
        """
        require(model, FactorModel, "model", "from rm.OLS().fit(panel)")
        require(panel, ReturnPanel, "panel", "that the model was fitted on")
        require_regression(model)
        factors = FactorInfluence.of(model, panel)
        require_same_factors(model, factors)
        returns = panel.select(model.assets, []).arrays()[0]
        slopes = _slopes(returns, model._loadings)
        made = cls._of(slopes, factors.share, panel.dates, model.factors, model.horizon, covariance)
        return made._with_shanken(model, factors, _read(covariance))

    @classmethod
    def of_history(cls, history: ModelHistory, covariance: LongRunCovariance | None = None) -> Self:
        """Estimate premia with loadings known before each date: of the latest window that ended earlier, as the paper.

        Parameters
        ----------
        history : ModelHistory
            With the same factors on all dates.
        covariance : LongRunCovariance, optional
            As of `of`.

        Raises
        ------
        NotEstimatedError
            If factors change, or if no date, or one only, has enough assets.
        """
        require(history, ModelHistory, "history", "from rm.Rolling(rm.YEAR).fit(panel)")
        require_same(history.horizon, history.panel.horizon, "a history and its panel")
        if len(history._definitions) != 1:
            raise NotEstimatedError(
                f"expected a history of models of the same factors, got factors that change in {history!r}."
            )
        dates = history.panel.dates[history._stops[0] :]
        parts = [_slopes(returns, loadings) for returns, loadings in _known_before(history)]
        width = 1 + len(history.factors)
        slopes = np.concatenate(parts) if parts else np.zeros((0, width))
        share = np.full(len(slopes), 1.0 / max(len(slopes), 1))
        return cls._of(slopes, share, dates, history.factors, history.horizon, covariance)

    @classmethod
    def _of(  # noqa: PLR0917 - parts of one series
        cls,
        slopes: Array,
        share: Array,
        dates: pd.DatetimeIndex,
        factors: pd.Index[Any],
        horizon: Horizon,
        covariance: Any,
    ) -> Self:
        chosen = _read(covariance)
        used: Flags = np.asarray(~np.isnan(slopes).any(axis=1))
        if used.sum() < 2:
            raise NotEstimatedError(
                f"expected two dates or more with as many assets as premia whose loadings differ, got {used.sum()}; "
                "use more assets, or fewer factors.",
                dates=int(used.sum()),
            )
        w = np.where(used, share, 0.0) / share[used].sum()
        known = np.where(used[:, None], slopes, 0.0)
        premia = w @ known
        by_date = (w[:, None] * (known - premia)).T
        n = float(1.0 / (w @ w))
        terms = DateTerms(by_date, w, n, 1, by_date @ by_date.T * n / (n - 1.0))
        frame = pd.DataFrame(slopes, dates, [ZERO_BETA, *factors])
        spread, degrees = chosen.of_sums(terms), float(np.max(chosen.degrees_of_freedom(terms)))
        return cls(frame, premia, spread, degrees, horizon, None)

    def _with_shanken(self, model: FactorModel, factors: FactorInfluence, covariance: LongRunCovariance) -> Self:
        by_date, premia, n = factors.share * factors.deviations.T, self._premia[1:], factors.n
        terms = DateTerms(by_date, factors.share, n, 1, by_date @ by_date.T * n / (n - 1.0))
        of_factors = np.zeros_like(self.covariance)
        of_factors[1:, 1:] = covariance.of_sums(terms)
        c = float(premia @ np.linalg.solve(model._factor_covariance, premia)) if len(premia) else 0.0
        corrected = (1.0 + c) * (self.covariance - of_factors) + of_factors
        return type(self)(self.by_date, self._premia, self.covariance, self.degrees, self.horizon, corrected)

    def __repr__(self) -> str:
        return f"<FamaMacBeth of {len(self.by_date)} dates, {self.by_date.shape[1] - 1} factors, per {self.horizon}>"

    @property
    def premia(self) -> pd.Series[float]:
        """Mean slopes: the zero-beta rate, and the premium of each factor, decimals per row."""
        return pd.Series(self._premia, self.by_date.columns.copy(), name="premium")

    def table(self) -> pd.DataFrame:
        """Return a row for each premium: ``premium``, ``std_error``, ``tvalue``, ``pvalue`` (two-sided)."""
        return premium_table(self._premia, self.covariance, self.degrees, self.by_date.columns)

    def shanken(self) -> pd.DataFrame:
        r"""Return `table` with errors that count the error of the loadings [1]_.

        :math:`(1 + \lambda^\top F^{-1} \lambda)(V - V_f) + V_f`, where V is the covariance of the mean slopes and
        :math:`V_f` that of the mean factors, for residuals whose variance does not move with the factors.

        Raises
        ------
        NotEstimatedError
            For loadings of a history, of which each is another estimate.

        References
        ----------
        .. [1] Shanken, J. (1992). On the Estimation of Beta-Pricing Models. *Review of Financial Studies* 5(1), 1-33.
        """
        if self._shanken is None:
            raise NotEstimatedError(
                "expected loadings of one model, which the correction is for, got those of a history; use "
                "rm.FamaMacBeth.of(model, panel)."
            )
        return premium_table(self._premia, self._shanken, self.degrees, self.by_date.columns)


def _read(covariance: Any) -> LongRunCovariance:
    given = HAC() if covariance is None else covariance
    return require(given, LongRunCovariance, "covariance", "such as rm.HAC()").about(LONG_RUN)  # type: ignore[type-abstract]


def _known_before(history: ModelHistory) -> Iterator[tuple[Array, Array]]:
    """Returns between the ends of windows, and the loadings of the window that had ended, N × K."""
    returns, stops = history.panel.arrays()[0], history._stops.tolist()
    for d, (start, stop) in enumerate(zip(stops, [*stops[1:], len(returns)], strict=True)):
        yield returns[start:stop], history._estimates.parameters[d, 1:].T


def _slopes(returns: Array, loadings: Array) -> Array:
    """Slopes of cross-sections with an intercept, T × (K + 1), of the assets with a return and loadings."""
    x = np.column_stack([np.ones(len(loadings)), loadings])
    there = ~np.isnan(returns) & ~np.isnan(x).any(axis=1)
    x = np.where(np.isnan(x), 0.0, x)
    p = x.shape[1]
    outer = (x[:, :, None] * x[:, None, :]).reshape(len(x), p * p)
    grams = (there.astype(np.float64) @ outer).reshape(-1, p, p)
    scale = np.sqrt(np.maximum(np.einsum("tpp->tp", grams), np.finfo(float).tiny))
    scaled = grams / scale[:, :, None] / scale[:, None, :]
    solvable = (there.sum(axis=1) >= p) & (np.linalg.cond(scaled) < _CONDITION)
    products = np.where(there, returns, 0.0) @ x / scale
    out = np.full((len(returns), p), np.nan)
    out[solvable] = np.linalg.solve(scaled[solvable], products[solvable, :, None])[..., 0] / scale[solvable]
    return out
