"""The model's hedge beside the regression's, with the errors of both."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import evolve, frozen

from riskmodel._core.arguments import require_probability
from riskmodel._core.arrays import Array, floats
from riskmodel._core.listing import Listed
from riskmodel.inference.bounds import Spread, Symmetric
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.covariance.cosine import Cosine
from riskmodel.inference.estimand import THIS_WINDOW
from riskmodel.model.instruments import HeldInstruments
from riskmodel.panel.memory import ReturnPanel, returns_on
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.hedging.regression import ReturnRegression
from riskmodel.portfolio.hedging.verdict import MATERIAL, volatility_with
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio

# Parameters are those of least squares on the panel where they agree to this share.
_SAME = 1e-6
# Beyond this leverage, residuals divided by one less it are rounding.
_MOST_LEVERAGE = 1.0 - 1e-6


@final
@frozen(eq=False, repr=False)
class HedgeComparison(Listed):
    r"""The minimum-variance hedge of a model beside that of a regression, with standard errors and intervals.

    They agree where the model is right about what residuals have in common. With one factor, a fund of an industry
    looks to the model like the market with noise, and its hedge is a fraction of what the returns say.

    Made by `of`. Standard errors allow for variances that change and for autocorrelation (`Cosine`). Of a model that is
    least squares on this panel, errors of both hedges are counted on the same dates, so what they share cancels in
    their difference; other models' hedges are taken as given numbers, with NaN as their standard errors.

    Attributes
    ----------
    strategy : Portfolio
        What is hedged.
    level : float
        Probability with which each interval covers.

    Notes
    -----
    The model's hedge solves :math:`\Sigma_{Is} + \Sigma_{II} h = 0`. With returns r about their mean and residuals ε of
    least squares, date t adds :math:`-\Sigma_{II}^{-1} (r^I_t r^p_t - \varepsilon^I_t \varepsilon^p_t + \sum_i a_i p_i
    \varepsilon_{it}^2) / T` to its error, for instruments I of holdings a and the hedged portfolio of holdings p, with
    residuals over one less their date's leverage.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["XOM", "CVX"], ["Mkt-RF"])
    >>> xom = rm.Strategy({"XOM": 1.0}, rm.OLS().fit(panel))
    >>> comparison = rm.HedgeComparison.of(xom, ["CVX"], panel)
    >>> comparison.differs
    True
    >>> comparison.volatilities().round(4)
                 model  realised
    unhedged    0.0152    0.0152
    model       0.0137    0.0104
    regression  0.0149    0.0085
    >>> comparison.table()[["model", "model std_error", "regression", "regression std_error"]].round(3)
                model  model std_error  regression  regression std_error
    instrument
    CVX        -0.414            0.022      -0.787                 0.013
    """

    strategy: Portfolio
    level: float
    _held: HeldInstruments
    _panel: ReturnPanel
    _regression: ReturnRegression
    _covariance: LongRunCovariance
    _model: Array

    @classmethod
    def of(cls, strategy: Portfolio, instruments: Sequence[Any], panel: ReturnPanel, level: float = 0.95) -> Self:
        """Compare the two hedges in some instruments.

        Parameters
        ----------
        strategy : Portfolio
            What is hedged.
        instruments : sequence of labels or portfolios of assets
            As of `HedgedPortfolio.minimum_variance`.
        panel : ReturnPanel
            At the model's horizon; usually the one that the model was fitted on.
        level : float
            Probability with which each interval covers, between 0 and 1.

        Raises
        ------
        InvalidParameterError, UnknownAssetError, SingularCovarianceError, TooFewObservationsError
            As `HedgedPortfolio.minimum_variance` and `HedgedPortfolio.regression`.

        Warns
        -----
        MissingDatesWarning
            Where dates without a return are left out.
        """
        chosen = require_probability(level, "level")
        held = HeldInstruments.read(instruments, require_portfolio(strategy, "strategy").model)
        regression = ReturnRegression.of(strategy, held, panel)
        ours = held.least_variance(floats(strategy.exposures), strategy.weights)
        return cls(
            strategy,
            chosen,
            held,
            panel,
            regression,
            Cosine().about(THIS_WINDOW),
            ours,
        )

    def __repr__(self) -> str:
        ours, theirs = (volatility_with(self._regression, h) for h in (self._model, self._seen))
        verdict = "they differ" if self.differs else "within their errors"
        return (
            f"<HedgeComparison: realised volatility {ours:.3g} with the model's hedge, {theirs:.3g} with the "
            f"regression's, per {self.strategy.horizon}; {verdict}>"
        )

    @property
    def model(self) -> HedgedPortfolio:
        """The strategy with the model's hedge."""
        return HedgedPortfolio(self.strategy, self._held.hedge(self._model))

    @property
    def regression(self) -> HedgedPortfolio:
        """The strategy with the regression's hedge."""
        return HedgedPortfolio(self.strategy, self._held.hedge(self._seen))

    @property
    def differs(self) -> bool:
        """Whether the hedges differ by more than both allow, and it matters.

        A joint test of all differences rejects at the level, and the model's hedge realises a volatility larger by a
        tenth or more.
        """
        own, least = volatility_with(self._regression, self._model), volatility_with(self._regression, self._seen)
        return bool(own > MATERIAL * least and self._is_rejected)

    def table(self) -> pd.DataFrame:
        """Return both hedges by instrument.

        Returns
        -------
        DataFrame
            Columns ``model`` and ``regression`` (dollars per dollar of strategy), each followed by ``std_error``,
            ``low`` and ``high`` of the same name, and ``difference`` (model less regression) with the same.
        """
        ours, theirs = self._model_terms, self._regression_terms
        apart = theirs if ours is None else ours.minus(theirs)
        columns: dict[str, Array] = {}
        parts = {"model": (self._model, ours), "regression": (self._seen, theirs)}
        for name, (values, terms) in (parts | {"difference": (self._model - self._seen, apart)}).items():
            columns[name] = values
            columns |= {f"{name} {what}": ends for what, ends in self._ends(values, terms).items()}
        return pd.DataFrame(columns, self._held.labels.rename("instrument"))

    def volatilities(self) -> pd.DataFrame:
        """Return the volatilities with each hedge, per the model's horizon.

        Returns
        -------
        DataFrame, rows ``unhedged``, ``model``, ``regression``; columns ``model``, ``realised``
            By the model, and on the dates of the regression.
        """
        hedges = {"unhedged": 0.0 * self._model, "model": self._model, "regression": self._seen}
        rows = {
            name: (
                float(HedgedPortfolio(self.strategy, self._held.hedge(h)).volatility),
                volatility_with(self._regression, h),
            )
            for name, h in hedges.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=["model", "realised"])

    # -- parts -------------------------------------------------------------------------------------

    @property
    def _seen(self) -> Array:
        return -self._regression.slopes

    def _ends(self, values: Array, terms: DateTerms | None) -> dict[str, Array]:
        names = ["std_error", "low", "high"]
        if terms is None:
            return {name: np.full(len(values), np.nan) for name in names}
        ends = [
            Symmetric(float(v)).ends(Spread.of(evolve(terms, by_date=terms.by_date[[j]]), self._covariance), self.level)
            for j, v in enumerate(values)
        ]
        return dict(zip(names, np.array(ends).T, strict=True))

    @cached_property
    def _is_rejected(self) -> bool:
        from scipy import special  # noqa: PLC0415 - slow to import

        ours, theirs = self._model_terms, self._regression_terms
        terms = theirs if ours is None else ours.minus(theirs)
        covariance, apart = self._covariance.of_sums(terms), self._model - self._seen
        m, degrees = len(apart), float(np.asarray(self._covariance.degrees_of_freedom(terms)))
        wald = float(apart @ np.linalg.pinv(covariance, hermitian=True) @ apart) / m
        return bool(special.fdtrc(m, degrees, wald) < 1.0 - self.level)

    @cached_property
    def _regression_terms(self) -> DateTerms:
        r = self._regression
        leverage = np.minimum(r.leverage, _MOST_LEVERAGE)
        errors = r.residuals / (1.0 - leverage) ** self._covariance.leverage_power
        n = len(r.returns)
        return DateTerms(-r.influence * errors, np.ones(n), float(n), len(r.slopes) + 1)

    @cached_property
    def _model_terms(self) -> DateTerms | None:
        """What each date adds to the errors of the model's hedge; None where it is not least squares on these dates."""
        hedged = self.model
        weights = hedged.weights[hedged.weights != 0]
        names = weights.index.union(self._held.holdings.index, sort=False)
        own = self.strategy.model.restrict(names.to_list())
        factors = returns_on(self._panel, own.definitions, slice(None))[self._regression.known]
        values = self._panel.select(names, []).arrays()[0][self._regression.known]
        if own.links.shape[1] or not np.isfinite(values).all() or not np.isfinite(factors).all():
            return None
        f, b = factors - factors.mean(axis=0), floats(own.loadings)
        e = values - values.mean(axis=0) - f @ b.T
        if not _is_least_squares(f, e, floats(own.factor_covariance), floats(own.idio_variance)):
            return None
        a = floats(self._held.holdings.reindex(names, fill_value=0.0))
        p = floats(weights.reindex(names, fill_value=0.0))
        n, spare = len(e), 1.0 - np.minimum(_leverage(f), _MOST_LEVERAGE)
        wide = e / spare[:, None] ** self._covariance.leverage_power
        instruments, portfolio = f @ self._held.loadings.T, f @ floats(hedged.exposures)
        moments = instruments * portfolio[:, None] + instruments * (wide @ p)[:, None] + (wide @ a) * portfolio[:, None]
        moments += (e * e / spare[:, None] * p) @ a
        terms = -np.asarray(self._held.solve((moments - moments.mean(axis=0)).T)) / (n - 1)
        return DateTerms(terms, np.ones(n), float(n), b.shape[1] + 1)


def _leverage(f: Array) -> Array:
    """Diagonal of the hat matrix of a constant and factors about their mean."""
    q = np.linalg.qr(f)[0] if f.shape[1] else f
    return np.asarray(1.0 / len(f) + np.square(q).sum(axis=1))


def _is_least_squares(f: Array, e: Array, covariance: Array, idio: Array) -> bool:
    """Whether parameters are those of least squares on these dates with equal weights."""
    n, k = f.shape
    if n <= k + 1:
        return False
    orthogonal = np.abs(f.T @ e) <= _SAME * np.outer(np.linalg.norm(f, axis=0), np.linalg.norm(e, axis=0))
    variance = np.square(e).sum(axis=0) / (n - 1)
    return bool(
        orthogonal.all()
        and np.allclose(f.T @ f / (n - 1), covariance, rtol=_SAME, atol=0.0)
        and np.allclose(variance, idio, rtol=_SAME, atol=_SAME * float(idio.max(initial=0.0)))
    )
