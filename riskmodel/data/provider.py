"""The interface between this package and any source of returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.checks import ASSET_RETURNS, FACTOR_RETURNS, FactorReturns
from riskmodel._core.dates import window
from riskmodel._core.frames import ReturnFrame, as_pandas
from riskmodel.errors import (
    HorizonMismatchError,
    InvalidParameterError,
    NonNumericError,
    NoOverlapError,
    RiskModelError,
    UnknownAssetError,
    UnknownFactorError,
)
from riskmodel.horizon import Horizon
from riskmodel.panel.factors import Factor, PublishedFactor
from riskmodel.panel.memory import ReturnPanel

# One end of a window of dates; None where it is open.
Edge = pd.Timestamp | None


class DataProvider(ABC):
    """Where returns come from. Subclass it, say its `horizon`, write the three methods, and `panel` does the rest.

    Everything is in decimals per `horizon`; NaN means missing. Dates may be a DatetimeIndex (with a time zone
    or without) or a PeriodIndex, in any order; columns may be in any order and more than were asked for, and rows
    may reach beyond the window: `panel` checks, chooses and aligns them.

    Attributes
    ----------
    horizon : Horizon
        What one row spans: a class attribute, a field, set in ``__init__``, or a property.

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

    if TYPE_CHECKING:  # at run time an abstract property would stand in the way of __init__ and of dataclasses

        @property
        def horizon(self) -> Horizon:
            """What one row spans."""

    @abstractmethod
    def asset_returns(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Total simple returns, dates × assets, in the order asked; raise `UnknownAssetError` for the unknown."""

    @abstractmethod
    def factor_returns(self, names: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Published factor returns, dates × names; raise `UnknownFactorError` for the unknown."""

    @abstractmethod
    def risk_free(self, start: Any = None, end: Any = None) -> pd.Series[float]:
        """Risk-free rate by date."""

    def is_funded(self, name: Any) -> bool:
        """Whether holding a published factor costs cash; by default as its name says, see `PublishedFactor`.

        Override it where the provider knows better; `panel` asks it about every factor that comes as a bare name.
        """
        return labels.is_excess(name)

    def identities(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> list[Any]:
        """Return, for each asset, the label that means it and nothing else at any time; by default its own.

        Not abstract: for a source whose names, such as tickers, mean different assets at different times. It returns
        text or whole numbers, which `asset_returns` must take too. `Cached` keeps returns under these, lest the
        history of one asset be continued with that of another.
        """
        return list(assets)

    def provenance(self, assets: Sequence[Any] = (), factors: Sequence[Any] = ()) -> dict[str, str]:
        """Say, by source, of which vintage the returns of these assets, these factors and the risk-free rate are.

        Not abstract: a provider that knows no vintages says nothing. `panel` asks once the returns are there, and
        `ReturnPanel.provenance` keeps the answer.
        """
        return {}

    @final
    def panel(
        self, assets: Sequence[Any], factors: Sequence[Factor | str], start: Any = None, end: Any = None
    ) -> ReturnPanel:
        """Fetch and align what a model is estimated on.

        Parameters
        ----------
        assets : sequence of labels
            At least one.
        factors : sequence of Factor or str
            A string means `PublishedFactor`, funded as `is_funded` says.
        start, end : date-like, optional
            The window, both ends included; by default all there is.

        Raises
        ------
        UnknownAssetError, UnknownFactorError
            With the nearest names.
        DataError
            As `ReturnPanel.align`.
        InvalidParameterError
            If no asset is named, a lone string comes for a list, or the window is empty.
        """
        names = labels.unique(require_list(assets, "assets"), "assets")
        if not len(names):
            raise InvalidParameterError("a panel needs at least one asset, but an empty list came.")
        wanted = [_read_factor(f, self) for f in require_list(factors, "factors")]
        labels.unique([f.name for f in wanted], "factors")
        horizon = horizon_of(self)
        low, high = window(start, end)
        self._require_inside(low, high)
        aligned = ReturnPanel.align(
            self._assets_in(names, low, high),
            _factor_frame(wanted, self, low, high, horizon),
            self._rate_in(low, high),
            horizon=horizon,
            definitions=wanted,
            provenance=self.provenance(list(names), [f.name for f in wanted if isinstance(f, PublishedFactor)]),
        )
        return aligned.select(start=low, end=high)

    def _assets_in(self, names: pd.Index[Any], low: Edge, high: Edge) -> ReturnFrame:
        """Read what `asset_returns` gives; a provider whose returns are checked already hands them on."""
        returns = self.asset_returns(list(names), low, high)
        whose = f"{type(self).__name__}.asset_returns"
        chosen = _columns(returns, names, whose, "asset", UnknownAssetError)
        return ReturnFrame.read(chosen, ASSET_RETURNS, horizon_of(self))

    def _factors_in(self, names: pd.Index[Any], low: Edge, high: Edge) -> ReturnFrame:
        """Read what `factor_returns` gives; a provider whose returns are checked already hands them on."""
        returns = self.factor_returns(list(names), low, high)
        whose = f"{type(self).__name__}.factor_returns"
        chosen = _columns(returns, names, whose, "factor", UnknownFactorError)
        return ReturnFrame.read(chosen, FACTOR_RETURNS, horizon_of(self))

    def _rate_in(self, low: Edge, high: Edge) -> ReturnFrame:
        """Read what `risk_free` gives; a provider whose rate is checked already hands it on."""
        return ReturnFrame.read_rate(self.risk_free(low, high), horizon_of(self))

    def _span(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """First and last date of the returns and the rate, for errors; None where they are not known beforehand."""
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


def require_list(items: Any, what: str) -> list[Any]:
    """Return the items of a list, an array or an Index, or raise for what is no ordered collection."""
    if isinstance(items, str | bytes | set | frozenset) or not hasattr(items, "__len__"):
        raise InvalidParameterError(f"{what} must be a list, but {_instead_of_list(items, what)}.")
    return list(items)


def _instead_of_list(items: Any, what: str) -> str:
    """What came in place of a list, and what to write."""
    if items is None:
        return "None came; write a list of their names, [] for none"
    if isinstance(items, set | frozenset):
        return f"{items!r} came, which has no order; write sorted({what})"
    if isinstance(items, Iterable) and not isinstance(items, str | bytes):
        return f"a {type(items).__name__} came; write list({what})"
    return f"{items!r} came; write [{items!r}]"


def _read_factor(factor: Any, data: DataProvider) -> Factor:
    if isinstance(factor, type):
        raise InvalidParameterError(
            f"factors must be names or Factor objects, but the class {factor.__name__} came; write {factor.__name__}()."
        )
    if not isinstance(factor, Factor):
        return PublishedFactor(factor, funded=bool(data.is_funded(factor)))
    missing = [a for a in ("name", "funded") if getattr(factor, a, None) is None]
    if missing:
        raise InvalidParameterError(
            f"{type(factor).__name__} has no {' and no '.join(missing)}; give it, for instance as a class attribute "
            "(name: its label; funded: True for an excess return that costs cash, False for a long-short portfolio)."
        )
    return factor


def horizon_of(data: DataProvider) -> Horizon:
    """What one row of a provider spans, or an error where it does not say."""
    horizon = getattr(data, "horizon", None)
    if not isinstance(horizon, Horizon):
        raise InvalidParameterError(
            f"{type(data).__name__}.horizon must be a Horizon such as rm.DAY, which says what one row spans, but "
            f"{horizon!r} came."
        )
    return horizon


def _columns(table: Any, names: pd.Index[Any], whose: str, what: str, error: type[RiskModelError]) -> pd.DataFrame:
    """Choose what was asked for from what a provider's method returned."""
    frame = as_pandas(table, whose)
    columns = labels.unique(frame.columns, f"the columns of {whose}")
    at = labels.positions(names, columns, what, error)
    return frame if np.array_equal(at, np.arange(len(columns))) else frame.iloc[:, at]


def _factor_frame(
    factors: Sequence[Factor], data: DataProvider, low: Edge, high: Edge, horizon: Horizon
) -> ReturnFrame | pd.DataFrame:
    """Ask each factor for its returns; those that are merely published are fetched together.

    Sources may label their dates differently, so each is read before they are put side by side.
    """
    published = [f.name for f in factors if isinstance(f, PublishedFactor)]
    tables = [data._factors_in(labels.unique(published, "factors"), low, high)] if published else []
    for factor in factors:
        if not isinstance(factor, PublishedFactor):
            returns = _returns_of(factor, data, low, high)
            tables.append(ReturnFrame.read(returns, FactorReturns(f"factor {factor.name!r}"), horizon))
    if len(tables) == 1:
        return tables[0]
    if not tables:
        return pd.DataFrame(index=pd.DatetimeIndex([]))
    return pd.concat([t.frame() for t in tables], axis=1, sort=True)[[f.name for f in factors]]


def _returns_of(factor: Factor, data: DataProvider, start: Any, end: Any) -> pd.DataFrame:
    returns: object = factor.returns(data, start, end)
    if not isinstance(returns, pd.Series):
        raise NonNumericError(
            f"factor {factor.name!r} must return a pandas Series by date, but {type(returns).__name__} came from "
            f"{type(factor).__name__}.returns."
        )
    return returns.to_frame(factor.name)


def require_horizon(data: DataProvider, horizon: Horizon) -> None:
    """Raise where a provider's rows span another horizon than a model was estimated at."""
    if data.horizon != horizon:
        raise HorizonMismatchError(
            f"the model is per {horizon!r} and the data per {data.horizon!r}; bring the model there with "
            f".at(rm.{data.horizon!r}) or use data of its own horizon.",
            left=horizon,
            right=data.horizon,
        )
