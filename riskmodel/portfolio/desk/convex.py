"""Hedge problems with costs and limits, by a convex solver."""

from __future__ import annotations

import warnings
from typing import Any, final

import numpy as np
from attrs import frozen

from riskmodel._core.arrays import Array, Flags
from riskmodel.errors import MissingExtraError, SolverError
from riskmodel.portfolio.desk.forms import Squares
from riskmodel.portfolio.desk.solver import Found, HedgeSolver
from riskmodel.portfolio.desk.terms import HedgeTerms

_ROUNDS = 40
# The successive problems stop where the objective falls by less than this share.
_STILL = 1e-7
# Price of breaking a cap in the first problem, and by how much it grows.
_FIRST_PRICE, _GROWTH, _LAST_PRICE = 10.0, 4.0, 1e5
# Caps are this much tighter in the problems, so that the solver's own tolerance does not break them.
_SAFE = 1e-7
_TOLERANCES = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}
# Of two hedges whose objectives differ by less than this share, the one with fewer trades is as good.
_AS_GOOD = 1e-9


@final
@frozen(eq=False, init=False)
class ConvexSolver(HedgeSolver):
    """Hedges within limits, by an interior-point solver.

    Caps on a share are not convex, as instruments add idio risk. The part of the total variance that they are a share
    of is convex, so the plane that touches it is below it: limits with the plane in its place are convex, and *safe*,
    as no hedge within them breaks the cap. The plane moves to each solution (the convex-concave procedure [1]_), with
    a price on breaking a cap until a first hedge keeps it. The bound is the semidefinite relaxation of the same
    problem [2]_, which no hedge is below.

    References
    ----------
    .. [1] Lipp, T. and Boyd, S. (2016). Variations and extension of the convex-concave procedure. *Optimization and
       Engineering* 17, 263-287.
    .. [2] Park, J. and Boyd, S. (2017). General Heuristics for Nonconvex Quadratically Constrained Quadratic
       Programming. arXiv:1703.07870, section 3.
    """

    terms: HedgeTerms
    _relaxed: Any
    _restricted: Any

    def __init__(self, terms: HedgeTerms) -> None:
        convex = all(s.is_convex for s in terms.squares.values())
        relaxed = _Program(terms) if convex else _Lifted(terms)
        self.__attrs_init__(terms=terms, relaxed=relaxed, restricted=None if convex else _Touching(terms))

    def solve(self, free: Flags, fixed: Array) -> Found | None:
        """Return the best hedge found, and the bound of the relaxation."""
        start = self._relaxed.solve(free, fixed)
        if start is None:
            return None
        h, bound = start
        if self._restricted is None or not self.terms.excess(h):
            h = self._settled(h, free)
            return Found(h, self.terms.objective(h), min(bound, self.terms.objective(h)))
        found = self._descend(h, free, fixed)
        if found is None:
            return Found(h, np.inf, bound)
        found = self._settled(found, free)
        return Found(found, self.terms.objective(found), bound)

    def is_possible(self) -> bool:
        """Whether the relaxation has a hedge; without one, the limits contradict each other for certain."""
        return self._relaxed.solve(np.ones(self.terms.n, dtype=bool), np.zeros(self.terms.n)) is not None

    def _settled(self, h: Array, free: Flags) -> Array:
        """Leave out trades that are the solver's rounding: without them the objective is no higher."""
        trade = np.abs(h - self.terms.held)
        for i in sorted(np.flatnonzero(free & (trade > 0) & (self.terms.trade > 0)), key=lambda j: float(trade[j])):
            tried = h.copy()
            tried[i] = self.terms.held[i]
            most = self.terms.objective(h)
            if self.terms.objective(tried) <= most + _AS_GOOD * abs(most) and not self.terms.excess(tried):
                h = tried
        return h

    def _descend(self, h: Array, free: Flags, fixed: Array) -> Array | None:
        best, price, least = None, _FIRST_PRICE, np.inf
        for _ in range(_ROUNDS):
            found = self._restricted.solve(free, fixed, h, price)
            if found is None:
                return best
            h = found
            if self.terms.excess(h):
                price = min(price * _GROWTH, _LAST_PRICE)
                continue
            value = self.terms.objective(h)
            if best is not None and value >= least - _STILL * abs(least):
                return best if least <= value else h
            best, least = h, value
        return best


