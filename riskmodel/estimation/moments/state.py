"""Files of moments, in numpy's ``npz`` format."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.atomic import replacing
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.moments.sound import unsound_part
from riskmodel.panel.factors import AssetFactor, Factor, PortfolioFactor, PublishedFactor, Spread, read_definitions
from riskmodel.panel.funding import FUNDED, SELF_FINANCING, FundingSource

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


def describe(factor: Factor) -> dict[str, Any]:
    """Convert a factor to a JSON value; of a user's class, only the name."""
    name = plain_labels(pd.Index([factor.name]), "factors")[0]
    match factor:
        case PublishedFactor():
            return {
                "kind": "published",
                "name": name,
                "funded": factor.funded,
                "tradable": factor.tradable,
                "told_by": factor.told_by.name,
            }
        case AssetFactor():
            return {"kind": "asset", "name": name}
        case Spread():
            return {
                "kind": "spread",
                "name": name,
                "sides": plain_labels(pd.Index([factor.long, factor.short]), "assets"),
            }
        case PortfolioFactor():
            weights = factor.weights
            held = list(zip(plain_labels(weights.index, "assets"), weights.tolist(), strict=True))
            return {"kind": "portfolio", "name": name, "weights": held}
        case _:
            return {"kind": "other", "name": name, "class": type(factor).__qualname__}


def _defined(said: Mapping[str, Any]) -> Factor | None:
    match said["kind"]:
        case "published":
            funding = FUNDED if said["funded"] else SELF_FINANCING
            source = FundingSource[said["told_by"]]
            return PublishedFactor(said["name"], funding, bool(said["tradable"]), told_by=source)
        case "asset":
            return AssetFactor(said["name"])
        case "spread":
            return Spread(*said["sides"])
        case "portfolio":
            return PortfolioFactor(said["name"], dict(map(tuple, said["weights"])))
        case _:
            return None


def read_factors(path: Path, said: Sequence[Mapping[str, Any]], given: Sequence[Any] | None) -> tuple[Factor, ...]:
    """Return the given factors, which must have the names in the file, or else those described in the file."""
    names = [d["name"] for d in said]
    if given is not None:
        factors = read_definitions(labels.require_list(given, "factors"))
        if [f.name for f in factors] != names:
            raise InvalidParameterError(
                f"expected the factors {names} of {path}, in order, got {[f.name for f in factors]}.",
                expected=names,
            )
        return factors
    try:
        known = [_defined(d) for d in said]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidParameterError(
            f"expected a file of Moments.save, got {path}, whose factors cannot be read: {error}; save it again.",
            path=str(path),
            part="definitions",
        ) from error
    unknown = [f"{d['name']} ({d['class']})" for d, f in zip(said, known, strict=True) if f is None]
    if unknown:
        raise InvalidParameterError(
            f"expected factors of classes that a file can hold, got {labels.listing(unknown)} in {path}; "
            f"pass all factors, Moments.load(path, factors=[...]), named {names}.",
            expected=names,
        )
    return tuple(f for f in known if f is not None)


def write_state(path: Path, head: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write the head and the arrays, atomically."""
    with replacing(path) as file:
        np.savez(file, head=np.array(json.dumps(head)), **arrays)


def read_state(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the head and the arrays of a file; raise where it is damaged or of another version."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = json.loads(str(arrays["head"]))
        version, whole = head["version"], head["version"] != VERSION or _is_whole(head, arrays)
        part = unsound_part(head, arrays) if whole and version == VERSION else None
    except FileNotFoundError:
        raise
    except _DAMAGE as error:
        raise InvalidParameterError(
            f"expected a file of Moments.save, got {path}, which is damaged or something else; save it again.",
            path=str(path),
        ) from error
    if not whole:
        raise InvalidParameterError(
            f"expected a file of Moments.save, got {path}, with parts missing or of wrong shapes; save it again.",
            path=str(path),
        )
    if version != VERSION:
        raise InvalidParameterError(
            f"expected {path} of version {VERSION}, got version {version}; read the panel again, or use the riskmodel "
            "that wrote it.",
            version=version,
        )
    if part is not None:
        raise InvalidParameterError(
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
