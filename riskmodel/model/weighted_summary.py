"""The printed summary of a regression whose dates are weighted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array

_NOTES = (
    "Notes:",
    "[1] Dates are weighted. Degrees of freedom and tests use the effective number of dates.",
    "[2] Skew, kurtosis, Durbin-Watson and Jarque-Bera are of the residuals, with the weights of their dates.",
    "[3] Likelihood, AIC and BIC are left out: such weights say how relevant a date is, not how precise.",
)


@final
@frozen
class ResidualShape:
    """What residuals whose dates are weighted look like.

    Attributes
    ----------
    skew, kurtosis : float
        Standardised third and fourth moments; 0 and 3 of a normal distribution.
    jarque_bera : float
        n/6 (skew² + (kurtosis - 3)²/4), of n effective dates; chi-squared with two degrees of freedom under normality.
    durbin_watson : float
        Weighted squares of changes over those of residuals; 2 without autocorrelation.
    """

    skew: float
    kurtosis: float
    jarque_bera: float
    durbin_watson: float

    @classmethod
    def of(cls, residuals: Array, weights: Array, n: float) -> Self:
        """Compute it of T residuals, whose weighted mean is zero, and n effective dates."""
        variance = np.average(residuals**2, weights=weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            skew = np.average(residuals**3, weights=weights) / variance**1.5
            kurtosis = np.average(residuals**4, weights=weights) / variance**2
            change = (weights[1:] * np.diff(residuals) ** 2).sum() / (weights * residuals**2).sum()
        return cls(
            float(skew), float(kurtosis), float(n / 6.0 * (skew**2 + (kurtosis - 3.0) ** 2 / 4.0)), float(change)
        )

    @property
    def normality_pvalue(self) -> float:
        """The probability, under normality, of a larger `jarque_bera`."""
        return math.exp(-self.jarque_bera / 2.0)


def weighted_summary(fitted: Any, weights: Array, n: float, title: str, notes: Sequence[str] = ()) -> Any:
    """Return the summary of a fit of `statsmodels.WLS` whose degrees of freedom are those of n effective dates.

    Parameters
    ----------
    fitted : statsmodels.regression.linear_model.RegressionResults
        Of T dates.
    weights : array, shape (T,)
        The weight of each date.
    n : float
        The effective number of dates.
    title : str
        The first line.
    notes : sequence of str
        Below the others.
    """
    from statsmodels.iolib.summary import Summary  # noqa: PLC0415 - heavy, and used only here

    rsquared = float(fitted.rsquared)
    adjusted = 1.0 - (n - 1.0) / fitted.df_resid * (1.0 - rsquared)
    shape = ResidualShape.of(np.asarray(fitted.resid), weights, n)
    summary = Summary()
    top = (
        {"Dep. Variable:": fitted.model.endog_names, "Model:": "WLS", "Method:": "Least Squares"}
        | {"No. Dates:": f"{len(weights)}", "Effective Dates:": f"{n:.1f}"},
        {"R-squared:": f"{rsquared:.3f}", "Adj. R-squared:": f"{adjusted:.3f}"}
        | {"F-statistic:": f"{fitted.fvalue:.4g}", "Prob (F-statistic):": f"{fitted.f_pvalue:.3g}"}
        | {"Df Residuals:": f"{fitted.df_resid:.1f}"},
    )
    bottom = (
        {"Skew:": f"{shape.skew:.3f}", "Kurtosis:": f"{shape.kurtosis:.3f}"}
        | {"Cond. No.": f"{fitted.condition_number:.3g}"},
        {"Durbin-Watson:": f"{shape.durbin_watson:.3f}", "Jarque-Bera (JB):": f"{shape.jarque_bera:.3f}"}
        | {"Prob(JB):": f"{shape.normality_pvalue:.3g}"},
    )
    _add(summary, fitted, top, title)
    summary.add_table_params(fitted, alpha=0.05, use_t=True)
    _add(summary, fitted, bottom, "")
    more = [f"[{number}] {note}" for number, note in enumerate(notes, len(_NOTES))]
    summary.add_extra_txt([*_NOTES, *more])
    return summary


def _add(summary: Any, fitted: Any, columns: tuple[Mapping[str, str], Mapping[str, str]], title: str) -> None:
    left, right = ([(name, [value]) for name, value in column.items()] for column in columns)
    summary.add_table_2cols(fitted, gleft=left, gright=right, title=title)
