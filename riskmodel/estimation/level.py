"""The level of volatility of a cross-section, through time and now."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from attrs import field, frozen

from riskmodel._core.arguments import shown
from riskmodel._core.arrays import Array
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.mixture import read_list, require_shares_of
from riskmodel.estimation.weighting import (
    decay,
    effective_number,
    require_half_life,
    require_instance,
    require_share,
    weighted_mean,
)
from riskmodel.horizon import Horizon

# A level below this share of the mean level is a row of prices that did not move.
_STILL = 1e-4


def mean_squares(scaled: Array) -> Array:
    """The mean over columns of squares, by row, shape (T,); NaN for a row without any."""
    known = ~np.isnan(scaled)
    count = known.sum(axis=1)
    sums = np.einsum("tn,tn->t", *[np.where(known, scaled, 0.0)] * 2)
    return np.asarray(np.divide(sums, count, out=np.full(len(scaled), np.nan), where=count > 0))


def market_of(factor_returns: Array) -> int:
    """The column of the factor that moves most, which is taken for the market."""
    return int(np.argmax((factor_returns**2).sum(axis=0)))


def smoothed(squares: Array, half_life: Horizon, horizon: Horizon) -> Array:
    """Exponentially weighted mean through each row of T squares, of which some may be NaN; always above 0."""
    keep = 0.5 ** (1.0 / half_life.in_units_of(horizon))
    known = ~np.isnan(squares)
    level, total = np.empty(len(squares)), np.empty(len(squares))
    numerator = denominator = 0.0
    for t, (value, is_known) in enumerate(zip(np.where(known, squares, 0.0), known, strict=True)):
        numerator, denominator = keep * numerator + value, keep * denominator + is_known
        level[t], total[t] = numerator, denominator
    level = np.divide(level, total, out=np.zeros_like(level), where=total > 0)
    mean = float(level.mean())
    return np.maximum(level, _STILL * mean) if mean > 0 else np.ones_like(level)


def _require_half_lives(_: Any, __: Any, half_lives: tuple[Any, ...]) -> None:
    if not half_lives or not all(h is None or isinstance(h, Horizon) for h in half_lives):
        raise InvalidParameterError(
            f"expected half_lives as horizons, such as (rm.Horizon(4), rm.Horizon(32), None), got {shown(half_lives)}.",
            parameter="half_lives",
            got=half_lives,
        )


@final
@frozen
class HalfLives(Listed):
    """A mixture of exponential weights: volatility has a fast part, a slow part, and a level to which it returns.

    One half-life is either slow after a shock or noisy in calm times; a mixture of a few is close to the long memory
    that volatility has ([1]_, with averages over a day, a week and a month).

    Parameters
    ----------
    half_lives : sequence of Horizon or None
        In trading days; None weights all dates alike.
    weights : sequence of float
        Of each, 0 or more; they sum to 1.

    References
    ----------
    .. [1] Corsi, F. (2009). A Simple Approximate Long-Memory Model of Realized Volatility. *Journal of Financial
       Econometrics* 7(2), 174-196.

    Examples
    --------
    >>> import riskmodel as rm
    >>> mixture = rm.HalfLives([rm.Horizon(4), rm.Horizon(32), None], [0.45, 0.35, 0.20])
    >>> mixture.dates(3, rm.DAY).round(3)
    array([0.306, 0.332, 0.362])
    """

    half_lives: tuple[Horizon | None, ...] = field(converter=read_list, validator=_require_half_lives)
    weights: tuple[float, ...] = field(converter=read_list, validator=require_shares_of("half_lives"))

    def inverse_number(self, t: int, horizon: Horizon) -> float:
        """The mean over the mixture of one over the effective number of T dates."""
        ones = np.ones((t, 1))
        numbers = [float(effective_number(decay(t, h, horizon), ones)[0]) for h in self.half_lives]
        return sum(w / n for w, n in zip(self.weights, numbers, strict=True))

    def dates(self, t: int, horizon: Horizon) -> Array:
        """Weights of T dates, oldest first, shape (T,), with sum 1."""
        parts = [decay(t, h, horizon) for h in self.half_lives]
        return np.asarray(sum(w * p / p.sum() for w, p in zip(self.weights, parts, strict=True)))


@final
@frozen
class PooledVolatility(Listed):
    r"""Volatilities of a cross-section that rise and fall together.

    The variance of a series is what it is of the cross-section, which changes slowly, times the level of the
    cross-section, which changes fast. One level from many series is known better than many levels: on daily returns of
    150 large stocks, pooling takes a seventh off the loss of forecasts for minimum-variance portfolios.

    With :math:`z_{it} = x_{it} / s_i` for the root mean squares s, the pool :math:`p_t = \frac1N \sum_i z_{it}^2`, its
    smoothed level :math:`l_t` and the weights w of `half_life`,

    .. math:: \sigma_i^2 = s_i^2 \frac{\sum_t w_t z_{it}^2 / l_t}{\sum_t w_t p_t / l_t} \, \lambda ,

    where :math:`\lambda` is the mixture `levels` of the pool, of which the share `follow` is the same mixture of the
    market's squares (over their mean).

    Parameters
    ----------
    half_life : Horizon
        Of relative variances, in trading days.
    levels : HalfLives
        The mixture that forecasts the level.
    follow : float
        The market's share in the level, 0 to 1.
    smoothing : Horizon
        Half-life of the level of past dates, by which past squares are divided, in trading days.

    References
    ----------
    .. [1] Connor, G., Korajczyk, R. A. and Linton, O. (2006). The Common and Specific Components of Dynamic
       Volatility. *Journal of Econometrics* 132(1), 231-255.

    Examples
    --------
    >>> import riskmodel as rm
    >>> pooled = rm.PooledVolatility(rm.QUARTER, follow=0.25)
    >>> fitted = rm.TimeSeries(rm.OLS()).fit(rm.SampleData().panel(["KO", "PEP", "XOM"], ["Mkt-RF"]))
    >>> rm.PooledVariance(pooled).fit(fitted.residuals, fitted)
    <IdioRisk 3 assets, per day>
    """

    half_life: Horizon = field(default=Horizon(84), validator=require_half_life)
    levels: HalfLives = field(
        default=HalfLives([Horizon(4), Horizon(32), None], [0.50, 0.35, 0.15]),
        validator=require_instance(HalfLives, "rm.HalfLives([rm.WEEK, rm.QUARTER], [0.5, 0.5])"),
    )
    follow: float = field(default=0.5, validator=require_share)
    smoothing: Horizon = field(default=Horizon(21), validator=require_half_life)

    def level(self, values: Array, horizon: Horizon) -> Array:
        """The level of each date over the mean level, shape (T,), of values of shape (T, N); NaN where missing."""
        return smoothed(_pool(values), self.smoothing, horizon)

    def variances(self, values: Array, market: Array, horizon: Horizon) -> Array:
        """The variance of each column now, shape (N,).

        Parameters
        ----------
        values : array, shape (T, N)
            Factor returns or residuals, decimals per `horizon`; NaN where missing.
        market : array, shape (T,)
            Returns of the market, none missing.
        horizon : Horizon
            The span of one row.
        """
        pool = _pool(values)
        level = smoothed(pool, self.smoothing, horizon)
        relative = decay(len(values), self.half_life, horizon)
        own = weighted_mean(values**2 / level[:, None], relative)
        reference = _mean(pool / level, relative)
        return np.asarray(own / reference * self._now(pool, market**2, horizon)) if reference > 0 else own

    def _now(self, pool: Array, market: Array, horizon: Horizon) -> float:
        """λ, from squares of the cross-section and of the market."""
        weights = self.levels.dates(len(pool), horizon)
        usual = float(market.mean())
        follow = self.follow if usual > 0 else 0.0
        return (1.0 - follow) * _mean(pool, weights) + follow * float(weights @ market) / (usual or 1.0)


def _mean(values: Array, weights: Array) -> float:
    return float(weighted_mean(values[:, None], weights)[0])


def _pool(values: Array) -> Array:
    """The mean over columns of squares over their mean, by row, shape (T,); a column of zeros is no part of it."""
    squares = weighted_mean(values**2, np.ones(len(values)))
    return mean_squares(values / np.sqrt(np.where(squares > 0, squares, np.nan)))
