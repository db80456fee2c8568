"""Returns that the caller already has in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import pandas as pd
from attrs import field, frozen

from riskmodel import labels
from riskmodel.data.provider import DataProvider, constant_rate
from riskmodel.errors import InvalidParameterError, RiskModelError, UnknownAssetError, UnknownFactorError
from riskmodel.horizon import Horizon
from riskmodel.panel import window
from riskmodel.table import Table


@final
@frozen(eq=False, repr=False, init=False)
class InMemory(DataProvider):
    """A provider over frames of your own. They are copied, checked, and never changed.

    Parameters
    ----------
    returns : DataFrame, dates × assets
        Total simple returns, decimals per `horizon`; NaN or ``pd.NA`` where missing. Rows in any order.
    factors : DataFrame, dates × factors, or Series, or None
        Factor returns, decimals per `horizon`; excess returns where the factor is funded.
    risk_free : Series by date, or float
        The risk-free rate, decimals per `horizon`. Give 0.0 where `returns` are excess returns already.
    horizon : Horizon
        What one row spans, for instance ``rm.DAY``.

    Raises
    ------
    DataError
        One of its kinds, for what cannot be used: see `ReturnPanel.align`.

    Examples
    --------
    >>> import pandas as pd, riskmodel as rm
    >>> days = pd.bdate_range("2024-01-01", periods=4)
    >>> market = pd.Series([0.01, -0.02, 0.005, 0.0], days, name="Mkt-RF")
    >>> data = rm.InMemory(pd.DataFrame({"A": 1.5 * market}), factors=market, risk_free=0.0, horizon=rm.DAY)
    >>> float(rm.OLS().fit(data.panel(["A"], ["Mkt-RF"])).loadings.loc["A", "Mkt-RF"].round(12))
    1.5
    """

    _returns: Table
    _factors: Table
    _risk_free: Table
    _horizon: Horizon = field()

    def __init__(
        self,
        returns: pd.DataFrame,
        *,
        factors: pd.DataFrame | pd.Series[float] | None,
        risk_free: pd.Series[float] | float,
        horizon: Horizon,
    ) -> None:
        if not isinstance(horizon, Horizon):
            raise InvalidParameterError(f"horizon must be a Horizon such as rm.DAY, but {horizon!r} came.")
        assets = Table.read(returns, "asset returns", horizon)
        if isinstance(risk_free, int | float):
            risk_free = constant_rate(risk_free, assets.dates)
        if factors is None:
            factors = pd.DataFrame(index=assets.dates)
        self.__attrs_init__(  # type: ignore[attr-defined]
            returns=assets,
            factors=Table.read(factors, "factor returns", horizon),
            risk_free=Table.read(risk_free, "risk-free rate", horizon),
            horizon=horizon,
        )

    def __repr__(self) -> str:
        dates, names = self._returns.dates, self._returns.labels
        return f"<InMemory {len(dates)} dates × {len(names)} assets, per {self._horizon}>"

    @property
    def horizon(self) -> Horizon:
        """What one row spans."""
        return self._horizon

    @property
    def assets(self) -> list[Any]:
        """The labels of all assets."""
        return self._returns.labels.tolist()

    @property
    def factors(self) -> list[Any]:
        """The labels of all factors."""
        return self._factors.labels.tolist()

    def asset_returns(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Total simple returns, dates × assets; unknown ones raise `UnknownAssetError`."""
        return _frame(self._returns, assets, start, end, "asset", UnknownAssetError)

    def factor_returns(self, names: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Factor returns, dates × names; unknown ones raise `UnknownFactorError`."""
        return _frame(self._factors, names, start, end, "factor", UnknownFactorError)

    def risk_free(self, start: Any = None, end: Any = None) -> pd.Series[float]:
        """Risk-free rate by date."""
        label = self._risk_free.labels[0]
        return _frame(self._risk_free, [label], start, end, "rate", UnknownFactorError)[label].rename("risk_free")


def _frame(
    table: Table, names: Sequence[Any], start: Any, end: Any, what: str, error: type[RiskModelError]
) -> pd.DataFrame:
    columns = labels.positions(names, table.labels, what, error)
    low, high = window(start, end)
    frame = pd.DataFrame(table.values[:, columns], table.dates, table.labels[columns], copy=False)
    return frame.loc[low:high]  # type: ignore[misc]
