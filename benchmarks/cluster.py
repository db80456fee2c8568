"""A panel on a cluster of processes: what a worker holds, and what travels."""

from __future__ import annotations

import numpy as np
import pandas as pd
from attrs import frozen

import riskmodel as rm
from benchmarks.timing import Figure, peak

N, K = 4_000, 6
WORKERS = 2


@frozen
class Cost:
    memory: float  # bytes, of the worker that held most, above what it held before
    sent: int  # bytes of results that left workers, for each other and for the client


def made(shape, seed):
    """A chunk of returns, made in its own memory."""
    returns = np.random.default_rng(seed).standard_normal(shape)
    returns *= 0.01
    return returns


def panel(rows, n_rows, columns, n_columns):
    """A panel of `rows` × `columns` chunks, each made by the worker that reads it."""
    import dask
    import dask.array as da

    from riskmodel.panel.dask import DaskPanel

    shape = (n_rows, n_columns)
    one = dask.delayed(made, pure=False)
    blocks = [[da.from_delayed(one(shape, (i, j)), shape, dtype=float) for j in range(columns)] for i in range(rows)]
    days = pd.date_range("1950-01-01", periods=rows * n_rows)
    factors = np.random.default_rng(0).normal(3e-4, 0.01, (len(days), K))
    return DaskPanel.from_array(
        da.block(blocks),
        dates=days,
        assets=range(columns * n_columns),
        factors=pd.DataFrame(factors, days, [f"F{i}" for i in range(K)]),
        risk_free=1e-5,
        horizon=rm.DAY,
    )


def cost(rows, n_rows, columns, n_columns) -> Cost:
    """What a fit costs workers that have fitted nothing but a small panel."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0
        ) as cluster,
        Client(cluster) as client,
    ):
        rm.OLS().fit(panel(2 * WORKERS, 50, 2, 10))
        low, before = client.run(peak), client.run(_sent)
        rm.OLS().fit(panel(rows, n_rows, columns, n_columns))
        high, after = client.run(peak), client.run(_sent)
    return Cost(max(high[w] - low[w] for w in low), sum(after[w] - before[w] for w in before))


def _sent(dask_worker):
    return dask_worker.transfer_outgoing_bytes_total


def on_a_cluster():
    """Memory of a worker and traffic, and how they grow with the number of dates."""
    columns = 2
    short, longer, finer = (
        cost(8, 1_000, columns, N // 2),
        cost(8, 2_000, columns, N // 2),
        cost(16, 1_000, columns, N // 2),
    )
    chunk, moments, whole = 8 * 1_000 * N / columns, 8 * N * K, 8 * 8_000 * N
    work = f"OLS fit, 8,000 × {N:,} × {K} on {WORKERS} workers, 8 × {columns} chunks"
    return [
        Figure(f"{work}: memory of a worker", "a chunk", 3, short.memory / chunk, "× its size"),
        Figure(f"{work}: traffic", "N·K numbers for each of 8 stretches", 2, short.sent / moments / 8, "× its size"),
        Figure(f"{work}: traffic", "the panel", 0.02, short.sent / whole, "× its size"),
        Figure(
            "the same, twice the dates in 16 × 2 chunks: memory",
            "as before",
            1.25,
            finer.memory / short.memory,
            "× its size",
        ),
        Figure(
            "the same, twice the dates in 16 × 2 chunks: traffic",
            "as before",
            2.5,
            finer.sent / short.sent,
            "× its size",
        ),
        Figure(
            "the same, twice the dates in 8 × 2 chunks: traffic",
            "as before",
            1.25,
            longer.sent / short.sent,
            "× its size",
        ),
    ]
