"""A strategy with a hedge of its factor risk."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require_share
from riskmodel._core.arrays import Array, floats
from riskmodel._core.weights import read_weights
from riskmodel.errors import UnknownAssetError
from riskmodel.model.instruments import INSTRUMENT, HeldInstruments, add_weights, known_labels
from riskmodel.model.legs import Legs, require_tradable
from riskmodel.model.model import FactorModel
from riskmodel.panel.factors import PortfolioFactor
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.hedging.paper import on_paper
from riskmodel.portfolio.hedging.regression import ReturnRegression
from riskmodel.portfolio.hedging.rows import RiskRows
from riskmodel.portfolio.hedging.share import exposures_within, neutral_within, read_cost, smallest_within
from riskmodel.portfolio.hedging.targets import reaching, read_target
from riskmodel.portfolio.hedging.verdict import warn_if_apart
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio
from riskmodel.quantities import Volatility

# Treat a variance this small relative to the factors' as rounding error.
_ROUNDING = 1e-24


@final
@frozen(eq=False, repr=False, init=False)
class HedgedPortfolio(Portfolio):
    r"""A strategy with a hedge in factors, or in other instruments.

    Made by `neutral`, `with_factor_share`, `minimum_variance` or `regression`, or with a hedge of your own. The
    portfolio is strategy + hedge + cash. The cash leg pays for both, so the return is an excess return. A hedge in a
    `PortfolioFactor` holds the factor's assets, with their idio risk. Hedging a hedged portfolio adds to its hedge;
    `strategy` is then the innermost one.

    Instruments of a hedge are labels of factors or assets of the model, or portfolios of assets such as a
    `PortfolioFactor`, of which the hedge holds the assets. A label that is a factor is a position in that factor, even
    where an asset has the same label.

    Parameters
    ----------
    strategy : Portfolio
        What is hedged.
    hedge_weights : mapping or Series by factor or asset
        Dollars per dollar of strategy.
    panel : ReturnPanel, optional
        Returns to show the realised volatility of, beside the model's, where the portfolio is printed.

    Raises
    ------
    UnknownAssetError
        For a hedge in a label that is neither a factor nor an asset of the model.
    InvalidParameterError
        For hedge weights that are not finite numbers, or a hedge in a factor that is not tradable.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> hedged = rm.HedgedPortfolio.neutral(msft)
    >>> hedged.hedge_weights.round(3).to_dict(), round(hedged.cash_weight, 3)
    ({'Mkt-RF': -1.074}, 0.074)
    >>> round(rm.HedgedPortfolio.with_factor_share(msft, 0.20).decompose().factor_share, 12)
    0.2
    """

    _strategy: Portfolio
    _hedge: pd.Series[float]
    _realised: Volatility | None

    def __init__(self, strategy: Portfolio, hedge_weights: Any, panel: ReturnPanel | None = None) -> None:
        model = require_portfolio(strategy, "strategy").model
        hedge = read_weights(hedge_weights, "hedge_weights", INSTRUMENT)
        labels.positions(hedge.index, known_labels(model), INSTRUMENT, UnknownAssetError)
        require_tradable(model.definitions, np.asarray(hedge.reindex(model.factors, fill_value=0.0)))
        if isinstance(strategy, HedgedPortfolio):
            # add to the existing hedge, so that one object holds all legs
            hedge = add_weights(strategy.hedge_weights, hedge)
            strategy = strategy.strategy
        self.__attrs_init__(strategy=strategy, hedge=hedge.rename("hedge_weight"), realised=None)
        if panel is not None:
            object.__setattr__(self, "_realised", self.realised(panel))

    # -- four ways to hedge ------------------------------------------------------------------------

    @classmethod
    def neutral(cls, strategy: Portfolio, instruments: Sequence[Any] | None = None, *, target: Any = None) -> Self:
        r"""Hedge all of the factor exposure: strategy less its tracking portfolio ("portable alpha").

        In the sample that an OLS model was estimated on, its mean is alpha and its variance the residual variance.

        Parameters
        ----------
        strategy : Portfolio
            What is hedged.
        instruments : sequence of labels or portfolios of assets, optional
            What the hedge may hold; by default the factors themselves.
        target : mapping or Series by factor, optional
            Exposures to keep on purpose; zero for factors left out.

        Raises
        ------
        InvalidParameterError
            If the hedge holds a factor that is not tradable.
        CollinearFactorsError
            If the exposures of factors that are portfolios of assets are collinear.
        UnknownAssetError, UnknownFactorError
            For an instrument or a target that the model does not have.

        Warns
        -----
        ExposureLeftWarning
            Where the instruments cannot bring all exposures to the target. `exposures` says what is left.

        Notes
        -----
        With exposures X of the instruments, it solves :math:`X^\top h = t - b`. Of several solutions it is the one of
        least :math:`\|h\|`, the smallest trade; where there is none, h minimises the factor variance
        :math:`(b + X^\top h - t)^\top F (b + X^\top h - t)`.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["KO", "PEP", "XOM"], ["Mkt-RF"])
        >>> model = rm.OLS().fit(panel)
        >>> ko = rm.Strategy({"KO": 1.0}, model)
        >>> hedged = rm.HedgedPortfolio.neutral(ko, ["PEP", "XOM"], target={"Mkt-RF": 0.2})
        >>> hedged.hedge_weights.round(3).to_dict(), hedged.exposures.round(12).to_dict()
        ({'PEP': -0.164, 'XOM': -0.285}, {'Mkt-RF': 0.2})
        """
        b = require_portfolio(strategy, "strategy").exposures
        aim = read_target(target, b.index)
        if instruments is None:
            return cls(strategy, pd.Series(Legs.of(strategy.model).reaching(aim - np.asarray(b)), b.index))
        held = HeldInstruments.read(instruments, strategy.model)
        return cls(strategy, held.hedge(reaching(RiskRows.of(strategy, held), aim, b.index)))

    @classmethod
    def with_factor_share(
        cls, strategy: Portfolio, cap: float, cost: Any = None, *, instruments: Sequence[Any] | None = None
    ) -> Self:
        r"""Return the smallest hedge that brings the factors' share of the variance to at most `cap`.

        Parameters
        ----------
        strategy : Portfolio
            What is hedged.
        cap : float
            Largest share, from 0 to 1: 0.2 is 20 %. 0 is `neutral`; 1 hedges nothing.
        cost : Series by instrument, mapping, or array of shape (M,), optional
            Cost to trade a unit of each instrument, positive; 1 each by default. The hedge minimises
            :math:`\sum_j (c_j h_j)^2`.
        instruments : sequence of labels or portfolios of assets, optional
            What the hedge may hold; by default the K factors.

        Raises
        ------
        InvalidParameterError
            If `cap` is no share from 0 to 1, a cost is not positive, or the instruments cannot reach the cap.

        Notes
        -----
        With exposures b, idio variance v and :math:`M = v\,cap / (1 - cap)`, it solves
        :math:`\min_h \|C h\|_2` subject to :math:`(b + h)^\top F (b + h) \le M`. The exposures left are
        :math:`x(\lambda) = (C^2 + \lambda F)^{-1} C^2 b` for the one :math:`\lambda \ge 0` at which the constraint
        holds with equality, found by Newton's method on :math:`1 / \sqrt{x^\top F x}`, which is concave and increasing
        in :math:`\lambda`, and for one factor linear ([1]_, section 7.3, the secular equation of a trust region). A
        portfolio within the cap gets no hedge. Without idio variance, any exposure makes the factors' share 1, so any
        cap below 1 takes the full hedge.

        Instruments that are assets, or portfolios of them, have idio risk, so v depends on h, and the hedges within the
        cap are no convex set. With one quadratic constraint the least hedge is still found exactly, for any number of
        instruments, by the same equation with an indefinite matrix in place of F [2]_. The share can be brought down by
        adding idio risk too: cap the volatility with it, in a `HedgeProblem`, where that matters.

        References
        ----------
        .. [1] Conn, A. R., Gould, N. I. M. and Toint, Ph. L. (2000). *Trust-Region Methods*. SIAM.
        .. [2] Moré, J. J. (1993). Generalizations of the trust region problem. *Optimization Methods and Software*
           2(3-4), 189-209.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["KO", "PEP", "XOM"], ["Mkt-RF"])
        >>> ko = rm.Strategy({"KO": 1.0}, rm.OLS().fit(panel))
        >>> hedged = rm.HedgedPortfolio.with_factor_share(ko, 0.1, instruments=["XOM"])
        >>> hedged.hedge_weights.round(3).to_dict(), round(hedged.decompose().factor_share, 9)
        ({'XOM': -0.234}, 0.1)
        """
        share = require_share(cap, "cap", "a share of the variance")
        b = require_portfolio(strategy, "strategy").exposures
        in_factors = instruments is None and not len(Legs.of(strategy.model).portfolios)
        held = None if in_factors else HeldInstruments.read(_or_factors(instruments, strategy), strategy.model)
        costs = read_cost(cost, b.index if held is None else held.labels)
        split = strategy.decompose()
        if share >= 1.0 or split.factor_share <= share:
            return cls(strategy, 0.0 * b if held is None else held.hedge(0.0 * costs))
        allowed = float(split.idio_variance) * share / (1.0 - share)
        if held is None and (share == 0.0 or allowed <= _ROUNDING * float(split.factor_variance)):
            return cls.neutral(strategy)
        if held is not None:
            rows = RiskRows.of(strategy, held)
            within = neutral_within(rows) if share == 0.0 else smallest_within(rows, share, costs)
            return cls(strategy, held.hedge(within))
        f = strategy.model.factor_covariance.to_numpy()
        return cls(strategy, exposures_within(np.asarray(b, dtype=np.float64), f, allowed, costs) - b)

    @classmethod
    def minimum_variance(
        cls, strategy: Portfolio, instruments: Sequence[Any], *, panel: ReturnPanel | None = None
    ) -> Self:
        r"""Return the hedge in some instruments that leaves the least variance under the model, B F B' + D.

        The model says all of it, loadings, factor covariance and idio variances, with what links residuals. It is no
        regression of the strategy's returns on those of the instruments: where residuals of two assets are correlated
        in the sample and not linked, the model takes them as uncorrelated, and `regression` does not.

        Parameters
        ----------
        strategy : Portfolio
            What is hedged.
        instruments : sequence of labels or portfolios of assets
            Assets add their own idio variance, so they do not hedge fully.
        panel : ReturnPanel, optional
            Returns to check the hedge against a regression with, and to show its realised volatility.

        Raises
        ------
        UnknownAssetError
            For a label that is neither a factor nor an asset.
        SingularCovarianceError
            If one instrument is a combination of the others.
        InvalidParameterError
            If there are none.

        Warns
        -----
        HedgesDifferWarning
            Where, on `panel`, this hedge is outside of the 95 % region of the regression's (White's errors, HC3), and
            realises a volatility larger by a tenth or more.

        Notes
        -----
        :math:`h = -\Sigma_{II}^{-1} \Sigma_{Is}` with :math:`\Sigma = B F B^\top + D` of the model, for assets and
        factors alike: the minimum-variance hedge of Ederington [1]_ with the model's covariances in place of the
        sample's.

        References
        ----------
        .. [1] Ederington, L. H. (1979). The Hedging Performance of the New Futures Markets. *Journal of Finance*
           34(1), 157-170.
        """
        held = HeldInstruments.read(instruments, require_portfolio(strategy, "strategy").model)
        weights = held.least_variance(floats(strategy.exposures), strategy.weights)
        if panel is not None:
            warn_if_apart(ReturnRegression.of(strategy, held, panel), weights, held.labels, strategy.horizon)
        return cls(strategy, held.hedge(weights), panel)

    @classmethod
    def regression(cls, strategy: Portfolio, instruments: Sequence[Any], panel: ReturnPanel) -> Self:
        """Return the hedge as the returns saw it: minus the slopes of the strategy on the instruments.

        Least squares with a constant, on the dates on which all have returns, weighted equally. The model has no say
        in the hedge; it says what the hedged portfolio's risk is. `rm.HedgeComparison` puts it beside the model's, with
        standard errors and intervals.

        Parameters
        ----------
        strategy : Portfolio
            What is hedged.
        instruments : sequence of labels or portfolios of assets
            What the hedge holds.
        panel : ReturnPanel
            At the model's horizon; its realised volatility is shown.

        Raises
        ------
        TooFewObservationsError
            For no more dates than parameters.
        SingularCovarianceError
            If one instrument's returns are constant, or a combination of the others'.
        HorizonMismatchError, UnknownAssetError, UnknownFactorError
            As for `excess_returns`.

        Warns
        -----
        MissingDatesWarning
            Where dates without a return are left out.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["XOM", "CVX"], ["Mkt-RF"])
        >>> xom = rm.Strategy({"XOM": 1.0}, rm.OLS().fit(panel))
        >>> rm.HedgedPortfolio.minimum_variance(xom, ["CVX"]).hedge_weights.round(3).to_dict()
        {'CVX': -0.414}
        >>> rm.HedgedPortfolio.regression(xom, ["CVX"], panel).hedge_weights.round(3).to_dict()
        {'CVX': -0.787}
        """
        held = HeldInstruments.read(instruments, require_portfolio(strategy, "strategy").model)
        return cls(strategy, held.hedge(-ReturnRegression.of(strategy, held, panel).slopes), panel)

    # -- what it holds -----------------------------------------------------------------------------

    def __repr__(self) -> str:
        text = f"HedgedPortfolio of {self._strategy!r} with {len(self._hedge)} hedge legs"
        text += self._beside(self._realised)
        paper = self.paper_legs
        if len(paper):
            text += f"; {labels.listing(paper.index)}: published on paper, no security"
        return f"<{text}>"

    @property
    def paper_legs(self) -> pd.Series[float]:
        """The hedge in long-short portfolios that a provider publishes, such as SMB: no one security is that.

        They hold thousands of stocks, long and short. Trade them with `instruments`, or by a `MimickingPortfolio`.
        A published market factor is not among them: index funds and futures trade it.
        """
        legs = pd.Series(self._by_factor(), self.model.factors, name="hedge_weight")[on_paper(self.model)]
        return legs[legs != 0]

    @property
    def strategy(self) -> Portfolio:
        """The strategy without any hedge."""
        return self._strategy

    @property
    def hedge_weights(self) -> pd.Series[float]:
        """Hedge by factor or instrument, dollars per dollar of strategy."""
        return self._hedge.copy()

    @property
    def model(self) -> FactorModel:
        """The factor model of the assets."""
        return self._strategy.model

    @property
    def weights(self) -> pd.Series[float]:
        """Weight by asset of strategy and hedge, with the assets of factors that are portfolios."""
        return self._weights.copy()

    @property
    def legs(self) -> pd.Series[float]:
        """Weight by factor of positions in factors themselves, of hedge and strategy."""
        return self._legs.copy()

    @cached_property
    def _legs(self) -> pd.Series[float]:
        in_assets = [isinstance(f, PortfolioFactor) for f in self.model.definitions]
        return self._strategy.legs + np.where(in_assets, 0.0, self._by_factor())

    @cached_property
    def _weights(self) -> pd.Series[float]:
        assets = self._hedge[~self._hedge.index.isin(self.model.factors)]
        held = add_weights(self._strategy.weights, assets)
        legs = Legs.of(self.model) if self._holds_portfolios() else None
        return (held if legs is None else add_weights(held, legs.in_assets(self._by_factor()))).rename("weight")

    def _by_factor(self) -> Array:
        """The hedge in factors, shape (K,)."""
        return np.asarray(self._hedge.reindex(self.model.factors, fill_value=0.0), dtype=np.float64)

    def _holds_portfolios(self) -> bool:
        definitions = self.model.definitions
        return any(isinstance(f, PortfolioFactor) and h for f, h in zip(definitions, self._by_factor(), strict=True))

    def _alone_before_hedge(self) -> float:
        return self._strategy._alone

    def _choices(self) -> int:
        return int(np.count_nonzero(self._hedge))

    def _held_legs(self) -> pd.Series[float]:
        return self.legs

    def _own_cash(self) -> float:
        return self.cash_weight


def _or_factors(instruments: Sequence[Any] | None, strategy: Portfolio) -> Sequence[Any]:
    return strategy.model.factors.to_list() if instruments is None else instruments
