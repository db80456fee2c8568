"""Limits on what a hedge may leave: factor shares, volatility, exposures."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, shown
from riskmodel._core.arrays import Array
from riskmodel._core.linalg import root
from riskmodel._core.listing import Abstract
from riskmodel.errors import InvalidParameterError, UnknownFactorError
from riskmodel.horizon import Horizon, is_number
from riskmodel.portfolio.amounts import positive_share
from riskmodel.portfolio.desk.forms import Linear, Squares
from riskmodel.portfolio.hedging.rows import RiskRows
from riskmodel.quantities import Quantity, Volatility


class HedgeLimit(Abstract):
    """A limit on what a hedge may leave (abstract: `FactorShareCap`, `VolatilityCap`, `ExposureRange`).

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> limits: list[rm.HedgeLimit] = [rm.FactorShareCap(0.1), rm.VolatilityCap(rm.Volatility(0.25, rm.YEAR))]
    >>> solution = rm.HedgeProblem(held, ["Mkt-RF"], limits).solve()
    >>> solution.hedged.decompose().factor_share <= 0.1 + 1e-6
    True
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Its name in results and errors."""

    @abstractmethod
    def form(self, rows: RiskRows, covariance: pd.DataFrame, horizon: Horizon) -> Linear | Squares:
        """Return it in terms of the hedge: risk rows, factor covariance and horizon are the model's."""


def _factors(factors: Any) -> tuple[Any, ...] | None:
    return None if factors is None else tuple(labels.unique(factors, "factors"))


@final
@frozen
class FactorShareCap(HedgeLimit):
    """A cap on the share of the variance that some factors make: a group, a single one, or all.

    The variance of a group is that of its factors alone, x'F x with the exposures to them.

    Parameters
    ----------
    cap : float
        Largest share of the total variance, above 0, up to 1. For no exposure at all, use `ExposureRange`.
    factors : sequence of labels, optional
        By default all.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> hedged = rm.HedgeProblem(msft, ["Mkt-RF"], rm.FactorShareCap(0.1)).solve().hedged
    >>> f"{hedged.decompose().factor_share:.1%}"
    '0.0%'
    """

    cap: float = field(validator=positive_share)
    factors: tuple[Any, ...] | None = field(default=None, converter=_factors)

    @property
    def name(self) -> str:
        """``share of <factors>``."""
        return f"share of {'all factors' if self.factors is None else labels.listing(self.factors)}"

    def form(self, rows: RiskRows, covariance: pd.DataFrame, horizon: Horizon) -> Squares:
        """Return ‖factors‖² ≤ cap · variance."""
        known, c = covariance.index, self.cap
        at = labels.positions(known if self.factors is None else self.factors, known, "factor", UnknownFactorError)
        half = root(covariance.to_numpy()[np.ix_(at, at)]).T
        used, own = half @ rows.exposures[at], half @ rows.exposures_own[at]
        everything = len(at) == len(known)
        # of all factors, their own part of the variance moves to the left, where it is convex
        kept = math.sqrt(1.0 - c) if everything else 1.0
        against = [rows.idio] if everything else [rows.factor, rows.idio]
        against_own = [rows.idio_own] if everything else [rows.factor_own, rows.idio_own]
        return Squares(
            kept * used,
            kept * own,
            math.sqrt(c) * np.vstack(against),
            math.sqrt(c) * np.concatenate(against_own),
            c * rows.constant,
        )


def _is_volatility(_self: Any, _attribute: Any, value: Any) -> None:
    if not 0 < require(value, Volatility, "volatility", "such as rm.Volatility(0.1, rm.YEAR)") < math.inf:
        raise InvalidParameterError(
            f"expected a positive, finite volatility, got {value!r}.", parameter="volatility", got=value
        )


@final
@frozen
class VolatilityCap(HedgeLimit):
    """A cap on the volatility of strategy and hedge.

    Parameters
    ----------
    volatility : Volatility
        Of the return per dollar of strategy, such as ``rm.Volatility(0.10, rm.YEAR)``.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> cap = rm.VolatilityCap(rm.Volatility(0.25, rm.YEAR))
    >>> hedged = rm.HedgeProblem(msft, ["Mkt-RF"], cap).solve().hedged
    >>> f"{hedged.volatility.at(rm.YEAR):.1%}"
    '22.6%'
    """

    volatility: Volatility = field(validator=_is_volatility)

    @property
    def name(self) -> str:
        """``volatility per <horizon>``."""
        return f"volatility per {self.volatility.horizon}"

    def form(self, rows: RiskRows, covariance: pd.DataFrame, horizon: Horizon) -> Squares:
        """Return variance ≤ volatility²."""
        allowed = float(self.volatility.at(horizon)) ** 2 - rows.constant
        m = rows.idio.shape[1]
        every, own = np.vstack([rows.factor, rows.idio]), np.concatenate([rows.factor_own, rows.idio_own])
        return Squares(every, own, np.zeros((0, m)), np.zeros(0), allowed)


def _is_end(_self: Any, attribute: Any, value: Any) -> None:
    if not is_number(value) or isinstance(value, Quantity) or math.isnan(value):
        raise InvalidParameterError(
            f"expected {attribute.alias} as an exposure, got {shown(value)}.", parameter=attribute.alias, got=value
        )


@final
@frozen
class ExposureRange(HedgeLimit):
    """A range for one exposure; with both ends equal, a target.

    Parameters
    ----------
    factor : label
        A factor of the model.
    least, most : float
        Ends of the range; both 0 by default.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> hedged = rm.HedgeProblem(msft, ["Mkt-RF"], rm.ExposureRange("Mkt-RF", 0.2, 0.4)).solve().hedged
    >>> bool(0.2 - 1e-6 <= hedged.exposures["Mkt-RF"] <= 0.4 + 1e-6)
    True
    """

    factor: Any = field(validator=labels.check_label)
    least: float = field(default=0.0, validator=_is_end)
    most: float = field(default=0.0, validator=_is_end)

    def __attrs_post_init__(self) -> None:
        if self.least > self.most or math.inf in {self.least, -self.most}:
            raise InvalidParameterError(
                f"expected least at or below most, got {self.least!r} and {self.most!r}.",
                parameter="least",
                got=self.least,
            )

    @property
    def name(self) -> str:
        """``exposure to <factor>``."""
        return f"exposure to {self.factor}"

    def form(self, rows: RiskRows, covariance: pd.DataFrame, horizon: Horizon) -> Linear:
        """Return least ≤ exposure ≤ most."""
        j = int(labels.positions([self.factor], covariance.index, "factor", UnknownFactorError)[0])
        slope, own = rows.exposures[j], float(rows.exposures_own[j])
        return Linear(slope, own, self.least, self.most, _size(slope, own))


def _size(slope: Array, own: float) -> float:
    return max(float(np.abs(slope).max(initial=0.0)), abs(own)) or 1.0


def read_limits(limits: Sequence[HedgeLimit]) -> tuple[HedgeLimit, ...]:
    """Return limits with different names, or raise (an attrs converter)."""
    every = tuple(require(limit, HedgeLimit, "limits", "such as rm.FactorShareCap(0.2)") for limit in _list(limits))  # type: ignore[type-abstract]
    labels.unique([limit.name for limit in every], "the names of limits")
    return every


def _list(limits: Any) -> Any:
    return [limits] if isinstance(limits, HedgeLimit) else labels.require_list(limits, "limits")
