"""Attribution of realised returns to cash, factors, alpha and what is specific to assets."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_probability
from riskmodel._core.arrays import Array, Flags, Index, floats
from riskmodel._core.callers import warn
from riskmodel._core.display import Table
from riskmodel._core.listing import Listed
from riskmodel.analysis.active import ActivePortfolio
from riskmodel.analysis.grouping import FACTORS, Grouping, require_given
from riskmodel.analysis.linking import Carino, Linking
from riskmodel.analysis.market import Market
from riskmodel.analysis.part_errors import PartErrors
from riskmodel.analysis.path import Path, Plan
from riskmodel.analysis.weighting import (
    REBALANCED,
    WHOLE_DATES,
    Unknown,
    Weighting,
    require_unknown,
    require_weighting,
)
from riskmodel.data.provider import DataProvider
from riskmodel.errors import (
    InvalidParameterError,
    LeftOutNamesWarning,
    MissingDatesWarning,
    TooFewObservationsError,
)
from riskmodel.horizon import Horizon, require_same
from riskmodel.inference.bounds import Spread, Symmetric
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.covariance.cosine import Cosine
from riskmodel.inference.estimand import LONG_RUN, THIS_WINDOW
from riskmodel.inference.inference import Inference
from riskmodel.inference.rolling import RollingInference
from riskmodel.model.history import ModelHistory
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel
from riskmodel.panel.return_type import TOTAL, ReturnType, require_return_type
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio

RISK_FREE, ALPHA, SPECIFIC, CASH = "risk_free", "alpha", "specific", "cash"
_COLUMNS = ["estimate", "std_error", "low", "high"]


@final
@frozen(eq=False, repr=False)
class ReturnAttribution(Listed):
    r"""What a portfolio earned over a window, by source: cash, factors, alpha, and what is specific to its assets.

    On each date, :math:`r = r_f c + \sum_k x_k f_k + w^\top\alpha + w^\top\varepsilon` with exposures
    :math:`x = B^\top w` and positions in factors added. Parts sum to the return on each date, and, times the
    coefficients of a `Linking`, to the return over all dates.

    * ``risk_free``: the rate times the cash c that the holdings cost, as in `Portfolio.expected_return_by`: 1 for
      weights that sum to one, 0 for a hedged portfolio, which holds a cash leg. Attributions of
      ``rm.EXCESS`` returns do not have it.
    * factors: exposure times the factor's return, as the panel has it: in excess of the rate where it is funded.
    * ``alpha``: what the model says assets earn beyond their exposures; ``specific``: what is left.

    With one model, exposures are those of its loadings, whatever the dates it was estimated on. With a `ModelHistory`,
    a date has the loadings and alphas of the latest model of an earlier date, and weights by date are bought at its
    end: nothing is used before it was known.

    Made by `of` and `of_weights`. Figures are decimals per row of the panel, or over the window where linked.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "AAPL", "JPM"], ["Mkt-RF"], start="2017-01-01")
    >>> held = rm.Strategy({"MSFT": 0.4, "AAPL": 0.3, "JPM": 0.3}, rm.OLS().fit(panel))
    >>> rm.ReturnAttribution.of(held, panel, start="2018-01-01", end="2018-06-30")
    ReturnAttribution: return 9.26%, 125 dates from 2018-01-02 to 2018-06-29, linked by Carino()
              exposure  return share
    risk_free           0.0079  0.09
    alpha               0.0649  0.70
    Mkt-RF        1.28  0.0101  0.11
    specific            0.0097  0.10
    total               0.0926  1.00
    """

    linking: Linking
    return_type: ReturnType
    horizon: Horizon
    _missing: pd.DataFrame
    _market: Market
    _held: Path
    _benchmark: Path | None
    _groups: Any = None
    _factor_groups: Any = None

    # -- how it is made ----------------------------------------------------------------------------

    @classmethod
    def of(
        cls,
        portfolio: Portfolio,
        data: DataProvider | ReturnPanel,
        start: Any = None,
        end: Any = None,
        *,
        weighting: Weighting = REBALANCED,
        linking: Linking | None = None,
        return_type: ReturnType = TOTAL,
        unknown: Unknown = WHOLE_DATES,
        groups: Any = None,
        factor_groups: Any = None,
    ) -> Self:
        """Attribute the return of a portfolio, with the loadings of its model.

        Parameters
        ----------
        portfolio : Portfolio
            Its weights are bought before the first date. An `ActivePortfolio` is attributed against its benchmark: its
            parts sum to the compounded return of the portfolio less that of the benchmark.
        data : DataProvider or ReturnPanel
            At the model's horizon, with the assets held and the model's factors.
        start, end : date-like, optional
            The window, with both ends.
        weighting : Weighting
            ``rm.REBALANCED`` (the default): the same weights on each date; ``rm.BUY_AND_HOLD``: they drift.
        linking : Linking, optional
            By default `Carino`.
        return_type : ReturnType
            ``rm.TOTAL`` (the default) with the part ``risk_free``, ``rm.EXCESS`` without it.
        unknown : Unknown
            What to leave out where something held has no return: ``rm.WHOLE_DATES`` (the default) or
            ``rm.NAMES_ALONE``. The table `missing` and a warning say what it was.
        groups, factor_groups : Series or mapping, optional
            As for `Contributions.of`.

        Raises
        ------
        HorizonMismatchError
            If the data have another horizon than the model.
        UnknownAssetError, UnknownFactorError
            If the data lack an asset held or a factor, or one has no group.
        TooFewObservationsError
            If no date is left.
        ImpossibleReturnsError
            For a portfolio that loses all, where that cannot be linked or held.

        Warns
        -----
        MissingDatesWarning, LeftOutNamesWarning
            Where dates, or names on some dates, are left out.
        """
        p = require_portfolio(portfolio, "portfolio")
        panel, rows = p._panel(data, p.model.definitions, start, end)
        sides = [p.portfolio, p.benchmark] if isinstance(p, ActivePortfolio) else [p]
        plans = [Plan.of_portfolio(side) for side in sides]
        market = Market.of_model(p.model, panel, _assets(plans), rows)
        return cls._of(market, plans, p.horizon, weighting, linking, return_type, unknown, groups, factor_groups)

    @classmethod
    def of_weights(
        cls,
        weights: Any,
        model: FactorModel | ModelHistory,
        panel: ReturnPanel | None = None,
        start: Any = None,
        end: Any = None,
        *,
        benchmark: Any = None,
        weighting: Weighting = REBALANCED,
        linking: Linking | None = None,
        return_type: ReturnType = TOTAL,
        unknown: Unknown = WHOLE_DATES,
        groups: Any = None,
        factor_groups: Any = None,
    ) -> Self:
        """Attribute the return of weights that may change, with a model or a history of models.

        Parameters
        ----------
        weights : mapping or Series by asset, DataFrame dates × assets, or Book
            Dollars per dollar of the portfolio. Those of a date are bought at its end, and earn the returns of later
            dates until the next ones. Write 0 for what is not held. A `Book` has its weights from its date on.
        model : FactorModel or ModelHistory
            A history gives each date the latest model of an earlier one.
        panel : ReturnPanel, optional
            The returns; for a history, its own.
        start, end : date-like, optional
            The window, with both ends; dates before the first weights or models are left out.
        benchmark : as weights, optional
            Attribute against it: parts sum to the compounded return less that of the benchmark.
        weighting, linking, return_type, unknown, groups, factor_groups
            As for `of`.

        Raises
        ------
        InvalidParameterError
            For arguments of other kinds, weights that are not finite, or a panel with a history.
        UnknownDateError
            If there are no weights before the last date.
        RiskModelError
            As for `of`.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"], start="2016-01-01")
        >>> history = rm.Rolling(rm.YEAR).fit(panel)
        >>> attribution = rm.ReturnAttribution.of_weights({"MSFT": 0.5, "JPM": 0.5}, history, start="2018-01-01")
        >>> attribution.parts.round(4)
        risk_free    0.0175
        alpha        0.1496
        Mkt-RF       0.0213
        specific     0.0028
        Name: return, dtype: float64
        """
        if isinstance(model, ModelHistory):
            if panel is not None:
                raise InvalidParameterError(
                    "expected no panel beside a history, which has its own, got one; leave it out.", parameter="panel"
                )
            of = model.panel.horizon
        else:
            own = require(model, FactorModel, "model", "or a ModelHistory")
            of = require(panel, ReturnPanel, "panel", "with the returns to attribute").horizon
            require_same(own.horizon, of, "a model and its panel")
        plans = [Plan.read(w, of) for w in (weights, benchmark) if w is not None]
        if weights is None:
            plans = [Plan.read(weights, of)]
        market = _market(model, panel, _assets(plans), start, end)
        first = max(plan.first_after(market.dates) for plan in plans)
        market = market.take(np.arange(len(market.dates)) >= first)
        return cls._of(market, plans, of, weighting, linking, return_type, unknown, groups, factor_groups)

    @classmethod
    def _of(  # noqa: PLR0917 - the arguments of its two callers
        cls,
        market: Market,
        plans: list[Plan],
        horizon: Horizon,
        weighting: Any,
        linking: Any,
        return_type: Any,
        unknown: Any,
        groups: Any,
        factor_groups: Any,
    ) -> Self:
        way, rule = require_weighting(weighting), require_unknown(unknown)
        counted = market.has_return & market.is_estimated
        paths = [Path.of(plan, market, way, counted) for plan in plans]
        gaps = _Gaps.of(market, paths, counted)
        kept = gaps.dates_kept(rule)
        if not kept.any():
            raise TooFewObservationsError(
                f"expected a date on which all that is held has a return, got none of {len(kept)}; pass "
                "unknown=rm.NAMES_ALONE, or leave out the assets with the fewest returns.",
                dates=len(kept),
            )
        gaps.warn(rule)
        paths = [path.counting(counted).take(kept) for path in paths]
        made = cls(
            linking=Carino() if linking is None else require(linking, Linking, "linking", "such as rm.Carino()"),  # type: ignore[type-abstract]
            return_type=require_return_type(return_type),
            horizon=horizon,
            missing=gaps.table(),
            market=market.take(kept).known(),
            held=paths[0],
            benchmark=paths[1] if len(paths) > 1 else None,
            groups=groups,
            factor_groups=factor_groups,
        )
        made._require_groups()
        made.coefficients  # noqa: B018 - raises for returns that cannot be linked
        return made

    def _require_groups(self) -> None:
        if self._groups is not None:
            self._grouping  # noqa: B018 - reads it
        if self._factor_groups is not None:
            self._factor_grouping  # noqa: B018 - likewise

    @property
    def missing(self) -> pd.DataFrame:
        """What is not known of assets held, and so is left out, by asset and reason.

        Columns ``asset``, ``reason`` (``no return``, or ``no estimate`` in the model of a date), ``dates`` (how many),
        ``first`` and ``last``.
        """
        return self._missing.copy()

    # -- by date -----------------------------------------------------------------------------------

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The dates that count."""
        return self._market.dates.copy()

    @property
    def weights(self) -> pd.DataFrame:
        """Weight over the return of each date, dates × assets: active ones against a benchmark."""
        return self._frame(self._active.weights, self._market.assets)

    @property
    def exposures(self) -> pd.DataFrame:
        """Exposure to each factor, positions in factors included, dates × factors."""
        return self._frame(self._exposures, self._market.factors)

    @property
    def factor_returns(self) -> pd.DataFrame:
        """Returns of the factors, dates × factors; zero where a date's model does not have the factor."""
        return self._frame(self._market.factor_returns, self._market.factors)

    @cached_property
    def _by_date(self) -> Array:
        return self._dated(self._active)

    def _dated(self, path: Path) -> Array:
        """Parts by date, T × parts, of all or some of the holdings."""
        m = self._market
        alpha, exposures = np.empty(len(m.dates)), path.legs.copy()
        for span in m.loadings:
            alpha[span.rows] = path.weights[span.rows] @ span.alpha
            exposures[span.rows] += path.weights[span.rows] @ span.loadings
        factors = exposures * m.factor_returns
        earned = np.einsum("tn,tn->t", path.weights, m.excess_returns)
        earned += np.einsum("tk,tk->t", path.legs, m.factor_returns)
        columns = [alpha, *factors.T, earned - alpha - factors.sum(axis=1)]
        return np.column_stack([self._cost(path) * m.risk_free, *columns] if self._is_total else columns)

    @property
    def by_date(self) -> pd.DataFrame:
        """Parts of the return, dates × (``risk_free``, ``alpha``, factors, ``specific``)."""
        return self._frame(self._by_date, self._parts)

    @property
    def by_date_and_group(self) -> pd.DataFrame:
        """Parts of the return by group of holdings, dates × (group, part), before linking.

        Raises
        ------
        InvalidParameterError
            If no groups were given.
        """
        groups, active = self._grouping, self._active
        assets, legs = self._columns
        n, own = len(assets), groups.codes
        tables = {}
        for code, name in enumerate(groups.names):
            some = np.zeros(active.weights.shape[1], dtype=bool)
            some[assets[own[:n] == code]] = True
            of_legs = np.zeros(active.legs.shape[1], dtype=bool)
            of_legs[legs[own[n : n + len(legs)] == code]] = True
            cash = active.cash * bool((own[n + len(legs) :] == code).any())
            part = Path(active.weights * some, active.legs * of_legs, cash)
            tables[name] = self._frame(self._dated(part), self._parts)
        together: pd.DataFrame = pd.concat(tables, axis=1, names=["group", "part"])
        return together

    @property
    def returns(self) -> pd.Series[float]:
        """Return by date, the sum of the parts: less that of the benchmark, if there is one."""
        values = self._returns(self._held) - self._benchmark_returns
        return pd.Series(values, self.dates, name="return")

    # -- linked over time --------------------------------------------------------------------------

    @cached_property
    def _coefficients(self) -> Array:
        return self.linking.coefficients(self._returns(self._held), self._benchmark_returns)

    @property
    def coefficients(self) -> pd.Series[float]:
        """Of the linking, by date."""
        return pd.Series(self._coefficients, self.dates, name="coefficient")

    @property
    def total(self) -> float:
        """Return over all dates: the sum of `parts`."""
        return float(self._coefficients @ self.returns.to_numpy())

    @property
    def parts(self) -> pd.Series[float]:
        """Linked parts of the return over all dates: ``risk_free``, ``alpha``, factors, ``specific``."""
        return pd.Series(self._coefficients @ self._by_date, self._parts, name="return")

    @property
    def by_factor_group(self) -> pd.Series[float]:
        """Linked parts with factors added up by their groups.

        Raises
        ------
        InvalidParameterError
            If no groups of factors were given.
        """
        sums, names = self._by_factor_groups(floats(self.parts)[:, None])
        return pd.Series(sums[:, 0], names, name="return")

    @property
    def by_asset(self) -> pd.DataFrame:
        """Linked parts by holding: assets, then positions in factors, then ``cash``; they sum to `parts`."""
        names, values = self._by_holding
        grouping = Grouping.of_labels(names)
        return pd.DataFrame(grouping.sums(values), grouping.names, self._parts)

    @property
    def by_group(self) -> pd.DataFrame:
        """Linked parts, groups of holdings × (``risk_free``, ``alpha``, factors or their groups, ``specific``).

        Positions in factors that are given no group are the group ``"factors"``, and cash is ``"cash"``.

        Raises
        ------
        InvalidParameterError
            If no groups were given.
        """
        grouping = self._grouping
        values, names = grouping.sums(self._by_holding[1]), self._parts
        if self._factor_groups is not None:
            sums, names = self._by_factor_groups(values.T)
            values = sums.T
        return pd.DataFrame(values, grouping.names, names)

    @property
    def timing(self) -> pd.DataFrame:
        r"""Linked factor parts, split into what the mean exposure earned and what its changes earned.

        Columns ``exposure`` and ``factor_return`` (means over dates, with the linking's coefficients c as weights),
        ``tilt`` = :math:`\bar x \bar f \sum c`, ``timing`` = :math:`\sum_t c_t (x_t - \bar x)(f_t - \bar f)`, and
        ``total``, their sum: the part in `parts`. Timing is positive where exposures were larger before higher returns.
        """
        c, x, f = self._coefficients, self._exposures, self._market.factor_returns
        size = float(c.sum()) or 1.0
        of_x, of_f = c @ x / size, c @ f / size
        tilt, total = of_x * of_f * size, c @ (x * f)
        columns = {"exposure": of_x, "factor_return": of_f, "tilt": tilt, "timing": total - tilt, "total": total}
        return pd.DataFrame(columns, self._market.factors.copy())

    # -- how sure ----------------------------------------------------------------------------------

    def std_errors(self, inference: Inference | RollingInference, level: float = 0.95) -> pd.DataFrame:
        """Return the linked parts with errors, because alphas and loadings are estimates.

        The returns of the portfolio and of the factors are known; how they divide is not. An error of a loading moves
        as much into the factor's part as out of ``alpha`` or ``specific``. With a history, an error is that of the
        loadings of each date's model as averages over its own window: it does not count that loadings may have moved
        since.

        Parameters
        ----------
        inference : Inference or RollingInference
            ``rm.Inference.of(model, panel)`` of the attribution's model, and the panel it was fitted on; for a
            history, ``rm.RollingInference(history)``.
        level : float
            Probability with which each interval covers.

        Returns
        -------
        DataFrame
            Rows ``alpha``, factors, ``specific``; columns ``estimate``, ``std_error``, ``low``, ``high``.

        Raises
        ------
        InvalidParameterError
            For an inference of another model or history.
        EstimationError
            If a window of a history has no asset that could be estimated.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"], start="2016-01-01")
        >>> history = rm.Rolling(rm.YEAR, every=rm.MONTH).fit(panel)
        >>> attribution = rm.ReturnAttribution.of_weights({"MSFT": 0.5, "JPM": 0.5}, history, start="2018-01-01")
        >>> attribution.std_errors(rm.RollingInference(history)).round(3)
                  estimate  std_error    low   high
        alpha        0.145      0.075 -0.014  0.304
        Mkt-RF       0.022      0.003  0.016  0.027
        specific     0.007      0.077 -0.156  0.170
        """
        chosen = require_probability(level, "level")
        errors = PartErrors(self._market, self._scaled, inference)
        names = pd.Index([ALPHA, *self._market.factors, SPECIFIC])
        # a sum of loadings is about the windows of its models; alphas are about the long run
        about = [LONG_RUN, *([THIS_WINDOW] * len(self._market.factors)), LONG_RUN]
        rows = []
        for at, terms, estimand in zip(floats(self.parts[names]).tolist(), errors.terms(), about, strict=True):
            ends = (0.0, at, at)
            if terms.by_date.any():
                ends = Symmetric(at).ends(Spread.of(terms, errors.covariance.about(estimand)), chosen)
            rows.append([at, *ends])
        return pd.DataFrame(rows, names, _COLUMNS)

    def means(self, covariance: LongRunCovariance | None = None, level: float = 0.95) -> pd.DataFrame:
        """Return the mean of each part over dates, and how sure it is: whether it would go on, not what it was.

        Parameters
        ----------
        covariance : LongRunCovariance, optional
            By default `Cosine`.
        level : float
            Probability with which each interval covers the long-run mean.

        Returns
        -------
        DataFrame
            Rows as in `parts`, then ``alpha + specific`` (with one model, alpha is the same on each date, and all that
            varies is specific) and ``total``; columns ``estimate``, ``std_error``, ``low``, ``high``, decimals per
            row.

        Raises
        ------
        TooFewObservationsError
            For fewer than three dates.
        """
        chosen, t = require_probability(level, "level"), len(self.dates)
        if t < 3:
            raise TooFewObservationsError(f"expected three dates or more, got {t}; widen the window.", dates=t)
        made = Cosine() if covariance is None else require(covariance, LongRunCovariance, "covariance", "rm.Cosine()")  # type: ignore[type-abstract]
        own = self._by_date[:, self._parts.isin([ALPHA, SPECIFIC])].sum(axis=1)
        columns = np.column_stack([self._by_date, own, self.returns])
        rows = []
        for x in columns.T:
            terms = DateTerms((x - x.mean())[None] / t, np.ones(t), float(t), 1)
            error, low, high = Symmetric(float(x.mean())).ends(Spread.of(terms, made.about(LONG_RUN)), chosen)
            rows.append([float(x.mean()), error, low, high])
        return pd.DataFrame(rows, pd.Index([*self._parts, "alpha + specific", "total"]), _COLUMNS)

    # -- as it prints ------------------------------------------------------------------------------

    def to_frame(self) -> pd.DataFrame:
        """Return linked parts, then ``total``: columns ``exposure`` (mean, of factors), ``return`` and ``share``."""
        parts, total = self.parts, self.total
        values = pd.concat([parts, pd.Series({"total": total})])
        share = values / total if total else np.nan * values
        return pd.DataFrame({"exposure": self.exposures.mean().reindex(values.index), "return": values, "share": share})

    @property
    def _table(self) -> Table:
        dates, kind = self._market.dates, "" if self._is_total else "excess "
        active = " less the benchmark" if self._benchmark is not None else ""
        title = (
            f"ReturnAttribution: {kind}return {self.total:.2%}{active}, {len(dates)} dates from {dates[0].date()} to "
            f"{dates[-1].date()}, linked by {self.linking!r}"
        )
        return Table(title, self.to_frame(), last=2)

    def __repr__(self) -> str:
        return self._table.text()

    def _repr_html_(self) -> str:
        return self._table.html()

    # -- parts -------------------------------------------------------------------------------------

    @property
    def _is_total(self) -> bool:
        return self.return_type is TOTAL

    @property
    def _parts(self) -> pd.Index[Any]:
        names = [ALPHA, *self._market.factors, SPECIFIC]
        return pd.Index([RISK_FREE, *names] if self._is_total else names)

    @cached_property
    def _active(self) -> Path:
        return self._held if self._benchmark is None else self._held.minus(self._benchmark)

    @property
    def _scaled(self) -> Array:
        """Weights times the coefficient of their date, T × N."""
        return np.asarray(self._coefficients[:, None] * self._active.weights)

    @cached_property
    def _exposures(self) -> Array:
        exposures = self._active.legs.copy()
        for span in self._market.loadings:
            exposures[span.rows] += self._active.weights[span.rows] @ span.loadings
        return exposures

    @cached_property
    def _benchmark_returns(self) -> Array:
        return np.zeros(len(self._market.dates)) if self._benchmark is None else self._returns(self._benchmark)

    def _returns(self, path: Path) -> Array:
        m = self._market
        of_assets = np.einsum("tn,tn->t", path.weights, m.excess_returns)
        own = of_assets + np.einsum("tk,tk->t", path.legs, m.factor_returns)
        return np.asarray(own + self._cost(path) * m.risk_free if self._is_total else own)

    def _cost(self, path: Path) -> Array:
        """Cash that the holdings cost, by date."""
        return np.asarray(path.weights.sum(axis=1) + path.legs[:, self._market.funded].sum(axis=1) + path.cash)

    @property
    def _columns(self) -> tuple[Index, Index]:
        """Positions of the assets and of the factors that are held on some date."""
        active = self._active
        return np.flatnonzero((active.weights != 0).any(axis=0)), np.flatnonzero(active.legs.any(axis=0))

    @cached_property
    def _by_holding(self) -> tuple[list[Any], Array]:
        """Labels and linked parts of assets, legs and cash."""
        m, c, active = self._market, self._coefficients, self._active
        (held, legs), k = self._columns, len(m.factors)
        scaled = c[:, None] * active.weights[:, held]
        alpha, factors = np.zeros(len(held)), np.zeros((len(held), k))
        for span in m.loadings:
            own = scaled[span.rows]
            alpha += own.sum(axis=0) * span.alpha[held]
            factors += own.T @ m.factor_returns[span.rows] * span.loadings[held]
        left = np.einsum("tn,tn->n", scaled, m.excess_returns[:, held]) - alpha - factors.sum(axis=1)
        values = np.column_stack([scaled.T @ m.risk_free, alpha, factors, left])
        of_legs = np.zeros((len(legs), k + 3))
        of_legs[:, 0] = (c * m.risk_free) @ active.legs[:, legs] * m.funded[legs]
        of_legs[np.arange(len(legs)), 2 + legs] = c @ (active.legs * m.factor_returns)[:, legs]
        cash = np.zeros((int(active.cash.any()), k + 3))
        cash[:, 0] = (c * m.risk_free) @ active.cash
        every = np.concatenate([values, of_legs, cash])
        names = [*m.assets[held], *m.factors[legs], *([CASH] * len(cash))]
        return names, every if self._is_total else every[:, 1:]

    @cached_property
    def _grouping(self) -> Grouping:
        groups, (assets, legs) = require_given(self._groups, "groups"), self._columns
        others = [(leg, FACTORS) for leg in self._market.factors[legs]]
        cash = [(CASH, CASH)] * int(self._active.cash.any())
        return Grouping.of_holdings(groups, self._market.assets[assets], [*others, *cash])

    @cached_property
    def _factor_grouping(self) -> Grouping:
        groups = require_given(self._factor_groups, "factor_groups")
        return Grouping.of_factors(groups, self._market.factors, [RISK_FREE, ALPHA, SPECIFIC])

    def _by_factor_groups(self, values: Array) -> tuple[Array, pd.Index[Any]]:
        """Add the rows of factors up by group."""
        groups, first = self._factor_grouping, len(self._parts) - len(self._market.factors) - 1
        sums = [values[:first], groups.sums(values[first:-1]), values[-1:]]
        return np.concatenate(sums), pd.Index([*self._parts[:first], *groups.names, SPECIFIC])

    def _frame(self, values: Array, columns: pd.Index[Any]) -> pd.DataFrame:
        return pd.DataFrame(values.copy(), self.dates, columns.copy())


