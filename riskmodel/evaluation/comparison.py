"""Which of several forecasts is better, and whether the data can tell."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import frozen
from scipy import stats

from riskmodel._core.arguments import require_count
from riskmodel.errors import MissingExtraError, TooFewObservationsError

LEVEL = 0.95
# Fewer dates than this compare nothing.
FEWEST = 8


@final
@frozen
class LossComparison:
    """A paired comparison of two forecasts.

    Attributes
    ----------
    difference : float
        Mean loss of the first less that of the second; below 0 the first is better.
    std_error : float
        Of the difference.
    low, high : float
        The 95 % interval of the difference.
    statistic, pvalue : float
        Of the test that both are equally good, against either being better.
    observations : int
        Dates with both.
    """

    difference: float
    std_error: float
    low: float
    high: float
    statistic: float
    pvalue: float
    observations: int


def diebold_mariano(differences: Any, overlap: int = 0) -> LossComparison:
    r"""The test of Diebold and Mariano (1995) that two forecasts have equal expected loss.

    The mean difference over its standard error, which is robust to autocorrelation (Newey and West 1987, with a
    Bartlett kernel over the lags that `overlap` makes, and :math:`4 (n/100)^{2/9}` at least), times the correction
    :math:`\sqrt{(n + 1 - 2h + h(h-1)/n) / n}` for small samples, with :math:`h` one more than `overlap`, against a t
    distribution with n - 1 degrees of freedom (Harvey, Leybourne and Newbold 1997).

    Parameters
    ----------
    differences : array or Series
        Loss of the first forecast less that of the second, in order of time; NaN is left out.
    overlap : int
        How many later periods each period reaches into; 0 where periods do not overlap.

    Raises
    ------
    TooFewObservationsError
        For fewer than 8 differences.

    References
    ----------
    .. [1] Diebold, F. X. and Mariano, R. S. (1995). Comparing Predictive Accuracy. *Journal of Business & Economic
       Statistics* 13(3), 253-263.
    .. [2] Harvey, D., Leybourne, S. and Newbold, P. (1997). Testing the equality of prediction mean squared errors.
       *International Journal of Forecasting* 13(2), 281-291.

    Examples
    --------
    >>> import numpy as np
    >>> from riskmodel.evaluation.comparison import diebold_mariano
    >>> test = diebold_mariano(np.random.default_rng(0).normal(-1, 1, 100))
    >>> test.pvalue < 0.001, test.high < 0
    (True, True)
    """
    from statsmodels.regression.linear_model import OLS  # noqa: PLC0415 - takes long to import

    require_count(overlap, "overlap")
    d = np.asarray(differences, dtype=np.float64)
    d = d[np.isfinite(d)]
    n = len(d)
    if n < max(FEWEST, overlap + 2):
        raise TooFewObservationsError(
            f"expected {max(FEWEST, overlap + 2)} dates or more with both losses, got {n}; use more dates.", got=n
        )
    lags = max(overlap, int(4 * (n / 100) ** (2 / 9)))
    fit = OLS(d, np.ones(n)).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
    h = overlap + 1
    correction = np.sqrt(max((n + 1 - 2 * h + h * (h - 1) / n) / n, 1.0 / n))
    mean, error = float(d.mean()), float(fit.bse[0] / correction)
    if not error > 0:  # two forecasts that are the same
        return LossComparison(mean, 0.0, mean, mean, 0.0 if mean == 0 else np.inf * np.sign(mean), float(mean == 0), n)
    statistic, reach = mean / error, float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * error
    pvalue = float(2 * stats.t.sf(abs(statistic), n - 1))
    return LossComparison(mean, error, mean - reach, mean + reach, statistic, pvalue, n)


def model_confidence_set(
    losses: pd.DataFrame, size: float, block: int, repetitions: int, seed: int
) -> pd.Series[float]:
    """P values of the model confidence set of Hansen, Lunde and Nason (2011), by method.

    The set of level 1 - `size` holds the methods with p values of `size` or more: it contains the best with that
    probability. Computed by ``arch.bootstrap.MCS`` with a stationary bootstrap.

    Parameters
    ----------
    losses : DataFrame, dates × methods
        None missing.
    size : float
        One less the confidence level.
    block : int
        Mean length of the bootstrap's blocks, in dates.
    repetitions, seed : int
        Of the bootstrap.

    Raises
    ------
    MissingExtraError
        If arch is not installed.

    References
    ----------
    .. [1] Hansen, P. R., Lunde, A. and Nason, J. M. (2011). The Model Confidence Set. *Econometrica* 79(2), 453-497.
    """
    try:
        from arch.bootstrap import MCS  # noqa: PLC0415 - optional, and used only here
    except ImportError as error:
        raise MissingExtraError.of("the model confidence set", "arch", "evaluation") from error
    # methods with the same losses stand for each other: nothing tells them apart
    different, position = np.unique(losses.to_numpy(dtype=np.float64), axis=1, return_inverse=True)
    if different.shape[1] == 1:
        return pd.Series(1.0, losses.columns, name="pvalue")
    found = MCS(pd.DataFrame(different), size, reps=repetitions, block_size=block, method="R", seed=seed)
    found.compute()
    pvalues = found.pvalues["Pvalue"]
    return pd.Series([float(pvalues[i]) for i in position.ravel()], losses.columns, name="pvalue")
