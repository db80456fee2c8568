"""Tails of simulated returns: those of a panel's dates, through today's holdings."""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
import pandas as pd
from attrs import frozen
from scipy import special

from riskmodel._core.arrays import Array
from riskmodel.analysis.tails.base import TailMethod, require_arguments, require_returns
from riskmodel.analysis.tails.row_sums import Draws, RowSums
from riskmodel.analysis.tails.sources import Sources
from riskmodel.analysis.tails.tail import Ends
from riskmodel.horizon import Horizon
from riskmodel.inference.covariance.base import DateTerms
from riskmodel.inference.covariance.hac import HAC
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.portfolio import Portfolio

# A share of a whole observation below this is rounding.
_ROUNDING = 1e-9


class Simulation(TailMethod):
    r"""Returns of a panel's dates, as they were or rescaled, through today's holdings (abstract). One hook: `sources`.

    Value at risk is an order statistic of the losses, and expected shortfall the mean of the worst 1 - level ([1]_,
    equation 12). Contributions to the shortfall are mean losses on its dates. Those to value at risk are means over the
    dates around it, with the weights of Harrell and Davis ([2]_, section 2), scaled to add up.

    The interval of value at risk is between two order statistics, by the binomial distribution; its standard error is
    that of [3]_. The standard error of the shortfall is of the losses beyond value at risk ([4]_, theorem 3), and its
    interval that of a t distribution with as many degrees of freedom as losses beyond, less one. It covers a little
    less than it says where these are few (normal returns, 90 %: 0.87 for 5 losses). Both take rows as independent;
    where sums overlap, T/h of them are.

    Attributes
    ----------
    sums : RowSums
        How rows make the horizon.

    References
    ----------
    .. [1] Acerbi, C. and Tasche, D. (2002). On the coherence of expected shortfall. *Journal of Banking & Finance*
       26(7), 1487-1503.
    .. [2] Harrell, F. E. and Davis, C. E. (1982). A new distribution-free quantile estimator. *Biometrika* 69(3),
       635-640.
    .. [3] Maritz, J. S. and Jarrett, R. G. (1978). A Note on Estimating the Variance of the Sample Median. *Journal of
       the American Statistical Association* 73(361), 194-196.
    .. [4] Chen, S. X. (2008). Nonparametric Estimation of Expected Shortfall. *Journal of Financial Econometrics* 6(1),
       87-107.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> both: list[rm.Simulation] = [rm.HistoricalSimulation(), rm.FilteredHistoricalSimulation()]
    >>> [round(float(simulation.of(held, panel, 0.99).expected_shortfall), 3) for simulation in both]
    [0.069, 0.056]
    """

    if TYPE_CHECKING:

        @property
        def sums(self) -> RowSums:
            """How rows make the horizon."""

    @abstractmethod
    def sources(self, portfolio: Portfolio, panel: ReturnPanel) -> Sources:
        """Return the returns of what is held by row, rescaled or not.

        Parameters
        ----------
        portfolio : Portfolio
            What is held.
        panel : ReturnPanel
            Returns until today.
        """

    @final
    def tail(self, portfolio: Portfolio, panel: ReturnPanel | None, level: float, horizon: Horizon) -> SimulatedTail:
        """Return the tail of the sums of rows."""
        require_arguments(portfolio, panel, level, horizon)
        known = require_returns(panel, self)
        sources = self.sources(portfolio, known)
        return SimulatedTail(sources, self.sums.draws(sources.at, horizon.in_units_of(known.horizon)), level)


