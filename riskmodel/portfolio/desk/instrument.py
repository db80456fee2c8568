"""What a desk trades to hedge: a label with its costs and limits."""

from __future__ import annotations

import math
from typing import Any, Self, final

from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_share, shown
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import is_number
from riskmodel.panel.factors import FactorOfAssets
from riskmodel.portfolio.amounts import positive_share
from riskmodel.quantities import Mean, Quantity


def _is_label(_self: Any, _attribute: Any, value: Any) -> None:
    if not isinstance(value, FactorOfAssets):
        labels.require_label(value, "label")


def _is_cost(_self: Any, attribute: Any, value: Any) -> None:
    require_share(value, attribute.alias, "decimals per dollar traded,")


def _is_rate(_self: Any, attribute: Any, value: Any) -> None:
    if value is not None and not math.isfinite(require(value, Mean, attribute.alias, "such as rm.Mean(0.01, rm.YEAR)")):
        raise InvalidParameterError(
            f"expected {attribute.alias} as a finite rate, got {value!r}.", parameter=attribute.alias, got=value
        )


def _is_borrow(self: Any, attribute: Any, value: Any) -> None:
    _is_rate(self, attribute, value)
    if value is not None and value < 0:
        raise InvalidParameterError(
            f"expected borrow of 0 or more, got {value!r}; what a short position earns is carry.",
            parameter="borrow",
            got=value,
        )


def _is_bound(_self: Any, attribute: Any, value: Any) -> None:
    if not is_number(value) or isinstance(value, Quantity) or math.isnan(value):
        raise InvalidParameterError(
            f"expected {attribute.alias} as dollars per dollar of strategy, got {shown(value)}.",
            parameter=attribute.alias,
            got=value,
        )


def _is_amount(_self: Any, attribute: Any, value: Any) -> None:
    if value is not None and (not is_number(value) or isinstance(value, Quantity) or not 0 < value < math.inf):
        raise InvalidParameterError(
            f"expected {attribute.alias} as a positive, finite number of dollars, got {shown(value)}.",
            parameter=attribute.alias,
            got=value,
        )


@final
@frozen
class Instrument(Listed):
    """One thing that a hedge may hold, with what it costs and how much of it may be held.

    Parameters
    ----------
    label : label or portfolio of assets
        A factor or an asset of the model, or a portfolio of its assets such as a `PortfolioFactor`.
    cost : float
        Of trading, decimals per dollar bought or sold: half the spread, fees, impact.
    borrow : Mean, optional
        What a dollar sold short costs, a rate at a horizon such as ``rm.Mean(0.03, rm.YEAR)``.
    carry : Mean, optional
        What a dollar held earns in excess of what the model expects, a rate; a short position pays it. Negative where
        holding costs: financing spread, fees of a fund, roll of a future.
    least, most : float
        Limits of the position, dollars per dollar of strategy; ``least=0.0`` for what cannot be sold short.
    daily_volume : float, optional
        Dollars that the market trades a day. The desk trades at most `participation` of them.
    participation : float
        Share of the daily volume, above 0, up to 1.
    lot : float, optional
        Dollars of one lot or contract: its size times its price. Holdings are whole lots.

    Raises
    ------
    InvalidParameterError
        For costs, rates, limits or sizes that are none, or limits without a number between them.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.Instrument("XLE", cost=0.0002, borrow=rm.Mean(0.005, rm.YEAR), least=-1.0, most=0.0, lot=9_000.0).name
    'XLE'
    """

    label: Any = field(validator=_is_label)
    cost: float = field(default=0.0, validator=_is_cost, kw_only=True)
    borrow: Mean | None = field(default=None, validator=_is_borrow, kw_only=True)
    carry: Mean | None = field(default=None, validator=_is_rate, kw_only=True)
    least: float = field(default=-math.inf, validator=_is_bound, kw_only=True)
    most: float = field(default=math.inf, validator=_is_bound, kw_only=True)
    daily_volume: float | None = field(default=None, validator=_is_amount, kw_only=True)
    participation: float = field(default=0.1, validator=positive_share, kw_only=True)
    lot: float | None = field(default=None, validator=_is_amount, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.least > self.most or self.least == math.inf or self.most == -math.inf:
            raise InvalidParameterError(
                f"expected least at or below most, got {self.least!r} and {self.most!r}.",
                parameter="least",
                got=self.least,
            )

    @classmethod
    def read(cls, value: Any) -> Self:
        """Return an instrument; a bare label or portfolio has no costs and no limits."""
        return value if isinstance(value, cls) else cls(value)

    @property
    def name(self) -> Any:
        """The label, or the name of the portfolio."""
        return self.label.name if isinstance(self.label, FactorOfAssets) else self.label
