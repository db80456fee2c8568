"""Ordinary least squares of all assets at once."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, set_read_only
from riskmodel._core.linalg import ROUNDING, smallest_singular_value
from riskmodel.errors import CollinearFactorsError, ConstantFactorError, InvalidParameterError, TooFewObservationsError
from riskmodel.estimation.available import NOT_VARIED, TOO_FEW
from riskmodel.estimation.base import MomentEstimator, require_panel, require_spans
from riskmodel.estimation.moments.value import Moments, are_still
from riskmodel.estimation.windows.batch import fit_batch
from riskmodel.estimation.windows.loop import fit_each
from riskmodel.estimation.windows.segment import Segment
from riskmodel.estimation.windows.spans import Spans
from riskmodel.model.history import ModelHistory
from riskmodel.model.lineage import Lineage, configuration
from riskmodel.model.model import FactorModel
from riskmodel.model.regression import RegressionFit
from riskmodel.panel.base import Panel
from riskmodel.panel.memory import ReturnPanel

# Factors are collinear if the smallest singular value of their unit columns is below this.
_COLLINEAR = 1e-10
# The same over one asset's own dates, for eigenvalues, which are squares.
_COLLINEAR_GRAM = 1e-12
# A factor is constant if its deviations from the mean are below this share of the mean.
_CONSTANT = 1e-12


class LeastSquares(MomentEstimator):
    """Least squares for each asset; subclasses differ in the decay of weights.

    Subclass it and write `decay_factor`; `Rolling` and `Expanding` then estimate all windows at once.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> isinstance(rm.OLS(), rm.LeastSquares), isinstance(rm.EWMA(half_life=rm.QUARTER), rm.LeastSquares)
    (True, True)
    """

    @final
    def estimate(self, moments: Moments) -> FactorModel:
        """Solve the least-squares problems of the moments."""
        if not isinstance(moments, Moments):
            raise InvalidParameterError(
                f"expected Moments, got {type(moments).__name__}; call fit(panel), or moments(panel) first."
            )
        m, r = moments, moments.regressions.with_exact_constants()
        root = _identified_root(m)
        n = r.each(r.n_effective())
        # variances are means of squares times n/(n - 1); n is the count of dates for equal weights
        scale = n / r.each(r.weight) / (n - 1)
        explained = r.fitted_squares()
        total = explained + r.rss
        # f = 0 in the orthonormal basis, relative to each pattern's mean
        zero = np.linalg.solve(m.basis.T, -m.origin) - r.q_mean
        # the residuals of a perfectly explained return are rounding errors
        idio = np.where(r.rss <= ROUNDING * total, 0.0, r.rss)
        sigma = np.sqrt(r.rss / (n - len(m.factors) - 1))
        fit = RegressionFit(
            assets=m.assets,
            factors=m.factors,
            alpha=set_read_only(r.r_mean + r.dot(zero)),
            loadings=set_read_only(np.ascontiguousarray(r.coefficients @ np.linalg.inv(m.basis).T)),
            idio_variance=set_read_only(idio * scale),
            total_variance=total * scale,
            rsquared=_share(explained, total),
            std_errors=r.outer(sigma, _unit_errors(m, zero, root)),
            n_observations=n,
            horizon=m.horizon,
            decay_factor=1.0 if m.decay_factor is None else m.decay_factor,
        )
        return FactorModel(
            assets=m.assets,
            factors=m.factors,
            alpha=fit._alpha,
            loadings=fit._loadings,
            factor_mean=m.factor_mean,
            factor_covariance=m.factor_root.T @ m.factor_root * (m.n_effective / m.weight / (m.n_effective - 1)),
            idio_variance=fit._idio_variance,
            risk_free_mean=m.risk_free_mean,
            horizon=m.horizon,
            definitions=m.definitions,
            regression=fit,
            lineage=Lineage(configuration(self), {}, m.start, m.end, m.n_dates),
        )

    @final
    def fewest_observations(self, panel: Panel) -> int:
        """One more than the parameters, which are alpha and the loadings."""
        require_panel(panel)
        return len(panel.factors) + 2

    @final
    def windows(self, panel: ReturnPanel, spans: Spans, minimum: int) -> ModelHistory:
        """Estimate all windows at once where their ends are close together, otherwise one by one."""
        require_spans(panel, spans)
        segments = Segment.covering(spans)
        if segments is None:
            return fit_each(self.fit, panel, spans, minimum)
        return fit_batch(self, panel, spans, segments, minimum)


@final
@frozen
class OLS(LeastSquares):
    r"""Time-series regressions :math:`r_i = \alpha_i + \beta_i^\top f + \varepsilon_i`, one for each asset.

    Each asset is estimated on its own dates; E f and F on all dates of the panel. Variances have ddof 1,
    including the residual variance: :math:`\hat\sigma^2_i = RSS_i / (T_i - 1)`, so that for an asset without missing
    returns total = B F B' + idio exactly. Standard errors use the unbiased :math:`RSS_i / (T_i - K - 1)` and assume
    homoskedastic, uncorrelated errors ([1]_, section 4.3).

    References
    ----------
    .. [1] Greene, W. H. (2018). *Econometric Analysis*, 8th edition. Pearson.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils"], ["Mkt-RF", "SMB", "HML"])
    >>> model = rm.OLS().fit(panel)
    >>> model.loadings.round(2)
           Mkt-RF   SMB   HML
    BusEq    1.15  0.18 -0.54
    Utils    0.61 -0.18  0.26
    """


def _share(part: Array, whole: Array) -> Array:
    """Divide the part by the whole; NaN for 0/0."""
    with np.errstate(invalid="ignore"):
        return np.asarray(part / whole)


def _unit_errors(m: Moments, zero: Array, root: Array) -> Array:
    """Standard errors of alpha and the loadings for σ = 1, by pattern, shape (P, K + 1)."""
    turned = np.tensordot(np.linalg.inv(m.basis), root, axes=(1, 1))
    at_zero = np.einsum("jip,pi->jp", root, zero)
    alpha = 1.0 / m.regressions.weight + np.einsum("jp,jp->p", at_zero, at_zero)
    return np.asarray(np.sqrt(np.column_stack([alpha, np.einsum("kjp,kjp->pk", turned, turned)])))


def _identified_root(m: Moments) -> Array:
    """Return W with W'W = G⁻¹ by pattern, or raise where the moments do not identify the model."""
    k = len(m.factors)
    r = m.regressions
    n = r.each(r.n_effective())
    # with slow decay, rounding may make the effective number exceed the count
    few = (n <= k + 1) | (r.n_observations() <= k + 1)
    if few.any() or min(m.n_effective, m.n_dates) <= k + 1:
        counts = {a: float(f"{c:.3g}") for a, c in zip(m.assets[few], n[few], strict=True)}
        raise TooFewObservationsError(
            f"expected at least {k + 2} observations for {k + 1} parameters (alpha and {k} loadings), got "
            f"{labels.listing(f'{c:g} for {a}' for a, c in counts.items()) or f'{m.n_effective:.3g} dates'}; "
            "leave these assets out, widen the window or use fewer factors.",
            minimum=k + 2,
            assets=list(counts),
            counts=counts,
            reason=TOO_FEW,
        )
    _require_varied_factors(m)
    root = m.regressions.inverse_root()
    _require_own_dates_suffice(m, root)
    return root


