"""Standard errors robust to changing variance."""

from __future__ import annotations

from typing import final

from attrs import frozen

from riskmodel._core.arrays import Array
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance, squares
from riskmodel.inference.covariance.regressors import Regressors


@final
@frozen
class HC3(LongRunCovariance):
    r"""White's covariance with each residual over one less its leverage: robust to changing variance.

    :math:`\sum_t \phi_t \phi_t^\top` with residuals :math:`e_t / (1 - h_t)`, which are those of a regression without
    the date: the jackknife's, HC3 of [1]_. Dates are taken as uncorrelated.

    References
    ----------
    .. [1] MacKinnon, J. G. and White, H. (1985). Some Heteroskedasticity-Consistent Covariance Matrix Estimators with
       Improved Finite Sample Properties. *Journal of Econometrics* 29(3), 305-325.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> inference = rm.Inference.of(model, panel, rm.HC3())
    >>> inference.std_errors().loc["MSFT"].round(4).to_dict()
    {'alpha': 0.0002, 'Mkt-RF': 0.0264}
    """

    leverage_power = 1.0

    def of_sums(self, terms: DateTerms) -> Array:
        """Sum the squares."""
        return squares(terms.by_date)

    def of_regressions(self, errors: Array, regressors: Regressors, terms: DateTerms) -> Array:
        """Sum the squares of the errors times those of the regressors."""
        return regressors.squares(errors * errors)
