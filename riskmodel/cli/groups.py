"""Files of two columns: assets, and what each has."""

from __future__ import annotations

import pandas as pd

from riskmodel._core.paths import read_path
from riskmodel.errors import InvalidParameterError


def read_groups(option: str, path: str) -> pd.Series[str]:
    """Read a CSV file of two columns with a header: what each asset has, as text, by asset.

    Raises
    ------
    InvalidParameterError
        If it has other columns, or an asset twice.
    """
    table = pd.read_csv(read_path(path, option), dtype=str)
    if table.shape[1] != 2 or table.iloc[:, 0].duplicated().any():
        raise InvalidParameterError(
            f"expected {option} with two columns, an asset and what it has, each asset once, got {path} with "
            f"{table.shape[1]} columns.",
            option=option,
        )
    return table.set_index(table.columns[0]).iloc[:, 0]
