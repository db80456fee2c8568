"""Everything that a risk report says, computed once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from types import MappingProxyType
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_count, require_probability, require_share, shown
from riskmodel._core.listing import Listed
from riskmodel._core.paths import read_path
from riskmodel.analysis.comparison import CovarianceComparison
from riskmodel.analysis.contributions import Contributions
from riskmodel.analysis.realised import RealisedRisk
from riskmodel.errors import InvalidParameterError, UnboundedPositionError, UnknownAssetError
from riskmodel.inference.covariance.base import LongRunCovariance
from riskmodel.inference.covariance.cosine import Cosine
from riskmodel.inference.hedge_comparison import HedgeComparison
from riskmodel.inference.stability import Stability
from riskmodel.model.hedge_record import HedgeRecord
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.desk.instrument import Instrument
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio
from riskmodel.portfolio.position import Position
from riskmodel.report import alerts, html, notes, pictures, summary, tables, text, workbook
from riskmodel.report.document import Document, Picture
from riskmodel.report.hedge_form import HedgeForm
from riskmodel.report.intervals import COVERED, Intervals
from riskmodel.report.losses import TAIL_LEVEL
from riskmodel.report.measures import PORTFOLIO, TRADE, TRADE_HORIZON, Measures, factor_share, not_tradable
from riskmodel.report.previous import SCHEMA, VERSION, Previous
from riskmodel.report.records import plain, records

# what is estimated, also where a model does not know it
_OF_ASSETS = [
    "weight",
    "rsquared",
    "rsquared_low",
    "rsquared_high",
    "idio_volatility",
    "n_observations",
    "false_discovery_rate",
]
# facts that a page says below its heading
_LINE = ("As of", "Data")
# holdings that have room there
_FEW = 6
_OF_ERRORS = ["std_error", "t"]
_OF_ESTIMATES = ["estimate", "std_error", "low", "high", "t"]


@final
@frozen(eq=False, repr=False)
class RiskReport(Listed):
    """What a strategy is exposed to, what hedging takes away, and how much of it a budget holds.

    Made by `RiskReport.of`, for a model of any estimator. Each figure is computed once, and the model is not fitted
    again. Tables are frames, given as copies; `to_text`, `to_html` and `to_dict` show the same figures.

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
        ``"unhedged"``, then ``"capped"`` where there is a cap, then ``"hedged"``, which is factor-neutral. Only the
        first where the strategy is exposed to a factor that is not tradable.
    positions : mapping of name to Position or None
        The largest within the budget; None where a portfolio has no risk but rounding error, so that nothing limits it.
    source : str
        Where the returns come from, in words.
    caveats : tuple of str
        What a reader should know of the data.
    level : float
        Probability with which each interval covers.
    errors : LongRunCovariance
        How the errors behind intervals are estimated.
    groups : Series, mapping or None
        Group by asset.
    capital : float or None
        Dollars of strategy that are held.
    instruments : tuple
        What may hedge the strategy beside the factors.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT"], ["Mkt-RF"])
    >>> msft = rm.Strategy({"MSFT": 1.0}, rm.OLS().fit(panel))
    >>> report = rm.RiskReport.of(msft, panel, rm.RiskBudget(1e6, rm.MONTH), cap=0.2)
    >>> report.exposures.round(3)
            unhedged  std_error       t  capped  hedged
    Mkt-RF     1.074      0.026  40.728   0.592     0.0
    >>> report.figures.loc[("unhedged", "exposure Mkt-RF"), ["low", "high"]].astype(float).round(2).tolist()
    [1.02, 1.13]
    >>> report.pnl.loc[("hedged", "year")].round(2).to_dict()["sharpe"]
    0.22
    """

    strategy: Portfolio
    panel: ReturnPanel
    budget: RiskBudget
    cap: float | None
    portfolios: Mapping[str, Portfolio]
    positions: Mapping[str, Position | None]
    source: str
    caveats: tuple[str, ...]
    level: float
    errors: LongRunCovariance
    groups: Any
    capital: float | None
    instruments: tuple[Any, ...]
    _tools: tuple[Instrument, ...]
    _previous: Any
    _said: Callable[[str], str] = str  # how advice is said: the command line names options
    _measures: Measures = field(init=False)

    @_measures.default
    def _make_measures(self) -> Measures:
        intervals = Intervals(
            self.portfolios, self.positions, self.budget, self.panel, self.cap, self.level, self.errors
        )
        return Measures(
            self.portfolios,
            self.positions,
            self.budget,
            self.panel,
            intervals,
            self.groups,
            self.capital,
            self.instruments,
            self._tools,
        )

    _changes: Previous | None = field(init=False)

    @_changes.default
    def _compare(self) -> Previous | None:
        return None if self._previous is None else Previous.of(self._previous, self._measures)

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
        level: float = 0.95,
        errors: LongRunCovariance | None = None,
        groups: Any = None,
        capital: float | None = None,
        previous: Mapping[str, Any] | None = None,
        instruments: Sequence[Any] = (),
    ) -> Self:
        """Hedge a strategy, size it, and compare its model with the returns.

        Parameters
        ----------
        strategy : Portfolio
            Usually a `Strategy`. Its model has at least one factor.
        panel : ReturnPanel
            At the model's horizon, with the assets held and what the model's factors are made of: columns of their
            names, or the assets of a `PortfolioFactor`. Usually the one that the model was estimated on.
        budget : RiskBudget
            Dollars of volatility at a horizon.
        cap : float, optional
            Adds the smallest hedge that brings the factor share of the variance to this, 0 or more.
        source : str
            Where the returns come from, in words.
        caveats : tuple of str
            What a reader should know of the data.
        level : float
            Probability with which each interval covers, between 0 and 1.
        errors : LongRunCovariance, optional
            How the errors behind intervals are estimated; by default `Cosine`.
        groups : Series or mapping from asset to group, optional
            Sectors, countries or desks, to add contributions by group.
        capital : float, optional
            Dollars of strategy that are held, to show what they use of the budget and warn of what they exceed.
        previous : mapping, optional
            What `to_dict` of an earlier report returned, to show what changed.
        instruments : sequence of labels, portfolios of assets, or Instrument
            What trades and may hedge the strategy, as of `HedgedPortfolio.minimum_variance`: assets of the model and
            of the panel, such as funds. The report compares the model's hedge in them with that of a regression, and
            the hedge on the page may hold them beside the factors. Where an `Instrument` has a lot, the report shows
            what whole lots change in the model's hedge of what is held; costs are left out.

        Raises
        ------
        InvalidParameterError
            For a model without factors, weights that are all zero, a cap that is no share from 0 to 1, or a level that
            is no probability.
        HorizonMismatchError
            If the panel is of another horizon than the model.
        UnknownAssetError, UnknownFactorError
            If the panel lacks what is held, or the model an instrument.
        SingularCovarianceError
            If an instrument is riskless, or a combination of the others.
        CollinearFactorsError
            If factors that are portfolios of assets cannot be told apart by their exposures.
        """
        require_portfolio(strategy, "strategy")
        require(panel, ReturnPanel, "panel", "of a panel on disk or a cluster, take select(...)")
        require(budget, RiskBudget, "budget", "make a rm.RiskBudget(1e6, rm.MONTH)")
        share = None if cap is None else require_share(cap, "cap", "a share of the variance")
        chosen = Cosine() if errors is None else errors
        require(chosen, LongRunCovariance, "errors", "such as rm.Cosine() or rm.HAC()")  # type: ignore[type-abstract]
        _require_something(strategy)
        strategy.excess_returns(panel)
        labels.positions(strategy.weights.index, panel.assets, "asset", UnknownAssetError)
        if groups is not None:
            Contributions.of(strategy, groups)  # says now what is wrong with them
        portfolios = {"unhedged": strategy, **_hedges(strategy, share)}
        tools = tuple(map(Instrument.read, labels.require_list(instruments, "instruments")))
        return cls(
            strategy=strategy,
            panel=panel,
            budget=budget,
            cap=share,
            portfolios=portfolios,
            positions={name: _size(p, budget) for name, p in portfolios.items()},
            source=source,
            caveats=tuple(map(str, labels.require_list(caveats, "caveats"))),
            level=require_probability(level, "level"),
            errors=chosen,
            groups=groups,
            capital=None if capital is None else float(Position(strategy, capital, budget.horizon).capital),
            instruments=_read_instruments(strategy, tools),
            tools=tools,
            previous=previous,
        )

    def __repr__(self) -> str:
        first = alerts.headline(self._measures)
        return f"<RiskReport{f': {first};' if first else ''} on {self.strategy!r}, {self.panel!r}>"

    # -- tables ------------------------------------------------------------------------------------

    @property
    def comparison(self) -> CovarianceComparison | None:
        """Of the holdings that have residuals; None for fewer than two, or more than 5,000."""
        return self._measures.comparison

    @property
    def total(self) -> str:
        """What the portfolio as a whole is called among its assets: ``"portfolio"``, unless one has this name."""
        return self._measures.total

    @property
    def figures(self) -> pd.DataFrame:
        """Every figure that has an interval: rows (portfolio, figure), as `Inference.table` names them.

        Columns ``estimate``, ``std_error``, ``low``, ``high``, ``level`` and ``of``: the long run, this window, or next
        month. Per the model's horizon. Beside the rows of `Inference.table` and `Inference.capped` there are
        ``expected pnl`` and ``factor-adjusted pnl`` of the dollars that the budget allows, ``realised volatility``,
        ``volatility, new dates`` (with the error of the hedge), ``volatility, long run`` and
        ``volatility, next month``. The neutral and the capped hedge are estimated; exposures and factor share are those
        that they leave as given numbers. What is not known has no row: a model without a regression has the realised
        and next month's volatility alone.
        """
        return self._measures.intervals.figures.copy()

    @property
    def scaling(self) -> pd.DataFrame:
        """By portfolio and horizon, what autocorrelation does to volatility and Sharpe ratio.

        Columns ``variance_ratio`` (1 where returns are uncorrelated), its ``std_error`` and ``pvalue``, ``volatility``
        and ``sharpe`` by √h, and ``scaled_volatility`` and ``scaled_sharpe`` as `TimeScaling` has them.
        """
        return self._measures.intervals.scaling.copy()

    @property
    def stability(self) -> Stability | None:
        """Tests that the strategy's exposures, and its alpha, are constant; None where the model has none."""
        return self._measures.intervals.stability

    @property
    def exposures_through_time(self) -> pd.DataFrame:
        """The strategy's exposures in rolling windows: dates × (factor; ``estimate``, ``low``, ``high``).

        Windows are of a year (of three where rows are longer than a week); empty for a panel of less than two.
        """
        return self._measures.intervals.exposures.copy()

    @property
    def trends(self) -> pd.DataFrame:
        """The strategy's ``volatility`` a year and ``factor share`` in rolling windows, as `exposures_through_time`.

        They are of regressions of its own returns at today's weights, so what residuals share is counted.
        """
        return self._measures.intervals.trends.copy()

    @property
    def walk_forward(self) -> HedgeRecord | None:
        """The strategy hedged on each date with the model of the rolling window before it.

        None for a panel of less than two windows, and where the strategy is not hedged.
        """
        return self._measures.intervals.walk_forward

    @property
    def contributions(self) -> Contributions:
        """Where the strategy's volatility comes from: by holding, by factor, and by group where groups were given."""
        return self._measures.contributions

    @property
    def tails(self) -> pd.DataFrame:
        """Value at risk and expected shortfall of what is held at 99 % over one row, by method, with their intervals.

        Dollars of `capital`, or of the largest position that the budget allows.
        """
        return self._measures.losses.tails.copy()

    @property
    def scenarios(self) -> pd.DataFrame:
        """By scenario: ``pnl``, its ``volatility``, ``low`` and ``high``, dollars as `tails`, and the ``horizon``."""
        return self._measures.losses.scenarios.copy()

    @property
    def attribution(self) -> pd.DataFrame:
        """What the strategy would have earned over the last month and year at today's weights, by part.

        Rows by ``span`` and ``part`` (``risk_free``, ``alpha``, factors, ``specific``, ``total``): the mean
        ``exposure``, the ``return`` linked over the span, decimals, with its ``std_error``, ``low`` and ``high``;
        ``start``, ``end`` and how many ``dates``. See `ReturnAttribution`.
        """
        return self._measures.earned.table.copy()

    @property
    def limits(self) -> pd.DataFrame:
        """By limit: ``allowed``, ``used`` and ``utilisation`` of what is held, or of the largest position allowed."""
        return self._measures.limits.copy()

    @property
    def changes(self) -> pd.DataFrame:
        """By figure: ``then`` (of the earlier report), ``now`` and ``change``; empty without an earlier one."""
        if self._changes is None:
            return pd.DataFrame(columns=["then", "now", "change"], dtype=np.float64)
        return self._changes.changes.copy()

    @property
    def estimates(self) -> pd.DataFrame:
        """What was estimated: rows (asset, parameter), columns ``estimate``, ``std_error``, ``low``, ``high``, ``t``.

        Parameters are ``alpha``, in decimals per the model's horizon, and the factors. The last asset is `total`, the
        portfolio as a whole. A model that has no intervals has the first column alone.
        """
        return self._measures.estimates.copy()

    @property
    def hedges_in_instruments(self) -> HedgeComparison | None:
        """The model's hedge in the instruments beside that of a regression; None without instruments."""
        return self._measures.in_instruments

    @property
    def assets(self) -> pd.DataFrame:
        """The holdings: ``weight``, ``rsquared``, ``idio_volatility`` per the model's horizon, ``n_observations``.

        Also the ends of the interval of R², ``rsquared_low`` and ``rsquared_high``, for up to 200 holdings, and the
        ``false_discovery_rate`` of alphas (Benjamini and Hochberg), where these have errors. A model without a
        regression has the first and the third.
        """
        return self._measures.assets.copy()

    @property
    def hedge_in_lots(self) -> pd.DataFrame:
        """What whole lots change in the model's hedge in instruments, as `HedgeSolution.rounding`; empty without lots.

        Costs are left out, so that it is the hedge of least variance.
        """
        found = self._measures.in_lots
        return pd.DataFrame(columns=["any size", "whole lots"], dtype=np.float64) if found is None else found.copy()

    @property
    def exposures(self) -> pd.DataFrame:
        """Exposure by factor of each portfolio; ``std_error`` and ``t`` of the unhedged one where they are known."""
        return self._measures.exposures.copy()

    @property
    def variance(self) -> pd.DataFrame:
        """Variance split: rows (portfolio, source), sources being the factors, ``"idio"`` and ``"total"``.

        Columns ``variance`` (return² per the model's horizon), ``share`` of the portfolio's total, and the volatility
        per ``day``, ``month`` and ``year``, NaN for a contribution that takes variance away.
        """
        return self._measures.variance.copy()

    @property
    def volatility(self) -> pd.DataFrame:
        """``factor_share`` of each portfolio's variance, and its volatility per ``day``, ``month`` and ``year``."""
        return self._measures.volatility.copy()

    @property
    def realised(self) -> pd.DataFrame:
        """Volatility by the model and as the returns had it, by portfolio.

        Rows (portfolio, ``model``, ``realised`` or ``last year``); columns ``volatility``, ``low`` and ``high`` (the
        ends of its interval; of the last year, the range of the next month) per the model's horizon, and ``capital``,
        the dollars that the budget's limits allow by it, NaN where nothing limits them. NaN where fewer than two dates
        have returns of all that is held; without a last year where there are returns of less than a year.
        """
        return self._measures.realised.copy()

    @property
    def realised_risk(self) -> Mapping[str, RealisedRisk | None]:
        """By portfolio, the comparison behind `realised`: whether the two differ, and by which residuals.

        None where fewer than two dates have returns of all that is held.
        """
        return MappingProxyType(dict(self._measures.realised_risk))

    @property
    def legs(self) -> pd.DataFrame:
        """What each portfolio holds: rows (portfolio, kind, leg), columns ``weight`` and ``dollars``.

        Kinds are ``asset`` (of strategy and hedge together), ``hedge`` (in factors that are held themselves) and
        ``cash``, negative where borrowed. A ``hedge in assets`` is one in a `PortfolioFactor`: its assets are among
        those of kind ``asset``. Dollars are of `capital` where that is known, otherwise of each portfolio's own
        capacity, and NaN where nothing limits it.
        """
        return self._measures.legs.copy()

    @property
    def pnl(self) -> pd.DataFrame:
        """What the budget holds and is expected to earn: rows (portfolio, horizon).

        Columns ``capital``, ``volatility``, ``expected_pnl``, ``factor_adjusted_pnl`` (dollars) and ``sharpe``, all
        NaN where a portfolio has no risk.
        """
        return self._measures.pnl.copy()

    @property
    def trade(self) -> pd.DataFrame:
        """What 1,000,000 dollars of each portfolio are expected to earn over a year, with the cash leg and without.

        Columns ``cash`` (dollars of the cash leg, negative where borrowed), ``expected_pnl`` (with the cash leg),
        ``cash_pnl`` (the cash leg's own, at the risk-free rate) and ``expected_pnl_without_cash``.
        """
        return self._measures.trade.copy()

    @property
    def correlations(self) -> pd.Series[float]:
        """The ten largest residual correlations, by pair of assets; empty without a comparison."""
        return self._measures.correlations.copy()

    @property
    def tests(self) -> pd.DataFrame:
        """Tests that residuals are uncorrelated: ``statistic`` and ``pvalue`` by test; empty without pairs."""
        return self._measures.tests.copy()

    @property
    def funded(self) -> tuple[Any, ...]:
        """The factors that cost cash to hold, on which the cash leg depends."""
        return self._measures.funded

    @property
    def dropped(self) -> pd.Series[int]:
        """How many dates alignment left out, by reason."""
        counts: pd.Series[int] = self.panel.dropped["reason"].value_counts().rename("dates")
        return counts

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know first: too few dates, or a risk that the model does not see, why and what helps."""
        return tuple(map(self._said, alerts.all_of(self._measures)))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: assumptions, what is not known and why, and the caveats."""
        own = (*notes.assumptions(self._measures, self.cap), *notes.gaps(self._measures))
        return (*map(self._said, own), *self.caveats)

    def factor_share(self, name: str) -> float:
        """Share of a portfolio's variance that the factors explain; NaN where it has no risk but rounding error."""
        return factor_share(self._named(name))

    def is_riskless(self, name: str) -> bool:
        """Whether a portfolio has no risk but rounding error."""
        return self._named(name).is_riskless

    def _named(self, name: str) -> Portfolio:
        if not isinstance(name, str) or name not in self.portfolios:
            raise InvalidParameterError(
                f"expected the name of a portfolio, one of {', '.join(self.portfolios)}, got {shown(name)}.",
                parameter="name",
                got=name,
            )
        return self.portfolios[name]

    # -- forms -------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain dicts, lists, strings, numbers and None: ready for JSON.

        Returns are decimals, amounts are dollars; each names its horizon. What is not known is None.
        """
        m, panel = self._measures, self.panel
        return {
            "schema": SCHEMA,
            "schema_version": VERSION,
            "version": _version(),
            "source": self.source,
            "start": str(panel.dates[0].date()),
            "end": str(panel.dates[-1].date()),
            "horizon": str(panel.horizon),
            "return_type": str(panel.return_type),
            "n_dates": len(panel.dates),
            "dropped": {str(reason): int(n) for reason, n in self.dropped.items()},
            "unmatched": str(panel.unmatched),
            "left_out": {str(asset): plain(growth) for asset, growth in panel.left_out.items() if growth != 1.0},
            "factors": [str(f) for f in m.held.factors],
            "funded": [str(f) for f in m.funded],
            "budget": {"volatility": float(self.budget.volatility), "horizon": str(self.budget.horizon)},
            "cap": self.cap,
            "assets": records(m.assets.reindex(columns=_OF_ASSETS).rename_axis("asset")),
            "estimates": records(_by_kind(m.estimates.reindex(columns=_OF_ESTIMATES), len(m.weights))),
            "exposures": records(_with_errors(m.exposures).rename_axis("factor")),
            "variance": records(m.variance),
            "legs": records(m.legs),
            "positions": {n: None if p is None else _position(p) for n, p in self.positions.items()},
            "pnl": records(m.pnl),
            "trade": {"capital": TRADE, "horizon": str(TRADE_HORIZON), "pnl": records(m.trade)},
            "residual_correlations": records(m.correlations.rename_axis(["asset", "with"]).to_frame("correlation")),
            "tests": records(m.tests.rename_axis("test")),
            "realised": records(m.realised),
            "level": self.level,
            "errors": repr(self.errors),
            "covered": {str(of): meaning for of, meaning in COVERED},
            "not_estimated": self._said(m.intervals.reason),
            "figures": records(m.intervals.figures),
            "scaling": records(m.intervals.scaling),
            "alpha_tests": records(m.intervals.alpha_tests),
            "alpha_known_after": _returns_needed(m),
            "provenance": {str(name): str(vintage) for name, vintage in panel.provenance.items()},
            "lineage": m.held.lineage.to_dict(),
            "capital": self.capital,
            "limits": records(m.limits),
            "contributions": _contributions(m),
            "tails": records(m.losses.tails.assign(level=TAIL_LEVEL)),
            "scenarios": records(m.losses.scenarios),
            "proxies": _proxies(m),
            "attribution": m.earned.table.astype(object).where(m.earned.table.notna(), None).to_dict("records"),
            "trends": _trends(m.intervals.trends),
            "walk_forward": _walk_forward(m.intervals.walk_forward),
            "hedges_in_instruments": _in_instruments(m),
            "hedge_in_lots": [] if m.in_lots is None else records(m.in_lots.rename_axis("figure")),
            "changes": records(self.changes.rename_axis("figure")),
            "stability": _stability(m.intervals.stability),
            "notes": [*self.notes, *notes.of_windows(m)],
            "warnings": list(self.warnings),
        }

    def to_text(self) -> str:
        """Tables for a terminal, 80 columns wide for names of usual length."""
        return text.render(self.document(text.MOST_ASSETS))

    def to_html(self) -> str:
        """One page that holds tables, pictures and all it needs; it opens offline, in light and in dark.

        Raises
        ------
        MissingExtraError
            If Jinja2 is not installed.
        """
        drawn, more = self.pictures(), tuple(notes.of_windows(self._measures))
        document = self.document(html.MOST_ASSETS)
        return html.render(evolve(document, pictures=drawn, notes=(*document.notes, *more)))

    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by its name, with labels in columns: what `to_excel` and `to_csv` write."""
        return {name: pd.DataFrame(rows) for name, rows in self._by_name() if isinstance(rows, list) and len(rows)}

    def _by_name(self) -> Iterator[tuple[str, Any]]:
        for name, content in self.to_dict().items():
            if name in {"contributions", "trade"}:
                yield from ((f"{name} {part}", rows) for part, rows in content.items())
            elif name in {"notes", "warnings"}:
                yield name, [{name: text} for text in content]
            elif name not in {"factors", "funded"}:
                yield name, content

    def to_csv(self) -> str:
        """All tables as one long one: columns ``table``, ``row``, ``column``, ``value``."""
        parts = [
            frame.rename_axis("row").reset_index().melt("row", var_name="column").assign(table=name)
            for name, frame in self.tables().items()
        ]
        long = pd.concat([part.astype(object) for part in parts])
        return str(long[["table", "row", "column", "value"]].to_csv(index=False))

    def to_excel(self, path: str | PathLike[str]) -> None:
        """Write a workbook with one sheet for each of `tables`.

        Parameters
        ----------
        path : path
            Where to; a file that is there is replaced.

        Raises
        ------
        MissingExtraError
            If openpyxl is not installed.
        InvalidParameterError
            For what is no path.
        """
        workbook.write(self.tables(), read_path(path, "path"))

    def _repr_html_(self) -> str:
        return html.fragment(self.document(text.MOST_ASSETS))

    def pictures(self) -> tuple[Picture, ...]:
        """Figures with their captions, in the order of the page."""
        return tuple(pictures.all_of(self._measures))

    def document(self, most: int) -> Document:
        """Return the facts, tables and notes for a renderer, with at most so many holdings a table."""
        m, most = self._measures, require_count(most, "most")
        facts = [(name, self._said(value)) for name, value in notes.facts(m, self.source)]
        shown = (*summary.tables(m, self._changes), *tables.all_of(m, most))
        return Document(
            "Risk report",
            facts[0][1],
            (*facts, ("Made by", f"riskmodel {_version()}")),
            tuple(evolve(table, note=self._said(table.note)) for table in shown),
            notes=self.notes,
            warnings=self.warnings,
            terms=notes.terms(m),
            tiles=summary.tiles(m),
            hedge=HedgeForm.of(m.strategy, self.instruments, self.budget, self.cap),
            line=(
                *([facts[0][1]] if len(m.weights) <= _FEW else []),
                *(text for name, text in facts if name in _LINE),
                f"riskmodel {_version()}",
            ),
        )


