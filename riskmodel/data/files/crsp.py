"""Exports of CRSP's stock files: codes, repeated rows, permnos, delisting returns and marked prices."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from attrs import evolve

from riskmodel._core import labels
from riskmodel.data.files.codes import MissingCodes
from riskmodel.data.files.columns import Columns
from riskmodel.data.files.unit import Unit
from riskmodel.errors import ChosenColumnWarning, RowsLeftOutWarning

# Of returns: B off the exchange, C no earlier price, A and D to E of delistings, S T P of delisting returns.
CODES = MissingCodes((-44.0, -55.0, -66.0, -77.0, -88.0, -99.0), ("A", "B", "C", "D", "E", "S", "T", "P"))
_WHOLE = re.compile(r"([0-9]+)\.0*")


def tidied(columns: Columns, unit: Unit) -> Columns:
    """Return one row for each date and permno, with one return or price.

    Equal rows, one for each distribution, become one; unequal ones stay, to be refused as duplicates.
    """
    assert columns.assets is not None
    columns = _without_repeated(evolve(columns, assets=_permnos(columns.assets)))
    return _adjusted(columns) if unit is Unit.PRICE else _with_delistings(columns)


def _without_repeated(columns: Columns) -> Columns:
    assert columns.assets is not None
    rows = columns.numbers.assign(date=columns.dates.astype(str), permno=columns.assets.astype(str))
    again = rows.duplicated().to_numpy()
    if not again.any():
        return columns
    permnos = labels.listing(columns.assets[again].unique())
    note = f"{columns.path} repeats {int(again.sum())} row(s), which are read once: permno {permnos}."
    kept = np.flatnonzero(~again)
    return evolve(
        columns,
        dates=columns.dates.iloc[kept].reset_index(drop=True),
        assets=columns.assets.iloc[kept].reset_index(drop=True),
        numbers=columns.numbers.iloc[kept].reset_index(drop=True),
        places=[columns.places[i] for i in kept.tolist()],
        notes=(*columns.notes, RowsLeftOutWarning(note)),
    )


def _permnos(assets: pd.Series[Any]) -> pd.Series[Any]:
    """Write permnos as whole numbers, which some programs store with a decimal point."""
    if pd.api.types.is_float_dtype(assets.dtype) and not assets.isna().any() and (assets % 1 == 0).all():
        return assets.astype(np.int64)
    codes, known = pd.factorize(assets)
    whole = [found[1] if (found := _WHOLE.fullmatch(str(label))) else label for label in known]
    if codes.min(initial=0) < 0:  # without a label, which is refused later
        return assets
    return pd.Series(pd.Index(whole, dtype=object).take(codes), name=assets.name)


def _with_delistings(columns: Columns) -> Columns:
    """Compound a delisting return with the return of its row; where only one is there, it is the return."""
    name, *delisting = columns.numbers.columns
    if not delisting:
        return columns
    ret, dlret = (columns.numbers[c] for c in (name, delisting[0]))
    both = ((1.0 + ret.fillna(0.0)) * (1.0 + dlret.fillna(0.0)) - 1.0).where(ret.notna() & dlret.notna())
    numbers = both.fillna(ret).fillna(dlret).to_frame(name)
    count = int(dlret.notna().sum())
    note = f"{columns.path}: {count} return(s) of {delisting[0]!r} are compounded with {name!r}."
    return evolve(columns, numbers=numbers, notes=columns.notes + ((ChosenColumnWarning(note),) if count else ()))


def _adjusted(columns: Columns) -> Columns:
    """Divide prices by the factor of splits; the sign marks a midpoint of bid and ask, and zero a missing price."""
    price, factor = (columns.numbers[c] for c in columns.numbers.columns)
    adjusted = price.abs().where(price != 0.0) / factor.where(factor > 0.0)
    return evolve(columns, numbers=adjusted.to_frame(price.name))
