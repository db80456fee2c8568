"""Regressions by asset, the part of moments whose size grows with the assets."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
from attrs import evolve, fields, frozen
from numpy.typing import NDArray

from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, Flags, Index
from riskmodel._core.linalg import STILL, inverse_roots, quadratic_forms, row_dots, row_outers

BY_PATTERN = ("count", "scale", "weight", "weight_squares", "q_mean", "q_gram")


@final
@frozen(eq=False)
class Regressions:
    r"""One regression on q for each asset, over its own dates: the part of `Moments` that grows with the assets.

    Attributes
    ----------
    pattern : array of int, shape (N,)
        The pattern of missing dates of each asset.
    count : array of int, shape (P,)
        Observations in each pattern.
    scale : array, shape (P,)
        The weight that 1 stands for in the pattern's sums is 2 to this power; 0 where weights are not tiny.
    weight, weight_squares : array, shape (P,)
        Σ w and Σ w² over the pattern's dates; both are the count for equal weights.
    q_mean : array, shape (P, K)
        Weighted mean of q over the pattern's dates.
    q_gram : array, shape (P, K, K)
        G, the weighted and centred Gram matrix of q over the pattern's dates.
    r_mean : array, shape (N,)
        Weighted mean excess return over the asset's dates.
    coefficients : array, shape (N, K)
        γ; the least-norm one where G lacks rank.
    rss : array, shape (N,)
        Weighted residual sum of squares.
    """

    pattern: Index
    count: Index
    scale: Array
    weight: Array
    weight_squares: Array
    q_mean: Array
    q_gram: Array
    r_mean: Array
    coefficients: Array
    rss: Array

    def each(self, values: NDArray[Any]) -> NDArray[Any]:
        """Expand values by pattern to values by asset: shape (P,) to (N,)."""
        return values[self.pattern] if len(values) > 1 else np.broadcast_to(values, self.pattern.shape)

    def n_observations(self) -> Index:
        """Observations of each asset, shape (N,)."""
        return self.each(self.count)

    def dot(self, vectors: Array) -> Array:
        """The product of each asset's coefficients with its pattern's vector (P × K), shape (N,)."""
        return row_dots(self.coefficients, vectors, self.pattern)

    def outer(self, numbers: Array, vectors: Array) -> Array:
        """The product of each asset's number (N) with its pattern's vector (P × J), shape (N, J)."""
        return row_outers(numbers, vectors, self.pattern)

    def n_effective(self) -> Array:
        """The number of equally weighted observations with as precise a mean [Kish], (Σ w)²/Σ w², shape (P,)."""
        return np.asarray(effective(self.weight, self.weight_squares))

    def take(self, at: Index) -> Self:
        """The regressions at some positions, shape (M,); -1 is an asset without any observation."""
        empty, there = at < 0, np.maximum(at, 0)
        patterns = self._with_empty_pattern() if empty.any() else self
        nothing = len(patterns.count) - 1
        taken = {n: _filled(getattr(self, n), there, empty, 0) for n in ("r_mean", "coefficients", "rss")}
        own = _filled(self.pattern, there, empty, nothing)
        # unused patterns would be checked like used ones
        used, pattern = np.unique(own, return_inverse=True)
        by_pattern = {n: getattr(patterns, n)[used if len(used) else [0]] for n in BY_PATTERN}
        return evolve(self, pattern=pattern.reshape(-1).astype(np.intp), **by_pattern, **taken)

    def _with_empty_pattern(self) -> Self:
        """Append the pattern of an asset without observations."""
        parts = {name: getattr(self, name) for name in BY_PATTERN}
        longer = {n: np.concatenate([a, np.zeros((1, *a.shape[1:]), dtype=a.dtype)]) for n, a in parts.items()}
        return evolve(self, **longer)

    def rescaled(self, power: float) -> Self:
        """The same, where 1 stands for a weight that is 2 to this power larger."""
        return self if power == 0 else evolve(self, scale=self.scale + power)

    def by_pattern(self, pattern: Index, at: Index) -> Self:
        """The same by finer patterns, which are `at` these positions among their own."""
        if np.array_equal(at, np.arange(len(self.count))):
            return evolve(self, pattern=pattern)
        return evolve(self, pattern=pattern, **{n: getattr(self, n)[at] for n in BY_PATTERN})

    def multiplied(self, factor: Array) -> Self:
        """The same with all weights of each pattern times a factor, shape (P,)."""
        if (factor == 1.0).all():
            return self
        return evolve(
            self,
            weight=self.weight * factor,
            weight_squares=self.weight_squares * factor**2,
            q_gram=self.q_gram * factor[:, None, None],
            rss=self.rss * self.each(factor),
        )

    def without_rounding(self) -> Self:
        """Set the variance of returns that are constant, up to rounding of their mean, to zero."""
        total = self.fitted_squares() + self.rss
        still = (total > 0) & (total <= self.each(self.weight) * (STILL * self.r_mean) ** 2)
        if not still.any():
            return self
        coefficients = np.where(still[:, None], 0.0, self.coefficients)
        return evolve(self, coefficients=coefficients, rss=np.where(still, 0.0, self.rss))

    def fitted_squares(self) -> Array:
        """Return the explained sum of squares of each asset, γ'Gγ, shape (N,)."""
        return np.maximum(quadratic_forms(self.coefficients, self.q_gram, self.pattern), 0.0)

    def inverse_root(self) -> Array:
        """W, lower triangular, with W'W = G⁻¹ for each pattern, shape (K, K, P); infinite where there is none."""
        root, definite = inverse_roots(np.moveaxis(self.q_gram, 0, -1))
        return np.where(definite, root, np.inf)


def _filled(values: NDArray[Any], at: Index, empty: Flags, fill: int) -> NDArray[Any]:
    """Take values at some positions, with a fill value where `empty`."""
    if not len(values):
        return np.full((len(at), *values.shape[1:]), fill, dtype=values.dtype)
    taken = values[at]
    taken[empty] = fill
    return taken


def effective(weight: Any, weight_squares: Any) -> Any:
    """(Σ w)²/Σ w², exactly the count where all weights are 1; 0 without observations."""
    return weight * np.divide(weight, weight_squares, out=np.zeros_like(weight), where=np.asarray(weight_squares) > 0)


def _set_read_only(regressions: Regressions) -> Regressions:
    """Make the arrays read-only in place; no other code holds them."""
    require(regressions, Regressions, "regressions", "make moments with Moments.of(panel)")
    for array in (getattr(regressions, f.name) for f in fields(Regressions)):
        array.flags.writeable = False
    return regressions
