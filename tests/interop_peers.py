"""The packages that `riskmodel.interop` adapts to, and a market that tests of them share."""

import os
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm

# `make test-interop` allows no skips.
REQUIRED = bool(os.environ.get("RISKMODEL_NEEDS_PEERS"))


def peer(name):
    """Import a package, or skip the module."""
    if find_spec(name) is None and not REQUIRED:
        pytest.skip(f"{name} is not installed; run make test-interop", allow_module_level=True)
    return import_module(name)


def tables(dates=400, assets=12, seed=0):
    """Asset returns and factor returns, both in excess of cash."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2020-01-01", periods=dates, name="date")
    factors = pd.DataFrame(rng.normal(4e-4, [0.01, 0.005, 0.004], (dates, 3)), days, ["Mkt-RF", "SMB", "HML"])
    loadings = rng.normal([1.0, 0.2, 0.0], [0.3, 0.4, 0.4], (assets, 3))
    noise = rng.normal(1e-4, rng.uniform(0.008, 0.02, assets), (dates, assets))
    returns = factors.to_numpy() @ loadings.T + noise
    return pd.DataFrame(returns, days, [f"A{i:02}" for i in range(assets)]), factors


def market(dates=400, assets=12, seed=0):
    """The same as a panel."""
    returns, factors = tables(dates, assets, seed)
    data = rm.InMemory(returns, factors=factors, risk_free=0.0, horizon=rm.DAY, return_type=rm.EXCESS)
    return data.panel(list(returns), list(factors))
