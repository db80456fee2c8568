"""The regression of a strategy's returns on those of instruments."""

from __future__ import annotations

from typing import Self, final

import numpy as np
import pandas as pd
from attrs import frozen
from scipy import linalg

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, Flags, floats
from riskmodel._core.callers import warn
from riskmodel.errors import SingularCovarianceError, TooFewObservationsError
from riskmodel.horizon import require_same
from riskmodel.model.instruments import HeldInstruments
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.gaps import missing_dates
from riskmodel.portfolio.portfolio import Portfolio

# Treat a column as dependent if its distance from the span of the others is below this share of its length.
_DEPENDENT = 1e-10


@final
@frozen(eq=False)
class ReturnRegression:
    r"""Least squares of a strategy's excess returns on a constant and those of M instruments.

    Attributes
    ----------
    known : array of bool, shape (all dates,)
        The T dates on which all have returns.
    returns : array, shape (T,)
        Of the strategy.
    instruments : array, shape (T, M)
        Of the instruments.
    slopes : array, shape (M,)
        The hedge is their negative.
    residuals : array, shape (T,)
        What the hedge leaves, about its mean.
    influence : array, shape (M, T)
        What each date adds to the error of each slope, per unit of its residual: rows of :math:`(X'X)^{-1} X'` with X
        about its mean.
    leverage : array, shape (T,)
        Diagonal of the hat matrix, with the constant.
    """

    known: Flags
    returns: Array
    instruments: Array
    slopes: Array
    residuals: Array
    influence: Array
    leverage: Array

    @classmethod
    def of(cls, strategy: Portfolio, held: HeldInstruments, panel: ReturnPanel) -> Self:
        """Regress on a panel.

        Raises
        ------
        TooFewObservationsError
            For no more dates than parameters.
        SingularCovarianceError
            If one instrument's returns are constant, or a combination of the others'.
        HorizonMismatchError, UnknownAssetError, UnknownFactorError
            As for `Portfolio.excess_returns`.

        Warns
        -----
        MissingDatesWarning
            Where dates without a return are left out.
        """
        require(panel, ReturnPanel, "panel", "of a panel on disk or a cluster, take select(...)")
        require_same(strategy.horizon, panel.horizon, "a portfolio's model and the panel")
        y, x = floats(strategy.excess_returns(panel)), held.returns(panel)
        known = np.isfinite(y) & np.isfinite(x).all(axis=1)
        _require_dates(known, x.shape[1] + 1)
        if not known.all():
            own, inside = strategy.weights, held.holdings
            names = own.index[own != 0].union(inside.index[(inside != 0).any(axis=1)], sort=False)
            warn(missing_dates(known, panel.select(names, []).arrays()[0], names, panel.dates))
        y, x = y[known], x[known]
        centred = x - x.mean(axis=0)
        inverse = _pseudo_inverse(centred, held.labels)
        slopes = inverse @ (y - y.mean())
        residuals = y - y.mean() - centred @ slopes
        leverage = 1.0 / len(y) + np.einsum("tm,mt->t", centred, inverse)
        return cls(known, y, x, slopes, residuals, inverse, leverage)


def _require_dates(known: Flags, parameters: int) -> None:
    n = int(known.sum())
    if n <= parameters:
        raise TooFewObservationsError(
            f"expected more than {parameters} dates with returns of the strategy and all instruments, got {n}; use a "
            "longer panel, or fewer instruments.",
            dates=n,
            parameters=parameters,
        )


def _pseudo_inverse(x: Array, names: pd.Index) -> Array:
    """Return (X'X)⁻¹ X'; raise where some columns are combinations of the others."""
    lengths = np.linalg.norm(x, axis=0)
    safe = np.where(lengths > 0, lengths, 1.0)
    q, r, order = linalg.qr(x / safe, mode="economic", pivoting=True)
    dependent = names[np.sort(order[np.abs(np.diag(r)) <= _DEPENDENT])]
    if len(dependent):
        raise SingularCovarianceError(
            f"expected instruments with linearly independent returns, got {labels.listing(names)}, of which each of "
            f"{labels.listing(dependent)} is constant or a combination of the others; leave it out.",
            instruments=list(dependent),
        )
    inverse = np.empty((len(names), len(x)))
    inverse[order] = linalg.solve_triangular(r, q.T)
    return inverse / safe[:, None]
