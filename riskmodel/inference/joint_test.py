"""A test that several numbers are all zero, from a quadratic form of them."""

from __future__ import annotations

from typing import Self, final

import numpy as np
from attrs import evolve, frozen

from riskmodel._core.arguments import require_finite
from riskmodel._core.arrays import Array
from riskmodel._core.listing import Listed
from riskmodel.errors import NotEstimatedError
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.covariance.cosine import Cosine, cosine_number

# Cosines for each number of a joint test: fewer leave their covariance too noisy.
_COSINES = 4


@final
@frozen
class JointTest(Listed):
    """A test that several numbers are all zero.

    Attributes
    ----------
    statistic : float
        Value of the test statistic.
    pvalue : float
        Probability, if all are zero, of a statistic at least as large.
    degrees : tuple of float
        Degrees of freedom: of an F distribution if there are two, of a chi-squared if there is one.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> alphas = rm.Inference.of(rm.OLS().fit(panel), panel).alphas()
    >>> round(alphas.joint().pvalue, 3)
    0.248
    """

    statistic: float
    pvalue: float
    degrees: tuple[float, ...]

    @classmethod
    def of_f(cls, statistic: float, first: float, second: float) -> Self:
        """The test of a statistic with an F distribution; `InvalidParameterError` for what is no finite number."""
        from scipy import special  # noqa: PLC0415 - slow to import

        value = require_finite(statistic, "statistic")
        degrees = require_finite(first, "first"), require_finite(second, "second")
        return cls(value, float(special.fdtrc(*degrees, value)), degrees)

    @classmethod
    def of_chi_squared(cls, statistic: float, degrees: float) -> Self:
        """The test of a statistic with a chi-squared distribution; `InvalidParameterError` as in `of_f`."""
        from scipy import special  # noqa: PLC0415 - slow to import

        value, degree = require_finite(statistic, "statistic"), require_finite(degrees, "degrees")
        return cls(value, float(special.chdtrc(degree, value)), (degree,))


def f_of_quadratic_form(statistic: float, n: int, degrees: float) -> JointTest:
    """Return Hotelling's test of n numbers, from the degrees of freedom of their covariance; raise where too few."""
    left = degrees - n + 1.0
    if left < 1.0:
        raise _too_many(n, degrees)
    return JointTest.of_f(statistic * left / (degrees * n), n, left)


def quadratic_form(numbers: Array, covariance: Array, degrees: float) -> float:
    """Return x'V⁻¹x, or raise where V has no inverse."""
    try:
        return float(numbers @ np.linalg.solve(covariance, numbers))
    except np.linalg.LinAlgError as error:
        raise _too_many(len(numbers), degrees) from error


def with_enough_cosines(covariance: LongRunCovariance, terms: DateTerms) -> LongRunCovariance:
    """Return the covariance with four cosines or more for each number, where it has cosines of a number not given."""
    if not isinstance(covariance, Cosine) or covariance.number is not None:
        return covariance
    n, t = len(terms.by_date), terms.by_date.shape[1]
    return evolve(covariance, number=int(min(max(cosine_number(terms.n), _COSINES * n), t - 1)))


def _too_many(n: int, degrees: float) -> NotEstimatedError:
    return NotEstimatedError(
        f"expected fewer assets than the {degrees:g} degrees of freedom of their covariance, got {n}; test fewer, or "
        "portfolios of them.",
        n_assets=n,
        degrees=degrees,
    )
