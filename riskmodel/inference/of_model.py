"""Figures of a user's own: numeric gradients in the parameters of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, final

import numpy as np
from attrs import evolve, frozen

from riskmodel._core.arrays import Array, Flags, Index, floats
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
class ModelFigures:
    """M figures of a model, with their gradients.

    Attributes
    ----------
    estimates : array, shape (M,)
        Of the figures.
    gradients : list of AssetGradient
        Their derivatives.
    move_with_means : array of bool, shape (M,)
        Whether each depends on an alpha or on the mean of a factor.
    """

    estimates: Array
    gradients: list[AssetGradient]
    move_with_means: Flags

    @classmethod
    def of(cls, figures: Callable[[FactorModel], Array], model: FactorModel, at: Index) -> Self:
        """Differentiate figures by the parameters of the assets at some positions, and of the factors."""
        k, n = len(model.factors), len(at)
        evaluations = 2 * (n * (k + 2) + k + k * (k + 1) // 2)
        if evaluations > _MOST:
            raise TooLargeError(
                f"expected a figure of fewer assets, as its gradient takes {evaluations:,} evaluations, more than "
                f"{_MOST:,}; pass assets=[...], those on which it depends.",
                evaluations=evaluations,
                limit=_MOST,
            )
        estimates = figures(model)
        m = len(estimates)
        numeric = _Numeric(figures, model, m)
        fit: Any = model.regression
        errors, dates = sizes_of_errors(model)[at], fit._n_observations[at]
        coefficients = np.reshape(
            [numeric.of_coefficients(i, s) for i, s in zip(at, errors, strict=True)], (n, k + 1, m)
        )
        mean_errors = np.sqrt(np.diag(model._factor_covariance) / dates.max(initial=1.0))
        mean = np.reshape([numeric.of_mean(j, s) for j, s in enumerate(mean_errors)], (k, m))
        covariance = numeric.of_covariance()
        idio = np.reshape([numeric.of_idio(int(i)) for i in at], (n, m))
        moves = np.concatenate([np.abs(coefficients[:, 0] * errors[:, :1]), np.abs(mean * mean_errors[:, None])])
        size = np.abs(coefficients * errors[:, :, None]).max(axis=(0, 1), initial=0.0)
        size = np.maximum(size, moves.max(axis=0, initial=0.0))
        size = np.maximum(size, np.abs(idio * model._idio_variance[at, None]).max(axis=0, initial=0.0))
        gradients = [AssetGradient(coefficients[..., j], mean[:, j], covariance[..., j], idio[:, j]) for j in range(m)]
        return cls(estimates, gradients, (moves > _MOVES * size).any(axis=0))


def sizes_of_errors(model: FactorModel) -> Array:
    """Return how far the parameters of each asset are moved, N × (K + 1): as standard errors of its own or of peers."""
    fit: Any = model.regression
    if not model._proxies:
        return np.asarray(fit._std_errors)
    errors = fit._std_errors.copy()
    for asset, peers in model._proxies.items():
        row = model.assets.get_loc(asset)
        errors[row] = np.abs(floats(peers)) @ fit._std_errors[model.assets.get_indexer(peers.index)]
        errors[row, 0] = 0.0  # an alpha that is not estimated does not move
    return np.asarray(errors)


@final
@frozen(eq=False)
class _Numeric:
    """Central differences of figures, shape (M,)."""

    figures: Callable[[FactorModel], Array]
    model: FactorModel
    m: int

    def _slope(self, part: str, up: Array, down: Array, step: float) -> Array:
        high, low = (self.figures(_with(self.model, part, x)) for x in (up, down))
        return np.asarray((high - low) / (2.0 * step))

    def _moved(self, part: str, at: Any, error: float) -> Array:
        values = getattr(self.model, f"_{part}")
        # parameters without an error do not vary, so their derivative does not matter
        step = _STEP * float(error)
        if not step > 0:
            return np.zeros(self.m)
        up, down = values.copy(), values.copy()
        up[at] += step
        down[at] -= step
        return self._slope(part, up, down, step)

    def of_coefficients(self, i: int, errors: Array) -> list[Array]:
        loadings = [self._moved("loadings", (i, j), e) for j, e in enumerate(errors[1:])]
        return [self._moved("alpha", i, errors[0]), *loadings]

    def of_mean(self, j: int, error: float) -> Array:
        return self._moved("factor_mean", j, error)

    def of_covariance(self) -> Array:
        """By F, shape (K, K, M): along L S L' with F = L L', so that F stays a covariance."""
        f = self.model._factor_covariance
        k = len(f)
        slopes = np.zeros((k, k, self.m))
        if not k:
            return slopes
        root = np.linalg.cholesky(f)
        for i, j in zip(*np.triu_indices(k), strict=True):
            towards = np.outer(root[:, i], root[:, j])
            towards = 0.5 * (towards + towards.T)
            slope = self._slope("factor_covariance", f + _STEP * towards, f - _STEP * towards, _STEP)
            slopes[i, j] = slopes[j, i] = slope
        back = np.linalg.inv(root)
        return np.asarray(np.einsum("ia,ijm,jb->abm", back, slopes, back))

    def of_idio(self, i: int) -> Array:
        """By an idio variance: of its logarithm, so that it stays positive."""
        values = self.model._idio_variance
        if not values[i] > 0:
            return np.zeros(self.m)
        up, down = values.copy(), values.copy()
        up[i] *= np.exp(_STEP)
        down[i] *= np.exp(-_STEP)
        return self._slope("idio_variance", up, down, _STEP) / float(values[i])


def _with(model: FactorModel, part: str, values: Array) -> FactorModel:
    changed: dict[str, Any] = {part: values, "regression": None}
    return evolve(model, **changed)


def one_number(figure: Callable[[FactorModel], float]) -> Callable[[FactorModel], Array]:
    """Return a figure of a user's own as one of M = 1 figures, which raises unless it is a finite number."""
    if not callable(figure):
        raise InvalidParameterError(
            f"expected figure as a function of a FactorModel, got {type(figure).__name__}; for instance "
            "lambda model: model.loadings.loc['MSFT', 'Mkt-RF'].",
            parameter="figure",
            got=figure,
        )

    def checked(model: FactorModel) -> Array:
        value = figure(model)
        if not is_number(value) or not np.isfinite(float(value)):
            raise InvalidParameterError(
                f"expected a figure that is a finite number, got {value!r}.", parameter="figure", got=value
            )
        return np.array([float(value)])

    return checked
