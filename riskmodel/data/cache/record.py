"""File format of one stored series: numbers, facts and a checksum."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.panel.stored.parquet import pyarrow

_KEY = b"riskmodel"
_UNIT = pd.DatetimeIndex(["2000-01-01"]).unit
NO_ROWS = pd.Series(np.empty(0), pd.DatetimeIndex([]).as_unit(_UNIT))


class DamagedError(Exception):
    """A file is damaged (internal: it becomes a `DamagedEntryWarning`)."""


def encode(facts: Mapping[str, Any], series: pd.Series[float]) -> bytes:
    """Write facts and a series as Parquet."""
    arrow, parquet = pyarrow("Cached")
    days = pd.DatetimeIndex(series.index).to_numpy().astype("datetime64[ns]")
    numbers = series.to_numpy(dtype=np.float64)
    said = json.dumps(facts, default=str)
    notes = json.dumps({"facts": said, "sha256": _checksum(said, days, numbers)})
    file = io.BytesIO()
    table = arrow.table({"date": days, "value": numbers}).replace_schema_metadata({_KEY: notes})
    parquet.write_table(table, file, compression="zstd")
    return file.getvalue()


def decode(content: bytes) -> tuple[dict[str, Any], pd.Series[float]]:
    """Read facts and a series, or raise `DamagedError`; dates among the facts are text."""
    arrow, parquet = pyarrow("Cached")
    try:
        table = parquet.read_table(io.BytesIO(content))
        notes = json.loads(table.schema.metadata[_KEY])
        days = table.column("date").to_numpy().astype("datetime64[ns]")
        numbers = np.array(table.column("value").to_numpy())
        if notes["sha256"] != _checksum(notes["facts"], days, numbers):
            raise DamagedError("its checksum does not match")
        return json.loads(notes["facts"]), pd.Series(numbers, pd.DatetimeIndex(days).as_unit(_UNIT))
    except (arrow.ArrowException, OSError, ValueError, LookupError, TypeError, AttributeError, MemoryError) as error:
        raise DamagedError(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}") from error


def _checksum(said: str, days: Any, numbers: Any) -> str:
    content = said.encode() + b"\0" + days.astype("<i8").tobytes() + numbers.astype("<f8").tobytes()
    return hashlib.sha256(content).hexdigest()
