"""Comparison of a factor model with the sample covariance of the same returns."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import field, frozen
from numpy.typing import NDArray

from riskmodel._core.arguments import require, require_count
from riskmodel._core.arrays import Array, Index
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError, TooLargeError
from riskmodel.model.covariance import DENSE_LIMIT
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel

_ROUNDING = 1e-13


def _copied(table: pd.DataFrame) -> pd.DataFrame:
    return require(table, pd.DataFrame, "each matrix", "CovarianceComparison.of(model, panel) makes one").copy()


@final
@frozen
class DependenceTest(Listed):
    """A test statistic and its p value.

    Attributes
    ----------
    statistic : float
        Value of the test statistic.
    pvalue : float
        Probability, under the null, of a statistic at least as extreme.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> test = rm.CovarianceComparison.of(rm.OLS().fit(panel), panel).pesaran_cd()
    >>> round(test.statistic, 2), round(test.pvalue, 3)
    (-7.53, 0.0)
    """

    statistic: float
    pvalue: float


@final
@frozen(eq=False, repr=False)
class CovarianceComparison(Listed):
    r"""What a factor model leaves unexplained in the covariance of returns.

    If the factors are sufficient, residuals of different assets are uncorrelated, and the structured covariance
    B F B' + D differs from the sample's only by noise.

    Parameters
    ----------
    sample, model : DataFrame, assets × assets
        The two covariance matrices, return² per the model's horizon; pairs of assets of the sample's on common dates,
        with the model's weights of dates, of which the panel's last has weight 1.
    residual_correlation : DataFrame, assets × assets
        Correlations of the residuals, each pair on its common dates, with the model's weights of dates; NaN for fewer
        than three of them or no variance.
    common_dates : DataFrame of int, assets × assets
        Number of common dates of each pair; the effective number where the model weights dates.
    n_parameters, n_parameters_unrestricted : int
        Number of free parameters of the model and of the sample covariance.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["XOM", "CVX", "KO", "PEP"], ["Mkt-RF"])
    >>> against = rm.CovarianceComparison.of(rm.OLS().fit(panel), panel)
    >>> against.largest(2).round(2)
    XOM  CVX    0.70
    KO   PEP    0.41
    Name: residual_correlation, dtype: float64
    >>> against.pesaran_cd().pvalue < 0.01
    True
    """

    _sample: pd.DataFrame = field(converter=_copied)
    _model: pd.DataFrame = field(converter=_copied)
    _residual_correlation: pd.DataFrame = field(converter=_copied)
    _common_dates: pd.DataFrame = field(converter=_copied)
    n_parameters: int
    n_parameters_unrestricted: int

    @classmethod
    def of(cls, model: FactorModel, panel: ReturnPanel, limit: int = DENSE_LIMIT) -> Self:
        """Compare a model with the sample covariance of a panel.

        Parameters
        ----------
        model : FactorModel
            With at least two assets.
        panel : ReturnPanel
            As for `FactorModel.residuals`; usually the one the model was estimated on.
        limit : int
            Maximum number of assets, because the comparison needs N × N arrays.

        Raises
        ------
        TooLargeError
            If there are more assets than `limit`.
        InvalidParameterError
            If there are fewer than two assets.
        """
        require(model, FactorModel, "model", "CovarianceComparison.of(model, panel) takes the model first")
        require(panel, ReturnPanel, "panel", "of a panel on disk or a cluster, take select(...)")
        n, limit = len(model.assets), require_count(limit, "limit")
        if n > limit:
            raise TooLargeError(
                f"expected at most {limit} assets, as a comparison holds {n} × {n} arrays, got {n}; restrict the model "
                f"to some assets, or pass limit={n}.",
                n_assets=n,
                limit=limit,
            )
        if n < 2:
            raise InvalidParameterError("expected a model of at least two assets, got one; fit it to more.")
        residuals = model.residuals(panel).to_numpy(copy=True)
        returns = panel.select(model.assets, []).arrays()[0]
        weights = _date_weights(model, len(returns))
        cross, _, total, dates = _pairwise(returns, weights)
        # n/(n - 1) of the mean product, which for equal weights is the sum over n - 1
        sample = np.divide(cross * (dates / total), dates - 1, where=dates > 1, out=np.full_like(cross, np.nan))
        # treat residuals this small relative to the returns as zero: the asset is a combination of the factors
        residuals[:, _lengths(residuals, weights) <= _ROUNDING * _lengths(returns, weights)] = 0.0
        cross, squares, _, dates = _pairwise(residuals, weights)
        correlation = _correlate(cross, squares, dates)
        return cls(
            sample=pd.DataFrame(sample, model.assets, model.assets),
            model=model.covariance.to_dense(limit),
            residual_correlation=pd.DataFrame(correlation, model.assets, model.assets),
            common_dates=pd.DataFrame(_whole(dates), model.assets, model.assets),
            n_parameters=model.covariance.n_parameters,
            n_parameters_unrestricted=model.covariance.n_parameters_unrestricted,
        )

    def __repr__(self) -> str:
        return (
            f"<CovarianceComparison of {len(self._sample)} assets: {self.n_parameters} parameters against "
            f"{self.n_parameters_unrestricted}, {self.relative_error:.1%} apart>"
        )

    @property
    def sample(self) -> pd.DataFrame:
        """Sample covariance, assets × assets (a copy)."""
        return self._sample.copy()

    @property
    def model(self) -> pd.DataFrame:
        """Covariance of the model, assets × assets (a copy)."""
        return self._model.copy()

    @property
    def residual_correlation(self) -> pd.DataFrame:
        """Correlations of the residuals, assets × assets (a copy)."""
        return self._residual_correlation.copy()

    @property
    def common_dates(self) -> pd.DataFrame:
        """Number of common dates, assets × assets; the effective number where dates are weighted (a copy)."""
        return self._common_dates.copy()

    @property
    def relative_error(self) -> float:
        """‖model - sample‖ / ‖sample‖ in the Frobenius norm, over pairs that have common dates."""
        return float(
            np.linalg.norm((self._model - self._sample).fillna(0.0)) / np.linalg.norm(self._sample.fillna(0.0))
        )

    def largest(self, n: int = 10) -> pd.Series[float]:
        """Return the `n` residual correlations that are largest in size, by pair of assets."""
        rows, columns, values = self._pairs
        order = np.argsort(-np.abs(values), kind="stable")[: require_count(n, "n")]
        names = self._residual_correlation.index
        index = pd.MultiIndex.from_arrays([names[rows[order]], names[columns[order]]])
        return pd.Series(values[order], index, name="residual_correlation")

    def pesaran_cd(self) -> DependenceTest:
        r"""Pesaran's CD test of no cross-sectional dependence, two-sided.

        The number of dates is the effective one where the model weights them.

        :math:`CD = \sqrt{2 / (N(N-1))} \sum_{i<j} \sqrt{T_{ij}}\, \hat\rho_{ij}`, standard normal under the null,
        suited to N large relative to T. It uses the average correlation, so opposite signs cancel [1]_.

        References
        ----------
        .. [1] Pesaran, M. H. (2004). General Diagnostic Tests for Cross Section Dependence in Panels. CESifo
           Working Paper 1229, section 9 for unbalanced panels.
        """
        rho, t = self._correlations
        statistic = float((np.sqrt(t) * rho).sum() / math.sqrt(len(rho)))
        return DependenceTest(statistic, math.erfc(abs(statistic) / math.sqrt(2.0)))

    def breusch_pagan(self) -> DependenceTest:
        r"""Breusch and Pagan's Lagrange multiplier test that the residual covariance is diagonal.

        :math:`LM = \sum_{i<j} T_{ij} \hat\rho_{ij}^2`, chi-squared with N(N-1)/2 degrees of freedom under the null,
        suited to T large relative to N; with N large it rejects too often [1]_.

        References
        ----------
        .. [1] Breusch, T. S. and Pagan, A. R. (1980). The Lagrange Multiplier Test and its Applications to Model
           Specification in Econometrics. *Review of Economic Studies* 47(1), 239-253.
        """
        from scipy import special  # noqa: PLC0415 - an eighth of what importing numpy, pandas and scipy.linalg costs

        rho, t = self._correlations
        statistic = float((t * rho * rho).sum())
        return DependenceTest(statistic, float(special.chdtrc(len(rho), statistic)))

    @cached_property
    def _correlations(self) -> tuple[Array, Array]:
        """Correlation and number of common dates of each pair of assets."""
        rows, columns, rho = self._pairs
        if not len(rho):
            raise InvalidParameterError(
                "expected a pair of assets with three common dates and residuals that vary, got none; widen the window."
            )
        return rho, self._common_dates.to_numpy()[rows, columns].astype(np.float64)

    @cached_property
    def _pairs(self) -> tuple[Index, Index, Array]:
        """Row, column and value of each finite residual correlation above the diagonal."""
        values = self._residual_correlation.to_numpy()
        rows, columns = np.triu_indices(len(values), k=1)
        known = np.isfinite(values[rows, columns])
        return rows[known], columns[known], values[rows[known], columns[known]]


def _date_weights(model: FactorModel, n: int) -> Array:
    """The model's weights of n dates, shape (T, 1): 1 for the last."""
    keep = 1.0 if model.regression is None else model.regression.decay_factor
    return np.asarray(keep ** np.arange(n - 1, -1, -1.0)[:, None])