def _require_something(strategy: Portfolio) -> None:
    if not len(strategy.model.factors):
        raise InvalidParameterError("expected a model with at least one factor, got none; fit one with factors.")
    if not (strategy.weights != 0).any() and not (strategy.legs != 0).any():
        raise InvalidParameterError("expected a weight that is not zero, got zeros; hold something.")


def _hedges(strategy: Portfolio, cap: float | None) -> dict[str, Portfolio]:
    """The hedged portfolios; none where the strategy is exposed to what nobody can hold."""
    if not_tradable(strategy):
        return {}
    neutral = HedgedPortfolio.neutral(strategy)
    return {"hedged": neutral} if cap is None else {"capped": _capped(strategy, neutral, cap), "hedged": neutral}


def _capped(strategy: Portfolio, neutral: HedgedPortfolio, cap: float) -> HedgedPortfolio:
    """The smallest hedge within the cap; all of it where what it would leave is rounding error."""
    if cap < 1 and neutral.is_riskless:
        return neutral
    return HedgedPortfolio.with_factor_share(strategy, cap)


def _read_instruments(strategy: Portfolio, tools: tuple[Instrument, ...]) -> tuple[Any, ...]:
    """The labels or portfolios of the instruments, which the model must know."""
    every = tuple(tool.label for tool in tools)
    if every:
        HedgedPortfolio.minimum_variance(strategy, every)  # says now what is wrong with them
    return every


