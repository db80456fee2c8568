"""Standard errors robust to changing variance and autocorrelation."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from attrs import field, frozen

from riskmodel._core.arguments import require_count
from riskmodel._core.arrays import Array, Index
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance, squares
from riskmodel.inference.covariance.regressors import Regressors


def _require_lags(_: HAC, __: Any, lags: Any) -> None:
    if lags is not None:
        require_count(lags, "lags")


@final
@frozen
class HAC(LongRunCovariance):
    r"""Covariance with the Bartlett kernel of Newey and West [1]_, robust to changing variance and autocorrelation.

    :math:`\sum_{|l| \le L} (1 - |l| / (L + 1)) \sum_t \phi_t \phi_{t+l}^\top`. Lags are rows of the panel: a date
    without a return adds nothing, and dates before and after it stay as far apart as they were [2]_.

    Parameters
    ----------
    lags : int, optional
        L. By default what the data say, for each estimate or asset: the plug-in rule of [3]_, section 3, for the sum of
        the terms of an estimate or of an asset's standardised terms.

    References
    ----------
    .. [1] Newey, W. K. and West, K. D. (1987). A Simple, Positive Semi-Definite, Heteroskedasticity and
       Autocorrelation Consistent Covariance Matrix. *Econometrica* 55(3), 703-708.
    .. [2] Rho, S.-H. and Vogelsang, T. J. (2019). Heteroskedasticity Autocorrelation Robust Inference in Time Series
       Regressions with Missing Data. *Econometric Theory* 35(3), 601-629.
    .. [3] Newey, W. K. and West, K. D. (1994). Automatic Lag Selection in Covariance Matrix Estimation. *Review of
       Economic Studies* 61(4), 631-653.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> inference = rm.Inference.of(model, panel, rm.HAC())
    >>> inference.std_errors().loc["MSFT"].round(4).to_dict()
    {'alpha': 0.0002, 'Mkt-RF': 0.0306}
    """

    lags: int | None = field(default=None, validator=_require_lags)

    def of_sums(self, terms: DateTerms) -> Array:
        """Sum the products of dates up to the lag, with declining weights."""
        x = terms.by_date
        stack = x.reshape(-1, *x.shape[-2:])
        t = stack.shape[-1]
        given = automatic_lags(_standardised(stack)) if self.lags is None else np.full(len(stack), self.lags)
        lags = np.minimum(given, t - 1)
        sums = np.zeros((*stack.shape[:-1], t + 1))
        np.cumsum(stack, axis=-1, out=sums[..., 1:])
        out = np.empty((*stack.shape[:-1], stack.shape[-2]))
        for lag in np.unique(lags):
            some = lags == lag
            out[some] = _bartlett(sums if some.all() else sums[some], int(lag) + 1)
        return out.reshape(*x.shape[:-1], x.shape[-2])

    def of_regressions(self, errors: Array, regressors: Regressors, terms: DateTerms) -> Array:
        """Sum products of errors at each lag times those of the regressors: one matrix product a lag for all assets."""
        t = errors.shape[-1]
        total = regressors.squares(errors * errors)
        lags = np.minimum(self._lags_of(errors, regressors, total), t - 1)
        # assets with more lags first, so that those with a lag are a slice
        order = np.argsort(-lags, kind="stable")
        errors, width = errors[order] if (lags != lags[0]).any() else errors, lags[order] + 1.0
        added, buffer = np.zeros_like(total), np.empty_like(errors)
        for lag in range(1, int(width[0])):
            some = slice(0, int(np.searchsorted(-width, -lag)))
            products = np.multiply(errors[some, lag:], errors[some, : t - lag], out=buffer[some, : t - lag])
            added[some] += (1.0 - lag / width[some])[:, None, None] * regressors.squares(products, lag)
        total[order] += added
        return total

    def _lags_of(self, errors: Array, regressors: Regressors, squared: Array) -> Index:
        """The lags of each asset, shape (J,)."""
        if self.lags is not None:
            return np.full(len(errors), self.lags)
        variances = np.diagonal(squared, axis1=1, axis2=2)
        scale = np.sqrt(np.divide(1.0, variances, out=np.zeros_like(variances), where=variances > 0))
        return automatic_lags(errors * (scale @ regressors.z))


def _bartlett(sums: Array, m: int) -> Array:
    """Return the Bartlett covariance from cumulated sums: the mean square of sums over m dates in a row, over m."""
    if m == 1:
        return squares(np.diff(sums))
    inner = sums[..., m:] - sums[..., :-m]
    head, tail = sums[..., 1:m], sums[..., -1:] - sums[..., -m:-1]
    return np.asarray((squares(inner) + squares(head) + squares(tail)) / m)


def _standardised(stack: Array) -> Array:
    """Sum terms over their root mean squares, J × M × T to J × T."""
    length = np.sqrt(np.einsum("jmt,jmt->jm", stack, stack))
    scale = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    return np.asarray(np.matmul(scale[:, None, :], stack)[:, 0])


def automatic_lags(x: Array) -> Index:
    """Return the lags of Newey and West's plug-in rule for each of J series, J × T, shape (J,)."""
    t = x.shape[-1]
    most = int(4.0 * (t / 100.0) ** (2.0 / 9.0))
    products = np.array([np.einsum("jt,jt->j", x[:, lag:], x[:, : t - lag]) for lag in range(min(most, t - 1) + 1)])
    ages = np.arange(len(products))[:, None]
    at_zero = products[0] + 2.0 * products[1:].sum(axis=0)
    slope = 2.0 * (ages * products).sum(axis=0)
    ratio = np.divide(slope, at_zero, out=np.zeros_like(slope), where=at_zero != 0)
    # floor of a width of 0.999999... is rounding
    return np.asarray(np.floor(1.1447 * (ratio**2 * t) ** (1.0 / 3.0) + 1e-9), dtype=np.intp)
