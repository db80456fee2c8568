"""Models with assets that they do not cover, each with the figures of a basket of its peers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from attrs import evolve

from riskmodel.model.model import FactorModel
from riskmodel.model.regression import RegressionFit


def with_proxies(model: FactorModel, baskets: Mapping[Any, pd.Series[float]]) -> FactorModel:
    """Add assets to a model, each with the loadings and the idio variance of its peers.

    An asset's loadings and idio variance are the weighted means of those of its peers. Its idio risk is its own: it is
    not linked with that of others, and not diversified as that of a basket of the peers would be. Its alpha is zero,
    as nothing is known of it. The figures lean on others, as `FactorModel.prior` says.

    Parameters
    ----------
    model : FactorModel
        Of N assets, all peers among them.
    baskets : mapping
        For each of M new assets, the weights of its peers, whose sum is one.

    Returns
    -------
    FactorModel
        Of N + M assets. Of a regression, what is not known of the new assets (errors, R²) is NaN.
    """
    if not baskets:
        return model
    weights = np.zeros((len(baskets), len(model.assets)))
    for row, basket in enumerate(baskets.values()):
        weights[row, model.assets.get_indexer(basket.index)] = basket
    links = model.links.to_numpy()
    parts: dict[str, Any] = {
        "assets": model.assets.append(pd.Index(list(baskets))),
        "alpha": np.append(model.alpha, np.zeros(len(baskets))),
        "loadings": np.vstack([model.loadings, weights @ model.loadings.to_numpy()]),
        "idio_variance": np.append(model.idio_variance, weights @ model.idio_variance.to_numpy()),
    }
    return evolve(
        model,
        **parts,
        regression=None if model.regression is None else _regression(model.regression, parts, len(baskets)),
        links=np.vstack([links, np.zeros((len(baskets), links.shape[1]))]),
        priors=[*model.prior.index[model.prior], *baskets],
        proxies={**model.proxies, **baskets},
    )


def _regression(fit: RegressionFit, parts: Mapping[str, Any], m: int) -> RegressionFit:
    """Add M assets without a regression of their own."""
    unknown = np.full(m, np.nan)
    return evolve(
        fit,
        **parts,
        total_variance=np.append(fit._total_variance, unknown),
        rsquared=np.append(fit._rsquared, unknown),
        std_errors=np.vstack([fit._std_errors, np.full((m, fit._std_errors.shape[1]), np.nan)]),
        n_observations=np.append(fit._n_observations, np.zeros(m)),
    )
