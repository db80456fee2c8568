"""Covariance of factors with missing returns, by the EM algorithm."""

from __future__ import annotations

from typing import Self, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core.arrays import Array, Index, by_constructor
from riskmodel.errors import EstimationError
from riskmodel.estimation.factor_covariance.base import FactorCovarianceEstimator, as_covariance
from riskmodel.estimation.factor_covariance.histories import known_returns, read_history, require_rows
from riskmodel.horizon import Horizon

# In units of the volatilities, a round that changes less than this is the last.
_SETTLED = 1e-10
_MOST_ROUNDS = 20_000


@final
@frozen(eq=False)
class EMCovariance(FactorCovarianceEstimator):
    r"""Maximum likelihood covariance of factors of which any returns may be missing, under normality.

    The EM algorithm: missing returns are replaced by their means given the others of the same row, with their
    covariance added, and the moments are taken again, until these settle ([1]_, section 11.2). It uses what a factor's
    history says of others that are missing then; it supposes that returns are not missing because of their size. The
    result is times T / (T - 1), so that without missing returns it is `SampleCovariance`. For nested histories,
    `Stambaugh` has a closed form.

    Parameters
    ----------
    history : DataFrame, dates × factors, optional
        Returns of all factors, and perhaps of other series, decimals per row as in the panel; NaN where missing. Rows
        after the last of those that are fitted are not used; the panel's returns take precedence.

    References
    ----------
    .. [1] Little, R. J. A. and Rubin, D. B. (2019). *Statistical Analysis with Missing Data*, 3rd edition. Wiley.

    Examples
    --------
    >>> import riskmodel as rm
    >>> factors = rm.SampleData(rm.MONTH).factor_returns(["Mkt-RF", "SMB", "Mom"], start="2000-01")
    >>> whole = rm.SampleCovariance().fit(factors, rm.MONTH)
    >>> factors.iloc[::3, 1] = float("nan")
    >>> factors.iloc[:60, 2] = float("nan")
    >>> filled = rm.EMCovariance().fit(factors, rm.MONTH)
    >>> bool(abs(filled.loc["Mkt-RF", "Mkt-RF"] / whole.loc["Mkt-RF", "Mkt-RF"] - 1) < 1e-9)
    True
    """

    _history: pd.DataFrame | None = field(default=None, converter=read_history)

    __reduce__ = by_constructor

    @property
    def history(self) -> pd.DataFrame | None:
        """The histories, dates × factors."""
        return None if self._history is None else self._history.copy()

    def fit(self, factor_returns: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
        """Return the covariance, factors × factors, return² per `horizon`.

        Raises
        ------
        EstimationError
            If two factors have fewer rows in common than there are factors, plus two; if the algorithm does not settle.
        UnknownFactorError
            For factors without a history.
        InvalidParameterError
            If the history and the factor returns differ on their common dates.
        """
        known = known_returns(factor_returns, horizon, self._history)
        x = known.to_numpy()
        require_rows(x, known.columns, x.shape[1] + 2)
        mean, unit = np.nanmean(x, axis=0), np.nanstd(x, axis=0)
        unit = np.where(unit > 0, unit, 1.0)
        covariance = GaussianEM.of((x - mean) / unit).settled()
        k = factor_returns.shape[1]
        scaled = covariance * unit * unit[:, None] * (len(x) / (len(x) - 1.0))
        return as_covariance(scaled[:k, :k], factor_returns)


@final
@frozen(eq=False)
class GaussianEM:
    """Rows of a normal distribution with missing entries, by the sums of each pattern of these.

    Attributes
    ----------
    patterns : list of (observed columns, number of rows, sums, sums of products)
        Of the observed columns.
    columns : int
        M.
    """

    patterns: list[tuple[Index, int, Array, Array]]
    columns: int

    @classmethod
    def of(cls, x: Array) -> Self:
        """Read rows, shape (T, M), with NaN where missing."""
        masks, at = np.unique(~np.isnan(x), axis=0, return_inverse=True)
        patterns = []
        for p, mask in enumerate(masks):
            seen = np.flatnonzero(mask)
            rows = x[at.ravel() == p][:, seen]
            patterns.append((seen, len(rows), rows.sum(axis=0), rows.T @ rows))
        return cls(patterns, x.shape[1])

    def settled(self) -> Array:
        """The maximum likelihood covariance, shape (M, M), from the mean 0 and variances of 1."""
        mean, covariance = np.zeros(self.columns), np.eye(self.columns)
        for _ in range(_MOST_ROUNDS):
            last_mean, last = mean, covariance
            mean, covariance = self.step(mean, covariance)
            if max(np.abs(covariance - last).max(initial=0.0), np.abs(mean - last_mean).max(initial=0.0)) <= _SETTLED:
                return covariance
        raise EstimationError(
            f"expected a covariance that settles within {_MOST_ROUNDS:,} rounds of the EM algorithm, got one that does "
            "not; use fewer factors, or longer histories.",
            rounds=_MOST_ROUNDS,
        )

    def step(self, mean: Array, covariance: Array) -> tuple[Array, Array]:
        """The mean and the covariance of the rows, filled in by those given."""
        m = self.columns
        total, first, second = 0, np.zeros(m), np.zeros((m, m))
        for seen, n, sums, products in self.patterns:
            # the expected row is A x + c for the observed x
            a = np.zeros((m, len(seen)))
            a[seen, np.arange(len(seen))] = 1.0
            missing = np.setdiff1d(np.arange(m), seen)
            within = covariance[np.ix_(seen, seen)]
            a[missing] = np.linalg.lstsq(within, covariance[np.ix_(seen, missing)], rcond=None)[0].T
            c = np.zeros(m)
            c[missing] = mean[missing] - a[missing] @ mean[seen]
            expected = a @ sums
            crossed = np.outer(expected, c)
            second += a @ products @ a.T + crossed + crossed.T + n * np.outer(c, c)
            left = covariance[np.ix_(missing, missing)] - a[missing] @ covariance[np.ix_(seen, missing)]
            second[np.ix_(missing, missing)] += n * left
            first += expected + n * c
            total += n
        new = first / total
        return new, second / total - np.outer(new, new)
