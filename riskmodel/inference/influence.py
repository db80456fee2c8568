"""Influence functions of a portfolio's parameters, date by date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array, Flags
from riskmodel.inference.covariance.base import DateTerms
from riskmodel.inference.date_groups import DateGroup, read_groups
from riskmodel.inference.gradient import Gradient
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel


@final
@frozen(eq=False)
class FactorInfluence:
    """Influence of each date on the mean and the covariance of the factors.

    Attributes
    ----------
    deviations : array, shape (T, K)
        f less its mean.
    mean : array, shape (K,)
        The mean.
    share : array, shape (T,)
        w/Σw over all dates.
    """

    deviations: Array
    mean: Array
    share: Array

    @classmethod
    def of(cls, model: FactorModel, panel: ReturnPanel) -> Self:
        """Compute it, with the model's weights of dates."""
        keep = 1.0 if model.regression is None else model.regression.decay_factor
        return cls.of_returns(panel.returns_of(model.definitions), keep)

    @classmethod
    def of_returns(cls, factors: Array, decay_factor: float) -> Self:
        """Compute it of factor returns, T × K."""
        w = np.maximum(decay_factor ** np.arange(len(factors) - 1, -1, -1.0), 1e-200)
        share = w / w.sum()
        mean = share @ factors
        return cls(factors - mean, mean, share)

    @property
    def n(self) -> float:
        """The effective number of dates."""
        return float(1.0 / (self.share @ self.share))

    def of_mean(self, gradient: Array) -> Array:
        """Terms of a figure whose gradient in the mean is given, shape (T,)."""
        return self.share * (self.deviations @ gradient)

    def of_covariance(self, gradient: Array) -> Array:
        """Terms of a figure whose gradient in the covariance, symmetric, is given, shape (T,)."""
        forms = ((self.deviations @ gradient) * self.deviations).sum(axis=1)
        return np.asarray(self.share * (forms - self.share @ forms))


@final
@frozen(eq=False)
class PortfolioResidual:
    """The variance of the residuals of a portfolio, on dates on which all of its assets have a return.

    Attributes
    ----------
    variance : float
        With ddof 1, return² per row; NaN for fewer than two dates.
    unbiased : float
        Without the degrees of freedom that the regressions took.
    by_date : array, shape (T,)
        What each date adds to its error, given the coefficients.
    slopes : array, shape (K + 1,)
        By how much alpha and exposures lower it: zero where all assets have the same dates.
    """

    variance: float
    unbiased: float
    by_date: Array
    slopes: Array

    @classmethod
    def of(cls, factors: FactorInfluence, plain: Array, scaled: Array, there: Flags) -> Self:
        """Compute it of residuals, and of these over the root of their expected squares; zero on other dates."""
        t, k = factors.deviations.shape
        share = np.where(there, factors.share, 0.0)
        total = float(share.sum())
        if np.count_nonzero(there) < 2 or not total > 0.0:
            return cls(np.nan, np.nan, np.zeros(t), np.zeros(k + 1))
        share = share / total
        n = 1.0 / float(share @ share)
        squares = scaled * scaled
        mean = float(share @ squares)
        slopes = np.zeros(k + 1)
        if not there.all():
            towards = 2.0 * share * plain
            slopes = np.append(towards.sum(), towards @ factors.deviations + towards.sum() * factors.mean)
        return cls(float(share @ (plain * plain)) * n / (n - 1.0), mean, share * (squares - mean), slopes)


@final
@frozen(eq=False)
class Weights:
    """Weights of assets in a portfolio's parameters, each of shape (N,).

    Attributes
    ----------
    alpha, exposures, idio : array
        Of their alphas, loadings and idio variances: w, w and w², unless the means of some stand in for others.
    """

    alpha: Array
    exposures: Array
    idio: Array

    @classmethod
    def of(cls, weights: Array) -> Self:
        """Read the weights of assets with regressions of their own."""
        return cls(weights, weights, weights * weights)

    @property
    def are_own(self) -> bool:
        """Whether each asset has a regression of its own."""
        return self.alpha is self.exposures