def _assets(plans: list[Plan]) -> pd.Index[Any]:
    every = plans[0].assets
    for plan in plans[1:]:
        every = every.append(plan.assets.difference(every, sort=False))
    return every


def _market(model: Any, panel: Any, assets: pd.Index[Any], start: Any, end: Any) -> Market:
    if isinstance(model, ModelHistory):
        return Market.of_history(model, assets, start, end)
    chosen = panel.select(start=start, end=end).dates
    first = int(panel.dates.get_loc(chosen[0]))
    return Market.of_model(model, panel, assets, slice(first, first + len(chosen)))


@final
@frozen(eq=False)
class _Gaps:
    """Where something held has no return, or no estimate; T × N flags, and dates without a factor."""

    market: Market
    held: Flags
    counted: Flags
    has_factors: Flags

    @classmethod
    def of(cls, market: Market, paths: list[Path], counted: Flags) -> Self:
        held = np.any([path.weights != 0 for path in paths], axis=0)
        return cls(market, held, counted, market.has_factors)

    @property
    def _gaps(self) -> Flags:
        return self.held & ~self.counted

    def dates_kept(self, rule: Unknown) -> Flags:
        """Dates that count."""
        kept = self.has_factors
        return kept & ~self._gaps.any(axis=1) if rule is WHOLE_DATES else kept & (self.held & self.counted).any(axis=1)

    def table(self) -> pd.DataFrame:
        """By asset held: why it is not known, on how many dates, and the first and last of these."""
        rows = []
        for reason, known in (("no return", self.market.has_return), ("no estimate", self.market.is_estimated)):
            missing = self.held & ~known
            if reason == "no estimate":
                missing &= self.market.has_return
            for column in np.flatnonzero(missing.any(axis=0)).tolist():
                at = np.flatnonzero(missing[:, column])
                dates = self.market.dates
                rows.append((self.market.assets[column], reason, len(at), dates[at[0]], dates[at[-1]]))
        return pd.DataFrame(rows, columns=["asset", "reason", "dates", "first", "last"])

    def warn(self, rule: Unknown) -> None:
        """Say what is left out."""
        kept, names = self.dates_kept(rule), self.market.assets[np.flatnonzero(self._gaps.any(axis=0))]
        if not kept.all():
            left = int((~kept).sum())
            warn(
                MissingDatesWarning(
                    f"left out {left} of {len(kept)} dates, on which a factor or something held has no return or no "
                    f"estimate ({labels.listing(names)}); the table missing says which. Pass unknown=rm.NAMES_ALONE to "
                    "leave out such names alone.",
                    missing=left,
                    dates=len(kept),
                    assets=list(names),
                )
            )
        if rule is not WHOLE_DATES and self._gaps[kept].any():
            warn(
                LeftOutNamesWarning(
                    f"left out {labels.listing(names)} on {int(self._gaps[kept].any(axis=1).sum())} of "
                    f"{int(kept.sum())} dates, on which they have no return or no estimate; the table missing says "
                    "which.",
                    assets=list(names),
                )
            )
