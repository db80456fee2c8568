"""A study of risk models out of sample, date by date."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from types import MappingProxyType
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core.arguments import require_method, shown
from riskmodel._core.arrays import Index
from riskmodel._core.listing import Listed
from riskmodel._core.paths import AnyPath
from riskmodel._core.progress import Progress
from riskmodel.errors import (
    EstimationError,
    FailedForecastWarning,
    InvalidParameterError,
    TooFewObservationsError,
)
from riskmodel.estimation.weighting import require_half_life, require_instance
from riskmodel.estimation.windows.ends import require_in_memory, require_step, rows_in, window_ends
from riskmodel.evaluation.methods import Method, read_methods
from riskmodel.evaluation.outcome import DateOutcome
from riskmodel.evaluation.portfolios import (
    EqualWeights,
    FactorPortfolios,
    MinimumVariance,
    PortfolioFamily,
    RandomLong,
    RandomLongShort,
)
from riskmodel.evaluation.store import StudyFolder, identity_of
from riskmodel.evaluation.study import Study
from riskmodel.evaluation.task import FORECAST, Task, evaluate
from riskmodel.evaluation.universe import USED, KnownAssets
from riskmodel.horizon import MONTH, YEAR, Horizon
from riskmodel.panel.memory import ReturnPanel, rows_of

# Tasks that wait for a process: each holds a window of the panel.
_PENDING = 32


def default_portfolios() -> dict[str, PortfolioFamily]:
    """The portfolios of a study for which none are named."""
    return {
        "long": RandomLong(),
        "long-short": RandomLongShort(),
        "equal": EqualWeights(),
        "minimum variance": MinimumVariance(),
        "factors": FactorPortfolios(),
    }


def _families(portfolios: Any) -> Mapping[str, PortfolioFamily]:
    plain = isinstance(portfolios, Mapping) and all(
        isinstance(name, str) and isinstance(family, PortfolioFamily) for name, family in portfolios.items()
    )
    if not plain or not portfolios:
        raise InvalidParameterError(
            "expected portfolios as a mapping of names to families, such as {'long': rm.RandomLong()}, got "
            f"{shown(portfolios)}.",
            parameter="portfolios",
            got=portfolios,
        )
    return MappingProxyType(dict(portfolios))


@final
@frozen(eq=False)
class WalkForward(Listed):
    """Compare covariance forecasts out of sample: each made from a window, and held against the returns after it.

    Parameters
    ----------
    estimators : mapping of str to estimator
        What is compared, by name: an `Estimator`; a function of a frame of excess returns (dates × assets) that returns
        an N × N covariance per row (frame or array), a `FactorCovariance` or a `FactorModel`; or an object with ``fit``
        that then has ``covariance_`` or ``return_distribution_``, as those of scikit-learn and skfolio do. It is copied
        before it is fitted.
    window : Horizon
        The length of the window in trading days, as in `Rolling`.
    horizon : Horizon
        How far ahead forecasts are held against returns.
    every : int or Horizon, optional
        How often, as in `Rolling`; by default every `horizon`, so that the periods do not overlap.
    portfolios : mapping of str to PortfolioFamily, optional
        On what: by default random long and long-short portfolios (25 each), equal weights, each method's own
        minimum-variance portfolio, and its own factors.
    assets : KnownAssets, optional
        Which assets are used on a date.

    Notes
    -----
    All methods see the same window of the same assets. Estimators of this library see missing returns as missing; what
    is not ours sees zeros there, and `Study.universe` says how many. No method sees a return after the window.

    A method that has no forecast for a window is recorded in `Study.failures`. An error that is a mistake of a program,
    such as a `TypeError`, ends the study.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur", "Money"], ["Mkt-RF"], start="2000-01")
    >>> walk = rm.WalkForward(
    ...     {"OLS": rm.OLS(), "sample": lambda returns: returns.cov()},
    ...     window=rm.Horizon(5 * 252),
    ...     horizon=rm.QUARTER,
    ... )
    >>> study = walk.run(panel)
    >>> study
    <Study 2 methods, 49 dates (2004-12-31 to 2016-12-31), 3 rows of one month ahead>
    >>> study.summary().loc["minimum variance", ["dates", "bias", "qlike"]].round(2)
            dates  bias  qlike
    method
    OLS        49  1.32   0.59
    sample     49  1.21   0.60
    """

    methods: Mapping[str, Method] = field(converter=read_methods, alias="estimators")
    window: Horizon = field(default=Horizon(2 * YEAR.days), validator=require_half_life, kw_only=True)
    horizon: Horizon = field(default=MONTH, validator=require_half_life, kw_only=True)
    every: int | Horizon | None = field(default=None, validator=require_step, kw_only=True)
    portfolios: Mapping[str, PortfolioFamily] = field(factory=default_portfolios, converter=_families, kw_only=True)
    assets: KnownAssets = field(
        factory=KnownAssets, validator=require_instance(KnownAssets, "rm.KnownAssets(0.98)"), kw_only=True
    )

    def run(self, panel: ReturnPanel, *, folder: AnyPath | None = None, executor: Any = None) -> Study:
        """Run the study.

        Parameters
        ----------
        panel : ReturnPanel
            T dates, N assets; its factors are for estimators that use them.
        folder : path, optional
            Where each date is written when it is computed. A study that stopped goes on there; a folder of a study with
            another panel or other settings is refused. Of a function that is compared, name and code are settings, not
            what it calls.
        executor : concurrent.futures.Executor, optional
            Where dates are computed: a ``ProcessPoolExecutor``, or ``client.get_executor()`` of Dask. By default here,
            one after the other. Methods are pickled for processes, so functions must be defined in a module.

        Raises
        ------
        TooFewObservationsError
            If the panel is shorter than a window and a horizon.
        EstimationError
            If a date has no asset that can be used, or a method has no forecast on any date.
        InvalidParameterError
            For a panel that is not in memory, spans that are not whole rows, or a folder of another study.

        Warns
        -----
        FailedForecastWarning
            If a method has no forecast on some dates: of its first failure at once, and of their number at the end.
        """
        require_in_memory(panel)
        if executor is not None:
            require_method(executor, ["submit"], "executor", "such as concurrent.futures.ProcessPoolExecutor()")
        rows, ahead = rows_in(self.window, panel), rows_in(self.horizon, panel)
        stops = self._stops(panel, rows, ahead)
        store = None if folder is None else StudyFolder.at(folder, identity_of(panel, self._settings))
        outcomes = self._outcomes(panel, stops, (rows, ahead), store, executor)
        self._tell_failures(outcomes)
        return Study(
            dates=panel.dates[stops - 1],
            ends=panel.dates[stops + ahead - 1],
            assets=panel.assets,
            rows_behind=rows,
            rows_ahead=ahead,
            panel_horizon=panel.horizon,
            methods=tuple(self.methods),
            families=tuple(self.portfolios),
            overlap=_overlap(stops, ahead),
            outcomes=outcomes,
        )

    def _outcomes(
        self, panel: ReturnPanel, stops: Index, spans: tuple[int, int], store: StudyFolder | None, executor: Any
    ) -> tuple[DateOutcome, ...]:
        """What each date gave: read where it is kept, otherwise computed, and kept."""
        kept = [] if store is None else [store.read(int(stop)) for stop in stops]
        outcomes = {outcome.stop: outcome for outcome in kept if outcome is not None}
        progress = Progress("study", len(stops), "dates")
        progress.add(len(outcomes))
        tasks = (self._task(panel, int(stop), *spans) for stop in stops if int(stop) not in outcomes)
        told: set[str] = set()
        try:
            for outcome in _computed(tasks, executor):
                _tell_at_once(outcome, panel.dates[outcome.stop - 1], told)
                if store is not None:
                    store.write(outcome)
                outcomes[outcome.stop] = outcome
                progress.add(1)
        finally:
            progress.clear()
        return tuple(outcomes[int(stop)] for stop in stops)

    @property
    def _settings(self) -> tuple[Any, ...]:
        methods = tuple((name, m.identity) for name, m in self.methods.items())
        spans = tuple(None if h is None else h if isinstance(h, int) else h.days for h in (self.window, self.horizon))
        return (methods, spans, tuple(self.portfolios.items()), self.assets)

    def _stops(self, panel: ReturnPanel, rows: int, ahead: int) -> Index:
        """The row after the last of each window that has returns as far as the horizon."""
        if rows + ahead > len(panel.dates):
            raise TooFewObservationsError(
                f"expected a panel of {rows + ahead} dates or more, a window and a horizon, got {panel!r}; use a "
                "shorter window or more dates.",
                rows=rows + ahead,
                got=len(panel.dates),
            )
        stops = window_ends(panel, rows, ahead if self.every is None else self.every)
        stops = stops[stops + ahead <= len(panel.dates)]
        if not len(stops):
            raise TooFewObservationsError(
                f"expected a window with {ahead} rows after it, got none in {panel!r}; use more dates."
            )
        return stops

    def _task(self, panel: ReturnPanel, stop: int, rows: int, ahead: int) -> Task:
        returns = panel.arrays()[0]
        past, future = returns[stop - rows : stop], returns[stop : stop + ahead]
        date = panel.dates[stop - 1]
        reasons = self.assets.select(past, future, panel.assets, date)
        used = np.flatnonzero(reasons == USED)
        if not len(used):
            raise EstimationError(
                f"expected an asset that can be used on {date.date()}, got none of {len(panel.assets)}; use a shorter "
                "window, or a smaller share in rm.KnownAssets.",
                date=date,
            )
        window = rows_of(panel, slice(stop - rows, stop), used)
        return Task(stop, reasons, window, future[:, used], tuple(self.methods.items()), tuple(self.portfolios.items()))

    def _tell_failures(self, outcomes: tuple[DateOutcome, ...]) -> None:
        """Warn of methods without a forecast on some dates; raise for one without any."""
        failed = {
            name: [o.methods[name].failures[FORECAST] for o in outcomes if FORECAST in o.methods[name].failures]
            for name in self.methods
        }
        for name, said in failed.items():
            if len(said) == len(outcomes):
                raise EstimationError(
                    f"expected forecasts of {name}, got none on {len(outcomes)} dates; the first failed with {said[0]}",
                    method=name,
                    error=said[0],
                )
        some = {name: len(said) for name, said in failed.items() if said}
        if some:
            listed = ", ".join(f"{name} on {n}" for name, n in some.items())
            warnings.warn(
                FailedForecastWarning(
                    f"methods without a forecast: {listed} of {len(outcomes)} dates; Study.failures says why.",
                    dates=some,
                ),
                stacklevel=3,
            )


def _tell_at_once(outcome: DateOutcome, date: pd.Timestamp, told: set[str]) -> None:
    """Warn of the first failure of each method: a mistake shows before a long study is over."""
    for name, method in outcome.methods.items():
        if FORECAST in method.failures and name not in told:
            told.add(name)
            said = method.failures[FORECAST]
            warnings.warn(
                FailedForecastWarning(
                    f"{name} has no forecast on {date.date()}, and the study goes on: {said}", method=name, error=said
                ),
                stacklevel=4,
            )


def _overlap(stops: Index, ahead: int) -> int:
    """How many later dates of a study a period of returns reaches into; 0 where periods do not overlap."""
    if len(stops) < 2:
        return 0
    return int(np.ceil(ahead / np.diff(stops).min())) - 1


def _computed(tasks: Iterator[Task], executor: Any) -> Iterator[DateOutcome]:
    """Compute tasks, here or elsewhere, and yield each when it is done."""
    if executor is None:
        yield from map(evaluate, tasks)
        return
    pending: set[Future[DateOutcome]] = set()
    try:
        for task in tasks:
            if len(pending) >= _PENDING:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
            pending.add(executor.submit(evaluate, task))
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    finally:
        for future in pending:
            future.cancel()
