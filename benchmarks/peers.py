"""Small and compiled programs that a user might write or install instead; one that does not import is left out."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

import numpy as np


def installed(name):
    """Whether a peer can be measured; say so on stderr where it cannot."""
    if find_spec(name) is not None:
        try:
            import_module(name)
        except Exception as error:
            print(f"skipped: {name} does not import ({error})", file=sys.stderr)
            return False
        return True
    print(f"skipped: {name} is not installed; pip install '.[bench]'", file=sys.stderr)
    return False


def normal_equations(returns, factors):
    """Coefficients alone, (K + 1) × N."""
    x = np.column_stack([np.ones(len(factors)), factors])
    return np.linalg.solve(x.T @ x, x.T @ returns)


def jax_betas():
    """The same, compiled."""
    import jax

    jax.config.update("jax_enable_x64", True)

    @jax.jit
    def betas(returns, factors):
        x = jax.numpy.column_stack([jax.numpy.ones(len(factors)), factors])
        return jax.numpy.linalg.solve(x.T @ x, x.T @ returns)

    return lambda returns, factors: betas(returns, factors).block_until_ready()


def numba_rolling():
    """Rolling coefficients by adding the day that enters and subtracting the one that leaves: N × windows × (K + 1)."""
    import numba

    @numba.njit(fastmath=False)
    def rolling(returns, factors, window):  # returns: N × T
        (n, t), k = returns.shape, factors.shape[1] + 1
        x = np.ones((t, k))
        x[:, 1:] = factors
        inverse, gram = np.empty((t, k, k)), np.zeros((k, k))
        for d in range(t):
            gram += np.outer(x[d], x[d])
            if d >= window:
                gram -= np.outer(x[d - window], x[d - window])
            if d >= window - 1:
                inverse[d] = np.linalg.inv(gram)
        betas = np.empty((n, t - window + 1, k))
        for i in range(n):
            cross = np.zeros(k)
            for d in range(t):
                for j in range(k):
                    cross[j] += x[d, j] * returns[i, d]
                    if d >= window:
                        cross[j] -= x[d - window, j] * returns[i, d - window]
                if d >= window - 1:
                    for j in range(k):
                        total = 0.0
                        for m in range(k):
                            total += inverse[d, j, m] * cross[m]
                        betas[i, d - window + 1, j] = total
        return betas

    return rolling


def numbagg_rolling(returns, factor, window):
    """Rolling betas on one factor, N × windows."""
    import numbagg

    x = np.broadcast_to(factor, returns.shape)
    covariance = numbagg.move_cov(returns, x, window=window)
    return (covariance / numbagg.move_var(factor, window=window))[:, window - 1 :]


def polars_rolling(returns, factors, window):
    """Rolling coefficients of each asset by polars-ds: N × windows × (K + 1), the constant last."""
    import polars as pl
    import polars_ds as pds

    names = [f"F{i}" for i in range(factors.shape[1])]
    frame = pl.DataFrame(dict(zip(names, factors.T, strict=True)))
    some = []
    for r in returns:
        expression = pds.rolling_lin_reg(*names, target="r", window_size=window, add_bias=True)
        found = frame.with_columns(r=pl.Series(r)).select(expression.alias("fit")).unnest("fit")
        some.append(found["coeffs"].slice(window - 1))
    return np.array([s.to_list() for s in some])


def polars_fit(returns, factors):
    """Coefficients of each asset by polars-ds."""
    import polars as pl
    import polars_ds as pds

    names, assets = [f"F{i}" for i in range(factors.shape[1])], [f"A{i}" for i in range(len(returns))]
    frame = pl.DataFrame(dict(zip(names, factors.T, strict=True)) | dict(zip(assets, returns, strict=True)))
    return frame.select([pds.lin_reg(*names, target=a, add_bias=True).alias(a) for a in assets])
