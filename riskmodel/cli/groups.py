"""Files of two columns: assets, and what each has."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from typing import Any

import pandas as pd

from riskmodel._core.paths import read_path
from riskmodel.errors import InvalidParameterError
from riskmodel.portfolio.book import Book


def add_groups(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--groups``."""
    parser.add_argument("--groups", metavar="FILE", help="groups of assets: a CSV file with assets and groups")


def groups_of(args: argparse.Namespace, known: Collection[str]) -> pd.Series[str] | None:
    """Read the file of ``--groups``; None without it. Names that are known are no header."""
    if args.groups is None:
        return None
    groups = read_groups("--groups", args.groups)
    first, second = str(groups.index.name), str(groups.name)
    if first in known and first not in groups.index:
        raise InvalidParameterError(
            f"expected --groups with a header, got {args.groups} with the first line {first},{second}, which is an "
            "asset with its group; begin the file with a line such as asset,group.",
            option="--groups",
        )
    return groups


def groups_or_of_book(args: argparse.Namespace, known: Collection[str], book: Book | None) -> pd.Series[Any] | None:
    """Read the file of ``--groups``, or take the groups that a book has; None without both."""
    own = groups_of(args, known)
    return book.groups if own is None and book is not None else own


def read_groups(option: str, path: str) -> pd.Series[str]:
    """Read a CSV file of two columns with a header: what each asset has, as text, by asset.

    Raises
    ------
    InvalidParameterError
        If it has other columns, or an asset twice.
    """
    table = pd.read_csv(read_path(path, option), dtype=str)
    if table.shape[1] != 2 or table.iloc[:, 0].duplicated().any():
        raise InvalidParameterError(
            f"expected {option} with two columns, an asset and what it has, each asset once, got {path} with "
            f"{table.shape[1]} columns.",
            option=option,
        )
    if table.empty:
        raise InvalidParameterError(
            f"expected {option} with a header and a row or more below it, got {path} with the line "
            f"{','.join(map(str, table.columns))} alone; begin it with a line such as asset,group.",
            option=option,
        )
    return table.set_index(table.columns[0]).iloc[:, 0]
