"""A strategy through time: each date's weights, seen through the model of that date."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, floats
from riskmodel._core.dates import read_stamps
from riskmodel._core.display import Table, page
from riskmodel._core.listing import Listed
from riskmodel._core.weights import read_weights
from riskmodel.errors import (
    DuplicateDatesError,
    EstimationError,
    InvalidParameterError,
    UnknownAssetError,
    UnknownDateError,
)
from riskmodel.horizon import Horizon
from riskmodel.model.decomposition import IDIO
from riskmodel.model.history import ModelHistory
from riskmodel.portfolio.strategy import Strategy

# How many dates a notebook shows.
_LAST = 12
_TOO_EARLY = "no weights are known yet"


@final
@frozen(init=False, eq=False, repr=False)
class StrategyHistory(Listed):
    r"""A strategy on each date of a history of models: exposures, volatility, factor share and contributions.

    On a date, the weights are the latest known on it and the model is that of the window that ends on it, so that
    nothing later than the date is used. Figures are NaN on dates without weights, or where an asset held could not be
    estimated; `missing` says which and why.

    Parameters
    ----------
    weights : mapping or Series by asset, or DataFrame, dates × assets
        Dollars per dollar of strategy: constant, or those from each date on until the next. Omitted assets have weight
        zero.
    history : ModelHistory
        From `Rolling` or `Expanding`.

    Raises
    ------
    UnknownAssetError
        For an asset that is not in the history.
    InvalidParameterError
        For weights that are not finite numbers by asset, or none.
    DuplicateDatesError, InvalidDatesError
        For rows of weights that are not of different dates.

    Examples
    --------
    >>> import pandas as pd, riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "XOM"], ["Mkt-RF"], start="2016-01-01")
    >>> history = rm.Rolling(rm.YEAR).fit(panel)
    >>> turned = pd.DataFrame({"MSFT": [1.0, 0.0], "XOM": [0.0, 1.0]}, pd.to_datetime(["2016-12-30", "2018-06-29"]))
    >>> held = rm.StrategyHistory(turned, history)
    >>> held
    <StrategyHistory of 2 assets on 484 dates (2016-12-30 to 2018-11-30, per day)>
    >>> held.exposures["Mkt-RF"].loc[["2018-06-28", "2018-06-29"]].round(2).tolist()
    [1.43, 0.85]
    >>> bool((held.contributions.sum(axis=1) - held.volatility).abs().max() < 1e-15)
    True
    """

    history: ModelHistory
    _rows: pd.DataFrame  # the weights as they were given, by the date from which they hold; one row without date

    def __init__(self, weights: Any, history: ModelHistory) -> None:
        require(history, ModelHistory, "history", "rm.Rolling and rm.Expanding make one")
        rows = _by_date(weights, history.horizon) if isinstance(weights, pd.DataFrame) else _constant(weights)
        labels.positions(rows.columns, history.assets, "asset", UnknownAssetError)
        if not rows.size:
            raise InvalidParameterError(
                "expected weights of at least one asset, got none.", parameter="weights", got=rows.shape
            )
        self.__attrs_init__(history=history, rows=rows)

    @classmethod
    def from_positions(cls, dollars: pd.DataFrame, history: ModelHistory) -> Self:
        """Return the history of a book: weights are dollars per gross dollar of each date.

        Parameters
        ----------
        dollars : DataFrame, dates × assets
            As `read_position_history` gives them; a date on which all are zero holds nothing.
        history : ModelHistory
            As in the class.

        Raises
        ------
        InvalidParameterError, UnknownAssetError, DuplicateDatesError, InvalidDatesError
            As the class.
        """
        require(dollars, pd.DataFrame, "dollars", "dates × assets, as rm.read_position_history gives")
        return cls(shares_of_gross(dollars), history)

    def __repr__(self) -> str:
        first, last = self.dates[0].date(), self.dates[-1].date()
        count = f"{len(self._rows.columns)} assets on {len(self.dates)} dates"
        return f"<StrategyHistory of {count} ({first} to {last}, per {self.horizon})>"

    def _repr_html_(self) -> str:
        figures = pd.DataFrame({"volatility": self.volatility, "factor share": self.factor_share})
        table = figures.join(self.exposures.add_prefix("exposure ")).tail(_LAST)
        table.index = pd.Index([str(date.date()) for date in table.index])
        return page(self, Table(f"The last {len(table)} of {len(self.dates)} dates", table, most_columns=_LAST))

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The dates of the models."""
        return self.history.dates

    @property
    def horizon(self) -> Horizon:
        """The horizon of all figures: that of the models."""
        return self.history.horizon

    @property
    def weights(self) -> pd.DataFrame:
        """The weights known on each date, dates × assets; NaN before the first."""
        at = self._latest
        values = np.where(at[:, None] >= 0, self._rows.to_numpy()[np.maximum(at, 0)], np.nan)
        return pd.DataFrame(values, self.dates, self._rows.columns.rename("asset"))

    def on(self, date: Any) -> Strategy:
        """Return the strategy of one date.

        Raises
        ------
        UnknownDateError
            If no window ends on the date, or no weights are known on it.
        EstimationError
            If an asset held could not be estimated.
        """
        model = self.history.on(date)
        # by position: a month stands for the one window that ends in it
        row = self.history._between(date)[0]
        if self._latest[row] < 0:
            raise UnknownDateError(
                f"expected a date from that of the first weights on, got {self.dates[row].date()}.", date=date
            )
        held = self._held(row)
        gone = [asset for asset in held.index if asset not in model.assets]
        if gone:
            raise EstimationError(
                f"expected estimates of all that is held on {self.dates[row].date()}, got none of "
                f"{labels.listing(gone)}; history.missing has the reasons.",
                assets=gone,
            )
        return Strategy(held, model)

    # -- figures of all dates ------------------------------------------------------------------------

    @property
    def exposures(self) -> pd.DataFrame:
        """Exposure to each factor, dates × factors, dimensionless; NaN where a date's model has not the factor."""
        return self._figures["exposures"].copy()

    @property
    def volatility(self) -> pd.Series[float]:
        """Standard deviation of the return by date, decimals per horizon."""
        return self.contributions.sum(axis=1, min_count=1).rename("volatility")

    @property
    def factor_share(self) -> pd.Series[float]:
        """Share of the variance that the factors explain, by date, 0 to 1; 0 for a variance of zero."""
        volatility = self.volatility
        of_factors = self.contributions.drop(columns=IDIO).sum(axis=1, min_count=0)
        share = (of_factors / volatility.where(volatility != 0)).where(volatility != 0, 0.0)
        return pd.Series(share.where(volatility.notna()), name="factor_share")

    @property
    def contributions(self) -> pd.DataFrame:
        """What each factor and idio add to the volatility, dates × (factors, ``idio``); each row sums to it.

        Euler's contributions: exposure times the covariance with the factor, over the volatility.
        """
        return self._figures["by_factor"].copy()

    @property
    def contributions_by_asset(self) -> pd.DataFrame:
        """What each asset adds to the volatility, dates × assets; each row sums to it."""
        return self._figures["by_asset"].copy()

    @property
    def missing(self) -> pd.DataFrame:
        """The dates without figures: columns ``date``, ``asset`` (None where it is the date) and ``reason``."""
        return self._figures["missing"].copy()

    # -- their computation ---------------------------------------------------------------------------

    @cached_property
    def _latest(self) -> Any:
        """For each date, the row of weights that holds on it; -1 before the first."""
        if not isinstance(self._rows.index, pd.DatetimeIndex):
            return np.zeros(len(self.dates), dtype=np.intp)
        return np.searchsorted(self._rows.index.to_numpy(), self.dates.to_numpy(), side="right") - 1

    def _held(self, row: int) -> pd.Series[float]:
        weights: pd.Series[float] = self._rows.iloc[self._latest[row]]
        held = weights[weights != 0]
        return held if len(held) else weights

    @cached_property
    def _figures(self) -> dict[str, pd.DataFrame]:
        factors, assets, n = self.history.factors, self._rows.columns, len(self.dates)
        exposures, by_factor, by_asset = (
            np.full((n, k), np.nan) for k in (len(factors), len(factors) + 1, len(assets))
        )
        models, missing = dict(self.history.items()), []
        for row, date in enumerate(self.dates):
            reasons = self._reasons(row, models.get(date))
            missing += [(date, asset, reason) for asset, reason in reasons]
            if reasons:
                continue
            strategy = Strategy(self._held(row), models[date])
            at, split = factors.get_indexer(models[date].factors), strategy.decompose()
            sigma = float(strategy.volatility)
            exposures[row, at] = strategy.exposures
            by_factor[row] = 0.0
            by_asset[row] = 0.0
            if sigma > 0:
                by_factor[row, [*at, -1]] = split.by_factor / sigma
                by_asset[row, assets.get_indexer(split.by_asset.index)] = split.by_asset / sigma
        return {
            "exposures": pd.DataFrame(exposures, self.dates, factors.rename("factor")),
            "by_factor": pd.DataFrame(by_factor, self.dates, pd.Index([*factors, IDIO], name="factor")),
            "by_asset": pd.DataFrame(by_asset, self.dates, assets.rename("asset")),
            "missing": pd.DataFrame(missing, columns=["date", "asset", "reason"]),
        }

    def _reasons(self, row: int, model: Any) -> list[tuple[Any, str]]:
        """Return the assets without which a date has no figures, and why."""
        if self._latest[row] < 0:
            return [(None, _TOO_EARLY)]
        if model is None:
            return [(None, "no asset could be estimated")]
        held = self._held(row).index
        gone = [asset for asset in held if asset not in model.assets]
        why = dict(zip(model.missing["asset"], model.missing["reason"], strict=True))
        return [(asset, str(why.get(asset, "not estimated"))) for asset in gone]


