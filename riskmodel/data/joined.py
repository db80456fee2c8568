"""Assets from one provider, factors and the risk-free rate from another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import pandas as pd
from attrs import field, frozen

from riskmodel.data.provider import DataProvider, horizon_of, return_type_of
from riskmodel.errors import HorizonMismatchError, InvalidParameterError
from riskmodel.horizon import Horizon, period_of
from riskmodel.panel.funding import Funding
from riskmodel.panel.return_type import ReturnType


def _is_provider(_: Any, attribute: Any, value: Any) -> None:
    if not isinstance(value, DataProvider):
        raise InvalidParameterError(
            f"expected {attribute.alias} as a DataProvider such as rm.InMemory(...) or rm.FamaFrench(), got {value!r}.",
            parameter=attribute.alias,
            got=value,
        )


def _same_horizon(self: Any, _attribute: Any, _value: Any) -> None:
    left, right = horizon_of(self._assets), horizon_of(self._factors)
    if left != right or (period_of(left), left.bar) != (period_of(right), right.bar):
        raise HorizonMismatchError(
            f"expected assets and factors at one horizon, got {left!r} and {right!r}; ask both providers for the same, "
            f"for instance rm.FamaFrench(rm.{left!r}).",
            left=left,
            right=right,
        )


@final
@frozen(kw_only=True)
class Joined(DataProvider):
    """Assets from one provider, factors and the risk-free rate from another.

    `panel` keeps the dates that both providers have. `ReturnPanel.dropped` lists the others.

    Parameters
    ----------
    assets : DataProvider
        Source of asset returns.
    factors : DataProvider
        Source of factor returns and the risk-free rate, so that excess returns and a factor such as ``"Mkt-RF"`` are
        net of the same rate.

    Raises
    ------
    InvalidParameterError
        If one of them is not a `DataProvider`.
    HorizonMismatchError
        If their horizons differ, or only one of them is a span of the calendar, as ``rm.MONTH`` is and
        ``rm.Horizon(21)`` is not.

    Examples
    --------
    >>> import pandas as pd, riskmodel as rm
    >>> days = pd.to_datetime(["2018-11-28", "2018-11-29", "2018-11-30", "2018-12-03"])
    >>> mine = rm.InMemory(pd.DataFrame({"FUND": [0.02, 0.0, 0.01, 0.01]}, days), factors=None, risk_free=0.0,
    ...                    horizon=rm.DAY)
    >>> data = rm.Joined(assets=mine, factors=rm.SampleData())
    >>> panel = data.panel(["FUND"], ["Mkt-RF"], start="2018-11-28")
    >>> panel
    <ReturnPanel 3 dates (2018-11-28 to 2018-11-30, per day) × 1 assets, 1 factors, 1 dates dropped>
    >>> panel.dropped
            date                           reason
    0 2018-12-03  no factor row; no risk-free row
    """

    _assets: DataProvider = field(validator=_is_provider)
    _factors: DataProvider = field(validator=[_is_provider, _same_horizon])

    @property
    def horizon(self) -> Horizon:
        """Span of one row, the same for both providers."""
        return self._factors.horizon

    @property
    def return_type(self) -> ReturnType:
        """What the asset returns are, from the assets' provider."""
        return return_type_of(self._assets)

    @property
    def source(self) -> str:
        """Identifier of the two sources, if both providers have one."""
        return f"assets: {self._assets.source}; factors: {self._factors.source}"  # type: ignore[attr-defined]

    @property
    def assets(self) -> list[Any]:
        """The labels of all assets, if the assets' provider lists them."""
        return list(self._assets.assets)  # type: ignore[attr-defined]

    @property
    def factors(self) -> list[Any]:
        """The labels of all factors, if the factors' provider lists them."""
        return list(self._factors.factors)  # type: ignore[attr-defined]

    def asset_returns(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Return simple returns, dates × assets, of the assets' provider."""
        return self._assets.asset_returns(assets, start, end)

    def factor_returns(self, names: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Return factor returns, dates × names, of the factors' provider."""
        return self._factors.factor_returns(names, start, end)

    def risk_free(self, start: Any = None, end: Any = None) -> pd.Series[float]:
        """Return the risk-free rate by date, of the factors' provider."""
        return self._factors.risk_free(start, end)

    def identities(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> list[Any]:
        """Return the permanent identifier of each asset, from the assets' provider."""
        return self._assets.identities(assets, start, end)

    def provenance(self, assets: Sequence[Any] = (), factors: Sequence[Any] = ()) -> dict[str, str]:
        """Return the vintages of both providers, by source."""
        return self._assets.provenance(assets) | self._factors.provenance((), factors)

    def funding(self, name: Any) -> Funding | None:
        """Return whether holding a factor costs cash, from the factors' provider."""
        return self._factors.funding(name)

    @property
    def _zone_of_rows(self) -> str | None:
        return self._assets._zone_of_rows
