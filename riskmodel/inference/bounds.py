"""Ends of intervals, from an estimate and the spread of its influence function."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel._core.listing import Abstract
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.covariance.cosine import cosine_number
from riskmodel.inference.covariance.hc3 import HC3

# A variance is not below this share of its estimate.
_LEAST_SHARE = 0.05
# Below this skewness, Hall's cubic is the identity.
_SYMMETRIC = 1e-6
# Points of an ellipse at which a product is looked at.
_ANGLES = 361
# Exposures this small beside their errors, squared, are those of a hedge that leaves none.
_NEUTRAL = 1e-12
# Standard errors from zero at which a share is surely positive.
_SURE = 4.0


@final
@frozen
class Spread:
    """The standard error of an estimate, and the shape of its distribution.

    Attributes
    ----------
    std_error : float
        Standard error.
    skewness : float
        Of the influence function over √T, which is that of the estimate.
    degrees : float
        Degrees of freedom of the t distribution for linear figures.
    few : float
        Those for variances, whose errors are noisy fourth moments: at most the number of cosines.
    given_path : float
        The standard error of a variance given the path of volatility over that without it; 1 where it makes no
        difference, or is not asked for.
    """

    std_error: float
    skewness: float
    degrees: float
    few: float
    given_path: float = 1.0

    @classmethod
    def of(cls, terms: DateTerms, covariance: LongRunCovariance) -> Self:
        """Compute it of the terms of one figure."""
        error = math.sqrt(max(float(covariance.of_sums(terms)[0, 0]), 0.0))
        degrees = float(np.asarray(covariance.degrees_of_freedom(terms)))
        few = min(degrees, float(cosine_number(terms.n)))
        given = _given_path(terms) if isinstance(covariance, HC3) else 1.0
        return cls(error, _skewness(terms.by_date[0]), degrees, few, given)

    @property
    def widened(self) -> float:
        """The standard error times √(1 + skewness²), for figures with skewed errors."""
        return self.std_error * math.sqrt(1.0 + min(self.skewness**2, 1.0))


def _given_path(terms: DateTerms) -> float:
    r"""Root of the variance of a sum from successive differences, over that from squares.

    The average variance of a window is what it is given the path of volatility; terms that follow the path are no error
    of it. :math:`\tfrac12 \sum (\psi_t - \psi_{t-1})^2` leaves the path out, and is the sum of squares where there is
    none (von Neumann, J. et al. (1941). The Mean Square Successive Difference. *Annals of Mathematical Statistics*
    12(2), 153-162). Of one asset the noise of squares drowns the path; that of many assets averages out.
    """
    there = terms.amplitude > 0
    x, a = terms.by_date[0][there], terms.amplitude[there]
    both = a[1:] * a[:-1]
    squares = float(x @ x)
    if not (both.sum() > 0 and squares > 0):
        return 1.0
    steps = both @ np.diff(x / a) ** 2 / 2.0 * (a @ a) / both.sum()
    return math.sqrt(float(steps) / squares)


def _skewness(terms: Array) -> float:
    # of terms near 1, so that cubes are numbers
    size = float(np.abs(terms).max(initial=0.0))
    x = terms / size if size > 0 else terms
    second = float(x @ x)
    return float((x * x) @ x) / second**1.5 if second > 0 else 0.0


def quantile(level: float, degrees: float) -> float:
    """The two-sided critical value of a t distribution."""
    from scipy import special  # noqa: PLC0415 - slow to import

    return float(special.stdtrit(degrees, 0.5 + 0.5 * level))


class Bounds(Abstract):
    """A way to make an interval of a figure. One hook: `ends`."""

    @abstractmethod
    def ends(self, spread: Spread, level: float) -> tuple[float, float, float]:
        """Return the standard error of the figure, and the two ends at a level."""


@final
@frozen
class Symmetric(Bounds):
    """centre ± t times the standard error."""

    centre: float

    def ends(self, spread: Spread, level: float) -> tuple[float, float, float]:
        """Return the error and the ends."""
        width = quantile(level, spread.degrees) * spread.std_error
        return spread.std_error, self.centre - width, self.centre + width


@final
@frozen
class Unknown(Bounds):
    """Of a figure that is NaN."""

    def ends(self, spread: Spread, level: float) -> tuple[float, float, float]:
        """Return NaN."""
        return math.nan, math.nan, math.nan


@final
@frozen
class RootOfVariance(Bounds):
    """An interval of a variance with Hall's cubic, and its root.

    Hall, P. (1992). On the Removal of Skewness by Transformation. *Journal of the Royal Statistical Society B* 54(1),
    221-228.
    """

    variance: float

    def ends(self, spread: Spread, level: float) -> tuple[float, float, float]:
        """Return the error and the ends of the volatility."""
        if self.variance <= 0.0:
            return 0.0, 0.0, 0.0
        se, g = spread.widened * spread.given_path, spread.skewness
        t = quantile(level, spread.few)
        low = max(self.variance - se * _cubic(t, g), _LEAST_SHARE * self.variance)
        high = self.variance - se * _cubic(-t, g)
        return 0.5 * se / math.sqrt(self.variance), math.sqrt(low), math.sqrt(high)


@final
@frozen
class Skewed(Bounds):
    """An interval of a figure whose errors are skewed, with Hall's cubic as for variances."""

    centre: float

    def ends(self, spread: Spread, level: float) -> tuple[float, float, float]:
        """Return the error and the ends."""
        se, g = spread.widened * spread.given_path, spread.skewness
        t = quantile(level, spread.few)
        return se, self.centre - se * _cubic(t, g), self.centre - se * _cubic(-t, g)


