"""The risk of several hedges of one portfolio, with intervals."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arrays import floats
from riskmodel.analysis.realised import RealisedRisk
from riskmodel.errors import NotEstimatedError, TooLargeError, UnboundedPositionError
from riskmodel.horizon import YEAR
from riskmodel.inference.covariance.base import LongRunCovariance
from riskmodel.inference.hedge_comparison import HedgeComparison
from riskmodel.inference.inference import Inference
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.budget import RiskBudget
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.limits import RealisedVolatilityLimit
from riskmodel.portfolio.portfolio import Portfolio

LEVEL_ENDS = ("low", "high")
UNHEDGED, NEUTRAL, CAPPED = "unhedged", "neutral", "capped"
_LEAST, _REGRESSION = "minimum variance", "regression"
# What a comparison of hedges calls them.
_COMPARED = {_LEAST: "model", _REGRESSION: "regression"}
_COLUMNS = ["std_error", *LEVEL_ENDS]
_NOT_KNOWN = (math.nan, math.nan)


@final
@frozen(eq=False, slots=False)
class HedgeRisks:
    """What hedges leave, each figure computed once.

    Attributes
    ----------
    hedges : mapping of name to Portfolio
        ``unhedged`` first.
    panel : ReturnPanel
        Of the model.
    budget : RiskBudget
        What sizes them.
    level : float
        Of intervals.
    errors : LongRunCovariance or None
        Behind intervals; None for the default.
    cap : float or None
        Of the capped hedge.
    instruments : list of str or None
        What hedges hold; None for the factors.
    """

    hedges: Mapping[str, Portfolio]
    panel: ReturnPanel
    budget: RiskBudget
    level: float
    errors: LongRunCovariance | None
    cap: float | None
    instruments: list[str] | None

    @property
    def held(self) -> dict[str, float]:
        """Weights of the portfolio."""
        return {str(asset): float(weight) for asset, weight in self.hedges[UNHEDGED].weights.items()}

    def is_riskless(self, name: str) -> bool:
        """Whether a hedge leaves no risk but rounding error."""
        return self.hedges[name].is_riskless

    @property
    def reason(self) -> str:
        """Why the model has no intervals of shares and legs; empty where it has."""
        return self._inferred if isinstance(self._inferred, str) else ""

    @cached_property
    def figures(self) -> pd.DataFrame:
        """The risk of each portfolio: rows by name.

        Columns are ``volatility`` by the model and ``realised``, in decimals a year, ``factor_share`` of the variance,
        ``capacity`` and ``realised_capacity``, the dollars within the budget by each; each is followed by the ends of
        its interval, ``volatility_low`` and so on. NaN where nothing limits the dollars, and where it is not known.
        """
        return pd.DataFrame({name: self._figures_of(name, p) for name, p in self.hedges.items()}).T

    @property
    def legs(self) -> pd.DataFrame:
        """Dollars of each leg per dollar of portfolio, legs × hedges; NaN for a leg that a hedge does not have."""
        hedged = {n: p for n, p in self.hedges.items() if isinstance(p, HedgedPortfolio)}
        return pd.DataFrame({name: hedge.hedge_weights for name, hedge in hedged.items()})

    @cached_property
    def leg_ends(self) -> dict[str, pd.DataFrame]:
        """By hedge: ``std_error``, ``low`` and ``high`` of its legs, where these are known."""
        if self.instruments is not None:
            return self._ends_in_instruments()
        tables = {NEUTRAL: self._inferred, CAPPED: self._capped}
        found = {}
        for name, table in tables.items():
            legs = [f"hedge {leg}" for leg in self.legs.index]
            if name in self.hedges and isinstance(table, pd.DataFrame) and set(legs) <= set(table.index):
                found[name] = table.loc[legs, _COLUMNS].astype(float).set_axis(self.legs.index)
        return found

    @property
    def on_new_dates(self) -> float | None:
        """The volatility a year to expect of the regression's hedge on new dates; None without that hedge.

        The realised one over 1 - M/T, as `Portfolio.optimised_volatility`, for M instruments chosen on T dates.
        """
        if _REGRESSION not in self.hedges or self.is_riskless(_REGRESSION):
            return None
        hedge, dates = self.hedges[_REGRESSION], self._realised[_REGRESSION].n_dates
        choices = len(self.instruments or ())
        if choices >= dates:
            return None
        grown = hedge.optimised_volatility(choices, dates) / hedge.volatility
        return float(grown * self.figures.loc[_REGRESSION, "realised"])

    # -- parts -------------------------------------------------------------------------------------

    @cached_property
    def _realised(self) -> dict[str, RealisedRisk]:
        return {name: RealisedRisk.of(p, self.panel, self.level) for name, p in self.hedges.items()}

    def _figures_of(self, name: str, portfolio: Portfolio) -> dict[str, float]:
        per_year = portfolio.horizon.scale_volatility(1.0, to=YEAR)
        risk = self._realised[name]
        realised = risk.realised
        own = self._volatility_ends(name)
        share = math.nan if portfolio.is_riskless else portfolio.decompose().factor_share
        figures = {
            "volatility": (float(portfolio.volatility.at(YEAR)), _scaled(own, per_year)),
            "realised": (
                float(portfolio.realised(self.panel).at(YEAR)),
                _scaled((realised.low, realised.high), per_year),
            ),
            "factor_share": (share, self._ends(name, "factor share")),
            "capacity": self._capacity(portfolio, own),
            "realised_capacity": self._realised_capacity(portfolio, (realised.low, realised.high)),
        }
        return {
            column: value
            for figure, (estimate, ends) in figures.items()
            for column, value in zip((figure, *(f"{figure}_{e}" for e in LEVEL_ENDS)), (estimate, *ends), strict=True)
        }

    def _volatility_ends(self, name: str) -> tuple[float, float]:
        """Of the neutral and the capped hedge in factors with the error of the hedge."""
        known = self._ends(name, "volatility")
        model = self._realised[name].model
        return known if math.isfinite(known[0]) else (model.low, model.high)

    def _capacity(self, portfolio: Portfolio, ends: tuple[float, float]) -> tuple[float, tuple[float, float]]:
        try:
            return float(self.budget.size(portfolio).capital), self._dollars(portfolio, ends)
        except UnboundedPositionError:
            return math.nan, _NOT_KNOWN

    def _realised_capacity(self, portfolio: Portfolio, ends: tuple[float, float]) -> tuple[float, tuple[float, float]]:
        allowed, horizon = float(self.budget.volatility), self.budget.horizon
        both = RiskBudget(allowed, horizon, limits=[RealisedVolatilityLimit(allowed, horizon, self.panel)])
        capital = float(both.capacities(portfolio).iloc[1])
        return (capital, self._dollars(portfolio, ends)) if math.isfinite(capital) else (math.nan, _NOT_KNOWN)

    def _dollars(self, portfolio: Portfolio, ends: tuple[float, float]) -> tuple[float, float]:
        """The dollars that the ends of a volatility allow, the larger volatility first."""
        allowed = float(self.budget.volatility.at(portfolio.horizon))
        low, high = (allowed / end if end > 0 else math.nan for end in reversed(ends))
        return low, high

    def _ends(self, name: str, figure: str) -> tuple[float, float]:
        table = self._tables.get(name)
        if table is None or figure not in table.index:
            return _NOT_KNOWN
        low, high = floats(table.loc[figure, [*LEVEL_ENDS]]).tolist()
        return low, high

    @cached_property
    def _tables(self) -> dict[str, pd.DataFrame]:
        """Figures of each portfolio with intervals; empty where the model has none."""
        if isinstance(self._inferred, str):
            return {}
        given = {n: self._inference.table(p, self.level) for n, p in self.hedges.items() if n != UNHEDGED}
        if self.instruments is None:
            hedged = self._inferred.rename(index={"hedged volatility": "volatility"})
            if "hedged volatility" in self._inferred.index:
                given[NEUTRAL] = _replaced(
                    given[NEUTRAL], hedged.loc[~hedged.index.duplicated(keep="last")], ["volatility"]
                )
            if self._capped is not None:
                given[CAPPED] = _replaced(given[CAPPED], self._capped, ["volatility"])
        for name, estimated in self._in_instruments.items():
            given[name] = _replaced(given[name], estimated, ["volatility"])
        return {UNHEDGED: self._inferred, **given}

    @cached_property
    def _inferred(self) -> pd.DataFrame | str:
        """The table of the portfolio, or why there is none."""
        try:
            return self._inference.table(self.hedges[UNHEDGED], self.level)
        except NotEstimatedError as error:
            return str(error)

    @cached_property
    def _inference(self) -> Inference:
        held = dict.fromkeys(asset for p in self.hedges.values() for asset in p.weights.index)
        return Inference.of(self.hedges[UNHEDGED].model._with_peers(list(held)), self.panel, self.errors)

    @cached_property
    def _capped(self) -> pd.DataFrame | None:
        """Figures with the capped hedge estimated; None where it is a given one."""
        if self.cap is None or not 0.0 < self.cap < 1.0 or isinstance(self._inferred, str):
            return None
        try:
            strategy: Any = self.hedges[UNHEDGED]
            return self._inference.capped(strategy, self.cap, self.level)
        except NotEstimatedError:
            return None

    @cached_property
    def _in_instruments(self) -> dict[str, pd.DataFrame]:
        """Figures with hedges in instruments estimated, of those that the model decides and that are no given ones."""
        if self.instruments is None or isinstance(self._inferred, str):
            return {}
        inference, tools, level, held = self._inference, self.instruments, self.level, self.hedges[UNHEDGED]
        made: dict[str, Callable[[], pd.DataFrame]] = {
            NEUTRAL: lambda: inference.neutral(held, tools, level),
            CAPPED: lambda: inference.capped(held, self.cap or 0.0, level, instruments=tools),  # type: ignore[arg-type]
            _LEAST: lambda: inference.minimum_variance(held, tools, level),
        }
        found = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # said when the hedges were made
            for name in made.keys() & self.hedges.keys():
                with contextlib.suppress(NotEstimatedError, TooLargeError):
                    found[name] = made[name]()
        return found

    def _ends_in_instruments(self) -> dict[str, pd.DataFrame]:
        assert self.instruments is not None
        table = HedgeComparison.of(self.hedges[UNHEDGED], self.instruments, self.panel, self.level).table()
        found = {}
        for name, compared in _COMPARED.items():
            ends = table[[f"{compared} {column}" for column in _COLUMNS]].set_axis(_COLUMNS, axis=1)
            if np.isfinite(floats(ends)).any():
                found[name] = ends
        for name, figures in self._in_instruments.items():
            if name not in found:
                legs = figures.loc[[f"hedge {tool}" for tool in table.index], _COLUMNS]
                found[name] = legs.astype(float).set_axis(table.index)
        return found


def _scaled(ends: tuple[float, float], scale: float) -> tuple[float, float]:
    return scale * ends[0], scale * ends[1]


def _replaced(table: pd.DataFrame, others: pd.DataFrame, rows: list[str]) -> pd.DataFrame:
    """A table with some rows of another."""
    mended = table.copy()
    mended.loc[rows] = others.loc[rows]
    return mended
