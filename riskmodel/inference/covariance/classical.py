"""Standard errors under the classical assumptions."""

from __future__ import annotations

from typing import final

from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel.errors import NotEstimatedError
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance


@final
@frozen
class Classical(LongRunCovariance):
    r"""Errors are normal, independent of the factors and of each other, with one variance.

    For alpha and the exposures the errors are those of `RegressionFit.std_errors`, :math:`s^2 (X^\top W X)^{-1}`; means
    have F/n, and variances their normal-theory errors, so that :math:`\mathrm{Var}(\hat v) = 2 v^2 / (n - K - 1)`
    ([1]_, section 4.3). Returns have fat tails and changing volatility: such intervals are too short for betas and
    volatilities.

    References
    ----------
    .. [1] Greene, W. H. (2018). *Econometric Analysis*, 8th edition. Pearson.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> inference = rm.Inference.of(model, panel, rm.Classical())
    >>> inference.std_errors().loc["MSFT"].round(4).to_dict()
    {'alpha': 0.0002, 'Mkt-RF': 0.0172}
    """

    def of_sums(self, terms: DateTerms) -> Array:
        """Return what the formulas say.

        Raises
        ------
        NotEstimatedError
            For a portfolio of assets that have different dates, or a figure of the user's own.
        """
        if terms.classical is None:
            raise NotEstimatedError(
                "expected a figure whose classical error has a formula, of a regression or of a portfolio of assets on "
                "the same dates, got another: a hedge in instruments, a part of the risk, a figure of your own, or "
                "assets of different dates; pass covariance=rm.HC3() or rm.Cosine()."
            )
        return terms.classical
