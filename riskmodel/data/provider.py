"""The interface between this package and any source of returns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import shown
from riskmodel._core.dates import times, window
from riskmodel._core.frames import ReturnFrame, as_pandas
from riskmodel._core.kinds import ASSET_RETURNS, FACTOR_RETURNS
from riskmodel._core.listing import Abstract
from riskmodel.errors import (
    HorizonMismatchError,
    InvalidParameterError,
    NoOverlapError,
    RiskModelError,
    UnknownAssetError,
    UnknownFactorError,
)
from riskmodel.horizon import Horizon
from riskmodel.panel.factors import Factor, FactorOfAssets, PublishedFactor, held_by, read_factor, read_series
from riskmodel.panel.funding import FUNDED, Funding, FundingSource
from riskmodel.panel.matching import HeldAssets
from riskmodel.panel.memory import ReturnPanel
from riskmodel.panel.return_type import TOTAL, ReturnType, require_return_type
from riskmodel.panel.unmatched import DROP, Unmatched

# One end of a window of dates; None if it is open.
Edge = pd.Timestamp | None


class DataProvider(Abstract):
    """Source of returns. Subclass it with a `horizon` and three methods; `panel` checks and aligns the results.

    All returns are decimals per `horizon`; NaN means missing. Dates may be a DatetimeIndex (with or without a time
    zone) or a PeriodIndex, in any order. Columns may be in any order and include others, and rows may lie outside
    the window: `panel` selects and sorts them.

    Attributes
    ----------
    horizon : Horizon
        Span of one row: a class attribute, a field, set in ``__init__``, or a property.
    return_type : ReturnType
        What `asset_returns` are: ``rm.TOTAL`` (the default) or ``rm.EXCESS`` of the risk-free rate already.

    Examples
    --------
    >>> import pandas as pd, riskmodel as rm
    >>> class Flat(rm.DataProvider):
    ...     horizon = rm.MONTH
    ...     months = pd.period_range("2020-01", periods=3, freq="M")
    ...     def asset_returns(self, assets, start, end):
    ...         return pd.DataFrame(0.01, self.months, assets)
    ...     def factor_returns(self, names, start, end):
    ...         return pd.DataFrame({n: [0.0, 0.02, -0.01] for n in names}, self.months)
    ...     def risk_free(self, start, end):
    ...         return pd.Series(0.001, self.months)
    >>> Flat().panel(["A"], ["Mkt-RF"], start="2020-02-01")
    <ReturnPanel 2 dates (2020-02-29 to 2020-03-31, per month) × 1 assets, 1 factors, 0 dates dropped>
    """

    if TYPE_CHECKING:  # at run time an abstract property would prevent attributes set by __init__ or a dataclass

        @property
        def horizon(self) -> Horizon:
            """Span of one row."""

        @property
        def return_type(self) -> ReturnType:
            """What `asset_returns` are: total returns, or in excess of the risk-free rate."""

    else:
        return_type = TOTAL

    @abstractmethod
    def asset_returns(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Return simple returns, dates × assets, in the order given; raise `UnknownAssetError` for others.

        They are total returns, or as `return_type` says.
        """

    @abstractmethod
    def factor_returns(self, names: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Return published factor returns, dates × names; raise `UnknownFactorError` for others."""

    @abstractmethod
    def risk_free(self, start: Any = None, end: Any = None) -> pd.Series[float]:
        """Return the risk-free rate by date."""

    def funding(self, name: Any) -> Funding | None:
        """Return whether holding a published factor costs cash, or None (the default) where the provider cannot say.

        Override it if the provider has this information. `panel` calls it for every factor given by name; where it
        returns None, an asset of that name says it, or else the name, see `PublishedFactor`.
        """
        return None

    def identities(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> list[Any]:
        """Return the permanent identifier of each asset; by default its label.

        Override it if a label, such as a ticker, means different assets at different times. Identifiers are text or
        whole numbers, and `asset_returns` must accept them. `Cached` stores returns by identifier, so that the
        histories of two assets are never joined.
        """
        return require_list(assets, "assets")

    def provenance(self, assets: Sequence[Any] = (), factors: Sequence[Any] = ()) -> dict[str, str]:
        """Return the vintages of the returns of assets and factors and of the risk-free rate, by source.

        Override it if the source has vintages; the default is empty. `panel` calls it after the returns are read and
        stores the result in `ReturnPanel.provenance`.
        """
        return {}

    @final
    def panel(
        self,
        assets: Sequence[Any],
        factors: Sequence[Factor | str],
        start: Any = None,
        end: Any = None,
        *,
        unmatched: Unmatched = DROP,
    ) -> ReturnPanel:
        """Fetch and align the returns that a model is estimated on.

        Parameters
        ----------
        assets : sequence of labels
            At least one.
        factors : sequence of Factor or str
            A string means `PublishedFactor`, funded as `funding` says.
        start, end : date-like, optional
            The window, with both ends; by default all dates.
        unmatched : Unmatched, optional
            What becomes of rows on dates that not all have: ``rm.DROP`` (the default) or ``rm.COMPOUND``; see
            `ReturnPanel.align`.

        Raises
        ------
        UnknownAssetError, UnknownFactorError
            For unknown labels; the message has the nearest names.
        DataError
            As `ReturnPanel.align`.
        InvalidParameterError
            If there is no asset, a string is given for a list, or the window is empty.

        Warns
        -----
        LeftOutWarning
            If an asset grew or fell by more than 1 % in more than 5 % of its rows that are left out.
        """
        names = labels.unique(require_list(assets, "assets"), "assets")
        if not len(names):
            raise InvalidParameterError(
                "expected at least one asset, got an empty list; name one.", parameter="assets", got=[]
            )
        wanted = [_read_factor(f, self) for f in require_list(factors, "factors")]
        labels.unique([f.name for f in wanted], "factors")
        horizon = horizon_of(self)
        low, high = (
            window(start, end) if horizon.bar is None else _with_whole_days(*times(start, end, zone=self._zone_of_rows))
        )
        self._require_inside(low, high)
        returns = self._assets_in(names, low, high)
        source = _Source(self, low, high, self._rate_in(low, high), _held_by(wanted, self, returns, low, high))
        aligned = ReturnPanel._aligned(
            returns,
            _factor_frame(wanted, source, horizon),
            source.rate,
            horizon=horizon,
            definitions=wanted,
            provenance=self.provenance(list(names), [f.name for f in wanted if isinstance(f, PublishedFactor)]),
            return_type=return_type_of(self),
            unmatched=unmatched,
            held=source.held,
        )
        panel = aligned.select(start=low, end=high)
        panel._warn()
        return panel

    @property
    def _zone_of_rows(self) -> str | None:
        """The time zone of rows of hours and minutes, empty where it is not known in advance; None for days."""
        return None if horizon_of(self).bar is None else ""

    def _assets_in(self, names: pd.Index[Any], low: Edge, high: Edge) -> ReturnFrame:
        """Read and check `asset_returns`; a provider with checked returns overrides it."""
        returns = self.asset_returns(list(names), low, high)
        whose = f"{type(self).__name__}.asset_returns"
        chosen = _columns(returns, names, whose, "asset", UnknownAssetError)
        return ReturnFrame.read(chosen, ASSET_RETURNS, horizon_of(self))

    def _factors_in(self, names: pd.Index[Any], low: Edge, high: Edge) -> ReturnFrame:
        """Read and check `factor_returns`; a provider with checked returns overrides it."""
        returns = self.factor_returns(list(names), low, high)
        whose = f"{type(self).__name__}.factor_returns"
        chosen = _columns(returns, names, whose, "factor", UnknownFactorError)
        return ReturnFrame.read(chosen, FACTOR_RETURNS, horizon_of(self))

    def _rate_in(self, low: Edge, high: Edge) -> ReturnFrame:
        """Read and check `risk_free`; a provider with a checked rate overrides it."""
        return ReturnFrame.read_rate(self.risk_free(low, high), horizon_of(self))

    def _span(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """Return the first and last date of returns and rate, for errors; None if not known in advance."""
        return None

    def _require_inside(self, low: pd.Timestamp | None, high: pd.Timestamp | None) -> None:
        span = self._span()
        if span is None:
            return
        first, last = span
        if (low is not None and low > last) or (high is not None and high < first):
            raise NoOverlapError(
                f"no date of {self!r}, which spans {first.date()} to {last.date()}, lies "
                + " and ".join(
                    f"{side} {day.date()}" for side, day in (("from", low), ("up to", high)) if day is not None
                )
                + "; widen the window."
            )


def _with_whole_days(low: Edge, high: Edge) -> tuple[Edge, Edge]:
    """Let a window of times whose end is a day have all of it."""
    if high is None or high != high.normalize():
        return low, high
    return low, high + pd.Timedelta(days=1) - pd.Timedelta(microseconds=1)


def require_list(items: Any, what: str) -> list[Any]:
    """Return the items of a list, an array or an Index; raise for anything else."""
    if isinstance(items, set | frozenset) or labels.is_lone(items) or not hasattr(items, "__len__"):
        raise InvalidParameterError(
            f"expected {what} as a list, got {_instead_of_list(items, what)}.", parameter=what, got=items
        )
    return list(items)


def _instead_of_list(items: Any, what: str) -> str:
    """Return a description of what is not a list, and what to write."""
    if items is None:
        return "None; write a list of names, [] for none"
    if isinstance(items, set | frozenset):
        return f"{items!r}, which has no order; write sorted({what})"
    if isinstance(items, Iterable) and not isinstance(items, str | bytes):
        return f"a {type(items).__name__}; write list({what})"
    return f"{shown(items)}; write [{shown(items)}]"


def _read_factor(factor: Any, data: DataProvider) -> Factor:
    return read_factor(factor, lambda name: _published(name, data))


def _published(name: Any, data: DataProvider) -> PublishedFactor:
    """Return a published factor, with who says whether it is funded."""
    told = data.funding(name)
    if told is not None:
        return PublishedFactor(name, told, told_by=FundingSource.PROVIDER)
    try:
        is_asset = name in list(getattr(data, "assets", ()))
    except (TypeError, ValueError, AttributeError):  # a list that a provider of another kind cannot give
        is_asset = False
    return PublishedFactor(name, FUNDED, told_by=FundingSource.ASSET) if is_asset else PublishedFactor(name)


def horizon_of(data: DataProvider) -> Horizon:
    """Return the horizon of a provider; raise if it has none."""
    horizon = getattr(data, "horizon", None)
    if not isinstance(horizon, Horizon):
        raise InvalidParameterError(
            f"expected {type(data).__name__}.horizon, the span of one row, as a Horizon such as rm.DAY, got "
            f"{horizon!r}.",
            provider=type(data).__name__,
            got=horizon,
        )
    return horizon


def return_type_of(data: DataProvider) -> ReturnType:
    """Return what a provider's asset returns are; raise if it does not say so with a `ReturnType`."""
    return require_return_type(data.return_type, f"{type(data).__name__}.return_type")


def _columns(table: Any, names: pd.Index[Any], whose: str, what: str, error: type[RiskModelError]) -> pd.DataFrame:
    """Select the columns `names` from the table that a provider's method returned."""
    frame = as_pandas(table, whose)
    columns = labels.unique(frame.columns, f"the columns of {whose}")
    at = labels.positions(names, columns, what, error)
    return frame if np.array_equal(at, np.arange(len(columns))) else frame.iloc[:, at]


@final
@frozen(eq=False)
class _Source:
    """What is read of a provider for one panel; of it, factors that are made of assets are made."""

    data: DataProvider
    low: Edge
    high: Edge
    rate: ReturnFrame
    held: HeldAssets | None

    @property
    def horizon(self) -> Horizon:
        return horizon_of(self.data)

    @property
    def return_type(self) -> ReturnType:
        return self.data.return_type

    def asset_returns(self, assets: Sequence[Any], _start: Any = None, _end: Any = None) -> pd.DataFrame:
        assert self.held is not None
        table = self.held.returns
        return table.take(labels.positions(pd.Index(assets), table.labels, "asset", UnknownAssetError)).frame()

    def factor_returns(self, names: Sequence[Any], _start: Any = None, _end: Any = None) -> pd.DataFrame:
        return self.data._factors_in(labels.unique(names, "factors"), self.low, self.high).frame()

    def risk_free(self, _start: Any = None, _end: Any = None) -> pd.Series[float]:
        return self.rate.frame().iloc[:, 0]


def _held_by(
    factors: Sequence[Factor], data: DataProvider, known: ReturnFrame, low: Edge, high: Edge
) -> HeldAssets | None:
    """Read and check the assets that factors are made of, unless they are known."""
    made = [f for f in factors if isinstance(f, FactorOfAssets)]
    if not made:
        return None
    weights = held_by(made)
    at = known.labels.get_indexer(weights.index)
    returns = known.take(at) if (at >= 0).all() else data._assets_in(weights.index, low, high)
    returns.checks.finish()
    return HeldAssets(returns, weights, return_type_of(data) is TOTAL)


def _factor_frame(factors: Sequence[Factor], source: _Source, horizon: Horizon) -> ReturnFrame | pd.DataFrame:
    """Return the returns of all factors; published ones are fetched together.

    Sources may label dates differently, so each is read before they are joined.
    """
    data, low, high = source.data, source.low, source.high
    published = [f.name for f in factors if isinstance(f, PublishedFactor)]
    try:
        tables = [data._factors_in(labels.unique(published, "factors"), low, high)] if published else []
    except UnknownFactorError as error:
        raise _with_asset_factors(error, data, low, high) from error
    tables += [_own_returns(f, source, horizon) for f in factors if not isinstance(f, PublishedFactor)]
    if len(tables) == 1:
        return tables[0]
    if not tables:
        return pd.DataFrame(index=pd.DatetimeIndex([]))
    joined = pd.concat([t.frame() for t in tables], axis=1, sort=True)[[f.name for f in factors]]
    zones = {t.zone for t in tables} - {None}
    if len(zones) > 1:
        return joined
    return evolve(ReturnFrame.read(joined, FACTOR_RETURNS, horizon), zone=zones.pop() if zones else None)


def _own_returns(factor: Factor, source: _Source, horizon: Horizon) -> ReturnFrame:
    """Compute a factor that the provider does not publish."""
    if isinstance(factor, FactorOfAssets):
        own = read_series(factor, factor.returns(source, None, None), horizon)
        return evolve(own, zone=source.held.returns.zone if source.held is not None else None)
    own = read_series(factor, factor.returns(source.data, source.low, source.high), horizon)
    # what was computed of the provider's own frames is in their zone
    return evolve(own, zone=own.zone or None)


def _with_asset_factors(error: UnknownFactorError, data: DataProvider, low: Edge, high: Edge) -> UnknownFactorError:
    """Say of unknown factors that are assets of the provider how to take them as factors."""
    assets = [name for name in error.details.get("missing", ()) if _is_asset(data, name, low, high)]
    if not assets:
        return error
    written = ", ".join(f"rm.AssetFactor({name!r})" for name in assets)
    is_one = f"{assets[0]} is an asset" if len(assets) == 1 else f"{labels.listing(assets)} are assets"
    return UnknownFactorError(
        f"{error} {is_one} here: write {written} for the excess return as a factor.", **error.details, assets=assets
    )


def _is_asset(data: DataProvider, name: Any, low: Edge, high: Edge) -> bool:
    try:
        data.asset_returns([name], low, high)
    except (RiskModelError, LookupError):
        return False
    return True


def require_horizon(data: DataProvider, horizon: Horizon) -> None:
    """Raise if a provider's horizon differs from the model's."""
    if data.horizon != horizon:
        raise HorizonMismatchError(
            f"expected model and data at one horizon, got {horizon!r} and {data.horizon!r}; convert the model with "
            f".at(rm.{data.horizon!r}) or use data at its horizon.",
            left=horizon,
            right=data.horizon,
        )