@final
@frozen(eq=False)
class SimulatedTail:
    """The tail of D draws."""

    sources: Sources
    draws: Draws
    level: float

    @cached_property
    def value_at_risk(self) -> float:
        """The smallest loss that at least a share `level` of the draws does not exceed."""
        return float(self._sorted[self._rank - 1])

    @cached_property
    def expected_shortfall(self) -> float:
        """The mean of the worst 1 - level of the draws."""
        return float(self._tail_weights @ self._losses)

    @property
    def by_factor(self) -> pd.DataFrame:
        """Contributions by factor and idio."""
        return self._contributions(self.sources.factors, self.sources.factor_names)

    @property
    def by_asset(self) -> pd.DataFrame:
        """Contributions by holding."""
        return self._contributions(self.sources.assets, self.sources.asset_names)

    def ends(self, confidence: float) -> tuple[Ends, Ends]:
        """Order statistics for value at risk, and a t interval for the shortfall, infinite where no loss is beyond."""
        z = float(special.ndtri(0.5 + confidence / 2.0))
        beyond = max(self.draws.independent * (1.0 - self.level) - 1.0, 1.0)
        shortfall = _symmetric(
            self.expected_shortfall, self._shortfall_error, float(special.stdtrit(beyond, 0.5 + confidence / 2.0))
        )
        if not self._excess.any() and self._sorted[0] < self._sorted[-1]:
            shortfall = Ends(np.inf, -np.inf, np.inf)
        if self.draws.are_random:
            return _symmetric(self.value_at_risk, self._resampled_error(self._beyond_over_density), z), shortfall
        low, high = self._order_statistics(confidence)
        return Ends(self._quantile_error, low, high), shortfall

    def probability(self, value: float) -> float:
        """The share of draws of at most a value."""
        return float(np.mean(self._losses >= -value))

    # -- the order of losses -----------------------------------------------------------------------

    @cached_property
    def _losses(self) -> Array:
        return -self.draws.sums(self.sources.returns)

    @cached_property
    def _sorted(self) -> Array:
        return np.sort(self._losses)

    @property
    def _rank(self) -> int:
        """The rank of value at risk among the losses, from 1."""
        n = len(self._losses)
        return min(max(int(np.ceil(n * self.level - _ROUNDING)), 1), n)

    @cached_property
    def _tail_weights(self) -> Array:
        """The weight of each draw in the shortfall, shape (D,)."""
        n = len(self._losses)
        worst = n * (1.0 - self.level)
        whole = int(np.floor(worst + _ROUNDING))
        by_rank = np.zeros(n)
        by_rank[n - whole :] = 1.0
        if whole < n:
            by_rank[n - whole - 1] = max(worst - whole, 0.0)
        return self._in_order(by_rank / by_rank.sum())

    @cached_property
    def _quantile_by_rank(self) -> Array:
        """Harrell's and Davis's weight of each rank around the quantile, shape (D,)."""
        n, m = len(self._losses), self.draws.independent
        a, b = self.level * (m + 1.0), (1.0 - self.level) * (m + 1.0)
        return np.diff(special.betainc(a, b, np.arange(n + 1) / n))

    def _in_order(self, by_rank: Array) -> Array:
        """Weights by rank, in the order of the draws."""
        found = np.empty_like(by_rank)
        found[np.argsort(self._losses, kind="stable")] = by_rank
        return found

    # -- contributions -----------------------------------------------------------------------------

    def _contributions(self, by_row: Array, names: pd.Index) -> pd.DataFrame:
        around = self._in_order(self._quantile_by_rank)
        mean = float(around @ self._losses)
        scale = self.value_at_risk / mean if mean else 0.0
        return pd.DataFrame(
            {
                "value_at_risk": scale * self._expected_loss(by_row, around),
                "expected_shortfall": self._expected_loss(by_row, self._tail_weights),
            },
            names,
        )

    def _expected_loss(self, by_row: Array, weights: Array) -> Array:
        return np.asarray(-self.draws.by_row(weights, len(by_row)) @ by_row)

    # -- errors ------------------------------------------------------------------------------------

    def _order_statistics(self, confidence: float) -> tuple[float, float]:
        """The losses between which the quantile is; infinite where no loss is large or small enough to say."""
        from scipy import stats  # noqa: PLC0415 - slow to import

        n, m = len(self._sorted), max(int(self.draws.independent), 1)
        of = stats.binom(m, self.level)
        below, above = float(of.ppf(0.5 - confidence / 2.0)), float(of.ppf(0.5 + confidence / 2.0))
        low, high = math.floor(below / m * n), math.ceil((above + 1.0) / m * n)
        return (
            float(self._sorted[low - 1]) if low >= 1 else -np.inf,
            float(self._sorted[high - 1]) if high <= n else np.inf,
        )

    @property
    def _quantile_error(self) -> float:
        w = self._quantile_by_rank
        return math.sqrt(max(float(w @ self._sorted**2 - (w @ self._sorted) ** 2), 0.0))

    @property
    def _shortfall_error(self) -> float:
        if self.draws.are_random:
            return self._resampled_error(self._excess)
        deviations = self._excess - self._excess.mean()
        n = len(deviations)
        terms = DateTerms((deviations / n)[None], np.ones(n), float(n), 1)
        return float(np.sqrt(HAC(2 * (self.draws.rows.shape[1] - 1)).of_sums(terms)[0, 0]))

    @property
    def _excess(self) -> Array:
        """Losses beyond value at risk over 1 - level; the shortfall is value at risk and their mean."""
        return np.maximum(self._losses - self.value_at_risk, 0.0) / (1.0 - self.level)

    @property
    def _beyond_over_density(self) -> Array:
        """Whether each loss is beyond value at risk, over the density there."""
        half = (1.0 - self.level) / 2.0
        low, high = np.quantile(self._losses, [self.level - half, self.level + half])
        return np.asarray((self._losses > self.value_at_risk) * ((high - low) / (2.0 * half)))

    def _resampled_error(self, values: Array) -> float:
        r"""The standard error of a mean over draws of rows: that of the rows, and that of drawing.

        The infinitesimal jackknife, :math:`\sum_t \mathrm{cov}(m_t, v)^2` with the number of times that a draw has row
        t, less its bias by finitely many draws (Wager, Hastie and Efron 2014, Journal of Machine Learning Research 15,
        equation 7).
        """
        n, (d, h) = len(self.sources.at), self.draws.rows.shape
        deviations = values - values.mean()
        covariances = np.bincount(self.draws.rows.ravel(), np.repeat(deviations, h), minlength=n) / d
        variance = float(np.mean(deviations**2))
        bias = n * (h / n) * (1.0 - 1.0 / n) * variance / d
        return float(np.sqrt(max(float(covariances @ covariances) - bias, 0.0) + variance / d))


def _symmetric(estimate: float, error: float, z: float) -> Ends:
    return Ends(error, estimate - z * error, estimate + z * error)
