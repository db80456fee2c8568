"""Factors, the explanatory return series of models. Users subclass `Factor`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, final

import pandas as pd
from attrs import Factory, field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require_method
from riskmodel._core.arrays import by_constructor
from riskmodel._core.weights import read_weights
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import Horizon
from riskmodel.panel.return_type import EXCESS, TOTAL, ReturnType


class ReturnData(Protocol):
    """A source of returns for factors: a `DataProvider` or a panel in memory."""

    @property
    def horizon(self) -> Horizon:
        """The span of one row."""

    @property
    def return_type(self) -> ReturnType:
        """What `asset_returns` are: total, or in excess of the risk-free rate."""

    def asset_returns(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Simple returns, dates × assets; see `return_type`."""

    def factor_returns(self, names: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Published factor returns, dates × names."""

    def risk_free(self, start: Any = None, end: Any = None) -> pd.Series[float]:
        """Risk-free rate by date."""


class Factor(ABC):
    """The return series of one factor. Subclass it to define your own.

    Define `name`, `funded` and the method `returns`. The first two may be class attributes, fields of a dataclass, set
    in ``__init__``, or properties. Set `tradable` to False for a series that cannot be held, such as a change in
    inflation.

    Attributes
    ----------
    name : str
        Its label, unique among the factors of a panel.
    funded : bool
        True where holding it costs cash and shorting it raises cash: an asset's or an index's excess return.
        False for a self-financing long-short portfolio.
    tradable : bool
        True (the default) where a portfolio can hold the factor itself. A hedge in a factor that is not tradable
        raises an error.

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

    tradable: bool = True

    if TYPE_CHECKING:  # at run time, an abstract property would conflict with __init__ and dataclasses

        @property
        def name(self) -> str:
            """Its label."""

        @property
        def funded(self) -> bool:
            """Whether holding it costs cash."""

    @abstractmethod
    def returns(self, data: ReturnData, start: Any, end: Any) -> pd.Series[float]:
        """Return the factor by date, decimals per ``data.horizon``; NaN where it is missing.

        A funded factor gives its return in excess of the risk-free rate.
        """


@final
@frozen
class PublishedFactor(Factor):
    """A factor that the provider publishes under a name; a bare string means this.

    Parameters
    ----------
    name : str
        The provider's name, for instance ``"SMB"``.
    funded : bool, optional
        By default whether the name is that of an excess return. Ignoring case and spaces, these are names that end in
        ``-RF`` or ``_RF``, such as ``"Mkt-RF"``, and ``"Mkt"``, ``"Market"``, ``"MktRF"``, ``"MarketRF"`` and
        ``"RMRF"``.
    tradable : bool
        Whether a portfolio can hold it; False for a macroeconomic series.
    """

    name: str = field(validator=labels.check_label)
    funded: bool = field(default=Factory(lambda self: labels.is_excess(self.name), takes_self=True))
    tradable: bool = True

    def returns(self, data: ReturnData, start: Any, end: Any) -> pd.Series[float]:
        """Return the provider's series."""
        return require_data(data).factor_returns([self.name], start, end)[self.name]


@final
@frozen
class AssetFactor(Factor):
    """The excess return of one of the provider's assets, such as an index fund; funded.

    Parameters
    ----------
    asset : label
        The provider's label, for instance ``"SPY"``.
    """

    asset: str = field(validator=labels.check_label)
    funded: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """The label of the asset."""
        return self.asset

    def returns(self, data: ReturnData, start: Any, end: Any) -> pd.Series[float]:
        """Return the asset's excess return: the total return less the risk-free rate."""
        return _excess_returns(data, [self.asset], start, end)[self.asset]


@final
@frozen
class Spread(Factor):
    """The return of one asset less that of another; self-financing.

    Parameters
    ----------
    long, short : label
        Two of the provider's assets.
    """

    long: str = field(validator=labels.check_label)
    short: str = field(validator=labels.check_label)
    funded: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """``long-short``."""
        return f"{self.long}-{self.short}"

    def returns(self, data: ReturnData, start: Any, end: Any) -> pd.Series[float]:
        """Return the difference of the two returns."""
        both = require_data(data).asset_returns([self.long, self.short], start, end)
        return both[self.long] - both[self.short]


def require_data(data: Any) -> ReturnData:
    """Return a source of returns, or raise for anything else."""
    methods = ("asset_returns", "factor_returns", "risk_free")
    require_method(data, methods, "data", "give a DataProvider such as rm.InMemory(...)")
    source: ReturnData = data
    return source


def _excess_returns(data: ReturnData, assets: list[Any], start: Any, end: Any) -> pd.DataFrame:
    """Return asset returns less the risk-free rate, unless they are excess returns already."""
    returns = require_data(data).asset_returns(assets, start, end)
    if getattr(data, "return_type", TOTAL) is EXCESS:
        return returns
    rate = data.risk_free(start, end)
    if len(rate) and not returns.index.isin(rate.index).all():
        # the rate of a row covers the days before it without one, such as a weekend
        between = returns.index[(returns.index > rate.index.min()) & (returns.index < rate.index.max())]
        rate = pd.concat([rate, pd.Series(0.0, between.difference(rate.index))]).sort_index()
    return returns.sub(rate, axis=0)


def _read_weights(weights: Any) -> pd.Series[float]:
    read = read_weights(weights, "the weights of a factor", "asset")
    if read.empty:
        raise InvalidParameterError("expected one weight or more, got none.", parameter="weights")
    return read


@final
@frozen(eq=False, repr=False)
class PortfolioFactor(Factor):
    """The excess return of a fixed portfolio of assets: a principal component, a factor-mimicking portfolio.

    A position in it is a position in its assets, including their idio risk.

    Parameters
    ----------
    name : str
        Its label.
    weights : mapping or Series by asset
        Dollars of each asset per dollar of the factor, of any sum. Omitted assets have weight zero.

    Raises
    ------
    InvalidParameterError
        For weights that are not finite numbers by asset, or none.
    DuplicateLabelsError
        For an asset that occurs twice.

    Examples
    --------
    >>> import riskmodel as rm
    >>> tech = rm.PortfolioFactor("tech", {"AAPL": 0.5, "MSFT": 0.5})
    >>> panel = rm.SampleData().panel(["AMD"], [tech])
    >>> rm.OLS().fit(panel).loadings.round(2)
         tech
    AMD  0.86
    """

    name: str = field(validator=labels.check_label)
    _weights: pd.Series[float] = field(converter=_read_weights)
    funded: ClassVar[bool] = True

    __reduce__ = by_constructor

    def __repr__(self) -> str:
        return f"<PortfolioFactor {self.name!r} of {len(self._weights)} assets>"

    @property
    def weights(self) -> pd.Series[float]:
        """Weight by asset."""
        return self._weights.copy()

    def returns(self, data: ReturnData, start: Any, end: Any) -> pd.Series[float]:
        """Return the weighted sum of the assets' excess returns; NaN where an asset of non-zero weight is missing."""
        held = self._weights[self._weights != 0]
        excess = _excess_returns(data, list(held.index), start, end)
        return pd.Series(excess.to_numpy() @ held.to_numpy(), excess.index, name=self.name)


def read_definitions(factors: Iterable[Any]) -> tuple[Factor, ...]:
    """Return factors; a bare name means a `PublishedFactor` (an attrs converter)."""
    return tuple(f if isinstance(f, Factor) else PublishedFactor(f) for f in labels.require_list(factors, "factors"))


def require_defined(definitions: Sequence[Factor], factors: pd.Index[Any]) -> None:
    """Raise unless the names of the definitions are the factor labels, in order."""
    names = [f.name for f in definitions]
    if names != list(factors):
        raise InvalidParameterError(
            f"expected one definition for each of the {len(factors)} factors, {labels.listing(factors)}, in order, "
            f"got {labels.listing(names) or 'none'}.",
            expected=list(factors),
            got=names,
        )
