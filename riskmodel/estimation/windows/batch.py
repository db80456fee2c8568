"""Least squares in every window of a panel at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
from attrs import evolve, frozen

from riskmodel._core.arrays import Array, Counts, Flags, Index
from riskmodel._core.linalg import (
    CANCELS,
    ILL_CONDITIONED,
    ROUNDING,
    STILL,
    conditioned_within,
    inverse_roots_together,
    smallest_singular_value,
    upper_triangle,
)
from riskmodel.errors import EstimationError
from riskmodel.estimation.available import TOO_FEW
from riskmodel.estimation.moments.regressions import effective
from riskmodel.estimation.moments.value import are_still
from riskmodel.estimation.windows.loop import fit_window
from riskmodel.estimation.windows.segment import Segment
from riskmodel.estimation.windows.sliding import WindowGroups
from riskmodel.estimation.windows.spans import Spans
from riskmodel.model.history import ModelHistory
from riskmodel.model.window_estimates import RegressionEstimates, WindowEstimates
from riskmodel.panel.memory import ReturnPanel, rows_of

if TYPE_CHECKING:
    from riskmodel.estimation.least_squares.ols import LeastSquares

# Columns taken together: their sums stay in cache.
_COLUMNS = 512
# A window whose factors the basis of an earlier one conditions worse than this has a basis of its own.
_TURNED = 1e-3
# Factors nearer than this to collinear, or to constant beside their mean, are judged window by window.
_NEARLY = 1e-7
# Sums of squared weights below this have lost digits.
_LEAST_SQUARES = 1e-200


def fit_batch(
    estimator: LeastSquares, panel: ReturnPanel, spans: Spans, segments: Sequence[Segment], minimum: int
) -> ModelHistory:
    """Estimate windows among the consecutive ones of some segments."""
    parts = [_fit_segment(estimator, panel, segment, minimum) for segment in segments]
    stops = np.concatenate([segment.stops for segment in segments])
    estimates = WindowEstimates.concat(parts).take(np.flatnonzero(np.isin(stops, spans.stops)))
    return ModelHistory(panel, spans.starts, spans.stops, (panel.definitions,), estimates)


def _fit_segment(estimator: LeastSquares, panel: ReturnPanel, segment: Segment, minimum: int) -> WindowEstimates:
    """Estimate every window, as `estimator.fit` would.

    Notes
    -----
    Windows are taken in stretches. The first window of a stretch gives the basis in which its factors are orthonormal;
    each later one is summed in that basis, until one is found that it conditions badly, and begins the next stretch. So
    all that is decided about a window is decided by it and what precedes it.

    Normal equations in such a basis lose no digits but where an asset is nearly all explained, and its residuals are
    a difference of nearly equal sums: these are computed from the window's rows. The few whose own dates condition
    the factors badly are left to `estimator.fit`.
    """
    fit = _Windows.of(estimator, panel, segment, minimum)
    at = 0
    while at < segment.count:
        at += fit.stretch(at)
    fit.estimates.spread()
    return fit.estimates


@final
@frozen(eq=False)
class _Windows:
    """All windows of a panel, and what is known of them so far."""

    estimator: LeastSquares
    panel: ReturnPanel
    spans: Segment
    minimum: int
    keep: float
    counts: Counts | None  # D × N observations, where any return is missing
    estimates: WindowEstimates

    @classmethod
    def of(cls, estimator: LeastSquares, panel: ReturnPanel, spans: Segment, minimum: int) -> Self:
        returns, factors, _ = panel.arrays()
        d, n, k = spans.count, returns.shape[1], factors.shape[1]
        missing = np.isnan(returns)
        ragged = np.flatnonzero(missing.any(axis=0))
        counts = spans.observations(~missing) if len(ragged) else None
        n_observations = np.empty((d, 1)) if counts is None else counts.astype(np.float64)
        keep = estimator.decay_factor(panel.horizon)
        estimates = _blank((d, n, k), ragged, n_observations, keep)
        return cls(estimator, panel, spans, minimum, keep, counts, estimates)

    def stretch(self, at: int) -> int:
        """Estimate a window and those after it that share its basis; return how many they are."""
        window = rows_of(self.panel, self.spans.rows(at))
        try:
            basis = _Basis.of(self.estimator, window)
        except EstimationError as error:
            present = ~np.isnan(window.arrays()[0])
            n = self.estimates.n_observations
            n[at] = present.sum(axis=0)[: n.shape[1]]
            self.estimates.fail(at, str(error))
            return 1
        stretch = WindowGroups.at(self.spans, at, self.keep)
        if basis.doubtful:
            stretch = evolve(stretch, step=1, groups=1)
        rows = slice(self.spans.rows(at).start, self.spans.rows(at).start + stretch.rows)
        returns, factors, free = self.panel.arrays()
        calendar = _FactorWindows.of(stretch, basis, _padded(factors, rows), _padded(free[:, None], rows))
        many = min(calendar.good, self.spans.count - at)
        calendar.put(self.estimates, slice(at, at + many))
        for low in range(0, returns.shape[1], _COLUMNS):
            columns = slice(low, min(low + _COLUMNS, returns.shape[1]))
            _Block.of(self, calendar, slice(at, at + many), columns, _padded(returns[:, columns], rows)).fit()
        return many

    def leave_out(self, at: Index, columns: Index) -> None:
        """Note pairs that have too few observations."""
        if len(at):
            self.estimates.leave_out(at, columns, TOO_FEW)

    def fit_alone(self, at: int, columns: Index) -> None:
        """Leave some assets of a window to the estimator itself."""
        result = fit_window(self.estimator.fit, rows_of(self.panel, self.spans.rows(at), columns))
        self.estimates.note(at, self.panel.assets, self.panel.factors, result)


def _padded(array: Array, rows: slice) -> Array:
    """Rows of an array, with zeros for those past its end: shapes, and so rounding, do not tell where a panel ends.

    Each date's numbers side by side: windows move by dates.
    """
    there = np.ascontiguousarray(array[rows])
    if len(there) == rows.stop - rows.start:
        return there
    return np.vstack([there, np.zeros((rows.stop - rows.start - len(there), array.shape[1]))])


# -- what assets share -----------------------------------------------------------------------------


@final
@frozen(eq=False)
class _Basis:
    """Coordinates x = (1, q) of the factors, q = (f - o) A⁻¹, that are orthogonal, and of size 1, over a window."""

    origin: Array  # o
    basis: Array  # A
    inverse: Array  # A⁻¹
    parameters: Array  # from coefficients on x to alpha and loadings, (K + 1) × (K + 1)
    doubtful: bool  # whether the factors are so nearly constant or collinear that each window must be judged

    @classmethod
    def of(cls, estimator: LeastSquares, window: ReturnPanel) -> Self:
        """Those of a window, or an `EstimationError` where its factors identify no model."""
        t = len(window.dates)
        alone = rows_of(window, slice(None), np.zeros(1, dtype=np.intp))
        moments = estimator.moments(evolve(alone, excess_returns=np.zeros((t, 1))))
        estimator.estimate(moments)
        basis = moments.basis / np.sqrt(moments.weight)
        inverse = np.linalg.inv(basis)
        parameters = np.zeros((len(basis) + 1, len(basis) + 1))
        parameters[0, 0], parameters[0, 1:], parameters[1:, 1:] = 1.0, -moments.origin @ inverse, inverse
        doubtful = are_still(moments, _NEARLY).any() or smallest_singular_value(moments.factor_root) < _NEARLY
        return cls(moments.origin, basis, inverse, parameters, bool(doubtful))

    def coordinates(self, factors: Array) -> Array:
        """X, rows × (K + 1); one step of refinement restores the digits that a nearly singular A costs."""
        centred = factors - self.origin
        q = centred @ self.inverse
        q += (centred - q @ self.basis) @ self.inverse
        return np.column_stack([np.ones(len(q)), q])


@final
@frozen(eq=False)
class _FactorWindows:
    """What the windows of a stretch say of the factors, which all assets without a missing date share."""

    stretch: WindowGroups
    basis: _Basis
    x: Array  # rows × (K + 1)
    products: Array  # rows × (K + 1)(K + 2)/2: the upper triangle of x x'
    roots: Array  # W with W'W = (Σ w x x')⁻¹, lower triangular, windows × (K + 1) × (K + 1)
    maps: Array  # from W Σ w x r to alpha and loadings, windows × (K + 1) × (K + 1)
    grams: Array  # Σ w x x'
    weight: Array  # Σ w
    observations: Array  # (Σ w)² / Σ w²
    free: Array  # mean risk-free rate
    good: int  # how many windows the basis suits

    @classmethod
    def of(cls, stretch: WindowGroups, basis: _Basis, factors: Array, free: Array) -> Self:
        x = basis.coordinates(factors)
        i, j = upper_triangle(x.shape[1])
        products = x[:, i] * x[:, j]
        ones = np.ones((len(x), 1))
        terms = _all(stretch, ones, np.hstack([products, free]))
        squares = _all(stretch.squared, ones, ones)
        weight, gram = terms[:, 0], _full(terms[:, :-1].T, x.shape[1])
        root, well = _inverse_roots(gram, _TURNED)
        roots = np.ascontiguousarray(np.moveaxis(root, -1, 0))
        return cls(
            stretch=stretch,
            basis=basis,
            x=x,
            products=products,
            roots=roots,
            maps=basis.parameters @ np.swapaxes(roots, 1, 2),
            grams=np.moveaxis(gram, -1, 0),
            weight=weight,
            observations=effective(weight, squares[:, 0]),
            free=terms[:, -1] / weight,
            # the first is the one that the basis was made for
            good=1 + int(np.argmin(np.append(well[1:], False))),
        )

    def put(self, estimates: WindowEstimates, at: slice) -> None:
        """Note the moments of the factors, and the errors that assets without a missing date share."""
        many = at.stop - at.start
        weight, n, a = self.weight[:many, None], self.observations[:many, None], self.basis.basis
        mean = self.grams[:, 0, 1:] / self.weight[:, None]
        centred = self.grams[:, 1:, 1:] - mean[:, :, None] * self.grams[:, :1, 1:]
        covariance = (a.T @ centred @ a)[:many] * (n / weight / (n - 1.0))[:, :, None]
        estimates.factor_mean[at] = (self.basis.origin + mean @ a)[:many]
        estimates.factor_covariance[at] = (covariance + np.swapaxes(covariance, 1, 2)) / 2.0
        estimates.risk_free_mean[at] = self.free[:many]
        unit = (self.maps[:many] ** 2).sum(axis=2)
        _regressions(estimates).shared_errors[at] = np.sqrt(unit * weight * (n - 1.0) / (n * (n - len(a) - 1.0)))


def _all(stretch: WindowGroups, x: Array, y: Array) -> Array:
    """Sums over all windows of a stretch for a single x, windows × n."""
    return np.concatenate([s[0] for s in stretch.sums(x, y)])


def _full(upper: Array, m: int) -> Array:
    """Symmetric matrices, m × m × P, from their upper triangles."""
    at = np.empty((m, m), dtype=np.intp)
    i, j = upper_triangle(m)
    at[i, j] = at[j, i] = np.arange(len(i))
    return np.asarray(upper[at])


def _inverse_roots(gram: Array, limit: float) -> tuple[Array, Flags]:
    """W with W'W = G⁻¹ of matrices m × m × P, and which are conditioned better than 1 / limit."""
    root, definite = inverse_roots_together(gram)
    scale = sum(gram[j, j] for j in range(len(gram))) / len(gram)
    return root, definite & conditioned_within(limit, root, scale)


