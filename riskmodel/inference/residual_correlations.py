"""How sure are the correlations of residuals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core.arrays import Array
from riskmodel.errors import TooLargeError
from riskmodel.inference.bounds import quantile
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.estimand import THIS_WINDOW
from riskmodel.inference.fitted import Fitted
from riskmodel.inference.tables import frame_of
from riskmodel.model.model import FactorModel

# The most pairs: each takes a pass over its dates.
MOST = 20_000
# Residuals are multiples of each other where correlations are this near to 1.
_SAME = 1e-12


def residual_correlations(
    fitted: Fitted, held: FactorModel, covariance: LongRunCovariance, level: float
) -> pd.DataFrame:
    r"""Return the correlations of the residuals of each pair of assets, with intervals of Fisher's z.

    With residuals :math:`x, y` of unit variance on the dates that both have, a date adds
    :math:`(xy - \rho (x^2 + y^2) / 2) / (1 - \rho^2)` to the error of :math:`z = \tanh^{-1} \rho`. For normal residuals
    its variance is Fisher's 1; where both are volatile on the same dates it is larger.

    Parameters
    ----------
    fitted : Fitted
        With the panel.
    held : FactorModel
        Of N assets.
    covariance : LongRunCovariance
        As in `Inference`.
    level : float
        Between 0 and 1.
    """
    n = len(held.assets)
    if n * (n - 1) // 2 > MOST:
        raise TooLargeError(
            f"expected assets with at most {MOST:,} pairs, got {n:,} assets with {n * (n - 1) // 2:,}; pass fewer.",
            pairs=n * (n - 1) // 2,
            limit=MOST,
        )
    residuals = np.empty((len(fitted.factors), n))
    for group in fitted.groups(held, 0.0):
        residuals[:, group.columns] = np.where(group.share[:, None] > 0.0, group.plain, np.nan)
    share, k = fitted.of_factors.share, len(held.factors)
    own, rows = covariance.about(THIS_WINDOW), {}
    for i, first in enumerate(held.assets[:-1]):
        rho, terms = _with_others(residuals[:, i : i + 1], residuals[:, i + 1 :], share, k)
        error = np.sqrt(np.maximum(own.of_sums(terms)[:, 0, 0], 0.0))
        degrees = np.broadcast_to(own.degrees_of_freedom(terms), rho.shape)
        for second, r, e, d in zip(held.assets[i + 1 :], rho, error, degrees, strict=True):
            rows[first, second] = (float(r), *_ends(float(r), float(e), float(d), level), 0.0, THIS_WINDOW)
    return frame_of(rows, 1.0, ("first", "second"))


def _with_others(one: Array, others: Array, share: Array, k: int) -> tuple[Array, DateTerms]:
    """Correlations of an asset with J others, and what each date adds to the errors of their z."""
    there = ~np.isnan(one) & ~np.isnan(others)
    w = np.where(there, share[:, None], 0.0)
    total = w.sum(axis=0)
    w = w / np.where(total > 0.0, total, 1.0)
    squares = (w * w).sum(axis=0)
    n = np.divide(1.0, squares, where=squares > 0, out=np.zeros_like(squares))
    x, y = (_standardised(np.where(there, np.nan_to_num(values), 0.0), w) for values in (one, others))
    rho = np.clip((w * x * y).sum(axis=0), -1.0, 1.0)
    rho = np.where((n >= k + 4) & (np.abs((w * x * x).sum(axis=0) - 1.0) < 1e-6), rho, np.nan)
    free = np.maximum(n - k - 3.0, 1.0)
    size = np.sqrt(n / free) / np.maximum(1.0 - np.nan_to_num(rho) ** 2, _SAME)
    terms = w * (x * y - np.nan_to_num(rho) * (x * x + y * y) / 2.0) * size
    return rho, DateTerms(terms.T[:, None], w.T, n, k + 1, (1.0 / free)[:, None, None])


def _standardised(values: Array, w: Array) -> Array:
    """Residuals of mean zero and variance one with weights, each on dates of its own; zero where they do not vary."""
    centred = np.where(w > 0.0, values - (w * values).sum(axis=0), 0.0)
    scale = np.sqrt((w * centred * centred).sum(axis=0))
    return np.asarray(np.divide(centred, scale, where=scale > 0.0, out=np.zeros_like(centred)))


def _ends(rho: float, error: float, degrees: float, level: float) -> tuple[float, float, float]:
    if np.isnan(rho):
        return np.nan, np.nan, np.nan
    if 1.0 - abs(rho) < _SAME:
        return 0.0, rho, rho
    z, width = np.arctanh(rho), quantile(level, degrees) * error
    ends: Any = np.tanh([z - width, z + width])
    return error * (1.0 - rho * rho), float(ends[0]), float(ends[1])
