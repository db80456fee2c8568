"""How realised volatility turned out against its forecast, by which a forecast becomes a range."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel._core.arguments import require, require_count, require_probability
from riskmodel._core.arrays import Array
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError, NotEstimatedError
from riskmodel.horizon import MONTH, Horizon, require_same
from riskmodel.inference.estimand import NEXT_MONTH, Estimand
from riskmodel.inference.interval import Interval
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio

# The fewest dates from which a range starts.
FEWEST = 19
# The share of normal outcomes within one standard deviation, for the standard error and the step.
_ONE_DEVIATION = 0.6827
# By how much of a standard deviation of log ratios one miss moves an end; chosen on dates before 1998.
_STEP = 0.5


@final
@frozen(eq=False, repr=False)
class VolatilityRatios(Listed):
    r"""Realised over forecast volatility on past dates, which make the next forecast a range.

    A model says :math:`\hat\sigma` for a portfolio; over the next month the portfolio realises another volatility.
    Ratios of the two on past dates say how far apart they may be: the range of a level starts as the quantiles of the
    first dates, and each later date moves its ends [1]_, a low end ℓ of log ratios by

    .. math:: \ell \leftarrow \ell + \eta \left(\tfrac{1 - \mathrm{level}}{2} - m\right),

    with m the share of the date's portfolios below it, and η half a standard deviation of the first dates' log ratios;
    in the same way the high end. So the share of dates in the range comes to the level even where ratios change their
    distribution, as they do from one decade to the next: over n dates it differs from the level by at most about
    :math:`2(b + \eta)/(\eta n)`, with b the width of the range of log ratios that occur, whatever the data. No date has
    a part in its own range.

    Portfolios of one date move together, so a date is one observation: at the start each has the mass 1/(n + 1), shared
    by its portfolios, and what is left is outside [2]_.

    `of` makes it of ratios of your own, such as those of `HedgeRecord.ratios`, and `Study.ratios` of a walk-forward
    study; `recommended_ratios` has those that were measured for `recommended`.

    Attributes
    ----------
    horizon : Horizon
        How long the realised volatility is measured.
    source : str
        What was measured, in words.

    References
    ----------
    .. [1] Angelopoulos, A. N., Candès, E. J. and Tibshirani, R. J. (2023). Conformal PID Control for Time Series
       Prediction. *Advances in Neural Information Processing Systems* 36, section 2.1: quantile tracking.
    .. [2] Dunn, R., Wasserman, L. and Ramdas, A. (2022). Distribution-Free Prediction Sets for Two-Layer Hierarchical
       Models. *Journal of the American Statistical Association* 118(544), 2491-2502, section 2.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"], start="2008-01-01")
    >>> record = rm.Rolling(rm.YEAR, every=rm.MONTH).fit(panel).hedged({"KO": 0.5, "XOM": 0.5})
    >>> ratios = rm.VolatilityRatios.of(record.ratios(rm.MONTH)["hedged"])
    >>> ratios
    <VolatilityRatios 118 dates (2009-03-02 to 2018-11-30), one month ahead>
    >>> [round(end, 2) for end in ratios.range(0.95)]
    [0.54, 2.01]
    """

    horizon: Horizon
    source: str
    _dates: pd.DatetimeIndex
    _by_date: tuple[Array, ...]
    _measured: Quantiles | None
    _lag: int

    @classmethod
    def of(cls, ratios: pd.Series[float], horizon: Horizon = MONTH, *, source: str = "", overlap: int = 0) -> Self:
        """Make it of ratios.

        Parameters
        ----------
        ratios : Series
            Realised over forecast volatility, above 0. By date; or with an index of several levels, one of them named
            ``date``, for several portfolios a date.
        horizon : Horizon
            How long the realised volatility is measured, after the date of the forecast.
        source : str
            What was measured, in words.
        overlap : int
            How many later dates the period of each date reaches into: at a date, outcomes that are not over are not
            known yet.

        Raises
        ------
        InvalidParameterError
            For ratios that are not finite numbers above 0 by date, or none.
        """
        values = _read(ratios)
        dates, codes = np.unique(values.index.to_numpy(), return_inverse=True)
        order = np.argsort(codes, kind="stable")
        parts = np.split(np.log(values.to_numpy())[order], np.cumsum(np.bincount(codes))[:-1])
        return cls(
            horizon=require(horizon, Horizon, "horizon", "such as rm.MONTH"),
            source=require(source, str, "source"),
            dates=pd.DatetimeIndex(dates),
            by_date=tuple(parts),
            measured=None,
            lag=require_count(overlap, "overlap"),
        )

    @classmethod
    def _of_quantiles(cls, quantiles: Quantiles, horizon: Horizon, source: str) -> Self:
        """Make it of quantiles that were measured before."""
        return cls(horizon, source, pd.DatetimeIndex([]), (), quantiles, 0)

    def after(self, measured: VolatilityRatios) -> Self:
        """Return these ratios with a range that starts from others, in place of these ratios' own first dates.

        Parameters
        ----------
        measured : VolatilityRatios
            Of more dates, such as `recommended_ratios`, at the same horizon.

        Raises
        ------
        HorizonMismatchError
            For another horizon.
        """
        require(measured, VolatilityRatios, "measured", "such as rm.recommended_ratios(portfolio)")
        require_same(self.horizon, measured.horizon, "ratios and those that they start from")
        start = measured._measured or Quantiles.of(measured._by_date)
        return evolve(self, measured=start, source="; ".join(filter(None, (self.source, measured.source))))

    def __repr__(self) -> str:
        span = f" ({self._dates[0].date()} to {self._dates[-1].date()})" if len(self._dates) else ""
        before = "" if self._measured is None else f"{self._measured.dates:,} measured before, "
        return f"<VolatilityRatios {before}{len(self._dates):,} dates{span}, one {self.horizon} ahead>"

    def range(self, level: float = 0.95) -> tuple[float, float]:
        """Return the range of the next ratio of realised over forecast volatility.

        Parameters
        ----------
        level : float
            Probability with which it is in the range, between 0 and 1.

        Raises
        ------
        NotEstimatedError
            For fewer dates than the range starts from: 19, and 39 for a level of 0.95.
        """
        *_, last = self._walk(require_probability(level, "level"))
        return last

    def ranges(self, level: float = 0.95) -> pd.DataFrame:
        """Return the range that was known on each date after the first ones, and how many ratios were in it.

        Parameters
        ----------
        level : float
            As in `range`.

        Returns
        -------
        DataFrame, index dates
            Columns ``low`` and ``high``, and ``inside``, the share of the date's portfolios in the range.
        """
        ends = list(self._walk(require_probability(level, "level")))[:-1]
        # of a date on which the first outcomes were not all over, nothing was known
        at = slice(len(self._dates) - len(ends) + self._lag, None)
        rows = [
            (*known, float(np.mean((known[0] <= x) & (x <= known[1]))))
            for known, x in zip(ends[self._lag :], map(np.exp, self._by_date[at]), strict=True)
        ]
        return pd.DataFrame(rows, self._dates[at], ["low", "high", "inside"])

    def forecast(self, portfolio: Portfolio, level: float = 0.95) -> Interval:
        """Return the range of the volatility that a portfolio will realise, from its model's forecast.

        Parameters
        ----------
        portfolio : Portfolio
            In a model of the estimator whose ratios these are, fitted to returns up to today.
        level : float
            Probability with which the realised volatility is in the range.

        Returns
        -------
        Interval
            Per the portfolio's horizon. `Interval.estimate` is the model's volatility, `Interval.std_error` half the
            range that two outcomes in three are in, and `Interval.of` the next month (or what `horizon` is).

        Examples
        --------
        >>> import riskmodel as rm
        >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"], start="2008-01-01")
        >>> history = rm.Rolling(rm.YEAR, every=rm.MONTH).fit(panel)
        >>> book = {"KO": 0.5, "XOM": 0.5}
        >>> ratios = rm.VolatilityRatios.of(history.hedged(book).ratios()["hedged"])
        >>> hedged = rm.HedgedPortfolio.neutral(rm.Strategy(book, history.asof("2018-11-30")))
        >>> print(ratios.forecast(hedged, level=0.7), ratios.forecast(hedged, level=0.7).of)
        0.00626 [0.00503, 0.00856] next month
        """
        volatility = float(require_portfolio(portfolio, "portfolio").volatility)
        return self._around(volatility, require_probability(level, "level"))

    # -- parts -------------------------------------------------------------------------------------

    def _around(self, volatility: float, level: float) -> Interval:
        low, high = self.range(level)
        least, most = self.range(_ONE_DEVIATION)
        of = NEXT_MONTH if self.horizon == MONTH else Estimand(f"next {self.horizon}")
        return Interval(volatility, volatility * 0.5 * (most - least), volatility * low, volatility * high, level, of)

    def _walk(self, level: float) -> Iterator[tuple[float, float]]:
        """The range before each date after the first ones, and the range now."""
        half = 0.5 * (1.0 - level)
        start, later = self._start(level)
        low, high = math.log(start.low(half)), math.log(start.high(half))
        step = self._step(start)
        misses: list[tuple[float, float]] = []
        known = 0
        for ratios in later:
            yield math.exp(min(low, high)), math.exp(max(low, high))
            misses.append((half - float(np.mean(ratios < low)), half - float(np.mean(ratios > high))))
            for below, above in misses[known : max(len(misses) - self._lag, known)]:
                low, high, known = low + step * below, high - step * above, known + 1
        for below, above in misses[known:]:
            low, high = low + step * below, high - step * above
        yield math.exp(min(low, high)), math.exp(max(low, high))

    def _start(self, level: float) -> tuple[Quantiles, tuple[Array, ...]]:
        """What a range starts from, and the dates after it."""
        if self._measured is not None:
            return self._measured, self._by_date
        needed = max(FEWEST, math.ceil(2.0 / (1.0 - level) - 1e-9) - 1)
        if len(self._by_date) < needed:
            raise NotEstimatedError(
                f"expected {needed} dates or more for a level of {level:g}, got {len(self._by_date)}; use more dates, "
                "or lower the level.",
                dates=len(self._by_date),
                minimum=needed,
                level=level,
            )
        return Quantiles.of(self._by_date[:needed]), self._by_date[needed:]

    def _step(self, start: Quantiles) -> float:
        half = 0.5 * (1.0 - _ONE_DEVIATION)
        return _STEP * 0.5 * math.log(start.high(half) / start.low(half))


@final
@frozen(eq=False)
class Quantiles:
    """Quantiles of ratios.

    Attributes
    ----------
    probabilities, values : array, shape (P,)
        Increasing.
    dates : int
        On how many the ratios were measured.
    """

    probabilities: Array
    values: Array
    dates: int

    @classmethod
    def of(cls, by_date: tuple[Array, ...]) -> Self:
        """Of log ratios by date: each date has the same mass, and as much is outside."""
        values = np.concatenate(by_date)
        mass = np.concatenate([np.full(len(x), 1.0 / len(x)) for x in by_date]) / (len(by_date) + 1.0)
        unique, codes = np.unique(values, return_inverse=True)
        return cls(np.cumsum(np.bincount(codes, mass)), np.exp(unique), len(by_date))

    def low(self, probability: float) -> float:
        """A value that the next one is below with at most this probability."""
        at = int(np.searchsorted(self.probabilities, probability + 1e-9, side="right")) - 1
        return self._value(at, probability)

    def high(self, probability: float) -> float:
        """A value that the next one is above with at most this probability."""
        return self._value(int(np.searchsorted(self._reached, 1.0 - probability - 1e-9)), probability)

    @cached_property
    def _reached(self) -> Array:
        return self.probabilities

    def _value(self, at: int, probability: float) -> float:
        if not 0 <= at < len(self.values):
            raise NotEstimatedError(
                f"expected quantiles that reach a probability of {probability:g}, got {self.dates} dates; lower the "
                "level.",
                dates=self.dates,
                probability=probability,
            )
        return float(self.values[at])


def _read(ratios: Any) -> pd.Series[float]:
    """Finite numbers above 0 by date, or raise."""
    if not isinstance(ratios, pd.Series) or not len(ratios):
        got = "an empty one" if isinstance(ratios, pd.Series) else type(ratios).__name__
        raise _no_ratios(f"a Series by date, got {got}", ratios)
    index = ratios.index
    if isinstance(index, pd.MultiIndex) and "date" in index.names:
        index = index.get_level_values("date")
    if not isinstance(index, pd.DatetimeIndex) or index.hasnans:
        raise _no_ratios(
            "a Series by date, or with an index of which one level is named 'date', got other labels", ratios
        )
    try:
        values = np.asarray(ratios, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise _no_ratios("numbers, got others", ratios) from error
    if not (np.isfinite(values) & (values > 0)).all():
        raise _no_ratios("finite numbers above 0, got others; dropna() leaves out what is not known", ratios)
    return pd.Series(values, index.tz_localize(None))


def _no_ratios(expected: str, got: Any) -> InvalidParameterError:
    return InvalidParameterError(f"expected ratios as {expected}.", parameter="ratios", got=got)
