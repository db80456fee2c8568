"""Ordinary least squares, asset by asset, in one piece of algebra."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen
from scipy import linalg

from riskmodel import labels
from riskmodel.covariance import Array
from riskmodel.errors import CollinearFactorsError, ConstantFactorError, TooFewObservationsError
from riskmodel.estimators.base import Estimator
from riskmodel.model import FactorModel
from riskmodel.moments import Moments, smallest_singular_value

# Factors whose smallest singular value, relative to unit columns, is below this are one too many.
_COLLINEAR = 1e-10
# The same over one asset's own dates, judged by eigenvalues, which are squares.
_COLLINEAR_GRAM = 1e-12
# A factor whose deviations from its mean are this small beside the mean is that mean and rounding.
_CONSTANT = 1e-12


@final
@frozen
class OLS(Estimator):
    r"""Time-series regressions :math:`r_i = \alpha_i + \beta_i^\top f + \varepsilon_i`, one for each asset.

    Each asset is estimated on its own dates; E f and F on all dates of the panel. Variances have ddof 1, the
    residual one included: :math:`\hat\sigma^2_i = RSS_i / (T_i - 1)`, so that for an asset that is there on all dates
    total = B F B' + idio exactly. Standard errors use the unbiased :math:`RSS_i / (T_i - K - 1)` and assume
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

    def estimate(self, moments: Moments) -> FactorModel:
        """Solve the least-squares problems that the moments hold."""
        _require_identified(moments)
        m, at = moments, moments.pattern
        n = m.n_observations.astype(float)
        explained = m.fitted_squares()
        total = explained + m.rss
        # f = 0 in the orthonormal basis, seen from each pattern's mean
        zero = _to_basis(m, -m.origin) - m.q_mean
        alpha = m.r_mean + np.einsum("nk,nk->n", m.coefficients, zero[at])
        unit = _unit_errors(m, zero)
        sigma = np.sqrt(m.rss / (n - len(m.factors) - 1))
        dates = m.n_dates - 1
        return FactorModel(
            assets=m.assets,
            factors=m.factors,
            alpha=alpha,
            loadings=_from_basis(m, m.coefficients),
            factor_mean=m.factor_mean,
            factor_covariance=m.factor_root.T @ m.factor_root / dates,
            idio_variance=m.rss / (n - 1),
            total_variance=total / (n - 1),
            rsquared=np.divide(explained, total, where=total > 0, out=np.full(len(total), np.nan)),
            std_errors=unit[at] * sigma[:, None],
            n_observations=m.n_observations,
            risk_free_mean=m.risk_free_mean,
            horizon=m.horizon,
            sources=m.sources,
            funded=m.funded,
        )


def _from_basis(m: Moments, coefficients: Array) -> Array:
    """Loadings on f from coefficients on q = (f - o) A⁻¹: β = A⁻¹ γ."""
    if not len(m.factors):
        return coefficients
    return np.asarray(linalg.solve_triangular(m.basis, coefficients.T, lower=False).T)


def _to_basis(m: Moments, f: Array) -> Array:
    """Express a point f - o as q."""
    if not len(m.factors):
        return f
    return np.asarray(linalg.solve_triangular(m.basis, f, trans="T", lower=False))


def _unit_errors(m: Moments, zero: Array) -> Array:
    """Standard errors of alpha and the loadings for σ = 1, by pattern, shape (P, K + 1)."""
    k = len(m.factors)
    used = np.bincount(m.pattern, minlength=len(m.count)) > 0
    out = np.full((len(m.count), k + 1), np.nan)
    if not k:
        out[used, 0] = 1.0 / np.sqrt(m.count[used])
        return out
    inverse = np.linalg.inv(m.q_gram[used])
    turn = linalg.solve_triangular(m.basis, np.eye(k), lower=False)
    out[used, 0] = 1.0 / m.count[used] + np.einsum("pi,pij,pj->p", zero[used], inverse, zero[used])
    out[used, 1:] = np.einsum("ki,pij,kj->pk", turn, inverse, turn, optimize=True)
    return np.asarray(np.sqrt(out))


def _require_identified(m: Moments) -> None:
    k = len(m.factors)
    few = m.n_observations < k + 2
    if few.any() or m.n_dates < k + 2:
        counts = {a: int(n) for a, n in zip(m.assets[few], m.n_observations[few], strict=True)}
        raise TooFewObservationsError(
            f"{k + 1} parameters (alpha and {k} loadings) need at least {k + 2} observations, but "
            f"{labels.listing(f'{a} has {n}' for a, n in counts.items()) or f'there are {m.n_dates} dates'}; leave "
            "these assets out, widen the window or use fewer factors.",
            counts=counts,
        )
    _require_varied_factors(m)
    _require_own_dates_suffice(m)


def _require_varied_factors(m: Moments) -> None:
    lengths = np.sqrt((m.factor_root * m.factor_root).sum(axis=0))
    constant = lengths <= _CONSTANT * np.sqrt(m.n_dates) * np.abs(m.factor_mean)
    if constant.any():
        names = list(m.factors[constant])
        raise ConstantFactorError(
            f"a factor must vary, but {labels.listing(names)} is constant over the panel's dates and cannot be "
            "told from alpha; leave it out.",
            factors=names,
        )
    if smallest_singular_value(m.factor_root) < _COLLINEAR:
        names = _collinear(m.factor_root / lengths, m.factors)
        raise CollinearFactorsError(
            f"factors must not be linear combinations of each other, but {labels.listing(names)} are; leave one "
            "of them out.",
            factors=names,
        )


def _collinear(root: Array, factors: pd.Index[Any]) -> list[object]:
    """The factors that take part in a combination that vanishes."""
    _, s, vt = np.linalg.svd(root)
    null = np.abs(vt[s < _COLLINEAR]).max(axis=0)
    return list(factors[null > 1e-3 * null.max()])


def _require_own_dates_suffice(m: Moments) -> None:
    """Factors that vary over the panel may still not vary enough over one asset's few dates."""
    if not len(m.factors):
        return
    used = np.unique(m.pattern)
    lowest = np.linalg.eigvalsh(m.q_gram[used])[:, 0] / np.trace(m.q_gram[used], axis1=1, axis2=2)
    lost = used[lowest < _COLLINEAR_GRAM]
    if len(lost):
        names = list(m.assets[np.isin(m.pattern, lost)])
        raise CollinearFactorsError(
            f"the factors do not vary independently over the dates of {labels.listing(names)}; leave these assets "
            "out, widen the window or use fewer factors.",
            assets=names,
        )