# -- some assets -----------------------------------------------------------------------------------


@final
@frozen(eq=False)
class _Block:
    """Some columns of returns in the windows of a stretch."""

    whole: _Windows
    calendar: _FactorWindows
    at: slice  # which of all windows
    columns: slice
    filled: Array  # rows × n, 0 where missing
    present: Flags
    counts: Counts  # observations, windows × n
    ragged: Flags  # where those are not all rows

    @classmethod
    def of(cls, whole: _Windows, calendar: _FactorWindows, at: slice, columns: slice, returns: Array) -> Self:
        lengths = whole.spans.lengths()[at, None]
        counts: Counts = np.broadcast_to(lengths.astype(np.int32), (len(lengths), returns.shape[1]))
        if whole.counts is not None:
            counts = whole.counts[at, columns]
        present = ~np.isnan(returns)
        filled = np.ascontiguousarray(returns) if present.all() else np.where(present, returns, 0.0)
        return cls(whole, calendar, at, columns, filled, present, counts, counts < lengths)

    def fit(self) -> None:
        """Estimate them, group by group."""
        step, many = self.calendar.stretch.step, len(self.counts)
        for first, sums in zip(range(0, many, step), self._sums(), strict=False):
            _Group(self, slice(first, min(first + step, many)), *sums).fit()

    def _sums(self) -> Iterator[tuple[Array, Array, Array, Array]]:
        """Σ w x r and Σ w r²; and Σ w x x' and Σ w² over each asset's own dates, empty where none are missing."""
        c, ones = self.calendar, np.ones((len(self.filled), 1))
        cross, squares = c.stretch.sums(c.x, self.filled), c.stretch.sums(ones, self.filled * self.filled)
        own = self.present.astype(np.float64) if self.ragged.any() else np.empty((len(ones), 0))
        grams, weights = c.stretch.sums(c.products, own), c.stretch.squared.sums(ones, own)
        for one, two, three, four in zip(cross, squares, grams, weights, strict=True):
            yield one, two[0], three, four[0]


