"""Errors of a regression's coefficients, computed on a floor above, in the summary that statsmodels prints."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array


@final
@frozen(eq=False)
class RobustErrors:
    """The covariance of one regression's coefficients.

    Attributes
    ----------
    name : str
        Of the estimator, as the summary prints it.
    covariance : array, shape (K + 1, K + 1)
        Of alpha and the loadings, per row of the panel.
    degrees : array, shape (K + 1,)
        Degrees of freedom of the t distribution of each.
    """

    name: str
    covariance: Array
    degrees: Array

    @property
    def note(self) -> str:
        """What the summary says of its errors."""
        return f"Standard errors, tests and intervals are of {self.name}."

    def applied_to(self, fitted: Any) -> Any:
        """Return the results of statsmodels with this covariance in place of its own."""
        results = fitted.get_robustcov_results("HC0", use_t=True)
        inner = getattr(results, "_results", results)
        inner.cov_type, inner.cov_params_default = self.name, self.covariance
        inner.cov_kwds = {"description": self.note}
        # the F test of the loadings has one number of degrees, and is kept before each coefficient has its own
        inner.df_resid_inference = float(np.max(self.degrees))
        _ = inner.fvalue, inner.f_pvalue
        inner.df_resid_inference = self.degrees
        return results
