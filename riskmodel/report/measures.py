"""Every number of a report, each computed once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel._core.arrays import floats
from riskmodel.analysis.comparison import CovarianceComparison
from riskmodel.analysis.contributions import Contributions
from riskmodel.analysis.realised import RealisedRisk
from riskmodel.horizon import DAY, MONTH, YEAR, Horizon
from riskmodel.inference.alphas import false_discovery_rates
from riskmodel.inference.estimand import THIS_WINDOW
from riskmodel.inference.hedge_comparison import HedgeComparison
from riskmodel.model.covariance import DENSE_LIMIT
from riskmodel.model.model import FactorModel
from riskmodel.panel.factors import PortfolioFactor
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.desk.instrument import Instrument
from riskmodel.portfolio.desk.problem import HedgeProblem
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.portfolio import Portfolio
from riskmodel.portfolio.position import Position
from riskmodel.quantities import Volatility
from riskmodel.report.earned import Earned
from riskmodel.report.formats import distinct
from riskmodel.report.intervals import NEXT_MONTH_VOLATILITY, UNHEDGED, AssetIntervals, Intervals
from riskmodel.report.losses import Losses

HORIZONS: tuple[Horizon, ...] = (DAY, MONTH, YEAR)
PORTFOLIO = "portfolio"
# What volatilities are of where the model is no regression over the dates of the report.
OWN_WEIGHTS, GIVEN = "own date weights", "given numbers"
MODEL, REALISED, LAST_YEAR = "model", "realised", "last year"
# the trade whose PnL is shown with and without its cash leg
TRADE, TRADE_HORIZON = 1e6, YEAR
ASSET, HEDGE, HEDGE_IN_ASSETS, CASH = "asset", "hedge", "hedge in assets", "cash"

# An asset whose own volatility is below this share of its total has no residuals but rounding error.
_EXPLAINED = 1e-6


@final
@frozen(eq=False)
class Measures:
    """The numbers of a report, as the frames that `RiskReport` describes.

    Columns of which nothing is known are left out. The frames are shared, so `RiskReport` returns copies.
    """

    portfolios: Mapping[str, Portfolio]
    positions: Mapping[str, Position | None]
    budget: RiskBudget
    panel: ReturnPanel
    intervals: Intervals
    groups: Any = None
    capital: float | None = None
    instruments: tuple[Any, ...] = ()
    tools: tuple[Instrument, ...] = ()

    @property
    def strategy(self) -> Portfolio:
        """The first portfolio: what is reported on."""
        return next(iter(self.portfolios.values()))

    @cached_property
    def weights(self) -> pd.Series[float]:
        """Weight by asset of the strategy."""
        return self.strategy.weights

    @cached_property
    def held(self) -> FactorModel:
        """The model of the assets held."""
        return self.strategy.model.restrict(self.weights.index.tolist())

    @cached_property
    def total(self) -> str:
        """What the portfolio as a whole is called among its assets."""
        return distinct(PORTFOLIO, "total", self.weights.index)

    @property
    def is_hedged(self) -> bool:
        """Whether there is a hedge beside the strategy."""
        return len(self.portfolios) > 1

    @property
    def not_tradable(self) -> tuple[Any, ...]:
        """The factors that the strategy is exposed to and that nobody can hold."""
        return not_tradable(self.strategy)

    @property
    def of_model(self) -> str:
        """What the volatility of the model is of: this window, or dates with weights of its own."""
        if self.held._counts_dates_alike:
            return str(THIS_WINDOW)
        return OWN_WEIGHTS if self.held.lineage.estimator else GIVEN

    @property
    def proxied(self) -> list[Any]:
        """The assets held that others stand in for."""
        return [asset for asset in self.weights.index if asset in self.strategy.model._proxies]

    @property
    def proxied_share(self) -> float:
        """Their share of the gross weights."""
        size = self.weights.abs()
        return float(size[self.proxied].sum() / size.sum())

    @property
    def funded(self) -> tuple[Any, ...]:
        """The factors that cost cash to hold."""
        return tuple(f for f, is_funded in zip(self.held.factors, self.held.funded, strict=True) if is_funded)

    @cached_property
    def n_missing(self) -> int:
        """On how many dates an asset held has no return."""
        return int(self.strategy.excess_returns(self.panel).isna().sum())

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """Alpha and loadings of the holdings and of the portfolio."""
        held, total = self.held, [float(self.strategy.alpha), *self.strategy.exposures]
        alpha = held.alpha.mask(held.assets.isin(self.proxied))
        index = pd.MultiIndex.from_product(
            [[*held.assets, self.total], ["alpha", *held.factors]], names=["asset", "parameter"]
        )
        estimate = np.vstack([np.column_stack([alpha, held.loadings]), total]).ravel()
        table = pd.DataFrame({"estimate": estimate}, index)
        known = self.of_assets
        if known is None:
            return table
        figures = self.intervals.figures.loc[UNHEDGED]
        own = figures.loc[["alpha", *(f"exposure {f}" for f in held.factors)], ["std_error", "low", "high"]]
        columns = zip(("std_error", "low", "high"), (known.std_error, *known.ends), own.to_numpy().T, strict=True)
        table = table.assign(**{name: np.vstack([of_assets, total]).ravel() for name, of_assets, total in columns})
        error = table["std_error"].to_numpy()
        t = np.divide(estimate, error, where=error > 0, out=np.full(len(error), np.nan))
        return table.assign(t=t)

    @cached_property
    def of_assets(self) -> AssetIntervals | None:
        """Intervals of single assets; None where the model has none."""
        return self.intervals.of_assets(self.held)

    @cached_property
    def assets(self) -> pd.DataFrame:
        """The holdings: weight, fit, own volatility."""
        held, fit, own = self.held, self.held.regression, self.of_assets
        ends = self.intervals.of_rsquared(held)
        columns = {
            "weight": self.weights,
            "rsquared": None if fit is None else fit.rsquared,
            "rsquared_low": None if ends is None else ends[:, 0],
            "rsquared_high": None if ends is None else ends[:, 1],
            "idio_volatility": np.sqrt(held.idio_variance),
            "n_observations": None if fit is None else fit.n_observations.mask(held.assets.isin(self.proxied)),
            "false_discovery_rate": None if own is None else false_discovery_rates(own.alpha_pvalues),
        }
        return pd.DataFrame({name: values for name, values in columns.items() if values is not None})

    @cached_property
    def exposures(self) -> pd.DataFrame:
        """Exposures of each portfolio, and the standard errors of the first one's where they are known."""
        table = pd.DataFrame({name: p.exposures for name, p in self.portfolios.items()})
        own = self.estimates.iloc[-len(table) :]
        if "std_error" in own and own["std_error"].notna().any():
            table.insert(1, "std_error", own["std_error"].to_numpy())
            table.insert(2, "t", own["t"].to_numpy())
        return table

    @cached_property
    def variance(self) -> pd.DataFrame:
        """Variance of each portfolio by source."""
        tables = {name: _split(p) for name, p in self.portfolios.items()}
        return pd.concat(tables, names=["portfolio", "source"])

    @cached_property
    def volatility(self) -> pd.DataFrame:
        """Factor share and volatility of each portfolio at each horizon."""
        rows = {
            name: {"factor_share": factor_share(p), **{str(h): float(p.volatility.at(h)) for h in HORIZONS}}
            for name, p in self.portfolios.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("portfolio")

    @property
    def realised_risk(self) -> Mapping[str, RealisedRisk | None]:
        """The realised volatility of each portfolio beside its model's; None where it is not known."""
        return {name: self.intervals.realised_risk.get(name) for name in self.portfolios}

    @cached_property
    def realised(self) -> pd.DataFrame:
        """Volatility of each portfolio by the model, as realised, and of the last year, with the capital of each.

        Intervals are of this window; of the last year's, the range of next month where that is known. The last year is
        left out where there is none.
        """
        rows = {
            (name, by): row for name, risk in self.realised_risk.items() for by, row in self._beside(name, risk).items()
        }
        table = pd.DataFrame.from_dict(rows, orient="index")
        table.index = pd.MultiIndex.from_tuples(rows, names=["portfolio", "by"])
        return table

    def _beside(self, name: str, risk: RealisedRisk | None) -> dict[str, dict[str, float]]:
        """The rows of the model and of the returns."""
        portfolio, budget = self.portfolios[name], self.budget
        capacities = budget.capacities(portfolio)
        ends = self.intervals.of(name, "volatility")
        if not math.isfinite(ends[0]) and risk is not None:
            ends = (risk.model.low, risk.model.high)
        rows = {MODEL: _volatility(float(portfolio.volatility), ends, capacities.min())}
        others = float(capacities.iloc[1:].min()) if len(capacities) > 1 else math.inf
        if risk is None:
            return rows | {REALISED: _volatility(math.nan, (math.nan, math.nan), math.nan)}
        own = (risk.realised.low, risk.realised.high)
        known = {REALISED: (risk.realised.estimate, own)}
        if (name, NEXT_MONTH_VOLATILITY) in self.intervals.figures.index:
            last = float(self.intervals.figures.loc[(name, NEXT_MONTH_VOLATILITY), "estimate"])  # type: ignore[arg-type]
            known[LAST_YEAR] = (last, self.intervals.of(name, NEXT_MONTH_VOLATILITY))
        for by, (estimate, range_) in known.items():
            size = Volatility(estimate, portfolio.horizon)
            is_none = portfolio.is_rounding(size)
            allowed = math.inf if is_none else float(budget.volatility) / float(size.at(budget.horizon))
            rows[by] = _volatility(estimate, range_, min(allowed, others))
        return rows

    @cached_property
    def legs(self) -> pd.DataFrame:
        """What each portfolio holds, per dollar of strategy, and in dollars: of what is held, or else at capacity."""
        held = list(dict.fromkeys(asset for p in self.portfolios.values() for asset in p.weights.index))
        tables = {name: _legs(p, held) for name, p in self.portfolios.items()}
        table = pd.concat(tables, names=["portfolio", "kind", "leg"]).to_frame("weight")
        capital = {name: math.nan if p is None else p.capital for name, p in self.positions.items()}
        if self.capital is not None:
            capital = dict.fromkeys(capital, self.capital)
        of_row = table.index.get_level_values("portfolio").map(capital).to_numpy(dtype=np.float64)
        return table.assign(dollars=table["weight"].to_numpy() * of_row)

    @cached_property
    def pnl(self) -> pd.DataFrame:
        """Capital, risk and expected PnL of what the budget holds."""
        rows = {(name, str(h)): _pnl(p, h) for name, p in self.positions.items() for h in HORIZONS}
        table = pd.DataFrame.from_dict(rows, orient="index")
        table.index = pd.MultiIndex.from_tuples(rows, names=["portfolio", "horizon"])
        return table

    @cached_property
    def trade(self) -> pd.DataFrame:
        """Expected PnL of one trade, with the cash leg and without."""
        rows = {name: _trade(Position(p, TRADE, TRADE_HORIZON)) for name, p in self.portfolios.items()}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("portfolio")

    @cached_property
    def comparison(self) -> CovarianceComparison | None:
        """Of the holdings that have residuals of their own, where there are two or more, and not too many."""
        varies = (self.held.idio_variance > _EXPLAINED**2 * self.held.covariance.diagonal()).to_numpy()
        left = self.held.assets[varies & ~self.held.assets.isin(self.proxied)]
        if not 2 <= len(left) <= DENSE_LIMIT:
            return None
        held = self.held if len(left) == len(self.held.assets) else self.held.restrict(left.tolist())
        return CovarianceComparison.of(held, self.panel)

    @cached_property
    def in_instruments(self) -> HedgeComparison | None:
        """Hedges in the instruments, of the model and of a regression; None without instruments."""
        if not self.instruments:
            return None
        return HedgeComparison.of(self.strategy, list(self.instruments), self.panel, self.intervals.level)

    @cached_property
    def of_instruments(self) -> pd.DataFrame:
        """Both hedges by instrument, as `HedgeComparison.table`; empty without instruments.

        Where that takes the model's hedge as given numbers (assets with different dates, proxies), its errors are those
        of `Inference.minimum_variance`; the difference then has the regression's alone.
        """
        if self.in_instruments is None:
            return pd.DataFrame()
        table = self.in_instruments.table()
        known = self.intervals.of_least_variance(list(self.instruments)) if table["model low"].isna().all() else None
        if known is not None:
            for column in ("std_error", "low", "high"):
                table[f"model {column}"] = floats(known.loc[[f"hedge {tool}" for tool in table.index], column])
        return table

    @cached_property
    def in_lots(self) -> pd.DataFrame | None:
        """What whole lots change in the hedge of least variance; None without lots, or without dollars to hold."""
        position = self.held_position
        if position is None or not any(tool.lot for tool in self.tools):
            return None
        free = [evolve(tool, cost=0.0, borrow=None, carry=None) for tool in self.tools]
        return HedgeProblem(self.strategy, free, capital=float(position.capital)).solve().rounding()

    @cached_property
    def contributions(self) -> Contributions:
        """Where the strategy's volatility comes from."""
        return Contributions.of(self.strategy, self.groups)

    @property
    def held_position(self) -> Position | None:
        """The strategy at the dollars that are held, or else at the largest that the budget allows."""
        if self.capital is None:
            return next(iter(self.positions.values()))
        return Position(self.strategy, self.capital, self.budget.horizon)

    @cached_property
    def losses(self) -> Losses:
        """What may be lost with it; per dollar of strategy where nothing limits it."""
        position = self.held_position
        return Losses(self.strategy if position is None else position, self.panel, self.intervals.level)

    @cached_property
    def earned(self) -> Earned:
        """What the strategy would have earned lately, by source."""
        return Earned(self.strategy, self.panel, self.intervals.inference, self.intervals.level)

    @cached_property
    def limits(self) -> pd.DataFrame:
        """What the strategy uses of each limit: ``allowed``, ``used``, ``utilisation``; empty where nothing is used."""
        position = self.held_position
        if position is None:
            return pd.DataFrame(columns=["allowed", "used", "utilisation"], dtype=np.float64).rename_axis("limit")
        used, share = self.budget.used(position), self.budget.utilisation(position)
        allowed = [float(limit.amount) for limit in self.budget.all_limits]
        columns = {"allowed": allowed, "used": used.astype(float), "utilisation": share.astype(float)}
        return pd.DataFrame(columns, used.index).rename_axis("limit")

    @cached_property
    def correlations(self) -> pd.Series[float]:
        """The largest residual correlations; empty without a comparison."""
        if self.comparison is None:
            nothing = pd.MultiIndex.from_arrays([[], []])
            return pd.Series(np.empty(0), nothing, name="residual_correlation")
        return self.comparison.largest(10)

    @cached_property
    def tests(self) -> pd.DataFrame:
        """Tests that residuals are uncorrelated; empty without pairs."""
        if self.comparison is None or self.correlations.empty:
            return pd.DataFrame({"statistic": [], "pvalue": []})
        results = {"pesaran_cd": self.comparison.pesaran_cd(), "breusch_pagan": self.comparison.breusch_pagan()}
        return pd.DataFrame({n: [t.statistic, t.pvalue] for n, t in results.items()}, ["statistic", "pvalue"]).T


def not_tradable(portfolio: Portfolio) -> tuple[Any, ...]:
    """The factors that a portfolio is exposed to and that nobody can hold, so that it cannot be hedged fully."""
    definitions = portfolio.model.definitions
    return tuple(f.name for f, b in zip(definitions, portfolio.exposures, strict=True) if b and not f.tradable)


def factor_share(portfolio: Portfolio) -> float:
    """Share of the variance that the factors explain; NaN where there is none but rounding error."""
    return math.nan if portfolio.is_riskless else portfolio.decompose().factor_share


def _split(portfolio: Portfolio) -> pd.DataFrame:
    split = portfolio.decompose()
    variance = pd.concat([split.by_factor, pd.Series({"total": float(split.total_variance)})])
    total = math.nan if portfolio.is_riskless else float(split.total_variance)
    sizes = np.sqrt(variance.where(variance >= 0).to_numpy(dtype=np.float64))
    scaled = {str(h): portfolio.horizon.scale_volatility(sizes, to=h) for h in HORIZONS}
    return pd.DataFrame({"variance": variance, "share": variance / total, **scaled}, index=variance.index)


def _volatility(estimate: float, ends: tuple[float, float], capital: float) -> dict[str, float]:
    low, high = ends
    allowed = capital if math.isfinite(capital) else math.nan
    return {"volatility": estimate, "low": low, "high": high, "capital": allowed}


def _legs(portfolio: Portfolio, assets: list[Any]) -> pd.Series[float]:
    in_assets = np.array([isinstance(f, PortfolioFactor) for f in portfolio.model.definitions])
    parts = {
        ASSET: portfolio.weights.reindex(assets, fill_value=0.0),
        HEDGE: portfolio.legs[~in_assets],
        CASH: pd.Series({"cash": portfolio.cash_weight}),
        HEDGE_IN_ASSETS: _hedge(portfolio)[in_assets],
    }
    return pd.concat({kind: part for kind, part in parts.items() if len(part)})


def _hedge(portfolio: Portfolio) -> pd.Series[float]:
    """The hedge by factor, whatever it holds."""
    if isinstance(portfolio, HedgedPortfolio):
        return portfolio.hedge_weights.reindex(portfolio.model.factors, fill_value=0.0)
    return portfolio.legs


def _trade(position: Position) -> dict[str, float]:
    return {
        "cash": float(position.cash),
        "expected_pnl": float(position.expected_pnl(position.horizon)),
        "cash_pnl": float(position.cash_pnl(position.horizon)),
        "expected_pnl_without_cash": float(position.expected_pnl_without_cash(position.horizon)),
    }


def _pnl(position: Position | None, horizon: Horizon) -> dict[str, float]:
    if position is None:
        names = ("capital", "volatility", "expected_pnl", "factor_adjusted_pnl", "sharpe")
        return dict.fromkeys(names, math.nan)
    return {
        "capital": float(position.capital),
        "volatility": float(position.volatility.at(horizon)),
        "expected_pnl": float(position.expected_pnl(horizon)),
        "factor_adjusted_pnl": float(position.factor_adjusted_pnl(horizon)),
        "sharpe": float(position.sharpe(horizon)),
    }