@final
@frozen(eq=False)
class _Pairs:
    """Assets in windows, P pairs of them, and their normal equations."""

    window: Index  # in the group
    column: Index  # in the block
    root: Array  # W with W'W = (Σ w x x')⁻¹, (K + 1) × (K + 1) × P, or × 1 where it is the same for all
    scores: Array  # W Σ w x r, (K + 1) × P
    rss: Array
    weight: Array  # Σ w
    observations: Array  # (Σ w)² / Σ w²

    def some(self, which: Flags) -> Self:
        """Some of them, each with a root of its own."""
        if which.all():
            return self
        w, c, r, n = self.window, self.column, self.rss, self.observations
        # laid out as all of them are, lest rounding tell how many there are
        root, s = (np.ascontiguousarray(a[..., which]) for a in (self.root, self.scores))
        return type(self)(w[which], c[which], root, s, r[which], self.weight[which], n[which])

    def with_exact_constants(self) -> Self:
        """The same, where returns that are all alike, but for the rounding of their mean, have no variance at all."""
        mean, rest = self.scores[0] ** 2, self.rss + _squares(self.scores[1:])
        still = (rest > 0) & (rest <= STILL**2 * mean)
        if not still.any():
            return self
        scores = np.vstack([self.scores[:1], np.where(still, 0.0, self.scores[1:])])
        return evolve(self, scores=scores, rss=np.where(still, 0.0, self.rss))

    def coefficients(self) -> Array:
        """The coefficients on x, (K + 1) × P."""
        return _transposed_times(self.root, self.scores)


