"""Factors, the explanatory return series of models. Users subclass `Factor`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, final

import numpy as np
import pandas as pd
from attrs import Factory, field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_method, shown
from riskmodel._core.arrays import Array, Index, by_constructor
from riskmodel._core.frames import ReturnFrame, read_numbers
from riskmodel._core.kinds import FactorReturns
from riskmodel._core.listing import Abstract
from riskmodel._core.weights import read_weights
from riskmodel.errors import InvalidParameterError, NonNumericError, UnknownAssetError
from riskmodel.horizon import Horizon
from riskmodel.panel.funding import FUNDED, Funding, FundingSource, require_funding
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


class Factor(Abstract):
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
    told_by : FundingSource
        Who says whether it is funded: its definition, unless it is a `PublishedFactor`.

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
    told_by: FundingSource = FundingSource.DEFINITION

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

        A funded factor gives its return in excess of the risk-free rate. Of a provider, a factor that depends on
        earlier returns asks for data from before `start`. Of a panel, both ends are None, and it gets all dates, and
        ``data.assets`` are those of the panel, which may be fewer than the provider's.
        """


def _require_flag(_instance: object, attribute: Any, value: Any) -> None:
    """Raise unless this is True or False (an attrs validator)."""
    if not isinstance(value, bool | np.bool_):
        raise InvalidParameterError(
            f"expected {attribute.alias} as True or False, got {shown(value)}.", parameter=attribute.alias, got=value
        )


def _is_funding(_instance: object, _attribute: Any, value: Any) -> None:
    """Raise unless this is a `Funding` or None (an attrs validator)."""
    if value is not None:
        require_funding(value)


def _is_source(_instance: object, attribute: Any, value: Any) -> None:
    """Raise unless this is a `FundingSource` (an attrs validator)."""
    require(value, FundingSource, attribute.alias, "such as rm.FundingSource.PROVIDER")


def _told_by(factor: PublishedFactor) -> FundingSource:
    """Return who tells whether a factor is funded, where no provider does."""
    if factor.funding is not None:
        return FundingSource.CALLER
    return FundingSource.NAME if labels.is_return(factor.name) else FundingSource.NOBODY


