"""Portfolios on which forecasts are held against what happened."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core.arrays import Array
from riskmodel._core.listing import Abstract
from riskmodel._core.weights import read_weights
from riskmodel.errors import EstimationError, InvalidParameterError
from riskmodel.estimation.weighting import require_at_least, require_share
from riskmodel.evaluation.forecast import Forecast
from riskmodel.evaluation.universe import seed_of

_CONCENTRATION = 0.3


class PortfolioFamily(Abstract):
    """Portfolios of one kind, made on each date of a study from what is known then. Subclass it and write `weights`.

    Examples
    --------
    >>> import pandas as pd, riskmodel as rm
    >>> class First(rm.PortfolioFamily):
    ...     def weights(self, date, forecast):
    ...         return pd.DataFrame({"first": (forecast.assets == forecast.assets[0]).astype(float)}, forecast.assets)
    """

    @abstractmethod
    def weights(self, date: pd.Timestamp, forecast: Forecast) -> pd.DataFrame:
        """Weights of M portfolios, assets × portfolios, dollars per dollar of portfolio.

        Parameters
        ----------
        date : Timestamp
            The last date of the window; a random draw depends on it, so that all methods hold the same.
        forecast : Forecast
            Has ``assets``, the N labels, ``variances(weights)`` and ``solve(values)``; only portfolios that each method
            makes for itself use the latter two.

        Raises
        ------
        EstimationError, SingularCovarianceError
            If there is no such portfolio on this date; the study records it and goes on.
        """


def _labelled(values: Array, forecast: Forecast) -> pd.DataFrame:
    return pd.DataFrame(values, forecast.assets, [str(i) for i in range(values.shape[1])], copy=False)


@final
@frozen
class EqualWeights(PortfolioFamily):
    """All assets with the weight 1/N.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur", "Money"], ["Mkt-RF"], start="2000-01")
    >>> families = {"these": rm.EqualWeights()}
    >>> walk = rm.WalkForward({"OLS": rm.OLS()}, window=rm.Horizon(5 * 252), horizon=rm.QUARTER, portfolios=families)
    >>> walk.run(panel).summary()[["dates", "bias"]].round(2)
                   dates  bias
    family method
    these  OLS        49  1.09
    """

    def weights(self, date: pd.Timestamp, forecast: Forecast) -> pd.DataFrame:
        """One portfolio."""
        n = len(forecast.assets)
        return _labelled(np.full((n, 1), 1.0 / n), forecast)


@final
@frozen
class RandomLong(PortfolioFamily):
    """Random long-only portfolios: weights of a Dirichlet distribution with parameter 0.3, which sum to 1.

    Parameters
    ----------
    n : int
        How many.
    seed : int
        Of the random numbers; each date draws anew.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur", "Money"], ["Mkt-RF"], start="2000-01")
    >>> families = {"these": rm.RandomLong(5)}
    >>> walk = rm.WalkForward({"OLS": rm.OLS()}, window=rm.Horizon(5 * 252), horizon=rm.QUARTER, portfolios=families)
    >>> walk.run(panel).summary()[["dates", "bias"]].round(2)
                   dates  bias
    family method
    these  OLS        49  1.02
    """

    n: int = field(default=25, validator=require_at_least(1))
    seed: int = field(default=0, validator=require_at_least(0))

    def weights(self, date: pd.Timestamp, forecast: Forecast) -> pd.DataFrame:
        """`n` portfolios."""
        rng = seed_of(self.seed, date)
        return _labelled(rng.dirichlet(np.full(len(forecast.assets), _CONCENTRATION), self.n).T, forecast)


@final
@frozen
class RandomLongShort(PortfolioFamily):
    """Random long-short portfolios: normal weights less their mean, so they sum to 0; their sizes sum to 1.

    Parameters
    ----------
    n : int
        How many.
    seed : int
        Of the random numbers; each date draws anew.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur", "Money"], ["Mkt-RF"], start="2000-01")
    >>> families = {"these": rm.RandomLongShort(5)}
    >>> walk = rm.WalkForward({"OLS": rm.OLS()}, window=rm.Horizon(5 * 252), horizon=rm.QUARTER, portfolios=families)
    >>> walk.run(panel).summary()[["dates", "bias"]].round(2)
                   dates  bias
    family method
    these  OLS        49  1.05
    """

    n: int = field(default=25, validator=require_at_least(1))
    seed: int = field(default=0, validator=require_at_least(0))

    def weights(self, date: pd.Timestamp, forecast: Forecast) -> pd.DataFrame:
        """`n` portfolios."""
        if len(forecast.assets) < 2:
            raise EstimationError("a long-short portfolio needs two assets or more")
        x = seed_of(self.seed, date).normal(size=(self.n, len(forecast.assets))).T
        x -= x.mean(axis=0)
        return _labelled(x / np.abs(x).sum(axis=0), forecast)


@final
@frozen
class MinimumVariance(PortfolioFamily):
    r"""Each method's own minimum-variance portfolio, :math:`w = \Sigma^{-1} 1 / 1'\Sigma^{-1} 1`, long and short.

    The hardest test of a covariance: the portfolio holds what the method underestimates.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur", "Money"], ["Mkt-RF"], start="2000-01")
    >>> families = {"these": rm.MinimumVariance()}
    >>> walk = rm.WalkForward({"OLS": rm.OLS()}, window=rm.Horizon(5 * 252), horizon=rm.QUARTER, portfolios=families)
    >>> walk.run(panel).summary()[["dates", "bias"]].round(2)
                   dates  bias
    family method
    these  OLS        49  1.32
    """

    def weights(self, date: pd.Timestamp, forecast: Forecast) -> pd.DataFrame:
        """One portfolio."""
        w = forecast.solve(np.ones((len(forecast.assets), 1)))
        return _labelled(w / w.sum(), forecast)


@final
@frozen
class FactorPortfolios(PortfolioFamily):
    r"""Each method's own factors, as the portfolios that mimic them: :math:`D^{-1} B (B' D^{-1} B)^+`.

    Of a forecast that has no factors there are none. O(N·K²).

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur", "Money"], ["Mkt-RF"], start="2000-01")
    >>> families = {"these": rm.FactorPortfolios()}
    >>> walk = rm.WalkForward({"OLS": rm.OLS()}, window=rm.Horizon(5 * 252), horizon=rm.QUARTER, portfolios=families)
    >>> walk.run(panel).summary()[["dates", "bias"]].round(2)
                   dates  bias
    family method
    these  OLS        49  1.08
    """

    def weights(self, date: pd.Timestamp, forecast: Forecast) -> pd.DataFrame:
        """K portfolios."""
        covariance = forecast.structure
        if covariance is None or not len(covariance.factors):
            return pd.DataFrame(index=forecast.assets)
        b = covariance.loadings.to_numpy()
        # an asset without idio variance tracks its factors best, with a finite weight
        least = 1e-8 * covariance.diagonal().to_numpy()
        scaled = b / np.maximum(covariance.idio_variance.to_numpy(), least)[:, None]
        w = scaled @ np.linalg.pinv(b.T @ scaled, hermitian=True)
        held = np.abs(w).sum(axis=0) > 0
        return pd.DataFrame(w[:, held], forecast.assets, covariance.factors[held].map(str))


def _groups(groups: Any) -> Any:
    if not isinstance(groups, pd.Series) or not groups.index.is_unique:
        raise InvalidParameterError(
            "expected groups as a Series of one label for each asset, such as its sector, got "
            f"{type(groups).__name__}.",
            parameter="groups",
        )
    return groups.dropna()


@final
@frozen(eq=False)
class GroupPortfolios(PortfolioFamily):
    """Equal weights within each group of assets, such as a sector.

    Parameters
    ----------
    groups : Series
        The group of each asset; assets without one are in none.
    least : int
        Groups with fewer assets on a date have no portfolio there.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur", "Money"], ["Mkt-RF"], start="2000-01")
    >>> import pandas as pd
    >>> groups = pd.Series({"BusEq": "cyclical", "Money": "cyclical", "Utils": "defensive", "NoDur": "defensive"})
    >>> families = {"groups": rm.GroupPortfolios(groups, least=2)}
    >>> walk = rm.WalkForward({"OLS": rm.OLS()}, window=rm.Horizon(5 * 252), horizon=rm.QUARTER, portfolios=families)
    >>> walk.run(panel).summary()[["dates", "bias"]].round(2)
                   dates  bias
    family method
    groups OLS        49  1.12
    """

    groups: Any = field(converter=_groups)
    least: int = field(default=3, validator=require_at_least(1))

    def weights(self, date: pd.Timestamp, forecast: Forecast) -> pd.DataFrame:
        """A portfolio for each group that is large enough."""
        of_assets = self.groups.reindex(forecast.assets)
        counts = of_assets.value_counts()
        names = sorted(counts.index[counts >= self.least], key=str)
        return pd.DataFrame({str(g): (of_assets == g).to_numpy() / counts[g] for g in names}, forecast.assets)


def _own(weights: Any) -> pd.DataFrame:
    if isinstance(weights, pd.DataFrame):
        if not isinstance(weights.index, pd.DatetimeIndex) or not weights.index.is_monotonic_increasing:
            raise InvalidParameterError(
                "expected weights by date as a frame with increasing dates, got others; sort_index() sorts.",
                parameter="weights",
            )
        return weights.astype(np.float64).fillna(0.0)
    held = read_weights(weights, "weights", "asset")
    return held.to_frame(pd.Timestamp.min).T


@final
@frozen(eq=False)
class OwnWeights(PortfolioFamily):
    """The user's own portfolio.

    Parameters
    ----------
    weights : Series, mapping or DataFrame
        By asset, or dates × assets: on each date of the study, the last row up to it.
    covered : float
        The smallest share of the gross weight in assets that the study uses on a date; below it, there is no portfolio
        on that date. Other assets are left out without rescaling.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur", "Money"], ["Mkt-RF"], start="2000-01")
    >>> families = {"these": rm.OwnWeights({"BusEq": 0.5, "Utils": 0.5})}
    >>> walk = rm.WalkForward({"OLS": rm.OLS()}, window=rm.Horizon(5 * 252), horizon=rm.QUARTER, portfolios=families)
    >>> walk.run(panel).summary()[["dates", "bias"]].round(2)
                   dates  bias
    family method
    these  OLS        49  1.03
    """

    table: pd.DataFrame = field(converter=_own, alias="weights")
    covered: float = field(default=0.95, validator=require_share)

    def weights(self, date: pd.Timestamp, forecast: Forecast) -> pd.DataFrame:
        """One portfolio."""
        rows = self.table.loc[self.table.index <= date]
        if rows.empty:
            raise EstimationError("no weights are known yet")
        row = rows.iloc[-1]
        held = row.reindex(forecast.assets, fill_value=0.0).to_numpy(dtype=np.float64)
        gross = float(row.abs().sum())
        share = float(np.abs(held).sum()) / gross if gross > 0 else 0.0
        if share < self.covered or gross == 0:
            raise EstimationError(f"{share:.1%} of the gross weight is in assets that the study uses on this date")
        return _labelled(held[:, None], forecast)
