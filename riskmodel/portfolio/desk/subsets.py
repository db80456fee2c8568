"""The best hedge with at most k of n instruments."""

from __future__ import annotations

import heapq
from itertools import count

import numpy as np

from riskmodel._core.arrays import Array, Flags
from riskmodel.portfolio.desk.solver import Found, HedgeSolver

# Stop after so many problems, and say how far the best may be.
MOST_PROBLEMS = 2_000
# Two objectives that differ by less than this share are equal.
_EQUAL = 1e-9


def fewest(solver: HedgeSolver, n: int, k: int, open_: Flags, fixed: Array) -> Found | None:
    """Return the best hedge that holds at most k instruments, by branch and bound.

    A branch includes an instrument, or excludes it. With some excluded and no limit on their number, the rest is a
    bound on all hedges of the branch: excluding more only raises it ("leaps and bounds" [1]_). Branches whose bound is
    no lower than the best hedge are cut, so what is found is the optimum, unless the search stops at 2,000 problems;
    its bound then says how far the optimum may be.

    Parameters
    ----------
    solver : HedgeSolver
        Of the problem without a limit on the number.
    n, k : int
        Instruments, and how many may be held.
    open_ : array of bool, shape (n,)
        Which may change; others keep `fixed`, and count where they hold something.
    fixed : array, shape (n,)
        Holdings of those that may not change.

    References
    ----------
    .. [1] Furnival, G. M. and Wilson, R. W. (1974). Regressions by Leaps and Bounds. *Technometrics* 16(4), 499-511.
    """
    kept = int(np.count_nonzero(np.where(open_, 0.0, fixed)))
    if k <= kept:
        return solver.solve(np.zeros(n, dtype=bool), fixed) if k == kept else None
    return _Search(solver, n, k - kept, open_, fixed).run()


class _Search:
    def __init__(self, solver: HedgeSolver, n: int, k: int, open_: Flags, fixed: Array) -> None:
        self.solver, self.n, self.k, self.open, self.fixed = solver, n, k, open_, np.where(open_, 0.0, fixed)
        self.best: Found | None = None
        self.problems, self.order = 0, count()
        self.least = np.inf  # bound of what was solved to the end
        self.is_unknown = False  # whether a set may have a hedge that was not found
        self.heap: list[tuple[float, int, Found, frozenset[int], frozenset[int]]] = []

    def run(self) -> Found | None:
        every = frozenset(int(i) for i in np.flatnonzero(self.open))
        self._open(frozenset(), every)
        while self.heap and self.problems < MOST_PROBLEMS:
            bound, _, found, included, allowed = heapq.heappop(self.heap)
            if self._is_cut(bound):
                self.heap = []
                break
            largest = self._largest(found, allowed - included)
            more = included | {largest}
            if len(more) == self.k:
                self._open(more, more)
            else:
                self._push(found, more, allowed)
            self._open(included, allowed - {largest})
        bounds = [self.least, *(entry[0] for entry in self.heap)]
        if self.best is None:
            return Found(self.fixed, np.inf, min(bounds)) if self.heap or self.is_unknown else None
        return Found(self.best.hedge, self.best.objective, min(self.best.objective, *bounds))

    def _open(self, included: frozenset[int], allowed: frozenset[int]) -> None:
        """Solve with some allowed; keep what holds few enough, and go on with the rest."""
        found = self._solve(allowed)
        if found is None or self._is_cut(found.bound):
            return
        if self._count(found, allowed) <= self.k:
            self._offer(found)
            if found.objective - found.bound <= _EQUAL * abs(found.objective):
                self.least = min(self.least, found.bound)
                return
        elif len(allowed) > self.k:  # the largest of it make a hedge that is often good
            free = allowed - included
            order = sorted(free, key=lambda i: -abs(found.hedge[i]))[: self.k - len(included)]
            self._offer(self._solve(included | frozenset(order)))
        if len(allowed) > self.k and allowed - included:
            self._push(found, included, allowed)
        else:
            self.least = min(self.least, found.bound)
            self.is_unknown |= found.objective == np.inf

    def _push(self, found: Found, included: frozenset[int], allowed: frozenset[int]) -> None:
        if not self._is_cut(found.bound) and allowed - included:
            heapq.heappush(self.heap, (found.bound, next(self.order), found, included, allowed))

    def _solve(self, allowed: frozenset[int]) -> Found | None:
        self.problems += 1
        free = np.zeros(self.n, dtype=bool)
        free[list(allowed)] = True
        return self.solver.solve(free, self.fixed)

    def _offer(self, found: Found | None) -> None:
        if found is None or found.objective == np.inf:
            return
        if self.best is None or found.objective < self.best.objective:
            self.best = found

    def _is_cut(self, bound: float) -> bool:
        return self.best is not None and bound >= self.best.objective - _EQUAL * abs(self.best.objective)

    def _count(self, found: Found, allowed: frozenset[int]) -> int:
        return int(np.count_nonzero(found.hedge[list(allowed)]))

    def _largest(self, found: Found, free: frozenset[int]) -> int:
        return max(free, key=lambda i: (abs(float(found.hedge[i])), -i))
