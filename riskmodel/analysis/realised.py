"""The volatility that a model says, beside the one that the returns had."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arguments import require, require_count, require_probability
from riskmodel._core.arrays import Array, Flags, Index, floats
from riskmodel._core.listing import Listed
from riskmodel.errors import NotEstimatedError
from riskmodel.inference.bounds import RootOfVariance, Spread, Symmetric
from riskmodel.inference.covariance.base import DateTerms
from riskmodel.inference.covariance.cosine import Cosine
from riskmodel.inference.estimand import THIS_WINDOW
from riskmodel.inference.inference import Inference
from riskmodel.inference.interval import Interval
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.gaps import FewestReturns
from riskmodel.portfolio.portfolio import Portfolio, require_known, require_portfolio
from riskmodel.quantities import Volatility

# Pairs are looked for among so many holdings: those with the largest idio risk.
_MOST_ASSETS = 2_000
# Residual covariances that change a volatility by less than this share are not worth a warning.
_MATERIAL = 0.1


@final
@frozen(eq=False, repr=False)
class RealisedRisk(Listed):
    r"""A portfolio's volatility by its model beside the one that its returns had, and why they differ.

    A model with K factors takes residuals as uncorrelated, but for those it links. What it leaves out of the variance
    of a portfolio is :math:`\sum_{i \ne j} w_i w_j \mathrm{cov}(\varepsilon_i, \varepsilon_j)`: where names of one
    industry are hedged with the market alone, this is most of the risk that is left. For least squares on the panel's
    dates, model and realised variance differ by exactly this.

    Made by `of`. All figures are per the model's horizon.

    Attributes
    ----------
    portfolio : Portfolio
        What is measured.
    panel : ReturnPanel
        The returns behind it.
    level : float
        Probability with which each interval covers.

    Notes
    -----
    The interval of the realised volatility is that of a variance over the window, from its own fourth moments with
    Hall's correction for skewness. The model's is from `Inference` where this knows it; otherwise it has the same
    width, relative to the volatility, as the realised one.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["XOM", "CVX", "RRC"], ["Mkt-RF"])
    >>> oil = rm.Strategy({"XOM": 0.4, "CVX": 0.4, "RRC": 0.2}, rm.OLS().fit(panel))
    >>> risk = rm.RealisedRisk.of(rm.HedgedPortfolio.neutral(oil), panel)
    >>> risk
    <RealisedRisk: model 0.00862 [0.00841, 0.00889], realised 0.0118 [0.0114, 0.0123], per day; they differ>
    >>> risk.pairs(2).round(2)
                     correlation  share
    asset with
    XOM   CVX           0.70   0.22
    CVX   RRC           0.35   0.13
    """

    portfolio: Portfolio
    panel: ReturnPanel
    level: float
    returns: pd.Series[float]

    @classmethod
    def of(cls, portfolio: Portfolio, panel: ReturnPanel, level: float = 0.95) -> Self:
        """Compare a portfolio's model with the returns of a panel.

        Parameters
        ----------
        portfolio : Portfolio
            A `Strategy` or a `HedgedPortfolio`.
        panel : ReturnPanel
            As for `Portfolio.excess_returns`; usually the one that the model was estimated on.
        level : float
            Probability with which each interval covers, between 0 and 1.

        Raises
        ------
        TooFewObservationsError
            For fewer than two dates on which all that is held has returns.
        InvalidParameterError
            For a level that is no probability.
        HorizonMismatchError, UnknownAssetError, UnknownFactorError
            As for `Portfolio.excess_returns`.
        """
        require(panel, ReturnPanel, "panel", "of a panel on disk or a cluster, take select(...)")
        returns = require_portfolio(portfolio, "portfolio").excess_returns(panel)
        require_known(returns)
        return cls(portfolio, panel, require_probability(level, "level"), returns)

    def __repr__(self) -> str:
        verdict = "they differ" if self.differs else "within their errors"
        return f"<RealisedRisk: model {self.model}, realised {self.realised}, per {self.portfolio.horizon}; {verdict}>"

    # -- the two volatilities ----------------------------------------------------------------------

    @property
    def n_dates(self) -> int:
        """How many dates count: those on which all that is held has returns."""
        return len(self._known)

    @property
    def n_missing(self) -> int:
        """How many dates of the panel are left out."""
        return len(self.returns) - self.n_dates

    @cached_property
    def realised(self) -> Interval:
        """The volatility of the returns, with ddof 1."""
        r = self._known
        squares = (r - r.mean()) ** 2
        variance = float(squares.sum()) / (len(r) - 1)
        error, low, high = RootOfVariance(variance).ends(_spread(squares), self.level)
        return Interval(float(np.sqrt(variance)), error, low, high, self.level, THIS_WINDOW)

    @cached_property
    def model(self) -> Interval:
        """The volatility of the model."""
        own, other = 0.0 if self.portfolio.is_riskless else float(self.portfolio.volatility), self.realised
        try:
            table = Inference.of(self.portfolio.model, self.panel).table(self.portfolio, self.level)
            error, low, high = floats(table.loc["volatility", ["std_error", "low", "high"]]).tolist()
        except NotEstimatedError:
            ratio = own / other.estimate if other.estimate > 0 else 1.0
            error, low, high = (ratio * end for end in (other.std_error, other.low, other.high))
        return Interval(own, error, low, high, self.level, THIS_WINDOW)

    @property
    def ratio(self) -> float:
        """Realised over model volatility; infinite for a risk that the model does not see, NaN for no risk at all."""
        if self._is_riskless:
            return np.nan
        return self.realised.estimate / self.model.estimate if self.model.estimate > 0 else np.inf

    @property
    def differs(self) -> bool:
        """Whether the two differ by more than errors of estimation allow.

        Their intervals have no point in common; or residual covariances are not zero at the level, and change the
        volatility by a tenth or more. The second sees more, as errors that both have on the same dates cancel.
        """
        if self._is_riskless:
            return False
        apart = self.realised.low > self.model.high or self.realised.high < self.model.low
        return apart or self._misses_residuals

    # -- why they differ ---------------------------------------------------------------------------

    @cached_property
    def variance(self) -> pd.Series[float]:
        """The realised variance by what explains it, return² per the model's horizon.

        ``model``, ``residual covariance`` (between different assets, beyond what the model links), ``proxies`` where
        others stand in for some assets, whose residuals are those of their peers, and ``other``: other dates, or other
        weights of dates, than those of the model. The sum is the realised variance.
        """
        model, realised = float(self.portfolio.volatility) ** 2, self.realised.estimate**2
        between = self._between
        parts = {"model": model, "residual covariance": between}
        if self._proxied:
            parts["proxies"] = self._of_proxies
        parts["other"] = realised - sum(parts.values())
        return pd.Series(parts, name="variance")

    @property
    def fewest(self) -> FewestReturns | None:
        """The asset held with the fewest returns, because of which dates are left out; None where each has all."""
        return FewestReturns.held(self.portfolio.weights, self.panel)

    @property
    def model_on_these_dates(self) -> Volatility:
        """The volatility of least squares on the dates that count: what is realised without residual covariance.

        Where dates are left out, the model's own is of more of them, so the two differ for that reason alone.
        """
        variance = max(self.realised.estimate**2 - self._between - self._of_proxies, 0.0)
        return Volatility(float(np.sqrt(variance)), self.portfolio.horizon)

    @property
    def is_of_dates(self) -> bool:
        """Whether at least half of the difference of variances is of dates that are left out.

        Of a model whose dates count alike; others differ from what was realised for their weights of dates.
        """
        lacks_dates = bool(self.n_missing) and self.portfolio.model._counts_dates_alike
        return lacks_dates and self._explains(self.variance["other"])

    @property
    def is_of_proxies(self) -> bool:
        """Whether at least half of the difference of variances is of assets that others stand in for."""
        return self._explains(self._of_proxies)

    @property
    def is_of_residuals(self) -> bool:
        """Whether at least half of the difference of variances is residual covariance."""
        return self._explains(self._between)

    def _explains(self, part: float) -> bool:
        """Whether a part of the realised variance is at least half of its difference from the model's."""
        difference = self.realised.estimate**2 - float(self.portfolio.volatility) ** 2
        return bool(part / difference >= 0.5) if difference else False

    def pairs(self, n: int = 10) -> pd.DataFrame:
        r"""Return the pairs of holdings whose residuals add most to the difference, or take most away.

        Parameters
        ----------
        n : int
            At most so many pairs.

        Returns
        -------
        DataFrame
            By pair of assets: ``correlation`` of the residuals, and ``share`` of the realised variance,
            :math:`2 w_i w_j (\mathrm{cov}(\varepsilon_i, \varepsilon_j) - c_{ij}) / s^2` with what the model links
            as c. Of more than 2,000 holdings, pairs are among the 2,000 with the most idio risk.
        """
        most, held = require_count(n, "n"), self._largest
        missing = held.missing()
        rows, columns = np.triu_indices(len(missing), k=1)
        values = 2.0 * missing[rows, columns]
        sign = 1.0 if self._between >= 0 else -1.0
        order = np.argsort(-sign * values, kind="stable")[:most]
        order = order[sign * values[order] > 0]
        rows, columns = rows[order], columns[order]
        index = pd.MultiIndex.from_arrays([held.names[rows], held.names[columns]], names=["asset", "with"])
        table = {"correlation": held.correlation(rows, columns), "share": values[order] / self.realised.estimate**2}
        return pd.DataFrame(table, index)

    # -- parts -------------------------------------------------------------------------------------

    @cached_property
    def _known(self) -> Array:
        return require_known(self.returns)

    @cached_property
    def _is_riskless(self) -> bool:
        p = self.portfolio
        return p.is_riskless and p.is_rounding(Volatility(self.realised.estimate, p.horizon))

    @cached_property
    def _misses_residuals(self) -> bool:
        """Whether residual covariances beyond the model's links are certain, and matter."""
        own = float(self.portfolio.volatility) ** 2
        with_them = max(own + self._between, 0.0)
        matter = abs(np.sqrt(with_them) - np.sqrt(own)) > _MATERIAL * np.sqrt(own)
        spread = _spread(self._residuals.products)
        _, low, high = Symmetric(self._between).ends(spread, self.level)
        return bool(matter and (low > 0.0 or high < 0.0))

    @cached_property
    def _residuals(self) -> _Residuals:
        every = self.portfolio.weights
        # assets that others stand in for have no residuals of their own
        return self._residuals_of(every[(every != 0) & ~every.index.isin(self._proxied)])

    def _residuals_of(self, weights: pd.Series[float]) -> _Residuals:
        p = self.portfolio
        held = p._held if len(weights) == len(p.weights) else p.model.restrict(weights.index.to_list())
        return _Residuals.of(held, floats(weights), self.panel, np.asarray(self.returns.notna()))

    @property
    def _proxied(self) -> list[Any]:
        """The assets held that others stand in for."""
        weights = self.portfolio.weights
        return [asset for asset in weights.index[weights != 0] if asset in self.portfolio.model._proxies]

    @cached_property
    def _of_proxies(self) -> float:
        """What residuals of proxied assets, which are those of peers, add to the variance beyond their idio risk."""
        if not self._proxied:
            return 0.0
        weights = self.portfolio.weights
        own, every = self._residuals.total, self._residuals_of(weights[weights != 0]).total
        idio = floats(self.portfolio.model.idio_variance[self._proxied]) @ floats(weights[self._proxied]) ** 2
        return float(np.var(every, ddof=1) - np.var(own, ddof=1) - idio)

    @property
    def _largest(self) -> _Residuals:
        return self._residuals.largest(_MOST_ASSETS)

    @cached_property
    def _between(self) -> float:
        return self._residuals.between