@final
@frozen(eq=False)
class _Group:
    """Some columns in a group of windows that were summed together."""

    block: _Block
    at: slice  # which windows of the stretch are wanted; those summed may be more
    cross: Array  # Σ w x r, (K + 1) × windows × n
    squares: Array  # Σ w r²
    grams: Array  # Σ w x x' over own dates, (K + 1)(K + 2)/2 × windows × n
    weight_squares: Array  # Σ w² over own dates

    def fit(self) -> None:
        """Estimate all as if no date were missing, and then again those that miss some."""
        ragged = self.block.ragged[self.at]
        if not ragged.all():
            self._refine_full(*self._fit_full(), ragged)
        if ragged.any():
            self._fit_ragged(*np.nonzero(ragged))

    def _fit_full(self) -> tuple[Flags, Array]:
        """Estimate all pairs as if no date were missing; return where that cancelled, and the scores."""
        c, estimates, columns = self.block.calendar, self.block.whole.estimates, self.block.columns
        # of all windows that were summed, lest the shape, and with it rounding, tell where a panel ends
        summed, many = slice(self.at.start, self.at.start + len(self.squares)), self.at.stop - self.at.start
        scores = np.matmul(c.roots[summed], self.cross.transpose(1, 0, 2))
        explained = np.einsum("jkn,jkn->jn", scores[:, 1:], scores[:, 1:])[:many]
        squares = self.squares[:many]
        rss = squares - scores[:many, 0] * scores[:many, 0] - explained
        at = slice(self._window(0), self._window(many))
        np.matmul(c.maps[self.at], scores[:many], out=estimates.parameters[at, :, columns])
        n, weight = c.observations[self.at, None], c.weight[self.at, None]
        own_columns = _regressions(estimates).own_columns
        estimates.n_observations[at, columns if len(own_columns) else slice(None)] = n
        _put(estimates, (at, columns), rss, explained, n / weight / (n - 1.0))
        return rss <= CANCELS * squares, scores

    def _refine_full(self, suspect: Flags, scores: Array, ragged: Flags) -> None:
        """Estimate those of the pairs that miss no date where sums cancelled again, from the residuals."""
        c = self.block.calendar
        for j in np.flatnonzero((suspect & ~ragged).any(axis=1)).tolist():
            i, at = np.flatnonzero(suspect[j] & ~ragged[j]), self.at.start + j
            ones = np.ones(len(i))
            root = c.roots[at][:, :, None] * ones
            weight, n = ones * c.weight[at], ones * c.observations[at]
            self._write(self._refined(_Pairs(np.full(len(i), j), i, root, scores[j][:, i], ones, weight, n)))

    def _fit_ragged(self, j: Index, i: Index) -> None:
        """Estimate pairs that miss some dates."""
        pairs, squares, well = self._ragged_pairs(j, i)
        counts = self.block.counts[self.at][j, i]
        short = counts < self.block.whole.minimum
        few = short | (pairs.observations <= len(pairs.root))
        n = np.where(short, counts, pairs.observations)
        self.block.whole.estimates.n_observations[self._window(j), self._column(i)] = n
        self.block.whole.leave_out(self._window(j[few]), self._column(i[few]))
        suspect = well & ~few & (pairs.rss <= CANCELS * squares)
        self._write(pairs.some(well & ~few & ~suspect))
        for window in np.unique(j[suspect]):
            self._write(self._refined(pairs.some(suspect & (j == window))))
        for window in np.unique(j[~well & ~few]):
            self.block.whole.fit_alone(self._window(window), self._column(i[~well & ~few & (j == window)]))

    def _ragged_pairs(self, j: Index, i: Index) -> tuple[_Pairs, Array, Flags]:
        """Solve the normal equations of pairs; their raw squares, and where their own dates condition them well."""
        flat = j * self.squares.shape[1] + i
        terms, cross = (a.reshape(len(a), -1).take(flat, axis=1) for a in (self.grams, self.cross))
        gram, squares = _full(terms, len(cross)), self.squares.take(flat)
        weight_squares = self.weight_squares.take(flat)
        n = effective(gram[0, 0], weight_squares)
        # such an asset ended so long ago that the weights of its dates must be scaled, as `Moments` do
        ended = weight_squares < _LEAST_SQUARES
        n[ended], gram[:, :, ended] = np.inf, np.eye(len(gram))[:, :, None]
        root, well = _inverse_roots(gram, ILL_CONDITIONED)
        well &= ~ended
        scores = _times(root, cross)
        return _Pairs(j, i, root, scores, squares - _squares(scores), gram[0, 0], n), squares, well

    def _refined(self, pairs: _Pairs) -> _Pairs:
        """Pairs of one window with their residual squares, summed date by date, and a step of refinement."""
        c, first = self.block.calendar, self.at.start + pairs.window[0]
        rows = slice(c.stretch.stride * first, c.stretch.length + first)
        x, weights = c.x[rows], c.stretch.keep ** np.arange(rows.stop - rows.start - 1, -1.0, -1.0)[:, None]
        residuals = self.block.filled[rows, pairs.column] - x @ pairs.coefficients()
        residuals[~self.block.present[rows, pairs.column]] = 0.0
        step = _times(pairs.root, (x * weights).T @ residuals)
        rss = (weights * residuals * residuals).sum(axis=0) - _squares(step)
        return evolve(pairs, scores=pairs.scores + step, rss=np.maximum(rss, 0.0))

    def _write(self, pairs: _Pairs) -> None:
        """Note estimates, and the standard errors of pairs that miss dates."""
        estimates, parameters = self.block.whole.estimates, self.block.calendar.basis.parameters
        pairs = pairs.with_exact_constants()
        at, columns = self._window(pairs.window), self._column(pairs.column)
        estimates.parameters[at, :, columns] = _combined(parameters, pairs.coefficients()).T
        scale = pairs.observations / pairs.weight / (pairs.observations - 1.0)
        _put(estimates, (at, columns), pairs.rss, _squares(pairs.scores[1:]), scale)
        ragged = self.block.ragged[self.at][pairs.window, pairs.column]
        if ragged.any():
            self._write_errors(pairs.some(ragged))

    def _write_errors(self, pairs: _Pairs) -> None:
        r, parameters = _regressions(self.block.whole.estimates), self.block.calendar.basis.parameters
        sigma = np.sqrt(pairs.rss / (pairs.observations - len(parameters)))
        place = np.searchsorted(r.own_columns, self._column(pairs.column))
        for p, row in enumerate(parameters):
            unit = _squares(_times(pairs.root, row[:, None]))
            r.own_errors[self._window(pairs.window), p, place] = np.sqrt(unit) * sigma

    def _window(self, j: Any) -> Any:
        """Which of all windows the j-th of the group is."""
        return self.block.at.start + self.at.start + j

    def _column(self, i: Any) -> Any:
        """Which of all columns the i-th of the block is."""
        return self.block.columns.start + i