def _size(portfolio: Portfolio, budget: RiskBudget) -> Position | None:
    """The largest position; None where nothing limits it."""
    try:
        return budget.size(portfolio)
    except UnboundedPositionError:
        return None


def _by_kind(estimates: pd.DataFrame, n_assets: int) -> pd.DataFrame:
    """The estimates, each said to be of an asset or of the portfolio."""
    table, n_parameters = estimates.copy(), len(estimates) // (n_assets + 1)
    table.insert(0, "kind", np.repeat(["asset"] * n_assets + [PORTFOLIO], n_parameters))
    return table


def _with_errors(exposures: pd.DataFrame) -> pd.DataFrame:
    """The exposures with columns of errors, also where these are not known."""
    first, *others = [c for c in exposures if c not in _OF_ERRORS]
    return exposures.reindex(columns=[first, *_OF_ERRORS, *others])


def _contributions(m: Measures) -> dict[str, list[dict[str, Any]]]:
    split = m.contributions
    tables = {"by_asset": split.by_asset.rename_axis("asset"), "by_factor": split.by_factor.rename_axis("factor")}
    if m.groups is not None:
        tables["by_group"] = split.by_group.rename_axis("group")
    # shares of the variance with their intervals, where these are known
    tables["shares"] = m.intervals.contributions.assign(level=m.intervals.level)
    return {name: records(table) for name, table in tables.items()}


