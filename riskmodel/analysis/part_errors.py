"""What errors of alphas and loadings do to the parts of an attribution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import numpy as np
from attrs import frozen

from riskmodel._core.arguments import require
from riskmodel._core.arrays import Array, floats
from riskmodel.analysis.market import Loadings, Market
from riskmodel.errors import InvalidParameterError
from riskmodel.inference.asset_gradient import AssetGradient, terms_of
from riskmodel.inference.covariance.base import DateTerms, LongRunCovariance
from riskmodel.inference.inference import Inference
from riskmodel.inference.rolling import RollingInference
from riskmodel.model.model import FactorModel


@final
@frozen(eq=False)
class PartErrors:
    r"""Errors of the sums over dates of alpha, of each factor's part and of what is specific.

    Each is linear in alphas and loadings. A model with the influence :math:`\psi_t` on the dates that it was fitted on
    adds :math:`g^\top \psi_t`, with g the derivatives by its parameters. Of several models with dates in common, what
    a date adds to each is summed first, so that errors of overlapping windows, which are nearly one error, add up.

    Attributes
    ----------
    market : Market
        T dates, N assets, K factors.
    scaled : array, shape (T, N)
        Weights, times the coefficient of the linking.
    inference : Inference or RollingInference
        Of the market's model or history.
    """

    market: Market
    scaled: Array
    inference: Inference | RollingInference

    def __attrs_post_init__(self) -> None:
        source, own, advice = self.market.source, self.inference, "that of the attribution's own model or history"
        if isinstance(source, FactorModel):
            same = require(own, Inference, "inference", advice).model is source
        else:
            same = require(own, RollingInference, "inference", advice).history is source
        if not same:
            raise InvalidParameterError(
                f"expected the inference of {source!r}, which the attribution was made with, got that of another; make "
                "it with rm.Inference.of(model, panel) or rm.RollingInference(history).",
                parameter="inference",
                got=own,
            )

    @property
    def covariance(self) -> LongRunCovariance:
        """How variances of sums over dates are estimated."""
        return self.inference.covariance

    def terms(self) -> list[DateTerms]:
        """What each date adds to the error of alpha, of each factor's part, and of what is specific."""
        sums = _Sums(len(self.market.factors) + 2, self._number_of_dates)
        for at, own, span in self._models():
            by = self._derivatives(span)
            held = (by != 0).any(axis=(0, 2))
            if held.any():
                sums.add(at, self._terms(own, by[:, held], self.market.assets[held].to_list()))
        return sums.terms(len(self.market.factors) + 1)

    @property
    def _number_of_dates(self) -> int:
        own = self.inference
        return len(own._fitted.panel.dates if isinstance(own, Inference) else own.history.panel.dates)

    def _models(self) -> Iterator[tuple[slice, Inference, Loadings]]:
        """Each model, the rows of the panel that it was fitted on, and the dates that have its loadings."""
        own = self.inference
        if isinstance(own, Inference):
            for span in self.market.loadings:
                yield slice(0, self._number_of_dates), own, span
            return
        history = own.history
        for span in self.market.loadings:
            rows = slice(int(history._starts[span.window]), int(history._stops[span.window]))
            yield rows, own.on(history.dates[span.window]), span

    def _derivatives(self, span: Loadings) -> Array:
        """Of each part by alphas and loadings, shape (K + 2, N, K + 1)."""
        known = np.column_stack([np.ones(len(self.market.dates[span.rows])), self.market.factor_returns[span.rows]])
        sums = self.scaled[span.rows].T @ known
        k = sums.shape[1]
        by = np.zeros((k + 1, *sums.shape))
        by[np.arange(k), :, np.arange(k)] = sums.T
        by[k] = -sums
        return by

    def _terms(self, own: Inference, by: Array, names: list[Any]) -> list[DateTerms]:
        at = np.append(0, 1 + self.market.factors.get_indexer(own.model.factors))
        k, n = len(at) - 1, len(names)
        gradients = [AssetGradient(x[:, at], np.zeros(k), np.zeros((k, k)), np.zeros(n)) for x in by]
        return terms_of(gradients, own._fitted, own.model.restrict(names), own.covariance.leverage_power)


@final
class _Sums:
    """Terms of several models, added up by date."""

    def __init__(self, parts: int, dates: int) -> None:
        self.by_date, self.amplitude = np.zeros((parts, dates)), np.zeros((parts, dates))
        self.n = np.inf

    def add(self, at: slice, terms: list[DateTerms]) -> None:
        """Add what a model's dates add."""
        for j, own in enumerate(terms):
            x, size = own.by_date[0], floats(own.amplitude)
            self.by_date[j, at] += x
            # an amplitude is known up to a factor; in a sum it counts as much as its terms do
            self.amplitude[j, at] += size * np.sqrt(float(x @ x) / float(size @ size))
            self.n = min(self.n, float(np.min(own.n)))

    def terms(self, n_parameters: int) -> list[DateTerms]:
        """The sums; the dates count by their amplitudes, and are at least those of the model with fewest."""
        found = []
        for x, size in zip(self.by_date, self.amplitude, strict=True):
            fourth = float(np.sum(size**4))
            n = max(float(np.sum(size**2)) ** 2 / fourth, self.n) if fourth > 0.0 else 0.0
            found.append(DateTerms(x[None], size, n, n_parameters))
        return found
