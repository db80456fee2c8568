"""Files of factor models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel._core.label_codec import read_index, read_label, write_index, write_label
from riskmodel._core.saved import DAMAGE, damaged, read_saved, write_saved
from riskmodel.errors import InvalidParameterError, RiskModelError
from riskmodel.model.lineage import Lineage
from riskmodel.model.regression import RegressionFit
from riskmodel.panel.described import describe, describe_horizon, read_factors, read_horizon

if TYPE_CHECKING:
    from riskmodel.model.model import FactorModel

KIND, VERSION = "FactorModel", 1
_PARTS = ("alpha", "loadings", "factor_mean", "factor_covariance", "idio_variance", "links")
_OF_REGRESSION = (
    *("alpha", "loadings", "idio_variance", "total_variance"),
    *("rsquared", "std_errors", "n_observations"),
)
_OF_MISSING = ("asset", "observations", "reason")


def write_model(path: Path, model: FactorModel) -> None:
    """Write a model atomically."""
    definitions, arrays = _definitions(model)
    arrays |= {name: getattr(model, f"_{name}") for name in _PARTS}
    fit = model.regression
    if fit is not None:
        arrays |= {f"regression.{name}": getattr(fit, f"_{name}") for name in _OF_REGRESSION}
    head = {
        "horizon": describe_horizon(model.horizon),
        "risk_free_mean": float(model.risk_free_mean),
        "lineage": write_lineage(model.lineage),
        "regression": None
        if fit is None
        else {"decay_factor": float(fit.decay_factor), "horizon": describe_horizon(fit.horizon)},
        "factors": write_index(model.factors, "factors"),
        "definitions": definitions,
        "priors": [write_label(a) for a in model._priors],
        "missing": write_missing(model.missing),
        "proxies": [_write_proxy(asset, peers) for asset, peers in model._proxies.items()],
        "assets": write_index(model.assets, "assets"),
    }
    write_saved(path, KIND, VERSION, head, arrays)


def read_model(path: Path, factors: Sequence[Any] | None) -> dict[str, Any]:
    """Read a model as arguments of its constructor."""
    head, arrays = read_saved(path, KIND, VERSION)
    try:
        said = [_with_weights(d, k, arrays, head) for k, d in enumerate(head["definitions"])]
    except DAMAGE as error:
        raise damaged(path, KIND, str(error)) from error
    definitions = read_factors(path, KIND, said, factors)
    try:
        return _arguments(head, arrays) | {"definitions": definitions}
    except (*DAMAGE, RiskModelError) as error:
        raise damaged(path, KIND, str(error)) from error


def _arguments(head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    labelled = {name: read_index(head[name]) for name in ("assets", "factors")}
    fit = head["regression"]
    return {
        **labelled,
        **{name: _floats(arrays[name]) for name in _PARTS},
        "risk_free_mean": float(head["risk_free_mean"]),
        "horizon": read_horizon(head["horizon"]),
        "regression": None
        if fit is None
        else RegressionFit(
            **labelled,
            **{name: _floats(arrays[f"regression.{name}"]) for name in _OF_REGRESSION},
            horizon=read_horizon(fit["horizon"]),
            decay_factor=float(fit["decay_factor"]),
        ),
        "missing": read_missing(head["missing"]),
        "priors": [read_label(a) for a in head["priors"]],
        "lineage": read_lineage(head["lineage"]),
        # earlier versions wrote none
        "proxies": dict(_read_proxy(said) for said in head.get("proxies", ())),
    }


def _write_proxy(asset: Any, peers: pd.Series[float]) -> dict[str, Any]:
    return {
        "asset": write_label(asset),
        "peers": write_index(peers.index, f"peers of {asset}"),
        "weights": [float(w) for w in peers],
    }


def _read_proxy(said: Mapping[str, Any]) -> tuple[Any, pd.Series[float]]:
    return read_label(said["asset"]), pd.Series([float(w) for w in said["weights"]], read_index(said["peers"]))


def _floats(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype != np.float64:
        raise ValueError(f"an array has the dtype {array.dtype}")
    return array


def _definitions(model: FactorModel) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    """Describe the factors; weights of portfolios are arrays, not part of the header."""
    said, arrays = [], {}
    for k, factor in enumerate(model.definitions):
        one = describe(factor)
        if one["kind"] == "portfolio":
            weights = factor.weights  # type: ignore[attr-defined]
            arrays[f"weights.{k}"] = weights.to_numpy()
            is_whole = weights.index.equals(model.assets) and weights.index.dtype == model.assets.dtype
            one["weights"] = None if is_whole else write_index(weights.index, f"assets of {factor.name}")
        said.append(one)
    return said, arrays


def _with_weights(
    said: Mapping[str, Any], k: int, arrays: Mapping[str, NDArray[Any]], head: Mapping[str, Any]
) -> dict[str, Any]:
    """Put the weights of a portfolio back to its labels."""
    if said["kind"] != "portfolio":
        return dict(said)
    held = (head["assets"] if said["weights"] is None else said["weights"])["labels"]
    return {**said, "weights": list(zip(held, _floats(arrays[f"weights.{k}"]).tolist(), strict=True))}


def write_missing(missing: pd.DataFrame) -> dict[str, Any]:
    """Convert the list of assets that were left out to a JSON value."""
    if tuple(missing.columns) != _OF_MISSING or not missing.index.equals(pd.RangeIndex(len(missing))):
        raise InvalidParameterError(
            f"expected missing with the columns {', '.join(_OF_MISSING)}, one row after the other, got the columns "
            f"{', '.join(map(str, missing.columns))}.",
            columns=list(missing.columns),
        )
    return {name: write_index(pd.Index(missing[name], dtype=missing[name].dtype), name) for name in _OF_MISSING}


def read_missing(said: Mapping[str, Any]) -> pd.DataFrame:
    """Return the list of `write_missing`."""
    columns = {name: read_index(said[name]) for name in _OF_MISSING}
    return pd.DataFrame({name: pd.Series(c.array, dtype=c.dtype) for name, c in columns.items()})


def write_lineage(lineage: Lineage) -> dict[str, Any]:
    """Convert a lineage to a JSON value."""
    dates = {name: None if (d := getattr(lineage, name)) is None else write_label(d) for name in ("start", "end")}
    return {**lineage.to_dict(), **dates}


def read_lineage(said: Mapping[str, Any]) -> Lineage:
    """Return the lineage of `write_lineage`."""
    dates = {name: None if said[name] is None else read_label(said[name]) for name in ("start", "end")}
    return Lineage(**{**said, **dates})
