"""Scenarios of shocks to factors and assets."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, Index
from riskmodel._core.weights import read_weights
from riskmodel.analysis.scenarios.base import Scenario
from riskmodel.analysis.scenarios.choices import DECIMALS, EXPECTED, ShockUnit, Unshocked
from riskmodel.analysis.scenarios.moves import Moves
from riskmodel.errors import InvalidParameterError, UnknownFactorError
from riskmodel.horizon import Horizon, require_horizon
from riskmodel.model.model import FactorModel

# Nothing loses more than all; larger gains than these are percentages by mistake.
_LEAST, _MOST = -1.0, 10.0


def _read_shocks(shocks: Any) -> pd.Series[float]:
    read = read_weights(shocks, "shocks", "factor or asset").rename("shock")
    if read.empty:
        raise InvalidParameterError("expected a shock to one factor or asset or more, got none.", parameter="shocks")
    return read


def _is_text(_: Any, attribute: Any, value: Any) -> None:
    require(value, str, attribute.alias, "as tables print it")


def _is_horizon(_: Any, __: Any, value: Any) -> None:
    if value is not None:
        require_horizon(value)


def _is_a(kind: type, advice: str) -> Any:
    return lambda _, attribute, value: require(value, kind, attribute.alias, advice)


@final
@frozen(eq=False, repr=False)
class Shocks(Scenario):
    r"""Shocks to some factors or assets; the other factors move as expected, or not at all.

    The residuals of other assets are uncorrelated with the shocks, except those that the model links with a shocked
    asset. Shocks are unexpected returns: alpha and the mean of the factors are left out.

    Parameters
    ----------
    name : str
        As tables print it.
    shocks : mapping or Series by factor or asset
        Excess returns over the horizon. A label that is a factor of the model means the factor, even where an asset
        has the same label.
    unit : ShockUnit
        ``rm.DECIMALS`` (the default) or ``rm.STANDARD_DEVIATIONS``.
    unshocked : Unshocked
        ``rm.EXPECTED`` (the default) or ``rm.UNMOVED``: what becomes of the other factors.
    horizon : Horizon, optional
        In which the shocks happen; by default the model's. It decides the standard deviations, not the expected moves.

    Raises
    ------
    InvalidParameterError
        For shocks that are not finite numbers by label.

    Notes
    -----
    With f and ε jointly normal and y the shocked returns, the others move by :math:`C_{xy} C_{yy}^{-1} s` and keep the
    covariance :math:`C_{xx} - C_{xy} C_{yy}^{-1} C_{yx}` ([1]_, equations 3 and 4). The cost is O(N (K + S)).

    References
    ----------
    .. [1] Kupiec, P. H. (1998). Stress Testing in a Value at Risk Framework. *Journal of Derivatives* 6(1), 7-24.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["Enrgy", "Utils"], ["Mkt-RF", "SMB", "HML"], start="1990-01")
    >>> energy = rm.Strategy({"Enrgy": 1.0}, rm.OLS().fit(panel))
    >>> crash = rm.Shocks("crash", {"Mkt-RF": -0.20})
    >>> crash.of(energy).by_factor.round(3)
             move  exposure    pnl  volatility
    Mkt-RF -0.200     0.781 -0.156       0.000
    SMB    -0.034    -0.045  0.002       0.001
    HML     0.024     0.380  0.009       0.011
    idio      NaN       NaN  0.000       0.042
    >>> alone = rm.Shocks("market alone", {"Mkt-RF": -0.20}, unshocked=rm.UNMOVED)
    >>> round(alone.of(energy).pnl, 3)
    -0.156
    """

    name: str = field(validator=_is_text)
    shocks: pd.Series[float] = field(converter=_read_shocks)
    unit: ShockUnit = field(
        default=DECIMALS, validator=_is_a(ShockUnit, "rm.DECIMALS or rm.STANDARD_DEVIATIONS"), kw_only=True
    )
    unshocked: Unshocked = field(
        default=EXPECTED, validator=_is_a(Unshocked, "rm.EXPECTED or rm.UNMOVED"), kw_only=True
    )
    horizon: Horizon | None = field(default=None, validator=_is_horizon, kw_only=True)

    def __repr__(self) -> str:
        moved = ", ".join(f"{label} {size:+g}" for label, size in list(self.shocks.items())[:4])
        more = f" and {len(self.shocks) - 4} more" if len(self.shocks) > 4 else ""
        return f"<Shocks {self.name}: {moved}{more} {self.unit}, other factors {self.unshocked}>"

    def moves(self, model: FactorModel) -> Moves:
        """Return the moves by conditional expectation.

        Raises
        ------
        UnknownFactorError
            For a shock to what is neither a factor nor an asset of the model.
        InvalidParameterError
            For shocks that contradict each other, a loss of more than all, or a shock in standard deviations to what
            has none.
        """
        require(model, FactorModel, "model", "for instance portfolio.model")
        before = Moves.none(model, model.horizon if self.horizon is None else self.horizon)
        factors, assets, sizes = self._read(model, before)
        observed = sizes[: len(factors)]
        if self.unshocked is EXPECTED:
            return before.given(factors, model._loadings[assets], assets, sizes)
        moved = np.zeros(len(model.factors))
        moved[factors] = observed
        known = Moves.known_factors(model, moved, before.horizon)
        after = known.given(np.empty(0, dtype=np.intp), model._loadings[assets], assets, sizes[len(factors) :])
        return evolve(after, distance=_distance(before, model, moved, assets, sizes[len(factors) :]))

    def _read(self, model: FactorModel, before: Moves) -> tuple[Index, Index, Array]:
        """Return positions of shocked factors and assets, and the shocks in decimals, factors first."""
        index = self.shocks.index
        of_factor = model.factors.get_indexer(index)
        is_factor = of_factor >= 0
        known = model.factors.append(model.assets.difference(model.factors, sort=False))
        labels.positions(index, known, "factor or asset", UnknownFactorError)
        assets = model.assets.get_indexer(index[~is_factor])
        factors = of_factor[is_factor]
        values = np.asarray(self.shocks, dtype=np.float64)
        sizes = np.concatenate([values[is_factor], values[~is_factor]])
        names = index[is_factor].append(index[~is_factor])
        if self.unit is DECIMALS:
            _require_decimals(names, sizes, np.array([model.definitions[j].tradable for j in factors], dtype=bool))
            return factors, assets, sizes
        scales = _volatilities(model, before, factors, assets)
        still = names[scales == 0]
        if len(still):
            raise InvalidParameterError(
                f"expected shocks in standard deviations to what has a variance above zero, got {labels.listing(still)}"
                " with none; give the shock in rm.DECIMALS.",
                parameter="shocks",
                labels=list(still),
            )
        return factors, assets, sizes * scales


def _require_decimals(names: pd.Index[Any], sizes: Array, tradable: Any) -> None:
    """Raise for returns that are impossible, or percentages; factors that are no returns may have any size."""
    is_return = np.append(tradable, np.ones(len(sizes) - len(tradable), dtype=bool))
    bad = is_return & ((sizes < _LEAST) | (sizes > _MOST))
    if bad.any():
        raise InvalidParameterError(
            f"expected shocks as decimals, -0.2 for -20 %, got {sizes[bad][0]:g} for {labels.listing(names[bad])}; "
            "divide percentages by 100, or pass unit=rm.STANDARD_DEVIATIONS.",
            parameter="shocks",
            labels=list(names[bad]),
        )


def _volatilities(model: FactorModel, before: Moves, factors: Index, assets: Index) -> Array:
    of_factors = np.square(before.root[factors]).sum(axis=1)
    scores = model._loadings[assets] @ before.root
    own = before.own_variance[assets] + np.square(before.links[assets]).sum(axis=1)
    return np.asarray(np.sqrt(np.append(of_factors, np.square(scores).sum(axis=1) + own)))


def _distance(before: Moves, model: FactorModel, moved: Array, assets: Index, sizes: Array) -> float:
    """The distance of all factors' moves and the assets' shocks; infinite for what the model cannot make."""
    every = np.arange(len(moved), dtype=np.intp)
    try:
        return before.given(every, model._loadings[assets], assets, np.append(moved, sizes)).distance
    except InvalidParameterError:
        return float("inf")
