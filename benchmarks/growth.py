"""How the cost of a fit grows with dates, assets and factors."""

import riskmodel as rm
from benchmarks.made import panel
from benchmarks.timing import best

BASE = {"t": 1_260, "n": 1_000, "k": 6}
SIZES = {
    "t": (63, 126, 252, 504, 1_260, 2_520, 5_040, 10_080, 20_160),
    "n": (10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000),
    "k": (1, 2, 3, 6, 10, 20, 40, 70),
}


def growth():
    """By what grows, the sizes and the milliseconds of each work, all else as in BASE."""
    return {axis: curves(axis, sizes) for axis, sizes in SIZES.items()}


def curves(axis, sizes):
    rows = [milliseconds(**(BASE | {axis: size})) for size in sizes]
    return {"sizes": list(sizes)} | {name: [row[name] for row in rows] for name in rows[0]}


def milliseconds(t, n, k):
    full, ragged = panel(t, n, k), panel(t, n, k, missing=0.3)
    works = {
        "one read": full.arrays()[0].sum,
        "OLS, full": lambda: rm.OLS().fit(full),
        "OLS, ragged": lambda: rm.OLS().fit(ragged),
    }
    seconds = best(*works.values(), rounds=3 if t * n > 10_000_000 else 7)
    return {name: float(f"{1e3 * s:.3g}") for name, s in zip(works, seconds, strict=True)}
