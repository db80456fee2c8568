"""Risk models as Parquet tables, with a schema and metadata."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmodel import __version__
from riskmodel._core.arguments import require
from riskmodel._core.atomic import write_atomically
from riskmodel._core.label_codec import read_index, read_label, write_index, write_label
from riskmodel._core.paths import AnyPath, read_path
from riskmodel._core.saved import DAMAGE
from riskmodel.data.files.content import read_content
from riskmodel.data.model_files.identity import identifier
from riskmodel.errors import MissingExtraError, NewerFileError, RiskModelError, UnreadableFileError
from riskmodel.model.files import read_lineage, read_missing, write_lineage, write_missing
from riskmodel.model.model import FactorModel
from riskmodel.panel.described import describe, describe_horizon, read_factors, read_horizon
from riskmodel.panel.stored.parquet import DAMAGED

VERSION = 1
_KEY = b"riskmodel"
# Of the identifier in the metadata.
_MODEL = "model"
# The columns of each table whose values are numbers; the others are labels.
_NUMBERS = {
    "exposures": ("exposure",),
    "factor_covariance": ("covariance",),
    "assets": ("alpha", "idio_variance"),
    "factors": ("mean",),
    "links": ("loading",),
}


def write_model_parquet(model: FactorModel, folder: AnyPath) -> None:
    """Write a model as Parquet tables: exposures, factor covariance, assets, factors, links.

    Numbers are float64, in decimals per the model's horizon. The metadata of each schema has, under ``riskmodel``, JSON
    with the version, the horizon, labels, definitions of factors, the lineage, the missing assets and, as ``model``, a
    SHA-256 of all tables and metadata. `read_model_parquet` restores the same bits of all parts of Σ, of means, priors,
    factors, missing assets and lineage. The figures of a regression (standard errors, R², observations) are left out:
    `FactorModel.save` keeps them.

    Parameters
    ----------
    model : FactorModel
        The model.
    folder : path
        Made where it does not exist. ``exposures.parquet``, ``factor_covariance.parquet``, ``assets.parquet``,
        ``factors.parquet`` and ``links.parquet`` are replaced, each atomically.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    InvalidParameterError
        If a label is of a class that a file cannot hold.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from tempfile import TemporaryDirectory
    >>> model = rm.OLS().fit(rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"]))
    >>> with TemporaryDirectory() as folder:
    ...     rm.write_model_parquet(model, folder)
    ...     again = rm.read_model_parquet(folder)
    >>> again.loadings.equals(model.loadings)
    True
    """
    require(model, FactorModel, "model")
    place = read_path(folder, "folder")
    tables = {name: _arrow(table, name) for name, table in _tables(model).items()}
    said = _metadata(model)
    metadata = _text(said | {_MODEL: _identifier(tables, said)})
    contents = {name: _content(table, metadata) for name, table in tables.items()}
    place.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        write_atomically(place / f"{name}.parquet", content)


def read_model_parquet(folder: AnyPath, factors: Any = None) -> FactorModel:
    """Read a model from the tables of `write_model_parquet`.

    Parameters
    ----------
    folder : path
        With the five files.
    factors : sequence of Factor or str, optional
        As in `FactorModel.load`.

    Raises
    ------
    UnreadableFileError
        If a file is damaged, of another model, has other columns, or was changed after it was written; its subclass
        `NewerFileError` if a newer version wrote it.
    InvalidParameterError
        If `factors` have other names, or are required.
    SourceError
        If a file cannot be opened.
    MissingExtraError
        If pyarrow is not installed.
    """
    place = read_path(folder, "folder")
    read = {name: _read(place / f"{name}.parquet", name) for name in _NUMBERS}
    said = read["exposures"][1]
    for name, (_, other) in read.items():
        if other != said:
            raise _unreadable(place / f"{name}.parquet", "it is of another model than exposures.parquet")
    tables = {name: table for name, (table, _) in read.items()}
    if said.get(_MODEL) != _identifier(tables, said):
        raise _unreadable(place, f"their content is not that of the identifier {said.get(_MODEL)!r} in them")
    try:
        definitions = read_factors(place, "write_model_parquet", said["definitions"], factors)
        return FactorModel(**_arguments(tables, said), definitions=definitions)
    except UnreadableFileError:
        raise
    except RiskModelError as error:
        if factors is not None or any(d.get("kind") == "other" for d in said["definitions"]):
            raise
        raise _unreadable(place, str(error)) from error
    except DAMAGE as error:
        raise _unreadable(place, str(error)) from error


def _metadata(model: FactorModel) -> dict[str, Any]:
    return {
        "version": VERSION,
        "written_by": f"riskmodel {__version__}",
        "horizon": describe_horizon(model.horizon),
        "risk_free_mean": float(model.risk_free_mean),
        "lineage": write_lineage(model.lineage),
        "factors": write_index(model.factors, "factors"),
        "definitions": [describe(f) for f in model.definitions],
        "priors": [write_label(a) for a in model._priors],
        "missing": write_missing(model.missing),
        "n_links": model._links.shape[1],
        "assets": write_index(model.assets, "assets"),
    }


def _tables(model: FactorModel) -> dict[str, pd.DataFrame]:
    """Each table in full, in the order of the labels."""
    (n, k), j = model._loadings.shape, model._links.shape[1]
    assets, factors = model.assets.to_numpy(), model.factors.to_numpy()
    return {
        "exposures": pd.DataFrame(
            {"asset": np.repeat(assets, k), "factor": np.tile(factors, n), "exposure": model._loadings.ravel()}
        ),
        "factor_covariance": pd.DataFrame(
            {
                "factor": np.repeat(factors, k),
                "other_factor": np.tile(factors, k),
                "covariance": model._factor_covariance.ravel(),
            }
        ),
        "assets": pd.DataFrame({"asset": assets, "alpha": model._alpha, "idio_variance": model._idio_variance}),
        "factors": pd.DataFrame({"factor": factors, "mean": model._factor_mean}),
        "links": pd.DataFrame(
            {"asset": np.repeat(assets, j), "link": np.tile(np.arange(j), n), "loading": model._links.ravel()}
        ),
    }


def _text(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, allow_nan=False).encode("ascii")


def _identifier(tables: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    """The SHA-256 of the tables and of what the metadata say, but for the identifier itself."""
    return identifier(_parts(tables, {key: value for key, value in said.items() if key != _MODEL}))


def _parts(tables: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[bytes]:
    import pyarrow as pa  # noqa: PLC0415 - optional

    yield _text(said)
    for name, numbers in _NUMBERS.items():
        for column, values in zip(tables[name].column_names, tables[name].columns, strict=True):
            yield f"{name} {column}".encode("utf-8", "surrogatepass")
            if column in numbers:
                yield values.to_numpy().astype("<f8").tobytes()
                continue
            # As numbers, because the time zones of Python objects print differently with another pyarrow.
            is_time = pa.types.is_timestamp(values.type) or pa.types.is_duration(values.type)
            yield ascii((values.cast(pa.int64()) if is_time else values).to_pylist()).encode("ascii")


def _arrow(table: pd.DataFrame, name: str) -> Any:
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional
    except ImportError as error:
        raise MissingExtraError.of("Parquet", "pyarrow", "cache") from error
    columns: dict[str, Any] = {}
    for column in map(str, table):
        if column in _NUMBERS[name]:
            columns[column] = pa.array(table[column], pa.float64())
            continue
        try:
            columns[column] = pa.array(table[column].tolist())
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            columns[column] = pa.array([ascii(x) for x in table[column]])  # the labels themselves are in the metadata
    return pa.table(columns)


def _content(table: Any, metadata: bytes) -> bytes:
    from pyarrow import parquet  # noqa: PLC0415 - optional

    sink = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({_KEY: metadata}), sink, write_page_checksum=True)
    return sink.getvalue()


def _read(path: Path, name: str) -> tuple[Any, dict[str, Any]]:
    """The Arrow table of a file, and what its metadata say."""
    content = read_content(path)
    try:
        from pyarrow import parquet  # noqa: PLC0415 - optional
    except ImportError as error:
        raise MissingExtraError.of(f"{path}: Parquet", "pyarrow", "cache") from error
    try:
        table = parquet.read_table(io.BytesIO(content), page_checksum_verification=True)
        said = json.loads((table.schema.metadata or {})[_KEY])
        version = int(said["version"])
    except (*DAMAGED, *DAMAGE) as error:
        raise _unreadable(path, f"{type(error).__name__}: {error}") from error
    if version > VERSION:
        raise NewerFileError(
            f"expected {path} of version {VERSION} or older, got version {version}, which a newer riskmodel wrote; "
            "upgrade riskmodel, or write it again with this one.",
            path=str(path),
            version=version,
            newest=VERSION,
        )
    kinds = {field.name: str(field.type) for field in table.schema}
    wrong = [column for column in _NUMBERS[name] if kinds.get(column) != "double"]
    if wrong:
        raise _unreadable(path, f"it lacks the columns {', '.join(wrong)} of float64")
    return table, said


def _unreadable(path: Path, why: str) -> UnreadableFileError:
    return UnreadableFileError(
        f"expected files of write_model_parquet, got {path}, which cannot be read: {why}; write the model again.",
        path=str(path),
        expected="write_model_parquet",
    )


def _arguments(tables: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    assets, factors = read_index(said["assets"]), read_index(said["factors"])
    n, k, j = len(assets), len(factors), int(said["n_links"])

    def part(name: str, column: str, *shape: int) -> Any:
        return tables[name].column(column).to_numpy().reshape(shape)

    return {
        "assets": assets,
        "factors": factors,
        "alpha": part("assets", "alpha", n),
        "loadings": part("exposures", "exposure", n, k),
        "factor_mean": part("factors", "mean", k),
        "factor_covariance": part("factor_covariance", "covariance", k, k),
        "idio_variance": part("assets", "idio_variance", n),
        "links": part("links", "loading", n, j),
        "risk_free_mean": float(said["risk_free_mean"]),
        "horizon": read_horizon(said["horizon"]),
        "priors": [read_label(a) for a in said["priors"]],
        "missing": read_missing(said["missing"]),
        "lineage": read_lineage(said["lineage"]),
    }
