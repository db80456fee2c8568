"""Concatenate the moments of different assets over the same dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import fields

from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.moments.merging import rebased
from riskmodel.estimation.moments.regressions import BY_PATTERN, Regressions
from riskmodel.horizon import require_same

if TYPE_CHECKING:
    from riskmodel.estimation.moments.value import Moments

# Sums over the same dates agree to this, in whatever order they were added.
_SAME = 1e-9


def require_same_dates(a: Moments, b: Moments) -> None:
    """Raise unless the moments are of the same factors, dates and weights."""
    require_same(a.horizon, b.horizon, "moments to concatenate")
    for what in ("factors", "funded"):
        if list(getattr(a, what)) != list(getattr(b, what)):
            raise InvalidParameterError(
                f"cannot concatenate moments with different {what}; select(...) the same factors in the same order "
                "from the panels.",
                differ=what,
            )
    spans = [f"{m.n_dates} from {m.start.date()} to {m.end.date()}" for m in (a, b)]
    if spans[0] != spans[1]:
        raise InvalidParameterError(
            f"cannot concatenate moments of different dates, {spans[0]} and {spans[1]}; merge those with +.",
            differ="dates",
        )
    if not _same_weights(a, b):
        raise InvalidParameterError(
            "cannot concatenate moments with different weights, factor returns or risk-free rates; make both with one "
            "estimator over the same dates.",
            differ="weights",
        )


def _same_weights(a: Moments, b: Moments) -> bool:
    """Whether all sums that do not depend on assets agree, to rounding."""
    gram, other = a.factor_root.T @ a.factor_root, b.factor_root.T @ b.factor_root
    size = np.sqrt(np.diag(gram))
    scale = np.abs(a.factor_mean) + size / np.sqrt(a.weight)
    mine, theirs = ([m.weight, m.weight_squares, m.risk_free_mean] for m in (a, b))
    return bool(
        abs(a.scale - b.scale) <= _SAME
        and np.allclose(mine, theirs, rtol=_SAME, atol=0.0)
        and (np.abs(b.factor_mean - a.factor_mean) <= _SAME * scale).all()
        and (np.abs(other - gram) <= _SAME * np.outer(size, size)).all()
    )


def in_basis_of(a: Moments, b: Moments) -> Regressions:
    """The regressions of b in the basis of a."""
    if np.array_equal(a.basis, b.basis) and np.array_equal(a.origin, b.origin):
        return b.regressions
    return rebased(b, a.basis, a.origin)


def concat_regressions(parts: list[Regressions]) -> Regressions:
    """Concatenate the assets of several regressions, without duplicate patterns."""
    first = np.cumsum([0, *(len(p.count) for p in parts)])
    n = first[-1]
    joined = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Regressions)}
    pattern = np.concatenate([p.pattern + at for p, at in zip(parts, first, strict=False)])
    rows = np.column_stack([joined[name].reshape(n, joined[name].size // n) for name in BY_PATTERN])
    _, kept, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    joined |= {name: joined[name][kept] for name in BY_PATTERN}
    return Regressions(**joined | {"pattern": which.reshape(-1)[pattern]})
