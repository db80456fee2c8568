"""How sure the figures of a report are: an interval for each, and what that covers."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel._core.arrays import Array, floats
from riskmodel.analysis.realised import RealisedRisk
from riskmodel.errors import EstimationError, InvalidParameterError, NotEstimatedError
from riskmodel.estimation.rolling import Rolling
from riskmodel.horizon import WEEK, YEAR, Horizon
from riskmodel.inference.bounds import quantile
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.estimand import LONG_RUN, NEXT_MONTH, THIS_WINDOW, Estimand
from riskmodel.inference.inference import Inference
from riskmodel.inference.interval import Interval
from riskmodel.inference.next_month import last_year, next_month
from riskmodel.inference.rolling import RollingInference
from riskmodel.inference.rsquared import rsquared_ends
from riskmodel.inference.stability import Stability
from riskmodel.inference.time_scaling import TimeScaling
from riskmodel.inference.track_record import TrackRecord
from riskmodel.model.hedge_record import HedgeRecord
from riskmodel.model.history import ModelHistory
from riskmodel.model.instruments import HeldInstruments
from riskmodel.model.model import FactorModel
from riskmodel.panel.factors import PublishedFactor
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.gaps import WHOLE_WINDOW
from riskmodel.portfolio.portfolio import Portfolio
from riskmodel.portfolio.position import Position
from riskmodel.portfolio.strategy import Strategy

COVERED: tuple[tuple[Estimand, str], ...] = (
    (THIS_WINDOW, "the average over the dates of this report; exposures, hedges, shares and volatilities are of it"),
    (LONG_RUN, "the number that ever longer windows would come to; alphas, means and Sharpe ratios are of it"),
    (NEXT_MONTH, "what is realised in the month to come: an error of estimation, and what the month itself does"),
)
NEXT_MONTH_VOLATILITY = "volatility, next month"
UNHEDGED, CAPPED, HEDGED = "unhedged", "capped", "hedged"
# Figures of the portfolio with its neutral hedge, by what the table of the strategy calls them.
_OF_NEUTRAL = {
    "alpha": "alpha",
    "hedged volatility": "volatility",
    "hedged volatility, new dates": "volatility, new dates",
    "hedged sharpe": "sharpe",
    "hedged capacity": "capacity",
    "hedged pnl at capacity": "expected pnl at capacity",
}
_IN_DOLLARS = {"expected excess return": "expected pnl", "alpha": "factor-adjusted pnl"}
_COLUMNS = ["estimate", "std_error", "low", "high", "of"]
# The most assets whose alphas are tested together: the test has the square of their number.
_MOST_TESTED = 200
# The most assets whose R² has an interval, which takes milliseconds each.
_MOST_RSQUARED = 200
# Of the trends.
_MOST_WINDOWS = 60
# Of rows longer than a week, a year has too few to estimate exposures.
_LONG_WINDOW = Horizon(3 * YEAR.days)
# The strategy as the one asset of a panel.
_WHOLE_NAME = "portfolio"
_WHOLE = {_WHOLE_NAME: 1.0}


@final
@frozen(eq=False)
class Intervals:
    """The intervals of a report, each computed once. What no regression knows is missing, and `reason` says why."""

    portfolios: Mapping[str, Portfolio]
    positions: Mapping[str, Position | None]
    budget: RiskBudget
    panel: ReturnPanel
    cap: float | None
    level: float
    errors: LongRunCovariance

    @property
    def strategy(self) -> Portfolio:
        """The first portfolio: what is reported on."""
        return next(iter(self.portfolios.values()))

    @property
    def reason(self) -> str:
        """Why the model has no intervals; empty where it has."""
        return self._inferred if isinstance(self._inferred, str) else ""

    @cached_property
    def figures(self) -> pd.DataFrame:
        """Every figure that has an interval: rows (portfolio, figure), per the model's horizon."""
        parts = {name: self._figures_of(name, p) for name, p in self.portfolios.items()}
        table = pd.concat(parts, names=["portfolio", "figure"])
        return table.assign(level=self.level)[[*_COLUMNS[:-1], "level", "of"]]

    def of(self, name: str, figure: str) -> tuple[float, float]:
        """The ends of the interval of a figure of a portfolio, NaN where it has none."""
        if (name, figure) not in self.figures.index:
            return math.nan, math.nan
        low, high = floats(self.figures.loc[(name, figure), ["low", "high"]]).tolist()
        return low, high

    @cached_property
    def realised_risk(self) -> Mapping[str, RealisedRisk]:
        """The realised volatility of each portfolio that has two or more dates, beside its model's."""
        known = {name: p for name, p in self.portfolios.items() if self._returns[name].notna().sum() >= 2}
        return {name: RealisedRisk.of(p, self.panel, self.level) for name, p in known.items()}

    @cached_property
    def scaling(self) -> pd.DataFrame:
        """By portfolio and horizon: how volatility and Sharpe ratio grow with autocorrelation, beside √h."""
        rows = {}
        for name, p in self.portfolios.items():
            for to in dict.fromkeys((self.budget.horizon, YEAR)):
                found = None if p.is_riskless else self._scaling(name, to)
                if found is not None:
                    rows[(name, str(to))] = _scaled(p, found)
        columns = [
            "variance_ratio",
            "std_error",
            "pvalue",
            "volatility",
            "scaled_volatility",
            "sharpe",
            "scaled_sharpe",
        ]
        index = pd.MultiIndex.from_tuples(rows, names=["portfolio", "horizon"]) if rows else None
        return pd.DataFrame(list(rows.values()), index, columns)

    @cached_property
    def stability(self) -> Stability | None:
        """Whether the strategy's exposures, and its alpha, are constant; None where no test can say."""
        if isinstance(self._inferred, str):
            return None
        try:
            return self._inference.stability(self.strategy)
        except NotEstimatedError:
            return None

    @cached_property
    def track_record(self) -> TrackRecord | None:
        """How many returns it takes until the alpha's interval leaves zero out; None where it is not estimated."""
        if isinstance(self._inferred, str):
            return None
        try:
            return self._inference.track_record(self.strategy, 0.5 + 0.5 * self.level)
        except InvalidParameterError:  # no residuals
            return None

    def of_assets(self, held: FactorModel) -> AssetIntervals | None:
        """The intervals of all alphas and loadings; None where the model has none."""
        if isinstance(self._inferred, str):
            return None
        errors = floats(self._inference.std_errors().loc[held.assets])
        return AssetIntervals(held, errors, self._degrees(held), self.level)

    def of_rsquared(self, held: FactorModel) -> Array | None:
        """The ends of the interval of each R², N × 2; None where the model has none, and for more than 200 assets."""
        if isinstance(self._inferred, str) or len(held.assets) > _MOST_RSQUARED:
            return None
        return rsquared_ends(self._inference.model, held.assets, self.panel, self.errors, self.level)

    def of_least_variance(self, instruments: list[Any]) -> pd.DataFrame | None:
        """The hedge of least variance in instruments, estimated with the model; None where its errors are not known."""
        model, held = self.strategy.model, self.strategy
        inside = HeldInstruments.read(instruments, model).holdings.index
        try:
            own = Inference.of(
                model._with_peers([*held.weights.index.union(inside, sort=False)]), self.panel, self.errors
            )
            return own.minimum_variance(held, instruments, self.level)
        except NotEstimatedError:
            return None

    @cached_property
    def contributions(self) -> pd.DataFrame:
        """Shares of factors and holdings in the strategy's variance, as `Inference.contributions`; perhaps empty."""
        with contextlib.suppress(NotEstimatedError):
            if not isinstance(self._inferred, str):
                return self._inference.contributions(self.strategy, self.level)
        return pd.DataFrame(columns=_COLUMNS, index=pd.MultiIndex.from_arrays([[], []], names=["by", "name"]))

    def share_of(self, factor: Any) -> tuple[float, float]:
        """The ends of the interval of a factor's share in the strategy's variance, NaN where it has none."""
        found = self.contributions
        if ("factor", factor) not in found.index:
            return math.nan, math.nan
        low, high = floats(found[["low", "high"]])[found.index.get_loc(("factor", factor))].tolist()
        return low, high

    def of_pairs(self, pairs: pd.Index[Any]) -> dict[tuple[Any, Any], tuple[float, float]]:
        """Return the ends of the interval of the residual correlation of each pair, where it is known."""
        names = dict.fromkeys(name for pair in pairs for name in pair)
        if isinstance(self._inferred, str) or not names:
            return {}
        try:
            table = self._inference.residual_correlations(list(names), self.level)
        except NotEstimatedError:
            return {}
        ends: dict[tuple[Any, Any], tuple[float, float]] = {}
        for (a, b), (low, high) in zip(table.index.tolist(), floats(table[["low", "high"]]).tolist(), strict=True):
            ends[a, b] = ends[b, a] = (low, high)
        return ends

    @cached_property
    def alpha_tests(self) -> pd.DataFrame:
        """Tests that all alphas of the holdings are zero: ``statistic`` and ``pvalue`` by test.

        ``joint`` with the report's errors, and ``grs`` for normal returns. Empty for one asset, for more than 200, and
        where the model has no errors; a test that the data do not allow is left out.
        """
        names = self.strategy.weights.index.difference(list(self.strategy.model._proxies), sort=False)
        rows = {}
        if not isinstance(self._inferred, str) and 2 <= len(names) <= _MOST_TESTED:
            alphas = self._inference.alphas(names.tolist())
            for name, test in (("joint", alphas.joint), ("grs", alphas.grs)):
                with contextlib.suppress(NotEstimatedError):
                    found = test()
                    rows[name] = [found.statistic, found.pvalue]
        return pd.DataFrame.from_dict(rows, orient="index", columns=["statistic", "pvalue"]).rename_axis("test")

    @cached_property
    def exposures(self) -> pd.DataFrame:
        """The strategy's exposures over rolling windows: dates × (factor; ``estimate``, ``low``, ``high``).

        Windows are of a year, of rows longer than a week three years. Empty where there are fewer than two. Windows in
        which what is held has returns on less than nine tenths of the dates are NaN.
        """
        history = self._rolling
        if history is None:
            return pd.DataFrame(columns=pd.MultiIndex.from_arrays([[], []]))
        return RollingInference(history, self.errors).exposures(_WHOLE, self.level)

    @cached_property
    def trends(self) -> pd.DataFrame:
        """Volatility a year and factor share of the strategy over rolling windows, by date; empty as `exposures`."""
        if self._rolling is None:
            return pd.DataFrame(columns=["volatility", "factor share"], dtype=np.float64)
        total, idio = (table[_WHOLE_NAME] for table in (self._rolling.total_variance, self._rolling.idio_variance))
        per_year = self.panel.horizon.scale_volatility(1.0, to=YEAR)
        return pd.DataFrame({"volatility": np.sqrt(total) * per_year, "factor share": 1.0 - idio / total})

    @cached_property
    def walk_forward(self) -> HedgeRecord | None:
        """The strategy hedged with the factors on each date by the model of the window before it.

        None where windows are too few, or where the strategy has an exposure that nobody can hold.
        """
        if self._rolling is None or len(self.portfolios) == 1:
            return None
        record = self._rolling.hedged(_WHOLE)
        return record if len(record.returns) - record.n_missing > self.window_dates else None

    @property
    def has_two_windows(self) -> bool:
        """Whether there are two rolling windows or more."""
        returns = self._returns[next(iter(self.portfolios))]
        return 2 * self.window.in_units_of(self.panel.horizon) <= len(returns) and not returns.isna().all()

    @property
    def has_trends(self) -> bool:
        """Whether a rolling window can be estimated."""
        return self._rolling is not None

    @property
    def window(self) -> Horizon:
        """Length of the rolling windows: a year, and of rows longer than a week three."""
        return YEAR if self.panel.horizon.days <= WEEK.days else _LONG_WINDOW

    @property
    def window_dates(self) -> int:
        """The same in rows."""
        return round(self.window.in_units_of(self.panel.horizon))

    @cached_property
    def _rolling(self) -> ModelHistory | None:
        """Regressions of the strategy's own returns over rolling windows; None where there are fewer than two."""
        model, returns = self.strategy.model, self._returns[next(iter(self.portfolios))]
        if not self.has_two_windows:
            return None
        own = evolve(
            self.panel,
            assets=[_WHOLE_NAME],
            excess_returns=returns.to_numpy()[:, None],
            factors=model.factors,
            factor_returns=self.panel.returns_of(model.definitions),
            definitions=[PublishedFactor(name) for name in model.factors],
            left_out=None,
        )
        # a portfolio is made of each window, which takes longer than its regression
        step = max(1, self.window_dates // 12, math.ceil(len(returns) / _MOST_WINDOWS))
        # a window of a new listing would be of a few days
        least = math.floor(WHOLE_WINDOW * self.window_dates) if returns.isna().any() else None
        try:
            return Rolling(self.window, every=step, minimum=least).fit(own)
        except EstimationError:  # in no window, as `notes.of_windows` says
            return None

    # -- parts -------------------------------------------------------------------------------------

    @cached_property
    def _returns(self) -> Mapping[str, pd.Series[float]]:
        return {name: p.excess_returns(self.panel) for name, p in self.portfolios.items()}

    @property
    def inference(self) -> Inference | None:
        """Of the model of what is held; None where its errors are not known."""
        return None if isinstance(self._inferred, str) else self._inference

    @cached_property
    def _inferred(self) -> pd.DataFrame | str:
        """The table of the strategy, or why there is none."""
        try:
            return self._inference.table(self.strategy, self.level, budget=self.budget)
        except NotEstimatedError as error:
            return str(error)

    @cached_property
    def _inference(self) -> Inference:
        held = dict.fromkeys(asset for p in self.portfolios.values() for asset in p.weights.index)
        return Inference.of(self.strategy.model._with_peers(list(held)), self.panel, self.errors)

    def _figures_of(self, name: str, portfolio: Portfolio) -> pd.DataFrame:
        table = pd.DataFrame(columns=_COLUMNS) if isinstance(self._inferred, str) else self._table(name, portfolio)
        rows = {n: _row(interval) for n, interval in self._of_volatility(name, portfolio)}
        more = pd.DataFrame.from_dict(rows, orient="index", columns=_COLUMNS)
        parts = [part for part in (table, _dollars(table, self.positions[name]), more) if len(part)]
        return pd.concat(parts) if parts else table

    def _table(self, name: str, portfolio: Portfolio) -> pd.DataFrame:
        own = self._inferred
        assert isinstance(own, pd.DataFrame)
        if name == UNHEDGED:
            return own[~own.index.isin([*_OF_NEUTRAL][1:]) & ~own.index.isin(self._hedge_rows)]
        given = self._inference.table(portfolio, self.level, budget=self.budget)
        if name == HEDGED or portfolio is self.portfolios.get(HEDGED):
            known = own[own.index.isin([*_OF_NEUTRAL, *self._hedge_rows])].rename(index=_OF_NEUTRAL)
            # without exposures, what is expected is alpha
            mean = (
                known.loc[["alpha"]].rename(index={"alpha": "expected excess return"})
                if self._hedges(own)
                else known[:0]
            )
            return _replaced(given, pd.concat([known, mean]))
        return _replaced(given, self._capped(given))

    @property
    def _hedge_rows(self) -> list[str]:
        return [f"hedge {factor}" for factor in self.strategy.model.factors]

    def _hedges(self, table: pd.DataFrame) -> bool:
        """Whether the hedge is estimated with the model, and not given."""
        return bool(table.index.isin(self._hedge_rows).any())

    def _capped(self, given: pd.DataFrame) -> pd.DataFrame:
        """Figures with the capped hedge estimated; none where it is a given one."""
        if not isinstance(self.strategy, Strategy) or self.cap is None or not 0 < self.cap < 1:
            return given[:0]
        try:
            table = self._inference.capped(self.strategy, self.cap, self.level)
        except NotEstimatedError:
            return given[:0]
        return pd.concat([table, self._capacity(given, table.loc["volatility"])])

    def _capacity(self, given: pd.DataFrame, volatility: Any) -> pd.DataFrame:
        """The capacity with the ends of the volatility, at most what the other limits allow."""
        capacity = given.loc[["capacity"]].copy()
        portfolio = self.portfolios[CAPPED]
        most = self.budget.capacities(portfolio).iloc[1:].min() if self.budget.limits else math.inf
        scale = float(self.budget.volatility.at(portfolio.horizon))
        for end, other in (("low", "high"), ("high", "low")):
            capacity[end] = min(scale / volatility[other], most) if volatility[other] > 0 else most
        return capacity

    def _of_volatility(self, name: str, portfolio: Portfolio) -> Iterator[tuple[str, Interval]]:
        """The volatilities that were and that are to come."""
        if name in self.realised_risk:
            yield "realised volatility", self.realised_risk[name].realised
        if portfolio.is_riskless:
            return
        returns = floats(self._returns[name].dropna())
        with contextlib.suppress(NotEstimatedError):
            yield "volatility, long run", self._inference.long_run_volatility(portfolio, self.level)
        try:
            yield NEXT_MONTH_VOLATILITY, next_month(returns, self.panel.horizon, self.level)
        except NotEstimatedError:  # of its range
            last = last_year(returns, self.panel.horizon)
            if math.isfinite(last):
                nothing = (math.nan, math.nan, math.nan)
                yield NEXT_MONTH_VOLATILITY, Interval(last, *nothing, self.level, NEXT_MONTH)

    def _scaling(self, name: str, to: Horizon) -> TimeScaling | None:
        try:
            return TimeScaling.of(self._returns[name], self.panel.horizon, to=to)
        except InvalidParameterError:  # a horizon that is no multiple of a row, or too long
            return None

    def _degrees(self, held: FactorModel) -> Array:
        """Degrees of freedom by asset, of alphas and of loadings, N × 2."""
        fit: Any = held.regression
        n, width = floats(fit._n_observations), len(held.factors) + 1
        terms = DateTerms(np.empty((len(n), 0, 0)), np.ones((len(n), 1)), n, width)
        each = (self.errors.about(of).degrees_of_freedom(terms) for of in (LONG_RUN, THIS_WINDOW))
        return np.column_stack([np.broadcast_to(degrees, n.shape) for degrees in each])


@final
@frozen(eq=False)
class AssetIntervals:
    """Intervals of the alphas and loadings of single assets, N × (K + 1)."""

    model: FactorModel
    std_error: Array
    degrees: Array  # N × 2: of alphas, of loadings
    level: float

    @property
    def ends(self) -> tuple[Array, Array]:
        """The lower and the upper ends."""
        centre, width = self._estimates, self._critical * self.std_error
        return centre - width, centre + width

    @property
    def alpha_pvalues(self) -> Array:
        """Probabilities of such alphas if they are zero, two-sided; NaN without an error."""
        from scipy import special  # noqa: PLC0415 - slow to import

        error = self.std_error[:, 0]
        t = np.divide(self.model._alpha, error, where=error > 0, out=np.full(len(error), np.nan))
        return np.asarray(2.0 * special.stdtr(self.degrees[:, 0], -np.abs(t)))

    @property
    def _estimates(self) -> Array:
        return np.column_stack([self.model._alpha, self.model._loadings])

    @property
    def _critical(self) -> Array:
        unique, at = np.unique(self.degrees, return_inverse=True)
        values = np.array([quantile(self.level, d) for d in unique])[at.reshape(self.degrees.shape)]
        return np.repeat(values, [1, self.std_error.shape[1] - 1], axis=1)


def _row(interval: Interval) -> list[Any]:
    return [interval.estimate, interval.std_error, interval.low, interval.high, str(interval.of)]


def _replaced(table: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """A table with some rows replaced, and new ones at the end."""
    rows = {**table.to_dict("index"), **others.to_dict("index")}
    return pd.DataFrame.from_dict(rows, orient="index", columns=_COLUMNS)


def _dollars(table: pd.DataFrame, position: Position | None) -> pd.DataFrame:
    """What a position is expected to earn, for the dollars that it holds."""
    if position is None or not len(table):
        return table[:0]
    pnl = table.loc[list(_IN_DOLLARS)].rename(index=_IN_DOLLARS)
    numbers = pnl[_COLUMNS[:-1]] * float(position.capital)
    return numbers.assign(of=pnl["of"])


def _scaled(portfolio: Portfolio, found: TimeScaling) -> list[float]:
    volatility, sharpe = portfolio.volatility, portfolio.sharpe
    return [
        found.variance_ratio,
        found.std_error,
        found.pvalue,
        float(volatility.at(found.to)),
        float(found.volatility(volatility)),
        float(sharpe.at(found.to)),
        float(found.sharpe(sharpe)),
    ]
