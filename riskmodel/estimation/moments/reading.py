"""Regressions from one pass over returns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array, Index
from riskmodel._core.linalg import CANCELS, apply_matrices, invert_grams, symmetric
from riskmodel._core.threads import one_blas_thread
from riskmodel.estimation.moments.merging import merge_regressions
from riskmodel.estimation.moments.refit import refit
from riskmodel.estimation.moments.regressions import Regressions
from riskmodel.estimation.moments.sums import COUNT, WEIGHT_SQUARES, Sums, all_dates
from riskmodel.estimation.moments.weights import DateWeights

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
        scale=np.zeros(patterns),
        weight=there * weight,
        weight_squares=there * weight**2,
        q_mean=np.zeros((patterns, k)),
        q_gram=np.zeros((patterns, k, k)),
        r_mean=np.where(missing, 0.0, returns),
        coefficients=np.zeros((len(returns), k)),
        rss=np.zeros(len(returns)),
    )


@one_blas_thread()
def regress(returns: Array | StoredReturns, q: Array, weights: DateWeights | None) -> Regressions:
    """Sum, centre and solve each asset's regression; refit those in which sums cancel.

    Where weights are too far apart for their squares, dates are read in bands, and these are merged.
    """
    k = q.shape[1]
    if len(returns) == 1:
        return regress_one_date(returns[:1][0], k, 1.0 if weights is None else float(weights.numbers()[0]))
    bands = [slice(0, len(q))] if weights is None else weights.bands()
    readers = [returns] if isinstance(returns, np.ndarray) else returns.readers()
    own = [None if weights is None else weights.band(rows) for rows in bands]
    parts = [
        Sums.beside(list(sums))
        for sums in zip(*(_sums(reader, q, bands, [w and w.numbers() for w in own]) for reader in readers), strict=True)
    ]
    fits = [
        _solved(sums, _Rows.of(returns, rows), q[rows], None if w is None else w.numbers())
        for sums, rows, w in zip(parts, bands, own, strict=True)
    ]
    if weights is None or len(fits) == 1:
        return fits[0]
    whole = weights.scale
    return reduce(merge_regressions, (f.rescaled(w.scale - whole) for f, w in zip(fits, own, strict=True) if w))


def _sums(reader: Any, q: Array, bands: Sequence[slice], weights: Sequence[Array | None]) -> list[Sums]:
    """Read the bands one after the other."""
    if len(bands) == 1:
        return [Sums.of(reader, q, weights[0])]
    return [Sums.of(_Rows.of(reader, rows), q[rows], w) for rows, w in zip(bands, weights, strict=True)]


@final
@frozen(eq=False)
class _Rows:
    """Consecutive rows of returns, which are sliced where they lie."""

    returns: Any
    start: int
    shape: tuple[int, int]
    rows: int

    @classmethod
    def of(cls, returns: Any, rows: slice) -> Any:
        """Return some rows; the returns themselves where that is all."""
        t, n = returns.shape
        if (rows.start, rows.stop) == (0, t):
            return returns
        if isinstance(returns, np.ndarray):
            return returns[rows]
        return cls(returns, rows.start, (rows.stop - rows.start, n), getattr(returns, "rows", t))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Array:
        rows, *columns = key if isinstance(key, tuple) else (key,)
        start, stop, _ = rows.indices(len(self))
        moved = slice(self.start + start, self.start + stop)
        return np.asarray(self.returns[(moved, *columns)] if columns else self.returns[moved])


def _solved(sums: Sums, returns: Any, q: Array, weights: Array | None) -> Regressions:
    """Centre and solve each asset's regression."""
    if len(q) == 1:
        return regress_one_date(np.asarray(returns[:1][0]), q.shape[1], 1.0 if weights is None else float(weights[0]))
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
        scale=np.zeros(len(terms)),
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
