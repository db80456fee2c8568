"""Figures of a user's own: numeric gradients in the parameters of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, final

import numpy as np
from attrs import evolve, frozen

from riskmodel._core.arrays import Array, Index
from riskmodel.errors import InvalidParameterError, TooLargeError
from riskmodel.horizon import is_number
from riskmodel.inference.asset_gradient import AssetGradient
from riskmodel.model.model import FactorModel

# Steps of numeric derivatives, in standard errors.
_STEP = 1e-3
# The most evaluations of a figure.
_MOST = 20_000
# A figure moves with the means where a standard error of them moves it by more than this of what all others do.
_MOVES = 1e-6


@final
@frozen(eq=False)
class ModelFigure:
    """A figure of a model, with its gradient.

    Attributes
    ----------
    value : float
        At the estimate.
    gradient : AssetGradient
        Its derivatives.
    moves_with_means : bool
        Whether it depends on an alpha or on the mean of a factor.
    """

    value: float
    gradient: AssetGradient
    moves_with_means: bool

    @classmethod
    def of(cls, figure: Callable[[FactorModel], float], model: FactorModel, at: Index) -> Self:
        """Differentiate a figure by the parameters of the assets at some positions, and of the factors."""
        k = len(model.factors)
        evaluations = 2 * (len(at) * (k + 2) + k + k * (k + 1) // 2)
        if evaluations > _MOST:
            raise TooLargeError(
                f"expected a figure of fewer assets, as its gradient takes {evaluations:,} evaluations, more than "
                f"{_MOST:,}; pass assets=[...], those on which it depends.",
                evaluations=evaluations,
                limit=_MOST,
            )
        value = _evaluate(figure, model)
        numeric = _Numeric(figure, model)
        fit: Any = model.regression
        errors, n = fit._std_errors[at], fit._n_observations[at]
        coefficients = np.array([numeric.of_coefficients(i, s) for i, s in zip(at, errors, strict=True)])
        mean_errors = np.sqrt(np.diag(model._factor_covariance) / n.max(initial=1.0))
        mean = np.array([numeric.of_mean(j, s) for j, s in enumerate(mean_errors)])
        covariance = numeric.of_covariance()
        idio = np.array([numeric.of_idio(int(i)) for i in at])
        moves = np.append(np.abs(coefficients[:, 0] * errors[:, 0]), np.abs(mean * mean_errors))
        size = np.abs(coefficients * errors).max(initial=0.0)
        size = max(size, float(moves.max(initial=0.0)), float(np.abs(idio * model._idio_variance[at]).max(initial=0.0)))
        gradient = AssetGradient(coefficients.reshape(len(at), k + 1), mean, covariance, idio)
        return cls(value, gradient, bool((moves > _MOVES * size).any()))


@final
@frozen(eq=False)
class _Numeric:
    """Central differences of a figure."""

    figure: Callable[[FactorModel], float]
    model: FactorModel

    def _slope(self, part: str, up: Array, down: Array, step: float) -> float:
        high, low = (_evaluate(self.figure, _with(self.model, part, x)) for x in (up, down))
        return (high - low) / (2.0 * step)

    def _moved(self, part: str, at: Any, error: float) -> float:
        values = getattr(self.model, f"_{part}")
        # parameters without an error do not vary, so their derivative does not matter
        step = _STEP * float(error)
        if not step > 0:
            return 0.0
        up, down = values.copy(), values.copy()
        up[at] += step
        down[at] -= step
        return self._slope(part, up, down, step)

    def of_coefficients(self, i: int, errors: Array) -> list[float]:
        loadings = [self._moved("loadings", (i, j), e) for j, e in enumerate(errors[1:])]
        return [self._moved("alpha", i, errors[0]), *loadings]

    def of_mean(self, j: int, error: float) -> float:
        return self._moved("factor_mean", j, error)

    def of_covariance(self) -> Array:
        """By F: along L S L' with F = L L', so that F stays a covariance."""
        f = self.model._factor_covariance
        k = len(f)
        if not k:
            return np.zeros((0, 0))
        root = np.linalg.cholesky(f)
        slopes = np.zeros((k, k))
        for i, j in zip(*np.triu_indices(k), strict=True):
            towards = np.outer(root[:, i], root[:, j])
            towards = 0.5 * (towards + towards.T)
            slope = self._slope("factor_covariance", f + _STEP * towards, f - _STEP * towards, _STEP)
            slopes[i, j] = slopes[j, i] = slope
        back = np.linalg.inv(root)
        return np.asarray(back.T @ slopes @ back)

    def of_idio(self, i: int) -> float:
        """By an idio variance: of its logarithm, so that it stays positive."""
        values = self.model._idio_variance
        if not values[i] > 0:
            return 0.0
        up, down = values.copy(), values.copy()
        up[i] *= np.exp(_STEP)
        down[i] *= np.exp(-_STEP)
        return self._slope("idio_variance", up, down, _STEP) / float(values[i])


def _with(model: FactorModel, part: str, values: Array) -> FactorModel:
    changed: dict[str, Any] = {part: values, "regression": None}
    return evolve(model, **changed)


def _evaluate(figure: Callable[[FactorModel], float], model: FactorModel) -> float:
    if not callable(figure):
        raise InvalidParameterError(
            f"expected figure as a function of a FactorModel, got {type(figure).__name__}; for instance "
            "lambda model: model.loadings.loc['MSFT', 'Mkt-RF'].",
            parameter="figure",
            got=figure,
        )
    value = figure(model)
    if not is_number(value) or not np.isfinite(float(value)):
        raise InvalidParameterError(
            f"expected a figure that is a finite number, got {value!r}.", parameter="figure", got=value
        )
    return float(value)
