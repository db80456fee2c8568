"""Moments in a file."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from riskmodel.errors import InvalidParameterError

VERSION = 2
_HEAD = {"version", "days", "name", "start", "end", "funded", "assets", "factors"} | {
    "n_dates", "weight", "weight_squares", "risk_free_mean", "retention"
}  # fmt: skip
ARRAYS = ("factor_mean", "factor_root", "origin", "basis")


def plain_labels(labels: pd.Index[Any], what: str) -> list[Any]:
    """Labels as JSON can hold them."""
    values = [v.item() if isinstance(v, np.generic) else v for v in labels.tolist()]
    if not all(isinstance(v, str | int | float) for v in values):
        raise InvalidParameterError(f"only {what} labelled by text or numbers can be saved; rename them.")
    return values


def read_state(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the head and the arrays of a file, or raise where it is damaged or of another version."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = json.loads(str(arrays["head"]))
        version, whole = head["version"], head["version"] != VERSION or _is_whole(head, arrays)
    except FileNotFoundError:
        raise
    except _DAMAGE as error:
        raise InvalidParameterError(f"{path} is damaged, or no file that Moments.save wrote; save it again.") from error
    if not whole:
        raise InvalidParameterError(f"{path} lacks a part of what Moments.save wrote, or has it in another shape.")
    if version != VERSION:
        raise InvalidParameterError(
            f"{path} is of version {version} and this riskmodel reads version {VERSION}; read the panel again "
            "or use the riskmodel that wrote it.",
            version=version,
        )
    return head, arrays


_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, NotImplementedError, BadZipFile, zlib.error)


def _is_whole(head: dict[str, Any], arrays: dict[str, Any]) -> bool:
    """Whether everything is there, in shapes that fit."""
    n, k, p = len(head["assets"]), len(head["factors"]), len(arrays["count"])
    by_pattern = dict.fromkeys(("count", "weight", "weight_squares"), (p,))
    by_asset = dict.fromkeys(("pattern", "r_mean", "rss"), (n,))
    shapes = by_pattern | by_asset | {"q_mean": (p, k), "q_gram": (p, k, k), "coefficients": (n, k)}
    shapes |= {"factor_mean": (k,), "origin": (k,), "factor_root": (k, k), "basis": (k, k)}
    fits = all(arrays[name].shape == shape for name, shape in shapes.items())
    known = n == 0 or (arrays["pattern"].min() >= 0 and arrays["pattern"].max() < p)
    return fits and bool(known) and head.keys() >= _HEAD and len(head["funded"]) == k
