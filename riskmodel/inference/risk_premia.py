"""Risk premia: what exposure to each factor earns, from the cross-section of expected returns or from the factors."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, read_only
from riskmodel._core.listing import Listed
from riskmodel.errors import CollinearFactorsError, NotEstimatedError
from riskmodel.horizon import Horizon
from riskmodel.inference.agreement import require_regression
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.covariance.cosine import Cosine
from riskmodel.inference.date_groups import read_groups
from riskmodel.inference.estimand import LONG_RUN
from riskmodel.inference.influence import FactorInfluence
from riskmodel.inference.joint_test import JointTest, f_of_quadratic_form, quadratic_form, with_enough_cosines
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel

ZERO_BETA = "zero-beta rate"
# Singular values below this share of the largest are rounding, not a difference of loadings.
_RANK = 1e-10


@final
@frozen(eq=False, repr=False)
class RiskPremia(Listed):
    r"""Premia of factors with their errors, and the pricing errors of the assets.

    Expected excess returns :math:`m_i = \alpha_i + \beta_i^\top \mu` are regressed on loadings, so that
    :math:`m = B \lambda + \eta`, and the errors of both passes are counted, by the influence functions of all
    parameters: the two-pass estimator as a method of moments ([1]_, section 12.2). `of` and `with_zero_beta_rate` make
    it for any factors, `traded` from the mean returns of factors that are excess returns.

    Attributes
    ----------
    factors : pandas.Index
        The factors, and ``zero-beta rate`` first where it is estimated.
    assets : pandas.Index
        N labels; none of traded factors, whose own returns are the estimate.
    covariance : array
        Of the premia, return² per row.
    pricing_error_covariance : array, shape (N, N)
        Of the pricing errors, return² per row; its rank is N less the number of premia.
    degrees : float
        Degrees of freedom of the covariance of the premia.
    horizon : Horizon
        Of a row.

    References
    ----------
    .. [1] Cochrane, J. H. (2005). *Asset Pricing*, revised edition. Princeton.

    Examples
    --------
    >>> import riskmodel as rm
    >>> names = ["BusEq", "Chems", "Durbl", "Enrgy", "Hlth", "Manuf", "Money", "NoDur", "Shops", "Telcm", "Utils"]
    >>> panel = rm.SampleData(rm.MONTH).panel(names, ["Mkt-RF"], start="1980-01")
    >>> model = rm.OLS().fit(panel)
    >>> premia = rm.RiskPremia.of(model, panel)
    >>> premia.table()[["premium", "std_error"]].round(4)
            premium  std_error
    Mkt-RF   0.0075     0.0021
    >>> round(premia.joint().pvalue, 2)
    0.33
    """

    factors: pd.Index[Any] = field(converter=labels.factor_labels)
    assets: pd.Index[Any] = field(converter=labels.asset_labels)
    _premia: Array = field(converter=read_only)
    covariance: Array = field(converter=read_only)
    _pricing_errors: Array = field(converter=read_only)
    pricing_error_covariance: Array = field(converter=read_only)
    _restrictions: Array = field(converter=read_only)
    degrees: float
    _joint_degrees: float
    horizon: Horizon

    @classmethod
    def of(cls, model: FactorModel, panel: ReturnPanel, covariance: LongRunCovariance | None = None) -> Self:
        """Estimate premia from the cross-section of expected excess returns, without an intercept.

        Parameters
        ----------
        model : FactorModel
            Of `OLS` or `EWMA`, with more assets than factors.
        panel : ReturnPanel
            The one that it was fitted on.
        covariance : LongRunCovariance, optional
            By default `Cosine`.

        Raises
        ------
        NotEstimatedError
            For a model without a regression or of another panel, fewer assets than premia, or classical errors.
        CollinearFactorsError
            If loadings are linearly dependent across assets.
        """
        return cls._of(model, panel, covariance, intercept=False)

    @classmethod
    def with_zero_beta_rate(
        cls, model: FactorModel, panel: ReturnPanel, covariance: LongRunCovariance | None = None
    ) -> Self:
        """Estimate premia, and what an asset without exposures earns above the risk-free rate.

        Parameters
        ----------
        model, panel, covariance
            As of `of`.

        Raises
        ------
        NotEstimatedError, CollinearFactorsError
            As of `of`; also if all assets have the same loadings.
        """
        return cls._of(model, panel, covariance, intercept=True)

    @classmethod
    def traded(cls, model: FactorModel, panel: ReturnPanel, covariance: LongRunCovariance | None = None) -> Self:
        """Estimate the premia of factors that are excess returns: by their means.

        Parameters
        ----------
        model, panel, covariance
            As of `of`. Whether the assets have alpha beside these is what `Inference.alphas` tests.

        Raises
        ------
        NotEstimatedError
            For factors that are not tradable, or a model without a regression.
        """
        chosen = _read(model, panel, covariance)
        macro = [f.name for f in model.definitions if not f.tradable]
        if macro:
            raise NotEstimatedError(
                f"expected factors that are excess returns, got {labels.listing(macro)}, not tradable; use "
                "rm.RiskPremia.of(model, panel), which reads premia from the assets.",
                factors=macro,
            )
        factors, k = FactorInfluence.of(model, panel), len(model.factors)
        terms = DateTerms((factors.share[:, None] * factors.deviations).T, factors.share, factors.n, 1)
        none = np.zeros((0, 0))
        return cls(
            factors=model.factors,
            assets=[],
            premia=model._factor_mean,
            covariance=chosen.of_sums(terms),
            pricing_errors=np.zeros(0),
            pricing_error_covariance=none,
            restrictions=np.zeros((0, k)),
            degrees=float(np.max(chosen.degrees_of_freedom(terms))),
            joint_degrees=0.0,
            horizon=model.horizon,
        )

    @classmethod
    def _of(
        cls, model: FactorModel, panel: ReturnPanel, covariance: LongRunCovariance | None, *, intercept: bool
    ) -> Self:
        chosen = _read(model, panel, covariance)
        ones = np.ones((len(model.assets), int(intercept)))
        x = np.column_stack([ones, model._loadings])
        _require_rank(x, model)
        fitted = _TwoPass.of(model, panel, x, chosen.leverage_power)
        enough = with_enough_cosines(chosen, fitted.of_pricing_errors)
        return cls(
            factors=[*([ZERO_BETA] if intercept else []), *model.factors],
            assets=model.assets,
            premia=fitted.premia,
            covariance=chosen.of_sums(fitted.of_premia),
            pricing_errors=fitted.pricing_errors,
            pricing_error_covariance=enough.of_sums(fitted.of_pricing_errors),
            restrictions=x,
            degrees=float(np.max(chosen.degrees_of_freedom(fitted.of_premia))),
            joint_degrees=float(np.max(enough.degrees_of_freedom(fitted.of_pricing_errors))),
            horizon=model.horizon,
        )

    def __repr__(self) -> str:
        of_what = f"from {len(self.assets)} assets" if len(self.assets) else "traded"
        return f"<RiskPremia of {len(self.factors)} factors, {of_what}, per {self.horizon}>"

    @property
    def premia(self) -> pd.Series[float]:
        """λ by factor, decimals per row."""
        return pd.Series(self._premia, self.factors.copy(), name="premium")

    @property
    def pricing_errors(self) -> pd.Series[float]:
        """η by asset: the expected return that its exposures do not explain, decimals per row."""
        return pd.Series(self._pricing_errors, self.assets.copy(), name="pricing_error")

    def table(self) -> pd.DataFrame:
        """Return a row for each premium: ``premium``, ``std_error``, ``tvalue``, ``pvalue`` (two-sided)."""
        return premium_table(self._premia, self.covariance, self.degrees, self.factors)

    def joint(self) -> JointTest:
        """Test that all pricing errors are zero, with an F distribution as `Alphas.joint`.

        Raises
        ------
        NotEstimatedError
            For as many assets as premia, for more assets than the degrees of freedom allow, or for traded factors.
        """
        statistic, n = self._quadratic_form()
        return f_of_quadratic_form(statistic, n, self._joint_degrees)

    def j(self) -> JointTest:
        r"""Test that all pricing errors are zero with :math:`J = \eta^\top V^+ \eta`, chi-squared.

        Degrees of freedom are assets less premia. It rejects true models too often where there are many assets; prefer
        `joint`.

        Raises
        ------
        NotEstimatedError
            As of `joint`.
        """
        return JointTest.of_chi_squared(*self._quadratic_form())

    def _quadratic_form(self) -> tuple[float, int]:
        n, k = self._restrictions.shape
        if n <= k:
            raise NotEstimatedError(
                f"expected more assets than premia, as only these have pricing errors to test, got {n} assets and {k} "
                "premia; use more assets, or the alphas of traded factors: Inference.alphas().",
                n_assets=n,
                premia=k,
            )
        # pricing errors are orthogonal to the loadings, so V has no inverse but on what is left
        free = np.linalg.svd(self._restrictions)[0][:, k:]
        covariance = free.T @ self.pricing_error_covariance @ free
        return quadratic_form(free.T @ self._pricing_errors, covariance, self._joint_degrees), n - k


def premium_table(premia: Array, covariance: Array, degrees: float, names: pd.Index[Any]) -> pd.DataFrame:
    """Premia with standard errors and p values of a t distribution."""
    from scipy import special  # noqa: PLC0415 - slow to import

    errors = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = premia / errors
    p = 2.0 * special.stdtr(degrees, -np.abs(t))
    return pd.DataFrame({"premium": premia, "std_error": errors, "tvalue": t, "pvalue": p}, names.copy())


@final
@frozen(eq=False)
class _TwoPass:
    """Premia and pricing errors, and what each date adds to the errors of both."""

    premia: Array
    pricing_errors: Array
    of_premia: DateTerms
    of_pricing_errors: DateTerms

    @classmethod
    def of(cls, model: FactorModel, panel: ReturnPanel, x: Array, power: float) -> Self:
        """Compute it for the regressors of the second pass, N × P, of which the last K are loadings."""
        factors, b, mu = FactorInfluence.of(model, panel), model._loadings, model._factor_mean
        k, inverse = len(mu), np.linalg.inv(x.T @ x)
        means = model._alpha + b @ mu
        premia = inverse @ (x.T @ means)
        errors, own = means - x @ premia, premia[len(premia) - k :]
        t, n = len(factors.share), factors.n
        of_means = (b @ (factors.share[:, None] * factors.deviations).T) if k else np.zeros((len(b), t))
        through_loadings = np.zeros((k, t))
        for group in read_groups(model, panel, power):
            # less what moves with the loadings, so that B λ is already taken off
            along = group.lever @ np.append(1.0, mu - own)
            of_means[group.columns] += (along[:, None] * group.residuals).T
            through_loadings += (group.lever[:, 1:] * (group.residuals @ errors[group.columns])[:, None]).T
            n = min(n, group.n)
        of_premia = inverse @ (x.T @ of_means)
        of_premia += inverse[:, len(premia) - k :] @ through_loadings
        of_errors = of_means - x @ of_premia
        return cls(premia, errors, *(DateTerms(by, factors.share, n, k + 1) for by in (of_premia, of_errors)))


def _read(model: Any, panel: Any, covariance: Any) -> LongRunCovariance:
    require(model, FactorModel, "model", "from rm.OLS().fit(panel)")
    require(panel, ReturnPanel, "panel", "that the model was fitted on")
    require_regression(model)
    given = Cosine() if covariance is None else covariance
    return require(given, LongRunCovariance, "covariance", "such as rm.HAC()").about(LONG_RUN)  # type: ignore[type-abstract]


def _require_rank(x: Array, model: FactorModel) -> None:
    n, p = x.shape
    if n < p or not p:
        raise NotEstimatedError(
            f"expected as many assets as premia or more, and a premium to estimate, got {n} assets and {p} premia.",
            n_assets=n,
            premia=p,
        )
    values = np.linalg.svd(x / np.maximum(np.linalg.norm(x, axis=0), np.finfo(float).tiny), compute_uv=False)
    if not values[-1] > _RANK * values[0]:
        raise CollinearFactorsError(
            "expected loadings that are linearly independent across assets, and of the intercept, got dependent ones "
            f"in {model!r}; use assets whose exposures differ, or fewer factors.",
            factors=list(model.factors),
        )
