"""A history of models, one for each window of a panel, stored as arrays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from riskmodel._core import labels
from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, Counts, Flags, Index, by_constructor
from riskmodel._core.dates import between, times
from riskmodel._core.display import page
from riskmodel._core.listing import Listed
from riskmodel.errors import (
    EstimationError,
    InvalidParameterError,
    NotEstimatedError,
    TooFewObservationsError,
    UnknownDateError,
)
from riskmodel.horizon import Horizon, require_same
from riskmodel.model.hedge_record import HedgeRecord
from riskmodel.model.instruments import listed
from riskmodel.model.lineage import Lineage
from riskmodel.model.model import FactorModel
from riskmodel.model.regression import RegressionFit, unbiased_scale
from riskmodel.model.walk_forward import read_held, tracking_returns
from riskmodel.model.window_estimates import RegressionEstimates, WindowEstimates, WindowResult
from riskmodel.panel.factors import Factor, is_same
from riskmodel.panel.memory import ReturnPanel

Definitions = tuple[tuple[Factor, ...], ...]


def _require_whole_numbers(name: str, values: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iu" or values.shape != shape:
        got = f"shape {values.shape}, dtype {values.dtype}" if isinstance(values, np.ndarray) else type(values).__name__
        raise InvalidParameterError(
            f"expected {name} as an array of whole numbers of shape {shape}, got {got}.", parameter=name, got=values
        )


def _finished(estimates: WindowEstimates) -> WindowEstimates:
    """Drop rounding, give a reason for each missing estimate, and make the arrays read-only."""
    require(estimates, WindowEstimates, "estimates", "rm.Rolling and rm.Expanding make a history")
    estimates.drop_rounding()
    estimates.explain()
    estimates.set_read_only()
    return estimates


def _is_lineage(_instance: object, _attribute: object, value: Any) -> None:
    require(value, Lineage, "lineage", "rm.Rolling and rm.Expanding make a history")


def _check(self: ModelHistory, _attribute: object, _value: object) -> None:
    if len(self._definitions) not in {1, len(self._stops)}:
        raise InvalidParameterError(
            f"expected factors of one or of {len(self._stops)} dates, got {len(self._definitions)}."
        )
    if np.isnan(self._estimates.idio_variance).all():
        reasons = "; ".join(self.missing["reason"].unique())
        raise EstimationError(f"no asset can be estimated in any of {len(self)} windows of {self.panel!r}: {reasons}")


@final
@frozen(eq=False, repr=False)
class ModelHistory(Listed):
    r"""One `FactorModel` for each window of a panel, by the window's last date.

    `Rolling` and `Expanding` return it, for any estimator. A figure of all dates is a frame or Series whose rows are
    `dates`; the model of one date is ``history.on(date)``. Iteration yields the dates, `items` dates and models.

    The model of a date uses the returns of the window that ends there. Later returns change it by rounding at most. An
    asset that could not be estimated in a window is NaN there and not in that date's model; `missing` has the reason.

    Parameters
    ----------
    panel : ReturnPanel
        T dates, N assets.
    starts, stops : array of int, shape (D,)
        The first row of each window, and the row after its last.
    definitions : tuple of tuple of Factor
        The factors of each date, or one tuple where all dates have the same.
    estimates : WindowEstimates
        The estimates of the panel's assets and `factors`.
    horizon : Horizon, optional
        Of the estimates; by default that of the panel.
    lineage : Lineage, optional
        The estimator and the data of all windows; each model has that of its window.

    Notes
    -----
    It stores K + 4 numbers for each asset and date (180 MB for 2,269 windows of 1,000 assets and 6 factors), up to
    K + 1 more for assets that miss dates, and the links of models that have them. Frames are views of them, except
    `std_errors`, `tvalues` and `unbiased_idio_variance`, which are computed at each call. A model from `on` costs
    O(N·K) time and memory.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"], start="2016-01-01")
    >>> history = rm.Rolling(rm.YEAR).fit(panel)
    >>> history
    <ModelHistory 484 dates (2016-12-30 to 2018-11-30, per day) × 2 assets, 1 factors>
    >>> history.loadings["Mkt-RF"].tail(2).round(3)
    asset          KO    XOM
    date
    2018-11-29  0.457  0.845
    2018-11-30  0.462  0.842
    >>> history.on("2018-11-30").idio_variance.round(6)
    KO     0.000062
    XOM    0.000095
    Name: idio_variance, dtype: float64
    >>> history.excess_returns({"KO": 1.0}).std().round(4)
    unhedged    0.0076
    tracking    0.0037
    hedged      0.0071
    dtype: float64
    """

    panel: ReturnPanel
    _starts: Index
    _stops: Index
    _definitions: Definitions
    _estimates: WindowEstimates = field(converter=_finished)
    _horizon: Horizon | None = None
    lineage: Lineage = field(factory=Lineage, validator=_is_lineage)
    factors: pd.Index[Any] = field(init=False, validator=_check)

    __reduce__ = by_constructor

    @factors.default
    def _all_factors(self) -> pd.Index[Any]:
        return _names(self._definitions)

    @classmethod
    def of(
        cls, panel: ReturnPanel, starts: Index, stops: Index, results: Sequence[WindowResult], counts: Counts
    ) -> Self:
        """Combine the results of all windows.

        Parameters
        ----------
        panel : ReturnPanel
            T dates, N assets.
        starts, stops : array of int, shape (D,)
            As in the class.
        results : sequence of WindowResult
            D of them.
        counts : array of int, shape (D, N)
            Observations of each asset in each window.
        """
        require(panel, ReturnPanel, "panel")
        results = list(labels.require_list(results, "results"))
        for result in results:
            require(result, WindowResult, "results")
        windows, shape = (len(results),), (len(results), len(panel.assets))
        for name, values, expected in (
            ("starts", starts, windows),
            ("stops", stops, windows),
            ("counts", counts, shape),
        ):
            _require_whole_numbers(name, values, expected)
        own = tuple(() if r.model is None else r.model.definitions for r in results)
        given = [d for d in own if d]
        shared = bool(given) and all(_same(d, given[0]) for d in given)
        definitions: Definitions = (given[0],) if shared else own
        estimates = WindowEstimates.of_results(results, panel.assets, _names(definitions), counts)
        return cls(panel, starts, stops, definitions, estimates, _common_horizon(results))

    def __repr__(self) -> str:
        return (
            f"<ModelHistory {len(self)} dates ({self.dates[0].date()} to {self.dates[-1].date()}, per {self.horizon}) "
            f"× {len(self.assets)} assets, {len(self.factors)} factors>"
        )

    def _repr_html_(self) -> str:
        last = len(self) - 1
        known = ~np.isnan(self._estimates.idio_variance[last])
        latest = self._model(last)._repr_html_() if known.any() else ""
        return f"{page(self)}<p>The model of {self.dates[-1].date()}:</p>{latest}" if latest else page(self)

    # -- its dates -----------------------------------------------------------------------------------

    @property
    def assets(self) -> pd.Index[Any]:
        """N labels."""
        return self.panel.assets

    @property
    def horizon(self) -> Horizon:
        """The horizon of all figures: that of the models, which is the panel's unless the estimator scales them."""
        return self.panel.horizon if self._horizon is None else self._horizon

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The last date of each window."""
        return self.panel.dates[self._stops - 1].rename("date")

    @property
    def starts(self) -> pd.Series[Any]:
        """The first date of each window, by its last."""
        return pd.Series(self.panel.dates[self._starts], self.dates, name="start")

    def __len__(self) -> int:
        return len(self._stops)

    def __iter__(self) -> Iterator[pd.Timestamp]:
        return iter(self.dates)

    def __contains__(self, date: object) -> bool:
        return date in self.dates

    # -- its models ----------------------------------------------------------------------------------

    def on(self, date: object) -> FactorModel:
        """Return the model of the window that ends on a date, for the assets that could be estimated.

        Parameters
        ----------
        date : date-like
            One of `dates`; ``"2018-11"`` is enough where one window ends in that month.

        Returns
        -------
        FactorModel
            The result of the estimator's ``fit_available`` on the window, to rounding.

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
        """Return the latest model known at the end of a date, or of a period such as ``"2018-11"``.

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
                f"expected a date from the first window's end, {self.dates[0].date()}, on, got {date}.", date=date
            )
        return self._model(last - 1)

    def items(self) -> Iterator[tuple[pd.Timestamp, FactorModel]]:
        """Yield each date and its model, without dates on which no asset could be estimated (see `missing`)."""
        for d in np.flatnonzero(~np.isnan(self._estimates.idio_variance).all(axis=1)).tolist():
            yield self.dates[d], self._model(d)

    def _between(self, date: object) -> tuple[int, int]:
        """Return how many dates are before a date or period, and how many until its end."""
        if isinstance(date, dt.datetime) and date in self.dates:
            at = int(self.dates.get_indexer(pd.DatetimeIndex([date]))[0])
            return at, at + 1
        low, high = times(date, date, ("a date", "a date"), zone=None if self.horizon.bar is None else "")
        if low is None or high is None:
            raise InvalidParameterError("expected a date such as '2018-11-30', got None.")
        before = ~between(self.dates, low, None)
        return int(before.sum()), int(between(self.dates, None, high).sum())

    def _unknown(self, date: object, first: int, last: int) -> UnknownDateError:
        if last > first:
            what, near = (
                f"expected a date on which one window ends, got {date}, in which {last - first} end",
                self.dates[[first, last - 1]],
            )
        else:
            what, near = (
                f"expected a date on which a window ends, got {date}",
                self.dates[max(first - 1, 0) : first + 1],
            )
        return UnknownDateError(
            f"{what}; nearest are {labels.listing(d.date() for d in near)}, of {len(self)} from "
            f"{self.dates[0].date()} to {self.dates[-1].date()}; use asof(date) for the latest model known by a date.",
            date=date,
            windows=last - first,
            nearest=list(near),
        )

    def _definitions_of(self, d: int) -> tuple[Factor, ...]:
        return self._definitions[d if len(self._definitions) > 1 else 0]

    def _model(self, d: int) -> FactorModel:
        e, definitions = self._estimates, self._definitions_of(d)
        kept = ~np.isnan(e.idio_variance[d])
        if not kept.any():
            reason = e.reasons[e.faults[d] - 1] if e.faults[d] else "see missing for the reasons, by asset"
            raise EstimationError(
                f"no asset could be estimated in the window that ends on {self.dates[d].date()}: {reason}",
                date=self.dates[d],
            )
        factors = _names((definitions,))
        rows = self.factors.get_indexer(factors)
        assets = self.assets if kept.all() else self.assets[kept]
        parameters = e.parameters[d][:, kept]
        return FactorModel(
            assets=assets,
            factors=factors,
            alpha=parameters[0],
            loadings=parameters[rows + 1].T,
            factor_mean=e.factor_mean[d][rows],
            factor_covariance=e.factor_covariance[d][np.ix_(rows, rows)],
            idio_variance=e.idio_variance[d, kept],
            risk_free_mean=float(e.risk_free_mean[d]),
            horizon=self.horizon,
            definitions=definitions,
            regression=self._regression(d, kept, assets, factors),
            missing=self._missing_on(d),
            links=None if e.links[d] is None else e.links[d][kept],
            priors=assets[e.priors[d, kept]],
            lineage=self._lineage_of(d),
        )

    def _lineage_of(self, d: int) -> Lineage:
        first, stop = int(self._starts[d]), int(self._stops[d])
        dates = self.panel.dates
        return evolve(self.lineage, start=dates[first], end=dates[stop - 1], n_dates=stop - first, fingerprint="")

    def _regression(self, d: int, kept: Flags, assets: pd.Index[Any], factors: pd.Index[Any]) -> RegressionFit | None:
        r = self._estimates.regressions
        if r is None:
            return None
        rows = np.append(0, 1 + self.factors.get_indexer(factors))
        coefficients = r.coefficients[d][np.ix_(rows, np.flatnonzero(kept))]
        return RegressionFit(
            assets=assets,
            factors=factors,
            alpha=coefficients[0],
            loadings=coefficients[1:].T,
            idio_variance=r.idio_variance[d, kept],
            total_variance=r.total_variance[d, kept],
            rsquared=r.rsquared[d, kept],
            std_errors=r.std_errors(slice(d, d + 1))[0][rows][:, kept].T,
            n_observations=self._estimates.n_observations[d, kept],
            horizon=self.horizon,
            decay_factor=float(r.decay_factor[d]),
        )

    # -- figures of all dates ------------------------------------------------------------------------

    @property
    def alpha(self) -> pd.DataFrame:
        """Intercepts, dates × assets, decimals per horizon."""
        return self._by_asset(self._estimates.parameters[:, 0])

    @property
    def loadings(self) -> pd.DataFrame:
        """B, dates × (factor, asset), dimensionless: ``loadings["Mkt-RF"]`` is dates × assets.

        One asset's are ``loadings.xs("MSFT", axis=1, level="asset")``, dates × factors. NaN where a date's model does
        not have the factor.
        """
        return self._by_parameter(self._estimates.parameters[:, 1:], list(self.factors), "factor")

    @property
    def idio_variance(self) -> pd.DataFrame:
        """Variance that the factors do not explain, dates × assets, return² per horizon."""
        return self._by_asset(self._estimates.idio_variance)

    @property
    def prior(self) -> pd.DataFrame:
        """Whether an asset's figures lean on a prior, dates × assets; see `FactorModel.prior`."""
        e = self._estimates
        return self._by_asset(e.priors & ~np.isnan(e.idio_variance))

    @property
    def factor_mean(self) -> pd.DataFrame:
        """E f, dates × factors, decimals per horizon."""
        return pd.DataFrame(self._estimates.factor_mean, self.dates, self.factors.copy(), copy=False)

    @property
    def factor_covariance(self) -> pd.DataFrame:
        """F, (date, factor) × factor, return² per horizon: ``factor_covariance.loc[date]`` is one date's."""
        k = len(self.factors)
        rows = pd.MultiIndex.from_product([self.dates, self.factors], names=["date", "factor"])
        values = self._estimates.factor_covariance.reshape(len(self) * k, k)
        return pd.DataFrame(values, rows, self.factors.copy(), copy=False)

    @property
    def risk_free_mean(self) -> pd.Series[float]:
        """Mean risk-free rate by date, decimals per horizon."""
        return pd.Series(self._estimates.risk_free_mean, self.dates, name="risk_free_mean", copy=False)

    @property
    def n_observations(self) -> pd.DataFrame:
        """Observations of each asset in each window, dates × assets; the effective number where weighted.

        Also given where there were too few.
        """
        n = self._estimates.n_observations
        distinct = n if n.strides[1] else n[:, :1]  # the same for all assets where none misses a date
        whole = distinct.astype(np.int64)
        values = np.broadcast_to(whole if (whole == distinct).all() else distinct, n.shape)
        return self._by_asset(values)

    @property
    def missing(self) -> pd.DataFrame:
        """The assets that could not be estimated, and why: one row for each asset and run of windows.

        Columns: ``asset`` (None where the window is the reason, for all assets), ``start`` and ``end`` (the first
        and last of `dates` of the run), ``windows`` (how many), ``fewest`` and ``most`` (observations in one of them;
        NaN where the window is the reason) and ``reason``.
        """
        e = self._estimates
        runs = [(None, *run, np.nan, np.nan) for run in _runs(e.faults)]
        for column in np.flatnonzero(e.codes.any(axis=0)).tolist():
            for first, last, code in _runs(np.where(e.faults == 0, e.codes[:, column], 0)):
                seen = e.n_observations[first : last + 1, column]
                runs.append((self.assets[column], first, last, code, seen.min(), seen.max()))
        rows = [
            (asset, self.dates[first], self.dates[last], last - first + 1, fewest, most, e.reasons[code - 1])
            for asset, first, last, code, fewest, most in runs
        ]
        return pd.DataFrame(rows, columns=["asset", "start", "end", "windows", "fewest", "most", "reason"])

    def _missing_on(self, d: int) -> pd.DataFrame:
        codes = self._estimates.codes[d]
        at = np.flatnonzero(codes)
        reasons = [self._estimates.reasons[code - 1] for code in codes[at]]
        return pd.DataFrame(
            {"asset": self.assets[at], "observations": self._estimates.n_observations[d, at], "reason": reasons}
        )

    # -- of regressions alone ----- ------------------------------------------------------------------

    @property
    def _regressions(self) -> RegressionEstimates:
        if self._estimates.regressions is None:
            raise NotEstimatedError(
                "expected models with a regression, got models without; estimate them with rm.OLS() or rm.EWMA(...)."
            )
        return self._estimates.regressions

    @property
    def unbiased_idio_variance(self) -> pd.DataFrame:
        """Residual variance, RSS / (T - K - 1), dates × assets, as standard errors use it."""
        own_factors = (~np.isnan(self._estimates.factor_mean)).sum(axis=1)[:, None]
        scale = unbiased_scale(self._estimates.n_observations, own_factors)
        return self._by_asset(self._regressions.idio_variance * scale)

    @property
    def total_variance(self) -> pd.DataFrame:
        """Variance over the asset's own dates of the window, dates × assets, return² per horizon."""
        return self._by_asset(self._regressions.total_variance)

    @property
    def rsquared(self) -> pd.DataFrame:
        """Share of that variance that the factors explain, dates × assets."""
        return self._by_asset(self._regressions.rsquared)

    @property
    def std_errors(self) -> pd.DataFrame:
        """Standard errors, dates × (parameter, asset), the parameters being ``alpha`` and the factors.

        Computed at each call: K + 1 numbers for each date and asset.
        """
        return self._by_parameter(self._regressions.std_errors(slice(None)), ["alpha", *self.factors], "parameter")

    @property
    def tvalues(self) -> pd.DataFrame:
        """Estimate over standard error, dates × (parameter, asset), dimensionless; computed at each call."""
        r = self._regressions
        with np.errstate(divide="ignore", invalid="ignore"):
            values = r.coefficients / r.std_errors(slice(None))
        return self._by_parameter(values, ["alpha", *self.factors], "parameter")

    # -- portfolios through time ---------------------------------------------------------------------

    def exposures(self, weights: Any) -> pd.DataFrame:
        """Exposure of a portfolio of constant weights to each factor by date, B'w, dates × factors, dimensionless.

        Parameters
        ----------
        weights : mapping or Series by asset
            Dollars per dollar of strategy; omitted assets have weight zero.

        Returns
        -------
        DataFrame
            NaN where a held asset could not be estimated, or where a date's model does not have the factor.

        Raises
        ------
        UnknownAssetError
            For an asset that is not in the panel.
        InvalidParameterError
            For weights that are not finite numbers by asset, or none.
        """
        held = self._held(weights)
        values = self._estimates.parameters[:, 1:, held.columns] @ held.weights
        return pd.DataFrame(values, self.dates, self.factors.copy(), copy=False)

    def excess_returns(self, weights: Any) -> pd.DataFrame:
        r"""Walk forward: hedge a portfolio on each date with the model known the day before.

        On each date after the first model, the exposures are those of the latest model of an earlier date. The tracking
        return is these exposures times the factors' returns of the date; the hedged return is the rest.

        Parameters
        ----------
        weights : mapping or Series by asset
            Dollars per dollar of strategy, the same on each date; omitted assets have weight zero.

        Returns
        -------
        DataFrame, dates × (``unhedged``, ``tracking``, ``hedged``)
            Excess returns, decimals per row of the panel; unhedged = tracking + hedged. NaN where a held asset has no
            return or could not be estimated.

        Raises
        ------
        UnknownAssetError
            For an asset that is not in the panel, or an asset of a portfolio factor that is not in the date's model.
        InvalidParameterError
            For weights that are not finite numbers by asset or none, or for a factor that is not tradable.
        CollinearFactorsError
            If the exposures of factors that are portfolios of assets are linearly dependent.

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["KO"], ["Mkt-RF"], start="2016-01-01")
        >>> walk = rm.Rolling(rm.YEAR).fit(panel).excess_returns({"KO": 1.0})
        >>> len(walk), float(round(walk["hedged"].std() / walk["unhedged"].std(), 2))
        (483, 0.93)
        """
        held = self._held(weights)
        rows = np.arange(self._stops[0], len(self.panel.dates))
        latest = np.searchsorted(self._stops, rows, side="right") - 1
        returns = self.panel.arrays()[0][rows[:, None], held.columns] @ held.weights
        exposures = self._estimates.parameters[:, 1:, held.columns] @ held.weights
        tracking = tracking_returns(self.panel, self._model, self._definitions, self.factors, exposures, rows, latest)
        columns = {"unhedged": returns, "tracking": tracking, "hedged": returns - tracking}
        return pd.DataFrame(columns, self.panel.dates[rows].rename("date"))

    def hedged(self, weights: Any, cost: Any = 0.0, *, instruments: Sequence[Any] | None = None) -> HedgeRecord:
        """Walk forward, and set what the hedge did beside what the models had promised.

        On each date after the first model, the hedge takes away the exposures that the latest model of an earlier date
        says. In some instruments, it leaves the least variance that this model says, as
        `HedgedPortfolio.minimum_variance`.

        Parameters
        ----------
        weights : mapping or Series by asset
            Dollars per dollar of strategy, the same on each date; omitted assets have weight zero.
        cost : float, or mapping or Series by instrument
            Cost of trades in the hedge, decimals per dollar traded: 0.0002 is two basis points.
        instruments : sequence of labels or portfolios of assets, optional
            What the hedge holds; by default the factors. Dates of models without an instrument's asset are left out.

        Returns
        -------
        HedgeRecord
            Out-of-sample betas, effectiveness, turnover and costs; promised and earned variances by date.

        Raises
        ------
        InvalidParameterError
            For weights that are not finite numbers by asset or none, a factor that is not tradable, or a cost that is
            not from 0 to 1.
        UnknownAssetError
            For an asset that is not in the panel, or an instrument without a cost.
        CollinearFactorsError
            If the exposures of factors that are portfolios of assets are linearly dependent.
        SingularCovarianceError
            If one instrument is riskless, or a combination of the others.
        TooFewObservationsError
            If no row of the panel is after the first model.
        """
        held = self._held(weights)
        rows = np.arange(self._stops[0], len(self.panel.dates))
        if not len(rows):
            raise TooFewObservationsError(
                f"expected dates after the first model, of {self.dates[0].date()}, got none; use a longer panel, or a "
                "shorter window.",
                dates=0,
            )
        latest = np.searchsorted(self._stops, rows, side="right") - 1
        by_asset = pd.Series(held.weights, self.assets[held.columns])
        tools = None if instruments is None else listed(instruments)
        return HedgeRecord._of(self.panel, self._model, by_asset, rows, latest, cost, tools)

    def _held(self, weights: Any) -> Any:
        return read_held(weights, self.assets)

    # -- frames --------------------------------------------------------------------------------------

    def _by_asset(self, values: NDArray[Any]) -> pd.DataFrame:
        return pd.DataFrame(values, self.dates, self.assets.rename("asset"), copy=False)

    def _by_parameter(self, values: Array, names: list[Any], level: str) -> pd.DataFrame:
        d, k, n = values.shape
        columns = pd.MultiIndex.from_product([names, self.assets], names=[level, "asset"])
        return pd.DataFrame(values.reshape(d, k * n), self.dates, columns, copy=False)


def _same(a: tuple[Factor, ...], b: tuple[Factor, ...]) -> bool:
    return a is b or (len(a) == len(b) and all(is_same(f, g) for f, g in zip(a, b, strict=True)))


def _names(definitions: Definitions) -> pd.Index[Any]:
    """The labels of all factors, in order of first occurrence."""
    names = list(dict.fromkeys(f.name for own in definitions for f in own))
    return labels.unique(names, "factors") if names else pd.Index([], dtype=object)


def _runs(codes: Counts) -> Iterator[tuple[int, int, int]]:
    """Yield the first and last position of each run of a code, and the code; 0 means no code."""
    edges = np.flatnonzero(np.diff(codes, prepend=0, append=0))
    for first, end in pairwise(edges):
        if codes[first]:
            yield int(first), int(end) - 1, int(codes[first])


def _common_horizon(results: Sequence[WindowResult]) -> Horizon | None:
    """The one horizon of the models of all windows, or raise where there are several."""
    horizons = [r.model.horizon for r in results if r.model is not None]
    for horizon in horizons[1:]:
        require_same(horizons[0], horizon, "the models of a history")
    return horizons[0] if horizons else None
