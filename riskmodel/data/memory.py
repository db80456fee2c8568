"""Provider of returns in memory."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, final

import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.dates import times
from riskmodel._core.frames import ReturnFrame, constant_rate
from riskmodel._core.kinds import ASSET_RETURNS, FACTOR_RETURNS
from riskmodel.data.provider import DataProvider, Edge, require_list
from riskmodel.errors import UnknownAssetError, UnknownFactorError
from riskmodel.horizon import Horizon, require_horizon
from riskmodel.panel.funding import FUNDED, SELF_FINANCING, Funding
from riskmodel.panel.matching import one_zone
from riskmodel.panel.return_type import TOTAL, ReturnType, require_return_type


@final
@frozen(eq=False, repr=False, init=False)
class InMemory(DataProvider):
    """Provider of your own frames. It copies and checks them.

    Parameters
    ----------
    returns : table, dates × assets
        Simple returns, decimals per `horizon`, total or as `return_type` says; NaN, ``pd.NA`` or null where missing.
        Rows in any order. A pandas DataFrame indexed by date, or a table that narwhals reads (Polars, Arrow) with one
        column of dates.
    factors : table, dates × factors, or Series, or None
        Factor returns, decimals per `horizon`; excess returns if the factor is funded.
    risk_free : Series by date, table of dates and one column, float or Mean
        The risk-free rate, decimals per `horizon`. A constant yearly rate is ``rm.Mean(0.02, rm.YEAR)``; a plain number
        that makes more than 10 % a year is refused.
    horizon : Horizon
        Span of one row, for instance ``rm.DAY``.
    funded : sequence of factor names, optional
        Factors that cost cash to hold, being the excess return of an asset or an index; the others are
        self-financing. By default an asset of that name or the names say it, see `PublishedFactor`.
    return_type : ReturnType, optional
        ``rm.EXCESS`` if `returns` are in excess of the risk-free rate already; by default ``rm.TOTAL``.

    Raises
    ------
    UnknownFactorError
        For a name in `funded` that is not among the factors.
    DataError
        One of its subclasses, for invalid data: see `ReturnPanel.align`.

    Examples
    --------
    >>> import pandas as pd, riskmodel as rm
    >>> days = pd.bdate_range("2024-01-01", periods=4)
    >>> market = pd.Series([0.01, -0.02, 0.005, 0.0], days, name="Mkt-RF")
    >>> data = rm.InMemory(pd.DataFrame({"A": 1.5 * market}), factors=market, risk_free=0.0, horizon=rm.DAY)
    >>> float(rm.OLS().fit(data.panel(["A"], ["Mkt-RF"])).loadings.loc["A", "Mkt-RF"].round(12))
    1.5
    """

    _returns: ReturnFrame
    _factors: ReturnFrame
    _risk_free: ReturnFrame
    _horizon: Horizon = field()
    _funded: frozenset[Any] | None = field()
    _return_type: ReturnType = field()

    def __init__(
        self,
        returns: Any,
        *,
        factors: Any,
        risk_free: Any,
        horizon: Horizon,
        funded: Sequence[Any] | None = None,
        return_type: ReturnType = TOTAL,
    ) -> None:
        require_horizon(horizon)
        assets = ReturnFrame.read(returns, ASSET_RETURNS, horizon)
        none = pd.DataFrame(index=assets.dates)
        published = ReturnFrame.read(none if factors is None else factors, FACTOR_RETURNS, horizon)
        one_zone(assets, published)
        if isinstance(risk_free, Real):
            risk_free = constant_rate(risk_free, horizon, assets.dates.union(published.dates))
        rate = ReturnFrame.read_rate(risk_free, horizon)
        # check the whole series: a window of years when rates were near zero does not show the unit
        if not rate.is_stated:
            rate.checks.finish()
        self.__attrs_init__(
            returns=assets,
            factors=published,
            risk_free=rate,
            horizon=horizon,
            funded=_read_funded(funded, published.labels),
            return_type=require_return_type(return_type),
        )

    def __repr__(self) -> str:
        dates, names = self._returns.dates, self._returns.labels
        return f"<InMemory {len(dates)} dates × {len(names)} assets, per {self._horizon}>"

    @property
    def horizon(self) -> Horizon:
        """Span of one row."""
        return self._horizon

    @property
    def return_type(self) -> ReturnType:
        """What the asset returns are: total, or in excess of the risk-free rate."""
        return self._return_type

    @property
    def assets(self) -> list[Any]:
        """The labels of all assets."""
        return self._returns.labels.tolist()

    @property
    def factors(self) -> list[Any]:
        """The labels of all factors."""
        return self._factors.labels.tolist()

    def funding(self, name: Any) -> Funding | None:
        """Return whether holding a factor costs cash, as `funded` says; None where it was not given."""
        labels.require_label(name, "name")
        if self._funded is None:
            return None
        return FUNDED if name in self._funded else SELF_FINANCING

    def asset_returns(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Return simple returns, dates × assets; unknown ones raise `UnknownAssetError`."""
        return self._assets_in(_unique(assets, "assets"), *times(start, end, zone=self._zone_of_rows)).frame()

    def factor_returns(self, names: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Return factor returns, dates × names; unknown ones raise `UnknownFactorError`."""
        return self._factors_in(_unique(names, "factors"), *times(start, end, zone=self._zone_of_rows)).frame()

    def risk_free(self, start: Any = None, end: Any = None) -> pd.Series[float]:
        """Return the risk-free rate by date."""
        rate: pd.Series[float] = self._rate_in(*times(start, end, zone=self._zone_of_rows)).frame().iloc[:, 0]
        return rate.rename("risk_free")

    @property
    def _zone_of_rows(self) -> str | None:
        return self._returns.zone

    def _assets_in(self, names: pd.Index[Any], low: Edge, high: Edge) -> ReturnFrame:
        at = labels.positions(names, self._returns.labels, "asset", UnknownAssetError)
        return self._returns.take(at).between(low, high)

    def _factors_in(self, names: pd.Index[Any], low: Edge, high: Edge) -> ReturnFrame:
        at = labels.positions(names, self._factors.labels, "factor", UnknownFactorError)
        return self._factors.take(at).between(low, high)

    def _rate_in(self, low: Edge, high: Edge) -> ReturnFrame:
        return self._risk_free.between(low, high)

    def _span(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        returns, rate = self._returns.dates, self._risk_free.dates
        if not (len(returns) and len(rate)):
            return None
        first, last = max(returns[0], rate[0]), min(returns[-1], rate[-1])
        return (first, last) if first <= last else None


def _read_funded(names: Sequence[Any] | None, factors: pd.Index[Any]) -> frozenset[Any] | None:
    if names is None:
        return None
    wanted = labels.unique(require_list(names, "funded"), "funded")
    labels.positions(wanted, factors, "factor", UnknownFactorError)
    return frozenset(wanted)


def _unique(names: Sequence[Any], what: str) -> pd.Index[Any]:
    return labels.unique(require_list(names, what), what)
