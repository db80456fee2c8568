"""Checks that a model, its panel and a portfolio belong together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from riskmodel._core import labels
from riskmodel._core.arrays import Array, floats
from riskmodel.errors import InvalidParameterError, NotEstimatedError, UnknownAssetError
from riskmodel.inference.influence import FactorInfluence
from riskmodel.model.model import FactorModel

# Two computations of the same moments agree to this share.
_SAME = 1e-6


def require_regression(model: FactorModel) -> None:
    """Raise for a model whose parameters are not those of its regression."""
    fit = model.regression
    if fit is None and model._priors:
        leaning = labels.listing(model.prior.index[model.prior])
        raise NotEstimatedError(
            f"expected a model whose figures are all of regressions, got one in which those of {leaning} are means of "
            "others, whose errors are not known.",
            parts=["prior"],
        )
    if fit is None:
        raise NotEstimatedError(
            f"expected a model estimated by regressions over time, got {model!r} without one: the errors of given "
            "numbers, of cross-sections and of components are not known here; estimate it with rm.OLS() or "
            "rm.EWMA(...)."
        )
    parts = {
        "alpha": (model._alpha, fit._alpha),
        "loadings": (model._loadings, fit._loadings),
        "idio_variance": (model._idio_variance, fit._idio_variance),
    }
    lost = {a: p.index.difference(model.assets, sort=False) for a, p in model._proxies.items()}
    for asset, peers in lost.items():
        if len(peers):
            raise NotEstimatedError(
                f"expected the peers that stand in for {asset} in the model, got one without {labels.listing(peers)}, "
                "whose errors are those of it; restrict the model with them.",
                parts=["prior"],
                peers=list(peers),
            )
    # the same arrays, or rounding where a horizon was changed and back
    other = [name for name, (own, theirs) in parts.items() if not _are_close(own, theirs)]
    other += ["links"] if model._links.shape[1] else []
    other += ["prior"] if set(model._priors) - set(model._proxies) else []
    other += ["proxies"] if not all(_is_mean(model, *proxy) for proxy in model._proxies.items()) else []
    if other:
        raise _not_of_regression(other)


def _is_mean(model: FactorModel, asset: Any, peers: pd.Series[float]) -> bool:
    """Whether the figures of an asset are the means of its peers', without an alpha."""
    row, at, w = model.assets.get_loc(asset), model.assets.get_indexer(peers.index), floats(peers)
    same = np.allclose(model._loadings[row], w @ model._loadings[at], rtol=_SAME)
    return bool(same and np.isclose(model._idio_variance[row], w @ model._idio_variance[at]) and not model._alpha[row])


def _are_close(own: Array, theirs: Array) -> bool:
    size = np.abs(theirs).max(axis=0, initial=0.0)
    return own is theirs or bool((np.abs(own - theirs) <= 1e-9 * size).all())


def _not_of_regression(parts: list[str]) -> NotEstimatedError:
    return NotEstimatedError(
        f"expected a model whose parameters are those of its regression, got other {', '.join(parts)}: errors of "
        "shrunk or adjusted parameters and of priors are not those of the regression; estimate it with rm.OLS() or "
        "rm.EWMA(...).",
        parts=parts,
    )


def require_same_factors(model: FactorModel, factors: FactorInfluence) -> None:
    """Raise unless mean and covariance of the factors are those of the panel, with the model's weights."""
    d, n = factors.deviations, factors.n
    covariance = (d * factors.share[:, None]).T @ d * (n / (n - 1.0)) if n > 1 else model._factor_covariance * math.inf
    scale = np.sqrt(np.diag(covariance))
    moved = np.abs(model._factor_covariance - covariance) <= _SAME * np.outer(scale, scale)
    if not moved.all():
        raise NotEstimatedError(
            "expected the factor covariance of the panel that the model was fitted on, got another one; "
            "pass the panel that was passed to fit, and a model of rm.OLS() or rm.EWMA(...).",
            parts=["factor_covariance"],
        )
    if not (np.abs(model._factor_mean - factors.mean) <= _SAME * scale).all():
        raise _not_of_regression(["factor_mean"])


def require_same_model(own: FactorModel, model: FactorModel, names: pd.Index[Any], at: Any) -> None:
    """Raise for a portfolio in another model."""
    there = labels.positions(names, own.assets, "asset", UnknownAssetError)
    same = list(own.factors) == list(model.factors) and all(
        _are_close(getattr(own, part)[there], getattr(model, part)[at])
        for part in ("_alpha", "_loadings", "_idio_variance")
    )
    if not same or not _are_close(own._factor_covariance, model._factor_covariance):
        raise InvalidParameterError(
            f"expected a portfolio in the model of this inference, got one in {own!r} with other parameters; make it "
            "with the model that was passed to rm.Inference.of.",
            parameter="portfolio",
        )
