"""Weights of dates, as numbers times powers of two: so old a date that its weight is no number still has one."""

from __future__ import annotations

from itertools import pairwise
from typing import Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array, Index

# Weights of dates that are summed together differ by less than two to this power, so that squares are numbers.
_BAND = 300
# Weights whose largest is nearer to 1 than two to this power are left in the unit 1.
_PLAIN = 30
# The least weight that is no rounding error as a power of the decay factor.
_LEAST = 1e-200


@final
@frozen(eq=False)
class DateWeights:
    """The positive weights of T dates, ``fraction * 2 ** exponent``, in units of ``2 ** scale``.

    Attributes
    ----------
    fraction : array, shape (T,)
        From 0.5 to 1.
    exponent : array of int, shape (T,)
        Powers of two.
    scale : int
        The power of two that `numbers` leave out.
    """

    fraction: Array
    exponent: Index
    scale: int = 0

    @classmethod
    def of(cls, weights: Array) -> Self:
        """Split weights."""
        fraction, exponent = np.frexp(weights)
        return cls(fraction, exponent.astype(np.intp))

    @classmethod
    def decaying(cls, keep: float, n: int) -> Self:
        """Weights of n dates, each `keep` times that of the next, whose last is 1."""
        ages = np.arange(n - 1, -1, -1)
        split = cls.of(np.maximum(keep**ages, _LEAST))
        power = ages * np.log2(keep)
        exponent = np.floor(power).astype(np.intp) + 1
        old = power < np.log2(_LEAST)
        return cls(np.where(old, np.exp2(power - exponent), split.fraction), np.where(old, exponent, split.exponent))

    @classmethod
    def joined(cls, fraction: Array, exponent: Array) -> Self:
        """Put the parts together again, in units near the largest weight where that is tiny."""
        whole = exponent.astype(np.intp)
        largest = int(whole.max()) if len(whole) else 0
        return cls(fraction, whole, largest if abs(largest) > _PLAIN else 0)

    def numbers(self) -> Array:
        """The weights in their unit, shape (T,); those that are no numbers are the least that serves."""
        return np.asarray(np.maximum(np.ldexp(self.fraction, self.exponent - self.scale), _LEAST))

    def bands(self) -> list[slice]:
        """Split the dates into runs of weights that can be summed together."""
        if not len(self.exponent):
            return [slice(0, 0)]
        band = (self.exponent.max() - self.exponent) // _BAND
        edges = [0, *(np.flatnonzero(np.diff(band)) + 1), len(band)]
        return [slice(int(a), int(b)) for a, b in pairwise(edges)]

    def band(self, rows: slice) -> DateWeights:
        """The weights of a run, in a unit near the largest; the same unit where the run is all dates."""
        exponent = self.exponent[rows]
        if len(exponent) == len(self.exponent):
            return self
        return DateWeights(self.fraction[rows], exponent, int(exponent.max()))