@final
@frozen(eq=False, slots=False)
class PortfolioInfluence:
    r"""What each date adds to the errors of a portfolio's alpha, exposures and idio variance.

    Weights w on assets enter through the sums :math:`\sum_i w_i e_{it}` and :math:`\sum_i w_i^2 e_{it}^2` of assets
    with the same dates, so no array grows with the square of the assets.

    Attributes
    ----------
    factors : FactorInfluence
        Of the factors' mean and covariance.
    coefficients : array, shape (K + 1, T)
        Of alpha and the exposures.
    idio : array, shape (T,)
        Of the idio variance.
    idio_variance : float
        Its unbiased estimate, return² per row.
    residual : PortfolioResidual
        Of the residuals of the portfolio itself.
    residual_amplitude : array, shape (T,)
        The squared size of the terms of alpha, as the residual variances say.
    n : float
        The effective number of dates: the least of the factors' and of each asset's.
    classical : array or None, shape (K + 1, K + 1)
        The classical covariance of alpha and exposures; None where assets have different dates.
    """

    factors: FactorInfluence
    coefficients: Array
    idio: Array
    idio_variance: float
    residual: PortfolioResidual
    residual_amplitude: Array
    n: float
    classical: Array | None

    @classmethod
    def of(cls, model: FactorModel, panel: ReturnPanel, weights: Array, power: float) -> Self:
        """Compute it from weights on the assets of a model, shape (N,)."""
        by = Weights.of(weights)
        return cls.of_groups(FactorInfluence.of(model, panel), read_groups(model, panel, power), by, power)

    @classmethod
    def of_groups(cls, factors: FactorInfluence, groups: Iterable[DateGroup], by: Weights, power: float) -> Self:
        """Compute it of regressions whose residuals are over (1 - h)^power."""
        t, k = factors.deviations.shape
        coefficients, idio, amplitude = np.zeros((k + 1, t)), np.zeros(t), np.zeros(t)
        variance, n, held, rows = 0.0, factors.n, np.zeros((2, t)), set()
        plain, scaled, there = np.zeros(t), np.zeros(t), np.ones(t, dtype=bool)
        last: DateGroup | None = None
        for group in groups:
            at = group.columns
            common = group.residuals @ by.exposures[at]
            # of alpha, which others do not stand in for
            alone = common if by.are_own else group.residuals @ by.alpha[at]
            coefficients[0] += group.lever[:, 0] * alone
            coefficients[1:] += (group.lever[:, 1:] * common[:, None]).T
            own = group.squares @ by.idio[at]
            mean = float(group.share @ own)
            idio += group.share * (own - mean)
            of_alpha = mean if by.are_own else float(group.share @ (group.squares @ by.alpha[at] ** 2))
            amplitude += of_alpha * group.share**2
            variance, n, held = variance + mean, min(n, group.n), held + np.array([alone, common])
            own_plain = group.plain @ by.exposures[at]
            plain += own_plain
            scaled += own_plain / np.sqrt(group.expected)
            there &= group.share > 0.0
            rows.add(group.share.tobytes())
            last = group
        classical = None
        if last is not None and len(rows) == 1 and power == 0.0:
            between = (held * _weights_of(last)) @ held.T / (last.n - k - 1)
            which = np.append(0, np.ones(k, dtype=np.intp))
            classical = last.inverse * between[np.ix_(which, which)]
        residual = PortfolioResidual.of(factors, np.where(there, plain, 0.0), np.where(there, scaled, 0.0), there)
        return cls(factors, coefficients, idio, variance, residual, amplitude, n, classical)

    def along(self, gradients: Sequence[Gradient]) -> Array:
        """Terms of M figures with gradients, shape (M, T)."""
        slopes = np.array([np.append(g.alpha, g.exposures) for g in gradients])
        own = np.array([(g.idio, g.residual) for g in gradients])
        terms = slopes @ self.coefficients + own @ self._variances
        terms += np.array([g.factor_mean for g in gradients]) @ self._deviations.T
        for m, g in enumerate(gradients):
            if g.factor_covariance.any():
                terms[m] += self.factors.of_covariance(g.factor_covariance)
        return np.asarray(terms)

    def terms_of(self, gradients: Sequence[Gradient], factor_covariance: Array) -> list[DateTerms]:
        """Return what `LongRunCovariance` takes of each of some figures with gradients."""
        by_date, f = self.along(gradients), factor_covariance
        return [
            DateTerms(x[None], self._amplitude(g, f), self.n, len(f) + 1, self._classical(g, f))
            for x, g in zip(by_date, gradients, strict=True)
        ]

    def _amplitude(self, g: Gradient, f: Array) -> Array:
        of_mean = float(g.factor_mean @ f @ g.factor_mean)
        if not of_mean and not g.alpha:
            return self.factors.share
        size = of_mean * self.factors.share**2 + g.alpha**2 * self.residual_amplitude
        return np.sqrt(size) if size.any() else self.factors.share

    @cached_property
    def _deviations(self) -> Array:
        return self.factors.deviations * self.factors.share[:, None]

    @cached_property
    def _variances(self) -> Array:
        """Terms of the idio variance and of the variance of the portfolio's residuals, shape (2, T)."""
        residual = self.residual.by_date - self.residual.slopes @ self.coefficients
        return np.array([self.idio, residual])

    def exposures(self) -> DateTerms:
        """Return what `LongRunCovariance` takes of each exposure, by date of shape (K, 1, T)."""
        return self._of_coefficients(slice(1, None), self.factors.share)

    def alpha(self) -> DateTerms:
        """Return what `LongRunCovariance` takes of alpha, by date of shape (1, 1, T)."""
        return self._of_coefficients(slice(0, 1), np.sqrt(self.residual_amplitude))

    def _of_coefficients(self, at: slice, amplitude: Array) -> DateTerms:
        return DateTerms(
            by_date=self.coefficients[at, None],
            amplitude=amplitude if amplitude.any() else self.factors.share,
            n=self.n,
            n_parameters=len(self.coefficients),
            classical=None if self.classical is None else np.diag(self.classical)[at, None, None],
        )

    def _classical(self, g: Gradient, f: Array) -> Array | None:
        """Variance under normal, independent errors of one variance, shape (1, 1)."""
        if self.classical is None:
            return None
        slopes, n, k = np.append(g.alpha, g.exposures), self.factors.n, len(f)
        turned = g.factor_covariance @ f
        variance = slopes @ self.classical @ slopes + g.factor_mean @ f @ g.factor_mean / n
        variance += 2.0 * np.sum(turned * turned.T) / (n - 1.0)
        variance += 2.0 * (g.idio * self.idio_variance + g.residual * self.residual.unbiased) ** 2 / (n - k - 1.0)
        return np.array([[variance]])


def _weights_of(group: DateGroup) -> Array:
    """Weights of which the last date's is 1."""
    return np.asarray(group.share / group.share.max())