def _proxies(m: Measures) -> list[dict[str, Any]]:
    """What stands in for what."""
    peers, gross = m.strategy.model.proxies, float(m.weights.abs().sum())
    return [
        {
            "asset": str(a),
            "share_of_gross": abs(float(m.weights[a])) / gross,
            "peers": {str(k): float(w) for k, w in peers[a].items()},
        }
        for a in m.proxied
    ]


def _trends(table: pd.DataFrame) -> list[dict[str, Any]]:
    return records(table.set_axis([str(date.date()) for date in table.index]).rename_axis("date"))


def _walk_forward(record: HedgeRecord | None) -> list[dict[str, Any]]:
    return [] if record is None else records(record.summary().rename_axis("figure"))


def _in_instruments(m: Measures) -> list[dict[str, Any]]:
    return records(m.of_instruments) if len(m.of_instruments) else []


def _version() -> str:
    from riskmodel import __version__  # noqa: PLC0415 - the root imports what is below it first

    return str(__version__)


def _returns_needed(m: Measures) -> float | None:
    """How many returns tell the alpha from zero; None where none do."""
    record = m.intervals.track_record
    return None if record is None or not math.isfinite(record.needed) else record.needed


def _stability(found: Stability | None) -> dict[str, Any] | None:
    if found is None:
        return None
    tests = {"exposures": found.exposures, "residuals": found.residuals}
    return {
        name: {"statistic": test.statistic, "critical": list(test.critical), "date": str(test.date.date())}
        for name, test in tests.items()
    }


def _position(position: Position) -> dict[str, Any]:
    return {
        "capital": float(position.capital),
        "binding": position.binding,
        "volatility": float(position.volatility),
        "horizon": str(position.horizon),
    }
