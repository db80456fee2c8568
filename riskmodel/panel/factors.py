"""Factors, the explanatory return series of models. Users subclass `Factor`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, final

import numpy as np
import pandas as pd
from attrs import Factory, field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require_method
from riskmodel._core.arrays import Array, by_constructor
from riskmodel._core.checks import FactorReturns
from riskmodel._core.frames import ReturnFrame, read_numbers
from riskmodel._core.weights import read_weights
from riskmodel.errors import InvalidParameterError, NonNumericError
from riskmodel.horizon import Horizon
from riskmodel.panel.return_type import TOTAL, ReturnType

# Treat a sum of weights this small relative to their sizes as zero.
_ROUNDING = 1e-12


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


class FactorOfAssets(Factor):
    """A factor that is a fixed portfolio of assets (abstract: `AssetFactor`, `Spread`, `PortfolioFactor`)."""

    if TYPE_CHECKING:

        @property
        def weights(self) -> pd.Series[float]:
            """Dollars of each asset per dollar of the factor."""

    @final
    def returns(self, data: ReturnData, start: Any, end: Any) -> pd.Series[float]:
        """Return the weighted sum of the assets' excess returns; NaN where an asset of non-zero weight is missing."""
        held = self._held()
        returns = require_data(data).asset_returns(list(held.index), start, end)
        numbers = read_numbers(returns[list(held.index)], f"the asset returns of factor {self.name!r}")
        own = pd.Series(weighted(numbers, held.to_numpy()[:, None])[:, 0], returns.index)
        if self.funded and getattr(data, "return_type", TOTAL) is TOTAL:
            own = own - held.sum() * _rate_on(own.index, data.risk_free(start, end))
        return own.rename(self.name)

    @final
    def _held(self) -> pd.Series[float]:
        """The weights other than zero, or all where there are no others."""
        held = self.weights[self.weights != 0]
        return held if len(held) else self.weights


@final
@frozen
class AssetFactor(FactorOfAssets):
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

    @property
    def weights(self) -> pd.Series[float]:
        """One dollar of the asset."""
        return _weights([self.asset], [1.0])


@final
@frozen
class Spread(FactorOfAssets):
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

    @property
    def weights(self) -> pd.Series[float]:
        """One dollar of one asset, and minus one of the other."""
        if self.long == self.short:
            return _weights([self.long], [0.0])
        return _weights([self.long, self.short], [1.0, -1.0])


def require_data(data: Any) -> ReturnData:
    """Return a source of returns, or raise for anything else."""
    methods = ("asset_returns", "factor_returns", "risk_free")
    require_method(data, methods, "data", "give a DataProvider such as rm.InMemory(...)")
    source: ReturnData = data
    return source


def weighted(returns: Array, weights: Any) -> Array:
    """Returns of portfolios of assets, shape (T, M), from returns (T, N) and weights (N, M).

    NaN where an asset of non-zero weight is missing.
    """
    gaps = np.isnan(returns)
    sums = np.asarray(np.where(gaps, 0.0, returns) @ weights)
    sums[gaps.astype(np.float64) @ (weights != 0) > 0] = np.nan
    return sums


def _weights(assets: Sequence[Any], weights: Sequence[float]) -> pd.Series[float]:
    return pd.Series(weights, labels.unique(assets, "the assets of a factor"), name="weight")


def _rate_on(dates: pd.Index[Any], rate: pd.Series[float]) -> pd.Series[float]:
    """The risk-free rate on the dates of asset returns."""
    if len(rate) and not dates.isin(rate.index).all():
        # the rate of a row covers the days before it without one, such as a weekend
        between = dates[(dates > rate.index.min()) & (dates < rate.index.max())]
        rate = pd.concat([rate, pd.Series(0.0, between.difference(rate.index))]).sort_index()
    return rate


def _read_weights(weights: Any) -> pd.Series[float]:
    read = read_weights(weights, "the weights of a factor", "asset")
    if read.empty:
        raise InvalidParameterError("expected one weight or more, got none.", parameter="weights")
    return read


@final
@frozen(eq=False, repr=False)
class PortfolioFactor(FactorOfAssets):
    """The excess return of a fixed portfolio of assets: a principal component, a factor-mimicking portfolio.

    A position in it is a position in its assets, including their idio risk.

    Parameters
    ----------
    name : str
        Its label.
    weights : mapping or Series by asset
        Dollars of each asset per dollar of the factor, of any sum. Omitted assets have weight zero. Their sum is the
        cash that a dollar of the factor costs.

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

    __reduce__ = by_constructor

    def __repr__(self) -> str:
        return f"<PortfolioFactor {self.name!r} of {len(self._weights)} assets>"

    @property
    def funded(self) -> bool:
        """Whether it costs or raises cash: whether its weights have a sum other than zero, but for rounding."""
        return bool(abs(self._weights.sum()) > _ROUNDING * self._weights.abs().sum())

    @property
    def weights(self) -> pd.Series[float]:
        """Weight by asset."""
        return self._weights.copy()


def read_definitions(factors: Iterable[Any]) -> tuple[Factor, ...]:
    """Return factors; a bare name means a `PublishedFactor` (an attrs converter)."""
    return tuple(f if isinstance(f, Factor) else PublishedFactor(f) for f in labels.require_list(factors, "factors"))


def read_series(factor: Factor, returns: object, horizon: Horizon) -> ReturnFrame:
    """Check what a factor's `returns` gave, and label its dates as those of any other table.

    Raises
    ------
    NonNumericError
        For anything but a Series of numbers by date.
    DataError
        As `ReturnPanel.align`, for its dates.
    """
    if not isinstance(returns, pd.Series):
        raise NonNumericError(
            f"expected {type(factor).__name__}.returns of factor {factor.name!r} to return a pandas Series by date, "
            f"got {type(returns).__name__}.",
            factor=factor.name,
            got=type(returns).__name__,
        )
    return ReturnFrame.read(returns.to_frame(factor.name), FactorReturns(f"factor {factor.name!r}"), horizon)


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
