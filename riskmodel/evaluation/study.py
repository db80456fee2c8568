"""What a study of risk models found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen
from numpy.typing import NDArray
from scipy import stats

from riskmodel._core.arguments import require_count, require_probability, shown
from riskmodel._core.arrays import Array
from riskmodel._core.labels import require_list
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError, NotEstimatedError, TooFewObservationsError
from riskmodel.evaluation.calibration import WINDOW, bias_band, bias_statistic, mean_rolling_deviation, rolling_bias
from riskmodel.evaluation.comparison import diebold_mariano, model_confidence_set
from riskmodel.evaluation.losses import QLIKE, Loss
from riskmodel.evaluation.outcome import DateOutcome
from riskmodel.evaluation.universe import NOT_DRAWN, REASONS, USED
from riskmodel.horizon import NAMED, YEAR, Horizon
from riskmodel.inference.backtests import christoffersen, kupiec, require_level
from riskmodel.inference.next_month import FEWEST_ROWS
from riskmodel.inference.volatility_ratios import VolatilityRatios

_REGIMES = ("calm", "middle", "wild")
_OF_RECORDS = ("date", "family", "method", "portfolio")


@final
@frozen(eq=False, repr=False)
class Study(Listed):
    """The forecasts of some methods on some dates, and what happened after each; `WalkForward.run` makes it.

    Parameters
    ----------
    dates, ends : pandas.DatetimeIndex
        The last date of each window, and the last date of the returns after it.
    assets : pandas.Index
        N labels of the panel.
    rows_behind, rows_ahead : int
        Rows in a window, and h, rows in the horizon of a forecast.
    panel_horizon : Horizon
        The span of one row.
    methods, families : tuple of str
        What was compared, on which portfolios.
    overlap : int
        How many later dates each period of returns reaches into; 0 where periods do not overlap.
    outcomes : tuple
        What each date gave.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur", "Money"], ["Mkt-RF"], start="2000-01")
    >>> methods = {"OLS": rm.OLS(), "EWMA": rm.EWMA(rm.YEAR)}
    >>> walk = rm.WalkForward(methods, window=rm.Horizon(5 * 252), horizon=rm.QUARTER)
    >>> study = walk.run(panel)
    >>> study.methods, len(study.dates)
    (('OLS', 'EWMA'), 49)
    >>> study.summary().loc["minimum variance", ["bias", "qlike"]].round(2)
            bias  qlike
    method
    OLS     1.32   0.59
    EWMA    1.28   0.50
    """

    dates: pd.DatetimeIndex
    ends: pd.DatetimeIndex
    assets: pd.Index[Any]
    rows_behind: int
    rows_ahead: int
    panel_horizon: Horizon
    methods: tuple[str, ...]
    families: tuple[str, ...]
    overlap: int
    outcomes: tuple[DateOutcome, ...]

    def __repr__(self) -> str:
        return (
            f"<Study {len(self.methods)} methods, {len(self.dates)} dates ({self.dates[0].date()} to "
            f"{self.dates[-1].date()}), {self.rows_ahead} rows of one {self.panel_horizon} ahead>"
        )

    # -- what was recorded -------------------------------------------------------------------------

    @cached_property
    def _parts(self) -> tuple[pd.DataFrame, Array]:
        found = [
            (date, family, name, outcome)
            for date, of_date in zip(self.dates, self.outcomes, strict=True)
            for name, method in of_date.methods.items()
            for family, outcome in method.families.items()
        ]
        counts = [len(outcome.labels) for *_, outcome in found]
        daily = np.concatenate([np.empty((0, self.rows_ahead)), *(outcome.returns.T for *_, outcome in found)])
        keys = [np.repeat(np.array([part[i] for part in found], dtype=object), counts) for i in range(3)]
        keys[0] = pd.DatetimeIndex(keys[0])  # type: ignore[call-overload]
        labels = [label for *_, outcome in found for label in outcome.labels]
        table = pd.DataFrame(
            {
                "variance": np.concatenate([np.empty(0), *(outcome.variance for *_, outcome in found)]),
                "realised": daily.sum(axis=1),
                "squares": (daily**2).sum(axis=1),
            },
            pd.MultiIndex.from_arrays([*keys, labels], names=_OF_RECORDS),
        )
        return table, daily

    @property
    def records(self) -> pd.DataFrame:
        """Every forecast: rows (date, family, method, portfolio).

        Columns ``variance`` (forecast over the horizon, return²), ``realised`` (sum of the excess returns of a
        portfolio that is brought back to its weights in every row) and ``squares`` (sum of the squared returns).
        """
        return self._parts[0].copy()

    @property
    def failures(self) -> pd.DataFrame:
        """What could not be evaluated: columns ``date``, ``method``, ``part`` and ``reason``."""
        rows = [
            (date, name, part, reason)
            for date, outcome in zip(self.dates, self.outcomes, strict=True)
            for name, method in outcome.methods.items()
            for part, reason in method.failures.items()
        ]
        return pd.DataFrame(rows, columns=["date", "method", "part", "reason"])

    @property
    def universe(self) -> pd.DataFrame:
        """By date: ``end`` of the returns, how many assets were ``used``, left out by reason, and returns ``filled``.

        ``filled`` counts returns that were missing in the window; methods that are not ours saw zeros there.
        """
        counts = [np.bincount(o.reasons, minlength=len(REASONS)) for o in self.outcomes]
        table = pd.DataFrame(counts, self.dates, ["used", *REASONS[1:]])
        table.insert(0, "end", self.ends)
        return table.assign(filled=[o.filled for o in self.outcomes])

    @property
    def left_out(self) -> pd.DataFrame:
        """The assets that could not be used, other than by a draw: columns ``date``, ``asset`` and ``reason``."""
        rows = [
            (date, self.assets[int(i)], REASONS[outcome.reasons[i]])
            for date, outcome in zip(self.dates, self.outcomes, strict=True)
            for i in np.flatnonzero((outcome.reasons != USED) & (outcome.reasons != NOT_DRAWN))
        ]
        return pd.DataFrame(rows, columns=["date", "asset", "reason"])

    def weights(self, family: str, method: str) -> pd.DataFrame:
        """Weights of a family of one portfolio, dates × assets; 0 for assets that were not used.

        Raises
        ------
        InvalidParameterError
            For an unknown family or method, or a family of several portfolios.
        """
        self._require(family, self.families, "family")
        self._require(method, self.methods, "method")
        rows = dict(self._weights(family, method))
        if not rows:
            raise InvalidParameterError(
                f"expected a family of one portfolio, such as 'minimum variance', got {family!r}.", parameter="family"
            )
        return pd.DataFrame.from_dict(rows, orient="index", columns=self.assets)

    def _weights(self, family: str, method: str) -> Iterator[tuple[pd.Timestamp, Array]]:
        for date, outcome in zip(self.dates, self.outcomes, strict=True):
            found = outcome.methods[method].families.get(family)
            if found is not None and found.weights is not None:
                row = np.zeros(len(self.assets))
                row[outcome.reasons == USED] = found.weights
                yield date, row

    # -- measures ----------------------------------------------------------------------------------

    def summary(self, level: float = 0.05) -> pd.DataFrame:
        r"""The measures of each method on each family: rows (family, method).

        Parameters
        ----------
        level : float
            The probability of a loss beyond value at risk.

        Returns
        -------
        DataFrame
            ``dates`` with a forecast; ``bias``, the standard deviation over dates of returns over forecast
            volatilities, mean over portfolios, and ``low`` and ``high``, the band :math:`1 \pm \sqrt{2/n}` around 1;
            ``mrad``, the mean rolling absolute deviation of the bias from 1 over 12 dates; ``qlike``, the loss of
            squared returns; ``volatility``, the realised one per year, mean over portfolios; ``turnover``, half the
            mean change of weights from date to date (of families of one portfolio); ``breaches``, the share of rows
            with a loss beyond the normal value at risk of `level`; ``kupiec`` and ``christoffersen``, the median over
            portfolios of the p values of these tests.
        """
        table = pd.DataFrame(
            {
                "dates": self.losses(QLIKE).count(),
                **_calibration(self._scores),
                "qlike": self.losses(QLIKE).mean(),
                "volatility": self._volatility(),
                "turnover": pd.Series(self._turnovers(), dtype=np.float64),
                **self._breach_columns(level),
            }
        )
        for name, side in (("low", 0), ("high", 1)):
            table.insert(2 + side, name, [bias_band(int(n))[side] for n in table["dates"]])
        return self._ordered(table)

    def bias(self) -> pd.DataFrame:
        """The bias statistic of each portfolio, such as a factor or a sector: rows (family, method, portfolio).

        Columns ``dates`` with a score, ``bias``, and the band from ``low`` to ``high`` of a right forecast.
        """
        parts = {
            key: pd.DataFrame({"dates": scores.count(), "bias": bias_statistic(scores)})
            for key, scores in self._scores.items()
        }
        table = pd.concat(parts, names=["family", "method", "portfolio"])
        bands = [bias_band(int(n)) for n in table["dates"]]
        return self._ordered(table.assign(low=[b[0] for b in bands], high=[b[1] for b in bands]))

    def by_method(self) -> pd.DataFrame:
        """Figures of each method that need no portfolios: rows are methods.

        Columns ``dates`` with a forecast; ``seconds`` per forecast; ``distance``, the mean over rows of r' Σ⁻¹ r / N,
        which is 1 for a right forecast and large where a method underestimates the risk of some portfolio;
        ``failures``, dates without a forecast.
        """
        return pd.DataFrame(
            {
                "dates": {m: sum(bool(o.methods[m].families) for o in self.outcomes) for m in self.methods},
                "seconds": {m: float(np.mean([o.methods[m].seconds for o in self.outcomes])) for m in self.methods},
                "distance": self.distances().mean(),
                "failures": {m: sum("forecast" in o.methods[m].failures for o in self.outcomes) for m in self.methods},
            }
        ).rename_axis("method")

    def scores(self, family: str, method: str) -> pd.DataFrame:
        """Returns over forecast volatilities, dates × portfolios of a family, for one method."""
        self._require(family, self.families, "family")
        self._require(method, self.methods, "method")
        return self._scores.get((family, method), pd.DataFrame(index=self.dates[:0])).copy()

    def losses(self, loss: Loss = QLIKE) -> pd.DataFrame:
        """Mean loss over the portfolios of each family, dates × (family, method); NaN without a forecast."""
        return self._qlike.copy() if loss == QLIKE else self._losses(loss)

    def rolling_bias(self, window: int = WINDOW) -> pd.DataFrame:
        """The bias statistic over so many dates up to each date, mean over portfolios, dates × (family, method)."""
        require_count(window, "window", 2)
        columns = {key: rolling_bias(scores, window).mean(axis=1) for key, scores in self._scores.items()}
        return pd.DataFrame(columns).reindex(self.dates).rename_axis(columns=["family", "method"])

    def distances(self) -> pd.DataFrame:
        """R' Σ⁻¹ r / N, mean over the rows after each date, dates × methods; NaN where Σ cannot be inverted.

        The squared Mahalanobis distance of the assets' returns under the forecast; O(N·K) for a factor model.
        """
        rows = [
            [float(d.mean()) if len(d := o.methods[m].distances) else np.nan for m in self.methods]
            for o in self.outcomes
        ]
        return pd.DataFrame(rows, self.dates, pd.Index(self.methods, name="method"))

    def by_date(self) -> pd.DataFrame:
        """Figures of each date: rows (date, family, method).

        Columns ``forecast`` and ``realised``, volatilities over the horizon (root mean squares over the portfolios),
        and ``qlike``.
        """
        table = self._parts[0]
        keys = ["date", "family", "method"]
        means = table[["variance", "squares"]].groupby(level=keys, sort=False).mean()
        qlike = QLIKE.values(table["squares"], table["variance"]).groupby(level=keys, sort=False).mean()
        return pd.DataFrame(
            {"forecast": np.sqrt(means["variance"]), "realised": np.sqrt(means["squares"]), "qlike": qlike}
        )

    def comparisons(self, loss: Loss = QLIKE, against: str | None = None) -> pd.DataFrame:
        """Diebold-Mariano tests of each method against one other, on the dates that both have: rows (family, method).

        A method that has a forecast on fewer than half of the dates is left out, and so is a pair with fewer than 8
        common dates.

        Parameters
        ----------
        loss : Loss
            What is compared, mean over the portfolios of a family.
        against : str, optional
            A method; by default the one with the smallest mean loss in each family.

        Returns
        -------
        DataFrame
            Columns ``against``, ``difference`` (below 0 where the method is better), ``std_error``, ``low`` and
            ``high`` (its 95 % interval), ``statistic``, ``pvalue`` and ``dates``.

        Raises
        ------
        TooFewObservationsError
            If no pair has 8 common dates.
        """
        if loss == QLIKE and against is None:
            return self._from_best.copy()
        return self._compared(loss, against)

    def _compared(self, loss: Loss, against: str | None) -> pd.DataFrame:
        if against is not None:
            self._require(against, self.methods, "against")
        losses = self.losses(loss)
        rows: dict[tuple[str, str], tuple[Any, ...]] = {}
        too_few: TooFewObservationsError | None = None
        for family in self._families_of(losses):
            mine = _compared(losses, family)
            other = str(mine.mean().idxmin()) if against is None else against
            if other not in mine:
                continue
            for method in mine.columns.drop([other]):
                try:
                    test = diebold_mariano(mine[method] - mine[other], self.overlap)
                except TooFewObservationsError as error:
                    too_few = error
                    continue
                rows[family, method] = (other, *_values(test))
        if too_few is not None and not rows:
            raise too_few
        columns = ["against", "difference", "std_error", "low", "high", "statistic", "pvalue", "dates"]
        return self._ordered(_framed(rows, columns))

    def confidence_set(
        self, loss: Loss = QLIKE, size: float = 0.10, repetitions: int = 2_000, seed: int = 0
    ) -> pd.DataFrame:
        """The model confidence set of each family: p values by method, rows are methods, columns families.

        A method with a p value of `size` or more is in the set that holds the best with probability 1 - `size`. A
        method that has a forecast on fewer than half of the dates is left out, and so are dates on which another method
        has none. Needs the extra ``evaluation``.

        Parameters
        ----------
        loss : Loss
            What is compared, mean over the portfolios of a family.
        size : float
            One less the confidence level.
        repetitions, seed : int
            Of the bootstrap, whose mean block has `overlap` + the cube root of the number of dates.

        Raises
        ------
        InvalidParameterError
            For a size that is not between 0 and 1.
        MissingExtraError
            If arch is not installed.
        """
        least = require_probability(size, "size")
        losses = self.losses(loss)
        found = {}
        for family in self._families_of(losses):
            mine = _compared(losses, family).dropna()
            block = self.overlap + max(1, round(len(mine) ** (1 / 3)))
            found[family] = model_confidence_set(mine, least, block, repetitions, seed)
        return pd.DataFrame(found).reindex(list(self.methods)).rename_axis("method")

    def breaches(self, level: float = 0.05) -> pd.DataFrame:
        """Losses beyond the normal value at risk of one row, :math:`-z_p σ`: rows (family, method, portfolio).

        Where periods overlap, each row of returns is held against the latest forecast alone.

        Returns
        -------
        DataFrame
            Columns ``rows``, ``breaches``, ``share``, and the p values of ``kupiec`` and ``christoffersen``.
        """
        quantile = float(stats.norm.ppf(require_level(level)))
        table, daily = self._parts
        beyond = daily < quantile * np.sqrt(table["variance"].to_numpy() / self.rows_ahead)[:, None]
        position = self.dates.get_indexer(table.index.get_level_values("date"))
        rows: dict[Any, Any] = {}
        for key, at in table.groupby(level=["family", "method", "portfolio"], sort=False).indices.items():
            order = at[np.argsort(position[at])]
            hits = self._sequences(beyond[order], position[order])
            frequency, both = kupiec(hits, level), christoffersen(hits, level)
            n = frequency.observations
            rows[key] = (n, frequency.breaches, frequency.breaches / n, frequency.pvalue, both.pvalue)
        index = pd.MultiIndex.from_tuples(list(rows), names=["family", "method", "portfolio"])
        return self._ordered(
            pd.DataFrame(list(rows.values()), index, ["rows", "breaches", "share", "kupiec", "christoffersen"])
        )

    def ratios(self, method: str, families: Sequence[str] | None = None) -> VolatilityRatios:
        """Realised over forecast volatility of a method, which make its next forecast a range.

        Realised volatility is the root of the sum of squared excess returns over the horizon of the study.

        Parameters
        ----------
        method : str
            One of `methods`.
        families : sequence of str, optional
            Of which portfolios, pooled: those that are most like yours. By default all, which few portfolios are like:
            what the market drives is less predictable than what is long and short.

        Raises
        ------
        InvalidParameterError
            For an unknown method or family, or families without a forecast.
        NotEstimatedError
            For a horizon of fewer than 5 rows, whose volatility says little.
        """
        self._require(method, self.methods, "method")
        chosen = self.families if families is None else tuple(require_list(families, "families"))
        for name in chosen:
            self._require(name, self.families, "families")
        if self.rows_ahead < FEWEST_ROWS:
            raise NotEstimatedError(
                f"expected a study of {FEWEST_ROWS} rows ahead or more, as fewer returns say little of a volatility, "
                f"got {self.rows_ahead}; use a longer horizon, or shorter rows.",
                rows=self.rows_ahead,
            )
        table = self._parts[0]
        of = table.index.get_level_values("method") == method
        mine = table[of & table.index.get_level_values("family").isin(chosen)]
        if mine.empty:
            raise InvalidParameterError(
                f"expected families of which {method} has forecasts, got {', '.join(chosen)}; see Study.failures.",
                parameter="families",
                got=chosen,
            )
        return VolatilityRatios.of(
            (mine["squares"] / mine["variance"]).pow(0.5),
            self._ahead,
            source=f"{method} on {', '.join(chosen)}",
            overlap=self.overlap,
        )

    def coverage(self, levels: Sequence[float] = (0.7, 0.95)) -> pd.DataFrame:
        """How often realised volatility was in its range, on dates that had no part in making it.

        Ranges are those of `ratios`, for each family by itself: they start from the first dates, 19 of them and 39 for
        0.95, and follow the others.

        Parameters
        ----------
        levels : sequence of float
            Probabilities with which a range should hold the realised volatility.

        Returns
        -------
        DataFrame, rows (family, method, level)
            ``dates`` that were held back; ``coverage``, the share of them in the range, mean over portfolios, and its
            ``std_error`` as of independent dates; ``low`` and ``high``, the range of the next ratio of realised over
            forecast volatility.

        Raises
        ------
        NotEstimatedError
            If no family has enough dates for any level, or the horizon has fewer than 5 rows.
        """
        rows = {}
        too_few: NotEstimatedError | None = None
        for family, method in self._scores:
            ratios = self.ratios(method, [family])
            for level in require_list(levels, "levels"):
                try:
                    rows[family, method, level] = _covered(ratios, level)
                except NotEstimatedError as error:
                    too_few = error
        if too_few is not None and not rows:
            raise too_few
        index = pd.MultiIndex.from_tuples(list(rows), names=["family", "method", "level"])
        return self._ordered(
            pd.DataFrame(list(rows.values()), index, ["dates", "coverage", "std_error", "low", "high"])
        )

    def by_regime(self) -> pd.DataFrame:
        """Bias and QLIKE in calm, middle and wild markets: rows (regime, family, method).

        Regimes are terciles of the dates by the realised volatility of the equal-weighted portfolio after each; they
        are known afterwards only, so in wild ones every forecast is too low.
        """
        market = pd.Series([float(o.market @ o.market) for o in self.outcomes], self.dates)
        regimes = pd.cut(market.rank(method="first") / len(market), [0, 1 / 3, 2 / 3, 1], labels=list(_REGIMES))
        losses = self.losses(QLIKE)
        parts = {}
        for regime in _REGIMES:
            dates = self.dates[(regimes == regime).to_numpy()]
            chosen = {key: scores[scores.index.isin(dates)] for key, scores in self._scores.items()}
            mine = losses.loc[losses.index.isin(dates)]
            parts[regime] = pd.DataFrame(
                {"dates": mine.count(), "bias": _calibration(chosen)["bias"], "qlike": mine.mean()}
            )
        return pd.concat({regime: self._ordered(p) for regime, p in parts.items()}, names=["regime"])

    def turnover(self, family: str = "minimum variance") -> pd.DataFrame:
        """Half the sum of changes of weights since the date before, dates × methods, for a family of one portfolio.

        It holds the changes of the assets that are used, so compare it under `SteadyDraw` or without a draw.
        """
        self._require(family, self.families, "family")
        columns = {m: _turnover(dict(self._weights(family, m)), len(self.assets)) for m in self.methods}
        return pd.DataFrame(columns).reindex(self.dates[1:]).rename_axis(columns="method")

    def frames(self) -> dict[str, pd.DataFrame]:
        """All tables by name, ready to be written: ``study.frames()["summary"].to_csv(...)``."""
        losses = self.losses()
        return {
            "summary": self.summary(),
            "by_method": self.by_method(),
            "bias": self.bias(),
            "by_regime": self.by_regime(),
            "breaches": self.breaches(),
            "qlike": losses.set_axis([" | ".join(c) for c in losses.columns], axis=1).rename_axis("date"),
            **self._coverage_if_enough(),
            **self._comparisons_if_enough(),
            "universe": self.universe.rename_axis("date"),
            "failures": self.failures,
            "left_out": self.left_out,
        }

    def _coverage_if_enough(self) -> dict[str, pd.DataFrame]:
        try:
            return {"coverage": self.coverage()}
        except NotEstimatedError:
            return {}

    def _comparisons_if_enough(self) -> dict[str, pd.DataFrame]:
        if len(self.methods) < 2:
            return {}
        try:
            return {"comparisons": self.comparisons()}
        except TooFewObservationsError:
            return {}

    # -- helpers -----------------------------------------------------------------------------------

    @property
    def _ahead(self) -> Horizon:
        """The horizon of the forecasts, with its name where it has one."""
        found = Horizon(self.rows_ahead * self.panel_horizon.days)
        return next((known for known in NAMED.values() if known == found), found)

    @cached_property
    def _scores(self) -> dict[tuple[str, str], pd.DataFrame]:
        """Returns over forecast volatilities by family and method, dates × portfolios."""
        grouped = self._parts[0].groupby(level=["family", "method"], sort=False)
        return {(str(f), str(m)): _scores(part) for (f, m), part in grouped}

    @cached_property
    def _qlike(self) -> pd.DataFrame:
        return self._losses(QLIKE)

    @cached_property
    def _from_best(self) -> pd.DataFrame:
        return self._compared(QLIKE, None)

    def _losses(self, loss: Loss) -> pd.DataFrame:
        table = self._parts[0]
        return self._by_date(loss.values(table["squares"], table["variance"]))

    def _volatility(self) -> pd.Series[float]:
        """Realised volatility per year, mean over portfolios."""
        table, daily = self._parts
        scale = self.panel_horizon.scale_volatility(1.0, to=YEAR)
        found = {}
        for key, at in table.groupby(level=["family", "method"], sort=False).indices.items():
            portfolios = table.index.get_level_values("portfolio")[at]
            groups: Any = pd.Series(range(len(at)), portfolios).groupby(level=0).indices
            found[key] = scale * float(np.mean([daily[at[rows]].std(ddof=1) for rows in groups.values()]))
        return pd.Series(found, dtype=np.float64)

    def _turnovers(self) -> Mapping[tuple[str, str], float]:
        return {(f, m): float(_turnover(dict(self._weights(f, m)), len(self.assets)).mean()) for f, m in self._scores}

    def _breach_columns(self, level: float) -> dict[str, pd.Series[float]]:
        grouped = self.breaches(level).groupby(level=["family", "method"], sort=False)
        shares = grouped["breaches"].sum() / grouped["rows"].sum()
        return {
            "breaches": shares,
            "kupiec": grouped["kupiec"].median(),
            "christoffersen": grouped["christoffersen"].median(),
        }

    def _sequences(self, beyond: NDArray[np.bool_], positions: Any) -> list[NDArray[np.bool_]]:
        """The rows of each date up to the next date, joined where they are neighbours."""
        stops = np.array([o.stop for o in self.outcomes])
        found: list[list[NDArray[np.bool_]]] = []
        end = -1
        for hits, i in zip(beyond, positions, strict=True):
            rows = self.rows_ahead if i + 1 == len(stops) else min(self.rows_ahead, int(stops[i + 1] - stops[i]))
            if int(stops[i]) != end:
                found.append([])
            found[-1].append(hits[:rows])
            end = int(stops[i]) + rows
        return [np.concatenate(part) for part in found]

    def _by_date(self, values: pd.Series[float]) -> pd.DataFrame:
        means = values.groupby(level=["date", "family", "method"], sort=False).mean()
        table: pd.DataFrame = means.unstack(["family", "method"]).reindex(self.dates)  # noqa: PD010 - as below
        return table[[key for key in self._keys if key in table.columns]]

    @property
    def _keys(self) -> list[tuple[str, str]]:
        return [(f, m) for f in self.families for m in self.methods]

    def _ordered(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows in the order of families and methods, which pandas then knows to be sorted."""
        known = (self.families, self.methods)
        codes = [pd.Index(k).get_indexer(table.index.get_level_values(i)) for i, k in enumerate(known)]
        order = np.lexsort(codes[::-1])
        levels, names = [list(k) for k in known], ["family", "method", *table.index.names[2:]]
        if table.index.nlevels > len(known):
            last, labels = pd.factorize(table.index.get_level_values(-1))
            codes, levels = [*codes, last], [*levels, list(labels)]
        index = pd.MultiIndex(levels=levels, codes=[c[order].tolist() for c in codes], names=names)
        return table.iloc[order].set_axis(index, axis=0)

    def _families_of(self, losses: pd.DataFrame) -> list[str]:
        there = set(losses.columns.get_level_values("family"))
        return [f for f in self.families if f in there]

    @staticmethod
    def _require(name: Any, known: tuple[str, ...], what: str) -> None:
        if name not in known:
            raise InvalidParameterError(
                f"expected {what} as one of {', '.join(known)}, got {shown(name)}.", parameter=what, got=name
            )