def _times(root: Array, vectors: Array) -> Array:
    """W v for lower triangular W (K × K × P, or × 1) and v (K × P, or × 1); each pair's digits, whatever is beside."""
    total = root[:, 0] * vectors[0]
    for k in range(1, len(root)):
        if vectors.shape[1] > 1 or vectors[k, 0]:
            total[k:] += root[k:, k] * vectors[k]
    return np.asarray(total)


def _transposed_times(root: Array, vectors: Array) -> Array:
    """W' v, likewise."""
    total = root[-1] * vectors[-1]
    for k in range(len(root) - 1):
        total[: k + 1] += root[k, : k + 1] * vectors[k]
    return np.asarray(total)


def _combined(matrix: Array, vectors: Array) -> Array:
    """A matrix of many zeros times v (K × P), likewise."""
    total = np.zeros_like(vectors)
    for i, k in np.argwhere(matrix):
        total[i] += matrix[i, k] * vectors[k]
    return total


def _squares(vectors: Array) -> Array:
    """The squared lengths of vectors, K × P."""
    total = np.zeros(vectors.shape[1])
    for v in vectors:
        total += v * v
    return total


def _put(estimates: WindowEstimates, where: Any, rss: Array, explained: Array, scale: Array) -> None:
    """Write variances, which are sums of squares times a scale."""
    total, r = rss + explained, _regressions(estimates)
    r.total_variance[where] = total * scale
    # what is left of a return that is perfectly explained is rounding, and not a variance to divide by
    r.idio_variance[where] = np.where(rss <= ROUNDING * total, 0.0, rss) * scale
    r.rsquared[where] = np.divide(explained, total, where=total > 0, out=np.full(total.shape, np.nan))


