"""Whether what a file of moments holds can be moments: shapes, kinds, signs and finiteness."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from riskmodel._core.arrays import Array
from riskmodel.horizon import is_number

# Sums of weights, and symmetric matrices, agree with their rules to this share.
_ROUNDING = 1e-9
# A basis whose inverse has no digits.
_SINGULAR = 1e-15
_WHOLE = ("pattern", "count")


def unsound_part(head: Mapping[str, Any], arrays: Mapping[str, Any]) -> str | None:
    """Name the first part that cannot be one of moments, or return None; all parts are there."""
    return next((name for name, sound in _checks(head, arrays) if not sound()), None)


def _checks(head: Mapping[str, Any], arrays: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[], bool]]]:
    """Yield the name of each part and its check; a check is called only where those before hold."""
    yield from ((name, partial(rule, head[name])) for name, rule in _NUMBERS.items())
    yield "weight_squares", lambda: _within(head["weight"], head["weight_squares"], head["n_dates"])
    yield "assets", lambda: isinstance(head["assets"], list) and all(map(_is_label, head["assets"]))
    yield "definitions", lambda: isinstance(head["definitions"], list)
    for name, shape in _shapes(head, arrays).items():
        yield name, partial(_are_numbers, arrays[name], shape, "iu" if name in _WHOLE else "f")
    yield "pattern", lambda: _is_between(arrays["pattern"], 0, len(arrays["count"]) - 1)
    yield "count", lambda: _is_between(arrays["count"], 0, head["n_dates"])
    yield "weight", lambda: _are_weights(arrays)
    yield "rss", lambda: bool((arrays["rss"] >= 0).all())
    yield "q_gram", lambda: _are_grams(arrays["q_gram"])
    yield "basis", lambda: _is_invertible(arrays["basis"])


def _shapes(head: Mapping[str, Any], arrays: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    n, k, p = len(head["assets"]), len(head["definitions"]), len(np.atleast_1d(arrays["count"]))
    by_pattern = dict.fromkeys(("count", "scale", "weight", "weight_squares"), (p,))
    by_asset = dict.fromkeys(("pattern", "r_mean", "rss"), (n,))
    shapes = by_pattern | by_asset | {"q_mean": (p, k), "q_gram": (p, k, k), "coefficients": (n, k)}
    return shapes | {"factor_mean": (k,), "origin": (k,), "factor_root": (k, k), "basis": (k, k)}


def _are_numbers(values: Any, shape: tuple[int, ...], kinds: str) -> bool:
    return values.shape == shape and values.dtype.kind in kinds and bool(np.isfinite(values).all())


def _is_label(value: Any) -> bool:
    return isinstance(value, str) or is_number(value) or isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    return is_number(value) and bool(np.isfinite(value))


def _is_positive(value: Any) -> bool:
    return _is_finite(value) and value > 0


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


# What numbers of the head are like.
_NUMBERS: dict[str, Callable[[Any], bool]] = {
    "n_dates": _is_count,
    "weight": _is_positive,
    "weight_squares": _is_positive,
    "risk_free_mean": _is_finite,
    "scale": _is_finite,
    "decay_factor": lambda value: value is None or (_is_positive(value) and value <= 1),
    "name": lambda value: isinstance(value, str),
    "days": _is_positive,
}


def _within(weight: float, squares: float, count: float) -> bool:
    """Whether the effective number of dates is between one and their number."""
    effective = weight * (weight / squares)
    return 1 - _ROUNDING <= effective <= count * (1 + _ROUNDING)


def _is_between(values: Any, least: int, most: int) -> bool:
    return not values.size or bool(values.min() >= least and values.max() <= most)


def _are_weights(arrays: Mapping[str, Any]) -> bool:
    """Whether each pattern's sums of weights are those of as many positive weights as it has dates."""
    count, weight, squares = (arrays[name] for name in ("count", "weight", "weight_squares"))
    if (weight < 0).any() or (squares < 0).any() or weight[count == 0].any() or squares[count == 0].any():
        return False
    some = (count > 0) & (squares > 0)
    return all(_within(*numbers) for numbers in zip(weight[some], squares[some], count[some], strict=True))


def _are_grams(grams: Array) -> bool:
    """Whether matrices are symmetric and positive semidefinite, up to rounding."""
    if not grams.size:
        return True
    size = np.trace(grams, axis1=1, axis2=2)
    gap = np.abs(grams - np.swapaxes(grams, 1, 2)).max(axis=(1, 2))
    return bool((size >= 0).all() and (gap <= _ROUNDING * size).all() and _least(grams, size) >= -_ROUNDING)


def _least(grams: Array, size: Array) -> float:
    """The least eigenvalue, as a share of the matrix's size."""
    unit = np.where(size > 0, size, 1.0)
    return float(np.linalg.eigvalsh(grams / unit[:, None, None]).min())


def _is_invertible(basis: Array) -> bool:
    if not basis.size:
        return True
    lengths = np.linalg.norm(basis, axis=0)
    if not (lengths > 0).all() or not np.isfinite(lengths).all():
        return False
    return bool(np.linalg.svd(basis / lengths, compute_uv=False).min() > _SINGULAR)
