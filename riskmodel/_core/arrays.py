"""Arrays of float64: read from callers, read-only once held, pickled by what they are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from attrs import fields
from numpy.typing import ArrayLike, NDArray

from riskmodel.errors import (
    InvalidParameterError,
)

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int32]


def read_only(values: ArrayLike) -> Array:
    """Return a float64 array that nobody can write to: a copy, unless it is such an array already."""
    if isinstance(values, np.ndarray) and _is_held(values):
        return values
    return set_read_only(_as_float64(values, partial(np.array, order="C")))


def floats(values: Any) -> Array:
    """Return real numbers as float64, or raise where something else came: text is not read as numbers."""
    return _as_float64(values, np.asarray)


def _as_float64(values: Any, convert: Callable[..., Array]) -> Array:
    raw = np.asarray(values)
    if raw.dtype.kind not in "fiubO" or (raw.dtype.kind == "O" and any(isinstance(v, str) for v in raw.flat)):
        raise InvalidParameterError(f"real numbers are wanted, but {raw.dtype} values came; convert them first.")
    try:
        return convert(raw, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(f"real numbers are wanted, but they cannot be read as such: {error}.") from error


def set_read_only(array: Array) -> Array:
    """Make an array that nobody else holds read-only."""
    array.flags.writeable = False
    return array


def is_finite(values: Array) -> bool:
    """Whether there is no NaN or infinity; one product tells, unless it overflows, and needs no array of flags."""
    with np.errstate(over="ignore", invalid="ignore"):
        squared = np.vdot(values, values)
    return bool(np.isfinite(squared) or np.isfinite(values).all())


def _is_held(values: NDArray[Any]) -> bool:
    return values.flags.c_contiguous and is_unchanging(values)


def is_unchanging(values: NDArray[Any]) -> bool:
    """Whether these are float64 numbers that nobody can write to; a view is as frozen as the array it looks at."""
    base = values.base
    owned = base is None or (isinstance(base, np.ndarray) and base.base is None and not base.flags.writeable)
    return values.dtype == np.float64 and owned and not values.flags.writeable


def by_constructor(value: Any) -> tuple[Any, tuple[type, dict[str, Any]]]:
    """Pickle a frozen value by what it is made from, so that its arrays are read-only again when it comes back."""
    parts = {f.alias: getattr(value, f.name) for f in fields(type(value)) if f.init}
    return _construct, (type(value), parts)


def _construct(kind: Any, parts: dict[str, Any]) -> Any:
    return kind(**parts)


def row_blocks(n: int, size: int = 8_192) -> Iterator[slice]:
    """Slices that cover n rows, so that temporaries stay small."""
    return (slice(start, start + size) for start in range(0, n, size))