def _blank(shape: tuple[int, int, int], ragged: Index, n_observations: Array, keep: float) -> WindowEstimates:
    """Estimates that are still to be written; nothing is written to memory that will be written to again."""
    d, n, k = shape
    parameters, idio = np.empty((d, k + 1, n)), np.empty((d, n))
    regressions = RegressionEstimates(
        coefficients=parameters,
        idio_variance=idio,
        total_variance=np.empty((d, n)),
        rsquared=np.empty((d, n)),
        shared_errors=np.full((d, k + 1), np.nan),
        own_errors=np.full((d, k + 1, len(ragged)), np.nan),
        own_columns=ragged,
        decay_factor=np.full(d, keep),
    )
    return WindowEstimates(
        parameters=parameters,
        idio_variance=idio,
        n_observations=n_observations,
        factor_mean=np.full((d, k), np.nan),
        factor_covariance=np.full((d, k, k), np.nan),
        risk_free_mean=np.full(d, np.nan),
        codes=np.zeros((d, n), dtype=np.int32),
        faults=np.zeros(d, dtype=np.int32),
        priors=np.zeros((d, n), dtype=bool),
        regressions=regressions,
    )


def _regressions(estimates: WindowEstimates) -> RegressionEstimates:
    assert estimates.regressions is not None
    return estimates.regressions
