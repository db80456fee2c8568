"""Groups of assets, such as sectors, which parts of risk models shrink towards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arrays import Index
from riskmodel.errors import InvalidParameterError, UnknownAssetError


def read_groups(groups: Any) -> pd.Series[Any] | None:
    """Return groups by asset as a Series, None for none (an attrs converter)."""
    if groups is None:
        return None
    if not isinstance(groups, pd.Series | Mapping):
        raise InvalidParameterError(
            f"expected groups as a Series or mapping from asset to group, got {type(groups).__name__}.",
            parameter="groups",
        )
    read = groups.copy() if isinstance(groups, pd.Series) else pd.Series(list(groups.values()), list(groups))
    labels.unique(read.index, "the assets of groups")
    return read


def numbered(groups: pd.Series[Any] | None, assets: pd.Index[Any]) -> Index:
    """The group of each asset, as a number, shape (N,); all are one without groups.

    Raises
    ------
    UnknownAssetError
        For assets without a group.
    """
    if groups is None:
        return np.zeros(len(assets), dtype=np.intp)
    known = groups.dropna()
    at = labels.positions(list(assets), known.index, "asset, without a group", UnknownAssetError)
    return np.asarray(pd.factorize(known.iloc[at])[0], dtype=np.intp)
