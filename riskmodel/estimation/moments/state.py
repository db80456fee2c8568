"""Files of moments, in numpy's ``npz`` format."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from riskmodel._core.atomic import replacing
from riskmodel.errors import InvalidParameterError, SourceError, UnreadableFileError
from riskmodel.estimation.moments.sound import unsound_part

VERSION = 4
NUMBERS = ("n_dates", "weight", "weight_squares", "risk_free_mean", "decay_factor", "scale")
ARRAYS = ("factor_mean", "factor_root", "origin", "basis")
_HEAD = {"version", "days", "name", "bar", "per_day", "start", "end", "definitions", "assets", *NUMBERS}
_PARTS = {"pattern", "count", "scale", "weight", "weight_squares", "q_mean", "q_gram", "r_mean", "coefficients", "rss"}
# What reading bytes of any kind as a zip of arrays and JSON raises.
_DAMAGE = (
    *(OSError, ValueError, KeyError, TypeError, EOFError, NotImplementedError, BadZipFile, zlib.error),
    *(AttributeError, IndexError, MemoryError, OverflowError, RecursionError, struct.error, SyntaxError),
)


def plain_labels(values: pd.Index[Any], what: str) -> list[Any]:
    """Convert labels to JSON values."""
    plain = [v.item() if isinstance(v, np.generic) else v for v in values.tolist()]
    if not all(isinstance(v, str | int | float) for v in plain):
        raise InvalidParameterError(
            f"expected {what} labelled by text or numbers, got other labels; rename them to save."
        )
    return plain


def write_state(path: Path, head: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write the head and the arrays, atomically."""
    with replacing(path) as file:
        np.savez(file, head=np.array(json.dumps(head)), **arrays)


def read_state(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the head and the arrays of a file; raise where it is damaged or of another version."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise SourceError(f"{path} cannot be opened: {error.strerror or error}.", path=str(path)) from error
    try:
        with raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = json.loads(str(arrays["head"]))
        version, whole = head["version"], head["version"] != VERSION or _is_whole(head, arrays)
        part = unsound_part(head, arrays) if whole and version == VERSION else None
    except _DAMAGE as error:
        raise UnreadableFileError(
            f"expected a file of Moments.save, got {path}, which is damaged or something else; save it again.",
            path=str(path),
        ) from error
    if not whole:
        raise UnreadableFileError(
            f"expected a file of Moments.save, got {path}, with parts missing or of wrong shapes; save it again.",
            path=str(path),
        )
    if version != VERSION:
        raise UnreadableFileError(
            f"expected {path} of version {VERSION}, got version {version}; read the panel again, or use the riskmodel "
            "that wrote it.",
            version=version,
        )
    if part is not None:
        raise UnreadableFileError(
            f"expected a file of Moments.save, got {path}, in which {part} has values or a shape that no moments have; "
            "save it again.",
            path=str(path),
            part=part,
        )
    return head, arrays


def _is_whole(head: dict[str, Any], arrays: dict[str, Any]) -> bool:
    """Whether all parts are present."""
    definitions = head["definitions"]
    return (
        head.keys() >= _HEAD
        and arrays.keys() >= {*ARRAYS, *_PARTS}
        and all({"kind", "name"} <= d.keys() for d in definitions)
    )
