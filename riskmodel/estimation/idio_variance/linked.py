"""Residuals of like names linked by a factor of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen
from scipy import stats
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from riskmodel._core.arrays import Array, Index, row_blocks
from riskmodel.estimation.idio_variance.base import IdioVarianceEstimator, read_residuals
from riskmodel.estimation.idio_variance.risk import IdioRisk
from riskmodel.estimation.loadings.fitted import FittedLoadings
from riskmodel.estimation.weighting import require_instance, require_share, weighted_mean

# A residual beyond this many of its standard deviations counts as this many, so that one day links no two names.
_LARGEST = 5.0
# Fewer common dates than this link no two names.
_FEWEST = 20
# Assets of a block of correlations.
_BLOCK = 1_000
_ROUNDS = 100
_CONVERGED = 1e-10


@final
@frozen
class Linked(IdioVarianceEstimator):
    r"""Share classes, twins and the like: names whose residuals are correlated get a shared factor.

    A factor model says that two share classes of one company are independent but for the factors, so an optimiser buys
    one against the other and thinks it has no risk. Two names are linked if the correlation of their residuals over
    common dates is `threshold` or more in size and differs from zero at the level `significance` after Bonferroni's
    correction for all pairs (Fisher's z). A group is a set in which all pairs reach the threshold (complete linkage).
    Each group has one factor, whose loadings are those of a one-factor model of its correlation matrix (principal axis
    factoring [1]_); for two names, the correlation is matched exactly, up to `most`. D stays diagonal plus low rank:
    the result's `links`, a column for each group. Variances stay those of `inner`.

    Residuals beyond five standard deviations are cut to these before correlations are taken.

    Parameters
    ----------
    inner : IdioVarianceEstimator
        What estimates the variances.
    threshold : float
        The least correlation, 0 to 1.
    significance : float
        The level of the test, over all pairs.
    most : float
        The largest share of an idio variance that a link explains: names that were the same in the window may part.
        With 1, names with equal residuals make the covariance singular.

    Notes
    -----
    Correlations cost O(N²·T) time, in blocks of 1,000 assets: memory is that of the residuals and of the pairs linked.

    References
    ----------
    .. [1] Harman, H. H. (1976). *Modern Factor Analysis*, 3rd edition, chapter 8. University of Chicago Press.

    Examples
    --------
    >>> import riskmodel as rm
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(rm.SampleData().panel(["KO", "PEP", "XOM", "CVX", "MSFT"], ["Mkt-RF"]))
    >>> risk = rm.Linked(rm.SampleVariance(), threshold=0.5).fit(fitted.residuals, fitted)
    >>> (risk.links[0] / risk.variance**0.5).round(2)
    KO      0.00
    PEP     0.00
    XOM     0.83
    CVX     0.83
    MSFT    0.00
    dtype: float64
    """

    inner: IdioVarianceEstimator = field(validator=require_instance(IdioVarianceEstimator, "rm.SampleVariance()"))
    threshold: float = field(default=0.5, validator=require_share)
    significance: float = field(default=0.01, validator=require_share)
    most: float = field(default=0.99, validator=require_share)

    def fit(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> IdioRisk:
        """Estimate variances with `inner`, and link names."""
        residuals = read_residuals(residuals, loadings)
        risk = self.inner.fit(residuals, loadings)
        z = _standardised(residuals.reindex(columns=risk.assets).to_numpy())
        variance, links = risk.variance.to_numpy(), [risk.links.to_numpy()]
        # what inner has linked already is not linked twice
        room = np.sqrt(np.maximum(variance - (links[0] ** 2).sum(axis=1), 0.0))
        for members, correlation in self._groups(z):
            column = np.zeros((len(risk.assets), 1))
            largest = np.sqrt(self.most)
            column[members, 0] = np.clip(_one_factor(correlation), -largest, largest) * room[members]
            links.append(column)
        return evolve(risk, links=np.hstack(links))

    def variances_before(self, residuals: pd.DataFrame, loadings: FittedLoadings) -> pd.DataFrame:
        """Those of `inner`: links change no variance."""
        return self.inner.variances_before(residuals, loadings)

    def _groups(self, z: Array) -> Iterator[tuple[Index, Array]]:
        """Yield the members of each group and the correlations between them, from standardised residuals."""
        n = z.shape[1]
        rows, columns = self._pairs(z)
        graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(n, n))
        _, component = connected_components(graph, directed=False)
        sizes = np.bincount(component, minlength=1)
        for label in np.flatnonzero(sizes > 1):
            members = np.flatnonzero(component == label)
            correlation, _ = _correlations(z[:, members], z[:, members])
            np.fill_diagonal(correlation, 1.0)
            # rounding may take a correlation beyond 1
            distance = squareform(np.maximum(1.0 - np.abs(correlation), 0.0), checks=False)
            cut = fcluster(linkage(distance, "complete"), 1.0 - self.threshold + 1e-12, "distance")
            for group in np.unique(cut):
                inside = np.flatnonzero(cut == group)
                if len(inside) > 1:
                    yield members[inside], correlation[np.ix_(inside, inside)]

    def _pairs(self, z: Array) -> tuple[Index, Index]:
        """The pairs of assets that are linked, each once."""
        n = z.shape[1]
        level = self.significance / max(n * (n - 1) / 2, 1)
        quantile = float(stats.norm.isf(max(level, 1e-300) / 2))
        found = [(np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp))]
        blocks = list(row_blocks(n, _BLOCK))
        for i, one in enumerate(blocks):
            for other in blocks[i:]:
                correlation, common = _correlations(z[:, one], z[:, other])
                r, c = np.nonzero(np.abs(correlation) >= self.threshold)
                size, dates = np.abs(correlation[r, c]), common[r, c]
                sure = np.arctanh(np.minimum(size, 1.0 - 1e-15)) * np.sqrt(np.maximum(dates - 3, 0))
                r, c = r + one.start, c + other.start
                linked = (sure > quantile) & (dates >= _FEWEST) & (r < c)
                found.append((r[linked], c[linked]))
        return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])


def _standardised(residuals: Array) -> Array:
    """Residuals over their standard deviation, cut; NaN where missing."""
    equal = np.ones(len(residuals))
    z = residuals - weighted_mean(residuals, equal)
    scale = np.sqrt(weighted_mean(z**2, equal))
    z = np.divide(z, scale, out=np.where(np.isnan(z), np.nan, 0.0), where=scale > 0)
    return np.asarray(np.clip(z, -_LARGEST, _LARGEST))


def _correlations(x: Array, y: Array) -> tuple[Array, Any]:
    """Correlations of columns about zero over common dates, and the number of these; 0 where one does not vary."""
    known_x, known_y = ~np.isnan(x), ~np.isnan(y)
    if known_x.all() and known_y.all():
        size = np.sqrt((x**2).sum(axis=0)[:, None] * (y**2).sum(axis=0))
        common = np.broadcast_to(np.int64(len(x)), size.shape)
        return np.divide(x.T @ y, size, out=np.zeros_like(size), where=size > 0), common
    a, b = np.where(known_x, x, 0.0), np.where(known_y, y, 0.0)
    one, other = known_x.astype(np.float64), known_y.astype(np.float64)
    size = np.sqrt((a**2).T @ other * (one.T @ b**2))
    return np.divide(a.T @ b, size, out=np.zeros_like(size), where=size > 0), np.rint(one.T @ other).astype(np.int64)


def _one_factor(correlation: Array) -> Array:
    """Loadings of a one-factor model of a correlation matrix, shape (M,), each between -1 and 1."""
    if len(correlation) == 2:
        rho = float(np.clip(correlation[0, 1], -1.0, 1.0))
        return np.asarray(np.sqrt(abs(rho)) * np.array([1.0, np.sign(rho)]))
    reduced = correlation.copy()
    shared = np.abs(correlation - np.eye(len(correlation))).max(axis=0)
    for _ in range(_ROUNDS):
        np.fill_diagonal(reduced, shared)
        values, vectors = np.linalg.eigh(reduced)
        loadings = np.clip(vectors[:, -1] * np.sqrt(max(float(values[-1]), 0.0)), -1.0, 1.0)
        before, shared = shared, loadings**2
        if np.abs(shared - before).max() < _CONVERGED:
            break
    return np.asarray(loadings)