@final
@frozen
class PublishedFactor(Factor):
    """A factor that the provider publishes under a name; a bare string means this.

    Parameters
    ----------
    name : str
        The provider's name, for instance ``"SMB"``.
    funding : Funding, optional
        ``rm.FUNDED`` for the excess return of an asset or an index, ``rm.SELF_FINANCING`` for a long-short portfolio.
        Where it is not told, a name of the literature says it. Ignoring case and spaces, names of the market's excess
        return are those that end in ``-RF`` or ``_RF``, such as ``"Mkt-RF"``, and ``"Mkt"``, ``"Market"``,
        ``"MktRF"``, ``"MarketRF"`` and ``"RMRF"``; ``"SMB"``, ``"HML"``, ``"Mom"`` and the like are spreads. Any other
        is taken as self-financing, told by nobody, and a portfolio that holds it warns where its cash depends on it.
    tradable : bool
        Whether a portfolio can hold it; False for a macroeconomic series.
    told_by : FundingSource, optional
        Who says whether it is funded; providers set it.

    Attributes
    ----------
    funded : bool
        Whether holding it costs cash.

    Examples
    --------
    >>> import riskmodel as rm
    >>> for factor in (rm.PublishedFactor("SPY", rm.FUNDED), rm.PublishedFactor("SMB"), rm.PublishedFactor("R_MKT")):
    ...     print(factor.name, factor.funded, "told by", factor.told_by)
    SPY True told by the caller
    SMB False told by its name
    R_MKT False told by nobody
    """

    name: str = field(validator=labels.check_label)
    funding: Funding | None = field(default=None, validator=_is_funding, eq=False)
    tradable: bool = field(default=True, validator=_require_flag)
    told_by: FundingSource = field(
        default=Factory(_told_by, takes_self=True), validator=_is_source, eq=False, kw_only=True
    )
    funded: bool = field(init=False)

    @funded.default
    def _is_funded(self) -> bool:
        return labels.is_excess(self.name) if self.funding is None else self.funding is FUNDED

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
        held = self.held
        returns = require_data(data).asset_returns(list(held.index), start, end)
        numbers = read_numbers(returns[list(held.index)], f"the asset returns of factor {self.name!r}")
        own = pd.Series(weighted(numbers, held.to_numpy()[:, None])[:, 0], returns.index)
        if self.funded and getattr(data, "return_type", TOTAL) is TOTAL:
            own = own - held.sum() * _rate_on(own.index, data.risk_free(start, end))
        return own.rename(self.name)

    @property
    @final
    def held(self) -> pd.Series[float]:
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

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT"], [rm.AssetFactor("SPX")])
    >>> rm.OLS().fit(panel).loadings.round(2)
           SPX
    MSFT  1.07
    """

    asset: str = field(validator=labels.check_label)
    funded: ClassVar[bool] = True
    told_by = FundingSource.ASSET

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

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["XOM"], [rm.AssetFactor("SPX"), rm.Spread("CVX", "SPX")])
    >>> rm.OLS().fit(panel).loadings.round(2)
          SPX  CVX-SPX
    XOM  0.92     0.65
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


def held_by(factors: Sequence[FactorOfAssets]) -> pd.DataFrame:
    """Return the weights of factors, assets × factors, zero where a factor does not hold an asset."""
    held = [f.held for f in factors]
    # in order of occurrence: labels of mixed type do not sort
    assets = pd.Index(list(dict.fromkeys(asset for weights in held for asset in weights.index)))
    by_factor = [weights.reindex(assets, fill_value=0.0).to_numpy() for weights in held]
    names = pd.Index([f.name for f in factors])
    return pd.DataFrame(np.array(by_factor).reshape(len(names), len(assets)).T, assets, names)


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

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PortfolioFactor):
            return NotImplemented
        if self.name != other.name:
            return False
        # in the same order, as estimators give them, without a look at each label
        if self._weights.index.equals(other._weights.index):
            return bool((self._weights.to_numpy() == other._weights.to_numpy()).all())
        return self.held.to_dict() == other.held.to_dict()

    def __hash__(self) -> int:
        return hash((self.name, frozenset(self.held.to_dict().items())))

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
    return tuple(read_factor(f, PublishedFactor) for f in labels.require_list(factors, "factors"))


def read_factor(factor: Any, published: Callable[[Any], Factor]) -> Factor:
    """Return a factor, or raise for anything else; `published` makes one of a bare name.

    Raises
    ------
    InvalidParameterError
        For a class in place of an object, and for a factor that does not say its name, or whether it is funded.
    """
    if isinstance(factor, type):
        raise InvalidParameterError(
            f"expected factors as names or Factor objects, got the class {factor.__name__}; write {factor.__name__}().",
            parameter="factors",
            got=factor,
        )
    if not isinstance(factor, Factor):
        return published(factor)
    if isinstance(factor, PublishedFactor | FactorOfAssets):
        return factor
    missing = [a for a in ("name", "funded") if getattr(factor, a, None) is None]
    if missing:
        raise InvalidParameterError(
            f"expected a factor with name and funded, got {type(factor).__name__} with no {' and no '.join(missing)}; "
            "add it, for instance as a class attribute (name: its label; funded: True for an excess return that costs "
            "cash, False for a long-short portfolio).",
            factor=type(factor).__name__,
            missing=missing,
        )
    for name in ("funded", "tradable"):
        if not isinstance(getattr(factor, name), bool | np.bool_):
            raise InvalidParameterError(
                f"expected {name} of factor {factor.name!r} as True or False, got {shown(getattr(factor, name))}.",
                parameter=name,
                factor=type(factor).__name__,
                got=getattr(factor, name),
            )
    return factor


def is_same(a: Factor, b: Factor) -> bool:
    """Whether two factors are one definition: equal, or of one class with equal attributes."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if type(a).__eq__ is not object.__eq__:
        return _alike(a, b)
    if any(vars(kind).get("__slots__") for kind in type(a).__mro__):
        return False  # there may be attributes that are not in vars
    own, other = vars(a), vars(b)
    return own.keys() == other.keys() and all(_alike(value, other[name]) for name, value in own.items())


def _alike(a: Any, b: Any) -> bool:
    """Whether two values are equal, arrays and tables among them; False where this cannot be said."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, pd.Series | pd.DataFrame | pd.Index):
        return bool(a.equals(b))
    try:
        return bool(a == b)
    except (TypeError, ValueError):
        return False


def positions_held(held: pd.Index[Any], known: pd.Index[Any], where: str) -> Index:
    """Return the positions of assets that factors hold, or raise `UnknownAssetError`."""
    at = known.get_indexer(held)
    missing = list(held[at < 0])
    if missing:
        raise UnknownAssetError(
            f"expected the assets that the factors hold in the {where}, got no {labels.listing(missing)}; add them to "
            "the assets of the panel that is fitted.",
            missing=missing,
        )
    return at


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
