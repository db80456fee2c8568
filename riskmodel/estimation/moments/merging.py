"""Merge the moments of two periods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve, frozen

from riskmodel._core.arrays import Array, Index
from riskmodel._core.linalg import (
    RANK_TOLERANCE,
    apply_matrices,
    invert_grams,
    quadratic_forms,
    row_dots,
    row_outers,
    solve_right,
    transform_rows,
)
from riskmodel.estimation.moments.axes import FactorAxes
from riskmodel.estimation.moments.regressions import Regressions

if TYPE_CHECKING:
    from riskmodel.estimation.moments.value import Moments

# A basis is kept on merging while the condition of all factors in it is at least this.
_GOOD_BASIS = 0.1


def merge(a: Moments, b: Moments) -> Moments:
    """Merge the moments of two periods over the same assets and factors."""
    scale = max(a.scale, b.scale)
    (wa, wa2, root_a), (wb, wb2, root_b) = (_in_unit(m, scale) for m in (a, b))
    weight = wa + wb
    share = wb / weight
    between = np.sqrt(wa * share) * (b.factor_mean - a.factor_mean)
    stacked = np.vstack([root_a, root_b, between])
    basis = _common_basis(a.basis, b.basis, stacked)
    one, other = (rebased(m, basis, a.origin).rescaled(m.scale - scale) for m in (a, b))
    return evolve(
        a,
        n_dates=a.n_dates + b.n_dates,
        start=min(a.start, b.start),
        end=max(a.end, b.end),
        scale=scale,
        weight=weight,
        weight_squares=wa2 + wb2,
        risk_free_mean=a.risk_free_mean + share * (b.risk_free_mean - a.risk_free_mean),
        factor_mean=a.factor_mean + share * (b.factor_mean - a.factor_mean),
        factor_root=np.linalg.qr(stacked, mode="r")[: len(basis)],
        basis=basis,
        decay_factor=a.decay_factor if b.decay_factor is None else b.decay_factor,
        regressions=merge_regressions(one, other),
    )


def _in_unit(m: Moments, scale: float) -> tuple[float, float, Array]:
    """Sums of weights, and the root of the factors, where 1 stands for a weight of ``2 ** scale``."""
    if m.scale == scale:
        return m.weight, m.weight_squares, m.factor_root
    unit = float(np.exp2(m.scale - scale))
    return m.weight * unit, m.weight_squares * unit**2, m.factor_root * np.sqrt(unit)


def _common_basis(a: Array, b: Array, stacked: Array) -> Array:
    """Return the first basis in which all factors are well conditioned, or a new one."""
    for basis in (a, b):
        values = np.linalg.svd(solve_right(stacked, basis), compute_uv=False)
        if values.min(initial=np.inf) > _GOOD_BASIS * values.max(initial=0.0):
            return basis
    return FactorAxes.of(stacked).basis


def rebased(m: Moments, basis: Array, origin: Array) -> Regressions:
    """Express moments in another basis: q' = q T + s with T = A A'⁻¹."""
    r = m.regressions
    if basis is m.basis and origin is m.origin:
        return r
    shift = solve_right((m.origin - origin)[None], basis)[0]
    if basis is m.basis:
        return evolve(r, q_mean=r.q_mean + shift)
    turn = solve_right(m.basis, basis)
    if r.count.max() <= 1:  # one date has no slopes
        return evolve(r, q_mean=r.q_mean @ turn + shift)
    return evolve(
        r,
        q_mean=r.q_mean @ turn + shift,
        q_gram=turn.T @ r.q_gram @ turn,
        coefficients=transform_rows(r.coefficients, np.asarray(np.linalg.inv(turn))),
    )


@frozen(eq=False)
class _Gap:
    """The differences between the means of two periods, and their weights."""

    pattern: Index  # N: each asset's pattern in the merged moments
    weight: Array  # P: w_a w_b / (w_a + w_b)
    q: Array  # P × K
    r: Array  # N

    def unexplained(self, coefficients: Array) -> Array:
        """The difference in mean returns that the coefficients do not explain."""
        return np.asarray(self.r - row_dots(coefficients, self.q, self.pattern))


def merge_regressions(a: Regressions, b: Regressions) -> Regressions:
    """Merge two regressions by the pairwise update: every term added to the residual squares is a square."""
    pattern, pa, pb = _pairs(a, b)
    scale, a, b = _in_one_unit(a, b, pattern, pa, pb)
    total = np.where(a.weight + b.weight > 0, a.weight + b.weight, 1.0)
    gap = _Gap(pattern, a.weight * b.weight / total, b.q_mean - a.q_mean, b.r_mean - a.r_mean)
    gram = a.q_gram + b.q_gram + (gap.weight[:, None] * gap.q)[:, :, None] * gap.q[:, None, :]
    inverse, well = invert_grams(a.q_gram, a.q_gram) if b.count.max() <= 1 else (gram, np.zeros(1, dtype=bool))
    if well.all():
        coefficients, rss = _with_one_date(a, gap, inverse)
    else:
        coefficients, rss = _solve_together(a, b, gap, gram)
    return Regressions(
        pattern=pattern,
        count=a.count + b.count,
        scale=scale,
        weight=a.weight + b.weight,
        weight_squares=a.weight_squares + b.weight_squares,
        q_mean=a.q_mean + (b.weight / total)[:, None] * gap.q,
        q_gram=gram,
        r_mean=a.r_mean + (b.weight / total)[pattern] * gap.r,
        coefficients=coefficients,
        rss=rss,
    )


def _in_one_unit(
    a: Regressions, b: Regressions, pattern: Index, pa: Index, pb: Index
) -> tuple[Array, Regressions, Regressions]:
    """Return the scale of each merged pattern, and both parts by merged pattern, in its unit.

    That is the larger unit of the two, and that of the one with observations where the other has none.
    """
    scales = [np.where(m.count[at] > 0, m.scale[at], -np.inf) for m, at in ((a, pa), (b, pb))]
    scale = np.maximum(*scales)
    scale[~np.isfinite(scale)] = 0.0
    parts = [
        m.by_pattern(pattern, at).multiplied(np.exp2(own - scale))
        for m, at, own in ((a, pa, scales[0]), (b, pb, scales[1]))
    ]
    return scale, parts[0], parts[1]


def _pairs(a: Regressions, b: Regressions) -> tuple[Index, Index, Index]:
    """Return each asset's merged pattern, and the patterns of each part that it combines."""
    if len(b.count) == 1:
        return a.pattern, np.arange(len(a.count)), np.zeros(len(a.count), dtype=np.intp)
    pairs, pattern = np.unique(a.pattern * len(b.count) + b.pattern, return_inverse=True)
    return pattern.reshape(-1), *np.divmod(pairs, len(b.count))


