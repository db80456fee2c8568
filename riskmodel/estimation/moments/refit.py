"""Refit ill-conditioned regressions from the returns themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskmodel._core.arrays import Array, Index
from riskmodel._core.linalg import RANK_TOLERANCE
from riskmodel.estimation.moments.regressions import Regressions

if TYPE_CHECKING:
    from riskmodel.panel.stored.returns import StoredReturns

# Returns refitted at a time.
_REFIT_SIZE = 1 << 20


def refit(fit: Regressions, returns: Array | StoredReturns, q: Array, weights: Array | None, assets: Index) -> None:
    """Refit some assets from their returns, in place, a few at a time to bound memory."""
    order = assets[np.argsort(fit.pattern[assets], kind="stable")]
    size = max(1, _REFIT_SIZE // len(returns))
    for start in range(0, len(order), size):
        some = order[start : start + size]
        _refit_block(fit, some, returns[:, some], q, weights)


def _refit_block(fit: Regressions, assets: Index, returns: Array, q: Array, weights: Array | None) -> None:
    """Refit assets, sorted by pattern, by orthogonal factorisation."""
    own = fit.pattern[assets]
    for at in np.split(np.arange(len(assets)), np.flatnonzero(np.diff(own)) + 1):
        chosen, columns, p = assets[at], returns[:, at], own[at[0]]
        rows = ~np.isnan(columns[:, 0])
        if not rows.any():
            fit.r_mean[chosen], fit.coefficients[chosen], fit.rss[chosen] = 0.0, 0.0, 0.0
            continue
        root = np.ones(rows.sum()) if weights is None else np.sqrt(weights[rows])
        one = root / np.linalg.norm(root)
        fit.q_mean[p], x = _centred(q[rows] * root[:, None], one, root)
        fit.q_gram[p] = x.T @ x
        fit.r_mean[chosen], r = _centred(columns[rows] * root[:, None], one, root)
        coefficients, residuals = _least_squares(x, r, one)
        fit.coefficients[chosen] = coefficients.T
        fit.rss[chosen] = np.einsum("tn,tn->n", residuals, residuals)


def _centred(x: Array, one: Array, root: Array) -> tuple[Array, Array]:
    """Return the weighted means of columns times √w, and the deviations."""
    mean = (one @ x) / np.linalg.norm(root)
    return mean, x - root[:, None] * mean


def _least_squares(q: Array, r: Array, one: Array) -> tuple[Array, Array]:
    """Coefficients and residuals of r on q, both centred; the least-norm ones where q lacks rank."""
    u, s, vt = np.linalg.svd(q, full_matrices=False)
    keep = s > RANK_TOLERANCE * s.max(initial=0.0)
    u, inverse = u[:, keep], vt[keep].T / s[keep]
    residuals = r
    scores = np.zeros((u.shape[1], r.shape[1]))
    for _ in range(2):  # the second pass removes the rounding error of the first
        more = u.T @ residuals
        scores += more
        residuals = residuals - u @ more
        residuals = residuals - np.outer(one, one @ residuals)
    return inverse @ scores, residuals
