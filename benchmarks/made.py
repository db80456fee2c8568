"""Made panels and covariances of a given size."""

from pathlib import Path

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
        assets=pd.RangeIndex(n),
        factors=pd.Index(names),
        excess_returns=r,
        factor_returns=f,
        risk_free=np.zeros(t),
        horizon=rm.DAY,
        definitions=names,
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


def stored_files(folder, years, n=2_000, k=6):
    """Write a daily panel as an array, and as one Parquet file a year; factors beside them."""
    rng, folder = np.random.default_rng(0), Path(folder)
    t = 252 * years
    factors, loadings = rng.normal(3e-4, 0.01, (t, k)), rng.normal(1.0, 0.5, (n, k))
    np.save(folder / "factors.npy", factors)
    array = np.lib.format.open_memmap(folder / "returns.npy", "w+", np.float64, (t, n))
    (folder / "years").mkdir()
    for year, start in enumerate(range(0, t, 252)):
        returns = factors[start : start + 252] @ loadings.T + rng.normal(0.0, 0.02, (252, n))
        array[start : start + 252] = returns
        frame = pd.DataFrame(returns, _days(t)[start : start + 252], [f"A{i}" for i in range(n)])
        frame.to_parquet(folder / "years" / f"{year:03}.parquet")


def stored(folder, kind, years):
    """The first years of those files."""
    t, folder = 252 * years, Path(folder)
    factors = np.load(folder / "factors.npy")[:t]
    beside = {
        "factors": pd.DataFrame(factors, _days(t), [f"F{i}" for i in range(factors.shape[1])]),
        "risk_free": 0.0,
        "horizon": rm.DAY,
    }
    if kind == "memmap":
        return rm.StoredPanel.array(np.load(folder / "returns.npy", mmap_mode="r")[:t], dates=_days(t), **beside)
    return rm.StoredPanel.parquet(sorted((folder / "years").iterdir())[:years], **beside)


def plain_read(folder, kind):
    """Every number once, a year at a time, with numpy or pyarrow alone."""
    import pyarrow.parquet as pq

    if kind == "memmap":
        array = np.load(Path(folder) / "returns.npy", mmap_mode="r")
        return sum(array[start : start + 252].sum() for start in range(0, len(array), 252))
    return sum(pq.read_table(file).num_rows for file in sorted((Path(folder) / "years").iterdir()))


def _days(t):
    return pd.bdate_range("1900-01-01", periods=t)
