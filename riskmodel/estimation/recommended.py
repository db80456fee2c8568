"""The assembly with the best record."""

from __future__ import annotations

from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.assembled import Assembled
from riskmodel.estimation.base import Estimator
from riskmodel.estimation.blend import Blend
from riskmodel.estimation.factor_covariance.pooled import PooledCovariance
from riskmodel.estimation.idio_variance.linked import Linked
from riskmodel.estimation.idio_variance.pooled import PooledVariance
from riskmodel.estimation.idio_variance.short_histories import ShortHistoryVariance
from riskmodel.estimation.idio_variance.shrunk import ShrunkVariance, TotalVariance
from riskmodel.estimation.level import HalfLives, PooledVolatility
from riskmodel.estimation.loadings.at_most import AtMost
from riskmodel.estimation.loadings.base import LoadingsEstimator
from riskmodel.estimation.loadings.components import PrincipalComponents
from riskmodel.estimation.loadings.hybrid import Hybrid
from riskmodel.estimation.loadings.short_histories import ShortHistories
from riskmodel.estimation.recent import RecentVolatility
from riskmodel.estimation.second_order import SecondOrderAdjusted
from riskmodel.horizon import DAY, Horizon, require_horizon

# Three speeds of exposures, and how much each weighs.
_SPEEDS = HalfLives([None, Horizon(125), Horizon(60)], [0.4, 0.3, 0.3])
# Fewer returns than this lean on a prior.
_SHORT = 60


def recommended(horizon: Horizon = DAY, observed: LoadingsEstimator | None = None) -> Estimator:
    r"""Return the assembly with the best record in the study, for panels of daily rows.

    The forecasts are for the next days to a month. Its parts, inside out:

    * ten principal components (`PrincipalComponents`) of returns over their own volatility, on dates weighted by the
      inverse of the market-wide variance, so that calm and wild days count alike;
    * factor and idio variances whose level is a mixture of half-lives, pooled over factors and over assets
      (`PooledCovariance`, `PooledVariance`);
    * idio variances shrunk by a fifth to the cross-section's share of total variance (`ShrunkVariance`);
    * assets with fewer than 60 returns lean on the others (`ShortHistories`, `ShortHistoryVariance`), and the model's
      `prior` says which;
    * names whose residuals correlate by a half or more, such as share classes, share a factor (`Linked`);
    * three speeds of exposures blended (`Blend`): the whole window, half-lives of 125 and 60 days;
    * each asset's volatility moved towards its recent one (`RecentVolatility`);
    * the variance of the minimum-variance portfolio raised by what estimation error takes (`SecondOrderAdjusted`).

    About 500 rows are best; the how-to page on comparing risk models has the study's tables.

    Parameters
    ----------
    horizon : Horizon
        The span of the panel's rows: ``rm.DAY``. Half-lives of days say nothing of longer rows, which are refused.
    observed : LoadingsEstimator, optional
        Factors that you observe, such as ``rm.TimeSeries(rm.OLS())``; the principal components are then those of what
        these leave. By default all factors are statistical, and the panel needs none.

    Raises
    ------
    InvalidParameterError
        For a horizon beyond a day.

    Examples
    --------
    >>> import riskmodel as rm
    >>> provider = rm.SampleData()
    >>> panel = provider.panel(list(provider.assets), [], start="2016-12-01")
    >>> model = rm.recommended().fit(panel)
    >>> volatility = rm.Strategy({"KO": 0.5, "PEP": 0.5}, model).volatility.at(rm.YEAR)
    >>> 0.05 < float(volatility) < 0.25
    True
    """
    require_horizon(horizon)
    if horizon.days > DAY.days:
        raise InvalidParameterError(
            f"expected rows of a day or less, got {horizon!r}, for which nothing was measured; assemble the parts with "
            "half-lives of your own.",
            parameter="horizon",
            got=horizon,
        )
    members = [_member(half_life, observed) for half_life in _SPEEDS.half_lives]
    blend = Blend(members, _SPEEDS.weights)
    # 1.5 times N/T made the minimum-variance portfolios of 150 and of 390 stocks unbiased before 2010
    return SecondOrderAdjusted(RecentVolatility(blend), _SPEEDS, 1.5)


def _member(half_life: Horizon | None, observed: LoadingsEstimator | None) -> Assembled:
    """One speed of exposures."""
    components = PrincipalComponents(AtMost(10), half_life, level_half_life=Horizon(21), largest=8.0)
    loadings = components if observed is None else Hybrid(observed, components)
    own = ShrunkVariance(PooledVariance(), 0.2, unit=TotalVariance())
    return Assembled(
        ShortHistories(loadings, _SHORT),
        PooledCovariance(PooledVolatility(half_life=Horizon(126))),
        Linked(ShortHistoryVariance(own, _SHORT)),
    )
