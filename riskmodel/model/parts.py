"""The arrays of a model, whose axes are assets and factors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from attrs import Attribute, Converter

from riskmodel._core import labels
from riskmodel._core.arrays import Array, read_only
from riskmodel.errors import InvalidParameterError
from riskmodel.quantities import quantities_in

# the labels of the rows and columns of each part
_AXES = {
    "_loadings": ("assets", "factors"),
    "_factor_covariance": ("factors", "factors"),
    "_idio_variance": ("assets",),
    "_alpha": ("assets",),
    "_factor_mean": ("factors",),
    "_total_variance": ("assets",),
    "_rsquared": ("assets",),
    "_std_errors": ("assets",),
    "_n_observations": ("assets",),
}


def _read_part(values: Any, self: Any, part: Attribute[Any]) -> Array:
    """Read a part as an array; labels, where it has some, must be in the model's order."""
    if isinstance(values, pd.Series | pd.DataFrame):
        for got, axis in zip(values.axes, _AXES[part.name], strict=False):
            expected = getattr(self, axis)
            if list(got) != list(expected):
                raise InvalidParameterError(
                    f"expected {part.name[1:]} labelled by the {axis}, {labels.listing(expected)}, got "
                    f"{labels.listing(got)}; reindex it, or pass an array in that order.",
                    name=part.name[1:],
                    expected=list(expected),
                    got=list(got),
                )
    for value in quantities_in(values):
        raise InvalidParameterError(
            f"expected {part.name[1:]} as plain numbers at the model's horizon, got {value!r}; convert it with "
            "float(value.at(horizon)), or use from_parameters, which checks horizons.",
            name=part.name[1:],
            got=value,
        )
    return read_only(values)


def require_shapes(value: Any, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise unless the arrays of a model or of its regression have these shapes."""
    for name, shape in shapes.items():
        got = getattr(value, f"_{name}").shape
        if got != shape:
            raise InvalidParameterError(
                f"expected {name} of shape {shape} for {len(value.assets)} assets and {len(value.factors)} factors, "
                f"got shape {got}.",
                name=name,
                expected=shape,
                got=got,
            )


PART = Converter(_read_part, takes_self=True, takes_field=True)
