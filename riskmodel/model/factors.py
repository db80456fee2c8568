"""Factors: what a model explains returns with. `Factor` is the class that a user subclasses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, final

import pandas as pd
from attrs import Factory, field, frozen

from riskmodel._core import labels

if TYPE_CHECKING:
    from riskmodel.data.provider import DataProvider


class Factor(ABC):
    """One factor's return series. Subclass it to define your own.

    Give it a `name`, say whether it is `funded`, and write `returns`. The two may be class attributes, fields of a
    dataclass, set in ``__init__``, or properties.

    Attributes
    ----------
    name : str
        Its label, unique among the factors of a panel.
    funded : bool
        True where holding it costs cash and shorting it raises cash: an asset's or an index's excess return.
        False for a self-financing long-short portfolio.

    Examples
    --------
    >>> import riskmodel as rm
    >>> class BigMinusRest(rm.Factor):
    ...     name, funded = "AAPL-rest", False
    ...     def returns(self, data, start, end):
    ...         r = data.asset_returns(["AAPL", "KO", "PG"], start, end)
    ...         return r["AAPL"] - r[["KO", "PG"]].mean(axis=1)
    >>> panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF", BigMinusRest()])
    >>> rm.OLS().fit(panel).loadings.round(2)
          Mkt-RF  AAPL-rest
    MSFT    1.03       0.07
    """

    if TYPE_CHECKING:  # at run time an abstract property would stand in the way of __init__ and of dataclasses

        @property
        def name(self) -> str:
            """Its label."""

        @property
        def funded(self) -> bool:
            """Whether it costs cash."""

    @abstractmethod
    def returns(self, data: DataProvider, start: Any, end: Any) -> pd.Series[float]:
        """Return the factor by date, decimals per ``data.horizon``; NaN where it is missing.

        A funded factor gives its return in excess of the risk-free rate.
        """


@final
@frozen
class PublishedFactor(Factor):
    """A factor that the provider publishes under a name; a bare string means this, funded as the provider says.

    Parameters
    ----------
    name : str
        As the provider knows it, for instance ``"SMB"``.
    funded : bool, optional
        By default whether the name says that it is an excess return: in any case, and spaces aside, what ends in
        ``-RF`` or ``_RF``, as ``"Mkt-RF"`` does, and ``"Mkt"``, ``"Market"``, ``"MktRF"``, ``"MarketRF"`` and
        ``"RMRF"``.
    """

    name: str = field()
    funded: bool = field(default=Factory(lambda self: labels.is_excess(self.name), takes_self=True))

    def returns(self, data: DataProvider, start: Any, end: Any) -> pd.Series[float]:
        """Ask the provider."""
        return data.factor_returns([self.name], start, end)[self.name]


@final
@frozen
class AssetFactor(Factor):
    """The excess return of one of the provider's assets, such as an index fund; funded.

    Parameters
    ----------
    asset : label
        As the provider knows it, for instance ``"SPY"``.
    """

    asset: str

    @property
    def name(self) -> str:
        """The asset's own label."""
        return self.asset

    @property
    def funded(self) -> bool:
        """True: it is bought with cash."""
        return True

    def returns(self, data: DataProvider, start: Any, end: Any) -> pd.Series[float]:
        """Total return less the risk-free rate."""
        return data.asset_returns([self.asset], start, end)[self.asset] - data.risk_free(start, end)


@final
@frozen
class Spread(Factor):
    """The return of one asset less that of another: self-financing.

    Parameters
    ----------
    long, short : label
        Two of the provider's assets.
    """

    long: str
    short: str

    @property
    def name(self) -> str:
        """``long-short``."""
        return f"{self.long}-{self.short}"

    @property
    def funded(self) -> bool:
        """False: the short leg pays for the long one."""
        return False

    def returns(self, data: DataProvider, start: Any, end: Any) -> pd.Series[float]:
        """Difference of the two total returns."""
        both = data.asset_returns([self.long, self.short], start, end)
        return both[self.long] - both[self.short]
