"""The hedge that a desk can trade: least risk and cost, within limits."""

from __future__ import annotations

import math
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_count, require_finite, shown
from riskmodel._core.arrays import Array, Flags
from riskmodel._core.listing import Listed
from riskmodel.errors import InfeasibleHedgeError, InvalidParameterError
from riskmodel.horizon import Horizon
from riskmodel.model.instruments import HeldInstruments
from riskmodel.panel.factors import FactorOfAssets
from riskmodel.portfolio.desk.convex import ConvexSolver
from riskmodel.portfolio.desk.forms import Linear, Squares
from riskmodel.portfolio.desk.instrument import Instrument
from riskmodel.portfolio.desk.limits import HedgeLimit, read_limits
from riskmodel.portfolio.desk.lots import in_lots
from riskmodel.portfolio.desk.solution import HedgeSolution
from riskmodel.portfolio.desk.solver import ClosedForm, Found, HedgeSolver
from riskmodel.portfolio.desk.subsets import fewest
from riskmodel.portfolio.desk.terms import HedgeTerms
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.hedging.rows import RiskRows
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio
from riskmodel.quantities import Mean


def _read_instruments(instruments: Any) -> tuple[Instrument, ...]:
    if isinstance(instruments, Instrument | FactorOfAssets):
        raise InvalidParameterError(
            f"expected instruments as a list, got {instruments!r}; write [{instruments!r}].",
            parameter="instruments",
            got=instruments,
        )
    every = tuple(Instrument.read(i) for i in labels.require_list(instruments, "instruments"))
    labels.unique([i.name for i in every], "instruments")
    return every


def _is_positive(_self: Any, attribute: Any, value: Any) -> None:
    if value is not None and not require_finite(value, attribute.alias) > 0:
        raise InvalidParameterError(
            f"expected {attribute.alias} above 0, got {value!r}.", parameter=attribute.alias, got=value
        )


def _is_horizon(_self: Any, attribute: Any, value: Any) -> None:
    if value is not None:
        require(value, Horizon, attribute.alias, "such as rm.MONTH")


def _is_count(_self: Any, attribute: Any, value: Any) -> None:
    if value is not None:
        require_count(value, attribute.alias, least=1)


