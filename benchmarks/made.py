"""Made panels and covariances of a given size."""

import numpy as np
import pandas as pd

import riskmodel as rm


def panel(t=2_520, n=5_000, k=6, missing=0.0, seed=0):
    """A daily panel; each asset has its own scattered holes where some share is missing."""
    rng = np.random.default_rng(seed)
    f = rng.normal(3e-4, 0.01, (t, k))
    r = f @ rng.normal(1.0, 0.5, (n, k)).T
    r += rng.normal(0.0, 0.02, (t, n))
    if missing:
        r[rng.random((t, n)) < missing] = np.nan
    names = tuple(f"F{i}" for i in range(k))
    return rm.ReturnPanel(
        dates=pd.bdate_range("2010-01-01", periods=t),
        asset_names=pd.RangeIndex(n),
        factor_names=pd.Index(names),
        assets=r,
        factors=f,
        risk_free=np.zeros(t),
        horizon=rm.DAY,
        sources=names,
        funded=(False,) * k,
        dropped=pd.DataFrame({"date": [], "reason": []}),
    )


def covariance(n, k, seed=0):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(k, k)) / np.sqrt(k)
    return rm.FactorCovariance(
        pd.RangeIndex(n),
        pd.Index([f"F{i}" for i in range(k)]),
        rng.normal(size=(n, k)),
        1e-4 * (root @ root.T + np.eye(k)),
        rng.uniform(1e-4, 9e-4, n),
        rm.DAY,
    )
