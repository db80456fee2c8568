"""Limits on what one group of assets may hold, such as a sector or a country."""

from __future__ import annotations

from typing import Any, final

import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel.errors import InvalidParameterError, UnknownAssetError
from riskmodel.estimation.groups import read_groups
from riskmodel.portfolio.amounts import positive_dollars
from riskmodel.portfolio.limits import Limit
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio


def _has_groups(_self: Any, _attribute: Any, value: Any) -> None:
    if value is None or not len(value.dropna()):
        raise InvalidParameterError(
            "expected groups as a group for each asset, got none; pass a Series such as sectors by asset.",
            parameter="groups",
            got=value,
        )


@final
@frozen(eq=False)
class GroupGrossLimit(Limit):
    """Limit on the gross holdings of the largest group, dollars: long plus short of its assets.

    Factors that are held themselves count where they have a group.

    Parameters
    ----------
    amount : float
        Dollars, of any one group.
    groups : mapping or Series by asset
        The group of each asset held, such as its sector.

    Raises
    ------
    UnknownAssetError
        When used, for an asset held without a group.

    Examples
    --------
    >>> import riskmodel as rm
    >>> model = rm.OLS().fit(rm.SampleData().panel(["MSFT", "AAPL", "XOM"], ["Mkt-RF"]))
    >>> held = rm.Strategy({"MSFT": 0.5, "AAPL": -0.3, "XOM": 0.2}, model)
    >>> sectors = {"MSFT": "tech", "AAPL": "tech", "XOM": "oil"}
    >>> limits = [rm.GroupGrossLimit(4e6, sectors), rm.GroupNetLimit(3e6, sectors)]
    >>> rm.RiskBudget(1e6, rm.MONTH, limits=limits).capacities(held).iloc[1:].to_dict()
    {'gross of one group': 5000000.0, 'net of one group': 15000000.0}
    """

    amount: float = field(validator=positive_dollars)
    groups: pd.Series[Any] = field(converter=read_groups, validator=_has_groups)
    name: str = field(default="gross of one group", init=False)

    def use(self, portfolio: Portfolio) -> float:
        """The largest sum of sizes of the weights of a group."""
        return _largest(_held(portfolio).abs(), self.groups, portfolio)


@final
@frozen(eq=False)
class GroupNetLimit(Limit):
    """Limit on the net holdings of one group, dollars: long less short of its assets, of either sign.

    Factors that are held themselves count where they have a group.

    Parameters
    ----------
    amount : float
        Dollars, of any one group.
    groups : mapping or Series by asset
        The group of each asset held, such as its sector.

    Raises
    ------
    UnknownAssetError
        When used, for an asset held without a group.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> limit = rm.GroupNetLimit(1e6, {"MSFT": "tech", "JPM": "banks"})
    >>> budget = rm.RiskBudget(1e6, rm.MONTH, limits=[limit])
    >>> position = rm.Position(held, 2e6, rm.MONTH)
    >>> [str(breach) for breach in budget.check(position)]
    ['net of one group: 1,200,000 used of 1,000,000']
    """

    amount: float = field(validator=positive_dollars)
    groups: pd.Series[Any] = field(converter=read_groups, validator=_has_groups)
    name: str = field(default="net of one group", init=False)

    def use(self, portfolio: Portfolio) -> float:
        """The largest size of the sum of the weights of a group."""
        return _largest(_held(portfolio), self.groups, portfolio)


def _held(portfolio: Any) -> pd.Series[float]:
    held = require_portfolio(portfolio, "portfolio").instruments
    return held[held != 0]


def _largest(held: pd.Series[float], groups: pd.Series[Any], portfolio: Portfolio) -> float:
    known = groups.dropna()
    assets = held.index[held.index.isin(portfolio.weights.index)]
    labels.positions(assets, known.index, "asset, without a group", UnknownAssetError)
    counted = held[held.index.isin(known.index)]
    return float(counted.groupby(known.reindex(counted.index).to_numpy()).sum().abs().max()) if len(counted) else 0.0