@final
@frozen(eq=False)
class Product(Bounds):
    """An interval of a multiple of a product of two normal estimates, such as a square, which may be near zero.

    Added to that of `Skewed` is what curvature adds: the extremes of the product over the ellipse of its factors, less
    those of its tangent. For a square this is the square of the interval of the root.

    Attributes
    ----------
    centre : float
        The figure.
    factors : array, shape (2,)
        The estimates that are multiplied.
    covariance : array, shape (2, 2)
        Of these.
    scale : float
        By which the product is multiplied, positive.
    """

    centre: float
    factors: Array
    covariance: Array
    scale: float

    def ends(self, spread: Spread, level: float) -> tuple[float, float, float]:
        """Return the error and the ends."""
        error, low, high = Skewed(self.centre).ends(spread, level)
        t = quantile(level, spread.few)
        values, vectors = np.linalg.eigh(self.covariance)
        angles = np.linspace(0.0, 2.0 * math.pi, _ANGLES)
        circle = np.array([np.cos(angles), np.sin(angles)])
        moved = self.factors[:, None] + t * (vectors * np.sqrt(np.maximum(values, 0.0))) @ circle
        products = moved[0] * moved[1]
        slopes = self.factors[::-1]
        straight = t * math.sqrt(max(float(slopes @ self.covariance @ slopes), 0.0))
        middle = float(self.factors[0] * self.factors[1])
        least, most = float(products.min()) - (middle - straight), float(products.max()) - (middle + straight)
        return error, low + self.scale * least, high + self.scale * most


def _cubic(x: float, g: float) -> float:
    """Invert Hall's monotone cubic transformation."""
    if abs(g) < _SYMMETRIC:
        return x
    return 3.0 / g * (float(np.cbrt(1.0 + g * (x - g / 6.0))) - 1.0)


@final
@frozen
class Scaled(Bounds):
    """A multiple of what `inner` says."""

    inner: Bounds
    size: float

    def ends(self, spread: Spread, level: float) -> tuple[float, float, float]:
        """Return the error and the ends."""
        error, *ends = (self.size * x for x in self.inner.ends(spread, level))
        return abs(error), min(ends), max(ends)


@final
@frozen
class Complement(Bounds):
    """One less what `inner` says."""

    inner: Bounds

    def ends(self, spread: Spread, level: float) -> tuple[float, float, float]:
        """Return the error and the ends, swapped."""
        error, low, high = self.inner.ends(spread, level)
        return error, 1.0 - high, 1.0 - low


