"""Provider of the embedded sample of real returns: no network, no account."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, final

import pandas as pd
from attrs import field, frozen

from riskmodel.data.memory import InMemory
from riskmodel.data.provider import DataProvider
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import DAY, MONTH, Horizon, as_named
from riskmodel.panel.funding import Funding

_FUNDED = ["Mkt-RF"]
_FACTORS = ["Mkt-RF", "SMB", "HML", "Mom"]


def _is_available(_: object, __: object, horizon: object) -> None:
    if not isinstance(horizon, Horizon) or horizon not in (DAY, MONTH):
        raise InvalidParameterError(
            f"expected the horizon of the sample as rm.DAY or rm.MONTH, got {horizon!r}.",
            parameter="horizon",
            got=horizon,
        )


@final
@frozen
class SampleData(DataProvider):
    """The embedded sample of real returns.

    Parameters
    ----------
    horizon : Horizon
        ``rm.DAY`` (the default): 20 large US stocks and the S&P 500 index ``"SPX"``, 2000-01-03 to 2018-11-30;
        factor ``"Mkt-RF"``, the index less the risk-free rate. ``rm.MONTH``: 12 industries and 18 portfolios
        sorted on size, value and momentum, 1949-01 to 2017-03; factors ``"Mkt-RF"``, ``"SMB"``, ``"HML"``, ``"Mom"``.

    Raises
    ------
    InvalidParameterError
        For any other horizon.

    Notes
    -----
    Closes of the stocks are those of skfolio 1.12 (adjusted for splits and dividends); factors and bill rates are
    Kenneth R. French's, as carried by arch 8 and linearmodels 7. Licences and the script that rebuilds the files are
    beside the data, in ``riskmodel/data/_sample``.

    Limits of the data: the index is without dividends, so the daily market factor is about two percent a year too
    low, and alphas are that much too high. The twenty stocks are survivors, chosen in hindsight, so their alphas are
    no evidence of skill. Closes have three decimals, so returns of small early prices (AAPL at 0.20) have errors of
    up to half a percent. The daily risk-free rate is the month's bill rate spread evenly over its trading days. Use
    it for learning and testing, not for trading.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"], start="2010-01-01")
    <ReturnPanel 2245 dates (2010-01-04 to 2018-11-30, per day) × 2 assets, 1 factors, 0 dates dropped>
    >>> rm.SampleData(rm.MONTH).factors
    ['Mkt-RF', 'SMB', 'HML', 'Mom']
    """

    horizon: Horizon = field(default=DAY, converter=as_named, validator=_is_available)

    @property
    def _data(self) -> InMemory:
        return _monthly() if self.horizon == MONTH else _daily()

    @property
    def assets(self) -> list[Any]:
        """The labels of all assets."""
        return self._data.assets

    @property
    def factors(self) -> list[Any]:
        """The labels of all factors."""
        return self._data.factors

    def funding(self, name: Any) -> Funding | None:
        """Return whether holding a factor costs cash; the market does."""
        return self._data.funding(name)

    def asset_returns(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Return total simple returns, dates × assets; unknown ones raise `UnknownAssetError`."""
        return self._data.asset_returns(assets, start, end)

    def factor_returns(self, names: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Return factor returns, dates × names; unknown ones raise `UnknownFactorError`."""
        return self._data.factor_returns(names, start, end)

    def risk_free(self, start: Any = None, end: Any = None) -> pd.Series[float]:
        """Return the risk-free rate by date."""
        return self._data.risk_free(start, end)

    def _span(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        return self._data._span()


def _read(name: str) -> pd.DataFrame:
    with (files("riskmodel.data") / "_sample" / name).open("rb") as file:
        return pd.read_csv(file, index_col=0, compression="gzip")


@cache
def _daily() -> InMemory:
    closes = _read("closes.csv.gz")
    closes.index = pd.to_datetime(closes.index)
    returns = closes.pct_change(fill_method=None).iloc[1:]
    rate = _spread_over_days(_read("bills.csv.gz")["RF"] / 100.0, pd.DatetimeIndex(returns.index))
    market = (returns["SPX"] - rate).rename("Mkt-RF")
    return InMemory(returns, factors=market, risk_free=rate, horizon=DAY, funded=_FUNDED)


def _spread_over_days(monthly: pd.Series[float], days: pd.DatetimeIndex) -> pd.Series[float]:
    """Return the daily rate that compounds, over the trading days of each month, to the month's rate."""
    month = days.year * 100 + days.month
    n_days = month.value_counts().reindex(month).to_numpy()
    return pd.Series((1.0 + monthly.loc[month].to_numpy()) ** (1.0 / n_days) - 1.0, days, name="risk_free")


@cache
def _monthly() -> InMemory:
    table = _read("portfolios.csv.gz")
    table.index = pd.PeriodIndex(table.index, freq="M")
    assets = table.drop(columns=[*_FACTORS, "RF"])
    return InMemory(assets, factors=table[_FACTORS], risk_free=table["RF"], horizon=MONTH, funded=_FUNDED)
