"""How a hedge did out of sample, beside what the models had promised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, require_count, require_share
from riskmodel._core.arrays import Array, Flags, Index
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError, TooFewObservationsError, UnknownAssetError
from riskmodel.horizon import MONTH, Horizon
from riskmodel.model.instruments import HeldInstruments, known_labels
from riskmodel.model.legs import Legs, require_tradable
from riskmodel.model.model import FactorModel
from riskmodel.model.walk_forward import model_or_none
from riskmodel.panel.factors import FactorOfAssets, PortfolioFactor
from riskmodel.panel.memory import ReturnPanel, returns_on


@final
@frozen(eq=False, repr=False)
class HedgeRecord(Listed):
    r"""A portfolio hedged on each date with the model known the day before: what was promised, and what was earned.

    `ModelHistory.hedged` makes it. The hedge is neutral, it takes away the exposures that the model says; or in some
    instruments, it leaves the least variance that the model says. Frames have one row for each date after the first
    model; those of dates without a return or a model are NaN, and all figures leave them out.

    Notes
    -----
    Effectiveness is :math:`1 - \mathrm{var(hedged)} / \mathrm{var(unhedged)}` [1]_. In sample it is R² for a
    regression, and cannot be negative; out of sample a hedge can add risk.

    References
    ----------
    .. [1] Ederington, L. H. (1979). The Hedging Performance of the New Futures Markets. *Journal of Finance* 34(1),
       157-170.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"], start="2014-01-01")
    >>> history = rm.Rolling(rm.YEAR, every=rm.MONTH).fit(panel)
    >>> record = history.hedged({"KO": 0.5, "XOM": 0.5}, cost=0.0002)
    >>> record
    <HedgeRecord 987 dates (2015-01-02 to 2018-11-30, per day), effectiveness 0.50 out of sample, 0.52 promised>
    >>> record.summary().round(4)
                         promised  out_of_sample
    effectiveness          0.5222         0.4981
    unhedged volatility    0.0083         0.0084
    hedged volatility      0.0057         0.0059
    beta Mkt-RF            0.0000        -0.0022
    turnover                  NaN         0.0021
    cost                      NaN         0.0000
    """

    horizon: Horizon
    _returns: pd.DataFrame
    _weights: pd.DataFrame
    _exposures: pd.DataFrame
    _promised: pd.DataFrame
    _left: pd.DataFrame
    _factors: pd.DataFrame
    _cost: Any

    @classmethod
    def _of(  # noqa: PLR0917 - parts of one history
        cls,
        panel: ReturnPanel,
        model: Callable[[int], FactorModel],
        weights: pd.Series[float],
        rows: Index,
        latest: Index,
        cost: Any,
        instruments: Sequence[Any] | None = None,
    ) -> Self:
        """Walk forward.

        Parameters
        ----------
        panel : ReturnPanel
            T dates.
        model : callable
            The model of a window.
        weights : Series by asset
            None of them zero.
        rows, latest : array of int
            Rows of the panel, and the latest window known before each.
        cost : float, mapping or Series by instrument
            Of trades, decimals per dollar.
        instruments : sequence of labels or portfolios of assets, optional
            What the hedge holds; by default the factors.
        """
        dates = panel.dates[rows].rename("date")
        at = labels.positions(weights.index, panel.assets, "asset", UnknownAssetError)
        unhedged = panel.arrays()[0][rows[:, None], at] @ weights.to_numpy()
        parts = [
            _Window.of(panel, rows[latest == d], model_or_none(model, int(d)), weights, dates[latest == d], instruments)
            for d in np.unique(latest)
        ]
        hedge = pd.concat([p.hedge for p in parts])
        record = cls(
            horizon=panel.horizon,
            returns=pd.DataFrame({"unhedged": unhedged, "hedge": hedge, "hedged": unhedged + hedge}, dates),
            weights=_stacked([p.weights for p in parts]),
            exposures=_stacked([p.exposures for p in parts]),
            promised=pd.concat([p.promised for p in parts]),
            left=_stacked([p.left for p in parts]),
            factors=_stacked([p.factors for p in parts]),
            cost=cost,
        )
        costs = record._costs()
        record._returns["cost"] = costs
        record._returns["net"] = record._returns["hedged"] - costs
        return record

    def __repr__(self) -> str:
        first, last = (self._returns.index[i].date() for i in (0, -1))
        gaps = f", {self.n_missing} of them without a hedge or a return" if self.n_missing else ""
        return (
            f"<HedgeRecord {len(self._returns)} dates ({first} to {last}, per {self.horizon}){gaps}, effectiveness "
            f"{self.effectiveness:.2f} out of sample, {self.promised_effectiveness:.2f} promised>"
        )

    # -- by date -----------------------------------------------------------------------------------

    @property
    def returns(self) -> pd.DataFrame:
        """Excess returns, dates × (``unhedged``, ``hedge``, ``hedged``, ``cost``, ``net``), decimals per row.

        ``hedged`` is unhedged + hedge, and ``net`` is hedged less the cost of the date's trades in the hedge.
        """
        return self._returns.copy()

    @property
    def weights(self) -> pd.DataFrame:
        """The hedge held on each date, dates × instruments (factors, and assets of portfolio factors)."""
        return self._weights.copy()

    @property
    def exposures(self) -> pd.DataFrame:
        """The exposures of the portfolio that were known the day before, dates × factors."""
        return self._exposures.copy()

    @property
    def left(self) -> pd.DataFrame:
        """The exposures that the hedge leaves by the model of the day before, dates × factors; zero where neutral."""
        return self._left.copy()

    @property
    def promised(self) -> pd.DataFrame:
        """Variances by the model known the day before, dates × (``unhedged``, ``hedged``), return² per row."""
        return self._promised.copy()

    @property
    def factor_returns(self) -> pd.DataFrame:
        """The returns of the factors as the model of the day before defines them, dates × factors."""
        return self._factors.copy()

    @property
    def turnover(self) -> pd.Series[float]:
        """Dollars of hedge traded on each date, per dollar of strategy; the first is the opening trade.

        Trades that keep the weights as prices move are left out.
        """
        return self._traded.sum(axis=1).reindex(self._weights.index).rename("turnover")

    # -- as a whole --------------------------------------------------------------------------------

    @property
    def n_missing(self) -> int:
        """On how many dates the hedged return is not known."""
        return int((~self._known).sum())

    @property
    def effectiveness(self) -> float:
        """1 - variance of the hedged over that of the unhedged returns, out of sample, before costs."""
        variance = self._realised.var(ddof=1)
        return float(1.0 - variance["hedged"] / variance["unhedged"])

    @property
    def promised_effectiveness(self) -> float:
        """The same by the models: mean variances on the same dates."""
        mean = self._promised[self._known].mean()
        return float(1.0 - mean["hedged"] / mean["unhedged"])

    def betas(self) -> pd.DataFrame:
        """Regress the returns on those of the factors: what exposure the hedge left.

        Returns
        -------
        DataFrame, factors × (``unhedged``, ``hedged``, ``std_error``, ``t``)
            Betas; the last two are of ``hedged``, whose promised beta is the mean of `left`. Standard errors allow for
            variances that change (White 1980, with n/(n - k)).

        Raises
        ------
        TooFewObservationsError
            For fewer dates than parameters, or factors that differ from date to date.
        """
        both = pd.concat([self._realised, self._factors], axis=1).dropna()
        k = self._factors.shape[1] + 1
        if len(both) <= k:
            raise TooFewObservationsError(
                f"expected more than {k} dates with returns of all factors, got {len(both)}; use a longer history, or "
                "factors that all models have.",
                dates=len(both),
                parameters=k,
            )
        x = np.column_stack([np.ones(len(both)), both[self._factors.columns]])
        y = both[["unhedged", "hedged"]].to_numpy()
        inverse = np.linalg.pinv(x)
        found = inverse @ y
        residual = y[:, 1] - x @ found[:, 1]
        error = np.sqrt(((inverse * residual) ** 2).sum(axis=1) * len(x) / (len(x) - k))
        t = np.divide(found[:, 1], error, where=error > 0, out=np.full(k, np.nan))
        columns = {"unhedged": found[1:, 0], "hedged": found[1:, 1], "std_error": error[1:], "t": t[1:]}
        return pd.DataFrame(columns, self._factors.columns)

    def summary(self) -> pd.DataFrame:
        """Return what was promised beside what was earned, per row of the panel.

        Returns
        -------
        DataFrame, columns ``promised`` and ``out_of_sample``
            Rows ``effectiveness``, ``unhedged volatility``, ``hedged volatility``, ``beta <factor>`` of the hedged
            returns, ``turnover`` and ``cost`` (means of all dates; no model promises them).
        """
        promised = np.sqrt(self._promised[self._known].mean())
        realised, betas, left = self._realised.std(ddof=1), self.betas()["hedged"], self._left[self._known].mean()
        rows = {
            "effectiveness": (self.promised_effectiveness, self.effectiveness),
            "unhedged volatility": (promised["unhedged"], realised["unhedged"]),
            "hedged volatility": (promised["hedged"], realised["hedged"]),
            **{f"beta {name}": (ours, beta) for (name, beta), ours in zip(betas.items(), left, strict=True)},
            "turnover": (np.nan, self.turnover.mean()),
            "cost": (np.nan, self._returns["cost"].mean()),
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=["promised", "out_of_sample"])

    def ratios(self, window: Horizon = MONTH) -> pd.DataFrame:
        """Realised over promised volatility in windows of the record, one after the other.

        Realised volatility is the root of the mean squared excess return of the window, and the promised one the root
        of the mean variance by the models known the day before each date. Windows end with the record; what is left at
        its start is in none, and neither is a window that lacks a hedged return.

        Parameters
        ----------
        window : Horizon
            How long volatility is measured: two rows or more, and a whole number of them.

        Returns
        -------
        DataFrame, index: last date of each window, columns ``unhedged`` and ``hedged``
            1 where the models promised what was realised, 1.2 where the realised volatility was 20 % above it.
            ``VolatilityRatios.of(ratios["hedged"], window)`` has their range.

        Raises
        ------
        InvalidParameterError
            For a window of fewer than two rows, or of parts of rows.
        TooFewObservationsError
            If no window has all its hedged returns.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"], start="2010-01-01")
        >>> record = rm.Rolling(rm.YEAR, every=rm.MONTH).fit(panel).hedged({"KO": 0.5, "XOM": 0.5})
        >>> ratios = record.ratios(rm.MONTH)
        >>> ratios["hedged"].quantile([0.025, 0.5, 0.975]).round(2).to_list()
        [0.59, 0.99, 1.67]
        """
        rows = _rows_of(window, self.horizon)
        stops = np.arange(len(self._returns), rows - 1, -rows)[::-1]
        inside = stops[:, None] - rows + np.arange(rows)
        columns = ["unhedged", "hedged"]
        squares = (self._returns[columns].to_numpy() ** 2)[inside].mean(axis=1)
        promised = self._promised[columns].to_numpy()[inside].mean(axis=1)
        known = np.isfinite(squares).all(axis=1) & (promised > 0).all(axis=1)
        if not known.any():
            raise TooFewObservationsError(
                f"expected a window of {rows} dates that all have a hedged return, got none in {len(self._returns)} "
                "dates; use a shorter window, or a longer history.",
                rows=rows,
                dates=len(self._returns),
            )
        dates = self._returns.index[stops[known] - 1]
        return pd.DataFrame(np.sqrt(squares[known] / promised[known]), dates, columns)

    def rolling(self, dates: int) -> pd.DataFrame:
        """Return the figures through time, for a picture: each of the last so many dates with a hedged return.

        Parameters
        ----------
        dates : int
            Dates in each window, more than parameters of the betas.

        Returns
        -------
        DataFrame by the last date of each window
            ``effectiveness``, ``promised effectiveness``, ``hedged volatility``, ``promised volatility``, ``beta
            <factor>`` of the hedged returns, ``turnover`` (mean) and ``total cost`` (since the first date), all per row
            of the panel.

        Raises
        ------
        InvalidParameterError
            For a number of dates that is no positive integer.
        TooFewObservationsError
            For fewer known dates than in one window.
        """
        k = self._factors.shape[1] + 1
        n = require_count(dates, "dates", least=k + 1)
        known = pd.concat([self._realised, self._factors], axis=1).dropna()
        if len(known) < n:
            raise TooFewObservationsError(
                f"expected {n} or more dates with a hedged return, got {len(known)}; use a longer history, or a "
                "shorter window.",
                known=len(known),
                dates=n,
            )
        variance = known[["unhedged", "hedged"]].rolling(n).var(ddof=1)
        promised = self._promised.loc[known.index].rolling(n).mean()
        table = pd.DataFrame(
            {
                "effectiveness": 1.0 - variance["hedged"] / variance["unhedged"],
                "promised effectiveness": 1.0 - promised["hedged"] / promised["unhedged"],
                "hedged volatility": np.sqrt(variance["hedged"]),
                "promised volatility": np.sqrt(promised["hedged"]),
            }
        )
        x = np.column_stack([np.ones(len(known)), known[self._factors.columns]])
        y = known["hedged"].to_numpy()
        fits = [np.linalg.lstsq(x[i - n : i], y[i - n : i], rcond=None)[0][1:] for i in range(n, len(y) + 1)]
        names = [f"beta {name}" for name in self._factors.columns]
        table = table.iloc[n - 1 :].join(pd.DataFrame(fits, known.index[n - 1 :], names))
        table["turnover"] = self.turnover.reindex(known.index).rolling(n).mean()
        table["total cost"] = self._returns["cost"].cumsum()
        return table

    # -- parts -------------------------------------------------------------------------------------

    @property
    def _known(self) -> Flags:
        return np.asarray(self._returns["hedged"].notna())

    @property
    def _realised(self) -> pd.DataFrame:
        known = self._returns[self._known]
        if len(known) < 2:
            raise TooFewObservationsError(
                f"expected two or more dates with a hedged return, got {len(known)} of {len(self._returns)}; use a "
                "longer history.",
                known=len(known),
                dates=len(self._returns),
            )
        return known[["unhedged", "hedged"]]

    @property
    def _traded(self) -> pd.DataFrame:
        """Dollars traded by date and instrument, from one known hedge to the next."""
        held = self._weights.dropna()
        return (held - held.shift(fill_value=0.0)).abs()

    def _costs(self) -> pd.Series[float]:
        per_dollar = _read_cost(self._cost, self._weights.columns)
        traded = self._traded
        return pd.Series(traded.to_numpy() @ per_dollar, traded.index).reindex(self._weights.index)


@final
@frozen(eq=False)
class _Window:
    """The dates on which one model was the latest known."""

    hedge: pd.Series[float]
    weights: pd.DataFrame
    exposures: pd.DataFrame
    promised: pd.DataFrame
    left: pd.DataFrame
    factors: pd.DataFrame

    @classmethod
    def of(  # noqa: PLR0917 - parts of one history
        cls,
        panel: ReturnPanel,
        rows: Index,
        model: FactorModel | None,
        held: pd.Series[float],
        dates: pd.Index[Any],
        instruments: Sequence[Any] | None,
    ) -> Self:
        if model is None or not held.index.isin(model.assets).all() or _lacks(model, instruments, panel):
            return cls._unknown(dates)
        w, span = np.zeros(len(model.assets)), slice(int(rows[0]), int(rows[-1]) + 1)
        w[model.assets.get_indexer(held.index)] = held
        x, returns = model._loadings.T @ w, returns_on(panel, model.definitions, span)
        if instruments is None:
            hedge = _Hedge.neutral(model, x, returns)
        else:
            hedge = _Hedge.least_variance(HeldInstruments.read(instruments, model), x, held, panel, span)
        require_tradable(model.definitions, hedge.positions)
        both = w.copy()
        both[model.assets.get_indexer(hedge.assets)] += hedge.bought
        nothing = np.zeros(len(x))
        scale = panel.horizon.in_units_of(model.horizon)
        variances = [scale * _variance(model, v, h) for v, h in ((w, nothing), (both, hedge.factors))]
        left = nothing if instruments is None else model._loadings.T @ both + hedge.factors
        return cls(
            hedge=pd.Series(hedge.returns, dates),
            weights=_repeated(hedge.weights(model), dates),
            exposures=_repeated(pd.Series(x, model.factors), dates),
            promised=_repeated(pd.Series(variances, ["unhedged", "hedged"]), dates),
            left=_repeated(pd.Series(left, model.factors), dates),
            factors=pd.DataFrame(returns, dates, model.factors),
        )

    @classmethod
    def _unknown(cls, dates: pd.Index[Any]) -> Self:
        nothing = pd.DataFrame(index=dates)
        promised = pd.DataFrame(np.nan, dates, ["unhedged", "hedged"])
        return cls(pd.Series(np.nan, dates), nothing, nothing, promised, nothing, nothing)


@final
@frozen(eq=False)
class _Hedge:
    """A hedge on the dates of one model: what it holds, and what it earns.

    `positions` are those in factors of any kind, `factors` those in factors that are held themselves.
    """

    positions: Array
    factors: Array
    assets: pd.Index[Any]
    bought: Array
    returns: Array

    @classmethod
    def neutral(cls, model: FactorModel, exposures: Array, returns: Array) -> Self:
        legs = Legs.of(model)
        positions = legs.reaching(-exposures)
        return cls(positions, legs.in_factors(positions), legs.assets, legs.weights @ positions, returns @ positions)

    @classmethod
    def least_variance(
        cls, held: HeldInstruments, exposures: Array, weights: pd.Series[float], panel: ReturnPanel, rows: slice
    ) -> Self:
        h = held.least_variance(exposures, weights)
        factors, bought = held.legs @ h, held.holdings.to_numpy() @ h
        return cls(factors, factors, held.holdings.index, bought, held.returns(panel, rows) @ h)

    def weights(self, model: FactorModel) -> pd.Series[float]:
        """Weight by what is traded: factors that are held themselves, and assets; one label is one instrument."""
        own = [j for j, f in enumerate(model.definitions) if not isinstance(f, PortfolioFactor)]
        names = model.factors[own].append(self.assets)
        weights = pd.Series(np.append(self.factors[own], self.bought), names)
        return weights if names.is_unique else weights.groupby(level=0, sort=False).sum()


def _lacks(model: FactorModel, instruments: Sequence[Any] | None, panel: ReturnPanel) -> bool:
    """Whether the model of a window does not have an asset of the panel that is an instrument, or one of its assets."""
    if instruments is None:
        return False
    every = [i.weights.index if isinstance(i, FactorOfAssets) else [i] for i in instruments]
    known = known_labels(model)
    return any(label in panel.assets and label not in known for some in every for label in some)


def _rows_of(window: Horizon, row: Horizon) -> int:
    """The length of a window in rows, two or more."""
    rows = require(window, Horizon, "window", "such as rm.MONTH").in_units_of(row)
    if round(rows) < 2 or abs(rows - round(rows)) > 1e-9 * rows:
        raise InvalidParameterError(
            f"expected window as two or more whole rows of one {row}, got {window!r}, which is {rows:.6g} rows.",
            parameter="window",
            got=window,
        )
    return round(rows)


def _variance(model: FactorModel, weights: Array, legs: Array) -> float:
    """The variance of weights on all assets, and of positions in the factors themselves."""
    x = model._loadings.T @ weights + legs
    return float(x @ model._factor_covariance @ x + weights @ model.covariance._specific(weights))


def _repeated(values: pd.Series[float], dates: pd.Index[Any]) -> pd.DataFrame:
    return pd.DataFrame(np.tile(values.to_numpy(), (len(dates), 1)), dates, values.index)


def _stacked(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """All dates; zero for what a date's model does not have, NaN for dates without a model."""
    known = [p for p in parts if p.shape[1]]
    if not known:
        return pd.concat(parts)
    columns = list(dict.fromkeys(name for p in known for name in p.columns))
    filled = [p.reindex(columns=columns, fill_value=0.0 if p.shape[1] else np.nan) for p in parts]
    return pd.concat(filled)


def _read_cost(cost: Any, instruments: pd.Index[Any]) -> Array:
    """Read decimals per dollar traded: one number, or one for each instrument."""
    if not isinstance(cost, Mapping | pd.Series):
        return np.full(len(instruments), require_share(cost, "cost", "decimals per dollar traded,"))
    given = pd.Series(cost, dtype=object)
    at = labels.positions(instruments, given.index, "instrument in cost", UnknownAssetError)
    return np.array([require_share(given.iloc[i], "cost", "decimals per dollar traded,") for i in at], dtype=np.float64)