def _constant(weights: Any) -> pd.DataFrame:
    return read_weights(weights, "weights", "asset").to_frame().T.reset_index(drop=True)


def _by_date(weights: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
    """Read weights by date, in order of the dates."""
    days = read_stamps(weights.index, "weights", horizon, None)
    days = days.tz_localize(None) if days.tz is not None else days
    if not days.is_unique:
        twice = list(days[days.duplicated()].unique())
        raise DuplicateDatesError(
            f"expected one row of weights a date, got more than one for {labels.listing(d.date() for d in twice)}.",
            dates=twice,
        )
    assets = labels.unique(weights.columns, "the assets of weights")
    read = pd.DataFrame(_finite(weights, "weights"), days, assets)
    return read.sort_index()


def _finite(table: pd.DataFrame, what: str) -> Array:
    """Return numbers, or raise for missing and infinite ones."""
    values = floats(table)
    if values.ndim != 2 or not np.isfinite(values).all():
        bad = (
            []
            if values.ndim != 2
            else [table.columns[i] for i in np.flatnonzero(~np.isfinite(values).all(axis=0)).tolist()]
        )
        raise InvalidParameterError(
            f"expected finite {what}, got infinite or missing ones of {labels.listing(bad)}; write zero where nothing "
            "is held.",
            parameter=what,
            labels=bad,
        )
    return np.asarray(values)


def shares_of_gross(dollars: pd.DataFrame) -> pd.DataFrame:
    """Return positions, dates × assets, per gross dollar of each date; zeros where nothing is held."""
    values = _finite(dollars, "dollars")
    gross = np.abs(values).sum(axis=1, keepdims=True)
    shares = np.divide(values, gross, out=np.zeros_like(values), where=gross > 0)
    return pd.DataFrame(shares, dollars.index, dollars.columns)