def _with_one_date(a: Regressions, gap: _Gap, inverse: Array) -> tuple[Array, Array]:
    """Coefficients and residual squares with one more date: a step of recursive least squares [4]_."""
    turned = np.einsum("pij,pj->pi", inverse, gap.q)
    kept = gap.weight / (1.0 + gap.weight * np.einsum("pi,pi->p", turned, gap.q))
    gain = kept[:, None] * turned
    surprise = gap.unexplained(a.coefficients)
    lost = (kept[0] if len(kept) == 1 else kept[gap.pattern]) * surprise * surprise
    return a.coefficients + row_outers(surprise, gain, gap.pattern), a.rss + lost


def _solve_together(a: Regressions, b: Regressions, gap: _Gap, gram: Array) -> tuple[Array, Array]:
    """Coefficients and residual squares of two periods."""
    weight = gap.weight[gap.pattern]
    step = (weight * gap.r)[:, None] * gap.q[gap.pattern]
    cross = (
        apply_matrices(a.q_gram, a.coefficients, a.pattern) + apply_matrices(b.q_gram, b.coefficients, b.pattern) + step
    )
    coefficients = _solve_psd(gram, cross, gap.pattern)
    lost = _lost_squares(a, coefficients) + _lost_squares(b, coefficients)
    return coefficients, a.rss + b.rss + lost + weight * gap.unexplained(coefficients) ** 2


def _lost_squares(own: Regressions, coefficients: Array) -> Array:
    """Increase of each asset's residual squares by coefficients that are not its own."""
    gap = own.coefficients - coefficients
    _, well = invert_grams(own.q_gram, own.q_gram)
    poor = ~well[own.pattern]
    if poor.any():
        # the part of the gap in the null space of G is arbitrary and may be large: project it out
        inverse = np.zeros_like(own.q_gram)
        inverse[~well] = np.linalg.pinv(own.q_gram[~well], rcond=RANK_TOLERANCE, hermitian=True)
        projected = apply_matrices(inverse, apply_matrices(own.q_gram, gap, own.pattern), own.pattern)
        gap[poor] = projected[poor]
    return np.maximum(quadratic_forms(gap, own.q_gram, own.pattern), 0.0)


def _solve_psd(gram: Array, cross: Array, at: Index) -> Array:
    """Solve G γ = c for each asset; the least-norm γ where G lacks rank."""
    if not gram.shape[1]:
        return cross
    inverse, well = invert_grams(gram, gram)
    if not well.all():
        inverse[~well] = np.linalg.pinv(gram[~well], rcond=RANK_TOLERANCE, hermitian=True)
    return apply_matrices(inverse, cross, at)
