"""Regressions from one pass over returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskmodel._core.arrays import Array, Index
from riskmodel._core.linalg import CANCELS, apply_matrices, invert_grams, symmetric
from riskmodel._core.threads import one_blas_thread
from riskmodel.estimation.moments.refit import refit
from riskmodel.estimation.moments.regressions import Regressions
from riskmodel.estimation.moments.sums import COUNT, WEIGHT_SQUARES, Sums, all_dates

if TYPE_CHECKING:
    from riskmodel.panel.stored.returns import StoredReturns


def regress_one_date(returns: Array, k: int, weight: float) -> Regressions:
    """Return the regressions of one date: means, and slopes of zero."""
    missing = np.isnan(returns)
    patterns = 1 + int(missing.any())
    there = np.array([1, 0])[:patterns]
    return Regressions(
        pattern=missing.astype(np.intp),
        count=there,
        weight=there * weight,
        weight_squares=there * weight**2,
        q_mean=np.zeros((patterns, k)),
        q_gram=np.zeros((patterns, k, k)),
        r_mean=np.where(missing, 0.0, returns),
        coefficients=np.zeros((len(returns), k)),
        rss=np.zeros(len(returns)),
    )


@one_blas_thread()
def regress(returns: Array | StoredReturns, q: Array, weights: Array | None) -> Regressions:
    """Sum, centre and solve each asset's regression; refit those in which sums cancel."""
    if len(returns) == 1:
        return regress_one_date(returns[:1][0], q.shape[1], 1.0 if weights is None else float(weights[0]))
    readers = [returns] if isinstance(returns, np.ndarray) else returns.readers()
    sums = Sums.beside([Sums.of(reader, q, weights) for reader in readers])
    pattern, terms = _patterns(sums, all_dates(q, weights))
    k = q.shape[1]
    weight, q_sum = terms[:, 0], terms[:, 1 : k + 1]
    divisor = np.where(weight > 0, weight, 1.0)
    q_mean = q_sum / divisor[:, None]
    raw = symmetric(terms[:, k + 1 :], k)
    gram = raw - q_sum[:, :, None] * q_mean[:, None, :]
    r_sum, qr = sums.cross[:, 0], sums.cross[:, 1 : k + 1]
    r_mean = r_sum / divisor[pattern]
    cross = qr - r_sum[:, None] * q_mean[pattern]
    inverse, well = invert_grams(gram, raw)
    coefficients = apply_matrices(inverse, cross, pattern)
    rss = sums.squares - r_sum * r_mean - np.einsum("nk,nk->n", coefficients, cross)
    fit = Regressions(
        pattern=pattern,
        count=np.rint(terms[:, COUNT]).astype(np.intp),
        weight=weight,
        weight_squares=terms[:, WEIGHT_SQUARES],
        q_mean=q_mean,
        q_gram=gram,
        r_mean=r_mean,
        coefficients=coefficients,
        rss=rss,
    )
    suspect = (rss <= CANCELS * sums.squares) | ~well[pattern]
    refit(fit, returns, q, weights, np.flatnonzero(suspect))
    return fit


def _patterns(sums: Sums, complete: Array) -> tuple[Index, Array]:
    """Return each asset's pattern, and the terms of each pattern; the first pattern has no missing dates."""
    pattern = np.zeros(len(sums.squares), dtype=np.intp)
    if not sums.ragged.any():
        return pattern, np.append(complete, [0.0, 0.0])[None]
    ragged = np.flatnonzero(sums.ragged)
    marks = np.ascontiguousarray(sums.terms[ragged, -2:]).view(np.complex128)[:, 0]
    _, first, which = np.unique(marks, return_index=True, return_inverse=True)
    pattern[ragged] = which.reshape(-1) + 1
    return pattern, np.vstack([np.append(complete, [0.0, 0.0]), sums.terms[ragged[first]]])
