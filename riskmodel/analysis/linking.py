"""Linking: coefficients that make the parts of many dates sum to the return over all of them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array, floats
from riskmodel._core.listing import Abstract
from riskmodel.errors import ImpossibleReturnsError, InvalidParameterError


class Linking(Abstract):
    r"""A way to link parts of returns over time. Subclass it and write `coefficients`.

    On date t, the parts of a portfolio's return R (less those of its benchmark B, if there is one) sum to R - B. Parts
    times the date's coefficient sum, over all dates, to the total: the compounded return of the portfolio less that of
    the benchmark, but for `Added`.

    Examples
    --------
    >>> import numpy as np, riskmodel as rm
    >>> returns = np.array([0.10, -0.05, 0.20])
    >>> for linking in (rm.Carino(), rm.Menchero(), rm.Compounded(), rm.Added()):
    ...     c = linking.coefficients(returns, np.zeros(3))
    ...     print(linking, c.round(4), round(float(c @ returns), 4))
    Carino() [1.0696 1.1512 1.023 ] 0.254
    Menchero() [1.0497 1.0957 1.0191] 0.254
    Compounded() [1.    1.1   1.045] 0.254
    Added() [1. 1. 1.] 0.25
    """

    @abstractmethod
    def coefficients(self, returns: Array, benchmark: Array) -> Array:
        """Return the coefficient of each date, shape (T,).

        Parameters
        ----------
        returns, benchmark : array, shape (T,)
            Decimals by date; zeros where there is no benchmark.
        """


@final
@frozen
class Carino(Linking):
    r"""Logarithmic linking [1]_: :math:`k_t / k` with :math:`k_t = \frac{\ln(1 + R_t) - \ln(1 + B_t)}{R_t - B_t}`.

    k is the same of the compounded returns. Without a benchmark B is zero. Returns must be above -100 %.

    References
    ----------
    .. [1] Cariño, D. R. (1999). Combining Attribution Effects Over Time. *Journal of Performance Measurement* 3(4),
       5-14.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> pair = rm.Strategy({"MSFT": 1.0, "JPM": -1.0}, rm.OLS().fit(panel))
    >>> earned = rm.ReturnAttribution.of(pair, panel.select(start="2018"), linking=rm.Carino())
    >>> round(earned.total, 4)
    0.2261
    """

    def coefficients(self, returns: Array, benchmark: Array) -> Array:
        """Return k_t / k."""
        r, b = _read(returns, benchmark)
        _require_growth(r, b)
        whole, against = _compounded(r), _compounded(b)
        return np.asarray(_slope_of_log(r, b) / _slope_of_log(whole, against))


@final
@frozen
class Menchero(Linking):
    r"""Linking with coefficients as equal as can be [1]_: :math:`M + \alpha_t`.

    :math:`M = \frac{(R - B)/T}{(1 + R)^{1/T} - (1 + B)^{1/T}}` of the compounded returns R and B, and
    :math:`\alpha_t = (R_t - B_t) \frac{R - B - M \sum_s (R_s - B_s)}{\sum_s (R_s - B_s)^2}`. Returns must be above
    -100 %.

    References
    ----------
    .. [1] Menchero, J. (2000). An Optimized Approach to Linking Attribution Effects over Time. *Journal of Performance
       Measurement* 5(1), 36-42.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> pair = rm.Strategy({"MSFT": 1.0, "JPM": -1.0}, rm.OLS().fit(panel))
    >>> earned = rm.ReturnAttribution.of(pair, panel.select(start="2018"), linking=rm.Menchero())
    >>> round(earned.total, 4)
    0.2261
    """

    def coefficients(self, returns: Array, benchmark: Array) -> Array:
        """Return M + α_t."""
        r, b = _read(returns, benchmark)
        _require_growth(r, b)
        active, t = r - b, len(r)
        total, against = float(_growth(r, b) @ active), float(_compounded(b))
        ratio = total / (1.0 + against)
        of_root = t * np.expm1(np.log1p(ratio) / t)
        natural = (1.0 + against) ** (1.0 - 1.0 / t) * (ratio / of_root if of_root else 1.0)
        squares = float(active @ active)
        left = (total - natural * float(active.sum())) / squares if squares > 0 else 0.0
        return np.asarray(natural + left * active)


@final
@frozen
class Compounded(Linking):
    r"""Parts as dollars: each grows with the portfolio until its date, and with the benchmark after it [1]_.

    The coefficient is :math:`\prod_{s < t} (1 + R_s) \prod_{s > t} (1 + B_s)`: without a benchmark, a part is the
    profit, per dollar of the beginning, that it made on the capital of its date.

    References
    ----------
    .. [1] GRAP (1997). *Synthèse des modèles d'attribution de performance*. Paris: Groupe de Recherche en Attribution
       de Performance.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> pair = rm.Strategy({"MSFT": 1.0, "JPM": -1.0}, rm.OLS().fit(panel))
    >>> earned = rm.ReturnAttribution.of(pair, panel.select(start="2018"), linking=rm.Compounded())
    >>> round(earned.total, 4)
    0.2261
    """

    def coefficients(self, returns: Array, benchmark: Array) -> Array:
        """Return the growth until each date."""
        return _growth(*_read(returns, benchmark))


@final
@frozen
class Added(Linking):
    """Parts added up: of a capital that is the same on each date, profits paid out and losses paid in.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> pair = rm.Strategy({"MSFT": 1.0, "JPM": -1.0}, rm.OLS().fit(panel))
    >>> earned = rm.ReturnAttribution.of(pair, panel.select(start="2018"), linking=rm.Added())
    >>> round(earned.total, 4)
    0.2269
    """

    def coefficients(self, returns: Array, benchmark: Array) -> Array:
        """Return ones."""
        return np.ones(len(_read(returns, benchmark)[0]))


def _read(returns: Any, benchmark: Any) -> tuple[Array, Array]:
    r, b = floats(returns), floats(benchmark)
    if r.ndim != 1 or r.shape != b.shape or not len(r) or not (np.isfinite(r).all() and np.isfinite(b).all()):
        raise InvalidParameterError(
            f"expected finite returns and benchmark by date, of one length, got shapes {r.shape} and {b.shape}.",
            parameter="returns",
            got=returns,
        )
    return r, b


def _require_growth(*returns: Array) -> None:
    least = min(float(r.min()) for r in returns)
    if not least > -1.0:
        raise ImpossibleReturnsError(
            f"expected returns above -100 %, got {least:.4g}: what has lost all does not compound; link with "
            "rm.Compounded() or rm.Added().",
            least=least,
        )


def _compounded(returns: Array) -> Array:
    return np.asarray(np.expm1(np.log1p(returns).sum()))


def _growth(returns: Array, benchmark: Array) -> Array:
    before = np.concatenate([[1.0], np.cumprod(1.0 + returns)[:-1]])
    after = np.concatenate([np.cumprod(1.0 + benchmark[::-1])[::-1][1:], [1.0]])
    return np.asarray(before * after)


def _slope_of_log(returns: Array, benchmark: Array) -> Array:
    """(ln(1 + r) - ln(1 + b)) / (r - b), and its limit 1 / (1 + b)."""
    relative = np.asarray((returns - benchmark) / (1.0 + benchmark))
    safe = np.where(relative == 0.0, 1.0, relative)
    slope = np.where(relative == 0.0, 1.0, np.log1p(safe) / safe)
    return np.asarray(slope / (1.0 + benchmark))
