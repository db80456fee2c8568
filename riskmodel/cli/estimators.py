"""Which estimator a command uses: ``--estimator`` and ``--half-life``."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import Any

from riskmodel.cli.options import count, span
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.base import Estimator
from riskmodel.estimation.least_squares.ewma import EWMA
from riskmodel.estimation.least_squares.ols import OLS
from riskmodel.estimation.loadings.time_series import TimeSeries
from riskmodel.estimation.recommended import recommended
from riskmodel.horizon import YEAR, Horizon

NAMES = ("ols", "ewma", "recommended")


def add_estimator(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    model = parser.add_argument_group("the model")
    add = model.add_argument
    add(
        "--estimator",
        metavar="ESTIMATOR",
        help="ols (default), ewma, recommended (for daily rows), or MODULE:NAME of an estimator of your own",
    )
    add(
        "--half-life",
        metavar="SPAN",
        type=span,
        help="of the weights of dates: a number of rows, or month, quarter, year; means --estimator ewma",
    )
    add(
        "--window",
        metavar="SPAN",
        type=span,
        help="estimate on the last rows alone: 252, or month, quarter, year (default: all; 504 for recommended)",
    )
    add("--min-observations", metavar="N", type=count, help="leave out assets with fewer returns than N")


def estimator(args: argparse.Namespace, row: Horizon) -> Estimator:
    """Return the estimator of the options, for rows of a horizon.

    Raises
    ------
    InvalidParameterError
        For options that exclude each other, or a name that is no estimator.
    """
    half_life, name = args.half_life, args.estimator
    if half_life is not None and name not in {None, "ewma"}:
        raise InvalidParameterError(
            f"expected --half-life with --estimator ewma, got --estimator {name}; leave one of them out.",
            option="--half-life",
        )
    if half_life is not None or name == "ewma":
        return EWMA(_half_life(half_life, row))
    if name in {None, "ols"}:
        return OLS()
    if name == "recommended":
        # named factors first, then statistical ones of what they leave
        return recommended(row, None if args.factors is None else TimeSeries(OLS()))
    own = imported(name, "--estimator", NAMES)
    if not isinstance(own, Estimator):
        raise InvalidParameterError(
            f"expected --estimator as an object of a subclass of rm.Estimator, got {name}, {own!r}.", got=name
        )
    return own


def _half_life(given: int | Horizon | None, row: Horizon) -> Horizon:
    if given is None:
        return YEAR
    return Horizon(given * row.days) if isinstance(given, int) else given


def imported(name: str, option: str, known: tuple[str, ...]) -> Any:
    """Import an object of the user's, ``module:name``; modules of the working folder are found.

    Raises
    ------
    InvalidParameterError
        If it has another form, or cannot be imported.
    """
    module, colon, attribute = name.partition(":")
    if not colon or not module or not attribute:
        raise InvalidParameterError(
            f"expected {option} as one of {', '.join(known)}, or as MODULE:NAME, got {name!r}.", got=name
        )
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise InvalidParameterError(f"expected {option} {name}, got an error: {error}.", got=name) from error
