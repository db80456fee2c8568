"""Hedges that bring exposures to a target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel._core.callers import warn
from riskmodel._core.weights import read_weights
from riskmodel.errors import ExposureLeftWarning, UnknownFactorError
from riskmodel.portfolio.hedging.rows import RiskRows

# Exposures are at the target where they differ by less than this share of those of strategy and instruments.
_AT_TARGET = 1e-10
# Singular values below this share of the largest are rounding.
_RANK = 1e-12


def read_target(target: Any, factors: pd.Index[Any]) -> Array:
    """Read target exposures, shape (K,): zero for factors left out."""
    if target is None:
        return np.zeros(len(factors))
    given = read_weights(target, "target", "factor")
    labels.positions(given.index, factors, "factor", UnknownFactorError)
    return np.asarray(given.reindex(factors, fill_value=0.0), dtype=np.float64)


def reaching(rows: RiskRows, target: Array, factors: pd.Index[Any]) -> Array:
    """Return the smallest hedge with the exposures of a target; where there is none, the one with least factor risk.

    Warns
    -----
    ExposureLeftWarning
        Where there is none.
    """
    missing, sizes = target - rows.exposures_own, _sizes(rows, target)
    smallest = smallest_reaching(rows, target)
    if is_at(rows, smallest, target):
        return smallest
    least = np.asarray(np.linalg.lstsq(rows.factor, rows.root @ missing, rcond=_RANK)[0], dtype=np.float64)
    left = pd.Series(rows.left(least) - target, factors)
    wrong = left[np.abs(left) > _AT_TARGET * sizes]
    warn(
        ExposureLeftWarning(
            f"{len(least)} instruments cannot bring all exposures to the target; least squares in risk leaves "
            f"{labels.listing(f'{name} {value:+.3g}' for name, value in wrong.items())}; add instruments.",
            left=wrong.to_dict(),
            factor_variance=float(np.square(rows.root @ left.to_numpy()).sum()),
        )
    )
    return least


def smallest_reaching(rows: RiskRows, target: Array) -> Array:
    """Return the smallest hedge with the exposures of a target, or nearest to them where there is none."""
    sizes = _sizes(rows, target)
    missing = (target - rows.exposures_own) / sizes
    return np.asarray(np.linalg.lstsq(rows.exposures / sizes[:, None], missing, rcond=_RANK)[0], dtype=np.float64)


def _sizes(rows: RiskRows, target: Array) -> Array:
    """Each factor's largest exposure, in units of which the scales of the factors do not matter."""
    missing = target - rows.exposures_own
    sizes = np.maximum(np.abs(rows.exposures).max(axis=1, initial=0.0), np.abs(missing))
    return np.asarray(np.where(sizes == 0, 1.0, sizes))


def is_at(rows: RiskRows, h: Array, target: Array) -> bool:
    """Whether a hedge has the exposures of a target."""
    sizes = np.abs(rows.exposures) @ np.abs(h) + np.abs(rows.exposures_own) + np.abs(target)
    return bool((np.abs(rows.left(h) - target) <= _AT_TARGET * sizes).all())
