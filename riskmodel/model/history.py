"""A history of models: one for each window of a panel, held as arrays and labelled when asked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, fields, frozen
from numpy.typing import NDArray

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index, by_constructor
from riskmodel._core.dates import window
from riskmodel.errors import EstimationError, InvalidParameterError, UnknownDateError
from riskmodel.horizon import Horizon
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel


@final
@frozen
class Spans:
    """Which rows of a panel each of some windows covers; every window ends one row after the one before.

    Attributes
    ----------
    length : int
        Rows of the first window, which begins with the panel.
    count : int
        How many windows, D.
    stride : int
        How many rows after the one before each begins: 1 where windows roll, 0 where they expand.
    """

    length: int
    count: int
    stride: int

    def rows(self, window: int) -> slice:
        """The rows of one window."""
        return slice(self.stride * window, self.length + window)

    def lengths(self) -> Index:
        """How many rows each window has, shape (D,)."""
        return self.length + (1 - self.stride) * np.arange(self.count)

    def observations(self, present: NDArray[np.bool_]) -> Index:
        """How many of the rows (T × N) are there in each window, shape (D, N)."""
        counts = np.zeros((len(present) + 1, present.shape[1]), dtype=np.int32)
        np.cumsum(present, axis=0, out=counts[1:])
        last = self.length + self.count
        return np.asarray(counts[self.length : last] - counts[: self.count * self.stride or 1 : self.stride or None])


@final
@frozen(eq=False)
class Figures:
    """What was estimated in D windows of N assets, NaN where nothing was.

    Attributes
    ----------
    parameters : array, shape (D, K + 1, N)
        Alpha, then the loadings.
    idio_variance, total_variance, rsquared, n_observations : array, shape (D, N)
        As in `FactorModel`; `n_observations` is there in every window, and a broadcast column where no date is missed.
    shared_errors : array, shape (D, K + 1)
        Standard errors per √(idio variance), of the assets that miss no date of a window.
    own_errors : array, shape (D, K + 1, M)
        Standard errors of the others, NaN where the shared ones hold.
    own_columns : array of int, shape (M,)
        Which assets those are.
    factor_mean, factor_covariance, risk_free_mean : array, shape (D, K), (D, K, K), (D,)
        As in `FactorModel`.
    codes : array of int, shape (D, N)
        1 + the place of the reason, in `reasons`, for which an asset was not estimated; 0 where there is none.
    faults : array of int, shape (D,)
        The same for windows in which no asset could be.
    reasons : list of str
        In words.
    """

    parameters: Array
    idio_variance: Array
    total_variance: Array
    rsquared: Array
    n_observations: Array
    shared_errors: Array
    own_errors: Array
    own_columns: Index
    factor_mean: Array
    factor_covariance: Array
    risk_free_mean: Array
    codes: NDArray[np.int32]
    faults: NDArray[np.int32]
    reasons: list[str]

    @classmethod
    def blank(cls, d: int, n: int, k: int, own_columns: Index, n_observations: Array) -> Self:
        """Figures that are still to be filled in; nothing is written to memory that will be written to again."""
        return cls(
            parameters=np.empty((d, k + 1, n)),
            idio_variance=np.empty((d, n)),
            total_variance=np.empty((d, n)),
            rsquared=np.empty((d, n)),
            n_observations=n_observations,
            shared_errors=np.full((d, k + 1), np.nan),
            own_errors=np.full((d, k + 1, len(own_columns)), np.nan),
            own_columns=own_columns,
            factor_mean=np.full((d, k), np.nan),
            factor_covariance=np.full((d, k, k), np.nan),
            risk_free_mean=np.full(d, np.nan),
            codes=np.zeros((d, n), dtype=np.int32),
            faults=np.zeros(d, dtype=np.int32),
            reasons=[],
        )

    def code(self, reason: str) -> int:
        """The code of a reason, which is noted where it is new."""
        if reason not in self.reasons:
            self.reasons.append(reason)
        return self.reasons.index(reason) + 1

    def leave_out(self, at: Any, columns: Any, reason: str) -> None:
        """Note that some assets could not be estimated in a window, and why."""
        self.codes[at, columns] = self.code(reason)
        for array in (self.idio_variance, self.total_variance, self.rsquared):
            array[at, columns] = np.nan
        self.parameters[at, :, columns] = np.nan

    def fail(self, at: int, reason: str) -> None:
        """Note that nothing could be estimated in a window, and why."""
        self.faults[at] = self.code(reason)
        for array in (self.parameters, self.idio_variance, self.total_variance, self.rsquared):
            array[at] = np.nan

    def put(self, at: int, columns: Index, model: FactorModel) -> None:
        """Note the estimates of some assets in a window, which are among `own_columns`."""
        self.parameters[at, 0, columns] = model.alpha
        self.parameters[at, 1:, columns] = model.loadings
        for name in ("idio_variance", "total_variance", "rsquared", "n_observations"):
            getattr(self, name)[at, columns] = getattr(model, name)
        self.own_errors[at, :, np.searchsorted(self.own_columns, columns)] = model.std_errors
        self.factor_mean[at], self.factor_covariance[at] = model.factor_mean, model.factor_covariance
        self.risk_free_mean[at] = model.risk_free_mean

    def spread(self) -> Self:
        """The same, where a column of observations that all assets share is seen as one column for each."""
        return evolve(self, n_observations=np.broadcast_to(self.n_observations, self.idio_variance.shape))

    def std_errors(self, at: slice) -> Array:
        """Standard errors in some windows, shape (those, K + 1, N)."""
        errors = self.shared_errors[at, :, None] * np.sqrt(self.idio_variance[at, None, :])
        own = self.own_errors[at]
        errors[:, :, self.own_columns] = np.where(np.isnan(own), errors[:, :, self.own_columns], own)
        return errors


def _frozen(figures: Figures) -> Figures:
    """Make the arrays read-only; they were made for the history, so nobody else holds them."""
    for array in (getattr(figures, f.name) for f in fields(Figures)):
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return figures


@final
@frozen(eq=False, repr=False)
class ModelHistory:
    r"""One `FactorModel` for each window of a panel, by the window's last date.

    What `Rolling` and `Expanding` return. A figure of all dates is a frame or Series whose rows are `dates`; the model
    of one date is ``history.at(date)``. Iterating gives the dates, `items` the models too.

    The model of a date is made of that date's returns and earlier ones, all of them: changing anything later changes
    nothing but, at most, its rounding. An asset that could not be estimated in a window is NaN there, and is not in
    that date's model; `missing` says which and why.

    Parameters
    ----------
    panel : ReturnPanel
        What was read: T dates, N assets, K factors.
    spans : Spans
        Which of its dates each window covers.
    figures : Figures
        What was estimated.

    Notes
    -----
    Held are (K + 4) numbers for each asset and date, 180 MB for 2,269 windows of 1,000 assets and 6 factors, and as
    many as K + 1 more for assets that miss dates. Frames are views of that, but for `std_errors`, `tvalues` and
    `unbiased_idio_variance`, which are computed when asked. A model from `at` costs time and memory in proportion to
    N·K; its `panel` is a view.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"], start="2016-01-01")
    >>> history = rm.Rolling(rm.YEAR).fit(panel)
    >>> history
    <ModelHistory 484 dates (2016-12-30 to 2018-11-30, per day) × 2 assets, 1 factors, rolling over 252 dates>
    >>> history.loadings["Mkt-RF"].tail(2).round(3)
    asset          KO    XOM
    2018-11-29  0.457  0.845
    2018-11-30  0.462  0.842
    >>> history.at("2018-11-30").idio_variance.round(6)
    KO     0.000062
    XOM    0.000095
    Name: idio_variance, dtype: float64
    """

    panel: ReturnPanel
    spans: Spans
    _figures: Figures = field(converter=_frozen)

    __reduce__ = by_constructor

    def __repr__(self) -> str:
        kind = f"rolling over {self.spans.length}" if self.spans.stride else f"expanding from {self.spans.length}"
        return (
            f"<ModelHistory {len(self)} dates ({self.dates[0].date()} to {self.dates[-1].date()}, per {self.horizon}) "
            f"× {len(self.assets)} assets, {len(self.factors)} factors, {kind} dates>"
        )

    # -- its dates -----------------------------------------------------------------------------------

    @property
    def assets(self) -> pd.Index[Any]:
        """N labels."""
        return self.panel.asset_names

    @property
    def factors(self) -> pd.Index[Any]:
        """K labels."""
        return self.panel.factor_names

    @property
    def horizon(self) -> Horizon:
        """What one row of the panel spans, to which all figures refer."""
        return self.panel.horizon

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The last date of each window."""
        return self.panel.dates[self.spans.length - 1 : self.spans.length - 1 + self.spans.count]

    @property
    def starts(self) -> pd.Series[Any]:
        """The first date of each window, by its last."""
        rows = self.spans.stride * np.arange(len(self))
        return pd.Series(self.panel.dates[rows], self.dates, name="start")

    def __len__(self) -> int:
        return self.spans.count

    def __iter__(self) -> Iterator[pd.Timestamp]:
        return iter(self.dates)

    def __contains__(self, date: object) -> bool:
        return date in self.dates

    # -- its models ----------------------------------------------------------------------------------

    def at(self, date: object) -> FactorModel:
        """Return the model as of a date, of the assets that could be estimated there.

        Parameters
        ----------
        date : date-like
            One of `dates`; ``"2018-11"`` will do where one window ends in that month.

        Returns
        -------
        FactorModel
            What the estimator's ``fit`` makes of the window, to rounding. Its `panel` is the window.

        Raises
        ------
        UnknownDateError
            If no window ends on the date.
        EstimationError
            If no asset could be estimated in the window.
        """
        first, last = self._between(date)
        if last - first != 1:
            raise self._unknown(date, first, last)
        return self._model(first)

    def asof(self, date: object) -> FactorModel:
        """Return the latest model that was known at the end of a date, or of the period that ``"2018-11"`` means.

        Raises
        ------
        UnknownDateError
            If the first window ends later.
        EstimationError
            If no asset could be estimated in the window.
        """
        _, last = self._between(date)
        if not last:
            raise UnknownDateError(
                f"no model was known by {date}: the first window ends on {self.dates[0].date()}.", date=date
            )
        return self._model(last - 1)

    def items(self) -> Iterator[tuple[pd.Timestamp, FactorModel]]:
        """Each date and its model, but for dates on which nothing could be estimated, which `missing` has."""
        for d in np.flatnonzero(~np.isnan(self._figures.idio_variance).all(axis=1)).tolist():
            yield self.dates[d], self._model(d)

    def _between(self, date: object) -> tuple[int, int]:
        """How many dates come before a date, or the period that it means, and how many before its end."""
        low, high = window(date, date, ("a date", "a date"))
        if low is None or high is None:
            raise InvalidParameterError("a date such as '2018-11-30' is wanted, but None came.")
        return int(self.dates.searchsorted(low)), int(self.dates.searchsorted(high, side="right"))

    def _unknown(self, date: object, first: int, last: int) -> UnknownDateError:
        if last > first:
            what, near = f"{last - first} windows end in {date}; say which", self.dates[[first, last - 1]]
        else:
            what, near = f"no window ends on {date}", self.dates[max(first - 1, 0) : first + 1]
        return UnknownDateError(
            f"{what}: near are {labels.listing(d.date() for d in near)}, and there are {len(self)} from "
            f"{self.dates[0].date()} to {self.dates[-1].date()}; asof(date) gives the latest known by a date.",
            date=date,
            nearest=list(near),
        )

    def _model(self, d: int) -> FactorModel:
        f = self._figures
        kept = ~np.isnan(f.idio_variance[d])
        if not kept.any():
            reason = f.reasons[f.faults[d] - 1] if f.faults[d] else "see missing for the reasons, by asset"
            raise EstimationError(f"nothing could be estimated as of {self.dates[d].date()}: {reason}")
        return FactorModel(
            assets=self.assets if kept.all() else self.assets[kept],
            factors=self.factors,
            alpha=f.parameters[d, 0, kept],
            loadings=f.parameters[d][1:, kept].T,
            factor_mean=f.factor_mean[d],
            factor_covariance=f.factor_covariance[d],
            idio_variance=f.idio_variance[d, kept],
            total_variance=f.total_variance[d, kept],
            rsquared=f.rsquared[d, kept],
            std_errors=f.std_errors(slice(d, d + 1))[0][:, kept].T,
            n_observations=f.n_observations[d, kept],
            risk_free_mean=float(f.risk_free_mean[d]),
            horizon=self.horizon,
            sources=self.panel.sources,
            funded=self.panel.funded,
            panel=rows_of(self.panel, self.spans.rows(d)),
        )

    # -- figures of all dates ------------------------------------------------------------------------

    @property
    def alpha(self) -> pd.DataFrame:
        """Intercepts, dates × assets, decimals per horizon."""
        return self._by_asset(self._figures.parameters[:, 0])

    @property
    def loadings(self) -> pd.DataFrame:
        """B, dates × (factor, asset), dimensionless: ``loadings["Mkt-RF"]`` is dates × assets.

        One asset's are ``loadings.xs("MSFT", axis=1, level="asset")``, dates × factors.
        """
        return self._by_parameter(self._figures.parameters[:, 1:], list(self.factors), "factor")

    @property
    def idio_variance(self) -> pd.DataFrame:
        """Residual variance with ddof 1, dates × assets, return² per horizon."""
        return self._by_asset(self._figures.idio_variance)

    @property
    def unbiased_idio_variance(self) -> pd.DataFrame:
        """Residual variance, RSS / (T - K - 1), dates × assets, as standard errors use it."""
        n = self._figures.n_observations
        dof = n - len(self.factors) - 1
        scale = np.divide(n - 1, dof, where=dof > 0, out=np.full(n.shape, np.nan))
        return self._by_asset(self._figures.idio_variance * scale)

    @property
    def total_variance(self) -> pd.DataFrame:
        """Variance over the asset's own dates of the window, dates × assets, return² per horizon."""
        return self._by_asset(self._figures.total_variance)

    @property
    def rsquared(self) -> pd.DataFrame:
        """Share of that variance that the factors explain, dates × assets."""
        return self._by_asset(self._figures.rsquared)

    @property
    def std_errors(self) -> pd.DataFrame:
        """Standard errors, dates × (parameter, asset), the parameters being ``alpha`` and the factors.

        Computed when asked: (K + 1) numbers for each date and asset.
        """
        return self._by_parameter(self._figures.std_errors(slice(None)), ["alpha", *self.factors], "parameter")

    @property
    def tvalues(self) -> pd.DataFrame:
        """Estimate over standard error, dates × (parameter, asset), dimensionless; computed when asked."""
        with np.errstate(divide="ignore", invalid="ignore"):
            values = self._figures.parameters / self._figures.std_errors(slice(None))
        return self._by_parameter(values, ["alpha", *self.factors], "parameter")

    @property
    def n_observations(self) -> pd.DataFrame:
        """Dates of each asset in each window, the effective number where weighted; dates × assets.

        It is there also where they were too few.
        """
        n = self._figures.n_observations
        told = n if n.strides[1] else n[:, :1]  # the same for all assets where none misses a date
        whole = told.astype(np.int64)
        values = np.broadcast_to(whole if (whole == told).all() else told, n.shape)
        return self._by_asset(values)

    @property
    def factor_mean(self) -> pd.DataFrame:
        """E f, dates × factors, decimals per horizon."""
        return pd.DataFrame(self._figures.factor_mean, self.dates, self.factors.copy(), copy=False)

    @property
    def factor_covariance(self) -> pd.DataFrame:
        """F, (date, factor) × factor, return² per horizon: ``factor_covariance.loc[date]`` is one date's."""
        k = len(self.factors)
        rows = pd.MultiIndex.from_product([self.dates, self.factors], names=["date", "factor"])
        values = self._figures.factor_covariance.reshape(len(self) * k, k)
        return pd.DataFrame(values, rows, self.factors.copy(), copy=False)

    @property
    def risk_free_mean(self) -> pd.Series[float]:
        """Mean risk-free rate by date, decimals per horizon."""
        return pd.Series(self._figures.risk_free_mean, self.dates, name="risk_free_mean", copy=False)

    @property
    def missing(self) -> pd.DataFrame:
        """Where nothing was estimated, and why: one row for each asset and run of windows.

        Columns: ``asset`` (None where the window is at fault, and so all assets are), ``start`` and ``end`` (the first
        and last of `dates` of the run), ``windows`` (how many), ``fewest`` and ``most`` (observations in one of them;
        NaN where the window is at fault) and ``reason``.
        """
        f = self._figures
        runs = [(None, *run, np.nan, np.nan) for run in _runs(f.faults)]
        for column in np.flatnonzero(f.codes.any(axis=0)).tolist():
            for first, last, code in _runs(np.where(f.faults == 0, f.codes[:, column], 0)):
                seen = f.n_observations[first : last + 1, column]
                runs.append((self.assets[column], first, last, code, seen.min(), seen.max()))
        rows = [
            (asset, self.dates[first], self.dates[last], last - first + 1, fewest, most, f.reasons[code - 1])
            for asset, first, last, code, fewest, most in runs
        ]
        return pd.DataFrame(rows, columns=["asset", "start", "end", "windows", "fewest", "most", "reason"])

    def _by_asset(self, values: NDArray[Any]) -> pd.DataFrame:
        return pd.DataFrame(values, self.dates, self.assets.copy(), copy=False)

    def _by_parameter(self, values: Array, names: list[Any], level: str) -> pd.DataFrame:
        d, k, n = values.shape
        columns = pd.MultiIndex.from_product([names, self.assets], names=[level, "asset"])
        return pd.DataFrame(values.reshape(d, k * n), self.dates, columns, copy=False)


def _runs(codes: NDArray[np.int32]) -> Iterator[tuple[int, int, int]]:
    """The first and last place of each run of one code, and the code; 0 is none."""
    edges = np.flatnonzero(np.diff(codes, prepend=0, append=0))
    for first, end in pairwise(edges):
        if codes[first]:
            yield int(first), int(end) - 1, int(codes[first])


def rows_of(panel: ReturnPanel, rows: slice, columns: Index | None = None) -> ReturnPanel:
    """Some rows of a panel, and some of its assets: a view where those are all."""
    assets, factors, free = panel.arrays()
    taken = assets[rows] if columns is None else assets[rows, columns]
    taken.flags.writeable = False
    dates, dropped = panel.dates[rows], panel.dropped
    return evolve(
        panel,
        dates=dates,
        asset_names=panel.asset_names if columns is None else panel.asset_names[columns],
        assets=taken,
        factors=factors[rows],
        risk_free=free[rows],
        dropped=dropped[dropped["date"].between(dates[0], dates[-1])].reset_index(drop=True)
        if len(dropped)
        else dropped,
    )
