"""Made panels of every difficulty, each a function of a seed, and what statsmodels makes of them."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm

import riskmodel as rm


def panel_of(returns, factors, start="2010-01-01"):
    """A daily panel of arrays, whose risk-free rate is zero."""
    days = pd.bdate_range(start, periods=len(returns))
    r = pd.DataFrame(returns, days, [f"A{i}" for i in range(returns.shape[1])])
    f = pd.DataFrame(factors, days, [f"F{i}" for i in range(factors.shape[1])])
    data = rm.InMemory(r, factors=f, risk_free=0.0, horizon=rm.DAY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rm.DoubtfulUnitWarning)  # of what is hard on purpose
        return data.panel(data.assets, data.factors)


def clean(seed=0, t=300, n=12, k=3):
    rng = np.random.default_rng(seed)
    f = rng.normal(3e-4, 0.01, (t, k))
    b = rng.normal(1.0, 0.5, (n, k))
    return panel_of(1e-4 + f @ b.T + rng.normal(0, 0.015, (t, n)), f)


def holes(returns, seed=0):
    """Late listings, early delistings, scattered holes, and a few assets that share a calendar."""
    rng = np.random.default_rng(seed)
    r = returns.copy()
    t, n = r.shape
    for j in range(n):
        if j % 4 == 0:
            r[: rng.integers(1, t // 2), j] = np.nan
        elif j % 4 == 1:
            r[-rng.integers(1, t // 2) :, j] = np.nan
        elif j % 4 == 2:
            r[rng.random(t) < 0.3, j] = np.nan
    r[5:40, -3:] = np.nan
    r[:, 0] = np.where(np.arange(t) < t - 12, np.nan, returns[:, 0])  # a dozen dates only
    return r


def ragged(seed=0):
    full = clean(seed, n=16)
    r, f, _ = full.arrays()
    return panel_of(holes(r, seed), f)


def scattered(seed=0, k=20):
    """A fifth of the returns missing, each asset with a pattern of its own."""
    r, f, _ = clean(seed, k=k).arrays()
    return panel_of(np.where(np.random.default_rng(seed).random(r.shape) < 0.2, np.nan, r), f)


def badly_scaled(seed=0):
    r, f, _ = clean(seed).arrays()
    return panel_of(r * 1e-4, f * 1e4)


def nearly_collinear(seed=0, t=400, n=10, condition=1e6, ragged_too=False):
    rng = np.random.default_rng(seed)
    f = rng.normal(0, 0.01, (t, 3))
    f[:, 2] = f[:, 0] + 0.01 * rng.normal(size=t) / condition
    r = f @ rng.normal(1, 0.5, (n, 3)).T + rng.normal(0, 0.01, (t, n))
    return panel_of(holes(r, seed) if ragged_too else r, f)


def nearly_explained(seed=0, t=300, n=10, unexplained=1e-9, ragged_too=False):
    rng = np.random.default_rng(seed)
    f = rng.normal(0, 0.01, (t, 2))
    fitted = f @ rng.normal(1, 0.3, (n, 2)).T
    noise = rng.normal(size=(t, n)) * fitted.std(axis=0) * np.sqrt(unexplained)
    return panel_of(holes(fitted + noise, seed) if ragged_too else fitted + noise, f)


def far_from_zero(seed=0, t=300, n=6):
    """Returns whose mean is large beside their spread, as those of a bill fund are."""
    rng = np.random.default_rng(seed)
    f = rng.normal(0, 1e-6, (t, 1))
    return panel_of(0.01 + f @ rng.normal(1, 0.3, (n, 1)).T + rng.normal(0, 1e-6, (t, n)), f)


ORDINARY = {
    "clean": clean,
    "ragged": ragged,
    "one factor": lambda: clean(k=1),
    "many factors": lambda: clean(k=9),
    "twenty factors": lambda: clean(k=20),
    "twenty factors and ragged": scattered,
}
HARD = {
    "badly scaled": badly_scaled,
    "nearly collinear": nearly_collinear,
    "nearly collinear and ragged": lambda: nearly_collinear(ragged_too=True),
    "nearly explained": nearly_explained,
    "nearly explained and ragged": lambda: nearly_explained(ragged_too=True),
    "hardly explained": lambda: nearly_explained(unexplained=1e-5),
    "far from zero": far_from_zero,
}


def reference(panel):
    """What statsmodels estimates, asset by asset, on the asset's own dates."""
    rows = {}
    for asset in panel.excess_returns:
        r = panel.excess_returns[asset].dropna()
        x = panel.factor_returns.loc[r.index]
        rows[asset] = sm.OLS(r.to_numpy(), np.column_stack([np.ones(len(x)), x.to_numpy()])).fit()
    return rows