@final
@frozen
class Reciprocal(Bounds):
    """An amount over what `inner` says, at most a largest: capital that a volatility allows."""

    inner: Bounds
    amount: float
    value: float
    most: float

    def ends(self, spread: Spread, level: float) -> tuple[float, float, float]:
        """Return the error and the ends, swapped."""
        error, low, high = self.inner.ends(spread, level)
        if self.value <= 0.0:
            return 0.0, self.most, self.most
        least, most = (min(self.amount / end, self.most) if end > 0 else self.most for end in (high, low))
        return error * self.amount / self.value**2, least, most


@final
@frozen
class Share(Bounds):
    r"""A share A/(A + v) on the logit scale.

    Where the loadings are not far from zero beside their errors, :math:`W = b^\top \mathrm{Var}(b)^{-1} b < 4K + 16`,
    the noncentral chi-squared distribution of W says how far; the spread given the loadings is added to it.

    Attributes
    ----------
    share : float
        The estimate.
    centre : float
        log(A/v) with the noise of the loadings taken off.
    wald : float
        W.
    n_factors : int
        K.
    noise : float
        tr(F Var(b))/(K v): by how much errors of b raise A/v for each factor.
    given_loadings : Spread
        Of log(A/v) where the loadings are known.
    """

    share: float
    centre: float
    wald: float
    n_factors: int
    noise: float
    given_loadings: Spread

    def ends(self, spread: Spread, level: float) -> tuple[float, float, float]:
        """Return the error and the ends of the share."""
        if self.wald < _NEUTRAL:
            return 0.0, self.share, self._of_neutral(level)
        slope = self.share * (1.0 - self.share)
        if is_near_zero(self.wald, self.n_factors):
            return slope * spread.widened, *self._near_zero(level)
        width = quantile(level, spread.few) * spread.widened
        return slope * spread.widened, _logistic(self.centre - width), _logistic(self.centre + width)

    def _of_neutral(self, level: float) -> float:
        """The upper end where a hedge left no exposure: what the errors of the loadings may have left."""
        from scipy import special  # noqa: PLC0415 - slow to import

        left = self.noise * float(special.chdtri(self.n_factors, 1.0 - level))
        return max(self.share, left / (1.0 + left))

    def _near_zero(self, level: float) -> tuple[float, float]:
        logit = math.log(self.share / (1.0 - self.share))
        width = quantile(level, self.given_loadings.few) * self.given_loadings.widened
        least, most = (_noncentrality(self.wald, self.n_factors, 0.5 + sign * 0.5 * level) for sign in (1, -1))
        low = _logistic(logit - math.hypot(math.log(self.wald / least), width)) if least > 0 else 0.0
        up = math.log(most / self.wald) if most > 0 else 0.0
        return low, _logistic(logit + (math.hypot(up, width) if up > 0 else width))


@final
@frozen
class PartOfVariance(Bounds):
    r"""A share s of a variance that may be of any sign, on the logit scale where it is surely between 0 and 1.

    Where s or 1 - s is below four standard errors, the interval is that of `near`.

    Attributes
    ----------
    share : float
        s.
    centre : float
        log(s/(1 - s)) with the noise of the loadings taken off.
    near : Bounds
        Where s is near zero or one.
    """

    share: float
    centre: float
    near: Bounds

    def ends(self, spread: Spread, level: float) -> tuple[float, float, float]:
        """Return the error and the ends."""
        rest = 1.0 - self.share
        if not min(self.share, rest) > _SURE * spread.std_error:
            return self.near.ends(spread, level)
        error = spread.widened * spread.given_path
        width = quantile(level, spread.few) * error / (self.share * rest)
        return error, _logistic(self.centre - width), _logistic(self.centre + width)


def is_near_zero(wald: float, k: int) -> bool:
    """Whether K loadings with a Wald statistic may be so small that their square is far from normal."""
    return _NEUTRAL <= wald < 4.0 * k + 16.0


def _noncentrality(wald: float, k: int, probability: float) -> float:
    """The λ at which χ²(K, λ) is below W with a probability; 0 where it is with a smaller one at λ = 0."""
    from scipy import special  # noqa: PLC0415 - slow to import

    if special.chdtr(k, wald) <= probability:
        return 0.0
    return float(special.chndtrinc(wald, k, probability))


def _logistic(x: float) -> float:
    from scipy import special  # noqa: PLC0415 - slow to import

    return float(special.expit(x))
