"""Risk models made of parts: time, memory and growth."""

from __future__ import annotations

import numpy as np

from benchmarks.timing import Figure, in_own_process

T, N, K = 504, 5_000, 10

_FIT = """
import time, numpy as np, pandas as pd, riskmodel as rm
from benchmarks.timing import peak
def panel(n, t={t}):
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.01, (t, {k})) @ rng.normal(0.3, 0.5, ({k}, n))
    values += rng.normal(0, 0.02, (t, n))
    return rm.ReturnPanel(
        dates=pd.bdate_range("2015-01-01", periods=t), assets=pd.RangeIndex(n), factors=pd.Index([]),
        excess_returns=values, factor_returns=np.zeros((t, 0)), risk_free=np.zeros(t), horizon=rm.DAY,
        definitions=(), dropped=pd.DataFrame({{"date": [], "reason": []}}))
estimator = {estimator}
estimator.fit(panel(200))
whole = panel({n})
low, start = peak(), time.process_time()
estimator.fit(whole)
print(time.process_time() - start, (peak() - low) / (8 * {t} * {n}))
"""
_PARTS = (
    "rm.Assembled(rm.PrincipalComponents(10, level_half_life=rm.MONTH, largest=8.0), rm.PooledCovariance(), "
    "rm.ShrunkVariance(rm.PooledVariance(), 0.2))"
)


def assembled():
    """Ten components, pooled volatilities and shrunk idio variances; and the recommended model."""
    parts, doubled, recommended = (
        _least(estimator, n) for estimator, n in ((_PARTS, N), (_PARTS, 2 * N), ("rm.recommended()", N))
    )
    work = f"assembled model, {T} × {N:,}, K = {K}"
    return [
        Figure(work, "a second of one core", 1, parts[0], "seconds"),
        Figure(f"{work}: peak memory", "the panel's own size", 4, parts[1], "× its size"),
        Figure(f"{work}: doubling N, time", "N", 2.3, doubled[0] / parts[0], "× its time"),
        Figure(
            f"recommended model, {T} × {N:,}", "one of its three speeds", None, recommended[0] / parts[0], "× its time"
        ),
    ]


def _least(estimator, n):
    """The least processor time, in seconds, and the least peak memory, in panels, of three processes."""
    code = _FIT.format(t=T, n=n, k=K, estimator=estimator)
    return np.array([in_own_process(code) for _ in range(3)]).min(axis=0)
