"""Positions: a portfolio, and the dollars held of it."""

from __future__ import annotations

import math
from typing import Any, final

import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core.display import Table, page
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import Horizon, is_number
from riskmodel.portfolio.amounts import is_horizon
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio
from riskmodel.quantities import Mean, SharpeRatio, Volatility


@final
@frozen(eq=False, repr=False)
class Position(Listed):
    """A portfolio and the dollars held of it.

    Parameters
    ----------
    portfolio : Portfolio
        A `Strategy` or a `HedgedPortfolio`.
    capital : float
        Dollars of strategy.
    horizon : Horizon
        Horizon of `volatility`; the budget's if a budget sized the position.
    binding : str, optional
        Name of the limit that set the size, if one did.

    Raises
    ------
    InvalidParameterError
        If `capital` is negative or not finite. A short position is a strategy of negative weights.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel)))
    >>> position = rm.Position(hedged, 10_000_000, rm.MONTH)
    >>> f"{position.volatility:,.0f} a month, {position.hedge['Mkt-RF']:,.0f} of the market"
    '652,796 a month, -10,739,188 of the market'
    """

    portfolio: Portfolio = field()
    capital: float = field()
    horizon: Horizon = field(validator=is_horizon)
    binding: str | None = None

    @portfolio.validator
    def _check_portfolio(self, _attribute: Any, value: Any) -> None:
        require_portfolio(value, "portfolio")

    @capital.validator
    def _check_capital(self, _attribute: Any, value: Any) -> None:
        if not is_number(value) or not 0 <= value < math.inf:
            raise InvalidParameterError(
                f"expected capital as a finite number of dollars, 0 or more, got {value!r}; for a short position, "
                "negate the weights of the strategy.",
                parameter="capital",
                got=value,
            )

    def __repr__(self) -> str:
        bound = f", bound by {self.binding}" if self.binding else ""
        return f"<Position of {self.capital:,.0f} dollars in {self.portfolio!r}{bound}>"

    def _repr_html_(self) -> str:
        figures = {
            "capital": self.capital,
            "volatility": float(self.volatility),
            "expected pnl": float(self.expected_pnl(self.horizon)),
            "factor-adjusted pnl": float(self.factor_adjusted_pnl(self.horizon)),
            "cash": self.cash,
        }
        return page(
            self,
            Table("Dollars", pd.DataFrame(figures, [f"per {self.horizon}"])),
            Table("What is held, dollars", self.dollars.to_frame(), where="dollars"),
        )

    @property
    def holdings(self) -> pd.Series[float]:
        """Dollars of the strategy by asset, without its hedge."""
        return (_bare(self.portfolio).weights * self.capital).rename("dollars")

    @property
    def hedge(self) -> pd.Series[float]:
        """Dollars of hedge by factor or instrument; zero for each factor without a hedge.

        A dollar of a `PortfolioFactor` is its weights in dollars of assets, whatever they cost: `dollars` has these.
        """
        p = self.portfolio
        weights = p.hedge_weights if isinstance(p, HedgedPortfolio) else p.legs
        return (weights * self.capital).rename("dollars")

    @property
    def dollars(self) -> pd.Series[float]:
        """Dollars of all that is held, with the hedge, by `Portfolio.instruments`."""
        return (self.portfolio.instruments * self.capital).rename("dollars")

    @property
    def cash(self) -> float:
        """Dollars of the cash leg, which pays for holdings and hedge; negative if borrowed."""
        return self.portfolio.cash_weight * self.capital

    @property
    def volatility(self) -> Volatility:
        """Standard deviation of the PnL over the position's horizon, dollars."""
        return Volatility(float(self.portfolio.volatility.at(self.horizon)) * self.capital, self.horizon)

    @property
    def unhedged(self) -> Position:
        """The same dollars of the strategy, without its hedge."""
        return evolve(self, portfolio=_bare(self.portfolio), binding=None)

    def expected_pnl(self, horizon: Horizon) -> Mean:
        """Expected PnL over a horizon with the cash leg at the risk-free rate: (α + β·E f), dollars."""
        return Mean(float(self.portfolio.expected_excess_return.at(horizon)) * self.capital, horizon)

    def factor_adjusted_pnl(self, horizon: Horizon) -> Mean:
        """The part of the expected PnL that is alpha, dollars."""
        return Mean(float(self.portfolio.alpha.at(horizon)) * self.capital, horizon)

    def cash_pnl(self, horizon: Horizon) -> Mean:
        """Expected PnL of the cash leg over a horizon, dollars; negative if it costs."""
        return Mean(self.portfolio.model.risk_free_mean * self.cash, self.portfolio.horizon).at(horizon)

    def expected_pnl_without_cash(self, horizon: Horizon) -> Mean:
        """Expected PnL of holdings and hedge legs, without the cash leg, dollars."""
        return self.expected_pnl(horizon) - self.cash_pnl(horizon)  # type: ignore[no-any-return]

    def sharpe(self, horizon: Horizon) -> SharpeRatio:
        """Expected PnL per dollar of volatility over a horizon; NaN without volatility."""
        return self.portfolio.sharpe.at(horizon)


def _bare(portfolio: Portfolio) -> Portfolio:
    return portfolio.strategy if isinstance(portfolio, HedgedPortfolio) else portfolio
