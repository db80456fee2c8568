"""One regression for each asset: the part of moments that is as long as the assets."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
from attrs import evolve, fields, frozen
from numpy.typing import NDArray

from riskmodel._core.arrays import Array, Index
from riskmodel._core.linalg import STILL, inverse_roots, quadratic_forms, row_dots, row_outers

_BY_PATTERN = ("count", "weight", "weight_squares", "q_mean", "q_gram")


@final
@frozen(eq=False)
class Regressions:
    r"""One regression on q for each asset, over its own dates: the part of `Moments` that is as long as the assets.

    Attributes
    ----------
    pattern : array of int, shape (N,)
        Which pattern of missing dates each asset has.
    count : array of int, shape (P,)
        Observations in each pattern.
    weight, weight_squares : array, shape (P,)
        Σ w and Σ w² over the pattern's dates; both are the count where nothing is forgotten.
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
    weight: Array
    weight_squares: Array
    q_mean: Array
    q_gram: Array
    r_mean: Array
    coefficients: Array
    rss: Array

    def each(self, values: NDArray[Any]) -> NDArray[Any]:
        """What is known by pattern, by asset: shape (P,) to (N,)."""
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
        """As many equally weighted observations as would have means as precise [Kish], (Σ w)²/Σ w², shape (P,)."""
        return np.asarray(effective(self.weight, self.weight_squares))

    def take(self, at: Index) -> Self:
        """The regressions at some positions, shape (M,); -1 is an asset without any observation."""
        empty = at < 0
        r = self._with_empty_pattern() if empty.any() else self
        there = np.where(empty, 0, at)
        zero = np.zeros(len(at))
        if not len(r.pattern):  # none of those wanted is there
            k = r.q_mean.shape[1]
            return evolve(
                r,
                pattern=np.full(len(at), len(r.count) - 1),
                r_mean=zero,
                coefficients=np.zeros((len(at), k)),
                rss=zero.copy(),
            )
        return evolve(
            r,
            pattern=np.where(empty, len(r.count) - 1, r.pattern[there]),
            r_mean=np.where(empty, 0.0, r.r_mean[there]),
            coefficients=np.where(empty[:, None], 0.0, r.coefficients[there]),
            rss=np.where(empty, 0.0, r.rss[there]),
        )._without_unused_patterns()

    def _without_unused_patterns(self) -> Self:
        """The same, without the patterns of assets that left, whose few dates may not even determine a regression."""
        used, pattern = np.unique(self.pattern, return_inverse=True)
        if len(used) in {0, len(self.count)}:
            return self
        return evolve(self, pattern=pattern.reshape(-1), **{n: getattr(self, n)[used] for n in _BY_PATTERN})

    def _with_empty_pattern(self) -> Self:
        """The same, with one pattern more: that of an asset without any observation."""
        parts = {name: getattr(self, name) for name in _BY_PATTERN}
        return evolve(
            self, **{n: np.concatenate([a, np.zeros((1, *a.shape[1:]), dtype=a.dtype)]) for n, a in parts.items()}
        )

    def without_rounding(self) -> Self:
        """The same, where returns that are all alike, but for the rounding of their mean, have no variance at all."""
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
        root, definite = inverse_roots(self.q_gram)
        return np.where(definite, root, np.inf)


def effective(weight: Any, weight_squares: Any) -> Any:
    """(Σ w)²/Σ w², exactly the count where all weights are 1; 0 where there are none."""
    return weight * np.divide(weight, weight_squares, out=np.zeros_like(weight), where=np.asarray(weight_squares) > 0)


def _set_read_only(regressions: Regressions) -> Regressions:
    """Make the arrays read-only; they were made here, so nobody else holds them."""
    for array in (getattr(regressions, f.name) for f in fields(Regressions)):
        array.flags.writeable = False
    return regressions
