"""The base class of covariances of sums over dates."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from attrs import evolve, frozen

from riskmodel._core.arrays import Array
from riskmodel._core.listing import Abstract, Listed
from riskmodel.inference.covariance.regressors import Regressors
from riskmodel.inference.estimand import Estimand


@frozen(eq=False)
class DateTerms(Listed):
    r"""What each date adds to the errors of M estimates: an error is about the sum of its terms.

    The terms are influence functions over the number of dates, :math:`\psi_t / T`, and where dates are weighted, the
    weight times the score. Leading axes stand for several sets of estimates, such as assets.

    Attributes
    ----------
    by_date : array, shape (..., M, T)
        Zero on dates that an estimate does not use.
    amplitude : array, shape (..., T)
        The size of a term on each date up to a factor, as weights and missing dates make it: equal for equal weights,
        zero where nothing is used.
    n : array or float, shape (...)
        The effective number of dates.
    n_parameters : int
        Parameters of the regressions, K + 1.
    classical : array, optional, shape (..., M, M)
        The covariance if residuals were independent with one variance and normal; None where it is not known.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> terms = rm.DateTerms(np.array([[0.1, -0.2, 0.1]]), np.ones(3), 3.0, 2)
    >>> rm.HC3().of_sums(terms).round(3).tolist()
    [[0.06]]
    """

    by_date: Array
    amplitude: Array
    n: Array | float
    n_parameters: int
    classical: Array | None = None

    def minus(self, other: DateTerms) -> DateTerms:
        """Return the terms of the difference of two sets of estimates."""
        return DateTerms(
            by_date=self.by_date - other.by_date,
            amplitude=np.hypot(self.amplitude, other.amplitude),
            n=np.minimum(self.n, other.n),
            n_parameters=self.n_parameters,
        )


class LongRunCovariance(Abstract):
    """An estimator of the covariance of sums of influence functions over dates. Subclass it and write `of_sums`.

    Examples
    --------
    >>> import riskmodel as rm
    >>> class White(rm.LongRunCovariance):
    ...     def of_sums(self, terms):
    ...         return terms.by_date @ terms.by_date.swapaxes(-1, -2)
    >>> panel = rm.SampleData().panel(["KO"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> rm.Inference.of(model, panel, White()).std_errors()["Mkt-RF"].round(4)
    KO    0.0251
    Name: Mkt-RF, dtype: float64
    """

    # The power of 1 - h by which residuals are divided, where h is the leverage of their date: 1 for the jackknife's.
    leverage_power: float = 0.0

    @abstractmethod
    def of_sums(self, terms: DateTerms) -> Array:
        """Return the covariance of the sums over dates, shape (..., M, M).

        Parameters
        ----------
        terms : DateTerms
            What each date adds.
        """

    def of_regressions(self, errors: Array, regressors: Regressors, terms: DateTerms) -> Array:
        """Return the covariance of the sums of z e for many assets, shape (J, M, M); faster ways may override it.

        Parameters
        ----------
        errors : array, shape (J, T)
            e, with the weights of dates, and zero where missing.
        regressors : Regressors
            z, the same for all assets.
        terms : DateTerms
            What else is known of the J assets; its `by_date` is empty.
        """
        return self.of_sums(evolve(terms, by_date=regressors.scores(errors)))

    def about(self, estimand: Estimand) -> LongRunCovariance:
        """Return the estimator for figures about the long run, or about this window; by default this one."""
        return self

    def degrees_of_freedom(self, terms: DateTerms) -> Array | float:
        """Return the degrees of freedom of the t distribution of a sum over its standard error, shape (...)."""
        return np.asarray(np.maximum(np.asarray(terms.n) - terms.n_parameters, 1.0))


def squares(by_date: Array) -> Array:
    """Σ x x' over dates, shape (..., M, M)."""
    return np.asarray(by_date @ by_date.swapaxes(-1, -2))
