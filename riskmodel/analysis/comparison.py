"""Comparison of a factor model with the sample covariance of the same returns."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Self, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core.arguments import require, require_count
from riskmodel._core.arrays import Array, Index
from riskmodel.errors import InvalidParameterError, TooLargeError
from riskmodel.model.covariance import DENSE_LIMIT
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel

_ROUNDING = 1e-13


def _copied(table: pd.DataFrame) -> pd.DataFrame:
    return require(table, pd.DataFrame, "each matrix", "CovarianceComparison.of(model, panel) makes one").copy()


@final
@frozen
class DependenceTest:
    """A test statistic and its p value.

    Attributes
    ----------
    statistic : float
        Value of the test statistic.
    pvalue : float
        Probability, under the null, of a statistic at least as extreme.
    """

    statistic: float
    pvalue: float


@final
@frozen(eq=False, repr=False)
class CovarianceComparison:
    r"""What a factor model leaves unexplained in the covariance of returns.

    If the factors are sufficient, residuals of different assets are uncorrelated, and the structured covariance
    B F B' + D differs from the sample's only by noise.

    Parameters
    ----------
    sample, model : DataFrame, assets × assets
        The two covariance matrices, return² per the model's horizon; pairs of assets of the sample's on common dates.
    residual_correlation : DataFrame, assets × assets
        Correlations of the residuals, each pair on its common dates; NaN for fewer than three of them or no variance.
    common_dates : DataFrame of int, assets × assets
        Number of common dates of each pair.
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
        cross, _, dates = _pairwise(returns)
        sample = np.divide(cross, dates - 1, where=dates > 1, out=np.full_like(cross, np.nan))
        # treat residuals this small relative to the returns as zero: the asset is a combination of the factors
        residuals[:, _lengths(residuals) <= _ROUNDING * _lengths(returns)] = 0.0
        correlation = _correlate(*_pairwise(residuals))
        return cls(
            sample=pd.DataFrame(sample, model.assets, model.assets),
            model=model.covariance.to_dense(limit),
            residual_correlation=pd.DataFrame(correlation, model.assets, model.assets),
            common_dates=pd.DataFrame(dates.astype(np.int64), model.assets, model.assets),
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
        """Number of common dates, assets × assets (a copy)."""
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


def _lengths(columns: Array) -> Array:
    return np.asarray(np.sqrt(np.nansum(columns * columns, axis=0)))


def _pairwise(columns: Array) -> tuple[Array, Array, Array]:
    """Return, for each pair x, y of columns demeaned on common rows, Σ xy, Σ x² and the number of rows."""
    present = ~np.isnan(columns)
    here = present.astype(np.float64)
    # centre columns on their own means first, to avoid cancellation in the sums below
    means = np.where(present, columns, 0.0).sum(axis=0) / np.maximum(here.sum(axis=0), 1.0)
    centred = np.where(present, columns - means, 0.0)
    t = here.T @ here
    safe = np.maximum(t, 1.0)
    sums = centred.T @ here
    cross = centred.T @ centred - sums * sums.T / safe
    squares = np.maximum((centred * centred).T @ here - sums * sums / safe, 0.0)
    return cross, squares, t


def _correlate(cross: Array, squares: Array, t: Array) -> Array:
    scale = np.sqrt(squares) * np.sqrt(squares.T)
    enough = (t >= 3) & (scale > 0)
    correlation = np.divide(cross, scale, where=enough, out=np.full_like(cross, np.nan))
    return np.asarray(np.clip(correlation, -1.0, 1.0))
