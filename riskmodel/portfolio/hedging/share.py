"""The smallest hedge that brings the factors' share of the variance to a cap."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arrays import Array, floats
from riskmodel._core.linalg import root
from riskmodel.errors import InvalidParameterError, UnknownFactorError
from riskmodel.portfolio.hedging.rows import RiskRows
from riskmodel.portfolio.hedging.targets import is_at, smallest_reaching

# Beyond this ratio of costs, their squares have no digits beside each other.
_COSTS_APART = 1e8
_NEWTON_STEPS = 100
# An eigenvalue below this share of the largest is rounding.
_FLAT = 1e-13


def read_cost(cost: Any, instruments: pd.Index, what: str = "factor") -> Array:
    """Read the cost to trade a unit of each instrument, relative to the largest."""
    if cost is None:
        return np.ones(len(instruments))
    if isinstance(cost, Mapping | pd.Series):
        given = labels.unique(cost.index if isinstance(cost, pd.Series) else list(cost), "the labels of cost")
        labels.positions(given, instruments, what, UnknownFactorError)
        labels.positions(instruments, given, f"{what} in cost", UnknownFactorError)
        cost = [cost[name] for name in instruments]
    array = floats(cost)
    if array.shape != (len(instruments),) or not (array > 0).all() or not np.isfinite(array).all():
        raise InvalidParameterError(
            f"expected cost as {len(instruments)} positive, finite numbers, one per {what}, got {cost!r}.",
            parameter="cost",
            got=cost,
        )
    if len(array) and array.min() < array.max() / _COSTS_APART:
        raise InvalidParameterError(
            f"expected costs within a factor of {_COSTS_APART:g} of each other, got {array.min():g} and "
            f"{array.max():g}; hedge without the {what} that is too dear.",
            parameter="cost",
            got=cost,
        )
    # only their ratios matter, and squares of the largest and the least must be numbers
    return np.asarray(array / array.max(initial=0.0))


def exposures_within(b: Array, f: Array, allowed: float, cost: Array) -> Array:
    """Return the exposures nearest to b, in units of cost, whose factor variance is `allowed`."""
    # singular values of a root of F keep twice the digits of the eigenvalues of F
    half = root(f).T
    _, s, turn = np.linalg.svd(half / cost, full_matrices=False)
    values, along = (s / s[0]) ** 2, turn @ (cost * b)
    multiplier = _multiplier(values, along, allowed / s[0] ** 2)
    shrink = multiplier * values / (1.0 + multiplier * values)
    left = b - turn.T @ (shrink * along) / cost
    # rescale, so that the last digits are right
    scores = half @ left
    return np.asarray(left * math.sqrt(allowed / float(scores @ scores)))


def _multiplier(values: Array, along: Array, target: float) -> float:
    """Return the λ at which Σ v (a / (1 + λ v))² is the target, which is below its value at λ = 0."""
    multiplier = 0.0
    for _ in range(_NEWTON_STEPS):
        squares = values * (along / (1.0 + multiplier * values)) ** 2
        length = float(squares.sum())
        slope = float((values / (1.0 + multiplier * values) * squares).sum())
        # the function is concave, so steps approach the root from below
        step = length * (math.sqrt(length / target) - 1.0) / slope
        multiplier += step
        if step <= 1e-15 * multiplier:
            return multiplier
    raise InvalidParameterError(
        "expected exposures and a factor covariance for which Newton's method converges, got too large or too small "
        "ones; rescale the factors."
    )


def smallest_within(rows: RiskRows, share: float, cost: Array) -> Array:
    r"""Return the smallest hedge, in units of cost, with a factor share of at most `share`.

    Instruments have idio risk, so that the set of hedges within the cap is not convex. It has one quadratic constraint,
    :math:`q(h) = (1 - s) \|G h + g\|^2 - s (\|A h + a\|^2 + c) \le 0`, so Lagrange's conditions with a positive
    semidefinite Hessian are sufficient for the global optimum (the S-lemma; Moré [1]_): in the eigenvectors of q's
    Hessian relative to the costs, :math:`y_i = -\lambda p_i / (1 + \lambda \mu_i)`, for the one λ at which q is 0.

    Raises
    ------
    InvalidParameterError
        If no hedge is within the cap.

    References
    ----------
    .. [1] Moré, J. J. (1993). Generalizations of the trust region problem. *Optimization Methods and Software* 2(3-4),
       189-209.
    """
    g, a = rows.factor / cost, rows.idio / cost
    curvature = (1.0 - share) * g.T @ g - share * a.T @ a
    slope = (1.0 - share) * g.T @ rows.factor_own - share * a.T @ rows.idio_own
    above = (1.0 - share) * rows.factor_variance(np.zeros(len(cost)))
    above -= share * rows.idio_variance(np.zeros(len(cost)))
    if above <= 0.0:
        return np.zeros(len(cost))
    mu, turn = np.linalg.eigh(curvature)
    p, size = turn.T @ slope, float(np.abs(mu).max(initial=0.0))
    rounding = _FLAT * (1.0 - share) * np.linalg.norm(g, axis=0).max(initial=0.0) * np.linalg.norm(rows.factor_own)
    mu[np.abs(mu) <= _FLAT * size] = 0.0
    p[np.abs(p) <= rounding] = 0.0
    y = _least_norm(mu, p, above)
    if y is None:
        raise _out_of_reach(rows, share)
    return np.asarray(turn @ y / cost)


def neutral_within(rows: RiskRows) -> Array:
    """Return the smallest hedge without factor variance: that of a cap of zero.

    Raises
    ------
    InvalidParameterError
        If the instruments leave exposures.
    """
    target = np.zeros(len(rows.exposures_own))
    h = smallest_reaching(rows, target)
    if not is_at(rows, h, target):
        raise _out_of_reach(rows, 0.0)
    return h


def _out_of_reach(rows: RiskRows, share: float) -> InvalidParameterError:
    least = _least_share(rows)
    return InvalidParameterError(
        f"expected a cap that the instruments can reach, got {share:g}, where the least factor share is about "
        f"{least:.3g}; raise the cap, or add instruments.",
        cap=share,
        least=least,
    )


def _least_norm(mu: Array, p: Array, r: float) -> Array | None:
    """Return the shortest y with Σ μ y² + 2 p y + r ≤ 0, where r is positive; None where there is none."""
    from scipy import optimize  # noqa: PLC0415 - slow to import

    lowest = float(mu.min(initial=0.0))
    # λ = u / (1 + steepness u), so that 1 + λ μ is (1 + gap u) / (1 + steepness u), without cancellation
    steepness = max(-lowest, 0.0)
    gap = np.where(mu == lowest, 0.0, mu + steepness) if steepness else mu

    def at(u: float) -> Array:
        return np.asarray(-u * p / (1.0 + gap * u))

    def value(log: float) -> float:
        y = at(math.exp(log))
        return float((mu * y * y + 2.0 * p * y).sum()) + r

    scale = float(np.abs(mu).max(initial=0.0))
    if not scale:  # q is linear
        return -0.5 * r / float(p @ p) * p if p.any() else None
    low, high = -math.log(scale) - 40.0, -math.log(scale) + 40.0
    if value(high) <= 0.0:
        return at(math.exp(optimize.brentq(value, low, high, xtol=1e-15, rtol=1e-15, maxiter=500)))
    if not steepness:
        return None
    # the hard case: go along the direction of negative curvature, where either sign is as short
    y = at(math.exp(high))
    y[mu == lowest] = 0.0
    rest = float((mu * y * y + 2.0 * p * y).sum()) + r
    first = int(np.flatnonzero(mu == lowest)[0])
    y[first] = math.sqrt(max(rest, 0.0) / steepness)
    return y


def _least_share(rows: RiskRows) -> float:
    """Return about the least factor share, that of the hedge that leaves the least factor variance."""
    h = np.asarray(np.linalg.lstsq(rows.factor, -rows.factor_own, rcond=None)[0], dtype=np.float64)
    return rows.factor_variance(h) / rows.variance(h)
