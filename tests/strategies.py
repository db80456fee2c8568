"""Hypothesis strategies that the tests share: hostile but valid inputs.

The shape and the difficulty are drawn, so that a failure shrinks to the simplest of them; the numbers come from a
generator with a drawn seed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import strategies as st

import riskmodel as rm

SEEDS = st.integers(0, 2**32 - 1)


def assets(n):
    return [f"A{i}" for i in range(n)]


def factors(k):
    return [f"F{i}" for i in range(k)]


@st.composite
def factor_covariances(draw, k, low=-4, high=0):
    """F, K × K: full rank, singular or zero; volatilities from 10**low to 10**high."""
    rng = np.random.default_rng(draw(SEEDS))
    rank = draw(st.sampled_from([k, k, max(k - 1, 0), min(k, 1), 0]))
    spread = draw(st.floats(0, high - low))
    scales = 10 ** (high - spread * rng.random(k))
    root = rng.standard_normal((k, rank)) * scales[:, None]
    f = root @ root.T
    return (f + f.T) / 2


@st.composite
def loadings(draw, n, k):
    """B, N × K: with duplicates, zero rows and rows of very different size among the plain ones."""
    rng = np.random.default_rng(draw(SEEDS))
    b = rng.normal(0.5, 1.0, (n, k))
    for kind in draw(st.lists(st.sampled_from(["duplicate", "zero row", "scales"]), max_size=2, unique=True)):
        if kind == "duplicate" and n > 1:
            b[-1] = b[0]
        elif kind == "zero row":
            b[0] = 0.0
        elif kind == "scales":
            b *= 10 ** rng.uniform(-3, 3, (n, 1))
    return b


@st.composite
def idio_variances(draw, n, zeros=False):
    """The diagonal of D: of one size or very different ones, with zeros among them if asked."""
    rng = np.random.default_rng(draw(SEEDS))
    d = rng.uniform(0.2, 2.0, n) * 10.0 ** draw(st.integers(-8, 0))
    if draw(st.booleans()):
        d *= 10 ** rng.uniform(-4, 4, n)
    if zeros:
        d[draw(st.lists(st.integers(0, n - 1), max_size=n, unique=True))] = 0.0
    return d


@st.composite
def covariances(draw, max_assets=8, max_factors=5, zeros=False):
    """A `FactorCovariance`: K may be 0 or more than N, F singular; zero idio variances only if asked."""
    n, k = draw(st.integers(1, max_assets)), draw(st.integers(0, max_factors))
    return rm.FactorCovariance(
        assets(n),
        factors(k),
        draw(loadings(n, k)),
        draw(factor_covariances(k)),
        draw(idio_variances(n, zeros)),
        draw(horizons()),
    )


@st.composite
def models(draw, max_assets=6, max_factors=5, min_factors=0, zeros=False):
    """A `FactorModel` from parameters, some of its factors funded."""
    n, k = draw(st.integers(1, max_assets)), draw(st.integers(min_factors, max_factors))
    rng = np.random.default_rng(draw(SEEDS))
    return rm.FactorModel.from_parameters(
        assets=assets(n),
        factors=factors(k),
        alpha=rng.normal(0, 0.001, n),
        loadings=draw(loadings(n, k)),
        factor_covariance=draw(factor_covariances(k)),
        factor_mean=rng.normal(0, 0.005, k),
        idio_variance=draw(idio_variances(n, zeros)),
        horizon=draw(horizons()),
        risk_free_mean=draw(st.sampled_from([0.0, 1e-4])),
        funded=[bool(x) for x in rng.integers(0, 2, k)],
    )


def horizons():
    """One of the named horizons, or one of some other length."""
    return st.one_of(st.sampled_from([rm.DAY, rm.MONTH, rm.YEAR]), st.integers(1, 2520).map(rm.Horizon))


def numbers(largest=1e3):
    """Zero, or a size between 1e-6 and `largest`, of either sign: nothing that underflows when squared."""
    size = st.floats(1e-6, largest)
    return st.one_of(st.just(0.0), size, size.map(lambda x: -x))


@st.composite
def weights(draw, assets):
    """A Series of weights on some of the assets, long and short, at least one of them not zero."""
    chosen = draw(st.lists(st.sampled_from(list(assets)), min_size=1, unique=True))
    values = draw(st.lists(numbers(), min_size=len(chosen), max_size=len(chosen)).filter(any))
    return pd.Series(values, chosen)


@st.composite
def vectors(draw, n):
    """An array of n weights."""
    return np.array(draw(st.lists(numbers(), min_size=n, max_size=n)))


@st.composite
def strategies(draw, **kinds):
    """A `Strategy` in a model of the given kinds."""
    model = draw(models(**kinds))
    return rm.Strategy(draw(weights(model.assets)), model)


@st.composite
def return_frames(draw, *, max_dates=40, max_assets=5, max_factors=3, ragged=True):
    """Daily total returns, factor returns and a risk-free rate; every asset keeps enough dates to be estimated."""
    t, n, k = (
        draw(st.integers(12, max_dates)),
        draw(st.integers(1, max_assets)),
        draw(st.integers(1, max_factors)),
    )
    rng = np.random.default_rng(draw(SEEDS))
    days = pd.bdate_range("2015-01-01", periods=t)
    f = pd.DataFrame(rng.normal(0, 0.01, (t, k)), days, factors(k))
    noise = rng.normal(0, 10.0 ** draw(st.integers(-4, -2)), (t, n))
    r = pd.DataFrame(f.to_numpy() @ rng.normal(1, 0.5, (k, n)) + noise, days, assets(n))
    if ragged:
        for name in r.columns:
            kind = draw(st.sampled_from(["full", "late", "early", "holes"]))
            gone = rng.integers(1, t // 3 + 1)
            if kind == "late":
                r.loc[days[:gone], name] = np.nan
            elif kind == "early":
                r.loc[days[-gone:], name] = np.nan
            elif kind == "holes":
                r.loc[days[rng.choice(t, gone, replace=False)], name] = np.nan
    rate = pd.Series(rng.uniform(0, 2e-4, t), days)
    return r, f, rate
