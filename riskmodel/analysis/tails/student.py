"""Tails of Student t returns."""

from __future__ import annotations

import math
from typing import Any, final

import numpy as np
from attrs import field, frozen

from riskmodel._core.arguments import require_finite, shown
from riskmodel._core.arrays import Array
from riskmodel.analysis.tails.base import require_returns
from riskmodel.analysis.tails.elliptical import EllipticalTails
from riskmodel.analysis.tails.shape import Shape
from riskmodel.errors import InvalidParameterError
from riskmodel.panel.memory import ReturnPanel
from riskmodel.portfolio.portfolio import Portfolio, require_known, require_portfolio

# The reciprocal of the degrees of freedom is looked for between these: 500 is nearly normal, 2.04 has no kurtosis.
_LEAST, _MOST = 1 / 500.0, 0.49
_STEP = 1e-3


def _check_degrees(_: Any, __: Any, value: Any) -> None:
    if value is not None and require_finite(value, "degrees") <= 2.0:
        raise InvalidParameterError(
            f"expected degrees of freedom above 2, where the variance is finite, got {shown(value)}.",
            parameter="degrees",
            got=value,
        )


@final
@frozen
class StudentTails(EllipticalTails):
    r"""Student t returns, scaled to the model's volatility.

    With ν degrees of freedom and t the quantile of the t distribution, value at risk is
    :math:`\sigma t \sqrt{(\nu - 2)/\nu}`, and expected shortfall
    :math:`\sigma \sqrt{(\nu - 2)/\nu}\; \frac{g(t)}{1 - p} \frac{\nu + t^2}{\nu - 1}` with the density g ([1]_,
    example 2.15).

    Parameters
    ----------
    degrees : float, optional
        ν, above 2. By default the maximum of the likelihood of the portfolio's returns on the panel, standardised by
        their mean and variance; intervals then count its error.

    Raises
    ------
    InvalidParameterError
        For degrees of 2 or fewer.

    References
    ----------
    .. [1] McNeil, A. J., Frey, R. and Embrechts, P. (2015). *Quantitative Risk Management*, 2nd edition. Princeton.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> long = rm.Strategy({"MSFT": 0.5, "JPM": 0.5}, rm.OLS().fit(panel))
    >>> rm.StudentTails(5).of(long, panel).table().round(4)
    return per day      estimate  std_error     low    high
    value at risk         0.0498     0.0010  0.0480  0.0520
    expected shortfall    0.0659     0.0013  0.0635  0.0688
    >>> round(rm.StudentTails().fitted(long, panel).degrees, 1)
    2.9
    """

    degrees: float | None = field(default=None, validator=_check_degrees)

    def shape(self, portfolio: Portfolio, panel: ReturnPanel | None) -> Shape:
        """Return the t distribution of variance one."""
        if self.degrees is not None:
            return _shape(1.0 / float(self.degrees))
        z = _standardised(portfolio, require_returns(panel, self))
        best = _most_likely(z)
        return _shape(best, _std_error(z, best))

    def fitted(self, portfolio: Portfolio, panel: ReturnPanel) -> StudentTails:
        """Return the tails with the degrees of freedom that fit a portfolio's returns best.

        Parameters
        ----------
        portfolio : Portfolio
            What is held.
        panel : ReturnPanel
            Its returns.
        """
        return StudentTails(1.0 / _most_likely(_standardised(portfolio, require_returns(panel, self))))


def _shape(reciprocal: float, std_error: float | None = None) -> Shape:
    """The t distribution with 1/ν = reciprocal, scaled to variance one."""
    from scipy import stats  # noqa: PLC0415 - slow to import

    degrees = 1.0 / reciprocal
    scale = math.sqrt((degrees - 2.0) / degrees)
    of = stats.t(degrees, scale=scale)

    def mean_beyond(q: float) -> float:
        t = q / scale
        density = float(stats.t.pdf(t, degrees))
        return scale * density / float(stats.t.sf(t, degrees)) * (degrees + t * t) / (degrees - 1.0)

    def errors(level: float) -> tuple[float, float]:
        low, high = (_shape(min(max(reciprocal + s, _LEAST), _MOST)) for s in (-_STEP, _STEP))
        width = min(reciprocal + _STEP, _MOST) - max(reciprocal - _STEP, _LEAST)
        scaled = (std_error or 0.0) / width
        return (
            abs(high.quantile(level) - low.quantile(level)) * scaled,
            abs(high.shortfall(level) - low.shortfall(level)) * scaled,
        )

    return Shape(of, mean_beyond, None if std_error is None else errors)


def _standardised(portfolio: Portfolio, panel: ReturnPanel) -> Array:
    """The portfolio's returns less their mean, over their standard deviation."""
    known = require_known(require_portfolio(portfolio, "portfolio").excess_returns(panel))
    deviations = known - known.mean()
    size = float(np.sqrt(np.mean(deviations**2)))
    return np.asarray(deviations / size) if size > 0 else deviations


def _log_likelihood(z: Array, reciprocal: float) -> float:
    """Of standardised returns, with the t distribution of variance one."""
    degrees = 1.0 / reciprocal
    constant = math.lgamma((degrees + 1.0) / 2.0) - math.lgamma(degrees / 2.0) - 0.5 * math.log(degrees - 2.0)
    return float(len(z) * constant - (degrees + 1.0) / 2.0 * np.log1p(z * z / (degrees - 2.0)).sum())


def _most_likely(z: Array) -> float:
    """The reciprocal of the degrees of freedom that makes the returns most likely."""
    from scipy import optimize  # noqa: PLC0415 - slow to import

    found = optimize.minimize_scalar(
        lambda r: -_log_likelihood(z, r), bounds=(_LEAST, _MOST), method="bounded", options={"xatol": 1e-6}
    )
    return float(found.x)


def _std_error(z: Array, best: float) -> float:
    """From the curvature of the likelihood; at an end of the range, from its slope's change inside."""
    middle = min(max(best, _LEAST + 2 * _STEP), _MOST - 2 * _STEP)
    low, at, high = (_log_likelihood(z, middle + s) for s in (-_STEP, 0.0, _STEP))
    curvature = (low - 2.0 * at + high) / _STEP**2
    return 1.0 / math.sqrt(-curvature) if curvature < 0 else _MOST - _LEAST
