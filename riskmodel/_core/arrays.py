"""Arrays of float64: conversion, read-only copies, pickling by constructor arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import numpy as np
from attrs import fields
from numpy.typing import ArrayLike, NDArray

from riskmodel.errors import (
    InvalidParameterError,
)

T = TypeVar("T")
Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int32]


def read_only(values: ArrayLike) -> Array:
    """Return a read-only float64 array: a copy, unless the argument is one already."""
    if isinstance(values, np.ndarray) and _is_held(values):
        return values
    return set_read_only(_as_float64(values, partial(np.array, order="C")))


def floats(values: Any) -> Array:
    """Return real numbers as float64, or raise for anything else; text is not parsed."""
    return _as_float64(values, np.asarray)


def _as_float64(values: Any, convert: Callable[..., Array]) -> Array:
    if isinstance(values, np.ma.MaskedArray) and values.dtype.kind in "fiubO":
        # masked is missing: numpy would give the numbers under the mask
        values = np.ma.filled(values if values.dtype.kind == "O" else values.astype(np.float64), np.nan)
    try:
        raw = np.asarray(values)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidParameterError(
            f"expected real numbers in rows of one length, got values that make no array: {error}."
        ) from error
    if raw.dtype.kind not in "fiubO" or (raw.dtype.kind == "O" and any(isinstance(v, str) for v in raw.flat)):
        raise InvalidParameterError(
            f"expected real numbers, got dtype {raw.dtype}; convert them first.", dtype=raw.dtype
        )
    try:
        return convert(raw, dtype=np.float64)
    except (TypeError, ValueError, OverflowError, ArithmeticError) as error:
        raise InvalidParameterError(
            f"expected real numbers, got values that do not convert: {error}.", dtype=raw.dtype
        ) from error


def set_read_only(array: Array) -> Array:
    """Make an array read-only in place; no other code may hold it."""
    array.flags.writeable = False
    return array


def is_finite(values: Array) -> bool:
    """Whether all values are finite: one product, without an array of flags unless it overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        squared = np.vdot(values, values)
    return bool(np.isfinite(squared) or np.isfinite(values).all())


def _is_held(values: NDArray[Any]) -> bool:
    return values.flags.c_contiguous and is_unchanging(values)


def is_unchanging(values: NDArray[Any]) -> bool:
    """Whether these are float64 numbers that cannot be written to, not even through the array that a view is of."""
    if isinstance(values, np.ma.MaskedArray):
        return False
    base = values.base
    owned = base is None or (isinstance(base, np.ndarray) and base.base is None and not base.flags.writeable)
    return values.dtype == np.float64 and owned and not values.flags.writeable


def by_constructor(value: Any) -> tuple[Any, tuple[type, dict[str, Any]]]:
    """Pickle a frozen value by its constructor arguments, so that its arrays are read-only again when it is loaded."""
    parts = {f.alias: getattr(value, f.name) for f in fields(type(value)) if f.init}
    return _construct, (type(value), parts)


def replaced(value: T, **changes: Any) -> T:
    """Return a copy of a frozen value with some fields changed, which are checked already; the others are shared."""
    new = object.__new__(type(value))
    for f in fields(type(value)):  # type: ignore[arg-type]
        object.__setattr__(new, f.name, changes.get(f.name, getattr(value, f.name)))
    return new


def _construct(kind: Any, parts: dict[str, Any]) -> Any:
    return kind(**parts)


def row_blocks(n: int, size: int = 8_192) -> Iterator[slice]:
    """Split n rows into slices, so that temporaries stay small."""
    return (slice(start, start + size) for start in range(0, n, size))
