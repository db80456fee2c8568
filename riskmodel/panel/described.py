"""Factors and horizons as JSON values, for files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel._core import labels
from riskmodel._core.label_codec import read_label, write_label
from riskmodel.errors import InvalidParameterError, UnreadableFileError
from riskmodel.horizon import Horizon
from riskmodel.panel.factors import AssetFactor, Factor, PortfolioFactor, PublishedFactor, Spread, read_definitions
from riskmodel.panel.funding import FUNDED, SELF_FINANCING, Funding, FundingSource


def describe(factor: Factor) -> dict[str, Any]:
    """Convert a factor to a JSON value; of a user's class, only the name."""
    name = write_label(factor.name)
    match factor:
        case PublishedFactor():
            return {
                "kind": "published",
                "name": name,
                "funded": factor.funded,
                "stated": factor.funding is not None,
                "tradable": bool(factor.tradable),
                "told_by": factor.told_by.name,
            }
        case AssetFactor():
            return {"kind": "asset", "name": name}
        case Spread():
            return {"kind": "spread", "name": name, "sides": [write_label(factor.long), write_label(factor.short)]}
        case PortfolioFactor():
            weights = factor.weights
            held = list(zip(map(write_label, weights.index), weights.tolist(), strict=True))
            return {"kind": "portfolio", "name": name, "weights": held}
        case _:
            return {"kind": "other", "name": name, "class": type(factor).__qualname__}


def defined(said: Mapping[str, Any]) -> Factor | None:
    """Return the factor of `describe`; None for one of a user's class."""
    name = read_label(said["name"])
    match said["kind"]:
        case "published":
            source = FundingSource[said["told_by"]]
            return PublishedFactor(name, _funding(name, said), bool(said["tradable"]), told_by=source)
        case "asset":
            return AssetFactor(name)
        case "spread":
            return Spread(*map(read_label, said["sides"]))
        case "portfolio":
            held, weights = zip(*said["weights"], strict=True)
            return PortfolioFactor(name, pd.Series(weights, labels.unique([*map(read_label, held)], "assets"), float))
        case _:
            return None


def _funding(name: Any, said: Mapping[str, Any]) -> Funding | None:
    """Return what was stated; what a name meant when it was written stays, whatever it means now."""
    if not said.get("stated", True) and PublishedFactor(name).funded == said["funded"]:
        return None
    return FUNDED if said["funded"] else SELF_FINANCING


def read_factors(
    path: Path, kind: str, said: Sequence[Mapping[str, Any]], given: Sequence[Any] | None
) -> tuple[Factor, ...]:
    """Return the given factors, which must have the names in the file, or else those described in the file.

    Parameters
    ----------
    path : Path
        The file, for messages.
    kind : str
        The class that wrote it.
    said : sequence
        The result of `describe` for each factor.
    given : sequence of Factor or str, optional
        From the caller.
    """
    try:
        names = [read_label(d["name"]) for d in said]
        known = [defined(d) for d in said]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise UnreadableFileError(
            f"expected a file of {kind}.save, got {path}, whose factors cannot be read: {error}; save it again.",
            path=str(path),
            part="definitions",
        ) from error
    if given is not None:
        return _given(path, names, given)
    unknown = [f"{d['name']} ({d['class']})" for d, f in zip(said, known, strict=True) if f is None]
    if unknown:
        raise InvalidParameterError(
            f"expected factors of classes that a file can hold, got {labels.listing(unknown)} in {path}; "
            f"pass all factors, {kind}.load(path, factors=[...]), named {names}.",
            expected=names,
        )
    return tuple(f for f in known if f is not None)


def _given(path: Path, names: list[Any], given: Sequence[Any]) -> tuple[Factor, ...]:
    factors = read_definitions(labels.require_list(given, "factors"))
    if [f.name for f in factors] != names:
        raise InvalidParameterError(
            f"expected the factors {names} of {path}, in order, got {[f.name for f in factors]}.", expected=names
        )
    return factors


def describe_horizon(horizon: Horizon) -> dict[str, Any]:
    """Convert a horizon to a JSON value."""
    bar = None if horizon.bar is None else horizon.bar.total_seconds()
    return {"days": horizon.days, "name": horizon.name, "bar": bar, "per_day": horizon.per_day}


def read_horizon(said: Mapping[str, Any]) -> Horizon:
    """Return the horizon of `describe_horizon`; raise a ValueError, a TypeError or their like for other values."""
    bar = None if said["bar"] is None else dt.timedelta(seconds=said["bar"])
    return Horizon(said["days"], said["name"], bar=bar, per_day=said["per_day"])
