"""How sure, window by window: errors of rolling alphas and betas, and bands of a portfolio's exposures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen

from riskmodel._core.arguments import require, require_probability
from riskmodel._core.arrays import Array, Index
from riskmodel._core.listing import Listed
from riskmodel.errors import NotEstimatedError
from riskmodel.horizon import require_same
from riskmodel.inference.bounds import quantile
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.covariance.classical import Classical
from riskmodel.inference.covariance.cosine import Cosine
from riskmodel.inference.date_groups import groups_of
from riskmodel.inference.estimand import LONG_RUN, THIS_WINDOW, Estimand
from riskmodel.inference.inference import Inference
from riskmodel.inference.influence import FactorInfluence, PortfolioInfluence, Weights
from riskmodel.inference.std_errors import window_errors
from riskmodel.model.history import ModelHistory
from riskmodel.model.walk_forward import Held, read_held
from riskmodel.panel.memory import returns_on, rows_of

_ENDS = ("estimate", "low", "high")


def _require_covariance(_: Any, __: Any, value: Any) -> None:
    require(value, LongRunCovariance, "covariance", "such as rm.Cosine() or rm.HAC()")  # type: ignore[type-abstract]


def _require_regressions(_: Any, __: Any, history: Any) -> None:
    require(history, ModelHistory, "history", "from rm.Rolling(rm.YEAR).fit(panel)")
    estimates = history._estimates
    if estimates.regressions is None:
        raise NotEstimatedError(
            f"expected a history of models estimated by regressions over time, got {history!r} without; estimate them "
            "with rm.OLS() or rm.EWMA(...)."
        )
    require_same(history.horizon, history.panel.horizon, "a history and its panel")
    own, fitted = estimates.parameters, estimates.regressions.coefficients
    if own is not fitted and not np.allclose(own, fitted, rtol=1e-9, atol=0.0, equal_nan=True):
        raise NotEstimatedError(
            f"expected models whose alphas and loadings are those of their regressions, got others in {history!r}: "
            "errors of shrunk or adjusted parameters and of priors are not those of the regression; estimate them with "
            "rm.OLS() or rm.EWMA(...).",
            parts=["alpha", "loadings"],
        )


@final
@frozen(eq=False)
class _Window:
    """The regressions of a window.

    Attributes
    ----------
    number : int
        Its position in the history.
    columns, parameters : array of int, shape (n,), (K + 1,)
        Of its assets in the panel, and of alpha and its factors in the history.
    returns, factors : array, shape (T, n), (T, K)
        Of its dates.
    coefficients : array, shape (n, K + 1)
        Alpha and loadings.
    decay_factor : float
        As in `RegressionFit`.
    """

    number: int
    columns: Index
    parameters: Index
    returns: Array
    factors: Array
    coefficients: Array
    decay_factor: float


@final
@frozen(eq=False, repr=False)
class RollingInference(Listed):
    """Standard errors and intervals of each window of a history, by the mechanism of `Inference`.

    Parameters
    ----------
    history : ModelHistory
        From `Rolling` or `Expanding` with `OLS` or `EWMA`.
    covariance : LongRunCovariance, optional
        How variances of sums over the dates of a window are estimated; by default `Cosine`.

    Raises
    ------
    NotEstimatedError
        For models without regressions, or whose parameters are not those of their regressions.
    HorizonMismatchError
        If the models are at another horizon than the panel.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"], start="2015-01-01")
    >>> rolling = rm.RollingInference(rm.Rolling(rm.YEAR, every=rm.QUARTER).fit(panel))
    >>> rolling.exposures({"KO": 0.5, "XOM": 0.5})["Mkt-RF"].tail(2).round(2)
                estimate   low  high
    date
    2018-06-29      0.69  0.53  0.86
    2018-09-28      0.70  0.54  0.87
    """

    history: ModelHistory = field(validator=_require_regressions)
    covariance: LongRunCovariance = field(factory=Cosine, validator=_require_covariance)

    def __repr__(self) -> str:
        return f"<RollingInference of {self.history!r} with {self.covariance!r}>"

    def on(self, date: object) -> Inference:
        """Return the inference of the window that ends on a date: of its model, on its dates.

        Parameters
        ----------
        date : date-like
            As in `ModelHistory.on`.

        Raises
        ------
        UnknownDateError
            If no window ends on the date.
        EstimationError
            If no asset could be estimated in the window.
        NotEstimatedError
            If the parameters of the model are not those of its regression.
        """
        history, model = self.history, self.history.on(date)
        d = history._between(date)[0]
        rows = slice(int(history._starts[d]), int(history._stops[d]))
        return Inference.of(model, rows_of(history.panel, rows), self.covariance)

    def std_errors(self) -> pd.DataFrame:
        """Standard errors of all alphas and loadings of all windows, dates × (parameter, asset).

        Alpha's are decimals per horizon. NaN where an asset could not be estimated, or where a date's model does not
        have the factor.

        Raises
        ------
        NotEstimatedError
            If the parameters of the models are not those of their regressions.
        """
        history = self.history
        if isinstance(self.covariance, Classical):
            return history.std_errors
        out = np.full((len(history), len(history.factors) + 1, len(history.assets)), np.nan)
        for window in self._windows(slice(None)):
            found = window_errors(
                window.returns, window.factors, window.coefficients, window.decay_factor, self.covariance
            )
            out[np.ix_(np.array([window.number]), window.parameters, window.columns)] = found.T
        names = pd.MultiIndex.from_product([["alpha", *history.factors], history.assets], names=["parameter", "asset"])
        return pd.DataFrame(out.reshape(len(history), -1), history.dates, names, copy=False)

    def exposures(self, weights: Any, level: float = 0.95) -> pd.DataFrame:
        """Exposures of a portfolio of constant weights through time, each with its band.

        Parameters
        ----------
        weights : mapping or Series by asset
            Dollars per dollar of strategy; omitted assets have weight zero.
        level : float
            Probability with which each interval covers the average over its window, between 0 and 1.

        Returns
        -------
        DataFrame, dates × (factor, (``estimate``, ``low``, ``high``))
            Dimensionless; as `Inference.table` of each window. NaN where a held asset could not be estimated, or where
            a date's model does not have the factor.

        Raises
        ------
        UnknownAssetError
            For an asset that is not in the panel.
        InvalidParameterError
            For weights that are not finite numbers by asset, or a level that is no probability.
        NotEstimatedError
            If the parameters of the models are not those of their regressions, or for classical errors of assets with
            different dates.
        """
        history, (chosen, held) = self.history, self._read(level, weights)
        out = np.full((len(history), len(history.factors), len(_ENDS)), np.nan)
        for window, influence in self._influences(held):
            terms = influence.exposures()
            values = window.coefficients[:, 1:].T @ held.weights
            out[window.number, window.parameters[1:] - 1] = self._ends(values, terms, THIS_WINDOW, chosen)
        columns = pd.MultiIndex.from_product([history.factors, _ENDS], names=["factor", None])
        return pd.DataFrame(out.reshape(len(history), -1), history.dates, columns, copy=False)

    def alpha(self, weights: Any, level: float = 0.95) -> pd.DataFrame:
        """Alpha of a portfolio of constant weights through time, with its band.

        Parameters
        ----------
        weights, level
            As of `exposures`.

        Returns
        -------
        DataFrame, dates × (``estimate``, ``low``, ``high``)
            Decimals per horizon. NaN where a held asset could not be estimated.

        Raises
        ------
        UnknownAssetError, InvalidParameterError, NotEstimatedError
            As of `exposures`.
        """
        history, (chosen, held) = self.history, self._read(level, weights)
        out = np.full((len(history), len(_ENDS)), np.nan)
        for window, influence in self._influences(held):
            value = window.coefficients[:, 0] @ held.weights
            out[window.number] = self._ends(np.array([value]), influence.alpha(), LONG_RUN, chosen)[0]
        return pd.DataFrame(out, history.dates, list(_ENDS), copy=False)

    # -- windows -------------------------------------------------------------------------------------

    def _read(self, level: float, weights: Any) -> tuple[float, Held]:
        return require_probability(level, "level"), read_held(weights, self.history.assets)

    def _ends(self, values: Array, terms: DateTerms, estimand: Estimand, level: float) -> Array:
        """Estimates with the ends of their intervals, shape (M, 3), from terms of shape (M, 1, T)."""
        covariance = self.covariance.about(estimand)
        errors = np.sqrt(np.maximum(covariance.of_sums(terms)[:, 0, 0], 0.0))
        width = quantile(level, float(np.max(covariance.degrees_of_freedom(terms)))) * errors
        return np.column_stack([values, values - width, values + width])

    def _influences(self, held: Held) -> Iterator[tuple[_Window, PortfolioInfluence]]:
        """The windows in which all held assets could be estimated, and the influence of their dates."""
        power = self.covariance.leverage_power
        for window in self._windows(held.columns):
            if len(window.columns) == len(held.columns):
                groups = groups_of(window.returns, window.factors, window.coefficients, window.decay_factor, power)
                factors = FactorInfluence.of_returns(window.factors, window.decay_factor)
                yield window, PortfolioInfluence.of_groups(factors, groups, Weights.of(held.weights), power)

    def _windows(self, columns: Any) -> Iterator[_Window]:
        """The windows in which one of some assets could be estimated, with those that could."""
        history, estimates = self.history, self.history._estimates
        every, regressions = np.arange(len(history.assets))[columns], estimates.regressions
        assert regressions is not None
        shared = history.panel.returns_of(history._definitions[0]) if len(history._definitions) == 1 else None
        known = ~np.isnan(estimates.idio_variance[:, every])
        for d in np.flatnonzero(known.any(axis=1)).tolist():
            rows, own = slice(int(history._starts[d]), int(history._stops[d])), history._definitions_of(d)
            parameters = np.append(0, 1 + history.factors.get_indexer(pd.Index([f.name for f in own], dtype=object)))
            some = every[known[d]]
            yield _Window(
                number=d,
                columns=some,
                parameters=parameters,
                returns=history.panel.arrays()[0][rows, some],
                factors=returns_on(history.panel, own, rows) if shared is None else shared[rows],
                coefficients=regressions.coefficients[d][np.ix_(parameters, some)].T,
                decay_factor=float(regressions.decay_factor[d]),
            )
