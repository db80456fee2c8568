"""The interface between this package and any source of returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, final

import numpy as np
import pandas as pd

from riskmodel import labels
from riskmodel.data.factor import Factor, PublishedFactor
from riskmodel.errors import HorizonMismatchError, InvalidParameterError, NonNumericError
from riskmodel.horizon import Horizon
from riskmodel.panel import ReturnPanel, window


class DataProvider(ABC):
    """Where returns come from. Subclass it, give the four hooks, and `panel` does the rest.

    Everything is in decimals per `horizon`; NaN means missing. Dates may be a DatetimeIndex (with a time zone
    or without) or a PeriodIndex, in any order; `panel` checks and aligns them.

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

    @property
    @abstractmethod
    def horizon(self) -> Horizon:
        """What one row spans; a class attribute will do."""

    @abstractmethod
    def asset_returns(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Total simple returns, dates × assets, in the order asked; raise `UnknownAssetError` for the unknown."""

    @abstractmethod
    def factor_returns(self, names: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Published factor returns, dates × names; raise `UnknownFactorError` for the unknown."""

    @abstractmethod
    def risk_free(self, start: Any = None, end: Any = None) -> pd.Series[float]:
        """Risk-free rate by date."""

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
            A string means `PublishedFactor`.
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
        _require_list(assets, "assets")
        _require_list(factors, "factors")
        if not len(assets):
            raise InvalidParameterError("a panel needs at least one asset, but an empty list came.")
        wanted = [f if isinstance(f, Factor) else PublishedFactor(f) for f in factors]
        labels.unique([f.name for f in wanted], "factors")
        low, high = window(start, end)
        free = self.risk_free(low, high)
        aligned = ReturnPanel.align(
            self.asset_returns(labels.unique(assets, "assets").tolist(), low, high),
            _factor_frame(wanted, self, low, high, free),
            free,
            horizon=self.horizon,
            sources=wanted,
            funded=[f.funded for f in wanted],
        )
        return aligned.select(start=low, end=high)


def _require_list(items: object, what: str) -> None:
    if isinstance(items, str) or not hasattr(items, "__len__"):
        raise InvalidParameterError(f"{what} must be a list, but {items!r} came; write [{items!r}].")


def _factor_frame(
    factors: Sequence[Factor], data: DataProvider, start: Any, end: Any, free: pd.Series[float]
) -> pd.DataFrame:
    """Ask each factor for its returns; those that are merely published are fetched together."""
    if not factors:
        return pd.DataFrame(index=free.index)
    published = [f.name for f in factors if isinstance(f, PublishedFactor)]
    fetched = data.factor_returns(published, start, end) if published else pd.DataFrame()
    series = {
        f.name: fetched[f.name] if isinstance(f, PublishedFactor) else _returns_of(f, data, start, end) for f in factors
    }
    return pd.concat(series, axis=1, sort=True)


def _returns_of(factor: Factor, data: DataProvider, start: Any, end: Any) -> pd.Series[float]:
    returns = factor.returns(data, start, end)
    if not isinstance(returns, pd.Series):
        raise NonNumericError(
            f"factor {factor.name!r} must return a pandas Series by date, but {type(returns).__name__} came from "
            f"{type(factor).__name__}.returns."
        )
    return returns


def require_horizon(data: DataProvider, horizon: Horizon) -> None:
    """Raise where a provider's rows span another horizon than a model was estimated at."""
    if data.horizon != horizon:
        raise HorizonMismatchError(
            f"the model is per {horizon!r} and the data per {data.horizon!r}; bring the model there with "
            f".at(rm.{data.horizon!r}) or use data of its own horizon.",
            left=horizon,
            right=data.horizon,
        )


def constant_rate(rate: float, index: pd.Index) -> pd.Series[float]:
    """Return the same risk-free rate on every date."""
    return pd.Series(np.full(len(index), float(rate)), index, name="risk_free")
