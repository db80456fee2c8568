"""How sure: standard errors and intervals of the figures of a model and of its portfolios."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import Factory, evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_probability
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError, NotEstimatedError, UnknownAssetError
from riskmodel.horizon import Horizon, require_same
from riskmodel.inference.agreement import require_regression, require_same_factors
from riskmodel.inference.alphas import Alphas
from riskmodel.inference.asset_gradient import terms_of
from riskmodel.inference.bounds import Spread, Symmetric
from riskmodel.inference.capped import CappedFigures, binding_of, read_costs
from riskmodel.inference.contributions import ContributionFigures
from riskmodel.inference.covariance.base import LongRunCovariance
from riskmodel.inference.covariance.classical import Classical
from riskmodel.inference.covariance.cosine import Cosine
from riskmodel.inference.dollars import AtCapacity, OfPosition
from riskmodel.inference.estimand import LONG_RUN, THIS_WINDOW, Estimand, require_estimand
from riskmodel.inference.figure import Figure
from riskmodel.inference.figures import PortfolioFigures
from riskmodel.inference.fitted import Fitted
from riskmodel.inference.hedge_rule import RuleHedge
from riskmodel.inference.instruments import InstrumentHedge
from riskmodel.inference.interval import Interval
from riskmodel.inference.joint import Joint
from riskmodel.inference.long_run import long_run_volatility
from riskmodel.inference.next_month import next_month
from riskmodel.inference.normal_losses import NormalLosses
from riskmodel.inference.of_model import ModelFigures, one_number
from riskmodel.inference.residual_correlations import residual_correlations
from riskmodel.inference.stability import Stability
from riskmodel.inference.std_errors import std_errors, summary_errors
from riskmodel.inference.tables import differences, table_of
from riskmodel.inference.time_scaling import TimeScaling
from riskmodel.inference.track_record import TrackRecord
from riskmodel.inference.windows import TwoWindows, in_model
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import Panel
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio
from riskmodel.portfolio.position import Position
from riskmodel.portfolio.strategy import Strategy


def _require_covariance(_: Any, __: Any, value: Any) -> None:
    require(value, LongRunCovariance, "covariance", "such as rm.Cosine() or rm.HAC()")  # type: ignore[type-abstract]


@final
@frozen(eq=False, repr=False)
class Inference(Listed):
    r"""Standard errors and intervals of a regression model's figures, by one mechanism.

    Each parameter has an influence function: what each date adds to its error. A figure's is their sum with the
    gradient of the figure, and its variance is what `covariance` says of a sum over dates [1]_. So alphas, betas,
    volatilities, shares and Sharpe ratios of single assets and of portfolios, with equal or decaying weights of dates,
    and of assets that have different dates, all get their errors in the same way.

    Made by `of`.

    Attributes
    ----------
    model : FactorModel
        Estimated by `OLS` or `EWMA`.
    panel : Panel
        What it was estimated on.
    covariance : LongRunCovariance
        How variances of sums over dates are estimated.

    References
    ----------
    .. [1] Newey, W. K. and McFadden, D. (1994). Large Sample Estimation and Hypothesis Testing. *Handbook of
       Econometrics* 4, chapter 36, sections 3 and 6.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> inference = rm.Inference.of(model, panel)
    >>> table = inference.table(rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, model))
    >>> table.loc[["exposure Mkt-RF", "factor share"], ["low", "estimate", "high"]].round(2)
                      low  estimate  high
    figure
    exposure Mkt-RF  1.25      1.30  1.36
    factor share     0.65      0.67  0.70
    """

    model: FactorModel
    panel: Panel
    covariance: LongRunCovariance = field(validator=_require_covariance)
    _fitted: Fitted = field(init=False, default=Factory(lambda self: Fitted(self.model, self.panel), takes_self=True))

    @classmethod
    def of(cls, model: FactorModel, panel: Panel, covariance: LongRunCovariance | None = None) -> Self:
        """Make it of a model and the panel that it was fitted on.

        Parameters
        ----------
        model : FactorModel
            Of `OLS` or `EWMA`, at the horizon of the panel.
        panel : Panel
            The one passed to fit. Only the assets of a portfolio are brought into memory.
        covariance : LongRunCovariance, optional
            By default `Cosine`.

        Raises
        ------
        NotEstimatedError
            For a model without a regression (one of given numbers, or of cross-sections or components), one whose
            parameters are not those of its regression (shrunk, of another factor covariance, with a prior), or one
            that was fitted on another panel.
        HorizonMismatchError
            If the model is at another horizon than the panel.
        """
        require(model, FactorModel, "model", "rm.Inference.of(model, panel) takes the model first")
        require(panel, Panel, "panel", "the one that the model was fitted on")  # type: ignore[type-abstract]
        require_same(model.horizon, panel.horizon, "a model and its panel")
        require_regression(model)
        inference = cls(model, panel, Cosine() if covariance is None else covariance)
        require_same_factors(model, inference._fitted.of_factors)
        return inference

    def __repr__(self) -> str:
        return f"<Inference of {self.model!r} with {self.covariance!r}>"

    def std_errors(self) -> pd.DataFrame:
        """Standard errors of all alphas and loadings, assets × (``alpha``, factors); alpha's in decimals per horizon.

        NaN for assets that others stand in for (`FactorModel.proxies`).

        Raises
        ------
        NotEstimatedError
            If the panel is not the one that the model was fitted on.
        """
        regressed = self._regressed
        errors = std_errors(regressed, self.panel, self.covariance)
        table = pd.DataFrame(errors, regressed.assets.copy(), pd.Index(["alpha", *self.model.factors]))
        return table if regressed is self.model else table.reindex(self.model.assets)

    def summary(self, asset: Any) -> Any:
        """Return the regression of one asset as statsmodels prints it, with the errors of this inference.

        As `FactorModel.summary`, which prints classical errors. t values, p values, intervals and the F test follow.

        Parameters
        ----------
        asset : label
            One of the model's.

        Returns
        -------
        statsmodels.iolib.summary.Summary
            To ``print``.

        Raises
        ------
        UnknownAssetError
            If the asset is not in the model.
        NotEstimatedError
            If the panel is not the one that the model was fitted on.
        """
        labels.positions([asset], self.model.assets, "asset", UnknownAssetError)
        self._some_regressed([asset])
        panel = self._fitted.select([asset])
        if isinstance(self.covariance, Classical):
            return self.model.summary(asset, panel)
        one = self.model.restrict([asset])
        fit: Any = one.regression
        robust = summary_errors(one, panel, self.covariance)
        return fit._summary(asset, panel, lambda whole: whole.returns_of(one.definitions), robust)

    def table(
        self,
        portfolio: Portfolio | Position,
        level: float = 0.95,
        *,
        budget: RiskBudget | None = None,
        joint: Joint | None = None,
        tail: float = 0.99,
    ) -> pd.DataFrame:
        r"""Return the figures of a portfolio or position with standard errors and intervals.

        Weights, a hedge that is held, and the dollars of a position are given numbers: for a hedged portfolio,
        exposures are those that the hedge leaves. The table of a `Strategy` also says what its neutral hedge is, and
        how the strategy would do with it. A portfolio's idio variance is the model's, :math:`\sum_i w_i^2 d_i`; in
        ``r squared`` the residuals of assets are as correlated as they were, on dates on which all have a return.

        Parameters
        ----------
        portfolio : Portfolio or Position
            In this model, possibly at another horizon.
        level : float
            Probability with which each interval covers, between 0 and 1.
        budget : RiskBudget, optional
            To add ``capacity``, dollars that it allows, and the PnL to expect of these over the budget's horizon; for a
            strategy also with its neutral hedge.
        joint : Joint, optional
            `Bonferroni` or `SupT` for intervals that cover all at once with that probability; by default each alone.
        tail : float
            Level of ``value at risk`` and ``expected shortfall``, between 0 and 1: losses are below the former with
            this probability if returns are normal. `NormalTails` has the same, other methods fatter tails.

        Returns
        -------
        DataFrame
            Rows ``alpha``, ``expected excess return``, ``exposure <factor>``, ``hedge <factor>``, ``factor share``,
            ``r squared``, ``volatility``, ``sharpe``, ``hedged volatility``, ``hedged volatility, new dates``,
            ``hedged sharpe``, ``information ratio``, ``value at risk``, ``expected shortfall``; with a budget
            ``capacity``, ``expected pnl at capacity``, ``factor-adjusted pnl at capacity``, ``hedged capacity``,
            ``hedged pnl at capacity``; of a position ``dollar volatility``, ``expected pnl``, ``factor-adjusted pnl``,
            ``dollar value at risk``, ``dollar expected shortfall``.
            Columns ``estimate``, ``std_error``, ``low``, ``high``, ``of``.

            Per the portfolio's horizon; PnL is over that of the budget or the position. The expected excess
            return is without the risk-free rate. On new dates, the error of the hedge adds to the volatility.

        Raises
        ------
        InvalidParameterError
            For a portfolio of another model, a level or tail that is no probability, or a position with a budget.
        NotEstimatedError
            If the panel is not the one that the model was fitted on.
        """
        chosen, beyond = require_probability(level, "level"), require_probability(tail, "tail")
        together = joint if joint is None else require(joint, Joint, "joint", "such as rm.SupT()")  # type: ignore[type-abstract]
        position = portfolio if isinstance(portfolio, Position) else None
        held = portfolio.portfolio if isinstance(portfolio, Position) else require_portfolio(portfolio, "portfolio")
        figures = self._figures(held)
        dollars = _dollars(figures, position, budget, beyond)
        return table_of(figures, [*figures, *NormalLosses(figures, held.horizon, beyond), *dollars], chosen, together)

    def contributions(self, portfolio: Portfolio, level: float = 0.95) -> pd.DataFrame:
        """Return the shares of factors, and of holdings, in a portfolio's variance, with intervals.

        They are the contributions of `RiskDecomposition` over the variance, which are also those to the volatility over
        the volatility. Each kind sums to one.

        Parameters
        ----------
        portfolio : Portfolio
            In this model.
        level : float
            Probability with which each interval covers, between 0 and 1.

        Returns
        -------
        DataFrame
            Columns as of `table`; by ``"factor"`` and label, with ``"idio"``, then by ``"asset"`` and label, with the
            legs of a hedge.

        Raises
        ------
        InvalidParameterError
            For a portfolio of another model, or a level that is no probability.
        NotEstimatedError
            If the panel is not the one that the model was fitted on, or for classical errors.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
        >>> model = rm.OLS().fit(panel)
        >>> book = rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, model)
        >>> rm.Inference.of(model, panel).contributions(book)[["low", "estimate", "high"]].round(2)
                        low  estimate  high
        by     name
        factor Mkt-RF  0.65      0.67  0.70
               idio    0.30      0.33  0.35
        asset  MSFT    0.40      0.42  0.44
               JPM     0.56      0.58  0.60
        """
        chosen = require_probability(level, "level")
        return ContributionFigures.of(self._fitted, portfolio, self.covariance).table(chosen)

    def hedge(
        self, strategy: Portfolio, rule: Callable[[Portfolio], HedgedPortfolio], level: float = 0.95
    ) -> pd.DataFrame:
        """Return the figures of a strategy with a hedge that a rule reads off the model.

        The hedge is not a given number here: it is estimated with the model. Its gradient is computed numerically, as
        that of `interval`.

        Parameters
        ----------
        strategy : Portfolio
            In this model.
        rule : callable
            ``rule(portfolio)``, a `HedgedPortfolio` of the portfolio that it is given, and a smooth function of its
            model: ``lambda p: rm.HedgedPortfolio.neutral(p, ["XLE"])``. Where a limit of a hedge binds or not from one
            model to the next, intervals of its weights are those on this side of the limit.
        level : float
            Probability with which each interval covers, between 0 and 1.

        Returns
        -------
        DataFrame
            As of `table`: rows ``hedge <instrument>``, ``expected excess return``, ``volatility`` and ``sharpe``.

        Raises
        ------
        TooLargeError
            For instruments that hold so many assets that the gradient takes more than 20,000 evaluations.
        InvalidParameterError
            For a rule that is none, a portfolio of another model, or a level that is no probability.
        NotEstimatedError
            If the panel is not the one that the model was fitted on, or for classical errors.
        RiskModelError
            As the rule raises.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["XOM", "CVX", "KO"], ["Mkt-RF"])
        >>> model = rm.OLS().fit(panel)
        >>> inference = rm.Inference.of(model, panel)
        >>> table = inference.hedge(rm.Strategy({"XOM": 1.0}, model), lambda p: rm.HedgedPortfolio.neutral(p, ["CVX"]))
        >>> table.loc[["hedge CVX"], ["low", "estimate", "high"]].round(2)
                   low  estimate  high
        figure
        hedge CVX -1.0     -0.97 -0.93
        """
        chosen = require_probability(level, "level")
        self._figures(strategy)
        return RuleHedge.of(self._fitted, strategy, rule, self.covariance).table(strategy, chosen)

    def neutral(
        self, strategy: Portfolio, instruments: Sequence[Any], level: float = 0.95, *, target: Any = None
    ) -> pd.DataFrame:
        """Return the figures of a strategy with its neutral hedge in some instruments.

        As `hedge` of `HedgedPortfolio.neutral`. For the hedge in the factors themselves see `table`.

        Parameters
        ----------
        strategy : Portfolio
            In this model.
        instruments, target
            As of `HedgedPortfolio.neutral`.
        level : float
            Probability with which each interval covers, between 0 and 1.

        Raises
        ------
        RiskModelError
            As `hedge` and `HedgedPortfolio.neutral` do.

        Warns
        -----
        ExposureLeftWarning
            Where the instruments cannot bring all exposures to the target.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["XOM", "CVX", "KO"], ["Mkt-RF"])
        >>> model = rm.OLS().fit(panel)
        >>> table = rm.Inference.of(model, panel).neutral(rm.Strategy({"XOM": 1.0}, model), ["CVX", "KO"])
        >>> table.filter(like="hedge", axis=0)[["low", "estimate", "high"]].round(2)
                    low  estimate  high
        figure
        hedge CVX -0.75     -0.71 -0.67
        hedge KO  -0.45     -0.42 -0.40
        """
        return self.hedge(strategy, lambda p: HedgedPortfolio.neutral(p, instruments, target=target), level)

    def capped(
        self,
        strategy: Strategy,
        cap: float,
        level: float = 0.95,
        *,
        cost: Any = None,
        instruments: Sequence[Any] | None = None,
    ) -> pd.DataFrame:
        """Return the figures of a strategy with the smallest hedge that keeps the factor share at a cap.

        The hedge is not a given number here: it is estimated with the exposures, as
        `HedgedPortfolio.with_factor_share` does. Where the interval of the share contains the cap, intervals of the
        hedge contain zero.

        Parameters
        ----------
        strategy : Strategy
            In this model, whose factors are tradable and no portfolios of assets.
        cap : float
            The largest share, above 0 and below 1; for the neutral hedge see `table`.
        level : float
            Probability with which each interval covers.
        cost : Series by instrument, mapping, or array of shape (M,), optional
            As in `with_factor_share`.
        instruments : sequence of labels or portfolios of assets, optional
            What the hedge may hold; by default the factors. Where the cap does not bind, but may by the interval of
            the share, errors of weights in instruments are not known: they are NaN.

        Returns
        -------
        DataFrame
            As of `table`: rows ``hedge <instrument>``, ``expected excess return``, ``volatility`` and ``sharpe``.

        Raises
        ------
        InvalidParameterError
            For a cap, cost or portfolio that does not fit.
        NotEstimatedError
            For factors that are portfolios of assets, or a strategy without idio risk; in instruments also for
            classical errors.
        """
        chosen = require_probability(level, "level")
        figures = self._figures(require(strategy, Strategy, "strategy", "rm.Strategy(weights, model)"))
        if instruments is not None:
            return self._capped_in(strategy, require_probability(cap, "cap"), chosen, cost, instruments)
        HedgedPortfolio.with_factor_share(strategy, require_probability(cap, "cap"), cost)
        if not figures.has_hedge or not figures.idio > 0 or not len(figures.exposures):
            raise NotEstimatedError(
                "expected a strategy with idio risk in a model of tradable factors that are no portfolios of assets, "
                f"got {strategy!r}; the table of a HedgedPortfolio says how sure its figures are with the hedge given."
            )
        held = CappedFigures(figures, float(cap), read_costs(cost, self.model.factors), chosen)
        return table_of(figures, held, chosen)

    def _capped_in(self, strategy: Strategy, cap: float, level: float, cost: Any, instruments: Any) -> pd.DataFrame:
        """Figures with the smallest hedge in some instruments."""
        binding = binding_of(self._figures(strategy), cap, level)
        found = RuleHedge.of(
            self._fitted,
            strategy,
            lambda p: HedgedPortfolio.with_factor_share(p, cap, cost, instruments=instruments),
            self.covariance,
        )
        return found.table(strategy, level, binding)

    def minimum_variance(self, strategy: Portfolio, instruments: Sequence[Any], level: float = 0.95) -> pd.DataFrame:
        """Return the figures of a strategy with its hedge in some instruments of least variance under the model.

        The hedge of `HedgedPortfolio.minimum_variance` is not a given number here: it is estimated with the model.

        Parameters
        ----------
        strategy : Portfolio
            In this model.
        instruments : sequence of labels
            Factors or assets of the model.
        level : float
            Probability with which each interval covers, between 0 and 1.

        Returns
        -------
        DataFrame
            As of `table`: rows ``hedge <instrument>``, ``expected excess return``, ``sharpe`` and ``volatility``.

        Raises
        ------
        UnknownAssetError, SingularCovarianceError
            As `HedgedPortfolio.minimum_variance` does.
        InvalidParameterError
            For a portfolio of another model, or a level that is no probability.
        NotEstimatedError
            If the panel is not the one that the model was fitted on, or for classical errors.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["XOM", "CVX", "KO"], ["Mkt-RF"])
        >>> model = rm.OLS().fit(panel)
        >>> inference = rm.Inference.of(model, panel)
        >>> table = inference.minimum_variance(rm.Strategy({"XOM": 1.0}, model), ["CVX", "KO"])
        >>> table.filter(like="hedge", axis=0)[["low", "estimate", "high"]].round(2)
                    low  estimate  high
        figure
        hedge CVX -0.39     -0.35 -0.32
        hedge KO  -0.27     -0.24 -0.21
        """
        chosen = require_probability(level, "level")
        return InstrumentHedge.of(self._fitted, strategy, instruments, self.covariance).table(chosen)

    def difference(
        self, first: Portfolio, second: Portfolio, level: float = 0.95, *, tail: float = 0.99
    ) -> pd.DataFrame:
        """Return first less second: the figures that both have, with standard errors and intervals.

        The two are compared on the same dates, so what moves both cancels.

        Parameters
        ----------
        first, second : Portfolio
            In this model, at one horizon.
        level : float
            Probability with which each interval covers.
        tail : float
            As in `table`.

        Returns
        -------
        DataFrame
            As of `table`, without dollars. Intervals are symmetric.
        """
        chosen, beyond = require_probability(level, "level"), require_probability(tail, "tail")
        require_same(
            require_portfolio(first, "first").horizon, require_portfolio(second, "second").horizon, "two portfolios"
        )
        ours, theirs = self._figures(first), self._figures(second)
        some, others = ([*f, *NormalLosses(f, first.horizon, beyond)] for f in (ours, theirs))
        return differences(ours, theirs, some, others, chosen)

    def change(
        self, before: Inference, portfolio: Portfolio, level: float = 0.95, *, tail: float = 0.99
    ) -> pd.DataFrame:
        """Return a portfolio's figures in this window less those of the same weights in another one.

        Dates that are in one window only are independent of the other's. Those in both add the difference of what they
        add to each, so overlapping windows are treated rightly.

        Parameters
        ----------
        before : Inference
            Of a model of the same factors and of the assets held, from another window at the same horizon.
        portfolio : Portfolio
            In the model of this inference. Its weights, and a hedge that it holds, are the same before.
        level : float
            Probability with which each interval covers, between 0 and 1.
        tail : float
            As in `table`.

        Returns
        -------
        DataFrame
            As of `difference`. Rows about this window are the change of the average from one window to the other.

        Raises
        ------
        HorizonMismatchError
            For panels at two horizons.
        InvalidParameterError
            For models of other factors, or a portfolio of another model.
        UnknownAssetError
            If the model before lacks an asset.
        NotEstimatedError
            For windows of which fewer than 30 dates are in one only, or for classical errors of overlapping windows.

        Examples
        --------
        >>> import riskmodel as rm
        >>> data = rm.SampleData()
        >>> was, now = (data.panel(["XOM"], ["Mkt-RF"], start=year, end=year) for year in ("2007", "2017"))
        >>> models = [rm.OLS().fit(panel) for panel in (was, now)]
        >>> before, after = (rm.Inference.of(*pair) for pair in zip(models, (was, now)))
        >>> change = after.change(before, rm.Strategy({"XOM": 1.0}, models[1]))
        >>> change.loc[["exposure Mkt-RF", "factor share"], ["low", "estimate", "high"]].round(2)
                          low  estimate  high
        figure
        exposure Mkt-RF -0.80     -0.58 -0.36
        factor share    -0.61     -0.49 -0.38
        """
        chosen, beyond = require_probability(level, "level"), require_probability(tail, "tail")
        other = require(before, Inference, "before", "rm.Inference.of(model, panel) of the other window")
        require_same(self.model.horizon, other.model.horizon, "two windows")
        ours = self._figures(require_portfolio(portfolio, "portfolio"))
        theirs = PortfolioFigures.of(other._fitted, in_model(portfolio, other.model), self.covariance)
        some, others = ([*f, *NormalLosses(f, portfolio.horizon, beyond)] for f in (ours, theirs))
        windows = TwoWindows.of(self.panel.dates, other.panel.dates)
        return differences(ours, theirs, some, others, chosen, less=windows.less)

    def residual_correlations(self, assets: Any = None, level: float = 0.95) -> pd.DataFrame:
        """Return the correlations of the residuals of pairs of assets, which the model takes as zero, with intervals.

        Intervals are of Fisher's z, robust to residuals that are volatile on the same dates.

        Parameters
        ----------
        assets : sequence of labels, optional
            By default all.
        level : float
            Probability with which each interval covers, between 0 and 1.

        Returns
        -------
        DataFrame
            Columns as of `table`, by pair; NaN for pairs with too few common dates. Estimates are those of
            `CovarianceComparison.residual_correlation`.

        Raises
        ------
        TooLargeError
            For more than 20,000 pairs.
        UnknownAssetError
            For labels that the model does not have.
        NotEstimatedError
            If the panel is not the one that the model was fitted on.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["XOM", "CVX", "KO"], ["Mkt-RF"])
        >>> inference = rm.Inference.of(rm.OLS().fit(panel), panel)
        >>> inference.residual_correlations()[["low", "estimate", "high"]].round(2)
                       low  estimate  high
        first second
        XOM   CVX     0.67      0.70  0.72
              KO      0.08      0.13  0.18
        CVX   KO      0.02      0.07  0.12
        """
        chosen = require_probability(level, "level")
        held = self._some_regressed(assets)
        return residual_correlations(self._fitted, held, self.covariance, chosen)

    def interval(
        self,
        figure: Callable[[FactorModel], float],
        level: float = 0.95,
        *,
        of: Estimand | None = None,
        assets: Any = None,
    ) -> Interval:
        """Return the interval of a figure of your own: any smooth function of the model.

        Its gradient is computed numerically, a thousandth of a standard error to either side of each parameter.

        Parameters
        ----------
        figure : callable
            ``figure(model)``, a number.
        level : float
            Probability with which the interval covers.
        of : Estimand, optional
            ``rm.LONG_RUN`` or ``rm.THIS_WINDOW``; by default the long run where the figure depends on alphas or on the
            mean of the factors, otherwise this window. Of the long-run volatility no interval from a few years covers
            as often as it says, because volatility clusters.
        assets : sequence of labels, optional
            The assets on whose parameters the figure depends; by default all.

        Raises
        ------
        TooLargeError
            For so many assets that the gradient takes more than 20,000 evaluations.
        InvalidParameterError
            For a figure that is no function of the model, or not finite.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
        >>> model = rm.OLS().fit(panel)
        >>> gap = rm.Inference.of(model, panel).interval(
        ...     lambda m: m.loadings.loc["JPM", "Mkt-RF"] - m.loadings.loc["MSFT", "Mkt-RF"])
        >>> print(gap)
        0.457 [0.33, 0.584]
        """
        chosen = require_probability(level, "level")
        held = self._some(assets)
        at = labels.positions(held.assets, self.model.assets, "asset", UnknownAssetError)
        own = ModelFigures.of(one_number(figure), self.model, at)
        value, moves = float(own.estimates[0]), bool(own.move_with_means[0])
        estimand = require_estimand(of) or (LONG_RUN if moves else THIS_WINDOW)
        terms = terms_of(own.gradients, self._fitted, held, self.covariance.leverage_power)[0]
        spread = Spread.of(terms, self.covariance.about(estimand))
        error, low, high = Symmetric(value).ends(spread, chosen)
        return Interval(value, error, low, high, chosen, estimand)

    def _some(self, assets: Any) -> FactorModel:
        """The model of some assets, by default all."""
        if assets is None:
            return self.model
        named = labels.unique(assets, "assets")
        if not len(named):
            raise InvalidParameterError(
                "expected assets with at least one label, got none; pass labels, or leave assets out for all.",
                parameter="assets",
                value=assets,
            )
        return self.model.restrict(named.to_list())

    @property
    def _regressed(self) -> FactorModel:
        """The model of the assets that have regressions of their own."""
        proxied = self.model._proxies
        return self.model.restrict([a for a in self.model.assets if a not in proxied]) if proxied else self.model

    def _some_regressed(self, assets: Any) -> FactorModel:
        """The model of some assets that have regressions of their own, by default all of these."""
        held = self._regressed if assets is None else self._some(assets)
        proxied = [asset for asset in held.assets if asset in self.model._proxies]
        if proxied:
            raise NotEstimatedError(
                f"expected assets with regressions of their own, got {labels.listing(proxied)}, which others stand in "
                "for, so that nothing is known of its alpha and residuals; leave it out.",
                assets=proxied,
            )
        return held

    def alphas(self, assets: Any = None) -> Alphas:
        """Return the alphas of assets with their joint covariance, to test whether they are luck.

        Parameters
        ----------
        assets : sequence of labels, optional
            By default all: the covariance has the square of their number.

        Raises
        ------
        UnknownAssetError
            For labels that the model does not have.
        NotEstimatedError
            If the panel is not the one that the model was fitted on, or for classical errors of assets with different
            dates.
        """
        held = self._some_regressed(assets)
        return Alphas.of(held, self._fitted.select(held.assets), self.covariance)

    def track_record(self, portfolio: Portfolio, confidence: float = 0.95) -> TrackRecord:
        """Return how many returns it takes to tell the alpha of a portfolio from zero.

        It is of the alpha of the model and the residuals on the dates on which all of its assets have one, weighted
        equally.

        Parameters
        ----------
        portfolio : Portfolio
            In this model.
        confidence : float
            Probability that the alpha is positive, between 0 and 1.

        Raises
        ------
        InvalidParameterError
            For a portfolio without risk but rounding error.
        """
        _require_risk(portfolio)
        residuals, alpha = self._fitted.residuals(portfolio)
        # where assets have different dates, residuals of the common ones have a mean
        known = residuals[~np.isnan(residuals)]
        return TrackRecord.of(known - known.mean() + alpha if len(known) else known, confidence=confidence)

    def long_run_volatility(self, portfolio: Portfolio, level: float = 0.95) -> Interval:
        """Return the interval of a portfolio's volatility as ever longer windows would estimate it.

        It is several times as wide as that of this window in `table`, because a window holds few clusters of
        volatility, and it is meant for rows of days.

        Parameters
        ----------
        portfolio : Portfolio
            In this model.
        level : float
            Probability with which the interval covers.

        Returns
        -------
        Interval
            Per the portfolio's horizon.

        Raises
        ------
        NotEstimatedError
            For fewer than 1,260 dates: no method covers from fewer.
        """
        chosen = require_probability(level, "level")
        figures = self._figures(portfolio)
        figure = figures.volatility()
        found = long_run_volatility(figure, figures.linear_terms([figure])[0], chosen)
        return self._at(found, portfolio.horizon)

    def next_month(self, portfolio: Portfolio, level: float = 0.95) -> Interval:
        """Return the range that the volatility of the month to come is expected in.

        It is much wider than the interval of the volatility of this window: volatility moves. The range is that of past
        months' realised volatilities over those of the year before each, times that of the last year, which is the
        estimate.

        Parameters
        ----------
        portfolio : Portfolio
            In this model. Its weights, and a hedge that it holds, are kept over the past.
        level : float
            Probability with which next month's realised volatility is in the range.

        Returns
        -------
        Interval
            Per the portfolio's horizon; `Interval.std_error` is half the range that two outcomes in three are in.

        Raises
        ------
        NotEstimatedError
            For fewer than 19 months after the first year, fewer than the level needs (39 for 0.95), or rows so long
            that a month has fewer than five.
        """
        chosen, held = require_probability(level, "level"), require_portfolio(portfolio, "portfolio")
        found = next_month(self._fitted.returns(held), self.model.horizon, chosen)
        return self._at(found, held.horizon)

    def time_scaling(self, portfolio: Portfolio, to: Horizon) -> TimeScaling:
        """Return how a portfolio's volatility and Sharpe ratio grow with the horizon, from its autocorrelations.

        Parameters
        ----------
        portfolio : Portfolio
            In this model.
        to : Horizon
            A whole number of rows of the panel.

        Raises
        ------
        InvalidParameterError
            For a portfolio without risk but rounding error.
        """
        held = _require_risk(portfolio)
        return TimeScaling.of(self._fitted.returns(held), self.model.horizon, to=to)

    def stability(self, portfolio: Portfolio) -> Stability:
        """Test whether a portfolio's exposures and alpha are constant over the window.

        Parameters
        ----------
        portfolio : Portfolio
            In this model.

        Raises
        ------
        NotEstimatedError
            For weights of dates that decay, as these let exposures move; for no factors, more than ten, or too few
            dates.
        """
        fit: Any = self.model.regression
        if fit.decay_factor != 1.0:
            raise NotEstimatedError(
                "expected equal weights of dates, got ones that decay, under which exposures may move; fit rm.OLS()."
            )
        influence = self._figures(portfolio).influence
        return Stability._of(influence, self._fitted.residuals(portfolio)[0], self.panel.dates)

    # -- parts -------------------------------------------------------------------------------------

    def _at(self, interval: Interval, horizon: Horizon) -> Interval:
        """An interval of a volatility per row at another horizon."""
        grown = {
            name: self.model.horizon.scale_volatility(getattr(interval, name), to=horizon)
            for name in ("estimate", "std_error", "low", "high")
        }
        return evolve(interval, **grown)

    def _figures(self, portfolio: Portfolio) -> PortfolioFigures:
        return PortfolioFigures.of(self._fitted, portfolio, self.covariance)


def _require_risk(portfolio: Any) -> Portfolio:
    held = require_portfolio(portfolio, "portfolio")
    if held.is_riskless:
        raise InvalidParameterError(
            "expected a portfolio with risk, got one whose volatility is rounding error: nothing is known of it.",
            parameter="portfolio",
        )
    return held


def _dollars(
    figures: PortfolioFigures, position: Position | None, budget: RiskBudget | None, tail: float
) -> Iterable[Figure]:
    if budget is None:
        return () if position is None else OfPosition(figures, position, tail)
    limits = require(budget, RiskBudget, "budget", "such as rm.RiskBudget(1e6, rm.MONTH)")
    if position is not None:
        raise InvalidParameterError(
            "expected a position or a budget, got both: the dollars of a position are given; pass its portfolio for "
            "what the budget allows.",
            parameter="budget",
            got=budget,
        )
    return AtCapacity(figures, limits)
