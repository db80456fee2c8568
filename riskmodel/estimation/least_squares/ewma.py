"""Exponentially weighted least squares."""

from __future__ import annotations

from typing import Any, final

from attrs import field, frozen

from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.least_squares.ols import LeastSquares
from riskmodel.horizon import Horizon, require_horizon


def _check(_: EWMA, __: object, half_life: Any) -> None:
    if not isinstance(half_life, Horizon):
        raise InvalidParameterError(
            f"expected half_life as a Horizon such as rm.QUARTER, got {half_life!r}; write rm.Horizon(60) for 60 days.",
            half_life=half_life,
        )


@final
@frozen
class EWMA(LeastSquares):
    r"""Time-series regressions with exponentially decaying weights of dates.

    The last date of the panel has weight 1, and each earlier one :math:`2^{-1/h}` times that of the next, for a
    half-life of h rows of the panel. Coefficients minimise :math:`\sum_t w_t \varepsilon_t^2` over the asset's own
    dates; means and covariances of the factors have the same weights over all dates.

    With :math:`W = \sum w_t`, :math:`n = W^2 / \sum w_t^2` is the number of equally weighted observations
    whose mean is as precise (Kish [1]_); it replaces T. Variances are
    :math:`\frac{n}{n-1} \frac1W \sum w_t \varepsilon_t^2`, which is unbiased for a variance about a weighted mean
    (the reliability weights of [2]_), so that for an asset without missing returns total = B F B' + idio exactly.
    Standard errors are the roots of the diagonal of :math:`s^2 (X^\top W X)^{-1}`, with
    :math:`s^2 = RSS_w / (n - K - 1)`: weights are relevance of dates, not precision, and errors are
    homoskedastic, uncorrelated and independent of the factors. They are those of `statsmodels.WLS` times
    :math:`\sqrt{(T - K - 1)/(n - K - 1)}`, because WLS takes a small weight for a large variance and counts old dates
    in full. `RegressionFit.n_observations` is n.

    Parameters
    ----------
    half_life : Horizon
        In trading days, whatever the panel's own horizon: ``rm.QUARTER``, ``rm.Horizon(60)``.

    References
    ----------
    .. [1] Kish, L. (1965). *Survey Sampling*. Wiley, section 11.7.
    .. [2] Galassi, M. et al. *GNU Scientific Library Reference Manual*, section "Weighted Samples".
    .. [3] J.P. Morgan/Reuters (1996). *RiskMetrics - Technical Document*, 4th edition, section 5.2.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> model = rm.EWMA(half_life=rm.QUARTER).fit(panel)
    >>> model.loadings.round(2)
         Mkt-RF
    KO     0.36
    XOM    0.80
    """

    half_life: Horizon = field(validator=_check)

    def decay_factor(self, horizon: Horizon) -> float:
        """The ratio of the weight of a date to that of the next date."""
        return float(0.5 ** require_horizon(horizon).in_units_of(self.half_life))