@final
@frozen(eq=False, repr=False)
class HedgeProblem(Listed):
    r"""The hedge of least risk and cost in instruments with prices, limits and lots.

    It minimises :math:`\tfrac{\gamma}{2} \mathrm{Var} + \mathrm{trading} + \mathrm{borrow} - \mathrm{carry}` over the
    holding period, per dollar of strategy. Without any cost, this is the variance, whatever γ.

    Parameters
    ----------
    strategy : Portfolio
        What is hedged.
    instruments : sequence of Instrument, labels or portfolios of assets
        What the hedge may hold. A bare label has no costs and no limits.
    limits : sequence of HedgeLimit
        `FactorShareCap`, `VolatilityCap`, `ExposureRange`: on what the hedge leaves.
    risk_aversion : float, optional
        γ, the price of variance: needed where instruments have costs. A γ of 4 pays 2 % a year to remove a volatility
        of 10 %.
    horizon : Horizon, optional
        The holding period, over which variance, borrow and carry are counted and trading is paid once; needed where
        instruments have costs.
    capital : float, optional
        Dollars of strategy: needed for lots and daily volumes.
    at_most : int, optional
        Hold at most so many instruments.

    Raises
    ------
    InvalidParameterError
        For arguments that are none of these, or costs, lots or volumes without what they need.
    UnknownAssetError, UnknownFactorError
        For an instrument or limit of what the model does not have.

    Notes
    -----
    Without costs, bounds and caps, it is solved by linear algebra. Otherwise it needs the extra ``optimize`` (cvxpy
    with the solver Clarabel). Caps on shares, and `at_most`, are not convex: `HedgeSolution.gap` says how far the
    optimum may be. Lots are rounded after the problem is solved, and moved a lot at a time while that helps; of this
    there is no bound, and `HedgeSolution.rounding` says what it changed.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["XOM", "CVX", "RRC", "KO"], ["Mkt-RF"])
    >>> oil = rm.Strategy({"XOM": 0.5, "RRC": 0.5}, rm.OLS().fit(panel))
    >>> solution = rm.HedgeProblem(oil, ["CVX", "KO", "Mkt-RF"], at_most=1).solve()
    >>> solution.weights.round(3).to_dict()
    {'CVX': 0.0, 'KO': 0.0, 'Mkt-RF': -0.96}
    """

    strategy: Portfolio = field()
    instruments: tuple[Instrument, ...] = field(converter=_read_instruments)
    limits: tuple[HedgeLimit, ...] = field(default=(), converter=read_limits)
    risk_aversion: float | None = field(default=None, kw_only=True, validator=_is_positive)
    horizon: Horizon | None = field(default=None, kw_only=True, validator=_is_horizon)
    capital: float | None = field(default=None, kw_only=True, validator=_is_positive)
    at_most: int | None = field(default=None, kw_only=True, validator=_is_count)

    @strategy.validator
    def _check_strategy(self, _attribute: Any, value: Any) -> None:
        require_portfolio(value, "strategy")

    def __attrs_post_init__(self) -> None:
        costly = [i.name for i in self.instruments if i.cost or i.borrow or i.carry]
        needs = {"risk_aversion": costly, "horizon": costly}
        needs["capital"] = [i.name for i in self.instruments if i.lot or i.daily_volume]
        for parameter, names in needs.items():
            if names and getattr(self, parameter) is None:
                raise InvalidParameterError(
                    f"expected {parameter}, which costs, lots or volumes of {labels.listing(names)} need, got none.",
                    parameter=parameter,
                    instruments=names,
                )
        # unknown instruments and factors are said at once
        self._terms(self.strategy, self._held_instruments(), np.zeros(len(self.instruments)))

    def __repr__(self) -> str:
        return (
            f"<HedgeProblem of {self.strategy!r} with {len(self.instruments)} instruments and "
            f"{len(self.limits)} limits>"
        )

    def solve(self) -> HedgeSolution:
        """Return the best hedge of an unhedged strategy.

        Raises
        ------
        InfeasibleHedgeError
            Where no hedge keeps all limits: ``details["conflict"]`` names limits that contradict each other, of which
            none can be left out.
        MissingExtraError
            For costs, bounds or caps without the extra ``optimize``.
        SolverError
            Where the solver finds no solution.
        """
        nothing = np.zeros(len(self.instruments))
        held = self._held_instruments()
        return self._solution(self.strategy, held, self._terms(self.strategy, held, nothing), 0.0)

    def rebalance(self, existing: HedgedPortfolio, band: float = 0.0) -> HedgeSolution:
        """Return the best hedge from one that is held: only what changes is traded and paid.

        Where trading costs something, instruments near to their best weight are left alone: trading pays only until
        what a trade takes away of risk is its cost. A band leaves alone, on top, those whose best trade is smaller;
        the others are solved for again, until none is.

        Parameters
        ----------
        existing : HedgedPortfolio
            Of this strategy. Legs that are no instruments of the problem are kept.
        band : float
            Smallest trade, dollars per dollar of strategy.

        Returns
        -------
        HedgeSolution
            `HedgeSolution.trades` is what to buy and sell. Without limits that the existing hedge breaks, its objective
            is never above that of trading nothing.

        Raises
        ------
        InvalidParameterError
            For a hedge of another strategy, a band below 0, or instruments that are portfolios of assets.
        InfeasibleHedgeError, MissingExtraError, SolverError
            As `solve`.
        """
        least = require_finite(band, "band")
        if least < 0:
            raise InvalidParameterError(f"expected band of 0 or more, got {shown(band)}.", parameter="band", got=band)
        kept, weights = self._existing(existing)
        strategy = HedgedPortfolio(self.strategy, kept) if len(kept) else self.strategy
        held = self._held_instruments()
        return self._solution(strategy, held, self._terms(strategy, held, weights), least)

    # -- parts -------------------------------------------------------------------------------------

    def _held_instruments(self) -> HeldInstruments:
        return HeldInstruments.read([i.label for i in self.instruments], self.strategy.model)

    def _existing(self, existing: Any) -> tuple[pd.Series[float], Array]:
        """Return the legs that are kept, and what is held of each instrument."""
        hedge = require(existing, HedgedPortfolio, "existing", "such as a HedgeSolution's hedged")
        own = self.strategy.strategy if isinstance(self.strategy, HedgedPortfolio) else self.strategy
        if hedge.model is not own.model or not hedge.strategy.weights.equals(own.weights):
            raise InvalidParameterError(
                f"expected a hedge of this strategy, got one of {hedge.strategy!r} in {hedge.model!r}; hedge the "
                "strategy of the problem.",
                parameter="existing",
            )
        baskets = [i.name for i in self.instruments if isinstance(i.label, FactorOfAssets)]
        if baskets:
            raise InvalidParameterError(
                f"expected instruments that are labels, got the portfolios {labels.listing(baskets)}, of which a hedge "
                "does not say how much it holds; name their assets.",
                parameter="instruments",
                labels=baskets,
            )
        legs = hedge.hedge_weights
        if isinstance(self.strategy, HedgedPortfolio):
            before = self.strategy.hedge_weights
            legs = legs.sub(before, fill_value=0.0)
        names = [i.name for i in self.instruments]
        others = legs[~legs.index.isin(names)]
        return others[others != 0], np.asarray(legs.reindex(names, fill_value=0.0), dtype=np.float64)

    def _terms(self, strategy: Portfolio, held: HeldInstruments, weights: Array) -> HedgeTerms:
        model, rows = strategy.model, RiskRows.of(strategy, held)
        period = model.horizon if self.horizon is None else self.horizon
        aversion = 2.0 if self.risk_aversion is None else float(self.risk_aversion)
        forms = {limit.name: limit.form(rows, model.factor_covariance, model.horizon) for limit in self.limits}
        return HedgeTerms(
            rows=rows,
            weight=0.5 * aversion * period.in_units_of(model.horizon),
            held=weights,
            trade=np.array([i.cost for i in self.instruments]),
            borrow=np.array([_over(i.borrow, period) for i in self.instruments]),
            carry=np.array([_over(i.carry, period) for i in self.instruments]),
            boxes=self._boxes(weights),
            linear={name: form for name, form in forms.items() if isinstance(form, Linear)},
            squares={name: form for name, form in forms.items() if isinstance(form, Squares)},
        )

    def _boxes(self, weights: Array) -> dict[str, tuple[Array, Array]]:
        boxes = {}
        n = len(self.instruments)
        for j, i in enumerate(self.instruments):
            ends = {f"position in {i.name}": (float(i.least), float(i.most))}
            if i.daily_volume is not None and self.capital is not None:
                most = i.participation * i.daily_volume / self.capital
                ends[f"volume of {i.name}"] = (float(weights[j]) - most, float(weights[j]) + most)
            for name, (least, most) in ends.items():
                if math.isfinite(least) or math.isfinite(most):
                    low, high = np.full(n, -np.inf), np.full(n, np.inf)
                    low[j], high[j] = least, most
                    boxes[name] = (low, high)
        return boxes

    def _solution(self, strategy: Portfolio, held: HeldInstruments, terms: HedgeTerms, band: float) -> HedgeSolution:
        solver: HedgeSolver = ClosedForm(terms) if terms.is_closed else ConvexSolver(terms)
        found = self._banded(solver, terms, band)
        whole = found
        if any(i.lot for i in self.instruments) and self.capital is not None:
            lots = np.array([0.0 if i.lot is None else i.lot / self.capital for i in self.instruments])
            h = in_lots(terms, found.hedge, lots)
            whole = Found(h, terms.objective(h), found.bound)
        hedged = HedgedPortfolio(strategy, held.hedge(whole.hedge))
        period = strategy.model.horizon if self.horizon is None else self.horizon
        return HedgeSolution(hedged, period, held.labels, terms, whole, found)

    def _banded(self, solver: HedgeSolver, terms: HedgeTerms, band: float) -> Found:
        free = np.ones(terms.n, dtype=bool)
        while True:
            found = self._one(solver, terms, free)
            trade = np.abs(found.hedge - terms.held)
            small = free & (trade < band) & (trade > 0)
            if not small.any():
                return found
            free &= ~small

    def _one(self, solver: HedgeSolver, terms: HedgeTerms, free: Flags) -> Found:
        if self.at_most is None or self.at_most >= terms.n:
            found = solver.solve(free, terms.held)
        else:
            found = fewest(solver, terms.n, self.at_most, free, terms.held)
        if found is not None and found.objective < np.inf:
            return found
        raise _infeasible(terms, self.at_most, is_certain=found is None)