def _spread(by_date: Array) -> Spread:
    """The spread of a mean over dates."""
    n = len(by_date)
    terms = DateTerms((by_date - by_date.mean())[None] / n, np.ones(n), float(n), 1)
    return Spread.of(terms, Cosine().about(THIS_WINDOW))


@final
@frozen(eq=False)
class _Residuals:
    """Weighted residuals w ε about their mean, T × N, and the weighted links of the model, N × J."""

    names: pd.Index[Any]
    signs: Array
    values: Array
    links: Array

    @classmethod
    def of(cls, model: FactorModel, weights: Array, panel: ReturnPanel, rows: Flags) -> Self:
        e = model.residuals(panel).to_numpy()[rows] * weights
        links = model.links.to_numpy() * weights[:, None]
        return cls(model.assets, np.sign(weights), e - e.mean(axis=0), links)

    def largest(self, most: int) -> Self:
        """Those of so many assets with the most idio risk, in their order."""
        if len(self.names) <= most:
            return self
        at = np.sort(np.argsort(-np.square(self.values).sum(axis=0), kind="stable")[:most])
        return type(self)(self.names[at], self.signs[at], self.values[:, at], self.links[at])

    @property
    def total(self) -> Array:
        """By date, the sum of the residuals."""
        return np.asarray(self.values.sum(axis=1))

    @property
    def products(self) -> Array:
        """By date, the products of the residuals of all pairs of different assets."""
        return np.asarray(self.total**2 - np.square(self.values).sum(axis=1))

    @property
    def between(self) -> float:
        """The sum of `missing` over all pairs of different assets."""
        n = len(self.values) - 1
        linked = float(np.square(self.links.sum(axis=0)).sum() - np.square(self.links).sum())
        return float(self.products.sum()) / n - linked

    def missing(self) -> Array:
        """Covariances of the weighted residuals less those that the model links, N × N."""
        return np.asarray(self.values.T @ self.values / (len(self.values) - 1) - self.links @ self.links.T)

    def correlation(self, rows: Index, columns: Index) -> Array:
        """Correlations of the residuals of pairs of assets; NaN where one does not vary."""
        lengths = np.sqrt(np.square(self.values).sum(axis=0))
        scale, x = lengths[rows] * lengths[columns], self.values
        products = np.array([x[:, i] @ x[:, j] for i, j in zip(rows, columns, strict=True)], dtype=np.float64)
        products *= self.signs[rows] * self.signs[columns]
        unknown = np.full(len(scale), np.nan)
        return np.asarray(np.divide(products, scale, where=scale > 0, out=unknown))
