"""Aligned excess returns in memory: dates × assets, and dates × factors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from riskmodel._core import labels
from riskmodel._core.arrays import (
    Array,
    Flags,
    Index,
    by_constructor,
    floats,
    is_unchanging,
    read_only,
    row_blocks,
    set_read_only,
)
from riskmodel._core.checks import LARGEST, ReturnChecks
from riskmodel._core.dates import between
from riskmodel._core.frames import ReturnFrame, finish_rate
from riskmodel._core.kinds import ASSET_RETURNS, FACTOR_RETURNS, FactorReturns, loses_all
from riskmodel._core.label_codec import write_labels
from riskmodel._core.lags import warn_of_lag
from riskmodel._core.spacing import warn_of_seven_days
from riskmodel._core.suspects import suspects, warn_of
from riskmodel._core.units import are_percent, warn_of_options, warn_of_own_scale, warn_of_percent
from riskmodel.errors import (
    InvalidParameterError,
    NoOverlapError,
    UnknownAssetError,
    UnknownFactorError,
)
from riskmodel.horizon import Horizon, require_horizon
from riskmodel.panel.base import Panel, chosen, within
from riskmodel.panel.factors import (
    Factor,
    PortfolioFactor,
    PublishedFactor,
    held_by,
    is_same,
    positions_held,
    read_definitions,
    read_series,
    require_defined,
    weighted,
)
from riskmodel.panel.matching import HeldAssets, match
from riskmodel.panel.return_type import EXCESS, TOTAL, ReturnType, kind_of, require_return_type
from riskmodel.panel.unmatched import DROP, LeftOut, Unmatched, require_unmatched, warn_of_left_out


def _check(self: ReturnPanel, _attribute: Any, _value: Any) -> None:
    t, n, k = len(self.dates), len(self.assets), len(self.factors)
    if not isinstance(self.dates, pd.DatetimeIndex) or self.dates.hasnans or not _increasing(self.dates):
        raise InvalidParameterError(
            "expected dates as an increasing DatetimeIndex, got others; ReturnPanel.align sorts and checks.",
            name="dates",
        )
    expected = {"excess_returns": (t, n), "factor_returns": (t, k), "risk_free": (t,)}
    for name, shape in expected.items():
        got = getattr(self, f"_{name}").shape
        if got != shape:
            raise InvalidParameterError(
                f"expected {name} of shape {shape}, got shape {got}.", name=name, expected=shape, got=got
            )
    for name in ("factor_returns", "risk_free"):
        if not (np.abs(getattr(self, f"_{name}")) <= LARGEST).all():
            raise InvalidParameterError(
                f"expected {name} finite, and at most {LARGEST:g} in size, on every date, got others; "
                "ReturnPanel.align leaves incomplete dates out.",
                name=name,
            )
    require_defined(self.definitions, self.factors)


def _by_asset(values: Any) -> Array:
    """Return read-only returns in column-major order, which makes sums over dates fast.

    A copy, unless the argument is such an array already.
    """
    if isinstance(values, np.ndarray) and values.ndim == 2 and _is_by_asset(values) and is_unchanging(values):
        return values
    return set_read_only(np.array(floats(values), order="F"))


def _bits(numbers: Array) -> bytes:
    """The bits of numbers in row order, the same on any machine; there are many kinds of NaN, and one is written."""
    return np.where(np.isnan(numbers), np.nan, numbers).astype("<f8").tobytes()


def _is_by_asset(values: NDArray[Any]) -> bool:
    return len(values) <= 1 or values.strides[0] == values.itemsize


@final
@frozen(eq=False, repr=False)
class ReturnPanel(Panel):
    """Excess returns of assets, and factor returns, on common dates.

    Made by `DataProvider.panel` or `ReturnPanel.align`; the constructor takes aligned arrays.

    Parameters
    ----------
    dates : pandas.DatetimeIndex
        T dates, increasing. Monthly and longer spans are labelled by their last calendar day.
    assets, factors : pandas.Index
        N and K labels.
    excess_returns : array, shape (T, N)
        Simple returns in excess of the risk-free rate, decimals per `horizon`; NaN where missing.
    factor_returns : array, shape (T, K)
        Factor returns, decimals per `horizon`; none missing.
    risk_free : array, shape (T,)
        Risk-free rate, decimals per `horizon`; none missing.
    horizon : Horizon
        The span of one row.
    definitions : sequence of Factor or str
        The definition of each factor, in the order of `factors`; a bare name is a `PublishedFactor`.
    dropped : DataFrame, columns ``date`` and ``reason``
        The dates that alignment left out, and why.
    provenance : dict of str, optional
        By source, the vintage of its data, such as ``{"F-F_Research_Data_Factors_daily": "202407 CRSP"}``.
    return_type : ReturnType, optional
        What the asset returns were that the panel was made of: ``rm.TOTAL`` (the default) or ``rm.EXCESS``.
    unmatched : Unmatched, optional
        What became of rows on other dates: ``rm.DROP`` (the default) or ``rm.COMPOUND``.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> panel
    <ReturnPanel 4760 dates (2000-01-03 to 2018-11-30, per day) × 2 assets, 1 factors, 0 dates dropped>
    >>> panel.excess_returns.iloc[-1].round(4).to_dict(), len(panel.dropped)
    ({'MSFT': 0.0063, 'JPM': 0.0102}, 0)
    >>> panel.select(["JPM"], start="2018")
    <ReturnPanel 232 dates (2018-01-02 to 2018-11-30, per day) × 1 assets, 1 factors, 0 dates dropped>
    """

    dates: pd.DatetimeIndex
    assets: pd.Index[Any] = field(converter=labels.asset_labels)
    factors: pd.Index[Any] = field(converter=labels.factor_labels)
    _excess_returns: Array = field(converter=_by_asset)
    _factor_returns: Array = field(converter=read_only)
    _risk_free: Array = field(converter=read_only)
    horizon: Horizon
    definitions: tuple[Factor, ...] = field(converter=read_definitions)
    _dropped: Any = field(validator=_check)
    _provenance: Any = field(factory=dict)
    return_type: ReturnType = TOTAL
    unmatched: Unmatched = DROP
    _left_out: LeftOut | None = None
    _zone: str | None = None  # of rows of hours and minutes

    @classmethod
    def align(
        cls,
        asset_returns: Any,
        factor_returns: Any,
        risk_free: Any,
        *,
        horizon: Horizon,
        definitions: Sequence[Factor | str] | None = None,
        provenance: Mapping[str, str] | None = None,
        return_type: ReturnType = TOTAL,
        unmatched: Unmatched = DROP,
    ) -> Self:
        """Align asset returns, factor returns and the risk-free rate on their common dates.

        A date is kept where every factor, the risk-free rate and at least one asset have a value. Assets may be
        ragged: a missing return stays missing. `dropped` lists the other dates.

        Parameters
        ----------
        asset_returns : table, dates × assets
            Simple returns, decimals per `horizon`, total or as `return_type` says; NaN (or ``pd.NA``, or null) where
            missing. A pandas DataFrame indexed by date, or a table of Polars or Arrow with one column of dates.
        factor_returns : table, dates × factors
            Decimals per `horizon`.
        risk_free : Series by date, or table of dates and one column
            Decimals per `horizon`.
        horizon : Horizon
            The span of one row.
        definitions : sequence of Factor or str, optional
            As in the class; by default a `PublishedFactor` for each column.
        provenance : mapping of str, optional
            As in the class; by default empty.
        return_type : ReturnType, optional
            ``rm.TOTAL`` (the default): the risk-free rate is subtracted; ``rm.EXCESS``: it was already.
        unmatched : Unmatched, optional
            ``rm.DROP`` (the default): rows on other dates are left out, and `left_out` says how much each asset grew in
            them; ``rm.COMPOUND``: returns of assets, factors and rate are compounded into the next common row. There,
            a missing return makes that of its span missing, except of an asset that is missing on most unmatched
            dates, as a stock is at weekends. A date whose span lacks a factor or the rate is dropped, unless these
            never have a value on that day of the week.

        Raises
        ------
        DataError
            Its subclasses `DuplicateDatesError`, `DuplicateLabelsError`, `InvalidDatesError`,
            `NoOverlapError`, `NonNumericError`, `InfiniteReturnsError`, `PercentReturnsError`,
            `ImpossibleReturnsError`, `SpacingError`.

        Warns
        -----
        LeftOutWarning
            If an asset grew or fell by more than 1 % in more than 5 % of its rows that are left out.
        DoubtfulDatesWarning, DoubtfulUnitWarning
            For few rows that may be midnights of another zone, and weeks or months that seem to be one early or late,
            as the factors they move with tell; for assets that are probably in percent, and factors
            on a scale of their own that are not declared so.
        HighRateWarning, SevenDayWeekWarning
            If the rate is high for the horizon; for rows on seven days a week that are said to be trading days.
        """
        panel = cls._aligned(
            asset_returns,
            factor_returns,
            risk_free,
            horizon=horizon,
            definitions=definitions,
            provenance=provenance,
            return_type=return_type,
            unmatched=unmatched,
        )
        panel._warn()
        return panel

    @classmethod
    def _aligned(
        cls,
        asset_returns: Any,
        factor_returns: Any,
        risk_free: Any,
        *,
        horizon: Horizon,
        definitions: Sequence[Factor | str] | None = None,
        provenance: Mapping[str, str] | None = None,
        return_type: ReturnType = TOTAL,
        unmatched: Unmatched = DROP,
        held: HeldAssets | None = None,
    ) -> Self:
        """Align as `align` does, without its warnings about what was left out.

        `held` are the assets that factors are made of, where these are known, and checked.
        """
        require_horizon(horizon)
        require_return_type(return_type)
        require_unmatched(unmatched)
        assets = ReturnFrame.read(asset_returns, ASSET_RETURNS, horizon)
        if not len(assets.labels):
            raise InvalidParameterError("expected asset returns with one column or more, got none; name an asset.")
        factors = ReturnFrame.read(factor_returns, FACTOR_RETURNS, horizon)
        free = ReturnFrame.read_rate(risk_free, horizon)
        defined = read_definitions(factors.labels if definitions is None else definitions)
        require_defined(defined, factors.labels)
        made: list[Any] = [] if held is None else list(held.weights.columns)
        scaled = [j for j, f in enumerate(defined) if not isinstance(f, PortfolioFactor) and f.name not in made]
        plain = factors.take(np.asarray(scaled, dtype=np.intp))
        of_assets = evolve(assets.checks, kind=kind_of(return_type))
        for checks in (of_assets, _as_defined(plain.checks, [defined[j] for j in scaled])):
            checks.finish()
        finish_rate(free)
        options = np.flatnonzero(
            loses_all(assets.checks) & assets.checks.typically_above()[1] & (return_type is EXCESS)
        )
        _warn_of_suspects(assets.take(np.setdiff1d(np.arange(len(assets.labels)), options)), plain)
        warn_of_options(assets.labels.take(options), assets.checks.kind.name)
        rows = match(assets, factors, free, unmatched, held)
        rate = rows.risk_free[:, 0]
        warn_of_lag(rows.assets, rows.factors, horizon)
        percent = are_percent(rows.assets, horizon, rate)
        warn_of_percent(assets.labels[percent], rows.assets[:, percent], assets.checks.kind.name)
        warn_of_own_scale(_on_own_scale(plain, [defined[j] for j in scaled]), plain.checks.kind.name)
        is_reduced = return_type is not TOTAL or not rate.any()
        excess = rows.assets if is_reduced else np.subtract(rows.assets, rate[:, None], order="F")
        return cls(
            dates=rows.dates,
            assets=assets.labels,
            factors=factors.labels,
            excess_returns=set_read_only(excess),
            factor_returns=rows.factors,
            risk_free=rate,
            horizon=horizon,
            definitions=defined,
            dropped=rows.dropped,
            provenance=_read_provenance(provenance),
            return_type=return_type,
            unmatched=unmatched,
            left_out=rows.left_out,
            zone=rows.zone,
        )

    def _warn(self) -> None:
        """Warn of what alignment left out, and of a week of seven trading days."""
        warn_of_seven_days(self.dates, self.horizon)
        if self._left_out is not None:
            warn_of_left_out(self._left_out, self._excess_returns, self.assets)

    def __repr__(self) -> str:
        t, n = self._excess_returns.shape
        span = f"{self.dates[0].date()} to {self.dates[-1].date()}" if t else "no dates"
        return (
            f"<ReturnPanel {t} dates ({span}, per {self.horizon}) × {n} assets, "
            f"{len(self.factors)} factors, {len(self._dropped)} dates dropped>"
        )

    __reduce__ = by_constructor

    @property
    def _zone_of_rows(self) -> str | None:
        return None if self.horizon.bar is None else self._zone or ""

    @property
    def excess_returns(self) -> pd.DataFrame:
        """Excess returns, dates × assets, decimals per `horizon`; NaN where missing."""
        return pd.DataFrame(self._excess_returns, self.dates.copy(), self.assets.copy(), copy=False)

    @property
    def factor_returns(self) -> pd.DataFrame:
        """Factor returns, dates × factors, decimals per `horizon`."""
        return pd.DataFrame(self._factor_returns, self.dates.copy(), self.factors.copy(), copy=False)

    @property
    def risk_free(self) -> pd.Series[float]:
        """Risk-free rate by date, decimals per `horizon`."""
        return pd.Series(self._risk_free, self.dates.copy(), name="risk_free", copy=False)

    @property
    def dropped(self) -> pd.DataFrame:
        """The dates that alignment left out, and why: columns ``date`` and ``reason``."""
        left: pd.DataFrame = self._dropped.copy()
        return left

    @property
    def left_out(self) -> pd.Series[float]:
        """By asset, its growth in rows between the panel's first and last date that are not in the panel.

        1 where nothing was left out, 1.91 where the asset grew by 91 % there; NaN where it is not known, because the
        returns lie outside memory.
        """
        n = len(self.assets)
        growth = np.ones(n) if self._left_out is None else self._left_out.growth(n)
        return pd.Series(growth, self.assets.copy(), name="left_out")

    @property
    def provenance(self) -> dict[str, str]:
        """By source, the vintage of its data; empty where unknown."""
        return dict(self._provenance)

    def fingerprint(self) -> str:
        """The SHA-256 of the panel's dates, labels and numbers, in hexadecimal.

        Two panels have the same where each number has the same bits, on any machine. It reads all numbers: about half
        a second for a gigabyte.
        """
        digest = hashlib.sha256()
        said = [self.horizon.days, self._zone, write_labels(self.assets), write_labels(self.factors)]
        digest.update(json.dumps(said).encode("ascii"))
        digest.update(self.dates.as_unit("ns").asi8.astype("<i8").tobytes())
        for array in (self._risk_free, self._factor_returns):
            digest.update(_bits(array))
        for columns in row_blocks(len(self.assets), 256):
            digest.update(_bits(self._excess_returns[:, columns].T))
        return digest.hexdigest()

    def arrays(self) -> tuple[Array, Array, Array]:
        """The read-only arrays behind `excess_returns`, `factor_returns` and `risk_free`."""
        return self._excess_returns, self._factor_returns, self._risk_free

    def returns_of(self, factors: Iterable[Factor]) -> Array:
        """Returns of factors on the panel's dates, shape (T, K): its columns, or computed from its assets.

        A factor that the panel defines in the same way is its column. Any other is the result of its `returns` on the
        panel, and NaN on dates without one; that of a `PublishedFactor` is the column of its name.

        Parameters
        ----------
        factors : sequence of Factor
            K of them.

        Raises
        ------
        UnknownFactorError
            For a published factor that is not a column.
        UnknownAssetError
            For assets of a factor that are not in the panel.
        NonNumericError
            For a factor whose `returns` gives anything but a Series.
        NoOverlapError
            For a factor whose `returns` gives nothing on the panel's dates, as a ranking of few assets may.
        """
        return returns_on(self, factors, slice(None))

    def _returns_of_portfolios(self, factors: Sequence[Any], rows: slice) -> Array:
        """Σ w r of portfolios on some rows, rows × M; NaN where an asset that is held is missing."""
        weights = held_by(factors)
        columns = positions_held(weights.index, self.assets, "panel")
        return weighted(self._excess_returns[rows][:, columns], weights.to_numpy())

    def _column_of(self, factor: Factor) -> Array | None:
        """The column of a factor, on all rows; None where the panel does not define the factor, or not in this way."""
        at = self.factors.get_indexer(pd.Index([factor.name]))[0]
        if at < 0 or not (isinstance(factor, PublishedFactor) or is_same(factor, self.definitions[at])):
            return None
        return self._factor_returns[:, at]

    def _own_returns_of(self, factor: Factor) -> Array:
        """What the `returns` of a factor gives, on all rows."""
        own = read_series(factor, factor.returns(_PanelData(self), None, None), self.horizon)
        values = floats(own.frame().iloc[:, 0].reindex(self.dates))
        if len(values) and np.isnan(values).all():
            raise NoOverlapError(
                f"expected returns of factor {factor.name!r} on the {len(values)} dates of the panel, got none; its "
                f"`returns` sees the panel's {len(self.assets)} asset(s) and dates alone: make it of assets that it "
                "names, or give a panel that has the factor as a column.",
                factor=factor.name,
                assets=list(self.assets),
            )
        return values

    def select(self, assets: Any = None, factors: Any = None, start: object = None, end: object = None) -> ReturnPanel:
        """Return the panel of some assets, some factors, or some dates (both ends included).

        Dates are kept even where all chosen assets are missing, because the factors are known there.

        Parameters
        ----------
        assets, factors : label or sequence of labels, optional
            In the order of the result; by default all.
        start, end : date-like, optional
            The window, both ends included. ``"2018"`` and ``"2018-11"`` mean the whole year and month, at
            either end. Monthly and longer spans are dated by their last calendar day. Where rows of hours were given
            with a time zone, an end in another zone is brought to it.

        Raises
        ------
        UnknownAssetError, UnknownFactorError
            For labels that are not in the panel.
        InvalidParameterError
            For an end with a time zone where rows of hours have none.
        NoOverlapError
            If no date is in the window.
        """
        inside = within(self, start, end)
        dropped = between(pd.DatetimeIndex(self._dropped["date"]), *self._edges(start, end))
        columns, a = chosen(assets, self.assets, "asset", UnknownAssetError)
        names, f = chosen(factors, self.factors, "factor", UnknownFactorError)
        return evolve(
            self,
            dates=self.dates[inside],
            assets=columns,
            factors=names,
            excess_returns=_part(self._excess_returns, inside, a),
            factor_returns=_part(self._factor_returns, inside, f),
            risk_free=self._risk_free[inside],
            definitions=[self.definitions[j] for j in f],
            dropped=self._dropped[dropped].reset_index(drop=True),
            left_out=_left_out_of(self._left_out, self.dates[inside], a),
        )


def _left_out_of(left: LeftOut | None, dates: pd.DatetimeIndex, columns: Index | None) -> LeftOut | None:
    """What was left out between the first and the last of some dates."""
    if left is None or not len(left.dates):
        return None
    return left.select(between(left.dates, dates[0], dates[-1]), columns)


def _warn_of_suspects(assets: ReturnFrame, factors: ReturnFrame) -> None:
    """Warn of returns that look like mistakes; factors on a scale of their own are not looked at."""
    on_scale = factors.take(np.flatnonzero(~factors.checks.typically_above()[1]))
    for table in (assets, on_scale):
        c = table.checks
        warn_of(suspects(table.numbers, table.dates, table.labels, c.low, c.high), c.kind.name)


def _on_own_scale(factors: ReturnFrame, definitions: Sequence[Factor]) -> pd.Index[Any]:
    """Return the factors on a scale of their own that are not declared to be."""
    own_scale: Flags = factors.checks.typically_above()[3]
    at = np.flatnonzero(own_scale & np.array([f.tradable for f in definitions], dtype=bool))
    return factors.labels.take(at)


def _read_provenance(provenance: Any) -> dict[str, str]:
    """Copy the vintages by source, or raise."""
    if provenance is not None and not isinstance(provenance, Mapping):
        raise InvalidParameterError(
            f"expected provenance as a mapping of vintages by source, got {type(provenance).__name__}.",
            parameter="provenance",
            got=provenance,
        )
    return dict(provenance or {})


def _as_defined(checks: ReturnChecks, definitions: Sequence[Factor]) -> ReturnChecks:
    """Return the checks of factors with what their definitions say."""
    funded, tradable = (
        np.array([bool(getattr(f, name)) for f in definitions], dtype=bool) for name in ("funded", "tradable")
    )
    return evolve(checks, kind=FactorReturns(checks.kind.name, funded, tradable))


def _increasing(dates: pd.DatetimeIndex) -> bool:
    return dates.is_monotonic_increasing and dates.is_unique


def _part(array: Array, rows: NDArray[np.bool_], columns: NDArray[np.intp]) -> Array:
    """Select rows and columns of a read-only array; the array itself, not a copy, where that is all of it."""
    every = np.array_equal(columns, np.arange(array.shape[1]))
    if rows.all() and every:
        return array
    at = np.flatnonzero(rows)  # consecutive dates
    some = array[at[0] : at[-1] + 1]
    return set_read_only(np.array(some if every else some[:, columns], order="F" if _is_by_asset(array) else "C"))


def rows_of(panel: ReturnPanel, rows: slice, columns: Index | None = None) -> ReturnPanel:
    """Select rows of a panel, and some of its assets; a view where those are all."""
    assets, factors, free = panel.arrays()
    taken = assets[rows] if columns is None else assets[rows, columns]
    taken.flags.writeable = False
    dates, dropped = panel.dates[rows], panel.dropped
    return evolve(
        panel,
        dates=dates,
        assets=panel.assets if columns is None else panel.assets[columns],
        excess_returns=taken,
        factor_returns=factors[rows],
        risk_free=free[rows],
        dropped=dropped[dropped["date"].between(dates[0], dates[-1])].reset_index(drop=True)
        if len(dropped)
        else dropped,
        left_out=_left_out_of(panel._left_out, dates, columns),
    )


def returns_on(panel: ReturnPanel, factors: Iterable[Factor], rows: slice) -> Array:
    """Return the returns of factors on some rows of a panel, rows × K.

    Those of a user's own factors are computed on all rows, as they may depend on earlier ones.
    """
    wanted = read_definitions(factors)
    returns = np.empty((len(panel.dates[rows]), len(wanted)))
    columns = [panel._column_of(f) for f in wanted]
    made = [j for j, f in enumerate(wanted) if columns[j] is None and isinstance(f, PortfolioFactor)]
    returns[:, made] = panel._returns_of_portfolios([wanted[j] for j in made], rows)
    for j, (factor, column) in enumerate(zip(wanted, columns, strict=True)):
        if j not in made:
            returns[:, j] = (panel._own_returns_of(factor) if column is None else column)[rows]
    return returns


@frozen
class _PanelData:
    """A panel as a source of returns for factors."""

    panel: ReturnPanel

    @property
    def assets(self) -> list[Any]:
        """The labels of the panel's assets, which may be fewer than a provider has."""
        return self.panel.assets.tolist()

    @property
    def factors(self) -> list[Any]:
        return self.panel.factors.tolist()

    @property
    def horizon(self) -> Horizon:
        return self.panel.horizon

    @property
    def return_type(self) -> ReturnType:
        return TOTAL  # whatever the panel was made of: the rate is added back

    def asset_returns(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        chosen = self.panel.select(list(assets), [], start, end)
        return chosen.excess_returns.add(chosen.risk_free, axis=0)

    def factor_returns(self, names: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        return self.panel.select(factors=list(names), start=start, end=end).factor_returns

    def risk_free(self, start: Any = None, end: Any = None) -> pd.Series[float]:
        return self.panel.select(start=start, end=end).risk_free
