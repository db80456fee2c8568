"""Numbers by label from callers: weights of assets, positions in factors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arrays import floats
from riskmodel.errors import InvalidParameterError


def read_weights(weights: Any, what: str, by: str) -> pd.Series[float]:
    """Copy and check numbers by label.

    Parameters
    ----------
    weights : mapping or Series
        Finite numbers by unique label.
    what, by : str
        The names of the numbers and of their labels in errors: "weights", "asset".

    Raises
    ------
    InvalidParameterError
        For anything else, and for infinite or missing numbers.
    DuplicateLabelsError
        For a label that occurs twice.
    """
    if not isinstance(weights, Mapping | pd.Series):
        raise InvalidParameterError(
            f"expected {what} as a mapping or a Series by {by}, such as {{'MSFT': 1.0}}, got {type(weights).__name__}.",
            parameter=what,
            got=type(weights).__name__,
        )
    in_order: Any = weights if isinstance(weights, pd.Series) else list(weights.values())
    index = labels.unique(weights.index if isinstance(weights, pd.Series) else list(weights), f"{what} by {by}")
    values = np.array(floats(in_order))
    if values.shape != index.shape:
        raise InvalidParameterError(
            f"expected {what} as one number for each of {labels.listing(index)}, got an array of shape {values.shape}.",
            parameter=what,
            got=values.shape,
        )
    bad = index[~np.isfinite(values)]
    if len(bad):
        raise InvalidParameterError(
            f"expected finite {what}, got infinite or missing ones of {labels.listing(bad)}.",
            parameter=what,
            labels=list(bad),
        )
    return pd.Series(values, index, name="weight")
