"""Parts of a model: arrays whose axes are assets and factors."""

from __future__ import annotations

from typing import Any

import pandas as pd
from attrs import Attribute, Converter

from riskmodel._core import labels
from riskmodel._core.arrays import Array, read_only
from riskmodel.errors import (
    InvalidParameterError,
)

# what labels the rows and columns of each part
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
    """Read a part as an array; where it is labelled, the labels must be in order, lest numbers change places."""
    if isinstance(values, pd.Series | pd.DataFrame):
        for came, axis in zip(values.axes, _AXES[part.name], strict=False):
            expected = getattr(self, axis)
            if list(came) != list(expected):
                raise InvalidParameterError(
                    f"{part.name[1:]} is labelled {labels.listing(came)}, but the {axis} are "
                    f"{labels.listing(expected)}; reindex it, or pass an array in that order."
                )
    return read_only(values)


PART = Converter(_read_part, takes_self=True, takes_field=True)
