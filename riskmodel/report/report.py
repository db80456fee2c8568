"""Everything that a risk report says, worked out once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel._core.arrays import Array
from riskmodel.analysis.comparison import CovarianceComparison
from riskmodel.errors import EstimationError, InvalidParameterError, UnboundedPositionError
from riskmodel.estimation.least_squares.ols import OLS
from riskmodel.horizon import DAY, MONTH, YEAR, Horizon
from riskmodel.model.covariance import DENSE_LIMIT
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.budget import Position, RiskBudget
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.portfolio import Portfolio

HORIZONS: tuple[Horizon, ...] = (DAY, MONTH, YEAR)
PORTFOLIO = "portfolio"
# the trade whose PnL is shown with and without its cash leg
TRADE, TRADE_HORIZON = 1e6, YEAR

# An asset whose own volatility is below this share of its total has no residuals but rounding.
_EXPLAINED = 1e-6


@final
@frozen(eq=False, repr=False)
class RiskReport:
    """What a strategy is exposed to, what hedging takes away, and how much of it a budget holds.

    Made by `RiskReport.of`. Tables are frames; `to_text`, `to_html` and `to_dict` tell the same figures.

    Attributes
    ----------
    strategy : Portfolio
        What is reported on.
    panel : ReturnPanel
        The returns behind it.
    budget : RiskBudget
        What sizes the positions.
    cap : float or None
        Largest factor share of the capped hedge, where one was asked for.
    portfolios : mapping of name to Portfolio
        ``"unhedged"``, then ``"capped"`` where there is a cap, then ``"hedged"``, which is factor-neutral.
    positions : mapping of name to Position or None
        The largest within the budget; None where a portfolio has no risk but rounding, so that nothing limits it.
    comparison : CovarianceComparison or None
        Of the holdings that have residuals; None for fewer than two, or more than 5,000.
    source : str
        Where the returns come from, in words.
    caveats : tuple of str
        What a reader should know of the data.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from riskmodel.report.report import RiskReport
    >>> panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> report = RiskReport.of(msft, panel, rm.RiskBudget(1e6, rm.MONTH), cap=0.2)
    >>> report.exposures.round(3)
            unhedged  std_error       t  capped  hedged
    Mkt-RF     1.074      0.017  62.554   0.592     0.0
    >>> report.pnl.loc[("hedged", "year")].round(2).to_dict()["sharpe"]
    0.22
    """

    strategy: Portfolio
    panel: ReturnPanel
    budget: RiskBudget
    cap: float | None
    portfolios: Mapping[str, Portfolio]
    positions: Mapping[str, Position | None]
    comparison: CovarianceComparison | None
    source: str
    caveats: tuple[str, ...]

    @classmethod
    def of(
        cls,
        strategy: Portfolio,
        panel: ReturnPanel,
        budget: RiskBudget,
        *,
        cap: float | None = None,
        source: str = "",
        caveats: tuple[str, ...] = (),
    ) -> Self:
        """Hedge a strategy, size it, and hold its model against the returns.

        Parameters
        ----------
        strategy : Portfolio
            Usually a `Strategy`. Its model has at least one factor.
        panel : ReturnPanel
            At the model's horizon, with the assets held and the model's factors; usually the one that the model was
            estimated on.
        budget : RiskBudget
            Dollars of volatility at a horizon.
        cap : float, optional
            Adds the smallest hedge that brings the factor share of the variance to this, 0 or more.
        source : str
            Where the returns come from, in words.
        caveats : tuple of str
            What a reader should know of the data.

        Raises
        ------
        InvalidParameterError
            For a model without factors, weights that are all zero, or a negative cap.
        HorizonMismatchError
            If the panel is of another horizon than the model.
        UnknownAssetError, UnknownFactorError
            If the panel lacks what is held.
        """
        _require_something(strategy)
        strategy.excess_returns(panel)
        neutral = HedgedPortfolio.neutral(strategy)
        capped = {} if cap is None else {"capped": _capped(strategy, neutral, cap)}
        portfolios = {"unhedged": strategy, **capped, "hedged": neutral}
        return cls(
            strategy=strategy,
            panel=panel,
            budget=budget,
            cap=cap,
            portfolios=portfolios,
            positions={name: _size(p, budget) for name, p in portfolios.items()},
            comparison=_compare(strategy, panel),
            source=source,
            caveats=tuple(caveats),
        )

    def __repr__(self) -> str:
        return f"<RiskReport on {self.strategy!r}, {self.panel!r}>"

    # -- tables ------------------------------------------------------------------------------------

    @property
    def total(self) -> str:
        """What the portfolio as a whole is called among its assets: ``"portfolio"``, unless one has this name."""
        return distinct(PORTFOLIO, "total", self.strategy.weights.index)

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """What was estimated: rows (asset, parameter), columns ``estimate``, ``std_error``, ``t``.

        Parameters are ``alpha``, in decimals per the model's horizon, and the factors. The last asset is `total`, the
        portfolio as a whole; its standard errors are those of regressing the portfolio itself, known where all holdings
        have the same dates and the model is OLS, otherwise NaN.
        """
        model = self.strategy.model.restrict(self.strategy.weights.index.tolist())
        own = pd.concat([model.alpha, model.loadings], axis=1)
        total = [float(self.strategy.alpha), *self.strategy.exposures]
        estimate = np.vstack([own.to_numpy(), total]).ravel()
        error = np.vstack([_std_errors(model), self._portfolio_errors()]).ravel()
        index = pd.MultiIndex.from_tuples(
            [(a, p) for a in [*model.assets, self.total] for p in ["alpha", *model.factors]],
            names=["asset", "parameter"],
        )
        t = np.divide(estimate, error, where=error > 0, out=np.full(len(error), np.nan))
        return pd.DataFrame({"estimate": estimate, "std_error": error, "t": t}, index)

    @cached_property
    def assets(self) -> pd.DataFrame:
        """The holdings: ``weight``, ``rsquared``, ``idio_volatility`` per the model's horizon, ``n_observations``."""
        weights = self.strategy.weights
        model = self.strategy.model.restrict(weights.index.tolist())
        fit = model.regression
        return pd.DataFrame(
            {
                "weight": weights,
                "rsquared": np.nan if fit is None else fit.rsquared,
                "idio_volatility": np.sqrt(model.idio_variance),
                "n_observations": np.nan if fit is None else fit.n_observations,
            }
        )

    @cached_property
    def exposures(self) -> pd.DataFrame:
        """Exposure by factor of each portfolio, and the unhedged one's standard error and t value."""
        table = pd.DataFrame({name: p.exposures for name, p in self.portfolios.items()})
        own = self.estimates.iloc[-len(table) :]
        table.insert(1, "std_error", own["std_error"].to_numpy())
        table.insert(2, "t", own["t"].to_numpy())
        return table

    @cached_property
    def variance(self) -> pd.DataFrame:
        """Variance split: rows (portfolio, source), sources being the factors, ``"idio"`` and ``"total"``.

        Columns ``variance`` (return² per the model's horizon), ``share`` of the portfolio's total, and the volatility
        per ``day``, ``month`` and ``year``, NaN for a contribution that takes variance away.
        """
        tables = {name: _split(p, self.is_riskless(name)) for name, p in self.portfolios.items()}
        return pd.concat(tables, names=["portfolio", "source"])

    @cached_property
    def legs(self) -> pd.DataFrame:
        """What each portfolio holds: rows (portfolio, kind, leg), columns ``weight`` and ``dollars``.

        Kinds are ``asset``, ``hedge`` and ``cash``, the latter negative where borrowed. Dollars are NaN where nothing
        limits the position.
        """
        tables = {name: _legs(p) for name, p in self.portfolios.items()}
        table = pd.concat(tables, names=["portfolio", "kind", "leg"]).to_frame("weight")
        capital = {name: math.nan if p is None else p.capital for name, p in self.positions.items()}
        of_row = table.index.get_level_values("portfolio").map(capital).to_numpy(dtype=np.float64)
        return table.assign(dollars=table["weight"].to_numpy() * of_row)

    @cached_property
    def pnl(self) -> pd.DataFrame:
        """What the budget holds and is expected to earn: rows (portfolio, horizon).

        Columns ``capital``, ``volatility``, ``expected_pnl``, ``factor_adjusted_pnl`` (dollars) and ``sharpe``, all
        NaN where a portfolio has no risk.
        """
        rows = {(name, str(h)): _pnl(p, h) for name, p in self.positions.items() for h in HORIZONS}
        table = pd.DataFrame.from_dict(rows, orient="index")
        table.index = pd.MultiIndex.from_tuples(rows, names=["portfolio", "horizon"])
        return table

    @cached_property
    def trade(self) -> pd.DataFrame:
        """What 1,000,000 dollars of each portfolio are expected to earn over a year, with the cash leg and without.

        Columns ``cash`` (dollars of the cash leg, negative where borrowed), ``expected_pnl`` (with the cash leg),
        ``cash_pnl`` (the cash leg's own, at the risk-free rate) and ``expected_pnl_without_cash``.
        """
        rows = {name: _trade(Position(p, TRADE, TRADE_HORIZON)) for name, p in self.portfolios.items()}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("portfolio")

    @property
    def funded(self) -> tuple[Any, ...]:
        """The factors that cost cash to hold, on which the cash leg depends."""
        model = self.strategy.model
        return tuple(f for f, is_funded in zip(model.factors, model.funded, strict=True) if is_funded)

    @property
    def dropped(self) -> pd.Series[int]:
        """How many dates alignment left out, by reason."""
        counts: pd.Series[int] = self.panel.dropped["reason"].value_counts().rename("dates")
        return counts

    @property
    def correlations(self) -> pd.Series[float]:
        """The ten largest residual correlations, by pair of assets; empty without a comparison."""
        if self.comparison is None:
            nothing = pd.MultiIndex.from_arrays([[], []])
            return pd.Series(np.empty(0), nothing, name="residual_correlation")
        return self.comparison.largest(10)

    @property
    def tests(self) -> pd.DataFrame:
        """Tests that residuals are uncorrelated: ``statistic`` and ``pvalue`` by test; empty without pairs."""
        if self.comparison is None or self.correlations.empty:
            return pd.DataFrame({"statistic": [], "pvalue": []})
        results = {"pesaran_cd": self.comparison.pesaran_cd(), "breusch_pagan": self.comparison.breusch_pagan()}
        return pd.DataFrame({n: [t.statistic, t.pvalue] for n, t in results.items()}, ["statistic", "pvalue"]).T

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: assumptions, what could not be worked out and why, and the caveats."""
        return (*_assumptions(self), *_gaps(self), *self.caveats)

    def factor_share(self, name: str) -> float:
        """Share of a portfolio's variance that the factors explain; NaN where it has no risk but rounding."""
        return math.nan if self.is_riskless(name) else self.portfolios[name].decompose().factor_share

    def is_riskless(self, name: str) -> bool:
        """Whether a portfolio has no risk but rounding."""
        return self.portfolios[name].is_riskless

    def _estimates_by_kind(self) -> pd.DataFrame:
        """The estimates, each said to be of an asset or of the portfolio."""
        table, of_portfolio = self.estimates.copy(), len(self.exposures) + 1
        kinds = ["asset"] * (len(table) - of_portfolio) + [PORTFOLIO] * of_portfolio
        table.insert(0, "kind", kinds)
        return table

    def _portfolio_errors(self) -> Any:
        """Standard errors of the portfolio's alpha and exposures, where they are known exactly."""
        model, weights = self.strategy.model, self.strategy.weights
        unknown = np.full(len(model.factors) + 1, np.nan)
        held = model.restrict(weights.index.tolist())
        if held.regression is None:
            return unknown
        if len(weights) == 1:
            return abs(float(weights.iloc[0])) * _std_errors(held)[0]
        returns = self.strategy.excess_returns(self.panel)
        if (held.regression.n_observations != returns.notna().sum()).any():
            return unknown
        panel = self.panel.select(weights.index, model.factors)
        try:
            same = np.allclose(_std_errors(OLS().fit(panel)), _std_errors(held), rtol=1e-6, atol=0.0)
        except EstimationError:
            same = False
        if not same:
            return unknown
        alone = evolve(panel, assets=[PORTFOLIO], excess_returns=returns.to_numpy()[:, None])
        return _std_errors(OLS().fit(alone))[0]

    # -- forms -------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain dicts, lists, strings, numbers and None: ready for JSON.

        Returns are decimals, amounts are dollars; each names its horizon. What is not known is None.
        """
        panel = self.panel
        return {
            "source": self.source,
            "start": str(panel.dates[0].date()),
            "end": str(panel.dates[-1].date()),
            "horizon": str(panel.horizon),
            "n_dates": len(panel.dates),
            "dropped": {str(reason): int(n) for reason, n in self.dropped.items()},
            "factors": [str(f) for f in self.strategy.model.factors],
            "funded": [str(f) for f in self.funded],
            "budget": {"volatility": float(self.budget.volatility), "horizon": str(self.budget.horizon)},
            "cap": self.cap,
            "assets": _records(self.assets.rename_axis("asset")),
            "estimates": _records(self._estimates_by_kind()),
            "exposures": _records(self.exposures.rename_axis("factor")),
            "variance": _records(self.variance),
            "legs": _records(self.legs),
            "positions": {n: None if p is None else _position(p) for n, p in self.positions.items()},
            "pnl": _records(self.pnl),
            "trade": {"capital": TRADE, "horizon": str(TRADE_HORIZON), "pnl": _records(self.trade)},
            "residual_correlations": _records(self.correlations.rename_axis(["asset", "with"]).to_frame("correlation")),
            "tests": _records(self.tests.rename_axis("test")),
            "notes": list(self.notes),
        }

    def to_text(self) -> str:
        """Tables for a terminal, 80 columns wide for names of usual length."""
        from riskmodel.report.text import render  # noqa: PLC0415 - it reads this class

        return render(self)

    def to_html(self) -> str:
        """One page that holds tables, pictures and all it needs; it opens offline, in light and in dark.

        Raises
        ------
        MissingExtraError
            If plotly is not installed.
        """
        from riskmodel.report.html import render  # noqa: PLC0415 - it reads this class

        return render(self)


def _std_errors(model: FactorModel) -> Array:
    """Standard errors of alpha and the loadings, N × (K + 1); NaN where the model has no regression."""
    if model.regression is None:
        return np.full((len(model.assets), len(model.factors) + 1), np.nan)
    return model.regression.std_errors.to_numpy()


def _require_something(strategy: Portfolio) -> None:
    if not len(strategy.model.factors):
        raise InvalidParameterError("a risk report needs a model with at least one factor, but this one has none.")
    if not (strategy.weights != 0).any() and not (strategy.legs != 0).any():
        raise InvalidParameterError("a risk report needs a weight that is not zero, but all of them are.")


def _capped(strategy: Portfolio, neutral: HedgedPortfolio, cap: float) -> HedgedPortfolio:
    """The smallest hedge within the cap; all of it where what it would leave is rounding."""
    if 0 <= cap < 1 and neutral.is_riskless:
        return neutral
    return HedgedPortfolio.with_factor_share(strategy, cap)


def _size(portfolio: Portfolio, budget: RiskBudget) -> Position | None:
    """The largest position; None where nothing limits it."""
    try:
        return budget.size(portfolio)
    except UnboundedPositionError:
        return None


def _compare(strategy: Portfolio, panel: ReturnPanel) -> CovarianceComparison | None:
    held = strategy.model.restrict(strategy.weights.index.tolist())
    left = held.assets[held.idio_variance > _EXPLAINED**2 * held.covariance.diagonal()]
    if not 2 <= len(left) <= DENSE_LIMIT:
        return None
    return CovarianceComparison.of(held.restrict(left.tolist()), panel)


def _split(portfolio: Portfolio, riskless: bool) -> pd.DataFrame:
    split = portfolio.decompose()
    variance = pd.concat([split.by_factor, pd.Series({"total": float(split.total_variance)})])
    total = math.nan if riskless else float(split.total_variance)
    sizes = np.sqrt(variance.where(variance >= 0).to_numpy(dtype=np.float64))
    scaled = {str(h): portfolio.horizon.scale_volatility(sizes, to=h) for h in HORIZONS}
    return pd.DataFrame({"variance": variance, "share": variance / total, **scaled}, index=variance.index)


def _legs(portfolio: Portfolio) -> pd.Series[float]:
    parts = {"asset": portfolio.weights, "hedge": portfolio.legs, "cash": pd.Series({"cash": portfolio.cash_weight})}
    return pd.concat(parts)


def distinct(label: str, what: str, others: Iterable[Any]) -> str:
    """The label, with a word added where one of the others reads the same."""
    taken = {str(other).strip().casefold() for other in others}
    while label.casefold() in taken:
        label += f" ({what})"
    return label


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


def _position(position: Position) -> dict[str, Any]:
    return {
        "capital": float(position.capital),
        "binding": position.binding,
        "volatility": float(position.volatility),
        "horizon": str(position.horizon),
    }


def _assumptions(report: RiskReport) -> list[str]:
    per = report.panel.horizon
    notes = [
        f"Estimated on returns per {per}. Volatilities and Sharpe ratios at other horizons are scaled by sqrt(h), "
        "which assumes that returns are not correlated over time; means are scaled by h, without compounding.",
        "Expected PnL takes the sample's means for expectations, which they estimate poorly: read it with the "
        "standard error of alpha.",
        "Returns are in excess of the risk-free rate; costs of trading and of shorting are left out.",
    ]
    if report.cap is not None:
        notes.append(f"'capped' is the smallest hedge that brings the factor share to at most {100 * report.cap:.3g}%.")
    return notes


def _gaps(report: RiskReport) -> list[str]:
    """What could not be worked out, and why."""
    riskless = [name for name in report.portfolios if report.is_riskless(name)]
    notes = []
    if riskless:
        notes.append(
            f"No risk is left in {' and '.join(riskless)} but rounding: the factors explain everything. "
            "So no volatility budget limits it, and it has no capacity, no PnL at capacity and no Sharpe ratio to show."
        )
    if report.exposures["std_error"].isna().any():
        notes.append(
            "Standard errors of the portfolio's exposures are not shown: they are exact only where an OLS model has "
            "all holdings on the same dates."
        )
    if report.comparison is None:
        notes.append(
            f"Residual correlations are left out: they need 2 to {DENSE_LIMIT:,} assets that the factors do not "
            "explain fully."
        )
    elif report.tests.empty:
        notes.append("Residual correlations are not known: no two assets have three dates in common.")
    missing = int(report.strategy.excess_returns(report.panel).isna().sum())
    if missing:
        notes.append(
            f"On {missing:,} of {len(report.panel.dates):,} dates one of the holdings has no return; pictures of the "
            "portfolio leave these dates out."
        )
    return notes


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    flat = table.reset_index()
    columns = [[_plain(v) for v in flat[c]] for c in flat.columns]
    return [dict(zip(map(str, flat.columns), row, strict=True)) for row in zip(*columns, strict=True)]


def _plain(value: Any) -> Any:
    """A value that JSON has: NaN and infinity become None, labels become strings."""
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return str(value)