def _require_varied_factors(m: Moments) -> None:
    constant = are_still(m, _CONSTANT)
    if constant.any():
        names = list(m.factors[constant])
        raise ConstantFactorError(
            f"expected factors that vary, got {labels.listing(names)}, constant over the panel's dates; leave it out.",
            factors=names,
        )
    if smallest_singular_value(m.factor_root) < _COLLINEAR:
        names = _collinear(m.factor_root / np.linalg.norm(m.factor_root, axis=0), m.factors)
        raise CollinearFactorsError(
            f"expected linearly independent factors, got {labels.listing(names)}; leave one of them out.",
            factors=names,
        )


def _collinear(root: Array, factors: pd.Index[Any]) -> list[object]:
    """The factors in a linear combination that is zero."""
    _, s, vt = np.linalg.svd(root)
    null = np.abs(vt[s < _COLLINEAR]).max(axis=0)
    return list(factors[null > 1e-3 * null.max()])


def _require_own_dates_suffice(m: Moments, root: Array) -> None:
    """Raise where the factors are collinear over the dates of an asset, though not over the panel."""
    r = m.regressions
    # below this, squares of deviations are rounding errors of the means
    still = _CONSTANT**2 * r.weight * np.einsum("pk,pk->p", r.q_mean, r.q_mean)
    # the traces of G and of its inverse bound the largest eigenvalue from above, and the smallest from below
    size, inverse = np.trace(r.q_gram, axis1=1, axis2=2), np.einsum("jip,jip->p", root, root)
    with np.errstate(invalid="ignore"):
        doubtful = np.flatnonzero(~(inverse * np.maximum(_COLLINEAR_GRAM * size, still) < 1.0))
    if not len(doubtful):
        return
    values = np.linalg.eigvalsh(r.q_gram[doubtful])
    least = np.maximum(_COLLINEAR_GRAM * values.max(axis=1, initial=0.0), still[doubtful])
    lost = doubtful[values.min(axis=1, initial=np.inf) <= least]
    if np.isin(r.pattern, lost).any():
        names = list(m.assets[np.isin(r.pattern, lost)])
        raise CollinearFactorsError(
            f"expected factors that vary independently over each asset's dates, got collinear ones over the dates of "
            f"{labels.listing(names)}; leave these assets out, widen the window or use fewer factors.",
            assets=names,
            reason=NOT_VARIED,
        )