def _calibration(of_all: Mapping[tuple[str, str], pd.DataFrame]) -> dict[str, pd.Series[float]]:
    bias = {key: float(bias_statistic(scores).mean()) for key, scores in of_all.items()}
    mrad = {key: mean_rolling_deviation(scores) for key, scores in of_all.items()}
    return {"bias": pd.Series(bias, dtype=np.float64), "mrad": pd.Series(mrad, dtype=np.float64)}


def _scores(part: pd.DataFrame) -> pd.DataFrame:
    """Returns over forecast volatilities, dates × portfolios, of the records of one family and method."""
    scores = (part["realised"] / np.sqrt(part["variance"])).droplevel(["family", "method"])
    table: pd.DataFrame = scores.unstack("portfolio")  # noqa: PD010 - pivot_table averages, and is slower
    return table


def _covered(ratios: VolatilityRatios, level: float) -> tuple[float, ...]:
    """Dates held back, the share of them in the range, its error, and the range now."""
    inside = ratios.ranges(level)["inside"]
    if inside.empty:
        raise NotEstimatedError(
            f"expected more dates than those from which a range of {level:g} starts, got {ratios!r}; use more dates.",
            level=level,
        )
    error = float(inside.std(ddof=1)) / np.sqrt(len(inside))
    return len(inside), float(inside.mean()), error, *ratios.range(level)


def _compared(losses: pd.DataFrame, family: str) -> pd.DataFrame:
    """Losses on a family of the methods that have one on half of the dates or more, dates × methods."""
    mine: pd.DataFrame = losses.loc[:, family]  # type: ignore[assignment]
    counts = mine.count()
    return mine.loc[:, counts >= max(counts.max(), 1) / 2]


def _turnover(weights: Mapping[pd.Timestamp, Array], n: int) -> pd.Series[float]:
    table = np.array(list(weights.values())).reshape(len(weights), n)
    changes = 0.5 * np.abs(np.diff(table, axis=0)).sum(axis=1)
    return pd.Series(changes, list(weights)[1:], dtype=np.float64)


def _values(test: Any) -> tuple[float, ...]:
    return (
        test.difference, test.std_error, test.low, test.high, test.statistic, test.pvalue, test.observations,
    )  # fmt: skip


def _framed(rows: Mapping[tuple[str, str], tuple[Any, ...]], columns: list[str]) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(list(rows), names=["family", "method"])
    return pd.DataFrame(list(rows.values()), index, columns)
