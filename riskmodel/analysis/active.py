"""A portfolio against a benchmark."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import require_same
from riskmodel.model.holdings import Holdings
from riskmodel.model.model import FactorModel
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio
from riskmodel.portfolio.strategy import Strategy
from riskmodel.quantities import Volatility


@final
@frozen(init=False, eq=False, repr=False)
class ActivePortfolio(Portfolio):
    """A portfolio less its benchmark: every figure of a `Portfolio` is then active.

    `weights` and `exposures` are active ones, `volatility` is the tracking error by the model, and
    `Contributions.of(active)` splits it as it splits any other volatility.

    Parameters
    ----------
    portfolio : Portfolio
        What is held.
    benchmark : Portfolio, or mapping or Series by asset
        Of the same model: dollars per dollar of the portfolio, whatever their sum.

    Raises
    ------
    UnknownAssetError
        For an asset of the benchmark that is not in the model.
    InvalidParameterError
        For a benchmark of a model with other factors, or of no assets.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "AAPL", "JPM"], ["Mkt-RF"])
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, rm.OLS().fit(panel))
    >>> active = rm.ActivePortfolio(held, {"MSFT": 1 / 3, "AAPL": 1 / 3, "JPM": 1 / 3})
    >>> f"tracking error {active.tracking_error.at(rm.YEAR):.1%}, beta {active.beta:.2f}, share {active.share:.2f}"
    'tracking error 13.2%, beta 0.92, share 0.33'
    """

    _portfolio: Portfolio
    _benchmark: Portfolio
    _weights: pd.Series[float]

    def __init__(self, portfolio: Portfolio, benchmark: Any) -> None:
        p = require_portfolio(portfolio, "portfolio")
        b = as_benchmark(benchmark, p)
        held, against = p.weights, Strategy(b.weights, p.model).weights
        every = held.index.append(against.index.difference(held.index, sort=False))
        active = held.reindex(every, fill_value=0.0) - against.reindex(every, fill_value=0.0)
        self.__attrs_init__(portfolio=p, benchmark=b, weights=active.rename("weight"))

    def __repr__(self) -> str:
        return f"<ActivePortfolio of {self._portfolio!r} against {self._benchmark!r}>"

    @property
    def portfolio(self) -> Portfolio:
        """What is held."""
        return self._portfolio

    @property
    def benchmark(self) -> Portfolio:
        """What it is measured against."""
        return self._benchmark

    @property
    def model(self) -> FactorModel:
        """The factor model of the portfolio."""
        return self._portfolio.model

    @property
    def weights(self) -> pd.Series[float]:
        """Active weight by asset: the portfolio's less the benchmark's."""
        return self._weights.copy()

    @property
    def legs(self) -> pd.Series[float]:
        """Active weight by factor of positions in the factors themselves."""
        return self._portfolio.legs - self._benchmark.legs

    @property
    def tracking_error(self) -> Volatility:
        """Volatility of the active return, by the model."""
        return self.volatility

    @property
    def beta(self) -> float:
        """Predicted beta of the portfolio to the benchmark; `InvalidParameterError` for a benchmark without risk."""
        return beta_to(self._portfolio, self._benchmark)

    @property
    def share(self) -> float:
        """Active share, half of the sum of absolute active weights of `instruments` [1]_.

        References
        ----------
        .. [1] Cremers, M. and Petajisto, A. (2009). How Active Is Your Fund Manager? *Review of Financial Studies*
           22(9), 3329-3365.
        """
        return float(self.instruments.abs().sum()) / 2.0

    def _choices(self) -> int:
        return self._portfolio._choices()

    def _held_legs(self) -> pd.Series[float] | None:
        legs = self.legs
        return legs[legs != 0] if legs.any() else None

    def _own_cash(self) -> float:
        return self._portfolio._own_cash() - self._benchmark._own_cash()


def as_benchmark(benchmark: Any, portfolio: Portfolio) -> Portfolio:
    """Return a benchmark as a portfolio in the same model.

    Raises
    ------
    HorizonMismatchError
        For a portfolio whose model is of another horizon.
    InvalidParameterError
        For a portfolio of a model with other factors or another factor covariance.
    """
    if not isinstance(benchmark, Portfolio):
        return Strategy(benchmark, portfolio.model)
    require_same(portfolio.horizon, benchmark.horizon, "a portfolio and its benchmark")
    mine, theirs = portfolio.model.covariance, benchmark.model.covariance
    if mine is not theirs and not (
        mine.factors.equals(theirs.factors) and np.array_equal(mine._factor_covariance, theirs._factor_covariance)
    ):
        raise InvalidParameterError(
            "expected a portfolio and a benchmark of one model, got two models with other factors or another factor "
            "covariance; give the benchmark as weights by asset.",
            parameter="benchmark",
            got=benchmark,
        )
    return benchmark


def beta_to(portfolio: Portfolio, benchmark: Any) -> float:
    """Return the predicted beta of a portfolio to a benchmark in the same model; see `Contributions.beta`."""
    own, b = holdings_of(portfolio), as_benchmark(benchmark, portfolio)
    other = Holdings.of(portfolio.model.covariance, b.weights, b.legs)
    if not other.variance > 0:
        raise InvalidParameterError(
            "expected a benchmark with a variance above zero, got one whose variance is zero.", parameter="benchmark"
        )
    return own.covariance_with(other) / other.variance


def holdings_of(portfolio: Portfolio) -> Holdings:
    """Return what a portfolio holds, without positions of zero in factors."""
    legs = portfolio.legs
    return Holdings.of(portfolio.model.covariance, portfolio.weights, legs[legs != 0])
