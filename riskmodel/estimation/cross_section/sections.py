"""The cross-sections of some dates, as preparations and universes see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np
from attrs import Converter, field, frozen

from riskmodel._core.arguments import require, shown
from riskmodel._core.arrays import Array, Flags, floats
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError


def _read_caps(caps: Any) -> Array:
    read = floats(caps)
    if read.ndim != 2:
        raise InvalidParameterError(
            f"expected caps of dates × assets, got shape {read.shape}.", parameter="caps", got=read.shape
        )
    return read


def _read_universe(universe: Any, self: Any) -> Flags:
    if not isinstance(universe, np.ndarray) or universe.dtype != np.bool_:
        raise InvalidParameterError(
            f"expected universe as an array of True and False, got {shown(universe)}.", parameter="universe"
        )
    if universe.shape != self.caps.shape:
        raise InvalidParameterError(
            f"expected universe of the shape of caps, {self.caps.shape}, got {universe.shape}.",
            parameter="universe",
            expected=self.caps.shape,
            got=universe.shape,
        )
    return universe


def _require_mapping(_self: CrossSections, attribute: Any, value: Any) -> None:
    kind: type[Any] = Mapping
    require(value, kind, attribute.alias, "give arrays by name")


def _require_function(_self: CrossSections, attribute: Any, value: Any) -> None:
    if not callable(value):
        raise InvalidParameterError(
            f"expected {attribute.alias} as a function of a name, got {shown(value)}.", parameter=attribute.alias
        )


@final
@frozen(eq=False)
class CrossSections(Listed):
    """What is known of N assets before each of T times; a `Preparation` and an `EstimationUniverse` read it.

    Attributes
    ----------
    caps : array, shape (T, N)
        Market capitalisation, in any unit; all 1 where the model has none; NaN where missing.
    universe : array of bool, shape (T, N)
        The estimation universe.
    exposures : mapping from name to array, shape (T, N)
        The styles prepared so far; NaN where missing.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> caps = np.array([[4.0, 2.0, 1.0, 1.0]])
    >>> sections = rm.CrossSections(caps, np.full((1, 4), True), exposures={}, known={}.get, codes={}.get)
    >>> values = np.array([[1.0, 2.0, 3.0, 4.0]])
    >>> sections.cap_weighted_mean(values).tolist(), sections.mean(values).tolist()
    ([[1.875]], [[2.5]])
    """

    caps: Array = field(converter=_read_caps)
    universe: Flags = field(converter=Converter(_read_universe, takes_self=True))  # type: ignore[misc]
    exposures: Mapping[Any, Array] = field(validator=_require_mapping)
    _known: Callable[[Any], Array] = field(repr=False, validator=_require_function)
    _codes: Callable[[Any], Array] = field(repr=False, validator=_require_function)
    _by_cap: tuple[Array, Array] = field(init=False, repr=False)
    _even: tuple[Array, Array] = field(init=False, repr=False)

    @_by_cap.default
    def _weigh_by_cap(self) -> tuple[Array, Array]:
        return _with_totals(np.where(self.universe, self.caps, 0.0))

    @_even.default
    def _weigh_evenly(self) -> tuple[Array, Array]:
        return _with_totals(self.universe.astype(np.float64))

    def known(self, name: Any) -> Array:
        """A characteristic as it was given, shape (T, N); NaN where missing."""
        return self._known(name)

    def cap_weighted_mean(self, values: Array) -> Array:
        """Mean of each row over the universe, weighted by capitalisation, shape (T, 1); NaN without values."""
        return _mean(values, *self._by_cap)

    def mean(self, values: Array) -> Array:
        """Mean of each row over the universe, shape (T, 1); NaN for a row without values."""
        return _mean(values, *self._even)

    def groups(self, name: Any) -> Array:
        """A characteristic of groups as their positions 0, 1, ..., shape (T, N); NaN where missing."""
        return self._codes(name)


def _with_totals(weights: Array) -> tuple[Array, Array]:
    return weights, weights.sum(axis=1)


def _mean(values: Array, weights: Array, totals: Array) -> Array:
    """Weighted mean of each row over its values, shape (T, 1)."""
    sums = np.einsum("tn,tn->t", values, weights)
    gaps = np.isnan(sums)
    if gaps.any():
        totals = totals.copy()
        some, w = values[gaps], weights[gaps]
        missing = np.isnan(some)
        totals[gaps] = np.where(missing, 0.0, w).sum(axis=1)
        sums[gaps] = np.einsum("tn,tn->t", np.where(missing, 0.0, some), w)
    return np.asarray(np.divide(sums, totals, out=np.full_like(sums, np.nan), where=totals > 0)[:, None])
