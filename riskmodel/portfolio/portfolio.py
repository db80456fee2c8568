"""The base class of strategies and hedged portfolios."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, final

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_count, require_finite
from riskmodel._core.arrays import Array
from riskmodel._core.callers import warn
from riskmodel._core.display import Table, page
from riskmodel._core.listing import Abstract
from riskmodel.data.provider import DataProvider, require_horizon
from riskmodel.errors import (
    InvalidParameterError,
    NotEstimatedError,
    TooFewObservationsError,
    UnstatedFundingWarning,
)
from riskmodel.horizon import Horizon, require_same
from riskmodel.model.decomposition import RiskDecomposition
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import within
from riskmodel.panel.factors import Factor
from riskmodel.panel.funding import FundingSource
from riskmodel.panel.memory import ReturnPanel, returns_on
from riskmodel.portfolio.gaps import missing_dates
from riskmodel.quantities import Mean, SharpeRatio, Volatility

# Treat a volatility this small relative to that of the holdings as rounding error of a perfect hedge.
_RISKLESS = 1e-10


class Portfolio(Abstract):
    """Weights on assets and factors with a factor model (abstract: `Strategy`, `HedgedPortfolio`).

    Weights are dollars per dollar of strategy. Figures are per the model's `horizon`. Each is computed once, when it
    is first read; Series are returned as copies.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> isinstance(msft, rm.Portfolio), isinstance(rm.HedgedPortfolio.neutral(msft), rm.Portfolio)
    (True, True)
    """

    @property
    @abstractmethod
    def model(self) -> FactorModel:
        """The factor model of the assets."""

    @property
    @abstractmethod
    def weights(self) -> pd.Series[float]:
        """Weight by asset; other assets have weight zero."""

    @property
    @abstractmethod
    def legs(self) -> pd.Series[float]:
        """Weight by factor of positions in the factors themselves."""

    @property
    @final
    def instruments(self) -> pd.Series[float]:
        """Weight by what is traded: assets, then factors that are held themselves, with all legs added up.

        A factor with the label of an asset, such as an `AssetFactor`, is that asset.
        """
        legs = self.legs[self.legs != 0]
        return pd.concat([self.weights, legs]).groupby(level=0, sort=False).sum().rename("weight")

    @property
    @final
    def horizon(self) -> Horizon:
        """The horizon of all figures: the model's."""
        return self.model.horizon

    @property
    @final
    def exposures(self) -> pd.Series[float]:
        """Exposure by factor, B'w + legs (dimensionless)."""
        return self._exposures.copy()

    @cached_property
    @final
    def alpha(self) -> Mean:
        """Expected return not explained by the factors, w'α, decimals per horizon."""
        return Mean(_dot(self.weights, self._held.alpha), self.horizon)

    @cached_property
    @final
    def expected_excess_return(self) -> Mean:
        """Expected return with the cash of each leg borrowed or lent at the risk-free rate: α + β·E f."""
        return Mean(float(self.alpha) + _dot(self._exposures, self.model.factor_mean), self.horizon)

    @final
    def expected_return_by(self) -> pd.Series[float]:
        """Return E r by source: ``risk_free``, ``alpha``, then each factor's β E f; the sum is `expected_return`.

        The risk-free part is rf times the cash that the holdings cost. A hedged portfolio also holds its cash leg, so
        this part is zero.
        """
        parts = [
            self.model.risk_free_mean * (float(self.weights.sum()) + self._funded_legs() + self._own_cash()),
            float(self.alpha),
            *(self._exposures * self.model.factor_mean),
        ]
        return pd.Series(parts, pd.Index(["risk_free", "alpha", *self.model.factors]), name="expected_return")

    @final
    def expected_return(self) -> Mean:
        """Return E r = rf + α + β·E f, decimals per horizon (rf times the cash that the holdings cost)."""
        return Mean(float(self.expected_return_by().sum()), self.horizon)

    @cached_property
    @final
    def volatility(self) -> Volatility:
        """Standard deviation of the return, decimals per horizon."""
        return Volatility(np.sqrt(float(self.decompose().total_variance)), self.horizon)

    @cached_property
    @final
    def sharpe(self) -> SharpeRatio:
        """Expected excess return per unit of volatility; NaN for a riskless portfolio."""
        ratio = math.nan if self.is_riskless else float(self.expected_excess_return) / float(self.volatility)
        return SharpeRatio(ratio, self.horizon)

    @final
    def optimised_volatility(self, choices: int | None = None, dates: float | None = None) -> Volatility:
        r"""Return the volatility to expect where the weights were optimised on this very model.

        An optimiser picks what is estimated too low, so an optimised portfolio looks safer than it is: for M weights
        chosen by a covariance from T dates, :math:`\sigma / (1 - M/T)` is to be expected ([1]_, equation 4). This is
        exact for a sample covariance and many assets; a model with structure errs less, so take it as a caution. For
        weights that were not chosen by the model, `volatility` is right.

        Parameters
        ----------
        choices : int, optional
            M: how many weights the optimiser could choose. By default the hedge weights of a hedged portfolio, and the
            holdings of a strategy.
        dates : float, optional
            T, or the effective number of dates. By default the mean number of observations of the holdings, where the
            model is a regression.

        Raises
        ------
        NotEstimatedError
            If `dates` is not given, and the model has no regression that says it.
        InvalidParameterError
            For as many choices as dates, or more: the portfolio's risk is then not known.

        References
        ----------
        .. [1] Shepard, P. G. (2009). Second Order Risk. arXiv:0908.2455.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["KO", "PEP", "XOM"], [], start="2018-10-01")
        >>> model = rm.Assembled(rm.PrincipalComponents(1), rm.SampleCovariance(), rm.SampleVariance()).fit(panel)
        >>> hedged = rm.HedgedPortfolio.minimum_variance(rm.Strategy({"KO": 1.0}, model), ["PEP", "XOM"])
        >>> round(hedged.optimised_volatility(dates=len(panel.dates)) / hedged.volatility, 4)
        1.0476
        """
        m = require_count(self._choices() if choices is None else choices, "choices")
        t = self._observations() if dates is None else require_finite(dates, "dates")
        if m >= t:
            raise InvalidParameterError(
                f"expected fewer choices than dates, got {m} choices from {t:g} dates; the risk of what an optimiser "
                "then finds is not known: use a longer history, or fewer instruments.",
                choices=m,
                dates=t,
            )
        return Volatility(float(self.volatility) / (1.0 - m / t), self.horizon)

    def _observations(self) -> float:
        fit = self._held.regression
        if fit is None:
            raise NotEstimatedError(
                "expected a model with a regression, whose observations are counted, got one without; pass dates."
            )
        own = fit.n_observations.drop(list(self.model._proxies), errors="ignore")
        return float(np.mean(own if len(own) else fit.n_observations))

    @cached_property
    @final
    def is_riskless(self) -> bool:
        """Whether the volatility is rounding error relative to the volatilities of the holdings."""
        return self.is_rounding(self.volatility)

    @final
    def is_rounding(self, volatility: Volatility) -> bool:
        """Whether a volatility, at the model's horizon, is rounding error relative to those of the holdings.

        Parameters
        ----------
        volatility : Volatility
            Of the portfolio: by its model, or realised.
        """
        require(volatility, Volatility, "volatility", "of this portfolio")
        return float(volatility) <= _RISKLESS * max(self._alone, self._alone_before_hedge())

    @final
    def _repr_html_(self) -> str:
        figures = {
            "volatility": float(self.volatility),
            "factor share": self.decompose().factor_share,
            "alpha": float(self.alpha),
            "expected excess return": float(self.expected_excess_return),
            "sharpe": float(self.sharpe),
        }
        return page(
            self,
            Table("Figures", pd.DataFrame(figures, [f"per {self.horizon}"])),
            Table("Exposures, dollars of factor per dollar", self.exposures.to_frame(), where="exposures"),
            Table("What is held, dollars per dollar", self.instruments.to_frame("weight"), where="instruments"),
        )

    @final
    def decompose(self) -> RiskDecomposition:
        """Split the variance into factor and idio parts, and by holding."""
        return self._decomposition

    @property
    @final
    def tracking(self) -> pd.Series[float]:
        """The tracking portfolio: factor weights equal to the exposures. The hedge is its negative."""
        return self.exposures.rename("tracking")

    @cached_property
    @final
    def cash_weight(self) -> float:
        """Weight of the cash leg: minus the cost of assets and funded legs, per dollar of strategy.

        One long dollar of stock against -β of a funded factor leaves -(1 - β), borrowed at the risk-free rate.
        Self-financing factors raise no cash. `FactorModel.funding` says which factors are funded, and who says so.

        Warns
        -----
        UnstatedFundingWarning
            Where a factor is held of which nobody says whether it is funded.
        """
        return -(float(self.weights.sum()) + self._funded_legs())

    @final
    def excess_returns(self, data: DataProvider | ReturnPanel, start: Any = None, end: Any = None) -> pd.Series[float]:
        """Return the excess return by date, with the cash of each leg borrowed or lent at the risk-free rate.

        Parameters
        ----------
        data : DataProvider or ReturnPanel
            At the model's horizon, with the assets held and the model's factors.
        start, end : date-like, optional
            The window, with both ends.

        Returns
        -------
        Series by date
            Decimals per horizon; NaN on dates where one of the assets held has no return.

        Raises
        ------
        HorizonMismatchError
            If the data have another horizon.
        UnknownAssetError, UnknownFactorError
            If the data lack an asset or a factor held.
        """
        return self._returns_on(*self._panel(data, self._factors_held, start, end))

    @final
    def realised(self, data: DataProvider | ReturnPanel, start: Any = None, end: Any = None) -> Volatility:
        """Return the standard deviation that the returns had: beside it, `volatility` is what the model says.

        Dates count alike, whatever the model's weights of dates. `RealisedRisk` compares the two, with intervals.

        Parameters
        ----------
        data, start, end
            As for `excess_returns`; usually the panel that the model was estimated on.

        Returns
        -------
        Volatility
            Of excess returns about their mean, with ddof 1, decimals per the model's horizon.

        Raises
        ------
        TooFewObservationsError
            For fewer than two dates on which all that is held has returns.
        HorizonMismatchError, UnknownAssetError, UnknownFactorError
            As for `excess_returns`.

        Warns
        -----
        MissingDatesWarning
            Where an asset held misses dates, which are left out; the warning says how many.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["XOM", "CVX", "RRC"], ["Mkt-RF"])
        >>> oil = rm.Strategy({"XOM": 0.4, "CVX": 0.4, "RRC": 0.2}, rm.OLS().fit(panel))
        >>> hedged = rm.HedgedPortfolio.neutral(oil)
        >>> f"model {hedged.volatility.at(rm.YEAR):.1%} a year, realised {hedged.realised(panel).at(rm.YEAR):.1%}"
        'model 13.7% a year, realised 18.7%'
        """
        panel, rows = self._panel(data, self._factors_held, start, end)
        returns = self._returns_on(panel, rows)
        known = require_known(returns)
        if len(known) < len(returns):
            held = panel.select(self.weights.index[self.weights != 0], [])
            warn(missing_dates(returns.notna().to_numpy(), held.arrays()[0][rows], held.assets, panel.dates[rows]))
        return Volatility(float(np.std(known, ddof=1)), self.horizon)

    @property
    def _factors_held(self) -> list[Factor]:
        return [f for f, leg in zip(self.model.definitions, self.legs, strict=True) if leg]

    def _returns_on(self, panel: ReturnPanel, rows: slice) -> pd.Series[float]:
        # assets and factors of weight zero are not held, and may be missing
        weights, legs = self.weights[self.weights != 0], self.legs.to_numpy()
        values = panel.select(weights.index, []).arrays()[0][rows] @ weights.to_numpy()
        values = values + returns_on(panel, self._factors_held, rows) @ legs[legs != 0]
        return pd.Series(values, panel.dates[rows], name="excess_return")

    def _panel(
        self, data: DataProvider | ReturnPanel, factors: Sequence[Factor], start: Any, end: Any
    ) -> tuple[ReturnPanel, slice]:
        """Return a panel and the rows of the window in it: a factor may depend on returns from before the window."""
        if isinstance(data, ReturnPanel):
            require_same(self.horizon, data.horizon, "a portfolio's model and the panel")
            inside = np.flatnonzero(within(data, start, end))
            return data, slice(int(inside[0]), int(inside[-1]) + 1)
        if not isinstance(data, DataProvider):
            raise InvalidParameterError(
                f"expected data as a DataProvider or a ReturnPanel, got {type(data).__name__}.",
                parameter="data",
                got=type(data).__name__,
            )
        require_horizon(data, self.horizon)
        return data.panel(list(self.weights.index), factors, start, end), slice(None)

    @cached_property
    def _alone(self) -> float:
        """The sum of the volatilities of the holdings, each alone."""
        held, f = self._held.covariance, self.model.factor_covariance.to_numpy()
        alone = np.abs(self.weights.to_numpy()) @ np.sqrt(held.diagonal().to_numpy())
        return float(alone + np.abs(self.legs.to_numpy()) @ np.sqrt(np.diag(f)))

    def _alone_before_hedge(self) -> float:
        """The same of what is hedged: a hedge that sells what is held leaves no holding but rounding error."""
        return 0.0

    @cached_property
    def _held(self) -> FactorModel:
        """The model of the assets held."""
        return self.model.restrict(self.weights.index.to_list())

    @cached_property
    def _exposures(self) -> pd.Series[float]:
        return (self._held.loadings.T @ self.weights + self.legs).rename("exposure")

    @cached_property
    def _decomposition(self) -> RiskDecomposition:
        return RiskDecomposition.of(self.model.covariance, self.weights, self._held_legs())

    @abstractmethod
    def _choices(self) -> int:
        """How many weights an optimiser may have chosen."""

    @abstractmethod
    def _held_legs(self) -> pd.Series[float] | None:
        """Return the legs as holdings, or None for a portfolio without legs."""

    @abstractmethod
    def _own_cash(self) -> float:
        """Return the weight of a cash leg that is one of the holdings."""

    def _beside(self, realised: Volatility | None) -> str:
        """Return the volatility of the model beside a realised one, for `repr`."""
        if realised is None:
            return ""
        return f"; volatility per {self.horizon}: model {self.volatility:.3g}, realised {realised:.3g}"

    def _funded_legs(self) -> float:
        held = self.legs.to_numpy()
        definitions = zip(self.model.definitions, held, strict=True)
        unknown = [f.name for f, leg in definitions if leg and f.told_by is FundingSource.NOBODY]
        if unknown:
            warn(
                UnstatedFundingWarning(
                    f"nobody says whether {labels.listing(unknown)} costs cash to hold, so it is taken as "
                    "self-financing, and the cash leg does not pay for it; give the factor as "
                    "rm.PublishedFactor(name, rm.FUNDED) or rm.SELF_FINANCING, as rm.AssetFactor(name), or list what "
                    "is funded with funded=[...].",
                    factors=unknown,
                )
            )
        return float(held @ np.array(self.model.funded, dtype=np.float64))


def require_known(returns: pd.Series[float]) -> Array:
    """Return the returns that are known, or raise for fewer than two."""
    known = np.asarray(returns.dropna(), dtype=np.float64)
    if len(known) < 2:
        raise TooFewObservationsError(
            f"expected two or more dates on which all that is held has returns, got {len(known)} of {len(returns)}; "
            "widen the window, or leave out the assets with the fewest returns.",
            known=len(known),
            dates=len(returns),
        )
    return known


def require_portfolio(value: Any, what: str) -> Portfolio:
    """Return a portfolio, or raise; `what` names the parameter."""
    if not isinstance(value, Portfolio):
        raise InvalidParameterError(
            f"expected {what} as a Strategy or a HedgedPortfolio, got {type(value).__name__}.",
            parameter=what,
            got=type(value).__name__,
        )
    return value


def _dot(a: pd.Series[float], b: pd.Series[float]) -> float:
    """Return the sum of products of two Series in the same order."""
    return float(a.to_numpy() @ b.to_numpy())
