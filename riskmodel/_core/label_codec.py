"""Labels as JSON values: text, numbers, dates and their like, exactly."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arguments import shown
from riskmodel.errors import InvalidParameterError


def _write_timestamp(t: Any) -> Any:
    zone = None if t.tz is None else str(t.tz)
    return [(t if zone is None else t.tz_convert("UTC").tz_localize(None)).isoformat(), t.unit, zone]


def _read_timestamp(said: Any) -> Any:
    text, unit, zone = said
    t = pd.Timestamp(text).as_unit(unit)
    return t if zone is None else t.tz_localize("UTC").tz_convert(zone)


# By name in the file: the class, how it is written, how it is read. A subclass stands before its base.
_KINDS: dict[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "float": (float, str, float),
    "complex": (complex, lambda z: [str(z.real), str(z.imag)], lambda z: complex(float(z[0]), float(z[1]))),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
    "decimal": (Decimal, str, Decimal),
    "fraction": (Fraction, str, Fraction),
    "uuid": (UUID, str, UUID),
    "timestamp": (pd.Timestamp, _write_timestamp, _read_timestamp),
    "datetime": (dt.datetime, dt.datetime.isoformat, dt.datetime.fromisoformat),
    "date": (dt.date, dt.date.isoformat, dt.date.fromisoformat),
    "time": (dt.time, dt.time.isoformat, dt.time.fromisoformat),
    "Timedelta": (pd.Timedelta, lambda d: [d._value, d.unit], lambda d: pd.Timedelta(np.timedelta64(d[0], d[1]))),
    "timedelta": (
        dt.timedelta,
        lambda d: [d.days, d.seconds, d.microseconds],
        lambda d: dt.timedelta(d[0], d[1], d[2]),
    ),
    "period": (pd.Period, lambda p: [p.ordinal, p.freqstr], lambda p: pd.Period(ordinal=p[0], freq=p[1])),
    "interval": (
        pd.Interval,
        lambda i: [write_label(i.left), write_label(i.right), i.closed],
        lambda i: pd.Interval(read_label(i[0]), read_label(i[1]), i[2]),
    ),
}


def write_label(label: Any) -> Any:
    """Return a label as a JSON value, or raise for a class that a file cannot hold."""
    value = pd.Timestamp(label) if isinstance(label, np.datetime64) else label
    value = value.item() if isinstance(value, np.generic) else value
    if type(value) in (str, bool, int) or (type(value) is float and math.isfinite(value)):
        return value
    for name, (kind, write, _) in _KINDS.items():
        if type(value) is kind:
            return {name: write(value)}
    raise InvalidParameterError(
        f"expected labels that a file can hold, such as text, numbers and dates, got {shown(label)} "
        f"({type(label).__name__}); rename it to save.",
        label=label,
    )


def read_label(said: Any) -> Any:
    """Return the label of a JSON value; raise `ValueError` or its like for a value that `write_label` never returns."""
    if isinstance(said, str | bool | int | float):
        return said
    ((name, value),) = said.items()
    return _KINDS[name][2](value)


def write_labels(values: Iterable[Any]) -> list[Any]:
    """Return labels as JSON values."""
    return [write_label(x) for x in values]


def write_index(index: pd.Index[Any], what: str) -> dict[str, Any]:
    """Return labels as a JSON value.

    Raises
    ------
    InvalidParameterError
        For labels that do not return from the file as they are.
    """
    said = {
        "dtype": str(index.dtype),
        "name": None if index.name is None else write_label(index.name),
        "labels": write_labels(index),
    }
    if not _are_same(index, read_index(said)):
        raise InvalidParameterError(
            f"expected {what} that a file can hold, got {labels.listing(index)} of dtype {index.dtype}; rename them "
            "to text to save.",
            what=what,
            dtype=str(index.dtype),
        )
    return said


def read_index(said: Mapping[str, Any]) -> pd.Index[Any]:
    """Return the labels of `write_index`."""
    values = [read_label(x) for x in said["labels"]]
    name = None if said["name"] is None else read_label(said["name"])
    return _index(values, said["dtype"]).rename(name)


def _index(values: list[Any], dtype: str) -> pd.Index[Any]:
    found: pd.Index[Any] = pd.Index(values, dtype=dtype)
    return found


def _are_same(a: pd.Index[Any], b: pd.Index[Any]) -> bool:
    """Whether labels are equal and of the same kinds; NaN equals NaN."""
    return a.dtype == b.dtype and a.equals(b) and [type(x) for x in a.tolist()] == [type(x) for x in b.tolist()]