class _Program:
    """Variables, costs and convex limits, in units of the strategy's own risk. The base of the two others."""

    def __init__(self, terms: HedgeTerms) -> None:
        cp = _cvxpy()
        n = terms.n
        self.terms, self.scale = terms, np.sqrt(terms.rows.variance(np.zeros(n))) or 1.0
        self.h = cp.Variable(n)
        self.mask, self.fixed = cp.Parameter(n, nonneg=True), cp.Parameter(n)
        risk = _all_rows(terms).over(self.scale)
        unit = terms.weight * self.scale**2
        cost = (
            (terms.trade / unit) @ cp.abs(self.h - terms.held)
            + (terms.borrow / unit) @ cp.neg(self.h)
            - (terms.carry / unit) @ self.h
        )
        self.limits = [cp.multiply(self.mask, self.h) == self.fixed, *self._linear()]
        for squares in terms.squares.values():
            self.add(squares.over(self.scale))
        self.unit = unit
        constant = terms.rows.constant / self.scale**2
        self.problem = cp.Problem(
            cp.Minimize(self.square(risk.rows, risk.own) + constant + cost + self.price()), self.limits
        )

    def _linear(self) -> list[Any]:
        low, high = self.terms.ends()
        limits = [self.h[np.isfinite(low)] >= low[np.isfinite(low)]] if np.isfinite(low).any() else []
        limits += [self.h[np.isfinite(high)] <= high[np.isfinite(high)]] if np.isfinite(high).any() else []
        for t in self.terms.linear.values():
            value = (t.slope @ self.h + t.own) / t.size
            if t.low == t.high:
                limits.append(value == t.low / t.size)
                continue
            limits += [value >= t.low / t.size] if np.isfinite(t.low) else []
            limits += [value <= t.high / t.size] if np.isfinite(t.high) else []
        return limits

    def square(self, rows: Array, own: Array) -> Any:
        """‖R h + r‖²."""
        return _cvxpy().sum_squares(rows @ self.h + own)

    def price(self) -> Any:
        """What is added to the objective."""
        return 0.0

    def add(self, squares: Squares) -> None:
        """Add a limit."""
        self.limits.append(self.square(squares.rows, squares.own) <= squares.constant * (1.0 - _SAFE))

    def solve(self, free: Flags, fixed: Array) -> tuple[Array, float] | None:
        """Return a hedge and the least objective, or None where the limits contradict each other."""
        value = self.run(free, fixed)
        return None if value is None else (self.value(free, fixed), value * self.unit)

    def run(self, free: Flags, fixed: Array) -> float | None:
        cp = _cvxpy()
        self.mask.value = np.where(free, 0.0, 1.0)
        self.fixed.value = np.where(free, 0.0, fixed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an inaccurate solution, which is checked below
            try:
                self.problem.solve(solver=cp.CLARABEL, **_TOLERANCES)
            except cp.error.SolverError as error:
                raise SolverError(
                    f"expected a solution of the hedge problem, got the solver's error {error}; rescale the costs or "
                    "loosen the limits.",
                    status="error",
                ) from error
        status = self.problem.status
        if status in {cp.INFEASIBLE, cp.INFEASIBLE_INACCURATE}:
            return None
        if status not in {cp.OPTIMAL, cp.OPTIMAL_INACCURATE}:
            raise SolverError(
                f"expected a solution of the hedge problem, got {status}; give every instrument risk or limits.",
                status=status,
            )
        return float(self.problem.value)

    def value(self, free: Flags, fixed: Array) -> Array:
        """The hedge, exactly within the limits of single holdings."""
        low, high = self.terms.ends()
        return np.asarray(np.where(free, np.clip(np.asarray(self.h.value, dtype=np.float64), low, high), fixed))


class _Lifted(_Program):
    """The semidefinite relaxation: H in place of h h', with H - h h' positive semidefinite."""

    def __init__(self, terms: HedgeTerms) -> None:
        cp = _cvxpy()
        self.corner = cp.Variable((terms.n + 1, terms.n + 1), PSD=True)
        super().__init__(terms)
        n = terms.n
        self.limits += [self.corner[n, n] == 1.0, self.corner[:n, n] == self.h]
        low, high = terms.ends()
        both = np.isfinite(low) & np.isfinite(high)
        if both.any():  # (h - low)(high - h) ≥ 0
            square = cp.diag(self.corner)[:n][both]
            low, high = low[both], high[both]
            self.limits.append(square <= cp.multiply(low + high, self.h[both]) - low * high)
        self.problem = cp.Problem(self.problem.objective, self.limits)

    def square(self, rows: Array, own: Array) -> Any:
        """The trace that stands for ‖R h + r‖²."""
        both = np.column_stack([rows, own])
        return _cvxpy().sum(_cvxpy().multiply(both.T @ both, self.corner))

    def add(self, squares: Squares) -> None:
        """Add a limit."""
        allowed = self.square(squares.against, squares.against_own) if not squares.is_convex else 0.0
        self.limits.append(self.square(squares.rows, squares.own) <= allowed + squares.constant)


class _Touching(_Program):
    """The restriction: a plane that touches from below in place of what a cap is a share of."""

    def __init__(self, terms: HedgeTerms) -> None:
        cp = _cvxpy()
        self.planes: list[tuple[Squares, Any, Any]] = []
        self.rate, self.over = cp.Parameter(nonneg=True), cp.Variable(nonneg=True)
        super().__init__(terms)

    def price(self) -> Any:
        """The price of breaking caps."""
        return self.rate * self.over

    def add(self, squares: Squares) -> None:
        """Add a limit."""
        if squares.is_convex:
            super().add(squares)
            return
        cp = _cvxpy()
        slope, level = cp.Parameter(self.terms.n), cp.Parameter()
        self.planes.append((squares, slope, level))
        self.limits.append(self.square(squares.rows, squares.own) <= slope @ self.h + level + self.over)

    def solve(self, free: Flags, fixed: Array, at: Array, price: float) -> Array | None:  # type: ignore[override]
        """Return the best hedge for the planes that touch at a hedge."""
        for squares, slope, level in self.planes:
            slope.value, own = squares.tangent(at)
            level.value = own + squares.constant - _SAFE * abs(own + squares.constant)
        self.rate.value = price
        return None if self.run(free, fixed) is None else self.value(free, fixed)


def _all_rows(terms: HedgeTerms) -> Squares:
    rows, n = terms.rows, terms.n
    every = np.vstack([rows.factor, rows.idio])
    return Squares(every, np.concatenate([rows.factor_own, rows.idio_own]), np.zeros((0, n)), np.zeros(0), 0.0)


def _cvxpy() -> Any:
    try:
        import cvxpy  # noqa: PLC0415 - optional, and used only here
    except ImportError as error:
        raise MissingExtraError.of("A hedge with costs or limits", "cvxpy", "optimize") from error
    return cvxpy
