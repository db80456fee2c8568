"""Equal-weighted cosines: long-run errors with exact critical values."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, final

import numpy as np
from attrs import field, frozen

from riskmodel._core.arguments import require_count
from riskmodel._core.arrays import Array, set_read_only
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance, squares
from riskmodel.inference.covariance.hc3 import HC3
from riskmodel.inference.estimand import THIS_WINDOW, Estimand

# Of a column beyond the span of the others, less than this is rounding.
_DEPENDENT = 1e-8


def cosine_number(n: Array | float) -> Array:
    """The number of cosines for n dates, max(4, 0.41 n^(2/3)) rounded down [Lazarus et al. 2018]."""
    return np.asarray(np.maximum(4.0, np.floor(0.41 * np.asarray(n, dtype=np.float64) ** (2.0 / 3.0) + 1e-9)))


def _require_number(_: Any, __: Any, number: Any) -> None:
    if number is not None:
        require_count(number, "number", 1)


@final
@frozen
class Cosine(LongRunCovariance):
    r"""Equal-weighted cosines where a figure is about the long run, and HC3 where it is about this window.

    For means, alphas and Sharpe ratios: :math:`\Omega = \frac1B \sum_{j \le B} \Lambda_j^2` with
    :math:`\Lambda_j = \sqrt{2/T} \sum_t \psi_t \cos(\pi j (t - 1/2) / T)` and :math:`B = \max(4, 0.41\, T^{2/3})`. A
    sum over its standard error then has a t distribution with B degrees of freedom, so that intervals cover also where
    few cosines leave much noise in the variance [1]_. For betas, shares and volatilities as averages over the window,
    dates are uncorrelated given the path of volatility, and HC3 is right.

    Where weights of dates decay, or dates are missing, time runs as fast as the variance of the terms adds up, and the
    cosines are made orthogonal to the estimate, and to its mean, over the dates that it uses.

    Parameters
    ----------
    number : int, optional
        B; by default as above.

    References
    ----------
    .. [1] Lazarus, E., Lewis, D. J., Stock, J. H. and Watson, M. W. (2018). HAR Inference: Recommendations for
       Practice. *Journal of Business & Economic Statistics* 36(4), 541-559.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> inference = rm.Inference.of(model, panel, rm.Cosine())
    >>> inference.std_errors().loc["MSFT"].round(4).to_dict()
    {'alpha': 0.0002, 'Mkt-RF': 0.0264}
    """

    leverage_power = 1.0

    number: int | None = field(default=None, validator=_require_number)

    def of_sums(self, terms: DateTerms) -> Array:
        """Average the squares of B cosine transforms."""
        x = terms.by_date
        if terms.amplitude.ndim == 1:
            return _averaged(x, terms.amplitude, int(np.max(self._numbers(terms))))
        each = zip(
            x.reshape(-1, *x.shape[-2:]),
            terms.amplitude.reshape(-1, x.shape[-1]),
            np.broadcast_to(self._numbers(terms), x.shape[:-2]).reshape(-1),
            strict=True,
        )
        return np.reshape([_averaged(a, b, int(c)) for a, b, c in each], (*x.shape[:-1], x.shape[-2]))

    def about(self, estimand: Estimand) -> LongRunCovariance:
        """Return this about the long run, and HC3 about this window."""
        return HC3() if estimand is THIS_WINDOW else self

    def degrees_of_freedom(self, terms: DateTerms) -> Array | float:
        """B, the number of cosines."""
        return self._numbers(terms)

    def _numbers(self, terms: DateTerms) -> Array:
        return cosine_number(terms.n) if self.number is None else np.full(np.shape(terms.n), float(self.number))


def _averaged(by_date: Array, amplitude: Array, b: int) -> Array:
    """Return the covariance of sums from b cosine transforms, shape (..., M, M)."""
    there = amplitude > 0
    a = amplitude[there] / amplitude.max(initial=0.0)
    basis = _equal(len(a), b) if (a == 1.0).all() else _deformed(a, b)
    transforms = (by_date[..., there] / a) @ basis
    return np.asarray(squares(transforms) / basis.shape[1] * (a @ a))


@lru_cache(maxsize=64)
def _equal(t: int, b: int) -> Array:
    """Cosines of T dates, orthonormal, shape (T, B)."""
    angles = np.pi * np.outer((np.arange(t) + 0.5) / t, np.arange(1, min(b, t - 1) + 1))
    return set_read_only(np.cos(angles) * np.sqrt(2.0 / t))


def _deformed(a: Array, b: int) -> Array:
    """Cosines in the time of the variance, orthonormal, and orthogonal to the amplitude and to a constant."""
    a2 = a * a
    clock = (np.cumsum(a2) - 0.5 * a2) / a2.sum()
    waves = np.cos(np.pi * np.outer(clock, np.arange(1, b + 1))) * a[:, None]
    # an estimate is the sum with the amplitude, and its own mean was taken from every date
    columns = np.column_stack([a, np.ones(len(a)), waves])
    q, r = np.linalg.qr(columns / np.linalg.norm(columns, axis=0))
    keep = np.abs(np.diag(r)) > _DEPENDENT
    keep[:2] = False
    return np.asarray(q[:, keep])