def _infeasible(terms: HedgeTerms, at_most: int | None, *, is_certain: bool) -> InfeasibleHedgeError:
    """Make the error, with limits of which none can be left out: each is left out in turn (a deletion filter)."""
    conflict = list(terms.names)
    if not _is_possible(terms):
        for name in terms.names:
            fewer = [other for other in conflict if other != name]
            if not _is_possible(terms.only(fewer)):
                conflict = fewer
        text = f"these contradict each other: {labels.listing(conflict)}; loosen one of them, or add instruments"
    elif at_most is not None:
        conflict = [*conflict, f"at most {at_most} instruments"]
        text = f"no {at_most} instruments keep {labels.listing(terms.names)}; allow more"
    else:
        text = f"none was found that keeps {labels.listing(conflict)}; loosen one of them"
    return InfeasibleHedgeError(
        f"expected limits that a hedge can keep, got limits of which {text}.", conflict=conflict, is_certain=is_certain
    )


def _is_possible(terms: HedgeTerms) -> bool:
    if terms.is_closed:
        return ClosedForm(terms).solve(np.ones(terms.n, dtype=bool), terms.held) is not None
    return ConvexSolver(terms).is_possible()


def _over(rate: Mean | None, period: Horizon) -> float:
    return 0.0 if rate is None else float(rate.at(period))