def _whole(counts: Array) -> NDArray[Any]:
    """Counts as integers, where they are."""
    whole: NDArray[Any] = counts.astype(np.int64)
    return whole if (whole == counts).all() else counts


def _lengths(columns: Array, weights: Array) -> Array:
    return np.asarray(np.sqrt(np.nansum(weights * columns * columns, axis=0)))


def _pairwise(columns: Array, weights: Array) -> tuple[Array, Array, Array, Array]:
    """Return, for each pair x, y of columns demeaned on common rows, Σ w xy, Σ w x², Σ w and (Σ w)²/Σ w²."""
    present = ~np.isnan(columns)
    here = present.astype(np.float64)
    weighted = here * weights
    # centre columns on their own means first, to avoid cancellation in the sums below
    sums_of_weights = weighted.sum(axis=0)
    own = np.where(sums_of_weights > 0, sums_of_weights, 1.0)
    means = (np.where(present, columns, 0.0) * weights).sum(axis=0) / own
    centred = np.where(present, columns - means, 0.0)
    total = weighted.T @ here
    safe = np.where(total > 0, total, 1.0)
    squared = weighted.T @ weighted
    n = np.divide(total * total, squared, where=squared > 0, out=np.zeros_like(total))
    by_weight = centred * weights
    sums = by_weight.T @ here
    cross = by_weight.T @ centred - sums * sums.T / safe
    squares = np.maximum((by_weight * centred).T @ here - sums * sums / safe, 0.0)
    return cross, squares, safe, n


def _correlate(cross: Array, squares: Array, n: Array) -> Array:
    scale = np.sqrt(squares) * np.sqrt(squares.T)
    enough = (n >= 3) & (scale > 0)
    correlation = np.divide(cross, scale, where=enough, out=np.full_like(cross, np.nan))
    return np.asarray(np.clip(correlation, -1.0, 1.0))
