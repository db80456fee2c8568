"""A covariance that knows that optimisers find its errors."""

from __future__ import annotations

from typing import final

import numpy as np
from attrs import evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array
from riskmodel.errors import EstimationError, SingularCovarianceError
from riskmodel.estimation.base import Estimator, require_panel
from riskmodel.estimation.level import HalfLives
from riskmodel.estimation.weighting import require_instance, require_positive
from riskmodel.model.covariance import FactorCovariance
from riskmodel.model.lineage import Lineage
from riskmodel.model.model import FactorModel
from riskmodel.panel.base import Panel
from riskmodel.panel.factors import PortfolioFactor


@final
@frozen
class SecondOrderAdjusted(Estimator):
    r"""The variance of the minimum-variance portfolio raised by what estimation error takes from it.

    A portfolio that is optimised on an estimated covariance looks safer than it is, because the optimiser picks what
    is estimated too low. For N assets and T dates the realised variance is about :math:`1 + 2N/T` times the estimated
    one (the first order of [1]_, equation 4, whose volatility ratio is :math:`1 / (1 - N/T)`). With the fully invested
    minimum-variance portfolio g, every asset has a beta of one to g, so

    .. math:: \Sigma' = \Sigma + c \frac{N}{T} \mathrm{Var}(g) \, 1 1^\top

    raises the variance of g by that factor and leaves the covariance of everything that is hedged against g, and the
    weights of g. Long-short portfolios whose weights sum to zero keep their risk: correct that of an optimised one with
    `Portfolio.optimised_volatility`. The addition is a column of the model's `links`.

    A funded factor that is held itself, such as an index, is a unit of capital like an asset, and its variance rises
    too: so a book that is hedged with it keeps its risk. The link of asset i is then 1 less its betas to such factors,
    and the weights of g are kept but for what assets differ from these betas.

    Parameters
    ----------
    inner : Estimator
        What is adjusted.
    weights : HalfLives, optional
        The weights of dates in `inner`: T is then the effective number of dates, as the mean of 1/T over the mixture;
        by default T is the number of dates.
    multiple : float
        c, by default 2. With structure, such as factors and shrinkage, fewer errors are there to be found.

    References
    ----------
    .. [1] Shepard, P. G. (2009). Second Order Risk. arXiv:0908.2455.

    Examples
    --------
    >>> import numpy as np, riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "PEP", "XOM"], [])
    >>> inner = rm.Assembled(rm.PrincipalComponents(1), rm.SampleCovariance(), rm.SampleVariance())
    >>> before, after = inner.fit(panel).covariance, rm.SecondOrderAdjusted(inner).fit(panel).covariance
    >>> g = before.solve(np.ones(3)) / before.solve(np.ones(3)).sum()
    >>> bool(abs(after.variance(g) / before.variance(g) - (1 + 2 * 3 / len(panel.dates))) < 1e-12)
    True
    """

    inner: Estimator = field(validator=require_instance(Estimator, "rm.OLS()"))
    weights: HalfLives = field(
        factory=lambda: HalfLives([None], [1.0]), validator=require_instance(HalfLives, "rm.HalfLives([None], [1.0])")
    )
    multiple: float = field(default=2.0, validator=require_positive)

    def fit(self, panel: Panel) -> FactorModel:
        """Fit `inner`, and raise the variance of its minimum-variance portfolio.

        Raises
        ------
        EstimationError
            If the covariance of `inner` has no inverse, as with an asset that does not vary, or two that are the same;
            ``details["assets"]`` names those whose absence gives it one.
        """
        require_panel(panel)
        model = self.inner.fit(panel)
        n = len(model.assets)
        least = 1.0 / float(_solved(model.covariance).sum())
        added = self.multiple * n * self.weights.inverse_number(len(panel.dates), panel.horizon) * least
        units = np.array([f.funded and not isinstance(f, PortfolioFactor) for f in model.definitions], dtype=np.float64)
        link = np.sqrt(added) * (1.0 - model._loadings @ units)
        return evolve(
            model,
            factor_covariance=model._factor_covariance + added * np.outer(units, units),
            idio_variance=model._idio_variance + link**2,
            links=np.column_stack([model._links, link]),
            regression=None,
            lineage=Lineage.of(self, panel),
        )

    def fewest_observations(self, panel: Panel) -> int:
        """As `inner` needs."""
        return self.inner.fewest_observations(panel)


def _solved(covariance: FactorCovariance) -> Array:
    """Σ⁻¹ 1, or an error by which `fit_available` and windows leave out the assets that make it singular."""
    try:
        return np.asarray(covariance.solve(np.ones(len(covariance.assets))))
    except SingularCovarianceError as error:
        assets = list(error.details.get("assets", ()))
        raise EstimationError(
            "expected a covariance in which no portfolio is free of risk, got one that is singular by "
            f"{labels.listing(assets)}, which do not vary or repeat others; leave these assets out.",
            assets=assets,
            reason="does not vary, or repeats other assets",
        ) from error
