"""Tables as plain values, ready for JSON."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as dicts, its index included."""
    flat = table.reset_index()
    columns = [[plain(v) for v in flat[c]] for c in flat.columns]
    return [dict(zip(map(str, flat.columns), row, strict=True)) for row in zip(*columns, strict=True)]


def plain(value: Any) -> Any:
    """A value that JSON has: NaN and infinity become None, labels become strings."""
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return str(value)
