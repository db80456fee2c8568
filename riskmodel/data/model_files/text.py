"""Risk models as delimited text, the way that vendors deliver them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, Index
from riskmodel._core.paths import AnyPath, read_path
from riskmodel.data.model_files import exact
from riskmodel.data.model_files.identity import identifier
from riskmodel.data.model_files.paths import ModelPaths
from riskmodel.data.model_files.plausible import StatedRisk, check, require_parts, warn_of_form
from riskmodel.data.model_files.rows import Rows, as_cell, write_rows
from riskmodel.data.model_files.units import FileUnits, RiskForm, RiskUnit
from riskmodel.errors import (
    InvalidParameterError,
    LayoutError,
    RiskModelError,
    UnitsError,
    UnknownAssetError,
    UnknownFactorError,
    UnreadableFileError,
)
from riskmodel.horizon import DAY, MONTH, QUARTER, WEEK, YEAR, Horizon, require_same
from riskmodel.model.files import read_lineage, read_missing, write_lineage, write_missing
from riskmodel.model.lineage import Lineage
from riskmodel.model.model import FactorModel
from riskmodel.panel.described import defined, describe
from riskmodel.panel.factors import Factor, PublishedFactor

T = TypeVar("T")
# The comment that says whether risks are volatilities.
_FORM = "specific risk"
# The comment with the identifier of the model, which all files that are written together have.
_MODEL = "riskmodel identifier"
# The other comments that are written.
_WRITTEN = frozenset({"unit", "horizon", _FORM, "risk free mean", "lineage", "missing"})
# The span of variances that the name of a column tells.
_SPANS = {
    DAY: re.compile(r"daily|per.?day", re.IGNORECASE),
    WEEK: re.compile(r"weekly|per.?week", re.IGNORECASE),
    MONTH: re.compile(r"monthly|per.?month", re.IGNORECASE),
    QUARTER: re.compile(r"quarterly|per.?quarter", re.IGNORECASE),
    YEAR: re.compile(r"annual|yearly|per.?year|per.?annum", re.IGNORECASE),
}
_SEPARATORS = (",", "|", ";", "\t")
# What the name of a column of risks tells.
_SAYS = {
    RiskUnit.PERCENT: re.compile(r"%|percent|pct", re.IGNORECASE),
    RiskForm.VARIANCE: re.compile(r"var", re.IGNORECASE),
    RiskForm.VOLATILITY: re.compile(r"vol|std|stdev", re.IGNORECASE),
}


def write_model_text(
    model: FactorModel, folder: AnyPath, units: FileUnits, *, separator: str = ",", ending: str = ".csv"
) -> ModelPaths:
    """Write a model as delimited text: exposures, factor covariance, specific risk, and data of assets and factors.

    `read_model_text` restores the same bits of all parts of Σ, of means, priors, factors, missing assets and lineage.
    The figures of a regression (standard errors, R², observations) are left out: `FactorModel.save` keeps them. A
    comment in each file, ``# riskmodel identifier: …``, is a SHA-256 of all of them.

    Parameters
    ----------
    model : FactorModel
        At the horizon of `units`; its labels are text.
    folder : path
        Made where it does not exist. Files of the same names are replaced, each atomically.
    units : FileUnits
        Of the numbers in the files.
    separator : str
        Between columns: ``","``, ``"|"``, ``";"`` or a tab.
    ending : str
        Of the names of files.

    Returns
    -------
    ModelPaths
        The files; ``links`` is None where no residuals are linked.

    Raises
    ------
    HorizonMismatchError
        If the model is at another horizon; pass ``model.at(units.horizon)``.
    InvalidParameterError
        If a label is not text.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from tempfile import TemporaryDirectory
    >>> model = rm.OLS().fit(rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])).at(rm.YEAR)
    >>> units = rm.FileUnits(rm.RiskUnit.PERCENT, rm.YEAR, rm.RiskForm.VOLATILITY)
    >>> with TemporaryDirectory() as folder:
    ...     paths = rm.write_model_text(model, folder, units, separator="|")
    ...     again = rm.read_model_text(paths, units)
    >>> again.covariance.to_dense().equals(model.covariance.to_dense())
    True
    """
    require(model, FactorModel, "model")
    require(units, FileUnits, "units")
    if require(separator, str, "separator") not in _SEPARATORS:
        raise InvalidParameterError(
            f"expected separator as one of {', '.join(map(repr, _SEPARATORS))}, got {separator!r}.",
            parameter="separator",
            got=separator,
        )
    require_same(model.horizon, units.horizon, "a model and the units of its files")
    paths = ModelPaths._named(read_path(folder, "folder"), ending)
    tables = _tables(model, units)
    paths.exposures.parent.mkdir(parents=True, exist_ok=True)
    said = {name: _said(model, units) if name == "assets" else _said_of(units) for name in tables}
    model_of = {_MODEL: _identifier({name: (said[name], *table) for name, table in tables.items()})}
    for name, (columns, rows) in tables.items():
        write_rows(getattr(paths, name), separator, said[name] | model_of, columns, rows)
    if "links" in tables:
        return paths
    assert paths.links is not None
    paths.links.unlink(missing_ok=True)  # of an earlier model
    return ModelPaths(paths.exposures, paths.factor_covariance, paths.specific_risk, paths.assets, paths.factors)


def read_model_text(
    paths: ModelPaths,
    units: FileUnits,
    *,
    columns: Mapping[str, str] | None = None,
    risk_free_mean: float | None = None,
) -> FactorModel:
    """Read a model from delimited text: pipes, commas, semicolons or tabs.

    Lines that begin with ``#`` or ``!`` are comments, but for a header that begins so; a line that begins with ``[``
    is a footer. An exposure that is not in the file is zero. Files of `write_model_text` must be of one model and
    as they were written; to change them, remove the comments ``# riskmodel identifier: …`` from all of them.

    Parameters
    ----------
    paths : ModelPaths
        The files.
    units : FileUnits
        What the numbers are. They are compared with what the files say, in comments and in names of columns, with total
        risk where the assets have it, and with risks that assets have. A percentage read as decimals, or a daily
        variance read as annual, does not pass. A volatility in decimals that is taken as a variance can pass where the
        files have no total risk. A monthly risk read as annual can pass where neither a comment ``# horizon: …`` nor
        the name of a column (``AnnualRisk%``) says the horizon.
    columns : mapping of str, optional
        Names of this library by those in the files: ``{"AssetID": "asset", "Spec%": "specific_risk"}``; see
        `ModelPaths` for them.
    risk_free_mean : float, optional
        Decimals per ``units.horizon``; by default what the file of assets says, or 0.

    Raises
    ------
    UnitsError
        If the units are not those of the files.
    UnreadableFileError
        If files of `write_model_text` are of several models, or were changed.
    LayoutError
        For a missing column or a cell that is not a number, with file, line and column.
    DuplicateLabelsError
        For an asset, or a pair, that occurs twice.
    UnknownAssetError, UnknownFactorError
        For exposures of assets without specific risk, or to factors without a covariance.
    SourceError
        If a file cannot be opened.

    Warns
    -----
    DoubtfulUnitWarning
        If specific risk would be usual as a variance and is not as a volatility, or the other way round.
    """
    require(paths, ModelPaths, "paths", "such as rm.ModelPaths.in_folder(folder)")
    require(units, FileUnits, "units")
    renamed = _read_names(columns)
    tables = _read_all(paths, renamed, units)
    _require_one_model(tables)
    specific, of_assets, of_factors = tables["specific_risk"], tables.get("assets"), tables.get("factors")
    risks = specific.by_label("specific_risk", "asset", exact.read)
    assets = pd.Index(list(risks))
    f = _covariance(tables["factor_covariance"], units)
    b = _exposures(tables["exposures"], assets, f.index)
    power = units.unit.power
    d = np.array(list(_variances(specific, "specific_risk", units).values()))
    by_factors = np.einsum("nk,kl,nl->n", b, f.to_numpy(), b)
    total, known = _totals(of_assets, units, assets)
    as_stated = StatedRisk(by_factors * 10.0 ** (2 * power), np.array(list(risks.values())))
    check(as_stated, units, total, by_factors[known] + d[known], str(paths.specific_risk.parent))
    if _FORM not in specific.said:
        warn_of_form(as_stated, units, str(paths.specific_risk))
    model = FactorModel(
        assets=assets,
        factors=f.index,
        alpha=_numbers(of_assets, "alpha", "asset", assets, power),
        loadings=b,
        factor_mean=_numbers(of_factors, "mean", "factor", f.index, power),
        factor_covariance=f.to_numpy(),
        idio_variance=d,
        risk_free_mean=_rate(of_assets) if risk_free_mean is None else risk_free_mean,
        horizon=units.horizon,
        definitions=_definitions(of_factors, f.index),
        links=_links(tables.get("links"), assets, units),
        priors=_priors(of_assets),
        lineage=_lineage(of_assets),
        **_missing(of_assets),
    )
    if of_assets is not None and total is not None and _MODEL in of_assets.said:
        require_parts(total, model, known, str(of_assets.path))
    return model


# -- writing -------------------------------------------------------------------------------------------


def _said_of(units: FileUnits) -> dict[str, str]:
    return {"unit": str(units.unit), "horizon": repr(units.horizon.days), _FORM: str(units.form)}


def _said(model: FactorModel, units: FileUnits) -> dict[str, str]:
    return _said_of(units) | {
        "risk free mean": repr(float(model.risk_free_mean)),
        "lineage": json.dumps(write_lineage(model.lineage)),
        "missing": json.dumps(write_missing(model.missing)),
    }


def _tables(model: FactorModel, units: FileUnits) -> dict[str, tuple[list[str], list[list[str]]]]:
    assets = [as_cell(a, "assets") for a in model.assets]
    factors = [as_cell(f, "factors") for f in model.factors]
    power = units.unit.power
    risk = partial(exact.written_root, power=power)
    if units.form is RiskForm.VARIANCE:
        risk = partial(exact.written, power=2 * power)
    total = model.covariance._systematic + model._idio_variance
    priors = set(model._priors)
    tables = {
        "exposures": (
            ["asset", "factor", "exposure"],
            [
                [asset, factor, exact.written(x)]
                for asset, row in zip(assets, model._loadings.tolist(), strict=True)
                for factor, x in zip(factors, row, strict=True)
                if x != 0 or math.copysign(1, x) < 0
            ],
        ),
        "factor_covariance": (
            ["factor", "other_factor", "covariance"],
            [
                [one, other, exact.written(x, 2 * power)]
                for one, row in zip(factors, model._factor_covariance.tolist(), strict=True)
                for other, x in zip(factors, row, strict=True)
            ],
        ),
        "specific_risk": (
            ["asset", "specific_risk"],
            [[a, risk(d)] for a, d in zip(assets, model._idio_variance, strict=True)],
        ),
        "assets": (
            ["asset", "total_risk", "alpha", "prior"],
            [
                [a, risk(t), exact.written(alpha, power), "yes" if label in priors else "no"]
                for a, label, t, alpha in zip(assets, model.assets, total, model._alpha, strict=True)
            ],
        ),
        "factors": (
            ["factor", "mean", "definition"],
            [
                [f, exact.written(mean, power), json.dumps(describe(one))]
                for f, mean, one in zip(factors, model._factor_mean, model.definitions, strict=True)
            ],
        ),
    }
    links = model._links
    if links.shape[1]:
        rows = [
            [asset, str(j), exact.written(x, power)]
            for asset, row in zip(assets, links.tolist(), strict=True)
            for j, x in enumerate(row)
        ]
        tables["links"] = (["asset", "link", "loading"], rows)
    return tables


def _identifier(tables: Mapping[str, tuple[Mapping[str, str], Sequence[str], Sequence[Sequence[str]]]]) -> str:
    """The SHA-256 of the comments, the header and the cells of each table."""
    every = sorted((name, dict(said), list(columns), rows) for name, (said, columns, rows) in tables.items())
    return identifier(json.dumps(table, sort_keys=True).encode("ascii") for table in every)


# -- reading -------------------------------------------------------------------------------------------


def _read_names(columns: Any) -> dict[str, str]:
    if columns is not None and not isinstance(columns, Mapping):
        raise InvalidParameterError(
            f"expected columns as a mapping such as {{'AssetID': 'asset'}}, got {type(columns).__name__}.",
            parameter="columns",
            got=columns,
        )
    return {require(k, str, "a column"): require(v, str, "a column") for k, v in (columns or {}).items()}


def _read_all(paths: ModelPaths, renamed: Mapping[str, str], units: FileUnits) -> dict[str, Rows]:
    tables: dict[str, Rows] = {}
    for name in ("specific_risk", "factor_covariance", "exposures", "assets", "factors", "links"):
        if (path := getattr(paths, name)) is not None:
            first = "factor" if name in {"factor_covariance", "factors"} else "asset"
            tables[name] = Rows.read(path, first, renamed)
            _require_units(tables[name], units)
    return tables


def _require_one_model(tables: Mapping[str, Rows]) -> None:
    """Raise for files of `write_model_text` that are not as they were written together; others have no identifier."""
    said = {name: rows.said.get(_MODEL) for name, rows in tables.items()}
    expected = next((one for one in said.values() if one is not None), None)
    if expected is None:
        return
    for name, got in said.items():
        if got != expected:
            raise _of_another(tables[name], expected, got)
    if not {"assets", "factors"} <= tables.keys():
        return  # a part of the files, whose content gives no identifier
    got = _identifier(
        {
            name: (
                {key: value for key, value in rows.said.items() if key in _WRITTEN},
                rows.written,
                [list(cells) for _, cells in rows.cells],
            )
            for name, rows in tables.items()
        }
    )
    if got != expected:
        raise _of_another(tables["exposures"], expected, got)


def _of_another(rows: Rows, expected: str, got: str | None) -> UnreadableFileError:
    return UnreadableFileError(
        f"expected {rows.path} and its neighbours as write_model_text wrote them together, with the identifier "
        f"{expected}, got {got}: a file is of another model, is missing or was changed; write the model again, or "
        f"remove the comments '# {_MODEL}: …' from all of them where this is meant.",
        path=str(rows.path),
        expected=expected,
        got=got,
    )


def _require_units(rows: Rows, units: FileUnits) -> None:
    """Raise where the comments of a file, or the names of its columns, say other units."""
    for key, expected in _said_of(units).items():
        if key in rows.said and rows.said[key] != expected:
            raise _contradiction(rows, units, f"{key}: {rows.said[key]}")
    for name, written in zip(rows.names, rows.written, strict=True):
        if name not in {"specific_risk", "total_risk", "covariance"}:
            continue
        said = [of for of, pattern in _SAYS.items() if pattern.search(written.replace("covar", ""))]
        wrong: list[object] = [
            of
            for of in said
            if (isinstance(of, RiskUnit) and of is not units.unit)
            or (isinstance(of, RiskForm) and name != "covariance" and of is not units.form)
        ]
        wrong += _other_spans(written, units.horizon)
        if wrong:
            raise _contradiction(rows, units, f"column {written!r}")


def _other_spans(written: str, horizon: Horizon) -> list[Horizon]:
    """The span that the name of a column tells, where it is another; "annualised daily risk" tells none."""
    told = [of for of, pattern in _SPANS.items() if pattern.search(written)]
    # A month of 20 or 22 days and a day of the calendar are no contradiction.
    return [of for of in told if len(told) == 1 and not 0.5 < of.days / horizon.days < 2.0]


def _contradiction(rows: Rows, units: FileUnits, got: str) -> UnitsError:
    return UnitsError(
        f"expected {rows.path} in {units}, got {got}; say the units of the files.",
        path=str(rows.path),
        units=units,
        got=got,
    )


def _covariance(rows: Rows, units: FileUnits) -> pd.DataFrame:
    """F in decimals, with the factors in order of first occurrence."""
    read = partial(exact.read, power=2 * units.unit.power)
    if rows.has("covariance"):
        pairs = list(zip(rows.column("factor"), rows.column("other_factor"), strict=True))
        rows.require_once(pairs, "pair of factors")
        values = dict(zip(pairs, rows.values("covariance", read), strict=True))
    else:
        values = _cells_of_grid(rows, "factor", read)
    factors = list(dict.fromkeys(name for pair in values for name in pair))
    matrix = [[values.get((k, j), values.get((j, k))) for j in factors] for k in factors]
    missing = [(k, factors[j]) for k, row in zip(factors, matrix, strict=True) for j, x in enumerate(row) if x is None]
    if missing:
        raise LayoutError(
            f"expected a covariance for each pair of factors in {rows.path}, got none for "
            f"{labels.listing(' and '.join(pair) for pair in missing)}; add them.",
            path=str(rows.path),
            missing=missing,
        )
    return pd.DataFrame(np.array(matrix, dtype=np.float64).reshape(len(factors), len(factors)), factors, factors)


def _cells_of_grid(rows: Rows, first: str, read: Callable[[str], float]) -> dict[tuple[str, str], float]:
    """The cells of a table with one column for each factor, by row and column; empty ones are left out."""
    keys = rows.column(first)
    rows.require_once(keys, first)
    cells: dict[tuple[str, str], float] = {}
    for name in (n for n in rows.names if n != first):
        texts = rows.values(name, lambda text: None if text == "" else read(text))
        cells |= {(key, name): x for key, x in zip(keys, texts, strict=True) if x is not None}
    return cells


def _exposures(rows: Rows, assets: pd.Index[Any], factors: pd.Index[Any]) -> Array:
    if rows.has("exposure"):
        pairs = list(zip(rows.column("asset"), rows.column("factor"), strict=True))
        rows.require_once(pairs, "pair of asset and factor")
        values = rows.values("exposure", exact.read)
    else:
        cells = _cells_of_grid(rows, "asset", exact.read)
        pairs, values = list(cells), list(cells.values())
    b = np.zeros((len(assets), len(factors)))
    at = _positions([a for a, _ in pairs], assets, "asset with a specific risk", UnknownAssetError)
    of = _positions([f for _, f in pairs], factors, "factor with a covariance", UnknownFactorError)
    b[at, of] = values
    return b


def _positions(names: list[str], known: pd.Index[Any], what: str, error: type[RiskModelError]) -> Index:
    found = known.get_indexer(pd.Index(names, dtype=known.dtype))
    if (found < 0).any():
        raise labels.unknown(sorted({n for n, i in zip(names, found, strict=True) if i < 0}), known, what, error)
    return found


def _variances(rows: Rows, name: str, units: FileUnits) -> dict[str, float]:
    """Risks by asset as variances in decimals."""
    power = units.unit.power
    read: Callable[[str], float] = partial(exact.read, power=2 * power)
    if units.form is RiskForm.VOLATILITY:
        read = partial(exact.read_square, power=power)
    return rows.by_label(name, "asset", read)


def _totals(rows: Rows | None, units: FileUnits, assets: pd.Index[Any]) -> tuple[Array | None, Any]:
    """Total variances in decimals of the assets that state them, and where these are."""
    if rows is None or not rows.has("total_risk"):
        return None, np.arange(0)
    totals = _variances(rows, "total_risk", units)
    known = np.flatnonzero([a in totals for a in assets])
    return np.array([totals[a] for a in assets[known]]), known


def _numbers(rows: Rows | None, name: str, label: str, order: pd.Index[Any], power: int) -> Array:
    """A column of returns in decimals, by label; zero without the column."""
    error = UnknownAssetError if label == "asset" else UnknownFactorError
    if rows is None or not rows.has(name):
        return np.zeros(len(order))
    values = rows.by_label(name, label, partial(exact.read, power=power))
    at = _positions(list(order), pd.Index(list(values)), f"{label} in {rows.path}", error)
    return np.array(list(values.values()), dtype=np.float64)[at]


def _definitions(rows: Rows | None, factors: pd.Index[Any]) -> list[Factor]:
    if rows is None or not rows.has("definition"):
        return [PublishedFactor(f) for f in factors]

    def read(text: str) -> Factor:
        try:
            factor = defined(json.loads(text))
        except (TypeError, AttributeError, IndexError, OverflowError, RiskModelError) as error:
            raise ValueError(str(error)) from error
        return factor or PublishedFactor(json.loads(text)["name"])

    by_name = rows.by_label("definition", "factor", read)
    return [by_name.get(f, PublishedFactor(f)) for f in factors]


def _links(rows: Rows | None, assets: pd.Index[Any], units: FileUnits) -> Array | None:
    if rows is None:
        return None
    at = _positions(rows.column("asset"), assets, "asset with a specific risk", UnknownAssetError)
    columns = rows.column("link")
    rows.require_once(list(zip(at, columns, strict=True)), "pair of asset and link")
    names = list(dict.fromkeys(columns))
    links = np.zeros((len(assets), len(names)))
    links[at, [names.index(c) for c in columns]] = rows.values("loading", partial(exact.read, power=units.unit.power))
    return links


def _priors(rows: Rows | None) -> list[str]:
    if rows is None or not rows.has("prior"):
        return []
    flags = rows.by_label("prior", "asset", {"yes": True, "no": False}.__getitem__)
    return [asset for asset, is_prior in flags.items() if is_prior]


def _rate(rows: Rows | None) -> float:
    return 0.0 if rows is None else _said_in(rows, "risk free mean", exact.read, 0.0)


def _lineage(rows: Rows | None) -> Lineage:
    none = Lineage()
    return none if rows is None else _said_in(rows, "lineage", lambda text: read_lineage(json.loads(text)), none)


def _missing(rows: Rows | None) -> dict[str, Any]:
    """The argument `missing` where the files say it; the default of a model has the right dtypes otherwise."""
    if rows is None or "missing" not in rows.said:
        return {}
    return {"missing": _said_in(rows, "missing", lambda text: read_missing(json.loads(text)), pd.DataFrame())}


def _said_in(rows: Rows, key: str, read: Callable[[str], T], default: T) -> T:
    """What a comment says; raise where it cannot be read."""
    if key not in rows.said:
        return default
    try:
        return read(rows.said[key])
    except (ValueError, KeyError, TypeError, AttributeError, RiskModelError) as error:
        raise LayoutError(
            f"{rows.path}: expected a comment '# {key}: …' as write_model_text writes it, got {rows.said[key]!r}; "
            "remove it.",
            path=str(rows.path),
            key=key,
        ) from error
