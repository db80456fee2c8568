"""Are these alphas? Joint tests, and p values of many."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, read_only
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError, NotEstimatedError
from riskmodel.horizon import Horizon
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.covariance.bootstrap import StationaryBootstrap
from riskmodel.inference.covariance.classical import Classical
from riskmodel.inference.date_groups import read_groups
from riskmodel.inference.estimand import LONG_RUN
from riskmodel.inference.influence import FactorInfluence
from riskmodel.inference.joint_test import JointTest, f_of_quadratic_form, quadratic_form, with_enough_cosines
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel


@final
@frozen(eq=False, repr=False)
class Alphas(Listed):
    """Alphas of several assets with their joint covariance; `Inference.alphas` makes it.

    Attributes
    ----------
    assets : pandas.Index
        N labels.
    covariance : array, shape (N, N)
        Of the alphas, return² per row.
    degrees : float
        Degrees of freedom of the covariance.
    horizon : Horizon
        Of a row.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM", "JPM"], ["Mkt-RF"])
    >>> alphas = rm.Inference.of(rm.OLS().fit(panel), panel).alphas()
    >>> round(alphas.joint().pvalue, 2), round(alphas.grs().pvalue, 2)
    (0.14, 0.23)
    """

    assets: pd.Index[Any] = field(converter=labels.asset_labels)
    _alpha: Array = field(converter=read_only)
    covariance: Array = field(converter=read_only)
    degrees: float
    horizon: Horizon
    _grs: tuple[float, int, int] | None
    _by_date: Array = field(converter=read_only)

    @classmethod
    def of(cls, model: FactorModel, panel: ReturnPanel, covariance: LongRunCovariance) -> Self:
        """Compute the covariance of the alphas of a model's assets.

        Raises
        ------
        NotEstimatedError
            For classical errors of assets with different dates.
        """
        require(model, FactorModel, "model", "from rm.OLS().fit(panel)")
        require(panel, ReturnPanel, "panel", "that the model was fitted on")
        require(covariance, LongRunCovariance, "covariance", "such as rm.Cosine()")  # type: ignore[type-abstract]
        factors = FactorInfluence.of(model, panel)
        n, t = len(model.assets), len(factors.share)
        by_date, residuals, common, effective = np.zeros((n, t)), np.zeros((n, t)), [], factors.n
        classical = None
        for group in read_groups(model, panel, covariance.leverage_power):
            by_date[group.columns] = (group.lever[:, :1] * group.residuals).T
            residuals[group.columns] = group.residuals.T
            common.append(group)
            effective = min(effective, group.n)
        k = len(model.factors)
        if len({group.share.tobytes() for group in common}) == 1 and isinstance(covariance, Classical):
            w = common[0].share / common[0].share.max()
            classical = common[0].inverse[0, 0] * (residuals * w) @ residuals.T / (effective - k - 1)
        terms = DateTerms(by_date, factors.share, effective, k + 1, classical)
        estimator = with_enough_cosines(covariance.about(LONG_RUN), terms)
        return cls(
            assets=model.assets,
            alpha=model._alpha,
            covariance=estimator.of_sums(terms),
            degrees=float(np.asarray(estimator.degrees_of_freedom(terms))),
            horizon=model.horizon,
            grs=_grs(model, panel, factors),
            by_date=by_date,
        )

    def __repr__(self) -> str:
        return f"<Alphas of {len(self.assets)} assets, per {self.horizon}>"

    def table(self) -> pd.DataFrame:
        """Return alphas with what says whether they are luck.

        Columns ``alpha`` and ``std_error`` (decimals per row), ``tvalue``, ``pvalue`` (of each alone, two-sided), and
        ``false_discovery_rate``: the rate at which alphas with a p value at least as small would be false discoveries,
        of Benjamini and Hochberg [1]_. Call alphas below 0.1 discoveries, and one in ten of these is expected to be
        luck.

        References
        ----------
        .. [1] Benjamini, Y. and Hochberg, Y. (1995). Controlling the False Discovery Rate: A Practical and Powerful
           Approach to Multiple Testing. *Journal of the Royal Statistical Society B* 57(1), 289-300.
        """
        from scipy import special  # noqa: PLC0415 - slow to import

        errors = np.sqrt(np.diag(self.covariance))
        with np.errstate(divide="ignore", invalid="ignore"):
            t = self._alpha / errors
        p = 2.0 * special.stdtr(self.degrees, -np.abs(t))
        numbers = {"alpha": self._alpha, "std_error": errors, "tvalue": t, "pvalue": p}
        return pd.DataFrame(numbers | {"false_discovery_rate": false_discovery_rates(p)}, self.assets.copy())

    def family_wise_pvalues(self, bootstrap: StationaryBootstrap | None = None) -> pd.Series[float]:
        r"""Return p values that count how many alphas are looked at, by the step-down of Romano and Wolf [1]_.

        Call those below 0.05 alphas, and the probability of one false alarm or more is 5 %, whatever the correlation
        between assets, and more are found than with Bonferroni's rule. Each \|t\| is set against the largest of those
        that are not larger, over resamples of blocks of dates; t is studentised in each resample ([2]_, two-sided).

        Parameters
        ----------
        bootstrap : StationaryBootstrap, optional
            The number of resamples, their seed, and the length of their blocks; the extra ``evaluation``.

        Returns
        -------
        Series by asset
            From 1/(replications + 1) to 1; NaN for an alpha without error.

        Raises
        ------
        MissingExtraError
            If ``arch`` is not installed.

        References
        ----------
        .. [1] Romano, J. P. and Wolf, M. (2005). Stepwise Multiple Testing as Formalized Data Snooping. *Econometrica*
           73(4), 1237-1282.
        .. [2] Romano, J. P. and Wolf, M. (2016). Efficient Computation of Adjusted p-Values for Resampling-Based
           Stepdown Multiple Testing. *Statistics & Probability Letters* 113, 38-40.
        """
        chosen = StationaryBootstrap() if bootstrap is None else bootstrap
        drawn = require(chosen, StationaryBootstrap, "bootstrap", "such as rm.StationaryBootstrap(seed=0)")
        used = self._by_date != 0
        moving = np.flatnonzero(used.any(axis=1))
        used, x = used[moving].astype(np.float64), self._by_date[moving]
        # leverage leaves a small sum, which resamples must not have on average
        x = x - used * (x.sum(axis=1) / used.sum(axis=1))[:, None]
        counts = drawn.counts(x).T
        sums, taken = x @ counts, np.maximum(used @ counts, 1.0)
        squares = np.maximum((x * x) @ counts - sums * sums / taken, np.finfo(float).tiny)
        own = self._alpha[moving] / np.sqrt(np.einsum("nt,nt->n", x, x))
        out = np.full(len(self.assets), np.nan)
        out[moving] = step_down_pvalues(np.abs(own), np.abs(sums) / np.sqrt(squares))
        return pd.Series(out, self.assets.copy(), name="family_wise_pvalue")

    def joint(self) -> JointTest:
        r"""Test that all alphas are zero, with the covariance of this inference and an F distribution.

        :math:`F = \frac{\nu - N + 1}{\nu N} \alpha^\top V^{-1} \alpha` with N and :math:`\nu - N + 1` degrees of
        freedom, where V has :math:`\nu` degrees of freedom, as Hotelling's statistic has [1]_; with cosines of which
        there are at least four for each asset [2]_.

        Raises
        ------
        NotEstimatedError
            For as many assets as degrees of freedom, or more.

        References
        ----------
        .. [1] Hotelling, H. (1931). The Generalization of Student's Ratio. *Annals of Mathematical Statistics* 2(3),
           360-378.
        .. [2] Sun, Y. (2013). A Heteroskedasticity and Autocorrelation Robust F Test Using an Orthonormal Series
           Variance Estimator. *Econometrics Journal* 16(1), 1-26.
        """
        return f_of_quadratic_form(self._wald(), len(self._alpha), self.degrees)

    def j(self) -> JointTest:
        r"""Test that all alphas are zero with the J statistic :math:`\alpha^\top V^{-1} \alpha` [1]_, chi-squared.

        It rejects true models too often where there are many assets or autocorrelation lags; prefer `joint`.

        References
        ----------
        .. [1] Cochrane, J. H. (2005). *Asset Pricing*, revised edition. Princeton, section 12.1.
        """
        return JointTest.of_chi_squared(self._wald(), len(self._alpha))

    def grs(self) -> JointTest:
        r"""Test that all alphas are zero with the F test of Gibbons, Ross and Shanken [1]_.

        :math:`\frac{T - N - K}{N} \frac{\alpha^\top \Sigma^{-1} \alpha}{1 + \mu^\top F^{-1} \mu}` with residual and
        factor covariances that divide by T. It is exact for normal residuals that are independent over time.

        Raises
        ------
        NotEstimatedError
            For assets with different dates, weights that decay, or more assets than dates allow.

        References
        ----------
        .. [1] Gibbons, M. R., Ross, S. A. and Shanken, J. (1989). A Test of the Efficiency of a Given Portfolio.
           *Econometrica* 57(5), 1121-1152.
        """
        if self._grs is None:
            raise NotEstimatedError(
                "expected equal weights, and assets with returns on the same dates that are more than assets and "
                "factors, as the exact F test needs, got others; use joint()."
            )
        statistic, t, k = self._grs
        n = len(self._alpha)
        return JointTest.of_f(statistic * (t - n - k) / n, n, t - n - k)

    def _wald(self) -> float:
        return quadratic_form(self._alpha, self.covariance, self.degrees)


def _grs(model: FactorModel, panel: ReturnPanel, factors: FactorInfluence) -> tuple[float, int, int] | None:
    """Return α'Σ⁻¹α/(1 + μ'F⁻¹μ), T and K; None where the test does not apply."""
    e = model.residuals(panel).to_numpy()
    (t, n), k = e.shape, len(model.factors)
    if not model._counts_dates_alike or np.isnan(e).any() or t - n - k < 1:
        return None
    d, mean = factors.deviations, model._factor_mean
    top = model._alpha @ np.linalg.lstsq(e.T @ e / t, model._alpha, rcond=None)[0]
    return float(top / (1.0 + mean @ np.linalg.solve(d.T @ d / t, mean))), t, k


def false_discovery_rates(pvalues: Any) -> Array:
    """Return Benjamini and Hochberg's adjusted p values: the least false discovery rate at which each is rejected.

    Parameters
    ----------
    pvalues : array, shape (N,)
        From 0 to 1; NaN stays NaN and does not count.

    Raises
    ------
    InvalidParameterError
        For numbers that are no probabilities.
    """
    p = np.asarray(pvalues, dtype=np.float64)
    if p.ndim != 1 or ((p < 0) | (p > 1)).any():
        raise InvalidParameterError("expected pvalues from 0 to 1, got others.", parameter="pvalues", got=pvalues)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    raised = p[order] * len(known) / np.arange(1, len(known) + 1)
    out = np.full(len(p), np.nan)
    out[order] = np.minimum.accumulate(raised[::-1])[::-1]
    return out


def step_down_pvalues(statistics: Array, resampled: Array) -> Array:
    """Return adjusted p values of a step-down over maxima.

    Parameters
    ----------
    statistics : array, shape (N,)
        Large where the null is false.
    resampled : array, shape (N, B)
        What they would be if all nulls were true.
    """
    order = np.argsort(-statistics, kind="stable")
    largest = np.maximum.accumulate(resampled[order][::-1], axis=0)[::-1]
    exceeded = (largest >= statistics[order, None]).sum(axis=1)
    out = np.empty(len(statistics))
    out[order] = np.maximum.accumulate((1.0 + exceeded) / (1.0 + resampled.shape[1]))
    return out
